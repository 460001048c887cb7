"""From the document to the plan: names become sets, texts become ends, every rule keeps its clauses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from upheld.dates import Instant, Period, start_of
from upheld.engine.country import CountryLaw, law_of
from upheld.engine.plan import (
    ActingPlan,
    Atom,
    ChildrenPlan,
    ControlPlan,
    DestructionPlan,
    EngagementPlan,
    EntrustmentPlan,
    ExceptionPlan,
    FactPlan,
    GroundKind,
    HandlerPlan,
    ItemPlan,
    Plan,
    ProofPlan,
    ProvisionPlan,
    PurposePlan,
    RetentionPlan,
    RightPlan,
    Rule,
    TransferPlan,
    UnaskedPlan,
    atoms_of,
    points_in,
)
from upheld.law.stricter import By
from upheld.policy import model
from upheld.policy.ends import EarlierOf, End, Plus, Point
from upheld.policy.vocabulary import AtEnd, Basis, Collected, DestructionProof, Identified

CHILD_CONTACT = "representative-contact"
"""The built-in purpose under which a representative's name and contact are taken to ask for consent."""

NO_USES: frozenset[str | None] = frozenset({None})
GRACE = Period(days=5)
"""Ours where no law says it, as the Standard Guideline 10 does: destroyed within five days of the end."""
SETTLING = Period(days=1)
TAKEN_AND_NOT_ANSWERED = Plus(Point("collected"), Period(days=5))
PENDING_CHILD = EarlierOf((Point("answered"), Plus(Point("consent-asked"), Period(days=5))))
BY_LAW = frozenset({"document", "approver"})
"""What a demand under a law needs on record, whatever else its row names: `docs/rules.md` 5.3 (d)."""
KNOWN = "@known"
"""The instant at which a fact that can end something became known; anchors settling."""
RECEIVED = "@received"
"""The instant at which a suspension came in; anchors the time to answer it."""
REVIEWED = "@reviewed"
"""The instant at which somebody looked at what is left open and kept it; anchors the next look."""

_BUILTIN: Mapping[str, str] = {
    "purposes": "closed-purposes",
    "items": "closed-items",
    "recipients": "no-recipient-unlisted",
    "separate": "sensitive-asked-apart",
    "due": "due-is-unread",
    "channels": "",
    "collection": "",
    "exceptions": "no-recipient-unlisted",
    "transfers": "",
    "handlers": "",
    "rights": "",
    "advertising": "",
}
"""The guarantee of the document that says it; where there is none, the law of the country on that topic."""


def compiled(policy: model.Policy, source: bytes = b"", effective_at: Instant | None = None) -> Plan:
    """The plan of a document that read without errors. `effective_at` overrides the document's own day."""
    zone = ZoneInfo(policy.time_zone)
    day = policy.effective.date
    if effective_at is None:
        effective_at = start_of(day, zone) if day else Instant(0)
    law = law_of(policy.time_zone, day)
    purposes = _purposes(policy, law)
    kept = _kept(policy)
    engagements = _engagements(policy)
    provisions = _provisions(policy)
    transfers, entrustments = _transfers(policy), _entrustments(policy)
    return Plan(
        policy=policy.policy,
        version=day.isoformat() if day else "undated",
        effective_at=effective_at,
        zone=zone,
        rule=rule_of(policy.effective),
        items={name: _item(row) for name, row in policy.items.items()},
        purposes=purposes,
        engagements=engagements,
        facts=_facts(policy),
        kept=kept,
        provisions=provisions,
        entrustments=entrustments,
        transfers=transfers,
        exceptions={name: _exception(row) for name, row in policy.provision_exceptions.items()},
        unasked={name: _unasked(row) for name, row in policy.collection_exceptions.items()},
        handlers={name: _handler(row) for name, row in policy.handlers.items()},
        rights={name: _right(row, law) for name, row in policy.rights.items()},
        children=_children(policy, law),
        controls={name: _control(row) for name, row in policy.safeguards.items()},
        consent_channels={name: rule_of(row) for name, row in policy.consent.items()},
        consent_ways={name: frozenset(str(way) for way in row.by) for name, row in policy.consent.items()},
        collection={
            name: (rule_of(row), frozenset(row.by), frozenset(row.for_))
            for name, row in policy.collection.items()
            if not row.blocked
        },
        advertising={name: (rule_of(row), str(row.at_night)) for name, row in policy.advertising.items()},
        advertising_purposes=frozenset(name for row in policy.advertising.values() for name in row.for_),
        cookies={name: (rule_of(row), frozenset(row.for_)) for name, row in policy.cookies.items()},
        destruction=_destruction(policy, law),
        separation={name: rule_of(row) for name, row in policy.separation.items()},
        subjects={name: rule_of(row) for name, row in policy.subjects.items()},
        never_identified=frozenset(n for n, row in policy.subjects.items() if row.identified is Identified.NEVER),
        channels={name: (rule_of(row), row.proof) for name, row in policy.channels.items()},
        builtin=_builtin(policy, law),
        country=law,
        controller=dict(policy.controller.texts),
        locales=policy.locales,
        digest=hashlib.sha256(source).hexdigest(),
        atoms=_atoms(purposes, kept, engagements, provisions, transfers, entrustments)
        | {(RECEIVED, None, law.answered)},
        proofs={name: ProofPlan(name, rule_of(row), row.any_of, row.all_of) for name, row in policy.proofs.items()},
        acting={name: ActingPlan(rule_of(row), row.shows) for name, row in policy.acting_for.items()},
        remedies=tuple(row.path for row in policy.agencies.values()),
        offices=tuple(row.path for row in policy.contacts.values()),
        first_review=min((one for _, _, one in _review_atoms(purposes, kept, engagements)), key=_days, default=GRACE),
    )


def rule_of(row: model.Row) -> Rule:
    """The rule of an element: where it stands and which clauses it keeps."""
    return Rule(row.path, dict(row.clauses), ", ".join(str(one) for one in row.law) or None)


def _builtin(policy: model.Policy, law: CountryLaw) -> dict[str, Rule]:
    found: dict[str, Rule] = {}
    for name, guarantee in _BUILTIN.items():
        row = policy.guarantees.get(guarantee)
        found[name] = rule_of(row) if row else Rule(name, {}, law.cites(name))
    separate = policy.separation.get("use")
    found["separation"] = rule_of(separate) if separate else Rule("separation.use", {}, law.cites("separation"))
    return found


def _item(row: model.Item) -> ItemPlan:
    return ItemPlan(
        name=row.name,
        rule=rule_of(row),
        nature=row.nature,
        never_collected=row.collected is Collected.NEVER,
        needs=frozenset({str(row.needs)}) if row.needs else frozenset(),
        law=", ".join(str(one) for one in row.law) or None,
        texts=dict(row.texts),
    )


def _purposes(policy: model.Policy, law: CountryLaw) -> dict[str, PurposePlan]:
    found = {name: _purpose(row) for name, row in policy.purposes.items()}
    found[CHILD_CONTACT] = _child_contact(policy, law)
    return found


def _purpose(row: model.Purpose) -> PurposePlan:
    common = row.basis.get("all")
    return PurposePlan(
        name=row.name,
        rule=rule_of(row),
        required=row.required,
        whose=frozenset(row.whose),
        items=frozenset(row.items),
        basis={item: row.basis.get(item) or common or Basis.CONSENT for item in row.items},
        until=row.until,
        per=frozenset(row.per),
        uses={name: use.blocked is None for name, use in row.uses.items()},
        sources=frozenset(str(one) for one in row.source),
        via=frozenset(row.via),
        needs=frozenset(str(need) for need in row.needs),
        held_for_organisation=row.held_for is not None,
        blocked=row.blocked is not None,
        law=", ".join(str(one) for one in row.law) or None,
        texts=dict(row.texts),
        refused=dict(row.refused or {}),
        runs=frozenset(name for name, use in row.uses.items() if use.blocked is None) if row.uses else NO_USES,
        review_after=row.review_after,
    )


def _child_contact(policy: model.Policy, law: CountryLaw) -> PurposePlan:
    children = _children(policy, law)
    return PurposePlan(
        name=CHILD_CONTACT,
        rule=children.contact_rule or children.rule,
        required=True,
        whose=frozenset(),
        items=children.contact_items,
        basis=dict.fromkeys(children.contact_items, Basis.LAW),
        until=children.contact_until,
        per=frozenset(),
        uses={},
        sources=frozenset({"person"}),
        via=frozenset(),
        needs=frozenset(),
        held_for_organisation=False,
        blocked=False,
        law=law.cites("children"),
    )


def _children(policy: model.Policy, law: CountryLaw) -> ChildrenPlan:
    age = policy.children.get("age")
    asked = policy.children.get("representative")
    never = policy.children.get("never")
    rights, freeze = policy.children.get("rights"), policy.children.get("freeze")
    by_law = Rule("children", {}, law.cites("children"))
    return ChildrenPlan(
        under=law.child_under(age.under if age else None),
        rule=rule_of(age) if age else by_law,
        contact_items=frozenset((*asked.from_child, *asked.from_representative)) if asked else frozenset(),
        contact_rule=rule_of(asked) if asked else None,
        contact_until=_asked_until(asked.until if asked and asked.until else PENDING_CHILD, law),
        never_rule=rule_of(never) if never else by_law,
        rights=frozenset(str(one) for one in rights.gives) if rights else frozenset(),
        rights_rule=rule_of(rights) if rights else None,
        freeze_rule=rule_of(freeze) if freeze else None,
        freeze_except=str(freeze.except_ or "statute") if freeze else "statute",
    )


def _asked_until(promised: End, law: CountryLaw) -> End:
    """LAW: Standard Guideline 13: without a yes the contact goes within five days of being taken, asked or not."""
    return EarlierOf((promised, TAKEN_AND_NOT_ANSWERED)) if law.article("children.from-child") else promised


def _engagements(policy: model.Policy) -> dict[str, EngagementPlan]:
    return {
        name: EngagementPlan(
            kind=name,
            rule=rule_of(row),
            begins=_first_fact(row.begins) or "begun",
            ends=row.ends,
            review_after=row.review_after or Period(years=1),
        )
        for name, row in policy.engagements.items()
    }


def _facts(policy: model.Policy) -> dict[str, FactPlan]:
    return {
        name: FactPlan(name, rule_of(row), frozenset(row.about) or _carriers(policy, name), row.closes)
        for name, row in policy.facts.items()
    }


def _carriers(policy: model.Policy, fact: str) -> frozenset[str]:
    """Where the document does not say what a fact is about: the engagements that begin or end by it, else the
    person.
    """
    carriers = {
        name
        for name, row in policy.engagements.items()
        for end in (row.begins, row.ends)
        if end is not None and fact in {point.fact for point, _ in points_in(end)}
    }
    return frozenset(carriers or {"person"})


def _first_fact(end: End | None) -> str | None:
    return next((point.fact for point, _ in points_in(end)), None) if end else None


def _kept(policy: model.Policy) -> dict[str, RetentionPlan]:
    rows = [_retention(row) for row in policy.retention.values()] + [_statute(row) for row in policy.statutes.values()]
    return {row.rule.path: row for row in rows}


def _retention(row: model.Retention) -> RetentionPlan:
    of_the_dispute = "of-the-dispute" in row.items
    return RetentionPlan(
        name=row.name,
        rule=rule_of(row),
        kind=GroundKind(str(row.kind)),
        of=frozenset(row.of),
        items=frozenset(row.items) - {"of-the-dispute"},
        of_the_dispute=of_the_dispute,
        basis=row.basis,
        from_fact=row.from_ or _first_fact(row.until),
        until=row.until,
        blocked=row.blocked is not None,
        texts=dict(row.texts),
        review_after=row.review_after,
    )


def _statute(row: model.Statute) -> RetentionPlan:
    return RetentionPlan(
        name=row.name,
        rule=rule_of(row),
        kind=GroundKind.STATUTE,
        of=frozenset(),
        items=frozenset(row.items),
        of_the_dispute=False,
        basis=Basis.LAW,
        from_fact=row.from_ or _first_fact(row.until),
        until=row.until,
        blocked=row.blocked is not None,
        instead_of=row.instead_of,
        texts=dict(row.texts),
    )


def _seat(policy: model.Policy, party: str) -> str | None:
    row = policy.parties.get(party)
    return row.seat[0] if row and row.seat else None


def _provisions(policy: model.Policy) -> dict[str, ProvisionPlan]:
    found: dict[str, ProvisionPlan] = {}
    for name, row in policy.provisions.items():
        found[name] = ProvisionPlan(
            recipient=name,
            party=row.to or name,
            rule=rule_of(row),
            items=frozenset(row.items),
            whose=frozenset(row.whose),
            per=frozenset(row.per),
            use_until=row.use_until or row.until,
            until=row.until,
            returned=row.at_end is AtEnd.RETURN_OR_DESTROY,
            blocked=row.blocked is not None,
            seat=_seat(policy, row.to or name),
            by=frozenset(name for name, way in policy.consent.items() if set(way.by) & set(row.by)),
            texts=dict(row.their_use or {}),
        )
    return found


def _entrustments(policy: model.Policy) -> dict[str, EntrustmentPlan]:
    found: dict[str, EntrustmentPlan] = {}
    for name, row in policy.entrustments.items():
        items = row.items or tuple(
            item for one in row.for_ if one in policy.purposes for item in policy.purposes[one].items
        )
        found[name] = EntrustmentPlan(
            processor=name,
            party=row.to or name,
            rule=rule_of(row),
            purposes=frozenset(row.for_),
            items=frozenset(items),
            under=row.under,
            terms=frozenset(str(term) for term in row.terms),
            inspected=row.inspected or Period(years=1),
            within=row.within.period if row.within else GRACE,
            blocked=row.blocked is not None,
            seat=_seat(policy, row.to or name),
            own_consent=row.consent is not None,
            texts=dict(row.task or {}),
        )
    return found


def _transfers(policy: model.Policy) -> dict[str, TransferPlan]:
    return {
        name: TransferPlan(
            name=name,
            rule=rule_of(row),
            party=row.to or name,
            standing_for=str(row.as_ or ""),
            basis=str(row.basis or ""),
            items=frozenset(row.items),
            until=row.until,
            stored_in=row.stored_in,
            blocked=row.blocked is not None,
        )
        for name, row in policy.transfers.items()
    }


def _exception(row: model.ProvisionException) -> ExceptionPlan:
    return ExceptionPlan(
        name=row.name,
        rule=rule_of(row),
        needs=frozenset(str(need) for need in row.needs) | (BY_LAW if row.law else frozenset()),
        laws=frozenset(one.law for one in row.law),
        items=frozenset(row.items),
        blocked=row.blocked is not None,
    )


def _unasked(row: model.CollectionException) -> UnaskedPlan:
    return UnaskedPlan(
        name=row.name,
        rule=rule_of(row),
        basis=row.basis or Basis.LAW,
        purposes=frozenset(row.for_),
        needs=frozenset(str(need) for need in row.needs),
        laws=frozenset(one.law for one in row.law),
        blocked=row.blocked is not None,
    )


def _handler(row: model.Handler) -> HandlerPlan:
    return HandlerPlan(
        name=row.name,
        rule=rule_of(row),
        purposes=frozenset(row.for_),
        duties=frozenset(str(duty) for duty in row.duties),
        granted_with=frozenset(row.granted_with),
        granted_for=row.granted_for,
    )


def _right(row: model.Right, law: CountryLaw) -> RightPlan:
    """The stricter of promise and law; where the law decides, the rule of the right cites it."""
    decided, rule = law.answer(row.within.period if row.within else None), rule_of(row)
    by_law = (rule.law or law.article("rights.answered")) if decided.by is By.LAW else None
    return RightPlan(
        name=row.name,
        rule=Rule(rule.path, rule.clauses, by_law) if by_law else rule,
        by=frozenset(row.by),
        within=decided.period,
        decided_by_law=by_law,
        freezes=row.freeze is not None,
        freeze_except=(row.freeze.except_ or "statute") if row.freeze else "statute",
        freeze_covers_person=row.freeze is not None and row.freeze.covers == "person",
        builtin=row.builtin,
    )


def _days(period: Period) -> int:
    return period.years * 365 + period.months * 30 + period.days + period.hours // 24


def _control(row: model.Safeguard) -> ControlPlan:
    periods = [one for one in row.due if isinstance(one, Period)]
    return ControlPlan(
        name=row.name,
        rule=rule_of(row),
        checks=frozenset(str(check) for check in row.check),
        evidence=frozenset(row.evidence),
        due_every=min(periods, key=_days) if periods else None,
        due_after=frozenset(one for one in row.due if isinstance(one, str)),
        per=str(row.per) if row.per else None,
        owner=row.owner,
        blocks=str(row.blocks) if row.blocks else None,
        at_least=row.at_least,
    )


def _destruction(policy: model.Policy, law: CountryLaw) -> DestructionPlan:
    expiry, needless = policy.destruction["at-expiry"], policy.destruction["when-needless"]
    within = [row.within.period for row in (expiry, needless) if row.within is not None]
    return DestructionPlan(
        at_expiry=rule_of(expiry),
        when_needless=rule_of(needless),
        within=law.destroyed_within(within, GRACE),
        needless_after=frozenset(needless.after),
        settling=SETTLING,
        approval=frozenset((*expiry.approval, *needless.approval)),
        paper_witnessed=DestructionProof.WITNESS_RECORD in policy.destruction["paper"].shown_by,
        approved_by_rules=tuple(rule_of(row) for row in (expiry, needless) if row.approval),
    )


def _atoms(
    purposes: Mapping[str, PurposePlan],
    kept: Mapping[str, RetentionPlan],
    engagements: Mapping[str, EngagementPlan],
    provisions: Mapping[str, ProvisionPlan],
    transfers: Mapping[str, TransferPlan],
    entrustments: Mapping[str, EntrustmentPlan],
) -> frozenset[Atom]:
    found: set[Atom] = {(KNOWN, None, SETTLING), (GROWN, None, SETTLING)}
    for purpose in purposes.values():
        found |= scoped(atoms_of([purpose.until]), purpose.name)
    for row in kept.values():
        for name in row.of or purposes:
            found |= scoped(atoms_of([row.until]), name)
    for provision in provisions.values():
        found |= scoped(atoms_of([provision.until, provision.use_until]), f"provision/{provision.recipient}")
    for transfer in transfers.values():
        found |= scoped(atoms_of([transfer.until]), f"transfer/{transfer.name}")
        found |= _since_collecting(transfer, purposes, entrustments)
    found |= atoms_of(row.ends for row in engagements.values())
    found |= _review_atoms(purposes, kept, engagements)
    return frozenset(atom for atom in found if atom[2] != Period() or atom[1])


def _since_collecting(
    transfer: TransferPlan, purposes: Mapping[str, PurposePlan], entrustments: Mapping[str, EntrustmentPlan]
) -> set[Atom]:
    """A copy abroad that may stay so long after consent: after the consent to collecting too, or after collecting where
    nobody was asked.
    """
    since_consent = {atom for atom in atoms_of([transfer.until]) if atom[0] == "consented"}
    task = {name for one in entrustments.values() if one.party == transfer.party for name in one.purposes}
    served = task if transfer.standing_for == "entrustment" else set(purposes)
    return {
        (f"{fact}/{name}", calendar, period)
        for _, calendar, period in since_consent
        for name in served
        for fact in ("consented", "collected")
    }


def _review_atoms(
    purposes: Mapping[str, PurposePlan], kept: Mapping[str, RetentionPlan], engagements: Mapping[str, EngagementPlan]
) -> set[Atom]:
    """When somebody has to look at an end that is still open: so long after it became open, or after the last look."""
    found: set[Atom] = {("begun", None, row.review_after) for row in engagements.values()}
    for purpose in purposes.values():
        if purpose.review_after is not None:
            found.add((f"collected/{purpose.name}", None, purpose.review_after))
            found |= {("ended", None, purpose.review_after)} if purpose.per else set()
    for row in kept.values():
        start = "dispute-opened" if row.kind is GroundKind.DISPUTE else row.from_fact
        if row.review_after is not None and start is not None:
            for name in row.of or purposes:
                found |= scoped(frozenset({(start, None, row.review_after)}), name)
    return found | {(REVIEWED, None, period) for _, _, period in found}


GROWN = "@grown"
"""Two days before a child comes of age; a day counted from it is over at the start of the birthday."""
OF_A_VALUE = frozenset({"collected", "provided", "consented", "withdrawn"})
"""Facts that every value or consent has of its own; their days are kept by what they are for."""


def scoped(atoms: frozenset[Atom], name: str) -> set[Atom]:
    """Atoms whose fact is a value's or consent's own, told apart by what it is for, so that no other wakes with it."""
    return {(f"{fact}/{name}" if fact in OF_A_VALUE else fact, calendar, period) for fact, calendar, period in atoms}
