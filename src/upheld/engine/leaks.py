"""A leak as the ledger tells it: when it became known, what was done, by when what must be done. Pure.

Two tracks run from the first awareness in the house or at a processor: each person is told, the authority is told
where its thresholds are reached. How long each may take is a dated row of law.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from upheld.dates import Instant, Period, end_of
from upheld.law import LawOfDay


class LeakCause(StrEnum):
    """How it came about."""

    OUTSIDE_ACCESS = "outside-access"
    INSIDER = "insider"
    MISTAKE = "mistake"
    LOSS = "loss"
    UNKNOWN = "unknown"


class LeakStep(StrEnum):
    """What is done about a leak; each is on record when it is done, some of them several times."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    """There was none: who was told is told so."""
    DRAFTED = "drafted"
    """The contents of the notice stand."""
    TOLD = "told"
    REPORTED = "reported"
    SUPPLEMENTED = "supplemented"
    CAUSE_FOUND = "cause-found"
    MENDED = "mended"
    LESSONS = "lessons"
    CLOSED = "closed"


BY_HAND: Final = (
    LeakStep.CONFIRMED, LeakStep.REFUTED, LeakStep.REPORTED, LeakStep.SUPPLEMENTED, LeakStep.CAUSE_FOUND,
    LeakStep.MENDED, LeakStep.LESSONS, LeakStep.CLOSED,
)  # fmt: skip
"""Steps that people put on record; the others follow from what they do."""
BEFORE_CLOSING: Final = (LeakStep.CAUSE_FOUND, LeakStep.MENDED, LeakStep.LESSONS)


@dataclass(frozen=True, slots=True)
class Stepped:
    """A step that was taken, with the entry that shows it."""

    step: LeakStep
    at: Instant
    reference: str
    by: str
    paper: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Leak:
    """One leak."""

    case: str
    aware_at: Instant
    """When somebody in the house or at a processor first knew."""
    cause: LeakCause
    items: tuple[str, ...]
    from_at: Instant
    until_at: Instant
    """In this span the items lay open."""
    place: str
    """The processor or recipient where it happened; empty: in the house."""
    suspected: bool
    """So far it is only possible."""
    reference: str
    steps: tuple[Stepped, ...] = field(default=())

    def taken(self, step: LeakStep) -> Stepped | None:
        """The first time a step was taken."""
        return next((one for one in self.steps if one.step is step), None)

    @property
    def certain(self) -> bool:
        """Whether it is no longer a suspicion only."""
        return not self.suspected or self.taken(LeakStep.CONFIRMED) is not None

    @property
    def refuted(self) -> bool:
        """Whether there was none after all."""
        return self.taken(LeakStep.REFUTED) is not None

    @property
    def over(self) -> bool:
        """Whether nothing more is owed."""
        return self.taken(LeakStep.CLOSED) is not None

    @property
    def notice(self) -> str:
        """The notice that persons are owed, a code of `OWED`."""
        return "breach" if self.certain else "possible-breach"

    @property
    def draft(self) -> str:
        """The paper with the contents that stand now; empty while nothing was written."""
        return next((one.paper for one in reversed(self.steps) if one.step is LeakStep.DRAFTED), "")


@dataclass(frozen=True, slots=True)
class Track:
    """One of the two tracks: by when, by which law, when it was done. `owed` False: below the thresholds."""

    code: str
    article: str
    within: Period | None
    due_at: Instant | None
    done_at: Instant | None
    owed: bool

    def late(self, now: Instant) -> bool:
        """Whether it was not done in time, or is not done yet and the time is over."""
        return self.owed and self.due_at is not None and (self.done_at or now) > self.due_at


def tracks(
    leak: Leak, law: LawOfDay, zone: ZoneInfo, persons: int, delicate: bool, told_at: Instant | None
) -> tuple[Track, ...]:
    """Persons, then the authority; `law` is that of the day of the first awareness.

    Told are persons when each of them is: `told_at`. The authority is told from so many persons on, of any sensitive
    or unique data, and of every unlawful access from outside.
    """
    code = "breach.told" if leak.certain else "breach.possible-told"
    reported = leak.taken(LeakStep.REPORTED)
    number = law.number("breach.reported-from")
    grave = delicate or leak.cause is LeakCause.OUTSIDE_ACCESS
    must = leak.certain and (number is None or persons >= number or grave) and law.holds("breach.reported")
    return (
        _track("persons", code, leak, law, zone, told_at, not leak.refuted and persons > 0),
        _track(
            "authority",
            "breach.reported",
            leak,
            law,
            zone,
            reported.at if reported else None,
            must and not leak.refuted,
        ),
    )


def _track(
    name: str, code: str, leak: Leak, law: LawOfDay, zone: ZoneInfo, done_at: Instant | None, owed: bool
) -> Track:
    rule, within = law.rule(code), law.period(code)
    due_at = end_of(leak.aware_at, within, zone) if within else None
    return Track(name, rule.article if rule else "", within, due_at, done_at, owed)


def missing_to_close(leak: Leak, owed: Iterable[Track]) -> tuple[str, ...]:
    """What must be done before a leak can be closed: each track that is owed, then cause, mending and lessons."""
    if leak.refuted:
        return ()
    open_tracks = [one.code for one in owed if one.owed and one.done_at is None]
    return (*open_tracks, *(step.value for step in BEFORE_CLOSING if leak.taken(step) is None))
