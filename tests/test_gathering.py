"""Readings that wait are made together, and nobody gets what is another's: neither an answer nor a failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Barrier, Event, Thread

import upheld
from benchmarks.ground import CONTENT, DOCUMENT, member, members
from upheld.engine.acts import Reason, SubjectId
from upheld.errors import InputRefused
from upheld.keeper.gathering import MOST, Gathering
from upheld.ledger.batch import read_body
from upheld.ledger.entries import unpacked


def at_once(calls: Sequence[Callable[[], None]]) -> None:
    """Run each in a thread of its own and wait for all."""
    threads = [Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "somebody waits for ever"


class Counting:
    """Answers with the square; the first call waits until it is let go, so that others gather."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.begun, self.go = Event(), Event()

    def __call__(self, several: Sequence[int]) -> list[int]:
        self.sizes.append(len(several))
        if len(self.sizes) == 1:
            self.begun.set()
            assert self.go.wait(30)
        if 13 in several:
            raise ValueError("thirteen")
        return [one * one for one in several]


def gathered(numbers: Sequence[int]) -> tuple[Counting, dict[int, object]]:
    """What each of the numbers got, all asked while a first call is under way."""
    counting, found = Counting(), dict[int, object]()
    gathering = Gathering(counting)

    def ask(number: int) -> None:
        try:
            found[number] = gathering.one(number)
        except ValueError as failure:
            found[number] = failure

    first = Thread(target=ask, args=(-1,))
    first.start()
    assert counting.begun.wait(30)
    threads = [Thread(target=ask, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    while len(gathering._waiting) < len(numbers):
        pass
    counting.go.set()
    for thread in (first, *threads):
        thread.join(30)
        assert not thread.is_alive(), "somebody waits for ever"
    return counting, found


def test_who_waits_is_answered_together_and_each_gets_his_own() -> None:
    counting, found = gathered(range(20, 50))
    assert found == {number: number * number for number in (-1, *range(20, 50))}
    assert counting.sizes == [1, 30]


def test_a_failure_is_that_of_whose_reading_it_is() -> None:
    _, found = gathered(range(10, 16))
    assert isinstance(found.pop(13), ValueError)
    assert found == {number: number * number for number in (-1, 10, 11, 12, 14, 15)}


def test_no_more_are_taken_at_once_than_a_transaction_can_name() -> None:
    counting, found = gathered(range(1000, 1000 + MOST + 10))
    assert len(found) == MOST + 11
    assert counting.sizes == [1, MOST, 10]


def test_who_was_stopped_while_he_led_leaves_nobody_waiting() -> None:
    gathering: Gathering[int, int]
    begun, go = Event(), Event()

    def together(several: Sequence[int]) -> list[int]:
        if several[0] == 1:
            begun.set()
            assert go.wait(30)
        if several[0] == 2:
            raise KeyboardInterrupt
        return list(several)

    gathering = Gathering(together)
    seen: dict[int, object] = {}

    def ask(number: int) -> None:
        try:
            seen[number] = gathering.one(number)
        except (KeyboardInterrupt, RuntimeError) as failure:
            seen[number] = type(failure)

    def two_and_three() -> None:
        assert begun.wait(30)
        second, third = (Thread(target=ask, args=(number,)) for number in (2, 3))
        second.start()
        while not gathering._waiting:
            pass
        third.start()
        while len(gathering._waiting) < 2:
            pass
        go.set()
        second.join(30)
        third.join(30)

    at_once([lambda: ask(1), two_and_three])
    assert seen == {1: 1, 2: KeyboardInterrupt, 3: RuntimeError}
    ask(4)
    assert seen[4] == 4


def test_readings_of_many_threads_are_recorded_each_and_refused_each_for_itself(tmp_path: Path) -> None:
    clock = upheld.SetClock(datetime(2018, 7, 1, tzinfo=UTC))
    keeper = upheld.open(tmp_path / "home", upheld.Options(clock=clock, light_hashing=True))
    keeper.publish(DOCUMENT)
    clock.set(datetime(2018, 7, 9, tzinfo=UTC))
    people = members(keeper, 24, ("name", "address"))
    reader, got = keeper.application("crm"), dict[str, object]()
    barrier = Barrier(26)

    def read(who: SubjectId, purpose: str) -> None:
        barrier.wait(30)
        try:
            got[who] = keeper.read(who, purpose, reader=reader, items=("name",), use="identify")
        except InputRefused as refusal:
            got[who] = refusal.code

    calls = [partial(read, who, "identity") for who, _ in people]
    calls.append(partial(read, SubjectId("a" * 20), "identity"))
    somebody, _ = member(keeper)
    calls.append(partial(read, somebody, "never-declared"))
    at_once(calls)
    for who, values in people:
        outcome = got[who]
        assert outcome.text("name") == CONTENT  # type: ignore[attr-defined]  # not a failure
        assert outcome.values == {"name": (values[0],)}  # type: ignore[attr-defined]  # not a failure
    assert got["a" * 20] == "unknown"
    assert got[somebody].reasons == (Reason.PURPOSE_UNDECLARED,)  # type: ignore[attr-defined]  # not a failure
    bodies = keeper.places.active.connection.execute("SELECT body FROM journal").fetchall()
    entries = [unpacked(data) for (body,) in bodies for data in read_body(body)[1]]
    granted = [one for one in entries if one.kind == "read.granted"]
    assert sorted(value for one in granted for value in one.fields["values"]) == sorted(v[0] for _, v in people)  # type: ignore[union-attr]  # an entry's list
    assert sum(one.kind == "read.refused" for one in entries) == 1
    assert len(granted) <= len(people), "those that waited share a record"
    keeper.close()
