"""Recorded reads against bare ones: one, a hundred in a batch, sixteen that wait; quiet and while consents change.

The bare read waits for nothing; ours waits until its record is on the disk before anything is decrypted. What that wait
alone costs shows the bare read that leaves a row in a log, as durable: nothing is decided, chained or encrypted.
"""

from __future__ import annotations

import os
import random
import select
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

from psycopg.waiting import Ready, Wait

import upheld
from benchmarks.ground import POSTGRESQL, SQLITE, Bare, BarePostgres, Ground, Person, bare, opened
from benchmarks.loader import load
from benchmarks.measure import Figure, ratio_of
from upheld.engine.acts import Read, SubjectId

BATCH = 100
CHANGES = 500
"""Consent changes a second, of other persons than those who are read."""
SINGLE = {SQLITE: None, POSTGRESQL: 0.30}
WARM = {SQLITE: 0.20, POSTGRESQL: 0.35}
COLD = {SQLITE: 0.12, POSTGRESQL: None}


class Scene:
    """Persons in a home, as many rows in a bare table, and how to read both."""

    def __init__(self, ground: Ground, keeper: upheld.Keeper, people: list[Person]) -> None:
        self.keeper, self.people = keeper, people
        self.reader = keeper.application("crm")
        self.chosen = random.Random(1)
        self.plain, self.rows = plain_rows(ground, len(people) * 5)
        self._one = self.plain.spelled("SELECT id, content FROM value WHERE id = ?")
        marks = ",".join("?" * BATCH)
        self.engine = ground.engine
        self.plain.execute(self.plain.spelled("CREATE TABLE log(value INTEGER, reader TEXT, purpose TEXT)"))
        self._log = self.plain.spelled("INSERT INTO log VALUES(?, ?, ?)")
        self._logged = f"WITH found AS ({self._one}), logged AS ({self._log}) SELECT * FROM found"
        self._many = self.plain.spelled(f"SELECT id, content FROM value WHERE id IN ({marks})")

    def single(self, times: int) -> None:
        """Recorded reads one after the other."""
        for who, values in self.chosen.choices(self.people, k=times):
            got = self.keeper.read(who, "identity", reader=self.reader, values=(values[0],), use="identify")
            assert got.granted, got.reasons

    def batch(self, times: int = 1, *, warm: bool = True) -> None:
        """Batches, decided value by value."""
        for _ in range(times):
            if not warm:
                self.keeper.places.vault.forget_all()
            wanted = [(who, values[0]) for who, values in self.chosen.sample(self.people, BATCH)]
            got = self.keeper.read_batch("identity", wanted, reader=self.reader, use="identify")
            assert len(got.texts) == BATCH

    def waiting(self, times: int, together: int) -> None:
        """Reads that share a transaction; each has its own decision, record and answer."""
        for _ in range(times // together):
            some = self.chosen.sample(self.people, together)
            acts = [(who, Read("identity", self.reader, values=(v[0],), use="identify")) for who, v in some]
            self.keeper.read_many([upheld.Reading(who, act) for who, act in acts])

    def plain_single(self, times: int) -> None:
        """Bare reads one after the other."""
        for number in self.chosen.choices(range(self.rows), k=times):
            self.plain.execute(self._one, (number,)).fetchone()

    def awake_single(self, times: int) -> None:
        """The same as the driver would do it if it waited awake, as ours does: it looks, and gives way."""
        with waiting_awake(self.plain):
            self.plain_single(times)

    def logged_single(self, times: int) -> None:
        """Bare reads, each with a durable row of its own in a log: one statement on a server, one commit on files."""
        for number in self.chosen.choices(range(self.rows), k=times):
            if self.engine == POSTGRESQL:
                self.plain.execute(self._logged, (number, number, "crm", "identity")).fetchone()
            else:
                self.plain.execute("BEGIN IMMEDIATE")
                self.plain.execute(self._one, (number,)).fetchone()
                self.plain.execute(self._log, (number, "crm", "identity"))
                self.plain.execute("COMMIT")

    def plain_batch(self, times: int = 1) -> None:
        """A hundred rows with one statement."""
        for _ in range(times):
            self.plain.execute(self._many, self.chosen.sample(range(self.rows), BATCH)).fetchall()


@contextmanager
def waiting_awake(plain: Bare) -> Iterator[None]:
    """Inside the block the bare driver waits awake for its answers."""
    assert isinstance(plain, BarePostgres)
    inner, give_way = plain.inner, os.sched_yield
    poll = select.poll()
    poll.register(inner.fileno(), select.POLLIN)

    def wait(waits: Generator[Any, Any, Any], interval: float = 0.0) -> Any:
        """In the place of the driver's own: it tells for what it waits, and is told when that is there."""
        try:
            wanted = next(waits)
            while True:
                while not (wanted & Wait.W or poll.poll(0)):
                    give_way()
                wanted = waits.send(Ready.RW if wanted & Wait.W else Ready.R)
        except StopIteration as over:
            return over.value

    inner.wait = wait  # type: ignore[method-assign, assignment]  # for the block
    try:
        yield
    finally:
        del inner.wait


def plain_rows(ground: Ground, rows: int) -> tuple[Bare, int]:
    """A bare table with so many rows of the same length."""
    plain = bare(ground.database())
    plain.execute(plain.spelled("CREATE TABLE value(id INTEGER PRIMARY KEY, subject TEXT, content BLOB)"))
    filled = ((number, f"subject-{number}", os.urandom(92)) for number in range(rows))
    plain.many(plain.spelled("INSERT INTO value VALUES(?, ?, ?)"), filled)
    return plain, rows


def figures(ground: Ground) -> Iterator[Figure]:
    """Every figure of this module."""
    home = ground.home()
    with opened(home) as keeper:
        people = load(home, keeper, ground.sized(20_000, 2_000))
        scene = Scene(ground, keeper, people[: ground.sized(5_000, 1_000)])
        changed = [who for who, _ in people[-200:]]
        for _ in range(2):
            for start in range(0, len(scene.people), 500):
                some = [(who, values[0]) for who, values in scene.people[start : start + 500]]
                keeper.read_batch("identity", some, reader=scene.reader, use="identify")
        keeper.seal()
        yield from _quiet(ground, scene)
        with changing(home, changed) as counted:
            yield ratio_of(
                f"batch read of {BATCH}, keys warm, under {CHANGES} consent changes a second",
                lambda: scene.batch(5), lambda: scene.plain_batch(5), 5 * BATCH,
                least=0.20 if ground.engine == POSTGRESQL else None,
            )  # fmt: skip
            rate = counted()
        yield Figure(name="consent changes meanwhile", value=rate, unit="a second")
    scene.plain.close()


def _quiet(ground: Ground, scene: Scene) -> Iterator[Figure]:
    one, many, engine = ground.sized(200, 60), ground.sized(20, 8), ground.engine
    yield ratio_of(
        "single read, durable and recorded", lambda: scene.single(one), lambda: scene.plain_single(one), one,
        least=SINGLE[engine] if len(os.sched_getaffinity(0)) > 1 else None,  # set for two cores
    )  # fmt: skip
    yield ratio_of(
        "single read, beside a bare one that leaves a durable row in a log", lambda: scene.single(one),
        lambda: scene.logged_single(one), one,
    )  # fmt: skip
    if engine == POSTGRESQL:
        yield ratio_of(
            "single read, beside a bare one that waits awake as well", lambda: scene.single(one),
            lambda: scene.awake_single(one), one,
        )  # fmt: skip
    yield ratio_of(
        f"batch read of {BATCH}, keys warm", lambda: scene.batch(many), lambda: scene.plain_batch(many), many * BATCH,
        least=WARM[engine],
    )  # fmt: skip
    yield ratio_of(
        f"batch read of {BATCH}, keys cold", lambda: scene.batch(many, warm=False), lambda: scene.plain_batch(many),
        many * BATCH, least=COLD[engine],
    )  # fmt: skip
    waiting = one // 16 * 16
    yield ratio_of(
        "groups of 16 waiting reads", lambda: scene.waiting(waiting, 16), lambda: scene.plain_single(waiting), waiting,
        least=0.20,
    )  # fmt: skip


# ── consents that change meanwhile ──────────────────────────────────────────────────────────────────────────────────


@contextmanager
def changing(home: Path, people: list[SubjectId]) -> Iterator[Callable[[], float]]:
    """Another process gives and withdraws consents at a steady pace; the call tells how many a second it managed."""
    context = get_context("spawn")
    stop, ready, done = context.Event(), context.Event(), context.Value("q", 0)
    process = context.Process(target=_change, args=(str(home), people, stop, ready, done))
    process.start()
    ready.wait(120)
    begun = monotonic()
    try:
        yield lambda: done.value / (monotonic() - begun)
    finally:
        stop.set()
        process.join()


def _change(home: str, people: list[SubjectId], stop: Event, ready: Event, done: Any) -> None:
    """Eight clients, each with persons of its own and one change to a commit."""
    clients = 8
    with opened(Path(home)) as keeper:
        ready.set()
        begun, made = monotonic(), [0] * clients

        def client(number: int) -> None:
            mine = people[number::clients]
            while not stop.is_set():
                who, turn = mine[made[number] // 2 % len(mine)], made[number] % 2
                verb = keeper.withdraw if turn else keeper.consent
                verb(who, "purpose/recommending", channel="website")
                made[number] += 1
                done.value = sum(made)
                sleep(max(0.0, begun + made[number] * clients / CHANGES - monotonic()))

        threads = [Thread(target=client, args=(number,)) for number in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
