"""`python -m upheld.demonstration`, what `make run` does: the five policies live for years, two side by side.

For each policy a fresh home is made, made-up people live under it, everything due is swept, the ledger is verified and
the clause report is printed in short. What there is to look at next stands at the end.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import Manager, get_context
from pathlib import Path
from queue import Empty, Queue

from rich.console import Console

from upheld.clock import SystemClock
from upheld.errors import HomeUnusable, UpheldError
from upheld.ledger.report import State
from upheld.simulate import Course, Progress, Summary, keep_summary, told
from upheld.system import SETTINGS, simulation
from upheld.web import demonstration

POLICIES = ("bizmeka-ez-2018", "bizmeka-ez-2016", "kt-enterprise-2022", "kt-mns-2018", "nexr-2017")
"""The longest first, so that two processes end at about the same time."""
SIDE_BY_SIDE = 2
MOST_LINES, MOST_WIDE = 6, 118
"""Of each report so many clauses that are not upheld are printed, each on one line."""
_PATIENCE = 0.2


@dataclass(frozen=True, slots=True)
class _Done:
    """One policy after its years."""

    name: str
    home: Path
    summary: Summary
    report: str
    """The clause report in short."""
    states: Mapping[State, int]
    seconds: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration. Exit status 1 when something that was promised does not hold."""
    asked = _asked(arguments)
    console = Console()
    missing = [name for name in POLICIES if not (asked.policies / f"{name}.yaml").exists()]
    if missing:
        console.print(
            f"{asked.policies} has no {', '.join(missing)}; run this where `policies/` is, or give --policies"
        )
        return 1
    clock = SystemClock()
    began = clock.monotonic()
    console.print(
        f"Five policies, {asked.people:,} made-up people each, {asked.years} years, two policies side by side. "
        "2,000 people and 7 years take two to four minutes on two cores.\n",
        soft_wrap=True,
    )
    try:
        done = _simulate_all(asked, console)
    except UpheldError as failure:
        console.print(f"[bold]stopped:[/bold] {failure}")
        return 1
    _print_table(console, done)
    _print_reports(console, done)
    _print_next(console, done, clock.monotonic() - began)
    if asked.serve and _served(asked, console):
        return 1
    return 0 if all(one.summary.verified and not one.summary.kept.overdue for one in done) else 1


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m upheld.demonstration", description=__doc__)
    parser.add_argument("--people", type=int, default=2000, help="made-up people for each policy (2000)")
    parser.add_argument("--years", type=int, default=7, help="years they live under it (7)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed comes out the same (1)")
    parser.add_argument("--home", type=Path, default=Path("run"), help="folder for the homes (run)")
    parser.add_argument(
        "--policies", type=Path, default=Path("policies"), help="folder of the five documents (policies)"
    )
    parser.add_argument(
        "--serve", action="store_true", help="then serve the five policies until Ctrl-C; in CI only check the pages"
    )
    parser.add_argument("--port", type=int, default=8000, help="on this port (8000)")
    return parser.parse_args(arguments)


def _served(asked: argparse.Namespace, console: Console) -> tuple[str, ...]:
    """Show the five policies in a home of their own. Returns what was wrong with the pages."""
    console.print("\nA home with all five policies for the web service ...")
    documents = [asked.policies / f"{name}.yaml" for name in POLICIES]
    prepared = demonstration.prepare(documents, asked.home / "served")
    wrong = demonstration.show(
        prepared, lambda text: console.print(text, highlight=False, soft_wrap=True, markup=False), port=asked.port
    )
    for one in wrong:
        console.print(f"  {one}", highlight=False, markup=False)
    return wrong


# ── the years ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _simulate_all(asked: argparse.Namespace, console: Console) -> list[_Done]:
    course = Course(asked.people, asked.years, asked.seed)
    for name in POLICIES:
        _clear(asked.home / name)
    with (
        Manager() as manager,
        ProcessPoolExecutor(SIDE_BY_SIDE, mp_context=get_context("spawn")) as processes,
        told(console) as tell,
    ):
        queue: Queue[tuple[str, Progress]] = manager.Queue()
        waiting = [
            processes.submit(_live, asked.policies / f"{name}.yaml", asked.home / name, course, queue)
            for name in POLICIES
        ]
        while not all(one.done() for one in waiting) and _failed(waiting) is None:
            try:
                tell(*queue.get(timeout=_PATIENCE))
            except Empty:
                continue
        while not queue.empty():
            tell(*queue.get())
        failed = _failed(waiting)
        if failed is not None:
            processes.shutdown(cancel_futures=True)
            raise failed
        return [one.result() for one in waiting]


def _failed(waiting: Sequence[Future[_Done]]) -> BaseException | None:
    """What the first of them failed with, if one did."""
    over = (one for one in waiting if one.done() and not one.cancelled())
    return next((failure for one in over if (failure := one.exception()) is not None), None)


def _clear(home: Path) -> None:
    """A fresh folder each time; what is not a home of ours is never removed, and nothing starts beside it."""
    if (home / SETTINGS).exists():
        shutil.rmtree(home)
    elif home.exists() and any(home.iterdir()):
        raise HomeUnusable(f"{home} holds something else than a home; move it, or give another folder with --home")


def _live(document: Path, home: Path, course: Course, queue: Queue[tuple[str, Progress]]) -> _Done:
    """One policy, in a process of its own."""
    clock = SystemClock()
    began = clock.monotonic()
    with simulation(document, home, course, lambda progress: queue.put((document.stem, progress))) as (keeper, summary):
        keep_summary(summary, home)
        report = keeper.audit(summary.policy)
        (home / "report.json").write_text(report.json(), encoding="utf-8")
        (home / "report.html").write_text(report.html(), encoding="utf-8")
        return _Done(
            document.stem, home, summary, report.text(brief=True), dict(report.counts()), clock.monotonic() - began
        )


# ── what came of it ─────────────────────────────────────────────────────────────────────────────────────────────────

_COLUMNS = ("people", "held", "kept apart", "destroyed", "refused", "asked", "late", "overdue", "entries", "seconds")


def _print_table(console: Console, done: Sequence[_Done]) -> None:
    console.print()
    console.print(
        f"{'':<20}" + "".join(f"{name:>11}" for name in _COLUMNS) + "  ledger", highlight=False, soft_wrap=True
    )
    for one in done:
        tally, kept = one.summary.tally, one.summary.kept
        numbers = (
            one.summary.people, kept.states.get("held", 0), kept.states.get("separated", 0), tally.destroyed,
            tally.refusals.total(), tally.asked.total(), tally.late.total(), kept.overdue,
            one.summary.ledger_entries, round(one.seconds),
        )  # fmt: skip
        found = "verified" if one.summary.verified else "NOT as signed"
        console.print(
            f"{one.name:<20}" + "".join(f"{n:>11,}" for n in numbers) + f"  {found}", highlight=False, soft_wrap=True
        )


def _print_reports(console: Console, done: Sequence[_Done]) -> None:
    """Of each clause report how many clauses are in which state, and what is not upheld for another reason than that
    the version was published over it.
    """
    console.print("\nThe clause reports in short\n")
    console.print(f"{'':<20}" + "".join(f"{state.value:>18}" for state in State), highlight=False, soft_wrap=True)
    for one in done:
        counts = "".join(f"{one.states.get(state, 0):>18}" for state in State)
        console.print(f"{one.name:<20}{counts}", highlight=False, soft_wrap=True)
    for one in done:
        lines = one.report.split("\n\n")[1:2]
        if lines and lines[0].startswith("not upheld"):
            console.print(f"\n{one.name}, not upheld on {one.summary.last.isoformat()}", highlight=False)
            for line in lines[0].splitlines()[1 : MOST_LINES + 1]:
                console.print(line[:MOST_WIDE], highlight=False, soft_wrap=True, markup=False)
    console.print(
        "\nThe made-up house is late with some evidence and some answers, on purpose; its report says since when.\n"
        "A clause that the policy declares and nothing here runs is not upheld either; the whole reports name each.",
        soft_wrap=True,
    )


def _print_next(console: Console, done: Sequence[_Done], seconds: float) -> None:
    first, upheld = done[0], _command()
    console.print(f"\nAll five in {seconds:.0f} seconds. What to look at next:\n")
    for command, what in (
        (f"less {first.home / 'summary.txt'}", "what happened, in numbers"),
        (f"xdg-open {first.home / 'picture.svg'}", "what was held, kept apart and destroyed, drawn"),
        (f"xdg-open {first.home / 'report.html'}", "the clause report, whole, with the entries that show it"),
        (
            f"{upheld} verify --home {first.home} --public-key {first.home / 'public.pem'}",
            "is the ledger what was signed?",
        ),
        (f"{upheld} versions --home {first.home}", "how the version came through the gate, and the notices kept of it"),
        (f"{upheld} audit --home {first.home} --to {first.summary.last}", "the report of a span, made anew"),
        (f"{upheld} simulate policies/{POLICIES[-1]}.yaml --people 100 --years 1 --home run/mine", "a course of yours"),
    ):
        console.print(f"  {command}\n      {what}", highlight=False, soft_wrap=True)


def _command() -> str:
    """How to call the command line from here: by its name where it is on the path, else beside this Python."""
    beside = Path(sys.executable).with_name("upheld")
    if shutil.which("upheld") or not beside.exists():
        return "upheld"
    here = Path.cwd()
    return str(beside.relative_to(here) if beside.is_relative_to(here) else beside)


if __name__ == "__main__":
    sys.exit(main())
