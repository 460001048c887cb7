"""Readings in the air: a message was sent, and whoever sent it does something else until the answer comes.

The turn of a place is not held meanwhile. Whoever takes it next finds what is in the air and brings it down first,
since the connection can do nothing else before; so nobody has to rely on whoever sent it to come back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from threading import RLock
from typing import TYPE_CHECKING, Any

from upheld.store.engine import ConnectionLost, Underway

if TYPE_CHECKING:
    from upheld.store.straight import Straight


class Turn:
    """The right of one thread at a time to use the connection of a place; a thread that has it can take it again."""

    __slots__ = ("_lock", "flight", "release")

    def __init__(self) -> None:
        self._lock = RLock()
        self.flight: Flight | None = None
        """What is in the air."""
        self.release = self._lock.release

    def acquire(self, blocking: bool = True) -> bool:
        """Take it, and bring down what is in the air."""
        if not self._lock.acquire(blocking):
            return False
        if self.flight is not None:
            self._bring_down(self.flight)
        return True

    def at_once(self) -> bool:
        """Take it if nobody has it and nothing is in the air: nobody waits."""
        if self.flight is not None or not self._lock.acquire(False):
            return False
        if self.flight is None:
            return True
        self._lock.release()
        return False

    def to_look(self) -> bool:
        """Take it if nobody has it, and leave in the air what is there."""
        return self._lock.acquire(False)

    def _bring_down(self, flight: Flight) -> None:
        try:
            flight.land(wait=True)
        except BaseException:
            self._lock.release()
            raise
        finally:
            flight.told()

    def __enter__(self) -> None:
        self._lock.acquire()
        if self.flight is not None:
            self._bring_down(self.flight)

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class Flight:
    """A trusting read that was sent. `told` is called, by whichever thread, where somebody else has brought it down."""

    __slots__ = ("_grown", "_mark", "_names", "_place", "_sent", "line", "over", "rows", "told")

    def __init__(
        self,
        place: Straight,
        sent: Underway,
        names: Collection[str],
        grown: int,
        mark: bytes,
        told: Callable[[], None],
    ) -> None:
        self._place = place
        self._sent = sent
        self._names = names
        self._grown = grown
        self._mark = mark
        self.told = told
        self.line = sent.line
        self.over = False
        self.rows: list[Any] | None = None
        """What was asked for, once it is over and on record. None where it has to be asked anew, the long way."""

    @property
    def descriptor(self) -> int:
        """The socket that can be read from when something of the answer is here."""
        return self._sent.descriptor

    def arrived(self) -> bool:
        """Whether it is over; if nobody else is at it and the answer is here, it is now. Nobody waits."""
        if not self.over and self._place.turn.to_look():
            try:
                if not self.over:
                    self.land(wait=False)
            finally:
                self._place.turn.release()
        return self.over

    def awaited(self) -> list[Any] | None:
        """Its `rows`, for who waits until it is over."""
        if not self.over:
            with self._place.turn:
                pass
        return self.rows

    def land(self, *, wait: bool) -> None:
        """Take the answer, and note what it says. The turn is held. Raises what is no failure of the message."""
        place, landed = self._place, True
        try:
            rows = self._sent.taken(wait=wait)
            landed = rows is not None
            if rows is not None:
                place.flown(self._grown, self._mark)
                self.rows = rows
        except ConnectionLost:
            pass  # nobody knows what became of it: who is next looks for it
        except BaseException as failure:  # noqa: BLE001 - what is no failure of the message is raised again there
            if not isinstance(failure, Exception):
                self._sent.hang_up()
            place.fell_through(failure, self._names)
        finally:
            if landed:
                place.turn.flight, self.over = None, True
