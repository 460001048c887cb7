"""`upheld check` against the record beside a policy: what is recorded passes, new fails, gone is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from upheld.cli import app
from upheld.errors import InputRefused
from upheld.policy.findings import beside, held, on_record

HOUSE = Path(__file__).resolve().parent.parent
LAW = "kr@2026-11-22"
NAMES = ("bizmeka-ez-2016", "bizmeka-ez-2018", "kt-enterprise-2022", "kt-mns-2018", "nexr-2017")


@pytest.fixture
def five(tmp_path: Path) -> list[Path]:
    """The five policies with their records, in a folder where they can be changed."""
    for name in NAMES:
        shutil.copy(HOUSE / "policies" / f"{name}.yaml", tmp_path)
        shutil.copy(HOUSE / "policies" / f"{name}.findings.yaml", tmp_path)
    return [tmp_path / f"{name}.yaml" for name in NAMES]


def check(*files: Path, more: tuple[str, ...] = ("--law", LAW)) -> Result:
    return CliRunner().invoke(app, ["check", *more, *map(str, files)])


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert text.count(old) == 1, f"{old}: {text.count(old)}"
    file.write_text(text.replace(old, new), "utf-8")


def test_the_five_as_they_are_pass_and_every_finding_is_marked_as_recorded(five: list[Path]) -> None:
    said = check(*five)
    assert said.exit_code == 0, said.stdout
    headings = [line for line in said.stdout.splitlines() if line.startswith(str(five[0].parent))]
    assert len(headings) > 400
    assert all(line.endswith("recorded)") for line in headings)
    assert said.stdout.splitlines()[-1].endswith(f"{len(headings)} recorded, 0 new, 0 gone from the record")


PLANTED = {
    "bizmeka-ez-2016": ("en: customer-facing staff", "en: staff for surveys", "purpose-elsewhere"),
    "bizmeka-ez-2018": ("site: privacy.kisa.or.kr, ", "", "agency-incomplete"),
    "kt-enterprise-2022": (
        "running and developing the website'",
        "running the website, deliveries'",
        "delivery-without-address",
    ),
    "kt-mns-2018": ("en: taking in}", "en: 'taking in, etc.'}", "open-list"),
    "nexr-2017": ("    phone: 1833-6972\n", "", "agency-incomplete"),
}
"""A text of each policy, what takes its place, and the flaw that this plants."""


@pytest.mark.parametrize("name", PLANTED)
def test_a_new_flaw_in_a_policy_fails_the_check_and_is_named(five: list[Path], name: str) -> None:
    old, new, code = PLANTED[name]
    file = five[NAMES.index(name)]
    change(file, old, new)
    said = check(*five)
    assert said.exit_code == 1
    headings = [line for line in said.stdout.splitlines() if line.endswith("NEW)")]
    assert any(line.startswith(f"{file}:") and f" {code} (" in line for line in headings), headings
    assert any(line.startswith(f"NEW in {file}: ") and code in line for line in said.stdout.splitlines())
    assert all(str(other) not in line for other in five if other != file for line in headings)


MENDED = {
    "bizmeka-ez-2016": (
        "  home-page:  {clause: BZ16-1.4.b, en: website,          ko: 홈페이지}",
        "  home-page:  {clause: BZ16-1.4.b, en: website, ko: 홈페이지, site: www.bizmeka.com}",
        "place-without-site",
    ),
    "bizmeka-ez-2018": (
        "date: 2018-07-09, reading: The same day as it holds; whoever agreed to more keeps it.}",
        "date: 2018-07-01}",
        "in-force-at-once",
    ),
    "kt-enterprise-2022": (
        "team: {ko: KT Enterprise 부문 Enterprise 마케팅팀, en: 'KT Enterprise division, Enterprise marketing team'}",
        "team: {ko: 보호팀, en: privacy team}",
        "officer-sells",
    ),
    "kt-mns-2018": (
        "ko: 보안장치(SSL)에 의한 안전한 전송,\n                     "
        "en: secure transmission (SSL), reading: SSL is obsolete; today's TLS takes its place.}",
        "ko: 안전한 전송, en: secure transmission}",
        "transport-obsolete",
    ),
    "nexr-2017": (
        "en: encryption of critical data, ko: 중요 데이터 암호화",
        "en: encryption of all data, ko: 모든 데이터 암호화",
        "important-undefined",
    ),
}
"""A text of each policy, what mends it, and the finding that goes."""


@pytest.mark.parametrize("name", MENDED)
def test_a_mended_flaw_is_told_as_gone_from_the_record_and_fails_nothing(five: list[Path], name: str) -> None:
    old, new, code = MENDED[name]
    file = five[NAMES.index(name)]
    change(file, old, new)
    said = check(*five)
    assert said.exit_code == 0, [line for line in said.stdout.splitlines() if "NEW" in line]
    lines = said.stdout.splitlines()
    at = lines.index(f"{beside(file)} {code} (GONE)")
    assert lines[at + 1].startswith("    recorded under `")
    assert "upheld check --law kr@2026-11-22 --record FILE..." in lines[-1]


def test_what_was_seen_goes_on_record_and_passes_from_then_on(five: list[Path]) -> None:
    old, new, _ = PLANTED["nexr-2017"]
    change(five[-1], old, new)
    assert check(five[-1]).exit_code == 1
    before = on_record(five[-1])
    assert before is not None
    assert check(five[-1], more=("--law", LAW, "--record")).exit_code == 0
    after = on_record(five[-1])
    assert after is not None
    assert after["kr@2018-07-09"] == before["kr@2018-07-09"]
    assert {*after} == {*before}
    assert check(five[-1]).exit_code == 0


def test_a_renumbered_clause_and_a_moved_line_are_nothing_new(five: list[Path]) -> None:
    file = five[-1]
    text = file.read_text("utf-8")
    file.write_text("# moved\n\n" + text.replace("NX17-9.4", "NX17-9.5"), "utf-8")
    assert check(file).exit_code == 0


def test_a_flaw_that_comes_twice_is_new_once(five: list[Path]) -> None:
    record = beside(five[-1])
    data = yaml.safe_load(record.read_text("utf-8"))
    lost = next(one for one in data["itself"] if one["code"] == "important-undefined")
    data["itself"].remove(lost)
    record.write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
    (told,) = held([five[-1]]).values()
    assert [one.code for one, standing in told.each if standing == "new"] == ["important-undefined"]
    data["itself"] += [lost, lost]
    record.write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
    (told,) = held([five[-1]]).values()
    assert [one.code for one in told.gone] == ["important-undefined"]


def test_without_a_record_findings_are_told_and_fail_nothing(five: list[Path]) -> None:
    beside(five[-1]).unlink()
    said = check(five[-1])
    assert said.exit_code == 0
    assert "recorded" not in said.stdout
    assert "NEW" not in said.stdout


def test_a_law_of_another_day_and_other_companions_are_not_compared(five: list[Path]) -> None:
    said = check(five[-1], more=("--law", "kr@2026-11-23"))
    assert said.exit_code == 0
    assert not any(line.endswith("NEW)") for line in said.stdout.splitlines())
    assert "0 new, 0 gone" in said.stdout
    said = check(*five[:2])
    assert said.exit_code == 0
    assert "0 new, 0 gone" in said.stdout


def test_a_record_that_is_none_is_refused_with_its_place(five: list[Path]) -> None:
    record = beside(five[-1])
    for text in ("- a list", "itself: {a: b}", "itself: [one]", "itself: [{code: x}]", "a: [b"):
        record.write_text(text, "utf-8")
        with pytest.raises(InputRefused, match=r"nexr-2017\.findings\.yaml"):
            on_record(five[-1])


def test_an_error_is_never_recorded(five: list[Path]) -> None:
    before = beside(five[-1]).read_bytes()
    change(five[-1], "upheld: 1\n", "upheld: 1\nadvertisement: 1\n")
    said = check(five[-1], more=("--record",))
    assert said.exit_code == 1
    assert beside(five[-1]).read_bytes() == before


def test_a_program_reads_standing_clauses_and_law(five: list[Path]) -> None:
    change(five[-1], *MENDED["nexr-2017"][:2])
    said = check(five[-1], more=("--law", LAW, "--format", "json"))
    rows = json.loads(said.stdout)
    assert {row["standing"] for row in rows} == {"recorded", "gone"}
    short = next(row for row in rows if row["code"] == "law-access-record-short")
    assert short["at"] == "safeguards.access-records"
    assert "NX17-6.6.a" in short["clauses"]
    assert short["law"] == "Safety Standards 8(1) [SAFE, M]"
