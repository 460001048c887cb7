"""What several kinds of act are asked alike: purpose, item, consent, contract, suspension.

Each look adds what speaks against the act, with what it cites, to the `Refusals` of that act.
"""

from __future__ import annotations

from upheld.dates import FOREVER, Instant
from upheld.engine.acts import Cited, Reason, Refusals
from upheld.engine.plan import EntrustmentPlan, Plan, ProvisionPlan, PurposePlan, Rule, TransferPlan
from upheld.engine.state import About, AboutKind, Request, RequestState
from upheld.engine.view import View, child_freeze, refused_at


def purpose_of(view: View, name: str | None, use: str | None, no: Refusals) -> PurposePlan | None:
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


def item_covered(plan: Plan, purpose: PurposePlan | None, item: str, no: Refusals) -> None:
    """Layer 2: the item must be declared and listed by the purpose."""
    if item not in plan.items:
        no.found.append(plan.builtin["items"].cited(Reason.ITEM_UNDECLARED, detail=item))
    elif purpose is not None and item not in purpose.items:
        no.add(Reason.ITEM_NOT_COVERED, purpose.rule.path, purpose.rule.cites("items"), detail=item)


def consent_stands(view: View, purpose: PurposePlan, item: str, at: Instant, no: Refusals) -> None:
    """The consent to a purpose as given to this version, or to an older one whose items had this one."""
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


def own_consent(
    view: View, about: About, rule: Rule, by: frozenset[str], at: Instant, no: Refusals, law: str | None = None
) -> None:
    """The consent to exactly this recipient or processor, on a channel on which it counts."""
    event = view.life.last_consent_event(about, at)
    if event is None:
        no.add(Reason.CONSENT_MISSING, rule.path, rule.cites("consent"), law)
    elif not event.given:
        no.add(Reason.CONSENT_WITHDRAWN, rule.path, rule.cites("consent"))
    elif by and not any(one.channel in by for one in view.life.given_since(about, at)):
        no.add(Reason.CONSENT_MISSING, rule.path, rule.cites("by"), detail=event.channel)


def agreed_scope(view: View, about: About, items: tuple[str, ...], rule: Rule, at: Instant, no: Refusals) -> None:
    """Who agreed under an older version agreed to its items for this recipient, and to no more."""
    consent = view.life.standing(about, at)
    agreed = view.line.version(consent.version) if consent else None
    if agreed is None or agreed is view.plan:
        return
    row: ProvisionPlan | EntrustmentPlan | TransferPlan | None
    match about.kind:
        case AboutKind.PROVISION:
            row = agreed.provisions.get(about.name)
        case AboutKind.TRANSFER:
            row = agreed.transfers.get(about.name)
        case _:
            row = agreed.entrustments.get(about.name)
    for item in items:
        if row is None or item not in row.items:
            no.add(Reason.CONSENT_SCOPE_OLDER, rule.path, rule.cites("items"), detail=item)


def agreed_to_processor(view: View, row: EntrustmentPlan, items: tuple[str, ...], at: Instant, no: Refusals) -> None:
    """The law asks no consent to entrustment; where the document promises to ask, nobody gets data unasked."""
    if row.own_consent:
        about = About(AboutKind.ENTRUSTMENT, row.processor)
        own_consent(view, about, row.rule, frozenset(), at, no)
        agreed_scope(view, about, items, row.rule, at, no)


def contract_in_force(view: View, row: EntrustmentPlan, at: Instant, no: Refusals) -> None:
    """LAW: `cited.sub-entrustment`: a contract on record, all its terms; a sub-processor agreed to."""
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
            law = view.plan.country.cites("sub-entrustment")
            no.add(Reason.CONTRACT_MISSING, row.rule.path, row.rule.cites("under"), law)
        if parent is not None:
            contract_in_force(view, parent, at, no)


def crossing_border(
    view: View, party: str, seat: str | None, standing_for: str, items: tuple[str, ...], at: Instant, no: Refusals
) -> None:
    """LAW: `cited.transfers`: a basis of its own to leave the country, for the items it names; a stop order halts at
    once. Given, entrusted, kept or looked at from there is all one.
    """
    law = view.plan.country
    rows = [row for row in view.plan.transfers.values() if row.party == party and row.standing_for == standing_for]
    if not rows and not law.is_inside(seat):
        rule = view.plan.builtin["transfers"]
        no.add(Reason.TRANSFER_BASIS_MISSING, rule.path, rule.cites(), law.cites("transfers"), party)
    for row in rows:
        if row.blocked:
            no.add(Reason.TRANSFER_BASIS_MISSING, row.rule.path, row.rule.cites())
        if row.name in view.controller.stopped_transfers:
            no.add(Reason.TRANSFER_STOPPED, row.rule.path, row.rule.cites())
        beyond = [item for item in items if item not in row.items]
        if beyond:
            no.add(Reason.TRANSFER_BASIS_MISSING, row.rule.path, row.rule.cites("items"), detail=", ".join(beyond))
        if row.basis == "consent":
            about = About(AboutKind.TRANSFER, row.name)
            if view.life.standing(about, at) is None:
                article = law.cites("transfer-consent")
                no.add(Reason.TRANSFER_BASIS_MISSING, row.rule.path, row.rule.cites("basis"), article)
            agreed_scope(view, about, items, row.rule, at, no)


def suspended_for(view: View, purpose: str, at: Instant) -> Cited | None:
    """The suspension that stops new data from coming in for a purpose, if one stands."""
    for request in view.state.requests:
        if request.right == "suspension" and request.proved_at is not None and request.proved_at <= at:
            ended = min(one for one in (request.lifted_at, refused_at(request), FOREVER) if one is not None)
            of_all = not request.values and request.state is not RequestState.TAKEN_BACK
            if of_all and at < ended and (not request.purposes or purpose in request.purposes):
                return hold_cited(view.plan, Reason.SUSPENDED, request)
    return None


def hold_cited(plan: Plan, reason: Reason, request: Request) -> Cited:
    """A freeze or suspension as a reason of a decision."""
    of_child = child_freeze(plan, request) if reason is Reason.FROZEN else None
    if of_child is not None:
        return of_child.cited(reason)
    right = plan.rights.get(request.right)
    key = "freeze" if reason is Reason.FROZEN else "all"
    return right.rule.cited(reason, key) if right else plan.builtin["rights"].cited(reason)
