"""The one clock: the machine's, or one that a test, a simulation or an audit sets."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Protocol

from upheld.dates import Instant, instant


class Clock(Protocol):
    """The one clock. `settable` tells that a test or a simulation moves it, so that a leap means nothing."""

    settable: bool

    def now(self) -> Instant:
        """The instant now."""

    def monotonic(self) -> float:
        """Seconds that never go back."""


class SystemClock:
    """The machine's clock."""

    settable = False

    def now(self) -> Instant:
        """The instant now."""
        return Instant(time.time_ns() // 1_000)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()


class SetClock:
    """A clock that stands still until it is set: for tests, cases, simulations, and audits of the past."""

    settable = True

    def __init__(self, at: datetime | Instant) -> None:
        self._now = instant(at) if isinstance(at, datetime) else at

    def now(self) -> Instant:
        """Where the clock stands."""
        return self._now

    def monotonic(self) -> float:
        """Seconds of the set instant, so that caches age with it."""
        return self._now / 1_000_000

    def set(self, at: datetime | int) -> None:
        """Move the clock; a number is microseconds, like an Instant. Raises ValueError when it would go back."""
        to = instant(at) if isinstance(at, datetime) else Instant(at)
        if to < self._now:
            raise ValueError("a set clock goes forward only")
        self._now = to
