"""What an audit looks at, gathered once: counts and entries of the sealed ledger, and what the places hold now.

Nothing here judges a clause. Breaches are noted under the element that was not kept, as spans, so that a report about
the past shows what was not upheld then, even if it was mended since.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Final, cast

from upheld.dates import FOREVER, HOUR, Instant, end_of, moment
from upheld.engine.acts import SubjectId
from upheld.engine.plan import Plan, PolicyLine
from upheld.engine.state import Fact
from upheld.keeper.checking import Answer, House
from upheld.ledger.entries import Entry, entry_of, place_of
from upheld.ledger.entries import Row as Stored
from upheld.ledger.report import Breach, Exhibit, Finding, Span
from upheld.policy.model import Policy, Row
from upheld.store import history
from upheld.store.engine import Connection
from upheld.store.history import Recorded, Tally

SCANNED: Final = (
    "fact.recorded", "consent.withdrawn", "value.separated", "destruction.ordered", "value.destroyed", "exception.late",
    "request.received", "request.proved", "request.answered", "hold.set", "hold.lifted", "recipient.told",
    "advert.sent", "handler.granted", "control.evidenced", "policy.published", "access.pruned",
    "work-order.done", "review.due", "review.done", "acting.granted",
    "request.postponed", "request.extended",
)  # fmt: skip
"""Kinds that are read one by one. Of all others the counts are enough, or the entries that name one element."""

WORDS: Final = frozenset({"laws", "parties", "subjects", "engagements", "facts", "places", "soft-words"})
"""Sections of words, which are carried by the rules that use them."""

LATE: Final = HOUR
"""A fact known that much after it happened is late; what it made due is counted from its knowledge."""


@dataclass(slots=True)
class Asked:
    """A request as the ledger tells it."""

    request_id: str
    right: str
    alias: str
    channel: str
    received: Exhibit
    due_at: Instant
    purposes: tuple[str, ...] = ()
    proved: Exhibit | None = None
    proof: str = ""
    answered: Exhibit | None = None
    outcome: str = ""
    reason: str = ""
    told: list[Exhibit] = field(default_factory=list)


@dataclass(slots=True)
class Hold:
    """A freeze or suspension of one value."""

    request: str
    path: str
    purposes: tuple[str, ...]
    set_at: Instant
    lifted_at: Instant = FOREVER


@dataclass(frozen=True, slots=True)
class Granted:
    """A role given to a handler for a span."""

    handler: str
    duty: str
    since: Instant
    until: Instant


@dataclass(frozen=True, slots=True)
class Filed:
    """Evidence that somebody filed: for a safeguard by its name, for any other element by its path."""

    control: str
    kind: str
    about: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Found:
    """What a check of the running system found once, as the audit put it into the ledger."""

    check: str
    kept: bool
    shown: Exhibit
    paths: tuple[str, ...] = ()
    """The elements that it found broken, where it says so."""


@dataclass(frozen=True, slots=True)
class Contracted:
    """A contract with a party. `closed_at`: when everything was shown to be returned or destroyed."""

    contract: str
    party: str
    from_at: Instant
    until_at: Instant
    terms: frozenset[str]
    closed_at: Instant | None


@dataclass(frozen=True, slots=True)
class OnFile:
    """A version on file. `gaps` are the elements that the officer published over."""

    version: str
    announced_at: Instant
    effective_at: Instant
    published_at: Instant
    gaps: tuple[str, ...]


@dataclass
class Looked:
    """Everything that the checks of the report ask."""

    document: Policy
    plan: Plan
    line: PolicyLine
    span: Span
    now: Instant
    published: tuple[OnFile, ...]
    """Every version on file, oldest first."""
    documents: Callable[[str], Policy]
    """The document of a version on file."""
    house: House
    """The running system."""
    connection: Connection
    tallies: Mapping[tuple[str, str], Tally]
    granted: tuple[Granted, ...] = ()
    filed: tuple[Filed, ...] = ()
    registers: Mapping[str, tuple[tuple[str, Instant, Instant], ...]] = field(default_factory=dict)
    contracts: tuple[Contracted, ...] = ()
    controller_facts: tuple[Fact, ...] = ()
    answers: dict[str, Answer] = field(default_factory=dict)
    """What the checks of the running system answered just now, persons as aliases."""
    findings: dict[tuple[str, str], Finding] = field(default_factory=dict)
    """What was found already, by path and key."""
    asking: set[tuple[str, str]] = field(default_factory=set)
    """Words whose users are being looked at; a word that leads back to itself is not asked twice."""
    asked: dict[str, Asked] = field(default_factory=dict)
    holds: dict[int, list[Hold]] = field(default_factory=dict)
    held_by: dict[str, list[Hold]] = field(default_factory=dict)
    """Holds by the request that set them."""
    ordered: dict[int, Instant] = field(default_factory=dict)
    noted: dict[str, list[Breach]] = field(default_factory=dict)
    """Breaches by the path of the element that was not kept, or by the name of a check."""
    acts: dict[str, list[Breach]] = field(default_factory=dict)
    """Single acts that should not have been. Time alone mends none of them; see `against`."""
    seen: dict[str, list[Exhibit]] = field(default_factory=dict)
    """Entries that show something counts do not tell apart, by a name."""
    outcomes: list[Found] = field(default_factory=list)
    late_known: dict[str, list[Instant]] = field(default_factory=dict)
    minors: frozenset[str] = frozenset()
    """The aliases of persons who came as children."""
    up: dict[tuple[str, str, str], tuple[Exhibit, str, Instant]] = field(default_factory=dict)
    """What is up for a look, by person, name and engagement: the entry, the element, and when the look is due."""
    instants: dict[str, set[Instant]] = field(default_factory=dict)
    """Of each person: when facts happened, to tell what fell due by a fact itself."""

    # ── evidence ────────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _by_element(self) -> Mapping[str, list[Tally]]:
        found: dict[str, list[Tally]] = {}
        for (element, _), tally in self.tallies.items():
            found.setdefault(element, []).append(tally)
        return found

    def naming(self, path: str, kinds: Iterable[str]) -> tuple[Exhibit, ...]:
        """The first and last entry of each of these kinds that names an element inside the span.

        Counts only tell where to look: what the entry itself says decides whether it shows anything.
        """
        wanted = frozenset(kinds)
        shown: dict[str, Exhibit] = {}
        for tally in self._by_element.get(path, ()):
            if tally.kind in wanted:
                for reference in (tally.first, tally.last):
                    with suppress(history.NoSuchEntry):  # an access record whose time was over
                        one = self.entry(reference)
                        if one.kind == tally.kind and (path in self._naming[reference] or path == history.NO_ELEMENT):
                            shown[reference] = one
        return self.within(shown.values())

    def total(self, *kinds: str) -> tuple[Exhibit, ...]:
        """The first and last entry of each of these kinds, whatever they name."""
        return self.naming(history.NO_ELEMENT, kinds)

    def count(self, kind: str, element: str = history.NO_ELEMENT) -> int:
        """How many entries of a kind name an element inside the span."""
        tally = self.tallies.get((element, kind))
        return tally.entries if tally else 0

    def entry(self, reference: str) -> Exhibit:
        """The entry at a reference, as the ledger has it."""
        known = self._entries.get(reference)
        if known is None:
            recorded = history.entry_at(self.connection, reference)
            known = self._entries[reference] = shown_of(recorded)
            self._naming[reference] = frozenset(recorded.entry.elements)
        return known

    @cached_property
    def _naming(self) -> dict[str, frozenset[str]]:
        """The elements that an entry names, of those that were looked at."""
        return {}

    @cached_property
    def _entries(self) -> dict[str, Exhibit]:
        return {}

    def within(self, shown: Iterable[Exhibit]) -> tuple[Exhibit, ...]:
        """Those inside the span."""
        return tuple(one for one in shown if self.span.since <= one.at < self.span.until)

    def told(self, name: str) -> tuple[Exhibit, ...]:
        """What was seen under a name inside the span."""
        return self.within(self.seen.get(name, ()))

    def entries_of(self, path: str) -> list[Recorded]:
        """Every entry that names an element, in the order of their instants, those after the span included."""
        known = self._named.get(path)
        if known is None:
            found = history.entries_naming(self.connection, path)
            known = self._named[path] = sorted(found, key=lambda one: (one.entry.at, one.leaf, one.number))
        return known

    @cached_property
    def _named(self) -> dict[str, list[Recorded]]:
        return {}

    def attested(self, path: str) -> tuple[Exhibit, ...]:
        """What somebody in the house put on record for an element, inside the span."""
        return self.told(f"evidence/{path}")

    def alias(self, subject_id: str) -> str:
        """The alias of a subject; the id itself where it has none any more."""
        return self.house.places.views.alias(SubjectId(subject_id)) or subject_id

    @cached_property
    def _filed_for(self) -> Mapping[tuple[str, str, str], list[Instant]]:
        found: dict[tuple[str, str, str], list[Instant]] = {}
        for one in sorted(self.filed, key=lambda each: each.at):
            found.setdefault((one.control, one.kind, one.about), []).append(one.at)
        return found

    def filed_for(self, control: str, kind: str, about: str = "") -> list[Instant]:
        """When evidence of a kind was filed for a safeguard or an element, in order."""
        return self._filed_for.get((control, kind, about), [])

    def facts(self, code: str) -> tuple[Fact, ...]:
        """Facts about the organisation."""
        return tuple(one for one in self.controller_facts if one.code == code)

    def consents_under(self, version: str) -> tuple[Exhibit, ...]:
        """A consent given under a version, found among the first after it took effect."""
        started = next(one.effective_at for one in self.published if one.version == version)
        found = history.entries(self.connection, started, self.span.until, ["consent.given"], self.plan.policy)
        return tuple(shown_of(one) for one in islice(found, 1000) if one.entry.fields.get("version") == version)[:2]

    # ── the document ────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _rows(self) -> Mapping[str, Row]:
        return {row.path: row for row in self.document.rows()}

    def row(self, path: str) -> Row | None:
        """The element at a path."""
        return self._rows.get(path)

    @cached_property
    def _users(self) -> Mapping[tuple[str, str], list[tuple[Row, str]]]:
        users: dict[tuple[str, str], list[tuple[Row, str]]] = {}
        for use in self.document.references:
            row = self._rows.get(use.path)
            if row is not None and (row, use.key) not in users.setdefault((use.kind, use.name), []):
                users[use.kind, use.name].append((row, use.key))
        return users

    def users(self, kind: str, name: str) -> list[tuple[Row, str]]:
        """The elements that use a word, with the key under which they name it."""
        return self._users.get((kind, name), [])

    def resting_on(self, path: str) -> tuple[str, ...]:
        """The element at a path; and of a word the rules that use it."""
        section, _, name = path.partition(".")
        return (path, *(row.path for row, _ in self.users(section, name))) if section in WORDS else (path,)

    @cached_property
    def clauses_of_rules(self) -> frozenset[str]:
        """Every clause that some rule carries, besides the words it uses."""
        return frozenset(
            clause
            for row in self._rows.values()
            if row.path.split(".")[0] not in WORDS
            for ids in row.clauses.values()
            for clause in ids
        )

    # ── checks of the running system ────────────────────────────────────────────────────────────────────────────────

    def checked(self, check: str, path: str) -> tuple[tuple[Exhibit, ...], tuple[Breach, ...]]:
        """What a check found inside the span, and when it found something broken, as breaches of an element."""
        found = sorted((one for one in self.outcomes if one.check == check), key=lambda one: one.shown.at)
        kept = self.within(one.shown for one in found if one.kept)
        answer, breaches = self.answers.get(check), list[Breach]()
        broken: Exhibit | None = None
        for one in found:
            if not one.kept:
                broken = broken or one.shown
            elif broken is not None:
                breaches.append(Breach("found-broken", path, broken.at, one.shown.at, detail=check, shown=(broken,)))
                broken = None
        if answer is not None and answer.kept is False:
            # Nobody knows when it was broken: not before the last check that found it kept.
            since = max([answer.since if answer.since is not None else self.now, *(one.at for one in kept)])
            shown = (broken,) if broken else ()
            breaches.append(Breach(answer.what, path, since, None, answer.persons, answer.detail, shown))
        elif broken is not None:
            breaches.append(Breach("found-broken", path, broken.at, None, detail=check, shown=(broken,)))
        return kept[:1] + kept[-1:], tuple(breaches)

    def see(self, name: str, shown: Exhibit) -> None:
        """Remember that an entry shows something: the first and the last inside the span are enough."""
        if self.span.since <= shown.at < self.span.until:
            seen = self.seen.setdefault(name, [])
            if not seen or shown.at >= seen[-1].at:
                seen[1:] = [shown]
            elif shown.at < seen[0].at:
                seen[:] = [shown, seen[-1]]

    # ── what was not kept ───────────────────────────────────────────────────────────────────────────────────────────

    def note(self, name: str, breach: Breach) -> None:
        """Remember a breach under an element's path or a check's name."""
        self.noted.setdefault(name, []).append(breach)

    def note_act(self, name: str, breach: Breach) -> None:
        """Remember an act that should not have been, by an element's path or a check's name."""
        self.acts.setdefault(name, []).append(breach)

    def against(self, path: str, *names: str) -> tuple[Breach, ...]:
        """Breaches under these names (the element's own path if none is given).

        A span ends by itself when what was missing came. An act ends when somebody put on record, for the element at
        `path`, that its consequences were mended; until then it lasts.
        """
        named = names or (path,)
        mended = self.filed_for(path, MENDED)
        lasting = [
            replace(one, element=path, until=min((at for at in mended if at > one.since), default=None))
            for name in named
            for one in self.acts.get(name, ())
        ]
        return (*(replace(one, element=path) for name in named for one in self.noted.get(name, ())), *lasting)

    def grace_end(self, due_at: Instant, alias: str, by: Instant) -> Instant:
        """By when what fell due had to be done: the grace after the end, or after the knowledge of what was late."""
        known = [at for at in self.late_known.get(alias, ()) if at <= by]
        base = max([due_at, self.plan.effective_at if due_at < self.plan.effective_at else due_at, *known])
        return end_of(base, self.plan.destruction.within, self.plan.zone)

    def by_fact(self, alias: str, due_at: Instant) -> bool:
        """Whether something fell due by a fact itself and not by a period after it."""
        return due_at in self.instants.get(alias, ())


def shown_of(recorded: Recorded) -> Exhibit:
    """An entry as evidence."""
    return Exhibit(recorded.reference, recorded.entry.kind, Instant(recorded.entry.at))


# ── Reading the ledger ────────────────────────────────────────────────────────────────────────────────────────────────


def tallied(connection: Connection, policy: str, span: Span) -> dict[tuple[str, str], Tally]:
    """Counts inside a span by element and kind."""
    found = history.tally(connection, span.since, span.until, policy)
    return {(one.element, one.kind): one for one in found}


def scan(look: Looked) -> None:
    """Go through the rarer entries, oldest first, and note what they tell: what came after the span ends or shows what
    was wrong inside it.
    """
    found = history.rows(look.connection, SCANNED, look.plan.policy)
    look.minors = _minors(look)
    recorded: list[Recorded] = []
    for leaf, number, row in found:
        if row[0] == "control.evidenced" and row[_EVIDENCE] != SYSTEM_CHECK:
            look.see(f"evidence/{row[_CONTROL]}", Exhibit(f"{leaf}:{number}", row[0], cast(Instant, row[1])))
        else:
            recorded.append(Recorded(leaf, number, entry_of(row)))
    recorded.sort(key=lambda one: (one.entry.at, one.leaf, one.number))
    # Knowledge comes first: a destruction is late only by what was known before it.
    for one in recorded:
        if one.entry.kind in ("fact.recorded", "consent.withdrawn"):
            _knowledge(look, one.entry)
    for one in recorded:
        heard = _HEARD.get(one.entry.kind)
        if heard is not None:
            heard(look, one, one.entry)
    _unanswered(look)
    for (alias, _, _), up in look.up.items():
        _overlooked(look, up, None, alias)


def _knowledge(look: Looked, entry: Entry) -> None:
    known_at = entry.fields.get("known_at")
    for alias in entry.persons:
        look.instants.setdefault(alias, set()).add(Instant(entry.at))
        if isinstance(known_at, int) and known_at - entry.at > LATE:
            look.late_known.setdefault(alias, []).append(Instant(known_at))


def _alias(entry: Entry) -> str:
    return entry.persons[0] if entry.persons else ""


def _text(entry: Entry, name: str) -> str:
    value = entry.fields.get(name)
    return value if isinstance(value, str) else ""


def _at(entry: Entry, name: str, otherwise: Instant = FOREVER) -> Instant:
    value = entry.fields.get(name)
    return Instant(value) if type(value) is int else otherwise


def _ids(entry: Entry, name: str = "values") -> tuple[int, ...]:
    value = entry.fields.get(name)
    return tuple(one for one in value if isinstance(one, int)) if isinstance(value, tuple) else ()


def _codes(entry: Entry, name: str) -> tuple[str, ...]:
    value = entry.fields.get(name)
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, tuple) else ()


def _destroyed(look: Looked, one: Recorded, entry: Entry) -> None:
    alias, due_at = _alias(entry), _at(entry, "due_at", Instant(entry.at))
    shown = shown_of(one)
    needless = look.by_fact(alias, due_at)
    if needless:
        look.see("needless", shown)
    limit = look.grace_end(due_at, alias, _at(entry, "ordered_at", Instant(entry.at)))
    if entry.at > limit:
        paths = (*entry.elements, *((look.plan.destruction.when_needless.path,) if needless else ()))
        for path in dict.fromkeys(paths):
            late = Breach("destruction-overdue", path, limit, Instant(entry.at), frozenset({alias}), shown=(shown,))
            look.note(path, late)
        _everywhere(look, "destruction-overdue", limit, Instant(entry.at), alias, shown)


def _everywhere(look: Looked, what: str, since: Instant, until: Instant | None, alias: str, shown: Exhibit) -> None:
    persons = frozenset({alias})
    look.note("anything-overdue", Breach(what, "", since, until, persons, shown=(shown,)))


def _separated(look: Looked, one: Recorded, entry: Entry) -> None:
    alias, due_at = _alias(entry), _at(entry, "due_at")
    if due_at >= FOREVER:
        return
    limit = look.grace_end(due_at, alias, Instant(entry.at))
    if entry.at > limit:
        shown = shown_of(one)
        for path in (*entry.elements, "separation.electronic"):
            late = Breach("separation-overdue", path, limit, Instant(entry.at), frozenset({alias}), shown=(shown,))
            look.note(path, late)
        _everywhere(look, "separation-overdue", limit, Instant(entry.at), alias, shown)


def _ordered(look: Looked, one: Recorded, entry: Entry) -> None:
    for value in _ids(entry):
        look.ordered[value] = Instant(entry.at)


def _late(look: Looked, one: Recorded, entry: Entry) -> None:
    """A fact too late to prevent a destruction: a gap, until it was known. Disclosures are replayed by recipient."""
    if _text(entry, "exception") != "destroyed-before-known":
        return
    since, until, persons = _at(entry, "at", Instant(entry.at)), Instant(entry.at), frozenset(entry.persons)
    path = look.plan.destruction.at_expiry.path
    shown, detail = (shown_of(one),), _text(entry, "exception")
    look.note(path, Breach("too-late-to-prevent", path, since, until, persons, detail, shown))


def _received(look: Looked, one: Recorded, entry: Entry) -> None:
    request = _text(entry, "request")
    if _alias(entry) in look.minors:
        look.see("children/rights", shown_of(one))
    _papers(look, one, entry)
    look.asked[request] = Asked(
        request, _text(entry, "right"), _alias(entry), _text(entry, "channel"), shown_of(one), _at(entry, "due_at"),
        _codes(entry, "purposes"),
    )  # fmt: skip


def _later(look: Looked, one: Recorded, entry: Entry) -> None:
    """Access that waits and a decision that takes longer have a new day."""
    asked = look.asked.get(_text(entry, "request"))
    if asked is not None:
        asked.due_at = _at(entry, "due_at")


def _papers(look: Looked, one: Recorded, entry: Entry) -> None:
    """What was shown, each by its name."""
    for name in _codes(entry, "proofs"):
        look.see(f"papers/{name}", shown_of(one))


def _acting(look: Looked, one: Recorded, entry: Entry) -> None:
    _papers(look, one, entry)
    look.see(f"acting/{_text(entry, 'kind')}", shown_of(one))


def _proved(look: Looked, one: Recorded, entry: Entry) -> None:
    _papers(look, one, entry)
    asked = look.asked.get(_text(entry, "request"))
    if asked is not None and asked.proved is None:
        asked.proved, asked.proof = shown_of(one), _text(entry, "proof")


def _answered(look: Looked, one: Recorded, entry: Entry) -> None:
    asked = look.asked.get(_text(entry, "request"))
    if asked is None:
        return
    asked.answered, asked.outcome, asked.reason = shown_of(one), _text(entry, "outcome"), _text(entry, "reason")
    if asked.answered.at > asked.due_at:
        _answer_late(look, asked, asked.answered.at, asked.answered)
    if asked.outcome in ("refused", "taken-back"):
        _lift(look, asked.request_id, asked.answered.at)


def _unanswered(look: Looked) -> None:
    for asked in look.asked.values():
        if asked.answered is None and asked.due_at < look.now:
            _answer_late(look, asked, None, asked.received)


def _answer_late(look: Looked, asked: Asked, until: Instant | None, shown: Exhibit) -> None:
    path = f"rights.{asked.right}"
    persons = frozenset({asked.alias})
    look.note(f"{path}/answers", Breach("answer-overdue", path, asked.due_at, until, persons, shown=(shown,)))


def _hold_set(look: Looked, one: Recorded, entry: Entry) -> None:
    path, request = entry.elements[0] if entry.elements else "rights", _text(entry, "request")
    if _alias(entry) in look.minors:
        look.see("children/freeze", shown_of(one))
    asked = look.asked.get(request)
    for value in _ids(entry):
        hold = Hold(request, path, asked.purposes if asked else (), Instant(entry.at))
        look.holds.setdefault(value, []).append(hold)
        look.held_by.setdefault(request, []).append(hold)


def _hold_lifted(look: Looked, one: Recorded, entry: Entry) -> None:
    _lift(look, _text(entry, "request"), Instant(entry.at))


def _lift(look: Looked, request: str, at: Instant) -> None:
    for hold in look.held_by.get(request, ()):
        hold.lifted_at = min(hold.lifted_at, at)


def _told(look: Looked, one: Recorded, entry: Entry) -> None:
    asked = look.asked.get(_text(entry, "request"))
    if asked is not None:
        asked.told.append(shown_of(one))


def _sent(look: Looked, one: Recorded, entry: Entry) -> None:
    if not _text(entry, "consent"):
        breach = Breach(
            "consent-missing", "", Instant(entry.at), None, frozenset(entry.persons), shown=(shown_of(one),)
        )
        for path in entry.elements:
            look.note_act(path, breach)
    if _without_the_night(look, entry):
        for path in entry.elements:
            shown = shown_of(one)
            look.note_act(path, Breach("sent-at-night", path, shown.at, None, frozenset(entry.persons), shown=(shown,)))


def _without_the_night(look: Looked, entry: Entry) -> bool:
    """Whether an advertisement went out at night to somebody who had not agreed to the night; e-mail has none."""
    plan, medium = look.line.at(Instant(entry.at)) or look.plan, _text(entry, "medium")
    apart = plan.country.has_night or medium in plan.advertising
    hour = moment(Instant(entry.at), plan.zone).hour
    if medium == "email" or not apart or not plan.country.is_night(hour):
        return False
    promised = plan.advertising[medium][1] if medium in plan.advertising else "own-consent"
    return promised == "never" or not _agreed_to_the_night(look, _alias(entry), medium, entry.at)


def _agreed_to_the_night(look: Looked, alias: str, medium: str, at: int) -> bool:
    """The last that was said about it up to then, by the ledger; of two at one instant the withdrawal."""
    said = [
        (one.entry.at, one.entry.kind == "consent.withdrawn")
        for one in history.entries_about(look.connection, alias)
        if one.entry.kind in ("consent.given", "consent.withdrawn")
        and (_text(one.entry, "about_kind"), _text(one.entry, "about")) == ("night", medium)
        and one.entry.at <= at
    ]
    return bool(said) and not max(said)[1]


def _system_checked(look: Looked, one: Recorded, entry: Entry) -> None:
    look.outcomes.append(Found(_text(entry, "control"), _text(entry, "outcome") == KEPT, shown_of(one), entry.elements))


def _minors(look: Looked) -> frozenset[str]:
    """The aliases of persons who came as children."""
    found = history.rows(look.connection, ["subject.entered"], look.plan.policy)
    return frozenset(str(row[3]) for _, _, row in found if len(row) > _MINOR and row[_MINOR])


_MINOR = place_of("subject.entered", "minor")
_CONTROL, _EVIDENCE = place_of("control.evidenced", "control"), place_of("control.evidenced", "evidence")


def _published(look: Looked, one: Recorded, entry: Entry) -> None:
    look.seen.setdefault(f"published/{_text(entry, 'version')}", []).append(shown_of(one))


def _granted(look: Looked, one: Recorded, entry: Entry) -> None:
    look.see(f"granted/{_text(entry, 'duty')}", shown_of(one))


def _pruned(look: Looked, one: Recorded, entry: Entry) -> None:
    shown = shown_of(one)
    look.seen.setdefault("pruned", []).append(shown)
    look.seen.setdefault("pruned-before", []).append(Exhibit(shown.reference, shown.kind, _at(entry, "before")))


def _order_done(look: Looked, one: Recorded, entry: Entry) -> None:
    """Paper is destroyed before a witness."""
    if _text(entry, "place") == "paper-file" and not _text(entry, "witness"):
        shown = shown_of(one)
        for path in entry.elements:
            breach = Breach("witness-missing", path, shown.at, None, frozenset(entry.persons), shown=(shown,))
            look.note_act(path, breach)


def _review_due(look: Looked, one: Recorded, entry: Entry) -> None:
    name = (_alias(entry), _text(entry, "about"), _text(entry, "engagement"))
    look.up[name] = (shown_of(one), entry.elements[0], _at(entry, "due_at"))


def _review_done(look: Looked, one: Recorded, entry: Entry) -> None:
    name = (_alias(entry), _text(entry, "about"), _text(entry, "engagement"))
    up = look.up.pop(name, None)
    if up is not None:
        _overlooked(look, up, Instant(entry.at), name[0])


def _overlooked(look: Looked, up: tuple[Exhibit, str, Instant], until: Instant | None, alias: str) -> None:
    """What stays open is looked at within the grace after its day; longer is not upheld."""
    shown, path, due_at = up
    limit = end_of(due_at, look.plan.destruction.within, look.plan.zone)
    if (until if until is not None else look.now) > limit:
        look.note(path, Breach("review-overdue", path, limit, until, frozenset({alias}), shown=(shown,)))


SYSTEM_CHECK: Final = "system-check"
MENDED: Final = "mended"
KEPT, BROKEN = "kept", "broken"

_HEARD = {
    "value.destroyed": _destroyed, "value.separated": _separated, "destruction.ordered": _ordered,
    "exception.late": _late, "request.received": _received, "request.proved": _proved, "request.answered": _answered,
    "hold.set": _hold_set, "hold.lifted": _hold_lifted, "recipient.told": _told, "advert.sent": _sent,
    "control.evidenced": _system_checked, "policy.published": _published, "handler.granted": _granted,
    "access.pruned": _pruned, "work-order.done": _order_done,
    "acting.granted": _acting,
    "request.postponed": _later, "request.extended": _later, "review.due": _review_due, "review.done": _review_done,
}  # fmt: skip


# ── Reads, which are many ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Reads:
    """What to look for in access records."""

    grants: Mapping[str, tuple[Granted, ...]]
    secrets: Mapping[int, str]


def scan_reads(look: Looked, secrets: Mapping[int, str]) -> None:
    """Go through the granted reads of the span. `secrets`: value → path of its item, for values only a job may read."""
    by_handler: dict[str, list[Granted]] = {}
    for grant in look.granted:
        by_handler.setdefault(grant.handler, []).append(grant)
    reads = _Reads({name: tuple(found) for name, found in by_handler.items()}, secrets)
    watched = {*look.holds, *look.ordered, *secrets}
    purposes = frozenset(look.plan.purposes)
    for leaf, number, row in _granted_reads(look):
        if row[_PURPOSE] in purposes and row[_READER] != "handler":
            values = row[_VALUES]
            if isinstance(values, bytes) and (not watched or watched.isdisjoint(array("q", values))):
                continue
        _look_at_read(look, Recorded(leaf, number, entry_of(row)), reads)


_PURPOSE, _READER, _VALUES = (place_of("read.granted", name) for name in ("purpose", "reader", "values"))


def _granted_reads(look: Looked) -> Iterator[tuple[int, int, Stored]]:
    return history.rows(look.connection, ["read.granted"], look.plan.policy, look.span.since, look.span.until)


def _look_at_read(look: Looked, one: Recorded, reads: _Reads) -> None:
    entry = one.entry
    if _text(entry, "purpose") not in look.plan.purposes and not _of_older(look, entry):
        _read_wrong(look, one, "purpose-undeclared", "purposes")
    if entry.fields.get("reader") == "handler":
        _read_by_handler(look, one, reads)
    _read_values(look, one, reads)


def _of_older(look: Looked, entry: Entry) -> bool:
    plan = look.line.at(Instant(entry.at))
    return plan is not None and _text(entry, "purpose") in plan.purposes


def _read_wrong(look: Looked, one: Recorded, what: str, name: str, persons: tuple[str, ...] = ()) -> None:
    shown = shown_of(one)
    look.note_act(name, Breach(what, name, shown.at, None, frozenset(persons or one.entry.persons), shown=(shown,)))


def _read_by_handler(look: Looked, one: Recorded, reads: _Reads) -> None:
    handler = _text(one.entry, "reader_id")
    if not handler:
        _read_wrong(look, one, "read-unsigned", "every-access-signed-in")
    at, purpose = one.entry.at, _text(one.entry, "purpose")
    for grant in reads.grants.get(handler, ()):
        declared = look.plan.handlers.get(grant.duty)
        if grant.since <= at < grant.until and declared is not None and purpose in declared.purposes:
            look.see(f"read-by/{grant.duty}", shown_of(one))
            return
    for name, row in look.plan.handlers.items():
        if purpose in row.purposes:
            _read_wrong(look, one, "read-ungranted", f"handlers.{name}")
    _read_wrong(look, one, "read-ungranted", "reads-ungranted")


def _read_values(look: Looked, one: Recorded, reads: _Reads) -> None:
    at, values, persons = one.entry.at, _ids(one.entry), one.entry.persons
    for place, value in enumerate(values):
        owner = (persons[place],) if len(persons) == len(values) else persons
        ordered = look.ordered.get(value)
        if ordered is not None and ordered < at:
            _read_wrong(look, one, "read-when-due", "read-when-due", owner)
        for hold in look.holds.get(value, ()):
            covered = not hold.purposes or _text(one.entry, "purpose") in hold.purposes
            if covered and hold.set_at < at < hold.lifted_at:
                _read_wrong(look, one, "read-while-held", hold.path, owner)
        path = reads.secrets.get(value)
        if path is not None and one.entry.fields.get("reader") != "application":
            _read_wrong(look, one, "secret-read", path, owner)
