"""Readings that wait are made together: one transaction, one look at the views, one statement, one record.

The first who comes leads and takes its own reading at once; who comes meanwhile waits. When it is done, the first of
those who wait leads next and takes all of them. Nobody waits for a timer, so who is alone loses nothing.

    gathered = Gathering(keeper.read_many)                          # threads
    outcome = gathered.one(reading)
    gathered = LoopGathering(loop, keeper.read_many, workers.run)   # tasks of a loop, without a thread each
    outcome = await gathered.one(reading)
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, Future
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Generic, NamedTuple, TypeVar

A = TypeVar("A")
B = TypeVar("B")
MOST = 256
"""So many at once; what a transaction can name of subjects, beyond which it takes the whole place."""

AT_ONCE = 2
"""So many groups of one loop under way: one waits for the disk or the server while the other decides or decrypts."""
WORTH = 16
"""From so many on it is worth a transaction of their own to go while another group is under way."""


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
        for one, came in zip(several, answered(self._together, [one.asked for one in several]), strict=True):
            one.answer, one.failure = came

    def _hand_on(self) -> None:
        with self._lock:
            if not self._waiting:
                self._led = False
                return
            following = self._waiting.popleft()
        following.leads = True
        following.woken.release()


class Answered(NamedTuple, Generic[B]):
    """What came of one: an answer, or why there is none."""

    answer: B | None
    failure: BaseException | None


def answered(together: Callable[[Sequence[A]], list[B]], several: Sequence[A]) -> list[Answered[B]]:
    """What came of each, made together. Where that fails they are made one by one, and each has its own failure."""
    try:
        return [Answered(answer, None) for answer in together(several)]
    except Exception as failure:  # noqa: BLE001 - whose it is, is found out one by one
        if len(several) == 1:
            return [Answered(None, failure)]
    return [answered(together, (one,))[0] for one in several]


class LoopGathering(Generic[A, B]):
    """`Gathering` for the tasks of one event loop. `run` does a piece of work in another thread.

    Who asks in the same turn of the loop goes together. One that is cancelled before its group sets out is left out;
    later its answer is made, and nobody gets it. All methods but one are called in the loop's own thread.
    """

    def __init__(
        self,
        loop: AbstractEventLoop,
        together: Callable[[Sequence[A]], list[B]],
        run: Callable[[Callable[[], None]], None],
    ) -> None:
        self._loop = loop
        self._together = together
        self._run = run
        self._waiting: deque[tuple[A, Future[B]]] = deque()
        self._called = False
        self._under_way = 0

    def one(self, asked: A) -> Future[B]:
        """The answer for one, or what `together` raises for it, made with those of others that wait."""
        future: Future[B] = self._loop.create_future()
        self._waiting.append((asked, future))
        if not self._called:
            self._called = True
            self._loop.call_soon(self._set_out)
        return future

    def _set_out(self) -> None:
        self._called = False
        while self._waiting and (not self._under_way or (self._under_way < AT_ONCE and len(self._waiting) >= WORTH)):
            some = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]
            group = [(asked, future) for asked, future in some if not future.done()]
            if group:
                self._under_way += 1
                try:
                    self._run(partial(self._made, group))
                except RuntimeError as failure:  # nobody is left to do it
                    self._give(group, [Answered(None, failure)] * len(group))

    def _made(self, group: Sequence[tuple[A, Future[B]]]) -> None:
        """In another thread."""
        try:
            answers = answered(self._together, [asked for asked, _ in group])
        except BaseException:  # noqa: BLE001 - told to those who wait: a thread that is stopped leaves nobody behind
            failure = RuntimeError("who read for all was stopped; ask again")
            answers = [Answered(None, failure)] * len(group)
        if not self._loop.is_closed():  # else nobody waits any more
            self._loop.call_soon_threadsafe(self._give, group, answers)

    def _give(self, group: Sequence[tuple[A, Future[B]]], answers: Sequence[Answered[B]]) -> None:
        self._under_way -= 1
        for (_, future), (answer, failure) in zip(group, answers, strict=True):
            if future.done():
                continue  # cancelled: what was asked for is on record, and nobody gets it
            if failure is not None:
                future.set_exception(failure)
            else:
                future.set_result(answer)  # type: ignore[arg-type]  # no failure: there is an answer
        self._set_out()


class Workers:
    """A few threads that do what a loop hands them, begun when they are needed. They end with `close`."""

    def __init__(self, number: int = AT_ONCE) -> None:
        self._number = number
        self._lock = Lock()
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._closed = False

    def run(self, job: Callable[[], None]) -> None:
        """Do it in another thread. Raises RuntimeError once closed."""
        if len(self._threads) < self._number or self._closed:
            self._begin()
        self._jobs.put(job)

    def _begin(self) -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError("this keeper is closed")
            while len(self._threads) < self._number:
                thread = Thread(target=self._work, name="upheld-reads", daemon=True)
                self._threads.append(thread)
                thread.start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def close(self) -> None:
        """What was handed over is finished first."""
        with self._lock:
            self._closed = True
            threads, self._threads = self._threads, []
        for _ in threads:
            self._jobs.put(None)
        for thread in threads:
            thread.join()
