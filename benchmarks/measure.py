"""The measuring rule: variants take turns, several rounds, the median of the ratios round by round.

Absolute times are printed for orientation only; machines are noisy, so a figure is a ratio within one run. A figure is
one JSON object; the page of results is made from such lines and from nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import ceil
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

import msgspec

ROUNDS = 7
LASTING = 0.25
"""Seconds that a variant is at work before the other has its turn. In a few milliseconds a bare read still profits from
where the scheduler left client and server for the other: on one core it takes a third of what it takes on two.
"""
Call = Callable[[], object]


class Figure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the result. `least`, `most`: the target; a figure with neither is printed beside the others."""

    name: str
    value: float
    unit: str
    least: float | None = None
    most: float | None = None
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether it keeps its target."""
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)

    @property
    def target(self) -> str:
        """The target in words."""
        if self.least is not None:
            return f"at least {self.least:g}"
        return "-" if self.most is None else f"at most {self.most:g}"

    def __str__(self) -> str:
        mark = "  " if self.target == "-" else "ok" if self.met else "MISS"
        return f"{mark:<4} {self.name:<62} {shown(self.value):>9} {self.unit:<11} {self.target:<13} {self.note}"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with where, when and by which command it came about."""

    module: str
    engine: str
    pinned: bool
    size: str
    figure: Figure
    order: int
    at: str
    machine: str
    versions: str
    command: str
    load: float
    """How many cores others were at work on when the run began."""
    flush: float
    """Microseconds that the disk took for a flush of a small append when the run began."""

    @property
    def key(self) -> tuple[str, str, bool, str]:
        """What a later run of the same replaces."""
        return self.module, self.engine, self.pinned, self.figure.name


def shown(value: float) -> str:
    """A number as people read it."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def seconds(call: Call) -> float:
    """How long one call takes."""
    start = perf_counter()
    call()
    return perf_counter() - start


def wanted_by_others() -> float:
    """How many cores are at work, seen in two seconds in which this process does nothing; 0 where nobody tells."""
    before = _spent()
    sleep(2)
    worked, idle = (after - past for after, past in zip(_spent(), before, strict=True))
    return round((os.cpu_count() or 1) * worked / (worked + idle or 1), 1)


def _spent() -> tuple[int, int]:
    """Ticks that all cores together were at work, and idle, since the machine began. [Linux, /proc/stat]"""
    file = Path("/proc/stat")
    if not file.exists():
        return 0, 0
    user, nice, system, idle, waiting, *rest = map(int, file.read_text().split("\n", 1)[0].split()[1:])
    return user + nice + system + sum(rest[:3]), idle + waiting


def flush_of(folder: Path) -> float:
    """Microseconds of a flush of a small append: the median of twenty-one."""
    with (folder / "flush").open("wb", buffering=0) as file:

        def once() -> None:
            file.write(b"x" * 200)
            os.fdatasync(file.fileno())

        return median(seconds(once) for _ in range(21)) * 1e6


@dataclass(frozen=True)
class Paired:
    """Seconds of each variant for one call, round by round."""

    taken: Mapping[str, tuple[float, ...]]

    def ratio(self, ours: str, bare: str) -> float:
        """Throughput of one divided by that of the other: the median over the rounds."""
        return median(its / mine for mine, its in zip(self.taken[ours], self.taken[bare], strict=True))

    def seconds(self, name: str) -> float:
        """The median."""
        return median(self.taken[name])

    def micros(self, name: str, times: int) -> str:
        """Microseconds for one of so many."""
        return f"{shown(self.seconds(name) / times * 1e6)} µs"


def _again(call: Call, times: int) -> None:
    for _ in range(times):
        call()


def paired(variants: Mapping[str, Call], rounds: int = ROUNDS, lasting: float = LASTING) -> Paired:
    """Let variants take turns of so many seconds at least; each is called twice before, to warm up and to be timed."""
    taken: dict[str, list[float]] = {name: [] for name in variants}
    calls: dict[str, int] = {}
    for name, call in variants.items():
        call()
        calls[name] = max(1, ceil(lasting / seconds(call)))
    for _ in range(rounds):
        for name, call in variants.items():
            taken[name].append(seconds(partial(_again, call, calls[name])) / calls[name])
    return Paired({name: tuple(found) for name, found in taken.items()})


def ratio_of(
    name: str, ours: Call, bare: Call, times: int, *, least: float | None = None, rounds: int = ROUNDS, note: str = ""
) -> Figure:
    """The throughput of ours as a part of the bare driver's; both calls do `times` of the thing."""
    found = paired({"ours": ours, "bare": bare}, rounds)
    said = f"{found.micros('ours', times)} against {found.micros('bare', times)}"
    return Figure(
        name=name, value=found.ratio("ours", "bare"), unit="of bare", least=least, note=f"{said}{note and '; ' + note}"
    )
