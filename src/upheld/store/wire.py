"""Several statements to PostgreSQL in one message, below the driver's cursors: no answer is waited for in between.

The driver's own pipeline costs more than the waiting that it saves on a socket of the same machine.
"""

from __future__ import annotations

import re
import select
from collections.abc import Sequence
from itertools import count
from typing import Any, Final

import psycopg
from psycopg.adapt import Transformer
from psycopg.pq import ConnStatus, ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult

_BYTES, _NUMBER, _UNKNOWN = 17, 20, 0
_PLACE: Final = re.compile(rb"%s")
_WELL: Final = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)
Travelling = tuple[list[bytes | None], tuple[int, ...]]
"""Parameters as they travel, and their types."""
Message = tuple[bytes, Travelling]
"""A statement in the driver's spelling (`%s`, `%%`), and its parameters."""
_Ready = tuple[bytes, list[bytes | None], list[int]]


def travelling(parameters: Sequence[Any]) -> Travelling:
    """Parameters as they travel. Raises psycopg.DataError for what no column can hold."""
    values: list[bytes | None] = []
    types: list[int] = []
    for one in parameters:
        if isinstance(one, str):
            if "\0" in one:
                raise psycopg.DataError("a text can't contain NUL")
            try:
                values.append(one.encode())
            except UnicodeEncodeError as failure:
                raise psycopg.DataError(str(failure)) from failure
            types.append(_UNKNOWN)
        elif isinstance(one, int):
            try:
                values.append(one.to_bytes(8, "big", signed=True))
            except OverflowError as failure:
                raise psycopg.DataError(str(failure)) from failure
            types.append(_NUMBER)
        else:
            values.append(one)
            types.append(_UNKNOWN if one is None else _BYTES)
    return values, tuple(types)


class Wire:
    """What is prepared on one connection of the driver. Lives as long as that."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._prepared: dict[tuple[bytes, tuple[int, ...]], bytes] = {}

    def send(self, messages: Sequence[Message]) -> list[tuple[list[Any], int]]:
        """Run statements one after the other; the rows of each, and how many they are or were changed.

        Raises:
            psycopg.Error: that of the first which failed. Those after it did not run.
        """
        pgconn = self._connection.pgconn
        ready = [self._ready(pgconn, word, parameters) for word, parameters in messages]
        try:
            found = _exchanged(pgconn, ready)
        except BaseException:
            self._connection.close()  # in the middle of an exchange nothing else can be said on it
            raise
        for result in found:
            self._check(result)
        return [(self._rows(result), result.command_tuples or 0) for result in found]

    def roll_back(self, words: bytes) -> None:
        """`ROLLBACK`, whole or to a savepoint. After one that it sends itself the driver drops what is prepared."""
        self._check(self._connection.pgconn.exec_(words))

    def _check(self, result: PGresult) -> None:
        if result.status not in _WELL:
            failure = psycopg.errors.error_from_result(result, self._connection.info.encoding)
            if isinstance(failure, psycopg.errors.InvalidSqlStatementName):
                self._prepared.clear()
            if self._connection.pgconn.status == ConnStatus.BAD and not isinstance(failure, psycopg.OperationalError):
                raise psycopg.OperationalError(str(failure)) from failure
            raise failure

    def _rows(self, result: PGresult) -> list[Any]:
        if not result.ntuples:
            return []
        loaded = Transformer(self._connection)
        loaded.set_pgresult(result, format=Format.BINARY)
        return loaded.load_rows(0, result.ntuples, tuple)

    def _ready(self, pgconn: PGconn, word: bytes, parameters: Travelling) -> _Ready:
        """A statement prepared for parameters of these types, and the parameters."""
        values, types = parameters
        name = self._prepared.get((word, types))
        if name is None:
            name = self._prepare(pgconn, word, types)
        return name, values, [0 if one == _UNKNOWN else 1 for one in types]

    def _prepare(self, pgconn: PGconn, word: bytes, types: tuple[int, ...]) -> bytes:
        numbers, name = count(1), b"upheld_%d" % len(self._prepared)
        text = _PLACE.sub(lambda _: b"$%d" % next(numbers), word).replace(b"%%", b"%")
        self._check(pgconn.prepare(name, text, types))
        self._prepared[word, types] = name
        return name


def _exchanged(pgconn: PGconn, ready: Sequence[_Ready]) -> list[PGresult]:
    """All questions, then all answers."""
    pgconn.enter_pipeline_mode()
    for name, values, formats in ready:
        pgconn.send_query_prepared(name, values, formats, Format.BINARY)
    pgconn.pipeline_sync()
    found: list[PGresult] = []
    for _ in ready:
        found.append(_answer(pgconn))
        _answer(pgconn, end=True)
    _answer(pgconn)
    pgconn.exit_pipeline_mode()
    return found


def _answer(pgconn: PGconn, *, end: bool = False) -> Any:
    """The next answer; other threads go on while it is waited for. Raises OperationalError when none will come."""
    while pgconn.flush():
        _wait(pgconn, select.POLLIN | select.POLLOUT)
    while pgconn.is_busy():
        _wait(pgconn, select.POLLIN)
    result = pgconn.get_result()
    if result is None and not end:
        raise psycopg.OperationalError(f"the server went away: {pgconn.get_error_message()}")
    return result


def _wait(pgconn: PGconn, events: int) -> None:
    poll = select.poll()
    poll.register(pgconn.socket, events)
    poll.poll()
    pgconn.consume_input()
