"""Links by which staff take up an account: they set their own password and second factor, nobody else ever sees them.

The link is a random token with an end, good for once; the database has its digest only. Until it is used the account
opens nothing: its secrets are random and were handed to nobody.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import pyotp

from upheld.dates import Instant
from upheld.desk.accounts import (
    STEP_SECONDS,
    Account,
    StaffRole,
    account_of,
    name_of_account,
    open_account,
    reset_account,
    take_up,
)
from upheld.desk.sessions import digest_of
from upheld.keeper import Keeper
from upheld.store.place import Transaction

HOUR: Final = 3_600_000_000
VALID_FOR: Final = 72 * HOUR
"""Ours: three days to take an account up."""


@dataclass(frozen=True, slots=True)
class Invited:
    """A link that still holds, and the account it is for."""

    digest: bytes
    account: Account
    name: str
    until_at: Instant


def invite_staff(
    keeper: Keeper,
    policy: str,
    name: str,
    role: StaffRole,
    *,
    duties: Iterable[str] = (),
    shown: frozenset[str] = frozenset(),
) -> tuple[Account, str]:
    """Open an account that waits for its holder. Returns it and the link's token, 64 hexadecimal digits.

    Raises InputRefused as `open_account` does.
    """
    account = open_account(keeper, policy, name, role, duties=duties, shown=shown).account
    return account, _linked(keeper, account)


def invite_again(keeper: Keeper, policy: str, name: str) -> tuple[Account, str]:
    """For who lost their secrets: the old ones and every session end, the link before it too. Raises InputRefused."""
    account = reset_account(keeper, policy, name).account
    return account, _linked(keeper, account)


def _linked(keeper: Keeper, account: Account) -> str:
    token = keeper.places.random_bytes(32).hex()

    def work(transaction: Transaction) -> None:
        transaction.execute(_FORGET, (account.policy, account.account_id))
        row = (digest_of(token), account.policy, account.account_id, transaction.at + VALID_FOR)
        transaction.execute(_INSERT, row)

    keeper.places.active.submit(work)
    return token


def invited_by(keeper: Keeper, policy: str, token: str) -> Invited | None:
    """Whom a link of this policy is for, while it holds."""
    if not _TOKEN.fullmatch(token):
        return None
    digest = digest_of(token)
    with keeper.places.active.reading() as connection:
        row = connection.execute(_SELECT, (digest, policy, keeper.now())).fetchone()
    account = account_of(keeper, policy, row[0]) if row else None
    if account is None or row is None:
        return None
    return Invited(digest, account, name_of_account(keeper, account), Instant(row[1]))


def waiting_for(keeper: Keeper, policy: str) -> dict[str, Instant]:
    """Accounts that nobody has taken up: id → until when their link holds."""
    with keeper.places.active.reading() as connection:
        rows = connection.execute(_ALL, (policy, keeper.now())).fetchall()
    return {str(account): Instant(until) for account, until in rows}


def factor_offered(keeper: Keeper, invited: Invited) -> tuple[str, str]:
    """A second factor made for this page, and a seal: only one that was offered here is taken back."""
    secret = base64.b32encode(keeper.places.random_bytes(20)).decode()
    return secret, _seal(keeper, invited, secret)


def _seal(keeper: Keeper, invited: Invited, secret: str) -> str:
    about = f"{invited.digest.hex()}|{secret}"
    return keeper.places.vault.digest(invited.account.policy, "joining", about).hex()


def factor_right(keeper: Keeper, invited: Invited, secret: str, seal: str, code: str) -> bool:
    """Whether the factor was offered here and the authenticator shows its code now."""
    if not hmac.compare_digest(_seal(keeper, invited, secret).encode(), seal.encode()):
        return False
    seconds = keeper.now() // 1_000_000
    totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
    return any(hmac.compare_digest(totp.at(seconds + shift), code) for shift in (-STEP_SECONDS, 0, STEP_SECONDS))


def join(keeper: Keeper, invited: Invited, password: str, secret: str) -> tuple[str, ...] | None:
    """Take the account up: the link is over. Returns recovery codes, to be shown once; None when somebody was faster.

    Raises InputRefused for a password that is too short.
    """
    key = (invited.digest, keeper.now())
    if keeper.places.active.submit(lambda transaction: transaction.execute(_USE, key).rowcount) != 1:
        return None
    return take_up(keeper, invited.account, invited.name, password, secret)


def purge_staff_invitations(transaction: Transaction, now: int) -> None:
    """Remove the links whose time is over."""
    transaction.execute(_PURGE, (now,))


_TOKEN = re.compile(r"[0-9a-f]{64}")
_INSERT = "INSERT INTO staff_invitation(link, policy, account_id, until_at) VALUES(?, ?, ?, ?)"
_SELECT = "SELECT account_id, until_at FROM staff_invitation WHERE link = ? AND policy = ? AND until_at > ?"
_ALL = "SELECT account_id, until_at FROM staff_invitation WHERE policy = ? AND until_at > ?"
_USE = "DELETE FROM staff_invitation WHERE link = ? AND until_at > ?"
_FORGET = "DELETE FROM staff_invitation WHERE policy = ? AND account_id = ?"
_PURGE = "DELETE FROM staff_invitation WHERE until_at <= ?"
