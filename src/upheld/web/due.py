"""The console's first page: what waits today."""

from __future__ import annotations

from upheld.desk.articles import capital
from upheld.desk.due import DueToday, Owed, Waiting, due_today
from upheld.desk.duties import Falls, calendar_of
from upheld.desk.failures import failures
from upheld.desk.leaks import leaks_of
from upheld.desk.parties import answers_awaited
from upheld.engine.leaks import Leak
from upheld.engine.plan import Plan
from upheld.keeper.asking import AUTOMATED
from upheld.web.answer import Answer, Shown
from upheld.web.asked import Asked
from upheld.web.gate import may
from upheld.web.route import Who
from upheld.web.staff import staff_title
from upheld.web.words import say

SHOWN = 12
"""Ours: of each list so many stand on the first page."""
BESIEGED = 20
"""Ours: failed sign-ins within a day that the officer is told of on the first page."""


def desk(asked: Asked) -> Answer:
    """Requests due, overdue destruction, work orders, evidence falling due. Each leads to where it is done."""
    found, now, document = due_today(asked.keeper, asked.policy), asked.keeper.now(), asked.document
    owed, owed_soon = _own(asked, found.evidence), _own(asked, found.evidence_soon)
    late = [one for one in found.requests if one.due_at <= now]
    soon = [one for one in found.requests if one.due_at > now]

    def safeguard(name: str) -> str:
        return document.name("safeguards", name, asked.locale)

    duties, leaks, awaited = _of_the_house(asked)
    return Shown(
        "desk",
        {
            "duties": [(one, capital(one.duty.title.say(asked.locale))) for one in duties],
            "leaks": leaks,
            "tries": _tries(asked),
            "awaited": awaited,
            "party": lambda name: document.name("parties", name, asked.locale),
            "found": found,
            "late": late[:SHOWN],
            "soon": soon[:SHOWN],
            "late_count": len(late),
            "soon_count": len(soon),
            "item": lambda name: document.name("items", name, asked.locale),
            "safeguard": safeguard,
            "who": staff_title(asked),
            "evidence": owed[:SHOWN],
            "evidence_count": len(owed),
            "evidence_soon": owed_soon[:SHOWN],
            "overdue": found.overdue[:SHOWN],
            "reviews": [(document.title(one.element, asked.locale), one) for one in found.reviews[:SHOWN]],
            "now": now,
            "quiet": quiet(found) and not (duties or leaks or awaited),
            "right": lambda one: right_title(asked, one),
            "lapsed": [safeguard(name) for name in asked.signed().reader.lapsed],
        },
    )


def _own(asked: Asked, owed: tuple[Owed, ...]) -> tuple[Owed, ...]:
    """All that is owed, for who keeps records; of others only what clears them themselves."""
    return (
        owed if may(asked, Who.RECORDS) else tuple(one for one in owed if one.about == asked.signed().reader.reader_id)
    )


def _tries(asked: Asked) -> int:
    """Failed sign-ins since yesterday, where there are more than people forget passwords; for the officer."""
    if not may(asked, Who.OFFICER):
        return 0
    tries = sum(one.tries for one in failures(asked.keeper, asked.policy, days=1))
    return tries if tries >= BESIEGED else 0


def _of_the_house(asked: Asked) -> tuple[tuple[Falls, ...], list[Leak], int]:
    """Duties that are late or due soon, open leaks, answers of recipients that are awaited: for who keeps records."""
    if not may(asked, Who.RECORDS):
        return (), [], 0
    keeper, policy = asked.keeper, asked.policy
    leaks = [one for one in leaks_of(keeper, policy) if not (one.over or one.refuted)]
    awaited = sum(answers_awaited(keeper, policy).values())
    return calendar_of(keeper, policy).waiting, leaks, awaited


def quiet(found: DueToday) -> bool:
    """Whether nothing waits at all."""
    return not (
        found.requests or found.overdue or found.orders or found.evidence or found.evidence_soon or found.reviews
    )


def right_title(asked: Asked, one: Waiting) -> str:
    """The public name of the right that a request uses."""
    return named_right(asked, one.right)


def named_right(asked: Asked, right: str) -> str:
    """The public name of a right; ours for the one of the law that no document here names."""
    named = asked.document.name("rights", right, asked.locale)
    return say("desk.automated-decision", asked.locale) if named == AUTOMATED else named


def channels_of(asked: Asked, plan: Plan, right: str) -> dict[str, str]:
    """The channels by which a right may be used, with their names."""
    row = plan.rights.get(right)
    names = row.by if row and row.by else frozenset(plan.channels)
    return {name: asked.document.name("channels", name, asked.locale) for name in sorted(names)}
