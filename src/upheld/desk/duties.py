"""The calendar of duties: what falls due without anybody asking, for whom, since when; what shows that it was done.

Nothing is kept for it. When a duty was done last is read from the ledger, who is owed a notice from the stores.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from upheld.dates import BEGINNING, Instant, Period, end_of, local_date
from upheld.desk.counted import Count, counted, no_longer_counted
from upheld.desk.records import at_of, code, codes, counts_of, recorded
from upheld.engine.acts import SubjectId
from upheld.engine.duties import DUTIES, SOON, Duty, DutyState, Size, Whose, reached, state_of
from upheld.engine.plan import ControlPlan, Plan
from upheld.keeper import Keeper
from upheld.keeper.telling import Message
from upheld.law import LawUnknown, law_in
from upheld.policy.vocabulary import Nature

DELICATE: Final = frozenset({Nature.SENSITIVE, Nature.UNIQUE_ID, Nature.RESIDENT_NUMBER})
FROM_OTHERS: Final = frozenset({"party"})
"""Sources that are neither the person nor what the service makes itself."""
CHECKLIST: Final = (
    "purpose-limits", "confidentiality", "no-passing-on", "sub-processors", "access-rights", "encryption",
    "access-records", "training", "destruction",
)  # fmt: skip
"""Ours: what is looked at when a processor is inspected. A finding is one of these that was not in order."""
LOOKED_FOR: Final = ("no-reason", "odd-hours", "mass-reading", "unknown-origin", "other")
"""Ours: what may be found when access records are reviewed."""


@dataclass(frozen=True, slots=True)
class Falls:
    """One duty as it stands: for the house, or for one processor or handler (`about`), or for so many persons."""

    duty: Duty
    about: str
    every: Period
    law: str
    """The row of law that sets how often; empty: ours, or the document's."""
    last_at: Instant | None
    due_at: Instant | None
    state: DutyState
    persons: int = 0
    """Persons who are owed it now."""
    limits: Mapping[Size, int] | None = None


@dataclass(frozen=True, slots=True)
class DoneOnce:
    """A duty that was done: the entry that shows it."""

    reference: str
    at: Instant
    duty: str
    about: str
    findings: tuple[str, ...]
    counts: Mapping[str, int]
    by: str
    known_at: Instant | None


@dataclass(frozen=True, slots=True)
class Calendar:
    """The whole calendar under one policy."""

    falls: tuple[Falls, ...]
    done: tuple[DoneOnce, ...]
    stated: Mapping[Size, int]
    held: Mapping[Size, int]

    @property
    def waiting(self) -> tuple[Falls, ...]:
        """What is late or due soon."""
        return tuple(one for one in self.falls if one.state in (DutyState.LATE, DutyState.SOON))


def calendar_of(keeper: Keeper, policy: str) -> Calendar:
    """Every duty under a policy, what is latest first."""
    done = done_before(keeper, policy)
    stated = {
        Size(code(one.entry, "figure")): _number(one.entry.fields.get("number"))
        for one in recorded(keeper, policy, ["house.counted"])
    }
    held = held_sizes(keeper, policy)
    falls = [one for duty in DUTIES.values() for one in _falls(keeper, policy, duty, done, stated, held)]
    order = list(DutyState)
    falls.sort(key=lambda one: (order.index(one.state), one.due_at or 0, one.duty.code, one.about))
    return Calendar(tuple(falls), tuple(reversed(done)), stated, held)


def done_before(keeper: Keeper, policy: str) -> list[DoneOnce]:
    """Every duty that was done, oldest first."""
    return [
        DoneOnce(
            one.reference, Instant(one.entry.at), code(one.entry, "duty"), code(one.entry, "about"),
            codes(one.entry, "findings"), counts_of(one.entry), code(one.entry, "by"), at_of(one.entry, "known_at"),
        )
        for one in recorded(keeper, policy, ["duty.done"])
    ]  # fmt: skip


def held_sizes(keeper: Keeper, policy: str) -> dict[Size, int]:
    """How many persons this home holds under a policy, and of how many sensitive or unique data."""
    number = counted(keeper, policy, _SIZES, _sizes)
    return {size: number.get(size.value, 0) for size in (Size.SUBJECTS, Size.DELICATE)}


def _sizes(keeper: Keeper, policy: str) -> Mapping[str, int]:
    plan = keeper.views.line(policy).latest
    delicate = sorted(name for name, item in plan.items.items() if item.nature in DELICATE)
    with keeper.places.active.reading() as connection:
        persons = int(connection.execute(_PERSONS, (policy,)).fetchone()[0])
        found = {row[0] for item in delicate for row in connection.execute(_HOLDERS, (policy, item))}
    return {Size.SUBJECTS.value: persons, Size.DELICATE.value: len(found)}


# ── how each duty stands ────────────────────────────────────────────────────────────────────────────────────────────


def _falls(
    keeper: Keeper,
    policy: str,
    duty: Duty,
    done: Iterable[DoneOnce],
    stated: Mapping[Size, int],
    held: Mapping[Size, int],
) -> list[Falls]:
    plan, now = _plan(keeper, policy), keeper.now()
    every, law, limits = _by_law(duty, plan, now)
    if not _has_matter(duty, plan) or (duty.by_law_only and not law):
        return []
    if duty.threshold:
        holds = reached(limits, stated, held)
        if holds is not True:
            state = DutyState.UNKNOWN if holds is None else DutyState.NOT_OURS
            known = {size: number for size, number in limits.items() if number is not None}
            return [Falls(duty, "", every, law, None, None, state, limits=known)]
    own = [one for one in done if one.duty == duty.code]
    if duty.whose is Whose.PERSON:
        return [_for_persons(keeper, policy, duty, every, law)]
    return [
        _one(
            duty,
            about,
            period or every,
            law if period is None else "",
            since,
            [*(one.at for one in own if one.about == about), *shown],
            plan,
            now,
        )
        for about, since, period, shown in _abouts(keeper, policy, duty, plan, now)
    ]


def _plan(keeper: Keeper, policy: str) -> Plan:
    line = keeper.views.line(policy)
    return line.at(keeper.now()) or line.plans[0]


def _by_law(duty: Duty, plan: Plan, now: Instant) -> tuple[Period, str, dict[Size, int | None]]:
    """How often, the row that says so, and the numbers from which it holds, by the law of today."""
    try:
        law = law_in(plan.zone.key, local_date(now, plan.zone))
    except LawUnknown:
        return duty.every, "", dict.fromkeys(duty.threshold)
    period = law.period(duty.law) if duty.law else None
    limits = {size: law.number(row) for size, row in duty.threshold.items()}
    return period or duty.every, duty.law or "" if period else "", limits


def _has_matter(duty: Duty, plan: Plan) -> bool:
    """Whether the document has anything that the duty could be about."""
    match duty.code:
        case "source":
            return bool(_from_others(plan))
        case "reconfirmation" | "consent-confirmed":
            return bool(plan.advertising)
        case "id-survey":
            return any(one.nature in DELICATE - {Nature.SENSITIVE} for one in plan.items.values())
        case "inspection":
            return bool(plan.entrustments)
        case "grant-review" | "agency-review":
            return True  # for each element that says how often
        case _:
            return True


def _abouts(
    keeper: Keeper, policy: str, duty: Duty, plan: Plan, now: Instant
) -> list[tuple[str, Instant, Period | None, list[Instant]]]:
    """For whom, since when, how often by the document, and what else shows that it was done."""
    match duty.whose:
        case Whose.PROCESSOR:
            rows = {row.party: row for row in plan.entrustments.values()}
            running = keeper.register_of(policy, "processor", now)
            inspected = {
                party: [one.at for one in keeper.evidence_of(policy, row.rule.path) if one.kind == "inspection"]
                for party, row in rows.items()
            }
            return [(party, at, rows[party].inspected, inspected[party]) for party, at in running if party in rows]
        case Whose.ELEMENT:
            return _elements(keeper, policy, duty)
        case Whose.HANDLER:
            handlers = keeper.register_of(policy, "handler", now)
            return [(name, at, None, _shown_by(keeper, plan, duty, name)) for name, at in handlers]
        case _:
            first = keeper.views.line(policy).plans[0].effective_at
            return [("", first, _own_period(duty, plan, now), _shown_by(keeper, plan, duty, ""))]


def _elements(keeper: Keeper, policy: str, duty: Duty) -> list[tuple[str, Instant, Period | None, list[Instant]]]:
    """The elements of the document that say how often they are looked at, each with what shows that they were."""
    document, first = keeper.document(policy), keeper.views.line(policy).plans[0].effective_at
    rows = document.handlers if duty.code == "grant-review" else document.agencies
    return [
        (row.path, first, row.reviewed, [one.at for one in keeper.evidence_of(policy, row.path)])
        for row in rows.values()
        if row.reviewed is not None
    ]


def _own_period(duty: Duty, plan: Plan, now: Instant) -> Period | None:
    """How often a safeguard of the document has it done, where that is what shows the duty; the shortest of several.

    Where the law of today names a period, the plan of the house may only be stricter; where it leaves the period to the
    plan, the plan has the say.
    """
    promised = [row.due_every for row in _promising(duty, plan) if row.due_every is not None]
    by_law, row, _ = _by_law(duty, plan, now)
    if row:
        promised = [one for one in promised if _length(one) <= _length(by_law)]
    return min(promised, key=_length, default=None)


def _length(period: Period) -> int:
    return period.years * 366 + period.months * 31 + period.days


def _promising(duty: Duty, plan: Plan) -> list[ControlPlan]:
    words = duty.shown_by
    return [row for row in plan.controls.values() if any(word in kind for word in words for kind in row.evidence)]


def _shown_by(keeper: Keeper, plan: Plan, duty: Duty, about: str) -> list[Instant]:
    """Evidence of safeguards of the document that promises the same."""
    return [
        one.at
        for control in _promising(duty, plan)
        for one in keeper.evidence_of(plan.policy, control.name)
        if one.about in ("", about)
    ]


def _one(
    duty: Duty, about: str, every: Period, law: str, since: Instant, shown: list[Instant], plan: Plan, now: Instant
) -> Falls:
    last = max(shown, default=None)
    due_at = end_of(last if last is not None else max(since, BEGINNING), every, plan.zone)
    return Falls(duty, about, every, law, last, due_at, state_of(due_at, now, plan))


# ── notices that persons are owed ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class OwedNotice:
    """A notice that one person is owed, and by when."""

    subject_id: SubjectId
    due_at: Instant
    since: Instant
    medium: str = ""
    """For what advertising: the medium agreed to."""
    given: bool = True


def owed_notices(keeper: Keeper, policy: str, duty: str) -> list[OwedNotice]:
    """Persons who are owed a notice of a kind and were not told in time, the first due first; those due soon too."""
    plan, now = _plan(keeper, policy), keeper.now()
    every, _, _ = _by_law(DUTIES[duty], plan, now)
    told = _told(keeper.messages(policy, notice=duty))
    soon = end_of(now, SOON, plan.zone)
    found = [
        OwedNotice(
            person, end_of(max(since, told.get((person, medium), since)), every, plan.zone), since, medium, given
        )
        for person, since, medium, given in _candidates(keeper, policy, duty)
        if duty not in _ONCE or told.get((person, medium), BEGINNING) < since
    ]
    return sorted((one for one in found if one.due_at <= soon), key=lambda one: (one.due_at, one.subject_id))


_ONCE: Final = frozenset({"source", "consent-confirmed"})
"""Told once for each event, not again and again."""


def _for_persons(keeper: Keeper, policy: str, duty: Duty, every: Period, law: str) -> Falls:
    name = _owed_name(duty.code)
    number = counted(keeper, policy, name, COUNTS[name])
    last, due_at = (Instant(number[one]) if one in number else None for one in ("last", "due"))
    plan, now = _plan(keeper, policy), keeper.now()
    return Falls(duty, "", every, law, last, due_at, state_of(due_at, now, plan), persons=number["persons"])


def _owed_name(duty: str) -> str:
    return f"owed-{duty}"


def _owed(duty: str) -> Count:
    """Counts the persons who are owed a notice, with the instants of the first due and of the last that was sent."""

    def count(keeper: Keeper, policy: str) -> Mapping[str, int]:
        owed = owed_notices(keeper, policy, duty)
        sent = [one.settled_at or one.queued_at for one in keeper.messages(policy, notice=duty)]
        first = {"due": owed[0].due_at} if owed else {}
        return {"persons": len(owed), **first, **({"last": max(sent)} if sent else {})}

    return count


def told_now(keeper: Keeper, policy: str, duty: str) -> None:
    """Some who were owed a notice have it: what is kept of their number is no longer true."""
    no_longer_counted(keeper, policy, _owed_name(duty))


def _told(messages: Iterable[Message]) -> dict[tuple[SubjectId, str], Instant]:
    """When each person was last told, or a message to them was queued; by what it was about (a medium, or nothing)."""
    found: dict[tuple[SubjectId, str], Instant] = {}
    for one in messages:
        if one.state in ("unreachable", "failed", "bounced", "withdrawn", "refused"):
            continue
        key = (one.subject_id, one.about or "")
        found[key] = max(found.get(key, BEGINNING), one.queued_at)
    return found


def _candidates(keeper: Keeper, policy: str, duty: str) -> list[tuple[SubjectId, Instant, str, bool]]:
    with keeper.places.active.reading() as connection:
        match duty:
            case "reconfirmation":
                rows = connection.execute(_MEDIA, (policy,)).fetchall()
                newest = {(row[0], row[1]): (row[2], row[3]) for row in rows}
                return [
                    (SubjectId(who), Instant(at), medium, True)
                    for (who, medium), (at, given) in newest.items()
                    if given
                ]
            case "consent-confirmed":
                rows = connection.execute(_MEDIA, (policy,)).fetchall()
                return [(SubjectId(who), Instant(at), medium, bool(given)) for who, medium, at, given in rows]
            case "source":
                found: dict[str, int] = {}
                for purpose in _from_others(_plan(keeper, policy)):
                    for who, at in connection.execute(_FROM_OTHERS, (policy, f'%"{purpose}"%')):
                        found[who] = min(at, found.get(who, at))
                return [(SubjectId(who), Instant(at), "", True) for who, at in found.items()]
            case _:
                rows = connection.execute(_HELD, (policy,)).fetchall()
                return [(SubjectId(who), Instant(at), "", True) for who, at in rows]


def _from_others(plan: Plan) -> list[str]:
    """Purposes whose data comes from others alone: where the person gives it too, they know the source."""
    return sorted(name for name, one in plan.purposes.items() if one.sources and one.sources <= FROM_OTHERS)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


_PERSONS = "SELECT count(*) FROM subject WHERE policy = ?"
_HOLDERS = (
    "SELECT DISTINCT v.subject_id FROM value v JOIN subject s ON s.bucket = v.bucket AND s.subject_id = v.subject_id "
    "WHERE s.policy = ? AND v.item = ? AND v.state <> 'destroyed'"
)
_HELD = (
    "SELECT s.subject_id, min(v.collected_at) FROM subject s JOIN value v ON v.bucket = s.bucket AND "
    "v.subject_id = s.subject_id WHERE s.policy = ? AND v.state = 'held' GROUP BY s.subject_id"
)
_FROM_OTHERS = (
    "SELECT s.subject_id, min(v.collected_at) FROM subject s JOIN value v ON v.bucket = s.bucket AND "
    "v.subject_id = s.subject_id WHERE s.policy = ? AND v.state = 'held' AND v.uses LIKE ? GROUP BY s.subject_id"
)
_MEDIA = (
    "SELECT c.subject_id, c.about, c.at, c.given FROM consent c WHERE c.about_kind = 'medium' AND EXISTS ("
    "SELECT 1 FROM subject s WHERE s.bucket = c.bucket AND s.subject_id = c.subject_id AND s.policy = ?) ORDER BY c.at"
)
_SIZES: Final = "held-sizes"
COUNTS: Final[Mapping[str, Count]] = MappingProxyType(
    {_SIZES: _sizes, **{_owed_name(one.code): _owed(one.code) for one in DUTIES.values() if one.whose is Whose.PERSON}}
)
