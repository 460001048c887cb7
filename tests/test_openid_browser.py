"""The house's own sign-in in a real browser, at a provider that others have written and that stands on another site."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import sync_playwright

from tests.browser import chromium, free_port
from tests.served import served, text_of
from upheld.clock import SystemClock
from upheld.connect.openid import Provider, ProviderSettings
from upheld.desk.accounts import account_named
from upheld.desk.identities import bind
from upheld.web.providers import HouseProvider
from upheld.web.serving import Listening, served_beside

PATIENCE = 20.0


@contextmanager
def provider_of_others(log: Path) -> Iterator[str]:
    """`oidc-provider-mock` in a process of its own; `localhost` is another site than `127.0.0.1`. It logs requests."""
    port = free_port()
    options = ["--port", str(port), "--require-nonce", "true"]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", *options]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        address = f"http://localhost:{port}"
        try:
            _await(address)
            yield address
        finally:
            process.terminate()


def _await(address: str) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            if httpx2.get(f"{address}/.well-known/openid-configuration").status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise AssertionError("the provider did not come up")


def seconds() -> int:
    return SystemClock().now() // 1_000_000


def offered(address: str) -> Iterator[HouseProvider]:
    both = {"email": "email", "phone": "phone_number"}
    for name, area, claims in (("house", "console", {"account": "sub"}), ("people", "portal", both)):
        scopes, wanted = ("email", "phone"), tuple(claims.values())
        settings = ProviderSettings(name, address, "upheld", "any secret will do", scopes, wanted=wanted)
        yield HouseProvider(Provider(settings, seconds), {"en": f"Example {name}"}, area, None, claims)  # type: ignore[arg-type]  # the client of the test


@pytest.mark.parametrize("scripts", [False, True])
def test_staff_and_a_person_sign_in_at_another_site_with_and_without_scripts(tmp_path: Path, scripts: bool) -> None:
    path, port = chromium(), free_port()
    address = f"http://127.0.0.1:{port}"
    log = tmp_path / "provider.log"
    with provider_of_others(log) as provider, served(tmp_path / "home") as house:
        settings = replace(house.settings, address=address, providers=tuple(offered(provider)))
        account = account_named(house.keeper, "trial", "handler")
        assert account
        bind(house.keeper, account, "house", "staff-1")
        said = {"email": text_of("stayer", "email"), "email_verified": True}
        assert httpx2.put(f"{provider}/users/person-1", json=said).status_code == 204
        with served_beside(settings, Listening(port=port)), sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
            context = browser.new_context(base_url=address, java_script_enabled=scripts, locale="en-US")
            page = context.new_page()
            page.goto("/console/trial/sign-in")
            page.get_by_role("button", name="Continue with: Example house").click()
            page.wait_for_url(re.compile(f"{provider}/.*"))
            page.fill("input[name=sub]", "staff-1")
            page.get_by_role("button", name="Authorize").click()
            page.wait_for_url("**/console/trial/sign-in/code")
            page.fill("#code", house.code("handler"))
            page.click("main button")
            assert page.url == f"{address}/console/trial"
            page.goto("/portal/trial")
            page.get_by_role("button", name="Continue with: Example people").click()
            page.wait_for_url(re.compile(f"{provider}/.*"))
            page.fill("input[name=sub]", "person-1")
            page.get_by_role("button", name="Authorize").first.click()
            page.wait_for_url("**/portal/trial/mine")
            assert page.get_by_role("heading", level=1).count() == 1
            # A claim that the token lacks was asked for, by the key that came with it.
            assert '"GET /userinfo HTTP/1.1" 200' in log.read_text()
            for inside, outside in (
                ("/portal/trial/mine", "/portal/trial"),
                ("/console/trial", "/console/trial/sign-in"),
            ):
                page.goto(inside)
                page.get_by_role("button", name="Sign out").click()
                page.wait_for_url(re.compile(f"{provider}/oauth2/end_session.*"))
                assert "id_token_hint=ey" in page.url
                page.get_by_role("button", name="End session").click()
                page.wait_for_url(f"{address}{outside}")
                page.goto(inside)
                assert page.url == f"{address}{outside}"
            # Whom the provider does not sign in comes back and is told so.
            page.goto("/console/other/sign-in")
            page.get_by_role("button", name="Continue with: Example house").click()
            page.wait_for_url(re.compile(f"{provider}/.*"))
            page.get_by_role("button", name="Deny").click()
            page.wait_for_url("**/console/other/sign-in/from/house?*")
            assert "Nobody was signed in" in page.content()
            browser.close()
