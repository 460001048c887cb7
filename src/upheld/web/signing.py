"""Staff sign in and out: password first, then a second factor; the same answer for a name nobody has."""

from __future__ import annotations

from upheld.desk.accounts import (
    LONGEST_PASSWORD,
    SHORTEST_PASSWORD,
    Account,
    account_named,
    account_of,
    change_password,
    password_right,
    second_factor_right,
)
from upheld.desk.failures import note_failure
from upheld.desk.sessions import (
    Elsewhere,
    Session,
    SessionKind,
    digest_of,
    end_session,
    name_of,
    open_session,
    session_of,
)
from upheld.desk.throttle import SIGN_IN_NAME, SIGN_IN_SOURCE, count, forgiven
from upheld.web.answer import Answer, Cookie, Moved, Refused, Shown
from upheld.web.asked import Asked


def ask_name(asked: Asked) -> Answer:
    """The form; who is signed in already goes to the desk."""
    return Moved(asked.url("desk")) if asked.staff else Shown("sign_in", {"wrong": False})


def take_name(asked: Asked) -> Answer:
    """The first step. Every try is counted, for the name and for where it comes from, before it is looked at."""
    name, password = asked.field("name"), asked.secret("password")
    _may_try(asked, name)
    account = password_right(asked.keeper, asked.policy, name, password)
    if account is None:
        known = account_named(asked.keeper, asked.policy, name)
        _failed(asked, "password", known.account_id if known else None, name)
        return Shown("sign_in", {"wrong": True}, 403)
    forgiven(asked.keeper, asked.policy, SIGN_IN_NAME, name.lower())  # the second step has a count of its own
    token = open_session(asked.keeper, asked.policy, SessionKind.PENDING, account.account_id)
    return Moved(asked.url("second-step"), (Cookie(asked.cookie_name("step"), token),))


def ask_second(asked: Asked) -> Answer:
    """The form of the second step."""
    _pending(asked)
    return Shown("second_step", {"wrong": False})


def take_second(asked: Asked) -> Answer:
    """The second step. The session that begins has a token of its own, whatever was sent before."""
    keeper, policy, pending = asked.keeper, asked.policy, _pending(asked)
    account = account_of(keeper, policy, pending.who)
    if account is None:
        raise Refused(403, "session-over")
    _may_try(asked, f"second {account.account_id}", "second", account.account_id)
    if not second_factor_right(keeper, account, asked.field("code")):
        _failed(asked, "second", account.account_id)
        return Shown("second_step", {"wrong": True}, 403)
    end_session(keeper, pending.digest)
    forgiven(keeper, policy, SIGN_IN_NAME, f"second {account.account_id}")
    return Moved(asked.url("desk"), entered(asked, account, pending.elsewhere))


def entered(asked: Asked, account: Account, elsewhere: Elsewhere | None = None) -> tuple[Cookie, ...]:
    """A session begins, with a token of its own and on record. The cookies for it."""
    keeper, policy = asked.keeper, asked.policy
    earlier = asked.cookies.get(asked.cookie_name("desk"))
    if earlier:
        end_session(keeper, digest_of(earlier))
    token = open_session(keeper, policy, SessionKind.STAFF, account.account_id, elsewhere=elsewhere)
    keeper.arrived(policy, account.handler_id, asked.source, session=name_of(digest_of(token)))
    return Cookie(asked.cookie_name("step"), ""), Cookie(asked.cookie_name("desk"), token)


def sign_out(asked: Asked) -> Answer:
    """The session ends here and in the database, and then where it was begun."""
    session = asked.signed().session
    end_session(asked.keeper, session.digest)
    return signed_out(asked, session, "desk", "sign-in")


def signed_out(asked: Asked, session: Session, cookie: str, to: str) -> Answer:
    """Out of here; a browser that came by a provider is led on to sign out there too, and comes back."""
    over = (Cookie(asked.cookie_name(cookie), ""), Cookie(asked.cookie_name(f"{asked.route.area}-token"), ""))
    there, asked.staff, asked.person = session.elsewhere, None, None
    house = next((one for one in asked.providers if there is not None and one.name == there.provider), None)
    token = asked.cookies.get(asked.cookie_name(f"{asked.route.area}-token"))
    back = asked.settings.address.rstrip("/") + asked.url(to)
    address = house.provider.logout_address(back, token) if house is not None else None
    return Moved(asked.url(to), over) if address is None else Shown("onward", {"to": address, "way": "out"}, 200, over)


def own_account(asked: Asked) -> Answer:
    """What I may do, and a new password."""
    return _own(asked, "", 200)


def new_password(asked: Asked) -> Answer:
    """Take a new password; every session of the account ends, this one too."""
    signed = asked.signed()
    _may_try(asked, f"change {signed.account.account_id}", "password", signed.account.account_id)
    old, new, again = (asked.secret(name) for name in ("old", "new", "again"))
    if new != again:
        return _own(asked, "passwords-differ", 400)
    if not SHORTEST_PASSWORD <= len(new) <= LONGEST_PASSWORD:
        return _own(asked, "password-short", 400)
    if not change_password(asked.keeper, signed.account, old, new):
        _failed(asked, "password", signed.account.account_id)
        return _own(asked, "password-wrong", 403)
    return Moved(asked.url("sign-in", changed="yes"), (Cookie(asked.cookie_name("desk"), ""),))


def _own(asked: Asked, problem: str, status: int) -> Shown:
    signed, document = asked.signed(), asked.document
    reader = signed.reader
    return Shown(
        "own_account",
        {
            "problem": problem,
            "role": signed.account.role.value,
            "duties": [document.name("handlers", one, asked.locale) for one in signed.duties],
            "tasks": sorted(reader.duties),
            "purposes": sorted(document_purposes(asked, reader.purposes or frozenset())),
            "lapsed": [document.name("safeguards", one, asked.locale) for one in reader.lapsed],
            "shortest": SHORTEST_PASSWORD,
        },
        status,
    )


def document_purposes(asked: Asked, names: frozenset[str]) -> list[str]:
    """The public names of purposes."""
    purposes, document = asked.plan.purposes, asked.document
    return [document.title(purposes[one].rule.path, asked.locale) for one in names if one in purposes]


def _may_try(asked: Asked, name: str, step: str = "password", account: str | None = None) -> None:
    """Count a try. The first that is one too many is on record; more of them say nothing new."""
    keeper, policy = asked.keeper, asked.policy
    by_source = count(keeper, policy, SIGN_IN_SOURCE, asked.source)
    by_name = count(keeper, policy, SIGN_IN_NAME, name.lower())
    if by_name == SIGN_IN_NAME.most + 1 or by_source == SIGN_IN_SOURCE.most + 1:
        note_failure(keeper, policy, "console", step, "too-many", account=account, about=name.lower())
    if by_name > SIGN_IN_NAME.most or by_source > SIGN_IN_SOURCE.most:
        raise Refused(429, "too-many-tries")


def _failed(asked: Asked, step: str, account: str | None, name: str | None = None) -> None:
    about = name.lower() if name else None
    note_failure(asked.keeper, asked.policy, "console", step, "wrong", account=account, about=about)


def _pending(asked: Asked) -> Session:
    token = asked.cookies.get(asked.cookie_name("step"))
    found = session_of(asked.keeper, asked.policy, SessionKind.PENDING, token)
    if found is None:
        raise Refused(403, "session-over")
    return found
