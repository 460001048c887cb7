"""The one clock: it can be set, and while it has leapt nothing is destroyed."""

from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

import upheld
from tests.homes import copied, put_back
from tests.trial_home import POLICY, at, member, opened, proved, text_of
from upheld.cli import app
from upheld.dates import Instant, instant
from upheld.store import history
from upheld.store.place import Recovering
from upheld.web import doctor


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


def leaping(clock: LeapingClock) -> upheld.Options:
    return upheld.Options(clock=clock, light_hashing=True, look_up={"trial": ["email", "phone"]})


def swept(home: Path, clock: LeapingClock, *, confirm: bool) -> tuple[int, list[str]]:
    """How many values a sweep destroyed, and what it waits for."""
    with upheld.open(home, leaping(clock)) as keeper:
        done = keeper.sweep(confirm_clock=confirm)
        return done.destroyed, list(done.waiting)


def test_after_a_leap_of_the_clock_nothing_is_destroyed_until_the_officer_confirms_it(tmp_path: Path) -> None:
    home_with_somebody_who_leaves(tmp_path / "home")
    clock = LeapingClock(instant(at("2025-02-01")))
    destroyed, waiting = swept(tmp_path / "home", clock, confirm=False)
    assert destroyed == 0
    assert any("clock" in reason for reason in waiting)
    assert swept(tmp_path / "home", clock, confirm=True) == (1, [])


def sealed_after_a_leap(home: Path) -> LeapingClock:
    """The background seals each minute: the minute after the leap would tell the sweep that all is well."""
    clock = LeapingClock(instant(at("2025-02-01")))
    with upheld.open(home, leaping(clock)) as keeper:
        keeper.enter("trial", "member")
        keeper.seal()
        keeper.seal()
        assert keeper.in_reach(keeper.now()), "what a clock signed itself is no witness of it"
        assert not keeper.clock_trusted(keeper.now())
    return clock


def test_a_clock_that_has_leapt_is_not_trusted_for_having_been_sealed_with(tmp_path: Path) -> None:
    home_with_somebody_who_leaves(tmp_path / "home")
    clock = sealed_after_a_leap(tmp_path / "home")
    for _ in range(2):
        destroyed, waiting = swept(tmp_path / "home", clock, confirm=False)
        assert destroyed == 0
        assert any("--confirm-clock" in reason for reason in waiting)
    assert swept(tmp_path / "home", clock, confirm=True) == (1, [])
    assert swept(tmp_path / "home", clock, confirm=False) == (0, [])
    with upheld.open(tmp_path / "home", leaping(clock)) as keeper:
        told = history.entries(keeper.places.sealer.connection, kinds=("clock.stopped", "clock.confirmed"))
        stopped, confirmed = (one.entry for one in told)
        assert stopped.fields == {"reached": instant(at("2024-08-30")), "claimed": clock.now()}
        assert confirmed.kind == "clock.confirmed"
        proved(tmp_path / "home", keeper)


def test_a_confirmed_clock_is_asked_about_no_more_though_nothing_was_there_to_seal(tmp_path: Path) -> None:
    with opened(tmp_path / "home", at("2024-08-01")) as house:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        house.keeper.seal()
    clock = LeapingClock(instant(at("2025-02-01")))
    assert swept(tmp_path / "home", clock, confirm=True) == (0, [])
    assert swept(tmp_path / "home", clock, confirm=False) == (0, [])


def test_a_clock_that_leapt_and_came_back_is_asked_about_still(tmp_path: Path) -> None:
    """Else a second leap, to where the first one signed, would be within reach of the last checkpoint."""
    home_with_somebody_who_leaves(tmp_path / "home")
    clock = sealed_after_a_leap(tmp_path / "home")
    clock.shows = instant(at("2024-09-02"))
    destroyed, waiting = swept(tmp_path / "home", clock, confirm=False)
    assert (destroyed, len(waiting)) == (0, 1)
    assert swept(tmp_path / "home", clock, confirm=True) == (1, [])
    clock.shows = instant(at("2025-02-01"))
    assert swept(tmp_path / "home", clock, confirm=False)[1], "the checkpoint of the right clock counts"
    clock.shows = instant(at("2024-09-03"))
    assert swept(tmp_path / "home", clock, confirm=True) == (0, [])
    with upheld.open(tmp_path / "home", leaping(clock)) as keeper:
        proved(tmp_path / "home", keeper)


def test_an_old_copy_learns_from_the_ledger_that_the_clock_has_leapt(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home_with_somebody_who_leaves(home)
    before = copied(home, tmp_path / "before")
    clock = sealed_after_a_leap(home)
    leapt = copied(home, tmp_path / "leapt")
    clock.shows = instant(at("2024-09-02"))
    put_back(home, before, "active")
    assert "clock" in waits_after_recovery(home, clock)[0]
    assert swept(home, clock, confirm=True) == (1, [])
    put_back(home, leapt, "active")
    assert waits_after_recovery(home, clock) == [], "the officer's word is in the ledger too"


def waits_after_recovery(home: Path, clock: LeapingClock) -> list[str]:
    """A place is put back, the home recovers, and is swept."""
    with upheld.open(home, leaping(clock)) as keeper:
        with pytest.raises(Recovering):
            keeper.sweep()
        keeper.recover()
        return list(keeper.sweep().waiting)


def test_who_operates_a_home_is_told_of_the_leap_and_what_to_run(tmp_path: Path) -> None:
    """The machine's clock is years after the home's last checkpoint. Each command seals when it is done."""
    home = tmp_path / "home"
    home_with_somebody_who_leaves(home)
    for _ in range(2):
        ran = CliRunner().invoke(app, ["sweep", "--home", str(home)])
        assert ran.exit_code == 1
        assert "--confirm-clock" in ran.output
    (found,) = (one for one in doctor.examined(home) if one.what == "destroying")
    assert not found.holds
    assert "upheld sweep --confirm-clock" in found.remedy
    assert CliRunner().invoke(app, ["sweep", "--home", str(home), "--confirm-clock"]).exit_code == 0
    (found,) = (one for one in doctor.examined(home) if one.what == "destroying")
    assert found.holds
    assert CliRunner().invoke(app, ["sweep", "--home", str(home)]).exit_code == 0


def test_a_clock_that_a_program_sets_leaps_as_it_likes(tmp_path: Path) -> None:
    home_with_somebody_who_leaves(tmp_path / "home")
    sealed_after_a_leap(tmp_path / "home")
    with opened(tmp_path / "home", at("2034-01-01")) as house:
        assert house.keeper.sweep().waiting == []
        house.keeper.seal()


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
