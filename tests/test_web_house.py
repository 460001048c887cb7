"""Companies, safeguards, advertising, forms: what their pages do, through the browser and into the ledger."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]  # has no types
import pytest
from starlette.testclient import TestClient

from tests.desk_house import TERMS, busy, busy_parts
from tests.served import WEB_POLICY, Served
from tests.trial_home import at
from upheld.desk.adverts import refusal_token
from upheld.desk.documents import document_in_force
from upheld.desk.duties import owed_notices
from upheld.desk.forms import FORMS, REASONS, STATES, blank
from upheld.desk.parties import companies
from upheld.desk.records import recorded
from upheld.engine.acts import RequestId, SubjectId
from upheld.engine.state import RequestState
from upheld.keeper import Shown
from upheld.keeper.asking import _REASON
from upheld.web import requests
from upheld.web.app import create_app


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with busy(tmp_path / "home") as found:
        yield found


def company(house: Served, party: str):  # type: ignore[no-untyped-def]  # a company as the desk has it
    found = companies(house.keeper, document_in_force(house.keeper, "trial"), "en")
    return next(one for one in found if one.party == party)


def test_a_contract_that_ends_is_owed_back_until_return_is_shown(house: Served) -> None:
    contract = house.keeper.contract("trial", "sender", terms=TERMS)
    officer = house.signed_in("officer")
    officer.get("/console/trial/parties")
    officer.send(f"/console/trial/contracts/{contract}/end")
    assert company(house, "sender").deals[0].owes(house.keeper.now())
    page = officer.get("/console/trial/parties").text
    assert "over, return owed" in page
    officer.send(f"/console/trial/contracts/{contract}/returned")
    assert not company(house, "sender").deals[0].owes(house.keeper.now())
    officer.get("/console/trial/parties")
    assert officer.send(f"/console/trial/contracts/{contract}/returned").status_code == 404


def test_a_recipient_told_of_a_correction_is_followed_until_it_answers(house: Served) -> None:
    busy_parts(house)
    (awaited,) = company(house, "mall").awaited
    assert awaited.reason == "corrected"
    officer = house.signed_in("officer")
    told = officer.get("/console/trial/parties").text.replace("\xa0", " ")
    assert re.search(r"Told, not answered yet.*12 September 2024.*>correct<", told, re.S | re.I), told
    officer.send(f"/console/trial/told/{awaited.subject_id}/{awaited.disclosure_id}")
    assert company(house, "mall").awaited == ()


def test_a_stop_order_of_an_authority_is_shown_until_it_is_lifted(house: Served) -> None:
    house.keeper.controller_fact("trial", "transfer-stopped", about="mall")
    assert "stopped by an authority" in house.signed_in("auditor").get("/console/trial/parties").text
    house.clock.set(at("2024-09-13"))
    house.keeper.controller_fact("trial", "transfer-resumed", about="mall")
    assert not company(house, "mall").stopped


def test_evidence_that_is_missing_is_asked_for_and_filed_at_the_safeguard(house: Served) -> None:
    officer = house.signed_in("officer")
    page = officer.get("/console/trial/safeguards").text
    assert "evidence missing" in page
    handlers = [name for name, _ in house.keeper.register_of("trial", "handler", house.keeper.now())]
    for name in handlers:
        officer.get("/console/trial/safeguards")
        officer.send("/console/trial/safeguards/training", kind="training-inside", about=name, proof="list of names")
    officer.get("/console/trial/safeguards")
    officer.send("/console/trial/safeguards/plan", kind="management-plan", about="", proof="plan 2024")
    control = house.keeper.views.line("trial").latest.controls
    now = house.keeper.now()
    assert house.keeper.evidence_owed("trial", control["training"], now) == []
    assert house.keeper.evidence_owed("trial", control["plan"], now) == []
    officer.get("/console/trial/safeguards")
    assert officer.send("/console/trial/safeguards/plan", kind="pledge", about="", proof="x").status_code == 400
    officer.get("/console/trial/safeguards")
    assert officer.send("/console/trial/safeguards/plan", kind="management-plan", about="", proof="").status_code == 400


def test_what_is_registered_owes_its_evidence_from_that_day(house: Served) -> None:
    officer = house.signed_in("officer")
    officer.get("/console/trial/safeguards")
    officer.send("/console/trial/safeguards", register="system", name="web-1")
    control = house.keeper.views.line("trial").latest.controls["zones"]
    assert [name for name, _ in house.keeper.evidence_owed("trial", control, house.keeper.now())] == ["web-1"]
    officer.get("/console/trial/safeguards")
    named = officer.send("/console/trial/safeguards", register="system", name="somebody@example.org")
    assert named.status_code == 400


def advertised(house: Served) -> None:
    for name in ("stayer", "asker"):
        house.keeper.consent(house.persons[name], "medium/email", channel="website")
    officer = house.signed_in("officer")
    officer.get("/console/trial/advertising")
    officer.send("/console/trial/advertising", medium="email", purpose="offers", title="Autumn", text="Cheaper now.")


def test_an_advertisement_goes_to_who_agreed_with_label_sender_and_a_way_to_refuse(house: Served) -> None:
    advertised(house)
    messages = house.keeper.messages("trial", notice="advert")
    assert {one.subject_id for one in messages} == {house.persons["stayer"], house.persons["asker"]}
    assert {one.state for one in messages} == {"queued"}
    letter = (house.keeper.paper("trial", messages[0].paper_id or "") or b"").decode()
    assert "(광고)" in letter
    assert "Example Ltd." in letter
    assert "/refuse/trial/email/" in letter


def test_an_advertisement_goes_out_in_the_language_in_which_each_agreed(house: Served) -> None:
    person, other = house.persons["stayer"], house.persons["asker"]
    house.keeper.consent(
        person, "medium/email", channel="website", shown=Shown("전자우편 광고 수신에 동의합니다.", "ko")
    )
    house.keeper.consent(other, "medium/email", channel="website", shown=Shown("I agree to e-mail.", "en"))
    officer = house.signed_in("officer")
    officer.get("/console/trial/advertising")
    texts = {"title": "Autumn", "text": "Cheaper now.", "title-ko": "가을", "text-ko": "이제 더 저렴합니다."}
    officer.send("/console/trial/advertising", medium="email", purpose="offers", **texts)
    sent = {one.subject_id: one.paper_id or "" for one in house.keeper.messages("trial", notice="advert")}
    letters = {one: (house.keeper.paper("trial", paper) or b"").decode() for one, paper in sent.items()}
    assert "이제 더 저렴합니다." in letters[person]
    assert "무료 수신거부" in letters[person]
    assert "Cheaper now." in letters[other]


def test_one_press_without_signing_in_refuses_and_empties_the_queue_at_once(house: Served) -> None:
    advertised(house)
    person = house.persons["stayer"]
    there = f"/refuse/trial/email/{refusal_token(house.keeper, 'trial', person, 'email')}"
    stranger = house.browser("ko")
    assert "수신거부" in stranger.get(there).text
    assert house.keeper.consents(person)["medium/email"] == "given"  # looking is no refusal
    assert stranger.post(there, {}).status_code == 200
    assert house.keeper.consents(person)["medium/email"] == "withdrawn"
    states = {one.subject_id: one.state for one in house.keeper.messages("trial", notice="advert")}
    assert states == {person: "withdrawn", house.persons["asker"]: "queued"}
    assert stranger.post(there, {}).status_code == 200  # saying no twice changes nothing


@pytest.mark.clauses("BZ18-9.2.c", "KE22-9.2-2", "KE22-9.1-6", "MS18-8.1-6")
@pytest.mark.parametrize("form", ["urlencoded", "multipart"])
def test_a_mail_program_refuses_by_one_post_of_its_own_without_session_or_form_token(house: Served, form: str) -> None:
    advertised(house)
    person = house.persons["stayer"]
    address = f"/refuse/trial/email/{refusal_token(house.keeper, 'trial', person, 'email')}"
    mailbox = TestClient(create_app(house.settings), "http://testserver", headers={"sec-fetch-site": "cross-site"})
    said = {"data": {"List-Unsubscribe": "One-Click"}} if form == "urlencoded" else {
        "files": {"List-Unsubscribe": (None, "One-Click")}
    }  # fmt: skip
    answer = mailbox.post(address, follow_redirects=False, **said)
    assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)
    assert house.keeper.consents(person)["medium/email"] == "withdrawn"
    taken = [one.entry.fields for one in recorded(house.keeper, "trial", ["consent.withdrawn"])]
    assert [(one["about_kind"], one["channel"]) for one in taken if one["about"] == "email"] == [("medium", "website")]
    assert [one.given for one in owed_notices(house.keeper, "trial", "consent-confirmed")].count(False) == 1
    assert mailbox.get(address).status_code == 200  # to look is a page, and refuses nothing
    assert mailbox.post("/console/trial/sign-in", data={"name": "officer"}).status_code in (400, 403)  # no other page


def test_a_refusal_holds_also_when_the_medium_is_advertised_by_no_more_or_the_person_is_gone(house: Served) -> None:
    advertised(house)
    person = house.persons["stayer"]
    address = f"/refuse/trial/email/{refusal_token(house.keeper, 'trial', person, 'email')}"
    house.keeper.publish(WEB_POLICY.replace("2020-01-01", "2024-09-13").replace("2020-02-01", "2024-09-14").encode())
    house.clock.set(at("2024-09-15"))
    assert house.browser().post(address, {}).status_code == 200
    assert house.keeper.consents(person)["medium/email"] == "withdrawn"
    gone = refusal_token(house.keeper, "trial", SubjectId("a" * 20), "email")
    assert house.browser().post(f"/refuse/trial/email/{gone}", {}).status_code == 200


def test_an_address_of_refusal_opens_for_nobody_else_and_no_other_medium(house: Served) -> None:
    token = refusal_token(house.keeper, "trial", house.persons["stayer"], "email")
    other = house.persons["asker"] + token[20:]
    browser = house.browser()
    for wrong in (other, token[:-1] + ("0" if token[-1] != "0" else "1"), token[:20], "x"):
        assert browser.get(f"/refuse/trial/email/{wrong}").status_code == 404
    assert browser.get(f"/refuse/trial/sms/{token}").status_code == 404
    assert browser.get(f"/refuse/other/email/{token}").status_code == 404


@pytest.mark.parametrize("locale", ["ko", "en"])
@pytest.mark.parametrize("code", sorted(FORMS))
def test_every_form_prints_in_both_languages(house: Served, code: str, locale: str) -> None:
    sheet = blank(FORMS[code], document_in_force(house.keeper, "trial"), locale)
    text = pypdfium2.PdfDocument(sheet.pdf())[0].get_textpage().get_text_bounded()
    assert sheet.title.split()[0] in text
    page = house.browser(locale).get(f"/forms/trial/{code}", locale=locale)
    assert sheet.title in page.text


def test_the_letter_tells_outcome_reason_what_is_kept_and_who_else_helps(house: Served) -> None:
    person = house.persons["asker"]
    made = house.keeper.request(person, "erasure", channel="letter", proved=True).made
    before = house.signed_in("officer").get(f"/console/trial/requests/{person}/{made}/letter").text
    assert "Your request has come in" in before
    assert "Outcome of" not in before
    house.keeper.answer(person, RequestId(made or ""), "refused", reason="unfounded")
    officer = house.signed_in("officer")
    there = f"/console/trial/requests/{person}/{made}/letter"
    page = officer.get(there).text
    assert "Outcome of your request to erase your data" in page
    assert "the request has no ground" in page
    assert "asker@example.org" not in page
    assert officer.get(f"{there}.pdf").content.startswith(b"%PDF-")
    assert "개인정보 삭제 요구 결과 통지서" in officer.get(there, locale="ko").text


def test_the_letter_has_words_for_every_state_and_every_reason_that_an_answer_can_have() -> None:
    assert set(STATES) == {one.value for one in RequestState}
    assert set(REASONS) >= {*requests.REASONS, *_REASON.values()}


@pytest.mark.parametrize(
    ("language", "title", "outcome"),
    [
        ("en", "Outcome of your request to see your data", "nothing is held that you asked about"),
        ("ko", "개인정보 열람 요구 결과 통지서", "요구하신 정보를 보유하고 있지 않습니다"),
    ],
)
def test_who_is_told_that_nothing_is_held_gets_the_outcome_not_a_receipt(
    house: Served, language: str, title: str, outcome: str
) -> None:
    person = house.keeper.enter("trial", "member")
    made = house.keeper.request(person, "access", channel="letter", proved=True).made
    house.keeper.answer(person, RequestId(made or ""), "nothing-held")
    page = house.signed_in("officer", language).get(f"/console/trial/requests/{person}/{made}/letter").text
    assert title in page
    assert outcome in page
