"""Where a real browser is, for the tests that need one, and a service that one looks at. The only place where a test
may be left out, and it says how not to."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

import upheld
from tests.served import Served, text_of
from upheld.web.serving import Listening, served_beside

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str:
    """The path of a Chromium; without one the test is skipped with the line that says how to get it."""
    found = os.environ.get("UPHELD_CHROMIUM") or next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium here: apt-get install chromium, or point UPHELD_CHROMIUM to one")
    return found


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def chrome() -> Iterator[Browser]:
    """A browser."""
    path = chromium()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Site:
    """A service that listens, and a browser."""

    house: Served
    address: str
    browser: Browser
    serving: ExitStack
    policy: str = "trial"

    def restart(self) -> None:
        """The service stops, the home is closed and opened again, the service comes up where it was."""
        self.serving.close()
        self.house.keeper.close()
        self.house.keeper = upheld.open(self.house.home, upheld.Options(clock=self.house.clock, light_hashing=True))
        self.house.settings = replace(self.house.settings, keeper=self.house.keeper)
        self.serve()

    def serve(self) -> None:
        """Come up at the address."""
        port = int(self.address.rpartition(":")[2])
        self.serving.enter_context(served_beside(self.house.settings, Listening(port=port)))

    def context(self, width: int = 1280, *, scripts: bool = True) -> BrowserContext:
        """A browser that was never here, of some width."""
        return self.browser.new_context(
            base_url=self.address, viewport={"width": width, "height": 900}, java_script_enabled=scripts,
            locale="en-US",
        )  # fmt: skip

    def desk(self, context: BrowserContext, name: str = "officer") -> Page:
        """A page on which this member of staff has signed in."""
        page = context.new_page()
        page.goto(f"/console/{self.policy}/sign-in?locale=en")
        page.fill("#name", name)
        page.fill("#password", self.house.staff[name].password)
        page.click("main button")
        page.fill("#code", self.house.code(name))
        page.click("main button")
        assert page.url == f"{self.address}/console/{self.policy}"
        return page

    def mine(self, context: BrowserContext, who: str, locale: str = "en") -> Page:
        """A page on which this person has signed in with both addresses."""
        page = context.new_page()
        self.come_in(page, {item: text_of(who, item) for item in ("email", "phone")}, locale)
        return page

    def come_in(self, page: Page, addresses: Mapping[str, str], locale: str = "ko") -> None:
        """Sign in at the portal by a code to each of these addresses of a person."""
        house = self.house
        house.clock.set(house.clock.now() + 1_900_000_000)
        page.goto(f"/portal/{self.policy}?locale={locale}")
        for number, (item, address) in enumerate(addresses.items()):
            sent = len(house.sent)
            page.select_option("#item", item)
            page.fill("#address", address)
            page.click("main form button")
            page.wait_for_url("**/code")
            self.wait_for_mail(page, sent)
            page.fill("#code", house.sent[-1].code or "")
            page.click("main button")
            assert page.url == f"{self.address}/portal/{self.policy}/mine", number

    def wait_for_mail(self, page: Page, sent: int) -> None:
        """Until more than so many messages went out; they go after the page has answered."""
        for _ in range(100):
            if len(self.house.sent) > sent:
                return
            page.wait_for_timeout(20)
        raise AssertionError("no message went out")


@contextmanager
def site_of(house: Served, browser: Browser, policy: str = "trial") -> Iterator[Site]:
    """A home behind a port, before a browser."""
    with ExitStack() as serving:
        house.settings = replace(house.settings, address=f"http://127.0.0.1:{free_port()}")
        site = Site(house, house.settings.address, browser, serving, policy)
        site.serve()
        yield site
