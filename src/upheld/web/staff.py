"""Accounts of staff: who may sign in, with which duties; opened, reset and closed by the officer, by four eyes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from upheld.dates import Instant
from upheld.desk.accounts import (
    Account,
    Credentials,
    StaffRole,
    accounts_of,
    close_account,
    open_account,
    reset_account,
)
from upheld.desk.joining import HOUR, VALID_FOR, invite_again, invite_staff, waiting_for
from upheld.engine.acts import HandlerId
from upheld.web.answer import Answer, Moved, Refused, Shown
from upheld.web.approving import approver, same_person, wants_approval
from upheld.web.asked import Asked
from upheld.web.gate import may
from upheld.web.route import Who

ARRIVALS_SHOWN: Final = 20
WHY: Final = ("new-task", "replacement", "new-hire", "audit-planned")
"""Ours: why a role is given. The policy asks for a reason on record."""
BY: Final = ("link", "hand")
"""How secrets come to their holder: set by themselves through a link, or shown once and handed over."""


def accounts(asked: Asked) -> Answer:
    """Every account with its duties, and who signed in last from where."""
    return _page(asked, "", 200)


def add(asked: Asked) -> Answer:
    """Open an account with the least that does. Where the policy wants an approval, another officer gives a code.

    Its holder takes it up by a link, or is handed secrets that are shown once.
    """
    keeper, policy = asked.keeper, asked.policy
    name, role = asked.field("name"), StaffRole(asked.choice("role", tuple(StaffRole)))
    duties, why = asked.choices("duty", tuple(asked.plan.handlers)), asked.choice("why", WHY)
    by_link = asked.choice("by", BY) == "link"
    shown, approving = frozenset({"reason"}) if why else frozenset(), None
    if wants_approval(asked, duties):
        approving = approver(asked)
        if approving is None:
            return _page(asked, "not-approved", 403)
        shown |= {"approver"}
    if by_link:
        account, token = invite_staff(keeper, policy, name, role, duties=duties, shown=shown)
        _note(asked, "account-opened", account, approving)
        return _linked(asked, name, token)
    made = open_account(keeper, policy, name, role, duties=duties, shown=shown)
    _note(asked, "account-opened", made.account, approving)
    return _handed_out(asked, name, made)


def account(asked: Asked) -> Answer:
    """One account: reset and closed here, by four eyes where its duties were given by four eyes."""
    return _one(asked, *_other(asked), "", 200)


def reset(asked: Asked) -> Answer:
    """A new password and a new second factor for who lost theirs; every session of the account ends."""
    found, name, duties = _other(asked)
    wanted, approving = wants_approval(asked, duties), None
    if wanted and (approving := approver(asked)) is None:
        return _one(asked, found, name, duties, "not-approved", 403)
    _note(asked, "account-reset", found, approving)
    if asked.choice("by", BY) == "link":
        return _linked(asked, name, invite_again(asked.keeper, asked.policy, name)[1])
    return _handed_out(asked, name, reset_account(asked.keeper, asked.policy, name))


def close(asked: Asked) -> Answer:
    """The account ends at once: duties revoked, sessions over, secrets destroyed."""
    found, name, duties = _other(asked)
    wanted, approving = wants_approval(asked, duties), None
    if wanted and (approving := approver(asked)) is None:
        return _one(asked, found, name, duties, "not-approved", 403)
    _note(asked, "account-closed", found, approving)
    close_account(asked.keeper, asked.policy, name)
    return Moved(asked.url("accounts"))


def staff_title(asked: Asked) -> Callable[[str], str]:
    """A handler's id as the name of their account, for who keeps records; the id itself where nobody has it now."""
    if not may(asked, Who.RECORDS):
        return str
    names = {str(one.handler_id): name for one, name, _ in accounts_of(asked.keeper, asked.policy)}
    return lambda handler: names.get(handler, handler)


def _note(asked: Asked, what: str, about: Account, approving: HandlerId | None) -> None:
    """Who approved is on record beside who did it."""
    if approving is not None:
        by = asked.signed().account.handler_id
        asked.keeper.approve(asked.policy, what, about.account_id, by=by, approver=approving)


def _other(asked: Asked) -> tuple[Account, str, tuple[str, ...]]:
    """The account of the address, which is not one's own: nobody locks themselves out, or in."""
    rows = accounts_of(asked.keeper, asked.policy)
    found = next((row for row in rows if row[0].account_id == asked.parts["account"]), None)
    if found is None:
        raise Refused(404, "account-unknown")
    if same_person(asked, found[0]):
        raise Refused(400, "own-account")
    return found


def _one(asked: Asked, found: Account, name: str, duties: tuple[str, ...], problem: str, status: int) -> Shown:
    return Shown(
        "account",
        {
            "one": found,
            "name": name,
            "duties": [asked.document.name("handlers", duty, asked.locale) for duty in duties],
            "approval": wants_approval(asked, duties),
            "waits": waiting_for(asked.keeper, asked.policy).get(found.account_id),
            "problem": problem,
        },
        status,
    )


def _linked(asked: Asked, name: str, token: str) -> Shown:
    link = f"{asked.settings.address}{asked.url('join', invited=token)}"
    return Shown("invited", {"name": name, "link": link, "hours": VALID_FOR // HOUR})


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
            "approval": wants_approval(asked, asked.plan.handlers),
            "waits": waiting_for(keeper, asked.policy),
            "roles": tuple(StaffRole),
            "why": WHY,
            "arrivals": arrivals[:ARRIVALS_SHOWN],
            "problem": problem,
        },
        status,
    )
