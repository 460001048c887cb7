"""A server put back from its base backup and log by the guide: to the end it has everything; to an instant, the
destroyed is destroyed again before anybody reads.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests import postgres
from tests.test_guides import DESTROYED, chapters, program, run, texts
from tests.trial_home import SWEEP_DAY, furnished, opened, proved, text_of
from upheld.store.place import Recovering

pytestmark = pytest.mark.slow
HEADING = "On PostgreSQL"
__all__ = ["program"]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[tuple[Path, postgres.Server]]:
    """A server that archives its log into the folder for backups."""
    log = Path(tempfile.mkdtemp(prefix="upheld-log-"))  # where the server's user comes to
    log.chmod(0o755)
    if user := postgres.runs_as():
        shutil.chown(log, user)
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup/log").symlink_to(log)
    archives = f"-c wal_level=replica -c archive_mode=on -c archive_command='cp %p {log}/%f'"
    with postgres.running(durable=True, settings=archives) as server, postgres.homes_on(server.address):
        (tmp_path / "srv/upheld").mkdir(parents=True)
        yield tmp_path, server
    shutil.rmtree(log)


def put_back(root: Path, server: postgres.Server, instant: str | None) -> None:
    """The chapter for it, with the server stopped before and started after."""
    stop, _, ledger = chapters("backup.md")[HEADING, "Back to an instant"].partition("psql --quiet")
    if instant is None:
        stop = "\n".join(line for line in stop.splitlines() if "recovery_target" not in line)
    server.control("stop", "-m", "fast")
    stop = stop.replace("/backup/log", str((root / "backup/log").resolve()))  # as its user knows it
    given = {"PGDATA": str(server.data), "INSTANT": instant or ""}
    run(root, stop, root / "srv/upheld/home", **given)
    if user := postgres.runs_as():
        for one in (server.data, *server.data.rglob("*")):
            shutil.chown(one, user)
    server.data.chmod(0o700)
    server.control("start")
    until = time.monotonic() + 60
    with psycopg.connect(server.address + "postgres", autocommit=True) as connection:
        while connection.execute("SELECT pg_is_in_recovery()").fetchone() != (False,):
            assert time.monotonic() < until
            time.sleep(0.1)
    assert ledger


def archived(server: postgres.Server) -> str:
    """An instant of the server's clock, with everything before it in the archive."""
    with psycopg.connect(server.address + "postgres", autocommit=True) as connection:
        (at,) = connection.execute("SELECT clock_timestamp()::text").fetchone() or ("",)
        time.sleep(0.05)
        connection.execute("SELECT pg_logical_emit_message(true, 'mark', '')")  # a commit after it: where it stops
        (name,) = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone() or ("",)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            row = connection.execute("SELECT last_archived_wal >= %s FROM pg_stat_archiver", (name,)).fetchone()
            if row == (True,):
                return str(at)
            time.sleep(0.1)
        raise AssertionError(connection.execute("SELECT * FROM pg_stat_archiver").fetchone())


def test_a_server_put_back_to_an_instant_serves_nothing_before_the_destroyed_is_destroyed_again(
    machine: tuple[Path, postgres.Server],
) -> None:
    root, server = machine
    home = root / "srv/upheld/home"
    persons = furnished(home)
    run(root, chapters("backup.md")[HEADING, "Base backup and log"], home)
    instant = archived(server)
    assert texts(home) >= DESTROYED
    with opened(home, SWEEP_DAY) as house:
        assert house.keeper.sweep().destroyed == 4
        house.keeper.seal()
    assert not texts(home) & DESTROYED
    backed = chapters("backup.md")[HEADING, "Back up"]
    run(root, backed[backed.index("mkdir -p /backup/ledger") :], home)
    archived(server)
    put_back(root, server, instant)
    assert texts(home) >= DESTROYED, "the copy held them: else there is nothing to show"
    desk = ("service", persons["stayer"])
    restore = chapters("backup.md")[HEADING, "Back to an instant"]
    restore = restore[restore.index("psql --quiet") :]
    run(root, restore.partition("upheld recover")[0], home)
    with opened(home, SWEEP_DAY) as house, pytest.raises(Recovering):
        house.keeper.read(desk[1], desk[0], reader=house.keeper.application("desk"), items=("name",))
    run(root, restore[restore.index("upheld recover") :], home)
    assert not texts(home) & DESTROYED
    assert text_of("stayer", "phone") in texts(home)
    with opened(home, SWEEP_DAY) as house:
        reader = house.keeper.application("desk")
        assert house.keeper.read(persons["stayer"], "service", reader=reader, items=("name",)).granted
        proved(home, house.keeper)


def test_a_server_put_back_to_the_end_of_its_log_has_lost_nothing_and_serves_at_once(
    machine: tuple[Path, postgres.Server],
) -> None:
    root, server = machine
    home = root / "srv/upheld/home"
    persons = furnished(home)
    run(root, chapters("backup.md")[HEADING, "Base backup and log"], home)
    with opened(home, SWEEP_DAY) as house:
        assert house.keeper.sweep().destroyed == 4
        house.keeper.consent(persons["stayer"], "provision/mall", channel="website")
        house.keeper.seal()
    before = texts(home)
    archived(server)
    put_back(root, server, None)
    assert texts(home) == before
    assert not texts(home) & DESTROYED
    with opened(home, SWEEP_DAY) as house:
        reader = house.keeper.application("desk")
        assert house.keeper.read(persons["stayer"], "service", reader=reader, items=("name",)).granted
        proved(home, house.keeper)
