"""Case files: read whole, played against the real keeper, and honest about what they show."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

import upheld
from upheld.cases import CasesRefused, FileRun, read_cases, run_cases, run_file
from upheld.dates import Instant
from upheld.keeper import Keeper

POLICIES = Path(__file__).parent.parent / "policies"
FILES = sorted(POLICIES.glob("*.cases.yaml"))


def opener(home: Path, at: Instant, look_up: Mapping[str, Iterable[str]]) -> tuple[Keeper, upheld.SetClock]:
    clock = upheld.SetClock(at)
    return upheld.open(home, upheld.Options(clock=clock, light_hashing=True, look_up=look_up, durable=False)), clock


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_case_of_the_five_policies_holds(path: Path) -> None:
    run = run_file(path, opener)
    assert not run.problems
    assert [difference for case in run.cases for difference in case.differences] == []
