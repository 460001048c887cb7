"""Asks a running service for its pages, as a browser without JavaScript would, and says which were wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from typing import Final
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, Request, build_opener

from upheld.desk.accounts import Credentials
from upheld.desk.codes import CodeMessage

PUBLIC: Final = ("/", "/health", "/notice/{policy}", "/notice/{policy}/versions", "/portal/{policy}")
CONSOLE: Final = (
    "/console/{policy}", "/console/{policy}/requests", "/console/{policy}/people", "/console/{policy}/calendar",
    "/console/{policy}/report", "/console/{policy}/ledger?verify=now", "/console/{policy}/account",
    "/console/{policy}/accounts", "/console/{policy}/reviews", "/console/{policy}/consents",
)  # fmt: skip
LANGUAGES: Final = ("ko", "en")
_SECONDS = 60


@dataclass
class Pages:
    """How many pages were asked for, and what was wrong with which."""

    pages: int = 0
    wrong: list[str] = field(default_factory=list)


class _Visitor:
    """One browser without JavaScript: cookies and forms."""

    def __init__(self, address: str, found: Pages) -> None:
        self.address = address
        self.found = found
        self.text = ""
        self.path = ""
        self._open = build_opener(HTTPCookieProcessor(CookieJar())).open

    def ask(self, path: str, form: Mapping[str, str] | None = None) -> None:
        """Open a page, or send the form that is open."""
        token = re.search(r'name="form-token" value="(\w+)"', self.text)
        fields = None if form is None else {"form-token": token[1] if token else "", **form}
        body = None if fields is None else urlencode(fields).encode()
        self.found.pages += 1
        try:
            answer: HTTPResponse = self._open(Request(self.address + path, body), timeout=_SECONDS)
        except HTTPError as problem:
            self.found.wrong.append(f"{path}: {problem.code}")
            self.text = ""
            return
        with answer:
            self.text, self.path = answer.read().decode(), urlsplit(answer.url).path


def checked_pages(
    address: str,
    policy: str,
    officer: Credentials,
    addresses: Mapping[str, str],
    codes: Sequence[CodeMessage],
) -> Pages:
    """One request to each kind of page of a policy: for everybody, for staff, for a person."""
    found = Pages()
    for language in LANGUAGES:
        visitor = _Visitor(address, found)
        for path in PUBLIC:
            visitor.ask(f"{path.format(policy=policy)}?locale={language}")
    _console(_Visitor(address, found), policy, officer)
    if addresses:
        _portal(_Visitor(address, found), policy, addresses, codes)
    return found


def _console(visitor: _Visitor, policy: str, officer: Credentials) -> None:
    visitor.ask(f"/console/{policy}/sign-in")
    visitor.ask(f"/console/{policy}/sign-in", {"name": "officer", "password": officer.password})
    visitor.ask(f"/console/{policy}/sign-in/code", {"code": officer.recovery_codes[0]})
    for path in CONSOLE:
        visitor.ask(path.format(policy=policy))
        if visitor.path.endswith("/sign-in"):
            visitor.found.wrong.append(f"{path}: not signed in")


def _portal(visitor: _Visitor, policy: str, addresses: Mapping[str, str], codes: Sequence[CodeMessage]) -> None:
    item, text = next(iter(addresses.items()))
    sent = len(codes)
    visitor.ask(f"/portal/{policy}")
    visitor.ask(f"/portal/{policy}", {"item": item, "address": text})
    if len(codes) == sent:
        visitor.found.wrong.append(f"/portal/{policy}: no code was sent")
        return
    visitor.ask(f"/portal/{policy}/code", {"code": codes[-1].code or ""})
    if not visitor.path.endswith("/mine"):
        visitor.found.wrong.append(f"/portal/{policy}/mine: not signed in")
