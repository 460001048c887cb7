"""Rules of the machine for saying yes and taking it back, by the person or a child's parent."""

# mypy: disable-error-code="misc"
# Each class here is a part of `Lives` and says so of `self`; the checker wants a base class there.

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.reference_answers import Reference
from tests.reference_giving import Speaker
from tests.reference_history import Agreed, Fact
from upheld.dates import FOREVER, Instant
from upheld.keeper import Outcome
from upheld.policy.ends import Point

if TYPE_CHECKING:
    from tests.test_machine import Lives, Person


class Agreeing:
    """Mixed into the machine of each policy: `self` is the whole machine, which no mixin is alone (hence `misc`)."""

    # they agree

    @rule(data=st.data())
    def agrees(self: Lives, data: st.DataObject) -> None:
        person = self.person(data)
        self.consent(person, self.pick(data, self.matters(person), "matter"), self.happened(data))

    def matters(self: Lives, person: Person) -> list[str]:
        policy = person.world.policy
        mine = [name for name, row in policy.purposes.items() if person.world.kind in row.whose and not row.blocked]
        rest = [name for name, row in policy.purposes.items() if "device-permission" in row.needs]
        return [
            *(f"purpose/{name}" for name in mine),
            *(f"provision/{name}" for name, row in policy.provisions.items() if not row.blocked),
            *(f"entrustment/{name}" for name, row in policy.entrustments.items() if row.consent and not row.blocked),
            *(f"transfer/{name}" for name, row in policy.transfers.items() if row.basis == "consent"),
            *(f"item/{name}" for name, row in policy.items.items() if row.nature == "sensitive" and not row.collected),
            *(f"permission/{name}" for name in rest),
            *(["representative/collection"] if person.born else []),
        ]

    def consent(self: Lives, person: Person, matter: str, at: Instant) -> None:
        world = person.world
        by_parent = world.minor_until is not None and self.now < world.minor_until
        channel = self.way_to_agree(world, matter)
        if by_parent and not matter.startswith("representative"):
            refused = self.keeper.consent(person.subject_id, matter, channel=channel, at=at)
            self.expect(refused, frozenset({"child-without-representative"}), f"a child agrees to {matter}")
        by = "representative" if by_parent else "subject"
        if by_parent and matter.startswith("representative") and len(world.held) % 2:
            unchecked = self.keeper.consent(person.subject_id, matter, channel=channel, by=by, at=at)
            if self.expect(unchecked, world.not_theirs(channel), f"{by} agrees by {channel}"):
                self.agreed(person, matter, at, channel, unchecked)
                return
        outcome = self.keeper.consent(
            person.subject_id, matter, channel=channel, by=by, verified="phone-identity", at=at
        )
        assert outcome.granted
        self.agreed(person, matter, at, channel, outcome)

    def agreed(self: Lives, person: Person, matter: str, at: Instant, channel: str, outcome: Outcome) -> None:
        """The reference hears the yes; what it came too late for is told to whom it concerns."""
        world = person.world
        before = world.against_since(at)
        person.tell(Agreed(matter, True, at, self.now, max(world.version(), 0), channel))
        assert set(outcome.tells) == self.too_late(person, at, before), f"a yes to {matter} known late"

    def way_to_agree(self: Lives, world: Reference, matter: str) -> str:
        """The first channel; every third time for a recipient whichever, though its row asks for a certain way."""
        kind, _, name = matter.partition("/")
        row = world.policy.provisions.get(name) if kind == "provision" else None
        ways = list(world.policy.consent)
        counting = world.counting(row) if row and len(world.agreed) % 3 else []
        return (counting or ways)[0]

    @rule(data=st.data())
    def withdraws(self: Lives, data: st.DataObject) -> None:
        person = self.person(data)
        world = person.world
        given = [one.matter for one in world.agreed if world.stands(one.matter, self.now)]
        lawful = self.chance(data, 9, "given before")
        if lawful and not given:
            return
        matter = self.pick(data, given if lawful else self.matters(person), "matter")
        self.take_back(person, matter, self.chance(data, 5, "confirmed"), self.happened(data))

    def take_back(
        self: Lives, person: Person, matter: str, confirmed: bool, at: Instant, speaker: Speaker | None = None
    ) -> None:
        """A consent is withdrawn by the person or by whoever speaks for them."""
        world = person.world
        purpose = world.policy.purposes.get(matter.partition("/")[2]) if matter.startswith("purpose/") else None
        ends = [one for one in world.begun.values() if purpose and purpose.required and one.kind in purpose.per
                and world.ended(one)[0] > self.now]  # fmt: skip
        by = speaker.id if speaker else "subject"
        outcome = self.keeper.withdraw(person.subject_id, matter, channel="website", confirmed=confirmed, at=at, by=by)
        reasons = (
            frozenset[str]()
            if speaker is None
            else world.said_by(speaker, "withdrawal", purpose.items if purpose else ())
        )
        if world.last(matter, FOREVER) is None:
            reasons = frozenset({"consent-missing"})
        if not self.expect(outcome, reasons, f"{by} withdraws {matter}"):
            return
        before = world.against_since(at)
        person.tell(Agreed(matter, False, at, self.now, max(world.version(), 0)))
        for one in ends if confirmed else ():
            until = world.policy.engagements[one.kind].ends
            code = until.fact if isinstance(until, Point) else "ended"
            person.tell(Fact(code, at, self.now, one.id))
        told = self.told_of_late(person, at, before)
        assert set(outcome.tells) == {f"ends:{one.kind}" for one in ends} | told
