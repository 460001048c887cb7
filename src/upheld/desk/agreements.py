"""What people agreed to, counted: each matter as it stands now, and what was given and taken back month by month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from upheld.dates import Instant, local_date, start_of
from upheld.desk.counted import Count, counted
from upheld.keeper import Keeper

MONTHS: Final = 12
"""So many months are counted, the present one too."""
_MATTERS, _BY_MONTH = "consents-by-matter", "consents-by-month"
_WORDS: Final = {True: "given", False: "withdrawn"}
_HALF_HOUR: Final = 1_800_000_000
"""Days of every zone begin at one: counts by half hours add up to days and months of the policy's zone."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One matter: how many persons agree to it now, how many have taken their agreement back."""

    about: str
    given: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class Given:
    """One month: consents given, consents taken back."""

    first: date
    given: int
    withdrawn: int


def standing(keeper: Keeper, policy: str) -> list[Standing]:
    """Every matter that anybody was asked about, the one with most agreements first."""
    number = counted(keeper, policy, _MATTERS, _by_matter)
    abouts = dict.fromkeys(label.rpartition(" ")[0] for label in number)
    found = [Standing(one, number.get(f"{one} given", 0), number.get(f"{one} withdrawn", 0)) for one in abouts]
    return sorted(found, key=lambda one: (-one.given, one.about))


def by_month(keeper: Keeper, policy: str) -> list[Given]:
    """The last twelve months, the present one last, in the zone of the policy."""
    number = counted(keeper, policy, _BY_MONTH, _since_months)
    return [
        Given(first, number.get(f"{first} given", 0), number.get(f"{first} withdrawn", 0))
        for first in _firsts(keeper, policy)
    ]


def _by_matter(keeper: Keeper, policy: str) -> Mapping[str, int]:
    with keeper.places.active.reading() as connection:
        rows = connection.execute(_NEWEST, (policy,)).fetchall()
    return {f"{kind}/{about} {_WORDS[bool(given)]}": int(persons) for kind, about, given, persons in rows}


def _since_months(keeper: Keeper, policy: str) -> Mapping[str, int]:
    zone = keeper.views.line(policy).latest.zone
    since = start_of(_firsts(keeper, policy)[0], zone)
    with keeper.places.active.reading() as connection:
        rows = connection.execute(_SINCE, (policy, since)).fetchall()
    count: Counter[str] = Counter()
    for part, given, number in rows:
        count[f"{local_date(Instant(part * _HALF_HOUR), zone).replace(day=1)} {_WORDS[bool(given)]}"] += number
    return count


def _firsts(keeper: Keeper, policy: str) -> list[date]:
    """The first day of each month that is shown."""
    this = local_date(keeper.now(), keeper.views.line(policy).latest.zone).replace(day=1)
    return [_earlier(this, count) for count in range(MONTHS - 1, -1, -1)]


def _earlier(first: date, count: int) -> date:
    month = first.year * 12 + first.month - 1 - count
    return date(month // 12, month % 12 + 1, 1)


COUNTS: Final[Mapping[str, Count]] = MappingProxyType({_MATTERS: _by_matter, _BY_MONTH: _since_months})
_NEWEST = (
    "SELECT about_kind, about, given, COUNT(*) FROM (SELECT c.about_kind, c.about, c.given, ROW_NUMBER() OVER "
    "(PARTITION BY c.bucket, c.subject_id, c.about_kind, c.about ORDER BY c.at DESC, c.known_at DESC) AS place "
    "FROM consent c JOIN subject s ON s.bucket = c.bucket AND s.subject_id = c.subject_id WHERE s.policy = ?) AS n "
    "WHERE place = 1 GROUP BY about_kind, about, given"
)
_SINCE = (
    "SELECT c.at / 1800000000, c.given, COUNT(*) FROM consent c JOIN subject s ON s.bucket = c.bucket AND "
    "s.subject_id = c.subject_id WHERE s.policy = ? AND c.at >= ? GROUP BY c.at / 1800000000, c.given"
)
