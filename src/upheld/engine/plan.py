"""A policy version compiled for decisions: sets and look-ups, every rule with its element path and clauses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from upheld.dates import NO_PERIOD, Instant, Period
from upheld.engine.acts import Cited, Decision, Reason
from upheld.engine.country import CountryLaw
from upheld.policy.ends import EarlierOf, End, LaterOf, Plus, Point
from upheld.policy.vocabulary import Basis, Nature


class GroundKind(StrEnum):
    """Why a value may be kept."""

    PURPOSE = "purpose"
    RETENTION = "retention"
    CLAIM = "claim"
    DISPUTE = "dispute"
    STATUTE = "statute"
    PROOF = "proof"


Atom = tuple[str, str | None, Period]
"""A fact, the calendar rule applied to it, and the period added: one boundary that can come by time alone."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One element of the document: its path and the clauses of each of its keys (`all` for the element as such)."""

    path: str
    clauses: Mapping[str, tuple[str, ...]]
    law: str | None = None
    _told: dict[tuple[Reason | None, str], Cited] = field(default_factory=dict, repr=False, compare=False)

    def cites(self, key: str = "all") -> tuple[str, ...]:
        """The clauses of a key, or of the element where the key has none of its own."""
        return (
            self.clauses.get(key)
            or self.clauses.get("all", ())
            or tuple(clause for clauses in self.clauses.values() for clause in clauses)
        )

    def cited(self, reason: Reason | None = None, key: str = "all", detail: str = "") -> Cited:
        """This rule as a reason of a decision."""
        if detail:
            return Cited(self.path, self.cites(key), reason, self.law, detail)
        known = self._told.get((reason, key))
        if known is None:
            known = self._told[reason, key] = Cited(self.path, self.cites(key), reason, self.law)
        return known


@dataclass(frozen=True, slots=True)
class ItemPlan:
    """One item of the policy."""

    name: str
    rule: Rule
    nature: Nature
    never_collected: bool
    needs: frozenset[str]
    law: str | None
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PurposePlan:
    """Why items are processed, on what basis, and until when they may be used."""

    name: str
    rule: Rule
    required: bool
    whose: frozenset[str]
    items: frozenset[str]
    basis: Mapping[str, Basis]
    until: End | None
    per: frozenset[str]
    uses: Mapping[str, bool]
    """Sub-purpose to whether it can be run; a blocked one refuses."""
    sources: frozenset[str]
    via: frozenset[str]
    needs: frozenset[str]
    held_for_organisation: bool
    blocked: bool
    law: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    """What refusing costs, as the policy tells it."""
    review_after: Period | None = None
    """How long an end that hangs on the person or on staff stays open before somebody asks."""
    runs: frozenset[str | None] = frozenset({None})
    """The uses that can be named: those not blocked; None (naming no use) only where there are none."""

    def rests_on_consent(self, item: str) -> bool:
        """Whether the item may be processed for this purpose on consent alone."""
        return self.basis.get(item, Basis.CONSENT) is Basis.CONSENT


@dataclass(frozen=True, slots=True)
class EngagementPlan:
    """One relation that begins and ends. `ends` None: only by the built-in fact `ended`."""

    kind: str
    rule: Rule
    begins: str
    ends: End | None
    review_after: Period


@dataclass(frozen=True, slots=True)
class FactPlan:
    """A fact the policy knows: what it is about, and which fact it closes."""

    code: str
    rule: Rule
    about: frozenset[str]
    """Engagement kinds, or `person`, `purpose`, `controller`, `party`."""
    closes: str | None


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """What is kept after its use: retention, claim, dispute or statute."""

    name: str
    rule: Rule
    kind: GroundKind
    of: frozenset[str]
    """Purposes whose values it keeps; empty where it names items."""
    items: frozenset[str]
    of_the_dispute: bool
    basis: Basis | None
    from_fact: str | None
    until: End | None
    blocked: bool
    instead_of: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    review_after: Period | None = None


@dataclass(frozen=True, slots=True)
class ProvisionPlan:
    """Giving data to a third party for its own purpose."""

    recipient: str
    party: str
    rule: Rule
    items: frozenset[str]
    whose: frozenset[str]
    per: frozenset[str]
    use_until: End | None
    until: End | None
    returned: bool
    blocked: bool
    seat: str | None
    by: frozenset[str] = frozenset()
    """The channels on which agreeing to it counts; empty: on any."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """The recipient's purpose."""


@dataclass(frozen=True, slots=True)
class EntrustmentPlan:
    """Handing data to a processor for a purpose of ours."""

    processor: str
    party: str
    rule: Rule
    purposes: frozenset[str]
    items: frozenset[str]
    under: str | None
    terms: frozenset[str]
    inspected: Period
    within: Period
    blocked: bool
    seat: str | None
    own_consent: bool = False
    """Nothing goes to this processor before the person has agreed to that entrustment by name."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """The task, by locale."""


@dataclass(frozen=True, slots=True)
class TransferPlan:
    """Data leaving the country, on top of the row it stands for."""

    name: str
    rule: Rule
    party: str
    standing_for: str
    basis: str
    items: frozenset[str]
    until: End | None
    stored_in: tuple[str, ...]
    blocked: bool


@dataclass(frozen=True, slots=True)
class ExceptionPlan:
    """Another way out, with everything that must be on record."""

    name: str
    rule: Rule
    needs: frozenset[str]
    laws: frozenset[str]
    items: frozenset[str]
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class UnaskedPlan:
    """A case of collecting or using without consent: on what ground, for which purposes, with what on record."""

    name: str
    rule: Rule
    basis: Basis
    purposes: frozenset[str]
    """Empty: all that are required."""
    needs: frozenset[str]
    laws: frozenset[str]
    blocked: bool

    def serves(self, purpose: PurposePlan) -> bool:
        """Whether it can stand in for consent to a purpose; never to one that a person may refuse."""
        return purpose.required and (not self.purposes or purpose.name in self.purposes)


@dataclass(frozen=True, slots=True)
class HandlerPlan:
    """A kind of staff: what it may read for and what it may do."""

    name: str
    rule: Rule
    purposes: frozenset[str]
    duties: frozenset[str]
    granted_with: frozenset[str]
    granted_for: Period | None


@dataclass(frozen=True, slots=True)
class RightPlan:
    """A right of the subject: channels, deadline, freeze."""

    name: str
    rule: Rule
    by: frozenset[str]
    within: Period
    decided_by_law: str | None
    """The law row that set the deadline where it is stricter than the promise."""
    freezes: bool
    freeze_except: str
    freeze_covers_person: bool
    """Everything of the person stands still, not only the values named."""
    builtin: bool


@dataclass(frozen=True, slots=True)
class ProofPlan:
    """Something people show, and what it can be made of."""

    name: str
    rule: Rule
    any_of: tuple[str, ...]
    all_of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ActingPlan:
    """Who may act for a person, and the papers they show."""

    rule: Rule
    shows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChildrenPlan:
    """Under which age a representative consents, and what may be taken of the representative to ask."""

    under: int
    rule: Rule
    contact_items: frozenset[str]
    contact_rule: Rule | None
    contact_until: End
    never_rule: Rule
    rights: frozenset[str] = frozenset()
    """The rights that a representative has for a child; empty: every one."""
    rights_rule: Rule | None = None
    freeze_rule: Rule | None = None
    """Where a correction asked for by the representative freezes until corrected, law's demands excepted or not."""
    freeze_except: str = "statute"


@dataclass(frozen=True, slots=True)
class ControlPlan:
    """A safeguard: checked by the system, or shown by evidence that falls due."""

    name: str
    rule: Rule
    checks: frozenset[str]
    evidence: frozenset[str]
    due_every: Period | None
    due_after: frozenset[str]
    per: str | None
    owner: str | None
    blocks: str | None
    at_least: Period | None


@dataclass(frozen=True, slots=True)
class DestructionPlan:
    """When destruction starts after an end, and by when it must be done."""

    at_expiry: Rule
    when_needless: Rule
    within: Period
    needless_after: frozenset[str]
    """Facts besides an engagement's own end that make the data needless at once."""
    settling: Period
    """Ours: how long a value whose end came by a fact waits, unreadable, after that fact became known."""
    approval: frozenset[str] = frozenset()
    """Kinds of staff of whom one approves what another destroys; empty: nobody has to."""
    paper_witnessed: bool = False
    """Paper is destroyed before a witness, and the certificate waits for that."""
    approved_by_rules: tuple[Rule, ...] = ()
    """The elements that ask for it."""


class Taking(NamedTuple):
    """What of an act of collecting follows from the document alone: nothing there speaks against it."""

    purpose: PurposePlan
    granted: Decision
    """The answer, if nothing that is known about the person and the organisation speaks against it."""
    on_consent: bool
    """Whether any of the items needs the person's consent to the purpose."""
    needless: tuple[str, ...]
    """Facts of the organisation after which nothing is taken any more."""
    elements: tuple[str, ...]
    """What decided, and the declared ways by which it came: all that a record of it rests on."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One version of a policy, compiled."""

    policy: str
    version: str
    effective_at: Instant
    zone: ZoneInfo
    rule: Rule
    items: Mapping[str, ItemPlan]
    purposes: Mapping[str, PurposePlan]
    engagements: Mapping[str, EngagementPlan]
    facts: Mapping[str, FactPlan]
    kept: Mapping[str, RetentionPlan]
    """Retention, claim, dispute and statute rows by element path."""
    provisions: Mapping[str, ProvisionPlan]
    entrustments: Mapping[str, EntrustmentPlan]
    transfers: Mapping[str, TransferPlan]
    exceptions: Mapping[str, ExceptionPlan]
    unasked: Mapping[str, UnaskedPlan]
    """The exceptions under which data is taken without consent."""
    handlers: Mapping[str, HandlerPlan]
    rights: Mapping[str, RightPlan]
    children: ChildrenPlan
    controls: Mapping[str, ControlPlan]
    consent_channels: Mapping[str, Rule]
    collection: Mapping[str, tuple[Rule, frozenset[str], frozenset[str]]]
    """Row → rule, channels, purposes; empty where the document has no such section."""
    advertising: Mapping[str, tuple[Rule, str]]
    """Medium → rule, at-night word."""
    advertising_purposes: frozenset[str]
    cookies: Mapping[str, tuple[Rule, frozenset[str]]]
    destruction: DestructionPlan
    separation: Mapping[str, Rule]
    subjects: Mapping[str, Rule]
    never_identified: frozenset[str]
    channels: Mapping[str, tuple[Rule, str | None]]
    builtin: Mapping[str, Rule]
    """Rules that hold under every policy: `purposes`, `items`, `recipients`, `consent`, `minimum`, ..."""
    country: CountryLaw
    """The law that the house is under."""
    controller: Mapping[str, str] = field(default_factory=dict)
    """The controller's name by locale."""
    locales: tuple[str, ...] = ("en",)
    consent_ways: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Channel of consent → how people agree on it: `tick`, `signed-form`, `spoken`, `reply-mail`, `reply-message`."""
    digest: str = ""
    atoms: frozenset[Atom] = field(default_factory=frozenset)
    """Every (fact, calendar rule, period) from which some end is reckoned: what the sweep must look for."""
    proofs: Mapping[str, ProofPlan] = field(default_factory=dict)
    acting: Mapping[str, ActingPlan] = field(default_factory=dict)
    """`agent` and `representative`."""
    remedies: tuple[str, ...] = ()
    """Bodies outside where people find remedy, by element path."""
    offices: tuple[str, ...] = ()
    """Offices of ours that take complaints, by element path."""
    first_review: Period = NO_PERIOD
    """The shortest time after which somebody looks at an end that is still open."""
    takings: dict[tuple[str | None, str | None, tuple[str, ...], str | None], Taking] = field(
        default_factory=dict, repr=False, compare=False
    )
    """Purpose, use, items and channel that were asked for before and that the document allows."""
    _ways: dict[tuple[str | None, str], tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)

    def way_in(self, channel: str | None, purpose: str) -> tuple[str, ...]:
        """The declared channel and the declared ways of collecting by which values came; the clause report asks."""
        known = self._ways.get((channel, purpose))
        if known is None:
            named = self.channels.get(channel or "")
            ways = [
                rule.path
                for rule, by, served in self.collection.values()
                if (not by or channel in by) and (not served or purpose in served) and (by or served)
            ]
            known = self._ways[channel, purpose] = (*((named[0].path,) if named else ()), *ways)
        return known


@dataclass(frozen=True)
class PolicyLine:
    """All versions of one policy in the order of their effective instants."""

    policy: str
    plans: tuple[Plan, ...]

    def at(self, at: Instant) -> Plan | None:
        """The version in force at that instant; None before the first."""
        found = None
        for plan in self.plans:
            if plan.effective_at > at:
                break
            found = plan
        return found

    def version(self, version: str) -> Plan | None:
        """The plan of a version on file."""
        return self._by_version.get(version)

    @cached_property
    def _by_version(self) -> Mapping[str, Plan]:
        return {plan.version: plan for plan in reversed(self.plans)}

    def before(self, plan: Plan) -> Plan:
        """The version that a version follows; itself for the first."""
        place = next((n for n, one in enumerate(self.plans) if one.version == plan.version), 0)
        return self.plans[max(place - 1, 0)]

    @cached_property
    def anchored(self) -> frozenset[str]:
        """Facts from which some period counts in some version: their days are kept for the sweep."""
        return frozenset(fact for plan in self.plans for fact, _, _ in plan.atoms)

    @property
    def latest(self) -> Plan:
        """The newest version on file."""
        return self.plans[-1]


def points_in(end: End) -> Iterator[tuple[Point, Period]]:
    """Every point of an end with the period that is added to it."""
    match end:
        case Point():
            yield end, Period()
        case Plus(point=point, period=period):
            yield point, period
        case LaterOf(of=ends) | EarlierOf(of=ends):
            for one in ends:
                yield from points_in(one)


def atoms_of(ends: Iterable[End | None]) -> frozenset[Atom]:
    """The atoms of ends: where time alone, without a new fact, can make a value due."""
    return frozenset((point.fact, point.calendar, period) for end in ends if end for point, period in points_in(end))
