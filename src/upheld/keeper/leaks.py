"""A leak is put on record from the first awareness on. Nothing of it has a table: the sealed ledger tells it.

What is written about it in words are papers; here stand codes, instants and digests. INVARIANT: I7.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from upheld.dates import Instant
from upheld.engine.acts import HandlerId
from upheld.engine.leaks import LeakCause, LeakStep
from upheld.engine.notices import OWED
from upheld.errors import InputRefused
from upheld.keeper.door import Door, When
from upheld.ledger.entries import entry


class Leaks(Door):
    """Leaks of personal data."""

    def leak_known(
        self,
        policy: str,
        cause: LeakCause,
        items: tuple[str, ...],
        since: Instant,
        until: Instant,
        *,
        place: str | None = None,
        suspected: bool = False,
        by: HandlerId | None = None,
        at: When = None,
    ) -> str:
        """Somebody became aware of a leak at `at`: from then the clocks run. Returns the case.

        `items` lay open from `since` until `until`; `place` is the processor or recipient where it happened. Raises
        InputRefused for items or a party that the policy does not have, or a span that is none.
        """
        plan, when = self.views.line(policy).latest, self._happened(at)
        unknown = sorted(set(items) - set(plan.items))
        if unknown or not items:
            raise InputRefused(
                "item-unknown", f"a leak is of items of `{policy}`; these are none: {', '.join(unknown)}"
            )
        parties = {row.party for row in plan.entrustments.values()} | {row.party for row in plan.provisions.values()}
        if place is not None and place not in parties:
            raise InputRefused("party-unknown", f"`{policy}` names no recipient or processor `{place}`")
        if not since < until <= self.now():
            raise InputRefused("in-the-future", "a leak lies open from one instant until a later one, not after now")
        case = self.new_id()
        self.places.active.submit(
            lambda transaction: transaction.journal(
                entry(
                    "breach.known",
                    when,
                    policy,
                    None,
                    (OWED["breach"].element,),
                    case=case,
                    cause=cause.value,
                    items=items,
                    from_at=since,
                    until=until,
                    known_at=transaction.at,
                    place=place,
                    suspected=suspected or None,
                    by=by,
                )
            )
        )
        return case

    def leak_moved(
        self,
        policy: str,
        case: str,
        step: LeakStep,
        *,
        record: bytes = b"",
        paper: str | None = None,
        counts: Mapping[str, int] | None = None,
        by: HandlerId | None = None,
        at: When = None,
    ) -> None:
        """A step was taken: `record` is what shows it (its digest is kept), `paper` what was written."""
        self.views.line(policy)
        when = self._happened(at)
        self.places.active.submit(
            lambda transaction: transaction.journal(
                entry(
                    "breach.moved",
                    when,
                    policy,
                    None,
                    (OWED["breach"].element,),
                    case=case,
                    step=step.value,
                    known_at=transaction.at,
                    paper=paper,
                    digest=hashlib.sha256(record).digest() if record else None,
                    counts=dict(counts) if counts else None,
                    by=by,
                )
            )
        )
