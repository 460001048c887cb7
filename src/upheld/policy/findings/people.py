"""Findings about words, people and promises: deadlines, rights, papers, cookies, contacts, chapters, numbering."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from upheld.errors import Level
from upheld.policy.ends import facts_in
from upheld.policy.findings.finding import Finding, Spot, at, found, listed, periods_in, says, taken, written
from upheld.policy.model import Engagement, Law, Policy, Proof, Row, Rows, keys_of, sections
from upheld.policy.shapes import Deadline, attribute
from upheld.policy.vocabulary import ConsentWay, EngineCheck, FreezeCovers, Identified, Leaves, Nature

OFTEN: Final = re.compile(
    r"\bregular|\bfrequent|\bcontinuous|\bperiodic|from time to time|kept up to date|정기|주기적|수시|지속적", re.I
)
OPEN: Final = re.compile(r"\betc\b|\bor the like\b|\band so on\b|\bso forth\b|[가-힣] ?등(?=[ .,의이을에)]|$)", re.I)
PHONE: Final = re.compile(r"\bphone\b|\bcall\b|전화", re.I)
FAX: Final = re.compile(r"\bfax\b|팩스", re.I)
MANDATE: Final = re.compile(r"power of attorney|위임장", re.I)
ACCOUNT: Final = re.compile(r"\bID\b|\bpassword|아이디|비밀번호")
BROWSER: Final = re.compile(r"Internet Options|인터넷 ?옵션")
SSL: Final = re.compile(r"\bSSL\b")
IMPORTANT: Final = re.compile(r"\b(important|critical) (data|information)|중요(한)? ?(데이터|정보)", re.I)
WEBSITE: Final = re.compile(r"\bweb ?site\b|\bhomepage\b|\bscreen of|first page|홈페이지", re.I)
OTHERS: Final = re.compile(r"cannot do without|불가피", re.I)
BIRTH: Final = re.compile(r"birth|\bage\b|생년|연령|나이", re.I)
NUMBERED: Final = re.compile(r"[.]([a-z])(?=[-.]|\Z)")


def in_force_at_once(policy: Policy) -> Iterator[Finding]:
    """Announced and in force on one day: nobody could read it before."""
    if policy.announced.date and policy.announced.date == policy.effective.date:
        message = f"announced and in force on one day, {policy.effective.date}"
        spots = at(policy.effective, policy.announced)
        yield found(policy, "in-force-at-once", spots, message, "Announce it days ahead", Level.WARNING)


def no_time_ahead(policy: Policy) -> Iterator[Finding]:
    """Changes are announced, and not how long before they hold."""
    row = policy.changes.get("any")
    if row and not row.builtin and not row.ahead:
        message = "how long before it holds a change is announced is not promised"
        yield found(policy, "no-time-ahead", at(row), message, "Add `ahead: P7D`")


def numbers_unsaid(policy: Policy) -> Iterator[Finding]:
    """A soft word where people may expect a number: the number is ours, and they cannot read it."""
    users: defaultdict[str, list[Spot]] = defaultdict(list)
    for row in policy.rows():
        for key, spec in keys_of(type(row)).items():
            value = None if isinstance(spec, Rows) else getattr(row, attribute(key))
            if isinstance(value, Deadline) and value.word in policy.soft_words and not row.builtin:
                users[value.word or ""].append(Spot(row, key))
    for word, spots in users.items():
        soft = policy.soft_words[word]
        message = f"`{word}` has no number for people; here it means {soft.means}"
        yield found(policy, "number-unsaid", (*at(soft), *spots), message, "Print the number")


NO_INTERVAL: Final = re.compile(r"\bno (interval|renewal)\b", re.I)
NO_NUMBER: Final = re.compile(r"\bno (stated )?(period|life|lead time|time ahead|start)\b|\bno end is\b", re.I)


def numbers_of_ours(policy: Policy) -> Iterator[Finding]:
    """A length of time that the source does not give; the reading says so (looks at readings)."""
    for row in policy.rows():
        if row.reading and NO_NUMBER.search(row.reading) and not row.builtin:
            message = f"`{row.path}` rests on a time that the source does not give"
            keys = [key for key in ("until", "lasts", "ahead") if key in row.clauses]
            spots = (*at(row), *(Spot(row, key) for key in keys))
            yield found(policy, "number-ours", spots, message, "Print it")


def intervals_unsaid(policy: Policy) -> Iterator[Finding]:
    """A promise to do something regularly; how often is known in here only (looks at words and readings)."""
    for row in policy.safeguards.values():
        if row.due and (says(row, OFTEN) or NO_INTERVAL.search(row.reading or "")):
            message = f"`{row.path}` is promised without an interval; here it is {' and '.join(map(str, row.due))}"
            yield found(policy, "interval-unsaid", at(row), message, "Print the interval")


def open_lists(policy: Policy) -> Iterator[Finding]:
    """A list that people read as open, or that a reading had to close (looks at words)."""
    for row in policy.rows():
        if row.builtin or isinstance(row, Law):
            continue
        if says(row, OPEN) or (row.reading and OPEN.search(row.reading)):
            message = f"`{row.path}` ends in etc. in the source or in its text"
            yield found(policy, "open-list", at(row), message, "Print the whole list and nothing after it")


def undefined_words(policy: Policy) -> Iterator[Finding]:
    """Words that sound like a promise and are not defined, or that time has passed by (looks at words)."""
    for row in (*policy.safeguards.values(), *policy.statements.values()):
        if says(row, IMPORTANT):
            message = f"`{row.path}` speaks of important data and nobody says which"
            yield found(policy, "important-undefined", at(row), message, "Say which data")
        if says(row, SSL) or (row.reading and "obsolete" in row.reading):
            message = f"`{row.path}` promises a protocol that is no longer safe"
            yield found(policy, "transport-obsolete", at(row), message, "Write encrypted transport, or TLS")
        if says(row, BROWSER):
            message = f"`{row.path}` leads to a menu of one old browser"
            yield found(policy, "one-old-browser", at(row), message, "Print the ways of the browsers in use")


def handlers_without_bound(policy: Policy) -> Iterator[Finding]:
    """A kind of staff that takes in whoever needs it (looks at words)."""
    for row in policy.handlers.values():
        if says(row, OTHERS):
            message = f"`{row.path}` is a class without a bound"
            yield found(policy, "handlers-open", at(row), message, "Name the kinds of staff")


# ----------------------------------------------------------------------------------------------- asking and proving


def _needs_papers(policy: Policy, name: str | None) -> bool:
    proof = policy.proofs.get(name or "")
    return isinstance(proof, Proof) and bool(proof.copy or proof.any_of or proof.all_of)


def withdrawal_harder(policy: Policy) -> Iterator[Finding]:
    """A channel on which one agrees and cannot withdraw, or withdraws with papers where a tick was enough."""
    right = policy.rights.get("withdrawal")
    if right is None or right.builtin or not right.by:
        return
    agreed = [row for row in policy.consent.values() if not row.builtin]
    missing = [row for row in agreed if row.name not in right.by]
    if missing:
        message = f"who agreed by {listed(row.name for row in missing)} cannot withdraw there"
        spots = (Spot(right, "by"), *at(right))
        yield found(policy, "withdrawal-harder", spots, message, "Add the channels to `by`", Level.WARNING)
    no_papers = any({ConsentWay.TICK, ConsentWay.SPOKEN, ConsentWay.REPLY_MESSAGE} & {*row.by} for row in agreed)
    heavy = [one for name in right.by if (one := policy.channels.get(name)) and _needs_papers(policy, one.proof)]
    if heavy and no_papers:
        proofs = [policy.proofs[row.proof] for row in heavy if row.proof]
        message = f"withdrawing by {listed(row.name for row in heavy)} asks for papers, agreeing asked for none"
        remedy = "Let the proof that was enough for agreeing be enough"
        spots = (Spot(right, "by"), Spot(right, "stops"), *at(*proofs), *at(*heavy))
        yield found(policy, "withdrawal-harder", spots, message, remedy, Level.WARNING)


def rights_harder(policy: Policy) -> Iterator[Finding]:
    """Data comes in by a channel on which nobody can ask for it."""
    right = policy.rights.get("access")
    if right is None or right.builtin or not right.by:
        return
    ways = [name for row in written(policy.collection) for name in row.by]
    ways += [name for row in policy.purposes.values() for name in row.via]
    missing = [name for name in dict.fromkeys(ways) if name not in right.by]
    if missing:
        message = f"data comes in by {listed(missing)}, where nobody can ask to see it"
        yield found(policy, "rights-harder", (Spot(right, "by"),), message, "Add the channels to `by`", Level.WARNING)


def papers_by_phone(policy: Policy) -> Iterator[Finding]:
    """A paper asked on a way that carries a voice only (looks at words)."""
    for row in policy.channels.values():
        if _needs_papers(policy, row.proof) and says(row, PHONE):
            message = f"`{row.path}` cannot carry `{row.proof}`"
            remedy = "Name a proof that can be given by phone, or where the paper is sent"
            spots = (*at(row), *at(policy.proofs[row.proof or ""]))
            yield found(policy, "paper-by-phone", spots, message, remedy, Level.WARNING)


def _papers(policy: Policy, names: tuple[str, ...]) -> frozenset[str]:
    inside = [part for name in names if (p := policy.proofs.get(name)) for part in (*p.any_of, *p.all_of)]
    return frozenset((*names, *inside))


def parents_with_a_mandate(policy: Policy) -> Iterator[Finding]:
    """A power of attorney asked of a legal representative, who has a law instead (looks at words)."""
    row = policy.acting_for.get("representative")
    if row is None or row.builtin:
        return
    mandates = [name for name in _papers(policy, row.shows) if name in policy.proofs]
    if any(says(policy.proofs[name], MANDATE) for name in mandates):
        message = "a legal representative is asked for a power of attorney"
        yield found(policy, "parent-with-mandate", at(row), message, "Ask for the paper that shows the relation")


def freezes_before_proof(policy: Policy) -> Iterator[Finding]:
    """A request stops the use before anybody showed who he is."""
    rows = [row for row in policy.rights.values() if row.freeze and row.freeze.from_ == "received"]
    suspension = policy.rights.get("suspension")
    spots = [Spot(row, "freeze") for row in rows]
    spots += [*at(suspension)] if suspension and not suspension.builtin and not suspension.freeze else []
    if spots:
        message = "whoever asks stops the use at once, before showing who he is"
        yield found(policy, "freeze-before-proof", spots, message, "Say from when: receipt or proof")


def refusals_unsaid(policy: Policy) -> Iterator[Finding]:
    """A right that freezes a value and says nothing of a refusal: the freeze has no end then."""
    rows = [row for row in policy.rights.values() if row.freeze and "refusal" not in row.places]
    if rows:
        message = f"{listed(row.name for row in rows)} freezes and does not say how a refusal is given"
        spots = (*at(*rows), *(Spot(row, "freeze") for row in rows))
        yield found(policy, "refusal-unsaid", spots, message, "Add `refusal: with-reason`")


def consent_says_nothing(policy: Policy) -> Iterator[Finding]:
    """Ways of agreeing of which it is not said what people are told there."""
    rows = [row for row in policy.consent.values() if not row.builtin and not row.says]
    if rows:
        message = f"what people are told when they agree by {listed(row.name for row in rows)} is not said"
        yield found(policy, "consent-says-nothing", at(*rows), message, "Add `says: [purpose, items, period, refusal]`")


def encrypted_by_half(policy: Policy) -> Iterator[Finding]:
    """Encryption promised on the way and not where data lies, or the other way round."""
    way, rest = EngineCheck.ENCRYPTED_IN_TRANSIT, EngineCheck.ENCRYPTED_AT_REST
    rows = [row for row in policy.safeguards.values() if {way, rest} & {*row.check}]
    if rows and not {way, rest} <= {check for row in rows for check in row.check}:
        message = f"{listed(row.path for row in rows)} promises one half of encryption"
        remedy = "Promise it on the way and where data lies"
        yield found(policy, "encrypted-by-half", at(*rows), message, remedy)


def freezes_that_differ(policy: Policy) -> Iterator[Finding]:
    """A freeze for children that is another than that for all, or one that covers the whole person."""
    child = policy.children.get("freeze")
    usual = policy.rights.get("rectification")
    if child and not child.builtin and usual and usual.freeze and child.except_ is not usual.freeze.except_:
        message = "what goes on during a correction differs between children and others"
        yield found(policy, "freezes-differ", (*at(child), Spot(usual, "freeze")), message, "Say why, or make them one")
    for row in policy.rights.values():
        if row.freeze and row.freeze.covers is FreezeCovers.PERSON:
            message = f"`{row.path}` stops everything of the person for one value"
            yield found(
                policy, "freeze-of-all", (Spot(row, "freeze"),), message, "Say whether the value alone is meant"
            )


def locked_from_owner(policy: Policy) -> Iterator[Finding]:
    """What a law keeps is to be read by nobody: taken literally not by the person either."""
    for row in policy.rights.values():
        if row.leaves is Leaves.UNREAD:
            message = f"after `{row.path}` nobody reads what is kept; the person still has the right to"
            spots = (Spot(row, "leaves"), *at(row))
            yield found(policy, "locked-from-owner", spots, message, "Say that the person may still see it")


def proofs_nobody_can_give(policy: Policy) -> Iterator[Finding]:
    """Somebody who is never identified, where every way of asking wants a proof."""
    unnamed = [row for row in policy.subjects.values() if row.identified is Identified.NEVER]
    asking = [name for row in policy.rights.values() for name in row.by]
    rows = [policy.channels[name] for name in dict.fromkeys(asking) if name in policy.channels]
    if unnamed and rows and all(row.proof for row in rows):
        message = (
            f"{listed(row.name for row in unnamed)} is never identified and cannot give the proof that rights need"
        )
        spots = (
            *at(*unnamed),
            *at(*(policy.proofs[row.proof] for row in rows if row.proof and row.proof in policy.proofs)),
        )
        yield found(policy, "proof-impossible", spots, message, "Say so, or give a way to match the answer")


def ages_nobody_knows(policy: Policy) -> Iterator[Finding]:
    """A rule for children where nothing that is collected tells an age (looks at words)."""
    row = policy.children.get("age")
    known = any(says(policy.items[item], BIRTH) for item in taken(policy) if item in policy.items)
    guardians = {item for one in policy.children.values() for item in (*one.from_child, *one.from_representative)}
    own = any(says(policy.items[item], BIRTH) for item in taken(policy) - guardians if item in policy.items)
    if row and not row.builtin and not (known and own):
        message = "nothing that is collected tells who is a child"
        yield found(policy, "age-unknown", at(row), message, "Ask the age and keep the answer")


def open_without_limit(policy: Policy) -> Iterator[Finding]:
    """Relations that only an event ends: where it never comes, the data stays."""
    rows = [row for row in written(policy.engagements) if _only_by_fact(row)]
    if rows:
        message = f"{listed(row.name for row in rows)} ends by an event alone; if it never comes, nothing ends"
        facts = [policy.facts[f] for row in rows if (end := row.ends) for f in facts_in(end) if f in policy.facts]
        yield found(policy, "open-without-limit", (*at(*rows), *at(*facts)), message, "Add a longest time, or a review")


def _only_by_fact(row: Engagement) -> bool:
    return row.ends is not None and not [*periods_in(row.ends)]


def ways_of_agreeing_left_out(policy: Policy) -> Iterator[Finding]:
    """A provision that counts only some of the ways in which people can agree."""
    ways = {way for row in policy.consent.values() for way in row.by}
    for row in policy.provisions.values():
        if row.by and ways - {*row.by} and not row.blocked:
            message = f"`{row.path}` counts {listed(row.by)} alone, where people agree by {listed(sorted(ways))} too"
            yield found(policy, "agreeing-narrower", (Spot(row, "by"),), message, "Say in the form which ways count")


def deadlines_that_differ(policy: Policy) -> Iterator[Finding]:
    """An office that answers a request in another time than the right promises."""
    for row in policy.contacts.values():
        rights = [policy.rights[takes.value] for takes in row.takes if takes.value in policy.rights]
        other = [each for each in rights if each.within and row.within and each.within.period != row.within.period]
        if other and row.within:
            times = ", ".join(f"`{each.path}` in {each.within.period}" for each in other if each.within)
            message = f"`{row.path}` answers in {row.within.period}, {times}"
            spots = (Spot(row, "within"), *(Spot(each, "within") for each in other))
            yield found(policy, "deadlines-differ", spots, message, "Promise one time")


# ------------------------------------------------------------------------------------------------ reaching and help


def contacts_in_doubt(policy: Policy) -> Iterator[Finding]:
    """Offices without a number, and several that share one: whoever complains of the one reaches the other."""
    lines: defaultdict[str, list[Row]] = defaultdict(list)
    for row in policy.contacts.values():
        if row.phone:
            lines[row.phone].append(row)
        elif not row.builtin:
            message = f"`{row.path}` has no phone"
            yield found(policy, "contact-without-phone", at(row), message, "Add `phone`")
    for phone, rows in lines.items():
        if len(rows) > 1:
            message = f"{listed(row.name for row in rows)} answer at the one number {phone}"
            yield found(policy, "one-phone", at(*rows), message, "Give the officer a line of his own")


def agencies_incomplete(policy: Policy) -> Iterator[Finding]:
    """A body of help without number or address."""
    for row in policy.agencies.values():
        missing = [key for key in ("site", "phone") if not getattr(row, key)]
        if missing and not row.builtin:
            message = f"`{row.path}` has no {' and no '.join(missing)}"
            yield found(policy, "agency-incomplete", at(row), message, "Add what is missing")


def addresses_missing(policy: Policy) -> Iterator[Finding]:
    """A page that people are sent to and a fax they may write to, without address or number (looks at words)."""
    for place in policy.places.values():
        if says(place, WEBSITE) and not place.site:
            message = f"`{place.path}` has no address"
            yield found(policy, "place-without-site", at(place), message, "Add `site`")
    asked = {name for row in policy.rights.values() if not row.builtin for name in row.by}
    for channel in policy.channels.values():
        if channel.name in asked and says(channel, FAX) and not channel.site:
            message = f"requests may come by `{channel.name}` and no number for it is said"
            spots = (*at(channel), *(Spot(row, "by") for row in policy.rights.values() if channel.name in row.by))
            yield found(policy, "channel-without-number", spots, message, "Print the number, as the channel's `site`")


def accounts_nobody_has(policy: Policy) -> Iterator[Finding]:
    """A sentence about ID and password where none is collected (looks at words)."""
    held = [policy.items[item] for item in taken(policy) if item in policy.items]
    login = any(says(item, re.compile(r"\bID\b|아이디")) for item in held)
    password = any(item.nature is Nature.PASSWORD for item in held)
    for row in policy.statements.values():
        if says(row, ACCOUNT) and not (login and password):
            message = f"`{row.path}` speaks of ID and password, which are not both collected"
            yield found(policy, "account-of-nobody", at(row), message, "Take the sentence out, or list the items")


CHAPTERS: Final = {
    "children": ("rights", "children under the age of consent"),
    "rights": ("contacts", "the rights of people"),
    "contacts": ("controller", "an office to turn to"),
    "agencies": ("contacts", "bodies that help"),
    "cookies": ("purposes", "cookies, or that there are none"),
    "safeguards": ("purposes", "measures of protection"),
    "collection": ("items", "the ways of collecting"),
    "consent": ("purposes", "the ways of agreeing"),
    "provisions": ("guarantees.no-recipient-unlisted", "recipients, or that there are none"),
    "entrustments": ("purposes", "processors, or that there are none"),
    "transfers": ("entrustments", "transfers abroad, or that there are none"),
    "destruction": ("purposes", "how data is destroyed"),
}
"""A chapter that people expect; the chapter beside which its absence is shown."""


def chapters_missing(policy: Policy) -> Iterator[Finding]:
    """A matter that the document passes over in silence."""
    for name, (near, what) in CHAPTERS.items():
        rows = getattr(policy, attribute(name))
        if any(not row.builtin for row in rows.values()) or name in policy.empty_sections:
            continue
        beside = [row for row in _section(policy, near) if not row.builtin] or [policy.controller]
        message = f"the document says nothing of {what}"
        grave = name in {"children", "rights", "contacts", "safeguards", "destruction"}
        level = Level.WARNING if grave else Level.ADVICE
        yield found(policy, "chapter-missing", at(beside[0]), message, f"Add `{name}`", level)


def _section(policy: Policy, name: str) -> tuple[Row, ...]:
    if name in sections():
        return tuple(getattr(policy, attribute(name)).values())
    found_there = policy.row(name)
    return (found_there,) if found_there else (policy.controller,)


def statutes_unnamed(policy: Policy) -> Iterator[Finding]:
    """Laws are said to keep something and none is named."""
    row = policy.empty_sections.get("statutes")
    if row:
        message = "what laws keep is spoken of, and no law, no record and no period"
        yield found(policy, "statute-unnamed", at(row), message, "Name law, items and period", Level.WARNING)


def numbering_gaps(policy: Policy) -> Iterator[Finding]:
    """A number or letter that is missing among clauses beside each other: something may be lost."""
    carried: dict[str, Row] = {}
    for row in policy.rows():
        for ids in row.clauses.values():
            for clause in ids:
                carried.setdefault(clause, row)
    families: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for clause in carried:
        for part in NUMBERED.finditer(clause):
            families[clause[: part.start() + 1]].setdefault(ord(part[1]) - ord("a") + 1, clause)
    for letters in families.values():
        for (one, before), (two, after) in pairwise(sorted(letters.items())):
            if two > one + 1:
                message = f"between {before} and {after} a number is missing"
                row = carried[after]
                key = next(key for key, ids in row.clauses.items() if after in ids)
                spot = Spot(row, "" if key == "all" else key)
                yield found(policy, "numbering-gap", (spot,), message, "See in the source whether something is lost")


CHECKS = (
    in_force_at_once,
    no_time_ahead,
    numbers_unsaid,
    numbers_of_ours,
    intervals_unsaid,
    open_lists,
    undefined_words,
    handlers_without_bound,
    withdrawal_harder,
    rights_harder,
    papers_by_phone,
    parents_with_a_mandate,
    freezes_before_proof,
    refusals_unsaid,
    consent_says_nothing,
    encrypted_by_half,
    freezes_that_differ,
    locked_from_owner,
    proofs_nobody_can_give,
    ages_nobody_knows,
    open_without_limit,
    ways_of_agreeing_left_out,
    deadlines_that_differ,
    contacts_in_doubt,
    agencies_incomplete,
    addresses_missing,
    accounts_nobody_has,
    chapters_missing,
    statutes_unnamed,
    numbering_gaps,
)
