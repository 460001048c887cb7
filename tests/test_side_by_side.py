"""On PostgreSQL writers of different persons commit side by side, writers of one person one after the other.

Whoever publishes waits for all and has the place alone. What many processes did must be what some order of their acts
explains, person by person.
"""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from contextlib import contextmanager
from functools import partialmethod
from pathlib import Path
from random import Random
from statistics import mean
from threading import Event
from typing import Any

import pytest

import upheld
from tests import postgres
from tests.homes import column
from tests.trial_home import POLICY, House, at, member, opened, proved
from upheld import system
from upheld.dates import Period
from upheld.engine.acts import SubjectId
from upheld.errors import StoreFailed
from upheld.keeper import Keeper
from upheld.store import history
from upheld.store.place import NotClaimed, Transaction
from upheld.store.wire import Wire

PROCESSES, PERSONS, SECONDS = 8, 5, 4.0
CHANGES = ("consent", "withdraw", "collect", "offer", "offer", "correct", "begin")
LOOKS = ("read", "read-batch")


@pytest.fixture(scope="module")
def on_server() -> Iterator[str]:
    with postgres.server() as address, postgres.homes_on(address):
        yield address


@pytest.fixture
def house(on_server: str, tmp_path: Path) -> Iterator[House]:
    with opened(tmp_path / "home", at("2024-03-01")) as made:
        made.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        for number in range(2):
            member(made, f"person-{number}")
        yield made


# ── who waits for whom ──────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def held_by(keeper: Keeper, about: tuple[SubjectId, ...], *, reads: bool = False) -> Iterator[None]:
    """Inside the block another connection has a transaction open that is about these."""
    go, begun = Event(), Event()

    def work(transaction: Transaction) -> None:
        begun.set()
        assert go.wait(30)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(lambda: keeper.places.active.submit(work, about=about, reads=reads))
        assert begun.wait(30)
        try:
            yield
        finally:
            go.set()
            running.result(30)


def passes(act: Callable[[], object]) -> tuple[bool, Future[object]]:
    """Whether an act is done while somebody else holds what they hold; it goes on in a thread of its own."""
    pool = ThreadPoolExecutor(1)
    running = pool.submit(act)
    pool.shutdown(wait=False)
    try:
        running.result(1.0)
    except Late:
        return False, running
    return True, running


def test_a_batch_meets_whom_it_does_not_know_and_whom_a_neighbour_changed_in_few_messages(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [member(house, f"batch-{number}") for number in range(8)]
    sent: list[object] = []
    plain = {name: getattr(Wire, name) for name in ("post", "ask")}

    def heard(wire: Wire, given: object, *, name: str) -> object:
        sent.append(given)
        return plain[name](wire, given)

    for name in plain:
        monkeypatch.setattr(Wire, name, partialmethod(heard, name=name))
    with opened(tmp_path / "home", at("2024-03-01")) as neighbour:
        views, now = neighbour.keeper.views, neighbour.keeper.now()
        views.refresh()
        for changed in (0, 6):
            for person in people[:changed]:
                assert house.keeper.withdraw(person, "purpose/offers", channel="website").granted
            sent.clear()
            views.meet_again(people, now)
            assert 0 < len(sent) <= 6, "what is not prepared yet is heard twice"
            sent.clear()
            views.meet_again(people, now)
            asked = len(sent)
            assert asked <= 2, "it asks for the epochs of all, and they are what is known"
            found = [views.get(person, now).epoch for person in people]
            assert len(sent) == asked
            assert found == [house.keeper.views.get(person, now).epoch for person in people]


def test_a_writer_waits_for_writers_of_the_same_person_and_for_no_others(house: House, tmp_path: Path) -> None:
    first, second = house.persons.values()
    with opened(tmp_path / "home", at("2024-03-01")) as neighbour:
        with held_by(neighbour.keeper, (first,)):
            assert passes(lambda: house.keeper.consent(second, "provision/mall", channel="website"))[0]
            assert passes(lambda: house.keeper.enter("trial", "member"))[0]
            waited, running = passes(lambda: house.keeper.consent(first, "provision/mall", channel="website"))
            assert not waited
        assert running.result(30).granted  # type: ignore[attr-defined]  # a future of an outcome


def test_readers_share_a_person_and_keep_writers_of_it_waiting(house: House, tmp_path: Path) -> None:
    first = next(iter(house.persons.values()))
    desk = house.keeper.application("desk")
    with opened(tmp_path / "home", at("2024-03-01")) as neighbour:
        with held_by(neighbour.keeper, (first,), reads=True):
            assert passes(lambda: house.keeper.read(first, "service", reader=desk, items=("name",)))[0]
            waited, running = passes(lambda: house.keeper.withdraw(first, "purpose/offers", channel="website"))
            assert not waited
        assert running.result(30).granted  # type: ignore[attr-defined]  # a future of an outcome


def test_what_changes_the_plan_waits_for_every_writer(house: House, tmp_path: Path) -> None:
    first = next(iter(house.persons.values()))
    with opened(tmp_path / "home", at("2024-03-01")) as neighbour:
        with held_by(neighbour.keeper, (first,)):
            waited, running = passes(lambda: house.keeper.source("trial", "shop", Period.parse("P3D")))
            assert not waited
        running.result(30)


def test_work_that_strays_from_what_it_is_about_is_stopped(house: House) -> None:
    first, second = house.persons.values()
    keeper = house.keeper
    seen = keeper.views.get(second, keeper.now())

    def strays(transaction: Transaction) -> None:
        keeper.views.advance(transaction, seen, seen.state, keeper.now())

    before = column_of_epochs(keeper)
    with pytest.raises(NotClaimed, match="not about"):
        keeper.places.active.submit(strays, about=(first,))
    assert column_of_epochs(keeper) == before


def column_of_epochs(keeper: Keeper) -> dict[str, int]:
    with keeper.places.active.reading() as connection:
        return dict(connection.execute("SELECT subject_id, epoch FROM subject").fetchall())


# ── a crowd ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def lives(home: str, number: int, persons: list[SubjectId], gate: Any, answer: Any) -> None:
    """One process of the crowd: whatever comes to its mind, about whomever. Tells what was acknowledged."""
    random, done, failures = Random(number), Counter[str](), []
    acknowledged: list[tuple[str, str, str]] = []
    with upheld.open(home, upheld.Options(light_hashing=True, look_up={"trial": ["email", "phone"]})) as keeper:
        desk = keeper.application("desk")
        gate.wait(120)
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            person, act = random.choice(persons), random.choice(CHANGES + LOOKS)
            try:
                for what, made in acts(keeper, desk, person, persons, act, f"{number}-{len(acknowledged)}"):
                    acknowledged.append((person, what, made))
                done[act] += 1
            except StoreFailed as failure:
                failures.append(f"{act}: {failure}")
    answer.put((number, sum(done.values()), acknowledged, failures))


def acts(
    keeper: Keeper, desk: Any, person: SubjectId, persons: list[SubjectId], act: str, mark: str
) -> list[tuple[str, str]]:
    """What is done, and the ids of what it made."""
    match act:
        case "consent" | "withdraw":
            verb = keeper.consent if act == "consent" else keeper.withdraw
            outcome = verb(person, "purpose/offers", channel="website")
            return [(act, outcome.made)] if outcome.made else []
        case "collect" | "offer":
            taken = {"service": {"email": f"{mark}@example.org"}, "offers": {"phone": mark}}
            purpose = "service" if act == "collect" else "offers"
            outcome = keeper.collect(person, purpose, taken[purpose])
            return [("value", str(one)) for ones in outcome.values.values() for one in ones]
        case "correct":
            values = keeper.views.get(person, keeper.now()).state.values
            held = [one.value_id for one in values if one.item == "name" and one.replaced_at is None]
            outcome = keeper.correct(person, held[-1], f"name {mark}")
            return [("value", str(one)) for ones in outcome.values.values() for one in ones]
        case "begin":
            return [("engagement", keeper.begin(person, "membership").made or "")]
        case "read":
            keeper.read(person, "offers", reader=desk, items=("phone",))
            return []
        case _:
            wanted = [
                (one, value.value_id)
                for one in persons
                for value in keeper.views.get(one, keeper.now()).state.values
                if value.item == "phone"
            ]
            keeper.read_batch("offers", wanted, reader=desk)
            return []


def test_a_crowd_of_processes_loses_and_doubles_nothing_and_nobody_starves(on_server: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    system.init(home, upheld.Options(look_up={"trial": ["email", "phone"]}))
    with upheld.open(home, upheld.Options(light_hashing=True)) as keeper:
        keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        made = House(keeper, upheld.SetClock(at("2024-03-01")))
        persons = [member(made, f"person-{number}") for number in range(PERSONS)]
        epochs = column_of_epochs(keeper)
        said = crowd(home, persons, lambda: keeper.source("trial", "shop", Period.parse("P3D")))
        assert [failure for _, _, _, failures in said for failure in failures] == []
        together = [one for _, _, acknowledged, _ in said for one in acknowledged]
        nothing_lost_or_doubled(home, keeper, persons, together, epochs)
        explained(keeper, persons)
        proved(home, keeper)
    turns = [done for _, done, _, _ in said]
    assert min(turns) >= mean(turns) / 2, turns


def crowd(home: Path, persons: list[SubjectId], meanwhile: Callable[[], object]) -> list[Any]:
    """Let the crowd loose; `meanwhile` changes something for all now and then."""
    context = multiprocessing.get_context("spawn")
    answer, gate = context.Queue(), context.Barrier(PROCESSES + 1)
    processes = [
        context.Process(target=lives, args=(str(home), number, persons, gate, answer)) for number in range(PROCESSES)
    ]
    for one in processes:
        one.start()
    gate.wait(120)
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        time.sleep(0.5)
        meanwhile()
    said = [answer.get(timeout=120) for _ in processes]
    for one in processes:
        one.join()
    return said


def nothing_lost_or_doubled(
    home: Path, keeper: Keeper, persons: list[SubjectId], together: list[tuple[str, str, str]], before: dict[str, int]
) -> None:
    """What is stored is what was acknowledged; every change has raised its person's epoch, each by one."""
    place = home / "active.db"
    stored = Counter(str(one) for one in column(place, "SELECT consent_id FROM consent"))
    stored += Counter(str(one) for one in column(place, "SELECT value_id FROM value"))
    stored += Counter(str(one) for one in column(place, "SELECT engagement_id FROM engagement"))
    assert max(stored.values()) == 1
    told = {made for _, _, made in together}
    assert len(told) == len(together)
    assert told <= set(stored)
    assert len(stored) == len(told) + PERSONS * 5, "something is there that nobody was told of"
    changes = Counter(person for person, _, _ in together)
    late = "SELECT 1 FROM consent c JOIN subject s ON s.subject_id = c.subject_id WHERE s.last_at < c.at"
    assert column(place, late) == [], "a person's last instant is before what was said"
    now = column_of_epochs(keeper)
    assert {one: now[one] - before[one] for one in persons} == {one: changes[one] for one in persons}


def explained(keeper: Keeper, persons: list[SubjectId]) -> None:
    """Read in the order of its instants, the ledger shows nothing taken or read for offers but under a consent that
    stood then, and nothing refused for the want of one that did.
    """
    keeper.seal()
    acts: dict[str, list[tuple[int, str, bool]]] = defaultdict(list)
    for recorded in history.entries(keeper.places.sealer.connection):
        entry = recorded.entry
        if "offers" not in (entry.fields.get("about"), entry.fields.get("purpose")):
            continue
        for alias in entry.persons:
            instant = int(str(entry.fields.get("known_at", entry.at)))
            if entry.kind in ("consent.given", "consent.withdrawn"):
                acts[alias].append((instant, "change", entry.kind == "consent.given"))
            elif entry.kind in ("value.collected", "read.granted"):
                acts[alias].append((instant, "look", True))
            elif "consent-withdrawn" in str(entry.fields.get("reasons")):
                acts[alias].append((instant, "look", False))
    looks = Counter[bool]()
    for person in persons:
        given = False
        for _, act, stood in sorted(acts[keeper.views.alias(person)], key=lambda one: one[0]):
            if act == "change":
                given = stood
            else:
                looks[stood] += 1
                assert stood == given
    assert min(looks[True], looks[False]) > PERSONS
