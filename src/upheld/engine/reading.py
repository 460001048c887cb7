"""Whether values may be seen: for a live purpose, from the separated tier, by the person.

INVARIANT: I1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar, assert_never

from upheld.dates import FOREVER, Instant
from upheld.engine.acts import (
    Cited,
    Decision,
    Read,
    Reader,
    ReaderKind,
    ReadSeparated,
    Reason,
    Refusals,
    Show,
    ValueId,
    refused,
)
from upheld.engine.layers import (
    agreed_to_processor,
    contract_in_force,
    crossing_border,
    hold_cited,
    item_covered,
    purpose_of,
)
from upheld.engine.lifecycle import DueState, Ground
from upheld.engine.plan import EntrustmentPlan, GroundKind, PurposePlan
from upheld.engine.state import ACCEPTANCE_ENDED, BOTH_ACCEPTED, About, AboutKind, Fact, HeldState, Use, Value
from upheld.engine.view import STATE_REASON, Pass, Stop, View, freeze_spares, hidden_cited, holds_on, nothing_there
from upheld.policy.vocabulary import Nature

T = TypeVar("T")


def decide_read(act: Read, view: View, at: Instant) -> Decision:
    """Values for a live purpose ground, and only for that purpose. Covers what may be seen, value by value."""
    wanted = _once(act.values) or [one for item in _once(act.items) for one in view.by_item.get(item, ())]
    plainly = _plainly_asked(act, view, at)
    if plainly:
        passes = view.passes.get((act.purpose, act.use), _NO_PASSES)
        cover: list[ValueId] = []
        without: list[ValueId] = []
        because: tuple[Cited, ...] = ()
        until = FOREVER
        for value_id in wanted:
            found = passes.get(value_id)
            if found is not None and found.from_at <= at < found.until_at:
                cover.append(value_id)
                because = found.because
                until = min(until, found.until_at)
            else:
                without.append(value_id)
        if cover and not without:
            return Decision(True, because, tuple(cover), until)
        if cover and act.items:
            # No pass is no refusal yet: another engagement may carry the use, or a request that stops nothing hid it.
            slowly = {one: _stopped(act, view, at, one) for one in without}
            seen = [one for one in wanted if one not in slowly or slowly[one].granted]
            until = min([until, *(one.until_at for one in slowly.values() if one.granted)])
            return Decision(True, because, tuple(seen), until)
    if plainly and len(wanted) == 1:
        return _stopped(act, view, at, wanted[0])
    return _read_slowly(act, view, at, tuple(wanted))


def _once(named: tuple[T, ...]) -> tuple[T, ...]:
    """Whatever is named twice is seen once, and stands once in the record."""
    return named if len(named) < 2 else tuple(dict.fromkeys(named))


def _stopped(act: Read, view: View, at: Instant, value_id: ValueId) -> Decision:
    """One value that has no pass: the refusal is reckoned once and stands until something about the value changes."""
    asked = (act.purpose, act.use, value_id)
    known = view.stops.get(asked)
    if known is not None and known.from_at <= at < known.until_at:
        return known.decision
    decision = _read_slowly(act, view, at, (value_id,))
    value = view.values.get(value_id)
    if value is not None and not decision.granted and not _reader_decides(view, value):
        view.stops[asked] = Stop(*view.between(value, at), decision)
    return decision


_NO_PASSES: Mapping[ValueId, Pass] = {}


def _plainly_asked(act: Read, view: View, at: Instant) -> bool:
    """Whether passes can answer: a use that runs, no engagement, items that the purpose lists, a reader in order."""
    if act.engagement or act.purpose is None or not reader_passes(act.reader, act.purpose, at):
        return False
    purpose = view.plan.purposes.get(act.purpose)
    return purpose is not None and act.use in purpose.runs and purpose.items.issuperset(act.items)


def reader_passes(reader: Reader, purpose: str, at: Instant) -> bool:
    """Whether nothing about the reader stands in the way: task, clearance, employer."""
    return (
        (reader.purposes is None or purpose in reader.purposes)
        and reader.cleared_from <= at < reader.cleared_until
        and reader.party is None
        and reader.kind in (ReaderKind.HANDLER, ReaderKind.APPLICATION)
    )


def _read_slowly(act: Read, view: View, at: Instant, wanted: tuple[ValueId, ...]) -> Decision:
    no = Refusals()
    purpose = purpose_of(view, act.purpose, act.use, no)
    if purpose is not None and purpose.uses and act.use is None:
        no.found.append(purpose.rule.cited(Reason.PURPOSE_UNNAMED, "uses"))
    for item in act.items:
        item_covered(view.plan, purpose, item, no)
    if purpose is None:
        return refused(*no.found)
    _reader_may(view, act, purpose, at, no)
    processor = view.plan.entrustments.get(act.reader.party or "")
    if not wanted:
        no.add(nothing_there(view), purpose.rule.path, purpose.rule.cites(), detail=", ".join(act.items))
    cover: list[ValueId] = []
    of_values: list[Cited] = []
    until = FOREVER
    for value_id in wanted:
        against, ends = _value_readable(view, purpose, value_id, act, at)
        if processor is not None and purpose.name in processor.purposes and not against:
            against = _abroad_or_beyond(view, processor, view.values[value_id].item, at)
        if not against:
            cover.append(value_id)
            until = min(until, ends)
        of_values += against
    if no.found or not cover:
        return refused(*no.found, *(() if cover else of_values))
    return Decision(True, (purpose.rule.cited(),), tuple(cover), until)


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
    state = STATE_REASON.get(value.held)
    if state is not None:
        return [purpose.rule.cited(state, "until")], at
    if value.held_for is not None and not _is_theirs(value.held_for, purpose, act.reader):
        return [purpose.rule.cited(Reason.HELD_FOR_ANOTHER)], at
    ground = _live_use(view, value, purpose.name, act, at)
    if ground is None:
        return [_why_no_ground(view, value, purpose, at)], at
    on_consent = purpose.rests_on_consent(value.item) and not _unasked(value, purpose)
    if on_consent and not view.agreed_use(purpose, act.use, at):
        return [purpose.rule.cited(Reason.CONSENT_SCOPE_OLDER, "uses", act.use or "")], at
    return [hold_cited(view.plan, *held) for held in holds_on(view, value, purpose.name, at)], ground.until.at


def _is_theirs(organisation: str, purpose: PurposePlan, reader: Reader) -> bool:
    """What is held for an organisation serves its own task alone, and no reader of another. INVARIANT: I12."""
    return purpose.held_for_organisation and reader.organisation in (None, organisation)


def _unasked(value: Value, purpose: PurposePlan) -> bool:
    return any(use.purpose == purpose.name and use.exception for use in value.uses)


def _reader_decides(view: View, value: Value) -> bool:
    """Whether it depends on who looks as well: a secret opens to its job, what is held for somebody to theirs."""
    item = view.plan.items.get(value.item)
    return value.held_for is not None or (item is not None and item.nature is Nature.SECRET)


def _is_the_job(reader: Reader, purpose: str) -> bool:
    """Credentials of another service open to the job that needs them, bound to that one purpose, and to nobody else."""
    return reader.kind is ReaderKind.APPLICATION and reader.purposes == frozenset({purpose})


def _live_use(view: View, value: Value, purpose: str, act: Read, at: Instant) -> Ground | None:
    for ground in view.life.grounds(value):
        ours = ground.kind is GroundKind.PURPOSE and ground.purpose == purpose
        if ours and ground.live(at) and act.engagement in (None, ground.engagement):
            return ground
    return None


def _why_no_ground(view: View, value: Value, purpose: PurposePlan, at: Instant) -> Cited:
    about = About(AboutKind.PURPOSE, purpose.name)
    if purpose.rests_on_consent(value.item) and not _unasked(value, purpose):
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


def _reader_may(view: View, act: Read, purpose: PurposePlan, at: Instant, no: Refusals) -> None:
    reader = act.reader
    match reader.kind:
        case ReaderKind.HANDLER | ReaderKind.APPLICATION:
            _staff_may(view, reader, purpose, at, no)
        case ReaderKind.FELLOW:
            _fellow_may(view, reader, purpose, at, no)
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
    agreed_to_processor(view, entrusted, (), at, no)
    contract_in_force(view, entrusted, at, no)


def _abroad_or_beyond(view: View, row: EntrustmentPlan, item: str, at: Instant) -> list[Cited]:
    """What a processor does not get it does not look at either: no more than its row and its way abroad name."""
    if item not in row.items:
        return [row.rule.cited(Reason.ITEMS_EXCEED_PROVISION, "items", item)]
    no = Refusals()
    agreed_to_processor(view, row, (item,), at, no)
    crossing_border(view, row.party, row.seat, "entrustment", (item,), at, no)
    return no.found


def _fellow_may(view: View, reader: Reader, purpose: PurposePlan, at: Instant, no: Refusals) -> None:
    """One of the same group, while the person is in it; anybody else while what both accepted lasts."""
    groups = {
        one.organisation
        for one in view.state.engagements.values()
        if one.begun_at <= at < view.life.engagement_end(one.engagement_id).at
    }
    same = reader.organisation is not None and reader.organisation in groups
    allowed = "same-group" in purpose.needs and same
    if not allowed and "both-accepted" in purpose.needs:
        allowed = any(_still_accepted(view, purpose, fact, at) for fact in _accepted(view, reader.reader_id))
    if not allowed:
        no.add(Reason.NOT_SAME_GROUP, purpose.rule.path, purpose.rule.cites("needs"))


def _accepted(view: View, other: str) -> list[Fact]:
    """When the person and somebody accepted each other, unless one of them took it back since."""
    facts = [fact for fact in view.state.facts if fact.about == other]
    taken_back = [fact.at for fact in facts if fact.code == ACCEPTANCE_ENDED]
    return [fact for fact in facts if fact.code == BOTH_ACCEPTED and not any(fact.at <= end for end in taken_back)]


def _still_accepted(view: View, purpose: PurposePlan, accepted: Fact, at: Instant) -> bool:
    """An acceptance lasts no longer than what was collected for the purpose on its day would be used: to the end of
    that consent, period or engagement, whoever brought it about. A child's ends with its representative's consent too.
    """
    life, began = view.life, accepted.at
    declared = view.line.at(began)
    if declared is None or not _parent_agrees(view, began, at):
        return False
    item = next(iter(sorted(purpose.items, key=lambda one: (not purpose.rests_on_consent(one), one))), "")
    running = [
        one.engagement_id
        for one in view.state.engagements.values()
        if one.kind in purpose.per and one.begun_at <= began < life.engagement_end(one.engagement_id).at
    ]
    for engagement in [accepted.engagement] if accepted.engagement else running if purpose.per else [None]:
        use = Use(purpose.name, engagement, began, declared.version, accepted.known_at)
        if life.would_live(item, use, at):
            return True
    return False


def _parent_agrees(view: View, since: Instant, at: Instant) -> bool:
    grown = view.state.minor_until
    if grown is None or grown <= since:
        return True
    return view.life.consent_until(About(AboutKind.REPRESENTATIVE, "collection"), since).at > at


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
    for value_id in _once(act.values) or view.values:
        value = view.values.get(value_id)
        if value is None or value.held is not HeldState.SEPARATED:
            of_values.append(rule.cited(nothing_there(view), "use"))
            continue
        hidden = hidden_cited(view, value)
        if hidden is not None:
            of_values.append(hidden)
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
        missing = of_values or [rule.cited(nothing_there(view), "use")]
        return refused(*no.found, *(() if cover else missing))
    return Decision(True, (rule.cited(key="use"), *because.values()), tuple(cover))


def _holds_apart(view: View, value: Value, ground: Ground, at: Instant) -> Iterable[Cited]:
    """A freeze stops the separated tier too, a statute excepted where the right says so; a suspension stops all."""
    for reason, request in holds_on(view, value, ground.purpose, at):
        if reason is Reason.SUSPENDED or not freeze_spares(view.plan, request, ground.kind):
            yield hold_cited(view.plan, reason, request)


def decide_show(act: Show, view: View, at: Instant) -> Decision:
    """To the person, for access or portability, from both tiers; holds do not stop it, destruction ordered does."""
    right = view.plan.rights.get(act.right)
    rule = right.rule if right else view.plan.builtin["rights"]
    cover = tuple(
        value.value_id
        for value in view.state.values
        if value.held in (HeldState.HELD, HeldState.SEPARATED)
        and (not act.values or value.value_id in act.values)
        and value.item in view.plan.items
        and hidden_cited(view, value) is None
    )
    if not cover:
        return refused(rule.cited(nothing_there(view)))
    if not act.identity_proved:
        return refused(rule.cited(Reason.IDENTITY_NOT_PROVED, "by"))
    return Decision(True, (rule.cited(),), cover)
