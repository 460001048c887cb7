"""Readings of tasks are sent by their loop, which does something else until the answer comes: whoever else needs the
line meanwhile takes the answer first, and nobody gets a content without a record, however the flight ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from threading import Thread
from time import sleep
from typing import Any, NoReturn

import psycopg
import pytest

from tests import postgres
from tests.homes import column, connection_to
from tests.proxy import DOWN, UP, Proxy, between
from tests.test_one_message import NOW, Trial, peopled, positions, size_of, trial_on
from tests.trial_home import opened, proved
from upheld.engine.acts import Reason
from upheld.errors import StoreFailed
from upheld.keeper import Outcome
from upheld.keeper.gathering import LoopGathering
from upheld.ledger.batch import read_body
from upheld.ledger.entries import Entry, unpacked
from upheld.store.aloft import Flight
from upheld.store.engine import Overtaken
from upheld.store.journal import JournalWriter
from upheld.store.place import Place
from upheld.store.postgres_connection import PostgresConnection
from upheld.store.tail import Tail
from upheld.store.wire import NOTHING, Wire


@pytest.fixture(scope="module")
def home(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    with trial_on(tmp_path_factory.mktemp("flight") / "home", postgres.made(address, "flight")) as made:
        yield made


@pytest.fixture
def trial(home: Trial) -> Trial:
    """Three persons whose values stand ready and whose keys are at hand."""
    made = peopled(home.path, home.house, home.neighbour)
    made.read_batch()
    made.read_batch()
    return made


@pytest.fixture
def flights(monkeypatch: pytest.MonkeyPatch) -> list[Flight]:
    """All that set out."""
    found: list[Flight] = []
    plain = Place.launched

    def launched(*given: Any) -> Flight | None:
        flight = plain(*given)
        if flight is not None:
            found.append(flight)
        return flight

    monkeypatch.setattr(Place, "launched", launched)
    return found


def reads(trial: Trial, *numbers: int) -> list[Awaitable[Outcome]]:
    """Readings of these persons by tasks, one each."""
    desk = trial.keeper.application("desk")
    return [
        asyncio.ensure_future(
            trial.keeper.front.read(trial.persons[one], "offers", reader=desk, values=(trial.phones[one],))
        )
        for one in numbers
    ]


def together(trial: Trial, *numbers: int) -> list[Outcome]:
    async def ask() -> list[Outcome]:
        return await asyncio.gather(*reads(trial, *numbers))

    return asyncio.run(asyncio.wait_for(ask(), 60))


def entries(trial: Trial) -> list[Entry]:
    """What the journal says and was not sealed yet."""
    bodies = column(trial.path / "active.db", "SELECT body FROM journal ORDER BY id")
    return [unpacked(data) for body in bodies for data in read_body(bytes(body))[1]]


async def until(done: Callable[[], object]) -> None:
    for _ in range(30_000):
        if done():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never came")


@contextmanager
def held(trial: Trial, number: int) -> Iterator[None]:
    """A neighbour has this person to itself: who reads it waits in the server."""
    with trial.neighbour.keeper.places.active.transaction((trial.persons[number],)):
        yield


def whole(trial: Trial) -> None:
    """Nothing is missing, double, or in the wrong order."""
    trial.keeper.seal()
    proved(trial.path, trial.keeper)


# ── how it goes ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_group_is_one_message_and_one_record_and_needs_no_other_thread(trial: Trial, flights: list[Flight]) -> None:
    trial.keeper.seal()
    outcomes = together(trial, 0, 1, 2)
    assert [list(one.texts) for one in outcomes] == [[phone] for phone in trial.phones]
    assert [list(one.values) for one in outcomes] == [["phone"]] * 3
    assert len(flights) == 1
    assert trial.keeper.front._workers._threads == []
    [entry] = entries(trial)
    aliases = [trial.keeper.views.alias(one) for one in trial.persons]
    assert (entry.kind, entry.fields["values"], entry.persons) == ("read.granted", tuple(trial.phones), tuple(aliases))
    whole(trial)


def test_readings_of_two_who_read_are_one_message_and_two_records(trial: Trial, flights: list[Flight]) -> None:
    trial.keeper.seal()
    desks = [trial.keeper.application(name) for name in ("desk", "other-desk", "desk")]

    async def ask() -> list[Outcome]:
        wanted = zip(desks, trial.persons, trial.phones, strict=True)
        one = trial.keeper.front.read
        return await asyncio.gather(*(one(who, "offers", reader=desk, values=(value,)) for desk, who, value in wanted))

    assert [list(one.texts) for one in asyncio.run(ask())] == [[phone] for phone in trial.phones]
    assert len(flights) == 1
    first, second, last = trial.phones
    assert {one.fields["values"] for one in entries(trial)} == {(first, last), (second,)}
    [alone] = [one for one in entries(trial) if one.fields["values"] == (second,)]
    assert alone.who == trial.keeper.views.alias(trial.persons[1])


def test_what_is_not_ready_is_decided_in_another_thread(trial: Trial, flights: list[Flight]) -> None:
    desk = trial.keeper.application("desk")
    person, phone = trial.persons[0], trial.phones[0]

    async def ask() -> list[Outcome]:
        one = trial.keeper.front.read
        return [
            await one(person, "offers", reader=desk, items=("phone",)),
            await one(person, "service", reader=desk, values=(phone,)),
            await one(trial.persons[1], "offers", reader=desk, values=(phone,)),
            await one(person, "never-declared", reader=desk, values=(phone,)),
        ]

    items, other, stranger, undeclared = asyncio.run(ask())
    assert list(items.texts) == [phone]
    assert not other.granted
    assert not stranger.granted
    assert undeclared.reasons == (Reason.PURPOSE_UNDECLARED,)
    assert flights == []


def test_what_a_neighbour_has_withdrawn_is_refused_and_the_others_are_read(trial: Trial, flights: list[Flight]) -> None:
    trial.neighbour.keeper.withdraw(trial.persons[1], "purpose/offers", channel="website")
    before = trial.records()
    first, late, last = together(trial, 0, 1, 2)
    assert (first.granted, late.granted, last.granted) == (True, False, True)
    assert late.texts == {}
    assert [flight.rows for flight in flights] == [None]
    assert before < trial.records() <= before + 2
    whole(trial)


def test_a_withdrawal_of_this_process_counts_from_the_next_reading_on(trial: Trial) -> None:
    async def ask() -> list[bool]:
        found = [(await reads(trial, 0)[0]).granted]
        await trial.keeper.front.do(trial.keeper.withdraw, trial.persons[0], "purpose/offers", channel="website")
        return [*found, (await reads(trial, 0)[0]).granted]

    assert asyncio.run(ask()) == [True, False]


def test_tasks_that_ask_while_a_group_is_in_the_air_go_together_when_it_has_landed(
    trial: Trial, flights: list[Flight]
) -> None:
    async def ask() -> list[Outcome]:
        with held(trial, 0):
            first = reads(trial, 0)
            await until(lambda: flights)
            rest = reads(trial, 1, 2)
            await asyncio.sleep(0.05)
            assert len(flights) == 1
            assert not flights[0].over
        return await asyncio.gather(*first, *rest)

    assert all(one.granted for one in asyncio.run(ask()))
    assert [len(flight.rows or ()) for flight in flights] == [1, 2]


# ── somebody else wants the line ────────────────────────────────────────────────────────────────────────────────────


def test_a_thread_that_wants_the_place_takes_the_answer_first_and_the_task_gets_it(
    trial: Trial, flights: list[Flight]
) -> None:
    found: list[Outcome] = []

    async def ask() -> Outcome:
        with held(trial, 0):
            asked = reads(trial, 0)
            await until(lambda: flights)
            other = Thread(target=lambda: found.append(trial.read(1)))
            other.start()
            await asyncio.sleep(0.05)
            assert found == []
        outcome = await asked[0]
        await until(lambda: found)
        other.join(30)
        return outcome

    assert list(asyncio.run(ask()).texts) == [trial.phones[0]]
    assert list(found[0].texts) == [trial.phones[1]]
    whole(trial)


def test_the_thread_of_the_loop_itself_takes_the_answer_where_it_calls_a_verb(
    trial: Trial, flights: list[Flight]
) -> None:
    async def ask() -> Outcome:
        asked = reads(trial, 0)
        await until(lambda: flights)
        assert trial.read(1).granted
        assert flights[0].over
        with trial.keeper.batch():
            trial.keeper.consent(trial.persons[2], "provision/mall", channel="website")
            return await asked[0]

    assert list(asyncio.run(ask()).texts) == [trial.phones[0]]
    whole(trial)


def test_a_second_loop_reads_beside_the_first(trial: Trial, flights: list[Flight]) -> None:
    found: list[Outcome] = []

    async def ask() -> Outcome:
        with held(trial, 0):
            asked = reads(trial, 0)
            await until(lambda: flights)
            other = Thread(target=lambda: found.extend(together(trial, 1, 2)))
            other.start()
            await asyncio.sleep(0.05)
        outcome = await asked[0]
        other.join(30)
        return outcome

    assert asyncio.run(ask()).granted
    assert [list(one.texts) for one in found] == [[trial.phones[1]], [trial.phones[2]]]
    whole(trial)


def test_a_loop_that_ends_with_a_group_in_the_air_keeps_nobody_from_the_place(
    trial: Trial, flights: list[Flight]
) -> None:
    before = trial.records()

    async def leave() -> None:
        reads(trial, 0)
        await until(lambda: flights)

    asyncio.run(leave())
    assert trial.read(1).granted
    assert flights[0].over
    assert trial.records() == before + 2
    assert together(trial, 2)[0].granted
    whole(trial)


def test_who_is_cancelled_in_the_air_takes_nothing_from_the_others(trial: Trial, flights: list[Flight]) -> None:
    trial.keeper.seal()

    async def ask() -> Outcome:
        with held(trial, 0):
            goes, stays = reads(trial, 0, 1)
            await until(lambda: flights)
            goes.cancel()  # type: ignore[attr-defined]  # a task
        return await stays

    assert list(asyncio.run(ask()).texts) == [trial.phones[1]]
    assert [one.fields["values"] for one in entries(trial)] == [tuple(trial.phones[:2])]


def test_a_place_that_is_closed_has_what_is_in_the_air_on_record(home: Trial, flights: list[Flight]) -> None:
    trial = peopled(home.path, home.neighbour, home.house)
    trial.read_batch()
    trial.read_batch()
    with opened(home.path, NOW) as house:
        own = Trial(home.path, house, home.neighbour, trial.persons, trial.phones)
        own.read_batch()
        before = own.records()

        async def leave() -> None:
            reads(own, 0)
            await until(lambda: flights)

        asyncio.run(leave())
    assert flights[-1].over
    assert flights[-1].rows is not None
    assert trial.records() == before + 1


# ── what has to be waited for after all ─────────────────────────────────────────────────────────────────────────────


def test_keys_that_are_not_at_hand_are_fetched_by_another_thread(trial: Trial, flights: list[Flight]) -> None:
    before = trial.records()
    trial.keeper.places.vault.forget_all()
    outcomes = together(trial, 0, 1, 2)
    assert [list(one.texts) for one in outcomes] == [[phone] for phone in trial.phones]
    assert len(flights) == 1
    assert trial.records() == before + 1
    assert trial.keeper.front._workers._threads


def test_a_value_that_was_taken_away_is_not_given_and_that_is_on_record(trial: Trial, flights: list[Flight]) -> None:
    trial = peopled(trial.path, trial.house, trial.neighbour)
    trial.read_batch()  # where they lie is not known yet
    trial.keeper.seal()
    with closing(connection_to(trial.path / "active.db")) as other:
        other.execute("DELETE FROM value WHERE value_id = ?", (trial.phones[1],))
    first, gone, last = together(trial, 0, 1, 2)
    assert (first.granted, last.granted) == (True, True)
    assert gone.texts == {}
    assert "read.fell-short" in {one.kind for one in entries(trial)}


def test_a_tail_that_is_over_is_sealed_by_another_thread(
    trial: Trial, flights: list[Flight], monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.keeper.seal()

    async def ask() -> None:
        assert all(one.granted for one in await asyncio.gather(*reads(trial, 0, 1, 2)))
        await until(lambda: trial.records() == 0)

    with monkeypatch.context() as patch:
        patch.setattr(trial.keeper.places.active, "tail", Tail(lambda: 0.0, entries=1))
        asyncio.run(ask())
    assert len(flights) == 1
    whole(trial)


def test_a_loop_that_cannot_listen_waits_in_another_thread(
    trial: Trial, flights: list[Flight], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = asyncio.SelectorEventLoop.add_reader

    def deaf(loop: Any, number: Any, callback: Any, *given: Any) -> None:
        if getattr(callback, "__func__", None) is LoopGathering._readable:
            raise NotImplementedError
        plain(loop, number, callback, *given)

    monkeypatch.setattr(asyncio.SelectorEventLoop, "add_reader", deaf)

    async def ask() -> list[Outcome]:
        return [*await asyncio.gather(*reads(trial, 0, 1)), *await asyncio.gather(*reads(trial, 2))]

    assert all(one.granted for one in asyncio.run(ask()))
    assert len(flights) == 1, "it is not tried again"
    whole(trial)


# ── faults ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_line_that_is_gone_in_the_air_is_found_out_about_and_read_anew(trial: Trial, flights: list[Flight]) -> None:
    before = trial.records()

    async def ask() -> Outcome:
        with held(trial, 0):
            asked = reads(trial, 0)
            await until(lambda: flights)
            line: Any = trial.keeper.places.active.connection
            trial.neighbour.keeper.places.active.connection.execute(
                "SELECT pg_terminate_backend(CAST(? AS INT))", (line._inner.info.backend_pid,)
            ).fetchone()
        return await asked[0]

    assert list(asyncio.run(ask()).texts) == [trial.phones[0]]
    assert trial.records() == before + 1
    assert together(trial, 0, 1)[1].granted
    assert len(flights) == 2
    whole(trial)


@pytest.fixture(scope="module")
def cut(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Trial, Proxy]]:
    databases = postgres.made(address, "cut_in_the_air")
    with between(databases["active"]) as (proxy, through):
        path = tmp_path_factory.mktemp("cut") / "home"
        with trial_on(path, {**databases, "active": through}) as trial:
            yield trial, proxy


@pytest.mark.parametrize("way", [UP, DOWN])
def test_a_flight_that_is_cut_at_any_byte_is_answered_and_never_without_a_record(
    cut: tuple[Trial, Proxy], flights: list[Flight], way: str
) -> None:
    trial, proxy = cut
    trial.read_batch(), trial.read_batch()
    together(trial, 0, 1, 2), together(trial, 0, 1, 2)
    size = size_of(proxy, lambda: together(trial, 0, 1, 2))[way]
    for count in positions(size):
        before, set_out = trial.records(), len(flights)
        proxy.cut_after(way, count)
        outcomes = together(trial, 0, 1, 2)
        proxy.whole()
        assert [list(one.texts) for one in outcomes] == [[phone] for phone in trial.phones], f"{count} of {size} {way}"
        assert len(flights) > set_out or count == 0
        assert before < trial.records() <= before + 2, f"{count} of {size} bytes {way}"
        together(trial, 0, 1, 2), together(trial, 0, 1, 2)
    whole(trial)


@pytest.mark.parametrize("where", [(Wire, "taken"), (Wire, "end"), (JournalWriter, "committed"), (Flight, "__init__")])
def test_a_loop_that_is_stopped_at_any_step_leaves_no_gap_and_nothing_double(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, where: tuple[type, str]
) -> None:
    together(trial, 0)
    before = trial.records()

    def stopped(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*where, stopped)
        with pytest.raises(KeyboardInterrupt):
            together(trial, 0)
    assert trial.read(0).granted
    assert together(trial, 0, 1)[1].granted
    # What was sent is on record; while the loop ends it may have been asked for once more, by a worker.
    assert trial.records() - before in (2, 3, 4)
    whole(trial)


def test_a_thread_that_is_stopped_while_it_takes_the_answer_leaves_the_task_its_reading(
    trial: Trial, flights: list[Flight], monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[BaseException] = []

    def stops(*_: object, **__: object) -> NoReturn:
        raise SystemExit

    def interrupted() -> None:
        try:
            trial.read(1)
        except SystemExit as failure:
            stopped.append(failure)

    async def ask() -> Outcome:
        with held(trial, 0):
            asked = reads(trial, 0)
            await until(lambda: flights)
            with monkeypatch.context() as patch:
                patch.setattr(Wire, "take", stops)
                other = Thread(target=interrupted)
                other.start()
                other.join(30)
        return await asked[0]

    assert list(asyncio.run(ask()).texts) == [trial.phones[0]]
    assert len(stopped) == 1
    whole(trial)


def test_what_is_wrong_with_the_record_is_told_and_nothing_was_sent_for_good(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = trial.records()

    def refused(*_: object, **__: object) -> NoReturn:
        raise StoreFailed("refused")

    with monkeypatch.context() as patch:
        patch.setattr(JournalWriter, "statements", refused)
        assert together(trial, 0)[0].granted, "by the long way"
    assert trial.records() == before + 1
    whole(trial)


def test_a_view_that_was_taken_the_place_of_before_it_set_out_is_not_sent(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, flights: list[Flight]
) -> None:
    def late(*_: object) -> NoReturn:
        raise Overtaken("late")

    with monkeypatch.context() as patch:
        patch.setattr(type(trial.keeper.views), "taken", late)
        assert together(trial, 0)[0].granted
    assert flights == []
    assert trial.keeper.places.active._doubted


# ── the wire ────────────────────────────────────────────────────────────────────────────────────────────────────────


READY = 6
"""Bytes by which the server ends its answer to a message, once that is committed."""


@pytest.fixture
def wire(cut: tuple[Trial, Proxy]) -> Iterator[Wire]:
    """A connection of its own through the proxy."""
    through: Any = cut[0].keeper.places.active.connection
    with closing(PostgresConnection(through._address, "public")) as line:
        yield line._wire


def answered(wire: Wire) -> list[Any]:
    """Two statements, whose answer is looked for and not waited for."""
    wire.post([(b"SELECT repeat('x', 20000)", NOTHING), (b"SELECT 2", NOTHING)])
    while (answer := wire.taken(1)) is None:
        sleep(0.001)
    return answer.rows


@pytest.mark.parametrize("missing", [READY, READY - 1, 1])
def test_an_answer_counts_when_the_end_of_its_message_is_here_and_not_before(
    wire: Wire, cut: tuple[Trial, Proxy], missing: int
) -> None:
    _, proxy = cut
    assert answered(wire) == [(2,)]
    size = size_of(proxy, lambda: answered(wire))[DOWN]
    proxy.cut_after(DOWN, size - missing)
    try:
        with pytest.raises(psycopg.OperationalError):
            answered(wire)
    finally:
        proxy.whole()


def test_who_waits_goes_on_where_nobody_waited(wire: Wire) -> None:
    wire.post([(b"SELECT 1", NOTHING), (b"SELECT pg_sleep(0.2)", NOTHING)])
    assert wire.taken(0) is None
    assert wire.take(0)[0].rows == [(1,)]
