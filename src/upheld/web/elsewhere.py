"""Signing in with the house's own provider: away with a question, back with an answer that counts once.

Both ways go over a page of ours that leads on by itself. So the content policy stays as it is, since no form leads to
another host; and the cookies of the session, which no other site makes the browser send, are there on the next page.
"""

from __future__ import annotations

import re

from upheld.connect.openid import LEEWAY_SECONDS, Attempt, NotSignedIn, Signed, attempt_of
from upheld.dates import SECOND, Instant
from upheld.desk.failures import note_failure
from upheld.desk.flows import SECRET_BYTES, begin_flow, take_flow
from upheld.desk.identities import account_bound
from upheld.desk.sessions import Elsewhere, SessionKind, elsewhere_of, end_sessions_from, open_session
from upheld.desk.throttle import LOGOUTS, SIGN_IN_SOURCE, counted
from upheld.engine.acts import SubjectId
from upheld.web.answer import Answer, Cookie, Refused, Shown, Taken
from upheld.web.asked import Asked
from upheld.web.portal import PORTAL
from upheld.web.providers import ACCOUNT, HouseProvider
from upheld.web.signing import entered

_SECRET = re.compile(rf"[0-9a-f]{{{2 * SECRET_BYTES}}}")
_STEP = "provider"
LONGEST_TOKEN = 3_500
"""Characters of an ID token that the browser keeps for signing out there; a cookie has 4,096 with its name."""


def leave(asked: Asked) -> Answer:
    """Away to the provider. What belongs to this sign-in comes from one secret in the browser."""
    house, keeper = _chosen(asked), asked.keeper
    if not counted(keeper, asked.policy, SIGN_IN_SOURCE, asked.source):
        raise Refused(429, "too-many-tries")
    secret = keeper.places.random_bytes(SECRET_BYTES)
    attempt = attempt_of(secret)
    try:
        to = house.provider.address(_back(asked, house), attempt)
    except NotSignedIn as failure:
        raise _refused(asked, failure) from failure
    begin_flow(keeper, asked.policy, house.name, asked.route.area, attempt.state)
    return Shown("onward", {"to": to, "way": "away"}, cookies=(Cookie(asked.cookie_name("flow"), secret.hex(), True),))


def return_staff(asked: Asked) -> Answer:
    """Back as staff: the account that the officer has bound to this identity, or nobody."""
    house, signed = _returned(asked)
    identity = signed.claim(house.claims[ACCOUNT])
    account = account_bound(asked.keeper, asked.policy, house.name, identity) if identity else None
    if account is None:
        note_failure(asked.keeper, asked.policy, "console", _STEP, "not-bound", about=identity)
        raise Refused(403, "not-bound")
    there = _there(asked, house, signed)
    if signed.second_factor:
        return _onward(asked, "desk", signed, *entered(asked, account, there))
    token = open_session(asked.keeper, asked.policy, SessionKind.PENDING, account.account_id, elsewhere=there)
    return _onward(asked, "second-step", signed, Cookie(asked.cookie_name("step"), token))


def return_person(asked: Asked) -> Answer:
    """Back as a person: the one subject of this policy that the provider's claims name, or nobody."""
    house, signed = _returned(asked)
    keeper, found = asked.keeper, dict[str, SubjectId]()
    for item, claim in house.claims.items():
        said = signed.claim(claim)
        alone = _known(asked, item, said) if said else None
        if alone is not None:
            found[item] = alone
    if len(set(found.values())) != 1:
        note_failure(keeper, asked.policy, "portal", _STEP, "not-known")
        raise Refused(403, "not-known")
    item, subject = next(iter(found.items()))
    token = open_session(keeper, asked.policy, SessionKind.SUBJECT, subject, {item}, _there(asked, house, signed))
    return _onward(asked, "mine", signed, Cookie(asked.cookie_name("mine"), token))


def ended_there(asked: Asked) -> Answer:
    """A provider says that a sign-in there is over (back-channel logout): what rests on it ends here, in every policy.

    Its own signature is all that shows who says so. A token that came twice ends nothing that began since it was made.
    """
    name, keeper = asked.parts["provider"], asked.keeper
    house = next((one for one in asked.settings.providers if one.name == name), None)
    if house is None:
        raise Refused(404, "not-found")
    if not counted(keeper, "", LOGOUTS, asked.source):
        raise Refused(429, "too-many-tries")
    try:
        ended = house.provider.ended(asked.form.get("logout_token", ("",))[0])
    except NotSignedIn as failure:
        raise Refused(400, "not-signed-in") from failure
    before = Instant((ended.at + LEEWAY_SECONDS) * SECOND)
    end_sessions_from(keeper, name, ended.subject, ended.sitting, before)
    return Taken()


def _there(asked: Asked, house: HouseProvider, signed: Signed) -> Elsewhere:
    return elsewhere_of(asked.keeper, house.name, signed.subject, signed.sitting)


def _known(asked: Asked, item: str, text: str) -> SubjectId | None:
    """The one person who gave us exactly this; nobody where several did."""
    if item not in asked.plan.items or not asked.keeper.looked_up(asked.policy, item):
        return None
    tiers = [
        asked.keeper.lookup(asked.policy, item, text, reader=PORTAL, reason="sign-in", separated=apart)
        for apart in (False, True)  # whose things are only kept apart may see them too
    ]
    found = {subject for tier in tiers for subject in tier}
    return found.pop() if len(found) == 1 else None


def _chosen(asked: Asked) -> HouseProvider:
    name = asked.parts["provider"]
    found = next((one for one in asked.providers if one.name == name), None)
    if found is None:
        raise Refused(404, "not-found")
    return found


def _returned(asked: Asked) -> tuple[HouseProvider, Signed]:
    """Who came back, once. The address that carries the answer is not linked to from the page."""
    house, came = _chosen(asked), dict(asked.query)
    asked.query = {}
    try:
        attempt = _attempt(asked)
        if came.get("state") != attempt.state:
            raise NotSignedIn("state-wrong", "this answer is none to a question of this browser")
        if not take_flow(asked.keeper, asked.policy, house.name, asked.route.area, attempt.state):
            raise NotSignedIn("state-used", "this sign-in is over, or is of another provider")
        return house, house.provider.signed_in(_back(asked, house), attempt, came)
    except NotSignedIn as failure:
        raise _refused(asked, failure) from failure


def _attempt(asked: Asked) -> Attempt:
    secret = asked.cookies.get(asked.cookie_name("flow"), "")
    if not _SECRET.fullmatch(secret):
        raise NotSignedIn("flow-missing", "no sign-in was begun in this browser")
    return attempt_of(bytes.fromhex(secret))


def _refused(asked: Asked, failure: NotSignedIn) -> Refused:
    note_failure(asked.keeper, asked.policy, asked.route.area, _STEP, failure.code)
    ours = failure.code in ("provider-away", "provider-unfit")
    return Refused(503, "provider-away") if ours else Refused(403, "not-signed-in")


def _back(asked: Asked, house: HouseProvider) -> str:
    """Where the provider sends people back to: one address for each provider, so that none can answer for another."""
    name = "staff-return" if house.area == "console" else "person-return"
    return asked.settings.address.rstrip("/") + asked.url(name, provider=house.name)


def _onward(asked: Asked, to: str, signed: Signed, *cookies: Cookie) -> Shown:
    over = Cookie(asked.cookie_name("flow"), "", True)
    if len(signed.token) <= LONGEST_TOKEN:
        cookies = (*cookies, Cookie(asked.cookie_name(f"{asked.route.area}-token"), signed.token))
    return Shown("onward", {"to": asked.url(to), "way": "back"}, cookies=(over, *cookies))
