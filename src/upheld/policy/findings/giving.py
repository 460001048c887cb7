"""Findings about what leaves the house: recipients, processors, transfers, and what is kept or taken for nothing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

from upheld.errors import Level
from upheld.policy.ends import text_of
from upheld.policy.findings.finding import Finding, Spot, at, found, listed, periods_in, says, taken, written
from upheld.policy.model import Entrustment, Policy, Provision, Row, Statute
from upheld.policy.vocabulary import Basis, Collected, GroundKind, Nature, TransferAs

DELIVERY = re.compile(r"\bdeliver(y|ies)\b|\bsending gifts?\b|배송|택배", re.I)
ADDRESS = re.compile(r"\baddress\b|주소", re.I)
MAIL_ADDRESS = re.compile(r"e-?mail|mail address|이메일|메일주소|전자우편", re.I)
WRITES = re.compile(r"\bletter\b|서면|우편|\be-?mail\b", re.I)


def blocked_rows(policy: Policy) -> Iterator[Finding]:
    """What is declared and does not run, with the reason that the document gives."""
    for row in policy.rows():
        if not row.blocked:
            continue
        code, lacks = "row-blocked", "does not run"
        if isinstance(row, Provision) and not row.their_use:
            code, lacks = "recipient-without-purpose", "names a recipient and not what it is for"
        elif isinstance(row, Entrustment) and not row.task:
            code, lacks = "processor-without-task", "names a processor and no task"
        message = f"`{row.path}` {lacks}: {row.blocked}"
        above, _, use = row.path.rpartition(".uses.")
        purpose = policy.row(above) if use else None
        spots = (*at(row), *((Spot(purpose, "uses"),) if purpose else ()))
        yield found(policy, code, spots, message, "Settle it with whoever it concerns, or take it out", Level.WARNING)


def recipients_that_process(policy: Policy) -> Iterator[Finding]:
    """A company that gets data for itself and works for us as well: two roles, two paths of the data."""
    roles: defaultdict[str, list[Row]] = defaultdict(list)
    for provision in policy.provisions.values():
        roles[provision.to or ""].append(provision)
    for entrustment in policy.entrustments.values():
        if entrustment.to and entrustment.to in roles:
            roles[entrustment.to].append(entrustment)
    for party, rows in roles.items():
        if any(isinstance(row, Entrustment) for row in rows):
            message = f"`{party}` is a recipient and a processor at once"
            remedy = "Keep its two roles and their data apart, or settle on one"
            yield found(policy, "processor-and-recipient", at(*rows), message, remedy, Level.WARNING)


def tasks_printed_twice(policy: Policy) -> Iterator[Finding]:
    """One task in the same words for several processors: a merged cell of a table more often than a choice."""
    tasks: defaultdict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in policy.entrustments.values():
        if row.task and not row.under:
            tasks[tuple(row.task.values())].append(row)
    for rows in tasks.values():
        if len(rows) > 1:
            message = f"{listed(row.name for row in rows)} have one task in the same words"
            remedy = "Say what each of them does, or confirm that the source means it"
            yield found(policy, "task-twice", at(*rows), message, remedy)


def processors_without_items(policy: Policy) -> Iterator[Finding]:
    """Processors of which it is not said what they get; they would see all that their purposes have."""
    rows = [row for row in written(policy.entrustments) if "items" not in row.places]
    if rows:
        message = f"it is not said which items {listed(row.name for row in rows)} may have"
        yield found(policy, "processor-items-unsaid", at(*rows), message, "Name the items that the task needs")


def processors_never_inspected(policy: Policy) -> Iterator[Finding]:
    """Processors that nobody promises to look at."""
    rows = [row for row in written(policy.entrustments) if "inspected" not in row.places]
    if rows:
        spots = (Spot(rows[0], "at-end"), *at(*rows))
        message = f"no inspection of {listed(row.name for row in rows)} is promised"
        yield found(policy, "processor-uninspected", spots, message, "Add `inspected: P1Y`")


def sub_processors_without_word(policy: Policy) -> Iterator[Finding]:
    """A sub-processor below a parent whose contract says nothing of who may join in."""
    for row in policy.entrustments.values():
        if row.under and not row.consent and not row.blocked:
            message = f"`{row.path}` works under `{row.under}` and nothing says who agreed to that"
            remedy = "File your approval with the parent's contract"
            yield found(policy, "sub-processor-unapproved", at(row), message, remedy, Level.WARNING)


def transfers_seen_elsewhere(policy: Policy) -> Iterator[Finding]:
    """A recipient abroad that sits in another country than those the transfer names."""
    for row in policy.transfers.values():
        party = policy.parties.get(row.to or "")
        elsewhere = [seat for seat in (party.seat if party else ()) if seat not in {*row.stored_in, *row.seen_from}]
        if party and elsewhere:
            message = f"`{row.to}` sits in {listed(elsewhere)}, which `{row.path}` does not name"
            remedy = "Say whether it can look from there: `seen-from`"
            spots = (Spot(row, "stored-in"), Spot(row, "seen-from"), Spot(row, "to"), *at(party))
            yield found(policy, "transfer-seat-elsewhere", spots, message, remedy, Level.WARNING)


def two_periods(policy: Policy) -> Iterator[Finding]:
    """Two lengths of time for one thing: abroad and at home, a cookie and its data, two rows of one law."""
    for row in policy.transfers.values():
        below = policy.entrustments.values() if row.as_ is TransferAs.ENTRUSTMENT else ()
        names = [name for each in below if each.to == row.to for name in each.for_]
        home = {text_of(p.until) for n in names if (p := policy.purposes.get(n)) and p.until}
        kept = [one for one in policy.retention.values() if {*one.of} & {*names}]
        if row.until and home and text_of(row.until) not in home | {text_of(k.until) for k in kept if k.until}:
            message = f"`{row.path}` keeps until {text_of(row.until)}, the same data stays here until "
            message += " or ".join(sorted(home)) + "".join(f", then {text_of(k.until)}" for k in kept if k.until)
            spots = (Spot(row, "until"), *(Spot(k, "until") for k in kept))
            yield found(policy, "two-periods", spots, message, "Make both ends one", Level.WARNING)
    for one, other in combinations(_statutes(policy), 2):
        same = {*one.items} == {*other.items} and one.law == other.law and one.from_ == other.from_
        if same and one.until != other.until and other.name != one.instead_of and one.name != other.instead_of:
            message = f"`{one.path}` and `{other.path}` keep the same items for two lengths of time"
            remedy = "Say which records each of them is for, or which is the special case: `instead-of`"
            yield found(policy, "two-periods", at(one, other), message, remedy, Level.WARNING)
    for cookie in policy.cookies.values():
        for name in cookie.for_:
            purpose = policy.purposes.get(name)
            lasting = [plus.period for plus in periods_in(purpose.until if purpose else None)]
            if purpose and cookie.lasts and lasting and cookie.lasts not in lasting:
                message = f"`{cookie.path}` lasts {cookie.lasts}, what it gathers for `{name}` {lasting[0]}"
                spots = (Spot(cookie, "lasts"), Spot(purpose, "until"))
                yield found(policy, "two-periods", spots, message, "Make both ends one", Level.WARNING)


def _statutes(policy: Policy) -> tuple[Statute, ...]:
    return tuple(row for row in policy.statutes.values() if not row.builtin)


def kept_and_never_collected(policy: Policy) -> Iterator[Finding]:
    """Items of a record class that nobody takes: what the law keeps is no reason to collect."""
    named: set[str] = set()
    for row in _statutes(policy):
        never = [item for item in row.items if item in policy.items and policy.items[item].collected is Collected.NEVER]
        named |= {*never}
        if never:
            message = f"`{row.path}` keeps {listed(never)}, which nobody collects"
            spots = (Spot(row, "items"), *at(row), *at(*(policy.items[item] for item in never)))
            yield found(policy, "kept-never-collected", spots, message, "Take them out of the list", Level.WARNING)
    alone: defaultdict[tuple[str, ...], list[Row]] = defaultdict(list)
    for item in policy.items.values():
        if item.collected is Collected.NEVER and item.name not in named and not item.builtin:
            alone[item.cites()].append(item)
    for rows in alone.values():
        message = f"{listed(row.name for row in rows)} stands in the source and nobody collects it"
        remedy = "Say so to people, or strike it from the text"
        yield found(policy, "item-printed-only", at(*rows), message, remedy)


def kept_by_consent(policy: Policy) -> Iterator[Finding]:
    """Keeping after the purpose that rests on a consent: withdrawing it takes the ground away."""
    for row in policy.retention.values():
        if row.basis is Basis.CONSENT and row.kind is GroundKind.RETENTION and not row.blocked:
            message = f"`{row.path}` keeps by consent after the purpose is over; who withdraws ends the keeping too"
            remedy = "Give it a ground of its own, or end it with the purpose"
            yield found(policy, "kept-by-consent", (*at(row), Spot(row, "until")), message, remedy, Level.WARNING)


def destroyed_yet_kept(policy: Policy) -> Iterator[Finding]:
    """Destruction without delay when the purpose is over, beside a period of keeping after it."""
    promises = [policy.destruction[name] for name in ("at-expiry", "when-needless") if name in policy.destruction]
    promises = [row for row in promises if not row.builtin]
    kept = [row for row in policy.retention.values() if row.kind is GroundKind.RETENTION and row.until]
    if promises and kept:
        message = f"destroyed when the purpose is over, and yet {listed(row.path for row in kept)} keeps longer"
        remedy = "Say in one sentence which of the two goes first"
        spots = (*at(*promises), *at(*kept), *(Spot(row, "until") for row in kept))
        yield found(policy, "destroyed-yet-kept", spots, message, remedy)


def deliveries_without_address(policy: Policy) -> Iterator[Finding]:
    """Something is to be delivered and nothing that is collected for it is an address (looks at words)."""
    houses = {row.name for row in policy.items.values() if says(row, ADDRESS) and not says(row, MAIL_ADDRESS)}
    held = taken(policy) & houses
    for purpose in policy.purposes.values():
        spoken = says(purpose, DELIVERY) or any(says(use, DELIVERY) for use in purpose.uses.values())
        if spoken and not purpose.blocked and not {*purpose.items} & houses:
            message = f"`{purpose.path}` delivers and collects no address"
            remedy = "Collect the address for it, or say how a delivery finds its way"
            yield found(policy, "delivery-without-address", at(purpose), message, remedy, Level.WARNING)
    for row in policy.entrustments.values():
        if says(row, DELIVERY, "task") and not {*row.items} & held:
            message = f"`{row.path}` delivers and gets no address"
            remedy = "Collect the address for its purpose, or take the task out"
            yield found(policy, "delivery-without-address", at(row), message, remedy, Level.WARNING)


def told_at_addresses_not_held(policy: Policy) -> Iterator[Finding]:
    """People are told by letter or mail and neither address is collected (looks at words)."""
    reach = [row for row in policy.items.values() if says(row, ADDRESS) or says(row, MAIL_ADDRESS)]
    guardians = {item for row in policy.children.values() for item in (*row.from_child, *row.from_representative)}
    if any(row.name in taken(policy) - guardians for row in reach):
        return
    for row in policy.places.values():
        if says(row, WRITES):
            message = f"`{row.path}` tells people in writing and no address of theirs is collected"
            remedy = "Name a way that the items allow"
            yield found(policy, "told-by-unknown-address", at(row), message, remedy, Level.WARNING)


def one_basket(policy: Policy) -> Iterator[Finding]:
    """Several purposes with one and the same long list: little speaks for each needing all of it."""
    alike: defaultdict[frozenset[str], list[Row]] = defaultdict(list)
    for purpose in policy.purposes.values():
        if len(purpose.items) > 3 and not purpose.blocked:
            alike[frozenset(purpose.items)].append(purpose)
    for items, rows in alike.items():
        if len(rows) > 2:
            message = f"{listed(row.name for row in rows)} all take the same {len(items)} items"
            spots = (*at(*rows), *(Spot(row, "items") for row in rows))
            yield found(policy, "one-list-for-all", spots, message, "Ask for each what it needs")


def sensitive_in_company(policy: Policy) -> Iterator[Finding]:
    """A sensitive or identifying item in one row with others: the row reads like one consent for all."""
    for purpose in policy.purposes.values():
        natures = {item: policy.items[item].nature for item in purpose.items if item in policy.items}
        tender = [item for item, nature in natures.items() if nature in {Nature.SENSITIVE, Nature.UNIQUE_ID}]
        if tender and len(tender) < len(natures) and not purpose.blocked:
            message = f"{listed(tender)} of `{purpose.path}` stands in one row with other items"
            spots = (*at(purpose), *at(*(policy.items[item] for item in tender)))
            spots += at(*(row for row in policy.guarantees.values() if row.name == "sensitive-asked-apart"))
            yield found(policy, "sensitive-bundled", spots, message, "Print it as a row of its own, agreed to apart")


def identifiers_for_extras(policy: Policy) -> Iterator[Finding]:
    """A card, an account or an identifier in a purpose that is optional: an offer needs none of them."""
    grave = {Nature.FINANCIAL, Nature.UNIQUE_ID, Nature.RESIDENT_NUMBER, Nature.SECRET, Nature.PASSWORD}
    sold = {name for row in policy.advertising.values() for name in row.for_}
    for purpose in policy.purposes.values():
        items = [item for item in purpose.items if item in policy.items and policy.items[item].nature in grave]
        extra = not purpose.required and (purpose.name in sold or not purpose.per)
        if items and extra and not purpose.blocked:
            message = f"`{purpose.path}` is optional and takes {listed(items)}"
            spots = (*at(purpose), Spot(purpose, "items"))
            yield found(policy, "identifier-for-extra", spots, message, "Take it out of `items`", Level.WARNING)


def employers_files(policy: Policy) -> Iterator[Finding]:
    """Data held for an organisation that rests on the consent of people who never dealt with us."""
    for purpose in policy.purposes.values():
        if purpose.held_for and Basis.CONSENT in purpose.basis.values():
            message = f"`{purpose.path}` is held for somebody else and rests on consent"
            remedy = "Say who asks for that consent, and contract as a processor"
            yield found(policy, "held-for-by-consent", at(purpose), message, remedy, Level.WARNING)


CHECKS = (
    blocked_rows,
    recipients_that_process,
    tasks_printed_twice,
    processors_without_items,
    processors_never_inspected,
    sub_processors_without_word,
    transfers_seen_elsewhere,
    two_periods,
    kept_and_never_collected,
    kept_by_consent,
    destroyed_yet_kept,
    deliveries_without_address,
    told_at_addresses_not_held,
    one_basket,
    sensitive_in_company,
    identifiers_for_extras,
    employers_files,
)
