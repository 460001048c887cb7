"""Statements of work that looks at none of its answers, gathered before any of them is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NoReturn

from upheld.store.engine import Change, Overtaken, Rows
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

    def __init__(self) -> None:
        self.changes: list[Change] = []

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> Rows:
        """Keep one statement."""
        self.changes.append(Change(statement, parameters))
        return _Unsent(self.changes, len(self.changes) - 1)

    def must(self, statement: str, parameters: Sequence[Any]) -> None:
        """Keep one that has to change one row, or nothing of the work happens."""
        self.changes.append(Change(statement, parameters, one=True))

    def claim(self, statement: str, parameters: Sequence[Any]) -> None:
        """Keep the statement that claims what the work is about; it comes before all others."""
        self.changes.insert(0, Change(statement, parameters, claims=True))

    def executemany(self, statement: str, parameters: Iterable[Sequence[Any]], /) -> Rows:
        """Keep what does it for each row of parameters."""
        rows = list(parameters)
        at_once = together(statement, rows)
        self.changes += [Change(*at_once)] if at_once is not None else [Change(statement, row) for row in rows]
        return _Unsent(self.changes, len(self.changes) - 1)

    def close(self) -> None:
        """Nothing was sent."""
