"""The meaning again, naively: history in, state out. Written from the rules, never from the engine.

A `World` is one person under one policy line; events are told to it one by one (`after` tells them from the start).
It shares with the product only the parsed document and the reckoning of dates, which has tests of its own. What may be
done in such a state is in `reference_answers.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from tests.reference_history import Agreed, Begun, Event, Fact, Held, Moment, Request, Sweep, Used
from upheld.dates import BEGINNING, FOREVER, Instant, Period, calendar_end, end_of, start_of
from upheld.policy.ends import EarlierOf, End, LaterOf, Plus, Point, facts_in
from upheld.policy.model import Policy, Purpose, Retention, Statute

CONTACT, YEAR = "representative-contact", Period(years=1)
FIVE_DAYS = EarlierOf((Point("answered"), Plus(Point("consent-asked"), Period(days=5))))


@dataclass(frozen=True)
class Contact:
    """Name and contact of a child's representative: they serve nothing but asking (rule 10.1)."""

    path: str
    items: tuple[str, ...]
    until: End
    name: str = CONTACT
    required: bool = True
    blocked: str | None = None
    held_for: str | None = None
    review_after: Period | None = YEAR
    uses: Mapping[str, Purpose] = field(default_factory=dict)
    needs: tuple[str, ...] = ()

    @property
    def basis(self) -> dict[str, str]:
        """The law lets a child be asked so much."""
        return dict.fromkeys(self.items, "law")


def contact_of(policy: Policy) -> Contact:
    row = policy.children.get("representative")
    items = (*row.from_child, *row.from_representative) if row else ()
    until = EarlierOf((row.until if row and row.until else FIVE_DAYS, Plus(Point("collected"), Period(days=5))))
    return Contact(row.path if row else "children", tuple(items), until)


def purpose_of(policy: Policy, name: str) -> Purpose | Contact | None:
    return contact_of(policy) if name == CONTACT else policy.purposes.get(name)


NEVER, ALWAYS = (FOREVER, BEGINNING), (BEGINNING, BEGINNING)


class Where(NamedTuple):  # what a point of an end is looked up for
    at: Instant
    known: Instant
    engagement: str | None = None
    purpose: str | None = None
    matter: str | None = None
    bound: Mapping[str, Moment] = MappingProxyType({})


class Ground(NamedTuple):
    kind: str
    path: str
    purpose: str | None
    begins: Instant
    until: Moment
    engagement: str | None = None

    def lives(self, at: Instant) -> bool:
        return self.begins <= at < self.until[0]


@dataclass
class World:
    policies: list[Policy]
    kind: str
    minor_until: Instant | None = None
    at: Instant = BEGINNING
    begun: dict[str, Begun] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    agreed: list[Agreed] = field(default_factory=list)
    held: dict[int, Held] = field(default_factory=dict)
    requests: dict[str, Request] = field(default_factory=dict)

    def after(self, history: Iterable[Event]) -> Self:
        for event in history:
            self.tell(event)
        return self

    def tell(self, event: Event) -> None:
        if isinstance(event, Begun):
            self.begun[event.id] = event
        elif isinstance(event, Held):
            self.held[event.id] = event
        elif isinstance(event, Request):
            self.requests[event.id] = event
        elif isinstance(event, Sweep):
            self.sweep(event.at)
        else:
            self.facts += [event] if isinstance(event, Fact) else []
            self.agreed += [event] if isinstance(event, Agreed) else []

    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.policies[0].time_zone)

    def effective(self, policy: Policy) -> Instant:
        assert policy.effective.date
        return start_of(policy.effective.date, self.zone())

    def version(self) -> int:
        """The number of the version in force; -1 before the first."""
        return sum(self.effective(one) <= self.at for one in self.policies) - 1

    @property
    def policy(self) -> Policy:
        return self.policies[max(self.version(), 0)]

    def since(self, at: Instant) -> list[int]:
        """The versions that came into force after an instant."""
        return [number for number, one in enumerate(self.policies) if at < self.effective(one) <= self.at]

    def end(self, end: End, where: Where) -> Moment:
        match end:
            case Point():
                at, known = self.fact(end.fact, where)
                return (calendar_end(end.calendar, Instant(at), self.zone()) if end.calendar else at), known
            case Plus():
                at, known = self.end(end.point, where)
                return end_of(Instant(at), end.period, self.zone()), known
            case LaterOf():
                found = [self.end(one, where) for one in end.of]
                return max(at for at, _ in found), max(known for _, known in found)
            case EarlierOf():
                return min(self.end(one, where) for one in end.of)

    def fact(self, code: str, where: Where) -> Moment:
        if code in where.bound:
            return where.bound[code]
        if code in ("collected", "provided"):
            return where.at, where.known
        if code == "consented":
            given = [(one.at, one.known) for one in self.about(where.matter) if one.given and one.at <= where.at]
            return max(given, default=NEVER)
        if code == "withdrawn":
            return self.consent_end(where.matter or "", where.at)
        if code in ("begun", "ended"):
            one = self.begun.get(where.engagement or "")
            return NEVER if one is None else self.ended(one) if code == "ended" else (one.at, one.known)
        row = self.policy.facts.get(code)
        opener = row.closes if row else {"dispute-settled": "dispute-opened"}.get(code)
        found = self.carried(code, where)
        if opener:
            opened = [one.at for one in self.carried(opener, where)]
            closed = [(one.at, one.known) for one in found if opened and one.at >= max(opened)]
            return min(closed, default=NEVER) if opened else ALWAYS
        return min(((one.at, one.known) for one in found if one.at >= where.at
                    or (one.engagement and one.engagement == where.engagement)), default=NEVER)  # fmt: skip

    def carried(self, code: str, where: Where) -> list[Fact]:
        row = self.policy.facts.get(code)
        one = self.begun.get(where.engagement or "")
        found = [fact for fact in self.facts if fact.code == code]
        if row and one and one.kind in row.about:
            return [fact for fact in found if fact.engagement == one.id]
        if row and "purpose" in row.about:
            return [fact for fact in found if fact.about in (None, where.purpose)]
        return found

    def ended(self, one: Begun) -> Moment:
        rows = [policy.engagements[one.kind] for policy in self.policies if one.kind in policy.engagements]
        ends = self.policy.engagements.get(one.kind, rows[-1]).ends
        said: list[Moment] = [
            (fact.at, fact.known) for fact in self.facts if fact.code == "ended" and fact.engagement == one.id
        ]
        if ends and "ended" not in facts_in(ends):
            said.append(self.end(ends, Where(one.at, one.known, one.id)))
        return min(said, default=NEVER)

    def about(self, matter: str | None) -> list[Agreed]:
        """In order; at one instant the withdrawal is last."""
        return sorted((one for one in self.agreed if one.matter == matter), key=lambda one: (one.at, not one.given))

    def last(self, matter: str, at: Instant) -> Agreed | None:
        return next((one for one in reversed(self.about(matter)) if one.at <= at), None)

    def stands(self, matter: str, at: Instant) -> Agreed | None:
        last = self.last(matter, at)
        return last if last and last.given else None

    def consent_end(self, matter: str, since: Instant) -> Moment:
        if not self.stands(matter, since):
            last = self.last(matter, since)
            return since, last.known if last else BEGINNING
        return next(((one.at, one.known) for one in self.about(matter) if one.at > since and not one.given), NEVER)

    def grounds(self, value: Held) -> list[Ground]:
        taken = [ground for use in value.uses for ground in self.of_use(value, use)]
        kept_until = max([value.at, *(ground.until[0] for ground in taken)])
        waiting = [one for one in self.others(value) if one.until[0] > one.begins]
        while found := [one for one in waiting if one.begins <= kept_until]:  # held then, so kept on
            taken += found
            waiting = [one for one in waiting if one not in found]
            kept_until = max(kept_until, *(one.until[0] for one in found))
        return taken

    def of_use(self, value: Held, use: Used) -> Iterator[Ground]:
        matter = f"purpose/{use.purpose}"
        where = Where(use.at, use.known, use.engagement, use.purpose, matter)
        rows = self.binding(use, matter)
        if not rows:
            return
        counted = where._replace(bound={"consented": (use.at, use.known)}) if use.exception else where
        ends: list[Moment] = [self.purpose_end(row, counted) for row in rows]
        if by_consent(rows[0], value.item):
            ends.append(self.unasked_end(use, matter) if use.exception else self.consent_end(matter, use.at))
        ends += [self.fact(code, where) for code in self.policy.destruction["when-needless"].after]
        for number in self.since(use.at):
            row = purpose_of(self.policies[number], use.purpose)
            dropped = use.exception and use.exception not in self.policies[number].collection_exceptions
            if dropped or row is None or value.item not in row.items:
                ends.append((self.effective(self.policies[number]), BEGINNING))
        ends.append(self.looked_at(rows[0].path, use.engagement, use.at))
        until = self.cut(value, use, min(ends))
        yield Ground("purpose", rows[0].path, use.purpose, use.at, until, use.engagement)
        for kept in self.policy.retention.values():
            if kept.kind == "retention" and not kept.blocked and covers(kept, value.item, use.purpose):
                yield from self.retained(value, use, kept, where, until)

    def unasked_end(self, use: Used, matter: str) -> Moment:
        """A law needs nobody's yes; what else went without asking ends with a no that is said later."""
        row = self.policy.collection_exceptions.get(use.exception or "")
        noes = [(one.at, one.known) for one in self.about(matter) if one.at >= use.at and not one.given]
        return NEVER if row and row.basis == "law" else min(noes, default=NEVER)

    def binding(self, use: Used, matter: str) -> list[Purpose | Contact]:
        """The version in force first; where consent is the basis, all that bound since, the shorter period holding."""
        consent = self.stands(matter, use.at)
        numbers = [max(self.version(), 0), *([consent.version] if consent else []), use.version, *self.since(use.at)]
        rows = [row for number in numbers if (row := purpose_of(self.policies[number], use.purpose))]
        return rows if not rows or "consent" in rows[0].basis.values() else rows[:1]

    def purpose_end(self, row: Purpose | Contact, where: Where) -> Moment:
        until = row.until or Point("ended")
        first = self.end(until, where)
        if "consented" in facts_in(until):  # agreed again while it still ran: from then on
            for one in self.about(where.matter):
                if one.given and where.at < one.at < first[0]:
                    bound = {"consented": (one.at, one.known)}
                    first = max(first, self.end(until, where._replace(bound=bound)))
        return first

    def retained(self, value: Held, use: Used, row: Retention, where: Where, until: Moment) -> Iterator[Ground]:
        """Kept on without a gap: what begins only after the purpose has ended keeps nothing."""
        if not row.from_ or not row.until or until[0] >= FOREVER or self.fact(row.from_, where)[0] > until[0]:
            return
        ends = [self.end(row.until, where)]
        if row.basis == "consent":
            ends.append(self.consent_end(f"purpose/{use.purpose}", use.at))
            consent = self.stands(f"purpose/{use.purpose}", use.at)
            if consent and consent.version != max(self.version(), 0):
                older = self.policies[consent.version].retention.get(row.name)
                ends.append(self.end(older.until, where) if older and older.until else (use.at, use.known))
        ends.append(self.looked_at(row.path, use.engagement, until[0]))
        last = self.cut(value, use, min(ends))
        if last[0] > until[0]:
            yield Ground("retention", row.path, use.purpose, Instant(until[0]), last, use.engagement)

    def looked_at(self, about: str, engagement: str | None, since: int) -> Moment:
        """Somebody looked at what was left open: closed it, or had it destroyed, which waits for nothing."""
        found: list[Moment] = []
        for one in self.facts:
            if one.about == about and one.engagement == engagement and one.at >= since:
                found += [(one.at, one.known)] if one.code == "review-closed" else []
                found += [(one.at, BEGINNING)] if one.code == "review-destroyed" else []
        return min(found, default=NEVER)

    def cut(self, value: Held, use: Used, until: Moment) -> Moment:
        purpose = use.purpose
        ends = [until, *([value.replaced] if value.replaced else [])]
        ends += [self.looked_at("engagement", use.engagement, BEGINNING)] if use.engagement else []
        erased = False
        for one in self.requests.values():
            done = one.settled if one.state in ("done", "partly") else None
            if not one.touches(value):
                continue
            if one.right == "erasure" and done is not None:
                ends.append((done, BEGINNING))
                erased = True
            if one.right == "suspension" and one.proved is not None and (not one.purposes or purpose in one.purposes):
                deadline = end_of(one.received, Period(days=10), self.zone())
                if min(one.settled or FOREVER, one.lifted or FOREVER) > deadline:
                    ends.append((max(deadline, one.proved), BEGINNING))
                elif done is not None and one.lifted is None:
                    ends.append((done, BEGINNING))
        return (min(ends)[0], BEGINNING) if erased else min(ends)

    def others(self, value: Held) -> Iterator[Ground]:
        for row in self.policy.retention.values():
            if row.blocked or value.held_for:  # the duties of whom it is held for are not ours
                continue
            for opened in self.facts:
                kept = any(covers(row, value.item, use.purpose) for use in value.uses) and row.until is not None
                if row.kind == "claim" and opened.code == row.from_ and kept and opened.concerns(value):
                    until = self.end_since(row.until, opened, None)
                    looked = self.looked_at(row.path, opened.engagement, opened.at)
                    until = min([until, looked, *([value.replaced] if value.replaced else [])])
                    yield Ground("claim", row.path, None, max(opened.at, value.at), until, opened.engagement)
                named = value.id in opened.values if opened.values else value.at <= opened.at and opened.concerns(value)
                if row.kind == "dispute" and opened.code == "dispute-opened" and kept and named:
                    until = self.end_since(row.until, opened, opened.about)
                    yield Ground("dispute", row.path, None, max(opened.at, value.at), until)
        for law in self.policy.statutes.values():
            if not law.blocked and value.item in law.items and law.until and not value.held_for:
                yield from self.kept_by_law(value, law, law.until)

    def end_since(self, until: End | None, opened: Fact, dispute: str | None) -> Moment:
        """The end of a claim or a dispute: whatever it waits for, the first since it was opened; of its own name."""
        assert until
        bound = {opened.code: (opened.at, opened.known)}
        for code in facts_in(until):
            if code not in (opened.code, "begun", "ended"):
                ours = [one for one in self.facts if one.code == code and one.at >= opened.at]
                same = [one for one in ours if (one.about == dispute if opened.code == "dispute-opened"
                                                else one.engagement == opened.engagement)]  # fmt: skip
                bound[code] = min(((one.at, one.known) for one in same), default=NEVER)
        return self.end(until, Where(opened.at, opened.known, opened.engagement, bound=bound))

    def kept_by_law(self, value: Held, law: Statute, until: End) -> Iterator[Ground]:
        special = {other.name for other in self.policy.statutes.values() if other.instead_of == law.name}
        for event in self.facts:
            ours = event.about == law.name if law.instead_of else event.about not in special
            if event.code == law.from_ and event.concerns(value) and ours:
                where = Where(value.at, value.at, event.engagement, bound={event.code: (event.at, event.known)})
                yield Ground("statute", law.path, None, max(event.at, value.at), self.end(until, where))

    def due(self, value: Held) -> str:
        live = [ground.kind for ground in self.grounds(value) if ground.lives(self.at)]
        return "active" if "purpose" in live else "separated" if live else "due"

    def ready(self, value: Held) -> bool:
        """Due, and the settling day over that runs from the last fact known; none where the person asked for it."""
        known = [ground.until[1] for ground in self.grounds(value) if ground.until[0] <= self.at]
        settled = max(known, default=value.uses[0].known)
        return settled <= BEGINNING or end_of(Instant(settled), Period(days=1), self.zone()) <= self.at

    def sweep(self, at: Instant) -> None:
        self.at = at
        for value in list(self.held.values()):
            due = self.due(value)
            if value.state == "held" and due == "separated":
                self.held[value.id] = replace(value, state="separated")
            elif value.state != "destroyed" and due == "due" and self.ready(value):
                self.held[value.id] = replace(value, state="destroyed")


def by_consent(row: Purpose | Contact, item: str) -> bool:
    return row.basis.get(item, "consent") == "consent"


def covers(row: Retention, item: str, purpose: str) -> bool:
    named = [one for one in row.items if one != "of-the-dispute"]  # which names no item, but what the fact names
    return (not row.of or purpose in row.of) and (item in named or not named)
