"""A small sample of every fault on both engines; `make faults` makes the figures of docs/faults.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import malformed
from tests.faults import ENGINES, FAULTS, KILLED, SAMPLE, Figure, figure_of, on
from tests.trial_home import furnished, opened

HERE = ("killed in a provision",)
WITHOUT_LINES = {(fault, "sqlite") for fault in ("connection lost in a transaction", "line cut in a message")}
ELSEWHERE = {
    *((fault, engine) for fault in KILLED if fault not in HERE for engine in ENGINES),
    ("database ends under load", "postgresql"),
    ("connection lost in a transaction", "sqlite"),
    ("connection lost in a transaction", "postgresql"),
    ("line cut in a message", "sqlite"),
}
"""Sampled by `test_crash.py` and `test_postgres_faults.py`, by the same machinery; files have no connection."""


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    with on(request.param):
        yield request.param


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_loses_nothing_and_discloses_nothing(engine: str, fault: str) -> None:
    if (fault, engine) in ELSEWHERE:
        assert fault in FAULTS
        return
    figure = figure_of(fault, engine, SAMPLE)
    assert figure.said == []
    assert figure.tried > 0


def test_what_is_wrong_counts_as_lost_or_as_disclosed() -> None:
    figure = Figure("a fault", "sqlite")
    figure.add(7, ["a value was acknowledged and is gone", "a copy of 1 opens after its destruction"])
    assert figure.row() == "| a fault | sqlite | 7 | 1 | 1 |"


def test_a_change_by_what_was_refused_is_noticed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    persons = furnished(home)
    watched = malformed.Watched(home)
    with opened(home) as house:
        house.keeper.begin(persons["stayer"], "membership")
    watched.look()
    assert len(watched.wrong) == 1


def test_the_page_has_a_row_for_every_fault_on_every_engine_and_nothing_lost() -> None:
    page = (Path(__file__).parent.parent / "docs" / "faults.md").read_text("utf-8")
    rows = re.findall(r"^\| ([^|]+) \| (sqlite|postgresql) \| ([\d,]+) \| (\d+) \| (\d+) \|$", page, re.MULTILINE)
    wanted = {(fault, one) for fault in FAULTS for one in ENGINES} - WITHOUT_LINES
    assert {(fault, one) for fault, one, *_ in rows} == wanted
    assert {(lost, disclosed) for *_, lost, disclosed in rows} == {("0", "0")}
