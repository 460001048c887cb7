"""Another library in a process of its own, asked line by line: what to do and how often; it answers with a number."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Ask = Callable[[str, int], float]


@contextmanager
def child(name: str, command: list[str], folder: Path) -> Iterator[Ask]:
    """Started and ready inside the block, its own files in `folder`. Ends when its input does."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        env={**os.environ, "TMPDIR": str(folder)},
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    into, out = process.stdin, process.stdout

    def ask(operation: str, times: int) -> float:
        into.write(f"{operation} {times}\n")
        return float(out.readline())

    try:
        assert out.readline() == "ready\n", name
        yield ask
    finally:
        into.close()
        process.wait()
        out.close()
