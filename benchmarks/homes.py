"""Homes and bare databases to measure on: the same content, the same durability, the same engine."""

from __future__ import annotations

import os
import sqlite3
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import upheld
from upheld.engine.acts import EngagementId, SubjectId, ValueId
from upheld.store.vault import Tier

SEOUL = ZoneInfo("Asia/Seoul")
DOCUMENT = Path(__file__).parent.parent / "policies" / "bizmeka-ez-2018.yaml"
POLICY = "bizmeka-ez"
START = datetime(2018, 7, 9, 9, tzinfo=SEOUL)
CONTENT = "x" * 64


def home_at(folder: Path, look_up: tuple[str, ...] = ()) -> tuple[upheld.Keeper, upheld.SetClock]:
    """A fresh home with bizmeka 2018 in force."""
    clock = upheld.SetClock(datetime(2018, 7, 1, tzinfo=SEOUL))
    keeper = upheld.open(folder, upheld.Options(clock=clock, light_hashing=True, look_up={POLICY: look_up}))
    keeper.publish(DOCUMENT)
    clock.set(START)
    return keeper, clock


def member(keeper: upheld.Keeper) -> tuple[SubjectId, EngagementId]:
    """A member with an open subscription who agreed to its required purposes."""
    subject = keeper.enter(POLICY, "member")
    engagement = EngagementId(keeper.begin(subject, "membership").made or "")
    for purpose in ("identity", "service"):
        keeper.consent(subject, f"purpose/{purpose}", channel="website")
    return subject, engagement


def members_with_values(
    keeper: upheld.Keeper, count: int, items: tuple[str, ...]
) -> list[tuple[SubjectId, list[ValueId]]]:
    """So many members, each with a value of each item; a thousand to a commit."""
    made: list[tuple[SubjectId, list[ValueId]]] = []
    for start in range(0, count, 1000):
        keeper.places.vault.ahead(Tier.ACTIVE, 1000 * len(items))
        with keeper.batch():
            for subject in keeper.enter_many(POLICY, ["member"] * min(1000, count - start)):
                engagement = EngagementId(keeper.begin(subject, "membership").made or "")
                keeper.consent(subject, "purpose/identity", channel="website")
                got = keeper.collect(
                    subject, "identity", dict.fromkeys(items, CONTENT), engagement=engagement, channel="website"
                )
                made.append((subject, [ids[0] for ids in got.values.values()]))
    return made


def bare(path: Path, rows: int = 0) -> sqlite3.Connection:
    """The bare driver with the same durability and as many rows of the same content."""
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=512)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -16384"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.execute("CREATE TABLE value(id INTEGER PRIMARY KEY, subject TEXT, content BLOB)")
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO value VALUES(?, ?, ?)", ((number, f"subject-{number}", os.urandom(64)) for number in range(rows))
    )
    connection.execute("COMMIT")
    return connection
