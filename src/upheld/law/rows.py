"""One rule of law as a dated row, and the law of one day as the rows in force then. No clock: the day is given.

A row never changes its code. What a legislator changed is a second row of the same code that begins where the first
one ends, so that the same document can be compared with the law of any day the table reaches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import TypeVar

from upheld.dates import Period
from upheld.errors import UpheldError

Value = bool | int | Period | tuple[str, ...]
"""What a program reckons with: does it hold, how many, how long, which of a list."""


_Kind = TypeVar("_Kind")


class LawUnknown(UpheldError):
    """No table for that country, or none that reaches that day."""


class Confidence(StrEnum):
    """How well a row is known: read in the text itself, second-hand but agreeing, one weak source or an inference."""

    HIGH = "H"
    MIDDLE = "M"
    LOW = "L"


@dataclass(frozen=True, slots=True)
class Rule:
    """One parameter. `since` is its first day, `until` the first day on which it no longer holds; None is open.

    An open `since` means: from before the first day that the table reaches.
    """

    code: str
    article: str
    value: Value
    says: str
    source: str
    confidence: Confidence
    since: date | None = None
    until: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether it is in force on that local day."""
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)

    def __str__(self) -> str:
        return f"{self.article} [{self.source}, {self.confidence}]"


@dataclass(frozen=True, slots=True)
class Pack:
    """The table of one country. `reaches_from` is the first day it can speak of, `checked` the day it was last read."""

    country: str
    reaches_from: date
    checked: date
    sources: Mapping[str, str]
    rules: tuple[Rule, ...]
    zones: tuple[str, ...] = ()
    """Time zones by which a document says that this law is its own: `Asia/Seoul`, or `Europe/*` for all of those."""
    seat: str = ""
    """The country as two capital letters, for seats and receipts; empty where the table is of several countries."""
    weekend: tuple[int, ...] = (6, 7)
    """Days of the week on which no answer falls due, Monday being 1."""
    holidays: str = ""
    """Whose public holidays the library of holidays counts; empty where it is to count none."""
    days_off: frozenset[date] = frozenset()
    """Further days on which no answer falls due."""

    def closeness(self, zone: str) -> int:
        """How closely a time zone is named: 0 not at all, else so many letters; a whole name is closer than a start."""
        starts = (len(one) - 1 for one in self.zones if one.endswith("*") and zone.startswith(one[:-1]))
        return 1000 if zone in self.zones else max(starts, default=0)


@dataclass(frozen=True, slots=True)
class LawOfDay:
    """The rules in force on one day, by code. Getters answer None where no rule of that code is in force."""

    country: str
    day: date
    rules: Mapping[str, Rule]
    foreseen: bool = False
    """The day lies after the day on which the table was last read: what is enacted meanwhile is not in it."""

    @property
    def name(self) -> str:
        """As it is written on the command line: `kr@2026-11-22`."""
        return f"{self.country}@{self.day.isoformat()}"

    def rule(self, code: str) -> Rule | None:
        """The row of that code."""
        return self.rules.get(code)

    def holds(self, code: str) -> bool:
        """Whether there is such a rule and it is not a plain no."""
        found = self.rules.get(code)
        return found is not None and found.value is not False

    def period(self, code: str) -> Period | None:
        """The length of time it sets. Raises TypeError where the rule is of another kind."""
        return self._of(code, Period)

    def number(self, code: str) -> int | None:
        """The number it sets. Raises TypeError where the rule is of another kind."""
        found = self._of(code, int)
        if isinstance(found, bool):
            raise TypeError(f"`{code}` is yes or no, not a number")
        return found

    def words(self, code: str) -> tuple[str, ...]:
        """The list it sets; empty where no such rule is in force. Raises TypeError for a rule of another kind."""
        return self._of(code, tuple) or ()

    def cites(self, topic: str) -> str | None:
        """The article that a decision or a default on that topic rests on, as a document would write it: `pipa 35`."""
        found = self.rules.get(f"cited.{topic}")
        return found.article.lower() if found else None

    def article_on(self, topic: str) -> str:
        """The same as the table writes it, for people: `PIPA 35`; empty where no table says it."""
        found = self.rules.get(f"cited.{topic}")
        return found.article if found else ""

    def under(self, prefix: str) -> tuple[Rule, ...]:
        """Every rule whose code begins with `prefix.`, in the order of the table."""
        return tuple(rule for code, rule in self.rules.items() if code.startswith(f"{prefix}."))

    def _of(self, code: str, kind: type[_Kind]) -> _Kind | None:
        found = self.rules.get(code)
        if found is None:
            return None
        if not isinstance(found.value, kind):
            raise TypeError(f"`{code}` is {type(found.value).__name__}, not {kind.__name__}")
        return found.value


@dataclass(slots=True)
class Table:
    """Gathers rows while a country's module is read: one call for each, in the order of the statute book."""

    rules: list[Rule] = field(default_factory=list)

    def __call__(
        self,
        code: str,
        article: str,
        value: Value,
        says: str,
        known: str,
        since: str | None = None,
        until: str | None = None,
    ) -> None:
        """`known` is the source and the confidence, `ACT H`; days are written as 2023-09-15."""
        source, _, confidence = known.partition(" ")
        days = [date.fromisoformat(day) if day else None for day in (since, until)]
        self.rules.append(Rule(code, article, value, says, source, Confidence(confidence), *days))


def on_day(pack: Pack, day: date) -> LawOfDay:
    """The rules of a pack in force on a day. Raises LawUnknown before the table begins."""
    if day < pack.reaches_from:
        raise LawUnknown(f"the table of `{pack.country}` reaches back to {pack.reaches_from}; {day} is before that")
    rules = {rule.code: rule for rule in pack.rules if rule.holds_on(day)}
    return LawOfDay(pack.country, day, rules, day > pack.checked)


def contradictions(rules: Iterable[Rule]) -> tuple[str, ...]:
    """Codes of which two rows hold on one day, or whose row ends before it begins: a table has none."""
    by_code: dict[str, list[Rule]] = {}
    for rule in rules:
        by_code.setdefault(rule.code, []).append(rule)
    found = []
    for code, versions in by_code.items():
        spans = sorted((one.since or date.min, one.until or date.max) for one in versions)
        empty = any(start >= end for start, end in spans)
        if empty or any(later[0] < earlier[1] for earlier, later in pairwise(spans)):
            found.append(code)
    return tuple(found)
