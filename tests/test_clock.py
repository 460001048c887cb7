"""The one clock: it can be set, and while it has leapt nothing is destroyed."""

from datetime import timedelta
from pathlib import Path

import pytest

import upheld
from tests.trial_home import POLICY, at, member, opened, text_of
from upheld.dates import Instant, instant


class LeapingClock:
    """A clock like the machine's, in which a test decides what it shows and how much time has surely gone by."""

    settable = False

    def __init__(self, start: Instant) -> None:
        self.shows = start
        self.passed = 0.0

    def now(self) -> Instant:
        """What it shows."""
        return self.shows

    def monotonic(self) -> float:
        """Seconds that have surely gone by."""
        return self.passed


def home_with_somebody_who_leaves(home: Path) -> None:
    """Two values are due from 30 August 2024 on, once that fact has settled."""
    with opened(home, at("2024-08-01")) as house:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        leaver = member(house, "leaver")
        house.clock.set(at("2024-08-30"))
        house.keeper.withdraw(leaver, "purpose/offers", channel="website")
        house.keeper.seal()


def swept(home: Path, clock: LeapingClock, *, confirm: bool) -> tuple[int, list[str]]:
    """How many values a sweep destroyed, and what it waits for."""
    options = upheld.Options(clock=clock, light_hashing=True, look_up={"trial": ["email", "phone"]})
    with upheld.open(home, options) as keeper:
        done = keeper.sweep(confirm_clock=confirm)
        return done.destroyed, list(done.waiting)


def test_after_a_leap_of_the_clock_nothing_is_destroyed_until_the_officer_confirms_it(tmp_path: Path) -> None:
    home_with_somebody_who_leaves(tmp_path / "home")
    clock = LeapingClock(instant(at("2025-02-01")))
    destroyed, waiting = swept(tmp_path / "home", clock, confirm=False)
    assert destroyed == 0
    assert any("clock" in reason for reason in waiting)
    assert swept(tmp_path / "home", clock, confirm=True) == (1, [])


def test_a_clock_that_went_on_as_time_does_needs_no_confirming(tmp_path: Path) -> None:
    home_with_somebody_who_leaves(tmp_path / "home")
    assert swept(tmp_path / "home", LeapingClock(instant(at("2024-09-02"))), confirm=False) == (1, [])


def test_what_a_fact_made_due_settles_for_a_day_and_is_not_read_meanwhile(tmp_path: Path) -> None:
    home_with_somebody_who_leaves(tmp_path / "home")
    with opened(tmp_path / "home", at("2024-08-30", 20)) as house:
        keeper = house.keeper
        assert keeper.sweep().destroyed == 0
        desk = keeper.application("desk")
        (person,) = keeper.lookup("trial", "phone", text_of("leaver", "phone"), reader=desk, reason="call")
        refused = keeper.read(person, "offers", reader=desk, items=("phone",))
        assert refused.reasons == ("consent-withdrawn",)
        house.clock.set(at("2024-08-31", 20) + timedelta(hours=4))
        assert keeper.sweep().destroyed == 1


def test_a_set_clock_never_goes_back() -> None:
    clock = upheld.SetClock(at("2024-08-30"))
    clock.set(at("2024-08-30", 10))
    with pytest.raises(ValueError, match="forward"):
        clock.set(at("2024-08-30", 9))
    assert clock.now() == instant(at("2024-08-30", 10))
