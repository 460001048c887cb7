"""Pages in a real browser: without JavaScript, at two widths, in two languages, held against WCAG by axe.

Where there is no Chromium these are skipped with one line; continuous integration installs one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # has no types
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser import chromium, free_port
from tests.desk_house import busy, busy_parts
from tests.served import Served, text_of
from upheld.engine.state import RequestState
from upheld.web.serving import Listening, served_beside

WIDTHS = (1280, 390)
LANGUAGES = ("ko", "en")
AXE_IN = {1280: "ko", 390: "en"}
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
SHOTS = os.environ.get("UPHELD_SCREENSHOTS")
"""A folder to keep the pictures in; without it they are taken and thrown away."""


@dataclass
class Site:
    """A service that listens, and a browser."""

    house: Served
    address: str
    browser: Browser

    def context(self, width: int = 1280, *, scripts: bool = True) -> BrowserContext:
        """A browser that was never here, of some width."""
        return self.browser.new_context(
            base_url=self.address, viewport={"width": width, "height": 900}, java_script_enabled=scripts,
            locale="en-US",
        )  # fmt: skip

    def desk(self, context: BrowserContext, name: str = "officer") -> Page:
        """A page on which this member of staff has signed in."""
        page = context.new_page()
        page.goto("/console/trial/sign-in?locale=en")
        page.fill("#name", name)
        page.fill("#password", self.house.staff[name].password)
        page.click("main button")
        page.fill("#code", self.house.code(name))
        page.click("main button")
        assert page.url == f"{self.address}/console/trial"
        return page

    def mine(self, context: BrowserContext, who: str) -> Page:
        """A page on which this person has signed in with both addresses."""
        self.house.clock.set(self.house.clock.now() + 1_900_000_000)  # type: ignore[arg-type]  # codes are counted
        page = context.new_page()
        page.goto("/portal/trial?locale=en")
        for number, item in enumerate(("email", "phone")):
            sent = len(self.house.sent)
            page.select_option("#item", item)
            page.fill("#address", text_of(who, item))
            page.click("main form button")
            page.wait_for_url("**/code")
            for _ in range(100):
                if len(self.house.sent) > sent:
                    break
                page.wait_for_timeout(20)
            page.fill("#code", self.house.sent[-1].code or "")
            page.click("main button")
            assert page.url == f"{self.address}/portal/trial/mine", number
        return page


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    path, port = chromium(), free_port()
    address = f"http://127.0.0.1:{port}"
    with busy(tmp_path_factory.mktemp("browser") / "home") as house:
        house.settings = replace(house.settings, address=address)
        person = house.persons["asker"]
        house.keeper.withdraw(person, "purpose/offers", channel="website")
        house.clock.set(house.keeper.now() + 4 * 86_400_000_000)  # type: ignore[arg-type]  # an instant later is one
        house.keeper.sweep()
        house.keeper.request(person, "access", channel="letter")
        with served_beside(house.settings, Listening(port=port)), sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
            yield Site(house, address, browser)
            browser.close()


def pages_of(site: Site) -> dict[str, tuple[str, str]]:
    """Every kind of page: name → who looks, address."""
    keeper, person = site.house.keeper, site.house.persons["asker"]
    busied = busy_parts(site.house)
    shown = next(one for one in keeper.audit("trial").clauses if one.evidence)
    request = keeper.requests(person)[0].request_id
    return {
        "start": ("anybody", "/"),
        "notice": ("anybody", "/notice/trial"),
        "versions": ("anybody", "/notice/trial/versions"),
        "compare": ("anybody", "/notice/trial/compare?old=2020-02-01&new=2024-09-01"),
        "portal": ("anybody", "/portal/trial"),
        "portal-code": ("anybody", "/portal/trial/code"),
        "sign-in": ("anybody", "/console/trial/sign-in"),
        "error": ("anybody", "/nowhere"),
        "desk": ("officer", "/console/trial"),
        "requests": ("officer", "/console/trial/requests"),
        "request": ("officer", f"/console/trial/requests/{person}/{request}"),
        "people": ("officer", "/console/trial/people"),
        "person": ("officer", f"/console/trial/people/{person}"),
        "calendar": ("officer", "/console/trial/calendar"),
        "certificate": ("officer", f"/console/trial/certificates/{keeper.certificates('trial')[0]}"),
        "duties": ("officer", "/console/trial/duties"),
        "duty": ("officer", "/console/trial/duties/access-review"),
        "leaks": ("officer", "/console/trial/leaks"),
        "leak": ("officer", f"/console/trial/leaks/{busied['case']}"),
        "leak-form": ("officer", f"/console/trial/leaks/{busied['case']}/form"),
        "parties": ("officer", "/console/trial/parties"),
        "safeguards": ("officer", "/console/trial/safeguards"),
        "registers": ("officer", "/console/trial/registers"),
        "register": ("officer", "/console/trial/registers/destruction"),
        "adverts": ("officer", "/console/trial/advertising"),
        "refuse": ("anybody", f"/refuse/trial/email/{busied['token']}"),
        "forms": ("anybody", "/forms/trial"),
        "form": ("anybody", "/forms/trial/request"),
        "letter": ("officer", f"/console/trial/requests/{person}/{request}/letter"),
        "report": ("officer", "/console/trial/report"),
        "clause": ("officer", f"/console/trial/report/{shown.clause}"),
        "entry": ("officer", f"/console/trial/ledger/{shown.evidence[0].reference}"),
        "ledger": ("officer", "/console/trial/ledger?verify=now"),
        "own-account": ("officer", "/console/trial/account"),
        "accounts": ("officer", "/console/trial/accounts"),
        "reviews": ("officer", "/console/trial/reviews"),
        "mine": ("person", "/portal/trial/mine"),
        "contents": ("person", "/portal/trial/mine/contents"),
    }


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_holds_up_in_a_real_browser(site: Site, width: int, tmp_path: Path) -> None:
    """No violation that axe knows of, nothing wider than the window, nothing asked of another host, no error told."""
    folder = Path(SHOTS) if SHOTS else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    context = site.context(width)
    told: list[str] = []
    fetched: list[str] = []
    said: list[str] = []
    context.on("console", lambda message: said.append(message.text))
    context.on("request", lambda request: fetched.append(request.url))
    looks = {"anybody": context.new_page(), "person": site.mine(context, "stayer"), "officer": site.desk(context)}
    wrong: list[str] = []
    for name, (who, path) in pages_of(site).items():
        for language in LANGUAGES:
            page = looks[who]
            page.goto(f"{path}{'&' if '?' in path else '?'}locale={language}")
            page.screenshot(path=folder / f"{name}-{width}-{language}.png", full_page=True)
            wrong += [f"{name}: signed out"] if "sign-in" in page.url and name != "sign-in" else []
            wide = page.evaluate("document.documentElement.scrollWidth")
            wrong += [f"{name} {language}: {wide} pixels wide"] if wide > width else []
            found = Axe().run(page, options={"runOnly": list(RULES)}).response["violations"]
            wrong += [f"{name} {language}: {one['id']} {one['nodes'][0]['html'][:120]}" for one in found]
    context.close()
    assert wrong == []
    assert [url for url in fetched if not url.startswith(site.address)] == []
    assert [text for text in told if "404" not in text] == []


def test_a_request_is_walked_to_its_answer_without_javascript(site: Site) -> None:
    context = site.context(scripts=False)
    page = site.desk(context)
    page.click("text=Look somebody up")
    page.fill("#text", text_of("stayer", "email"))
    page.click("main form button")
    assert page.url.endswith(site.house.persons["stayer"])
    page.select_option("#right", "access")
    page.select_option("#channel", "letter")
    page.click("text=Take it in")
    page.click("text=Record the proof")
    assert "not proved yet" not in page.inner_text("main")
    page.select_option("#outcome", "done")
    page.click("text=Record the answer")
    assert "done" in page.inner_text("h1")
    (one,) = site.house.keeper.requests(site.house.persons["stayer"])
    assert one.state is RequestState.DONE
    page.click("text=Sign out")
    page.goto("/console/trial")
    assert page.url.endswith("/sign-in")
    context.close()


def test_a_page_is_walked_with_the_keyboard_alone(site: Site) -> None:
    context = site.context()
    page = context.new_page()
    page.goto("/console/trial/sign-in?locale=en")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "name"
    page.keyboard.type("officer")
    page.keyboard.press("Tab")
    page.keyboard.type(site.house.staff["officer"].password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in/code")
    context.close()


def test_an_injected_script_is_stopped_by_the_policy_of_the_page(site: Site) -> None:
    context = site.context()
    page = context.new_page()
    page.goto("/console/trial/sign-in")
    page.evaluate(
        "() => { const one = document.createElement('script'); one.textContent = 'window.ran = true';"
        " document.body.append(one); const style = document.createElement('div');"
        " style.setAttribute('style', 'color: red'); document.body.append(style); }"
    )
    assert page.evaluate("window.ran === undefined")
    context.close()


def test_a_printed_page_leaves_the_menus_out(site: Site) -> None:
    context = site.context()
    page = site.desk(context)
    page.goto("/console/trial/report")
    page.emulate_media(media="print")
    assert not page.is_visible("nav.menu")
    assert page.is_visible("h1")
    assert re.search(r"T-\d", page.inner_text("main"))
    context.close()
