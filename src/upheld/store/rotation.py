"""A ring is rotated: every key that the old root wraps is wrapped by the new one, while everybody goes on.

| step | durable in | a crash after it leaves | again |
|---|---|---|---|
| the new root is added | the file of keys | two roots, the old one named | goes on |
| the new root is named, the root of tokens laid down | the key store | keys under both | goes on |
| a batch is wrapped anew | the key store | fewer keys under the old | goes on |
| nothing is left under the old: said in the ledger | the key store | two roots, the old one unused | goes on |
| the old root leaves the file | the file of keys | done | a new rotation |

Other processes read both kinds at any time: a wrapped key says which root it needs, and a root that a process has not
seen is fetched. They wrap with the root that the key store names, asked in the commit that keeps the key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from upheld.dates import Instant
from upheld.errors import StoreFailed
from upheld.ledger.entries import entry
from upheld.store import papers, vault
from upheld.store.ids import placed_key, placed_paper_key
from upheld.store.journal import guarded_otherwise
from upheld.store.journal_keys import name_key, named_in, names_key
from upheld.store.papers import PaperKeys
from upheld.store.place import Place, Transaction
from upheld.store.ring import MARK, UNMARKED, Wrapping, fingerprint, mark_of
from upheld.store.sealing import Sealer
from upheld.store.vault import HOUSE, Tier, Vault

BATCH: Final = 500
"""Ours: keys of one commit; others wait for some milliseconds."""
_NOT_YET: Final = f"(length(wrapped) = {UNMARKED} OR substr(wrapped, 1, {MARK}) <> ?)"
_OPEN: Final = "SELECT mark FROM key_ring WHERE ring = ?"
_BEGIN: Final = "INSERT INTO key_ring(ring, mark, since) VALUES(?, ?, ?)"
_END: Final = "DELETE FROM key_ring WHERE ring = ?"


class _Wrapped(NamedTuple):
    """A table of wrapped keys: its column of ids, what is before the first, how a key is bound, bucket and id of a row
    where it has a bucket, which rows count.
    """

    table: str
    column: str
    first: int | str
    wrapping: Wrapping
    about: Callable[[int | str], bytes]
    placed: Callable[[Any], tuple[int, int | str]] | None = None
    only: str = "1 = 1"


class Rotation:
    """One ring being rotated. `roots` of the ring: the old, and the new at the end."""

    def __init__(self, keys: Vault, paper_keys: PaperKeys, tier: Tier) -> None:
        self.place: Place = keys.place
        self.tier = tier
        self.vault = keys
        self.ring = keys.rings[tier]
        self.tables = tuple(_tables(keys, paper_keys, tier))
        self._before = before_of(tier)

    def run(self, told: Callable[[int], None] = lambda _: None) -> int:
        """Wrap everything anew; returns how many keys. Killed at any point it is run again. Raises StoreFailed."""
        self._name_newest()
        done, found = 0, True
        while found:
            found = False
            for table in self.tables:
                for count in self._wrap_anew(table):
                    done, found = done + count, True
                    told(done)
        self._finish(done)
        return done

    def _name_newest(self) -> None:
        newest = self.ring.roots[-1]
        with self.place.transaction() as transaction:
            before = self.ring.named(transaction)
            if before == mark_of(newest):
                return
            self.vault.roots[self.tier].lay_down(transaction)
            transaction.execute(_END, (self._before,))
            transaction.execute(_BEGIN, (self._before, fingerprint(self.ring.root(before)), transaction.at))
            self.ring.name_newest(transaction)

    def _wrap_anew(self, table: _Wrapped) -> Iterator[int]:
        """Batch by batch; a key that is destroyed meanwhile is gone, and stays gone."""
        mark = mark_of(self.ring.roots[-1])
        reached: tuple[int | str, ...] = (table.first,)
        by_bucket = self.place.engine.stores_buckets and table.placed is not None
        if by_bucket:
            reached = (-1, table.first)
        while True:
            with self.place.transaction() as transaction:
                rows = transaction.execute(_select(table, by_bucket), (*reached, mark, BATCH)).fetchall()
                transaction.executemany(_update(table), [self._anew(table, mark, *row) for row in rows])
            if not rows:
                return
            reached = _key(table, rows[-1][0]) if by_bucket else (rows[-1][0],)
            yield len(rows)

    @staticmethod
    def _anew(table: _Wrapped, mark: bytes, name: int | str, wrapped: bytes) -> tuple[int | str | bytes, ...]:
        about = table.about(name)
        anew = table.wrapping.wrapped(table.wrapping.unwrapped(bytes(wrapped), about), about, mark)
        return anew, *_key(table, name)

    def _finish(self, done: int) -> None:
        """Nothing is left under another root: from here on the old one is not needed. On record, once."""
        newest = self.ring.roots[-1]
        with self.place.transaction() as transaction:
            left = sum(self._left(transaction, table, mark_of(newest)) for table in self.tables)
            if left:
                raise StoreFailed(f"{left} keys of `{self.tier.value}` came in under the old root; rotate again")
            row = transaction.execute(_OPEN, (self._before,)).fetchone()
            if row is not None:
                transaction.execute(_END, (self._before,))
                rotated = entry(
                    "keys.rotated", transaction.at, HOUSE, None, (), store=self.tier.value, before=bytes(row[0]),
                    after=fingerprint(newest), made=done,
                )  # fmt: skip
                transaction.journal(rotated)

    @staticmethod
    def _left(transaction: Transaction, table: _Wrapped, mark: bytes) -> int:
        statement = f"SELECT count(*) FROM {table.table} WHERE {_NOT_YET} AND {table.only}"  # noqa: S608 - tables are words of ours
        return int(transaction.execute(statement, (mark,)).fetchone()[0])


def exchange_journal_key(
    places: Iterable[Place], sealer: Sealer, seal: Callable[[], object], now: Callable[[], Instant]
) -> bytes:
    """The newest key of `mac.key` takes the place of the one before it, which is taken by nobody afterwards; its mark.

    The steps stand in `journal_keys`. Killed at any point it is run again. Raises StoreFailed, TailBroken.
    """
    places = tuple(places)
    sealer.keys.reload()
    held = sealer.keys.held
    mark = mark_of(held[-1])
    if len(held) == 1:
        return mark
    for place in places:
        with place.transaction() as transaction:
            # Alone in the place: whoever was writing with the key before has committed.
            if named_in(names_key(transaction.connection)) != mark:
                name_key(transaction.connection, mark)
    seal()
    for place in places:
        with place.reading() as connection:
            left = guarded_otherwise(connection, mark)
        if left:
            raise StoreFailed(f"{left} batches of `{place.name}` wait under the old key; rotate again")
    sealer.exchanged(held[-2], held[-1], now())
    return mark


def before_of(tier: Tier) -> str:
    """The name under which the key store has the fingerprint of the old root while a ring is rotated."""
    return f"{tier.value}-before"


def _tables(keys: Vault, paper_keys: PaperKeys, tier: Tier) -> Iterator[_Wrapped]:
    wrapping, ours = keys.wrapping[tier], f"name LIKE '{tier.value}-%'"
    # The roots of tokens come first: who starts meanwhile needs them before any key.
    yield _Wrapped("root_key", "name", "", wrapping, lambda name: str(name).encode(), None, ours)
    table = f"{tier.value}_key"
    yield _Wrapped(table, "key_id", -1, wrapping, lambda key_id: vault.wrapping(tier, int(key_id)), placed_key)
    if tier is Tier.ACTIVE:
        wrap = paper_keys.wrapping
        yield _Wrapped("paper_key", "paper_id", "", wrap, lambda one: papers.wrapping(str(one)), placed_paper_key)


def _key(table: _Wrapped, name: int | str) -> tuple[int | str, ...]:
    return (name,) if table.placed is None else table.placed(name)


def _select(table: _Wrapped, by_bucket: bool) -> str:
    """In the order of the key: that of a server begins with the bucket, a file has numbers or ids."""
    after, order = (f"{table.column} > ?", table.column)
    if by_bucket:
        after, order = (f"(bucket, {table.column}) > (?, ?)", f"bucket, {table.column}")
    return (
        f"SELECT {table.column}, wrapped FROM {table.table} WHERE {after} AND {_NOT_YET} "  # noqa: S608 - words of ours
        f"AND {table.only} ORDER BY {order} LIMIT ?"
    )


def _update(table: _Wrapped) -> str:
    own = f"{table.column} = ?" if table.placed is None else f"bucket = ? AND {table.column} = ?"
    return f"UPDATE {table.table} SET wrapped = ? WHERE {own}"  # noqa: S608 - tables are words of ours
