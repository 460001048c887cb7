"""Staff accounts: who may sign in at the desk, with which duties of the policy.

An account belongs to one policy. What an account may do are the grants of its handler, which are in the ledger; an
auditor has none and sees only what shows no person. Sign-in name, password hash and second factor lie in a paper of the
policy's own upkeep; the table has ids and a keyed digest. Who is closed loses the paper and the grants at once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import BoundedSemaphore

import msgspec
import pyotp
from argon2.exceptions import VerifyMismatchError

from upheld.desk.sessions import end_sessions_of
from upheld.engine.acts import HandlerId, Reader
from upheld.errors import InputRefused
from upheld.keeper import Keeper
from upheld.store.place import Transaction

PAPER = "staff"
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 256
RECOVERY_CODES = 8
STEP_SECONDS = 30
_SECOND = 1_000_000
_HASHING = BoundedSemaphore(2)
"""Hashing takes memory by design; more at once would let a crowd at the door exhaust it."""


class StaffRole(StrEnum):
    """What kind of account it is. What a handler or officer may do beyond it is granted duty by duty."""

    OFFICER = "officer"
    HANDLER = "handler"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Account:
    """A staff account, without its secrets."""

    policy: str
    account_id: str
    handler_id: HandlerId
    role: StaffRole
    paper_id: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody is given once and nobody can be shown again."""

    account: Account
    password: str
    totp_secret: str
    totp_uri: str
    recovery_codes: tuple[str, ...]


class Secrets(msgspec.Struct, frozen=True):
    """The content of the paper."""

    name: str
    password_hash: str
    totp_secret: str
    identities: tuple[tuple[str, str], ...] = ()
    """Provider → who this is there; see `desk/identities.py`."""


# ── opening and closing ─────────────────────────────────────────────────────────────────────────────────────────────


def open_account(
    keeper: Keeper,
    policy: str,
    name: str,
    role: StaffRole,
    *,
    duties: Iterable[str] = (),
    shown: frozenset[str] = frozenset(),
) -> Credentials:
    """Open an account and grant its duties (kinds of staff that the policy names).

    Raises InputRefused for a name in use, an auditor with duties, anybody else without one, a grant that lacks what the
    policy wants on record (`shown`: `reason`, `approver`).
    """
    wanted = tuple(duties)
    if not _NAME.fullmatch(name):
        raise InputRefused("name-unusable", "a sign-in name has 3 to 64 letters, digits, and . _ @ -")
    if (role is StaffRole.AUDITOR) == bool(wanted):
        raise InputRefused("duties-wrong", "an auditor has no duties; everybody else has at least one")
    if account_named(keeper, policy, name) is not None:
        raise InputRefused("name-taken", "this policy has an account of that name")
    handler = HandlerId(keeper.new_id())
    for duty in wanted:
        _, outcome = keeper.grant(policy, duty, handler=handler, shown=shown)
        if not outcome.granted:
            missing = ", ".join(one.detail for one in outcome.because)
            raise InputRefused("approval-missing", f"the policy wants on record for `{duty}`: {missing}")
    account_id = keeper.new_id()
    return _furnish(keeper, Account(policy, account_id, handler, role, ""), name, _INSERT)


def reset_account(keeper: Keeper, policy: str, name: str) -> Credentials:
    """A new password, second factor and recovery codes; the old ones and every session end. Raises InputRefused."""
    account = known_account(keeper, policy, name)
    made = _furnish(keeper, account, name, _UPDATE)
    keeper.destroy_paper(policy, account.paper_id)
    return made


def close_account(keeper: Keeper, policy: str, name: str) -> None:
    """The account ends: grants revoked, sessions ended, its paper destroyed. Raises InputRefused."""
    account = known_account(keeper, policy, name)
    for duty in duties_of(keeper, account):
        keeper.revoke(policy, account.handler_id, duty)

    def work(transaction: Transaction) -> None:
        end_sessions_of(transaction, account.account_id)
        transaction.execute(_FORGET_CODES, (account.account_id,))
        transaction.execute(_FORGET_IDENTITIES, (policy, account.account_id))
        transaction.changed(_DELETE, (policy, account.account_id))

    keeper.places.active.submit(work)
    keeper.destroy_paper(policy, account.paper_id)


def change_password(keeper: Keeper, account: Account, old: str, new: str) -> bool:
    """Put a new password in place of the old one, which must be right. Every session ends. Raises InputRefused."""
    if not SHORTEST_PASSWORD <= len(new) <= LONGEST_PASSWORD:
        raise InputRefused("password-short", f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    held = secrets_of(keeper, account)
    if held is None or not _matches(keeper, held.password_hash, old):
        return False
    changed = msgspec.structs.replace(held, password_hash=_hashed(keeper, new))
    set_paper(keeper, account, file_secrets(keeper, account, changed))
    return True


def set_paper(keeper: Keeper, account: Account, paper: str) -> Account:
    """Another paper in place of the one there is, which is destroyed. Every session of the account ends."""

    def work(transaction: Transaction) -> None:
        end_sessions_of(transaction, account.account_id)
        transaction.changed(_SET_PAPER, (paper, keeper.now(), account.policy, account.account_id, account.paper_id))

    keeper.places.active.submit(work)
    keeper.destroy_paper(account.policy, account.paper_id)
    return replace(account, paper_id=paper)


def take_up(keeper: Keeper, account: Account, name: str, password: str, secret: str) -> tuple[str, ...]:
    """The holder's own password and second factor in place of what was there. Returns new recovery codes.

    Raises InputRefused for a password that is too short or too long.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InputRefused("password-short", f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    made = _furnish(keeper, account, name, _UPDATE, (password, secret))
    keeper.destroy_paper(account.policy, account.paper_id)
    return made.recovery_codes


def _furnish(
    keeper: Keeper, account: Account, name: str, statement: str, own: tuple[str, str] | None = None
) -> Credentials:
    random_bytes = keeper.places.random_bytes
    password, secret = own or (_grouped(random_bytes(15)), base64.b32encode(random_bytes(20)).decode())
    codes = tuple(_grouped(random_bytes(10)) for _ in range(RECOVERY_CODES))
    paper = file_secrets(keeper, account, Secrets(name, _hashed(keeper, password), secret))
    made = Account(account.policy, account.account_id, account.handler_id, account.role, paper)
    token = _name_token(keeper, account.policy, name)
    row = (account.handler_id, account.role.value, token, paper, keeper.now(), account.policy, account.account_id)

    def work(transaction: Transaction) -> None:
        end_sessions_of(transaction, account.account_id)
        transaction.execute(_FORGET_CODES, (account.account_id,))
        transaction.changed(statement, row)
        transaction.executemany(_KEEP_CODE, [(account.account_id, _code_digest(code)) for code in codes])

    keeper.places.active.submit(work)
    uri = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=f"Upheld {account.policy}")
    return Credentials(made, password, secret, uri, codes)


def file_secrets(keeper: Keeper, account: Account, secrets: Secrets) -> str:
    """File what an account rests on; returns the paper's id."""
    return keeper.file_paper(account.policy, PAPER, msgspec.json.encode(secrets), owner=account.handler_id)


# ── signing in ──────────────────────────────────────────────────────────────────────────────────────────────────────


def password_right(keeper: Keeper, policy: str, name: str, password: str) -> Account | None:
    """The account whose name and password these are. A name nobody has takes as long as a wrong password."""
    account = account_named(keeper, policy, name)
    held = secrets_of(keeper, account) if account is not None else None
    if account is None or held is None:
        _hashed(keeper, password[:LONGEST_PASSWORD])
        return None
    return account if _matches(keeper, held.password_hash, password[:LONGEST_PASSWORD]) else None


def second_factor_right(keeper: Keeper, account: Account, code: str) -> bool:
    """Whether a code of the authenticator (each counts once) or an unused recovery code is right."""
    typed = re.sub(r"[\s-]", "", code).lower()
    held = secrets_of(keeper, account)
    if held is None:
        return False
    if not typed.isdigit():
        return _recovered(keeper, account, typed)
    totp, step = pyotp.TOTP(held.totp_secret, interval=STEP_SECONDS), keeper.now() // _SECOND // STEP_SECONDS
    for near in (step - 1, step, step + 1):
        if hmac.compare_digest(totp.at(near * STEP_SECONDS), typed):
            return _used_once(keeper, account, near)
    return False


def _used_once(keeper: Keeper, account: Account, step: int) -> bool:
    row = (step, account.policy, account.account_id, step)
    return _changed(keeper, account, _USE_STEP, row)


def _recovered(keeper: Keeper, account: Account, typed: str) -> bool:
    row = (account.account_id, _code_digest(typed))
    return _changed(keeper, account, _USE_CODE, row)


def _changed(keeper: Keeper, account: Account, statement: str, row: tuple[object, ...]) -> bool:
    """Whether the one row was there to be changed; nobody but this account waits for it."""
    work = keeper.places.active.submit
    return work(lambda transaction: transaction.execute(statement, row).rowcount, about=(account.account_id,)) == 1


def _matches(keeper: Keeper, stored: str, password: str) -> bool:
    try:
        with _HASHING:
            return keeper.hasher.verify(stored, password)
    except VerifyMismatchError:
        return False


def _hashed(keeper: Keeper, password: str) -> str:
    with _HASHING:
        return keeper.hasher.hash(password)


def secrets_of(keeper: Keeper, account: Account) -> Secrets | None:
    """What an account rests on; None when its paper is gone, and with it the account."""
    content = keeper.paper(account.policy, account.paper_id)
    return None if content is None else msgspec.json.decode(content, type=Secrets)


# ── who they are ────────────────────────────────────────────────────────────────────────────────────────────────────


def account_named(keeper: Keeper, policy: str, name: str) -> Account | None:
    """The account with a sign-in name."""
    return _found(keeper, _BY_NAME, (policy, _name_token(keeper, policy, name)))


def account_of(keeper: Keeper, policy: str, account_id: str) -> Account | None:
    """The account with an id."""
    return _found(keeper, _BY_ID, (policy, account_id))


def accounts_of(keeper: Keeper, policy: str) -> list[tuple[Account, str, tuple[str, ...]]]:
    """Every account with its name and duties, by role and name."""
    with keeper.places.active.reading() as connection:
        rows = connection.execute(_ALL, (policy,)).fetchall()
    found = [_account(policy, row) for row in rows]
    named = [(one, held.name, duties_of(keeper, one)) for one in found if (held := secrets_of(keeper, one)) is not None]
    return sorted(named, key=lambda one: (one[0].role, one[1]))


def name_of_account(keeper: Keeper, account: Account) -> str:
    """The sign-in name of an account; empty when its paper is gone."""
    held = secrets_of(keeper, account)
    return held.name if held is not None else ""


def duties_of(keeper: Keeper, account: Account) -> tuple[str, ...]:
    """The kinds of staff that the account's handler was made and is now."""
    now = keeper.now()
    with keeper.places.active.reading() as connection:
        rows = connection.execute(_DUTIES, (account.policy, account.handler_id, now, now)).fetchall()
    return tuple(row[0] for row in rows)


def reader_of(keeper: Keeper, account: Account) -> Reader:
    """The reader that the account is, for every verb of the keeper."""
    return keeper.reader(account.policy, account.handler_id)


def known_account(keeper: Keeper, policy: str, name: str) -> Account:
    """The account with a sign-in name. Raises InputRefused."""
    account = account_named(keeper, policy, name)
    if account is None:
        raise InputRefused("account-unknown", "this policy has no account of that name")
    return account


def _found(keeper: Keeper, statement: str, row: tuple[str, str | bytes]) -> Account | None:
    with keeper.places.active.reading() as connection:
        found = connection.execute(statement, row).fetchone()
    return None if found is None else _account(row[0], found)


def _account(policy: str, row: tuple[str, str, str, str]) -> Account:
    account_id, handler_id, role, paper_id = row
    return Account(policy, account_id, HandlerId(handler_id), StaffRole(role), paper_id)


def _name_token(keeper: Keeper, policy: str, name: str) -> bytes:
    return keeper.places.vault.digest(policy, "account", name)


def _grouped(random: bytes) -> str:
    text = base64.b32encode(random).decode().lower().rstrip("=")
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def _code_digest(code: str) -> bytes:
    """Eighty random bits need no slow hash."""
    return hashlib.sha256(code.replace("-", "").encode()).digest()


_NAME = re.compile(r"[A-Za-z0-9._@-]{3,64}")
_INSERT = (
    "INSERT INTO account(handler_id, role, name_token, paper_id, changed_at, totp_step, policy, account_id) "
    "VALUES(?, ?, ?, ?, ?, 0, ?, ?)"
)
_UPDATE = (
    "UPDATE account SET handler_id = ?, role = ?, name_token = ?, paper_id = ?, changed_at = ? "
    "WHERE policy = ? AND account_id = ?"
)
_SET_PAPER = "UPDATE account SET paper_id = ?, changed_at = ? WHERE policy = ? AND account_id = ? AND paper_id = ?"
_DELETE = "DELETE FROM account WHERE policy = ? AND account_id = ?"
_BY_NAME = "SELECT account_id, handler_id, role, paper_id FROM account WHERE policy = ? AND name_token = ?"
_BY_ID = "SELECT account_id, handler_id, role, paper_id FROM account WHERE policy = ? AND account_id = ?"
_ALL = "SELECT account_id, handler_id, role, paper_id FROM account WHERE policy = ?"
_DUTIES = (
    "SELECT DISTINCT duty FROM handler WHERE policy = ? AND handler_id = ? AND granted_at <= ? AND until_at > ? "
    "AND revoked_at IS NULL ORDER BY duty"
)
_USE_STEP = "UPDATE account SET totp_step = ? WHERE policy = ? AND account_id = ? AND totp_step < ?"
_KEEP_CODE = "INSERT INTO recovery_code(account_id, digest) VALUES(?, ?)"
_USE_CODE = "DELETE FROM recovery_code WHERE account_id = ? AND digest = ?"
_FORGET_IDENTITIES = "DELETE FROM account_identity WHERE policy = ? AND account_id = ?"
_FORGET_CODES = "DELETE FROM recovery_code WHERE account_id = ?"
