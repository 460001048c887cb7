"""Every page of the route table, as somebody meets it who may open it: for axe, for the widths, for pictures.

`python -m tests.every_page FOLDER` (or `make screenshots`) takes the pictures: two widths, two languages, dark.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import BrowserContext, Page

from tests.browser import Site, chrome, site_of
from tests.desk_house import busy, busy_parts
from tests.served import Served, joined
from tests.test_web_consent import YOUNG_POLICY
from tests.test_web_cookies import SITE_POLICY
from tests.trial_home import at
from upheld.connect.openid import Provider, ProviderSettings
from upheld.desk.accounts import StaffRole
from upheld.desk.invitations import invite
from upheld.desk.joining import invite_staff
from upheld.web.providers import HouseProvider
from upheld.web.routes import ROUTES

WIDTHS = (1280, 390)
LANGUAGES = ("ko", "en")
DAY = 86_400_000_000
FILES = frozenset(
    {
        "static", "health", "paper", "my-copy", "my-receipts", "consent-receipts", "cookie-script", "proof",
        "certificate-file", "duties-file", "leak-form-file", "register-book", "register-paper", "form-file",
        "letter-file", "checkpoint",
    }
)  # fmt: skip
"""Rows of the table that answer with a file, not with a page."""


@dataclass(frozen=True)
class Look:
    """A page: whose browser opens it, where it is. `needs`: a name of a page of the table, for variants of one."""

    who: str
    path: str
    of: str = ""


@contextmanager
def lived_in(home: Path) -> Iterator[Served]:
    """A home in which every page has something to show: requests, a leak, contracts, children, cookies."""
    with busy(home) as house:
        keeper, clock = house.keeper, house.clock
        for policy in (YOUNG_POLICY, SITE_POLICY):
            keeper.publish(policy.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        person = house.persons["asker"]
        value = next(one[0] for one in keeper.holdings(person) if one[0].item == "phone")
        keeper.also_in(person, value.value_id, "paper-file")
        keeper.withdraw(person, "purpose/offers", channel="website")
        clock.set(keeper.now() + 4 * DAY)
        keeper.sweep()
        keeper.request(person, "access", channel="letter")
        for number, right in enumerate(("erasure", "suspension", "rectification")):
            who = joined(keeper, f"guest{number}", offers=number > 0)
            keeper.request(who, right, channel=("letter", "website")[number % 2], proved=number == 0)
            clock.set(keeper.now() + (5 - number) * DAY)
        house.settings = replace(house.settings, providers=tuple(_providers()))
        yield house


def _providers() -> Iterator[HouseProvider]:
    """Sign-ins of the house that nobody answers for, to be looked at."""
    titles = {"en": "Example account", "ko": "예시 계정"}
    for name, area, claims in (("house", "console", {"account": "sub"}), ("people", "portal", {"email": "email"})):
        settings = ProviderSettings(name, "https://login.example.org", "upheld")
        yield HouseProvider(Provider(settings, lambda: 0), titles, area, None, claims)  # type: ignore[arg-type]  # a client that needs no network


def looks(house: Served) -> dict[str, Look]:
    """Name of the picture → the page. Every row of the table that is a page stands here, some in several states."""
    keeper, asker, stayer = house.keeper, house.persons["asker"], house.persons["stayer"]
    part = busy_parts(house)
    shown = next(one for one in keeper.audit("trial").clauses if one.evidence)
    access = keeper.requests(asker)[0].request_id
    waiting = keeper.request(stayer, "access", channel="website").made or ""
    followed = keeper.request(stayer, "portability", channel="website", proved=True).made or ""
    stopped = keeper.request(stayer, "suspension", channel="website", proved=True).made or ""
    keeper.answer(stayer, stopped, "refused", reason="law")  # type: ignore[arg-type]  # an id is text
    right = next(one for one in keeper.requests(house.persons["leaver"]) or keeper.requests(stayer))
    house.keeper.seal()
    agreed, fresh = keeper.enter("young", "member"), keeper.enter("young", "member")
    for about in ("purpose/offers", "provision/mall"):
        keeper.consent(agreed, about, channel="website")
    kept, anew = invite(keeper, "young", agreed), invite(keeper, "young", fresh)
    child = invite(keeper, "young", keeper.enter("young", "member", minor=True))
    joining = invite_staff(keeper, "trial", "newcomer", StaffRole.AUDITOR)[1]
    desk, mine = "/console/trial", "/portal/trial/mine"
    request = f"{desk}/requests/{asker}/{access}"
    return {
        "start": Look("anybody", "/"),
        "notice": Look("anybody", "/notice/trial"),
        "versions": Look("anybody", "/notice/trial/versions"),
        "version": Look("anybody", "/notice/trial/versions/2020-02-01"),
        "compare": Look("anybody", "/notice/trial/compare?old=2020-02-01&new=2024-09-01"),
        "portal": Look("anybody", "/portal/trial"),
        "portal-code": Look("anybody", "/portal/trial/code"),
        "for-another": Look("anybody", "/portal/trial/for-another"),
        "consent": Look("anybody", "/consent/young"),
        "consent-link": Look("anybody", f"/consent/young/{anew}"),
        "consent-given": Look("anybody", f"/consent/young/{kept}?said=yes", "consent-link"),
        "consent-over": Look("anybody", f"/consent/young/{'0' * 64}", "consent-link"),
        "consent-end": Look("anybody", f"/consent/young/{kept}/withdraw?about=provision/mall"),
        "representative": Look("anybody", f"/consent/young/{child}/representative"),
        "cookies": Look("anybody", "/cookies/site"),
        "refuse": Look("anybody", f"/refuse/trial/email/{part['token']}"),
        "forms": Look("anybody", "/forms/trial"),
        "form": Look("anybody", "/forms/trial/request"),
        "sign-in": Look("anybody", f"{desk}/sign-in"),
        "not-found": Look("anybody", "/nowhere", "error"),
        "mine": Look("person", mine),
        "contents": Look("person", f"{mine}/contents"),
        "my-consents": Look("person", f"{mine}/consents"),
        "my-consent-end": Look("person", f"{mine}/consents/withdraw?about=purpose/offers"),
        "ask": Look("person", f"{mine}/ask"),
        "my-request": Look("person", f"{mine}/requests/{followed}"),
        "my-request-waiting": Look("person", f"{mine}/requests/{waiting}", "my-request"),
        "my-request-refused": Look("person", f"{mine}/requests/{stopped}", "my-request"),
        "second-step": Look("stepping", f"{desk}/sign-in/code"),
        "desk": Look("officer", desk),
        "desk-auditor": Look("auditor", desk, "desk"),
        "not-your-duty": Look("auditor", f"{desk}/requests", "error"),
        "requests": Look("officer", f"{desk}/requests"),
        "requests-answered": Look("officer", f"{desk}/requests?show=answered", "requests"),
        "request": Look("officer", request),
        "request-answered": Look("officer", f"{desk}/requests/{stayer}/{right.request_id}", "request"),
        "letter": Look("officer", f"{request}/letter"),
        "reviews": Look("officer", f"{desk}/reviews"),
        "people": Look("officer", f"{desk}/people"),
        "person": Look("officer", f"{desk}/people/{asker}"),
        "heard": Look("officer", f"{desk}/people/{stayer}/consent?channel=letter"),
        "consents": Look("officer", f"{desk}/consents"),
        "adverts": Look("officer", f"{desk}/advertising"),
        "calendar": Look("officer", f"{desk}/calendar"),
        "certificate": Look("officer", f"{desk}/certificates/{keeper.certificates('trial')[0]}"),
        "duties": Look("officer", f"{desk}/duties"),
        "duty": Look("officer", f"{desk}/duties/access-review"),
        "parties": Look("officer", f"{desk}/parties"),
        "safeguards": Look("officer", f"{desk}/safeguards"),
        "leaks": Look("officer", f"{desk}/leaks"),
        "leak": Look("officer", f"{desk}/leaks/{part['case']}"),
        "leak-form": Look("officer", f"{desk}/leaks/{part['case']}/form"),
        "report": Look("officer", f"{desk}/report"),
        "report-print": Look("officer", f"{desk}/report-print"),
        "clause": Look("officer", f"{desk}/report/{shown.clause}"),
        "registers": Look("officer", f"{desk}/registers"),
        "register": Look("officer", f"{desk}/registers/destruction"),
        "ledger": Look("officer", f"{desk}/ledger?verify=now"),
        "entry": Look("officer", f"{desk}/ledger/{shown.evidence[0].reference}"),
        "accounts": Look("officer", f"{desk}/accounts"),
        "account": Look("officer", f"{desk}/accounts/{house.staff['handler'].account.account_id}"),
        "join": Look("anybody", f"{desk}/join/{joining}"),
        "own-account": Look("officer", f"{desk}/account"),
        "sign-ins": Look("officer", f"{desk}/sign-ins"),
        "staff-return": Look("anybody", f"{desk}/sign-in/from/house"),
        "person-return": Look("anybody", "/portal/trial/from/people"),
    }


def rows_without_a_look(found: dict[str, Look]) -> set[str]:
    """Pages of the table that nobody looks at."""
    pages = {route.name for route in ROUTES if route.method == "GET"} - FILES
    return pages - {look.of or name for name, look in found.items()}


def browsers(site: Site, context: Callable[[], BrowserContext]) -> dict[str, Page]:
    """A page for everybody who looks."""
    found = {"anybody": context().new_page(), "person": site.mine(context(), "stayer")}
    found |= {who: site.desk(context(), who) for who in ("officer", "auditor")}
    found["stepping"] = context().new_page()
    found["stepping"].goto("/console/trial/sign-in")
    found["stepping"].fill("#name", "handler")
    found["stepping"].fill("#password", site.house.staff["handler"].password)
    found["stepping"].click("main button")
    return found


def there(look: Look, locale: str) -> str:
    """Its address in a language."""
    return f"{look.path}{'&' if '?' in look.path else '?'}locale={locale}"


def take_pictures(folder: Path) -> int:
    """Every page at two widths in two languages, and once dark. Returns how many pictures there are."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with TemporaryDirectory() as place:
        home = Path(place) / "home"
        with lived_in(home) as house, chrome() as browser, site_of(house, browser) as site:
            seen = browsers(site, site.context)
            for name, look in looks(house).items():
                page = seen[look.who]
                for locale in LANGUAGES:
                    page.goto(there(look, locale))
                    for width in WIDTHS:
                        page.set_viewport_size({"width": width, "height": 900})
                        page.screenshot(path=folder / f"{name}-{width}-{locale}.png", full_page=True)
                        count += 1
                page.emulate_media(color_scheme="dark")
                page.screenshot(path=folder / f"{name}-390-dark.png", full_page=True)
                page.emulate_media(color_scheme="light")
                page.set_viewport_size({"width": WIDTHS[0], "height": 900})
                count += 1
    return count


if __name__ == "__main__":
    where = Path(sys.argv[1]).resolve()
    print(f"{take_pictures(where)} pictures in {where}")
