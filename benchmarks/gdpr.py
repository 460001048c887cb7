"""GDPRBench's four workloads, re-implemented, in the mixes of its repository and of its paper.

Each side runs each mix, in turns: all 10,000 operations where twelve seconds are enough for them (three, where the mix
has no target), otherwise as many as there is room for, and completion time is what 10,000 take at the mean cost of each
kind of operation. `gdpr_data.py` says what becomes of the metadata, `gdpr_sides.py` what of the operations.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from time import perf_counter

from benchmarks.gdpr_data import POLICY, loaded, plain
from benchmarks.gdpr_sides import NEWEST, Governed, Plain, Side, told_alike
from benchmarks.ground import POSTGRESQL, Ground
from benchmarks.measure import Figure, shown

OPERATIONS = 10_000
ROUNDS = 3
GOVERNED, BARE, INDEXED, LOGGED = "governed", "key only", "all metadata indexed", "indexed, each operation logged"


@dataclass(frozen=True)
class Mix:
    """Shares of the operations, and whether a few records are asked for most of the time."""

    name: str
    shares: Mapping[str, float]
    zipfian: bool
    faster: float | None = None
    """How many times faster than indexed tables it is to be."""
    slower: float | None = None
    """How many times slower it may be."""


MIXES = (
    Mix("regulator, paper's mix", {"look": 0.46, "log": 0.31, "is_gone": 0.23}, True, slower=1.3),
    Mix("regulator, repository's mix", {"look": 0.5, "log": 0.5}, True, slower=1.3),
    Mix("regulator, paper's mix, contents decrypted", {"read_own_all": 0.46, "log": 0.31, "is_gone": 0.23}, True),
    Mix("processor, paper's mix", {"read": 0.8, "read_purpose": 0.1, "read_user": 0.1}, True),
    Mix("processor, repository's mix", {"read": 0.2, "read_purpose": 0.4, "read_user": 0.4}, False),
    Mix("customer, paper's mix",
        {"read_own_all": 0.2, "look_at": 0.2, "update": 0.2, "change": 0.2, "delete": 0.2}, True),
    Mix("customer, repository's mix",
        {"read_own": 0.2, "read_purpose": 0.1, "read_own_all": 0.1, "update": 0.2, "change_purpose": 0.1,
         "change_user": 0.1, "delete": 0.2}, True),
    Mix("controller, repository's mix",
        {"create": 0.25, "delete": 0.25, "change_purpose": 0.25, "change_user": 0.25}, False, faster=20),
    Mix("controller, paper's mix",
        {"create": 0.25, "delete": 0.125, "delete_user": 0.125, "change_purpose": 0.2, "change_user": 0.2,
         "change_recipient": 0.1}, False, faster=20),
)  # fmt: skip


class Zipfian:
    """Numbers below `size`, a few far more often than the others, spread by a hash: YCSB's generator, theta 0.99."""

    def __init__(self, size: int, chance: random.Random) -> None:
        self._size, self._chance, theta = size, chance, 0.99
        self._whole = sum(1 / number**theta for number in range(1, size + 1))
        self._alpha, self._second = 1 / (1 - theta), 1 + 0.5**theta
        self._eta = (1 - (2 / size) ** (1 - theta)) / (1 - self._second / self._whole)

    def __call__(self) -> int:
        drawn = self._chance.random()
        ranked = drawn * self._whole
        if ranked < self._second:
            rank = int(ranked >= 1)
        else:
            rank = int(self._size * (self._eta * drawn - self._eta + 1) ** self._alpha)
        return rank * 2_654_435_761 % self._size


class Course:
    """One side going through one mix: the same operations on the same records as every other side."""

    def __init__(self, mix: Mix, side: Side, records: int, created: Iterator[int]) -> None:
        chance = random.Random(mix.name)
        self._kinds, self._weights = list(mix.shares), list(mix.shares.values())
        self._chance, self._side, self._created, self._mix = chance, side, created, mix
        self._draw: Callable[[], int] = Zipfian(records, chance) if mix.zipfian else lambda: chance.randrange(records)
        self.spent: defaultdict[str, float] = defaultdict(float)
        self.times: defaultdict[str, int] = defaultdict(int)

    def go(self, until: float, most: int) -> None:
        """So many operations, or until the time is over."""
        side = self._side
        for _ in range(most):
            if perf_counter() > until:
                return
            kind = self._chance.choices(self._kinds, self._weights)[0]
            number = self._number(kind)
            start = perf_counter()
            getattr(side, kind)(*number)
            self.spent[kind] += perf_counter() - start
            self.times[kind] += 1

    def settle(self) -> None:
        """Do what was put off: a sweep counts with the deletions that it is for."""
        start = perf_counter()
        self._side.settle()
        deletions = [kind for kind in self.times if kind.startswith("delete")]
        for kind in deletions:
            self.spent[kind] += (perf_counter() - start) / len(deletions)

    def _number(self, kind: str) -> tuple[int, ...]:
        if kind == "log":
            return ()
        if kind == "create":
            return (next(self._created),)
        number = self._draw()
        while number in self._side.gone and kind not in ("is_gone", "look"):
            number = self._draw()
        return (number,)

    def completion(self) -> float:
        """Seconds for all operations at the mean cost of each kind; kinds that never came count as the others do."""
        seen = {kind: self.spent[kind] / self.times[kind] for kind in self.times}
        shares = sum(self._mix.shares[kind] for kind in seen)
        return OPERATIONS * sum(self._mix.shares[kind] * cost for kind, cost in seen.items()) / shares

    def costs(self) -> str:
        """Mean cost by kind."""
        return ", ".join(
            f"{kind.replace('_', ' ')} {shown(self.spent[kind] / self.times[kind] * 1e6)} µs"
            for kind in self._mix.shares
            if kind in self.times
        )


def figures(ground: Ground) -> Iterator[Figure]:
    """Every mix; the answers of the regulator are compared before."""
    records, turn = ground.sized(100_000, 5_000), ground.sized(10, 2) / 10
    ours = loaded(ground, records)
    tables = {
        BARE: plain(ground, records, indexed=False), INDEXED: plain(ground, records, indexed=True),
        LOGGED: plain(ground, records, indexed=True),
    }  # fmt: skip
    with ExitStack() as stack:
        stack.callback(ours.keeper.close)
        look = stack.enter_context(ours.keeper.inspect(POLICY, reader=ours.supervisor, reason="supervision"))
        governed = Governed(ours, look)
        sides: dict[str, Side] = {GOVERNED: governed}
        for name, table in tables.items():
            sides[name] = Plain(table, records // 10, logged=name == LOGGED)
        for number in range(0, records, records // 100):
            for side in sides.values():
                side.delete(number)
        governed.settle()
        compared = range(1, records, records // 400)
        equal = sum(told_alike(governed.look(one), sides[INDEXED].look(one), ours) for one in compared)
        equal += sum(governed.is_gone(one) == sides[INDEXED].is_gone(one) for one in range(0, records, records // 200))
        equal += governed.log() == sides[INDEXED].log() == NEWEST
        asked = len(compared) + len(range(0, records, records // 200)) + 1
        yield Figure(name="regulator's answers that are equal on both sides", value=equal / asked, unit="of all",
                     least=1.0, note=f"{asked}: key, purpose, end, recipient, source, item, gone, log")  # fmt: skip
        created = {name: count(records) for name in sides}
        for mix in MIXES:
            yield from _compared(ground, mix, sides, records, created, turn)


def _compared(
    ground: Ground, mix: Mix, sides: Mapping[str, Side], records: int, created: Mapping[str, Iterator[int]], turn: float
) -> Iterator[Figure]:
    courses = {name: Course(mix, side, records, created[name]) for name, side in sides.items()}
    for _ in range(ROUNDS):
        for name, course in courses.items():
            long = (mix.slower or mix.faster) and name in (GOVERNED, INDEXED)
            course.go(perf_counter() + turn * (4 if long else 1), -(-OPERATIONS // ROUNDS))
    for course in courses.values():
        course.settle()
    taken = {name: course.completion() for name, course in courses.items()}
    said = "; ".join(f"{name} {shown(seconds)} s" for name, seconds in taken.items())
    on_server = ground.engine == POSTGRESQL
    if mix.slower is not None:
        for name in (INDEXED, LOGGED):
            yield Figure(
                name=f"{mix.name}: time, {name} = 1", value=taken[GOVERNED] / taken[name], unit="times",
                most=mix.slower if on_server and name == INDEXED else None, note=said if name == INDEXED else "",
            )  # fmt: skip
    else:
        for name in (BARE, INDEXED):
            yield Figure(
                name=f"{mix.name}: speed, {name} = 1", value=taken[name] / taken[GOVERNED], unit="times",
                least=mix.faster if on_server and name == INDEXED else None, note=said if name == INDEXED else "",
            )  # fmt: skip
    yield Figure(name=f"{mix.name}: governed", value=taken[GOVERNED], unit="s/10,000", note=courses[GOVERNED].costs())
