"""One policy held against the law of three days: what comes and goes, and the rule that began or ended."""

from __future__ import annotations

from datetime import date
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest

from upheld.law import PACKS, LawOfDay, Rule, law_on
from upheld.policy.findings import Finding, findings_against
from upheld.policy.read import read_policy

HOUSE = Path(__file__).resolve().parent.parent
NAMES = ("bizmeka-ez-2016", "bizmeka-ez-2018", "kt-enterprise-2022", "kt-mns-2018", "nexr-2017")
DAYS = (date(2018, 7, 9), date(2023, 9, 20), date(2026, 11, 22))
PAIRS = tuple(combinations(DAYS, 2))


@cache
def found(name: str, day: date) -> tuple[Finding, ...]:
    policy = read_policy((HOUSE / "policies" / f"{name}.yaml").read_bytes(), name)
    return findings_against(policy, law_on("kr", day))


def told(name: str, day: date) -> dict[tuple[str, str, str], Finding]:
    """Findings by code, element and message."""
    return {(one.code, one.path, one.message): one for one in found(name, day)}


def versions(code: str) -> list[Rule]:
    return [rule for rule in PACKS["kr"].rules if rule.code == code]


def began_or_ended(code: str, first: date, last: date) -> bool:
    """Whether a row of that code begins or ends after the first day and up to the last."""
    days = [day for rule in versions(code) for day in (rule.since, rule.until) if day]
    return any(first < day <= last for day in days)


def code_of(law: LawOfDay, rule: Rule) -> str:
    assert law.rule(rule.code) == rule
    return rule.code


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0].year}-{pair[1].year}")
@pytest.mark.parametrize("name", NAMES)
def test_a_policy_shows_more_on_a_later_day(name: str, pair: tuple[date, date]) -> None:
    before, after = (told(name, day) for day in pair)
    assert {*after} - {*before}, "the law changed between these days and the policy did not"
    assert {*after} != {*before}


ASKS_TOGETHER = {
    "law-exception-repealed": ("one-rule",),
    "law-right-missing": ("rights", "portability"),
    "law-access-record-short": ("access-record.kept-long",),
    "law-access-record-unsaid": ("access-record.kept-long",),
}
"""Findings that hang on a second rule besides the one they cite."""


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0].year}-{pair[1].year}")
@pytest.mark.parametrize("name", NAMES)
def test_what_comes_or_goes_between_two_days_has_a_rule_that_began_or_ended(name: str, pair: tuple[date, date]) -> None:
    before, after = (told(name, day) for day in pair)
    for key in {*before} ^ {*after}:
        one = after.get(key) or before[key]
        assert one.rule is not None
        law = law_on("kr", pair[1] if key in after else pair[0])
        codes = (code_of(law, one.rule), *ASKS_TOGETHER.get(one.code, ()))
        assert any(began_or_ended(code, *pair) for code in codes), (one.code, codes)


CASES = [
    ("nexr-2017", "law-access-record-short", (False, True, True), "2019-06-07", "half a year was enough before"),
    ("nexr-2017", "law-form-moved", (False, True, True), "2020-08-05", "the forms moved to a notice"),
    ("bizmeka-ez-2018", "law-repealed-cited", (False, True, True), "2020-08-05", "the privacy chapter moved"),
    ("kt-mns-2018", "law-consent-needless", (False, True, True), None, "entrusting is published, not agreed to"),
    ("kt-enterprise-2022", "law-sub-entrustment", (False, True, True), "2023-09-15", "sub-processors are approved"),
    ("bizmeka-ez-2016", "law-exception-repealed", (False, True, True), "2023-09-15", "difficulty is no ground"),
    ("bizmeka-ez-2016", "law-log-review-unsaid", (False, True, False), "2019-06-07", "a month until 2026-10-30"),
]


@pytest.mark.parametrize(("name", "code", "days", "since", "why"), CASES, ids=lambda one: str(one)[:40])
def test_a_finding_holds_on_the_days_of_its_rule(
    name: str, code: str, days: tuple[bool, bool, bool], since: str | None, why: str
) -> None:
    assert tuple(code in {one.code for one in found(name, day)} for day in DAYS) == days, why
    if since:
        day = DAYS[days.index(True)]
        rules = [one.rule for one in found(name, day) if one.code == code and one.rule]
        began = {rule.since for rule in rules} | {
            rule.since for other in ASKS_TOGETHER.get(code, ()) for rule in versions(other)
        }
        assert date.fromisoformat(since) in began, began


def test_what_policies_pass_over_grows_with_the_law() -> None:
    for name in NAMES:
        silent = [sum(one.code == "law-silent-on" for one in found(name, day)) for day in DAYS]
        assert silent[0] < silent[1] < silent[2]


def test_portability_is_missing_from_the_day_on_which_it_began() -> None:
    missing = [
        any("portability" in one.message for one in found("bizmeka-ez-2018", day) if one.code == "law-right-missing")
        for day in DAYS
    ]
    assert missing == [False, False, True]
