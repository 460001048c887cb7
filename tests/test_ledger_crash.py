"""Sealing and pruning survive the death of the process at any statement, and many processes at once."""

import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.test_ledger_journal import AT, GIVEN, KEY, OTHER, READ, VALUE, Salts, rows
from tests.test_ledger_sealing import DAY, SIGNING, House, sealer
from upheld.ledger.checkpoint import verifier_key
from upheld.ledger.entries import entry
from upheld.store import history
from upheld.store.journal import JournalWriter
from upheld.store.sealing import Sealer
from upheld.store.sqlite import open_for_writing
from upheld.store.verifying import verify_copy

PUBLIC = verifier_key("trial", SIGNING.public_key())
PLACES = ("active", "keys")


def _dies_at(
    statement: int, folder: Path, act: Callable[[Sealer, dict[str, sqlite3.Connection | Path]], object]
) -> bool:
    """Runs `act` in a process that is killed at its so-manieth SQL statement; True when it had not so many."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    left = statement

    def count(_: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    status = 1
    try:
        own = sealer(folder / "ledger.db", "childchildchildchild")
        places = {name: open_for_writing(folder / f"{name}.db") for name in PLACES}
        for connection in (own.connection, *places.values()):
            assert isinstance(connection, sqlite3.Connection)
            connection.set_trace_callback(count)
        act(own, dict(places))
        status = 0
    finally:
        os._exit(status)


def _sealed_again(folder: Path, at: int) -> tuple[int, dict[str, int]]:
    """What the next start finds: everything sealed, nothing left, the ledger sound. Entries and counts per kind."""
    own = sealer(folder / "ledger.db", "afterafterafterafter")
    places = {name: open_for_writing(folder / f"{name}.db") for name in PLACES}
    own.seal(places, at)
    assert all(rows(connection) == [] for connection in places.values())
    for connection in (own.connection, *places.values()):
        connection.close()
    found = verify_copy(folder / "ledger.db", PUBLIC)
    assert found.problems == ()
    return found.entries, dict(found.kinds)


def _written(folder: Path) -> None:
    house = House(folder)
    for number in range(3):
        house.write(READ, GIVEN, at=AT + number)
        house.write(
            entry("key.destroyed", AT + number, "nexr", OTHER, values=(VALUE,)), at=AT + number, where=house.keys
        )
    house.seal(AT + 3)
    for number in range(4, 6):
        house.write(READ, GIVEN, at=AT + number)
        house.write(
            entry("key.destroyed", AT + number, "nexr", OTHER, values=(VALUE,)), at=AT + number, where=house.keys
        )
    house.close()


@pytest.mark.slow
def test_a_sealer_killed_at_any_statement_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """I7, I11."""
    statement, finished = 0, False
    while not finished:
        statement += 1
        folder = tmp_path / str(statement)
        folder.mkdir()
        _written(folder)
        finished = _dies_at(statement, folder, lambda own, places: own.seal(places, AT + 6))
        assert _sealed_again(folder, AT + 7) == (15, {"consent.withdrawn": 5, "key.destroyed": 5, "read.granted": 5})
    assert statement > 30, "it was killed at every statement of a whole run"


@pytest.mark.slow
@pytest.mark.clauses("NX17-6.6.a")
def test_a_prune_killed_at_any_statement_is_finished_by_the_next(tmp_path: Path) -> None:
    statement, finished = 0, False
    while not finished:
        statement += 1
        folder = tmp_path / str(statement)
        folder.mkdir()
        _written(folder)
        _sealed_again(folder, AT + 6)
        finished = _dies_at(
            statement, folder, lambda own, _: own.prune("nexr", "safeguards.access-records", AT + 2, AT + DAY)
        )
        own = sealer(folder / "ledger.db", "afterafterafterafteb")
        own.prune("nexr", "safeguards.access-records", AT + 2, AT + 2 * DAY)
        kinds = [found.entry.kind for found in history.entries(own.connection)]
        own.close()
        assert (kinds.count("read.granted"), kinds.count("access.pruned")) == (3, 1)
        assert verify_copy(folder / "ledger.db", PUBLIC).problems == ()
    assert statement > 20


def _works(folder: Path, number: int, rounds: int) -> None:
    """A process of its own: writes to one place and seals now and then."""
    letter = "abcdefgh"[number]
    active = open_for_writing(folder / "active.db")
    journal = JournalWriter("active", letter * 20, KEY, Salts())
    own = sealer(folder / "ledger.db", letter * 19 + "z")
    for round_ in range(rounds):
        active.execute("BEGIN IMMEDIATE")
        journal.append(active, [GIVEN, READ], AT + round_)
        active.execute("COMMIT")
        journal.committed()
        if round_ % 5 == number % 5:
            own.seal({"active": folder / "active.db"}, AT + round_, written=journal.heads)


@pytest.mark.slow
def test_many_processes_write_and_seal_without_losing_or_refusing_any(tmp_path: Path) -> None:
    House(tmp_path).close()
    children = []
    for number in range(4):
        child = os.fork()
        if not child:
            status = 1
            try:
                _works(tmp_path, number, 25)
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4
    assert _sealed_again(tmp_path, AT + 99) == (200, {"consent.withdrawn": 100, "read.granted": 100})
