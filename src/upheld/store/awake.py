"""Waiting for an answer awake: a core that goes to sleep and is woken again costs more than most answers take to come.

Whoever waits awake looks, gives its core to whoever wants it, and looks again. That is done only where nobody is kept
from anything by it: the process has one thread, so nobody waits for the interpreter, and more than one core. Where a
look takes long somebody wanted the core; where nothing came for a while the disk or the line is slow. In both cases
waiting is done asleep for a time, which doubles as long as that stays so.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import active_count
from time import perf_counter
from typing import Final

LONGEST: Final = 500e-6
"""Seconds awake at most, for one answer."""
LOOK: Final = 150e-6
"""Seconds that a look takes at most as long as nobody wants the core for long; mostly it is one. A server put on
the core of who waits for it is done sooner: to sleep for that would leave it there. Others take milliseconds.
"""
REST: Final = 4
MOST_REST: Final = 512
"""So many answers are waited for asleep after somebody else wanted the core, or nothing came: at first, and at most."""
_SHARE: Final = Path("/sys/fs/cgroup/cpu.max")


class Awake:
    """Whether answers on one connection are waited for awake. One thread at a time."""

    __slots__ = ("_asleep", "_rest", "allowed")

    def __init__(self, allowed: bool) -> None:
        self.allowed = allowed and cores() > 1
        """Never changes: whether it is wanted at all, and has a core to give away."""
        self._asleep = 0
        self._rest = REST

    def wait(self, busy: Callable[[], int | bool], look: Callable[[], None]) -> None:
        """Look until it is not busy any more, for a while. Returns at once where waiting is to be done asleep."""
        if not self.allowed or active_count() > 1:
            return
        if self._asleep:
            self._asleep -= 1
            return
        give_way, now = os.sched_yield, perf_counter
        begun = before = now()
        until = begun + LONGEST
        while busy():
            give_way()
            look()
            after = now()
            if after - before > LOOK or after > until:
                self._tire()
                return
            before = after
        self._rest = REST

    def _tire(self) -> None:
        self._asleep, self._rest = self._rest, min(2 * self._rest, MOST_REST)


def cores() -> int:
    """How many cores this process may use at once: those that it is bound to, or what its container is given."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    try:
        share, period = _SHARE.read_text().split()
        return bound if share == "max" else min(bound, int(share) // int(period))
    except (OSError, ValueError):
        return bound
