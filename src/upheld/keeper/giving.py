"""Values go to others: provided, entrusted, disclosed under an exception; messages are sent; recipients are
recalled.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from upheld.dates import FOREVER, Instant, moment
from upheld.engine.acts import (
    Decision,
    Disclose,
    DisclosureId,
    EngagementId,
    Entrust,
    Provide,
    Send,
    SubjectId,
    ValueId,
)
from upheld.engine.lifecycle import Moment, Scope
from upheld.engine.plan import EntrustmentPlan, GroundKind, ProvisionPlan, TransferPlan
from upheld.engine.state import About, AboutKind, Disclosure, Use
from upheld.engine.view import disputed
from upheld.errors import InputRefused
from upheld.keeper.door import Door, Tier, replaced
from upheld.keeper.elsewhere import copies_back
from upheld.keeper.outcome import Outcome
from upheld.store import subjects
from upheld.store.ids import bucket_of, placed_value
from upheld.store.place import Transaction
from upheld.store.vault import Sealed
from upheld.store.views import Seen


class Giving(Door):
    """Provision, entrustment, disclosure, messages, and what comes back."""

    def provide(
        self, subject_id: SubjectId, recipient: str, items: tuple[str, ...], *, engagement: EngagementId | None = None
    ) -> Outcome:
        """Give items to a declared recipient. The disclosure is on record before the texts are released."""
        self._releases()

        def work(transaction: Transaction, seen: Seen, now: Instant) -> tuple[Seen, Outcome]:
            row = seen.view.plan.provisions.get(recipient)
            named = self._engagement(seen, engagement, row.per if row else frozenset())
            decision = self._decide(act := Provide(recipient, items, named), seen, now)
            if not decision.granted or row is None:
                self._refusal(transaction, seen, act, decision)
                return seen, Outcome(decision, now)
            until = self._recipient_until(seen, row, named, now)
            one = self._record(transaction, seen, decision, recipient, "provision", named, now, until)
            transaction.journal(
                self._entry(
                    seen,
                    now,
                    "value.provided",
                    recipient=recipient,
                    values=decision.covers,
                    items=_items_of(seen, decision.covers),
                    disclosure=one.disclosure_id,
                    until=None if until >= FOREVER else until,
                    engagement=named,
                ).with_elements(decision.elements)
            )
            self._transferred(transaction, seen, row, "provision", decision, one.disclosure_id, now)
            return seen, Outcome(decision, now, made=one.disclosure_id)

        return self._released(*self._attempt(subject_id, work))

    def entrust(
        self,
        subject_id: SubjectId,
        processor: str,
        purpose: str,
        items: tuple[str, ...],
        *,
        engagement: EngagementId | None = None,
    ) -> Outcome:
        """Hand items to a processor for a purpose of ours, under a contract in force."""
        self._releases()

        def work(transaction: Transaction, seen: Seen, now: Instant) -> tuple[Seen, Outcome]:
            row = seen.view.plan.entrustments.get(processor)
            decision = self._decide(act := Entrust(processor, purpose, items, engagement), seen, now)
            if not decision.granted or row is None:
                self._refusal(transaction, seen, act, decision)
                return seen, Outcome(decision, now)
            contract = seen.view.controller.contract_of(row.party, now)
            one = self._record(transaction, seen, decision, processor, "entrustment", engagement, now, FOREVER)
            transaction.journal(
                self._entry(
                    seen,
                    now,
                    "value.entrusted",
                    processor=processor,
                    purpose=purpose,
                    values=decision.covers,
                    items=_items_of(seen, decision.covers),
                    contract=contract.contract_id if contract else None,
                    disclosure=one.disclosure_id,
                    engagement=engagement,
                ).with_elements(decision.elements)
            )
            self._transferred(transaction, seen, row, "entrustment", decision, one.disclosure_id, now)
            return seen, Outcome(decision, now, made=one.disclosure_id)

        return self._released(*self._attempt(subject_id, work))

    def disclose(
        self,
        subject_id: SubjectId,
        exception: str,
        items: tuple[str, ...],
        *,
        shown: frozenset[str],
        law: str | None = None,
        values: tuple[ValueId, ...] = (),
    ) -> Outcome:
        """Hand items out under a declared exception. `shown` names what is on record (`article`, `document`, ...). What
        is frozen goes out all the same and is named in `disputed`.
        """
        self._releases()

        def work(transaction: Transaction, seen: Seen, now: Instant) -> tuple[Seen, Outcome]:
            decision = self._decide(act := Disclose(exception, items, shown, law, values), seen, now)
            if not decision.granted:
                self._refusal(transaction, seen, act, decision)
                return seen, Outcome(decision, now)
            still = disputed(seen.view, decision.covers, now)
            one = self._record(transaction, seen, decision, exception, "exception", None, now, FOREVER)
            transaction.journal(
                self._entry(
                    seen,
                    now,
                    "value.disclosed",
                    exception=exception,
                    disclosure=one.disclosure_id,
                    values=decision.covers,
                    law=law,
                    items=_items_of(seen, decision.covers),
                    disputed=still or None,
                ).with_elements(decision.elements)
            )
            return seen, Outcome(decision, now, made=one.disclosure_id, disputed=still)

        return self._released(*self._attempt(subject_id, work))

    def send(self, subject_id: SubjectId, purpose: str, medium: str) -> Outcome:
        """Decide and record one promotional message. Raises InputRefused for a medium the policy does not know."""

        def work(transaction: Transaction, seen: Seen, now: Instant) -> Outcome:
            hour = moment(now, seen.view.plan.zone).hour
            act = Send(purpose, medium, hour)
            decision = self._decide(act, seen, now)
            if not decision.granted:
                self._refusal(transaction, seen, act, decision)
                return Outcome(decision, now)
            self.views.prove(transaction, seen)
            message = self.new_id()
            given = seen.view.life.standing(About(AboutKind.MEDIUM, medium), now)
            transaction.journal(
                self._entry(
                    seen,
                    now,
                    "advert.sent",
                    message=message,
                    medium=medium,
                    purpose=purpose,
                    consent=given.consent_id if given else None,
                ).with_elements(decision.elements)
            )
            return Outcome(decision, now, made=message)

        return self._attempt(subject_id, work)

    # ── parts ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _recipient_until(
        self, seen: Seen, row: ProvisionPlan, engagement: EngagementId | None, now: Instant
    ) -> Instant:
        if row.until is None:
            return FOREVER
        return seen.view.life.end(
            row.until, Scope(now, now, engagement, None, about=About(AboutKind.PROVISION, row.recipient))
        ).at

    def _record(
        self,
        transaction: Transaction,
        seen: Seen,
        decision: Decision,
        recipient: str,
        kind: str,
        engagement: EngagementId | None,
        now: Instant,
        until: Instant,
    ) -> Disclosure:
        one = Disclosure(DisclosureId(self.new_id()), recipient, decision.covers, now, transaction.at, engagement)
        state = replaced(seen.state, disclosures=(*seen.state.disclosures, one))
        self._changed(transaction, seen, state, now, ((f"provided/provision/{recipient}", now),))
        subjects.add_disclosure(transaction, seen.subject_id, one, kind, None if until >= FOREVER else until)
        return one

    def _transferred(
        self,
        transaction: Transaction,
        seen: Seen,
        row: ProvisionPlan | EntrustmentPlan,
        standing_for: str,
        decision: Decision,
        disclosure: str,
        now: Instant,
    ) -> None:
        """What leaves the country is recorded with its basis and country."""
        for transfer in seen.view.plan.transfers.values():
            if transfer.party == row.party and transfer.standing_for == standing_for:
                country = (transfer.stored_in or ("unknown",))[0].lower()
                transaction.journal(
                    self._entry(
                        seen,
                        now,
                        "transfer.recorded",
                        (transfer.rule,),
                        recipient=row.party,
                        country=country,
                        basis=transfer.basis,
                        values=decision.covers,
                        disclosure=disclosure,
                    )
                )

    def _released(self, seen: Seen, outcome: Outcome) -> Outcome:
        """Texts leave only after the disclosure is durable; whoever got separated values got them from there."""
        if not outcome.granted:
            return outcome
        texts: dict[ValueId, str] = {}
        by_item: dict[str, tuple[ValueId, ...]] = {}
        for value in outcome.decision.covers:
            text = self._text_of(seen, value)
            if text is not None:
                item = seen.view.values[value].item
                texts[value] = text
                by_item[item] = (*by_item.get(item, ()), value)
        return msgspec.structs.replace(outcome, values=by_item, texts=texts)

    def _text_of(self, seen: Seen, value: ValueId) -> str | None:
        for place, tier, statement in (
            (self.places.active, Tier.ACTIVE, _ACTIVE_ROW),
            (self.places.separated, Tier.SEPARATED, _SEPARATED_ROW),
        ):
            with place.reading() as connection:
                row = connection.execute(statement, placed_value(value)).fetchone()
            if row is not None:
                item = seen.view.values[value].item
                opened = self.places.vault.open(tier, seen.policy, seen.subject_id, value, item, Sealed(row[0], row[1]))
                return opened.decode()
        return None

    # ── what comes back ─────────────────────────────────────────────────────────────────────────────────────────────

    def acknowledge(self, subject_id: SubjectId, disclosure: str) -> Outcome:
        """A recipient has answered that it corrected, returned or destroyed what it got."""

        def work(transaction: Transaction, seen: Seen, now: Instant) -> Outcome:
            self.views.prove(transaction, seen)
            key = (bucket_of(subject_id), subject_id, disclosure)
            found = next((one for one in seen.state.disclosures if one.disclosure_id == disclosure), None)
            if found is None:
                raise InputRefused("disclosure-unknown", "nothing was given to anybody under that id")
            transaction.execute(_ACKNOWLEDGE_TOLD, (transaction.at, *key))
            transaction.execute(_ACKNOWLEDGE, (transaction.at, *key))
            copies_back(transaction, subject_id, seen.alias, *transaction.execute(_GIVEN, key).fetchone())
            plan = seen.view.plan
            row = plan.provisions.get(found.recipient) or plan.entrustments.get(found.recipient)
            rule = row.rule if row else plan.rule
            transaction.journal(
                self._entry(
                    seen, now, "recipient.acknowledged", (rule,), recipient=found.recipient, disclosure=disclosure
                )
            )
            return Outcome(Decision(True, (rule.cited(),)), now, made=disclosure)

        return self._attempt(subject_id, work)

    def received_by(self, subject_id: SubjectId) -> list[tuple[str, Instant, tuple[str, ...]]]:
        """Who got which items and when: (recipient, instant, items)."""
        seen = self.views.get(subject_id, self.now())
        return [(one.recipient, one.at, _items_of(seen, one.values)) for one in seen.state.disclosures]

    def recall(self, seen: Seen, transaction: Transaction, now: Instant, found: list[Any]) -> int:
        """Ask back what recipients may no longer keep; done by the sweep for a subject that it looks at. `found`: what
        the place has answered to `OPEN_DISCLOSURES`.
        """
        asked = 0
        for disclosure_id, recipient, kind in found:
            one = next((d for d in seen.state.disclosures if d.disclosure_id == disclosure_id), None)
            if one is None:
                continue
            if self._theirs_until(seen, one, kind) <= now:
                transaction.execute(
                    _RECALL, (transaction.at, bucket_of(seen.subject_id), seen.subject_id, disclosure_id)
                )
                self._tell(transaction, seen, disclosure_id, recipient, "return-or-destroy", None)
                asked += 1
        return asked

    def _theirs_until(self, seen: Seen, one: Disclosure, kind: str) -> Instant:
        """Until when the other side may keep its copy; a processor's copy abroad has an end of its own besides."""
        plan = seen.view.plan
        provided, entrusted = plan.provisions.get(one.recipient), plan.entrustments.get(one.recipient)
        if kind == "provision":
            ends = [self._recipient_until_of(seen, provided, one)] if provided and provided.returned else []
            party, purposes = provided.party if provided else None, None
        else:
            ends = [_processor_until(seen, entrusted, one)] if entrusted else []
            party, purposes = (entrusted.party, entrusted.purposes) if entrusted else (None, frozenset[str]())
        abroad = [each for each in plan.transfers.values() if each.party == party and each.standing_for == kind]
        return min([*ends, *(_abroad_until(seen, each, one, purposes) for each in abroad)], default=FOREVER)

    def _recipient_until_of(self, seen: Seen, row: ProvisionPlan, one: Disclosure) -> Instant:
        if row.until is None:
            return FOREVER
        about = About(AboutKind.PROVISION, row.recipient)
        end = seen.view.life.end(row.until, Scope(one.at, one.known_at, one.engagement, None, about=about)).at
        withdrawn = seen.view.life.consent_until(about, one.at).at
        return min(end, withdrawn)


def _processor_until(seen: Seen, row: EntrustmentPlan, one: Disclosure) -> Instant:
    """Until the last of our purposes of that task is over for what was handed over, or the person takes back the
    consent to it. What was corrected is told apart and not asked back for it.
    """
    life = seen.view.life
    known = [seen.view.values[value] for value in one.values if value in seen.view.values]
    used = [
        ground.until.at
        for value in known
        for ground in life.grounds(replace(value, replaced_at=None, replaced_known_at=None))
        if ground.kind is GroundKind.PURPOSE and ground.purpose in row.purposes
    ]
    until = max(used, default=FOREVER)
    if row.own_consent:
        until = min(until, life.consent_until(About(AboutKind.ENTRUSTMENT, row.processor), one.at).at)
    return until


def _abroad_until(seen: Seen, transfer: TransferPlan, one: Disclosure, purposes: frozenset[str] | None) -> Instant:
    """Until when a copy may stay abroad: the end of its row, and of a consent on which the transfer rests. A period
    since consent runs from the consent to the transfer or to collecting, whichever came first.
    """
    life, about = seen.view.life, About(AboutKind.TRANSFER, transfer.name)
    ends = [life.consent_until(about, one.at).at] if transfer.basis == "consent" else []
    if transfer.until is not None:
        scope = Scope(one.at, one.known_at, one.engagement, None, about=about)
        ends.append(life.end(transfer.until, scope).at)
        collected = _agreed_to_collecting(seen, one, purposes)
        if collected is not None:
            ends.append(life.end(transfer.until, scope._replace(bound={"consented": collected})).at)
    return min(ends, default=FOREVER)


def _agreed_to_collecting(seen: Seen, one: Disclosure, purposes: frozenset[str] | None) -> Moment | None:
    """The consent under which what was handed over had come in: of a value that serves several of the purposes the
    newest, of several values the earliest. What came in without asking counts from when it came. None without a
    consent. `purposes`: those of the task; None is any.
    """
    found = []
    for value in (seen.view.values[each] for each in one.values if each in seen.view.values):
        given = [
            consent
            for use in value.uses
            if use.anchor_at <= one.at and (purposes is None or use.purpose in purposes)
            for consent in _consents_of(seen, use, one.at)
        ]
        found += [max(given)] if given else []
    return min(found, default=None)


def _consents_of(seen: Seen, use: Use, by: Instant) -> list[Moment]:
    if use.exception is not None:
        return [Moment(use.anchor_at, use.known_at)]
    events = seen.view.life.consent_events(About(AboutKind.PURPOSE, use.purpose))
    return [Moment(event.at, event.known_at) for event in events if event.given and event.at <= by]


def _items_of(seen: Seen, values: tuple[ValueId, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(seen.view.values[one].item for one in values if one in seen.view.values))


_ACTIVE_ROW = "SELECT key_id, sealed FROM value WHERE bucket = ? AND value_id = ? AND state = 'held'"
_SEPARATED_ROW = "SELECT key_id, sealed FROM value WHERE bucket = ? AND value_id = ? AND stage = 'held'"
_ACKNOWLEDGE = (
    "UPDATE disclosure SET acknowledged_at = ? WHERE bucket = ? AND subject_id = ? AND disclosure_id = ? "
    "AND recalled_at IS NOT NULL"
)
_GIVEN = "SELECT kind, recipient FROM disclosure WHERE bucket = ? AND subject_id = ? AND disclosure_id = ?"
_ACKNOWLEDGE_TOLD = (
    "UPDATE told SET acknowledged_at = ? WHERE bucket = ? AND subject_id = ? AND disclosure_id = ? AND "
    "acknowledged_at IS NULL"
)
OPEN_DISCLOSURES = (
    "SELECT disclosure_id, recipient, kind FROM disclosure WHERE bucket = ? AND subject_id = ? "
    "AND kind IN ('provision', 'entrustment') AND recalled_at IS NULL"
)
_RECALL = "UPDATE disclosure SET recalled_at = ? WHERE bucket = ? AND subject_id = ? AND disclosure_id = ?"
