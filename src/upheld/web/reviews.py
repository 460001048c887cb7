"""What was left open and is up for a look: it goes on for a reason, is closed, or what hangs on it is destroyed."""

from __future__ import annotations

from typing import Final

from upheld.engine.acts import EngagementId, SubjectId
from upheld.keeper.reviewing import KEPT, OUTCOMES
from upheld.web.answer import Answer, Moved, Refused, Shown
from upheld.web.asked import Asked

GOES_ON_FOR: Final = ("still-runs", "still-owed", "dispute-goes-on", "told-of-age")
"""Ours: why what was left open stays open, which is asked again after as long."""


def reviews(asked: Asked) -> Answer:
    """What is up for a look, the longest due first."""
    return _page(asked, "", 200)


def review(asked: Asked) -> Answer:
    """Somebody looked. What is kept open needs its reason."""
    subject = SubjectId(asked.parts["subject"])
    up = [one for one in asked.keeper.reviews(asked.policy) if one.subject_id == subject]
    about, engagement = asked.field("about"), asked.field("engagement")
    one = next((each for each in up if each.about == about and (each.engagement or "") == engagement), None)
    if one is None:
        raise Refused(409, "changed-meanwhile")
    outcome, reason = asked.choice("outcome", OUTCOMES), asked.choice("reason", ("", *GOES_ON_FOR)) or None
    if outcome == KEPT and reason is None:
        return _page(asked, "reason-missing", 400)
    asked.keeper.review(
        subject, one.about, outcome, reason=reason, engagement=EngagementId(engagement) if engagement else None
    )
    return Moved(asked.url("reviews"))


def _page(asked: Asked, problem: str, status: int) -> Shown:
    document = asked.document
    rows = [(document.title(one.element, asked.locale), one) for one in asked.keeper.reviews(asked.policy)]
    values = {"rows": rows, "outcomes": OUTCOMES, "reasons": GOES_ON_FOR, "now": asked.keeper.now(), "problem": problem}
    return Shown("reviews", values, status)
