"""Who of the staff is whom at the house's own sign-in. Bound by an officer beforehand; signing in makes no account.

The binding stands in the account's paper, which goes with the account, and as a keyed digest in a table to be found by.
A copy of the table that was put back binds nobody whose paper is gone or says otherwise.
"""

from __future__ import annotations

import msgspec

from upheld.desk.accounts import Account, Secrets, account_of, file_secrets, secrets_of, set_paper
from upheld.engine.acts import HandlerId
from upheld.errors import InputRefused
from upheld.keeper import Keeper
from upheld.ledger.entries import Entry, entry
from upheld.store.place import Transaction

LONGEST = 320


def bind(keeper: Keeper, account: Account, provider: str, identity: str, *, by: HandlerId | None = None) -> Account:
    """From now on whom the provider knows by `identity` signs in as this account. Raises InputRefused."""
    if not 0 < len(identity) <= LONGEST or not identity.isprintable():
        raise InputRefused("identity-unusable", f"an identity has 1 to {LONGEST} characters that can be printed")
    if account_bound(keeper, account.policy, provider, identity) is not None:
        raise InputRefused("identity-bound", "this identity is bound to an account of this policy already")
    held = _held(keeper, account)
    made = _kept(keeper, account, {**dict(held.identities), provider: identity})
    claim = _claim(keeper, account.policy, provider, identity)
    row = (account.policy, provider, claim, account.account_id, keeper.now())

    def work(transaction: Transaction) -> None:
        transaction.execute(_UNBIND, (account.policy, account.account_id, provider))
        transaction.execute(_FORGET, (account.policy, provider, claim))
        transaction.changed(_BIND, row)
        transaction.journal(_said(keeper, account, provider, by))

    keeper.places.active.submit(work)
    return made


def unbind(keeper: Keeper, account: Account, provider: str, *, by: HandlerId | None = None) -> Account:
    """Nobody of this provider signs in as this account any more. Raises InputRefused."""
    held = dict(_held(keeper, account).identities)
    if held.pop(provider, None) is None:
        raise InputRefused("identity-unknown", "this account is not bound to an identity of that provider")
    made = _kept(keeper, account, held)

    def work(transaction: Transaction) -> None:
        transaction.execute(_UNBIND, (account.policy, account.account_id, provider))
        transaction.journal(_said(keeper, account, provider, by, ended=True))

    keeper.places.active.submit(work)
    return made


def account_bound(keeper: Keeper, policy: str, provider: str, identity: str) -> Account | None:
    """The account to which an identity is bound: the table finds it, its paper has the say."""
    with keeper.places.active.reading() as connection:
        row = connection.execute(_FIND, (policy, provider, _claim(keeper, policy, provider, identity))).fetchone()
    account = account_of(keeper, policy, row[0]) if row is not None else None
    held = secrets_of(keeper, account) if account is not None else None
    return account if held is not None and dict(held.identities).get(provider) == identity else None


def providers_of(keeper: Keeper, account: Account) -> tuple[str, ...]:
    """The providers at which this account has an identity."""
    held = secrets_of(keeper, account)
    return () if held is None else tuple(sorted(dict(held.identities)))


def _held(keeper: Keeper, account: Account) -> Secrets:
    held = secrets_of(keeper, account)
    if held is None:
        raise InputRefused("account-unknown", "this policy has no account of that name")
    return held


def _kept(keeper: Keeper, account: Account, identities: dict[str, str]) -> Account:
    held = msgspec.structs.replace(_held(keeper, account), identities=tuple(sorted(identities.items())))
    return set_paper(keeper, account, file_secrets(keeper, account, held))


def _said(keeper: Keeper, account: Account, provider: str, by: HandlerId | None, *, ended: bool = False) -> Entry:
    more = {"by": by} if by is not None else {}
    return entry(
        "identity.bound", keeper.now(), account.policy, None, (), account=account.account_id, provider=provider,
        ended=ended or None, **more,
    )  # fmt: skip


def _claim(keeper: Keeper, policy: str, provider: str, identity: str) -> bytes:
    """Keyed; in hexadecimal, since capital letters and blanks make another identity."""
    return keeper.places.vault.digest(policy, f"identity-{provider}", identity.encode().hex())


_BIND = "INSERT INTO account_identity(policy, provider, claim, account_id, bound_at) VALUES(?, ?, ?, ?, ?)"
_UNBIND = "DELETE FROM account_identity WHERE policy = ? AND account_id = ? AND provider = ?"
_FORGET = "DELETE FROM account_identity WHERE policy = ? AND provider = ? AND claim = ?"
_FIND = "SELECT account_id FROM account_identity WHERE policy = ? AND provider = ? AND claim = ?"
