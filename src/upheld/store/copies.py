"""Old copies of a place: they are noticed, and their journal is made to go on from where the ledger is.

A place that was put back to an earlier copy holds streams that end before the ledger's. A ledger that was put back
lacks a checkpoint that some place, or somebody with a receipt, has seen.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from upheld.ledger.batch import Head, entries_in, read_body, read_header
from upheld.ledger.checkpoint import checked, checkpoint_in
from upheld.ledger.entries import BatchClass, Entry, glance, unpacked
from upheld.store import history
from upheld.store.engine import Connection, Question
from upheld.store.journal import checkpoint_seen, heads_of
from upheld.store.place import Transaction

_SELECT_BODIES: Final = "SELECT bucket, id, header, body FROM journal ORDER BY id"
_SELECT_WRITTEN: Final = "SELECT header, body FROM journal ORDER BY id"
_DELETE_BATCH: Final = "DELETE FROM journal WHERE bucket = ? AND id = ?"
_DELETE_HEAD: Final = "DELETE FROM stream_head WHERE stream = ?"
_KEEP_HEAD: Final = """
    INSERT INTO stream_head(stream, n, hash) VALUES(?, ?, ?)
    ON CONFLICT(stream) DO UPDATE SET n = excluded.n, hash = excluded.hash"""
_KEEP_META: Final = "INSERT INTO meta(key, value) VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value"
_SELECT_SIZES: Final = "SELECT size FROM checkpoint ORDER BY size DESC LIMIT 2"
_SELECT_META: Final = "SELECT value FROM meta WHERE key = ?"
_DELETE_META: Final = "DELETE FROM meta WHERE key = ?"


def streams_behind(name: str, place: Connection, sealed: Mapping[str, Head]) -> dict[str, int]:
    """Streams of the place that the ledger has further than the place itself, with the place's last batch of each.

    Take `sealed` from the ledger first: places only grow, so what is behind then is an old copy.
    """
    place.execute("BEGIN")
    try:
        own = heads_of(place)
    finally:
        place.execute("ROLLBACK")
    return {
        stream: own.get(stream, Head()).n
        for stream, head in sealed.items()
        if stream.startswith(f"{name}/") and own.get(stream, Head()).n < head.n
    }


def ledger_lacks(ledger: Connection, note: str | None, key: Ed25519PublicKey) -> bool:
    """Whether somebody has seen a checkpoint that this ledger does not hold: it was cut off, put back, or is another.

    Raises:
        CheckpointRefused: the note is none of ours.
    """
    if note is None:
        return False
    seen = checked(note, history.signers_of(ledger, key))
    own = history.note_of_size(ledger, seen.size)
    return own is None or checkpoint_in(own).text != seen.text


def seen_by(place: Connection) -> str | None:
    """The newest checkpoint that a place knows of."""
    return checkpoint_seen(place)


def missed(ledger: Connection, behind: Mapping[str, int]) -> Iterator[Entry]:
    """What an old copy has not seen, in the order in which it was sealed."""
    found = [recorded for stream, n in behind.items() for recorded in history.entries_after(ledger, stream, n)]
    for recorded in sorted(found, key=lambda one: (one.leaf, one.number)):
        yield recorded.entry


def unsealed(place: Connection, kinds: Collection[str]) -> list[Entry]:
    """Evidence of these kinds that a place wrote since it was last sealed. Access records are not even unpacked."""
    found: list[Entry] = []
    for header, body in place.execute(_SELECT_WRITTEN):
        if read_header(header).batch_class is BatchClass.EVIDENCE:
            found += [unpacked(data) for data in read_body(body)[1] if glance(data).kind in kinds]
    return found


def sealed_last(ledger: Connection, kinds: Collection[str]) -> list[Entry]:
    """Entries of these kinds that the newest checkpoint took in."""
    sizes = [row[0] for row in ledger.execute(_SELECT_SIZES)]
    if len(sizes) < 2:
        return []
    return [recorded.entry for recorded in history.entries(ledger, kinds=kinds, from_leaf=sizes[-1])]


def caught_up(transaction: Transaction, name: str, sealed: Mapping[str, Head], note: str) -> None:
    """From now on the place counts as being where the ledger is: batches that are sealed leave its journal."""
    for bucket, row, header, _ in transaction.execute(_SELECT_BODIES).fetchall():
        read = read_header(header)
        if read.n <= sealed.get(read.stream, Head()).n:
            transaction.execute(_DELETE_BATCH, (bucket, row))
    own = {stream: head for stream, head in sealed.items() if stream.startswith(f"{name}/")}
    transaction.executemany(_KEEP_HEAD, [(stream, head.n, head.hash) for stream, head in own.items()])
    transaction.execute(_KEEP_META, ("checkpoint", note))


def batches_ahead(place: Connection, sealed: Mapping[str, Head]) -> int:
    """How many batches of a place were sealed after the end of this ledger: only their number is known any more."""
    ahead = _streams_ahead(place, sealed)
    return sum(last - sealed.get(stream, Head()).n for stream, last in ahead.items())


def _streams_ahead(place: Connection, sealed: Mapping[str, Head]) -> dict[str, int]:
    """Streams of a place that were sealed further than the ledger goes, with the last batch that was sealed."""
    own = heads_of(place)
    waiting = Counter(read_header(row[2]).stream for row in place.execute(_SELECT_BODIES))
    last = {stream: head.n - waiting[stream] for stream, head in own.items()}
    return {stream: n for stream, n in last.items() if n > sealed.get(stream, Head()).n}


def written_anew(transaction: Transaction, name: str, sealed: Mapping[str, Head], note: str) -> None:
    """An older ledger is the ledger now: what of this place it can't join on to is written again."""
    connection = transaction.connection
    own, ahead = heads_of(connection), _streams_ahead(connection, sealed)
    for bucket, row, header, body in transaction.execute(_SELECT_BODIES).fetchall():
        if read_header(header).stream in ahead:
            transaction.journal(*entries_in(body))
            transaction.execute(_DELETE_BATCH, (bucket, row))
    transaction.executemany(_DELETE_HEAD, [(stream,) for stream in own if stream not in sealed])
    caught_up(transaction, name, sealed, note)


def asks_for(key: str) -> Question:
    """What asks for a word that the place keeps about itself."""
    return _SELECT_META, (key,)


def remembered(place: Connection, key: str) -> str | None:
    """A word that the place keeps about itself."""
    row = place.execute(*asks_for(key)).fetchone()
    return None if row is None else str(row[0])


def remember(transaction: Transaction, key: str, word: str | None) -> None:
    """Keep a word in the place, or forget it."""
    if word is None:
        transaction.execute(_DELETE_META, (key,))
    else:
        transaction.execute(_KEEP_META, (key, word))
