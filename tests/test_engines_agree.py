"""What cases and reports say does not depend on where the rows lie. The whole of both runs by `UPHELD_ENGINE`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from tests import postgres
from tests.audited import Audited
from tests.homes import copied, forgotten
from tests.test_cases import DOCUMENTS, POLICIES, opener
from upheld.cases import run_file

CITED = ("NX17-2.3", "KE22-4.2-r6", "BZ16-10.6.c")
"""Clauses of three policies: what ends and is certified, what a law keeps, what stops while it is disputed."""


@contextmanager
def lent(house: Path, to: Path) -> Iterator[Path]:
    yield copied(house, to)
    forgotten(to)


@pytest.mark.parametrize("clause", CITED)
def test_the_cases_of_a_clause_hold_on_a_server_too(clause: str, address: str) -> None:
    with postgres.homes_on(address):
        run = run_file(POLICIES / f"{DOCUMENTS[clause[:4]]}.cases.yaml", opener, citing=clause, lender=lent)
    assert run.problems == ()
    assert run.cases
    assert [difference for case in run.cases for difference in case.differences] == []


def test_a_house_has_the_same_report_on_both_engines(tmp_path: Path, address: str) -> None:
    """People come, agree, give and are read; a year goes by with its sweeps; every clause is answered alike."""
    said: list[dict[str, tuple[object, ...]]] = []
    for engine in ("sqlite", "postgresql"):
        with postgres.homes_on(address) if engine == "postgresql" else nullcontext():
            house = Audited("nexr-2017", tmp_path / engine)
            house.hire()
            for role, stay, taking in house.takings():
                house.read(house.take_up(role, stay, taking))
            reports = [house.audit()]
            for _ in range(4):
                house.wait(91)
                house.keeper.sweep()
            reports.append(house.audit())
            answers = [(number, one) for number, report in enumerate(reports) for one in report.clauses]
            said.append({f"{number} {one.clause}": (one.state, one.what) for number, one in answers})
            house.keeper.close()
    files, server = said
    assert server == files
    assert len({state for state, _ in files.values()}) > 1
