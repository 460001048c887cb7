"""What stands in the places right now against an element: values that nobody may hold, orders that nobody carried out.

These look at the running system. They find breaches only; that nothing was found is no evidence of anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from upheld.dates import Instant
from upheld.keeper.looking import Looked
from upheld.ledger.report import Breach


def _breaches(
    look: Looked, what: str, path: str, rows: list[tuple[object, ...]], detail: str = ""
) -> tuple[Breach, ...]:
    """One breach for rows of (subject, since): since the first, for all of them."""
    if not rows:
        return ()
    persons = frozenset(look.alias(str(row[0])) for row in rows)
    since = min(at for _, at in rows if isinstance(at, int))
    return (Breach(what, path, Instant(since), None, persons, detail),)


def held_of(look: Looked, path: str, item: str) -> tuple[Breach, ...]:
    """Values of an item that nobody may take."""
    rows = look.house.rows(_OF_ITEM, look.plan.policy, item)
    return _breaches(look, "item-taken", path, rows, item)


def unconsented(look: Looked, path: str, purpose: str) -> tuple[Breach, ...]:
    """Values used for a purpose that rests on consent, without one given by then."""
    declared = look.plan.purposes[purpose]
    rows = look.house.rows(_WITHOUT_CONSENT, look.plan.policy, purpose, purpose)
    found = [row[1:] for row in rows if declared.rests_on_consent(str(row[0]))]
    return _breaches(look, "consent-missing", path, found, purpose)


def outside(look: Looked, path: str, items: frozenset[str]) -> tuple[Breach, ...]:
    """Values kept apart by a statute whose record does not have their item."""
    rows = look.house.apart(_APART_BY, f'"{path}"')
    return _breaches(look, "outside-items", path, [(one, at) for one, item, at in rows if item not in items])


PAPER: Final = "paper-file"


def orders_overdue(look: Looked, path: str, wanted: Callable[[str], bool]) -> tuple[Breach, ...]:
    """Work orders at places out of reach that nobody reported done within the grace: until they are. INVARIANT: I3."""
    found: list[Breach] = []
    for subject, place, due_at, opened_at, done_at in look.house.rows(_ORDERS, look.plan.policy):
        if not wanted(str(place)):
            continue
        alias = look.alias(str(subject))
        limit = look.grace_end(_instant(due_at), alias, _instant(opened_at))
        done = _instant(done_at) if done_at is not None else None
        if (done if done is not None else look.now) > limit:
            found.append(Breach("destruction-overdue", path, limit, done, frozenset({alias}), str(place)))
    return tuple(found)


def _instant(value: object) -> Instant:
    return Instant(value if isinstance(value, int) else 0)


_OF_ITEM = (
    "SELECT v.subject_id, v.collected_at FROM value v "
    "JOIN subject s ON s.bucket = v.bucket AND s.subject_id = v.subject_id AND s.policy = ? "
    "WHERE v.item = ? AND v.state IN ('held', 'moving', 'separated')"
)
_WITHOUT_CONSENT = (
    "SELECT v.item, v.subject_id, v.collected_at "
    "FROM value v JOIN subject s ON s.bucket = v.bucket AND s.subject_id = v.subject_id AND s.policy = ?, "
    "json_each(v.uses) u WHERE v.state IN ('held', 'moving') AND json_extract(u.value, '$[0]') = ? "
    "AND json_extract(u.value, '$[5]') IS NULL AND NOT EXISTS ("
    "SELECT 1 FROM consent c WHERE c.bucket = v.bucket AND c.subject_id = v.subject_id AND c.about_kind = 'purpose' "
    "AND c.about = ? AND c.given = 1 AND c.at <= v.collected_at)"
)
_APART_BY = "SELECT subject_id, item, since FROM value WHERE stage = 'held' AND instr(grounds, ?) > 0"
_ORDERS = (
    "SELECT subject_id, place, due_at, opened_at, done_at FROM work_order WHERE policy = ? AND place NOT LIKE '%.%'"
)
"""Not those at recipients and processors, which answer under their own elements."""
