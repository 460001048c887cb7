"""Consent by many clients of one home: nobody fails, the total does not fall, nobody starves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import mean
from threading import Thread
from time import monotonic

import upheld
from benchmarks.crowd import crowd
from benchmarks.ground import POLICY, Ground, opened
from benchmarks.measure import Figure, shown

CLIENTS = (1, 8, 16, 32, 64)
PROCESSES = 16
"""At most so many processes; more clients are threads of them."""


def figures(ground: Ground) -> Iterator[Figure]:
    """Clients that give consent after consent for a few seconds, each for persons of its own."""
    alone, turn = 0.0, ground.sized(4, 2)
    for clients in CLIENTS[: ground.sized(len(CLIENTS), 2)]:
        processes = min(clients, PROCESSES)
        found = crowd(processes, giving, (str(ground.home()), clients // processes, turn))
        done, failed = [one for several, _ in found for one in several], sum(lost for _, lost in found)
        total = sum(done) / turn
        alone = alone or total
        how = f"consent, {clients} client{'s' * (clients > 1)}"
        said = f"{shown(total)} a second in all, {processes} processes"
        yield Figure(name=f"{how}: failed", value=failed, unit="writes", most=0, note=said)
        yield Figure(name=f"{how}: total", value=total / alone, unit="of one", least=1.0)
        yield Figure(name=f"{how}: the worst served", value=min(done) / mean(done), unit="of mean", least=0.5)


def giving(home: str, threads: int, turn: float, ready: Barrier) -> tuple[list[int], int]:
    """How many each thread gave, and how many failed."""
    done, failed = [0] * threads, [0] * threads
    with opened(Path(home)) as keeper:
        people = [[keeper.enter(POLICY, "member") for _ in range(5)] for _ in range(threads)]
        ready.wait(600)
        until = monotonic() + turn

        def client(number: int) -> None:
            while monotonic() < until:
                who = people[number][done[number] % 5]
                try:
                    done[number] += keeper.consent(who, "purpose/recommending", channel="website").granted
                except upheld.UpheldError as failure:
                    print(f"a client failed: {failure}", file=sys.stderr)
                    failed[number] += 1

        workers = [Thread(target=client, args=(number,)) for number in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    return done, sum(failed)
