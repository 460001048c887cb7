"""Papers by the reference: what is filed about a person or of the staff, and when its time is over.

Also what of a person lies on paper or elsewhere out of reach, to be destroyed by hand. Written from rules 4.12
and 12.6 to 12.8 of `docs/rules.md`, never from the keeper.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.reference_giving import Role, Twin
from upheld.dates import FOREVER, Instant, Period, calendar_end, end_of
from upheld.policy.ends import EarlierOf, End, LaterOf, Plus, Point

KEPT_ELSEWHERE = ("access-records", "aliases")
PROVED: End = Plus(Point("ended"), Period(years=3))


@dataclass(frozen=True)
class Filed:
    """A paper: its kind, what it shows, since when it is here, and until when where that was said."""

    id: str
    kind: str
    about: str | None
    at: Instant
    until: Instant | None
    text: bytes
    matter: str | None = None
    agreed: Instant | None = None
    """What was agreed to and when, of a paper that proves a consent."""


@dataclass
class Elsewhere:
    """Where else the values of a person lie; what was cleared there, and what of that without the witness promised."""

    copies: set[tuple[int, str]] = field(default_factory=set)
    cleared: set[tuple[int, str]] = field(default_factory=set)
    unwitnessed: set[int] = field(default_factory=set)

    def waiting(self, world: Twin) -> set[tuple[int, str]]:
        """What somebody has to destroy by hand: where a value lies that is destroyed everywhere else."""
        gone = {value.id for value in world.held.values() if value.state == "destroyed"}
        return {(value, place) for value, place in self.copies - self.cleared if value in gone}

    def done(self, world: Twin, values: tuple[int, ...], place: str, witness: bool) -> None:
        self.cleared |= {(value, place) for value in values}
        promised = "witness-record" in map(str, world.policy.destruction["paper"].shown_by)
        if place == "paper-file" and promised and not witness:
            self.unwitnessed |= set(values)

    def partly(self, world: Twin) -> set[int]:
        """The values whose certificates still wait for the evidence of a place."""
        return {value for value, _ in self.waiting(world)} | self.unwitnessed


def kinds(world: Twin) -> list[str]:
    return [name for name in world.policy.upkeep if name not in KEPT_ELSEWHERE]


def over(world: Twin, filed: Filed) -> bool:
    """Whether the time of a person's paper is over by what is known now."""
    return kept_until(world, filed) <= world.at


def kept_until(world: Twin, filed: Filed) -> int:
    """When it is over by what is known now; far away while what it waits for has not happened."""
    if filed.until is not None:
        return filed.until
    return _end(world, _until(world, filed.kind), lambda fact: _counted_from(world, filed, fact))


def over_for_staff(world: Twin, filed: Filed, roles: list[Role]) -> bool:
    """The same for somebody of the staff: what waits for more than the filing counts from the end of the last role."""
    if filed.until is not None:
        return filed.until <= world.at
    left = max((role.until for role in roles), default=FOREVER)
    end = _until(world, filed.kind)
    return _end(world, end, lambda fact: filed.at if fact in ("begun", "collected") else left) <= world.at


def _until(world: Twin, kind: str) -> End:
    return world.policy.upkeep[kind].until or PROVED


def _counted_from(world: Twin, filed: Filed, fact: str) -> int:
    if fact in ("begun", "collected"):
        return filed.at
    ends = [world.ended(one)[0] for one in world.begun.values()]
    held = any(value.state != "destroyed" for value in world.held.values())
    traced = FOREVER if held or any(end > world.at for end in ends) else world.changed_at
    if fact in ("settled", "answered"):
        asked = world.requests.get(filed.about or "")
        return filed.at if asked is None else asked.settled or traced
    if fact == "ended":
        relation = max(ends) if ends and max(ends) <= world.at else traced
        since = [one.at for one in world.agreed if one.matter == filed.matter and filed.agreed is not None]
        return min([relation, *(at for at in since if filed.agreed is not None and filed.agreed < at <= world.at)])
    return min([one.at for one in world.facts if one.code == fact], default=traced)


def _end(world: Twin, end: End, counted: Callable[[str], int]) -> int:
    match end:
        case Point():
            return _counted(world, end, Period(), counted)
        case Plus():
            return _counted(world, end.point, end.period, counted)
        case LaterOf():
            return max(_end(world, one, counted) for one in end.of)
        case EarlierOf():
            return min(_end(world, one, counted) for one in end.of)


def _counted(world: Twin, point: Point, period: Period, counted: Callable[[str], int]) -> int:
    at = Instant(counted(point.fact))
    return end_of(calendar_end(point.calendar, at, world.zone()) if point.calendar else at, period, world.zone())
