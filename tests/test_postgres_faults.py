"""On PostgreSQL: killed processes, ended connections and a server that falls over lose nothing and double nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest

import upheld
from tests import postgres
from tests.acknowledged import BEGUN_AT, MADE_AT, Life, missing, not_ended, peopled
from tests.crash_child import ONE_MESSAGE, Trial, prepared, traced
from tests.homes import copied, databases
from tests.test_crash import VERBS, crashes_of
from tests.trial_home import House, opened, proved
from upheld import system
from upheld.errors import StoreFailed

CLIENTS, RESTARTS = 4, 2
LEAVERS = 60
"""Persons of whom the sweep has something to move and something to destroy."""


@pytest.fixture(scope="module")
def on_server() -> Iterator[str]:
    with postgres.server() as address, postgres.homes_on(address):
        yield address


# ── the process is killed ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("on_server")
@pytest.mark.parametrize(
    ("scenario", "stride", "least"),
    [
        ("sweep", 25, 10),
        ("revived", 41, 4),
        ("recover-active", 131, 3),
        ("recover-keys", 131, 3),
        ("recover-all", 181, 3),
    ],
)
def test_on_a_server_what_is_killed_half_way_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, scenario: str, stride: int, least: int
) -> None:
    """Statements are sampled: each costs a copy of the databases. `make deep` takes seven times as many."""
    found = crashes_of(scenario, tmp_path, 5, stride)
    assert found["failures"] == []
    assert found["crashes"] >= least


@pytest.mark.usefixtures("on_server")
@pytest.mark.parametrize("verb", [one for one in VERBS if one not in ONE_MESSAGE])
def test_on_a_server_a_killed_verb_was_done_whole_or_not_at_all(tmp_path: Path, verb: str) -> None:
    """At every fourth point of its messages; of the four verbs that make a person every eleventh."""
    found = crashes_of(verb, tmp_path, 1, 11 if verb == "joined" else 4)
    assert found["failures"] == []
    assert found["crashes"]


@pytest.mark.usefixtures("on_server")
@pytest.mark.parametrize("scenario", ONE_MESSAGE)
def test_on_a_server_what_is_one_message_is_killed_before_it_in_its_middle_and_after_it(
    tmp_path: Path, scenario: str
) -> None:
    """At every point of every message, whichever there are. That it goes straight is seen by how few: the long way has
    twice as many in the place of its person.
    """
    found = crashes_of(scenario, tmp_path)
    assert found["failures"] == []
    assert found["crashes"] == found["statements"]
    assert 3 <= found["places"]["active"] <= 7


@pytest.mark.deep
@pytest.mark.usefixtures("on_server")
@pytest.mark.parametrize("scenario", ["sweep", "revived", "recover-active", "recover-keys", "recover-all"])
def test_on_a_server_killed_at_every_fourth_statement(tmp_path: Path, scenario: str) -> None:
    assert crashes_of(scenario, tmp_path, 0, 4)["failures"] == []


# ── the connection is ended ─────────────────────────────────────────────────────────────────────────────────────────


def cut(trial: Trial, home: Path, before: int) -> bool:
    """Do the verb; before that statement the server ends every connection. The same process goes on afterwards.

    False when the verb had fewer statements.
    """
    address = databases(home)["active"]
    left = before

    def count(_: str) -> None:
        nonlocal left
        left -= 1
        if left == -1:
            postgres.end_connections(address)

    with opened(home, trial.scenario.when) as house:
        trial.scenario.warm(house, trial.persons)
        # A failure is said to whoever called; that it was not done by half is looked at now.
        with traced(house, count, answers=trial.scenario.answers), suppress(StoreFailed):
            trial.scenario.action(house, trial.persons)
        trial.scenario.after(house, trial.persons)
    return left < 0


@pytest.mark.usefixtures("on_server")
@pytest.mark.parametrize(
    ("name", "stride"),
    [
        ("sweep", 59),
        ("collect", 4),
        ("withdraw", 4),
        ("read", 4),
        ("provide", 4),
        ("straight-read", 1),
        ("straight-token", 6),
    ],
)
def test_a_connection_that_ends_at_any_statement_leaves_nothing_by_half(tmp_path: Path, name: str, stride: int) -> None:
    trial, places = prepared(tmp_path, name)
    cuts, failures = 0, []
    for before in range(1, len(places), stride):
        home = copied(trial.prepared, tmp_path / "cut")
        if not cut(trial, home, before):
            break
        cuts += 1
        failures += [f"ended before statement {before}: {one}" for one in trial.finish(home)]
    assert failures == []
    assert cuts >= 3


# ── the server falls over ───────────────────────────────────────────────────────────────────────────────────────────


def lives_on(life: Life, stop: Event) -> tuple[list[str], int]:
    """Somebody is served again and again. What was acknowledged, and how many turns failed."""
    said: list[str] = []
    failed = turn = 0
    while not stop.is_set():
        try:
            life.turn(turn, said.append)
        except (StoreFailed, OSError):
            failed += 1
            time.sleep(0.02)
        turn += 1
    return said, failed


def sweeps_on(house: House, stop: Event) -> tuple[list[str], int]:
    """Somebody sweeps until it comes to an end. How often it did not."""
    failed = 0
    while not stop.is_set():
        try:
            house.keeper.sweep()
        except (StoreFailed, OSError):
            failed += 1
            time.sleep(0.02)
    return [], failed


def test_a_server_that_falls_over_under_load_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Four threads of one process and a sweep; the server is stopped twice as by a failure, durable as in service."""
    said, failed, wrong = served_under_load(tmp_path / "home")
    assert wrong == []
    assert len(said) > 10 * CLIENTS
    assert failed, "no client noticed that the server was away"


def served_under_load(home: Path) -> tuple[list[str], int, list[str]]:
    """What was acknowledged, how many acts failed, and what is wrong, on a server of its own that is stopped twice."""
    names = [f"client-{number}" for number in range(CLIENTS)]
    with postgres.running(durable=True) as server, postgres.homes_on(server.address):
        system.init(home, upheld.Options(clock=upheld.SetClock(MADE_AT), look_up={"trial": ["email"]}))
        with opened(home, MADE_AT) as house:
            lives = [
                Life.of(house, person, name) for person, name in zip(peopled(house, names, LEAVERS), names, strict=True)
            ]
            stop = Event()
            with ThreadPoolExecutor(CLIENTS + 1) as pool:
                running = [pool.submit(lives_on, life, stop) for life in lives]
                time.sleep(0.8)
                running.append(pool.submit(sweeps_on, house, stop))
                for _ in range(RESTARTS):
                    time.sleep(0.2)
                    server.control("restart", "-m", "immediate")
                    time.sleep(0.8)
                time.sleep(0.2)
                stop.set()
                outcomes = [one.result() for one in running]
        said = [line for lines, _ in outcomes for line in lines]
        with opened(home, BEGUN_AT) as house:
            wrong = not_ended(home, house, LEAVERS)
            proved(home, house.keeper)
            wrong += missing(home, house, said)
    return said, sum(failed for _, failed in outcomes), wrong
