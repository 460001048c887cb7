"""The journal of a place: an effect and the batch that proves it are committed together, or neither is.

Every place (`active`, `separated`, `keys`) has the tables below. Its writer adds batches inside the transaction that
the caller has open: one insert each, because it stands in the way of every read and write. The sealer copies them to
the ledger and drops them; `stream_head` says how far each stream had come then, so an old copy of the place is noticed,
and `meta` holds the newest checkpoint it has seen.

    writer = JournalWriter("active", incarnation, mac_key, salt_source)
    connection.execute("BEGIN IMMEDIATE")
    ...                                     # the effect
    writer.append(connection, entries, at)
    connection.execute("COMMIT")
    writer.committed()                      # or writer.rolled_back(); writer.settled(connection) when not known which
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple, cast

from upheld.errors import UpheldError
from upheld.ledger.batch import SALT_LENGTH, Batch, Head, batch_of, entry_salts, read_header
from upheld.ledger.entries import KINDS, BatchClass, Evidence, Written, stream_name
from upheld.ledger.merkle import leaf_hash
from upheld.store.engine import Connection, Question, Rows, answers, array, asks_at_once, sent_late
from upheld.store.journal_keys import FIRST, JournalKeys, named_in, names_key

SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS journal(
        id INTEGER PRIMARY KEY, header BLOB NOT NULL, body_hash BLOB NOT NULL, body BLOB NOT NULL,
        mac BLOB NOT NULL, bucket INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE IF NOT EXISTS stream_head(
        stream TEXT NOT NULL PRIMARY KEY, n INTEGER NOT NULL, hash BLOB NOT NULL) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS meta(key TEXT NOT NULL PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
)
LARGEST_BATCH: Final = 16_384

_INSERT_BATCH: Final = "INSERT INTO journal(id, header, body_hash, body, mac, bucket) VALUES(?, ?, ?, ?, ?, ?)"
# Where every message takes a while it is proved in passing that the place names the key that was written with: a batch
# without its MAC is none.
_INSERT_PROVED: Final = (
    "INSERT INTO journal(id, header, body_hash, body, mac, bucket) VALUES(?, ?, ?, ?, "
    "CASE WHEN ifnull((SELECT value FROM meta WHERE key = 'mac-key'), '') = ? THEN CAST(? AS BLOB) END, ?)"
)
_NAMED: Final = "'') = ? "


@cache
def _inserting_if(condition: str) -> str:
    return _INSERT_PROVED.replace(_NAMED, f"{_NAMED}AND {condition} ")


_SELECT_HEADER: Final = "SELECT header FROM journal WHERE bucket = ? AND id = ?"
_SELECT_LEAVES: Final = "SELECT header, body_hash FROM journal ORDER BY id"
_SELECT_CHECKPOINT: Final = "SELECT value FROM meta WHERE key = 'checkpoint'"
_SELECT_HEADS: Final = "SELECT stream, n, hash FROM stream_head ORDER BY stream"
_SELECT_HEAD: Final = "SELECT n, hash FROM stream_head WHERE stream = ?"
# Columns are cast: who writes to the tables can put a text where bytes belong; that must be found, not crash.
_SELECT_BATCHES: Final = """
    SELECT id, bucket, CAST(ifnull(header, '') AS BLOB), CAST(ifnull(body_hash, '') AS BLOB),
           CAST(ifnull(body, '') AS BLOB), CAST(ifnull(mac, '') AS BLOB)
    FROM journal WHERE id > ? ORDER BY id"""
_SELECT_OWN: Final = _SELECT_BATCHES.replace("ORDER BY", "AND id <= ? ORDER BY")
_RUN: Final = 32
"""Bits of the numbers of one writer's rows, where writers number them."""
# The first row of every writer: who numbers rows itself leaves runs that say nothing about the order between writers.
_SELECT_FIRST: Final = "SELECT header FROM journal WHERE id IN (SELECT min(id) FROM journal GROUP BY id >> 32)"
# The last row of every writer by one look at the index for each, and the checkpoint, which says when rows were dropped.
_SELECT_REACHED: Final = """
    SELECT top, CAST(NULL AS TEXT) FROM (
        WITH RECURSIVE writer(top) AS (
            SELECT max(id) FROM {0}journal
            UNION ALL SELECT (SELECT max(id) FROM {0}journal WHERE id < (top >> 32) << 32) FROM writer
                WHERE top IS NOT NULL)
        SELECT top FROM writer WHERE top IS NOT NULL) written
    UNION ALL SELECT CAST(NULL AS INTEGER), value FROM {0}meta WHERE key = 'checkpoint'"""
SEEN_BY: Final = "SELECT concat(pg_postmaster_start_time(), ' ', pg_backend_pid(), ' ', pg_current_snapshot())"
"""Which transactions a statement of this session can see. Where two are told the same, nothing was committed in the
whole server between them: a commit takes its number out of those that are under way, or is newer than the newest.
"""
_SELECT_ROWS: Final = """
    SELECT id, bucket, CAST(ifnull(header, '') AS BLOB), CAST(ifnull(body_hash, '') AS BLOB),
           CAST(ifnull(body, '') AS BLOB), CAST(ifnull(mac, '') AS BLOB)
    FROM journal WHERE id > ? AND id <= ? ORDER BY id"""
_KEEP_CHECKPOINT: Final = (
    "INSERT INTO meta(key, value) VALUES('checkpoint', ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value"
)
_KEEP_HEAD: Final = """
    INSERT INTO stream_head(stream, n, hash) VALUES(?, ?, ?)
    ON CONFLICT(stream) DO UPDATE SET n = excluded.n, hash = excluded.hash"""
_DELETE_BATCH: Final = "DELETE FROM journal WHERE bucket = ? AND id = ?"
# The same of many, as one statement that fails where one of them is not there.
_DELETE_ALL: Final = """
    WITH dropped AS (DELETE FROM journal WHERE (bucket, id) IN (
        SELECT * FROM unnest(CAST(? AS BIGINT[]), CAST(? AS BIGINT[]))) RETURNING 1)
    SELECT 1 / CAST(count(*) = ? AS INT) FROM dropped"""


_SELECT_HEADERS: Final = "SELECT header FROM journal"


class JournalMisused(UpheldError):
    """The writer was called in an order that could lose or double evidence: a bug of the caller."""


class JournalTorn(UpheldError):
    """The journal of a place does not hold what was just written to it."""


def create_journal(connection: Connection) -> None:
    """Makes the tables of a journal where they are not there yet."""
    for statement in SCHEMA:
        connection.execute(statement)


class JournalWriter:
    """The one writer of a place's journal. It keeps the end of each of its streams in memory; one thread at a time.

    Args:
        place: code of the place.
        incarnation: an id never used before, one per start of the process.
        mac_key: 32 bytes that are kept outside every database, or several of which the place names one.
        salt_source: gives so many random bytes.
        continues: for policies and classes, the stream and the head that this incarnation goes on from, where that is
            certain.
    """

    def __init__(
        self,
        place: str,
        incarnation: str,
        mac_key: bytes | JournalKeys,
        salt_source: Callable[[int], bytes],
        continues: Mapping[tuple[str, BatchClass], tuple[str, Head]] | None = None,
    ) -> None:
        self.place = place
        self.incarnation = incarnation
        self.keys = JournalKeys.of(mac_key)
        self._mark, self._mac_key = FIRST, self.keys.key(FIRST)
        self.asks = True
        """Whether the place is asked which key it names before each writing; otherwise that is proved in passing."""
        self._salt_source = salt_source
        self._drawn: tuple[bytes, bytes] | None = None
        """A salt that nothing was salted with yet, and that of a first entry drawn from it."""
        self._continues = dict(continues or {})
        self._after: dict[str, tuple[str, int]] = {}
        self._heads: dict[str, Head] = {}
        self._pending: dict[str, Head] = {}
        self._written: list[tuple[int, int, bytes]] = []
        self._names: dict[tuple[str, BatchClass], str] = {}
        self._row: int | None = None
        self.batches: list[JournalRow] = []
        """What was appended last, where rows are numbered here: there once it is committed."""

    def number_after(self, row: int | None) -> None:
        """From now on rows are numbered from here, without asking the place; None: the place numbers them.

        Numbers of one writer go up, so whoever sees a row of it sees every row before it.
        """
        self._row = row

    def asks_for_own(self, after: int | None) -> list[Question] | None:
        """What tells a `Stand` with the batches of this writer alone: those after a row, or all. None where the place
        numbers them, and so nobody can tell them apart.
        """
        if self._row is None:
            return None
        run = self._row >> _RUN << _RUN
        own = (run if after is None else after, run | (1 << _RUN) - 1)
        return [(_SELECT_CHECKPOINT, ()), (_SELECT_HEADS, ()), (_SELECT_OWN, own)]

    def follow(self, named: Rows) -> bool:
        """Write with the key that a place names, by the answer to `names_key`; whether that is another than before.

        Raises StoreFailed when this process does not have it.
        """
        mark = named_in(named)
        # The first key is what the keys say it is: it changes with them, its mark does not.
        moved, self._mac_key = mark != self._mark, self.keys.key(mark)
        self._mark = mark
        return moved

    def append(self, connection: Connection, entries: Sequence[Evidence], at: int, bucket: int = 0) -> None:
        """Writes the entries as batches, one per policy and class, in the transaction that is open on `connection`.

        `at` is the instant of writing; `bucket` that of the subject they go with. Nothing is written when one entry is
        refused; roll back then.

        Raises:
            EntryRefused: an entry is not in the table of kinds.
            JournalMisused: no transaction is open.
            StoreFailed: this process does not have the key that the place names.
        """
        if not connection.in_transaction:
            raise JournalMisused("evidence is written in the transaction of what it proves; none is open")
        if self.asks:
            self.follow(names_key(connection))
        ready = [self._next(key, group, at) for key, group in grouped(entries)]
        self.batches = []
        for batch in ready:
            row = self._row = None if self._row is None else self._row + 1
            statement, values = self._inserted(row, batch, bucket)
            made = connection.execute(statement, values)  # looked at only where the place numbers its rows
            self._written.append((bucket, cast(int, made.lastrowid) if row is None else row, batch.header))
            if row is not None:
                self.batches.append(JournalRow(row, bucket, batch.header, batch.body_hash, batch.body, batch.mac))

    def statements(
        self, entries: Sequence[Evidence], at: int, bucket: int, provided: Question | None = None
    ) -> list[Question]:
        """What `append` would run, for who sends it with what else happens; rows are numbered here. The server refuses
        them where a condition that is `provided` is not so by then.

        Raises:
            EntryRefused: an entry is not in the table of kinds.
            JournalMisused: the place numbers its rows, or has to be asked which key it names.
        """
        if self.asks:
            raise JournalMisused("which key this journal is written with is asked for in the transaction; use `append`")
        if self._row is None:
            raise JournalMisused("the place numbers the rows of this journal, so they are known when they are there")
        statements: list[Question] = []
        for key, group in grouped(entries):
            batch = self._next(key, group, at)
            self._row += 1
            statements.append(self._inserted(self._row, batch, bucket, provided))
            self._written.append((bucket, self._row, batch.header))
        return statements

    def _inserted(self, row: int | None, batch: Batch, bucket: int, provided: Question | None = None) -> Question:
        if self.asks:
            return _INSERT_BATCH, (row, batch.header, batch.body_hash, batch.body, batch.mac, bucket)
        named = self._mark.hex()
        if provided is None:
            return _INSERT_PROVED, (row, batch.header, batch.body_hash, batch.body, named, batch.mac, bucket)
        condition, given = provided
        proved = (row, batch.header, batch.body_hash, batch.body, named, *given, batch.mac, bucket)
        return _inserting_if(condition), proved

    def draw(self) -> None:
        """Draw the salt of the next batch, while nobody waits for it."""
        if self._drawn is None:
            self._drawn = self._salt()

    def _salt(self) -> tuple[bytes, bytes]:
        salt = self._salt_source(SALT_LENGTH)
        return salt, entry_salts(salt, 1)[0]

    def _next(self, key: tuple[str, BatchClass], entries: Sequence[Evidence], at: int) -> Batch:
        stream = self._names.get(key) or self._begun(key)
        head = self._pending.get(stream) or self._heads[stream]
        after = None if head.n else self._after.get(stream)
        (salt, first), self._drawn = self._drawn or self._salt(), None
        batch = batch_of(entries, stream, key[1], head, at, salt, self._mac_key, after, self._mark, first)
        self._pending[stream] = Head(head.n + 1, batch.leaf)
        return batch

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
        self.rolled_back()

    def rolled_back(self) -> None:
        """The transaction of the last `append` did not happen: the streams end where they did."""
        self._pending.clear()
        self._written.clear()

    def settled(self, connection: Connection) -> bool:
        """Reads in the place what became of a transaction whose outcome is not known: True when it was committed.

        Raises:
            JournalTorn: some of it is there and some is not. Go on with a new incarnation.
        """
        outcomes = {self._is_there(connection, *each) for each in self._written}
        if len(outcomes) > 1:
            raise JournalTorn(f"half of a transaction is there in `{self.place}`")
        if outcomes == {True}:
            self.committed()
            return True
        self.rolled_back()
        return False

    def _is_there(self, connection: Connection, bucket: int, row: int, header: bytes) -> bool:
        """In the journal, or sealed and dropped since."""
        if connection.execute(_SELECT_HEADER, (bucket, row)).fetchone() == (header,):
            return True
        read = read_header(header)
        sealed = connection.execute(_SELECT_HEAD, (read.stream,)).fetchone()
        return sealed is not None and sealed[0] >= read.n

    @property
    def numbers_to_be(self) -> dict[str, int]:
        """`numbers` as they are once what is pending is committed."""
        return {stream: head.n for stream, head in (self._heads | self._pending).items() if head.n}

    @property
    def numbers(self) -> dict[str, int]:
        """The number of the last batch of each stream that this incarnation has committed."""
        return {stream: head.n for stream, head in self._heads.items() if head.n}

    @property
    def heads(self) -> dict[str, Head]:
        """The end of each stream that this incarnation has committed: what the sealer must find."""
        return {stream: head for stream, head in self._heads.items() if head.n}


def grouped(entries: Sequence[Evidence]) -> list[tuple[tuple[str, BatchClass], Sequence[Evidence]]]:
    """The entries by policy and class, in the order given, as many as a batch may hold."""
    if len(entries) == 1:
        return [((entries[0].policy, _class_of(entries[0])), entries)]
    groups: dict[tuple[str, BatchClass], list[Evidence]] = {}
    for each in entries:
        groups.setdefault((each.policy, _class_of(each)), []).append(each)
    return [
        (key, group[start : start + LARGEST_BATCH])
        for key, group in groups.items()
        for start in range(0, len(group), LARGEST_BATCH)
    ]


def _class_of(each: Evidence) -> BatchClass:
    if isinstance(each, Written):
        return each.batch_class
    kind = KINDS.get(each.kind)
    # An unknown kind is refused by the encoder, which names it; until then it counts as evidence.
    return BatchClass.EVIDENCE if kind is None else kind.batch_class


def ends_of(connection: Connection) -> dict[str, Head]:
    """The end of every stream of this place when it was last sealed, as the place itself knows it."""
    return {stream: Head(n, digest) for stream, n, digest in connection.execute(_SELECT_HEADS)}


def heads_of(connection: Connection) -> dict[str, Head]:
    """The end of every stream that this place has ever written, sealed or not, as the place itself knows it."""
    heads = ends_of(connection)
    for header, body_hash in connection.execute(_SELECT_LEAVES):
        read = read_header(header)
        heads[read.stream] = Head(read.n, leaf_hash(header + body_hash))
    return heads


def checkpoint_seen(connection: Connection) -> str | None:
    """The newest checkpoint that this place has been told of, as a signed note."""
    row = connection.execute(_SELECT_CHECKPOINT).fetchone()
    return None if row is None else str(row[0])


class Stand(NamedTuple):
    """How a place stands when somebody comes to seal it."""

    seen: str | None
    """The newest checkpoint that it has been told of."""
    ends: dict[str, Head]
    """The end of every stream when it was last sealed, as the place itself knows it."""
    rows: list[tuple[Any, ...]] | None
    """What was written since, as it stands there; None where that costs no message of its own and is asked later."""


def stand_of(connection: Connection) -> Stand:
    """`checkpoint_seen`, `ends_of` and what there is to seal, in one message where every message takes a while."""
    at_once = asks_at_once(connection) is not None
    questions: list[Question] = [(_SELECT_CHECKPOINT, ()), (_SELECT_HEADS, ())]
    return stand_told(answers(connection, questions + ([(_SELECT_BATCHES, (-1,))] if at_once else [])))


def stand_told(found: Sequence[list[Any]]) -> Stand:
    """A stand from answers to what asks for it."""
    notes, ends, *rows = found
    heads = {stream: Head(n, digest) for stream, n, digest in ends}
    return Stand(str(notes[0][0]) if notes else None, heads, rows[0] if rows else None)


def unsealed_since(connection: Connection) -> int | None:
    """The instant of the oldest entry that is not sealed yet; None where nothing waits."""
    return min((read_header(header).from_at for (header,) in connection.execute(_SELECT_FIRST)), default=None)


def guarded_otherwise(connection: Connection, mark: bytes) -> int:
    """How many batches wait to be sealed that another key guards than the one of this mark."""
    return sum(read_header(header).mark != mark for (header,) in connection.execute(_SELECT_HEADERS))


class Reached(NamedTuple):
    """How far the journal of a place has got: the last row of each writer, and the checkpoint it was told last."""

    rows: tuple[int, ...] = ()
    checkpoint: str | None = None


NOWHERE: Final = Reached()


def reached_in(connection: Connection) -> Reached:
    """How far the journal has got now."""
    return _reached(connection.execute(_SELECT_REACHED.format("")).fetchall())


def asking_for(schemas: Sequence[str], also: str) -> str:
    """The statement that asks how far the journals of several schemas of one database have got, each row led by its
    schema; `also` asks for one number more, led by nothing, and beside it stands what `SEEN_BY` would have told.
    """
    each = (f"SELECT '{one}' AS place, r.* FROM ({_SELECT_REACHED.format(f'{one}.')}) r" for one in schemas)  # noqa: S608 - names of ours only
    return f"{' UNION ALL '.join(each)} UNION ALL SELECT '', ({also}), NULL UNION ALL SELECT '', NULL, ({SEEN_BY})"


def _reached(found: Iterable[tuple[int | None, str | None]]) -> Reached:
    rows: list[int] = []
    checkpoint: str | None = None
    for row, note in found:
        if row is None:
            checkpoint = note
        else:
            rows.append(row)
    return Reached(tuple(rows), checkpoint)


def reached_by(found: Iterable[tuple[str, int | None, str | None]]) -> dict[str, Reached]:
    """What `asking_for` has found, by schema."""
    by: dict[str, list[tuple[int | None, str | None]]] = {}
    for schema, row, note in found:
        by.setdefault(schema, []).append((row, note))
    return {schema: _reached(rows) for schema, rows in by.items()}


class JournalRow(NamedTuple):
    """A batch as it stands in the journal of a place: nothing of it is checked yet."""

    row: int
    bucket: int
    header: bytes
    body_hash: bytes
    body: bytes
    mac: bytes


def batches_in(
    connection: Connection, after: int, most_bytes: int, known: Sequence[tuple[Any, ...]] | None = None
) -> tuple[list[JournalRow], bool]:
    """Batches of the journal that follow row `after`, in the order of writing, until there are `most_bytes` of bodies.

    The second value says whether there may be more.
    """
    found: list[JournalRow] = []
    for row in connection.execute(_SELECT_BATCHES, (after,)) if known is None else known:
        found.append(JournalRow(*row))
        most_bytes -= len(row[4])
        if most_bytes <= 0:
            return found, True
    return found, False


def rows_between(connection: Connection, before: Reached, now: Reached) -> list[JournalRow]:
    """The rows that each writer has added since. Where rows were dropped meanwhile numbers may have begun anew: all."""
    known = {row >> 32: row for row in before.rows} if before.checkpoint == now.checkpoint else {}
    spans = [(known.get(row >> 32, (row >> 32 << 32) - 1), row) for row in now.rows]
    return [JournalRow(*row) for span in spans if span[0] < span[1] for row in connection.execute(_SELECT_ROWS, span)]


def _torn() -> JournalTorn:
    return JournalTorn("batches that were just sealed are not there to be dropped")


def _dropped(connection: Connection, rows: Sequence[tuple[int, int]]) -> Rows | None:
    """Drops rows; how many, or None where one that is not there is told of when it is sent."""
    if asks_at_once(connection) is None:
        return connection.executemany(_DELETE_BATCH, rows)
    if rows:
        placed = array(bucket for bucket, _ in rows), array(number for _, number in rows)
        sent = sent_late(connection.execute(_DELETE_ALL, (*placed, len(rows))))
        assert sent is not None
        sent.proves(_torn())
    return None


def drop_sealed(
    connection: Connection, rows: Sequence[tuple[int, int]], heads: Mapping[str, Head], checkpoint: str
) -> None:
    """Drops sealed rows (bucket, number), and keeps the checkpoint that signs for them and the ends of streams."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        dropped = _dropped(connection, rows)
        connection.executemany(_KEEP_HEAD, [(stream, head.n, head.hash) for stream, head in heads.items()])
        connection.execute(_KEEP_CHECKPOINT, (checkpoint,))
        if dropped is not None and dropped.rowcount not in (len(rows), -1):
            raise _torn()
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
