"""Grounds and the life of a value: pure functions of facts and time. `docs/rules.md` sections 3 and 4.

`Life` answers for one subject under one policy line: which grounds each value has, from when until when by the
facts known, and what is due. It never asks what the clock says.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, assert_never, cast

from msgspec import Struct

from upheld.dates import BEGINNING, FOREVER, Instant, Period, calendar_end, end_of
from upheld.engine.acts import EngagementId, SubjectId, ValueId
from upheld.engine.plan import GroundKind, Plan, PolicyLine, PurposePlan, RetentionPlan, Rule, points_in
from upheld.engine.state import (
    About,
    AboutKind,
    Consent,
    ControllerState,
    Fact,
    HeldState,
    Request,
    RequestState,
    SubjectState,
    Use,
    Value,
)
from upheld.policy.ends import EarlierOf, End, LaterOf, Plus, Point
from upheld.policy.vocabulary import Basis

_NOT_YET = object()
DONE = frozenset({RequestState.DONE, RequestState.PARTLY})


class Moment(Struct, frozen=True, order=True, gc=False):
    """An instant of the world and when the fact that fixed it became known."""

    at: Instant
    known_at: Instant


NEVER = Moment(FOREVER, BEGINNING)
ALWAYS = Moment(BEGINNING, BEGINNING)


class Ground(Struct, frozen=True, gc=False):
    """One reason to keep one value: live for `from_at <= t < until.at` by the facts known."""

    kind: GroundKind
    rule: Rule
    key: str
    """Which key of the rule cites its end."""
    from_at: Instant
    until: Moment
    purpose: str | None = None
    engagement: EngagementId | None = None

    def live(self, at: Instant) -> bool:
        """Whether the ground keeps the value at that instant."""
        return self.from_at <= at < self.until.at


class DueState(StrEnum):
    """Where a value ought to be."""

    ACTIVE = "active"
    SEPARATED = "separated"
    DUE = "due"


class Due(Struct, frozen=True, gc=False):
    """What ought to happen to a value: since when, since when it is known, and by what ground."""

    state: DueState
    since: Moment
    grounds: tuple[Ground, ...]


def _later(moments: list[Moment]) -> Moment:
    """All of them must have come, so it is known when the last of them is."""
    return Moment(max(one.at for one in moments), max(one.known_at for one in moments)) if moments else ALWAYS


def _earlier(moments: list[Moment]) -> Moment:
    return min(moments, default=NEVER)


def _period_since_collection(end: End | None) -> Period | None:
    """The period of an end that is nothing but a period from the collection."""
    if isinstance(end, Plus) and end.point.calendar is None and end.point.fact in ("collected", "provided"):
        return end.period
    return None


class Scope(NamedTuple):
    """Where the points of an end are looked up."""

    anchor_at: Instant
    anchor_known: Instant
    engagement: EngagementId | None
    purpose: str | None
    bound: Mapping[str, Moment] = MappingProxyType({})
    """Occurrences that are meant and no others: the event of a law, a fee and its payment, a dispute and its end."""
    about: About | None = None


class _BoundUse(Struct, frozen=True, gc=False):
    """What holds for a use whatever its item: reckoned once for all values that came together."""

    purpose: PurposePlan
    until: Moment
    consented: Moment
    since: tuple[Plan, ...]
    """Versions that came into force after the use began."""


class _Agreed(NamedTuple):
    """What holds for all uses of one purpose that began between the same two events."""

    purposes: tuple[tuple[PurposePlan, bool], ...]
    """The declarations that bind, and whether a consent given again moves their end on."""
    consented: Moment
    since: tuple[Plan, ...]
    counted: tuple[Period, ...]
    """The periods of their ends where each counts from the collection and only the end of an engagement comes before
    it; otherwise nothing.
    """


class Life:
    """The grounds of one subject's values by what is known at `known_at`, policy versions included."""

    def __init__(
        self,
        line: PolicyLine,
        state: SubjectState,
        controller: ControllerState,
        at: Instant,
        before: Life | None = None,
    ) -> None:
        """`at` picks the version in force; facts later than it are read too, as announced ends.

        `before` is an earlier life of the same subject: what it has reckoned from the very same facts passes over.
        """
        self.line = line
        self.state = state
        self.controller = controller
        self.plan: Plan = line.at(at) or line.plans[0]
        self._engagement_ends: dict[EngagementId, Moment] = {}
        self._bound_uses: dict[Use, _BoundUse | object | None] = {}
        self._agreed: dict[tuple[str, str, int], _Agreed] = {}
        self._boundaries: dict[str, list[Instant]] = {}
        """Instants at which what is agreed and declared for a purpose can change, in order."""
        self._rows: dict[GroundKind, tuple[RetentionPlan, ...]] = {}
        self._grounds: dict[ValueId, tuple[Value, tuple[Ground, ...]]] = {}
        self.covered: dict[object, tuple[Instant, Instant]] = {}
        """From when until when what a person was granted once is granted again: see `steady`."""
        if before is not None and self._rests_on_the_same(before):
            self._engagement_ends, self._bound_uses = before._engagement_ends, before._bound_uses
            self._agreed, self._boundaries, self._rows = before._agreed, before._boundaries, before._rows
            self.covered = before.covered

    def _rests_on_the_same(self, before: Life) -> bool:
        """Ends of engagements and uses follow from these alone; a value more or a request more changes none of them."""
        mine, theirs = self.state, before.state
        return (
            self.line is before.line
            and self.plan is before.plan
            and self.controller is before.controller
            and mine.facts is theirs.facts
            and mine.consents is theirs.consents
            and mine.engagements is theirs.engagements
        )

    # ── ends ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def engagement_end(self, engagement_id: EngagementId) -> Moment:
        """When an engagement ended by the facts known."""
        known = self._engagement_ends.get(engagement_id)
        if known is None:
            known = self._engagement_ends[engagement_id] = self._engagement_end(engagement_id)
        return known

    def _engagement_end(self, engagement_id: EngagementId) -> Moment:
        engagement = self.state.engagements.get(engagement_id)
        if engagement is None:
            return NEVER
        said = [Moment(fact.at, fact.known_at) for fact in self._of("ended") if fact.engagement == engagement_id]
        known = [plan.engagements[engagement.kind] for plan in self.line.plans if engagement.kind in plan.engagements]
        declared = self.plan.engagements.get(engagement.kind, known[-1] if known else None)
        if declared is not None and declared.ends is not None:
            # An end that names `ended` itself waits for the fact.
            scope = Scope(engagement.begun_at, engagement.known_at, engagement_id, None, {"ended": NEVER})
            said.append(self.end(declared.ends, scope))
        return _earlier(said)

    def _of(self, code: str) -> tuple[Fact, ...]:
        return self.state.facts_by_code.get(code, ())

    def end(self, end: End, scope: Scope) -> Moment:
        """The instant an end expression names; FOREVER while what it waits for has not happened."""
        match end:
            case Point():
                return self._point(end, scope)
            case Plus(point=point, period=period):
                base = self._point(point, scope)
                return Moment(end_of(base.at, period, self.plan.zone), base.known_at)
            case LaterOf(of=ends):
                return _later([self.end(one, scope) for one in ends])
            case EarlierOf(of=ends):
                return _earlier([self.end(one, scope) for one in ends])
            case _:
                assert_never(end)

    def _point(self, point: Point, scope: Scope) -> Moment:
        moment = self._fact(point.fact, scope)
        if point.calendar is None:
            return moment
        return Moment(calendar_end(point.calendar, moment.at, self.plan.zone), moment.known_at)

    def _fact(self, code: str, scope: Scope) -> Moment:
        bound = scope.bound.get(code)
        if bound is not None:
            return bound
        match code:
            case "collected" | "provided":
                return Moment(scope.anchor_at, scope.anchor_known)
            case "consented":
                return self._consented(scope)
            case "withdrawn":
                return self._withdrawn(scope)
            case "begun":
                engagement = self.state.engagements.get(scope.engagement) if scope.engagement else None
                return Moment(engagement.begun_at, engagement.known_at) if engagement else NEVER
            case "ended":
                return self.engagement_end(scope.engagement) if scope.engagement else NEVER
            case _:
                return self._reported(code, scope)

    def _reported(self, code: str, scope: Scope) -> Moment:
        """A fact that somebody reported: when it happened where the value belongs, or when it closed what was open."""
        declared = self.plan.facts.get(code)
        opener = declared.closes if declared else CLOSES.get(code)
        if opener is not None:
            return self._closed(code, opener, scope)
        return self._first(code, scope)

    def _carried(self, code: str, scope: Scope) -> tuple[Fact, ...]:
        """Occurrences of a fact in the engagement the value belongs to, else with the person, purpose, controller."""
        declared = self.plan.facts.get(code)
        about = declared.about if declared else frozenset({"person"})
        found = self._of(code)
        engagement = self.state.engagements.get(scope.engagement) if scope.engagement else None
        if engagement is not None and engagement.kind in about:
            return tuple(fact for fact in found if fact.engagement == scope.engagement)
        if "controller" in about:
            return self.controller.facts_by_code.get(code, ())
        if "purpose" in about:
            ours = self.controller.facts_by_code.get(code, ()) + found
            return tuple(fact for fact in ours if fact.about in (None, scope.purpose))
        if "party" in about:
            return tuple(fact for fact in self.controller.facts_by_code.get(code, ()))
        return found

    def _first(self, code: str, scope: Scope) -> Moment:
        for fact in self._carried(code, scope):
            if fact.engagement is not None and fact.engagement == scope.engagement:
                return Moment(fact.at, fact.known_at)
            if fact.at >= scope.anchor_at:
                return Moment(fact.at, fact.known_at)
        return NEVER

    def _closed(self, code: str, opener: str, scope: Scope) -> Moment:
        """A closing fact is infinity only while an opener stands open; nothing owed, nothing awaited."""
        openers = self._carried(opener, scope)
        if not openers:
            return ALWAYS
        closers = self._carried(code, scope)
        last = openers[-1]
        after = [fact for fact in closers if fact.at >= last.at]
        if not after:
            return NEVER
        return Moment(after[0].at, after[0].known_at)

    # ── consent ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def consent_events(self, about: About) -> tuple[Consent, ...]:
        """Consents and withdrawals of one matter, in order."""
        return self.state.consents_by_about.get(about, ())

    def standing(self, about: About, at: Instant) -> Consent | None:
        """The consent that stands at an instant: the last one given, unless withdrawn since."""
        last = None
        for event in self.consent_events(about):
            if event.at > at:
                break
            last = event
        return last if last is not None and last.given else None

    def last_consent_event(self, about: About, at: Instant) -> Consent | None:
        """The newest consent or withdrawal up to an instant."""
        last = None
        for event in self.consent_events(about):
            if event.at > at:
                break
            last = event
        return last

    def given_since(self, about: About, at: Instant) -> list[Consent]:
        """The consents to one matter since it was last withdrawn."""
        given: list[Consent] = []
        for event in self.consent_events(about):
            if event.at > at:
                break
            given = [*given, event] if event.given else []
        return given

    def consent_until(self, about: About, since: Instant) -> Moment:
        """Until when the consent that stood at `since` stands; `since` itself where none stood."""
        if self.standing(about, since) is None:
            event = self.last_consent_event(about, since)
            return Moment(since, event.known_at if event else BEGINNING)
        for event in self.consent_events(about):
            if event.at > since and not event.given:
                return Moment(event.at, event.known_at)
        return NEVER

    def _consented(self, scope: Scope) -> Moment:
        """The consent a period counts from; given again while it still ran, it counts from the newer one."""
        about = scope.about or (About(AboutKind.PURPOSE, scope.purpose) if scope.purpose else None)
        if about is None:
            return NEVER
        given = [event for event in self.consent_events(about) if event.given]
        before = [event for event in given if event.at <= scope.anchor_at]
        if not before:
            return NEVER
        return Moment(before[-1].at, before[-1].known_at)

    def _withdrawn(self, scope: Scope) -> Moment:
        about = scope.about or (About(AboutKind.PURPOSE, scope.purpose) if scope.purpose else None)
        return self.consent_until(about, scope.anchor_at) if about else NEVER

    def _renewed(self, end: End, scope: Scope, about: About) -> Moment:
        """An end that counts from consent moves on with each consent given before it was over."""
        until = self.end(end, scope)
        for event in self.consent_events(about):
            if event.given and scope.anchor_at < event.at < until.at:
                bound = {"consented": Moment(event.at, event.known_at)}
                until = max(
                    until,
                    self.end(
                        end,
                        Scope(
                            scope.anchor_at,
                            scope.anchor_known,
                            scope.engagement,
                            scope.purpose,
                            bound,
                            about,
                        ),
                    ),
                )
        return until

    # ── grounds ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def grounds(self, value: Value) -> tuple[Ground, ...]:
        """Every ground of a value that arises by the facts known, in the order in which they begin."""
        known = self._grounds.get(value.value_id)
        if known is not None and known[0] is value:
            return known[1]
        grounds = self._all_grounds(value)
        self._grounds[value.value_id] = (value, grounds)
        return grounds

    def _all_grounds(self, value: Value) -> tuple[Ground, ...]:
        found = [ground for use in value.uses for ground in self._of_use(value, use)]
        candidates = list(self._candidates(value)) if self.plan.kept else []
        if not candidates and len(found) < 2:
            return tuple(found)
        own_until = max((ground.until.at for ground in found), default=BEGINNING)
        own_until = max(own_until, value.collected_at)  # what the law names is kept from its own instant at the least
        held: list[Ground] = list(found)
        for ground in sorted(candidates, key=lambda one: one.from_at):
            if ground.from_at <= own_until and ground.until.at > ground.from_at:
                held.append(ground)
                own_until = max(own_until, ground.until.at)
        return tuple(sorted(held, key=lambda one: (one.from_at, one.rule.path)))

    def would_live(self, item: str, use: Use, at: Instant) -> bool:
        """Whether a value of an item, taken now for this use, would have a live ground."""
        bound = self._bound(use)
        if bound is None:
            return False
        facts = self.state.facts_by_code
        if not (self.state.requests or bound.since or CLOSED_BY_REVIEW in facts or DESTROYED_BY_REVIEW in facts):
            # Nothing that could cut the use short is known: its own end is all there is.
            until = min(bound.until, bound.consented) if bound.purpose.rests_on_consent(item) else bound.until
            return use.anchor_at <= at < until.at
        value = Value(ValueId(0), item, at, at, (use,))
        return any(ground.kind is GroundKind.PURPOSE and ground.live(at) for ground in self._of_use(value, use))

    def steady(self, items: Iterable[str], use: Use) -> Instant:
        """Until when `would_live` says of these items, taken later for the same, what it says of them taken with this
        use: yes. The instant of the use itself where it says no to one, or more has to be looked at than ends.

        Between two consents or versions the end of a use moves only on with the instant at which it begins: a period
        counts from there, and of a fact that is told again the next one counts. So what lives now lives as long as its
        end of now has not come.
        """
        at, bound = use.anchor_at, self._bind(use)
        facts = self.state.facts_by_code
        if bound is None or bound.since or CLOSED_BY_REVIEW in facts or DESTROYED_BY_REVIEW in facts:
            return at
        until = bound.until.at
        if any(map(bound.purpose.rests_on_consent, items)):
            until = min(until, bound.consented.at)
        boundaries = self._boundaries.get(use.purpose, ())
        after = bisect_right(boundaries, at)
        return min(until, boundaries[after]) if after < len(boundaries) else until

    def looked_at(self, path: str, engagement: EngagementId | None, since: Instant) -> Moment:
        """When somebody who looked at an end left open closed it or had its data destroyed; FOREVER if nobody did."""
        for code in (CLOSED_BY_REVIEW, DESTROYED_BY_REVIEW):
            for fact in self._of(code):
                if fact.about == path and fact.engagement == engagement and fact.at >= since:
                    return Moment(fact.at, fact.known_at if code == CLOSED_BY_REVIEW else BEGINNING)
        return NEVER

    def _given_up(self, engagement: EngagementId | None) -> Moment:
        """When a look at an engagement left open had what was taken for it destroyed."""
        gone = (fact for fact in self._of(DESTROYED_BY_REVIEW) if fact.about == ENGAGEMENT_REVIEWED)
        found = [Moment(fact.at, BEGINNING) for fact in gone if fact.engagement == engagement]
        return _earlier(found)

    def _cut(self, value: Value, until: Moment, purpose: str | None, engagement: EngagementId | None) -> Moment:
        """Correction, erasure, an unanswered suspension and a look at what was left open end purpose and retention
        grounds.
        """
        if engagement is not None:
            until = min(until, self._given_up(engagement))
        if not self.state.requests:
            return until if value.replaced_at is None else self._replaced(value, until)
        touching = [request for request in self.state.requests if touches(request, value)]
        erased = [Moment(request.settled_at, BEGINNING) for request in touching if request.settled_at is not None
                  and request.right == "erasure" and request.state in DONE]  # fmt: skip
        suspended = [
            cut
            for request in touching
            if request.right == "suspension" and (not request.purposes or purpose in request.purposes)
            for cut in self._suspension_cuts(request)
        ]
        first = _earlier([self._replaced(value, until), *erased, *suspended])
        return Moment(first.at, BEGINNING) if erased else first  # asked for: no settling time

    @staticmethod
    def _replaced(value: Value, until: Moment) -> Moment:
        if value.replaced_at is None:
            return until
        return _earlier([until, Moment(value.replaced_at, value.replaced_known_at or value.replaced_at)])

    def _suspension_cuts(self, request: Request) -> Iterator[Moment]:
        """The outcome ends the uses; so does its absence when the time to answer is over. Nobody obeys the unproved."""
        if request.proved_at is None:
            return
        deadline = end_of(request.received_at, self.plan.country.answered, self.plan.zone)
        answered = [one for one in (request.settled_at, request.lifted_at) if one is not None]
        if min(answered, default=FOREVER) > deadline:
            yield Moment(max(deadline, request.proved_at), BEGINNING)
        elif request.state in DONE and request.settled_at is not None and request.lifted_at is None:
            yield Moment(request.settled_at, BEGINNING)

    def _of_use(self, value: Value, use: Use) -> Iterator[Ground]:
        bound = self._bound(use)
        if bound is None:
            return
        until = bound.until
        if bound.purpose.rests_on_consent(value.item):
            until = min(until, bound.consented)
        for plan in bound.since:
            dropped = use.exception is not None and use.exception not in plan.unasked
            if dropped or use.purpose not in plan.purposes or value.item not in plan.purposes[use.purpose].items:
                until = min(until, Moment(plan.effective_at, BEGINNING))
        facts = self.state.facts_by_code
        if CLOSED_BY_REVIEW in facts or DESTROYED_BY_REVIEW in facts:
            until = min(until, self.looked_at(bound.purpose.rule.path, use.engagement, use.anchor_at))
        until = self._cut(value, until, use.purpose, use.engagement)
        yield Ground(GroundKind.PURPOSE, bound.purpose.rule, "until", use.anchor_at, until, use.purpose, use.engagement)
        for row in self._kept(GroundKind.RETENTION) if self.plan.kept else ():
            if keeps(row, value.item, use.purpose):
                yield from self._retention(value, use, row, until)

    def _bound(self, use: Use) -> _BoundUse | None:
        known = self._bound_uses.get(use, _NOT_YET)
        if known is _NOT_YET:
            known = self._bound_uses[use] = self._bind(use)
        return cast("_BoundUse | None", known)

    def _bind(self, use: Use) -> _BoundUse | None:
        agreed = self._agreed_for(use)
        if not agreed.purposes:
            return None
        if agreed.counted:
            first = min([end_of(use.anchor_at, period, self.plan.zone) for period in agreed.counted])
            until = Moment(first, use.known_at)
            if use.engagement is not None and self.plan.destruction.needless_after:
                until = min(until, self.engagement_end(use.engagement))
            return _BoundUse(agreed.purposes[0][0], until, agreed.consented, agreed.since)
        about = About(AboutKind.PURPOSE, use.purpose)
        began = Moment(use.anchor_at, use.known_at)
        counted = {"consented": began} if use.exception is not None else {}
        scope = Scope(use.anchor_at, use.known_at, use.engagement, use.purpose, counted)
        ends = [self._purpose_end(one, renewed, scope, about) for one, renewed in agreed.purposes]
        ends += [self._fact(code, scope) for code in self.plan.destruction.needless_after]
        return _BoundUse(agreed.purposes[0][0], _earlier(ends), agreed.consented, agreed.since)

    def _agreed_for(self, use: Use) -> _Agreed:
        """What was agreed and declared when a use began. Values that came one by one, with neither a consent nor a
        version in between, share it.
        """
        if use.exception is not None:
            return self._agree(use, About(AboutKind.PURPOSE, use.purpose))
        boundaries = self._boundaries.get(use.purpose)
        if boundaries is None:
            events = [event.at for event in self.consent_events(About(AboutKind.PURPOSE, use.purpose))]
            boundaries = sorted([*events, *(plan.effective_at for plan in self.line.plans)])
            self._boundaries[use.purpose] = boundaries
        key = (use.purpose, use.version, bisect_right(boundaries, use.anchor_at))
        known = self._agreed.get(key)
        if known is None:
            about = About(AboutKind.PURPOSE, use.purpose)
            known = self._agree(use, about)
            if self.standing(about, use.anchor_at) is not None:  # where none stood the end is the beginning itself
                self._agreed[key] = known
        return known

    def _agree(self, use: Use, about: About) -> _Agreed:
        purposes = tuple(
            (one, one.until is not None and any(point.fact == "consented" for point, _ in points_in(one.until)))
            for one in self._purposes_bound(use, about)
        )
        alike = self.plan.destruction.needless_after <= {"ended"} and not any(renewed for _, renewed in purposes)
        periods = [_period_since_collection(one.until) for one, _ in purposes] if alike else []
        counted = tuple([one for one in periods if one is not None])
        return _Agreed(
            purposes, self._agreed_until(use, about), self._since(use.anchor_at),
            counted if len(counted) == len(purposes) else (),
        )  # fmt: skip

    def _agreed_until(self, use: Use, about: About) -> Moment:
        """Until when consent carries a use. Where nobody was asked a law carries it; anything else gives way to a no
        that is said later.
        """
        if use.exception is None:
            return self.consent_until(about, use.anchor_at)
        row = self.plan.unasked.get(use.exception)
        if row is not None and row.basis is Basis.LAW:
            return NEVER
        said = [event for event in self.consent_events(about) if event.at >= use.anchor_at and not event.given]
        return Moment(said[0].at, said[0].known_at) if said else NEVER

    def _kept(self, kind: GroundKind) -> tuple[RetentionPlan, ...]:
        """The rows of a kind that can be run."""
        if kind not in self._rows:
            self._rows[kind] = tuple(row for row in self.plan.kept.values() if row.kind is kind and not row.blocked)
        return self._rows[kind]

    def _purposes_bound(self, use: Use, about: About) -> list[PurposePlan]:
        """The declarations that bind a use: the one consented to and all in force since, the shorter period holding."""
        consent = self.standing(about, use.anchor_at)
        agreed = [self.line.version(consent.version) if consent else None, self.line.version(use.version)]
        found: list[PurposePlan] = []
        for plan in (self.plan, *agreed, *self._since(use.anchor_at)):
            purpose = plan.purposes.get(use.purpose) if plan else None
            if purpose is not None and all(purpose is not one for one in found):
                found.append(purpose)
        if len(found) > 1 and not any(one is Basis.CONSENT for one in found[0].basis.values()):
            return found[:1]
        return found

    def _since(self, at: Instant) -> tuple[Plan, ...]:
        """The versions that came into force after an instant, up to the one in force."""
        return tuple(plan for plan in self.line.plans if at < plan.effective_at <= self.plan.effective_at)

    def _purpose_end(self, purpose: PurposePlan, renewed: bool, scope: Scope, about: About) -> Moment:
        if purpose.until is None:
            return self.engagement_end(scope.engagement) if scope.engagement else NEVER
        if renewed:
            return self._renewed(purpose.until, scope, about)
        return self.end(purpose.until, scope)

    def _retention(self, value: Value, use: Use, row: RetentionPlan, purpose_until: Moment) -> Iterator[Ground]:
        scope = Scope(use.anchor_at, use.known_at, use.engagement, use.purpose)
        start = self._fact(row.from_fact, scope) if row.from_fact else purpose_until
        if start.at >= FOREVER or row.until is None:
            return
        from_at = max(start.at, min(purpose_until.at, FOREVER))
        if from_at >= FOREVER:
            return
        until = self.end(row.until, scope)
        ends = [until]
        if row.basis is Basis.CONSENT:
            about = About(AboutKind.PURPOSE, use.purpose)
            ends.append(self.consent_until(about, use.anchor_at))
            ends.extend(self._agreed_retention(row, scope, self.standing(about, use.anchor_at)))
        ends.append(self.looked_at(row.rule.path, use.engagement, from_at))
        cut = self._cut(value, _earlier(ends), use.purpose, use.engagement)
        if from_at <= purpose_until.at and cut.at > from_at:
            yield Ground(GroundKind.RETENTION, row.rule, "until", from_at, cut, use.purpose, use.engagement)

    def _agreed_retention(self, row: RetentionPlan, scope: Scope, consent: Consent | None) -> Iterator[Moment]:
        """The end that the row had in the version consented to: of two periods the shorter holds."""
        agreed = self.line.version(consent.version) if consent else None
        if agreed is not None and agreed is not self.plan:
            before = agreed.kept.get(row.rule.path)
            yield (
                self.end(before.until, scope)
                if before and before.until
                else Moment(scope.anchor_at, scope.anchor_known)
            )

    def _candidates(self, value: Value) -> Iterator[Ground]:
        """Claims, disputes and statutes that would keep the value if it is still held when they begin."""
        if value.held_for is not None or not self.plan.kept:
            return  # these are duties of whom it is held for; to us it ends with the engagement
        for row in self._kept(GroundKind.CLAIM):
            yield from self._claims(value, row)
        for row in self._kept(GroundKind.DISPUTE):
            yield from self._disputes(value, row)
        for row in self._kept(GroundKind.STATUTE):
            if value.item in row.items:
                yield from self._statutes(value, row)

    def _belongs(self, value: Value, fact: Fact) -> bool:
        """Whether a fact is about this value: it names it, or happened in an engagement the value is used in."""
        if fact.values:
            return value.value_id in fact.values
        return fact.engagement is None or any(use.engagement == fact.engagement for use in value.uses)

    def _held_then(self, value: Value, opened: Fact) -> bool:
        """Whether a dispute that names no values is about this one: of its engagement and there when it was opened."""
        return value.collected_at <= opened.at and self._belongs(value, opened)

    def _claims(self, value: Value, row: RetentionPlan) -> Iterator[Ground]:
        if row.until is None or not any(keeps(row, value.item, use.purpose) for use in value.uses):
            return
        for opened in self._of(row.from_fact or ""):
            if self._belongs(value, opened):
                until = self._end_since(row.until, opened)
                until = min(until, self.looked_at(row.rule.path, opened.engagement, opened.at))
                from_at = max(opened.at, value.collected_at)
                until = self._replaced(value, until)
                yield Ground(GroundKind.CLAIM, row.rule, "until", from_at, until, None, opened.engagement)

    def _disputes(self, value: Value, row: RetentionPlan) -> Iterator[Ground]:
        if row.until is None or not any(keeps(row, value.item, use.purpose) for use in value.uses):
            return
        for opened in self._of("dispute-opened"):
            if value.value_id in opened.values or (not opened.values and self._held_then(value, opened)):
                until = self._end_since(row.until, opened)
                yield Ground(GroundKind.DISPUTE, row.rule, "until", max(opened.at, value.collected_at), until)

    def _end_since(self, until: End, opened: Fact) -> Moment:
        """The end of a claim or a dispute: of whatever it waits for the first since it was opened, in the same case."""
        bound = {opened.code: Moment(opened.at, opened.known_at)}
        for point, _ in points_in(until):
            if point.fact not in (opened.code, "begun", "ended"):
                since = (one for one in self._of(point.fact) if one.at >= opened.at and _same_case(one, opened))
                first = next(since, None)
                bound[point.fact] = Moment(first.at, first.known_at) if first else NEVER
        return self.end(until, Scope(opened.at, opened.known_at, opened.engagement, None, bound))

    def _statutes(self, value: Value, row: RetentionPlan) -> Iterator[Ground]:
        if row.until is None or row.from_fact is None:
            return
        for occurrence in self._of(row.from_fact):
            if not self._belongs(value, occurrence) or self._special_case(row, occurrence):
                continue
            scope = Scope(
                value.collected_at,
                value.known_at,
                occurrence.engagement,
                None,
                {row.from_fact: Moment(occurrence.at, occurrence.known_at)},
            )
            until = self.end(row.until, scope)
            yield Ground(GroundKind.STATUTE, row.rule, "until", max(occurrence.at, value.collected_at), until)

    def _special_case(self, row: RetentionPlan, occurrence: Fact) -> bool:
        """Whether another row holds instead of this one for this occurrence, or this row only for others."""
        if row.instead_of is not None and occurrence.about != row.name:
            return True
        return any(other.instead_of == row.name and occurrence.about == other.name for other in self.plan.kept.values())

    # ── due ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def in_use(self, value: Value, at: Instant) -> bool:
        """Whether a purpose still lives: what is due is active then, whatever else may keep the value."""
        known = self._grounds.get(value.value_id)
        if known is not None and known[0] is value:
            return any(ground.live(at) for ground in known[1] if ground.kind is GroundKind.PURPOSE)
        uses = (next(self._of_use(value, use), None) for use in value.uses)
        return any(ground is not None and ground.live(at) for ground in uses)

    def due(self, value: Value, at: Instant) -> Due:
        """Where a value ought to be at an instant, and since when."""
        grounds = self.grounds(value)
        live = tuple([ground for ground in grounds if ground.from_at <= at < ground.until.at])
        for ground in live:
            if ground.kind is GroundKind.PURPOSE:
                return Due(DueState.ACTIVE, ALWAYS, live)
        purposes = [ground.until for ground in grounds if ground.kind is GroundKind.PURPOSE and ground.until.at <= at]
        if live:
            return Due(
                DueState.SEPARATED, _later(purposes) if purposes else Moment(value.collected_at, value.known_at), live
            )
        ended = tuple(ground for ground in grounds if ground.until.at <= at)
        since = _later([ground.until for ground in ended]) if ended else Moment(value.collected_at, value.known_at)
        return Due(DueState.DUE, Moment(max(since.at, value.collected_at), since.known_at), ended)


KEPT_BY_REVIEW, CLOSED_BY_REVIEW, DESTROYED_BY_REVIEW = "review-kept", "review-closed", "review-destroyed"
"""What came of a look at an end left open: facts of ours, about the element (or the dispute) looked at."""
ENGAGEMENT_REVIEWED = "engagement"
CLOSES: Mapping[str, str] = {"dispute-settled": "dispute-opened"}


def _same_case(fact: Fact, opened: Fact) -> bool:
    """Whether a fact is about the fee or dispute that another opened: a dispute has a name, a fee its engagement."""
    if opened.code == CLOSES["dispute-settled"]:
        return fact.about == opened.about
    return fact.engagement == opened.engagement


def keeps(row: RetentionPlan, item: str, purpose: str | None) -> bool:
    """Whether a retention or claim row is about an item used for a purpose."""
    if row.of and purpose not in row.of:
        return False
    return not row.items or item in row.items


def touches(request: Request, value: Value) -> bool:
    """Whether a request is about a value: named, or held when the request came in."""
    if request.values:
        return value.value_id in request.values
    return any(use.anchor_at <= request.received_at for use in value.uses)  # a corrected value came with the first


class StepKind(StrEnum):
    """What the lifecycle asks the stores to do with a value."""

    SEPARATE = "separate"
    DESTROY = "destroy"


@dataclass(frozen=True, slots=True)
class Step:
    """One step that is due: what, for which value, since when, why, and from when it counts as overdue."""

    kind: StepKind
    subject_id: SubjectId
    value: Value
    due_at: Instant
    ready_at: Instant
    overdue_at: Instant
    grounds: tuple[Ground, ...]


def steps_due(life: Life, at: Instant) -> tuple[Step, ...]:
    """Every separation and destruction of one subject that may be carried out at `at`. INVARIANT: I2, I3."""
    return tuple(step for step in steps_coming(life, at) if step.ready_at <= at)


def steps_coming(life: Life, at: Instant) -> Iterator[Step]:
    """Steps whose end has come by `at`, those still settling included."""
    destruction = life.plan.destruction
    zone = life.plan.zone
    for value in life.state.values:
        if value.held not in (HeldState.HELD, HeldState.SEPARATED):
            continue
        if value.held is HeldState.HELD and life.in_use(value, at):
            continue
        due = life.due(value, at)
        if due.state is DueState.SEPARATED and value.held is HeldState.HELD:
            overdue = end_of(max(due.since.at, due.since.known_at), destruction.within, zone)
            yield Step(
                StepKind.SEPARATE, life.state.subject_id, value, due.since.at, due.since.at, overdue, due.grounds
            )
        elif due.state is DueState.DUE:
            settled = (
                end_of(due.since.known_at, destruction.settling, zone) if due.since.known_at > BEGINNING else BEGINNING
            )
            overdue = end_of(max(due.since.at, due.since.known_at), destruction.within, zone)
            yield Step(
                StepKind.DESTROY,
                life.state.subject_id,
                value,
                due.since.at,
                max(due.since.at, settled),
                overdue,
                due.grounds,
            )


def value_of(state: SubjectState, value_id: ValueId) -> Value | None:
    """The value with that id, if the subject has it."""
    return next((value for value in state.values if value.value_id == value_id), None)
