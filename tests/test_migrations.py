"""A home made by the first version is brought to the present one, on both engines, with what it holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests import postgres
from tests.homes import column, connection_to, engine_of
from tests.trial_home import POLICY, at, furnished, member, opened, proved, whole_state
from upheld import cli
from upheld.engine.acts import RequestId
from upheld.errors import HomeUnusable, StoreFailed
from upheld.store import migrations, schema
from upheld.store.sqlite import declared_columns

FIRST = Path(__file__).with_name("schema_1.txt")
"""The columns of the first version: what lay in homes before the tables had a second one."""


def first_columns(place: str) -> set[str]:
    found: set[str] = set()
    for line in FIRST.read_text().splitlines():
        name, _, columns = line.partition(": ")
        of, _, table = name.partition(".")
        if of == place:
            found |= {f"{table}.{one}" for one in columns.split()}
    return found


def columns_in(home: Path, place: str) -> set[str]:
    path = home / f"{place}.db"
    with closing(connection_to(path)) as connection:
        return engine_of(path).columns(connection)


def made_old(home: Path) -> None:
    """Take away what the first version did not have."""
    for place in schema.PLACES:
        old = first_columns(place)
        tables = {one.partition(".")[0] for one in old}
        with closing(connection_to(home / f"{place}.db")) as connection:
            for one in sorted(columns_in(home, place) - old):
                table, _, name = one.partition(".")
                if table in tables:
                    connection.execute(f"ALTER TABLE {table} DROP COLUMN {name}")
                else:
                    connection.execute(f"DROP TABLE IF EXISTS {table}")
            connection.execute("UPDATE meta SET value = '1' WHERE key = 'schema'")
            if hasattr(connection, "commit"):
                connection.commit()
        assert columns_in(home, place) == old
    settings = json.loads((home / "home.json").read_text())
    (home / "home.json").write_text(json.dumps({**settings, "schema": 1}))


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    if request.param == "sqlite":
        yield tmp_path / "home"
        return
    with postgres.server() as address, postgres.homes_on(address):
        yield tmp_path / "home"


def test_a_home_of_the_first_version_is_upgraded_with_everything_in_it(home: Path) -> None:
    persons = furnished(home)
    with opened(home) as house:
        asked = house.keeper.request(persons["stayer"], "access", channel="website").made
        before = whole_state(home, house.keeper)
    made_old(home)
    with pytest.raises(HomeUnusable, match="upheld upgrade"), opened(home):
        raise AssertionError("tables of another version were used")
    told = CliRunner().invoke(cli.app, ["upgrade", "--home", str(home)])
    assert told.exit_code == 0, told.output
    assert f"has schema {schema.VERSION}, had 1" in told.output
    for place in schema.PLACES:
        assert columns_in(home, place) == declared_columns(schema.PLACES[place])
    with opened(home) as house:
        assert whole_state(home, house.keeper) == before
        (request,) = house.keeper.views.get(persons["stayer"], house.keeper.now()).state.requests
        assert request.request_id == RequestId(asked or "")
        house.keeper.file_paper("trial", "letters", b"a letter", owner=persons["stayer"])
        assert house.keeper.sweep().destroyed == 4
        proved(home, house.keeper)
    again = CliRunner().invoke(cli.app, ["upgrade", "--home", str(home)])
    assert "already" in again.output


def test_an_upgrade_that_was_interrupted_is_run_again(home: Path) -> None:
    with opened(home, at("2024-03-01")) as house:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        person = member(house, "stayer")
    made_old(home)
    path = home / "active.db"
    engine = engine_of(path)
    with closing(engine.connect()) as connection, engine.held():
        assert migrations.upgrade(engine, connection, "active") == 1
    engine.close()
    assert CliRunner().invoke(cli.app, ["upgrade", "--home", str(home)]).exit_code == 0
    with opened(home, at("2024-03-01")) as house:
        assert house.keeper.read(person, "service", reader=house.keeper.application("desk"), items=("name",)).granted


def test_tables_of_a_newer_program_are_left_alone(home: Path) -> None:
    with opened(home, at("2024-03-01")):
        pass
    path = home / "keys.db"
    engine = engine_of(path)
    with closing(engine.connect()) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
        with pytest.raises(StoreFailed, match="newer"):
            migrations.upgrade(engine, connection, "keys")
    assert column(path, "SELECT value FROM meta WHERE key = 'schema'") == ["99"]


def test_every_version_has_its_step() -> None:
    assert sorted(migrations.STEPS) == list(range(2, schema.VERSION + 1))
