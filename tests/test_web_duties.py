"""The calendar of duties through its pages: what is late, what nobody can know, what is done and by whom."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.desk_house import THIRD, busy
from tests.served import Served
from tests.trial_home import at
from upheld.dates import Period
from upheld.desk.articles import article_in
from upheld.desk.duties import calendar_of, owed_notices
from upheld.engine.duties import DUTIES, DutyState, Size, reached
from upheld.law import law_on


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with busy(tmp_path / "home") as found:
        yield found


def state(house: Served, duty: str, about: str = "") -> DutyState:
    return next(
        one.state for one in calendar_of(house.keeper, "trial").falls if (one.duty.code, one.about) == (duty, about)
    )


def test_whether_a_threshold_is_reached_is_unknown_until_somebody_has_counted(house: Served) -> None:
    assert state(house, "yearly-use") is DutyState.UNKNOWN
    officer = house.signed_in("officer")
    page = officer.get("/console/trial/duties/yearly-use").text
    assert "depends on a figure that nobody has said" in page
    officer.get("/console/trial/duties")
    officer.send("/console/trial/duties", figure="subjects", number="3000")
    assert state(house, "yearly-use") is DutyState.UNKNOWN  # the other figure is not said yet
    officer.send("/console/trial/duties", figure="delicate-subjects", number="0")
    assert state(house, "yearly-use") is DutyState.NOT_OURS
    officer.send("/console/trial/duties", figure="subjects", number="1,000,000")
    assert state(house, "yearly-use") is not DutyState.NOT_OURS
    assert officer.send("/console/trial/duties", figure="subjects", number="many").status_code == 400


def test_what_a_home_holds_shows_that_a_limit_is_reached_and_never_that_it_is_not() -> None:
    limits: dict[Size, int | None] = {Size.SUBJECTS: 10}
    assert reached(limits, {}, {Size.SUBJECTS: 10}) is True
    assert reached(limits, {}, {Size.SUBJECTS: 9}) is None
    assert reached(limits, {Size.SUBJECTS: 9}, {}) is False
    assert reached({}, {}, {}) is True


def test_a_processor_is_inspected_with_a_checklist_and_the_findings_stay_on_record(house: Served) -> None:
    house.keeper.contract("trial", "sender", terms=frozenset({"purpose-limits"}))
    assert state(house, "inspection", "sender") is DutyState.COMING
    house.clock.set(at("2025-03-20"))
    assert state(house, "inspection", "sender") is DutyState.LATE
    officer = house.signed_in("officer")
    officer.get("/console/trial/duties/inspection", about="sender")
    page = officer.send(
        "/console/trial/duties/inspection", about="sender", finding="encryption", proof="report of the inspection"
    )
    assert "encryption" in page.text
    assert state(house, "inspection", "sender") is DutyState.COMING
    assert [one.kind for one in house.keeper.evidence_of("trial", "entrustments.sender")] == ["inspection"]
    (done,) = calendar_of(house.keeper, "trial").done
    assert (done.about, done.findings, len(done.by)) == ("sender", ("encryption",), 20)
    officer.get("/console/trial/duties/inspection", about="sender")
    forged = officer.send("/console/trial/duties/inspection", about="sender", finding="nothing-of-ours", proof="x")
    assert forged.status_code == 400


def test_access_records_are_reviewed_monthly_until_the_plan_of_the_house_sets_it(house: Served) -> None:
    person = house.persons["stayer"]
    officer = house.signed_in("officer")
    officer.get("/console/trial/people")
    officer.send("/console/trial/people", item="email", text="stayer@example.org", reason="inquiry")
    page = officer.get("/console/trial/duties").text
    assert "Access records of the past month" in page
    assert person not in page  # whom somebody looked at is not told here
    assert state(house, "access-review") is DutyState.LATE
    officer.get("/console/trial/duties/access-review")
    officer.send("/console/trial/duties/access-review", finding="no-reason", proof="minutes")
    assert state(house, "access-review") is DutyState.SOON
    assert DUTIES["access-review"].law == "access-record.reviewed"


def test_who_agreed_to_advertising_is_told_the_result_and_asked_again_after_two_years(house: Served) -> None:
    person = house.persons["stayer"]
    house.keeper.consent(person, "medium/email", channel="website")
    assert [one.subject_id for one in owed_notices(house.keeper, "trial", "consent-confirmed")] == [person]
    assert owed_notices(house.keeper, "trial", "reconfirmation") == []
    officer = house.signed_in("officer")
    officer.get("/console/trial/duties/consent-confirmed")
    officer.send("/console/trial/duties/consent-confirmed/notices")
    (told,) = house.keeper.messages("trial", notice="consent-confirmed")
    assert (told.subject_id, told.state, told.about) == (person, "queued", "email")
    assert owed_notices(house.keeper, "trial", "consent-confirmed") == []
    house.clock.set(at("2026-09-20"))
    (owed,) = owed_notices(house.keeper, "trial", "reconfirmation")
    assert owed.medium == "email"
    officer = house.signed_in("officer")
    officer.get("/console/trial/duties/reconfirmation")
    officer.send("/console/trial/duties/reconfirmation/notices")
    assert owed_notices(house.keeper, "trial", "reconfirmation") == []
    assert state(house, "reconfirmation") is DutyState.QUIET


def test_the_calendar_is_there_for_other_programs_without_any_person(house: Served) -> None:
    page = house.signed_in("auditor").get("/console/trial/duties.json")
    told = json.loads(page.text)
    assert {one["duty"] for one in told["duties"]} <= set(DUTIES)
    assert told["figures"]["subjects"] == {"held": 3, "stated": None}
    assert house.persons["stayer"] not in page.text


def test_a_duty_that_was_done_is_shown_by_the_entry_of_the_ledger(house: Served) -> None:
    house.keeper.did("trial", "breach-drill", record=b"minutes")
    (done,) = calendar_of(house.keeper, "trial").done
    page = house.signed_in("auditor").get(f"/console/trial/ledger/{done.reference}")
    assert page.status_code == 200
    assert "breach-drill" in page.text


def test_a_leak_drill_is_due_every_year_and_shown_by_what_was_practised(house: Served) -> None:
    assert state(house, "breach-drill") is DutyState.LATE  # never practised
    house.keeper.did("trial", "breach-drill", record=b"minutes")
    assert state(house, "breach-drill") is DutyState.COMING
    house.clock.set(at("2025-09-01"))
    assert state(house, "breach-drill") is DutyState.SOON
    house.clock.set(at("2025-09-20"))
    assert state(house, "breach-drill") is DutyState.LATE


LOGS = "logs: {clause: T-45, evidence: log-review, due: P3M, en: logs, ko: 접속기록}"
REVIEWED = (
    THIRD.replace("2024-09-08", "2024-09-13").replace("2024-09-10", "2024-09-14")
    .replace("granted-with: [reason, approver],", "granted-with: [reason, approver], reviewed: P6M,")
    .replace("safeguards:\n", f"safeguards:\n  {LOGS}\n")
    + "agencies:\n  centre: {clause: T-46, reviewed: P1Y, phone: 118, en: a centre, ko: 센터}\n"
)  # fmt: skip


def test_what_the_document_says_is_looked_at_falls_due_by_its_own_period_and_is_asked_for(house: Served) -> None:
    house.keeper.publish(REVIEWED.encode())
    house.clock.set(at("2024-09-15"))
    grants, agency = "handlers.privacy", "agencies.centre"
    assert state(house, "grant-review", grants) is DutyState.LATE  # due since the first version, never done
    officer = house.signed_in("officer")
    page = officer.get("/console/trial/duties").text
    assert "privacy staff" in page
    assert "a centre" in page
    officer.get("/console/trial/duties/grant-review", about=grants)
    officer.send("/console/trial/duties/grant-review", about=grants, proof="list of grants, looked through")
    assert state(house, "grant-review", grants) is DutyState.COMING
    assert [one.kind for one in house.keeper.evidence_of("trial", grants)] != []
    assert state(house, "agency-review", agency) is DutyState.LATE
    house.keeper.attest("trial", agency, record=b"called")
    assert state(house, "agency-review", agency) is DutyState.COMING
    house.clock.set(at("2025-03-20"))
    assert state(house, "grant-review", grants) is DutyState.LATE


def test_access_records_are_reviewed_by_the_plan_of_the_house_where_the_law_leaves_it_to_the_plan(
    house: Served,
) -> None:
    house.keeper.publish(REVIEWED.encode())
    house.clock.set(at("2024-09-15"))

    def every() -> str:
        return next(
            str(one.every) for one in calendar_of(house.keeper, "trial").falls if one.duty.code == "access-review"
        )

    assert every() == "P1M"  # the law of that day wants it monthly; three months would be less
    house.clock.set(at("2026-11-02"))
    assert every() == "P3M"
    house.keeper.file_evidence("trial", "logs", "log-review", record=b"minutes")
    assert state(house, "access-review") is DutyState.COMING
    house.clock.set(at("2027-02-03"))
    assert state(house, "access-review") is DutyState.LATE


def test_every_duty_of_the_calendar_names_its_law_and_its_rhythm() -> None:
    laws = [law_on("kr", day) for day in (date(2024, 9, 12), date(2026, 11, 22))]  # one rhythm was a law's until 2025
    wanted = {"yearly-use", "source", "id-survey", "plan-check", "inspection", "access-review", "breach-drill"}
    assert wanted <= set(DUTIES)
    for duty in DUTIES.values():
        assert laws[-1].article_on(f"duty.{duty.code}"), duty.code
        assert duty.every != Period()
        assert duty.law is None or any(law.rule(duty.law) for law in laws), duty.code
        assert duty.law is None or {law.period(duty.law) for law in laws} <= {None, duty.every}, duty.code
        assert all(law.number(row) for law in laws for row in duty.threshold.values()), duty.code


def test_articles_are_named_in_korean_for_korean_readers() -> None:
    assert article_in("PIPA 26(4)", "ko") == "개인정보 보호법 제26조제4항"
    assert article_in("PIPA 20-2", "ko") == "개인정보 보호법 제20조의2"
    assert article_in("PIPA 34(1), decree 39", "ko") == "개인정보 보호법 제34조제1항, 시행령 제39조"
    assert article_in("PIPA 26(4)", "en") == "PIPA 26(4)"
