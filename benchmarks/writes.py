"""A durable write with its decision, encryption and evidence, against the bare insert of the same bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import cycle, islice

from benchmarks.ground import CONTENT, POSTGRESQL, SQLITE, Ground, bare, member, opened
from benchmarks.measure import Figure, ratio_of
from upheld.store.vault import Tier

TARGET = {SQLITE: 0.7, POSTGRESQL: 0.75}


def figures(ground: Ground) -> Iterator[Figure]:
    """One value for one person, each its own commit that waits for the disk; then a batch of them."""
    times = ground.sized(150, 60)
    plain = bare(ground.database())
    plain.execute(plain.spelled("CREATE TABLE value(id INTEGER PRIMARY KEY, subject TEXT, content BLOB)"))
    insert = plain.spelled("INSERT INTO value VALUES(?, ?, ?)")
    numbers = iter(range(10_000_000))
    with opened(ground.home(look_up=("email",))) as keeper:
        people = [member(keeper) for _ in range(times * 10)]
        turn = cycle(people)  # each is met again and again, nobody so often that what is held of them grows long
        keeper.places.vault.ahead(Tier.ACTIVE, times * ground.sized(400, 40))
        keeper.seal()

        def ours(item: str) -> None:
            for who, where in islice(turn, times):
                keeper.collect(who, "identity", {item: CONTENT}, engagement=where, channel="website")

        def bare_ones() -> None:
            for _ in range(times):
                plain.execute(insert, (next(numbers), "subject", os.urandom(64)))

        def batch() -> None:
            with keeper.batch():
                ours("name")

        def bare_batch() -> None:
            plain.execute("BEGIN")
            bare_ones()
            plain.execute("COMMIT")

        yield ratio_of("durable write", lambda: ours("name"), bare_ones, times, least=TARGET[ground.engine])
        yield ratio_of("durable write of a look-up identifier", lambda: ours("email"), bare_ones, times, least=0.4)
        yield ratio_of(f"batch of {times} writes, one commit", batch, bare_batch, times)
    plain.close()
