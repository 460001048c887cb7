"""On PostgreSQL a destroyed key is looked for in the server's own files, before and after the day that is certified."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from typer.testing import CliRunner

import upheld
from tests import postgres
from tests.homes import column, connection_to
from tests.trial_home import POLICY, House, at, member, opened
from upheld import cli, system
from upheld.dates import Period, instant
from upheld.engine.acts import RequestId
from upheld.store.leases import SCRUB
from upheld.store.postgres import PostgresPlace
from upheld.store.remains import Remains, complaints, remains

START, DESTROYED_ON = at("2024-03-01"), at("2024-03-06")
UTC = ZoneInfo("UTC")


@pytest.fixture
def server() -> Iterator[postgres.Server]:
    settings = "-c wal_recycle=off -c wal_keep_size=0 -c min_wal_size=32MB -c autovacuum=off"
    with postgres.running(durable=True, settings=settings) as one, postgres.homes_on(one.address):
        yield one


def lies_in(folder: Path, secret: bytes) -> list[str]:
    """The files of a folder in which these bytes lie."""
    return [
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and secret in path.read_bytes()
    ]


def flushed(address: str) -> None:
    """What the server holds in memory is in its files; the log goes on in the next segment."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        connection.execute("SELECT pg_switch_wal()")
        connection.execute("CHECKPOINT")


@pytest.mark.clauses("BZ18-6.2.B", "NX17-5.3.a")
def test_a_destroyed_key_leaves_the_tables_at_once_and_the_log_within_the_time_that_is_certified(
    server: postgres.Server, tmp_path: Path
) -> None:
    home, data = tmp_path / "home", server.data
    system.init(home, upheld.Options(clock=upheld.SetClock(START), look_up={"trial": ["email"]}))
    with opened(home, START) as house:
        keeper = house.keeper
        keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        person = member(house, "leaver")
        (number,) = column(home / "active.db", "SELECT key_id FROM value WHERE item = 'phone'")
        (key,) = column(home / "keys.db", f"SELECT wrapped FROM active_key WHERE key_id = {number}")
        with psycopg.connect(postgres_address(home), autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        assert lies_in(data / "base", key)
        asked = keeper.request(person, "erasure", channel="website", proved=True)
        keeper.answer(person, RequestId(asked.made or ""), "done")
        house.clock.set(DESTROYED_ON)
        keeper.sweep()
        with psycopg.connect(postgres_address(home), autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        assert not column(home / "keys.db", f"SELECT wrapped FROM active_key WHERE key_id = {number}")
        assert lies_in(data / "base", key) == []
        assert lies_in(data / "pg_wal", key), "the log held the key: else there is nothing to count in"
        bodies = column(home / "active.db", "SELECT body FROM certificate")
    assert {json.loads(body)["beyond_recovery_on"] for body in bodies} == {
        (DESTROYED_ON + timedelta(days=31)).date().isoformat()
    }
    with psycopg.connect(postgres_address(home), autocommit=True) as connection:
        oldest = connection.execute("SELECT min(modification) FROM pg_ls_waldir()").fetchone()
    assert oldest
    flushed(postgres_address(home))
    assert lies_in(data, key) == []
    with closing(connection_to(home / "keys.db")) as keys:
        found = remains(keys)
    assert found.oldest_log_at >= instant(oldest[0])  # the server tells whole seconds
    assert (found.recycles, found.archives, found.dead) == (False, False, {})
    told = CliRunner().invoke(cli.app, ["doctor", "--home", str(home)])  # the clock of this home stood in 2024
    assert "no archive of the log" in told.stdout
    assert told.stderr == ""


@pytest.mark.clauses("BZ18-6.2.B", "NX17-5.3.a")
def test_a_transaction_that_can_still_see_a_destroyed_key_keeps_the_certificate_waiting(
    server: postgres.Server, tmp_path: Path
) -> None:
    """A table that is written anew meanwhile keeps the dead row, and with it the key."""
    home, data = tmp_path / "home", server.data
    system.init(home, upheld.Options(clock=upheld.SetClock(START), look_up={"trial": ["email"]}))
    with opened(home, START) as house:
        keeper = house.keeper
        keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        rewriting(house, patience=0.05)
        person = member(house, "leaver")
        keys = keys_in(home)
        asked = keeper.request(person, "erasure", channel="website", proved=True)
        keeper.answer(person, RequestId(asked.made or ""), "done")
        house.clock.set(DESTROYED_ON)
        with psycopg.connect(postgres_address(home)) as reader:
            reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            reader.execute("SELECT count(*) FROM pg_class")
            swept = keeper.sweep()
            assert (swept.destroyed, keeper.certificates("trial")) == (0, [])
            assert swept.waiting
            assert keys_in(home) == {}, "nobody can read it any more"
            flushed_tables(home)
            assert [key for key in keys.values() if lies_in(data / "base", key)], "and yet it is there"
        assert keeper.sweep().destroyed == len(keys)
        assert len(keeper.certificates("trial")) == 1
        flushed_tables(home)
        assert [key for key in keys.values() if lies_in(data / "base", key)] == []


def test_who_waits_for_the_right_to_scrub_does_not_keep_a_key_in_its_table(
    server: postgres.Server, tmp_path: Path
) -> None:
    """Who waited in the server's own queue could see what was there when the waiting began."""
    home, had = tmp_path / "home", Event()
    system.init(home, upheld.Options(clock=upheld.SetClock(START), look_up={"trial": ["email"]}))
    with opened(home, START) as house:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        member(house, "leaver")
        rewriting(house, patience=0.5)
        leases, keys = house.keeper.places.leases, house.keeper.places.keys

        def next_one() -> None:
            with leases.lease(SCRUB):
                had.set()

        waiting = Thread(target=next_one)
        with leases.lease(SCRUB):
            waiting.start()
            assert not had.wait(0.3)
            with psycopg.connect(postgres_address(home), autocommit=True) as connection:
                made = connection.execute(
                    "DELETE FROM keys.active_key WHERE key_id IN (SELECT key_id FROM keys.active_key LIMIT 1)"
                )
                assert made.rowcount == 1
            assert keys.scrub({"active_key"})
        assert had.wait(5)
        waiting.join()


def rewriting(house: House, **changes: Any) -> None:
    """How tables of keys are written anew by this keeper."""
    engine = house.keeper.places.keys.engine
    assert isinstance(engine, PostgresPlace)
    engine.rewriting = replace(engine.rewriting, **changes)


def keys_in(home: Path) -> dict[int, bytes]:
    """The wrapped keys of values that are held."""
    held = set(column(home / "active.db", "SELECT key_id FROM value WHERE key_id IS NOT NULL"))
    wrapped = {one: column(home / "keys.db", f"SELECT wrapped FROM active_key WHERE key_id = {one}") for one in held}
    return {one: bytes(rows[0]) for one, rows in wrapped.items() if rows}


def flushed_tables(home: Path) -> None:
    with psycopg.connect(postgres_address(home), autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def postgres_address(home: Path) -> str:
    return system.settings_of(home)["databases"]["keys"]  # type: ignore[no-any-return]  # a place's address


def test_the_doctor_tells_what_keeps_a_key_longer_than_is_certified() -> None:
    now = instant(at("2024-06-01"))
    kept = Period.parse("P30D")
    young = Remains(instant(at("2024-05-20")), recycles=False, archives=False)
    assert complaints(young, now, kept, UTC) == []
    old = Remains(instant(at("2024-04-20")), recycles=True, archives=True)
    assert [one.partition(":")[0] for one in complaints(old, now, kept, UTC)] == [
        "the log of the server is older than the time that certificates count in",
        "segments of the log are used again with what they held",
    ]


def test_a_home_on_files_certifies_the_day_of_scrubbing_unless_copies_are_kept(tmp_path: Path) -> None:
    assert system.copies_kept_in({"databases": {}}) == Period()
    assert system.copies_kept_in({"databases": {}, "copies_kept": "P10D"}) == Period.parse("P10D")
    assert system.copies_kept_in({"databases": {"keys": "host=nowhere"}}) == Period.parse("P30D")
    home = str(tmp_path / "home")
    assert CliRunner().invoke(cli.app, ["init", "--home", home, "--copies-kept", "P10D"]).exit_code == 0
    assert "P10D" in CliRunner().invoke(cli.app, ["doctor", "--home", home]).output
