"""Pages in a real browser: without JavaScript, at two widths, in two languages, held against WCAG by axe.

Where there is no Chromium these are skipped with one line; continuous integration installs one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # has no types
from playwright.sync_api import BrowserContext, Page

from tests.browser import Site, chrome, site_of
from tests.every_page import WIDTHS, Look, browsers, lived_in, looks, rows_without_a_look, there
from tests.served import text_of
from upheld.engine.state import RequestState

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("browser") / "home"
    with lived_in(home) as house, chrome() as browser, site_of(house, browser) as found:
        yield found


@pytest.fixture(scope="module")
def pages(site: Site) -> dict[str, Look]:
    return looks(site.house)


# ── every page ──────────────────────────────────────────────────────────────────────────────────────────────────────


def violations(page: Page, options: dict[str, object]) -> list[str]:
    found = Axe().run(page, options=options).response["violations"]
    return [f"{one['id']} {one['nodes'][0]['html'][:120]}" for one in found]


def wrong_with(page: Page, name: str, look: Look) -> list[str]:
    """What axe, the widths, a dark screen and paper say against a page."""
    wrong: list[str] = []
    everything: dict[str, object] = {"runOnly": list(RULES)}
    contrast: dict[str, object] = {"runOnly": ["color-contrast"]}
    for locale, width in (("ko", WIDTHS[0]), ("en", WIDTHS[1])):
        page.goto(there(look, locale))
        for each in WIDTHS:
            page.set_viewport_size({"width": each, "height": 900})
            wide = page.evaluate("document.documentElement.scrollWidth")
            wrong += [f"{name} {locale}: {wide} pixels wide at {each}"] if wide > each else []
        page.set_viewport_size({"width": width, "height": 900})
        wrong += [f"{name} {locale} {width}: {one}" for one in violations(page, everything)]
    page.emulate_media(color_scheme="dark")
    wrong += [f"{name} dark: {one}" for one in violations(page, contrast)]
    page.emulate_media(media="print", color_scheme="light")
    wrong += [f"{name} on paper: {one}" for one in violations(page, contrast)]
    if page.locator("nav.menu").count():
        wrong += [f"{name}: the menu is printed"] if page.is_visible("nav.menu") else []
    page.emulate_media(media="screen")
    return wrong


@pytest.mark.parametrize("area", ["for everybody", "portal", "console, by day", "console, evidence"])
def test_every_page_holds_up_in_a_real_browser(site: Site, pages: dict[str, Look], area: str) -> None:
    """No violation that axe knows of, light, dark and on paper; nothing wider than the window; no other host asked."""
    fetched: list[str] = []

    def watched() -> BrowserContext:
        context = site.context()
        context.on("request", lambda request: fetched.append(request.url))
        return context

    seen = browsers(site, watched)
    wrong: list[str] = []
    for name, look in pages.items():
        if area_of(name, look) == area:
            wrong += wrong_with(seen[look.who], name, look)
            at_sign_in = seen[look.who].url.partition("?")[0].endswith("/sign-in")
            wrong += [f"{name}: signed out"] if at_sign_in and name != "sign-in" else []
    for page in seen.values():
        page.context.close()
    assert not wrong, "\n".join(wrong)
    assert [url for url in fetched if not url.startswith(site.address)] == []


EVIDENCE = ("report", "clause", "register", "ledger", "entry", "duties", "duty", "leak", "parties", "safeguards")


def area_of(name: str, look: Look) -> str:
    if look.who in ("anybody", "person"):
        return {"anybody": "for everybody", "person": "portal"}[look.who]
    return "console, evidence" if name.startswith(EVIDENCE) else "console, by day"


def test_every_row_of_the_table_is_looked_at(pages: dict[str, Look]) -> None:
    assert rows_without_a_look(pages) == set()


# ── the frame: menu, path, help ─────────────────────────────────────────────────────────────────────────────────────


def test_the_menu_shows_each_role_its_own_pages_in_groups(site: Site) -> None:
    told = {}
    for name in ("officer", "counsel", "auditor"):
        context = site.context()
        page = site.desk(context, name)
        told[name] = [page.locator(f"nav.menu {part}").all_inner_texts() for part in (".group", "li a")]
        context.close()
    assert told["officer"][0] == ["Today", "People", "Promises", "Evidence", "Settings"]
    assert "Look somebody up" in told["counsel"][1]
    assert "Clause report" not in told["counsel"][1]
    assert told["auditor"][0] == ["Today", "People", "Promises", "Evidence", "Settings"]
    assert {"Requests", "Look somebody up", "Accounts"} & set(told["auditor"][1]) == set()


def test_the_menu_opens_and_closes_on_a_phone_without_javascript(site: Site) -> None:
    context = site.context(390, scripts=False)
    page = site.desk(context)
    assert not page.is_visible("nav.menu")
    page.click(".open-menu")
    assert page.is_visible("nav.menu >> text=Clause report")
    page.click("text=Close the menu")
    assert not page.is_visible("nav.menu")
    page.click(".open-menu")
    page.click("nav.menu >> text=Clause report")
    assert page.url.endswith("/report")
    context.close()


def test_the_way_back_leads_to_the_list_as_it_was_left(site: Site) -> None:
    context = site.context(scripts=False)
    page = site.desk(context)
    page.goto("/console/trial/requests?show=unproved")
    page.locator("main table a").first.click()
    page.click("text=Something is missing")
    page.click("text=Record that it was asked for")  # a form in between takes nothing away
    page.click("nav.path >> text=Requests")
    assert page.url.endswith("/requests?show=unproved")
    page.goto("/console/trial/registers?first=2024-09-01&last=2024-09-30")
    page.locator("main table a").first.click()
    page.click("nav.path >> text=Registers")
    assert page.url.endswith("/registers?first=2024-09-01&last=2024-09-30")
    page.goto("/console/trial/requests")
    page.locator("main table a").first.click()
    page.click("nav.path >> text=Requests")
    assert page.url.endswith("/requests")
    context.close()


def test_a_page_that_says_no_leads_back_and_on(site: Site) -> None:
    context = site.context(scripts=False)
    page = site.desk(context)
    page.goto("/console/trial/requests")
    for status, path, title in (
        (404, "/console/trial/nothing-here", "There is no such page"),
        (404, "/console/trial/leaks/none", "There is no such"),
        (400, "/console/trial/requests?show=nonsense", "none that is offered"),
    ):
        answered = page.goto(path, referer=f"{site.address}/console/trial/requests")
        assert answered is not None
        assert answered.status == status
        assert title in page.inner_text("h1")
        assert str(status) in page.inner_text("main")
        page.click("text=Back to where you were")
        assert page.url.endswith("/console/trial/requests")
    page.goto("/nowhere", referer="https://elsewhere.example.org/console/trial/requests")
    assert page.locator("text=Back to where you were").count() == 0
    context.close()


# ── with the keyboard, without JavaScript ───────────────────────────────────────────────────────────────────────────


def test_a_request_is_walked_to_its_answer_without_javascript(site: Site) -> None:
    context = site.context(scripts=False)
    page = site.desk(context)
    page.click("nav.menu >> text=Look somebody up")
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
    one = max(site.house.keeper.requests(site.house.persons["stayer"]), key=lambda each: each.received_at)
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


def test_a_request_is_answered_with_the_keyboard_alone(site: Site) -> None:
    """Tab, arrows and Enter from the desk to the recorded answer; the focus is always on something that is seen."""
    person = site.house.persons["stayer"]
    number = site.house.keeper.request(person, "withdrawal", channel="letter", proved=True).made
    context = site.context(scripts=False)
    page = site.desk(context)
    tab_to(page, "a[aria-current=page] >> nth=0")
    tab_to(page, "nav.menu a:has-text('Requests')")
    page.keyboard.press("Enter")
    page.wait_for_url("**/requests")
    tab_to(page, f"main table a[href*='{number}']")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{number}")
    tab_to(page, "#outcome")
    for key in ("ArrowDown", "ArrowUp"):  # to what else there is, and back
        page.keyboard.press(key)
    tab_to(page, "button:has-text('Record the answer')")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('done')")
    answered = {one.request_id: one.state for one in site.house.keeper.requests(person)}
    assert answered[number] is RequestState.DONE  # type: ignore[index]  # it was made
    context.close()


def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until this has the focus, wherever one is."""
    there = page.locator(wanted).first
    for _ in range(120):
        if there.evaluate("one => one === document.activeElement"):
            assert there.is_visible()
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not get to {wanted}")


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
