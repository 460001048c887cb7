"""A last stretch of days under several policies in one home, up to now: what a demonstration shows people.

The policies were published long ago; made-up people live under all of them side by side, with one sweep each night.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from random import Random

from upheld.dates import Instant, local_date, start_of
from upheld.engine.plan import Plan
from upheld.keeper import Keeper
from upheld.policy.read import read_policy
from upheld.simulate.agenda import Agenda
from upheld.simulate.course import OPENS_AT, SWEEP_AT, Course, Days
from upheld.simulate.house import House, reviews_in
from upheld.simulate.lives import Lives
from upheld.simulate.script import script_of
from upheld.simulate.tally import Tally

PROOF = "printed-notice"
"""The reference under which a publication of the past is filed."""


def publish_all(keeper: Keeper, documents: Sequence[bytes]) -> tuple[str, ...]:
    """Put versions on file that took effect in the past. Returns the policies' codes, each once."""
    read = sorted(
        ((read_policy(source, "document"), source) for source in documents), key=lambda one: str(one[0].effective.date)
    )
    for policy, source in read:
        keeper.publish(source, as_of=policy.effective.date, evidence=PROOF)
    return tuple(dict.fromkeys(policy.policy for policy, _ in read))


def live_together(
    policies: Sequence[str],
    *,
    keeper: Keeper,
    set_clock: Callable[[Instant], None],
    people: int,
    until: Instant,
    days: int,
    seed: int,
) -> None:
    """Let `people` live under each policy for the `days` before the local day of `until`."""
    plans = [keeper.views.line(policy).latest for policy in policies]
    zone = plans[0].zone
    last = local_date(until, zone).toordinal() - 1
    first = last - days + 1
    agendas = [Agenda() for _ in plans]
    lived = [
        _days(keeper, plan, agenda, set_clock, Course(people, 1, seed), (first, last))
        for plan, agenda in zip(plans, agendas, strict=True)
    ]
    try:
        for day in range(first, last + 1):
            midnight = start_of(date.fromordinal(day), zone)
            set_clock(Instant(midnight + SWEEP_AT))
            for one in lived:
                one.lives.house.approve()
            keeper.sweep()
            lived[0].lives.recalled(keeper.now(), day)  # whoever was asked, under whichever policy
            opens_at = Instant(midnight + OPENS_AT)
            for one in lived:
                one.act(day, opens_at)
                opens_at = one.now
    finally:
        for agenda in agendas:
            agenda.close()
    keeper.seal()


def _days(
    keeper: Keeper,
    plan: Plan,
    agenda: Agenda,
    set_clock: Callable[[Instant], None],
    course: Course,
    span: tuple[int, int],
) -> Days:
    tally, chance = Tally(), Random(course.seed)
    house = House(keeper, plan, chance, tally, reviews_in(keeper.document(plan.policy)))
    lives = Lives(keeper, plan, script_of(plan), agenda, house, chance, tally, span[1])
    return Days(lives, set_clock, course, *span)
