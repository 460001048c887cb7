"""Taking up an account by a link: one's own password, one's own second factor, seen by nobody else."""

from __future__ import annotations

from typing import Final

import pyotp

from upheld.desk.accounts import LONGEST_PASSWORD, SHORTEST_PASSWORD
from upheld.desk.joining import Invited, factor_offered, factor_right, invited_by, join
from upheld.desk.throttle import SIGN_IN_SOURCE, counted
from upheld.web.answer import Answer, Refused, Shown
from upheld.web.asked import Asked

ISSUER: Final = "Upheld"


def ask(asked: Asked) -> Answer:
    """Who it is for, a second factor to take into the authenticator, and the form."""
    return _page(asked, _invited(asked), *factor_offered(asked.keeper, _invited(asked)), "", 200)


def take(asked: Asked) -> Answer:
    """The account is its holder's from now on; the link opens nothing any more."""
    invited, password = _invited(asked), asked.secret("new")
    if not counted(asked.keeper, asked.policy, SIGN_IN_SOURCE, asked.source):
        raise Refused(429, "too-many-tries")
    secret, seal = asked.field("factor"), asked.field("seal")
    problem = ""
    if password != asked.secret("again"):
        problem = "passwords-differ"
    elif not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        problem = "password-short"
    elif not factor_right(asked.keeper, invited, secret, seal, asked.field("code").replace(" ", "")):
        problem, secret = "code-wrong", ""
    if problem:
        offered = (secret, seal) if secret else factor_offered(asked.keeper, invited)
        return _page(asked, invited, *offered, problem, 400)
    codes = join(asked.keeper, invited, password, secret)
    if codes is None:
        raise Refused(404, "link-over")
    return Shown("joined", {"codes": codes})


def _invited(asked: Asked) -> Invited:
    found = invited_by(asked.keeper, asked.policy, asked.parts["invited"])
    if found is None:
        raise Refused(404, "link-over")
    return found


def _page(asked: Asked, invited: Invited, secret: str, seal: str, problem: str, status: int) -> Shown:
    uri = pyotp.TOTP(secret).provisioning_uri(name=invited.name, issuer_name=f"{ISSUER} {asked.policy}")
    return Shown(
        "join",
        {
            "name": invited.name,
            "role": invited.account.role.value,
            "until": invited.until_at,
            "secret": secret,
            "seal": seal,
            "uri": uri,
            "shortest": SHORTEST_PASSWORD,
            "problem": problem,
        },
        status,
    )
