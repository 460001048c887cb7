"""What is held on a person, as both the person and the desk see it: why, until when, who got it. No contents."""

from __future__ import annotations

from dataclasses import dataclass

from upheld.dates import FOREVER, Instant
from upheld.engine.acts import Reason, SubjectId, ValueId
from upheld.engine.decide import holds_on
from upheld.engine.lifecycle import DueState, StepKind
from upheld.engine.state import HeldState, Value
from upheld.keeper import Keeper
from upheld.keeper.steps import REMOVED
from upheld.store.ids import bucket_of
from upheld.store.views import Seen


@dataclass(frozen=True, slots=True)
class Why:
    """One reason for which a value is kept: the element, and until when. None: until something happens."""

    path: str
    until_at: Instant | None
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HeldUp:
    """A request that stops the use of a value: *disputed* where it is frozen, else *suspended*."""

    kind: str
    right: str
    received_at: Instant


@dataclass(frozen=True, slots=True)
class Held:
    """One value without its content."""

    value_id: ValueId
    item: str
    collected_at: Instant
    state: DueState
    apart: bool
    """Whether it is in the separated store already."""
    why: tuple[Why, ...]
    recipients: tuple[tuple[str, Instant], ...]
    held_up: tuple[HeldUp, ...] = ()


def seen_of(keeper: Keeper, policy: str, subject_id: SubjectId) -> Seen | None:
    """The person as the database has them now; None for nobody, or a person of another policy. INVARIANT: I12."""
    with keeper.places.active.reading() as connection:
        row = connection.execute(_POLICY_OF, (bucket_of(subject_id), subject_id)).fetchone()
    if row is None or row[0] != policy:
        return None
    keeper.views.drop(subject_id)  # another process may have changed what this one remembers
    return keeper.views.get(subject_id, keeper.now())


def held_of(keeper: Keeper, seen: Seen) -> list[Held]:
    """Everything held on a person, what was collected first first."""
    now, gone = max(keeper.now(), seen.last_at), gone_of(keeper, seen)
    values = [one for one in seen.state.values if one.value_id not in gone]
    return [_held(seen, one, now) for one in sorted(values, key=lambda one: (one.collected_at, one.item))]


def gone_of(keeper: Keeper, seen: Seen) -> frozenset[ValueId]:
    """The values of a person that are gone: key and content, certified or not yet."""
    ordered = any(one.held is HeldState.CONDEMNED for one in seen.state.values)
    with keeper.places.active.reading() as connection:
        key = (bucket_of(seen.subject_id), seen.subject_id, StepKind.DESTROY.value, REMOVED)
        rows = connection.execute(_REMOVED, key).fetchall() if ordered else []
    destroyed = (one.value_id for one in seen.state.values if one.held is HeldState.DESTROYED)
    return frozenset((*destroyed, *(ValueId(value) for (value,) in rows)))


def _held(seen: Seen, value: Value, now: Instant) -> Held:
    due = seen.view.life.due(value, now)
    reasons = {
        Why(ground.rule.path, None if ground.until.at >= FOREVER else ground.until.at, ground.rule.cites("until"))
        for ground in due.grounds
    }
    why = tuple(sorted(reasons, key=lambda one: (one.path, one.until_at or FOREVER)))
    got = tuple((one.recipient, one.at) for one in seen.state.disclosures if value.value_id in one.values)
    apart = value.held is HeldState.SEPARATED
    return Held(value.value_id, value.item, value.collected_at, due.state, apart, why, got, _held_up(seen, value, now))


def _held_up(seen: Seen, value: Value, now: Instant) -> tuple[HeldUp, ...]:
    """What stops all uses of a value, or one of them."""
    of_purposes = [None, *dict.fromkeys(use.purpose for use in value.uses)]
    found = {
        HeldUp("disputed" if reason is Reason.FROZEN else "suspended", request.right, request.received_at)
        for purpose in of_purposes
        for reason, request in holds_on(seen.view, value, purpose, now)
    }
    return tuple(sorted(found, key=lambda one: (one.received_at, one.kind)))


_REMOVED = "SELECT value_id FROM step WHERE bucket = ? AND subject_id = ? AND kind = ? AND stage = ?"
_POLICY_OF = "SELECT policy FROM subject WHERE bucket = ? AND subject_id = ?"
