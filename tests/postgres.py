"""A PostgreSQL server for the tests: found on the machine, started on a folder of its own, stopped at the end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

_USER = "postgres"


def programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`, newest version first; None where there is no server to start."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda one: float(one.parts[-3]), reverse=True)
    if found:
        return found[0].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _run(*command: str | Path) -> None:
    """Run a program of the server: it refuses to be root, so root lends it another name."""
    user = _USER if os.geteuid() == 0 else None
    subprocess.run([str(one) for one in command], check=True, user=user, stdout=subprocess.DEVNULL, cwd="/")


@contextmanager
def server() -> Iterator[str]:
    """The address of a running server on a socket; needs no network."""
    bin_ = programs()
    assert bin_ is not None, "no PostgreSQL here: apt-get install postgresql"
    folder = Path(tempfile.mkdtemp(prefix="upheld-pg-"))
    folder.chmod(0o755)
    data = folder / "data"
    data.mkdir()
    if os.geteuid() == 0:
        shutil.chown(data, _USER)
        shutil.chown(folder, _USER)
    _run(bin_ / "initdb", "-D", data, "-A", "trust", "-U", _USER, "--no-sync", "-E", "UTF8", "--locale=C")
    options = f"-k {folder} -c listen_addresses='' -c max_connections=200 -c fsync=off"
    _run(bin_ / "pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "data" / "log", "start")
    try:
        yield f"host={folder} user={_USER} dbname="
    finally:
        _run(bin_ / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder)


def made(address: str, name: str) -> dict[str, str]:
    """Addresses of the four places in a fresh database of that name; it goes with the server."""
    with psycopg.connect(address + "postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return dict.fromkeys(("active", "separated", "keys", "ledger"), address + name)


def copied_home(home: Path, to: Path) -> Path:
    """A copy of a home that nobody has open, its databases with it, whatever engine they are on."""
    shutil.copytree(home, to)
    settings = json.loads((to / "home.json").read_text())
    for address in set(settings["databases"].values()):
        parts = dict(part.split("=", 1) for part in address.split())
        name = f"{parts['dbname'][:40]}_{zlib.crc32(str(to).encode()):08x}"
        server_address = address.replace(f"dbname={parts['dbname']}", "dbname=")
        with psycopg.connect(server_address + "postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{parts["dbname"]}"'.encode())
        for place, known in settings["databases"].items():
            if known == address:
                settings["databases"][place] = server_address + name
    (to / "home.json").write_text(json.dumps(settings))
    return to
