"""Who looks without reading: what is held, on whom, for what and until when; and all that may be read for one purpose.

An inspection shows no content. It is on record, with its reason, before it shows anything, and says at its end on how
many persons it looked. `docs/adr/0054-looking-without-reading.md`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice

from upheld.dates import Instant
from upheld.engine.acts import Decision, DisclosureId, EngagementId, Reader, ReaderKind, SubjectId, ValueId
from upheld.engine.lifecycle import DueState
from upheld.engine.state import HeldState, SubjectState, Value
from upheld.errors import InputRefused, StoreFailed
from upheld.keeper.seeing import Seeing
from upheld.ledger.entries import Entry, entry
from upheld.ledger.entries import Value as Recordable
from upheld.store import history
from upheld.store.ids import placed_value
from upheld.store.journal import unsealed_since
from upheld.store.place import Transaction
from upheld.store.views import Seen, Stale

MOST_AT_ONCE = 1_000
"""Values on one page."""
_REMEMBERED = 20_000
_ATTEMPTS = 50


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known about one value besides its content."""

    value_id: ValueId
    item: str
    held: HeldState
    due: DueState
    purposes: tuple[str, ...]
    engagements: tuple[EngagementId, ...]
    collected_at: Instant
    until: Instant
    """When the last of its grounds ends by what is known now; far away while nobody knows."""
    grounds: tuple[str, ...]
    """The elements that keep it."""
    given_to: tuple[tuple[str, DisclosureId], ...]
    """Recipients and processors that got it."""


@dataclass(frozen=True, slots=True)
class Page:
    """All that may be read for a purpose, a page of it."""

    texts: dict[ValueId, str]
    refused: dict[ValueId, Decision]
    next: ValueId | None
    """Where the next page begins; None after the last."""


@dataclass
class Inspection:
    """Questions under one record. Answers are proved current against the place, as decisions are."""

    keeper: Inspecting
    policy: str
    persons: set[SubjectId] = field(default_factory=set)
    values: int = 0
    records: int = 0
    _known: dict[SubjectId, tuple[Seen, Instant, tuple[Kept, ...]]] = field(default_factory=dict)
    _log: deque[Entry] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    _read_to: int = -1
    _read_from: int = -1

    def of(self, subject_id: SubjectId) -> tuple[Kept, ...]:
        """Everything that is held on a person, without a content. Raises InputRefused for another policy's person."""
        seen, now = self.keeper.proved(subject_id)
        if seen.policy != self.policy:
            raise InputRefused("unknown", "no such subject; it was never entered here, or was forgotten")
        before = self._known.get(subject_id)
        if before is not None and before[0] is seen and now < before[1]:
            kept = before[2]
        else:
            kept = tuple(
                _kept(seen, value, now) for value in seen.state.values if value.held is not HeldState.DESTROYED
            )
            changes_at = min([seen.view.valid_until, *(one.until for one in kept if one.until > now)])
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[subject_id] = (seen, changes_at, kept)
        self.persons.add(subject_id)
        self.values += len(kept)
        return kept

    def held(self, value: ValueId) -> HeldState:
        """Where a value is. One that was destroyed stays so; one that nobody knows was forgotten with its person."""
        self.values += 1
        with self.keeper.places.active.reading() as connection:
            row = connection.execute(_STATE, placed_value(value)).fetchone()
        return HeldState(row[0]) if row else HeldState.DESTROYED

    def latest(self, count: int) -> list[Entry]:
        """The newest entries of the ledger under this policy, newest first. What waits is sealed before."""
        with self.keeper.places.active.reading() as connection:
            waiting = unsealed_since(connection)
        if waiting is not None:
            self.keeper.seal()
        connection = self.keeper.places.sealer.connection
        size = history.size_of(connection)
        if self._read_to < 0:
            self._read_to = self._read_from = size
        if size > self._read_to:
            for recorded in history.entries(connection, policy=self.policy, from_leaf=self._read_to):
                self._log.appendleft(recorded.entry)
            self._read_to = size
        while len(self._log) < count and self._read_from > 0:
            before = history.bodies_before(connection, self._read_from, count)
            for leaf, body in before:
                self._read_from = leaf
                own = [one for one in history.entries_of_body(body) if one.policy == self.policy]
                self._log.extend(reversed(own))
            if not before:
                break
        self.records += min(len(self._log), count)
        return list(islice(self._log, count))


class Inspecting(Seeing):
    """Inspections, and reading by purpose."""

    @contextmanager
    def inspect(self, policy: str, *, reader: Reader, reason: str) -> Iterator[Inspection]:
        """Look at what is held without reading it. `reason` is a code; the look is on record before it begins.

        Raises InputRefused for a reader who has no duty to audit.
        """
        self._refuse_while_recovering()
        self._releases()
        rule = self.views.line(policy).latest.rule
        if reader.kind is not ReaderKind.HANDLER or "audit" not in (reader.duties or ()) or reader.lapsed:
            raise InputRefused("inspection-without-duty", "only a handler with the duty to audit may inspect")
        looked = Inspection(self, policy)
        opened = self.new_id()

        def note(kind: str, **fields: Recordable) -> None:
            self.places.active.submit(
                lambda transaction: transaction.journal(
                    entry(kind, transaction.at, policy, None, (rule.path,), **fields)
                )
            )

        note("inspection.opened", inspection=opened, reason=reason, reader_id=reader.reader_id, origin=reader.origin)
        try:
            yield looked
        finally:
            counts = {"persons": len(looked.persons), "values": looked.values, "records": looked.records}
            note(
                "inspection.closed", inspection=opened, counts={name: count for name, count in counts.items() if count}
            )

    def proved(self, subject_id: SubjectId) -> tuple[Seen, Instant]:
        """A person as the place has them now, and the instant at which that is told."""
        for _ in range(_ATTEMPTS):
            now = self.now()
            seen = self.views.get(subject_id, now)
            with self.places.active.reading() as connection:
                try:
                    self.views.prove(Transaction(connection, now), seen)
                except Stale:
                    continue
            return seen, max(now, seen.last_at)
        raise StoreFailed("the subject changed under every attempt; try again when fewer writers work on it")

    def read_purpose(
        self, policy: str, purpose: str, *, reader: Reader, use: str | None = None, after: ValueId | None = None,
        limit: int = MOST_AT_ONCE,
    ) -> Page:  # fmt: skip
        """See everything that may be read for one purpose, a page at a time: decided by value, one record a page."""
        self._refuse_while_recovering()
        limit = min(limit, MOST_AT_ONCE)
        with self.places.active.reading() as connection:
            rows = connection.execute(_UNDER, (after or 0, f'["{purpose}",', limit)).fetchall()
        now = self.now()
        own = [(SubjectId(who), ValueId(value)) for value, who in rows]
        own = [(who, value) for who, value in own if self.views.get(who, now).policy == policy]
        following = ValueId(rows[-1][0]) if len(rows) == limit else None
        if not own:
            return Page({}, {}, following)
        outcome = self.read_batch(purpose, own, reader=reader, use=use)
        return Page(dict(outcome.texts), dict(outcome.refused), following)


def _kept(seen: Seen, value: Value, now: Instant) -> Kept:
    life = seen.view.life
    due = life.due(value, now)
    return Kept(
        value.value_id,
        value.item,
        value.held,
        due.state,
        tuple(dict.fromkeys(use.purpose for use in value.uses)),
        tuple(dict.fromkeys(use.engagement for use in value.uses if use.engagement)),
        value.collected_at,
        max((ground.until.at for ground in due.grounds), default=value.collected_at),
        tuple(dict.fromkeys(ground.rule.path for ground in due.grounds)),
        _given(seen.state, value.value_id),
    )


def _given(state: SubjectState, value: ValueId) -> tuple[tuple[str, DisclosureId], ...]:
    return tuple((one.recipient, one.disclosure_id) for one in state.disclosures if value in one.values)


_STATE = "SELECT state FROM value WHERE bucket = ? AND value_id = ?"
_UNDER = (
    "SELECT value_id, subject_id FROM value WHERE value_id > ? AND state = 'held' AND instr(uses, ?) > 0 "
    "ORDER BY value_id LIMIT ?"
)
