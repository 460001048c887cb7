"""A document held against the law of a day. A check asks the rows for a code and is silent where none is in force.

So one table of checks serves every country and every day: what differs is the rows. Nothing here knows a number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from upheld.dates import Period
from upheld.errors import Level
from upheld.law import LawOfDay, Rule
from upheld.law.stricter import By, Decided, about_days, at_least
from upheld.policy.ends import Plus, points_in
from upheld.policy.findings.finding import Finding, Spot, at, found, listed, says, taken, written
from upheld.policy.model import CollectionException, Law, Policy, ProvisionException, Purpose, Row, Statute, Transfer
from upheld.policy.shapes import LawRef, attribute
from upheld.policy.vocabulary import Basis, ConsentWay, EngineCheck, ExceptionNeed, GroundKind, Nature, TransferBasis

LawCheck = Callable[[Policy, LawOfDay], Iterator[Finding]]

NETWORK: Final = re.compile(r"Network Act|정보통신망", re.I)
FORM: Final = re.compile(r"Annex \d+ of the rules|별지 제\d+호")
CARD: Final = re.compile(r"passport|driving licence|resident registration card|주민등록증|여권|운전면허", re.I)
DISCLAIMED: Final = re.compile(r"do not answer for|not liable|책임지지 않", re.I)
BREACH: Final = re.compile(r"\bbreach|\bleak|\bincident|유출|침해사고", re.I)
INTEREST: Final = re.compile(r"\binterest|이익", re.I)
LOG_REVIEW: Final = re.compile(r"log-review|access-review|record-review")
PLAN: Final = re.compile(r"management-plan|inside-plan|internal-plan")
PORTAL: Final = re.compile(r"privacy\.go\.kr")


@dataclass(frozen=True, slots=True)
class Size:
    """What no document knows of its controller: persons a day on average, and whether it is a registered carrier."""

    persons: int | None = None
    carrier: bool = False


# ------------------------------------------------------------------------------------------ what a policy must hold


def _officer(policy: Policy) -> bool:
    return any(row.phone or row.team for row in policy.contacts.values() if not row.builtin)


CONTENTS: Final[dict[str, tuple[str, Callable[[Policy], bool]]]] = {
    "contents.retention": ("purposes", lambda policy: all(row.until for row in policy.purposes.values())),
    "contents.destruction": ("purposes", lambda policy: _own(policy, "destruction")),
    "contents.holds": ("destruction", lambda policy: "statutes" not in policy.empty_sections),
    "contents.rights": ("contacts", lambda policy: _own(policy, "rights")),
    "contents.officer": ("controller", _officer),
    "contents.controller": ("controller", _officer),
    "contents.safety": ("purposes", lambda policy: _own(policy, "safeguards")),
    "contents.complaint": ("contacts", lambda policy: _own(policy, "agencies")),
    "contents.remedies": ("contacts", lambda policy: _own(policy, "agencies")),
    "contents.children": ("acting-for", lambda policy: _own(policy, "children")),
    "contents.recipients": (
        "purposes",
        lambda policy: all(_told(policy, one) for one in ("provisions", "entrustments")),
    ),
    "contents.cookies": ("purposes", lambda policy: _own(policy, "cookies") or "cookies" in policy.empty_sections),
}
"""What must stand in a policy: the section beside which its absence is shown, and whether it is there."""

IF_ANY: Final[dict[str, tuple[str, str]]] = {
    "contents.transfer": ("transfers", "transfers abroad"),
    "contents.transfers": ("transfers", "transfers to third countries"),
    "contents.sensitive-disclosure": ("", "sensitive data that others may come to see"),
    "contents.pseudonymised": ("", "pseudonymised data"),
    "contents.not-consented": ("", "items handled without consent, listed apart"),
    "contents.compatible-use": ("", "continual further use and its criteria"),
    "contents.automated": ("", "automated decisions"),
    "contents.behaviour": ("", "behavioural data taken by the tools of others"),
    "contents.portability": ("", "moving data to the person or to another"),
    "contents.history": ("", "earlier versions and what was changed"),
    "contents.ai": ("", "the special case for artificial intelligence"),
}
"""What must stand there if there is any of it; the section where it would stand, if the language has one."""


def _own(policy: Policy, section: str) -> bool:
    return any(not row.builtin for row in getattr(policy, attribute(section)).values())


def _told(policy: Policy, section: str) -> bool:
    return _own(policy, section) or section in policy.empty_sections


def _beside(policy: Policy, section: str) -> Row:
    rows = () if section == "controller" else getattr(policy, attribute(section)).values()
    return next((row for row in rows if not row.builtin), policy.controller)


def contents_missing(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """What the law has every policy hold."""
    for code, (near, is_there) in CONTENTS.items():
        rule = law.rule(code)
        if rule and not is_there(policy):
            message = f"the document does not hold what the law asks for: {rule.says}"
            spots = at(_beside(policy, near))
            yield found(policy, "law-contents-missing", spots, message, "Add it", Level.WARNING, rule)


def contents_if_any(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """What a policy must hold if there is any of it, and this one passes over."""
    for code, (section, what) in IF_ANY.items():
        rule = law.rule(code)
        if rule and not (section and _told(policy, section)) and not _said_elsewhere(policy, code):
            message = f"nothing is said of {what}"
            yield found(policy, "law-silent-on", at(policy.controller), message, "Say it, if there is any", rule=rule)


def _said_elsewhere(policy: Policy, code: str) -> bool:
    if code == "contents.not-consented":
        return any(basis is not Basis.CONSENT for row in policy.purposes.values() for basis in row.basis.values())
    return (
        code == "contents.portability" and "portability" in policy.rights and not policy.rights["portability"].builtin
    )


def repealed_law_cited(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """A policy that rests on a chapter that has moved to another act."""
    rule = law.rule("network-act.moved")
    laws = [row for row in policy.laws.values() if says(row, NETWORK)]
    users = [row for row in policy.rows() for ref in row.law if ref.law in {one.name for one in laws}]
    if rule and laws:
        message = f"{listed(row.name for row in laws)} no longer rules personal data" + (
            f"; {len(users)} rows rest on it" if users else ""
        )
        remedy = "Cite the Personal Information Protection Act"
        yield found(policy, "law-repealed-cited", at(*laws, *users[:1]), message, remedy, Level.WARNING, rule)


def short_notice(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """In force sooner after its announcement than is usual."""
    rule, usual = law.rule("change.announced"), law.period("change.announced")
    announced, effective = policy.announced.date, policy.effective.date
    if rule and usual and announced and effective and (effective - announced).days < usual.days:
        message = f"announced {(effective - announced).days} days ahead; {usual.days} are usual"
        spots = at(policy.effective, policy.announced)
        yield found(policy, "law-short-notice", spots, message, "Announce it earlier", rule=rule)


def business_transfer(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """What people are told before their data goes to another company with the business."""
    rule, needed = law.rule("business-transfer.fields"), law.words("business-transfer.fields")
    row = policy.changes.get("business-transfer")
    if rule and row and not row.builtin and not row.says:
        message = f"a business transfer is announced, and not that people are told {listed(needed)}"
        remedy = "Say what the notice holds and how to refuse"
        yield found(policy, "law-business-transfer", at(row), message, remedy, rule=rule)


# ------------------------------------------------------------------------------------------------ collecting, agreeing


def bases_unknown(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """A ground that the law of that country does not have."""
    rule = law.rule("bases")
    for row in policy.purposes.values():
        strange = sorted({basis.value for basis in row.basis.values()} - {*law.words("bases")})
        if rule and strange:
            message = f"`{row.path}` rests on {listed(strange)}, which is no ground there"
            yield found(
                policy, "law-basis-unknown", (Spot(row, "basis"),), message, "Name another ground", Level.WARNING, rule
            )


def consent_says_less(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """A form of consent that is promised to say less than the law has it say."""
    rule = law.rule("consent.fields")
    rows = [row for row in policy.consent.values() if row.says and {*law.words("consent.fields")} - {*row.says}]
    if rule and rows:
        missing = [word for word in law.words("consent.fields") if word not in rows[0].says]
        message = f"the matters told with a consent leave out {listed(missing)}"
        spots = (*(Spot(row, "says") for row in rows), *at(rows[0]))
        yield found(policy, "law-consent-fields", spots, message, "Add them to `says`", Level.WARNING, rule)


def exceptions_repealed(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """Ways without consent that the law has closed."""
    closed = {ExceptionNeed.DIFFICULTY: "collection.difficulty", ExceptionNeed.CLAIM: "provision.fees"}
    ways: tuple[CollectionException | ProvisionException, ...] = (
        *policy.collection_exceptions.values(),
        *policy.provision_exceptions.values(),
    )
    for row in ways:
        rule = law.rule("bases" if isinstance(row, CollectionException) else "provision.bases")
        for need, old in closed.items():
            if rule and need in row.needs and law.holds("one-rule") and not law.holds(old):
                message = f"`{row.path}` goes without consent in a case that the law no longer has"
                remedy = "Rest it on a ground of today, or take it out"
                yield found(policy, "law-exception-repealed", at(row), message, remedy, Level.WARNING, rule)


def resident_numbers(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """A resident number that stands in a row, for which consent is never enough."""
    rule = law.rule("resident-number.law-only")
    numbers = [row for row in policy.items.values() if row.nature is Nature.RESIDENT_NUMBER]
    for item in numbers if rule else ():
        rows = [row for row in policy.rows() if item.name in getattr(row, "items", ())]
        lawful = [row for row in rows if isinstance(row, Purpose) and row.law and row.basis.get(item.name) is Basis.LAW]
        if lawful and all(row in lawful or isinstance(row, Statute) for row in rows):
            continue
        message = (
            f"`{item.path}` stands in {listed(row.path for row in rows) or 'the document'}; a law must name it there"
        )
        spots = (*at(item), *(Spot(row, "items") for row in rows))
        yield found(policy, "law-resident-number", spots, message, "Name that law or strike it", Level.WARNING, rule)


def identity_cards(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """Identity cards asked as proof: each shows a unique identifier (looks at words)."""
    rule = law.rule("unique-id")
    cards = [row for row in policy.proofs.values() if says(row, CARD)]
    users = [row for row in policy.proofs.values() if {card.name for card in cards} & {*row.any_of, *row.all_of}]
    if rule and cards:
        message = f"{listed(row.name for row in cards)} shows a unique identifier"
        remedy = "Have the number covered, or ask consent for it apart"
        yield found(policy, "law-identity-card", at(*users, *cards), message, remedy, Level.WARNING, rule)


def secrets_kept(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """Somebody's password for another house, kept so that it can be read again."""
    rule = law.rule("password.one-way")
    for row in policy.purposes.values():
        secrets = [item for item in row.items if item in policy.items and policy.items[item].nature is Nature.SECRET]
        if rule and secrets and not row.blocked:
            message = f"`{row.path}` keeps {listed(secrets)} readable, where passwords are kept one-way"
            remedy = "Use the interface that the other house offers"
            yield found(policy, "law-secret-kept", at(row), message, remedy, Level.WARNING, rule)


def children(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """What a child is asked, and how the representative's consent is verified."""
    rule, most = law.rule("children.from-child"), law.words("children.from-child")
    row = policy.children.get("representative")
    if rule and row and len(row.from_child) > len(most):
        message = f"a child is asked for {listed(row.from_child)}, where the law allows {' and '.join(most)}"
        spots = (*at(row), Spot(row, "from-child"))
        yield found(policy, "law-child-asked-more", spots, message, "Ask the representative", Level.WARNING, rule)
    rule, consent = law.rule("children.verified"), policy.children.get("consent")
    if rule and consent and not consent.builtin and {*consent.by} <= {ConsentWay.REPLY_MAIL, ConsentWay.REPLY_MESSAGE}:
        message = "a message answers for the representative; the law has the consent verified"
        yield found(policy, "law-child-unverified", at(consent), message, "Say how it is verified", rule=rule)
    rule, age = law.rule("children.age"), policy.children.get("age")
    least = law.number("children.age")
    if rule and least and age and not age.builtin and age.under and age.under < least:
        message = f"children are those under {age.under}, where the law says {least}"
        yield found(policy, "law-child-age", (Spot(age, "under"),), message, "Raise it", Level.WARNING, rule)


def consent_together(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """Sensitive data or an identifier in one row with other items, all of them by consent: one tick for both."""
    rule, apart = law.rule("consent.separate"), law.words("consent.separate")
    tender = {Nature(word) for word in apart if word in {*Nature}}
    for row in policy.purposes.values():
        agreed = [item for item, basis in row.basis.items() if basis is Basis.CONSENT and item in policy.items]
        grave = [item for item in agreed if policy.items[item].nature in tender]
        if rule and grave and len(grave) < len(agreed) and not row.blocked:
            message = f"`{row.path}` asks consent for {listed(grave)} and {listed(i for i in agreed if i not in grave)}"
            remedy = "Make it a purpose of its own, so that the form asks for it apart"
            yield found(policy, "law-consent-together", (*at(row), Spot(row, "items")), message, remedy, rule=rule)


def child_words(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """Children are spoken of, and not that they are told in words of theirs."""
    rule, told = law.rule("children.plain"), policy.children.get("told")
    rows = [row for row in policy.children.values() if not row.builtin]
    if rule and rows and not (told and told.words):
        message = "nothing says that children are told in plain words"
        remedy = "Add `told: {words: plain}` to `children`"
        yield found(policy, "law-child-words", at(rows[0]), message, remedy, rule=rule)


def refusals_unsaid(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """Required purposes of which it is not said what follows when somebody gives nothing."""
    rule = law.rule("contents.refusal")
    rows = [row for row in policy.purposes.values() if row.required and not row.blocked and not row.refused]
    if rule and rows:
        message = f"it is not said what follows when nothing is given for {listed(row.name for row in rows)}"
        yield found(policy, "law-refusal-unsaid", at(*rows), message, "Add `refused`", rule=rule)


def interests_unsaid(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """Rows that rest on a legitimate interest of which people do not read what it is (looks at words)."""
    rule = law.rule("contents.interests")
    resting: list[Row] = [
        row for row in policy.purposes.values() if Basis.LEGITIMATE_INTEREST in row.basis.values() and not row.blocked
    ]
    resting += [row for row in policy.retention.values() if row.basis is Basis.LEGITIMATE_INTEREST and not row.blocked]
    rows = [row for row in resting if not says(row, INTEREST)]
    if rule and rows:
        message = f"{listed(row.path for row in rows)} rests on an interest, and which one is not told"
        remedy = "Name the interest in its text: `our interest in ...`"
        yield found(policy, "law-interest-unsaid", at(*rows), message, remedy, Level.WARNING, rule)


RECORD: Final[dict[str, Callable[[Policy], bool]]] = {
    "controller": _officer,
    "purposes": lambda policy: bool(policy.purposes),
    "subjects-and-items": lambda policy: all(row.whose and row.items for row in written(policy.purposes)),
    "recipients": lambda policy: _told(policy, "provisions") and _told(policy, "entrustments"),
    "transfers": lambda policy: _told(policy, "transfers"),
    "erasure": lambda policy: all(row.until for row in written(policy.purposes)),
    "security": lambda policy: _own(policy, "safeguards"),
}
"""What the record of processing holds, and whether a document can fill it."""


def record_incomplete(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """Fields that the record of processing must have and this document cannot fill."""
    rule = law.rule("record")
    missing = [word for word in law.words("record") if word in RECORD and not RECORD[word](policy)]
    if rule and missing:
        message = f"the record of processing would lack {listed(missing)}"
        remedy = "Say it, or that there is none: an empty section with its clause"
        yield found(policy, "law-record-incomplete", at(policy.controller), message, remedy, Level.WARNING, rule)


# ------------------------------------------------------------------------------------------------------ giving away


def contract_terms(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """Terms that the contract with a processor must have."""
    rule, needed = law.rule("entrustment.terms"), law.words("entrustment.terms")
    rows = [row for row in written(policy.entrustments) if {*needed} - {*row.terms}]
    if rule and rows:
        missing = [term for term in needed if term not in rows[0].terms]
        message = f"the contract with {listed(row.name for row in rows)} is not said to have {listed(missing)}"
        spots = (Spot(rows[0], "contract"), Spot(rows[0], "at-end"), *at(rows[0]))
        yield found(policy, "law-contract-terms", spots, message, "Add the terms", Level.WARNING, rule)


def consent_to_entrusting(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """Consent asked for what needs only to be published."""
    rule = law.rule("entrustment.published")
    rows = [row for row in policy.entrustments.values() if row.consent]
    said = [row for row in policy.consent.values() if "entrustment" in row.says]
    if rule and (rows or said):
        message = "consent to entrusting is asked, which the law does not ask for"
        spots = (*(Spot(row, "consent") for row in rows[:1]), *(Spot(row, "says") for row in said[:1]))
        yield found(policy, "law-consent-needless", spots, message, "Publish task and processor", rule=rule)


def entrusted_marketing(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """A processor that works for a purpose of advertising: each person is told."""
    rule = law.rule("entrustment.marketing-told")
    sold = {name for row in policy.advertising.values() for name in row.for_}
    sold |= {row.name for row in policy.purposes.values() if says(row, re.compile("marketing|마케팅|홍보", re.I))}
    for row in policy.entrustments.values():
        if rule and not row.blocked and sold & {*row.for_}:
            message = f"`{row.path}` works for marketing; task and processor are told to each person"
            yield found(policy, "law-marketing-entrusted", at(row), message, "Plan that notice", rule=rule)


def sub_processors(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """A sub-processor that nobody is said to have approved."""
    rule = law.rule("sub-entrustment.approved")
    for row in policy.entrustments.values():
        if rule and row.under and not row.blocked:
            message = f"`{row.path}` works under `{row.under}`; the entruster must have agreed"
            yield found(policy, "law-sub-entrustment", at(row), message, "File that approval", Level.WARNING, rule)


PROVISION_KEYS: Final = {"recipient": "to", "use": "their_use"}


def provisions_say_less(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """What is told before data is given to somebody."""
    rule, needed = law.rule("provision.fields"), law.words("provision.fields")
    for row in policy.provisions.values():
        keys = [word for word in needed if not getattr(row, attribute(PROVISION_KEYS.get(word, word)), None)]
        if rule and keys and not row.blocked:
            message = f"`{row.path}` does not say {listed(keys)}"
            yield found(
                policy, "law-provision-fields", at(row), message, "Say it, also that refusing is free", rule=rule
            )


def transfers(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """What is told of a transfer abroad, and whether its country is recognised."""
    rule, needed = law.rule("transfer.fields"), law.words("transfer.fields")
    for row in policy.transfers.values():
        missing = [word for word in needed if not _said_of(policy, row, word)]
        if rule and missing and not row.blocked:
            message = f"`{row.path}` does not say {listed(missing)}"
            spots = (*at(row), Spot(row, "to"), Spot(row, "how"))
            yield found(policy, "law-transfer-fields", spots, message, "Add it", Level.WARNING, rule)
        known = law.words("transfer.recognised")
        strange = [country for country in row.stored_in if country not in known]
        rule_of_country = law.rule("transfer.recognised") or law.rule("transfer.bases")
        if row.basis is TransferBasis.RECOGNISED_COUNTRY and strange and rule_of_country:
            message = f"`{row.path}` rests on recognition and {listed(strange)} is not recognised on {law.day}"
            spots = (Spot(row, "basis"),)
            remedy = "Name another ground"
            yield found(policy, "law-country-unrecognised", spots, message, remedy, Level.WARNING, rule_of_country)


def _said_of(policy: Policy, row: Transfer, word: str) -> bool:
    party = policy.parties.get(row.to or "")
    match word:
        case "recipient":
            return row.to is not None
        case "contact":
            return bool(party and party.contact)
        case "country":
            return bool(row.stored_in)
        case "use":
            return any(each.to == row.to and (each.task or each.for_) for each in policy.entrustments.values()) or any(
                each.to == row.to and each.their_use for each in policy.provisions.values()
            )
        case _:
            return bool(getattr(row, word))


# ------------------------------------------------------------------------------------------------------ keeping


def destroyed_late(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """Destruction that takes longer than without delay can mean."""
    rule, most = law.rule("destruction.within"), law.period("destruction.within")
    for row in policy.destruction.values():
        if rule and most and row.within and about_days(row.within.period) > about_days(most):
            message = f"`{row.path}` takes {row.within.period}, where {most} is the most"
            yield found(
                policy, "law-destroyed-late", (Spot(row, "within"),), message, "Shorten it", Level.WARNING, rule
            )


def separation_unsaid(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """Laws keep something and the document does not say that it lies apart."""
    rule = law.rule("separation")
    rows = [*written(policy.statutes)]
    if rule and rows and not _own(policy, "separation"):
        message = f"{listed(row.path for row in rows)} keeps longer and nothing says that it lies apart"
        yield found(policy, "law-separation-unsaid", at(rows[0]), message, "Add `separation`", Level.WARNING, rule)


HOLDS: Final[tuple[tuple[re.Pattern[str], str, str | None, tuple[str, ...]], ...]] = (
    (re.compile(r"전자상거래|E-Commerce", re.I), "6", None, ("ec-ad", "ec-con", "ec-pay", "ec-dis")),
    (re.compile(r"통신비밀|Communications Secrets", re.I), "15-2", None, ("cs-12", "cs-6", "cs-3")),
    (re.compile(r"국세기본법|National Taxes", re.I), "85-3", "tax-filing-deadline", ("tax-5", "tax-7")),
    (re.compile(r"상법|Commercial Act", re.I), "33", "closing-of-books", ("com-10", "com-5")),
    (re.compile(r"근로기준법|Labou?r Standards", re.I), "42", None, ("lab-3",)),
    (
        re.compile(r"의료법|Medical Service", re.I),
        "15",
        None,
        ("med-list", "med-chart", "med-prescription", "med-test", "med-certificate"),
    ),
    (re.compile(r"신용정보|Credit Information", re.I), "20", None, ("cr-3",)),
)
"""A law by its names, its article, the calendar rule from which it counts, and the rows that say how long."""


def holds_that_differ(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """A record class kept for another time than its law says, or counted from another day."""
    for row in policy.statutes.values():
        for ref in row.law:
            named = policy.laws.get(ref.law)
            for rule, calendar, codes in _holds(law, named, ref):
                allowed = [period for code in codes if (period := law.period(f"hold.{code}"))]
                ends = [row.until] if isinstance(row.until, Plus) else []
                if any(end.period not in allowed and _months(end.period) not in map(_months, allowed) for end in ends):
                    message = f"`{row.path}` keeps {ends[0].period}, its law says {' or '.join(map(str, allowed))}"
                    spots = (Spot(row, "until"),)
                    yield found(policy, "law-hold-differs", spots, message, "Correct it", Level.WARNING, rule)
                calendars = {point.calendar for point in points_in(row.until)} if row.until else set()
                if calendar and calendar not in calendars:
                    message = f"`{row.path}` does not count from where its law counts, the {calendar}"
                    remedy = f"Write `{calendar} of ... + {ends[0].period if ends else 'P5Y'}`"
                    spots = (Spot(row, "until"),)
                    yield found(policy, "law-hold-start", spots, message, remedy, Level.WARNING, rule)


def _months(period: Period) -> tuple[int, int]:
    return period.years * 12 + period.months, period.days


def _holds(law: LawOfDay, named: Law | None, ref: LawRef) -> Iterable[tuple[Rule, str | None, tuple[str, ...]]]:
    for words, article, calendar, codes in HOLDS:
        rule = law.rule(f"hold.{codes[0]}")
        if (
            named
            and rule
            and says(named, words)
            and (ref.article or "").removeprefix("decree ").removeprefix("rule ").split("(")[0] == article
        ):
            yield rule, calendar, codes


def own_retention(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """Keeping for a time of one's own after the purpose: allowed as a period that people were told, and apart."""
    rule = law.rule("destruction.without-delay")
    rows = [row for row in written(policy.retention) if row.kind is GroundKind.RETENTION]
    if rule and rows:
        message = f"{listed(row.path for row in rows)} keeps after the purpose without a law that says so"
        spots = (*at(*rows), *(Spot(row, "until") for row in rows))
        yield found(policy, "law-own-retention", spots, message, "Show the need for it, or shorten it", rule=rule)


# ------------------------------------------------------------------------------------------------------ safety


def _must_stay_long(policy: Policy, law: LawOfDay, size: Size) -> str:
    """Why access records stay the longer time; empty where they need not."""
    tender = {Nature.SENSITIVE, Nature.UNIQUE_ID, Nature.RESIDENT_NUMBER}
    grave = [item for item in sorted(taken(policy)) if item in policy.items and policy.items[item].nature in tender]
    many = law.number("access-record.many")
    if grave:
        return f" since {listed(grave)} is held"
    if many and size.persons is not None and size.persons >= many:
        return f" since there are {size.persons} persons"
    return " for a registered carrier" if size.carrier else ""


def access_records_kept(policy: Policy, law: LawOfDay, size: Size) -> Decided | None:
    """How long access records stay: the longer of promise and law, and which of the two decided."""
    kept = [row.at_least for row in policy.safeguards.values() if EngineCheck.ACCESS_RECORDS_KEPT in row.check]
    promised = max((period for period in kept if period), key=about_days, default=None)
    long = law.rule("access-record.kept-long") and _must_stay_long(policy, law, size)
    return at_least(promised, law, "access-record.kept-long" if long else "access-record.kept")


def access_records(policy: Policy, law: LawOfDay, size: Size) -> Iterator[Finding]:
    """Access records kept too short, or not spoken of at all. How long depends on how large the controller is."""
    decided = access_records_kept(policy, law, size)
    if decided is None or decided.by is By.PROMISE:
        return
    why = _must_stay_long(policy, law, size)
    if not why and law.holds("access-record.kept-long"):
        why = (
            f"; {law.period('access-record.kept-long')} with {law.number('access-record.many')} persons or as a carrier"
        )
    kept = [row for row in policy.safeguards.values() if EngineCheck.ACCESS_RECORDS_KEPT in row.check]
    for row in kept:
        if row.at_least:
            message = f"access records stay {row.at_least}, the law asks for {decided.period}{why}"
            spots = (*at(row), Spot(row, "at-least"))
            remedy = "Raise `at-least`"
            yield found(policy, "law-access-record-short", spots, message, remedy, Level.WARNING, decided.rule)
    if not any(row.at_least for row in kept):
        beside: list[Row] = [*kept] or [_beside(policy, "safeguards")]
        message = f"how long access records stay is not promised; the law asks for {decided.period}{why}"
        remedy = f"Add a safeguard with `check: access-records-kept` and `at-least: {decided.period}`"
        yield found(policy, "law-access-record-unsaid", at(beside[0]), message, remedy, rule=decided.rule)


def grant_records(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """Granting and revoking of rights is recorded, and not for how long."""
    rule, least = law.rule("grant-record.kept"), law.period("grant-record.kept")
    for row in policy.safeguards.values():
        if rule and EngineCheck.EVERY_GRANT_RECORDED in row.check and not row.at_least:
            message = f"`{row.path}` does not say that the record stays {least}"
            yield found(policy, "law-grant-record-unsaid", at(row), message, f"Add `at-least: {least}`", rule=rule)


def antivirus(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """Updates of antivirus software less often than the law has them."""
    rule, most = law.rule("antivirus.updated"), law.period("antivirus.updated")
    for row in policy.safeguards.values():
        slow = [due for due in row.due if isinstance(due, Period) and most and about_days(due) > about_days(most)]
        if rule and "signature-update" in row.evidence and slow:
            message = f"`{row.path}` is due each {slow[0]}, the law says {most}"
            spots = (Spot(row, "due"),)
            yield found(policy, "law-antivirus-slow", spots, message, "Make it daily", Level.WARNING, rule)


def encryption_unsaid(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """Kinds of data that must lie encrypted, in a document that does not promise it."""
    rule = law.rule("encrypted.at-rest")
    checks = {check for row in policy.safeguards.values() for check in row.check}
    kinds = {Nature.FINANCIAL, Nature.UNIQUE_ID, Nature.RESIDENT_NUMBER, Nature.PASSWORD}
    grave = [item for item in sorted(taken(policy)) if item in policy.items and policy.items[item].nature in kinds]
    if rule and grave and EngineCheck.ENCRYPTED_AT_REST not in checks:
        message = f"{listed(grave)} must lie encrypted, which is not promised"
        spots = at(_beside(policy, "safeguards"))
        remedy = "Add a safeguard with `check: encrypted-at-rest`"
        yield found(policy, "law-encryption-unsaid", spots, message, remedy, Level.WARNING, rule)


def breaches_unsaid(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """Nothing is promised for the day on which data leaks (looks at words)."""
    rule, within = law.rule("breach.told") or law.rule("breach.reported"), law.period("breach.reported")
    if rule and not any(says(row, BREACH) for row in (*policy.safeguards.values(), *policy.statements.values())):
        message = f"nothing is said of a leak; the law has it told within {within}"
        remedy = "Add a safeguard with its plan for a leak: who is told, and within what time"
        yield found(policy, "law-breach-unsaid", at(_beside(policy, "safeguards")), message, remedy, rule=rule)


def _seldom(policy: Policy, words: re.Pattern[str], most: Period) -> tuple[list[Row], list[Row]]:
    """Safeguards with such evidence, and those of them that are due less often than that."""
    rows: list[Row] = []
    slow: list[Row] = []
    for row in policy.safeguards.values():
        if any(words.search(evidence) for evidence in row.evidence):
            rows.append(row)
            periods = [due for due in row.due if isinstance(due, Period)]
            slow += [row] if not periods or all(about_days(due) > about_days(most) for due in periods) else []
    return rows, slow


def log_reviews(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """Access records that nobody looks at as often as the law has it."""
    rule = law.rule("access-record.reviewed")
    most = law.period("access-record.reviewed") if rule else None
    if rule and most:
        rows, slow = _seldom(policy, LOG_REVIEW, most)
        if len(slow) == len(rows):
            message = f"nobody is said to look at the access records each {most}"
            remedy = f"Add a safeguard with `evidence: log-review` and `due: {most}`"
            spots = at(*(slow or [_beside(policy, "safeguards")]))
            yield found(policy, "law-log-review-unsaid", spots, message, remedy, rule=rule)


def plans(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """An inside plan that is not promised, or looked at too seldom."""
    rule, most = law.rule("plan.checked"), law.period("plan.checked")
    if rule and most:
        rows, slow = _seldom(policy, PLAN, most)
        if len(slow) == len(rows):
            message = f"an inside plan that is checked each {most} is not promised"
            remedy = f"Add a safeguard with `evidence: management-plan` and `due: {most}`"
            spots = at(*(slow or [_beside(policy, "safeguards")]))
            yield found(policy, "law-plan-unsaid", spots, message, remedy, Level.WARNING, rule)


def transit_unsaid(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """Data that comes in over the internet and is not promised to be encrypted on the way."""
    rule = law.rule("encrypted.in-transit")
    checks = {check for row in policy.safeguards.values() for check in row.check}
    if rule and EngineCheck.ENCRYPTED_IN_TRANSIT not in checks:
        message = "that data is encrypted on the internet is not promised"
        remedy = "Add a safeguard with `check: encrypted-in-transit`"
        spots = at(_beside(policy, "safeguards"))
        yield found(policy, "law-transit-unsaid", spots, message, remedy, Level.WARNING, rule)


# ------------------------------------------------------------------------------------------------------ rights and help


def rights_missing(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """Rights that people have and the document does not tell of; they hold all the same."""
    rule = law.rule("rights")
    wanted = (*law.words("rights"), *(("portability",) if law.holds("portability") else ()))
    missing = [name for name in wanted if name not in policy.rights or policy.rights[name].builtin]
    if rule and missing:
        written_rights: list[Row] = [row for row in policy.rights.values() if not row.builtin]
        beside = [row for row in written_rights if row.name in {"withdrawal", "erasure"}] or written_rights[:1]
        message = f"nothing is said of the right to {listed(missing)}"
        spots = at(*(beside or (policy.controller,)))
        yield found(policy, "law-right-missing", spots, message, "Add it to `rights`", Level.WARNING, rule)


def answered_late(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """Requests answered later than the law has it, or without a number that people can read."""
    rule, most = law.rule("rights.answered"), law.period("rights.answered")
    soft: list[Spot] = []
    for row in policy.rights.values():
        if rule is None or most is None or row.within is None or row.builtin:
            continue
        if about_days(row.within.period) > about_days(most):
            message = f"`{row.path}` is answered within {row.within.period}, the law says {most}"
            spots = (Spot(row, "within"),)
            yield found(policy, "law-answered-late", spots, message, "Shorten it", Level.WARNING, rule)
        elif row.within.word:
            soft.append(Spot(row, "within"))
    if soft:
        message = f"no number of days for answers is told; the law sets {most} and has refusals say how to object"
        yield found(policy, "law-answer-unsaid", soft, message, "Print the days and the way to object", rule=rule)


def agencies_outdated(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """Bodies of help at numbers that are gone, and one that is not named."""
    for code in ("remedies.outdated", "remedies.prosecution-changed"):
        rule = law.rule(code)
        for row in policy.agencies.values():
            told = f"{row.phone or ''} {row.site or ''}".split()
            old = [one for one in told if any(word in one for word in law.words(code))]
            if rule and old:
                message = f"`{row.path}` tells {listed(old)}: {rule.says}"
                yield found(
                    policy, "law-agency-outdated", at(row), message, "Print the present one", Level.WARNING, rule
                )
    rule, sites = law.rule("remedies.mediation"), law.words("remedies.mediation")
    rows = [row for row in policy.agencies.values() if not row.builtin]
    if rule and rows and not any("분쟁조정" in " ".join(row.texts.values()) for row in rows):
        message = f"{rule.says} is not among the bodies that help ({', '.join(sites)})"
        yield found(policy, "law-mediation-missing", at(rows[-1]), message, "Add it", rule=rule)


def forms_and_portals(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """Forms that have moved, and a portal that serves public bodies only (looks at words)."""
    rule = law.rule("forms.moved")
    rows = [row for row in policy.proofs.values() if says(row, FORM)]
    if rule and rows:
        message = f"{listed(row.name for row in rows)} cites a form where it no longer stands"
        yield found(policy, "law-form-moved", at(*rows), message, "Cite the notice", rule=rule)
    rule = law.rule("portal.public-only")
    for row in policy.channels.values():
        if rule and row.site and PORTAL.search(row.site):
            message = f"`{row.path}` forwards to public bodies only"
            yield found(policy, "law-portal-public", at(row), message, "Take it out", Level.WARNING, rule)


def disclaimers(policy: Policy, law: LawOfDay) -> Iterator[Finding]:
    """A sentence that shifts what the law has the controller prove (looks at words)."""
    rule = law.rule("liability.controller-proves")
    for row in policy.statements.values():
        if rule and says(row, DISCLAIMED):
            message = f"`{row.path}` says who is not answerable; the law has the controller prove that"
            yield found(policy, "law-disclaimer", at(row), message, "Take it out", Level.WARNING, rule)


CHECKS: Final[tuple[LawCheck, ...]] = (
    contents_missing,
    contents_if_any,
    short_notice,
    business_transfer,
    repealed_law_cited,
    bases_unknown,
    consent_says_less,
    exceptions_repealed,
    resident_numbers,
    identity_cards,
    secrets_kept,
    children,
    child_words,
    consent_together,
    refusals_unsaid,
    interests_unsaid,
    record_incomplete,
    contract_terms,
    consent_to_entrusting,
    entrusted_marketing,
    sub_processors,
    provisions_say_less,
    transfers,
    destroyed_late,
    separation_unsaid,
    holds_that_differ,
    own_retention,
    grant_records,
    antivirus,
    encryption_unsaid,
    transit_unsaid,
    plans,
    log_reviews,
    breaches_unsaid,
    rights_missing,
    answered_late,
    agencies_outdated,
    forms_and_portals,
    disclaimers,
)
"""Every comparison with the law, in the order of a policy."""

SIZED: Final[tuple[Callable[[Policy, LawOfDay, Size], Iterator[Finding]], ...]] = (access_records,)
"""Those that ask how large the controller is."""
