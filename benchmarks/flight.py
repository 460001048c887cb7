"""Sixty-four reads in flight, by one process and by eight, against the same on a bare pool that merges nothing.

The bare pool has eight connections in all, as a service would have; 64 tasks of one loop, or 64 threads, ask for one
row at a time.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path
from queue import SimpleQueue
from statistics import median
from threading import Thread
from time import monotonic
from typing import Any

import psycopg

from benchmarks.crowd import crowd
from benchmarks.ground import POSTGRESQL, Bare, Ground, Person, bare, opened
from benchmarks.loader import load
from benchmarks.measure import Figure, shown

IN_FLIGHT = 64
CONNECTIONS = 8
ROUNDS = 3
SELECT = "SELECT id, content FROM value WHERE id = ?"
Read = Callable[[random.Random], object]


def figures(ground: Ground) -> Iterator[Figure]:
    """One process with 64 threads, then eight with eight each; variants take turns."""
    home, turn = ground.home(), ground.sized(4, 1)
    with opened(home) as keeper:
        people = load(home, keeper, ground.sized(5_000, 1_000), ("name",))
        keeper.seal()
    database, rows = ground.database(), len(people)
    _fill(database, rows)
    pools: dict[str, Callable[..., float]] = {"a pool of threads": plain_reads}
    if ground.engine == POSTGRESQL:
        pools = {"a pool in one loop": plain_loop, **pools}
    for processes in (1, 8):
        threads = IN_FLIGHT // processes
        ours: list[float] = []
        bares: dict[str, list[float]] = {name: [] for name in pools}
        for _ in range(ROUNDS):
            ours.append(sum(crowd(processes, governed, (str(home), people, threads, turn))))
            for name, work in pools.items():
                given = (database, rows, threads, CONNECTIONS // processes, turn)
                bares[name].append(sum(crowd(processes, work, given)))
        for name, rates in bares.items():
            yield Figure(
                name=f"{IN_FLIGHT} reads in flight, {processes} process{'es' * (processes > 1)}, beside {name}",
                value=median(mine / its for mine, its in zip(ours, rates, strict=True)), unit="of bare",
                least=2.5 if work_has_target(name) else None,
                note=f"{shown(median(ours))} against {shown(median(rates))} a second",
            )  # fmt: skip


def work_has_target(pool: str) -> bool:
    """The target was set against a loop with a pool; threads of the same driver are faster, and stand beside it."""
    return pool == "a pool in one loop"


def _fill(database: str, rows: int) -> None:
    plain = bare(database)
    plain.execute(plain.spelled("CREATE TABLE value(id INTEGER PRIMARY KEY, subject TEXT, content BLOB)"))
    plain.many(
        plain.spelled("INSERT INTO value VALUES(?, ?, ?)"), ((one, f"subject-{one}", b"x" * 92) for one in range(rows))
    )
    plain.close()


def governed(home: str, people: list[Person], threads: int, turn: float, ready: Barrier) -> float:
    """Recorded reads a second."""
    with opened(Path(home)) as keeper:
        reader = keeper.application("crm")
        for start in range(0, len(people), 500):
            wanted = [(who, values[0]) for who, values in people[start : start + 500]]
            keeper.read_batch("identity", wanted, reader=reader, use="identify")

        def read(chosen: random.Random) -> None:
            who, values = chosen.choice(people)
            got = keeper.read(who, "identity", reader=reader, values=(values[0],), use="identify")
            assert got.granted

        return _rate(read, threads, turn, ready)


def plain_reads(database: str, rows: int, threads: int, connections: int, turn: float, ready: Barrier) -> float:
    """Bare reads a second."""
    pool: SimpleQueue[Bare] = SimpleQueue()
    for _ in range(connections):
        pool.put(bare(database))
    select = bare(database).spelled(SELECT)

    def read(chosen: random.Random) -> None:
        connection = pool.get()
        connection.execute(select, (chosen.randrange(rows),)).fetchone()
        pool.put(connection)

    return _rate(read, threads, turn, ready)


def plain_loop(database: str, rows: int, tasks: int, connections: int, turn: float, ready: Barrier) -> float:
    """Bare reads a second of tasks in one loop that share the driver's asynchronous connections."""
    return asyncio.run(_looped(database, rows, tasks, connections, turn, ready))


async def _looped(database: str, rows: int, tasks: int, connections: int, turn: float, ready: Barrier) -> float:
    pool: asyncio.Queue[psycopg.AsyncCursor[Any]] = asyncio.Queue()
    for _ in range(connections):
        connection = await psycopg.AsyncConnection.connect(database, autocommit=True)
        connection.prepare_threshold = 2
        pool.put_nowait(connection.cursor(binary=True))
    ready.wait(300)
    until = monotonic() + turn

    async def task(number: int) -> int:
        chosen, done = random.Random(number), 0
        while monotonic() < until:
            cursor = await pool.get()
            await cursor.execute(SELECT.replace("?", "%s"), (chosen.randrange(rows),))
            await cursor.fetchone()
            pool.put_nowait(cursor)
            done += 1
        return done

    return sum(await asyncio.gather(*map(task, range(tasks)))) / turn


def _rate(read: Read, threads: int, turn: float, ready: Barrier) -> float:
    done = [0] * threads
    ready.wait(300)
    until = monotonic() + turn

    def work(number: int) -> None:
        chosen = random.Random(number)
        while monotonic() < until:
            read(chosen)
            done[number] += 1

    workers = [Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(done) / turn
