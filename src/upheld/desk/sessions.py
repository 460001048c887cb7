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
class Elsewhere:
    """The sign-in at a provider of the house on which a session rests. Whom and which the provider calls it are keyed
    digests.
    """

    provider: str
    known_as: bytes
    sitting: bytes | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A live session. `who` is an account id or a subject id, `proved` the addresses (items) shown to be one's own."""

    digest: bytes
    policy: str
    kind: SessionKind
    who: str
    began_at: Instant
    proved: frozenset[str]
    elsewhere: Elsewhere | None = None


def open_session(
    keeper: Keeper,
    policy: str,
    kind: SessionKind,
    who: str,
    proved: Iterable[str] = (),
    elsewhere: Elsewhere | None = None,
) -> str:
    """Begin a session and return its token. A token is never taken from outside: nothing can be fixed upon it."""
    token = keeper.places.random_bytes(32).hex()
    now = keeper.now()
    there = (None, None, None) if elsewhere is None else (elsewhere.provider, elsewhere.known_as, elsewhere.sitting)
    until = now + LIVES[kind].longest
    row = (digest_of(token), policy, kind.value, who, now, now, until, " ".join(sorted(proved)), *there)
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
    who, began_at, seen_at, until_at, proved, provider, *there = row
    if now >= until_at or now >= seen_at + LIVES[kind].idle:
        end_session(keeper, digest)
        return None
    if now >= seen_at + _TOUCHED_EVERY:
        keeper.places.active.submit(
            lambda transaction: transaction.execute(_TOUCH, (now, digest)), about=(who, digest.hex())
        )
    elsewhere = Elsewhere(provider, *there) if provider is not None else None
    return Session(digest, policy, kind, who, Instant(began_at), frozenset(proved.split()), elsewhere)


def end_session(keeper: Keeper, digest: bytes) -> None:
    """Signed out: the token opens nothing any more."""

    def work(transaction: Transaction) -> None:
        transaction.execute(_DELETE_LOOKS, (digest,))
        transaction.execute(_DELETE, (digest,))

    with keeper.places.active.reading() as connection:
        row = connection.execute(_SELECT_WHO, (digest,)).fetchone()
    if row is not None:
        keeper.places.active.submit(work, about=(row[0], digest.hex()))


def elsewhere_of(keeper: Keeper, provider: str, subject: str, sitting: str | None) -> Elsewhere:
    """What a session keeps of a sign-in at a provider: nothing by which anybody else could be asked about it."""
    return Elsewhere(
        provider,
        _there(keeper, provider, "subject", subject),
        None if sitting is None else _there(keeper, provider, "sitting", sitting),
    )


def end_sessions_from(
    keeper: Keeper, provider: str, subject: str | None, sitting: str | None, before: Instant
) -> tuple[str, ...]:
    """End the sessions of every policy that rest on a sign-in that has ended at its provider, if they began before
    then: that one, or all of somebody's where the provider names none. Returns whose they were.
    """
    known_as = None if subject is None else _there(keeper, provider, "subject", subject)
    which = None if sitting is None else _there(keeper, provider, "sitting", sitting)
    with keeper.places.active.reading() as connection:
        rows = connection.execute(_SELECT_FROM, (provider, before)).fetchall()
    found = [(digest, who) for digest, who, known, named in rows if _rests_on(known_as, which, known, named)]
    for digest, _ in found:
        end_session(keeper, digest)
    return tuple(who for _, who in found)


def _rests_on(known_as: bytes | None, which: bytes | None, known: bytes, named: bytes | None) -> bool:
    """Whether a session is one of those that ended. Where the provider did not say which sign-in began a session, it
    ends with any of that person.
    """
    if known_as is None:
        return which is not None and named == which
    return known == known_as and (which is None or named is None or named == which)


def _there(keeper: Keeper, provider: str, what: str, text: str) -> bytes:
    """Keyed; in hexadecimal, since capital letters and blanks make another."""
    return keeper.places.vault.digest("", f"{what}-{provider}", text.encode().hex())


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
    "INSERT INTO session(digest, policy, kind, who, began_at, seen_at, until_at, proved, provider, known_as, sitting) "
    "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_SELECT = (
    "SELECT who, began_at, seen_at, until_at, proved, provider, known_as, sitting FROM session "
    "WHERE digest = ? AND policy = ? AND kind = ?"
)
_SELECT_FROM = "SELECT digest, who, known_as, sitting FROM session WHERE provider = ? AND began_at < ?"
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
