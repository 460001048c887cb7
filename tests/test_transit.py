"""A promise that data is encrypted on its way is looked at: the lines to the places, and how people come to us."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trial_home import POLICY, House, at, opened
from upheld.desk.background import note_served
from upheld.keeper.checking import CHECKS
from upheld.keeper.safeguards import CHECKED_BY_LEDGER
from upheld.ledger.report import ClauseReport, State
from upheld.policy.vocabulary import EngineCheck

PROMISED = """
contacts: {officer: {clause: T-12, en: privacy officer, ko: 개인정보 보호책임자, phone: 02-000-0000}}
safeguards:
  lines: {clause: T-13, check: encrypted-in-transit, owner: officer, en: lines, ko: 전송 구간}
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with opened(tmp_path / "home", at("2024-03-01")) as made:
        made.keeper.publish((POLICY + PROMISED).encode(), as_of=at("2020-02-01").date(), evidence="trial")
        yield made


def said(house: House) -> ClauseReport:
    return house.keeper.audit("trial").clause("T-13")


def test_where_nobody_came_over_a_line_nothing_is_said_of_it(house: House) -> None:
    found = said(house)
    assert found.state is State.NO_EVIDENCE
    assert {one.note for one in found.elements} == {"no-transport"}


def test_a_service_over_tls_shows_it_and_only_while_it_runs(house: House) -> None:
    note_served(house.keeper)
    assert said(house).state is State.UPHELD
    house.clock.set(at("2024-03-10"))
    later = house.keeper.audit("trial", since=at("2024-03-07")).clause("T-13")
    assert later.state is State.NO_EVIDENCE


def test_a_place_that_is_asked_in_the_clear_breaks_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    note_served(house.keeper)
    assert said(house).state is State.UPHELD
    monkeypatch.setattr(type(house.keeper.places.active.engine), "in_the_clear", lambda *_: True)
    found = said(house)
    assert (found.state, found.what) == (State.NOT_UPHELD, ("in-the-clear:active",))


def test_every_check_that_a_policy_can_name_is_one_that_is_made() -> None:
    assert {*EngineCheck} <= CHECKS.keys() | CHECKED_BY_LEDGER
