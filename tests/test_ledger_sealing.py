"""What places wrote becomes one signed history: nothing lost, nothing twice, whatever happens in between."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.test_ledger_journal import ALIAS, AT, GIVEN, KEY, OTHER, READ, VALUE, Salts, place, rows, write, writer
from upheld.ledger.checkpoint import checked, checkpoint_in
from upheld.ledger.entries import Entry, entry
from upheld.store import history, sealing
from upheld.store.journal import JournalWriter, checkpoint_seen
from upheld.store.leases import FileLeases, LeaseHeld
from upheld.store.sealing import LedgerOld, Sealer, TailBroken, tail_problems
from upheld.store.sqlite import export

SIGNING = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
DAY = history.DAY


def sealer(path: Path, incarnation: str = "sealersealersealeraa") -> Sealer:
    return Sealer(
        path, signing_key=SIGNING, mac_key=KEY, salt_source=Salts(), incarnation=incarnation, ledger_id="trial",
        created_at=AT,
    )  # fmt: skip


class House:
    """Two places with a writer each, and a ledger."""

    def __init__(self, path: Path) -> None:
        self.path = path / "ledger.db"
        self.active, self.keys = place(path / "active.db"), place(path / "keys.db")
        self.places: dict[str, sqlite3.Connection | Path] = {"active": self.active, "keys": self.keys}
        self.writers = {self.active: writer(), self.keys: writer("keys", "k" * 20)}
        self.sealer = sealer(self.path)

    def write(self, *entries: Entry, at: int = AT, where: sqlite3.Connection | None = None) -> None:
        connection = where or self.active
        write(connection, self.writers[connection], *entries, at=at)

    def seal(self, at: int = AT) -> str:
        written = self.writers[self.active].heads | self.writers[self.keys].heads
        return self.sealer.seal(self.places, at, written=written).checkpoint

    def fill(self, batches: int = 40) -> str:
        for number in range(batches):
            self.write(READ, READ, GIVEN, at=AT + number)
            self.write(
                entry("key.destroyed", AT + number, "nexr", OTHER, values=(VALUE,)), at=AT + number, where=self.keys
            )
        return self.seal(AT + batches)

    def close(self) -> None:
        for connection in (self.active, self.keys, self.sealer.connection):
            connection.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


def test_sealing_keeps_every_entry_once_and_empties_the_journals(house: House) -> None:
    house.fill(40)
    kinds = [recorded.entry.kind for recorded in history.entries(house.sealer.connection)]
    assert sorted(kinds) == ["consent.withdrawn"] * 40 + ["key.destroyed"] * 40 + ["read.granted"] * 80
    assert rows(house.active) == rows(house.keys) == []
    assert history.size_of(house.sealer.connection) == 120


def test_sealing_again_changes_nothing(house: House) -> None:
    note = house.fill(5)
    again = house.sealer.seal(house.places, AT + 99)
    assert (again.batches, again.checkpoint) == (0, note)


def test_the_checkpoint_is_signed_and_stands_in_every_place(house: House) -> None:
    note = house.fill(3)
    assert checkpoint_seen(house.active) == checkpoint_seen(house.keys) == note
    assert checked(note, SIGNING.public_key()).size == 9
    first = history.note_of_size(house.sealer.connection, 0)
    assert first is not None
    assert checkpoint_in(note).previous == checkpoint_in(first).digest


def test_a_crash_between_sealing_and_dropping_doubles_nothing(house: House) -> None:
    house.write(READ, GIVEN)
    before = {table: house.active.execute(f"SELECT * FROM {table}").fetchall() for table in ("journal", "stream_head")}
    note = house.seal()
    house.active.execute("DELETE FROM stream_head")
    house.active.executemany("INSERT INTO journal VALUES(?, ?, ?, ?, ?, ?)", before["journal"])
    house.active.executemany("INSERT INTO stream_head VALUES(?, ?, ?)", before["stream_head"])
    assert house.seal() == note
    assert rows(house.active) == []
    assert history.size_of(house.sealer.connection) == 2


def test_more_bytes_than_a_round_takes_are_all_sealed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(50):
        house.write(GIVEN)
    monkeypatch.setattr(sealing, "ROUND", 1000)
    sealed = house.sealer.seal(house.places, AT)
    assert (sealed.batches, checkpoint_in(sealed.checkpoint).size) == (50, 50)
    assert rows(house.active) == []


def test_places_may_be_given_as_files(house: House, tmp_path: Path) -> None:
    house.write(READ)
    assert house.sealer.seal({"active": tmp_path / "active.db"}, AT).entries == 1


def test_one_sealer_at_a_time(house: House) -> None:
    with FileLeases(house.path.parent).lease(house.path.name), pytest.raises(LeaseHeld):
        house.sealer.seal(house.places, AT, wait=False)
    house.sealer.seal(house.places, AT, wait=False)


def test_two_sealers_take_turns(house: House) -> None:
    second = sealer(house.path, "othersealerothersealerr"[:20])
    for round_ in range(4):
        house.write(GIVEN)
        (house.sealer if round_ % 2 else second).seal(house.places, AT + round_)
    assert history.size_of(house.sealer.connection) == 4
    second.close()


def test_a_ledger_that_a_place_has_outgrown_is_old(house: House, tmp_path: Path) -> None:
    house.fill(2)
    old = tmp_path / "old.db"
    export(house.sealer.connection, old)
    house.fill(2)
    restored = sealer(old)
    with pytest.raises(LedgerOld):
        restored.seal(house.places, AT)
    restored.close()


def test_another_ledger_is_refused(house: House, tmp_path: Path) -> None:
    house.fill(2)
    other = Sealer(
        tmp_path / "other.db", signing_key=SIGNING, mac_key=KEY, salt_source=Salts(), incarnation=VALUE,
        ledger_id="other", created_at=AT,
    )  # fmt: skip
    with pytest.raises(LedgerOld):
        other.seal(house.places, AT)
    other.close()


def test_an_old_copy_of_a_place_is_noticed(house: House, tmp_path: Path) -> None:
    house.write(GIVEN)
    with sqlite3.connect(tmp_path / "copy.db") as copy:
        house.active.backup(copy)
    house.write(GIVEN)
    house.seal()
    with pytest.raises(TailBroken) as broken:
        house.sealer.seal({"active": copy}, AT)
    assert [problem.code for problem in broken.value.problems] == ["place-old"]
    copy.close()


TAIL_CHANGES = {
    "body": ("UPDATE journal SET body = substr(body, 1, length(body) - 1) || x'41' WHERE id = 2", "tail-broken", 2),
    "salt": ("UPDATE journal SET body = substr(body, 1, 4) || x'ff' || substr(body, 6) WHERE id = 2", "tail-broken", 2),
    "body_hash": ("UPDATE journal SET body_hash = zeroblob(32) WHERE id = 2", "tail-broken", 2),
    "header": ("UPDATE journal SET header = (SELECT header FROM journal WHERE id = 3) WHERE id = 2", "tail-broken", 3),
    "mac": ("UPDATE journal SET mac = zeroblob(32) WHERE id = 2", "tail-broken", 2),
    "removed": ("DELETE FROM journal WHERE id = 2", "tail-broken", 3),
    "swapped": (
        "UPDATE journal SET (header, body_hash, body, mac) = "
        "(SELECT header, body_hash, body, mac FROM journal o WHERE o.id = 5 - journal.id) WHERE id IN (2, 3)",
        "tail-broken",
        3,
    ),
    "cut": ("DELETE FROM journal WHERE id > 1", "tail-cut", 2),
    "emptied": ("DELETE FROM journal", "tail-cut", 1),
}


@pytest.mark.clauses("NX17-6.6.b")
@pytest.mark.parametrize("change", TAIL_CHANGES)
def test_a_change_to_unsealed_evidence_is_found_and_its_batch_named(house: House, change: str) -> None:
    """I11, in the tail: with the database password alone."""
    for number in range(4):
        house.write(GIVEN, at=AT + number)
        house.write(entry("key.destroyed", AT, "nexr", OTHER, values=(VALUE,)), where=house.keys)
    statement, code, n = TAIL_CHANGES[change]
    house.active.execute(statement)
    if code == "tail-broken":
        told = tail_problems(house.sealer.connection, {"active": house.active, "keys": house.keys}, KEY)
        assert [(problem.code, problem.place, problem.n) for problem in told] == [(code, "active", n)]
    with pytest.raises(TailBroken) as broken:
        house.seal()
    (problem,) = broken.value.problems
    assert (problem.code, problem.place, problem.n) == (code, "active", n)
    assert broken.value.sealing is not None
    assert broken.value.sealing.batches >= 4, "what is sound elsewhere is sealed all the same"


@pytest.mark.clauses("NX17-6.6.b")
def test_a_tail_rewritten_as_a_whole_without_the_key_is_found(house: House, tmp_path: Path) -> None:
    house.write(GIVEN)
    forged = place(tmp_path / "forged.db")
    forger = JournalWriter("active", house.writers[house.active].incarnation, b"guess" * 6 + b"xx", Salts())
    write(forged, forger, Entry(GIVEN.kind, AT, "nexr", OTHER, (), GIVEN.fields))
    with pytest.raises(TailBroken, match="MAC"):
        house.sealer.seal({"active": forged}, AT)
    forged.close()


def test_a_sound_tail_can_be_checked_without_sealing_it(house: House) -> None:
    house.fill(2)
    for _ in range(3):
        house.write(READ, GIVEN)
    assert tail_problems(house.sealer.connection, {"active": house.active, "keys": house.keys}, KEY) == ()
    assert len(rows(house.active)) == 6


def test_a_stream_written_twice_is_found(house: House, tmp_path: Path) -> None:
    house.write(GIVEN)
    house.seal()
    twin = place(tmp_path / "twin.db")
    write(twin, writer(), READ, Entry(GIVEN.kind, AT + 1, "nexr", ALIAS, (), GIVEN.fields))
    with pytest.raises(TailBroken, match="twice") as broken:
        house.sealer.seal({"active": twin}, AT)
    assert broken.value.problems[0].n == 1
    assert len(rows(twin)) == 1, "evidence that was not sealed is not dropped"
    twin.close()


def test_a_persons_entries_are_found_by_alias(house: House) -> None:
    house.fill(10)
    house.write(entry("separation.opened", AT, "nexr", (ALIAS, OTHER), values=(VALUE, VALUE), generation=1))
    house.seal()
    found = [recorded.entry for recorded in history.entries_about(house.sealer.connection, OTHER)]
    assert [each.kind for each in found] == ["key.destroyed"] * 10 + ["separation.opened"]


def test_an_elements_entries_are_found_without_reading_the_rest(house: House) -> None:
    house.fill(10)
    named = list(history.entries_naming(house.sealer.connection, "purposes.required.identity"))
    assert {recorded.entry.kind for recorded in named} == {"read.granted"}
    assert len(named) == 20


def test_a_reference_leads_back_to_its_entry(house: House) -> None:
    house.fill(4)
    for recorded in history.entries(house.sealer.connection):
        assert history.entry_at(house.sealer.connection, recorded.reference) == recorded
    for wrong in ["99:0", "0:99", "x", "-1:0", ""]:
        with pytest.raises(history.NoSuchEntry):
            history.entry_at(house.sealer.connection, wrong)


def test_counts_are_those_of_the_entries_whatever_the_span(house: House) -> None:
    quarter = DAY // 4
    for number in range(24):
        at = AT + number * quarter
        house.write(Entry(READ.kind, at, "nexr", ALIAS, READ.elements, READ.fields), at=at)
        house.write(Entry(GIVEN.kind, at - DAY, "nexr", ALIAS, (), GIVEN.fields), at=at)
        house.seal(at)
    connection = house.sealer.connection
    for start in range(-5, 26, 3):
        for end in range(start, 30, 2):
            since, until = AT + start * quarter - 7, AT + end * quarter + 3
            found = {(row.element, row.kind): row for row in history.tally(connection, since, until, "nexr")}
            expected = list(history.entries(connection, since, until))
            reads = [recorded for recorded in expected if recorded.entry.kind == READ.kind]
            assert sum(row.entries for (element, _), row in found.items() if element == "") == len(expected)
            if reads:
                row = found[READ.elements[0], READ.kind]
                assert (row.entries, row.values) == (len(reads), len(reads))
                assert (row.first, row.last) == (reads[0].reference, reads[-1].reference)
                assert (row.first_at, row.last_at) == (reads[0].entry.at, reads[-1].entry.at)
    assert history.tally(connection, policy="other") == ()
    assert sum(row.entries for row in history.tally(connection) if row.element == "") == 48


@pytest.mark.clauses("NX17-6.6.a")
def test_access_records_go_at_their_time_and_evidence_stays(house: House) -> None:
    for number in range(6):
        house.write(READ, GIVEN, at=AT + number * DAY)
    house.seal(AT + 6 * DAY)
    pruned = house.sealer.prune("nexr", "safeguards.access-records", AT + 4 * DAY, AT + 7 * DAY)
    assert (pruned.batches, pruned.streams, pruned.scrubbed) == (4, 1, True)
    kinds = [recorded.entry.kind for recorded in history.entries(house.sealer.connection)]
    assert kinds.count("read.granted") == 2, "records whose time is not over are kept"
    assert kinds.count("consent.withdrawn") == 6
    assert kinds.count("access.pruned") == 1
    assert len(list(history.entries_about(house.sealer.connection, ALIAS))) == 8
    again = house.sealer.prune("nexr", "safeguards.access-records", AT + 4 * DAY, AT + 8 * DAY)
    assert (again.batches, again.checkpoint) == (0, pruned.checkpoint)


def test_pruned_bytes_are_in_none_of_the_files(house: House, tmp_path: Path) -> None:
    once = "onceonceonceonceonce"
    house.write(Entry(READ.kind, AT, "nexr", once, READ.elements, READ.fields))
    house.write(GIVEN)
    house.seal()
    house.active.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    files = [file for file in tmp_path.iterdir() if file.name.startswith("ledger.db")]
    assert any(once.encode() in file.read_bytes() for file in files)
    assert house.sealer.prune("nexr", "safeguards.access-records", AT + DAY, AT + DAY).scrubbed
    assert not any(once.encode() in file.read_bytes() for file in files)


def test_a_prune_of_one_policy_leaves_the_others(house: House) -> None:
    house.write(READ, Entry(READ.kind, AT, "nexr-two", ALIAS, (), READ.fields))
    house.seal()
    assert house.sealer.prune("nexr", "safeguards.access-records", AT + DAY, AT + DAY).batches == 1
    assert [recorded.entry.policy for recorded in history.entries(house.sealer.connection, kinds=[READ.kind])] == [
        "nexr-two"
    ]


def test_a_prune_that_was_cut_short_is_finished_by_the_next(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.write(READ)
    house.seal()

    def dies(self: Sealer, leaf: int, body: bytes) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Sealer, "_destroy_body", dies)
        with pytest.raises(KeyboardInterrupt):
            house.sealer.prune("nexr", "safeguards.access-records", AT + DAY, AT + DAY)
    assert house.sealer.prune("nexr", "safeguards.access-records", AT, AT + 2 * DAY).batches == 1
