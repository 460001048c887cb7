"""What people agreed to, counted: each matter as it stands now, and what was given and taken back month by month."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Final

from upheld.dates import Instant, local_date, start_of
from upheld.keeper import Keeper

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
    with keeper.places.active.reading() as connection:
        rows = connection.execute(_NEWEST, (policy,)).fetchall()
    count: dict[str, Counter[bool]] = {}
    for kind, about, given, persons in rows:
        count.setdefault(f"{kind}/{about}", Counter())[bool(given)] += persons
    found = [Standing(about, each[True], each[False]) for about, each in count.items()]
    return sorted(found, key=lambda one: (-one.given, one.about))


def by_month(keeper: Keeper, policy: str, months: int) -> list[Given]:
    """The last so many months, the present one last, in the zone of the policy."""
    zone = keeper.views.line(policy).latest.zone
    this = local_date(keeper.now(), zone).replace(day=1)
    firsts = [_earlier(this, count) for count in range(months - 1, -1, -1)]
    since = start_of(firsts[0], zone)
    with keeper.places.active.reading() as connection:
        rows = connection.execute(_SINCE, (policy, since)).fetchall()
    count: Counter[tuple[date, bool]] = Counter()
    for part, given, number in rows:
        count[local_date(Instant(part * _HALF_HOUR), zone).replace(day=1), bool(given)] += number
    return [Given(first, count[first, True], count[first, False]) for first in firsts]


def _earlier(first: date, count: int) -> date:
    month = first.year * 12 + first.month - 1 - count
    return date(month // 12, month % 12 + 1, 1)


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
