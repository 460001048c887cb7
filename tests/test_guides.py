"""The guides are run as they stand: every command of a chapter, in order, in a shell; only paths are exchanged."""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests import postgres
from tests.browser import free_port
from tests.homes import column, databases
from tests.quick_upheld import loaded
from tests.test_migrations import first_home, on_server
from tests.trial_home import SWEEP_DAY, furnished, member, opened, proved, readable, rows_in, text_of
from upheld import cli
from upheld.store.distribution import FIRST, Laid, laid
from upheld.store.place import Recovering

DOCS = Path(__file__).parent.parent / "docs"


def chapters(page: str) -> dict[tuple[str, str], str]:
    """(engine's heading, chapter) → its commands, joined."""
    found: dict[tuple[str, str], str] = {}
    whole = (DOCS / page).read_text("utf-8")
    for part in re.split(r"^## ", whole, flags=re.M)[1:]:
        heading, _, text = part.partition("\n")
        for chapter in re.split(r"^### ", text, flags=re.M)[1:]:
            name, _, body = chapter.partition("\n")
            found[heading, name] = "\n".join(re.findall(r"^```sh\n(.*?)^```", body, re.M | re.S))
    return found


@dataclass
class Guide:
    """A machine that follows the page on backups."""

    root: Path
    heading: str

    @property
    def home(self) -> Path:
        return self.root / "srv/upheld/home"

    def follow(self, chapter: str, page: str = "backup.md") -> str:
        """Run a chapter; what it printed. The first command that fails ends it."""
        return run(self.root, chapters(page)[self.heading, chapter], self.home)


@pytest.fixture(scope="module", autouse=True)
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with loaded(tmp_path_factory.mktemp("program")) as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        yield


def run(root: Path, commands: str, home: Path, **variables: str) -> str:
    """Run commands of a page under a folder of their own."""
    assert commands.strip(), "the page has no command there"
    ended = "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n"  # what a chapter began does not outlive it
    script = ended + commands.replace("/srv/upheld", str(root / "srv/upheld")).replace("/backup", str(root / "backup"))
    known = databases(home) if (home / "home.json").exists() else {}
    first, _, rest = os.environ["PATH"].partition(":")
    path = f"{first}:{Path(sys.executable).parent}:{postgres.programs()}:{rest}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env={
            **os.environ,
            "PATH": path,
            "DATABASE": known.get("active", ""),
            "PYTHONPATH": str(DOCS.parent / "src"),
            **variables,
        },
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server on which the home belongs to a user who is no superuser, as the guide makes it."""
    with postgres.server() as one:
        with psycopg.connect(f"{one}postgres", autocommit=True) as superuser:
            superuser.execute("CREATE ROLE upheld_owner LOGIN CREATEDB CREATEROLE")
            superuser.execute("GRANT SET ON PARAMETER session_replication_role TO upheld_owner")  # to lay a home down
        yield one.replace("user=postgres", "user=upheld_owner")


@pytest.fixture(params=["On files", "On PostgreSQL"])
def guide(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Guide]:
    one = Guide(tmp_path, request.param)
    one.home.parent.mkdir(parents=True)
    (tmp_path / "backup").mkdir()
    if request.param == "On files":
        yield one
        return
    with postgres.homes_on(request.getfixturevalue("address")):
        yield one


def granted(guide: Guide) -> None:
    """Roles are given on a server before anything else: then some tables are not the owner's any more."""
    if guide.heading == "On PostgreSQL":
        commands = 'upheld grants --home /srv/upheld/home | psql --quiet --set=ON_ERROR_STOP=1 --dbname="$DATABASE"'
        run(guide.root, commands, guide.home)


def texts(home: Path) -> set[str]:
    """Everything that anybody with the keys can read."""
    return {text for tiers in readable(home, rows_in(home)).values() for text in tiers.values()}


DESTROYED = {text_of("leaver", "phone"), text_of("refuser", "phone"), text_of("old", "name"), text_of("old", "email")}


def test_after_a_restore_by_the_guide_the_destroyed_is_destroyed_again_before_anybody_reads(guide: Guide) -> None:
    persons = furnished(guide.home)
    granted(guide)
    commands = chapters("backup.md")[guide.heading, "Back up"].splitlines()
    cut = next(number for number, line in enumerate(commands) if "/backup/ledger" in line)
    run(guide.root, "\n".join(commands[:cut]), guide.home)
    assert texts(guide.home) >= DESTROYED
    with opened(guide.home, SWEEP_DAY) as house:
        assert house.keeper.sweep().destroyed == 4
        newcomer = member(house, "newcomer")
        house.keeper.seal()
    assert not texts(guide.home) & DESTROYED
    run(guide.root, "\n".join(commands[cut:]), guide.home)
    restore, _, rest = chapters("backup.md")[guide.heading, "Restore"].partition("upheld upgrade")
    run(guide.root, restore, guide.home)
    assert texts(guide.home) >= DESTROYED, "the copy held them: else there is nothing to show"
    with opened(guide.home, SWEEP_DAY) as house:
        desk = house.keeper.application("desk")
        with pytest.raises(Recovering):
            house.keeper.read(persons["stayer"], "service", reader=desk, items=("name",))
    told = run(guide.root, f"upheld upgrade{rest}", guide.home)
    assert "old copies: active" in told
    assert "lost: 1 persons" in told, "whoever came after the copies is named, not passed over"
    assert not texts(guide.home) & DESTROYED
    with opened(guide.home, SWEEP_DAY) as house:
        desk = house.keeper.application("desk")
        assert house.keeper.read(persons["stayer"], "service", reader=desk, items=("name",)).granted
        assert newcomer not in column(guide.home / "active.db", "SELECT subject_id FROM subject")
        proved(guide.home, house.keeper)


def test_an_upgrade_by_the_guide_and_the_way_back_keep_what_is_destroyed_destroyed(guide: Guide) -> None:
    first_home(guide.home.parent)
    if guide.heading == "On PostgreSQL":
        on_server(guide.home, os.environ[postgres.ADDRESS])
    assert json.loads((guide.home / "home.json").read_text())["schema"] == 1
    told = guide.follow("Upgrade")
    assert "had 1" in told
    granted(guide)
    with opened(guide.home, SWEEP_DAY) as house:
        assert house.keeper.sweep().destroyed == 4
        member(house, "newcomer")
        house.keeper.seal()
    guide.follow("Roll back")
    assert not texts(guide.home) & DESTROYED
    assert text_of("stayer", "phone") in texts(guide.home)
    with opened(guide.home, SWEEP_DAY) as house:
        assert house.keeper.sweep().waiting == []
        proved(guide.home, house.keeper)


def test_the_walk_from_an_empty_machine_to_a_service_works_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "srv/upheld").mkdir(parents=True)
    (tmp_path / "backup").mkdir()
    walk = (DOCS / "operating.md").read_text("utf-8").partition("### The same on PostgreSQL")[0]
    commands = re.findall(r"^```sh\n(.*?)^```", walk, re.M | re.S)
    home = tmp_path / "srv/upheld/home"
    script = "\n".join(f"({one})" if "cd " in one else one for one in commands)
    told = run(tmp_path, script.replace("$PORT", str(free_port())), home)
    for said in ("is ready", "WRONG", "is on file", "client secret", "alive", "stopped", "batches", "complete"):
        assert (said in told) is (said != "WRONG"), said
    assert "<html" in (tmp_path / "srv/upheld/report.html").read_text("utf-8")


@pytest.mark.slow
def test_the_walk_on_postgresql_from_databases_and_roles_to_a_service_works_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "srv/upheld").mkdir(parents=True)
    (tmp_path / "backup").mkdir()
    commands = chapters("operating.md")["From an empty machine to a service", "The same on PostgreSQL"]
    settings = re.search(r"^wal_recycle = off\n(.*?)^```", (DOCS / "operating.md").read_text("utf-8"), re.M | re.S)
    assert settings
    said = " ".join(f"-c {line.replace(' ', '')}" for line in ("wal_recycle = off", *settings[1].split("\n")) if line)
    with postgres.running(durable=True, settings=said) as server:
        let_in(server)
        told = run(
            tmp_path, commands.replace("$PORT", str(free_port())), tmp_path / "srv/upheld/home",
            PGHOST=str(server.data.parent), PGUSER="postgres",
        )  # fmt: skip
    for word in ("is on file", "upheld_refusals_total", "stopped", "complete"):
        assert word in told, word
    assert "WRONG" not in told
    assert "Traceback" not in told
    assert "permission denied" not in told
    assert len(list((tmp_path / "backup/postgresql").iterdir())) == 4


def test_the_chapter_on_several_machines_says_what_it_would_run_and_without_the_extension_changes_nothing(
    address: str, tmp_path: Path
) -> None:
    guide = Guide(tmp_path, "On PostgreSQL")
    guide.home.parent.mkdir(parents=True)
    with postgres.homes_on(address):
        persons = furnished(guide.home)
        settings = (guide.home / "home.json").read_text()
        told = guide.follow("Several database machines", "operating.md")
        layout = (tmp_path / "srv/upheld/layout.sql").read_text("utf-8")
        spread = [line for line in layout.splitlines() if "create_distributed_table" in line]
        assert f"\n{len(spread)}\n" in f"\n{told}"
        assert len(spread) == sum(where is Laid.SPREAD for place in FIRST for where in laid(place).values())
        for place in ("active", "separated", "keys"):
            assert f"in the way: {place}: Citus is not installed on this server" in told
        assert told.index("mend that first") < told.index("nothing was laid out")
        assert "Traceback" not in told
        assert (guide.home / "home.json").read_text() == settings
        with opened(guide.home, SWEEP_DAY) as house:
            desk = house.keeper.application("desk")
            assert house.keeper.read(persons["stayer"], "service", reader=desk, items=("name",)).granted


def let_in(server: postgres.Server) -> None:
    """What the guide puts into the files of the server; the user of the machine is whoever runs the tests. Nobody comes
    in under the names of the home but by this map.
    """
    guide = (DOCS / "operating.md").read_text("utf-8")
    rule = re.search(r"^local all .*peer map=.*$", guide, re.M)
    names = re.search(r"^```text\n((?:upheld upheld \w+\n)+)```", guide, re.M)
    assert rule
    assert names
    rules, ident = server.data / "pg_hba.conf", server.data / "pg_ident.conf"
    rules.write_text(f"{rule[0]}\n{rules.read_text()}")
    ident.write_text(names[1].replace("upheld upheld ", f"upheld {pwd.getpwuid(os.geteuid()).pw_name} "))
    server.control("reload")


DEPLOY = DOCS.parent / "deploy"


def test_the_container_runs_as_nobody_and_pins_what_it_is_made_from() -> None:
    lines = (DEPLOY / "Containerfile").read_text("utf-8").splitlines()
    base = next(line.partition("=")[2] for line in lines if line.startswith("ARG BASE="))
    bases = [line.split()[1].replace("${BASE}", base) for line in lines if line.startswith("FROM")]
    assert len(bases) == 2
    assert all(":" in base and not base.endswith(":latest") for base in bases)
    (user,) = [line.split()[1] for line in lines if line.startswith("USER")]
    assert user.partition(":")[0].isdigit()
    assert int(user.partition(":")[0]) > 0
    made = lines.index(next(line for line in lines if line.startswith("FROM") and " AS " not in line))
    assert lines.index(f"USER {user}") > made
    copied = [word for line in lines if line.startswith("COPY") and "--from" not in line for word in line.split()[1:-1]]
    assert [one for one in copied if not (DEPLOY.parent / one).exists()] == []
    assert any("--requirement requirements.lock" in line for line in lines)


def test_every_unit_is_closed_to_all_but_its_home_and_runs_a_command_that_there_is() -> None:
    known = {command.name for command in cli.app.registered_commands if command.name} | {
        command.callback.__name__ for command in cli.app.registered_commands if command.callback and not command.name
    }
    services = sorted((DEPLOY / "systemd").glob("*.service"))
    assert len(services) == 6
    for unit in services:
        settings = dict(
            line.split("=", 1) for line in unit.read_text("utf-8").splitlines() if re.match(r"[A-Z]\w+=", line)
        )
        assert settings["User"] == "upheld"
        assert settings["ProtectSystem"] == "strict"
        assert settings["ReadWritePaths"] == "/srv/upheld"
        assert settings["NoNewPrivileges"] == "yes"
        program, command, *_ = settings["ExecStart"].split()
        assert program == "/opt/upheld/bin/upheld"
        assert command in known
        timer = unit.with_suffix(".timer")
        assert timer.exists() == (settings["Type"] == "oneshot"), unit.name


MOST_EXPOSED = 1.2
"""Of ten: what `systemd-analyze security` may rate a unit. What is left is the network, which a service needs."""


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze on this machine: apt-get install systemd")
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)


def test_systemd_finds_nothing_to_say_about_the_units(tmp_path: Path) -> None:
    units = []
    for unit in sorted((DEPLOY / "systemd").iterdir()):
        placed = tmp_path / unit.name.replace("@", "@1")
        written = unit.read_text("utf-8")
        placed.write_text(written.replace("/opt/upheld/bin/upheld", "/bin/true") + "\n")
        units.append(placed)
    assert len(units) == 10
    said = analyze("verify", "--man=no", *units)
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
    # It would have said so: a setting that there is not, in one of them.
    units[0].write_text(units[0].read_text("utf-8").replace("UMask", "YouMask"))
    assert "YouMask" in analyze("verify", "--man=no", *units).stderr


def test_no_unit_is_more_exposed_than_a_service_on_the_net_has_to_be() -> None:
    for unit in sorted((DEPLOY / "systemd").glob("*.service")):
        said = analyze("security", "--offline=true", "--no-pager", unit)
        rated = re.search(r"Overall exposure level for .*: ([0-9.]+)", said.stdout + said.stderr)
        assert rated, said.stderr
        assert float(rated[1]) <= MOST_EXPOSED, unit.name
