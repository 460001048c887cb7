"""What a person, a value, a read and a destruction take on disk, measured: files of a home, or tables of a server.

    python -m tools.sizing [--people N] [--postgresql ADDRESS]

Prints a table in Markdown; `docs/operating.md` has one. On a server a fresh database is made and dropped again.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

import upheld
from upheld import system
from upheld.engine.acts import SubjectId
from upheld.keeper import Keeper

POLICY = """
upheld: 1
policy: sizing
controller: {clause: S-1, en: Example Ltd.}
locales: [en]
time-zone: UTC
announced: {clause: S-1, date: 2020-01-01}
effective: {clause: S-1, date: 2020-02-01}
subjects: {member: {clause: S-1, en: member}}
engagements: {membership: {clause: S-1, ends: closed, en: membership}}
facts: {closed: {clause: S-1, en: closed}}
items: {every: {clause: S-2}, name: {en: name}, email: {en: e-mail}, phone: {en: phone}}
purposes:
  every: {clause: {all: S-3, until: S-4}, whose: member, per: membership, until: closed}
  required: {service: {en: the service, items: [name, email, phone], basis: contract}}
destruction:
  every: {clause: S-6, starts: at-once}
  at-expiry: {within: P5D}
rights: {every: {clause: S-9, within: P10D}, erasure: {leaves: unread}}
"""
START = datetime(2024, 3, 1, 9, tzinfo=UTC)
CONTENT = "x" * 64
PLACES = ("active", "separated", "keys", "ledger")


@contextmanager
def fresh_database(address: str) -> Iterator[str]:
    """A database of its own on that server."""
    name = "upheld_sizing"
    with psycopg.connect(address, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield psycopg.conninfo.make_conninfo(address, dbname=name)
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def sizes(home: Path, database: str | None) -> dict[str, int]:
    """Bytes of each place: pages in use of a file, tables and indexes of a schema."""
    if database is None:
        found: dict[str, int] = {}
        for place in PLACES:
            with closing(sqlite3.connect(home / f"{place}.db")) as connection:
                pages, free, each = (
                    connection.execute(f"PRAGMA {word}").fetchone()[0]
                    for word in ("page_count", "freelist_count", "page_size")
                )
            found[place] = (pages - free) * each
        return found
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "SELECT schemaname, sum(pg_total_relation_size(quote_ident(schemaname) || '.' || quote_ident(tablename))) "
            "FROM pg_tables WHERE schemaname = ANY(%s) GROUP BY schemaname",
            (list(PLACES),),
        ).fetchall()
    return {str(place): int(size) for place, size in rows}


def measured(people: int, database: str | None) -> list[tuple[str, dict[str, float]]]:
    """(what, bytes by place) for each."""
    with tempfile.TemporaryDirectory(prefix="upheld-sizing-") as folder:
        home = Path(folder) / "home"
        clock = upheld.SetClock(START)
        options = upheld.Options(clock=clock, light_hashing=True, durable=False)
        system.init(home, options, dict.fromkeys(PLACES, database) if database else None)
        with upheld.open(home, options) as keeper:
            keeper.publish(POLICY.encode(), as_of=datetime(2020, 2, 1, tzinfo=UTC).date(), evidence="sizing")
            persons: list[SubjectId] = []
            steps: list[tuple[str, int, Callable[[], None]]] = [
                ("a person with a membership", people, lambda: persons.extend(_entered(keeper, people))),
                ("a value", people * 3, lambda: _collected(keeper, persons)),
                ("a read, until it is pruned", people * 3, lambda: _read(keeper, persons)),
                ("what is left of a person, with certificates", people, lambda: _left(keeper, clock, persons)),
            ]
            found: list[tuple[str, dict[str, float]]] = []
            before = _sealed(keeper, home, database)
            start = before
            for what, count, act in steps:
                act()
                now = _sealed(keeper, home, database)
                base = start if what.startswith("what is left") else before
                found.append((what, {place: (now[place] - base[place]) / count for place in PLACES}))
                before = now
    return found


def _sealed(keeper: Keeper, home: Path, database: str | None) -> dict[str, int]:
    """Sealed, folded in, measured."""
    keeper.seal()
    for place in (keeper.places.active, keeper.places.separated, keeper.places.keys):
        place.scrub()
    return sizes(home, database)


def _entered(keeper: Keeper, people: int) -> list[SubjectId]:
    made = []
    for _ in range(people):
        person = keeper.enter("sizing", "member")
        keeper.begin(person, "membership")
        made.append(person)
    return made


def _collected(keeper: Keeper, persons: list[SubjectId]) -> None:
    for person in persons:
        keeper.collect(person, "service", dict.fromkeys(("name", "email", "phone"), CONTENT))


def _read(keeper: Keeper, persons: list[SubjectId]) -> None:
    desk = keeper.application("desk")
    for person in persons:
        for item in ("name", "email", "phone"):
            keeper.read(person, "service", reader=desk, items=(item,))


def _left(keeper: Keeper, clock: upheld.SetClock, persons: list[SubjectId]) -> None:
    for person in persons:
        keeper.fact(person, "closed")
    clock.set(START + timedelta(days=4))
    keeper.sweep()


def main(arguments: list[str]) -> None:
    """Print the table."""
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--people", type=int, default=2_000)
    wanted.add_argument("--postgresql", metavar="ADDRESS")
    given = wanted.parse_args(arguments)
    if given.postgresql:
        with fresh_database(given.postgresql) as database:
            rows = measured(given.people, database)
    else:
        rows = measured(given.people, None)
    print(f"| bytes for | {' | '.join(PLACES)} | together |\n|---|{'---:|' * (len(PLACES) + 1)}")
    for what, by_place in rows:
        cells = [f"{max(0, round(by_place[place])):,}" for place in PLACES]
        print(f"| {what} | {' | '.join(cells)} | {max(0, round(sum(by_place.values()))):,} |")


if __name__ == "__main__":
    main(sys.argv[1:])
