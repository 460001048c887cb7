"""Cookies of a site: declared ones only, refusal honoured, the choice on record for a time of its own.

The script runs in a real browser on a page of another origin, as it does in life.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser import chromium, free_port
from tests.served import WEB_POLICY, Served, served
from tests.trial_home import at
from upheld.desk.background import JOBS
from upheld.desk.choices import KEPT_FOR, Choice, choices_of
from upheld.desk.invitations import invite
from upheld.web.serving import Listening, served_beside

COOKIES = """cookies:
  every: {clause: T-14, honours: [browser, gpc], preset: necessary}
  session: {for: necessary, lasts: P1D, en: signing in, ko: 로그인 유지}
  visits: {for: offers, lasts: P3M, en: visits, ko: 방문 기록}
  taste: {for: offers, lasts: P1M, en: taste, ko: 관심 분야}
rights:
  every"""
SITE_POLICY = (
    WEB_POLICY.replace("policy: trial", "policy: site")
    .replace("rights:\n  every", COOKIES)
    .replace("ko: 안내, items: phone", "ko: 안내, items: phone, source: [person, cookie]")
)
NUMBER = "abcdefghijklmnopqrst"
PAGE = """<!doctype html><html lang="en"><head><title>a site</title>
<script src="{script}"></script>
<script type="text/plain" data-cookie="visits">document.cookie = "visits=1; path=/"; window.counted = true;</script>
</head><body><h1>A made-up shop</h1><a href="#" data-upheld-cookies>Cookies</a>
<script>document.cookie = "session=1; path=/"; document.cookie = "tracker=1; path=/";
document.cookie = "taste=1; path=/";
</script></body></html>"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("cookies") / "home") as found:
        found.keeper.publish(SITE_POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        yield found


def sent(house: Served, **fields: str) -> int:
    given = {"id": NUMBER, "version": "2020-02-01", "yes": "visits", "control": "person"} | fields
    return house.browser().post("/cookies/site/choices", given).status_code


# ── the page and the log ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ16-11.0.b", "BZ18-10.0.b", "KE22-10.0-1", "MS18-10.0-1")
@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_page_names_every_declared_cookie_its_purpose_and_its_life(house: Served, language: str) -> None:
    page = house.browser(language).get("/cookies/site").text
    told = {"ko": ("방문 기록", "안내", "3개월", "항상 설치"), "en": ("visits", "offers", "3 months", "always set")}
    for words in told[language]:
        assert words in page
    assert "<form" not in page


def test_a_policy_without_cookies_says_so(house: Served) -> None:
    assert "No cookie is declared" in house.browser().get("/cookies/trial").text


def test_a_choice_is_kept_for_a_year_and_names_nobody(house: Served) -> None:
    assert sent(house) == 200
    (one,) = choices_of(house.keeper, "site", NUMBER)
    assert (one.version, one.allowed, one.control) == ("2020-02-01", ("visits",), "person")
    began = house.clock.now()
    house.clock.set(began + KEPT_FOR - 1)
    JOBS["clear"].run(house.keeper)
    assert len(choices_of(house.keeper, "site", NUMBER)) == 1
    house.clock.set(began + KEPT_FOR + 1)
    JOBS["clear"].run(house.keeper)
    assert choices_of(house.keeper, "site", NUMBER) == []


@pytest.mark.parametrize(
    "wrong", [{"yes": "tracker"}, {"id": "short"}, {"id": "' OR 1=1 --aaaaaaaaa"}, {"version": "1999-01-01"},
              {"control": "nobody"}],
)  # fmt: skip
def test_what_no_script_of_ours_sends_is_not_kept(house: Served, wrong: dict[str, str]) -> None:
    assert sent(house, **wrong) == 400


# ── the script, in a page of another origin ─────────────────────────────────────────────────────────────────────────


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def site_of(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", free_port()), partial(_Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Shop:
    """A site that uses the script, and a browser."""

    house: Served
    address: str
    browser: Browser
    ours: str
    """Where our service is."""

    def visit(self, *, control: bool = False, width: int = 390) -> tuple[BrowserContext, Page]:
        context = self.browser.new_context(viewport={"width": width, "height": 800}, locale="en-US")
        if control:
            context.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})")
        page = context.new_page()
        page.goto(self.address)
        return context, page

    def chosen(self, context: BrowserContext, page: Page) -> list[Choice]:
        """What the log says of this browser."""
        cookie = next(one for one in context.cookies() if one.get("name") == "upheld-cookies-site")
        number = re.findall(r"[a-z2-7]{20}", cookie.get("value", ""))[0]
        for _ in range(100):
            found = choices_of(self.house.keeper, "site", number)
            if found:
                return found
            page.wait_for_timeout(20)
        return []


def names(context: BrowserContext) -> set[str]:
    return {one.get("name", "") for one in context.cookies()}


@pytest.fixture(scope="module")
def shop(house: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    path, port = chromium(), free_port()
    ours = f"http://127.0.0.1:{port}"
    folder = tmp_path_factory.mktemp("site")
    (folder / "index.html").write_text(PAGE.format(script=f"{ours}/cookies/site/script"))
    settings = replace(house.settings, address=ours)
    with served_beside(settings, Listening(port=port)), site_of(folder) as address, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield Shop(house, address, browser, ours)
        browser.close()


def test_before_a_choice_only_what_is_necessary_is_set(shop: Shop) -> None:
    context, page = shop.visit()
    assert page.is_visible("role=dialog")
    assert names(context) == {"session"}
    assert page.evaluate("window.counted") is None
    assert page.is_checked("input[value=visits]") is False
    context.close()


@pytest.mark.clauses("BZ16-11.2", "BZ18-10.2", "KE22-10.2-1", "MS18-10.2-1")
def test_a_refusal_is_honoured_remembered_and_on_record(shop: Shop) -> None:
    context, page = shop.visit()
    page.click("text=Only necessary")
    (one,) = shop.chosen(context, page)
    assert (one.allowed, one.control) == ((), "person")
    page.reload()
    assert not page.is_visible("role=dialog")
    assert names(context) == {"session", "upheld-cookies-site"}
    assert page.evaluate("window.counted") is None
    context.close()


@pytest.mark.clauses("BZ16-11.2.B.1", "BZ18-10.2.B.1", "KE22-10.2.b", "MS18-10.2.b")
def test_what_was_ticked_is_set_and_nothing_else(shop: Shop) -> None:
    context, page = shop.visit()
    page.check("input[value=visits]")
    page.click("text=What I ticked")
    assert page.evaluate("window.counted") is True
    assert shop.chosen(context, page)[0].allowed == ("visits",)
    page.reload()
    assert names(context) == {"session", "visits", "upheld-cookies-site"}
    context.close()


def test_a_cookie_that_is_not_declared_is_never_set(shop: Shop) -> None:
    context, page = shop.visit()
    page.get_by_role("button", name="All", exact=True).click()
    page.evaluate("document.cookie = 'tracker=2; path=/'")
    assert "tracker" not in names(context)
    page.reload()
    assert names(context) == {"session", "visits", "taste", "upheld-cookies-site"}
    context.close()


@pytest.mark.clauses("BZ16-11.0.c", "BZ18-10.0.c", "KE22-10.0-2", "MS18-10.0-2")
def test_global_privacy_control_is_a_refusal_without_a_question(shop: Shop) -> None:
    context, page = shop.visit(control=True)
    assert not page.is_visible("role=dialog")
    (one,) = shop.chosen(context, page)
    assert (one.allowed, one.control) == ((), "gpc")
    assert names(context) == {"session", "upheld-cookies-site"}
    context.close()


def test_a_choice_is_changed_at_any_time_and_what_was_refused_goes(shop: Shop) -> None:
    context, page = shop.visit(width=1280)
    page.get_by_role("button", name="All", exact=True).click()
    shop.chosen(context, page)
    page.click("[data-upheld-cookies]")
    assert page.is_checked("input[value=visits]")
    shop.house.clock.set(shop.house.clock.now() + 1_000_000)
    page.click("text=Only necessary")
    assert names(context) == {"session", "upheld-cookies-site"}
    context.close()


# ── the shop's visitor, from its banner to our consent page and back ────────────────────────────────────────────────


@pytest.mark.clauses("BZ16-11.2", "BZ18-10.2", "KE22-10.2-1", "MS18-10.2-1")
def test_a_visitor_of_a_foreign_site_chooses_cookies_and_consents_behind_a_plain_link(shop: Shop) -> None:
    """The site carries one script and one link; nothing of ours is framed by it, nothing of the visitor goes to it."""
    keeper = shop.house.keeper
    person = keeper.enter("site", "member")
    context, page = shop.visit()
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page.click("text=Only necessary")
    shop.chosen(context, page)
    ours = shop.ours
    page.evaluate(
        "to => { const link = document.createElement('a'); link.href = to; link.id = 'choices';"
        " link.textContent = 'Your choices'; document.body.append(link); }",
        f"{ours}/consent/site/{invite(keeper, 'site', person)}?locale=en",
    )
    page.click("#choices")
    assert page.url.startswith(f"{ours}/consent/site/")
    assert page.locator("input[name=agree]:checked").count() == 0
    page.check("label:has-text('offers')")
    page.click("text=Record my choice")
    assert "on record" in page.inner_text("main")
    assert keeper.consents(person) == {"purpose/offers": "given"}
    page.goto(shop.address)
    assert not page.is_visible("role=dialog")  # the choice about cookies holds beside it
    assert {url.split("/")[2] for url in asked} == {ours.split("/")[2], shop.address.split("/")[2]}
    context.close()


def test_our_pages_are_not_shown_in_a_frame_of_a_foreign_site(shop: Shop) -> None:
    context, page = shop.visit()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    framed = "to => new Promise(done => { const one = document.createElement('iframe'); one.src = to;"
    page.evaluate(f"{framed} one.onload = done; one.onerror = done; document.body.append(one); }})", f"{shop.ours}/")
    assert any("frame" in text.lower() for text in told), told
    assert all("Upheld" not in one.content() for one in page.frames[1:])
    context.close()


def test_global_privacy_control_that_is_switched_on_later_takes_back_what_was_allowed(shop: Shop) -> None:
    context, page = shop.visit()
    page.get_by_role("button", name="All", exact=True).click()
    assert "visits" in names(context) or page.evaluate("window.counted") is True
    context.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})")
    page.reload()
    page.reload()
    assert names(context) == {"session", "upheld-cookies-site"}
    context.close()
