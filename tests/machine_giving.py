"""Rules of the machine for what leaves the house and comes back, for its staff, and for who speaks for a person."""

# mypy: disable-error-code="misc"
# Each class here is a part of `Lives` and says so of `self`; the checker wants a base class there.

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.reference_giving import Deal, Given, House, Role, Speaker, blocks_access
from tests.reference_history import Agreed
from upheld.dates import FOREVER, Instant, end_of
from upheld.engine.acts import HandlerId
from upheld.policy.model import Entrustment

if TYPE_CHECKING:
    from tests.test_machine import Lives, Person

DAY = 86_400_000_000
ASKED = ["rectification", "erasure", "access"]


class Giving:
    """Mixed into the machine of each policy: `self` is the whole machine, which no mixin is alone (hence `misc`)."""

    house: House

    # contracts

    @rule(data=st.data())
    def contract_changes(self: Lives, data: st.DataObject) -> None:
        rows = list(self.policy.entrustments.values())
        running = [one for one in self.house.deals.values() if one.runs(self.now)]
        if not running or not rows or self.chance(data, 5, "a new one"):
            if rows:
                self.signs(data, self.pick(data, rows, "processor"), full=self.chance(data, 9, "all terms"))
            return
        deal = self.pick(data, running, "contract")
        at = max(deal.since, self.happened(data))

        def end() -> None:
            self.keeper.end_contract(self.policy.policy, deal.id, at=at)
            self.house.deals[deal.id] = replace(deal, until=at)

        self.house_learns(at, end)

    def house_learns(self: Lives, at: Instant, learn: Callable[[], None]) -> None:
        """Something of the organisation comes to be known, perhaps late: everybody's given things are looked at."""
        before = [(person, person.world.against_since(at)) for person in self.alive()]
        learn()
        for person, against in before:
            self.told_of_late(person, at, against)

    def told_of_late(self: Lives, person: Person, at: Instant, before: dict[str, set[object]]) -> set[str]:
        """Who has something that would have stayed, had this been known; the reference notes that they are told."""
        late = person.world.told_of_late(at, before)
        for one in late:
            person.world.tell(one)
            person.history.append(one)
        return {f"told:{one.to}" for one in late}

    def signs(self: Lives, data: st.DataObject, row: Entrustment, full: bool) -> None:
        party = row.to or row.name
        if self.house.deal_with(party, self.now) is not None:
            return
        terms = frozenset(map(str, row.terms)) if full else frozenset[str]()
        until = Instant(self.now + 400 * DAY) if self.chance(data, 3, "for a time") else FOREVER
        sub = self.chance(data, 8, "we agreed to the sub-processor")
        made = self.keeper.contract(
            self.policy.policy, party, terms=terms, sub_consent=sub, until=None if until == FOREVER else until
        )
        self.house.deals[made] = Deal(made, party, self.now, until, terms, sub)

    @rule(data=st.data())
    def everything_comes_back(self: Lives, data: st.DataObject) -> None:
        over = [one for one in self.house.deals.values() if not one.runs(self.now)]
        if not over:
            return
        deal = self.pick(data, over, "contract that is over")
        self.keeper.returned(self.policy.policy, deal.id)
        for person in self.alive():
            person.world.everything_returned(deal)
            self.notes_given(person)

    def notes_given(self: Lives, person: Person) -> None:
        """What was given as it stands now goes into the history."""
        person.history.extend(person.world.given.values())

    @rule(data=st.data())
    def transfer_is_stopped_or_resumed(self: Lives, data: st.DataObject) -> None:
        rows = list(self.policy.transfers)
        if not rows or self.chance(data, 7, "all goes on"):
            return
        name = self.pick(data, rows, "transfer")
        stopped, at = self.house.is_stopped(name), self.happened(data)

        def hear() -> None:
            code = "transfer-resumed" if stopped else "transfer-stopped"
            self.keeper.controller_fact(self.policy.policy, code, about=name, at=at)
            self.house.orders.append((name, not stopped, at))

        self.house_learns(at, hear)

    # out and back

    @rule(data=st.data())
    def is_entrusted(self: Lives, data: st.DataObject) -> None:
        person = self.person(data)
        world = person.world
        rows = list(world.policy.entrustments.values())
        used = {use.purpose for value in world.held.values() for use in value.uses}
        useful = [row for row in rows if used & {*row.for_} and not row.blocked]
        if not rows:
            return
        row = self.pick(data, useful if useful and self.chance(data, 9, "of use") else rows, "processor")
        mine = [one for one in row.for_ if one in used]
        purpose = self.pick(data, mine or list(row.for_) or list(world.policy.purposes), "task")
        if not self.chance(data, 9, "its task"):
            purpose = self.pick(data, list(world.policy.purposes), "any purpose")
        listed = [value.item for value in world.held.values() if value.item in row.items]
        items = self.items_for(data, list(dict.fromkeys(listed)) or row.items)
        if not row.blocked and self.chance(data, 8, "prepared"):
            self.ready_to_entrust(data, person, row)
        outcome = self.keeper.entrust(person.subject_id, row.name, purpose, items)
        if self.expect(outcome, world.entrust(row.name, purpose, items), f"entrust {items} to {row.name}"):
            lawful = {one for one in world.named(items) if not world.not_for_task(world.held[one], purpose)}
            self.went_out(person, Given(outcome.made or "", "entrustment", row.name, tuple(lawful), self.now))
            self.same_texts(person, outcome, lawful)

    def ready_to_entrust(self: Lives, data: st.DataObject, person: Person, row: Entrustment) -> None:
        world = person.world
        above = world.policy.entrustments.get(row.under or "")
        for one in (row, above):
            if one is not None:
                self.signs(data, one, full=True)
        abroad = [f"transfer/{one.name}" for one in world.policy.transfers.values() if one.to == (row.to or row.name)]
        for matter in [*([f"entrustment/{row.name}"] if row.consent else []), *abroad]:
            if not world.stands(matter, self.now):
                self.consent(person, matter, self.now)

    def went_out(self: Lives, person: Person, given: Given) -> None:
        person.world.tell(given)
        person.history.append(given)
        person.world.changed_at = self.now

    @rule(data=st.data())
    def is_disclosed(self: Lives, data: st.DataObject) -> None:
        person = self.person(data)
        world = person.world
        rows = world.policy.provision_exceptions
        if not rows:
            return
        row = rows[self.pick(data, list(rows), "way out")]
        needs = sorted({*map(str, row.needs)})
        shown = needs if self.chance(data, 8, "all on record") else self.some(data, needs, "on record")
        laws = [one.law for one in row.law]
        law = self.pick(data, laws, "law") if laws and self.chance(data, 9, "law named") else None
        items = self.items_for(data, [value.item for value in world.held.values()] or list(world.policy.items))
        outcome = self.keeper.disclose(person.subject_id, row.name, items, shown=frozenset(shown), law=law)
        if self.expect(outcome, world.disclose(row.name, items, frozenset(shown), law), f"disclose {items}"):
            out = world.disclosable(items)
            self.went_out(person, Given(outcome.made or "", "exception", row.name, tuple(out), self.now))
            self.same_texts(person, outcome, out)

    @rule(data=st.data())
    def other_side_answers(self: Lives, data: st.DataObject) -> None:
        person = self.person(data)
        if not person.world.given:
            return
        one = self.pick(data, list(person.world.given.values()), "disclosure")
        assert self.keeper.acknowledge(person.subject_id, one.id).granted
        if one.asked_back:
            person.world.tell(replace(one, answered=True))
            person.history.append(replace(one, answered=True))

    # staff

    @rule(data=st.data())
    def role_is_given_or_taken(self: Lives, data: st.DataObject) -> None:
        duties = list(self.policy.handlers.values())
        now = [one for one in self.house.roles if one.until > self.now]
        if not duties:
            return
        if now and self.chance(data, 3, "taken"):
            role = self.pick(data, now, "role")
            self.keeper.revoke(self.policy.policy, HandlerId(role.staff), role.duty)
            same = [one for one in self.house.roles if (one.staff, one.duty) == (role.staff, role.duty)]
            self.house.roles = [one for one in self.house.roles if one not in same]
            kept = [one for one in self.roles_ever if one not in same]
            self.roles_ever = [*kept, *(replace(one, until=self.now) for one in same)]
            return
        row = self.pick(data, duties, "duty")
        shown = frozenset(map(str, row.granted_with))
        again = [role.staff for role in self.roles_ever if role.until <= self.now]
        known = HandlerId(self.pick(data, again, "who")) if again and self.chance(data, 4, "somebody known") else None
        party = self.whose_staff(data, known)
        handler, outcome = self.keeper.grant(self.policy.policy, row.name, handler=known, shown=shown, party=party)
        assert outcome.granted
        zone = self.people[0].world.zone() if self.people else None
        assert zone is not None
        until = end_of(self.now, row.granted_for, zone) if row.granted_for else FOREVER
        self.house.roles.append(Role(handler, row.name, Instant(until), party))
        self.roles_ever.append(self.house.roles[-1])
        if self.chance(data, 7, "cleared"):
            for control in self.policy.safeguards.values():
                if blocks_access(control):
                    self.file_for(control.name, control.evidence[0], handler if control.per else "")

    def whose_staff(self: Lives, data: st.DataObject, known: HandlerId | None) -> str | None:
        """Some of the staff work for a processor, and go on working for the same."""
        before = [one.party for one in self.roles_ever if one.staff == known]
        if before or not self.policy.entrustments or self.chance(data, 7, "our own staff"):
            return before[0] if before else None
        return self.pick(data, list(self.policy.entrustments), "of a processor")

    def file_for(self: Lives, control: str, kind: str, about: str) -> None:
        self.keeper.file_evidence(self.policy.policy, control, kind, about=about)
        self.house.filed.append((control, about, self.now))

    @rule(data=st.data())
    def staff_shows_clearance(self: Lives, data: st.DataObject) -> None:
        rows = [one for one in self.policy.safeguards.values() if blocks_access(one)]
        if rows and self.house.roles:
            row, role = self.pick(data, rows, "control"), self.pick(data, self.house.roles, "who")
            self.file_for(row.name, row.evidence[0], role.staff if row.per else "")

    @rule(data=st.data())
    def staff_reads(self: Lives, data: st.DataObject) -> None:
        if not self.house.roles:
            return
        person, role = self.person(data), self.pick(data, self.house.roles, "who")
        world = person.world
        mine = [row for row in self.used(person) if row.name in world.tasks(role)]
        row = self.pick(data, mine or self.used(person) or list(world.policy.purposes.values()), "purpose")
        listed = [value.item for value in world.held.values() if value.item in row.items]
        items = self.items_for(data, list(dict.fromkeys(listed)) or row.items)
        use = world.some_use(row.name)
        reader = self.keeper.reader(self.policy.policy, HandlerId(role.staff))
        outcome = self.keeper.read(person.subject_id, row.name, reader=reader, items=items, use=use)
        if self.expect(outcome, world.read_by(role.staff, row.name, items, use), f"{role.duty} reads {row.name}"):
            who = world.as_reader(role.staff)
            lawful = {one for one in world.named(items) if not world.read(row.name, (one,), who, use)}
            self.same_texts(person, outcome, lawful)

    # who speaks for a person

    @rule(data=st.data())
    def somebody_speaks_for_them(self: Lives, data: st.DataObject) -> None:
        person = self.person(data)
        world = person.world
        kind = self.pick(data, list(world.policy.acting_for), "kind")
        row = world.policy.acting_for[kind]
        rights = (
            self.some(data, ["consent", "withdrawal", *ASKED], "rights") if self.chance(data, 5, "some rights") else ()
        )
        items = self.some(data, list(world.policy.items), "items") if self.chance(data, 3, "some items") else ()
        until = Instant(self.now + 30 * DAY) if self.chance(data, 5, "for a time") else FOREVER
        papers = self.papers_of(row.shows) or ("mandate",)
        if row.shows and not self.chance(data, 9, "papers"):
            refused = self.keeper.acts_for(person.subject_id, kind, shown="library-card")
            self.expect(refused, frozenset({"identity-not-proved"}), f"{kind} with a library card")
            return
        outcome = self.keeper.acts_for(
            person.subject_id, kind, shown=papers, rights=rights, items=items,
            until=None if until == FOREVER else until,
        )  # fmt: skip
        assert outcome.granted
        grown = world.minor_until
        childs = kind == "representative" and grown is not None and self.now < grown
        until = min(until, grown) if childs and grown is not None else until
        one = Speaker(outcome.made or "", kind, self.now, until, tuple(sorted(rights)), tuple(sorted(items)))
        person.tell(one)

    def papers_of(self: Lives, shows: Sequence[str]) -> tuple[str, ...]:
        return tuple(shows)

    @rule(data=st.data())
    def somebody_falls_silent(self: Lives, data: st.DataObject) -> None:
        person = self.person(data)
        speaking = [one for one in person.world.speakers.values() if not one.over]
        if speaking:
            one = self.pick(data, speaking, "speaker")
            assert self.keeper.acts_no_longer(person.subject_id, one.id).granted
            person.tell(replace(one, over=True))

    @rule(data=st.data())
    def somebody_agrees_for_them(self: Lives, data: st.DataObject) -> None:
        person = self.person(data)
        world = person.world
        if not world.speakers:
            return
        one = self.pick(data, list(world.speakers.values()), "speaker")
        matter = self.pick(data, self.matters(person), "matter")
        purpose = world.policy.purposes.get(matter.partition("/")[2]) if matter.startswith("purpose/") else None
        items = tuple(purpose.items) if purpose else ()
        if self.chance(data, 3, "takes back"):
            self.take_back(person, matter, self.chance(data, 5, "confirmed"), self.now, one)
            return
        channel = self.way_to_agree(world, matter)
        outcome = self.keeper.consent(person.subject_id, matter, channel=channel, by=one.id)
        if self.expect(outcome, world.said_by(one, "consent", items), f"{one.kind} agrees to {matter}"):
            person.tell(Agreed(matter, True, self.now, self.now, max(world.version(), 0), channel))

    @rule(data=st.data())
    def speaker_asks_too_much(self: Lives, data: st.DataObject) -> None:
        """A request that the mandate does not cover is refused; one that it covers is in `asks_for_them`."""
        self.ask_for(data, within=False)

    @rule(data=st.data())
    def asks_for_them(self: Lives, data: st.DataObject) -> None:
        self.ask_for(data, within=True)

    def ask_for(self: Lives, data: st.DataObject, within: bool) -> None:
        person = self.person(data)
        world = person.world
        if not world.speakers:
            return
        one = self.pick(data, list(world.speakers.values()), "speaker")
        right = self.pick(data, ASKED, "right")
        named = self.some(data, list(world.held), "values") if world.held and self.chance(data, 5, "named") else ()
        may = world.may_speak(one, right, [world.held[each].item for each in named])
        childs = world.minor_until is not None and self.now < world.minor_until
        if may is not within or (childs and "freeze" in world.policy.children):
            return
        held = [value.id for value in world.held.values() if value.item in one.items]
        if within and one.items and not (named or held):
            refused = self.keeper.request(
                person.subject_id, right, channel=world.policy.rights[right].by[0], proved=True, by=one.id
            )
            self.expect(refused, world.nothing_of(one.items), f"{one.kind} asks for what is not there")
            return
        values = named or tuple(held)
        freezes = world.freezes_again(right, named)
        outcome = self.keeper.request(
            person.subject_id, right, channel=world.policy.rights[right].by[0], proved=True,
            values=self.as_ids(named), by=one.id,
        )  # fmt: skip
        if self.expect(outcome, frozenset() if may else frozenset({"mandate-exceeded"}), f"{one.kind} asks {right}"):
            self.asked(person, outcome.made or "", right, values, freezes)
