"""A person asks: access, rectification, erasure, suspension and the rest; freezes, outcomes, refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Final

from holidays import HolidayBase, country_holidays
from msgspec.structs import replace

from upheld.dates import Instant, end_of, instant, moved_off_holidays
from upheld.engine.acts import Cited, Decision, EngagementId, Reason, RequestId, SubjectId, ValueId
from upheld.engine.compile import RECEIVED
from upheld.engine.lifecycle import DONE, DueState, touches
from upheld.engine.plan import GroundKind, Plan, RightPlan, Rule
from upheld.engine.proving import exceeds, found, least_proof, not_proved, signed_in
from upheld.engine.state import WAITING, Acting, ActingKind, HeldState, Request, RequestState, Value
from upheld.engine.view import child_freeze, disputed
from upheld.errors import InputRefused
from upheld.keeper.door import When, replaced
from upheld.keeper.ending import Ending
from upheld.keeper.outcome import Outcome
from upheld.law import TABLES
from upheld.store import subjects
from upheld.store.place import Transaction
from upheld.store.views import Seen

AUTOMATED = "automated-decision"
RIGHTS = (
    "access", "rectification", "erasure", "suspension", "withdrawal", "portability", "source", AUTOMATED, "objection",
)  # fmt: skip
MOST_EXTENDED = 2
SUSPENSION_REFUSED_FOR = ("law", "others-harmed", "public-task", "contract")
"""LAW: Personal Information Protection Act 37(2): the four grounds."""
_FREEZING = frozenset({"rectification", "erasure"})
_BEFORE_PROOF = frozenset({RequestState.RECEIVED, RequestState.TO_BE_COMPLETED})
_ANSWERS = tuple(one for one in RequestState if one not in WAITING)
_REASON: Mapping[RequestState, str] = {
    RequestState.NOT_IDENTIFIED: "identity-not-proved",
    RequestState.NOTHING_HELD: "nothing-held",
    RequestState.TAKEN_BACK: "taken-back",
}
"""Answers that are their own reason."""
_KEPT = "kept-by-duty"
"""Why an erasure is done in part: what a statute, claim or dispute keeps; `tells` names it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the person is told: the outcome with its reason, who else helps (element paths), how to object, and what is
    kept all the same (element paths).
    """

    request: Request
    outcome: RequestState
    reason: str | None
    remedies: tuple[str, ...]
    offices: tuple[str, ...]
    objection: str
    kept: tuple[str, ...]


class Asking(Ending):
    """Requests and their outcomes."""

    def request(
        self,
        subject_id: SubjectId,
        right: str,
        *,
        channel: str,
        proved: bool = False,
        proof: str | tuple[str, ...] = (),
        values: tuple[ValueId, ...] = (),
        purposes: tuple[str, ...] = (),
        by: str | None = None,
        objects_to: RequestId | None = None,
        confirmed: bool = False,
        at: When = None,
    ) -> Outcome:
        """A request comes in. `proved`: the proof of its channel was shown at once (a signed-in person); or `proof`
        names what was; else `prove` follows. `by`: the id under which somebody acts for the person. `tells` names whom
        to pass it on to (`pass-on:COMPANY`) where something that it is about is held for another controller, and what
        an erasure ends (`ends:ENGAGEMENT`); `confirmed`, by somebody proved, ends it.

        The clock runs from receipt. A freeze holds from the proof of identity; what a letter of someone unproved says
        is on record and obeyed by nobody. What a mandate does not cover is refused (`mandate-exceeded`).
        """

        def work(transaction: Transaction, seen: Seen, now: Instant) -> Outcome:
            plan = seen.view.plan
            rule = self._right_rule(plan, right, channel)
            when = self._happened(at, seen)
            acting = self._acting_as(seen, by)
            against = _beyond(seen, acting, right, values, now) if acting else None
            if against is not None:
                return self._not_done(transaction, seen, "request", against, now)
            shown = (proof,) if isinstance(proof, str) else tuple(proof)
            shown = shown or (self._shown_by(plan, right, channel, acting) if proved else ())
            kind = acting.kind.value if acting else "subject"
            enough = bool(shown) and not_proved(plan, right, channel, shown, kind) is None
            one = Request(
                RequestId(self.new_id()),
                right,
                when,
                transaction.at,
                now if enough else None,
                values or _within(seen, acting),
                purposes,
                RequestState.OPEN if enough else RequestState.RECEIVED,
                freezes=not self._refused_before(seen, right, values),
                channel=channel,
                by=kind,
                acting=acting.acting_id if acting else None,
                due_at=self.deadline(plan, right, when),
                objects_to=self._objected(seen, objects_to),
                for_child=_of_child(seen, acting, now),
            )
            rules = (rule, *((plan.acting[kind].rule,) if kind in plan.acting else ()))
            moved = self._take_in(transaction, seen, one, rules, shown if enough else (), now)
            decision = Decision(True, tuple(each.cited() for each in rules))
            _, ends = self._ended(transaction, moved, one, now, confirmed and enough)
            return Outcome(decision, now, made=one.request_id, tells=(*_for_others(seen, one), *ends))

        return self._attempt(subject_id, work)

    def _ended(
        self,
        transaction: Transaction,
        seen: Seen,
        request: Request,
        now: Instant,
        confirmed: bool,
        ends: list[tuple[EngagementId, str]] | None = None,
    ) -> tuple[Seen, tuple[str, ...]]:
        """What an erasure ends, told; ended where somebody proved has confirmed it."""
        found = ended_by(seen, request, now) if ends is None else ends
        if confirmed and found:
            seen = self._end_all(transaction, seen, found, now, now)
        return seen, tuple(f"ends:{kind}" for _, kind in found)

    @staticmethod
    def _acting_as(seen: Seen, by: str | None) -> Acting | None:
        if by is None or by == "subject":
            return None
        acting = found(seen.state, by)
        if acting is None:
            raise InputRefused("acting-unknown", "nobody acts for this person under that id; record who does first")
        return acting

    @staticmethod
    def _shown_by(plan: Plan, right: str, channel: str, acting: Acting | None) -> tuple[str, ...]:
        """Who is proved at once has shown what the channel asks; who acts for another has shown the papers before."""
        return least_proof(plan, right, channel, acting.kind) if acting else signed_in(plan, channel)

    @staticmethod
    def _objected(seen: Seen, request: RequestId | None) -> RequestId | None:
        if request is not None and all(one.request_id != request for one in seen.state.requests):
            raise InputRefused("request-unknown", "this person has no such request to object to")
        return request

    def _take_in(
        self,
        transaction: Transaction,
        seen: Seen,
        one: Request,
        rules: tuple[Rule, ...],
        shown: tuple[str, ...],
        now: Instant,
    ) -> Seen:
        state = replaced(seen.state, requests=(*seen.state.requests, one))
        anchors = ((RECEIVED, one.received_at),) if one.right == "suspension" else ()
        moved = self._changed(transaction, seen, state, now, anchors)
        subjects.add_request(transaction, seen.subject_id, one)
        self._note_late_suspension(transaction, seen, one)
        transaction.journal(
            self._entry(
                seen,
                one.received_at,
                "request.received",
                rules,
                request=one.request_id,
                right=one.right,
                channel=one.channel,
                values=one.values or None,
                by=one.by,
                due_at=one.due_at,
                proved_at=one.proved_at,
                purposes=one.purposes or None,
                known_at=one.known_at,
                freezes=one.freezes,
                acting=one.acting,
                objects_to=one.objects_to,
                for_child=one.for_child or None,
                proofs=shown or None,
            )
        )
        self._hold_entry(transaction, moved, one)
        return moved

    @staticmethod
    def _note_late_suspension(transaction: Transaction, seen: Seen, one: Request) -> None:
        """A suspension can be entered, or proved, when the time to answer it is over: what it is about is due at once,
        and no day that is still to come would lead the sweep there.
        """
        if one.right == "suspension":
            subjects.mark_dirty(transaction, seen.subject_id, seen.policy)

    @staticmethod
    def _right_rule(plan: Plan, right: str, channel: str) -> Rule:
        if right not in RIGHTS:
            raise InputRefused("right-unknown", f"`{right}` is no right; there are: {', '.join(RIGHTS)}")
        row = plan.rights.get(right)
        if row is not None and row.by and channel not in row.by:
            raise InputRefused("channel-undeclared", f"`{right}` is asked by: {', '.join(sorted(row.by))}")
        return row.rule if row else plan.builtin["rights"]

    @staticmethod
    def _refused_before(seen: Seen, right: str, values: tuple[ValueId, ...]) -> bool:
        """Whether every value that the new request is about was in one of the same kind that was refused."""
        before = [one for one in seen.state.requests if one.right == right and one.state is RequestState.REFUSED]
        about = [one for one in seen.state.values if not values or one.value_id in values]
        return right in _FREEZING and bool(about) and all(any(touches(old, one) for old in before) for one in about)

    def deadline(self, plan: Plan, right: str, received_at: Instant) -> Instant:
        """When the answer is due: the stricter of promise and law, moved off Saturdays, Sundays and public holidays."""
        row: RightPlan | None = plan.rights.get(right)
        by_law = plan.country.automated if right == AUTOMATED else plan.country.answered
        end = end_of(received_at, row.within if row else by_law, plan.zone)
        return self._working_day(plan, end)

    def _working_day(self, plan: Plan, end: Instant) -> Instant:
        added, zone = self.views.holidays(plan.policy), plan.zone.key
        return moved_off_holidays(end, lambda day: not _worked(zone, day) or day in added, plan.zone)

    def is_working_day(self, plan: Plan, day: date) -> bool:
        """Whether answers fall due on a day: no Saturday, Sunday, public holiday, nor one that an officer added."""
        return _worked(plan.zone.key, day) and day not in self.views.holidays(plan.policy)

    def holiday(self, policy: str, day: date) -> None:
        """An officer adds a day on which no answer falls due, such as a holiday proclaimed at short notice."""
        self.views.line(policy)

        def work(transaction: Transaction) -> None:
            transaction.execute(_ADD_HOLIDAY, (policy, f"{subjects.HOLIDAY}{day.isoformat()}"))
            subjects.new_plan(transaction)  # it is known with the plan, and proved with it

        self.places.active.submit(work)
        self.views.outdated()

    def _hold_entry(self, transaction: Transaction, seen: Seen, one: Request) -> None:
        right = seen.view.plan.rights.get(one.right)
        of_child = child_freeze(seen.view.plan, one)
        freezes = one.right == "suspension" or (right is not None and right.freezes and one.freezes)
        if one.proved_at is None or not (freezes or of_child):
            return
        everything = right is not None and right.freeze_covers_person
        held = tuple(
            value.value_id
            for value in seen.state.values
            if (everything or touches(one, value)) and value.held is HeldState.HELD
        )
        hold = "suspended" if one.right == "suspension" else "frozen"
        rule = of_child or (right.rule if right else seen.view.plan.builtin["rights"])
        transaction.journal(
            self._entry(seen, transaction.at, "hold.set", (rule,), request=one.request_id, hold=hold, values=held)
        )

    def prove(self, subject_id: SubjectId, request: RequestId, *, proof: str | tuple[str, ...]) -> Outcome:
        """Identity (and a mandate, where one acts for another) is proved: from now on the request is obeyed.

        `proof` names what was shown. What is not enough for this right by this channel is refused with
        `identity-not-proved`, naming what would do.
        """
        shown = (proof,) if isinstance(proof, str) else tuple(proof)

        def change(one: Request, now: Instant) -> Request:
            state = RequestState.OPEN if one.state in _BEFORE_PROOF else one.state
            return replace(one, proved_at=one.proved_at if one.proved_at is not None else now, state=state)

        fields = {"proof": shown[0] if shown else None, "proofs": shown or None}
        return self._move(subject_id, request, change, "request.proved", fields, shown=shown)

    def incomplete(self, subject_id: SubjectId, request: RequestId, *, missing: tuple[str, ...] = ()) -> Outcome:
        """Something is missing (proofs or papers, by their names): the person is asked for it, the clock runs on."""

        def change(one: Request, now: Instant) -> Request:
            if one.state not in _BEFORE_PROOF:
                raise InputRefused("not-incomplete", "who asked is proved already; answer, or ask for nothing more")
            return replace(one, state=RequestState.TO_BE_COMPLETED)

        return self._move(subject_id, request, change, "request.incomplete", {"missing": missing or None})

    def postpone(self, subject_id: SubjectId, request: RequestId, *, until: When, reason: str) -> Outcome:
        """Access is put off until an instant, for a reason the person is told; then it is open again by itself.

        LAW: Personal Information Protection Act 35(3), decree 42. Raises InputRefused for any other right.
        """
        resumes = _instant_of(until)

        def change(one: Request, now: Instant) -> Request:
            if one.right != "access" or not one.waiting:
                raise InputRefused("not-postponed", "only access that has no answer yet can be postponed")
            if resumes <= now:
                raise InputRefused("not-postponed", "it is postponed to a day that has not come yet")
            due_at = self.deadline(self._plan_of(subject_id), one.right, resumes)
            return replace(one, state=RequestState.POSTPONED, postponed_until=resumes, due_at=due_at)

        fields = {"reason": reason, "until": resumes}
        return self._move(subject_id, request, change, "request.postponed", fields)

    def extend(self, subject_id: SubjectId, request: RequestId, *, reason: str) -> Outcome:
        """As long again about an automated decision, twice at most. LAW: `automated.answered`."""

        def change(one: Request, now: Instant) -> Request:
            if one.right != AUTOMATED or not one.waiting or one.extended >= MOST_EXTENDED:
                raise InputRefused("not-extended", "only an open request about an automated decision, and only twice")
            plan = self._plan_of(subject_id)
            due_at = self._working_day(plan, end_of(one.due_at, plan.country.automated, plan.zone))
            return replace(one, due_at=due_at, extended=one.extended + 1)

        return self._move(subject_id, request, change, "request.extended", {"reason": reason})

    def pass_on(self, subject_id: SubjectId, request: RequestId, *, party: str) -> Outcome:
        """The data came from another controller: the request goes there, and what is frozen stays so until answered."""

        def change(one: Request, now: Instant) -> Request:
            if not one.waiting or one.proved_at is None:
                raise InputRefused("not-passed-on", "only a request of somebody proved that has no answer is passed on")
            return replace(one, passed_to=party)

        return self._move(subject_id, request, change, "request.passed", {"party": party})

    def _plan_of(self, subject_id: SubjectId) -> Plan:
        return self.views.get(subject_id, self.now()).view.plan

    def answer(
        self,
        subject_id: SubjectId,
        request: RequestId,
        outcome: RequestState | str,
        *,
        reason: str | None = None,
        handler: str | None = None,
        confirmed: bool = False,
    ) -> Outcome:
        """The request is answered: done, partly, refused, not-identified, nothing-held or taken-back. Lifts the freeze.

        Every answer but *done* has a reason (a code). An erasure that is done ends every ground except statutes,
        claims, disputes and proofs; `tells` says what they keep, and which open engagements it ends (`ends:`), which
        `confirmed` does. A request that must be obeyed only by its proven owner is refused with `identity-not-proved`
        while unproved. `handler`: who answered; an objection is answered by somebody else than what it objects to.
        """
        if outcome not in _ANSWERS:
            raise InputRefused("outcome-unknown", f"answer with one of: {', '.join(one.value for one in _ANSWERS)}")
        state = RequestState(outcome)

        def change(one: Request, now: Instant) -> Request:
            if one.settled_at is not None:
                raise InputRefused("already-answered", "this request has its answer; a new request opens a new clock")
            why = reason or _REASON.get(state) or (_KEPT if one.right == "erasure" and state in DONE else None)
            if state in (RequestState.REFUSED, RequestState.PARTLY) and not why:
                raise InputRefused("reason-missing", "what is not plainly done says why; give a reason code")
            if one.right == "suspension" and state is RequestState.REFUSED and why not in SUSPENSION_REFUSED_FOR:
                grounds = ", ".join(SUSPENSION_REFUSED_FOR)
                raise InputRefused("reason-unlawful", f"a suspension is refused on one of the law's grounds: {grounds}")
            told = why if state is not RequestState.DONE else reason
            return replace(one, state=state, settled_at=now, settled_known_at=now, reason=told, answered_by=handler)

        fields = {"outcome": state.value, "answered_by": handler}
        return self._move(subject_id, request, change, "request.answered", fields, confirmed=confirmed)

    def answer_of(self, subject_id: SubjectId, request: RequestId) -> Answer | None:
        """The answer as the person is told it; None while there is none. Any but *done* has reason, remedy and a way to
        object.
        """
        seen = self.views.get(subject_id, self.now())
        one = next((each for each in seen.state.requests if each.request_id == request), None)
        if one is None:
            raise InputRefused("request-unknown", "this person has no such request")
        if one.waiting:
            return None
        plan = seen.view.plan
        kept = kept_after(seen, one, self._decided_at(seen))
        return Answer(
            one,
            one.state,
            one.reason,
            plan.remedies,
            plan.offices,
            _objection(plan),
            tuple(each.removeprefix("kept:") for each in kept),
        )

    def lift(self, subject_id: SubjectId, request: RequestId) -> Outcome:
        """The person lifts a suspension."""

        def change(one: Request, now: Instant) -> Request:
            return replace(one, lifted_at=now)

        return self._move(subject_id, request, change, "hold.lifted", {"hold": "suspended"})

    def accept_again(self, subject_id: SubjectId, request: RequestId) -> Outcome:
        """Staff accept a request after an earlier refusal: it freezes from now on."""

        def change(one: Request, now: Instant) -> Request:
            return replace(one, freezes=True)

        return self._move(subject_id, request, change, "request.proved", {"proof": "accepted-by-staff"})

    def _move(
        self,
        subject_id: SubjectId,
        request: RequestId,
        change: Callable[[Request, Instant], Request],
        kind: str,
        fields: Mapping[str, object],
        shown: tuple[str, ...] | None = None,
        confirmed: bool = False,
    ) -> Outcome:
        def work(transaction: Transaction, seen: Seen, now: Instant) -> Outcome:
            before = next((one for one in seen.state.requests if one.request_id == request), None)
            if before is None:
                raise InputRefused("request-unknown", "this person has no such request")
            right = seen.view.plan.rights.get(before.right)
            rule = right.rule if right else seen.view.plan.builtin["rights"]
            after: Request = change(before, now)
            against = self._against_move(seen, before, after, rule, shown, now)
            if against is not None:
                return self._not_done(transaction, seen, "request", against, now)
            requests = tuple(after if one is before else one for one in seen.state.requests)
            moved = self._changed(transaction, seen, replaced(seen.state, requests=requests), now, ())
            subjects.set_request(transaction, subject_id, after)
            if after.settled_at is not None or after.lifted_at is not None:
                self._stirred(transaction, moved)
            elif after.proved_at != before.proved_at:
                self._note_late_suspension(transaction, moved, after)
            self._note_move(transaction, moved, before, after, rule, kind, fields, now)
            answered = after.settled_at is not None and before.settled_at is None
            ended: tuple[str, ...] = ()
            if answered and after.state in DONE:
                ends = ended_by(seen, before, now)
                moved, ended = self._ended(transaction, moved, before, now, confirmed, ends)
            tells = kept_after(moved, after, now) + ended
            return Outcome(Decision(True, (rule.cited(),)), now, made=request, tells=tells)

        return self._attempt(subject_id, work)

    def _against_move(
        self, seen: Seen, before: Request, after: Request, rule: Rule, shown: tuple[str, ...] | None, now: Instant
    ) -> Cited | None:
        """What speaks against a step: a proof that is not enough, an answer before its time, by the same hand."""
        plan, done = seen.view.plan, after.state in (RequestState.DONE, RequestState.PARTLY)
        if shown is not None and before.proved_at is None:
            missing = not_proved(plan, after.right, after.channel, shown, after.by)
            if missing is not None:
                return missing
        if (done or after.state is RequestState.NOTHING_HELD) and after.proved_at is None:
            return rule.cited(Reason.IDENTITY_NOT_PROVED, "by", " or ".join(self._would_do(plan, after)))
        answers = after.settled_at is not None and before.settled_at is None
        if answers and self._same_hand(seen, after):
            return rule.cited(Reason.DUTY_MISSING, detail="an objection is decided by somebody else")
        if done and after.right == "erasure" and _access_open(seen.state.requests, now):
            raise InputRefused("access-first", "this person's request for access is open; answer it, then erase")
        if answers and after.state is RequestState.NOTHING_HELD and any(_still_held(seen, after)):
            raise InputRefused("something-held", "something is held that the request is about; it is not nothing")
        return None

    @staticmethod
    def _would_do(plan: Plan, one: Request) -> tuple[str, ...]:
        return least_proof(plan, one.right, one.channel, one.by)

    @staticmethod
    def _same_hand(seen: Seen, one: Request) -> bool:
        """Whether an objection is answered by who gave the answer it objects to, or by nobody named."""
        against = next((each for each in seen.state.requests if each.request_id == one.objects_to), None)
        if against is None or against.answered_by is None:
            return False
        return one.answered_by is None or one.answered_by == against.answered_by

    def _note_move(
        self,
        transaction: Transaction,
        seen: Seen,
        before: Request,
        after: Request,
        rule: Rule,
        kind: str,
        fields: Mapping[str, object],
        now: Instant,
    ) -> None:
        named: dict[str, object] = {key: value for key, value in fields.items() if value is not None}
        if kind != "hold.lifted":
            named["right"] = after.right
        else:
            named["values"] = tuple(after.values)
        if kind in ("request.postponed", "request.extended"):
            named["due_at"] = after.due_at
        if kind == "request.extended":
            named["extended"] = after.extended
        if kind == "request.answered" and after.reason is not None:
            named["reason"] = after.reason
        if kind == "request.answered" and after.state is not RequestState.DONE:
            plan = seen.view.plan
            named |= {"remedies": (*plan.remedies, *plan.offices) or None, "objection": _objection(plan)}
        transaction.journal(self._entry(seen, now, kind, (rule,), request=after.request_id, **named))
        if before.proved_at is None and after.proved_at is not None:
            self._hold_entry(transaction, seen, after)
        if after.settled_at is not None and before.settled_at is None and after.right in _FREEZING:
            self._unfrozen(transaction, seen, after, rule, now)

    def _unfrozen(self, transaction: Transaction, seen: Seen, after: Request, rule: Rule, now: Instant) -> None:
        of_child = child_freeze(seen.view.plan, after)
        if of_child is not None and after.state not in (*DONE, RequestState.TAKEN_BACK):
            return  # a reason given does not end it: it stands still until corrected
        held = tuple(value.value_id for value in seen.state.values if touches(after, value))
        rules = (of_child or rule,)
        transaction.journal(
            self._entry(seen, now, "hold.lifted", rules, request=after.request_id, hold="frozen", values=held)
        )

    def requests(self, subject_id: SubjectId) -> tuple[Request, ...]:
        """Every request of a person with its state."""
        return self.views.get(subject_id, self.now()).state.requests

    def holdings(self, subject_id: SubjectId) -> list[tuple[Value, DueState, tuple[str, ...]]]:
        """What is held on a person: each value, where it ought to be, and the elements that keep it."""
        seen = self.views.get(subject_id, self.now())
        now = self._decided_at(seen)
        found: list[tuple[Value, DueState, tuple[str, ...]]] = []
        for value in seen.state.values:
            if value.held is not HeldState.DESTROYED:
                due = seen.view.life.due(value, now)
                found.append((value, due.state, tuple(dict.fromkeys(ground.rule.path for ground in due.grounds))))
        return found

    def disputed(self, subject_id: SubjectId) -> frozenset[ValueId]:
        """The values of a person that are frozen until a request about them is settled."""
        seen = self.views.get(subject_id, self.now())
        return frozenset(disputed(seen.view, seen.view.values, self._decided_at(seen)))


def _access_open(requests: tuple[Request, ...], at: Instant) -> bool:
    """Whether somebody proved has asked to see what an erasure would take away; what is postponed waits as well."""
    return any(one.right in ("access", "portability") and one.waiting and one.proved_at is not None for one in requests)


def _of_child(seen: Seen, acting: Acting | None, now: Instant) -> bool:
    """Whether the representative of somebody who is a child now asks."""
    minor = seen.state.minor_until is not None and now < seen.state.minor_until
    return minor and acting is not None and acting.kind is ActingKind.REPRESENTATIVE


def ended_with(seen: Seen, values: Iterable[Value], now: Instant) -> list[tuple[EngagementId, str]]:
    """The open engagements that need some of these values: without them the service cannot be given."""
    plan, life = seen.view.plan, seen.view.life
    needed: set[EngagementId] = set()
    open_ones = {one for one in seen.state.engagements if life.engagement_end(one).at > now}
    for value in values:
        if open_ones <= needed:
            break
        for ground in life.grounds(value):
            row = plan.purposes.get(ground.purpose or "") if ground.kind is GroundKind.PURPOSE else None
            if row is not None and row.required and ground.engagement and ground.live(now):
                needed.add(ground.engagement)
    return [
        (one.engagement_id, one.kind)
        for one in seen.state.engagements.values()
        if one.engagement_id in needed and one.engagement_id in open_ones
    ]


def ended_by(seen: Seen, request: Request, now: Instant) -> list[tuple[EngagementId, str]]:
    """The open engagements that cannot go on when an erasure is done; none by any other right."""
    if request.right != "erasure":
        return []
    return ended_with(seen, (value for value in seen.state.values if touches(request, value)), now)


def _still_held(seen: Seen, request: Request) -> Iterator[bool]:
    for value in seen.state.values:
        if value.held in (HeldState.HELD, HeldState.MOVING, HeldState.SEPARATED) and touches(request, value):
            yield True


def _beyond(seen: Seen, acting: Acting, right: str, values: tuple[ValueId, ...], now: Instant) -> Cited | None:
    """Why this is no request under the mandate; one for items of which nothing is there is not for all the rest."""
    plan = seen.view.plan
    items = {value.item for value in seen.state.values if value.value_id in values}
    against = exceeds(plan, seen.state, acting, right, sorted(items), now)
    if against is None and acting.items and not values and not _within(seen, acting):
        row = plan.acting.get(acting.kind)
        rule = row.rule if row is not None else plan.builtin["rights"]
        return rule.cited(Reason.UNKNOWN, detail=", ".join(acting.items))
    return against


def _within(seen: Seen, acting: Acting | None) -> tuple[ValueId, ...]:
    """A mandate for some items is a request about the values of these items and no others."""
    if acting is None or not acting.items:
        return ()
    return tuple(value.value_id for value in seen.state.values if value.item in acting.items)


def _for_others(seen: Seen, request: Request) -> tuple[str, ...]:
    """The controllers for whom something is held that a request is about: it is passed on to them."""
    held = [value for value in seen.state.values if value.held_for and value.held is not HeldState.DESTROYED]
    return tuple(dict.fromkeys(f"pass-on:{value.held_for}" for value in held if touches(request, value)))


def _objection(plan: Plan) -> str:
    """The way to object, as an element path. LAW: PIPA 38(5)."""
    right = plan.rights.get("objection")
    return right.rule.path if right is not None else "rights.objection"


def _instant_of(at: When) -> Instant:
    if at is None:
        raise InputRefused("until-missing", "say until when")
    return instant(at) if isinstance(at, datetime) else at


def kept_after(seen: Seen, request: Request, now: Instant) -> tuple[str, ...]:
    """What an erasure leaves: the elements of the grounds that keep values all the same."""
    if request.right != "erasure" or request.settled_at is None:
        return ()
    kept: dict[str, None] = {}
    for value in seen.state.values:
        if touches(request, value) and value.held is not HeldState.DESTROYED:
            for ground in seen.view.life.grounds(value):
                if ground.kind is not GroundKind.PURPOSE and ground.until.at > now >= ground.from_at:
                    kept[f"kept:{ground.rule.path}"] = None
    return tuple(kept)


def _worked(zone: str, day: date) -> bool:
    """Whether a day is none of the weekend and no public holiday where that zone is; without a table of law for it
    Saturdays and Sundays alone are free.
    """
    pack = TABLES.of_zone(zone)
    if pack is None:
        return day.isoweekday() not in WEEKEND
    free = day in pack.days_off or (pack.holidays and day in _public_holidays(pack.holidays))
    return day.isoweekday() not in pack.weekend and not free


@cache
def _public_holidays(country: str) -> HolidayBase:
    return country_holidays(country)


WEEKEND: Final = (6, 7)
"""Ours, where no table of law says it: Saturday and Sunday."""
_ADD_HOLIDAY = (
    "INSERT INTO setting(policy, name, value) VALUES(?, ?, 'yes') "
    "ON CONFLICT(policy, name) DO UPDATE SET value = excluded.value"
)
