"""Rules of the machine for papers: filed, shown, destroyed by somebody or by the sweep; of persons and of the staff."""

# mypy: disable-error-code="misc"
# Each class here is a part of `Lives` and says so of `self`; the checker wants a base class there.

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from tests.reference_giving import Role
from tests.reference_papers import Filed, kinds, over, over_for_staff
from upheld.dates import Instant
from upheld.engine.acts import ValueId
from upheld.errors import InputRefused
from upheld.keeper.elsewhere import KINDS_OF_PLACE
from upheld.ledger.certificate import Certificate
from upheld.store.ids import bucket_of
from upheld.store.subjects import unpacked_ids

if TYPE_CHECKING:
    from tests.test_machine import Lives, Person

DAY = 86_400_000_000
ORDERED = (
    "SELECT o.certificate_id, o.place, o.value_ids, o.done_at, c.body FROM work_order o JOIN certificate c "
    "ON c.bucket = o.bucket AND c.subject_id = o.subject_id AND c.certificate_id = o.certificate_id "
    "WHERE o.bucket = ? AND o.subject_id = ?"
)


class Filing:
    """Mixed into the machine of each policy: `self` is the whole machine, which no mixin is alone (hence `misc`)."""

    staff_papers: dict[str, tuple[str, Filed]]
    roles_ever: list[Role]

    @rule(data=st.data())
    def is_filed(self: Lives, data: st.DataObject) -> None:
        """Something about a person: the proof of a consent, the file of a request, or nothing in particular."""
        person = self.person(data)
        kind = self.pick(data, kinds(person.world), "kind")
        about, matter, agreed = self.shown_by(data, person, kind)
        until = self.until_said(data)
        self.made += 1
        text = f"paper {self.made}".encode()
        paper = self.keeper.file_paper(
            self.policy.policy, kind, text, owner=person.subject_id, about=about, until=until
        )
        person.papers[paper] = Filed(paper, kind, about, self.now, until, text, matter, agreed)

    def shown_by(
        self: Lives, data: st.DataObject, person: Person, kind: str
    ) -> tuple[str | None, str | None, Instant | None]:
        if kind == "consent-evidence" and person.world.agreed and self.chance(data, 8, "of a consent"):
            given = self.keeper.views.get(person.subject_id, self.now).state.consents
            one = self.pick(data, given, "consent")
            return one.consent_id, str(one.about), one.at
        if person.world.requests and self.chance(data, 7, "of a request"):
            return self.pick(data, list(person.world.requests), "request"), None, None
        return None, None, None

    def until_said(self: Lives, data: st.DataObject) -> Instant | None:
        if self.chance(data, 7, "as its row says"):
            return None
        return Instant(self.now + data.draw(st.sampled_from([1, 40, 400]), label="days") * DAY)

    @rule(data=st.data())
    def staff_has_a_paper(self: Lives, data: st.DataObject) -> None:
        if not self.house.roles or not self.people:
            return
        who = self.pick(data, self.house.roles, "who").staff
        kind, until = self.pick(data, kinds(self.people[0].world), "kind"), self.until_said(data)
        self.made += 1
        text = f"paper {self.made}".encode()
        paper = self.keeper.file_paper(self.policy.policy, kind, text, owner=who, until=until)
        self.staff_papers[paper] = (who, Filed(paper, kind, None, self.now, until, text))

    @rule(data=st.data())
    def paper_is_shown(self: Lives, data: st.DataObject) -> None:
        """What is filed is shown as it was; what is gone is not."""
        papers = [one for person in self.alive() for one in person.papers.values()]
        papers += [one for _, one in self.staff_papers.values()]
        if papers:
            one = self.pick(data, papers, "paper")
            assert self.keeper.paper(self.policy.policy, one.id) == one.text

    @rule(data=st.data())
    def paper_is_destroyed(self: Lives, data: st.DataObject) -> None:
        """Somebody destroys a paper before its time; nobody reads it any more."""
        papers = [(person.papers, one) for person in self.alive() for one in person.papers]
        if papers and not self.chance(data, 6, "stays"):
            own, paper = self.pick(data, papers, "paper")
            self.keeper.destroy_paper(self.policy.policy, paper)
            del own[paper]
            assert self.keeper.paper(self.policy.policy, paper) is None

    @rule(data=st.data())
    def lies_elsewhere(self: Lives, data: st.DataObject) -> None:
        """A value is on paper too, on a medium, in an index; of what is destroyed nothing can be noted any more."""
        person = self.person(data)
        if not person.world.held:
            return
        value = self.pick(data, list(person.world.held.values()), "value")
        place = self.pick(data, list(KINDS_OF_PLACE), "place")
        if value.state == "destroyed":
            with pytest.raises(InputRefused, match="any more"):
                self.keeper.also_in(person.subject_id, ValueId(value.id), place)
            return
        self.keeper.also_in(person.subject_id, ValueId(value.id), place)
        person.elsewhere.copies.add((value.id, place))

    @rule(data=st.data())
    def work_is_done(self: Lives, data: st.DataObject) -> None:
        """Somebody destroys by hand what an order names, mostly before a witness."""
        orders = sorted(self.keeper.work_orders(self.policy.policy), key=lambda one: (one.values, one.place))
        if not orders:
            return
        one = self.pick(data, orders, "order")
        witness = "officer" if self.chance(data, 7, "witness") else None
        self.keeper.work_done(one.order_id, method="shred", by="handler", witness=witness)
        person = next(each for each in self.alive() if each.subject_id == one.subject_id)
        person.elsewhere.done(person.world, one.values, one.place, witness is not None)

    @invariant()
    def same_work(self: Lives) -> None:
        """INVARIANT: I3: what waits for hands is ordered, and no certificate is complete before it is done as told."""
        orders = self.keeper.work_orders(self.policy.policy)
        for person in self.alive():
            mine = [one for one in orders if one.subject_id == person.subject_id]
            found = {(int(value), one.place) for one in mine for value in one.values}
            waiting = person.elsewhere.waiting(person.world)
            assert waiting <= found  # an order names all that was certified together
            assert all(waiting & {(int(value), one.place) for value in one.values} for one in mine)
            unclear = person.elsewhere.partly(person.world)
            for values, awaited, body in self.certified(person):
                state = msgspec.json.decode(body, type=Certificate).state
                assert (state == "partly") == bool(awaited or unclear & values)

    def certified(self: Lives, person: Person) -> list[tuple[set[int], bool, bytes]]:
        """Of each certificate with a place elsewhere: its values, whether another's copy is awaited, what it says."""
        with self.keeper.places.active.reading() as connection:
            rows = connection.execute(ORDERED, (bucket_of(person.subject_id), person.subject_id)).fetchall()
        found: dict[str, tuple[set[int], bool, bytes]] = {}
        for number, place, packed, done, body in rows:
            values, awaited, _ = found.get(number, (set(), False, b""))
            others = "." in place and done is None
            found[number] = (values | {int(one) for one in unpacked_ids(packed)}, awaited or others, bytes(body))
        return list(found.values())

    def papers_go(self: Lives) -> None:
        """What the sweep does: everything whose time is over, by what is known now."""
        for person in self.alive():
            person.papers = {name: one for name, one in person.papers.items() if not over(person.world, one)}
        if self.people:
            world = self.people[0].world
            world.at = self.now
            gone = [
                name
                for name, (who, one) in self.staff_papers.items()
                if over_for_staff(world, one, [role for role in self.roles_ever if role.staff == who])
            ]
            for name in gone:
                del self.staff_papers[name]

    @invariant()
    def same_papers(self: Lives) -> None:
        """INVARIANT: I2, I3 for what the system itself holds: the same papers are there, and no other."""
        for person in self.alive():
            found = self.keeper.papers(self.policy.policy, owner=person.subject_id)
            filed = {(one.id, one.kind, one.about) for one in person.papers.values()}
            assert {(one.paper_id, one.kind, one.about) for one in found} == filed
        if self.staff_papers:
            every = {one.paper_id for one in self.keeper.papers(self.policy.policy)}
            assert {name for name in every if not self.is_a_persons(name)} == set(self.staff_papers)

    def is_a_persons(self: Lives, paper: str) -> bool:
        return any(paper in person.papers for person in self.people)
