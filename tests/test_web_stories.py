"""Stories at the desk, walked in a real browser without JavaScript, from what comes in to what is proved.

An agent by letter, a correction with two recipients, a refusal and its objection, two officers, an inspection, and one
person under each of the five policies from consent to certificate, with the service restarted in the middle.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

import upheld
from tests.browser import chromium, free_port
from tests.served import WEB_POLICY, Served, served, text_of
from tests.trial_home import at
from upheld.desk.accounts import StaffRole, open_account
from upheld.desk.due import requests_of
from upheld.engine.acts import SubjectId, ValueId
from upheld.engine.state import RequestState
from upheld.keeper import Keeper
from upheld.store import history
from upheld.store.verifying import check_certificate
from upheld.system import SystemClock
from upheld.web.demonstration import Prepared, prepare
from upheld.web.serving import Listening, served_beside
from upheld.web.settings import Settings

POLICIES = Path(__file__).resolve().parent.parent / "policies"
DAY = 86_400_000_000
PDF = b"%PDF-1.7 a mandate with a made-up signature"
MALL = WEB_POLICY[WEB_POLICY.index("  mall: {clause: T-8") : WEB_POLICY.index("rights:")]
"""The provision of the trial policy, all its lines."""
AND_COURIER = (
    WEB_POLICY.replace("2020-01-01", "2024-09-08")
    .replace("2020-02-01", "2024-09-10")
    .replace("parties: {", "parties: {courier: {clause: T-1, en: Courier Ltd., ko: 택배}, ")
    .replace(MALL, MALL + MALL.replace("mall:", "courier:"))
)
"""A third version, with a second recipient."""


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    path = chromium()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Desk:
    """The furnished home behind a port."""

    house: Served
    address: str
    chrome: Browser

    def context(self) -> BrowserContext:
        return self.chrome.new_context(base_url=self.address, java_script_enabled=False, locale="en-US")

    def page(self, name: str) -> Page:
        """A browser of its own in which this member of staff has signed in."""
        page = self.context().new_page()
        page.goto("/console/trial/sign-in?locale=en")
        page.fill("#name", name)
        page.fill("#password", self.house.staff[name].password)
        page.click("main button")
        page.fill("#code", self.house.code(name))
        page.click("main button")
        assert page.url == f"{self.address}/console/trial"
        return page

    def person(self, page: Page, who: str) -> None:
        """Look somebody up."""
        page.goto("/console/trial/people")
        page.select_option("#item", "email")
        page.fill("#text", text_of(who, "email"))
        page.click("main form button")
        assert page.url.endswith(self.house.persons[who])

    def entries(self, kind: str) -> list[history.Recorded]:
        self.house.keeper.seal()
        return list(history.entries(self.house.keeper.places.sealer.connection, kinds=(kind,), policy="trial"))


@pytest.fixture
def desk(chrome: Browser, tmp_path: Path) -> Iterator[Desk]:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with served(tmp_path / "home") as house:
        house.settings = replace(house.settings, address=address)
        with served_beside(house.settings, Listening(port=port)):
            yield Desk(house, address, chrome)


def take_in(page: Page, right: str, channel: str, by: str | None = None) -> None:
    """Take a request in on the page of a person."""
    page.select_option("#right", right)
    page.select_option("#channel", channel)
    if by is not None:
        page.select_option("#by", by)
    page.click("text=Take it in")


def answer(page: Page, outcome: str, reason: str = "") -> None:
    page.select_option("#outcome", outcome)
    page.select_option("#reason", reason)
    page.click("text=Record the answer")


# ── an agent by letter ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("NX17-3.4.a", "BZ18-9.4.a", "MS18-8.3-2", "KE22-9.4-1")
def test_an_agent_writes_a_letter_shows_the_mandate_and_gets_no_more_than_it_covers(desk: Desk, tmp_path: Path) -> None:
    keeper, person = desk.house.keeper, desk.house.persons["asker"]
    mandate = tmp_path / "mandate.pdf"
    mandate.write_bytes(PDF)
    page = desk.page("officer")
    desk.person(page, "asker")
    page.click("text=An agent brings a mandate")
    page.check("#agent-shown-mandate")
    page.check("#agent-right-access")
    page.fill("#agent-until", "2024-12-31")
    page.set_input_files("#agent-file", mandate)
    page.click("details[open] button")
    assert page.locator("[role=alert]").count() == 0, page.inner_text("main")
    (acting,) = keeper.acting_for(person)
    assert acting.rights == ("access",)
    (paper,) = keeper.papers("trial", owner=person, kind="mandates")
    assert (paper.about, keeper.paper("trial", paper.paper_id)) == (acting.acting_id, PDF)
    page.click("text=A legal representative brings papers")
    page.check("#representative-shown-mandate")
    page.click("details[open] button")  # with no last day: until it is taken back
    assert "until taken back" in page.inner_text("main")
    page.click("button[aria-label='End it: a legal representative']")
    assert [one.acting_id for one in keeper.acting_for(person)] == [acting.acting_id]
    take_in(page, "erasure", "letter", acting.acting_id)
    assert "The mandate does not cover this" in page.inner_text("[role=alert]")
    assert keeper.requests(person) == ()
    take_in(page, "access", "letter", acting.acting_id)
    assert "an agent under a mandate" in page.inner_text("main")
    page.click("text=Record the proof")
    assert "not proved yet" not in page.inner_text("main")
    answer(page, "done")
    (one,) = keeper.requests(person)
    assert (one.state, one.by) == (RequestState.DONE, "agent")
    assert keeper.papers("trial", owner=person, kind="mandates")  # the mandate stays as proof
    desk.house.clock.set(at("2025-01-01"))
    assert keeper.acting_for(person) == ()


@pytest.mark.clauses("BZ18-9.3.a", "BZ18-3.A.2")
def test_a_copy_that_came_as_proof_is_looked_at_on_record_and_gone_when_it_was_checked(
    desk: Desk, tmp_path: Path
) -> None:
    keeper, person = desk.house.keeper, desk.house.persons["asker"]
    copy, program = tmp_path / "copy.pdf", tmp_path / "copy.exe"
    copy.write_bytes(PDF)
    program.write_bytes(b"MZ no paper")
    page = desk.page("officer")
    desk.person(page, "asker")
    take_in(page, "access", "letter")
    here = page.url
    page.click("text=A copy came in")
    page.set_input_files("#file", program)
    page.click("details[open] >> text=Take it in")
    assert "Send a PDF, a PNG or a JPEG" in page.inner_text("main")
    page.goto(here)
    page.click("text=A copy came in")
    page.set_input_files("#file", copy)
    page.click("details[open] >> text=Take it in")
    assert PDF not in b"".join(path.read_bytes() for path in desk.house.home.rglob("*") if path.is_file())
    with page.expect_download() as shown:
        page.click("text=Copy 1")
    assert shown.value.path().read_bytes() == PDF
    assert len(desk.entries("paper.seen")) == 1
    page.click("text=Record the proof")
    (one,) = keeper.requests(person)
    assert keeper.papers("trial", owner=person, about=one.request_id) == []
    assert len(desk.entries("paper.destroyed")) == 1


# ── a correction with two recipients ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses(
    "NX17-3.3.a", "BZ16-10.6.c", "BZ16-10.6.d", "BZ18-9.6.a", "MS18-8.4-3", "MS18-8.4-4", "KE22-9.6-3", "KE22-9.6-4"
)
def test_a_correction_reaches_both_recipients_and_their_confirmations_are_tracked(desk: Desk) -> None:
    keeper, clock, person = desk.house.keeper, desk.house.clock, desk.house.persons["stayer"]
    keeper.publish(AND_COURIER.encode())
    clock.set(at("2024-09-12"))
    for party in ("mall", "courier"):
        keeper.consent(person, f"provision/{party}", channel="website")
        assert keeper.provide(person, party, ("name",)).granted
    page = desk.page("officer")
    desk.person(page, "stayer")
    take_in(page, "rectification", "letter")
    page.click("text=Record the proof")
    assert "Stands still" in page.inner_text("main")
    frozen = keeper.provide(person, "mall", ("name",))
    assert not frozen.granted
    page.select_option("#value", label="name")
    page.fill("#text", "the right name")
    page.click("main button:has-text('Put it right')")
    for company in ("Mall Ltd.", "Courier Ltd."):
        assert company in page.inner_text("main")
    confirm = page.locator("button:has-text('Record the confirmation')")
    left = confirm.count()
    assert left >= 2
    for number in range(left):
        assert confirm.count() == left - number
        confirm.first.click()
    assert confirm.count() == 0
    assert {one.entry.fields["recipient"] for one in desk.entries("recipient.acknowledged")} == {"mall", "courier"}
    answer(page, "done")
    assert "Stands still" not in page.inner_text("main")
    assert keeper.provide(person, "mall", ("name",)).granted


# ── a refusal, and the objection to it ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("NX17-3.1.D")
def test_a_refusal_says_why_and_somebody_else_decides_the_objection(desk: Desk) -> None:
    keeper, person = desk.house.keeper, desk.house.persons["asker"]
    first = desk.page("officer")
    desk.person(first, "asker")
    take_in(first, "suspension", "letter")
    first.click("text=Record the proof")
    assert "one of the four grounds of the law" in " ".join(first.inner_text("main").split())
    answer(first, "refused")
    assert "needs its reason" in first.inner_text("[role=alert]")
    answer(first, "refused", "contract")
    told = first.inner_text("main")
    assert "the contract cannot be performed without it" in told
    desk.person(first, "asker")
    first.select_option("#against", index=1)
    take_in(first, "objection", "letter")
    first.click("text=Record the proof")
    assert "Somebody else than who gave that answer decides" in first.inner_text("main")
    here = first.url
    answer(first, "done")
    assert "An objection is decided by somebody else" in first.inner_text("[role=alert]")
    second = desk.page("handler")
    second.goto(here)
    answer(second, "done")
    answered = {one.right: one for one in keeper.requests(person)}
    assert {right: one.state.value for right, one in answered.items()} == {"suspension": "refused", "objection": "done"}
    assert answered["objection"].answered_by != answered["suspension"].answered_by


# ── two officers on one request ─────────────────────────────────────────────────────────────────────────────────────


def test_two_officers_in_two_browsers_do_not_overwrite_each_other(desk: Desk) -> None:
    keeper, person = desk.house.keeper, desk.house.persons["asker"]
    number = keeper.request(person, "access", channel="letter", proved=True).made
    first, second = desk.page("officer"), desk.page("handler")
    for page in (first, second):
        page.goto(f"/console/trial/requests/{person}/{number}")
    answer(first, "done")
    answer(second, "refused", "others-harmed")
    assert "Somebody changed this meanwhile" in second.inner_text("h1")
    second.goto(f"/console/trial/requests/{person}/{number}")
    assert "done" in second.inner_text("h1")
    assert keeper.requests(person)[0].state is RequestState.DONE


# ── accounts, and what was left open ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("NX17-6.7.a")
def test_an_account_is_opened_by_four_eyes_signs_in_and_is_closed(desk: Desk) -> None:
    second = other_officer(desk, "second")
    page = desk.page("officer")
    page.click("nav.menu >> text=Accounts")
    for approver, code in (("", ""), ("officer", desk.house.code("officer")), ("handler", desk.house.code("handler"))):
        _ask_for_account(page, approver, code)
        assert "approval of another officer" in page.inner_text("[role=alert]")
    _ask_for_account(page, "second", second)
    told = page.inner_text("main")
    page.click("nav.menu >> text=Accounts")
    assert "newcomer" in page.inner_text("main")
    assert "127.0.0.1" in page.inner_text("main")  # where the officer signed in from
    signed_in = desk.entries("staff.signed-in")[-1].entry.fields
    assert signed_in["reader_id"] == desk.house.staff["officer"].account.handler_id
    other = desk.context().new_page()
    other.goto("/console/trial/sign-in?locale=en")
    password = re.search(r"\b[a-z2-7]{4}(?:-[a-z2-7]{4}){5}\b", told)
    recovery = re.findall(r"\b[a-z2-7]{4}(?:-[a-z2-7]{4}){3}\n", told)
    assert password
    assert recovery
    other.fill("#name", "newcomer")
    other.fill("#password", password[0])
    other.click("main button")
    other.fill("#code", recovery[-1].strip())
    other.click("main button")
    assert other.url == f"{desk.address}/console/trial"
    page.click("button[aria-label='Close: newcomer']")
    other.goto("/console/trial")
    assert other.url.endswith("/sign-in")
    assert "newcomer" not in page.inner_text("main")


def _ask_for_account(page: Page, approver: str, code: str) -> None:
    page.fill("#name", "newcomer")
    page.select_option("#role", "handler")
    page.check("#duty-counsel")
    page.check("#duty-privacy")
    page.fill("#approver", approver)
    page.fill("#approver-code", code)
    page.click("text=Open the account")


def other_officer(desk: Desk, name: str) -> str:
    """Another officer; what their authenticator shows."""
    shown = frozenset({"reason", "approver"})
    made = open_account(desk.house.keeper, "trial", name, StaffRole.OFFICER, duties=("privacy",), shown=shown)
    return made.recovery_codes[0]


@pytest.mark.clauses("NX17-6.6.a")
def test_every_look_carries_the_address_it_came_from_and_the_ledger_has_none(desk: Desk) -> None:
    page = desk.page("officer")
    desk.person(page, "asker")
    look = desk.entries("lookup.made")[-1].entry
    signed_in = desk.entries("staff.signed-in")[-1].entry
    assert look.fields["origin"] == signed_in.fields["origin"]
    assert desk.house.keeper.arrivals("trial")[0][2] == "127.0.0.1"
    desk.house.keeper.seal()
    written = b"".join(path.read_bytes() for path in desk.house.home.rglob("*") if path.is_file())
    assert b"127.0.0.1" not in written
    desk.house.clock.set(at("2026-10-01"))
    desk.house.keeper.sweep()
    assert desk.house.keeper.arrivals("trial") == []
    assert desk.house.keeper.paper("trial", str(look.fields["origin"])) is None


# ── one person under each policy, from consent to certificate ───────────────────────────────────────────────────────


@contextmanager
def serving(prepared: Prepared, clock: upheld.SetClock, port: int) -> Iterator[Keeper]:
    """The demonstration home behind a port, from opening to closing."""
    with upheld.open(prepared.home, upheld.Options(clock=clock)) as keeper:
        settings = Settings(keeper, prepared.home, f"http://127.0.0.1:{port}", addresses=prepared.addresses)
        with served_beside(settings, Listening(port=port)):
            yield keeper


def signed_in(page: Page, prepared: Prepared, policy: str, kind: StaffRole, which: int) -> None:
    page.goto(f"/console/{policy}/sign-in?locale=en")
    page.fill("#name", kind.value)
    page.fill("#password", prepared.accounts[policy, kind].password)
    page.click("main button")
    page.fill("#code", prepared.accounts[policy, kind].recovery_codes[which])
    page.click("main button")
    assert page.url.endswith(f"/console/{policy}")


DOCUMENTS = ("nexr-2017", "bizmeka-ez-2016", "bizmeka-ez-2018", "kt-mns-2018", "kt-enterprise-2022")


@pytest.mark.clauses(
    "NX17-3.1.A", "NX17-3.1.C", "BZ16-10.2.a", "BZ18-9.2.a", "MS18-8.1-1", "MS18-8.2-1", "KE22-9.2-1",
)  # fmt: skip
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_person_asks_to_see_and_to_be_erased_and_the_end_is_certified(
    chrome: Browser, tmp_path: Path, name: str
) -> None:
    """From what was agreed to and collected, over a restart between proof and answer, to a certificate that holds."""
    prepared = prepare([POLICIES / f"{name}.yaml"], tmp_path / name, people=3, days=10)
    (shown,) = prepared.persons
    policy, person = shown.policy, shown.subject_id
    clock, port = upheld.SetClock(SystemClock().now()), free_port()
    context = chrome.new_context(
        base_url=f"http://127.0.0.1:{port}", java_script_enabled=False, accept_downloads=True, locale="en-US"
    )
    page = context.new_page()
    with serving(prepared, clock, port) as keeper:
        signed_in(page, prepared, policy, StaffRole.OFFICER, 1)
        _looked_up(page, policy, shown.addresses)
        assert page.url.endswith(person)
        assert page.locator("main .state.given").count() == len(keeper.consents(person)) > 0
        _asked_and_proved(page, keeper, policy, "access")
        answer(page, "done")
        assert "done" in page.inner_text("h1")
        page.goto(f"/console/{policy}/people/{person}")
        _asked_and_proved(page, keeper, policy, "erasure")
        held = {value.value_id for value, _, _ in keeper.holdings(person)}
        here = page.url
    with serving(prepared, clock, port) as keeper:  # the service was restarted; nothing is lost
        page.goto(here)
        assert "not proved yet" not in page.inner_text("main")
        answer(page, "done")
        settled = {one.right: one.state for one in keeper.requests(person) if not one.waiting}
        assert settled == {"access": RequestState.DONE, "erasure": RequestState.DONE}
        clock.set(keeper.now() + 40 * DAY)  # type: ignore[arg-type]  # an instant later is one
        keeper.sweep()
        clock.set(keeper.now() + 6 * DAY)  # type: ignore[arg-type]
        keeper.sweep()
        signed_in(page, prepared, policy, StaffRole.OFFICER, 2)
        _certified(page, keeper, policy, prepared, person, held)
    context.close()


def _looked_up(page: Page, policy: str, addresses: Mapping[str, str]) -> None:
    item, text = next(iter(addresses.items()))
    page.goto(f"/console/{policy}/people")
    page.select_option("#item", item)
    page.fill("#text", text)
    page.click("main form button")


def _asked_and_proved(page: Page, keeper: Keeper, policy: str, right: str) -> None:
    plan = keeper.views.line(policy).latest
    by = sorted(plan.rights[right].by) or sorted(plan.channels)
    take_in(page, right, by[0])
    page.click("text=Record the proof")
    assert "not proved yet" not in page.inner_text("main")


def _certified(
    page: Page, keeper: Keeper, policy: str, prepared: Prepared, person: SubjectId, held: set[ValueId]
) -> None:
    left = {value.value_id for value, _, _ in keeper.holdings(person)}
    assert held - left, "nothing was destroyed"
    page.goto(f"/console/{policy}/calendar")
    link = page.locator("a[href*='/certificates/']").first
    number = str(link.get_attribute("href")).rpartition("/")[2]
    link.click()
    assert "파기 증명서" in page.inner_text("main")
    keeper.seal()
    with keeper.places.ledger_copy() as ledger:
        key = (prepared.home / "public.pem").read_text()
        assert check_certificate(keeper.certificate(number), ledger, key).in_ledger


# ── an inspection ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("NX17-6.1")
def test_an_auditor_walks_from_a_clause_to_its_evidence_and_on_to_verification_and_certificate(
    chrome: Browser, tmp_path: Path
) -> None:
    prepared = prepare([POLICIES / "nexr-2017.yaml"], tmp_path / "nexr", people=3, days=10)
    (shown,) = prepared.persons
    clock, port = upheld.SetClock(SystemClock().now()), free_port()
    context = chrome.new_context(base_url=f"http://127.0.0.1:{port}", java_script_enabled=False, locale="en-US")
    page = context.new_page()
    with serving(prepared, clock, port) as keeper:
        keeper.withdraw(shown.subject_id, next(iter(keeper.consents(shown.subject_id))), channel="website")
        clock.set(keeper.now() + 30 * DAY)  # type: ignore[arg-type]  # an instant later is one
        keeper.sweep()
        keeper.seal()
        signed_in(page, prepared, "nexr", StaffRole.AUDITOR, 0)
        for absent in ("Requests", "Look somebody up", "Accounts"):
            assert page.locator(f"nav.menu >> text='{absent}'").count() == 0
        page.click("nav.menu >> text=Clause report")
        clauses = [str(one.get_attribute("href")) for one in page.locator("main a[href*='/report/']").all()]
        shown_by = None
        for clause in clauses:
            page.goto(clause)
            entry = page.locator("main a[href*='/ledger/']")
            if entry.count():
                shown_by = entry.first
                break
        assert shown_by is not None, "no clause is shown by any entry"
        shown_by.click()
        assert "Entry" in page.inner_text("h1")
        page.goto("/console/nexr/ledger?verify=now")
        assert "The ledger is what was signed" in page.inner_text("main")
        page.goto("/console/nexr/calendar")
        page.locator("a[href*='/certificates/']").first.click()
        assert "파기 증명서" in page.inner_text("main")
        assert page.goto(f"/console/nexr/people/{shown.subject_id}").status == 403  # type: ignore[union-attr]
        assert requests_of(keeper, "nexr") != []
        assert page.locator("main form").count() == 0
    context.close()
