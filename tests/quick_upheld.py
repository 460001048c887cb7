"""`upheld` for guides that call it fifty times: one process has it loaded and forks for each call.

What is run is the program's own `main`, with the caller's words, folder, environment and open files; only the second in
which Python loads it is spared. `upheld serve` and `upheld work` are started as they are, to get signals.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CALLER = """#!{python} -SE
import json, os, socket, sys
if sys.argv[1:2] in (["serve"], ["work"]):
    os.execv({python!r}, [{python!r}, "-m", "upheld.cli", *sys.argv[1:]])
ear = socket.socket(socket.AF_UNIX)
ear.connect({address!r})
said = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(ear, [len(said).to_bytes(4, "big")], [0, 1, 2])
ear.sendall(said)
sys.exit(ear.recv(1)[0])
"""


@contextmanager
def loaded(folder: Path) -> Iterator[Path]:
    """A folder with a program `upheld`, for the block."""
    address = str(folder / "upheld.socket")
    program = folder / "upheld"
    program.write_text(CALLER.format(python=sys.executable, address=address))
    program.chmod(0o755)
    command = [sys.executable, "-m", "tests.quick_upheld", address]
    home = Path(__file__).parent.parent
    path = {**os.environ, "PYTHONPATH": str(home / "src")}
    with subprocess.Popen(command, cwd=home, env=path, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        try:
            yield folder
        finally:
            server.terminate()


def answer(call: socket.socket) -> None:
    """In a process of its own: run one call, say how it ended."""
    from upheld import cli

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)

    head, files, _, _ = socket.recv_fds(call, 4, 3)
    rest = b""
    while len(rest) < int.from_bytes(head, "big"):
        rest += call.recv(65_536)
    words, folder, environment = json.loads(rest)
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["upheld", *words]
    status = 0
    try:
        cli.main()
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:  # noqa: BLE001 - as Python ends a program: the trace, then 1
        sys.excepthook(*sys.exc_info())
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    call.sendall(bytes([status]))
    os._exit(0)


def main(address: str) -> None:
    """Answer calls until ended."""
    import upheld.cli
    import upheld.web.app  # noqa: F401 - and what commands load late

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them

    with socket.socket(socket.AF_UNIX) as ear:
        ear.bind(address)
        ear.listen()
        print("ready", flush=True)
        while True:
            call, _ = ear.accept()
            if os.fork() == 0:
                answer(call)
            call.close()


if __name__ == "__main__":
    main(sys.argv[1])
