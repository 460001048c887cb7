"""The journal of a place: an effect and the batch that proves it are committed together, or neither is.

Every place (`active`, `separated`, `keys`) has the tables below. Its writer adds batches inside the transaction that
the caller has open; the sealer copies them to the ledger and drops them. `stream_head` outlives that, so a place knows
how far its own streams had come and an old copy of it is noticed; `meta` holds the newest checkpoint it has seen.

    writer = JournalWriter("active", incarnation, mac_key, salt_source)
    connection.execute("BEGIN IMMEDIATE")
    ...                                     # the effect
    writer.append(connection, entries, at)
    connection.execute("COMMIT")
    writer.committed()                      # or writer.rolled_back(); writer.settled(connection) when not known which
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from upheld.errors import UpheldError
from upheld.ledger.batch import SALT_LENGTH, Batch, Head, batch_of
from upheld.ledger.entries import KINDS, BatchClass, Entry, stream_name

SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS journal(
        stream TEXT NOT NULL, n INTEGER NOT NULL, class INTEGER NOT NULL, header BLOB NOT NULL, body_hash BLOB NOT NULL,
        body BLOB NOT NULL, mac BLOB NOT NULL, PRIMARY KEY(stream, n)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS stream_head(
        stream TEXT NOT NULL PRIMARY KEY, n INTEGER NOT NULL, hash BLOB NOT NULL) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS meta(key TEXT NOT NULL PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
)
_INSERT_BATCH: Final = "INSERT INTO journal(stream, n, class, header, body_hash, body, mac) VALUES(?, ?, ?, ?, ?, ?, ?)"
_INSERT_HEAD: Final = "INSERT INTO stream_head(n, hash, stream) VALUES(?, ?, ?)"
_MOVE_HEAD: Final = "UPDATE stream_head SET n = ?, hash = ? WHERE stream = ? AND n = ?"
_SELECT_HEADS: Final = "SELECT stream, n, hash FROM stream_head ORDER BY stream"
_SELECT_HEAD: Final = "SELECT n, hash FROM stream_head WHERE stream = ?"
# Columns are cast: who writes to the tables can put a text where bytes belong; that must be found, not crash.
_SELECT_BATCHES: Final = """
    SELECT stream, CAST(n AS INTEGER), CAST(class AS INTEGER), CAST(ifnull(header, '') AS BLOB),
           CAST(ifnull(body_hash, '') AS BLOB), CAST(ifnull(body, '') AS BLOB), CAST(ifnull(mac, '') AS BLOB)
    FROM journal WHERE stream = ? AND n > ? ORDER BY n LIMIT ?"""
_SELECT_STREAMS: Final = "SELECT DISTINCT stream FROM journal ORDER BY stream"
_SELECT_CHECKPOINT: Final = "SELECT value FROM meta WHERE key = 'checkpoint'"
_KEEP_CHECKPOINT: Final = (
    "INSERT INTO meta(key, value) VALUES('checkpoint', ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value"
)
_DELETE_SEALED: Final = "DELETE FROM journal WHERE stream = ? AND n <= ?"


class JournalMisused(UpheldError):
    """The writer was called in an order that could lose or double evidence: a bug of the caller."""


class JournalTorn(UpheldError):
    """The journal of a place does not hold what its writer knows it wrote: another writer, or an old copy."""


def create_journal(connection: sqlite3.Connection) -> None:
    """Makes the tables of a journal where they are not there yet."""
    for statement in SCHEMA:
        connection.execute(statement)


class JournalWriter:
    """The one writer of a place's journal. It keeps the end of each of its streams in memory; one thread at a time.

    Args:
        place: code of the place.
        incarnation: an id never used before, one per start of the process.
        mac_key: 32 bytes that are kept outside every database.
        salt_source: gives so many random bytes.
        continues: for policies and classes, the stream and the head that this incarnation goes on from, where that is
            certain.
    """

    def __init__(
        self,
        place: str,
        incarnation: str,
        mac_key: bytes,
        salt_source: Callable[[int], bytes],
        continues: Mapping[tuple[str, BatchClass], tuple[str, Head]] | None = None,
    ) -> None:
        self.place = place
        self.incarnation = incarnation
        self._mac_key = mac_key
        self._salt_source = salt_source
        self._continues = dict(continues or {})
        self._after: dict[str, tuple[str, int]] = {}
        self._heads: dict[str, Head] = {}
        self._pending: dict[str, Head] = {}
        self._names: dict[tuple[str, BatchClass], str] = {}

    def append(self, connection: sqlite3.Connection, entries: Sequence[Entry], at: int) -> None:
        """Writes the entries as batches, one per policy and class, in the transaction that is open on `connection`.

        `at` is the instant of writing. Nothing is written when one entry is refused.

        Raises:
            EntryRefused: an entry is not in the table of kinds.
            JournalMisused: no transaction is open.
            JournalTorn: somebody else wrote to one of these streams.
        """
        if not connection.in_transaction:
            raise JournalMisused("evidence is written in the transaction of what it proves; none is open")
        ready = [(self._next(key, group, at), key[1]) for key, group in grouped(entries)]
        for (stream, n, batch), batch_class in ready:
            connection.execute(
                _INSERT_BATCH, (stream, n, int(batch_class), batch.header, batch.body_hash, batch.body, batch.mac)
            )
            if n == 1:
                connection.execute(_INSERT_HEAD, (n, batch.leaf, stream))
            elif connection.execute(_MOVE_HEAD, (n, batch.leaf, stream, n - 1)).rowcount != 1:
                raise JournalTorn(f"{stream} does not end with batch {n - 1}: somebody else wrote to it")
            self._pending[stream] = Head(n, batch.leaf)

    def _next(self, key: tuple[str, BatchClass], entries: Sequence[Entry], at: int) -> tuple[str, int, Batch]:
        stream = self._names.get(key) or self._begun(key)
        head = self._pending.get(stream) or self._heads[stream]
        after = self._after.get(stream) if head.n == 0 else None
        batch = batch_of(entries, stream, key[1], head, at, self._salt_source(SALT_LENGTH), self._mac_key, after)
        return stream, head.n + 1, batch

    def _begun(self, key: tuple[str, BatchClass]) -> str:
        stream = self._names[key] = stream_name(self.place, *key, self.incarnation)
        before = self._continues.get(key)
        self._heads[stream] = Head() if before is None else Head(0, before[1].hash)
        if before is not None:
            self._after[stream] = (before[0], before[1].n)
        return stream

    def committed(self) -> None:
        """The transaction of the last `append` is durable: the streams end there now."""
        self._heads.update(self._pending)
        self._pending.clear()

    def rolled_back(self) -> None:
        """The transaction of the last `append` did not happen: the streams end where they did."""
        self._pending.clear()

    def settled(self, connection: sqlite3.Connection) -> bool:
        """Reads in the place what became of a transaction whose outcome is not known: True when it was committed.

        Raises:
            JournalTorn: the place holds neither the old nor the new end of a stream. Go on with a new incarnation.
        """
        outcomes = {self._outcome(connection, stream, head) for stream, head in self._pending.items()}
        if len(outcomes) > 1:
            raise JournalTorn("half of a transaction is there")
        if outcomes == {True}:
            self.committed()
            return True
        self.rolled_back()
        return False

    def _outcome(self, connection: sqlite3.Connection, stream: str, pending: Head) -> bool:
        row = connection.execute(_SELECT_HEAD, (stream,)).fetchone()
        found = Head() if row is None else Head(*row)
        before = self._heads[stream]
        if found == pending:
            return True
        if found == before or (row is None and before.n == 0):
            return False
        raise JournalTorn(f"{stream} ends with batch {found.n}, neither {before.n} nor {pending.n}")


def grouped(entries: Sequence[Entry]) -> list[tuple[tuple[str, BatchClass], Sequence[Entry]]]:
    """The entries by policy and class, in the order given."""
    if len(entries) == 1:
        return [((entries[0].policy, _class_of(entries[0])), entries)]
    groups: dict[tuple[str, BatchClass], list[Entry]] = {}
    for each in entries:
        groups.setdefault((each.policy, _class_of(each)), []).append(each)
    return list(groups.items())


def _class_of(each: Entry) -> BatchClass:
    kind = KINDS.get(each.kind)
    # An unknown kind is refused by the encoder, which names it; until then it counts as evidence.
    return BatchClass.EVIDENCE if kind is None else kind.batch_class


def heads_of(connection: sqlite3.Connection) -> dict[str, Head]:
    """The end of every stream that this place has ever written, by stream."""
    return {stream: Head(n, digest) for stream, n, digest in connection.execute(_SELECT_HEADS)}


def checkpoint_seen(connection: sqlite3.Connection) -> str | None:
    """The newest checkpoint that this place has been told of, as a signed note."""
    row = connection.execute(_SELECT_CHECKPOINT).fetchone()
    return None if row is None else str(row[0])


class JournalRow(NamedTuple):
    """A batch as it stands in the journal of a place: nothing of it is checked yet."""

    stream: str
    n: int
    batch_class: int
    header: bytes
    body_hash: bytes
    body: bytes
    mac: bytes


def streams_in(connection: sqlite3.Connection) -> tuple[str, ...]:
    """The streams of which the journal still holds batches."""
    return tuple(stream for (stream,) in connection.execute(_SELECT_STREAMS))


def batches_after(connection: sqlite3.Connection, stream: str, n: int, limit: int) -> list[JournalRow]:
    """At most `limit` batches of the stream that follow batch `n`, in order."""
    return [JournalRow(*row) for row in connection.execute(_SELECT_BATCHES, (stream, n, limit))]


def drop_sealed(connection: sqlite3.Connection, sealed: Mapping[str, int], checkpoint: str) -> int:
    """Drops each stream's batches up to the n that is sealed and keeps the checkpoint. Returns how many went."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        dropped = sum(connection.execute(_DELETE_SEALED, each).rowcount for each in sealed.items())
        connection.execute(_KEEP_CHECKPOINT, (checkpoint,))
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return dropped
