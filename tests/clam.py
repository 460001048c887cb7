"""A ClamAV daemon for the tests, with a signature of its own: no database is fetched."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The harmless text by which scanners are tried, in two pieces so that this file is none."""
PATIENCE = 30.0


def clamd() -> str:
    """The program; without it the test is left out with the line that says how to get it."""
    found = shutil.which("clamd", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if found is None:
        pytest.skip("no ClamAV daemon here: apt-get install --no-install-recommends clamav-daemon")
    return found


@contextmanager
def scanning() -> Iterator[Path]:
    """The socket of a daemon that knows one signature."""
    program = clamd()
    with TemporaryDirectory(prefix="upheld-clam-") as made:
        folder = Path(made)
        (folder / "signatures").mkdir()
        (folder / "signatures" / "own.ndb").write_text(f"Upheld.Eicar.Test:0:*:{EICAR.hex()}\n")
        told = {
            "LocalSocket": folder / "clamd.sock", "DatabaseDirectory": folder / "signatures", "Foreground": "yes",
            "LogFile": folder / "clamd.log", "StreamMaxLength": "10M",
        }  # fmt: skip
        (folder / "clamd.conf").write_text("".join(f"{name} {said}\n" for name, said in told.items()))
        command = [program, "--config-file", str(folder / "clamd.conf")]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as daemon:
            try:
                _await(folder / "clamd.sock", folder / "clamd.log", daemon)
                yield folder / "clamd.sock"
            finally:
                daemon.terminate()


def _await(path: Path, log: Path, daemon: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and daemon.poll() is None:
        if path.exists():
            return
        time.sleep(0.05)
    raise AssertionError(f"the daemon did not come up: {log.read_text() if log.exists() else daemon.poll()}")
