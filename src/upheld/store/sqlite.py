"""SQLite: a place is one file. Its turn is a tree of file locks, its log is folded in by a truncating checkpoint.

A commit is a write to the log; that it is on the disk is waited for afterwards, when the turn was given on. Whoever
waits then waits for all that was written before, so one flush of the disk serves every process that has just written.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import Any

from upheld.dates import Instant
from upheld.errors import StoreFailed
from upheld.store import history, schema
from upheld.store.engine import Change, Claim, Connection, Proof, Question
from upheld.store.leases import FileLeases
from upheld.store.turn import Turn

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -16384",
    "PRAGMA busy_timeout = 30000",
    # As many pages as one block of the log's index tells of: what is written again and again is folded in once, and
    # the disk is waited for a third as often besides commits. What is destroyed is folded in at once (`scrub`).
    "PRAGMA wal_autocheckpoint = 4000",
)
_SELECT_REMOVED = "SELECT value FROM meta WHERE key = 'removed'"
_KEEP_REMOVED = (
    "INSERT INTO meta(key, value) VALUES('removed', ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value"
)
_DATA_VERSION = "PRAGMA data_version"
_COLUMNS = (
    "SELECT m.name, p.name FROM sqlite_master m, pragma_table_xinfo(m.name) p "
    "WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'alembic_version'"
)
_OWN_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
_LARGE = 1_024
"""Pages: four megabytes. A smaller file is written anew in memory."""


class SqliteFile:
    """The file of one place."""

    failures = (sqlite3.OperationalError,)

    counts_commits = True
    sends_late = False

    stores_buckets = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self._between = Turn(path.with_suffix(".lock"), os.getpid())
        self._hurried = False
        self._log: int | None = None

    def connect(self) -> sqlite3.Connection:
        """A connection with erasure switched on. Its commits wait for nothing: `flush` does."""
        connection = connect(self.path)
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def held(self) -> AbstractContextManager[None]:
        """Wait for the turn to write, between processes; keep it for the block."""
        return self._between.held()

    def close(self) -> None:
        """Give the lock files and the log back."""
        self._between.close()
        if self._log is not None:
            os.close(self._log)
            self._log = None

    def begin(self, connection: Connection, claim: Claim | None = None, asks: Question | None = None) -> None:
        """SQLite's own lock is taken at once: a transaction that finds out later that it can't write is lost.

        A file has one writer at a time, whatever is claimed.
        """
        connection.execute("BEGIN IMMEDIATE")

    def recorded(
        self,
        connection: Connection,
        reads: Collection[str],
        asks: Callable[[], Proof],
        records: Callable[[], Sequence[Question]],
        meanwhile: Callable[[], None],
    ) -> list[Any] | None:
        """A file has no messages that could be one."""
        return None

    def launched(
        self,
        connection: Connection,
        reads: Collection[str],
        proof: Proof,
        records: Callable[[], Sequence[Question]],
        meanwhile: Callable[[], None],
    ) -> None:
        """A file has no messages that could be on their way."""

    def begin_adding(self, connection: Connection, name: str, claims: Question) -> bool:
        """A file has no messages that could be one."""
        return False

    def go_on_adding(self, connection: Connection, changes: Sequence[Change]) -> None:
        """Nothing was begun."""

    def added(
        self,
        connection: Connection,
        name: str,
        changes: Sequence[Change],
        records: Callable[[], Sequence[Question]],
        meanwhile: Callable[[], None],
        *,
        begun: bool = False,
    ) -> bool:
        """A file has no messages that could be one."""
        return False

    def adds_early(
        self,
        connection: Connection,
        names: Collection[str],
        changes: Sequence[Change],
        records: Callable[[], Sequence[Question]],
    ) -> bool:
        """A file has one writer: what is not committed keeps everybody out."""
        return False

    def ends_early(self, connection: Connection, meanwhile: Callable[[], None]) -> bool:
        """Nothing was begun."""
        return False

    def forgets_early(self, connection: Connection) -> None:
        """Nothing was begun."""

    def sends(self, connection: Connection) -> None:
        """Whatever is run is done at once."""

    def while_committing(self, connection: Connection, work: Callable[[], None]) -> None:
        """A file answers at once."""

    def claim_more(self, connection: Connection, names: Collection[str]) -> bool:
        """The file is claimed already."""
        return True

    def granted(self, connection: Connection) -> None:
        """It was, by the time that `begin` was over."""

    def settled(self, connection: Connection) -> None:
        """Whatever fails has failed where it was run."""

    def first_row(self, incarnation: str) -> int | None:
        """The file numbers rows in the order in which they are written."""
        return None

    def version(self, connection: Connection) -> int:
        """SQLite counts the commits of other connections."""
        return int(connection.execute(_DATA_VERSION).fetchone()[0])

    def soon(self, connection: Connection) -> AbstractContextManager[None]:
        """No commit waits for the disk by itself."""
        return nullcontext()

    def put_soon(self, connection: Connection, name: str, rows: Sequence[Question]) -> bool:
        """A statement that stands alone is a transaction."""
        if len(rows) > 1:
            return False
        connection.execute(*rows[0])
        return True

    def line(self, connection: Connection) -> int | None:
        """What was written lies with the machine, and outlives the process."""
        return None

    def outlast(self, connection: Connection) -> None:
        """`flush` does it."""

    def flush(self) -> None:
        """The log is on the disk. What a checkpoint has taken out of it since was there, and is in the file, before."""
        if self._hurried:
            return
        if self._log is None:
            try:
                self._log = os.open(self._log_path, os.O_RDWR | os.O_CLOEXEC)
            except FileNotFoundError:
                return  # nobody has written since the last one closed the file
            _sync(self.path.parent)  # that there is a log, too
        os.fdatasync(self._log)

    @property
    def _log_path(self) -> Path:
        return self.path.with_name(f"{self.path.name}-wal")

    def rebuild(self, connection: Connection, removed: int) -> None:
        """Write the file anew when half as many values were removed as it has pages; `removed` come on top of those.

        SQLite overwrites what it deletes, but when it shares out a page's rows of different sizes it can leave a copy
        of some that only lies about: about one in a thousand, of ciphertext whose key is destroyed. The cost is spread
        over what was removed, not over what is stored. Rows of one size, as keys are, leave none.
        """
        row = connection.execute(_SELECT_REMOVED).fetchone()
        so_far = removed + (int(row[0]) if row else 0)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        due = so_far * 2 >= pages
        if due:
            # What is live passes through a file of SQLite, encrypted as it lies here; a small one stays in memory.
            connection.execute(f"PRAGMA temp_store = {'FILE' if pages > _LARGE else 'MEMORY'}")
            connection.execute("VACUUM")
            connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(_KEEP_REMOVED, (str(0 if due else so_far),))

    def scrub(self, connection: Connection, tables: Collection[str] | None = None, at: Instant | None = None) -> bool:
        """Fold the write-ahead log into the file and empty it, so that deleted bytes are in neither, whatever table
        they were of. False: a reader is in.
        """
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not busy and not self._hurried and self._log_path.exists():
            _sync(self._log_path)  # SQLite cuts it off without waiting; a certificate must not be older than that
        return not busy

    def to_write_anew(self, connection: Connection, at: Instant, early: bool = False) -> tuple[str, ...]:
        """None: what is deleted is overwritten at once."""
        return ()

    def write_anew(self, connection: Connection, tables: Collection[str], at: Instant) -> bool:
        """There is nothing to do."""
        return True

    def hurry(self, connection: Connection) -> None:
        """No commit waits for the disk, and of the file little is kept in memory: the system has it there anyway."""
        self._hurried = True
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -2048")

    def files(self) -> tuple[Path, ...]:
        """The file and its write-ahead log."""
        return tuple(path for path in (self.path, self._log_path) if path.exists())

    def columns(self, connection: Connection) -> set[str]:
        """Every column that is there, as `table.column`."""
        return {f"{table}.{column}" for table, column in connection.execute(_COLUMNS)}

    def in_the_clear(self, connection: Connection) -> bool:
        """A file of this machine: nothing leaves it."""
        return False

    def may_read(self, connection: Connection, table: str) -> bool:
        """Who can open the file reads all of it."""
        return True


class SqliteLedger:
    """The file of the ledger, `path`; the lock file `<path>.lease` is kept beside it."""

    def may_write(self, connection: Connection) -> bool:
        """Who can open the file writes to it."""
        return True

    failures = (sqlite3.OperationalError,)

    def __init__(self, path: Path) -> None:
        self.path = path

    def connect(self) -> sqlite3.Connection:
        """A connection with the durability that evidence needs; deleted bytes are overwritten."""
        return open_for_writing(self.path)

    def for_readers(self, connection: Connection) -> Connection:
        """The same: SQLite lets one thread after the other use it."""
        return connection

    def made(self, connection: Connection) -> bool:
        """Whether the tables are there."""
        return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone() is not None

    def begin(self, connection: Connection) -> None:
        """SQLite's own lock is taken at once."""
        connection.execute("BEGIN IMMEDIATE")

    def sends(self, connection: Connection) -> None:
        """Whatever is run is done at once."""

    def while_committing(self, connection: Connection, work: Callable[[], None]) -> None:
        """A file answers at once."""

    def scrub(self, connection: Connection) -> bool:
        """Fold the write-ahead log in and empty it. False: a reader is in."""
        return not connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]

    def lease(self, wait: bool = True) -> AbstractContextManager[None]:
        """The right to seal."""
        return FileLeases(self.path.parent).lease(self.path.name, wait)

    @property
    def unless_leased(self) -> None:
        """The lease is a lock of the system, not of the database."""

    def close(self) -> None:
        """A lease closes its own file."""

    def hurry(self, connection: Connection) -> None:
        """No commit waits for the disk."""
        connection.execute("PRAGMA synchronous = OFF")

    def copied(self) -> AbstractContextManager[Path]:
        """The file itself."""
        return nullcontext(self.path)


def open_for_writing(path: Path | str) -> sqlite3.Connection:
    """A connection with the durability that evidence needs; deleted bytes are overwritten."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


def export(ledger: Connection, target: Path) -> None:
    """A copy of a ledger of any engine in one file, consistent, that `verify_copy` can check anywhere."""
    if isinstance(ledger, sqlite3.Connection):
        with closing(sqlite3.connect(target)) as copy:
            ledger.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE").fetchall()
        return
    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        copy.execute("BEGIN")
        for statement in history.SCHEMA:
            copy.execute(statement)
        for (table,) in copy.execute(_OWN_TABLES).fetchall():
            columns = [name for _, name, *_ in copy.execute(f"PRAGMA table_info({table})")]
            marks = ", ".join("?" * len(columns))
            rows = ledger.execute(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608 - names of our own schema
            copy.executemany(f"INSERT INTO {table} VALUES({marks})", rows)
        copy.execute("COMMIT")


def copy(source: Path, target: Path) -> None:
    """A copy of a file while others use it: whole, of one instant, durable, for the owner alone. `target` is new.

    Raises StoreFailed; then there is no copy.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    reads = f"file:{source}?mode=ro"
    try:
        with closing(sqlite3.connect(reads, uri=True)) as live, closing(sqlite3.connect(target)) as made:
            live.backup(made)
            made.execute("PRAGMA journal_mode = DELETE").fetchall()
    except sqlite3.OperationalError as failure:
        target.unlink()
        raise StoreFailed(f"{source} was not copied to {target} ({failure}): make room on both disks") from failure
    for path in (target, target.parent):
        _sync(path)


def _sync(path: Path) -> None:
    """A file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def declared_columns(statements: Iterable[str]) -> set[str]:
    """The columns that statements of a schema make, as `table.column`."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in statements:
            connection.execute(statement)
        return {f"{table}.{column}" for table, column in connection.execute(_COLUMNS)}


def connect(path: Path) -> sqlite3.Connection:
    """A connection with durability and erasure switched on. Raises StoreFailed."""
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
        for pragma in _PRAGMAS:
            connection.execute(pragma)
    except sqlite3.OperationalError as failure:
        said = f"{path} can't be opened ({failure}): make room on its disk, and see that this user may write there"
        raise StoreFailed(said) from failure
    return connection


def create(path: Path, name: str) -> None:
    """Make the file of a place. Raises StoreFailed when it is there already."""
    if path.exists():
        raise StoreFailed(f"{path} is there already; open the home instead of making it")
    connection = connect(path)
    os.chmod(path, 0o600)
    connection.execute("BEGIN IMMEDIATE")
    for statement in (*schema.PLACES[name], *schema.STAMP):
        connection.execute(statement)
    connection.execute("INSERT INTO meta(key, value) VALUES('schema', ?)", (str(schema.VERSION),))
    connection.execute("COMMIT")
    connection.close()
