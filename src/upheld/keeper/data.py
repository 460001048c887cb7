"""Values are taken, corrected and looked up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import cast

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from msgspec.structs import replace

from upheld.dates import BEGINNING, Instant, local_date
from upheld.engine.acts import (
    Collect,
    Decision,
    EngagementId,
    Reader,
    Reason,
    RequestId,
    SubjectId,
    ValueId,
)
from upheld.engine.collecting import held_for, taken_before
from upheld.engine.decide import state_reason
from upheld.engine.plan import Plan, PurposePlan
from upheld.engine.state import HeldState, SubjectState, Use, Value
from upheld.errors import InputRefused, StoreFailed
from upheld.keeper.door import Tier, When, leave, replaced
from upheld.keeper.outcome import Outcome
from upheld.keeper.seeing import Seeing
from upheld.keeper.unasked import WithoutConsent, check_unasked
from upheld.ledger.entries import Entry, Form, entry
from upheld.ledger.entries import Value as Recordable
from upheld.policy.vocabulary import Nature
from upheld.store import subjects
from upheld.store.ids import bucket_of, placed_value, value_id
from upheld.store.place import Transaction
from upheld.store.token_roots import TokenRow
from upheld.store.views import Seen

MOST_BYTES = 1_000_000
_ID = re.compile(r"[a-z2-7]{20}\Z")


@dataclass(slots=True)
class _Asked:
    """What somebody wants to be taken."""

    purpose: str | None
    texts: Mapping[str, str]
    items: tuple[str, ...]
    engagement: EngagementId | None
    channel: str | None
    proofs: frozenset[str]
    use: str | None
    unasked: WithoutConsent | None
    hashed: dict[str, bytes] = field(default_factory=dict)
    """Passwords by their items: hashing takes a while, and is not done again."""
    tokens: list[TokenRow] = field(default_factory=list)
    """What its values are looked up by, once they were made."""


class Data(Seeing):
    """Collecting, correcting, looking up."""

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
        asked = _Asked(purpose, texts, tuple(texts), engagement, channel, proofs, use, unasked)
        outcome = self._attempt(subject_id, partial(self._collect, asked), early=True, adds=unasked is None)
        if asked.tokens:
            self.places.active.later(self._keep_tokens, asked.tokens)
        return outcome

    def _keep_tokens(self, rows: list[TokenRow]) -> None:
        """The values are durable, so that they can't be looked up yet for want of room is no reason to say that nothing
        was done: the tokens are owed.
        """
        try:
            self.owed_tokens.pay()
            self.places.vault.keep_tokens(rows)
        except StoreFailed:
            self.places.vault.owed.extend(rows)

    def _collect(self, asked: _Asked, transaction: Transaction, seen: Seen, now: Instant) -> Outcome:
        view, purpose, items, engagement = seen.view, asked.purpose, asked.items, asked.engagement
        asked.tokens = []
        declared = view.plan.purposes.get(purpose or "")
        if engagement is None and declared is not None and declared.per:
            engagement = self._engagement(seen, None, declared.per)
        if asked.unasked is None:
            taking = taken_before(view, purpose, asked.use, items, asked.channel, engagement, now)
            if taking is not None:
                made = self._store(transaction, seen, taking.purpose, engagement, asked, now)
                capacity = "organisation" if made[0].held_for else None
                form = _form_of(seen.policy, taking.elements, items, purpose, asked.channel, capacity)
                values = tuple([value.value_id for value in made])
                transaction.journal(form.filled(now, seen.alias or None, values, engagement))
                return Outcome(taking.granted, now, {value.item: (value.value_id,) for value in made})
        else:
            check_unasked(transaction, seen.policy, asked.unasked, now)
        without = asked.unasked.unasked() if asked.unasked else None
        act = Collect(purpose, items, engagement, asked.channel, asked.use, None, asked.proofs, (), without)
        decision = self._decide(act, seen, now)
        if not decision.granted or declared is None:
            self._refusal(transaction, seen, act, decision)
            return Outcome(decision, now)
        made = self._store(transaction, seen, declared, engagement, asked, now)
        transaction.journal(
            entry(
                "value.collected",
                now,
                seen.policy,
                seen.alias or None,
                decision.elements + view.plan.way_in(asked.channel, declared.name),
                values=tuple([value.value_id for value in made]),
                items=items,
                purpose=purpose,
                engagement=engagement,
                channel=asked.channel or "generated",
                capacity="organisation" if made[0].held_for else None,
                **(asked.unasked.fields() if asked.unasked else {}),
            )
        )
        return Outcome(decision, now, {value.item: (value.value_id,) for value in made})

    def _store(
        self,
        transaction: Transaction,
        seen: Seen,
        purpose: PurposePlan,
        engagement: EngagementId | None,
        asked: _Asked,
        now: Instant,
    ) -> list[Value]:
        """The values, each under a key of its own, and the person that they are of; what they are looked up by."""
        plan, state, subject_id = seen.view.plan, seen.view.state, seen.subject_id
        vault, policy, at, left, made = (
            self.places.vault,
            seen.policy,
            transaction.at,
            seen.left,
            cast("list[Value]", []),
        )
        # Before anybody is kept out: hashing takes a while, and so does it to make further keys.
        contents = [self._content(plan, item, asked.texts[item], asked.hashed) for item in asked.items]
        keys = [vault.take(Tier.ACTIVE, bucket_of(subject_id)) for _ in contents]
        fact = f"collected/{purpose.name}", now

        def becomes() -> tuple[SubjectState, tuple[tuple[str, int], ...]]:
            return replaced(state, values=(*state.values, *made)), left

        if transaction.trusting:
            self.views.adds(transaction, seen, becomes, max(now, at, self.places.now()))
        made += self._values(seen, purpose, engagement, asked, now, at)
        if not transaction.trusting:
            self._changed(transaction, seen, becomes()[0], now, (fact,))
        for value, content, key in zip(made, contents, keys, strict=True):
            sealed = vault.seal(Tier.ACTIVE, policy, subject_id, value.value_id, value.item, content, key)
            subjects.add_value(transaction, subject_id, value, sealed.key_id, sealed.blob)
            transaction.sends()
        if transaction.trusting:
            left = leave(transaction, seen, seen.view, (fact,))
        if not _stands_under(state.values, purpose.name):
            subjects.stands_under(transaction, policy, subject_id, purpose.name)
        asked.tokens = self._tokens(seen, made, asked.texts)
        return made

    def _values(
        self,
        seen: Seen,
        purpose: PurposePlan,
        engagement: EngagementId | None,
        asked: _Asked,
        now: Instant,
        at: Instant,
    ) -> Iterable[Value]:
        """A value of each item, with a number of its own."""
        state, version, subject_id = seen.view.state, seen.view.plan.version, seen.subject_id
        day, draw = local_date(now, seen.view.plan.zone), self.places.random_bytes
        whose = held_for(state, purpose, engagement) if purpose.held_for_organisation else None
        exception = asked.unasked.exception if asked.unasked else None
        uses = (Use(purpose.name, engagement, now, version, at, exception),)
        return [
            Value(value_id(subject_id, day, draw), item, now, at, uses, HeldState.HELD, None, None, whose)
            for item in asked.items
        ]

    def _content(self, plan: Plan, item: str, text: str, hashed: dict[str, bytes]) -> bytes:
        if plan.items[item].nature is not Nature.PASSWORD:
            return text.encode()
        if item not in hashed:
            hashed[item] = self.hasher.hash(text).encode()
        return hashed[item]

    def _tokens(self, seen: Seen, made: Sequence[Value], texts: Mapping[str, str]) -> list[TokenRow]:
        """One of each value under each root: who has not heard of a further one is told with the policies on file,
        which every decision is proved by.
        """
        wanted = [value for value in made if self.looked_up(seen.policy, value.item)]
        if not wanted:
            return []
        roots = self.places.vault.roots[Tier.ACTIVE].known()
        return [
            row
            for one in wanted
            for row in roots.rows(seen.policy, one.item, texts[one.item], one.value_id, seen.subject_id)
        ]

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
        values = tuple(dict.fromkeys(values))

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
            subjects.stands_under(transaction, seen.policy, subject_id, purpose)
            for value in fresh.values():
                subjects.set_uses(transaction, value.value_id, value.uses)
            transaction.journal(
                self._entry(
                    seen,
                    now,
                    "value.reused",
                    values=values,
                    purpose=purpose,
                    engagement=named,
                    items=act.items,
                    **(unasked.fields() if unasked else {}),
                ).with_elements(decision.elements)
            )
            used = {item: tuple(one.value_id for one in held if one.item == item) for item in dict.fromkeys(act.items)}
            return Outcome(decision, now, used)

        return self._attempt(subject_id, work)

    # ── correct ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def correct(
        self, subject_id: SubjectId, value: ValueId, text: str, *, request: RequestId | None = None, at: When = None
    ) -> Outcome:
        """A new value takes the place of a wrong one, with a key of its own; every recipient of the wrong one is told.

        Purpose and retention grounds pass over; the old value keeps only what a statute, claim or dispute holds.
        """
        kept: list[TokenRow] = []

        def work(transaction: Transaction, seen: Seen, now: Instant) -> Outcome:
            old = seen.view.values.get(value)
            plan = seen.view.plan
            right = plan.rights.get("rectification")
            rule = right.rule if right else plan.builtin["rights"]
            if old is None or old.held is not HeldState.HELD or old.replaced_at is not None:
                reason = Reason.UNKNOWN if old is None else state_reason(old) or Reason.GROUND_ENDED
                return self._not_done(transaction, seen, "correct", rule.cited(reason), now)
            new = self._replacement(transaction, seen, old, text, now)
            kept[:] = self._tokens(seen, [new], {new.item: text})
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
        if kept:
            self.places.active.later(self._keep_tokens, kept)
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
        """Subjects that hold exactly this text; every look is recorded with its reason (a code). What this process has
        taken is found at once, what another one took on a server a moment after it was answered.

        Raises InputRefused for an item that is not looked up here.
        """
        line = self.views.line(policy)
        if not self.looked_up(policy, item):
            raise InputRefused(
                "item-not-looked-up", f"`{item}` has no look-up here; name it when the home is made (`look_up`)"
            )
        tier = Tier.SEPARATED if separated else Tier.ACTIVE
        self.owed_tokens.pay()
        found = self.places.vault.subjects_with(tier, policy, item, text)
        if self.owed_tokens.pay():  # the line was opened anew, by the look-up itself
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
                    origin=reader.origin,
                )
            )

        self.places.active.submit(work, about=())
        return found

    def password_matches(self, subject_id: SubjectId, item: str, text: str) -> bool:
        """Whether a text is the person's own password; the stored hash never leaves. Takes a tenth of a second."""
        seen = self.views.get(subject_id, self.now())
        for value in reversed(seen.state.values):
            if value.item == item and value.held is HeldState.HELD and value.replaced_at is None:
                with self.places.active.reading() as connection:
                    row = connection.execute(_HELD_ROW, placed_value(value.value_id)).fetchone()
                stored = self._open_anywhere(seen, value.value_id, row) if row else None
                return stored is not None and _verified(self.hasher, stored, text)
        return False


@lru_cache(maxsize=1024)
def _form_of(
    policy: str,
    elements: tuple[str, ...],
    items: tuple[str, ...],
    purpose: str | None,
    channel: str | None,
    capacity: str | None,
) -> Form:
    """What all records of values have in common that come for one purpose by one way, on the same elements."""
    fields: dict[str, Recordable] = {"values": (0,), "items": items, "purpose": purpose, "engagement": None}
    fields |= {"channel": channel or "generated", "capacity": capacity}
    return Form(Entry("value.collected", BEGINNING, policy, None, elements, fields), "engagement")


def _stands_under(values: Sequence[Value], purpose: str) -> bool:
    for value in values:
        for use in value.uses:
            if use.purpose == purpose:
                return True
    return False


def _verified(hasher: PasswordHasher, stored: str, text: str) -> bool:
    try:
        return hasher.verify(stored, text)
    except VerifyMismatchError:
        return False


def _reader_id(reader: Reader) -> str | None:
    return reader.reader_id if _ID.match(reader.reader_id) else None


def _check_contents(texts: Mapping[str, str]) -> None:
    if not texts:
        raise InputRefused("nothing-given", "name at least one item with its content")
    for item, text in texts.items():
        if len(text.encode()) > MOST_BYTES:
            raise InputRefused(
                "content-unusable", f"the content of `{item}` must be a text of at most {MOST_BYTES} bytes"
            )


_HELD_ROW = "SELECT value_id, key_id, sealed FROM value WHERE bucket = ? AND value_id = ? AND state = 'held'"
