"""Values are taken, read, shown to their owner, corrected and looked up."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from upheld.dates import Instant, local_date
from upheld.engine.acts import (
    Collect,
    Decision,
    EngagementId,
    Read,
    Reader,
    ReadSeparated,
    Reason,
    RequestId,
    Show,
    SubjectId,
    ValueId,
    refused,
)
from upheld.engine.decide import reader_passes, state_reason
from upheld.engine.plan import Plan
from upheld.engine.state import HeldState, SubjectState, Use, Value
from upheld.errors import InputRefused, StoreFailed
from upheld.keeper.door import Door, Tier, When, replaced
from upheld.keeper.outcome import Outcome
from upheld.keeper.unasked import WithoutConsent, check_unasked
from upheld.ledger.entries import Entry, entry
from upheld.ledger.entries import Value as Recordable
from upheld.policy.vocabulary import Nature
from upheld.store import subjects
from upheld.store.ids import bucket_of, value_id
from upheld.store.place import Transaction
from upheld.store.vault import Sealed, bound
from upheld.store.views import Seen, Stale

MOST_BYTES = 1_000_000
_ID = re.compile(r"[a-z2-7]{20}\Z")


@dataclass(frozen=True, slots=True)
class Reading:
    """One of several reads that share a transaction."""

    subject_id: SubjectId
    act: Read


@dataclass(slots=True)
class _Released:
    """Rows that a committed access record covers, not yet decrypted."""

    seen: Seen
    decision: Decision
    rows: Sequence[tuple[int, int, bytes]]


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """The answer of a batch read: the texts of what was granted, the decision of what was not."""

    texts: Mapping[ValueId, str]
    refused: Mapping[ValueId, Decision]
    at: Instant


@dataclass(slots=True)
class _Chosen:
    """What a batch may see, and what not, before its record is written."""

    owners: dict[ValueId, Seen]
    refused: list[tuple[Seen, ValueId, Read, Decision]]
    elements: list[str]


class Data(Door):
    """Collecting, reading, showing, correcting."""

    # ── collect ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def collect(
        self,
        subject_id: SubjectId,
        purpose: str | None,
        texts: Mapping[str, str],
        *,
        engagement: EngagementId | None = None,
        channel: str | None = None,
        proofs: frozenset[str] = frozenset(),
        use: str | None = None,
        unasked: WithoutConsent | None = None,
    ) -> Outcome:
        """Take items for one purpose: all of them or none. Each value is sealed under a key of its own.

        `texts` maps item names to contents. `channel` is the way by which they came. `unasked` names the exception
        under which the person was not asked, with what must be on record for it. Passwords of our own are hashed
        one-way before anything is stored. Raises InputRefused for contents that cannot be stored.
        """
        _check_contents(texts)
        items = tuple(texts)
        hashed: dict[str, bytes] = {}
        kept: list[Callable[[], None]] = []

        def work(transaction: Transaction, seen: Seen, now: Instant) -> Outcome:
            kept.clear()
            declared = seen.view.plan.purposes.get(purpose or "")
            named = self._engagement(seen, engagement, declared.per if declared else frozenset())
            if unasked is not None:
                check_unasked(transaction, seen.policy, unasked, now)
            without = unasked.unasked() if unasked else None
            act = Collect(purpose, items, named, channel, use, None, proofs, (), without)
            decision = self._decide(act, seen, now)
            if not decision.granted or purpose is None:
                self._refusal(transaction, seen, act, decision)
                return Outcome(decision, now)
            made = self._store(transaction, seen, act, texts, now, hashed)
            kept.append(lambda: self._keep_tokens(seen, made, texts))
            transaction.journal(
                self._entry(
                    seen,
                    now,
                    "value.collected",
                    values=tuple(value.value_id for value in made),
                    items=items,
                    purpose=purpose,
                    engagement=named,
                    channel=channel or "generated",
                    capacity="organisation" if made[0].held_for else None,
                    **(unasked.fields() if unasked else {}),
                ).with_elements(decision.elements + _way_in(seen.view.plan, channel, purpose))
            )
            return Outcome(decision, now, {value.item: (value.value_id,) for value in made})

        outcome = self._attempt(subject_id, work)
        for action in kept:
            self.places.active.afterwards(action)
        return outcome

    def _store(
        self,
        transaction: Transaction,
        seen: Seen,
        act: Collect,
        texts: Mapping[str, str],
        now: Instant,
        hashed: dict[str, bytes],
    ) -> list[Value]:
        plan, state = seen.view.plan, seen.state
        purpose = plan.purposes[act.purpose or ""]
        one = state.engagements.get(act.engagement) if act.engagement else None
        held_for = (one.organisation or "organisation") if purpose.held_for_organisation and one else None
        day = local_date(now, plan.zone)
        exception = act.unasked.exception if act.unasked else None
        use = Use(purpose.name, act.engagement, now, plan.version, transaction.at, exception)
        made: list[Value] = []
        for item in act.items:
            new = value_id(seen.subject_id, day, self.places.random_bytes)
            made.append(Value(new, item, now, transaction.at, (use,), held_for=held_for))
        moved = replaced(state, values=(*state.values, *made))
        self._changed(transaction, seen, moved, now, ((f"collected/{purpose.name}", now),))
        for value in made:
            content = self._content(plan, value.item, texts[value.item], hashed)
            sealed = self.places.vault.seal(
                Tier.ACTIVE, seen.policy, seen.subject_id, value.value_id, value.item, content
            )
            subjects.add_value(transaction, seen.subject_id, value, sealed.key_id, sealed.blob)
        return made

    def _content(self, plan: Plan, item: str, text: str, hashed: dict[str, bytes]) -> bytes:
        if plan.items[item].nature is not Nature.PASSWORD:
            return text.encode()
        if item not in hashed:
            hashed[item] = self.hasher.hash(text).encode()
        return hashed[item]

    def _keep_tokens(self, seen: Seen, made: Sequence[Value], texts: Mapping[str, str]) -> None:
        vault = self.places.vault
        rows = [
            (
                Tier.ACTIVE,
                seen.policy,
                value.item,
                vault.token(Tier.ACTIVE, seen.policy, value.item, texts[value.item]),
                value.value_id,
                bucket_of(seen.subject_id),
                seen.subject_id,
            )
            for value in made
            if self.looked_up(seen.policy, value.item)
        ]
        if rows:
            vault.keep_tokens(rows)

    def reuse(
        self,
        subject_id: SubjectId,
        purpose: str,
        values: tuple[ValueId, ...],
        *,
        engagement: EngagementId | None = None,
        channel: str | None = None,
        unasked: WithoutConsent | None = None,
    ) -> Outcome:
        """Use values that are already held for one more purpose, which must be allowed to collect them."""

        def work(transaction: Transaction, seen: Seen, now: Instant) -> Outcome:
            held = [seen.view.values[one] for one in values if one in seen.view.values]
            declared = seen.view.plan.purposes.get(purpose)
            named = self._engagement(seen, engagement, declared.per if declared else frozenset())
            if unasked is not None:
                check_unasked(transaction, seen.policy, unasked, now)
            without = unasked.unasked() if unasked else None
            act = Collect(purpose, tuple(value.item for value in held), named, channel, reused=values, unasked=without)
            decision = self._decide(act, seen, now)
            if not decision.granted:
                self._refusal(transaction, seen, act, decision)
                return Outcome(decision, now)
            exception = without.exception if without else None
            use = Use(purpose, named, now, seen.view.plan.version, transaction.at, exception)
            fresh = {value.value_id: replace(value, uses=(*value.uses, use)) for value in held}
            state = replaced(seen.state, values=tuple(fresh.get(value.value_id, value) for value in seen.state.values))
            self._changed(transaction, seen, state, now, ((f"collected/{purpose}", now),))
            for value in fresh.values():
                subjects.set_uses(transaction, value.value_id, value.uses)
            transaction.journal(
                self._entry(
                    seen,
                    now,
                    "value.reused",
                    values=tuple(values),
                    purpose=purpose,
                    engagement=named,
                    items=act.items,
                    **(unasked.fields() if unasked else {}),
                ).with_elements(decision.elements)
            )
            return Outcome(decision, now, {value.item: (value.value_id,) for value in held})

        return self._attempt(subject_id, work)

    # ── read ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def read(
        self,
        subject_id: SubjectId,
        purpose: str | None,
        *,
        reader: Reader,
        items: tuple[str, ...] = (),
        values: tuple[ValueId, ...] = (),
        use: str | None = None,
        engagement: EngagementId | None = None,
    ) -> Outcome:
        """See values for one purpose. The access record is durable before anything is decrypted.

        Name `items` (every value of them that may be seen) or `values`. Refused values are left out; when none may be
        seen the outcome is a refusal with its reasons.
        """
        return self.read_many([Reading(subject_id, Read(purpose, reader, items, values, use, engagement))])[0]

    def read_many(self, readings: Sequence[Reading]) -> list[Outcome]:
        """Several reads under one transaction and one access record each; every value is decided by itself."""
        self._refuse_while_recovering()
        for _ in range(_ATTEMPTS):
            now = self.now()
            found = [self.views.get(one.subject_id, now) for one in readings]
            decided = [
                (seen, self._decide(one.act, seen, max(now, seen.last_at)))
                for one, seen in zip(readings, found, strict=True)
            ]
            try:
                released = self.places.active.submit(partial(self._recorded, readings, decided))
            except Stale:
                continue
            if any(len(one.rows) < len(one.decision.covers) for one in released):
                self._note_shortfall(released)
                for seen in found:
                    self.views.drop(seen.subject_id)
                continue
            return self._opened(released, now)
        raise StoreFailed("the subjects changed under every attempt; try again when fewer writers work on them")

    def read_batch(self, purpose: str, wanted: Sequence[tuple[SubjectId, ValueId]], *, reader: Reader) -> BatchOutcome:
        """See many values of many persons for one purpose: decided value by value, one record, one commit."""
        self._refuse_while_recovering()
        for _ in range(_ATTEMPTS):
            now = self.now()
            chosen = self._chosen(purpose, wanted, reader, now)
            try:
                rows = self.places.active.submit(partial(self._batch_rows, purpose, reader, chosen))
            except Stale:
                continue
            texts = self._batch_texts(chosen.owners, rows)
            if len(texts) == len(chosen.owners):
                return BatchOutcome(texts, {one: decision for _, one, _, decision in chosen.refused}, now)
            for seen in chosen.owners.values():
                self.views.drop(seen.subject_id)
        raise StoreFailed("the subjects changed under every attempt; try again when fewer writers work on them")

    def _chosen(
        self, purpose: str, wanted: Sequence[tuple[SubjectId, ValueId]], reader: Reader, now: Instant
    ) -> _Chosen:
        """Decide value by value. The loop is the hot path of a batch: two look-ups and two comparisons a value."""
        chosen = _Chosen({}, [], [])
        get, owners, elements = self.views.get, chosen.owners, set()
        may = reader_passes(reader, purpose, now)
        for subject_id, value in wanted:
            seen = get(subject_id, now)
            at = now if now > seen.last_at else seen.last_at
            passes = seen.view.passes.get(purpose) if may else None
            found = passes.get(value) if passes else None
            if found is not None and found.from_at <= at < found.until_at:
                owners[value] = seen
                elements.add(found.element)
                continue
            act = Read(purpose, reader, values=(value,))
            decision = self._decide(act, seen, at)
            if decision.granted:
                owners[value] = seen
                elements.add(decision.because[0].element)
            else:
                chosen.refused.append((seen, value, act, decision))
        chosen.elements = sorted(elements)
        return chosen

    def _batch_rows(
        self, purpose: str, reader: Reader, chosen: _Chosen, transaction: Transaction
    ) -> list[tuple[int, int, bytes]]:
        views, owners = self.views, chosen.owners
        for seen in owners.values():
            views.prove(transaction, seen)
        for seen, _, act, decision in chosen.refused:
            views.prove(transaction, seen)
            transaction.entries.append(_refused_entry(act, seen, decision, transaction.at))
        by_policy: dict[str, tuple[list[str], list[ValueId]]] = {}
        for value, seen in owners.items():
            aliases, values = by_policy.setdefault(seen.policy, ([], []))
            aliases.append(seen.alias)
            values.append(value)
        for policy, (aliases, values) in by_policy.items():
            elements = tuple(chosen.elements)
            transaction.entries.append(
                _granted_entry(
                    policy, elements, transaction.at, aliases, values, purpose, None, reader.kind, reader.reader_id
                )
            )
        return _rows_of(transaction, list(owners))

    def _batch_texts(
        self, owners: Mapping[ValueId, Seen], rows: Sequence[tuple[int, int, bytes]]
    ) -> dict[ValueId, str]:
        def binding_of(number: int, key_id: int) -> bytes:
            value = ValueId(number)
            seen = owners[value]
            return bound(Tier.ACTIVE, seen.policy, seen.subject_id, value, seen.view.values[value].item, key_id)

        return self.places.vault.open_rows(Tier.ACTIVE, rows, binding_of)

    def _refuse_while_recovering(self) -> None:
        if self._recovering:
            raise StoreFailed("recovering: this home is bringing an old copy up to date; run `upheld recover`")

    def _recorded(
        self, readings: Sequence[Reading], decided: Sequence[tuple[Seen, Decision]], transaction: Transaction
    ) -> list[_Released]:
        """r1: guards, records and rows in one transaction; nothing leaves before its commit. INVARIANT: I6."""
        for seen, _ in decided:
            self.views.prove(transaction, seen)
        wanted = [value for _, decision in decided for value in decision.covers]
        rows = _held_rows(transaction, wanted)
        transaction.entries += _access_entries(readings, decided, transaction.at)
        return [
            _Released(seen, decision, [rows[one] for one in decision.covers if one in rows])
            for seen, decision in decided
        ]

    def _opened(self, released: Sequence[_Released], now: Instant) -> list[Outcome]:
        owners = {row[0]: one.seen for one in released for row in one.rows}

        def binding_of(number: int, key_id: int) -> bytes:
            seen, value = owners[number], ValueId(number)
            return bound(Tier.ACTIVE, seen.policy, seen.subject_id, value, seen.view.values[value].item, key_id)

        every = self.places.vault.open_rows(Tier.ACTIVE, [row for one in released for row in one.rows], binding_of)
        outcomes: list[Outcome] = []
        for one in released:
            values = one.seen.view.values
            texts = {ValueId(row[0]): every[ValueId(row[0])] for row in one.rows if row[0] in every}
            if len(texts) < len(one.rows):
                self._note_shortfall([one])
            by_item: dict[str, tuple[ValueId, ...]] = {}
            for value in texts:
                item = values[value].item
                by_item[item] = (*by_item[item], value) if item in by_item else (value,)
            outcomes.append(Outcome(one.decision, now, by_item, texts))
        return outcomes

    def _note_shortfall(self, released: Sequence[_Released]) -> None:
        """A row or key was gone after the decision: recorded, never glossed over."""

        def work(transaction: Transaction) -> None:
            for one in released:
                if one.decision.covers:
                    transaction.journal(
                        self._entry(one.seen, transaction.at, "read.fell-short", values=one.decision.covers)
                    )

        self.places.active.submit(work)

    def read_separated(
        self, subject_id: SubjectId, ground: str, *, reader: Reader, values: tuple[ValueId, ...] = ()
    ) -> Outcome:
        """See values kept apart, for the use that a live ground of theirs names (an element path such as
        `statutes.tax`).
        """
        return self._read_tiers(subject_id, ReadSeparated(ground, reader, values), "separated")

    def show(
        self,
        subject_id: SubjectId,
        *,
        reader: Reader,
        right: str = "access",
        identity_proved: bool = False,
        request: RequestId | None = None,
        values: tuple[ValueId, ...] = (),
    ) -> Outcome:
        """Give a person everything held on them, from both tiers. Passwords and secrets are never shown."""
        return self._read_tiers(subject_id, Show(reader, right, identity_proved, values), right, request)

    def _read_tiers(
        self, subject_id: SubjectId, act: ReadSeparated | Show, right: str, request: RequestId | None = None
    ) -> Outcome:
        """Record in the active place, then open from whichever tier holds each value."""
        rows: dict[ValueId, tuple[int, int, bytes]] = {}

        def work(transaction: Transaction, seen: Seen, now: Instant) -> tuple[Seen, Outcome]:
            decision = self._decide(act, seen, now)
            if not decision.granted:
                self._refusal(transaction, seen, act, decision)
                return seen, Outcome(decision, now)
            self.views.prove(transaction, seen)
            rows.clear()
            rows.update(_held_rows(transaction, decision.covers))
            transaction.journal(
                self._entry(
                    seen, transaction.at, "values.shown", right=right, request=request, values=decision.covers
                ).with_elements(decision.elements)
            )
            return seen, Outcome(decision, now)

        seen, outcome = self._attempt(subject_id, work)
        if not outcome.granted:
            return outcome
        texts = {one: self._open_anywhere(seen, one, rows.get(one)) for one in outcome.decision.covers}
        return self._with_texts(seen, outcome, {one: text for one, text in texts.items() if text is not None})

    @staticmethod
    def _with_texts(seen: Seen, outcome: Outcome, texts: Mapping[ValueId, str]) -> Outcome:
        by_item: dict[str, tuple[ValueId, ...]] = {}
        for value in texts:
            item = seen.view.values[value].item
            by_item[item] = (*by_item.get(item, ()), value)
        return replace(outcome, values=by_item, texts=texts)

    def _open_anywhere(self, seen: Seen, value: ValueId, row: tuple[int, int, bytes] | None) -> str | None:
        item, tier = seen.view.values[value].item, Tier.ACTIVE
        if row is None:
            with self.places.separated.reading() as connection:
                row = connection.execute(_SEPARATED_ROW, (value,)).fetchone()
            tier = Tier.SEPARATED
        if row is None:
            return None
        sealed = Sealed(row[1], row[2])
        return self.places.vault.open(tier, seen.policy, seen.subject_id, value, item, sealed).decode()

    # ── correct ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def correct(
        self, subject_id: SubjectId, value: ValueId, text: str, *, request: RequestId | None = None, at: When = None
    ) -> Outcome:
        """A new value takes the place of a wrong one, with a key of its own; every recipient of the wrong one is told.

        Purpose and retention grounds pass over; the old value keeps only what a statute, claim or dispute holds.
        """
        kept: list[Callable[[], None]] = []

        def work(transaction: Transaction, seen: Seen, now: Instant) -> Outcome:
            old = seen.view.values.get(value)
            plan = seen.view.plan
            right = plan.rights.get("rectification")
            rule = right.rule if right else plan.builtin["rights"]
            if old is None or old.held is not HeldState.HELD or old.replaced_at is not None:
                self.views.prove(transaction, seen)
                reason = Reason.UNKNOWN if old is None else state_reason(old) or Reason.GROUND_ENDED
                return Outcome(refused(rule.cited(reason)), now)
            new = self._replacement(transaction, seen, old, text, now)
            kept[:] = [lambda: self._keep_tokens(seen, [new], {new.item: text})]
            transaction.journal(
                self._entry(
                    seen,
                    now,
                    "value.corrected",
                    (rule,),
                    old=old.value_id,
                    new=new.value_id,
                    item=old.item,
                    request=request,
                )
            )
            told = [one for one in seen.state.disclosures if old.value_id in one.values]
            for one in told:
                self._tell(transaction, seen, one.disclosure_id, one.recipient, "corrected", request)
            tells = tuple(dict.fromkeys(f"told:{one.recipient}" for one in told))
            return Outcome(Decision(True, (rule.cited(),)), now, {new.item: (new.value_id,)}, tells=tells)

        outcome = self._attempt(subject_id, work)
        for action in kept:
            self.places.active.afterwards(action)
        return outcome

    def _replacement(self, transaction: Transaction, seen: Seen, old: Value, text: str, now: Instant) -> Value:
        plan = seen.view.plan
        new_id = value_id(seen.subject_id, local_date(now, plan.zone), self.places.random_bytes)
        new = Value(new_id, old.item, now, transaction.at, old.uses, held_for=old.held_for)
        replaced_old = replace(old, replaced_at=now, replaced_known_at=transaction.at)
        values = tuple(replaced_old if one.value_id == old.value_id else one for one in seen.state.values)
        moved = self._changed(transaction, seen, replaced(seen.state, values=(*values, new)), now, ())
        sealed = self.places.vault.seal(
            Tier.ACTIVE, seen.policy, seen.subject_id, new_id, old.item, self._content(plan, old.item, text, {})
        )
        subjects.replace_value(transaction, old.value_id, now, transaction.at)
        subjects.add_value(transaction, seen.subject_id, new, sealed.key_id, sealed.blob)
        self._stirred(transaction, moved)
        return new

    # ── look up ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def lookup(
        self, policy: str, item: str, text: str, *, reader: Reader, reason: str, separated: bool = False
    ) -> tuple[SubjectId, ...]:
        """Subjects that hold exactly this text; every look is recorded with its reason (a code).

        Raises InputRefused for an item that is not looked up here.
        """
        line = self.views.line(policy)
        if not self.looked_up(policy, item):
            raise InputRefused(
                "item-not-looked-up", f"`{item}` has no look-up here; name it when the home is made (`look_up`)"
            )
        tier = Tier.SEPARATED if separated else Tier.ACTIVE
        found = self.places.vault.subjects_with(tier, policy, item, text)
        rule = line.latest.items[item].rule

        def work(transaction: Transaction) -> None:
            transaction.journal(
                entry(
                    "lookup.made",
                    transaction.at,
                    policy,
                    None,
                    (rule.path,),
                    item=item,
                    reader=reader.kind.value,
                    reader_id=_reader_id(reader),
                    reason=reason,
                    found=len(found),
                )
            )

        self.places.active.submit(work)
        return found

    def password_matches(self, subject_id: SubjectId, item: str, text: str) -> bool:
        """Whether a text is the person's own password; the stored hash never leaves. Takes a tenth of a second."""
        seen = self.views.get(subject_id, self.now())
        for value in reversed(seen.state.values):
            if value.item == item and value.held is HeldState.HELD and value.replaced_at is None:
                with self.places.active.reading() as connection:
                    row = connection.execute(_HELD_ROW, (value.value_id,)).fetchone()
                stored = self._open_anywhere(seen, value.value_id, row) if row else None
                return stored is not None and _verified(self.hasher, stored, text)
        return False


def _verified(hasher: PasswordHasher, stored: str, text: str) -> bool:
    try:
        return hasher.verify(stored, text)
    except VerifyMismatchError:
        return False


def _access_entries(readings: Sequence[Reading], decided: Sequence[tuple[Seen, Decision]], at: Instant) -> list[Entry]:
    """One record for all grants of one kind, with the alias of each value's owner; one for each refusal."""
    granted: dict[tuple[object, ...], tuple[list[str], list[ValueId]]] = {}
    entries: list[Entry] = []
    for reading, (seen, decision) in zip(readings, decided, strict=True):
        act = reading.act
        if decision.granted:
            key = (seen.policy, decision.elements, act.purpose, act.use, act.reader.kind, act.reader.reader_id)
            aliases, values = granted.setdefault(key, ([], []))
            aliases += [seen.alias] * len(decision.covers)
            values += decision.covers
        else:
            entries.append(_refused_entry(act, seen, decision, at))
    for (policy, elements, purpose, use, kind, reader_id), (aliases, values) in granted.items():
        entries.append(_granted_entry(str(policy), elements, at, aliases, values, purpose, use, kind, reader_id))
    return entries


def _granted_entry(
    policy: str,
    elements: object,
    at: Instant,
    aliases: list[str],
    values: list[ValueId],
    purpose: object,
    use: object,
    kind: object,
    reader_id: object,
) -> Entry:
    alone = len(set(aliases)) == 1
    fields: dict[str, Recordable] = {"purpose": str(purpose), "values": tuple(values), "reader": str(kind)}
    if use is not None:
        fields["use"] = str(use)
    if _ID.match(str(reader_id)):
        fields["reader_id"] = str(reader_id)
    who = (aliases[0] or None) if alone else tuple(aliases)
    return Entry("read.granted", at, policy, who, elements, fields)  # type: ignore[arg-type]  # a tuple of paths


def _refused_entry(act: Read, seen: Seen, decision: Decision, at: Instant) -> Entry:
    fields: dict[str, Recordable] = {
        "purpose": act.purpose if act.purpose in seen.view.plan.purposes else "unnamed",
        "reasons": tuple(reason.value for reason in decision.reasons),
        "values": tuple(one for one in act.values if one in seen.view.values),
        "reader": act.reader.kind.value,
    }
    if _ID.match(act.reader.reader_id):
        fields["reader_id"] = act.reader.reader_id
    return Entry("read.refused", at, seen.policy, seen.alias or None, decision.elements, fields)


def _reader_id(reader: Reader) -> str | None:
    return reader.reader_id if _ID.match(reader.reader_id) else None


def _held_rows(transaction: Transaction, wanted: Sequence[ValueId]) -> dict[ValueId, tuple[int, int, bytes]]:
    if len(wanted) == 1:
        row = transaction.execute(_HELD_ROW, wanted).fetchone()
        return {wanted[0]: row} if row else {}
    return {ValueId(row[0]): row for row in _rows_of(transaction, wanted)}


def _rows_of(transaction: Transaction, wanted: Sequence[ValueId]) -> list[tuple[int, int, bytes]]:
    rows: list[tuple[int, int, bytes]] = []
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        rows += transaction.execute(_held_rows_of(len(some)), some).fetchall()
    return rows


@cache
def _held_rows_of(count: int) -> str:
    return _HELD_ROWS.format(",".join("?" * count))


def _way_in(plan: Plan, channel: str | None, purpose: str) -> tuple[str, ...]:
    """The declared channel and the declared ways of collecting by which values came; the clause report asks."""
    named = plan.channels.get(channel or "")
    ways = [
        rule.path
        for rule, by, served in plan.collection.values()
        if (not by or channel in by) and (not served or purpose in served) and (by or served)
    ]
    return (*((named[0].path,) if named else ()), *ways)


def _check_contents(texts: Mapping[str, str]) -> None:
    if not texts:
        raise InputRefused("nothing-given", "name at least one item with its content")
    for item, text in texts.items():
        if len(text.encode()) > MOST_BYTES:
            raise InputRefused(
                "content-unusable", f"the content of `{item}` must be a text of at most {MOST_BYTES} bytes"
            )


def known_values(state: SubjectState, item: str) -> tuple[ValueId, ...]:
    """Values of an item that are still held in either tier."""
    live = (HeldState.HELD, HeldState.SEPARATED, HeldState.MOVING)
    return tuple(value.value_id for value in state.values if value.item == item and value.held in live)


_ATTEMPTS = 50
_HELD_ROW = "SELECT value_id, key_id, sealed FROM value WHERE value_id = ? AND state = 'held'"
_HELD_ROWS = "SELECT value_id, key_id, sealed FROM value WHERE value_id IN ({}) AND state = 'held'"
_SEPARATED_ROW = "SELECT value_id, key_id, sealed FROM value WHERE value_id = ? AND stage = 'held'"
