"""Short-lived tokens of programs: random, only a digest is kept, ten minutes, gone with the program."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from upheld.dates import Instant
from upheld.desk.sessions import digest_of
from upheld.keeper import Keeper
from upheld.keeper.applications import Application, Duty, program_of
from upheld.store.place import Transaction
from upheld.store.subjects import packed_names, unpacked_names

LIVES_SECONDS = 600
"""Ours."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A program that showed a live token, and the duties the token is good for."""

    application: Application
    duties: frozenset[Duty]


def open_token(keeper: Keeper, application: Application, duties: Iterable[Duty]) -> str:
    """A token for some of the duties of a program."""
    token = keeper.places.random_bytes(32).hex()
    until_at = keeper.now() + LIVES_SECONDS * 1_000_000
    granted = packed_names(one.value for one in application.duties & frozenset(duties))
    row = (digest_of(token), application.policy, application.application_id, granted, until_at)
    keeper.places.active.submit(lambda transaction: transaction.execute(_INSERT, row), about=(row[2],))
    return token


def caller_of(keeper: Keeper, token: str) -> Caller | None:
    """Who showed this token; None when it is nobody's, over, or its program was closed.

    What another process has published is known here from then on: it is the first that any call of a program asks.
    """
    with keeper.places.active.aside() as connection:
        plan_epoch, duties, *row = connection.execute(_SELECT, (digest_of(token), keeper.now())).fetchone()
    keeper.views.follow(plan_epoch)
    if duties is None or row[0] is None:
        return None
    application = program_of(*row)
    return Caller(application, frozenset(map(Duty, unpacked_names(duties))) & application.duties)


def purge_tokens(transaction: Transaction, now: Instant) -> None:
    """Remove tokens and remembered answers whose time is over."""
    transaction.execute(_PURGE_TOKENS, (now,))
    transaction.execute(_PURGE_ANSWERS, (now,))


_INSERT = "INSERT INTO application_token(digest, policy, application_id, duties, until_at) VALUES(?, ?, ?, ?, ?)"
_SELECT = (
    "SELECT guard.plan_epoch, t.duties, a.policy, a.application_id, a.name, a.purposes, a.duties, a.opened_at "
    "FROM guard LEFT JOIN application_token t ON t.digest = ? AND t.until_at > ? "
    "LEFT JOIN application a ON a.policy = t.policy AND a.application_id = t.application_id"
)
_PURGE_TOKENS = "DELETE FROM application_token WHERE until_at <= ?"
_PURGE_ANSWERS = "DELETE FROM given_answer WHERE until_at <= ?"
