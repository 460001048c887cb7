"""The page of results, made from the lines on file: no figure on it is typed."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

import msgspec

from benchmarks.ground import POSTGRESQL, SQLITE
from benchmarks.measure import Line, shown
from tests import postgres

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
BUSY = 0.7
"""Other work on the cores beyond which a figure is marked as taken under load."""
COLUMNS = ((POSTGRESQL, False), (POSTGRESQL, True), (SQLITE, False), (SQLITE, True))
TITLES = {
    "reads": "Reading",
    "flight": "Many at once",
    "gdpr": "GDPRBench",
    "writes": "Writing",
    "erase": "Erasing",
    "consent": "Consent by many clients",
    "peers": "Beside others",
    "api": "Through the API",
    "growth": "Growth",
    "decide": "Deciding",
    "ledger": "The ledger",
    "sweep": "The sweep",
    "memory": "Memory",
}
HERE = Path(__file__).parent


def machine() -> str:
    """The machine in a few words."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    huge = next((line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("HugePages_Total")), "0")
    pages = f", {int(huge):,} huge pages" if int(huge) else ""
    return f"{os.cpu_count()} cores, {' '.join(model.split())}, {memory:.0f} GB{pages}, {platform.system()}"


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []


def versions(engine: str) -> str:
    """The engine and the language."""
    python = f"Python {platform.python_version()}"
    if engine == SQLITE:
        return f"SQLite {sqlite3.sqlite_version}, {python}"
    said = subprocess.run([postgres.programs() / "postgres", "-V"], check=True, capture_output=True, text=True).stdout
    return f"PostgreSQL {said.split()[2]}, psycopg {version('psycopg')}, {python}"


def lines_in(results: Path) -> list[Line]:
    """Every line on file."""
    return [
        msgspec.json.decode(line, type=Line)
        for file in sorted(results.glob("*.jsonl"))
        for line in file.read_bytes().splitlines()
    ]


def write(results: Path, to: Path = PAGE) -> None:
    """Write the page."""
    to.write_text(page(lines_in(results)))


def page(lines: Iterable[Line]) -> str:
    """The page of these lines."""
    known = list(lines)
    parts = [(HERE / "head.md").read_text(), *_conditions(known)]
    for module, title in TITLES.items():
        own = [line for line in known if line.module == module]
        if own:
            parts += [f"\n## {title}\n", _said(module), "", *_table(own), "", *_details(own)]
    return "\n".join(parts) + "\n" + (HERE / "tail.md").read_text()


def _said(module: str) -> str:
    """What a module says of itself."""
    return " ".join((import_module(f"benchmarks.{module}").__doc__ or "").split())


def _conditions(lines: list[Line]) -> Iterator[str]:
    yield f"Machine: {'; '.join(dict.fromkeys(line.machine for line in lines))}."
    yield f"{'; '.join(dict.fromkeys(line.versions for line in lines))}."
    days = sorted({line.at[:10] for line in lines})
    yield f"Taken on {' and '.join(days) if len(days) < 3 else f'{days[0]} to {days[-1]}'}."


def _table(lines: list[Line]) -> Iterator[str]:
    columns = [one for one in COLUMNS if any((line.engine, line.pinned) == one for line in lines)]
    found: dict[str, dict[tuple[str, bool], Line]] = {}
    for line in sorted(lines, key=lambda one: one.order):
        found.setdefault(line.figure.name, {})[line.engine, line.pinned] = line
    names = {POSTGRESQL: "PostgreSQL", SQLITE: "SQLite"}
    heads = [f"{names[engine]}{', one core' if pinned else ''}" for engine, pinned in columns]
    yield f"| what | unit | target | {' | '.join(heads)} |"
    yield f"| --- | --- | --- | {' | '.join('---:' for _ in heads)} |"
    for name, cells in found.items():
        unit = next(iter(cells.values())).figure.unit
        yield f"| {name} | {unit} | {_targets(cells)} | {' | '.join(_cell(cells.get(one)) for one in columns)} |"


def _targets(cells: Mapping[tuple[str, bool], Line]) -> str:
    """The target; where engines have their own, each with its engine."""
    by_engine = {engine: line.figure.target for (engine, _), line in cells.items()}
    wanted = {one for one in by_engine.values() if one != "-"}
    if len(wanted) <= 1 and len(set(by_engine.values())) == 1:
        return next(iter(by_engine.values()))
    return ", ".join(f"{target} ({engine})" for engine, target in by_engine.items() if target != "-")


def _cell(line: Line | None) -> str:
    if line is None:
        return ""
    value = shown(line.figure.value)
    if line.figure.target != "-":
        value = f"**{value}**" if line.figure.met else f"{value} ✗"
    return value + ("°" if line.load > BUSY or line.flush > 1_000 else "")


def _details(lines: list[Line]) -> Iterator[str]:
    """Absolute figures, and the command of each column; figures of another run stand below what is said of that."""
    for engine, pinned in COLUMNS:
        own = sorted((one for one in lines if (one.engine, one.pinned) == (engine, pinned)), key=lambda one: one.order)
        if not own:
            continue
        yield f"<details><summary>{engine}{', one core' if pinned else ''}</summary>\n"
        for _, taken in groupby(own, lambda line: (line.command, line.load, line.flush)):
            run = list(taken)
            yield f"{_told_of(run[0])}\n"
            yield from (f"- {line.figure.name}: {line.figure.note}" for line in run if line.figure.note)
            yield ""
        yield "</details>\n"


def _told_of(line: Line) -> str:
    taken = f"`{line.command}`, {line.at.replace('T', ' ')[:16]}, size {line.size}, load {line.load}"
    return f"{taken}, a flush of the disk {shown(line.flush)} µs."
