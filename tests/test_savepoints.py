"""Savepoints that lie one inside the other mean on PostgreSQL, where they are sent late, what they mean in a file."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests import postgres
from upheld.store.engine import Connection
from upheld.store.postgres_connection import PostgresConnection

TABLE = "CREATE TABLE word(word INTEGER NOT NULL PRIMARY KEY)"
SELECT = "SELECT word FROM word ORDER BY word"


@pytest.fixture(scope="module")
def connection() -> Iterator[PostgresConnection]:
    with postgres.server() as server:
        address = postgres.made(server, "savepoints")["active"]
        with closing(PostgresConnection(address, "public")) as made:
            made.execute(TABLE)
            yield made


def steps_of(chance: random.Random) -> list[str]:
    """Changes, looks and savepoints, one inside the other, some undone."""
    steps: list[str] = []
    depth = 0
    for _ in range(30):
        step = chance.choice(("change", "change", "change", "look", "save", "keep", "undo"))
        if (step == "save" and depth == 3) or (step in ("keep", "undo") and depth == 0):
            continue
        depth += {"save": 1, "keep": -1, "undo": -1}.get(step, 0)
        steps.append(step)
    return steps + ["keep"] * depth


def done(connection: Connection, steps: list[str]) -> list[list[int]]:
    """What each look saw, and what is there in the end."""
    connection.execute("DELETE FROM word")
    connection.execute("BEGIN")
    seen: list[list[int]] = []
    for number, step in enumerate(steps):
        match step:
            case "change":
                connection.execute("INSERT INTO word(word) VALUES(?)", (number,))
            case "look":
                seen.append([row[0] for row in connection.execute(SELECT).fetchall()])
            case "save":
                connection.execute("SAVEPOINT one")
            case "keep":
                connection.execute("RELEASE one")
            case _:
                connection.execute("ROLLBACK TO one")
                connection.execute("RELEASE one")
    connection.execute("COMMIT")
    return [*seen, [row[0] for row in connection.execute(SELECT).fetchall()]]


@pytest.mark.parametrize("seed", range(60))
def test_what_is_undone_is_gone_and_nothing_else(connection: PostgresConnection, seed: int) -> None:
    steps = steps_of(random.Random(seed))
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as file:
        file.execute(TABLE)
        assert done(connection, steps) == done(file, steps)
