"""Readings that wait are made together: one transaction, one look at the views, one statement, one record.

The first who comes leads and takes its own reading at once; who comes meanwhile waits. When it is done, the first of
those who wait leads next and takes all of them. Nobody waits for a timer, so who is alone loses nothing.

    gathered = Gathering(keeper.read_many)                          # threads
    outcome = gathered.one(reading)
    gathered = LoopGathering(loop, keeper.read_many, workers.run, keeper.set_out)   # tasks of a loop
    outcome = await gathered.one(reading)
"""

from __future__ import annotations

import os
from asyncio import AbstractEventLoop, Future
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Generic, NamedTuple, Protocol, TypeVar

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


def answered(
    together: Callable[[Sequence[A]], list[B]], several: Sequence[A], first: Callable[[], list[B]] | None = None
) -> list[Answered[B]]:
    """What came of each, made together, or by what is tried `first`. Where that fails they are made one by one, and
    each has its own failure.
    """
    try:
        return [Answered(answer, None) for answer in (together(several) if first is None else first())]
    except Exception as failure:  # noqa: BLE001 - whose it is, is found out one by one
        if len(several) == 1:
            return [Answered(None, failure)]
    return [answered(together, (one,))[0] for one in several]


_Group = Sequence[tuple[A, "Future[B]"]]
"""Who asked, and where the answer goes."""


class Departed(Protocol[B]):
    """A group that was sent, and whose answer comes by a socket."""

    @property
    def descriptor(self) -> int:
        """The socket that can be read from when something of the answer is here."""

    @property
    def line(self) -> int:
        """Another number whenever that is another socket."""

    def over(self) -> bool:
        """Whether all of it is here by now. Nobody waits."""

    def answers(self) -> list[B] | None:
        """The answers, once it is over; None where something has to be waited for: then they are `fetched`."""

    def fetched(self) -> list[B]:
        """The answers, in a thread that may wait."""

    def relief(self) -> Callable[[], None] | None:
        """What is to be done besides in a thread that may wait; mostly nothing."""


class LoopGathering(Generic[A, B]):
    """`Gathering` for the tasks of one event loop. `run` does a piece of work in another thread.

    Who asks in the same turn of the loop goes together. One that is cancelled before its group sets out is left out;
    later its answer is made, and nobody gets it.

    A group that can be `sent` without waiting for anything needs no other thread: the loop is told by the socket when
    the answer is here. The next waits until it has landed, since the socket is one.
    """

    def __init__(
        self,
        loop: AbstractEventLoop,
        together: Callable[[Sequence[A]], list[B]],
        run: Callable[[Callable[[], None]], None],
        sent: Callable[[Sequence[A], Callable[[], None]], Departed[B] | None] | None = None,
    ) -> None:
        self._loop = loop
        self._together = together
        self._run = run
        self._sent = sent
        self._waiting: deque[tuple[A, Future[B]]] = deque()
        self._called = False
        self._under_way = 0
        self._departed: tuple[Departed[B], _Group[A, B]] | None = None
        self._watched: tuple[int, int] | None = None
        """The line that is listened to, and the number under which."""

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
        while self._waiting and self._departed is None and self._worth():
            some = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]
            group = [(asked, future) for asked, future in some if not future.done()]
            if group and not self._departs(group):
                self._hand_over(group, partial(self._made, group))

    def _worth(self) -> bool:
        return not self._under_way or (self._under_way < AT_ONCE and len(self._waiting) >= WORTH)

    def _hand_over(self, group: _Group[A, B], job: Callable[[], None]) -> None:
        self._under_way += 1
        try:
            self._run(job)
        except RuntimeError as failure:  # nobody is left to do it
            self._give(group, [Answered(None, failure)] * len(group))

    # ── without another thread ──────────────────────────────────────────────────────────────────────────────────────

    def _departs(self, group: _Group[A, B]) -> bool:
        """Whether a group was sent."""
        if self._sent is None:
            return False
        try:
            departed = self._sent([asked for asked, _ in group], self._told)
        except Exception:  # noqa: BLE001 - what it is, the other way tells
            return False
        if departed is None:
            return False
        if self._listens(departed):
            self._departed = departed, group
        else:
            self._hand_over(group, partial(self._made, group, departed.fetched))
        return True

    def _listens(self, departed: Departed[B]) -> bool:
        """Whether the loop is told when the socket can be read from, as not every loop can be. It is registered under
        another number, which nobody else closes.
        """
        if self._watched is not None:
            if self._watched[0] == departed.line:
                return True
            self._stop_listening()
        try:
            number = os.dup(departed.descriptor)
        except Exception:  # noqa: BLE001 - the line is gone by now: who waits for the answer is told
            return False
        try:
            self._loop.add_reader(number, self._readable)
        except NotImplementedError:
            os.close(number)
            self._sent = None
            return False
        self._watched = departed.line, number
        return True

    def _stop_listening(self) -> None:
        if self._watched is not None:
            number, self._watched = self._watched[1], None
            if not self._loop.is_closed():
                self._loop.remove_reader(number)
            os.close(number)

    def _readable(self) -> None:
        if self._departed is None:
            self._stop_listening()  # somebody else uses the line
        elif self._departed[0].over():
            self._landed()

    def _told(self) -> None:
        """In any thread: somebody else has taken the answer."""
        with suppress(RuntimeError):  # the loop is closed, and nobody waits any more
            self._loop.call_soon_threadsafe(self._readable)

    def _landed(self) -> None:
        assert self._departed is not None
        (departed, group), self._departed = self._departed, None
        relief = departed.relief()
        if relief is not None:
            with suppress(RuntimeError):  # nobody is left to do it: whoever opens the home next does
                self._run(relief)
        try:
            answers = departed.answers()
        except Exception:  # noqa: BLE001 - whose it is, is found out one by one
            answers = None
        if answers is None:
            self._hand_over(group, partial(self._made, group, departed.fetched))
        else:
            self._under_way += 1
            self._give(group, [Answered(answer, None) for answer in answers])

    def close(self) -> None:
        """Listen to nobody any more."""
        self._stop_listening()

    # ── in another thread ───────────────────────────────────────────────────────────────────────────────────────────

    def _made(self, group: _Group[A, B], fetched: Callable[[], list[B]] | None = None) -> None:
        """In another thread."""
        try:
            answers = answered(self._together, [asked for asked, _ in group], fetched)
        except BaseException:  # noqa: BLE001 - told to those who wait: a thread that is stopped leaves nobody behind
            failure = RuntimeError("who read for all was stopped; ask again")
            answers = [Answered(None, failure)] * len(group)
        if not self._loop.is_closed():  # else nobody waits any more
            self._loop.call_soon_threadsafe(self._give, group, answers)

    def _give(self, group: _Group[A, B], answers: Sequence[Answered[B]]) -> None:
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
