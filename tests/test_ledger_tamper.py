"""Any one change to what a reader of the ledger relies on is found, wherever it is made."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.test_ledger_journal import AT, GIVEN, OTHER, READ, VALUE
from tests.test_ledger_sealing import SIGNING, House
from upheld.ledger.checkpoint import verifier_key
from upheld.ledger.entries import entry
from upheld.store.sqlite import export
from upheld.store.verifying import verify_copy

PUBLIC = verifier_key("trial", SIGNING.public_key())
# Not here: MACs (checked when sealed, and with the key), days of counts, notes of the sealer to itself, unused names.
COLUMNS = {
    "batch": ("leaf", "stream", "n", "class", "from_at", "until_at", "header", "body_hash"),
    "body": ("leaf", "body"),
    "tile": ("level", "place", "hashes"),
    "stream": ("id", "name", "n", "hash"),
    "checkpoint": ("size", "note"),
    "name": ("id", "text"),
    "named_in": ("name", "leaf"),
    "entry_index": ("alias", "leaf"),
    "tally": ("policy", "element", "kind", "entries"),
}
PLACES = [(table, column) for table, columns in COLUMNS.items() for column in columns]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of 300 batches, so that its tree has a second level, pruned in part."""
    folder = tmp_path_factory.mktemp("sound")
    house = House(folder)
    for number in range(100):
        house.write(READ, GIVEN, at=AT + number)
        house.write(
            entry("key.destroyed", AT + number, "nexr", OTHER, values=(VALUE,)), at=AT + number, where=house.keys
        )
        if number % 20 == 19:
            house.seal(AT + number)
    house.sealer.prune("nexr", "safeguards.access-records", AT + 9, AT + 100)
    export(house.sealer.connection, folder / "copy.db")
    house.close()
    assert verify_copy(folder / "copy.db", PUBLIC).ok
    return folder / "copy.db"


def _changed(data: object, how: int) -> object:
    match data:
        case int():
            return data + 1 + how % 7
        case str():
            place = how % max(len(data), 1)
            return data[:place] + chr(ord(data[place : place + 1] or "x") ^ 1) + data[place + 1 :]
        case bytes():
            place = how % len(data)
            return data[:place] + bytes([data[place] ^ 1 << how % 8]) + data[place + 1 :]
        case _:
            return "not what was there"


def _tamper(path: Path, table: str, column: str, row: int, how: int, kind: str) -> bool:
    """Changes, removes or repeats a row; False when nothing came of it, because the tables themselves refuse it."""
    connection = sqlite3.connect(path, isolation_level=None)
    names = [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]
    rows = connection.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall()
    old = rows[row % len(rows)]
    new = [_changed(value, how) if name == column else value for name, value in zip(names, old, strict=True)]
    where = " AND ".join(f"{name} IS ?" for name in names)
    try:
        if table == "name" and kind == "insert":
            return False
        if kind == "insert":
            connection.execute(f"INSERT INTO {table} VALUES({', '.join('?' * len(names))})", new)
        elif kind == "delete":
            connection.execute(f"DELETE FROM {table} WHERE {where}", old)
        else:
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (new[names.index(column)], *old))
        return True
    except sqlite3.IntegrityError:
        return False
    finally:
        connection.close()


@pytest.mark.slow
@pytest.mark.clauses("NX17-6.6.b")
@pytest.mark.parametrize("kind", ["change", "delete", "insert"])
@pytest.mark.parametrize(("table", "column"), PLACES)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=st.integers(0, 1000), how=st.integers(0, 1000))
def test_no_change_to_any_column_goes_unseen(
    sound: Path, tmp_path: Path, table: str, column: str, kind: str, row: int, how: int
) -> None:
    """I11: with the password of the database alone."""
    copy = tmp_path / "copy.db"
    shutil.copy(sound, copy)
    if _tamper(copy, table, column, row, how, kind):
        assert verify_copy(copy, PUBLIC).problems, f"{kind} of {table}.{column}, row {row}, {how}"
