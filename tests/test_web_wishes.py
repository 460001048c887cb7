"""A person asks, follows, takes back and downloads; somebody else asks for them with a mandate. Own things only."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.homes import kept_bytes
from tests.served import Browser, Served, served, text_of
from upheld.engine.acts import RequestId, SubjectId
from upheld.engine.state import Request, RequestState
from upheld.keeper.asking import RIGHTS

ASK = "/portal/trial/mine/ask"
MINE = "/portal/trial/mine"
MANDATE = b"%PDF-1.7 a made-up power of attorney"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "home") as found:
        yield found


def asked(house: Served, browser: Browser, right: str, who: str = "stayer", **fields: str) -> Request:
    """Send the form for one right; the request that was made."""
    assert browser.get(ASK).status_code == 200
    page = browser.send(ASK, right=right, **fields)
    assert page.status_code == 200, page.text
    assert "/mine/requests/" in page.url.path
    return request_of(house, page.url.path.rsplit("/", 1)[1], who)


def request_of(house: Served, number: str, who: str = "stayer") -> Request:
    return next(one for one in house.keeper.requests(house.persons[who]) if one.request_id == number)


def there(one: Request, page: str = "") -> str:
    return f"/portal/trial/mine/requests/{one.request_id}{page}"


# ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("NX17-3.1.A", "NX17-3.1.B", "NX17-3.1.C", "NX17-3.1.D")
@pytest.mark.parametrize("right", RIGHTS)
def test_every_right_is_asked_by_the_same_short_form(house: Served, right: str) -> None:
    one = asked(house, house.person_in("stayer", items=("email", "phone")), right)
    assert (one.right, one.channel, one.state) == (right, "website", RequestState.OPEN)
    assert one.proved_at is not None


def test_stopping_needs_one_address_and_seeing_two(house: Served) -> None:
    browser = house.person_in("stayer")
    assert asked(house, browser, "suspension").proved_at is not None
    seeing = asked(house, browser, "access")
    assert (seeing.state, seeing.proved_at) == (RequestState.RECEIVED, None)
    assert browser.page is not None
    assert "not shown yet" in browser.page.text
    assert browser.get(there(seeing, "/copy")).status_code == 403


def test_a_second_address_proves_a_request_that_waits_for_it(house: Served) -> None:
    waiting = asked(house, house.person_in("stayer"), "access")
    browser = house.person_in("stayer", items=("email", "phone"))
    browser.get(there(waiting))
    browser.send(there(waiting, "/proof"))
    assert request_of(house, waiting.request_id).state is RequestState.OPEN


def test_a_correction_names_its_values_and_keeps_the_persons_words(house: Served) -> None:
    browser = house.person_in("stayer")
    value = next(one for one, _, _ in house.keeper.holdings(house.persons["stayer"]) if one.item == "name")
    one = asked(house, browser, "rectification", value=str(value.value_id), words="It is spelled otherwise.")
    assert one.values == (value.value_id,)
    (paper,) = house.keeper.papers("trial", owner=house.persons["stayer"], about=one.request_id)
    assert house.keeper.paper("trial", paper.paper_id) == b"It is spelled otherwise."


DISPUTED = {
    "ko": ("다툼 있음", "정정", "처리가 끝날 때까지 이용하거나 제공하지 않습니다"),
    "en": ("disputed", "Correction", "until that is settled it is not used and not passed on"),
}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_what_is_in_dispute_says_so_to_its_person_and_at_the_desk_until_it_is_settled(
    house: Served, language: str
) -> None:
    browser = house.person_in("stayer", language, items=("email", "phone"))
    who = house.persons["stayer"]
    value = next(one for one, _, _ in house.keeper.holdings(who) if one.item == "name")
    assert badges(browser.get(MINE).text) == []
    one = asked(house, browser, "rectification", value=str(value.value_id), words="It is spelled otherwise.")
    at_the_desk = f"/console/trial/requests/{who}/{one.request_id}"
    for page in (browser.get(MINE), house.signed_in("officer", language).get(at_the_desk)):
        row = row_of(page.text)
        for words in DISPUTED[language]:
            assert words in row
    assert badges(browser.get(f"{MINE}/contents").text) == ["disputed"]
    assert house.keeper.disputed(who) == {value.value_id}
    house.keeper.answer(who, one.request_id, RequestState.REFUSED, reason="it-is-right")
    assert badges(browser.get(MINE).text) == badges(browser.get(f"{MINE}/contents").text) == []
    assert house.keeper.disputed(who) == frozenset()


def test_a_suspension_shows_beside_what_it_stops(house: Served) -> None:
    browser = house.person_in("stayer", "en")
    asked(house, browser, "suspension")
    assert set(badges(browser.get(MINE).text)) == {"suspended"}


def badges(page: str) -> list[str]:
    """What is marked as disputed or suspended."""
    return re.findall(r'class="state (disputed|suspended)"', page)


def row_of(page: str) -> str:
    """The one line of what is held that is marked as disputed."""
    (row,) = [each for each in page.split("<tr>") if 'class="state disputed"' in each]
    return re.sub(r"<[^>]+>", " ", row)


def test_nobodys_values_are_asked_about_but_ones_own(house: Served) -> None:
    browser = house.person_in("stayer")
    value = next(one for one, _, _ in house.keeper.holdings(house.persons["asker"]) if one.item == "name")
    browser.get(ASK)
    page = browser.send(ASK, right="erasure", value=str(value.value_id))
    assert page.status_code == 400
    assert house.keeper.requests(house.persons["stayer"]) == ()


# ── following ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_page_of_a_request_tells_state_deadline_and_days_left_in_plain_words(house: Served, language: str) -> None:
    browser = house.person_in("stayer", language)
    one = asked(house, browser, "erasure")
    assert browser.page is not None
    text = browser.page.text
    told = {"ko": ("처리하고 있습니다", "답변 기한", "일 남음"), "en": ("are working on it", "Answer due", "days left")}
    for words in told[language]:
        assert words in text
    left = re.search(r"(\d+)(?:일 남음| days left)", text)
    assert left
    assert 8 <= int(left[1]) <= 13
    assert one.request_id in text


def test_a_refusal_shows_its_reason_and_the_way_to_object(house: Served) -> None:
    browser = house.person_in("stayer")
    one = asked(house, browser, "suspension")
    house.keeper.answer(house.persons["stayer"], one.request_id, "refused", reason="law")
    page = browser.get(there(one)).text
    assert "a law forbids or limits it" in page
    assert f"right=objection&amp;to={one.request_id}" in page
    browser.get(ASK)
    page = browser.send(ASK, right="objection", to=one.request_id).text
    (objection,) = (each for each in house.keeper.requests(house.persons["stayer"]) if each.right == "objection")
    assert objection.objects_to == one.request_id


def test_an_erasure_done_tells_what_a_duty_keeps(house: Served) -> None:
    browser = house.person_in("stayer")
    one = asked(house, browser, "erasure")
    house.clock.set(house.clock.now() + 60_000_000)
    house.keeper.answer(house.persons["stayer"], one.request_id, "done")
    page = browser.get(there(one)).text
    assert "It is done." in page
    assert "is being destroyed" in page
    house.keeper.sweep()
    page = browser.get(there(one)).text
    assert "is destroyed and does not come back" in page
    assert house.keeper.certificates("trial")[-1] in page


@pytest.mark.parametrize("language", ["ko", "en"])
def test_who_asks_for_erasure_is_told_what_ends_and_ends_it_by_a_tick(house: Served, language: str) -> None:
    person = house.persons["stayer"]
    browser = house.person_in("stayer", language)
    form = browser.get(ASK).text
    assert {"ko": "계속할 수 없습니다: 가입", "en": "cannot go on: membership"}[language] in form
    assert asked(house, browser, "erasure").waiting
    assert ended(house, person) == []
    asked(house, browser, "erasure", confirmed="yes")
    assert ended(house, person) == ["closed"]
    assert "confirmed" not in browser.get(ASK).text


def ended(house: Served, person: SubjectId) -> list[str]:
    """The facts by which something of a person has ended."""
    state = house.keeper.views.get(person, house.keeper.now()).view.state
    return [fact.code for fact in state.facts if fact.engagement]


def test_a_request_is_taken_back_once(house: Served) -> None:
    browser = house.person_in("stayer")
    one = asked(house, browser, "erasure")
    page = browser.send(there(one, "/back"))
    assert "You took it back" in page.text
    assert request_of(house, one.request_id).state is RequestState.TAKEN_BACK
    browser.get(ASK)
    assert browser.send(there(one, "/back")).status_code == 409


def test_a_suspension_is_lifted_by_who_asked_for_it(house: Served) -> None:
    browser = house.person_in("stayer")
    one = asked(house, browser, "suspension", purpose="offers")
    assert one.purposes == ("offers",)
    browser.send(there(one, "/lift"))
    assert request_of(house, one.request_id).lifted_at is not None


def test_nobody_follows_or_takes_back_a_request_of_somebody_else(house: Served) -> None:
    one = asked(house, house.person_in("asker"), "suspension", "asker")
    browser = house.person_in("stayer", items=("email", "phone"))
    assert browser.get(there(one)).status_code == 404
    assert browser.get(there(one, "/copy")).status_code == 404
    for page in ("/back", "/lift", "/proof"):
        browser.get(ASK)
        assert browser.send(there(one, page)).status_code == 404
    browser.get(ASK)
    assert browser.send_files(there(one, "/papers"), {"paper": MANDATE}).status_code == 404
    assert request_of(house, one.request_id, "asker").waiting


# ── papers and copies ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_paper_is_kept_encrypted_beside_the_request(house: Served) -> None:
    browser = house.person_in("stayer")
    one = asked(house, browser, "access")
    page = browser.send_files(there(one, "/papers"), {"paper": MANDATE})
    assert "Your paper has come in" in page.text
    assert "looked at by a person" in browser.get(there(one)).text
    (paper,) = house.keeper.papers("trial", owner=house.persons["stayer"], about=one.request_id)
    assert house.keeper.paper("trial", paper.paper_id) == MANDATE
    assert MANDATE not in kept_bytes(house.home, "active")


def test_a_file_that_is_no_document_is_refused(house: Served) -> None:
    browser = house.person_in("stayer")
    one = asked(house, browser, "access")
    assert browser.send_files(there(one, "/papers"), {"paper": b"MZ made-up"}).status_code == 400
    assert house.keeper.papers("trial", owner=house.persons["stayer"], about=one.request_id) == []


@pytest.mark.clauses("KE22-9.1-4", "MS18-8.1-4")
def test_portability_is_downloaded_while_it_is_open_with_contents_and_purposes(house: Served) -> None:
    browser = house.person_in("stayer", items=("email", "phone"))
    one = asked(house, browser, "portability")
    page = browser.get(there(one, "/copy"))
    assert page.headers["content-disposition"].startswith("attachment")
    found = json.loads(page.text)
    assert {each["content"] for each in found["items"]} == {
        text_of("stayer", item) for item in ("name", "email", "phone")
    }


# ── for somebody else ───────────────────────────────────────────────────────────────────────────────────────────────


def for_another(house: Served, address: str, **files: bytes) -> str:
    browser = house.browser()
    browser.get("/portal/trial/for-another")
    page = browser.send_files(
        "/portal/trial/for-another", files, kind="agent", right="access", item="email", address=address,
        contact="made-up agent, agent@example.org",
    )  # fmt: skip
    return re.sub(r'value="[0-9a-f]{64}"', "", page.text)


@pytest.mark.clauses("BZ18-9.4.a", "KE22-9.4-2", "NX17-3.4.b")
def test_an_agents_request_waits_unproved_with_the_mandate_beside_it(house: Served) -> None:
    assert "It has come in" in for_another(house, text_of("stayer", "email"), paper=MANDATE)
    (one,) = house.keeper.requests(house.persons["stayer"])
    assert (one.right, one.state, one.proved_at) == ("access", RequestState.RECEIVED, None)
    papers = house.keeper.papers("trial", owner=house.persons["stayer"], about=one.request_id, kind="mandates")
    held = {house.keeper.paper("trial", paper.paper_id) for paper in papers}
    assert held == {MANDATE, b"agent: made-up agent, agent@example.org"}
    assert not house.keeper.export(house.persons["stayer"], RequestId(one.request_id)).outcome.granted


def test_an_agent_learns_by_nothing_whether_the_person_is_known(house: Served) -> None:
    known = for_another(house, text_of("stayer", "email"), paper=MANDATE)
    assert for_another(house, "nobody-at-all@example.org", paper=MANDATE) == known


@pytest.mark.clauses("BZ18-9.4.a", "NX17-3.4.b")
def test_an_agent_without_a_mandate_is_not_taken_in(house: Served) -> None:
    assert "Add the paper" in for_another(house, text_of("stayer", "email"))
    assert house.keeper.requests(house.persons["stayer"]) == ()
