"""Until when: the four forms an end can take, and how one line of text becomes one.

    end   = point | point + period | {later-of: [...]} | {earlier-of: [...]}
    point = fact | calendar-rule of fact

An atom is one plain string without precedence or parentheses; nesting is done by the document's own tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from upheld.dates import CALENDAR_RULES, Period


@dataclass(frozen=True, slots=True)
class Point:
    """A fact, or the date that a calendar rule of law makes of it."""

    fact: str
    calendar: str | None = None


@dataclass(frozen=True, slots=True)
class Plus:
    """A period counted from a point."""

    point: Point
    period: Period


@dataclass(frozen=True, slots=True)
class LaterOf:
    """The last of several ends; waits for a branch only while something in it is open."""

    of: tuple[End, ...]


@dataclass(frozen=True, slots=True)
class EarlierOf:
    """The first of several ends; a fact that is not there yet does not count."""

    of: tuple[End, ...]


End = Point | Plus | LaterOf | EarlierOf

NAME = r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
PERIOD = r"P(?=.)(?:\d+Y)?(?:\d+M)?(?:\d+W)?(?:\d+D)?(?:T\d+H)?"
ATOM = rf"(?:({'|'.join(CALENDAR_RULES)}) of )?({NAME})(?: ?\+ ?({PERIOD}))?"
_ATOM = re.compile(rf"{ATOM}\Z")
_LONE_PERIOD = re.compile(rf"\+? ?{PERIOD}\Z")
_RULE = re.compile(rf"({NAME}) of ")


class EndUnreadable(ValueError):
    """A text that is no end. `code` and `remedy` are those of the problem, the text of the error is its message."""

    def __init__(self, code: str, message: str, remedy: str, facts: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.remedy = remedy
        self.facts = facts
        """What it names all the same: two mistakes in one text are told together."""


def parse_atom(text: str) -> Point | Plus:
    """Read `fact`, `fact + P5Y` or `rule of fact + P5Y`. Raises EndUnreadable."""
    found = _ATOM.match(text)
    if not found:
        raise _unreadable(text)
    calendar, fact, period = found.groups()
    point = Point(fact, calendar)
    if period is None:
        return point
    try:
        return Plus(point, Period.parse(period))
    except ValueError as error:
        remedy = "Write a period such as P5Y, P6M, P2W, P5D"
        raise EndUnreadable("period-unreadable", str(error), remedy, (fact,)) from error


def _unreadable(text: str) -> EndUnreadable:
    rule = _RULE.match(text)
    if _LONE_PERIOD.match(text):
        return EndUnreadable(
            "period-without-start",
            f"`{text}` counts from nothing",
            f"Say which fact starts the period, such as `collected + {text.lstrip('+ ')}`",
        )
    if rule and rule[1] not in CALENDAR_RULES:
        return EndUnreadable(
            "calendar-rule-unknown", f"`{rule[1]}` is no calendar rule", f"Use one of {', '.join(CALENDAR_RULES)}"
        )
    start, plus, period = text.partition("+")
    begun = _ATOM.match(start.strip())
    if plus and begun:
        message, remedy = f"`{period.strip()}` is not a period", "Write a period such as P5Y, P6M, P2W, P5D"
        return EndUnreadable("period-unreadable", message, remedy, (begun[2],))
    return EndUnreadable(
        "end-unreadable",
        f"`{text}` is not an end",
        "Write a fact (`cancelled`), a fact and a period (`cancelled + P6M`), or {later-of: [...]}",
    )


def points_in(end: End) -> Iterator[Point]:
    """Each point that the end names, in the order it is written."""
    match end:
        case Point():
            yield end
        case Plus():
            yield end.point
        case LaterOf() | EarlierOf():
            for part in end.of:
                yield from points_in(part)


def facts_in(end: End) -> tuple[str, ...]:
    """Each fact that the end names, once, in the order it is written."""
    return tuple(dict.fromkeys(point.fact for point in points_in(end)))


def is_certain(end: End, known: frozenset[str]) -> bool:
    """Whether the end must come, given that the facts in `known` have happened or are sure to."""
    match end:
        case Point():
            return end.fact in known
        case Plus():
            return end.point.fact in known
        case LaterOf():
            return all(is_certain(part, known) for part in end.of)
        case EarlierOf():
            return any(is_certain(part, known) for part in end.of)


def text_of(end: End) -> str:
    """The end on one line, as the document writes it."""
    match end:
        case Point(fact, None):
            return fact
        case Point(fact, calendar):
            return f"{calendar} of {fact}"
        case Plus():
            return f"{text_of(end.point)} + {end.period}"
        case LaterOf():
            return f"{{later-of: [{', '.join(map(text_of, end.of))}]}}"
        case EarlierOf():
            return f"{{earlier-of: [{', '.join(map(text_of, end.of))}]}}"
