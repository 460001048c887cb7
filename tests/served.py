"""A home behind the web service, with staff of every kind and persons, for the tests of pages."""

from __future__ import annotations

import re
import shutil
from atexit import register
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import urlencode

import pyotp
from httpx2 import Response
from starlette.testclient import TestClient

import upheld
from tests.homes import copied
from tests.trial_home import POLICY, SWEEP_DAY, at
from upheld.desk.accounts import Credentials, StaffRole, open_account
from upheld.desk.codes import CodeMessage
from upheld.engine.acts import SubjectId
from upheld.keeper import Keeper
from upheld.web.app import create_app
from upheld.web.settings import Settings

STAFF_ROWS = """
handlers:
  privacy: {clause: T-20, duties: [requests, separated, destruction, audit], granted-with: [reason, approver],
            en: privacy staff, ko: 보호 담당자}
  counsel: {clause: T-21, for: service, en: counsellors, ko: 상담원}
channels:
  website: {clause: T-22, en: website, ko: 홈페이지}
  letter: {clause: T-22, en: letter, ko: 서신}
contacts:
  officer: {clause: T-23, en: privacy office, ko: 개인정보 보호 부서}
"""
WEB_POLICY = POLICY + STAFF_ROWS
SECOND_VERSION = WEB_POLICY.replace("2020-01-01", "2024-08-25").replace("2020-02-01", "2024-09-01")
OTHER_POLICY = WEB_POLICY.replace("policy: trial", "policy: other").replace("Example Ltd.", "Other Ltd.")
ADDRESS = "http://testserver"
NAMES = {"officer": StaffRole.OFFICER, "handler": StaffRole.HANDLER, "counsel": StaffRole.HANDLER,
         "auditor": StaffRole.AUDITOR}  # fmt: skip
DUTIES = {"officer": ("privacy",), "handler": ("privacy",), "counsel": ("counsel",), "auditor": ()}
SHOWN = frozenset({"reason", "approver"})


@dataclass
class Browser:
    """A client that fills in forms as they stand on the page, token and all."""

    client: TestClient
    page: Response | None = None

    def get(self, path: str, **query: str) -> Response:
        """Open an address; where it leads is followed."""
        self.page = self.client.get(path, params=query or None)
        return self.page

    def send(self, path: str, **fields: str) -> Response:
        """Send a form of the page that is open."""
        return self.post(path, {"form-token": self.token(), **fields})

    def post(self, path: str, fields: dict[str, str]) -> Response:
        """Send whatever fields."""
        headers = {"content-type": "application/x-www-form-urlencoded"}
        self.page = self.client.post(path, content=urlencode(fields), headers=headers)
        return self.page

    def send_files(self, path: str, files: dict[str, bytes], **fields: str) -> Response:
        """Send a form of the page that is open, with files."""
        parts = {name: (f"{name}.bin", content, "application/octet-stream") for name, content in files.items()}
        self.page = self.client.post(path, data={"form-token": self.token(), **fields}, files=parts)
        return self.page

    def token(self) -> str:
        """The token of the forms on the page."""
        assert self.page is not None
        found = re.search(r'name="form-token" value="([0-9a-f]{64})"', self.page.text)
        assert found, self.page.text[:2000]
        return found[1]

    def field(self, name: str) -> str:
        """A hidden field of the page."""
        assert self.page is not None
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page.text)
        assert found
        return found[1]


@dataclass
class Served:
    """A home that is served."""

    home: Path
    keeper: Keeper
    clock: upheld.SetClock
    settings: Settings
    sent: list[CodeMessage]
    staff: dict[str, Credentials] = field(default_factory=dict)
    persons: dict[str, SubjectId] = field(default_factory=dict)
    papers: list[str] = field(default_factory=list)

    def second_officer(self) -> None:
        """Another officer, `second`: for what two of them do."""
        self.staff["second"] = open_account(
            self.keeper, "trial", "second", StaffRole.OFFICER, duties=DUTIES["officer"], shown=SHOWN
        )

    def browser(self, language: str = "en") -> Browser:
        """A browser that was never here."""
        app = create_app(self.settings)
        return Browser(TestClient(app, ADDRESS, headers={"accept-language": language}))

    def signed_in(self, name: str, language: str = "en") -> Browser:
        """A browser in which this member of staff has signed in."""
        browser = self.browser(language)
        browser.get("/console/trial/sign-in")
        stepped = browser.send("/console/trial/sign-in", name=name, password=self.staff[name].password)
        assert stepped.status_code == 200, stepped.text
        entered = browser.send("/console/trial/sign-in/code", code=self.code(name))
        assert entered.url.path == "/console/trial", entered.text
        return browser

    def code(self, name: str) -> str:
        """What the authenticator of this member of staff shows; the clock goes on, since each code counts once."""
        self.clock.set(self.clock.now() + 90_000_000)
        return pyotp.TOTP(self.staff[name].totp_secret).at(self.clock.now() // 1_000_000)

    def person_in(self, who: str, language: str = "en", items: tuple[str, ...] = ("email",)) -> Browser:
        """A browser in which this person has shown that these addresses are theirs."""
        browser = self.browser(language)
        self.clock.set(self.clock.now() + 1_900_000_000)
        browser.get("/portal/trial")
        for number, item in enumerate(items):
            path = "/portal/trial/mine/second" if number else "/portal/trial"
            browser.send(path, item=item, address=text_of(who, item))
            entered = browser.send("/portal/trial/code", code=self.sent[-1].code or "")
            assert entered.url.path == "/portal/trial/mine", entered.text
        return browser


def text_of(who: str, item: str) -> str:
    """What a made-up person gives."""
    return {"email": f"{who}@example.org", "phone": f"010-0000-{sum(map(ord, who)):04d}"}.get(item, f"{who} of {item}")


def joined(keeper: Keeper, who: str, policy: str = "trial", *, offers: bool = True) -> SubjectId:
    """Somebody joins and gives name, e-mail, and the telephone number for offers."""
    person = keeper.enter(policy, "member")
    keeper.begin(person, "membership")
    given = {"name": text_of(who, "name"), "email": text_of(who, "email")}
    assert keeper.collect(person, "service", given, channel="website").granted
    if offers:
        keeper.consent(person, "purpose/offers", channel="website")
        assert keeper.collect(person, "offers", {"phone": text_of(who, "phone")}, channel="website").granted
    return person


def _raised(name: str, failure: Exception) -> None:
    raise AssertionError(f"the page {name} failed") from failure


@dataclass(frozen=True)
class _Furnished:
    """A home as it was left, to be copied: making one takes a second, copying it no time."""

    home: Path
    staff: dict[str, Credentials]
    persons: dict[str, SubjectId]


LOOKED_UP = {"trial": ["email", "phone"], "other": ["email"]}
OPENS_AT = at("2024-09-08")


@cache
def _furnished() -> _Furnished:
    """A home with two policies, four members of staff and three persons under the first, one under the other."""
    folder = Path(mkdtemp(prefix="served-"))
    register(shutil.rmtree, folder, ignore_errors=True)
    clock = upheld.SetClock(at("2024-06-01"))
    options = upheld.Options(clock=clock, light_hashing=True, look_up=LOOKED_UP)
    with upheld.open(folder / "home", options) as keeper:
        keeper.publish(WEB_POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        keeper.publish(OTHER_POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        staff = {
            name: open_account(keeper, "trial", name, role, duties=DUTIES[name], shown=SHOWN)
            for name, role in NAMES.items()
        }
        persons = {who: joined(keeper, who) for who in ("stayer", "leaver", "asker")}
        persons["stranger"] = joined(keeper, "stranger", "other", offers=False)
        keeper.consent(persons["stayer"], "provision/mall", channel="website")
        assert keeper.provide(persons["stayer"], "mall", ("name",)).granted
        clock.set(at("2024-08-25"))
        keeper.publish(SECOND_VERSION.encode())
        clock.set(SWEEP_DAY)
        keeper.fact(persons["leaver"], "closed")
        clock.set(OPENS_AT)
        keeper.sweep()
    return _Furnished(folder / "home", staff, persons)


def furnished(home: Path) -> _Furnished:
    """A copy of the furnished home, closed."""
    made = _furnished()
    copied(made.home, home)
    return made


@contextmanager
def served(home: Path, *, address: str = ADDRESS) -> Iterator[Served]:
    """A copy of the furnished home, open and ready to be served."""
    made = furnished(home)
    clock = upheld.SetClock(OPENS_AT)
    keeper = upheld.open(home, upheld.Options(clock=clock, light_hashing=True))
    sent: list[CodeMessage] = []
    settings = Settings(
        keeper,
        home,
        address,
        send_code=sent.append,
        addresses={"trial": ("email", "phone"), "other": ("email",)},
        failed=_raised,
    )
    house = Served(home, keeper, clock, settings, sent, dict(made.staff), dict(made.persons))
    try:
        yield house
    finally:
        house.keeper.close()  # the one that serves last: a story may have opened the home anew
