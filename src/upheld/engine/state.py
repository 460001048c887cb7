"""What is known: facts, consents, requests and values of one subject, and of the controller. Plain frozen records.

There are many of them, and none leads back to itself: the collector of cycles need not look at them (`gc=False`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from msgspec import Struct

from upheld.dates import FOREVER, Instant
from upheld.engine.acts import ConsentId, DisclosureId, EngagementId, FactId, RequestId, SubjectId, ValueId


class HeldState(StrEnum):
    """Where a value is. Only goes forward."""

    HELD = "held"
    MOVING = "moving"
    SEPARATED = "separated"
    CONDEMNED = "condemned"
    DESTROYED = "destroyed"


class Fact(Struct, frozen=True, gc=False):
    """An event of the world. `at` is when it happened, `known_at` when it was recorded.

    `about` narrows it: a purpose, a party, the id of a dispute; `values` names the values it is about.
    """

    fact_id: FactId
    code: str
    at: Instant
    known_at: Instant
    engagement: EngagementId | None = None
    about: str | None = None
    values: tuple[ValueId, ...] = ()


BOTH_ACCEPTED, ACCEPTANCE_ENDED = "both-accepted", "acceptance-ended"
"""The person and somebody outside the group accepted each other; one of the two took it back. `about` names the other.
"""


class AboutKind(StrEnum):
    """What one consent is for. Never a bundle."""

    PURPOSE = "purpose"
    PROVISION = "provision"
    ENTRUSTMENT = "entrustment"
    TRANSFER = "transfer"
    MEDIUM = "medium"
    NIGHT = "night"
    ITEM = "item"
    PERMISSION = "permission"
    REPRESENTATIVE = "representative"


class About(NamedTuple):
    """What a consent, withdrawal or question is about."""

    kind: AboutKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


class Consent(Struct, frozen=True, gc=False):
    """One consent given or withdrawn, bound to the version and the exact text shown."""

    consent_id: ConsentId
    about: About
    given: bool
    at: Instant
    known_at: Instant
    version: str
    channel: str
    by: str = "subject"


class Engagement(Struct, frozen=True, gc=False):
    """One relation with the service. `organisation` is the customer for whom a participant's data is held."""

    engagement_id: EngagementId
    kind: str
    begun_at: Instant
    known_at: Instant
    organisation: str | None = None


class Use(Struct, frozen=True, gc=False, array_like=True):
    """A purpose under which a value was collected or reused; `anchor_at` passes over to a corrected value.

    As an array of its fields, in this order, it stands in the column of a value: new ones go to the end.
    """

    purpose: str
    engagement: EngagementId | None
    anchor_at: Instant
    version: str
    known_at: Instant
    exception: str | None = None
    """The exception on which it rests where nobody was asked."""


class Value(Struct, frozen=True, gc=False):
    """What is known about a stored datum, without its content."""

    value_id: ValueId
    item: str
    collected_at: Instant
    known_at: Instant
    uses: tuple[Use, ...]
    held: HeldState = HeldState.HELD
    replaced_at: Instant | None = None
    replaced_known_at: Instant | None = None
    held_for: str | None = None


class RequestState(StrEnum):
    """Where a request stands. It is `open` when who asks is proved; the clock runs from receipt all the same."""

    RECEIVED = "received"
    TO_BE_COMPLETED = "to-be-completed"
    OPEN = "open"
    POSTPONED = "postponed"
    DONE = "done"
    PARTLY = "partly"
    REFUSED = "refused"
    NOT_IDENTIFIED = "not-identified"
    NOTHING_HELD = "nothing-held"
    TAKEN_BACK = "taken-back"


WAITING = frozenset({RequestState.RECEIVED, RequestState.TO_BE_COMPLETED, RequestState.OPEN, RequestState.POSTPONED})
"""States without an answer."""


class ActingKind(StrEnum):
    """Who acts for a person."""

    AGENT = "agent"
    REPRESENTATIVE = "representative"


class Acting(Struct, frozen=True, gc=False):
    """Somebody who acts for the person: under a mandate, or by law. Empty `rights` or `items`: every one."""

    acting_id: str
    kind: ActingKind
    from_at: Instant
    known_at: Instant
    until_at: Instant = FOREVER
    rights: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    ended_at: Instant | None = None

    def live(self, at: Instant) -> bool:
        """Whether they act at that instant."""
        ends = self.until_at if self.ended_at is None else min(self.until_at, self.ended_at)
        return self.from_at <= at < ends


class Request(Struct, frozen=True, gc=False):
    """A right exercised. Empty `values` means everything held when it came in; `purposes` narrows a suspension."""

    request_id: RequestId
    right: str
    received_at: Instant
    known_at: Instant
    proved_at: Instant | None
    values: tuple[ValueId, ...] = ()
    purposes: tuple[str, ...] = ()
    state: RequestState = RequestState.OPEN
    settled_at: Instant | None = None
    settled_known_at: Instant | None = None
    lifted_at: Instant | None = None
    freezes: bool = True
    """False where an earlier refusal of the same kind stands and staff have not accepted the new one."""
    channel: str = ""
    by: str = "subject"
    """`subject`, or the kind of who acted for them; `acting` says which of them."""
    acting: str | None = None
    due_at: Instant = FOREVER
    postponed_until: Instant | None = None
    extended: int = 0
    """How often the time for an answer was extended."""
    answered_by: str | None = None
    reason: str | None = None
    """Why the answer is not a plain yes."""
    passed_to: str | None = None
    """The controller from whom the data came, who has to answer first."""
    objects_to: RequestId | None = None
    for_child: bool = False
    """The representative of a child asked."""

    def stands(self, at: Instant) -> RequestState:
        """Its state at an instant: what was postponed resumes by itself."""
        resumed = self.postponed_until is not None and self.postponed_until <= at
        return RequestState.OPEN if resumed and self.state is RequestState.POSTPONED else self.state

    @property
    def waiting(self) -> bool:
        """Whether it has no answer yet."""
        return self.state in WAITING


class Disclosure(Struct, frozen=True, gc=False):
    """Who got which values, when, and until when they may use them."""

    disclosure_id: DisclosureId
    recipient: str
    values: tuple[ValueId, ...]
    at: Instant
    known_at: Instant
    engagement: EngagementId | None = None


@dataclass(frozen=True)
class SubjectState:
    """Everything known about one subject by some instant. Order of the tuples carries no meaning."""

    subject_id: SubjectId
    kind: str
    entered_at: Instant
    engagements: Mapping[EngagementId, Engagement] = field(default_factory=dict)
    facts: tuple[Fact, ...] = ()
    consents: tuple[Consent, ...] = ()
    values: tuple[Value, ...] = ()
    requests: tuple[Request, ...] = ()
    disclosures: tuple[Disclosure, ...] = ()
    acting: tuple[Acting, ...] = ()
    minor_until: Instant | None = None
    """Start of the day on which the age of consent is reached; None for a subject who was never under age."""

    @cached_property
    def facts_by_code(self) -> Mapping[str, tuple[Fact, ...]]:
        """Facts of each code in the order in which they happened."""
        return grouped(self.facts)

    @cached_property
    def consents_by_about(self) -> Mapping[About, tuple[Consent, ...]]:
        """Consents and withdrawals of each matter in order; at one instant the withdrawal comes last, so the stricter
        wins.
        """
        by: dict[About, list[Consent]] = {}
        for consent in self.consents:
            by.setdefault(consent.about, []).append(consent)
        return {about: tuple(sorted(given, key=lambda one: (one.at, not one.given))) for about, given in by.items()}


def grouped(facts: Iterable[Fact]) -> Mapping[str, tuple[Fact, ...]]:
    """Facts by code, each group in the order in which they happened."""
    by: dict[str, list[Fact]] = {}
    for fact in facts:
        by.setdefault(fact.code, []).append(fact)
    return {code: tuple(sorted(found, key=lambda fact: (fact.at, fact.known_at))) for code, found in by.items()}


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract with a processor or recipient in force for a span. `until_at` FOREVER while it runs."""

    contract_id: str
    party: str
    from_at: Instant
    until_at: Instant = FOREVER
    terms: frozenset[str] = frozenset()
    sub_consent: bool = False
    """Our recorded consent, for a sub-processor."""


@dataclass(frozen=True)
class ControllerState:
    """What is known about the organisation as a whole."""

    facts: tuple[Fact, ...] = ()
    contracts: tuple[Contract, ...] = ()
    stopped_transfers: frozenset[str] = frozenset()

    @cached_property
    def facts_by_code(self) -> Mapping[str, tuple[Fact, ...]]:
        """Facts of each code in the order in which they happened."""
        return grouped(self.facts)

    def then(self, at: Instant) -> ControllerState:
        """The same knowledge with the transfers that were stopped at an instant."""
        return ControllerState(self.facts, self.contracts, stopped_by(self.facts, at))

    def contract_of(self, party: str, at: Instant) -> Contract | None:
        """The contract in force with that party at that instant; of several the one that began last, since one that was
        amended is recorded anew. Of two that began at one instant the one that says less.
        """
        running = (one for one in self.contracts if one.party == party and one.from_at <= at < one.until_at)
        return max(running, key=lambda one: (one.from_at, -len(one.terms), not one.sub_consent), default=None)


STOPPED, RESUMED = "transfer-stopped", "transfer-resumed"


def stopped_by(facts: Iterable[Fact], at: Instant) -> frozenset[str]:
    """The transfers that a stop order halts at an instant; of two orders of one instant the one that stops counts."""
    orders = [one for one in facts if one.code in (STOPPED, RESUMED) and one.about is not None and one.at <= at]
    stopped: set[str] = set()
    for order in sorted(orders, key=lambda one: (one.at, one.code == STOPPED)):
        change = stopped.add if order.code == STOPPED else stopped.discard
        change(order.about or "")
    return frozenset(stopped)
