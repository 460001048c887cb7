"""Destruction: keys die before the bytes that they open, evidence is sealed before either, a certificate comes last.

Order and crash table follow `docs/stores.md`. INVARIANT: I3, I4, I5, I7.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, cast

import msgspec

from upheld.dates import Instant, Period, end_of
from upheld.engine.acts import SubjectId, ValueId
from upheld.engine.lifecycle import StepKind
from upheld.engine.plan import Plan
from upheld.errors import StoreFailed
from upheld.keeper.anchors import forget_days
from upheld.keeper.approving import approvals_since, approver_among
from upheld.keeper.certifying import certificate_of
from upheld.keeper.door import GONE, Tier, anchor_days
from upheld.keeper.elsewhere import COPIES, PLACES_OF, WORK_WAITS, Elsewhere, awaited
from upheld.keeper.steps import (
    DELETE_STEP,
    FORGET,
    SEPARATED_SEALED,
    OpenStep,
    Stepping,
    Swept,
    by_subject,
    by_subject_and_policy,
    people,
)
from upheld.ledger.entries import entry
from upheld.store import history, subjects
from upheld.store.arrays import Each, answers_of_each, of_each
from upheld.store.engine import answers
from upheld.store.ids import bucket_of, placed_value
from upheld.store.leases import SCRUB
from upheld.store.place import Transaction
from upheld.store.views import Seen

CERTIFIED_AT_ONCE = 240
"""Persons of one transaction that certifies: as many as can be claimed one by one."""
PROOFS_KEPT = Period(years=3)
"""Ours: how long consents and other proofs outlive what they prove."""


class Erasing(Stepping, Elsewhere):
    """d2 to d8, and forgetting whoever is left with nothing."""

    def _destroy(self, steps: list[OpenStep], swept: Swept, seals: Callable[[], bool] = lambda: False) -> None:
        """d2 to d5. The worst crash leaves bytes that nobody can read, never readable ones that should be gone.

        `seals` does d2 in fewer messages, where it can.
        """
        self._condemn_separated([step for step in steps if step.tier is Tier.SEPARATED])
        if not seals():
            self.seal()
        self._remove(steps, self._destroy_keys(steps))

    def _condemn_separated(self, steps: Sequence[OpenStep]) -> None:
        if steps:
            with self.places.separated.transaction(people(steps)) as transaction:
                transaction.executemany(_CONDEMN, [placed_value(step.value_id) for step in steps])

    def _destroy_keys(self, steps: Sequence[OpenStep]) -> dict[ValueId, Instant]:
        """d3: from here nobody can read the values. Gives the instant of each, an earlier one after a crash."""
        vault, about = self.places.vault, people(steps)
        if len(about) == 1:
            done = self.places.keys.added(steps[0].subject_id, partial(self._destroy_all_there, steps))
            if done is not None:
                self._forget_keys(steps)
                return {step.value_id: done[0] for step in steps}
        with self.places.keys.transaction(people(steps), early=True) as transaction:
            gone = vault.destroy(transaction, [(step.tier, step.key_id, step.value_id) for step in steps])
            before = self._destroyed_before([step for step in steps if step.value_id not in gone])
            self._note_values(transaction, "key.destroyed", [step for step in steps if step.value_id not in before])
            at = transaction.at
        self._forget_keys(steps)
        return {step.value_id: before.get(step.value_id, at) for step in steps}

    def _destroy_all_there(self, steps: Sequence[OpenStep], transaction: Transaction) -> Instant:
        """d3 where nothing was destroyed before: then it is one message. Raises Overtaken where a value has no key."""
        self.places.vault.destroy_all(transaction, [(step.tier, step.key_id, step.value_id) for step in steps])
        self._note_values(transaction, "key.destroyed", steps)
        return transaction.at

    def _forget_keys(self, steps: Sequence[OpenStep]) -> None:
        for tier in Tier:
            own = [step.key_id for step in steps if step.tier is tier and step.key_id is not None]
            self.places.vault.forget(tier, own)

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

    def _remove(self, steps: Sequence[OpenStep], unreadable: Mapping[ValueId, Instant]) -> None:
        """d5: the ciphertext goes, a stub stays. The step remembers when the value became unreadable."""
        apart = [step for step in steps if step.tier is Tier.SEPARATED]
        if apart:
            with self.places.separated.transaction(people(steps)) as transaction:
                asked = [(step, transaction.execute(_DELETE_SEPARATED, placed_value(step.value_id))) for step in apart]
                self._note_values(transaction, "copy.removed", [step for step, rows in asked if rows.rowcount])
        with self._stepping(people(steps)) as transaction:
            self._blank(steps, unreadable, transaction)

    def _blank(
        self, steps: Sequence[OpenStep], unreadable: Mapping[ValueId, Instant], transaction: Transaction
    ) -> None:
        transaction.executemany(_BLANK, [placed_value(step.value_id) for step in steps])
        self._only_bytes_left(transaction, steps, unreadable)
        self._part_over(transaction)

    # ── the bytes, once for many ────────────────────────────────────────────────────────────────────────────────────

    def _finish(self, swept: Swept, policy: str | None = None) -> None:
        """d6 to d8, s8, and the end of forgetting, for every step of which only bytes are left, whoever took it there.

        Of one policy, or of all that are no rehearsal's. One sweeper at a time; the next has what came since.
        """
        if not swept.unfinished and not self._removed(policy):
            return
        with self.places.leases.lease(SCRUB):
            steps = self._removed(policy)
            swept.unfinished = 0
            if not steps:
                return  # whoever had the lease before saw to them
            if not self._scrubbed(steps):
                swept.waiting.append("a reader keeps a file open: values are unreadable, their bytes not scrubbed yet")
                return
            scrubbed_at = self.now()
            for some in _portions(steps):
                self._over(some, scrubbed_at, swept)

    def _write_anew(self, swept: Swept, *, early: bool = False) -> None:
        """Large tables of keys, once in a while for all that was destroyed in them: certificates count with it."""
        keys = self.places.keys
        if not keys.to_write_anew(early=early):
            return
        with self.places.leases.lease(SCRUB):
            tables = keys.to_write_anew(early=early)  # whoever had the lease before may have seen to them
            over = bool(tables) and not keys.write_anew(tables)
            if over or (early and keys.to_write_anew(early=True)):
                swept.waiting.append("a reader keeps a table of keys from being written anew: it holds destroyed keys")

    def _scrubbed(self, steps: Sequence[OpenStep]) -> bool:
        """d6. What was never on its way to the separated place has left nothing there."""
        destroyed = [step for step in steps if step.kind == StepKind.DESTROY]
        left = [step for step in steps if step.kind == StepKind.SEPARATE]
        self.places.active.rebuild(len(left) + sum(step.tier is Tier.ACTIVE for step in destroyed))
        self.places.separated.rebuild(sum(step.tier is Tier.SEPARATED for step in destroyed))
        tables = {f"{step.tier}_key" for step in (*destroyed, *left)} | ({"token"} if destroyed or left else set())
        forgotten = len(destroyed) + len(left) < len(steps)
        been_apart = any(step.tier is Tier.SEPARATED or step.generation > 1 for step in destroyed)
        clean = [
            self.places.keys.scrub(tables | ({"alias"} if forgotten else set())),
            self.places.active.scrub({"value"} | ({"paper"} if forgotten else set())),
            *([self.places.separated.scrub({"value"})] if been_apart else []),
        ]
        return all(clean)

    def _over(self, steps: Sequence[OpenStep], scrubbed_at: Instant, swept: Swept) -> None:
        """d7, d8: looked for once more, certified, and the step goes; not of those that somebody else has ended."""
        self.views.know_aliases(list(people(steps)))
        with self.places.active.transaction(people(steps), early=True) as transaction:
            at = [placed_value(step.value_id) for step in steps]
            asked: list[Each] = [(_STAGE_OF, [_key(step) for step in steps]), (_SEALED, at)]
            there = zip(steps, *answers_of_each(transaction.connection, asked), strict=True)
            known = [(step, held) for step, rows, held in there if (step.kind, step.stage) in rows]
            ours = [step for step, _ in known]
            destroyed = {step: held for step, held in known if step.kind == StepKind.DESTROY}
            left = self._still_there(destroyed)
            if left:
                raise StoreFailed(f"{left} values are still there after their destruction; nothing was certified")
            self._certify(transaction, list(destroyed), scrubbed_at)
            transaction.executemany(DELETE_STEP, [_key(step) for step in ours])
        counts = Counter(step.kind for step in ours)
        swept.destroyed += counts[StepKind.DESTROY]
        swept.separated += counts[StepKind.SEPARATE]
        swept.forgotten += counts[FORGET]

    def _still_there(self, held: Mapping[OpenStep, list[tuple[int | None, bytes | None]]]) -> int:
        """d7: how many have a key, a token or ciphertext left. `held`: what the active place still has of each."""
        if not held:
            return 0
        found = {step.value_id for step, rows in held.items() if rows and rows[0][1] is not None}
        with self.places.separated.reading() as connection:
            [apart] = answers_of_each(connection, [(SEPARATED_SEALED, [placed_value(step.value_id) for step in held])])
        found |= {step.value_id for step, rows in zip(held, apart, strict=True) if rows}
        found |= self.places.vault.left([(step.tier, step.key_id, step.value_id) for step in held])
        return len(found)

    def _certify(self, transaction: Transaction, steps: Sequence[OpenStep], scrubbed_at: Instant) -> None:
        """d8: one certificate for what went of one person together. All that they need is asked before the first."""
        groups = list(by_subject_and_policy(steps))
        persons = [(bucket_of(who), who) for (who, _), _ in groups]
        first = {policy: min(step.due_at for step in steps if step.policy == policy) for (_, policy), _ in groups}
        asked, told = of_each(transaction.connection, [(one, persons) for one in (PLACES_OF, COPIES)])
        found = answers(transaction.connection, [*asked, *(approvals_since(*one) for one in first.items())])
        approvals = dict(zip(first, found[len(asked) :], strict=True))
        elsewhere = zip(*told(found[: len(asked)]), strict=True)
        plans = {policy: self.views.line(policy).at(self.now()) or self.views.line(policy).latest for policy in first}
        copies_in = (self.places.copies_kept, self._lies_in_tables())
        bodies: list[tuple[Any, ...]] = []
        for ((_, policy), own), (places, copies) in zip(groups, elsewhere, strict=True):
            approver = approver_among(approvals[policy], max(step.due_at for step in own))
            held = self._held_elsewhere(policy, tuple(step.value_id for step in own), places, copies)
            bodies.append(self._attest(transaction, plans[policy], own, scrubbed_at, held, copies_in, approver))
        transaction.executemany(_DESTROYED, [placed_value(step.value_id) for step in steps])
        transaction.executemany(_INSERT_CERTIFICATE, bodies)
        [left] = answers_of_each(transaction.connection, [(_VALUES_LEFT, persons)])
        for ((subject_id, policy), _), rows in zip(groups, left, strict=True):
            for day in () if rows else anchor_days(transaction.at, plans[policy]):
                subjects.add_anchor(transaction, policy, GONE, day, subject_id)

    def _lies_in_tables(self) -> timedelta:
        """How long destroyed keys may lie in files from now on: not at all where every table of keys that had some was
        written anew when it was scrubbed. Asked after that: what somebody else leaves there later counts too.
        """
        within = self.places.rewritten_within
        return within if within and self.places.keys.to_write_anew(early=True) else timedelta()

    def _attest(
        self,
        transaction: Transaction,
        plan: Plan,
        own: Sequence[OpenStep],
        scrubbed_at: Instant,
        elsewhere: Sequence[str],
        copies: tuple[Period, timedelta],
        approver: str | None,
    ) -> tuple[Any, ...]:
        """The certificate for values of one person, as a row, its evidence, and the work orders that it waits for."""
        subject_id, policy = own[0].subject_id, own[0].policy
        alias, values = self.views.alias(subject_id), tuple(step.value_id for step in own)
        waiting = [awaited(place) for place in elsewhere]
        when = (max(step.unreadable_at or step.ordered_at for step in own), scrubbed_at, transaction.at)
        certificate = certificate_of(plan, self.new_id(), alias, own, *when, waiting, *copies, approver)
        number, due_at = certificate.certificate_id, min(step.due_at for step in own)
        self._order_work(transaction, subject_id, policy, alias, values, elsewhere, due_at, number)
        body = msgspec.json.encode(certificate)
        elements = (plan.destruction.at_expiry.path, *dict.fromkeys(g for step in own for g in step.grounds))
        transaction.journal(
            entry(
                "value.destroyed",
                transaction.at,
                policy,
                alias or None,
                elements,
                values=values,
                certificate=number,
                due_at=due_at,
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
                certificate=number,
                digest=hashlib.sha256(body).digest(),
                state=certificate.state,
            ),
        )
        return bucket_of(subject_id), subject_id, number, policy, transaction.at, transaction.at, body

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
    def _work_waits(transaction: Transaction, subject_id: SubjectId) -> bool:
        """Whether paper or a medium of theirs is still to be destroyed by hand: then something of them is held."""
        key = (bucket_of(subject_id), subject_id)
        return transaction.execute(WORK_WAITS, key).fetchone() is not None

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
        purposes = {use.purpose for value in seen.state.values for use in value.uses}
        transaction.executemany(_STANDS_NO_MORE, [(key[0], seen.policy, one, key[1]) for one in purposes])
        forget_days(transaction, seen, at)
        self.views.drop(seen.subject_id)
        return OpenStep(
            seen.subject_id, ValueId(0), FORGET, seen.policy, "gone", 0, Tier.ACTIVE, None, "", at, at, at, None, ()
        )

    def _drop_aliases(self, steps: list[OpenStep], swept: Swept) -> None:
        """The link between person and entries is destroyed once its subject is gone; until then a step remembers it."""
        keys = [(bucket_of(step.subject_id), step.subject_id) for step in steps]
        with self.places.keys.transaction(people(steps)) as transaction:
            transaction.executemany("DELETE FROM alias WHERE bucket = ? AND subject_id = ?", keys)
        for step in steps:
            self.views.forget(step.subject_id)
        with self._stepping(people(steps)) as transaction:
            self._only_bytes_left(transaction, steps)


def _key(step: OpenStep) -> tuple[int, SubjectId, ValueId]:
    return bucket_of(step.subject_id), step.subject_id, step.value_id


def _portions(steps: Sequence[OpenStep]) -> Iterator[list[OpenStep]]:
    """Steps in their order, no more than so many persons together, each with all of theirs."""
    some: list[OpenStep] = []
    for persons, (_, own) in enumerate(by_subject(steps), 1):
        some += own
        if persons % CERTIFIED_AT_ONCE == 0:
            yield some
            some = []
    if some:
        yield some


_SEALED = "SELECT key_id, sealed FROM value WHERE bucket = ? AND value_id = ?"
_STAGE_OF = "SELECT kind, stage FROM step WHERE bucket = ? AND subject_id = ? AND value_id = ?"
_CONDEMN = "UPDATE value SET stage = 'condemned' WHERE bucket = ? AND value_id = ?"
_BLANK = "UPDATE value SET sealed = NULL, key_id = NULL WHERE bucket = ? AND value_id = ?"
_DELETE_SEPARATED = "DELETE FROM value WHERE bucket = ? AND value_id = ?"
_DESTROYED = (
    "UPDATE value SET state = CASE state WHEN 'condemned' THEN 'destroyed' ELSE state END "
    "WHERE bucket = ? AND value_id = ?"
)
"""Asked for the condemned, a server takes them to be none among all rows, and goes through both lists in turn."""
_INSERT_CERTIFICATE = (
    "INSERT INTO certificate(bucket, subject_id, certificate_id, policy, at, issued_at, body) "
    "VALUES(?, ?, ?, ?, ?, ?, ?)"
)
_VALUES_LEFT = "SELECT state FROM value WHERE bucket = ? AND subject_id = ? AND state <> 'destroyed'"
_STANDS_NO_MORE = "DELETE FROM under_purpose WHERE bucket = ? AND policy = ? AND purpose = ? AND subject_id = ?"
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
