"""A flush of the disk that goes on beside the caller, by the kernel and not by a thread.

A thread would need the lock of the interpreter before it can begin to wait; who looks meanwhile holds it. The kernel
has a queue for such things (`io_submit(2)`, since 4.18 for `fdatasync` too); where it has none, nothing is begun.

if queue.begin(handle):
    rows = look()
    queue.wait()                 # here it is on the disk; raises OSError where it is not
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import sys
from ctypes import c_int16, c_int64, c_long, c_uint16, c_uint32, c_uint64, c_ulong
from typing import Final

_MACHINES: Final = {"x86_64": (206, 207, 208, 209), "aarch64": (0, 1, 4, 2), "riscv64": (0, 1, 4, 2)}
"""Numbers of `io_setup`, `io_destroy`, `io_getevents`, `io_submit`: the C library has no names for them."""
_FDSYNC: Final = 3
_AT_ONCE: Final = 8


class _Request(ctypes.Structure):
    """`struct iocb` of linux/aio_abi.h."""

    _fields_ = (
        ("number", c_uint64),
        ("key", c_uint32),
        ("flags_of_write", c_uint32),
        ("operation", c_uint16),
        ("priority", c_int16),
        ("handle", c_uint32),
        ("buffer", c_uint64),
        ("length", c_uint64),
        ("offset", c_int64),
        ("reserved", c_uint64),
        ("flags", c_uint32),
        ("told_by", c_uint32),
    )


class _Answer(ctypes.Structure):
    """`struct io_event` of linux/aio_abi.h."""

    _fields_ = (("number", c_uint64), ("request", c_uint64), ("result", c_int64), ("more", c_int64))


class FlushQueue:
    """One flush at a time. A process that was forked asks for a queue of its own."""

    def __init__(self) -> None:
        self._process = 0
        self._queue: c_ulong | None = None
        self._number = 0

    def begin(self, handle: int) -> bool:
        """Begin to bring a file to the disk. False where this kernel does no such thing: nothing was begun."""
        if self._process != os.getpid():
            self._open()
        if self._queue is None:
            return False
        self._number += 1
        self._request.number, self._request.handle = self._number, handle
        if self._submit(self._numbers[3], self._queue, 1, self._requests) != 1:
            self.close()
            self._process = os.getpid()  # and not again
            return False
        os.sched_yield()  # the kernel's worker is of this core: it takes up the work now, not when the caller waits
        return True

    def wait(self) -> None:
        """What was begun is over. Raises OSError where it is not on the disk."""
        assert self._queue is not None
        answer = self._answer
        while True:
            if self._answers(self._numbers[2], self._queue, 1, 1, ctypes.byref(answer), None) != 1:
                failure = ctypes.get_errno()
                if failure == errno.EINTR:
                    continue
                raise OSError(failure, os.strerror(failure))
            if answer.number == self._number:  # else somebody was stopped before this one was over
                break
        if answer.result < 0:
            raise OSError(-answer.result, os.strerror(-answer.result))

    def _open(self) -> None:
        self._process, self._queue = os.getpid(), None
        numbers = _MACHINES.get(platform.machine()) if sys.platform == "linux" else None
        if numbers is None:
            return
        self._numbers = numbers
        library = ctypes.CDLL(None, use_errno=True)
        self._submit, self._answers = library["syscall"], library["syscall"]
        for call in (self._submit, self._answers):
            call.restype = c_long
        self._submit.argtypes = (c_long, c_ulong, c_long, ctypes.c_void_p)
        self._answers.argtypes = (c_long, c_ulong, c_long, c_long, ctypes.c_void_p, ctypes.c_void_p)
        queue = c_ulong(0)
        if library.syscall(c_long(numbers[0]), c_long(_AT_ONCE), ctypes.byref(queue)) != 0:
            return
        self._queue = queue
        self._answer = _Answer()
        self._request = _Request(operation=_FDSYNC)
        self._requests = (ctypes.c_void_p * 1)(ctypes.addressof(self._request))

    def close(self) -> None:
        """Give the queue back."""
        if self._queue is not None and self._process == os.getpid():
            ctypes.CDLL(None).syscall(c_long(self._numbers[1]), self._queue)
        self._process, self._queue = 0, None
