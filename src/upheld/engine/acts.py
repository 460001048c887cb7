"""What may be asked of the engine and what it answers: acts, reasons, decisions. The set of reasons is closed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, NewType

import msgspec

from upheld.dates import BEGINNING, FOREVER, Instant

SubjectId = NewType("SubjectId", str)
EngagementId = NewType("EngagementId", str)
ConsentId = NewType("ConsentId", str)
FactId = NewType("FactId", str)
RequestId = NewType("RequestId", str)
DisclosureId = NewType("DisclosureId", str)
ContractId = NewType("ContractId", str)
HandlerId = NewType("HandlerId", str)
ValueId = NewType("ValueId", int)
"""64 bits: bucket, month of collection, then random bits; see `docs/adr/0007-value-ids.md`."""


class Reason(StrEnum):
    """Why an act is refused. Codes are for ever; `LAYER` orders them, `docs/refusals.md` explains them."""

    NOT_IN_FORCE = "not-in-force"
    RECOVERING = "recovering"
    PURPOSE_UNNAMED = "purpose-unnamed"
    DECLARATION_INCOMPLETE = "declaration-incomplete"
    PURPOSE_UNDECLARED = "purpose-undeclared"
    ITEM_UNDECLARED = "item-undeclared"
    ITEM_NOT_COVERED = "item-not-covered"
    METHOD_UNDECLARED = "method-undeclared"
    RECIPIENT_UNDECLARED = "recipient-undeclared"
    ITEMS_EXCEED_PROVISION = "items-exceed-provision"
    UNKNOWN = "unknown"
    DESTROYED = "destroyed"
    CHILD_WITHOUT_REPRESENTATIVE = "child-without-representative"
    KIND_NOT_COVERED = "kind-not-covered"
    NOT_SAME_GROUP = "not-same-group"
    CONSENT_MISSING = "consent-missing"
    CONSENT_WITHDRAWN = "consent-withdrawn"
    CONSENT_SCOPE_OLDER = "consent-scope-older"
    SEPARATE_CONSENT_MISSING = "separate-consent-missing"
    PERMISSION_MISSING = "permission-missing"
    LAW_MISSING = "law-missing"
    TRANSFER_BASIS_MISSING = "transfer-basis-missing"
    RECEIVING_CONSENT_MISSING = "receiving-consent-missing"
    NIGHT = "night"
    RECONFIRMATION_OVERDUE = "reconfirmation-overdue"
    GROUND_ENDED = "ground-ended"
    VALUE_SEPARATED = "value-separated"
    VALUE_DUE = "value-due"
    VALUE_MOVING = "value-moving"
    VALUE_DESTROYED = "value-destroyed"
    HELD_FOR_ANOTHER = "held-for-another"
    FROZEN = "frozen"
    SUSPENDED = "suspended"
    PROVISION_ENDED = "provision-ended"
    ENTRUSTMENT_ENDED = "entrustment-ended"
    CONTRACT_MISSING = "contract-missing"
    TRANSFER_STOPPED = "transfer-stopped"
    DUTY_MISSING = "duty-missing"
    CLEARANCE_LAPSED = "clearance-lapsed"
    MANDATE_EXCEEDED = "mandate-exceeded"
    IDENTITY_NOT_PROVED = "identity-not-proved"
    DEMAND_INCOMPLETE = "demand-incomplete"
    APPROVAL_MISSING = "approval-missing"
    RECORD_NOT_WRITTEN = "record-not-written"
    RULE_FAILED = "rule-failed"


_LAYERS: tuple[tuple[str, tuple[Reason, ...]], ...] = (
    ("policy", (Reason.NOT_IN_FORCE, Reason.RECOVERING)),
    (
        "declaration",
        (
            Reason.PURPOSE_UNNAMED,
            Reason.DECLARATION_INCOMPLETE,
            Reason.PURPOSE_UNDECLARED,
            Reason.ITEM_UNDECLARED,
            Reason.ITEM_NOT_COVERED,
            Reason.METHOD_UNDECLARED,
            Reason.RECIPIENT_UNDECLARED,
            Reason.ITEMS_EXCEED_PROVISION,
        ),
    ),
    (
        "subject",
        (
            Reason.UNKNOWN,
            Reason.DESTROYED,
            Reason.CHILD_WITHOUT_REPRESENTATIVE,
            Reason.KIND_NOT_COVERED,
            Reason.NOT_SAME_GROUP,
        ),
    ),
    (
        "basis",
        (
            Reason.CONSENT_MISSING,
            Reason.CONSENT_WITHDRAWN,
            Reason.CONSENT_SCOPE_OLDER,
            Reason.SEPARATE_CONSENT_MISSING,
            Reason.PERMISSION_MISSING,
            Reason.LAW_MISSING,
            Reason.TRANSFER_BASIS_MISSING,
            Reason.RECEIVING_CONSENT_MISSING,
            Reason.NIGHT,
            Reason.RECONFIRMATION_OVERDUE,
        ),
    ),
    (
        "ground",
        (
            Reason.GROUND_ENDED,
            Reason.VALUE_SEPARATED,
            Reason.VALUE_DUE,
            Reason.VALUE_MOVING,
            Reason.VALUE_DESTROYED,
            Reason.HELD_FOR_ANOTHER,
        ),
    ),
    ("hold", (Reason.FROZEN, Reason.SUSPENDED)),
    (
        "recipient",
        (Reason.PROVISION_ENDED, Reason.ENTRUSTMENT_ENDED, Reason.CONTRACT_MISSING, Reason.TRANSFER_STOPPED),
    ),
    (
        "reader",
        (
            Reason.DUTY_MISSING,
            Reason.CLEARANCE_LAPSED,
            Reason.MANDATE_EXCEEDED,
            Reason.IDENTITY_NOT_PROVED,
            Reason.DEMAND_INCOMPLETE,
            Reason.APPROVAL_MISSING,
        ),
    ),
    ("record", (Reason.RECORD_NOT_WRITTEN, Reason.RULE_FAILED)),
)
LAYERS: tuple[str, ...] = tuple(name for name, _ in _LAYERS)
LAYER: dict[Reason, int] = {reason: place for place, (_, reasons) in enumerate(_LAYERS) for reason in reasons}


class Cited(NamedTuple):
    """What decided: a policy element with its clauses, or a dated law row (`law`), and the reason if it refuses."""

    element: str
    clauses: tuple[str, ...]
    reason: Reason | None = None
    law: str | None = None
    detail: str = ""


class Decision(msgspec.Struct, frozen=True, gc=False):
    """The answer to one act. `covers` names the values it holds for; a refusal covers none."""

    granted: bool
    because: tuple[Cited, ...]
    covers: tuple[ValueId, ...] = ()
    until_at: Instant = FOREVER

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The refusal codes of the first layer that has any, in the order of that layer."""
        return tuple(dict.fromkeys(cited.reason for cited in self.because if cited.reason))

    @property
    def clauses(self) -> tuple[str, ...]:
        """Every clause cited, without repetition."""
        return tuple(dict.fromkeys(clause for cited in self.because for clause in cited.clauses))

    @property
    def elements(self) -> tuple[str, ...]:
        """The policy elements that decided, without repetition."""
        if len(self.because) == 1:
            return (self.because[0].element,)
        return tuple(dict.fromkeys(cited.element for cited in self.because))


def refused(*cited: Cited) -> Decision:
    """A refusal by the first layer that has any reason, whole, each reason with what it cites."""
    if len(cited) == 1:
        return Decision(False, cited)
    first = min(LAYER[one.reason] for one in cited if one.reason)
    kept = [one for one in cited if one.reason and LAYER[one.reason] == first]
    return Decision(False, tuple(dict.fromkeys(kept)))


class ReaderKind(StrEnum):
    """Who asks to read."""

    HANDLER = "handler"
    APPLICATION = "application"
    SUBJECT = "subject"
    FELLOW = "fellow"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: identity, what their task covers, and until when their clearance holds.

    `purposes` None means every declared purpose (an application of the controller that was not narrowed).
    `party` names the processor a handler or application works for; None is the controller itself.
    """

    kind: ReaderKind
    reader_id: str
    purposes: frozenset[str] | None = None
    duties: frozenset[str] = frozenset()
    party: str | None = None
    organisation: str | None = None
    cleared_from: Instant = BEGINNING
    cleared_until: Instant = FOREVER
    lapsed: tuple[str, ...] = ()
    """Safeguard elements whose missing evidence blocks this reader."""
    origin: str | None = None
    """The id under which the address that the reader came from is kept; nothing is decided by it."""


@dataclass(frozen=True, slots=True)
class Unasked:
    """The declared exception under which data is used without the consent it would need, and what is on record."""

    exception: str
    shown: frozenset[str] = frozenset()
    """What was put on record of all that the exception `needs`."""
    law: str | None = None


@dataclass(frozen=True, slots=True)
class Collect:
    """Take items of a subject for one purpose."""

    purpose: str | None
    items: tuple[str, ...]
    engagement: EngagementId | None = None
    channel: str | None = None
    use: str | None = None
    held_for: str | None = None
    proofs: frozenset[str] = frozenset()
    """Checks made just now, such as a fresh identity check that an item `needs`."""
    reused: tuple[ValueId, ...] = ()
    """Values already held that get one more use instead of new ones being taken."""
    unasked: Unasked | None = None
    """Set where the person was not asked, under an exception that the policy names."""


class Read(msgspec.Struct, frozen=True, gc=False):
    """See values of a subject for one purpose. Names either items or values.

    One is made for each reading, so it is of the kind that is made quickest; the same goes for what is answered.
    """

    purpose: str | None
    reader: Reader
    items: tuple[str, ...] = ()
    values: tuple[ValueId, ...] = ()
    use: str | None = None
    engagement: EngagementId | None = None


@dataclass(frozen=True, slots=True)
class ReadSeparated:
    """See values kept apart, for the use that a live ground of theirs names (its element path)."""

    ground: str
    reader: Reader
    values: tuple[ValueId, ...] = ()


@dataclass(frozen=True, slots=True)
class Show:
    """Give a person their own values, from both tiers, for access or portability."""

    reader: Reader
    right: str = "access"
    identity_proved: bool = False
    values: tuple[ValueId, ...] = ()
    """None named: everything held."""


@dataclass(frozen=True, slots=True)
class Provide:
    """Give items to a declared recipient for its own purpose."""

    recipient: str
    items: tuple[str, ...]
    engagement: EngagementId | None = None


@dataclass(frozen=True, slots=True)
class Entrust:
    """Hand items to a processor for a purpose of ours."""

    processor: str
    purpose: str
    items: tuple[str, ...]
    engagement: EngagementId | None = None


@dataclass(frozen=True, slots=True)
class Disclose:
    """Hand items out under a declared exception (statute, warrant, emergency), with everything it needs on record."""

    exception: str
    items: tuple[str, ...]
    shown: frozenset[str]
    law: str | None = None
    values: tuple[ValueId, ...] = ()


@dataclass(frozen=True, slots=True)
class Send:
    """Send a promotional message to a subject on a medium."""

    purpose: str
    medium: str
    local_hour: int
    transactional: bool = False


Act = Collect | Read | ReadSeparated | Show | Provide | Entrust | Disclose | Send

ACT_CODES: dict[type, str] = {
    Collect: "collect",
    Read: "read",
    ReadSeparated: "read-separated",
    Show: "show",
    Provide: "provide",
    Entrust: "entrust",
    Disclose: "disclose",
    Send: "send",
}


@dataclass(frozen=True, slots=True)
class Refusals:
    """Gathers what speaks against an act before the first layer answers."""

    found: list[Cited] = field(default_factory=list)

    def add(
        self, reason: Reason, element: str, clauses: tuple[str, ...], law: str | None = None, detail: str = ""
    ) -> None:
        """Note one reason with what it cites."""
        self.found.append(Cited(element, clauses, reason, law, detail))
