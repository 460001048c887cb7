"""What falls due is moved to separate storage or destroyed: steps that survive a crash between any two statements.

Order and crash table follow `docs/stores.md`: a copy exists before the original goes, a key dies before its bytes do,
and evidence is sealed before anything is destroyed. INVARIANT: I2, I3, I4, I5, I7.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any, cast

import msgspec

from upheld.dates import FOREVER, Instant, Period, end_of, last_day_ended, local_date, start_of
from upheld.engine.acts import SubjectId, ValueId
from upheld.engine.decide import View
from upheld.engine.lifecycle import DueState, Step, StepKind, steps_coming
from upheld.engine.plan import Atom, Plan, Rule
from upheld.engine.state import HeldState
from upheld.errors import StoreFailed
from upheld.keeper.approving import Approving, approval_for
from upheld.keeper.certifying import approver_of, certificate_of
from upheld.keeper.clearing import Clearing
from upheld.keeper.door import GONE, Tier, anchor_days
from upheld.keeper.elsewhere import Elsewhere, awaited
from upheld.keeper.giving import Giving
from upheld.keeper.papers import Papers
from upheld.keeper.reviewing import Reviewing
from upheld.keeper.sharing import CUT_SHORT, Sharing
from upheld.keeper.waking import Waking
from upheld.ledger.entries import Entry, entry
from upheld.store import history, subjects
from upheld.store.ids import BUCKETS, bucket_of
from upheld.store.leases import LeaseHeld
from upheld.store.place import Transaction
from upheld.store.subjects import packed_names, unpacked_names
from upheld.store.vault import KeyMissing, Sealed, TokenRow, bound, opened
from upheld.store.views import Seen

VERSION = "@version"
"""A watermark for a version of the policy whose first night the sweep has been through."""
SUBJECTS_AT_ONCE = 250
FORGET = "forget"
"""The step that a forgotten subject leaves until its alias is gone too. Its value id is 0: it has none."""
PROOFS_KEPT = Period(years=3)
"""Ours: how long consents and other proofs outlive what they prove."""


@dataclass(slots=True)
class Swept:
    """What one sweep did, in values and persons."""

    separated: int = 0
    destroyed: int = 0
    forgotten: int = 0
    recalled: int = 0
    papers: int = 0
    looked_at: int = 0
    unapproved: int = 0
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


class Moving(Sharing, Clearing, Approving, Waking, Elsewhere, Reviewing, Giving, Papers):
    """Sweeping, separating, destroying, forgetting, sealing, pruning."""

    # ── the sweep ───────────────────────────────────────────────────────────────────────────────────────────────────

    def sweep(self, *, confirm_clock: bool = False) -> Swept:
        """Carry out everything that is due now. Resumable; costs what falls due, not what is stored.

        Destruction stops and says so when the clock has jumped ahead of the last checkpoint; `confirm_clock` is the
        officer's word that the clock is right.
        """
        with self.sweeping(shared=self.places.leases.groups > 1):
            return self._sweep(Swept(), self.now(), confirm_clock)

    def _sweep(self, swept: Swept, now: Instant, confirm_clock: bool) -> Swept:
        if not confirm_clock and not self.clock_trusted(now):
            swept.waiting.append("the clock is far ahead of the last checkpoint; confirm that it is right")
            self._note_clock(now)
            return swept
        if self.views.plan_epoch < 0:
            self.views.refresh()
        if not self._prepared(swept, now):
            return swept
        for policy in tuple(self.views.lines):
            if self.places.leases.groups == 1:
                self._sweep_group(policy, swept, range(BUCKETS), now)
                self._move_watermarks(policy, now)
            elif self._pass_ended(policy, swept, now):
                self._pass_ended(policy, swept, now)
        if swept.unapproved:
            swept.waiting.append(f"{swept.unapproved} values wait for somebody to approve their destruction")
        if swept.separated or swept.destroyed or swept.forgotten:
            self._note_sweep(swept)
            self.seal()
        elif self._tail_waits(now):
            self.seal()
        return swept

    def _prepared(self, swept: Swept, now: Instant) -> bool:
        """What one sweeper does for all: what a rehearsal left, and papers. False: the sweep can't go on yet."""
        try:
            with self.places.leases.lease("sweep-first", wait=False):
                if self.rehearsals_left() and not self._clear("cut-short"):
                    swept.waiting.append("a reader keeps a file open: what a rehearsal left is not scrubbed yet")
                    return False
                if self.places.leases.groups == 1:
                    self.carry_out(self.open_steps(), swept)
                self._sweep_papers(swept, now)
        except LeaseHeld:
            return True  # another sweeper does it just now
        return True

    def _pass_ended(self, policy: str, swept: Swept, now: Instant) -> bool:
        """Take part in a pass. True when it has come to its end and had begun so long ago that it was cut short."""
        begun = self._shared(policy, now, partial(self._sweep_group, policy, swept))
        if begun is None:
            return False
        self._move_watermarks(policy, begun.at)
        self._end_pass(policy, begun)
        return now - begun.at > CUT_SHORT

    def _sweep_group(self, policy: str, swept: Swept, buckets: range, now: Instant) -> None:
        """Everything that is due of the persons of some buckets."""
        if len(buckets) < BUCKETS:
            left = [one for one in self.open_steps() if one.policy == policy]
            self.carry_out([one for one in left if bucket_of(one.subject_id) in buckets], swept)
        found = [one for one in self._candidates(policy, now) if one[0] in buckets]
        for start in range(0, len(found), SUBJECTS_AT_ONCE):
            self._work_on(policy, found[start : start + SUBJECTS_AT_ONCE], now, swept)

    def _sweep_papers(self, swept: Swept, now: Instant) -> None:
        """Before persons are looked at: whose last paper goes may be forgotten in the same sweep."""
        swept.papers, scrubbed = self._papers_due(now)
        if not scrubbed:
            swept.waiting.append("a reader keeps a file open: papers are unreadable, their bytes not scrubbed yet")

    def _note_clock(self, now: Instant) -> None:
        for policy in self.views.lines:
            self.places.active.submit(
                partial(_journal, (entry("clock.stopped", now, policy, None, (), reached=now, claimed=now),))
            )

    def _note_sweep(self, swept: Swept) -> None:
        policy = next(iter(self.views.lines))
        self.places.active.submit(
            lambda transaction: transaction.journal(
                entry(
                    "sweep.ran", transaction.at, policy, None, (), counts={k: v for k, v in swept.counts().items() if v}
                )
            )
        )

    def _atoms(self, policy: str) -> frozenset[Atom]:
        own: frozenset[Atom] = frozenset({(GONE, None, PROOFS_KEPT)})
        return own.union(*(plan.atoms for plan in self.views.line(policy).plans))

    def _candidates(self, policy: str, now: Instant) -> list[tuple[int, str]]:
        """Subjects with something new to look at: a fact came in, or a period counted from one of their
        days is over.
        """
        zone = self.views.line(policy).latest.zone
        with self.places.active.reading() as connection:
            found: set[tuple[int, str]] = set(connection.execute(_DIRTY, (policy,)))
            marks = {(f, c, p): day for f, c, p, day in connection.execute(_WATERMARKS, (policy,))}
            for fact, calendar, period in self._atoms(policy):
                cutoff = last_day_ended(now, calendar, period, zone)
                mark = marks.get((fact, calendar or "", str(period)), 0)
                if cutoff > mark:
                    found.update(connection.execute(_ANCHORED, (policy, fact, mark, cutoff)))
        for plan in self._first_nights(policy, now, marks):
            found |= self._woken(self.views.line(policy).before(plan), plan, now)
        return sorted(found)

    def _first_nights(self, policy: str, now: Instant, marks: Mapping[tuple[str, str, str], int]) -> tuple[Plan, ...]:
        """Later versions in force that no sweep has looked at yet: what they no longer declare ends as they begin."""
        later = self.views.line(policy).plans[1:]
        return tuple(one for one in later if one.effective_at <= now and (VERSION, "", one.version) not in marks)

    def _move_watermarks(self, policy: str, now: Instant) -> None:
        zone = self.views.line(policy).latest.zone
        with self.places.active.reading() as connection:
            marks = {(f, c, p): day for f, c, p, day in connection.execute(_WATERMARKS, (policy,))}
        rows: list[tuple[str, str, str, str, int]] = []
        for fact, calendar, period in self._atoms(policy):
            cutoff = last_day_ended(now, calendar, period, zone)
            if cutoff > marks.get((fact, calendar or "", str(period)), 0):
                rows.append((policy, fact, calendar or "", str(period), cutoff))
        for plan in self._first_nights(policy, now, marks):
            rows.append((policy, VERSION, "", plan.version, local_date(plan.effective_at, zone).toordinal()))
        if rows:
            with self.places.active.transaction() as transaction:
                transaction.executemany(_SET_WATERMARK, rows)

    def _work_on(self, policy: str, batch: Sequence[tuple[int, str]], now: Instant, swept: Swept) -> None:
        swept.looked_at += len(batch)
        separated_keys = self._separated_keys(batch)
        busy = frozenset(step.value_id for step in self.open_steps())
        with self._stepping([subject_id for _, subject_id in batch]) as transaction:
            transaction.executemany(_CLEAN, batch)
            opened_steps = [
                step
                for _, subject_id in batch
                for step in self._open_steps(transaction, SubjectId(subject_id), now, swept, separated_keys, busy)
            ]
        self.carry_out(opened_steps, swept)

    def carry_out(self, steps: Sequence[OpenStep], swept: Swept) -> None:
        """Take open steps forward from wherever they are."""
        actions: tuple[tuple[str, Callable[[list[OpenStep], Swept], None]], ...] = (
            (StepKind.SEPARATE.value, self._separate),
            (StepKind.DESTROY.value, self._destroy),
            (FORGET, self._drop_aliases),
        )
        for kind, action in actions:
            own = [step for step in steps if step.kind == kind]
            if own:
                action(own, swept)

    def _separated_keys(self, batch: Sequence[tuple[int, str]]) -> dict[ValueId, int | None]:
        found: dict[ValueId, int | None] = {}
        with self.places.separated.reading() as connection:
            for key in batch:
                found.update({ValueId(value): key_id for value, key_id in connection.execute(_SEPARATED_OF, key)})
        return found

    def _open_steps(
        self,
        transaction: Transaction,
        subject_id: SubjectId,
        now: Instant,
        swept: Swept,
        separated_keys: Mapping[ValueId, int | None],
        busy: frozenset[ValueId],
    ) -> Iterator[OpenStep]:
        """s1 and d1: recompute on facts known, mark the values, leave the step and its evidence."""
        row = subjects.load(transaction.connection, subject_id)
        if row is None:
            return
        at = max(now, row.last_at)
        seen = self.views.keep(row, self.views.era, at)
        self._note_ended(transaction, seen, at)
        self._reckon_papers(transaction, seen, at)
        swept.recalled += self.recall(seen, transaction, at)
        self._note_reviews(transaction, seen, at)
        coming = tuple(steps_coming(seen.view.life, at))
        ready = [step for step in coming if step.ready_at <= at]
        steps = [step for step in ready if not self._unapproved(transaction, seen, step)]
        if len(steps) < len(ready):
            swept.unapproved += len(ready) - len(steps)
        if len(steps) < len(coming):
            # Ended by a fact that is still settling; one of the organisation leaves no anchor to come back by.
            subjects.mark_dirty(transaction, subject_id, seen.policy)
        if steps:
            subjects.touch(transaction, subject_id, row.epoch, at)
        self.views.drop(subject_id)
        for step in steps:
            if step.value.value_id in busy:
                # A step before it waits, for a reader to let go of a file: this one comes with the next sweep.
                subjects.mark_dirty(transaction, subject_id, seen.policy)
                continue
            yield self._order(transaction, seen, step, at, separated_keys)
        if not steps and all(value.held is HeldState.DESTROYED for value in seen.state.values):
            if self._may_forget(seen, at) and not self._has_papers(transaction, subject_id):
                yield self._forget(transaction, seen, at)
            else:
                self._look_again(transaction, seen)

    def _unapproved(self, transaction: Transaction, seen: Seen, step: Step) -> bool:
        return step.kind is StepKind.DESTROY and self._waits_for_approval(transaction, seen.view.plan, step.due_at)

    def _order(
        self,
        transaction: Transaction,
        seen: Seen,
        step: Step,
        at: Instant,
        separated_keys: Mapping[ValueId, int | None],
    ) -> OpenStep:
        value = step.value
        tier = Tier.SEPARATED if value.held is HeldState.SEPARATED else Tier.ACTIVE
        held = transaction.execute(_KEY_OF, (value.value_id,)).fetchone()
        generation = held[1] + (1 if step.kind is StepKind.SEPARATE else 0)
        key_id = separated_keys.get(value.value_id) if tier is Tier.SEPARATED else held[0]
        state = HeldState.MOVING if step.kind is StepKind.SEPARATE else HeldState.CONDEMNED
        transaction.changed(_SET_STATE, (state, generation, value.value_id, value.held))
        grounds = tuple(dict.fromkeys(ground.rule.path for ground in step.grounds))
        stage = "moving" if step.kind is StepKind.SEPARATE else "ordered"
        open_step = OpenStep(
            seen.subject_id,
            value.value_id,
            step.kind.value,
            seen.policy,
            stage,
            generation,
            tier,
            key_id,
            value.item,
            step.due_at,
            max(step.due_at, _known(step)),
            at,
            None,
            grounds,
        )
        self._insert_step(transaction, open_step)
        if step.kind is StepKind.SEPARATE:
            fields = {"values": (value.value_id,), "generation": generation}
            transaction.journal(self._entry(seen, at, "separation.opened", _rules(step), **fields))
        else:
            asked = seen.view.plan.destruction.approval
            approval = approval_for(transaction.connection, seen.policy, step.due_at) if asked else None
            transaction.journal(
                self._entry(
                    seen,
                    at,
                    "destruction.ordered",
                    _rules(step),
                    values=(value.value_id,),
                    items=(value.item,),
                    due_at=step.due_at,
                    grounds=grounds,
                    tier=tier.value,
                    approval=approval[0] if approval else None,
                )
            )
        return open_step

    @staticmethod
    def _insert_step(transaction: Transaction, step: OpenStep) -> None:
        row = (
            bucket_of(step.subject_id),
            step.subject_id,
            step.value_id,
            step.kind,
            step.policy,
            step.stage,
            step.generation,
            step.tier,
            step.key_id,
            step.item,
            step.due_at,
            step.known_at,
            step.ordered_at,
            packed_names(step.grounds),
        )
        transaction.execute(_INSERT_STEP, row)

    def open_steps(self, kind: str | None = None) -> list[OpenStep]:
        """Steps that are under way or were cut short."""
        with self.places.active.reading() as connection:
            rows = connection.execute(_STEPS).fetchall()
        found = [_step_of(row) for row in rows]
        return [step for step in found if kind is None or step.kind == kind]

    def resume(self, swept: Swept | None = None) -> Swept:
        """Finish what a crash cut short. Nothing is done twice."""
        swept = swept or Swept()
        with self.sweeping():
            self.carry_out(self.open_steps(), swept)
        return swept

    # ── separate ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _separate(self, steps: list[OpenStep], swept: Swept) -> None:
        """s2 to s8. Between s1 and s6 nobody can read the value; some place can decrypt it all the time."""
        self._undo([step for step in steps if step.stage == "undoing"])
        moving = [step for step in steps if step.stage == "moving"]
        left = [step for step in steps if step.stage == "left"] + self._leave(self._stage_copies(moving, swept))
        if not left:
            return
        # Sealed before the old key dies: an older copy of the active place is noticed, however early it is.
        self.seal()
        self._hold(left)
        self._swap_keys(left)
        self.places.active.rebuild(len(left))
        clean = self.places.keys.scrub() and self.places.active.scrub()
        if not clean:
            swept.waiting.append("a reader keeps a file open: the old copies are unreadable but not scrubbed yet")
            return
        self._steps_over(left)
        swept.separated += len(left)

    def _steps_over(self, steps: Sequence[OpenStep]) -> None:
        with self._stepping(_people(steps)) as transaction:
            transaction.executemany(_DELETE_STEP, [(bucket_of(s.subject_id), s.subject_id, s.value_id) for s in steps])

    def _hold(self, steps: Sequence[OpenStep]) -> None:
        """s6: from now on the copy can be read by those with a duty for it."""
        with self.places.separated.transaction(_people(steps)) as transaction:
            held = [step for step in steps if transaction.execute(_HOLD_STAGED, (step.value_id,)).rowcount]
            self._note_values(transaction, "copy.held", held)

    def _note_values(self, transaction: Transaction, kind: str, steps: Sequence[OpenStep]) -> None:
        for (subject_id, policy), own in _by_subject_and_policy(steps):
            values = tuple(step.value_id for step in own)
            alias = self.views.alias(subject_id) or None
            transaction.journal(entry(kind, transaction.at, policy, alias, (), values=values))

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
        vault.ahead(Tier.SEPARATED, len(fresh))
        with self.places.separated.transaction(_people(steps)) as transaction:
            for step in fresh:
                transaction.execute(_DROP_STAGED, (step.value_id,))
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
            rows = [connection.execute(_SEALED, (step.value_id,)).fetchone() for step in steps]
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
            row = connection.execute(_SEPARATED_SEALED, (step.value_id,)).fetchone()
        if row is None:
            return None
        return self.places.vault.open(
            Tier.SEPARATED, step.policy, step.subject_id, step.value_id, step.item, Sealed(row[0], row[1])
        )

    def _leave(self, steps: Sequence[OpenStep]) -> list[OpenStep]:
        """s5, decisive: recompute on the facts known now; the ciphertext goes, or a revived ground undoes the move."""
        left: list[OpenStep] = []
        undone: list[OpenStep] = []
        with self._stepping(_people(steps)) as transaction:
            for subject_id, own in _by_subject(steps):
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
                    transaction.changed(_LEAVE, (step.value_id,))
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
            rows = [connection.execute(_SEPARATED_SEALED, (step.value_id,)).fetchone() for step in steps]
        with self.places.keys.transaction(_people(steps)) as transaction:
            transaction.executemany(_DELETE_SEPARATED_KEY, [(row[0],) for row in rows if row is not None])
        with self.places.separated.transaction(_people(steps)) as transaction:
            transaction.executemany(_DROP_STAGED, [(step.value_id,) for step in steps])
        with self._stepping(_people(steps)) as transaction:
            for subject_id, own in _by_subject(steps):
                epoch = subjects.epoch_of(transaction.connection, subject_id)
                if epoch is not None:
                    subjects.touch(transaction, subject_id, epoch, transaction.at)
                self.views.drop(subject_id)
                for step in own:
                    transaction.changed(_REVIVE, (step.generation - 1, step.value_id))
                    transaction.changed(_DELETE_STEP, (bucket_of(subject_id), subject_id, step.value_id))

    def _swap_keys(self, steps: Sequence[OpenStep]) -> None:
        """s7: the old key and its tokens go; look-ups in the separated tier get tokens of their own."""
        looked_up = [step for step in steps if self.looked_up(step.policy, step.item)]
        texts = {step.value_id: self._separated_content(step) for step in looked_up}
        vault = self.places.vault
        rows: list[TokenRow] = [
            (
                Tier.SEPARATED,
                step.policy,
                step.item,
                vault.token(Tier.SEPARATED, step.policy, step.item, text.decode()),
                step.value_id,
                bucket_of(step.subject_id),
                step.subject_id,
            )
            for step in looked_up
            if (text := texts[step.value_id]) is not None
        ]
        with self.places.keys.transaction(_people(steps)) as transaction:
            swapped = [s for s in steps if vault.destroy(transaction, Tier.ACTIVE, s.key_id, s.value_id)]
            vault.put_tokens(transaction, rows)
            self._note_values(transaction, "key.swapped", swapped)
        vault.forget(Tier.ACTIVE, [step.key_id for step in steps if step.key_id is not None])

    # ── destroy ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _destroy(self, steps: list[OpenStep], swept: Swept) -> None:
        """d2 to d8. The worst crash leaves bytes that nobody can read, never readable ones that should be gone."""
        self._condemn_separated([step for step in steps if step.tier is Tier.SEPARATED])
        self.seal()
        unreadable = self._destroy_keys(steps)
        self._remove(steps)
        self.places.active.rebuild(sum(step.tier is Tier.ACTIVE for step in steps))
        self.places.separated.rebuild(sum(step.tier is Tier.SEPARATED for step in steps))
        if not self._scrub_all(steps):
            swept.waiting.append("a reader keeps a file open: values are unreadable, their bytes not scrubbed yet")
            return
        scrubbed_at = self.now()
        left = [step for step in steps if self._still_there(step)]
        if left:
            raise StoreFailed(f"{len(left)} values are still there after their destruction; nothing was certified")
        self._certify(steps, unreadable, scrubbed_at)
        swept.destroyed += len(steps)

    def _condemn_separated(self, steps: Sequence[OpenStep]) -> None:
        if steps:
            with self.places.separated.transaction(_people(steps)) as transaction:
                transaction.executemany(_CONDEMN, [(step.value_id,) for step in steps])

    def _destroy_keys(self, steps: Sequence[OpenStep]) -> dict[ValueId, Instant]:
        """d3: from here nobody can read the values. Gives the instant of each, an earlier one after a crash."""
        vault = self.places.vault
        with self.places.keys.transaction(_people(steps)) as transaction:
            now = {step.value_id for step in steps if vault.destroy(transaction, step.tier, step.key_id, step.value_id)}
            before = self._destroyed_before([step for step in steps if step.value_id not in now])
            self._note_values(transaction, "key.destroyed", [step for step in steps if step.value_id not in before])
            at = transaction.at
        for tier in Tier:
            vault.forget(tier, [step.key_id for step in steps if step.tier is tier and step.key_id is not None])
        return {step.value_id: before.get(step.value_id, at) for step in steps}

    def _destroyed_before(self, steps: Sequence[OpenStep]) -> dict[ValueId, Instant]:
        """When keys that are gone already were destroyed, by the ledger: d2 has sealed what the key store recorded."""
        wanted = {step.value_id for step in steps}
        if not wanted:
            return {}
        found: dict[ValueId, Instant] = {}
        since = min(step.due_at for step in steps)
        for recorded in history.entries(self.places.sealer.connection, since, kinds=("key.destroyed",)):
            values = cast(tuple[int, ...], recorded.entry.fields["values"])
            found.update({ValueId(one): Instant(recorded.entry.at) for one in values if one in wanted})
        return found

    def _remove(self, steps: Sequence[OpenStep]) -> None:
        """d5: the ciphertext goes, a stub stays."""
        with self._stepping(_people(steps)) as transaction:
            transaction.executemany(_BLANK, [(step.value_id,) for step in steps])
        apart = [step for step in steps if step.tier is Tier.SEPARATED]
        if apart:
            with self.places.separated.transaction(_people(steps)) as transaction:
                gone = [step for step in apart if transaction.execute(_DELETE_SEPARATED, (step.value_id,)).rowcount]
                self._note_values(transaction, "copy.removed", gone)

    def _scrub_all(self, steps: Sequence[OpenStep]) -> bool:
        """d6. What was never on its way to the separated place has left nothing there."""
        been_apart = any(step.tier is Tier.SEPARATED or step.generation > 1 for step in steps)
        apart = (self.places.separated,) if been_apart else ()
        clean = [place.scrub() for place in (self.places.keys, self.places.active, *apart)]
        return all(clean)

    def _still_there(self, step: OpenStep) -> bool:
        """d7: key, tokens and ciphertext are gone."""
        if step.key_id is not None and self.places.vault.exists(step.tier, step.key_id):
            return True
        if self.places.vault.tokens_left(step.value_id):
            return True
        with self.places.active.reading() as connection:
            row = connection.execute(_SEALED, (step.value_id,)).fetchone()
        with self.places.separated.reading() as connection:
            apart = connection.execute(_SEPARATED_SEALED, (step.value_id,)).fetchone()
        return (row is not None and row[1] is not None) or apart is not None

    def _certify(self, steps: Sequence[OpenStep], unreadable: Mapping[ValueId, Instant], scrubbed_at: Instant) -> None:
        with self._stepping(_people(steps)) as transaction:
            for (subject_id, policy), own in _by_subject_and_policy(steps):
                alias = self.views.alias(subject_id)
                plan = self.views.line(policy).at(self.now()) or self.views.line(policy).latest
                unreadable_at = max(unreadable[step.value_id] for step in own)
                gone = tuple(step.value_id for step in own)
                elsewhere = self._places_of(transaction, subject_id, gone)
                elsewhere += self._copies_of(transaction, subject_id, policy, gone)
                waiting = [awaited(place) for place in elsewhere]
                when = (unreadable_at, scrubbed_at, transaction.at)
                approver = approver_of(transaction.connection, policy, own)
                certificate = certificate_of(
                    plan, self.new_id(), alias, own, *when, waiting, self.places.copies_kept, approver
                )
                due_at = min(step.due_at for step in own)
                self._order_work(
                    transaction, subject_id, policy, alias, gone, elsewhere, due_at, certificate.certificate_id
                )
                body = msgspec.json.encode(certificate)
                digest = hashlib.sha256(body).digest()
                transaction.executemany(_DESTROYED, [(step.value_id,) for step in own])
                key = (bucket_of(subject_id), subject_id)
                transaction.execute(
                    _INSERT_CERTIFICATE,
                    (*key, certificate.certificate_id, policy, transaction.at, transaction.at, body),
                )
                transaction.executemany(_DELETE_STEP, [(*key, step.value_id) for step in own])
                elements = (plan.destruction.at_expiry.path, *dict.fromkeys(g for step in own for g in step.grounds))
                values = tuple(step.value_id for step in own)
                transaction.journal(
                    entry(
                        "value.destroyed",
                        transaction.at,
                        policy,
                        alias or None,
                        elements,
                        values=values,
                        certificate=certificate.certificate_id,
                        due_at=min(step.due_at for step in own),
                        ordered_at=min(step.ordered_at for step in own),
                        items=tuple(dict.fromkeys(step.item for step in own)),
                        scrubbed_at=scrubbed_at,
                    ),
                    entry(
                        "certificate.issued",
                        transaction.at,
                        policy,
                        alias or None,
                        elements[:1],
                        certificate=certificate.certificate_id,
                        digest=digest,
                        state=certificate.state,
                    ),
                )
                self._note_gone(transaction, subject_id, policy, plan)

    @staticmethod
    def _note_gone(transaction: Transaction, subject_id: SubjectId, policy: str, plan: Plan) -> None:
        left = transaction.execute(_VALUES_LEFT, (bucket_of(subject_id), subject_id)).fetchone()[0]
        if not left:
            for day in anchor_days(transaction.at, plan):
                subjects.add_anchor(transaction, policy, GONE, day, subject_id)

    # ── forget ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _may_forget(self, seen: Seen, at: Instant) -> bool:
        """After the last value and the last proof nothing needs to tie entries to the person."""
        state = seen.state
        if any(seen.view.life.engagement_end(one).at > at for one in state.engagements):
            return False
        if any(one.waiting for one in state.requests):
            return False
        last = max([seen.last_at, state.entered_at])
        return bool(end_of(last, PROOFS_KEPT, seen.view.plan.zone) <= at)

    @staticmethod
    def _look_again(transaction: Transaction, seen: Seen) -> None:
        """Nothing is held, yet something is proved: the time for that counts from the last change."""
        for day in anchor_days(max(seen.last_at, seen.state.entered_at), seen.view.plan):
            subjects.add_anchor(transaction, seen.policy, GONE, day, seen.subject_id)

    def _forget(self, transaction: Transaction, seen: Seen, at: Instant) -> OpenStep:
        """Everything about the subject goes; the alias goes with the keys, so no entry can be tied to the person."""
        key = (bucket_of(seen.subject_id), seen.subject_id)
        transaction.journal(self._entry(seen, at, "subject.forgotten"))
        for statement in _DELETE_SUBJECT:
            transaction.execute(statement, key)
        self.views.drop(seen.subject_id)
        step = OpenStep(
            seen.subject_id, ValueId(0), FORGET, seen.policy, "gone", 0, Tier.ACTIVE, None, "", at, at, at, None, ()
        )
        self._insert_step(transaction, step)
        return step

    def _drop_aliases(self, steps: list[OpenStep], swept: Swept) -> None:
        """The link between person and entries is destroyed once its subject is gone; until then a step remembers it."""
        keys = [(bucket_of(step.subject_id), step.subject_id) for step in steps]
        with self.places.keys.transaction(_people(steps)) as transaction:
            transaction.executemany("DELETE FROM alias WHERE bucket = ? AND subject_id = ?", keys)
        for step in steps:
            self.views.forget(step.subject_id)
        if not (self.places.keys.scrub() and self.places.active.scrub()):
            swept.waiting.append("a reader keeps a file open: forgotten persons are gone, their bytes not scrubbed yet")
            return
        self._steps_over(steps)
        swept.forgotten += len(steps)

    # ── seal, prune, what is overdue ────────────────────────────────────────────────────────────────────────────────

    def prune(self, policy: str, *, kept_for: Period) -> int:
        """Destroy access records older than the policy and the law want them kept. Returns how many batches went."""
        plan = self.views.line(policy).latest
        now = self.now()
        cutoff = last_day_ended(now, None, kept_for, plan.zone)
        control = next((row for row in plan.controls.values() if "access-records-kept" in row.checks), None)
        rule = control.rule.path if control else plan.rule.path
        before = start_of(date.fromordinal(cutoff), plan.zone)
        self.seal()
        return self.places.sealer.prune(policy, rule, before, now).batches

    def overdue(self, policy: str, at: Instant | None = None) -> list[tuple[SubjectId, Step]]:
        """Values past their grace that are still there: what waits, for whom, since when. INVARIANT: I3."""
        now = at if at is not None else self.now()
        found: list[tuple[SubjectId, Step]] = []
        for _, subject in self._candidates(policy, now):
            with self.places.active.reading() as connection:
                row = subjects.load(connection, SubjectId(subject))
            if row is not None:
                view = View(self.views.line(policy), row.state, self.views.controller(policy), max(now, row.last_at))
                found += [(SubjectId(subject), step) for step in steps_coming(view.life, now) if step.overdue_at <= now]
        return found


def _journal(entries: tuple[Entry, ...], transaction: Transaction) -> None:
    transaction.journal(*entries)


def _rules(step: Step) -> tuple[Rule, ...]:
    return tuple({ground.rule.path: ground.rule for ground in step.grounds}.values())


def _known(step: Step) -> Instant:
    known = [ground.until.known_at for ground in step.grounds if ground.until.at < FOREVER]
    return max([*known, step.due_at])


def _step_of(row: tuple[Any, ...]) -> OpenStep:
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


def _people(steps: Iterable[OpenStep]) -> frozenset[SubjectId]:
    return frozenset(step.subject_id for step in steps)


def _by_subject(steps: Sequence[OpenStep]) -> Iterable[tuple[SubjectId, list[OpenStep]]]:
    found: dict[SubjectId, list[OpenStep]] = {}
    for step in steps:
        found.setdefault(step.subject_id, []).append(step)
    return found.items()


def _by_subject_and_policy(steps: Sequence[OpenStep]) -> Iterable[tuple[tuple[SubjectId, str], list[OpenStep]]]:
    found: dict[tuple[SubjectId, str], list[OpenStep]] = {}
    for step in steps:
        found.setdefault((step.subject_id, step.policy), []).append(step)
    return found.items()


_DIRTY = "SELECT bucket, subject_id FROM dirty WHERE policy = ?"
_CLEAN = "DELETE FROM dirty WHERE bucket = ? AND subject_id = ?"
_WATERMARKS = "SELECT fact, calendar, period, day FROM watermark WHERE policy = ?"
_SET_WATERMARK = (
    "INSERT INTO watermark(policy, fact, calendar, period, day) VALUES(?, ?, ?, ?, ?) "
    "ON CONFLICT(policy, fact, calendar, period) DO UPDATE SET day = excluded.day"
)
_ANCHORED = "SELECT bucket, subject_id FROM anchor WHERE policy = ? AND fact = ? AND day > ? AND day <= ?"
_SEPARATED_OF = "SELECT value_id, key_id FROM value WHERE bucket = ? AND subject_id = ?"
_KEY_OF = "SELECT key_id, generation FROM value WHERE value_id = ?"
_SET_STATE = "UPDATE value SET state = ?, generation = ? WHERE value_id = ? AND state = ?"
_INSERT_STEP = (
    "INSERT INTO step(bucket, subject_id, value_id, kind, policy, stage, generation, tier, key_id, item, "
    "due_at, known_at, ordered_at, "
    "grounds) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_STEPS = (
    "SELECT subject_id, value_id, kind, policy, stage, generation, tier, key_id, item, due_at, known_at, "
    "ordered_at, unreadable_at, grounds "
    "FROM step ORDER BY bucket, subject_id, value_id"
)
_HOLD_STAGED = "UPDATE value SET stage = 'held' WHERE value_id = ? AND stage = 'staged'"
_DROP_STAGED = "DELETE FROM value WHERE value_id = ? AND stage = 'staged'"
_STAGE = (
    "INSERT INTO value(value_id, bucket, subject_id, item, stage, generation, key_id, sealed, since, grounds) "
    "VALUES(?, ?, ?, ?, 'staged', ?, ?, ?, ?, ?)"
)
_SEALED = "SELECT key_id, sealed FROM value WHERE value_id = ?"
_SEPARATED_SEALED = "SELECT key_id, sealed FROM value WHERE value_id = ?"
_REVIVE = "UPDATE value SET state = 'held', generation = ? WHERE value_id = ? AND state = 'moving'"
_LEAVE = "UPDATE value SET state = 'separated', sealed = NULL, key_id = NULL WHERE value_id = ? AND state = 'moving'"
_STEP_UNDOING = "UPDATE step SET stage = 'undoing' WHERE bucket = ? AND subject_id = ? AND value_id = ?"
_STEP_LEFT = "UPDATE step SET stage = 'left' WHERE bucket = ? AND subject_id = ? AND value_id = ?"
_DELETE_STEP = "DELETE FROM step WHERE bucket = ? AND subject_id = ? AND value_id = ?"
_DELETE_SEPARATED_KEY = "DELETE FROM separated_key WHERE key_id = ?"
_CONDEMN = "UPDATE value SET stage = 'condemned' WHERE value_id = ?"
_BLANK = "UPDATE value SET sealed = NULL, key_id = NULL WHERE value_id = ?"
_DELETE_SEPARATED = "DELETE FROM value WHERE value_id = ?"
_DESTROYED = "UPDATE value SET state = 'destroyed' WHERE value_id = ? AND state = 'condemned'"
_INSERT_CERTIFICATE = (
    "INSERT INTO certificate(bucket, subject_id, certificate_id, policy, at, issued_at, body) "
    "VALUES(?, ?, ?, ?, ?, ?, ?)"
)
_VALUES_LEFT = "SELECT count(*) FROM value WHERE bucket = ? AND subject_id = ? AND state <> 'destroyed'"
_SUBJECT_TABLES = (
    "value",
    "fact",
    "delivery",
    "consent",
    "engagement",
    "request",
    "disclosure",
    "told",
    "certificate",
    "work_order",
    "value_place",
    "review",
    "acting",
    "message",
    "handover",
    "step",
    "dirty",
    "subject",
)
_DELETE_SUBJECT = tuple(
    f"DELETE FROM {table} WHERE bucket = ? AND subject_id = ?"  # noqa: S608 - tables are words of ours
    for table in _SUBJECT_TABLES
)
