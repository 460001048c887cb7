"""Links to the consent page: a program that has entered a person sends them there, and a representative gets one.

The link is a random token; database and ledger have its digest only. Who has the link may say yes and no for the
person, and see what was agreed to, and nothing else: no contents, no address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from upheld.dates import Instant
from upheld.desk.holdings import seen_of
from upheld.desk.sessions import digest_of
from upheld.engine.acts import SubjectId
from upheld.errors import InputRefused
from upheld.keeper import Keeper
from upheld.store.place import Transaction

HOUR = 3_600_000_000


class Speaker(StrEnum):
    """Who says yes or no by a link."""

    SUBJECT = "subject"
    REPRESENTATIVE = "representative"


VALID_FOR = {Speaker.SUBJECT: 24 * HOUR, Speaker.REPRESENTATIVE: 120 * HOUR}
"""Ours: a day for the person; a representative has the five days for which a child's answer about them is kept."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link that still holds: for whom, and who speaks."""

    digest: bytes
    subject_id: SubjectId
    speaker: Speaker


def invite(keeper: Keeper, policy: str, subject_id: SubjectId, speaker: Speaker = Speaker.SUBJECT) -> str:
    """Make a link for a person of this policy. Returns its token: 64 hexadecimal digits.

    Raises InputRefused for nobody, or a person of another policy.
    """
    if seen_of(keeper, policy, subject_id) is None:
        raise InputRefused("owner-unknown", f"this person is no subject of `{policy}`")
    token = keeper.places.random_bytes(32).hex()
    until = Instant(keeper.now() + VALID_FOR[speaker])
    keeper.link_made(policy, subject_id, digest_of(token), speaker.value, until)
    return token


def invitation_of(keeper: Keeper, policy: str, token: str) -> Invitation | None:
    """The invitation of a link under this policy, while it holds."""
    if not _TOKEN.fullmatch(token):
        return None
    digest = digest_of(token)
    with keeper.places.active.reading() as connection:
        row = connection.execute(_SELECT, (digest, policy, keeper.now())).fetchone()
    return None if row is None else Invitation(digest, SubjectId(row[0]), Speaker(row[1]))


def asked_lately(keeper: Keeper, policy: str, subject_id: SubjectId) -> bool:
    """Whether a representative's link for this child still holds."""
    with keeper.places.active.reading() as connection:
        row = connection.execute(_WAITING, (policy, subject_id, Speaker.REPRESENTATIVE.value, keeper.now())).fetchone()
    return row is not None


def purge_invitations(transaction: Transaction, now: int) -> None:
    """Remove the links whose time is over."""
    transaction.execute(_PURGE, (now,))


_TOKEN = re.compile(r"[0-9a-f]{64}")
_SELECT = "SELECT subject_id, speaker FROM invitation WHERE link = ? AND policy = ? AND until_at > ?"
_WAITING = "SELECT 1 FROM invitation WHERE policy = ? AND subject_id = ? AND speaker = ? AND until_at > ? LIMIT 1"
_PURGE = "DELETE FROM invitation WHERE until_at <= ?"
