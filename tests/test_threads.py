"""Many threads at one door: what waits is merged into one commit, and nobody's answer is lost or mixed up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from threading import Barrier
from typing import cast
from zoneinfo import ZoneInfo

import pytest

import upheld
from upheld.engine.acts import EngagementId, SubjectId
from upheld.errors import InputRefused
from upheld.store import history, verifying

SEOUL = ZoneInfo("Asia/Seoul")
DOCUMENT = Path(__file__).parent.parent / "policies" / "nexr-2017.yaml"
THREADS, TURNS = 12, 25


@pytest.fixture
def keeper(tmp_path: Path) -> upheld.Keeper:
    clock = upheld.SetClock(datetime(2017, 9, 1, tzinfo=SEOUL))
    made = upheld.open(tmp_path / "home", upheld.Options(clock=clock, light_hashing=True))
    made.publish(DOCUMENT)
    clock.set(datetime(2017, 9, 8, 9, tzinfo=SEOUL))
    return made


def inquirer(keeper: upheld.Keeper, name: str) -> SubjectId:
    subject = keeper.enter("nexr", "user")
    engagement = EngagementId(keeper.begin(subject, "inquiry").made or "")
    keeper.consent(subject, "purpose/service", channel="website")
    assert keeper.collect(subject, "service", {"name": name}, engagement=engagement, channel="website").granted
    return subject


def test_readers_in_many_threads_each_get_their_own_value(keeper: upheld.Keeper) -> None:
    people = {inquirer(keeper, f"Person {number}"): f"Person {number}" for number in range(THREADS)}
    desk = keeper.application("desk")
    gate = Barrier(THREADS)

    def reads(subject: SubjectId) -> list[str]:
        gate.wait()
        return [keeper.read(subject, "service", items=("name",), reader=desk).text("name") for _ in range(TURNS)]

    with ThreadPoolExecutor(THREADS) as threads:
        answers = dict(zip(people, threads.map(reads, people), strict=True))
    assert answers == {subject: [name] * TURNS for subject, name in people.items()}
    keeper.seal()
    connection = keeper.places.sealer.connection
    recorded = list(history.entries(connection, kinds=("read.granted",)))
    seen = [cast(tuple[int, ...], one.entry.fields["values"]) for one in recorded]
    assert sum(map(len, seen)) == THREADS * TURNS
    with keeper.places.ledger_copy() as path:
        assert verifying.verify_copy(path).ok


def test_one_that_fails_among_those_merged_fails_alone(keeper: upheld.Keeper) -> None:
    people = [inquirer(keeper, f"Person {number}") for number in range(THREADS)]
    gate = Barrier(THREADS)

    def agrees(number: int) -> str:
        gate.wait()
        if number % 3 == 0:
            with pytest.raises(InputRefused, match="fact-unknown"):
                keeper.fact(people[number], "no-such-fact")
            return "refused"
        made = [keeper.consent(people[number], "purpose/marketing", channel="website").made for _ in range(TURNS)]
        return "agreed" if len(set(made)) == TURNS else "lost"

    with ThreadPoolExecutor(THREADS) as threads:
        answers = list(threads.map(agrees, range(THREADS)))
    assert answers == ["refused" if number % 3 == 0 else "agreed" for number in range(THREADS)]
    for number, subject in enumerate(people):
        state = keeper.views.get(subject, keeper.now()).state
        given = [one for one in state.consents if one.about.name == "marketing"]
        assert len(given) == (0 if number % 3 == 0 else TURNS)


def test_writers_on_one_person_take_turns_and_none_is_lost(keeper: upheld.Keeper) -> None:
    subject = inquirer(keeper, "Person")
    gate = Barrier(THREADS)

    def changes_their_mind(_: int) -> None:
        gate.wait()
        for _ in range(5):
            keeper.consent(subject, "purpose/marketing", channel="website")
            keeper.withdraw(subject, "purpose/marketing", channel="website")

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(changes_their_mind, range(THREADS)))
    keeper.views.forget_all()
    state = keeper.views.get(subject, keeper.now()).state
    assert sum(one.about.name == "marketing" for one in state.consents) == THREADS * 10
