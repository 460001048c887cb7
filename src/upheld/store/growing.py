"""What the sealer goes on from as the ledger grows: its tree, its streams and names, and what is drawn from batches."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Final, cast

import msgspec

from upheld.ledger.batch import Head
from upheld.ledger.checkpoint import checkpoint_in
from upheld.ledger.entries import Glance
from upheld.ledger.merkle import Frontier
from upheld.store import history
from upheld.store.engine import Connection, answers, array, array_of_texts, asks_at_once
from upheld.store.history import TILE, Count, CountKey, count, placed

_ADD_TALLY: Final = """
    INSERT INTO tally(policy, element, kind, day, entries, value_count, first_at, last_at, first, last)
    VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT(policy, element, kind, day) DO UPDATE SET
        entries = tally.entries + excluded.entries, value_count = tally.value_count + excluded.value_count,
        first_at = min(tally.first_at, excluded.first_at), last_at = max(tally.last_at, excluded.last_at),
        last = excluded.last"""
_INSERT_ABOUT: Final = "INSERT INTO entry_index(alias, leaf) VALUES(?, ?)"
_INSERT_ALL_ABOUT: Final = (
    "INSERT INTO entry_index(alias, leaf) SELECT * FROM unnest(CAST(? AS TEXT[]), CAST(? AS BIGINT[]))"
)
_INSERT_ALL_NAMED: Final = (
    "INSERT INTO named_in(name, leaf) SELECT * FROM unnest(CAST(? AS BIGINT[]), CAST(? AS BIGINT[]))"
)
_INSERT_NAME: Final = "INSERT INTO name(text) VALUES(?)"
_INSERT_NAMED: Final = "INSERT INTO named_in(name, leaf) VALUES(?, ?)"
_KEEP_TILE: Final = """
    INSERT INTO tile(level, place, hashes) VALUES(?, ?, ?)
    ON CONFLICT(level, place) DO UPDATE SET hashes = excluded.hashes"""
_SELECT_NAMES: Final = "SELECT text, id FROM name"
_SELECT_STREAM_IDS: Final = "SELECT name, id FROM stream"
_TILE_BITS: Final = 8


def aliases_in(seen: Iterable[Glance]) -> set[str]:
    """The persons that entries are about."""
    return {alias for each in seen for alias in each.persons}


def names_in(seen: Iterable[Glance]) -> set[str]:
    """Kinds and elements, by which entries are found."""
    return {each.kind for each in seen}.union(*[each.elements for each in seen])


class Known:
    """What an append goes on from. Only who holds the lease writes the ledger, and each append leaves a note: what this
    process knew after its own is current as long as no newer one is there.
    """

    def __init__(self, connection: Connection, note: str) -> None:
        found = answers(connection, [(one, ()) for one in (history.SELECT_ENDS, _SELECT_STREAM_IDS, _SELECT_NAMES)])
        newest = checkpoint_in(note)
        self.note = note
        self.at = newest.at
        self.digest = newest.digest
        """What the next checkpoint calls its previous one."""
        self.heads = {name: Head(n, digest) for name, n, digest in found[0]}
        self.streams: dict[str, int] = dict(found[1])
        self.names: dict[str, int] = dict(found[2])
        self.growth = Growth(connection, newest.size)


class Growth:
    """The tree while batches are added: tiles are filled in memory and written once."""

    def __init__(self, connection: Connection, size: int) -> None:
        node_at = history.nodes_in(connection)
        bits = [level for level in reversed(range(size.bit_length())) if size >> level & 1]
        self.frontier = Frontier(size, [node_at(level, (size >> level) - 1) for level in bits])
        self._connection = connection
        self._tiles: dict[tuple[int, int], bytearray] = {}
        self._changed: set[tuple[int, int]] = set()

    def append(self, leaf: bytes) -> None:
        self._keep(0, self.frontier.size, leaf)
        self.frontier.append(leaf, self._completed)

    def _completed(self, level: int, index: int, digest: bytes) -> None:
        if level % _TILE_BITS == 0:
            self._keep(level // _TILE_BITS, index, digest)

    def _keep(self, level: int, index: int, digest: bytes) -> None:
        key = (level, index // TILE)
        if key not in self._tiles:
            self._tiles[key] = bytearray(history.tile(self._connection, *key))
        self._tiles[key] += digest
        self._changed.add(key)

    def write(self) -> None:
        """What changed; tiles that are not full yet stay at hand."""
        self._connection.executemany(_KEEP_TILE, [(*key, bytes(self._tiles[key])) for key in sorted(self._changed)])
        for key in self._changed:
            if len(self._tiles[key]) == TILE * sha256().digest_size:
                del self._tiles[key]
        self._changed.clear()


class Drawn:
    """The indexes and counts of the batches that are being added."""

    def __init__(self, connection: Connection, day_offset: int, names: dict[str, int]) -> None:
        self._connection = connection
        self._day_offset = day_offset
        self._names = names
        self._counts: dict[CountKey, Count] = {}
        self._named: list[tuple[int, int]] = []
        self._about: list[tuple[str, int]] = []

    def add(self, leaf: int, seen: tuple[Glance, ...]) -> None:
        for number, each in enumerate(seen):
            count(self._counts, each, (each.at + self._day_offset) // history.DAY, placed(leaf, number))
        self._named += [(self._name(name), leaf) for name in names_in(seen)]
        self._about += [(alias, leaf) for alias in aliases_in(seen)]

    def _name(self, text: str) -> int:
        known = self._names.get(text)
        if known is None:
            known = self._names[text] = cast(int, self._connection.execute(_INSERT_NAME, (text,)).lastrowid)
        return known

    def write(self) -> None:
        named, about = sorted(self._named), sorted(self._about)
        if asks_at_once(self._connection) is None:
            self._connection.executemany(_INSERT_NAMED, named)
            self._connection.executemany(_INSERT_ABOUT, about)
        else:
            columns = array(name for name, _ in named), array(leaf for _, leaf in named)
            self._connection.execute(_INSERT_ALL_NAMED, columns)
            of = array_of_texts(alias for alias, _ in about), array(leaf for _, leaf in about)
            self._connection.execute(_INSERT_ALL_ABOUT, of)
        rows = [
            (self._name(policy), self._name(element), self._name(kind), day, *msgspec.structs.astuple(sums))
            for (policy, element, kind, day), sums in self._counts.items()
        ]
        self._connection.executemany(_ADD_TALLY, rows)
