"""What the reference is told: the events of one person's history, acts and sweeps among them."""

from __future__ import annotations

from dataclasses import dataclass

from upheld.dates import Instant

Moment = tuple[int, int]
"""When it happened (or will) and when what fixed it became known."""


@dataclass(frozen=True)
class Begun:
    id: str
    kind: str
    at: Instant
    known: Instant
    organisation: str | None = None


@dataclass(frozen=True)
class Fact:
    code: str
    at: Instant
    known: Instant
    engagement: str | None = None
    about: str | None = None
    values: tuple[int, ...] = ()

    def concerns(self, value: Held) -> bool:
        """It names the value, or happened in an engagement for which the value is used."""
        if self.values:
            return value.id in self.values
        return self.engagement is None or any(use.engagement == self.engagement for use in value.uses)


@dataclass(frozen=True)
class Agreed:
    matter: str
    given: bool
    at: Instant
    known: Instant
    version: int
    channel: str = "website"


@dataclass(frozen=True)
class Used:
    purpose: str
    engagement: str | None
    at: Instant
    known: Instant
    version: int
    exception: str | None = None


@dataclass(frozen=True)
class Unasked:
    """An exception to consent, and what is shown for it."""

    exception: str
    shown: frozenset[str] = frozenset()
    law: str | None = None


@dataclass(frozen=True)
class Held:
    """A value: collected, perhaps used for more, perhaps replaced; `state` is held, separated or destroyed."""

    id: int
    item: str
    at: Instant
    uses: tuple[Used, ...]
    state: str = "held"
    replaced: Moment | None = None
    held_for: str | None = None


@dataclass(frozen=True)
class Request:
    id: str
    right: str
    received: Instant
    proved: Instant | None
    values: tuple[int, ...] = ()
    purposes: tuple[str, ...] = ()
    state: str = "open"
    settled: Instant | None = None
    lifted: Instant | None = None
    freezes: bool = True

    def touches(self, value: Held) -> bool:
        """Named, or held when it came in; what corrects a value came with it."""
        return value.id in self.values if self.values else any(use.at <= self.received for use in value.uses)


@dataclass(frozen=True)
class Sweep:
    at: Instant


Event = Begun | Fact | Agreed | Held | Request | Sweep
