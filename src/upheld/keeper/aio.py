"""The hot verbs for an event loop: tasks that read meanwhile are read together, and none of them holds a thread.

    outcome = await keeper.front.read(who, "delivery", reader=shop, items=("mobile",))
    made = await keeper.front.do(keeper.collect, who, "delivery", texts, channel="website")

What is decided, recorded and refused is what the same verb of the keeper does.
"""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Callable, Sequence
from threading import Lock
from typing import ParamSpec, TypeVar

from upheld.engine.acts import EngagementId, Read, Reader, SubjectId, ValueId
from upheld.errors import InputRefused
from upheld.keeper.gathering import LoopGathering, Workers
from upheld.keeper.outcome import Outcome
from upheld.keeper.seeing import BatchOutcome, Reading, Seeing

P = ParamSpec("P")
T = TypeVar("T")


class AsyncKeeper:
    """A keeper as tasks use it, of any number of loops; it ends with the keeper."""

    def __init__(self, keeper: Seeing) -> None:
        self.keeper = keeper
        self._workers = Workers()
        self._lock = Lock()
        self._gathering: dict[AbstractEventLoop, LoopGathering[Reading, Outcome]] = {}

    async def read(
        self,
        subject_id: SubjectId,
        purpose: str | None,
        *,
        reader: Reader,
        items: tuple[str, ...] = (),
        values: tuple[ValueId, ...] = (),
        use: str | None = None,
        engagement: EngagementId | None = None,
    ) -> Outcome:
        """`Keeper.read`. Who awaits it and is cancelled gets nothing; what had set out by then is on record."""
        self._outside_batches()
        reading = Reading(subject_id, Read(purpose, reader, items, values, use, engagement))
        return await self._here().one(reading)

    async def read_batch(
        self, purpose: str, wanted: Sequence[tuple[SubjectId, ValueId]], *, reader: Reader, use: str | None = None
    ) -> BatchOutcome:
        """`Keeper.read_batch`."""
        self._outside_batches()
        return await asyncio.to_thread(self.keeper.read_batch, purpose, wanted, reader=reader, use=use)

    async def do(self, verb: Callable[P, T], /, *args: P.args, **named: P.kwargs) -> T:
        """Any other verb of the keeper, in a thread of the loop's own; threads that write meanwhile share a commit."""
        self._outside_batches()
        return await asyncio.to_thread(verb, *args, **named)

    def _outside_batches(self) -> None:
        """A batch is its thread's: what another thread does for a task of it would wait for it for ever."""
        if self.keeper.places.active.batching:
            raise InputRefused("in-a-batch", "a batch is open in this thread; ask outside the batch")

    def _here(self) -> LoopGathering[Reading, Outcome]:
        loop = asyncio.get_running_loop()
        known = self._gathering.get(loop)
        if known is None:
            known = LoopGathering(loop, self.keeper.read_many, self._workers.run, self.keeper.set_out)
            with self._lock:
                for one, its in self._gathering.items():
                    if one.is_closed():
                        its.close()
                open_ones = {one: its for one, its in self._gathering.items() if not one.is_closed()}
                self._gathering = {**open_ones, loop: known}
        return known

    def close(self) -> None:
        """Give the threads back; what is under way is finished first."""
        self._workers.close()
        for one in self._gathering.values():
            one.close()
