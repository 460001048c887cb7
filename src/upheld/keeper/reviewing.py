"""What is left open comes up for a look: somebody asks and keeps it with a reason, closes it, or has it destroyed.

The sweep notes what is up when its day has come (`docs/rules.md` 4.5), so that a list costs what is due, not what is
stored. The note is a list to work through; what is open follows from the facts alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from upheld.dates import Instant, end_of
from upheld.engine.acts import Decision, EngagementId, FactId, SubjectId
from upheld.engine.compile import REVIEWED
from upheld.engine.lifecycle import (
    CLOSED_BY_REVIEW,
    DESTROYED_BY_REVIEW,
    ENGAGEMENT_REVIEWED,
    KEPT_BY_REVIEW,
)
from upheld.engine.plan import GroundKind
from upheld.engine.reviews import COME_OF_AGE, Review, reviews_up
from upheld.engine.state import Fact
from upheld.errors import InputRefused
from upheld.keeper.door import Door, replaced
from upheld.keeper.outcome import Outcome
from upheld.ledger.entries import Entry
from upheld.policy.ends import Point
from upheld.store import subjects
from upheld.store.ids import bucket_of
from upheld.store.place import Transaction
from upheld.store.views import Seen

KEPT, CLOSED, DESTROYED = "kept", "closed", "destroyed"
ENDED: Final = "ended"
"""What was up ended by itself before anybody looked."""
OUTCOMES: Final = (KEPT, CLOSED, DESTROYED)


@dataclass(frozen=True, slots=True)
class UpForReview:
    """One thing left open that somebody has to look at.

    `element` leaves it open, `about` names it to `Reviewing.review`; since `since` it is open, the look is due at
    `due_at` and overdue from `overdue_at`; the clauses are those of the element.
    """

    subject_id: SubjectId
    about: str
    element: str
    engagement: EngagementId | None
    named: str | None
    since: Instant
    due_at: Instant
    overdue_at: Instant
    clauses: tuple[str, ...]


class Reviewing(Door):
    """Reviews: what is up, and what came of it."""

    def reviews(self, policy: str) -> list[UpForReview]:
        """What is up for a look by the last sweep, the longest due first."""
        plan = self.views.line(policy).at(self.now()) or self.views.line(policy).latest
        clauses: dict[str, tuple[str, ...]] = {}
        clauses |= {row.rule.path: row.rule.cites("until") for row in plan.kept.values()}
        clauses |= {row.rule.path: row.rule.cites("until") for row in plan.purposes.values()}
        clauses |= {row.rule.path: row.rule.cites("ends") for row in plan.engagements.values()}
        with self.places.active.reading() as connection:
            rows = connection.execute(_REVIEWS, (policy,)).fetchall()
        return [
            UpForReview(
                SubjectId(subject), about, element, EngagementId(engagement) if engagement else None, named,
                Instant(since), Instant(due_at), end_of(Instant(due_at), plan.destruction.within, plan.zone),
                clauses.get(element, ()),
            )
            for subject, about, element, engagement, named, since, due_at in rows
        ]  # fmt: skip

    def review(
        self,
        subject_id: SubjectId,
        about: str,
        outcome: str,
        *,
        engagement: EngagementId | None = None,
        reason: str | None = None,
    ) -> Outcome:
        """Somebody looked at what is left open. `kept` needs a reason (a code) and is asked again after as long;
        `closed` ends it as if what it waits for had come; `destroyed` ends besides what else is kept on no duty.

        Raises InputRefused for what is not up, and for an outcome that it cannot have.
        """
        if outcome not in OUTCOMES:
            raise InputRefused("outcome-unknown", f"a look ends with one of: {', '.join(OUTCOMES)}")
        if outcome == KEPT and not reason:
            raise InputRefused("reason-missing", "what is kept open is kept for a reason; give a reason code")

        def work(transaction: Transaction, seen: Seen, now: Instant) -> Outcome:
            up = _up(seen, about, engagement, now)
            if outcome == DESTROYED and up.kind in (GroundKind.CLAIM, GroundKind.DISPUTE):
                raise InputRefused("outcome-unknown", "a claim or a dispute is kept or closed; it keeps what it needs")
            if up.about == COME_OF_AGE and outcome != KEPT:
                raise InputRefused("outcome-unknown", "who came of age is told, which is put on record as `kept`")
            facts = _facts_of(seen, up, outcome)
            made = tuple(Fact(FactId(self.new_id()), code, now, transaction.at, of, on) for code, of, on in facts)
            state = replaced(seen.state, facts=(*seen.state.facts, *made))
            anchors = tuple((fact.code, now) for fact in made)
            moved = self._changed(transaction, seen, state, now, ((REVIEWED, now), *anchors))
            for fact in made:
                subjects.add_fact(transaction, subject_id, fact)
                transaction.journal(self._reviewed_fact(moved, transaction.at, fact, up))
            if outcome != KEPT:
                self._stirred(transaction, moved)
            transaction.journal(
                self._entry(
                    moved, now, "review.done", (up.rule,), about=up.about, outcome=outcome, engagement=up.engagement,
                    named=up.named, reason=reason, due_at=up.due_at,
                )
            )  # fmt: skip
            transaction.execute(_OVER, (bucket_of(subject_id), subject_id, up.about, up.engagement or ""))
            return Outcome(Decision(True, (up.rule.cited(),)), now, made=made[-1].fact_id)

        return self._attempt(subject_id, work)

    def _reviewed_fact(self, seen: Seen, at: Instant, fact: Fact, up: Review) -> Entry:
        return self._entry(
            seen, fact.at, "fact.recorded", (up.rule,), fact=fact.code, engagement=fact.engagement, known_at=at,
            id=fact.fact_id, named=fact.about,
        )  # fmt: skip

    def _note_reviews(self, transaction: Transaction, seen: Seen, at: Instant, found: list[Any]) -> None:
        """The sweep: what is up from now on, and what was up and has ended by itself. `found`: answers to `NOTED`."""
        key = (bucket_of(seen.subject_id), seen.subject_id)
        up = {(one.about, one.engagement or ""): one for one in reviews_up(seen.view.life, at)}
        noted = {(row[0], row[1]): row for row in found}
        for name in noted.keys() - up.keys():
            about, engagement, element, named, due_at = noted[name]
            transaction.execute(_OVER, (*key, about, engagement))
            ended = self._entry(
                seen, at, "review.done", (), about=about, outcome=ENDED, engagement=engagement or None, named=named,
                due_at=due_at,
            ).with_elements((element,))  # fmt: skip
            transaction.journal(ended)
        for name in up.keys() - noted.keys():
            one = up[name]
            row = (*name, seen.policy, one.rule.path, one.named, one.since, one.due_at)
            transaction.execute(_NOTE, (*key, *row))
            transaction.journal(
                self._entry(
                    seen, at, "review.due", (one.rule,), about=one.about, engagement=one.engagement, named=one.named,
                    since=one.since, due_at=one.due_at,
                )
            )  # fmt: skip


def _up(seen: Seen, about: str, engagement: EngagementId | None, at: Instant) -> Review:
    """What is up under that name; the engagement need not be named where there is only one."""
    found = [one for one in reviews_up(seen.view.life, at) if one.about == about]
    named = [one for one in found if engagement is None or one.engagement == engagement]
    if len(named) != 1:
        names = ", ".join(dict.fromkeys(one.about for one in reviews_up(seen.view.life, at))) or "nothing"
        raise InputRefused("review-not-up", f"name one thing that is up for a look; up now: {names}")
    return named[0]


def _facts_of(seen: Seen, up: Review, outcome: str) -> list[tuple[str, EngagementId | None, str | None]]:
    """The facts that an outcome is: code, engagement, what it is about."""
    if outcome == KEPT:
        return [(KEPT_BY_REVIEW, up.engagement, up.about)]
    if up.kind is GroundKind.DISPUTE:
        return [("dispute-settled", None, up.named)]
    destroyed: list[tuple[str, EngagementId | None, str | None]] = []
    if outcome == DESTROYED:
        destroyed.append((DESTROYED_BY_REVIEW, up.engagement, up.about))
    if up.about == ENGAGEMENT_REVIEWED and up.engagement is not None:
        return [*destroyed, (_ending(seen, up.engagement), up.engagement, None)]
    return destroyed or [(CLOSED_BY_REVIEW, up.engagement, up.about)]


def _ending(seen: Seen, engagement: EngagementId) -> str:
    """The fact that ends an engagement as the policy has it, since promises to keep count from it; else `ended`."""
    declared = seen.view.plan.engagements.get(seen.state.engagements[engagement].kind)
    ends = declared.ends if declared is not None else None
    return ends.fact if isinstance(ends, Point) and ends.calendar is None else "ended"


_REVIEWS = (
    "SELECT subject_id, about, element, engagement_id, named, since, due_at FROM review WHERE policy = ? "
    "ORDER BY due_at, subject_id, about, engagement_id"
)
NOTED = "SELECT about, engagement_id, element, named, due_at FROM review WHERE bucket = ? AND subject_id = ?"
_NOTE = (
    "INSERT INTO review(bucket, subject_id, about, engagement_id, policy, element, named, since, due_at) "
    "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_OVER = "DELETE FROM review WHERE bucket = ? AND subject_id = ? AND about = ? AND engagement_id = ?"
