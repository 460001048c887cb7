"""Findings: each check sees its flaw and leaves a sound document alone; the five policies keep their real ones.

What is found in the five stands beside them (`policies/*.findings.yaml`); a finding more or less fails here, and
`make accept` or `upheld check --record` rewrites the files, to be read in `git diff`.
"""

from __future__ import annotations

import ast
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from pathlib import Path

import pytest
import yaml

from upheld.dates import Period
from upheld.errors import Level, PolicyRefused, Problem
from upheld.law import LawUnknown, law_named, law_on
from upheld.law.stricter import By
from upheld.policy.change import changes_between
from upheld.policy.change_rules import Demand
from upheld.policy.codes import CODES
from upheld.policy.findings import (
    Finding,
    Size,
    Standing,
    Told,
    access_records_kept,
    as_record,
    beside,
    checked,
    findings_against,
    findings_among,
    findings_in,
    held,
    is_refused,
)
from upheld.policy.findings.codes import AMONG, FINDINGS, ITSELF, LAW
from upheld.policy.model import Policy
from upheld.policy.read import read_policy

HOUSE = Path(__file__).parent.parent
BAD = sorted((HOUSE / "tests" / "documents" / "findings").glob("*.yaml"))
SOUND = HOUSE / "tests" / "documents" / "sound.yaml"
POLICIES = sorted(path for path in (HOUSE / "policies").glob("*.yaml") if len(path.suffixes) == 1)
ACCEPT = os.environ.get("UPHELD_ACCEPT") == "1"
DAYS = ("kr@2018-07-09", "kr@2023-09-20", "kr@2026-11-22")
TODAY = law_named(DAYS[-1])


@cache
def policy_in(path: Path) -> Policy:
    """A document, read once."""
    return read_policy(path.read_bytes(), path.name)


@cache
def of(name: str) -> tuple[Finding, ...]:
    """What is found in one of the five by itself."""
    return findings_in(policy_in(HOUSE / "policies" / f"{name}.yaml"))


def codes(findings: Iterable[Finding]) -> Counter[str]:
    """How often each code."""
    return Counter(one.code for one in findings)


# ------------------------------------------------------------------------------------------------------- each check


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_flaw_is_found_where_it_stands(path: Path) -> None:
    policy = policy_in(path)
    law = re.search(r"^# law: (\S+)$", path.read_text("utf-8"), re.M)
    findings = findings_against(policy, law_named(law[1])) if law else findings_in(policy)
    seen = [one for one in findings if one.code == path.stem]
    assert seen, codes(findings)
    for one in seen:
        assert one.level is not Level.ERROR
        assert min(one.line, one.column) >= 1
        assert policy.row(one.path) is not None
        assert one.message
        assert one.remedy
        assert bool(one.rule) == bool(law)
        assert one.clauses, "a finding names the clause it is about"


def test_every_code_has_a_document_with_that_flaw() -> None:
    assert {path.stem for path in BAD} == {*FINDINGS} - {*AMONG}


def test_a_code_of_a_finding_is_never_one_of_an_error() -> None:
    assert not {*FINDINGS} & {*CODES}


def test_a_sound_document_has_no_finding() -> None:
    assert findings_in(policy_in(SOUND)) == ()


def test_a_sound_document_lacks_only_what_it_may_lack() -> None:
    assert {*codes(findings_against(policy_in(SOUND), TODAY))} <= {"law-silent-on"}


def test_a_sound_document_lacks_only_what_it_may_lack_in_europe() -> None:
    left = findings_against(policy_in(SOUND), law_named("eu@2026-11-22"))
    assert {*codes(left)} <= {"law-silent-on", "law-child-age"}


def test_bodies_and_laws_that_a_house_tells_in_two_ways_are_found() -> None:
    findings = findings_among([policy_in(path) for path in POLICIES])
    assert {*codes(findings)} == {*AMONG}
    police = [one for one in findings if one.path == "agencies.police"]
    assert len(police) == 5
    assert "1566-0112, 182" in police[0].message
    assert findings_among([policy_in(POLICIES[0])]) == ()


# --------------------------------------------------------------------------------------------------------- the law


def test_the_law_of_the_day_decides_what_is_found() -> None:
    policy = policy_in(HOUSE / "policies" / "bizmeka-ez-2018.yaml")
    old, turn, today = ({*codes(findings_against(policy, law_named(day)))} for day in DAYS)
    assert "law-repealed-cited" not in old
    assert "law-exception-repealed" not in old
    assert {"law-repealed-cited", "law-exception-repealed", "law-consent-needless"} <= turn & today
    silent = [sum(o.code == "law-silent-on" for o in findings_against(policy, law_named(day))) for day in DAYS]
    assert silent[0] < silent[1] < silent[2]


@pytest.mark.clauses("NX17-6.6.a")
def test_half_a_year_of_access_records_was_enough_and_is_no_more() -> None:
    policy = policy_in(HOUSE / "policies" / "nexr-2017.yaml")
    assert not [one for one in findings_against(policy, law_named("kr@2018-07-09")) if "access-record" in one.code]
    (short,) = [o for o in findings_against(policy, TODAY) if o.code == "law-access-record-short"]
    assert short.clauses[-1] == "NX17-6.6.a"
    assert "P1Y" in short.message
    assert short.rule is not None
    assert short.rule.article == "Safety Standards 8(1)"
    assert "Safety Standards 8(1) [SAFE, M]" in str(short)


def test_sensitive_data_asks_for_the_longer_record() -> None:
    policy = policy_in(HOUSE / "policies" / "bizmeka-ez-2018.yaml")
    (unsaid,) = [o for o in findings_against(policy, TODAY) if o.code == "law-access-record-unsaid"]
    assert "P2Y" in unsaid.message


def test_a_large_controller_and_a_carrier_keep_access_records_longer() -> None:
    nexr = policy_in(HOUSE / "policies" / "nexr-2017.yaml")

    def asked(size: Size) -> str:
        (short,) = [o for o in findings_against(nexr, TODAY, size) if o.code == "law-access-record-short"]
        return short.message

    assert "asks for P1Y" in asked(Size(persons=49_999))
    assert "asks for P2Y since there are 50000 persons" in asked(Size(persons=50_000))
    assert "asks for P2Y for a registered carrier" in asked(Size(carrier=True))


def test_the_stricter_of_promise_and_law_holds_and_is_named() -> None:
    nexr = policy_in(HOUSE / "policies" / "nexr-2017.yaml")
    by_law = access_records_kept(nexr, TODAY, Size())
    assert by_law is not None
    assert (by_law.period, by_law.by) == (Period(years=1), By.LAW)
    by_promise = access_records_kept(nexr, law_named("kr@2018-07-09"), Size())
    assert by_promise is not None
    assert (by_promise.period, by_promise.by) == (Period(months=6), By.PROMISE)


def test_a_country_is_recognised_from_its_day_on() -> None:
    source = (HOUSE / "tests" / "documents" / "findings" / "law-country-unrecognised.yaml").read_text("utf-8")
    policy = read_policy(source.replace("stored-in: JP", "stored-in: DE").encode(), "germany.yaml")

    def strange(day: date) -> bool:
        return "law-country-unrecognised" in codes(findings_against(policy, law_on("kr", day)))

    assert strange(date(2025, 9, 15))
    assert not strange(date(2025, 9, 16))


# ------------------------------------------------------------------------------------------------- the five policies


@cache
def told(day: str) -> Mapping[Path, Told]:
    """What `upheld check --law` tells of the five together, held against the records beside them."""
    return held(POLICIES, day)


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_the_findings_of_a_policy_are_those_recorded_beside_it(path: Path) -> None:
    sections: dict[str, tuple[Problem, ...]] = {}
    for day in DAYS:
        sections |= told(day)[path].sections
    text = as_record(sections)
    if ACCEPT:
        beside(path).write_text(text, encoding="utf-8")
    assert yaml.safe_load(beside(path).read_text("utf-8")) == yaml.safe_load(text)


@pytest.mark.parametrize("day", DAYS)
def test_a_check_of_the_five_prints_the_recorded_findings_and_nothing_else(day: str) -> None:
    for one in told(day).values():
        assert {standing for _, standing in one.each} == {Standing.RECORDED}
        assert one.gone == ()


@pytest.mark.clauses("BZ18-7.1.6", "BZ18-8.1.13", "BZ18-8.1.8", "BZ18-9.3.b", "BZ18-13.b")
def test_the_flaws_of_bizmeka_2018_are_seen() -> None:
    found = {(one.code, clause) for one in of("bizmeka-ez-2018") for clause in one.clauses}
    assert ("recipient-without-purpose", "BZ18-7.1.6") in found
    assert ("processor-without-task", "BZ18-8.1.13") in found
    assert ("processor-and-recipient", "BZ18-8.1.8") in found
    assert ("withdrawal-harder", "BZ18-9.3.b") in found
    assert ("in-force-at-once", "BZ18-13.b") in found


@pytest.mark.clauses("KE22-8.0-r6", "KE22-9.3", "MS18-4.2.e", "MS18-1.5-1", "NX17-2.1.b")
def test_the_flaws_of_the_others_are_seen() -> None:
    found = {
        (one.code, clause)
        for name in ("kt-enterprise-2022", "kt-mns-2018", "nexr-2017")
        for one in of(name)
        for clause in one.clauses
    }
    assert ("two-periods", "KE22-8.0-r6") in found
    assert ("paper-by-phone", "KE22-9.3") in found
    assert ("numbering-gap", "MS18-4.2.e") in found
    assert ("told-by-unknown-address", "MS18-1.5-1") in found
    assert ("statute-unnamed", "NX17-2.1.b") in found


# ----------------------------------------------------------------------------------------------------------- checked


def test_checked_tells_errors_or_findings_and_passes_over_files_beside(tmp_path: Path) -> None:
    bad, cases = tmp_path / "bad.yaml", tmp_path / "sound.cases.yaml"
    bad.write_text("upheld: 2\n", "utf-8")
    cases.write_text("[]", "utf-8")
    found = checked([SOUND, bad, cases], DAYS[-1])
    assert {*found} == {SOUND, bad}
    assert is_refused(found[bad])
    assert not is_refused(found[SOUND])
    with pytest.raises(LawUnknown, match="kr@2026-11-22"):
        checked([SOUND], "kr")


# --------------------------------------------------------------------------------------------------------- the pages


def test_the_page_of_checks_tells_every_code() -> None:
    page = (HOUSE / "docs" / "checks.md").read_text("utf-8")
    told = dict(re.findall(r"^\| `([a-z-]+)` \| ([^|]+?) \|", page, re.M))
    assert {code: told.get(code) for code in FINDINGS} == FINDINGS


DOUBT = re.compile(r"^\| ((?:BZ16|BZ18|NX17|KE22|MS18)-\S+) \| (found|part|settled|writing|person) \| (\S+) \|$", re.M)
WAYS = ("found", "part", "settled", "writing", "person")
PERSON = {"wording", "meaning", "silence", "world", "compare"}
CATALOGUES = {
    "BZ16": "bizmeka-ez-2016",
    "BZ18": "bizmeka-ez-2018",
    "NX17": "nexr-2017",
    "KE22": "kt-enterprise-2022",
    "MS18": "kt-mns-2018",
}


def doubts() -> list[tuple[str, str, str]]:
    """The rows of docs/doubts.md: clause, how it comes to light, code or reason."""
    return DOUBT.findall((HOUSE / "docs" / "doubts.md").read_text("utf-8"))


def test_a_doubt_called_found_is_found_at_its_clause() -> None:
    seen: set[tuple[str, str]] = set()
    for path in POLICIES:
        policy = policy_in(path)
        findings = [*findings_in(policy), *(o for day in DAYS for o in findings_against(policy, law_named(day)))]
        seen |= {(clause, one.code) for one in findings for clause in one.clauses}
    seen |= {(c, one.code) for one in findings_among([policy_in(path) for path in POLICIES]) for c in one.clauses}
    two = [policy_in(HOUSE / "policies" / f"bizmeka-ez-{year}.yaml") for year in (2016, 2018)]
    demanding = [one for one in changes_between(*two).differences if one.demand is not Demand.NOTHING]
    seen |= {(clause, "diff") for one in demanding for clause in (*one.old_clauses, *one.new_clauses)}
    claimed = {(clause, code) for clause, how, code in doubts() if how in {"found", "part", "settled"}}
    assert claimed - seen == set()


def test_a_doubt_called_caught_at_writing_has_a_code_with_a_bad_document() -> None:
    bad = {path.stem for path in (HOUSE / "tests" / "documents" / "bad").glob("*.yaml")}
    assert {code for _, how, code in doubts() if how == "writing"} <= {*CODES} & bad
    assert {code for _, how, code in doubts() if how == "person"} <= PERSON


def test_the_counts_of_doubts_are_those_of_the_table() -> None:
    page = (HOUSE / "docs" / "doubts.md").read_text("utf-8")
    counts = Counter((clause.partition("-")[0], how) for clause, how, _ in doubts())
    for short, name in CATALOGUES.items():
        row = [counts[short, how] for how in WAYS]
        assert f"| {name} | {sum(row)} | {' | '.join(map(str, row))} |" in page
    total = [sum(counts[short, how] for short in CATALOGUES) for how in WAYS]
    assert f"| all | {sum(total)} | {' | '.join(map(str, total))} |" in page


def test_the_reasons_why_a_person_is_needed_are_counted_on_the_page() -> None:
    page = (HOUSE / "docs" / "doubts.md").read_text("utf-8")
    told = {reason: int(times) for reason, times in re.findall(r"^  - `([a-z]+)` \((\d+)\)", page, re.M)}
    assert told == Counter(code for _, how, code in doubts() if how == "person")


def test_a_doubt_called_settled_has_a_reading_and_no_check_of_its_own() -> None:
    assert {code for _, how, code in doubts() if how == "settled"} == {"settled-by-reading"}
    assert "settled-by-reading" not in {code for _, how, code in doubts() if how != "settled"}


def test_every_doubt_of_the_catalogues_is_accounted_for_once() -> None:
    listed = Counter(clause for clause, _, _ in doubts())
    assert [clause for clause, times in listed.items() if times > 1] == []
    folder = Path(os.environ.get("UPHELD_CATALOGUES", HOUSE.parent / "shared" / "clauses"))
    for short, name in CATALOGUES.items():
        file = folder / f"{name}.yaml"
        if not file.exists():
            print(f"{name}: no catalogue here, its doubts are not counted against it")
            continue
        entries = yaml.safe_load(file.read_text("utf-8"))
        held = {one["id"] for one in entries if "doubt" in one}
        assert held == {clause for clause in listed if clause.startswith(f"{short}-")}


def test_nothing_is_read_with_a_clock() -> None:
    for file in (HOUSE / "src" / "upheld" / "law").glob("*.py"):
        names = {node.attr for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Attribute)}
        assert not names & {"today", "now", "time"}


def test_a_refused_document_is_told_its_errors_alone() -> None:
    path = HOUSE / "tests" / "documents" / "bad" / "name-unknown.yaml"
    with pytest.raises(PolicyRefused) as refused:
        read_policy(path.read_bytes(), str(path))
    assert checked([path])[path] == refused.value.problems


def test_the_three_tables_of_codes_share_none() -> None:
    assert len(FINDINGS) == len(ITSELF) + len(AMONG) + len(LAW)


BEHIND = re.compile(r"^\| ((?:(?:BZ16|BZ18|NX17|KE22|MS18) ?)+) \| [^|]+ \| `([a-z-]+)` \|$", re.M)


def test_where_the_five_are_behind_the_law_is_found_in_each() -> None:
    rows = BEHIND.findall((HOUSE / "docs" / "checks.md").read_text("utf-8"))
    assert len(rows) > 30
    found: dict[str, set[str]] = {}
    for short, name in CATALOGUES.items():
        findings = (*of(name), *findings_against(policy_in(HOUSE / "policies" / f"{name}.yaml"), TODAY))
        found[short] = {*codes(findings)}
    missing = [(short, code) for names, code in rows for short in names.split() if code not in found[short]]
    assert missing == []
