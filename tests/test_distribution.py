"""Rows of a home are laid out over several machines: what is printed, what is run, what stands in the way.

The server of the tests has no Citus. In its place stand functions of the same names that check what Citus checks before
it takes a table, and write down what was asked. Where `UPHELD_CITUS` names the programs of a PostgreSQL with Citus, a
coordinator and two workers are started besides and the same is asked of them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from tests import postgres
from tests.homes import column
from tests.test_beyond_recovery import flushed_tables
from tests.trial_home import POLICY, SWEEP_DAY, House, at, member, opened, proved
from upheld import cli
from upheld.engine.acts import RequestId, SubjectId, ValueId
from upheld.errors import HomeUnusable
from upheld.store import remains, schema
from upheld.store.distribution import FIRST, Laid, laid, obstacles, statements
from upheld.store.ids import bucket_of, placed_key
from upheld.store.postgres import PostgresConnection

CITUS = os.environ.get("UPHELD_CITUS", "")
OF_SHARDS = (
    "SELECT count(*), count(*) FILTER (WHERE a.attstattarget = 0) FROM pg_attribute a "
    "JOIN pg_class c ON c.oid = a.attrelid "
    "WHERE c.relkind = 'r' AND a.attname = 'wrapped' AND c.relname ~ '^active_key_'"
)
"""The tables of a worker that hold keys, and of how many of them it takes no samples of these."""
STAND_IN = (
    "CREATE TABLE {0}.pg_dist_node(isactive BOOL, shouldhaveshards BOOL)",
    "INSERT INTO {0}.pg_dist_node VALUES(true, true)",
    "CREATE TABLE {0}.pg_dist_local_group(groupid INT)",
    "INSERT INTO {0}.pg_dist_local_group VALUES(0)",
    "CREATE TABLE {0}.pg_dist_partition(logicalrelid REGCLASS PRIMARY KEY, colocated TEXT)",
    """CREATE FUNCTION {0}.create_distributed_table(what REGCLASS, by_column TEXT, colocate_with TEXT)
    RETURNS VOID AS $$
    DECLARE number INT2 := (SELECT attnum FROM pg_attribute WHERE attrelid = what AND attname = by_column);
    BEGIN
        IF number IS NULL THEN RAISE EXCEPTION 'column % does not exist', by_column; END IF;
        IF EXISTS (SELECT 1 FROM pg_index WHERE indrelid = what AND indisunique AND number <> ALL(indkey)) THEN
            RAISE EXCEPTION 'cannot create constraint on %', what; END IF;
        IF EXISTS (SELECT 1 FROM pg_constraint WHERE contype = 'f' AND what IN (conrelid, confrelid)) THEN
            RAISE EXCEPTION 'cannot create foreign key constraint'; END IF;
        IF EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = what AND (attidentity <> '' OR attgenerated <> '')) THEN
            RAISE EXCEPTION 'cannot distribute a table with numbers or generated columns'; END IF;
        IF colocate_with <> 'none' AND NOT EXISTS (
            SELECT 1 FROM {0}.pg_dist_partition WHERE logicalrelid = colocate_with::REGCLASS) THEN
            RAISE EXCEPTION 'relation % is not distributed', colocate_with; END IF;
        INSERT INTO {0}.pg_dist_partition VALUES(what, colocate_with);
    END $$ LANGUAGE plpgsql""",
    """CREATE FUNCTION {0}.truncate_local_data_after_distributing_table(what REGCLASS) RETURNS VOID AS $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM {0}.pg_dist_partition WHERE logicalrelid = what) THEN
            RAISE EXCEPTION 'supplied parameter is not a distributed relation'; END IF;
        INSERT INTO {0}.emptied VALUES(what) ON CONFLICT DO NOTHING;
    END $$ LANGUAGE plpgsql""",
    "CREATE TABLE {0}.emptied(what REGCLASS PRIMARY KEY)",
    "CREATE TABLE {0}.worker(nodename TEXT, success BOOL, result TEXT)",
    """CREATE FUNCTION {0}.run_command_on_workers(command TEXT)
    RETURNS TABLE(nodename TEXT, success BOOL, result TEXT) AS $$ SELECT * FROM {0}.worker $$ LANGUAGE sql""",
    """CREATE FUNCTION {0}.create_reference_table(what REGCLASS) RETURNS VOID AS $$
    BEGIN INSERT INTO {0}.pg_dist_partition VALUES(what, NULL); END $$ LANGUAGE plpgsql""",
)


@pytest.fixture
def home(address: str, tmp_path: Path) -> Iterator[Path]:
    """A home on a server that has no Citus, with a person in it."""
    with postgres.homes_on(address):
        with opened(tmp_path / "home", at("2024-03-01")) as house:
            house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
            member(house, "before")
        yield tmp_path / "home"


def run(home: Path, *statements: str) -> None:
    known = json.loads((home / "home.json").read_text())["databases"]
    with psycopg.connect(known["active"], autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def planted(home: Path) -> Path:
    """The functions of the stand-in, in every place."""
    for place in schema.PLACES:
        run(home, *(one.format(place) for one in STAND_IN))
    return home


def said(home: Path, *options: str) -> tuple[int, str]:
    told = CliRunner().invoke(cli.app, ["distribute", "--home", str(home), *options])
    failure = "" if told.exception is None or isinstance(told.exception, SystemExit) else str(told.exception)
    return told.exit_code, told.output + failure


def test_every_table_of_persons_is_spread_and_what_all_share_is_everywhere() -> None:
    of_persons = {"subject", "value", "consent", "fact", "request", "paper", "message", "journal", "anchor", "step"}
    assert of_persons <= {table for table, where in laid("active").items() if where is Laid.SPREAD}
    assert {laid("active")[one] for one in ("guard", "setting", "contract", "policy_version")} == {Laid.EVERYWHERE}
    assert {laid("active")[one] for one in ("session", "account", "given_answer")} == {Laid.COORDINATOR}
    assert {"active_key", "separated_key", "paper_key", "token", "alias"} <= {
        table for table, where in laid("keys").items() if where is Laid.SPREAD
    }
    for place, first in FIRST.items():
        own = list(statements(place))
        assert own[0] == "CREATE EXTENSION IF NOT EXISTS citus"
        assert own[1] == f"SELECT create_distributed_table('{place}.{first}', 'bucket', colocate_with => 'none')"
        beside = [one for one in own[2:] if "create_distributed_table" in one]
        assert all(f"colocate_with => '{place}.{first}'" in one for one in beside)


def test_without_citus_the_sql_is_printed_with_what_is_missing_and_how_to_mend_it(home: Path) -> None:
    code, told = said(home, "--citus")
    assert code == 1
    assert "SELECT create_distributed_table('active.value', 'bucket', colocate_with => 'active.subject');" in told
    assert "SELECT create_reference_table('active.guard');" in told
    assert "ledger: stays on one server" in told
    in_the_way = [one for one in told.splitlines() if one.startswith("in the way")]
    assert len(in_the_way) == 3, in_the_way  # nothing but the extension, in each place
    assert all("Citus is not installed" in one and "shared_preload_libraries" in one for one in in_the_way)
    code, told = said(home, "--citus", "--apply")
    assert code == 1
    assert "Citus is not installed" in told
    assert "distributed" not in json.loads((home / "home.json").read_text())


def test_a_home_in_files_is_not_distributed(tmp_path: Path) -> None:
    assert CliRunner().invoke(cli.app, ["init", "--home", str(tmp_path / "files")]).exit_code == 0
    code, told = said(tmp_path / "files", "--citus", "--apply")
    assert code == 2
    assert "lies in files" in told


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (
            "CREATE UNIQUE INDEX once ON active.consent(consent_id)",
            "once on active.consent is unique without the bucket",
        ),
        (
            "ALTER TABLE active.consent ADD CONSTRAINT stands FOREIGN KEY(text_digest) "
            "REFERENCES active.shown_text(digest)",
            "stands ties active.consent to active.shown_text",
        ),
        (
            "ALTER TABLE active.paper ADD COLUMN number BIGINT GENERATED BY DEFAULT AS IDENTITY",
            "active.paper.number is numbered by a sequence",
        ),
        ("ALTER TABLE active.fact DROP COLUMN bucket", "active.fact has no bucket"),
    ],
)
def test_what_citus_would_not_take_is_named_before_anything_is_run(home: Path, statement: str, named: str) -> None:
    run(planted(home), statement)
    code, told = said(home, "--citus", "--apply")
    assert code == 1
    assert named in told
    assert column(home / "active.db", "SELECT count(*) FROM pg_dist_partition") == [0]


def test_a_unique_key_with_the_bucket_and_a_tie_within_it_stand_in_nobodys_way(home: Path) -> None:
    run(planted(home), "CREATE UNIQUE INDEX once ON active.consent(consent_id, bucket)")
    with closing(
        PostgresConnection(json.loads((home / "home.json").read_text())["databases"]["active"], "active")
    ) as c:
        assert obstacles(c, "active") == []
        c.execute(
            "ALTER TABLE told ADD CONSTRAINT within FOREIGN KEY(bucket, subject_id, disclosure_id) "
            "REFERENCES disclosure(bucket, subject_id, disclosure_id)"
        )
        assert obstacles(c, "active") == []


def test_a_home_is_distributed_once_and_goes_on_with_keys_beside_their_persons(home: Path) -> None:
    code, told = said(planted(home), "--citus", "--apply")
    assert code == 0, told
    assert re.findall(r"^(\w+): \d+ statements run$", told, re.MULTILINE) == list(schema.PLACES)
    assert said(home, "--citus", "--apply") == (0, "".join(f"{one}: distributed already\n" for one in schema.PLACES))
    beside = column(home / "active.db", "SELECT count(*) FROM pg_dist_partition WHERE colocated = 'active.subject'")
    assert beside == [sum(where is Laid.SPREAD for where in laid("active").values()) - 1]
    lived(home)


def test_no_row_is_left_with_the_coordinator_of_what_lies_elsewhere(home: Path) -> None:
    """Cut short between the two, or distributed by a version that left them: it goes when it is run again."""
    assert said(planted(home), "--citus", "--apply")[0] == 0
    spread = {table for table, where in laid("keys").items() if where is not Laid.COORDINATOR}
    emptied = "SELECT relname FROM pg_class WHERE oid IN (SELECT what FROM emptied)"
    assert set(column(home / "keys.db", emptied)) == spread
    run(home, "DELETE FROM keys.emptied")
    assert said(home, "--citus", "--apply")[0] == 0
    assert set(column(home / "keys.db", emptied)) == spread


def lived(home: Path) -> None:
    """Verbs of all kinds on a home that is distributed, a sweep, and the ledger that proves it."""
    with opened(home, at("2024-03-02")) as house:
        person = member(house, "after")
        desk = house.keeper.application("desk")
        (name,) = (one for one in house.keeper.views.get(person, house.keeper.now()).state.values if one.item == "name")
        assert house.keeper.read(person, "service", reader=desk, items=("name",)).granted
        others = others_of(house)
        assert len(house.keeper.read_batch("service", others, reader=desk).texts) == len(others)
        assert house.keeper.correct(person, name.value_id, "Somebody Else").granted
        assert house.keeper.lookup("trial", "email", f"email-of-after-{'x' * 40}@example.org", reader=desk, reason="x")
        keys = column(home / "active.db", f"SELECT key_id FROM value WHERE subject_id = '{person}'")
        assert {placed_key(one)[0] for one in keys} == {bucket_of(person)}
        assert house.keeper.withdraw(person, "purpose/offers", channel="website").granted
    with opened(home, SWEEP_DAY) as house:
        assert house.keeper.sweep().destroyed
        proved(home, house.keeper)


def others_of(house: House) -> list[tuple[SubjectId, ValueId]]:
    """Somebody new of several buckets, each with a value to be read together."""
    people = [member(house, f"other {number}") for number in range(3)]
    views = house.keeper.views
    return [
        (one, value.value_id)
        for one in people
        for value in views.get(one, house.keeper.now()).state.values
        if value.item == "name"
    ]


def test_no_process_goes_by_a_worker_since_its_locks_are_not_those_of_the_others(home: Path) -> None:
    assert said(planted(home), "--citus", "--apply")[0] == 0
    run(home, "UPDATE keys.pg_dist_local_group SET groupid = 2")
    with pytest.raises(HomeUnusable, match="`keys` is that of a worker"), opened(home):
        raise AssertionError("a worker was written to")
    told = CliRunner().invoke(cli.app, ["doctor", "--home", str(home)])
    assert "WRONG  coordinator: `keys`: a worker" in told.output
    assert "ok     distribution: `active`: all tables are laid out" in told.output


def test_what_a_worker_keeps_of_destroyed_keys_counts_like_what_the_coordinator_keeps(home: Path) -> None:
    assert said(planted(home), "--citus", "--apply")[0] == 0
    run(home, "INSERT INTO keys.worker VALUES('second', true, '0 off always'), ('third', false, 'connection refused')")
    told = CliRunner().invoke(cli.app, ["doctor", "--home", str(home)]).output
    assert "the oldest was written at 1970-01-01" in told
    assert "the log of the server is older than the time that certificates count in" in told
    assert "a server archives its log" in told
    assert "the machine third could not be asked what its log keeps" in told


def test_doctor_names_a_table_that_came_with_an_upgrade_and_is_not_laid_out(home: Path) -> None:
    assert said(planted(home), "--citus", "--apply")[0] == 0
    run(home, "DELETE FROM active.pg_dist_partition WHERE logicalrelid = 'active.told'::REGCLASS")
    told = CliRunner().invoke(cli.app, ["doctor", "--home", str(home)])
    assert "WRONG  distribution: `active`: told not yet laid out" in told.output
    assert said(home, "--citus", "--apply")[1].startswith("active: 1 statements run")


if CITUS:

    def lying(server: postgres.Server, keys: list[bytes]) -> set[bytes]:
        """Those that are in the files of its tables."""
        files = [path.read_bytes() for path in (server.data / "base").rglob("*") if path.is_file()]
        return {key for key in keys if any(key in file for file in files)}

    def lived_with_workers(home: Path) -> list[bytes]:
        """Verbs of all kinds, and two sweeps of which the second writes tables anew; the keys destroyed by them."""
        with opened(home, at("2024-03-02")) as house:
            asked = house.keeper.request(member(house, "leaver"), "erasure", channel="website", proved=True)
            house.keeper.answer(house.persons["leaver"], RequestId(asked.made or ""), "done")
        had = [bytes(one) for one in column(home / "keys.db", "SELECT wrapped FROM active_key")]
        lived(home)
        assert column(home / "keys.db", "SELECT key FROM meta WHERE key = 'dead keys in active_key'")
        with opened(home, SWEEP_DAY + timedelta(days=1)) as house:
            assert not house.keeper.sweep().waiting
        assert not column(home / "keys.db", "SELECT key FROM meta WHERE key = 'dead keys in active_key'")
        has = {bytes(one) for one in column(home / "keys.db", "SELECT wrapped FROM active_key")}
        flushed_tables(home)
        return [one for one in had if one not in has]

    def test_citus_itself_takes_every_table_and_a_home_lives_on_two_workers(tmp_path: Path) -> None:
        settings = "-c shared_preload_libraries=citus -c citus.shard_count=8"
        with ExitStack() as started:
            one, *workers = (
                started.enter_context(postgres.running(of=Path(CITUS), settings=settings)) for _ in range(3)
            )
            started.enter_context(postgres.homes_on(one.address))
            home = tmp_path / "home"
            with opened(home, at("2024-03-01")) as house:
                house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
                member(house, "before")
            name = json.loads((home / "home.json").read_text())["databases"]["active"].rpartition("dbname=")[2]
            for worker in workers:
                with psycopg.connect(worker.address + "postgres", autocommit=True) as connection:
                    connection.execute(f'CREATE DATABASE "{name}"'.encode())
                with psycopg.connect(worker.address + name, autocommit=True) as connection:
                    connection.execute("CREATE EXTENSION citus")
            code, told = said(home, "--citus", "--apply")
            assert code == 1
            assert "citus_add_node" in told
            hosts = [re.sub(r"^host=(\S+) .*", r"\1", each.address) for each in (one, *workers)]
            run(home, f"SELECT citus_set_coordinator_host('{hosts[0]}', 5432)")
            run(home, *(f"SELECT citus_add_node('{host}', 5432)" for host in hosts[1:]))
            held = [bytes(one) for one in column(home / "keys.db", "SELECT wrapped FROM active_key")]
            flushed_tables(home)
            assert lying(one, held) == set(held)
            assert said(home, "--citus", "--apply")[0] == 0
            flushed_tables(home)
            for each in workers:
                with psycopg.connect(each.address + name, autocommit=True) as connection:
                    connection.execute("CHECKPOINT")
            assert lying(one, held) == set(), "they lie with the workers alone"
            assert lying(workers[0], held) | lying(workers[1], held) == set(held)
            gone = lived_with_workers(home)
            for each in workers:
                with psycopg.connect(each.address + name, autocommit=True) as connection:
                    connection.execute("CHECKPOINT")
                    connection.execute("SET citus.override_table_visibility TO off")
                    connection.execute("ANALYZE")
                    assert connection.execute(OF_SHARDS).fetchall() == [(4, 4)], "two workers share eight"
            assert gone
            assert [lying(each, gone) for each in (one, *workers)] == [set(), set(), set()]
            keys = json.loads((home / "home.json").read_text())["databases"]["keys"]
            with closing(PostgresConnection(keys, "keys")) as connection:
                assert remains.remains(connection).silent == ()
