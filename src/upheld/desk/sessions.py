"""Sessions of staff and of persons: a random token in a cookie, its digest in the database, an idle and a last end."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from upheld.dates import Instant
from upheld.engine.acts import SubjectId
from upheld.keeper import Keeper
from upheld.store.place import Transaction

MINUTE = 60_000_000
_TOUCHED_EVERY = MINUTE
"""The last use is written at most once a minute."""


class SessionKind(StrEnum):
    """Who is signed in, and how far."""

    PENDING = "pending"
    """Staff whose password was right; the second factor is awaited."""
    STAFF = "staff"
    SUBJECT = "subject"


@dataclass(frozen=True, slots=True)
class SessionLife:
    """How long a session may stand idle, and how long it may last. Microseconds."""

    idle: int
    longest: int


LIVES: Mapping[SessionKind, SessionLife] = MappingProxyType(
    {
        SessionKind.PENDING: SessionLife(5 * MINUTE, 5 * MINUTE),
        SessionKind.STAFF: SessionLife(20 * MINUTE, 600 * MINUTE),
        SessionKind.SUBJECT: SessionLife(15 * MINUTE, 60 * MINUTE),
    }
)
"""Ours."""


@dataclass(frozen=True, slots=True)
class Session:
    """A live session. `who` is an account id or a subject id, `proved` the addresses (items) shown to be one's own."""

    digest: bytes
    policy: str
    kind: SessionKind
    who: str
    began_at: Instant
    proved: frozenset[str]


def open_session(keeper: Keeper, policy: str, kind: SessionKind, who: str, proved: Iterable[str] = ()) -> str:
    """Begin a session and return its token. A token is never taken from outside: nothing can be fixed upon it."""
    token = keeper.places.random_bytes(32).hex()
    now = keeper.now()
    row = (digest_of(token), policy, kind.value, who, now, now, now + LIVES[kind].longest, " ".join(sorted(proved)))
    keeper.places.active.submit(lambda transaction: transaction.execute(_INSERT, row), about=(who,))
    return token


def session_of(keeper: Keeper, policy: str, kind: SessionKind, token: str | None) -> Session | None:
    """The live session of a token under this policy and of this kind."""
    if token is None or not _TOKEN.fullmatch(token):
        return None
    digest, now = digest_of(token), keeper.now()
    with keeper.places.active.reading() as connection:
        row = connection.execute(_SELECT, (digest, policy, kind.value)).fetchone()
    if row is None:
        return None
    who, began_at, seen_at, until_at, proved = row
    if now >= until_at or now >= seen_at + LIVES[kind].idle:
        end_session(keeper, digest)
        return None
    if now >= seen_at + _TOUCHED_EVERY:
        keeper.places.active.submit(
            lambda transaction: transaction.execute(_TOUCH, (now, digest)), about=(who, digest.hex())
        )
    return Session(digest, policy, kind, who, Instant(began_at), frozenset(proved.split()))


def end_session(keeper: Keeper, digest: bytes) -> None:
    """Signed out: the token opens nothing any more."""

    def work(transaction: Transaction) -> None:
        transaction.execute(_DELETE_LOOKS, (digest,))
        transaction.execute(_DELETE, (digest,))

    with keeper.places.active.reading() as connection:
        row = connection.execute(_SELECT_WHO, (digest,)).fetchone()
    if row is not None:
        keeper.places.active.submit(work, about=(row[0], digest.hex()))


def end_sessions_of(transaction: Transaction, who: str) -> None:
    """Every session of somebody ends, in the transaction that takes away what they rest on."""
    transaction.execute(_DELETE_OF, (who,))


def note_look(keeper: Keeper, session: Session, subjects: Iterable[SubjectId]) -> None:
    """Whom somebody looked up, with a reason on record: these persons' pages may be opened in this session."""
    rows = [(session.digest, subject, keeper.now()) for subject in subjects]
    about = (session.who, session.digest.hex())
    keeper.places.active.submit(lambda transaction: transaction.executemany(_INSERT_LOOK, rows), about=about)


def looked_at(keeper: Keeper, session: Session, subject: SubjectId) -> bool:
    """Whether this person was looked up in this session."""
    with keeper.places.active.reading() as connection:
        return connection.execute(_SELECT_LOOK, (session.digest, subject)).fetchone() is not None


def purge_sessions(transaction: Transaction, now: Instant) -> None:
    """Remove what has ended."""
    transaction.execute(_PURGE_LOOKS, (now - LIVES[SessionKind.STAFF].longest,))
    transaction.execute(_PURGE, (now,))


def name_of(digest: bytes) -> str:
    """An id for a session, by which what belongs to it is found; it opens nothing."""
    return base64.b32encode(hashlib.sha256(b"name" + digest).digest()).decode().lower()[:20]


def digest_of(token: str) -> bytes:
    """What stands in the database for a token: 256 random bits need no key."""
    return hashlib.sha256(token.encode()).digest()


_TOKEN = re.compile(r"[0-9a-f]{64}")
_INSERT = (
    "INSERT INTO session(digest, policy, kind, who, began_at, seen_at, until_at, proved) VALUES(?, ?, ?, ?, ?, ?, ?, ?)"
)
_SELECT = "SELECT who, began_at, seen_at, until_at, proved FROM session WHERE digest = ? AND policy = ? AND kind = ?"
_SELECT_WHO = "SELECT who FROM session WHERE digest = ?"
_TOUCH = "UPDATE session SET seen_at = ? WHERE digest = ?"
_DELETE = "DELETE FROM session WHERE digest = ?"
_DELETE_OF = "DELETE FROM session WHERE who = ?"
_DELETE_LOOKS = "DELETE FROM session_look WHERE digest = ?"
_INSERT_LOOK = (
    "INSERT INTO session_look(digest, subject_id, at) VALUES(?, ?, ?) "
    "ON CONFLICT(digest, subject_id) DO UPDATE SET at = excluded.at"
)
_SELECT_LOOK = "SELECT 1 FROM session_look WHERE digest = ? AND subject_id = ?"
_PURGE = "DELETE FROM session WHERE until_at <= ?"
_PURGE_LOOKS = "DELETE FROM session_look WHERE at <= ?"
