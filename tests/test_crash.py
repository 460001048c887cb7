"""Killed at any statement, nothing is lost, nothing is double, and nothing that is due stays readable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.crash_child import ONE_MESSAGE

ROOT = Path(__file__).parent.parent
VERBS = ("enter", "collect", "consent", "withdraw", "read", "provide", "correct", "joined", *ONE_MESSAGE)


def crashes_of(scenario: str, folder: Path, *numbers: int) -> dict[str, Any]:
    """Run a scenario of `tests.crash_child`, killed at every statement; its findings."""
    # On a file system in memory a commit costs nothing; what a killed process leaves is the same there.
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else folder) as scratch:
        command = [sys.executable, "-m", "tests.crash_child", scenario, f"{scratch}/home", *map(str, numbers)]
        path = {**os.environ, "PYTHONPATH": "src"}
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=path)
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("part", [0, 1])
def test_a_sweep_killed_at_any_statement_goes_on_as_if_nothing_had_happened(tmp_path: Path, part: int) -> None:
    """Two parts of every eighth statement here, one for each processor; every one in `make deep`."""
    found = crashes_of("sweep", tmp_path, 4 * part, 8)
    assert found["failures"] == []
    assert set(found["places"]) == {"active", "separated", "keys", "ledger"}
    assert found["crashes"] > 24  # on a server what is done to many is one statement


@pytest.mark.slow
def test_a_move_that_is_undone_leaves_no_copy_wherever_it_was_killed(tmp_path: Path) -> None:
    """Every sixth statement here, every one in `make deep`."""
    found = crashes_of("revived", tmp_path, 0, 6)
    assert found["failures"] == []
    assert found["crashes"] > 15


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_killed_at_any_statement_was_done_whole_or_not_at_all(tmp_path: Path, verb: str) -> None:
    found = crashes_of(verb, tmp_path)
    assert found["failures"] == []
    assert found["crashes"] == found["statements"]


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["recover-active", "recover-keys", "recover-all", "recover-older"])
def test_a_recovery_killed_at_any_statement_starts_again(tmp_path: Path, scenario: str) -> None:
    """Every fourth statement here, every one in `make deep`."""
    found = crashes_of(scenario, tmp_path, 0, 4)
    assert found["failures"] == []
    assert found["crashes"] > 20


@pytest.mark.deep
@pytest.mark.parametrize("scenario", ["recover-active", "recover-keys", "recover-all", "recover-older"])
def test_a_recovery_killed_at_every_statement_and_once_more(tmp_path: Path, scenario: str) -> None:
    assert crashes_of(scenario, tmp_path)["failures"] == []
    assert crashes_of(scenario, tmp_path, 0, 19, 17)["failures"] == []


@pytest.mark.deep
@pytest.mark.parametrize("scenario", ["sweep", "revived"])
def test_a_sweep_killed_twice_goes_on_all_the_same(tmp_path: Path, scenario: str) -> None:
    """Every eleventh statement, and for each of them every thirteenth of what comes after."""
    found = crashes_of(scenario, tmp_path, 0, 11, 13)
    assert found["failures"] == []
    assert found["crashes"] > 300


@pytest.mark.deep
@pytest.mark.parametrize("scenario", ["sweep", "revived"])
def test_a_sweep_killed_at_every_statement_goes_on_as_if_nothing_had_happened(tmp_path: Path, scenario: str) -> None:
    assert crashes_of(scenario, tmp_path)["failures"] == []
