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

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from upheld.errors import HomeUnusable
from upheld.store.ring import mark_of

ROOTS: Final = ("active.key", "separated.key", "mac.key")
SIGNING: Final = "signing.key"
NEXT: Final = "signing.key.next"
"""A signing key that the ledger may know already, while the file of the old one is still there."""
RETIRED: Final = "retired"
COMMAND_SECONDS: Final = 30
_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class KeySource:
    """The keys of one home. `command` gets the name of a key as its last word and prints it in hexadecimal."""

    folder: Path
    environment: Mapping[str, str]
    command: str | None = None

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
        words = [*shlex.split(self.command or ""), name]
        try:
            done = subprocess.run(words, capture_output=True, timeout=COMMAND_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as failure:
            raise HomeUnusable(
                f"the command for keys did not answer for {name}: {type(failure).__name__}; run it by hand"
            ) from None
        if done.returncode != 0:
            raise HomeUnusable(f"the command for keys ended with {done.returncode} for {name}; run it by hand")
        return done.stdout.decode("ascii", "replace")

    # ── the key that signs ──────────────────────────────────────────────────────────────────────────────────────────

    def signing(self, public: bytes | None = None) -> Ed25519PrivateKey:
        """The signing key; with `public` the one of these 32 bytes, perhaps still the next. Raises HomeUnusable."""
        path = self.folder / SIGNING
        if not path.exists():
            raise HomeUnusable(f"{path} is missing; put the signing key back, nothing can be sealed without it")
        key = _pem(path)
        if public is None or key.public_key().public_bytes_raw() == public:
            return key
        following = self.folder / NEXT
        if following.exists() and _pem(following).public_key().public_bytes_raw() == public:
            return _pem(following)
        raise HomeUnusable(f"the ledger is signed with another key than {path}; put the key back that it was handed to")

    def next_signing(self) -> Ed25519PrivateKey:
        """The signing key to come: the one that a rotation left behind, or a fresh one, durable before it is named."""
        path = self.folder / NEXT
        if not path.exists():
            _replace(path, pem_of(Ed25519PrivateKey.generate()))
        return _pem(path)

    def take_next_signing(self) -> None:
        """The key to come is the key."""
        path, following = self.folder / SIGNING, self.folder / NEXT
        os.replace(following, path)
        _replace(self.folder.parent / "public.pem", public_pem(_pem(path)), 0o644)


def pem_of(key: Ed25519PrivateKey) -> bytes:
    """The key as it lies in its file."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_pem(key: Ed25519PrivateKey) -> bytes:
    """The public part, to be handed to whoever verifies."""
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _pem(path: Path) -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise HomeUnusable(f"{path} is not an Ed25519 key")
    return key


def _variable(name: str) -> str:
    return "UPHELD_" + name.upper().replace(".", "_")


def _read(text: str, where: str, name: str) -> tuple[bytes, ...]:
    try:
        keys = tuple(bytes.fromhex(one) for one in text.replace(",", " ").split())
    except ValueError:
        raise HomeUnusable(f"{where} is not a hexadecimal key") from None
    if not keys or any(len(one) != _BYTES for one in keys):
        raise HomeUnusable(f"{name} must hold 32 bytes as 64 hexadecimal characters")
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
