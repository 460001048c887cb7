"""A value that is durable is told as taken, also where there was no room for its look-up token: that one is owed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NoReturn

import pytest

import upheld
from tests import postgres
from tests.homes import changed, column
from tests.trial_home import POLICY, House, at, member, opened, proved, text_of
from upheld import system
from upheld.engine.acts import SubjectId, ValueId
from upheld.errors import NotRecorded
from upheld.store.sealing import Sealer
from upheld.store.vault import Vault

TEXT = "owed@example.org"
OPTIONS = upheld.Options(clock=upheld.SetClock(at("2024-03-01")), look_up={"trial": ["email"]}, light_hashing=True)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    system.init(tmp_path / "home", OPTIONS)
    with opened(tmp_path / "home", at("2024-03-01")) as found:
        found.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        yield found


def full(*_: Any, **__: Any) -> NoReturn:
    raise NotRecorded("no room")


def found_by(house: House, text: str) -> tuple[SubjectId, ...]:
    return house.keeper.lookup("trial", "email", text, reader=house.keeper.application("desk"), reason="desk")


def taken_without_room(house: House, monkeypatch: pytest.MonkeyPatch) -> SubjectId:
    person = member(house, "somebody")
    with monkeypatch.context() as patch:
        patch.setattr(house.keeper.places.vault, "keep_tokens", full)
        patch.setattr(house.keeper.places.vault, "put_tokens", full)
        assert house.keeper.collect(person, "service", {"email": TEXT}).granted
        with pytest.raises(NotRecorded):
            house.keeper.seal()  # or nobody would know of what is owed any more
        with pytest.raises(NotRecorded):
            found_by(house, TEXT)
    return person


def test_what_is_owed_is_put_in_before_anybody_looks(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    person = taken_without_room(house, monkeypatch)
    assert found_by(house, TEXT) == (person,)
    assert house.keeper.places.vault.owed == []


def test_what_is_owed_is_put_in_with_the_next_that_is_taken(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    person = taken_without_room(house, monkeypatch)
    assert house.keeper.collect(person, "service", {"email": "next@example.org"}).granted
    assert house.keeper.places.vault.owed == []
    assert found_by(house, TEXT) == found_by(house, "next@example.org") == (person,)


def test_what_was_destroyed_meanwhile_is_owed_no_token(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = taken_without_room(house, monkeypatch)
    owed = list(house.keeper.places.vault.owed)
    house.keeper.fact(person, "closed")
    house.clock.set(at("2024-03-04"))
    house.keeper.places.vault.owed.clear()  # as where another process sweeps, which knows nothing of it
    house.keeper.sweep()
    house.keeper.places.vault.owed.extend(owed)
    house.keeper.seal()
    (value,) = [row[4] for row in owed]
    assert column(tmp_path / "home" / "keys.db", f"SELECT tier FROM token WHERE value_id = {value}") == ["separated"]
    proved(tmp_path / "home", house.keeper)


@pytest.mark.parametrize("on", ["files", "a server"])
def test_what_a_process_did_not_come_to_is_put_in_before_anybody_seals_it(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on: str
) -> None:
    """It was killed when its values were durable and their tokens not said. Nobody opens the home before others have
    sealed, and sealed again; who was erased or left meanwhile gets none.
    """
    home = tmp_path / "home"
    with postgres.homes_on(request.getfixturevalue("address")) if on == "a server" else nullcontext():
        system.init(home, OPTIONS)
    with opened(home, at("2024-03-01")) as dies, opened(home, at("2024-03-01")) as house:
        dies.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        with monkeypatch.context() as patch:
            patch.setattr(dies.keeper.places.vault, "keep_tokens", lambda _: None)
            stays, erased = (member(dies, who) for who in ("stays", "erased"))
            (old,) = dies.keeper.collect(stays, "service", {"email": "old@example.org"}).values["email"]
            assert dies.keeper.correct(stays, old, TEXT).granted
        assert column(home / "keys.db", "SELECT token FROM token") == []
        with monkeypatch.context() as patch:
            patch.setattr(Sealer, "seal", refuses)
            with pytest.raises(RuntimeError):
                house.keeper.erase(erased, channel="website", proved=True)  # ordered, and not sealed yet
        for _ in range(2):
            house.keeper.seal()
        assert found_by(house, TEXT) == found_by(house, text_of("stays", "email")) == (stays,)
        assert found_by(dies, TEXT) == (stays,)
        assert set(column(home / "keys.db", "SELECT subject_id FROM token")) == {stays}
        house.keeper.sweep()
        proved(home, house.keeper)


def refuses(*_: Any, **__: Any) -> NoReturn:
    raise RuntimeError("made up")


def test_a_seal_asks_for_tokens_only_where_somebody_can_be_looked_up(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    plain = Vault.counted

    def counted(own: Vault, values: Collection[ValueId]) -> Counter[ValueId]:
        asked.append(len(values))
        return plain(own, values)

    monkeypatch.setattr(Vault, "counted", counted)
    person = member(house, "somebody")
    house.keeper.seal()
    assert asked == [1], "the e-mail, not the name"
    assert house.keeper.collect(person, "service", {"name": "Somebody Else"}).granted
    house.keeper.seal()
    assert asked == [1]


def test_a_row_that_was_changed_from_outside_keeps_nobody_from_sealing(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(house.keeper.places.vault, "keep_tokens", lambda _: None)
        for who in ("changed", "whole"):
            member(house, who)
    person = house.persons["changed"]
    changed(
        tmp_path / "home" / "active.db",
        f"UPDATE value SET sealed = zeroblob(length(sealed)) WHERE item = 'email' AND subject_id = '{person}'",
    )
    assert house.keeper.seal().entries
    assert column(tmp_path / "home" / "keys.db", "SELECT subject_id FROM token") == [house.persons["whole"]]


def test_whoever_opens_the_home_puts_in_what_was_owed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    system.init(home, OPTIONS)
    with opened(home, at("2024-03-01")) as house:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        person = taken_without_room(house, monkeypatch)
    with opened(home, at("2024-03-01")) as house:
        assert found_by(house, TEXT) == (person,)
        house.keeper.seal()
        proved(home, house.keeper)
