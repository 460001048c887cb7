"""Keys are rotated: everything is wrapped anew while others work, whenever it is killed; the old key is not needed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

import upheld
from tests import postgres, trial_home
from tests.homes import changed, column, copied, forgotten, put_back
from tests.rotating_child import EXCHANGED, WHEN, unread
from tests.served import Served, furnished, served
from tests.test_crash import crashes_of
from tests.trial_home import SWEEP_DAY, at, proved
from upheld import cli, rotating, system
from upheld.dates import instant
from upheld.engine.acts import SubjectId
from upheld.errors import HomeUnusable, StoreFailed
from upheld.keeper import Keeper
from upheld.keeper.steps import Swept
from upheld.ledger.batch import Head, batch_of, read_header
from upheld.ledger.entries import BatchClass, entry, stream_name
from upheld.ledger.handover import handed_over, handover_in
from upheld.store import history
from upheld.store.journal_keys import NAME as JOURNAL_KEY
from upheld.store.journal_keys import KeyMoved
from upheld.store.key_files import RETIRED, KeySource, public_pem
from upheld.store.ring import MARKED, mark_of
from upheld.store.schema import PLACES
from upheld.store.sealing import TailBroken
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


def rotated(home: Path) -> list[rotating.Rotated]:
    with opened(home) as keeper:
        return list(rotating.rotate_roots(home, keeper))


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
    assert [one["store"] for one in rotations(home)] == [
        "active-look-up", "separated-look-up", "active", "separated", "journals",
    ]  # fmt: skip


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
        list(rotating.rotate_roots(home, keeper))
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
            rotating.rotate_signing(home, keeper)
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
        rotating.rotate_signing(home, keeper)
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


# ── the key that guards journals ────────────────────────────────────────────────────────────────────────────────────


def exchanged(home: Path) -> None:
    with opened(home) as keeper:
        list(rotating.rotate_roots(home, keeper, names=(JOURNAL_KEY,)))


def journal_keys(home: Path) -> tuple[bytes, ...]:
    return KeySource(home / "secrets", {}).roots(JOURNAL_KEY)


def waiting(home: Path) -> set[bytes]:
    """The marks of what waits to be sealed."""
    headers = [one for place in PLACES for one in column(home / f"{place}.db", "SELECT header FROM journal")]
    return {read_header(bytes(one)).mark for one in headers}


def named(home: Path) -> list[str]:
    statement = "SELECT value FROM meta WHERE key = 'mac-key'"
    return [one for place in PLACES for one in column(home / f"{place}.db", statement)]


def forged(home: Path, key: bytes, mark: bytes) -> None:
    """A batch in the journal by somebody who knows this key and can write to the place."""
    stream = stream_name("active", "house", BatchClass.EVIDENCE, "f" * 20)
    lie = entry("keys.made", instant(WHEN), "house", None, (), store="active", made=1)
    batch = batch_of([lie], stream, BatchClass.EVIDENCE, Head(), instant(WHEN), bytes(32), key, None, mark)
    changed(
        home / "active.db",
        "INSERT INTO journal(id, header, body_hash, body, mac, bucket) VALUES(?, ?, ?, ?, ?, 0)",
        1 << 40, batch.header, batch.body_hash, batch.body, batch.mac,
    )  # fmt: skip


def test_what_waits_is_guarded_by_the_next_key_and_the_old_one_is_not_needed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    persons = furnished(home).persons
    for _ in range(2):
        (old,) = journal_keys(home)
        with opened(home) as keeper:
            keeper.enter("trial", "member")
        assert waiting(home)
        told = CliRunner().invoke(cli.app, ["rotate-keys", "--journals", "--home", str(home)])
        assert told.exit_code == 0, told.output
        (new,) = journal_keys(home)
        assert new != old
        assert f"guarded by {mark_of(new).hex()}" in told.output
        assert old.hex() not in told.output
        (home / "secrets" / RETIRED / f"mac.key.{mark_of(old).hex()}").unlink()
        with opened(home) as keeper:
            keeper.enter("trial", "member")
        assert waiting(home) == {mark_of(new)}
        assert named(home) == [mark_of(new).hex()] * 3
    assert [one["store"] for one in rotations(home)] == ["journals"] * 2
    with trial_home.opened(home, WHEN) as house:
        house.keeper.seal()
        proved(home, house.keeper)
    all_is_read(home, persons)


def test_four_processes_write_and_look_up_while_the_key_is_exchanged_again_and_again(tmp_path: Path) -> None:
    home, stop = tmp_path / "home", tmp_path / "stop"
    persons = furnished(home).persons
    with contextlib.ExitStack() as all_of_them:
        workers = [all_of_them.enter_context(child("works", home, stop)) for _ in range(4)]
        for worker in workers:
            assert worker.stdout
            assert worker.stdout.readline() == "ready\n"
        for _ in range(2):
            exchanged(home)
        stop.touch()
        said = [json.loads(worker.stdout.readline()) for worker in workers if worker.stdout]
    assert [worker.returncode for worker in workers] == [0] * 4
    assert [one["wrong"] for one in said] == [0] * 4
    assert all(one["done"] for one in said)
    assert waiting(home) <= {mark_of(journal_keys(home)[-1])}
    all_is_read(home, persons)


@pytest.mark.slow
def test_an_exchange_killed_at_any_statement_is_gone_on_with(tmp_path: Path) -> None:
    """Every fifth statement here, every one in `make deep`."""
    found = crashes_of("exchange", tmp_path, 1, 5)
    assert found["failures"] == []
    assert set(found["places"]) == {"active", "separated", "keys", "ledger"}
    assert found["crashes"] > 6


@pytest.mark.deep
def test_an_exchange_killed_at_every_statement_is_gone_on_with(tmp_path: Path) -> None:
    found = crashes_of("exchange", tmp_path)
    assert found["failures"] == []
    assert found["crashes"] == found["statements"]


@pytest.mark.parametrize("point", [EXCHANGED, EXCHANGED + 1, EXCHANGED + 2])
def test_an_exchange_killed_beside_the_databases_is_gone_on_with(tmp_path: Path, point: int) -> None:
    home = tmp_path / "home"
    persons = furnished(home).persons
    with child("handed", home, point) as dying:
        assert dying.wait() == -signal.SIGKILL
    told = CliRunner().invoke(cli.app, ["doctor", "--home", str(home)]).output
    assert ("a rotation of `mac.key` was begun and is not over" in told) == (point < EXCHANGED + 2)
    with opened(home) as keeper:
        keeper.enter("trial", "member")
    exchanged(home)
    assert len(journal_keys(home)) == 1
    assert [one["store"] for one in rotations(home)] == ["journals"] * (2 if point == EXCHANGED + 2 else 1)
    told = CliRunner().invoke(cli.app, ["doctor", "--home", str(home)]).output
    assert "journals: guarded by one `mac.key`" in told
    all_is_read(home, persons)


def test_who_was_asleep_meanwhile_writes_with_the_key_that_is_named(tmp_path: Path) -> None:
    home, go = tmp_path / "home", tmp_path / "go"
    persons = furnished(home).persons
    with child("late", home, go) as sleeper:
        assert sleeper.stdout
        assert sleeper.stdout.readline() == "ready\n"
        exchanged(home)
        go.touch()
        assert json.loads(sleeper.stdout.readline()) == {"wrote": True}
    assert waiting(home) == {mark_of(journal_keys(home)[-1])}
    all_is_read(home, persons)


def test_who_has_only_the_old_key_is_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, go = tmp_path / "home", tmp_path / "go"
    persons = furnished(home).persons
    (old,) = journal_keys(home)
    monkeypatch.setenv("UPHELD_MAC_KEY", old.hex())
    with child("late", home, go) as sleeper:
        assert sleeper.stdout
        assert sleeper.stdout.readline() == "ready\n"
        monkeypatch.delenv("UPHELD_MAC_KEY")
        exchanged(home)
        before = waiting(home), column(home / "active.db", "SELECT count(*) FROM subject")
        go.touch()
        refused = json.loads(sleeper.stdout.readline())["refused"]
    (new,) = journal_keys(home)
    assert f"the key {mark_of(new).hex()} of `mac.key` is not here" in refused
    assert "put that key back where this process takes its keys from" in refused
    assert new.hex() not in refused
    assert (waiting(home), column(home / "active.db", "SELECT count(*) FROM subject")) == before
    monkeypatch.setenv("UPHELD_MAC_KEY", old.hex())
    with pytest.raises(StoreFailed, match="this process has the one before"):
        upheld.open(home)
    monkeypatch.delenv("UPHELD_MAC_KEY")
    all_is_read(home, persons)


@pytest.mark.parametrize("marked", [False, True])
@pytest.mark.parametrize("of", ["files", "environment"])
def test_who_knows_the_old_key_can_forge_nothing_after_it_even_for_who_still_has_it_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of: str, marked: bool
) -> None:
    """Also where the keys' source gives the old one for ever: the ledger says that it is gone."""
    home = tmp_path / "home"
    furnished(home)
    (old,) = journal_keys(home)
    if of == "environment":
        monkeypatch.setenv("UPHELD_MAC_KEY", f"{old.hex()},{FRESH['mac']}")
    with opened(home) as runs_on:
        runs_on.seal()
        exchanged(home)
        forged(home, old, mark_of(old) if marked else b"")
        with pytest.raises(TailBroken, match="is not here" if marked else "the MAC is false"):
            runs_on.seal()
    with opened(home) as begun_later, pytest.raises(TailBroken):
        begun_later.seal()
    changed(home / "active.db", "DELETE FROM journal WHERE id = ?", 1 << 40)
    with opened(home) as keeper:
        assert verify_ledger(keeper) == ()


def test_until_the_old_key_is_gone_both_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup from amid a rotation with the keys of that moment goes on from there."""
    home, copy = tmp_path / "home", tmp_path / "copy"
    persons = furnished(home).persons
    (old,) = journal_keys(home)
    with opened(home) as keeper, monkeypatch.context() as stops:
        keeper.enter("trial", "member")
        stops.setattr(Keeper, "seal", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            list(rotating.rotate_roots(home, keeper, names=(JOURNAL_KEY,)))
        keeper.enter("trial", "member")
    new = mark_of(journal_keys(home)[-1])
    assert waiting(home) == {b"", new}
    amid = copied(home, copy)
    all_is_read(home, persons)
    assert "was begun and is not over" in CliRunner().invoke(cli.app, ["doctor", "--home", str(amid)]).output
    exchanged(amid)
    assert journal_keys(amid)[-1] != old
    assert len(journal_keys(amid)) == 1
    all_is_read(amid, persons)
    forgotten(amid)


def test_a_copy_from_before_needs_its_key_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    persons = furnished(home).persons
    with opened(home) as keeper:
        keeper.enter("trial", "member")
    copy = copied(home, tmp_path / "copy")
    (old,) = journal_keys(home)
    exchanged(home)
    (new,) = journal_keys(home)
    (copy / "secrets" / JOURNAL_KEY).write_text(new.hex())
    with opened(copy) as keeper, pytest.raises(TailBroken, match="another key wrote it"):
        keeper.seal()
    (copy / "secrets" / JOURNAL_KEY).write_text(f"{old.hex()} {new.hex()}")
    exchanged(copy)
    assert journal_keys(copy) == (new,)
    all_is_read(copy, persons)
    forgotten(copy)


def test_a_place_from_before_names_the_key_of_now_once_it_is_recovered(tmp_path: Path) -> None:
    home = tmp_path / "home"
    persons = furnished(home).persons
    exchanged(home)
    with opened(home) as keeper:
        keeper.seal()
    copy = copied(home, tmp_path / "copy")
    exchanged(home)
    with opened(home) as keeper:
        keeper.fact(persons["asker"], "closed")
        keeper.seal()
    put_back(home, copy, "active")
    with opened(home) as keeper:
        assert keeper.notice()
        keeper.recover()
        keeper.enter("trial", "member")
        assert verify_ledger(keeper) == ()
    assert named(home) == [mark_of(journal_keys(home)[-1]).hex()] * 3
    forgotten(copy)


def test_keys_for_journals_come_from_a_command_as_the_old_and_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, kms = tmp_path / "home", tmp_path / "kms"
    persons = furnished(home).persons
    shutil.copytree(home / "secrets", kms)
    command = tmp_path / "ask-kms"
    command.write_text(f'#!/bin/sh\nexec cat "{kms}/$1"\n')
    command.chmod(0o755)
    monkeypatch.setenv("UPHELD_KEY_COMMAND", str(command))
    with opened(home) as runs_on:
        with opened(home) as keeper, pytest.raises(HomeUnusable, match="the old key and after it a new one"):
            list(rotating.rotate_roots(home, keeper, names=(JOURNAL_KEY,)))
        (kms / JOURNAL_KEY).write_text(f"{(kms / JOURNAL_KEY).read_text()},{FRESH['mac']}")
        told = CliRunner().invoke(cli.app, ["rotate-keys", "--journals", "--home", str(home)])
        assert told.exit_code == 0, told.output
        assert "take it out of where keys come from" in told.output
        (kms / JOURNAL_KEY).write_text(FRESH["mac"])
        runs_on.enter("trial", "member")
    assert waiting(home) == {mark_of(bytes.fromhex(FRESH["mac"]))}
    all_is_read(home, persons)


@pytest.fixture(scope="module")
def on_server() -> Iterator[str]:
    with postgres.server() as address, postgres.homes_on(address):
        yield address


def test_on_a_server_whatever_comes_first_after_an_exchange_is_done_with_the_next_key(
    on_server: str, tmp_path: Path
) -> None:
    """It is one message that finds out that the key is another, so it is sent again: who called sees nothing of it."""
    home = tmp_path / "home"
    persons = trial_home.furnished(home)
    with trial_home.opened(home) as house:
        keeper, stayer = house.keeper, persons["stayer"]
        desk = keeper.application("desk")
        keeper.read(stayer, "service", reader=desk, items=("name",))

        def withdraws() -> object:
            return keeper.withdraw(stayer, "purpose/offers", channel="website")

        def in_a_batch() -> None:
            with keeper.batch():
                keeper.enter("trial", "member")
                withdraws()

        def two_at_once() -> None:
            with ThreadPoolExecutor(4) as pool:
                found = [pool.submit(keeper.enter, "trial", "member") for _ in range(8)]
                assert len({one.result() for one in found}) == 8

        def as_on_several_machines() -> None:
            writer = keeper.places.active.writer
            writer.asks = True  # a table of theirs takes no question within an insert
            try:
                keeper.read(stayer, "service", reader=desk, items=("name",))
            finally:
                writer.asks = False

        acts: tuple[Callable[[], object], ...] = (
            lambda: keeper.read(stayer, "service", reader=desk, items=("name",)),
            lambda: keeper.enter("trial", "member"),
            lambda: keeper.collect(stayer, "service", {"name": "Made Up"}),
            withdraws,
            in_a_batch,
            lambda: keeper.together(withdraws, about=(stayer,)),
            two_at_once,
            as_on_several_machines,
            keeper.sweep,
        )
        for act in acts:
            exchanged_at(home, SWEEP_DAY)
            act()
            assert waiting(home) <= {mark_of(journal_keys(home)[-1])}
        keeper.seal()
        proved(home, keeper)
    assert len([one for one in rotations(home) if one["store"] == "journals"]) == len(acts)
    forgotten(home)


def test_a_sweep_in_the_middle_of_which_every_place_names_another_key_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    trial_home.furnished(home)
    with trial_home.opened(home) as house:
        sweeps, met = house.keeper._sweep, iter(PLACES)

        def moved_once_in_each(*given: Any) -> Swept:
            for place in met:
                raise KeyMoved(f"`{place}` names another key")
            return sweeps(*given)

        monkeypatch.setattr(house.keeper, "_sweep", moved_once_in_each)
        swept = house.keeper.sweep()
        assert (swept.separated, swept.destroyed, swept.forgotten) == (2, 4, 1)
        proved(home, house.keeper)


def exchanged_at(home: Path, when: datetime) -> None:
    with trial_home.opened(home, when) as house:
        list(rotating.rotate_roots(home, house.keeper, names=(JOURNAL_KEY,)))


def test_a_batch_that_says_another_key_than_guards_it_is_false_where_the_house_verifies(tmp_path: Path) -> None:
    home = tmp_path / "home"
    persons = trial_home.furnished(home)
    exchanged_at(home, SWEEP_DAY)
    key = journal_keys(home)[-1]
    with trial_home.opened(home) as house:
        house.keeper.withdraw(persons["stayer"], "purpose/offers", channel="website")
        house.keeper.seal()
        with house.keeper.places.ledger_copy() as ledger:
            assert verify_copy(ledger, mac_keys={mark_of(key): key}).ok
            found = verify_copy(ledger, mac_keys={mark_of(key): bytes(32)}).problems
    assert {one.code for one in found} == {"mac-false"}


# ── the key that signs ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "home") as house:
        yield house


def test_the_old_key_signs_for_the_new_and_whoever_holds_either_can_verify(house: Served) -> None:
    old = (house.home / "public.pem").read_text()
    certificate = house.keeper.certificate(house.keeper.certificates("trial")[0])
    anchor = house.keeper.seal().checkpoint
    rotating.rotate_signing(house.home, house.keeper)
    new = (house.home / "public.pem").read_text()
    assert new != old
    later = house.keeper.certificate(house.keeper.certificates("trial")[0])
    rotating.rotate_signing(house.home, house.keeper)
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
        rotating.rotate_signing(house.home, house.keeper)
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
        rotating.rotate_signing(home, keeper)
        assert verify_ledger(keeper) == ()
        assert len(history.handovers_in(keeper.places.sealer.connection)) == (2 if point == 3 else 1)
    all_is_read(home, persons)


def test_the_old_key_signs_nothing_any_more(house: Served) -> None:
    sealer = house.keeper.places.sealer
    old = house.keeper.signing_key
    rotating.rotate_signing(house.home, house.keeper)
    sealer._signing_key, sealer._signing_source = old, None
    house.keeper.enter("trial", "member")
    house.keeper.seal()
    with house.keeper.places.ledger_copy() as path:
        assert [one.code for one in verify_copy(path).problems] == ["checkpoint-forged"]


@pytest.mark.parametrize("forged", ["changed", "by-a-stranger", "removed", "of-another-ledger"])
def test_a_handover_that_is_not_signed_by_both_shows_nothing(house: Served, forged: str) -> None:
    old, stranger = house.keeper.signing_key, Ed25519PrivateKey.generate()
    rotating.rotate_signing(house.home, house.keeper)
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
