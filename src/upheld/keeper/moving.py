"""The sweep: what falls due is found and ordered, then moved to separate storage (`separating`) or destroyed
(`destroying`), in steps that survive a crash between any two statements.

Order and crash table follow `docs/stores.md`. INVARIANT: I2, I3, I4, I5, I7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial

from upheld.dates import FOREVER, Instant, Period, last_day_ended, local_date, start_of
from upheld.engine.acts import SubjectId, ValueId
from upheld.engine.decide import View
from upheld.engine.lifecycle import Step, StepKind, steps_coming
from upheld.engine.plan import Atom, Plan, Rule
from upheld.engine.state import HeldState
from upheld.keeper.approving import Approving, approval_for
from upheld.keeper.clearing import Clearing
from upheld.keeper.destroying import PROOFS_KEPT, Erasing
from upheld.keeper.door import GONE, Tier
from upheld.keeper.giving import Giving
from upheld.keeper.papers import Papers
from upheld.keeper.reviewing import Reviewing
from upheld.keeper.separating import Leaving
from upheld.keeper.sharing import CUT_SHORT
from upheld.keeper.steps import FORGET, OpenStep, Swept
from upheld.keeper.waking import Waking
from upheld.ledger.entries import Entry, entry
from upheld.store import subjects
from upheld.store.ids import BUCKETS, bucket_of, placed_value
from upheld.store.leases import LeaseHeld
from upheld.store.place import Transaction
from upheld.store.views import Seen

VERSION = "@version"
"""A watermark for a version of the policy whose first night the sweep has been through."""
SUBJECTS_AT_ONCE = 250


class Moving(Leaving, Erasing, Clearing, Approving, Waking, Reviewing, Giving, Papers):
    """Sweeping: who is looked at, what is ordered; pruning, and what is overdue."""

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
        if steps:
            self._flush()  # another process may have begun them a moment ago
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
        held = transaction.execute(_KEY_OF, placed_value(value.value_id)).fetchone()
        generation = held[1] + (1 if step.kind is StepKind.SEPARATE else 0)
        key_id = separated_keys.get(value.value_id) if tier is Tier.SEPARATED else held[0]
        state = HeldState.MOVING if step.kind is StepKind.SEPARATE else HeldState.CONDEMNED
        transaction.changed(_SET_STATE, (state, generation, *placed_value(value.value_id), value.held))
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

    def resume(self, swept: Swept | None = None) -> Swept:
        """Finish what a crash cut short. Nothing is done twice."""
        swept = swept or Swept()
        with self.sweeping():
            self.carry_out(self.open_steps(), swept)
        return swept

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


_DIRTY = "SELECT bucket, subject_id FROM dirty WHERE policy = ?"
_CLEAN = "DELETE FROM dirty WHERE bucket = ? AND subject_id = ?"
_WATERMARKS = "SELECT fact, calendar, period, day FROM watermark WHERE policy = ?"
_SET_WATERMARK = (
    "INSERT INTO watermark(policy, fact, calendar, period, day) VALUES(?, ?, ?, ?, ?) "
    "ON CONFLICT(policy, fact, calendar, period) DO UPDATE SET day = excluded.day"
)
_ANCHORED = "SELECT bucket, subject_id FROM anchor WHERE policy = ? AND fact = ? AND day > ? AND day <= ?"
_SEPARATED_OF = "SELECT value_id, key_id FROM value WHERE bucket = ? AND subject_id = ?"
_KEY_OF = "SELECT key_id, generation FROM value WHERE bucket = ? AND value_id = ?"
_SET_STATE = "UPDATE value SET state = ?, generation = ? WHERE bucket = ? AND value_id = ? AND state = ?"
