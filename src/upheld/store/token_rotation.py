"""The root of look-up tokens is rotated: every token is made anew from another, while everybody reads and writes.

| step | durable in | a crash after it leaves | again |
|---|---|---|---|
| a second root is laid down, alone | the key store | two roots, look-ups by the old | goes on |
| everybody is told, by the policies on file | the active place | the same | told once more |
| a batch of tokens is added, where the key still is | the key store | fewer that lack one | goes on |
| look-ups go by the new root and the old one goes, alone | the key store | tokens of no use | goes on |
| everybody is told | the active place | the same | told once more |
| tokens of the old root go | the key store | fewer of them | goes on |
| it is said in the ledger | the key store | done | a new rotation |

Whoever writes a token writes one under each root that is there. What was collected before everybody was told is found
among the values and gets its second token here; what is collected after it has both, since a decision is proved by the
policies on file, and with those the roots are looked at again. A look-up asks after its rows which root it goes by.

A value is opened for its token and shown to nobody; like the wrapping of keys this is no use of it, and on record as
one rotation, not as a reading of each.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple, cast

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from upheld.engine.acts import SubjectId, ValueId
from upheld.ledger.entries import entry
from upheld.store.engine import Connection, Question, answers
from upheld.store.ids import bucket_of, placed_value
from upheld.store.place import Place
from upheld.store.ring import MARK, fingerprint
from upheld.store.token_roots import PLAIN, Roots, TokenRow, before_of, name_of, ring_of
from upheld.store.vault import HOUSE, Tier, Vault, bound, opened

BATCH: Final = 200
"""Ours: values of one commit; whoever works on one of these persons waits for some milliseconds."""
_MOST_GOING: Final = 2_000
_VALUES: Final = {
    Tier.ACTIVE: "sealed IS NOT NULL AND key_id IS NOT NULL",
    Tier.SEPARATED: "stage = 'held' AND sealed IS NOT NULL AND key_id IS NOT NULL",
}
_POLICY_OF: Final = "SELECT policy FROM subject WHERE bucket = ? AND subject_id = ?"
_BEFORE: Final = "SELECT mark FROM key_ring WHERE ring = ?"
_KEEP_MARK: Final = (
    "INSERT INTO key_ring(ring, mark, since) VALUES(?, ?, ?) "
    "ON CONFLICT(ring) DO UPDATE SET mark = excluded.mark, since = excluded.since"
)
_DROP_MARK: Final = "DELETE FROM key_ring WHERE ring = ?"
_DROP_ROOT: Final = "DELETE FROM root_key WHERE name = ?"
_OF_ANOTHER: Final = f"tier = ? AND (length(token) = {PLAIN} OR substr(token, 1, {MARK}) <> ?)"
_GOING: Final = f"SELECT bucket, count(*) FROM token WHERE {_OF_ANOTHER} GROUP BY bucket ORDER BY bucket"  # noqa: S608 - words of ours
_GOES: Final = f"DELETE FROM token WHERE bucket = ? AND value_id BETWEEN ? AND ? AND {_OF_ANOTHER}"  # noqa: S608 - words of ours


class _Found(NamedTuple):
    """A value that somebody is looked up by, as it lies in its tier."""

    value_id: ValueId
    subject_id: SubjectId
    item: str
    key_id: int
    blob: bytes


class TokenRotation:
    """The rotation of one tier's root. `looked_up`: policy and item of what tokens are made of; `tell`: says that there
    is something new to everybody whose decisions are proved by the policies on file.
    """

    def __init__(
        self,
        keys: Vault,
        tier: Tier,
        active: Place,
        separated: Place,
        looked_up: Collection[tuple[str, str]],
        tell: Callable[[], None],
    ) -> None:
        self.vault, self.place, self.tier = keys, keys.place, tier
        self.active = active
        self.values = active if tier is Tier.ACTIVE else separated
        self.looked_up = frozenset(looked_up)
        self._tell = tell

    def run(self, told: Callable[[int], None] = lambda _: None) -> tuple[int, bytes]:
        """Make every token anew; returns how many, and the mark of the new root. Killed at any point it is run again.

        Raises StoreFailed.
        """
        made, before = 0, self._begin()
        self._everybody_told()
        roots = self.vault.roots[self.tier].known()
        if fingerprint(roots.held[roots.named]) == before:
            for count in self._made_anew(_next_of(roots)):
                made += count
                told(made)
            self._exchange(_next_of(roots))
            self._everybody_told()
        mark = self.vault.roots[self.tier].known().named
        self._old_go(mark)
        self._finish(made, before)
        return made, mark

    def _begin(self) -> bytes:
        """Alone: whoever put tokens in under the roots of before has committed. The fingerprint of the old root."""
        with self.place.transaction() as transaction:
            begun = transaction.execute(_BEFORE, (before_of(self.tier.value),)).fetchone()
            if begun is not None:
                return bytes(begun[0])
            ours = self.vault.roots[self.tier]
            roots = ours.found(transaction.connection)
            before, fresh = fingerprint(roots.held[roots.named]), AESGCM.generate_key(256)
            ours.lay_down(transaction, fresh)
            transaction.execute(_KEEP_MARK, (before_of(self.tier.value), before, transaction.at))
        return before

    def _everybody_told(self) -> None:
        self._tell()
        self.vault.forget_token_roots()

    # ── tokens of the new root ──────────────────────────────────────────────────────────────────────────────────────

    def _made_anew(self, fresh: Roots) -> Iterator[int]:
        """Batch by batch; who is erased meanwhile is gone, and stays gone."""
        for found in self._pages():
            policies = self._policies({one.subject_id for one in found})
            wanted = [one for one in found if (policies.get(one.subject_id, ""), one.item) in self.looked_up]
            if not wanted:
                continue
            rows = self._rows(fresh, wanted, policies)
            with self.place.transaction({one.subject_id for one in wanted}) as transaction:
                there = self.vault.there(transaction.connection, self.tier, list(rows))
                self.vault.put_tokens(transaction, [row for key_id in sorted(there) for row in rows[key_id]])
            yield len(there)

    def _pages(self) -> Iterator[list[_Found]]:
        items = sorted({item for _, item in self.looked_up})
        by_bucket = self.place.engine.stores_buckets
        reached: tuple[int, ...] = (-1, -1) if by_bucket else (-1,)
        statement = _page(self.tier, len(items), by_bucket)
        while items:
            with self.values.reading() as connection:
                rows = connection.execute(statement, (*items, *reached, BATCH)).fetchall()
            if not rows:
                return
            yield [_Found(ValueId(row[0]), SubjectId(row[1]), row[2], row[3], bytes(row[4])) for row in rows]
            reached = placed_value(rows[-1][0]) if by_bucket else (rows[-1][0],)

    def _policies(self, people: Iterable[SubjectId]) -> dict[SubjectId, str]:
        people = sorted(people)
        asked: list[Question] = [(_POLICY_OF, (bucket_of(one), one)) for one in people]
        with self.active.reading() as connection:
            found = answers(connection, asked)
        return {one: cast(str, rows[0][0]) for one, rows in zip(people, found, strict=True) if rows}

    def _rows(
        self, fresh: Roots, wanted: Sequence[_Found], policies: dict[SubjectId, str]
    ) -> dict[int, list[TokenRow]]:
        """Tokens by the key of their value, for those whose key is there. No key stays in memory."""
        ciphers: dict[int, AESGCM] = self.vault.fetched(self.tier, [one.key_id for one in wanted])
        rows = {}
        for one in wanted:
            if one.key_id in ciphers:
                policy = policies[one.subject_id]
                binding = bound(self.tier, policy, one.subject_id, one.value_id, one.item, one.key_id)
                text = opened(ciphers[one.key_id], one.blob, binding).decode()
                rows[one.key_id] = fresh.rows(policy, one.item, text, one.value_id, one.subject_id)
        return rows

    # ── the old root ────────────────────────────────────────────────────────────────────────────────────────────────

    def _exchange(self, fresh: Roots) -> None:
        """Alone: no look-up can still be at it by the old root and not be told of the new one."""
        with self.place.transaction() as transaction:
            transaction.execute(_KEEP_MARK, (ring_of(self.tier.value), fresh.named, transaction.at))
            for mark in self.vault.roots[self.tier].found(transaction.connection).held:
                if mark != fresh.named:
                    transaction.execute(_DROP_ROOT, (name_of(self.tier.value, mark),))

    def _old_go(self, mark: bytes) -> None:
        with self.place.reading() as connection:
            going = connection.execute(_GOING, (self.tier.value, mark)).fetchall()
        for buckets in _grouped(going):
            with self.place.transaction() as transaction:
                for bucket in buckets:
                    about = (bucket, bucket << 53, (bucket + 1 << 53) - 1, self.tier.value, mark)
                    transaction.execute(_GOES, about)

    def _finish(self, made: int, before: bytes) -> None:
        """On record, once."""
        roots = self.vault.roots[self.tier].known()
        with self.place.transaction() as transaction:
            if not transaction.execute(_DROP_MARK, (before_of(self.tier.value),)).rowcount:
                return  # somebody else was at it too
            rotated = entry(
                "keys.rotated", transaction.at, HOUSE, None, (), store=store_of(self.tier), before=before,
                after=fingerprint(roots.held[roots.named]), made=made,
            )  # fmt: skip
            transaction.journal(rotated)


def store_of(tier: Tier) -> str:
    """What the ledger calls the root of a tier's tokens."""
    return f"{tier.value}-look-up"


def begun_in(connection: Connection, tier: Tier) -> bool:
    """Whether a rotation of a tier's tokens was begun and is not over, as the key store has it."""
    return connection.execute(_BEFORE, (before_of(tier.value),)).fetchone() is not None


def _next_of(roots: Roots) -> Roots:
    """The second root, as if it were the only one."""
    (mark,) = [one for one in roots.held if one != roots.named]
    return Roots(roots.tier, mark, {mark: roots.held[mark]})


def _grouped(going: Iterable[tuple[int, int]]) -> Iterator[list[int]]:
    """Buckets, as many as have some thousand tokens together."""
    buckets, so_far = list[int](), 0
    for bucket, count in going:
        buckets.append(bucket)
        so_far += count
        if so_far >= _MOST_GOING:
            yield buckets
            buckets, so_far = [], 0
    if buckets:
        yield buckets


def _page(tier: Tier, items: int, by_bucket: bool) -> str:
    """In the order of the key: that of a server begins with the bucket."""
    after, order = ("(bucket, value_id) > (?, ?)", "bucket, value_id") if by_bucket else ("value_id > ?", "value_id")
    return (
        f"SELECT value_id, subject_id, item, key_id, sealed FROM value WHERE item IN ({', '.join('?' * items)}) "  # noqa: S608 - words of ours
        f"AND {after} AND {_VALUES[tier]} ORDER BY {order} LIMIT ?"
    )
