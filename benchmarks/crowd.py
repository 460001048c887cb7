"""Several processes at once: all are ready before any begins; what each answers comes back."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from typing import Any

PATIENCE = 600.0


def crowd(processes: int, work: Callable[..., Any], arguments: tuple[Any, ...]) -> list[Any]:
    """`work(*arguments, ready)` in so many processes; it waits for `ready` when it is warm. Fails when one fails."""
    context = get_context("spawn")
    ready, answers = context.Barrier(processes), context.Queue()
    started = [context.Process(target=_one, args=(work, arguments, ready, answers)) for _ in range(processes)]
    for process in started:
        process.start()
    found = [answers.get(timeout=PATIENCE) for _ in started]
    for process in started:
        process.join()
    failed = [one for one in found if isinstance(one, Exception)]
    if failed:
        raise failed[0]
    return found


def _one(work: Callable[..., Any], arguments: tuple[Any, ...], ready: Barrier, answers: Any) -> None:
    try:
        answers.put(work(*arguments, ready))
    except Exception as failure:  # noqa: BLE001 - handed to the process that waits for the answer
        ready.abort()
        answers.put(RuntimeError(repr(failure)))
