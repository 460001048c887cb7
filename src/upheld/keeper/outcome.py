"""What a verb answers: granted or refused, why, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from upheld.dates import Instant
from upheld.engine.acts import Cited, Decision, Reason, ValueId


class Outcome(msgspec.Struct, frozen=True):
    """The answer of one verb. A refusal is an answer like any other and was recorded as carefully.

    `values` maps items to the ids of values made or covered; `texts` value ids to their content, for verbs that show
    it; `made` is the id of what the verb made (a consent, an engagement, a request, a disclosure).
    """

    decision: Decision
    at: Instant
    values: Mapping[str, tuple[ValueId, ...]] = msgspec.field(default_factory=dict)
    texts: Mapping[ValueId, str] = msgspec.field(default_factory=dict)
    made: str | None = None
    tells: tuple[str, ...] = ()
    """What the verb brings about besides, in codes: `ends:engagement`, `kept:statutes.tax`, `told:mhows`."""
    disputed: tuple[ValueId, ...] = ()
    """Of the values shown or given, those that stand still until somebody's wish about them is settled."""
    repeated: bool = False
    """The same fact was delivered before: nothing was done again."""

    @property
    def granted(self) -> bool:
        """Whether it was done."""
        return self.decision.granted

    @property
    def because(self) -> tuple[Cited, ...]:
        """What decided, each with its clauses."""
        return self.decision.because

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why it was refused; empty when granted."""
        return self.decision.reasons

    @property
    def clauses(self) -> tuple[str, ...]:
        """The clauses cited."""
        return self.decision.clauses

    def text(self, item: str) -> str:
        """The newest text shown for an item. Raises KeyError when none was."""
        return self.texts[self.values[item][-1]]
