"""The stage of one case: a home of its own, a clock, the people and the staff, and what each of them gave."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from upheld.cases.made_up import content
from upheld.cases.model import Step
from upheld.dates import HOUR, SECOND, Instant, local_date, start_of
from upheld.engine.acts import EngagementId, HandlerId, Reader, ReaderKind, RequestId, SubjectId, ValueId
from upheld.engine.plan import Plan, PurposePlan
from upheld.engine.state import HeldState, Value
from upheld.errors import InputRefused
from upheld.keeper import Keeper
from upheld.ledger.entries import Entry
from upheld.policy.model import Policy
from upheld.store import history

NIGHT = HOUR
"""The nightly sweep runs an hour after midnight."""
_AFTER, _BEFORE = 8, 4
"""Nights after a step and before the next one on which the sweep runs; in between it runs on the first of a month."""


class Clock(Protocol):
    """A clock that a case moves."""

    def now(self) -> Instant:
        """Where it stands."""

    def set(self, at: Instant) -> None:
        """Move it on."""


Opener = Callable[[Path, Instant, Mapping[str, Iterable[str]]], tuple[Keeper, Clock]]
"""Opens (or makes) a home with a clock that stands at an instant, and what is looked up there by policy."""


@dataclass(slots=True)
class Person:
    """Somebody made up."""

    name: str
    subject_id: SubjectId
    engagements: dict[str, EngagementId] = field(default_factory=dict)
    """The newest engagement of each kind."""
    requests: dict[str, RequestId] = field(default_factory=dict)
    """The newest request for each right."""
    acting: dict[str, str] = field(default_factory=dict)
    """Under which id an agent or representative acts."""
    gave: dict[str, str] = field(default_factory=dict)
    """The newest content of each item."""


@dataclass(frozen=True, slots=True)
class Came:
    """What came of one act or look, in the words of a case."""

    what: str
    verdict: str = "granted"
    reasons: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    laws: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()
    items: tuple[str, ...] | None = None
    amiss: tuple[str, ...] = ()
    """Differences that a look found, each a sentence."""


@dataclass(slots=True)
class Stage:
    """Where a case is played."""

    home: Path
    keeper: Keeper
    clock: Clock
    policy: Policy
    documents: Path
    standing: dict[str, str] = field(default_factory=dict)
    """Staff of the file: name to role. Their grants and their evidence are kept fresh, as a well-run house does."""
    handlers: dict[str, HandlerId] = field(default_factory=dict)
    contracts: dict[str, str] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    contents: dict[ValueId, str] = field(default_factory=dict)
    elements: set[str] = field(default_factory=set)
    """Elements of the document that the case has touched."""
    known: int = 0
    """Entries that were in the ledger before the case began."""
    _count: int = 0
    _newest: str = ""

    @property
    def code(self) -> str:
        """The policy's code."""
        return self.policy.policy

    @property
    def zone(self) -> ZoneInfo:
        """Where days begin and end."""
        return ZoneInfo(self.policy.time_zone)

    @property
    def plan(self) -> Plan:
        """The version in force, or the first one before any is."""
        line = self.keeper.views.line(self.code)
        return line.at(self.clock.now()) or line.plans[0]

    # ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def move_to(self, at: Instant) -> None:
        """Let time go by up to a step, with the sweeps of the nights between."""
        now = self.clock.now()
        for night in nights(now, at, self.zone):
            self.clock.set(night)
            self.keeper.sweep()
        self.clock.set(max(at, Instant(self.clock.now() + SECOND)))

    # ── people ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def person(self, step: Step) -> Person:
        """Who a step is about: the one named, else the one who entered last."""
        name = step.word("who") or self._newest
        if name not in self.people:
            raise InputRefused("nobody", f"nobody called `{name}` has entered; let somebody enter first")
        return self.people[name]

    def enters(self, name: str, subject_id: SubjectId) -> Person:
        """Somebody entered."""
        self._newest = name
        self.people[name] = Person(name, subject_id)
        return self.people[name]

    def values(self, person: Person) -> tuple[Value, ...]:
        """Every value of a person, destroyed ones too; none once the person is forgotten."""
        return self.keeper.views.get(person.subject_id, self.clock.now()).state.values

    def live(self, person: Person, items: Iterable[str]) -> tuple[ValueId, ...]:
        """The ids of what is held of some items."""
        gone = (HeldState.DESTROYED, HeldState.CONDEMNED)
        wanted = frozenset(items)
        return tuple(
            one.value_id
            for one in self.values(person)
            if one.item in wanted and one.held not in gone and one.replaced_at is None
        )

    def contents_for(self, person: Person, items: Iterable[str]) -> dict[str, str]:
        """Fresh made-up contents."""
        self._count += 1
        made = {item: content(item, self._count) for item in items}
        person.gave.update(made)
        return made

    def keep(self, values: Mapping[str, tuple[ValueId, ...]], texts: Mapping[str, str]) -> None:
        """Remember what was stored as which value."""
        for item, ids in values.items():
            for one in ids:
                self.contents[one] = texts[item]

    def unlike(self, texts: Mapping[ValueId, str]) -> tuple[str, ...]:
        """Items whose shown text is not what the person gave."""
        hashed = {name for name, row in self.plan.items.items() if row.nature.value == "password"}
        found = []
        for person in self.people.values():
            for value in self.values(person) if texts else ():
                shown = texts.get(value.value_id)
                if shown is not None and value.item not in hashed and shown != self.contents.get(value.value_id):
                    found.append(value.item)
        return tuple(found)

    def engagement(self, person: Person, step: Step, kinds: Iterable[str]) -> EngagementId | None:
        """The engagement that a step names by its kind, else the newest one of those kinds."""
        named = step.word("in")
        for kind in [named] if named else [one for one in reversed(person.engagements) if one in frozenset(kinds)]:
            if kind in person.engagements:
                return person.engagements[kind]
        return None

    # ── staff ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def reader(self, step: Step, purpose: str | None) -> Reader:
        """Who looks: one of the staff, the one job of a purpose, the person, a fellow member, or our application."""
        by = step.word("by")
        match by:
            case None:
                return self.keeper.application("the-service")
            case "the-job":
                return self.keeper.application("the-job", frozenset({purpose or ""}))
            case "themselves":
                return Reader(ReaderKind.SUBJECT, self.person(step).subject_id)
            case "fellow":
                company = step.word("from") or "elsewhere"
                return Reader(ReaderKind.FELLOW, company, organisation=company)
            case _:
                return self.handler_reader(by)

    def handler_reader(self, name: str) -> Reader:
        """A handler as they stand now; standing staff are renewed first."""
        if name not in self.handlers:
            raise InputRefused("nobody", f"nobody called `{name}` has a role; write them under `staff:` or grant one")
        if name in self.standing:
            self._renew(name)
        for row in self.plan.handlers.values():
            if self.standing.get(name) == row.name:
                self.elements.add(row.rule.path)
        return self.keeper.reader(self.code, self.handlers[name])

    def _renew(self, name: str) -> None:
        handler, duty = self.handlers[name], self.standing[name]
        reader = self.keeper.reader(self.code, handler)
        if not reader.purposes and not reader.duties:
            self.keeper.grant(self.code, duty, handler=handler, shown=self.plan.handlers[duty].granted_with)
        for control in reader.lapsed:
            for kind in self.plan.controls[control].evidence:
                self.keeper.file_evidence(self.code, control, kind, about=handler)

    # ── ways in ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def channel(self, step: Step, purpose: PurposePlan | None) -> str | None:
        """The way by which items come: the one named, else the first that the policy has for the purpose."""
        by = step.word("by")
        if by is not None:
            return None if by == "nobody" else by
        if purpose is None or "person" not in purpose.sources:
            return None
        if purpose.via:
            return next(one for one in self.policy.channels if one in purpose.via)
        for row in self.policy.collection.values():
            if row.by and (not row.for_ or purpose.name in row.for_):
                return row.by[0]
        return next(iter(self.policy.channels), None)

    def came_in(self, purpose: str, channel: str | None) -> None:
        """Note the ways that let items in: they decided too."""
        if channel is not None:
            self.elements.add(f"channels.{channel}")
        for row in self.policy.collection.values():
            by_it = channel in row.by if channel is not None and row.by else "person" not in row.source
            if row.blocked is None and by_it and (not row.for_ or purpose in row.for_):
                self.elements.add(row.path)

    # ── the ledger ──────────────────────────────────────────────────────────────────────────────────────────────────

    def entries(self) -> list[Entry]:
        """What the case has written, sealed and read back."""
        self.keeper.seal()
        found = [one.entry for one in history.entries(self.keeper.places.sealer.connection)]
        return found[self.known :]


def nights(since: Instant, until: Instant, zone: ZoneInfo) -> Iterator[Instant]:
    """The nights between two steps on which the sweep runs: near both all of them, far from both one a month."""
    first, last = local_date(since, zone), local_date(until, zone)
    for number in range((last - first).days + 1):
        day: date = first + timedelta(days=number)
        at = Instant(start_of(day, zone) + NIGHT)
        if since < at < until and (number <= _AFTER or (last - day).days < _BEFORE or day.day == 1):
            yield at
