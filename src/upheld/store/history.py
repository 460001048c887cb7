"""The sealed history, `ledger.db`: its tables, and reading from it. Only the sealer writes.

What is signed for stands in `batch`, `body` and `tile` (the Merkle tree in tiles of 256 hashes). The rest is drawn from
them so that reading is quick: `named_in` (which batches hold entries of a kind or of a policy element), `entry_index`
(which hold entries about an alias) and `tally` (how many per day). They hold aliases, codes and numbers only.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, NamedTuple, cast

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from upheld.errors import UpheldError
from upheld.ledger.batch import Head, entry_leaves, entry_salts, read_body
from upheld.ledger.certificate import EntryProof
from upheld.ledger.checkpoint import CheckpointRefused, Signers, checkpoint_in, public_key_in
from upheld.ledger.entries import Entry, Glance, Row, glance, row_of, unpacked
from upheld.ledger.handover import chain_of, handover_in
from upheld.ledger.merkle import NodeAt, inclusion_proof, root_of
from upheld.store.engine import Connection

SCHEMA: Final = (
    "CREATE TABLE meta(key TEXT NOT NULL PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
    """CREATE TABLE stream(
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, n INTEGER NOT NULL, hash BLOB NOT NULL)""",
    """CREATE TABLE batch(
        leaf INTEGER PRIMARY KEY, stream INTEGER NOT NULL REFERENCES stream(id), n INTEGER NOT NULL,
        class INTEGER NOT NULL,
        from_at INTEGER NOT NULL, until_at INTEGER NOT NULL, header BLOB NOT NULL, body_hash BLOB NOT NULL,
        mac BLOB NOT NULL)""",
    "CREATE UNIQUE INDEX batch_of_stream ON batch(stream, n)",
    "CREATE INDEX batch_when ON batch(until_at, from_at)",
    "CREATE TABLE body(leaf INTEGER PRIMARY KEY REFERENCES batch(leaf), body BLOB NOT NULL, marks BLOB NOT NULL)",
    """CREATE TABLE tile(
        level INTEGER NOT NULL, place INTEGER NOT NULL, hashes BLOB NOT NULL,
        PRIMARY KEY(level, place)) WITHOUT ROWID""",
    "CREATE TABLE checkpoint(size INTEGER PRIMARY KEY, at INTEGER NOT NULL, note TEXT NOT NULL)",
    "CREATE TABLE name(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)",
    """CREATE TABLE named_in(
        name INTEGER NOT NULL REFERENCES name(id), leaf INTEGER NOT NULL, PRIMARY KEY(name, leaf)) WITHOUT ROWID""",
    """CREATE TABLE entry_index(
        alias TEXT NOT NULL, leaf INTEGER NOT NULL, PRIMARY KEY(alias, leaf)) WITHOUT ROWID""",
    """CREATE TABLE tally(
        policy INTEGER NOT NULL, element INTEGER NOT NULL, kind INTEGER NOT NULL, day INTEGER NOT NULL,
        entries INTEGER NOT NULL, value_count INTEGER NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
        first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY(policy, element, kind, day)) WITHOUT ROWID""",
)
_SELECT_HANDOVERS: Final = "SELECT value FROM meta WHERE substr(key, 1, 8) = 'handover' ORDER BY key"
TILE: Final = 256
_HASH: Final = 32
_TILE_LEVELS: Final = 8
DAY: Final = 86_400_000_000
MARK: Final = 4
NO_ELEMENT: Final = ""
"""The element under which every entry is counted once, whatever elements it names."""
_PLACES: Final = 20

_SELECT_META: Final = "SELECT value FROM meta WHERE key = ?"
SIZE_OF_LEDGER: Final = "SELECT coalesce(max(leaf) + 1, 0) FROM ledger.batch"
"""For a connection that sees the ledger as a schema beside others."""
_SELECT_SIZE: Final = "SELECT coalesce(max(leaf) + 1, 0) FROM batch"
_SELECT_TILE: Final = "SELECT hashes FROM tile WHERE level = ? AND place = ?"
_SELECT_LAST_NOTE: Final = "SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1"
_SELECT_NOTE: Final = "SELECT note FROM checkpoint WHERE size = ?"
_SELECT_NOTE_COVERING: Final = "SELECT note FROM checkpoint WHERE size > ? ORDER BY size LIMIT 1"
SELECT_ENDS: Final = "SELECT name, n, hash FROM stream"
_SELECT_BODY: Final = "SELECT body FROM body WHERE leaf = ?"
_SELECT_BATCH: Final = "SELECT header, body_hash FROM batch WHERE leaf = ?"
_SELECT_BEFORE: Final = """
    SELECT leaf, name, body FROM batch JOIN stream ON stream.id = batch.stream JOIN body USING(leaf)
    WHERE leaf < ? AND leaf >= ? ORDER BY leaf DESC LIMIT ?"""
_SELECT_HEAD: Final = "SELECT n, hash FROM stream WHERE name = ?"
_SELECT_SPAN: Final = """
    SELECT leaf, body FROM batch JOIN body USING(leaf) WHERE until_at >= ? AND from_at < ? AND leaf >= ?
    ORDER BY leaf"""
_SELECT_SPAN_NAMED: Final = """
    SELECT leaf, body FROM batch JOIN body USING(leaf)
    WHERE leaf IN (
        SELECT leaf FROM named_in JOIN name ON name.id = named_in.name WHERE text IN (SELECT value FROM json_each(?)))
      AND until_at >= ? AND from_at < ? AND leaf >= ? ORDER BY leaf"""
_SELECT_ABOUT: Final = "SELECT leaf, body FROM entry_index JOIN body USING(leaf) WHERE alias = ? ORDER BY leaf"
_SELECT_AFTER: Final = """
    SELECT leaf, body FROM batch JOIN stream ON stream.id = batch.stream JOIN body USING(leaf)
    WHERE name = ? AND batch.n > ? ORDER BY batch.n"""
_SELECT_TALLY: Final = """
    SELECT p.text, e.text, k.text, sum(t.entries), sum(t.value_count), min(t.first_at), max(t.last_at),
           min(t.first), max(t.last)
    FROM tally t JOIN name p ON p.id = t.policy JOIN name e ON e.id = t.element JOIN name k ON k.id = t.kind
    WHERE t.day >= ? AND t.day < ? AND (CAST(? AS TEXT) IS NULL OR p.text = ?)
    GROUP BY p.text, e.text, k.text"""


class LedgerMissing(UpheldError):
    """There is no ledger where one was to be read, or the file is something else."""


class NoSuchEntry(UpheldError):
    """The ledger has no such leaf or entry, or its body was destroyed when its time was over."""


class Recorded(NamedTuple):
    """An entry and where it stands: the batch's place in the tree, and the entry's number in it, both from 0."""

    leaf: int
    number: int
    entry: Entry

    @property
    def reference(self) -> str:
        return f"{self.leaf}:{self.number}"


class Tally(NamedTuple):
    """How often entries of a kind name an element of a policy. `first` and `last` are references, `leaf:number`."""

    policy: str
    element: str
    kind: str
    entries: int
    values: int
    first_at: int
    last_at: int
    first: str
    last: str


@contextmanager
def reading(path: Path | str) -> Iterator[sqlite3.Connection]:
    """A connection to a ledger, or to a copy of its file alone, that can't write.

    Raises:
        LedgerMissing: no ledger is there.
    """
    file = Path(path)
    if not file.is_file():
        raise LedgerMissing(f"there is no ledger at {file}")
    # A file without a log beside it is a copy at rest; opening it as such needs no right to write next to it.
    rest = "" if Path(f"{file}-wal").exists() else "&immutable=1"
    address = f"{file.absolute().as_uri()}?mode=ro{rest}"
    with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
        try:
            meta(connection, "ledger")
        except sqlite3.DatabaseError as problem:
            raise LedgerMissing(f"{file} is no ledger") from problem
        yield connection


def meta(connection: Connection, key: str) -> str:
    row = connection.execute(_SELECT_META, (key,)).fetchone()
    if row is None:
        raise LedgerMissing(f"the ledger does not say its `{key}`")
    return str(row[0])


def public_key_of(connection: Connection) -> Ed25519PublicKey:
    """The key that the ledger itself names: good against accidents, not against who can write the file."""
    return public_key_in(meta(connection, "key"))


def handovers_in(connection: Connection) -> list[str]:
    """The notes by which the signing key was handed on, oldest first."""
    return [str(note) for (note,) in connection.execute(_SELECT_HANDOVERS).fetchall()]


def signers_of(connection: Connection, key: Ed25519PublicKey) -> Signers:
    """The keys that follow from one that is trusted. Raises CheckpointRefused for a handover that was changed."""
    chain = chain_of(key, handovers_in(connection), meta(connection, "ledger"))
    if chain.problems:
        raise CheckpointRefused(chain.problems[0])
    return chain.signers


# ── The tree ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def size_of(connection: Connection) -> int:
    """How many batches are sealed."""
    return int(connection.execute(_SELECT_SIZE).fetchone()[0])


def nodes_in(connection: Connection) -> NodeAt:
    """Complete subtrees by level and index, out of the tiles."""

    def node_at(level: int, index: int) -> bytes:
        tile_level, within = divmod(level, _TILE_LEVELS)
        first, count = index << within, 1 << within
        hashes = tile(connection, tile_level, first // TILE)
        start = (first % TILE) * _HASH
        part = hashes[start : start + count * _HASH]
        if len(part) != count * _HASH:
            raise NoSuchEntry(f"the tree has no node {index} of level {level}")
        return root_of([part[place : place + _HASH] for place in range(0, len(part), _HASH)])

    return node_at


def tile(connection: Connection, level: int, place: int) -> bytes:
    """The hashes of a tile, joined; empty where the tree does not reach."""
    row = connection.execute(_SELECT_TILE, (level, place)).fetchone()
    return b"" if row is None else bytes(row[0])


def sealed_heads(connection: Connection) -> dict[str, Head]:
    """The end of every stream, as far as it is sealed."""
    return {name: Head(n, digest) for name, n, digest in connection.execute(SELECT_ENDS)}


def sealed_head(connection: Connection, stream: str) -> Head:
    """The end of one stream, as far as it is sealed."""
    row = connection.execute(_SELECT_HEAD, (stream,)).fetchone()
    return Head() if row is None else Head(row[0], row[1])


def newest_note(connection: Connection) -> str:
    """The newest signed checkpoint."""
    row = connection.execute(_SELECT_LAST_NOTE).fetchone()
    if row is None:
        raise LedgerMissing("the ledger has no checkpoint")
    return str(row[0])


def note_of_size(connection: Connection, size: int) -> str | None:
    """The checkpoint of exactly that size."""
    row = connection.execute(_SELECT_NOTE, (size,)).fetchone()
    return None if row is None else str(row[0])


# ── Entries ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_ALWAYS: Final = (-(1 << 63), (1 << 63) - 1)


def entries(
    connection: Connection,
    since: int = _ALWAYS[0],
    until: int = _ALWAYS[1],
    kinds: Iterable[str] | None = None,
    policy: str | None = None,
    from_leaf: int = 0,
) -> Iterator[Recorded]:
    """Entries with `since <= at < until`, in the order of sealing; only those kinds and that policy where given.

    `from_leaf`: the first batch to look at, for who has read the ones before.
    """
    wanted = None if kinds is None else frozenset(kinds)
    for leaf, body in _bodies(connection, since, until, wanted, from_leaf):
        for number, data in enumerate(read_body(body)[1]):
            seen = glance(data)
            if (
                since <= seen.at < until
                and (wanted is None or seen.kind in wanted)
                and (policy is None or seen.policy == policy)
            ):
                yield Recorded(leaf, number, unpacked(data))


def rows(
    connection: Connection,
    kinds: Iterable[str],
    policy: str,
    since: int = _ALWAYS[0],
    until: int = _ALWAYS[1],
) -> Iterator[tuple[int, int, Row]]:
    """The stored rows of such entries, with leaf and number: for who goes through millions. `entry_of` reads one.

    They are not packed again to compare; who needs that verifies the ledger besides.
    """
    wanted = frozenset(kinds)
    for leaf, body in _bodies(connection, since, until, wanted):
        for number, data in enumerate(read_body(body)[1]):
            row = row_of(data)
            if row[0] in wanted and row[2] == policy and since <= cast(int, row[1]) < until:
                yield leaf, number, row


def _bodies(
    connection: Connection, since: int, until: int, names: Iterable[str] | None, from_leaf: int = 0
) -> Iterator[tuple[int, bytes]]:
    if names is None:
        yield from connection.execute(_SELECT_SPAN, (since, until, from_leaf))
    else:
        yield from connection.execute(_SELECT_SPAN_NAMED, (json.dumps(sorted(names)), since, until, from_leaf))


class Written(NamedTuple):
    """A sealed batch whose body is still there."""

    leaf: int
    stream: str
    body: bytes


def batches_before(connection: Connection, leaf: int, least: int, count: int) -> list[Written]:
    """So many batches before a leaf, none before `least`, newest first; those whose time was over are left out."""
    found = connection.execute(_SELECT_BEFORE, (leaf, least, count))
    return [Written(one, stream, bytes(body)) for one, stream, body in found]


def entries_of_body(body: bytes) -> list[Entry]:
    """The entries of a batch in their order."""
    return [unpacked(data) for data in read_body(body)[1]]


def entries_naming(
    connection: Connection, element: str, since: int = _ALWAYS[0], until: int = _ALWAYS[1]
) -> Iterator[Recorded]:
    """Entries that name an element of the policy, with `since <= at < until`."""
    for leaf, body in _bodies(connection, since, until, (element,)):
        for number, data in enumerate(read_body(body)[1]):
            seen = glance(data)
            if element in seen.elements and since <= seen.at < until:
                yield Recorded(leaf, number, unpacked(data))


def entries_about(connection: Connection, alias: str) -> Iterator[Recorded]:
    """All entries about one person, known by alias, in the order of sealing."""
    for leaf, body in connection.execute(_SELECT_ABOUT, (alias,)):
        for number, data in enumerate(read_body(body)[1]):
            if alias in glance(data).persons:
                yield Recorded(leaf, number, unpacked(data))


def entries_after(connection: Connection, stream: str, n: int) -> Iterator[Recorded]:
    """All entries of a stream since its batch `n`: what an old copy of its place has not seen."""
    for leaf, body in connection.execute(_SELECT_AFTER, (stream, n)):
        for number, data in enumerate(read_body(body)[1]):
            yield Recorded(leaf, number, unpacked(data))


def entries_in(connection: Connection, leaf: int) -> list[Recorded]:
    """The entries of one batch; none where its body was destroyed."""
    row = connection.execute(_SELECT_BODY, (leaf,)).fetchone()
    written = read_body(row[0])[1] if row else []
    return [Recorded(leaf, number, unpacked(data)) for number, data in enumerate(written)]


def entry_at(connection: Connection, reference: str) -> Recorded:
    """The entry that a reference `leaf:number` names. Raises `NoSuchEntry`."""
    leaf, _, number = reference.partition(":")
    if not (leaf.isdecimal() and number.isdecimal()):
        raise NoSuchEntry(f"`{reference}` is no reference; they look like 12:0")
    _, written = _body_at(connection, int(leaf))
    if int(number) >= len(written):
        raise NoSuchEntry(f"batch {leaf} has {len(written)} entries")
    return Recorded(int(leaf), int(number), unpacked(written[int(number)]))


def _body_at(connection: Connection, leaf: int) -> tuple[bytes, list[bytes]]:
    row = connection.execute(_SELECT_BODY, (leaf,)).fetchone()
    if row is None:
        raise NoSuchEntry(f"the ledger has no body of a batch {leaf}")
    return read_body(row[0])


# ── Counts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Count(msgspec.Struct, gc=False):
    """A count that grows. `first` and `last` are places as `placed` makes them."""

    entries: int
    values: int
    first_at: int
    last_at: int
    first: int
    last: int

    def add(self, other: "Count") -> None:
        self.entries += other.entries
        self.values += other.values
        self.first_at = min(self.first_at, other.first_at)
        self.last_at = max(self.last_at, other.last_at)
        self.first = min(self.first, other.first)
        self.last = max(self.last, other.last)


def placed(leaf: int, number: int) -> int:
    """Leaf and number of an entry as one number, in the order of sealing."""
    return leaf << _PLACES | number


def _reference(place: int) -> str:
    return f"{place >> _PLACES}:{place & (1 << _PLACES) - 1}"


CountKey = tuple[str, str, str, int]
"""Policy, element, kind, day."""


def count(counts: dict[CountKey, Count], seen: Glance, day: int, place: int) -> None:
    """Counts an entry under no element, and under each that it names."""
    kind, at, policy, _, elements, values = seen
    for element in (NO_ELEMENT, *elements):
        known = counts.get(key := (policy, element, kind, day))
        if known is None:
            counts[key] = Count(1, values, at, at, place, place)
        else:
            known.entries += 1
            known.values += values
            known.last = place
            if at > known.last_at:
                known.last_at = at
            elif at < known.first_at:
                known.first_at = at


def tally(
    connection: Connection, since: int = _ALWAYS[0], until: int = _ALWAYS[1], policy: str | None = None
) -> tuple[Tally, ...]:
    """Counts per policy, element and kind over entries with `since <= at < until`, in that order.

    Whole days come from a table kept while sealing; only the parts of days at both ends are read entry by entry. Under
    the element `""` every entry of the kind is counted once.
    """
    offset = int(meta(connection, "day-offset"))
    first_day, last_day = -((-since - offset) // DAY), (until + offset) // DAY
    counts: dict[CountKey, Count] = {}
    if first_day < last_day:
        _add_days(connection, counts, first_day, last_day, policy)
        edges = [(since, first_day * DAY - offset), (last_day * DAY - offset, until)]
    else:
        edges = [(since, until)]
    for start, end in edges:
        if start < end and start != _ALWAYS[0] and end != _ALWAYS[1]:
            _add_entries(connection, counts, start, end, policy)
    return tuple(_tally(*key[:3], sums) for key, sums in sorted(counts.items()))


def _tally(policy: str, element: str, kind: str, sums: Count) -> Tally:
    first, last = _reference(sums.first), _reference(sums.last)
    return Tally(policy, element, kind, sums.entries, sums.values, sums.first_at, sums.last_at, first, last)


def _add_days(
    connection: Connection,
    counts: dict[CountKey, Count],
    first_day: int,
    last_day: int,
    policy: str | None,
) -> None:
    for policy_code, element, kind, *sums in connection.execute(_SELECT_TALLY, (first_day, last_day, policy, policy)):
        counts[policy_code, element, kind, 0] = Count(*sums)


def _add_entries(
    connection: Connection,
    counts: dict[CountKey, Count],
    since: int,
    until: int,
    policy: str | None,
) -> None:
    found: dict[CountKey, Count] = {}
    for leaf, body in _bodies(connection, since, until, None):
        for number, data in enumerate(read_body(body)[1]):
            seen = glance(data)
            if since <= seen.at < until and (policy is None or seen.policy == policy):
                count(found, seen, 0, placed(leaf, number))
    for key, sums in found.items():
        if key in counts:
            counts[key].add(sums)
        else:
            counts[key] = sums


# ── Proofs ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def proof_of(connection: Connection, reference: str) -> EntryProof:
    """Shows one entry, without the others of its batch, to be in the ledger that a checkpoint after it signs.

    Raises:
        NoSuchEntry: there is no such entry, or no checkpoint covers it yet.
    """
    found = entry_at(connection, reference)
    salt, written = _body_at(connection, found.leaf)
    header, _ = connection.execute(_SELECT_BATCH, (found.leaf,)).fetchone()
    notes = handovers_in(connection)
    # A checkpoint of the key that signs now, since that key signs the certificate with the proof in it.
    since = handover_in(notes[-1]).size if notes else 0
    row = connection.execute(_SELECT_NOTE_COVERING, (max(found.leaf, since),)).fetchone()
    if row is None:
        raise NoSuchEntry(f"no checkpoint covers batch {found.leaf} yet")
    leaves = entry_leaves(salt, written)
    return EntryProof(
        leaf=found.leaf,
        number=found.number,
        count=len(written),
        entry=written[found.number],
        salt=entry_salts(salt, len(written))[found.number],
        entry_path=inclusion_proof(found.number, len(written), _subtrees(leaves)),
        header=header,
        path=inclusion_proof(found.leaf, checkpoint_in(row[0]).size, nodes_in(connection)),
        checkpoint=row[0],
    )


def _subtrees(leaves: Sequence[bytes]) -> NodeAt:
    return lambda level, index: root_of(leaves[index << level : (index + 1) << level])
