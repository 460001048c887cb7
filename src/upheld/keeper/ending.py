"""Facts as the ledger tells them, and engagements that end because what they need was taken back or is to go."""

from __future__ import annotations

import re

from upheld.dates import Instant
from upheld.engine.acts import EngagementId, FactId
from upheld.engine.plan import Plan
from upheld.engine.state import Fact
from upheld.keeper.door import replaced
from upheld.keeper.late import Late
from upheld.ledger.entries import Entry
from upheld.policy.ends import Point
from upheld.store import subjects
from upheld.store.place import Transaction
from upheld.store.views import Seen

_A_CODE = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")


class Ending(Late):
    """What a fact leaves on record; and the end of engagements that a person confirmed."""

    def _fact_entry(
        self,
        seen: Seen,
        at: Instant,
        fact: Fact,
        plan: Plan,
        source: str | None = None,
        delivery: bytes | None = None,
    ) -> Entry:
        rule = plan.facts[fact.code].rule if fact.code in plan.facts else plan.rule
        return self._entry(
            seen,
            fact.at,
            "fact.recorded",
            (rule,),
            fact=fact.code,
            engagement=fact.engagement,
            values=fact.values or None,
            known_at=at,
            id=fact.fact_id,
            named=fact.about,
            source=source if delivery is not None and _A_CODE.fullmatch(source or "") else None,
            key=delivery,
        )

    def _end_all(
        self, transaction: Transaction, seen: Seen, ends: list[tuple[EngagementId, str]], when: Instant, now: Instant
    ) -> Seen:
        for engagement_id, kind in ends:
            code = _ending(seen.view.plan, kind)
            fact = Fact(FactId(self.new_id()), code, when, transaction.at, engagement_id)
            state = replaced(seen.state, facts=(*seen.state.facts, fact))
            seen = self._changed(transaction, seen, state, now, ((code, when),))
            subjects.add_fact(transaction, seen.subject_id, fact)
            transaction.journal(self._fact_entry(seen, transaction.at, fact, seen.view.plan))
        return seen


def _ending(plan: Plan, kind: str) -> str:
    """The fact by which people leave such an engagement, where it is one of that engagement; else the plain `ended`."""
    ends = plan.engagements[kind].ends
    declared = plan.facts.get(ends.fact) if isinstance(ends, Point) and ends.calendar is None else None
    return declared.code if declared is not None and kind in declared.about else "ended"
