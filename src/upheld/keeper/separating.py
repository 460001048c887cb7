"""Separation: a value whose purpose is over and that something still keeps moves to a place of its own.

Order and crash table follow `docs/stores.md`: a copy exists before the original goes, and evidence is sealed before the
old key dies. INVARIANT: I2, I5, I7.
"""

from __future__ import annotations

from collections.abc import Sequence

from upheld.engine.acts import ValueId
from upheld.engine.lifecycle import DueState
from upheld.errors import StoreFailed
from upheld.keeper.door import Tier
from upheld.keeper.steps import DELETE_STEP, SEPARATED_SEALED, OpenStep, Stepping, Swept, by_subject, people
from upheld.store import subjects
from upheld.store.ids import bucket_of, placed_key, placed_value
from upheld.store.subjects import packed_names
from upheld.store.vault import DELETE_KEY, KeyMissing, Sealed, bound, opened


class Leaving(Stepping):
    """s2 to s7; the bytes that are left are scrubbed once for many."""

    def _separate(self, steps: list[OpenStep], swept: Swept) -> None:
        """s2 to s7. Between s1 and s6 nobody can read the value; some place can decrypt it all the time."""
        self._undo([step for step in steps if step.stage == "undoing"])
        moving = [step for step in steps if step.stage == "moving"]
        left = [step for step in steps if step.stage == "left"] + self._leave(self._stage_copies(moving, swept))
        if not left:
            return
        # Sealed before the old key dies: an older copy of the active place is noticed, however early it is.
        self.seal()
        self._hold(left)
        self._swap_keys(left)
        with self._stepping(people(left)) as transaction:
            self._only_bytes_left(transaction, left)

    def _hold(self, steps: Sequence[OpenStep]) -> None:
        """s6: from now on the copy can be read by those with a duty for it."""
        with self.places.separated.transaction(people(steps)) as transaction:
            held = [step for step in steps if transaction.execute(_HOLD_STAGED, placed_value(step.value_id)).rowcount]
            self._note_values(transaction, "copy.held", held)

    def _stage_copies(self, steps: Sequence[OpenStep], swept: Swept) -> list[OpenStep]:
        """s2 to s4: a copy under a new key in the separated place, read back and compared before anything is left.

        A copy that a crash left is used again: one made anew would leave its key behind, and with the key an old
        backup could be read when the value has long been destroyed.
        """
        if not steps:
            return []
        vault = self.places.vault
        contents = self._active_contents(steps)
        if len(contents) < len(steps):
            swept.waiting.append(f"{len(steps) - len(contents)} values cannot be kept apart: their keys are missing")
        ready = [step for step in steps if step.value_id in contents]
        fresh = [step for step in ready if self._staged_content(step) is None]
        vault.ahead(Tier.SEPARATED, len(fresh), [bucket_of(step.subject_id) for step in fresh])
        with self.places.separated.transaction(people(steps)) as transaction:
            for step in fresh:
                transaction.execute(_DROP_STAGED, placed_value(step.value_id))
                sealed = vault.seal(
                    Tier.SEPARATED, step.policy, step.subject_id, step.value_id, step.item, contents[step.value_id]
                )
                row = (step.value_id, bucket_of(step.subject_id), step.subject_id, step.item, step.generation)
                transaction.execute(_STAGE, (*row, sealed.key_id, sealed.blob, step.due_at, packed_names(step.grounds)))
        if any(self._separated_content(step) != contents[step.value_id] for step in ready):
            raise StoreFailed("a copy in the separated place does not read back as it was written; nothing was left")
        return ready

    def _active_contents(self, steps: Sequence[OpenStep]) -> dict[ValueId, bytes]:
        """What the values hold; one whose key is missing is left out, and must not keep the others from moving on."""
        with self.places.active.reading() as connection:
            rows = [connection.execute(_SEALED, placed_value(step.value_id)).fetchone() for step in steps]
        held = [(step, row) for step, row in zip(steps, rows, strict=True) if row is not None and row[1] is not None]
        ciphers = self.places.vault.ciphers(Tier.ACTIVE, [row[0] for _, row in held])
        found: dict[ValueId, bytes] = {}
        for step, (key_id, blob) in held:
            if key_id in ciphers:
                binding = bound(Tier.ACTIVE, step.policy, step.subject_id, step.value_id, step.item, key_id)
                found[step.value_id] = opened(ciphers[key_id], blob, binding)
        return found

    def _staged_content(self, step: OpenStep) -> bytes | None:
        try:
            return self._separated_content(step)
        except KeyMissing:
            return None

    def _separated_content(self, step: OpenStep) -> bytes | None:
        with self.places.separated.reading() as connection:
            row = connection.execute(SEPARATED_SEALED, placed_value(step.value_id)).fetchone()
        if row is None:
            return None
        return self.places.vault.open(
            Tier.SEPARATED, step.policy, step.subject_id, step.value_id, step.item, Sealed(row[0], row[1])
        )

    def _leave(self, steps: Sequence[OpenStep]) -> list[OpenStep]:
        """s5, decisive: recompute on the facts known now; the ciphertext goes, or a revived ground undoes the move."""
        left: list[OpenStep] = []
        undone: list[OpenStep] = []
        with self._stepping(people(steps)) as transaction:
            for subject_id, own in by_subject(steps):
                row = subjects.load(transaction.connection, subject_id)
                if row is None:
                    continue
                at = max(self.now(), row.last_at)
                seen = self.views.keep(row, self.views.era, at)
                subjects.touch(transaction, subject_id, row.epoch, at)
                self.views.drop(subject_id)
                for step in own:
                    due = seen.view.life.due(seen.view.values[step.value_id], at)
                    if due.state is DueState.ACTIVE:
                        transaction.changed(_STEP_UNDOING, (bucket_of(subject_id), subject_id, step.value_id))
                        undone.append(step)
                        continue
                    transaction.changed(_LEAVE, placed_value(step.value_id))
                    transaction.changed(_STEP_LEFT, (bucket_of(subject_id), subject_id, step.value_id))
                    transaction.journal(
                        self._entry(
                            seen,
                            at,
                            "value.separated",
                            tuple(g.rule for g in due.grounds),
                            values=(step.value_id,),
                            grounds=step.grounds,
                            generation=step.generation,
                            items=(step.item,),
                            due_at=step.due_at,
                        )
                    )
                    left.append(step)
        self._undo(undone)
        return left

    def _undo(self, steps: Sequence[OpenStep]) -> None:
        """Undo s3, s2, s1 in that order, key before copy: what is left at a crash opens to nobody."""
        if not steps:
            return
        with self.places.separated.reading() as connection:
            rows = [connection.execute(SEPARATED_SEALED, placed_value(step.value_id)).fetchone() for step in steps]
        with self.places.keys.transaction(people(steps)) as transaction:
            transaction.executemany(_DELETE_SEPARATED_KEY, [placed_key(row[0]) for row in rows if row is not None])
        with self.places.separated.transaction(people(steps)) as transaction:
            transaction.executemany(_DROP_STAGED, [placed_value(step.value_id) for step in steps])
        with self._stepping(people(steps)) as transaction:
            for subject_id, own in by_subject(steps):
                epoch = subjects.epoch_of(transaction.connection, subject_id)
                if epoch is not None:
                    subjects.touch(transaction, subject_id, epoch, transaction.at)
                self.views.drop(subject_id)
                for step in own:
                    transaction.changed(_REVIVE, (step.generation - 1, *placed_value(step.value_id)))
                    transaction.changed(DELETE_STEP, (bucket_of(subject_id), subject_id, step.value_id))

    def _swap_keys(self, steps: Sequence[OpenStep]) -> None:
        """s7: the old key and its tokens go; look-ups in the separated tier get tokens of their own."""
        looked_up = [step for step in steps if self.looked_up(step.policy, step.item)]
        texts = {step.value_id: self._separated_content(step) for step in looked_up}
        vault = self.places.vault
        with self.places.keys.transaction(people(steps)) as transaction:
            roots = vault.roots[Tier.SEPARATED].found(transaction.connection)
            rows = [
                row
                for one in looked_up
                if (text := texts[one.value_id]) is not None
                for row in roots.rows(one.policy, one.item, text.decode(), one.value_id, one.subject_id)
            ]
            gone = vault.destroy(transaction, [(Tier.ACTIVE, step.key_id, step.value_id) for step in steps])
            vault.put_tokens(transaction, rows)
            self._note_values(transaction, "key.swapped", [step for step in steps if step.value_id in gone])
        vault.forget(Tier.ACTIVE, [step.key_id for step in steps if step.key_id is not None])


_HOLD_STAGED = "UPDATE value SET stage = 'held' WHERE bucket = ? AND value_id = ? AND stage = 'staged'"
_DROP_STAGED = "DELETE FROM value WHERE bucket = ? AND value_id = ? AND stage = 'staged'"
_STAGE = (
    "INSERT INTO value(value_id, bucket, subject_id, item, stage, generation, key_id, sealed, since, grounds) "
    "VALUES(?, ?, ?, ?, 'staged', ?, ?, ?, ?, ?)"
)
_SEALED = "SELECT key_id, sealed FROM value WHERE bucket = ? AND value_id = ?"
_REVIVE = "UPDATE value SET state = 'held', generation = ? WHERE bucket = ? AND value_id = ? AND state = 'moving'"
_LEAVE = (
    "UPDATE value SET state = 'separated', sealed = NULL, key_id = NULL "
    "WHERE bucket = ? AND value_id = ? AND state = 'moving'"
)
_STEP_UNDOING = "UPDATE step SET stage = 'undoing' WHERE bucket = ? AND subject_id = ? AND value_id = ?"
_STEP_LEFT = "UPDATE step SET stage = 'left' WHERE bucket = ? AND subject_id = ? AND value_id = ?"
_DELETE_SEPARATED_KEY = DELETE_KEY[Tier.SEPARATED]
