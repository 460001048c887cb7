"""Erasing one person at once: asked, answered and ordered in one commit, and gone before the caller hears of it.

The steps are those of a sweep (`moving`, `destroying`) and leave the same behind; what is spared is what a sweep does
to find its work and to share it. Whoever sweeps finds the rest as if a sweep had been cut short: bytes to scrub, and
certificates. Crash table:

| what is left | next sweep |
|---|---|
| nothing of the request, the answer or the orders: they are one commit | nothing |
| all of it, the values condemned | carries the steps out |
| d2 to d5, as far as they came | as after a sweep that was killed there |
| a step that was begun while the one before became durable: nothing, a server forgets what has no end | as without it |

The right to it is that of a sweep to the group of buckets in which the person is; where a sweeper has that, or
something stands in the way, the sweep does all of it. INVARIANT: I3, I4, I5, I7.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial

from upheld.dates import Instant
from upheld.engine.acts import RequestId, SubjectId, ValueId
from upheld.engine.lifecycle import StepKind
from upheld.engine.state import HeldState, RequestState
from upheld.errors import InputRefused
from upheld.keeper.asking import Asking
from upheld.keeper.door import LEAPT, Tier
from upheld.keeper.moving import ASKED_OF, CLEAN, Moving
from upheld.keeper.outcome import Outcome
from upheld.keeper.sharing import LeaseLost
from upheld.keeper.steps import REMOVED, STEPS_OF, OpenStep, Swept, step_of
from upheld.store import copies
from upheld.store.engine import Question, answers
from upheld.store.ids import bucket_of
from upheld.store.journal import JournalWriter
from upheld.store.journal_keys import KeyMoved
from upheld.store.leases import Part
from upheld.store.place import Transaction
from upheld.store.sealing import Begun, Sealer
from upheld.store.straight import Early
from upheld.store.views import Seen

ERASURE = "erasure"


class _Ordered:
    """What was ordered of one person, and what there is to seal of it."""

    def __init__(self, sealer: Sealer, writer: JournalWriter, steps: list[OpenStep], transaction: Transaction) -> None:
        self.steps = steps
        self._sealer = sealer
        self._writer = writer
        self._transaction = transaction
        self._begun: Begun | None = None

    def is_sealed_at_once(self, now: Callable[[], Instant]) -> None:
        """The ledger is made ready while the commit is awaited, where the order is the first to be sealed."""

        def begins() -> None:
            self._begun = self._sealer.begin_at_once(self._writer, now())

        self._transaction.last = self._sealer.asks_at_once(self._writer)
        if all(step.kind == StepKind.DESTROY for step in self.steps):
            self._transaction.besides = begins

    @property
    def begun(self) -> bool:
        """Whether only the order itself is to be sealed."""
        return self._begun is not None

    def seals(self, at: Instant, meanwhile: Callable[[], None] = lambda: None) -> bool:
        """d2 in one message; whether that was all. `meanwhile` is done while it is awaited."""
        begun, self._begun = self._begun, None
        return self._sealer.seal_at_once(self._writer, self._transaction.told, at, begun, meanwhile)

    def forget(self) -> None:
        """What was begun and not sealed is not."""
        begun, self._begun = self._begun, None
        if begun is not None:
            self._sealer.forget_at_once(begun)


class _Ahead:
    """d3 and d5 of one person, begun while the ledger takes the order: servers are at work on them, and nothing of d3
    happens before that is durable, nor of d5 before d3 is.
    """

    keys: Early[Instant] | None = None
    rows: Early[None] | None = None

    def close(self) -> None:
        """What has not ended does not happen."""
        for one in (self.rows, self.keys):
            if one is not None:
                one.forget()


class AtOnce(Asking, Moving):
    """Erasing without waiting for a sweep."""

    def erase(
        self,
        subject_id: SubjectId,
        *,
        channel: str,
        proved: bool = False,
        proof: str | tuple[str, ...] = (),
        by: str | None = None,
        values: tuple[ValueId, ...] = (),
        handler: str | None = None,
        confirmed: bool = False,
    ) -> tuple[Outcome, int]:
        """Somebody asks for erasure, it is done, and what nothing keeps is gone: key, tokens and content. What is to be
        kept apart is kept apart.

        The words are those of `request` and `answer`. Gives the answer, with the id of the request, and how many values
        of the person are gone by it; their bytes are scrubbed, and certificates issued, by the next sweep. What still
        settles, waits for an approval, or belongs to a sweep that is under way, goes with a sweep in its time. Where
        the answer is refused, the request is in and waits for its proof.
        """

        def asked() -> Outcome:
            came = Asking.request(
                self, subject_id, ERASURE, channel=channel, proved=proved, proof=proof, by=by, values=values
            )
            if not came.granted or came.made is None:
                return came
            self.places.active.sends()
            answered = Asking.answer(
                self, subject_id, RequestId(came.made), RequestState.DONE, handler=handler, confirmed=confirmed
            )
            self.places.active.sends()
            return answered

        return self._with_either_key(subject_id, asked, sweeps=True)

    def answer_at_once(
        self,
        subject_id: SubjectId,
        request: RequestId,
        outcome: RequestState | str,
        *,
        reason: str | None = None,
        handler: str | None = None,
        confirmed: bool = False,
    ) -> tuple[Outcome, int]:
        """An erasure that is in has its answer, in the words of `answer`, and what nothing keeps is gone when this
        returns. Gives the answer and how many values went.

        Unlike `erase` it never waits for a sweep: what one that is under way has in hand, that one destroys.
        """

        def answered() -> Outcome:
            return Asking.answer(
                self, subject_id, request, outcome, reason=reason, handler=handler, confirmed=confirmed
            )

        return self._with_either_key(subject_id, answered, sweeps=False)

    def _with_either_key(
        self, subject_id: SubjectId, asked: Callable[[], Outcome], *, sweeps: bool
    ) -> tuple[Outcome, int]:
        for _ in range(2):
            try:
                return self._gone_at_once(subject_id, asked, sweeps=sweeps)
            except KeyMoved:
                continue  # nothing was done; from now on it is the other key
        return self._gone_at_once(subject_id, asked, sweeps=sweeps)

    def _gone_at_once(
        self, subject_id: SubjectId, asked: Callable[[], Outcome], *, sweeps: bool
    ) -> tuple[Outcome, int]:
        if self.places.active.batching:
            raise InputRefused("in-a-batch", "what is erased at once is gone in several commits; ask outside the batch")
        before = self.views.get(subject_id, self.now())
        orders: list[_Ordered] = []
        with self._part_of(before.policy, self._group_of(bucket_of(subject_id))) as part, ExitStack() as at_the_end:
            also = _asked_of(subject_id) if part.ours else ()
            with self.batch(about=(subject_id, *self._held_names()), also=also):
                outcome = asked()
                if part.ours and outcome.granted and self.places.seals:
                    orders += self._attempt(subject_id, self._order_at_once)
                    for one in orders:
                        at_the_end.callback(one.forget)
            done = bool(orders) and all(self._carried_out(one, part) for one in orders)
        if not outcome.granted or not self.places.seals:
            return outcome, 0  # who only serves on a server destroys nothing; a sweeper does
        if done:
            return outcome, sum(step.kind == StepKind.DESTROY for one in orders for step in one.steps)
        if sweeps:
            self.sweep()
        after = self.views.get(subject_id, self.now())
        return outcome, _gone(after) - _gone(before)

    def _order_at_once(self, transaction: Transaction, seen: Seen, now: Instant) -> list[_Ordered]:
        """d1, and s1, in the transaction that made it due. Nothing where a sweep is to do it, which tells what it waits
        for: a clock that leapt, steps that were cut short.
        """
        self.views.prove(transaction, seen)
        found = [rows.fetchall() for rows in transaction.also]
        leapt, begun, held, filed, noted, given = found or answers(transaction.connection, _asked_of(seen.subject_id))
        left = [step_of(row) for row in begun]
        if leapt or not self.in_reach(now) or any(step.stage != REMOVED for step in left):
            return []
        self._take_part(transaction)
        swept = Swept()
        keys = self._keys([seen.state], [held], [step.value_id for step in left])
        transaction.execute(CLEAN, (bucket_of(seen.subject_id), seen.subject_id))
        steps = list(self._open_steps(transaction, seen, now, swept, keys, filed, noted, given))
        self._begin_steps(transaction, steps)
        ordered = _Ordered(self.places.sealer, self.places.active.writer, steps, transaction)
        if steps:
            ordered.is_sealed_at_once(self.now)
        return [ordered]

    def _carried_out(self, ordered: _Ordered, part: Part) -> bool:
        """d2 to d5. False where a sweep has to go on with it."""
        steps, sealed = ordered.steps, False

        def seals() -> bool:
            if not ordered.begun:  # then values are sealed too: their look-up tokens are there before, as for any seal
                self.owed_tokens.outlast()
            return sealed or ordered.seals(self.now())

        try:
            if ordered.begun and all(step.tier is Tier.ACTIVE for step in steps):
                with closing(_Ahead()) as ahead:
                    sealed = ordered.seals(self.now(), partial(self._begin_ahead, steps, ahead))
                    if sealed and self._end_ahead(steps, ahead, part):
                        return True
            self._forward(steps, Swept(), seals)
        except (KeyMoved, LeaseLost):
            return False
        return True

    def _begin_ahead(self, steps: list[OpenStep], ahead: _Ahead) -> None:
        """d3 and d5, without their ends. What can't be begun is done afterwards, as in any destruction."""
        who = steps[0].subject_id
        ahead.keys = self.places.keys.early((who,), partial(self._destroy_all_there, steps))
        if ahead.keys is not None:
            gone = partial(self._gone_from_rows, steps, _unreadable(steps, ahead.keys.result))
            ahead.rows = self.places.active.early((who, *self._held_names()), gone)

    def _gone_from_rows(
        self, steps: Sequence[OpenStep], unreadable: Mapping[ValueId, Instant], transaction: Transaction
    ) -> None:
        self._fenced(transaction)
        self._blank(steps, unreadable, transaction)

    def _end_ahead(self, steps: list[OpenStep], ahead: _Ahead, part: Part) -> bool:
        """d3, durable, then d5. False where nothing of it was done.

        The part of the sweep is given back while the last commit is awaited: whoever takes it from then on claims the
        name of the group, which that commit still has.
        """
        keys, rows = ahead.keys, ahead.rows
        if keys is None or not keys.ends():
            return False
        self._forget_keys(steps)
        if rows is None or not rows.ends(part.give_back):
            self._remove(steps, _unreadable(steps, keys.result))
        return True


def _unreadable(steps: Sequence[OpenStep], at: Instant) -> dict[ValueId, Instant]:
    return {step.value_id: at for step in steps}


def _asked_of(subject_id: SubjectId) -> list[Question]:
    """What is asked of one person, and of the clock."""
    key = (bucket_of(subject_id), subject_id)
    return [copies.asks_for(LEAPT), *((one, key) for one in (STEPS_OF, *ASKED_OF))]


def _gone(seen: Seen) -> int:
    return sum(value.held in (HeldState.CONDEMNED, HeldState.DESTROYED) for value in seen.state.values)
