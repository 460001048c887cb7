"""Every row of the route table: it opens for whom it is, in both languages, and for nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.desk_house import busy, busy_parts
from tests.served import OTHER_POLICY, Browser, Served, text_of
from upheld.desk.accounts import StaffRole
from upheld.desk.invitations import invite
from upheld.desk.joining import invite_staff
from upheld.web.route import Route, Who
from upheld.web.routes import ROUTES

STAFF = ("officer", "handler", "counsel", "auditor")
OPENS: dict[Who, tuple[str, ...]] = {
    Who.STAFF: STAFF,
    Who.DESK: ("officer", "handler", "counsel"),
    Who.OFFICER: ("officer",),
    Who.REQUESTS: ("officer", "handler"),
    Who.DESTRUCTION: ("officer", "handler"),
    Who.OFFICE: ("officer", "handler"),
    Who.RECORDS: ("officer", "handler", "auditor"),
    Who.CALENDAR: ("officer", "handler", "auditor"),
}
"""Who of the four may open what: told once more here, so that a slip in the gate is seen."""

FORMS: dict[str, dict[str, str]] = {
    "portal": {"item": "email", "address": "nobody@example.org"},
    "portal-code": {"code": "00000000"},
    "second": {"item": "phone", "address": "010-9999-9999"},
    "portal-out": {},
    "my-consents": {},
    "my-consent-end": {"about": "purpose/offers"},
    "consent-link": {},
    "ask": {"right": "access"},
    "my-request-back": {},
    "my-request-lift": {},
    "my-request-prove": {},
    "my-papers": {},
    "for-another": {"kind": "agent", "right": "access", "item": "email", "address": "", "contact": ""},
    "heard": {"channel": "letter", "agree": "purpose/offers"},
    "consent-end": {"about": "purpose/offers"},
    "representative": {"phone": "010-0000-0000"},
    "sign-in": {"name": "nobody", "password": "not this one"},
    "second-step": {"code": "000000"},
    "sign-out": {},
    "staff-leave": {},
    "person-leave": {},
    "identity-bind": {"provider": "house", "identity": "nobody"},
    "identity-unbind": {"provider": "house"},
    "own-account": {"old": "x", "new": "y", "again": "z"},
    "prove": {"proof": "identity-check"},
    "incomplete": {"missing": "identity-check"},
    "postpone": {"until": "2030-01-01", "why": "law"},
    "answer": {"outcome": "refused", "reason": "unfounded"},
    "take-proof": {},
    "correct": {"value": "1", "text": "x"},
    "acknowledged": {"disclosure": "a" * 20},
    "pass-on": {"party": "mall"},
    "outcome-tell": {},
    "extend": {"why": "complicated"},
    "accept": {},
    "lift": {},
    "act-for": {"kind": "agent", "shown": "mandate"},
    "act-no-longer": {},
    "review": {"about": "nothing", "outcome": "kept"},
    "account-add": {"name": "x", "role": "auditor", "why": "new-hire", "by": "link"},
    "account-reset": {"by": "link"},
    "join": {"new": "x", "again": "x", "code": "000000"},
    "destruction-approve": {"approver": "nobody", "approver-code": "000000"},
    "account-close": {},
    "people": {"item": "email", "text": "nobody@example.org", "reason": "inquiry"},
    "receive": {"right": "access", "channel": "letter"},
    "leak-known": {"aware": "2030-01-01T00:00"},
    "leak-contents": {"items": "names"},
    "leak-tell": {},
    "leak-post": {"place": "nowhere", "proof": "picture"},
    "leak-step": {"step": "mended", "proof": "minutes"},
    "contract-end": {},
    "contract-returned": {},
    "party-answered": {},
    "enter-register": {"register": "host", "name": "web-1"},
    "evidence": {"kind": "training-inside", "about": "nobody", "proof": "list"},
    "advert-send": {"title": "News"},
    "count": {"figure": "subjects", "number": "1200"},
    "duty-done": {"proof": "minutes 7"},
    "duty-tell": {},
    "work-done": {"method": "shred", "by": "handler", "witness": "privacy-officer"},
}
"""For every form what it may carry; a new form needs a row here."""

CHANGES = frozenset(
    {
        "identity-bind", "identity-unbind",
        "accept", "account-add", "account-close", "account-reset", "acknowledged", "act-for",
        "act-no-longer", "answer", "correct", "duty-tell", "extend", "heard", "incomplete", "lift",
        "own-account", "pass-on", "postpone", "prove", "receive", "review", "sign-out", "take-proof",
        "work-done",
        "leak-known", "leak-contents", "leak-tell", "leak-post", "contract-end", "contract-returned", "party-answered",
        "evidence", "advert-send", "destruction-approve", "outcome-tell",
    }
)  # fmt: skip
"""Forms that change the house; what they do has tests of its own."""

RETURNS = frozenset({"staff-return", "person-return"})
"""Pages to which a provider leads back whoever was sent there; `test_openid.py` has them."""
GETS = [route for route in ROUTES if route.method == "GET" and route.name not in RETURNS]
POSTS = [route for route in ROUTES if route.method == "POST" and not route.of_other_sites]
FOR_STAFF = [route for route in ROUTES if route.who not in (Who.ANYBODY, Who.SUBJECT)]


def named(route: Route) -> str:
    return f"{route.method} {route.name}"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with busy(tmp_path_factory.mktemp("web") / "home") as found:
        person = found.persons["asker"]
        value = next(one[0] for one in found.keeper.holdings(person) if one[0].item == "phone")
        found.keeper.also_in(person, value.value_id, "paper-file")
        found.keeper.withdraw(person, "purpose/offers", channel="website")
        found.clock.set(found.keeper.now() + 4 * 86_400_000_000)
        found.keeper.sweep()
        request = found.keeper.request(person, "access", channel="letter").made
        paper = found.keeper.file_paper("trial", "requests", b"%PDF-1.7 a copy", owner=person, about=request)
        found.papers.append(paper)
        found.keeper.seal()
        yield found


@pytest.fixture(scope="module")
def parts(house: Served) -> dict[str, str]:
    """Something that is there, for every part of a path."""
    keeper, person = house.keeper, house.persons["asker"]
    report = keeper.audit("trial")
    shown = next(one for one in report.clauses if one.evidence)
    asked = keeper.request(house.persons["stayer"], "portability", channel="website", proved=True)
    return {
        "policy": "trial",
        "name": "upheld.css",
        "version": "2020-02-01",
        "old": "2020-02-01",
        "new": "2024-09-01",
        "subject": person,
        "request": keeper.requests(person)[0].request_id,
        "duty": "plan-check",
        "paper": house.papers[0],
        "acting": "a" * 20,
        "account": house.staff["handler"].account.account_id,
        "invited": invite_staff(keeper, "trial", "newcomer", StaffRole.AUDITOR)[1],
        "provider": "house",
        **busy_parts(house),
        "certificate": keeper.certificates("trial")[0],
        "order": keeper.work_orders("trial")[0].order_id,
        "clause": shown.clause,
        "reference": shown.evidence[0].reference,
        "link": invite(keeper, "trial", house.persons["stayer"]),
        "child-link": invite(keeper, "trial", keeper.enter("trial", "member", minor=True)),
        "about": "purpose/offers",
        "own-request": asked.made or "",
    }


@pytest.fixture(scope="module")
def desks(house: Served) -> dict[str, Browser]:
    """A browser for each member of staff, signed in once."""
    return {name: house.signed_in(name) for name in STAFF}


ASKS: dict[str, set[str]] = {"compare": {"old", "new"}, "consent-end": {"about"}, "my-consent-end": {"about"}}
"""What a page wants in its query."""


def address(route: Route, parts: dict[str, str], **other: str) -> str:
    wanted = set(re.findall(r"{(\w+)", route.path)) | (ASKS.get(route.name, set()) if route.method == "GET" else set())
    own = {"request": parts["own-request"]} if route.area == "portal" else {}
    given = parts | own | ({"link": parts["child-link"]} if route.name == "representative" else {}) | other
    return route.filled({name: text for name, text in given.items() if name in wanted})


def browser_for(house: Served, route: Route, language: str) -> Browser:
    match route.who:
        case Who.ANYBODY:
            browser = house.browser(language)
            if route.name == "second-step":
                browser.get("/console/trial/sign-in")
                browser.send("/console/trial/sign-in", name="officer", password=house.staff["officer"].password)
            return browser
        case Who.SUBJECT:
            return house.person_in("stayer", language, ("email", "phone"))
        case _:
            return house.signed_in("officer", language)


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("route", GETS, ids=named)
def test_every_page_opens_for_whom_it_is_in_both_languages(
    house: Served, parts: dict[str, str], route: Route, language: str
) -> None:
    page = browser_for(house, route, language).get(address(route, parts))
    assert page.status_code == 200, page.text
    assert "Upheld" not in page.headers.get("server", "")
    if page.headers["content-type"].startswith("text/html") and route.name not in PRINTED:
        assert f'<html lang="{language}">' in page.text
        assert re.search(r"<h1>\s*\S", page.text)
        assert 'name="viewport"' in page.text


PRINTED = frozenset({"certificate", "report-print"})
"""Documents in both languages at once."""


@pytest.mark.parametrize("route", [one for one in ROUTES if one.who is not Who.ANYBODY], ids=named)
def test_nobody_who_has_not_signed_in_gets_a_page_that_is_for_somebody(
    house: Served, parts: dict[str, str], route: Route
) -> None:
    browser = house.browser()
    if route.method == "GET":
        page = browser.get(address(route, parts))
        assert page.url.path in ("/console/trial/sign-in", "/portal/trial")
    else:
        browser.get("/console/trial/sign-in")
        page = browser.send(address(route, parts), **FORMS[route.name])
        assert page.status_code == 403
    assert house.persons["asker"] not in page.text.replace(address(route, parts), "")  # but for what was asked


@pytest.mark.clauses("KE22-11.M2-2", "MS18-11.M2-2")
@pytest.mark.parametrize("name", STAFF)
@pytest.mark.parametrize("route", FOR_STAFF, ids=named)
def test_every_page_asks_for_its_duty(
    desks: dict[str, Browser], parts: dict[str, str], route: Route, name: str
) -> None:
    if route.name in CHANGES and name in OPENS[route.who]:
        return  # what it does has tests of its own; here it would change the house
    browser = desks[name]
    browser.get("/console/trial/account")
    there = address(route, parts)
    page = browser.get(there) if route.method == "GET" else browser.send(there, **FORMS[route.name])
    if name in OPENS[route.who]:
        # a person's page asks for a look-up besides, which counsellors have not made here
        assert page.status_code == 200 or (route.name in ("person", "heard") and name == "counsel")
    else:
        assert page.status_code == 403
        assert "not among your duties" in page.text


@pytest.mark.parametrize("route", FOR_STAFF, ids=named)
def test_a_session_of_one_policy_opens_nothing_of_another(
    desks: dict[str, Browser], parts: dict[str, str], route: Route
) -> None:
    assert "policy: other" in OTHER_POLICY
    browser = desks["officer"]
    browser.get("/console/trial/account")
    there = address(route, parts, policy="other")
    page = browser.get(there) if route.method == "GET" else browser.send(there, **FORMS[route.name])
    assert page.status_code == 403 or page.url.path == "/console/other/sign-in"


@pytest.mark.parametrize("route", POSTS, ids=named)
def test_a_form_without_its_token_does_nothing(house: Served, parts: dict[str, str], route: Route) -> None:
    browser = browser_for(house, route, "en")
    house.keeper.seal()
    for token in ({}, {"form-token": "0" * 64}):
        page = browser.post(address(route, parts), token | FORMS[route.name])
        assert page.status_code == 403
        assert "The form is too old" in page.text


@pytest.mark.parametrize("route", POSTS, ids=named)
def test_a_form_of_another_browser_is_refused(house: Served, parts: dict[str, str], route: Route) -> None:
    stranger = house.browser()
    stranger.get("/console/trial/sign-in")
    page = browser_for(house, route, "en").post(
        address(route, parts), {"form-token": stranger.token()} | FORMS[route.name]
    )
    assert page.status_code == 403


def test_every_form_of_the_table_has_its_row_here_and_every_name_one_page() -> None:
    assert {route.name for route in POSTS} == set(FORMS)
    assert len({(route.name, route.method) for route in ROUTES}) == len(ROUTES)
    assert len({(route.path, route.method) for route in ROUTES}) == len(ROUTES)
    assert {route.who for route in ROUTES} - {Who.ANYBODY, Who.SUBJECT} <= set(OPENS)
    assert all(route.area == "console" for route in FOR_STAFF)


def test_ids_of_another_policy_are_no_pages_here(house: Served, parts: dict[str, str]) -> None:
    stranger = house.persons["stranger"]
    foreign = house.keeper.request(stranger, "access", channel="letter").made
    house.keeper.seal()
    officer = house.signed_in("officer")
    for path in (
        f"/console/trial/people/{stranger}",
        f"/console/trial/requests/{stranger}/{foreign}",
        "/console/trial/certificates/aaaaaaaaaaaaaaaaaaaa",
        "/console/trial/ledger/999999:0",
        "/console/trial/report/NO-1",
    ):
        assert officer.get(path).status_code == 404, path
    assert officer.get("/console/unknown").status_code == 404
    assert text_of("stranger", "email") not in officer.get("/console/trial/requests").text
