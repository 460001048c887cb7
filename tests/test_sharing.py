"""On PostgreSQL any number of sweepers share a sweep: killed or cut off, nothing is done twice and nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pytest

from tests import postgres
from tests.homes import column, databases
from tests.trial_home import MOVES, POLICY, House, at, member, opened, proved
from upheld.dates import instant
from upheld.keeper.sharing import LeaseLost
from upheld.keeper.steps import OpenStep
from upheld.ledger.entries import entry
from upheld.store import history
from upheld.store.leases import LeaseHeld
from upheld.store.postgres import PostgresConnection

ROOT = Path(__file__).parent.parent
PERSONS, SWEEPERS = 24, 4
DUE = at("2024-09-05")
DUE_AT = instant(DUE)
SWEEPER = """
import sys
from pathlib import Path
from tests.trial_home import SWEEP_DAY, opened
with opened(Path(sys.argv[1]), SWEEP_DAY) as house:
    print("ready", flush=True)
    sys.stdin.readline()
    house.keeper.sweep()
"""


@pytest.fixture(scope="module")
def on_server() -> Iterator[str]:
    with postgres.server() as address, postgres.homes_on(address):
        yield address


@pytest.fixture
def home(on_server: str, tmp_path: Path) -> Path:
    """Everybody has left; two values of each are to be kept apart, one to be destroyed."""
    place = tmp_path / "home"
    with opened(place, at("2024-08-20")) as house:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        for number in range(PERSONS):
            member(house, f"person-{number}")
        house.clock.set(at("2024-08-30"))
        for person in house.persons.values():
            house.keeper.fact(person, "closed")
    return place


def sweeper(home: Path) -> subprocess.Popen[str]:
    one = subprocess.Popen(
        [sys.executable, "-c", SWEEPER, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "src"},
    )
    assert one.stdout is not None
    assert one.stdout.readline().strip() == "ready", one.communicate()[1]
    return one


def go(crowd: list[subprocess.Popen[str]]) -> None:
    for one in crowd:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()


def carried_out_once(home: Path) -> None:
    """Every value was moved or destroyed by exactly one step, and is on record once."""
    with opened(home, DUE) as house:
        house.keeper.seal()
        moves: Counter[tuple[str, int]] = Counter()
        for recorded in history.entries(house.keeper.places.sealer.connection, kinds=MOVES):
            moves.update((recorded.entry.kind, value) for value in recorded.entry.fields["values"])  # type: ignore[union-attr,misc]  # an entry's list
        assert set(moves.values()) == {1}
        kinds = Counter(kind for kind, _ in moves)
        assert kinds["value.separated"] == 2 * PERSONS
        assert kinds["value.destroyed"] == kinds["key.destroyed"] == PERSONS
        assert column(home / "active.db", "SELECT kind FROM step") == []
        assert column(home / "active.db", "SELECT name FROM background WHERE name LIKE 'sweep/%'") == []
        assert len(house.keeper.certificates("trial")) == PERSONS
        proved(home, house.keeper)


def test_sweepers_share_a_sweep_and_carry_out_every_step_once(home: Path) -> None:
    crowd = [sweeper(home) for _ in range(SWEEPERS)]
    go(crowd)
    assert [one.communicate(timeout=120)[1] for one in crowd] == [""] * SWEEPERS
    carried_out_once(home)


def test_killed_sweepers_leave_nothing_that_the_next_does_not_finish(home: Path) -> None:
    random = Random(11)
    crowd = [sweeper(home) for _ in range(SWEEPERS)]
    go(crowd)
    for one in crowd[1:]:
        time.sleep(random.uniform(0.05, 0.5))
        one.send_signal(signal.SIGKILL)
    for one in crowd:
        one.communicate(timeout=120)
    with opened(home, DUE) as house:
        assert house.keeper.sweep().waiting == []
    carried_out_once(home)


def test_who_lost_the_server_in_the_middle_does_not_go_on_with_what_another_took_over(home: Path) -> None:
    with opened(home, DUE) as first, opened(home, DUE) as second:
        begun = first.keeper._joined("trial", first.keeper.now())
        groups = tuple(first.keeper._looked("trial", begun.at)[1].groups)
        with pytest.raises(LeaseLost):
            first.keeper._share("trial", groups, begun, lambda ours: interrupted(first, second, home, ours))
        first.keeper.seal()
        told = history.entries(first.keeper.places.sealer.connection, kinds=("clock.stopped",))
        assert list(told) == [], "nothing of what the first did then has happened"
    carried_out_once(home)


def interrupted(first: House, second: House, home: Path, ours: tuple[int, ...]) -> None:
    """The server ends all connections while the first works on its groups; the second takes them over."""
    assert len(ours) > 1
    with first.keeper._stepping(()):
        pass  # they are ours
    with pytest.raises(LeaseHeld), second.keeper.places.leases.lease(f"sweep-trial-{ours[0]}", wait=False):
        pass
    assert second.keeper.sweep().destroyed == 0, "nobody else works on them"
    postgres.end_connections(databases(home)["active"])
    second.keeper.sweep()
    with first.keeper._stepping(()) as transaction:
        transaction.journal(entry("clock.stopped", transaction.at, "trial", None, (), reached=DUE_AT, claimed=DUE_AT))
    raise AssertionError("the first went on")


def test_who_lost_the_server_while_scrubbing_certifies_nothing_that_another_has_certified(home: Path) -> None:
    with opened(home, DUE) as first, opened(home, DUE) as second:
        scrubbed = first.keeper._scrubbed

        def cut_off(steps: Sequence[OpenStep]) -> bool:
            """The server ends all connections, and the right to scrub with them; another comes meanwhile."""
            done = scrubbed(steps)
            postgres.end_connections(databases(home)["active"])
            assert second.keeper.sweep().destroyed == PERSONS
            return done

        first.keeper._scrubbed = cut_off  # type: ignore[method-assign]  # planted
        swept = first.keeper.sweep()
        assert (swept.destroyed, swept.separated) == (0, 0)
    carried_out_once(home)


def test_one_scrubbing_serves_everything_that_a_sweep_has_destroyed(home: Path) -> None:
    """Persons of many groups, values moved and values destroyed: each table of keys is written anew once."""
    with opened(home, DUE) as house:
        told: list[str] = []
        keys = house.keeper.places.keys.connection
        assert isinstance(keys, PostgresConnection)
        plain = keys.told

        def counted(statement: str) -> list[tuple[str, str]]:
            told.append(statement)
            return plain(statement)

        keys.told = counted  # type: ignore[method-assign]  # planted
        swept = house.keeper.sweep()
        assert (swept.destroyed, swept.separated) == (PERSONS, 2 * PERSONS)
        assert sorted(told) == ["VACUUM (FULL, VERBOSE) active_key", "VACUUM (FULL, VERBOSE) token"]
    carried_out_once(home)


def test_a_document_published_by_one_process_is_in_force_in_the_next_act_of_another(home: Path) -> None:
    with opened(home, DUE) as first, opened(home, DUE) as second:
        person = member(first, "guest")
        second.keeper.views.get(person, second.keeper.now())
        fresh = POLICY.replace("    offers: {", "    news: {en: news, ko: 소식, items: email}\n    offers: {").replace(
            "effective: {clause: T-1, date: 2020-02-01}", "effective: {clause: T-1, date: 2024-09-01}"
        )
        first.keeper.publish(fresh.encode(), as_of=at("2024-09-01").date(), evidence="trial")
        assert second.keeper.consent(person, "purpose/news", channel="website").granted
