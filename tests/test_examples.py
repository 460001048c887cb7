"""Two policies of invented houses, a Korean clinic and a European shop, run with no line of code of their own."""

from __future__ import annotations

import re
from datetime import datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

import upheld
from upheld.cli import app
from upheld.errors import Level
from upheld.ledger.report import State
from upheld.policy.findings import Standing, checked, held
from upheld.policy.notice import notice
from upheld.policy.read import read_policy
from upheld.simulate import Course
from upheld.system import simulated

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
CLINIC, SHOP = EXAMPLES / "clinic.yaml", EXAMPLES / "shop.yaml"
LAWS = {CLINIC: "kr@2026-11-22", SHOP: "eu@2026-11-22"}
BOTH = pytest.mark.parametrize("file", [CLINIC, SHOP], ids=lambda file: file.stem)
HANGUL = re.compile("[\uac00-\ud7a3]")


@BOTH
def test_an_example_passes_the_check_against_its_law_but_for_what_it_may_leave_out(file: Path) -> None:
    found = checked([file], LAWS[file])[file]
    assert {one.level for one in found} == {Level.ADVICE}
    assert {one.code for one in found} == {"law-silent-on"}


@BOTH
def test_what_the_check_finds_in_an_example_is_on_record_beside_it(file: Path) -> None:
    (told,) = held([file], LAWS[file]).values()
    assert {standing for _, standing in told.each} == {Standing.RECORDED}
    assert told.gone == ()


@BOTH
def test_the_cases_of_an_example_come_out_as_told(file: Path) -> None:
    said = CliRunner().invoke(app, ["test", str(file.with_suffix(".cases.yaml"))])
    assert said.exit_code == 0, said.stdout


@BOTH
def test_an_example_has_a_notice_in_each_of_its_languages_with_every_clause_in_it(file: Path) -> None:
    policy = read_policy(file.read_bytes(), file.name)
    carried = {one for row in policy.rows() for ids in row.clauses.values() for one in ids}
    for locale in policy.locales:
        page = notice(policy, locale)
        assert len(page) > 10_000
        missing = {one for one in carried if f'id="{one}"' not in page and not one.startswith("law: ")}
        assert missing == set()


def test_the_shop_in_europe_knows_no_korean_word() -> None:
    policy = read_policy(SHOP.read_bytes(), SHOP.name)
    assert policy.locales == ("en-IE", "en-GB")
    assert not HANGUL.search(SHOP.read_text("utf-8"))
    for locale in policy.locales:
        assert not HANGUL.search(notice(policy, locale))
    assert "Eircode" in notice(policy, "en-IE")
    assert "postcode" in notice(policy, "en-GB")


@BOTH
def test_a_year_under_an_example_ends_with_nothing_overdue_and_no_clause_broken(file: Path, tmp_path: Path) -> None:
    summary = simulated(file, tmp_path, Course(6, 1, 3), lambda progress: None)
    assert summary.verified
    assert not summary.kept.overdue
    zone = ZoneInfo(read_policy(file.read_bytes(), file.name).time_zone)
    clock = upheld.SetClock(datetime.combine(summary.last, time(23), zone))
    keeper = upheld.open(tmp_path, upheld.Options(clock=clock, light_hashing=True, durable=False))
    report = keeper.audit(read_policy(file.read_bytes(), file.name).policy)
    keeper.close()
    assert [one.clause for one in report.clauses if one.state is State.NOT_UPHELD] == []
