"""Peak memory of a simulation: flat in the number of people.

python -m benchmarks.memory
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator

from benchmarks.homes import DOCUMENT
from benchmarks.measure import Figure, at_most

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


def figures(people: int = 2_000) -> Iterator[Figure]:
    """Every figure of this module."""
    few, many = _peak(people), _peak(people * 10)
    note = f"{few:.0f} MB and {many:.0f} MB"
    yield at_most(f"peak memory, {people * 10} people against {people}", many / few, 1.25, "times", note)


if __name__ == "__main__":
    for figure in figures():
        print(figure)
