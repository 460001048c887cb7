"""Waiting for an answer awake: a core that goes to sleep and is woken again costs more than most answers take to come.

Whoever waits awake looks, gives its core to whoever wants it, and looks again. That is done only where nobody is kept
from anything by it: the process has one thread, so nobody waits for the interpreter, and more than one core. Where a
look takes long somebody wanted the core; where nothing came for a while the disk or the line is slow. In both cases
waiting is done asleep for a time, which doubles as long as that stays so.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
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
_OWN_GROUPS: Final = Path("/proc/self/cgroup")
_GROUPS: Final = Path("/sys/fs/cgroup")
_SHARES: Final = (("cpu.max", ()), ("cpu.cfs_quota_us", ("cpu.cfs_period_us",)))
"""Files of a group with microseconds of processor time and of how long that is, of the second kind of groups and of the
first.
"""


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
    """How many cores this process may use at once: those that it is bound to, or as many as its container or its unit
    is given, whichever of the groups that it is in gives least.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    return min([bound, *_given()])


def _given() -> Iterator[int]:
    """Whole cores that the groups of this process are given, where they are given only so many."""
    try:
        groups = [line.split(":", 2) for line in _OWN_GROUPS.read_text().splitlines()]
    except OSError:
        return
    for _, controllers, path in groups:
        if controllers and "cpu" not in controllers.split(","):
            continue
        mounted = _GROUPS / "cpu" if controllers else _GROUPS
        # In a container its own group lies at the top, by whatever path the machine knows it.
        names = [one for one in PurePosixPath(path).parts if one not in ("/", "..")]
        for depth in range(len(names) + 1):
            yield from _share(mounted.joinpath(*names[:depth]))


def _share(group: Path) -> Iterator[int]:
    for name, of in _SHARES:
        try:
            said = " ".join((group / one).read_text() for one in (name, *of)).split()
            share, period = map(int, said)
        except (OSError, ValueError):  # not there, or as much as it wants
            continue
        if share > 0:
            yield share // period
