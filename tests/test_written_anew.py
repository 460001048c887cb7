"""Large tables of keys on PostgreSQL are written anew once in a while, and certificates count with the last moment."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

import upheld
from tests import postgres
from tests.homes import changed, column, connection_to, copied, put_back
from tests.test_beyond_recovery import flushed, flushed_tables, lies_in, postgres_address, rewriting
from tests.trial_home import POLICY, House, at, member, opened, proved
from upheld import cli, system
from upheld.clock import SystemClock
from upheld.dates import Instant, instant
from upheld.engine.acts import RequestId
from upheld.errors import HomeUnusable
from upheld.store import scrubbing
from upheld.store.postgres_connection import PostgresConnection
from upheld.store.scrubbing import Rewriting, remembered
from upheld.web import doctor_servers

START, ERASED_ON = at("2024-03-01"), at("2024-03-06")
NEXT_DAY, TWO_DAYS = ERASED_ON + timedelta(hours=24), ERASED_ON + timedelta(hours=49)


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    settings = "-c wal_recycle=off -c wal_keep_size=0 -c min_wal_size=32MB -c autovacuum=off"
    with postgres.running(durable=True, settings=settings) as one, postgres.homes_on(one.address):
        yield one


@pytest.fixture
def home(server: postgres.Server, tmp_path: Path) -> Path:
    """Two members, of whom one has asked for erasure."""
    home = tmp_path / "home"
    system.init(home, upheld.Options(clock=upheld.SetClock(START), look_up={"trial": ["email"]}))
    with opened(home, START) as house:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        member(house, "stayer")
        leaves(house, "leaver")
    assert server.data.exists()
    return home


def leaves(house: House, who: str) -> None:
    asked = house.keeper.request(member(house, who), "erasure", channel="website", proved=True)
    house.keeper.answer(house.persons[who], RequestId(asked.made or ""), "done")


def large(home: Path, when: datetime, **otherwise: Any) -> Any:
    """The home, whose tables of keys are all too large to be written anew at once."""
    one = opened(home, when)
    house = one.__enter__()
    rewriting(house, small=0, **otherwise)
    return _Left(one, house)


class _Left:
    def __init__(self, manager: Any, house: House) -> None:
        self._manager, self._house = manager, house

    def __enter__(self) -> House:
        return self._house

    def __exit__(self, *failure: object) -> None:
        self._manager.__exit__(*failure)


def dead(home: Path) -> dict[str, Instant]:
    """The tables of which it is remembered that they hold destroyed keys."""
    with closing(connection_to(home / "keys.db")) as keys:
        return remembered(keys)


def tokens_of_gone(home: Path) -> list[bytes]:
    """What is in the table of tokens now."""
    return [bytes(one) for one in column(home / "keys.db", "SELECT token FROM token")]


def watched(house: House) -> Counter[str]:
    """How often this keeper writes each table anew, from now on."""
    keys, counted = house.keeper.places.keys.connection, Counter[str]()
    assert isinstance(keys, PostgresConnection)
    plain = keys.execute

    def execute(statement: str, *given: Any) -> Any:
        if "FULL" in statement:
            counted[statement.split()[-1]] += 1
        return plain(statement, *given)

    keys.execute = execute  # type: ignore[method-assign]  # planted
    return counted


@pytest.mark.clauses("BZ18-6.2.B", "NX17-5.3.a")
def test_an_erasure_is_certified_at_once_and_its_bytes_are_gone_by_the_time_that_was_counted_in(
    server: postgres.Server, home: Path
) -> None:
    held = tokens_of_gone(home)
    with large(home, ERASED_ON) as house:
        anew = watched(house)
        assert house.keeper.sweep().destroyed == 3
        (certificate,) = house.keeper.certificates("trial")
        said = json.loads(house.keeper.certificate(certificate))["certificate"]
        assert not anew, "nothing was locked"
        assert said["method"]["en"].endswith("files written anew before the day it is beyond recovery")
        flushed_tables(home)
        left = [token for token in held if token not in tokens_of_gone(home) and lies_in(server.data / "base", token)]
        assert left, "else there was nothing to count in"
    assert dead(home) == dict.fromkeys(("active_key", "token"), instant(ERASED_ON))
    with large(home, NEXT_DAY) as house:
        anew = watched(house)
        swept = house.keeper.sweep()
        assert (swept.destroyed, swept.waiting) == (0, [])
        assert anew == {"active_key": 1, "token": 1}
        proved(home, house.keeper)
    assert dead(home) == {}
    flushed(postgres_address(home))
    assert [token for token in left if lies_in(server.data, token)] == []
    assert said["scrubbed_at"] == instant(ERASED_ON)
    counted = timedelta(days=2) + timedelta(days=30 + 1)  # until written anew, and kept to the end of the last day
    assert said["beyond_recovery_on"] == (ERASED_ON + counted).date().isoformat()


def test_whoever_leaves_meanwhile_costs_no_table_and_one_writing_serves_all(home: Path) -> None:
    with large(home, ERASED_ON) as house:
        anew = watched(house)
        house.keeper.sweep()
        for hours in range(4, 20, 4):
            house.clock.set(ERASED_ON + timedelta(hours=hours))
            leaves(house, f"leaver {hours}")
            assert house.keeper.sweep().destroyed
        assert len(house.keeper.certificates("trial")) == 5
        assert not anew
        for hours in range(24, 44, 4):
            house.clock.set(ERASED_ON + timedelta(hours=hours))
            house.keeper.sweep()
        assert anew == {"active_key": 1, "token": 1}


MADE_UP_KEYS = (
    "INSERT INTO active_key(bucket, key_id, wrapped) SELECT b, (CAST(b AS BIGINT) << 37) + 1, "
    "decode(repeat('00', 60), 'hex') FROM generate_series(0, 1023) AS made(b)"
)


def test_pages_from_which_rows_have_gone_are_not_looked_at_by_every_sweep_until_the_table_is_written_anew(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server looks again at each page whose row is gone as long as an index names it."""
    monkeypatch.setattr(scrubbing, "MET_AGAIN", 4)
    left = "SELECT relpages - relallvisible FROM pg_class WHERE oid = CAST('keys.active_key' AS regclass)"
    unclear: list[int] = []
    with large(home, ERASED_ON) as house:
        changed(home / "keys.db", MADE_UP_KEYS)
        keys = house.keeper.places.keys
        assert keys.scrub({"active_key"})
        for bucket in range(0, 1000, 70):
            changed(home / "keys.db", f"DELETE FROM active_key WHERE bucket = {bucket}")
            assert keys.scrub({"active_key"})
            unclear += column(home / "keys.db", left)
        assert max(unclear) <= 4 + 1, unclear
        assert dead(home) != {}, "and the table is to be written anew all the same"


def test_a_small_table_is_written_anew_at_once(home: Path) -> None:
    with opened(home, ERASED_ON) as house:
        anew = watched(house)
        house.keeper.sweep()
        assert anew == {"active_key": 1, "token": 1}
        (certificate,) = house.keeper.certificates("trial")
        said = json.loads(house.keeper.certificate(certificate))["certificate"]
    assert dead(home) == {}
    assert said["beyond_recovery_on"] == (ERASED_ON + timedelta(days=30 + 1)).date().isoformat(), "nothing to count in"
    assert said["method"]["en"].endswith("file scrubbed")


def test_a_house_may_ask_for_it_now(home: Path) -> None:
    with large(home, ERASED_ON) as house:
        anew = watched(house)
        house.keeper.sweep()
        assert not anew
        house.keeper.sweep(rewrite=True)
        assert anew == {"active_key": 1, "token": 1}
        house.keeper.sweep(rewrite=True)
        assert anew == {"active_key": 1, "token": 1}, "nothing in them has been destroyed since"


def test_a_sweeper_that_found_nothing_yesterday_writes_anew_what_another_has_left(home: Path) -> None:
    """What is asked once is remembered, never for longer than nothing can have become due."""
    with large(home, START) as other:
        other.keeper.sweep(rewrite=True)
        other.clock.set(ERASED_ON)
        other.keeper.sweep()
        assert dead(home) == {}
        with large(home, ERASED_ON) as house:
            leaves(house, "later")
            house.keeper.sweep()
        anew = watched(other)
        for hours in range(1, 23, 6):
            other.clock.set(ERASED_ON + timedelta(hours=hours))
            other.keeper.sweep()
        assert not anew
        other.clock.set(NEXT_DAY)
        other.keeper.sweep()
        assert anew == {"active_key": 1, "token": 1}


def test_of_two_sweepers_one_writes_a_table_anew(home: Path) -> None:
    with large(home, ERASED_ON) as house:
        house.keeper.sweep()
    with large(home, NEXT_DAY) as one, large(home, NEXT_DAY) as other:
        counted = [watched(one), watched(other)]
        sweepers = [Thread(target=each.keeper.sweep) for each in (one, other)]
        for each in sweepers:
            each.start()
        for each in sweepers:
            each.join()
        assert counted[0] + counted[1] == {"active_key": 1, "token": 1}
    assert dead(home) == {}


def test_who_can_still_see_a_destroyed_key_is_waited_for_and_told_when_the_time_is_over(
    server: postgres.Server, home: Path
) -> None:
    held = tokens_of_gone(home)
    with psycopg.connect(postgres_address(home)) as reader:
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT count(*) FROM pg_class")
        with large(home, ERASED_ON, patience=0.05) as house:
            anew = watched(house)
            assert house.keeper.sweep().destroyed == 3
            house.clock.set(NEXT_DAY)
            assert house.keeper.sweep().waiting == []
            assert house.keeper.sweep(rewrite=True).waiting, "it was asked for"
            house.clock.set(TWO_DAYS)
            (said,) = house.keeper.sweep().waiting
            assert "a table of keys" in said
            assert not anew, "nobody is locked out for nothing"
            assert set(dead(home)) == {"active_key", "token"}
    with large(home, TWO_DAYS) as house:
        assert house.keeper.sweep().waiting == []
        left = [token for token in held if token not in tokens_of_gone(home)]
    assert left
    assert dead(home) == {}
    flushed(postgres_address(home))
    assert [token for token in left if lies_in(server.data, token)] == []


def sampled(home: Path) -> list[str]:
    """The columns of which the server has taken samples, as far as they are secret."""
    with psycopg.connect(postgres_address(home), autocommit=True) as connection:
        connection.execute("ANALYZE")
        found = connection.execute(
            "SELECT tablename || '.' || attname FROM pg_stats WHERE schemaname = 'keys' "
            "AND attname IN ('wrapped', 'token', 'alias') AND tablename <> 'root_key' ORDER BY 1"
        ).fetchall()
    return [name for (name,) in found]


def test_the_server_takes_no_samples_of_keys_which_it_would_keep_when_they_are_gone(home: Path) -> None:
    """`ANALYZE` goes by itself; what it saw is shown by `pg_stats` until it looks again."""
    assert sampled(home) == []


def test_samples_of_keys_from_an_earlier_version_are_gone_before_anything_is_certified(home: Path) -> None:
    columns = {"active_key": "wrapped", "token": "token", "alias": "alias", "paper_key": "wrapped"}
    with psycopg.connect(postgres_address(home), autocommit=True) as connection:
        for table, name in columns.items():
            connection.execute(f"ALTER TABLE keys.{table} ALTER COLUMN {name} SET STATISTICS -1".encode())
    assert {"active_key.wrapped", "token.token"} <= set(sampled(home))
    with opened(home, ERASED_ON) as house:
        assert house.keeper.sweep().destroyed == 3
        assert len(house.keeper.certificates("trial")) == 1
    assert set(sampled(home)) <= {"alias.alias"}, "nobody was forgotten: that table was not touched"


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize(
    ("before", "nth"), [("INSERT INTO meta", 2), ("VACUUM (INDEX", 1), ("VACUUM (FULL", 2), ("DELETE FROM meta", 1)]
)
def test_a_sweep_killed_on_the_way_never_leaves_a_certificate_for_a_table_nobody_remembers(
    server: postgres.Server, home: Path, before: str, nth: int
) -> None:
    held = tokens_of_gone(home)
    was_killed = False
    for when in (ERASED_ON, NEXT_DAY):
        with large(home, when) as house, suppress(Killed):
            if not was_killed:
                killing(house, before, nth)
            was_killed = True
            house.keeper.sweep()
            was_killed = False
        if column(home / "active.db", "SELECT certificate_id FROM certificate"):
            flushed_tables(home)
            gone = [token for token in held if token not in tokens_of_gone(home)]
            lying = [token for token in gone if lies_in(server.data / "base", token)]
            assert "token" in dead(home) or not lying
    with large(home, TWO_DAYS) as house:
        house.keeper.sweep()
        house.clock.set(TWO_DAYS + timedelta(days=1))
        house.keeper.sweep()
        proved(home, house.keeper)
        assert len(house.keeper.certificates("trial")) == 1
        gone = [token for token in held if token not in tokens_of_gone(home)]
    assert dead(home) == {}
    flushed(postgres_address(home))
    assert gone
    assert [token for token in gone if lies_in(server.data, token)] == []


def killing(house: House, before: str, nth: int) -> None:
    """The process is killed when it is about to run the nth such statement in the place of keys."""
    keys, left = house.keeper.places.keys.connection, [nth]
    assert isinstance(keys, PostgresConnection)
    plain = keys.execute

    def execute(statement: str, *given: Any) -> Any:
        left[0] -= statement.startswith(before)
        if left[0] == 0:
            left[0] = -1
            raise Killed
        return plain(statement, *given)

    keys.execute = execute  # type: ignore[method-assign]  # planted


def test_what_was_noted_by_a_clock_that_ran_ahead_is_written_anew_at_once(home: Path) -> None:
    with large(home, ERASED_ON) as house:
        house.keeper.sweep()
    with large(home, ERASED_ON - timedelta(hours=1)) as house:
        anew = watched(house)
        house.keeper.sweep()
        assert anew == {"active_key": 1, "token": 1}


def test_after_a_restore_every_table_of_keys_is_written_anew_and_certificates_stand_to_the_byte(
    server: postgres.Server, home: Path, tmp_path: Path
) -> None:
    held = tokens_of_gone(home)
    copy = copied(home, tmp_path / "copy")
    with large(home, ERASED_ON) as house:
        house.keeper.sweep()
        before = column(home / "active.db", "SELECT body FROM certificate")
        house.keeper.seal()
    put_back(home, copy, "keys", "active")
    with large(home, NEXT_DAY) as house:
        anew = watched(house)
        house.keeper.recover()
        assert anew["token"] == 1
        assert anew["active_key"] == 1
        proved(home, house.keeper)
    assert dead(home) == {}
    assert column(home / "active.db", "SELECT body FROM certificate") == before
    flushed(postgres_address(home))
    gone = [token for token in held if token not in tokens_of_gone(home)]
    assert gone
    assert [token for token in gone if lies_in(server.data / "base" / database_of(home), token)] == []


def database_of(home: Path) -> str:
    """The folder of the server in which the tables of keys lie."""
    with psycopg.connect(postgres_address(home)) as connection:
        found = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
    assert found
    return str(found[0])


@pytest.mark.parametrize(("within", "days"), [("P0D", 0), ("PT30H", 1), ("P20D", 20)])
def test_a_certificate_from_before_a_home_counted_like_this_comes_back_to_the_byte_too(
    home: Path, tmp_path: Path, within: str, days: int
) -> None:
    settings = home / "home.json"
    plain = settings.read_text()
    settings.write_text(json.dumps(json.loads(plain) | {"rewritten_within": within}))
    copy = copied(home, tmp_path / "copy")
    with (large if days else opened)(home, ERASED_ON) as house:
        house.keeper.sweep()
        (before,) = column(home / "active.db", "SELECT body FROM certificate")
        house.keeper.seal()
    assert json.loads(before)["beyond_recovery_on"] == (ERASED_ON + timedelta(days=31 + days)).date().isoformat()
    settings.write_text(plain)
    put_back(home, copy, "active")
    with opened(home, NEXT_DAY) as house:
        house.keeper.recover()
        assert column(home / "active.db", "SELECT body FROM certificate") == [before]


def test_the_time_must_be_shorter_than_copies_are_kept(tmp_path: Path) -> None:
    databases = {"databases": {"keys": "host=nowhere"}}
    within = system.rewritten_within_in
    assert within({"databases": {}}) == timedelta()
    assert within(databases) == timedelta(days=2)
    assert within(databases | {"rewritten_within": "PT36H"}) == timedelta(hours=36)
    assert within(databases | {"rewritten_within": "P0D"}) == timedelta()
    assert within(databases | {"copies_kept": "P1D"}) == timedelta(), "nobody has said: then at once"
    for said in ({"rewritten_within": "P30D"}, {"rewritten_within": "P1D", "copies_kept": "P1D"}):
        with pytest.raises(HomeUnusable, match="make it shorter than that"):
            within(databases | said)
    with pytest.raises(HomeUnusable, match="write days or hours"):
        within(databases | {"rewritten_within": "P1M", "copies_kept": "P1Y"})
    with pytest.raises(HomeUnusable, match="is not a period"):
        within(databases | {"rewritten_within": "often"})
    told = CliRunner().invoke(cli.app, ["init", "--home", str(tmp_path / "files"), "--rewritten-within", "P1D"])
    assert told.exit_code == 2
    given = ["--database", "host=/nowhere", "--rewritten-within", "P30D"]
    told = CliRunner().invoke(cli.app, ["init", "--home", str(tmp_path / "none"), *given])
    assert told.exit_code != 0
    assert "make it shorter than that" in str(told.exception)
    assert not (tmp_path / "none").exists()


def test_a_home_that_says_otherwise_is_not_opened_and_doctor_says_why(home: Path) -> None:
    settings = home / "home.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"rewritten_within": "P60D"}))
    with pytest.raises(HomeUnusable, match="make it shorter than that"):
        upheld.open(home)
    told = CliRunner().invoke(cli.app, ["doctor", "--home", str(home)])
    assert told.exit_code == 1
    assert "make it shorter than that" in told.output


def test_doctor_names_a_table_that_no_sweep_has_written_anew_in_time(home: Path) -> None:
    now = SystemClock().now()
    hour = 3_600_000_000

    def found() -> doctor_servers.Finding:
        given = {"keys": postgres_address(home)}
        kept = system.copies_kept_in({"databases": given})
        told = doctor_servers.looked_at(given, kept, Rewriting(timedelta(days=2)))
        return next(one for one in told if one.what == "keys")

    assert found().holds
    assert "none waits" in found().says
    changed(home / "keys.db", "INSERT INTO meta(key, value) VALUES('dead keys in token', ?)", str(now - 47 * hour))
    assert found().holds
    assert "token since" in found().says
    changed(home / "keys.db", "UPDATE meta SET value = ? WHERE key = 'dead keys in token'", str(now - 49 * hour))
    assert not found().holds
    assert "upheld sweep --rewrite" in found().remedy


def test_a_sweep_once_a_day_meets_a_table_in_time_and_one_more_may_fail() -> None:
    two_days = Rewriting(timedelta(days=2))
    day, minute = 86_400_000_000, 60_000_000
    since = Instant(1_000 * day)
    assert two_days.is_due(since, Instant(since + day - minute)), "the sweep of the next night, a minute early"
    assert not two_days.is_due(since, Instant(since + day // 2))
    assert two_days.over_at(since) == since + 2 * day
    assert replace(two_days, within=timedelta()).is_due(since, since)
