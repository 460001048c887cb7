"""What falls due: 10,000 values among 100,000 and among 1,000,000; and the erasure of one person.

python -m benchmarks.sweep [--small]
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import upheld
from benchmarks import homes
from benchmarks.measure import Figure, at_most, seconds
from upheld.dates import moment
from upheld.engine.acts import EngagementId, SubjectId
from upheld.store.vault import Tier

DUE = 10_000
DOCUMENT = homes.DOCUMENT.parent / "nexr-2017.yaml"
FIELDS = ("name", "contact", "email", "company", "department", "title")


def _home(folder: Path) -> tuple[upheld.Keeper, upheld.SetClock]:
    """A home to be filled: its pages stay in memory meanwhile, since people come in no order of buckets."""
    clock = upheld.SetClock(datetime(2017, 9, 7, tzinfo=homes.SEOUL))
    keeper = upheld.open(folder, upheld.Options(clock=clock, light_hashing=True))
    keeper.publish(DOCUMENT)
    clock.set(datetime(2017, 9, 8, 9, tzinfo=homes.SEOUL))
    for connection in (keeper.places.active.connection, keeper.places.keys.connection):
        connection.execute("PRAGMA cache_size = -1000000")
        connection.execute("PRAGMA wal_autocheckpoint = 50000")
    return keeper, clock


def _opened_anew(folder: Path, keeper: upheld.Keeper, clock: upheld.SetClock) -> upheld.Keeper:
    """The same home as anybody opens it: what is measured has no warm pages, views or keys."""
    keeper.seal()
    keeper.close()
    return upheld.open(folder, upheld.Options(clock=clock, light_hashing=True))


def _inquirers(keeper: upheld.Keeper, count: int) -> list[SubjectId]:
    """Persons with five values each under a purpose that ends a year after collection."""
    made: list[SubjectId] = []
    for start in range(0, count, 1000):
        some = min(1000, count - start)
        keeper.places.vault.ahead(Tier.ACTIVE, some * 5)
        with keeper.batch():
            for subject in keeper.enter_many("nexr", ["user"] * some):
                engagement = EngagementId(keeper.begin(subject, "inquiry").made or "")
                keeper.consent(subject, "purpose/service", channel="website")
                texts = dict.fromkeys(FIELDS[:5], homes.CONTENT)
                keeper.collect(subject, "service", texts, engagement=engagement, channel="website")
                made.append(subject)
        keeper.seal()
    return made


def _by_age(folder: Path, values: int) -> float:
    """Seconds to destroy the 10,000 oldest of so many values."""
    keeper, clock = _home(folder)
    _inquirers(keeper, DUE // 5)
    clock.set(moment(clock.now()) + timedelta(days=40))
    for _ in range((values - DUE) // 100_000 + 1):
        left = min(100_000, values - DUE) // 5
        _inquirers(keeper, left)
    clock.set(datetime(2018, 9, 12, 9, tzinfo=homes.SEOUL))
    keeper = _opened_anew(folder, keeper, clock)
    taken = seconds(lambda: _expect(keeper, DUE))
    keeper.close()
    return taken


def _expect(keeper: upheld.Keeper, count: int) -> None:
    swept = keeper.sweep()
    assert swept.destroyed == count, f"{swept} destroyed, {count} expected"


def _at_random(folder: Path, values: int) -> float:
    """Seconds to destroy 10,000 values of persons picked at random whose inquiry was answered."""
    keeper, clock = _home(folder)
    people = _inquirers(keeper, values // 5)
    clock.set(moment(clock.now()) + timedelta(days=1))
    for subject in random.Random(3).sample(people, DUE // 5):
        keeper.fact(subject, "inquiry-answered")
    clock.set(moment(clock.now()) + timedelta(days=3))
    keeper = _opened_anew(folder, keeper, clock)
    taken = seconds(lambda: _expect(keeper, DUE))
    keeper.close()
    return taken


def _erase(folder: Path) -> float:
    """Seconds from the answer to an erasure request until seven values are gone and certified: median of twenty."""
    keeper, clock = homes.home_at(folder)
    fields = ("name", "address", "contact", "gender", "birth-date", "mobile", "login-id")
    people = homes.members_with_values(keeper, 25, fields)
    taken: list[float] = []
    for subject, _ in people:
        asked = keeper.request(subject, "erasure", channel="website", proved=True)
        clock.set(moment(clock.now()) + timedelta(seconds=1))

        def erase(subject: SubjectId = subject, request: str | None = asked.made) -> None:
            keeper.answer(subject, request, "done")  # type: ignore[arg-type]
            swept = keeper.sweep()
            assert swept.destroyed == 7, swept

        taken.append(seconds(erase))
    keeper.close()
    return median(taken[5:])


def figures(many: int = 1_000_000) -> Iterator[Figure]:
    """Every figure of this module."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        yield at_most("erase a person with seven values", _erase(root / "erase") * 1000, 10, "ms")
        few = _by_age(root / "few", many // 10)
        lots = _by_age(root / "lots", many)
        note = f"{few:.1f} s and {lots:.1f} s for {DUE} values"
        yield at_most(f"sweep by age among {many // 10} and {many}: time ratio", lots / few, 1.3, "times", note)
        scattered = _at_random(root / "random", many // 10)
        note = f"{scattered:.1f} s; printed beside, no target"
        yield at_most("sweep of random persons against by age", scattered / few, float("inf"), "times", note)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true", help="a tenth of the size, for a first look")
    for figure in figures(100_000 if parser.parse_args().small else 1_000_000):
        print(figure, flush=True)
