"""Steps of the lifecycle on their way: rows of the active place that survive a crash between any two statements.

A step remembers where a move is, from its first commit to its last. INVARIANT: I5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from upheld.dates import Instant
from upheld.engine.acts import SubjectId, ValueId
from upheld.keeper.clearing import is_rehearsal
from upheld.keeper.door import Tier
from upheld.keeper.sharing import Sharing
from upheld.ledger.entries import entry
from upheld.store.engine import answers
from upheld.store.ids import bucket_of
from upheld.store.place import Transaction
from upheld.store.subjects import packed_names, unpacked_names

FORGET = "forget"
"""The step that a forgotten subject leaves until its alias is gone too. Its value id is 0: it has none."""


@dataclass(slots=True)
class Swept:
    """What one sweep did, in values and persons."""

    separated: int = 0
    destroyed: int = 0
    forgotten: int = 0
    recalled: int = 0
    papers: int = 0
    papers_over: bool = False
    """The end of a paper came to light while its person was looked at."""
    looked_at: int = 0
    unapproved: int = 0
    unfinished: int = 0
    """Steps of which only bytes are left, since they were last scrubbed."""
    waiting: list[str] = field(default_factory=list)
    """What could not be finished, in words: a reader that kept a file open, a clock that jumped."""

    def counts(self) -> dict[str, int]:
        """The numbers by name."""
        return {
            "separated": self.separated, "destroyed": self.destroyed, "forgotten": self.forgotten,
            "recalled": self.recalled, "papers": self.papers, "looked-at": self.looked_at,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class OpenStep:
    """A step of the lifecycle on its way, as the active place has it."""

    subject_id: SubjectId
    value_id: ValueId
    kind: str
    policy: str
    stage: str
    generation: int
    tier: Tier
    key_id: int | None
    item: str
    due_at: Instant
    known_at: Instant
    ordered_at: Instant
    unreadable_at: Instant | None
    grounds: tuple[str, ...]


REMOVED = "removed"
"""The stage of a step of which only bytes are left: they are scrubbed once for many, then it is over."""


class Stepping(Sharing):
    """The rows of steps."""

    def open_steps(self, kind: str | None = None) -> list[OpenStep]:
        """Steps that are under way or were cut short."""
        with self.places.active.reading() as connection:
            rows = connection.execute(_STEPS).fetchall()
        found = [step_of(row) for row in rows]
        return [step for step in found if kind is None or step.kind == kind]

    def _steps_in(self, policy: str, buckets: Sequence[range]) -> tuple[list[OpenStep], frozenset[ValueId]]:
        """Steps of some buckets that were cut short, and the values of those of which only bytes are left."""
        spans = [(policy, span.start, span.stop) for span in buckets]
        with self.places.active.reading() as connection:
            found = answers(connection, [(one, span) for one in (_STEPS_IN, _REMOVED_IN) for span in spans])
        left = [step_of(row) for rows in found[: len(spans)] for row in rows]
        return left, frozenset(ValueId(value) for rows in found[len(spans) :] for (value,) in rows)

    @staticmethod
    def _insert_steps(transaction: Transaction, steps: Sequence[OpenStep]) -> None:
        rows = [
            (
                bucket_of(step.subject_id), step.subject_id, step.value_id, step.kind, step.policy, step.stage,
                step.generation, step.tier, step.key_id, step.item, step.due_at, step.known_at, step.ordered_at,
                packed_names(step.grounds),
            )
            for step in steps
        ]  # fmt: skip
        transaction.executemany(_INSERT_STEP, rows)

    def _removed(self, policy: str | None) -> list[OpenStep]:
        """Steps of which only bytes are left, of one policy or of all that are no rehearsal's."""
        with self.places.active.reading() as connection:
            found = [step_of(row) for row in connection.execute(_REMOVED).fetchall()]
        return [step for step in found if (not is_rehearsal(step.policy) if policy is None else step.policy == policy)]

    @staticmethod
    def _only_bytes_left(
        transaction: Transaction,
        steps: Sequence[OpenStep],
        unreadable: Mapping[ValueId, Instant] | None = None,
    ) -> None:
        """The last that a step does for itself; the rest is done once for many."""
        rows = [
            (
                unreadable[step.value_id] if unreadable else None,
                bucket_of(step.subject_id),
                step.subject_id,
                step.value_id,
            )
            for step in steps
        ]
        transaction.executemany(_TO_REMOVED, rows)

    def _note_values(self, transaction: Transaction, kind: str, steps: Sequence[OpenStep]) -> None:
        for (subject_id, policy), own in by_subject_and_policy(steps):
            values = tuple(step.value_id for step in own)
            alias = self.views.alias(subject_id) or None
            transaction.journal(entry(kind, transaction.at, policy, alias, (), values=values))


def step_of(row: tuple[Any, ...]) -> OpenStep:
    subject, value, kind, policy, stage, generation, tier, key, item, due, known, ordered, unreadable, grounds = row
    return OpenStep(
        SubjectId(subject),
        ValueId(value),
        kind,
        policy,
        stage,
        generation,
        Tier(tier),
        key,
        item,
        Instant(due),
        Instant(known),
        Instant(ordered),
        unreadable,
        unpacked_names(grounds),
    )


def people(steps: Iterable[OpenStep]) -> frozenset[SubjectId]:
    return frozenset(step.subject_id for step in steps)


def by_subject(steps: Sequence[OpenStep]) -> Iterable[tuple[SubjectId, list[OpenStep]]]:
    found: dict[SubjectId, list[OpenStep]] = {}
    for step in steps:
        found.setdefault(step.subject_id, []).append(step)
    return found.items()


def by_subject_and_policy(steps: Sequence[OpenStep]) -> Iterable[tuple[tuple[SubjectId, str], list[OpenStep]]]:
    found: dict[tuple[SubjectId, str], list[OpenStep]] = {}
    for step in steps:
        found.setdefault((step.subject_id, step.policy), []).append(step)
    return found.items()


_INSERT_STEP = (
    "INSERT INTO step(bucket, subject_id, value_id, kind, policy, stage, generation, tier, key_id, item, "
    "due_at, known_at, ordered_at, "
    "grounds) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_OF_STEP = (
    "SELECT subject_id, value_id, kind, policy, stage, generation, tier, key_id, item, due_at, known_at, "
    "ordered_at, unreadable_at, grounds FROM step"
)
_STEPS = f"{_OF_STEP} ORDER BY bucket, subject_id, value_id"
_STEPS_IN = (
    f"{_OF_STEP} WHERE policy = ? AND bucket >= ? AND bucket < ? AND stage <> '{REMOVED}' "
    "ORDER BY bucket, subject_id, value_id"
)
STEPS_OF = f"{_OF_STEP} WHERE bucket = ? AND subject_id = ? ORDER BY value_id"
_REMOVED_IN = f"SELECT value_id FROM step WHERE policy = ? AND bucket >= ? AND bucket < ? AND stage = '{REMOVED}'"  # noqa: S608 - a word of ours
_REMOVED = f"{_OF_STEP} WHERE stage = '{REMOVED}' ORDER BY bucket, subject_id, value_id"
_TO_REMOVED = (
    f"UPDATE step SET stage = '{REMOVED}', unreadable_at = ? WHERE bucket = ? AND subject_id = ? AND value_id = ?"  # noqa: S608 - a word of ours
)
BUCKETS_OF_STEPS = f"SELECT DISTINCT bucket FROM step WHERE policy = ? AND stage <> '{REMOVED}'"  # noqa: S608 - a word of ours
DELETE_STEP = "DELETE FROM step WHERE bucket = ? AND subject_id = ? AND value_id = ?"
SEPARATED_SEALED = "SELECT key_id, sealed FROM value WHERE bucket = ? AND value_id = ?"
