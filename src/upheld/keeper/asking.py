"""A person asks: access, rectification, erasure, suspension and the rest; freezes, outcomes, refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import cache

from holidays import HolidayBase, country_holidays

from upheld.dates import Instant, end_of, moved_off_holidays
from upheld.engine.acts import Decision, Reason, RequestId, SubjectId, ValueId, refused
from upheld.engine.compile import ANSWER_BY_LAW, RECEIVED
from upheld.engine.lifecycle import DueState, touches
from upheld.engine.plan import GroundKind, Plan, RightPlan, Rule
from upheld.engine.state import HeldState, Request, RequestState, Value
from upheld.errors import InputRefused
from upheld.keeper.door import Door, When, replaced
from upheld.keeper.outcome import Outcome
from upheld.store import subjects
from upheld.store.place import Transaction
from upheld.store.views import Seen

RIGHTS = ("access", "rectification", "erasure", "suspension", "withdrawal", "portability", "source", "objection")
_FREEZING = frozenset({"rectification", "erasure"})


class Asking(Door):
    """Requests and their outcomes."""

    def request(
        self,
        subject_id: SubjectId,
        right: str,
        *,
        channel: str,
        proved: bool = False,
        values: tuple[ValueId, ...] = (),
        purposes: tuple[str, ...] = (),
        at: When = None,
    ) -> Outcome:
        """A request comes in. `proved`: identity was proved at once (a signed-in person); else `prove` follows.

        The clock runs from receipt. A freeze holds from the proof of identity; what a letter of someone unproved says
        is on record and obeyed by nobody.
        """

        def work(transaction: Transaction, seen: Seen, now: Instant) -> Outcome:
            plan = seen.view.plan
            rule = self._right_rule(plan, right, channel)
            when = self._happened(at, seen)
            one = Request(
                RequestId(self.new_id()),
                right,
                when,
                transaction.at,
                now if proved else None,
                values,
                purposes,
                freezes=not self._refused_before(seen, right, values),
            )
            deadline = self.deadline(plan, right, when)
            state = replaced(seen.state, requests=(*seen.state.requests, one))
            anchors = ((RECEIVED, when),) if right == "suspension" else ()
            moved = self._changed(transaction, seen, state, now, anchors)
            subjects.add_request(transaction, subject_id, one, channel, deadline)
            transaction.journal(
                self._entry(
                    seen,
                    when,
                    "request.received",
                    (rule,),
                    request=one.request_id,
                    right=right,
                    channel=channel,
                    values=values or None,
                    due_at=deadline,
                    proved_at=one.proved_at,
                    purposes=purposes or None,
                    known_at=transaction.at,
                    freezes=one.freezes,
                )
            )
            self._hold_entry(transaction, moved, one)
            return Outcome(Decision(True, (rule.cited(),)), now, made=one.request_id)

        return self._attempt(subject_id, work)

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
        end = end_of(received_at, row.within if row else ANSWER_BY_LAW, plan.zone)
        public = _public_holidays(_COUNTRIES.get(plan.zone.key))
        added = self._added_holidays(plan.policy)
        return moved_off_holidays(end, lambda day: day in public or day in added, plan.zone)

    def _added_holidays(self, policy: str) -> frozenset[date]:
        with self.places.active.reading() as connection:
            names = [name for (name,) in connection.execute(_ADDED_HOLIDAYS, (policy,))]
        return frozenset(date.fromisoformat(name.removeprefix("holiday/")) for name in names)

    def holiday(self, policy: str, day: date) -> None:
        """An officer adds a day on which no answer falls due, such as a holiday proclaimed at short notice."""
        self.views.line(policy)
        row = (policy, f"holiday/{day.isoformat()}")
        self.places.active.submit(lambda transaction: transaction.execute(_ADD_HOLIDAY, row))

    def _hold_entry(self, transaction: Transaction, seen: Seen, one: Request) -> None:
        right = seen.view.plan.rights.get(one.right)
        freezes = one.right == "suspension" or (right is not None and right.freezes and one.freezes)
        if one.proved_at is None or not freezes:
            return
        everything = right is not None and right.freeze_covers_person
        held = tuple(
            value.value_id
            for value in seen.state.values
            if (everything or touches(one, value)) and value.held is HeldState.HELD
        )
        hold = "suspended" if one.right == "suspension" else "frozen"
        rule = right.rule if right else seen.view.plan.builtin["rights"]
        transaction.journal(
            self._entry(seen, transaction.at, "hold.set", (rule,), request=one.request_id, hold=hold, values=held)
        )

    def prove(self, subject_id: SubjectId, request: RequestId, *, proof: str) -> Outcome:
        """Identity (and a mandate, where one acts for another) is proved: from now on the request is obeyed."""

        def change(one: Request, now: Instant) -> Request:
            return replace(one, proved_at=one.proved_at if one.proved_at is not None else now)

        return self._move(subject_id, request, change, "request.proved", {"proof": proof})

    def answer(
        self, subject_id: SubjectId, request: RequestId, outcome: RequestState | str, *, reason: str | None = None
    ) -> Outcome:
        """The request is answered: `done`, `partly` or `refused` (with a reason code). Lifts the freeze.

        An erasure that is done ends every ground except statutes, claims, disputes and proofs; `tells` says what
        they keep.
        A request that must be obeyed only by its proven owner is refused with `identity-not-proved` while unproved.
        """
        state = RequestState(outcome)
        if state is RequestState.OPEN:
            raise InputRefused("outcome-unknown", "answer with done, partly, refused or taken-back")
        if state is RequestState.REFUSED and not reason:
            raise InputRefused("reason-missing", "a refusal says why; give a reason code")

        def change(one: Request, now: Instant) -> Request:
            return replace(one, state=state, settled_at=now, settled_known_at=now)

        return self._move(subject_id, request, change, "request.answered", {"outcome": state.value, "reason": reason})

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
        fields: Mapping[str, str | None],
    ) -> Outcome:
        def work(transaction: Transaction, seen: Seen, now: Instant) -> Outcome:
            found = next((one for one in seen.state.requests if one.request_id == request), None)
            if found is None:
                raise InputRefused("request-unknown", "this person has no such request")
            right = seen.view.plan.rights.get(found.right)
            rule = right.rule if right else seen.view.plan.builtin["rights"]
            after: Request = change(found, now)
            if after.state in (RequestState.DONE, RequestState.PARTLY) and after.proved_at is None:
                self.views.prove(transaction, seen)
                return Outcome(refused(rule.cited(Reason.IDENTITY_NOT_PROVED, "by")), now)
            erases = after.right == "erasure" and after.state in (RequestState.DONE, RequestState.PARTLY)
            if erases and _access_open(seen.state.requests):
                raise InputRefused("access-first", "this person's request for access is open; answer it, then erase")
            if found.settled_at is not None and after.settled_at != found.settled_at:
                raise InputRefused("already-answered", "this request has its answer; a new request opens a new clock")
            requests = tuple(after if one is found else one for one in seen.state.requests)
            moved = self._changed(transaction, seen, replaced(seen.state, requests=requests), now, ())
            subjects.set_request(transaction, subject_id, after)
            if after.settled_at is not None or after.lifted_at is not None:
                self._stirred(transaction, moved)
            self._note_move(transaction, moved, found, after, rule, kind, fields, now)
            return Outcome(Decision(True, (rule.cited(),)), now, made=request, tells=kept_after(moved, after, now))

        return self._attempt(subject_id, work)

    def _note_move(
        self,
        transaction: Transaction,
        seen: Seen,
        before: Request,
        after: Request,
        rule: Rule,
        kind: str,
        fields: Mapping[str, str | None],
        now: Instant,
    ) -> None:
        named: dict[str, object] = {key: value for key, value in fields.items() if value is not None}
        if kind != "hold.lifted":
            named["right"] = after.right
        else:
            named["values"] = tuple(after.values)
        transaction.journal(self._entry(seen, now, kind, (rule,), request=after.request_id, **named))
        if before.proved_at is None and after.proved_at is not None:
            self._hold_entry(transaction, seen, after)
        if after.settled_at is not None and before.settled_at is None and after.right in _FREEZING:
            held = tuple(value.value_id for value in seen.state.values if touches(after, value))
            transaction.journal(
                self._entry(seen, now, "hold.lifted", (rule,), request=after.request_id, hold="frozen", values=held)
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


def _access_open(requests: tuple[Request, ...]) -> bool:
    """Whether somebody proved has asked to see what an erasure would take away."""
    return any(
        one.right in ("access", "portability") and one.state is RequestState.OPEN and one.proved_at is not None
        for one in requests
    )


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


@cache
def _public_holidays(country: str | None) -> HolidayBase:
    return country_holidays(country) if country else HolidayBase()


_COUNTRIES = {"Asia/Seoul": "KR"}
"""Whose public holidays count, by the zone a policy names; elsewhere only weekends and what an officer added."""
_ADDED_HOLIDAYS = "SELECT name FROM setting WHERE policy = ? AND name LIKE 'holiday/%'"
_ADD_HOLIDAY = (
    "INSERT INTO setting(policy, name, value) VALUES(?, ?, 'yes') "
    "ON CONFLICT(policy, name) DO UPDATE SET value = excluded.value"
)
