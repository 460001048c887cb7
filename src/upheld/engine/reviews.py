"""What is left open too long: ends that hang on the person or on staff, and the day on which somebody looks at them.

Pure functions of what is known, as in `lifecycle`. `docs/rules.md` 4.5. A look has one of three outcomes, each a fact:
kept (asked again after as long), closed (the ground ends as if what it waits for had come), destroyed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from upheld.dates import FOREVER, Instant, Period, end_of
from upheld.engine.acts import EngagementId
from upheld.engine.lifecycle import ENGAGEMENT_REVIEWED, KEPT_BY_REVIEW, Ground, Life
from upheld.engine.plan import EngagementPlan, GroundKind, RetentionPlan, Rule
from upheld.engine.state import Engagement, Fact, HeldState, Value

COME_OF_AGE = "come-of-age"
"""Not left open, yet up for somebody to act on: a young person is to be told. Its one outcome is `kept`."""
_THERE = frozenset({HeldState.HELD, HeldState.MOVING, HeldState.SEPARATED})


class Review(NamedTuple):
    """One thing left open: the element that leaves it open, since when, and when somebody has to look."""

    rule: Rule
    kind: GroundKind | None
    """None: an engagement that nobody ended."""
    about: str
    """What the fact of its outcome is about: `engagement`, the element's path, or that and the name of a dispute."""
    engagement: EngagementId | None
    since: Instant
    due_at: Instant
    named: str | None = None
    """The dispute's own name."""


def reviews_up(life: Life, at: Instant) -> tuple[Review, ...]:
    """Everything of one person that somebody has to look at by `at`, oldest first."""
    open_ones = (*_engagements(life, at), *_grounds(life, at), *_come_of_age(life))
    found = [one for one in open_ones if one.due_at <= at]
    return tuple(sorted(found, key=lambda one: (one.due_at, one.about, one.engagement or "")))


def _next(life: Life, about: str, engagement: EngagementId | None, since: Instant, period: Period) -> Instant:
    """So long after it became open, or after somebody last looked and kept it."""
    looks = life.state.facts_by_code.get(KEPT_BY_REVIEW, ())
    kept = [fact.at for fact in looks if fact.about == about and fact.engagement == engagement and fact.at >= since]
    return end_of(max([since, *kept]), period, life.plan.zone)


def _come_of_age(life: Life) -> Iterator[Review]:
    """Whoever comes of age is told that the representative speaks for them no longer and what they agreed to stands."""
    grown = life.state.minor_until
    told = any(fact.about == COME_OF_AGE for fact in life.state.facts_by_code.get(KEPT_BY_REVIEW, ()))
    if grown is not None and grown < FOREVER and not told:
        yield Review(life.plan.children.rule, None, COME_OF_AGE, None, grown, grown)


def _declared(life: Life, one: Engagement) -> EngagementPlan | None:
    """The relation as the version in force declares it, else as the last one that did."""
    known = [plan.engagements[one.kind] for plan in life.line.plans if one.kind in plan.engagements]
    return life.plan.engagements.get(one.kind, known[-1] if known else None)


def _engagements(life: Life, at: Instant) -> Iterator[Review]:
    for one in life.state.engagements.values():
        declared = _declared(life, one)
        if declared is not None and one.begun_at <= at and life.engagement_end(one.engagement_id).at >= FOREVER:
            due_at = _next(life, ENGAGEMENT_REVIEWED, one.engagement_id, one.begun_at, declared.review_after)
            yield Review(declared.rule, None, ENGAGEMENT_REVIEWED, one.engagement_id, one.begun_at, due_at)


def _grounds(life: Life, at: Instant) -> Iterator[Review]:
    """Grounds without an end, once for all values that they keep."""
    found: dict[tuple[str, EngagementId | None], Review] = {}
    disputed = False
    for value in life.state.values:
        if value.held not in _THERE or not _could_be_open(life, value, at):
            continue
        for ground in life.grounds(value):
            if ground.until.at < FOREVER or not ground.live(at):
                continue
            disputed |= ground.kind is GroundKind.DISPUTE
            one = _of_ground(life, ground)
            if one is not None:
                known = found.get((one.about, one.engagement))
                if known is None or one.since < known.since:
                    found[one.about, one.engagement] = one
    yield from found.values()
    if disputed:
        yield from _disputes(life)


def _could_be_open(life: Life, value: Value, at: Instant) -> bool:
    """Nothing is looked at before the shortest time after which anything is."""
    since = min((use.anchor_at for use in value.uses), default=value.collected_at)
    return end_of(since, life.plan.first_review, life.plan.zone) <= at


def _of_ground(life: Life, ground: Ground) -> Review | None:
    match ground.kind:
        case GroundKind.PURPOSE:
            return _of_purpose(life, ground)
        case GroundKind.RETENTION | GroundKind.CLAIM:
            row = life.plan.kept[ground.rule.path]
            return _of_row(life, ground, row)
        case _:
            return None  # a dispute is looked at as such; what a law keeps, it keeps


def _of_purpose(life: Life, ground: Ground) -> Review | None:
    """What waits for the end of an engagement is looked at with the engagement."""
    declared = life.plan.purposes.get(ground.purpose or "")
    if declared is None or declared.review_after is None:
        return None
    since = ground.from_at
    if ground.engagement is not None:
        ended = life.engagement_end(ground.engagement).at
        if ended >= FOREVER:
            return None
        since = max(since, ended)
    path = ground.rule.path
    due_at = _next(life, path, ground.engagement, since, declared.review_after)
    return Review(ground.rule, ground.kind, path, ground.engagement, since, due_at)


def _of_row(life: Life, ground: Ground, row: RetentionPlan) -> Review | None:
    if row.review_after is None:
        return None
    due_at = _next(life, ground.rule.path, ground.engagement, ground.from_at, row.review_after)
    return Review(ground.rule, ground.kind, ground.rule.path, ground.engagement, ground.from_at, due_at)


def _disputes(life: Life) -> Iterator[Review]:
    row = next((one for one in life.plan.kept.values() if one.kind is GroundKind.DISPUTE and not one.blocked), None)
    if row is None or row.review_after is None:
        return
    for opened in life.state.facts_by_code.get("dispute-opened", ()):
        if not _settled(life, opened):
            about = f"{row.rule.path}.{opened.about}" if opened.about else row.rule.path
            due_at = _next(life, about, None, opened.at, row.review_after)
            yield Review(row.rule, row.kind, about, None, opened.at, due_at, opened.about)


def _settled(life: Life, opened: Fact) -> bool:
    settled = life.state.facts_by_code.get("dispute-settled", ())
    return any(fact.about == opened.about and fact.at >= opened.at for fact in settled)
