"""How far simulations are: bars on a terminal, a line for each year elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from upheld.simulate.course import Progress


@contextmanager
def told(console: Console) -> Iterator[Callable[[str, Progress], None]]:
    """What to call with a name and how far it is; names may come in any order, side by side."""
    if not console.is_terminal:
        yield _Lines(console).tell
        return
    columns = (
        TextColumn("{task.description:<20}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[day]}"),
    )
    with Bars(*columns, TimeElapsedColumn(), console=console) as bars:
        tasks: dict[str, TaskID] = {}

        def tell(name: str, progress: Progress) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=progress.days, day="")
            bars.update(tasks[name], completed=progress.done, day=progress.day.isoformat())

        yield tell


class _Lines:
    """One line for each year that is over."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: dict[str, int] = {}

    def tell(self, name: str, progress: Progress) -> None:
        year = progress.done * 12 // 4383  # twelve years have 4383 days
        over = progress.done == progress.days
        if year > self._told.get(name, 0) or over:
            self._told[name] = year
            here = f"{progress.day.isoformat()}  {progress.persons:>7,} people  {progress.held:>8,} values held"
            self._console.print(f"{name:<20} {here}", highlight=False)
