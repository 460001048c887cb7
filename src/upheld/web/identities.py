"""Sign-ins as the officer sees them: who did not get in, and who of the staff is whom at the sign-in of the house."""

from __future__ import annotations

from typing import Final

from upheld.desk.accounts import Account, account_of, accounts_of
from upheld.desk.failures import failures
from upheld.desk.identities import bind, providers_of, unbind
from upheld.web.answer import Answer, Moved, Refused, Shown
from upheld.web.asked import Asked

SHOWN: Final = 50
_OF_THE_PROVIDER: Final = ("provider-away", "provider-unfit", "token-missing", "token-refused")
SAID: Final = ("wrong", "too-many", "not-bound", "not-known", "refused-there")
"""Reasons that have words of their own."""


def sign_ins(asked: Asked) -> Answer:
    """Tries that failed, and the identities that accounts are bound to."""
    keeper = asked.keeper
    accounts = accounts_of(keeper, asked.policy)
    names = {one.account_id: name for one, name, _ in accounts}
    failed = [(one, names.get(one.account_id or ""), _why(one.why)) for one in failures(keeper, asked.policy)[:SHOWN]]
    return Shown(
        "sign_ins",
        {
            "failed": failed,
            "rows": [(one, name, providers_of(keeper, one)) for one, name, _ in accounts],
            "providers": {one.name: one.title.get(asked.locale, one.name) for one in asked.providers},
        },
    )


def bind_identity(asked: Asked) -> Answer:
    """Whom the provider knows by this text signs in as this account from now on."""
    provider = asked.choice("provider", tuple(one.name for one in asked.providers))
    bind(asked.keeper, _account(asked), provider, asked.field("identity"), by=asked.signed().account.handler_id)
    return Moved(asked.url("sign-ins"))


def unbind_identity(asked: Asked) -> Answer:
    """Nobody of this provider signs in as this account any more."""
    account = _account(asked)
    provider = asked.choice("provider", providers_of(asked.keeper, account))
    unbind(asked.keeper, account, provider, by=asked.signed().account.handler_id)
    return Moved(asked.url("sign-ins"))


def _account(asked: Asked) -> Account:
    found = account_of(asked.keeper, asked.policy, asked.parts["account"])
    if found is None:
        raise Refused(404, "account-unknown")
    return found


def _why(code: str) -> str:
    if code in SAID:
        return code
    return "provider" if code in _OF_THE_PROVIDER else "answer"
