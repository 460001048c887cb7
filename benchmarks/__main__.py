"""`make bench`: every figure in turn, the most important first; each module in a process of its own.

python -m benchmarks --only reads,gdpr --engine postgresql --pinned     some of it
python -m benchmarks --minutes 20                                       what fits, on both engines, free and pinned
python -m benchmarks --page                                             write docs/benchmarks.md from benchmarks/results
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from time import monotonic

import msgspec

from benchmarks import page
from benchmarks.ground import ENGINES, POSTGRESQL, SQLITE, Ground, ground
from benchmarks.measure import Figure, Line, flush_of, wanted_by_others

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Module:
    """A module of figures: on which engines, whether pinned to one core too, and about how many seconds it takes."""

    name: str
    seconds: int
    engines: tuple[str, ...] = ENGINES
    pinned: bool = True

    def figures(self, where: Ground) -> Iterator[Figure]:
        """Every figure of it."""
        run: Callable[[Ground], Iterator[Figure]] = import_module(f"benchmarks.{self.name}").figures
        return run(where)


MODULES = {
    one.name: one
    for one in (
        Module("reads", 30),
        Module("flight", 60),
        Module("gdpr", 190),
        Module("writes", 15),
        Module("erase", 10),
        Module("consent", 70, pinned=False),
        Module("peers", 90, pinned=False),
        Module("api", 60, pinned=False),
        Module("growth", 540, pinned=False),
        Module("decide", 10, engines=(SQLITE,), pinned=False),
        Module("ledger", 30, engines=(SQLITE,), pinned=False),
        Module("sweep", 90, pinned=False),
        Module("memory", 90, engines=(SQLITE,), pinned=False),
    )
}
"""In the order of importance: when time is short, the end is left out."""


@dataclass(frozen=True)
class Job:
    """One module on one engine, free or on one core."""

    module: Module
    engine: str
    pinned: bool

    @property
    def file(self) -> Path:
        """Where its lines are kept."""
        return RESULTS / f"{self.module.name}-{self.engine}-{'pinned' if self.pinned else 'free'}.jsonl"

    def command(self, *more: str) -> list[str]:
        """What runs it alone."""
        words = ["--only", self.module.name, "--engine", self.engine, *(["--pinned"] if self.pinned else []), *more]
        return [sys.executable, "-m", "benchmarks", *words]


def jobs(asked: argparse.Namespace) -> list[Job]:
    """What was asked for. Both engines and both placings, unless one is named; the free ones first."""
    names = asked.only.split(",") if asked.only else list(MODULES)
    engines = (asked.engine,) if asked.engine else (POSTGRESQL, SQLITE)
    placings = (True,) if asked.pinned else (False,) if asked.free else (False, True)
    found = [
        Job(MODULES[name], engine, pinned)
        for pinned in placings
        for name in names
        for engine in engines
        if engine in MODULES[name].engines and (MODULES[name].pinned or not pinned)
    ]
    return sorted(found, key=_importance)


def _importance(job: Job) -> int:
    """What has a target of its own on PostgreSQL comes first, then the same on SQLite, then what stands beside it."""
    place = list(MODULES).index(job.module.name)
    later = len(MODULES) * (job.engine == SQLITE) + len(MODULES) * job.pinned
    return place + later - len(MODULES) * (job.pinned and job.module.name in ("reads", "flight"))


def run_here(job: Job, asked: argparse.Namespace) -> None:
    """Measure in this process and put the lines on file."""
    load = wanted_by_others()
    if job.pinned:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    lines: list[Line] = []
    with ground(job.engine, small=asked.small) as where:
        flush = round(flush_of(where.folder))
        for order, figure in enumerate(job.module.figures(where)):
            print(figure, flush=True)
            lines.append(
                Line(
                    module=job.module.name, engine=job.engine, pinned=job.pinned,
                    size="small" if asked.small else "whole", figure=figure, order=order,
                    at=datetime.now(UTC).isoformat(timespec="minutes"), machine=page.machine(),
                    versions=page.versions(job.engine), load=load, flush=flush,
                    command=" ".join(["python", *job.command(*(["--small"] if asked.small else []))[1:]]),
                )
            )  # fmt: skip
    if not asked.forget:
        RESULTS.mkdir(exist_ok=True)
        job.file.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


def run_all(asked: argparse.Namespace) -> int:
    """Each job in a process of its own; when the minutes are over the rest is left out, and said."""
    over = monotonic() + asked.minutes * 60 if asked.minutes else float("inf")
    wanted, failed = jobs(asked), 0
    for number, job in enumerate(wanted):
        if monotonic() + job.module.seconds / (4 if asked.small else 1) > over:
            left = ", ".join(f"{one.module.name} {one.engine}{' pinned' * one.pinned}" for one in wanted[number:])
            print(f"── no time is left for: {left}")
            break
        print(f"── {job.module.name}, {job.engine}, {'one core' if job.pinned else 'all cores'}", flush=True)
        more = ["--here", *(["--small"] if asked.small else []), *(["--forget"] if asked.forget else [])]
        failed += _run_alone(job.command(*more)) != 0
    print(f"{failed} of {len(wanted)} failed" if failed else "all ran; a missed target is to be explained, not hidden")
    return 1 if failed else 0


def _run_alone(command: list[str]) -> int:
    """Its exit status. Who is told to stop lets it stop its servers first."""
    with subprocess.Popen(command) as child:
        try:
            return child.wait()
        except BaseException:
            child.terminate()
            child.wait(60)
            raise


def main() -> int:
    """The exit status says whether all ran, never that all were fast."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", help=f"modules, separated by commas: {', '.join(MODULES)}")
    parser.add_argument("--engine", choices=ENGINES, help="one engine; both if left out")
    parser.add_argument("--pinned", action="store_true", help="on one core only, servers too")
    parser.add_argument("--free", action="store_true", help="on all cores only")
    parser.add_argument("--small", action="store_true", help="smaller sizes, for a first look")
    parser.add_argument("--minutes", type=float, default=0, help="stop before this is over")
    parser.add_argument("--forget", action="store_true", help="print only, keep the figures on file as they are")
    parser.add_argument("--page", action="store_true", help="write the page of results from the figures on file")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # what was started is stopped on the way out
    if asked.page:
        page.write(RESULTS)
        return 0
    if asked.here:
        run_here(jobs(asked)[0], asked)
        return 0
    return run_all(asked)


if __name__ == "__main__":
    sys.exit(main())
