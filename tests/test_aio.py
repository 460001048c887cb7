"""Tasks of an event loop read together: each gets its own answer, and who goes away takes nothing from anybody."""

from __future__ import annotations

import asyncio
import re
from asyncio import CancelledError, Task
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

import upheld
from benchmarks.ground import CONTENT, DOCUMENT, Person, member, members
from upheld.engine.acts import Reason, SubjectId
from upheld.errors import InputRefused
from upheld.keeper.gathering import MOST, WORTH, LoopGathering, Workers
from upheld.ledger.batch import read_body
from upheld.ledger.entries import Entry, unpacked


class Counting:
    """Answers with the square; while it is held nobody gets an answer."""

    def __init__(self, *, held: bool = False) -> None:
        self.groups: list[list[int]] = []
        self.go = Event()
        if not held:
            self.go.set()

    def __call__(self, several: Sequence[int]) -> list[int]:
        self.groups.append(list(several))
        assert self.go.wait(30)
        if 13 in several:
            raise ValueError("thirteen")
        return [one * one for one in several]


@pytest.fixture
def workers() -> Iterator[Workers]:
    """Threads that are given back."""
    made = Workers()
    yield made
    made.close()


def gathering_of(counting: Counting, workers: Workers) -> LoopGathering[int, int]:
    """On the loop that runs."""
    return LoopGathering(asyncio.get_running_loop(), counting, workers.run)


async def until(done: Callable[[], bool]) -> None:
    """Let others go on until it is so."""
    for _ in range(30_000):
        if done():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never came")


def test_who_asks_in_the_same_turn_of_the_loop_goes_together(workers: Workers) -> None:
    counting = Counting()

    async def ask() -> list[int]:
        gathering = gathering_of(counting, workers)
        return await asyncio.gather(*(gathering.one(number) for number in range(5)))

    assert asyncio.run(ask()) == [0, 1, 4, 9, 16]
    assert counting.groups == [[0, 1, 2, 3, 4]]


def test_few_wait_for_the_group_under_way_and_many_set_out_beside_it(workers: Workers) -> None:
    counting = Counting(held=True)

    async def ask() -> list[int]:
        gathering = gathering_of(counting, workers)
        asked = [gathering.one(100)]
        await until(lambda: len(counting.groups) == 1)
        asked += [gathering.one(number) for number in range(201, 200 + WORTH)]
        await asyncio.sleep(0.05)
        assert len(counting.groups) == 1, "one is missing"
        asked.append(gathering.one(200 + WORTH))
        await until(lambda: len(counting.groups) == 2)
        asked += [gathering.one(number) for number in range(300, 300 + 2 * WORTH)]
        await asyncio.sleep(0.05)
        assert len(counting.groups) == 2, "two are under way at most"
        counting.go.set()
        return await asyncio.gather(*asked)

    numbers = [100, *range(201, 201 + WORTH), *range(300, 300 + 2 * WORTH)]
    assert asyncio.run(ask()) == [number * number for number in numbers]
    assert [number for group in counting.groups for number in group] == numbers


def test_a_failure_is_that_of_whose_reading_it_is(workers: Workers) -> None:
    async def ask() -> list[int | BaseException]:
        gathering = gathering_of(Counting(), workers)
        return await asyncio.gather(*(gathering.one(number) for number in (12, 13, 14)), return_exceptions=True)

    twelve, thirteen, fourteen = asyncio.run(ask())
    assert (twelve, fourteen) == (144, 196)
    assert isinstance(thirteen, ValueError)


def test_who_is_cancelled_before_the_group_sets_out_is_left_out(workers: Workers) -> None:
    counting = Counting(held=True)

    async def ask() -> None:
        gathering = gathering_of(counting, workers)
        first = gathering.one(1)
        await until(lambda: len(counting.groups) == 1)
        stays, goes = gathering.one(2), gathering.one(3)
        goes.cancel()
        counting.go.set()
        assert (await first, await stays) == (1, 4)
        assert goes.cancelled()

    asyncio.run(ask())
    assert counting.groups == [[1], [2]]


def test_who_is_cancelled_on_the_way_takes_nothing_from_the_others(workers: Workers) -> None:
    counting = Counting(held=True)

    async def ask() -> None:
        gathering = gathering_of(counting, workers)
        tasks = [asyncio.create_task(awaited(gathering, number)) for number in (1, 2, 3)]
        await until(lambda: len(counting.groups) == 1)
        tasks[1].cancel()
        with pytest.raises(CancelledError):
            await tasks[1]
        counting.go.set()
        assert (await tasks[0], await tasks[2]) == (1, 9)
        assert await gathering.one(4) == 16, "and the next are answered"

    asyncio.run(ask())


async def awaited(gathering: LoopGathering[int, int], number: int) -> int:
    """As a task awaits it."""
    return await gathering.one(number)


def test_no_more_are_taken_at_once_than_a_transaction_can_name(workers: Workers) -> None:
    counting = Counting()

    async def ask() -> list[int]:
        gathering = gathering_of(counting, workers)
        return await asyncio.gather(*(gathering.one(number) for number in range(1000, 1010 + MOST)))

    assert len(asyncio.run(ask())) == MOST + 10
    assert [len(group) for group in counting.groups] == [MOST, 10]


def test_a_thread_that_is_stopped_leaves_nobody_waiting(workers: Workers) -> None:
    def stopped(several: Sequence[int]) -> list[int]:
        if several[0] == 1:
            raise SystemExit
        return list(several)

    async def ask() -> None:
        gathering = LoopGathering(asyncio.get_running_loop(), stopped, workers.run)
        with pytest.raises(RuntimeError, match="ask again"):
            await gathering.one(1)
        assert await gathering.one(2) == 2

    asyncio.run(ask())


def test_a_loop_that_is_gone_stops_no_worker(workers: Workers) -> None:
    counting = Counting(held=True)

    async def leave() -> None:
        gathering_of(counting, workers).one(1)
        await until(lambda: len(counting.groups) == 1)

    asyncio.run(leave())
    counting.go.set()

    async def ask() -> int:
        return await gathering_of(counting, workers).one(7)

    assert asyncio.run(ask()) == 49


def test_who_asks_after_the_end_is_told_so() -> None:
    gone = Workers()
    gone.close()

    async def ask() -> int:
        return await gathering_of(Counting(), gone).one(1)

    with pytest.raises(RuntimeError, match="closed"):
        asyncio.run(ask())


# ── with a keeper ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[upheld.Keeper, list[Person]]]:
    """Members with a name and an address each."""
    home: Path = tmp_path_factory.mktemp("aio") / "home"
    clock = upheld.SetClock(datetime(2018, 7, 1, tzinfo=UTC))
    with upheld.open(home, upheld.Options(clock=clock, light_hashing=True)) as keeper:
        keeper.publish(DOCUMENT)
        clock.set(datetime(2018, 7, 9, tzinfo=UTC))
        yield keeper, members(keeper, 24, ("name", "address"))


def recorded(keeper: upheld.Keeper) -> list[Entry]:
    """What the journal says and was not sealed yet."""
    with keeper.places.active.reading() as connection:
        bodies = connection.execute("SELECT body FROM journal ORDER BY id").fetchall()
    return [unpacked(data) for (body,) in bodies for data in read_body(body)[1]]


def test_tasks_share_a_record_and_each_is_decided_for_itself(house: tuple[upheld.Keeper, list[Person]]) -> None:
    keeper, people = house
    keeper.seal()
    reader, (somebody, _) = keeper.application("crm"), member(keeper)
    already = len(recorded(keeper))

    async def ask() -> list[upheld.Outcome | BaseException]:
        one = keeper.front.read
        tasks: list[Task[upheld.Outcome]] = []
        async with asyncio.TaskGroup() as group:
            tasks += [
                group.create_task(one(who, "identity", reader=reader, items=("name",), use="identify"))
                for who, _ in people
            ]
            tasks.append(group.create_task(one(somebody, "never-declared", reader=reader)))
        unknown = await asyncio.gather(one(SubjectId("a" * 20), "identity", reader=reader), return_exceptions=True)
        return [*(task.result() for task in tasks), *unknown]

    *granted, refused, unknown = asyncio.run(ask())
    for (_, values), outcome in zip(people, granted, strict=True):
        assert isinstance(outcome, upheld.Outcome)
        assert outcome.text("name") == CONTENT
        assert outcome.values == {"name": (values[0],)}
    assert isinstance(refused, upheld.Outcome)
    assert refused.reasons == (Reason.PURPOSE_UNDECLARED,)
    assert isinstance(unknown, InputRefused)
    entries = recorded(keeper)[already:]
    [together] = [entry for entry in entries if entry.kind == "read.granted"]
    assert sorted(together.fields["values"]) == sorted(values[0] for _, values in people)  # type: ignore[arg-type]  # ids
    assert sum(entry.kind == "read.refused" for entry in entries) == 1


def test_what_was_cancelled_on_its_way_is_on_record_all_the_same(house: tuple[upheld.Keeper, list[Person]]) -> None:
    keeper, people = house
    (who, values), (other, others) = people[:2]
    keeper.seal()
    reader, held, go = keeper.application("crm"), Event(), Event()

    def hold() -> None:
        with keeper.places.active.reading():  # nobody writes meanwhile
            held.set()
            assert go.wait(30)

    async def ask() -> upheld.Outcome:
        goes, stays = (
            asyncio.create_task(keeper.front.read(person, "identity", reader=reader, values=(value,), use="identify"))
            for person, value in ((who, values[0]), (other, others[0]))
        )
        await until(lambda: bool(keeper.places.active._waiting))
        goes.cancel()
        with pytest.raises(CancelledError):
            await goes
        go.set()
        return await stays

    holder = Thread(target=hold)
    holder.start()
    assert held.wait(30)
    outcome = asyncio.run(ask())
    holder.join(30)
    assert outcome.texts == {others[0]: CONTENT}
    [entry] = [one for one in recorded(keeper) if one.kind == "read.granted"]
    assert entry.fields["values"] == (values[0], others[0])


def test_two_loops_read_at_once(house: tuple[upheld.Keeper, list[Person]]) -> None:
    keeper, people = house
    reader, found = keeper.application("crm"), list[int]()

    async def ask() -> int:
        outcomes = await asyncio.gather(
            *(keeper.front.read(who, "identity", reader=reader, items=("name",), use="identify") for who, _ in people)
        )
        return sum(outcome.text("name") == CONTENT for outcome in outcomes)

    threads = [Thread(target=lambda: found.append(asyncio.run(ask()))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [len(people), len(people)]


def test_loops_that_are_gone_are_not_kept(house: tuple[upheld.Keeper, list[Person]]) -> None:
    keeper, ((who, values), *_) = house
    reader = keeper.application("crm")

    async def ask() -> None:
        await keeper.front.read(who, "identity", reader=reader, values=(values[0],), use="identify")

    for _ in range(3):
        asyncio.run(ask())
    assert len(keeper.front._gathering) == 1


def test_a_task_in_a_batch_is_refused_before_it_waits(house: tuple[upheld.Keeper, list[Person]]) -> None:
    keeper, people = house
    who, values = people[0]
    reader = keeper.application("crm")

    async def ask() -> None:
        with keeper.batch():
            with pytest.raises(InputRefused, match="outside the batch"):
                await keeper.front.read(who, "identity", reader=reader, values=(values[0],), use="identify")
            with pytest.raises(InputRefused, match="outside the batch"):
                await keeper.front.read_batch("identity", [(who, values[0])], reader=reader, use="identify")
            with pytest.raises(InputRefused, match="outside the batch"):
                await keeper.front.do(keeper.consents, who)

    asyncio.run(asyncio.wait_for(ask(), 30))


def test_other_verbs_are_done_in_a_thread(house: tuple[upheld.Keeper, list[Person]]) -> None:
    keeper, people = house
    reader = keeper.application("crm")
    wanted = [(who, values[0]) for who, values in people[:3]]

    async def ask() -> tuple[int, bool]:
        batch = await keeper.front.read_batch("identity", wanted, reader=reader, use="identify")
        consent = await keeper.front.do(keeper.consent, wanted[0][0], "purpose/service", channel="website")
        return len(batch.texts), consent.granted

    assert asyncio.run(ask()) == (3, True)


def test_what_the_page_on_the_api_shows_runs(tmp_path: Path) -> None:
    page = (Path(__file__).parent.parent / "docs" / "api.md").read_text("utf-8")
    [shown] = re.findall(r"```python\n(.*?)```", page, re.S)
    names: dict[str, Any] = {"asyncio": asyncio}
    exec(shown, names)
    document = re.findall(r"```yaml\n(.*?)```", (Path(__file__).parent.parent / "README.md").read_text("utf-8"), re.S)
    clock = upheld.SetClock(datetime(2026, 1, 5, tzinfo=UTC))
    with upheld.open(tmp_path / "home", upheld.Options(clock=clock, trial=True, light_hashing=True)) as keeper:
        keeper.publish(document[0].encode())
        clock.set(datetime(2026, 1, 12, tzinfo=UTC))
        people = [keeper.enter("sample-shop", "customer") for _ in range(3)]
        for who in people[:2]:
            keeper.begin(who, "order")
            asyncio.run(names["collected"](keeper, who, {"name": "Sample Hong"}))
        found = asyncio.run(names["names"](keeper, keeper.application("shop"), people))
    assert found == ["Sample Hong", "Sample Hong", (Reason.UNKNOWN,)]
