"""The consent page: what is shown is what is recorded, each matter by itself, taken back as easily as given."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest

import upheld
from tests.homes import copied, put_back
from tests.served import WEB_POLICY, Browser, Served, joined, served
from tests.test_web_cookies import NUMBER, SITE_POLICY
from tests.trial_home import at
from upheld.desk.choices import choices_of, record_choice
from upheld.desk.invitations import HOUR, VALID_FOR, Speaker, invitation_of, invite
from upheld.engine.acts import SubjectId
from upheld.store import history
from upheld.store.ids import bucket_of

FACTS = """facts:
  consent-asked: {clause: T-11, en: asked, ko: 동의 요청}
  closed: {clause"""
GUARDIANS = """phone: {en: phone, ko: 전화}
  guardian-name: {en: name of the guardian, ko: 법정대리인 성명}
  guardian-email: {en: mail of the guardian, ko: 법정대리인 이메일}"""
CHILDREN = """children:
  age: {clause: T-10, under: 14, asked: before-collection}
  representative: {clause: T-11, from-child: [guardian-name, guardian-email], only-for: consent-check,
                   given-to: nobody, until: {earlier-of: [answered, consent-asked + P5D]}}
  consent: {clause: T-12, by: reply-mail, from: representative}
advertising:
  e-mail: {clause: T-13, for: offers, at-night: own-consent, en: e-mail, ko: 이메일}
rights:
  every"""
YOUNG_POLICY = (
    WEB_POLICY.replace("policy: trial", "policy: young")
    .replace("phone: {en: phone, ko: 전화}", GUARDIANS)
    .replace("facts: {closed: {clause", FACTS)
    .replace("ko: 해지}}\nparties", "ko: 해지}\nparties")
    .replace("rights:\n  every", CHILDREN)
)
MATTERS = ("purpose/offers", "provision/mall", "medium/e-mail", "night/e-mail")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "home") as found:
        found.keeper.publish(YOUNG_POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        yield found


def member(house: Served, *, minor: bool = False) -> SubjectId:
    """Entered by the service's own program; nothing agreed to, nothing taken yet."""
    person = house.keeper.enter("young", "member", minor=minor)
    house.keeper.begin(person, "membership")
    return person


def opened(house: Served, person: SubjectId, language: str = "en") -> tuple[Browser, str]:
    link = f"/consent/young/{invite(house.keeper, 'young', person)}"
    browser = house.browser(language)
    assert browser.get(link).status_code == 200
    return browser, link


def shown_of(browser: Browser) -> dict[str, str]:
    """What stands on the page for each matter: about → text."""
    assert browser.page is not None
    found = re.findall(r'<p class="asked" id="text-([\w-]+)"[^>]*>(.*?)</p>', browser.page.text, re.S)
    known = {about.replace("/", "-"): about for about in (*MATTERS, "representative/collection")}
    return {known[name]: html.unescape(text) for name, text in found}


def ticked(browser: Browser, link: str, *abouts: str) -> None:
    """Send the form with these boxes ticked and its hidden fields as they stand there."""
    assert browser.page is not None
    hidden = dict(re.findall(r'name="(shown [\w/.-]+)" value="([0-9a-f]{64})"', browser.page.text))
    fields = [("form-token", browser.token()), *hidden.items(), *(("agree", about) for about in abouts)]
    headers = {"content-type": "application/x-www-form-urlencoded"}
    browser.page = browser.client.post(link, content=urlencode(fields), headers=headers)


def recorded_texts(house: Served, person: SubjectId) -> dict[str, tuple[str, str, str]]:
    """Matter → the text on record, its locale and the version."""
    with house.keeper.places.active.reading() as connection:
        rows = connection.execute(
            "SELECT c.about_kind || '/' || c.about, t.text, c.locale, c.version FROM consent c "
            "JOIN shown_text t ON t.digest = c.text_digest WHERE c.bucket = ? AND c.subject_id = ? ORDER BY c.known_at",
            (bucket_of(person), person),
        ).fetchall()
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


# ── agreeing ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ16-4.1.a", "BZ16-4.2.a", "BZ18-4.1.a", "BZ18-4.2.a", "MS18-4.2.a")
@pytest.mark.parametrize("language", ["ko", "en"])
def test_what_stands_on_the_page_is_what_is_recorded(house: Served, language: str) -> None:
    person = member(house)
    browser, link = opened(house, person, language)
    shown = shown_of(browser)
    assert set(shown) == set(MATTERS)
    ticked(browser, link, "purpose/offers", "provision/mall")
    found = recorded_texts(house, person)
    assert found == {about: (shown[about], language, "2020-02-01") for about in ("purpose/offers", "provision/mall")}
    house.keeper.seal()
    entries = [
        one.entry for one in history.entries(house.keeper.places.sealer.connection) if one.entry.kind == "consent.given"
    ]
    assert hashlib.sha256(shown["provision/mall"].encode()).digest() in {one.fields["text"] for one in entries}


@pytest.mark.clauses("BZ16-4.1.b", "BZ18-4.1.b", "MS18-4.1-1")
def test_a_question_tells_in_words_who_gets_what_until_when(house: Served) -> None:
    browser, _ = opened(house, member(house))
    text = shown_of(browser)["provision/mall"]
    assert "Recipient: Mall Ltd." in text
    assert "Kept and used: until it is closed" in text
    assert "You may refuse" in text
    korean, _ = opened(house, member(house), "ko")
    assert "제공받는 자: 몰" in shown_of(korean)["provision/mall"]
    assert "해지 시까지" in shown_of(korean)["provision/mall"]


def test_nothing_is_ticked_beforehand_and_all_sets_boxes_only(house: Served) -> None:
    person = member(house)
    browser, link = opened(house, person)
    assert browser.page is not None
    assert " checked" not in browser.page.text
    page = browser.send(link, all="all")
    assert page.text.count(" checked>") == len(MATTERS)
    assert house.keeper.consents(person) == {}


@pytest.mark.clauses("BZ18-2.3.B", "KE22-2.3.b-0")
def test_refusing_what_is_optional_withholds_nothing(house: Served) -> None:
    person = member(house)
    browser, link = opened(house, person)
    ticked(browser, link)
    assert browser.page is not None
    assert "You agreed to nothing" in browser.page.text
    assert house.keeper.consents(person) == {}
    assert house.keeper.collect(person, "service", {"name": "made-up", "email": "m@example.org"}).granted


@pytest.mark.clauses("BZ16-4.2.b", "BZ18-4.2.b")
def test_each_matter_is_a_consent_of_its_own(house: Served) -> None:
    person = member(house)
    browser, link = opened(house, person)
    ticked(browser, link, "medium/e-mail", "purpose/offers")
    assert house.keeper.consents(person) == {"medium/e-mail": "given", "purpose/offers": "given"}
    browser.get(link)
    assert set(shown_of(browser)) == {"provision/mall", "night/e-mail"}


def test_a_text_that_changed_since_it_was_shown_is_shown_again(house: Served) -> None:
    person = member(house)
    browser, link = opened(house, person)
    page = browser.send(link, **{"agree": "purpose/offers", "shown purpose/offers": "0" * 64})
    assert page.status_code == 409
    assert house.keeper.consents(person) == {}


def test_a_matter_that_is_not_asked_is_never_recorded(house: Served) -> None:
    person = member(house)
    browser, link = opened(house, person)
    browser.send(link, **{"agree": "purpose/service", "shown purpose/service": "0" * 64})
    assert house.keeper.consents(person) == {}


def test_a_link_opens_one_persons_consents_under_one_policy_for_a_day(house: Served) -> None:
    person = member(house)
    browser, link = opened(house, person)
    assert browser.get(link.replace("/young/", "/trial/")).status_code == 404
    assert browser.get(f"/consent/young/{'0' * 64}").status_code == 404
    assert browser.get("/consent/young/short").status_code == 404
    house.clock.set(house.clock.now() + VALID_FOR[Speaker.SUBJECT] + HOUR)
    assert browser.get(link).status_code == 404


def test_the_questions_stand_there_for_everybody_to_read(house: Served) -> None:
    page = house.browser().get("/consent/young")
    assert page.status_code == 200
    assert "Mall Ltd." in page.text
    assert "<form" not in page.text


# ── taking back ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ16-10.1.c", "BZ18-9.1.c", "KE22-9.1-6", "MS18-8.1-6")
def test_taking_back_tells_first_what_it_ends_and_then_ends_it(house: Served) -> None:
    person = member(house)
    browser, link = opened(house, person)
    ticked(browser, link, "purpose/offers")
    assert house.keeper.collect(person, "offers", {"phone": "010-0000-0000"}).granted
    page = browser.get(f"{link}/withdraw", about="purpose/offers")
    assert "Destroyed after that" in page.text
    assert "phone" in page.text
    assert house.keeper.consents(person)["purpose/offers"] == "given"
    page = browser.send(f"{link}/withdraw", about="purpose/offers")
    assert "taken back" in page.text
    assert house.keeper.consents(person)["purpose/offers"] == "withdrawn"
    assert browser.get(f"{link}/withdraw", about="purpose/offers").status_code == 404


@pytest.mark.clauses("BZ16-10.2.d", "BZ18-9.2.c", "BZ18-9.2.f")
def test_a_person_who_is_signed_in_takes_back_and_agrees_in_the_portal(house: Served) -> None:
    person = house.persons["stayer"]
    browser = house.person_in("stayer")
    page = browser.get("/portal/trial/mine/consents")
    assert "Giving data to Mall Ltd." in page.text
    browser.get("/portal/trial/mine/consents/withdraw", about="provision/mall")
    browser.send("/portal/trial/mine/consents/withdraw", about="provision/mall")
    assert house.keeper.consents(person)["provision/mall"] == "withdrawn"
    house.clock.set(house.clock.now() + 1_000_000)
    ticked(browser, "/portal/trial/mine/consents", "provision/mall")
    assert house.keeper.consents(person)["provision/mall"] == "given"


def test_receipts_name_the_text_by_its_hash_in_both_formats(house: Served) -> None:
    person = member(house)
    browser, link = opened(house, person)
    text = shown_of(browser)["purpose/offers"]
    ticked(browser, link, "purpose/offers")
    for form in ("kantara", "27560"):
        page = browser.get(f"{link}/receipts", form=form)
        assert page.headers["content-disposition"].startswith("attachment")
        (receipt,) = json.loads(page.text)
        assert hashlib.sha256(text.encode()).hexdigest() in json.dumps(receipt)


# ── asked anew ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_agreed_to_less_is_shown_what_grew_before_the_question(house: Served) -> None:
    later = YOUNG_POLICY.replace("2020-01-01", "2024-09-09").replace("2020-02-01", "2024-11-01")
    wider = later.replace("ko: 안내, items: phone", "ko: 안내, items: [phone, name]")
    somebody = member(house)
    house.keeper.consent(somebody, "purpose/offers", channel="website")
    house.keeper.publish(wider.encode())
    house.clock.set(at("2024-11-02"))
    browser, link = opened(house, somebody)
    text = shown_of(browser)["purpose/offers"]
    assert text.startswith("What has changed since you agreed to the version of 2020-02-01")
    ticked(browser, link, "purpose/offers")
    assert recorded_texts(house, somebody)["purpose/offers"][2] == "2024-11-01"
    assert "purpose/offers" not in shown_of(browser)


# ── children ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("MS18-9.1", "MS18-9.2-1", "MS18-9.2.a-1", "MS18-9.3.a")
def test_a_child_names_its_representative_who_decides_by_a_link(house: Served) -> None:
    child = member(house, minor=True)
    browser, link = opened(house, child)
    assert browser.page is not None
    assert browser.page.url.path.endswith("/representative")
    page = browser.send(f"{link}/representative", **{"guardian-name": "made-up guardian", "guardian-email": "no mail"})
    assert page.status_code == 400
    assert not house.sent
    page = browser.send(
        f"{link}/representative", **{"guardian-name": "made-up guardian", "guardian-email": "guardian@example.org"}
    )
    assert "We sent them a link" in page.text
    (message,) = house.sent
    assert (message.address, message.code) == ("guardian@example.org", None)
    refused = house.keeper.collect(child, "service", {"name": "made-up", "email": "child@example.org"})
    assert [reason.value for reason in refused.reasons] == ["child-without-representative"]
    theirs = message.link.removeprefix("http://testserver")
    guardian = house.browser()
    assert "A child named you" in guardian.get(theirs).text
    assert set(shown_of(guardian)) == {"representative/collection", "purpose/offers", "provision/mall"}
    ticked(guardian, theirs, "provision/mall")
    assert guardian.page is not None
    assert guardian.page.status_code == 400
    ticked(guardian, theirs, "representative/collection", "purpose/offers")
    assert house.keeper.consents(child) == {"representative/collection": "given", "purpose/offers": "given"}
    assert house.keeper.collect(child, "service", {"name": "made-up", "email": "child@example.org"}).granted
    assert {one.code for one in house.keeper.views.get(child, house.keeper.now()).state.facts} >= {
        "consent-asked", "answered",
    }  # fmt: skip


@pytest.mark.clauses("MS18-9.1", "MS18-9.3-0")
def test_a_child_agrees_to_nothing_by_its_own_link(house: Served) -> None:
    child = member(house, minor=True)
    browser, link = opened(house, child)
    browser.get("/consent/young")
    page = browser.post(link, {"form-token": "0" * 64, "agree": "purpose/offers"})
    assert page.status_code == 403
    browser.get(f"{link}/representative")
    browser.send(link, agree="purpose/offers")
    assert house.keeper.consents(child) == {}


def test_a_grown_person_has_no_representatives_page(house: Served) -> None:
    browser, link = opened(house, member(house))
    assert browser.get(f"{link}/representative").status_code == 404


def test_a_second_link_is_not_sent_while_the_first_holds(house: Served) -> None:
    child = member(house, minor=True)
    browser, link = opened(house, child)
    fields = {"guardian-name": "made-up guardian", "guardian-email": "guardian@example.org"}
    token = browser.token()
    browser.post(f"{link}/representative", {"form-token": token, **fields})
    assert browser.post(f"{link}/representative", {"form-token": token, **fields}).status_code == 429
    assert len(house.sent) == 1


def test_nobody_of_another_policy_is_invited(house: Served) -> None:
    stranger = joined(house.keeper, "elsewhere", "other", offers=False)
    with pytest.raises(Exception, match="no subject"):
        invite(house.keeper, "young", stranger)


def test_links_that_are_out_and_choices_of_cookies_outlive_a_copy_that_was_put_back(tmp_path: Path) -> None:
    home, options = tmp_path / "home", upheld.Options(clock=upheld.SetClock(at("2024-09-09")), light_hashing=True)
    with served(home) as house:
        house.keeper.publish(SITE_POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        person = house.persons["stayer"]
        house.keeper.seal()
    copy = copied(home, tmp_path / "copy")
    with upheld.open(home, options) as keeper:
        keeper.views.refresh()
        token = invite(keeper, "trial", person, Speaker.REPRESENTATIVE)
        assert record_choice(keeper, "site", NUMBER, "2020-02-01", ("visits",), "gpc")
        before = choices_of(keeper, "site", NUMBER)
        keeper.seal()
    put_back(home, copy, "active")
    with upheld.open(home, options) as keeper:
        keeper.recover()
        found = invitation_of(keeper, "trial", token)
        assert found is not None
        assert (found.subject_id, found.speaker) == (person, Speaker.REPRESENTATIVE)
        assert choices_of(keeper, "site", NUMBER) == before
        assert token.encode() not in b"".join(path.read_bytes() for path in home.glob("ledger.db*"))


def test_a_receipt_names_the_mailbox_of_the_house_where_it_has_one_and_none_else(house: Served) -> None:
    person = member(house)
    browser, link = opened(house, person)
    ticked(browser, link, "purpose/offers")
    for form in ("kantara", "27560"):
        text = browser.get(f"{link}/receipts", form=form).text
        assert '"email"' not in text
        assert "dpv:hasContact" not in text
    house.settings = replace(house.settings, mailbox="privacy@example.org")
    browser, link = opened(house, person)
    for form in ("kantara", "27560"):
        assert "privacy@example.org" in browser.get(f"{link}/receipts", form=form).text


def test_consent_to_advertising_is_asked_for_again_after_two_years_and_a_new_yes_lets_it_go_on(house: Served) -> None:
    person = member(house)
    browser, link = opened(house, person)
    ticked(browser, link, "purpose/offers", "medium/e-mail")
    browser, link = opened(house, person)
    assert "medium/e-mail" not in shown_of(browser)
    house.clock.set(at("2026-09-12"))
    before = house.keeper.send(person, "offers", "e-mail")
    assert "reconfirmation-overdue" in [one.value for one in before.reasons]
    browser, link = opened(house, person)
    assert "medium/e-mail" in shown_of(browser)
    assert "purpose/offers" not in shown_of(browser)
    ticked(browser, link, "medium/e-mail")
    now = house.keeper.send(person, "offers", "e-mail")
    assert "reconfirmation-overdue" not in [one.value for one in now.reasons]
    assert "medium/e-mail" not in shown_of(opened(house, person)[0])
