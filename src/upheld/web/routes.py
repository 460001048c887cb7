"""The route table: every page, in the order in which people meet them. A page is a row here, a function, a template."""

from __future__ import annotations

from typing import Final

from upheld.web import (
    calendar,
    consent,
    due,
    elsewhere,
    handling,
    heard,
    ledger,
    notices,
    people,
    portal,
    report,
    requests,
    signing,
    start,
)
from upheld.web.desk_routes import DESK
from upheld.web.house_routes import HOUSE
from upheld.web.person_routes import PERSON
from upheld.web.route import Route, Who

ROUTES: Final = (
    Route("start", "GET", "/", Who.ANYBODY, start.start),
    Route("static", "GET", "/static/{name}", Who.ANYBODY, start.static),
    Route("health", "GET", "/health", Who.ANYBODY, start.health),
    # ── notices, for everybody ──
    Route("notice", "GET", "/notice/{policy}", Who.ANYBODY, notices.notice),
    Route("versions", "GET", "/notice/{policy}/versions", Who.ANYBODY, notices.versions),
    Route("version", "GET", "/notice/{policy}/versions/{version}", Who.ANYBODY, notices.version),
    Route("paper", "GET", "/notice/{policy}/versions/{version}/pdf", Who.ANYBODY, notices.paper),
    Route("compare", "GET", "/notice/{policy}/compare", Who.ANYBODY, notices.compare),
    # ── portal, for a person ──
    Route("portal", "GET", "/portal/{policy}", Who.ANYBODY, portal.portal),
    Route("portal", "POST", "/portal/{policy}", Who.ANYBODY, portal.send_code),
    Route("portal-code", "GET", "/portal/{policy}/code", Who.ANYBODY, portal.ask_for_code),
    Route("portal-code", "POST", "/portal/{policy}/code", Who.ANYBODY, portal.take_code),
    Route("person-leave", "POST", "/portal/{policy}/with/{provider}", Who.ANYBODY, elsewhere.leave),
    Route("person-return", "GET", "/portal/{policy}/from/{provider}", Who.ANYBODY, elsewhere.return_person),
    Route("mine", "GET", "/portal/{policy}/mine", Who.SUBJECT, portal.mine),
    Route("second", "POST", "/portal/{policy}/mine/second", Who.SUBJECT, portal.second),
    Route("contents", "GET", "/portal/{policy}/mine/contents", Who.SUBJECT, portal.contents),
    Route("portal-out", "POST", "/portal/{policy}/sign-out", Who.SUBJECT, portal.sign_out),
    *PERSON,
    Route("my-consents", "GET", "/portal/{policy}/mine/consents", Who.SUBJECT, consent.ask),
    Route("my-consents", "POST", "/portal/{policy}/mine/consents", Who.SUBJECT, consent.take),
    Route("my-consent-end", "GET", "/portal/{policy}/mine/consents/withdraw", Who.SUBJECT, consent.ask_end),
    Route("my-consent-end", "POST", "/portal/{policy}/mine/consents/withdraw", Who.SUBJECT, consent.take_end),
    Route("my-receipts", "GET", "/portal/{policy}/mine/receipts", Who.SUBJECT, consent.receipts),
    # ── consent, for who has a link ──
    Route("consent", "GET", "/consent/{policy}", Who.ANYBODY, consent.read),
    Route("consent-link", "GET", "/consent/{policy}/{link}", Who.ANYBODY, consent.ask),
    Route("consent-link", "POST", "/consent/{policy}/{link}", Who.ANYBODY, consent.take),
    Route("consent-end", "GET", "/consent/{policy}/{link}/withdraw", Who.ANYBODY, consent.ask_end),
    Route("consent-end", "POST", "/consent/{policy}/{link}/withdraw", Who.ANYBODY, consent.take_end),
    Route("consent-receipts", "GET", "/consent/{policy}/{link}/receipts", Who.ANYBODY, consent.receipts),
    Route("representative", "GET", "/consent/{policy}/{link}/representative", Who.ANYBODY, consent.ask_representative),
    Route(
        "representative", "POST", "/consent/{policy}/{link}/representative", Who.ANYBODY, consent.take_representative
    ),
    # ── console, for staff ──
    Route("sign-in", "GET", "/console/{policy}/sign-in", Who.ANYBODY, signing.ask_name),
    Route("sign-in", "POST", "/console/{policy}/sign-in", Who.ANYBODY, signing.take_name),
    Route("second-step", "GET", "/console/{policy}/sign-in/code", Who.ANYBODY, signing.ask_second),
    Route("second-step", "POST", "/console/{policy}/sign-in/code", Who.ANYBODY, signing.take_second),
    Route("staff-leave", "POST", "/console/{policy}/sign-in/with/{provider}", Who.ANYBODY, elsewhere.leave),
    Route("staff-return", "GET", "/console/{policy}/sign-in/from/{provider}", Who.ANYBODY, elsewhere.return_staff),
    Route(
        "ended-there", "POST", "/sign-ins/{provider}/ended", Who.ANYBODY, elsewhere.ended_there, of_other_sites=True
    ),
    Route("sign-out", "POST", "/console/{policy}/sign-out", Who.STAFF, signing.sign_out),
    Route("own-account", "GET", "/console/{policy}/account", Who.STAFF, signing.own_account),
    Route("own-account", "POST", "/console/{policy}/account", Who.STAFF, signing.new_password),
    Route("desk", "GET", "/console/{policy}", Who.STAFF, due.desk),
    Route("requests", "GET", "/console/{policy}/requests", Who.REQUESTS, requests.listed),
    Route("request", "GET", "/console/{policy}/requests/{subject}/{request}", Who.REQUESTS, requests.request),
    Route("prove", "POST", "/console/{policy}/requests/{subject}/{request}/proof", Who.REQUESTS, requests.prove),
    Route(
        "incomplete", "POST", "/console/{policy}/requests/{subject}/{request}/incomplete", Who.REQUESTS,
        requests.incomplete,
    ),
    Route(
        "postpone", "POST", "/console/{policy}/requests/{subject}/{request}/postponed", Who.REQUESTS, requests.postpone
    ),
    Route("answer", "POST", "/console/{policy}/requests/{subject}/{request}/answer", Who.REQUESTS, requests.answer),
    Route(
        "take-proof", "POST", "/console/{policy}/requests/{subject}/{request}/papers", Who.REQUESTS,
        handling.take_proof, takes_files=True,
    ),
    Route(
        "proof", "GET", "/console/{policy}/requests/{subject}/{request}/papers/{paper}", Who.REQUESTS, handling.proof
    ),
    Route(
        "correct", "POST", "/console/{policy}/requests/{subject}/{request}/correction", Who.REQUESTS, handling.correct
    ),
    Route(
        "acknowledged", "POST", "/console/{policy}/requests/{subject}/{request}/acknowledged", Who.REQUESTS,
        handling.acknowledged,
    ),
    Route(
        "outcome-tell", "POST", "/console/{policy}/requests/{subject}/{request}/told", Who.REQUESTS,
        handling.tell_outcome,
    ),
    Route("pass-on", "POST", "/console/{policy}/requests/{subject}/{request}/passed", Who.REQUESTS, handling.pass_on),
    Route("extend", "POST", "/console/{policy}/requests/{subject}/{request}/extended", Who.REQUESTS, handling.extend),
    Route("accept", "POST", "/console/{policy}/requests/{subject}/{request}/accepted", Who.REQUESTS, handling.accept),
    Route("lift", "POST", "/console/{policy}/requests/{subject}/{request}/lifted", Who.REQUESTS, handling.lift),
    Route("people", "GET", "/console/{policy}/people", Who.DESK, people.look),
    Route("people", "POST", "/console/{policy}/people", Who.DESK, people.look_up),
    Route("person", "GET", "/console/{policy}/people/{subject}", Who.DESK, people.person),
    Route("receive", "POST", "/console/{policy}/people/{subject}/requests", Who.DESK, people.receive),
    Route("heard", "GET", "/console/{policy}/people/{subject}/consent", Who.DESK, heard.ask),
    Route("heard", "POST", "/console/{policy}/people/{subject}/consent", Who.DESK, heard.take, takes_files=True),
    Route(
        "act-for", "POST", "/console/{policy}/people/{subject}/acting", Who.REQUESTS, people.act_for, takes_files=True
    ),
    Route(
        "act-no-longer", "POST", "/console/{policy}/people/{subject}/acting/{acting}/ended", Who.REQUESTS,
        people.act_no_longer,
    ),
    Route("calendar", "GET", "/console/{policy}/calendar", Who.CALENDAR, calendar.calendar),
    Route("destruction-approve", "POST", "/console/{policy}/calendar", Who.DESTRUCTION, calendar.approve),
    Route("work-done", "POST", "/console/{policy}/orders/{order}", Who.DESTRUCTION, calendar.work_done),
    Route("certificate", "GET", "/console/{policy}/certificates/{certificate}", Who.CALENDAR, calendar.certificate),
    Route(
        "certificate-file", "GET", "/console/{policy}/certificates/{certificate}/file", Who.CALENDAR,
        calendar.certificate_file,
    ),
    # ── the house: duties, safeguards, leaks, registers ──
    *HOUSE,
    *DESK,
    # ── proof ──
    Route("report", "GET", "/console/{policy}/report", Who.RECORDS, report.report),
    Route("report-print", "GET", "/console/{policy}/report-print", Who.RECORDS, report.printed),
    Route("clause", "GET", "/console/{policy}/report/{clause}", Who.RECORDS, report.clause),
    Route("ledger", "GET", "/console/{policy}/ledger", Who.RECORDS, ledger.ledger),
    Route("checkpoint", "GET", "/console/{policy}/checkpoint", Who.RECORDS, ledger.checkpoint),
    Route("entry", "GET", "/console/{policy}/ledger/{reference}", Who.RECORDS, report.entry),
)  # fmt: skip
"""`name` is the same for a form and for what takes it; links go to the GET row."""
