"""PostgreSQL: a place is a schema of a database. What a transaction claims are advisory locks that end with it.

Statements are written once, plainly; the few words that PostgreSQL spells otherwise are exchanged here, once for each
statement. Hashing and encrypting is done in Python: any server from version 15 will do.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import cache, lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from time import sleep
from typing import Any, Final

from upheld.dates import Instant
from upheld.errors import StoreFailed
from upheld.store import schema, scrubbing
from upheld.store.engine import CLAIMED, Change, Claim, Connection, Overtaken, Proof, Question, Rows, Underway, array
from upheld.store.leases import SCRUB, HomeInUse, LeaseHeld, Part
from upheld.store.postgres_connection import PostgresConnection
from upheld.store.postgres_rows import PostgresRows
from upheld.store.scrubbing import Rewriting
from upheld.store.spelling import changing_one
from upheld.store.sqlite import export

_COLUMNS: Final = (
    "SELECT table_name, column_name FROM information_schema.columns "
    "WHERE table_schema = current_schema() AND table_name <> 'alembic_version'"
)
_IN_THE_CLEAR: Final = (
    "SELECT NOT ssl AND inet_client_addr() IS NOT NULL AND inet_client_addr() <> inet_server_addr() "
    "FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
)
_MAY_READ: Final = "SELECT has_table_privilege(?, 'SELECT')"
LEDGER: Final = "ledger"
_MAY_SEAL: Final = f"SELECT has_table_privilege('{LEDGER}.batch', 'INSERT')"
_OURS: Final = 0x55_70_68
"""Leads the numbers of our advisory locks, which all applications of a database share."""
_NAMED: Final = 0x55_70_6E << 32
"""Leads the numbers of what is claimed by name. Two names in four thousand million share one: then they wait for each
other as if they were one, and nothing else comes of it.
"""
MOST_CLAIMED: Final = 256
"""Names that a transaction claims one by one; who wants more takes the place. The server has room for
`max_locks_per_transaction` (64) times `max_connections` locks in all.
"""
_RUN_BITS: Final = 32

__all__ = ["PostgresConnection", "PostgresPlace", "PostgresRows"]


class PostgresPlace:
    """The schema of one place. `address` is a `postgresql://` URL or a connection string."""

    counts_commits = False
    sends_late = True

    stores_buckets = True

    failures: tuple[type[BaseException], ...] = ()
    """All that its driver raises comes as `StoreFailed`."""

    def __init__(self, address: str, place: str, rewriting: Rewriting = Rewriting(), *, awake: bool = True) -> None:
        self.address = address
        self.awake = awake
        """Whether the answer to what goes straight may be waited for awake."""
        self.place = place
        self.rewriting = rewriting
        self._quiet = Instant(0), Instant(0)
        self._version = 0

    def connect(self) -> PostgresConnection:
        """A connection; commits wait for the disk of the server."""
        return PostgresConnection(self.address, self.place, awake=self.awake)

    def held(self) -> AbstractContextManager[None]:
        """The turn is taken inside the transaction: see `begin`."""
        return nullcontext()

    def close(self) -> None:
        """Nothing but the connection was held."""

    def begin(self, connection: Connection, claim: Claim | None = None, asks: Question | None = None) -> Rows | None:
        """Open a transaction that claims this; the server gives it on when the transaction ends. Nothing waits for the
        answer yet: see `granted`.

        The place first, then names by their number: whoever waits has asked for nothing smaller since, so nobody waits
        in a circle. Statements after this one see whatever those before us have committed.
        """
        assert isinstance(connection, PostgresConnection)
        connection.begin(_locks(self.place, claim))
        if asks is None:
            return None
        found = connection.execute(*asks)
        connection.post()
        return found

    def recorded(
        self,
        connection: Connection,
        reads: Collection[str],
        asks: Callable[[], Proof],
        records: Callable[[], Sequence[Question]],
        meanwhile: Callable[[], None],
    ) -> list[Any] | None:
        """The proof is a statement after that of the locks, and sees what was committed until they were had."""
        assert isinstance(connection, PostgresConnection)
        if len(reads) > MOST_CLAIMED:
            return None
        locks = self._locks_of_readers(reads)
        return connection.whole(locks, asks, records, meanwhile, awake=len(reads) <= _QUICK)

    def launched(
        self,
        connection: Connection,
        reads: Collection[str],
        proof: Proof,
        records: Callable[[], Sequence[Question]],
        meanwhile: Callable[[], None],
    ) -> Underway | None:
        """As `recorded`, in two parts: what claims and what asks are one."""
        assert isinstance(connection, PostgresConnection)
        if len(reads) > MOST_CLAIMED:
            return None
        return connection.launch(self._locks_of_readers(reads), proof, records, meanwhile)

    def _locks_of_readers(self, reads: Collection[str]) -> Question:
        whole = _lock_of_place(self.place)
        if len(reads) == 1:  # as `_locks`, spelled out
            [name] = reads
            return _OF_ONE_READ, (whole, _lock_of_name(self.place, name))
        if not reads:
            return _OF_NONE, (whole,)
        return _MANY_READ, (array((whole, *sorted(_numbers_of(self.place, reads)))),)

    def begin_adding(self, connection: Connection, name: str, claims: Question) -> bool:
        """With locks that are there at once or not at all: an instant that was taken before them is older than what
        they keep out by no more than the way of a message.
        """
        assert isinstance(connection, PostgresConnection)
        statement, given = claims
        word, before = _claiming(statement)
        locks = (_lock_of_place(self.place), _lock_of_name(self.place, name))
        return connection.begin_with(((word, (*given[:before], *locks, *given[before:])),))

    def go_on_adding(self, connection: Connection, changes: Sequence[Change]) -> None:
        """The server is still at work on what came before, or nearly so, and need not be woken."""
        assert isinstance(connection, PostgresConnection)
        connection.go_on_with(_said(changes))

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
        """As `recorded`, with locks as in `begin_adding`. The server is at work on the changes while the evidence is
        made.
        """
        assert isinstance(connection, PostgresConnection)
        said = _said(changes)
        if not begun:
            said.insert(0, (_OF_ONE_AT_ONCE, (_lock_of_place(self.place), _lock_of_name(self.place, name))))
        return connection.changes(said, records, Overtaken("somebody is or was in the way"), meanwhile, begun=begun)

    def adds_early(
        self,
        connection: Connection,
        names: Collection[str],
        changes: Sequence[Change],
        records: Callable[[], Sequence[Question]],
    ) -> bool:
        """Its locks are there at once or not at all, so nobody can wait in a circle for who has them that long."""
        assert isinstance(connection, PostgresConnection)
        if len(names) > _TWO:
            return False
        several = _OF_ONE_AT_ONCE if len(names) == 1 else _OF_TWO_AT_ONCE
        locks = (_lock_of_place(self.place), *(_lock_of_name(self.place, one) for one in names))
        said = [(changing_one(one.statement) if one.one else one.statement, one.parameters) for one in changes]
        return connection.begin_changes([(several, locks), *said], records)

    def ends_early(self, connection: Connection, meanwhile: Callable[[], None]) -> bool:
        """One word, and the disk."""
        assert isinstance(connection, PostgresConnection)
        return connection.end_changes(Overtaken("somebody is or was in the way"), meanwhile)

    def forgets_early(self, connection: Connection) -> None:
        """Taken back at once, with its locks."""
        assert isinstance(connection, PostgresConnection)
        connection.abandon()

    def granted(self, connection: Connection) -> None:
        """Wait until what was claimed is ours."""
        assert isinstance(connection, PostgresConnection)
        connection.begun()

    def settled(self, connection: Connection) -> None:
        """Send what waits, so that it fails here if it does."""
        assert isinstance(connection, PostgresConnection)
        connection.settled()

    def sends(self, connection: Connection) -> None:
        """The server begins with it."""
        assert isinstance(connection, PostgresConnection)
        connection.push()

    def while_committing(self, connection: Connection, work: Callable[[], None]) -> None:
        """The message is on its way, and the server at work on it."""
        assert isinstance(connection, PostgresConnection)
        connection.besides = work

    def claim_more(self, connection: Connection, names: Collection[str]) -> bool:
        """Asks and never waits, so the order in which everybody waits stays as it is."""
        numbers = {_lock_of_name(self.place, name) for name in names}
        listed = f"{{{','.join(map(str, numbers))}}}"
        return int(connection.execute(_MORE, (listed,)).fetchone()[0]) == len(numbers)

    def first_row(self, incarnation: str) -> int | None:
        """A run of numbers for each writer: a sequence would show rows of one writer before earlier ones of another.

        Two of a thousand writers with unsealed rows have the same run with a chance of one in four thousand; then the
        later one is refused until the rows of the other are sealed.
        """
        return (zlib.crc32(incarnation.encode()) & 0x7FFF_FFFF) << _RUN_BITS

    def version(self, connection: Connection) -> int:
        """PostgreSQL does not count the commits of others: every view is compared with its own epoch."""
        self._version += 1
        return self._version

    @contextmanager
    def soon(self, connection: Connection) -> Iterator[None]:
        """Inside the block a commit need not wait for the disk. Each transaction says so with its first message."""
        assert isinstance(connection, PostgresConnection)
        before, connection.soon = connection.soon, True
        try:
            yield
        finally:
            connection.soon = before

    def put_soon(self, connection: Connection, name: str, rows: Sequence[Question]) -> bool:
        """One message, and nobody waits for its answer."""
        assert isinstance(connection, PostgresConnection)
        return connection.say(((_SOON, ()), _locks(self.place, Claim((name,))), *rows))

    def line(self, connection: Connection) -> int | None:
        """A server that falls over ends every connection."""
        assert isinstance(connection, PostgresConnection)
        return connection.opened

    def outlast(self, connection: Connection) -> None:
        """A commit that has something in the log waits until all of the log before it is on the disk."""
        connection.execute(_OUTLAST).fetchone()

    def flush(self) -> None:
        """The server answers a commit when it is on its disk, and shows it to nobody before."""

    def rebuild(self, connection: Connection, removed: int) -> None:
        """Rows that only lie about are ciphertext; their keys are what counts, and `scrub` sees to those."""

    def scrub(self, connection: Connection, tables: Collection[str] | None = None, at: Instant | None = None) -> bool:
        """Dead rows leave their pages; tables of keys are written anew, large ones once in a while (`scrubbing.py`).

        The log of the server keeps what was in a row for a time of its own: `store/remains.py` measures it, and the
        certificate counts it in. Raises StoreFailed where this user may not.
        """
        assert isinstance(connection, PostgresConnection)
        return scrubbing.scrub(connection, self.place, tables, self.rewriting, at)

    def to_write_anew(self, connection: Connection, at: Instant, early: bool = False) -> tuple[str, ...]:
        """Asked by every sweep, so it is remembered from when on the answer can be another: what anybody notes from now
        on is not due before.
        """
        asked, quiet_until = self._quiet
        if not early and asked <= at < quiet_until:
            return ()
        known = scrubbing.remembered(connection)
        due = tuple(table for table, since in known.items() if early or self.rewriting.is_due(since, at))
        self._quiet = at, at if due else min(map(self.rewriting.due_at, (at, *known.values())))
        return due

    def write_anew(self, connection: Connection, tables: Collection[str], at: Instant) -> bool:
        """Whether their time is not over though somebody can still see what is dead in some of them."""
        assert isinstance(connection, PostgresConnection)
        left = scrubbing.write_anew(connection, self.place, tables, self.rewriting)
        return all(at < self.rewriting.over_at(since) for since in left.values())

    def hurry(self, connection: Connection) -> None:
        """No commit waits for the disk."""
        connection.execute("SET synchronous_commit = off")

    def files(self) -> tuple[Path, ...]:
        """None that this machine has."""
        return ()

    def columns(self, connection: Connection) -> set[str]:
        """Every column that is there, as `table.column`."""
        return {f"{table}.{column}" for table, column in connection.execute(_COLUMNS)}

    def in_the_clear(self, connection: Connection) -> bool:
        """As the server sees this very connection: from another address than its own, and without TLS."""
        row = connection.execute(_IN_THE_CLEAR).fetchone()
        return bool(row and row[0])

    def may_read(self, connection: Connection, table: str) -> bool:
        """Whether a role of this user has been given it: see `grants`."""
        row = connection.execute(_MAY_READ, (f"{self.place}.{table}",)).fetchone()
        return bool(row and row[0])


class _ForReaders:
    """A connection by which any thread may ask: one message after the other, each answered before the next."""

    def __init__(self, inner: PostgresConnection) -> None:
        self._inner = inner
        self._one_at_a_time = Lock()

    @property
    def in_transaction(self) -> bool:
        return self._inner.in_transaction

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> Rows:
        with self._one_at_a_time:
            return self._inner.execute(statement, parameters)

    def executemany(self, statement: str, parameters: Iterable[Sequence[Any]], /) -> Rows:
        with self._one_at_a_time:
            return self._inner.executemany(statement, parameters)

    def answers(self, questions: Sequence[Question]) -> list[list[Any]]:
        with self._one_at_a_time:
            return self._inner.answers(questions)

    def close(self) -> None:
        with self._one_at_a_time:
            self._inner.close()


class PostgresLedger:
    """The schema of the ledger. Who verifies it gets a copy in a file."""

    failures: tuple[type[BaseException], ...] = ()

    def __init__(self, address: str) -> None:
        self.address = address
        self._leases = PostgresLeases(address)

    def connect(self) -> PostgresConnection:
        """A connection; commits wait for the disk of the server."""
        return PostgresConnection(self.address, LEDGER)

    def may_write(self, connection: Connection) -> bool:
        """Whether a role of this user seals: see `grants`."""
        return bool(connection.execute(_MAY_SEAL).fetchone()[0])

    def for_readers(self, connection: Connection) -> Connection:
        """One of its own: messages of two threads on one line would answer each other."""
        return _ForReaders(self.connect())

    def made(self, connection: Connection) -> bool:
        """Whether the tables are there."""
        return connection.execute("SELECT to_regclass(?)", (f"{LEDGER}.meta",)).fetchone()[0] is not None

    def begin(self, connection: Connection) -> None:
        """Open a transaction; the lease keeps other sealers out.

        What a row refers to is looked for by its key. The server plans that once for a connection, and for a ledger
        that was empty then by going through all of it: until it next counts the rows a seal would cost them squared.
        """
        connection.execute("BEGIN")
        connection.execute(_BY_KEY)

    def scrub(self, connection: Connection) -> bool:
        """Dead rows leave their pages."""
        connection.execute("VACUUM body")
        return True

    def lease(self, wait: bool = True) -> AbstractContextManager[None]:
        """The right to seal."""
        return self._leases.lease(LEDGER, wait)

    @property
    def unless_leased(self) -> Question:
        """The lock of the lease, as one of the transaction: a session that has it is another."""
        return _UNLESS_LEASED, (_lock_of(LEDGER),)

    def close(self) -> None:
        """Give the sessions of leases back."""
        self._leases.close()

    def sends(self, connection: Connection) -> None:
        """The server begins with it."""
        assert isinstance(connection, PostgresConnection)
        connection.push()

    def while_committing(self, connection: Connection, work: Callable[[], None]) -> None:
        """The message is on its way, and the server at work on it."""
        assert isinstance(connection, PostgresConnection)
        connection.besides = work

    def hurry(self, connection: Connection) -> None:
        """No commit waits for the disk."""
        connection.execute("SET synchronous_commit = off")

    @contextmanager
    def copied(self) -> Iterator[Path]:
        """A copy in a folder of its own, gone after the block."""
        with TemporaryDirectory(prefix="upheld-") as folder, closing(self.connect()) as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            target = Path(folder) / "ledger.db"
            export(connection, target)
            yield target


def check_free(address: str, place: str) -> None:
    """Whether a place could be made there. Raises StoreFailed where it is already, or the server can't be reached."""
    with closing(PostgresConnection(address, place)) as connection:
        if connection.execute("SELECT 1 FROM information_schema.schemata WHERE schema_name = ?", (place,)).fetchone():
            raise StoreFailed(f"{place} is there already in this database; open the home instead of making it")


def create(address: str, place: str) -> None:
    """Make the schema of a place. Raises StoreFailed when it is there already."""
    check_free(address, place)
    connection = PostgresConnection(address, place)
    try:
        connection.execute("BEGIN")
        connection.execute(f"CREATE SCHEMA {place}")
        if place in schema.PLACES:
            for statement in (*schema.PLACES[place], *schema.ON_A_SERVER[place], *schema.STAMP):
                connection.execute(statement)
            for statement in scrubbing.UNSAMPLED.values() if place == "keys" else ():
                connection.execute(statement)
            connection.execute("INSERT INTO meta(key, value) VALUES('schema', ?)", (str(schema.VERSION),))
        connection.execute("COMMIT")
    finally:
        connection.close()


class PostgresPresence:
    """Presence as a shared advisory lock of a session."""

    def __init__(self, connection: PostgresConnection) -> None:
        self._connection = connection
        if not _granted(connection, "SELECT pg_try_advisory_lock_shared(?)", "home"):
            connection.close()
            raise HomeInUse("another process recovers this home; open it when that is over")

    def close(self) -> None:
        """Leave."""
        self._connection.close()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else has the home open, or opens it meanwhile. Raises HomeInUse."""
        if not _granted(self._connection, "SELECT pg_try_advisory_lock(?)", "home-alone"):
            raise HomeInUse("another process recovers this home already")
        try:
            _granted(self._connection, "SELECT pg_advisory_unlock_shared(?)", "home")
            if not self._alone_at_last():
                _granted(self._connection, "SELECT pg_try_advisory_lock_shared(?)", "home")
                raise HomeInUse("another process has this home open; stop it, then recover")
            try:
                yield
            finally:
                _granted(self._connection, "SELECT pg_try_advisory_lock_shared(?)", "home")
                _granted(self._connection, "SELECT pg_advisory_unlock(?)", "home")
        finally:
            _granted(self._connection, "SELECT pg_advisory_unlock(?)", "home-alone")

    def _alone_at_last(self) -> bool:
        """A process that has just left is noticed by the server a moment later."""
        self._connection.execute("SET lock_timeout = '2s'")
        try:
            self._connection.execute("SELECT pg_advisory_lock(?)", (_lock_of("home"),))
        except StoreFailed:
            return False
        finally:
            self._connection.execute("RESET lock_timeout")
        return True


class PostgresLeases:
    """Leases as advisory locks of sessions: they end with the process, on whatever host it ran.

    A session that held one is kept for the next: it costs the server a process to make. Each lease has a session of its
    own while it is held, since a session would give itself twice what it has.
    """

    groups = 16

    def __init__(self, address: str) -> None:
        self._address = address
        self._idle: list[PostgresConnection] = []

    @contextmanager
    def lease(self, name: str, wait: bool = True, shared: bool = False) -> Iterator[None]:
        """Hold a right for the block. Raises LeaseHeld when another holds it and `wait` is False.

        Who waits in the server waits in a statement, and whatever was there when that began can be seen by it: who
        scrubs would wait for those who wait for them. So the right to scrub is asked for again and again.
        """
        kind = "_shared" if shared else ""
        with self._session() as session:
            if wait and name == SCRUB:
                pause = 0.002
                while not _granted(session, "SELECT pg_try_advisory_lock(?)", name):
                    sleep(pause)
                    pause = min(pause * 2, 0.05)
            elif wait:
                session.execute(f"SELECT pg_advisory_lock{kind}(?)", (_lock_of(name),))
            elif not _granted(session, f"SELECT pg_try_advisory_lock{kind}(?)", name):
                raise LeaseHeld(f"another process holds `{name}`")
            yield

    @contextmanager
    def free(self, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """Hold those rights for the block that nobody has, asked for in one message."""
        with self._session() as session:
            asked = ", ".join(f"pg_try_advisory_lock({_lock_of(name)})" for name in names)
            granted = session.execute(f"SELECT {asked}").fetchone()
            yield tuple(name for name, ours in zip(names, granted, strict=True) if ours)

    @contextmanager
    def part(self, whole: str, name: str) -> Iterator[Part]:
        """Both are asked for in one message. Nobody waits until they are given back: whoever has the session next finds
        it done, anybody else a moment later.
        """
        session = self._any_session()
        asked = session.ask_early(_PART, (_lock_of(whole), _lock_of(name)))

        def back() -> None:
            try:
                _ = part.ours  # the answer is taken before anything else is said
                kept = session.say(((_HOLD_NOTHING, ()),))
            except StoreFailed:
                kept = False
            if kept:
                self._idle.append(session)
            else:
                session.close()  # and with it went what it held

        part = Part(lambda: bool(asked()[0][0]), back)
        try:
            yield part
        finally:
            part.give_back()

    def _any_session(self) -> PostgresConnection:
        try:
            return self._idle.pop()
        except IndexError:
            return PostgresConnection(self._address, "public")

    @contextmanager
    def _session(self) -> Iterator[PostgresConnection]:
        """A session for the block; it holds nothing when it is kept for the next."""
        session = self._any_session()
        try:
            yield session
        finally:
            try:
                session.execute(_HOLD_NOTHING)
                self._idle.append(session)
            except StoreFailed:
                session.close()  # and with it went what it held

    def close(self) -> None:
        """Give the sessions back."""
        while self._idle:
            self._idle.pop().close()

    def presence(self) -> PostgresPresence:
        """Have the home open. Raises HomeInUse while somebody else recovers."""
        return PostgresPresence(PostgresConnection(self._address, "public"))


def _locks(place: str, claim: Claim | None) -> Question:
    """What takes the locks that a transaction claims, in the order in which everybody takes them."""
    whole = _lock_of_place(place)
    if claim is None or len(claim.changes) + len(claim.reads) > MOST_CLAIMED:
        return _WHOLE, (whole,)
    if len(claim.reads) + len(claim.changes) == 1:
        several = _OF_ONE_READ if claim.reads else _OF_ONE_CHANGED
        return several, (whole, _lock_of_name(place, next(iter(claim.reads or claim.changes))))
    changes = _numbers_of(place, claim.changes)
    reads = _numbers_of(place, claim.reads) - changes
    if not reads and not changes:
        return _OF_NONE, (whole,)
    numbers = sorted(reads | changes)
    if not reads and len(numbers) == _TWO:
        return _OF_TWO_CHANGED, (whole, *numbers)
    if not changes:
        return _MANY_READ, (array((whole, *numbers)),)
    alone = ",".join("t" if one in changes else "f" for one in numbers)
    return _MANY, (f"{{{whole},{','.join(map(str, numbers))}}}", f"{{f,{alone}}}")


_AT_ONCE: Final = "pg_try_advisory_xact_lock_shared(?) AND pg_try_advisory_xact_lock(?)"
_OF_ONE_AT_ONCE: Final = f"SELECT 1 / CAST({_AT_ONCE} AS INT)"
_OF_TWO_AT_ONCE: Final = f"SELECT 1 / CAST({_AT_ONCE} AND pg_try_advisory_xact_lock(?) AS INT)"


@cache
def _claiming(statement: str) -> tuple[str, int]:
    """A statement that takes its locks itself, before it looks for any row, and divides by zero where they are not to
    be had; how many parameters stand before them.
    """
    before, _, after = statement.partition(CLAIMED)
    return f"{before}(SELECT 1 / CAST({_AT_ONCE} AS INT)) = 1{after}", before.count("?")


def _said(changes: Sequence[Change]) -> list[Question]:
    """Changes as they are sent: those that must change a row fail where they don't."""
    return [(changing_one(statement) if one else statement, given) for statement, given, one in changes]


_SOON: Final = "SELECT set_config('synchronous_commit', 'off', true)"
_OUTLAST: Final = "SELECT 1 FROM pg_logical_emit_message(true, 'upheld', CAST('' AS TEXT))"
_QUICK: Final = 16
"""For a message about more the server is at work longer than anybody waits awake."""
_BY_KEY: Final = "SELECT set_config('enable_seqscan', 'off', true)"
_WHOLE: Final = "SELECT pg_advisory_xact_lock(?)"
_OF_NONE: Final = "SELECT pg_advisory_xact_lock_shared(?)"
_OF_ONE_READ: Final = "SELECT pg_advisory_xact_lock_shared(?), pg_advisory_xact_lock_shared(?)"
_OF_ONE_CHANGED: Final = "SELECT pg_advisory_xact_lock_shared(?), pg_advisory_xact_lock(?)"
_TWO: Final = 2
_OF_TWO_CHANGED: Final = f"{_OF_ONE_CHANGED}, pg_advisory_xact_lock(?)"
_MANY: Final = (
    "SELECT count(*) FROM unnest(CAST(? AS BIGINT[]), CAST(? AS BOOL[])) AS claimed(number, alone) WHERE CASE "
    "WHEN alone THEN pg_advisory_xact_lock(number) ELSE pg_advisory_xact_lock_shared(number) END IS NOT NULL"
)
"""One after the other as they stand in the list, which is what keeps those that want the same from a circle."""
_MANY_READ: Final = (
    "SELECT count(pg_advisory_xact_lock_shared(number)) FROM unnest(CAST(? AS BIGINT[])) AS claimed(number)"
)


_HOLD_NOTHING: Final = "SELECT pg_advisory_unlock_all()"
_PART: Final = "SELECT pg_try_advisory_lock_shared(?) AND pg_try_advisory_lock(?)"
_UNLESS_LEASED: Final = "SELECT 1 / CAST(pg_try_advisory_xact_lock(?) AS INT)"
_MORE: Final = (
    "SELECT count(*) FROM unnest(CAST(? AS BIGINT[])) AS claimed(number) WHERE pg_try_advisory_xact_lock(number)"
)


@lru_cache(maxsize=16)
def _lock_of_place(place: str) -> int:
    return _lock_of(f"turn {place}")


def _lock_of_name(place: str, name: str) -> int:
    return _NAMED | zlib.crc32(name.encode(), _seed_of(place))


@lru_cache(maxsize=16)
def _seed_of(place: str) -> int:
    """Where the numbers of a place's names begin: the same name is another one elsewhere."""
    return zlib.crc32(place.encode())


def _numbers_of(place: str, names: Iterable[str]) -> set[int]:
    """The numbers of a place's names. To reckon one is quicker than to find it among thousands that lie in memory."""
    seed, number = _seed_of(place), zlib.crc32
    return {_NAMED | number(name.encode(), seed) for name in names}


def _lock_of(name: str) -> int:
    return _OURS << 32 | zlib.crc32(name.encode())


def _granted(connection: PostgresConnection, statement: str, name: str) -> bool:
    return bool(connection.execute(statement, (_lock_of(name),)).fetchone()[0])
