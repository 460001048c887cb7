"""Rules of the machine for what a person asks, and what becomes of it."""

# mypy: disable-error-code="misc"
# Each class here is a part of `Lives` and says so of `self`; the checker wants a base class there.

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.reference_history import Request
from upheld.dates import Instant
from upheld.engine.acts import RequestId, ValueId
from upheld.errors import InputRefused

if TYPE_CHECKING:
    from tests.test_machine import Lives, Person


class Asking:
    """Mixed into the machine of each policy: `self` is the whole machine, which no mixin is alone (hence `misc`)."""

    # the person asks

    @rule(data=st.data())
    def asks(self: Lives, data: st.DataObject) -> None:
        person = self.person(data)
        world = person.world
        rights = ["rectification", "erasure", "suspension", "access"]
        right = self.pick(data, rights, "right")
        row = world.policy.rights[right]
        values = self.some(data, list(world.held), "values") if world.held and self.chance(data, 5, "named") else ()
        purposes: tuple[str, ...] = ()
        if right == "suspension" and self.chance(data, 5, "one purpose"):
            purposes = (self.pick(data, list(world.policy.purposes), "purpose"),)
        proved, at = self.chance(data, 7, "proved"), self.happened(data)
        freezes = world.freezes_again(right, values)
        outcome = self.keeper.request(
            person.subject_id,
            right,
            channel=row.by[0],
            proved=proved,
            values=self.as_ids(values),
            purposes=purposes,
            at=at,
        )
        assert outcome.made
        state = "open" if proved else "received"
        one = Request(outcome.made, right, at, self.now if proved else None, values, purposes, state, freezes=freezes)
        person.tell(one)

    def asked(self: Lives, person: Person, made: str, right: str, values: tuple[int, ...], freezes: bool) -> None:
        """A request came in from somebody who is proved."""
        person.tell(Request(made, right, self.now, self.now, values, (), "open", freezes=freezes))

    @staticmethod
    def as_ids(values: Sequence[int]) -> tuple[ValueId, ...]:
        return tuple(ValueId(one) for one in values)

    @rule(data=st.data())
    def request_goes_on(self: Lives, data: st.DataObject) -> None:
        person = self.person(data)
        if not person.world.requests:
            return
        one = self.pick(data, list(person.world.requests.values()), "request")
        steps: list[Callable[[st.DataObject, Person, Request], None]] = [
            self.answers,
            self.proves,
            self.lifts,
            self.accepts,
            self.asks_for_more,
            self.postpones,
        ]
        self.pick(data, steps, "step")(data, person, one)

    def answers(self: Lives, data: st.DataObject, person: Person, one: Request) -> None:
        state = self.pick(data, ["done", "partly", "refused", "not-identified", "taken-back"], "answer")
        if one.settled is not None:
            return
        if one.proved is not None and person.world.waits_for_access(one, state):
            with pytest.raises(InputRefused, match="access"):
                self.keeper.answer(person.subject_id, RequestId(one.id), state, reason="law")
            return
        outcome = self.keeper.answer(person.subject_id, RequestId(one.id), state, reason="law")
        unproved = state in ("done", "partly") and one.proved is None
        if self.expect(outcome, frozenset({"identity-not-proved"} if unproved else ()), f"answer {one.right} {state}"):
            person.tell(replace(one, state=state, settled=self.now))

    def proves(self: Lives, data: st.DataObject, person: Person, one: Request) -> None:
        channel = person.world.policy.rights[one.right].by[0]
        least = person.world.policy.channels[channel].proof
        assert least
        if one.proved is None and self.chance(data, 2, "shows nothing of use"):
            refused = self.keeper.prove(person.subject_id, RequestId(one.id), proof="library-card")
            self.expect(refused, frozenset({"identity-not-proved"}), f"prove {one.right} with a library card")
            return
        assert self.keeper.prove(person.subject_id, RequestId(one.id), proof=least).granted
        state = "open" if one.state in ("received", "to-be-completed") else one.state
        person.tell(replace(one, proved=self.now if one.proved is None else one.proved, state=state))

    def asks_for_more(self: Lives, data: st.DataObject, person: Person, one: Request) -> None:
        if one.state == "received":
            assert self.keeper.incomplete(person.subject_id, RequestId(one.id), missing=("form-8",)).granted
            person.tell(replace(one, state="to-be-completed"))

    def postpones(self: Lives, data: st.DataObject, person: Person, one: Request) -> None:
        """Only access waits, until a day that has not come; then it is open again by itself."""
        until = Instant(self.now + 20 * 86_400_000_000)
        if one.right == "access" and one.settled is None:
            done = self.keeper.postpone(person.subject_id, RequestId(one.id), until=until, reason="court-order")
            assert done.granted
            person.tell(replace(one, state="postponed"))
        else:
            with pytest.raises(InputRefused, match="postponed"):
                self.keeper.postpone(person.subject_id, RequestId(one.id), until=until, reason="court-order")

    def lifts(self: Lives, data: st.DataObject, person: Person, one: Request) -> None:
        if one.right == "suspension" and one.lifted is None:
            assert self.keeper.lift(person.subject_id, RequestId(one.id)).granted
            person.tell(replace(one, lifted=self.now))

    def accepts(self: Lives, data: st.DataObject, person: Person, one: Request) -> None:
        assert self.keeper.accept_again(person.subject_id, RequestId(one.id)).granted
        person.tell(replace(one, freezes=True))
