"""What every answer carries, what is refused at the edge, and pages that say what went wrong."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.served import Served, served
from upheld.errors import StoreFailed
from upheld.web import start
from upheld.web.app import HEADERS, LARGEST_FORM, create_app
from upheld.web.asked import LONGEST_FIELD

WEB = Path(__file__).resolve().parent.parent / "src" / "upheld" / "web"
PATHS = ("/", "/health", "/static/upheld.css", "/notice/trial", "/portal/trial", "/console/trial/sign-in", "/nowhere")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("hard") / "home") as found:
        yield found


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_hardened(house: Served, path: str) -> None:
    headers = house.browser().get(path).headers
    for name, text in HEADERS.items():
        assert headers[name] == text
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'")
    for loose in ("unsafe", "http:", "https:", "*", "script-src", "data:; script"):
        assert loose not in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert "base-uri 'none'" in policy


def test_what_somebody_signed_in_sees_is_not_kept_by_the_browser(house: Served) -> None:
    assert house.signed_in("officer").get("/console/trial/requests").headers["cache-control"] == "no-store"
    assert house.browser().get("/static/upheld.css").headers["cache-control"] == "public, max-age=3600"


FILES = sorted([*(WEB / "pages").glob("*.j2"), *(WEB / "static").glob("*")])


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_no_page_has_a_script_an_inline_style_or_another_host(path: Path) -> None:
    text = path.read_text("utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"<script|\son\w+\s*=|\sstyle\s*=|<style|javascript:", text)
    assert "//" not in text
    assert path.suffix != ".css" or not re.search(r"@font-face|@import|url\(", text)


def test_pages_ask_for_nothing_of_another_host(house: Served) -> None:
    officer = house.signed_in("officer")
    for path in ("/", "/notice/trial", "/notice/trial/versions", "/console/trial/report", "/console/trial/people"):
        page = officer.get(path).text
        fetched = re.findall(r'<(?:link|img|script|iframe|source|video|audio)[^>]*?(?:href|src)="([^"]+)"', page)
        assert fetched
        assert [one for one in fetched if not one.startswith("/static/")] == []


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(house: Served) -> None:
    client = TestClient(create_app(house.settings), "http://testserver", follow_redirects=False)
    cookie = client.get("/console/trial/sign-in").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie
    assert "Domain" not in cookie


def test_under_tls_cookies_are_bound_to_it_and_to_this_host(house: Served) -> None:
    settings = replace(house.settings, address="https://privacy.example.org")
    client = TestClient(create_app(settings), "https://privacy.example.org")
    answer = client.get("/console/trial/sign-in")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-upheld-visitor=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_a_page_without_a_form_sets_no_cookie(house: Served) -> None:
    for path in ("/", "/notice/trial", "/notice/trial/versions"):
        assert "set-cookie" not in house.browser().get(path).headers


def test_too_much_at_once_is_refused_whole(house: Served) -> None:
    browser = house.browser()
    browser.get("/console/trial/sign-in")
    fields = {"form-token": browser.token(), "name": "a" * LARGEST_FORM, "password": "b"}
    assert browser.post("/console/trial/sign-in", fields).status_code == 413
    fields["name"] = "a" * (LONGEST_FIELD + 1)
    assert browser.post("/console/trial/sign-in", fields).status_code == 413

    def unending() -> Iterator[bytes]:
        for _ in range(LARGEST_FORM // 1000 + 2):
            yield b"x" * 1000

    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert browser.client.post("/console/trial/sign-in", content=unending(), headers=headers).status_code == 413


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"{}", "application/json"),
        (b"name=a", "text/plain"),
        (b"name=%ff%fe", "application/x-www-form-urlencoded"),
        (b"\xff\xfe=1", "application/x-www-form-urlencoded"),
        (b"&".join(b"a=%d" % n for n in range(300)), "application/x-www-form-urlencoded"),
    ],
)
def test_what_is_no_plain_form_is_refused(house: Served, content: bytes, kind: str) -> None:
    answer = house.browser().client.post("/console/trial/sign-in", content=content, headers={"content-type": kind})
    assert answer.status_code == 400
    assert "could not be read" in answer.text


def test_a_form_from_another_site_is_refused_whatever_it_carries(house: Served) -> None:
    browser = house.browser()
    browser.get("/console/trial/sign-in")
    browser.client.headers["sec-fetch-site"] = "cross-site"
    assert browser.send("/console/trial/sign-in", name="officer", password="x").status_code == 400


HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "' OR 1=1 --")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_somebody_types_is_never_run(house: Served, hostile: str) -> None:
    officer = house.signed_in("officer")
    officer.get("/console/trial/people")
    found = officer.send("/console/trial/people", item="email", text=hostile, reason="inquiry")
    assert found.status_code == 200
    assert hostile not in found.text
    assert "49" not in re.findall(r"\b49\b", found.text)
    for path in ("/notice/trial/versions/", "/console/trial/report/", "/notice/"):
        assert hostile not in officer.get(path + hostile.replace("/", "")).text
    assert hostile not in officer.get("/notice/trial/versions", locale=hostile, changed=hostile).text


def test_only_files_that_are_named_are_served(house: Served) -> None:
    assert set(start.STATIC) == {path.name for path in (WEB / "static").iterdir()}
    for name in ("..%2fapp.py", "%2e%2e/app.py", "upheld.css.bak", "....//app.py"):
        assert house.browser().get(f"/static/{name}").status_code == 404


def test_a_wrong_method_is_said_plainly(house: Served) -> None:
    answer = house.browser().client.put("/console/trial/sign-in")
    assert answer.status_code == 405
    assert "cannot be used like that" in answer.text
    assert house.browser().client.get("/console/trial/sign-out").status_code == 405


def test_a_fault_of_ours_is_a_page_without_its_innards(house: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    settings = replace(house.settings, failed=lambda page, failure: told.append(f"{page} {type(failure).__name__}"))
    client = TestClient(create_app(settings), headers={"accept-language": "en"})

    def broken(*_: object) -> None:
        raise ZeroDivisionError("innards")

    monkeypatch.setattr("upheld.web.notices.document_in_force", broken)
    answer = client.get("/notice/trial")
    assert answer.status_code == 500
    assert "innards" not in answer.text
    assert "Something of ours failed" in answer.text
    assert told == ["notice ZeroDivisionError"]


def test_a_store_that_fails_is_said_and_releases_nothing(house: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise StoreFailed("the disk is full")

    monkeypatch.setattr("upheld.web.notices.document_in_force", broken)
    answer = house.browser().get("/notice/trial")
    assert answer.status_code == 503
    assert "the disk is full" in answer.text


def test_a_services_interface_pages_load_nothing_from_elsewhere(house: Served) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert house.browser().get(path).status_code == 404


def test_no_address_and_no_typed_text_is_kept_in_the_clear(house: Served) -> None:
    browser = house.browser()
    browser.get("/portal/trial")
    browser.send("/portal/trial", item="email", address="typed-once@example.org")
    connection = sqlite3.connect(house.home / "active.db")
    try:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    finally:
        connection.close()
    content = b"".join(path.read_bytes() for path in house.home.glob("*.db*"))
    assert b"typed-once" not in content
    assert b"testclient" not in content
