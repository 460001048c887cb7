"""A finding: a problem that refuses nothing, with the clauses of the source and the rule of law that it is about.

A check may look at the words people read (`open to all of them: etc., 등`), in English and Korean. Such a check sees
what is written, not what is meant; `docs/checks.md` marks it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from upheld.errors import Level, Problem
from upheld.law import Rule
from upheld.policy.ends import EarlierOf, End, LaterOf, Plus, Point
from upheld.policy.model import Policy, Row
from upheld.policy.vocabulary import Collected

RowOf = TypeVar("RowOf", bound=Row)


@dataclass(frozen=True, slots=True)
class Finding(Problem):
    """`path` is the element it stands at, `clauses` what it is about, `rule` the rule of law it was held against."""

    path: str = ""
    clauses: tuple[str, ...] = ()
    rule: Rule | None = None

    def __str__(self) -> str:
        about = f" ({', '.join(self.clauses)})" if self.clauses else ""
        by = f". {self.rule}" if self.rule else ""
        return f"{Problem.__str__(self)}{by}{about}"


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a finding stands: the row, and the key if it is about one."""

    row: Row
    key: str = ""

    @property
    def clauses(self) -> tuple[str, ...]:
        """The clauses behind it; a law that stands in for a clause is none."""
        said = self.row.cites(self.key or "all")
        if not self.key and "all" not in self.row.clauses:
            said = tuple(one for ids in self.row.clauses.values() for one in ids)
        return tuple(one for one in said if not one.startswith("law: "))


def found(
    policy: Policy,
    code: str,
    spots: Iterable[Spot],
    message: str,
    remedy: str,
    level: Level = Level.ADVICE,
    rule: Rule | None = None,
) -> Finding:
    """One finding at the first spot, about all of them."""
    each = [*spots]
    line, column = each[0].row.place_of(each[0].key)
    clauses = tuple(dict.fromkeys(one for spot in each for one in spot.clauses))
    path = each[0].row.path
    return Finding(code, policy.file, max(line, 1), max(column, 1), message, remedy, level, path, clauses, rule)


def at(*rows: Row, key: str = "") -> tuple[Spot, ...]:
    """The spots of rows, all under the same key."""
    return tuple(Spot(row, key) for row in rows)


def listed(names: Iterable[str]) -> str:
    """Names as a message prints them."""
    return ", ".join(f"`{name}`" for name in names)


def written(rows: Mapping[str, RowOf]) -> Iterator[RowOf]:
    """Rows that the document writes itself and wants to run."""
    return (row for row in rows.values() if not row.builtin and not row.blocked)


def says(row: Row, words: re.Pattern[str], *keys: str) -> bool:
    """Whether a text that people read has one of the words, in any language of the document."""
    tables = [row.texts, *(getattr(row, key) or {} for key in keys)]
    return any(words.search(text) for table in tables for text in table.values())


def taken(policy: Policy) -> frozenset[str]:
    """The items that somebody collects."""
    from_purposes = [item for row in policy.purposes.values() if not row.blocked for item in row.items]
    from_people = [item for row in policy.children.values() for item in (*row.from_child, *row.from_representative)]
    never = {row.name for row in policy.items.values() if row.collected is Collected.NEVER}
    return frozenset((*from_purposes, *from_people)) - never


def periods_in(end: End | None) -> Iterator[Plus]:
    """Each point with a period in an end."""
    match end:
        case Plus():
            yield end
        case LaterOf() | EarlierOf():
            for part in end.of:
                yield from periods_in(part)
        case Point() | None:
            return


def as_data(finding: Finding) -> Mapping[str, object]:
    """What is recorded beside a policy: no line, so that an edit elsewhere changes nothing."""
    data: dict[str, object] = {"level": finding.level.value, "code": finding.code, "at": finding.path}
    if finding.clauses:
        data["clauses"] = [*finding.clauses]
    if finding.rule:
        data["law"] = finding.rule.article
    data["says"] = finding.message
    return data
