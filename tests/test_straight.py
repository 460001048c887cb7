"""The short way to a place: what stands in its way is left to the long one, and nothing that failed is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import pytest

from tests import claims, postgres
from tests.test_one_message import Trial, peopled, trial_on
from tests.trial_home import proved
from upheld.engine.acts import Read, SubjectId
from upheld.keeper import Reading
from upheld.store.engine import ConnectionLost, Overtaken, Proof
from upheld.store.journal import JournalWriter
from upheld.store.place import Place
from upheld.store.postgres import PostgresPlace
from upheld.store.straight import DOUBTED
from upheld.store.transaction import Transaction
from upheld.store.wire import Wire


@pytest.fixture(scope="module")
def trial(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    with trial_on(tmp_path_factory.mktemp("straight") / "home", postgres.made(address, "straight")) as made:
        yield made


@pytest.fixture
def place(trial: Trial) -> Place:
    return trial.keeper.places.active


def test_a_place_that_is_barred_is_left_to_the_long_way_which_says_why(
    trial: Trial, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    with monkeypatch.context() as patch:
        patch.setattr(place, "barred", "the disk did not confirm a write")
        patch.setattr(place.engine, "recorded", lambda *given: asked.append(given))
        proof = Proof(("SELECT 1", ()), Overtaken("late"), list)
        assert place.straight(trial.persons[:1], lambda _: (), lambda: proof) is None
        assert place.added(trial.persons[0], asked.append) is None
    assert asked == []
    assert trial.read().granted


@pytest.fixture
def unwatched(monkeypatch: pytest.MonkeyPatch) -> list[list[Any] | None]:
    """Reads go straight as outside of tests, also those whose proof names several by arrays; what came of each."""
    found: list[list[Any] | None] = []

    def recorded(*given: Any) -> list[Any] | None:
        found.append(claims.unwatched(*given))
        return found[-1]

    monkeypatch.setattr(PostgresPlace, "recorded", recorded)
    return found


def test_batch_group_and_refusal_go_straight_too(trial: Trial, unwatched: list[list[Any] | None]) -> None:
    trial = peopled(trial.path, trial.house, trial.neighbour)
    reader = trial.keeper.application("desk")
    trial.read_batch()
    trial.read_batch()
    unwatched.clear()
    before = trial.records()
    assert list(trial.read_batch().texts) == trial.phones
    pairs = zip(trial.persons, trial.phones, strict=True)
    group = [Reading(who, Read("offers", reader, values=(value,))) for who, value in pairs]
    assert all(outcome.granted for outcome in trial.keeper.read_many(group))
    assert not trial.keeper.read(trial.persons[0], "service", reader=reader, values=(trial.phones[0],)).granted
    assert [rows is not None and len(rows) for rows in unwatched] == [3, 3, 0]
    assert trial.records() == before + 3


@pytest.mark.parametrize("late", [0, 1, 2])
def test_somebody_in_a_batch_who_was_changed_elsewhere_is_decided_anew(
    trial: Trial, unwatched: list[list[Any] | None], late: int
) -> None:
    trial = peopled(trial.path, trial.house, trial.neighbour)
    trial.read_batch()
    trial.read_batch()
    trial.neighbour.keeper.withdraw(trial.persons[late], "purpose/offers", channel="website")
    unwatched.clear()
    before = trial.records()
    found = trial.read_batch()
    assert list(found.refused) == [trial.phones[late]]
    assert len(found.texts) == 2
    assert unwatched == [], "the server has said that somebody is late: nothing came of it"
    assert trial.records() == before + 1, "one batch of evidence tells what was granted and what was refused"


def test_work_that_looks_at_an_answer_is_not_tried_without_one_for_some_time(trial: Trial, place: Place) -> None:
    tried: list[Transaction] = []

    def looks(transaction: Transaction) -> Any:
        tried.append(transaction)
        return transaction.execute("SELECT 1").fetchone()

    for _ in range(DOUBTED + 1):
        assert place.added(trial.persons[0], looks) is None
    assert len(tried) == 1
    assert place.added(trial.persons[0], looks) is None
    assert len(tried) == 2
    assert place.added(trial.persons[1], lambda _: "another is not doubted for it") is not None
    for _ in range(DOUBTED):
        place.added(trial.persons[0], looks)


@pytest.mark.parametrize("failure", [ConnectionLost("cut"), Overtaken("faster"), ValueError("odd"), None])
@pytest.mark.parametrize("sent", [True, False])
def test_what_was_seen_of_a_change_that_did_not_happen_is_nobodys(
    trial: Trial, place: Place, monkeypatch: pytest.MonkeyPatch, failure: Exception | None, sent: bool
) -> None:
    """Whatever undid it: who was faster, a line that was cut, a fault of the work, a transaction that is open."""
    gone: list[SubjectId] = []
    person = trial.persons[2]

    def fails(*_: object) -> bool:
        if failure is not None:
            raise failure
        return False

    def moves(transaction: Transaction) -> None:
        transaction.moved.append(person)
        if not sent and failure is not None:
            raise failure

    with monkeypatch.context() as patch:
        patch.setattr(place, "undone", gone.append)
        patch.setattr(place.engine, "added", fails)
        assert place.added(person, moves) is None
    assert gone == [person]
    assert trial.read(2).granted
    for _ in range(DOUBTED):  # nobody is doubted for what was made to happen here
        place._doubts((person,))


def test_while_the_server_is_away_it_stays_open_what_became_of_a_message_and_the_next_asks(
    trial: Trial, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.read()
    before = trial.records()
    plain, asked = Place._settle, 0

    def away(*_: object) -> NoReturn:
        raise ConnectionLost("away")

    with monkeypatch.context() as patch:
        patch.setattr(place.engine, "recorded", away)
        patch.setattr(Place, "_settle", away)
        with pytest.raises(ConnectionLost):
            trial.read()

    def asks(own: Place) -> bool:
        nonlocal asked
        asked += 1
        return plain(own)

    monkeypatch.setattr(Place, "_settle", asks)
    assert trial.read().granted
    assert trial.read().granted
    assert asked == 1
    assert trial.records() == before + 2


def test_who_is_stopped_before_anything_was_sent_leaves_no_gap_for_the_next(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.read()
    before = trial.records()

    def stopped(own: Wire, *_: object) -> NoReturn:
        own._connection.close()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Wire, "end", stopped)
        patch.setattr(Wire, "post", stopped)
        with pytest.raises(KeyboardInterrupt):
            trial.read()
    assert trial.records() == before
    assert trial.read().granted
    assert trial.records() == before + 1
    trial.keeper.seal()
    proved(trial.path, trial.keeper)


def test_who_is_stopped_when_the_answer_is_there_and_not_noted_leaves_nothing_double(
    trial: Trial, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.read()
    before = trial.records()

    def stopped(_: JournalWriter) -> NoReturn:
        raise KeyboardInterrupt

    def overtaken(*_: object) -> NoReturn:
        raise Overtaken("faster")

    with monkeypatch.context() as patch:
        patch.setattr(JournalWriter, "committed", stopped)
        with pytest.raises(KeyboardInterrupt):
            trial.read()
    with monkeypatch.context() as patch:  # what is refused next takes back what is pending
        patch.setattr(place.engine, "recorded", overtaken)
        assert trial.read().granted
    assert trial.read().granted
    assert trial.records() == before + 3
    trial.keeper.seal()
    proved(trial.path, trial.keeper)
