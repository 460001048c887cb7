"""The newest entries of the ledger with what waits to be sealed: read once, afterwards only what came since.

Sealing first would give the same answer for a signature and a wait for the disk. What waits is checked as the sealer
checks it: MAC, number and place in its stream. The journals are read before the ledger, so a batch that is sealed
meanwhile is met in one of them; one that is met in both counts once.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from upheld.ledger.batch import BatchBroken, Head, Header, read_header
from upheld.ledger.entries import Entry
from upheld.store import history
from upheld.store.engine import beside_each_other
from upheld.store.history import Written
from upheld.store.journal import (
    NOWHERE,
    SEEN_BY,
    JournalRow,
    Reached,
    asking_for,
    reached_by,
    reached_in,
    rows_between,
)
from upheld.store.place import Place
from upheld.store.sealing import Sealer, TailBroken, TailProblem

REMEMBERED = 20_000
"""Entries kept in memory, and the most that are given at once."""
_AT_ONCE = 500
"""Batches fetched at once."""


class _Waiting(NamedTuple):
    """A batch that was not sealed when it was met."""

    until_at: int
    stream: str
    n: int
    entries: tuple[Entry, ...]


@dataclass
class _Journal:
    """How far the journal of a place was read."""

    place: Place
    reached: Reached = NOWHERE
    heads: dict[str, Head] = field(default_factory=dict)
    """The last batch of each stream that was met waiting."""


class Newest:
    """The newest entries of one policy. One thread at a time."""

    def __init__(self, sealer: Sealer, places: Sequence[Place], policy: str) -> None:
        self._sealer = sealer
        self._policy = policy
        self._journals = [_Journal(place) for place in places]
        self._ledger = sealer.engine.connect()
        """Of its own: the sealer of this process may be in the middle of a transaction."""
        self._sealed: deque[Entry] = deque(maxlen=REMEMBERED)
        self._from = self._to = -1
        """Leaves that were read: from, and up to but not including."""
        self._waiting: list[_Waiting] = []
        self._told: tuple[int, list[Entry]] | None = None
        """The last answer, while nothing has come since."""
        names = [place.name for place in places]
        beside = beside_each_other([sealer.engine, *(place.engine for place in places)])
        self._asking = asking_for(names, history.SIZE_OF_LEDGER) if beside else ""
        """One statement that asks everybody how far they have got, where one connection sees all of them."""
        self._seen_by = ""
        """Which commits could be seen when everything that can be seen by it had been taken in; empty: not known."""
        self._still = False
        """Whether nobody in the whole server had committed anything between the last two looks at everything."""

    def close(self) -> None:
        """Give the connection back."""
        self._ledger.close()

    def latest(self, count: int) -> list[Entry]:
        """So many entries, newest first. Raises TailBroken when what waits is not what its writer wrote."""
        count = min(count, REMEMBERED)
        self._catch_up()
        if self._told is None or self._told[0] != count:
            waiting = list(islice(self._of_tail(), count))
            missing = count - len(waiting)
            while len(self._sealed) < missing and self._from > 0:
                self._read_back(missing)
            self._told = count, [*waiting, *islice(self._sealed, missing)]
        return list(self._told[1])

    def between(self, since: int, until: int, most: int) -> list[Entry]:
        """Entries with `since <= at < until` in the order of sealing, those that wait last. Raises TailBroken."""
        self._catch_up()
        found = (one.entry for one in history.entries(self._ledger, since, until, policy=self._policy))
        sealed = list(islice(found, most))
        waiting = [one for one in reversed(list(self._of_tail())) if since <= one.at < until]
        return [*sealed, *waiting][:most]

    def _of_tail(self) -> Iterator[Entry]:
        for batch in reversed(self._waiting):
            yield from reversed(batch.entries)

    # ── what came since ─────────────────────────────────────────────────────────────────────────────────────────────

    def _catch_up(self) -> None:
        by: dict[str, Reached] = {}
        seen_by = ""
        if self._asking:
            if self._still and self._ledger.execute(SEEN_BY).fetchone()[0] == self._seen_by:
                return  # nobody has committed anything, here or elsewhere in the server
            by = reached_by(self._ledger.execute(self._asking).fetchall())
            here = by.pop("")
            seen_by = here.checkpoint or ""
            self._still, self._seen_by = seen_by == self._seen_by, ""
            if here.rows == (self._to,) and all(by.get(one.place.name) == one.reached for one in self._journals):
                self._seen_by = seen_by
                return
        met = [batch for journal in self._journals for batch in self._came(journal, by.get(journal.place.name))]
        size = history.size_of(self._ledger)  # after the journals: what left one of them meanwhile is there
        for batch in met:
            self._told = None
            # Batches of all places by the instant of writing, as the sealer will order them.
            insort(self._waiting, batch, key=lambda one: one.until_at)
        if self._to < 0:
            self._from = self._to = size
        elif size > self._to:
            self._told = None
            self._read_on(size)
        self._seen_by = seen_by

    def _came(self, journal: _Journal, reached: Reached | None) -> list[_Waiting]:
        """Batches of the policy that were written to a place since the last look and are not sealed."""
        if reached == journal.reached:
            return []
        with journal.place.reading() as connection:
            reached = reached or reached_in(connection)
            if reached == journal.reached:
                return []
            rows = rows_between(connection, journal.reached, reached)
        found: list[_Waiting] = []
        for row in rows:
            header = read_header(row.header)
            head = journal.heads.get(header.stream)
            if head is None:
                head = history.sealed_head(self._ledger, header.stream)
            if header.n > head.n:
                journal.heads[header.stream] = self._checked(row, header, head, journal.place.name)
                if header.stream.split("/")[1] == self._policy:
                    entries = tuple(history.entries_of_body(row.body))
                    found.append(_Waiting(header.until_at, header.stream, header.n, entries))
        journal.reached = reached
        return found

    def _checked(self, row: JournalRow, header: Header, head: Head, place: str) -> Head:
        try:
            return self._sealer.follows(row, header, head)
        except BatchBroken as problem:
            told = f"batch {header.n} of {header.stream}: {problem}"
            raise TailBroken((TailProblem("tail-broken", place, header.stream, header.n, told),), None) from problem

    # ── what is sealed ──────────────────────────────────────────────────────────────────────────────────────────────

    def _read_on(self, size: int) -> None:
        """Take in what was sealed since, the newest first, and no more than is remembered."""
        came: list[Entry] = []
        leaf = size
        while leaf > self._to and len(came) < REMEMBERED:
            batches = history.batches_before(self._ledger, leaf, self._to, _AT_ONCE)
            if not batches:
                break
            leaf = batches[-1].leaf
            for batch in batches:
                came += self._own(batch)
        if len(came) >= REMEMBERED:
            self._sealed.clear()
            self._from = leaf
        self._sealed.extendleft(reversed(came))
        self._to = size
        streams = {one.stream for one in self._waiting}
        sealed = {stream: history.sealed_head(self._ledger, stream).n for stream in streams}
        self._waiting = [one for one in self._waiting if one.n > sealed[one.stream]]

    def _read_back(self, missing: int) -> None:
        """Take in older batches until there are so many entries, or no more."""
        batches = history.batches_before(self._ledger, self._from, 0, max(missing, 1))
        self._from = batches[-1].leaf if batches else 0
        for batch in batches:
            self._sealed.extend(self._own(batch))

    def _own(self, batch: Written) -> list[Entry]:
        """The entries of a batch of the policy, newest first."""
        if batch.stream.split("/")[1] != self._policy:
            return []
        return history.entries_of_body(batch.body)[::-1]
