"""Readings that wait are made together: one transaction, one look at the views, one statement, one record.

The first who comes leads and takes its own reading at once; who comes meanwhile waits. When it is done, the first of
those who wait leads next and takes all of them. Nobody waits for a timer, so who is alone loses nothing.

    gathered = Gathering(keeper.read_many)
    outcome = gathered.one(reading)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

A = TypeVar("A")
B = TypeVar("B")
MOST = 256
"""So many at once; what a transaction can name of subjects, beyond which it takes the whole place."""


class _Waiting(Generic[A, B]):
    """One who waits. `woken` is held until there is an answer, a failure, or the lead."""

    __slots__ = ("answer", "asked", "failure", "leads", "woken")

    def __init__(self, asked: A) -> None:
        self.asked = asked
        self.answer: B | None = None
        self.failure: BaseException | None = None
        self.leads = False
        self.woken = Lock()
        self.woken.acquire()


class Gathering(Generic[A, B]):
    """`together` answers several at once, in their order; each thread that asks gets its own answer or failure."""

    def __init__(self, together: Callable[[Sequence[A]], list[B]]) -> None:
        self._together = together
        self._lock = Lock()
        self._waiting: deque[_Waiting[A, B]] = deque()
        self._led = False

    def one(self, asked: A) -> B:
        """The answer for one, made with those of others that wait. Raises what `together` raises for it."""
        mine: _Waiting[A, B] | None = None
        with self._lock:
            if self._led:
                mine = _Waiting(asked)
                self._waiting.append(mine)
            self._led = True
        if mine is None:
            try:
                return self._together((asked,))[0]
            finally:
                self._hand_on()
        mine.woken.acquire()
        if mine.leads:
            self._lead(mine)
        if mine.failure is not None:
            raise mine.failure
        return mine.answer  # type: ignore[return-value]  # no failure: there is an answer

    def _lead(self, mine: _Waiting[A, B]) -> None:
        with self._lock:
            others = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST - 1))]
        try:
            self._answer([mine, *others])
        finally:
            for one in others:
                if one.answer is None and one.failure is None:
                    one.failure = RuntimeError("who read for all was stopped; ask again")
                one.woken.release()
            self._hand_on()

    def _answer(self, several: list[_Waiting[A, B]]) -> None:
        try:
            for one, answer in zip(several, self._together([one.asked for one in several]), strict=True):
                one.answer = answer
        except Exception as failure:  # noqa: BLE001 - whose it is, is found out one by one
            if len(several) == 1:
                several[0].failure = failure
                return
            for one in several:
                self._answer([one])

    def _hand_on(self) -> None:
        with self._lock:
            if not self._waiting:
                self._led = False
                return
            following = self._waiting.popleft()
        following.leads = True
        following.woken.release()
