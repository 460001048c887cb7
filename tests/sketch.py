"""A person drawn by hand for the engine alone: what is known, without stores, keys or acts in between."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from upheld.dates import BEGINNING, FOREVER, Instant, instant, local_date
from upheld.engine.acts import (
    Act,
    ConsentId,
    Decision,
    EngagementId,
    FactId,
    Read,
    Reader,
    ReaderKind,
    RequestId,
    SubjectId,
    ValueId,
)
from upheld.engine.compile import compiled
from upheld.engine.decide import View, decide
from upheld.engine.lifecycle import Life, StepKind, steps_coming, steps_due
from upheld.engine.plan import Plan, PolicyLine
from upheld.engine.state import (
    About,
    AboutKind,
    Consent,
    Contract,
    ControllerState,
    Engagement,
    Fact,
    HeldState,
    Request,
    RequestState,
    SubjectState,
    Use,
    Value,
)
from upheld.policy.read import read_policy

POLICIES = Path(__file__).parent.parent / "policies"
SEOUL = ZoneInfo("Asia/Seoul")
APPLICATION = Reader(ReaderKind.APPLICATION, "crm")


@cache
def plan_of(file: str) -> Plan:
    """A policy of the house, compiled."""
    source = (POLICIES / file).read_bytes()
    return compiled(read_policy(source, file), source)


def day(text: str) -> Instant:
    """`2018-07-09` (noon in Seoul) or `2018-07-09 21:30`."""
    when = datetime.fromisoformat(text if ":" in text else f"{text} 12:00")
    return instant(when.replace(tzinfo=SEOUL))


class Sketch:
    """What is known about one person; `now` moves by hand, and facts are known when they are told."""

    def __init__(
        self, *files: str, kind: str = "member", now: str = "2018-08-01", line: PolicyLine | None = None
    ) -> None:
        plans = tuple(plan_of(file) for file in files)
        self.line = line or PolicyLine(plans[0].policy, plans)
        self.kind, self.now = kind, day(now)
        self.minor_until: Instant | None = None
        self.engagements: dict[EngagementId, Engagement] = {}
        self.facts: list[Fact] = []
        self.consents: list[Consent] = []
        self.values: dict[ValueId, Value] = {}
        self.requests: dict[RequestId, Request] = {}
        self.controller = ControllerState()
        self._number = 0

    def _next(self) -> str:
        self._number += 1
        return f"{self._number:020d}"

    def to(self, when: str) -> Sketch:
        """Go on to a day."""
        self.now = day(when)
        return self

    @property
    def plan(self) -> Plan:
        """The version in force."""
        return self.line.at(self.now) or self.line.plans[0]

    # what happens

    def begin(self, kind: str, organisation: str | None = None) -> EngagementId:
        one = Engagement(EngagementId(self._next()), kind, self.now, self.now, organisation)
        self.engagements[one.engagement_id] = one
        begins = self.plan.engagements[kind].begins
        if begins != "begun":
            self.tell(begins, one.engagement_id)
        return one.engagement_id

    def tell(
        self,
        code: str,
        engagement: EngagementId | None = None,
        at: str | None = None,
        about: str | None = None,
        values: tuple[ValueId, ...] = (),
    ) -> Fact:
        """A fact, known now; `at` says that it happened before."""
        when = day(at) if at else self.now
        self.facts.append(Fact(FactId(self._next()), code, when, self.now, engagement, about, values))
        return self.facts[-1]

    def organisation(self, code: str, about: str | None = None) -> None:
        facts = (*self.controller.facts, Fact(FactId(self._next()), code, self.now, self.now, None, about))
        self.controller = ControllerState(facts, self.controller.contracts, self.controller.stopped_transfers)

    def contract(self, party: str, terms: frozenset[str], until: str | None = None, sub_consent: bool = False) -> None:
        one = Contract(self._next(), party, self.now, day(until) if until else FOREVER, terms, sub_consent)
        self.controller = ControllerState(
            self.controller.facts, (*self.controller.contracts, one), self.controller.stopped_transfers
        )

    def stop_transfer(self, name: str) -> None:
        self.controller = ControllerState(self.controller.facts, self.controller.contracts, frozenset({name}))

    def agree(self, *matters: str, at: str | None = None, given: bool = True, channel: str = "website") -> None:
        for matter in matters:
            kind, _, name = matter.partition("/")
            about = About(AboutKind(kind), name)
            when = day(at) if at else self.now
            self.consents.append(
                Consent(ConsentId(self._next()), about, given, when, self.now, self.plan.version, channel)
            )

    def withdraw(self, *matters: str, at: str | None = None) -> None:
        self.agree(*matters, at=at, given=False)

    def hold(
        self, item: str, purpose: str, engagement: EngagementId | None = None, held_for: str | None = None
    ) -> ValueId:
        """A value is there, taken for a purpose; nothing is asked."""
        value_id = ValueId(int(self._next()))
        use = Use(purpose, engagement, self.now, self.plan.version, self.now)
        self.values[value_id] = Value(value_id, item, self.now, self.now, (use,), held_for=held_for)
        return value_id

    def changed(self, value: ValueId, **changes: object) -> None:
        self.values[value] = replace(self.values[value], **changes)

    def correct(self, value: ValueId) -> ValueId:
        old = self.values[value]
        self.changed(value, replaced_at=self.now, replaced_known_at=self.now)
        new = ValueId(int(self._next()))
        self.values[new] = Value(new, old.item, self.now, self.now, old.uses, held_for=old.held_for)
        return new

    def ask(
        self, right: str, *values: ValueId, purposes: tuple[str, ...] = (), proved: bool = True, at: str | None = None
    ) -> RequestId:
        received = day(at) if at else self.now
        one = Request(
            RequestId(self._next()), right, received, self.now, self.now if proved else None, values, purposes
        )
        self.requests[one.request_id] = one
        return one.request_id

    def answer(self, request: RequestId, state: str) -> None:
        settled = {"state": RequestState(state), "settled_at": self.now, "settled_known_at": self.now}
        self.requests[request] = replace(self.requests[request], **settled)

    def lift(self, request: RequestId) -> None:
        self.requests[request] = replace(self.requests[request], lifted_at=self.now)

    # what follows

    @property
    def state(self) -> SubjectState:
        return SubjectState(
            SubjectId("s" * 20),
            self.kind,
            BEGINNING,
            dict(self.engagements),
            tuple(self.facts),
            tuple(self.consents),
            tuple(self.values.values()),
            tuple(self.requests.values()),
            minor_until=self.minor_until,
        )

    @property
    def view(self) -> View:
        return View(self.line, self.state, self.controller, self.now)

    @property
    def life(self) -> Life:
        return self.view.life

    def due(self, value: ValueId) -> str:
        return self.life.due(self.values[value], self.now).state.value

    def kept_by(self, value: ValueId) -> list[str]:
        """The elements whose grounds keep a value now."""
        return sorted({ground.rule.path for ground in self.life.grounds(self.values[value]) if ground.live(self.now)})

    def gone_on(self, value: ValueId) -> date | None:
        """The local day at whose start nothing keeps a value any more, by what is known; None: not in sight."""
        last = max(ground.until.at for ground in self.life.grounds(self.values[value]))
        return None if last >= FOREVER else local_date(last, self.plan.zone)

    def steps(self) -> dict[ValueId, StepKind]:
        return {step.value.value_id: step.kind for step in steps_due(self.life, self.now)}

    def overdue(self) -> set[ValueId]:
        return {step.value.value_id for step in steps_coming(self.life, self.now) if step.overdue_at <= self.now}

    def sweep(self) -> None:
        """Do what is due, as the keeper would."""
        to = {StepKind.SEPARATE: HeldState.SEPARATED, StepKind.DESTROY: HeldState.DESTROYED}
        for value, kind in self.steps().items():
            self.changed(value, held=to[kind])

    def decides(self, act: Act) -> Decision:
        return decide(act, self.view, self.now)

    def reasons(self, act: Act) -> list[str]:
        return [reason.value for reason in self.decides(act).reasons]

    def read(self, purpose: str | None, *values: ValueId, reader: Reader = APPLICATION) -> list[str]:
        """Why a read of these values is refused; nothing where it is granted. Names a use where there are any."""
        declared = self.plan.purposes.get(purpose or "")
        use = next((name for name, runs in declared.uses.items() if runs), None) if declared else None
        return self.reasons(Read(purpose, reader, values=values, use=use))
