"""The console's first page: what waits today."""

from __future__ import annotations

from upheld.desk.due import DueToday, Waiting, due_today
from upheld.engine.plan import Plan
from upheld.web.answer import Answer, Shown
from upheld.web.asked import Asked

SHOWN = 12
"""Ours: of each list so many stand on the first page."""


def desk(asked: Asked) -> Answer:
    """Requests due, overdue destruction, work orders, evidence falling due. Each leads to where it is done."""
    found, now, document = due_today(asked.keeper, asked.policy), asked.keeper.now(), asked.document
    late = [one for one in found.requests if one.due_at <= now]
    soon = [one for one in found.requests if one.due_at > now]

    def safeguard(name: str) -> str:
        return document.name("safeguards", name, asked.locale)

    return Shown(
        "desk",
        {
            "found": found,
            "late": late[:SHOWN],
            "soon": soon[:SHOWN],
            "late_count": len(late),
            "soon_count": len(soon),
            "item": lambda name: document.name("items", name, asked.locale),
            "safeguard": safeguard,
            "evidence": found.evidence[:SHOWN],
            "evidence_soon": found.evidence_soon[:SHOWN],
            "overdue": found.overdue[:SHOWN],
            "reviews": [(document.title(one.element, asked.locale), one) for one in found.reviews[:SHOWN]],
            "now": now,
            "quiet": quiet(found),
            "right": lambda one: right_title(asked, one),
            "lapsed": [safeguard(name) for name in asked.signed().reader.lapsed],
        },
    )


def quiet(found: DueToday) -> bool:
    """Whether nothing waits at all."""
    return not (
        found.requests or found.overdue or found.orders or found.evidence or found.evidence_soon or found.reviews
    )


def right_title(asked: Asked, one: Waiting) -> str:
    """The public name of the right that a request uses."""
    return asked.document.name("rights", one.right, asked.locale)


def channels_of(asked: Asked, plan: Plan, right: str) -> dict[str, str]:
    """The channels by which a right may be used, with their names."""
    row = plan.rights.get(right)
    names = row.by if row and row.by else frozenset(plan.channels)
    return {name: asked.document.name("channels", name, asked.locale) for name in sorted(names)}
