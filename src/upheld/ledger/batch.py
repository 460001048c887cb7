"""Entries as they are written: one batch per transaction, class and policy, chained to the batch before it.

==========  =======================================================================================================
header      version, stream, n (dense from 1), class, from_at, until_at, prev_hash, the stream this one continues, and
            the mark of the key that guards it, where that is not the first key of the house
body        a random salt, then each entry's bytes; the salt of each entry is drawn from it
body_hash   Merkle root over `H(0 | salt of the entry | entry)`: one entry can be shown without the others, and when the
            body is destroyed its entries can't be guessed back from this
leaf        `H(0 | header | body_hash)`: what the next batch's prev_hash and the ledger's tree hold
mac         HMAC-SHA256 of the leaf under a key outside every database
==========  =======================================================================================================
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import sha256, shake_128
from typing import Final

import msgspec

from upheld.errors import UpheldError
from upheld.ledger.entries import BatchClass, Entry, EntryRefused, Evidence, Written, packed, unpacked
from upheld.ledger.merkle import leaf_hash, root_of

VERSION: Final = 1
MARKED: Final = 2
"""The version of a header that ends with the mark of a key."""
SALT_LENGTH: Final = 32
NOTHING_BEFORE: Final = bytes(32)
ENTRY_SALT: Final = 16
_BLOCK: Final = 64
"""Bytes that SHA-256 takes at once."""

_encode = msgspec.msgpack.Encoder().encode
_decode_body = msgspec.msgpack.Decoder(list[bytes]).decode


class Head(msgspec.Struct, frozen=True, gc=False):
    """The end of a stream: how many batches it has, and the leaf of the last one."""

    n: int = 0
    hash: bytes = NOTHING_BEFORE


class Header(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What of a batch is kept for ever. `after` names the stream and n that a first batch goes on from; `mark` says
    which key guards it: empty for the first key of the house.
    """

    version: int
    stream: str
    n: int
    batch_class: BatchClass
    from_at: int
    until_at: int
    prev_hash: bytes
    after: tuple[str, int] | None = None
    mark: bytes = b""


_decode_header = msgspec.msgpack.Decoder(Header).decode


class BatchBroken(UpheldError):
    """Bytes that are not a batch, or parts that do not belong together. `number` is the entry's, from 0, or None."""

    def __init__(self, reason: str, number: int | None = None) -> None:
        super().__init__(reason if number is None else f"entry {number}: {reason}")
        self.reason = reason
        self.number = number


class Batch(msgspec.Struct, frozen=True, gc=False):
    """A batch ready to be written."""

    header: bytes
    body_hash: bytes
    body: bytes
    leaf: bytes
    mac: bytes


def batch_of(
    entries: Sequence[Evidence],
    stream: str,
    batch_class: BatchClass,
    head: Head,
    at: int,
    salt: bytes,
    mac_key: bytes,
    after: tuple[str, int] | None = None,
    mark: bytes = b"",
    first: bytes | None = None,
) -> Batch:
    """The next batch of a stream whose end is `head`, written at `at`.

    `salt` is 32 random bytes, never used before. `after` names the stream and n that a first batch goes on from; its
    head is then `Head(0, the last leaf of that stream)`. `mark` is that of `mac_key`; empty for the first of the house.
    `first` is the salt of the first entry, where it was drawn from `salt` before.

    Raises:
        EntryRefused: an entry is not in the table of kinds; none of the batch is made.
    """
    written = [entry.data if isinstance(entry, Written) else packed(entry) for entry in entries]
    from_at = until_at = at
    for entry in entries:
        if entry.at != at:
            from_at, until_at = min(from_at, entry.at), max(until_at, entry.at)
    number, kept_as = head.n + 1, batch_class.value
    if mark:
        header = _encode((MARKED, stream, number, kept_as, from_at, until_at, head.hash, after, mark))
    else:
        header = _encode((VERSION, stream, number, kept_as, from_at, until_at, head.hash, after))
    leaves = entry_leaves(salt, written, first)
    body_hash = leaves[0] if len(leaves) == 1 else root_of(leaves)
    leaf = leaf_hash(header + body_hash)
    return Batch(header, body_hash, _encode([salt, *written]), leaf, mac_of(mac_key, leaf))


def mac_of(mac_key: bytes, leaf: bytes) -> bytes:
    """HMAC-SHA256 of a leaf."""
    return _mac_under(mac_key)(leaf)


@lru_cache(maxsize=8)
def _mac_under(mac_key: bytes) -> Callable[[bytes], bytes]:
    """What of a MAC depends on the key alone is reckoned once: the two halves of RFC 2104."""
    block = (sha256(mac_key).digest() if len(mac_key) > _BLOCK else mac_key).ljust(_BLOCK, b"\0")
    inner = sha256(bytes([one ^ 0x36 for one in block])).copy
    outer = sha256(bytes([one ^ 0x5C for one in block])).copy

    def mac(leaf: bytes) -> bytes:
        first = inner()
        first.update(leaf)
        second = outer()
        second.update(first.digest())
        return second.digest()

    return mac


def entry_salts(salt: bytes, count: int) -> list[bytes]:
    """The salts of the entries of a batch. To show one entry its own salt is shown, and tells nothing of others."""
    drawn = shake_128(salt).digest(ENTRY_SALT * count)
    return [drawn[start : start + ENTRY_SALT] for start in range(0, len(drawn), ENTRY_SALT)]


def entry_leaves(salt: bytes, written: Sequence[bytes], first: bytes | None = None) -> list[bytes]:
    """The salted leaf of each entry. Most batches of a quiet house have one entry, hence the short way."""
    if len(written) == 1:
        return [sha256(b"\x00" + (first or shake_128(salt).digest(ENTRY_SALT)) + written[0]).digest()]
    digest = sha256
    return [
        digest(b"\x00" + each + data).digest()
        for each, data in zip(entry_salts(salt, len(written)), written, strict=True)
    ]


def read_header(header: bytes) -> Header:
    """Raises `BatchBroken` when these bytes are no header."""
    try:
        read = _decode_header(header)
    except (msgspec.DecodeError, ValueError) as problem:
        raise BatchBroken("these bytes are no header of a batch") from problem
    if read.version != (MARKED if read.mark else VERSION):
        raise BatchBroken(f"the header is of version {read.version}, this program knows {VERSION} and {MARKED}")
    return read


def read_body(body: bytes) -> tuple[bytes, list[bytes]]:
    """The salt and each entry's bytes. Raises `BatchBroken` when these bytes are no body."""
    try:
        salt, *written = _decode_body(body)
    except (msgspec.DecodeError, ValueError) as problem:
        raise BatchBroken("these bytes are no body of a batch") from problem
    if len(salt) != SALT_LENGTH or not written:
        raise BatchBroken("these bytes are no body of a batch")
    return salt, written


def entries_in(body: bytes) -> list[Entry]:
    """The entries of a body, each checked against the table of kinds. Raises `BatchBroken`, naming the entry."""
    _, written = read_body(body)
    entries = []
    for number, data in enumerate(written):
        try:
            entries.append(unpacked(data))
        except EntryRefused as problem:
            raise BatchBroken(str(problem), number) from problem
    return entries
