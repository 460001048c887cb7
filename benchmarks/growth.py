"""The same acts with ten thousand, a hundred thousand and a million persons: each act meets persons it has not met.

Persons are loaded past the verbs (`benchmarks/loader.py` says what that leaves out), one value each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median

import upheld
from benchmarks.ground import Ground, Person, opened
from benchmarks.loader import load
from benchmarks.measure import Figure, seconds, shown
from upheld.engine.acts import RequestId, SubjectId
from upheld.store.vault import Tier

TIMES = 150
Act = Callable[[upheld.Keeper, list[Person]], None]


def figures(ground: Ground) -> Iterator[Figure]:
    """Time at a million divided by time at ten thousand, the disk's own waiting taken with it on both sides."""
    sizes = (10_000, 100_000, 1_000_000) if not ground.small else (1_000, 5_000)
    home, people = ground.home(), list[Person]()
    taken: dict[str, list[float]] = {name: [] for name in ACTS}
    with opened(home) as keeper:
        for size in sizes:
            people += load(home, keeper, size - len(people), ("name",))
            keeper.seal()
            _measure(home, people, taken)
    for name, found in taken.items():
        said = ", ".join(f"{shown(one * 1e6)} µs at {size:,}" for one, size in zip(found, sizes, strict=True))
        yield Figure(name=f"{name}: growth", value=found[-1] / found[0], unit="times", most=1.3, note=said)


def _measure(home: Path, people: list[Person], taken: dict[str, list[float]]) -> None:
    """Each act for persons spread over all that are there, by a keeper that has seen none of them."""
    with opened(home) as keeper:
        keeper.places.vault.ahead(Tier.ACTIVE, TIMES * 4)
        step = len(people) // (TIMES * len(ACTS) * 2 + 1)
        spread = people[:: max(1, step)]
        keeper.consent(people[1][0], "purpose/recommending", channel="website")
        for number, (name, (act, each)) in enumerate(ACTS.items()):
            mine = spread[number :: len(ACTS)][:TIMES]
            groups = [mine[start : start + each] for start in range(0, len(mine) - each + 1, each)]
            taken[name].append(median(seconds(partial(act, keeper, some)) for some in groups))


def _read(keeper: upheld.Keeper, people: list[Person]) -> None:
    (who, values), *_ = people
    reader = keeper.application("crm")
    assert keeper.read(who, "identity", reader=reader, values=(values[0],), use="identify").granted


def _read_batch(keeper: upheld.Keeper, people: list[Person]) -> None:
    wanted = [(who, values[0]) for who, values in people]
    assert keeper.read_batch("identity", wanted, reader=keeper.application("crm"), use="identify").texts


def _consent(keeper: upheld.Keeper, people: list[Person]) -> None:
    assert keeper.consent(people[0][0], "purpose/recommending", channel="website").granted


def _collect(keeper: upheld.Keeper, people: list[Person]) -> None:
    who: SubjectId = people[0][0]
    assert keeper.collect(who, "identity", {"contact": "x"}, channel="website").granted


def _erase(keeper: upheld.Keeper, people: list[Person]) -> None:
    asked = [(who, keeper.request(who, "erasure", channel="website", proved=True).made) for who, _ in people]
    for who, request in asked:
        keeper.answer(who, RequestId(request or ""), "done")
    assert keeper.sweep().destroyed == len(people)


ACTS: dict[str, tuple[Act, int]] = {
    "single read of a person never met": (_read, 1),
    "batch read of 50 persons never met": (_read_batch, 50),
    "consent of a person never met": (_consent, 1),
    "durable write for a person never met": (_collect, 1),
    "erase 10 persons, until gone and certified": (_erase, 10),
}
