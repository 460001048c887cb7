"""The roots from which look-up tokens are made: one of each tier, and a second while they are rotated.

A token says by a mark which root it comes from, as a wrapped key does; those of the first root of a home have none. The
roots lie in the key store, wrapped by the ring of their tier. Which of them look-ups go by is named there too.

What is kept as a keyed digest and is nobody's identifier (names of accounts, deliveries, words in links) comes from a
root of its own, which stays: most of it can't be made anew, and some lies in people's mail.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from upheld.engine.acts import SubjectId, ValueId
from upheld.store.ids import bucket_of
from upheld.store.ring import MARK, Wrapping, derived, mark_of

if TYPE_CHECKING:
    from upheld.store.engine import Connection
    from upheld.store.place import Place, Transaction

FIRST: Final = b""
"""The mark of the root that a home begins with."""
PLAIN: Final = 32
"""Bytes of a token without a mark."""
TOKENS: Final = b"token"
WORDS: Final = b"words"
"""By which a root of each kind is derived from that of the ring until it is laid down."""
_SELECT: Final = "SELECT 'root', name, wrapped FROM root_key UNION ALL SELECT 'ring', ring, mark FROM key_ring"
SELECT_NAMED: Final = "SELECT mark FROM key_ring WHERE ring = ?"
_SELECT_NAMES: Final = "SELECT name FROM root_key"
_INSERT: Final = "INSERT INTO root_key(name, wrapped) VALUES(?, ?)"
TokenRow = tuple[str, str, str, bytes, ValueId, int, SubjectId]
"""Tier, policy, item, token, value, bucket, subject."""


def name_of(tier: str, mark: bytes) -> str:
    """The name under which a root lies in the key store."""
    return f"{tier}-token-{mark.hex()}" if mark else f"{tier}-token"


def ring_of(tier: str) -> str:
    """The name under which the key store has the mark of the root that look-ups go by; none: the first."""
    return f"{tier}-token"


def before_of(tier: str) -> str:
    """The name under which the key store has the fingerprint of the old root while tokens are made anew."""
    return f"{tier}-token-before"


def words_of(tier: str) -> str:
    """The name under which the root of what is no token lies in the key store."""
    return f"{tier}-words"


class Roots:
    """The roots of a tier as they were found: by mark, and which of them look-ups go by. Whoever writes a token writes
    one under each of them.
    """

    def __init__(self, tier: str, named: bytes, held: Mapping[bytes, bytes]) -> None:
        self.tier = tier
        self.named = named
        self.held = held
        self._keys: dict[tuple[str, str], tuple[tuple[bytes, bytes], ...]] = {}

    def token(self, mark: bytes, policy: str, item: str, text: str) -> bytes:
        """The token of a normalised text under the root of a mark."""
        key = next(key for one, key in self._keys_of(policy, item) if one == mark)
        return mark + hmac.digest(key, normalised(text).encode(), hashlib.sha256)

    def rows(self, policy: str, item: str, text: str, value: ValueId, subject: SubjectId) -> list[TokenRow]:
        """The tokens of a value, one under each root."""
        exact, bucket = normalised(text).encode(), bucket_of(subject)
        return [
            (self.tier, policy, item, mark + hmac.digest(key, exact, hashlib.sha256), value, bucket, subject)
            for mark, key in self._keys_of(policy, item)
        ]

    def _keys_of(self, policy: str, item: str) -> tuple[tuple[bytes, bytes], ...]:
        found = self._keys.get((policy, item))
        if found is None:
            about = f"{policy}|{item}".encode()
            found = tuple((mark, derived(root, about)) for mark, root in self.held.items())
            self._keys[policy, item] = found
        return found


class TokenRoots:
    """What a process knows of the roots of one tier. It looks again once it has heard that there is something new, and
    where a look-up was told another name. `words`: by what the root of what is no token is derived, in a tier that has
    one; in a home from before it had its own, by what that of the tokens is.
    """

    def __init__(self, place: Place, wrapping: Wrapping, words: bytes | None) -> None:
        self.place = place
        self.tier = wrapping.ring.name
        self._wrapping = wrapping
        self._known: list[Roots] = []
        self._words: bytes | None = None
        self._begins_with = words

    def known(self) -> Roots:
        """The roots, asked for where nobody has since `forget`. Raises StoreFailed where another master key is used."""
        known = self._known  # a thread that is late leaves what it found where nobody looks any more
        if not known:
            with self.place.reading() as connection:
                known.append(self.found(connection))
        return known[0]

    def forget(self) -> None:
        """There may be others by now."""
        self._known = []

    def found(self, connection: Connection) -> Roots:
        """The roots as the key store has them: in a transaction, those that stay until its end."""
        rows = connection.execute(_SELECT).fetchall()
        marks = {ring: bytes(mark) for what, ring, mark in rows if what == "ring"}
        first, named = ring_of(self.tier), marks.get(ring_of(self.tier), FIRST)
        wrapped = {name: bytes(root) for what, name, root in rows if what == "root"}
        held = {
            bytes.fromhex(name.removeprefix(first).removeprefix("-")): self._wrapping.unwrapped(root, name.encode())
            for name, root in sorted(wrapped.items())
            if name == first or name.startswith(f"{first}-")
        }
        if named == FIRST and FIRST not in held:
            held = {FIRST: derived(self._wrapping.ring.oldest, TOKENS), **held}
        return Roots(self.tier, named, held)

    def words(self) -> bytes:
        """The root of what is kept as a keyed digest and is no token; it never changes."""
        if self._words is None:
            assert self._begins_with is not None, f"`{self.tier}` has no root of this kind"
            with self.place.reading() as connection:
                self._words = self._found_words(connection, self._begins_with)
        return self._words

    def _found_words(self, connection: Connection, begins_with: bytes) -> bytes:
        """In a home from before it had a root of its own it is the first of the tokens: that is what was digested."""
        rows = connection.execute(_SELECT).fetchall()
        wrapped = {name: bytes(root) for what, name, root in rows if what == "root"}
        names = [words_of(self.tier)] + ([ring_of(self.tier)] if begins_with == TOKENS else [])
        for name in names:
            if name in wrapped:
                return self._wrapping.unwrapped(wrapped[name], name.encode())
        return derived(self._wrapping.ring.oldest, begins_with)

    def lay_down(self, transaction: Transaction, fresh: bytes | None = None) -> None:
        """What was derived from the root of the ring lies in the key store from now on, before that root goes; a fresh
        root too. They are wrapped like keys.
        """
        roots = self.found(transaction.connection)
        wanted = {name_of(self.tier, FIRST): roots.held.get(FIRST)}
        if self._begins_with is not None:
            wanted[words_of(self.tier)] = self._found_words(transaction.connection, self._begins_with)
        there = {name for (name,) in transaction.execute(_SELECT_NAMES).fetchall()}
        mark = self._wrapping.ring.named(transaction)
        if fresh is not None:
            wanted[name_of(self.tier, mark_of(fresh))] = fresh
        for name, root in wanted.items():
            if root is not None and name not in there:
                transaction.execute(_INSERT, (name, self._wrapping.wrapped(root, name.encode(), mark)))


def marked(token: bytes) -> bytes:
    """The mark of a token."""
    return FIRST if len(token) == PLAIN else bytes(token[:MARK])


def normalised(text: str) -> str:
    """How an identifier is compared: compatibility form, case folded, without spaces and hyphens."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split()).replace("-", "")
