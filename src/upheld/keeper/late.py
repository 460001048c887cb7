"""Facts that come too late: what was destroyed or given away before they were known leaves an exception on record.

`docs/rules.md` 3.5 and 3.10. Nothing destroyed comes back; whoever was given something that should have stayed is told.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from upheld.dates import Instant
from upheld.engine.acts import SubjectId
from upheld.engine.giving import Against, against_given
from upheld.engine.lifecycle import DueState
from upheld.engine.state import ControllerState, Disclosure, HeldState, SubjectState
from upheld.engine.view import View
from upheld.keeper.door import Door
from upheld.store.ids import bucket_of
from upheld.store.place import Transaction
from upheld.store.views import Seen

WITHDRAWN, ENDED = "withdrawn", "ended-before"
"""Why a recipient is told: a consent had been taken back, or what it was given for was over, before it was known."""


class Late(Door):
    """What a fact that was known too late leaves."""

    def _too_late(
        self, transaction: Transaction, before: Seen, moved: Seen, happened: Instant, code: str
    ) -> tuple[str, ...]:
        """A fact too late to prevent an act leaves an exception; nothing destroyed comes back."""
        gone = tuple(
            value.value_id
            for value in moved.state.values
            if value.held in (HeldState.CONDEMNED, HeldState.DESTROYED)
            and moved.view.life.due(value, transaction.at).state is not DueState.DUE
        )
        if gone:
            transaction.journal(
                self._entry(
                    moved,
                    transaction.at,
                    "exception.late",
                    (moved.view.plan.rule,),
                    exception="destroyed-before-known",
                    fact=code,
                    values=gone,
                    at=happened,
                    known_at=transaction.at,
                )
            )
        destroyed = ("exception:destroyed-before-known",) if gone else ()
        return destroyed + self._disclosed_before(transaction, before, moved, happened, code)

    def _disclosed_before(
        self, transaction: Transaction, before: Seen, moved: Seen, happened: Instant, code: str
    ) -> tuple[str, ...]:
        """Who got something that would have stayed, had this been known, is told."""
        then = partial(self._in_hindsight, before, before.state, before.view.controller)
        now = partial(self._in_hindsight, moved, moved.state, moved.view.controller)
        return self._given_too_late(transaction, moved, happened, code, then, now)

    def _known_of_the_house(
        self,
        transaction: Transaction,
        policy: str,
        happened: Instant,
        code: str,
        moved: Callable[[ControllerState], ControllerState],
    ) -> None:
        """A late fact of the organisation: the same for everybody who had something given away since.

        In the transaction that records it. `moved` adds the fact to what was known.
        """
        if happened >= transaction.at:
            return
        self.views.line(policy)
        before = self.views.controller(policy)
        after = moved(before)
        # In a batch what is cached is newer than what is committed; else another process may have been at work.
        known = self.views.get if self.places.active.batching else self.views.load
        for (subject_id,) in transaction.execute(_GIVEN_SINCE, (policy, happened)).fetchall():
            seen = known(SubjectId(subject_id), self.now())
            then = partial(self._in_hindsight, seen, seen.state, before)
            now = partial(self._in_hindsight, seen, seen.state, after)
            self._given_too_late(transaction, seen, happened, code, then, now)
            self.views.drop(seen.subject_id)

    @staticmethod
    def _in_hindsight(
        seen: Seen, state: SubjectState, controller: ControllerState, one: Disclosure, went_as: str
    ) -> frozenset[Against]:
        view = View(seen.view.line, state, controller.then(one.at), one.at)
        return against_given(one, went_as, view)

    def _given_too_late(
        self,
        transaction: Transaction,
        seen: Seen,
        happened: Instant,
        code: str,
        then: Callable[[Disclosure, str], frozenset[Against]],
        now: Callable[[Disclosure, str], frozenset[Against]],
    ) -> tuple[str, ...]:
        """What went out after an instant and has more against it now than it had then."""
        since = [one for one in seen.state.disclosures if happened < one.at]
        if not since:
            return ()
        key = (bucket_of(seen.subject_id), seen.subject_id)
        went_as: dict[str, str] = {row[0]: row[1] for row in transaction.execute(_WENT_AS, key)}
        told: list[str] = []
        for one in since:
            kind = went_as.get(one.disclosure_id, "")
            against = sorted(now(one, kind) - then(one, kind), key=str)
            if against:
                self._exception(transaction, seen, one, happened, code, against)
                self._tell(transaction, seen, one.disclosure_id, one.recipient, _WHY.get(code, ENDED), None)
                told.append(f"told:{one.recipient}")
        return tuple(told)

    def _exception(
        self,
        transaction: Transaction,
        seen: Seen,
        one: Disclosure,
        happened: Instant,
        code: str,
        against: list[Against],
    ) -> None:
        reasons = tuple(dict.fromkeys(each.reason.value for each in against if each.reason is not None))
        late = self._entry(
            seen,
            transaction.at,
            "exception.late",
            exception="disclosed-before-known",
            fact=code,
            values=one.values,
            at=happened,
            known_at=transaction.at,
            disclosure=one.disclosure_id,
            reasons=reasons or None,
        )
        transaction.journal(late.with_elements(tuple(dict.fromkeys(each.element for each in against))))


_WHY = {"withdrawn": WITHDRAWN}
_WENT_AS = "SELECT disclosure_id, kind FROM disclosure WHERE bucket = ? AND subject_id = ?"
_GIVEN_SINCE = (
    "SELECT DISTINCT s.subject_id FROM subject s JOIN disclosure d ON d.bucket = s.bucket AND "
    "d.subject_id = s.subject_id WHERE s.policy = ? AND d.at > ? ORDER BY s.subject_id"
)
