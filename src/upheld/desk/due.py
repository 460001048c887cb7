"""What waits at the desk: requests with their deadlines, overdue destruction, work orders, evidence, what is coming.

Nothing is kept for it: everything is asked of the places when the page is opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from upheld.dates import Instant, end_of, local_date, start_of
from upheld.engine.acts import RequestId, SubjectId
from upheld.engine.lifecycle import Step, StepKind
from upheld.engine.plan import Plan
from upheld.engine.state import WAITING, Request, RequestState
from upheld.keeper import Keeper
from upheld.keeper.reviewing import UpForReview
from upheld.store.ids import bucket_of
from upheld.store.views import Seen


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request as the desk lists it."""

    subject_id: SubjectId
    request_id: RequestId
    right: str
    channel: str
    state: str
    received_at: Instant
    due_at: Instant
    proved: bool
    by: str
    """`subject`, or the kind of who acts for the person."""

    @property
    def settled(self) -> bool:
        """Whether it has its answer."""
        return RequestState(self.state) not in WAITING


@dataclass(frozen=True, slots=True)
class Owed:
    """Evidence that a safeguard lacks, for a host, room or handler (`about`, empty: for the house), since when."""

    control: str
    about: str
    since: Instant


@dataclass(frozen=True, slots=True)
class DueToday:
    """Everything that waits under one policy."""

    requests: tuple[Waiting, ...]
    overdue: tuple[tuple[SubjectId, Step], ...]
    orders: int
    orders_late: int
    evidence: tuple[Owed, ...]
    evidence_soon: tuple[Owed, ...]
    reviews: tuple[UpForReview, ...]
    """What hangs on a person or on us and is up for a look."""


@dataclass(frozen=True, slots=True)
class Month:
    """What comes in one month: values to separate, values to destroy."""

    first: date
    separate: int
    destroy: int


def requests_of(keeper: Keeper, policy: str, *, settled: bool = False) -> list[Waiting]:
    """The requests under a policy, the first due first. `settled`: those that have their answer, newest first."""
    with keeper.places.active.reading() as connection:
        rows = connection.execute(_SETTLED if settled else _OPEN, (policy,)).fetchall()
    found = [_waiting(row, keeper.now()) for row in rows]
    return found[::-1] if settled else found


def requests_of_person(keeper: Keeper, seen: Seen) -> list[Waiting]:
    """All requests of a person: those that wait, the first due first, then those that were settled, newest first."""
    now = keeper.now()
    found = [_of_person(seen.subject_id, one, now) for one in seen.state.requests]
    found.sort(key=lambda one: (one.due_at, one.request_id))
    return [*(one for one in found if not one.settled), *(one for one in found[::-1] if one.settled)]


def _of_person(who: SubjectId, one: Request, now: Instant) -> Waiting:
    proved = one.proved_at is not None
    return Waiting(
        who, one.request_id, one.right, one.channel, one.stands(now).value, one.received_at, one.due_at, proved, one.by
    )


def request_of(keeper: Keeper, policy: str, subject_id: SubjectId, request_id: str) -> Waiting | None:
    """One request of one person."""
    key = (policy, bucket_of(subject_id), subject_id, request_id)
    with keeper.places.active.reading() as connection:
        row = connection.execute(_REQUEST, key).fetchone()
    return None if row is None else _waiting(row, keeper.now())


def _waiting(row: tuple[str, str, str, str, str, int, int, int | None, str, int | None], now: Instant) -> Waiting:
    subject, request, right, channel, state, received, due, proved, by, postponed_until = row
    over = state == RequestState.POSTPONED and postponed_until is not None and postponed_until <= now
    return Waiting(
        SubjectId(subject), RequestId(request), right, channel, RequestState.OPEN.value if over else state,
        Instant(received), Instant(due), proved is not None, by,
    )  # fmt: skip


def due_today(keeper: Keeper, policy: str) -> DueToday:
    """What waits now."""
    now, plan = keeper.now(), keeper.views.line(policy).latest
    orders = keeper.work_orders(policy)
    soon = start_of(local_date(now, plan.zone) + timedelta(days=15), plan.zone)
    owed = evidence_owed(keeper, plan, now)
    later = [one for one in evidence_owed(keeper, plan, soon) if one not in owed]
    return DueToday(
        requests=tuple(requests_of(keeper, policy)),
        overdue=tuple(keeper.overdue(policy)),
        orders=len(orders),
        orders_late=sum(one.due_at <= now for one in orders),
        evidence=tuple(owed),
        evidence_soon=tuple(later),
        reviews=tuple(keeper.reviews(policy)),
    )


def evidence_owed(keeper: Keeper, plan: Plan, at: Instant) -> list[Owed]:
    """What safeguards lack at an instant, the longest missing first. Evidence filed by now counts."""
    found = {
        Owed(control.name, about, since)
        for control in plan.controls.values()
        if control.evidence
        for about, since in keeper.evidence_owed(plan.policy, control, at)
    }
    return sorted(found, key=lambda one: (one.since, one.control, one.about))


def coming(keeper: Keeper, policy: str, months: int) -> list[Month]:
    """How many values are to be separated and destroyed, by the month in which their end comes.

    Each month is looked at from its own end: a year on, what was only kept apart meanwhile is gone.
    """
    plan, now = keeper.views.line(policy).latest, keeper.now()
    first = local_date(now, plan.zone).replace(day=1)
    found: list[Month] = []
    for count in range(months):
        begins, ends = (start_of(_months_later(first, one), plan.zone) for one in (count, count + 1))
        seen_from = end_of(ends, plan.destruction.within, plan.zone)
        kinds = [
            step.kind
            for _, step in keeper.overdue(policy, seen_from)
            if (begins <= step.due_at or count == 0) and step.due_at < ends
        ]
        separate, destroy = (kinds.count(kind) for kind in (StepKind.SEPARATE, StepKind.DESTROY))
        found.append(Month(_months_later(first, count), separate, destroy))
    return found


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate of destruction as the desk lists it."""

    certificate_id: str
    at: Instant


def certificates_of(keeper: Keeper, policy: str, most: int) -> list[Certified]:
    """The newest certificates under a policy."""
    with keeper.places.active.reading() as connection:
        rows = connection.execute(_CERTIFICATES, (policy, most)).fetchall()
    return [Certified(one, Instant(at)) for one, at in rows]


def _months_later(first: date, count: int) -> date:
    month = first.month - 1 + count
    return date(first.year + month // 12, month % 12 + 1, 1)


# From the requests to their persons, never the other way round: there are far more persons.
_COLUMNS_OF = (
    "SELECT r.subject_id, r.request_id, r.own_right, r.channel, r.state, r.received_at, r.due_at, r.proved_at, "
    "r.asked_by, r.postponed_until FROM request r WHERE EXISTS (SELECT 1 FROM subject s "
    "WHERE s.bucket = r.bucket AND s.subject_id = r.subject_id AND s.policy = ?)"
)
_STATES = ", ".join(f"'{state}'" for state in sorted(WAITING))
_OPEN = f"{_COLUMNS_OF} AND r.state IN ({_STATES}) ORDER BY r.due_at, r.request_id"
_SETTLED = f"{_COLUMNS_OF} AND r.state NOT IN ({_STATES}) ORDER BY r.due_at, r.request_id"
_REQUEST = f"{_COLUMNS_OF} AND r.bucket = ? AND r.subject_id = ? AND r.request_id = ?"
_CERTIFICATES = "SELECT certificate_id, at FROM certificate WHERE policy = ? ORDER BY at DESC, certificate_id LIMIT ?"
