"""What is said once for many rows does the same as said for each, on both engines; the rest is done one by one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests import postgres
from upheld.dates import Instant
from upheld.errors import StoreFailed
from upheld.store.arrays import answers_of_each, change_each
from upheld.store.engine import Connection
from upheld.store.place import Transaction
from upheld.store.postgres import PostgresConnection
from upheld.store.spelling import FEW_KEYS, together

MADE = "CREATE TABLE thing(bucket INTEGER, name TEXT, content BLOB, number INTEGER, PRIMARY KEY(bucket, name))"
INSERT = "INSERT INTO thing(bucket, name, content, number) VALUES(?, ?, ?, ?)"
ROWS: tuple[tuple[Any, ...], ...] = (
    (1, "one", b"\x00\xff", 7), (1, "two, \"quoted\" {}", None, None), (2, "셋", b"", -5), (2, "", b"x" * 300, 2**62),
)  # fmt: skip
OF_ONE = "SELECT content, number FROM thing WHERE bucket = ? AND name = ? ORDER BY number"
SET = "UPDATE thing SET number = ? WHERE bucket = ? AND name = ? AND number = ?"


@pytest.fixture(params=["sqlite", "postgresql"])
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    if request.param == "sqlite":
        made: Any = sqlite3.connect(tmp_path / "things.db", isolation_level=None)
    else:
        address = postgres.made(request.getfixturevalue("address"), postgres.fresh_name())["active"]
        made = PostgresConnection(address, "public")
    with closing(made):
        made.execute(MADE)
        made.execute("BEGIN")
        yield made


def kept(line: Connection) -> list[Any]:
    return sorted(
        map(tuple, line.execute("SELECT bucket, name, content, number FROM thing").fetchall()), key=lambda row: row[:2]
    )


def test_rows_inserted_together_are_the_rows_that_were_given(line: Connection) -> None:
    line.executemany(INSERT, ROWS)
    assert kept(line) == sorted(ROWS, key=lambda row: row[:2])


def test_columns_of_which_no_row_has_anything_stay_empty(line: Connection) -> None:
    rows = [(1, "one", None, None), (1, "two", None, None)]
    line.executemany(INSERT, rows)
    assert kept(line) == rows


@pytest.mark.parametrize("given", [[("a", 1), ("b", 2)], [("a", 1), ("a", 2)]])
def test_of_rows_that_are_there_already_the_last_counts(line: Connection, given: Sequence[tuple[str, int]]) -> None:
    """One statement can't change a row twice: what names a row twice is done one by one."""
    line.execute(INSERT, (1, "a", None, 0))
    already = f"{INSERT} ON CONFLICT(bucket, name) DO UPDATE SET number = excluded.number"
    line.executemany(already, [(1, name, None, number) for name, number in given])
    assert {name: number for _, name, _, number in kept(line)} == dict(given)


def test_what_is_there_already_may_be_left_as_it_is(line: Connection) -> None:
    line.execute(INSERT, (1, "a", None, 0))
    line.executemany(f"{INSERT} ON CONFLICT DO NOTHING", [(1, "a", None, 1), (1, "b", None, 2), (1, "b", None, 3)])
    assert [(name, number) for _, name, _, number in kept(line)] == [("a", 0), ("b", 2)]


def test_what_is_asked_of_each_comes_by_each(line: Connection) -> None:
    line.executemany(INSERT, ROWS)
    keys = [row[:2] for row in ROWS] + [(9, "nobody"), ROWS[0][:2]]
    alone = "SELECT name FROM thing WHERE bucket = ? AND name = ?"
    each, none, one = answers_of_each(line, [(OF_ONE, keys), (OF_ONE, []), (alone, keys[:1])])
    assert [list(map(tuple, rows)) for rows in each] == [[row[2:]] for row in ROWS] + [[], [ROWS[0][2:]]]
    assert none == []
    assert [list(map(tuple, rows)) for rows in one] == [[("one",)]]


def changed(line: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Whether all of them were as they were said to be shows here, or where it is sent."""
    change_each(Transaction(line, lambda: Instant(0)), SET, rows)
    line.execute("COMMIT")


def test_each_that_is_changed_must_be_there(line: Connection) -> None:
    line.executemany(INSERT, [(1, name, None, 0) for name in "abc"])
    changed(line, [(1, 1, "a", 0), (1, 1, "b", 0), (2, 1, "c", 0)])
    assert [number for *_, number in kept(line)] == [1, 1, 2]
    for rows in ([(5, 1, "a", 1), (5, 1, "b", 0)], [(5, 1, "a", 1), (6, 1, "b", 0)]):
        line.execute("BEGIN")
        with pytest.raises(StoreFailed):
            changed(line, rows)
        if line.in_transaction:
            line.execute("ROLLBACK")
        assert [number for *_, number in kept(line)] == [1, 1, 2], "nothing of it has happened"


def test_what_no_array_holds_is_said_for_each() -> None:
    assert together(INSERT, [(1, "a", None, 1.5), (1, "b", None, 2.5)]) is None
    assert together(INSERT, [(1, "a", None, 1), (1, "b", None, "two")]) is None
    assert together("INSERT INTO name(text) VALUES(?)", [("a",), ("b",)]) is None, "the table numbers these"


def test_a_few_keys_that_differ_in_one_column_are_named_and_more_travel_as_an_array() -> None:
    """A server plans for an array of any length anew each time; of a list it knows how many there are."""
    rows = [(7, 1, name, 3) for name in "abc"]
    assert together(SET, rows) == (
        "UPDATE thing SET number = ? WHERE bucket = ? AND name IN (?, ?, ?) AND number = ?", (7, 1, "a", "b", "c", 3)
    )  # fmt: skip
    several = together(SET, [(7, number, "a", number) for number in range(3)])
    assert several is not None
    assert "unnest" in several[0]
    many = together(SET, [(7, 1, str(number), 3) for number in range(FEW_KEYS + 1)])
    assert many is not None
    assert "unnest" in many[0]


def test_a_change_of_some_of_one_bucket_changes_these_and_no_others(line: Connection) -> None:
    line.executemany(INSERT, [(bucket, name, None, 0) for bucket in (1, 2) for name in "abcd"])
    line.executemany("UPDATE thing SET number = ? WHERE bucket = ? AND name = ?", [(5, 1, "a"), (5, 1, "c")])
    line.executemany("DELETE FROM thing WHERE bucket = ? AND name = ?", [(2, "b"), (2, "d"), (2, "x")])
    assert [(bucket, name, number) for bucket, name, _, number in kept(line)] == [
        (1, "a", 5), (1, "b", 0), (1, "c", 5), (1, "d", 0), (2, "a", 0), (2, "c", 0),
    ]  # fmt: skip
