"""Rows of the route table for accounts of staff and for what was left open."""

from __future__ import annotations

from typing import Final

from upheld.web import consents, identities, joining, reviews, staff
from upheld.web.route import Route, Who

DESK: Final = (
    Route("consents", "GET", "/console/{policy}/consents", Who.RECORDS, consents.consents),
    Route("reviews", "GET", "/console/{policy}/reviews", Who.REQUESTS, reviews.reviews),
    Route("review", "POST", "/console/{policy}/reviews/{subject}", Who.REQUESTS, reviews.review),
    Route("accounts", "GET", "/console/{policy}/accounts", Who.OFFICER, staff.accounts),
    Route("account-add", "POST", "/console/{policy}/accounts", Who.OFFICER, staff.add),
    Route("account", "GET", "/console/{policy}/accounts/{account}", Who.OFFICER, staff.account),
    Route("account-reset", "POST", "/console/{policy}/accounts/{account}/reset", Who.OFFICER, staff.reset),
    Route("sign-ins", "GET", "/console/{policy}/sign-ins", Who.OFFICER, identities.sign_ins),
    Route("identity-bind", "POST", "/console/{policy}/sign-ins/{account}/bound", Who.OFFICER, identities.bind_identity),
    Route(
        "identity-unbind",
        "POST",
        "/console/{policy}/sign-ins/{account}/unbound",
        Who.OFFICER,
        identities.unbind_identity,
    ),
    Route("account-close", "POST", "/console/{policy}/accounts/{account}/closed", Who.OFFICER, staff.close),
    Route("join", "GET", "/console/{policy}/join/{invited}", Who.ANYBODY, joining.ask),
    Route("join", "POST", "/console/{policy}/join/{invited}", Who.ANYBODY, joining.take),
)
