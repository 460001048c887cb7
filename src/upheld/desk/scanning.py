"""What comes in as a file: which kinds, how large, and a scanner for malware where one is configured.

A file is looked at before it is kept. What is refused is gone with the request that brought it; what is let in becomes
a paper, encrypted under a key of its own, and is destroyed when it has been checked.
"""

from __future__ import annotations

import shlex
import socket
import struct
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from upheld.errors import InputRefused
from upheld.keeper import Keeper

LARGEST_FILE: Final = 5 * 1024 * 1024
"""Ours: bytes of one file; a scanned page or a photograph of a document has less."""
MOST_FILES: Final = 4
"""Ours: files in one form."""
PATIENCE: Final = 60
"""Ours: seconds that a scanner may take."""
KINDS: Final[Mapping[str, tuple[bytes, ...]]] = MappingProxyType(
    {
        "application/pdf": (b"%PDF-",),
        "image/png": (b"\x89PNG\r\n\x1a\n",),
        "image/jpeg": (b"\xff\xd8\xff",),
    }
)
"""What may come in, by how it begins. What a browser calls it, and its name, are not asked."""
_CLEAN, _INFECTED = 0, 1
_PIECE = 64 * 1024

Scan = Callable[[bytes], bool]
"""Whether a file is clean. Raises InputRefused where that cannot be told: what was not scanned does not come in."""


@dataclass(frozen=True, slots=True)
class CommandScan:
    """A command that reads the file from its standard input and ends with 0 for clean, 1 for malware."""

    words: tuple[str, ...]

    def __call__(self, content: bytes) -> bool:
        """Run it. Raises InputRefused `scanner-failed` for any other end."""
        try:
            done = subprocess.run(self.words, input=content, capture_output=True, timeout=PATIENCE, check=False)
        except (OSError, subprocess.TimeoutExpired) as failure:
            raise _failed() from failure
        if done.returncode not in (_CLEAN, _INFECTED):
            raise _failed()
        return done.returncode == _CLEAN


@dataclass(frozen=True, slots=True)
class SocketScan:
    """A ClamAV daemon that listens on a socket of this machine."""

    path: Path

    def __call__(self, content: bytes) -> bool:
        """Stream the file to it. Raises InputRefused `scanner-failed` where it gives no verdict."""
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(PATIENCE)
                line.connect(str(self.path))
                line.sendall(b"zINSTREAM\0")
                for start in range(0, len(content), _PIECE):
                    piece = content[start : start + _PIECE]
                    line.sendall(struct.pack(">I", len(piece)) + piece)
                line.sendall(struct.pack(">I", 0))
                said = _all_of(line)
        except OSError as failure:
            raise _failed() from failure
        if said.endswith(b"FOUND"):
            return False
        if not said.endswith(b": OK"):
            raise _failed()
        return True


def scan_of(command: str | None, path: Path | None) -> Scan | None:
    """The scanner that was configured: a socket before a command; None where neither was."""
    if path is not None:
        return SocketScan(path)
    return CommandScan(tuple(shlex.split(command))) if command else None


def kind_of(content: bytes) -> str | None:
    """The media type of a file that may come in, by how it begins; None for every other."""
    return next((kind for kind, starts in KINDS.items() if content.startswith(starts)), None)


def let_in(content: bytes, scan: Scan | None) -> str:
    """Look at a file. Returns its media type. Raises InputRefused naming what is wrong with it, never its content."""
    if not content:
        raise InputRefused("file-empty", "the file is empty")
    if len(content) > LARGEST_FILE:
        raise InputRefused("file-too-large", f"a file has at most {LARGEST_FILE // 1024 // 1024} megabytes")
    kind = kind_of(content)
    if kind is None:
        raise InputRefused("file-kind", f"a file is one of: {', '.join(KINDS)}")
    if scan is not None and not scan(content):
        raise InputRefused("file-infected", "the scanner found malware in the file; it was not kept")
    return kind


def file_proof(keeper: Keeper, policy: str, subject_id: str, request_id: str, content: bytes, scan: Scan | None) -> str:
    """Keep what somebody sent to prove who they are, for as long as it takes to check. Returns the paper's id."""
    let_in(content, scan)
    return keeper.file_paper(policy, "requests", content, owner=subject_id, about=request_id)


def destroy_proofs(keeper: Keeper, policy: str, subject_id: str, request_id: str) -> int:
    """What was sent to prove who asks has been checked: every copy goes. Returns how many went."""
    found = keeper.papers(policy, owner=subject_id, about=request_id, kind="requests")
    for one in found:
        keeper.destroy_paper(policy, one.paper_id)
    return len(found)


def _all_of(line: socket.socket) -> bytes:
    said = b""
    while not said.endswith(b"\0") and len(said) < _PIECE:
        piece = line.recv(4096)
        if not piece:
            break
        said += piece
    return said.rstrip(b"\0").strip()


def _failed() -> InputRefused:
    return InputRefused("scanner-failed", "the malware scanner gave no verdict, so the file was not taken")
