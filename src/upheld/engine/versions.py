"""What a new version can make due by itself: which ends, items and recipients a sweep looks at on its first night.

Everything else goes on as the days of the subjects say. `touched` compares what lives are reckoned by and nothing else:
texts, clauses and who may look change no life.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from upheld.engine.compile import OF_A_VALUE
from upheld.engine.plan import Atom, Plan, PurposePlan, RetentionPlan, points_in
from upheld.policy.ends import End

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Touched:
    """`ends`: boundaries that count from days already gone by; `items`, `recipients`: whoever holds or was given them;
    `everybody`: a change that can reach any life.
    """

    ends: frozenset[Atom]
    items: frozenset[str]
    recipients: frozenset[str]
    everybody: bool


def touched(old: Plan, new: Plan) -> Touched:
    """What may fall due because `new` follows `old`. May name more than does, never less."""
    ends: set[Atom] = set()
    items: set[str] = set()
    anchored = {fact for fact, _, _ in old.atoms}
    for found in (*_of_purposes(old, new), *_of_kept(old, new)):
        later, held = found
        known = later is not None and all(fact in anchored for fact, _, _ in _atoms(later[0], later[1]))
        if known and later is not None:
            ends |= _atoms(later[0], later[1])
        else:
            items |= held
    return Touched(
        frozenset(ends),
        frozenset(items),
        frozenset(_recipients(old, new)),
        _reaches_all(old, new),
    )


_Change = tuple[tuple[End, tuple[str, ...]] | None, frozenset[str]]
"""An end that took the place of another, with the purposes it is for, or None; and the items it is about."""


def _of_purposes(old: Plan, new: Plan) -> Iterator[_Change]:
    for before, after in _pairs(old.purposes, new.purposes):
        if before is None:
            continue
        if after is None:
            yield None, before.items
        elif _ways(before, before.items & after.items) != _ways(after, before.items & after.items):
            yield None, before.items | after.items
        elif before.until != after.until or before.items - after.items:
            if before.items - after.items:
                yield None, before.items - after.items
            if before.until != after.until:
                yield (None if after.until is None else (after.until, (after.name,))), before.items


def _ways(row: PurposePlan, items: frozenset[str]) -> tuple[object, ...]:
    return {item: row.basis.get(item) for item in items}, row.per, row.blocked, row.held_for_organisation


def _of_kept(old: Plan, new: Plan) -> Iterator[_Change]:
    for before, after in _pairs(old.kept, new.kept):
        if before is None:
            continue
        held = _held_by(old, before)
        if after is None or _what(before) != _what(after):
            yield None, held
        elif before.until != after.until:
            names = tuple(after.of or new.purposes)
            yield (None if after.until is None else (after.until, names)), held


def _what(row: RetentionPlan) -> tuple[object, ...]:
    return row.kind, row.of, row.items, row.of_the_dispute, row.basis, row.from_fact, row.blocked, row.instead_of


def _held_by(plan: Plan, row: RetentionPlan) -> frozenset[str]:
    if row.items:
        return row.items
    names = row.of or frozenset(plan.purposes)
    return frozenset(item for name in names if name in plan.purposes for item in plan.purposes[name].items)


def _recipients(old: Plan, new: Plan) -> Iterator[str]:
    for before, after in _pairs(old.provisions, new.provisions):
        if before is not None and (
            after is None
            or (before.until, before.use_until, before.blocked) != (after.until, after.use_until, after.blocked)
            or before.items - after.items
        ):
            yield before.recipient
    for sent, still in _pairs(old.transfers, new.transfers):
        if sent is not None and (still is None or (sent.until, sent.blocked) != (still.until, still.blocked)):
            yield from (sent.party, sent.standing_for)
    for given, goes_on in _pairs(old.entrustments, new.entrustments):
        if given is not None and (goes_on is None or given.items - goes_on.items or given.blocked != goes_on.blocked):
            yield given.processor


def _reaches_all(old: Plan, new: Plan) -> bool:
    """Ends of engagements, what facts are about, and how destruction begins are under every life."""
    engagements = any(
        before is not None and (after is None or (before.begins, before.ends) != (after.begins, after.ends))
        for before, after in _pairs(old.engagements, new.engagements)
    )
    facts = any(
        before is not None and (after is None or (before.about, before.closes) != (after.about, after.closes))
        for before, after in _pairs(old.facts, new.facts)
    )
    return (
        engagements
        or facts
        or old.zone != new.zone
        or old.children.under != new.children.under
        or old.children.contact_until != new.children.contact_until
        or old.destruction.needless_after != new.destruction.needless_after
        or old.destruction.settling != new.destruction.settling
        or old.destruction.within != new.destruction.within
    )


def _pairs(old: Mapping[K, V], new: Mapping[K, V]) -> Iterator[tuple[V | None, V | None]]:
    for name in {**old, **new}:
        yield old.get(name), new.get(name)


def _atoms(end: End, names: tuple[str, ...]) -> frozenset[Atom]:
    """Every point of an end with its period; a value's own facts are told apart by what they are for."""
    return frozenset(
        (f"{point.fact}/{name}" if point.fact in OF_A_VALUE else point.fact, point.calendar, period)
        for point, period in points_in(end)
        for name in names
    )
