"""The measuring rule: variants take turns, several rounds, the median of the ratios round by round.

Absolute times are printed for orientation only; these machines are noisy, so a figure is a ratio within one run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

ROUNDS = 7


@dataclass(frozen=True)
class Figure:
    """One line of the result: what, the ratio or time, the target it is held against."""

    name: str
    value: float
    unit: str
    target: str
    met: bool
    note: str = ""

    def __str__(self) -> str:
        mark = "ok  " if self.met else "MISS"
        return f"{mark} {self.name:<58} {self.value:>10.3g} {self.unit:<8} target {self.target:<12} {self.note}"


def seconds(call: Callable[[], object]) -> float:
    """How long one call takes."""
    start = perf_counter()
    call()
    return perf_counter() - start


def ratio(ours: Callable[[], object], bare: Callable[[], object], rounds: int = ROUNDS) -> tuple[float, float, float]:
    """(throughput of ours divided by that of the bare driver, our seconds, its seconds): medians over the rounds."""
    ours(), bare()  # warm up
    pairs = [(seconds(ours), seconds(bare)) for _ in range(rounds)]
    return (
        median(bare_time / our_time for our_time, bare_time in pairs),
        median(our_time for our_time, _ in pairs),
        median(bare_time for _, bare_time in pairs),
    )


def at_least(name: str, value: float, target: float, unit: str = "of bare", note: str = "") -> Figure:
    """A figure that must not fall below its target."""
    return Figure(name, value, unit, f">= {target:g}", value >= target, note)


def at_most(name: str, value: float, target: float, unit: str, note: str = "") -> Figure:
    """A figure that must not rise above its target."""
    return Figure(name, value, unit, f"<= {target:g}", value <= target, note)
