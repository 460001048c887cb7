"""A whole life is logged: staff, persons, programs, a provider, right and wrong, with faults. No line has any of it."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import httpx2
import pytest
import structlog

from tests.browser import free_port
from tests.called import program
from tests.lying_provider import CLIENT, SECRET, lying
from tests.served import Served, served, text_of
from tests.test_openid import away, back, bound, offered
from upheld import rotating
from upheld.web.app import Edge
from upheld.web.logs import FIELDS, write_json
from upheld.web.serving import Listening, log_failure, served_beside

TYPED = "a-text-that-somebody-typed"


@contextmanager
def logged() -> Iterator[StringIO]:
    """Everything that the process says, as `serve` sets it up."""
    root, stream = logging.getLogger(), StringIO()
    before = (root.handlers[:], root.level, threading.excepthook, sys.unraisablehook)
    write_json(stream)
    root.setLevel(logging.DEBUG)
    for one in root.handlers:
        one.setLevel(logging.DEBUG)  # even what nobody would look at
    try:
        yield stream
    finally:
        root.handlers[:], threading.excepthook, sys.unraisablehook = before[0], before[2], before[3]
        root.setLevel(before[1])
        structlog.reset_defaults()


def secrets_of(house: Served, more: list[str]) -> set[str]:
    """Whatever is known of anybody, and whatever opens anything."""
    found = {TYPED, SECRET, CLIENT + ":", "staff-1", *more}
    for credentials in house.staff.values():
        found |= {credentials.password, credentials.totp_secret, *credentials.recovery_codes}
    for who, person in house.persons.items():
        found |= {text_of(who, item) for item in ("name", "email", "phone")} | {person}
    for path in (house.home / "secrets").rglob("*.key*"):
        found |= {line for line in path.read_text().splitlines() if line and not line.startswith("--")}
    return found | {message.code for message in house.sent if message.code}


def lives(house: Served) -> list[str]:
    """Staff, a person and a program do their things, rightly and wrongly; returns the secrets that were handed out."""
    browser = house.signed_in("officer")
    browser.get("/console/trial/people")
    browser.send("/console/trial/people", item="email", text=text_of("stayer", "email"), reason="inquiry")
    browser.send("/console/trial/people", item="email", text=TYPED, reason=TYPED)
    wrong = house.browser()
    wrong.get("/console/trial/sign-in")
    wrong.send("/console/trial/sign-in", name=TYPED, password=TYPED)
    person = house.person_in("stayer", items=("email", "phone"))
    person.get("/portal/trial/mine/contents")
    person.get(f"/portal/trial/mine?q={TYPED}")
    shop = program(house, "shop")
    asked = {"purpose": "service", "items": {"name": TYPED, "email": f"{TYPED}@example.org"}}
    shop.post(shop.of("stayer", "collect"), asked)
    shop.post(shop.of("stayer", "collect"), {"purpose": TYPED, "items": {TYPED: TYPED}})
    shop.post(shop.of("stayer", "read"), {"purpose": "service", "items": ["name"]})
    shop.client.post(f"/v1/subjects/{TYPED}/read", content=TYPED, headers=shop.headers)
    shop.client.post("/v1/token", data={"grant_type": TYPED}, auth=(TYPED, TYPED))
    tokens = [one.partition(" ")[2] for one in shop.headers.values()]
    return [shop.secret, *tokens, *dict(browser.client.cookies).values(), *dict(person.client.cookies).values()]


def at_a_provider(house: Served) -> None:
    """Sign-ins that succeed and that fail at every step."""
    with lying(lambda: house.clock.now() // 1_000_000) as provider:
        object.__setattr__(house.settings, "providers", tuple(offered(provider)))
        bound(house)
        provider.user = {"sub": "staff-1", "name": TYPED, "email": f"{TYPED}@example.org"}
        for claims in ({}, {"nonce": TYPED}, {"aud": TYPED}, {"iss": TYPED}):
            provider.claims = dict(claims)
            browser = house.browser()
            back(browser, away(browser))
        provider.token = TYPED
        browser = house.browser()
        back(browser, away(browser))
    browser.client.get("/console/trial/sign-in/from/house", params={"code": TYPED, "state": TYPED, "error": TYPED})


def faults(house: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bugs of ours with a text in them: in a page, in the edge before any page, in a verb, a thread, a library."""

    def fails(*_: object, **__: object) -> None:
        raise ValueError(f"cannot take {TYPED}")

    keeper = house.keeper
    browser = house.signed_in("handler")
    with monkeypatch.context() as patch:
        patch.setattr(type(keeper), "consents", fails)
        house.person_in("asker").get("/portal/trial/mine/consents")
        shop = program(house, "faulty")
        shop.get(shop.of("stayer", "consents"))
    keeper.places.fail("a-rule", ValueError(TYPED))
    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()
    for name in ("uvicorn.error", "httpx2", "asyncio", "anything"):
        try:
            fails()
        except ValueError:
            logging.getLogger(name).exception("it said %s", TYPED)
    assert browser.page


def over_the_wire(house: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault outside every page, in a real server: what the server itself would print as a trace."""

    def fails(*_: object, **__: object) -> str:
        raise ValueError(f"cannot take {TYPED}")

    listening = Listening(port=free_port())
    with monkeypatch.context() as patch:
        patch.setattr(Edge, "_source", fails)
        with served_beside(house.settings, listening):
            told = httpx2.get(f"http://127.0.0.1:{listening.port}/notice/trial?q={TYPED}")
    assert told.status_code == 500
    assert TYPED not in told.text


def test_no_line_of_a_whole_life_has_a_value_or_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with served(tmp_path / "home") as house, logged() as stream:
        object.__setattr__(house.settings, "failed", log_failure)
        handed_out = lives(house)
        at_a_provider(house)
        faults(house, monkeypatch)
        over_the_wire(house, monkeypatch)
        list(rotating.rotate_roots(house.home, house.keeper))
        house.keeper.sweep()
        house.keeper.seal()
        known = secrets_of(house, handed_out)
    lines = stream.getvalue().splitlines()
    printed = capfd.readouterr()
    assert len(known) > 40
    assert len(lines) > 20
    assert [one for one in known if one in stream.getvalue()] == []
    assert [one for one in known if one in printed.out or one in printed.err] == []
    assert {name for line in lines for name in json.loads(line)} <= FIELDS
    said = [json.loads(line) for line in lines]
    assert {"a page failed", "a rule failed", "a thread ended", "a library spoke", "api"} <= {
        one["event"] for one in said
    }
    assert {one["failure"] for one in said if one["event"] == "a page failed"} == {"ValueError"}
    assert any(one.get("code") == "uvicorn.error" and one.get("failure") == "ValueError" for one in said)
