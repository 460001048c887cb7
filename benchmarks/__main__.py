"""`make bench`: every figure in turn, ratios within one run. `--only verbs,consent` picks, `--small` shrinks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator

from benchmarks import consent, ledger, memory, sweep, verbs
from benchmarks.measure import Figure

MODULES: dict[str, Callable[[bool], Iterator[Figure]]] = {
    "verbs": lambda _: verbs.figures(),
    "consent": lambda _: consent.figures(),
    "sweep": lambda small: sweep.figures(100_000 if small else 1_000_000),
    "ledger": lambda _: ledger.figures(),
    "memory": lambda small: memory.figures(200 if small else 2_000),
}


def main() -> int:
    """Print every figure; the exit status only says that all ran, never that all were fast."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default=",".join(MODULES), help="modules, separated by commas")
    parser.add_argument("--small", action="store_true", help="smaller sizes, for a first look")
    asked = parser.parse_args()
    missed = 0
    for name in asked.only.split(","):
        print(f"── {name}", flush=True)
        for figure in MODULES[name](asked.small):
            print(figure, flush=True)
            missed += not figure.met
    print(f"{missed} targets missed; a miss is to be explained, not hidden")
    return 0


if __name__ == "__main__":
    sys.exit(main())
