"""The law of a day: rows that begin and end on their days, and an engine that reckons with the same numbers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.dates import Period
from upheld.engine import compile as compiling
from upheld.engine.country import AGE_OF_CONSENT, TEN_DAYS, THIRTY_DAYS, law_of
from upheld.law import PACKS, Confidence, LawUnknown, Rule, contradictions, law_in, law_named, law_on
from upheld.law.rows import on_day
from upheld.law.stricter import By, at_least, at_most
from upheld.policy import silence
from upheld.policy.ends import Plus
from upheld.policy.model import Upkeep
from upheld.policy.plain import NIGHT
from upheld.policy.read import read_policy
from upheld.policy.vocabulary import Basis, RightName, TransferBasis

KR = PACKS["kr"]
SMALLEST = Path(__file__).parent / "documents" / "good" / "smallest.yaml"
TODAY = law_on("kr", date(2026, 11, 22))


# ------------------------------------------------------------------------------------------------------ the tables


@pytest.mark.parametrize("country", PACKS)
def test_no_two_rows_of_one_code_hold_on_one_day(country: str) -> None:
    assert contradictions(PACKS[country].rules) == ()


def test_rows_that_overlap_or_end_before_they_begin_are_contradictions() -> None:
    def row(since: str, until: str | None, code: str = "x") -> Rule:
        end = date.fromisoformat(until) if until else None
        return Rule(code, "1", True, "", "A", Confidence.HIGH, date.fromisoformat(since), end)

    assert contradictions([row("2020-01-01", "2021-01-01"), row("2021-01-01", None)]) == ()
    assert contradictions([row("2020-01-01", "2021-01-02"), row("2021-01-01", None)]) == ("x",)
    assert contradictions([row("2021-01-01", "2020-01-01", "y")]) == ("y",)


@pytest.mark.parametrize("country", PACKS)
def test_every_row_says_its_article_its_source_and_how_sure_it_is(country: str) -> None:
    pack = PACKS[country]
    for rule in pack.rules:
        assert rule.article
        assert rule.says
        assert rule.source in pack.sources
        assert rule.confidence in Confidence
        assert rule.since is None or rule.since >= pack.reaches_from
        assert rule.until is None or rule.until > pack.reaches_from
    assert {rule.source for rule in pack.rules} == {*pack.sources}


def test_what_is_known_second_hand_is_not_called_read() -> None:
    weak = {"SAFE", "SAFE-old", "SAFE-new8", "STD", "GUIDE", "FIN2", "MED", "NET", "OLD", "LOC", "P2P"}
    assert {rule.code for rule in KR.rules if rule.source in weak and rule.confidence is Confidence.HIGH} == set()
    assert {rule.confidence for rule in PACKS["eu"].rules} == {Confidence.MIDDLE}


def test_a_row_that_follows_another_begins_on_the_day_that_one_ends() -> None:
    by_code: dict[str, list[Rule]] = {}
    for rule in KR.rules:
        by_code.setdefault(rule.code, []).append(rule)
    changed = {code: rules for code, rules in by_code.items() if len(rules) > 1}
    assert {*changed} >= {"access-record.kept", "transfer.fields", "breach.contents"}
    for rules in changed.values():
        for old, new in pairwise(rules) if rules[0].until else pairwise(rules[::-1]):
            assert old.until == new.since


# --------------------------------------------------------------------------------------------------------- look-up


@pytest.mark.parametrize(
    ("code", "first"),
    [
        ("network-act.moved", "2020-08-05"),
        ("sub-entrustment.approved", "2023-09-15"),
        ("automated.answered", "2024-03-15"),
        ("consent.conditions", "2024-09-15"),
        ("portability", "2025-03-13"),
        ("transfer.recognised", "2025-09-16"),
        ("breach.possible-told", "2026-09-11"),
        ("access-record.review-by-plan", "2026-10-31"),
        ("contents.ai", "2027-03-09"),
        ("certification.mandatory", "2027-07-01"),
    ],
)
def test_a_rule_holds_from_its_first_day_on(code: str, first: str) -> None:
    day = date.fromisoformat(first)
    assert not law_on("kr", day - timedelta(days=1)).holds(code)
    assert law_on("kr", day).holds(code)


@pytest.mark.parametrize(
    ("code", "last"),
    [
        ("network-act.privacy", "2020-08-04"),
        ("dormant.separated", "2023-09-14"),
        ("access-record.reviewed", "2026-10-30"),
    ],
)
def test_a_repealed_rule_holds_on_its_last_day_and_no_longer(code: str, last: str) -> None:
    day = date.fromisoformat(last)
    assert law_on("kr", day).holds(code)
    assert not law_on("kr", day + timedelta(days=1)).holds(code)


def test_access_records_stay_as_long_as_the_law_of_the_day_says() -> None:
    assert law_on("kr", date(2018, 7, 9)).period("access-record.kept") == Period(months=6)
    assert TODAY.period("access-record.kept") == Period(years=1)
    assert TODAY.period("access-record.kept-long") == Period(years=2)
    assert TODAY.number("access-record.many") == 50_000


@given(st.dates(date(2016, 1, 1), date(2030, 12, 31)))
def test_a_day_has_each_code_once_and_only_rows_in_force(day: date) -> None:
    law = on_day(KR, day)
    assert all(rule.holds_on(day) and rule.code == code for code, rule in law.rules.items())
    assert len(law.rules) == sum(rule.holds_on(day) for rule in KR.rules)


def test_a_day_after_the_table_was_read_is_marked() -> None:
    assert not TODAY.foreseen
    assert law_on("kr", date(2027, 3, 9)).foreseen


def test_a_getter_of_another_kind_is_a_mistake_and_not_an_answer() -> None:
    assert TODAY.period("no-such-rule") is None
    assert TODAY.words("no-such-rule") == ()
    with pytest.raises(TypeError):
        TODAY.number("access-record.kept")
    with pytest.raises(TypeError):
        TODAY.number("one-rule")


def test_a_law_is_named_by_country_and_day() -> None:
    assert law_named("kr@2026-11-22").name == "kr@2026-11-22"
    for text in ("kr", "kr@", "kr@today", "xx@2026-11-22", "kr@2015-12-31", "eu@2018-05-24"):
        with pytest.raises(LawUnknown):
            law_named(text)


def test_the_law_of_a_house_is_told_by_its_time_zone() -> None:
    day = date(2026, 11, 22)
    assert law_in("Asia/Seoul", day).name == "kr@2026-11-22"
    assert law_in("Europe/Dublin", day).name == "eu@2026-11-22"
    assert not law_in("America/Lima", day).rules


def test_rules_are_listed_by_the_first_part_of_their_code() -> None:
    codes = {rule.code for rule in TODAY.under("hold")}
    assert {"hold.tax-5", "hold.ec-con", "hold.cs-12"} <= codes
    assert all(code.startswith("hold.") for code in codes)


# ------------------------------------------------------------------------------------------------------------ Europe


def test_europe_asks_for_an_answer_within_a_month_and_korea_within_ten_days() -> None:
    europe = law_named("eu@2026-11-22")
    assert europe.period("rights.answered") == Period(months=1)
    assert TODAY.period("rights.answered") == Period(days=10)
    assert len(europe.words("bases")) == 6
    assert len(TODAY.words("bases")) == 7
    assert len(europe.words("record")) == 7


# ----------------------------------------------------------------------------- the numbers that the engine reckons with


def test_the_engine_reckons_with_the_numbers_of_the_rows() -> None:
    law, country = TODAY, law_of("Asia/Seoul", TODAY.day)
    held: Mapping[str, object] = {
        "rights.answered": country.answered,
        "automated.answered": country.automated,
        "destruction.within": country.destroyed_within([], Period(years=9)),
        "advertising.reconfirmed": country.reconfirmed,
        "children.age": country.child_under(None),
    }
    for code, number in held.items():
        rule = law.rule(code)
        assert rule is not None
        assert rule.value == number, code
    begins, ends = law.number("advertising.night-from"), law.number("advertising.night-until")
    assert begins is not None
    assert ends is not None
    assert [country.is_night(hour) for hour in range(24)] == [hour >= begins or hour < ends for hour in range(24)]


def test_what_is_ours_where_no_law_is_known_is_what_korea_asks() -> None:
    assert TODAY.period("rights.answered") == TEN_DAYS == silence.TEN_DAYS.period
    assert TODAY.period("destruction.within") == compiling.GRACE == silence.FIVE_DAYS.period
    assert TODAY.period("automated.answered") == THIRTY_DAYS
    assert TODAY.number("children.age") == AGE_OF_CONSENT == silence.FOURTEEN
    assert (TODAY.number("advertising.night-from"), TODAY.number("advertising.night-until")) == NIGHT


def test_those_numbers_held_on_every_day_that_the_five_policies_were_made() -> None:
    for day in (date(2016, 8, 31), date(2017, 9, 8), date(2018, 7, 9), date(2018, 7, 31), date(2022, 1, 19)):
        law = law_of("Asia/Seoul", day)
        assert law.child_under(None) == AGE_OF_CONSENT
        assert law.answered == TEN_DAYS
        assert law.destroyed_within([Period(years=1)], Period(years=9)) == compiling.GRACE


def test_access_records_stay_by_default_as_long_as_the_longest_rule() -> None:
    upkeep = silence._upkeep_builtin(read_policy(SMALLEST.read_bytes(), "smallest.yaml"))["access-records"]
    assert isinstance(upkeep, Upkeep)
    assert isinstance(upkeep.until, Plus)
    assert upkeep.until.period == TODAY.period("access-record.kept-long")


@pytest.mark.parametrize(
    ("promised", "holds", "by"),
    [(None, "P10D", By.LAW), ("P3D", "P3D", By.PROMISE), ("P10D", "P10D", By.PROMISE), ("P2M", "P10D", By.LAW)],
)
def test_the_shorter_of_two_deadlines_holds(promised: str | None, holds: str, by: By) -> None:
    decided = at_most(Period.parse(promised) if promised else None, TODAY, "rights.answered")
    assert decided is not None
    assert (str(decided.period), decided.by) == (holds, by)
    assert decided.rule == TODAY.rule("rights.answered")


@pytest.mark.parametrize(
    ("promised", "holds", "by"),
    [(None, "P1Y", By.LAW), ("P6M", "P1Y", By.LAW), ("P12M", "P12M", By.PROMISE), ("P3Y", "P3Y", By.PROMISE)],
)
def test_the_longer_of_two_times_of_keeping_holds(promised: str | None, holds: str, by: By) -> None:
    decided = at_least(Period.parse(promised) if promised else None, TODAY, "access-record.kept")
    assert decided is not None
    assert (str(decided.period), decided.by) == (holds, by)


def test_where_the_law_is_silent_the_promise_holds_alone() -> None:
    assert at_least(None, TODAY, "no-such-rule") is None
    decided = at_least(Period(days=1), TODAY, "no-such-rule")
    assert decided is not None
    assert (decided.by, decided.rule) == (By.PROMISE, None)


def test_the_words_of_the_language_are_those_of_the_rows() -> None:
    assert {*TODAY.words("bases")} == {basis.value for basis in Basis}
    assert {*TODAY.words("transfer.bases")} == {basis.value for basis in TransferBasis}
    assert {*TODAY.words("rights")} < {right.value for right in RightName}
