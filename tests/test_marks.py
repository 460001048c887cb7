"""A place put back to a copy of its last minute, before anything was sealed, is noticed by a mark outside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import upheld
from tests.homes import copied, put_back
from tests.trial_home import POLICY, at, member, opened
from upheld.keeper import Keeper
from upheld.ledger.entries import Entry, entry
from upheld.store import history
from upheld.store.marks import FOLDER, Marks
from upheld.store.place import Recovering

NOW = at("2024-09-05")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with somebody in it; everything is sealed."""
    with opened(tmp_path / "home", NOW) as house:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        member(house, "before")
        house.keeper.seal()
    return tmp_path / "home"


@pytest.mark.parametrize("place", ["active", "keys"])
def test_a_place_put_back_to_a_copy_of_its_last_minute_is_noticed_and_its_loss_is_on_record(
    home: Path, tmp_path: Path, place: str
) -> None:
    copy = copied(home, tmp_path / "copy")
    with opened(home, NOW) as house:
        person = member(house, "since")
        house.keeper.withdraw(person, "purpose/offers", channel="website")
    put_back(home, copy, place)
    with opened(home, NOW) as house:
        with pytest.raises(Recovering, match=f"{place} is an old copy"):
            house.keeper.enter("trial", "member")
        done = house.keeper.recover()
        assert place in done.places
        lost = done.counts["batches-cut-off"]
        assert lost > 0
        house.keeper.seal()
        told = history.entries(house.keeper.places.sealer.connection, kinds=["recovered"])
        assert [one.entry.fields["counts"]["batches-cut-off"] for one in told] == [lost]  # type: ignore[call-overload,index]  # counts
        member(house, "after")
        assert house.keeper.recover().counts["batches-cut-off"] == 0
    with opened(home, NOW) as house:
        member(house, "later")


def test_a_home_whose_places_are_as_they_were_left_is_no_old_copy(home: Path) -> None:
    for who in ("one", "two", "three"):
        with opened(home, NOW) as house:
            member(house, who)
    assert len(list((home / FOLDER).glob("active.*"))) == 3  # nothing sealed: each still says something
    with opened(home, NOW) as house:
        house.keeper.seal()
    with opened(home, NOW):
        assert list((home / FOLDER).iterdir()) == []


def test_two_processes_side_by_side_are_no_old_copies_of_each_other(home: Path) -> None:
    with opened(home, NOW) as first, opened(home, NOW) as second:
        for number in range(3):
            member(first, f"first-{number}")
            member(second, f"second-{number}")
        second.keeper.seal()
        marks = second.keeper.places.marks
        before = marks.of("active")
        marks.forget("active")  # what a living process told is not to be removed
        assert marks.of("active") == before
        assert first.keeper.notice() == second.keeper.notice() == ()


def test_a_mark_that_was_never_finished_says_nothing(tmp_path: Path) -> None:
    marks = Marks(tmp_path, "a" * 20)
    one = marks.mark("active")
    one.set({"active/trial/evidence/x": 3})
    one.set({"active/trial/evidence/x": 4, "active/trial/access/x": 1})
    one.close()
    assert marks.of("active") == {"active/trial/evidence/x": 4, "active/trial/access/x": 1}
    assert marks.of("keys") == {}
    (path,) = (tmp_path / FOLDER).iterdir()
    whole = path.read_bytes()
    for torn in (b"", whole[:5], whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1])):
        path.write_bytes(torn)
        assert marks.of("active") == {}
    path.write_bytes(whole)
    marks.over("active", {"active/trial/evidence/x": 4})
    assert path.exists()
    marks.over("active", {"active/trial/evidence/x": 4, "active/trial/access/x": 1})
    assert not path.exists()


def test_a_mark_that_cannot_be_written_takes_nothing_back(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "no space left on device")

    with opened(home, NOW) as house:
        monkeypatch.setattr(os, "pwrite", full)
        person = member(house, "written")
        assert house.keeper.consents(person) == {"purpose/offers": "given"}
        monkeypatch.undo()
    with opened(home, NOW) as house:
        assert house.keeper.notice() == ()


def test_what_a_loss_of_power_may_take_leaves_no_mark(home: Path) -> None:
    with opened(home, NOW) as house:
        place, marks = house.keeper.places.keys, house.keeper.places.marks
        member(house, "somebody")
        before = marks.of("keys")
        with place.soon_durable() as transaction:
            transaction.journal(*_some(house.keeper))
        assert marks.of("keys") == before
        with place.transaction() as transaction:
            transaction.journal(*_some(house.keeper))
        assert sum(marks.of("keys").values()) == sum(before.values()) + 2
    options = upheld.Options(clock=upheld.SetClock(NOW), light_hashing=True, durable=False)
    keeper = upheld.open(home, options)
    keeper.enter("trial", "member")
    assert keeper.places.active.mark is None
    keeper.close()


def _some(keeper: Keeper) -> list[Entry]:
    return [entry("keys.made", keeper.now(), "upheld", None, (), store="papers", made=1)]
