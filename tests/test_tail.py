"""Evidence does not lie unsealed for long: whoever comes next seals it, and a place put back shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

import upheld
from tests.homes import changed, copied, put_back
from tests.trial_home import POLICY, at
from upheld.dates import Instant, instant
from upheld.engine.acts import SubjectId
from upheld.keeper import Keeper
from upheld.store import history
from upheld.store.history import size_of
from upheld.store.place import Recovering
from upheld.store.tail import ENTRIES, SECONDS, Tail


class PacedClock:
    """A clock like the machine's, moved by the test."""

    settable = False

    def __init__(self, start: datetime) -> None:
        self.passed = 0.0
        self.leapt = 0
        self._start = instant(start)

    def now(self) -> Instant:
        return Instant(self._start + self.leapt + int(self.passed * 1_000_000))

    def monotonic(self) -> float:
        return self.passed


@contextmanager
def _open(home: Path, clock: PacedClock) -> Iterator[Keeper]:
    keeper = upheld.open(home, upheld.Options(clock=clock, light_hashing=True, look_up={"trial": ["email"]}))
    try:
        yield keeper
    finally:
        keeper.close()


def _begun(home: Path) -> tuple[PacedClock, Keeper, SubjectId]:
    clock = PacedClock(at("2024-09-05"))
    keeper = upheld.open(home, upheld.Options(clock=clock, light_hashing=True, look_up={"trial": ["email"]}))
    keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
    person = keeper.enter("trial", "member")
    keeper.begin(person, "membership")
    keeper.seal()
    return clock, keeper, person


def _taken(keeper: Keeper, person: SubjectId) -> None:
    assert keeper.collect(person, "service", {"name": "Made Up", "email": "made.up@example.org"}).granted


def test_what_is_written_is_sealed_within_a_minute_by_whoever_comes_next(tmp_path: Path) -> None:
    clock, keeper, person = _begun(tmp_path / "home")
    before = size_of(keeper.places.sealer.connection)
    _taken(keeper, person)
    clock.passed += SECONDS - 1
    _taken(keeper, person)
    assert size_of(keeper.places.sealer.connection) == before, "nothing is sealed while the minute runs"
    clock.passed += 1
    _taken(keeper, person)
    assert size_of(keeper.places.sealer.connection) >= before + 3
    keeper.close()


def test_nothing_is_sealed_inside_a_batch_and_all_of_it_after(tmp_path: Path) -> None:
    clock, keeper, person = _begun(tmp_path / "home")
    _taken(keeper, person)
    before = size_of(keeper.places.sealer.connection)
    with keeper.batch():
        clock.passed += SECONDS
        _taken(keeper, person)
        assert size_of(keeper.places.sealer.connection) == before
    assert size_of(keeper.places.sealer.connection) > before
    keeper.close()


def test_a_tail_is_over_by_its_age_or_its_length() -> None:
    clock = PacedClock(at("2024-09-05"))
    tail = Tail(clock.monotonic)
    clock.passed = 10 * SECONDS
    assert not tail.over, "nothing was written"
    tail.grew(ENTRIES - 1)
    assert not tail.over
    tail.grew(1)
    assert tail.over
    tail.sealed()
    assert not tail.over
    tail.grew(1)
    clock.passed += SECONDS
    assert tail.over
    tail.put_off()
    assert not tail.over
    clock.passed += SECONDS
    assert tail.over, "what somebody else was to seal is asked for again"


def test_a_sweep_seals_what_a_process_that_ended_has_left(tmp_path: Path) -> None:
    clock, keeper, person = _begun(tmp_path / "home")
    _taken(keeper, person)
    keeper.close()
    clock.passed += SECONDS
    with _open(tmp_path / "home", clock) as keeper:
        before = size_of(keeper.places.sealer.connection)
        keeper.sweep()
        assert size_of(keeper.places.sealer.connection) > before


def test_an_active_place_put_back_to_a_copy_of_before_the_minute_is_noticed(tmp_path: Path) -> None:
    clock, keeper, person = _begun(tmp_path / "home")
    keeper.close()
    copied(tmp_path / "home", tmp_path / "copy")
    with _open(tmp_path / "home", clock) as keeper:
        _taken(keeper, person)
        clock.passed += SECONDS
        _taken(keeper, person)  # its commit is followed by a seal: nobody asked for one
    put_back(tmp_path / "home", tmp_path / "copy", "active")
    with _open(tmp_path / "home", clock) as keeper, pytest.raises(Recovering):
        keeper.enter("trial", "member")


def test_changed_evidence_does_not_turn_a_durable_answer_into_a_failure(tmp_path: Path) -> None:
    clock, keeper, person = _begun(tmp_path / "home")
    _taken(keeper, person)
    changed(tmp_path / "home" / "active.db", "UPDATE journal SET mac = ?", bytes(32))
    clock.passed += SECONDS
    _taken(keeper, person)
    with pytest.raises(upheld.UpheldError):
        keeper.seal()
    keeper.close()


def test_what_a_leap_of_the_clock_puts_on_record_asks_for_no_seal_of_its_own(tmp_path: Path) -> None:
    clock, keeper, person = _begun(tmp_path / "home")
    _taken(keeper, person)
    clock.leapt = 60 * 86_400 * 1_000_000
    clock.passed += SECONDS
    _taken(keeper, person)
    assert list(history.entries(keeper.places.sealer.connection, kinds=["clock.stopped"]))
    keeper.close()
