"""A table of law in a file: the law of a house whose country comes with no table of ours. docs/law.md shows one.

    TABLES.add(read_table(Path("lw.yaml").read_bytes(), "lw.yaml"))

Read like a policy: every scalar is text, what YAML could hide is refused, all problems come at once. The kind of a rule
(a length, a number, a list, yes) is the kind which our own tables give to its code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Final
from zoneinfo import available_timezones

from upheld.dates import CALENDAR_RULES, Period
from upheld.errors import Problem
from upheld.law import PACKS, Confidence, LawUnknown, Pack, Rule, Value, contradictions
from upheld.policy.tree import Listing, Node, Scalar, Table, tree_of

CODE: Final = re.compile(r"[a-z][a-z0-9-]*\Z")
ARTICLE: Final = re.compile(r"[A-Za-z]+( .+)?\Z")
FREE: Final = "hold."
"""Codes that every table makes for itself: what a law obliges to keep."""
_KEYS: Final = (
    "table", "country", "seat", "zones", "reaches-from", "checked", "weekend", "holidays", "days-off", "laws",
    "sources", "rules",
)  # fmt: skip
_RULE_KEYS: Final = ("article", "is", "says", "source", "sure", "since", "until")
_NEEDED: Final = ("article", "is", "says", "source")


def kinds() -> Mapping[str, type]:
    """Which kind of value each code has that the program reads, as our own tables give it."""
    calendars = {f"calendar.{rule}": tuple for rule in CALENDAR_RULES}
    return calendars | {rule.code: type(rule.value) for pack in PACKS.values() for rule in pack.rules}


@dataclass(frozen=True, slots=True)
class LawTable:
    """What a file holds: the table, and the names of its laws in the languages it gives."""

    pack: Pack
    laws: Mapping[str, Mapping[str, str]]


@dataclass(slots=True)
class _Reading:
    file: str
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, node: Node, code: str, message: str, remedy: str) -> None:
        self.problems.append(Problem(code, self.file, node.line, node.column, message, remedy))

    def text(self, table: Table, key: str) -> Scalar | None:
        """One text under a key; None, and a problem, where it is something else."""
        node = table.get(key)
        if node is None or isinstance(node, Scalar):
            return node
        self.wrong(node, "shape-wrong", f"`{key}` must be one text", "Write one text here")
        return None

    def texts(self, table: Table, key: str) -> tuple[Scalar, ...]:
        """One text or a list of them under a key."""
        node = table.get(key)
        entries = node.entries if isinstance(node, Listing) else () if node is None else (node,)
        found = tuple(one for one in entries if isinstance(one, Scalar))
        if node is not None and len(found) != len(entries):
            self.wrong(node, "shape-wrong", f"`{key}` must be a text or a list of texts", "Write [one, another]")
        return found

    def day(self, node: Scalar | None) -> date | None:
        if node is None:
            return None
        try:
            return date.fromisoformat(node.text)
        except ValueError:
            self.wrong(node, "date-unreadable", f"`{node.text}` is no date", "Write it as 2026-01-31")
            return None

    def unknown(self, table: Table, known: Iterable[str]) -> None:
        for key, _ in table.entries:
            if key.text not in known:
                near = get_close_matches(key.text, known, 1)
                remedy = f"Did you mean `{near[0]}`?" if near else f"Known are {', '.join(f'`{one}`' for one in known)}"
                self.wrong(key, "key-unknown", f"`{key.text}` is no key here", remedy)


def is_table(source: bytes) -> bool:
    """Whether a file begins, but for comments, as a table of law does."""
    return re.search(rb"\A(?:\xef\xbb\xbf)?(?:\s*#[^\n]*\n|\s)*table:", source) is not None


def read_table(source: bytes, name: str) -> LawTable:
    """A table of law from the bytes of a file. Raises LawUnknown with every problem, each with line and remedy."""
    root, problems = tree_of(source, name)
    reading = _Reading(name, [one for one in problems if one.code != "not-a-policy"])
    if root is None:
        if len(reading.problems) < len(problems):
            reading.problems.append(
                Problem("not-a-table", name, 1, 1, "this is no table of law", "Begin with `table: 1`")
            )
        raise _refused(name, reading.problems)
    pack = _pack(root, reading)
    laws = _laws(root, reading)
    if pack is None or reading.problems:
        raise _refused(name, reading.problems)
    return LawTable(pack, laws)


def _refused(name: str, problems: Iterable[Problem]) -> LawUnknown:
    lines = [str(one) for one in sorted(problems, key=lambda one: (one.line, one.column))]
    return LawUnknown("\n".join([f"{name} is refused as a table of law:", *lines]))


def _pack(root: Table, reading: _Reading) -> Pack | None:
    reading.unknown(root, _KEYS)
    for key in ("table", "country", "zones", "reaches-from", "checked", "rules"):
        if root.get(key) is None:
            reading.wrong(root, "key-missing", f"`{key}` is missing", "Write it; docs/law.md shows a whole table")
    version = reading.text(root, "table")
    if version is not None and version.text != "1":
        reading.wrong(version, "version-unknown", f"`{version.text}` is no version of this format", "Write `table: 1`")
    country, seat, calendar = (reading.text(root, key) for key in ("country", "seat", "holidays"))
    if country is not None and not CODE.match(country.text):
        reading.wrong(country, "code-unreadable", f"`{country.text}` is no code", "Write small letters, such as `lw`")
    if seat is not None and not re.fullmatch("[A-Z]{2}", seat.text):
        reading.wrong(seat, "country-unreadable", f"`{seat.text}` is no country code", "Write two letters: KR, US")
    reaches, checked = (reading.day(reading.text(root, key)) for key in ("reaches-from", "checked"))
    zones, weekend = _zones(root, reading), _weekend(root, reading)
    sources = _sources(root, reading)
    rules = _rules(root, sources, reading)
    days = [reading.day(one) for one in reading.texts(root, "days-off")]
    if country is None or reaches is None or checked is None:
        return None
    return Pack(
        country.text, reaches, checked, sources, rules, zones, seat.text if seat else "", weekend,
        calendar.text if calendar else "", frozenset(day for day in days if day),
    )  # fmt: skip


def _zones(root: Table, reading: _Reading) -> tuple[str, ...]:
    found = reading.texts(root, "zones")
    for one in found:
        if not one.text.endswith("*") and one.text not in available_timezones():
            remedy = "Write one such as `Asia/Seoul`, or `Europe/*` for all of a continent"
            reading.wrong(one, "time-zone-unknown", f"`{one.text}` is no time zone", remedy)
    return tuple(one.text for one in found)


def _weekend(root: Table, reading: _Reading) -> tuple[int, ...]:
    if root.get("weekend") is None:
        return (6, 7)
    found = reading.texts(root, "weekend")
    for one in found:
        if one.text not in set("1234567"):
            reading.wrong(one, "number-unreadable", f"`{one.text}` is no day of the week", "Monday is 1, Sunday is 7")
    return tuple(int(one.text) for one in found if one.text in set("1234567"))


def _sources(root: Table, reading: _Reading) -> dict[str, str]:
    node = root.get("sources")
    if node is None:
        return {}
    if not isinstance(node, Table):
        reading.wrong(node, "shape-wrong", "`sources` must be a table", "Write a code and what it stands for")
        return {}
    return {key.text: value.text for key, value in node.entries if isinstance(value, Scalar)}


def _laws(root: Table, reading: _Reading) -> dict[str, Mapping[str, str]]:
    node = root.get("laws")
    found: dict[str, Mapping[str, str]] = {}
    for key, value in node.entries if isinstance(node, Table) else ():
        if isinstance(value, Table):
            found[key.text.lower()] = {at.text: said.text for at, said in value.entries if isinstance(said, Scalar)}
        else:
            reading.wrong(
                value, "shape-wrong", f"`{key.text}` must be a name in each language", "Write {en: ..., fr: ...}"
            )
    return found


def _rules(root: Table, sources: Mapping[str, str], reading: _Reading) -> tuple[Rule, ...]:
    node = root.get("rules")
    if node is not None and not isinstance(node, Table):
        reading.wrong(node, "shape-wrong", "`rules` must be a table of rules", "Write a code and its rule on each line")
    known = kinds()
    found: list[Rule] = []
    for key, value in node.entries if isinstance(node, Table) else ():
        if key.text not in known and not key.text.startswith(FREE):
            near = get_close_matches(key.text, known, 1)
            remedy = f"Did you mean `{near[0]}`?" if near else f"docs/law.md lists them; your own begin with `{FREE}`"
            reading.wrong(key, "rule-unknown", f"`{key.text}` is no rule that anything reads", remedy)
            continue
        for one in value.entries if isinstance(value, Listing) else (value,):
            rule = _rule(key.text, one, known.get(key.text), sources, reading)
            found += [rule] if rule else []
    for code in contradictions(found):
        here = next((key for key, _ in node.entries if key.text == code), root) if isinstance(node, Table) else root
        reading.wrong(here, "rules-overlap", f"two rows of `{code}` hold on one day", "End one where the other begins")
    return tuple(found)


def _rule(code: str, node: Node, kind: type | None, sources: Mapping[str, str], reading: _Reading) -> Rule | None:
    if not isinstance(node, Table):
        reading.wrong(node, "shape-wrong", f"`{code}` must be a table", f"Write {', '.join(_NEEDED)} within {{...}}")
        return None
    reading.unknown(node, _RULE_KEYS)
    missing = [key for key in _NEEDED if node.get(key) is None]
    if missing:
        reading.wrong(node, "key-missing", f"`{code}` lacks {', '.join(f'`{one}`' for one in missing)}", "Write it")
        return None
    article, says, source, sure = (reading.text(node, key) for key in ("article", "says", "source", "sure"))
    value = _value(code, node.get("is"), kind, reading)
    if article is not None and not ARTICLE.match(article.text):
        reading.wrong(article, "law-unreadable", f"`{article.text}` is no article", "Write law and article: `pipa 35`")
    if source is not None and source.text not in sources:
        reading.wrong(source, "name-unknown", f"`{source.text}` stands in no `sources`", "Say there what was read")
    if sure is not None and sure.text not in {one.value for one in Confidence}:
        reading.wrong(sure, "choice-unknown", f"`{sure.text}` says not how sure it is", "Write H, M or L")
        sure = None
    since, until = (reading.day(reading.text(node, key)) for key in ("since", "until"))
    if value is None or article is None or says is None or source is None:
        return None
    if code.startswith("calendar.") and not _is_day(value):
        reading.wrong(node, "value-unreadable", f"`{code}` is no day of a year", "Write [years after, month, day]")
        return None
    confidence = Confidence(sure.text) if sure else Confidence.MIDDLE
    return Rule(code, article.text, value, says.text, source.text, confidence, since, until)


def _is_day(value: Value) -> bool:
    """Whether it says years, month and day, of a day that every year has."""
    if not isinstance(value, tuple) or len(value) != len(("years", "month", "day")):
        return False
    try:
        _, month, day = (int(one) for one in value)
        date(2001, month, day)
    except ValueError:
        return False
    return True


def _whole(text: str) -> int:
    if not re.fullmatch("[0-9]+", text):
        raise ValueError("no whole number")
    return int(text)


def _truth(text: str) -> bool:
    return {"yes": True, "no": False}[text]


_ONE: Final[tuple[tuple[type, Callable[[str], Value], str], ...]] = (
    (Period, Period.parse, "a period such as P10D"),
    (bool, _truth, "`yes` or `no`"),
    (int, _whole, "a whole number"),
)


def _value(code: str, node: Node | None, kind: type | None, reading: _Reading) -> Value | None:
    """The value as the kind that the code has; of a code that is the table's own whatever it reads as."""
    if isinstance(node, Listing) and kind in {None, tuple}:
        return tuple(one.text for one in node.entries if isinstance(one, Scalar))
    if isinstance(node, Scalar) and kind is tuple:
        return (node.text,)
    if isinstance(node, Scalar):
        for one, read, _ in _ONE:
            if kind in {None, one}:
                try:
                    return read(node.text)
                except (ValueError, KeyError):
                    continue
    wanted = "a list" if kind is tuple else next((said for one, _, said in _ONE if one is kind), "a period or `yes`")
    if node is not None:
        reading.wrong(node, "value-unreadable", f"`{code}` cannot be read", f"Write {wanted}")
    return None


@dataclass(frozen=True, slots=True)
class Wording:
    """The fixed phrases of notices, letters and questions in one more language: English → that language."""

    language: str
    name: str
    phrases: Mapping[str, str]


def is_wording(source: bytes) -> bool:
    """Whether a file begins, but for comments, as a wording does."""
    return re.search(rb"\A(?:\xef\xbb\xbf)?(?:\s*#[^\n]*\n|\s)*wording:", source) is not None


def read_wording(source: bytes, name: str) -> Wording:
    """A wording from the bytes of a file. Raises LawUnknown with every problem."""
    root, problems = tree_of(source, name)
    reading = _Reading(name, list(problems))
    language = reading.text(root, "wording") if root else None
    name_of = reading.text(root, "name") if root else None
    phrases = root.get("phrases") if root else None
    if root is not None:
        reading.unknown(root, ("wording", "name", "phrases"))
        if language is None or not re.fullmatch("[a-z]{2,3}", language.text) or language.text in {"en", "ko"}:
            here = language or root
            reading.wrong(
                here,
                "language-unreadable",
                "`wording` must name a language",
                "Write `wording: fr`; en and ko are there",
            )
        if not isinstance(phrases, Table):
            reading.wrong(phrases or root, "key-missing", "`phrases` must be a table", "Write English: translation")
    found: dict[str, str] = {}
    for key, value in phrases.entries if isinstance(phrases, Table) else ():
        if not isinstance(value, Scalar):
            reading.wrong(value, "shape-wrong", f"`{key.text}` must be one text", "Write one text here")
        elif sorted(re.findall(r"{\w*}", key.text)) != sorted(re.findall(r"{\w*}", value.text)):
            reading.wrong(
                value, "places-differ", f"`{value.text}` fills other places", "Keep each {...} of the English"
            )
        else:
            found[key.text] = value.text
    if language is None or reading.problems:
        raise _refused(name, reading.problems)
    return Wording(language.text, name_of.text if name_of else language.text, found)


__all__ = ["LawTable", "Wording", "is_table", "is_wording", "kinds", "read_table", "read_wording"]
