"""The ring of a tier: its root keys, oldest first, and the keys that each wraps.

Root keys come from outside every database: a file, the environment, or a command of the house. Usually a ring has one.
While it is rotated it has two: whatever either wrapped opens, and the one that the key store names wraps what is new.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from upheld.errors import StoreFailed

if TYPE_CHECKING:
    from upheld.store.place import Transaction

MARK: Final = 4
"""Bytes that lead a wrapped key and say which root wrapped it."""
NONCE: Final = 12
UNMARKED: Final = NONCE + 32 + 16
"""Bytes of a key that was wrapped before roots had marks: nonce, key, tag."""
MARKED: Final = MARK + UNMARKED
_KEY: Final = MARK + NONCE
"""Where in it the key itself begins."""
_SELECT: Final = "SELECT mark FROM key_ring WHERE ring = ?"
_NAME: Final = (
    "INSERT INTO key_ring(ring, mark, since) VALUES(?, ?, ?) "
    "ON CONFLICT(ring) DO UPDATE SET mark = excluded.mark, since = excluded.since"
)


def derived(root: bytes, purpose: bytes) -> bytes:
    """A key for one purpose from a root."""
    return HKDF(SHA256(), 32, None, b"upheld " + purpose).derive(root)


def fingerprint(root: bytes) -> bytes:
    """What the ledger says about a root: 32 bytes from which nobody gets back to it."""
    return hashlib.sha256(derived(root, b"fingerprint")).digest()


def mark_of(root: bytes) -> bytes:
    """The mark of a root."""
    return fingerprint(root)[:MARK]


class Ring:
    """The roots of one tier. `load` gives them oldest first; it is asked again when a mark is met that is unknown."""

    def __init__(self, name: str, load: Callable[[], Sequence[bytes]]) -> None:
        self.name = name
        self._load = load
        self._turn = Lock()
        self.roots = tuple(load())
        self._marked = {mark_of(root): root for root in self.roots}
        self.oldest = self.roots[0]
        """The root of a ring that was never rotated: what was derived from it before that day still is."""

    def reload(self) -> None:
        """Take the roots from where they are kept. Raises HomeUnusable where they are not there."""
        with self._turn:
            self.roots = tuple(self._load())
            self._marked = {mark_of(root): root for root in self.roots}

    def root(self, mark: bytes) -> bytes:
        """The root of a mark. Raises StoreFailed when it is not there."""
        found = self._marked.get(mark)
        if found is not None:
            return found
        self.reload()
        if mark in self._marked:
            return self._marked[mark]
        raise StoreFailed(
            f"the root key {mark.hex()} of `{self.name}` is not there: the keys were rotated, or another master key is "
            "in use; put the key back where this process takes its keys from"
        )

    def named(self, transaction: Transaction) -> bytes:
        """The mark of the root that wraps what is new, as the key store names it."""
        row = transaction.execute(_SELECT, (self.name,)).fetchone()
        return bytes(row[0]) if row else mark_of(self.oldest)

    def name_newest(self, transaction: Transaction) -> None:
        """From this commit on every process wraps with the newest root."""
        transaction.execute(_NAME, (self.name, mark_of(self.roots[-1]), transaction.at))


class Wrapping:
    """Wraps keys for one purpose with the roots of a ring."""

    def __init__(self, ring: Ring, purpose: bytes, random_bytes: Callable[[int], bytes]) -> None:
        self.ring = ring
        self._purpose = purpose
        self._random = random_bytes
        self._ciphers: dict[bytes, AESGCM] = {}

    def wrapped(self, key: bytes, about: bytes, mark: bytes) -> bytes:
        """A key under the root of a mark, bound to what it is about: mark, nonce, ciphertext."""
        nonce = self._random(NONCE)
        return mark + nonce + self._cipher(self.ring.root(mark)).encrypt(nonce, key, about)

    def unwrapped(self, wrapped: bytes, about: bytes) -> bytes:
        """The key again. Raises StoreFailed when no root of the ring opens it."""
        if len(wrapped) == UNMARKED:
            return self._tried(wrapped, about)
        root = self.ring.root(wrapped[:MARK])
        try:
            return self._cipher(root).decrypt(wrapped[MARK : MARK + NONCE], wrapped[MARK + NONCE :], about)
        except InvalidTag as failure:
            raise _does_not_open() from failure

    def all_unwrapped(self, several: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        """`unwrapped` for many, each with what it is about; the root of a mark is looked up once while it stays."""
        keys: list[bytes] = []
        key, mark, opens = keys.append, b"", self._cipher(self.ring.oldest).decrypt
        try:
            for wrapped, about in several:
                if len(wrapped) != MARKED:
                    key(self.unwrapped(wrapped, about))
                    continue
                if not wrapped.startswith(mark) or not mark:
                    mark = wrapped[:MARK]
                    opens = self._cipher(self.ring.root(mark)).decrypt
                key(opens(wrapped[MARK:_KEY], wrapped[_KEY:], about))
        except InvalidTag as failure:
            raise _does_not_open() from failure
        return keys

    def _tried(self, wrapped: bytes, about: bytes) -> bytes:
        for root in self.ring.roots:
            try:
                return self._cipher(root).decrypt(wrapped[:NONCE], wrapped[NONCE:], about)
            except InvalidTag:
                continue
        raise _does_not_open()

    def _cipher(self, root: bytes) -> AESGCM:
        known = self._ciphers.get(root)
        if known is None:
            known = self._ciphers[root] = AESGCM(derived(root, self._purpose))
        return known


def _does_not_open() -> StoreFailed:
    return StoreFailed("a stored key does not open with this master key; check which key file is in use")
