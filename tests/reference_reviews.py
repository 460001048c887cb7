"""What is left open too long, by the reference: written from rule 4.20, never from the engine."""

from __future__ import annotations

from collections.abc import Iterator

from tests.reference import World, purpose_of
from upheld.dates import FOREVER, Instant, Period, end_of

Up = tuple[str, str | None, str | None]
"""What a look is about, in which engagement, and the name of the dispute."""


def up_for_review(world: World) -> set[Up]:
    """Everything of a person that somebody has to look at by now."""
    found = {up for up, since, period in _open(world) if _asked_again(world, up, since, period) <= world.at}
    told = any(one.code == "review-kept" and one.about == "come-of-age" for one in world.facts)
    grown = world.minor_until is not None and world.minor_until <= world.at
    return found | ({("come-of-age", None, None)} if grown and not told else set())


def _asked_again(world: World, up: Up, since: int, period: Period) -> int:
    kept = [one.at for one in world.facts if one.code == "review-kept" and (one.about, one.engagement) == up[:2]]
    return end_of(Instant(max([since, *(at for at in kept if at >= since)])), period, world.zone())


def _open(world: World) -> Iterator[tuple[Up, int, Period]]:
    for one in world.begun.values():
        rows = [policy.engagements[one.kind] for policy in world.policies if one.kind in policy.engagements]
        row = world.policy.engagements.get(one.kind, rows[-1])
        if world.ended(one)[0] >= FOREVER and one.at <= world.at:
            assert row.review_after
            yield ("engagement", one.id, None), one.at, row.review_after
    firsts: dict[Up, tuple[int, Period]] = {}
    disputed = False
    for value in world.held.values():
        for ground in world.grounds(value) if value.state != "destroyed" else ():
            if ground.until[0] < FOREVER or not ground.lives(world.at):
                continue
            disputed = disputed or ground.kind == "dispute"
            since, period = int(ground.begins), _period(world, ground.kind, ground.path, ground.purpose)
            if ground.kind == "purpose" and ground.engagement is not None:
                ended = world.ended(world.begun[ground.engagement])[0]
                since, period = max(since, ended), None if ended >= FOREVER else period
            if period is not None:
                up = (ground.path, ground.engagement, None)
                firsts[up] = min(firsts.get(up, (since, period)), (since, period), key=lambda each: each[0])
    yield from ((up, since, period) for up, (since, period) in firsts.items())
    if disputed:
        yield from _disputes(world)


def _period(world: World, kind: str, path: str, purpose: str | None) -> Period | None:
    if kind == "purpose":
        row = purpose_of(world.policy, purpose or "")
        return row.review_after if row else None
    kept = next((row for row in world.policy.retention.values() if row.path == path), None)
    return kept.review_after if kept is not None and kind in ("retention", "claim") else None


def _disputes(world: World) -> Iterator[tuple[Up, int, Period]]:
    row = next(row for row in world.policy.retention.values() if row.kind == "dispute" and not row.blocked)
    settled = [(one.about, one.at) for one in world.facts if one.code == "dispute-settled"]
    for one in world.facts:
        if one.code == "dispute-opened" and not any(name == one.about and at >= one.at for name, at in settled):
            assert row.review_after
            yield (f"{row.path}.{one.about}" if one.about else row.path, None, one.about), one.at, row.review_after
