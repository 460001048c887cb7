"""Several statements to PostgreSQL in one message, below the driver's cursors: no answer is waited for in between.

The driver's own pipeline costs more than the waiting that it saves on a socket of the same machine. Statements between
two messages that open no transaction of their own are one transaction, which ends with the message: all of it or
nothing, as the server promises for what comes before one `Sync`.
"""

from __future__ import annotations

import re
import select
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from itertools import count
from operator import call
from typing import Any, Final, NoReturn

import psycopg
from psycopg.adapt import Dumper, Transformer
from psycopg.pq import ConnStatus, ExecStatus, Format, PipelineStatus
from psycopg.pq.abc import PGresult

from upheld.store.awake import Awake, cores
from upheld.store.engine import Blobs, Numbers, NumbersOrNone, Spots, Texts, TextsOrNone

_BYTES, _NUMBER, _TEXT, _SPOT, _BLOBS, _NUMBERS, _TEXTS, _SPOTS, _UNKNOWN = 17, 20, 25, 27, 1001, 1016, 1009, 1010, 0
_PLACE: Final = re.compile(rb"%s")
_WELL: Final = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)
_LOOKS: Final = 8
"""So often at most an idle connection is looked at for what the server has said unasked."""
Travelling = tuple[list[bytes | None], "Types"]
"""Parameters as they travel, and their types."""
Message = tuple[bytes, Travelling]
"""A statement in the driver's spelling (`%s`, `%%`), and its parameters."""
_Known = tuple[bytes, "Types"]
"""A statement and the types of its parameters: what is prepared once."""


class Types:
    """How parameters of some types travel: texts and what is not known as text, numbers and bytes as they are.

    There is one object for the same types, so that it can be compared by what it is.
    """

    __slots__ = ("codes", "formats", "ways")

    def __init__(self, ways: Sequence[_Way]) -> None:
        self.codes = tuple(code for code, _ in ways)
        self.formats = [0 if code == _UNKNOWN else 1 for code in self.codes]
        self.ways = tuple(way for _, way in ways)
        """What turns each parameter into bytes, or nothing."""


class Answer:
    """What came back for one statement. What few ask for is taken from the driver when it is asked for."""

    __slots__ = ("_result", "rows")

    def __init__(self, rows: list[Any], result: PGresult) -> None:
        self.rows = rows
        self._result = result

    @property
    def changed(self) -> int:
        """How many rows these are, or were changed."""
        return self._result.command_tuples or 0

    @property
    def words(self) -> bytes:
        """What the server calls what it did: `COMMIT`, or `ROLLBACK` for one that could not."""
        return self._result.command_status or b""


class Refused(Exception):
    """A statement failed; those after it did not run. `number`: which of those that were sent, from 0."""

    def __init__(self, number: int, failure: psycopg.Error) -> None:
        super().__init__(str(failure))
        self.number = number
        self.failure = failure


def travelling(parameters: Sequence[Any]) -> Travelling:
    """Parameters as they travel. Raises psycopg.DataError for what no column can hold."""
    kinds = tuple(map(type, parameters))
    types = _TYPES.get(kinds)
    if types is None:
        ways = tuple(_way_of(one) for one in kinds)
        types = _TYPES[kinds] = _SAME.setdefault(ways, Types(ways))
    try:
        return [*map(call, types.ways, parameters)], types  # no step of it in Python: three for each read
    except (struct.error, UnicodeEncodeError) as failure:
        raise psycopg.DataError(str(failure)) from failure


def and_number(before: Travelling, number: int) -> Travelling:
    """Parameters, and a number after them."""
    values, types = before
    ways = (*zip(types.codes, types.ways, strict=True), _way_of(int))
    return [*values, _PACKED(number)], _SAME.setdefault(ways, Types(ways))


def _text(text: str) -> bytes:
    if "\0" in text:
        raise psycopg.DataError("a text can't contain NUL")
    return text.encode()


def _real(number: float) -> bytes:
    return repr(number).encode()


def _nothing(_: None) -> None:
    return None


_ARRAY: Final = struct.Struct(">iiiii")
"""How an array begins: one dimension, no NULL, of which type, how many, from 1."""
_ID: Final = 20
"""Characters of an id: texts that are all as long need no length of their own."""
_AS_LONG: Final = _ID.to_bytes(4, "big").decode()


@cache
def _of_numbers(count: int) -> struct.Struct:
    return struct.Struct(">iiiii" + "iq" * count)


def numbers_as_array(numbers: Numbers) -> bytes:
    """Each with its length before it, as the server's own form of an array has it."""
    count = len(numbers)
    lengths_too = [8] * (2 * count)
    lengths_too[1::2] = numbers
    return _of_numbers(count).pack(1, 0, _NUMBER, count, 1, *lengths_too)


def texts_as_array(texts: Texts) -> bytes:
    """The same of texts: ids are as long as each other, and joined at once."""
    head = _ARRAY.pack(1, 0, _TEXT, len(texts), 1)
    joined = _AS_LONG.join(("", *texts)).encode("utf-8", "surrogatepass")
    if set(map(len, texts)) <= {_ID} and len(joined) == (_ID + 4) * len(texts):
        return head + joined
    each = [one.encode("utf-8", "surrogatepass") for one in texts]
    return head + b"".join([len(one).to_bytes(4, "big") + one for one in each])


def spots_as_array(spots: Spots) -> bytes:
    """The same of places in a table: six bytes each."""
    return _ARRAY.pack(1, 0, _SPOT, len(spots), 1) + b"\0\0\0\x06".join((b"", *spots))


def _cells(kind: int, cells: Sequence[bytes | None]) -> bytes:
    """Any array, the long way: NULL has a length of its own."""
    each = [_NULL if one is None else len(one).to_bytes(4, "big") + one for one in cells]
    return _ARRAY.pack(1, int(None in cells), kind, len(cells), 1) + b"".join(each)


def _numbers_or_none(numbers: NumbersOrNone) -> bytes:
    return _cells(_NUMBER, [None if one is None else _PACKED(one) for one in numbers])


def _texts_or_none(texts: TextsOrNone) -> bytes:
    return _cells(_TEXT, [None if one is None else one.encode("utf-8", "surrogatepass") for one in texts])


def _blobs(blobs: Blobs) -> bytes:
    return _cells(_BYTES, blobs)


_NULL: Final = b"\xff\xff\xff\xff"
_PACKED: Final = struct.Struct(">q").pack


class NumbersDumper(Dumper):
    """The same for the driver's own cursors."""

    format = Format.BINARY
    oid = _NUMBERS

    def dump(self, obj: Numbers) -> bytes:
        return numbers_as_array(obj)


class TextsDumper(Dumper):
    """The same for the driver's own cursors."""

    format = Format.BINARY
    oid = _TEXTS

    def dump(self, obj: Texts) -> bytes:
        return texts_as_array(obj)


def _way_of(kind: type) -> _Way:
    return next((way for known, way in _WAYS if issubclass(kind, known)), (_BYTES, bytes))


_Way = tuple[int, Callable[[Any], bytes | None]]
_WAYS: Final[tuple[tuple[type, _Way], ...]] = (
    (str, (_UNKNOWN, _text)),
    (int, (_NUMBER, _PACKED)),
    (float, (_UNKNOWN, _real)),
    (type(None), (_UNKNOWN, _nothing)),
    (Numbers, (_NUMBERS, numbers_as_array)),
    (Texts, (_TEXTS, texts_as_array)),
    (Spots, (_SPOTS, spots_as_array)),
    (NumbersOrNone, (_NUMBERS, _numbers_or_none)),
    (TextsOrNone, (_TEXTS, _texts_or_none)),
    (Blobs, (_BLOBS, _blobs)),
)
_TYPES: Final[dict[tuple[type, ...], Types]] = {}
_SAME: Final[dict[tuple[_Way, ...], Types]] = {}
NOTHING: Final[Travelling] = travelling(())
_NEVER_MIND: Final[Message] = (b"ROLLBACK", NOTHING)
_ON_THIS_MACHINE: Final = (b"/", b"localhost", b"127.", b"::1")
"""How the name of a host begins that is this machine: a folder of sockets, or the machine's own address."""


class Wire:
    """What is prepared on one connection of the driver, and the message under way. Lives as long as that."""

    def __init__(self, connection: psycopg.Connection[Any], awake: Awake) -> None:
        self._awake = awake
        self._connection = connection
        self._pgconn = connection.pgconn
        self._prepared: dict[_Known, bytes] = {}
        self._names = count()
        self._own = self._pgconn.backend_pid
        """Behind a pooler two connections may meet in one session of the server: each has names of its own there."""
        self._expected: list[_Known | None] = []
        """Of each answer that will come, which statement is prepared by it; None where one is run."""
        self._met = 0
        """How many of them have come."""
        self._results: list[PGresult] = []
        self._bad: PGresult | None = None
        """The first of them that tells of a failure."""
        self._heard = 0
        """How many of the statements of the message under way are answered already."""
        self._unsent = False
        """Whether some of it did not fit into the socket yet."""
        self._loaded = Transformer(connection)
        self._parts = cores() > 1 or not self._pgconn.host.startswith(_ON_THIS_MACHINE)
        """Whether somebody else can be at work on the first part of a message while we make the next: on one core a
        server that is woken by it only keeps us from that.
        """
        self._poll = select.poll()
        self._poll.register(self._pgconn.socket, select.POLLIN)

    def send(self, messages: Sequence[Message]) -> list[Answer]:
        """Run statements one after the other, in one message; what came back for each.

        Raises:
            Refused: one failed.
            psycopg.OperationalError: the connection is over; nobody knows what was done.
        """
        self.post(messages)
        return self.take()

    def ask(self, message: Message) -> Answer:
        """Run one statement that changes nothing: once it is prepared it needs no pipeline, and its answer may be
        waited for awake. Raises as `send` does.
        """
        word, (values, types) = message
        name = self._prepared.get((word, types))
        if name is None:
            return self.send([message])[0]
        try:
            self._pgconn.send_query_prepared(name, values, types.formats, Format.BINARY)
            if self._pgconn.flush():
                self._push()
            if self._pgconn.is_busy():
                self._awake.wait(self._pgconn.is_busy, self._pgconn.consume_input)
            result = self._result()
            if self._next() is not None:
                raise psycopg.OperationalError("the server said more than it was asked")
        except BaseException:
            self._connection.close()
            raise
        if result.status not in _WELL:
            raise self._refused(0, result)
        return Answer(self._rows(result), result)

    def post(self, messages: Sequence[Message]) -> None:
        """Send statements and go on; `take` waits for the answers. Raises psycopg.OperationalError."""
        self._expect_anew()
        try:
            self._pgconn.enter_pipeline_mode()
            self._put(messages)
            self._pgconn.pipeline_sync()
            self._unsent = bool(self._pgconn.flush())
        except BaseException:
            self._connection.close()  # in the middle of an exchange nothing else can be said on it
            raise

    def _expect_anew(self) -> None:
        self._expected.clear()
        self._results, self._bad, self._met, self._heard = [], None, 0, 0

    def begin(self, messages: Sequence[Message], *, answered: bool = False) -> None:
        """The first part of a message, with which the server begins at once, or one more; on one core it is sent with
        what follows. `end` or `abandon` follows. `answered`: its answers are wanted before the end (`hear`). Raises
        psycopg.OperationalError: nothing happened.
        """
        try:
            if self._pgconn.pipeline_status == PipelineStatus.OFF:
                self._expect_anew()
                self._pgconn.enter_pipeline_mode()
            self._put(messages)
            if answered:
                self._pgconn.send_flush_request()
            if answered or self._parts:
                self._unsent = bool(self._pgconn.flush())
        except BaseException:
            self._connection.close()
            raise

    def hear(self, count: int, *, awake: bool = False) -> list[Answer]:
        """The answers to the next so many statements of a message that was begun, before its end. Raises as `send`
        does; then the message is over.
        """
        answers: list[Answer] = []
        failed: PGresult | None = None
        try:
            if self._unsent:
                self._push()
                self._unsent = False
            if awake and self._pgconn.is_busy():
                self._awake.wait(self._pgconn.is_busy, self._pgconn.consume_input)
            while len(answers) < count and failed is None:
                result = self._result()
                if result.status not in _WELL:
                    failed = result
                    continue
                if self._next() is not None:
                    raise psycopg.OperationalError("the server said more than it was asked")
                if self._expected.pop(0) is None:
                    answers.append(Answer(self._rows(result), result))
        except BaseException:
            self._connection.close()
            raise
        if failed is not None:
            self._fail(failed, len(answers))
        self._heard += count
        return answers

    def _fail(self, result: PGresult, answered: int) -> NoReturn:
        """A statement of a message that has not ended failed, so those after it are not run."""
        known, *_ = self._expected
        try:
            if known is not None:
                self._prepared.pop(known, None)
            if self._next() is not None:
                raise psycopg.OperationalError("the server said more than it was asked")
            del self._expected[0]
            self._pgconn.pipeline_sync()
            self._unsent = bool(self._pgconn.flush())
        except BaseException:
            self._connection.close()
            raise
        with suppress(Refused):  # of those that were not run
            self.take()
        raise self._refused(self._heard + answered, result)

    def end(self, messages: Sequence[Message], *, whole: bool = False) -> None:
        """The rest of a message; `take` waits for the answers to both parts. `whole`: until the socket has taken all of
        it. Raises psycopg.OperationalError.
        """
        try:
            self._put(messages)
            self._pgconn.pipeline_sync()
            self._unsent = bool(self._pgconn.flush())
            if whole and self._unsent:
                self._push()
        except BaseException:
            self._connection.close()
            raise

    def abandon(self) -> None:
        """The rest is never said, and nothing of the first part lasts. Raises psycopg.OperationalError."""
        self.end((_NEVER_MIND,))
        with suppress(Refused):
            self.take()

    def _put(self, messages: Sequence[Message]) -> None:
        pgconn, prepared, expected = self._pgconn, self._prepared, self._expected
        for word, (values, types) in messages:
            name = prepared.get((word, types))
            if name is None:
                name = self._prepare(word, types)
            expected.append(None)
            pgconn.send_query_prepared(name, values, types.formats, Format.BINARY)

    def _prepare(self, word: bytes, types: Types) -> bytes:
        """In the same message, before its first use."""
        # Names are of one length, and so is a message whenever it is said.
        numbers, name = count(1), b"upheld_%07d_%03d" % (self._own, next(self._names))
        text = _PLACE.sub(lambda _: b"$%d" % next(numbers), word).replace(b"%%", b"%")
        self._pgconn.send_prepare(name, text, types.codes)
        self._prepared[word, types] = name
        self._expected.append((word, types))
        return name

    def take(self, only: int | None = None, *, awake: bool = False) -> list[Answer]:
        """The answers to what was posted, or that to one of it. Raises as `send` does. `awake`: they are awaited awake
        where that is done at all.
        """
        try:
            if self._unsent:
                self._push()
            if awake and self._pgconn.is_busy():
                self._awake.wait(self._pgconn.is_busy, self._pgconn.consume_input)
            self._collect(wait=True)
        except BaseException:
            self._connection.close()
            raise
        return self._collected(only)

    def taken(self, only: int) -> Answer | None:
        """The answer to one of what was posted, if all are here; else None, and who asks again goes on where this one
        ended. Raises as `send` does.
        """
        try:
            self._pgconn.consume_input()
            if not self._collect(wait=False):
                return None
        except BaseException:
            self._connection.close()
            raise
        return self._collected(only)[0]

    def _collect(self, *, wait: bool) -> bool:
        """Look at the answers one after the other; whether that was the last. False where one is not here yet and
        nobody waits.
        """
        pgconn, expected = self._pgconn, self._expected
        is_busy, get_result = pgconn.is_busy, pgconn.get_result
        for met in range(self._met, len(expected)):
            while is_busy():  # `_result`, spelled out: mostly all answers are here with the first
                if not wait:
                    self._met = met
                    return False
                self._poll.poll()
                pgconn.consume_input()
            result = get_result()
            if result is None:
                raise self._gone()
            well, known = result.status in _WELL, expected[met]
            if known is not None and not well:
                self._prepared.pop(known, None)
            elif known is None and well and self._bad is None:
                self._results.append(result)
            if not well and self._bad is None:
                self._bad = result
            if get_result() is not None:  # the end of the answer to one statement
                raise psycopg.OperationalError("the server said more than it was asked")
        while True:
            while is_busy():
                if not wait:
                    self._met = len(expected)
                    return False
                self._poll.poll()
                pgconn.consume_input()
            ended = get_result()
            if ended is None:
                self._must_be_there()
            elif ended.status == ExecStatus.PIPELINE_SYNC:
                break
            elif self._bad is None:
                self._bad = ended  # the commit that a message ends with
        pgconn.exit_pipeline_mode()
        return True

    def _collected(self, only: int | None) -> list[Answer]:
        results, refused = self._results, self._bad
        self._results, self._bad = [], None
        if refused is not None:
            raise self._refused(self._heard + len(results), refused)
        if only is not None:
            return [Answer(self._rows(results[only]), results[only])]
        return [Answer(self._rows(one), one) for one in results]

    @property
    def descriptor(self) -> int:
        """The number of the socket."""
        return self._pgconn.socket

    def roll_back(self, words: bytes) -> None:
        """`ROLLBACK`, whole or to a savepoint. After one that it sends itself the driver drops what is prepared.

        Raises:
            psycopg.Error: it could not be done.
        """
        result = self._pgconn.exec_(words)
        if result.status not in _WELL:
            refused = self._refused(0, result)
            raise refused.failure if isinstance(refused, Refused) else refused

    def is_over(self) -> bool:
        """Whether an idle connection was ended by the server: then it has said so, or its end can be seen."""
        try:
            for _ in range(_LOOKS):
                if not self._poll.poll(0):
                    break
                self._pgconn.consume_input()
        except psycopg.OperationalError:
            return True
        return self._pgconn.status == ConnStatus.BAD

    def _push(self) -> None:
        """Send the rest. What the server says meanwhile is taken, or both would wait for each other."""
        pgconn = self._pgconn
        self._poll.modify(pgconn.socket, select.POLLIN | select.POLLOUT)
        while pgconn.flush():
            self._poll.poll()
            pgconn.consume_input()
        self._poll.modify(pgconn.socket, select.POLLIN)

    def _next(self) -> PGresult | None:
        """The next answer; other threads go on while it is waited for."""
        pgconn = self._pgconn
        while pgconn.is_busy():
            self._poll.poll()
            pgconn.consume_input()
        return pgconn.get_result()

    def _result(self) -> PGresult:
        result = self._next()
        if result is None:
            raise self._gone()
        return result

    def _gone(self) -> psycopg.OperationalError:
        return psycopg.OperationalError(f"the server went away: {self._pgconn.get_error_message()}")

    def _must_be_there(self) -> None:
        if self._pgconn.status == ConnStatus.BAD:
            raise self._gone()

    def _refused(self, number: int, result: PGresult) -> Exception:
        failure = psycopg.errors.error_from_result(result, self._connection.info.encoding)
        if isinstance(failure, psycopg.errors.InvalidSqlStatementName):
            self._prepared.clear()
        # What has no code was not said by a server, but by the library about the line, perhaps before it counts as bad.
        of_the_line = self._pgconn.status == ConnStatus.BAD or failure.sqlstate is None
        if of_the_line and not isinstance(failure, psycopg.OperationalError):
            gone = psycopg.OperationalError(str(failure))
            gone.__cause__ = failure
            return gone
        return Refused(number, failure)

    def _rows(self, result: PGresult) -> list[Any]:
        if not result.ntuples:
            return []
        self._loaded.set_pgresult(result, format=Format.BINARY)
        return self._loaded.load_rows(0, result.ntuples, tuple)
