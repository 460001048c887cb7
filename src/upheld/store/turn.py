"""Whose turn it is to write, between processes: a tree of file locks, so that a release wakes three and not thirty.

The kernel wakes every process that waits for a `flock` when it is released, and all but one wait again. Here at most
four ever wait for the same file: a process climbs from the leaf of its slot to the root. Locks are the kernel's own: a
process that dies gives its turn back.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

FAN = 4
LEAVES = 16


class Turn:
    """The right of one process at a time to write to a place."""

    def __init__(self, path: Path, slot: int) -> None:
        """`path` is the root's lock file; `slot` any number that tells processes apart, such as the process id."""
        leaf = slot % LEAVES
        names = (f"{path.name}-{leaf % FAN}-{leaf}", f"{path.name}-{leaf % FAN}")
        self._files = [os.open(path.with_name(name), _FLAGS, 0o600) for name in names]
        self._files.append(os.open(path, _FLAGS, 0o600))
        self._taken: list[int] = []

    def close(self) -> None:
        """Give the files back; a turn that is held ends."""
        for handle in self._files:
            os.close(handle)

    def held(self) -> Turn:
        """Wait for the turn, keep it for the block; never one block inside another."""
        return self

    def __enter__(self) -> None:
        """Where nobody waits at the root, the way there is one lock."""
        if self._root_was_free():
            self._taken.append(self._files[-1])
            return
        try:
            for handle in self._files:
                fcntl.flock(handle, fcntl.LOCK_EX)
                self._taken.append(handle)
        except BaseException:
            self._give_back()
            raise

    def __exit__(self, *_: object) -> None:
        self._give_back()

    def _give_back(self) -> None:
        while self._taken:
            fcntl.flock(self._taken.pop(), fcntl.LOCK_UN)

    def _root_was_free(self) -> bool:
        """Take the root at once if it can be had."""
        try:
            fcntl.flock(self._files[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


_FLAGS = os.O_RDWR | os.O_CREAT
