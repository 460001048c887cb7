"""The certificate of destruction: what was destroyed, why, when and how, with a proof that the ledger holds it.

It is canonical JSON (sorted keys, no spaces, UTF-8) with an Ed25519 signature over everything else in it. The proof
leads from the entry that records the destruction, through its batch, to the root of a signed checkpoint: whoever keeps
a certificate keeps an anchor of the ledger.
"""

from typing import Final, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from upheld.errors import UpheldError
from upheld.ledger.batch import ENTRY_SALT, BatchBroken, read_header
from upheld.ledger.checkpoint import Checkpoint, CheckpointRefused, Signers, SigningKey, checked
from upheld.ledger.entries import Entry, EntryRefused, unpacked
from upheld.ledger.merkle import leaf_hash, root_from_inclusion

VERSION: Final = 1


class CertificateRefused(UpheldError):
    """A certificate that shows nothing: changed, signed by another key, or not in the ledger that it names."""


class EntryProof(msgspec.Struct, frozen=True, kw_only=True):
    """That one entry is in a ledger: entry → body_hash of its batch → leaf of the batch → root of the checkpoint."""

    leaf: int
    number: int
    count: int
    entry: bytes
    salt: bytes
    entry_path: tuple[bytes, ...]
    header: bytes
    path: tuple[bytes, ...]
    checkpoint: str

    @property
    def reference(self) -> str:
        return f"{self.leaf}:{self.number}"


class Named(msgspec.Struct, frozen=True):
    """A code and what people call it."""

    code: str
    en: str
    ko: str


class Ground(msgspec.Struct, frozen=True):
    """Why values had been kept, until when, and the clauses that say so."""

    ground: Named
    ended_at: int
    clauses: tuple[str, ...]


class PlaceCleared(msgspec.Struct, frozen=True):
    """A place that held the values. `at` is None while its evidence is awaited. `by` is a role, never a person."""

    place: Named
    method: Named
    at: int | None
    by: str
    witness: str | None = None


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What is certified. Instants are microseconds; `pseudonym` is the ledger's alias of the person, or empty."""

    certificate_id: str
    policy: Named
    controller: Named
    pseudonym: str
    items: tuple[Named, ...]
    value_count: int
    grounds: tuple[Ground, ...]
    due_at: int
    ordered_at: int
    unreadable_at: int
    removed_at: int
    scrubbed_at: int
    certified_at: int
    beyond_recovery_on: str
    method: Named
    approved_by: str | None
    check: Named
    places: tuple[PlaceCleared, ...]

    @property
    def state(self) -> Literal["complete", "partly"]:
        """Complete when every place has its evidence."""
        return "complete" if all(place.at is not None for place in self.places) else "partly"


class _Signed(msgspec.Struct, frozen=True, kw_only=True):
    version: int
    state: str
    certificate: Certificate
    proof: EntryProof
    signature: bytes | None = None


class Checked(msgspec.Struct, frozen=True):
    """A certificate whose signature and proof hold. `in_ledger` is None when no ledger was given to compare with."""

    certificate: Certificate
    proof: EntryProof
    entry: Entry
    checkpoint: Checkpoint
    in_ledger: bool | None


_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(_Signed).decode


def issued(certificate: Certificate, proof: EntryProof, key: SigningKey) -> bytes:
    """The signed certificate as canonical JSON."""
    unsigned = _Signed(version=VERSION, state=certificate.state, certificate=certificate, proof=proof)
    return _encode(msgspec.structs.replace(unsigned, signature=key.sign(_encode(unsigned))))


def verify_certificate(document: bytes, key: Ed25519PublicKey | Signers, root: bytes | None = None) -> Checked:
    """Checks a certificate: its form, its signature, and the way from its entry to a checkpoint signed by the same key.

    `root`: the root that a verified ledger has at the size of that checkpoint (`checkpoint.size`), to compare with.

    Raises:
        CertificateRefused: it shows nothing, and why.
    """
    try:
        read = _decode(document)
    except (msgspec.DecodeError, ValueError) as problem:
        raise CertificateRefused("this is no certificate of destruction") from problem
    if _encode(read) != document.strip() or read.version != VERSION or read.state != read.certificate.state:
        raise CertificateRefused("the certificate is not in canonical form")
    entry, checkpoint = proved(read.proof, key)
    _check_signature(read, key.at(checkpoint.size) if isinstance(key, Signers) else key)
    if not _is_destruction(entry, read.certificate):
        raise CertificateRefused("the entry that it shows is not the destruction that it certifies")
    in_ledger = None if root is None else root == checkpoint.root
    if in_ledger is False:
        raise CertificateRefused("this ledger is not the one that the certificate was issued from, or was rolled back")
    return Checked(read.certificate, read.proof, entry, checkpoint, in_ledger)


def _is_destruction(entry: Entry, certificate: Certificate) -> bool:
    """The entry and the certificate agree in everything that both of them say."""
    fields, values = entry.fields, entry.fields.get("values")
    return (
        entry.kind == "value.destroyed"
        and entry.policy == certificate.policy.code
        and fields.get("certificate") == certificate.certificate_id
        and entry.persons == ((certificate.pseudonym,) if certificate.pseudonym else ())
        and isinstance(values, tuple)
        and len(values) == certificate.value_count
        and fields.get("due_at") in (None, certificate.due_at)
        and fields.get("ordered_at") in (None, certificate.ordered_at)
    )


def _check_signature(read: _Signed, key: Ed25519PublicKey) -> None:
    try:
        key.verify(read.signature or b"", _encode(msgspec.structs.replace(read, signature=None)))
    except InvalidSignature as problem:
        raise CertificateRefused("the signature is false: it was changed, or signed with another key") from problem


def proved(proof: EntryProof, key: Ed25519PublicKey | Signers) -> tuple[Entry, Checkpoint]:
    """The entry that a proof shows, and the checkpoint that signs for it.

    Raises:
        CertificateRefused: the proof does not lead from the entry to a checkpoint signed with this key.
    """
    if len(proof.salt) != ENTRY_SALT:
        raise CertificateRefused("the salt of the entry has not the length of a salt")
    try:
        checkpoint = checked(proof.checkpoint, key)
        read_header(proof.header)
        salted = leaf_hash(proof.salt + proof.entry)
        body_hash = root_from_inclusion(proof.number, proof.count, salted, proof.entry_path)
        root = root_from_inclusion(proof.leaf, checkpoint.size, leaf_hash(proof.header + body_hash), proof.path)
        entry = unpacked(proof.entry)
    except (CheckpointRefused, BatchBroken, EntryRefused, ValueError) as problem:
        raise CertificateRefused(str(problem)) from problem
    if root != checkpoint.root:
        raise CertificateRefused("the proof does not lead to the root of its checkpoint")
    return entry, checkpoint
