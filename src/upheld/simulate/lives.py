"""Made-up lives: people come, agree or refuse, take up services, pay, dispute, ask, withdraw, leave and come back.

Nothing here knows a policy by name. What may happen is the `Script` read off the plan; how likely it is stands in one
table. Contents say that they are made up. Verbs that release contents run after the batch of the day, when what they
rest on is durable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from heapq import heappop, heappush
from random import Random
from types import MappingProxyType

from upheld.dates import Instant, local_date
from upheld.engine.acts import EngagementId, Read, Reader, ReaderKind, RequestId, SubjectId, ValueId
from upheld.engine.compile import CHILD_CONTACT
from upheld.engine.plan import EntrustmentPlan, Plan, points_in
from upheld.engine.state import HeldState
from upheld.keeper import Keeper, Outcome, Reading
from upheld.simulate.agenda import Agenda, Move, Person
from upheld.simulate.house import House
from upheld.simulate.script import Role, Script, Stay, Taking, days_in
from upheld.simulate.tally import Tally

LIKELY: Mapping[str, float] = MappingProxyType(
    {
        "agree-required": 0.96,
        "agree-optional": 0.45,
        "agree-apart": 0.5,
        "agree-gift": 0.5,
        "agree-transfer": 0.8,
        "agree-medium": 0.6,
        "taken-unasked": 0.08,
        "child": 0.08,
        "child-unasked": 0.3,
        "representative-agrees": 0.7,
        "second-stay": 0.4,
        "happens": 0.3,
        "paid-soon": 0.88,
        "paid-at-all": 0.97,
        "told-late": 0.05,
        "entrusted": 0.25,
        "agree-processor": 0.85,
        "disclosed": 0.01,
        "dispute": 0.03,
        "correction": 0.06,
        "withdraw-optional": 0.2,
        "withdraw-required": 0.03,
        "read-after": 0.12,
        "wrong-reader": 0.03,
        "comes-back": 0.15,
    }
)
"""How likely each turn of a life is. Ours, for the sake of variety; no policy speaks of it."""

ASKED: Mapping[str, float] = MappingProxyType(
    {"access": 0.07, "rectification": 0.05, "erasure": 0.05, "suspension": 0.04}
)
"""How many in one stay use a right; 0.005 for the rights not named."""

MOST_AT_ONCE = 8
"""Items taken at once: nobody fills in thirty fields."""
MOST_OWED = 4
"""Fees that fall due in one stay."""


@dataclass
class Lives:
    """The acts of people. One instance for one simulation; it holds nobody."""

    keeper: Keeper
    plan: Plan
    script: Script
    agenda: Agenda
    house: House
    chance: Random
    tally: Tally
    last_day: int
    readings: list[Reading] = field(default_factory=list)
    returning: list[tuple[int, str, str]] = field(default_factory=list)
    """Recipients that were asked to return or destroy: day of their answer, subject, disclosure. A few days long."""
    releasing: list[Callable[[], object]] = field(default_factory=list)
    """What shows contents to somebody, to run when the batch of the day is durable."""

    def __post_init__(self) -> None:
        self.moves: dict[str, Callable[[Person, Move, int], None]] = {
            "take-up": self._take_up,
            "wander": self._wander,
            "ask-representative": self._ask_representative,
            "representative": self._representative,
            "arise": self._arise,
            "fact": self._fact,
            "owe": self._owe,
            "leave": self._leave,
            "read": self._read,
            "gift": self._gift,
            "entrust": self._entrust,
            "acknowledge": self._acknowledge,
            "send": self._send,
            "withdraw": self._withdraw,
            "correct": self._correct,
            "dispute": self._dispute,
            "settle": self._settle,
            "disclose": self._disclose,
        }
        self.stays = {role.kind: {stay.kind: stay for stay in role.stays} for role in self.script.roles}
        self.takings = {
            role.kind: {
                taking.purpose: taking for taking in (*role.anywhere, *(t for s in role.stays for t in s.takings))
            }
            for role in self.script.roles
        }

    # ── chance ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def likely(self, turn: str) -> bool:
        """Whether a turn of the table happens this time."""
        return self.chance.random() < LIKELY[turn]

    def plan_for(self, person: Person, day: int, move: Move) -> None:
        """Put a move on the agenda, unless the simulation is over by then."""
        if day <= self.last_day:
            self.agenda.add(day, person.number, move)

    # ── coming ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def arrive(self, numbers: range, day: int) -> None:
        """People come on this day; what they do first is on today's agenda."""
        weights = [1 + 2 * len(role.stays) + len(role.anywhere) for role in self.script.roles]
        roles = self.chance.choices(self.script.roles, weights, k=len(numbers))
        births = [self._birth(day) for _ in numbers]
        ids = self.keeper.enter_many(self.plan.policy, [role.kind for role in roles], births)
        for number, role, born, subject_id in zip(numbers, roles, births, ids, strict=True):
            person = Person(number, subject_id, role.kind, born is not None, {}, {}, [])
            self.agenda.keep(person)
            self.tally.persons[f"{role.kind}, child" if born else role.kind] += 1
            first = [Move("ask-representative")] if born else self._first_moves(role)
            for move in first:
                self.agenda.add(day, number, move)

    def come_anew(self, person: Person) -> None:
        """A person who was forgotten comes back: to us they are somebody new."""
        (person.subject_id,) = self.keeper.enter_many(self.plan.policy, [person.kind])
        person.minor = False
        person.stays, person.taken, person.given = {}, {}, []
        self.tally.persons[f"{person.kind}, back after being forgotten"] += 1

    def _birth(self, day: int) -> date | None:
        if not self.script.has_children or not self.likely("child"):
            return None
        age = self.chance.randint(self.plan.children.under - 5, self.plan.children.under - 1)
        return date.fromordinal(day - age * 365 - self.chance.randint(20, 330))

    def _first_moves(self, role: Role) -> list[Move]:
        moves = []
        if role.stays:
            weights = [1 + 2 * len(stay.takings) for stay in role.stays]
            moves.append(Move("take-up", self.chance.choices(role.stays, weights)[0].kind))
        if role.anywhere and (not role.stays or self.chance.random() < 0.6):
            moves.append(Move("wander"))
        return moves

    def _role(self, person: Person) -> Role:
        return next(role for role in self.script.roles if role.kind == person.kind)

    # ── children ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _ask_representative(self, person: Person, _: Move, day: int) -> None:
        items = {item: self._content(person, item) for item in sorted(self.plan.children.contact_items)}
        if self.likely("child-unasked"):
            for stay in self._role(person).stays[:1]:
                for taking in stay.takings[:1]:
                    self._collect(person, taking, taking.items[:1], None)
        channel = next(iter(self.plan.channels), None)
        self._note("collect", self.keeper.collect(person.subject_id, CHILD_CONTACT, items, channel=channel))
        self._note("fact", self.keeper.fact(person.subject_id, "consent-asked"))
        if self.likely("representative-agrees"):
            self.plan_for(person, day + self.chance.randint(1, 4), Move("representative", "agrees"))
        elif self.chance.random() < 0.5:
            self.plan_for(person, day + self.chance.randint(1, 4), Move("representative", "refuses"))

    def _representative(self, person: Person, move: Move, day: int) -> None:
        self._note("fact", self.keeper.fact(person.subject_id, "answered"))
        if move.about == "agrees":
            self._agree(person, "representative/collection")
            for first in self._first_moves(self._role(person)):
                self.agenda.add(day, person.number, first)

    # ── taking up ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _take_up(self, person: Person, move: Move, day: int) -> None:
        stay = self.stays[person.kind][move.about]
        if stay.kind in person.stays:
            return
        organisation = f"customer-{person.number % 9 + 1}" if self._shared(stay) else None
        begun = self._note("begin", self.keeper.begin(person.subject_id, stay.kind, organisation=organisation))
        engagement = EngagementId(begun.made or "")
        person.stays[stay.kind] = engagement
        held: dict[str, ValueId] = {}
        met = [taking for taking in stay.takings if self._meet(person, taking, engagement, held, day)]
        self._look_ahead(person, stay, engagement, met, day)

    def _shared(self, stay: Stay) -> bool:
        return any(one.for_organisation or self.plan.purposes[one.purpose].needs for one in stay.takings)

    def _wander(self, person: Person, _: Move, day: int) -> None:
        held: dict[str, ValueId] = {}
        met = [one for one in self._role(person).anywhere if self._meet(person, one, None, held, day)]
        for taking in met:
            self._reads(person, taking, None, day, day + 200)
        self._changes_of_mind(person, met, day, day + 300)
        self._asks(person, day, day + 300)

    def _meet(
        self, person: Person, taking: Taking, engagement: EngagementId | None, held: dict[str, ValueId], day: int
    ) -> bool:
        """One purpose is put to a person: agreed to and collected for, or refused."""
        wanted = self.likely("agree-required" if taking.required else "agree-optional")
        if not wanted:
            if taking.asks_consent and self.likely("taken-unasked"):
                self._collect(person, taking, taking.items[:1], engagement)
            return False
        if taking.asks_consent:
            self._agree(person, f"purpose/{taking.purpose}")
        if taking.asks_permission:
            self._agree(person, f"permission/{taking.purpose}")
        person.taken[taking.purpose] = engagement
        if taking.arises:
            for _ in range(self.chance.randint(1, 3)):
                self.plan_for(
                    person, day + self.chance.randint(0, 120), Move("arise", taking.purpose, engagement or "")
                )
            return True
        items = self._chosen(person, taking)
        reused = [item for item in items if item in held and item not in taking.apart and not taking.proofs]
        if reused:
            values = tuple(held[item] for item in reused)
            channel = self._channel(taking)
            self._note(
                "reuse",
                self.keeper.reuse(person.subject_id, taking.purpose, values, engagement=engagement, channel=channel),
            )
        fresh = [item for item in items if item not in reused]
        if fresh:
            made = self._collect(person, taking, tuple(fresh), engagement)
            held.update({item: values[-1] for item, values in made.values.items() if made.granted})
        return True

    def _chosen(self, person: Person, taking: Taking) -> list[str]:
        plain = [item for item in taking.items if item not in taking.apart]
        if len(plain) > MOST_AT_ONCE:
            plain = sorted(self.chance.sample(plain, MOST_AT_ONCE))
        apart = [item for item in sorted(taking.apart) if self.likely("agree-apart")][:2]
        for item in apart:
            self._agree(person, f"item/{item}")
        return plain + apart

    def _channel(self, taking: Taking) -> str | None:
        return self.chance.choice(taking.channels)

    def _by(self, person: Person) -> str:
        """Who speaks for a person: the representative of a child, until the day on which that ends."""
        if person.minor and self.keeper.grown_up(person.subject_id):
            person.minor = False
        return "representative" if person.minor else "subject"

    def _agreeing_channel(self, matter: str = "") -> str:
        recipient = self.plan.provisions.get(matter.removeprefix("provision/"))
        counting = tuple(sorted(recipient.by)) if recipient else ()
        ways = counting or tuple(self.plan.consent_channels or self.plan.channels)
        return self.chance.choice(ways) if ways else "in-person"

    def _collect(
        self, person: Person, taking: Taking, items: tuple[str, ...], engagement: EngagementId | None
    ) -> Outcome:
        texts = {item: self._content(person, item) for item in items}
        outcome = self.keeper.collect(
            person.subject_id, taking.purpose, texts, engagement=engagement, channel=self._channel(taking),
            proofs=taking.proofs,
        )  # fmt: skip
        return self._note("collect", outcome)

    def _content(self, person: Person, item: str) -> str:
        if "mail" in item:
            return f"nobody-{person.number}.{self.chance.randint(0, 999)}@example.org"
        return f"made-up {item} {person.number}.{self.chance.randint(0, 999)}"

    def _arise(self, person: Person, move: Move, day: int) -> None:
        """Data arises in use, as long as the use goes on."""
        if move.engagement and move.engagement not in person.stays.values():
            return
        taking = self.takings[person.kind][move.about]
        items = [item for item in taking.items if item not in taking.apart]
        some = tuple(sorted(self.chance.sample(items, min(3, len(items)))))
        self._collect(person, taking, some, EngagementId(move.engagement) if move.engagement else None)

    def _agree(self, person: Person, matter: str) -> None:
        outcome = self.keeper.consent(
            person.subject_id, matter, channel=self._agreeing_channel(matter),
            by=self._by(person), verified="phone-identity",
        )  # fmt: skip
        self._note("consent", outcome)
        if outcome.granted and matter not in person.given:
            person.given.append(matter)

    # ── what lies ahead ─────────────────────────────────────────────────────────────────────────────────────────────

    def _look_ahead(self, person: Person, stay: Stay, engagement: EngagementId, met: list[Taking], day: int) -> None:
        length = max(2, round(self.chance.expovariate(1 / stay.typical_days)))
        end = day + length
        self.plan_for(person, end, Move("leave", stay.kind, engagement))
        for taking in met:
            self._reads(person, taking, engagement, day, end)
        self._world(person, stay, engagement, day, end)
        self._giving(person, stay, engagement, met, day, end)
        self._changes_of_mind(person, met, day, end)
        self._asks(person, day, end + 60)
        if self.likely("second-stay"):
            other = self.chance.choice(self._role(person).stays)
            self.plan_for(person, self._between(day, end), Move("take-up", other.kind))

    def _between(self, day: int, end: int) -> int:
        return self.chance.randint(day + 1, max(day + 1, end - 1))

    def _reads(self, person: Person, taking: Taking, engagement: EngagementId | None, day: int, end: int) -> None:
        for _ in range(self.chance.randint(1, 2)):
            self.plan_for(person, self._between(day, end), Move("read", taking.purpose, engagement or ""))
        if self.likely("read-after"):
            self.plan_for(person, end + self.chance.randint(1, 40), Move("read", taking.purpose, engagement or ""))

    def _world(self, person: Person, stay: Stay, engagement: EngagementId, day: int, end: int) -> None:
        for opener, closer in stay.owed:
            for _ in range(self.chance.randint(1, MOST_OWED)):
                self.plan_for(person, self._between(day, end), Move("owe", f"{opener} {closer}", engagement))
        for code in stay.happens:
            if self.likely("happens"):
                self.plan_for(person, self._between(day, end), Move("fact", code, engagement, self._lateness(day, end)))
        for code in self._role(person).happens:
            if self.likely("happens"):
                self.plan_for(person, self._between(day, end), Move("fact", code))
        if self.script.has_disputes and self.likely("dispute"):
            self.plan_for(person, self._between(day, end), Move("dispute"))

    def _lateness(self, day: int, end: int) -> int:
        return self.chance.randint(1, 5) if self.likely("told-late") and end - day > 8 else 0

    def _giving(
        self, person: Person, stay: Stay, engagement: EngagementId, met: list[Taking], day: int, end: int
    ) -> None:
        for gift in (*stay.gifts, *self._role(person).gifts):
            self.plan_for(person, self._between(day, end), Move("gift", gift.recipient, engagement))
        for taking in met:
            able = [
                row.processor
                for row in self.plan.entrustments.values()
                if taking.purpose in row.purposes and not row.blocked
            ]
            if able and self.likely("entrusted"):
                move = Move("entrust", f"{self.chance.choice(able)} {taking.purpose}", engagement)
                self.plan_for(person, self._between(day, end), move)
            if taking.purpose in self.plan.advertising_purposes and self.script.media:
                self._adverts(person, taking, day, end)
        if self.plan.exceptions and self.likely("disclosed"):
            self.plan_for(
                person, self._between(day, end), Move("disclose", self.chance.choice(tuple(self.plan.exceptions)))
            )

    def _adverts(self, person: Person, taking: Taking, day: int, end: int) -> None:
        medium = self.chance.choice(self.script.media)
        if self.likely("agree-medium"):
            self._agree(person, f"medium/{medium}")
        elif not self.likely("taken-unasked"):
            return
        for _ in range(2):
            self.plan_for(person, self._between(day, end), Move("send", f"{taking.purpose} {medium}"))

    def _changes_of_mind(self, person: Person, met: list[Taking], day: int, end: int) -> None:
        for taking in met:
            if taking.asks_consent and self.likely("withdraw-required" if taking.required else "withdraw-optional"):
                self.plan_for(person, self._between(day, end), Move("withdraw", f"purpose/{taking.purpose}"))
        if self.likely("correction"):
            self.plan_for(person, self._between(day, end), Move("correct"))

    def _asks(self, person: Person, day: int, end: int) -> None:
        for right in self.script.rights:
            if self.chance.random() < ASKED.get(right, 0.005):
                self.plan_for(person, self._between(day, end), Move("ask", right))

    # ── the world reports ───────────────────────────────────────────────────────────────────────────────────────────

    def _fact(self, person: Person, move: Move, day: int) -> None:
        at = Instant(self.keeper.now() - move.number * 86_400_000_000) if move.number else None
        engagement = EngagementId(move.engagement) if move.engagement else None
        self._note("fact", self.keeper.fact(person.subject_id, move.about, engagement=engagement, at=at))

    def _owe(self, person: Person, move: Move, day: int) -> None:
        if move.engagement not in person.stays.values():
            return
        opener, closer = move.about.split(" ")
        self._fact(person, Move("fact", opener, move.engagement), day)
        if self.likely("paid-at-all"):
            soon = self.likely("paid-soon")
            later = self.chance.randint(3, 25) if soon else self.chance.randint(60, 400)
            self.plan_for(person, day + later, Move("fact", closer, move.engagement))

    def _leave(self, person: Person, move: Move, day: int) -> None:
        if person.stays.get(move.about) != move.engagement:
            return  # a withdrawal has ended it already
        del person.stays[move.about]
        stay = self.stays[person.kind][move.about]
        if stay.ends_by:
            late = self._lateness(day - 9, day)
            self._fact(person, Move("fact", self.chance.choice(stay.ends_by), move.engagement, late), day)
        if self.likely("comes-back"):
            self.plan_for(person, day + self.chance.randint(40, 700), Move("take-up", move.about))

    def _dispute(self, person: Person, _: Move, day: int) -> None:
        values = tuple(self._held(person))[:3]
        if values:
            about = f"dispute-{person.number}"
            self._note("fact", self.keeper.fact(person.subject_id, "dispute-opened", values=values, about=about))
            self.plan_for(person, day + self.chance.randint(20, 400), Move("settle", about))

    def _settle(self, person: Person, move: Move, day: int) -> None:
        self._note("fact", self.keeper.fact(person.subject_id, "dispute-settled", about=move.about))

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _read(self, person: Person, move: Move, day: int) -> None:
        taking = self.takings[person.kind][move.about]
        held = self._items_held(person)
        known = [item for item in taking.items if item in held]
        if not known and self.chance.random() < 0.8:
            return  # mostly nobody looks where nothing is
        known = known or list(taking.items)
        items = tuple(self.chance.sample(known, min(3, len(known))))
        reader = self.house.anybody(day) if self.likely("wrong-reader") else self._reader(person, move.about, day)
        use = taking.uses[day % len(taking.uses)]
        self.readings.append(Reading(person.subject_id, Read(move.about, reader, items, use=use)))

    def _reader(self, person: Person, purpose: str, day: int) -> Reader:
        if self.plan.purposes[purpose].needs & {"same-group", "both-accepted"}:
            return Reader(ReaderKind.FELLOW, "fellow", organisation=f"customer-{person.number % 9 + 1}")
        return self.house.reader_for(purpose, day)

    def released(self) -> None:
        """After the batch of the day: everything that shows contents, each with its durable record first."""
        if self.readings:
            for outcome in self.keeper.read_many(self.readings):
                self._note("read", outcome)
            self.readings.clear()
        for action in self.releasing:
            action()
        self.releasing.clear()

    # ── giving away ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _gift(self, person: Person, move: Move, day: int) -> None:
        if move.engagement not in person.stays.values():
            return
        row = self.plan.provisions[move.about]
        if self.likely("agree-gift"):
            self._agree(person, f"provision/{move.about}")
            self._agree_transfers(person, row.party)
            if self.likely("withdraw-optional"):
                self.plan_for(person, day + self.chance.randint(5, 300), Move("withdraw", f"provision/{move.about}"))
        elif not self.likely("taken-unasked"):
            return
        items = tuple(item for item in sorted(row.items) if item in self._items_held(person))
        if items:
            engagement = EngagementId(move.engagement) if row.per else None
            self.releasing.append(lambda: self._provide(person, move.about, items, engagement))

    def _provide(self, person: Person, recipient: str, items: tuple[str, ...], engagement: EngagementId | None) -> None:
        self._note("provide", self.keeper.provide(person.subject_id, recipient, items, engagement=engagement))

    def _agree_transfers(self, person: Person, party: str) -> None:
        for row in self.plan.transfers.values():
            if row.party == party and row.basis == "consent" and not row.blocked and self.likely("agree-transfer"):
                self._agree(person, f"transfer/{row.name}")

    def _abroad_for(self, party: str) -> Iterator[int]:
        """Days after which a copy abroad has to be gone, a little less than the policy allows."""
        for row in self.plan.transfers.values():
            if row.party == party and row.until is not None and not row.blocked:
                yield from (max(1, days_in(period) - 10) for _, period in points_in(row.until) if days_in(period))

    def _entrust(self, person: Person, move: Move, day: int) -> None:
        processor, purpose = move.about.split(" ")
        row = self.plan.entrustments[processor]
        if not self._agreed_to_processor(person, row, day):
            return
        self._agree_transfers(person, row.party)
        taking = self.takings[person.kind][purpose]
        held = self._items_held(person)
        items = tuple(item for item in taking.items if item in row.items and item in held)[:4]
        if items and move.engagement in person.stays.values():
            for days in self._abroad_for(row.party):
                self.plan_for(person, day + days, Move("acknowledge", processor))
            self.releasing.append(
                lambda: self._note("entrust", self.keeper.entrust(person.subject_id, processor, purpose, items))
            )

    def _agreed_to_processor(self, person: Person, row: EntrustmentPlan, day: int) -> bool:
        """Where a processor is agreed to by name, a few refuse; of those now and then one is handed over unasked."""
        matter = f"entrustment/{row.processor}"
        if not row.own_consent:
            return True
        if not self.likely("agree-processor"):
            return self.likely("taken-unasked")
        self._agree(person, matter)
        if self.likely("withdraw-optional"):
            self.plan_for(person, day + self.chance.randint(5, 300), Move("withdraw", matter))
        return True

    def _acknowledge(self, person: Person, move: Move, day: int) -> None:
        """A recipient says that it corrected, returned or destroyed what it got of this person."""
        seen = self.keeper.views.get(person.subject_id, self.keeper.now())
        for one in seen.state.disclosures:
            if one.recipient == move.about:
                self._note("acknowledge", self.keeper.acknowledge(person.subject_id, one.disclosure_id))

    def recalled(self, since: Instant, day: int) -> None:
        """Recipients that the sweep has just asked to return or destroy do so within days."""
        with self.keeper.places.active.reading() as connection:
            asked = connection.execute(_ASKED_BACK, (since,)).fetchall()
        for subject_id, disclosure in asked:
            on = day + (self.chance.randint(6, 20) if self.likely("told-late") else self.chance.randint(0, 3))
            heappush(self.returning, (on, subject_id, disclosure))

    def returned(self, day: int) -> None:
        """What was asked back and comes back today. Inside the batch of the day."""
        while self.returning and self.returning[0][0] <= day:
            _, subject_id, disclosure = heappop(self.returning)
            self._note("acknowledge", self.keeper.acknowledge(SubjectId(subject_id), disclosure))

    def _send(self, person: Person, move: Move, day: int) -> None:
        purpose, medium = move.about.split(" ")
        self._note("send", self.keeper.send(person.subject_id, purpose, medium))

    def _disclose(self, person: Person, move: Move, day: int) -> None:
        row = self.plan.exceptions[move.about]
        items = tuple(item for item in sorted(self._items_held(person)) if not row.items or item in row.items)[:2]
        if items:
            law = min(row.laws) if row.laws else None
            shown = row.needs if self.chance.random() < 0.8 else frozenset(sorted(row.needs)[1:])
            self.releasing.append(
                lambda: self._note(
                    "disclose", self.keeper.disclose(person.subject_id, move.about, items, shown=shown, law=law)
                )
            )

    # ── changing one's mind, correcting ─────────────────────────────────────────────────────────────────────────────

    def _withdraw(self, person: Person, move: Move, day: int) -> None:
        if move.about not in person.given:
            return
        person.given.remove(move.about)
        by = self._by(person)
        outcome = self.keeper.withdraw(
            person.subject_id, move.about, channel=self._agreeing_channel(), by=by, confirmed=True
        )
        self._note("withdraw", outcome)
        ended = {tell.removeprefix("ends:") for tell in outcome.tells if tell.startswith("ends:")}
        person.stays = {kind: one for kind, one in person.stays.items() if kind not in ended}

    def _correct(self, person: Person, _: Move, day: int) -> None:
        self.correct(person, None, day)

    def correct(
        self, person: Person, value: ValueId | None, day: int, request: RequestId | None = None
    ) -> Outcome | None:
        """Put a new made-up content in the place of an old one; recipients acknowledge within days."""
        held = self._held(person)
        chosen = value if value in held else next(iter(held), None)
        if chosen is None:
            return None
        text = self._content(person, held[chosen])
        outcome = self._note("correct", self.keeper.correct(person.subject_id, chosen, text, request=request))
        for tell in outcome.tells:
            if tell.startswith("told:"):
                on = day + self.chance.randint(1, 4)
                self.plan_for(person, on, Move("acknowledge", tell.removeprefix("told:")))
        return outcome

    # ── small questions ─────────────────────────────────────────────────────────────────────────────────────────────

    def _note(self, verb: str, outcome: Outcome) -> Outcome:
        return self.tally.note(verb, outcome)

    def _held(self, person: Person) -> dict[ValueId, str]:
        """Values that are held and current, with their items, in the order in which they came."""
        seen = self.keeper.views.get(person.subject_id, self.keeper.now())
        return {
            value.value_id: value.item
            for value in sorted(seen.state.values, key=lambda one: (one.collected_at, one.value_id))
            if value.held is HeldState.HELD and value.replaced_at is None
        }

    def _items_held(self, person: Person) -> set[str]:
        return set(self._held(person).values())

    def held(self, person: Person) -> dict[ValueId, str]:
        """Values held for a person, with their items."""
        return self._held(person)

    def today(self, day: int) -> Iterator[tuple[Person, list[Move]]]:
        """Everybody who has something to do on this day, until nobody has."""
        while True:
            found = list(self.agenda.of(day))
            if not found:
                return
            yield from found

    def local_day(self, at: Instant) -> int:
        """The ordinal of the local day of an instant."""
        return local_date(at, self.plan.zone).toordinal()


_ASKED_BACK = (
    "SELECT subject_id, disclosure_id FROM told "
    "WHERE at >= ? AND acknowledged_at IS NULL AND reason = 'return-or-destroy' ORDER BY bucket, subject_id, told_id"
)
