"""What a thread has seen counts only if nothing of this process has come in between: decided late is decided anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.trial_home import POLICY, House, at, member, opened
from upheld.dates import Period
from upheld.engine.acts import Read, Reason, SubjectId, ValueId
from upheld.keeper import Reading
from upheld.store.subjects import new_plan
from upheld.store.views import Stale


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with opened(tmp_path / "home", at("2024-09-05")) as house:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        yield house


def _between(house: House, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Once, before the next transaction begins, something else happens: as another thread of this process would."""
    place = house.keeper.places.active
    ways: dict[str, Callable[..., Any]] = {"submit": place.submit, "straight": place.straight}

    def first(way: str, *given: Any, **about: Any) -> Any:
        for one, plain in ways.items():
            monkeypatch.setattr(place, one, plain)
        act()
        return ways[way](*given, **about)

    for way in ways:
        monkeypatch.setattr(place, way, partial(first, way))


def _offered(house: House) -> tuple[SubjectId, ValueId]:
    person = member(house, "reader")
    value = next(one.value_id for one in house.keeper.views.get(person, house.keeper.now()).state.values
                 if one.item == "phone")  # fmt: skip
    return person, value


def test_a_withdrawal_between_decision_and_record_stops_the_read(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    person, value = _offered(house)
    reader = house.keeper.application("desk")
    assert house.keeper.read(person, "offers", reader=reader, values=(value,)).granted
    _between(house, monkeypatch, lambda: house.keeper.withdraw(person, "purpose/offers", channel="website"))
    [outcome] = house.keeper.read_many([Reading(person, Read("offers", reader, values=(value,)))])
    assert not outcome.granted
    assert Reason.CONSENT_WITHDRAWN in outcome.reasons


def test_a_withdrawal_between_decision_and_record_stops_the_batch(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, value = _offered(house)
    reader = house.keeper.application("desk")
    assert value in house.keeper.read_batch("offers", [(person, value)], reader=reader).texts
    _between(house, monkeypatch, lambda: house.keeper.withdraw(person, "purpose/offers", channel="website"))
    outcome = house.keeper.read_batch("offers", [(person, value)], reader=reader)
    assert not outcome.texts
    assert not outcome.refused[value].granted


def test_a_value_is_read_in_a_batch_only_as_its_own_subjects(house: House) -> None:
    person, value = _offered(house)
    other = member(house, "other")
    reader = house.keeper.application("desk")
    assert value in house.keeper.read_batch("offers", [(person, value)], reader=reader).texts
    outcome = house.keeper.read_batch("offers", [(other, value)], reader=reader)
    assert not outcome.texts
    assert outcome.refused[value].reasons == (Reason.UNKNOWN,)


def test_more_persons_than_are_kept_in_memory_are_read_in_one_batch(house: House) -> None:
    house.keeper.views.cached = 2
    wanted = [_offered(house) for _ in range(5)]
    reader = house.keeper.application("desk")
    for _ in range(3):
        assert len(house.keeper.read_batch("offers", wanted, reader=reader).texts) == 5


def test_what_was_forgotten_between_decision_and_record_is_loaded_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, value = _offered(house)
    reader = house.keeper.application("desk")
    loaded: list[object] = []

    def publish() -> None:
        house.keeper.views.forget_all()
        loaded.append(True)

    _between(house, monkeypatch, publish)
    assert value in house.keeper.read_batch("offers", [(person, value)], reader=reader).texts
    assert loaded


def test_a_view_loaded_while_its_subject_changed_is_compared_before_use(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, value = _offered(house)
    views, reader = house.keeper.views, house.keeper.application("desk")
    views.drop(person)
    keep = views.keep

    def late(row: Any, era: int, when: Any) -> Any:
        monkeypatch.setattr(views, "keep", keep)
        house.keeper.withdraw(person, "purpose/offers", channel="website")
        return keep(row, era, when)

    monkeypatch.setattr(views, "keep", late)
    outcome = house.keeper.read_batch("offers", [(person, value)], reader=reader)
    assert not outcome.texts


def test_a_view_that_left_memory_before_a_publication_does_not_decide_after_it(house: House) -> None:
    """A thread holds it while others have pushed it out and loaded the policies anew: it is none of those on file."""
    person, value = _offered(house)
    views, active = house.keeper.views, house.keeper.places.active
    held = views.get(person, house.keeper.now())
    views.cached = 1
    member(house, "pushes out")
    house.keeper.source("trial", "shop", Period.parse("P3D"))
    active.submit(new_plan)
    views.refresh()
    for trusting in (False, True):
        with pytest.raises(Stale):
            active.submit(
                lambda transaction: views.prove(transaction, held), about=(person,), reads=True, trusting=trusting
            )
    assert value in house.keeper.read_batch("offers", [(person, value)], reader=house.keeper.application("desk")).texts
