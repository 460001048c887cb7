"""Peak memory of a simulation: flat in the number of people."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator

from benchmarks.ground import DOCUMENT, Ground
from benchmarks.measure import Figure

_CHILD = """
import resource, sys
from pathlib import Path
from upheld.simulate import Course
from upheld.system import simulated
simulated(Path(sys.argv[1]), sys.argv[2], Course(int(sys.argv[3]), 1, 1))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def _peak(people: int) -> float:
    """Megabytes at the peak of a process that simulates so many people for a year."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", _CHILD, str(DOCUMENT.parent / "nexr-2017.yaml"), f"{folder}/home", str(people)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout.split()[-1]) / 1024


def figures(ground: Ground) -> Iterator[Figure]:
    """Ten times as many people."""
    people = ground.sized(2_000, 200)
    few, many = _peak(people), _peak(people * 10)
    note = f"{few:.0f} MB and {many:.0f} MB"
    yield Figure(
        name="peak memory of a simulation, ten times the people", value=many / few, unit="times", most=1.25, note=note
    )
