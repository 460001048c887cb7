"""What goes wrong for who operates a home: each text names the place and what to do, and no trace is shown."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests import postgres
from tests.trial_home import furnished
from upheld import cli, system
from upheld.store import grants, key_files, schema
from upheld.system import Options


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("made") / "home"
    furnished(home)
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "home"))


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The one line of a command that failed, as somebody at a terminal sees it."""

    def run(*words: object) -> str:
        monkeypatch.setattr(sys, "argv", ["upheld", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        assert ended.value.code == 1, told
        assert "Traceback" not in told.err
        (line,) = told.err.splitlines()
        return line

    return run


Said = Callable[..., str]


def test_settings_that_are_torn_or_empty_are_named(home: Path, said: Said) -> None:
    for text in ('{"schema":', "{}", "[]", '{"schema": "new"}'):
        (home / "home.json").write_text(text)
        for command in ("sweep", "upgrade", "doctor"):
            line = said(command, "--home", home)
            assert f"{home}/home.json" in line
            assert "put it back from your newest backup" in line


def test_a_home_of_a_newer_program_is_told_from_one_of_an_older(home: Path, said: Said) -> None:
    settings = json.loads((home / "home.json").read_text())
    (home / "home.json").write_text(json.dumps({**settings, "schema": schema.VERSION + 1}))
    for command in ("sweep", "upgrade"):
        assert "install the newer program" in said(command, "--home", home)
    (home / "home.json").write_text(json.dumps({**settings, "schema": schema.VERSION - 1}))
    assert f"run `upheld upgrade --home {home}`" in said("sweep", "--home", home)


@pytest.mark.parametrize("name", ["active.key", "separated.key", "mac.key", "signing.key"])
def test_a_key_file_that_is_missing_or_torn_is_named(home: Path, said: Said, name: str) -> None:
    path = home / "secrets" / name
    kept = path.read_bytes()
    path.write_bytes(kept[:10])
    assert str(path) in said("seal", "--home", home)
    path.unlink()
    line = said("seal", "--home", home)
    assert str(path) in line
    assert "put the" in line


@pytest.mark.parametrize("name", ["active.key", "separated.key"])
def test_under_the_master_key_of_another_home_nothing_opens_so_nothing_new_is_lost(
    home: Path, said: Said, name: str
) -> None:
    (home / "secrets" / name).write_text("ab" * 32)
    for command in ("sweep", "serve"):
        line = said(command, "--home", home)
        assert "another master key is in use" in line or "check which key file is in use" in line
        assert "key" in line


def test_a_port_that_somebody_listens_on_is_named_before_anything_is_opened(home: Path, said: Said) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        line = said("serve", "--home", home, "--port", port)
    assert f"127.0.0.1:{port}" in line
    assert "another --port" in line


def test_a_file_that_this_user_may_not_write_is_named(said: Said, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    def closed(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(home / "secrets/active.key.writing"))

    monkeypatch.setattr(key_files.KeySource, "add", closed)  # whoever runs the tests may be root, whom nothing stops
    line = said("rotate-keys", "--home", home)
    assert str(home / "secrets/active.key.writing") in line
    assert "run this as the user to whom the home belongs" in line


def test_a_disk_that_is_full_when_a_home_is_opened_is_told(
    home: Path, said: Said, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")  # what a full file system says to the log of a file

    monkeypatch.setattr(sqlite3, "connect", full)
    line = said("sweep", "--home", home)
    assert str(home / "active.db") in line
    assert "make room on its disk" in line
    line = said("backup", "--home", home, "--to", tmp_path / "copy")
    assert str(tmp_path / "copy/active.db") in line
    assert "make room" in line
    assert list((tmp_path / "copy").iterdir()) == [], "half a copy is none"


# ── on a server ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def on_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, postgres.Server]]:
    home = tmp_path_factory.mktemp("on-server") / "home"
    with postgres.running() as server:
        system.init(home, Options(), postgres.made(server.address, "home"))
        system.open_home(home).close()
        yield home, server


def test_a_server_that_is_away_or_does_not_know_us_is_told_with_what_to_look_at(
    on_server: tuple[Path, postgres.Server], said: Said
) -> None:
    home, server = on_server
    text = (home / "home.json").read_text()
    for wrong in (text.replace("user=postgres", "user=stranger"), text.replace("dbname=home", "dbname=nowhere")):
        (home / "home.json").write_text(wrong)
        for command in ("sweep", "serve", "work"):
            line = said(command, "--home", home)
            assert "the database of `active` can't be reached" in line
            assert "PGUSER and PGPASSWORD" in line
    (home / "home.json").write_text(text)
    server.control("stop", "-m", "fast")
    line = said("sweep", "--home", home)
    assert "see that the server runs" in line
    server.control("start")


def test_a_user_of_the_database_without_the_role_is_told_so(
    on_server: tuple[Path, postgres.Server], said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, server = on_server
    with psycopg.connect(f"{server.address}home", autocommit=True) as owner:
        for place in ("active", "separated", "keys", "ledger"):
            for statement in grants.statements(place):
                owner.execute(statement.encode())
        owner.execute(f"CREATE ROLE web LOGIN IN ROLE {grants.SERVICE}".encode())
    text = (home / "home.json").read_text()
    (home / "home.json").write_text(text.replace(" user=postgres", ""))
    monkeypatch.setenv("PGUSER", "web")
    line = said("sweep", "--home", home)
    assert "permission denied" in line
    assert "say by PGUSER who has it" in line
    (home / "home.json").write_text(text)
