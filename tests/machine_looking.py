"""Rules of the machine for who else looks: a fellow member, a processor, an organisation whose data is held."""

# mypy: disable-error-code="misc"
# Each class here is a part of `Lives` and says so of `self`; the checker wants a base class there.

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.reference_answers import Looker
from upheld.engine.acts import Reader, ReaderKind
from upheld.policy.model import Purpose

if TYPE_CHECKING:
    from tests.test_machine import Lives, Person

GROUPS = ["acme", "other", "elsewhere"]
KINDS = {
    "program": ReaderKind.APPLICATION,
    "fellow": ReaderKind.FELLOW,
    "person": ReaderKind.SUBJECT,
}


class Looking:
    """Mixed into the machine of each policy: `self` is the whole machine, which no mixin is alone (hence `misc`)."""

    @rule(data=st.data())
    def others_look(self: Lives, data: st.DataObject) -> None:
        person = self.person(data)
        row = self.pick(data, self.used(person) or list(person.world.policy.purposes.values()), "purpose")
        self.looks(data, person, row, self.looker(data, row))

    @rule(data=st.data())
    def others_look_more(self: Lives, data: st.DataObject) -> None:
        """What fellows and organisations may see is taken, and looked at."""
        person = self.person(data)
        rows = [row for row in self.mine(person) if {"same-group", "both-accepted"} & set(row.needs) or row.held_for]
        if rows:
            row = self.pick(data, rows, "purpose")
            self.give(data, person, lawful=True, row=row)
            self.looks(data, person, row, self.looker(data, row))

    def looks(self: Lives, data: st.DataObject, person: Person, row: Purpose, who: Looker) -> None:
        world = person.world
        task = world.policy.entrustments.get(who.party or "")
        if task is not None and not task.blocked and self.chance(data, 8, "contracted"):
            self.ready_to_entrust(data, person, task)
        reader = Reader(KINDS[who.kind], who.name, who.only, party=who.party, organisation=who.organisation)
        use = world.some_use(row.name)
        fitting = [value for value in world.held.values() if value.item in row.items]
        if fitting and self.chance(data, 5, "by value"):
            values = self.some(data, [value.id for value in fitting], "values")
            reasons = world.read(row.name, values, who, use)
            outcome = self.keeper.read(person.subject_id, row.name, reader=reader, values=self.as_ids(values), use=use)
        else:
            items = self.items_for(data, list(dict.fromkeys(value.item for value in fitting)) or row.items)
            values, reasons = world.named(items), world.read_items(row.name, items, who, use)
            outcome = self.keeper.read(person.subject_id, row.name, reader=reader, items=items, use=use)
        if self.expect(outcome, reasons, f"{who} reads {row.name} {values}"):
            lawful = {one for one in values if not world.read(row.name, (one,), who, use)}
            self.same_texts(person, outcome, lawful)

    def looker(self: Lives, data: st.DataObject, row: Purpose) -> Looker:
        """Mostly of the kind that the purpose is for."""
        fellows = bool({"same-group", "both-accepted"} & set(row.needs))
        if fellows if self.chance(data, 8, "fitting") else self.chance(data, 4, "a fellow"):
            group = self.pick(data, GROUPS, "group")
            return Looker("fellow", name=group, organisation=group)
        if self.chance(data, 1, "the person, for a purpose"):
            return Looker("person", name="self")
        only = frozenset({row.name}) if self.chance(data, 5, "its job") else None
        tasks = [one.name for one in self.policy.entrustments.values() if row.name in one.for_]
        every = [*self.policy.entrustments, "nobody-we-know"]
        party = self.pick(data, tasks if tasks and self.chance(data, 9, "its task") else every, "processor")
        of = self.pick(data, GROUPS, "organisation") if row.held_for or self.chance(data, 1, "for another") else None
        return Looker("program", only, "crm", of, None if row.held_for and self.chance(data, 5, "ours") else party)

    @precondition(lambda self: any("both-accepted" in row.needs for row in self.policy.purposes.values()))
    @rule(data=st.data())
    def accepts_somebody(self: Lives, data: st.DataObject) -> None:
        """With somebody outside the group, mostly by who uses the messenger; either takes it back."""
        person = self.person(data)
        row = next(row for row in person.world.policy.purposes.values() if "both-accepted" in row.needs)
        if self.chance(data, 7, "prepared") and not row.blocked and person.world.kind in row.whose:
            self.give(data, person, lawful=True, row=row)
        group, engagement = self.pick(data, GROUPS, "with"), None
        if self.chance(data, 8, "accepted"):
            engagement = self.open_one(person, row.per) if row.per and self.chance(data, 3, "for one") else None
            self.happens(person, "both-accepted", self.happened(data), engagement, group)
        self.looks(data, person, row, Looker("fellow", name=group, organisation=group))
        if self.chance(data, 3, "taken back"):
            self.happens(person, "acceptance-ended", self.happened(data), None, group)
