"""Decisions: `decide(act, view, at)` is granted or refused, because of which clauses, for which values.

Pure functions of the compiled policy and what is known. A `View` is one subject seen through one policy line: it is
built once per change of the subject and answers reads by two look-ups and two comparisons. INVARIANT: I1, I9, I13.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, assert_never

from upheld.dates import BEGINNING, FOREVER, Instant, Period, end_of
from upheld.engine.acts import (
    Act,
    Cited,
    Collect,
    Decision,
    Disclose,
    Entrust,
    Provide,
    Read,
    Reader,
    ReaderKind,
    ReadSeparated,
    Reason,
    Refusals,
    Send,
    Show,
    ValueId,
    refused,
)
from upheld.engine.compile import CHILD_CONTACT
from upheld.engine.lifecycle import DueState, Ground, Life, touches
from upheld.engine.plan import EntrustmentPlan, GroundKind, ItemPlan, Plan, PolicyLine, PurposePlan, Rule
from upheld.engine.state import (
    About,
    AboutKind,
    ControllerState,
    HeldState,
    Request,
    RequestState,
    SubjectState,
    Use,
    Value,
)
from upheld.policy.vocabulary import Nature

NIGHT_BEGINS, NIGHT_ENDS = 21, 8
"""LAW: Network Act 50(3): local hours in which a promotional message needs a consent of its own."""

_SEPARATE_CONSENT = frozenset({Nature.SENSITIVE, Nature.UNIQUE_ID})


class Pass(NamedTuple):
    """A standing permission to read one value for one purpose, until the next boundary of its life."""

    from_at: Instant
    until_at: Instant
    element: str
    because: tuple[Cited, ...]


class View:
    """One subject under one policy line by what is known; immutable once built."""

    __slots__ = (
        "_passes",
        "by_item",
        "controller",
        "life",
        "line",
        "plan",
        "state",
        "valid_from",
        "valid_until",
        "values",
    )

    def __init__(self, line: PolicyLine, state: SubjectState, controller: ControllerState, at: Instant) -> None:
        """Build the view at an instant; it holds until the next version of the policy takes effect."""
        self.line = line
        self.state = state
        self.controller = controller
        self.life = Life(line, state, controller, at)
        self.plan: Plan = self.life.plan
        self.valid_from = self.plan.effective_at if line.at(at) else BEGINNING
        self.valid_until = next((plan.effective_at for plan in line.plans if plan.effective_at > at), FOREVER)
        self.values: dict[ValueId, Value] = {value.value_id: value for value in state.values}
        self.by_item: dict[str, list[ValueId]] = {}
        for value in state.values:
            if value.held is not HeldState.DESTROYED:
                self.by_item.setdefault(value.item, []).append(value.value_id)
        self._passes: Mapping[str, Mapping[ValueId, Pass]] | None = None

    @property
    def passes(self) -> Mapping[str, Mapping[ValueId, Pass]]:
        """What may be read for which purpose without more ado: purpose → value → pass."""
        if self._passes is None:
            found: dict[str, dict[ValueId, Pass]] = {}
            for (purpose, value), window in self._all_passes():
                found.setdefault(purpose, {})[value] = window
            self._passes = found
        return self._passes

    def _all_passes(self) -> Iterable[tuple[tuple[str, ValueId], Pass]]:
        for value in self.state.values:
            item = self.plan.items.get(value.item)
            if value.held is not HeldState.HELD or item is None or item.nature is Nature.SECRET:
                continue
            for ground in self.life.grounds(value):
                if ground.kind is GroundKind.PURPOSE and ground.purpose is not None:
                    window = self._window(value, ground)
                    if window is not None:
                        yield (ground.purpose, value.value_id), window

    def _window(self, value: Value, ground: Ground) -> Pass | None:
        purpose = self.plan.purposes.get(ground.purpose or "")
        if purpose is None or purpose.blocked or value.held_for is not None or purpose.needs:
            return None
        if holds_on(self, value, purpose.name, FOREVER):
            return None
        cited = Cited(purpose.rule.path, purpose.rule.cites())
        from_at, until_at = max(ground.from_at, self.valid_from), min(ground.until.at, self.valid_until)
        return Pass(from_at, until_at, cited.element, (cited,))


def holds_on(view: View, value: Value, purpose: str | None, at: Instant) -> list[tuple[Reason, Request]]:
    """The freezes and suspensions that stop a use of a value at `at` (FOREVER: any that has not ended)."""
    found = [(_holds(view.plan, request, value, purpose, at), request) for request in view.state.requests]
    return [(reason, request) for reason, request in found if reason is not None]


def _holds(plan: Plan, request: Request, value: Value, purpose: str | None, at: Instant) -> Reason | None:
    right = plan.rights.get(request.right)
    covered = touches(request, value) or (right is not None and right.freeze_covers_person)
    if not covered or request.state is RequestState.TAKEN_BACK:
        return None
    if request.right == "suspension":
        if request.purposes and purpose not in request.purposes:
            return None
        ended = min(one for one in (request.lifted_at, _refused_at(request), FOREVER) if one is not None)
        began = request.proved_at if request.proved_at is not None else FOREVER
        return Reason.SUSPENDED if began <= at and (at < ended or ended == FOREVER == at) else None
    if right is None or not right.freezes or not request.freezes or request.proved_at is None:
        return None  # a letter of someone not proved is logged, not obeyed
    ended = request.settled_at if request.settled_at is not None else FOREVER
    return Reason.FROZEN if request.proved_at <= at and (at < ended or ended == FOREVER == at) else None


def _refused_at(request: Request) -> Instant | None:
    return request.settled_at if request.state is RequestState.REFUSED else None


# ── the one entry ───────────────────────────────────────────────────────────────────────────────────────────────────


def decide(act: Act, view: View, at: Instant) -> Decision:
    """Answer an act on what is known. A rule that fails refuses (`rule-failed`); nothing is granted by silence."""
    if view.line.at(at) is None:
        if isinstance(act, Show | Disclose | ReadSeparated):
            pass  # with no version in force rights and statutory demands go on
        else:
            return refused(view.plan.rule.cited(Reason.NOT_IN_FORCE, "effective"))
    match act:
        case Read():
            return decide_read(act, view, at)
        case Collect():
            return decide_collect(act, view, at)
        case Provide():
            return decide_provide(act, view, at)
        case Entrust():
            return decide_entrust(act, view, at)
        case Disclose():
            return decide_disclose(act, view, at)
        case ReadSeparated():
            return decide_read_separated(act, view, at)
        case Show():
            return decide_show(act, view, at)
        case Send():
            return decide_send(act, view, at)
        case _:
            assert_never(act)


def decide_safely(act: Act, view: View, at: Instant, note: Callable[[Exception], None]) -> Decision:
    """`decide`, with a failing rule turned into a refusal; `note` hears of the failure (it is a bug of ours)."""
    try:
        return decide(act, view, at)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError) as failure:
        note(failure)
        return refused(view.plan.rule.cited(Reason.RULE_FAILED))


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def decide_read(act: Read, view: View, at: Instant) -> Decision:
    """Values for a live purpose ground, and only for that purpose. Covers what may be seen, value by value."""
    wanted = act.values or [one for item in act.items for one in view.by_item.get(item, ())]
    if _plainly_asked(act, view, at):
        passes = view.passes.get(act.purpose or "", _NO_PASSES)
        cover: list[ValueId] = []
        because: tuple[Cited, ...] = ()
        until = FOREVER
        for value_id in wanted:
            found = passes.get(value_id)
            if found is not None and found.from_at <= at < found.until_at:
                cover.append(value_id)
                because = found.because
                until = min(until, found.until_at)
        if cover and (len(cover) == len(wanted) or act.items):
            return Decision(True, because, tuple(cover), until)
    return _read_slowly(act, view, at, tuple(wanted))


_NO_PASSES: Mapping[ValueId, Pass] = {}


def _plainly_asked(act: Read, view: View, at: Instant) -> bool:
    """Whether passes can answer: no sub-purpose, no engagement, items that the purpose lists, a reader in order."""
    if act.use or act.engagement or act.purpose is None or not reader_passes(act.reader, act.purpose, at):
        return False
    purpose = view.plan.purposes.get(act.purpose)
    return purpose is not None and purpose.items.issuperset(act.items)


def reader_passes(reader: Reader, purpose: str, at: Instant) -> bool:
    """Whether nothing about the reader stands in the way: task, clearance, employer."""
    return (
        (reader.purposes is None or purpose in reader.purposes)
        and reader.cleared_from <= at < reader.cleared_until
        and reader.party is None
        and reader.kind in (ReaderKind.HANDLER, ReaderKind.APPLICATION)
    )


def _purpose_of(view: View, name: str | None, use: str | None, no: Refusals) -> PurposePlan | None:
    """Layer 2: the purpose must be named, declared and runnable."""
    plan = view.plan
    if name is None:
        no.found.append(plan.builtin["purposes"].cited(Reason.PURPOSE_UNNAMED))
        return None
    purpose = plan.purposes.get(name)
    if purpose is None:
        no.found.append(plan.builtin["purposes"].cited(Reason.PURPOSE_UNDECLARED, detail=name))
        return None
    if purpose.blocked or (use is not None and purpose.uses.get(use) is False):
        no.add(Reason.DECLARATION_INCOMPLETE, purpose.rule.path, purpose.rule.cites(), detail=use or "")
    elif use is not None and use not in purpose.uses:
        no.add(Reason.PURPOSE_UNDECLARED, purpose.rule.path, purpose.rule.cites(), detail=use)
    return purpose


def _read_slowly(act: Read, view: View, at: Instant, wanted: tuple[ValueId, ...]) -> Decision:
    no = Refusals()
    purpose = _purpose_of(view, act.purpose, act.use, no)
    for item in act.items:
        _item_covered(view.plan, purpose, item, no)
    if purpose is None or no.found:
        return refused(*no.found)
    _reader_may(view, act, purpose, at, no)
    if not wanted:
        no.add(Reason.UNKNOWN, purpose.rule.path, purpose.rule.cites(), detail=", ".join(act.items))
    cover: list[ValueId] = []
    of_values: list[Cited] = []
    until = FOREVER
    for value_id in wanted:
        against, ends = _value_readable(view, purpose, value_id, act, at)
        if not against:
            cover.append(value_id)
            until = min(until, ends)
        of_values += against
    if no.found or not cover:
        return refused(*no.found, *(() if cover else of_values))
    return Decision(True, (purpose.rule.cited(),), tuple(cover), until)


def _item_covered(plan: Plan, purpose: PurposePlan | None, item: str, no: Refusals) -> None:
    if item not in plan.items:
        no.found.append(plan.builtin["items"].cited(Reason.ITEM_UNDECLARED, detail=item))
    elif purpose is not None and item not in purpose.items:
        no.add(Reason.ITEM_NOT_COVERED, purpose.rule.path, purpose.rule.cites("items"), detail=item)


def _value_readable(
    view: View, purpose: PurposePlan, value_id: ValueId, act: Read, at: Instant
) -> tuple[list[Cited], Instant]:
    """What speaks against one value, and until when it may be seen if nothing does."""
    value = view.values.get(value_id)
    if value is None:
        return [purpose.rule.cited(Reason.UNKNOWN)], at
    if value.item not in purpose.items:
        return [purpose.rule.cited(Reason.ITEM_NOT_COVERED, "items", value.item)], at
    if view.plan.items[value.item].nature is Nature.SECRET and not _is_the_job(act.reader, purpose.name):
        return [view.plan.items[value.item].rule.cited(Reason.DUTY_MISSING)], at
    state = _STATE_REASON.get(value.held)
    if state is not None:
        return [purpose.rule.cited(state, "until")], at
    if value.held_for is not None and not purpose.held_for_organisation:
        return [purpose.rule.cited(Reason.HELD_FOR_ANOTHER)], at
    ground = _live_use(view, value, purpose.name, act, at)
    if ground is None:
        return [_why_no_ground(view, value, purpose, at)], at
    return [_hold_cited(view.plan, *held) for held in holds_on(view, value, purpose.name, at)], ground.until.at


def _is_the_job(reader: Reader, purpose: str) -> bool:
    """Credentials of another service open to the job that needs them, bound to that one purpose, and to nobody else."""
    return reader.kind is ReaderKind.APPLICATION and reader.purposes == frozenset({purpose})


_STATE_REASON: Mapping[HeldState, Reason] = {
    HeldState.MOVING: Reason.VALUE_MOVING,
    HeldState.SEPARATED: Reason.VALUE_SEPARATED,
    HeldState.CONDEMNED: Reason.VALUE_DESTROYED,
    HeldState.DESTROYED: Reason.VALUE_DESTROYED,
}


_DUE_REASON: Mapping[DueState, Reason] = {
    DueState.SEPARATED: Reason.VALUE_SEPARATED,
    DueState.DUE: Reason.VALUE_DUE,
}


def state_reason(value: Value) -> Reason | None:
    """Why a value that is not held in the active tier cannot be used there."""
    return _STATE_REASON.get(value.held)


def _live_use(view: View, value: Value, purpose: str, act: Read, at: Instant) -> Ground | None:
    for ground in view.life.grounds(value):
        ours = ground.kind is GroundKind.PURPOSE and ground.purpose == purpose
        if ours and ground.live(at) and act.engagement in (None, ground.engagement):
            return ground
    return None


def _why_no_ground(view: View, value: Value, purpose: PurposePlan, at: Instant) -> Cited:
    about = About(AboutKind.PURPOSE, purpose.name)
    if purpose.rests_on_consent(value.item):
        event = view.life.last_consent_event(about, at)
        if event is None:
            return purpose.rule.cited(Reason.CONSENT_MISSING, "basis")
        if not event.given:
            return purpose.rule.cited(Reason.CONSENT_WITHDRAWN, "basis")
    due = view.life.due(value, at)
    if due.state is DueState.DUE:
        return _due_cited(due.grounds, purpose)
    if due.state is DueState.SEPARATED:
        return purpose.rule.cited(Reason.VALUE_SEPARATED, "until")
    return purpose.rule.cited(Reason.GROUND_ENDED, "until")


def _due_cited(grounds: tuple[Ground, ...], purpose: PurposePlan) -> Cited:
    last = max(grounds, key=lambda ground: ground.until.at, default=None)
    return (last.rule if last else purpose.rule).cited(Reason.VALUE_DUE, "until")


def _hold_cited(plan: Plan, reason: Reason, request: Request) -> Cited:
    right = plan.rights.get(request.right)
    key = "freeze" if reason is Reason.FROZEN else "all"
    return right.rule.cited(reason, key) if right else plan.builtin["rights"].cited(reason)


def _reader_may(view: View, act: Read, purpose: PurposePlan, at: Instant, no: Refusals) -> None:
    reader = act.reader
    match reader.kind:
        case ReaderKind.HANDLER | ReaderKind.APPLICATION:
            _staff_may(view, reader, purpose, at, no)
        case ReaderKind.FELLOW:
            _fellow_may(view, reader, purpose, no)
        case ReaderKind.SUBJECT:
            no.add(
                Reason.DUTY_MISSING, purpose.rule.path, purpose.rule.cites(), detail="a person sees their data by right"
            )
        case _:
            assert_never(reader.kind)


def _staff_may(view: View, reader: Reader, purpose: PurposePlan, at: Instant, no: Refusals) -> None:
    handlers = view.plan.builtin["handlers"]
    if reader.purposes is not None and purpose.name not in reader.purposes:
        no.found.append(handlers.cited(Reason.DUTY_MISSING, detail=purpose.name))
    if not reader.cleared_from <= at < reader.cleared_until:
        lapsed = [view.plan.controls[name].rule for name in reader.lapsed if name in view.plan.controls]
        for rule in lapsed or [handlers]:
            no.found.append(rule.cited(Reason.CLEARANCE_LAPSED))
    if "same-group" in purpose.needs or "both-accepted" in purpose.needs:
        no.add(Reason.NOT_SAME_GROUP, purpose.rule.path, purpose.rule.cites("needs"))
    if reader.party is not None:
        _party_may(view, reader.party, purpose, at, no)


def _party_may(view: View, party: str, purpose: PurposePlan, at: Instant, no: Refusals) -> None:
    entrusted = view.plan.entrustments.get(party)
    if entrusted is None or entrusted.blocked or purpose.name not in entrusted.purposes:
        rule = entrusted.rule if entrusted else view.plan.builtin["recipients"]
        no.found.append(rule.cited(Reason.DUTY_MISSING, "for", party))
        return
    _agreed_to_processor(view, entrusted, (), at, no)
    _contract_in_force(view, entrusted, at, no)


def _fellow_may(view: View, reader: Reader, purpose: PurposePlan, no: Refusals) -> None:
    groups = {one.organisation for one in view.state.engagements.values() if one.organisation is not None}
    same = reader.organisation is not None and reader.organisation in groups
    accepted = any(fact.code == "both-accepted" and fact.about == reader.reader_id for fact in view.state.facts)
    allowed = ("same-group" in purpose.needs and same) or ("both-accepted" in purpose.needs and accepted)
    if not allowed:
        no.add(Reason.NOT_SAME_GROUP, purpose.rule.path, purpose.rule.cites("needs"))


# ── collecting ──────────────────────────────────────────────────────────────────────────────────────────────────────


def decide_collect(act: Collect, view: View, at: Instant) -> Decision:
    """Take items for one purpose: only what it lists, by a declared way, of a covered kind of person, on its basis."""
    no = Refusals()
    if act.purpose == CHILD_CONTACT:
        return _collect_representative(act, view, at)
    purpose = _purpose_of(view, act.purpose, act.use, no)
    for item in act.items:
        _item_covered(view.plan, purpose, item, no)
        declared = view.plan.items.get(item)
        if declared is not None and declared.never_collected:
            no.add(
                Reason.ITEM_NOT_COVERED, declared.rule.path, declared.rule.cites("collected"), declared.rule.law, item
            )
        if declared is not None and declared.nature is Nature.RESIDENT_NUMBER:
            _resident_number(purpose, declared, no)
    if purpose is None:
        return refused(*no.found)
    _method_declared(view, act, purpose, no)
    _subject_covered(view, act, purpose, at, no)
    for item in act.items:
        if item in purpose.items:
            _basis_holds(view, act, purpose, item, at, no)
    _engagement_open(view, act, purpose, at, no)
    _ground_would_live(view, act, purpose, at, no)
    suspended = _suspended_for(view, purpose.name, at)
    if suspended is not None:
        no.found.append(suspended)
    for value_id in act.reused:
        no.found.extend(_not_reusable(view, value_id, purpose, at))
    if no.found:
        return refused(*no.found)
    cited = (purpose.rule.cited(), *(view.plan.items[item].rule.cited() for item in act.items))
    return Decision(True, cited)


def _not_reusable(view: View, value_id: ValueId, purpose: PurposePlan, at: Instant) -> Iterable[Cited]:
    """Only what is in use gets one more use: nothing comes back, changes capacity, or moves while it stands still."""
    value = view.values.get(value_id)
    if value is None:
        yield purpose.rule.cited(Reason.UNKNOWN)
        return
    due = view.life.due(value, at).state
    state = _STATE_REASON.get(value.held) or _DUE_REASON.get(due)
    if state is not None:
        yield purpose.rule.cited(state, "until")
    if value.held_for is not None and not purpose.held_for_organisation:
        yield purpose.rule.cited(Reason.HELD_FOR_ANOTHER)
    for held in holds_on(view, value, purpose.name, at):
        yield _hold_cited(view.plan, *held)


def _collect_representative(act: Collect, view: View, at: Instant) -> Decision:
    children = view.plan.children
    rule = children.contact_rule or children.rule
    no = Refusals()
    if view.state.minor_until is None or at >= view.state.minor_until:
        no.add(Reason.KIND_NOT_COVERED, rule.path, rule.cites())
    for item in act.items:
        if item not in children.contact_items:
            no.add(Reason.ITEM_NOT_COVERED, rule.path, rule.cites("from-child"), rule.law, item)
    return refused(*no.found) if no.found else Decision(True, (rule.cited(),))


def _resident_number(purpose: PurposePlan | None, item: ItemPlan, no: Refusals) -> None:
    """LAW: Personal Information Protection Act 24-2: only a law that names it; consent changes nothing."""
    if purpose is None or purpose.rests_on_consent(item.name) or not (purpose.law or item.law):
        no.add(Reason.LAW_MISSING, item.rule.path, item.rule.cites(), "pipa 24-2", item.name)


def _method_declared(view: View, act: Collect, purpose: PurposePlan, no: Refusals) -> None:
    if act.channel is None:
        if "person" in purpose.sources and (purpose.via or view.plan.collection):
            no.add(Reason.METHOD_UNDECLARED, purpose.rule.path, purpose.rule.cites("via"), detail="no channel named")
        return
    plan = view.plan
    if act.channel not in plan.channels and act.channel not in ("cookie", "app", "tool", "party"):
        no.found.append(plan.builtin["channels"].cited(Reason.METHOD_UNDECLARED, detail=act.channel))
    elif purpose.via and act.channel not in purpose.via:
        no.add(Reason.METHOD_UNDECLARED, purpose.rule.path, purpose.rule.cites("via"), detail=act.channel)
    elif (
        not purpose.via
        and plan.collection
        and not any(
            (not by or act.channel in by) and (not served or purpose.name in served)
            for _, by, served in plan.collection.values()
        )
    ):
        no.found.append(plan.builtin["collection"].cited(Reason.METHOD_UNDECLARED, detail=act.channel))


def _subject_covered(view: View, act: Collect, purpose: PurposePlan, at: Instant, no: Refusals) -> None:
    state = view.state
    if purpose.whose and state.kind not in purpose.whose:
        no.add(Reason.KIND_NOT_COVERED, purpose.rule.path, purpose.rule.cites("whose"), detail=state.kind)
    if state.minor_until is not None and at < state.minor_until and not _representative_agreed(view, at):
        children = view.plan.children
        no.add(Reason.CHILD_WITHOUT_REPRESENTATIVE, children.rule.path, children.rule.cites(), children.rule.law)


def _representative_agreed(view: View, at: Instant) -> bool:
    return view.life.standing(About(AboutKind.REPRESENTATIVE, "collection"), at) is not None


def _basis_holds(view: View, act: Collect, purpose: PurposePlan, item: str, at: Instant, no: Refusals) -> None:
    declared = view.plan.items[item]
    if purpose.rests_on_consent(item):
        _consent_stands(view, purpose, item, at, no)
    elif (
        purpose.basis.get(item) is not None and purpose.basis[item].value == "law" and not (purpose.law or declared.law)
    ):
        no.add(Reason.LAW_MISSING, purpose.rule.path, purpose.rule.cites("basis"), detail=item)
    apart = declared.nature in _SEPARATE_CONSENT and not (purpose.law or declared.law)
    if apart and view.life.standing(About(AboutKind.ITEM, item), at) is None:
        separate = view.plan.builtin["separate"]
        no.add(Reason.SEPARATE_CONSENT_MISSING, separate.path, separate.cites(), "pipa 23, 24", item)
    if (
        "device-permission" in purpose.needs
        and view.life.standing(About(AboutKind.PERMISSION, purpose.name), at) is None
    ):
        no.add(Reason.PERMISSION_MISSING, purpose.rule.path, purpose.rule.cites("needs"), "network act 22-2", item)
    missing = declared.needs - act.proofs
    if missing:
        no.add(Reason.IDENTITY_NOT_PROVED, declared.rule.path, declared.rule.cites("needs"), detail=item)


def _consent_stands(view: View, purpose: PurposePlan, item: str, at: Instant, no: Refusals) -> None:
    about = About(AboutKind.PURPOSE, purpose.name)
    consent = view.life.standing(about, at)
    if consent is None:
        event = view.life.last_consent_event(about, at)
        reason = Reason.CONSENT_WITHDRAWN if event is not None else Reason.CONSENT_MISSING
        no.add(reason, purpose.rule.path, purpose.rule.cites("basis"), detail=item)
        return
    agreed = view.line.version(consent.version)
    scope = agreed.purposes.get(purpose.name) if agreed else None
    if agreed is not view.plan and (scope is None or item not in scope.items):
        no.add(Reason.CONSENT_SCOPE_OLDER, purpose.rule.path, purpose.rule.cites("items"), detail=item)


def _engagement_open(view: View, act: Collect, purpose: PurposePlan, at: Instant, no: Refusals) -> None:
    if not purpose.per:
        return
    engagement = view.state.engagements.get(act.engagement) if act.engagement else None
    if engagement is None or engagement.kind not in purpose.per:
        no.add(Reason.GROUND_ENDED, purpose.rule.path, purpose.rule.cites("per"), detail="no such engagement is open")
    elif view.life.engagement_end(engagement.engagement_id).at <= at:
        no.add(Reason.GROUND_ENDED, purpose.rule.path, purpose.rule.cites("until"), detail="the engagement has ended")


def _ground_would_live(view: View, act: Collect, purpose: PurposePlan, at: Instant, no: Refusals) -> None:
    """Nothing is taken that would be due in the same instant, nor for what the organisation has given up."""
    use = Use(purpose.name, act.engagement, at, view.plan.version, at)
    for item in act.items:
        if item in purpose.items and not view.life.would_live(item, use, at):
            no.found.append(purpose.rule.cited(Reason.GROUND_ENDED, "until", item))
    needless = view.plan.destruction
    for code in needless.needless_after - {"ended"}:
        for fact in view.controller.facts_by_code.get(code, ()):
            if view.plan.effective_at <= fact.at <= at and fact.about in (None, purpose.name):
                no.found.append(needless.when_needless.cited(Reason.GROUND_ENDED, "after", code))


def _suspended_for(view: View, purpose: str, at: Instant) -> Cited | None:
    for request in view.state.requests:
        if request.right == "suspension" and request.proved_at is not None and request.proved_at <= at:
            ended = min(one for one in (request.lifted_at, _refused_at(request), FOREVER) if one is not None)
            of_all = not request.values and request.state is not RequestState.TAKEN_BACK
            if of_all and at < ended and (not request.purposes or purpose in request.purposes):
                return _hold_cited(view.plan, Reason.SUSPENDED, request)
    return None


# ── giving away ─────────────────────────────────────────────────────────────────────────────────────────────────────


def decide_provide(act: Provide, view: View, at: Instant) -> Decision:
    """LAW: Personal Information Protection Act 17: declared recipient, its own consent, items within, period
    running.
    """
    no = Refusals()
    row = view.plan.provisions.get(act.recipient)
    if row is None:
        none = view.plan.builtin["recipients"]
        return refused(none.cited(Reason.RECIPIENT_UNDECLARED, detail=act.recipient))
    if row.blocked:
        no.add(Reason.DECLARATION_INCOMPLETE, row.rule.path, row.rule.cites())
    for item in act.items:
        if item not in row.items:
            no.add(Reason.ITEMS_EXCEED_PROVISION, row.rule.path, row.rule.cites("items"), detail=item)
    if row.whose and view.state.kind not in row.whose:
        no.add(Reason.KIND_NOT_COVERED, row.rule.path, row.rule.cites("whose"))
    about = About(AboutKind.PROVISION, act.recipient)
    _own_consent(view, about, row.rule, row.by, at, no, "pipa 17(1)1")
    _agreed_scope(view, about, act.items, row.rule, at, no)
    _crossing_border(view, row.party, row.seat, "provision", at, no)
    if row.per and not _open_engagement(view, row.per, act.engagement, at):
        no.add(Reason.PROVISION_ENDED, row.rule.path, row.rule.cites("use-until"), detail="its engagement is not open")
    cover = _live_values(view, act.items, None, at, row.rule, no)
    return refused(*no.found) if no.found else Decision(True, (row.rule.cited(),), cover)


def _own_consent(
    view: View, about: About, rule: Rule, by: frozenset[str], at: Instant, no: Refusals, law: str | None = None
) -> None:
    event = view.life.last_consent_event(about, at)
    if event is None:
        no.add(Reason.CONSENT_MISSING, rule.path, rule.cites("consent"), law)
    elif not event.given:
        no.add(Reason.CONSENT_WITHDRAWN, rule.path, rule.cites("consent"))
    elif by and not any(one.channel in by for one in view.life.given_since(about, at)):
        no.add(Reason.CONSENT_MISSING, rule.path, rule.cites("by"), detail=event.channel)


def _agreed_scope(view: View, about: About, items: tuple[str, ...], rule: Rule, at: Instant, no: Refusals) -> None:
    """Who agreed under an older version agreed to its items for this recipient, and to no more."""
    consent = view.life.standing(about, at)
    agreed = view.line.version(consent.version) if consent else None
    if agreed is None or agreed is view.plan:
        return
    rows = agreed.provisions if about.kind is AboutKind.PROVISION else agreed.entrustments
    row = rows.get(about.name)
    for item in items:
        if row is None or item not in row.items:
            no.add(Reason.CONSENT_SCOPE_OLDER, rule.path, rule.cites("items"), detail=item)


def _open_engagement(view: View, kinds: frozenset[str], named: str | None, at: Instant) -> bool:
    return any(
        one.kind in kinds
        and (named is None or one.engagement_id == named)
        and view.life.engagement_end(one.engagement_id).at > at
        for one in view.state.engagements.values()
    )


def _crossing_border(view: View, party: str, seat: str | None, standing_for: str, at: Instant, no: Refusals) -> None:
    """LAW: Personal Information Protection Act 28-8: a basis of its own to leave the country; a stop order halts at
    once.
    """
    rows = [row for row in view.plan.transfers.values() if row.party == party and row.standing_for == standing_for]
    if not rows and seat not in (None, "KR"):
        rule = view.plan.builtin["transfers"]
        no.add(Reason.TRANSFER_BASIS_MISSING, rule.path, rule.cites(), "pipa 28-8", party)
    for row in rows:
        if row.blocked:
            no.add(Reason.TRANSFER_BASIS_MISSING, row.rule.path, row.rule.cites())
        if row.name in view.controller.stopped_transfers:
            no.add(Reason.TRANSFER_STOPPED, row.rule.path, row.rule.cites())
        if row.basis == "consent" and view.life.standing(About(AboutKind.TRANSFER, row.name), at) is None:
            no.add(Reason.TRANSFER_BASIS_MISSING, row.rule.path, row.rule.cites("basis"), "pipa 28-8(1)1")


def _live_values(
    view: View, items: tuple[str, ...], purposes: frozenset[str] | None, at: Instant, rule: Rule, no: Refusals
) -> tuple[ValueId, ...]:
    """Values of the items that a live purpose ground keeps and no hold stops; says why where there is none."""
    cover: list[ValueId] = []
    against: list[Cited] = []
    for item in items:
        for value_id in view.by_item.get(item, ()):
            cited = _handed_over(view, view.values[value_id], purposes, at, rule)
            if cited is None:
                cover.append(value_id)
            else:
                against.append(cited)
    if not cover:
        no.found.extend(against or [rule.cited(Reason.UNKNOWN, "items", ", ".join(items))])
    return tuple(cover)


def _handed_over(view: View, value: Value, purposes: frozenset[str] | None, at: Instant, rule: Rule) -> Cited | None:
    state = _STATE_REASON.get(value.held)
    if state is not None:
        return rule.cited(state)
    named = [view.plan.purposes[one] for one in purposes or () if one in view.plan.purposes]
    if value.held_for is not None and not any(one.held_for_organisation for one in named):
        return rule.cited(Reason.HELD_FOR_ANOTHER)
    live = [
        ground
        for ground in view.life.grounds(value)
        if ground.kind is GroundKind.PURPOSE and ground.live(at) and (purposes is None or ground.purpose in purposes)
    ]
    if not live:
        due = view.life.due(value, at)
        return rule.cited(Reason.VALUE_DUE if due.state is DueState.DUE else Reason.GROUND_ENDED, "use-until")
    held = [holds_on(view, value, ground.purpose, at) for ground in live]
    return _hold_cited(view.plan, *held[0][0]) if all(held) else None


def decide_entrust(act: Entrust, view: View, at: Instant) -> Decision:
    """LAW: Personal Information Protection Act 26: published processor and task, contract in force, sub-processor
    agreed.
    """
    no = Refusals()
    row = view.plan.entrustments.get(act.processor)
    if row is None:
        return refused(view.plan.builtin["recipients"].cited(Reason.RECIPIENT_UNDECLARED, detail=act.processor))
    if row.blocked:
        no.add(Reason.DECLARATION_INCOMPLETE, row.rule.path, row.rule.cites())
    purpose = _purpose_of(view, act.purpose, None, no)
    if purpose is not None and purpose.name not in row.purposes:
        no.add(Reason.ITEM_NOT_COVERED, row.rule.path, row.rule.cites("for"), detail=purpose.name)
    for item in act.items:
        if item not in row.items:
            no.add(Reason.ITEMS_EXCEED_PROVISION, row.rule.path, row.rule.cites("items"), detail=item)
    _agreed_to_processor(view, row, act.items, at, no)
    _contract_in_force(view, row, at, no)
    _crossing_border(view, row.party, row.seat, "entrustment", at, no)
    cover = _live_values(view, act.items, frozenset({act.purpose}), at, row.rule, no)
    return refused(*no.found) if no.found else Decision(True, (row.rule.cited(),), cover)


def _agreed_to_processor(view: View, row: EntrustmentPlan, items: tuple[str, ...], at: Instant, no: Refusals) -> None:
    """The law asks no consent to entrustment; where the document promises to ask, nobody gets data unasked."""
    if row.own_consent:
        about = About(AboutKind.ENTRUSTMENT, row.processor)
        _own_consent(view, about, row.rule, frozenset(), at, no)
        _agreed_scope(view, about, items, row.rule, at, no)


def _contract_in_force(view: View, row: EntrustmentPlan, at: Instant, no: Refusals) -> None:
    contract = view.controller.contract_of(row.party, at)
    if contract is None:
        ended = any(one.party == row.party and one.until_at <= at for one in view.controller.contracts)
        no.add(
            Reason.ENTRUSTMENT_ENDED if ended else Reason.CONTRACT_MISSING, row.rule.path, row.rule.cites("contract")
        )
    elif row.terms - contract.terms:
        no.add(
            Reason.CONTRACT_MISSING,
            row.rule.path,
            row.rule.cites("terms"),
            detail=", ".join(sorted(row.terms - contract.terms)),
        )
    if row.under is not None:
        parent = view.plan.entrustments.get(row.under)
        if contract is not None and not contract.sub_consent:
            no.add(Reason.CONTRACT_MISSING, row.rule.path, row.rule.cites("under"), "pipa 26(6)")
        if parent is not None:
            _contract_in_force(view, parent, at, no)


def decide_disclose(act: Disclose, view: View, at: Instant) -> Decision:
    """A declared exception with everything it needs on record; least items; holds and separation do not stop it."""
    no = Refusals()
    row = view.plan.exceptions.get(act.exception)
    if row is None:
        return refused(view.plan.builtin["exceptions"].cited(Reason.RECIPIENT_UNDECLARED, detail=act.exception))
    missing = row.needs - act.shown
    if missing:
        reason = Reason.APPROVAL_MISSING if missing == {"approver"} else Reason.DEMAND_INCOMPLETE
        no.add(reason, row.rule.path, row.rule.cites("needs"), detail=", ".join(sorted(missing)))
    if row.laws and act.law not in row.laws:
        no.add(Reason.LAW_MISSING, row.rule.path, row.rule.cites("law"), detail=act.law or "")
    for item in act.items:
        if row.items and item not in row.items:
            no.add(Reason.ITEMS_EXCEED_PROVISION, row.rule.path, row.rule.cites("items"), detail=item)
    cover = tuple(
        value_id
        for item in act.items
        for value_id in view.by_item.get(item, ())
        if view.values[value_id].held in (HeldState.HELD, HeldState.SEPARATED)
        and view.life.due(view.values[value_id], at).state is not DueState.DUE
        and (not act.values or value_id in act.values)
    )
    if not cover:
        no.add(Reason.UNKNOWN, row.rule.path, row.rule.cites())
    return refused(*no.found) if no.found else Decision(True, (row.rule.cited(),), cover)


# ── separated tier, the person's own, messages ──────────────────────────────────────────────────────────────────────


def decide_read_separated(act: ReadSeparated, view: View, at: Instant) -> Decision:
    """From the separated tier, for the use that a live ground of the value names, to a role with that duty."""
    rule = view.plan.builtin["separation"]
    no = Refusals()
    if "separated" not in act.reader.duties:
        no.found.append(rule.cited(Reason.DUTY_MISSING, "use"))
    if not act.reader.cleared_from <= at < act.reader.cleared_until:
        no.found.append(rule.cited(Reason.CLEARANCE_LAPSED, "use"))
    cover: list[ValueId] = []
    because: dict[str, Cited] = {}
    of_values: list[Cited] = []
    for value_id in act.values or view.values:
        value = view.values.get(value_id)
        if value is None or value.held is not HeldState.SEPARATED:
            of_values.append(rule.cited(Reason.UNKNOWN, "use"))
            continue
        live = [one for one in view.life.grounds(value) if one.rule.path == act.ground and one.live(at)]
        held = [cited for ground in live[:1] for cited in _holds_apart(view, value, ground, at)]
        if live and not held:
            cover.append(value_id)
            because[act.ground] = live[0].rule.cited()
        elif live:
            of_values += held
        else:
            reason = Reason.VALUE_DUE if view.life.due(value, at).state is DueState.DUE else Reason.GROUND_ENDED
            of_values.append(rule.cited(reason, "use", act.ground))
    if no.found or not cover:
        missing = of_values or [rule.cited(Reason.UNKNOWN, "use")]
        return refused(*no.found, *(() if cover else missing))
    return Decision(True, (rule.cited(key="use"), *because.values()), tuple(cover))


def _holds_apart(view: View, value: Value, ground: Ground, at: Instant) -> Iterable[Cited]:
    """A freeze stops the separated tier too, a statute excepted where the right says so; a suspension stops all."""
    for reason, request in holds_on(view, value, ground.purpose, at):
        right = view.plan.rights.get(request.right)
        spared = right is not None and right.freeze_except == "statute" and ground.kind is GroundKind.STATUTE
        if reason is Reason.SUSPENDED or not spared:
            yield _hold_cited(view.plan, reason, request)


def decide_show(act: Show, view: View, at: Instant) -> Decision:
    """To the person, for access or portability, from both tiers; holds do not stop it, destruction ordered does."""
    right = view.plan.rights.get(act.right)
    rule = right.rule if right else view.plan.builtin["rights"]
    cover = tuple(
        value.value_id
        for value in view.state.values
        if value.held in (HeldState.HELD, HeldState.SEPARATED)
        and (not act.values or value.value_id in act.values)
        and view.plan.items.get(value.item) is not None
        and view.plan.items[value.item].nature not in (Nature.PASSWORD, Nature.SECRET)
    )
    if not cover:
        return refused(rule.cited(Reason.UNKNOWN))
    if not act.identity_proved:
        return refused(rule.cited(Reason.IDENTITY_NOT_PROVED, "by"))
    return Decision(True, (rule.cited(),), cover)


def decide_send(act: Send, view: View, at: Instant) -> Decision:
    """A promotional message: live optional consent to the purpose, live consent to the medium, a third at night."""
    no = Refusals()
    purpose = _purpose_of(view, act.purpose, None, no)
    if purpose is None:
        return refused(*no.found)
    rule = view.plan.advertising.get(act.medium, (view.plan.builtin["advertising"], "own-consent"))[0]
    if view.state.minor_until is not None and at < view.state.minor_until:
        children = view.plan.children
        no.add(
            Reason.CHILD_WITHOUT_REPRESENTATIVE,
            children.never_rule.path,
            children.never_rule.cites("sent"),
            children.rule.law,
        )
    if purpose.required:
        no.add(Reason.CONSENT_MISSING, purpose.rule.path, purpose.rule.cites(), "pipa 22(5)")
    else:
        _consent_stands(view, purpose, next(iter(purpose.items)), at, no)
    _medium_agreed(view, act, rule, at, no)
    suspended = _suspended_for(view, purpose.name, at)
    if suspended is not None:
        no.found.append(suspended)
    return refused(*no.found) if no.found else Decision(True, (purpose.rule.cited(), rule.cited()))


def _medium_agreed(view: View, act: Send, rule: Rule, at: Instant, no: Refusals) -> None:
    """LAW: Network Act 50: receiving consent per medium, reconfirmed every two years, night apart except e-mail."""
    medium = view.life.standing(About(AboutKind.MEDIUM, act.medium), at)
    if medium is None:
        no.add(Reason.RECEIVING_CONSENT_MISSING, rule.path, rule.cites(), "network act 50(1)", act.medium)
    elif end_of(medium.at, RECONFIRMATION, view.plan.zone) <= at:
        no.add(Reason.RECONFIRMATION_OVERDUE, rule.path, rule.cites(), "network act decree 62-3", act.medium)
    night = act.local_hour >= NIGHT_BEGINS or act.local_hour < NIGHT_ENDS
    if night and act.medium != "email":
        word = view.plan.advertising.get(act.medium, (rule, "never"))[1]
        agreed = view.life.standing(About(AboutKind.NIGHT, act.medium), at)
        if word == "never" or agreed is None:
            no.add(Reason.NIGHT, rule.path, rule.cites("at-night"), "network act 50(3)", act.medium)


RECONFIRMATION = Period(years=2)
"""LAW: Network Act decree 62-3."""
