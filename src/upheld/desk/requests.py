"""What the desk has to know of a request besides its row: who set its deadline, what stands still, what is kept all the
same, who was told of a correction. Everything is asked of the places; nothing is kept for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from upheld.dates import FOREVER, Instant, local_date
from upheld.desk.holdings import gone_of
from upheld.engine.acts import ValueId
from upheld.engine.lifecycle import DONE, DueState, touches
from upheld.engine.plan import GroundKind, Plan
from upheld.engine.state import HeldState, Request, RequestState, Value
from upheld.keeper import Keeper
from upheld.keeper.asking import AUTOMATED
from upheld.store.ids import bucket_of
from upheld.store.views import Seen

STOPPED = "suspension"


@dataclass(frozen=True, slots=True)
class SetBy:
    """Who set the time for an answer: the row of the policy with its clauses, or the law where it is stricter."""

    law: str | None
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """What an erasure leaves: an item, the element that keeps it, until when. None: until something happens."""

    item: str
    path: str
    until_at: Instant | None
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Became:
    """What became of a granted erasure: what waits to be destroyed, and whether somebody has to approve that first;
    whether something is gone, the certificates of it, and whether one is still to come.
    """

    waits: tuple[Value, ...]
    approval: bool
    gone: bool
    certificates: tuple[str, ...]
    to_certify: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A recipient that was told of a correction or an erasure, and whether it has answered."""

    disclosure_id: str
    recipient: str
    at: Instant
    acknowledged_at: Instant | None


def set_by(plan: Plan, right: str) -> SetBy:
    """Promise or law: whichever gave the shorter time."""
    row = plan.rights.get(right)
    if row is None or row.builtin:
        return SetBy(plan.country.article("automated.answered" if right == AUTOMATED else "rights.answered"), ())
    return SetBy(row.decided_by_law, row.rule.cites("within"))


def working_days_left(keeper: Keeper, plan: Plan, due_at: Instant) -> int:
    """How many working days are left after today, the last day included; 0 when the last day is here or over."""
    day, last = local_date(keeper.now(), plan.zone), local_date(Instant(due_at - 1), plan.zone)
    count = 0
    while day < last:
        day += timedelta(days=1)
        count += keeper.is_working_day(plan, day)
    return count


def stands_still(seen: Seen, one: Request) -> tuple[Value, ...]:
    """The values that nobody uses because of a request: frozen until it has its answer, or suspended."""
    right = seen.view.plan.rights.get(one.right)
    freezes = one.waiting and right is not None and right.freezes and one.freezes
    suspends = one.right == STOPPED and one.lifted_at is None and one.state is not RequestState.REFUSED
    if one.proved_at is None or not (freezes or suspends):
        return ()
    everything = right is not None and right.freeze_covers_person
    values = (value for value in seen.state.values if value.held is HeldState.HELD)
    return tuple(value for value in values if everything or touches(one, value))


def correctable(seen: Seen, one: Request) -> dict[str, Value]:
    """What a rectification may put right: values in use that the request is about, by id."""
    if one.right != "rectification":
        return {}
    values = (value for value in seen.state.values if value.held is HeldState.HELD and value.replaced_at is None)
    return {str(value.value_id): value for value in values if touches(one, value)}


def kept_all_the_same(seen: Seen, one: Request, now: Instant) -> list[Kept]:
    """What statutes, claims, disputes and proofs keep of what an erasure asks for, before and after its answer."""
    if one.right != "erasure":
        return []
    found: dict[tuple[str, str], Kept] = {}
    for value in seen.state.values:
        if value.held is HeldState.DESTROYED or not touches(one, value):
            continue
        for ground in seen.view.life.grounds(value):
            if ground.kind is GroundKind.PURPOSE or not ground.from_at <= now < ground.until.at:
                continue
            until = None if ground.until.at >= FOREVER else ground.until.at
            kept = Kept(value.item, ground.rule.path, until, ground.rule.cites("until"))
            found.setdefault((value.item, ground.rule.path), kept)
    return sorted(found.values(), key=lambda kept: (kept.item, kept.path))


def became_of(keeper: Keeper, seen: Seen, one: Request, now: Instant) -> Became | None:
    """How far a granted erasure is carried out; None for any other request."""
    if one.right != "erasure" or one.state not in DONE or one.settled_at is None:
        return None
    gone = gone_of(keeper, seen)
    touched = [value for value in seen.state.values if touches(one, value)]
    left = [each for each in touched if each.value_id not in gone]
    ordered = [each for each in left if each.held is HeldState.CONDEMNED]
    due = [each for each in left if each not in ordered and seen.view.life.due(each, now).state is DueState.DUE]
    with keeper.places.active.reading() as connection:
        key = (bucket_of(seen.subject_id), seen.subject_id, one.settled_at)
        certificates = connection.execute(_CERTIFIED, key).fetchall()
    return Became(
        (*due, *ordered),
        bool(due and seen.view.plan.destruction.approval),
        len(left) < len(touched),
        tuple(str(each) for (each,) in certificates),
        any(each.held is HeldState.CONDEMNED for each in touched),
    )


def told_of(keeper: Keeper, seen: Seen, request_id: str) -> list[Told]:
    """The recipients that were told because of a request, in the order of telling."""
    key = (bucket_of(seen.subject_id), seen.subject_id, request_id)
    with keeper.places.active.reading() as connection:
        rows = connection.execute(_TOLD, key).fetchall()
    return [
        Told(disclosure, recipient, Instant(at), None if answered is None else Instant(answered))
        for disclosure, recipient, at, answered in rows
    ]


def sources_of(seen: Seen, one: Request) -> tuple[str, ...]:
    """The controllers for whom something is held that the request is about: it can be passed on to them."""
    held = (value for value in seen.state.values if value.held_for and value.held is not HeldState.DESTROYED)
    return tuple(dict.fromkeys(str(value.held_for) for value in held if touches(one, value)))


def values_of_items(seen: Seen, items: tuple[str, ...]) -> tuple[ValueId, ...]:
    """The values held of some items: a request that names none is about everything."""
    held = (value for value in seen.state.values if value.held is not HeldState.DESTROYED)
    return tuple(value.value_id for value in held if value.item in items)


_TOLD = (
    "SELECT disclosure_id, recipient, at, acknowledged_at FROM told "
    "WHERE bucket = ? AND subject_id = ? AND request_id = ? ORDER BY at, recipient, told_id"
)
_CERTIFIED = (
    "SELECT certificate_id FROM certificate WHERE bucket = ? AND subject_id = ? AND at >= ? ORDER BY at, certificate_id"
)
