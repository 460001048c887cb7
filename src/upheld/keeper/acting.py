"""Who acts for a person: an agent under a mandate, a legal representative. On record, with papers, scope and end."""

from __future__ import annotations

from datetime import datetime

from upheld.dates import FOREVER, Instant, instant
from upheld.engine.acts import Decision, SubjectId
from upheld.engine.proving import AGREEING, found, not_proved
from upheld.engine.state import Acting, ActingKind
from upheld.errors import InputRefused
from upheld.keeper.asking import RIGHTS
from upheld.keeper.door import Door, When, replaced
from upheld.keeper.outcome import Outcome
from upheld.store import subjects
from upheld.store.place import Transaction
from upheld.store.views import Seen


class ActingFor(Door):
    """Mandates and representatives."""

    def acts_for(
        self,
        subject_id: SubjectId,
        kind: str,
        *,
        shown: str | tuple[str, ...],
        rights: tuple[str, ...] = (),
        items: tuple[str, ...] = (),
        until: When = None,
        at: When = None,
    ) -> Outcome:
        """Somebody acts for the person from now on (`agent` or `representative`); `made` is the id to ask under.

        `shown` names the papers; others than the policy asks for are refused with `identity-not-proved`. Empty `rights`
        or `items`: every one; the right `consent` lets an agent agree. Who represents a child does so until the day on
        which it comes of age. Raises InputRefused for names that the policy does not have.
        """
        papers = (shown,) if isinstance(shown, str) else tuple(shown)

        def work(transaction: Transaction, seen: Seen, now: Instant) -> Outcome:
            plan = seen.view.plan
            _check_scope(seen, kind, rights, items)
            row = plan.acting.get(kind)
            rule = row.rule if row is not None else plan.builtin["rights"]
            against = not_proved(plan, "", "", papers, kind)
            if against is not None:
                return self._not_done(transaction, seen, "acting", against, now)
            when = self._happened(at, seen)
            one = Acting(
                self.new_id(), ActingKind(kind), when, transaction.at, _until(seen, kind, until, now),
                tuple(sorted(rights)), tuple(sorted(items)),
            )  # fmt: skip
            self._changed(transaction, seen, replaced(seen.state, acting=(*seen.state.acting, one)), now, ())
            subjects.add_acting(transaction, subject_id, one)
            transaction.journal(
                self._entry(
                    seen, when, "acting.granted", (rule,), acting=one.acting_id, kind=kind,
                    until=None if one.until_at >= FOREVER else one.until_at, rights=one.rights or None,
                    items=one.items or None, proofs=papers, known_at=transaction.at,
                )
            )  # fmt: skip
            return Outcome(Decision(True, (rule.cited(),)), now, made=one.acting_id)

        return self._attempt(subject_id, work)

    def acts_no_longer(self, subject_id: SubjectId, acting: str, *, reason: str = "revoked") -> Outcome:
        """A mandate is taken back, or a representation ends, before its day."""

        def work(transaction: Transaction, seen: Seen, now: Instant) -> Outcome:
            one = found(seen.state, acting)
            if one is None or one.ended_at is not None:
                raise InputRefused("acting-unknown", "nobody acts for this person under that id")
            plan = seen.view.plan
            row = plan.acting.get(one.kind)
            rule = row.rule if row is not None else plan.builtin["rights"]
            others = tuple(each for each in seen.state.acting if each is not one)
            ended = Acting(one.acting_id, one.kind, one.from_at, one.known_at, one.until_at, one.rights, one.items, now)
            self._changed(transaction, seen, replaced(seen.state, acting=(*others, ended)), now, ())
            subjects.end_acting(transaction, subject_id, acting, now)
            entry = self._entry(seen, now, "acting.ended", (rule,), acting=acting, kind=one.kind.value, reason=reason)
            transaction.journal(entry)
            return Outcome(Decision(True, (rule.cited(),)), now, made=acting)

        return self._attempt(subject_id, work)

    def link_made(self, policy: str, subject_id: SubjectId, digest: bytes, speaker: str, until: Instant) -> None:
        """A link by which the person, or who represents them, says yes and no. A digest of it is on record, so that an
        old copy that is put back knows the links that are out. Raises InputRefused for a person of another policy.
        """

        def work(transaction: Transaction, seen: Seen, now: Instant) -> None:
            self.views.prove(transaction, seen)
            if seen.policy != policy:
                raise InputRefused("owner-unknown", f"this person is no subject of `{policy}`")
            transaction.journal(
                self._entry(
                    seen, transaction.at, "invitation.made", (), link=digest, speaker=speaker, until=until
                )
            )  # fmt: skip

        self._attempt(subject_id, work)
        row = (digest, policy, subject_id, speaker, until)  # links are looked up without a person: work of its own
        self.places.active.submit(lambda transaction: transaction.execute(INSERT_LINK, row), about=(subject_id,))

    def acting_for(self, subject_id: SubjectId) -> tuple[Acting, ...]:
        """Who acts for a person now."""
        seen = self.views.get(subject_id, self.now())
        now = self._decided_at(seen)
        return tuple(one for one in seen.state.acting if one.live(now))


def _check_scope(seen: Seen, kind: str, rights: tuple[str, ...], items: tuple[str, ...]) -> None:
    if kind not in set(ActingKind):
        raise InputRefused("acting-unclear", "an `agent` acts for a person, or a `representative`")
    strange = [one for one in rights if one not in (*RIGHTS, AGREEING)]
    strange += [one for one in items if one not in seen.view.plan.items]
    if strange:
        raise InputRefused("scope-unknown", f"neither a right nor an item of the policy: {', '.join(strange)}")


def _until(seen: Seen, kind: str, until: When, now: Instant) -> Instant:
    """The day named; for a child's representative the day on which it comes of age, if that is sooner."""
    named = FOREVER if until is None else instant(until) if isinstance(until, datetime) else until
    grown = seen.state.minor_until
    of_child = kind == ActingKind.REPRESENTATIVE and grown is not None and now < grown
    return min(named, grown) if of_child and grown is not None else named


INSERT_LINK = (
    "INSERT INTO invitation(link, policy, subject_id, speaker, until_at) VALUES(?, ?, ?, ?, ?) "
    "ON CONFLICT(link) DO NOTHING"
)
