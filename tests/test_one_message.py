"""On PostgreSQL a recorded read is one message, what adds a value too, and any other write two. What is taken for
granted in them is proved by the server; what is lost on the way is settled; nothing of a message that fails has
happened.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count as numbered
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any
from zlib import crc32

import psycopg
import pytest

import upheld
from tests import postgres
from tests.homes import column, connection_to
from tests.proxy import DOWN, UP, Proxy, between
from tests.trial_home import POLICY, House, at, member, opened, proved
from upheld import system
from upheld.dates import Instant, instant, local_date
from upheld.engine.acts import RequestId, SubjectId, ValueId
from upheld.errors import InputRefused, NotRecorded, StoreFailed
from upheld.keeper import Keeper, seeing
from upheld.ledger.checkpoint import checkpoint_in
from upheld.ledger.entries import Entry, EntryRefused
from upheld.store import history, place, straight, subjects
from upheld.store import postgres as engine_on_a_server
from upheld.store.engine import ConnectionLost, Overtaken, Unanswered
from upheld.store.ids import IdTaken
from upheld.store.journal import JournalTorn, drop_sealed
from upheld.store.place import DOUBTED, Place, Way
from upheld.store.postgres import PostgresConnection
from upheld.store.transaction import Transaction
from upheld.store.wire import Message, Wire

NOW = at("2024-03-01")


@dataclass
class Trial:
    """A home on a server with three persons, seen from a service and from a neighbour."""

    path: Path
    house: House
    neighbour: House
    persons: list[SubjectId]
    phones: list[ValueId]

    @property
    def keeper(self) -> Keeper:
        return self.house.keeper

    def read(self, number: int = 0) -> Any:
        desk = self.keeper.application("desk")
        return self.keeper.read(self.persons[number], "offers", reader=desk, values=(self.phones[number],))

    def read_batch(self) -> Any:
        wanted = list(zip(self.persons, self.phones, strict=True))
        return self.keeper.read_batch("offers", wanted, reader=self.keeper.application("desk"))

    def records(self) -> int:
        return int(column(self.path / "active.db", "SELECT count(*) FROM journal")[0])


def phone_of(keeper: Keeper, person: SubjectId) -> ValueId:
    values = keeper.views.get(person, keeper.now()).state.values
    return next(one.value_id for one in values if one.item == "phone")


@pytest.fixture(scope="module")
def home(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, House, House]]:
    """A home that the tests share; each has persons of its own."""
    with opened_twice(tmp_path_factory.mktemp("one") / "home", postgres.made(address, "one_message")) as made:
        yield made


@pytest.fixture
def trial(home: tuple[Path, House, House]) -> Trial:
    return peopled(*home)


@contextmanager
def opened_twice(path: Path, databases: dict[str, str]) -> Iterator[tuple[Path, House, House]]:
    options = upheld.Options(clock=upheld.SetClock(NOW), look_up={"trial": ["email", "phone"]}, light_hashing=True)
    system.init(path, options, databases)
    with opened(path, NOW) as house, opened(path, NOW) as neighbour:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        yield path, house, neighbour


def peopled(path: Path, house: House, neighbour: House) -> Trial:
    persons = [member(house, f"person-{number}") for number in range(3)]
    return Trial(path, house, neighbour, persons, [phone_of(house.keeper, one) for one in persons])


@contextmanager
def trial_on(path: Path, databases: dict[str, str]) -> Iterator[Trial]:
    with opened_twice(path, databases) as made:
        yield peopled(*made)


@dataclass
class Heard:
    """Every message that was sent, in one part or two: the statements of each."""

    messages: list[list[str]] = field(default_factory=list)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    found = Heard()
    plain, begin, end, alone = Wire.post, Wire.begin, Wire.end, psycopg.Cursor.execute

    def post(self: Wire, messages: list[Message]) -> None:
        found.messages.append([word.decode() for word, _ in messages])
        plain(self, messages)

    def first_part(self: Wire, messages: list[Message]) -> None:
        said = [word.decode() for word, _ in messages]
        if self._pgconn.pipeline_status == psycopg.pq.PipelineStatus.OFF:
            found.messages.append(said)
        else:
            found.messages[-1].extend(said)
        begin(self, messages)

    def second_part(self: Wire, messages: list[Message], **named: bool) -> None:
        found.messages[-1].extend(word.decode() for word, _ in messages)
        end(self, messages, **named)

    def execute(self: psycopg.Cursor[Any], query: Any, *given: Any, **named: Any) -> Any:
        found.messages.append([str(query)])
        return alone(self, query, *given, **named)

    monkeypatch.setattr(Wire, "post", post)
    monkeypatch.setattr(Wire, "begin", first_part)
    monkeypatch.setattr(Wire, "end", second_part)
    monkeypatch.setattr(psycopg.Cursor, "execute", execute)
    return found


# ── how many messages ───────────────────────────────────────────────────────────────────────────────────────────────

VERBS: dict[str, tuple[int, Callable[[Trial], Any]]] = {
    "read": (1, lambda trial: trial.read()),
    "a batch of readings": (1, lambda trial: trial.read_batch()),
    "a read that is refused": (
        1, lambda trial: trial.keeper.read(trial.persons[0], "service", reader=trial.keeper.application("desk"),
                                           values=(trial.phones[0],)),
    ),
    "collect": (1, lambda trial: trial.keeper.collect(trial.persons[0], "service", {"name": "made up"})),
    "collect what is looked up": (
        2, lambda trial: trial.keeper.collect(trial.persons[0], "service", {"email": "a@example.org"}),
    ),
    "consent": (2, lambda trial: trial.keeper.consent(trial.persons[0], "provision/mall", channel="website")),
    "begin": (2, lambda trial: trial.keeper.begin(trial.persons[0], "membership")),
    "enter": (3, lambda trial: trial.keeper.enter("trial", "member")),
    "withdraw": (2, lambda trial: trial.keeper.withdraw(trial.persons[0], "provision/mall", channel="website")),
}  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_takes_so_many_messages_and_no_more(trial: Trial, heard: Heard, verb: str) -> None:
    most, act = VERBS[verb]
    trial.keeper.consent(trial.persons[0], "provision/mall", channel="website")
    act(trial)
    heard.messages.clear()
    act(trial)
    if len(heard.messages) > most:  # one call in hundreds fetches the next block of keys as well
        heard.messages.clear()
        act(trial)
    assert len(heard.messages) == most, heard.messages
    assert not any("SAVEPOINT" in word for message in heard.messages for word in message)


def test_a_read_leaves_beginning_and_end_to_the_message_itself(trial: Trial, heard: Heard) -> None:
    trial.read()
    heard.messages.clear()
    assert trial.read().granted
    [message] = heard.messages
    assert [word[:6] for word in message] == ["SELECT", "SELECT", "INSERT"], message
    assert "pg_advisory_xact_lock_shared" in message[0]
    assert "CAST(coalesce((SELECT plan_epoch" in message[1], "the proof sees what was committed before the locks"


def test_a_value_is_three_statements_of_which_the_first_has_the_person_and_the_last_proves_the_plan(
    trial: Trial, heard: Heard
) -> None:
    keeper, person = trial.keeper, trial.persons[0]
    assert keeper.collect(person, "service", {"name": "1"}).granted
    heard.messages.clear()
    assert keeper.collect(person, "service", {"name": "2"}).granted
    [message] = heard.messages[-1:]
    assert [word[:14] for word in message] == ["UPDATE subject", "INSERT INTO va", "INSERT INTO jo"], message
    assert "pg_try_advisory_xact_lock" in message[0]
    assert "(SELECT plan_epoch FROM guard WHERE EXISTS" in message[2], "the first one sees what was before its locks"


@pytest.mark.parametrize("act", ["collect", "collect what is looked up", "read"])
def test_what_goes_straight_leaves_nothing_that_refers_to_itself(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    """Such things stay until the whole memory is gone through for them, which takes as long as hundreds of writes."""
    for module in (straight, place):
        monkeypatch.setattr(module, "Transaction", Transaction)  # the watch over statements refers to itself
    for _ in range(3):
        VERBS[act][1](trial)
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            VERBS[act][1](trial)
        assert gc.collect() < 10
    finally:
        gc.enable()


def test_a_group_of_writers_is_two_messages(trial: Trial, heard: Heard) -> None:
    heard.messages.clear()
    answers = together(trial, [consenting(trial, one) for one in trial.persons])
    assert all(answer.granted for answer in answers)
    assert len(heard.messages) == 2, heard.messages


def test_a_batch_about_one_person_asks_for_nobody_else(trial: Trial, heard: Heard) -> None:
    before = trial.read_batch()
    assert len(before.texts) == len(trial.persons), "all three are in memory"
    heard.messages.clear()
    with trial.keeper.batch():
        trial.keeper.consent(trial.persons[0], "provision/mall", channel="website")
        trial.keeper.withdraw(trial.persons[0], "provision/mall", channel="website")
    said = [word for message in heard.messages for word in message]
    assert not any("JOIN unnest" in word for word in said), said
    assert len([word for word in said if word.startswith("SELECT '', plan_epoch FROM guard")]) == 1, said
    assert len(heard.messages) == 3, "its turn; plan and person; all that it does"


def test_a_sweep_asks_in_one_message_what_was_given_of_all_its_persons(
    address: str, tmp_path: Path, heard: Heard
) -> None:
    with trial_on(tmp_path / "home", postgres.made(address, "swept")) as trial:
        trial.keeper.sweep()
        for person in trial.persons:
            trial.keeper.fact(person, "closed", source="shop", key=person)
        heard.messages.clear()
        assert trial.keeper.sweep().looked_at == len(trial.persons)
    asked = [[word for word in message if "recalled_at IS NULL" in word] for message in heard.messages]
    assert [len(words) for words in asked if words] == [1], "one question for all of them"


def test_rows_that_are_dropped_together_must_all_have_been_there(trial: Trial) -> None:
    for person in trial.persons[:2]:
        trial.keeper.consent(person, "provision/mall", channel="website")
    before = trial.records()
    with closing(connection_to(trial.path / "active.db")) as connection:
        there = [tuple(row) for row in connection.execute("SELECT bucket, id FROM journal ORDER BY id LIMIT 2")]
        with pytest.raises(JournalTorn):
            drop_sealed(connection, [*there, (5, 1)], {}, "no note")
    assert len(there) == 2
    assert trial.records() == before, "nothing was dropped"


def test_a_seal_drops_what_it_took_by_one_statement_a_place(address: str, tmp_path: Path, heard: Heard) -> None:
    with trial_on(tmp_path / "home", postgres.made(address, "sealed_at_once")) as trial:
        trial.keeper.seal()
        for person in trial.persons:
            trial.keeper.consent(person, "provision/mall", channel="website")
        heard.messages.clear()
        assert trial.keeper.seal().batches == len(trial.persons)
    said = [word for message in heard.messages for word in message]
    for table in ("DELETE FROM journal", "INSERT INTO named_in", "INSERT INTO entry_index"):
        assert len([word for word in said if table in word]) == 1, (table, said)


# ── what is taken for granted ───────────────────────────────────────────────────────────────────────────────────────


TRACES = "SELECT count(*) FROM shown_text WHERE text = 'a trace'"
DIGESTS = (b"%032d" % number for number in numbered())


def proof(trial: Trial, plan: int, epochs: dict[SubjectId, int], wanted: list[ValueId]) -> list[subjects.HeldRow]:
    """What the server says to views of these epochs, in a transaction of its own."""
    with closing(connection_to(trial.path / "active.db")) as connection:
        connection.execute("BEGIN")
        rows = subjects.proved(connection, subjects.proof_of_values(plan, epochs, wanted))
        connection.execute("INSERT INTO shown_text(digest, locale, text) VALUES(?, 'en', 'a trace')", (next(DIGESTS),))
        connection.execute("COMMIT")
        return list(rows())


def epochs_of(trial: Trial, count: int) -> tuple[int, dict[SubjectId, int]]:
    with closing(connection_to(trial.path / "active.db")) as connection:
        plan, epochs = subjects.epochs_of(connection, trial.persons[:count])
    return plan, {one: epochs[one] for one in trial.persons[:count]}  # in this order, whatever the server's


@pytest.mark.parametrize("count", [1, 2, 3])
def test_current_views_are_proved_and_their_values_come(trial: Trial, count: int) -> None:
    plan, epochs = epochs_of(trial, count)
    rows = proof(trial, plan, epochs, trial.phones[:count])
    assert {row[0] for row in rows} == set(trial.phones[:count])


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("by", [-1, 1])
def test_a_view_that_is_late_or_early_in_any_position_fails_the_whole_message(
    trial: Trial, count: int, by: int
) -> None:
    plan, epochs = epochs_of(trial, count)
    before = column(trial.path / "active.db", TRACES)
    for late in epochs:
        with pytest.raises(Overtaken):
            proof(trial, plan, {**epochs, late: epochs[late] + by}, trial.phones[:count])
    with pytest.raises(Overtaken):
        proof(trial, plan + by, epochs, trial.phones[:count])
    assert column(trial.path / "active.db", TRACES) == before


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_view_of_nobody_fails_the_whole_message(trial: Trial, count: int) -> None:
    plan, epochs = epochs_of(trial, count or 1)
    known = epochs if count else {}
    with pytest.raises(Overtaken):
        proof(trial, plan, {**known, SubjectId("a" * 20): 1}, trial.phones[:1])


def test_epochs_of_two_that_are_exchanged_are_not_proved(trial: Trial) -> None:
    trial.keeper.consent(trial.persons[0], "provision/mall", channel="website")
    plan, epochs = epochs_of(trial, 2)
    first, second = epochs
    assert epochs[first] != epochs[second]
    with pytest.raises(Overtaken):
        proof(trial, plan, {first: epochs[second], second: epochs[first]}, trial.phones[:2])


def test_a_value_that_is_not_held_does_not_come(trial: Trial) -> None:
    plan, epochs = epochs_of(trial, 1)
    with closing(connection_to(trial.path / "active.db")) as connection:
        connection.execute("UPDATE value SET state = 'moving' WHERE value_id = ?", (trial.phones[0],))
    assert proof(trial, plan, epochs, trial.phones[:1]) == []
    assert {row[0] for row in proof(trial, plan, epochs, trial.phones[:2])} == {trial.phones[1]}


# ── where rows lay ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Wanted:
    """A value that is wanted, with where its owner and it lay."""

    lies: tuple[bytes, bytes] | None = None


def owned_proof(
    trial: Trial, plan: int, epochs: dict[SubjectId, int], wanted: dict[ValueId, Wanted]
) -> list[subjects.HeldRow]:
    """What the server says to views of these epochs, each of the owner of the value in its position."""
    with closing(connection_to(trial.path / "active.db")) as connection:
        connection.execute("BEGIN")
        rows = subjects.proved(connection, subjects.proof_of_owned(plan, list(epochs), epochs, wanted))
        connection.execute("INSERT INTO shown_text(digest, locale, text) VALUES(?, 'en', 'a trace')", (next(DIGESTS),))
        connection.execute("COMMIT")
        return list(rows())


@pytest.mark.parametrize("known", [False, True])
def test_values_come_with_the_proof_of_their_owners_by_their_keys_and_where_they_lay(trial: Trial, known: bool) -> None:
    plan, epochs = epochs_of(trial, 3)
    wanted = {one: Wanted() for one in trial.phones}
    first = owned_proof(trial, plan, epochs, wanted)
    assert {row[0] for row in first} == set(trial.phones)
    assert len({one.lies for one in wanted.values()} - {None}) == 3
    before = column(trial.path / "active.db", TRACES)
    told = wanted if known else {one: Wanted() for one in trial.phones}
    assert sorted(owned_proof(trial, plan, epochs, told)) == sorted(first)
    late = [{**epochs, one: epochs[one] + by} for one in epochs for by in (-1, 1)]
    stranger = dict(zip([SubjectId("a" * 20), *list(epochs)[1:]], epochs.values(), strict=True))
    for wrong in (*late, stranger):
        with pytest.raises(Overtaken):
            owned_proof(trial, plan, wrong, told)
        told = told if known else {one: Wanted() for one in trial.phones}
    with pytest.raises(Overtaken):
        owned_proof(trial, plan + 1, epochs, told)
    assert column(trial.path / "active.db", TRACES) == [before[0] + 1], "nothing stayed of those that failed"


def test_rows_that_lie_elsewhere_are_not_taken_for_others_that_came_there(trial: Trial) -> None:
    plan, epochs = epochs_of(trial, 3)
    wanted = {one: Wanted() for one in trial.phones}
    owned_proof(trial, plan, epochs, wanted)
    spots = [one.lies for one in wanted.values() if one.lies is not None]
    for number, one in enumerate(trial.phones):
        own, other = spots[number], spots[number - 1]
        for lies in ((own[0], other[1]), (other[0], own[1]), other):
            with pytest.raises(Overtaken):
                owned_proof(trial, plan, epochs, {**wanted, one: Wanted(lies)})


def test_a_value_that_was_taken_away_is_missing_by_its_key_and_overtaken_where_it_lay(trial: Trial) -> None:
    plan, epochs = epochs_of(trial, 3)
    wanted = {one: Wanted() for one in trial.phones}
    owned_proof(trial, plan, epochs, wanted)
    with closing(connection_to(trial.path / "active.db")) as connection:
        connection.execute("UPDATE value SET state = 'moving' WHERE value_id = ?", (trial.phones[1],))
    with pytest.raises(Overtaken):
        owned_proof(trial, plan, epochs, wanted)
    by_key = owned_proof(trial, plan, epochs, {one: Wanted() for one in trial.phones})
    assert {row[0] for row in by_key} == {trial.phones[0], trial.phones[2]}


def test_a_table_that_was_written_anew_costs_one_message_more_and_nobody_fell_short(trial: Trial, heard: Heard) -> None:
    for _ in range(3):
        assert len(trial.read_batch().texts) == 3
    heard.messages.clear()
    assert len(trial.read_batch().texts) == 3
    [message] = heard.messages
    assert any("ctid = ANY" in word for word in message), "they were looked for where they lay"
    with closing(connection_to(trial.path / "active.db")) as connection:
        connection.execute("UPDATE value SET item = item")
        connection.execute("UPDATE subject SET kind = kind")
    for _ in range(DOUBTED + 3):
        assert len(trial.read_batch().texts) == 3
    heard.messages.clear()
    assert len(trial.read_batch().texts) == 3
    [message] = heard.messages
    assert any("ctid = ANY" in word for word in message), "and are again"
    trial.keeper.seal()
    assert "read.fell-short" not in column(trial.path / "ledger.db", NAMES)


NAMES = "SELECT text FROM name"


# ── somebody else is faster ─────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_neighbour_has_withdrawn_is_not_read_and_the_first_try_left_no_record(trial: Trial) -> None:
    assert trial.read().granted
    trial.neighbour.keeper.withdraw(trial.persons[0], "purpose/offers", channel="website")
    before = trial.records()
    outcome = trial.read()
    assert not outcome.granted
    assert not outcome.texts
    assert trial.records() == before + 1, "the refusal, and nothing of the message that failed"


@pytest.mark.parametrize("position", [0, 1, 2])
def test_what_a_neighbour_has_withdrawn_is_left_out_of_a_batch_wherever_it_stands(trial: Trial, position: int) -> None:
    assert len(trial.read_batch().texts) == 3
    trial.neighbour.keeper.withdraw(trial.persons[position], "purpose/offers", channel="website")
    before = trial.records()
    outcome = trial.read_batch()
    assert set(outcome.texts) == set(trial.phones) - {trial.phones[position]}
    assert set(outcome.refused) == {trial.phones[position]}
    assert trial.records() <= before + 2


def test_a_policy_that_a_neighbour_has_published_is_read_by_at_once(trial: Trial) -> None:
    assert trial.read().granted
    with closing(connection_to(trial.path / "active.db")) as connection:
        connection.execute("UPDATE guard SET plan_epoch = plan_epoch + 1")
    before = trial.records()
    assert trial.read().granted
    assert trial.records() == before + 1


def test_who_was_overtaken_is_asked_for_some_time_and_then_taken_for_granted_again(trial: Trial, heard: Heard) -> None:
    trial.read()
    trial.neighbour.keeper.consent(trial.persons[0], "provision/mall", channel="website")
    assert trial.read().granted
    taken = []
    for _ in range(DOUBTED + 2):
        heard.messages.clear()
        assert trial.read().granted
        taken.append(len(heard.messages))
    assert taken[-1] == 1
    assert max(taken) == 2
    heard.messages.clear()
    assert trial.read(1).granted
    assert len(heard.messages) == 1, "others were not doubted"


def test_who_changes_a_person_all_the_time_does_not_keep_another_from_reading(trial: Trial) -> None:
    stop = Event()
    changed: list[bool] = []

    def changes() -> None:
        while not stop.is_set():
            verb = trial.neighbour.keeper.consent if len(changed) % 2 else trial.neighbour.keeper.withdraw
            changed.append(verb(trial.persons[0], "provision/mall", channel="website").granted)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(changes)
        try:
            read = 0
            while read < 40 or len(changed) < 6:
                assert trial.read().granted
                read += 1
        finally:
            stop.set()
        running.result(60)


def test_a_withdrawal_that_waited_for_a_reader_happened_after_what_was_read(trial: Trial) -> None:
    """Its instant is that at which it had the person to itself, not that at which it came."""
    keeper, neighbour = trial.keeper, trial.neighbour
    go, begun = Event(), Event()

    def reads(transaction: Transaction) -> None:
        begun.set()
        assert go.wait(30)

    with ThreadPoolExecutor(2) as pool:
        reading = pool.submit(neighbour.keeper.places.active.submit, reads, about=trial.persons[:1], reads=True)
        assert begun.wait(30)
        withdrawing = pool.submit(keeper.withdraw, trial.persons[0], "purpose/offers", channel="website")
        with pytest.raises(TimeoutError):
            withdrawing.result(0.5)
        trial.house.clock.set(NOW + timedelta(hours=1))
        go.set()
        reading.result(30)
        assert withdrawing.result(30).granted
    [said] = [one for one in keeper.views.get(trial.persons[0], keeper.now()).state.consents if not one.given]
    assert said.at == said.known_at == keeper.now()
    trial.neighbour.clock.set(NOW + timedelta(hours=1))


def values_of(trial: Trial, item: str) -> list[Any]:
    statement = f"SELECT collected_at, known_at FROM value WHERE item = '{item}' AND subject_id = '{trial.persons[0]}'"
    with closing(connection_to(trial.path / "active.db")) as connection:
        return list(connection.execute(statement).fetchall())


def test_what_a_neighbour_has_withdrawn_is_not_taken_and_the_first_try_left_nothing(trial: Trial, heard: Heard) -> None:
    collect = trial.keeper.collect
    assert collect(trial.persons[0], "offers", {"phone": "1"}).granted
    trial.neighbour.keeper.withdraw(trial.persons[0], "purpose/offers", channel="website")
    before, held = trial.records(), len(values_of(trial, "phone"))
    heard.messages.clear()
    outcome = collect(trial.persons[0], "offers", {"phone": "2"})
    assert not outcome.granted
    assert (trial.records(), len(values_of(trial, "phone"))) == (before + 1, held), "the refusal and nothing else"
    first = heard.messages[0]
    for part in ("pg_try_advisory_xact_lock", "UPDATE subject", "INSERT INTO value", "INSERT INTO journal"):
        assert any(part in word for word in first), "all of it was one message"


@pytest.mark.parametrize("what", ["plan", "person", "nobody"])
def test_a_value_is_not_taken_on_a_plan_or_a_person_that_is_not_as_it_was(trial: Trial, what: str) -> None:
    collect, place = trial.keeper.collect, trial.keeper.places.active
    assert collect(trial.persons[0], "service", {"name": "1"}).granted
    with closing(connection_to(trial.path / "active.db")) as connection:
        if what == "plan":
            connection.execute("UPDATE guard SET plan_epoch = plan_epoch + 1")
        elif what == "person":
            connection.execute("UPDATE subject SET epoch = epoch + 1 WHERE subject_id = ?", (trial.persons[0],))
    ways: list[Way] = []
    plain, before = Place._run_all, len(values_of(trial, "name"))

    def run_all(self: Place, batch: Any, way: Way) -> Any:
        if self is place:
            ways.append(way)
        return plain(self, batch, way)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Place, "_run_all", run_all)
        assert collect(trial.persons[0], "service", {"name": "2"}).granted
    assert ways[:1] == ([] if what == "nobody" else [Way.APART]), "the long way, where something stood in the way"
    assert len(values_of(trial, "name")) == before + 1, "once, whatever it took"


def test_a_person_that_was_forgotten_meanwhile_gets_no_value(trial: Trial) -> None:
    person = trial.persons[0]
    assert trial.keeper.collect(person, "service", {"name": "1"}).granted
    with closing(connection_to(trial.path / "active.db")) as connection:
        connection.execute("DELETE FROM subject WHERE subject_id = ?", (person,))
    before = len(values_of(trial, "name"))
    with pytest.raises((InputRefused, StoreFailed)):
        trial.keeper.collect(person, "service", {"name": "2"})
    assert len(values_of(trial, "name")) == before


def test_a_value_that_had_to_wait_for_somebody_became_known_when_it_had_the_person_to_itself(trial: Trial) -> None:
    """In one message nobody waits: so no instant can be older than the message by more than its way there."""
    keeper, neighbour = trial.keeper, trial.neighbour
    assert keeper.collect(trial.persons[0], "service", {"name": "1"}).granted
    go, begun = Event(), Event()

    def reads(transaction: Transaction) -> None:
        begun.set()
        assert go.wait(30)

    def reading() -> None:
        neighbour.keeper.places.active.submit(sent_first, about=trial.persons[:1], reads=True)

    def sent_first(transaction: Transaction) -> None:
        transaction.connection.execute("SELECT 1").fetchone()
        reads(transaction)

    with ThreadPoolExecutor(2) as pool:
        looked = pool.submit(reading)
        assert begun.wait(30)
        taking = pool.submit(keeper.collect, trial.persons[0], "service", {"name": "2"})
        with pytest.raises(TimeoutError):
            taking.result(0.5)
        trial.house.clock.set(NOW + timedelta(hours=1))
        go.set()
        looked.result(30)
        assert taking.result(30).granted
    assert max(known for _, known in values_of(trial, "name")) == keeper.now() == instant(NOW + timedelta(hours=1))
    trial.neighbour.clock.set(NOW + timedelta(hours=1))


@pytest.fixture(scope="module")
def changing_home(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, House, House]]:
    """A home of which everybody is told now and then that its plan has changed."""
    with opened_twice(tmp_path_factory.mktemp("changing") / "home", postgres.made(address, "changing")) as made:
        yield made


@contextmanager
def slow_claim(patch: pytest.MonkeyPatch) -> Iterator[Event]:
    """The statement that claims a person has begun, and seen what is committed, half a second before it claims; the
    event is set when it was sent.
    """
    sent, plain, begin = Event(), engine_on_a_server._claiming, Wire.begin

    def claiming(statement: str) -> tuple[str, int]:
        word, before = plain(statement)
        if sent.is_set():  # only one: who comes meanwhile is as quick as ever
            return word, before
        return word.replace("CAST(pg_try", "CAST(pg_sleep(0.5)::text = '' AND pg_try", 1), before

    def begun(self: Wire, messages: list[Message]) -> None:
        begin(self, messages)
        if any(b"pg_sleep" in word for word, _ in messages):
            sent.set()

    with patch.context() as planted:
        planted.setattr(engine_on_a_server, "_claiming", claiming)
        planted.setattr(Wire, "begin", begun)
        yield sent


CHANGES: dict[str, Callable[[Trial], Any]] = {
    "a withdrawal": lambda trial: trial.neighbour.keeper.withdraw(
        trial.persons[0], "purpose/offers", channel="website"
    ),
    "another value": lambda trial: trial.neighbour.keeper.collect(trial.persons[0], "offers", {"phone": "first"}),
    "a person forgotten": lambda trial: ran(trial, "DELETE FROM subject WHERE subject_id = ?", trial.persons[0]),
    "a publication": lambda trial: ran(trial, "UPDATE guard SET plan_epoch = plan_epoch + 1"),
    "another key of the journal": lambda trial: ran(
        trial, "INSERT INTO meta(key, value) VALUES('mac-key', 'ffffffffffffffff')"
    ),
}


def ran(trial: Trial, statement: str, *parameters: str) -> None:
    with closing(connection_to(trial.path / "active.db")) as connection:
        connection.execute(statement, parameters)


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_committed_after_the_statement_that_claims_had_begun_fails_it(
    changing_home: tuple[Path, House, House], monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Its snapshot is older than its locks: the person is compared as it is by then, and the plan a statement later."""
    trial = peopled(*changing_home)
    keeper, person = trial.keeper, trial.persons[0]
    assert keeper.collect(person, "offers", {"phone": "before"}).granted
    before, answers, plain = values_of(trial, "phone"), [], Place.added

    def added(self: Place, name: str, work: Any) -> Any:
        answers.append(plain(self, name, work))
        if answers[-1] is None:
            raise NotRecorded("nothing was done")  # and the long way is not gone here
        return answers[-1]

    monkeypatch.setattr(Place, "added", added)
    with slow_claim(monkeypatch) as sent, ThreadPoolExecutor(1) as pool:
        taking = pool.submit(keeper.collect, person, "offers", {"phone": "late"})
        assert sent.wait(30)
        with monkeypatch.context() as patch:
            patch.setattr(Place, "added", plain)
            CHANGES[change](trial)
        with pytest.raises(NotRecorded, match="nothing was done"):
            taking.result(30)
    assert answers == [None]
    assert len(values_of(trial, "phone")) == len(before) + (change == "another value")
    ran(trial, "DELETE FROM meta WHERE key = 'mac-key'")
    keeper.views.refresh()
    trial.neighbour.keeper.views.refresh()


# ── both ways live alike ────────────────────────────────────────────────────────────────────────────────────────────


KINDS = (
    "SELECT n.text, sum(t.entries) FROM tally t JOIN name n ON n.id = t.kind "
    "WHERE n.text <> 'keys.made' GROUP BY n.text ORDER BY n.text"
)
"""Without blocks of keys: an attempt that is made again takes another key."""


def lived(trial: Trial, seed: int) -> list[str]:
    """A history of verbs, some of them by the neighbour, and what was answered to each."""
    random, said = Random(seed), []
    for turn in range(40):
        who = trial.house if random.random() < 0.7 else trial.neighbour
        keeper, number = who.keeper, random.randrange(3)
        person, act = trial.persons[number], random.choice(["read", "batch", "consent", "withdraw", "offer", "name"])
        desk = keeper.application("desk")
        match act:
            case "read":
                outcome = keeper.read(person, "offers", reader=desk, items=("phone",))
                said.append(f"{act} {sorted(outcome.texts.values())} {outcome.reasons}")
            case "batch":
                got = keeper.read_batch("offers", list(zip(trial.persons, trial.phones, strict=True)), reader=desk)
                said.append(f"{act} {sorted(got.texts.values())} {len(got.refused)}")
            case "consent" | "withdraw":
                verb = keeper.consent if act == "consent" else keeper.withdraw
                said.append(f"{act} {verb(person, 'purpose/offers', channel='website').granted}")
            case _:
                purpose, item = ("offers", "phone") if act == "offer" else ("service", "name")
                outcome = keeper.collect(person, purpose, {item: f"{turn}"})
                said.append(f"{act} {outcome.granted} {outcome.reasons}")
    return said


@pytest.mark.parametrize("seed", range(2))
def test_what_is_taken_for_granted_and_what_is_asked_for_lead_to_the_same(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    ends = []
    for name in ("straight", "granted", "asked"):
        with monkeypatch.context() as patch:
            if name != "straight":
                patch.setattr(Place, "straight", lambda *_: None)
                patch.setattr(Place, "added", lambda *_: None)
            if name == "asked":
                patch.setattr(Place, "_ways", lambda _, batch: iter(()))
            with trial_on(tmp_path / name, postgres.made(address, f"alike_{seed}_{name}")) as trial:
                said = lived(trial, seed)
                trial.keeper.seal()
                kinds = column(trial.path / "ledger.db", KINDS)
                epochs = column(trial.path / "active.db", "SELECT epoch FROM subject ORDER BY epoch")
                values = column(trial.path / "active.db", "SELECT item, state FROM value ORDER BY item, state")
                proved(trial.path, trial.keeper)
                ends.append((said, kinds, epochs, values))
    assert ends[0] == ends[1] == ends[2]


# ── one of a group fails ────────────────────────────────────────────────────────────────────────────────────────────


def consenting(trial: Trial, person: SubjectId) -> Callable[[], Any]:
    return lambda: trial.keeper.consent(person, "provision/mall", channel="website")


def together(trial: Trial, acts: list[Callable[[], Any]]) -> list[Any]:
    """What each answers or raises, all of them merged into one transaction."""
    place = trial.keeper.places.active

    def said(act: Callable[[], Any]) -> Any:
        try:
            return act()
        except Exception as failure:  # noqa: BLE001 - told as it is
            return failure

    with ThreadPoolExecutor(len(acts)) as pool:
        with place.turn:
            running = [pool.submit(said, act) for act in acts]
            while len(place._waiting) < len(acts):
                pass
        return [one.result(60) for one in running]


def writes(
    trial: Trial, person: SubjectId, statement: str, parameters: tuple[Any, ...], looks: bool
) -> Callable[[], Any]:
    """Work about a person that runs a statement of its own, and may look at what came of it."""

    def work(transaction: Transaction) -> str:
        rows = transaction.connection.execute(statement, parameters)
        return f"{rows.rowcount}" if looks else "not looked at"

    return lambda: trial.keeper.places.active.submit(work, about=(person,))


def test_a_group_that_names_one_who_was_overtaken_many_times_over_is_read(trial: Trial) -> None:
    trial.read_batch()
    trial.neighbour.keeper.consent(trial.persons[0], "provision/mall", channel="website")
    assert len(trial.read_batch().texts) == 3  # overtaken, and asked for from now on
    for batch in together(trial, [trial.read_batch] * (DOUBTED + 2)):
        assert len(batch.texts) == 3


@pytest.mark.parametrize("looks", [False, True])
def test_one_that_the_server_refuses_takes_nobody_of_its_group_with_it(trial: Trial, looks: bool) -> None:
    bad = writes(trial, trial.persons[1], "UPDATE subject SET epoch = NULL WHERE subject_id = ?",
                 (trial.persons[1],), looks)  # fmt: skip
    before = column(trial.path / "active.db", "SELECT count(*) FROM consent")[0]
    first, failed, last = together(
        trial, [consenting(trial, trial.persons[0]), bad, consenting(trial, trial.persons[2])]
    )
    assert first.granted
    assert last.granted
    assert isinstance(failed, Exception)
    assert column(trial.path / "active.db", "SELECT count(*) FROM consent")[0] == before + 2
    trial.keeper.seal()
    proved(trial.path, trial.keeper)


def test_one_that_changes_its_mind_leaves_nothing_of_what_waited(trial: Trial) -> None:
    place = trial.keeper.places.active

    def regrets(transaction: Transaction) -> None:
        transaction.connection.execute("DELETE FROM consent WHERE subject_id = ?", (trial.persons[1],))
        raise InputRefused("regretted", "no")

    before = column(trial.path / "active.db", "SELECT count(*) FROM consent")[0]
    first, failed = together(
        trial,
        [consenting(trial, trial.persons[0]), lambda: place.submit(regrets, about=(trial.persons[1],))],
    )
    assert first.granted
    assert isinstance(failed, InputRefused)
    assert column(trial.path / "active.db", "SELECT count(*) FROM consent")[0] == before + 1


def test_a_reader_that_is_overtaken_takes_nobody_of_its_group_with_it(trial: Trial) -> None:
    trial.read(), trial.read(1)
    trial.neighbour.keeper.withdraw(trial.persons[0], "purpose/offers", channel="website")
    first, second, both = together(trial, [lambda: trial.read_batch(), consenting(trial, trial.persons[1]),
                                           lambda: trial.read_batch()])  # fmt: skip
    assert second.granted
    for outcome in (first, both):
        assert set(outcome.refused) == {trial.phones[0]}
        assert set(outcome.texts) == set(trial.phones[1:])


def test_a_number_that_is_taken_is_drawn_again_though_nobody_looked(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = trial.keeper.places.random_bytes
    taken = iter([b"\1" * 8, b"\1" * 8, b"\1" * 8, b"\1" * 8])

    def bytes_of(count: int) -> bytes:
        return next(taken, drawn(8))[:count] if count < 8 else drawn(count)

    monkeypatch.setattr(trial.keeper.places, "random_bytes", bytes_of)
    made = [trial.keeper.collect(trial.persons[0], "service", {"name": f"{turn}"}) for turn in range(3)]
    ids = [value for outcome in made for ones in outcome.values.values() for value in ones]
    assert len(set(ids)) == 3
    found = column(trial.path / "active.db", "SELECT value_id FROM value WHERE item = 'name'")
    assert set(ids) <= set(found)


# ── what a connection keeps to ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def line(address: str, request: pytest.FixtureRequest) -> Iterator[PostgresConnection]:
    databases = postgres.made(address, f"line_{crc32(request.node.nodeid.encode()):08x}")
    with closing(PostgresConnection(databases["active"], "public")) as connection:
        connection.execute("CREATE TABLE one(id INTEGER PRIMARY KEY, word TEXT)")
        connection.execute("CREATE TABLE other(id INTEGER REFERENCES one(id) DEFERRABLE INITIALLY DEFERRED)")
        yield connection


def words(line: PostgresConnection) -> list[Any]:
    return [row[0] for row in line.execute("SELECT word FROM one ORDER BY id").fetchall()]


INSERT = "INSERT INTO one(id, word) VALUES(?, ?)"


@pytest.mark.parametrize("looked_at", [False, True], ids=["one message", "looked at in between"])
def test_an_error_in_the_middle_leaves_nothing_of_what_stood_before_and_after_it(
    line: PostgresConnection, looked_at: bool
) -> None:
    line.execute("BEGIN")
    before = line.execute(INSERT, (1, "before"))
    if looked_at:
        assert before.rowcount == 1
    line.execute(INSERT, (1, "twice"))
    after = line.execute(INSERT, (2, "after"))
    with pytest.raises(psycopg.errors.UniqueViolation):
        line.execute("COMMIT")
    with pytest.raises(Unanswered):
        _ = after.rowcount
    if line.in_transaction:
        line.execute("ROLLBACK")
    assert words(line) == []
    line.execute("BEGIN")
    line.execute(INSERT, (1, "again"))
    line.execute("COMMIT")
    assert words(line) == ["again"]


@pytest.mark.parametrize("looked_at", [False, True], ids=["one message", "looked at in between"])
def test_what_only_the_commit_refuses_is_told(line: PostgresConnection, looked_at: bool) -> None:
    line.execute("BEGIN")
    rows = line.execute("INSERT INTO other(id) VALUES(?)", (5,))
    if looked_at:
        assert rows.rowcount == 1
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        line.execute("COMMIT")
    if line.in_transaction:
        line.execute("ROLLBACK")
    assert line.execute("SELECT count(*) FROM other").fetchone() == (0,)


def test_a_transaction_that_failed_before_is_not_taken_for_committed(line: PostgresConnection) -> None:
    line.execute("BEGIN")
    line.execute(INSERT, (1, "one"))
    with pytest.raises(psycopg.errors.UndefinedTable):
        line.execute("SELECT 1 FROM nowhere").fetchone()
    with pytest.raises((NotRecorded, psycopg.Error)):
        line.execute("COMMIT")
    if line.in_transaction:
        line.execute("ROLLBACK")
    assert words(line) == []


@pytest.mark.parametrize(
    ("statement", "given", "kept"),
    [
        (INSERT, (2, "two"), True),
        ("INSERT INTO one(id, word) VALUES(?, ?) ON CONFLICT(id) DO NOTHING", (1, "taken"), False),
        ("INSERT INTO one(id, word) VALUES(?, ?) ON CONFLICT DO NOTHING", (1, "taken"), False),
        ("UPDATE one SET word = ? WHERE id = ?", ("changed", 1), True),
        ("UPDATE one SET word = ? WHERE id = ?", ("nobody", 7), False),
        ("UPDATE one SET word = ? WHERE id < ?", ("all", 9), False),
        ("DELETE FROM one WHERE id = ?", (7,), False),
    ],
)
def test_a_change_of_other_than_one_row_fails_the_whole_message(
    line: PostgresConnection, statement: str, given: tuple[Any, ...], kept: bool
) -> None:
    line.executemany(INSERT, [(1, "first"), (3, "third")])
    line.execute("BEGIN")
    line.execute(INSERT, (4, "with it"))
    line.execute(statement, given).must(IdTaken())
    if kept:
        line.execute("COMMIT")
    else:
        with pytest.raises(IdTaken):
            line.execute("COMMIT")
        if line.in_transaction:
            line.execute("ROLLBACK")
    assert ("with it" in words(line)) == kept


def test_back_to_a_savepoint_is_back_to_what_waited_then(line: PostgresConnection) -> None:
    line.execute("BEGIN")
    line.execute(INSERT, (1, "before"))
    for looks in (False, True):
        line.execute("SAVEPOINT one")
        rows = line.execute(INSERT, (2, "undone"))
        if looks:
            assert rows.rowcount == 1
        line.execute("ROLLBACK TO one")
        line.execute("RELEASE one")
    line.execute("SAVEPOINT one")
    line.execute(INSERT, (3, "kept"))
    line.execute("RELEASE one")
    line.execute("COMMIT")
    assert words(line) == ["before", "kept"]


def test_what_a_lost_connection_had_open_is_not_gone_on_with_on_the_next(
    line: PostgresConnection, address: str
) -> None:
    line.execute("BEGIN")
    assert line.execute(INSERT, (1, "lost")).rowcount == 1
    postgres.end_connections(line._address)
    with pytest.raises(ConnectionLost):
        _ = line.execute(INSERT, (2, "also lost")).rowcount
    line.execute(INSERT, (3, "not alone"))
    with pytest.raises(ConnectionLost):
        line.execute("COMMIT")
    assert words(line) == []


def test_what_was_not_begun_with_when_the_connection_went_is_done_on_the_next(line: PostgresConnection) -> None:
    line.execute("BEGIN")
    line.execute(INSERT, (1, "one"))
    postgres.end_connections(line._address)
    line.execute("COMMIT")
    line.execute("BEGIN")
    postgres.end_connections(line._address)
    assert line.execute(INSERT, (2, "two")).rowcount == 1
    line.execute("COMMIT")
    assert words(line) == ["one", "two"]


# ── what a server begins with before the end of the message ─────────────────────────────────────────────────────────


def beside(line: PostgresConnection) -> PostgresConnection:
    """Another connection to the same."""
    return PostgresConnection(line._address, "public")


def test_what_was_pushed_is_answered_before_its_end_and_lasts_with_the_commit_alone(line: PostgresConnection) -> None:
    with closing(beside(line)) as other:
        line.execute("BEGIN")
        line.execute(INSERT, (1, "one"))
        first = line.execute("SELECT count(*) FROM one")
        line.push()
        line.execute(INSERT, (2, "two"))
        second = line.execute("SELECT count(*) FROM one")
        line.push()
        assert second.fetchone() == (2,)
        assert first.fetchone() == (1,)
        third = line.execute(INSERT, (3, "three"))
        assert words(other) == []
        line.execute("COMMIT")
        assert third.rowcount == 1
        assert words(other) == ["one", "two", "three"]
        assert words(line) == ["one", "two", "three"]


def test_who_looks_at_something_later_ends_the_message_and_the_transaction_goes_on(line: PostgresConnection) -> None:
    line.execute("BEGIN")
    pushed = line.execute(INSERT, (1, "one"))
    line.push()
    assert line.execute("SELECT count(*) FROM one").fetchone() == (1,)
    assert pushed.rowcount == 1
    line.execute(INSERT, (2, "two"))
    line.push()
    line.execute("COMMIT")
    assert words(line) == ["one", "two"]


@pytest.mark.parametrize("where", ["first", "second", "rest"])
@pytest.mark.parametrize("looks", [False, True], ids=["told by the commit", "told by a look"])
def test_an_error_in_any_part_is_told_and_nothing_of_any_part_lasts(
    line: PostgresConnection, where: str, looks: bool
) -> None:
    line.execute(INSERT, (0, "there"))
    line.execute("BEGIN")
    rows = None
    for number, part in enumerate(("first", "second", "rest"), 1):
        line.execute(INSERT, (number, part))
        if part == where:
            line.execute("UPDATE one SET word = ? WHERE id = ?", ("nobody", 77)).must(IdTaken())
            rows = line.execute("SELECT 1")
        if part != "rest":
            line.push()
    assert rows is not None
    with pytest.raises(IdTaken):
        rows.fetchone() if looks else line.execute("COMMIT")
    if line.in_transaction:
        line.execute("ROLLBACK")
    assert words(line) == ["there"]
    line.execute("BEGIN")
    line.execute(INSERT, (1, "again"))
    line.push()
    line.execute("COMMIT")
    assert words(line) == ["there", "again"]


@pytest.mark.parametrize("looks", [False, True])
def test_what_was_pushed_is_taken_back_with_its_transaction(line: PostgresConnection, looks: bool) -> None:
    line.execute("BEGIN")
    rows = line.execute(INSERT, (1, "one"))
    line.push()
    if looks:
        assert rows.rowcount == 1
    line.execute("ROLLBACK")
    assert words(line) == []
    line.execute("BEGIN")
    line.execute(INSERT, (2, "kept"))
    line.push()
    line.execute("SAVEPOINT one")
    line.execute(INSERT, (3, "undone"))
    line.push()
    line.execute("ROLLBACK TO one")
    line.execute("RELEASE one")
    line.execute("COMMIT")
    assert words(line) == ["kept"]


@pytest.mark.parametrize("heard", [False, True])
def test_a_line_that_is_lost_after_a_push_loses_all_of_it_and_tells(line: PostgresConnection, heard: bool) -> None:
    line.execute("BEGIN")
    rows = line.execute(INSERT, (1, "lost"))
    line.push()
    if heard:
        assert rows.rowcount == 1
    postgres.end_connections(line._address)
    with pytest.raises(ConnectionLost):
        line.execute("COMMIT")
    assert words(line) == []


def test_what_begins_a_transaction_and_was_not_heard_of_is_said_again(line: PostgresConnection) -> None:
    line.execute("SELECT 1").fetchone()
    postgres.end_connections(line._address)
    line.begin(("SELECT 7", ()))
    line.push()
    rows = line.execute(INSERT, (1, "one"))
    line.push()
    line.begun()
    assert rows.rowcount == 1
    line.execute("COMMIT")
    assert words(line) == ["one"]


def test_what_was_asked_early_is_answered_or_asked_again(line: PostgresConnection) -> None:
    answer = line.ask_early("SELECT CAST(? AS INTEGER)", (5,))
    assert answer() == [(5,)]
    answer = line.ask_early("SELECT CAST(? AS INTEGER)", (6,))
    postgres.end_connections(line._address)
    assert answer() == [(6,)]
    assert line.say((("SELECT 1", ()),))
    assert line.ask_early("SELECT CAST(? AS INTEGER)", (7,))() == [(7,)]


# ── the line is cut at any byte ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def cut(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Trial, Proxy]]:
    databases = postgres.made(address, "cut_anywhere")
    with between(databases["active"]) as (proxy, through):
        path = tmp_path_factory.mktemp("cut") / "home"
        with trial_on(path, {**databases, "active": through}) as trial:
            yield trial, proxy


def size_of(proxy: Proxy, act: Callable[[], Any]) -> dict[str, int]:
    """So many bytes go each way while this is done."""
    before = dict(proxy.passed)
    act()
    return {way: proxy.passed[way] - before[way] for way in before}


def positions(size: int) -> list[int]:
    """The first and last bytes, and some between."""
    return sorted({0, 1, size // 5, size // 3, size // 2, 4 * size // 5, size - 11, size - 6, size - 5, size - 1, size})


@pytest.mark.parametrize("straight", [True, False])
@pytest.mark.parametrize("way", [UP, DOWN])
def test_a_read_that_is_cut_at_any_byte_is_answered_and_never_without_a_record(
    cut: tuple[Trial, Proxy], monkeypatch: pytest.MonkeyPatch, way: str, straight: bool
) -> None:
    trial, proxy = cut
    if not straight:
        monkeypatch.setattr(Place, "straight", lambda *_, **__: None)
    trial.read(), trial.read()
    size = size_of(proxy, trial.read)[way]
    for count in positions(size):
        before, cuts = trial.records(), proxy.cuts
        proxy.cut_after(way, count)
        outcome = trial.read()
        proxy.whole()
        assert outcome.granted, f"{count} of {size} bytes {way}: {outcome.reasons}"
        assert proxy.cuts == cuts + 1
        assert before < trial.records() <= before + 2, f"{count} of {size} bytes {way}"
        trial.read()
    trial.keeper.seal()
    proved(trial.path, trial.keeper)


@pytest.mark.parametrize("one_message", [True, False])
@pytest.mark.parametrize("way", [UP, DOWN])
def test_a_write_that_is_cut_at_any_byte_was_done_whole_or_not_at_all(
    cut: tuple[Trial, Proxy], way: str, one_message: bool
) -> None:
    trial, proxy = cut
    number = iter(range(1_000))

    def write() -> Any:
        if one_message:
            return trial.keeper.collect(trial.persons[1], "service", {"name": f"{way} {next(number)}"})
        return trial.keeper.consent(trial.persons[1], "provision/mall", channel="website")

    def values() -> int:
        table = "value" if one_message else "consent"
        return int(column(trial.path / "active.db", f"SELECT count(*) FROM {table}")[0])

    write(), write()
    size = size_of(proxy, write)[way]
    done = failed = 0
    for count in positions(size):
        before, records = values(), trial.records()
        proxy.cut_after(way, count)
        try:
            assert write().granted
        except StoreFailed:
            failed += 1
            assert (values(), trial.records()) == (before, records), f"{count} of {size} bytes {way}"
        else:
            done += 1
            assert (values(), trial.records()) == (before + 1, records + 1), f"{count} of {size} bytes {way}"
        proxy.whole()
        assert write().granted
    assert done
    failing = way == UP and not one_message
    assert bool(failed) == failing, "what the server has done is found done, what was one message is done on the next"
    trial.keeper.seal()
    proved(trial.path, trial.keeper)


def test_a_read_whose_answer_was_lost_after_the_commit_is_on_record_twice_and_given_once(
    cut: tuple[Trial, Proxy],
) -> None:
    trial, proxy = cut
    trial.read(), trial.read()
    before = trial.records()
    proxy.cut_after(DOWN, 0)
    assert trial.read().granted
    assert trial.records() == before + 2


@pytest.mark.parametrize("committed", [True, False])
def test_a_reader_that_is_stopped_while_it_waits_leaves_no_gap_and_nothing_double(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    trial.read()
    before = trial.records()

    def stopped(wire: Wire, only: int | None = None, *, awake: bool = False) -> Any:
        monkeypatch.undo()
        if committed:
            wire.take()
        else:
            wire._connection.close()
            postgres.end_connections(trial.keeper.places.active.connection._address)  # type: ignore[attr-defined]
        raise KeyboardInterrupt

    monkeypatch.setattr(Wire, "take", stopped)
    with pytest.raises(KeyboardInterrupt):
        trial.read()
    between_reads = trial.records()
    assert between_reads - before in ((1,) if committed else (0, 1))
    assert trial.read().granted
    assert trial.records() == between_reads + 1
    trial.keeper.seal()
    proved(trial.path, trial.keeper)
    trial.keeper.views.refresh()  # other tests count messages on this connection, once all is prepared on it


def test_a_record_that_is_refused_when_the_proof_is_on_its_way_leaves_nothing(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.read()
    before = trial.records()
    with monkeypatch.context() as patch:
        patch.setattr(seeing, "_access_entry", lambda *_: [Entry("read.granted", 0, "trial", "nobody's alias")])
        with pytest.raises(EntryRefused):
            trial.read()
    assert trial.records() == before
    assert trial.read().granted
    assert trial.records() == before + 1
    trial.keeper.views.refresh()  # as above


def test_the_ways_are_tried_from_the_quickest_to_the_surest(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Way | str] = []
    plain, straight = Place._run_all, Place._gone_straight

    def run_all(self: Place, batch: Any, way: Way) -> Any:
        tried.append(way)
        return plain(self, batch, way)

    def gone_straight(self: Place, *given: Any) -> Any:
        tried.append("straight")
        return straight(self, *given)

    monkeypatch.setattr(Place, "_run_all", run_all)
    monkeypatch.setattr(Place, "_gone_straight", gone_straight)

    def overtaken() -> None:
        trial.read()
        trial.neighbour.keeper.consent(trial.persons[0], "provision/mall", channel="website")
        tried.clear()

    overtaken()
    trial.read()
    assert tried[:2] == ["straight", Way.APART], "the server has said who is late, so it is asked"
    for _ in range(DOUBTED):
        trial.read()
    overtaken()
    together(trial, [trial.read, consenting(trial, trial.persons[1])])
    assert tried[0] is Way.TOGETHER, "who meets others goes with them"
    for _ in range(DOUBTED):
        trial.read()
    monkeypatch.setattr(Place, "straight", lambda *_, **__: None)
    overtaken()
    trial.read()
    assert tried[:2] == [Way.TRUSTING, Way.APART]


def test_what_does_not_fit_into_the_socket_at_once_arrives_all_the_same(line: PostgresConnection) -> None:
    """More than both ends can hold, in both directions, so that one who only sends would wait for ever."""
    word = "x" * 200_000
    line.execute("BEGIN")
    rows = [line.execute("SELECT CAST(? AS TEXT)", (f"{number}{word}",)) for number in range(40)]
    line.execute(INSERT, (1, word))
    assert [len(one.fetchone()[0]) for one in rows] == [len(f"{number}{word}") for number in range(40)]
    line.execute("COMMIT")
    assert words(line) == [word]


@pytest.mark.parametrize("way", [UP, DOWN])
def test_what_cannot_be_taken_back_since_the_line_is_gone_is_told_as_a_lost_line(
    cut: tuple[Trial, Proxy], way: str
) -> None:
    """Whoever takes back goes on for the others of its group; any other word would reach them as their failure."""
    trial, proxy = cut
    with closing(trial.keeper.places.active.engine.connect()) as connection:
        for statements in (("BEGIN", "SELECT 1"), ("BEGIN", "SAVEPOINT one", "SELECT 1"), ()):
            for statement in statements:
                connection.execute(statement).fetchall()
            proxy.cut_after(way, 0)
            with pytest.raises(ConnectionLost):
                connection.execute("ROLLBACK")
            proxy.whole()
            assert not connection.in_transaction
            assert connection.execute("SELECT 1").fetchall() == [(1,)]


# ── beside the sealer ───────────────────────────────────────────────────────────────────────────────────────────────


def test_threads_that_look_at_the_ledger_get_their_own_answers_while_another_seals(trial: Trial) -> None:
    """On one connection their messages would answer each other, and somebody would wait for ever."""
    keeper, sizes = trial.keeper, []

    def looks() -> None:
        for _ in range(80):
            ledger = keeper.places.sealer.connection
            sizes.append((checkpoint_in(history.newest_note(ledger)).size, history.size_of(ledger) >= 0))

    def seals() -> None:
        for _ in range(20):
            trial.read()
            keeper.seal()

    threads = [Thread(target=work, daemon=True) for work in (looks, looks, looks, seals)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert len(sizes) == 240, "somebody got an answer that was not to be read"


# ── what is known of persons outlives a change of the plan ──────────────────────────────────────────────────────────


def test_a_fact_about_the_organisation_asks_for_nobody_anew(trial: Trial, heard: Heard) -> None:
    trial.read()
    heard.messages.clear()
    trial.keeper.controller_fact("trial", "transfer-stopped", about="mall")
    assert len(heard.messages) == 2, "its turn; all that it does"
    assert not any("FROM subject" in word for message in heard.messages for word in message), "it goes through nobody"
    heard.messages.clear()
    assert trial.read().granted
    said = [word for message in heard.messages for word in message]
    assert not any("FROM engagement" in word or "FROM alias" in word for word in said), said
    assert len(heard.messages) == 2, "what the house is known for; the reading itself"


def test_what_was_known_of_a_person_is_compared_before_it_counts_under_the_next_plan(trial: Trial) -> None:
    """A neighbour withdraws, then the plan changes here: the view is built of what is late, and decides nothing."""
    trial.keeper.consent(trial.persons[0], "provision/mall", channel="website")
    assert trial.read().granted
    trial.neighbour.keeper.withdraw(trial.persons[0], "purpose/offers", channel="website")
    trial.keeper.controller_fact("trial", "transfer-resumed", about="mall")
    refused = trial.read()
    assert not refused.granted
    assert not refused.texts


def test_an_added_holiday_moves_the_answer_of_a_neighbour_too(trial: Trial, heard: Heard) -> None:
    """Holidays are known with the plan, and proved with it: nobody asks for them, and nobody overlooks one."""
    keeper, neighbour, person = trial.keeper, trial.neighbour.keeper, trial.persons[0]
    neighbour.request(person, "access", channel="website", proved=True)
    plan = keeper.views.get(person, keeper.now()).view.plan
    due = keeper.deadline(plan, "access", keeper.now())
    day = local_date(Instant(due - 1), plan.zone)
    keeper.holiday("trial", day)
    assert keeper.deadline(plan, "access", keeper.now()) > due
    heard.messages.clear()
    made = neighbour.request(person, "access", channel="website", proved=True).made
    asked = next(one for one in neighbour.views.get(person, neighbour.now()).state.requests if one.request_id == made)
    assert asked.due_at > due
    heard.messages.clear()
    neighbour.request(person, "access", channel="website", proved=True)
    assert len(heard.messages) == 2, heard.messages


def test_a_batch_that_says_whom_it_is_about_is_two_messages(trial: Trial, heard: Heard) -> None:
    keeper, person = trial.keeper, trial.persons[0]
    keeper.views.get(person, keeper.now())
    heard.messages.clear()
    with keeper.batch(about=(person,)):
        made = keeper.request(person, "erasure", channel="website", proved=True).made
        assert keeper.answer(person, RequestId(made or ""), "done").granted
    assert len(heard.messages) == 2, heard.messages
