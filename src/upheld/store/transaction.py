"""What a piece of work may do in a place: statements, and evidence that becomes durable with what they do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from upheld.dates import Instant
from upheld.engine.acts import SubjectId
from upheld.errors import StoreFailed
from upheld.ledger.entries import Evidence
from upheld.store.engine import Claim, Connection, Question, Rows, sent_late
from upheld.store.gathered import Gathered


class NotClaimed(StoreFailed):
    """Work touched what it did not say that it is about: somebody else may be changing that. A bug of the caller."""


def must_be_about(about: Collection[str] | None, names: Collection[str]) -> None:
    """Raises NotClaimed for a name that some work did not say it is about; `about` None stands for the whole place."""
    if about is not None and not all(map(about.__contains__, names)):
        strange = next(name for name in names if name not in about)
        raise NotClaimed(f"this work is about {sorted(about)[:3]}, not about {strange}")


class Transaction:
    """What a piece of work may do: statements on this place and entries for its journal."""

    __slots__ = (
        "_at", "_taken", "about", "also", "asked", "besides", "claim", "connection", "entries", "epochs", "execute",
        "executemany", "first", "gathers", "guarded", "last", "meanwhile", "moved", "named", "proved", "provided",
        "told", "trusting",
    )  # fmt: skip

    def __init__(self, connection: Connection, taken: Callable[[], Instant], claim: Claim | None = None) -> None:
        self.connection = connection
        self._at: Instant | None = None
        self._taken = taken
        self.claim = claim
        """What is kept from everybody else until the end; None: the place."""
        self.about: Collection[str] | None = None if claim is None else claim.changes or claim.reads
        if claim is not None and claim.changes and claim.reads:
            self.about = {*claim.changes, *claim.reads}
        self.entries: list[Evidence] = []
        self.guarded = False
        self.trusting = False
        """Whether views are taken to be current, and the server fails the transaction where one is not."""
        self.gathers: Gathered | None = None
        """Where statements are kept, of which none is answered before the work is over."""
        self.epochs: dict[str, int] = {}
        """Epochs of subjects as this transaction has found or made them, where it asked for several at once."""
        self.asked = self.proved = 0
        """How often it asked for epochs besides, and how many views were compared with what it had."""
        self.moved: list[SubjectId] = []
        """Whose views have moved on with it, in this order: those are nobody's if it does not happen."""
        self.first: Rows | None = None
        """The answer to what the place asks first, where that was asked with the beginning."""
        self.named: Rows | None = None
        """The key that the place names for its journal, where that was asked with the beginning."""
        self.meanwhile: list[Callable[[], None]] = []
        """What can be done while the commit waits for the disk: looks that release nothing before it is there."""
        self.provided: Question | None = None
        """What must be so where it is put on record, or nothing of it happens: a condition and its parameters."""
        self.also: Sequence[Rows] = ()
        """Answers to what else was asked with the beginning."""
        self.besides: Callable[[], None] | None = None
        """What is done while the answer to its commit is awaited, where it is awaited; it must not fail."""
        self.last: Sequence[Question] = ()
        """What is asked after everything else, evidence included, in the message that commits."""
        self.told: Sequence[Rows] = ()
        """The answers to that, once it is durable."""
        self.execute = connection.execute
        self.executemany = connection.executemany

    @property
    def at(self) -> Instant:
        """The instant of what is written: not before whoever had the claim until now has written."""
        if self._at is None:
            self._at = self._taken()
        return self._at

    @at.setter
    def at(self, at: Instant) -> None:
        self._at = at

    def journal(self, *entries: Evidence) -> None:
        """Evidence that becomes durable together with the effect."""
        self.entries.extend(entries)

    def claims(self, statement: str, parameters: Sequence[Any]) -> None:
        """Run a statement before all others that itself claims what the work is about: see `CLAIMED`. The server begins
        with it, so it is decided by now. For work that is gathered. Raises StoreFailed.
        """
        assert self.gathers is not None
        self.gathers.claim(statement, parameters)

    def sends(self) -> None:
        """The server may go on with what was said so far: for work that has claimed what it is about."""
        if self.gathers is not None:
            self.gathers.send()

    def must_claim(self, name: str | None) -> None:
        """Raises NotClaimed for a name that this work did not say it is about; None stands for the whole place."""
        if self.about is not None and name not in self.about:
            raise NotClaimed(f"this work is about {sorted(self.about)[:3]}, not about {name or 'the whole place'}")

    def changed(self, statement: str, parameters: Sequence[Any], otherwise: Exception | None = None) -> None:
        """Run a statement that must touch one row. Raises `otherwise`, or StoreFailed: here, or where it is sent."""
        if self.gathers is not None:
            self.gathers.must(statement, parameters)
            return
        failure = otherwise or StoreFailed(f"not one row was changed: {statement.split('(')[0][:60]}")
        rows = self.execute(statement, parameters)
        late = sent_late(rows)
        if late is not None:
            late.must(failure)
        elif rows.rowcount != 1:
            raise failure
