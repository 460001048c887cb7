"""The calendar of separation and destruction: what is coming, what people must do by hand, what was certified."""

from __future__ import annotations

from typing import Final

from upheld.desk.accounts import StaffRole
from upheld.desk.due import certificates_of, coming
from upheld.keeper.elsewhere import KINDS_OF_PLACE, METHODS
from upheld.ledger import certificate_page
from upheld.policy.wording import speaks_korean
from upheld.store.verifying import check_certificate
from upheld.web.answer import Answer, Download, Moved, Printed, Refused, Shown
from upheld.web.approving import approver
from upheld.web.asked import Asked

MONTHS: Final = 12
CERTIFICATES: Final = 100
"""Ours: so many of the newest certificates are listed."""
ROLES: Final = ("privacy-officer", "handler", "processor", "facility")
"""Who did it, or watched: roles, never names."""


def calendar(asked: Asked) -> Answer:
    """The months ahead, open work orders, the newest certificates."""
    return _page(asked, "", 200)


def _page(asked: Asked, problem: str, status: int) -> Shown:
    approval = asked.plan.destruction.approval
    keeper, policy, korean = asked.keeper, asked.policy, asked.locale == "ko"
    months = coming(keeper, policy, MONTHS)
    overdue = keeper.overdue(policy)
    return Shown(
        "calendar",
        {
            "months": months,
            "most": max([1, *(one.separate + one.destroy for one in months)]),
            "overdue": len(overdue),
            "orders": keeper.work_orders(policy),
            "now": keeper.now(),
            "certificates": certificates_of(keeper, policy, CERTIFICATES),
            "place": lambda code: KINDS_OF_PLACE[code].ko if korean else KINDS_OF_PLACE[code].en,
            "methods": {code: named.ko if korean else named.en for code, named in METHODS.items()},
            "roles": ROLES,
            "approvers": [asked.document.name("handlers", one, asked.locale) for one in sorted(approval)],
            "approved_until": keeper.approved_until(policy) if approval else None,
            "problem": problem,
        },
        status,
    )


def approve(asked: Asked) -> Answer:
    """What has fallen due until now may be destroyed: one asks, another approves with a code of theirs."""
    found = approver(asked, roles=(StaffRole.OFFICER, StaffRole.HANDLER))
    if found is None:
        return _page(asked, "not-approved", 403)
    asked.keeper.approve_destruction(asked.policy, by=asked.signed().account.handler_id, approver=found)
    return Moved(asked.url("calendar"))


def work_done(asked: Asked) -> Answer:
    """People did it by hand: how, in which role, before whom. Completes the certificate."""
    order = asked.parts["order"]
    if all(one.order_id != order for one in asked.keeper.work_orders(asked.policy)):
        raise Refused(404, "order-unknown")
    method, by = asked.choice("method", tuple(METHODS)), asked.choice("by", ROLES)
    witness = asked.choice("witness", ("", *ROLES)) or None
    asked.keeper.work_done(order, method=method, by=by, witness=witness)
    return Moved(asked.url("calendar"))


def certificate(asked: Asked) -> Answer:
    """One certificate, checked against the ledger, as a page to print."""
    document = _document(asked)
    with asked.keeper.places.ledger_copy() as path:
        checked = check_certificate(document, path)
    korean = speaks_korean(asked.plan.controller)
    return Printed(certificate_page.page(document, checked, asked.plan.zone, korean=korean))


def certificate_file(asked: Asked) -> Answer:
    """The signed certificate itself, which anybody can check without us."""
    return Download(_document(asked), "application/json", f"certificate-{asked.parts['certificate']}.json")


def _document(asked: Asked) -> bytes:
    """INVARIANT: I12, only one of this policy."""
    wanted = asked.parts["certificate"]
    if wanted not in asked.keeper.certificates(asked.policy):
        raise Refused(404, "certificate-unknown")
    return asked.keeper.certificate(wanted)
