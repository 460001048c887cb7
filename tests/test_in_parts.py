"""On PostgreSQL a value goes in three parts, the first of which has the person before the value is sealed: in which
order they come, and that nothing of them stays where the rest is never said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, NoReturn

import pytest

from tests import postgres
from tests.homes import column, connection_to
from tests.test_one_message import Trial, peopled, trial_on
from upheld.engine.acts import SubjectId
from upheld.errors import StoreFailed
from upheld.keeper import data
from upheld.keeper.data import Data
from upheld.ledger.entries import EntryRefused
from upheld.store import wire
from upheld.store.journal import JournalWriter
from upheld.store.place import Place
from upheld.store.postgres import PostgresConnection, PostgresPlace
from upheld.store.vault import Vault


@pytest.fixture(scope="module")
def home(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    with trial_on(tmp_path_factory.mktemp("parts") / "home", postgres.made(address, "in_parts")) as made:
        yield made


@pytest.fixture
def trial(home: Trial) -> Trial:
    fresh = peopled(home.path, home.house, home.neighbour)
    assert fresh.keeper.collect(fresh.persons[0], "service", {"name": "1"}).granted
    return fresh


def session_of(trial: Trial) -> int:
    connection = trial.keeper.places.active.connection
    assert isinstance(connection, PostgresConnection)
    return connection._inner.info.backend_pid


def left_of(trial: Trial) -> tuple[int, int, list[Any], list[Any]]:
    """What there is of the person: records, values, its epoch, and what locks of names the session holds."""
    with closing(connection_to(trial.path / "active.db")) as connection:
        asked = "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND pid = ?"
        locks = connection.execute(asked, (session_of(trial),)).fetchall()
        epoch = connection.execute("SELECT epoch FROM subject WHERE subject_id = ?", (trial.persons[0],)).fetchall()
    values = column(trial.path / "active.db", "SELECT count(*) FROM value")[0]
    return trial.records(), int(values), epoch, locks


def test_the_person_is_had_before_the_value_is_sealed_and_the_value_is_sent_before_its_evidence_is_made(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes long comes before the first part: hashing of a password, and keys that must be made."""
    said: list[str] = []

    def noting(owner: Any, name: str, word: str) -> None:
        plain = getattr(owner, name)

        def noted(*given: Any, **named: Any) -> Any:
            said.append(word)
            return plain(*given, **named)

        monkeypatch.setattr(owner, name, noted)

    noting(data, "taken_before", "decided")
    noting(Data, "_content", "hashed")
    noting(Vault, "take", "key")
    noting(PostgresPlace, "begin_adding", "claimed")
    noting(data, "value_id", "numbered")
    noting(Vault, "seal", "sealed")
    noting(PostgresPlace, "go_on_adding", "sent")
    noting(JournalWriter, "statements", "put on record")
    assert trial.keeper.collect(trial.persons[0], "service", {"name": "2"}).granted
    assert said == ["decided", "hashed", "key", "claimed", "numbered", "sealed", "sent", "put on record"]


def refused(*_: object, **__: object) -> NoReturn:
    raise EntryRefused("value.collected", "values", "made to be")


def fails(*_: object, **__: object) -> NoReturn:
    raise StoreFailed("made to fail")


def stops(*_: object, **__: object) -> NoReturn:
    raise KeyboardInterrupt


FAILURES: dict[str, tuple[Any, str, Callable[..., NoReturn], type[BaseException]]] = {
    "no number for it": (data, "value_id", fails, StoreFailed),
    "it can't be sealed": (Vault, "seal", fails, StoreFailed),
    "stopped while it is sealed": (Vault, "seal", stops, KeyboardInterrupt),
    "it can't be sent": (PostgresPlace, "go_on_adding", fails, StoreFailed),
    "what is gone of it is not told": (data, "leave", fails, StoreFailed),
    "its evidence is refused": (JournalWriter, "statements", refused, EntryRefused),
    "stopped while its evidence is made": (JournalWriter, "statements", stops, KeyboardInterrupt),
}


@pytest.mark.parametrize("what", FAILURES)
def test_where_the_rest_is_never_said_nothing_of_the_first_part_stays_and_nobody_is_kept_out(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    owner, name, fault, told = FAILURES[what]
    before = left_of(trial)
    begun: list[SubjectId] = []
    plain = PostgresPlace.begin_adding

    def noted(self: PostgresPlace, connection: Any, name: str, claims: Any) -> bool:
        begun.append(SubjectId(name))
        return plain(self, connection, name, claims)

    def barred(*_: object, **__: object) -> NoReturn:
        raise told("the long way is not gone here") if told is not EntryRefused else EntryRefused("a", "b", "c")

    with monkeypatch.context() as patch:
        patch.setattr(PostgresPlace, "begin_adding", noted)
        patch.setattr(Place, "submit", barred)
        patch.setattr(owner, name, fault)
        with pytest.raises(told):
            trial.keeper.collect(trial.persons[0], "service", {"name": "2"})
    assert begun == trial.persons[:1], "the first part was sent"
    assert left_of(trial) == before
    assert before[-1] == []
    assert trial.neighbour.keeper.collect(trial.persons[0], "service", {"name": "3"}).granted
    assert trial.keeper.collect(trial.persons[0], "service", {"name": "4"}).granted
    records, values, _, locks = left_of(trial)
    assert (records, values, locks) == (before[0] + 2, before[1] + 2, [])


def test_who_is_in_the_way_of_the_first_part_is_told_by_the_long_way(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first part that can't be said is no reason to doubt the person, nor to tell a failure."""
    with monkeypatch.context() as patch:
        patch.setattr(PostgresPlace, "begin_adding", lambda *_: False)
        assert trial.keeper.collect(trial.persons[0], "service", {"name": "2"}).granted
    ways: list[str] = []
    plain = Place.submit

    def submit(self: Place, *given: Any, **named: Any) -> Any:
        ways.append("the long way")
        return plain(self, *given, **named)

    monkeypatch.setattr(Place, "submit", submit)
    assert trial.keeper.collect(trial.persons[0], "service", {"name": "3"}).granted
    assert ways == []


def test_what_is_asked_on_the_line_in_between_takes_the_first_part_back(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the rest is not said without it: no value, no record, and the long way does both."""
    before, plain = left_of(trial), Vault.seal
    active = trial.keeper.places.active

    def asks(self: Vault, *given: Any) -> Any:
        active.connection.execute("SELECT 1").fetchall()
        return plain(self, *given)

    outcomes: list[Any] = []
    added = Place.added

    def noted(self: Place, *given: Any) -> Any:
        outcomes.append(added(self, *given))
        return outcomes[-1]

    with monkeypatch.context() as patch:
        patch.setattr(Vault, "seal", asks)
        patch.setattr(Place, "added", noted)
        assert trial.keeper.collect(trial.persons[0], "service", {"name": "2"}).granted
    assert outcomes == [None]
    records, values, epoch, locks = left_of(trial)
    assert (records, values, locks) == (before[0] + 1, before[1] + 1, [])
    assert epoch == [(before[2][0][0] + 1,)]


def test_several_values_of_one_call_are_in_together_or_not_at_all(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, plain = left_of(trial), Vault.seal
    sealed: list[Any] = []

    def fails_at_last(self: Vault, *given: Any) -> Any:
        sealed.append(given)
        return plain(self, *given) if len(sealed) < 2 else fails()

    texts = {"name": "2", "email": "made-up@example.org"}
    with monkeypatch.context() as patch:
        patch.setattr(Vault, "seal", fails_at_last)
        with pytest.raises(StoreFailed, match="made to fail"):
            trial.keeper.collect(trial.persons[0], "service", texts)
    assert left_of(trial) == before
    assert trial.keeper.collect(trial.persons[0], "service", texts).granted
    assert left_of(trial)[:2] == (before[0] + 1, before[1] + 2)


class Counting:
    """A driver's connection of which it is counted how often something was sent."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.sent = inner, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def flush(self) -> Any:
        self.sent += 1
        return self.inner.flush()


@pytest.mark.parametrize(("cores", "parts"), [(1, 1), (2, 3)])
def test_on_one_core_all_parts_are_sent_at_once(
    address: str, monkeypatch: pytest.MonkeyPatch, cores: int, parts: int
) -> None:
    monkeypatch.setattr(wire, "cores", lambda: cores)
    with closing(PostgresConnection(postgres.made(address, f"cores_{cores}")["active"], "public")) as connection:
        counting = connection._wire._pgconn = Counting(connection._wire._pgconn)  # type: ignore[assignment]
        assert connection.begin_with((("SELECT 1", ()),))
        connection.go_on_with((("SELECT 2", ()),))
        assert counting.sent == parts - 1
        answer = connection.end_with((("SELECT 3", ()),), 1, StoreFailed("late"), lambda: None)
        assert answer is not None
        assert answer.rows == [(2,)]
        assert counting.sent == parts
