"""Signed checkpoints: what the ledger was at an instant, in a form that any witness can hold and any tool can read.

The form is a C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint) in a signed note (https://c2sp.org/signed-note):

    upheld.ledger/<ledger id>
    <size: how many batches>
    <root of the tree over them, base64>
    heads <digest over the end of every stream, base64>
    previous <SHA-256 of the text of the checkpoint before, base64>
    at <instant, UTC>

    — upheld.ledger/<ledger id> <key hash and Ed25519 signature, base64>

Further signature lines (of witnesses) may follow. A checkpoint that left the house, on a receipt, a letter or a
certificate, is an anchor: a ledger that is later cut off or rolled back contradicts it.
"""

import base64
import binascii
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple, Protocol

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from upheld.errors import UpheldError
from upheld.ledger.batch import Head

NO_CHECKPOINT_BEFORE: Final = bytes(32)
ORIGIN: Final = "upheld.ledger/"
_ED25519: Final = b"\x01"
_SIGNATURE: Final = "— "
_LONGEST_NOTE: Final = 100_000
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


class CheckpointRefused(UpheldError):
    """A text that is no checkpoint, is not signed by this key, or does not belong to this ledger."""


class Checkpoint(msgspec.Struct, frozen=True):
    """The ledger with its first `size` batches. `root`, `heads` and `previous` have 32 bytes; `at` is an instant."""

    ledger_id: str
    size: int
    root: bytes
    heads: bytes
    previous: bytes
    at: int

    @property
    def origin(self) -> str:
        return ORIGIN + self.ledger_id

    @property
    def text(self) -> str:
        """What is signed: six lines, each ended by a newline."""
        return (
            f"{self.origin}\n{self.size}\n{_base64(self.root)}\nheads {_base64(self.heads)}\n"
            f"previous {_base64(self.previous)}\nat {instant_text(self.at)}\n"
        )

    @property
    def digest(self) -> bytes:
        """What the next checkpoint calls its previous one."""
        return sha256(self.text.encode()).digest()


def instant_text(at: int) -> str:
    """`2017-09-08T00:00:00.000000Z`"""
    return (_START + timedelta(microseconds=at)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def instant_of(text: str) -> int:
    """The instant of such a text. Raises ValueError."""
    parsed = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    return (parsed - _START) // timedelta(microseconds=1)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def heads_digest(heads: Mapping[str, Head]) -> bytes:
    """One digest over the end of every stream, in the order of their names."""
    return sha256(
        msgspec.msgpack.encode([(stream, heads[stream].n, heads[stream].hash) for stream in sorted(heads)])
    ).digest()


class SigningKey(Protocol):
    """What signs: a private key in this process, or somebody who keeps it (`store/key_files.py`)."""

    def public_key(self) -> Ed25519PublicKey:
        """By which everybody verifies."""

    def sign(self, data: bytes, /) -> bytes:
        """The 64 bytes of a signature."""

    def __hash__(self) -> int:
        """One key is one object, or equal to another of the same."""


def signed(checkpoint: Checkpoint, key: SigningKey) -> str:
    """The checkpoint as a note with the ledger's own signature."""
    return f"{checkpoint.text}\n{signature_line(checkpoint.origin, checkpoint.text, key)}"


def signature_line(origin: str, text: str, key: SigningKey) -> str:
    """One line of a signed note."""
    signature = _base64(_hash_of(origin, key) + key.sign(text.encode()))
    return f"{_SIGNATURE}{origin} {signature}\n"


@lru_cache(maxsize=64)
def checkpoint_in(note: str) -> Checkpoint:
    """What a note says, signed or not.

    Raises:
        CheckpointRefused: it is no checkpoint of such a ledger.
    """
    text = parts_of(note)[0]
    try:
        origin, size, root, heads, previous, at, rest = text.split("\n")
        checkpoint = Checkpoint(
            origin.removeprefix(ORIGIN),
            int(size),
            _after("", root),
            _after("heads ", heads),
            _after("previous ", previous),
            instant_of(at.removeprefix("at ")),
        )
    except (ValueError, binascii.Error) as problem:
        raise CheckpointRefused("this text is no checkpoint of an Upheld ledger") from problem
    # Only the exact text is a checkpoint: no other writing of the same numbers can be signed twice.
    if rest or checkpoint.text != text:
        raise CheckpointRefused("this text is no checkpoint of an Upheld ledger")
    return checkpoint


def _after(label: str, line: str) -> bytes:
    data = base64.b64decode(line.removeprefix(label), validate=True)
    if not line.startswith(label) or len(data) != 32:
        raise ValueError(line)
    return data


def parts_of(note: str) -> tuple[str, list[str]]:
    """The text of a signed note and its lines of signatures. Raises CheckpointRefused."""
    text, gap, signatures = note.partition("\n\n")
    lines = signatures.split("\n")
    if not gap or lines.pop() != "" or not lines or len(note) > _LONGEST_NOTE:
        raise CheckpointRefused("this text is no signed note: a text, an empty line, and signature lines")
    return text + "\n", lines


class Signers(NamedTuple):
    """The keys of a ledger in their order. `sizes`: how many batches each but the last signed for."""

    keys: tuple[Ed25519PublicKey, ...]
    sizes: tuple[int, ...]

    def at(self, size: int) -> Ed25519PublicKey:
        """The key that signs for so many batches."""
        return self.keys[bisect_left(self.sizes, size)]


def checked(note: str, key: Ed25519PublicKey | Signers) -> Checkpoint:
    """The checkpoint of a note, after its signature under `key` was checked; signatures of others are passed over.

    Raises:
        CheckpointRefused: it is no checkpoint, or has no valid signature under this key.
    """
    checkpoint = checkpoint_in(note)
    text, lines = parts_of(note)
    signer = key.at(checkpoint.size) if isinstance(key, Signers) else key
    try:
        if signature_by(checkpoint.origin, text, lines, signer):
            return checkpoint
    except InvalidSignature as problem:
        raise CheckpointRefused(f"the signature of the checkpoint of size {checkpoint.size} is false") from problem
    raise CheckpointRefused(f"the checkpoint of size {checkpoint.size} is not signed by this key")


def signature_by(origin: str, text: str, lines: Sequence[str], key: Ed25519PublicKey) -> bool:
    """Whether one of the lines is a signature of this key. Raises InvalidSignature, CheckpointRefused."""
    hashed = _key_hash(origin, key)
    for line in lines:
        name, _, encoded = line.removeprefix(_SIGNATURE).partition(" ")
        signature = _decoded(encoded)
        if name == origin and signature[:4] == hashed:
            key.verify(signature[4:], text.encode())
            return True
    return False


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error as problem:
        raise CheckpointRefused("a signature line is not base64") from problem


def _key_hash(name: str, key: Ed25519PublicKey) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + key.public_bytes_raw()).digest()[:4]


@lru_cache(maxsize=1)
def _hash_of(name: str, key: SigningKey) -> bytes:
    """The same of who signs: to tell the public key from the private one takes as long as to sign. One that has signed
    for the last time is remembered until the next one signs.
    """
    return _key_hash(name, key.public_key())


def verifier_key(ledger_id: str, key: Ed25519PublicKey) -> str:
    """The public key as witnesses and `sumdb`-like tools write it: `name+hash+base64`."""
    name = ORIGIN + ledger_id
    return f"{name}+{_key_hash(name, key).hex()}+{_base64(_ED25519 + key.public_bytes_raw())}"


def public_key_in(text: str) -> Ed25519PublicKey:
    """The key of a file: PEM, a verifier key as above, or 32 bytes in base64.

    Raises:
        CheckpointRefused: there is no Ed25519 public key in it.
    """
    given = text.strip()
    try:
        if given.startswith("-----BEGIN"):
            key = load_pem_public_key(given.encode())
            if isinstance(key, Ed25519PublicKey):
                return key
        else:
            data = base64.b64decode(given.split("+", 2)[2] if given.startswith(ORIGIN) else given, validate=True)
            return Ed25519PublicKey.from_public_bytes(data.removeprefix(_ED25519) if len(data) == 33 else data)
    except (ValueError, IndexError) as problem:
        raise CheckpointRefused("no Ed25519 public key: give PEM, a verifier key, or base64") from problem
    raise CheckpointRefused("the key is not of the kind Ed25519")
