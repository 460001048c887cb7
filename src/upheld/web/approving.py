"""Four eyes at the desk: who approves stands beside, and shows it with a name and a code of theirs. Never the same."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from upheld.desk.accounts import Account, StaffRole, account_named, second_factor_right
from upheld.desk.throttle import SIGN_IN_NAME, counted
from upheld.engine.acts import HandlerId
from upheld.web.answer import Refused
from upheld.web.asked import Asked


def wants_approval(asked: Asked, duties: Iterable[str]) -> bool:
    """Whether the policy wants an approval on record before somebody is given one of these duties, or loses it."""
    rows = (asked.plan.handlers.get(duty) for duty in duties)
    return any(row is not None and "approver" in row.granted_with for row in rows)


def approver(asked: Asked, *, roles: Collection[StaffRole] = (StaffRole.OFFICER,)) -> HandlerId | None:
    """Who approves what the form asks for; None when nobody does. Every try is counted before it is looked at."""
    keeper, policy, name = asked.keeper, asked.policy, asked.field("approver")
    if not counted(keeper, policy, SIGN_IN_NAME, f"approve {name.lower()}"):
        raise Refused(429, "too-many-tries")
    found = account_named(keeper, policy, name) if name else None
    if found is None or found.role not in roles or same_person(asked, found):
        return None
    return found.handler_id if second_factor_right(keeper, found, asked.field("approver-code")) else None


def same_person(asked: Asked, account: Account) -> bool:
    """Whether this account is the one that asks."""
    own = asked.signed().account
    return account.account_id == own.account_id or account.handler_id == own.handler_id
