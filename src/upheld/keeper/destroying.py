"""Destruction: keys die before the bytes that they open, evidence is sealed before either, a certificate comes last.

Order and crash table follow `docs/stores.md`. INVARIANT: I3, I4, I5, I7.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import cast

import msgspec

from upheld.dates import Instant, Period, end_of
from upheld.engine.acts import SubjectId, ValueId
from upheld.engine.plan import Plan
from upheld.errors import StoreFailed
from upheld.keeper.certifying import approver_of, certificate_of
from upheld.keeper.door import GONE, Tier, anchor_days
from upheld.keeper.elsewhere import Elsewhere, awaited
from upheld.keeper.steps import (
    DELETE_STEP,
    FORGET,
    SEPARATED_SEALED,
    OpenStep,
    Stepping,
    Swept,
    by_subject_and_policy,
    people,
)
from upheld.ledger.entries import entry
from upheld.store import history, subjects
from upheld.store.ids import bucket_of, placed_value
from upheld.store.place import Transaction
from upheld.store.views import Seen

PROOFS_KEPT = Period(years=3)
"""Ours: how long consents and other proofs outlive what they prove."""


class Erasing(Stepping, Elsewhere):
    """d2 to d8, and forgetting whoever is left with nothing."""

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
            with self.places.separated.transaction(people(steps)) as transaction:
                transaction.executemany(_CONDEMN, [placed_value(step.value_id) for step in steps])

    def _destroy_keys(self, steps: Sequence[OpenStep]) -> dict[ValueId, Instant]:
        """d3: from here nobody can read the values. Gives the instant of each, an earlier one after a crash."""
        vault = self.places.vault
        with self.places.keys.transaction(people(steps)) as transaction:
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
        with self._stepping(people(steps)) as transaction:
            transaction.executemany(_BLANK, [placed_value(step.value_id) for step in steps])
        apart = [step for step in steps if step.tier is Tier.SEPARATED]
        if apart:
            with self.places.separated.transaction(people(steps)) as transaction:
                gone = [
                    step
                    for step in apart
                    if transaction.execute(_DELETE_SEPARATED, placed_value(step.value_id)).rowcount
                ]
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
            row = connection.execute(_SEALED, placed_value(step.value_id)).fetchone()
        with self.places.separated.reading() as connection:
            apart = connection.execute(SEPARATED_SEALED, placed_value(step.value_id)).fetchone()
        return (row is not None and row[1] is not None) or apart is not None

    def _certify(self, steps: Sequence[OpenStep], unreadable: Mapping[ValueId, Instant], scrubbed_at: Instant) -> None:
        with self._stepping(people(steps)) as transaction:
            for (subject_id, policy), own in by_subject_and_policy(steps):
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
                transaction.executemany(_DESTROYED, [placed_value(step.value_id) for step in own])
                key = (bucket_of(subject_id), subject_id)
                transaction.execute(
                    _INSERT_CERTIFICATE,
                    (*key, certificate.certificate_id, policy, transaction.at, transaction.at, body),
                )
                transaction.executemany(DELETE_STEP, [(*key, step.value_id) for step in own])
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
        with self.places.keys.transaction(people(steps)) as transaction:
            transaction.executemany("DELETE FROM alias WHERE bucket = ? AND subject_id = ?", keys)
        for step in steps:
            self.views.forget(step.subject_id)
        if not (self.places.keys.scrub() and self.places.active.scrub()):
            swept.waiting.append("a reader keeps a file open: forgotten persons are gone, their bytes not scrubbed yet")
            return
        self._steps_over(steps)
        swept.forgotten += len(steps)


_SEALED = "SELECT key_id, sealed FROM value WHERE bucket = ? AND value_id = ?"
_CONDEMN = "UPDATE value SET stage = 'condemned' WHERE bucket = ? AND value_id = ?"
_BLANK = "UPDATE value SET sealed = NULL, key_id = NULL WHERE bucket = ? AND value_id = ?"
_DELETE_SEPARATED = "DELETE FROM value WHERE bucket = ? AND value_id = ?"
_DESTROYED = "UPDATE value SET state = 'destroyed' WHERE bucket = ? AND value_id = ? AND state = 'condemned'"
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
