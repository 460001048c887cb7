"""The portal: a person shows that an address is theirs, then sees what is held on them. Own things only."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from upheld.desk.codes import CodeMessage, ask_code, redeem
from upheld.desk.failures import note_failure
from upheld.desk.holdings import held_of, seen_of
from upheld.desk.sessions import Session, SessionKind, end_session, open_session
from upheld.desk.throttle import CODE_ADDRESS, CODE_SOURCE, count
from upheld.engine.acts import Reader, ReaderKind
from upheld.store.views import Seen
from upheld.web.answer import Answer, Cookie, Moved, Refused, Shown
from upheld.web.asked import Asked
from upheld.web.following import followed_of
from upheld.web.people import about_title, holding_rows
from upheld.web.signing import signed_out

PORTAL = Reader(ReaderKind.APPLICATION, "portal")
FACTORS_TO_SEE = 2
"""Stopping needs one address of one's own, seeing contents a second factor."""


def portal(asked: Asked) -> Answer:
    """Where somebody says at which address we know them."""
    if asked.person is not None:
        return Moved(asked.url("mine"))
    return _sign_in(asked, 200)


def send_code(asked: Asked) -> Answer:
    """Send a code, if the address is anybody's. The answer is the same when it is nobody's."""
    return _sent(asked, asked.field("item"), asked.field("address"))


def ask_for_code(asked: Asked) -> Answer:
    """The form for the code."""
    return Shown("portal_code", {"wrong": False})


def take_code(asked: Asked) -> Answer:
    """The right code begins a session with a token of its own, or adds an address to the one there is."""
    keeper, policy = asked.keeper, asked.policy
    challenge = asked.cookies.get(asked.cookie_name("code"), "")
    done = redeem(keeper, policy, challenge, asked.field("code"))
    if done is None or (asked.person is not None and done.subject_id != asked.person.who):
        note_failure(keeper, policy, "portal", "code", "wrong", about=challenge)
        return Shown("portal_code", {"wrong": True}, 403)
    proved, elsewhere = {done.item}, None
    if asked.person is not None:
        proved |= asked.person.proved
        elsewhere = asked.person.elsewhere
        end_session(keeper, asked.person.digest)
    token = open_session(keeper, policy, SessionKind.SUBJECT, done.subject_id, proved, elsewhere)
    cookies = (Cookie(asked.cookie_name("code"), ""), Cookie(asked.cookie_name("mine"), token))
    return Moved(asked.url("mine"), cookies)


def mine(asked: Asked) -> Answer:
    """What is held on me, why, until when, who got it; what I agreed to; what I asked."""
    seen, session = _seen(asked), _session(asked)
    keeper, document = asked.keeper, asked.document
    return Shown(
        "mine",
        {
            "holdings": holding_rows(asked, held_of(keeper, seen)),
            "consents": [
                (about_title(asked, about), state) for about, state in sorted(keeper.consents(seen.subject_id).items())
            ],
            "requests": followed_of(asked, seen),
            "proved": [document.name("items", one, asked.locale) for one in sorted(session.proved)],
            "second": {item: name for item, name in known_items(asked).items() if item not in session.proved},
            "sees": len(session.proved) >= FACTORS_TO_SEE,
        },
    )


def second(asked: Asked) -> Answer:
    """A code to another address of the same person, so that contents may be shown."""
    item = asked.field("item")
    if item in _session(asked).proved:
        raise Refused(400, "choice-unknown")
    return _sent(asked, item, asked.field("address"))


def contents(asked: Asked) -> Answer:
    """The contents of everything held on me; on record before it is shown. INVARIANT: I6."""
    seen, session = _seen(asked), _session(asked)
    if len(session.proved) < FACTORS_TO_SEE:
        raise Refused(403, "second-factor-needed")
    reader = Reader(ReaderKind.SUBJECT, seen.subject_id)
    shown = asked.keeper.show(seen.subject_id, reader=reader, identity_proved=True)
    document = asked.document
    rows = [
        (
            document.name("items", item, asked.locale),
            [(shown.texts[value], value in shown.disputed) for value in values],
        )
        for item, values in sorted(shown.values.items())
    ]
    return Shown("contents", {"rows": rows, "granted": shown.granted})


def sign_out(asked: Asked) -> Answer:
    """The session ends here and in the database, and then where it was begun."""
    session = _session(asked)
    end_session(asked.keeper, session.digest)
    return signed_out(asked, session, "mine", "portal")


def _sign_in(asked: Asked, status: int) -> Shown:
    document = asked.document
    right = document.policy.rights.get("access")
    by = right.by if right is not None else ()
    channels = [document.name("channels", one, asked.locale) for one in by or tuple(asked.plan.channels)]
    return Shown("portal", {"items": known_items(asked), "channels": channels}, status)


def known_items(asked: Asked) -> dict[str, str]:
    """The addresses at which a person can be reached under this policy, with their public names."""
    if asked.settings.send_code is None:
        return {}
    known = asked.settings.addresses.get(asked.policy, ())
    return {item: asked.document.name("items", item, asked.locale) for item in known if item in asked.plan.items}


def _sent(asked: Asked, item: str, address: str) -> Answer:
    send = asked.settings.send_code
    if send is None or item not in known_items(asked):
        raise Refused(400, "choice-unknown")
    keeper, policy = asked.keeper, asked.policy
    by_source = count(keeper, policy, CODE_SOURCE, asked.source)
    by_address = count(keeper, policy, CODE_ADDRESS, f"{item} {address}")
    if by_address == CODE_ADDRESS.most + 1 or by_source == CODE_SOURCE.most + 1:
        note_failure(keeper, policy, "portal", "address", "too-many", about=f"{item} {address}")
    if by_address > CODE_ADDRESS.most or by_source > CODE_SOURCE.most:
        raise Refused(429, "too-many-codes")
    challenge, message = ask_code(keeper, policy, item, address, reader=PORTAL, locale=asked.locale)
    afterwards: Callable[[], None] | None = partial(_send, send, message) if message is not None else None
    return Moved(asked.url("portal-code"), (Cookie(asked.cookie_name("code"), challenge),), afterwards)


def _send(send: Callable[[CodeMessage], None], message: CodeMessage) -> None:
    send(message)


def _session(asked: Asked) -> Session:
    if asked.person is None:
        raise Refused(403, "sign-in-needed")
    return asked.person


def _seen(asked: Asked) -> Seen:
    """The person who is signed in; one who was forgotten since has nothing here."""
    seen = seen_of(asked.keeper, asked.policy, asked.subject())
    if seen is None:
        raise Refused(403, "session-over")
    return seen
