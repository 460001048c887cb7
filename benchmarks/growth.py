"""The same acts with ten thousand, a hundred thousand and a million persons: each act meets persons it has not met.

Persons are loaded past the verbs (`benchmarks/loader.py` says what that leaves out), one value each. Before each size
is measured a server has written what was loaded, as it does by itself within minutes. It has a quarter of the machine's
memory for its buffers, as its manual has it, in huge pages where the kernel has some (`sysctl vm.nr_hugepages=3500` for
6 GB): a connection meets each page of 4 kB for the first time with a fault, and among a million persons every page is
one it never met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

import upheld
from benchmarks.erase import removals
from benchmarks.ground import POLICY, Ground, Person, opened
from benchmarks.loader import load
from benchmarks.measure import Figure, shown
from upheld.desk.due import due_today, requests_of_person
from upheld.desk.holdings import held_of, seen_of
from upheld.engine.acts import Reader, ReaderKind, RequestId, SubjectId, ValueId
from upheld.store.ids import bucket_of
from upheld.store.vault import Tier

PURPOSE, NAMED, USE = "identity", "name", "identify"


class Met(NamedTuple):
    """A person by the number in which they came, and their one value."""

    number: int
    who: SubjectId
    value: ValueId


@dataclass(frozen=True)
class Act:
    """What is done, for how many persons at a time, and how often."""

    name: str
    do: Callable[[upheld.Keeper, list[Met]], float | None]
    """Gives the seconds where not all of it counts."""
    each: int = 1
    times: int = 150


def figures(ground: Ground) -> Iterator[Figure]:
    """The slowest of the larger sizes divided by ten thousand, the disk's own waiting taken with it on both sides."""
    sizes = (10_000, 100_000, 1_000_000) if not ground.small else (2_000, 10_000)
    home, people, names = ground.home(look_up=(NAMED,)), list[Person](), map(_name, count())
    taken: dict[str, list[float]] = {act.name: [] for act in ACTS}
    started, loading, met = perf_counter(), 0.0, set[int]()
    with opened(home) as keeper:
        for size in sizes:
            begun, missing = perf_counter(), size - len(people)
            people += load(home, keeper, missing, (NAMED,), names)
            keeper.seal()
            loading = (perf_counter() - begun) / missing
            _measure(home, people, met, taken)
    for name, found in taken.items():
        said = ", ".join(f"{shown(one * 1e6)} µs at {size:,}" for one, size in zip(found, sizes, strict=True))
        yield Figure(name=f"{name}: growth", value=max(found[1:]) / found[0], unit="times", most=1.3, note=said)
    yield Figure(name="persons loaded for it", value=1 / loading, unit="a second",
                 note=f"all of it took {shown((perf_counter() - started) / 60)} minutes")  # fmt: skip


def _name(number: int) -> str:
    """What the person of a number is called: everybody otherwise."""
    return f"Made-up person {number} of the benchmark"


def _measure(home: Path, people: list[Person], met: set[int], taken: dict[str, list[float]]) -> None:
    """Each act for persons spread over all that are there, by a keeper that has seen none of them."""
    wanted = sum(act.each * act.times for act in ACTS)
    share = min(1.0, (len(people) - len(met)) / 2 / wanted)  # a small home has fewer persons than are wanted
    step = len(people) / (wanted * share)

    def spread() -> Iterator[Met]:
        for turn in count():
            number = next(one for one in count(int(step * turn)) if one not in met)
            met.add(number)
            yield Met(number, people[number][0], people[number][1][0])

    strangers = spread()
    with opened(home) as keeper:
        keeper.places.vault.ahead(Tier.ACTIVE, 1_000)
        for act in ACTS:
            groups = [[next(strangers) for _ in range(act.each)] for _ in range(int(act.times * share))]
            act.do(keeper, groups[0])  # statements are prepared by it
            taken[act.name].append(median(_taken(act, keeper, group) for group in groups[1:]))


def _taken(act: Act, keeper: upheld.Keeper, group: list[Met]) -> float:
    start = perf_counter()
    own = act.do(keeper, group)
    return perf_counter() - start if own is None else own


def _read(keeper: upheld.Keeper, people: list[Met]) -> None:
    (one,) = people
    assert keeper.read(one.who, PURPOSE, reader=keeper.application("crm"), values=(one.value,), use=USE).granted


def _read_batch(keeper: upheld.Keeper, people: list[Met]) -> None:
    wanted = [(one.who, one.value) for one in people]
    read = keeper.read_batch(PURPOSE, wanted, reader=keeper.application("crm"), use=USE)
    assert len(read.texts) == len(people)


def _read_purpose(keeper: upheld.Keeper, people: list[Met]) -> None:
    """A page from somewhere in the middle: of three, from whom most come after."""
    one = min(people, key=lambda one: bucket_of(one.who))
    page = keeper.read_purpose(
        POLICY, PURPOSE, reader=keeper.application("crm"), use=USE, after=f"{one.who}.0", limit=100
    )
    assert len(page.texts) == 100


def _show(keeper: upheld.Keeper, people: list[Met]) -> None:
    (one,) = people
    got = keeper.show(one.who, reader=Reader(ReaderKind.SUBJECT, one.who), identity_proved=True)
    assert got.texts[one.value] == _name(one.number)


def _page(keeper: upheld.Keeper, people: list[Met]) -> None:
    """All that the officer's page of a person asks for."""
    (one,) = people
    seen = seen_of(keeper, POLICY, one.who)
    assert seen is not None
    assert held_of(keeper, seen)
    assert not requests_of_person(keeper, seen)
    assert keeper.consents(one.who)
    assert not keeper.acting_for(one.who)


def _desk(keeper: upheld.Keeper, _: list[Met]) -> None:
    """All that the officer's first page asks for."""
    assert not due_today(keeper, POLICY).orders


def _look_up(keeper: upheld.Keeper, people: list[Met]) -> None:
    (one,) = people
    found = keeper.lookup(POLICY, NAMED, _name(one.number), reader=keeper.application("crm"), reason="benchmark")
    assert found == (one.who,)


def _consent(keeper: upheld.Keeper, people: list[Met]) -> None:
    (one,) = people
    assert keeper.consent(one.who, "purpose/recommending", channel="website").granted


def _collect(keeper: upheld.Keeper, people: list[Met]) -> None:
    (one,) = people
    assert keeper.collect(one.who, PURPOSE, {"contact": "x"}, channel="website").granted


def _ask_for_erasure(keeper: upheld.Keeper, people: list[Met]) -> None:
    asked = [(one.who, keeper.request(one.who, "erasure", channel="website", proved=True).made) for one in people]
    for who, request in asked:
        keeper.answer(who, RequestId(request or ""), "done")


def _erase(keeper: upheld.Keeper, people: list[Met]) -> float:
    """Seconds until keys and rows are gone; their bytes are seen to afterwards."""
    start = perf_counter()
    with removals() as gone_at:
        _ask_for_erasure(keeper, people)
        assert keeper.sweep().destroyed == len(people)
    return gone_at[0] - start


def _certify(keeper: upheld.Keeper, people: list[Met]) -> None:
    _ask_for_erasure(keeper, people)
    assert keeper.sweep().destroyed == len(people)


def _fall_due(keeper: upheld.Keeper, people: list[Met]) -> None:
    """They leave, and what that makes due is found, moved or destroyed, scrubbed and certified."""
    with keeper.batch():
        for one in people:
            for engagement in keeper.views.get(one.who, keeper.now()).state.engagements:
                keeper.fact(one.who, "cancelled", engagement=engagement)
    swept = keeper.sweep()
    assert swept.destroyed + swept.separated == len(people), swept


ACTS = (
    Act("single read of a person never met", _read),
    Act("batch read of 50 persons never met", _read_batch, each=50, times=21),
    Act("a page of 100 values under a purpose", _read_purpose, each=3, times=31),
    Act("everything of a person, for the person", _show),
    Act("the officer's page of a person", _page),
    Act("the officer's first page", _desk, times=21),
    Act("look-up by a name", _look_up),
    Act("consent of a person never met", _consent),
    Act("durable write for a person never met", _collect),
    Act("erase 10 persons, until keys and rows are gone", _erase, each=10, times=11),
    Act("erase 10 persons, until bytes are gone too and certified", _certify, each=10, times=11),
    Act("50 persons leave: found, moved or destroyed, scrubbed", _fall_due, each=50, times=6),
)
