"""The closed vocabularies of the document. A word stands in the text exactly as its value here, and is for ever."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Translation(StrEnum):
    OURS = "ours"
    THEIRS = "theirs"


class Seen(StrEnum):
    PUBLIC = "public"
    INTERNAL = "internal"


class Guarantee(StrEnum):
    ONE_VERSION_IN_FORCE = "one-version-in-force"
    HELD_TO_WHAT_WAS_TOLD = "held-to-what-was-told"
    CLOSED_PURPOSES = "closed-purposes"
    CLOSED_ITEMS = "closed-items"
    SENSITIVE_ASKED_APART = "sensitive-asked-apart"
    NO_RECIPIENT_UNLISTED = "no-recipient-unlisted"
    EDITS_FOLLOW_THEIR_ITEM = "edits-follow-their-item"
    DUE_IS_UNREAD = "due-is-unread"
    NOTICE_FROM_DOCUMENT = "notice-from-document"
    EVERY_FIELD_CLASSIFIED = "every-field-classified"
    NOTICE_ALWAYS_OPEN = "notice-always-open"


class Identified(StrEnum):
    NEVER = "never"


class Copy(StrEnum):
    DESTROYED_WHEN_CHECKED = "destroyed-when-checked"


class Nature(StrEnum):
    PLAIN = "plain"
    PASSWORD = "password"
    SECRET = "secret"
    FINANCIAL = "financial"
    SENSITIVE = "sensitive"
    UNIQUE_ID = "unique-id"
    RESIDENT_NUMBER = "resident-number"


class Collected(StrEnum):
    NEVER = "never"


class ItemNeed(StrEnum):
    IDENTITY_CHECK = "identity-check"


class Basis(StrEnum):
    """LAW: PIPA 15(1), the seven grounds."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LAW = "law"
    PUBLIC_TASK = "public-task"
    VITAL = "vital"
    LEGITIMATE_INTEREST = "legitimate-interest"
    PUBLIC_HEALTH = "public-health"


class Source(StrEnum):
    PERSON = "person"
    GENERATED = "generated"
    PARTY = "party"
    TOOL = "tool"
    COOKIE = "cookie"
    APP = "app"


class PurposeNeed(StrEnum):
    DEVICE_PERMISSION = "device-permission"
    SAME_GROUP = "same-group"
    BOTH_ACCEPTED = "both-accepted"


class HeldFor(StrEnum):
    ORGANISATION = "organisation"


class ConsentWay(StrEnum):
    TICK = "tick"
    SIGNED_FORM = "signed-form"
    SPOKEN = "spoken"
    REPLY_MESSAGE = "reply-message"
    REPLY_MAIL = "reply-mail"


class ConsentSays(StrEnum):
    PURPOSE = "purpose"
    ITEMS = "items"
    PERIOD = "period"
    PROVISION = "provision"
    ENTRUSTMENT = "entrustment"
    REFUSAL = "refusal"
    TERMS = "terms"
    POLICY = "policy"


class AtNight(StrEnum):
    NEVER = "never"
    OWN_CONSENT = "own-consent"


class GroundKind(StrEnum):
    RETENTION = "retention"
    CLAIM = "claim"
    DISPUTE = "dispute"


class DestructionMethod(StrEnum):
    ERASE = "erase"
    DESTROY_KEY = "destroy-key"
    SHRED = "shred"
    INCINERATE = "incinerate"


class DestructionProof(StrEnum):
    READ_BACK = "read-back"
    WITNESS_RECORD = "witness-record"


class SeparationNeed(StrEnum):
    LIVE_GROUND = "live-ground"


class SeparationUse(StrEnum):
    OWN_GROUND = "own-ground"


class AtEnd(StrEnum):
    RETURN_OR_DESTROY = "return-or-destroy"


class OwnConsent(StrEnum):
    OWN = "own"


class LongerBy(StrEnum):
    STATUTE = "statute"


class ExceptionNeed(StrEnum):
    CONSENT = "consent"
    ARTICLE = "article"
    REQUESTER = "requester"
    DOCUMENT = "document"
    APPROVER = "approver"
    CONTRACT = "contract"
    DIFFICULTY = "difficulty"
    CLAIM = "claim"
    REGISTERED_PARTY = "registered-party"


class Recorded(StrEnum):
    DISCLOSURE_LEDGER = "disclosure-ledger"


class CollectionRecorded(StrEnum):
    COLLECTION_LEDGER = "collection-ledger"


class Contract(StrEnum):
    SIGNED = "signed"


class TermName(StrEnum):
    COMPLIANCE = "compliance"
    CONFIDENTIALITY = "confidentiality"
    NO_PASSING_ON = "no-passing-on"
    LIABILITY = "liability"
    PURPOSE_LIMITS = "purpose-limits"
    INSPECTIONS = "inspections"


class TransferAs(StrEnum):
    ENTRUSTMENT = "entrustment"
    PROVISION = "provision"


class TransferBasis(StrEnum):
    """LAW: PIPA 28-8(1)."""

    CONSENT = "consent"
    LAW = "law"
    CONTRACT = "contract"
    CERTIFICATION = "certification"
    RECOGNISED_COUNTRY = "recognised-country"


class TransferWhen(StrEnum):
    ENTRY = "entry"


class Refusable(StrEnum):
    BEFORE_ENTRY = "before-entry"


class Duty(StrEnum):
    REQUESTS = "requests"
    SEPARATED = "separated"
    DESTRUCTION = "destruction"
    AUDIT = "audit"


class GrantRecord(StrEnum):
    REASON = "reason"
    APPROVER = "approver"
    PLEDGE = "pledge"
    TRAINING = "training"


class RightName(StrEnum):
    ACCESS = "access"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    SUSPENSION = "suspension"
    WITHDRAWAL = "withdrawal"
    PORTABILITY = "portability"
    SOURCE = "source"
    OBJECTION = "objection"


class Opening(StrEnum):
    ALWAYS = "always"


class Gives(StrEnum):
    VIEW = "view"
    COPY = "copy"


class Tells(StrEnum):
    RECIPIENTS = "recipients"
    PROCESSORS = "processors"


class Refusal(StrEnum):
    WITH_REASON = "with-reason"


class Covers(StrEnum):
    PERSON = "person"
    PURPOSE = "purpose"


class Stops(StrEnum):
    RECEIVED = "received"


class Leaves(StrEnum):
    UNREAD = "unread"


class FreezeExcept(StrEnum):
    STATUTE = "statute"
    NOTHING = "nothing"


class FreezeCovers(StrEnum):
    PERSON = "person"


class ChildAsked(StrEnum):
    BEFORE_COLLECTION = "before-collection"


class ChildWords(StrEnum):
    PLAIN = "plain"


class ChildSays(StrEnum):
    PURPOSE = "purpose"
    REPRESENTATIVE_NEEDED = "representative-needed"


class ChildElse(StrEnum):
    CLOSED_TO_CHILDREN = "closed-to-children"


class OnlyFor(StrEnum):
    CONSENT_CHECK = "consent-check"


class GivenTo(StrEnum):
    NOBODY = "nobody"


class Representative(StrEnum):
    REPRESENTATIVE = "representative"


class ChildNeverSent(StrEnum):
    ADVERTISING = "advertising"


class ChildNeverAsked(StrEnum):
    GAME = "game"
    PRIZE = "prize"
    EVENT = "event"


class Preset(StrEnum):
    NECESSARY = "necessary"


class Honours(StrEnum):
    BROWSER = "browser"
    GPC = "gpc"


class EngineCheck(StrEnum):
    PASSWORDS_ONE_WAY = "passwords-one-way"
    ENCRYPTED_AT_REST = "encrypted-at-rest"
    ENCRYPTED_IN_TRANSIT = "encrypted-in-transit"
    ACCESS_RECORDS_KEPT = "access-records-kept"
    LEDGER_UNBROKEN = "ledger-unbroken"
    EVERY_GRANT_RECORDED = "every-grant-recorded"
    EVERY_ACCESS_SIGNED_IN = "every-access-signed-in"


class Register(StrEnum):
    HANDLER = "handler"
    EMPLOYEE = "employee"
    HOST = "host"
    SYSTEM = "system"
    ZONE = "zone"
    ROOM = "room"
    CABINET = "cabinet"
    PROCESSOR = "processor"


class Blocks(StrEnum):
    ACCESS = "access"
    PUBLICATION = "publication"


class FreshConsent(StrEnum):
    FRESH_CONSENT = "fresh-consent"


class ChangeCause(StrEnum):
    LAW_CHANGE = "law-change"
    PRACTICE_CHANGE = "practice-change"


class ChangeSays(StrEnum):
    DIFFERENCES = "differences"
    REASONS = "reasons"
    EFFECTIVE_DATE = "effective-date"


class FallbackIf(StrEnum):
    UNREACHABLE_WITHOUT_FAULT = "unreachable-without-fault"
    DISASTER = "disaster"


class RegionalIf(StrEnum):
    """When newspapers of one region do in place of those of the whole country."""

    MAJORITY = "majority"


class Takes(StrEnum):
    """What a contact takes: two queues, and the rights."""

    COMPLAINTS = "complaints"
    QUESTIONS = "questions"
    ACCESS = "access"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    SUSPENSION = "suspension"
    WITHDRAWAL = "withdrawal"
    PORTABILITY = "portability"
    SOURCE = "source"
    OBJECTION = "objection"


class ShownIn(StrEnum):
    NOTICE = "notice"
    REFUSAL = "refusal"
    CLOSING_LETTER = "closing-letter"


class AlsoSaid(StrEnum):
    SIGN_UP = "sign-up"
    PASSWORD_CHANGE = "password-change"


EVIDENCE: Final = frozenset(
    {
        "acknowledgement",
        "advisory-applied",
        "antivirus-report",
        "appointment",
        "audit-report",
        "compliance-review",
        "entry-log",
        "hand-over",
        "heartbeat",
        "leak-plan",
        "liability-statement",
        "lock-check",
        "log-review",
        "management-plan",
        "path-review",
        "pledge",
        "reachability-check",
        "reminder",
        "room-review",
        "rule-review",
        "signature-update",
        "training-inside",
        "training-outside",
        "training-record",
        "zone-record",
        "zone-scan",
    }
)
"""Kinds of evidence that have a form. A document may name another, and is warned."""

VALUE_FACTS: Final = frozenset({"collected", "provided"})
CONSENT_FACTS: Final = frozenset({"consented", "withdrawn"})
ENGAGEMENT_FACTS: Final = frozenset({"begun", "ended"})
REQUEST_FACTS: Final = frozenset(
    {"received", "proved", "answered", "settled", "corrected", "destroyed", "refused", "lifted"}
)
CASE_FACTS: Final = frozenset({"dispute-opened", "dispute-settled", "contract-ended"})
ORGANISATION_FACTS: Final = frozenset(
    {"hired", "left", "handler-changed", "plan-changed", "officer-vacant", "advisory-published"}
)
KNOWN_FACTS: Final = VALUE_FACTS | CONSENT_FACTS | ENGAGEMENT_FACTS | REQUEST_FACTS | CASE_FACTS | ORGANISATION_FACTS
"""Facts that need no declaration."""

KNOWN_CLOSERS: Final = {"dispute-settled": "dispute-opened"}
"""Of those, the facts that close another."""

EMAIL: Final = "email"
TRANSPORTS: Final = {
    "e-mail": EMAIL, "mail": EMAIL, "electronic-mail": EMAIL,
    "text": "sms", "text-message": "sms", "message": "sms", "mms": "sms", "lms": "sms",
    "calling": "call", "phone": "call", "telephone": "call", "phone-call": "call",
    "post": "letter", "postal-mail": "letter", "website": "site",
}  # fmt: skip
"""Words that documents use for a medium, and what serves it. A medium of any other name is served by that name."""


def served_by(medium: str) -> str:
    """`email` for `e-mail`, `sms` for `text-message`; its own name where there is no other word for it."""
    return TRANSPORTS.get(medium, medium)
