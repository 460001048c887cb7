"""Where keys come from: the environment, a command of the house (a key management service), or files of the home.

A value is never printed and never in an exception; what a command writes besides is thrown away.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from upheld.errors import HomeUnusable
from upheld.ledger.checkpoint import SigningKey
from upheld.store.ring import mark_of

ROOTS: Final = ("active.key", "separated.key", "mac.key")
SIGNING: Final = "signing.key"
NEXT: Final = "signing.key.next"
"""A signing key that the ledger may know already, while the file of the old one is still there."""
RETIRED: Final = "retired"
COMMAND_SECONDS: Final = 30
SIGNER: Final = "the command for signing"
_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class KeySource:
    """The keys of one home. `command` gets the name of a key as its last word and prints it in hexadecimal.

    `signing_command` keeps signing keys and never shows them. With `public` as its last word it prints their public
    keys, oldest first; with `sign` and one of these it signs what it reads. All in hexadecimal but what it reads.
    """

    folder: Path
    environment: Mapping[str, str]
    command: str | None = None
    signing_command: str | None = None

    def roots(self, name: str) -> tuple[bytes, ...]:
        """The root keys of a name, oldest first; more than one only while they are rotated. Raises HomeUnusable."""
        given = self.environment.get(_variable(name))
        if given is not None:
            return _read(given, _variable(name), name)
        if self.command is not None:
            return _read(self._commanded(name), "what the command for keys prints", name)
        path = self.folder / name
        if not path.exists():
            raise HomeUnusable(f"{path} is missing; put the key file back, or give {_variable(name)}")
        return _read(path.read_text(), str(path), name)

    def in_files(self, name: str) -> bool:
        """Whether the key of a name lies in a file, so that it can be added to and taken from here."""
        return _variable(name) not in self.environment and self.command is None

    def add(self, name: str, root: bytes) -> None:
        """A further root at the end of the file, durable before anything is wrapped with it."""
        texts = [one.hex() for one in (*self.roots(name), root)]
        _replace(self.folder / name, ("\n".join(texts) + "\n").encode())

    def retire(self, name: str, newest: bytes) -> list[Path]:
        """All roots but the newest leave the file; each goes to a file of its own, for old copies of the keys."""
        old = [one for one in self.roots(name) if one != newest]
        folder = self.folder / RETIRED
        folder.mkdir(mode=0o700, exist_ok=True)
        kept = [folder / f"{name}.{mark_of(one).hex()}" for one in old]
        for path, one in zip(kept, old, strict=True):
            _replace(path, one.hex().encode())
        _replace(self.folder / name, newest.hex().encode())
        return kept

    def _commanded(self, name: str) -> str:
        return _answer("the command for keys", self.command or "", name)

    # ── the key that signs ──────────────────────────────────────────────────────────────────────────────────────────

    def signing(self, public: bytes | None = None) -> SigningKey:
        """The signing key; with `public` the one of these 32 bytes, perhaps still the next. Raises HomeUnusable."""
        path = self.folder / SIGNING
        if not path.exists() and self.signing_command is None:
            raise HomeUnusable(f"{path} is missing; put the signing key back, nothing can be sealed without it")
        for one in (path, self.folder / NEXT):
            if one.exists() and (public is None or _pem(one).public_key().public_bytes_raw() == public):
                return _pem(one)
        for key in reversed(self._commanded_keys()):
            if public in (None, key.public):
                return key
        raise HomeUnusable(f"the ledger is signed with another key than {path}; put the key back that it was handed to")

    def _commanded_keys(self) -> list[CommandedKey]:
        """The keys that the command for signing keeps, oldest first; none where there is no such command."""
        if self.signing_command is None:
            return []
        said = _answer(SIGNER, self.signing_command, "public")
        return [CommandedKey(self.signing_command, one) for one in _read(said, f"what {SIGNER} prints", "a public key")]

    def next_signing(self) -> SigningKey:
        """The signing key to come: the newest of the command for signing; else the one that a rotation left behind, or
        a fresh one, durable before it is named.
        """
        if self.signing_command is not None:
            return self._commanded_keys()[-1]
        path = self.folder / NEXT
        if not path.exists():
            _replace(path, pem_of(Ed25519PrivateKey.generate()))
        return _pem(path)

    def take_next_signing(self) -> None:
        """The key to come is the key. One that a command keeps leaves no file: the last goes to where old keys lie."""
        path, following = self.folder / SIGNING, self.folder / NEXT
        if self.signing_command is not None:
            if path.exists():
                folder = self.folder / RETIRED
                folder.mkdir(mode=0o700, exist_ok=True)
                os.replace(path, folder / SIGNING)
            _replace(self.folder.parent / "public.pem", public_pem(self._commanded_keys()[-1]), 0o644)
            return
        os.replace(following, path)
        _replace(self.folder.parent / "public.pem", public_pem(_pem(path)), 0o644)


@dataclass(frozen=True, slots=True)
class CommandedKey:
    """A signing key that a command of the house keeps. What comes back is checked before anything rests on it."""

    command: str
    public: bytes

    def public_key(self) -> Ed25519PublicKey:
        """By which everybody verifies."""
        return Ed25519PublicKey.from_public_bytes(self.public)

    def sign(self, data: bytes, /) -> bytes:
        """The signature of these bytes. Raises HomeUnusable."""
        said = _answer(SIGNER, self.command, "sign", self.public.hex(), data=data)
        try:
            signature = bytes.fromhex(said.strip())
            self.public_key().verify(signature, data)
        except (ValueError, InvalidSignature):
            raise HomeUnusable(f"{SIGNER} gave no signature of the key it was asked for; run it by hand") from None
        return signature


def _answer(who: str, command: str, *words: str, data: bytes | None = None) -> str:
    """What a command of the house prints. Raises HomeUnusable, without a word of what it wrote."""
    given = subprocess.DEVNULL if data is None else None
    try:
        done = subprocess.run(
            [*shlex.split(command), *words], input=data, stdin=given, capture_output=True, timeout=COMMAND_SECONDS,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as failure:
        raise HomeUnusable(f"{who} did not answer for {words[0]}: {type(failure).__name__}; run it by hand") from None
    if done.returncode != 0:
        raise HomeUnusable(f"{who} ended with {done.returncode} for {words[0]}; run it by hand")
    return done.stdout.decode("ascii", "replace")


def pem_of(key: Ed25519PrivateKey) -> bytes:
    """The key as it lies in its file."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_pem(key: SigningKey) -> bytes:
    """The public part, to be handed to whoever verifies."""
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _pem(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise HomeUnusable(f"{path} is not an Ed25519 key; put your copy of it back")
    return key


def _variable(name: str) -> str:
    return "UPHELD_" + name.upper().replace(".", "_")


def _read(text: str, where: str, name: str) -> tuple[bytes, ...]:
    try:
        keys = tuple(bytes.fromhex(one) for one in text.replace(",", " ").split())
    except ValueError:
        raise HomeUnusable(f"{where} is not a hexadecimal key; put your copy of `{name}` back") from None
    if not keys or any(len(one) != _BYTES for one in keys):
        said = f"{where} is no key `{name}`, which is 32 bytes as 64 hexadecimal characters"
        raise HomeUnusable(f"{said}; put your copy of it back")
    return keys


def _replace(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file whole or not at all, durably."""
    fresh = path.with_name(path.name + ".writing")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        os.write(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)
    os.replace(fresh, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
