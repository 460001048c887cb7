"""`ethyca-fides` with what it needs: a Python that has it, a Redis for the time of the run, two databases of ours."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from benchmarks.child import Ask, child
from benchmarks.ground import Ground

PYTHON = "UPHELD_FIDES"
"""The variable that names a Python with `benchmarks/peers_fides.txt` installed."""
CHILD = Path(__file__).with_name("peers_fides_child.py")
STARTED_WITHIN = 10.0
"""Seconds that a Redis may take to listen."""


def lacking() -> str:
    """What is missing for it and how to get it, in one line; empty if nothing is."""
    if not os.environ.get(PYTHON):
        made = "python -m venv run/fides && run/fides/bin/pip install -r benchmarks/peers_fides.txt"
        return f"ethyca-fides is left out: {made}, then {PYTHON}=run/fides/bin/python"
    if shutil.which("redis-server") is None:
        return "ethyca-fides is left out, it keeps its requests in Redis: apt-get install redis-server"
    return ""


@contextmanager
def fides(ground: Ground) -> Iterator[Ask]:
    """Set up and ready inside the block; its databases lie on the server that ours lie on."""
    own, persons = ground.database("fides"), ground.database("persons")
    with redis(ground.folder) as port:
        command = [os.environ[PYTHON], "-I", "-W", "ignore", str(CHILD), own, persons, str(port)]
        with child("ethyca-fides", command, ground.folder) as ask:
            yield ask


@contextmanager
def redis(folder: Path) -> Iterator[int]:
    """The port of a Redis that keeps nothing on the disk: no slower than one that does."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    settings = {"bind": "127.0.0.1", "port": port, "requirepass": "madeup", "save": "", "dir": folder}
    words = [str(word) for name, value in settings.items() for word in (f"--{name}", value)]
    with subprocess.Popen(["redis-server", *words], stdout=subprocess.DEVNULL) as process:
        try:
            _listens(port)
            yield port
        finally:
            process.terminate()


def _listens(port: int) -> None:
    over = monotonic() + STARTED_WITHIN
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if monotonic() > over:
                raise
            sleep(0.05)
        else:
            return
