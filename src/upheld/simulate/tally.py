"""What a simulation counts while it runs: small numbers, whatever the number of people."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from upheld.engine.acts import Reason
from upheld.keeper import Outcome


@dataclass(frozen=True, slots=True)
class Stand:
    """What was there at the end of a month. `destroyed` counts from the beginning."""

    day: date
    held: int
    separated: int
    destroyed: int


@dataclass(slots=True)
class Tally:
    """Counters by name. Nothing in it is about one person."""

    persons: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    """Granted acts by verb."""
    refusals: Counter[tuple[str, Reason]] = field(default_factory=Counter)
    """Refused acts by verb and reason."""
    asked: Counter[str] = field(default_factory=Counter)
    answered: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By right and outcome."""
    late: Counter[str] = field(default_factory=Counter)
    evidence: Counter[str] = field(default_factory=Counter)
    """`in-time` and `late`."""
    separated: int = 0
    destroyed: int = 0
    forgotten: int = 0
    recalled: int = 0
    stands: list[Stand] = field(default_factory=list)

    def note(self, verb: str, outcome: Outcome) -> Outcome:
        """Count an answer of the keeper and hand it on."""
        if outcome.granted:
            self.acts[verb] += 1
        for reason in outcome.reasons:
            self.refusals[verb, reason] += 1
        return outcome
