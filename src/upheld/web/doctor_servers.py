"""What is misconfigured in the servers of a home on PostgreSQL: durability, clock, rights, locks, poolers, copies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import psycopg

from upheld.clock import SystemClock
from upheld.dates import Instant, Period, moment
from upheld.errors import UpheldError
from upheld.store import distribution, grants, remains, schema
from upheld.store.postgres import MOST_CLAIMED, PostgresConnection
from upheld.store.scrubbing import Rewriting

CLOCKS_APART = 5
"""Ours: seconds by which the clocks of this machine and a database may differ."""
WRITERS = 16
"""Ours: so many transactions with the most claims must find room in the table of locks at once."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. Where it holds, `remedy` is what could be better still, and mostly empty."""

    what: str
    holds: bool
    says: str
    remedy: str = ""


def looked_at(databases: Mapping[str, str], copies_kept: Period, rewriting: Rewriting) -> Iterator[Finding]:
    """Each server as each place sees it, and what that of the keys keeps of keys that are gone."""
    for name, address in databases.items():
        try:
            with closing(PostgresConnection(address, name)) as server:
                yield from _server(name, server)
                yield from _granted(name, server)
                yield _pooled(name, address, server)
                if name == "keys":
                    yield from _kept(server, copies_kept, rewriting)
        except UpheldError as failure:
            yield Finding("server", False, str(failure), f"mend the address of `{name}` or start its server")


_SETTINGS = (
    "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', "
    "'autovacuum', 'track_counts', 'max_locks_per_transaction', 'max_connections', 'max_prepared_transactions')"
)
_CLOCK = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
_MIGHTY = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
_PROCESS = "SELECT pg_backend_pid()"
_SLOTS = "SELECT slot_name FROM pg_replication_slots WHERE NOT active ORDER BY slot_name"
_ARCHIVER = (
    "SELECT current_setting('archive_mode') <> 'off', coalesce(last_failed_time > last_archived_time, "
    "last_failed_time IS NOT NULL) FROM pg_stat_archiver"
)


def _server(name: str, server: PostgresConnection) -> Iterator[Finding]:
    said = dict(server.execute(_SETTINGS).fetchall())
    weak = [word for word in ("fsync", "full_page_writes", "synchronous_commit") if said[word] == "off"]
    found = ", ".join(f"{word} = off" for word in weak)
    remedy = f"set {found.replace('off', 'on')}: a power failure loses what was acknowledged" if weak else ""
    yield Finding("durability", not weak, f"`{name}`: {found or 'commits wait for the disk'}", remedy)
    idle = [word for word in ("autovacuum", "track_counts") if said[word] == "off"]
    remedy = "set autovacuum and track_counts on: dead rows stay, tables and what is certified grow" if idle else ""
    yield Finding("vacuum", not idle, f"`{name}`: {'off' if idle else 'on'}", remedy)
    yield _locks(name, {word: int(said[word]) for word in said if word.startswith("max_")})
    apart = abs(SystemClock().now() - int(server.execute(_CLOCK).fetchone()[0])) // 1_000_000
    remedy = "" if apart <= CLOCKS_APART else "run NTP on both machines"
    yield Finding("clock", apart <= CLOCKS_APART, f"`{name}`: its server is {apart} seconds from here", remedy)
    if server.execute(_MIGHTY).fetchone()[0]:
        yield Finding(
            "grants", True, f"`{name}`: this user may do anything there", "serve as a user of one role: `upheld grants`"
        )


def _locks(name: str, said: Mapping[str, int]) -> Finding:
    """A transaction takes a lock for each name that it claims; the table of locks is shared by all."""
    room = said["max_locks_per_transaction"] * (said["max_connections"] + said["max_prepared_transactions"])
    wanted = WRITERS * (MOST_CLAIMED + 1)
    enough = room >= wanted
    least = -(-wanted // (said["max_connections"] + said["max_prepared_transactions"]))
    remedy = "" if enough else f"set max_locks_per_transaction to {least} or more: batches fail under load"
    return Finding("locks", enough, f"`{name}`: room for {room} locks", remedy)


def laid_out(databases: Mapping[str, str]) -> Iterator[Finding]:
    """Of a home that lies on several machines: everything is laid out, and all go by one coordinator."""
    for name in schema.PLACES:
        try:
            with closing(PostgresConnection(databases[name], name)) as server:
                own, left = distribution.on_coordinator(server), distribution.left(server, name)
        except UpheldError:
            continue  # said already
        says = "the coordinator: its locks keep writers apart" if own else "a worker, whose locks no other process asks"
        yield Finding("coordinator", own, f"`{name}`: {says}", "" if own else "give the coordinator's address to all")
        said = f"{', '.join(left[:3])} not yet laid out" if left else "all tables are laid out"
        remedy = "run `upheld distribute --citus --apply`" if left else ""
        yield Finding("distribution", not left, f"`{name}`: {said}", remedy)


def _granted(name: str, server: PostgresConnection) -> Iterator[Finding]:
    """Rights that `upheld grants` would not give."""
    wide = sorted(
        f"{role} may {right} {table}"
        for role, table, right in server.execute(grants.HELD, (name,)).fetchall()
        if (role, table, right) not in grants.rights_of(name)
    )
    remedy = "" if not wide else "revoke it; `upheld grants` prints what each role needs"
    more = f" and {len(wide) - 3} more" if len(wide) > 3 else ""
    yield Finding("grants", not wide, f"`{name}`: {', '.join(wide[:3]) + more or 'none too wide'}", remedy)


def _pooled(name: str, address: str, server: PostgresConnection) -> Finding:
    """Two connections at once that meet the same process of the server are not sessions: locks of one are the other's.

    Leases are locks of sessions; between a pooler that gives a session out by the transaction they mean nothing.
    """
    with closing(PostgresConnection(address, name)) as other:
        one, two = (each.execute(_PROCESS).fetchone()[0] for each in (server, other))
    remedy = "" if one != two else "connect to the server itself, or set the pooler to pool_mode = session"
    says = "connections are sessions" if one != two else "a pooler gives sessions out by the transaction"
    return Finding("pooler", one != two, f"`{name}`: {says}", remedy)


def _kept(keys: PostgresConnection, copies_kept: Period, rewriting: Rewriting) -> Iterator[Finding]:
    """What keeps a destroyed key recoverable for longer than certificates say, and whether copies are made at all."""
    slots = ", ".join(str(slot) for (slot,) in keys.execute(_SLOTS).fetchall())
    remedy = f"drop it or start who reads it (pg_drop_replication_slot): {slots}" if slots else ""
    yield Finding("log", not slots, "a slot nobody reads keeps the log" if slots else "no slot keeps it", remedy)
    archives, fails = keys.execute(_ARCHIVER).fetchone()
    remedy = "see the server's log: what archive_command says" if archives and fails else ""
    told = "the archive of the log fails" if archives and fails else "the archive of the log is up to date"
    if not archives:
        told, remedy = "no archive of the log", "nothing here shows a backup: dump it each night, see docs/backup.md"
    yield Finding("backup", not (archives and fails), told, remedy)
    try:
        found = remains.remains(keys)
    except psycopg.errors.InsufficientPrivilege:
        yield Finding("log", True, "this user may not look at it", "GRANT pg_monitor to the user of the doctor")
        return
    told = f"the oldest was written at {moment(found.oldest_log_at):%Y-%m-%d %H:%M} UTC"
    if found.archives:
        told += "; a server archives its log: keep the archive no longer than the time that certificates count in"
    complaints = remains.complaints(found, SystemClock().now(), copies_kept, ZoneInfo("UTC"))
    yield Finding("log", not complaints, told, "; ".join(complaints))
    yield _rewritten(found.dead, rewriting)


def _rewritten(dead: Mapping[str, Instant], rewriting: Rewriting) -> Finding:
    """Large tables of keys in whose files destroyed ones lie, until a sweep writes them anew."""
    now = SystemClock().now()
    over = [table for table, since in dead.items() if rewriting.over_at(since) < now]
    waits = [f"{table} since {moment(since):%Y-%m-%d %H:%M} UTC" for table, since in sorted(dead.items())]
    remedy = "run `upheld sweep --rewrite`; if that waits, end the transaction that has been open for long"
    hours = f"{rewriting.within / timedelta(hours=1):g}"
    told = f"within {hours} hours of a destruction" if rewriting.within else "at every destruction"
    says = f"large tables are written anew {told}; {', '.join(waits) or 'none'} waits for it"
    return Finding("keys", not over, says, remedy if over else "")
