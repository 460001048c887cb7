"""When the power fails, what was not synced is gone. What a verb promised was synced before it promised it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import COMPILER

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("recorder") / "power_loss.so"
    source = ROOT / "tests" / "power_loss.c"
    subprocess.run(
        [
            str(COMPILER),
            "-shared",
            "-fPIC",
            "-O1",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-o",
            str(library),
            str(source),
            "-ldl",
        ],
        check=True,
    )
    return library


def losses_of(scenario: str, folder: Path, recorder: Path, first: int = 0, stride: int = 1) -> dict[str, Any]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else folder) as scratch:
        command = [sys.executable, "-m", "tests.power_child", scenario, f"{scratch}/home", str(recorder)]
        run = subprocess.run(
            [*command, str(first), str(stride)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": "src"},
        )
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["collect", "consent", "withdraw", "provide", "correct"])
def test_a_verb_is_there_whole_or_not_at_all_when_the_power_is_back(tmp_path: Path, recorder: Path, verb: str) -> None:
    found = losses_of(verb, tmp_path, recorder)
    assert found["failures"] == []
    assert found["syncs"]
    assert found["states"] > 20


@pytest.mark.slow
def test_a_sweep_goes_on_after_a_power_loss_as_if_nothing_had_happened(tmp_path: Path, recorder: Path) -> None:
    """Every sixth state here, every one in `make deep`."""
    found = losses_of("sweep", tmp_path, recorder, 1, 6)
    assert found["failures"] == []
    assert found["states"] > 100


@pytest.mark.deep
@pytest.mark.parametrize("scenario", ["sweep", "revived", "recover-all"])
def test_every_state_that_a_power_loss_can_leave(tmp_path: Path, recorder: Path, scenario: str) -> None:
    assert losses_of(scenario, tmp_path, recorder)["failures"] == []
