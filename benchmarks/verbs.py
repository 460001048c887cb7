"""Decide, write, read: the hot path against the bare driver with the same durability.

python -m benchmarks.verbs
"""

from __future__ import annotations

import os
import random
import sqlite3
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import upheld
from benchmarks import homes
from benchmarks.measure import Figure, at_least, at_most, ratio, seconds
from upheld.dates import Instant
from upheld.engine.acts import Read
from upheld.engine.decide import View, decide
from upheld.store.vault import Tier

WRITES, READS, PEOPLE = 200, 100, 20_000


def figures() -> Iterator[Figure]:
    """Every figure of this module."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        keeper, _ = homes.home_at(root / "home", look_up=("email",))
        yield from _decisions(keeper)
        yield from _writes(keeper, root)
        yield from _reads(keeper, root)
        keeper.close()


def _decisions(keeper: upheld.Keeper) -> Iterator[Figure]:
    subject, values = homes.members_with_values(keeper, 1, ("name", "email"))[0]
    seen = keeper.views.get(subject, keeper.now())
    reader = keeper.application("crm")
    at = keeper.now()
    for name, act in (
        ("decision with reasons, granted", Read("identity", reader, values=(values[0],), use="identify")),
        ("decision with reasons, purpose of another row", Read("service", reader, values=(values[0],), use="notices")),
    ):
        taken = min(seconds(partial(_decide_often, act, seen.view, at)) for _ in range(5))
        yield at_most(name, taken / 10_000 * 1e6, 3.0, "µs")


def _decide_often(act: Read, view: View, at: Instant) -> None:
    for _ in range(10_000):
        decide(act, view, at)


def _writes(keeper: upheld.Keeper, root: Path) -> Iterator[Figure]:
    bare = homes.bare(root / "bare-writes.db")
    numbers = iter(range(10_000_000))

    def plain() -> None:
        for _ in range(WRITES):
            bare.execute("INSERT INTO value VALUES(?, ?, ?)", (next(numbers), "subject", os.urandom(64)))

    keeper.places.vault.ahead(Tier.ACTIVE, WRITES * 20)
    for name, item, target in (
        ("durable write", "name", 0.7),
        ("durable write of a look-up identifier", "email", 0.4),
    ):
        value, mine, its = _write_ratio(keeper, item, plain)
        yield at_least(name, value, target, note=f"{mine / WRITES * 1e6:.0f} µs against {its / WRITES * 1e6:.0f} µs")


def _write_ratio(keeper: upheld.Keeper, item: str, plain) -> tuple[float, float, float]:  # type: ignore[no-untyped-def]
    people = [homes.member(keeper) for _ in range(WRITES)]

    def ours() -> None:
        for who, where in people:
            keeper.collect(who, "identity", {item: homes.CONTENT}, engagement=where, channel="website")

    return ratio(ours, plain)


def _reads(keeper: upheld.Keeper, root: Path) -> Iterator[Figure]:
    made = homes.members_with_values(keeper, PEOPLE, ("name", "address", "contact", "gender", "birth-date"))
    keeper.seal()
    bare = homes.bare(root / "bare-reads.db", PEOPLE * 5)
    reader = keeper.application("crm")
    chosen = random.Random(1)

    def batch(warm: bool) -> None:
        if not warm:
            keeper.places.vault.forget_all()
        some = chosen.sample(made, READS)
        outcome = keeper.read_batch(
            "identity", [(who, values[0]) for who, values in some], reader=reader, use="identify"
        )
        assert len(outcome.texts) == READS

    def plain(count: int) -> list[tuple[int, bytes]]:
        ids = chosen.sample(range(PEOPLE * 5), count)
        return bare.execute(f"SELECT id, content FROM value WHERE id IN ({','.join('?' * count)})", ids).fetchall()

    def many(times: int, call) -> None:  # type: ignore[no-untyped-def]
        for _ in range(times):
            call()

    for start in range(0, len(made), 500):
        keeper.read_batch(
            "identity", [(who, v[0]) for who, v in made[start : start + 500]], reader=reader, use="identify"
        )
    value, mine, its = ratio(lambda: many(20, lambda: batch(True)), lambda: many(20, lambda: plain(READS)))
    note = f"{mine / 20 / READS * 1e6:.1f} µs against {its / 20 / READS * 1e6:.1f} µs a value"
    yield at_least("batch read of 100, keys warm", value, 0.20, note=note)
    value, mine, its = ratio(lambda: many(20, lambda: batch(False)), lambda: many(20, lambda: plain(READS)))
    note = f"{mine / 20 / READS * 1e6:.1f} µs against {its / 20 / READS * 1e6:.1f} µs a value"
    yield at_least("batch read of 100, keys cold", value, 0.12, note=note)
    yield from _groups(keeper, bare, made, reader, chosen)


def _groups(keeper, bare: sqlite3.Connection, made, reader, chosen: random.Random) -> Iterator[Figure]:  # type: ignore[no-untyped-def]
    """Sixteen reads that wait share a transaction; each has its own decision, record and answer."""

    def ours() -> None:
        for _ in range(40):
            some = chosen.sample(made, 16)
            keeper.read_many(
                [
                    upheld.Reading(who, Read("identity", reader, values=(values[0],), use="identify"))
                    for who, values in some
                ]
            )

    def plain() -> None:
        for _ in range(40):
            for number in chosen.sample(range(PEOPLE * 5), 16):
                bare.execute("SELECT id, content FROM value WHERE id = ?", (number,)).fetchone()

    value, mine, its = ratio(ours, plain)
    note = f"{mine / 640 * 1e6:.1f} µs against {its / 640 * 1e6:.1f} µs a read"
    yield at_least("groups of 16 waiting reads", value, 0.20, note=note)


if __name__ == "__main__":
    for figure in figures():
        print(figure)
