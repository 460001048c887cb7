"""A commit is on the disk before it is answered; the disk is waited for after the turn was given on (ADR 0056)."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.trial_home import POLICY, at, furnished, member, opened
from upheld.dates import Instant
from upheld.errors import StoreFailed
from upheld.ledger.entries import entry
from upheld.store import sqlite
from upheld.store.engine import Claim, Connection
from upheld.store.journal import JournalWriter
from upheld.store.marks import Mark
from upheld.store.place import Place, Transaction

NOW = at("2024-09-05")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    sqlite.create(tmp_path / "keys.db", "keys")
    writer = JournalWriter("keys", "a" * 20, bytes(32), bytes)
    return Place(sqlite.SqliteFile(tmp_path / "keys.db"), "keys", writer, lambda: Instant(1))


def written(transaction: Transaction) -> None:
    transaction.execute("INSERT INTO meta(key, value) VALUES('word', 'x') ON CONFLICT(key) DO NOTHING")
    transaction.journal(entry("keys.made", transaction.at, "house", None, (), store="active", made=1))


def test_others_may_write_while_one_waits_for_the_disk(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[bool] = []

    def flush() -> None:
        handle = os.open(tmp_path / "keys.lock", os.O_RDWR)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            turns.append(place.connection.in_transaction)
        finally:
            os.close(handle)

    monkeypatch.setattr(place.engine, "flush", flush)
    place.submit(written)
    with place.transaction() as transaction:
        written(transaction)
    with place.batch():
        place.submit(written)
    assert turns == [False, False, False]
    place.close()


def test_what_is_answered_was_flushed_after_it_was_written_and_then_marked(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    log, mark = tmp_path / "keys.db-wal", Mark(tmp_path / "marks" / "keys")
    flushed, marked = os.fdatasync, mark.set
    sizes: list[int] = []

    def set_mark(numbers: Mapping[str, int]) -> None:
        told.append("marked")
        marked(numbers)

    def flush(handle: int) -> None:
        assert os.path.samestat(os.fstat(handle), log.stat())
        told.append("flushed")
        sizes.append(log.stat().st_size)
        flushed(handle)

    monkeypatch.setattr(os, "fdatasync", flush)
    monkeypatch.setattr(mark, "set", set_mark)
    place.mark = mark
    for _ in range(3):
        place.submit(written)
        told.append("answered")
    assert told == ["flushed", "marked", "answered"] * 3
    assert sizes == sorted(set(sizes))
    with place.soon_durable() as transaction:
        written(transaction)
    assert len(told) == 9, "what start-up makes again waits for nothing"
    place.close()


def test_after_a_failed_flush_nobody_is_told_that_it_lasts_and_nothing_more_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise OSError(5, "Input/output error")

    with opened(tmp_path / "home", NOW) as house:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        person = member(house, "person")
        with monkeypatch.context() as broken:
            broken.setattr(house.keeper.places.active.engine, "flush", fails)
            with pytest.raises(StoreFailed, match="did not confirm"):
                house.keeper.withdraw(person, "purpose/offers", channel="website")
        with pytest.raises(StoreFailed, match="check it, then start this again"):
            house.keeper.consent(person, "purpose/offers", channel="website")
    with opened(tmp_path / "home", NOW) as house:
        assert house.keeper.consent(person, "purpose/offers", channel="website").granted


def test_the_ledger_is_written_when_what_it_seals_is_on_the_disk_of_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may have written it, and not have waited for the disk yet."""
    told: list[str] = []
    with opened(tmp_path / "home", NOW) as house, opened(tmp_path / "home", NOW) as other:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        member(house, "person")
        places, sealer = other.keeper.places, other.keeper.places.sealer
        for one in (places.active, places.separated, places.keys):
            monkeypatch.setattr(one, "flush", lambda name=one.name: told.append(name))
        begun = sealer.engine.begin

        def begin(connection: Connection) -> None:
            told.append("ledger")
            begun(connection)

        monkeypatch.setattr(sealer.engine, "begin", begin)
        assert other.keeper.seal().batches > 0
    assert told[:4] == ["active", "separated", "keys", "ledger"]


def test_who_takes_up_the_steps_of_another_has_their_beginning_on_the_disk_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnished(tmp_path / "home")
    with opened(tmp_path / "home") as house:
        monkeypatch.setattr(house.keeper, "_forward", lambda *_: None)
        house.keeper.sweep()
        assert house.keeper.open_steps()
    told: list[str] = []
    flushed, begun = Place.flush, Place._begin

    def flush(self: Place) -> None:
        told.append(f"flushed {self.name}")
        flushed(self)

    def begin(self: Place, claim: Claim | None = None, *, asks: bool = True) -> Transaction:
        told.append(f"began {self.name}")
        return begun(self, claim, asks=asks)

    monkeypatch.setattr(Place, "flush", flush)
    monkeypatch.setattr(Place, "_begin", begin)
    with opened(tmp_path / "home") as house:
        house.keeper.sweep()
        assert not house.keeper.open_steps()
    elsewhere = [number for number, word in enumerate(told) if word in ("began keys", "began separated")]
    assert told.index("flushed active") < elsewhere[0]
