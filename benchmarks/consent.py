"""Consent by many writer processes on one home: nobody fails, the total does not fall, nobody starves.

python -m benchmarks.consent
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from time import monotonic, sleep

import upheld
from benchmarks import homes
from benchmarks.measure import Figure, at_least, at_most

SECONDS = 4.0
WRITERS = (1, 8, 16, 32)


def _writer(folder: str, begin_at: float, answer: multiprocessing.Queue[tuple[int, int]]) -> None:
    clock = upheld.SetClock(homes.START)
    keeper = upheld.open(folder, upheld.Options(clock=clock, light_hashing=True))
    subjects = [keeper.enter(homes.POLICY, "member") for _ in range(5)]
    sleep(max(0.0, begin_at - monotonic()))
    until = monotonic() + SECONDS
    done = failed = 0
    while monotonic() < until:
        try:
            outcome = keeper.consent(subjects[done % 5], "purpose/recommending", channel="website")
            done += outcome.granted
        except upheld.UpheldError as failure:
            print(f"writer {os.getpid()}: {failure}", file=sys.stderr)
            failed += 1
    keeper.close()
    answer.put((done, failed))


def _run(folder: str, writers: int) -> tuple[list[int], int]:
    context = multiprocessing.get_context("spawn")
    answer: multiprocessing.Queue[tuple[int, int]] = context.Queue()
    begin_at = monotonic() + 4 + writers * 0.35
    processes = [context.Process(target=_writer, args=(folder, begin_at, answer)) for _ in range(writers)]
    for process in processes:
        process.start()
    results = [answer.get(timeout=240) for _ in processes]
    for process in processes:
        process.join()
    return [done for done, _ in results], sum(failed for _, failed in results)


def figures() -> Iterator[Figure]:
    """Every figure of this module."""
    alone = 0.0
    for writers in WRITERS:
        with tempfile.TemporaryDirectory() as folder:
            keeper, _ = homes.home_at(Path(folder) / "home")
            keeper.close()
            done, failed = _run(str(Path(folder) / "home"), writers)
        total = sum(done) / SECONDS
        alone = alone or total
        yield at_most(
            f"consent, {writers} writer processes: failed", failed, 0, "writes", f"{total:.0f} a second in all"
        )
        yield at_least(f"consent, {writers} writer processes: total", total / alone, 1.0, "of one")
        yield at_least(f"consent, {writers} writer processes: the worst", min(done) / mean(done), 0.5, "of mean")


if __name__ == "__main__":
    for figure in figures():
        print(figure, flush=True)
