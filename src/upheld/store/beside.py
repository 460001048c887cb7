"""One thing done beside another: a thread that waits for the disk while the caller goes on.

with beside.doing(flush):
    rows = look()
# here both are over; a failure of either was raised

The block begins when the thread is awake. Else the two would fight for the interpreter: whoever looks into a database
lets go of it for a microsecond at every row, too short for a thread that must wake first, and at each row somebody
wakes for nothing. On two cores all that was meant to go on meanwhile went on afterwards.
"""

from __future__ import annotations

import os
from _thread import LockType
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Thread


class Beside:
    """A thread, begun when it is needed. One caller at a time; a process that was forked begins its own."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._process = 0
        self._thread: Thread | None = None

    @contextmanager
    def doing(self, work: Callable[[], None]) -> Iterator[None]:
        """Do it in the thread; the block ends when both have. Raises what it raises, or else what the block raised."""
        if self._process != os.getpid():
            self._begin()
        self._work = work
        self._failure: BaseException | None = None
        # Whoever is stopped while it waits here leaves the thread to itself: the next one begins a thread of its own,
        # and is not told that its work is over when that of another is.
        process, self._process = self._process, 0
        self._go.release()
        self._awake.acquire()
        try:
            yield
        finally:
            self._done.acquire()
            self._process = process
            if self._failure is not None:
                raise self._failure

    def _begin(self) -> None:
        self._process = os.getpid()
        self._go, self._awake, self._done = locks = Lock(), Lock(), Lock()
        for lock in locks:
            lock.acquire()
        self._over = False
        self._thread = Thread(target=self._run, args=locks, name=self._name, daemon=True)
        self._thread.start()

    def _run(self, go: LockType, awake: LockType, done: LockType) -> None:
        while True:
            go.acquire()
            if self._over:
                return
            awake.release()
            try:
                self._work()
            except BaseException as failure:  # noqa: BLE001 - raised in the caller's thread
                self._failure = failure
            done.release()

    def close(self) -> None:
        """The thread ends."""
        if self._thread is not None and self._process == os.getpid():
            self._over = True
            self._go.release()
            self._thread.join()
        self._thread, self._process = None, 0
