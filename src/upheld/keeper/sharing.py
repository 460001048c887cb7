"""Sweepers share the work: each takes groups of buckets, whichever nobody has, until all of a pass are done.

Only groups in which somebody is due are taken, as many at once as one batch of persons fills. Where days have gone by
since the last sweep, and somebody is due by them, sweepers work on one *pass*: the sweep of one policy as of one
instant. Rows of `background` say by its word which groups of it are finished; whoever finds the last one finished moves
the watermarks and ends it. What facts alone have made due needs no pass. Crash table:

| what is left | next sweeper |
|---|---|
| a group taken, not finished: the lease ended with the connection | takes it, goes on with its open steps |
| all groups finished, the pass still open | moves the watermarks, ends it |

A lease is a lock of the server's session. Who lost it with a connection can't know; so each group has a word that
whoever takes it writes, and every transaction of a step asks whether it is still its own; both claim the name of the
group. None of these rows needs to outlive the server, so none waits for the disk.
Where a home has one group (files), the lease of the sweep is all there is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from threading import local
from typing import NamedTuple

from upheld.dates import Instant
from upheld.errors import StoreFailed
from upheld.keeper.door import Door
from upheld.store.engine import answers, sent_late
from upheld.store.ids import BUCKETS
from upheld.store.leases import Part
from upheld.store.place import Transaction

_HELD = local()
"""Of this thread: the groups that it works on, and the word that it wrote for each."""
CUT_SHORT = 3_600_000_000
"""A pass that began so long ago (microseconds) was cut short: when it is ended, one as of now follows."""


class Pass(NamedTuple):
    """The sweep of one policy as of one instant, by whatever number of sweepers; the word tells it from others."""

    word: str
    at: Instant


class _Held(NamedTuple):
    names: tuple[str, ...]
    word: str
    once: bool = False
    """Whether the words go with the last transaction of the work, not after it."""


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
        held: _Held | None = getattr(_HELD, "groups", None)
        claimed = about if held is None else {*about, *held.names}
        with self.places.active.transaction(claimed, early=True) as transaction:
            self._fenced(transaction)
            yield transaction

    def _fenced(self, transaction: Transaction) -> None:
        """Raises LeaseLost unless the groups that this thread works on are still its own."""
        held: _Held | None = getattr(_HELD, "groups", None)
        if held is None:
            return
        for name in held.names:
            lost = LeaseLost("another process has taken over this part of the sweep; nothing was done twice")
            found = transaction.execute(_STILL_OURS, (name, held.word))
            late = sent_late(found)
            if late is not None:
                late.proves(lost)
            elif found.fetchone() != (1,):
                raise lost

    def _joined(self, policy: str, now: Instant) -> Pass:
        """The pass that is under way; one begins when there is none."""
        name, word = name_of(policy), self.new_id()
        with self.places.active.soon_durable((name,), early=True) as transaction:
            transaction.execute(_BEGIN, (name, word, now))
            return Pass(*transaction.execute(PASS, (name,)).fetchone())

    def _group_of(self, bucket: int) -> int:
        return bucket // (BUCKETS // self.places.leases.groups)

    def _buckets(self, groups: Sequence[int]) -> list[range]:
        size = BUCKETS // self.places.leases.groups
        return [range(number * size, (number + 1) * size) for number in groups]

    def _share(
        self, policy: str, groups: Sequence[int], begun: Pass | None, work: Callable[[tuple[int, ...]], None]
    ) -> None:
        """Work on those of the groups that nobody else has, and that are not finished in the pass."""
        with self._ours(policy, groups, begun) as ours:
            if not ours:
                return
            work(ours)
            held: _Held = _HELD.groups
            with self.places.active.soon_durable(held.names, early=True) as transaction:
                self._fenced(transaction)
                if begun is None:
                    transaction.executemany(_END, [(name, held.word) for name in held.names])
                else:
                    transaction.executemany(_FINISH, [(begun.word, name) for name in held.names])

    @contextmanager
    def _ours(self, policy: str, groups: Sequence[int], begun: Pass | None) -> Iterator[tuple[int, ...]]:
        """Which of the groups are this sweeper's for the block."""
        by_lease = {_lease_of(name_of(policy, number)): number for number in groups}
        word, before = self.new_id(), getattr(_HELD, "groups", None)
        with ExitStack() as held:
            free = held.enter_context(self.places.leases.free(tuple(by_lease)))
            ours = self._unfinished(policy, [by_lease[one] for one in free], begun)
            if not ours:
                yield ()
                return
            names = tuple(name_of(policy, number) for number in ours)
            with self.places.active.soon_durable(names, early=True) as transaction:
                transaction.executemany(_TAKE, [(name, word) for name in names])
            _HELD.groups = _Held(names, word)
            try:
                yield ours
            finally:
                _HELD.groups = before

    @contextmanager
    def _part_of(self, policy: str, number: int) -> Iterator[Part]:
        """Whether one group is this thread's for the block, outside of any pass: see `_take_part`."""
        name, before = name_of(policy, number), getattr(_HELD, "groups", None)
        with self.places.leases.part("sweep", _lease_of(name)) as part:
            word = self.new_id()  # while the answer comes
            if part.ours and self.places.leases.groups > 1:
                _HELD.groups = _Held((name,), word, once=True)
            try:
                yield part
            finally:
                _HELD.groups = before

    @staticmethod
    def _held_names() -> tuple[str, ...]:
        """The names of the groups that this thread works on: its transactions are about them too."""
        held: _Held | None = getattr(_HELD, "groups", None)
        return () if held is None else held.names

    @staticmethod
    def _take_part(transaction: Transaction) -> None:
        """The word for a group goes with the first transaction of work on it."""
        held: _Held | None = getattr(_HELD, "groups", None)
        if held is not None:
            transaction.executemany(_TAKE, [(name, held.word) for name in held.names])

    @staticmethod
    def _part_over(transaction: Transaction) -> None:
        """No step follows this transaction: the word goes with it. One that stays is written over by who comes next."""
        held: _Held | None = getattr(_HELD, "groups", None)
        if held is not None and held.once:
            transaction.executemany(_END, [(name, held.word) for name in held.names])

    def _unfinished(self, policy: str, groups: Sequence[int], begun: Pass | None) -> tuple[int, ...]:
        """Those of the groups that are not finished in a pass; none when the pass is over."""
        if begun is None or not groups:
            return tuple(groups)
        names = [name_of(policy), *(name_of(policy, number) for number in groups)]
        with self.places.active.reading() as connection:
            over, *said = answers(connection, [(_HOLDER, (name,)) for name in names])
        if over != [(begun.word,)]:
            return ()
        return tuple(number for number, word in zip(groups, said, strict=True) if word != [(begun.word,)])

    def _end_pass(self, policy: str, begun: Pass) -> None:
        """Another sweeper may have ended it already, and begun the next."""
        names = [name_of(policy), *(name_of(policy, number) for number in range(self.places.leases.groups))]
        with self.places.active.soon_durable(names, early=True) as transaction:
            transaction.executemany(_END, [(name, begun.word) for name in names])


def name_of(policy: str, number: int | None = None) -> str:
    return f"sweep/{policy}" if number is None else f"sweep/{policy}/{number}"


def _lease_of(name: str) -> str:
    return name.replace("/", "-")


_BEGIN = "INSERT INTO background(name, holder, until_at, ran_at) VALUES(?, ?, 0, ?) ON CONFLICT(name) DO NOTHING"
PASS = "SELECT holder, ran_at FROM background WHERE name = ?"
_STILL_OURS = "SELECT 1 / CAST(coalesce((SELECT holder FROM background WHERE name = ?) = ?, FALSE) AS INT)"
_TAKE = (
    "INSERT INTO background(name, holder, until_at, ran_at) VALUES(?, ?, 0, 0) "
    "ON CONFLICT(name) DO UPDATE SET holder = excluded.holder"
)
_HOLDER = "SELECT holder FROM background WHERE name = ?"
_FINISH = "UPDATE background SET holder = ? WHERE name = ?"
_END = "DELETE FROM background WHERE name = ? AND holder = ?"
