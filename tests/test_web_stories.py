"""Stories at the desk, walked in a real browser without JavaScript, from what comes in to what is proved.

An agent by letter, a correction with two recipients, a refusal and its objection, two officers on one request; the
service is stopped and started in the middle of each. `test_web_lives.py` has a life under each of the five policies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, Page

from tests.browser import Site, chrome, site_of
from tests.served import WEB_POLICY, Served, served, text_of
from tests.trial_home import at
from upheld.desk.accounts import StaffRole, open_account
from upheld.engine.state import RequestState
from upheld.keeper import Keeper
from upheld.store import history

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
def browser() -> Iterator[Browser]:
    with chrome() as found:
        yield found


@dataclass
class Desk:
    """The furnished home behind a port."""

    site: Site

    @property
    def house(self) -> Served:
        return self.site.house

    @property
    def keeper(self) -> Keeper:
        """The keeper that serves now; another one after a restart."""
        return self.site.house.keeper

    def page(self, name: str) -> Page:
        """A browser of its own in which this member of staff has signed in."""
        return self.site.desk(self.site.context(scripts=False), name)

    def person(self, page: Page, who: str) -> None:
        """Look somebody up."""
        page.goto("/console/trial/people")
        page.select_option("#item", "email")
        page.fill("#text", text_of(who, "email"))
        page.click("main form button")
        assert page.url.endswith(self.house.persons[who])

    def entries(self, kind: str) -> list[history.Recorded]:
        self.keeper.seal()
        return list(history.entries(self.keeper.places.sealer.connection, kinds=(kind,), policy="trial"))


@pytest.fixture
def desk(browser: Browser, tmp_path: Path) -> Iterator[Desk]:
    with served(tmp_path / "home") as house, site_of(house, browser) as site:
        yield Desk(site)


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
    person = desk.house.persons["asker"]
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
    (acting,) = desk.keeper.acting_for(person)
    assert acting.rights == ("access",)
    (paper,) = desk.keeper.papers("trial", owner=person, kind="mandates")
    assert (paper.about, desk.keeper.paper("trial", paper.paper_id)) == (acting.acting_id, PDF)
    page.click("text=A legal representative brings papers")
    page.check("#representative-shown-mandate")
    page.click("details[open] button")  # with no last day: until it is taken back
    assert "until taken back" in page.inner_text("main")
    page.click("button[aria-label='End it: a legal representative']")
    assert [one.acting_id for one in desk.keeper.acting_for(person)] == [acting.acting_id]
    take_in(page, "erasure", "letter", acting.acting_id)
    assert "The mandate does not cover this" in page.inner_text("[role=alert]")
    assert desk.keeper.requests(person) == ()
    take_in(page, "access", "letter", acting.acting_id)
    desk.site.restart()
    page.reload()
    assert "an agent under a mandate" in page.inner_text("main")
    page.click("text=Record the proof")
    assert "not proved yet" not in page.inner_text("main")
    answer(page, "done")
    (one,) = desk.keeper.requests(person)
    assert (one.state, one.by) == (RequestState.DONE, "agent")
    assert desk.keeper.papers("trial", owner=person, kind="mandates")  # the mandate stays as proof
    desk.house.clock.set(at("2025-01-01"))
    assert desk.keeper.acting_for(person) == ()


@pytest.mark.clauses("BZ18-9.3.a", "BZ18-3.A.2")
def test_a_copy_that_came_as_proof_is_looked_at_on_record_and_gone_when_it_was_checked(
    desk: Desk, tmp_path: Path
) -> None:
    person = desk.house.persons["asker"]
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
    desk.site.restart()
    assert PDF not in b"".join(path.read_bytes() for path in desk.house.home.rglob("*") if path.is_file())
    with page.expect_download() as shown:
        page.click("text=Copy 1")
    assert shown.value.path().read_bytes() == PDF
    assert len(desk.entries("paper.seen")) == 1
    page.click("text=Record the proof")
    (one,) = desk.keeper.requests(person)
    assert desk.keeper.papers("trial", owner=person, about=one.request_id) == []
    assert len(desk.entries("paper.destroyed")) == 1


# ── a correction with two recipients ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses(
    "NX17-3.3.a", "BZ16-10.6.c", "BZ16-10.6.d", "BZ18-9.6.a", "MS18-8.4-3", "MS18-8.4-4", "KE22-9.6-3", "KE22-9.6-4"
)
def test_a_correction_reaches_both_recipients_and_their_confirmations_are_tracked(desk: Desk) -> None:
    clock, person = desk.house.clock, desk.house.persons["stayer"]
    desk.keeper.publish(AND_COURIER.encode())
    clock.set(at("2024-09-12"))
    for party in ("mall", "courier"):
        desk.keeper.consent(person, f"provision/{party}", channel="website")
        assert desk.keeper.provide(person, party, ("name",)).granted
    page = desk.page("officer")
    desk.person(page, "stayer")
    take_in(page, "rectification", "letter")
    page.click("text=Record the proof")
    assert "Stands still" in page.inner_text("main")
    frozen = desk.keeper.provide(person, "mall", ("name",))
    assert not frozen.granted
    desk.site.restart()
    assert not desk.keeper.provide(person, "mall", ("name",)).granted  # it still stands still
    page.select_option("#value", label="name")
    page.fill("#text", "the right name")
    page.click("main button:has-text('Put it right')")
    for company in ("Mall Ltd.", "Courier Ltd."):
        assert company in page.inner_text("main")
    confirm = page.locator("button:has-text('Record the confirmation')")
    left = confirm.count()
    assert left >= 2
    desk.site.restart()
    for number in range(left):
        assert confirm.count() == left - number
        confirm.first.click()
    assert confirm.count() == 0
    assert {one.entry.fields["recipient"] for one in desk.entries("recipient.acknowledged")} == {"mall", "courier"}
    answer(page, "done")
    assert "Stands still" not in page.inner_text("main")
    assert desk.keeper.provide(person, "mall", ("name",)).granted


# ── a refusal, and the objection to it ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("NX17-3.1.D")
def test_a_refusal_says_why_and_somebody_else_decides_the_objection(desk: Desk) -> None:
    person = desk.house.persons["asker"]
    first = desk.page("officer")
    desk.person(first, "asker")
    take_in(first, "suspension", "letter")
    first.click("text=Record the proof")
    assert "one of the four grounds of the law" in " ".join(first.inner_text("main").split())
    answer(first, "refused")
    assert "needs its reason" in first.inner_text("[role=alert]")
    answer(first, "refused", "contract")
    desk.site.restart()
    first.reload()
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
    answered = {one.right: one for one in desk.keeper.requests(person)}
    assert {right: one.state.value for right, one in answered.items()} == {"suspension": "refused", "objection": "done"}
    assert answered["objection"].answered_by != answered["suspension"].answered_by


# ── two officers on one request ─────────────────────────────────────────────────────────────────────────────────────


def test_two_officers_in_two_browsers_do_not_overwrite_each_other(desk: Desk) -> None:
    person = desk.house.persons["asker"]
    number = desk.keeper.request(person, "access", channel="letter", proved=True).made
    first, second = desk.page("officer"), desk.page("handler")
    for page in (first, second):
        page.goto(f"/console/trial/requests/{person}/{number}")
    answer(first, "done")
    desk.site.restart()
    answer(second, "refused", "others-harmed")
    assert "Somebody changed this meanwhile" in second.inner_text("h1")
    second.goto(f"/console/trial/requests/{person}/{number}")
    assert "done" in second.inner_text("h1")
    assert desk.keeper.requests(person)[0].state is RequestState.DONE


# ── accounts, and what was left open ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("NX17-6.7.a")
def test_an_account_is_opened_by_four_eyes_taken_up_by_its_holder_and_closed_by_four_eyes(desk: Desk) -> None:
    codes = iter(other_officer(desk, "second"))
    page = desk.page("officer")
    page.click("nav.menu >> text=Accounts")
    for approver, code in (("", ""), ("officer", desk.house.code("officer")), ("handler", desk.house.code("handler"))):
        _ask_for_account(page, approver, code)
        assert "approval of another officer" in page.inner_text("[role=alert]")
    _ask_for_account(page, "second", next(codes))
    link = page.inner_text("main code").strip()
    desk.site.restart()
    theirs = desk.site.context(scripts=False).new_page()
    theirs.goto(f"{link}?locale=en")
    secret = theirs.locator("main code").first.inner_text()
    password = "a long made-up password"
    theirs.fill("#new", password)
    theirs.fill("#again", password)
    theirs.fill("#code", pyotp.TOTP(secret).at(desk.house.clock.now() // 1_000_000))
    theirs.click("main form button")
    recovery = theirs.locator("main code").first.inner_text().strip()
    theirs.click("main >> text=Sign in")
    theirs.fill("#name", "newcomer")
    theirs.fill("#password", password)
    theirs.click("main button")
    theirs.fill("#code", recovery)
    theirs.click("main button")
    assert theirs.url == f"{desk.site.address}/console/trial"
    page.click("nav.menu >> text=Accounts")
    assert "127.0.0.1" in page.inner_text("main")  # where the officer signed in from
    page.click("main tr:has-text('newcomer') a")
    page.fill("#close-approver", "second")
    page.fill("#close-approver-code", next(codes))
    page.click("text=Close the account")
    theirs.goto("/console/trial")
    assert theirs.url.endswith("/sign-in")
    assert page.locator("main th:has-text('newcomer')").count() == 0


def _ask_for_account(page: Page, approver: str, code: str) -> None:
    page.fill("#name", "newcomer")
    page.select_option("#role", "handler")
    page.check("#duty-counsel")
    page.check("#duty-privacy")
    page.fill("#approver", approver)
    page.fill("#approver-code", code)
    page.click("text=Invite by a link")


def other_officer(desk: Desk, name: str) -> tuple[str, ...]:
    """Another officer; codes for their second step."""
    shown = frozenset({"reason", "approver"})
    made = open_account(desk.keeper, "trial", name, StaffRole.OFFICER, duties=("privacy",), shown=shown)
    return made.recovery_codes


@pytest.mark.clauses("NX17-6.6.a")
def test_every_look_carries_the_address_it_came_from_and_the_ledger_has_none(desk: Desk) -> None:
    page = desk.page("officer")
    desk.person(page, "asker")
    look = desk.entries("lookup.made")[-1].entry
    signed_in = desk.entries("staff.signed-in")[-1].entry
    assert look.fields["origin"] == signed_in.fields["origin"]
    assert desk.keeper.arrivals("trial")[0][2] == "127.0.0.1"
    desk.keeper.seal()
    written = b"".join(path.read_bytes() for path in desk.house.home.rglob("*") if path.is_file())
    assert b"127.0.0.1" not in written
    desk.house.clock.set(at("2026-10-01"))
    desk.keeper.sweep()
    assert desk.keeper.arrivals("trial") == []
    assert desk.keeper.paper("trial", str(look.fields["origin"])) is None
