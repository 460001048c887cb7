"""The doctor names what is wrong and what to do, and nothing that is right."""

from __future__ import annotations

import json
import os
from collections import namedtuple
from pathlib import Path

import pytest
from typer.testing import CliRunner

import upheld
from tests.trial_home import POLICY, at
from upheld import rotating, system
from upheld.cli import app
from upheld.clock import SystemClock
from upheld.dates import Instant
from upheld.desk.background import Scheduler, note_swept
from upheld.web import doctor


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    with upheld.open(made, upheld.Options(light_hashing=True)) as keeper:
        keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        keeper.seal()
    return made


def wrong(home: Path) -> list[str]:
    """What does not hold."""
    return [one.what for one in doctor.examined(home) if not one.holds]


def test_a_home_as_it_is_made_has_nothing_wrong(home: Path) -> None:
    told = CliRunner().invoke(app, ["doctor", "--home", str(home)])
    assert told.exit_code == 0, told.output
    assert "WRONG" not in told.output


def test_a_key_file_that_others_can_read_is_named_with_its_remedy(home: Path) -> None:
    (home / "secrets" / "mac.key").chmod(0o644)
    told = CliRunner().invoke(app, ["doctor", "--home", str(home)])
    assert told.exit_code == 1
    assert f"chmod 600 {home / 'secrets' / 'mac.key'}" in told.output


def test_a_missing_key_ends_the_list_with_why(home: Path) -> None:
    (home / "secrets" / "active.key").unlink()
    assert wrong(home) == ["opening"]


def test_a_full_disk_is_told_before_it_is_full(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(doctor, "disk_usage", lambda _: usage(1, 1, doctor.LEAST_FREE - 1))
    assert wrong(home) == ["disk"]


def test_a_ledger_that_was_not_sealed_for_long_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SEALED_WITHIN", -1)
    assert wrong(home) == ["sealing"]


LONG = doctor.COPIED_WITHIN + 3600


def older(file: Path) -> None:
    long_ago = SystemClock().now() // 1_000_000 - LONG
    os.utime(file, (long_ago, long_ago))


def test_a_home_that_nobody_swept_or_copied_for_two_days_is_told_what_to_run(home: Path) -> None:
    def told() -> list[str]:
        return sorted(wrong(home))

    assert told() == []
    older(home / "home.json")
    assert told() == ["backup", "sweep"]
    said = CliRunner().invoke(app, ["doctor", "--home", str(home)])
    assert said.exit_code == 1
    assert "run `upheld backup` each night" in said.output
    assert "or `upheld sweep` daily" in said.output
    CliRunner().invoke(app, ["sweep", "--home", str(home)])
    assert told() == ["backup"]
    night = ["backup", "--home", str(home), "--to"]
    CliRunner().invoke(app, [*night, str(home.parent / "ledger"), "--only", "ledger"])
    assert told() == ["backup"], "a copy of the ledger alone is no backup"
    ran = CliRunner().invoke(app, [*night, str(home.parent / "night")])
    assert ran.exit_code == 0, ran.output
    assert told() == []
    older(home / "copied")
    assert told() == ["backup"]


def test_a_sweep_of_three_days_ago_is_told_whoever_ran_it(tmp_path: Path) -> None:
    clock = upheld.SetClock(at("2024-03-01"))
    with upheld.open(tmp_path / "one", upheld.Options(light_hashing=True, clock=clock)) as keeper:
        keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        Scheduler(keeper).turn()
        assert doctor._swept(keeper, keeper.now()).holds
        clock.set(Instant(keeper.now() + 3 * 86_400_000_000))
        assert doctor._swept(keeper, keeper.now()).says == "the last ran 72 hours ago"
        note_swept(keeper)
        assert doctor._swept(keeper, keeper.now()).holds


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("postgresql://localhost/active", True),
        ("postgresql://db.example.org/active", True),
        ("host=/run/postgresql,db.example.org dbname=active", True),
        ("postgresql://db.example.org/active?sslmode=prefer", False),
        ("postgresql://localhost,db.example.org/active?sslmode=verify-ca", False),
        ("postgresql://db.example.org/active?sslmode=require", False),
        ("postgresql://db.example.org/active?sslmode=verify-full", True),
    ],
)
def test_a_database_on_another_host_is_reached_over_tls_that_is_checked(address: str, safe: bool) -> None:
    (found,) = doctor._connections({"active": address})
    assert found.holds is safe
    assert bool(found.remedy) is not safe


def test_a_public_key_that_is_not_the_ledgers_is_told_and_one_of_its_chain_is_not(home: Path) -> None:
    first = (home / "public.pem").read_text()
    with upheld.open(home, upheld.Options(light_hashing=True)) as keeper:
        rotating.rotate_signing(home, keeper)
    assert wrong(home) == []
    (home / "public.pem").write_text(first)
    assert wrong(home) == [], "who holds the first key of a chain can verify"
    system.init(home.parent / "other", upheld.Options(light_hashing=True))
    (home / "public.pem").write_text((home.parent / "other" / "public.pem").read_text())
    assert wrong(home) == ["public key"]
    (home / "public.pem").unlink()
    assert wrong(home) == ["public key"]


def test_a_signing_key_of_another_home_ends_the_list_and_is_named(home: Path) -> None:
    system.init(home.parent / "other", upheld.Options(light_hashing=True))
    (home / "secrets" / "signing.key").write_bytes((home.parent / "other" / "secrets" / "signing.key").read_bytes())
    told = CliRunner().invoke(app, ["doctor", "--home", str(home)])
    assert told.exit_code == 1
    assert "signing.key" in told.output.partition("opening")[2]


def test_an_item_to_look_people_up_by_that_no_policy_has_is_named(home: Path) -> None:
    settings = json.loads((home / "home.json").read_text())
    (home / "home.json").write_text(json.dumps(settings | {"look_up": {"trial": ["email", "e-mail"]}}))
    assert [one.says for one in doctor.examined(home) if not one.holds] == [
        "`trial` has no item e-mail, by which people are to be looked up"
    ]


def test_six_things_that_are_wrong_at_once_are_told_each_with_its_remedy(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "secrets").chmod(0o755)
    (home / "secrets" / "mac.key").chmod(0o640)
    (home / "copied").touch()
    os.utime(home / "copied", (1_700_000_000, 1_700_000_000))
    (home / "public.pem").unlink()
    settings = json.loads((home / "home.json").read_text())
    (home / "home.json").write_text(json.dumps(settings | {"look_up": {"trial": ["e-mail"]}}))
    monkeypatch.setattr(doctor, "SEALED_WITHIN", -1)
    found = [one for one in doctor.examined(home) if not one.holds]
    assert [one.what for one in found] == ["key files", "key files", "backup", "sealing", "public key", "look-up"]
    assert all(one.remedy for one in found)
