"""Rights that one process holds at a time, and that end with it however it ends: to seal, to sweep, to recover.

On one machine they are the kernel's locks on files beside the databases.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Final, Protocol

from upheld.errors import StoreFailed, UpheldError

SCRUB: Final = "scrub"
"""The right to clear away the bytes of what was destroyed."""


class LeaseHeld(UpheldError):
    """Another process holds the right."""


class HomeInUse(StoreFailed):
    """A recovery needs the home for itself: another process may hold keys that no value needs yet."""


class Presence(Protocol):
    """That somebody has a home open: any number of them, or one who recovers it. Ends with the process."""

    def close(self) -> None:
        """Leave."""

    def alone(self) -> AbstractContextManager[None]:
        """Nobody else has the home open, or opens it meanwhile. Raises HomeInUse."""


class Part:
    """A part of a right that was asked for. `asked` gives the answer, `back` gives it back."""

    def __init__(self, asked: Callable[[], bool], back: Callable[[], None] = lambda: None) -> None:
        self._asked = asked
        self._back: Callable[[], None] | None = back

    @cached_property
    def ours(self) -> bool:
        """Whether it is held. The first look may wait for the answer."""
        return self._asked()

    def give_back(self) -> None:
        """Before the block ends, where that is sooner. What lasts longer has to be safe without it."""
        back, self._back = self._back, None
        if back is not None:
            back()


class Leases(Protocol):
    """The leases of one home."""

    groups: int
    """Into how many parts sweepers share the buckets."""

    def lease(self, name: str, wait: bool = True, shared: bool = False) -> AbstractContextManager[None]:
        """Hold a right for the block, with others who share it where that is said.

        Raises LeaseHeld when another holds it and `wait` is False.
        """

    def free(self, names: Sequence[str]) -> AbstractContextManager[tuple[str, ...]]:
        """Hold those rights for the block that nobody has; gives which."""

    def part(self, whole: str, name: str) -> AbstractContextManager[Part]:
        """Hold a part of a right for the block: the `whole` with others, where it has parts, and this part alone, if
        both are to be had at once.
        """

    def presence(self) -> Presence:
        """Have the home open. Raises HomeInUse while somebody else recovers."""

    def close(self) -> None:
        """Give back what was kept to hold them by."""


class FilePresence:
    """Presence as a shared lock on a file."""

    def __init__(self, path: Path) -> None:
        """Raises HomeInUse while somebody else recovers."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if not self._taken(fcntl.LOCK_SH):
            self.close()
            raise HomeInUse("another process recovers this home; open it when that is over")

    def _taken(self, kind: int) -> bool:
        try:
            fcntl.flock(self._file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Leave. Again does nothing: the number may be somebody else's file by now."""
        held, self._file = self._file, -1
        if held >= 0:
            os.close(held)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else has the home open, or opens it meanwhile. Raises HomeInUse."""
        try:
            if not self._taken(fcntl.LOCK_EX):
                raise HomeInUse("another process has this home open; stop it, then recover")
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_SH)


class FileLeases:
    """Leases as locks on files in a folder."""

    groups = 1

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def lease(self, name: str, wait: bool = True, shared: bool = False) -> Iterator[None]:
        """Hold a right for the block. Raises LeaseHeld when another holds it and `wait` is False."""
        path, kind = self._folder / f"{name}.lease", fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        with path.open("a") as file:
            try:
                fcntl.flock(file, kind if wait else kind | fcntl.LOCK_NB)
            except BlockingIOError as problem:
                raise LeaseHeld(f"another process holds {path}") from problem
            yield

    @contextmanager
    def free(self, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """Hold those rights for the block that nobody has; gives which."""
        with ExitStack() as held:
            ours: list[str] = []
            for name in names:
                with suppress(LeaseHeld):
                    held.enter_context(self.lease(name, wait=False))
                    ours.append(name)
            yield tuple(ours)

    @contextmanager
    def part(self, whole: str, name: str) -> Iterator[Part]:
        """There is one part: the whole."""
        with self.free((whole,)) as ours:
            yield Part(lambda: bool(ours))

    def close(self) -> None:
        """A file is closed with its lease."""

    def presence(self) -> FilePresence:
        """Have the home open. Raises HomeInUse while somebody else recovers."""
        return FilePresence(self._folder / "home.lease")
