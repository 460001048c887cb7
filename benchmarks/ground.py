"""Where it is measured: an engine, homes on it, and the bare driver on the same engine with the same durability."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import psycopg

import upheld
from tests import postgres
from upheld.engine.acts import EngagementId, SubjectId, ValueId
from upheld.store.vault import Tier

DOCUMENT = Path(__file__).parent.parent / "policies" / "bizmeka-ez-2018.yaml"
POLICY = "bizmeka-ez"
CONTENT = "x" * 64
FIELDS = ("name", "address", "contact", "gender", "birth-date")
SQLITE, POSTGRESQL = "sqlite", "postgresql"
ENGINES = (SQLITE, POSTGRESQL)


class Rows(Protocol):
    """The answer of a driver."""

    def fetchone(self) -> Any:
        """The next row."""

    def fetchall(self) -> list[Any]:
        """All of them."""


class Bare(Protocol):
    """The bare driver. Statements are written with `?`; `spelled` says them as the driver wants them, once."""

    def spelled(self, statement: str) -> str:
        """A statement in the driver's spelling."""

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        """Run a spelled statement."""

    def many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one for each row, in one transaction."""

    def close(self) -> None:
        """Give it back."""


class BareSqlite:
    """The module of the standard library, write-ahead log, every commit on the disk before it is answered."""

    def __init__(self, path: Path) -> None:
        self._inner = sqlite3.connect(path, isolation_level=None, cached_statements=512, check_same_thread=False)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -16384", "secure_delete = ON"):
            self._inner.execute(f"PRAGMA {pragma}").fetchall()
        self.execute = self._inner.execute

    def spelled(self, statement: str) -> str:
        return statement

    def many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self.execute("BEGIN")
        self._inner.executemany(statement, rows)
        self.execute("COMMIT")

    def close(self) -> None:
        self._inner.close()


class BarePostgres:
    """psycopg with prepared statements and binary results; commits wait for the disk of the server."""

    def __init__(self, address: str) -> None:
        self.inner = psycopg.connect(address, autocommit=True)
        self.inner.prepare_threshold = 2
        self.inner.prepared_max = 500
        self._cursor = self.inner.cursor(binary=True)
        self.execute = self._cursor.execute

    def spelled(self, statement: str) -> str:
        words = (("?", "%s"), ("BLOB", "BYTEA"), ("INTEGER PRIMARY KEY", "BIGINT PRIMARY KEY"), ("INTEGER", "BIGINT"))
        for plain, word in words:
            statement = statement.replace(plain, word)
        return statement

    def many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        with self.inner.transaction():
            self._cursor.executemany(statement, rows)

    def close(self) -> None:
        self.inner.close()


@dataclass
class Ground:
    """A folder, and a server where the engine has one."""

    engine: str
    folder: Path
    address: str = ""
    small: bool = False
    _number: Iterator[int] = field(default_factory=lambda: count(1))

    def sized(self, whole: int, small: int) -> int:
        """How many, at the size of this run."""
        return small if self.small else whole

    def fresh(self, name: str) -> str:
        """A name that nobody has yet."""
        return f"{name}_{os.getpid()}_{next(self._number)}"

    def home(self, name: str = "home", *, document: Path | bytes = DOCUMENT, look_up: tuple[str, ...] = ()) -> Path:
        """A new home with a policy in force since 2018."""
        folder = self.folder / self.fresh(name)
        code = upheld.read_policy(document.read_bytes() if isinstance(document, Path) else document, "policy.yaml")
        options = upheld.Options(light_hashing=True, look_up={code.policy: look_up})
        places = postgres.made(self.address, folder.name) if self.address else None
        upheld.init(folder, options, places)
        effective = code.effective.date
        assert effective is not None
        with opened(folder) as keeper:
            keeper.publish(document, as_of=date.fromisoformat(str(effective)), evidence="filed for a benchmark")
        return folder

    def database(self, name: str = "bare") -> str:
        """A new bare database: a path, or an address."""
        if not self.address:
            return str(self.folder / f"{self.fresh(name)}.db")
        return postgres.made(self.address, self.fresh(name))["active"]


def bare(database: str) -> Bare:
    """A connection of the bare driver."""
    return BarePostgres(database) if "dbname=" in database else BareSqlite(Path(database))


def opened(home: Path) -> upheld.Keeper:
    """A home as a service opens it: the machine's clock, evidence sealed by age while it is measured."""
    return upheld.open(home, upheld.Options(light_hashing=True))


def _buffers() -> int:
    """Megabytes that a server keeps of its tables: a quarter of the memory, as its manual has it for a machine of its
    own, and never less than 512.
    """
    return max(512, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4 // 2**20)


@contextmanager
def ground(engine: str, *, small: bool) -> Iterator[Ground]:
    """A place to measure on, gone afterwards. A server it starts inherits the cores of this process."""
    with tempfile.TemporaryDirectory(prefix="upheld-bench-", ignore_cleanup_errors=True) as name:
        if engine == SQLITE:
            yield Ground(engine, Path(name), small=small)
            return
        buffers = 512 if small else _buffers()
        with postgres.server(durable=True, settings=f"-c shared_buffers={buffers}MB -c max_wal_size=4GB") as address:
            yield Ground(engine, Path(name), address, small)


# ── people ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def member(keeper: upheld.Keeper) -> tuple[SubjectId, EngagementId]:
    """A member with an open subscription who agreed to its required purposes."""
    subject = keeper.enter(POLICY, "member")
    engagement = EngagementId(keeper.begin(subject, "membership").made or "")
    for purpose in ("identity", "service"):
        keeper.consent(subject, f"purpose/{purpose}", channel="website")
    return subject, engagement


Person = tuple[SubjectId, list[ValueId]]


def members(keeper: upheld.Keeper, number: int, items: tuple[str, ...] = FIELDS) -> list[Person]:
    """So many members, each with a value of each item, by the verbs of the keeper; five hundred to a commit."""
    made: list[Person] = []
    for start in range(0, number, 500):
        some = min(500, number - start)
        keeper.places.vault.ahead(Tier.ACTIVE, some * len(items))
        with keeper.batch():
            for subject in keeper.enter_many(POLICY, ["member"] * some):
                engagement = EngagementId(keeper.begin(subject, "membership").made or "")
                keeper.consent(subject, "purpose/identity", channel="website")
                texts = dict.fromkeys(items, CONTENT)
                got = keeper.collect(subject, "identity", texts, engagement=engagement, channel="website")
                made.append((subject, [ids[0] for ids in got.values.values()]))
    keeper.seal()
    return made
