"""One scheduler at a time, by a lock of the database, on files and on PostgreSQL: the holder dies in the middle of a
duty, another takes over within seconds, and nobody is told twice.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

import upheld
from tests import postgres, served
from tests.desk_house import busy
from tests.homes import databases
from tests.served import joined

ROOT = Path(__file__).parent.parent
PERSONS, TOLD_BEFORE, PATIENCE = 6, 3, 10.0
DUTY = "consent-confirmed"
CHILD = """
import sys, time
import upheld
from upheld.desk import background, confirming
plain, told = confirming.tell_one, []
def tell_one(*given):
    if len(told) == int(sys.argv[2]):
        print("half", flush=True)
        time.sleep(600)
    told.append(given)
    return plain(*given)
confirming.tell_one = tell_one
with upheld.open(sys.argv[1], upheld.Options(light_hashing=True)) as keeper:
    jobs = {"confirm": background.Job(1, confirming.confirm_consents)}
    scheduler = background.Scheduler(keeper, jobs)
    while True:
        print(*scheduler.turn() or ("nothing",), flush=True)
        time.sleep(0.1)
"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    with postgres.server() if request.param == "postgresql" else nullcontext("") as address:
        served._furnished.cache_clear()
        with postgres.homes_on(address) if address else nullcontext():
            yield request.param
        served._furnished.cache_clear()


@contextmanager
def scheduler(home: Path, dies_after: int = 999) -> Iterator[subprocess.Popen[str]]:
    """A process that is a scheduler; it stands still for good in the middle of a duty where that is said."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(home), str(dies_after)], stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "src"},
    ) as one:  # fmt: skip
        try:
            yield one
        finally:
            one.kill()


def said(one: subprocess.Popen[str], word: str) -> None:
    """Wait for a line."""
    assert one.stdout is not None
    until = time.monotonic() + 60
    while time.monotonic() < until:
        line = one.stdout.readline()
        assert line, "the scheduler ended"
        if line.strip() == word:
            return
    raise AssertionError(f"no {word} in a minute")


def test_the_next_scheduler_takes_over_within_seconds_and_a_persons_duty_is_not_done_twice(
    engine: str, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    with busy(home) as house:
        persons = [joined(house.keeper, f"reader-{number}", offers=False) for number in range(PERSONS)]
        for person in persons:
            house.keeper.consent(person, "medium/email", channel="website")
    assert bool(databases(home)) is (engine == "postgresql")
    with scheduler(home, TOLD_BEFORE) as first:
        said(first, "half")
        with scheduler(home) as second:
            for _ in range(3):
                said(second, "nothing")
            first.send_signal(signal.SIGKILL)
            began = time.monotonic()
            said(second, "confirm")
            assert time.monotonic() - began < PATIENCE, "a lease of a minute was waited out"
            said(second, "confirm")
    with upheld.open(home, upheld.Options(light_hashing=True)) as keeper:
        told = Counter(one.subject_id for one in keeper.messages("trial", notice=DUTY))
        keeper.seal()
        done = [one for one in keeper.audit("trial").clauses if one.clause == "T-41"]
    assert told == dict.fromkeys(persons, 1)
    assert [one.state.value for one in done] == ["upheld"]
