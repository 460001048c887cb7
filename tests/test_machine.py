"""One machine, five policies: a person's life, mostly lawful, told to the keeper and to the reference at once.

After every step both must answer alike and stand in the same state: per value its item, where it is, for which purposes
it can be read, and on which day nothing keeps it any more; per consent, hold and request how it stands. Time is steered
to just before, on, and just after the next boundary of any ground, since that is where mistakes live.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import upheld
from tests.homes import copied, forgotten
from tests.machine_agreeing import Agreeing
from tests.machine_asking import Asking
from tests.machine_filing import Filing
from tests.machine_giving import Giving
from tests.machine_looking import Looking
from tests.reference import CONTACT, contact_of
from tests.reference_answers import Looker, Reference
from tests.reference_giving import Given, House, Role, Speaker, Twin
from tests.reference_history import Begun, Event, Fact, Held, Sweep, Unasked, Used
from tests.reference_papers import Elsewhere, Filed, kept_until
from tests.reference_reviews import up_for_review
from upheld.dates import FOREVER, Instant, Period, end_of, instant, local_date, moment, start_of
from upheld.engine.acts import EngagementId, HandlerId, Read, Reader, ReaderKind, SubjectId, ValueId
from upheld.engine.decide import decide, holds_on
from upheld.engine.reviews import reviews_up
from upheld.errors import InputRefused
from upheld.keeper import Difficulty, Keeper, Outcome, WithoutConsent
from upheld.policy.ends import Point, facts_in
from upheld.policy.model import Policy, Purpose
from upheld.policy.read import read_policy
from upheld.store.ids import bucket_of
from upheld.store.subjects import unpacked_ids

T = TypeVar("T")
POLICIES = Path(__file__).parent.parent / "policies"
ROOM = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
STATES = {"held": "held", "separated": "separated", "destroyed": "destroyed"}
APPLICATION = Reader(ReaderKind.APPLICATION, "crm")
MOST_PEOPLE = 3
QUICK, DEEP = int(os.environ.get("UPHELD_LIVES", "20")), 400
LAST_YEAR = 2090
GIVEN = (
    "SELECT disclosure_id, recipient, value_ids, recalled_at, acknowledged_at, (SELECT count(*) FROM told t "
    "WHERE t.bucket = d.bucket AND t.subject_id = d.subject_id AND t.disclosure_id = d.disclosure_id "
    "AND t.reason IN ('withdrawn', 'ended-before')) FROM disclosure d WHERE bucket = ? AND subject_id = ?"
)
PROFILE = settings.get_profile(os.environ.get("UPHELD_EXAMPLES", "house"))


@cache
def parsed(files: tuple[str, ...]) -> list[Policy]:
    """The documents of a policy line, oldest first."""
    return [read_policy((POLICIES / name).read_bytes(), name) for name in files]


MADE: list[Path] = []


@pytest.fixture(autouse=True, scope="module")
def room() -> Iterator[None]:
    """What was made to be copied is removed at the end."""
    yield
    template.cache_clear()
    while MADE:
        shutil.rmtree(MADE.pop())


@cache
def template(files: tuple[str, ...]) -> Path:
    """A home in which the line is on file; every example starts from a copy of it."""
    MADE.append(Path(tempfile.mkdtemp(prefix="upheld-machine-", dir=ROOM)))
    home = MADE[-1] / "home"
    with upheld.open(home, upheld.Options(clock=upheld.SetClock(opening(files)), light_hashing=True)) as keeper:
        for name in files:
            keeper.publish(POLICIES / name)
    return home


def opening(files: tuple[str, ...]) -> datetime:
    """A day before the first version takes effect."""
    first = parsed(files)[0].effective.date
    assert first
    return datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=2)


@dataclass
class Person:
    """Somebody who lives in the keeper and in the reference at once."""

    subject_id: SubjectId
    world: Twin
    born: date | None
    history: list[Event | Given | Speaker] = field(default_factory=list)
    texts: dict[int, str] = field(default_factory=dict)
    papers: dict[str, Filed] = field(default_factory=dict)
    elsewhere: Elsewhere = field(default_factory=Elsewhere)
    forgotten: bool = False

    @property
    def name(self) -> str:
        """For the report of a failure."""
        return f"{self.subject_id[:4]} ({self.world.kind})"

    def tell(self, event: Event | Given | Speaker) -> None:
        """The reference hears what the keeper has taken in."""
        self.world.tell(event)
        self.world.changed_at = self.world.at
        self.history.append(event)


class Lives(Agreeing, Asking, Giving, Looking, Filing, RuleBasedStateMachine):
    """The steered machine; each policy line has a subclass."""

    files: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="upheld-life-", dir=ROOM))
        copied(template(self.files), self.folder / "home")
        self.clock = upheld.SetClock(opening(self.files))
        self.keeper: Keeper = upheld.open(
            self.folder / "home", upheld.Options(clock=self.clock, light_hashing=True, seed=7, durable=False)
        )
        self.policies = parsed(self.files)
        self.people: list[Person] = []
        self.house = House()
        self.organisation: list[Fact] = []
        self.made = 0
        self.staff_papers: dict[str, tuple[str, Filed]] = {}
        self.roles_ever: list[Role] = []
        self.approver: HandlerId | None = None

    def teardown(self) -> None:
        """What was told step by step is what a history told at once comes to."""
        for person in self.people:
            if not person.forgotten:
                world = person.world
                again = Twin(world.policies, world.kind, world.minor_until, house=world.house)
                for event in person.history:
                    again.at = world.at
                    again.tell(event)
                again.at = world.at
                assert again.projection() == world.projection()
        self.keeper.close()
        forgotten(self.folder / "home")
        shutil.rmtree(self.folder)

    # time

    @property
    def now(self) -> Instant:
        return self.clock.now()

    @property
    def policy(self) -> Policy:
        return self.people[0].world.policy if self.people else self.policies[0]

    def move_to(self, at: int) -> None:
        """The clock and every reference go on together."""
        if moment(Instant(at)).year < LAST_YEAR:
            note(f"  now {moment(Instant(at), Reference(self.policies, '').zone())}")
            self.clock.set(Instant(max(at, self.now)))
            for person in self.people:
                person.world.at = self.now

    def boundaries(self) -> list[int]:
        """Every instant at which something will change by time alone."""
        found = {person.world.effective(policy) for person in self.people for policy in self.policies}
        for person in self.alive():
            world, zone = person.world, person.world.zone()
            for value in world.held.values():
                for ground in world.grounds(value) if value.state != "destroyed" else ():
                    found |= {
                        ground.begins,
                        Instant(ground.until[0]),
                        end_of(Instant(ground.until[1]), Period(days=1), zone),
                    }
            found |= {end_of(one.received, Period(days=10), zone) for one in world.requests.values()}
            found |= {Instant(world.ended(one)[0]) for one in world.begun.values()}
            found |= {Instant(kept_until(world, one)) for one in person.papers.values()}
            if world.held and all(value.state == "destroyed" for value in world.held.values()):
                found |= {end_of(world.changed_at, Period(years=3), zone)}
        return sorted(at for at in found if self.now < at < FOREVER)

    # drawing

    def number(self, data: st.DataObject, below: int) -> int:
        """Evenly drawn: Hypothesis likes the ends of a range, which here would be the unlawful ones. Shrinks to 0."""
        return (data.draw(st.integers(0, 65535)) * 40503 >> 3) % below

    def pick(self, data: st.DataObject, among: Sequence[T], label: str) -> T:
        one = among[self.number(data, len(among))]
        note(f"  {label}: {getattr(one, 'name', one)}")
        return one

    def chance(self, data: st.DataObject, of_ten: int, label: str) -> bool:
        """True in about so many of ten cases; shrinks to true, so that lawful is the simple case."""
        found = self.number(data, 10) < of_ten
        note(f"  {label}: {found}")
        return found

    def some(self, data: st.DataObject, among: Sequence[T], label: str, most: int = 3) -> tuple[T, ...]:
        count = 1 + self.number(data, most)
        found = tuple(dict.fromkeys(among[self.number(data, len(among))] for _ in range(count)))
        note(f"  {label}: {found}")
        return found

    def person(self, data: st.DataObject) -> Person:
        if not self.alive():
            self.enters(data)
        return self.pick(data, self.alive(), "person")

    def alive(self) -> list[Person]:
        return [person for person in self.people if not person.forgotten]

    def happened(self, data: st.DataObject) -> Instant:
        """Mostly now; sometimes it comes to be known late."""
        if self.chance(data, 7, "at once"):
            return self.now
        back = data.draw(st.sampled_from([0, 1, 3_600_000_000, 86_400_000_000, 40 * 86_400_000_000]), label="late by")
        first = instant(opening(self.files))
        return Instant(max(first, self.now - back))

    # comparing

    def expect(self, outcome: Outcome, reasons: frozenset[str], act: str) -> bool:
        answered = frozenset(reason.value for reason in outcome.reasons)
        assert answered == reasons, (
            f"{act}: the keeper says {set(answered) or 'granted'}, the reference {set(reasons) or 'granted'}"
        )
        assert outcome.granted == (not reasons)
        assert outcome.clauses or any(cited.law for cited in outcome.because), f"{act} cites nothing"  # INVARIANT: I13
        return outcome.granted

    @invariant()
    def same_state(self) -> None:
        """INVARIANT: I1, I2, I3, I9, I10 as far as one state can show them: both stand alike after every step."""
        for person in self.alive():
            assert self.state_of(person) == person.world.projection()
            assert self.up_for(person) == up_for_review(person.world)

    def up_for(self, person: Person) -> set[tuple[str, str | None, str | None]]:
        """What somebody has to look at by now, by the engine."""
        life = self.keeper.views.get(person.subject_id, self.now).view.life
        return {(one.about, one.engagement, one.named) for one in reviews_up(life, self.now)}

    @rule(data=st.data())
    def is_looked_at(self, data: st.DataObject) -> None:
        """Somebody looks at what is left open; what comes of it is a fact."""
        person = self.person(data)
        up = sorted(up_for_review(person.world), key=str)
        if not up:
            return
        about, engagement, name = self.pick(data, up, "left open")
        row = next((one for one in person.world.policy.retention.values() if about.startswith(one.path)), None)
        owed = row is not None and row.kind in ("claim", "dispute")
        told = ["kept"] if about == "come-of-age" else ["kept", "closed", "kept" if owed else "destroyed"]
        outcome = self.pick(data, told, "look")
        before = len(self.keeper.views.get(person.subject_id, self.now).state.facts)
        done = self.keeper.review(person.subject_id, about, outcome, engagement=named(engagement), reason="asked")
        assert done.granted
        made = self.keeper.views.get(person.subject_id, self.now).state.facts[before:]
        assert made, f"a look at {about} ({name}) left nothing"
        for fact in made:
            person.tell(Fact(fact.code, fact.at, fact.known_at, fact.engagement, fact.about))

    def state_of(self, person: Person) -> dict[str, object]:
        seen = self.keeper.views.get(person.subject_id, self.now)
        view, life = seen.view, seen.view.life
        values = {}
        for value in view.state.values:
            last = max([value.collected_at, *(ground.until.at for ground in life.grounds(value))])
            day = "-" if last >= FOREVER else local_date(Instant(last), view.plan.zone).isoformat()
            readable = [
                name
                for name in view.plan.purposes
                if decide(self.any_use(person, name, value.value_id), view, self.now).granted
            ]
            state = STATES.get(value.held.value, value.held.value)
            values[value.value_id] = (value.item, state, state if state == "destroyed" else day, sorted(readable))
        return {
            "values": values,
            "consents": {about: state == "given" for about, state in self.keeper.consents(person.subject_id).items()},
            "requests": {
                one.request_id: (one.right, one.state.value) for one in self.keeper.requests(person.subject_id)
            },
            "kept by": {
                value.value_id: sorted({ground.rule.path for ground in life.grounds(value) if ground.live(self.now)})
                for value in view.state.values
                if value.held.value != "destroyed"
            },
            "held": {
                value.value_id: sorted({reason.value for reason, _ in holds_on(view, value, None, self.now)})
                for value in view.state.values
            },
            "given": self.given_by(person),
            "speak for them": {one.acting_id: one.live(self.now) for one in view.state.acting},
        }

    def given_by(self, person: Person) -> dict[str, object]:
        """Who has what of a person, and what was asked back and answered, as the store has it."""
        with self.keeper.places.active.reading() as connection:
            rows = connection.execute(GIVEN, (bucket_of(person.subject_id), person.subject_id)).fetchall()
        return {
            one: (to, sorted(unpacked_ids(held)), bool(asked), bool(back), late)
            for one, to, held, asked, back, late in rows
        }

    @staticmethod
    def any_use(person: Person, purpose: str, value: ValueId) -> Read:
        return Read(purpose, APPLICATION, values=(value,), use=person.world.some_use(purpose))

    # a person comes

    @initialize(data=st.data())
    def first_day(self, data: st.DataObject) -> None:
        start = self.policies[0].effective.date
        assert start
        zone = Reference(self.policies, "").zone()
        self.move_to(start_of(start, zone) + data.draw(st.sampled_from([0, 1, 9 * 3_600_000_000]), label="opens after"))
        self.enters(data)

    @precondition(lambda self: len(self.people) < MOST_PEOPLE)
    @rule(data=st.data())
    def enters(self, data: st.DataObject) -> None:
        served = [
            kind for kind in self.policy.subjects if any(kind in row.whose for row in self.policy.purposes.values())
        ]
        kind = self.pick(data, served, "kind")
        today = local_date(self.now, Reference(self.policies, "").zone())
        born = today.replace(year=today.year - 13, day=1) if not self.chance(data, 9, "adult") else None
        subject = self.keeper.enter(self.policy.policy, kind, born=born)
        world = Twin(self.policies, kind, changed_at=self.now, house=self.house)
        if born is not None:
            world.minor_until = start_of(born.replace(year=born.year + 14), world.zone())
        world.at = self.now
        self.people.append(Person(subject, world, born))
        for fact in self.organisation:
            self.hears(self.people[-1], fact)
        self.give(data, self.people[-1], lawful=True)
        self.give(data, self.people[-1], lawful=True)

    @rule(data=st.data())
    def begins(self, data: st.DataObject) -> None:
        person = self.person(data)
        policy = person.world.policy
        useful = [kind for row in self.mine(person) for kind in row.per]
        useful += [kind for row in policy.provisions.values() for kind in row.per]
        self.begin(person, self.pick(data, useful or list(policy.engagements), "engagement"))

    def mine(self, person: Person) -> list[Purpose]:
        """The purposes that a person of this kind may have data taken for."""
        rows = person.world.policy.purposes.values()
        return [row for row in rows if person.world.kind in row.whose and not row.blocked]

    def begin(self, person: Person, kind: str) -> str:
        row = person.world.policy.engagements[kind]
        organisation = ("acme", "other")[len(person.world.begun) % 3 // 2] if kind in ("hr", "groupware") else None
        outcome = self.keeper.begin(person.subject_id, kind, organisation=organisation)
        assert outcome.made
        person.tell(Begun(outcome.made, kind, self.now, self.now, organisation))
        begins = facts_in(row.begins)[0] if row.begins else "begun"
        if begins != "begun":
            person.tell(Fact(begins, self.now, self.now, outcome.made))
        return outcome.made

    def open_one(self, person: Person, kinds: Sequence[str]) -> str | None:
        """The newest engagement of these kinds, an open one if there is any."""
        world = person.world
        found = [one for one in world.begun.values() if one.kind in kinds]
        running = [one for one in found if world.ended(one)[0] > self.now]
        return running[-1].id if running else found[-1].id if found else None

    # values come in

    @rule(data=st.data())
    def gives(self, data: st.DataObject) -> None:
        self.give(data, self.person(data), self.chance(data, 9, "own purpose"))

    @rule(data=st.data())
    def gives_more(self, data: st.DataObject) -> None:
        self.give(data, self.person(data), lawful=True)

    def give(self, data: st.DataObject, person: Person, lawful: bool, row: Purpose | None = None) -> None:
        world = person.world
        lawful = lawful and bool(self.mine(person))
        row = row or self.pick(data, self.mine(person) if lawful else list(world.policy.purposes.values()), "purpose")
        items = self.items_for(data, row.items)
        unasked = self.without_asking(data, person)
        if lawful and self.chance(data, 9, "prepared"):
            self.prepare(person, row, items, agrees=unasked is None)
        channel = self.channel_for(data, person, row)
        proofs = frozenset({"identity-check"}) if self.chance(data, 9, "checked") else frozenset[str]()
        engagement = self.open_one(person, row.per) if row.per else None
        self.made += 1
        texts = {item: f"{item} {self.made}" for item in items}
        reasons = world.collect(row.name, items, engagement, channel, proofs, unasked)
        outcome = self.keeper.collect(
            person.subject_id, row.name, texts, engagement=named(engagement), channel=channel, proofs=proofs,
            unasked=self.on_record(unasked),
        )  # fmt: skip
        if self.expect(outcome, reasons, f"collect {row.name} {items} by {channel}"):
            organisation = world.begun[engagement].organisation if engagement else None
            exception = unasked.exception if unasked else None
            use = Used(row.name, engagement, self.now, self.now, world.version(), exception)
            for item, (value,) in outcome.values.items():
                held_for = (organisation or "organisation") if row.held_for else None
                person.tell(Held(value, item, self.now, (use,), held_for=held_for))
                person.texts[value] = texts[item]

    @precondition(lambda self: bool(contact_of(self.policy).items))
    @rule(data=st.data())
    def child_names_its_parent(self, data: st.DataObject) -> None:
        """Whom to ask is taken, asked, and answered or not; the five days run from the question."""
        children = [one for one in self.alive() if one.born]
        person = self.pick(data, children, "child") if children and self.chance(data, 9, "a child") else None
        person = person or self.person(data)
        world, listed = person.world, contact_of(person.world.policy).items
        items = self.some(data, listed, "items") if self.chance(data, 9, "listed") else ("email",)
        self.made += 1
        texts = {item: f"{item} {self.made}" for item in items}
        channel = next(iter(world.policy.channels))
        outcome = self.keeper.collect(person.subject_id, CONTACT, texts, channel=channel)
        if not self.expect(outcome, world.take_contact(items), f"take {items} of a parent"):
            return
        for item, (value,) in outcome.values.items():
            use = Used(CONTACT, None, self.now, self.now, world.version())
            person.tell(Held(value, item, self.now, (use,)))
            person.texts[value] = texts[item]
        for code in ("consent-asked", "answered"):
            if self.chance(data, 7, code):
                self.keeper.fact(person.subject_id, code)
                person.tell(Fact(code, self.now, self.now))

    def without_asking(self, data: st.DataObject, person: Person) -> Unasked | None:
        """Now and then nobody is asked, under an exception; mostly with all that it needs."""
        rows = person.world.policy.collection_exceptions
        if not rows or self.chance(data, 7, "asked"):
            return None
        row = rows[self.pick(data, list(rows), "exception")]
        needs = sorted({*map(str, row.needs)})
        shown = needs if self.chance(data, 7, "all on record") else self.some(data, needs, "on record")
        laws = [one.law for one in row.law]
        law = self.pick(data, laws, "law") if laws and self.chance(data, 8, "law named") else None
        return Unasked(row.name, frozenset(shown), law)

    def on_record(self, unasked: Unasked | None) -> WithoutConsent | None:
        if unasked is None:
            return None
        shown = unasked.shown
        if "approver" in shown and self.approver is None:
            row = next(iter(self.policy.handlers.values()))
            granted = frozenset(map(str, row.granted_with))
            self.approver, _ = self.keeper.grant(self.policy.policy, row.name, shown=granted)
        return WithoutConsent(
            unasked.exception,
            unasked.law,
            "33-1" if "article" in shown else None,
            Difficulty.TECHNICAL if "difficulty" in shown else None,
            self.approver if "approver" in shown else None,
            {paper: paper.encode() for paper in shown & {"document", "contract"}},
        )

    def items_for(self, data: st.DataObject, listed: Sequence[str]) -> tuple[str, ...]:
        usual = [item for item in listed if not self.policy.items[item].collected] or list(listed)
        items = self.some(data, usual or list(self.policy.items), "items")
        items = items if self.chance(data, 9, "once each") else (*items, items[0])
        if self.chance(data, 9, "listed"):
            return items
        return (*items, self.pick(data, [*self.policy.items, "no-such-item"], "more"))

    def channel_for(self, data: st.DataObject, person: Person, row: Purpose) -> str | None:
        every: list[str | None] = [None, *self.policy.channels, "cookie"]
        declared = [one for one in every if person.world.way_declared(row, one)]
        return self.pick(data, declared if declared and self.chance(data, 9, "declared way") else every, "channel")

    def prepare(self, person: Person, row: Purpose, items: tuple[str, ...], *, agrees: bool = True) -> None:
        """What a lawful collection needs: the engagement, and each consent by itself."""
        world = person.world
        engagement = self.open_one(person, row.per) if row.per else None
        if row.per and (engagement is None or world.ended(world.begun[engagement])[0] <= self.now):
            self.begin(person, row.per[0])
        wanted = [f"purpose/{row.name}"] if agrees else []
        wanted += [
            f"item/{item}" for item in items if item in row.items and world.policy.items[item].nature == "sensitive"
        ]
        wanted += [f"permission/{row.name}"] if "device-permission" in row.needs else []
        wanted += (
            ["representative/collection"] if world.minor_until is not None and self.now < world.minor_until else []
        )
        for matter in wanted:
            if not world.stands(matter, self.now):
                self.consent(person, matter, self.now)

    @rule(data=st.data())
    def uses_again(self, data: st.DataObject) -> None:
        person = self.person(data)
        world = person.world
        if not world.held:
            return
        values = self.some(data, list(world.held), "values", 2)
        fitting = [
            row for row in world.policy.purposes.values() if all(world.held[one].item in row.items for one in values)
        ]
        row = self.pick(data, fitting or list(world.policy.purposes.values()), "purpose")
        if self.chance(data, 7, "prepared") and not row.blocked and world.kind in row.whose:
            self.prepare(person, row, tuple(world.held[one].item for one in values))
        engagement, channel = (self.open_one(person, row.per) if row.per else None), self.channel_for(data, person, row)
        reasons = world.reuse(row.name, values, engagement, channel)
        outcome = self.keeper.reuse(
            person.subject_id, row.name, ids(values), engagement=named(engagement), channel=channel
        )
        if self.expect(outcome, reasons, f"reuse {values} for {row.name}"):
            use = Used(row.name, engagement, self.now, self.now, world.version())
            for value in values:
                person.tell(replace(world.held[value], uses=(*world.held[value].uses, use)))

    @rule(data=st.data())
    def corrects(self, data: st.DataObject) -> None:
        person = self.person(data)
        world = person.world
        if not world.held:
            return
        old = world.held[self.pick(data, list(world.held), "value")]
        self.made += 1
        text = f"{old.item} {self.made}"
        outcome = self.keeper.correct(person.subject_id, ValueId(old.id), text)
        if self.expect(outcome, world.correct(old), f"correct {old.id}"):
            (new,) = outcome.values[old.item]
            person.tell(replace(old, replaced=(self.now, self.now)))
            person.tell(Held(new, old.item, self.now, old.uses, held_for=old.held_for))
            person.texts[new] = text

    # values are seen and given

    @rule(data=st.data())
    def is_read(self, data: st.DataObject) -> None:
        person = self.person(data)
        world = person.world
        row = self.pick(data, self.used(person) or list(world.policy.purposes.values()), "purpose")
        only = (
            None
            if self.chance(data, 8, "any purpose")
            else frozenset({self.pick(data, list(world.policy.purposes), "only")})
        )
        reader, who = Reader(ReaderKind.APPLICATION, "crm", only), Looker(only=only)
        use = world.some_use(row.name)
        if row.uses and not self.chance(data, 9, "a use that runs"):
            use = self.pick(data, [None, "gossip", *row.uses], "use")
        if world.held and self.chance(data, 5, "by value"):
            values = self.some(data, list(world.held), "values")
            asked = ids(values) if self.chance(data, 9, "once each") else ids((*values, values[0]))
            reasons = world.read(row.name, values, who, use)
            outcome = self.keeper.read(person.subject_id, row.name, reader=reader, values=asked, use=use)
        else:
            listed = [value.item for value in world.held.values() if value.item in row.items]
            items = self.items_for(data, list(dict.fromkeys(listed)) or row.items)
            values = world.named(items)
            reasons = world.read_items(row.name, items, who, use)
            outcome = self.keeper.read(person.subject_id, row.name, reader=reader, items=items, use=use)
        if self.expect(outcome, reasons, f"read {row.name} {values}"):
            lawful = {one for one in values if not world.read(row.name, (one,), who, use)}
            self.same_texts(person, outcome, lawful)

    def used(self, person: Person) -> list[Purpose]:
        """The purposes for which something was taken, most of it still declared."""
        uses = [use.purpose for value in person.world.held.values() for use in value.uses]
        return [person.world.policy.purposes[name] for name in uses if name in person.world.policy.purposes]

    def same_texts(self, person: Person, outcome: Outcome, lawful: set[int]) -> None:
        """INVARIANT: I1, I5: what may be seen is seen, as it was given, and nothing else."""
        assert set(outcome.texts) == lawful
        assert sorted(outcome.decision.covers) == sorted(lawful)  # each once, in the record too
        for value, text in outcome.texts.items():
            if self.policy.items[person.world.held[value].item].nature != "password":
                assert text == person.texts[value]

    @rule(data=st.data())
    def is_read_apart(self, data: st.DataObject) -> None:
        person = self.person(data)
        world = person.world
        if not world.held:
            return
        values = self.some(data, list(world.held), "values")
        paths = sorted({ground.path for one in values for ground in world.grounds(world.held[one])}) or [
            "statutes.none"
        ]
        path = self.pick(data, paths, "ground")
        duty = self.chance(data, 8, "duty")
        reader = Reader(ReaderKind.HANDLER, "privacy", frozenset(), frozenset({"separated"} if duty else ()))
        outcome = self.keeper.read_separated(person.subject_id, path, reader=reader, values=ids(values))
        if self.expect(outcome, world.read_apart(path, values, duty), f"read apart {path} {values}"):
            self.same_texts(person, outcome, {one for one in values if not world.read_apart(path, (one,), duty)})

    @rule(data=st.data())
    def is_shown(self, data: st.DataObject) -> None:
        person = self.person(data)
        world = person.world
        proved = self.chance(data, 8, "proved")
        reader = Reader(ReaderKind.SUBJECT, "self")
        outcome = self.keeper.show(person.subject_id, reader=reader, identity_proved=proved)
        if self.expect(outcome, world.show(proved), "show"):
            self.same_texts(person, outcome, world.showable())

    @precondition(lambda self: any(policy.provisions for policy in self.policies))
    @rule(data=st.data())
    def is_provided(self, data: st.DataObject) -> None:
        person = self.person(data)
        world = person.world
        if not world.policy.provisions:
            return
        rows = [row for row in world.policy.provisions.values() if world.kind in row.whose and not row.blocked]
        lawful = self.chance(data, 9, "own recipient")
        if lawful and not rows:
            return
        row = self.pick(data, rows if lawful else list(world.policy.provisions.values()), "recipient")
        listed = [value.item for value in world.held.values() if value.item in row.items]
        items = self.items_for(data, list(dict.fromkeys(listed)) or row.items)
        if not row.blocked and self.chance(data, 7, "prepared"):
            if row.per and self.open_one(person, row.per) is None:
                self.begin(person, row.per[0])
            if not world.stands(f"provision/{row.name}", self.now):
                self.consent(person, f"provision/{row.name}", self.now)
        engagement = self.open_one(person, row.per) if row.per else None
        outcome = self.keeper.provide(person.subject_id, row.name, items, engagement=named(engagement))
        if self.expect(outcome, world.provide(row.name, items, engagement), f"provide {items} to {row.name}"):
            self.same_texts(
                person, outcome, {one for one in world.named(items) if not world.ungivable(world.held[one])}
            )
            out = tuple(one for one in world.named(items) if not world.ungivable(world.held[one]))
            self.went_out(person, Given(outcome.made or "", "provision", row.name, out, self.now, engagement))

    @rule(data=st.data())
    def is_advertised_to(self, data: st.DataObject) -> None:
        person = self.person(data)
        world = person.world
        optional = [row.name for row in world.policy.purposes.values() if not row.required]
        own = [one for one in optional if any(one == use.purpose for v in world.held.values() for use in v.uses)]
        purpose = self.pick(data, own or optional or list(world.policy.purposes), "purpose")
        medium = self.pick(data, list(world.policy.advertising) or ["email", "sms"], "medium")
        adult = world.minor_until is None or self.now >= world.minor_until
        if adult and self.chance(data, 7, "prepared"):
            night = (f"night/{medium}",) if self.chance(data, 4, "the night too") else ()
            for matter in (f"purpose/{purpose}", f"medium/{medium}", *night):
                if not world.stands(matter, self.now) and not world.policy.purposes[purpose].blocked:
                    self.consent(person, matter, self.now)
        hour = moment(self.now, world.zone()).hour
        outcome = self.keeper.send(person.subject_id, purpose, medium)
        self.expect(outcome, world.send(purpose, medium, hour), f"send {purpose} by {medium} at {hour}")

    # the world reports

    @rule(data=st.data())
    def world_reports(self, data: st.DataObject) -> None:
        self.report(data)

    @rule(data=st.data())
    def world_reports_more(self, data: st.DataObject) -> None:
        self.report(data)

    def report(self, data: st.DataObject) -> None:
        person = self.person(data)
        world = person.world
        own = [code for code, row in world.policy.facts.items() if not {"purpose", "controller"} & set(row.about)]
        starts = [row.from_ for row in world.policy.statutes.values() if not row.blocked and row.from_]
        kept = {item for value in world.held.values() for item in [value.item]}
        starts += [
            row.from_ for row in world.policy.statutes.values() if row.from_ in starts and kept & {*row.items}
        ] * 2
        claims = [row.from_ for row in world.policy.retention.values() if row.kind == "claim" and row.from_] * 3
        asked = ["consent-asked", "answered"] if contact_of(world.policy).items else []
        code = self.pick(data, [*own, *starts, *claims, *asked, "ended", "dispute-opened", "dispute-settled"], "fact")
        row = world.policy.facts.get(code)
        kinds = [kind for kind in (row.about if row else world.policy.engagements) if kind in world.policy.engagements]
        kinds = [] if code in asked else kinds
        engagement = None if code.startswith("dispute") else self.some_engagement(data, person, kinds)
        if code == "ended" and engagement is None:
            return
        about, values = self.dispute(data, person, code)
        special = [name for name, one in world.policy.statutes.items() if one.instead_of and one.from_ == code]
        about = self.pick(data, special, "special case") if special and self.chance(data, 5, "special") else about
        self.happens(person, code, self.happened(data), engagement, about, values)

    def happens(
        self,
        person: Person,
        code: str,
        at: Instant,
        engagement: str | None,
        about: str | None = None,
        values: tuple[int, ...] = (),
    ) -> None:
        """A fact is told to both; what it came too late for must be said by both."""
        world = person.world
        outcome = self.keeper.fact(
            person.subject_id, code, at=at, engagement=named(engagement), about=about, values=ids(values)
        )
        assert outcome.granted
        before = world.against_since(at)
        person.tell(Fact(code, at, self.now, engagement, about, values))
        assert set(outcome.tells) == self.too_late(person, at, before), f"late {code}"

    def too_late(self, person: Person, at: Instant, before: dict[str, set[object]]) -> set[str]:
        """What a fact came too late for: something destroyed that it would have kept, something given away."""
        world = person.world
        gone = any(value.state == "destroyed" and world.due(value) != "due" for value in world.held.values())
        return self.told_of_late(person, at, before) | ({"exception:destroyed-before-known"} if gone else set())

    @rule(data=st.data())
    def is_known_too_late(self, data: st.DataObject) -> None:
        """What comes to light concerns something given away or destroyed: just before it, at its instant, after it."""
        person = self.person(data)
        world = person.world
        gone = [value for value in world.held.values() if value.state == "destroyed"]
        if gone and (not world.given or self.chance(data, 3, "destroyed")):
            value = self.pick(data, gone, "value")
            about, values = f"dispute-{sum(fact.code == 'dispute-opened' for fact in world.facts)}", (value.id,)
            self.happens(person, "dispute-opened", value.at, None, about, values)
            return
        if not world.given:
            return
        one = self.pick(data, list(world.given.values()), "disclosure")
        at = Instant(min(one.at + data.draw(st.sampled_from([-1, -3_600_000_000, 0, 1]), label="off by"), self.now))
        uses = [use.engagement for value in one.values for use in world.held[value].uses]
        running = [each for each in dict.fromkeys([one.engagement, *uses]) if each in world.begun]
        running = [each for each in running if world.begun[each].at <= at]
        agreed = [each for each in dict.fromkeys(each.matter for each in world.agreed) if world.stands(each, at)]
        if running and (not agreed or self.chance(data, 5, "an end")):
            engagement = self.pick(data, running, "engagement")
            ends = world.policy.engagements[world.begun[engagement].kind].ends
            self.happens(person, ends.fact if isinstance(ends, Point) else "ended", at, engagement)
        elif agreed:
            self.take_back(person, self.pick(data, agreed, "matter"), self.chance(data, 3, "confirmed"), at)

    def some_engagement(self, data: st.DataObject, person: Person, kinds: Sequence[str]) -> str | None:
        found = [one.id for one in person.world.begun.values() if one.kind in kinds]
        return self.pick(data, found, "engagement") if found else None

    def dispute(self, data: st.DataObject, person: Person, code: str) -> tuple[str | None, tuple[int, ...]]:
        """A dispute has a number and mostly names what it needs; settling names the number."""
        world = person.world
        opened = [fact.about for fact in world.facts if fact.code == "dispute-opened"]
        if code == "dispute-settled" and opened:
            return self.pick(data, opened, "dispute"), ()
        if code == "dispute-opened":
            values = (
                self.some(data, list(world.held), "about")
                if world.held and self.chance(data, 7, "names values")
                else ()
            )
            return f"dispute-{len(opened)}", values
        return None, ()

    @rule(data=st.data())
    def organisation_reports(self, data: st.DataObject) -> None:
        facts = [code for code, row in self.policy.facts.items() if {"purpose", "controller"} & set(row.about)]
        if not facts or self.chance(data, 8, "all goes on"):
            return
        code = self.pick(data, facts, "fact")
        about = (
            self.pick(data, list(self.policy.purposes), "purpose")
            if "purpose" in self.policy.facts[code].about
            else None
        )
        at = self.happened(data)

        def hear() -> None:
            self.keeper.controller_fact(self.policy.policy, code, about=about, at=at)
            self.organisation.append(Fact(code, at, self.now, None, about))
            for person in self.alive():
                self.hears(person, self.organisation[-1])

        self.house_learns(at, hear)

    @staticmethod
    def hears(person: Person, fact: Fact) -> None:
        """A fact of the organisation changes what is due, and nothing about the person."""
        person.world.tell(fact)
        person.history.append(fact)

    # time goes by

    @rule(data=st.data())
    def waits(self, data: st.DataObject) -> None:
        self.wait(data)

    @rule(data=st.data())
    def waits_more(self, data: st.DataObject) -> None:
        self.wait(data)

    def wait(self, data: st.DataObject) -> None:
        coming = self.boundaries()
        if coming and self.chance(data, 8, "to a boundary"):
            at = coming[min(data.draw(st.integers(0, 3), label="which"), len(coming) - 1)]
            at += data.draw(st.sampled_from([-1, 0, 1]), label="just before, on, just after")
        else:
            at = self.now + data.draw(st.sampled_from([1, 24, 36, 24 * 40, 24 * 400]), label="hours") * 3_600_000_000
        self.move_to(at)
        if self.chance(data, 7, "sweep"):
            self.sweeps()

    @rule()
    def sweeps(self) -> None:
        swept = self.keeper.sweep()
        assert not swept.waiting
        before = {person.subject_id: dict(person.world.held) for person in self.alive()}
        for person in self.alive():
            person.world.tell(Sweep(self.now))
            person.history.append(Sweep(self.now))
            if person.world.held != before[person.subject_id]:
                person.world.changed_at = self.now
        self.papers_go()
        for person in self.alive():
            moved = person.world.held != before[person.subject_id]
            waits = person.papers or person.elsewhere.waiting(person.world)
            if not moved and not waits and person.world.forgettable():
                person.forgotten = True
                with pytest.raises(InputRefused):
                    self.keeper.views.load(person.subject_id, self.now)
                self.keeper.views.drop(person.subject_id)


def named(engagement: str | None) -> EngagementId | None:
    return EngagementId(engagement) if engagement else None


def ids(values: Sequence[int]) -> tuple[ValueId, ...]:
    return tuple(ValueId(one) for one in values)


class Nexr(Lives):
    """kt NexR 2017."""

    files = ("nexr-2017.yaml",)


class Bizmeka(Lives):
    """bizmeka EZ 2018."""

    files = ("bizmeka-ez-2018.yaml",)


class BizmekaSince2016(Lives):
    """bizmeka EZ from 2016 on, through the change of 2018."""

    files = ("bizmeka-ez-2016.yaml", "bizmeka-ez-2018.yaml")


class KtEnterprise(Lives):
    """KT Enterprise 2022."""

    files = ("kt-enterprise-2022.yaml",)


class KtMns(Lives):
    """kt m&s 2018."""

    files = ("kt-mns-2018.yaml",)


LINES: dict[str, type[Lives]] = {one.__name__: one for one in (Nexr, Bizmeka, BizmekaSince2016, KtEnterprise, KtMns)}


def lives_alike(line: type[Lives], examples: int, steps: int = 30) -> None:
    """Run one line so many times; raises where keeper and reference part. A planted fault (see `test_mutants.py`) need
    not be made small, only found.
    """
    run_state_machine_as_test(
        line,
        settings=settings(
            PROFILE,
            max_examples=examples,
            stateful_step_count=steps,
            phases=[Phase.generate] if "UPHELD_LIVES" in os.environ else PROFILE.phases,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )


@pytest.mark.slow
@pytest.mark.parametrize("line", LINES)
def test_keeper_and_reference_live_alike(line: str) -> None:
    lives_alike(LINES[line], QUICK)


@pytest.mark.deep
@pytest.mark.parametrize("line", LINES)
def test_keeper_and_reference_live_alike_for_long(line: str) -> None:
    lives_alike(LINES[line], DEEP, 60)
