"""Periods, local days and the instants at which they end. No clock: "now" is always a parameter.

Instants are UTC microseconds since 1970-01-01T00:00Z, so that a decision compares integers. Reckoning follows
articles 157 to 161 of the Korean Civil Act as `docs/rules.md` section 1 states it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NewType
from zoneinfo import ZoneInfo

Instant = NewType("Instant", int)
"""Microseconds since 1970-01-01T00:00Z."""

Day = NewType("Day", int)
"""Proleptic ordinal of a local day (`date.toordinal`)."""

SECOND = 1_000_000
HOUR = 3600 * SECOND
FOREVER = Instant(2**62)
"""Later than every instant that can happen: the end of what nothing has ended yet."""
BEGINNING = Instant(-(2**62))
"""Before every instant that can happen."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_RULE = 2 * 366
"""No calendar rule of law looks further ahead than the end of the next year."""
_PERIOD = re.compile(r"P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(\d+)H)?\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time as the policy writes it: `P12M` stays twelve months. Hours never mix with days."""

    years: int = 0
    months: int = 0
    days: int = 0
    hours: int = 0

    @staticmethod
    def parse(text: str) -> Period:
        """Read ISO 8601 years, months, weeks, days or hours. Raises ValueError with the remedy."""
        found = _PERIOD.match(text)
        if not found or text.endswith("T"):
            raise ValueError(f"`{text}` is not a period; write P5Y, P6M, P2W, P5D or PT72H")
        years, months, weeks, days, hours = (int(part or 0) for part in found.groups())
        if hours and (years or months or weeks or days):
            raise ValueError(
                f"`{text}` mixes hours with days; hours run on the clock, days in the calendar: choose one"
            )
        if years > 200 or months > 2400 or weeks * 7 + days > 73_000 or hours > 1_752_000:
            raise ValueError(f"`{text}` is longer than two hundred years; write what the source says")
        return Period(years, months, weeks * 7 + days, hours)

    def __str__(self) -> str:
        if self.hours:
            return f"PT{self.hours}H"
        parts = [(self.years, "Y"), (self.months, "M"), (self.days, "D")]
        return "P" + ("".join(f"{count}{unit}" for count, unit in parts if count) or "0D")


NO_PERIOD = Period()
ONE_DAY = Period(days=1)


def instant(moment: datetime) -> Instant:
    """The instant of an aware datetime. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; give an aware datetime")
    return Instant((moment - _EPOCH) // timedelta(microseconds=1))


def moment(at: Instant, zone: ZoneInfo | None = None) -> datetime:
    """The aware datetime of an instant, in `zone` or UTC."""
    return (_EPOCH + timedelta(microseconds=at)).astimezone(zone or UTC)


@lru_cache(maxsize=65536)
def start_of(day: date, zone: ZoneInfo) -> Instant:
    """The instant at which a local day begins."""
    return instant(datetime(day.year, day.month, day.day, tzinfo=zone))


def local_date(at: Instant, zone: ZoneInfo) -> date:
    """The local day that an instant falls in."""
    known = _LAST_DAY.get(zone)
    if known is not None and known[0] <= at < known[1]:
        return known[2]
    day = moment(at, zone).date()
    if day.year < _LAST_YEAR:
        _LAST_DAY[zone] = (start_of(day, zone), start_of(day + timedelta(days=1), zone), day)
    return day


_LAST_YEAR = 9999
_LAST_DAY: dict[ZoneInfo, tuple[Instant, Instant, date]] = {}
"""The day asked for last in each zone: most instants that are asked about are of the same day."""


def end_of_day(day: date, zone: ZoneInfo) -> Instant:
    """Where a fact known by its date only is put: the last moment of that day, never the next midnight."""
    return Instant(start_of(day + timedelta(days=1), zone) - 1)


def first_counted_day(at: Instant, zone: ZoneInfo) -> date:
    """LAW: Civil Act 157: the day after the event, or the day itself when the event falls on 00:00."""
    day = local_date(at, zone)
    return day if start_of(day, zone) == at else day + timedelta(days=1)


def day_after_period(first: date, period: Period) -> date:
    """LAW: Civil Act 160: the first local day that a period counted from `first` no longer covers."""
    months = period.years * 12 + period.months
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    try:
        corresponding = date(year, month + 1, first.day)
    except ValueError:  # that month has no such day: the period ends with the month's last day
        corresponding = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    return corresponding + timedelta(days=period.days)


def end_of(event_at: Instant, period: Period, zone: ZoneInfo) -> Instant:
    """The instant at which a period counted from an event has ended (hours run from the instant itself)."""
    if event_at >= FOREVER or event_at <= BEGINNING:
        return event_at
    if period.hours:
        return Instant(event_at + period.hours * HOUR)
    if not (period.years or period.months or period.days):
        return event_at
    return _end_of_days(first_counted_day(event_at, zone), period, zone)


@lru_cache(maxsize=65536)
def _end_of_days(first: date, period: Period, zone: ZoneInfo) -> Instant:
    return start_of(day_after_period(first, period), zone)


def last_day_ended(at: Instant, calendar: str | None, period: Period, zone: ZoneInfo) -> Day:
    """The latest local day of an event whose end (calendar rule, then period) has come by `at`: the cut-off of a
    sweep.
    """
    return _last_day_ended(local_date(at, zone), calendar, period, zone)


@lru_cache(maxsize=4096)
def _last_day_ended(today: date, calendar: str | None, period: Period, zone: ZoneInfo) -> Day:
    """Ends fall on midnights, so the day alone decides. The search is bounded by how long the period can be."""
    at, high = start_of(today, zone), today.toordinal()
    days = period.days + period.hours // 24
    shortest, longest = (
        period.years * 365 + period.months * 28 + days,
        period.years * 366 + period.months * 31 + days,
    )
    low = max(date(1900, 1, 1).toordinal(), high - longest - (_LONGEST_RULE if calendar else 0) - 3)
    high = max(low, high - shortest)
    while low < high:
        middle = (low + high + 1) // 2
        if _ended(date.fromordinal(middle), calendar, period, zone) <= at:
            low = middle
        else:
            high = middle - 1
    return Day(low)


def _ended(day: date, calendar: str | None, period: Period, zone: ZoneInfo) -> Instant:
    event_at = end_of_day(day, zone)
    if calendar is not None:
        event_at = calendar_end(calendar, event_at, zone)
    whole_days = Period(days=period.hours // 24 + 1) if period.hours else period
    return end_of(event_at, whole_days, zone)


def calendar_end(rule: str, at: Instant, zone: ZoneInfo) -> Instant:
    """The moment the date of a calendar rule of law is over, for a fact at `at`. Raises KeyError for an unknown
    rule.
    """
    if at >= FOREVER or at <= BEGINNING:
        return at
    day = local_date(at, zone)
    own = OWN_CALENDARS.get(zone.key, rule)
    return start_of((own(day) if own else CALENDAR_RULES[rule](day)) + timedelta(days=1), zone)


def _month_end(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1) - timedelta(days=1)


def _tax_filing(day: date) -> date:
    """LAW: Framework Act on National Taxes 85-3, Corporate Tax Act 60: three months after the close of the year."""
    return date(day.year + 1, 3, 31)


def _year_end(day: date) -> date:
    """LAW: Commercial Act 33: from the closing of the books; the books of a calendar year close with it."""
    return date(day.year, 12, 31)


CALENDAR_RULES: Mapping[str, Callable[[date], date]] = {
    "tax-filing-deadline": _tax_filing,
    "closing-of-books": _year_end,
    "month-end": _month_end,
    "year-end": _year_end,
}


class Calendars:
    """Days that the law of a time zone sets otherwise than `CALENDAR_RULES`, as its table of law says."""

    def __init__(self) -> None:
        self._days: Mapping[tuple[str, str], tuple[int, int, int]] = {}

    def add(self, zone: str, rule: str, years: int, month: int, day: int) -> None:
        """In that zone the rule ends on that day of the year that comes so many years after the fact's."""
        date(2001, month, day)  # a day that every year has
        self._days = {**self._days, (zone, rule): (years, month, day)}

    def get(self, zone: str, rule: str) -> Callable[[date], date] | None:
        """The rule of that zone; None where it has none of its own."""
        found = self._days.get((zone, rule))
        if found is None:
            return None
        years, month, day = found
        return lambda fact: date(fact.year + years, month, day)


OWN_CALENDARS: Final = Calendars()


def moved_off_holidays(end: Instant, holiday: Callable[[date], bool], zone: ZoneInfo) -> Instant:
    """LAW: Civil Act 161: a period whose last day is a Saturday, Sunday or public holiday ends with the next day that
    is none; `holiday` says which days are free, those of the weekend too. Only for deadlines of answering; what is to
    be destroyed never waits for a working day.
    """
    last = local_date(Instant(end - 1), zone)
    while holiday(last):
        last += timedelta(days=1)
    return start_of(last + timedelta(days=1), zone)


def age_on(birth: date, day: date) -> int:
    """Full years, the day of birth counted (Civil Act 158)."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def birthday(birth: date, years: int) -> date:
    """The local day on which that age is reached; 29 February falls on 1 March where the year has none."""
    try:
        return birth.replace(year=birth.year + years)
    except ValueError:
        return date(birth.year + years, 3, 1)
