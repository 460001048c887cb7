"""One thing done beside another: a thread that waits for the disk while the caller goes on.

with beside.doing(flush):
    rows = look()
# here both are over; a failure of either was raised
"""

from __future__ import annotations

import os
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
        self._go.release()
        try:
            yield
        finally:
            self._done.acquire()
            if self._failure is not None:
                raise self._failure

    def _begin(self) -> None:
        self._process = os.getpid()
        self._go, self._done = Lock(), Lock()
        self._go.acquire()
        self._done.acquire()
        self._over = False
        self._thread = Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            self._go.acquire()
            if self._over:
                return
            try:
                self._work()
            except BaseException as failure:  # noqa: BLE001 - raised in the caller's thread
                self._failure = failure
            self._done.release()

    def close(self) -> None:
        """The thread ends."""
        if self._thread is not None and self._process == os.getpid():
            self._over = True
            self._go.release()
            self._thread.join()
        self._thread, self._process = None, 0
