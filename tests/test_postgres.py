"""A home on PostgreSQL: made, used, verified and kept through lost connections like one on files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from zlib import crc32

import pytest
from typer.testing import CliRunner

import upheld
from tests import homes, postgres
from tests.trial_home import POLICY, at, furnished, member, opened
from upheld import cli, system
from upheld.dates import Period
from upheld.errors import StoreFailed
from upheld.store import place as places
from upheld.store.engine import ConnectionLost
from upheld.store.leases import HomeInUse, LeaseHeld
from upheld.store.postgres import PostgresLeases
from upheld.store.spelling import spelled
from upheld.store.verifying import verify_copy

LOOKED_UP = ("--look-up", "trial/email", "--look-up", "trial/phone")


@pytest.fixture
def databases(address: str, request: pytest.FixtureRequest) -> dict[str, str]:
    return postgres.made(address, f"trial_{crc32(request.node.name.encode()):08x}")


@pytest.fixture
def home(tmp_path: Path, databases: dict[str, str]) -> Path:
    system.init(
        tmp_path / "home",
        upheld.Options(clock=upheld.SetClock(at("2020-03-01")), look_up={"trial": ["email", "phone"]}),
        databases,
    )
    return tmp_path / "home"


def run(*arguments: object) -> str:
    answer = CliRunner().invoke(cli.app, [str(one) for one in arguments])
    assert answer.exit_code == 0, answer.output
    return answer.output


def test_a_home_made_on_postgresql_lives_and_its_ledger_verifies(tmp_path: Path, databases: dict[str, str]) -> None:
    home = tmp_path / "made"
    run("init", "--home", home, *LOOKED_UP, "--database", databases["active"])
    furnished(home)
    with opened(home) as house:
        swept = house.keeper.sweep()
        assert (swept.separated, swept.destroyed, swept.forgotten) == (2, 4, 1)
        person = house.keeper.enter("trial", "member")
        house.keeper.begin(person, "membership")
        house.keeper.collect(person, "service", {"name": "made up"})
        house.keeper.read(person, "service", reader=house.keeper.application("shop"), items=("name",))
        house.keeper.seal()
        house.clock.set(at("2025-09-05"))
        assert house.keeper.prune("trial", kept_for=Period(days=30)) == 1
    assert "the ledger holds" in run("verify", "--home", home, "--public-key", home / "public.pem")
    assert not list(home.glob("*.db")), "something of the home lies in a file"


def test_a_database_that_holds_a_home_is_not_made_into_another(home: Path, databases: dict[str, str]) -> None:
    with pytest.raises(StoreFailed, match="there already"):
        system.init(home.with_name("second"), upheld.Options(), databases)


def test_sealing_finds_what_a_row_refers_to_by_its_key_however_small_the_ledger_was(
    home: Path, databases: dict[str, str]
) -> None:
    def gone_through() -> int:
        with closing(homes.connection_to(home / "ledger.db")) as connection:
            (row,) = connection.execute(
                "SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE schemaname = 'ledger'"
                " AND relname IN ('batch', 'stream', 'name')"
            ).fetchall()
        return int(row[0])

    with opened(home, at("2020-03-01")) as house:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        person = member(house, "first")
        house.keeper.seal()
    with closing(homes.connection_to(home / "ledger.db")) as connection:
        connection.execute("VACUUM (ANALYZE) ledger.batch, ledger.stream, ledger.name")
    before = gone_through()
    with opened(home, at("2020-03-01")) as house:
        for _ in range(150):
            house.keeper.read(person, "service", reader=house.keeper.application("shop"), items=("name",))
        house.keeper.seal()
    # What is there is told a few times by going through it; each of the 150 by itself would be thousands.
    assert (grown := gone_through() - before) < 600, grown


def test_a_rehearsal_on_postgresql_lives_through_every_rule_and_leaves_nothing(home: Path) -> None:
    furnished(home)
    with opened(home) as house:
        keeper = house.keeper
        done = keeper.rehearse(keeper.versions("trial")[-1])
        assert (done.failures, done.certificates) == ([], done.rules)
        assert done.rules == 3
        for place, table in ((keeper.places.active, "subject"), (keeper.places.keys, "alias")):
            row = place.connection.execute(f"SELECT count(*) FROM {table} WHERE policy <> 'trial'").fetchone()
            assert row[0] == 0
        assert keeper.rehearsals_left() == []


def test_other_addresses_without_a_database_are_refused() -> None:
    answer = CliRunner().invoke(cli.app, ["init", "--home", "nowhere", "--keys", "host=nowhere"])
    assert answer.exit_code != 0
    assert "--database" in answer.output


def test_after_a_restart_of_the_server_work_goes_on(home: Path, databases: dict[str, str]) -> None:
    with opened(home, at("2020-03-01")) as house:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        person = member(house, "first")
        postgres.end_connections(databases["active"])
        read = house.keeper.read(person, "service", reader=house.keeper.application("shop"), items=("name",))
        assert read.granted, read.reasons
        member(house, "second")
        house.keeper.seal()
        with house.keeper.places.ledger_copy() as ledger:
            assert verify_copy(ledger).ok


@pytest.mark.parametrize("reached", [True, False], ids=["the commit arrived", "the commit was lost"])
def test_a_commit_whose_answer_is_lost_is_settled_by_its_evidence(
    home: Path, databases: dict[str, str], monkeypatch: pytest.MonkeyPatch, reached: bool
) -> None:
    with opened(home, at("2020-03-01")) as house:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        active = house.keeper.places.active
        plain: Callable[..., object] = active.connection.execute
        cut = [True]

        def execute(statement: str, parameters: tuple[object, ...] = ()) -> object:
            if statement != "COMMIT" or not cut:
                return plain(statement, parameters)
            cut.clear()
            if reached:
                plain(statement)
                postgres.end_connections(databases["active"])
                raise ConnectionLost("after it was done, before it was said")
            postgres.end_connections(databases["active"])
            return plain(statement)

        monkeypatch.setattr(active.connection, "execute", execute)
        if reached:
            person = house.keeper.enter("trial", "member")
        else:
            with pytest.raises(ConnectionLost):
                house.keeper.enter("trial", "member")
            person = house.keeper.enter("trial", "member")
        assert house.keeper.begin(person, "membership").granted
        rows = active.connection.execute("SELECT subject_id FROM subject").fetchall()
        assert rows == [(person,)]
        house.keeper.seal()
        with house.keeper.places.ledger_copy() as ledger:
            assert verify_copy(ledger).ok


def test_a_lease_is_held_once_and_ends_with_its_holder(databases: dict[str, str]) -> None:
    with closing(PostgresLeases(databases["active"])) as leases, closing(PostgresLeases(databases["active"])) as others:
        with leases.lease("sweep"):
            for who in (leases, others):
                with pytest.raises(LeaseHeld), who.lease("sweep", wait=False):
                    raise AssertionError("two hold the same lease")
            with leases.lease("other", wait=False), others.free(["sweep", "other", "third"]) as free:
                assert free == ("third",)
        for who in (others, leases):
            with who.lease("sweep", wait=False):
                pass  # the session of the first is kept, and holds nothing


def test_who_recovers_has_the_home_alone(databases: dict[str, str]) -> None:
    leases = PostgresLeases(databases["active"])
    first, second = leases.presence(), leases.presence()
    with pytest.raises(HomeInUse), first.alone():
        raise AssertionError("somebody else has the home open")
    second.close()
    with first.alone(), pytest.raises(HomeInUse):
        leases.presence()
    leases.presence().close()
    first.close()


@pytest.mark.parametrize(
    ("plain", "there"),
    [
        ("INSERT INTO stream(name) VALUES(?)", "INSERT INTO stream(name) VALUES(%s) RETURNING id"),
        ("UPDATE s SET last_at = max(last_at, ?)", "UPDATE s SET last_at = greatest(last_at, %s)"),
        ("SELECT min(t.first_at) FROM tally t", "SELECT min(t.first_at) FROM tally t"),
        ("CREATE TABLE a(b BLOB, c INTEGER)\n WITHOUT ROWID", "CREATE TABLE a(b BYTEA, c BIGINT)"),
        ("SELECT a FROM b WHERE c LIKE 'x%'", "SELECT a FROM b WHERE c LIKE 'x%%'"),
    ],
)
def test_a_plain_statement_is_spelled_for_postgresql(plain: str, there: str) -> None:
    assert spelled(plain) == there


def test_no_place_knows_which_database_it_is_on() -> None:
    assert "sqlite" not in Path(places.__file__).read_text().lower()
