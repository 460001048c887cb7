"""Whether data may leave the house: to a recipient, to a processor, under an exception, in a message to the person."""

from __future__ import annotations

from typing import NamedTuple

from upheld.dates import Instant, end_of
from upheld.engine.acts import (
    Cited,
    Decision,
    Disclose,
    EngagementId,
    Entrust,
    Provide,
    Reason,
    Refusals,
    Send,
    ValueId,
    refused,
)
from upheld.engine.layers import (
    agreed_scope,
    agreed_to_processor,
    consent_stands,
    contract_in_force,
    crossing_border,
    hold_cited,
    own_consent,
    purpose_of,
    suspended_for,
)
from upheld.engine.lifecycle import DueState, Scope
from upheld.engine.plan import EntrustmentPlan, GroundKind, ProvisionPlan, PurposePlan, Rule
from upheld.engine.state import About, AboutKind, Disclosure, HeldState, Value
from upheld.engine.view import STATE_REASON, View, hidden_cited, holds_on, nothing_there, secret_cited
from upheld.policy.ends import End
from upheld.policy.vocabulary import EMAIL, served_by


class Against(NamedTuple):
    """One thing that speaks against something given away: the element, the reason, and the value where it is one's."""

    element: str
    reason: Reason | None
    value: ValueId | None


def decide_provide(act: Provide, view: View, at: Instant) -> Decision:
    """LAW: `cited.provision-consent`: declared recipient, its own consent, items within, period running."""
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
    _provision_stands(view, row, act.items, act.engagement, at, no)
    cover = _live_values(view, act.items, None, at, row.rule, no)
    return refused(*no.found) if no.found else Decision(True, (row.rule.cited(),), cover)


def _provision_stands(
    view: View, row: ProvisionPlan, items: tuple[str, ...], engagement: EngagementId | None, at: Instant, no: Refusals
) -> None:
    """What a recipient needs besides values: its own consent, a way abroad, the engagement that it is for."""
    about = About(AboutKind.PROVISION, row.recipient)
    own_consent(view, about, row.rule, row.by, at, no, view.plan.country.cites("provision-consent"))
    agreed_scope(view, about, items, row.rule, at, no)
    crossing_border(view, row.party, row.seat, "provision", items, at, no)
    if row.per and not _open_engagement(view, row.per, engagement, at):
        no.add(Reason.PROVISION_ENDED, row.rule.path, row.rule.cites("use-until"), detail="its engagement is not open")
    elif row.use_until is not None and _over(view, row.use_until, engagement, about, at):
        no.add(Reason.PROVISION_ENDED, row.rule.path, row.rule.cites("use-until"))


def _over(view: View, until: End, engagement: EngagementId | None, about: About, at: Instant) -> bool:
    """Whether the time for which a recipient may use it is over before it gets it."""
    return view.life.end(until, Scope(at, at, engagement, None, about=about)).at <= at


def _open_engagement(view: View, kinds: frozenset[str], named: str | None, at: Instant) -> bool:
    return any(
        one.kind in kinds
        and (named is None or one.engagement_id == named)
        and view.life.engagement_end(one.engagement_id).at > at
        for one in view.state.engagements.values()
    )


def _live_values(
    view: View, items: tuple[str, ...], purposes: frozenset[str] | None, at: Instant, rule: Rule, no: Refusals
) -> tuple[ValueId, ...]:
    """Values of the items that a live purpose ground keeps and no hold stops; says why where there is none."""
    cover: list[ValueId] = []
    against: list[Cited] = []
    for item in dict.fromkeys(items):  # an item named twice goes out once
        for value_id in view.by_item.get(item, ()):
            cited = _handed_over(view, view.values[value_id], purposes, at, rule)
            if cited is None:
                cover.append(value_id)
            else:
                against.append(cited)
    if not cover:
        no.found.extend(against or [rule.cited(nothing_there(view), "items", ", ".join(items))])
    return tuple(cover)


def _handed_over(view: View, value: Value, purposes: frozenset[str] | None, at: Instant, rule: Rule) -> Cited | None:
    state = STATE_REASON.get(value.held)
    if state is not None:
        return rule.cited(state)
    hidden = hidden_cited(view, value) if purposes is None else secret_cited(view, value)
    if hidden is not None:
        return hidden
    named = [view.plan.purposes[one] for one in purposes or () if one in view.plan.purposes]
    if value.held_for is not None and not any(one.held_for_organisation for one in named):
        return rule.cited(Reason.HELD_FOR_ANOTHER)
    return _out_of_use(view, value, purposes, at, rule)


def _out_of_use(view: View, value: Value, purposes: frozenset[str] | None, at: Instant, rule: Rule) -> Cited | None:
    """Why a value serves none of the purposes at an instant, wherever it is by now: no ground, or a hold on it."""
    live = [
        ground
        for ground in view.life.grounds(value)
        if ground.kind is GroundKind.PURPOSE and ground.live(at) and (purposes is None or ground.purpose in purposes)
    ]
    if not live:
        due = view.life.due(value, at)
        return rule.cited(Reason.VALUE_DUE if due.state is DueState.DUE else Reason.GROUND_ENDED, "use-until")
    held = [holds_on(view, value, ground.purpose, at) for ground in live]
    return hold_cited(view.plan, *held[0][0]) if all(held) else None


def decide_entrust(act: Entrust, view: View, at: Instant) -> Decision:
    """LAW: `entrustment.terms`: published processor and task, contract in force, sub-processor agreed."""
    no = Refusals()
    row = view.plan.entrustments.get(act.processor)
    if row is None:
        return refused(view.plan.builtin["recipients"].cited(Reason.RECIPIENT_UNDECLARED, detail=act.processor))
    if row.blocked:
        no.add(Reason.DECLARATION_INCOMPLETE, row.rule.path, row.rule.cites())
    purpose = purpose_of(view, act.purpose, None, no)
    if purpose is not None and purpose.name not in row.purposes:
        no.add(Reason.ITEM_NOT_COVERED, row.rule.path, row.rule.cites("for"), detail=purpose.name)
    for item in act.items:
        if item not in row.items:
            no.add(Reason.ITEMS_EXCEED_PROVISION, row.rule.path, row.rule.cites("items"), detail=item)
    _entrustment_stands(view, row, act.items, at, no)
    cover = _live_values(view, act.items, frozenset({act.purpose}), at, row.rule, no)
    return refused(*no.found) if no.found else Decision(True, (row.rule.cited(),), cover)


def _entrustment_stands(view: View, row: EntrustmentPlan, items: tuple[str, ...], at: Instant, no: Refusals) -> None:
    """What a processor needs besides values: a consent where promised, a contract, a way abroad."""
    agreed_to_processor(view, row, items, at, no)
    contract_in_force(view, row, at, no)
    crossing_border(view, row.party, row.seat, "entrustment", items, at, no)


def decide_disclose(act: Disclose, view: View, at: Instant) -> Decision:
    """A declared exception with everything it needs on record; least items; holds and separation do not stop it."""
    no = Refusals()
    row = view.plan.exceptions.get(act.exception)
    if row is None:
        return refused(view.plan.builtin["exceptions"].cited(Reason.RECIPIENT_UNDECLARED, detail=act.exception))
    if row.blocked:
        no.add(Reason.DECLARATION_INCOMPLETE, row.rule.path, row.rule.cites())
    missing = row.needs - act.shown
    if missing:
        reason = Reason.APPROVAL_MISSING if missing == {"approver"} else Reason.DEMAND_INCOMPLETE
        no.add(reason, row.rule.path, row.rule.cites("needs"), detail=", ".join(sorted(missing)))
    if row.laws and act.law not in row.laws:
        no.add(Reason.LAW_MISSING, row.rule.path, row.rule.cites("law"), detail=act.law or "")
    for item in act.items:
        if row.items and item not in row.items:
            no.add(Reason.ITEMS_EXCEED_PROVISION, row.rule.path, row.rule.cites("items"), detail=item)
    there = [
        view.values[value_id]
        for item in dict.fromkeys(act.items)
        for value_id in view.by_item.get(item, ())
        if view.values[value_id].held in (HeldState.HELD, HeldState.SEPARATED)
        and view.life.due(view.values[value_id], at).state is not DueState.DUE
        and (not act.values or value_id in act.values)
    ]
    hidden = [cited for value in there if (cited := hidden_cited(view, value)) is not None]
    cover = tuple(value.value_id for value in there if hidden_cited(view, value) is None)
    if not cover:
        no.found.extend(hidden or [row.rule.cited(nothing_there(view))])
    return refused(*no.found) if no.found else Decision(True, (row.rule.cited(),), cover)


def against_given(one: Disclosure, went_as: str, view: View) -> frozenset[Against]:
    """What speaks against something that was given away, at that instant, by what the view knows: `docs/rules.md` 3.10.

    `view` is of that instant. Where the values are by now does not matter, nor do papers that were looked at then.
    """
    no, plan = Refusals(), view.plan
    known = [view.values[value] for value in one.values if value in view.values]
    items = tuple(dict.fromkeys(value.item for value in known))
    rule, purposes = plan.builtin["recipients"], None
    match went_as:
        case "provision" if (given := plan.provisions.get(one.recipient)) is not None:
            rule = given.rule
            _provision_stands(view, given, items, one.engagement, one.at, no)
        case "entrustment" if (handed := plan.entrustments.get(one.recipient)) is not None:
            rule, purposes = handed.rule, handed.purposes
            _entrustment_stands(view, handed, items, one.at, no)
        case "exception" if (exception := plan.exceptions.get(one.recipient)) is not None:
            due = [value for value in known if view.life.due(value, one.at).state is DueState.DUE]
            return frozenset(Against(exception.rule.path, Reason.VALUE_DUE, value.value_id) for value in due)
        case _:
            pass
    found = {Against(cited.element, cited.reason, None) for cited in no.found}
    for value in known:
        cited = _out_of_use(view, value, purposes, one.at, rule)
        if cited is not None:  # whether something else kept the value then makes no difference to who got it
            reason = Reason.GROUND_ENDED if cited.reason is Reason.VALUE_DUE else cited.reason
            found.add(Against(cited.element, reason, value.value_id))
    return frozenset(found)


def decide_send(act: Send, view: View, at: Instant) -> Decision:
    """A promotional message: live optional consent to the purpose, live consent to the medium, a third at night."""
    no = Refusals()
    purpose = purpose_of(view, act.purpose, None, no)
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
        no.add(Reason.CONSENT_MISSING, purpose.rule.path, purpose.rule.cites(), view.plan.country.cites("optional"))
    else:
        _agreed_to_any(view, purpose, at, no)
    _medium_agreed(view, act, rule, at, no)
    _still_used(view, purpose, at, no)
    suspended = suspended_for(view, purpose.name, at)
    if suspended is not None:
        no.found.append(suspended)
    return refused(*no.found) if no.found else Decision(True, (purpose.rule.cited(), rule.cited()))


def _agreed_to_any(view: View, purpose: PurposePlan, at: Instant, no: Refusals) -> None:
    """Consent to the purpose that reaches at least one of its items."""
    against = Refusals()
    for item in sorted(purpose.items) or [""]:
        before = len(against.found)
        consent_stands(view, purpose, item, at, against)
        if len(against.found) == before:
            return
    no.found.extend(against.found)


def _still_used(view: View, purpose: PurposePlan, at: Instant, no: Refusals) -> None:
    """A message goes out on data in use for its purpose: when the last of it is over, nothing is sent any more."""
    used = [
        value
        for value in view.state.values
        if value.held is HeldState.HELD
        and any(one.purpose == purpose.name and one.live(at) for one in view.life.grounds(value) if one.purpose)
        and value.item in purpose.items
    ]
    if not used:
        no.found.append(purpose.rule.cited(Reason.GROUND_ENDED, "until"))
    held = [holds_on(view, value, purpose.name, at) for value in used]
    if used and all(held):
        no.found.extend(hold_cited(view.plan, *one) for one in held[0])


def _medium_agreed(view: View, act: Send, rule: Rule, at: Instant, no: Refusals) -> None:
    """LAW: `cited.medium`, `advertising.*`: consent to receive on each medium, asked again, night apart but for e-mail.

    Where no law speaks of the night, or not for e-mail, it is apart where the policy promises so.
    """
    law = view.plan.country
    medium = view.life.standing(About(AboutKind.MEDIUM, act.medium), at)
    if medium is None:
        no.add(Reason.RECEIVING_CONSENT_MISSING, rule.path, rule.cites(), law.cites("medium"), act.medium)
    elif law.reconfirmed is not None and end_of(medium.at, law.reconfirmed, view.plan.zone) <= at:
        article = law.article("advertising.reconfirmed")
        no.add(Reason.RECONFIRMATION_OVERDUE, rule.path, rule.cites(), article, act.medium)
    by_law = law.has_night and served_by(act.medium) != EMAIL
    if (by_law or act.medium in view.plan.advertising) and law.is_night(act.local_hour):
        word = view.plan.advertising.get(act.medium, (rule, "own-consent"))[1]  # undeclared: no promise beyond the law
        agreed = view.life.standing(About(AboutKind.NIGHT, act.medium), at)
        if word == "never" or agreed is None:
            article = law.article("advertising.night-from")
            no.add(Reason.NIGHT, rule.path, rule.cites("at-night"), article, act.medium)
