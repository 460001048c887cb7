"""Sixty-four reads in flight, by one process and by eight, against the same on a bare pool that merges nothing.

The bare pool has eight connections in all, as a service would have; 64 tasks of one loop, or 64 threads, ask for one
row at a time. A service takes a pool from a library: psycopg's own, or asyncpg's. Beside them stand two that do less
than any library may, in a loop and for threads: a queue of cursors that are never looked at again.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path
from queue import SimpleQueue
from statistics import median
from threading import Thread
from time import monotonic
from typing import Any

import asyncpg
import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import AsyncConnectionPool

import upheld
from benchmarks.crowd import crowd
from benchmarks.ground import POSTGRESQL, Bare, Ground, Person, bare, opened
from benchmarks.loader import load
from benchmarks.measure import Figure, shown
from upheld.engine.acts import Reader

IN_FLIGHT = 64
CONNECTIONS = 8
ROUNDS = 5
"""In every second one the order is the other way round: what one leaves behind, such as tables to be cleaned, does not
always fall on the same.
"""
FEWER = 1_000
SELECT = "SELECT id, content FROM value WHERE id = ?"
PSYCOPG, ASYNCPG = "psycopg's pool", "asyncpg's pool"
LOOP, THREADS = "cursors in a queue, one loop", "cursors in a queue, threads"
Read = Callable[[random.Random], object]


def figures(ground: Ground) -> Iterator[Figure]:
    """One process with 64 in flight, then eight with eight each; variants take turns."""
    home, turn = ground.home(), ground.sized(4, 1)
    with opened(home) as keeper:
        people = load(home, keeper, ground.sized(5_000, 1_000), ("name",))
        keeper.seal()
    database, rows = ground.database(), len(people)
    _fill(database, rows)
    pools: dict[str, Callable[..., float]] = {THREADS: plain_reads}
    if ground.engine == POSTGRESQL:
        pools = {PSYCOPG: psycopg_pool, ASYNCPG: asyncpg_pool, LOOP: plain_loop, **pools}
    forms: dict[str, Callable[..., float]] = {"tasks": governed_tasks, "threads": governed}
    for processes in (1, 8):
        each = IN_FLIGHT // processes
        # On one core eight processes would be a minute at meeting everybody before each turn.
        some = people if processes == 1 or len(os.sched_getaffinity(0)) > 1 else people[:FEWER]
        rates: dict[str, list[float]] = {name: [] for name in (*forms, *(f"pool {name}" for name in pools))}
        ours = [(name, work, (str(home), some, each, turn)) for name, work in forms.items()]
        given = (database, rows, each, CONNECTIONS // processes, turn)
        bares = [(f"pool {name}", work, given) for name, work in pools.items()]
        for number in range(ROUNDS):
            for name, work, arguments in [*ours, *bares][:: -1 if number % 2 else 1]:
                rates[name].append(sum(crowd(processes, work, arguments)))
        for form, pool in _beside(tuple(pools)):
            governed_rates, plain_rates = rates[form], rates[f"pool {pool}"]
            yield Figure(
                name=f"{IN_FLIGHT} reads in flight, {processes} process{'es' * (processes > 1)}, {form} "
                f"beside {pool}",
                value=median(mine / its for mine, its in zip(governed_rates, plain_rates, strict=True)), unit="of bare",
                least=2.5 if (form, pool) == ("tasks", PSYCOPG) else None,
                note=f"{shown(median(governed_rates))} against {shown(median(plain_rates))} a second",
            )  # fmt: skip


def _beside(pools: tuple[str, ...]) -> list[tuple[str, str]]:
    """Tasks of a loop beside each; threads beside threads."""
    return [("tasks", pool) for pool in pools] + [("threads", THREADS)]


def _fill(database: str, rows: int) -> None:
    plain = bare(database)
    plain.execute(plain.spelled("CREATE TABLE value(id INTEGER PRIMARY KEY, subject TEXT, content BLOB)"))
    plain.many(
        plain.spelled("INSERT INTO value VALUES(?, ?, ?)"), ((one, f"subject-{one}", b"x" * 92) for one in range(rows))
    )
    plain.close()


def governed(home: str, people: list[Person], threads: int, turn: float, ready: Barrier) -> float:
    """Recorded reads a second, by threads."""
    with opened(Path(home)) as keeper:
        reader = _warm(keeper, people)

        def read(chosen: random.Random) -> None:
            who, values = chosen.choice(people)
            got = keeper.read(who, "identity", reader=reader, values=(values[0],), use="identify")
            assert got.granted

        return _rate(read, threads, turn, ready)


def governed_tasks(home: str, people: list[Person], tasks: int, turn: float, ready: Barrier) -> float:
    """Recorded reads a second, by tasks of one loop."""
    with opened(Path(home)) as keeper:
        return asyncio.run(_governed(keeper, people, tasks, turn, ready))


async def _governed(keeper: upheld.Keeper, people: list[Person], tasks: int, turn: float, ready: Barrier) -> float:
    reader = _warm(keeper, people)
    ready.wait(300)
    until = monotonic() + turn

    async def task(number: int) -> int:
        chosen, done = random.Random(number), 0
        while monotonic() < until:
            who, values = chosen.choice(people)
            got = await keeper.front.read(who, "identity", reader=reader, values=(values[0],), use="identify")
            assert got.granted
            done += 1
        return done

    return sum(await asyncio.gather(*map(task, range(tasks)))) / turn


def _warm(keeper: upheld.Keeper, people: list[Person]) -> Reader:
    """Whoever reads, once every view and key is in memory."""
    reader = keeper.application("crm")
    for start in range(0, len(people), 500):
        wanted = [(who, values[0]) for who, values in people[start : start + 500]]
        keeper.read_batch("identity", wanted, reader=reader, use="identify")
    return reader


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


def psycopg_pool(database: str, rows: int, tasks: int, connections: int, turn: float, ready: Barrier) -> float:
    """Bare reads a second of tasks in one loop that take their connection from psycopg's pool."""

    async def looped() -> float:
        async def prepared(connection: psycopg.AsyncConnection[Any]) -> None:
            await connection.set_autocommit(True)
            connection.prepare_threshold = 2

        statement = SELECT.replace("?", "%s")
        async with AsyncConnectionPool(
            database, min_size=connections, max_size=connections, configure=prepared, open=False
        ) as pool:
            await pool.wait()

            async def read(number: int) -> None:
                async with pool.connection() as connection:
                    found = await connection.execute(statement, (number,), binary=True)
                    await found.fetchone()

            return await _looped(read, rows, tasks, turn, ready)

    return asyncio.run(looped())


def asyncpg_pool(database: str, rows: int, tasks: int, connections: int, turn: float, ready: Barrier) -> float:
    """Bare reads a second of tasks in one loop that take their connection from asyncpg's pool."""

    async def looped() -> float:
        said = {name: str(word) for name, word in conninfo_to_dict(database).items()}
        statement = SELECT.replace("?", "$1")
        async with asyncpg.create_pool(
            host=said["host"], user=said["user"], database=said["dbname"], min_size=connections, max_size=connections
        ) as pool:

            async def read(number: int) -> None:
                async with pool.acquire() as connection:
                    await connection.fetchrow(statement, number)

            return await _looped(read, rows, tasks, turn, ready)

    return asyncio.run(looped())


def plain_loop(database: str, rows: int, tasks: int, connections: int, turn: float, ready: Barrier) -> float:
    """Bare reads a second of tasks in one loop that share cursors."""

    async def looped() -> float:
        statement = SELECT.replace("?", "%s")
        pool: asyncio.Queue[psycopg.AsyncCursor[Any]] = asyncio.Queue()
        for _ in range(connections):
            connection = await psycopg.AsyncConnection.connect(database, autocommit=True)
            connection.prepare_threshold = 2
            pool.put_nowait(connection.cursor(binary=True))

        async def read(number: int) -> None:
            cursor = await pool.get()
            await cursor.execute(statement, (number,))
            await cursor.fetchone()
            pool.put_nowait(cursor)

        return await _looped(read, rows, tasks, turn, ready)

    return asyncio.run(looped())


async def _looped(read: Callable[[int], Awaitable[None]], rows: int, tasks: int, turn: float, ready: Barrier) -> float:
    """So many tasks that read one row after the other."""
    ready.wait(300)
    until = monotonic() + turn

    async def task(number: int) -> int:
        chosen, done = random.Random(number), 0
        while monotonic() < until:
            await read(chosen.randrange(rows))
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
