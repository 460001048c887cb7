"""The chapters of a notice, in the order of the Korean guideline for privacy policies (docs/notice.md).

A chapter prints every public key of its elements; `HIDDEN` lists the others, and docs/notice.md says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from upheld.policy import plain
from upheld.policy.change import Difference, changes_between
from upheld.policy.change_rules import Demand
from upheld.policy.ends import facts_in
from upheld.policy.model import Policy, Purpose, Row, keys_of
from upheld.policy.notice_parts import Block, Card, Cell, Folder, Grid, Line, Page, Para, Section
from upheld.policy.notice_words import COUNTRIES, PROSE, language_named
from upheld.policy.shapes import attribute
from upheld.policy.vocabulary import Collected, GroundKind, Nature, RightName, Seen, Source
from upheld.policy.wording import Words, language_of, text_in

HIDDEN: Final[Mapping[str, frozenset[str]]] = {
    "*": frozenset({"reading", "blocked", "seen", "review-after"}),
    "facts": frozenset({"about", "closes"}),
    "soft-words": frozenset({"means"}),
    "entrustments": frozenset({"inspected"}),
    "handlers": frozenset({"duties", "granted-with", "granted-for", "reviewed"}),
    "safeguards": frozenset({"check", "evidence", "due", "per", "owner", "blocks"}),
    "agencies": frozenset({"reviewed", "shown-in"}),
    "statements": frozenset({"also"}),
}
"""Keys that no notice prints, by section. That a row is blocked is printed, its reason is not."""

_NATURES: Final = (Nature.SENSITIVE, Nature.UNIQUE_ID, Nature.RESIDENT_NUMBER, Nature.FINANCIAL, Nature.SECRET)


class Notice:
    """One policy in one language, being set."""

    def __init__(self, policy: Policy, locale: str, versions: Sequence[Policy], folder: Folder | None = None) -> None:
        if locale not in policy.locales:
            raise ValueError(f"the policy has no texts in `{locale}`; it has {', '.join(policy.locales)}")
        self.policy, self.locale, self.folder = policy, locale, folder or Folder()
        self.versions = sorted(
            {one.effective.date: one for one in (*versions, policy)}.items(), key=lambda one: str(one[0])
        )
        self.printed: set[str] = set()

    # ------------------------------------------------------------------------------------------------------------ words

    def say(self, key: str, **words: object) -> str:
        return PROSE[key].say(self.locale).format(**words)

    def title(self, row: Row) -> str:
        return plain.fixed_title(row, self.locale)

    def named(self, kind: str, names: Iterable[str]) -> str:
        return ", ".join(plain.named(kind, name, self.policy, self.locale) for name in names)

    def key(self, row: Row, name: str) -> str:
        """What a key of a row says."""
        spec, per = keys_of(type(row))[name], getattr(row, "per", ())
        kinds = per if isinstance(per, tuple) else ()
        return plain.value(getattr(row, attribute(name)), spec, self.policy, self.locale, kinds)

    def labelled(self, label: str, text: str) -> Cell:
        return (self.say(label, what=text),) if text else ()

    def law(self, row: Row) -> str:
        return ", ".join(plain.law(ref, self.policy, self.locale) for ref in row.law)

    def country(self, codes: Iterable[str]) -> str:
        return ", ".join(COUNTRIES[code].say(self.locale) if code in COUNTRIES else code for code in codes)

    def anchors(self, *rows: Row | None) -> tuple[str, ...]:
        """The paths of the rows, and each of their clauses that was not printed before."""
        found = []
        for row in rows:
            if row is not None:
                clauses = dict.fromkeys(one for ids in row.clauses.values() for one in ids)
                found += [one for one in (row.path, *clauses) if one not in self.printed]
                self.printed.update(found)
        return tuple(found)

    def name(self, row: Row, text: str = "") -> Cell:
        """The name cell of a row, with the mark of one that is not in operation."""
        mark = (f"({self.say('not-run')})",) if row.blocked else ()
        return (text or self.title(row), *mark)

    def of(self, section: str) -> list[Any]:
        """The rows of a section that are public, in the order of the document."""
        return [row for row in getattr(self.policy, section).values() if row.seen is Seen.PUBLIC]

    def para(self, text: str, *rows: Row | None, bullet: bool = False) -> Para:
        return Para(self.anchors(*rows), text, bullet)

    def guarantees(self, *names: str) -> Iterator[Para]:
        for row in self.of("guarantees"):
            if row.name in names:
                yield self.para(self.title(row), row, bullet=True)

    def statements(self, *under: str) -> Iterator[Para]:
        for row in self.of("statements"):
            if row.under in under:
                yield self.para(plain.title_of(row, self.locale), row, bullet=True)

    def empty(self, *sections: str) -> Iterator[Row]:
        """Elements that say of a section: there is none."""
        yield from (row for path, row in self.policy.empty_sections.items() if path in sections)

    def grid(
        self, heads: str, lines: Iterable[Line], title: str = "", note: str = "", *, bare: bool = False
    ) -> list[Block]:
        """A table without the columns that say nothing; a list where only names are left; nothing without rows."""
        rows = tuple(lines)
        if not rows:
            return []
        names = tuple(self.say(head) for head in heads.split())
        filled = [at for at in range(len(names)) if at == 0 or any(any(row.cells[at]) for row in rows)]
        kept = tuple(
            Line(row.anchors, tuple(row.cells[at] for at in filled), tuple(row.links[at] for at in filled if row.links))
            for row in rows
        )
        heading, below = self.say(title) if title else "", self.say(note) if note else ""
        if bare and filled == [0]:
            items = tuple(Para(row.anchors, " ".join(row.cells[0]), bullet=True) for row in kept)
            return [Grid(heading, (), (), below), *items]
        return [Grid(heading, tuple(names[at] for at in filled), kept, below, bare and len(filled) == 2)]

    def merged(self, lines: Iterable[Line]) -> Iterator[Line]:
        """Rows that say the same of several elements, as one row with all their names."""
        groups: dict[tuple[Cell, ...], list[Line]] = {}
        for line in lines:
            alone = () if len(line.cells[0]) == 1 else line.cells[0]
            groups.setdefault((alone, *line.cells[1:]), []).append(line)
        for (_, *rest), found in groups.items():
            anchors = tuple(dict.fromkeys(one for line in found for one in line.anchors))
            name = (", ".join(line.cells[0][0] for line in found), *found[0].cells[0][1:])
            yield Line(anchors, (name, *rest))

    # ------------------------------------------------------------------------------------------------------- whole

    def page(self) -> Page:
        sections = tuple(Section(code, self.say(code), tuple(make(self))) for code, make in _CHAPTERS.items())
        policy = self.policy
        controller = plain.title_of(policy.controller, self.locale)
        intro = [
            *self.statements("controller"),
            *self.guarantees("notice-from-document", "one-version-in-force", "notice-always-open"),
            self.para(self.languages(), policy.controller, policy.announced, policy.effective),
            self.para(self.say("zone", zone=policy.time_zone)),
        ]
        return Page(
            language=language_of(self.locale),
            title=self.say("title", controller=controller),
            facts=(
                (self.say("effective"), str(policy.effective.date)),
                (self.say("announced"), str(policy.announced.date)),
            ),
            intro=tuple(intro),
            summary=self.say("summary"),
            contents=self.say("contents"),
            cards=tuple(self.cards()),
            sections=sections,
            links=self.folder.beside,
        )

    def languages(self) -> str:
        first = self.policy.locales[0]
        if self.locale == first:
            return self.say("binding")
        made = self.policy.translation
        return self.say(
            "translated",
            translation=plain.word(made, self.locale) if made else self.say("unsaid-translation"),
            language=language_named(first, self.locale),
        )

    # ------------------------------------------------------------------------------------------------------- summary

    def cards(self) -> Iterator[Card]:
        policy = self.policy
        purposes = [row for row in self.of("purposes") if not row.blocked]
        items = list(dict.fromkeys(item for row in purposes for item in row.items))
        special = [name for name in items if policy.items[name].nature in _NATURES[:3]]
        none = self.say("none")

        def some(texts: Iterable[str], most: int) -> str:
            found = list(dict.fromkeys(texts))
            more = f" {self.say('and-more', count=len(found) - most)}" if len(found) > most else ""
            return ", ".join(found[:most]) + more if found else none

        def names(kind: str, found: Iterable[str], most: int) -> str:
            return some((plain.named(kind, name, policy, self.locale) for name in found), most)

        def parties(section: str) -> str:
            return names("parties", (row.to or row.name for row in self.of(section) if not row.blocked), 3)

        countries = [code for row in self.of("transfers") if not row.blocked for code in row.stored_in]
        contact = next((row for row in self.of("contacts") if row.takes), None)
        reach = [self.title(contact), self.key(contact, "team"), contact.phone or ""] if contact else [none]
        yield Card(
            "s-purposes", self.say("card-purposes"), some((self.title(row) for row in purposes if row.required), 4)
        )
        yield Card("s-purposes", self.say("card-items"), names("items", items, 6))
        yield Card("s-purposes", self.say("card-special"), names("items", special, 4))
        yield Card(
            "s-purposes",
            self.say("card-periods"),
            some(sorted((self.key(row, "until") for row in purposes), key=len), 2),
        )
        yield Card("s-provisions", self.say("card-provisions"), parties("provisions"))
        yield Card("s-entrustments", self.say("card-entrustments"), parties("entrustments"))
        yield Card("s-transfers", self.say("card-transfers"), self.country(dict.fromkeys(countries)) or none)
        yield Card(
            "s-purposes", self.say("card-advertising"), some((self.title(row) for row in self.of("advertising")), 4)
        )
        rights = [plain.word(name, self.locale) for name in RightName if name.value in policy.rights]
        yield Card("s-rights", self.say("card-rights"), some(rights, 5))
        yield Card("s-contacts", self.say("card-contact"), " · ".join(part for part in reach if part))


# ----------------------------------------------------------------------------------------- 1 purposes, items, periods


def _purposes(page: Notice) -> Iterator[Block]:
    yield from page.guarantees("closed-purposes", "closed-items", "held-to-what-was-told", "sensitive-asked-apart")
    yield from page.guarantees("due-is-unread", "every-field-classified", "edits-follow-their-item")
    heads = "c-purpose c-whose c-items c-basis c-period"
    rows = page.of("purposes")
    yield from page.grid(heads, (_purpose(page, row) for row in rows if row.required), "required")
    yield from page.grid(heads, (_purpose(page, row) for row in rows if not row.required), "optional", "optional-free")
    yield from _persons(page)
    yield from _services(page)
    yield from _collecting(page)
    yield from _agreeing(page)
    yield from _items(page)


def _purpose(page: Notice, row: Purpose) -> Line:
    uses = [page.name(use) for use in row.uses.values() if use.seen is Seen.PUBLIC]
    name = (
        *page.name(row),
        *(f"– {' '.join(use)}" for use in uses),
        *filter(None, (page.key(row, "needs"), page.key(row, "held-for"))),
        *page.labelled("l-refused", page.key(row, "refused")),
    )
    whose = (
        page.key(row, "whose"),
        *page.labelled("l-service", page.key(row, "per")),
        *(page.labelled("l-source", page.key(row, "source")) if row.source != (Source.PERSON,) else ()),
        *page.labelled("l-via", page.key(row, "via")),
    )
    law = page.law(row)
    basis = (*_bases(page, row), *((law,) if law else ()))
    anchors = page.anchors(row, *row.uses.values())
    return Line(anchors, (name, whose, (page.key(row, "items"),), basis, (page.key(row, "until"),)))


def _bases(page: Notice, row: Purpose) -> Cell:
    """One word where all items have one; else each word with its items."""
    kinds = dict.fromkeys(row.basis.values())
    if len(kinds) == 1:
        return (plain.word(next(iter(kinds)), page.locale),)
    by_kind = ((kind, [item for item, basis in row.basis.items() if basis is kind]) for kind in kinds)
    return tuple(f"{plain.word(kind, page.locale)}: {page.named('items', items)}" for kind, items in by_kind)


def _persons(page: Notice) -> Iterator[Block]:
    lines = (Line(page.anchors(row), (page.name(row), (page.key(row, "identified"),))) for row in page.of("subjects"))
    yield from page.grid("c-whose c-what", lines, "persons", bare=True)


def _services(page: Notice) -> Iterator[Block]:
    def when(row: Any, key: str) -> Cell:
        end = getattr(row, key)
        facts = [plain.fact(name, page.policy, page.locale) for name in facts_in(end)]
        text = plain.end(end, page.policy, page.locale)
        bare = text.removesuffix(" 시까지").removeprefix("until ") if len(facts) == 1 else text
        return (bare,)

    lines = (
        Line(page.anchors(row), (page.name(row), when(row, "begins"), when(row, "ends")))
        for row in page.of("engagements")
    )
    yield from page.grid("c-service c-begins c-ends", page.merged(lines), "services")


def _collecting(page: Notice) -> Iterator[Block]:
    lines = [
        Line(
            page.anchors(row),
            (
                page.name(row, text_in(row.texts, page.locale) or page.key(row, "source")),
                (page.key(row, "source"),) if row.texts else (),
                (page.key(row, "by"),),
                (page.key(row, "for"),),
            ),
        )
        for row in page.of("collection")
    ]
    yield from page.grid("c-way c-what c-channels c-for", lines, "collecting", "collecting-only")
    lines = [
        Line(
            page.anchors(row),
            (
                (*page.name(row, page.key(row, "basis")), *filter(None, [page.law(row)])),
                (page.key(row, "for"),),
                tuple(filter(None, (page.key(row, "needs"), page.key(row, "recorded")))),
            ),
        )
        for row in page.of("collection_exceptions")
    ]
    yield from page.grid("c-basis c-for c-case", lines, "exceptions-collecting")


def _agreeing(page: Notice) -> Iterator[Block]:
    lines = [
        Line(
            page.anchors(row),
            (page.name(row, page.named("channels", [row.name])), (page.key(row, "by"),), (page.key(row, "says"),)),
        )
        for row in page.of("consent")
    ]
    yield from page.grid("c-channel c-how c-told", page.merged(lines), "agreeing")
    lines = [
        Line(page.anchors(row), (page.name(row), (page.key(row, "for"),), (page.key(row, "at-night"),)))
        for row in page.of("advertising")
    ]
    yield from page.grid("c-medium c-for c-night", page.merged(lines), "advertising", "advertising-free")


def _items(page: Notice) -> Iterator[Block]:
    rows = page.of("items")
    taken = [row for row in rows if row.collected is not Collected.NEVER]
    lines = []
    for nature in Nature:
        here = [row for row in taken if row.nature is nature]
        if here and nature is not Nature.PLAIN:
            names = ", ".join(page.title(row) for row in here)
            lines.append(Line(page.anchors(*here), ((plain.word(nature, page.locale),), (names,))))
    checked = [row for row in taken if row.needs]
    if checked:
        names = ", ".join(page.title(row) for row in checked)
        lines.append(Line(page.anchors(*checked), ((page.say("checked-items"),), (names,))))
    never = [row for row in rows if row.collected is Collected.NEVER]
    for nature in dict.fromkeys(row.nature for row in never):
        here = [row for row in never if row.nature is nature]
        label = page.say("uncollected") + ("" if nature is Nature.PLAIN else f" ({plain.word(nature, page.locale)})")
        lines.append(Line(page.anchors(*here), ((label,), (", ".join(page.title(row) for row in here),))))
    yield from page.grid("c-kind c-items", lines, "special", bare=True)
    rest = page.anchors(*rows)
    if rest:
        yield Para(rest, "")


# ----------------------------------------------------------------------------------------------------- 2 what is kept


def _kept(page: Notice) -> Iterator[Block]:
    lines = [_kept_line(page, row) for row in page.of("retention")]
    yield from page.grid("c-reason c-of c-items c-basis c-period", lines, "kept") or [page.para(page.say("kept-none"))]
    lines = [
        Line(
            page.anchors(row),
            (
                (*page.name(row), *page.labelled("l-instead", page.key(row, "instead-of"))),
                (page.law(row),),
                (page.key(row, "items"),),
                (page.key(row, "until"), *_start(page, row)),
            ),
        )
        for row in page.of("statutes")
    ]
    none = page.para(page.say("statutes-none"), *page.empty("statutes"))
    yield from page.grid("c-record c-law c-items c-period", lines, "by-statute") or [none]
    lines = [
        Line(page.anchors(row), (page.name(row), (page.key(row, "basis"), page.law(row)), (page.key(row, "until"),)))
        for row in page.of("upkeep")
    ]
    yield from page.grid("c-record c-basis c-period", page.merged(lines), "our-records")
    laws = [Line(page.anchors(row), ((page.title(row),), ())) for row in page.of("laws")]
    yield from page.grid("c-law c-what", laws, "laws", bare=True)


def _kept_line(page: Notice, row: Any) -> Line:
    kind = "" if row.kind is GroundKind.RETENTION else plain.word(row.kind, page.locale)
    basis = tuple(filter(None, (kind, page.key(row, "basis"), page.law(row))))
    until = (page.key(row, "until"), *_start(page, row))
    return Line(
        page.anchors(row),
        (page.name(row), (page.key(row, "of"),), (page.key(row, "items") or page.say("all-items"),), basis, until),
    )


def _start(page: Notice, row: Any) -> Cell:
    """From which fact it is kept, where the period does not say so itself."""
    if row.from_ is None or row.until is None or row.from_ in facts_in(row.until)[:1]:
        return ()
    return page.labelled("l-from", plain.fact(row.from_, page.policy, page.locale))


# --------------------------------------------------------------------------------------------------------- 3 children


_SELF_SAID: Final = frozenset({"asked", "words", "else", "only-for", "given-to", "except", "gives", "to"})
"""Keys of rules on children whose words need no label."""


def _children(page: Notice) -> Iterator[Block]:
    lines = []
    for row in page.of("children"):
        texts = []
        for name in keys_of(type(row)):
            said = page.key(row, name) if name not in HIDDEN["*"] and name not in ("law", "from", "until") else ""
            if name == "under" and row.under:
                said = page.say("child-under", age=row.under)
            elif said and name not in _SELF_SAID:
                said = f"{plain.key_name(type(row), name, page.locale)}: {said}"
            texts += [said] if said else []
        texts = [*_child_span(page, row), *texts] if row.name == "freeze" else [*texts, *_child_span(page, row)]
        law = page.law(row)
        lines.append(Line(page.anchors(row), (page.name(row), (*texts, *((law,) if law else ())))))
    yield from page.grid("c-what c-details", lines, bare=True)


def _child_span(page: Notice, row: Any) -> list[str]:
    """Who consents; or from when until when, as one phrase."""
    until, start = page.key(row, "until"), page.key(row, "from")
    if not start or not until:
        return [text for text in (start, until) if text]
    return [Words("from {start} {until}", "{start}부터 {until}").say(page.locale).format(start=start, until=until)]


# ------------------------------------------------------------------------------------------------ 4 to 6 giving away


def _provisions(page: Notice) -> Iterator[Block]:
    yield from page.guarantees("no-recipient-unlisted")
    rows = page.of("provisions")
    besides = "provisions-excepted" if page.of("provision_exceptions") else "provisions-none"
    yield page.para(page.say("provisions-some" if rows else besides), *page.empty("provisions"))
    lines = [_provision(page, row) for row in rows]
    yield from page.grid("c-recipient c-their-use c-items c-whose c-kept-there", lines)
    lines = [
        Line(
            page.anchors(row),
            (
                (*page.name(row, page.key(row, "needs")), *filter(None, [page.key(row, "recorded")])),
                (page.key(row, "items") or page.say("any-items"),),
                (page.law(row),),
            ),
        )
        for row in page.of("provision_exceptions")
    ]
    yield from page.grid("c-case c-items c-law", lines, "exceptions", "exceptions-only")


def _provision(page: Notice, row: Any) -> Line:
    party = page.policy.parties.get(row.to or row.name)
    use = (page.key(row, "their-use"), *page.labelled("l-refused", page.key(row, "refused")))
    whose = (
        page.key(row, "whose"),
        *page.labelled("l-service", page.key(row, "per")),
        *page.labelled("l-consent", ", ".join(filter(None, (page.key(row, "consent"), page.key(row, "by"))))),
    )
    kept = (
        *page.labelled("l-used", page.key(row, "use-until")),
        *page.labelled("l-kept", page.key(row, "until")),
        page.key(row, "longer-by"),
        *page.labelled("l-end", page.key(row, "at-end")),
    )
    name = (*page.name(row, page.key(row, "to")), *_reach(page, party))
    cells = (name, tuple(filter(None, use)), (page.key(row, "items"),), whose, tuple(filter(None, kept)))
    return Line(page.anchors(row, party), cells)


def _reach(page: Notice, party: Any) -> Cell:
    """Where a company is and how it is reached, as far as the document says."""
    if party is None:
        return ()
    seat = page.labelled("l-seat", page.country(party.seat)) if party.seat else ()
    return tuple(filter(None, (*seat, page.key(party, "address"), page.key(party, "contact"))))


def _entrustments(page: Notice) -> Iterator[Block]:
    rows = page.of("entrustments")
    yield page.para(page.say("entrustments-some" if rows else "entrustments-none"), *page.empty("entrustments"))
    lines = []
    for row in rows:
        party = page.policy.parties.get(row.to or row.name)
        under = page.labelled("l-under", page.key(row, "under"))
        name = (*page.name(row, page.key(row, "to")), *under, *_reach(page, party))
        task = (page.key(row, "task"), *page.labelled("l-for", page.key(row, "for")))
        anchors = page.anchors(row, party, *row.terms.values())
        consent = (page.key(row, "consent"),)
        lines.append(Line(anchors, (name, tuple(filter(None, task)), (page.key(row, "items"),), consent)))
    yield from page.grid("c-processor c-task c-items c-consent", lines)
    yield from _contracts(page, rows)


def _contracts(page: Notice, rows: Sequence[Any]) -> Iterator[Block]:
    """What contracts say, once for all processors with the same one."""
    groups: dict[tuple[str, ...], list[Any]] = {}
    for row in rows:
        end = ", ".join(filter(None, (page.key(row, "at-end"), page.key(row, "within"))))
        terms = ", ".join(page.title(term) for term in row.terms.values() if term.seen is Seen.PUBLIC)
        said = (
            *page.labelled("l-contract", page.key(row, "contract")),
            *page.labelled("l-terms", terms),
            *page.labelled("l-at-end", end),
        )
        groups.setdefault(said, []).append(row)
    lines = [
        Line((), ((", ".join(dict.fromkeys(page.key(row, "to") or row.name for row in found)),), said))
        for said, found in groups.items()
        if said
    ]
    yield from page.grid("c-processor c-details", lines, "contracts", bare=True)


def _transfers(page: Notice) -> Iterator[Block]:
    rows = page.of("transfers")
    if not rows:
        yield page.para(page.say("transfers-none"), *page.empty("transfers"))
    for row in rows:
        party = page.policy.parties.get(row.to or "")
        countries = (
            *page.labelled("l-stored", page.country(row.stored_in)),
            *page.labelled("l-seen", page.country(row.seen_from)),
        )
        fields: list[tuple[str, Cell]] = [
            ("t-to", page.name(row, page.key(row, "to"))),
            ("t-contact", _reach(page, party)),
            ("t-countries", countries),
            ("t-items", (page.key(row, "items"),)),
            ("t-when", (page.key(row, "when"), page.key(row, "how"))),
            ("t-as", (page.key(row, "as"),)),
            ("t-basis", (page.key(row, "basis"), page.law(row))),
            ("t-period", (page.key(row, "until"),)),
            ("t-refuse", (page.key(row, "refusable"), page.key(row, "refused"))),
        ]
        lines = []
        for at, (label, cell) in enumerate(fields):
            anchors = page.anchors(row, party) if at == 0 else ()
            lines.append(Line(anchors, ((page.say(label),), tuple(filter(None, cell)))))
        yield from page.grid("c-what c-details", (line for line in lines if line.cells[1]), bare=True)


# ------------------------------------------------------------------------------------------------------ 7 destruction


def _destruction(page: Notice) -> Iterator[Block]:
    lines = []
    for row in page.of("destruction"):  # a row that tells the method has a time of its own only where one is written
        approval = page.labelled("l-approval", page.key(row, "approval"))
        name = (*page.name(row), *page.labelled("l-after", page.key(row, "after")), *approval)
        written = {key for key in ("starts", "within") if row.builtin or key in row.places or not row.by}
        texts = {key: page.key(row, key) for key in ("starts", "within", "by", "shown-by")}
        cells = (name, *((text if key in written or key in ("by", "shown-by") else "",) for key, text in texts.items()))
        lines.append(Line(page.anchors(row), cells))
    yield from page.grid("c-what c-start c-done c-method c-shown", lines)
    lines = []
    for row in page.of("separation"):
        said = tuple(filter(None, (text_in(row.texts, page.locale), page.key(row, "needs"), page.key(row, "only-for"))))
        lines.append(Line(page.anchors(row), (page.name(row, _fixed(page, row)), said or (page.law(row),))))
    yield from page.grid("c-what c-details", lines, "separated", bare=True)


def _fixed(page: Notice, row: Row) -> str:
    """The name that the language gives a fixed row, where its text says something of its own."""
    return plain.fixed_row(row.path, page.locale) or page.title(row)


# ----------------------------------------------------------------------------------------------------------- 8 rights


def _rights(page: Notice) -> Iterator[Block]:
    yield from page.statements("rights")
    lines = []
    for row in page.of("rights"):
        details = (
            *(page.key(row, key) for key in ("stops", "leaves", "refusal")),
            *page.labelled("l-gives", page.key(row, "gives")),
            *page.labelled("l-tells", page.key(row, "tells")),
            *page.labelled("l-covers", page.key(row, "covers")),
            *page.labelled("l-lasts", page.key(row, "until")),
            *page.labelled("l-form", page.key(row, "form")),
            *page.labelled("l-freeze", page.key(row, "freeze")),
            page.law(row),
        )
        limit = (page.key(row, "within"),)
        ways = tuple(filter(None, (page.key(row, "open"), page.key(row, "by"))))
        lines.append(Line(page.anchors(row), (page.name(row), ways, limit, tuple(filter(None, details)))))
    yield from page.grid("c-right c-ways c-limit c-details", lines)
    lines = [
        Line(
            page.anchors(row),
            ((*page.name(row), *filter(None, [page.key(row, "site")])), (page.key(row, "proof"),)),
        )
        for row in page.of("channels")
    ]
    yield from page.grid("c-channel c-proof", page.merged(lines), "channels", bare=True)
    lines = [
        Line(
            page.anchors(row),
            (
                page.name(row),
                (
                    *page.labelled("l-any-of", page.key(row, "any-of")),
                    *page.labelled("l-all-of", page.key(row, "all-of")),
                    *filter(None, [page.key(row, "copy")]),
                ),
            ),
        )
        for row in page.of("proofs")
    ]
    yield from page.grid("c-papers c-details", (line for line in lines if line.cells[1]), "papers", bare=True)
    yield Para(tuple(one for line in lines if not line.cells[1] for one in line.anchors), "")
    lines = [
        Line(page.anchors(row), (page.name(row), tuple(filter(None, (page.key(row, "shows"), page.law(row))))))
        for row in page.of("acting_for")
    ]
    yield from page.grid("c-who c-papers", lines, "acting", bare=True)


# ------------------------------------------------------------------------------------------- 9 and 10 how it is done


def _safeguards(page: Notice) -> Iterator[Block]:
    yield from page.statements("safeguards")
    rows = page.of("safeguards")
    laws = dict.fromkeys(filter(None, (page.law(row) for row in rows)))
    for law in (*laws, ""):
        here = [row for row in rows if page.law(row) == law]
        if law:
            yield page.para(page.say("l-law", what=law))
        for row in here:
            least = page.labelled("l-at-least", page.key(row, "at-least"))
            text = " ".join(page.name(row)) + (f" ({least[0]})" if least else "")
            yield page.para(text, row, bullet=True)
    lines = [Line(page.anchors(row), (page.name(row), (page.key(row, "for"),))) for row in page.of("handlers")]
    yield from page.grid("c-who c-for", lines, "handlers", bare=True)


def _cookies(page: Notice) -> Iterator[Block]:
    rows = page.of("cookies")
    yield from page.statements("cookies")
    if not rows:
        yield page.para(page.say("cookies-none"), *page.empty("cookies"))
    lines = []
    for row in rows:
        choice = (page.key(row, "preset"), *page.labelled("l-honours", page.key(row, "honours")))
        lasts = page.key(row, "lasts") or page.say("session")
        cells = (page.name(row), (page.key(row, "for"),), (lasts,), tuple(filter(None, choice)))
        lines.append(Line(page.anchors(row), cells))
    yield from page.grid("c-cookie c-for c-lasts c-refuse", lines)


# ----------------------------------------------------------------------------------------------------- 11 to 13 help


def _contacts(page: Notice) -> Iterator[Block]:
    lines = []
    for row in page.of("contacts"):
        phone = (row.phone or "", *page.labelled("l-answers", page.key(row, "answers-calls-of")))
        takes = (page.key(row, "takes"), page.key(row, "within"))
        cells = (page.name(row), (page.key(row, "team"),), tuple(filter(None, phone)), tuple(filter(None, takes)))
        lines.append(Line(page.anchors(row), cells))
    yield from page.grid("c-office c-team c-phone c-takes", lines)


def _agencies(page: Notice) -> Iterator[Block]:
    yield from page.statements("agencies")
    lines = []
    for row in page.of("agencies"):
        reach = tuple(filter(None, (row.phone, row.site, page.key(row, "address"))))
        lines.append(Line(page.anchors(row), (page.name(row), (page.key(row, "offers"),), reach)))
    yield from page.grid("c-agency c-offers c-reach", lines)


def _changes(page: Notice) -> Iterator[Block]:
    lines = []
    for row in page.of("changes"):
        said = [
            line
            for key in ("at", "ahead", "because", "within", "says", "asks")
            for line in page.labelled(f"l-{key}", page.key(row, key))
        ]
        said += [plain.fallback(step, page.policy, page.locale) for step in row.or_else]
        lines.append(Line(page.anchors(row), (page.name(row), (*said, *filter(None, [page.law(row)])))))
    yield from page.grid("c-what c-details", lines, bare=True)
    lines = [Line(page.anchors(row), (page.name(row), (page.key(row, "site"),))) for row in page.of("places")]
    yield from page.grid("c-what c-reach", lines, "places", bare=True)
    known = ("controller", "rights", "safeguards", "cookies", "agencies")
    yield from page.statements(*{row.under for row in page.of("statements")} - set(known))
    yield from _versions(page)


def _versions(page: Notice) -> Iterator[Block]:
    """The history, where more than one version is on file; the newest first, each with what it changed below."""
    if len(page.versions) < 2:
        return
    lines, details = [], []
    for at, (day, version) in enumerate(page.versions):
        this = (page.say("this-version"),) if version is page.policy else ()
        text, anchor = page.say("first-version"), ""
        if at:
            before = page.versions[at - 1][1]
            told = [one for one in changes_between(before, version).differences if _is_public(one, before, version)]
            consent, notice = ([one for one in told if one.demand is kind] for kind in (Demand.CONSENT, Demand.NOTICE))
            text = page.say("changed-counts", consent=len(consent), notice=len(notice))
            anchor = f"#changes-{day}" if consent or notice else ""
            details.append((before, version, consent, notice))
        cells = ((str(day), *this), (str(version.announced.date),), (text,))
        lines.append(Line((), cells, ("" if this else page.folder.versions.get(str(day), ""), "", anchor)))
    yield from page.grid("c-version c-announced c-changed", reversed(lines), "versions")
    for before, version, consent, notice in reversed(details):
        between = page.say("between", old=before.effective.date, new=version.effective.date)
        anchors: tuple[str, ...] = (f"changes-{version.effective.date}",)
        for label, found in (("needs-consent", consent), ("by-notice", notice)):
            if found:
                texts = tuple(one.text.say(page.locale) for one in found)
                rows = tuple(Line((), ((text,),)) for text in texts)
                yield Grid(f"{between}: {page.say(label)}", ("",), rows, anchors=anchors)
                anchors = ()


def _is_public(one: Difference, old: Policy, new: Policy) -> bool:
    """Whether a notice prints what differs."""
    if one.key in HIDDEN["*"] or one.key in HIDDEN.get(one.section, ()):
        return False
    rows = [old.row(one.old_path) if one.old_path else None, new.row(one.new_path) if one.new_path else None]
    return all(row.seen is Seen.PUBLIC for row in rows if row is not None)


_CHAPTERS: Final[Mapping[str, Callable[[Notice], Iterator[Block]]]] = {
    "s-purposes": _purposes,
    "s-retention": _kept,
    "s-children": _children,
    "s-provisions": _provisions,
    "s-entrustments": _entrustments,
    "s-transfers": _transfers,
    "s-destruction": _destruction,
    "s-rights": _rights,
    "s-safeguards": _safeguards,
    "s-cookies": _cookies,
    "s-contacts": _contacts,
    "s-agencies": _agencies,
    "s-changes": _changes,
}
