"""Keys and ciphertext: a random key for each stored value, wrapped by the key of its tier; look-up tokens beside.

Destroying the key row destroys the value, wherever copies of its ciphertext lie. INVARIANT: I4.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cache
from threading import Lock
from typing import Protocol, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from upheld.engine.acts import SubjectId, ValueId
from upheld.errors import StoreFailed
from upheld.ledger.entries import entry
from upheld.store.engine import Connection, Numbers, Overtaken, Question, Rows, answers, array, asks_at_once
from upheld.store.ids import BUCKETS, DAY_OF_KEY, bucket_of_value, placed_key, placed_value
from upheld.store.ids import key_id as new_key_id
from upheld.store.place import Place, Transaction
from upheld.store.ring import Ring, Wrapping, derived
from upheld.store.spelling import all_changed, together
from upheld.store.token_roots import FIRST, SELECT_NAMED, TOKENS, WORDS, TokenRoots, TokenRow, normalised, ring_of

BLOCK = 256
"""Keys committed ahead of need: a value never waits for a commit of its own in the key store."""
BLOCK_OF_BUCKET = 8
"""The same of one bucket, where rows lie on several machines."""
_ANY = -1
"""The pool of keys for whoever comes, where they do not."""
CACHE_SECONDS = 60.0
CACHE_KEYS = 200_000
MOST_UNSURE = 4_000
"""So many look-up tokens may wait to be on the disk of a server before one flush is made for them."""


class Tier(StrEnum):
    """The two places in which a value can live."""

    ACTIVE = "active"
    SEPARATED = "separated"


_ABOUT_KEY = {tier: tier.value.encode() + b"|%d" for tier in Tier}
_INSERT_KEY = {tier: f"INSERT INTO {tier}_key(key_id, wrapped) VALUES(?, ?)" for tier in Tier}
_INSERT_PLACED_KEY = {tier: f"INSERT INTO {tier}_key(bucket, key_id, wrapped) VALUES(?, ?, ?)" for tier in Tier}
_SELECT_KEY = {tier: f"SELECT wrapped FROM {tier}_key WHERE bucket = ? AND key_id = ?" for tier in Tier}  # noqa: S608 - a tier is one of two words of ours
_SELECT_KEYS = {
    tier: f"SELECT k.key_id, k.wrapped FROM {tier}_key k JOIN unnest(CAST(? AS BIGINT[]), CAST(? AS BIGINT[])) "  # noqa: S608 - as above
    "AS w(bucket, key_id) ON k.bucket = w.bucket AND k.key_id = w.key_id"
    for tier in Tier
}
DELETE_KEY = {tier: f"DELETE FROM {tier}_key WHERE bucket = ? AND key_id = ?" for tier in Tier}  # noqa: S608 - a tier is one of two words of ours
_TOKENS_AT_ONCE = (
    "SELECT DISTINCT t.value_id FROM token t JOIN unnest(CAST(? AS BIGINT[]), CAST(? AS BIGINT[])) "
    "AS w(bucket, value_id) ON t.bucket = w.bucket AND t.value_id = w.value_id"
)
_COUNT_TOKENS_AT_ONCE = (
    "SELECT t.value_id, count(*) FROM token t JOIN unnest(CAST(? AS BIGINT[]), CAST(? AS BIGINT[])) "
    "AS w(bucket, value_id) ON t.bucket = w.bucket AND t.value_id = w.value_id GROUP BY t.value_id"
)
_DELETE_KEYS_AT_ONCE = {
    tier: f"DELETE FROM {tier}_key WHERE (bucket, key_id) IN "  # noqa: S608 - as above
    "(SELECT * FROM unnest(CAST(? AS BIGINT[]), CAST(? AS BIGINT[]))) RETURNING key_id"
    for tier in Tier
}
_ANY_KEY = {tier: f"SELECT key_id, wrapped FROM {tier}_key LIMIT 1" for tier in Tier}  # noqa: S608 - as above
_ALL_KEYS = {tier: f"SELECT key_id FROM {tier}_key" for tier in Tier}  # noqa: S608 - a tier is one of two words of ours
_INSERT_TOKEN = (
    "INSERT INTO token(tier, policy, item, token, value_id, bucket, subject_id) VALUES(?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING"
)
_SELECT_TOKEN = "SELECT DISTINCT subject_id FROM token WHERE tier = ? AND policy = ? AND item = ? AND token = ?"
_DELETE_TOKENS = "DELETE FROM token WHERE bucket = ? AND value_id = ?"
_COUNT_TOKENS = "SELECT count(*) FROM token WHERE bucket = ? AND value_id = ?"
_ROTATED_MEANWHILE = 4
"""So often a look-up is done again since tokens go by another root: a rotation takes far longer than a look-up."""
HOUSE = "house"
"""Under which the ledger keeps what concerns no policy."""
DestroyedKey = tuple[Tier, int | None, ValueId]
"""Tier, key (None: the value had none), value."""


class Sealed(Struct, frozen=True, gc=False):
    """Ciphertext with the id of the key that opens it."""

    key_id: int
    blob: bytes


class Opener(Struct, gc=False, eq=False):
    """An unwrapped key, the value it belongs to for ever, and until when it may be used without asking again."""

    key_id: int
    cipher: AESGCM | None
    until: float
    binding: bytes | None

    def forget(self) -> None:
        """The key leaves memory, whoever still holds this."""
        self.cipher = None


class Holder(Protocol):
    """What remembers the key of a value from one reading to the next."""

    opener: Opener | None


class KeyMissing(StoreFailed):
    """The key of a value is not there: it was destroyed."""


class Vault:
    """The key store of both tiers. `rings` have the root keys of each tier, kept outside every database; `by_bucket`:
    rows lie on several machines.
    """

    def __init__(
        self,
        place: Place,
        rings: Mapping[Tier, Ring],
        random_bytes: Callable[[int], bytes],
        monotonic: Callable[[], float],
        day: Callable[[], int],
        cached: int = CACHE_KEYS,
        by_bucket: bool = False,
        own_words: bool = False,
    ) -> None:
        self.place = place
        self._cached = cached
        self._random = random_bytes
        self._monotonic = monotonic
        self._day = day
        self.rings = rings
        self.wrapping = {tier: Wrapping(ring, b"wrap", random_bytes) for tier, ring in rings.items()}
        words = {Tier.ACTIVE: WORDS if own_words else TOKENS}
        self.roots = {tier: TokenRoots(place, one, words.get(tier)) for tier, one in self.wrapping.items()}
        """Of look-up tokens."""
        self._word_keys: dict[tuple[str, str], bytes] = {}
        self._by_bucket = by_bucket
        self._ahead: dict[tuple[Tier, int], list[tuple[int, AESGCM]]] = {}
        self._cache: dict[Tier, dict[int, Opener]] = {tier: {} for tier in Tier}
        self._lock = Lock()
        self.owed: list[TokenRow] = []
        """Look-up tokens of values that are held, for which there was no room, or which a server may have forgotten."""
        self.paying = Lock()
        self._unsure: list[TokenRow] = []
        """Look-up tokens that were put in, by this line, and need not be on the disk of the server yet."""
        self._line = place.line
        self._noting = Lock()

    # ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, tier: Tier, bucket: int) -> tuple[int, AESGCM]:
        """A key that is already durable in the key store (keys first: a value without its key is a loss).

        Where rows lie on several machines it is one of the bucket of its subject: it goes with one commit on one of
        them, like all else of the person.
        """
        pool = (tier, bucket if self._by_bucket else _ANY)
        with self._lock:
            ready = self._ahead.get(pool)
            if not ready:
                self._commit_ahead(tier, {pool[1]: BLOCK_OF_BUCKET if self._by_bucket else BLOCK})
                ready = self._ahead[pool]
            return ready.pop()

    def ahead(self, tier: Tier, count: int, buckets: Collection[int] = ()) -> None:
        """Have so many keys ready with one commit; `buckets` says of whom, where keys are made by bucket."""
        with self._lock:
            wanted = Counter(buckets) if self._by_bucket else {_ANY: count}
            missing = {pool: count - len(self._ahead.get((tier, pool), ())) for pool, count in wanted.items()}
            least = 0 if self._by_bucket else BLOCK
            if short := {pool: max(count, least) for pool, count in missing.items() if count > 0}:
                self._commit_ahead(tier, short)

    def _commit_ahead(self, tier: Tier, counts: Mapping[int, int]) -> None:
        """Keys by pool: those of any bucket share one that is drawn, so that a block is written to one machine."""
        day, anywhere = self._day(), int.from_bytes(self._random(2), "big") % BUCKETS
        made = {
            pool: [
                (key_id, AESGCM.generate_key(256))
                for key_id in self._different_ids(day, anywhere if pool == _ANY else pool, count)
            ]
            for pool, count in counts.items()
        }
        fresh = [one for keys in made.values() for one in keys]
        with self.place.transaction(about=()) as transaction:
            # Asked in the same commit: a rotation that another process has begun is followed from its first key on.
            mark = self.rings[tier].named(transaction)
            wrap = self.wrapping[tier].wrapped
            rows = [(key_id, wrap(key, wrapping(tier, key_id), mark)) for key_id, key in fresh]
            if self.place.engine.stores_buckets:
                placed = [(*placed_key(key_id), wrapped) for key_id, wrapped in rows]
                transaction.executemany(_INSERT_PLACED_KEY[tier], placed)
            else:
                transaction.executemany(_INSERT_KEY[tier], rows)
            # On record, so that an older copy of the key store is noticed: it lacks keys that values need.
            transaction.journal(entry("keys.made", transaction.at, HOUSE, None, (), store=tier.value, made=len(fresh)))
        for pool, keys in made.items():
            ready = [(key_id, AESGCM(key)) for key_id, key in keys]
            self._ahead[tier, pool] = ready + self._ahead.get((tier, pool), [])

    def _different_ids(self, day: int, bucket: int, count: int) -> Iterable[int]:
        """Among a hundred thousand of one block two would be the same once in thirty times."""
        drawn: dict[int, None] = {}
        while len(drawn) < count:
            drawn[new_key_id(day, bucket, self._random)] = None
        return drawn

    def fetch_roots(self) -> None:
        """Fetch the roots of look-up tokens, and open one key of each tier. Raises StoreFailed where another master key
        is in use: what is stored under it would be lost with it.
        """
        for tier in self.rings:
            self.roots[tier].known()
            with self.place.reading() as connection:
                if self.place.engine.may_read(connection, f"{tier.value}_key"):
                    row = connection.execute(_ANY_KEY[tier]).fetchone()
                    if row is not None:
                        self.wrapping[tier].unwrapped(bytes(row[1]), wrapping(tier, row[0]))

    def forget_token_roots(self) -> None:
        """There may be others by now."""
        for roots in self.roots.values():
            roots.forget()

    def ciphers(self, tier: Tier, key_ids: Sequence[int]) -> dict[int, AESGCM]:
        """The ciphers of the keys that exist; unwrapped keys are remembered for at most a minute."""
        now = self._monotonic()
        cache = self._cache[tier]
        found: dict[int, AESGCM] = {}
        missing: list[int] = []
        for key_id in key_ids:
            cached = cache.get(key_id)
            if cached is not None and cached.cipher is not None and cached.until > now:
                found[key_id] = cached.cipher
            else:
                missing.append(key_id)
        for key_id, cipher in self.fetched(tier, missing).items():
            found[key_id] = cipher
            self._remember(tier, key_id, cipher, now + CACHE_SECONDS, None)
        return found

    def fetched(self, tier: Tier, key_ids: Sequence[int]) -> dict[int, AESGCM]:
        """The ciphers of keys, from the key store; they are not remembered."""
        if not key_ids:
            return {}
        with self.place.reading() as connection:
            rows = self._wrapped_of(connection, tier, key_ids)
        about = _ABOUT_KEY[tier]
        keys = self.wrapping[tier].all_unwrapped([(row, about % key_id) for key_id, row in rows])
        return {key_id: AESGCM(key) for (key_id, _), key in zip(rows, keys, strict=True)}

    def there(self, connection: Connection, tier: Tier, key_ids: Sequence[int]) -> set[int]:
        """Which of these keys are there."""
        return {key_id for key_id, _ in self._wrapped_of(connection, tier, key_ids)} if key_ids else set()

    def _wrapped_of(self, connection: Connection, tier: Tier, key_ids: Sequence[int]) -> list[tuple[int, bytes]]:
        rows: list[tuple[int, bytes]] = []
        if len(key_ids) == 1:
            found = connection.execute(_SELECT_KEY[tier], placed_key(key_ids[0])).fetchone()
            rows += [] if found is None else [(key_ids[0], found[0])]
        elif self.place.engine.stores_buckets:
            buckets = [placed_key(key_id)[0] for key_id in key_ids]
            rows += connection.execute(_SELECT_KEYS[tier], (array(buckets), array(key_ids))).fetchall()
        else:
            for start in range(0, len(key_ids), 500):
                some = key_ids[start : start + 500]
                rows += connection.execute(_select_keys(tier, len(some)), some).fetchall()
        return rows

    def _remember(self, tier: Tier, key_id: int, cipher: AESGCM, until: float, binding: bytes | None) -> Opener:
        cache = self._cache[tier]
        if len(cache) >= self._cached:
            self._clear(cache)
        found = cache[key_id] = Opener(key_id, cipher, until, binding)
        return found

    def forget(self, tier: Tier, key_ids: Iterable[int]) -> None:
        """Drop unwrapped keys from memory."""
        for key_id in key_ids:
            known = self._cache[tier].pop(key_id, None)
            if known is not None:
                known.forget()

    def forget_all(self) -> None:
        """Drop every unwrapped key from memory."""
        for cached in self._cache.values():
            self._clear(cached)

    @staticmethod
    def _clear(cached: dict[int, Opener]) -> None:
        for known in list(cached.values()):
            known.cipher = None  # as `forget` does
        cached.clear()

    def keys_of(self, tier: Tier) -> set[int]:
        """The ids of every key that is there: as many as values are stored, and a block more."""
        with self.place.reading() as connection:
            return {row[0] for row in connection.execute(_ALL_KEYS[tier])}

    def first_of_today(self) -> int:
        """Keys with smaller ids were made before today: one of them that no value needs will never be needed."""
        return (self._day() & 0xFFFF) << DAY_OF_KEY

    def drop_ahead(self) -> None:
        """Forget the keys made ahead of need: the key store is about to be cleaned of keys that no value needs."""
        with self._lock:
            self._ahead.clear()

    def left(self, keys: Sequence[DestroyedKey]) -> set[ValueId]:
        """Which of the values still have a key or a look-up token."""
        if self.place.engine.stores_buckets:
            return self._left_at_once(keys)
        asked = [(_SELECT_KEY[tier], placed_key(key_id or 0)) for tier, key_id, _ in keys]
        with self.place.reading() as connection:
            found = answers(connection, asked + [(_COUNT_TOKENS, placed_value(value)) for _, _, value in keys])
        there = zip(keys, found[: len(keys)], found[len(keys) :], strict=True)
        return {value for (_, _, value), rows, tokens in there if rows or tokens != [(0,)]}

    def _left_at_once(self, keys: Sequence[DestroyedKey]) -> set[ValueId]:
        """`left` with a question for each table."""
        value_of = {key_id: value for _, key_id, value in keys if key_id is not None}
        asked: list[Question] = [(_TOKENS_AT_ONCE, _pairs(placed_value(value) for _, _, value in keys))]
        for tier in Tier:
            of = [key_id for one, key_id, _ in keys if one is tier and key_id is not None]
            if of:
                asked.append((_SELECT_KEYS[tier], _pairs(map(placed_key, of))))
        with self.place.reading() as connection:
            tokens, *found = answers(connection, asked)
        return {ValueId(value) for (value,) in tokens} | {value_of[key_id] for rows in found for key_id, _ in rows}

    @staticmethod
    def destroy(transaction: Transaction, keys: Iterable[DestroyedKey]) -> set[ValueId]:
        """Delete keys and the look-up tokens of their values; of which the key was still there.

        All of it goes before anything is looked at: where each statement is a message, it is one for all.
        """
        keys = list(keys)
        if asks_at_once(transaction.connection) is not None:
            return _destroyed_at_once(transaction, keys)
        asked: list[tuple[ValueId, Rows]] = []
        for tier, key_id, value_id in keys:
            transaction.execute(_DELETE_TOKENS, placed_value(value_id))
            if key_id is not None:
                asked.append((value_id, transaction.execute(DELETE_KEY[tier], placed_key(key_id))))
        return {value_id for value_id, rows in asked if rows.rowcount == 1}

    @staticmethod
    def destroy_all(transaction: Transaction, keys: Sequence[DestroyedKey]) -> None:
        """`destroy` where every key must be there, or nothing of the transaction happens: in one message. Raises
        Overtaken for a value without a key.
        """
        transaction.execute(*_all_of(_DELETE_TOKENS, [placed_value(value) for _, _, value in keys]))
        for tier in Tier:
            of = [placed_key(key_id) for one, key_id, _ in keys if one is tier and key_id is not None]
            if of:
                statement, given = _all_of(DELETE_KEY[tier], of)
                transaction.execute(all_changed(statement), (*given, len(of)))
        if any(key_id is None for _, key_id, _ in keys):
            raise Overtaken("a value has no key")

    # ── values ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def seal(
        self,
        tier: Tier,
        policy: str,
        subject_id: SubjectId,
        value_id: ValueId,
        item: str,
        content: bytes,
        taken: tuple[int, AESGCM] | None = None,
    ) -> Sealed:
        """Encrypt a value under a key of its own, bound to whom, what and where it is. `taken`: one that was taken."""
        key_id, cipher = taken or self.take(tier, bucket_of_value(value_id))
        nonce, binding = self._random(12), bound(tier, policy, subject_id, value_id, item, key_id)
        self._remember(tier, key_id, cipher, self._monotonic() + CACHE_SECONDS, binding)
        return Sealed(key_id, nonce + cipher.encrypt(nonce, content, binding))

    def open(
        self, tier: Tier, policy: str, subject_id: SubjectId, value_id: ValueId, item: str, sealed: Sealed
    ) -> bytes:
        """Decrypt one value. Raises KeyMissing when its key is destroyed, StoreFailed when it was tampered with."""
        cipher = self.ciphers(tier, [sealed.key_id]).get(sealed.key_id)
        if cipher is None:
            raise KeyMissing("the key of this value is destroyed")
        return opened(cipher, sealed.blob, bound(tier, policy, subject_id, value_id, item, sealed.key_id))

    def open_rows(
        self,
        tier: Tier,
        rows: Iterable[tuple[int, int, bytes]],
        holders: Mapping[ValueId, Holder],
        binding_of: Callable[[ValueId, int], bytes],
    ) -> dict[ValueId, str]:
        """The texts of many rows (value, key, ciphertext); one whose key is gone is left out.

        A key belongs to one value for ever, so what its ciphertext is bound to is remembered with it. The first loop is
        the hot path of a batch: one decryption a value, no look-up but in what the batch has at hand.
        """
        now, texts = self._monotonic(), cast("dict[ValueId, str]", {})
        unknown: list[tuple[int, int, bytes]] = []
        try:
            for row in cast("Iterable[tuple[ValueId, int, bytes]]", rows):
                value, key_id, blob = row
                opener = holders[value].opener
                cipher = None if opener is None else opener.cipher
                if cipher is None or opener is None or opener.key_id != key_id or opener.until <= now:
                    unknown.append(row)
                else:
                    texts[value] = cipher.decrypt(blob[:12], blob[12:], opener.binding).decode()
            if unknown:
                self._open_others(tier, unknown, holders, binding_of, texts)
        except InvalidTag as failure:
            raise _tampered() from failure
        return texts

    def open_at_hand(
        self, rows: Sequence[tuple[int, int, bytes]], holders: Mapping[ValueId, Holder]
    ) -> dict[ValueId, str] | None:
        """`open_rows` for who may not wait: None where the key of one is not at hand."""
        now, texts = self._monotonic(), cast("dict[ValueId, str]", {})
        try:
            for value, key_id, blob in cast("Sequence[tuple[ValueId, int, bytes]]", rows):
                opener = holders[value].opener
                cipher = None if opener is None else opener.cipher
                if cipher is None or opener is None or opener.key_id != key_id or opener.until <= now:
                    return None
                texts[value] = cipher.decrypt(blob[:12], blob[12:], opener.binding).decode()
        except InvalidTag as failure:
            raise _tampered() from failure
        return texts

    def _open_others(
        self,
        tier: Tier,
        rows: Sequence[tuple[int, int, bytes]],
        holders: Mapping[ValueId, Holder],
        binding_of: Callable[[ValueId, int], bytes],
        texts: dict[ValueId, str],
    ) -> None:
        """Rows whose key is not at hand: it is in memory still, or is fetched from the key store.

        What has expired opens nothing unless its key is still there.
        """
        now, cache = self._monotonic(), self._cache[tier]
        strange: list[tuple[int, int, bytes]] = []
        for row in cast("Sequence[tuple[ValueId, int, bytes]]", rows):
            number, key_id, blob = row
            opener = cache.get(key_id)
            if opener is None or (cipher := opener.cipher) is None or opener.until <= now or opener.binding is None:
                strange.append(row)
                continue
            holders[number].opener = opener
            texts[number] = cipher.decrypt(blob[:12], blob[12:], opener.binding).decode()
        if strange:
            self._open_strange(tier, strange, holders, binding_of, texts)

    def _open_strange(
        self,
        tier: Tier,
        rows: Sequence[tuple[int, int, bytes]],
        holders: Mapping[ValueId, Holder],
        binding_of: Callable[[ValueId, int], bytes],
        texts: dict[ValueId, str],
    ) -> None:
        """Rows whose keys are fetched together, and remembered. One whose key is gone is left out."""
        key_ids = [row[1] for row in rows]
        self.forget(tier, key_ids)
        cipher_of, until = self.fetched(tier, key_ids).get, self._monotonic() + CACHE_SECONDS
        cache, most = self._cache[tier], self._cached
        for number, key_id, blob in cast("Sequence[tuple[ValueId, int, bytes]]", rows):
            cipher = cipher_of(key_id)
            if cipher is None:
                continue
            if len(cache) >= most:
                self._clear(cache)
            binding = binding_of(number, key_id)
            holders[number].opener = cache[key_id] = Opener(key_id, cipher, until, binding)
            texts[number] = cipher.decrypt(blob[:12], blob[12:], binding).decode()

    # ── look-up ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def digest(self, policy: str, word: str, text: str) -> bytes:
        """A keyed digest of what is no look-up: a name that is compared, a word in a link. It is one and the same for
        ever, however often other keys are rotated; `word` says for what.
        """
        key = self._word_keys.get((policy, word))
        if key is None:
            key = self._word_keys[policy, word] = derived(self.roots[Tier.ACTIVE].words(), f"{policy}|@{word}".encode())
        return hmac.digest(key, normalised(text).encode(), hashlib.sha256)

    def token(self, tier: Tier, policy: str, item: str, text: str) -> bytes:
        """The keyed token of a normalised text by which look-ups go; equal texts of one item under one policy and tier
        have equal tokens.
        """
        roots = self.roots[tier].known()
        return roots.token(roots.named, policy, item, text)

    def keep_tokens(self, rows: Sequence[TokenRow]) -> None:
        """Insert look-up tokens (after the values: no token of a value never held).

        Start-up makes the tokens of values that have none, so they need not wait for the disk. What a server forgets
        that falls over while this process lives on, is owed (`doubt`).
        """
        about, line = {row[-1] for row in rows}, self.place.line
        if not (len(about) == 1 and self.place.put_soon(rows[0][-1], [(_INSERT_TOKEN, row) for row in rows])):
            with self.place.soon_durable(about=about, early=True) as transaction:
                self.put_tokens(transaction, rows)
        if line is None:
            return
        with self._noting:
            (self._unsure if line == self._line == self.place.line else self.owed).extend(rows)
        if len(self._unsure) > MOST_UNSURE:
            self.outlast()

    def doubt(self) -> None:
        """Where the line to the server was opened anew, what was not sure to be on its disk before is owed."""
        if self.place.line == self._line:
            return
        with self._noting:
            self.owed.extend(self._unsure)
            self._unsure, self._line = [], self.place.line

    def outlast(self) -> None:
        """What was put in of look-up tokens, by whomever, is on the disk of the server, or it is owed. Raises
        StoreFailed.
        """
        self.doubt()
        with self._noting:
            line, unsure, self._unsure = self._line, self._unsure, []
        try:
            self.place.outlast()
        except BaseException:
            self.owed.extend(unsure)
            raise
        if self.place.line != line:
            self.owed.extend(unsure)

    @staticmethod
    def put_tokens(transaction: Transaction, rows: Sequence[TokenRow]) -> None:
        """Insert look-up tokens together with what else happens in the key store; twice the same are there once."""
        if len(rows) == 1:
            transaction.execute(_INSERT_TOKEN, rows[0])
        else:
            transaction.executemany(_INSERT_TOKEN, rows)

    def subjects_with(self, tier: Tier, policy: str, item: str, text: str) -> tuple[SubjectId, ...]:
        """Subjects that hold exactly this text in this item. Which root look-ups go by is asked in the same message,
        after them: where it is another by now, what was found under the last says nothing.
        """
        for _ in range(_ROTATED_MEANWHILE):
            roots = self.roots[tier].known()
            asked = (tier.value, policy, item, roots.token(roots.named, policy, item, text))
            with self.place.reading() as connection:
                rows, named = answers(connection, [(_SELECT_TOKEN, asked), (SELECT_NAMED, (ring_of(tier.value),))])
            if (bytes(named[0][0]) if named else FIRST) == roots.named:
                return tuple(SubjectId(row[0]) for row in rows)
            self.roots[tier].forget()
        raise StoreFailed("the root of look-up tokens was another each time it was asked for; try again")

    def counted(self, values: Collection[ValueId]) -> Counter[ValueId]:
        """How many look-up tokens each of the values has."""
        pairs, found = list(map(placed_value, values)), Counter[ValueId]()
        with self.place.reading() as connection:
            if self.place.engine.stores_buckets:
                found.update(dict(connection.execute(_COUNT_TOKENS_AT_ONCE, _pairs(pairs)).fetchall()))
            else:
                for start in range(0, len(pairs), 500):
                    some = [value for _, value in pairs[start : start + 500]]
                    found.update(dict(connection.execute(_count_tokens(len(some)), some).fetchall()))
        return found

    def tokens_left(self, value_id: ValueId) -> int:
        """How many look-up tokens of a value remain."""
        with self.place.reading() as connection:
            return int(connection.execute(_COUNT_TOKENS, placed_value(value_id)).fetchone()[0])


def _pairs(placed: Iterable[tuple[int, int]]) -> tuple[Numbers, Numbers]:
    """Buckets and numbers as two parameters."""
    pairs = list(placed)
    return array([bucket for bucket, _ in pairs]), array([number for _, number in pairs])


def _all_of(statement: str, keys: Sequence[tuple[int, int]]) -> Question:
    """A change of the row of one key, said for several different ones."""
    return together(statement, keys) or (statement, keys[0])


def _destroyed_at_once(transaction: Transaction, keys: Sequence[DestroyedKey]) -> set[ValueId]:
    """`Vault.destroy` with a statement for each table, for engines where each takes a while."""
    value_of = {key_id: value for _, key_id, value in keys if key_id is not None}
    transaction.executemany(_DELETE_TOKENS, [placed_value(value) for _, _, value in keys])
    gone: list[Rows] = []
    for tier in Tier:
        of = [key_id for one, key_id, _ in keys if one is tier and key_id is not None]
        if of:
            gone.append(transaction.execute(_DELETE_KEYS_AT_ONCE[tier], _pairs(map(placed_key, of))))
    return {value_of[key_id] for rows in gone for (key_id,) in rows.fetchall()}


@cache
def _select_keys(tier: Tier, count: int) -> str:
    return f"SELECT key_id, wrapped FROM {tier}_key WHERE key_id IN ({','.join('?' * count)})"  # noqa: S608 - as above


@cache
def _count_tokens(count: int) -> str:
    return f"SELECT value_id, count(*) FROM token WHERE value_id IN ({','.join('?' * count)}) GROUP BY value_id"  # noqa: S608 - as above


def wrapping(tier: Tier, key_id: int) -> bytes:
    """What a wrapped key is bound to."""
    return _ABOUT_KEY[tier] % key_id


def bound(tier: Tier, policy: str, subject_id: SubjectId, value_id: ValueId, item: str, key_id: int) -> bytes:
    """What the ciphertext is bound to, so that no row can be passed off as another."""
    return f"{tier}|{policy}|{subject_id}|{value_id}|{item}|{key_id}".encode()


def opened(cipher: AESGCM, blob: bytes, binding: bytes) -> bytes:
    """The content of a sealed value. Raises StoreFailed when ciphertext or binding was changed."""
    try:
        return cipher.decrypt(blob[:12], blob[12:], binding)
    except InvalidTag as failure:
        raise _tampered() from failure


def _tampered() -> StoreFailed:
    return StoreFailed("a stored value does not decrypt: its row was changed from outside")
