"""One person under each of the five policies, from consent to certificate, in a real browser without JavaScript.

What the person and the officer do are presses of buttons, hers on a phone in Korean, his on a desk. What the service's
own program does (enter, collect) and time passing are calls. The service is stopped and started between the acts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

import upheld
from tests.browser import Site, chrome, site_of
from tests.served import Served
from tests.trial_home import at
from upheld.desk.accounts import StaffRole, open_account
from upheld.desk.codes import CodeMessage
from upheld.desk.invitations import invite
from upheld.engine.acts import SubjectId
from upheld.policy.read import read_policy
from upheld.store.verifying import check_certificate
from upheld.web.settings import Settings

POLICIES = Path(__file__).resolve().parent.parent / "policies"
BEGINS = at("2026-03-03")
DAY = 86_400_000_000
PHONE = 390


@dataclass(frozen=True)
class Life:
    """Who lives under a document: what they begin, what for, what they give, at which items they are reached."""

    document: str
    kind: str
    engagement: str
    purpose: str
    given: Mapping[str, str]
    reached: tuple[str, ...]
    seen: str
    """How the portal calls something that is held."""


MAIL, CALL = "made-up@example.org", "010-0000-0000"
LIVES = (
    Life("nexr-2017", "user", "inquiry", "service", {"name": "가나다", "email": MAIL, "contact": CALL},
         ("email", "contact"), "이메일"),
    Life("bizmeka-ez-2016", "member", "membership", "service",
         {"name": "가나다", "email": MAIL, "mobile": CALL}, ("email", "mobile"), "이메일"),
    Life("bizmeka-ez-2018", "member", "membership", "service",
         {"name": "가나다", "email": MAIL, "mobile": CALL}, ("email", "mobile"), "이메일"),
    Life("kt-mns-2018", "customer", "request", "request",
         {"name": "가나다", "phone": CALL, "request-text": "문의"}, ("phone",), "전화번호"),
    Life("kt-enterprise-2022", "customer", "consulting", "consulting",
         {"name": "가나다", "email": MAIL, "contact": CALL}, ("email", "contact"), "이메일"),
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chrome() as found:
        yield found


@contextmanager
def founded(life: Life, home: Path) -> Iterator[tuple[Served, str]]:
    """A house that published the document long ago, with an officer and an auditor. Gives its policy's code too."""
    source = (POLICIES / f"{life.document}.yaml").read_bytes()
    policy = read_policy(source, life.document)
    clock = upheld.SetClock(BEGINS)
    options = upheld.Options(clock=clock, look_up={policy.policy: list(life.reached)}, light_hashing=True)
    sent: list[CodeMessage] = []
    keeper = upheld.open(home, options)
    keeper.publish(source, as_of=policy.effective.date, evidence="minutes of that year")
    plan = keeper.views.line(policy.policy).latest
    duties = [name for name, row in plan.handlers.items() if row.duties]
    staff = {
        role.value: open_account(
            keeper,
            policy.policy,
            role.value,
            role,
            duties=() if role is StaffRole.AUDITOR else duties,
            shown=frozenset({"reason", "approver"}),
        )
        for role in (StaffRole.OFFICER, StaffRole.AUDITOR)
    }
    reached = {policy.policy: life.reached}
    settings = Settings(keeper, home, "", send_code=sent.append, addresses=reached, failed=_raised)
    house = Served(home, keeper, clock, settings, sent, staff)
    try:
        yield house, policy.policy
    finally:
        house.keeper.close()


def _raised(name: str, failure: Exception) -> None:
    raise AssertionError(f"the page {name} failed") from failure


def days_pass(site: Site, days: int) -> None:
    """Time passes, and every night the sweep runs."""
    site.house.clock.set(site.house.clock.now() + days * DAY)
    site.house.keeper.sweep()


@pytest.mark.clauses(
    "NX17-3.1.A", "NX17-3.1.C", "BZ16-10.2.a", "BZ18-9.2.a", "MS18-8.1-1", "MS18-8.2-1", "KE22-9.2-1",
)  # fmt: skip
@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.document)
def test_a_person_agrees_looks_takes_back_and_the_end_is_certified(
    browser: Browser, tmp_path: Path, life: Life
) -> None:
    with founded(life, tmp_path / "home") as (house, policy), site_of(house, browser, policy) as site:
        person = house.keeper.enter(policy, life.kind)
        house.keeper.begin(person, life.engagement)
        phone = site.context(PHONE, scripts=False)
        hers = phone.new_page()
        agrees(site, hers, person)
        site.restart()
        collects(site, life, person)
        reached = {item: life.given[item] for item in life.reached}
        site.come_in(hers, reached)
        assert life.seen in hers.inner_text("main")
        number = asks(site, hers, person, life, "access")
        site.restart()
        answers(site, person, number)
        follows(hers, site, life, "처리 완료")
        site.restart()
        takes_back(site, hers, person)
        number = asks(site, hers, person, life, "erasure")
        held = {value.value_id for value, _, _ in site.house.keeper.holdings(person)}
        answers(site, person, number)
        site.restart()
        days_pass(site, 40)
        days_pass(site, 6)
        left = {value.value_id for value, _, _ in site.house.keeper.holdings(person)}
        assert held
        assert held - left, "nothing was destroyed"
        certified(site)
        phone.close()


def agrees(site: Site, page: Page, person: SubjectId) -> None:
    """She follows the link of the service, ticks what she agrees to and saves it."""
    token = invite(site.house.keeper, site.policy, person)
    page.goto(f"/consent/{site.policy}/{token}?locale=ko")
    boxes = page.locator("input[name=agree]")
    assert boxes.count() > 0
    assert page.locator("input[name=agree]:checked").count() == 0
    for number in range(boxes.count()):
        boxes.nth(number).check()
    page.click("text=선택한 대로 저장")
    assert "동의가 기록되었습니다" in page.inner_text("main")
    assert "given" in site.house.keeper.consents(person).values()


def collects(site: Site, life: Life, person: SubjectId) -> None:
    """The program of the service takes in what she typed into its own form."""
    done = site.house.keeper.collect(person, life.purpose, life.given, channel="website")
    assert done.granted, done.decision.because


def asks(site: Site, page: Page, person: SubjectId, life: Life, right: str) -> str:
    """She asks in the portal; where the policy takes this right elsewhere, the officer takes in her letter or call."""
    page.goto(f"/portal/{site.policy}/mine")
    page.click("main >> text=권리 행사하기")
    offered = page.locator(f"#right-{right}")
    if offered.count():
        offered.check()
        page.click("main form button")
    else:
        desk = site.desk(site.context(scripts=False), "officer")
        desk.click("nav.menu >> text=Look somebody up")
        desk.select_option("#item", life.reached[0])
        desk.fill("#text", life.given[life.reached[0]])
        desk.click("main form button")
        desk.select_option("#right", right)
        by = sorted(site.house.keeper.views.line(site.policy).latest.rights[right].by)
        desk.select_option("#channel", by[0])
        desk.click("text=Take it in")
        assert f"/requests/{person}/" in desk.url, desk.inner_text("main")
        desk.context.close()
    (one,) = (each for each in site.house.keeper.requests(person) if each.right == right)
    return one.request_id


def answers(site: Site, person: SubjectId, number: str) -> None:
    """The officer finds it on the list, records the proof where it is still owed, and answers."""
    desk = site.desk(site.context(scripts=False), "officer")
    desk.click("nav.menu >> text=Requests")
    desk.click(f"main table a[href*='{number}']")
    if "not proved yet" in desk.inner_text("main"):
        desk.click("text=Record the proof")
        assert "not proved yet" not in desk.inner_text("main"), desk.inner_text("main")
    desk.select_option("#outcome", "done")
    desk.click("text=Record the answer")
    assert "done" in desk.inner_text("h1")
    desk.context.close()


def follows(page: Page, site: Site, life: Life, told: str) -> None:
    """She sees on her page what came of it."""
    page.goto(f"/portal/{site.policy}/mine")
    assert told in page.inner_text("main")


def takes_back(site: Site, page: Page, person: SubjectId) -> None:
    """She takes a consent back as she gave it: a press, what follows from it, another press."""
    before = site.house.keeper.consents(person)
    page.goto(f"/portal/{site.policy}/mine/consents")
    page.locator("main a:has-text('철회')").first.click()
    page.click("text=지금 철회")
    assert "동의를 철회했습니다" in page.inner_text("main")
    after = site.house.keeper.consents(person)
    assert sorted(after.values()) != sorted(before.values())
    assert "withdrawn" in after.values()


def certified(site: Site) -> None:
    """The officer opens the newest certificate, reads it, keeps its file; it holds against the ledger."""
    desk = site.desk(site.context(scripts=False), "officer")
    desk.click("nav.menu >> text=Destruction calendar")
    desk.locator("main a[href*='/certificates/']").first.click()
    assert "파기 증명서" in desk.inner_text("main")
    with desk.expect_download() as kept:
        desk.click("nav a[href$='/file']")
    signed = json.loads(kept.value.path().read_bytes())
    assert signed
    keeper = site.house.keeper
    keeper.seal()
    with keeper.places.ledger_copy() as ledger:
        key = (site.house.home / "public.pem").read_text()
        assert check_certificate(kept.value.path().read_bytes(), ledger, key).in_ledger
    desk.context.close()


# ── an inspection ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("NX17-6.1")
def test_an_auditor_walks_from_a_clause_to_its_evidence_and_on_to_verification_and_certificate(
    browser: Browser, tmp_path: Path
) -> None:
    life = LIVES[0]
    with founded(life, tmp_path / "home") as (house, policy), site_of(house, browser, policy) as site:
        person = house.keeper.enter(policy, life.kind)
        house.keeper.begin(person, life.engagement)
        hers = site.context(PHONE, scripts=False).new_page()
        agrees(site, hers, person)
        collects(site, life, person)
        site.come_in(hers, {item: life.given[item] for item in life.reached})
        takes_back(site, hers, person)
        answers(site, person, asks(site, hers, person, life, "erasure"))
        days_pass(site, 40)
        site.house.keeper.seal()
        page = site.desk(site.context(scripts=False), "auditor")
        for absent in ("Requests", "Look somebody up", "Accounts"):
            assert page.locator(f"nav.menu >> text='{absent}'").count() == 0
        page.click("nav.menu >> text=Clause report")
        clauses = [str(one.get_attribute("href")) for one in page.locator("main a[href*='/report/']").all()]
        page.goto(next(one for one in clauses if shows_entries(page, one)))
        site.restart()
        page.locator("main a[href*='/ledger/']").first.click()
        assert "Entry" in page.inner_text("h1")
        page.click("nav.path >> text=Ledger")
        page.click("main >> text=Verify")
        assert "The ledger is what was signed" in page.inner_text("main")
        page.click("nav.menu >> text=Destruction calendar")
        page.locator("a[href*='/certificates/']").first.click()
        assert "파기 증명서" in page.inner_text("main")
        assert page.goto(f"/console/{policy}/people/{person}").status == 403  # type: ignore[union-attr]  # a page answers
        assert "not among your duties" in page.inner_text("main")
        page.goto(f"/console/{policy}/calendar")
        assert page.locator("main form").count() == 0


def shows_entries(page: Page, clause: str) -> bool:
    """Whether the page of a clause leads to entries of the ledger."""
    page.goto(clause)
    return page.locator("main a[href*='/ledger/']").count() > 0
