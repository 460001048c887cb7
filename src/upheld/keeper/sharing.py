"""Sweepers share the work: each takes groups of buckets, whichever nobody has, until all of a pass are done.

A pass is the sweep of one policy as of one instant. Rows of `background` say by its word which groups of it are
finished; whoever finds the last one finished moves the watermarks and ends it. Crash table:

| what is left | next sweeper |
|---|---|
| a group taken, not finished: the lease ended with the connection | takes it, goes on with its open steps |
| all groups finished, the pass still open | moves the watermarks, ends it |

A lease is a lock of the server's session. Who lost it with a connection can't know; so each group has a word that
whoever takes it writes, with the place to itself, and every transaction of a sweep asks whether it is still its own.
Where a home has one group (files), the lease of the sweep is all there is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from threading import local
from typing import NamedTuple

from upheld.dates import Instant
from upheld.errors import StoreFailed
from upheld.keeper.door import Door
from upheld.store.ids import BUCKETS
from upheld.store.leases import LeaseHeld
from upheld.store.place import Transaction

_HELD = local()
"""Of this thread: the row of the group it works on, and the word it wrote there."""
CUT_SHORT = 3_600_000_000
"""A pass that began so long ago (microseconds) was cut short: when it is ended, one as of now follows."""


class Pass(NamedTuple):
    """The sweep of one policy as of one instant, by whatever number of sweepers; the word tells it from others."""

    word: str
    at: Instant


class LeaseLost(StoreFailed):
    """Another process has taken over a part of the sweep, since this one lost its connection."""


class Sharing(Door):
    """Groups of buckets, passes and the words that keep two sweepers off one group."""

    @contextmanager
    def sweeping(self, shared: bool = False) -> Iterator[None]:
        """The right to carry out steps, whatever thread or process it runs in: alone, or shared with other sweeps."""
        with self.places.leases.lease("sweep", shared=shared):
            yield

    @contextmanager
    def _stepping(self, about: Collection[str]) -> Iterator[Transaction]:
        """A transaction of a step, while the part of the sweep is still ours."""
        with self.places.active.transaction(about) as transaction:
            self._fenced(transaction)
            yield transaction

    def _fenced(self, transaction: Transaction) -> None:
        """Raises LeaseLost unless the group that this thread works on is still its own."""
        held: tuple[str, str] | None = getattr(_HELD, "group", None)
        if held is None:
            return
        row = transaction.execute(_HOLDER, held[:1]).fetchone()
        if row is None or row[0] != held[1]:
            raise LeaseLost("another process has taken over this part of the sweep; nothing was done twice")

    def _shared(self, policy: str, now: Instant, work: Callable[[range, Instant], None]) -> Pass | None:
        """Work on the groups of a pass that nobody else has. The pass, when all of it is finished."""
        groups = self.places.leases.groups
        size = BUCKETS // groups
        begun = self.places.active.submit(partial(_joined, policy, now, self.new_id()))
        for number in range(groups):
            with self._group(policy, number, begun) as taken:
                if taken:
                    work(range(number * size, (number + 1) * size), begun.at)
                    self.places.active.submit(partial(self._finish, policy, number, begun))
        done = all(self._said(policy, number) == begun.word for number in range(groups))
        return begun if done else None

    @contextmanager
    def _group(self, policy: str, number: int, begun: Pass) -> Iterator[bool]:
        """Whether the group is this sweeper's for the block: nobody has it, and it is not finished."""
        name, word, before = _name(policy, number), self.new_id(), getattr(_HELD, "group", None)
        with ExitStack() as held:
            try:
                held.enter_context(self.places.leases.lease(name.replace("/", "-"), wait=False))
            except LeaseHeld:
                yield False
                return
            if self._said(policy, number) == begun.word or self._said(policy) != begun.word:
                yield False
                return
            self.places.active.submit(lambda transaction: transaction.execute(_TAKE, (name, word)))
            _HELD.group = (name, word)
            try:
                yield True
            finally:
                _HELD.group = before

    def _said(self, policy: str, number: int | None = None) -> str | None:
        """The word that stands for a pass, or for a group of it."""
        with self.places.active.reading() as connection:
            row = connection.execute(_HOLDER, (_name(policy, number),)).fetchone()
        return str(row[0]) if row else None

    def _finish(self, policy: str, number: int, begun: Pass, transaction: Transaction) -> None:
        self._fenced(transaction)
        transaction.execute(_FINISH, (begun.word, _name(policy, number)))

    def _end_pass(self, policy: str, begun: Pass) -> None:
        """Another sweeper may have ended it already, and begun the next."""
        names = [_name(policy), *(_name(policy, number) for number in range(self.places.leases.groups))]
        rows = [(name, begun.word) for name in names]
        self.places.active.submit(lambda transaction: transaction.executemany(_END, rows))


def _joined(policy: str, now: Instant, word: str, transaction: Transaction) -> Pass:
    """The pass that is under way; one begins when there is none."""
    transaction.execute(_BEGIN, (_name(policy), word, now))
    return Pass(*transaction.execute(_PASS, (_name(policy),)).fetchone())


def _name(policy: str, number: int | None = None) -> str:
    return f"sweep/{policy}" if number is None else f"sweep/{policy}/{number}"


_BEGIN = "INSERT INTO background(name, holder, until_at, ran_at) VALUES(?, ?, 0, ?) ON CONFLICT(name) DO NOTHING"
_PASS = "SELECT holder, ran_at FROM background WHERE name = ?"
_TAKE = (
    "INSERT INTO background(name, holder, until_at, ran_at) VALUES(?, ?, 0, 0) "
    "ON CONFLICT(name) DO UPDATE SET holder = excluded.holder"
)
_HOLDER = "SELECT holder FROM background WHERE name = ?"
_FINISH = "UPDATE background SET holder = ? WHERE name = ?"
_END = "DELETE FROM background WHERE name = ? AND holder = ?"
