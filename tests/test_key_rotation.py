"""Keys are rotated: everything is wrapped anew while others work, whenever it is killed; the old key is not needed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

import upheld
from tests.homes import column
from tests.rotating_child import WHEN, unread
from tests.served import Served, furnished, served
from tests.trial_home import at
from upheld import cli, system
from upheld.engine.acts import SubjectId
from upheld.errors import HomeUnusable, StoreFailed
from upheld.keeper import Keeper
from upheld.ledger.handover import handed_over, handover_in
from upheld.store import history
from upheld.store.key_files import RETIRED, KeySource, public_pem
from upheld.store.ring import MARKED, mark_of
from upheld.store.vault import Tier
from upheld.store.verifying import check_certificate, verify_copy

FRESH = {name: sha256(name.encode()).hexdigest() for name in ("active", "separated", "mac")}
"""Roots that a key management service of the house might give."""
Persons = dict[str, SubjectId]
KEYS = ("active_key", "separated_key", "paper_key")


@contextmanager
def opened(home: Path) -> Iterator[Keeper]:
    with upheld.open(home, upheld.Options(clock=upheld.SetClock(WHEN), light_hashing=True)) as keeper:
        yield keeper


def rotated(home: Path) -> list[system.Rotated]:
    with opened(home) as keeper:
        return list(system.rotate_roots(home, keeper))


def marks(home: Path) -> set[bytes]:
    """The marks of everything that is wrapped."""
    rows = [one for table in KEYS for one in column(home / "keys.db", f"SELECT wrapped FROM {table}")]
    assert rows
    assert {len(one) for one in rows} == {MARKED}
    return {bytes(one[:4]) for one in rows}


def newest(home: Path) -> set[bytes]:
    return {mark_of(KeySource(home / "secrets", {}).roots(f"{tier.value}.key")[-1]) for tier in Tier}


def all_is_read(home: Path, persons: Persons) -> None:
    """Contents, look-ups and papers open, those from before too, and the ledger holds."""
    assert unread(home, persons) == []
    with opened(home) as keeper:
        assert verify_ledger(keeper) == ()


def verify_ledger(keeper: Keeper) -> tuple[str, ...]:
    keeper.seal()
    with keeper.places.ledger_copy() as path:
        return tuple(map(str, verify_copy(path).problems))


def rotations(home: Path) -> list[dict[str, object]]:
    with opened(home) as keeper:
        keeper.seal()
        found = list(history.entries(keeper.places.sealer.connection, kinds=("keys.rotated",)))
    return [dict(one.entry.fields) for one in found]


def child(*words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.rotating_child", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": "src:."})


def test_everything_is_wrapped_anew_and_the_old_root_is_not_needed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    persons = furnished(home).persons
    before = {name: (home / "secrets" / name).read_text() for name in ("active.key", "separated.key")}
    told = CliRunner().invoke(cli.app, ["rotate-keys", "--home", str(home)])
    assert told.exit_code == 0, told.output
    assert "keys wrapped anew by" in told.output
    assert not any(old in told.output for old in before.values())
    assert marks(home) == newest(home)
    for name, old in before.items():
        kept = list((home / "secrets" / RETIRED).glob(f"{name}.*"))
        assert [one.read_text() for one in kept] == [old]
        kept[0].unlink()
        assert (home / "secrets" / name).read_text() != old
    all_is_read(home, persons)
    assert [one["store"] for one in rotations(home)] == ["active", "separated"]


def test_a_ring_can_be_rotated_again_and_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    persons = furnished(home).persons
    seen = set()
    for _ in range(3):
        rotated(home)
        assert marks(home) == newest(home)
        seen |= newest(home)
    assert len(seen) == 6
    all_is_read(home, persons)
    assert [len(links(home, tier)) for tier in Tier] == [3, 3]


def links(home: Path, tier: Tier) -> list[object]:
    """The roots that followed each other, by what the ledger says; at one instant it stands in any order."""
    said = {one["before"]: one["after"] for one in rotations(home) if one["store"] == tier.value}
    (root,) = set(said) - set(said.values())
    found = [root := said[root] for _ in said]
    assert len(set(found)) == len(said)
    return found


def test_without_its_root_nothing_opens_and_the_message_names_no_key(tmp_path: Path) -> None:
    home = tmp_path / "home"
    furnished(home)
    rotated(home)
    path = home / "secrets" / "active.key"
    path.write_text("ab" * 32)
    with pytest.raises(StoreFailed, match=r"root key [0-9a-f]{8} of `active` is not there") as refused:
        upheld.open(home, upheld.Options(clock=upheld.SetClock(WHEN), light_hashing=True))
    assert "abab" not in str(refused.value)


def test_reading_and_writing_go_on_in_another_process_meanwhile(tmp_path: Path) -> None:
    home, stop = tmp_path / "home", tmp_path / "stop"
    persons = furnished(home).persons
    with child("works", home, stop) as worker:
        assert worker.stdout
        assert worker.stdout.readline() == "ready\n"
        for _ in range(2):
            rotated(home)
        stop.touch()
        last = json.loads(worker.stdout.readline())
    assert worker.returncode == 0
    assert last["wrong"] == 0
    assert last["done"] > 0
    assert marks(home) == newest(home)
    all_is_read(home, persons)


def test_killed_before_any_commit_it_goes_on(tmp_path: Path) -> None:
    home = tmp_path / "home"
    persons = furnished(home).persons
    with child("killed", home, json.dumps(persons)) as dying:
        assert dying.stdout
        told = json.loads(dying.stdout.readline())
    assert told["wrong"] == []
    assert told["ended"] == 0
    assert told["kills"] > 6
    assert marks(home) == newest(home)
    all_is_read(home, persons)
    rotated(home)
    assert marks(home) == newest(home)
    all_is_read(home, persons)
    assert [len(links(home, tier)) for tier in Tier] == [2, 2]


def test_roots_of_the_environment_are_given_as_the_old_and_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    persons = furnished(home).persons
    old = {tier: (home / "secrets" / f"{tier.value}.key").read_text() for tier in Tier}
    for tier in Tier:
        (home / "secrets" / f"{tier.value}.key").unlink()
        monkeypatch.setenv(f"UPHELD_{tier.name}_KEY", old[tier])
    with opened(home) as keeper, pytest.raises(HomeUnusable, match="the old key and after it a new one"):
        list(system.rotate_roots(home, keeper))
    new = {tier: FRESH[tier.value] for tier in Tier}
    for tier in Tier:
        monkeypatch.setenv(f"UPHELD_{tier.name}_KEY", f"{old[tier]},{new[tier]}")
    assert all(not one.kept for one in rotated(home))
    for tier in Tier:
        monkeypatch.setenv(f"UPHELD_{tier.name}_KEY", new[tier])
    all_is_read(home, persons)


def test_a_command_of_the_house_gives_the_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, vault = tmp_path / "home", tmp_path / "kms"
    vault.mkdir()
    for name in ("active.key", "separated.key", "mac.key"):
        (vault / name).write_text(FRESH[name.removesuffix(".key")])
    command = tmp_path / "ask-kms"
    command.write_text(f'#!/bin/sh\nexec cat "{vault}/$1"\n')
    command.chmod(0o755)
    made = CliRunner().invoke(cli.app, ["init", "--home", str(home), "--master-key-command", str(command)])
    assert made.exit_code == 0, made.output
    assert sorted(path.name for path in (home / "secrets").iterdir()) == ["signing.key"]
    with upheld.open(home, upheld.Options(clock=upheld.SetClock(at("2024-06-01")))) as keeper:
        assert keeper.places.vault.take(Tier.ACTIVE, 0)
    elsewhere = tmp_path / "ask-another-kms"
    elsewhere.write_text(command.read_text())
    elsewhere.chmod(0o755)
    command.unlink()
    with pytest.raises(HomeUnusable, match="did not answer for"):
        upheld.open(home)
    monkeypatch.setenv("UPHELD_KEY_COMMAND", str(elsewhere))
    with upheld.open(home, upheld.Options(clock=upheld.SetClock(at("2024-06-01")))) as keeper:
        assert keeper.places.vault.take(Tier.ACTIVE, 0)
    command = elsewhere
    (vault / "mac.key").unlink()
    with pytest.raises(HomeUnusable, match=r"ended with 1 for mac\.key"):
        upheld.open(home)
    command.write_text("#!/bin/sh\necho secret-on-the-way-out\n")
    with pytest.raises(HomeUnusable, match="is not a hexadecimal key") as refused:
        upheld.open(home)
    assert "secret-on-the-way-out" not in str(refused.value)


SIGNER = """
import pathlib, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
folder, word = pathlib.Path(sys.argv[1]), sys.argv[2]
keys = [Ed25519PrivateKey.from_private_bytes(bytes.fromhex(one)) for one in (folder / "keys").read_text().split()]
named = {one.public_key().public_bytes_raw().hex(): one for one in keys}
with (folder / "asked").open("a") as log:
    print(word, file=log)
if word == "public":
    print(*named)
else:
    signed = (named[sys.argv[3]] if not (folder / "lies").exists() else keys[0]).sign(sys.stdin.buffer.read())
    print(signed.hex())
"""


def test_a_command_of_the_house_signs_and_never_shows_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the file to the command, from one key of the command to the next; who held the first key verifies all."""
    home, kms = tmp_path / "home", tmp_path / "kms"
    persons = furnished(home).persons
    first = (home / "public.pem").read_text()
    kms.mkdir()
    (kms / "keys").write_text("a1" * 32)
    (kms / "sign.py").write_text(SIGNER)
    monkeypatch.setenv("UPHELD_SIGNING_COMMAND", f"{sys.executable} {kms / 'sign.py'} {kms}")
    for keys in ("a1" * 32, f"{'a1' * 32} {'b2' * 32}"):
        (kms / "keys").write_text(keys)
        with opened(home) as keeper:
            system.rotate_signing(home, keeper)
            keeper.enter("trial", "member")
            keeper.seal()
        assert not (home / "secrets" / "signing.key").exists()
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(keys.split()[-1]))
        assert (home / "public.pem").read_bytes() == public_pem(key)
    assert (home / "secrets" / RETIRED / "signing.key").exists()
    with opened(home) as keeper:
        keeper.sweep()
        given = [keeper.certificate(name) for name in keeper.certificates("trial")]
    with system.ledger_of(home) as ledger:
        for one in given:
            check_certificate(one, ledger)
        for known in (first, (home / "public.pem").read_text()):
            assert not verify_copy(ledger, known).problems
    all_is_read(home, persons)
    assert {"public", "sign"} == set((kms / "asked").read_text().split())
    # A signature of another key is never written down; what waits is sealed when the command is right again.
    with opened(home) as keeper:
        keeper.enter("trial", "member")
        (kms / "lies").touch()
        before = history.newest_note(keeper.places.sealer.connection)
        with pytest.raises(HomeUnusable, match="no signature of the key"):
            keeper.seal()
        assert history.newest_note(keeper.places.sealer.connection) == before
        (kms / "lies").unlink()
        assert keeper.seal().entries
    with system.ledger_of(home) as ledger:
        assert not verify_copy(ledger, first).problems


def test_without_the_command_that_signs_nothing_is_sealed_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, kms = tmp_path / "home", tmp_path / "kms"
    furnished(home)
    kms.mkdir()
    (kms / "keys").write_text("a1" * 32)
    (kms / "sign.py").write_text(SIGNER)
    command = f"{sys.executable} {kms / 'sign.py'} {kms}"
    monkeypatch.setenv("UPHELD_SIGNING_COMMAND", command)
    with opened(home) as keeper:
        system.rotate_signing(home, keeper)
    monkeypatch.delenv("UPHELD_SIGNING_COMMAND")
    with pytest.raises(HomeUnusable, match=r"signing\.key is missing"):
        upheld.open(home)
    monkeypatch.setenv("UPHELD_SIGNING_COMMAND", command.replace("sign.py", "away.py"))
    with pytest.raises(HomeUnusable, match="ended with 2 for public"):
        upheld.open(home)
    (kms / "keys").write_text("c3" * 32)
    monkeypatch.setenv("UPHELD_SIGNING_COMMAND", command)
    with pytest.raises(HomeUnusable, match="signed with another key"):
        upheld.open(home)


def test_keys_wrapped_before_roots_had_marks_still_open(tmp_path: Path) -> None:
    home = tmp_path / "home"
    persons = furnished(home).persons
    with opened(home) as keeper:
        for table in KEYS:
            rows = column(home / "keys.db", f"SELECT wrapped FROM {table}")
            keeper.places.keys.submit(
                lambda transaction, table=table, rows=rows: transaction.executemany(  # type: ignore[misc]  # bound at once
                    f"UPDATE {table} SET wrapped = ? WHERE wrapped = ?", [(one[4:], one) for one in rows]
                )
            )
    all_is_read(home, persons)
    rotated(home)
    assert marks(home) == newest(home)
    all_is_read(home, persons)


# ── the key that signs ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "home") as house:
        yield house


def test_the_old_key_signs_for_the_new_and_whoever_holds_either_can_verify(house: Served) -> None:
    old = (house.home / "public.pem").read_text()
    certificate = house.keeper.certificate(house.keeper.certificates("trial")[0])
    anchor = house.keeper.seal().checkpoint
    system.rotate_signing(house.home, house.keeper)
    new = (house.home / "public.pem").read_text()
    assert new != old
    later = house.keeper.certificate(house.keeper.certificates("trial")[0])
    system.rotate_signing(house.home, house.keeper)
    newest = (house.home / "public.pem").read_text()
    house.keeper.seal()
    with house.keeper.places.ledger_copy() as path:
        for key in (None, old, new, newest):
            assert verify_copy(path, key, [anchor]).problems == ()
            for document in (certificate, later):
                assert check_certificate(document, path, key).in_ledger
        stranger = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        assert verify_copy(path, b64encode(stranger).decode()).problems
    said = [one for one in rotations_of(house.keeper) if one["store"] == "signing"]
    assert [one["after"] for one in said[:1]] == [one["before"] for one in said[1:]]


def rotations_of(keeper: Keeper) -> list[dict[str, object]]:
    found = history.entries(keeper.places.sealer.connection, kinds=("keys.rotated",))
    return [dict(one.entry.fields) for one in found]


def test_a_process_that_was_running_signs_with_the_new_key_from_then_on(house: Served) -> None:
    with opened(house.home) as other:
        other.seal()
        system.rotate_signing(house.home, house.keeper)
        other.enter("trial", "member")
        assert verify_ledger(other) == ()
        assert other.signing_key.public_key() == house.keeper.signing_key.public_key()


@pytest.mark.parametrize("point", [1, 2, 3])
def test_a_handover_that_was_killed_is_taken_up_again(tmp_path: Path, point: int) -> None:
    home = tmp_path / "home"
    persons = furnished(home).persons
    with child("handed", home, point) as dying:
        assert dying.wait() == -signal.SIGKILL
    all_is_read(home, persons)
    with opened(home) as keeper:
        system.rotate_signing(home, keeper)
        assert verify_ledger(keeper) == ()
        assert len(history.handovers_in(keeper.places.sealer.connection)) == (2 if point == 3 else 1)
    all_is_read(home, persons)


def test_the_old_key_signs_nothing_any_more(house: Served) -> None:
    sealer = house.keeper.places.sealer
    old = house.keeper.signing_key
    system.rotate_signing(house.home, house.keeper)
    sealer._signing_key, sealer._signing_source = old, None
    house.keeper.enter("trial", "member")
    house.keeper.seal()
    with house.keeper.places.ledger_copy() as path:
        assert [one.code for one in verify_copy(path).problems] == ["checkpoint-forged"]


@pytest.mark.parametrize("forged", ["changed", "by-a-stranger", "removed", "of-another-ledger"])
def test_a_handover_that_is_not_signed_by_both_shows_nothing(house: Served, forged: str) -> None:
    old, stranger = house.keeper.signing_key, Ed25519PrivateKey.generate()
    system.rotate_signing(house.home, house.keeper)
    ledger = house.keeper.places.sealer.connection
    (note,) = history.handovers_in(ledger)
    made = handover_in(note)
    notes = {
        "changed": note.replace(f"handover {made.size}", f"handover {made.size + 1}"),
        "by-a-stranger": handed_over(made.ledger_id, made.size, made.at, stranger, house.keeper.signing_key),
        "of-another-ledger": handed_over("a" * 20, made.size, made.at, old, house.keeper.signing_key),
    }
    with house.keeper.places.ledger_copy() as path, connection_of(path) as copy:
        copy.execute("DELETE FROM meta WHERE key LIKE 'handover%'")
        if forged in notes:
            copy.execute("INSERT INTO meta(key, value) VALUES('handover 000000', ?)", (notes[forged],))
        copy.commit()
        assert verify_copy(path, (house.home / "public.pem").read_text()).problems
        assert verify_copy(path).problems


@contextmanager
def connection_of(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection:
        yield connection
