"""A person at the portal: a code to a known address, then their own things and nobody else's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.served import Browser, Served, joined, served, text_of
from upheld.desk.codes import MOST_TRIES, VALID_FOR, ask_code, redeem
from upheld.desk.throttle import CODE_ADDRESS
from upheld.store import history
from upheld.web.app import create_app
from upheld.web.portal import PORTAL


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "home") as found:
        yield found


def later(house: Served, microseconds: int) -> None:
    house.clock.set(house.clock.now() + microseconds)


def asked(house: Served, address: str, item: str = "email") -> Browser:
    browser = house.browser()
    browser.get("/portal/trial")
    browser.send("/portal/trial", item=item, address=address)
    return browser


# ── signing in ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_code_goes_to_the_known_address_and_opens_ones_own_page(house: Served) -> None:
    browser = asked(house, text_of("stayer", "email"))
    (message,) = house.sent
    assert (message.address, message.item, message.locale) == (text_of("stayer", "email"), "email", "en")
    assert re.fullmatch(r"\d{8}", message.code or "")
    page = browser.send("/portal/trial/code", code=message.code or "")
    assert page.url.path == "/portal/trial/mine"


def test_whether_an_address_is_known_is_told_by_nothing(house: Served) -> None:
    pages = []
    for address in (text_of("stayer", "email"), "nobody-at-all@example.org"):
        browser = asked(house, address)
        assert browser.page is not None
        pages.append((browser.page.status_code, browser.page.url.path, browser.page.text.replace(browser.token(), "")))
        wrong = browser.send("/portal/trial/code", code="12345678")
        pages[-1] = (*pages[-1], wrong.status_code, wrong.text.replace(browser.token(), ""))  # type: ignore[assignment]  # one field more
    assert pages[0] == pages[1]
    assert len(house.sent) == 1


def test_a_code_is_good_once_for_ten_minutes_and_five_tries(house: Served) -> None:
    keeper, address = house.keeper, text_of("stayer", "email")

    def fresh() -> tuple[str, str]:
        challenge, message = ask_code(keeper, "trial", "email", address, reader=PORTAL, locale="en")
        assert message is not None
        assert message.code is not None
        return challenge, message.code

    challenge, code = fresh()
    assert redeem(keeper, "trial", challenge, f"{code[:4]} {code[4:]}") is not None
    assert redeem(keeper, "trial", challenge, code) is None
    challenge, code = fresh()
    for _ in range(MOST_TRIES):
        assert redeem(keeper, "trial", challenge, "00000000" if code != "00000000" else "1") is None
    assert redeem(keeper, "trial", challenge, code) is None
    challenge, code = fresh()
    later(house, VALID_FOR)
    assert redeem(keeper, "trial", challenge, code) is None
    challenge, code = fresh()
    assert redeem(keeper, "other", challenge, code) is None
    assert redeem(keeper, "trial", "no challenge", code) is None


def test_a_code_of_one_browser_opens_nothing_in_another(house: Served) -> None:
    asked(house, text_of("stayer", "email"))
    stolen = house.sent[-1].code or ""
    thief = asked(house, "thief@example.org")
    assert thief.send("/portal/trial/code", code=stolen).status_code == 403


def test_nobody_is_flooded_with_codes(house: Served) -> None:
    for _ in range(CODE_ADDRESS.most):
        asked(house, text_of("stayer", "email"))
    browser = asked(house, text_of("stayer", "email").upper())
    assert browser.page is not None
    assert browser.page.status_code == 429
    assert len(house.sent) == CODE_ADDRESS.most


def test_an_address_that_two_persons_share_opens_neither(house: Served) -> None:
    twin = joined(house.keeper, "twin", offers=False)
    value = next(one[0].value_id for one in house.keeper.holdings(twin) if one[0].item == "email")
    house.keeper.correct(twin, value, text_of("stayer", "email"))
    browser = asked(house, text_of("stayer", "email"))
    assert house.sent[-1].code is None
    assert browser.send("/portal/trial/code", code="00000000").status_code == 403


def test_where_no_codes_can_be_sent_the_page_says_how_else_to_ask(house: Served) -> None:
    client = TestClient(create_app(replace(house.settings, send_code=None)), headers={"accept-language": "en"})
    page = client.get("/portal/trial")
    assert "Codes cannot be sent from here" in page.text
    assert "letter" in page.text
    assert "<form" not in page.text


def test_an_item_that_is_no_address_is_refused(house: Served) -> None:
    browser = house.browser()
    browser.get("/portal/trial")
    assert browser.send("/portal/trial", item="name", address="stayer of name").status_code == 400


# ── what is held on me ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-9.1.a", "BZ16-10.1.a", "KE22-9.1-1", "MS18-8.1-1", "NX17-8.1.a")
@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_page_lists_everything_held_with_why_until_when_and_who_got_it(house: Served, language: str) -> None:
    page = house.person_in("stayer", language).get("/portal/trial/mine").text
    held = house.keeper.holdings(house.persons["stayer"])
    names = {
        "ko": {"name": "성명", "email": "이메일", "phone": "전화"},
        "en": {"name": "name", "email": "e-mail", "phone": "phone"},
    }
    rows = re.findall(r'<th scope="row">([^<]+)<', page)
    assert sorted(rows) == sorted(names[language][value.item] for value, _, _ in held)
    for told in {"ko": ("서비스", "안내", "몰", "동의"), "en": ("the service", "offers", "Mall Ltd.", "agreed")}[
        language
    ]:
        assert told in page


def test_a_person_sees_nothing_of_anybody_else(house: Served) -> None:
    browser = house.person_in("stayer")
    page = browser.get("/portal/trial/mine").text
    for who, number in house.persons.items():
        assert number not in page
        assert who == "stayer" or text_of(who, "email") not in page
    request = house.keeper.request(house.persons["asker"], "access", channel="letter").made
    assert str(request) not in browser.get("/portal/trial/mine").text
    assert browser.get("/portal/other/mine").url.path == "/portal/other"
    assert browser.get(f"/console/trial/people/{house.persons['stayer']}").url.path == "/console/trial/sign-in"


@pytest.mark.clauses("BZ18-9.5.a", "KE22-9.3", "MS18-8.3-1")
def test_contents_need_a_second_address_of_the_same_person(house: Served) -> None:
    browser = house.person_in("stayer")
    assert text_of("stayer", "name") not in browser.get("/portal/trial/mine").text
    refused = browser.get("/portal/trial/mine/contents")
    assert refused.status_code == 403
    assert "A second proof is needed" in refused.text
    later(house, 3_600_000_000)
    browser = house.person_in("stayer", items=("email", "phone"))
    page = browser.get("/portal/trial/mine/contents").text
    for item in ("name", "email", "phone"):
        assert text_of("stayer", item) in page
    house.keeper.seal()
    shown = list(history.entries(house.keeper.places.sealer.connection, kinds=("values.shown",), policy="trial"))
    assert len(shown) == 1


def test_a_second_address_of_somebody_else_adds_nothing(house: Served) -> None:
    browser = house.person_in("stayer")
    browser.send("/portal/trial/mine/second", item="phone", address=text_of("asker", "phone"))
    page = browser.send("/portal/trial/code", code=house.sent[-1].code or "")
    assert page.status_code == 403
    assert browser.get("/portal/trial/mine/contents").status_code == 403
    assert "stayer" not in browser.get("/portal/trial/mine").text


def test_who_was_forgotten_meanwhile_is_signed_out(house: Served) -> None:
    browser = house.person_in("leaver")
    later(house, 60_000_000)
    keeper = house.keeper
    keeper.places.active.submit(
        lambda transaction: transaction.execute("DELETE FROM subject WHERE subject_id = ?", (house.persons["leaver"],))
    )
    page = browser.get("/portal/trial/mine")
    assert page.status_code == 403
    assert "Your session is over" in page.text


def test_signing_out_of_the_portal_ends_the_session(house: Served) -> None:
    browser = house.person_in("stayer")
    token = browser.client.cookies["upheld-mine-trial"]
    assert browser.send("/portal/trial/sign-out").url.path == "/portal/trial"
    browser.client.cookies.set("upheld-mine-trial", token, domain="testserver.local", path="/")
    assert browser.get("/portal/trial/mine").url.path == "/portal/trial"
