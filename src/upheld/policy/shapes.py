"""The shapes that a value in the document can have. Each reads a node, describes itself in words and as JSON Schema.

One definition, three uses: `read.py` types the document, `schema.py` tells editors, `manual.py` prints the manual.
A shape that cannot read a node notes a problem on the page and answers None; it never raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from upheld.dates import NO_PERIOD, Period
from upheld.errors import Level, Problem
from upheld.policy.ends import ATOM, NAME, PERIOD, EarlierOf, End, EndUnreadable, LaterOf, facts_in, parse_atom
from upheld.policy.tree import Listing, Node, Scalar, Table, words_in

Schema = Mapping[str, object]
_NAME = re.compile(rf"{NAME}\Z")
ARTICLE = r"(?:decree )?[0-9]+(?:-[0-9]+)?(?:\([0-9]+\))*"
_LAW = re.compile(rf"({NAME})(?: ({ARTICLE}))?\Z")


@dataclass(frozen=True, slots=True)
class Reference:
    """One use of a name: the element at `path` names `name` of table `kind` under its key `key`."""

    path: str
    key: str
    kind: str
    name: str
    line: int
    column: int


MAX_PROBLEMS = 1000
MAX_REFERENCES = 200_000


class Enough(Exception):
    """The document has so many problems, or names so much, that reading on helps nobody."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(slots=True)
class Page:
    """What a reading gathers while it goes through one document, and what it must know to do so."""

    file: str
    locales: tuple[str, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    soft_words: Mapping[str, Period] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    doubtful: set[str] = field(default_factory=set)
    """Words of parts that could not be read; what they may have meant is not called unused."""
    path: str = ""
    key: str = ""

    def problem(self, code: str, at: Node, message: str, remedy: str, level: Level = Level.ERROR) -> None:
        remedy = remedy or "Take it out; docs/policy.md says what can stand here"
        self.problems.append(Problem(code, self.file, at.line, at.column, message, remedy, level))
        self.doubt(at)
        if len(self.problems) >= MAX_PROBLEMS:
            message = f"more than {MAX_PROBLEMS} problems; what follows is not told"
            raise Enough(Problem("too-many-problems", self.file, at.line, at.column, message, "Mend these first"))

    def doubt(self, unread: Node) -> None:
        """Remember the words of a part that is not read any further."""
        self.doubtful.update(word for text in words_in(unread) for word in text.text.split())

    def refer(self, kind: str, to: Scalar) -> str:
        self.references.append(Reference(self.path, self.key, kind, to.text, to.line, to.column))
        if len(self.references) > MAX_REFERENCES:
            message = "its rows name more than any policy does"
            raise Enough(Problem("document-too-large", self.file, to.line, to.column, message, "Split the policy"))
        return to.text

    def flat(self, names: Iterable[str]) -> tuple[str, ...]:
        """Names of items with every group replaced by what is in it, each once, in order."""
        return tuple(dict.fromkeys(item for name in names for item in self.groups.get(name, (name,))))


def nearest(word: str, known: Iterable[str]) -> str:
    """` Did you mean ...?`, or the choice when it is short, or nothing."""
    words = sorted(set(known))
    close = get_close_matches(word, words, n=1, cutoff=0.6)
    if close:
        return f"Did you mean `{close[0]}`?"
    return f"Use one of {', '.join(f'`{one}`' for one in words)}" if 0 < len(words) <= 12 else ""


class Shape(Protocol):
    """What every shape can do."""

    @property
    def said(self) -> str:
        """The shape in a few words, as the manual prints it."""

    def read(self, node: Node, page: Page) -> object | None:
        """The typed value, or None after a problem was noted."""

    def schema(self) -> Schema:
        """The JSON Schema of what may be written."""


def scalar(node: Node, page: Page, wanted: str) -> Scalar | None:
    """The node as one text; a problem otherwise."""
    if isinstance(node, Scalar):
        return node
    page.problem("shape-wrong", node, f"`{page.key}` must be {wanted}", f"Write one text here: {wanted}")
    return None


def scalars(node: Node, page: Page, wanted: str) -> list[Scalar] | None:
    """The node as one text or a list of texts; a problem otherwise."""
    if isinstance(node, Scalar):
        return [node]
    if isinstance(node, Listing) and all(isinstance(entry, Scalar) for entry in node.entries):
        found = [entry for entry in node.entries if isinstance(entry, Scalar)]
        seen: set[str] = set()
        for entry in found:
            if entry.text in seen:
                page.problem("listed-twice", entry, f"`{entry.text}` is listed twice", "Keep one of the two")
            seen.add(entry.text)
        if found:
            return found
    page.problem("shape-wrong", node, f"`{page.key}` must be {wanted}", "Write one name or a list: [one, another]")
    return None


@dataclass(frozen=True, slots=True)
class Plain:
    """A text that is the same in every language."""

    what: str = "text"

    @property
    def said(self) -> str:
        return self.what

    def read(self, node: Node, page: Page) -> str | None:
        found = scalar(node, page, self.what)
        if found and not found.text.strip():
            page.problem("text-blank", found, f"`{page.key}` says nothing", "Write it, or leave the key out")
            return None
        return found.text if found else None

    def schema(self) -> Schema:
        return {"type": ["string", "number", "boolean"]}


@dataclass(frozen=True, slots=True)
class Code:
    """A code in kebab-case that is declared here and nowhere else."""

    @property
    def said(self) -> str:
        return "code"

    def read(self, node: Node, page: Page) -> str | None:
        found = scalar(node, page, "a code such as `nexr`")
        if found and not _NAME.match(found.text):
            page.problem(
                "name-unreadable", found, f"`{found.text}` is not a code", "Use small letters, digits and hyphens"
            )
            return None
        return found.text if found else None

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^{NAME}$"}


@dataclass(frozen=True, slots=True)
class Codes:
    """One open code or several, such as kinds of evidence."""

    @property
    def said(self) -> str:
        return "codes, one or a list"

    def read(self, node: Node, page: Page) -> tuple[str, ...] | None:
        found = scalars(node, page, "codes")
        codes = [Code().read(each, page) for each in found or ()]
        return tuple(code for code in codes if code) or None

    def schema(self) -> Schema:
        return one_or_many(Code().schema())


def one_or_many(one: Schema) -> Schema:
    """The schema of one or a list."""
    return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1, "uniqueItems": True}]}


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number."""

    least: int = 1
    most: int = 1000

    @property
    def said(self) -> str:
        return "number"

    def read(self, node: Node, page: Page) -> int | None:
        found = scalar(node, page, "a whole number")
        if found is None:
            return None
        if re.fullmatch(r"[0-9]{1,9}", found.text) and self.least <= int(found.text) <= self.most:
            return int(found.text)
        remedy = f"Write a whole number from {self.least} to {self.most}"
        page.problem("number-unreadable", found, f"`{found.text}` is not such a number", remedy)
        return None

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class Date:
    """A day, as 2018-07-09."""

    @property
    def said(self) -> str:
        return "date"

    def read(self, node: Node, page: Page) -> date | None:
        found = scalar(node, page, "a date")
        if found is None:
            return None
        try:
            if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", found.text):
                return date.fromisoformat(found.text)
        except ValueError:
            pass  # 2018-02-30 looks like a date: the same problem as a text that does not
        page.problem(
            "date-unreadable", found, f"`{found.text}` is not a date", "Write year-month-day, such as 2018-07-09"
        )
        return None

    def schema(self) -> Schema:
        return {"type": "string", "format": "date"}


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone of the tz database."""

    @property
    def said(self) -> str:
        return "time zone"

    def read(self, node: Node, page: Page) -> str | None:
        found = scalar(node, page, "a time zone")
        if found is None:
            return None
        try:
            ZoneInfo(found.text)
        except (ValueError, OSError, KeyError):  # no such zone, or a name that is no path inside the database
            page.problem(
                "time-zone-unknown",
                found,
                f"`{found.text}` is no time zone",
                "Write one such as `Asia/Seoul` or `Europe/Paris`",
            )
            return None
        return found.text

    def schema(self) -> Schema:
        return {"type": "string", "examples": ["Asia/Seoul"]}


LOCALE_CLASHES = frozenset({"as", "at", "by", "for", "if", "law", "of", "per", "to", "via", "how", "all", "due"})
"""Keys of the language that look like language codes; a document cannot have texts in these."""


@dataclass(frozen=True, slots=True)
class Locales:
    """The languages of the texts; the first binds."""

    @property
    def said(self) -> str:
        return "language codes"

    def read(self, node: Node, page: Page) -> tuple[str, ...] | None:
        locales: list[str] = []
        for each in scalars(node, page, "language codes") or ():
            if each.text in LOCALE_CLASHES or not re.fullmatch(r"[a-z]{2,3}(-[A-Z]{2})?", each.text):
                remedy = "Write `ko`, `en`, `en-GB`"
                page.problem("locale-unreadable", each, f"`{each.text}` is no language code", remedy)
            else:
                locales.append(each.text)
        return tuple(locales) or None

    def schema(self) -> Schema:
        return {"type": "array", "items": {"type": "string", "pattern": "^[a-z]{2,3}(-[A-Z]{2})?$"}, "minItems": 1}


@dataclass(frozen=True, slots=True)
class Countries:
    """ISO 3166 codes."""

    @property
    def said(self) -> str:
        return "countries, one or a list"

    def read(self, node: Node, page: Page) -> tuple[str, ...] | None:
        found = scalars(node, page, "countries")
        for each in found or ():
            if not re.fullmatch(r"[A-Z]{2}", each.text):
                page.problem(
                    "country-unreadable", each, f"`{each.text}` is no country code", "Write two letters: KR, US"
                )
        return tuple(each.text for each in found) if found else None

    def schema(self) -> Schema:
        return one_or_many({"type": "string", "pattern": "^[A-Z]{2}$"})


@dataclass(frozen=True, slots=True)
class OneOf:
    """A word of a closed list."""

    words: type[StrEnum]

    @property
    def said(self) -> str:
        return " ".join(f"`{word.value}`" for word in self.words)

    def read(self, node: Node, page: Page) -> StrEnum | None:
        found = scalar(node, page, f"one of {self.said}")
        return self.word(found, page) if found else None

    def word(self, found: Scalar, page: Page) -> StrEnum | None:
        known = [word.value for word in self.words]
        if found.text in known:
            return self.words(found.text)
        remedy = nearest(found.text, known) if len(known) > 1 else f"Write `{known[0]}`, or leave the key out"
        page.problem("word-unknown", found, f"`{found.text}` is no word for `{page.key}`", remedy)
        return None

    def schema(self) -> Schema:
        return {"enum": [word.value for word in self.words]}


@dataclass(frozen=True, slots=True)
class ManyOf:
    """One or several words of a closed list."""

    words: type[StrEnum]

    @property
    def said(self) -> str:
        return f"{OneOf(self.words).said}, one or a list"

    def read(self, node: Node, page: Page) -> tuple[StrEnum, ...] | None:
        found = [OneOf(self.words).word(each, page) for each in scalars(node, page, "words of a closed list") or ()]
        return tuple(word for word in found if word is not None) or None

    def schema(self) -> Schema:
        return one_or_many(OneOf(self.words).schema())


@dataclass(frozen=True, slots=True)
class Name:
    """The name of an element of the table `kind`; a word of `besides` may stand in for one."""

    kind: str
    besides: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        return " or ".join([f"name in `{self.kind}`", *(f"`{word}`" for word in self.besides)])

    def read(self, node: Node, page: Page) -> str | None:
        found = scalar(node, page, f"a name in `{self.kind}`")
        return self.name(found, page) if found else None

    def name(self, found: Scalar, page: Page) -> str:
        return found.text if found.text in self.besides else page.refer(self.kind, found)

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^{NAME}$"}


@dataclass(frozen=True, slots=True)
class Names:
    """One name of the table `kind`, or a list of them."""

    kind: str
    besides: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        return f"{Name(self.kind, self.besides).said}, one or a list"

    def read(self, node: Node, page: Page) -> tuple[str, ...] | None:
        found = scalars(node, page, f"names in `{self.kind}`")
        return tuple(Name(self.kind, self.besides).name(each, page) for each in found) if found else None

    def schema(self) -> Schema:
        return one_or_many(Name(self.kind).schema())


@dataclass(frozen=True, slots=True)
class Items:
    """Items and groups of items; read as a flat tuple of items."""

    besides: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        return " or ".join(["items and groups, one or a list", *(f"`{word}`" for word in self.besides)])

    def read(self, node: Node, page: Page) -> tuple[str, ...] | None:
        names = Names("items", self.besides).read(node, page)
        return page.flat(names) if names else None

    def schema(self) -> Schema:
        return Names("items").schema()


@dataclass(frozen=True, slots=True)
class ByItem:
    """One word for the row, or a map from items to words in which `all` means the others."""

    words: type[StrEnum]

    @property
    def said(self) -> str:
        return f"{OneOf(self.words).said}, or by item: {{all: ..., item: ...}}"

    def read(self, node: Node, page: Page) -> Mapping[str, StrEnum] | None:
        if not isinstance(node, Table):
            word = OneOf(self.words).read(node, page)
            return {"all": word} if word else None
        found: dict[str, StrEnum] = {}
        for key, value in node.entries:
            word = OneOf(self.words).read(value, page)
            names = ("all",) if key.text == "all" else page.flat([page.refer("items", key)])
            found.update({name: word for name in names if word})
        return found

    def schema(self) -> Schema:
        one = OneOf(self.words).schema()
        return {"anyOf": [one, {"type": "object", "additionalProperties": one}]}


@dataclass(frozen=True, slots=True)
class Text:
    """A text in every language of the document, or a plain one that is the same in all."""

    @property
    def said(self) -> str:
        return "text in the document's languages"

    def read(self, node: Node, page: Page) -> Mapping[str, str] | None:
        if isinstance(node, Scalar):
            return dict.fromkeys(page.locales, node.text)
        if not isinstance(node, Table):
            page.problem("shape-wrong", node, f"`{page.key}` must be a text", "Write {en: ..., ko: ...}")
            return None
        texts: dict[str, str] = {}
        for key, value in node.entries:
            if key.text not in page.locales:
                remedy = nearest(key.text, page.locales)
                page.problem("locale-undeclared", key, f"`{key.text}` is no language of this document", remedy)
            elif isinstance(value, Scalar):
                texts[key.text] = value.text
            else:
                page.problem("shape-wrong", value, f"`{key.text}` must be a text", "Write the text itself")
        missing_locales(texts, node, page)
        return texts

    def schema(self) -> Schema:
        return {"$ref": "#/$defs/text"}


def missing_locales(texts: Mapping[str, str], at: Node, page: Page) -> None:
    """Note the languages that some text lacks."""
    for locale in page.locales:
        if not texts.get(locale, "").strip():
            what = f"`{page.key}` of `{page.path}`" if page.key else f"`{page.path}`"
            page.problem("text-missing", at, f"{what} has no text in `{locale}`", f"Add `{locale}: ...`")


@dataclass(frozen=True, slots=True)
class PeriodShape:
    """A period in ISO 8601."""

    @property
    def said(self) -> str:
        return "period"

    def read(self, node: Node, page: Page) -> Period | None:
        found = scalar(node, page, "a period")
        return period_in(found, page) if found else None

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^{PERIOD}$"}


_IN_WORDS: Final = re.compile(
    r"(\d{1,4}) ?(?:calendar )?(?:(years?|년)|(months?|개월|달)|(weeks?|주)|(days?|일)|(hours?|시간))(?: ?이내)?", re.I
)


def _as_period(text: str) -> str:
    """What somebody meant who wrote `5 days` or `6개월`; empty for any other text."""
    found = _IN_WORDS.fullmatch(text.strip())
    if found is None:
        return ""
    unit = "YMWDH"[next(at for at, said in enumerate(found.groups()[1:]) if said)]
    return f"PT{found[1]}H" if unit == "H" else f"P{found[1]}{unit}"


def period_in(found: Scalar, page: Page) -> Period | None:
    """The period that a text is; a problem otherwise. An empty period holds nothing and is none."""
    try:
        period = Period.parse(found.text)
    except ValueError as error:
        meant = _as_period(found.text)
        remedy = f"Write `{meant}`" if meant else "Write P5Y, P6M, P2W, P5D or PT72H"
        page.problem("period-unreadable", found, str(error).split(";")[0], remedy)
        return None
    if period == NO_PERIOD:
        page.problem("period-empty", found, f"`{found.text}` is no time at all", "Write how long, or leave the key out")
        return None
    return period


@dataclass(frozen=True, slots=True)
class Deadline:
    """How long something may take. `word` is the source's own word where it gave no number."""

    period: Period
    word: str | None = None


AT_ONCE = Deadline(NO_PERIOD, "at-once")


@dataclass(frozen=True, slots=True)
class DeadlineShape:
    """A period or a soft word; `at-once` where `besides` says so."""

    besides: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        return " or ".join(["deadline: period or soft word", *(f"`{word}`" for word in self.besides)])

    def read(self, node: Node, page: Page) -> Deadline | None:
        found = scalar(node, page, "a period or a soft word")
        if found is None:
            return None
        if found.text in self.besides:
            return AT_ONCE
        if found.text.startswith("P") or _as_period(found.text):
            period = period_in(found, page)
            return Deadline(period) if period else None
        page.refer("soft-words", found)
        return Deadline(page.soft_words.get(found.text, NO_PERIOD), found.text)

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^({PERIOD}|{NAME})$"}


@dataclass(frozen=True, slots=True)
class EndShape:
    """Until when."""

    @property
    def said(self) -> str:
        return "end"

    def read(self, node: Node, page: Page) -> End | None:
        match node:
            case Scalar():
                return self.atom(node, page)
            case Table(((key, Listing(entries)),)) if key.text in {"later-of", "earlier-of"} and len(entries) > 1:
                parts = [self.read(entry, page) for entry in entries]
                whole = tuple(part for part in parts if part is not None)
                if len(whole) < len(parts):
                    return None
                return LaterOf(whole) if key.text == "later-of" else EarlierOf(whole)
            case _:
                remedy = "Write a fact, a fact and a period, or {later-of: [one, another]}"
                page.problem("end-unreadable", node, f"`{page.key}` is not an end", remedy)
                return None

    def atom(self, found: Scalar, page: Page) -> End | None:
        try:
            end = parse_atom(found.text)
        except EndUnreadable as error:
            page.problem(error.code, found, str(error), error.remedy)
            for fact in error.facts:
                page.refer("facts", Scalar(fact, found.line, found.column))
            return None
        for fact in facts_in(end):
            page.refer("facts", Scalar(fact, found.line, found.column))
        return end

    def schema(self) -> Schema:
        return {"$ref": "#/$defs/end"}


END_SCHEMA: Schema = {
    "anyOf": [
        {"type": "string", "pattern": f"^{ATOM}$", "examples": ["cancelled", "cancelled + P6M"]},
        *(
            {
                "type": "object",
                "properties": {word: {"type": "array", "items": {"$ref": "#/$defs/end"}, "minItems": 2}},
                "required": [word],
                "additionalProperties": False,
            }
            for word in ("later-of", "earlier-of")
        ),
    ]
}


@dataclass(frozen=True, slots=True)
class DueShape:
    """When something is owed: facts start a due date, periods repeat."""

    @property
    def said(self) -> str:
        return "periods and facts, one or a list"

    def read(self, node: Node, page: Page) -> tuple[Period | str, ...] | None:
        found: list[Period | str] = []
        for each in scalars(node, page, "periods and facts") or ():
            if each.text.startswith("P"):
                period = period_in(each, page)
                found += [period] if period else []
            else:
                found.append(page.refer("facts", each))
        return tuple(found) or None

    def schema(self) -> Schema:
        return one_or_many({"type": "string", "pattern": f"^({PERIOD}|{NAME})$"})


@dataclass(frozen=True, slots=True)
class LawRef:
    """An article of a law that the document lists."""

    law: str
    article: str | None = None

    def __str__(self) -> str:
        return f"{self.law} {self.article}" if self.article else self.law


@dataclass(frozen=True, slots=True)
class LawRefs:
    """One article of a listed law, or several."""

    @property
    def said(self) -> str:
        return "law and article (`pipa 35`), one or a list"

    def read(self, node: Node, page: Page) -> tuple[LawRef, ...] | None:
        refs: list[LawRef] = []
        for each in scalars(node, page, "laws") or ():
            match = _LAW.match(each.text)
            if match is None:
                remedy = "Write its name in `laws` and the article: `pipa 35`"
                page.problem("law-unreadable", each, f"`{each.text}` names no law", remedy)
                continue
            page.refer("laws", Scalar(match[1], each.line, each.column))
            refs.append(LawRef(match[1], match[2]))
        return tuple(refs) or None

    def schema(self) -> Schema:
        return one_or_many({"type": "string", "pattern": f"^{NAME}( {ARTICLE})?$"})


@dataclass(frozen=True, slots=True)
class Freeze:
    """From which fact of a request until which nothing but what the law demands is done with the values named."""

    from_: str | None = None
    until: End | None = None
    except_: str | None = None
    covers: str | None = None
    """`person`: everything of the person stands still, not only the values named."""


@dataclass(frozen=True, slots=True)
class Fallback:
    """What is done where the way before it cannot work, in order."""

    if_: str
    at: tuple[str, ...]
    for_: Period | None = None
    papers: int | None = None
    regional: str | None = None
    """`majority`: newspapers of one region do where more than half of those concerned live there."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A small table with keys of its own, made into `made`."""

    made: type[Freeze] | type[Fallback]
    shapes: tuple[tuple[str, Shape, bool], ...]
    """Key, its shape, and whether it must be there."""

    @property
    def said(self) -> str:
        return "{" + ", ".join(f"{key}: {shape.said}" for key, shape, _ in self.shapes) + "}"

    def read(self, node: Node, page: Page) -> Freeze | Fallback | None:
        if not isinstance(node, Table):
            page.problem("shape-wrong", node, f"`{page.key}` must be a table", f"Write {self.said}")
            return None
        known = {key: shape for key, shape, _ in self.shapes}
        values: dict[str, object] = {}
        for key, value in node.entries:
            if key.text in known:
                values[attribute(key.text)] = known[key.text].read(value, page)
            else:
                page.problem("key-unknown", key, f"`{key.text}` is no key of `{page.key}`", nearest(key.text, known))
        lacking = [key for key, _, needed in self.shapes if needed and values.get(attribute(key)) is None]
        for name in lacking:
            if attribute(name) not in values:
                page.problem("key-missing", node, f"`{page.key}` has no `{name}`", f"Add `{name}: {known[name].said}`")
        return None if lacking else self.made(**values)  # type: ignore[arg-type]  # each shape yields its field's type

    def schema(self) -> Schema:
        return {
            "type": "object",
            "properties": {key: shape.schema() for key, shape, _ in self.shapes},
            "required": [key for key, _, needed in self.shapes if needed],
            "additionalProperties": False,
        }


@dataclass(frozen=True, slots=True)
class Steps:
    """A list of small tables, in order."""

    step: Parts

    @property
    def said(self) -> str:
        return f"steps in order, each {self.step.said}"

    def read(self, node: Node, page: Page) -> tuple[Freeze | Fallback, ...] | None:
        entries: Sequence[Node] = node.entries if isinstance(node, Listing) else (node,)
        found = [self.step.read(entry, page) for entry in entries]
        return tuple(step for step in found if step is not None) or None

    def schema(self) -> Schema:
        return one_or_many(self.step.schema())


def attribute(key: str) -> str:
    """The attribute that a key of the document becomes: `use-until` is `use_until`, a word of Python gets `_`."""
    name = key.replace("-", "_")
    return f"{name}_" if name in _PYTHON else name


_PYTHON = frozenset({"for", "from", "as", "if", "else", "except", "with", "in", "is", "not"})
