"""What is still to happen to whom, on disk: a simulation of any number of people needs the memory of a day.

The queue and what must be remembered of a person lie in a private temporary file of SQLite, gone when it is closed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import msgspec

from upheld.engine.acts import EngagementId, SubjectId

_CACHE_KIB = 4096


class Person(msgspec.Struct, array_like=True):
    """What a simulated life remembers of itself. Contents are nowhere: the keeper has them."""

    number: int
    subject_id: SubjectId
    kind: str
    minor: bool
    stays: dict[str, EngagementId]
    """Open engagements by kind."""
    taken: dict[str, EngagementId | None]
    """Purposes for which something was collected, with the engagement."""
    given: list[str]
    """Matters consented to and not withdrawn."""


class Move(msgspec.Struct, array_like=True):
    """One thing that is to happen on a day: its name and what it needs to know."""

    name: str
    about: str = ""
    engagement: str = ""
    number: int = 0


class Agenda:
    """Moves by day and person, and the persons."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None)
        for statement in (f"PRAGMA cache_size = -{_CACHE_KIB}", "PRAGMA journal_mode = OFF", *_TABLES):
            self._file.execute(statement)
        self._written = 0
        self._move = msgspec.msgpack.Decoder(Move).decode
        self._person = msgspec.msgpack.Decoder(Person).decode
        self._file.execute("BEGIN")

    def close(self) -> None:
        """Give the file back; it is gone."""
        self._file.close()

    def add(self, day: int, person: int, move: Move) -> None:
        """Something is to happen to a person on a day (an ordinal), after what is there already."""
        self._written += 1
        self._file.execute(_ADD, (day, person, self._written, msgspec.msgpack.encode(move)))

    def of(self, day: int) -> Iterator[tuple[Person, list[Move]]]:
        """Everybody to whom something happens on that day, in the order of their numbers. It leaves the agenda."""
        rows = self._file.execute(_OF_DAY, (day,)).fetchall()
        self._file.execute(_DONE, (day,))
        moves: dict[int, list[Move]] = {}
        for person, move in rows:
            moves.setdefault(person, []).append(self._move(move))
        for number, own in moves.items():
            found = self._file.execute(_PERSON, (number,)).fetchone()
            if found is not None:
                yield self._person(found[0]), own

    def keep(self, person: Person) -> None:
        """Remember a person, or what has become of them."""
        self._file.execute(_KEEP, (person.number, msgspec.msgpack.encode(person)))


_TABLES = (
    "CREATE TABLE move(day INTEGER NOT NULL, person INTEGER NOT NULL, written INTEGER NOT NULL, move BLOB NOT NULL, "
    "PRIMARY KEY(day, person, written)) WITHOUT ROWID",
    "CREATE TABLE person(person INTEGER PRIMARY KEY, remembered BLOB NOT NULL)",
)
_ADD = "INSERT INTO move(day, person, written, move) VALUES(?, ?, ?, ?)"
_OF_DAY = "SELECT person, move FROM move WHERE day = ? ORDER BY person, written"
_DONE = "DELETE FROM move WHERE day = ?"
_PERSON = "SELECT remembered FROM person WHERE person = ?"
_KEEP = (
    "INSERT INTO person(person, remembered) VALUES(?, ?) "
    "ON CONFLICT(person) DO UPDATE SET remembered = excluded.remembered"
)
