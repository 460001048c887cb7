"""On PostgreSQL the doctor names what an operator sets wrongly, each with its remedy, on servers that are set so."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

import upheld
from tests import postgres
from tests.browser import free_port
from tests.homes import databases
from upheld import cli, system
from upheld.clock import SystemClock
from upheld.dates import Instant, Period
from upheld.store.scrubbing import Rewriting
from upheld.web import doctor, doctor_servers

WELL = "-c wal_recycle=off"
ILL = (
    "-c wal_recycle=on -c autovacuum=off -c max_locks_per_transaction=10 -c wal_level=replica -c archive_mode=on "
    "-c archive_command=false -c synchronous_commit=off"
)


@contextmanager
def home_on(folder: Path, settings: str, *, durable: bool) -> Iterator[tuple[Path, postgres.Server]]:
    """A home on a server of its own with these settings, all places in one database."""
    with postgres.running(durable=durable, settings=settings) as server:
        places = postgres.made(server.address, "one")
        system.init(folder / "home", upheld.Options(copies_kept="P30D"), places)
        with upheld.open(folder / "home", upheld.Options(light_hashing=True)) as keeper:
            keeper.seal()
        yield folder / "home", server


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, postgres.Server]]:
    with home_on(tmp_path_factory.mktemp("well"), WELL, durable=True) as one:
        yield one


@pytest.fixture(scope="module")
def ill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, postgres.Server]]:
    with home_on(tmp_path_factory.mktemp("ill"), ILL, durable=False) as one:
        yield one


def wrong(home: Path) -> dict[str, str]:
    """What does not hold, and what to do about it."""
    found = [one for one in doctor.examined(home) if not one.holds]
    assert all(one.remedy for one in found)
    return {one.what: one.remedy for one in found}


def test_a_server_that_is_set_as_the_guide_says_has_nothing_wrong(well: tuple[Path, postgres.Server]) -> None:
    told = CliRunner().invoke(cli.app, ["doctor", "--home", str(well[0])])
    assert told.exit_code == 0, told.output
    assert "WRONG" not in told.output
    # What is allowed and could be better is said besides, with what to do.
    for said in ("this user may do anything there", "on the host of the active place: keys", "no archive of the log"):
        assert said in told.output, said
    assert "serve as a user of one role" in told.output


@pytest.mark.parametrize(
    ("what", "remedy"),
    [
        ("durability", "synchronous_commit = on"),
        ("durability", "fsync = on"),
        ("vacuum", "set autovacuum and track_counts on"),
        ("locks", "set max_locks_per_transaction to 1"),
        ("log", "set wal_recycle = off"),
    ],
)
def test_a_setting_that_loses_or_keeps_too_much_is_named_with_its_remedy(
    ill: tuple[Path, postgres.Server], what: str, remedy: str
) -> None:
    assert remedy in wrong(ill[0])[what]


def test_an_archive_that_fails_is_named(ill: tuple[Path, postgres.Server]) -> None:
    with psycopg.connect(ill[1].address + "one", autocommit=True) as owner:
        owner.execute("SELECT pg_switch_wal()")
        until = time.monotonic() + 30
        while time.monotonic() < until and "backup" not in wrong(ill[0]):
            time.sleep(0.3)
    assert "archive_command" in wrong(ill[0])["backup"]


def test_a_slot_that_nobody_reads_keeps_the_log_and_is_named(well: tuple[Path, postgres.Server]) -> None:
    with psycopg.connect(well[1].address + "one", autocommit=True) as owner:
        owner.execute("SELECT pg_create_physical_replication_slot('left', true)")
        assert "pg_drop_replication_slot): left" in wrong(well[0])["log"]
        owner.execute("SELECT pg_drop_replication_slot('left')")
    assert wrong(well[0]) == {}


def test_a_log_older_than_certificates_count_in_is_named(
    well: tuple[Path, postgres.Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    later = upheld.SetClock(Instant(SystemClock().now() + 40 * 86_400_000_000))
    monkeypatch.setattr(doctor_servers, "SystemClock", lambda: later)
    said = list(doctor_servers.looked_at(databases(well[0]), Period.parse("P30D"), Rewriting()))
    assert any(one.what == "log" and not one.holds and "let it checkpoint" in one.remedy for one in said)
    assert all("NTP" in one.remedy for one in said if one.what == "clock" and not one.holds)
    assert sum(one.what == "clock" and not one.holds for one in said) == 4


def test_a_user_who_may_not_see_the_log_is_told_what_to_grant(
    well: tuple[Path, postgres.Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = well[1].address + "one"
    with psycopg.connect(address, autocommit=True) as owner:
        owner.execute("CREATE ROLE looks LOGIN")
        owner.execute("GRANT USAGE ON SCHEMA keys TO looks")
        owner.execute("GRANT SELECT ON ALL TABLES IN SCHEMA keys TO looks")
        try:
            given = {"keys": address.replace("user=postgres", "user=looks")}
            found = {one.what: one for one in doctor_servers.looked_at(given, Period.parse("P30D"), Rewriting())}
            assert found["log"].remedy.startswith("GRANT pg_monitor")
            assert "looks may SELECT" not in found["grants"].says  # only of others than who looks
        finally:
            owner.execute("DROP OWNED BY looks")
            owner.execute("DROP ROLE looks")


def test_a_pooler_that_gives_sessions_out_by_the_transaction_is_named(
    well: tuple[Path, postgres.Server], tmp_path: Path
) -> None:
    with pooled(well[1], tmp_path, "session") as address:
        assert pooler(address).holds
    with pooled(well[1], tmp_path, "transaction") as address:
        found = pooler(address)
    assert not found.holds
    assert "pool_mode = session" in found.remedy


def pooler(address: str) -> doctor_servers.Finding:
    (found,) = [
        one
        for one in doctor_servers.looked_at({"active": address}, Period.parse("P30D"), Rewriting())
        if one.what in ("pooler", "server")
    ]
    return found


@contextmanager
def pooled(server: postgres.Server, folder: Path, mode: str) -> Iterator[str]:
    """The address of a PgBouncer before the server."""
    program, port = Path("/usr/sbin/pgbouncer"), free_port()
    if not program.exists():
        pytest.skip("no PgBouncer on this machine: apt-get install pgbouncer")
    written = server.data.parent / f"pooler-{mode}.ini"
    written.write_text(
        f"[databases]\none = host={server.data.parent} dbname=one user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = {mode}\n"
        "ignore_startup_parameters = extra_float_digits,options\n"
    )
    with subprocess.Popen(
        [program, "--quiet", written], user=postgres.runs_as(), cwd="/", stderr=subprocess.DEVNULL
    ) as process:
        try:
            address = f"host=127.0.0.1 port={port} dbname=one user=postgres"
            until = time.monotonic() + 20
            while time.monotonic() < until:
                try:
                    psycopg.connect(address).close()
                    break
                except psycopg.OperationalError:
                    time.sleep(0.1)
            yield address
        finally:
            process.terminate()
