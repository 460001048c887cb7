"""Rows of the route table for persons beyond signing in: what they ask, follow and take back."""

from __future__ import annotations

from typing import Final

from upheld.web import cookies, wishes
from upheld.web.route import Route, Who

PERSON: Final = (
    Route("ask", "GET", "/portal/{policy}/mine/ask", Who.SUBJECT, wishes.choose),
    Route("ask", "POST", "/portal/{policy}/mine/ask", Who.SUBJECT, wishes.ask),
    Route("my-request", "GET", "/portal/{policy}/mine/requests/{request}", Who.SUBJECT, wishes.follow),
    Route("my-request-back", "POST", "/portal/{policy}/mine/requests/{request}/back", Who.SUBJECT, wishes.take_back),
    Route("my-request-lift", "POST", "/portal/{policy}/mine/requests/{request}/lift", Who.SUBJECT, wishes.lift),
    Route("my-request-prove", "POST", "/portal/{policy}/mine/requests/{request}/proof", Who.SUBJECT, wishes.prove),
    Route(
        "my-papers", "POST", "/portal/{policy}/mine/requests/{request}/papers", Who.SUBJECT, wishes.send_papers,
        takes_files=True,
    ),
    Route("my-copy", "GET", "/portal/{policy}/mine/requests/{request}/copy", Who.SUBJECT, wishes.copy),
    # ── cookies of the controller's sites ──
    Route("cookies", "GET", "/cookies/{policy}", Who.ANYBODY, cookies.preferences),
    Route("cookie-script", "GET", "/cookies/{policy}/script", Who.ANYBODY, cookies.script),
    Route("cookie-choice", "POST", "/cookies/{policy}/choices", Who.ANYBODY, cookies.choice, of_other_sites=True),
    Route("for-another", "GET", "/portal/{policy}/for-another", Who.ANYBODY, wishes.for_another),
    Route(
        "for-another", "POST", "/portal/{policy}/for-another", Who.ANYBODY, wishes.take_for_another, takes_files=True
    ),
)  # fmt: skip
