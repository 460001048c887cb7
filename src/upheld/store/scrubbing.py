"""What becomes of the rows that were deleted from tables of a PostgreSQL server, keys above all.

A small table of keys is written anew by whoever scrubs. A larger one costs what it holds, so it is written anew once in
a while for all that was destroyed in it: until then dead rows have left its pages, and a row of `meta` remembers since
when. That row is there before anything is certified, and goes only after the table was written anew.

| step | a crash after it leaves |
|---|---|
| w1 it is remembered that the table has dead keys | a table that is written anew for nothing |
| w2 `VACUUM`: dead rows leave its pages | what w1 says; steps that wait to be certified |
| w3 certified, with the day by which w4 will have been | as it should be |
| w4 nobody can see the dead rows; written anew | it is written anew once more |
| w5 forgotten again | nothing |

One process at a time has the right to any of this (`leases.SCRUB`). INVARIANT: I4.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic, sleep
from typing import Final, NamedTuple

from upheld.dates import Instant
from upheld.errors import StoreFailed
from upheld.store.engine import Connection, ConnectionLost
from upheld.store.postgres_connection import PostgresConnection

KEY_TABLES: Final = frozenset({"active_key", "separated_key", "paper_key", "token", "alias"})
"""Tables of which no byte may stay behind: keys, tokens, and who is who in the ledger."""
ERASED: Final = {
    "active": frozenset({"value", "paper"}),
    "separated": frozenset({"value"}),
    "keys": KEY_TABLES,
}
"""Tables from which contents, keys and tokens are destroyed."""
SMALL: Final = 1 << 20
"""Bytes up to which a table of keys is written anew by every scrubbing: ten thousand keys, about ten milliseconds."""
MET_AGAIN: Final = 64
"""From so many pages on of which a row has gone, and one in a hundred of the table, its indexes are cleared with it."""
PATIENCE: Final = 5.0
"""Seconds that scrubbing waits for transactions that can still see what was deleted."""
_EMPTY_INDEX: Final = 8_192
"""Bytes of an index that has held nothing since it was made anew."""
_A_NUMBER: Final = re.compile(r"\d+")
_SAMPLED: Final = {
    "active_key": ("wrapped", "BYTEA"),
    "separated_key": ("wrapped", "BYTEA"),
    "paper_key": ("wrapped", "BYTEA"),
    "token": ("token", "BYTEA"),
    "alias": ("alias", "TEXT"),
}
"""What a server would take samples of for its planner, and keep when the rows are gone: `pg_stats` shows them."""
UNSAMPLED: Final = {
    table: f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0, ALTER COLUMN {column} TYPE {kind}"
    for table, (column, kind) in _SAMPLED.items()
}
"""Of each table of keys, what keeps the server from taking samples; naming the type, which stays, drops what it has."""
_TO_UNSAMPLE: Final = (
    "SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = current_schema() AND c.relkind = 'r' AND c.relname IN (SELECT value FROM json_each(?)) "
    "AND coalesce(a.attstattarget, -1) <> 0 AND a.attname IN ('wrapped', 'token', 'alias')"
)
_TO_SCRUB: Final = (
    "SELECT c.relname, pg_has_role(c.relowner, 'USAGE'), pg_relation_size(c.oid), "
    "coalesce((SELECT max(pg_relation_size(i.indexrelid)) FROM pg_index i WHERE i.indrelid = c.oid), 0), "
    "c.relpages, c.relpages - c.relallvisible "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = current_schema() AND c.relkind = 'r' AND c.relname IN (SELECT value FROM json_each(?))"
)
"""Of tables: whether they are ours, their bytes, those of their largest index; how many pages they had when they were
cleared last, and in how many of those something was left.
"""
_LIMIT_WAITING: Final = "SELECT set_config('lock_timeout', '5s', false)"
_MARK: Final = "dead keys in "
_MARKS: Final = f"SELECT key, value FROM meta WHERE key LIKE '{_MARK}%'"  # noqa: S608 - words of ours
_REMEMBER: Final = "INSERT INTO meta(key, value) VALUES(?, ?) ON CONFLICT(key) DO NOTHING"
_FORGET: Final = "DELETE FROM meta WHERE key = ? AND value = ?"


class NotScrubbed(StoreFailed):
    """No reader is in the way: as things are here, it can't be done."""


@dataclass(frozen=True)
class Rewriting:
    """When tables of keys are written anew."""

    within: timedelta = timedelta()
    """The longest that a large one may keep the bytes of a destroyed key; zero: it is written anew at once too."""
    small: int = SMALL
    """Bytes up to which a table is written anew by every scrubbing."""
    spread: bool = False
    """Rows lie on other machines: how large a table is can't be seen from here."""
    patience: float = PATIENCE
    """Seconds that transactions are waited for that can still see what was deleted."""

    def due_at(self, since: Instant) -> Instant:
        """From when on a table is written anew that has had dead keys since then: a little before half of the time is
        over. A sweep once a day meets it soon enough where two days are given, and another has time if that one fails.
        """
        return Instant(since + _micros(self.within * 23 / 48))

    def over_at(self, since: Instant) -> Instant:
        """By when it must have been."""
        return Instant(since + _micros(self.within))

    def is_due(self, since: Instant, at: Instant) -> bool:
        """Also where it was noted by a clock that is ahead of ours."""
        return not since <= at < self.due_at(since)


class _Table(NamedTuple):
    """A table as the server has it."""

    name: str
    ours: bool
    size: int
    largest_index: int
    pages: int
    unclear: int

    @property
    def met_again(self) -> bool:
        """Whether too many of its pages are looked at by every clearing of it."""
        return self.unclear > max(MET_AGAIN, self.pages // 100)

    @property
    def empty(self) -> bool:
        return not self.size and self.largest_index <= _EMPTY_INDEX


def scrub(
    connection: PostgresConnection, place: str, tables: Collection[str] | None, rewriting: Rewriting, at: Instant | None
) -> bool:
    """Dead rows leave their pages; small tables of keys are written anew, large ones are remembered to be. Without an
    instant all of them are written anew at once. False: a reader is in.

    Raises StoreFailed where this user may not: the server would only warn.
    """
    wanted = sorted(ERASED[place] if tables is None else ERASED[place].intersection(tables))

    def cleared() -> bool:
        found, marks, sampled = _looked(connection, place, wanted)
        for table in () if rewriting.spread else sampled:
            connection.execute(UNSAMPLED[table])
        clean = [_cleared(connection, found[one], marks.get(one), rewriting, at) for one in wanted]
        return all(clean)

    return _waiting_little(connection, cleared)


def write_anew(
    connection: PostgresConnection, place: str, tables: Collection[str], rewriting: Rewriting
) -> dict[str, Instant]:
    """w4, w5 of tables that are remembered. Gives those that still have dead keys, and since when: a reader is in."""

    left: dict[str, Instant] = {}

    def cleared() -> bool:
        found, marks, _ = _looked(connection, place, sorted(tables))
        for name, since in marks.items():
            if name in found and not _written_anew(connection, found[name], since, rewriting):
                left[name] = since
        return not left

    if not _waiting_little(connection, cleared) and not left:
        left.update(remembered(connection))
    return left


def remembered(connection: Connection) -> dict[str, Instant]:
    """The tables that have dead keys in their files, and since when."""
    return _read(connection.execute(_MARKS).fetchall())


def _read(rows: Collection[tuple[str, str]]) -> dict[str, Instant]:
    return {key.removeprefix(_MARK): Instant(int(value)) for key, value in rows}


def _looked(
    connection: PostgresConnection, place: str, wanted: Collection[str]
) -> tuple[Mapping[str, _Table], Mapping[str, Instant], Collection[str]]:
    """The tables, what is remembered of them, and those of which the server takes samples; whoever waits for a lock of
    theirs waits five seconds.
    """
    named = (json.dumps(list(wanted)),)
    asked = [(_TO_SCRUB, named), (_LIMIT_WAITING, ()), (_MARKS, ()), (_TO_UNSAMPLE, named)]
    rows, _, marks, sampled = connection.answers(asked)
    found = {row[0]: _Table(*row) for row in rows}
    if missing := [table for table in wanted if table not in found or not found[table].ours]:
        raise NotScrubbed(f"only the owner of {place}.{missing[0]} can scrub it; see `upheld grants`")
    return found, _read(marks), [table for (table,) in sampled if table in UNSAMPLED]


def _waiting_little(connection: PostgresConnection, work: Callable[[], bool]) -> bool:
    """Do it; whoever could not get a lock in time has a reader in the way."""
    try:
        return work()
    except StoreFailed as failure:
        if isinstance(failure, ConnectionLost | NotScrubbed):
            raise
        return False
    finally:
        connection.execute("RESET lock_timeout")


def _cleared(
    connection: PostgresConnection, table: _Table, since: Instant | None, rewriting: Rewriting, at: Instant | None
) -> bool:
    """Dead rows of one table leave its files, or of one of ciphertext its pages. False: a reader is in."""
    if table.name not in KEY_TABLES:
        if not table.empty or rewriting.spread:
            connection.execute(f"VACUUM (PARALLEL 0) {table.name}")  # to start helpers takes longer than the work
        return True
    if at is not None and rewriting.within and (rewriting.spread or table.size > rewriting.small):
        if since is None:
            _remember(connection, table.name, at)
        # Its indexes are made anew with it; to clear them now would cost what they hold. Until they are, a page from
        # which a row has gone is looked at by every clearing, and a server goes through up to 31 whole ones between two
        # of them: where there are many it would go through all of the table for each who leaves.
        indexes = "ON" if table.met_again else "OFF"
        connection.execute(f"VACUUM (INDEX_CLEANUP {indexes}, TRUNCATE OFF) {table.name}")
        return True
    lies_there = not table.empty or rewriting.spread
    if lies_there and not _patiently(rewriting, lambda: not _kept_anew(connection, table.name)):
        return False
    if since is not None:
        _forget(connection, table.name, since)
    return True


def _written_anew(connection: PostgresConnection, table: _Table, since: Instant, rewriting: Rewriting) -> bool:
    """A large table is locked while it is written, so it is not begun before it can be of use: once nobody sees a row
    that was dead when we looked. What dies after that is remembered by whoever scrubs for it next.
    """
    if not _patiently(rewriting, lambda: not _still_seen(connection, table.name)):
        return False
    connection.execute(f"VACUUM (FULL) {table.name}")
    _forget(connection, table.name, since)
    connection.execute(f"VACUUM {table.name}")  # notes which pages are whole: scrubbing passes those by
    return True


def _patiently(rewriting: Rewriting, works: Callable[[], bool]) -> bool:
    """Try until it works, for a while."""
    over, pause = monotonic() + rewriting.patience, 0.002
    while not works():
        if monotonic() + pause > over:
            return False
        sleep(pause)
        pause = min(pause * 2, 0.25)
    return True


def _kept_anew(connection: PostgresConnection, table: str) -> bool:
    """Write a table anew. It keeps dead rows that a transaction begun before their deletion can still see, without a
    word but in what it tells when asked: whether it did.
    """
    told = [
        int(number[0])
        for _, detail in connection.told(f"VACUUM (FULL, VERBOSE) {table}")
        if (number := _A_NUMBER.search(detail))
    ]
    if not told:
        raise NotScrubbed(f"the server does not say that {table} was written anew")
    return any(told)


def _still_seen(connection: PostgresConnection, table: str) -> bool:
    """Clear the pages; whether there are dead rows that a transaction can still see: the third number of the third line
    of what the server tells of it (removed, remaining, dead but not yet removable).
    """
    words = connection.told(f"VACUUM (VERBOSE, INDEX_CLEANUP OFF, TRUNCATE OFF, PROCESS_TOAST OFF) {table}")
    told = [_A_NUMBER.findall(lines[2]) for said, _ in words if len(lines := said.splitlines()) > 2]
    kept = [int(numbers[2]) for numbers in told if len(numbers) == 3]
    if not kept:
        raise NotScrubbed(f"the server does not say what is left in {table}")
    return any(kept)


def _remember(connection: PostgresConnection, table: str, at: Instant) -> None:
    connection.execute(_REMEMBER, (_MARK + table, str(at)))


def _forget(connection: PostgresConnection, table: str, since: Instant) -> None:
    connection.execute(_FORGET, (_MARK + table, str(since)))


def _micros(time: timedelta) -> int:
    return time // timedelta(microseconds=1)
