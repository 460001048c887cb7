"""Consents as the desk sees them: counts, never names. Who agreed to what stands on the page of the person."""

from __future__ import annotations

from upheld.desk.agreements import COUNTS, by_month, standing
from upheld.desk.counted import counted_at
from upheld.web.answer import Answer, Shown
from upheld.web.asked import Asked
from upheld.web.people import about_title


def consents(asked: Asked) -> Answer:
    """Every matter with how many agree to it, and the last twelve months."""
    months = by_month(asked.keeper, asked.policy)
    matters = [(about_title(asked, one.about), one) for one in standing(asked.keeper, asked.policy)]
    return Shown(
        "consents",
        {
            "months": months,
            "highest": max([1, *(one.given for one in months), *(one.withdrawn for one in months)]),
            "matters": matters,
            "most": max([1, *(one.given + one.withdrawn for _, one in matters)]),
            "given": sum(one.given for one in months),
            "withdrawn": sum(one.withdrawn for one in months),
            "counted_at": counted_at(asked.keeper, asked.policy, COUNTS),
        },
    )
