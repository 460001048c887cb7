"""The organisation of a simulation: contracts, staff with their clearances, and evidence of what was promised.

It is steered by the plan alone: who must be bound by a contract, which roles there are, what is owed for which host,
room or handler, and how often. Mostly it is on time; now and then somebody forgets for some days.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random

from upheld.dates import HOUR, Instant, Period, end_of, local_date
from upheld.engine.acts import HandlerId, Reader
from upheld.engine.plan import ControlPlan, Plan
from upheld.keeper import Keeper
from upheld.policy import model
from upheld.simulate.script import YEAR_DAYS, days_in
from upheld.simulate.tally import Tally

_EACH = ("host", "system", "zone", "room", "cabinet")
_FORGOTTEN = 0.02
"""How often evidence is filed some days after it was due."""
_REPLACED_AFTER = 540
"""A handler stays about so many days."""
_OCCASION_DAYS = 120
"""How often something happens that evidence is owed for without a calendar (an advisory, a change of plan)."""


@dataclass(order=True, slots=True)
class _Owed:
    day: int
    """When somebody files it."""
    due_day: int
    control: str
    kind: str
    about: str


@dataclass(slots=True)
class _Grant:
    duty: str
    handler: HandlerId
    until_day: int | None
    leaves_day: int


@dataclass
class House:
    """Handlers by role, and the evidence that falls due."""

    keeper: Keeper
    plan: Plan
    chance: Random
    tally: Tally
    reviews: Mapping[str, Period]
    """Elements that somebody looks at now and then (processors, grants, agencies), with how often."""
    grants: list[_Grant] = field(default_factory=list)
    _owed: list[_Owed] = field(default_factory=list)
    _readers: dict[HandlerId, tuple[int, Reader]] = field(default_factory=dict)

    # ── setting up ──────────────────────────────────────────────────────────────────────────────────────────────────

    def set_up(self, day: int) -> None:
        """On the first day: contracts, registers, staff, and the first evidence of everything."""
        policy = self.plan.policy
        for row in self.plan.entrustments.values():
            if not row.blocked:
                self.keeper.contract(policy, row.party, terms=row.terms, sub_consent=row.under is not None)
        for kind in _EACH:
            self.keeper.register(policy, kind, f"{kind}-1")
        for duty in self.plan.handlers:
            self._hire(duty, day)
        if self.plan.destruction.approval and len(self.grants) == 1:
            self._hire(self.grants[0].duty, day)  # four eyes need two
        for control in self.plan.controls.values():
            for about in self._each(control):
                self._file(control, about, day)
        for path, every in self.reviews.items():
            self._owe_review(path, every, day)

    def _each(self, control: ControlPlan) -> Iterator[str]:
        match control.per:
            case None:
                yield ""
            case "handler" | "employee":
                yield from sorted({grant.handler for grant in self.grants})
            case "processor":
                yield from sorted({row.party for row in self.plan.entrustments.values() if not row.blocked})
            case kind if kind in _EACH:
                yield f"{kind}-1"
            case _:
                return

    def _hire(self, duty: str, day: int) -> HandlerId:
        granted_for = self.plan.handlers[duty].granted_for
        handler, outcome = self.keeper.grant(self.plan.policy, duty, shown=self.plan.handlers[duty].granted_with)
        self.tally.note("grant", outcome)
        self.keeper.register(self.plan.policy, "employee", handler)
        until = day + days_in(granted_for) - 5 if granted_for else None
        self.grants.append(
            _Grant(duty, handler, until, day + self.chance.randint(_REPLACED_AFTER // 2, _REPLACED_AFTER))
        )
        return handler

    # ── one day ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def live(self, day: int) -> None:
        """Renew roles, replace who leaves, file the evidence that is due. Inside the batch of the day."""
        for grant in tuple(self.grants):
            if grant.leaves_day <= day:
                self._replace(grant, day)
            elif grant.until_day is not None and grant.until_day <= day:
                self._renew(grant, day)
        while self._owed and self._owed[0].day <= day:
            owed = heappop(self._owed)
            if owed.control in self.reviews:
                self._review(owed, day)
            elif not self._gone(owed):
                self._file_one(owed, day)

    def approve(self) -> None:
        """Before the night: one of the staff that the policy names approves what another destroys. Two are there."""
        approvers = [one.handler for one in self.grants if one.duty in self.plan.destruction.approval]
        others = [one.handler for one in self.grants if approvers and one.handler != approvers[0]]
        if approvers and others:
            self.keeper.approve_destruction(self.plan.policy, by=others[0], approver=approvers[0])

    def _replace(self, grant: _Grant, day: int) -> None:
        self.keeper.revoke(self.plan.policy, grant.handler, grant.duty)
        self.grants.remove(grant)
        self._readers.pop(grant.handler, None)
        self.keeper.unregister(self.plan.policy, "employee", grant.handler)
        self._called_for("left", grant.handler)
        handler = self._hire(grant.duty, day)
        for control in self.plan.controls.values():
            if control.per in ("handler", "employee"):
                self._file(control, handler, day)

    def _renew(self, grant: _Grant, day: int) -> None:
        row = self.plan.handlers[grant.duty]
        self.tally.note(
            "grant", self.keeper.grant(self.plan.policy, grant.duty, handler=grant.handler, shown=row.granted_with)[1]
        )
        grant.until_day = day + days_in(row.granted_for or Period(years=1)) - 5
        self._called_for("handler-changed", grant.handler)
        self._readers.pop(grant.handler, None)

    def _gone(self, owed: _Owed) -> bool:
        """Who left owes nothing any more."""
        control = self.plan.controls.get(owed.control)
        own = control is not None and control.per in ("handler", "employee")
        return own and all(one.handler != owed.about for one in self.grants)

    # ── evidence ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _file(self, control: ControlPlan, about: str, day: int) -> None:
        for kind in sorted(control.evidence):
            self._file_one(_Owed(day, day, control.name, kind, about), day)

    def _file_one(self, owed: _Owed, day: int) -> None:
        control = self.plan.controls[owed.control]
        late = owed.due_day < day
        for at in self._instants(control):
            self.keeper.file_evidence(self.plan.policy, owed.control, owed.kind, about=owed.about, at=at)
        self.tally.evidence["late" if late else "in-time"] += 1
        self._readers.pop(HandlerId(owed.about), None)
        if control.due_every is None and control.per in ("handler", "employee"):
            return  # owed again when something changes for that person
        due_day = day + self._rest(control)
        heappush(self._owed, _Owed(due_day + self._forgotten(), due_day, owed.control, owed.kind, owed.about))

    def _called_for(self, change: str, about: str) -> None:
        """What a change of a person's place calls for, once."""
        for control in self.plan.controls.values():
            if change in control.due_after and control.per in ("handler", "employee"):
                for kind in sorted(control.evidence):
                    self.keeper.file_evidence(self.plan.policy, control.name, kind, about=about)
                    self.tally.evidence["in-time"] += 1

    def _owe_review(self, path: str, every: Period, day: int) -> None:
        due_day = day + max(1, days_in(every) * 9 // 10)
        heappush(self._owed, _Owed(due_day + self._forgotten(), due_day, path, "", ""))

    def _review(self, owed: _Owed, day: int) -> None:
        self.keeper.attest(self.plan.policy, owed.control)
        self.tally.evidence["late" if owed.due_day < day else "in-time"] += 1
        self._owe_review(owed.control, self.reviews[owed.control], day)

    def _forgotten(self) -> int:
        """Days by which something is late this time; mostly none."""
        return self.chance.randint(2, 9) if self.chance.random() < _FORGOTTEN else 0

    def _instants(self, control: ControlPlan) -> tuple[Instant, ...]:
        """What is due by the hour arrives by the hour and is entered once a day."""
        now = self.keeper.now()
        every = control.due_every
        if every is None or not every.hours or every.hours >= 24:
            return (now,)
        return tuple(Instant(now - hour * HOUR) for hour in range(24 - every.hours, -1, -every.hours))

    def _rest(self, control: ControlPlan) -> int:
        if control.due_every is None:
            return self.chance.randint(_OCCASION_DAYS // 2, _OCCASION_DAYS * 2)
        now = self.keeper.now()
        stale = local_date(end_of(now, control.due_every, self.plan.zone), self.plan.zone).toordinal()
        return max(1, stale - local_date(now, self.plan.zone).toordinal() - 1)

    def last_night(self, day: int) -> None:
        """What is due by the hour is in before anybody looks."""
        for owed in [one for one in self._owed if one.day <= day and self._by_the_hour(one)]:
            self._file_one(owed, day)

    def _by_the_hour(self, owed: _Owed) -> bool:
        control = self.plan.controls.get(owed.control)
        return control is not None and control.due_every is not None and control.due_every.hours > 0

    # ── who reads ───────────────────────────────────────────────────────────────────────────────────────────────────

    def reader_for(self, purpose: str, day: int) -> Reader:
        """Somebody whose role has the purpose, else the application that serves it."""
        able = [grant.handler for grant in self.grants if purpose in self.plan.handlers[grant.duty].purposes]
        if not able or self.chance.random() < 0.3:
            return self.keeper.application(purpose, frozenset({purpose}))
        return self._reader(self.chance.choice(able), day)

    def reader_with(self, duty: str, day: int) -> Reader:
        """Somebody with a duty (requests, separated), else an application without any."""
        able = [grant.handler for grant in self.grants if duty in self.plan.handlers[grant.duty].duties]
        return self._reader(self.chance.choice(able), day) if able else self.keeper.application("desk")

    def anybody(self, day: int) -> Reader:
        """Whoever: now and then somebody asks for what is none of their business."""
        if not self.grants:
            return self.keeper.application("desk", frozenset())
        return self._reader(self.chance.choice(self.grants).handler, day)

    def _reader(self, handler: HandlerId, day: int) -> Reader:
        known = self._readers.get(handler)
        if known is None or known[0] + YEAR_DAYS // 12 < day or known[1].cleared_until <= self.keeper.now():
            known = self._readers[handler] = (day, self.keeper.reader(self.plan.policy, handler))
        return known[1]


def reviews_in(policy: model.Policy) -> dict[str, Period]:
    """The elements of a document that are to be looked at now and then, by path."""
    bound = {row.to or name for name, row in policy.entrustments.items() if row.blocked is None}
    found: dict[str, Period | None] = {row.path: row.reviewed for row in policy.handlers.values()}
    found |= {row.path: row.reviewed for row in policy.agencies.values()}
    found |= {
        row.path: row.inspected or Period(years=1)
        for name, row in policy.entrustments.items()
        if (row.to or name) in bound
    }
    return {path: every for path, every in found.items() if every is not None}
