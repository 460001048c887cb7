"""Somebody stopped by a signal around a commit: what became of it is found out, and nothing is numbered twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults import ENGINES, on
from tests.homes import column
from tests.trial_home import POLICY, House, at, member, opened, proved
from upheld.engine.acts import SubjectId
from upheld.store.journal import JournalWriter


@pytest.fixture(scope="module", params=ENGINES)
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, House]]:
    with on(request.param):
        path = tmp_path_factory.mktemp("stopped") / "home"
        with opened(path, at("2024-03-01")) as house:
            house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
            yield path, house


def stopped_at_the_commit(house: House, patch: pytest.MonkeyPatch, *, done: bool) -> None:
    """Ctrl-C while the commit is under way: before it is said, or when it is done and nobody knows yet."""
    connection: Any = house.keeper.places.active.connection
    plain = connection.execute

    class Stopping:
        """In the place of the connection; one of a file takes no other method."""

        def __getattr__(self, name: str) -> Any:
            return getattr(connection, name)

        def execute(self, statement: str, *given: Any) -> Any:
            if statement != "COMMIT":
                return plain(statement, *given)
            if done:
                plain(statement, *given)
            raise KeyboardInterrupt

    patch.setattr(house.keeper.places.active, "connection", Stopping())
    patch.setattr(house.keeper.places.active, "engine", _Knowing(house.keeper.places.active.engine, connection))


class _Knowing:
    """An engine is handed its own connection, whatever stands in its place."""

    def __init__(self, engine: Any, connection: Any) -> None:
        self._engine, self._connection = engine, connection

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._engine, name)
        if name not in ("begin", "granted", "settled", "claim_more"):
            return found
        return lambda connection, *given, **named: found(self._connection, *given, **named)


def consents(path: Path, person: SubjectId) -> int:
    return len(column(path / "active.db", f"SELECT 1 FROM consent WHERE subject_id = '{person}' AND about = 'mall'"))


@pytest.mark.parametrize("done", [True, False])
def test_who_is_stopped_in_a_commit_leaves_nothing_double_and_no_gap(
    home: tuple[Path, House], monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    path, house = home
    person = member(house, f"stopped-{done}")
    with monkeypatch.context() as patch:
        stopped_at_the_commit(house, patch, done=done)
        with pytest.raises(KeyboardInterrupt):
            house.keeper.consent(person, "provision/mall", channel="website")
    assert consents(path, person) == done
    assert house.keeper.consent(person, "provision/mall", channel="website").granted
    assert consents(path, person) == done + 1
    house.keeper.seal()
    proved(path, house.keeper)


def test_who_is_stopped_when_it_is_done_and_before_it_is_counted_leaves_nothing_double(
    home: tuple[Path, House], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, house = home
    person = member(house, "uncounted")

    def stopped(_: JournalWriter) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(JournalWriter, "committed", stopped)
        with pytest.raises(KeyboardInterrupt):
            house.keeper.consent(person, "provision/mall", channel="website")
    assert house.keeper.consent(person, "provision/mall", channel="website").granted
    assert consents(path, person) == 2
    house.keeper.seal()
    proved(path, house.keeper)
