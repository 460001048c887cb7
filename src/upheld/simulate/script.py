"""What a policy lets happen in a life: read off the compiled plan, so that no policy is known by name.

A `Script` lists, for each kind of person, what can be taken up, which purposes come with it, how their items arrive,
which facts can happen meanwhile, who may be given something, and how it can end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from upheld.dates import Period
from upheld.engine.compile import CHILD_CONTACT
from upheld.engine.plan import EngagementPlan, GroundKind, Plan, ProvisionPlan, PurposePlan, points_in
from upheld.policy.vocabulary import Nature

NO_PERSON = ("generated", "cookie", "app", "tool", "party")
"""Sources that are no person's word: data arises in use, or a tool or another company brings it."""
KNOWN_ANYWAY = frozenset({"begun", "ended", "collected", "provided", "consented", "withdrawn"})
APART = frozenset({Nature.SENSITIVE, Nature.UNIQUE_ID})
"""Items that are asked by a consent of their own."""
MONTH_DAYS = 30
YEAR_DAYS = 365


@dataclass(frozen=True, slots=True)
class Taking:
    """One purpose as a person meets it: what is asked, and how the items come. `channel` None: they arise in use."""

    purpose: str
    required: bool
    asks_consent: bool
    asks_permission: bool
    items: tuple[str, ...]
    apart: frozenset[str]
    """Those of the items that need a consent of their own."""
    proofs: frozenset[str]
    channels: tuple[str | None, ...]
    arises: bool
    """Collected again and again in use rather than asked once."""
    for_organisation: bool
    uses: tuple[str | None, ...] = (None,)
    """What a read may name: the uses that run, or none where the purpose has none."""


@dataclass(frozen=True, slots=True)
class Stay:
    """One engagement as a life takes it up: how long it may last, what ends it, what happens meanwhile."""

    kind: str
    takings: tuple[Taking, ...]
    typical_days: int
    ends_by: tuple[str, ...]
    """Facts any one of which ends it; empty where it ends by time alone."""
    owed: tuple[tuple[str, str], ...]
    """Facts that open something with the fact that closes it: a fee and its payment."""
    happens: tuple[str, ...]
    """Facts from which the law counts a period."""
    gifts: tuple[ProvisionPlan, ...]


@dataclass(frozen=True, slots=True)
class Role:
    """A subject kind of the policy with everything it can meet."""

    kind: str
    stays: tuple[Stay, ...]
    anywhere: tuple[Taking, ...]
    """Purposes that need no engagement."""
    happens: tuple[str, ...]
    gifts: tuple[ProvisionPlan, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """What can happen under one version of a policy."""

    roles: tuple[Role, ...]
    has_children: bool
    has_disputes: bool
    rights: tuple[str, ...]
    media: tuple[str, ...]


def script_of(plan: Plan) -> Script:
    """Read the plan once. Kinds to which nothing applies do not come."""
    roles = [_role(plan, kind) for kind in plan.subjects]
    return Script(
        roles=tuple(role for role in roles if role.stays or role.anywhere),
        has_children=bool(plan.children.contact_items),
        has_disputes=any(row.kind is GroundKind.DISPUTE and not row.blocked for row in plan.kept.values()),
        rights=tuple(plan.rights),
        media=tuple(plan.advertising),
    )


def _role(plan: Plan, kind: str) -> Role:
    ours = [row for row in plan.purposes.values() if row.name != CHILD_CONTACT and _concerns(row.whose, kind)]
    usable = [row for row in ours if not row.blocked and _ways_in(plan, row)]
    gifts = [row for row in plan.provisions.values() if not row.blocked and _concerns(row.whose, kind)]
    reached = {one for row in usable for one in row.per} | {one for row in gifts for one in row.per}
    stays = tuple(_stay(plan, row, usable, gifts) for row in plan.engagements.values() if row.kind in reached)
    return Role(
        kind=kind,
        stays=stays,
        anywhere=tuple(_taking(plan, row) for row in usable if not row.per),
        happens=tuple(_happens(plan, "person")),
        gifts=tuple(row for row in gifts if not row.per),
    )


def _concerns(whose: frozenset[str], kind: str) -> bool:
    return not whose or kind in whose


def _taking(plan: Plan, row: PurposePlan) -> Taking:
    items = tuple(sorted(item for item in row.items if _can_be_taken(plan, row, item)))
    named = bool(row.law)
    apart = frozenset(
        item for item in items if plan.items[item].nature in APART and not (named or plan.items[item].law)
    )
    return Taking(
        purpose=row.name,
        required=row.required,
        asks_consent=any(row.rests_on_consent(item) for item in items),
        asks_permission="device-permission" in row.needs,
        items=items,
        apart=apart,
        proofs=frozenset(proof for item in items for proof in plan.items[item].needs),
        channels=_ways_in(plan, row),
        arises="person" not in row.sources,
        for_organisation=row.held_for_organisation,
        uses=tuple(name for name, runs in row.uses.items() if runs) or (None,),
    )


def _can_be_taken(plan: Plan, row: PurposePlan, item: str) -> bool:
    declared = plan.items.get(item)
    if declared is None or declared.never_collected:
        return False
    lawful = not row.rests_on_consent(item) and bool(row.law or declared.law)
    return declared.nature is not Nature.RESIDENT_NUMBER or lawful


def _ways_in(plan: Plan, row: PurposePlan) -> tuple[str | None, ...]:
    """The ways by which items of a purpose may come, as the policy declares them."""
    if "person" in row.sources:
        if not plan.channels and not row.via:
            return (None,)  # the policy names no ways in, so it binds nobody to one
        return tuple(name for name in plan.channels if _declared(plan, row, name))
    if "generated" in row.sources:
        return (None,)
    named = [word for word in NO_PERSON if word in row.sources]
    return tuple(name for name in (*named, *plan.channels) if _declared(plan, row, name))[:1]


def _declared(plan: Plan, row: PurposePlan, channel: str) -> bool:
    if row.via:
        return channel in row.via
    rows = [(by, served) for _, by, served in plan.collection.values() if not served or row.name in served]
    return not plan.collection or any(not by or channel in by for by, _ in rows)


def _stay(plan: Plan, row: EngagementPlan, usable: list[PurposePlan], gifts: list[ProvisionPlan]) -> Stay:
    said = [point.fact for point, _ in points_in(row.ends)] if row.ends else ["ended"]
    ends_by = tuple(dict.fromkeys(fact for fact in said if fact == "ended" or fact not in {row.begins, *KNOWN_ANYWAY}))
    owed = tuple((fact.closes, fact.code) for fact in plan.facts.values() if fact.closes and row.kind in fact.about)
    aside = {row.begins, *ends_by, *(code for pair in owed for code in pair)}
    return Stay(
        kind=row.kind,
        takings=tuple(_taking(plan, one) for one in usable if row.kind in one.per),
        typical_days=days_in(row.review_after),
        ends_by=ends_by,
        owed=owed,
        happens=tuple(fact for fact in _happens(plan, row.kind) if fact not in aside),
        gifts=tuple(one for one in gifts if row.kind in one.per),
    )


def _happens(plan: Plan, about: str) -> Iterator[str]:
    """Facts about an engagement kind or the person from which some ground counts, and which nothing closes or opens."""
    starts = {row.from_fact for row in plan.kept.values() if not row.blocked}
    paired = {fact.closes for fact in plan.facts.values()} | {one.code for one in plan.facts.values() if one.closes}
    for fact in plan.facts.values():
        if about in fact.about and fact.code in starts and fact.code not in paired:
            yield fact.code


def days_in(period: Period) -> int:
    """About how many days a period has."""
    return period.years * YEAR_DAYS + period.months * MONTH_DAYS + period.days + period.hours // 24
