"""A disk that is small, so that it is full soon: for files and for the tables of a server.

Where this process may mount, it is a file system of a few megabytes in memory that is made larger afterwards. Elsewhere
it is the same error at the same place: SQLite is told how many pages there are, the driver raises what a server says.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import postgres
from upheld import system
from upheld.store import postgres as store
from upheld.store import sqlite

ROOM = "64m"


@dataclass(frozen=True)
class Disk:
    """Where a home goes, how the disk becomes full, and how room is made."""

    home: Path
    fill: Callable[[], None]
    make_room: Callable[[], None]


@contextmanager
def small_disk(folder: Path, engine: str) -> Iterator[Disk]:
    """A disk under a home of this engine; for a server one of its own that has its tables there."""
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        if not _mountable(folder):
            yield from _told(stack, folder, engine)
        elif engine == "sqlite":
            yield from _of_files(stack, folder)
        else:
            yield from _of_tables(stack, folder)


def _mountable(folder: Path) -> bool:
    """Whether this process may mount a file system."""
    probe = folder / "probe"
    probe.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None or not _mount(probe, "1m"):
        return False
    subprocess.run(["umount", probe], check=True)
    return True


def _mount(where: Path, size: str, *more: str) -> bool:
    option = ",".join([f"size={size}", *more])
    return subprocess.run(["mount", "-t", "tmpfs", "-o", option, "tmpfs", where], check=False).returncode == 0


@contextmanager
def _mounted(where: Path, size: str) -> Iterator[Callable[[], None]]:
    where.mkdir()
    assert _mount(where, size)

    def larger() -> None:
        subprocess.run(["mount", "-o", f"remount,size={ROOM}", where], check=True)

    try:
        yield larger
    finally:
        subprocess.run(["umount", "-l", where], check=True)


def _ballast(where: Path, left: int) -> None:
    """Fill a file system but for so many bytes."""
    free = shutil.disk_usage(where).free
    (where / "ballast").write_bytes(bytes(max(0, free - left)))


def _of_files(stack: ExitStack, folder: Path) -> Iterator[Disk]:
    larger = stack.enter_context(_mounted(folder / "disk", "8m"))
    yield Disk(folder / "disk" / "home", lambda: _ballast(folder / "disk", 600_000), larger)


def _of_tables(stack: ExitStack, folder: Path) -> Iterator[Disk]:
    server = stack.enter_context(postgres.running())
    where = server.data.parent / "small"
    larger = stack.enter_context(_mounted(where, "40m"))
    tables = where / "tables"
    tables.mkdir()
    if user := postgres.runs_as():
        shutil.chown(tables, user)
    with psycopg.connect(server.address + "postgres", autocommit=True) as connection:
        connection.execute(f"CREATE TABLESPACE small LOCATION '{tables}'".encode())
        connection.execute(b"CREATE DATABASE full_home TABLESPACE small")
    stack.enter_context(postgres.homes_on(server.address))
    databases = dict.fromkeys(("active", "separated", "keys", "ledger"), server.address + "full_home")
    system.init(folder / "home", system.Options(light_hashing=True, look_up={"trial": ["email", "phone"]}), databases)
    yield Disk(folder / "home", lambda: _ballast(where, 300_000), larger)


def _told(stack: ExitStack, folder: Path, engine: str) -> Iterator[Disk]:
    patch = stack.enter_context(pytest.MonkeyPatch.context())

    def fill() -> None:
        if engine == "sqlite":
            plain = sqlite.connect

            def small(path: Path) -> sqlite3.Connection:
                connection = plain(path)
                pages = connection.execute("PRAGMA page_count").fetchone()[0]
                connection.execute(f"PRAGMA max_page_count = {pages + 40}")
                return connection

            patch.setattr(sqlite, "connect", small)
            return
        said = store.PostgresConnection.execute
        room = iter(range(300))

        def full(self: store.PostgresConnection, statement: str, parameters: Any = (), /) -> store.PostgresRows:
            if statement.lstrip().startswith("INSERT") and next(room, None) is None:
                raise self._lost(psycopg.errors.DiskFull("could not extend file: No space left on device"))
            return said(self, statement, parameters)

        patch.setattr(store.PostgresConnection, "execute", full)

    yield Disk(folder / "home", fill, patch.undo)
