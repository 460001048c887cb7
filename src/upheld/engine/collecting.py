"""Whether items may be taken: what the purpose lists, by a declared way, of a covered kind of person, on its basis."""

from __future__ import annotations

from collections.abc import Iterable

from upheld.dates import Instant
from upheld.engine.acts import Cited, Collect, Decision, EngagementId, Reason, Refusals, ValueId, refused
from upheld.engine.compile import CHILD_CONTACT
from upheld.engine.layers import consent_stands, hold_cited, item_covered, purpose_of, suspended_for
from upheld.engine.plan import ItemPlan, PurposePlan, Taking, UnaskedPlan
from upheld.engine.state import About, AboutKind, SubjectState, Use
from upheld.engine.view import DUE_REASON, STATE_REASON, View, holds_on
from upheld.policy.vocabulary import Basis, Nature

SOME_ORGANISATION = "organisation"
"""Who is meant where the engagement names none."""
_SEPARATE_CONSENT = frozenset({Nature.SENSITIVE, Nature.UNIQUE_ID})


def decide_collect(act: Collect, view: View, at: Instant) -> Decision:
    """Take items for one purpose: only what it lists, by a declared way, of a covered kind of person, on its basis."""
    if act.purpose == CHILD_CONTACT:
        return _collect_representative(act, view, at)
    taking = _taking(act, view)
    if taking is not None and _nothing_against(taking, act, view, at):
        return taking.granted
    return _in_full(act, view, at)


def taken_before(
    view: View,
    purpose: str | None,
    use: str | None,
    items: tuple[str, ...],
    channel: str | None,
    engagement: EngagementId | None,
    at: Instant,
) -> Taking | None:
    """What the very same was granted by before, where nothing that it rests on can have changed since; what
    `decide_collect` would grant it by now.

    INVARIANT: I9: None only says that it has to be decided, anything else never what that would refuse.
    """
    known = view.life.covered.get((purpose, use, items, channel, engagement))
    if known is None or not known[0] <= at < known[1]:
        return None  # nothing is known from before a version was in force
    taking = view.plan.takings.get((purpose, use, items, channel))
    return taking if taking is not None and _asks_nothing(taking, view, at) else None


def _asks_nothing(taking: Taking, view: View, at: Instant) -> bool:
    """Whether nothing about the person needs a look besides consent, engagement and ends."""
    state = view.state
    if state.requests or (state.minor_until is not None and at < state.minor_until):
        return False
    whose = taking.purpose.whose
    return not whose or state.kind in whose


_MOST_TAKINGS = 1024


def _taking(act: Collect, view: View) -> Taking | None:
    """What the document says of this act, reckoned once for a version; None where something there is against it, or
    needs a look at more than consent, engagement and ends.
    """
    if act.unasked is not None or act.reused:
        return None
    key = (act.purpose, act.use, act.items, act.channel)
    known = view.plan.takings.get(key)
    if known is None:
        known = _allowed(act, view)
        if known is not None:
            if len(view.plan.takings) >= _MOST_TAKINGS:
                view.plan.takings.clear()
            view.plan.takings[key] = known
    return known


def _allowed(act: Collect, view: View) -> Taking | None:
    plan, no = view.plan, Refusals()
    purpose = _declared(act, view, no)
    if purpose is None or no.found or "device-permission" in purpose.needs:
        return None
    for declared in (plan.items[item] for item in act.items):
        by_law = purpose.law or declared.law
        unlawful = not purpose.rests_on_consent(declared.name) and purpose.basis[declared.name] is Basis.LAW
        if declared.needs or (not by_law and (unlawful or declared.nature in _SEPARATE_CONSENT)):
            return None
    granted = Decision(True, (purpose.rule.cited(), *(plan.items[item].rule.cited() for item in act.items)))
    return Taking(
        purpose,
        granted,
        any(purpose.rests_on_consent(item) for item in act.items),
        tuple(sorted(plan.destruction.needless_after - {"ended"})),
        granted.elements + plan.way_in(act.channel, purpose.name),
    )


def _nothing_against(taking: Taking, act: Collect, view: View, at: Instant) -> bool:
    """Whether the person is plainly covered: agreed to this very version, asked for nothing, all ends to come.

    INVARIANT: I9: False only says that the whole way has to be gone, True never what that way would refuse.
    """
    life = view.life
    if not _asks_nothing(taking, view, at):
        return False
    asked = (act.purpose, act.use, act.items, act.channel, act.engagement)
    known = life.covered.get(asked)
    if known is not None and known[0] <= at < known[1]:
        return True
    until = _covered_until(taking, act, view, at)
    if until > at:
        life.covered[asked] = at, until
        return True
    return False


def _covered_until(taking: Taking, act: Collect, view: View, at: Instant) -> Instant:
    """Until when it stays so that nothing is against it, as long as nothing new is known; `at` where something is."""
    purpose, state, life = taking.purpose, view.state, view.life
    if taking.on_consent:
        consent = life.standing(About(AboutKind.PURPOSE, purpose.name), at)
        if consent is None or view.line.version(consent.version) is not view.plan:
            return at
    until = view.valid_until
    if purpose.per:
        engagement = state.engagements.get(act.engagement) if act.engagement else None
        if engagement is None or engagement.kind not in purpose.per:
            return at
        until = min(until, life.engagement_end(engagement.engagement_id).at)
    if any(view.controller.facts_by_code.get(code) for code in taking.needless):
        return at
    return min(until, life.steady(act.items, Use(purpose.name, act.engagement, at, view.plan.version, at)))


def _declared(act: Collect, view: View, no: Refusals) -> PurposePlan | None:
    """The purpose, if it is declared and runs; whatever the document has against the items and the way is added."""
    purpose = purpose_of(view, act.purpose, act.use, no)
    for item in act.items:
        item_covered(view.plan, purpose, item, no)
        declared = view.plan.items.get(item)
        if declared is not None and declared.never_collected:
            no.add(
                Reason.ITEM_NOT_COVERED, declared.rule.path, declared.rule.cites("collected"), declared.rule.law, item
            )
        if declared is not None and declared.nature is Nature.RESIDENT_NUMBER:
            _resident_number(purpose, declared, view.plan.country.cites("resident-number"), no)
    if purpose is not None:
        _method_declared(view, act, purpose, no)
    return purpose


def _in_full(act: Collect, view: View, at: Instant) -> Decision:
    """Everything that can be against it, layer by layer."""
    no = Refusals()
    purpose = _declared(act, view, no)
    if purpose is None:
        return refused(*no.found)
    _subject_covered(view, act, purpose, at, no)
    instead = _without_consent(view, act, purpose, at, no)
    for item in act.items:
        if item in purpose.items:
            _basis_holds(view, act, purpose, item, at, no, instead)
    _engagement_open(view, act, purpose, at, no)
    _ground_would_live(view, act, purpose, at, no)
    suspended = suspended_for(view, purpose.name, at)
    if suspended is not None:
        no.found.append(suspended)
    for value_id in act.reused:
        no.found.extend(_not_reusable(view, value_id, purpose, act.engagement, at))
    if no.found:
        return refused(*no.found)
    excepted = (instead.rule.cited(),) if instead else ()
    return Decision(
        True, (purpose.rule.cited(), *excepted, *(view.plan.items[item].rule.cited() for item in act.items))
    )


def _without_consent(view: View, act: Collect, purpose: PurposePlan, at: Instant, no: Refusals) -> UnaskedPlan | None:
    """The exception that stands in for consent, with everything it needs on record; adds what it lacks.

    INVARIANT: I9: none stands in for a consent that a person may refuse, nor against one who has said no.
    """
    if act.unasked is None:
        return None
    row = view.plan.unasked.get(act.unasked.exception)
    if row is None:
        no.found.append(view.plan.builtin["collection"].cited(Reason.METHOD_UNDECLARED, detail=act.unasked.exception))
        return None
    if row.blocked:
        no.add(Reason.DECLARATION_INCOMPLETE, row.rule.path, row.rule.cites())
    if not row.serves(purpose):
        no.found.append(row.rule.cited(Reason.METHOD_UNDECLARED, "for", purpose.name))
        return None
    missing = row.needs - act.unasked.shown
    if missing:
        reason = Reason.APPROVAL_MISSING if missing == {"approver"} else Reason.DEMAND_INCOMPLETE
        no.found.append(row.rule.cited(reason, "needs", ", ".join(sorted(missing))))
    if row.basis is Basis.LAW:
        if act.unasked.law is None or (row.laws and act.unasked.law not in row.laws):
            no.found.append(row.rule.cited(Reason.LAW_MISSING, "law", act.unasked.law or ""))
    else:
        event = view.life.last_consent_event(About(AboutKind.PURPOSE, purpose.name), at)
        if event is not None and not event.given:
            no.found.append(row.rule.cited(Reason.CONSENT_WITHDRAWN, "basis"))
    return row


def _not_reusable(
    view: View, value_id: ValueId, purpose: PurposePlan, engagement: EngagementId | None, at: Instant
) -> Iterable[Cited]:
    """Only what is in use gets one more use: nothing comes back, changes capacity, or moves while it stands still."""
    value = view.values.get(value_id)
    if value is None:
        yield purpose.rule.cited(Reason.UNKNOWN)
        return
    due = view.life.due(value, at).state
    state = STATE_REASON.get(value.held) or DUE_REASON.get(due)
    if state is not None:
        yield purpose.rule.cited(state, "until")
    if value.held_for != held_for(view.state, purpose, engagement):
        yield purpose.rule.cited(Reason.HELD_FOR_ANOTHER)
    for held in holds_on(view, value, purpose.name, at):
        yield hold_cited(view.plan, *held)


def held_for(state: SubjectState, purpose: PurposePlan, engagement: EngagementId | None) -> str | None:
    """For whom a value is held under a purpose: the organisation of its engagement, or us (None). INVARIANT: I12."""
    if not purpose.held_for_organisation:
        return None
    one = state.engagements.get(engagement) if engagement else None
    return (one.organisation if one else None) or SOME_ORGANISATION


def _collect_representative(act: Collect, view: View, at: Instant) -> Decision:
    children = view.plan.children
    rule = children.contact_rule or children.rule
    no = Refusals()
    if view.state.minor_until is None or at >= view.state.minor_until:
        no.add(Reason.KIND_NOT_COVERED, rule.path, rule.cites())
    for item in act.items:
        if item not in children.contact_items:
            no.add(Reason.ITEM_NOT_COVERED, rule.path, rule.cites("from-child"), rule.law, item)
    for value_id in act.reused:
        no.found.extend(_not_reusable(view, value_id, view.plan.purposes[CHILD_CONTACT], None, at))
    return refused(*no.found) if no.found else Decision(True, (rule.cited(),))


def _resident_number(purpose: PurposePlan | None, item: ItemPlan, law: str | None, no: Refusals) -> None:
    """LAW: `cited.resident-number`: only a law that names it; consent changes nothing."""
    if purpose is None or purpose.rests_on_consent(item.name) or not (purpose.law or item.law):
        no.add(Reason.LAW_MISSING, item.rule.path, item.rule.cites(), law, item.name)


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


def _basis_holds(
    view: View,
    act: Collect,
    purpose: PurposePlan,
    item: str,
    at: Instant,
    no: Refusals,
    instead: UnaskedPlan | None,
) -> None:
    declared = view.plan.items[item]
    if purpose.rests_on_consent(item):
        if instead is None:
            consent_stands(view, purpose, item, at, no)
    elif (
        purpose.basis.get(item) is not None and purpose.basis[item].value == "law" and not (purpose.law or declared.law)
    ):
        no.add(Reason.LAW_MISSING, purpose.rule.path, purpose.rule.cites("basis"), detail=item)
    by_law = purpose.law or declared.law or (instead is not None and instead.basis is Basis.LAW)
    apart = declared.nature in _SEPARATE_CONSENT and not by_law
    if apart and view.life.standing(About(AboutKind.ITEM, item), at) is None:
        separate = view.plan.builtin["separate"]
        law = view.plan.country.cites(f"separate.{declared.nature}") or separate.law
        no.add(Reason.SEPARATE_CONSENT_MISSING, separate.path, separate.cites(), law, item)
    if (
        "device-permission" in purpose.needs
        and view.life.standing(About(AboutKind.PERMISSION, purpose.name), at) is None
    ):
        law = view.plan.country.cites("permission")
        no.add(Reason.PERMISSION_MISSING, purpose.rule.path, purpose.rule.cites("needs"), law, item)
    missing = declared.needs - act.proofs
    if missing:
        no.add(Reason.IDENTITY_NOT_PROVED, declared.rule.path, declared.rule.cites("needs"), detail=item)


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
    exception = act.unasked.exception if act.unasked else None
    use = Use(purpose.name, act.engagement, at, view.plan.version, at, exception)
    for item in act.items:
        if item in purpose.items and not view.life.would_live(item, use, at):
            no.found.append(purpose.rule.cited(Reason.GROUND_ENDED, "until", item))
    needless = view.plan.destruction
    for code in needless.needless_after - {"ended"}:
        for fact in view.controller.facts_by_code.get(code, ()):
            if view.plan.effective_at <= fact.at <= at and fact.about in (None, purpose.name):
                no.found.append(needless.when_needless.cited(Reason.GROUND_ENDED, "after", code))
