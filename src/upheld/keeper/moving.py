"""The sweep: what falls due is found and ordered, then moved to separate storage (`separating`) or destroyed
(`destroying`), in steps that survive a crash between any two statements.

Order and crash table follow `docs/stores.md`. INVARIANT: I2, I3, I4, I5, I7.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from functools import partial
from typing import Any, NamedTuple

from upheld.dates import FOREVER, Instant, Period, last_day_ended, local_date, start_of
from upheld.engine.acts import SubjectId, ValueId
from upheld.engine.decide import View
from upheld.engine.lifecycle import Step, StepKind, steps_coming
from upheld.engine.plan import Atom, Plan, Rule
from upheld.engine.state import HeldState, SubjectState
from upheld.keeper.approving import Approving, approval_for
from upheld.keeper.clearing import REHEARSALS, Clearing
from upheld.keeper.destroying import PROOFS_KEPT, Erasing
from upheld.keeper.door import GONE, Tier
from upheld.keeper.giving import OPEN_DISCLOSURES, Giving
from upheld.keeper.papers import Papers
from upheld.keeper.reviewing import NOTED, Reviewing
from upheld.keeper.separating import Leaving
from upheld.keeper.sharing import CUT_SHORT, PASS, Pass, name_of
from upheld.keeper.steps import BUCKETS_OF_STEPS, FORGET, REMOVED, OpenStep, Swept
from upheld.keeper.stirring import EVERYBODY, STIRS, Stirring, means_everybody, stir_everybody
from upheld.keeper.waking import Waking
from upheld.ledger.entries import entry
from upheld.store import papers, subjects
from upheld.store.arrays import change_each, of_each
from upheld.store.engine import answers
from upheld.store.ids import bucket_of, placed_value
from upheld.store.journal_keys import KeyMoved
from upheld.store.leases import LeaseHeld
from upheld.store.place import Transaction
from upheld.store.views import Seen

VERSION = "@version"
"""A watermark for a version of the policy whose first night the sweep has been through."""
SUBJECTS_AT_ONCE = 240
"""Persons of one transaction of a step; with the names of their groups as many as can be claimed one by one."""


UNFINISHED = 20_000
"""Steps that may wait for one scrubbing: what a sweep holds in memory does not follow what falls due."""


class _Due(NamedTuple):
    """What a sweep of one policy has to look at."""

    groups: Mapping[int, list[tuple[int, str]]]
    """Persons by group of buckets; none where only steps were cut short."""
    by_day: bool
    """Whether somebody is due because a day has gone by, not by a fact alone: by that a pass is told."""
    marks: Sequence[tuple[str, str, str, str, int]]
    """The watermarks that stand when all of them were looked at."""


_CLOCK_LEAPT = "the clock was far ahead of the last checkpoint; when it is right, run `upheld sweep --confirm-clock`"


class _Keys(NamedTuple):
    """Of the values of a batch of persons, what their steps need to know."""

    active: Mapping[ValueId, tuple[int | None, int]]
    """Key and generation of each in the active place."""
    separated: Mapping[ValueId, int | None]
    """The key of each that is kept apart."""
    busy: frozenset[ValueId]
    """Those that have a step already."""


class Moving(Leaving, Erasing, Clearing, Approving, Waking, Stirring, Reviewing, Giving, Papers):
    """Sweeping: who is looked at, what is ordered; pruning, and what is overdue."""

    # ── the sweep ───────────────────────────────────────────────────────────────────────────────────────────────────

    def sweep(self, *, confirm_clock: bool = False, everybody: bool = False, rewrite: bool = False) -> Swept:
        """Carry out everything that is due now. Resumable; costs what falls due, not what is stored.

        Destruction stops and says so when the clock has jumped ahead of the last checkpoint; `confirm_clock` is the
        officer's word that the clock is right. `everybody`: look at each person once, whatever is noted about whom to
        look at; for when the report finds something overdue that a sweep passes by. `rewrite`: large tables of keys
        that wait to be written anew are so now, however much of their time is left.
        """
        if everybody:
            self.views.refresh()
            for policy in self.views.lines:
                self.places.active.submit(partial(stir_everybody, policy=policy, word=self.new_id()))
        swept = Swept()
        with self.sweeping(shared=self.places.leases.groups > 1):
            for _ in (self.places.active, self.places.separated, self.places.keys):
                with suppress(KeyMoved):  # each may name another key for its journal meanwhile: it goes on from there
                    self._sweep(swept, self.now(), confirm_clock)
                    break
            else:
                self._sweep(swept, self.now(), confirm_clock)
            self._write_anew(swept, early=rewrite)
            return swept

    def _sweep(self, swept: Swept, now: Instant, confirm_clock: bool) -> Swept:
        if not confirm_clock and not self.clock_trusted(now):
            swept.waiting.append(_CLOCK_LEAPT)
            self._note_leap()
            return swept
        if confirm_clock:
            self._confirm_clock(now)
        if self.views.plan_epoch < 0:
            self.views.refresh()
        if not self._prepared(swept, now):
            return swept
        for policy in tuple(self.views.lines):
            if self._sweep_policy(policy, swept, now):
                self._sweep_policy(policy, swept, now)
        if swept.papers_over:  # INVARIANT: I7: else another sweep at the same instant would do more
            self._finish(swept)
            self._sweep_papers(swept, now)
            for policy in tuple(self.views.lines):
                self._sweep_policy(policy, swept, now)
        self._finish(swept)
        if swept.unapproved:
            swept.waiting.append(f"{swept.unapproved} values wait for somebody to approve their destruction")
        if swept.separated or swept.destroyed or swept.forgotten:
            self._note_sweep(swept)
            self.seal()
        elif self._tail_waits(now):
            self.seal()
        return swept

    def _prepared(self, swept: Swept, now: Instant) -> bool:
        """What one sweeper does for all: what a rehearsal left, whom to look at, papers. False: it can't go on yet."""
        with self.places.active.reading() as connection:
            first = [(REHEARSALS, ()), (STIRS, (EVERYBODY,)), *papers.whether_any(self.views.lines, now)]
            if not any(answers(connection, first)):
                return True
        try:
            with self.places.leases.lease("sweep-first", wait=False):
                if self.rehearsals_left() and not self._clear("cut-short"):
                    swept.waiting.append("a reader keeps a file open: what a rehearsal left is not scrubbed yet")
                    return False
                self._spread()
                self._sweep_papers(swept, now)
        except LeaseHeld:
            return True  # another sweeper does it just now
        return True

    def _sweep_policy(self, policy: str, swept: Swept, now: Instant) -> bool:
        """Everybody of whom something is due, as far as nobody else works on it. True: look once more, as of now."""
        shared = self.places.leases.groups > 1
        begun, due = self._looked(policy, now)
        if shared and begun is None and due.by_day:
            begun = self._joined(policy, now)
            if begun.at != now:
                begun, due = self._looked(policy, now)
        at = begun.at if begun is not None else now
        for groups in _portions(due.groups):
            work = partial(self._sweep_groups, policy, due, at, swept)
            if shared:
                self._share(policy, groups, begun, work)
            else:
                work(groups)
        if begun is not None and self._unfinished(policy, tuple(due.groups), begun):
            return False
        self._move_watermarks(due.marks)
        if begun is None:
            return False
        self._end_pass(policy, begun)
        return now - begun.at > CUT_SHORT

    def _sweep_groups(self, policy: str, due: _Due, at: Instant, swept: Swept, groups: tuple[int, ...]) -> None:
        """Everything that is due of the persons of some groups, after what a crash cut short there."""
        left, busy = self._steps_in(policy, self._buckets(groups))
        self._forward(left, swept)
        persons = [person for number in groups for person in due.groups[number]]
        for start in range(0, len(persons), SUBJECTS_AT_ONCE):
            self._work_on(policy, persons[start : start + SUBJECTS_AT_ONCE], at, swept, busy)
            if swept.unfinished > UNFINISHED:
                self._finish(swept)

    def _sweep_papers(self, swept: Swept, now: Instant) -> None:
        """Before persons are looked at: whose last paper goes may be forgotten in the same sweep."""
        destroyed, scrubbed = self._papers_due(now)
        swept.papers += destroyed
        if not scrubbed:
            swept.waiting.append("a reader keeps a file open: papers are unreadable, their bytes not scrubbed yet")

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
        _, due = self._looked(policy, now)
        return sorted(person for persons in due.groups.values() for person in persons)

    def _everybody(self, policy: str) -> list[tuple[int, str]]:
        with self.places.active.reading() as connection:
            return sorted(connection.execute(_EVERYBODY, (policy,)).fetchall())

    def _looked(self, policy: str, now: Instant) -> tuple[Pass | None, _Due]:
        """The pass that is under way, and what is due as of its instant; as of now where there is none."""
        zone = self.views.line(policy).latest.zone
        with self.places.active.reading() as connection:
            asked = [(PASS, name_of(policy)), (_DIRTY, policy), (_WATERMARKS, policy), (BUCKETS_OF_STEPS, policy)]
            under_way, stirred, known, cut_short = answers(connection, [(one, (of,)) for one, of in asked])
            if means_everybody(stirred):
                stirred = connection.execute(_EVERYBODY, (policy,)).fetchall()
            begun = Pass(*under_way[0]) if under_way else None
            at = begun.at if begun is not None else now
            marks = {(fact, calendar, period): day for fact, calendar, period, day in known}
            over = [
                ((fact, calendar or "", str(period)), day)
                for fact, calendar, period in self._atoms(policy)
                if (day := last_day_ended(at, calendar, period, zone))
                > marks.get((fact, calendar or "", str(period)), 0)
            ]
            questions = [(_ANCHORED, (policy, name[0], marks.get(name, 0), day)) for name, day in over]
            found = answers(connection, questions)
        by_day = {person for rows in found for person in rows}
        nights = self._first_nights(policy, at, marks)
        for plan in nights:
            by_day |= self._woken(self.views.line(policy).before(plan), plan, at)
        moved = [(policy, *name, int(day)) for name, day in over]
        moved += [(policy, VERSION, "", one.version, local_date(one.effective_at, zone).toordinal()) for one in nights]
        groups: dict[int, list[tuple[int, str]]] = {self._group_of(bucket): [] for (bucket,) in cut_short}
        for person in sorted({*stirred, *by_day}):
            groups.setdefault(self._group_of(person[0]), []).append(person)
        return begun, _Due(groups, bool(by_day), moved)

    def _first_nights(self, policy: str, now: Instant, marks: Mapping[tuple[str, str, str], int]) -> tuple[Plan, ...]:
        """Later versions in force that no sweep has looked at yet: what they no longer declare ends as they begin."""
        later = self.views.line(policy).plans[1:]
        return tuple(one for one in later if one.effective_at <= now and (VERSION, "", one.version) not in marks)

    def _move_watermarks(self, marks: Sequence[tuple[str, str, str, str, int]]) -> None:
        """Never back: somebody else may have moved them further."""
        if marks:
            with self.places.active.soon_durable() as transaction:
                transaction.executemany(_SET_WATERMARK, marks)

    def _work_on(
        self, policy: str, batch: Sequence[tuple[int, str]], now: Instant, swept: Swept, busy: Collection[ValueId] = ()
    ) -> None:
        """s1 and d1 for a batch of persons, and all steps after them but the last."""
        swept.looked_at += len(batch)
        people = [SubjectId(subject_id) for _, subject_id in batch]
        self.views.know_aliases(people)
        with self._stepping(people) as transaction:
            transaction.executemany(CLEAN, batch)
            also, told = of_each(transaction.connection, [(one, batch) for one in ASKED_OF])
            known, found = subjects.load_each_with(transaction.connection, people, also)
            transaction.epochs |= {str(row.state.subject_id): row.epoch for row in known if row is not None}
            held, filed, noted, given = told(found)
            keys = self._keys([row.state for row in known if row is not None], held, busy)
            opened_steps = [
                step
                for row, *asked in zip(known, filed, noted, given, strict=True)
                if row is not None
                for step in self._open_steps(transaction, self._known(row, now), now, swept, keys, *asked)
            ]
            self._begin_steps(transaction, opened_steps)
        self._forward(opened_steps, swept)
        swept.unfinished += len(opened_steps)

    def _keys(self, people: Sequence[SubjectState], held: Sequence[list[Any]], busy: Collection[ValueId]) -> _Keys:
        """`held`: what the place has answered of them to the first of `ASKED_OF`."""
        active = {ValueId(value): (key_id, generation) for rows in held for value, key_id, generation in rows}
        return _Keys(active, self._separated_keys(people), frozenset(busy))

    def _known(self, row: subjects.Row, now: Instant) -> Seen:
        return self.views.keep(row, self.views.era, max(now, row.last_at))

    def _begin_steps(self, transaction: Transaction, steps: Sequence[OpenStep]) -> None:
        """What was ordered is left as steps that whoever comes carries out, and as the state of its values."""
        change_each(transaction, _SET_STATE, [_moved(step) for step in steps if step.kind != FORGET])
        self._insert_steps(transaction, steps)

    def carry_out(self, steps: Sequence[OpenStep], swept: Swept) -> None:
        """Take open steps to their end from wherever they are."""
        self._forward(steps, swept)
        self._finish(swept)

    def _forward(self, steps: Sequence[OpenStep], swept: Swept, seals: Callable[[], bool] = lambda: False) -> None:
        """Take open steps on until only bytes are left, from wherever they are. `seals`: see `_destroy`."""
        if steps:
            self._flush()  # another process may have begun them a moment ago
        actions: tuple[tuple[str, Callable[[list[OpenStep], Swept], None]], ...] = (
            (StepKind.SEPARATE.value, self._separate),
            (StepKind.DESTROY.value, partial(self._destroy, seals=seals)),
            (FORGET, self._drop_aliases),
        )
        for kind, action in actions:
            own = [step for step in steps if step.kind == kind and step.stage != REMOVED]
            if own:
                action(own, swept)

    def _separated_keys(self, people: Sequence[SubjectState]) -> dict[ValueId, int | None]:
        apart = [one.subject_id for one in people if any(value.held is HeldState.SEPARATED for value in one.values)]
        if not apart:
            return {}
        with self.places.separated.reading() as connection:
            found = answers(connection, [(_SEPARATED_OF, (bucket_of(one), one)) for one in apart])
        return {ValueId(value): key_id for rows in found for value, key_id in rows}

    def _open_steps(
        self,
        transaction: Transaction,
        seen: Seen,
        now: Instant,
        swept: Swept,
        keys: _Keys,
        filed: list[Any],
        noted: list[Any],
        given: list[Any],
    ) -> Iterator[OpenStep]:
        """s1 and d1: recompute on facts known, mark the values, leave the step and its evidence. `seen` is proved."""
        subject_id = seen.subject_id
        at = max(now, seen.last_at)
        self._note_ended(transaction, seen, at)
        swept.papers_over |= self._reckon_papers(transaction, seen, at, filed)
        swept.recalled += self.recall(seen, transaction, at, given)
        self._note_reviews(transaction, seen, at, noted)
        coming = tuple(steps_coming(seen.view.life, at))
        ready = [step for step in coming if step.ready_at <= at]
        steps = [step for step in ready if not self._unapproved(transaction, seen, step)]
        if len(steps) < len(ready):
            swept.unapproved += len(ready) - len(steps)
        if len(steps) < len(coming):
            # Ended by a fact that is still settling; one of the organisation leaves no anchor to come back by.
            subjects.mark_dirty(transaction, subject_id, seen.policy)
        if steps:
            subjects.touch(transaction, subject_id, seen.epoch, at)
        self.views.drop(subject_id)
        for step in steps:
            if step.value.value_id in keys.busy:
                # A step before it waits, for a reader to let go of a file: this one comes with the next sweep.
                subjects.mark_dirty(transaction, subject_id, seen.policy)
                continue
            yield self._order(transaction, seen, step, at, keys)
        if not steps and all(value.held is HeldState.DESTROYED for value in seen.state.values):
            over = self._may_forget(seen, at) and not self._has_papers(transaction, subject_id)
            if over and not self._work_waits(transaction, subject_id):
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
        keys: _Keys,
    ) -> OpenStep:
        value = step.value
        tier = Tier.SEPARATED if value.held is HeldState.SEPARATED else Tier.ACTIVE
        key_id, generation = keys.active[value.value_id]
        generation += 1 if step.kind is StepKind.SEPARATE else 0
        key_id = keys.separated.get(value.value_id) if tier is Tier.SEPARATED else key_id
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

    def overdue(
        self, policy: str, at: Instant | None = None, *, everybody: bool = False
    ) -> list[tuple[SubjectId, Step]]:
        """Values past their grace that are still there: what waits, for whom, since when. INVARIANT: I3.

        `everybody`: by no list of whom to look at, which somebody may have changed; costs what is stored.
        """
        now = at if at is not None else self.now()
        found: list[tuple[SubjectId, Step]] = []
        for _, subject in self._everybody(policy) if everybody else self._candidates(policy, now):
            with self.places.active.reading() as connection:
                row = subjects.load(connection, SubjectId(subject))
            if row is not None:
                view = View(self.views.line(policy), row.state, self.views.controller(policy), max(now, row.last_at))
                found += [(SubjectId(subject), step) for step in steps_coming(view.life, now) if step.overdue_at <= now]
        return found


def _portions(groups: Mapping[int, Sequence[object]]) -> Iterator[tuple[int, ...]]:
    """Groups that together have about as many persons as one batch, or one group with more."""
    some: list[int] = []
    persons = 0
    for number in sorted(groups):
        if some and persons + len(groups[number]) > SUBJECTS_AT_ONCE:
            yield tuple(some)
            some, persons = [], 0
        some.append(number)
        persons += len(groups[number])
    if some:
        yield tuple(some)


def _rules(step: Step) -> tuple[Rule, ...]:
    return tuple({ground.rule.path: ground.rule for ground in step.grounds}.values())


def _moved(step: OpenStep) -> tuple[Any, ...]:
    """What becomes of the value of a step that was just ordered: one in the active place was held until now."""
    state = HeldState.MOVING if step.kind == StepKind.SEPARATE else HeldState.CONDEMNED
    before = HeldState.HELD if step.tier is Tier.ACTIVE else HeldState.SEPARATED
    return state, step.generation, *placed_value(step.value_id), before


def _known(step: Step) -> Instant:
    known = [ground.until.known_at for ground in step.grounds if ground.until.at < FOREVER]
    return max([*known, step.due_at])


_EVERYBODY = "SELECT bucket, subject_id FROM subject WHERE policy = ?"
_DIRTY = "SELECT bucket, subject_id FROM dirty WHERE policy = ?"
CLEAN = "DELETE FROM dirty WHERE bucket = ? AND subject_id = ?"
_WATERMARKS = "SELECT fact, calendar, period, day FROM watermark WHERE policy = ?"
_SET_WATERMARK = (
    "INSERT INTO watermark(policy, fact, calendar, period, day) VALUES(?, ?, ?, ?, ?) "
    "ON CONFLICT(policy, fact, calendar, period) DO UPDATE SET day = max(watermark.day, excluded.day)"
)
_ANCHORED = "SELECT bucket, subject_id FROM anchor WHERE policy = ? AND fact = ? AND day > ? AND day <= ?"
_SEPARATED_OF = "SELECT value_id, key_id FROM value WHERE bucket = ? AND subject_id = ?"
_KEYS_OF = (
    "SELECT value_id, key_id, generation FROM value WHERE bucket = ? AND subject_id = ? "
    "AND state IN ('held', 'separated')"
)
ASKED_OF = (_KEYS_OF, papers.OF_OWNER, NOTED, OPEN_DISCLOSURES)
"""What a sweep asks of each person besides, in one message for all."""
_SET_STATE = "UPDATE value SET state = ?, generation = ? WHERE bucket = ? AND value_id = ? AND state = ?"
