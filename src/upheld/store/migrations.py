"""From one version of the tables to the next: numbered statements, plain SQL for both engines, run once by `upgrade`.

A new table needs no statement here: what the schema declares and a place lacks is made. A new column does, with what
it says about rows that were there before. Nothing is ever renamed or taken away.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from upheld.errors import StoreFailed
from upheld.store import schema
from upheld.store.engine import Connection, Engine

STEPS: Final[Mapping[int, Mapping[str, tuple[str, ...]]]] = {
    2: {
        "active": (
            "ALTER TABLE request ADD COLUMN asked_by TEXT NOT NULL DEFAULT 'subject'",
            "ALTER TABLE request ADD COLUMN acting_id TEXT",
            "ALTER TABLE request ADD COLUMN postponed_until INTEGER",
            "ALTER TABLE request ADD COLUMN extended INTEGER NOT NULL DEFAULT 0",
            "ALTER TABLE request ADD COLUMN answered_by TEXT",
            "ALTER TABLE request ADD COLUMN reason TEXT",
            "ALTER TABLE request ADD COLUMN passed_to TEXT",
            "ALTER TABLE request ADD COLUMN objects_to TEXT",
            "ALTER TABLE request ADD COLUMN for_child INTEGER NOT NULL DEFAULT 0",
        ),
    },
    3: {},
}
"""Version reached → place → statements."""
_MADE: Final = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)")
_INDEXED: Final = re.compile(r"CREATE (UNIQUE )?INDEX (?!IF NOT EXISTS)")
_SELECT_VERSION: Final = "SELECT value FROM meta WHERE key = 'schema'"
_KEEP_VERSION: Final = "UPDATE meta SET value = ? WHERE key = 'schema'"


def upgrade(engine: Engine, connection: Connection, place: str) -> int:
    """Bring one place to the present version, in one transaction. Returns the version that it had.

    Raises:
        StoreFailed: the place is of a newer version than this program.
    """
    engine.begin(connection)
    try:
        version = int(connection.execute(_SELECT_VERSION).fetchone()[0])
        if version > schema.VERSION:
            raise StoreFailed(f"{place} has schema {version}, this program {schema.VERSION}; use a newer program")
        for reached in range(version + 1, schema.VERSION + 1):
            for statement in STEPS[reached].get(place, ()):
                connection.execute(statement)
        _make_what_is_missing(engine, connection, place)
        connection.execute(_KEEP_VERSION, (str(schema.VERSION),))
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return version


def _make_what_is_missing(engine: Engine, connection: Connection, place: str) -> None:
    there = {column.partition(".")[0] for column in engine.columns(connection)}
    for statement in schema.PLACES[place]:
        if table := _MADE.match(statement):
            if table[1] not in there:
                connection.execute(statement)
        elif _INDEXED.match(statement):
            connection.execute(_INDEXED.sub(lambda one: f"CREATE {one[1] or ''}INDEX IF NOT EXISTS ", statement))
