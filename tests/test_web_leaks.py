"""A leak from the first awareness to its end: clocks by the law of that day, notices with proof, what closing needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

import upheld
from tests.desk_house import busy
from tests.served import Served
from tests.trial_home import at
from upheld.dates import Instant, Period
from upheld.desk.leaks import affected, contents_of, leak_of, leaks_of, told_of, tracks_of
from upheld.engine.acts import SubjectId
from upheld.engine.leaks import Leak, LeakCause, LeakStep, tracks
from upheld.errors import InputRefused
from upheld.keeper.living import Shown
from upheld.law import law_on
from upheld.store.views import Views

HOUR = 3_600_000_000


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with busy(tmp_path / "home") as found:
        yield found


def opened(house: Served, *, cause: LeakCause = LeakCause.MISTAKE, suspected: bool = False) -> str:
    now = house.keeper.now()
    since = Instant(now - 48 * HOUR)
    return house.keeper.leak_known("trial", cause, ("email",), since, now, suspected=suspected)


def one(house: Served, case: str) -> Leak:
    found = leak_of(house.keeper, "trial", case)
    assert found is not None
    return found


def clocks(house: Served, case: str) -> dict[str, tuple[bool, Instant | None, Instant | None]]:
    leak = one(house, case)
    hit, told = affected(house.keeper, "trial", leak), told_of(house.keeper, "trial", leak)
    return {
        each.code: (each.owed, each.due_at, each.done_at) for each in tracks_of(house.keeper, "trial", leak, hit, told)
    }


def test_both_clocks_run_from_the_first_awareness_and_not_from_the_record(house: Served) -> None:
    officer = house.signed_in("officer")
    officer.get("/console/trial/leaks")
    page = officer.send(
        "/console/trial/leaks", aware="2024-09-11T10:00", since="2024-09-10T00:00", until="2024-09-11T09:00",
        item="email", cause="outside-access", place="",
    )  # fmt: skip
    (leak,) = leaks_of(house.keeper, "trial")
    assert leak.aware_at == upheld.dates.instant(at("2024-09-11", 10))
    due = Instant(leak.aware_at + 72 * HOUR)
    assert {code: when for code, (_, when, _) in clocks(house, leak.case).items()} == {"persons": due, "authority": due}
    assert "hours left" in page.text
    house.clock.set(at("2024-09-15"))
    assert "hours late" in house.signed_in("auditor").get(f"/console/trial/leaks/{leak.case}").text


def test_awareness_at_a_processor_starts_both_clocks(house: Served) -> None:
    now = house.keeper.now()
    knew = Instant(now - 30 * HOUR)
    case = house.keeper.leak_known(
        "trial", LeakCause.OUTSIDE_ACCESS, ("name",), Instant(now - 48 * HOUR), Instant(now - 31 * HOUR), place="mall",
        at=knew,
    )  # fmt: skip
    leak = one(house, case)
    assert (leak.place, leak.aware_at) == ("mall", knew)
    house.keeper.seal()
    assert {due for _, due, _ in clocks(house, case).values()} == {Instant(knew + 72 * HOUR)}
    with pytest.raises(InputRefused, match="no recipient or processor"):
        house.keeper.leak_known("trial", LeakCause.LOSS, ("name",), Instant(now - HOUR), now, place="nobody-of-ours")


def test_the_authority_is_told_of_a_thousand_persons_of_delicate_data_and_of_every_break_in() -> None:
    law = law_on("kr", date(2024, 9, 12))
    zone = at("2024-09-12").tzinfo
    assert zone is not None

    def owed(
        persons: int, *, delicate: bool = False, cause: LeakCause = LeakCause.MISTAKE, suspected: bool = False
    ) -> bool:
        leak = Leak("c", Instant(0), cause, ("email",), Instant(0), Instant(1), "", suspected, "0:0")
        return tracks(leak, law, zone, persons, delicate, None)[1].owed  # type: ignore[arg-type]  # a ZoneInfo

    assert not owed(999)
    assert owed(1000)
    assert owed(1, delicate=True)
    assert owed(1, cause=LeakCause.OUTSIDE_ACCESS)
    assert not owed(1000, suspected=True)  # so far only persons are told that it is possible


def test_the_law_of_the_day_of_awareness_sets_the_clock() -> None:
    assert law_on("kr", date(2024, 1, 1)).period("breach.told") == Period(hours=72)
    assert law_on("kr", date(2022, 1, 1)).period("breach.told") is None
    assert len(law_on("kr", date(2026, 10, 1)).words("breach.contents")) == 6


def test_affected_are_those_who_had_the_items_in_the_span_also_when_it_is_destroyed_since(house: Served) -> None:
    case = opened(house)
    hit = affected(house.keeper, "trial", one(house, case))
    assert set(hit.persons) == {house.persons[name] for name in ("stayer", "asker", "leaver")}
    assert hit.by_item == {"email": 3}
    house.clock.set(at("2025-04-01"))
    house.keeper.sweep()
    after = affected(house.keeper, "trial", one(house, case))
    assert len(after.persons) + after.gone == 3
    assert after.gone == 1
    elsewhere = house.keeper.leak_known(
        "trial", LeakCause.LOSS, ("name",), Instant(house.keeper.now() - HOUR), house.keeper.now(), place="mall"
    )
    assert affected(house.keeper, "trial", one(house, elsewhere)).persons == (house.persons["stayer"],)


def test_the_key_store_is_asked_about_those_who_lost_data_and_not_about_everybody(
    house: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A leak of a hundred thousand persons would be as many messages to it."""
    leak = one(house, opened(house))
    asked: list[SubjectId] = []
    plain = Views.alias

    def noted(views: Views, person: SubjectId) -> str:
        asked.append(person)
        return plain(views, person)

    monkeypatch.setattr(Views, "alias", noted)
    assert len(affected(house.keeper, "trial", leak).persons) == 3
    assert asked == []


def test_persons_are_told_six_things_each_with_proof_and_nobody_twice(house: Served) -> None:
    case = opened(house)
    officer = house.signed_in("officer")
    there = f"/console/trial/leaks/{case}"
    officer.get(there)
    assert "the contents of the notice" in officer.send(f"{there}/notices").text
    leak = one(house, case)
    draft = _drafts(house, leak)
    officer.get(there)
    lacking = officer.send(f"{there}/contents", **(draft | {"advice": ""}))
    assert lacking.status_code == 400
    assert "what they can do" in lacking.text
    officer.get(there)
    assert officer.send(f"{there}/contents", **(draft | {"advice-ko": " "})).status_code == 400  # in each language
    officer.get(there)
    officer.send(f"{there}/contents", **(draft | {"advice": "Change your password."}))
    officer.get(there)
    officer.send(f"{there}/notices")
    messages = house.keeper.messages("trial", notice="breach", about=case)
    assert {each.subject_id for each in messages if each.state == "queued"} >= {
        house.persons["stayer"],
        house.persons["asker"],
    }
    letter = house.keeper.paper("trial", messages[0].paper_id or "")
    assert letter is not None
    assert b"Change your password." in letter
    page = officer.get(there)
    assert "Tell" not in re.findall(r"<button>(.*?)</button>", page.text)
    assert len(house.keeper.messages("trial", notice="breach", about=case)) == len(messages)


def _drafts(house: Served, leak: Leak) -> dict[str, str]:
    """All fields of the form, as they are drafted."""
    english, korean = (contents_of(house.keeper, _document(house), leak, one) for one in ("en", "ko"))
    return english | {f"{name}-ko": text for name, text in korean.items()}


def test_each_person_is_written_to_in_the_language_in_which_they_agreed(house: Served) -> None:
    case = opened(house)
    korean, english = house.persons["stayer"], house.persons["asker"]
    house.keeper.consent(korean, "medium/email", channel="website", shown=Shown("소식을 받습니다.", "ko"))
    officer = house.signed_in("officer")
    there = f"/console/trial/leaks/{case}"
    officer.get(there)
    written = {"advice": "Change your password.", "advice-ko": "비밀번호를 바꾸십시오."}
    officer.send(f"{there}/contents", **(_drafts(house, one(house, case)) | written))
    officer.get(there)
    officer.send(f"{there}/notices")
    told = {each.subject_id: each for each in house.keeper.messages("trial", notice="breach", about=case)}
    letters = {
        who: (house.keeper.paper("trial", told[who].paper_id or "") or b"").decode() for who in (korean, english)
    }
    assert "비밀번호를 바꾸십시오." in letters[korean]
    assert "유출된 항목: 전자우편" in letters[korean] or "유출된 항목: 이메일" in letters[korean]
    assert "Change your password." in letters[english]
    assert contents_of(house.keeper, _document(house), one(house, case), "ko")["advice"] == "비밀번호를 바꾸십시오."


def test_who_was_told_in_korean_is_told_in_korean_that_there_was_no_leak(house: Served) -> None:
    case = opened(house, suspected=True)
    person, leak = house.persons["stayer"], one(house, case)
    house.keeper.consent(person, "medium/email", channel="website", shown=Shown("소식을 받습니다.", "ko"))
    fields = contents_of(house.keeper, _document(house), leak, "ko")
    house.keeper.tell(person, "possible-breach", "email", about=case, fields=fields, locale="ko")
    officer = house.signed_in("officer")
    officer.get(f"/console/trial/leaks/{case}")
    officer.send(f"/console/trial/leaks/{case}/steps", step="refuted", proof="report of the experts")
    last = house.keeper.messages("trial", subject=person, notice="possible-breach", about=case)[-1]
    assert "유출되지 않았습니다" in (house.keeper.paper("trial", last.paper_id or "") or b"").decode()


def _document(house: Served):  # type: ignore[no-untyped-def]  # as the desk has it
    from upheld.desk.documents import document_in_force

    return document_in_force(house.keeper, "trial")


def test_a_leak_is_closed_only_when_told_reported_explained_mended_and_learned_from(house: Served) -> None:
    case = opened(house, cause=LeakCause.OUTSIDE_ACCESS)
    officer = house.signed_in("officer")
    there = f"/console/trial/leaks/{case}"
    officer.get(there)
    page = officer.send(f"{there}/steps", step="closed", proof="minutes")
    assert page.status_code == 400
    for wanted in ("everybody told or covered by a posting", "the authority told", "the cause found", "lessons drawn"):
        assert wanted in page.text
    for step in ("reported", "cause-found", "mended", "lessons"):
        officer.get(there)
        officer.send(f"{there}/steps", step=step, proof=f"paper of {step}")
    for person in affected(house.keeper, "trial", one(house, case)).persons:
        house.keeper.told_by_hand(person, "breach", "letter", b"registered letter", about=case)
    officer.get(there)
    assert officer.send(f"{there}/steps", step="closed", proof="minutes").status_code == 200
    assert one(house, case).over
    assert all(done is not None for _, _, done in clocks(house, case).values())


def test_who_was_told_that_a_leak_is_possible_is_told_when_there_was_none(house: Served) -> None:
    case = opened(house, suspected=True)
    leak = one(house, case)
    assert leak.notice == "possible-breach"
    person = house.persons["stayer"]
    fields = contents_of(house.keeper, _document(house), leak, "en")
    house.keeper.tell(person, "possible-breach", "email", about=case, fields=fields)
    officer = house.signed_in("officer")
    officer.get(f"/console/trial/leaks/{case}")
    officer.send(f"/console/trial/leaks/{case}/steps", step="refuted", proof="report of the experts")
    letters = [
        house.keeper.paper("trial", each.paper_id or "") or b""
        for each in house.keeper.messages("trial", subject=person, notice="possible-breach", about=case)
    ]
    assert sum(b"It did not" in each for each in letters) == 1
    assert clocks(house, case)["persons"][0] is False


def test_the_register_of_leaks_is_in_the_ledger_alone_and_survives_an_old_copy(house: Served, tmp_path: Path) -> None:
    case = opened(house)
    house.keeper.leak_moved("trial", case, LeakStep.MENDED, record=b"x")
    before = leaks_of(house.keeper, "trial")
    with house.keeper.places.active.reading() as connection:
        columns = house.keeper.places.active.engine.columns(connection)
    assert columns
    assert not any("breach" in one for one in columns)
    assert before[0].taken(LeakStep.MENDED) is not None


def test_the_report_to_the_authority_is_filled_in_from_the_record(house: Served) -> None:
    case = opened(house)
    auditor = house.signed_in("auditor")
    page = auditor.get(f"/console/trial/leaks/{case}/form").text
    for wanted in ("Report of a leak of personal data", "3 persons whose data we hold", case, "e-mail"):
        assert wanted in page
    paper = auditor.get(f"/console/trial/leaks/{case}/form.pdf")
    assert paper.content.startswith(b"%PDF-")
    assert auditor.get("/console/trial/leaks/aaaaaaaaaaaaaaaaaaaa").status_code == 404


def test_a_leak_needs_items_and_a_span_that_has_passed(house: Served) -> None:
    officer = house.signed_in("officer")
    good = {
        "aware": "2024-09-11T10:00",
        "since": "2024-09-10T00:00",
        "until": "2024-09-11T09:00",
        "cause": "loss",
        "place": "",
    }
    officer.get("/console/trial/leaks")
    assert officer.send("/console/trial/leaks", **good).status_code == 400
    for wrong in ({"until": "2024-09-09T00:00"}, {"aware": "2030-01-01T00:00"}, {"since": "yesterday"}):
        officer.get("/console/trial/leaks")
        assert officer.send("/console/trial/leaks", item="email", **(good | wrong)).status_code == 400
    assert leaks_of(house.keeper, "trial") == []
