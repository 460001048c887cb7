"""The service as a process: up, work beside it, a clean stop; accounts from the command line; the demonstration."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from typer.testing import CliRunner

import upheld
from tests.browser import free_port
from tests.served import Served, furnished, served
from upheld.cli import app
from upheld.connect.mail import Security
from upheld.connect.transport import Answer, Handed, Letter
from upheld.desk.accounts import account_named
from upheld.desk.background import JOBS, LEASE_FOR, Job, Scheduler
from upheld.desk.codes import CodeMessage, medium_of
from upheld.desk.sessions import SessionKind, open_session
from upheld.desk.throttle import LOOKS, counted
from upheld.web import demonstration
from upheld.web.sending import CodesBy, reached_at, transports_of
from upheld.web.serving import log_failure

ROOT = Path(__file__).resolve().parent.parent
POLICIES = [ROOT / "policies" / f"{name}.yaml" for name in ("nexr-2017", "kt-mns-2018")]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "home") as found:
        yield found


def later(house: Served, microseconds: int) -> None:
    house.clock.set(house.clock.now() + microseconds)


def rows(house: Served, statement: str) -> list[tuple[object, ...]]:
    with house.keeper.places.active.reading() as connection:
        return [tuple(row) for row in connection.execute(statement).fetchall()]


# ── background work ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_only_the_scheduler_with_the_lease_works(house: Served) -> None:
    first, second = Scheduler(house.keeper), Scheduler(house.keeper)
    assert set(first.turn()) == set(JOBS)
    assert second.turn() == ()
    later(house, LEASE_FOR + 1)
    assert "seal" in second.turn()
    assert first.turn() == ()


def test_a_scheduler_that_died_is_followed_by_another(house: Served) -> None:
    dead, next_one = Scheduler(house.keeper), Scheduler(house.keeper)
    dead.turn()
    later(house, LEASE_FOR - 1)
    assert next_one.turn() == ()
    later(house, 1)
    assert next_one.turn() != ()


def test_a_scheduler_that_stops_gives_its_lease_back(house: Served) -> None:
    first, second = Scheduler(house.keeper), Scheduler(house.keeper)
    first.turn()
    first.release()
    later(house, JOBS["seal"].every)
    assert second.turn() == ("seal",)


def test_a_job_is_done_once_in_its_time_whoever_does_it(house: Served) -> None:
    done: list[str] = []
    jobs = {"count": Job(1_000_000, lambda _: done.append("x"))}
    first, second = Scheduler(house.keeper, jobs), Scheduler(house.keeper, jobs)
    assert first.turn() == ("count",)
    assert first.turn() == ()
    first.release()
    assert second.turn() == ()
    later(house, 1_000_000)
    assert second.turn() == ("count",)
    assert len(done) == 2


def test_what_has_ended_is_cleared_away(house: Served) -> None:
    open_session(house.keeper, "trial", SessionKind.STAFF, "somebody")
    counted(house.keeper, "trial", LOOKS, "somebody")
    later(house, 12 * 3_600_000_000)
    Scheduler(house.keeper).turn()
    assert rows(house, "SELECT * FROM session") == []
    assert rows(house, "SELECT * FROM attempt") == []


def test_the_scheduler_sweeps_what_is_due(house: Served) -> None:
    house.keeper.withdraw(house.persons["asker"], "purpose/offers", channel="website")
    later(house, 4 * 86_400_000_000)
    before = len(house.keeper.certificates("trial"))
    Scheduler(house.keeper).turn()
    assert len(house.keeper.certificates("trial")) == before + 1


# ── codes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Post:
    """A transport that keeps what it was given."""

    medium: str
    letters: list[Letter] = field(default_factory=list)

    def send(self, letter: Letter) -> Answer:
        self.letters.append(letter)
        return Answer(Handed.SENT)

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    ("address", "medium"),
    [("somebody@example.org", "email"), ("010-0000-0000", "sms"), ("+82 10 0000 0000", "sms"), ("login-id", None)],
)
def test_an_address_tells_its_medium(address: str, medium: str | None) -> None:
    assert medium_of(address) == medium


@pytest.mark.parametrize(("locale", "words"), [("ko", "인증번호"), ("en", "is your code")])
def test_a_code_is_sent_in_the_language_of_who_asked(house: Served, locale: str, words: str) -> None:
    mail, text = Post("email"), Post("sms")
    send = CodesBy(house.keeper, (mail, text))
    person = house.persons["stayer"]
    send(CodeMessage("trial", person, "email", "stayer@example.org", "12345678", locale))
    send(CodeMessage("trial", person, "phone", "010-0000-0000", None, locale))
    send(CodeMessage("trial", person, "login", "login-id", "12345678", locale))
    assert [one.to for one in (*mail.letters, *text.letters)] == ["stayer@example.org", "010-0000-0000"]
    assert words in mail.letters[0].text
    assert "12345678" in mail.letters[0].text
    assert "12345678" not in text.letters[0].text


def test_ways_out_take_their_secrets_from_the_environment_only() -> None:
    def given(mail: str | None = None, gateway: str | None = None, **environment: str) -> tuple[str, ...]:
        found = transports_of(
            environment, never, mail=mail, sender="post@example.org", security=Security.LOCAL, gateway=gateway
        )
        return tuple(one.medium for one in found)

    def never() -> datetime:
        raise AssertionError("no letter was sent")

    assert given() == ()
    assert given("127.0.0.1:25") == ("email",)
    assert given(gateway="https://sms.example.org", UPHELD_GATEWAY_SECRET="secret") == ("sms",)
    with pytest.raises(ValueError, match="HOST:PORT"):
        given("nowhere")
    with pytest.raises(ValueError, match="UPHELD_GATEWAY_SECRET"):
        given(gateway="https://sms.example.org")


def test_addresses_are_items_that_are_named_so_and_looked_up(house: Served) -> None:
    assert reached_at(house.keeper) == {"trial": ("email", "phone"), "other": ("email",)}


# ── the process ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_service_comes_up_answers_and_stops_cleanly(tmp_path: Path) -> None:
    furnished(tmp_path / "home")
    port = free_port()
    command = [sys.executable, "-m", "upheld.cli", "serve", "--home", str(tmp_path / "home"), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline(), process.stdout.readline()]
        try:
            with urlopen(f"http://127.0.0.1:{port}/health", timeout=20) as answer:
                assert answer.read() == b"ok\n"
            with urlopen(f"http://127.0.0.1:{port}/notice/trial", timeout=20) as answer:
                assert b"Example Ltd." in answer.read() or answer.status == 200
        finally:
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert lines[1].strip() == f"http://127.0.0.1:{port}/"
    assert out.strip() == "stopped"
    with pytest.raises(URLError):
        urlopen(f"http://127.0.0.1:{port}/health", timeout=2)


def test_serving_opens_a_home_that_is_there_and_makes_no_account(tmp_path: Path) -> None:
    refused = CliRunner().invoke(app, ["serve", "--home", str(tmp_path / "nowhere")])
    assert refused.exit_code != 0
    assert not (tmp_path / "nowhere").exists()


def test_accounts_are_opened_reset_listed_and_closed_from_the_command_line(tmp_path: Path) -> None:
    furnished(tmp_path / "home")
    runner = CliRunner()
    there = ["--home", str(tmp_path / "home"), "--policy", "trial"]
    made = runner.invoke(
        app,
        [
            "account",
            "add",
            *there,
            "--name",
            "newcomer",
            "--duty",
            "privacy",
            "--shown",
            "reason",
            "--shown",
            "approver",
        ],
    )
    assert made.exit_code == 0, made.output
    first = re.search(r"password +(\S+)", made.output)
    again = runner.invoke(app, ["account", "reset", *there, "--name", "newcomer"])
    second = re.search(r"password +(\S+)", again.output)
    assert first
    assert second
    assert first[1] != second[1]
    assert len(re.findall(r"recovery code", again.output)) == 8
    assert "newcomer  handler  privacy" in runner.invoke(app, ["account", "list", *there]).output
    assert runner.invoke(app, ["account", "close", *there, "--name", "newcomer"]).exit_code == 0
    with upheld.open(tmp_path / "home") as keeper:
        assert account_named(keeper, "trial", "newcomer") is None


def test_a_fault_is_logged_by_its_kind_and_never_with_what_was_typed(capsys: pytest.CaptureFixture[str]) -> None:
    log_failure("people", ValueError("somebody@example.org"))
    logged = capsys.readouterr().out
    assert "ValueError" in logged
    assert "somebody" not in logged


# ── the demonstration ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_demonstration_is_served_checked_and_stopped_where_nobody_can_stop_it(tmp_path: Path) -> None:
    prepared = demonstration.prepare(POLICIES, tmp_path / "served", people=12, days=20)
    said: list[str] = []
    assert demonstration.show(prepared, said.append, port=free_port(), once=True) == ()
    assert "0 wrong" in said[0]
    assert {one.policy for one in prepared.persons} == {"nexr", "kt-mns"}
    leaflet = (prepared.home / demonstration.ACCOUNTS_FILE).read_text("utf-8")
    assert all(made.password in leaflet for made in prepared.accounts.values())


def test_in_continuous_integration_the_demonstration_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", type("Terminal", (), {"isatty": lambda _: True})())
    for variable in ("CI", "UPHELD_RUN_ONCE"):
        monkeypatch.delenv(variable, raising=False)
    assert not demonstration._only_once()
    monkeypatch.setenv("UPHELD_RUN_ONCE", "1")
    assert demonstration._only_once()
    monkeypatch.delenv("UPHELD_RUN_ONCE")
    monkeypatch.setenv("CI", "true")
    assert demonstration._only_once()
