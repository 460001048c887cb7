"""The signing key is handed over: the old key signs for the new one, the new one for the old, at a size of the ledger.

The form is a signed note like a checkpoint's, with both signatures:

    upheld.ledger/<ledger id>
    handover <size: batches that the old key signed for>
    from <old public key, base64>
    to <new public key, base64>
    at <instant, UTC>

Checkpoints of up to that many batches are signed by the old key, later ones by the new. Whoever holds any key of the
chain can check all of it: forwards, since the old key vouches for the new, and backwards, since the new names the old.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from upheld.ledger.checkpoint import (
    ORIGIN,
    CheckpointRefused,
    Signers,
    SigningKey,
    instant_of,
    instant_text,
    parts_of,
    signature_by,
    signature_line,
)

_HANDOVER, _FROM, _TO, _AT = "handover ", "from ", "to ", "at "


class Handover(msgspec.Struct, frozen=True):
    """Which key followed which, after how many batches. Keys are 32 bytes."""

    ledger_id: str
    size: int
    before: bytes
    after: bytes
    at: int

    @property
    def text(self) -> str:
        """What both keys sign."""
        before, after = (base64.b64encode(one).decode() for one in (self.before, self.after))
        return (
            f"{ORIGIN}{self.ledger_id}\n{_HANDOVER}{self.size}\n{_FROM}{before}\n{_TO}{after}\n"
            f"{_AT}{instant_text(self.at)}\n"
        )


def handed_over(ledger_id: str, size: int, at: int, old: SigningKey, new: SigningKey) -> str:
    """The note of a handover, signed by both keys."""
    before, after = (one.public_key().public_bytes_raw() for one in (old, new))
    made = Handover(ledger_id, size, before, after, at)
    origin = ORIGIN + ledger_id
    return f"{made.text}\n{signature_line(origin, made.text, old)}{signature_line(origin, made.text, new)}"


def handover_in(note: str) -> Handover:
    """What a note of a handover says, after both signatures were checked. Raises CheckpointRefused."""
    text, lines = parts_of(note)
    try:
        origin, size, before, after, at, rest = text.split("\n")
        made = Handover(
            origin.removeprefix(ORIGIN),
            int(size.removeprefix(_HANDOVER)),
            base64.b64decode(before.removeprefix(_FROM), validate=True),
            base64.b64decode(after.removeprefix(_TO), validate=True),
            instant_of(at.removeprefix(_AT)),
        )
        keys = [Ed25519PublicKey.from_public_bytes(one) for one in (made.before, made.after)]
    except (ValueError, binascii.Error) as problem:
        raise CheckpointRefused("this text is no handover of a signing key") from problem
    if rest or made.text != text:
        raise CheckpointRefused("this text is no handover of a signing key")
    try:
        both = {signature_by(origin, text, lines, key) for key in keys} == {True}
    except InvalidSignature as problem:
        raise CheckpointRefused(f"a signature of the handover after {made.size} batches is false") from problem
    if not both:
        raise CheckpointRefused(f"the handover after {made.size} batches is not signed by both keys")
    return made


class Chain(NamedTuple):
    """Who signs for which size, and what is wrong with the handovers."""

    signers: Signers
    problems: tuple[str, ...]


def chain_of(key: Ed25519PublicKey, notes: Sequence[str], ledger_id: str) -> Chain:
    """The keys that follow from one that is trusted, by the handovers of a ledger in their order."""
    sound: list[Handover] = []
    problems: list[str] = []
    for note in notes:
        try:
            found = handover_in(note)
        except CheckpointRefused as problem:
            problems.append(str(problem))
            continue
        if found.ledger_id != ledger_id:
            problems.append(f"a handover is of the ledger {found.ledger_id}, not {ledger_id}")
        else:
            sound.append(found)
    problems += [
        f"the handover after {later.size} batches does not follow the one after {earlier.size}"
        for earlier, later in pairwise(sound)
        if earlier.after != later.before or earlier.size >= later.size
    ]
    trusted = key.public_bytes_raw()
    if not sound or problems or trusted not in {sound[0].before, *(one.after for one in sound)}:
        return Chain(Signers((key,), ()), tuple(problems))
    keys = [sound[0].before, *(one.after for one in sound)]
    return Chain(Signers(tuple(map(Ed25519PublicKey.from_public_bytes, keys)), tuple(one.size for one in sound)), ())
