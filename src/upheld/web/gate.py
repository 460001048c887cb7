"""Who may open which page. Every page passes here: session, duty, form, then the page function, then its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from upheld.desk.accounts import StaffRole, account_of, duties_of, reader_of
from upheld.desk.sessions import SessionKind, name_of, session_of
from upheld.keeper import Keeper
from upheld.keeper.clearing import is_rehearsal
from upheld.store import subjects
from upheld.web.answer import Answer, Moved, Refused
from upheld.web.asked import Asked, Signed
from upheld.web.route import Who


def _has(duty: str) -> Callable[[Signed], bool]:
    return lambda staff: staff.account.role is not StaffRole.AUDITOR and duty in staff.reader.duties


def _acts_for_the_house(staff: Signed) -> bool:
    return staff.account.role is StaffRole.OFFICER or _has("audit")(staff)


def _keeps_records(staff: Signed) -> bool:
    return staff.account.role in (StaffRole.OFFICER, StaffRole.AUDITOR) or _has("audit")(staff)


ALLOWED: Mapping[Who, Callable[[Signed], bool]] = MappingProxyType(
    {
        Who.STAFF: lambda _: True,
        Who.DESK: lambda staff: staff.account.role is not StaffRole.AUDITOR,
        Who.OFFICER: lambda staff: staff.account.role is StaffRole.OFFICER,
        Who.REQUESTS: _has("requests"),
        Who.DESTRUCTION: _has("destruction"),
        Who.OFFICE: _acts_for_the_house,
        Who.RECORDS: _keeps_records,
        Who.CALENDAR: lambda staff: _keeps_records(staff) or _has("destruction")(staff),
    }
)
"""What each kind of page asks of a member of staff."""


def may(asked: Asked, who: Who) -> bool:
    """Whether whoever asks may open pages of this kind."""
    match who:
        case Who.ANYBODY:
            return True
        case Who.SUBJECT:
            return asked.person is not None
        case _:
            return asked.staff is not None and ALLOWED[who](asked.staff)


def answered(asked: Asked) -> Answer:
    """Run the page for whoever may see it. Raises Refused, InputRefused."""
    _know_policies(asked)
    _recognise(asked)
    who = asked.route.who
    if who is not Who.ANYBODY:
        signed_in = asked.person if who is Who.SUBJECT else asked.staff
        if signed_in is None:
            return _to_sign_in(asked)
        if not may(asked, who):
            raise Refused(403, "not-your-duty")
    if asked.route.method == "POST" and not asked.route.of_other_sites and not asked.form_token_right():
        raise Refused(403, "form-expired")
    return asked.route.page(asked)


def follow_publications(keeper: Keeper) -> None:
    """What another process has published is known here from now on."""
    with keeper.places.active.aside() as connection:
        epoch = subjects.plan_epoch(connection)
    keeper.views.follow(epoch)


def _know_policies(asked: Asked) -> None:
    """Another process may have published: the compiled policies follow the database. An unknown policy is no page."""
    keeper = asked.keeper
    follow_publications(keeper)
    if asked.policy and (asked.policy not in keeper.views.lines or is_rehearsal(asked.policy)):
        raise Refused(404, "not-found")


def _recognise(asked: Asked) -> None:
    """Who is signed in under this policy; a session is looked at only on pages that are for somebody."""
    if not asked.policy:
        return
    keeper, policy = asked.keeper, asked.policy
    if asked.route.area == "portal":
        asked.person = session_of(keeper, policy, SessionKind.SUBJECT, asked.cookies.get(asked.cookie_name("mine")))
    if asked.route.area == "console":
        asked.staff = _staff(asked)


def _staff(asked: Asked) -> Signed | None:
    keeper, policy = asked.keeper, asked.policy
    session = session_of(keeper, policy, SessionKind.STAFF, asked.cookies.get(asked.cookie_name("desk")))
    account = account_of(keeper, policy, session.who) if session else None
    if session is None or account is None:
        return None
    duties = duties_of(keeper, account)
    if account.role is not StaffRole.AUDITOR and not duties:
        return None  # every role was taken away: the account opens nothing any more
    origin = keeper.origin_of(policy, account.handler_id, name_of(session.digest))
    return Signed(account, session, replace(reader_of(keeper, account), origin=origin), duties)


def _to_sign_in(asked: Asked) -> Answer:
    if asked.route.method == "POST":
        raise Refused(403, "session-over")
    return Moved(asked.url("portal" if asked.route.who is Who.SUBJECT else "sign-in"))
