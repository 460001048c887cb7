"""Messages on their way to people, as the active place has them. Address and text are a value and a paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from upheld.dates import Instant
from upheld.engine.acts import SubjectId
from upheld.store.engine import Connection
from upheld.store.place import Transaction

MOVES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "queued": frozenset({"sending", "withdrawn", "unreachable"}),
        "sending": frozenset({"sent", "queued", "failed", "uncertain"}),
        "uncertain": frozenset({"sent", "queued", "failed"}),
        "sent": frozenset({"acknowledged", "bounced"}),
    }
)
"""State → what may follow. A state that stands nowhere on the left is an end."""
NEVER: Final = 2**62
"""The next attempt of a message that none is planned for."""


class MessageRow(NamedTuple):
    """A message to one person."""

    bucket: int
    subject_id: str
    message_id: str
    policy: str
    notice: str
    medium: str
    about: str | None
    purpose: str | None
    state: str
    reason: str | None
    paper_id: str | None
    attempts: int
    queued_at: Instant
    next_at: Instant
    leased_until: Instant
    settled_at: Instant | None


_COLUMNS: Final = ", ".join(MessageRow._fields)
INSERT: Final = (
    f"INSERT INTO message({_COLUMNS}) VALUES({', '.join('?' * len(MessageRow._fields))}) ON CONFLICT DO NOTHING"
)
_ONE: Final = f"SELECT {_COLUMNS} FROM message WHERE message_id = ?"  # noqa: S608 - columns are words of ours
_OF_SUBJECT: Final = (
    f"SELECT {_COLUMNS} FROM message WHERE bucket = ? AND subject_id = ? ORDER BY queued_at, message_id"  # noqa: S608 - as above
)
_OF_POLICY: Final = f"SELECT {_COLUMNS} FROM message WHERE policy = ? ORDER BY queued_at, message_id"  # noqa: S608 - as above
_OF_NOTICE: Final = f"SELECT {_COLUMNS} FROM message WHERE policy = ? AND notice = ? ORDER BY queued_at, message_id"  # noqa: S608 - as above
_IN_STATE: Final = f"SELECT {_COLUMNS} FROM message WHERE state = ? AND policy = ? ORDER BY queued_at, message_id"  # noqa: S608 - as above
_ABOUT: Final = (
    f"SELECT {_COLUMNS} FROM message WHERE policy = ? AND notice = ? AND about = ? "  # noqa: S608 - as above
    "ORDER BY queued_at, message_id"
)
_STATES_ABOUT: Final = (
    "SELECT subject_id, state, reason, settled_at FROM message WHERE policy = ? AND notice = ? AND about = ? "
    "ORDER BY queued_at, message_id"
)
_UNCERTAIN: Final = f"SELECT {_COLUMNS} FROM message WHERE state = 'uncertain' AND medium = ?"  # noqa: S608 - as above
_READY: Final = (
    f"SELECT {_COLUMNS} FROM message WHERE state = 'queued' AND next_at <= ? AND medium = ? "  # noqa: S608 - as above
    "ORDER BY next_at, message_id LIMIT ?"
)
_EXPIRED: Final = f"SELECT {_COLUMNS} FROM message WHERE state = 'sending' AND leased_until <= ?"  # noqa: S608 - as above
_CLAIM: Final = (
    "UPDATE message SET state = 'sending', attempts = attempts + 1, leased_until = ?, reason = NULL "
    "WHERE bucket = ? AND message_id = ? AND state = 'queued'"
)
_MOVE: Final = (
    "UPDATE message SET state = ?, reason = ?, next_at = ?, settled_at = ? "
    "WHERE bucket = ? AND message_id = ? AND state = ?"
)
_REPLAYED: Final = (
    "UPDATE message SET state = ?, reason = ?, attempts = coalesce(?, attempts), next_at = ?, "
    "leased_until = 0, settled_at = ? WHERE bucket = ? AND message_id = ?"
)


def _row(row: tuple[Any, ...]) -> MessageRow:
    return MessageRow(*row)


def one(connection: Connection, message_id: str) -> MessageRow | None:
    """A message; None where no such one is."""
    row = connection.execute(_ONE, (message_id,)).fetchone()
    return None if row is None else _row(row)


def of_subject(connection: Connection, bucket: int, subject_id: str) -> list[MessageRow]:
    """Everything that was or will be said to one person, oldest first."""
    return [_row(row) for row in connection.execute(_OF_SUBJECT, (bucket, subject_id))]


def of_policy(connection: Connection, policy: str) -> list[MessageRow]:
    """Everything that was or will be said under a policy, oldest first."""
    return [_row(row) for row in connection.execute(_OF_POLICY, (policy,))]


def of_notice(connection: Connection, policy: str, notice: str) -> list[MessageRow]:
    """Everything of one notice under a policy, oldest first."""
    return [_row(row) for row in connection.execute(_OF_NOTICE, (policy, notice))]


def in_state(connection: Connection, policy: str, state: str) -> list[MessageRow]:
    """Everything under a policy that is in one state, oldest first."""
    return [_row(row) for row in connection.execute(_IN_STATE, (state, policy))]


def about(connection: Connection, policy: str, notice: str, matter: str) -> list[MessageRow]:
    """Everything of one notice about one matter, oldest first."""
    return [_row(row) for row in connection.execute(_ABOUT, (policy, notice, matter))]


def states_about(
    connection: Connection, policy: str, notice: str, matter: str
) -> list[tuple[SubjectId, str, str | None, Instant | None]]:
    """What became of everything of one notice about one matter, oldest first: person, state, reason, settled at."""
    return connection.execute(_STATES_ABOUT, (policy, notice, matter)).fetchall()


def uncertain(connection: Connection, medium: str) -> list[MessageRow]:
    """Messages of a medium of which nobody knows whether they arrived."""
    return [_row(row) for row in connection.execute(_UNCERTAIN, (medium,)).fetchall()]


def ready(connection: Connection, medium: str, now: Instant, limit: int) -> list[MessageRow]:
    """Messages of a medium whose turn it is."""
    return [_row(row) for row in connection.execute(_READY, (now, medium, limit)).fetchall()]


def expired(connection: Connection, now: Instant) -> list[MessageRow]:
    """Messages that somebody was sending and never said what became of them."""
    return [_row(row) for row in connection.execute(_EXPIRED, (now,)).fetchall()]


def claim(transaction: Transaction, row: MessageRow, until: Instant) -> bool:
    """Take a message for sending; False when somebody else was faster."""
    return transaction.execute(_CLAIM, (until, row.bucket, row.message_id)).rowcount == 1


def move(transaction: Transaction, row: MessageRow, state: str, reason: str | None, next_at: int = NEVER) -> bool:
    """Move a message on from the state it was seen in; False when it is no longer there."""
    settled = None if state in MOVES and state != "sent" else transaction.at
    parameters: Sequence[Any] = (state, reason, next_at, settled, row.bucket, row.message_id, row.state)
    return transaction.execute(_MOVE, parameters).rowcount == 1


def replayed(
    transaction: Transaction, key: tuple[int, str], state: str, reason: str | None, attempt: int | None, at: int
) -> int:
    """What the ledger knows of a message (bucket, id) holds again, in an old copy of the place."""
    next_at = at if state == "queued" else NEVER
    parameters = (state, reason, attempt, next_at, at, *key)
    return transaction.execute(_REPLAYED, parameters).rowcount
