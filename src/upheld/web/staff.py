"""Accounts of staff: who may sign in, with which duties; opened, reset and closed by the officer, by four eyes."""

from __future__ import annotations

from typing import Final

from upheld.dates import Instant
from upheld.desk.accounts import (
    Account,
    Credentials,
    StaffRole,
    account_named,
    accounts_of,
    close_account,
    open_account,
    reset_account,
    second_factor_right,
)
from upheld.desk.throttle import SIGN_IN_NAME, counted
from upheld.web.answer import Answer, Moved, Refused, Shown
from upheld.web.asked import Asked

ARRIVALS_SHOWN: Final = 20
WHY: Final = ("new-task", "replacement", "new-hire", "audit-planned")
"""Ours: why a role is given. The policy asks for a reason on record."""


def accounts(asked: Asked) -> Answer:
    """Every account with its duties, and who signed in last from where."""
    return _page(asked, "", 200)


def add(asked: Asked) -> Answer:
    """Open an account with the least that does. Where the policy wants an approval, another officer gives a code."""
    name, role = asked.field("name"), StaffRole(asked.choice("role", tuple(StaffRole)))
    duties, why = asked.choices("duty", tuple(asked.plan.handlers)), asked.choice("why", WHY)
    wanted = frozenset().union(*(asked.plan.handlers[duty].granted_with for duty in duties))
    shown = frozenset({"reason"}) if why else frozenset()
    if "approver" in wanted:
        if not _approved(asked):
            return _page(asked, "not-approved", 403)
        shown |= {"approver"}
    return _handed_out(asked, name, open_account(asked.keeper, asked.policy, name, role, duties=duties, shown=shown))


def reset(asked: Asked) -> Answer:
    """A new password and a new second factor for who lost theirs; every session of the account ends."""
    _, name = _other(asked)
    return _handed_out(asked, name, reset_account(asked.keeper, asked.policy, name))


def close(asked: Asked) -> Answer:
    """The account ends at once: duties revoked, sessions over, secrets destroyed."""
    _, name = _other(asked)
    close_account(asked.keeper, asked.policy, name)
    return Moved(asked.url("accounts"))


def _approved(asked: Asked) -> bool:
    """Whether another officer stands beside and shows it with a code of theirs. Every try is counted first."""
    keeper, policy, name = asked.keeper, asked.policy, asked.field("approver")
    if not counted(keeper, policy, SIGN_IN_NAME, f"approve {name.lower()}"):
        raise Refused(429, "too-many-tries")
    found = account_named(keeper, policy, name) if name else None
    if found is None or found.role is not StaffRole.OFFICER or found.account_id == asked.signed().account.account_id:
        return False
    return second_factor_right(keeper, found, asked.field("approver-code"))


def _other(asked: Asked) -> tuple[Account, str]:
    """The account of the address, which is not one's own: nobody locks themselves out, or in."""
    rows = accounts_of(asked.keeper, asked.policy)
    found = next(((one, name) for one, name, _ in rows if one.account_id == asked.parts["account"]), None)
    if found is None:
        raise Refused(404, "account-unknown")
    if found[0].account_id == asked.signed().account.account_id:
        raise Refused(400, "own-account")
    return found


def _handed_out(asked: Asked, name: str, made: Credentials) -> Shown:
    return Shown("credentials", {"name": name, "made": made})


def _page(asked: Asked, problem: str, status: int) -> Shown:
    keeper, document = asked.keeper, asked.document
    rows = accounts_of(keeper, asked.policy)
    names = {str(one.handler_id): name for one, name, _ in rows}
    arrivals = [(names.get(who, "–"), Instant(at), address) for who, at, address in keeper.arrivals(asked.policy)]
    return Shown(
        "accounts",
        {
            "rows": [
                (one, name, [document.name("handlers", duty, asked.locale) for duty in duties])
                for one, name, duties in rows
            ],
            "own": asked.signed().account.account_id,
            "duties": {duty: document.name("handlers", duty, asked.locale) for duty in asked.plan.handlers},
            "approval": any("approver" in row.granted_with for row in asked.plan.handlers.values()),
            "roles": tuple(StaffRole),
            "why": WHY,
            "arrivals": arrivals[:ARRIVALS_SHOWN],
            "problem": problem,
        },
        status,
    )
