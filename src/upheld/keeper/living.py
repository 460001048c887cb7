"""A person comes, agrees, takes up services, and the world reports what happens to them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, assert_never

from upheld.dates import FOREVER, Instant, Period, birthday, end_of, local_date, start_of
from upheld.engine.acts import Cited, ConsentId, Decision, EngagementId, FactId, Reason, SubjectId, ValueId
from upheld.engine.compile import GROWN
from upheld.engine.lifecycle import CLOSES
from upheld.engine.plan import EntrustmentPlan, ItemPlan, Plan, ProvisionPlan, PurposePlan, Rule, TransferPlan
from upheld.engine.proving import AGREEING, exceeds, found, speaks_for, unverified, verified_by
from upheld.engine.question import question
from upheld.engine.state import (
    ACCEPTANCE_ENDED,
    BOTH_ACCEPTED,
    About,
    AboutKind,
    Acting,
    Consent,
    Engagement,
    Fact,
    SubjectState,
)
from upheld.errors import InputRefused
from upheld.keeper.door import GONE, When, anchor_days, replaced
from upheld.keeper.ending import Ending
from upheld.keeper.outcome import Outcome
from upheld.ledger.entries import Entry, entry
from upheld.store import subjects
from upheld.store.ids import bucket_of
from upheld.store.place import Transaction
from upheld.store.views import Seen

LATEST = Period(years=1)
"""Ours: how late a source may deliver that declared nothing else."""
BUILT_IN_FACTS = frozenset(
    {
        "ended",
        "dispute-opened",
        "dispute-settled",
        BOTH_ACCEPTED,
        ACCEPTANCE_ENDED,
        "consent-asked",
        "answered",
        *CLOSES,
    }
)


@dataclass(frozen=True, slots=True)
class Shown:
    """The exact text a person was shown, and in which locale."""

    text: str
    locale: str = "en"

    @property
    def digest(self) -> bytes:
        """What binds a consent to the text."""
        return hashlib.sha256(self.text.encode()).digest()


class Told(NamedTuple):
    """What a source tells of a fact; an instant or engagement that it leaves out is found here."""

    code: str
    at: Instant | None
    engagement: EngagementId | None
    about: str | None
    values: tuple[ValueId, ...]

    def tells(self, fact: Fact) -> bool:
        """Whether it is that fact told again."""
        return (
            (self.code, self.about, self.values) == (fact.code, fact.about, fact.values)
            and self.at in (None, fact.at)
            and self.engagement in (None, fact.engagement)
        )


def about_of(text: str | About) -> About:
    """Read `purpose/marketing`, `provision/mhows`, `medium/email`. Raises InputRefused."""
    if isinstance(text, About):
        return text
    kind, slash, name = text.partition("/")
    if not slash:
        kind, name = AboutKind.PURPOSE.value, text
    if kind not in set(AboutKind):
        kinds = ", ".join(one.value for one in AboutKind)
        raise InputRefused(
            "about-unknown", f"`{kind}` is nothing one consents to; write KIND/NAME with one of: {kinds}"
        )
    return About(AboutKind(kind), name)


class Living(Ending):
    """Entering, engagements, consents and facts."""

    def enter(
        self, policy: str, kind: str, *, born: date | None = None, minor: bool | None = None, at: When = None
    ) -> SubjectId:
        """A person becomes known to a policy, as one of its subject kinds. Returns their opaque id.

        `born` (or `minor`, where only that is asked) tells whether a legal representative must consent first; the
        birth date itself is not kept. Raises InputRefused for a kind that the policy does not have.
        """
        plan = self._plan(policy)
        if kind not in plan.subjects:
            raise InputRefused(
                "kind-unknown", f"`{policy}` knows no subject kind `{kind}`; it has: {', '.join(plan.subjects)}"
            )
        when = self._happened(at)
        subject_id, alias = SubjectId(self.new_id()), self.new_id()
        minor_until = self._minor_until(plan, born, minor, when)
        state = SubjectState(subject_id=subject_id, kind=kind, entered_at=when, minor_until=minor_until)
        with self.places.keys.transaction(about=(subject_id,), early=True) as transaction:
            transaction.execute(_INSERT_ALIAS, (bucket_of(subject_id), subject_id, alias, policy))

        def work(transaction: Transaction) -> None:
            self._came(transaction, state, policy, plan)
            rule = plan.subjects[kind]
            transaction.journal(_entered(transaction.at, policy, alias, rule, state))

        self.views.remember_alias(subject_id, alias)
        self.places.active.submit(work, about=(subject_id,), early=True)
        return subject_id

    def enter_many(self, policy: str, kinds: Sequence[str], born: Sequence[date | None] = ()) -> list[SubjectId]:
        """Several persons at once: one commit for their aliases; use inside `batch()`. `born`: of each, where asked."""
        ids = [(SubjectId(self.new_id()), self.new_id()) for _ in kinds]
        plan, when = self._plan(policy), self.now()
        with self.places.keys.transaction(about=[subject_id for subject_id, _ in ids]) as transaction:
            rows = [(bucket_of(subject_id), subject_id, alias, policy) for subject_id, alias in ids]
            transaction.executemany(_INSERT_ALIAS, rows)
        births = born or [None] * len(kinds)
        for (subject_id, alias), kind, birth in zip(ids, kinds, births, strict=True):
            minor_until = self._minor_until(plan, birth, None, when)
            state = SubjectState(subject_id=subject_id, kind=kind, entered_at=when, minor_until=minor_until)

            def work(transaction: Transaction, state: SubjectState = state, alias: str = alias) -> None:
                self._came(transaction, state, policy, plan)
                transaction.journal(_entered(transaction.at, policy, alias, plan.subjects[state.kind], state))

            self.views.remember_alias(subject_id, alias)
            self.places.active.submit(work, about=(state.subject_id,))
        return [subject_id for subject_id, _ in ids]

    @staticmethod
    def _came(transaction: Transaction, state: SubjectState, policy: str, plan: Plan) -> None:
        """Who never gives anything is forgotten too: the sweep looks when the time for proofs is over."""
        subjects.add_subject(transaction, state, policy)
        for day in anchor_days(state.entered_at, plan):
            subjects.add_anchor(transaction, policy, GONE, day, state.subject_id)
        if state.minor_until is not None and state.minor_until < FOREVER:
            birthday_of = local_date(state.minor_until, plan.zone).toordinal()
            subjects.add_anchor(transaction, policy, GROWN, birthday_of - 2, state.subject_id)

    def _plan(self, policy: str) -> Plan:
        line = self.views.line(policy)
        return line.at(self.now()) or line.plans[0]

    @staticmethod
    def _minor_until(plan: Plan, born: date | None, minor: bool | None, at: Instant) -> Instant | None:
        if born is not None:
            grown = start_of(birthday(born, plan.children.under), plan.zone)
            return grown if at < grown else None
        return FOREVER if minor else None

    def begin(self, subject_id: SubjectId, kind: str, *, organisation: str | None = None, at: When = None) -> Outcome:
        """An engagement begins. `organisation` is the customer for whom a participant's data is held."""

        def work(transaction: Transaction, seen: Seen, now: Instant) -> Outcome:
            plan = seen.view.plan
            if kind not in plan.engagements:
                names = ", ".join(plan.engagements)
                raise InputRefused(
                    "engagement-unknown", f"`{seen.policy}` knows no engagement `{kind}`; it has: {names}"
                )
            when = self._happened(at, seen)
            one = Engagement(EngagementId(self.new_id()), kind, when, transaction.at, organisation)
            begins = plan.engagements[kind].begins
            facts = (
                []
                if begins == "begun"
                else [Fact(FactId(self.new_id()), begins, when, transaction.at, one.engagement_id)]
            )
            state = replaced(
                seen.state,
                engagements={**seen.state.engagements, one.engagement_id: one},
                facts=(*seen.state.facts, *facts),
            )
            self._changed(transaction, seen, state, now, (("begun", when), *((fact.code, when) for fact in facts)))
            subjects.add_engagement(transaction, subject_id, one)
            for fact in facts:
                subjects.add_fact(transaction, subject_id, fact)
                transaction.journal(self._fact_entry(seen, transaction.at, fact, plan))
            rule = plan.engagements[kind].rule
            transaction.journal(
                self._entry(
                    seen,
                    transaction.at,
                    "engagement.begun",
                    (rule,),
                    engagement=one.engagement_id,
                    kind=kind,
                    begun_at=when,
                    organisation=organisation,
                )
            )
            return Outcome(Decision(True, (rule.cited(),)), now, made=one.engagement_id)

        return self._attempt(subject_id, work)

    # ── facts ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def fact(
        self,
        subject_id: SubjectId,
        code: str,
        *,
        at: When = None,
        engagement: EngagementId | None = None,
        about: str | None = None,
        values: tuple[ValueId, ...] = (),
        source: str | None = None,
        key: str | None = None,
    ) -> Outcome:
        """Something happened in the world. Late is allowed; the same `source` and `key` again changes nothing.

        Raises InputRefused for a code the policy does not know, a fact of the future, a conflict of keys.
        """

        def work(transaction: Transaction, seen: Seen, now: Instant) -> Outcome:
            plan = seen.view.plan
            rule = self._known_fact(plan, code)
            when = self._happened(at, seen)
            delivery = None if source is None or key is None else self._delivery_key(seen.policy, source, key)
            told = Told(code, None if at is None else when, engagement, about, values)
            if source is not None and delivery is not None:
                before = self._delivered(transaction, seen, source, delivery, told)
                if before is not None:
                    return Outcome(Decision(True, (rule.cited(),)), now, made=before, repeated=True)
            if source is not None and end_of(when, self._lateness(transaction, seen.policy, source), plan.zone) <= now:
                raise InputRefused(
                    "too-late", f"`{source}` said it would not deliver so late; the officer enters it by hand"
                )
            named = self._carrying(seen, engagement, self._carriers(plan, code), code)
            if named is not None and named not in seen.state.engagements:
                raise InputRefused("engagement-unknown", "this person has no such engagement")
            content = f"{code}|{when}|{named}|{about}|{values}".encode()
            fact = Fact(FactId(self.new_id()), code, when, transaction.at, named, about, values)
            state = replaced(seen.state, facts=(*seen.state.facts, fact))
            moved = self._changed(transaction, seen, state, now, ((code, when),))
            subjects.add_fact(transaction, subject_id, fact)
            self._stirred(transaction, moved)
            transaction.journal(self._fact_entry(seen, transaction.at, fact, plan, source, delivery))
            if source is not None and delivery is not None:
                self._deliver(transaction, subject_id, source, delivery, content, fact.fact_id)
            tells = self._too_late(transaction, seen, moved, fact.at, code)
            return Outcome(Decision(True, (rule.cited(),)), now, made=fact.fact_id, tells=tells)

        return self._attempt(subject_id, work)

    def _carrying(
        self, seen: Seen, engagement: EngagementId | None, kinds: frozenset[str], code: str
    ) -> EngagementId | None:
        """The engagement a fact happened in: the one named, else the only one it can mean. Raises InputRefused."""
        found = self._engagement(seen, engagement, kinds)
        if found is not None or not kinds:
            return found
        all_of_them = [one for one in seen.state.engagements.values() if one.kind in kinds]
        if len(all_of_them) == 1:
            return all_of_them[0].engagement_id
        if not all_of_them:
            return None
        names = ", ".join(sorted(one.kind for one in all_of_them))
        raise InputRefused(
            "engagement-unnamed",
            f"`{code}` can have happened in several engagements of this person ({names}); name one",
        )

    def source(self, policy: str, name: str, lateness: Period) -> None:
        """Declare a source of facts and how late it may deliver; what is older is refused whole."""
        self._plan(policy)
        self.places.active.submit(
            lambda transaction: transaction.execute(_SET_SETTING, (policy, f"lateness/{name}", str(lateness)))
        )

    @staticmethod
    def _lateness(transaction: Transaction, policy: str, name: str) -> Period:
        row = transaction.execute(_SELECT_SETTING, (policy, f"lateness/{name}")).fetchone()
        return Period.parse(row[0]) if row else LATEST

    @staticmethod
    def _known_fact(plan: Plan, code: str) -> Rule:
        if code in plan.facts:
            return plan.facts[code].rule
        if code in BUILT_IN_FACTS:
            return plan.rule
        names = ", ".join(sorted(plan.facts))
        raise InputRefused("fact-unknown", f"`{plan.policy}` knows no fact `{code}`; it has: {names}")

    @staticmethod
    def _carriers(plan: Plan, code: str) -> frozenset[str]:
        declared = plan.facts.get(code)
        if declared is not None:
            return declared.about & frozenset(plan.engagements)
        return frozenset(plan.engagements) if code == "ended" else frozenset()

    def _delivery_key(self, policy: str, source: str, key: str) -> bytes:
        """A keyed digest: the key of a source may be an order number, which nobody shall guess from a ledger."""
        exact = f"{source}|{key}".encode().hex()
        return self.places.vault.digest(policy, "delivery", exact)

    @staticmethod
    def _delivered(transaction: Transaction, seen: Seen, source: str, key_digest: bytes, told: Told) -> str | None:
        """The fact that the source told under this key before; what it left out says nothing else than it said then."""
        key = (bucket_of(seen.subject_id), seen.subject_id, source, key_digest)
        row = transaction.execute(_SELECT_DELIVERY, key).fetchone()
        if row is None:
            return None
        fact = next((one for one in seen.state.facts if one.fact_id == row[0]), None)
        if fact is None or not told.tells(fact):
            raise InputRefused(
                "key-conflict", "this source has used this key for something else; a key names one fact for ever"
            )
        return str(row[0])

    @staticmethod
    def _deliver(
        transaction: Transaction, subject_id: SubjectId, source: str, key_digest: bytes, content: bytes, answer: str
    ) -> None:
        row = (
            bucket_of(subject_id),
            subject_id,
            source,
            key_digest,
            hashlib.sha256(content).digest(),
            answer,
            transaction.at,
        )
        transaction.execute(_INSERT_DELIVERY, row)

    # ── consent ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def consent(
        self,
        subject_id: SubjectId,
        about: str | About,
        *,
        channel: str,
        shown: Shown | None = None,
        by: str = "subject",
        verified: str | None = None,
        at: When = None,
    ) -> Outcome:
        """A person agrees to one thing, bound to the text shown. Without `shown`, the policy's own question is shown.

        `channel` must be one by which the policy takes consent; `by` is `subject`, a role, `representative` of a child,
        or the id under which somebody acts for the person: what that does not cover is `mandate-exceeded`.
        `verified`: by which check of the law it is the representative's (`phone-identity`, `card`, `message`, `paper`,
        `mail-reply`, `call`, `equivalent`); a form with a signature or an answered mail is such a check itself.
        """
        matter = about_of(about)

        def work(transaction: Transaction, seen: Seen, now: Instant) -> Outcome:
            plan = seen.view.plan
            rule = self._consentable(plan, matter, channel)
            when = self._happened(at, seen)
            text = shown or self._asked(seen, matter)
            who, acting = _speaker(seen, by)
            one = Consent(ConsentId(self.new_id()), matter, True, when, transaction.at, plan.version, channel, who)
            against = _beyond(seen, who, acting, AGREEING, matter, now) or self._may_not_consent(seen, who, now)
            checked = verified_by(plan, channel, verified) if matter.kind is AboutKind.REPRESENTATIVE else None
            if against is None and checked is None and acting is None and self._must_be_verified(seen, matter, now):
                against = unverified(plan)
            if against is not None:
                return self._not_done(transaction, seen, "consent", against, now)
            self._keep_text(transaction, text)
            moved = self._record_consent(transaction, seen, one, text, rule, now, acting, checked)
            tells = self._too_late(transaction, seen, moved, one.at, "consented")
            return Outcome(Decision(True, (rule.cited(),)), now, made=one.consent_id, tells=tells)

        return self._attempt(subject_id, work)

    def _asked(self, seen: Seen, matter: About) -> Shown:
        """The policy's own question, shown where the caller shows no text of their own."""
        plan = seen.view.plan
        return Shown(question(plan, matter, plan.locales[0]), plan.locales[0])

    @staticmethod
    def _must_be_verified(seen: Seen, matter: About, at: Instant) -> bool:
        """Whether it is the yes for a child that the law has checked; whoever acts on papers was checked by those."""
        minor_until = seen.state.minor_until
        return (
            matter.kind is AboutKind.REPRESENTATIVE
            and minor_until is not None
            and at < minor_until
            and bool(seen.view.plan.country.representative_verified)
        )

    @staticmethod
    def _may_not_consent(seen: Seen, by: str, at: Instant) -> Cited | None:
        """LAW: Personal Information Protection Act 22-2: under the age it is the representative who consents."""
        minor_until = seen.state.minor_until
        if minor_until is None or at >= minor_until or by == "representative":
            return None
        children = seen.view.plan.children
        return children.rule.cited(Reason.CHILD_WITHOUT_REPRESENTATIVE)

    def _record_consent(
        self,
        transaction: Transaction,
        seen: Seen,
        one: Consent,
        text: Shown | None,
        rule: Rule,
        now: Instant,
        acting: Acting | None = None,
        verified: str | None = None,
    ) -> Seen:
        state = replaced(seen.state, consents=(*seen.state.consents, one))
        name = one.about.name if one.about.kind is AboutKind.PURPOSE else str(one.about)
        facts = ((f"{'consented' if one.given else 'withdrawn'}/{name}", one.at),)
        moved = self._changed(transaction, seen, state, now, facts)
        subjects.add_consent(
            transaction, seen.subject_id, one, text.digest if text else None, text.locale if text else None
        )
        if not one.given:
            self._stirred(transaction, moved)
            self._withdrawn(transaction, seen, one.about)
        kind = "consent.given" if one.given else "consent.withdrawn"
        channel_rule = seen.view.plan.consent_channels.get(one.channel)
        transaction.journal(
            self._entry(
                seen,
                one.at,
                kind,
                (rule, *((channel_rule,) if channel_rule else ())),
                consent=one.consent_id,
                about_kind=one.about.kind.value,
                about=one.about.name,
                version=one.version,
                text=text.digest if text else None,
                locale=text.locale if text else None,
                channel=one.channel,
                by=one.by,
                known_at=transaction.at,
                acting=acting.acting_id if acting else None,
                **({"verified": verified} if verified else {}),
            )
        )
        return moved

    @staticmethod
    def _keep_text(transaction: Transaction, text: Shown) -> None:
        transaction.execute(_INSERT_TEXT, (text.digest, text.locale, text.text))

    @staticmethod
    def _consentable(plan: Plan, matter: About, channel: str) -> Rule:
        tables: Mapping[AboutKind, Mapping[str, Rule]] = {
            AboutKind.PURPOSE: {name: row.rule for name, row in plan.purposes.items() if not row.blocked},
            AboutKind.PERMISSION: {name: row.rule for name, row in plan.purposes.items()},
            AboutKind.PROVISION: {name: row.rule for name, row in plan.provisions.items() if not row.blocked},
            AboutKind.ENTRUSTMENT: {
                name: row.rule for name, row in plan.entrustments.items() if row.own_consent and not row.blocked
            },
            AboutKind.TRANSFER: {name: row.rule for name, row in plan.transfers.items()},
            AboutKind.ITEM: {name: row.rule for name, row in plan.items.items()},
        }
        if plan.consent_channels and channel not in plan.consent_channels:
            known = ", ".join(plan.consent_channels)
            raise InputRefused(
                "channel-undeclared", f"`{plan.policy}` takes no consent by `{channel}`; it takes it by: {known}"
            )
        if matter.kind in tables:
            rule = tables[matter.kind].get(matter.name)
            if rule is None:
                raise InputRefused(
                    "about-unknown",
                    f"`{plan.policy}` declares no {matter.kind.value} `{matter.name}` one could agree to",
                )
            return rule
        if matter.kind is AboutKind.REPRESENTATIVE:
            return plan.children.rule
        return plan.advertising.get(matter.name, (plan.builtin["advertising"], ""))[0]

    def withdraw(
        self,
        subject_id: SubjectId,
        about: str | About,
        *,
        channel: str,
        by: str = "subject",
        confirmed: bool = False,
        at: When = None,
    ) -> Outcome:
        """A person takes consent back; it takes effect at once and is as easy as giving it was.

        Where an open engagement needs the consent, the answer's `tells` say what it ends; `confirmed` ends it.
        """
        matter = about_of(about)

        def work(transaction: Transaction, seen: Seen, now: Instant) -> Outcome:
            plan = seen.view.plan
            rule = self._consentable_before(plan, matter)
            if seen.view.life.last_consent_event(matter, FOREVER) is None:
                return self._not_done(transaction, seen, "withdraw", rule.cited(Reason.CONSENT_MISSING), now)
            who, acting = _speaker(seen, by)
            against = _beyond(seen, who, acting, "withdrawal", matter, now)
            if against is not None:
                return self._not_done(transaction, seen, "withdraw", against, now)
            when = self._happened(at, seen)
            ends = self._ended_by_withdrawal(seen, matter, now)
            one = Consent(ConsentId(self.new_id()), matter, False, when, transaction.at, plan.version, channel, who)
            moved = self._record_consent(transaction, seen, one, None, rule, now, acting)
            if confirmed and ends:
                moved = self._end_all(transaction, moved, ends, when, now)
            tells = tuple(f"ends:{kind}" for _, kind in ends)
            tells += self._disclosed_before(transaction, seen, moved, one.at, "withdrawn")
            return Outcome(Decision(True, (rule.cited(),)), now, made=one.consent_id, tells=tells)

        return self._attempt(subject_id, work)

    @staticmethod
    def _consentable_before(plan: Plan, matter: About) -> Rule:
        """What a consent was about, run or not; a medium, the night and a representative have no row of their own."""
        row: PurposePlan | ItemPlan | EntrustmentPlan | ProvisionPlan | TransferPlan | None = None
        match matter.kind:
            case AboutKind.PURPOSE | AboutKind.PERMISSION:
                row = plan.purposes.get(matter.name)
            case AboutKind.ENTRUSTMENT:
                row = plan.entrustments.get(matter.name)
            case AboutKind.PROVISION:
                row = plan.provisions.get(matter.name)
            case AboutKind.TRANSFER:
                row = plan.transfers.get(matter.name)
            case AboutKind.ITEM:
                row = plan.items.get(matter.name)
            case AboutKind.REPRESENTATIVE:
                return plan.children.rule
            case AboutKind.MEDIUM | AboutKind.NIGHT:
                pass
            case _:
                assert_never(matter.kind)
        return row.rule if row else plan.advertising.get(matter.name, (plan.builtin["advertising"], ""))[0]

    @staticmethod
    def _ended_by_withdrawal(seen: Seen, matter: About, now: Instant) -> list[tuple[EngagementId, str]]:
        purpose = seen.view.plan.purposes.get(matter.name) if matter.kind is AboutKind.PURPOSE else None
        if purpose is None or not purpose.required:
            return []
        return [
            (one.engagement_id, one.kind)
            for one in seen.state.engagements.values()
            if one.kind in purpose.per and seen.view.life.engagement_end(one.engagement_id).at > now
        ]

    def consents(self, subject_id: SubjectId, at: When = None) -> Mapping[str, str]:
        """The state of each matter now or at a past instant: `given` or `withdrawn`, by `KIND/NAME`."""
        seen = self.views.get(subject_id, self.now())
        when = self._happened(at) if at is not None else self._decided_at(seen)
        return {
            str(about): "given" if seen.view.life.standing(about, when) else "withdrawn"
            for about in seen.state.consents_by_about
            if seen.view.life.last_consent_event(about, when) is not None
        }

    def grown_up(self, subject_id: SubjectId) -> bool:
        """Whether the age of consent is reached: the representative's rights have ended, consents stand."""
        seen = self.views.get(subject_id, self.now())
        return seen.state.minor_until is None or self.now() >= seen.state.minor_until


def _speaker(seen: Seen, by: str) -> tuple[str, Acting | None]:
    """Who says it: a role, or the kind of who acts under an id."""
    acting = found(seen.state, by)
    return (acting.kind.value, acting) if acting is not None else (by, None)


def _beyond(seen: Seen, who: str, acting: Acting | None, right: str, matter: About, now: Instant) -> Cited | None:
    """What whoever speaks for the person may not say."""
    plan = seen.view.plan
    purpose = plan.purposes.get(matter.name) if matter.kind is AboutKind.PURPOSE else None
    items = sorted(purpose.items) if purpose is not None else []
    if acting is not None:
        return exceeds(plan, seen.state, acting, right, items, now)
    return speaks_for(plan, seen.state, who, right, items, now)


def _entered(at: Instant, policy: str, alias: str, rule: Rule, state: SubjectState) -> Entry:
    return entry(
        "subject.entered", at, policy, alias, (rule.path,), kind=state.kind, minor=state.minor_until is not None or None
    )


_INSERT_ALIAS = "INSERT INTO alias(bucket, subject_id, alias, policy) VALUES(?, ?, ?, ?)"
_SELECT_DELIVERY = "SELECT answer FROM delivery WHERE bucket = ? AND subject_id = ? AND source = ? AND key_digest = ?"
_INSERT_DELIVERY = (
    "INSERT INTO delivery(bucket, subject_id, source, key_digest, content, answer, known_at) VALUES(?, "
    "?, ?, ?, ?, ?, ?)"
)
_SET_SETTING = (
    "INSERT INTO setting(policy, name, value) VALUES(?, ?, ?) "
    "ON CONFLICT(policy, name) DO UPDATE SET value = excluded.value"
)
_SELECT_SETTING = "SELECT value FROM setting WHERE policy = ? AND name = ?"
_INSERT_TEXT = "INSERT INTO shown_text(digest, locale, text) VALUES(?, ?, ?) ON CONFLICT(digest) DO NOTHING"
