"""People use their rights: requests come in, identities are proved, answers go out, now and then too late."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from upheld.dates import Instant
from upheld.engine.acts import RequestId
from upheld.engine.proving import least_proof
from upheld.engine.reviews import COME_OF_AGE
from upheld.engine.state import Request
from upheld.simulate.agenda import Move, Person
from upheld.simulate.lives import Lives

_LIKELY: Mapping[str, float] = MappingProxyType(
    {
        "proved-at-once": 0.6,
        "proved-later": 0.9,
        "answered-late": 0.03,
        "left-alone": 0.25,
        "lifted": 0.35,
        "done": 0.85,
        "whole-person": 0.5,
        "looked-at": 0.3,
        "still-open": 0.93,
    }
)
_SEEN_BY_RIGHT = frozenset({"access", "portability"})
_TAKES_BACK = "taken-back"


class Asks:
    """The moves of requests, beside those of `Lives`."""

    def __init__(self, lives: Lives) -> None:
        self.lives = lives
        self.moves: dict[str, Callable[[Person, Move, int], None]] = {
            "ask": self._ask,
            "prove": self._prove,
            "lift": self._lift,
            "answer": self._answer,
        }

    def look(self) -> None:
        """What is left open: staff work the list off within some days, and close what nobody needs any more."""
        for up in self.lives.keeper.reviews(self.lives.plan.policy):
            if not self._likely("looked-at"):
                continue
            kept = self._likely("still-open") or up.about == COME_OF_AGE
            outcome = self.lives.keeper.review(
                up.subject_id, up.about, "kept" if kept else "closed", engagement=up.engagement,
                reason="still-used" if kept else None,
            )  # fmt: skip
            self.lives.tally.note("review", outcome)

    def _likely(self, turn: str) -> bool:
        return self.lives.chance.random() < _LIKELY[turn]

    def _ask(self, person: Person, move: Move, day: int) -> None:
        lives, right = self.lives, move.about
        row = lives.plan.rights[right]
        held = tuple(lives.held(person))
        if not held:
            return
        values = () if right != "rectification" and self._likely("whole-person") else held[:1]
        narrowed = right == "suspension" and person.taken and self._likely("whole-person")
        purposes = (lives.chance.choice(sorted(person.taken)),) if narrowed else ()
        ways = sorted(row.by) or list(lives.plan.channels) or ["in-person"]
        outcome = lives.keeper.request(
            person.subject_id, right, channel=lives.chance.choice(ways),
            proved=self._likely("proved-at-once"), values=values, purposes=purposes,
        )  # fmt: skip
        lives.tally.note("request", outcome)
        lives.tally.asked[right] += 1
        request = outcome.made or ""
        deadline = lives.keeper.deadline(lives.plan, right, lives.keeper.now())
        last = lives.local_day(Instant(deadline - 1))
        if self._likely("proved-later"):
            lives.plan_for(person, day + lives.chance.randint(0, max(0, last - day - 1)), Move("prove", right, request))
        self._schedule_answer(person, right, request, day, last)

    def _schedule_answer(self, person: Person, right: str, request: str, day: int, last: int) -> None:
        lives = self.lives
        if right == "suspension" and self._likely("lifted"):
            lives.plan_for(person, lives.chance.randint(day, last), Move("lift", right, request, last))
            return
        late = self._likely("answered-late") or (right == "suspension" and self._likely("left-alone"))
        # A suspension that is left alone runs into the ten days of the law, whatever the policy promises.
        on = max(last, day + 11) + lives.chance.randint(1, 6) if late else lives.chance.randint(day, last)
        lives.plan_for(person, on, Move("answer", right, request, last))

    def _open(self, person: Person, request: str) -> Request | None:
        found = [one for one in self.lives.keeper.requests(person.subject_id) if one.request_id == request]
        return found[0] if found and found[0].waiting else None

    def _prove(self, person: Person, move: Move, day: int) -> None:
        found = self._open(person, move.engagement)
        if found is not None and found.proved_at is None:
            shown = least_proof(self.lives.plan, found.right, found.channel)
            outcome = self.lives.keeper.prove(person.subject_id, found.request_id, proof=shown)
            self.lives.tally.note("prove", outcome)

    def _lift(self, person: Person, move: Move, day: int) -> None:
        found = self._open(person, move.engagement)
        if found is not None:
            self.lives.tally.note("lift", self.lives.keeper.lift(person.subject_id, found.request_id))
            self._settle(person, found, _TAKES_BACK, None, day, move.number)

    def _answer(self, person: Person, move: Move, day: int) -> None:
        found = self._open(person, move.engagement)
        if found is None:
            return
        if found.right == "erasure" and self._access_waits(person):
            self.lives.plan_for(person, day + 1, move)
        elif found.proved_at is None:
            self._settle(person, found, "not-identified", None, day, move.number)
        elif found.right in _SEEN_BY_RIGHT:
            self.lives.releasing.append(lambda: self._show(person, found, day, move.number))
        elif not self._likely("done"):
            unfounded = "contract" if found.right == "suspension" else "not-founded"
            self._settle(person, found, "refused", unfounded, day, move.number)
        else:
            if found.right == "rectification":
                value = found.values[0] if found.values else None
                self.lives.correct(person, value, day, found.request_id)
            self._settle(person, found, "done", None, day, move.number)

    def _access_waits(self, person: Person) -> bool:
        """Whether the person asked to see what an erasure would take away."""
        return any(one.right in _SEEN_BY_RIGHT and one.waiting for one in self.lives.keeper.requests(person.subject_id))

    def _show(self, person: Person, found: Request, day: int, last: int) -> None:
        reader = self.lives.house.reader_with("requests", day)
        outcome = self.lives.keeper.show(
            person.subject_id, reader=reader, right=found.right, identity_proved=True, request=found.request_id
        )
        self.lives.tally.note("show", outcome)
        nothing = None if outcome.granted else "nothing-held"
        self._settle(person, found, "done" if outcome.granted else "refused", nothing, day, last)

    def _settle(self, person: Person, found: Request, outcome: str, reason: str | None, day: int, last: int) -> None:
        lives = self.lives
        answer = lives.keeper.answer(person.subject_id, RequestId(found.request_id), outcome, reason=reason)
        lives.tally.note("answer", answer)
        lives.tally.answered[found.right, outcome] += 1
        if day > last:
            lives.tally.late[found.right] += 1
