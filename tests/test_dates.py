"""Periods by the Civil Act: month ends, leap days, midnight in Seoul; against a second reading that walks."""

import calendar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld import dates
from upheld.dates import BEGINNING, FOREVER, HOUR, Instant, Period

SEOUL = ZoneInfo("Asia/Seoul")
ZONES = st.sampled_from([SEOUL, ZoneInfo("UTC"), ZoneInfo("America/New_York"), ZoneInfo("Pacific/Apia")])
DAYS = st.dates(date(2012, 1, 2), date(2045, 12, 31))
CALENDAR_PERIODS = st.one_of(
    st.builds(Period, years=st.integers(1, 12)),
    st.builds(Period, months=st.integers(1, 40)),
    st.builds(Period, days=st.integers(1, 900)),
)
MICROSECONDS_OF_A_DAY = 24 * HOUR


def at(text: str, zone: ZoneInfo = SEOUL) -> Instant:
    """An instant from local wall time."""
    return dates.instant(datetime.fromisoformat(text).replace(tzinfo=zone))


def over_on(event: str, period: str) -> str:
    """The local wall time in Seoul at which a period counted from an event is over."""
    return f"{dates.moment(dates.end_of(at(event), Period.parse(period), SEOUL), SEOUL):%Y-%m-%d %H:%M}"


def last_covered_day(first: date, period: Period) -> date:
    """Article 160 once more, by walking: the day before the corresponding one, or the last of a month without it."""
    if period.days:
        return first + timedelta(days=period.days - 1)
    year, month = first.year, first.month
    for _ in range(period.years * 12 + period.months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    last_of_month = calendar.monthrange(year, month)[1]
    if first.day > last_of_month:
        return date(year, month, last_of_month)
    return date(year, month, first.day) - timedelta(days=1)


@pytest.mark.parametrize(
    ("event", "period", "over"),
    [
        ("2019-02-28 12:00", "P5Y", "2024-03-01 00:00"),  # 29 February 2024 is the last covered day
        ("2026-04-30 09:00", "P6M", "2026-11-01 00:00"),  # counted from 1 May
        ("2026-08-31 23:59", "P6M", "2027-03-01 00:00"),  # counted from 1 September
        ("2026-08-30 10:00", "P6M", "2027-03-01 00:00"),  # 31 February does not exist: the month's last day
        ("2027-08-30 10:00", "P6M", "2028-03-01 00:00"),  # and so in a leap year
        ("2024-02-28 10:00", "P1Y", "2025-03-01 00:00"),  # counted from 29 February
        ("2024-02-29 10:00", "P1Y", "2025-03-01 00:00"),  # counted from 1 March
        ("2025-12-31 10:00", "P2M", "2026-03-01 00:00"),
        ("2026-01-30 10:00", "P1M", "2026-03-01 00:00"),
        ("2026-03-31 10:00", "P5D", "2026-04-06 00:00"),
        ("2026-03-31 10:00", "P2W", "2026-04-15 00:00"),
    ],
)
def test_periods_count_from_the_day_after_the_event_and_end_with_a_day(event: str, period: str, over: str) -> None:
    assert over_on(event, period) == over


def test_an_event_at_midnight_counts_its_own_day() -> None:
    assert over_on("2026-03-01 00:00", "P1M") == "2026-04-01 00:00"
    assert over_on("2026-03-01 00:01", "P1M") == "2026-04-02 00:00"
    assert over_on("2026-02-28 23:59", "P1M") == "2026-04-01 00:00"


def test_midnight_is_that_of_the_policys_zone() -> None:
    in_the_evening_utc = dates.instant(datetime(2026, 2, 28, 15, 0, tzinfo=UTC))  # 00:00 on 1 March in Seoul
    month = Period.parse("P1M")
    assert dates.end_of(in_the_evening_utc, month, SEOUL) == at("2026-04-01 00:00")
    assert dates.end_of(in_the_evening_utc, month, ZoneInfo("UTC")) == at("2026-04-01 00:00", ZoneInfo("UTC"))
    assert dates.local_date(in_the_evening_utc, SEOUL) == date(2026, 3, 1)


@given(DAYS, st.integers(0, MICROSECONDS_OF_A_DAY - 1), CALENDAR_PERIODS, ZONES)
def test_a_period_ends_where_walking_the_calendar_ends(day: date, offset: int, period: Period, zone: ZoneInfo) -> None:
    event_at = Instant(dates.start_of(day, zone) + offset)
    event_day = dates.local_date(event_at, zone)
    first = event_day if event_at == dates.start_of(event_day, zone) else event_day + timedelta(days=1)
    over = dates.start_of(last_covered_day(first, period) + timedelta(days=1), zone)
    assert dates.end_of(event_at, period, zone) == over


@given(DAYS, st.integers(1, MICROSECONDS_OF_A_DAY - 1), st.integers(1, MICROSECONDS_OF_A_DAY - 1), CALENDAR_PERIODS)
def test_the_hour_of_the_day_does_not_matter_to_a_period_of_days(
    day: date, one: int, other: int, period: Period
) -> None:
    start = dates.start_of(day, SEOUL)
    ends = {dates.end_of(Instant(start + offset), period, SEOUL) for offset in (one, other)}
    known_by_date = dates.end_of(dates.end_of_day(day, SEOUL), period, SEOUL)
    assert ends == {known_by_date}


@given(DAYS, DAYS, CALENDAR_PERIODS)
def test_what_happened_later_never_ends_earlier(one: date, other: date, period: Period) -> None:
    earlier, later = (dates.start_of(day, SEOUL) for day in sorted((one, other)))
    assert dates.end_of(earlier, period, SEOUL) <= dates.end_of(later, period, SEOUL)


@given(DAYS, st.integers(0, MICROSECONDS_OF_A_DAY - 1), st.integers(1, 2000), ZONES)
def test_hours_run_from_the_instant_and_never_move(day: date, offset: int, hours: int, zone: ZoneInfo) -> None:
    event_at = Instant(dates.start_of(day, zone) + offset)
    assert dates.end_of(event_at, Period(hours=hours), zone) - event_at == hours * HOUR


@given(DAYS, ZONES)
def test_a_fact_known_by_its_date_stands_at_the_end_of_that_day(day: date, zone: ZoneInfo) -> None:
    placed = dates.end_of_day(day, zone)
    assert dates.local_date(placed, zone) == day
    assert dates.local_date(Instant(placed + 1), zone) > day


@pytest.mark.parametrize(
    ("rule", "event", "over"),
    [
        ("tax-filing-deadline", "2026-01-01 00:00", "2027-04-01 00:00"),
        ("tax-filing-deadline", "2026-12-31 23:59", "2027-04-01 00:00"),
        ("closing-of-books", "2026-05-05 10:00", "2027-01-01 00:00"),
        ("month-end", "2028-02-10 10:00", "2028-03-01 00:00"),
        ("month-end", "2026-12-10 10:00", "2027-01-01 00:00"),
        ("year-end", "2026-12-31 23:59", "2027-01-01 00:00"),
    ],
)
def test_a_calendar_rule_is_over_when_its_date_is(rule: str, event: str, over: str) -> None:
    assert dates.calendar_end(rule, at(event), SEOUL) == at(over)


def test_five_years_from_the_filing_deadline_end_with_the_same_day_of_the_fifth_year() -> None:
    deadline = dates.calendar_end("tax-filing-deadline", at("2018-07-09 10:00"), SEOUL)
    assert dates.end_of(deadline, Period.parse("P5Y"), SEOUL) == at("2024-04-01 00:00")


@given(DAYS, st.sampled_from([None, *dates.CALENDAR_RULES]), CALENDAR_PERIODS)
def test_the_cut_off_of_a_sweep_is_the_last_day_whose_end_has_come(
    today: date, rule: str | None, period: Period
) -> None:
    now = Instant(dates.start_of(today, SEOUL) + 10 * HOUR)
    cut_off = date.fromordinal(dates.last_day_ended(now, rule, period, SEOUL))

    def over(day: date) -> bool:
        event_at = dates.end_of_day(day, SEOUL)
        anchored = dates.calendar_end(rule, event_at, SEOUL) if rule else event_at
        return dates.end_of(anchored, period, SEOUL) <= now

    assert over(cut_off)
    assert not over(cut_off + timedelta(days=1))


def test_what_has_not_happened_never_ends() -> None:
    assert dates.end_of(FOREVER, Period.parse("P1D"), SEOUL) == FOREVER
    assert dates.end_of(BEGINNING, Period.parse("P1D"), SEOUL) == BEGINNING
    assert dates.calendar_end("year-end", FOREVER, SEOUL) == FOREVER


@given(
    st.one_of(
        st.builds(Period, years=st.integers(0, 99), months=st.integers(0, 99), days=st.integers(1, 99)),
        st.builds(Period, hours=st.integers(1, 999)),
    )
)
def test_a_period_reads_back_as_it_is_written(period: Period) -> None:
    assert Period.parse(str(period)) == period


def test_twelve_months_stay_twelve_months_and_a_week_is_seven_days() -> None:
    assert str(Period.parse("P12M")) == "P12M"
    assert Period.parse("P2W") == Period(days=14)


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1", "1Y", "P1Y2", "P-1D", "P1.5Y", "PT30M", "P1DT1H", "p1y", "P1Y\n", "P201Y", "P٣D"]
)
def test_what_is_no_period_is_refused_with_the_words_of_the_user(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|choose") as refusal:
        Period.parse(text)
    assert f"`{text}`" in str(refusal.value)


def test_an_instant_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        dates.instant(datetime(2026, 1, 1))  # noqa: DTZ001 - a naive one is what must be refused


@given(DAYS, ZONES)
def test_an_instant_and_its_moment_are_the_same(day: date, zone: ZoneInfo) -> None:
    start = dates.start_of(day, zone)
    assert dates.instant(dates.moment(start, zone)) == start


@given(st.dates(date(1990, 1, 1), date(2030, 12, 31)), st.integers(1, 90))
def test_an_age_is_reached_on_the_birthday_and_not_the_day_before(birth: date, years: int) -> None:
    day = dates.birthday(birth, years)
    assert dates.age_on(birth, day) == years
    assert dates.age_on(birth, day - timedelta(days=1)) == years - 1


def test_who_is_born_on_a_leap_day_is_fourteen_on_the_first_of_march() -> None:
    assert dates.birthday(date(2012, 2, 29), 14) == date(2026, 3, 1)
    assert dates.birthday(date(2012, 2, 29), 16) == date(2028, 2, 29)
