"""What may be done while a record waits for the disk: looks at ciphertext. Contents are opened when it is there."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event, Lock, current_thread, main_thread
from time import sleep
from typing import Any, ClassVar

import pytest

from tests.trial_home import POLICY, House, at, member, opened, text_of
from upheld.dates import Instant
from upheld.engine.acts import Read, Reader, Reason, SubjectId, ValueId
from upheld.errors import StoreFailed
from upheld.keeper import Outcome, Reading
from upheld.ledger.entries import entry
from upheld.store import sqlite, subjects
from upheld.store.beside import Beside
from upheld.store.journal import JournalWriter
from upheld.store.place import Place, Transaction

NOW = at("2024-09-05")
PERSONS = 5


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with opened(tmp_path_factory.mktemp("meanwhile") / "home", NOW) as house:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        for number in range(PERSONS):
            house.persons[f"p{number}"] = member(house, f"p{number}", offers=number != 0)
        house.keeper.withdraw(house.persons["p1"], "purpose/offers", channel="website")
        yield house


def phones(house: House) -> list[tuple[SubjectId, ValueId]]:
    """Everybody's telephone number."""
    found = []
    for person in house.persons.values():
        state = house.keeper.views.get(person, house.keeper.now()).state
        found += [(person, one.value_id) for one in state.values if one.item == "phone"]
    return found


def names(house: House) -> list[tuple[SubjectId, ValueId]]:
    """Everybody's name and address."""
    found = []
    for person in house.persons.values():
        state = house.keeper.views.get(person, house.keeper.now()).state
        found += [(person, one.value_id) for one in state.values if one.item != "phone"]
    return found


def written(transaction: Transaction) -> None:
    transaction.journal(entry("keys.made", transaction.at, "house", None, (), store="active", made=1))


def test_looks_go_on_while_the_disk_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite.create(tmp_path / "keys.db", "keys")
    writer = JournalWriter("keys", "a" * 20, bytes(32), bytes)
    place = Place(sqlite.SqliteFile(tmp_path / "keys.db"), "keys", writer, lambda: Instant(1))
    looked, told = Event(), list[str]()

    def flush() -> None:
        assert looked.wait(30), "nobody looked meanwhile"
        told.append("flushed")

    def work(transaction: Transaction) -> Callable[[], list[str]]:
        written(transaction)
        transaction.meanwhile.append(looked.set)
        return lambda: told

    monkeypatch.setattr(place.engine, "flush", flush)
    for _ in range(2):
        assert place.submit(work)()[-1] == "flushed"
        looked.clear()
    with place.transaction() as transaction:
        work(transaction)
    assert told == ["flushed"] * 3
    place.close()


def test_contents_are_opened_when_the_record_is_on_the_disk(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    places, reader = house.keeper.places, house.keeper.application("desk")
    flush, opens = places.active.engine.flush, places.vault.open_rows

    def flushed() -> None:
        flush()
        told.append("flushed")

    def opened_rows(*given: Any) -> Mapping[ValueId, str]:
        told.append("opened")
        return opens(*given)

    monkeypatch.setattr(places.active.engine, "flush", flushed)
    monkeypatch.setattr(places.vault, "open_rows", opened_rows)
    wanted = names(house)
    assert len(house.keeper.read_batch("service", wanted, reader=reader).texts) == len(wanted)
    readings = [Reading(who, Read("service", reader, values=(value,))) for who, value in wanted]
    assert all(outcome.granted for outcome in house.keeper.read_many(readings))
    assert told == ["flushed", "opened"] * 2


def test_nothing_is_opened_where_the_disk_did_not_confirm_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise OSError(5, "Input/output error")

    def never(*_: object) -> Mapping[ValueId, str]:
        raise AssertionError("a content was opened")

    with opened(tmp_path / "home", NOW) as other:
        other.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        for number in range(PERSONS):
            other.persons[f"p{number}"] = member(other, f"p{number}")
        wanted, reader = names(other), other.keeper.application("desk")
        assert len(wanted) >= 8
        monkeypatch.setattr(other.keeper.places.active.engine, "flush", fails)
        monkeypatch.setattr(other.keeper.places.vault, "open_rows", never)
        with pytest.raises(StoreFailed, match="did not confirm"):
            other.keeper.read_batch("service", wanted, reader=reader)


def test_a_value_that_went_after_the_record_is_decided_anew(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, reader, held = names(house), house.keeper.application("desk"), subjects.held
    (_, gone), calls = wanted[3], list[int]()

    def missing(connection: Any, values: Sequence[ValueId]) -> list[subjects.HeldRow]:
        calls.append(len(values))
        return [row for row in held(connection, values) if len(calls) > 1 or row[0] != gone]

    monkeypatch.setattr(subjects, "held", missing)
    if not house.keeper.places.active.engine.counts_commits:
        return  # rows come with the proof there; `test_trusting` plays this
    outcome = house.keeper.read_batch("service", wanted, reader=reader)
    assert len(outcome.texts) == len(wanted)
    assert calls == [len(wanted)] * 2
    calls.clear()
    readings = [Reading(who, Read("service", reader, values=(value,))) for who, value in wanted]
    assert all(outcome.granted for outcome in house.keeper.read_many(readings))
    assert calls == [len(wanted)] * 2


# ── the short way and the whole one ─────────────────────────────────────────────────────────────────────────────────


def drawn(house: House, chance: random.Random) -> list[Reading]:
    """Readings of every sort that a group can hold: also of strangers' values, for what is not declared, of items."""
    every = [*names(house), *phones(house)]
    readers = [house.keeper.application("desk"), house.keeper.application("press"), house.keeper.application("desk")]
    readers.append(Reader(readers[0].kind, "narrow", frozenset({"offers"})))
    readings: list[Reading] = []
    for _ in range(chance.randrange(1, 24)):
        who, value = chance.choice(every)
        if chance.random() < 0.15:
            who = chance.choice(every)[0]
        values: tuple[ValueId, ...] = (value,)
        items: tuple[str, ...] = ()
        if chance.random() < 0.15:
            values, items = (), ("name", "phone")
        elif chance.random() < 0.15:
            values = (value, chance.choice(every)[1])
        purpose = chance.choice(("service", "offers", "service", "offers", "never", None))
        use = chance.choice((None, None, None, "never"))
        readings.append(Reading(who, Read(purpose, chance.choice(readers), items, values, use)))
    return readings


def test_what_is_read_together_is_what_each_would_be_granted_alone(house: House) -> None:
    """Ready or not, in whatever group: the same answers, reasons and contents as by the whole way."""
    chance, granted = random.Random(7), 0
    for _ in range(60):
        readings = drawn(house, chance)
        if chance.random() < 0.2:
            house.keeper.views.forget_all()
        together = house.keeper.read_many(readings)
        for reading, outcome in zip(readings, together, strict=True):
            assert_as_alone(house, reading, outcome)
            granted += outcome.granted
    assert granted > 100


def assert_as_alone(house: House, reading: Reading, outcome: Outcome) -> None:
    """By the whole way, which nothing that stands ready shortens."""
    _, decision = house.keeper._decided_in_full(reading, house.keeper.now())
    assert (outcome.granted, outcome.reasons) == (decision.granted, decision.reasons)
    assert outcome.decision.elements == decision.elements
    assert set(outcome.texts) == set(decision.covers)
    whose = next(name for name, person in house.persons.items() if person == reading.subject_id)
    for item, values in outcome.values.items():
        assert {outcome.texts[value] for value in values} == {text_of(whose, item)}


def test_a_strangers_value_that_stands_ready_is_not_read_by_another_name(house: House) -> None:
    (who, value), (other, _) = names(house)[0], names(house)[-1]
    reader = house.keeper.application("desk")
    for _ in range(2):
        mine, theirs = house.keeper.read_many(
            [Reading(one, Read("service", reader, values=(value,))) for one in (who, other)]
        )
        assert mine.granted
        assert theirs.reasons == (Reason.UNKNOWN,)


# ── the thread beside ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_failure_beside_is_raised_where_it_was_asked_for() -> None:
    beside, begun = Beside("trial"), list[str]()

    def fails() -> None:
        raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"), beside.doing(fails):
        begun.append("looked")
    with pytest.raises(KeyError), beside.doing(lambda: begun.append("done")):
        raise KeyError
    with pytest.raises(OSError, match="Input/output"), beside.doing(fails):
        raise KeyError
    with beside.doing(lambda: begun.append("again")):
        pass
    assert begun == ["looked", "done", "again"]
    beside.close()
    with beside.doing(lambda: begun.append("anew")):
        pass
    assert begun[-1] == "anew"
    beside.close()


class Drowsy:
    """A lock that tells when the thread beside has woken, which takes it a while; one wait can be stopped."""

    woken: ClassVar[list[bool]] = []
    stopped: ClassVar[list[bool]] = []

    def __init__(self) -> None:
        self._inner, self.release = (inner := Lock()), inner.release

    def acquire(self, blocking: bool = True) -> None:
        beside = current_thread() is not main_thread()
        if not beside and self.stopped and self._inner.locked():
            self.stopped.clear()
            raise KeyboardInterrupt
        self._inner.acquire(blocking)
        if beside:
            sleep(0.05)
            self.woken.append(True)


def test_the_caller_goes_on_when_the_thread_beside_is_awake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("upheld.store.beside.Lock", Drowsy)
    monkeypatch.setattr(Drowsy, "woken", [])
    beside = Beside("trial")
    for turn in (1, 2):
        with beside.doing(lambda: None):
            assert len(Drowsy.woken) == turn
    beside.close()


def test_who_is_stopped_while_it_waits_leaves_nothing_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of a flush that somebody no longer waits for is not taken for the end of the next one."""
    monkeypatch.setattr("upheld.store.beside.Lock", Drowsy)
    beside, disk, ended = Beside("trial"), Event(), list[str]()

    def first() -> None:
        assert disk.wait(30)
        ended.append("first")

    def second() -> None:
        sleep(0.05)
        ended.append("second")

    with pytest.raises(KeyboardInterrupt), beside.doing(first):
        Drowsy.stopped.append(True)
    disk.set()
    with beside.doing(second):
        pass
    assert "second" in ended
    beside.close()
