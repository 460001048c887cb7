"""Everything a policy says about one thing: a clause, an element, a code. In English or Korean, for the officer's desk.

    told = explain(policy, "mobile", "en")     # an item: purposes, grounds, who gets it, how long, what happens then
    print(as_text(told))

Unlike the notice it also tells what is internal: readings, blocked rows, findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from upheld.errors import UpheldError
from upheld.law import LawOfDay
from upheld.policy import plain
from upheld.policy.codes import CODES
from upheld.policy.ends import EarlierOf, LaterOf, Plus, Point, facts_in
from upheld.policy.explain_words import FINDING, KEYS, OF_A_CHILD, PROBLEM, REFUSAL, REFUSALS, SECTIONS, Said
from upheld.policy.findings import FINDINGS, Finding, findings_against, findings_in
from upheld.policy.findings.codes import AMONG
from upheld.policy.model import (
    ChildRule,
    Engagement,
    Item,
    Key,
    Policy,
    Purpose,
    Row,
    Rows,
    keys_of,
    sections,
    sub_rows,
)
from upheld.policy.shapes import Deadline, Fallback, Items, LawRef, Name, Names, attribute
from upheld.policy.vocabulary import Basis, Seen
from upheld.policy.wording import language_of

UNLISTED: Final = frozenset({"items", "seen"})
"""Keys with a chapter of their own, or told in another way."""
BOUNDS: Final = (keys_of(Engagement)["begins"], keys_of(Engagement)["ends"])


class NothingSaid(UpheldError):
    """The policy says nothing of that name, and no code is so called."""


@dataclass(frozen=True, slots=True)
class Line:
    """What one key says, and the clauses that stand behind it."""

    title: str
    text: str
    clauses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One element (or one sentence) and its lines."""

    title: str
    lines: tuple[Line, ...] = ()
    clauses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chapter:
    """Entries of one kind."""

    title: str
    entries: tuple[Entry, ...]


def explain(policy: Policy, what: str, locale: str, law: LawOfDay | None = None) -> tuple[Chapter, ...]:
    """All that the policy says about `what`: a clause id, an element's path, name or title, or a code.

    A name that several elements have is told for each. `law`: findings of that day are told with their code.
    Raises NothingSaid, with names that come near, and ValueError for a language without wording.
    """
    telling = Telling(policy, language_of(locale))
    found = [*telling.element(what), *telling.group(what), *telling.clause(what)]
    found += telling.found_at(what, law) if found else ()
    found += telling.code(what, law)
    if not found:
        near = get_close_matches(what, list(dict.fromkeys(_names(policy))), n=4)
        other = f"near it: {', '.join(near)}" if near else "ask for a clause, an element's name or title, or a code"
        raise NothingSaid(f"`{what}` is nothing here; {other}")
    return tuple(found)


def as_text(chapters: Iterable[Chapter]) -> str:
    """Chapters as plain text, clauses in square brackets."""
    lines: list[str] = []
    for chapter in chapters:
        lines += ["", chapter.title] if lines else [chapter.title]
        for entry in chapter.entries:
            lines.append(f"  {entry.title}{_cited(entry.clauses)}")
            lines += [
                f"      {f'{line.title}: ' if line.title else ''}{line.text}{_cited(line.clauses)}"
                for line in entry.lines
            ]
    return "\n".join(lines)


def _cited(clauses: tuple[str, ...]) -> str:
    return f" [{', '.join(clauses)}]" if clauses else ""


def _names(policy: Policy) -> Iterator[str]:
    for row in policy.rows():
        yield row.name
        yield row.path
        yield from (clause for ids in row.clauses.values() for clause in ids)
    yield from (*policy.item_groups, *CODES, *FINDINGS, *REFUSALS)


@dataclass(frozen=True, slots=True)
class Telling:
    """One policy told in one language."""

    policy: Policy
    locale: str

    # ------------------------------------------------------------------------------------------------- what is asked

    def element(self, what: str) -> Iterator[Chapter]:
        """Each element of that path; else each of that name or public title."""
        rows = [row for row in self.policy.rows() if row.path == what]
        rows = rows or [row for row in self.policy.rows() if what == row.name or what in row.texts.values()]
        for row in rows:
            yield Chapter(f"{self.section(row)}: {self.title(row)}", (self.entry(row),))
            match row:
                case Item():
                    yield from self.item(row)
                case Purpose():
                    yield from self.purpose(row)
                case _:
                    yield from self.mentions(row)

    def group(self, what: str) -> Iterator[Chapter]:
        """A group of items: what it stands for."""
        names = self.policy.item_groups.get(what, ())
        if names:
            entries = tuple(Entry(self.title(self.policy.items[name])) for name in names if name in self.policy.items)
            yield Chapter(f"{Said.GROUP.say(self.locale)}: {what}", entries)

    def clause(self, what: str) -> Iterator[Chapter]:
        """A clause: the elements that carry it, and of each what rests on it."""
        entries = []
        for row in self.policy.rows():
            keys = [key for key, ids in row.clauses.items() if what in ids]
            if keys:
                resting = frozenset(key for key in keys_of(type(row)) if what in row.cites(key))
                lines = self.lines(row, resting.__contains__, parts=False)
                entries.append(Entry(f"{self.section(row)}: {self.title(row)}", lines))
        if entries:
            yield Chapter(f"{Said.CLAUSE.say(self.locale)} {what}", tuple(entries))

    def code(self, what: str, law: LawOfDay | None) -> Iterator[Chapter]:
        """A code: what it means, and where this policy has it or can meet it."""
        if what in CODES:
            yield Chapter(f"{PROBLEM.say(self.locale)} {what}", (Entry(CODES[what]),))
        if what in FINDINGS:
            here = tuple(self.finding(one) for one in self.findings(law) if one.code == what)
            unasked = what.startswith("law-") and what not in AMONG and law is None
            nowhere = Entry((Said.NEEDS_LAW if unasked else Said.NOWHERE).say(self.locale))
            yield Chapter(f"{FINDING.say(self.locale)} {what}", (Entry(FINDINGS[what]), *(here or (nowhere,))))
        if what in REFUSALS:
            means, names = REFUSALS[what]
            yield Chapter(f"{REFUSAL.say(self.locale)} {what}", (Entry(means.say(self.locale)),))
            for name in names:
                rows = [row for row in self.rows(name) if not isinstance(row, Purpose) or _can_meet(row, what)]
                if rows:
                    yield Chapter(self.named(name), tuple(self.entry(row) for row in rows))

    def findings(self, law: LawOfDay | None) -> tuple[Finding, ...]:
        """What the checks find in the policy, against the law of a day too where one is given."""
        return (*findings_in(self.policy), *(findings_against(self.policy, law) if law else ()))

    def finding(self, one: Finding) -> Entry:
        """One finding with its place, its rule, what to do, and the clauses it is about."""
        rule = (Line(Said.RULE.say(self.locale), str(one.rule)),) if one.rule else ()
        remedy = Line(Said.REMEDY.say(self.locale), one.remedy)
        return Entry(f"{one.line}:{one.column} {one.message}", (*rule, remedy), one.clauses)

    def found_at(self, what: str, law: LawOfDay | None) -> Iterator[Chapter]:
        """What the checks find at an element of that path or name, or about that clause."""
        rows = [row for row in self.policy.rows() if row.path == what]
        rows = rows or [row for row in self.policy.rows() if what == row.name or what in row.texts.values()]
        paths = {row.path for row in rows}
        here = [one for one in self.findings(law) if one.path in paths or what in one.clauses]
        if here:
            entries = tuple(Entry(f"{one.code}: {e.title}", e.lines) for one in here for e in (self.finding(one),))
            yield Chapter(Said.FOUND.say(self.locale), entries)

    # ----------------------------------------------------------------------------------------------- items, purposes

    def item(self, item: Item) -> Iterator[Chapter]:
        """Why it is used and on what ground, who keeps and gets it, who may look, and its end."""
        purposes = [row for row in self.policy.purposes.values() if item.name in row.items]
        if purposes:
            yield Chapter(self.named("purposes"), tuple(self.entry(row, item) for row in purposes))
        yield from self.mentions(item, without=("purposes",))
        readers = [row for row in self.policy.handlers.values() if {*row.for_} & {one.name for one in purposes}]
        if readers:
            yield Chapter(self.named("handlers"), tuple(self.entry(row) for row in readers))
        yield Chapter(Said.END.say(self.locale), (*self.end_of(item.name), *self.ways_of_ending()))

    def purpose(self, purpose: Purpose) -> Iterator[Chapter]:
        """Which items it uses on what ground, what else speaks of it, and what becomes of each item."""
        entries = []
        for name in purpose.items:
            item = self.policy.items[name]
            ground = self.said(purpose.basis.get(name), keys_of(Purpose)["basis"])
            lines = (self.line(Purpose, "basis", ground, purpose.cites("basis")), *self.lines(item))
            entries.append(Entry(self.title(item), tuple(line for line in lines if line.text)))
        yield Chapter(self.named("items"), tuple(entries))
        yield from self.mentions(purpose)
        ends = (
            Entry(f"{self.title(self.policy.items[name])}: {entry.title}", entry.lines, entry.clauses)
            for name in purpose.items
            for entry in self.end_of(name)
        )
        yield Chapter(Said.END.say(self.locale), (*ends, *self.ways_of_ending()))

    def end_of(self, item: str) -> Iterator[Entry]:
        """What becomes of an item when its last purpose is over: kept apart by its grounds, or destroyed."""
        purposes = {row.name for row in self.policy.purposes.values() if item in row.items}
        keepers: list[Row] = [row for row in self.policy.statutes.values() if item in row.items]
        keepers += [
            row
            for row in self.policy.retention.values()
            if (item in row.items) or (not row.items and (not row.of or {*row.of} & purposes))
        ]
        for row in keepers:
            until = self.said(getattr(row, "until", None), keys_of(type(row))["until"])
            text = Said.KEPT_APART.say(self.locale).format(ground=self.title(row), until=until)
            yield Entry(text, clauses=row.cites("until"))
        if not keepers and purposes:
            yield Entry(Said.DESTROYED.say(self.locale))
        if not keepers and not purposes:
            yield Entry(Said.NOT_HELD.say(self.locale))

    def ways_of_ending(self) -> Iterator[Entry]:
        """How destruction and keeping apart are done here."""
        yield from (self.entry(row) for row in self.rows("destruction"))
        yield from (self.entry(row) for row in self.rows("separation"))

    # -------------------------------------------------------------------------------------------------- any element

    def mentions(self, row: Row, without: Iterable[str] = ()) -> Iterator[Chapter]:
        """The other elements that name this one, by section."""
        kind = row.path.partition(".")[0]
        for section in sections():
            if section in without:
                continue
            rows = [one for one in self.rows(section) if one is not row and _names_it(one, kind, row.name)]
            if rows:
                yield Chapter(self.named(section), tuple(self.entry(one) for one in rows))

    def rows(self, section: str) -> Iterator[Row]:
        """The rows of a section, as the document or the law has them."""
        yield from getattr(self.policy, attribute(section)).values()

    def entry(self, row: Row, item: Item | None = None) -> Entry:
        """An element with all it says; of a purpose with the ground of one item, if that is what was asked."""
        title = self.title(row)
        if isinstance(row, Purpose):
            title += f" ({(Said.REQUIRED if row.required else Said.OPTIONAL).say(self.locale)})"
        if item and isinstance(row, Purpose):
            ground = self.said(row.basis.get(item.name), keys_of(Purpose)["basis"])
            line = self.line(Purpose, "basis", ground, row.cites("basis"))
            return Entry(title, (line, *self.lines(row, lambda key: key != "basis")), row.cites())
        return Entry(title, self.lines(row), row.cites())

    def lines(
        self, row: Row, wanted: Callable[[str], bool] = lambda _: True, *, parts: bool = True
    ) -> tuple[Line, ...]:
        """What each key of an element says, then its parts; a clause is told again only where a key has its own."""
        lines = []
        for key, spec in keys_of(type(row)).items():
            text = self.said(getattr(row, attribute(key)), spec, tuple(getattr(row, "per", ())))
            if text and key not in UNLISTED and wanted(key):
                lines.append(self.line(type(row), key, text, row.clauses.get(key, ())))
        lines += [
            Line("", f"{self.title(one)}", one.cites()) for one in sub_rows(row) if parts and one.clauses != row.clauses
        ]
        if row.seen is Seen.INTERNAL:
            lines.append(Line("", plain.word(row.seen, self.locale)))
        return tuple(lines)

    def line(self, row: type[Row], key: str, text: str, clauses: tuple[str, ...]) -> Line:
        """One key's line under its title."""
        word = OF_A_CHILD.get(key) if row is ChildRule else None
        word = word or KEYS.get(key)
        title = word.say(self.locale) if word else plain.key_name(row, key, self.locale)
        return Line(title, text.removeprefix("until ") if title.endswith(" until") else text, clauses)

    def said(self, found: object, spec: Key | Rows, per: tuple[str, ...] = ()) -> str:
        """A key's value in plain words. What begins or ends a relation is a fact, not a time until which."""
        if spec in BOUNDS and isinstance(found, Point) and found.calendar is None:
            return plain.fact(found.fact, self.policy, self.locale)
        return plain.value(found, spec, self.policy, self.locale, per)

    def title(self, row: Row) -> str:
        """The public name, and the name by which the document knows the element."""
        public = plain.fixed_title(row, self.locale)
        return public if public == row.name else f"{public} ({row.name})"

    def section(self, row: Row) -> str:
        """The title of the section that an element stands in."""
        return self.named(row.path.partition(".")[0])

    def named(self, section: str) -> str:
        """The title of a section."""
        if section not in sections():
            return SECTIONS[section].say(self.locale)
        return sections()[section].ko if self.locale == "ko" else SECTIONS[section].say("en")


def _names_it(row: Row, kind: str, name: str) -> bool:
    """Whether an element names another one: in a list of names, in an end, as a soft word, or by its own name."""
    for key, spec in keys_of(type(row)).items():
        shape = spec.shape if isinstance(spec, Key) else None
        found = getattr(row, attribute(key))
        match found:
            case Point() | Plus() | LaterOf() | EarlierOf() if kind == "facts":
                named = name in facts_in(found)
            case Deadline() if kind == "soft-words":
                named = found.word == name
            case str() if isinstance(shape, Name):
                named = shape.kind == kind and found == name
            case tuple() if isinstance(shape, Items):
                named = kind == "items" and name in found
            case tuple() if isinstance(shape, Names):
                named = shape.kind == kind and name in found
            case tuple():
                named = any(_is_named(one, kind, name) for one in found)
            case _:
                named = False
        if named:
            return True
    section = sections().get(row.path.partition(".")[0])
    return section is not None and section.row_is == kind and row.name == name


def _is_named(one: object, kind: str, name: str) -> bool:
    """Whether one entry of a list is that name: a law, a fact that makes something due, a place of a step."""
    match one:
        case LawRef():
            return kind == "laws" and one.law == name
        case Fallback():
            return kind == "places" and name in one.at
        case str():
            return kind == "facts" and one == name
        case _:
            return False


def _can_meet(purpose: Purpose, reason: str) -> bool:
    """Whether a refusal that is about consent can come up in a purpose: only where something rests on consent."""
    return "consent" not in reason or Basis.CONSENT in purpose.basis.values()
