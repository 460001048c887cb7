"""Staff sign in: two steps, counted tries, sessions that end, nothing to learn from a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyotp
import pytest

from tests.homes import connection_to, kept_bytes
from tests.served import DUTIES, SHOWN, Served, served
from upheld.desk.accounts import (
    StaffRole,
    account_named,
    accounts_of,
    change_password,
    close_account,
    open_account,
    password_right,
    reset_account,
    second_factor_right,
)
from upheld.desk.sessions import LIVES, SessionKind, open_session, session_of
from upheld.desk.throttle import LOOKS, SIGN_IN_NAME, counted
from upheld.errors import InputRefused

MINUTE = 60_000_000


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "home") as found:
        yield found


def later(house: Served, microseconds: int) -> None:
    house.clock.set(house.clock.now() + microseconds)


def rows(house: Served, statement: str) -> list[tuple[object, ...]]:
    with closing(connection_to(house.home / "active.db")) as connection:
        return connection.execute(statement).fetchall()


# ── the two steps ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_password_alone_opens_nothing(house: Served) -> None:
    browser = house.browser()
    browser.get("/console/trial/sign-in")
    browser.send("/console/trial/sign-in", name="officer", password=house.staff["officer"].password)
    assert browser.page is not None
    assert browser.page.url.path == "/console/trial/sign-in/code"
    assert browser.get("/console/trial").url.path == "/console/trial/sign-in"


def test_an_unknown_name_is_told_from_a_wrong_password_by_nothing(house: Served) -> None:
    pages = []
    for name in ("officer", "nobody-of-that-name"):
        browser = house.browser()
        browser.get("/console/trial/sign-in")
        page = browser.send("/console/trial/sign-in", name=name, password="wrong password")
        pages.append((page.status_code, page.text.replace(browser.token(), "")))
    assert pages[0] == pages[1]
    assert pages[0][0] == 403


def test_a_code_of_the_authenticator_counts_once(house: Served) -> None:
    account = house.staff["officer"].account
    code = house.code("officer")
    assert second_factor_right(house.keeper, account, f"{code[:3]} {code[3:]}")
    assert not second_factor_right(house.keeper, account, code)
    assert not second_factor_right(house.keeper, account, "000000")


def test_a_recovery_code_counts_once(house: Served) -> None:
    made = house.staff["officer"]
    assert second_factor_right(house.keeper, made.account, made.recovery_codes[0].upper())
    assert not second_factor_right(house.keeper, made.account, made.recovery_codes[0])
    assert second_factor_right(house.keeper, made.account, made.recovery_codes[1])


def test_an_old_code_does_not_open(house: Served) -> None:
    code = house.code("officer")
    later(house, 2 * MINUTE)
    assert not second_factor_right(house.keeper, house.staff["officer"].account, code)


def test_nobody_can_fix_a_session_upon_somebody(house: Served) -> None:
    planted = "a" * 64
    browser = house.browser()
    for name in ("upheld-desk-trial", "upheld-step-trial"):
        browser.client.cookies.set(name, planted, domain="testserver.local", path="/")
    browser.get("/console/trial/sign-in")
    browser.send("/console/trial/sign-in", name="officer", password=house.staff["officer"].password)
    pending = browser.client.cookies["upheld-step-trial"]
    browser.send("/console/trial/sign-in/code", code=house.code("officer"))
    token = browser.client.cookies["upheld-desk-trial"]
    assert browser.get("/console/trial").url.path == "/console/trial"
    assert len({planted, pending, token}) == 3


def test_signing_out_ends_the_session_in_the_database(house: Served) -> None:
    browser = house.signed_in("officer")
    token = browser.client.cookies["upheld-desk-trial"]
    browser.send("/console/trial/sign-out")
    assert session_of(house.keeper, "trial", SessionKind.STAFF, token) is None
    browser.client.cookies.set("upheld-desk-trial", token, domain="testserver.local", path="/")
    assert browser.get("/console/trial").url.path == "/console/trial/sign-in"


@pytest.mark.parametrize("kind", [SessionKind.STAFF, SessionKind.SUBJECT])
def test_a_session_ends_when_it_stands_idle_and_at_its_last_end(house: Served, kind: SessionKind) -> None:
    life = LIVES[kind]
    token = open_session(house.keeper, "trial", kind, "somebody")
    later(house, life.idle - MINUTE)
    assert session_of(house.keeper, "trial", kind, token)
    later(house, life.idle - MINUTE)
    assert session_of(house.keeper, "trial", kind, token)  # its last use was written
    later(house, life.idle)
    assert session_of(house.keeper, "trial", kind, token) is None
    lasting = open_session(house.keeper, "trial", kind, "somebody")
    for _ in range(life.longest // (life.idle - MINUTE)):
        later(house, life.idle - MINUTE)
        session_of(house.keeper, "trial", kind, lasting)
    later(house, life.idle - MINUTE)
    assert session_of(house.keeper, "trial", kind, lasting) is None


def test_a_session_is_of_one_kind_and_one_policy(house: Served) -> None:
    token = open_session(house.keeper, "trial", SessionKind.PENDING, "somebody")
    assert session_of(house.keeper, "trial", SessionKind.STAFF, token) is None
    assert session_of(house.keeper, "other", SessionKind.PENDING, token) is None
    assert session_of(house.keeper, "trial", SessionKind.PENDING, None) is None
    assert session_of(house.keeper, "trial", SessionKind.PENDING, "../../etc") is None


# ── tries ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_password_cannot_be_tried_out(house: Served) -> None:
    browser = house.browser()
    for _ in range(SIGN_IN_NAME.most):
        browser.get("/console/trial/sign-in")
        assert browser.send("/console/trial/sign-in", name="officer", password="wrong one here").status_code == 403
    elsewhere = house.browser()
    elsewhere.get("/console/trial/sign-in")
    right = {"name": "OFFICER", "password": house.staff["officer"].password}
    assert elsewhere.send("/console/trial/sign-in", **right).status_code == 429
    later(house, 2 * SIGN_IN_NAME.within * MINUTE)
    elsewhere.get("/console/trial/sign-in")
    assert elsewhere.send("/console/trial/sign-in", **right).url.path.endswith("/code")


def test_a_second_step_cannot_be_tried_out(house: Served) -> None:
    browser = house.browser()
    browser.get("/console/trial/sign-in")
    browser.send("/console/trial/sign-in", name="officer", password=house.staff["officer"].password)
    for _ in range(SIGN_IN_NAME.most):
        browser.get("/console/trial/sign-in/code")
        assert browser.send("/console/trial/sign-in/code", code="000000").status_code == 403
    browser.get("/console/trial/sign-in/code")
    assert browser.send("/console/trial/sign-in/code", code=house.code("officer")).status_code == 429


def test_tries_are_counted_where_every_process_sees_them(house: Served) -> None:
    for _ in range(LOOKS.most):
        assert counted(house.keeper, "trial", LOOKS, "somebody")
    assert not counted(house.keeper, "trial", LOOKS, "somebody")
    assert counted(house.keeper, "trial", LOOKS, "somebody else")
    assert rows(house, "SELECT sum(tries) FROM attempt") == [(LOOKS.most + 2,)]
    assert "somebody" not in str(rows(house, "SELECT what FROM attempt"))


# ── accounts ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_neither_name_nor_password_nor_secret_stands_in_a_database(house: Served) -> None:
    made = open_account(house.keeper, "trial", "quite-distinctive", StaffRole.AUDITOR)
    second_factor_right(house.keeper, made.account, made.recovery_codes[0])
    house.keeper.seal()
    content = kept_bytes(house.home)
    assert content
    secrets = ("quite-distinctive", made.password, made.totp_secret, "$argon2id$", *made.recovery_codes)
    assert [one for one in secrets if one.encode() in content] == []


def test_a_password_is_hashed_one_way(house: Served) -> None:
    account = house.staff["officer"].account
    paper = house.keeper.paper("trial", account.paper_id)
    assert paper is not None
    assert b"$argon2id$" in paper
    assert house.staff["officer"].password.encode() not in paper


@pytest.mark.clauses("BZ18-11.M2.b", "BZ16-12.A2.a", "NX17-6.2.b", "KE22-11.M2-1", "MS18-11.M2-1")
def test_an_account_is_opened_with_what_the_policy_wants_on_record(house: Served) -> None:
    with pytest.raises(InputRefused, match="approval-missing"):
        open_account(house.keeper, "trial", "another", StaffRole.HANDLER, duties=("privacy",))
    assert account_named(house.keeper, "trial", "another") is None
    made = open_account(house.keeper, "trial", "another", StaffRole.HANDLER, duties=("privacy",), shown=SHOWN)
    assert "requests" in house.keeper.reader("trial", made.account.handler_id).duties


def test_accounts_that_make_no_sense_are_refused(house: Served) -> None:
    keeper = house.keeper
    for name, role, duties, code in (
        ("officer", StaffRole.AUDITOR, (), "name-taken"),
        ("OFFICER", StaffRole.AUDITOR, (), "name-taken"),
        ("a b", StaffRole.AUDITOR, (), "name-unusable"),
        ("inspector", StaffRole.AUDITOR, ("privacy",), "duties-wrong"),
        ("idle-one", StaffRole.HANDLER, (), "duties-wrong"),
    ):
        with pytest.raises(InputRefused, match=code):
            open_account(keeper, "trial", name, role, duties=duties, shown=SHOWN)
    listed = {name: (account.role.value, duties) for account, name, duties in accounts_of(keeper, "trial")}
    assert {name: duties for name, (_, duties) in listed.items()} == DUTIES


@pytest.mark.clauses("BZ18-11.M2.a")
def test_a_closed_account_opens_nothing_from_that_moment(house: Served) -> None:
    browser = house.signed_in("handler")
    account = house.staff["handler"].account
    close_account(house.keeper, "trial", "handler")
    assert browser.get("/console/trial").url.path == "/console/trial/sign-in"
    assert house.keeper.paper("trial", account.paper_id) is None
    assert house.keeper.reader("trial", account.handler_id).duties == frozenset()
    assert password_right(house.keeper, "trial", "handler", house.staff["handler"].password) is None
    with pytest.raises(InputRefused, match="account-unknown"):
        close_account(house.keeper, "trial", "handler")


def test_whose_roles_were_all_revoked_is_out_at_once(house: Served) -> None:
    browser = house.signed_in("counsel")
    house.keeper.revoke("trial", house.staff["counsel"].account.handler_id, "counsel")
    assert browser.get("/console/trial").url.path == "/console/trial/sign-in"


def test_a_reset_takes_the_old_secrets_away(house: Served) -> None:
    before = house.staff["officer"]
    browser = house.signed_in("officer")
    after = reset_account(house.keeper, "trial", "officer")
    assert browser.get("/console/trial").url.path == "/console/trial/sign-in"
    assert password_right(house.keeper, "trial", "officer", before.password) is None
    assert password_right(house.keeper, "trial", "officer", after.password) == after.account
    assert not second_factor_right(house.keeper, after.account, before.recovery_codes[3])
    assert house.keeper.paper("trial", before.account.paper_id) is None
    assert pyotp.parse_uri(after.totp_uri).secret == after.totp_secret


def test_somebody_changes_their_password_and_signs_in_again(house: Served) -> None:
    browser = house.signed_in("officer")
    made = house.staff["officer"]
    browser.get("/console/trial/account")
    new = "correct horse battery"
    for fields, status in (
        ({"old": made.password, "new": new, "again": "another one"}, 400),
        ({"old": made.password, "new": "short", "again": "short"}, 400),
        ({"old": "not mine at all", "new": new, "again": new}, 403),
    ):
        page = browser.send("/console/trial/account", **fields)
        assert page.status_code == status
        assert 'role="alert"' in page.text
    page = browser.send("/console/trial/account", old=made.password, new=new, again=new)
    assert page.url.path == "/console/trial/sign-in"
    assert "The password was changed" in page.text
    assert browser.get("/console/trial").url.path == "/console/trial/sign-in"
    account = password_right(house.keeper, "trial", "officer", new)
    assert account is not None
    assert not change_password(house.keeper, account, "wrong once more", new)
