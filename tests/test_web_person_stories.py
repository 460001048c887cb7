"""Stories of persons in a real browser at phone width, without JavaScript; every page they meet held against axe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # has no types
from playwright.sync_api import Page, sync_playwright

from tests.browser import chromium, free_port
from tests.served import Served, served, text_of
from tests.test_web_browser import LANGUAGES, RULES, SHOTS, WIDTHS, Site
from tests.test_web_consent import YOUNG_POLICY
from tests.test_web_cookies import SITE_POLICY
from tests.trial_home import at
from upheld.desk.invitations import invite
from upheld.engine.acts import SubjectId
from upheld.engine.state import RequestState
from upheld.web.serving import Listening, served_beside

PHONE = 390


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    path, port = chromium(), free_port()
    address = f"http://127.0.0.1:{port}"
    with served(tmp_path_factory.mktemp("stories") / "home") as house:
        house.settings = replace(house.settings, address=address)
        for policy in (YOUNG_POLICY, SITE_POLICY):
            house.keeper.publish(policy.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        with served_beside(house.settings, Listening(port=port)), sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
            yield Site(house, address, browser)
            browser.close()


def later(house: Served) -> None:
    house.clock.set(house.clock.now() + 1_000_000)  # type: ignore[arg-type]  # an instant later is one


def come_in(site: Site, page: Page, who: str) -> None:
    """Sign in at the portal by a code to each of two addresses, in Korean."""
    house = site.house
    house.clock.set(house.clock.now() + 1_900_000_000)  # type: ignore[arg-type]  # codes are counted
    page.goto("/portal/trial?locale=ko")
    for item in ("email", "phone"):
        sent = len(house.sent)
        page.select_option("#item", item)
        page.fill("#address", text_of(who, item))
        page.click("main form button")
        page.wait_for_url("**/code")
        for _ in range(100):
            if len(house.sent) > sent:
                break
            page.wait_for_timeout(20)
        page.fill("#code", house.sent[-1].code or "")
        page.click("main button")
        page.wait_for_url("**/mine")


def test_one_person_from_consent_to_what_is_held_withdrawal_and_erasure_in_plain_korean(site: Site) -> None:
    house, keeper = site.house, site.house.keeper
    person = house.persons["walker"] = keeper.enter("trial", "member")
    keeper.begin(person, "membership")
    context = site.context(PHONE, scripts=False)
    page = context.new_page()
    page.goto(f"/consent/trial/{invite(keeper, 'trial', person)}?locale=ko")
    assert page.locator("input[type=checkbox]:checked").count() == 0
    page.check("label:has-text('동의합니다: 안내')")
    page.click("text=선택한 대로 저장")
    assert "동의가 기록되었습니다" in page.inner_text("main")
    assert keeper.consents(person) == {"purpose/offers": "given"}

    given = {item: text_of("walker", item) for item in ("name", "email")}
    assert keeper.collect(person, "service", given, channel="website").granted
    assert keeper.collect(person, "offers", {"phone": text_of("walker", "phone")}, channel="website").granted
    come_in(site, page, "walker")
    held = page.inner_text("main")
    for told in ("성명", "이메일", "전화", "안내", "보유 중인 개인정보"):
        assert told in held

    page.click("text=동의·철회하기")
    page.click("a:has-text('철회')")
    assert "이후 파기하는 항목" in page.inner_text("main")
    assert keeper.consents(person)["purpose/offers"] == "given"
    page.click("text=지금 철회")
    assert "동의를 철회했습니다" in page.inner_text("main")
    assert keeper.consents(person)["purpose/offers"] == "withdrawn"

    page.goto("/portal/trial/mine")
    page.click("text=권리 행사하기")
    page.check("#right-erasure")
    page.click("main form button")
    follows = page.url
    assert "처리하고 있습니다" in page.inner_text("main")
    assert "일 남음" in page.inner_text("main")
    (one,) = keeper.requests(person)
    assert (one.right, one.state) == ("erasure", RequestState.OPEN)
    later(house)
    keeper.answer(person, one.request_id, "partly", reason="kept-by-duty")
    page.goto(follows)
    answer = page.inner_text("main")
    for told in ("일부를 처리했습니다", "보존 의무에 따라 일부를 계속 보존함", "이의 제기"):
        assert told in answer
    context.close()


def test_a_child_and_its_representative(site: Site) -> None:
    house, keeper = site.house, site.house.keeper
    child = keeper.enter("young", "member", minor=True)
    keeper.begin(child, "membership")
    context = site.context(PHONE, scripts=False)
    page = context.new_page()
    page.goto(f"/consent/young/{invite(keeper, 'young', child)}?locale=ko")
    assert "법정대리인의 동의가 필요합니다" in page.inner_text("main")
    page.fill("#guardian-name", "made-up guardian")
    page.fill("#guardian-email", "guardian@example.org")
    sent = len(house.sent)
    page.click("text=동의 요청 보내기")
    assert "주소를 보냈습니다" in page.inner_text("main")
    for _ in range(100):
        if len(house.sent) > sent:
            break
        page.wait_for_timeout(20)
    context.close()
    theirs = site.context(PHONE, scripts=False)
    page = theirs.new_page()
    page.goto(f"{house.sent[-1].link}?locale=ko")
    assert "법정대리인으로 알려 주어" in page.inner_text("main")
    page.check("label:has-text('아동 개인정보의 수집')")
    page.click("text=선택한 대로 저장")
    assert keeper.consents(child) == {"representative/collection": "given"}
    assert keeper.collect(child, "service", {"name": "made-up", "email": "c@example.org"}).granted
    later(house)
    page.click("a:has-text('철회')")
    page.click("text=지금 철회")
    assert keeper.consents(child) == {"representative/collection": "withdrawn"}
    assert not keeper.collect(child, "service", {"name": "made-up"}).granted
    theirs.close()


def pages_of(site: Site) -> dict[str, tuple[str, str]]:
    """Every kind of page for persons: name → who looks, address."""
    keeper, house = site.house.keeper, site.house
    stayer = house.persons["stayer"]
    child = keeper.enter("young", "member", minor=True)
    fresh = keeper.enter("young", "member")
    agreed: SubjectId = keeper.enter("young", "member")
    for about in ("purpose/offers", "provision/mall"):
        keeper.consent(agreed, about, channel="website")
    kept, anew = invite(keeper, "young", agreed), invite(keeper, "young", fresh)
    open_one = keeper.request(stayer, "portability", channel="website", proved=True).made
    waiting = keeper.request(stayer, "access", channel="website").made
    refused = keeper.request(stayer, "suspension", channel="website", proved=True).made
    keeper.answer(stayer, refused or "", "refused", reason="law")  # type: ignore[arg-type]  # an id is text
    return {
        "consent-read": ("anybody", "/consent/young"),
        "consent": ("anybody", f"/consent/young/{anew}"),
        "consent-given": ("anybody", f"/consent/young/{kept}?said=yes"),
        "consent-end": ("anybody", f"/consent/young/{kept}/withdraw?about=provision/mall"),
        "representative": ("anybody", f"/consent/young/{invite(keeper, 'young', child)}/representative"),
        "link-over": ("anybody", f"/consent/young/{'0' * 64}"),
        "for-another": ("anybody", "/portal/trial/for-another"),
        "cookies": ("anybody", "/cookies/site"),
        "my-consents": ("person", "/portal/trial/mine/consents"),
        "ask": ("person", "/portal/trial/mine/ask"),
        "my-request-open": ("person", f"/portal/trial/mine/requests/{open_one}"),
        "my-request-waiting": ("person", f"/portal/trial/mine/requests/{waiting}"),
        "my-request-refused": ("person", f"/portal/trial/mine/requests/{refused}"),
        "mine-with-requests": ("person", "/portal/trial/mine"),
        "heard": ("officer", f"/console/trial/people/{stayer}/consent?channel=letter"),
    }


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_for_persons_holds_up_in_a_real_browser(site: Site, width: int, tmp_path: Path) -> None:
    """No violation that axe knows of, nothing wider than the window, nothing asked of another host."""
    folder = Path(SHOTS) if SHOTS else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    context = site.context(width)
    fetched: list[str] = []
    context.on("request", lambda request: fetched.append(request.url))
    looks = {"anybody": context.new_page(), "person": site.mine(context, "stayer"), "officer": site.desk(context)}
    found: list[str] = []
    for name, (who, path) in pages_of(site).items():
        for language in LANGUAGES:
            page = looks[who]
            page.goto(f"{path}{'&' if '?' in path else '?'}locale={language}")
            assert page.url.startswith(f"{site.address}{path.partition('?')[0]}"), name
            page.screenshot(path=folder / f"{name}-{width}-{language}.png", full_page=True)
            wide = page.evaluate("document.documentElement.scrollWidth")
            found += [f"{name} {language}: {wide} pixels wide"] if wide > width else []
            wrong = Axe().run(page, options={"runOnly": list(RULES)}).response["violations"]
            found += [f"{name} {language}: {one['id']} {one['nodes'][0]['html'][:120]}" for one in wrong]
    context.close()
    assert found == []
    assert [url for url in fetched if not url.startswith(site.address)] == []
