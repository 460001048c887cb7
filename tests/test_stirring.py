"""What may concern everybody is one row when it is recorded, and a row a person only in the sweep, by portions."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.homes import column
from tests.trial_home import POLICY, House, at, member, opened
from upheld import system
from upheld.keeper import stirring
from upheld.store.place import Transaction

ENDS_FOR_ALL = POLICY.replace(
    "facts: {closed: {clause: T-1, en: closed, ko: 해지}}",
    "facts: {closed: {clause: T-1, en: closed, ko: 해지}, "
    "shop-closed: {clause: T-1, about: controller, en: the shop closed, ko: 폐점}}",
).replace("per: membership, until: closed}", "per: membership, until: {earlier-of: [closed, shop-closed]}}", 1)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(stirring, "PORTION", 2)
    system.init(tmp_path / "home")
    with opened(tmp_path / "home", at("2024-06-01")) as found:
        found.keeper.publish(ENDS_FOR_ALL.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        for number in range(5):
            member(found, f"guest{number}", offers=False)
        found.keeper.sweep()
        assert noted(tmp_path) == []
        yield found


def noted(folder: Path) -> list[tuple[int, str]]:
    return column(folder / "home" / "active.db", "SELECT bucket, subject_id FROM dirty ORDER BY bucket, subject_id")


def portions_of(house: House, monkeypatch: pytest.MonkeyPatch, fails_at: int = 0) -> list[int]:
    """How many persons each transaction of the spreading is about, as they come; one of them may fail."""
    found: list[int] = []
    active = house.keeper.places.active
    durable = active.soon_durable

    def watched(about: Collection[str] | None = None, *, early: bool = False) -> AbstractContextManager[Transaction]:
        found.append(len(about or ()))
        if len(found) == fails_at:
            raise OSError("the machine stops here")
        return durable(about, early=early)

    monkeypatch.setattr(active, "soon_durable", watched)
    return found


def test_a_fact_that_may_concern_everybody_is_one_row_that_the_sweep_spreads_by_portions(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.keeper.controller_fact("trial", "shop-closed")
    assert [bucket for bucket, _ in noted(tmp_path)] == [-1], "homes of before have it so"
    house.clock.set(at("2024-06-03"))
    portions = portions_of(house, monkeypatch)
    assert house.keeper.sweep().destroyed == 2 * len(house.persons)
    assert portions[:4] == [2, 2, 1, 0]
    assert noted(tmp_path) == []


def test_a_spreading_cut_short_begins_anew_and_nobody_is_left_out(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.keeper.controller_fact("trial", "shop-closed")
    house.clock.set(at("2024-06-03"))
    with monkeypatch.context() as broken:
        portions_of(house, broken, fails_at=2)
        with pytest.raises(OSError, match="stops here"):
            house.keeper.sweep()
    assert [bucket for bucket, _ in noted(tmp_path)].count(stirring.EVERYBODY) == 1
    assert len(noted(tmp_path)) == 3
    assert house.keeper.sweep().destroyed == 2 * len(house.persons)
    assert noted(tmp_path) == []


def test_what_is_overdue_is_found_before_any_sweep_has_spread_it(house: House) -> None:
    house.keeper.controller_fact("trial", "shop-closed")
    house.clock.set(at("2024-06-20"))
    assert len(house.keeper.overdue("trial")) == 2 * len(house.persons)


def test_to_look_at_everybody_costs_one_row_until_they_are_looked_at(house: House, tmp_path: Path) -> None:
    swept = house.keeper.sweep(everybody=True)
    assert swept.looked_at == len(house.persons)
    assert noted(tmp_path) == []
