"""What falls due costs what falls due: ten thousand values by age, among a hundred thousand and among a million."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import upheld
from benchmarks.ground import CONTENT, DOCUMENT, Ground, Person
from benchmarks.loader import load_like
from benchmarks.measure import Figure, seconds
from tests import postgres
from upheld.dates import moment
from upheld.engine.acts import EngagementId

FIELDS = ("name", "contact", "email", "company", "department")
SEOUL = ZoneInfo("Asia/Seoul")
NEXR = DOCUMENT.parent / "nexr-2017.yaml"


def figures(ground: Ground) -> Iterator[Figure]:
    """Each home is opened anew before the sweep: no pages, views or keys are warm."""
    due = ground.sized(10_000, 500)
    few = _by_age(ground, due, due * 10)
    lots = _by_age(ground, due, due * ground.sized(100, 20))
    yield Figure(
        name="sweep by age, ten times as much stored: time ratio", value=lots / few, unit="times", most=1.3,
        note=f"{few:.1f} s and {lots:.1f} s for {due:,} values of {due * 10:,} and {due * ground.sized(100, 20):,}",
    )  # fmt: skip
    scattered = _at_random(ground, due, due * 10)
    yield Figure(name="sweep by age", value=due / few, unit="values/s", note="found, destroyed, scrubbed, certified")
    yield Figure(name="sweep of random persons", value=due / scattered, unit="values/s")


def _home(ground: Ground) -> tuple[Path, upheld.Keeper, upheld.SetClock]:
    """Here the clock is set: a year goes by."""
    clock = upheld.SetClock(datetime(2017, 9, 7, tzinfo=SEOUL))
    folder, options = ground.folder / ground.fresh("sweep"), upheld.Options(clock=clock, light_hashing=True)
    upheld.init(folder, options, postgres.made(ground.address, folder.name) if ground.address else None)
    keeper = upheld.open(folder, options)
    keeper.publish(NEXR)
    clock.set(datetime(2017, 9, 8, 9, tzinfo=SEOUL))
    return folder, keeper, clock


def _inquirers(folder: Path, keeper: upheld.Keeper, number: int) -> list[Person]:
    """Persons with five values each under a purpose that ends a year after collection."""
    subject = keeper.enter("nexr", "user")
    engagement = EngagementId(keeper.begin(subject, "inquiry").made or "")
    keeper.consent(subject, "purpose/service", channel="website")
    texts = dict.fromkeys(FIELDS, CONTENT)
    got = keeper.collect(subject, "service", texts, engagement=engagement, channel="website")
    like = (subject, [ids[0] for ids in got.values.values()])
    return [like, *load_like(folder, keeper, number - 1, like)]


def _swept(folder: Path, keeper: upheld.Keeper, clock: upheld.SetClock, due: int) -> float:
    keeper.seal()
    keeper.close()
    with upheld.open(folder, upheld.Options(clock=clock, light_hashing=True)) as again:
        return seconds(lambda: _expect(again, due))


def _expect(keeper: upheld.Keeper, due: int) -> None:
    swept = keeper.sweep()
    assert swept.destroyed == due, f"{swept} destroyed, {due} expected"


def _by_age(ground: Ground, due: int, values: int) -> float:
    """Seconds to destroy the oldest."""
    folder, keeper, clock = _home(ground)
    _inquirers(folder, keeper, due // 5)
    clock.set(moment(clock.now()) + timedelta(days=40))
    _inquirers(folder, keeper, (values - due) // 5)
    clock.set(datetime(2018, 9, 12, 9, tzinfo=SEOUL))
    return _swept(folder, keeper, clock, due)


def _at_random(ground: Ground, due: int, values: int) -> float:
    """Seconds to destroy those of persons picked at random whose inquiry was answered."""
    folder, keeper, clock = _home(ground)
    people = _inquirers(folder, keeper, values // 5)
    clock.set(moment(clock.now()) + timedelta(days=1))
    with keeper.batch():
        for subject, _ in random.Random(3).sample(people, due // 5):
            keeper.fact(subject, "inquiry-answered")
    clock.set(moment(clock.now()) + timedelta(days=3))
    return _swept(folder, keeper, clock, due)
