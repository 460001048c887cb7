"""A case file in memory: head, cases, steps. All frozen; made by `upheld.cases.read` alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from upheld.dates import Instant
from upheld.policy.model import Policy

Said = str | tuple[str, ...] | Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a time line. `said` holds what stands behind the verb (under its own name) and its further keys."""

    verb: str
    at: Instant
    when: str
    """The date as the file writes it."""
    said: Mapping[str, Said]
    line: int
    column: int

    def word(self, key: str) -> str | None:
        """A single name, if it was given."""
        found = self.said.get(key)
        return found if isinstance(found, str) else None

    def words(self, key: str) -> tuple[str, ...]:
        """Names; none when the key was left out."""
        found = self.said.get(key, ())
        return (found,) if isinstance(found, str) else tuple(found)

    def table(self, key: str) -> Mapping[str, tuple[str, ...]]:
        """Names by name; empty when the key was left out or is no table."""
        found = self.said.get(key, {})
        return found if isinstance(found, Mapping) else {}

    def yes(self, key: str, otherwise: bool) -> bool:
        """A yes or no."""
        found = self.word(key)
        return otherwise if found is None else found == "yes"

    def day(self, key: str) -> date | None:
        """A date; the reader has seen that it is one."""
        found = self.word(key)
        return date.fromisoformat(found) if found else None


@dataclass(frozen=True, slots=True)
class Case:
    """One sentence to be shown, the clauses it shows, and the time line that shows it."""

    sentence: str
    clauses: tuple[str, ...]
    steps: tuple[Step, ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A whole file. `house` is the time line of the organisation that every case finds already done."""

    path: Path
    policy_path: Path
    policy: Policy
    staff: Mapping[str, str]
    looked_up: tuple[str, ...]
    house: tuple[Step, ...]
    cases: tuple[Case, ...]
