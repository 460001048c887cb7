"""A sign-in that was begun at a provider: taken up once, in time, by the browser in which it was begun."""

from __future__ import annotations

from upheld.desk.sessions import digest_of
from upheld.keeper import Keeper
from upheld.store.place import Transaction

VALID_FOR = 10 * 60 * 1_000_000
"""Ours: ten minutes from leaving to coming back."""
SECRET_BYTES = 32


def begin_flow(keeper: Keeper, policy: str, provider: str, area: str, state: str) -> None:
    """Somebody goes to a provider; `state` is what they will come back with."""
    row = (digest_of(state), policy, provider, area, keeper.now() + VALID_FOR)
    keeper.places.active.submit(lambda transaction: transaction.execute(_INSERT, row), about=(row[0].hex(),))


def take_flow(keeper: Keeper, policy: str, provider: str, area: str, state: str) -> bool:
    """Whether somebody was sent there with this state, for this, and has not come back yet. It counts once."""
    row = (digest_of(state), policy, provider, area, keeper.now())
    about = (row[0].hex(),)
    return keeper.places.active.submit(lambda transaction: transaction.execute(_TAKE, row).rowcount, about=about) == 1


def purge_flows(transaction: Transaction, now: int) -> None:
    """Remove what nobody came back from."""
    transaction.execute(_PURGE, (now,))


_INSERT = "INSERT INTO sign_in_flow(state, policy, provider, area, until_at) VALUES(?, ?, ?, ?, ?)"
_TAKE = "DELETE FROM sign_in_flow WHERE state = ? AND policy = ? AND provider = ? AND area = ? AND until_at > ?"
_PURGE = "DELETE FROM sign_in_flow WHERE until_at <= ?"
