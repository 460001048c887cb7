"""Four eyes: what one does another has approved, never the same person; and accounts that their holders take up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest

import upheld
from tests.homes import copied, put_back
from tests.served import WEB_POLICY, Browser, Served, joined, served
from tests.test_cases import opener
from tests.trial_home import at
from upheld.cases import run_cases
from upheld.desk.accounts import StaffRole, account_named, password_right
from upheld.desk.background import JOBS, Scheduler
from upheld.desk.joining import VALID_FOR, invite_staff, invited_by
from upheld.desk.records import recorded
from upheld.engine.acts import HandlerId, SubjectId
from upheld.errors import InputRefused
from upheld.ledger.entries import Entry
from upheld.policy.notice import notice
from upheld.policy.read import read_policy

APPROVED = WEB_POLICY.replace("at-expiry: {within: P5D}", "at-expiry: {clause: {approval: T-60}, approval: privacy}")
ASKED = APPROVED.replace("2020-01-01", "2024-09-08").replace("2020-02-01", "2024-09-10")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "home") as found:
        found.second_officer()
        yield found


def who(house: Served, name: str) -> HandlerId:
    return house.staff[name].account.handler_id


def given(house: Served, what: str) -> list[Entry]:
    found = (one.entry for one in recorded(house.keeper, "trial", ["approval.given"]))
    return [one for one in found if one.fields["what"] == what]


# ── accounts ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("act", "what"), [("reset", "account-reset"), ("closed", "account-closed")])
@pytest.mark.clauses("BZ18-11.M2.b", "BZ16-12.A2.b", "NX17-6.2.b", "KE22-11.M2-1", "MS18-11.M2-1")
def test_an_account_given_by_four_eyes_is_reset_and_closed_by_four_eyes(house: Served, act: str, what: str) -> None:
    account = house.staff["handler"].account
    officer = house.signed_in("officer")
    page, there = f"/console/trial/accounts/{account.account_id}", ""
    there = f"{page}/{act}"
    officer.get(page)
    own = house.code("officer")
    for name, code in (("", ""), ("officer", own), ("handler", house.code("handler")), ("second", "000000")):
        assert officer.send(there, by="link", **{"approver": name, "approver-code": code}).status_code == 403
        assert password_right(house.keeper, "trial", "handler", house.staff["handler"].password) is not None
    assert given(house, what) == []
    officer.get(page)
    done = officer.send(there, by="link", **{"approver": "second", "approver-code": house.code("second")})
    assert done.status_code == 200
    assert password_right(house.keeper, "trial", "handler", house.staff["handler"].password) is None
    (one,) = given(house, what)
    assert (one.fields["by"], one.fields["approver"]) == (who(house, "officer"), who(house, "second"))
    assert one.fields["about"] == account.account_id


def test_an_account_without_duties_needs_nobody_else_to_close_it(house: Served) -> None:
    officer = house.signed_in("officer")
    officer.get(f"/console/trial/accounts/{house.staff['auditor'].account.account_id}")
    officer.send(f"/console/trial/accounts/{house.staff['auditor'].account.account_id}/closed")
    assert account_named(house.keeper, "trial", "auditor") is None


def test_nobody_approves_what_they_do_themselves(house: Served) -> None:
    officer = who(house, "officer")
    with pytest.raises(InputRefused, match="approver-same"):
        house.keeper.approve(
            "trial", "account-reset", "a" * 20, by=who(house, "officer"), approver=who(house, "officer")
        )
    with pytest.raises(InputRefused, match="approver-unknown"):
        house.keeper.approve("trial", "account-reset", "a" * 20, by=officer, approver=HandlerId("b" * 20))


# ── destruction ─────────────────────────────────────────────────────────────────────────────────────────────────────


def due(house: Served) -> SubjectId:
    """Under the version that asks for approval, somebody left; all of theirs has fallen due."""
    house.keeper.publish(ASKED.encode())
    house.clock.set(at("2024-09-12"))
    person = joined(house.keeper, "short-guest", offers=False)
    house.keeper.fact(person, "closed")
    house.clock.set(at("2025-03-20"))
    return person


def alive(house: Served, person: SubjectId) -> int:
    return len(house.keeper.holdings(person))


def test_what_is_due_waits_for_somebody_elses_approval_and_what_falls_due_later_for_the_next(house: Served) -> None:
    person = due(house)
    swept = house.keeper.sweep(confirm_clock=True)
    assert swept.destroyed == 0
    assert any("approve their destruction" in one for one in swept.waiting)
    assert alive(house, person) == 2
    with pytest.raises(InputRefused, match="approver-same"):
        house.keeper.approve_destruction("trial", by=who(house, "officer"), approver=who(house, "officer"))
    with pytest.raises(InputRefused, match="approver-unknown"):  # counsellors are not named by the policy
        house.keeper.approve_destruction("trial", by=who(house, "officer"), approver=who(house, "counsel"))
    approval = house.keeper.approve_destruction("trial", by=who(house, "officer"), approver=who(house, "handler"))
    assert house.keeper.sweep(confirm_clock=True).destroyed > 0
    assert alive(house, person) == 0
    ordered = [one.entry.fields.get("approval") for one in recorded(house.keeper, "trial", ["destruction.ordered"])]
    assert set(ordered[-2:]) == {approval}
    certificate = house.keeper.certificate(house.keeper.certificates("trial")[-1])
    assert who(house, "handler").encode() in certificate
    assert {one.clause: one.state.value for one in house.keeper.audit("trial").clauses}["T-60"] == "upheld"
    later = joined(house.keeper, "later-guest", offers=False)
    house.keeper.fact(later, "closed")
    house.clock.set(at("2025-10-01"))
    assert house.keeper.sweep(confirm_clock=True).destroyed == 0
    assert alive(house, later) == 2
    late = [
        gap for one in house.keeper.audit("trial").clauses for gap in one.gaps if gap.element == "retention.disputes"
    ]
    assert {(gap.until, gap.persons) for gap in late} >= {(None, 1)}  # nobody approved: the report says since when


def test_two_officers_approve_a_destruction_at_the_desk_and_one_alone_cannot(house: Served) -> None:
    person = due(house)
    house.keeper.sweep(confirm_clock=True)
    officer = house.signed_in("officer")
    assert "privacy staff" in officer.get("/console/trial/calendar").text
    alone = officer.send("/console/trial/calendar", **{"approver": "officer", "approver-code": house.code("officer")})
    assert alone.status_code == 403
    house.keeper.sweep(confirm_clock=True)
    assert alive(house, person) == 2
    officer.get("/console/trial/calendar")
    officer.send("/console/trial/calendar", **{"approver": "second", "approver-code": house.code("second")})
    house.keeper.sweep(confirm_clock=True)
    assert alive(house, person) == 0
    (one,) = given(house, "destruction")
    assert (one.fields["by"], one.fields["approver"]) == (who(house, "officer"), who(house, "second"))


@pytest.mark.parametrize(
    ("language", "says"),
    [("en", "To be destroyed once somebody has approved it"), ("ko", "처리방침에 따라 승인을 받은 뒤 파기")],
)
def test_an_erasure_that_somebody_else_has_to_approve_says_so_and_destroys_nothing_before(
    house: Served, language: str, says: str
) -> None:
    person = due(house)
    house.keeper.approve_destruction("trial", by=who(house, "officer"), approver=who(house, "handler"))
    house.keeper.sweep(confirm_clock=True)
    person = joined(house.keeper, "asks-too", offers=False)
    house.clock.set(house.clock.now() + 3_600_000_000)
    number = house.keeper.request(person, "erasure", channel="letter", proved=True).made
    officer = house.signed_in("officer", language)
    here = f"/console/trial/requests/{person}/{number}"
    officer.get(here)
    page = officer.send(f"{here}/answer", version=officer.field("version"), outcome="done", reason="", confirmed="yes")
    assert says in page.text
    assert "/console/trial/calendar#approval" in page.text
    assert alive(house, person) == 2
    house.keeper.approve_destruction("trial", by=who(house, "officer"), approver=who(house, "handler"))
    house.keeper.sweep(confirm_clock=True)
    assert alive(house, person) == 0
    assert says not in officer.get(here).text


def test_a_policy_that_asks_for_no_approval_takes_none(house: Served) -> None:
    with pytest.raises(InputRefused, match="asks for no approval"):
        house.keeper.approve_destruction("trial", by=who(house, "officer"), approver=who(house, "second"))
    assert 'id="approval"' not in house.signed_in("officer").get("/console/trial/calendar").text


def test_the_notice_says_who_approves() -> None:
    policy = read_policy(ASKED.encode(), "trial.yaml")
    assert "approved first by: privacy staff" in notice(policy, "en")
    assert "사전 승인: 보호 담당자" in notice(policy, "ko")


# ── taking up an account ────────────────────────────────────────────────────────────────────────────────────────────


MINE = {"new": "a password of mine", "again": "a password of mine"}


def invited(house: Served, officer: Browser, name: str = "new-one") -> str:
    officer.get("/console/trial/accounts")
    page = officer.send(
        "/console/trial/accounts", name=name, role="handler", duty="privacy", why="new-hire", by="link",
        **{"approver": "second", "approver-code": house.code("second")},
    ).text  # fmt: skip
    found = re.search(r"/console/trial/join/([0-9a-f]{64})", page)
    assert found, page
    assert "<code>http" in page
    return found[1]


def test_the_invited_set_their_own_password_and_second_factor_once_and_sign_in(house: Served) -> None:
    officer = house.signed_in("officer")
    token = invited(house, officer)
    assert "not taken up yet" in officer.get("/console/trial/accounts").text
    own = house.browser()
    page = own.get(f"/console/trial/join/{token}").text
    secret = own.field("factor")
    assert secret in page
    wrong = own.send(f"/console/trial/join/{token}", **MINE, code="000000",
                     factor=secret, seal=own.field("seal"))  # fmt: skip
    assert (wrong.status_code, "not right" in wrong.text) == (400, True)
    secret, seal = own.field("factor"), own.field("seal")
    code = pyotp.TOTP(secret).at(house.clock.now() // 1_000_000)
    short = own.send(f"/console/trial/join/{token}", new="short", again="short", code=code, factor=secret, seal=seal)
    assert short.status_code == 400
    done = own.send(f"/console/trial/join/{token}", **MINE, code=code,
                    factor=secret, seal=seal)  # fmt: skip
    assert "The account is yours" in done.text
    assert len(re.findall(r"<code>", done.text)) == 8
    assert own.get(f"/console/trial/join/{token}").status_code == 404  # once
    own.get("/console/trial/sign-in")
    own.send("/console/trial/sign-in", name="new-one", password="a password of mine")
    house.clock.set(house.clock.now() + 90_000_000)
    code = pyotp.TOTP(secret).at(house.clock.now() // 1_000_000)
    assert own.send("/console/trial/sign-in/code", code=code).url.path == "/console/trial"
    assert len(given(house, "account-opened")) == 1


def test_a_factor_that_was_not_offered_here_is_not_taken(house: Served) -> None:
    token = invited(house, house.signed_in("officer"))
    own = house.browser()
    own.get(f"/console/trial/join/{token}")
    weak = "A" * 32
    code = pyotp.TOTP(weak).at(house.clock.now() // 1_000_000)
    page = own.send(f"/console/trial/join/{token}", **MINE, code=code,
                    factor=weak, seal=own.field("seal"))  # fmt: skip
    assert page.status_code == 400


def test_a_link_ends_after_three_days_and_opens_nothing_of_another_policy(house: Served) -> None:
    account, token = invite_staff(house.keeper, "trial", "late-one", StaffRole.AUDITOR)
    assert invited_by(house.keeper, "other", token) is None
    assert house.browser().get(f"/console/other/join/{token}").status_code == 404
    house.clock.set(house.clock.now() + VALID_FOR)
    assert invited_by(house.keeper, "trial", token) is None
    assert house.browser().get(f"/console/trial/join/{token}").status_code == 404
    Scheduler(house.keeper, JOBS).turn()
    with house.keeper.places.active.reading() as connection:
        assert connection.execute("SELECT count(*) FROM staff_invitation").fetchone()[0] == 0
    assert account_named(house.keeper, "trial", "late-one") == account  # reset it for another link


def test_a_reset_by_a_link_ends_the_link_before_it_and_shows_no_secret_to_the_officer(house: Served) -> None:
    officer = house.signed_in("officer")
    first = invited(house, officer)
    account = account_named(house.keeper, "trial", "new-one")
    assert account is not None
    officer.get(f"/console/trial/accounts/{account.account_id}")
    page = officer.send(f"/console/trial/accounts/{account.account_id}/reset", by="link",
                        **{"approver": "second", "approver-code": house.code("second")})  # fmt: skip
    second = re.search(r"/join/([0-9a-f]{64})", page.text)
    assert second
    assert "recovery" not in page.text.lower()
    assert house.browser().get(f"/console/trial/join/{first}").status_code == 404
    assert house.browser().get(f"/console/trial/join/{second[1]}").status_code == 200


def test_approvals_are_learned_again_by_a_copy_that_was_put_back(tmp_path: Path) -> None:
    home, options = tmp_path / "home", upheld.Options(clock=upheld.SetClock(at("2025-03-20", 10)), light_hashing=True)
    with served(home) as house:
        person = due(house)
        handlers = who(house, "officer"), who(house, "handler")
    copy = copied(home, tmp_path / "copy")
    with upheld.open(home, options) as keeper:
        keeper.approve_destruction("trial", by=handlers[0], approver=handlers[1])
        keeper.seal()
        until = keeper.approved_until("trial")
    put_back(home, copy, "active")
    with upheld.open(home, options) as keeper:
        keeper.recover()
        assert keeper.approved_until("trial") == until
        keeper.sweep(confirm_clock=True)
        assert keeper.holdings(person) == []


CASES = """
policy: nexr-2017.yaml
staff: {lee: counsellor, park: privacy-team, choi: privacy-team}
cases:
  - case: Nothing is destroyed before somebody else has approved it
    clauses: [NX17-5.2.b]
    given:
      2018-07-10:
        - {enter: user, as: kim}
        - {begin: complaint}
        - {consent: complaint}
        - {collect: {complaint: name}}
    when:
      2018-07-20: {fact: result-delivered}
    then:
      2018-07-24:
        - {held: {active: name}}
        - {approve-destruction: park, of: park, expect: invalid, because: approver-same}
        - {approve-destruction: lee, of: park, expect: invalid, because: approver-unknown}
        - {approve-destruction: choi, of: park}
      2018-07-25: {held: nothing}
"""


@pytest.mark.clauses("NX17-5.2.b")
def test_a_case_says_who_approves_what_another_destroys(tmp_path: Path) -> None:
    text = (Path(__file__).parent.parent / "policies" / "nexr-2017.yaml").read_text(encoding="utf-8")
    asked = text.replace(
        "when-needless: {clause: NX17-5.2.b,", "when-needless: {clause: NX17-5.2.b, approval: privacy-team,"
    )
    (tmp_path / "nexr-2017.yaml").write_text(asked, encoding="utf-8")
    cases = tmp_path / "nexr-2017.cases.yaml"
    cases.write_text(CASES, encoding="utf-8")
    said: list[str] = []
    assert run_cases([cases], said.append, opener) == 0, said
