"""Where the homes of tests lie: in files beside each other, or in databases of a server. A test need not know.

A place of a home is named as its file would be, `home / "active.db"`, whether or not such a file is there.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any

from tests import postgres
from upheld.store.engine import Connection, Engine
from upheld.store.postgres import PostgresConnection, PostgresPlace
from upheld.store.sqlite import SqliteFile


def databases(home: Path) -> dict[str, str]:
    """The addresses of a home's databases by place; empty for files."""
    known: dict[str, str] = json.loads((home / "home.json").read_text()).get("databases", {})
    return known


def connection_to(place: Path) -> Connection:
    """The database of one place, `home / "active.db"`."""
    found = databases(place.parent)
    if not found:
        return sqlite3.connect(place)
    return PostgresConnection(found[place.stem], place.stem)


def engine_of(place: Path) -> Engine:
    """What a `Place` is made of."""
    found = databases(place.parent)
    return PostgresPlace(found[place.stem], place.stem) if found else SqliteFile(place)


def column(place: Path, statement: str) -> list[Any]:
    """The rows of a statement; of a single column its values."""
    with closing(connection_to(place)) as connection:
        return [row if len(row) > 1 else row[0] for row in connection.execute(statement)]


def changed(place: Path, statement: str, *parameters: Any) -> None:
    """Somebody changes rows past the keeper."""
    with closing(connection_to(place)) as connection:
        connection.execute("BEGIN")
        connection.execute(statement, parameters)
        connection.execute("COMMIT")


def copied(home: Path, to: Path) -> Path:
    """A copy of a home and its databases, in the place of whatever stood there."""
    if to.exists():
        forgotten(to)
    shutil.copytree(home, to)
    if databases(home):
        postgres.copy_databases(to)
    return to


def forgotten(home: Path) -> None:
    """A home is not needed any more."""
    if (home / "home.json").exists():
        postgres.drop_databases(set(databases(home).values()))
    shutil.rmtree(home)


def put_back(home: Path, copy: Path, *places: str) -> None:
    """These places as they were in the copy, as if restored from it: nobody has the home open."""
    for place in places:
        if databases(home):
            postgres.restore(databases(copy)[place], databases(home)[place], place)
            continue
        for path in home.glob(f"{place}.db*"):
            path.unlink()
        for path in copy.glob(f"{place}.db*"):
            shutil.copy2(path, home / path.name)


def kept_bytes(home: Path, *places: str) -> bytes:
    """All bytes of these places' files and logs, of every place without a name. Of a server, all that its tables say:
    what lies in its files is looked for by `tests/test_beyond_recovery.py`.
    """
    if not databases(home):
        wanted = [f"{place}.db*" for place in places] or ["*.db*"]
        return b"".join(path.read_bytes() for path in sorted(chain.from_iterable(map(home.glob, wanted))))
    found = bytearray()
    for place in places or databases(home):
        with closing(connection_to(home / f"{place}.db")) as connection:
            for table in postgres.tables(connection):
                for row in connection.execute(f"SELECT * FROM {table}"):
                    found += b"\0".join(map(_as_bytes, row))
    return bytes(found)


def stride(home: Path, on_a_server: int) -> int:
    """At every how many statements a test kills: at each where a copy of a home costs nothing."""
    return on_a_server if databases(home) else 1


def _as_bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
