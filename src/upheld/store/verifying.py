"""Verifies a ledger, or a copy of its one file, without anything else of the house."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from upheld.ledger.certificate import Checked, verify_certificate
from upheld.ledger.checkpoint import CheckpointRefused, checkpoint_in, public_key_in
from upheld.ledger.merkle import range_hash
from upheld.ledger.verify import HASH, Problem, SealedBatch, Verification, verify
from upheld.store import history

_SELECT_BATCHES: Final = """
    SELECT batch.leaf, stream, CAST(batch.n AS INTEGER), CAST(batch.class AS INTEGER),
           CAST(ifnull(header, '') AS BLOB), CAST(ifnull(body_hash, '') AS BLOB), CAST(body AS BLOB),
           CAST(ifnull(marks, '') AS BLOB), CAST(ifnull(mac, '') AS BLOB), from_at, until_at
    FROM batch LEFT JOIN body USING(leaf) ORDER BY batch.leaf"""
_SELECT_STREAMS: Final = "SELECT id, CAST(name AS TEXT) FROM stream"
_SELECT_TREE: Final = "SELECT CAST(hashes AS BLOB) FROM tile WHERE level = 0 ORDER BY place"
_SELECT_NOTES: Final = "SELECT CAST(note AS TEXT) FROM checkpoint ORDER BY size"
_SELECT_TILES: Final = "SELECT level, place, length(hashes) FROM tile ORDER BY level, place"
_SELECT_SIZES: Final = "SELECT size FROM checkpoint ORDER BY size"
_SELECT_COUNTS: Final = """
    SELECT p.text, e.text, k.text, CAST(sum(t.entries) AS INTEGER)
    FROM tally t
    LEFT JOIN name p ON p.id = t.policy LEFT JOIN name e ON e.id = t.element LEFT JOIN name k ON k.id = t.kind
    GROUP BY t.policy, t.element, t.kind"""
_SELECT_PERSONS: Final = "SELECT alias, leaf FROM entry_index"
_SELECT_NAMES: Final = "SELECT text, leaf FROM named_in LEFT JOIN name ON name.id = named_in.name"


def verify_copy(
    path: Path | str,
    public_key: str | None = None,
    anchors: Sequence[str] = (),
    mac_keys: Mapping[bytes, bytes] | None = None,
) -> Verification:
    """Recomputes everything in the ledger at `path`. `public_key` and `anchors` are the texts of such files,
    `mac_keys` are as for `verify`.

    Raises:
        LedgerMissing: there is no ledger.
        CheckpointRefused: the public key is none.
    """
    with history.reading(path) as connection:
        # Whoever can write the file can put anything into a text: it is compared, so it need not be readable.
        connection.text_factory = partial(str, encoding="utf-8", errors="replace")
        key = history.public_key_of(connection) if public_key is None else public_key_in(public_key)
        try:
            found = verify(
                _batches(connection),
                b"".join([hashes for (hashes,) in connection.execute(_SELECT_TREE)]),
                [note for (note,) in connection.execute(_SELECT_NOTES)],
                key,
                key_given=public_key is not None,
                ledger_id=history.meta(connection, "ledger"),
                handovers=history.handovers_in(connection),
                anchors=anchors,
                mac_keys=mac_keys,
            )
            return found if found.problems else msgspec.structs.replace(found, problems=_drawn(connection, found))
        except sqlite3.DatabaseError as problem:
            raise history.LedgerMissing(f"{path} can't be read as a ledger: {problem}") from problem


def _batches(connection: sqlite3.Connection) -> Iterator[SealedBatch]:
    names = dict(connection.execute(_SELECT_STREAMS).fetchall())
    for leaf, stream, *rest in connection.execute(_SELECT_BATCHES):
        yield SealedBatch(leaf, names.get(stream, ""), *rest)


def _drawn(connection: sqlite3.Connection, found: Verification) -> tuple[Problem, ...]:
    """What is drawn from the entries for quick reading must say what they say."""
    problems = list(_counts_that_differ(connection, found))
    if history.sealed_heads(connection) != found.heads:
        problems.append(Problem("index-differs", "the table of streams does not say how the streams end"))
    if [size for (size,) in connection.execute(_SELECT_SIZES)] != [
        checkpoint_in(note).size for (note,) in connection.execute(_SELECT_NOTES)
    ]:
        problems.append(Problem("index-differs", "a checkpoint is filed under another size than it signs for"))
    tiles = [tuple(row) for row in connection.execute(_SELECT_TILES)]
    if tiles != list(_tiles_of(found.batches)) or _root(connection, found.batches) != found.root:
        problems.append(Problem("tree-changed", "the upper levels of the stored tree are not those of its leaves"))
    if sum(map(hash, connection.execute(_SELECT_PERSONS))) != found.persons_sum:
        problems.append(Problem("index-differs", "the index of entries by person was changed; the entries were not"))
    if sum(map(hash, connection.execute(_SELECT_NAMES))) != found.names_sum:
        problems.append(
            Problem("index-differs", "the index of entries by kind and element was changed; the entries were not")
        )
    return tuple(problems)


def _tiles_of(size: int) -> Iterator[tuple[int, int, int]]:
    """Level, place and length of every tile that a tree of that size has."""
    level = 0
    while size:
        for place in range(0, size, history.TILE):
            yield level, place // history.TILE, min(history.TILE, size - place) * HASH
        level, size = level + 1, size // history.TILE


def _root(connection: sqlite3.Connection, size: int) -> bytes | None:
    try:
        return range_hash(0, size, history.nodes_in(connection))
    except history.NoSuchEntry:
        return None


def _counts_that_differ(connection: sqlite3.Connection, found: Verification) -> Iterator[Problem]:
    kept = {(policy, element, kind): count for policy, element, kind, count in connection.execute(_SELECT_COUNTS)}
    for key in sorted(kept.keys() | found.named.keys(), key=str):
        policy, element, kind = key
        least = most = found.named.get(key, 0)
        if (pruned := found.pruned_counts.get((policy, kind), 0)) and element == history.NO_ELEMENT:
            least = most = least + pruned
        elif pruned:
            # The prune entry says how many of a kind there were, not which elements they named.
            most += pruned
        if not least <= kept.get(key, 0) <= most:
            told = f"{policy} {kind} {element}".strip()
            yield Problem(
                "counts-differ", f"reports would count {kept.get(key, 0)} of `{told}`, the entries are {most}"
            )


def check_certificate(document: bytes, path: Path | str | None, public_key: str | None = None) -> Checked:
    """Checks a certificate of destruction, against the ledger at `path` where one is given.

    The ledger itself should be verified too: only then is its tree what was signed.

    Raises:
        CertificateRefused: it shows nothing, or is not of this ledger.
        CheckpointRefused: there is neither a ledger nor a key to check it with.
    """
    if path is None:
        if public_key is None:
            raise CheckpointRefused("give the public key, or the ledger that has it")
        return verify_certificate(document, public_key_in(public_key))
    with history.reading(path) as connection:
        given = history.public_key_of(connection) if public_key is None else public_key_in(public_key)
        key = history.signers_of(connection, given)
        checkpoint = verify_certificate(document, key).checkpoint
        reached = checkpoint.size <= history.size_of(connection)
        root = range_hash(0, checkpoint.size, history.nodes_in(connection)) if reached else b"cut off"
        return verify_certificate(document, key, root)


def anchor_in(text: str) -> str:
    """The checkpoint that a file holds: the note itself, or a certificate that carries one.

    Raises:
        CheckpointRefused: there is none in it.
    """
    if not text.lstrip().startswith("{"):
        checkpoint_in(text)
        return text
    try:
        return msgspec.json.decode(text, type=_WithProof).proof.checkpoint
    except (msgspec.DecodeError, ValueError) as problem:
        raise CheckpointRefused("this file holds no checkpoint") from problem


class _Proof(msgspec.Struct):
    checkpoint: str


class _WithProof(msgspec.Struct):
    proof: _Proof
