"""A home that the first program made is brought to the present tables, on both engines, with all that it holds."""

from __future__ import annotations

import json
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests import postgres
from tests.homes import column, connection_to
from tests.trial_home import SWEEP_DAY, opened, proved, readable, rows_in, text_of
from upheld import cli
from upheld.errors import HomeUnusable, StoreFailed
from upheld.store import history, migrations, schema, sqlite
from upheld.store.alembic.versions import v0001
from upheld.store.postgres import PostgresConnection

FIRST = Path(__file__).with_name("first_home.zip")
"""A home as `54c2cfe`, the first program, left it on 5 September 2024: dumps, settings, key files."""
PLACES = ("active", "separated", "keys", "ledger")


def first_home(folder: Path) -> Path:
    """That home on files."""
    home = folder / "home"
    with zipfile.ZipFile(FIRST) as kept:
        kept.extractall(home)
    (home / "secrets").chmod(0o700)
    for place in PLACES:
        with closing(sqlite3.connect(home / f"{place}.db")) as made:
            made.executescript((home / f"{place}.sql").read_text())
        (home / f"{place}.sql").unlink()
    return home


def on_server(home: Path, address: str) -> None:
    """The same home in databases of a server: the first tables, and every row of the files."""
    databases = postgres.made(address, postgres.fresh_name())
    for place in PLACES:
        with closing(PostgresConnection(databases[place], place)) as target, closing(
            sqlite3.connect(home / f"{place}.db")
        ) as source:  # fmt: skip
            target.execute(f"CREATE SCHEMA {place}")
            for statement in v0001.STATEMENTS[place]:
                target.execute(statement)
            target.execute("SET session_replication_role = replica")
            for table in postgres.tables(target):
                rows = source.execute(f"SELECT * FROM {table}").fetchall()
                names = [row[1] for row in source.execute(f"PRAGMA table_info({table})")]
                target.execute(f"DELETE FROM {table}")
                marks = f"({', '.join(names)}) VALUES({', '.join('?' * len(names))})"
                target.executemany(f"INSERT INTO {table}{marks}", rows)
                if names[0] == "id" and place == "ledger":
                    target.execute(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))")
        (home / f"{place}.db").unlink()
    settings = json.loads((home / "home.json").read_text())
    (home / "home.json").write_text(json.dumps({**settings, "databases": databases}))


@pytest.fixture(params=["sqlite", "postgresql"])
def first(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    home = first_home(tmp_path)
    if request.param == "sqlite":
        yield home
        return
    address = request.getfixturevalue("address")
    with postgres.homes_on(address):
        on_server(home, address)
        yield home


def upgraded(home: Path) -> str:
    """What the command says."""
    told = CliRunner().invoke(cli.app, ["upgrade", "--home", str(home)])
    assert told.exit_code == 0, told.output
    return told.output


def database(home: Path, place: str) -> Path | str:
    """What `migrations.upgrade` asks for."""
    known: dict[str, str] = json.loads((home / "home.json").read_text()).get("databases", {})
    return known.get(place, home / f"{place}.db")


_OF_A_FILE = (
    "SELECT m.name, p.name, upper(p.type), p.\"notnull\", coalesce(p.dflt_value, ''), p.pk "
    "FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table'"
)
_OF_A_SERVER = (
    "SELECT table_name, column_name, data_type, is_nullable, coalesce(column_default, ''), is_identity "
    "FROM information_schema.columns WHERE table_schema = current_schema()"
)
_INDEXES_OF_A_FILE = "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
_INDEXES_OF_A_SERVER = "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()"


def shape(home: Path, place: str) -> set[tuple[object, ...]]:
    """Every column with its type, its default and whether it may be empty, every key, every index."""
    path = home / f"{place}.db"
    in_files = path.exists()
    columns = column(path, _OF_A_FILE if in_files else _OF_A_SERVER)
    indexes = column(path, _INDEXES_OF_A_FILE if in_files else _INDEXES_OF_A_SERVER)
    return {tuple(row) for row in columns} | {(re.sub(r"IF NOT EXISTS |\s+", " ", one).strip(),) for one in indexes}


def test_tables_that_were_upgraded_are_those_of_a_fresh_home(first: Path, tmp_path: Path) -> None:
    assert f"has schema {schema.VERSION}, had 1" in upgraded(first)
    with opened(tmp_path / "fresh"):
        pass
    for place in PLACES:
        plain = {tuple(str(part).replace("  ", " ") for part in one) for one in shape(tmp_path / "fresh", place)}
        came = {tuple(str(part).replace("  ", " ") for part in one) for one in shape(first, place)}
        assert came == plain, place
    assert "already" in upgraded(first)


def test_a_home_of_the_first_program_goes_on_with_everything_in_it(first: Path) -> None:
    with pytest.raises(HomeUnusable, match="upheld upgrade"), opened(first):
        raise AssertionError("tables of another version were used")
    upgraded(first)
    held = sorted(text for tiers in readable(first, rows_in(first)).values() for text in tiers.values())
    wanted = [text_of(who, item) for who in ("leaver", "refuser", "stayer") for item in ("name", "email", "phone")]
    assert held == sorted([*wanted, text_of("old", "name"), text_of("old", "email")])
    with opened(first, SWEEP_DAY) as house:
        (request,) = column(first / "active.db", "SELECT subject_id, own_right, asked_by FROM request")
        assert request[1:] == ("access", "subject")
        desk = house.keeper.application("desk")
        assert house.keeper.read(request[0], "service", reader=desk, items=("name",)).granted
        house.keeper.file_paper("trial", "letters", b"a letter", owner=request[0])
        assert house.keeper.sweep().destroyed == 4
        proved(first, house.keeper)
    left = {text for tiers in readable(first, rows_in(first)).values() for text in tiers.values()}
    assert left == set(wanted) - {text_of("leaver", "phone"), text_of("refuser", "phone")}


def test_an_upgrade_that_was_interrupted_is_run_again(first: Path) -> None:
    assert migrations.upgrade(database(first, "active"), "active") == 1
    assert f"has schema {schema.VERSION}, had 1" in upgraded(first)
    with opened(first, SWEEP_DAY) as house:
        assert house.keeper.sweep().destroyed == 4


def test_an_upgrade_that_fails_leaves_a_place_as_it_was(first: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = shape(first, "active")
    monkeypatch.setattr(migrations, "_WRITE_VERSION", "UPDATE nowhere SET value = 1")
    with pytest.raises(Exception, match="nowhere"):
        migrations.upgrade(database(first, "active"), "active")
    assert shape(first, "active") == before


def test_tables_of_a_newer_program_are_left_alone(first: Path) -> None:
    upgraded(first)
    with closing(connection_to(first / "keys.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")
        if isinstance(connection, sqlite3.Connection):
            connection.commit()
    with pytest.raises(StoreFailed, match="newer"):
        migrations.upgrade(database(first, "keys"), "keys")
    assert column(first / "keys.db", "SELECT version_num FROM alembic_version") == ["0099"]


def test_every_version_of_the_tables_has_its_module() -> None:
    made = sorted(path.stem for path in (migrations.SCRIPTS / "versions").glob("v*.py"))
    assert made == [f"v{number:04}" for number in range(1, schema.VERSION + 1)]
    assert schema.STAMP[1].endswith(f"VALUES('{schema.VERSION:04}')")
    assert sqlite.declared_columns(v0001.STATEMENTS["ledger"]) == sqlite.declared_columns(history.SCHEMA)


def test_a_home_that_was_never_opened_is_upgraded_too(tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    assert CliRunner().invoke(cli.app, ["init", "--home", home]).exit_code == 0
    assert "already" in upgraded(tmp_path / "home")
    with opened(tmp_path / "home"):
        pass
    assert "already" in upgraded(tmp_path / "home")
