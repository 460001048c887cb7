"""The same idempotency key gives the same answer; for anything else it is in conflict.

What is kept for a day are keyed digests and an answer of ids and codes. A content that was handed out is not kept:
what gives contents takes its key first and hands out once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass

import msgspec

from upheld.keeper import Keeper
from upheld.keeper.applications import Application
from upheld.store.place import NotClaimed, Transaction
from upheld.web.api.problems import Said, problem
from upheld.web.api.row import Again

KEPT_FOR = 86_400_000_000
"""Ours: a day."""
_UNDER_WAY = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """A status and JSON."""

    status: int
    body: bytes
    repeated: bool = False
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key with what it was used for, both as keyed digests."""

    application_id: str
    digest: bytes
    content: bytes


def key_of(keeper: Keeper, application: Application, text: str, what: bytes) -> Key:
    """`what`: operation, address and body of the call."""
    digest_of = keeper.places.vault.digest
    policy, who = application.policy, application.application_id
    digest = digest_of(policy, "idempotency", f"{who}|{text.encode().hex()}")
    return Key(who, digest, digest_of(policy, "idempotency-of", hashlib.sha256(what).hexdigest()))


def once(keeper: Keeper, key: Key, again: Again, work: Callable[[], Reply], about: Collection[str] = ()) -> Reply:
    """Do it, unless it was done. Raises Said for another content, or for one that is under way.

    `about`: whom the call is about, as far as that is known. Calls about others go on meanwhile.
    """
    submit, name = keeper.places.active.submit, key.digest.hex()
    if again is Again.TOGETHER:
        try:
            return _together(keeper, key, work, (*about, name))
        except NotClaimed:
            return _together(keeper, key, work, None)
    before = submit(lambda transaction: _before(transaction, key), about=(name,))
    if before is not None:
        return before
    reply = work()
    kept = Reply(reply.status, _bare(reply)) if reply.status < 300 else reply
    submit(lambda transaction: _keep(transaction, key, kept), about=(name,))
    return reply


def _together(keeper: Keeper, key: Key, work: Callable[[], Reply], about: tuple[str, ...] | None) -> Reply:
    submit, name = keeper.places.active.submit, key.digest.hex()

    def whole() -> Reply:
        before = submit(lambda transaction: _before(transaction, key), about=(name,))
        if before is not None:
            return before
        reply = work()
        submit(lambda transaction: _keep(transaction, key, reply), about=(name,))
        return reply

    return keeper.together(whole, about=about)


def _bare(reply: Reply) -> bytes:
    """The answer without its contents."""
    full = msgspec.json.decode(reply.body, type=dict[str, object])
    return msgspec.json.encode(full | ({"texts": {}} if "texts" in full else {}) | {"repeated": True})


def _before(transaction: Transaction, key: Key) -> Reply | None:
    """What was answered; None when the key is new, and taken by this."""
    transaction.execute(_PURGE, (key.application_id, key.digest, transaction.at))
    row = (key.application_id, key.digest, key.content, _UNDER_WAY, "", transaction.at + KEPT_FOR)
    if transaction.execute(_TAKE, row).rowcount == 1:
        return None
    content, status, answer = transaction.execute(_SELECT, (key.application_id, key.digest)).fetchone()
    if content != key.content:
        raise Said(problem(409, "key-conflict", "this idempotency key was used for something else"))
    if status == _UNDER_WAY:
        detail = "the first call with this key has not ended, or was cut off; look before you use another key"
        raise Said(problem(409, "under-way", detail))
    return Reply(status, answer.encode(), repeated=True)


def _keep(transaction: Transaction, key: Key, reply: Reply) -> None:
    transaction.changed(_ANSWER, (reply.status, reply.body.decode(), key.application_id, key.digest))


_PURGE = "DELETE FROM given_answer WHERE application_id = ? AND key_digest = ? AND until_at <= ?"
_TAKE = (
    "INSERT INTO given_answer(application_id, key_digest, content, status, answer, until_at) "
    "VALUES(?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_SELECT = "SELECT content, status, answer FROM given_answer WHERE application_id = ? AND key_digest = ?"
_ANSWER = "UPDATE given_answer SET status = ?, answer = ? WHERE application_id = ? AND key_digest = ?"
