"""How far each place has got, beside the keys and outside every database.

Between two seals the ledger does not know what a place has written, so a copy of the place from in between looks like
the place itself. A mark is one small write, without waiting for the disk, after a commit that is durable: it survives
the process, and after a loss of power it may be older than the place but never newer. Each process has a file for each
place; what the ledger has sealed since says more than they do, and then they go.
"""

from __future__ import annotations

import fcntl
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

FOLDER: Final = "marks"
_NUMBER: Final = 4


class Mark:
    """The mark of one process for one place: the number of the last batch of each of its streams."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def set(self, numbers: Mapping[str, int]) -> None:
        """Remember how far the streams have got. Called after a commit that is durable; costs one write.

        What was done is done: a mark that can't be written, on a full disk, is one that is too old.
        """
        self.put(self.told(numbers))

    @staticmethod
    def told(numbers: Mapping[str, int]) -> bytes:
        """The mark of these numbers, to be `put` once what they tell is durable."""
        return _framed(msgspec.msgpack.encode(numbers))

    def put(self, told: bytes) -> None:
        """`set`, with what was made ready before."""
        try:
            if self._file is None:
                self._path.parent.mkdir(mode=0o700, exist_ok=True)
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                fcntl.flock(self._file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            os.pwrite(self._file, told, 0)
        except OSError:
            pass  # see `set`; not `suppress`, which costs as much as the write

    def close(self) -> None:
        """Leave the file behind: what it says stands until it is sealed."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class Marks:
    """The marks of a home."""

    def __init__(self, home: Path, incarnation: str) -> None:
        self._folder = home / FOLDER
        self._incarnation = incarnation

    def mark(self, place: str) -> Mark:
        """The mark of this process for a place."""
        return Mark(self._folder / f"{place}.{self._incarnation}")

    def of(self, place: str) -> dict[str, int]:
        """How far the streams of a place had got at the least, by every mark there is. Look at the place after it."""
        found: dict[str, int] = {}
        for path in self._files(place):
            found |= _told(path)
        return found

    def over(self, place: str, sealed: Mapping[str, int]) -> None:
        """Remove marks of processes that are gone, where the ledger knows as much."""
        for path in self._files(place):
            if all(sealed.get(stream, 0) >= n for stream, n in _told(path).items()):
                _remove(path)

    def forget(self, place: str) -> None:
        """Remove every mark of processes that are gone: what they told was looked at, and is on record."""
        for path in self._files(place):
            _remove(path)

    def _files(self, place: str) -> Iterator[Path]:
        yield from sorted(self._folder.glob(f"{place}.*")) if self._folder.is_dir() else ()


def _framed(told: bytes) -> bytes:
    return len(told).to_bytes(_NUMBER, "big") + zlib.crc32(told).to_bytes(_NUMBER, "big") + told


def _told(path: Path) -> dict[str, int]:
    """What a mark says; nothing where it was never finished, or has just gone."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    told = data[2 * _NUMBER :][: int.from_bytes(data[:_NUMBER], "big")]
    if len(data) < 2 * _NUMBER or _framed(told) != data[: 2 * _NUMBER + len(told)]:
        return {}
    return msgspec.msgpack.decode(told, type=dict[str, int])


def _remove(path: Path) -> None:
    """Whoever still writes there holds a lock on it."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    with closing(_Locked(file)) as mine:
        if mine.alone:
            path.unlink(missing_ok=True)


class _Locked:
    """A file that is locked for this process alone, where nobody else has it."""

    def __init__(self, file: int) -> None:
        self._file = file
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.alone = False
        else:
            self.alone = True

    def close(self) -> None:
        """Give it back."""
        os.close(self._file)
