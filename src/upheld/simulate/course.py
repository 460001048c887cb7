"""The course of a simulation: day after day, swept each night, sealed each month, counted at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

from upheld.dates import HOUR, SECOND, Instant, start_of
from upheld.engine.compile import compiled
from upheld.engine.plan import Plan
from upheld.errors import InputRefused
from upheld.keeper import Keeper
from upheld.policy.read import read_policy
from upheld.simulate.agenda import Agenda, Move, Person
from upheld.simulate.asks import Asks
from upheld.simulate.house import House, reviews_in
from upheld.simulate.lives import Lives
from upheld.simulate.script import script_of
from upheld.simulate.summary import Summary, summary_of
from upheld.simulate.tally import Stand, Tally

SWEEP_AT = 5 * 60 * SECOND
"""Five minutes past midnight."""
OPENS_AT = 9 * HOUR
BETWEEN_PERSONS = 7 * SECOND
LEAD_DAYS = 3
"""The clock starts so many days before the policy takes effect."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a simulation is: days done of days, and what is there."""

    policy: str
    day: date
    done: int
    days: int
    persons: int
    held: int


@dataclass(frozen=True, slots=True)
class Course:
    """What to simulate."""

    people: int
    years: int
    seed: int


def start_of_clock(plan: Plan) -> Instant:
    """Where the clock of a simulation starts: shortly before the version takes effect, so that it can be published."""
    first = date.fromordinal(_first_day(plan) - LEAD_DAYS)
    return Instant(start_of(first, plan.zone) + OPENS_AT)


def simulate(
    document: Path,
    course: Course,
    *,
    keeper: Keeper,
    set_clock: Callable[[Instant], None],
    progress: Callable[[Progress], None] = lambda _: None,
) -> Summary:
    """Let made-up people live under a policy. `keeper` is of an empty home whose clock `set_clock` moves.

    The same course in an empty home comes out the same, keys and nonces aside. Raises PolicyRefused, and InputRefused
    when the policy takes nobody.
    """
    source = document.read_bytes()
    plan = compiled(read_policy(source, document.name), source)
    if keeper.trial:
        keeper.publish(document)
    else:  # through the gate: a version that took effect a minute ago
        set_clock(Instant(plan.effective_at + 60 * SECOND))
        keeper.publish(document, as_of=date.fromisoformat(plan.version), evidence="simulation")
    plan = keeper.versions(plan.policy)[-1]
    script = script_of(plan)
    if not script.roles:
        raise InputRefused("nobody-comes", f"`{plan.policy}` collects nothing of anybody; there is nothing to simulate")
    first, tally, chance = _first_day(plan), Tally(), Random(course.seed)
    last = date.fromordinal(first).replace(year=date.fromordinal(first).year + course.years).toordinal() - 1
    agenda = Agenda()
    house = House(keeper, plan, chance, tally, reviews_in(read_policy(source, document.name)))
    lives = Lives(keeper, plan, script, agenda, house, chance, tally, last)
    days = Days(lives, set_clock, course, first, last)
    try:
        for day in range(first, last + 1):
            days.live(day)
            _tell(progress, days, day)
    finally:
        agenda.close()
    days.finish()
    return summary_of(keeper, plan, course.people, course.years, course.seed, (first, last), tally)


def _first_day(plan: Plan) -> int:
    return plan.effective_at // (86_400 * SECOND) + date(1970, 1, 1).toordinal() + 1


def _tell(progress: Callable[[Progress], None], days: Days, day: int) -> None:
    if (day - days.first) % 10 == 0 or day == days.last:
        tally = days.lives.tally
        done, total = day - days.first + 1, days.last - days.first + 1
        held = tally.stands[-1].held if tally.stands else 0
        policy = days.lives.plan.policy
        progress(Progress(policy, date.fromordinal(day), done, total, tally.persons.total(), held))


class Days:
    """One day after the other."""

    def __init__(
        self, lives: Lives, set_clock: Callable[[Instant], None], course: Course, first: int, last: int
    ) -> None:
        self.lives = lives
        self.asks = Asks(lives)
        self.moves = lives.moves | self.asks.moves
        self.set_clock = set_clock
        self.course = course
        self.first = first
        self.last = last
        self.come = 0

    def live(self, day: int) -> None:
        """Sweep at night, then everything of the day in one commit, then what shows contents."""
        midnight = start_of(date.fromordinal(day), self.lives.plan.zone)
        self.set_clock(Instant(midnight + SWEEP_AT))
        self.sweep(day)
        self.act(day, Instant(midnight + OPENS_AT))
        if (date.fromordinal(day) + timedelta(days=1)).day == 1 or day == self.last:
            self._month_ends(day)

    def act(self, day: int, opens_at: Instant) -> None:
        """Everything of the day from an instant on; `now` is where it ended."""
        lives = self.lives
        self.now = opens_at
        self.set_clock(self.now)
        with lives.keeper.batch():
            if day == self.first:
                lives.house.set_up(day)
            lives.house.live(day)
            self.asks.look()
            lives.returned(day)
            self._arrivals(day)
            for person, moves in lives.today(day):
                self.now = Instant(self.now + BETWEEN_PERSONS)
                self.set_clock(self.now)
                for move in moves:
                    self._move(person, move, day)
                lives.agenda.keep(person)
        lives.released()

    def _move(self, person: Person, move: Move, day: int) -> None:
        try:
            self.moves[move.name](person, move, day)
        except InputRefused as refusal:
            if refusal.code != "unknown":
                raise
            # Everything about this person was destroyed and forgotten: whoever comes back is somebody new.
            if move.name == "take-up":
                self.lives.come_anew(person)
                self.moves[move.name](person, move, day)

    def _arrivals(self, day: int) -> None:
        """People come evenly over the first nine tenths of the time."""
        share = min(1.0, (day - self.first + 1) / (0.9 * (self.last - self.first + 1)))
        come = round(share * self.course.people)
        if come > self.come:
            self.lives.arrive(range(self.come, come), day)
            self.come = come

    def sweep(self, day: int) -> None:
        """What the nightly sweep did is added up; whom it asked for returns answers soon."""
        self.lives.house.approve()
        swept, tally = self.lives.keeper.sweep(), self.lives.tally
        tally.separated += swept.separated
        tally.destroyed += swept.destroyed
        tally.forgotten += swept.forgotten
        tally.recalled += swept.recalled
        if swept.recalled:
            self.lives.recalled(self.lives.keeper.now(), day)

    def _month_ends(self, day: int) -> None:
        keeper, tally = self.lives.keeper, self.lives.tally
        keeper.seal()
        held, separated = values_there(keeper)
        tally.stands.append(Stand(date.fromordinal(day), held, separated, tally.destroyed))

    def finish(self) -> None:
        """The night after the last day."""
        midnight = start_of(date.fromordinal(self.last + 1), self.lives.plan.zone)
        self.set_clock(Instant(midnight + SWEEP_AT))
        self.sweep(self.last + 1)
        self.lives.house.last_night(self.last + 1)
        self.lives.keeper.seal()


def values_there(keeper: Keeper) -> tuple[int, int]:
    """How many values are held, and how many kept apart."""
    with keeper.places.active.reading() as connection:
        held, separated = connection.execute(_THERE).fetchone()
    return held, separated


# Counted in one pass: grouping would sort every row in memory.
_THERE = (
    "SELECT count(*) FILTER (WHERE state IN ('held', 'moving')), count(*) FILTER (WHERE state = 'separated') FROM value"
)
