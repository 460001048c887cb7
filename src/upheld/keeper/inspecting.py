"""Who looks without reading: what is held, on whom, for what and until when; and all that may be read for one purpose.

An inspection shows no content. It is on record, with its reason, before it shows anything, and says at its end on how
many persons it looked. `docs/adr/0054-looking-without-reading.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from msgspec import Struct

from upheld.dates import Instant
from upheld.engine.acts import Decision, DisclosureId, EngagementId, Reader, ReaderKind, SubjectId, ValueId
from upheld.engine.lifecycle import DueState, Ground
from upheld.engine.state import HeldState, Use, Value
from upheld.errors import InputRefused
from upheld.keeper.seeing import Seeing
from upheld.ledger.entries import Entry, entry
from upheld.ledger.entries import Value as Recordable
from upheld.store import subjects
from upheld.store.ids import placed_value
from upheld.store.newest import Newest
from upheld.store.views import Seen

MOST_AT_ONCE = 1_000
"""Values on one page."""
PEOPLE_AT_ONCE = 250
"""Persons of one page: as many as a transaction claims one by one."""
_LOADED = 100
"""Persons loaded together."""
_REMEMBERED = 20_000
"""Persons whose answer is kept."""


class Kept(Struct, frozen=True, order=True, gc=False):
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


class _Told(Struct, frozen=True, gc=False):
    """An answer on a person, good for as long as the place says of plan and person what it said then. Nothing else is
    kept of them: who looks at many would hold the views of all.
    """

    plan_epoch: int
    epoch: int
    from_at: Instant
    until_at: Instant
    """When the first of its ends comes, or the next version of the policy."""
    kept: tuple[Kept, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """All that may be read for a purpose, a page of it."""

    texts: dict[ValueId, str]
    refused: dict[ValueId, Decision]
    next: str | None
    """Where the next page begins; None after the last."""


@dataclass
class Inspection:
    """Questions under one record. Answers are proved current against the place, as decisions are."""

    keeper: Inspecting
    policy: str
    persons: set[SubjectId] = field(default_factory=set)
    values: int = 0
    records: int = 0
    _told: dict[SubjectId, _Told] = field(default_factory=dict)
    _newest: Newest | None = None

    def of(self, subject_id: SubjectId) -> tuple[Kept, ...]:
        """Everything that is held on a person, without a content. Raises InputRefused for another policy's person."""
        now, told = self.keeper.now(), self._told.get(subject_id)
        still = told is not None and told.from_at <= now < told.until_at
        if told is None or not (still and self.keeper.views.still(subject_id, told.plan_epoch, told.epoch)):
            told = self._reckoned(subject_id, now)
        self.persons.add(subject_id)
        self.values += len(told.kept)
        return told.kept

    def _reckoned(self, subject_id: SubjectId, now: Instant) -> _Told:
        seen = self.keeper.views.current(subject_id, now)
        if seen.policy != self.policy:
            raise InputRefused("unknown", "no such subject; it was never entered here, or was forgotten")
        now = max(now, seen.last_at)
        kept = _kept(seen, now)
        until_at = min([seen.view.valid_until, *[one.until for one in kept if one.until > now]])
        if len(self._told) >= _REMEMBERED:
            self._told.clear()
        told = self._told[subject_id] = _Told(seen.plan_epoch, seen.epoch, now, until_at, kept)
        return told

    def held(self, value: ValueId) -> HeldState:
        """Where a value is. One that was destroyed stays so; one that nobody knows was forgotten with its person."""
        self.values += 1
        found = self.keeper.places.active.asked((_STATE, placed_value(value)))
        return HeldState(found[0][0]) if found else HeldState.DESTROYED

    def latest(self, count: int) -> list[Entry]:
        """The newest entries of the ledger under this policy, newest first, those that wait to be sealed too.

        Raises TailBroken when what waits is not what its writer wrote.
        """
        found = self._ledger().latest(count)
        self.records += len(found)
        return found

    def between(self, since: Instant, until: Instant, most: int = MOST_AT_ONCE) -> list[Entry]:
        """Entries of the ledger under this policy with `since <= at < until`, in the order of sealing, at most so many.

        Raises TailBroken when what waits to be sealed is not what its writer wrote.
        """
        found = self._ledger().between(since, until, most)
        self.records += len(found)
        return found

    def _ledger(self) -> Newest:
        if self._newest is None:
            places = self.keeper.places
            self._newest = Newest(places.sealer, (places.active, places.separated, places.keys), self.policy)
        return self._newest

    def close(self) -> None:
        """No more questions."""
        if self._newest is not None:
            self._newest.close()


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
                ),
                about=(),
                reads=True,
            )

        note("inspection.opened", inspection=opened, reason=reason, reader_id=reader.reader_id, origin=reader.origin)
        try:
            yield looked
        finally:
            looked.close()
            counts = {"persons": len(looked.persons), "values": looked.values, "records": looked.records}
            note(
                "inspection.closed", inspection=opened, counts={name: count for name, count in counts.items() if count}
            )

    def read_purpose(
        self, policy: str, purpose: str, *, reader: Reader, use: str | None = None, after: str | None = None,
        limit: int = MOST_AT_ONCE,
    ) -> Page:  # fmt: skip
        """See everything that may be read for one purpose, a page at a time: decided by value, one record a page.

        `after` is what the page before calls `next`. Raises InputRefused for one that no page has said, and for a
        policy that is not on file.
        """
        self._refuse_while_recovering()
        self._releases()
        self.views.line(policy)
        wanted, following = self._next_under(policy, purpose, after, min(limit, MOST_AT_ONCE))
        if not wanted:
            return Page({}, {}, following)
        outcome = self.read_batch(purpose, wanted, reader=reader, use=use)
        return Page(dict(outcome.texts), dict(outcome.refused), following)

    def _next_under(
        self, policy: str, purpose: str, after: str | None, limit: int
    ) -> tuple[list[tuple[SubjectId, ValueId]], str | None]:
        """Values held under a purpose, person by person, and where the next page begins."""
        since, beyond = _place_of(after)
        with self.places.active.reading() as connection:
            people = subjects.under(connection, policy, purpose, since, PEOPLE_AT_ONCE + 1)
        wanted: list[tuple[SubjectId, ValueId]] = []
        for start in range(0, len(people[:PEOPLE_AT_ONCE]), _LOADED):
            for seen in self.views.several(people[start : min(start + _LOADED, PEOPLE_AT_ONCE)], self.now()):
                who = seen.subject_id
                own = [one.value_id for one in seen.state.values if _held_for(one, purpose)]
                own = sorted(one for one in own if who != since or one > beyond)
                wanted += [(who, one) for one in own[: limit - len(wanted)]]
                if len(wanted) == limit:
                    return wanted, f"{who}.{wanted[-1][1]}"
        more = people[PEOPLE_AT_ONCE:]
        return wanted, f"{more[0]}.0" if more else None


def _place_of(after: str | None) -> tuple[SubjectId | None, int]:
    """The person at whom a page begins, and the value after which."""
    if after is None:
        return None, 0
    found = _PLACE.fullmatch(after)
    if found is None:
        raise InputRefused("cursor-unknown", "a page begins where the one before it says; take its `next` as it is")
    return SubjectId(found[1]), int(found[2])


def _held_for(value: Value, purpose: str) -> bool:
    return value.held is HeldState.HELD and any(use.purpose == purpose for use in value.uses)


def _kept(seen: Seen, now: Instant) -> tuple[Kept, ...]:
    """Everything that is not destroyed."""
    life, kept, given = seen.view.life, [], _given(seen)
    alike: dict[tuple[str, str | None, str], _Names] = {}
    for value in seen.state.values:
        if value.held is HeldState.DESTROYED:
            continue
        due = life.due(value, now)
        grounds, uses = due.grounds, value.uses
        if len(uses) == len(grounds) == 1:  # most values: one tuple of names for all that are there for the same
            named = (uses[0].purpose, uses[0].engagement, grounds[0].rule.path)
            names = alike.get(named) or alike.setdefault(named, _names(uses, grounds))
            until = grounds[0].until.at
        else:
            names = _names(uses, grounds)
            until = max([ground.until.at for ground in grounds], default=value.collected_at)
        kept.append(
            Kept(
                value.value_id,
                value.item,
                value.held,
                due.state,
                names[0],
                names[1],
                value.collected_at,
                until,
                names[2],
                given.get(value.value_id, ()),
            )
        )
    return tuple(kept)


_Given = tuple[tuple[str, DisclosureId], ...]
_Names = tuple[tuple[str, ...], tuple[EngagementId, ...], tuple[str, ...]]
"""Purposes, engagements, and the elements that keep a value: each once."""


def _given(seen: Seen) -> dict[ValueId, _Given]:
    """Who got each value that anybody got."""
    given: dict[ValueId, _Given] = {}
    for one in seen.state.disclosures:
        to = ((one.recipient, one.disclosure_id),)
        for value_id in one.values:
            given[value_id] = given[value_id] + to if value_id in given else to
    return given


def _names(uses: Sequence[Use], grounds: Sequence[Ground]) -> _Names:
    return (
        tuple(dict.fromkeys(use.purpose for use in uses)),
        tuple(dict.fromkeys(use.engagement for use in uses if use.engagement)),
        tuple(dict.fromkeys(ground.rule.path for ground in grounds)),
    )


_STATE = "SELECT state FROM value WHERE bucket = ? AND value_id = ?"
_PLACE = re.compile(r"([a-z2-7]{20})\.([0-9]{1,19})")
