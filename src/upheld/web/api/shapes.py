"""What programs send and get. Frozen; an unknown field is refused. Values are ids as text: 64 bits are too many for a
number of JavaScript. Instants are ISO 8601 with an offset.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

MOST_LISTED = 200
MOST_READ = 1000
MOST_COLLECTED = 100

Code = Annotated[str, Meta(pattern=r"^[a-z0-9]+([-._/][a-z0-9]+)*$", max_length=64)]
Id = Annotated[str, Meta(pattern=r"^[a-z2-7]{20}$")]
ValueText = Annotated[str, Meta(pattern=r"^[0-9]{1,19}$")]
Content = Annotated[str, Meta(min_length=1, max_length=4000)]
When = Annotated[datetime, Meta(tz=True)]
Codes = Annotated[list[Code], Meta(max_length=100)]


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What comes in."""


class Answer(msgspec.Struct, frozen=True):
    """What goes out."""


# ── in ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Enter(Body, frozen=True):
    """A person becomes known, as one of the policy's kinds; where the policy asks for it, with day of birth."""

    kind: Code
    born: date | None = None
    minor: bool | None = None
    at: When | None = None


class LookUp(Body, frozen=True):
    """An exact identifier and the reason (a code) for looking. In the body, never in an address."""

    item: Code
    text: Content
    reason: Code


class Begin(Body, frozen=True):
    """An engagement begins."""

    kind: Code
    organisation: Code | None = None
    at: When | None = None


class Collect(Body, frozen=True):
    """Items and their contents for one purpose: all of them or none."""

    purpose: Code
    items: Annotated[dict[Code, Content], Meta(min_length=1, max_length=100)]
    engagement: Id | None = None
    channel: Code | None = None
    proofs: Codes = []
    use: Code | None = None


class CollectOf(Collect, frozen=True, kw_only=True):
    """The same for one person of several."""

    subject: Id


class CollectBatch(Body, frozen=True):
    """Several collections, each decided by itself, all in one commit."""

    entries: Annotated[list[CollectOf], Meta(min_length=1, max_length=MOST_COLLECTED)]


class Correct(Body, frozen=True):
    """A right content in place of a wrong one."""

    value: ValueText
    text: Content
    request: Id | None = None


class Read(Body, frozen=True):
    """What is to be seen for one purpose: items, or values by their ids."""

    purpose: Code
    items: Codes = []
    values: Annotated[list[ValueText], Meta(max_length=MOST_READ)] = []
    use: Code | None = None
    engagement: Id | None = None


class ValueOf(Body, frozen=True):
    """One value of one person."""

    subject: Id
    value: ValueText


class ReadBatch(Body, frozen=True):
    """Values of many persons for one purpose, each decided by itself."""

    purpose: Code
    values: Annotated[list[ValueOf], Meta(min_length=1, max_length=MOST_READ)]
    use: Code | None = None


class Consent(Body, frozen=True):
    """Consent to one thing (`purpose/offers`). Without `text` the policy's own question was shown."""

    about: Code
    channel: Code
    by: Code = "subject"
    verified: Code | None = None
    text: Content | None = None
    locale: Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")] = "en"
    at: When | None = None


class Withdraw(Body, frozen=True):
    """Consent taken back. `confirmed`: the person was told that an engagement ends with it, and wants it."""

    about: Code
    channel: Code
    by: Code = "subject"
    confirmed: bool = False
    at: When | None = None


class Fact(Body, frozen=True):
    """Something happened. The same `source` and `key` again changes nothing, for ever."""

    code: Code
    at: When | None = None
    engagement: Id | None = None
    about: Code | None = None
    values: Annotated[list[ValueText], Meta(max_length=MOST_LISTED)] = []
    source: Code | None = None
    key: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


class Provide(Body, frozen=True):
    """Items for a declared recipient."""

    recipient: Code
    items: Annotated[list[Code], Meta(min_length=1, max_length=100)]
    engagement: Id | None = None


class Entrust(Body, frozen=True):
    """Items for a processor, for a purpose of ours."""

    processor: Code
    purpose: Code
    items: Annotated[list[Code], Meta(min_length=1, max_length=100)]
    engagement: Id | None = None


class Reuse(Body, frozen=True):
    """Values that are held already, for one more purpose."""

    purpose: Code
    values: Annotated[list[ValueText], Meta(min_length=1, max_length=MOST_LISTED)]
    engagement: Id | None = None
    channel: Code | None = None


class Disclose(Body, frozen=True):
    """Items under an exception that the policy declares. `shown`: what is on record for it, such as `document`."""

    exception: Code
    items: Annotated[list[Code], Meta(min_length=1, max_length=100)]
    shown: Codes = []
    law: Code | None = None
    values: Annotated[list[ValueText], Meta(max_length=MOST_LISTED)] = []


class Send(Body, frozen=True):
    """One promotional message: may it go out now, by this medium? If so it is on record as sent."""

    purpose: Code
    medium: Code


class ReadSeparated(Body, frozen=True):
    """What is kept apart, for the ground that keeps it (`statutes.tax`)."""

    ground: Code
    values: Annotated[list[ValueText], Meta(max_length=MOST_LISTED)] = []


class Mandate(Body, frozen=True):
    """Somebody acts for the person: `agent` or `representative`. `shown`: the papers that the policy asks for."""

    kind: Code
    shown: Codes = []
    rights: Codes = []
    items: Codes = []
    until: When | None = None
    at: When | None = None


class MandateEnds(Body, frozen=True):
    """A mandate is taken back, or ends before its day."""

    reason: Code = "revoked"


class Prove(Body, frozen=True):
    """Who asked is proved, by these proofs."""

    proofs: Annotated[list[Code], Meta(min_length=1, max_length=20)]


class Incomplete(Body, frozen=True):
    """Something is missing; the person is asked for it."""

    missing: Codes = []


class Postpone(Body, frozen=True):
    """Access is put off until an instant, for a reason."""

    until: When
    reason: Code


class Extend(Body, frozen=True):
    """As long again, for a reason."""

    reason: Code


class PassOn(Body, frozen=True):
    """The request goes to the controller from whom the data came."""

    party: Code


class AnswerRequest(Body, frozen=True):
    """The request is answered; every answer but `done` has a reason. `confirmed`: the person was told what an erasure
    ends (`tells` said it when the request came in), and wants it.
    """

    outcome: Literal["done", "partly", "refused", "not-identified", "nothing-held", "taken-back"]
    reason: Code | None = None
    confirmed: bool = False


class Request(Body, frozen=True):
    """A person exercises a right. `proved`: the channel itself showed who asks, as a sign-in does. `confirmed`: an
    erasure ends what cannot go on without it; otherwise `tells` says what that would be (`ends:ENGAGEMENT`).
    """

    right: Code
    channel: Code
    proved: bool = False
    proofs: Codes = []
    values: Annotated[list[ValueText], Meta(max_length=MOST_LISTED)] = []
    purposes: Codes = []
    confirmed: bool = False
    at: When | None = None


class Erase(Body, frozen=True):
    """A person wants to be erased, and is. `proved`, `proofs`, `values`, `confirmed` as for a request."""

    channel: Code
    proved: bool = False
    proofs: Codes = []
    values: Annotated[list[ValueText], Meta(max_length=MOST_LISTED)] = []
    confirmed: bool = False


class Publish(Body, frozen=True):
    """A version of the policy as a document. `dry`: say what the gate finds, and put nothing on file."""

    document: Annotated[str, Meta(min_length=1, max_length=500_000)]
    as_of: date | None = None
    evidence: Code | None = None
    dry: bool = False


class Verify(Body, frozen=True):
    """Checkpoints or certificates that somebody kept elsewhere, to hold the ledger against."""

    anchors: Annotated[list[Annotated[str, Meta(max_length=100_000)]], Meta(max_length=20)] = []


class Nothing(Body, frozen=True):
    """No query."""


class Listing(Body, frozen=True):
    """A page of a list: from `cursor` on, at most `limit`."""

    cursor: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,100}$")] | None = None
    limit: Annotated[int, Meta(ge=1, le=MOST_LISTED)] = 50


class Span(Body, frozen=True):
    """Which version, over which time."""

    version: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    since: When | None = None
    until: When | None = None


# ── out ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Cause(Answer, frozen=True):
    """What decided: an element of the policy with its clauses, or a row of the law; the reason, if it refuses."""

    element: str
    clauses: list[str]
    reason: str | None = None
    layer: str | None = None
    law: str | None = None
    detail: str = ""


class Problem(Answer, frozen=True):
    """RFC 9457. `code` never changes its meaning; `reasons` are those of a refused decision."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    reasons: list[Cause] = []


class Done(Answer, frozen=True):
    """A verb was decided and done."""

    at: datetime
    because: list[Cause]
    made: str | None = None
    values: dict[str, list[str]] = {}
    tells: list[str] = []
    repeated: bool = False


class Erased(Answer, frozen=True):
    """The request was answered, and `gone` values went by it: keys and contents. What is kept apart, settles, waits for
    an approval, or belongs to a sweeper, goes in its time.
    """

    at: datetime
    because: list[Cause]
    made: str
    gone: int
    tells: list[str] = []
    repeated: bool = False


class Texts(Answer, frozen=True):
    """Contents, by value."""

    at: datetime
    because: list[Cause]
    values: dict[str, list[str]]
    texts: dict[str, str]
    made: str | None = None
    repeated: bool = False


class Entered(Answer, frozen=True):
    """The id of a person: random, it says nothing."""

    subject: str


class Found(Answer, frozen=True):
    """Who holds exactly the text that was asked for."""

    subjects: list[str]


class DecidedOne(Answer, frozen=True):
    """One of several: done, or a problem of its own."""

    subject: str
    done: Done | None = None
    problem: Problem | None = None


class Decided(Answer, frozen=True):
    """Several, in the order in which they came."""

    entries: list[DecidedOne]


class ReadOut(Answer, frozen=True):
    """Contents that may be seen, and why the others may not."""

    at: datetime
    texts: dict[str, str]
    refused: dict[str, list[Cause]]


class Consents(Answer, frozen=True):
    """The state of each matter."""

    consents: dict[str, str]


class Holding(Answer, frozen=True):
    """A value without its content: where it ought to be, what keeps it, and whether a request holds it in dispute."""

    value: str
    item: str
    state: str
    collected_at: datetime
    purposes: list[str]
    kept_by: list[str]
    disputed: bool = False


class Holdings(Answer, frozen=True):
    """A page of what is held on a person."""

    items: list[Holding]
    next: str | None = None


class Asked(Answer, frozen=True):
    """A request and where it stands."""

    request: str
    right: str
    state: str
    received_at: datetime
    due_at: datetime | None
    proved: bool


class AskedOf(Answer, frozen=True):
    """A page of a person's requests."""

    items: list[Asked]
    next: str | None = None


class Mandated(Answer, frozen=True):
    """Who acts for a person, without a name. Empty `rights` or `items`: every one."""

    acting: str
    kind: str
    since: datetime
    until: datetime | None
    rights: list[str]
    items: list[str]


class Mandates(Answer, frozen=True):
    """A page of those who act for a person now."""

    items: list[Mandated]
    next: str | None = None


class Told(Answer, frozen=True):
    """One message: to whom, about what, and whether by all that is known it arrived."""

    message: str
    subject: str
    notice: str
    medium: str
    state: str
    queued_at: datetime
    settled_at: datetime | None


class ToldList(Answer, frozen=True):
    """A page of messages."""

    items: list[Told]
    next: str | None = None


class Certificates(Answer, frozen=True):
    """A page of ids."""

    items: list[str]
    next: str | None = None


class Version(Answer, frozen=True):
    """A version on file."""

    version: str
    effective_at: datetime
    in_force: bool


class Policy(Answer, frozen=True):
    """The policy under which the program acts, and what the program may do."""

    policy: str
    versions: list[Version]
    purposes: list[str]
    duties: list[str]
    bound_to: list[str]


class Published(Answer, frozen=True):
    """A version on file."""

    version: str
    effective_at: datetime
    gaps: list[str]
    dry: bool


class Verified(Answer, frozen=True):
    """Whether the ledger holds, and what is wrong with it."""

    holds: bool
    batches: int
    entries: int
    checkpoints: int
    problems: list[str]
    cannot_show: list[str]


class Token(Answer, frozen=True):
    """A token (RFC 6749)."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


class TokenRefused(Answer, frozen=True):
    """Why there is no token (RFC 6749, 5.2)."""

    error: str
