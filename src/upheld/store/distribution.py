"""How the rows of a home lie on several machines, by the Citus extension of PostgreSQL: the statements, what stands in
their way, and carrying them out.

What grows is spread by the bucket of its subject, and all that one person has lies together. What is small and the
same for everybody is on every machine. Sign-ins and what else concerns no person's values stay with the coordinator,
and so does the ledger: it is one chain with one writer.

INVARIANT: every statement that a customer waits for names a bucket (`tests/test_buckets.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from enum import StrEnum
from typing import Final

from upheld.errors import StoreFailed
from upheld.store import schema
from upheld.store.engine import Connection
from upheld.store.postgres import PostgresConnection
from upheld.store.scrubbing import UNSAMPLED

BUCKET: Final = "bucket"
FIRST: Final[Mapping[str, str]] = {"active": "subject", "separated": "value", "keys": "alias"}
"""Place → the table with which all others of the place lie together."""


class Laid(StrEnum):
    """Where the rows of a table lie."""

    SPREAD = "spread"
    EVERYWHERE = "everywhere"
    COORDINATOR = "coordinator"


_MADE: Final = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)\s*\((.*)\)", re.DOTALL)


def laid(place: str) -> dict[str, Laid]:
    """Where each table of a place lies, in the order in which they are distributed."""
    found: dict[str, Laid] = {}
    for statement in schema.PLACES[place]:
        made = _MADE.match(statement)
        if made is not None:
            spread = re.search(r"\bbucket INTEGER\b", made[2]) is not None
            found[made[1]] = Laid.SPREAD if spread else Laid.EVERYWHERE
        if made is not None and statement in schema.DESK:
            found[made[1]] = Laid.COORDINATOR
    return dict(sorted(found.items(), key=lambda one: (list(Laid).index(one[1]), one[0] != FIRST[place], one[0])))


def statements(place: str) -> Iterator[str]:
    """The SQL for the database of one place, to be run on the coordinator."""
    yield _EXTENSION
    for table, where in laid(place).items():
        if where is not Laid.COORDINATOR:
            yield _statement(place, table, where)
            yield _only_there(place, table)


def _statement(place: str, table: str, where: Laid) -> str:
    if where is Laid.EVERYWHERE:
        return f"SELECT create_reference_table('{place}.{table}')"
    beside = "none" if table == FIRST[place] else f"{place}.{FIRST[place]}"
    return f"SELECT create_distributed_table('{place}.{table}', '{BUCKET}', colocate_with => '{beside}')"


def _only_there(place: str, table: str) -> str:
    """The rows have been copied to where they lie now; what no query sees any more lies on with the coordinator."""
    return f"SELECT truncate_local_data_after_distributing_table('{place}.{table}')"


def obstacles(connection: Connection, place: str) -> list[str]:
    """Why the tables of a place can't be distributed, in words, each with what to do. Empty where they can."""
    spread = [table for table, where in laid(place).items() if where is Laid.SPREAD]
    found = [*_of_the_server(connection)]
    there = {table for (table,) in connection.execute(_WITH_BUCKET, (place,)).fetchall()}
    found += [f"{place}.{one} has no bucket: run `upheld upgrade` first" for one in spread if one not in there]
    for table, index in connection.execute(_UNIQUE, (place,)).fetchall():
        if table in spread:
            found.append(
                f"{index} on {place}.{table} is unique without the bucket: rows on two machines can't be compared; "
                "drop it, or let it begin with the bucket"
            )
    for name, table, other in connection.execute(_FOREIGN, (place,)).fetchall():
        if table in spread or other in spread:
            found.append(f"{name} ties {place}.{table} to {place}.{other} across buckets: drop it")
    for table, column in connection.execute(_NUMBERED, (place,)).fetchall():
        if table in spread:
            found.append(f"{place}.{table}.{column} is numbered by a sequence: run `upheld upgrade` first")
    return found


def _of_the_server(connection: Connection) -> Iterator[str]:
    if _has_citus(connection):
        if not on_coordinator(connection):
            yield "this address is that of a worker: give the coordinator's in `databases` of home.json"
        elif not _machines(connection):
            yield (
                "no machine is known that takes rows: in this database on the coordinator run "
                "`SELECT citus_set_coordinator_host('its host')`, and for each worker "
                "`SELECT citus_add_node('its host', 5432)`"
            )
        return
    if connection.execute(_AVAILABLE).fetchone() is None:
        version = connection.execute("SHOW server_version").fetchone()[0].split(".")[0].split(" ")[0]
        yield (
            f"Citus is not installed on this server: install it for PostgreSQL {version} on the coordinator and every "
            "worker, set `shared_preload_libraries = 'citus'` in postgresql.conf, restart them, and run this again"
        )
    elif "citus" not in connection.execute("SHOW shared_preload_libraries").fetchone()[0]:
        yield "Citus is installed but not loaded: set `shared_preload_libraries = 'citus'` in postgresql.conf, restart"


def _machines(connection: Connection) -> int:
    return int(connection.execute(_MACHINES).fetchone()[0])


def _has_citus(connection: Connection) -> bool:
    return connection.execute(_FUNCTION).fetchone() is not None


def on_coordinator(connection: Connection) -> bool:
    """Whether this is the one server that all processes have to go by: its locks are what keeps writers apart."""
    if connection.execute(_HAS_NODES).fetchone()[0] is None:
        return True
    return bool(connection.execute(_NODE).fetchone()[0] == 0)


def left(connection: Connection, place: str) -> list[str]:
    """The tables of a place that are to be distributed and are not."""
    done: set[str] = set()
    if connection.execute(_HAS_TABLES).fetchone()[0] is not None:
        done = {table for (table,) in connection.execute(_DISTRIBUTED, (place,)).fetchall()}
    return [table for table, where in laid(place).items() if where is not Laid.COORDINATOR and table not in done]


def distribute(address: str, place: str) -> list[str]:
    """Distribute the tables of a place that are not yet; returns the statements that did. What the coordinator still
    holds of rows that lie elsewhere goes, of tables distributed before too: keys there would outlive their values.

    Each is durable by itself: cut short, it is run again. Raises StoreFailed with what stands in the way.
    """
    with closing(PostgresConnection(address, place)) as connection:
        ran = []
        if not _has_citus(connection) and not obstacles(connection, place):
            connection.execute(_EXTENSION)
            ran.append(_EXTENSION)
        if found := obstacles(connection, place):
            raise StoreFailed("\n".join(found))
        where = laid(place)
        for table in left(connection, place):
            if place == "keys" and table in UNSAMPLED:
                connection.execute(UNSAMPLED[table])  # before: of a distributed table it can't be said any more
            ran.append(_statement(place, table, where[table]))
            connection.execute(ran[-1])
        for table, lies in where.items():
            if lies is not Laid.COORDINATOR:
                connection.execute(_only_there(place, table))
    return ran


_EXTENSION: Final = "CREATE EXTENSION IF NOT EXISTS citus"
_FUNCTION: Final = "SELECT 1 FROM pg_proc WHERE proname = 'create_distributed_table' LIMIT 1"
_AVAILABLE: Final = "SELECT 1 FROM pg_available_extensions WHERE name = 'citus'"
_MACHINES: Final = "SELECT count(*) FROM pg_dist_node WHERE isactive AND shouldhaveshards"
_HAS_NODES: Final = "SELECT to_regclass('pg_dist_local_group')"
_NODE: Final = "SELECT groupid FROM pg_dist_local_group"
_HAS_TABLES: Final = "SELECT to_regclass('pg_dist_partition')"
_DISTRIBUTED: Final = (
    "SELECT c.relname FROM pg_dist_partition p JOIN pg_class c ON c.oid = p.logicalrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ?"
)
_OF_PLACE: Final = "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ?"
_WITH_BUCKET: Final = (
    f"SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid {_OF_PLACE} "  # noqa: S608 - words of ours
    "AND a.attname = 'bucket' AND c.relkind IN ('r', 'p')"
)
_UNIQUE: Final = (
    f"SELECT c.relname, o.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "  # noqa: S608 - as above
    f"JOIN pg_class o ON o.oid = i.indexrelid {_OF_PLACE} AND i.indisunique AND NOT EXISTS ("
    "SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'bucket' AND a.attnum = ANY(i.indkey))"
)
_FOREIGN: Final = (
    f"SELECT k.conname, c.relname, o.relname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid "  # noqa: S608 - as above
    f"JOIN pg_class o ON o.oid = k.confrelid {_OF_PLACE} AND k.contype = 'f' AND NOT EXISTS ("
    "SELECT 1 FROM pg_attribute a JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attname = 'bucket' "
    "WHERE a.attrelid = k.conrelid AND a.attname = 'bucket' "
    "AND array_position(k.conkey, a.attnum) = array_position(k.confkey, b.attnum))"
)
_NUMBERED: Final = (
    f"SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "  # noqa: S608 - as above
    f"LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum {_OF_PLACE} AND c.relkind = 'r' "
    "AND (a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%')"
)
