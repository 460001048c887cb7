"""Statements of work that looks at none of its answers: gathered before they are sent, or sent part by part as they are
made, once the work has claimed what it is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NoReturn

from upheld.errors import StoreFailed
from upheld.store.engine import Change, Connection, Engine, Overtaken, Rows
from upheld.store.spelling import together


class _Unsent:
    """The answer to a statement that nobody may look at: it is not sent before the work is over."""

    __slots__ = ("_changes", "_number")

    def __init__(self, changes: list[Change], number: int) -> None:
        self._changes = changes
        self._number = number

    def must(self, otherwise: Exception) -> None:
        """It has to change one row, or nothing of the work happens."""
        self._changes[self._number] = self._changes[self._number]._replace(one=True)

    def proves(self, otherwise: Exception) -> None:
        """Whatever divides by zero fails all of the work."""

    @property
    def rowcount(self) -> int:
        _looked_at()

    @property
    def lastrowid(self) -> int | None:
        _looked_at()

    def fetchone(self) -> Any:
        _looked_at()

    def fetchall(self) -> list[Any]:
        _looked_at()

    def __iter__(self) -> Iterator[Any]:
        _looked_at()


def _looked_at() -> NoReturn:
    raise Overtaken("work that was to look at nothing asks for an answer")


class Gathered:
    """In the place of a connection: what is run is kept in `changes`, in its order."""

    in_transaction = True

    def __init__(self, engine: Engine, connection: Connection, name: str | None) -> None:
        self._engine = engine
        self._connection = connection
        self._name = name
        """What the work may claim."""
        self.changes: list[Change] = []
        """What is not sent yet."""
        self.begun = False
        """Whether a part was sent, which must be ended or taken back."""

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> Rows:
        """Keep one statement."""
        self.changes.append(Change(statement, parameters))
        return _Unsent(self.changes, len(self.changes) - 1)

    def must(self, statement: str, parameters: Sequence[Any]) -> None:
        """Keep one that has to change one row, or nothing of the work happens."""
        self.changes.append(Change(statement, parameters, one=True))

    def claim(self, statement: str, parameters: Sequence[Any]) -> None:
        """Send the statement that claims what the work is about; it comes before all others. Raises StoreFailed where
        it can't be sent.
        """
        assert self._name is not None
        self.begun = self._engine.begin_adding(self._connection, self._name, (statement, parameters))
        if not self.begun:
            raise StoreFailed("nothing can be said on this line now")

    def send(self) -> None:
        """Send what is kept, if anything was sent before it."""
        if self.begun:
            changes, self.changes = self.changes, []
            self._engine.go_on_adding(self._connection, changes)

    def executemany(self, statement: str, parameters: Iterable[Sequence[Any]], /) -> Rows:
        """Keep what does it for each row of parameters."""
        rows = list(parameters)
        at_once = together(statement, rows)
        self.changes += [Change(*at_once)] if at_once is not None else [Change(statement, row) for row in rows]
        return _Unsent(self.changes, len(self.changes) - 1)

    def close(self) -> None:
        """Nothing was sent."""
