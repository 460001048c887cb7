"""Fill a home with a million persons in minutes: one person of the keeper's making, copied.

Passed over: the decisions, and the ledger (a copied person has no entries of coming, agreeing and giving). Real for
each: ids, alias, engagement, facts, consents, anchors, and of each value a key of its own with its content encrypted
under it. So everything that is measured afterwards meets the tables as they would be; `upheld recover` would find fault
with them.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date
from itertools import repeat
from pathlib import Path
from typing import Any, cast

import psycopg

import upheld
from benchmarks.ground import CONTENT, FIELDS, Person, members
from upheld.dates import local_date
from upheld.engine.acts import SubjectId, ValueId
from upheld.store.ids import bucket_of, value_id
from upheld.store.vault import Tier

_ID = re.compile(r"\b(?:[a-z2-7]{20}|[0-9]{14,19})\b")
_CHUNK = 20_000
_KEPT = ("subject", "engagement", "fact", "consent", "value", "anchor", "disclosure", "under_purpose")


def load(
    home: Path, keeper: upheld.Keeper, number: int, items: tuple[str, ...] = FIELDS, texts: Iterator[str] | None = None
) -> list[Person]:
    """So many members more, each like one that the keeper made; `texts` as for `load_like`."""
    return load_like(home, keeper, number, members(keeper, 1, items)[0], texts)


def load_like(
    home: Path, keeper: upheld.Keeper, number: int, like: Person, texts: Iterator[str] | None = None,
    *, analysed: bool = True,
) -> list[Person]:  # fmt: skip
    """So many persons more, each like one who is there; `texts` are the contents, person by person, value by value."""
    pattern = _Pattern(keeper, like, texts or repeat(CONTENT))
    made: list[Person] = []
    for start in range(0, number, _CHUNK):
        made += _chunk(home, keeper, pattern, min(_CHUNK, number - start))
    if analysed:
        analyse(home)
    return made


def analyse(home: Path) -> None:
    """Let a server look at what its tables hold, and finish writing it, as it does by itself minutes later."""
    for address in sorted({*databases(home).values()}):
        with psycopg.connect(address, autocommit=True) as server:
            server.execute("VACUUM (ANALYZE)")
            server.execute("CHECKPOINT")


def databases(home: Path) -> Mapping[str, str]:
    """The addresses of a home's places; none for files."""
    return cast("Mapping[str, str]", json.loads((home / "home.json").read_text())["databases"])


class _Pattern:
    """The rows of one person, and where in them ids stand."""

    def __init__(self, keeper: upheld.Keeper, like: Person, texts: Iterator[str]) -> None:
        self.texts = texts
        self.like = like
        self.policy = keeper.views.get(like[0], keeper.now()).policy
        self.rows: list[tuple[str, tuple[Any, ...], list[tuple[int, str]]]] = []
        with keeper.places.active.reading() as connection:
            for table in _KEPT:
                found = connection.execute(f"SELECT * FROM {table} WHERE subject_id = ?", (like[0],)).fetchall()
                if table == "value":
                    found.sort(key=lambda row: like[1].index(row[0]))  # in the order of the texts
                self.rows += [(table, tuple(row), self._places(table, tuple(row))) for row in found]

    def _places(self, table: str, row: tuple[Any, ...]) -> list[tuple[int, str]]:
        found = [(0 if table == "under_purpose" else row.index(self.like[0]) - 1, "bucket")]
        for number, one in enumerate(row):
            if isinstance(one, str) and _ID.search(one):
                found.append((number, "id" if _ID.fullmatch(one) else "within"))
            elif one in self.like[1]:
                found.append((number, "id"))
        return found


def _drawn(keeper: upheld.Keeper, subject: SubjectId, day: date, count: int) -> list[ValueId]:
    """Ids of the values of one person: of a hundred thousand persons with five, two draw one twice."""
    drawn: dict[ValueId, None] = {}
    while len(drawn) < count:
        drawn[value_id(subject, day, keeper.places.random_bytes)] = None
    return list(drawn)


def _chunk(home: Path, keeper: upheld.Keeper, pattern: _Pattern, number: int) -> list[Person]:
    rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in _KEPT}
    kept_with_keys: dict[str, list[tuple[Any, ...]]] = {"alias": [], "token": []}
    made: list[Person] = []
    like, values = pattern.like
    keeper.places.vault.ahead(Tier.ACTIVE, number * len(values))
    day = local_date(keeper.now(), keeper.views.line(pattern.policy).latest.zone)
    for _ in range(number):
        subject = SubjectId(keeper.new_id())
        fresh: dict[Any, Any] = {like: subject}
        for value, drawn in zip(values, _drawn(keeper, subject, day, len(values)), strict=True):
            fresh[value], fresh[str(value)] = drawn, str(drawn)
        for table, row, places in pattern.rows:
            rows[table].append(_copied(keeper, pattern, table, row, places, fresh, subject, kept_with_keys["token"]))
        kept_with_keys["alias"].append((bucket_of(subject), subject, keeper.new_id(), pattern.policy))
        made.append((subject, [ValueId(fresh[value]) for value in values]))
    keeper.places.vault.forget_all()
    _put(home, "keys", kept_with_keys)
    _put(home, "active", rows)
    return made


def _copied(
    keeper: upheld.Keeper,
    pattern: _Pattern,
    table: str,
    row: tuple[Any, ...],
    places: Sequence[tuple[int, str]],
    fresh: dict[Any, Any],
    subject: SubjectId,
    tokens: list[tuple[Any, ...]],
) -> tuple[Any, ...]:
    """The row of another person: other ids, other bucket, and of a value another ciphertext under another key."""

    def renamed(one: re.Match[str]) -> str:
        known = fresh.get(one[0])
        if known is None:
            known = one[0] if one[0].isdigit() else fresh.setdefault(one[0], keeper.new_id())
        return str(known)

    found = list(row)
    for place, what in places:
        if what == "bucket":
            found[place] = bucket_of(subject)
        elif what == "id":
            found[place] = fresh.get(row[place]) or fresh.setdefault(row[place], keeper.new_id())
        else:
            found[place] = _ID.sub(renamed, row[place])
    if table == "value":
        vault, policy, item, text = keeper.places.vault, pattern.policy, found[3], next(pattern.texts)
        sealed = vault.seal(Tier.ACTIVE, policy, subject, found[0], item, text.encode())
        found[6:8] = sealed.key_id, sealed.blob
        if keeper.looked_up(policy, item):
            token = vault.token(Tier.ACTIVE, policy, item, text)
            tokens.append((Tier.ACTIVE.value, policy, item, token, found[0], bucket_of(subject), subject))
    return tuple(found)


def _put(home: Path, place: str, tables: Mapping[str, Iterable[tuple[Any, ...]]]) -> None:
    """Rows in the order of their keys, past every verb: COPY, or one transaction."""
    found = databases(home)
    if found:
        with psycopg.connect(found[place], options=f"-c search_path={place}") as server:
            for table, rows in tables.items():
                with server.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
                    for row in sorted(rows, key=lambda one: one[:2]):
                        copy.write_row(row)
        return
    with closing(sqlite3.connect(home / f"{place}.db", isolation_level=None)) as file:
        file.execute("PRAGMA cache_size = -400000")
        file.execute("PRAGMA synchronous = OFF")
        file.execute("BEGIN IMMEDIATE")
        for table, rows in tables.items():
            ordered = sorted(rows, key=lambda one: one[:2])
            if not ordered:
                continue
            marks = ",".join("?" * len(ordered[0]))
            file.executemany(f"INSERT INTO {table} VALUES({marks})", ordered)
        file.execute("COMMIT")
