"""How the clause report is said: codes, JSON, page and text; samples of cases; from findings to a state."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import upheld
from tests.audited import story
from upheld.dates import Instant
from upheld.keeper.safeguards import missing
from upheld.ledger.report import (
    FINDINGS,
    NOTES,
    WHAT,
    Breach,
    Exhibit,
    Finding,
    Report,
    Span,
    State,
    answered,
    as_html,
    as_json,
    as_text,
)

DAY = 86_400_000_000


def test_every_code_that_a_report_can_say_has_words_in_both_languages() -> None:
    keeper = Path(upheld.keeper.__file__).parent
    source = "".join(path.read_text("utf-8") for path in sorted(keeper.glob("*.py")))
    makers = "Breach|Answer|_broken|_act|_breaches|_read_wrong|_note_late"
    # What a transport answers begins with `Handed`: no finding of the audit.
    said = set(re.findall(rf"(?:{makers})\((?!Handed\b)[^\"()]*\"([a-z-]+)\"", source))
    assert len(said) > 20
    assert said <= set(WHAT) <= set(re.findall(r'"([a-z-]+)"', source))
    assert all(re.search("[가-힣]", korean) for _, korean in WHAT.values())
    notes = set(re.findall(r'note="([a-z-]+)"', source))
    assert notes
    assert notes <= set(NOTES)


def test_every_code_that_a_report_can_say_is_named_by_a_test() -> None:
    files = [one for one in Path(__file__).parent.glob("test_*.py") if one != Path(__file__)]
    named = {code for one in files for code in re.findall(r'"([a-z-]+)[:"]', one.read_text("utf-8"))}
    assert [code for code in (*WHAT, *NOTES, *FINDINGS) if code and code not in named] == []


# ── A sample of cases ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_seed_draws_the_same_cases_with_their_certificates() -> None:
    house = story("nexr-2017").house
    first = house.audit(sample=3, seed=11)
    again = house.audit(sample=3, seed=11)
    other = house.audit(sample=3, seed=12)
    drawn = [one.cases for one in first.clauses]
    assert drawn == [one.cases for one in again.clauses]
    assert drawn != [one.cases for one in other.clauses]
    destroyed = first.clause("NX17-5.2.a").cases
    assert 0 < len(destroyed) <= 3
    issued = set(house.keeper.certificates("nexr"))
    named = {certificate for case in destroyed for certificate in case.certificates}
    on_file = sorted(named & issued)  # those of people forgotten since are gone with them
    assert on_file
    assert house.keeper.certificate(on_file[0])


# ── Written down ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_json_lists_a_clause_each_with_state_since_and_evidence() -> None:
    rows = json.loads(as_json(story("nexr-2017").mended))
    assert {row["state"] for row in rows} == {"upheld", "not-upheld", "no-evidence-yet", "stated"}
    for row in rows:
        assert {"clause", "state", "since", "evidence", "elements", "what", "persons", "gaps"} <= set(row)
        for exhibit in row["evidence"]:
            assert re.fullmatch(r"\d+:\d+", exhibit["reference"])
            assert set(exhibit) == {"reference", "kind", "at"}
        if row["state"] == "not-upheld":
            assert row["since"]
            assert row["what"]


def test_the_page_needs_nothing_else_and_speaks_both_languages() -> None:
    page = as_html(story("nexr-2017").mended)
    assert "<script" not in page
    assert "http" not in page
    assert "@media print" in page
    for heading in ("조항별 이행 보고서", "Clause report", "지켜지지 않음", "not upheld", "증거", "Evidence"):
        assert heading in page
    assert page.count('<th scope="row">') == 79


def test_the_page_escapes_what_a_document_says() -> None:
    report = story("nexr-2017").kept
    hostile = Report(
        report.policy, report.version, {"ko": "<b>", "en": "<script>alert(1)</script>"}, report.span, report.made_at,
        report.zone, report.clauses, report.names,
    )  # fmt: skip
    page = as_html(hostile)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_short_text_names_what_is_not_upheld_and_no_more() -> None:
    broken = story("nexr-2017").broken
    text = as_text(broken, brief=True)
    named = set(re.findall(r"NX17-[\w.]+", text))
    assert named == {one.clause for one in broken.clauses if one.state is State.NOT_UPHELD}
    assert "persons" in text


# ── What is owed, and when it is missing ──────────────────────────────────────────────────────────────────────────────

SEOUL = ZoneInfo("Asia/Seoul")
MONTH = upheld.dates.Period(months=1)


def day(number: int) -> Instant:
    """Nine in the morning of a day counted from 1 January 2018."""
    return Instant(upheld.dates.start_of(date(2018, 1, 1), SEOUL) + number * DAY + DAY * 9 // 24)


def whole(number: int) -> Instant:
    return upheld.dates.start_of(date(2018, 1, 1) + timedelta(days=number), SEOUL)


@pytest.mark.parametrize(
    ("filed", "first", "every", "triggers", "now", "found"),
    [
        ([], 0, MONTH, (), 1, []),  # the first may come by the end of the next day
        ([], 0, MONTH, (), 2, [(day(0), None)]),
        ([1], 0, MONTH, (), 20, []),
        ([5], 0, MONTH, (), 20, [(day(0), day(5))]),
        ([0], 0, MONTH, (), 40, [(whole(32), None)]),
        ([0, 40], 0, MONTH, (), 50, [(whole(32), day(40))]),
        ([0, 20], 0, MONTH, (), 50, []),
        ([0], 0, None, (), 900, []),
        ([], None, None, (), 900, []),  # nothing is owed before something happens
        ([], None, None, (10,), 900, [(day(10), None)]),
        ([11], None, None, (10,), 900, []),
        ([20], None, None, (10,), 900, [(day(10), day(20))]),
        ([9], None, None, (10,), 900, [(day(10), None)]),  # what was filed before it is no answer to it
        ([], None, None, (10,), 11, []),
    ],
)
def test_evidence_is_missing_from_its_due_day_until_it_comes(
    filed: list[int],
    first: int | None,
    every: upheld.dates.Period | None,
    triggers: tuple[int, ...],
    now: int,
    found: list[tuple[Instant, Instant | None]],
) -> None:
    begins = upheld.dates.FOREVER if first is None else day(first)
    given = missing(
        [day(each) for each in filed], begins, upheld.dates.FOREVER, every, tuple(day(each) for each in triggers),
        SEOUL, day(now),
    )  # fmt: skip
    assert given == found


def test_nothing_is_missing_for_what_left_the_register() -> None:
    left = day(40)
    given = missing([day(0)], day(0), left, MONTH, (), SEOUL, day(400))
    assert given == [(whole(32), left)]
    assert missing([day(0), day(30)], day(0), left, MONTH, (), SEOUL, day(400)) == []


# ── From findings to a state ──────────────────────────────────────────────────────────────────────────────────────────

SPAN = Span(Instant(100), Instant(200))
SHOWN = (Exhibit("1:0", "value.destroyed", Instant(120)),)


def breach(since: int, until: int | None, *persons: str) -> Breach:
    end = None if until is None else Instant(until)
    return Breach("destruction-overdue", "x", Instant(since), end, frozenset(persons))


@pytest.mark.parametrize(
    ("findings", "state", "gaps"),
    [
        ([], State.STATED, 0),
        ([Finding("a")], State.NO_EVIDENCE, 0),
        ([Finding("a", shown=SHOWN)], State.UPHELD, 0),
        ([Finding("a", shown=SHOWN), Finding("b")], State.UPHELD, 0),
        ([Finding("a", shown=SHOWN), Finding("b", standing=True)], State.NO_EVIDENCE, 0),
        ([Finding("a", stated=True)], State.STATED, 0),
        ([Finding("a", stated=True, shown=SHOWN)], State.STATED, 0),
        ([Finding("a", stated=True, shown=SHOWN), Finding("b")], State.NO_EVIDENCE, 0),
        ([Finding("a", breaches=(breach(110, None),))], State.NOT_UPHELD, 1),
        ([Finding("a", shown=SHOWN, breaches=(breach(110, None),))], State.NOT_UPHELD, 1),
        ([Finding("a", shown=SHOWN, breaches=(breach(110, 130),))], State.UPHELD, 1),
        ([Finding("a", breaches=(breach(110, 130),))], State.NO_EVIDENCE, 1),
        ([Finding("a", shown=SHOWN, breaches=(breach(110, 200),))], State.NOT_UPHELD, 1),
        ([Finding("a", shown=SHOWN, breaches=(breach(50, 100),))], State.UPHELD, 0),
        ([Finding("a", shown=SHOWN, breaches=(breach(200, None),))], State.UPHELD, 0),
        ([Finding("a", shown=SHOWN, breaches=(breach(110, 130), breach(130, 140)))], State.UPHELD, 1),
        ([Finding("a", shown=SHOWN, breaches=(breach(110, 130), breach(150, 160)))], State.UPHELD, 2),
    ],
)
def test_one_lasting_breach_outweighs_everything_shown(findings: list[Finding], state: State, gaps: int) -> None:
    found = answered("X-1", findings, SPAN)
    assert (found.state, len(found.gaps)) == (state, gaps)


def test_persons_are_counted_once_however_many_elements_they_were_let_down_by() -> None:
    findings = [
        Finding("a", breaches=(breach(110, None, "p", "q"),)),
        Finding("b", breaches=(breach(150, None, "q", "r"),)),
    ]
    found = answered("X-1", findings, SPAN)
    assert (found.persons, found.since) == (3, 110)


def test_what_lasted_before_the_span_says_since_when() -> None:
    found = answered("X-1", [Finding("a", breaches=(breach(5, None, "p"),))], SPAN)
    assert (found.since, found.gaps[0].since) == (5, 100)
