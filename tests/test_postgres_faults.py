"""On PostgreSQL: killed processes, ended connections and a server that falls over lose nothing and double nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest

import upheld
from tests import postgres
from tests.crash_child import Trial, prepared, traced, untraced
from tests.homes import copied, databases
from tests.test_crash import VERBS, crashes_of
from tests.trial_home import POLICY, House, at, member, opened, proved, readable, rows_in
from upheld import system
from upheld.engine.acts import SubjectId
from upheld.errors import StoreFailed

CLIENTS, RESTARTS = 4, 2


@pytest.fixture(scope="module")
def on_server() -> Iterator[str]:
    with postgres.server() as address, postgres.homes_on(address):
        yield address


# ── the process is killed ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("on_server")
@pytest.mark.parametrize(
    ("scenario", "stride", "least"),
    [("sweep", 19, 10), ("revived", 23, 4), ("recover-active", 61, 3), ("recover-keys", 61, 3), ("recover-all", 89, 3)],
)
def test_on_a_server_what_is_killed_half_way_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, scenario: str, stride: int, least: int
) -> None:
    """Statements are sampled: each costs a copy of the databases. `make deep` takes seven times as many."""
    found = crashes_of(scenario, tmp_path, 5, stride)
    assert found["failures"] == []
    assert found["crashes"] >= least


@pytest.mark.usefixtures("on_server")
@pytest.mark.parametrize("verb", VERBS)
def test_on_a_server_a_killed_verb_was_done_whole_or_not_at_all(tmp_path: Path, verb: str) -> None:
    """Every third statement; of the four verbs that make a person every ninth."""
    found = crashes_of(verb, tmp_path, 1, 9 if verb == "joined" else 3)
    assert found["failures"] == []
    assert found["crashes"]


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
        traced(house, count)
        with suppress(StoreFailed):  # said to whoever called; that it was not done by half is looked at now
            trial.scenario.action(house, trial.persons)
        untraced(house)
        trial.scenario.after(house, trial.persons)
    return left < 0


@pytest.mark.usefixtures("on_server")
@pytest.mark.parametrize(
    ("name", "stride"), [("sweep", 29), ("collect", 2), ("withdraw", 2), ("read", 2), ("provide", 2)]
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


def lives_on(house: House, person: SubjectId, mark: str, stop: Event) -> tuple[Counter[str], int]:
    """Somebody corrects a value again and again. How often each text was acknowledged, and how many acts failed."""
    done: Counter[str] = Counter()
    failed = turn = 0
    while not stop.is_set():
        turn += 1
        text = f"{mark}-{turn}@example.org"
        try:
            consent = house.keeper.consent if turn % 2 else house.keeper.withdraw
            consent(person, "purpose/offers", channel="website")
            if house.keeper.collect(person, "service", {"name": text}).granted:
                done[text] += 1
        except (StoreFailed, OSError):
            failed += 1
            time.sleep(0.02)
    return done, failed


def texts_in(home: Path) -> Counter[str]:
    """Every name that can be read from what is stored, as often as it is stored."""
    names = [row for row in rows_in(home) if row.item == "name"]
    return Counter(text for tiers in readable(home, names).values() for text in tiers.values())


def test_a_server_that_falls_over_under_load_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Four threads of one process; the server is stopped twice as by a failure, durable as in service."""
    done, failed, kept = served_under_load(tmp_path / "home")
    assert len(done) > 3 * CLIENTS
    assert failed, "no client noticed that the server was away"
    assert [text for text in done if not kept[text]] == []
    assert [text for text, times in kept.items() if times > 1] == []
    assert len(kept) <= len(done) + CLIENTS + failed


def served_under_load(home: Path) -> tuple[Counter[str], int, Counter[str]]:
    """What was acknowledged, how many acts failed, what is there, on a server of its own that is stopped twice."""
    with postgres.running(durable=True) as server, postgres.homes_on(server.address):
        system.init(home, upheld.Options(clock=upheld.SetClock(at("2024-03-01")), look_up={"trial": []}))
        with opened(home, at("2024-03-01")) as house:
            house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
            persons = [member(house, f"client-{number}") for number in range(CLIENTS)]
            stop = Event()
            with ThreadPoolExecutor(CLIENTS) as pool:
                running = [
                    pool.submit(lives_on, house, person, f"client-{number}", stop)
                    for number, person in enumerate(persons)
                ]
                for _ in range(RESTARTS):
                    time.sleep(1)
                    server.control("restart", "-m", "immediate")
                time.sleep(1)
                stop.set()
                outcomes = [one.result() for one in running]
        kept = texts_in(home)
        done = sum((acknowledged for acknowledged, _ in outcomes), Counter[str]())
        failed = sum(number for _, number in outcomes)
        with opened(home, at("2024-03-01")) as house:
            proved(home, house.keeper)
    return done, failed, kept
