"""One-time codes: a person shows that an address we know is theirs.

Whoever asks gets the same answer whether the address is known or not. The code is sent through whatever the service was
given as its `CodeSender`; the database has digests only.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass

from upheld.desk.sessions import digest_of
from upheld.engine.acts import Reader, SubjectId
from upheld.keeper import Keeper
from upheld.store.place import Transaction

DIGITS = 8
VALID_FOR = 10 * 60 * 1_000_000
"""Ours: ten minutes."""
MOST_TRIES = 5


@dataclass(frozen=True, slots=True)
class CodeMessage:
    """What to send. `code` is None when several persons share the address: they are told to ask another way."""

    policy: str
    subject_id: SubjectId
    item: str
    address: str
    code: str | None
    locale: str
    link: str = ""
    """Instead of a code: the address of a page where somebody is asked."""


_AN_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_A_NUMBER = re.compile(r"\+?[0-9][0-9 .-]{6,18}")


def medium_of(address: str) -> str | None:
    """By which medium an address is reached: `email`, `sms`; None for what is no address."""
    if _AN_ADDRESS.fullmatch(address):
        return "email"
    return "sms" if _A_NUMBER.fullmatch(address) else None


CodeSender = Callable[[CodeMessage], None]


@dataclass(frozen=True, slots=True)
class Redeemed:
    """Who showed that which address is theirs."""

    subject_id: SubjectId
    item: str


def ask_code(
    keeper: Keeper, policy: str, item: str, address: str, *, reader: Reader, locale: str
) -> tuple[str, CodeMessage | None]:
    """A challenge to hand to the browser, and what to send to the address, if it is anybody's."""
    random_bytes = keeper.places.random_bytes
    challenge = random_bytes(32).hex()
    code = f"{int.from_bytes(random_bytes(8), 'big') % 10**DIGITS:0{DIGITS}d}"
    tiers = [
        keeper.lookup(policy, item, address, reader=reader, reason="sign-in", separated=apart)
        for apart in (False, True)  # whose things are only kept apart may see them too
    ]
    found = tuple(dict.fromkeys(subject for tier in tiers for subject in tier))
    alone = found[0] if len(found) == 1 else ""
    digest = digest_of(challenge)
    row = (digest, policy, alone, item, _digest(keeper, policy, digest, code), keeper.now() + VALID_FOR)
    keeper.places.active.submit(lambda transaction: transaction.execute(_INSERT, row), about=(digest.hex(),))
    if not found:
        return challenge, None
    return challenge, CodeMessage(policy, found[0], item, address, code if alone else None, locale)


def redeem(keeper: Keeper, policy: str, challenge: str, typed: str) -> Redeemed | None:
    """Whose address it is, when the code is right, in time and not used before. Every try is counted first."""
    if not _TOKEN.fullmatch(challenge):
        return None
    digest, now = digest_of(challenge), keeper.now()
    given = _digest(keeper, policy, digest, re.sub(r"\D", "", typed))

    def work(transaction: Transaction) -> Redeemed | None:
        if transaction.execute(_COUNT, (digest, policy, now, MOST_TRIES)).rowcount != 1:
            return None
        subject, item, code = transaction.execute(_SELECT, (digest,)).fetchone()
        if not hmac.compare_digest(code, given) or not subject:
            return None
        transaction.changed(_DELETE, (digest,))
        return Redeemed(SubjectId(subject), item)

    return keeper.places.active.submit(work, about=(digest.hex(),))


def purge_codes(transaction: Transaction, now: int) -> None:
    """Remove what is too old to be used."""
    transaction.execute(_PURGE, (now,))


def _digest(keeper: Keeper, policy: str, challenge: bytes, code: str) -> bytes:
    """Keyed: eight digits could be tried out by who has the database."""
    return keeper.places.vault.digest(policy, "sign-in-code", f"{challenge.hex()}{code}")


_TOKEN = re.compile(r"[0-9a-f]{64}")
_INSERT = (
    "INSERT INTO sign_in_code(challenge, policy, subject_id, item, code, until_at, tries) VALUES(?, ?, ?, ?, ?, ?, 0)"
)
_COUNT = "UPDATE sign_in_code SET tries = tries + 1 WHERE challenge = ? AND policy = ? AND until_at > ? AND tries < ?"
_SELECT = "SELECT subject_id, item, code FROM sign_in_code WHERE challenge = ?"
_DELETE = "DELETE FROM sign_in_code WHERE challenge = ?"
_PURGE = "DELETE FROM sign_in_code WHERE until_at <= ?"
