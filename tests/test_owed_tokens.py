"""A value that is durable is told as taken, also where there was no room for its look-up token: that one is owed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

import upheld
from tests.homes import column
from tests.trial_home import POLICY, House, at, member, opened, proved
from upheld import system
from upheld.engine.acts import SubjectId
from upheld.errors import NotRecorded

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
