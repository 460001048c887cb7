"""Findings about what a text leaves open, or says in one place and not in another: purposes, ends, papers, contents."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from upheld.errors import Level
from upheld.policy.ends import EarlierOf, End, Plus, facts_in, text_of
from upheld.policy.findings.finding import Finding, Spot, at, found, listed, periods_in, says, taken, written
from upheld.policy.model import Law, Policy, Purpose, Row
from upheld.policy.vocabulary import Guarantee, Nature

ACTIVITIES: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    (
        "marketing",
        re.compile(
            r"\bmarketing\b|\badvertis|\bpromotion|\brecommend|\boffers?\b|마케팅|광고|홍보|판촉|추천|권유", re.I
        ),
    ),
    ("payment", re.compile(r"\bpayment|\bpaying\b|\bbilling\b|\bfees?\b|결제|요금|납부|수납", re.I)),
    ("prizes", re.compile(r"\bprize|\bgiveaway|\bgifts?\b|\braffle|경품|사은품", re.I)),
    ("surveys", re.compile(r"\bsurveys?\b|\bquestionnaire|설문", re.I)),
)
"""What data is often used for, by the words that speak of it."""

ASKED: Final = re.compile(r"\binquir|\bcomplaint|\btip\b|\btips\b|\bproposal|\brequest|문의|민원|제보|제안", re.I)
CONTENT: Final = re.compile(
    r"\btext\b|\bcontents?\b|\bmessage|\bdetails?\b|\bquestion|\bsays\b|내용|본문|상세|글", re.I
)
MANDATE: Final = re.compile(r"power of attorney|\bmandate|위임장|위임", re.I)
IDENTITY: Final = re.compile(r"identity|\bID\b|\blogin\b|본인 ?확인|신분증|로그인|인증", re.I)
SELLS: Final = re.compile(r"\bmarketing\b|\bsales\b|마케팅|영업", re.I)
NAMED_ELSEWHERE: Final = ("collection", "handlers", "entrustments", "cookies", "statements", "advertising", "transfers")


def purposes_named_elsewhere(policy: Policy) -> Iterator[Finding]:
    """Something is done with data, in one chapter, for which the purposes have no row (looks at words)."""
    for activity, words in ACTIVITIES:
        rows = [row for row in policy.purposes.values() if not row.blocked]
        if any(says(row, words) or any(says(use, words) for use in row.uses.values()) for row in rows):
            continue
        spoken = [row for row in policy.rows() if row.path.partition(".")[0] in NAMED_ELSEWHERE and not row.builtin]
        spoken = [row for row in spoken if says(row, words, *(("task",) if hasattr(row, "task") else ()))]
        if spoken:
            message = f"{listed(row.path for row in spoken)} speaks of {activity}, for which there is no purpose"
            remedy = "Add the purpose with its items and its end, or strike it there"
            yield found(policy, "purpose-elsewhere", at(*spoken), message, remedy, Level.WARNING)


def _relation_ends(policy: Policy, row: Purpose) -> frozenset[str]:
    ends = [policy.engagements[name].ends for name in row.per if name in policy.engagements]
    return frozenset(("ended", *(fact for end in ends if end for fact in facts_in(end))))


def ends_before_the_relation(policy: Policy) -> Iterator[Finding]:
    """A use that is counted from an early event and may be over while the service still runs."""
    for row in policy.purposes.values():
        if row.blocked or not row.per or row.until is None or not row.required:
            continue
        if not _relation_ends(policy, row) & {*facts_in(row.until)}:
            message = f"`{row.path}` ends with {text_of(row.until)}, whether or not {listed(row.per)} is over by then"
            remedy = "Count from the end of the relation, or say that the data goes before it"
            yield found(policy, "ends-before-relation", (*at(row), Spot(row, "until")), message, remedy)


def used_after_the_purpose(policy: Policy) -> Iterator[Finding]:
    """A use that goes on for a time after the relation that it serves is over."""
    for row in policy.purposes.values():
        if row.blocked or not row.per or not row.required or not isinstance(row.until, Plus):
            continue
        if row.until.point.fact in _relation_ends(policy, row):
            message = f"`{row.path}` may be used for {row.until.period} after {listed(row.per)} is over"
            remedy = "End the use with the relation; what must be kept is a row of `retention` or `statutes`"
            yield found(policy, "used-after-purpose", (*at(row), Spot(row, "until")), message, remedy, Level.WARNING)


def _latest(end: End | None) -> tuple[Plus, ...]:
    """The periods that can make an end late; in an earliest-of none can."""
    return () if isinstance(end, EarlierOf) else tuple(periods_in(end))


def recipients_that_keep_on(policy: Policy) -> Iterator[Finding]:
    """A recipient that keeps what it got after its use of it is over, on no ground that is named."""
    by_end: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in written(policy.provisions):
        if row.use_until and _latest(row.until) and row.until != row.use_until:
            by_end[text_of(row.use_until), text_of(row.until) if row.until else ""].append(row)
    for (use, keep), rows in by_end.items():
        message = f"{listed(row.name for row in rows)} may use it until {use} and keeps it until {keep}"
        remedy = "Name the ground on which it keeps, or end both together"
        spots = (*(Spot(row, "until") for row in rows), *at(*rows))
        yield found(policy, "recipient-keeps-on", spots, message, remedy, Level.WARNING)


def contents_unlisted(policy: Policy) -> Iterator[Finding]:
    """What people write in an inquiry or a complaint must be held to be answered, and is no item (looks at words)."""
    contents = {row.name for row in policy.items.values() if says(row, CONTENT) or says(row, ASKED)}
    rows = [row for row in policy.purposes.values() if not row.blocked and row.required]
    rows = [row for row in rows if says(row, ASKED) or any(says(use, ASKED) for use in row.uses.values())]
    bare = [row for row in rows if not {*row.items} & contents]
    if bare:
        message = f"{listed(row.path for row in bare)} answers what people write, which is none of its items"
        remedy = "Add an item for the text, or say that it is not kept"
        yield found(policy, "content-unlisted", at(*bare), message, remedy)


def agents_papers_unclear(policy: Policy) -> Iterator[Finding]:
    """An agent who shows a mandate and not who he is, or papers of which nobody says what they are (looks at words)."""
    for row in policy.acting_for.values():
        if row.builtin:
            continue
        papers = [policy.proofs[name] for name in row.shows if name in policy.proofs]
        parts = [
            policy.proofs[one] for paper in papers for one in (*paper.any_of, *paper.all_of) if one in policy.proofs
        ]
        alone = papers and all(says(one, MANDATE) for one in papers) and not any(says(one, IDENTITY) for one in parts)
        choice = [one for one in papers if one.any_of]
        if alone or choice:
            lack = "a mandate and not who the agent is" if alone else "papers of which any one is enough"
            message = f"`{row.path}` shows {lack}: {listed(row.shows)}"
            remedy = "List all papers that are needed: `all-of`, with the agent's own identity among them"
            yield found(policy, "agent-papers-unclear", (*at(row), *at(*papers), *at(*parts)), message, remedy)
    unsaid = [row for row in policy.proofs.values() if row.reading and NOT_SAID.search(row.reading)]
    shown = {name for row in policy.acting_for.values() for name in row.shows}
    shown |= {part for name in shown if (one := policy.proofs.get(name)) for part in (*one.any_of, *one.all_of)}
    users = [row for row in unsaid if row.name in shown]
    if users:
        message = f"what {listed(row.name for row in users)} is stands in a reading alone"
        yield found(policy, "agent-papers-unclear", at(*users), message, "Print which paper shows it")


NOT_SAID: Final = re.compile(r"\bnot (told|said|printed|described|named|stated)\b|\bno (other )?(method|paper)\b", re.I)


def sensitive_never_listed(policy: Policy) -> Iterator[Finding]:
    """Sensitive data is said to be taken with consent, and no item is such a one."""
    row = policy.guarantees.get(Guarantee.SENSITIVE_ASKED_APART)
    held = [item for item in taken(policy) if item in policy.items and policy.items[item].nature is Nature.SENSITIVE]
    if row and not row.builtin and not held:
        message = "sensitive data is spoken of, and no item is sensitive"
        remedy = "Say that none is taken, or list the items and their purpose"
        yield found(policy, "sensitive-never-listed", at(row), message, remedy)


def officer_who_sells(policy: Policy) -> Iterator[Finding]:
    """The office that watches over the data belongs to those who sell with it (looks at words)."""
    rows = [row for row in policy.contacts.values() if row.team and not row.builtin]
    rows = [row for row in rows if any(SELLS.search(text) for text in (row.team or {}).values())]
    if rows:
        message = f"{listed(row.name for row in rows)} belongs to a team that markets or sells"
        yield found(policy, "officer-sells", at(*rows), message, "Put the office where nobody sells")


def settled_by_readings(policy: Policy) -> Iterator[Finding]:
    """Places where the text leaves something open and the author's reading alone says what is kept."""
    alike: defaultdict[str, list[Row]] = defaultdict(list)
    for row in policy.rows():
        if row.reading and not row.builtin and not row.blocked:
            alike[row.reading].append(row)
    for reading, rows in alike.items():
        spots = at(*rows) if isinstance(rows[0], Law) else _of_every_key(rows)
        message = f"`{rows[0].path}` leaves something open that a reading settles: {reading.rstrip('.')}"
        yield found(policy, "settled-by-reading", spots, message, "Print it in the next version")


def _of_every_key(rows: list[Row]) -> tuple[Spot, ...]:
    keys = [(row, key) for row in rows for key in row.clauses if key != "all"]
    return (*at(*rows), *(Spot(row, key) for row, key in keys))


CHECKS = (
    purposes_named_elsewhere,
    ends_before_the_relation,
    used_after_the_purpose,
    recipients_that_keep_on,
    contents_unlisted,
    agents_papers_unclear,
    sensitive_never_listed,
    officer_who_sells,
    settled_by_readings,
)
