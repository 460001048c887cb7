"""Whoever changes the ledger, with the database password alone, is found, and the place named."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.test_ledger_journal import ALIAS, AT, GIVEN, KEY, OTHER, READ, VALUE, Salts
from tests.test_ledger_sealing import DAY, SIGNING, House
from upheld.ledger.batch import Head, batch_of, entry_leaves, read_body, read_header
from upheld.ledger.checkpoint import (
    Checkpoint,
    CheckpointRefused,
    checked,
    checkpoint_in,
    public_key_in,
    signed,
    verifier_key,
)
from upheld.ledger.entries import BatchClass, Entry, entry, packed, unpacked
from upheld.ledger.merkle import leaf_hash, root_of
from upheld.ledger.verify import Problem, Verification
from upheld.store import history
from upheld.store.sealing import Sealer
from upheld.store.sqlite import export
from upheld.store.verifying import verify_copy

PUBLIC = verifier_key("trial", SIGNING.public_key())
BATCHES = 30


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    for number in range(BATCHES // 3):
        reads = [Entry(READ.kind, AT + step, "nexr", ALIAS, READ.elements, READ.fields) for step in range(3)]
        house.write(*reads, GIVEN, GIVEN, at=AT + number)
        house.write(
            entry("key.destroyed", AT + number, "nexr", OTHER, values=(VALUE,)), at=AT + number, where=house.keys
        )
        house.seal(AT + number)
    yield house
    house.close()


@pytest.fixture
def copy(house: House, tmp_path: Path) -> Path:
    path = tmp_path / "copy.db"
    export(house.sealer.connection, path)
    return path


def changed(path: Path, *statements: str | tuple[str, tuple[object, ...]]) -> Path:
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(*((statement,) if isinstance(statement, str) else statement))
    connection.close()
    return path


def first(path: Path, **given: object) -> Problem:
    found = verify_copy(path, PUBLIC, **given)  # type: ignore[arg-type]  # passed on as given
    assert not found.ok
    return found.problems[0]


@pytest.mark.clauses("NX17-6.6.b")
def test_an_untouched_ledger_verifies_from_a_copy_of_one_file(copy: Path) -> None:
    found = verify_copy(copy, PUBLIC)
    assert found.problems == ()
    assert (found.batches, found.entries, found.checkpoints) == (BATCHES, 60, 11)
    assert found.kinds == {"consent.withdrawn": 20, "key.destroyed": 10, "read.granted": 30}
    assert found.complete == "not shown"
    assert any("cut off" in sentence for sentence in found.cannot_show)


def test_a_ledger_in_use_verifies_where_it_lies(house: House) -> None:
    assert verify_copy(house.path, PUBLIC).ok


def test_without_a_key_from_elsewhere_the_report_says_so(copy: Path) -> None:
    found = verify_copy(copy)
    assert found.ok
    assert not found.key_given
    assert any("key was taken from the ledger" in sentence for sentence in found.cannot_show)
    assert not any("key was taken" in sentence for sentence in verify_copy(copy, PUBLIC).cannot_show)


def test_what_stands_beside_the_ledger_in_its_file_is_said_not_to_be_looked_at(copy: Path) -> None:
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE note(text TEXT)")
        connection.execute("INSERT INTO note VALUES('not of the ledger')")
        connection.execute("INSERT INTO name(text) VALUES('nor is this')")
    found = verify_copy(copy, PUBLIC)
    assert found.ok
    assert any("beside the ledger" in sentence for sentence in found.cannot_show)


def test_an_anchor_of_today_shows_completeness_and_an_old_one_a_part(house: House, copy: Path) -> None:
    newest = history.newest_note(house.sealer.connection)
    older = history.note_of_size(house.sealer.connection, 9)
    assert older is not None
    assert verify_copy(copy, PUBLIC, [newest]).complete == "shown"
    part = verify_copy(copy, PUBLIC, [older])
    assert (part.complete, part.complete_to) == ("shown in part", 9)


# ── Changes to what is sealed ─────────────────────────────────────────────────────────────────────────────────────────


def _bodies(path: Path, leaf: int) -> tuple[bytes, list[bytes]]:
    with sqlite3.connect(path) as connection:
        (body,) = connection.execute("SELECT body FROM body WHERE leaf = ?", (leaf,)).fetchone()
    connection.close()
    return read_body(body)


def _leaf_with(path: Path, kind: str, after: int = 10) -> int:
    with history.reading(path) as connection:
        return next(found.leaf for found in history.entries(connection, kinds=[kind]) if found.leaf > after)


EntryChange = Callable[[list[bytes]], list[bytes]]
_FORGED = packed(Entry(READ.kind, AT, "nexr", OTHER, READ.elements, READ.fields))
ENTRY_CHANGES: dict[str, tuple[EntryChange, str, int | None]] = {
    "changed": (lambda written: [written[0], _FORGED, written[2]], "entry-changed", 1),
    "removed": (lambda written: [written[0], written[2]], "entry-removed", 1),
    "inserted": (lambda written: [*written, _FORGED], "entry-inserted", 3),
    "not an entry": (lambda written: [b"\xc1", *written[1:]], "entry-changed", 0),
}


@pytest.mark.clauses("NX17-6.6.b")
@pytest.mark.parametrize("change", ENTRY_CHANGES)
@pytest.mark.parametrize("thorough", [False, True], ids=["body-only", "with-hashes"])
def test_a_changed_entry_is_named(copy: Path, change: str, thorough: bool) -> None:
    """`with-hashes`: the forger also recomputes body_hash."""
    leaf = _leaf_with(copy, "read.granted")
    how, code, number = ENTRY_CHANGES[change]
    salt, written = _bodies(copy, leaf)
    written = how(written)
    body = msgspec.msgpack.encode([salt, *written])
    changed(copy, ("UPDATE body SET body = ? WHERE leaf = ?", (body, leaf)))
    if thorough:
        body_hash = root_of(entry_leaves(salt, written))
        changed(copy, ("UPDATE batch SET body_hash = ? WHERE leaf = ?", (body_hash, leaf)))
    problem = first(copy)
    assert (problem.leaf, problem.entry, problem.code) == (leaf, number, code)
    assert problem.stream is not None
    assert problem.stream.startswith("active/nexr/access/")
    assert f"batch {leaf}" in problem.message


def test_swapped_entries_of_a_batch_are_named(house: House, tmp_path: Path) -> None:
    house.write(*[Entry(GIVEN.kind, AT + number, "nexr", ALIAS, (), GIVEN.fields) for number in range(4)])
    house.seal()
    path = tmp_path / "swapped.db"
    export(house.sealer.connection, path)
    salt, written = _bodies(path, BATCHES)
    written[1], written[2] = written[2], written[1]
    changed(path, ("UPDATE body SET body = ? WHERE leaf = ?", (msgspec.msgpack.encode([salt, *written]), BATCHES)))
    problem = first(path)
    assert (problem.code, problem.leaf, problem.entry) == ("entries-reordered", BATCHES, 1)


RENUMBER = (
    "UPDATE batch SET leaf = -leaf WHERE leaf > {0}",
    "UPDATE batch SET leaf = -leaf {1} 1 WHERE leaf < 0",
    "UPDATE body SET leaf = -leaf WHERE leaf > {0}",
    "UPDATE body SET leaf = -leaf {1} 1 WHERE leaf < 0",
)
REMOVED = ("DELETE FROM body WHERE leaf = 12", "DELETE FROM batch WHERE leaf = 12")
TO_THE_SIDE = ("UPDATE {0} SET leaf = 999 WHERE leaf = 7", "UPDATE {0} SET leaf = 7 WHERE leaf = 14")
SWAP = tuple(
    statement.format(table)
    for table in ("batch", "body")
    for statement in (*TO_THE_SIDE, "UPDATE {0} SET leaf = 14 WHERE leaf = 999")
)
FORGED_BATCH = batch_of(
    [Entry(GIVEN.kind, AT, "nexr", OTHER, (), GIVEN.fields)],
    f"active/nexr/evidence/{'incarnationaaaaaaaaa'}", BatchClass.EVIDENCE, Head(99), AT, b"s" * 32, b"guess",
)  # fmt: skip
_INSERT = (
    "INSERT INTO batch SELECT {0}, stream, 100, 0, from_at, until_at, ?, ?, ? FROM batch WHERE class = 0 LIMIT 1",
    (FORGED_BATCH.header, FORGED_BATCH.body_hash, FORGED_BATCH.mac),
)
BATCH_CHANGES: dict[str, tuple[tuple[str | tuple[str, tuple[object, ...]], ...], str, int]] = {
    "removed": (REMOVED, "batch-removed", 12),
    "removed, numbers closed up": (
        (*REMOVED, *(statement.format(12, "-") for statement in RENUMBER)), "batch-removed", 12,
    ),
    "swapped": (SWAP, "batches-reordered", 7),
    "inserted": (
        (
            *(statement.format(12, "+") for statement in RENUMBER),
            (_INSERT[0].format(13), _INSERT[1]),
            ("INSERT INTO body VALUES(13, ?, x'00')", (FORGED_BATCH.body,)),
        ),
        "batch-inserted",
        13,
    ),
    "appended": (
        (
            (_INSERT[0].format(BATCHES), _INSERT[1]),
            (f"INSERT INTO body VALUES({BATCHES}, ?, x'00')", (FORGED_BATCH.body,)),
        ),
        "batch-inserted",
        BATCHES,
    ),
    "truncated": (("DELETE FROM body WHERE leaf >= 20", "DELETE FROM batch WHERE leaf >= 20"), "cut-off", 20),
    "header changed": (("UPDATE batch SET header = x'00' WHERE leaf = 9",), "batch-changed", 9),
    "header emptied": (("UPDATE batch SET header = '' WHERE leaf = 9",), "batch-changed", 9),
    "filed under another number": (("UPDATE batch SET n = 77 WHERE leaf = 9",), "batches-reordered", 9),
    "body of another": (
        ("UPDATE body SET body = (SELECT body FROM body WHERE leaf = 3) WHERE leaf = 9",), "batch-changed", 9,
    ),
    "body turned to text": (("UPDATE body SET body = 'ÿ' WHERE leaf = 9",), "batch-changed", 9),
    "tree changed": (
        ("UPDATE tile SET hashes = substr(hashes, 1, 288) || zeroblob(32) || substr(hashes, 321) WHERE level = 0",),
        "tree-changed",
        9,
    ),
}  # fmt: skip


@pytest.mark.clauses("NX17-6.6.b")
@pytest.mark.parametrize("change", BATCH_CHANGES)
def test_a_batch_changed_removed_inserted_or_moved_is_named(copy: Path, change: str) -> None:
    statements, code, leaf = BATCH_CHANGES[change]
    changed(copy, *statements)
    problem = first(copy)
    assert (problem.code, problem.leaf) == (code, leaf), problem.message


def _rewritten(path: Path, leaf: int) -> None:
    """What a forger with the database alone can do at most: batch, its row, and the stored tree, all consistent."""
    salt, written = _bodies(path, leaf)
    old = unpacked(written[0])
    written[0] = packed(Entry(old.kind, old.at, old.policy, "forgedforgedforgedfo", old.elements, old.fields))
    leaves = entry_leaves(salt, written)
    body_hash = root_of(leaves)
    with sqlite3.connect(path) as connection:
        (header,) = connection.execute("SELECT header FROM batch WHERE leaf = ?", (leaf,)).fetchone()
        (tile,) = connection.execute("SELECT hashes FROM tile WHERE level = 0").fetchone()
        tile = tile[: leaf * 32] + leaf_hash(header + body_hash) + tile[(leaf + 1) * 32 :]
        marks = b"".join(each[:4] for each in leaves)
        connection.execute("UPDATE batch SET body_hash = ? WHERE leaf = ?", (body_hash, leaf))
        connection.execute(
            "UPDATE body SET body = ?, marks = ? WHERE leaf = ?",
            (msgspec.msgpack.encode([salt, *written]), marks, leaf),
        )
        connection.execute("UPDATE tile SET hashes = ? WHERE level = 0", (tile,))
    connection.close()


@pytest.mark.clauses("NX17-6.6.b")
@pytest.mark.parametrize("leaf", [0, 1, 13, 26])
def test_a_batch_rewritten_with_its_tree_breaks_the_chain_of_its_stream(copy: Path, leaf: int) -> None:
    _rewritten(copy, leaf)
    problem = first(copy)
    assert (problem.code, problem.leaf) in (("batch-changed", leaf), ("span-changed", leaf - leaf % 3))
    assert problem.leaf is not None
    assert problem.leaf <= leaf < (problem.until_leaf or leaf + 1)


def test_the_last_batch_rewritten_with_its_tree_is_named_by_the_mac_where_the_house_verifies(copy: Path) -> None:
    _rewritten(copy, BATCHES - 1)
    span = first(copy)
    assert (span.code, span.leaf, span.until_leaf) == ("span-changed", BATCHES - 3, BATCHES)
    named = verify_copy(copy, PUBLIC, mac_keys={b"": KEY}).problems
    assert any(problem.code == "mac-false" and problem.leaf == BATCHES - 1 for problem in named)


# ── Checkpoints, anchors ──────────────────────────────────────────────────────────────────────────────────────────────


def _notes(path: Path) -> list[str]:
    with sqlite3.connect(path) as connection:
        notes = [note for (note,) in connection.execute("SELECT note FROM checkpoint ORDER BY size")]
    connection.close()
    return notes


@pytest.mark.clauses("NX17-6.6.b")
def test_a_forged_checkpoint_is_found(copy: Path) -> None:
    last = checkpoint_in(_notes(copy)[-1])
    forger = Ed25519PrivateKey.from_private_bytes(b"f" * 32)
    forged = signed(msgspec.structs.replace(last, root=b"r" * 32), forger)
    changed(copy, ("UPDATE checkpoint SET note = ? WHERE size = ?", (forged, last.size)))
    assert first(copy).code == "checkpoint-forged"


def test_a_checkpoint_edited_under_its_old_signature_is_found(copy: Path) -> None:
    note = _notes(copy)[4]
    size = checkpoint_in(note).size
    edited = note.replace(f"\n{size}\n", f"\n{size + 1}\n", 1)
    changed(copy, ("UPDATE checkpoint SET note = ? WHERE size = ?", (edited, size)))
    assert first(copy).code == "checkpoint-forged"


def test_a_ledger_signed_anew_with_another_key_is_found_by_the_public_key(house: House, tmp_path: Path) -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
    forged = Sealer(
        tmp_path / "forged.db", signing_key=other, mac_key=KEY, salt_source=Salts(), incarnation=VALUE,
        ledger_id="trial", created_at=AT,
    )  # fmt: skip
    forged.prune("nexr", "safeguards.access-records", AT, AT)
    forged.close()
    assert verify_copy(tmp_path / "forged.db").ok, "its own key says nothing against it"
    assert first(tmp_path / "forged.db").code == "checkpoint-forged"


def test_a_checkpoint_that_signs_for_other_ends_of_the_streams_is_found(copy: Path) -> None:
    true = checkpoint_in(_notes(copy)[-1])
    other = signed(msgspec.structs.replace(true, heads=b"h" * 32), SIGNING)
    changed(copy, ("UPDATE checkpoint SET note = ? WHERE size = ?", (other, true.size)))
    problem = first(copy)
    assert (problem.code, problem.until_leaf) == ("heads-differ", true.size)


def test_a_checkpoint_taken_out_is_found(copy: Path) -> None:
    changed(copy, "DELETE FROM checkpoint WHERE size = 9")
    assert first(copy).code == "checkpoint-removed"


def test_two_checkpoints_of_one_size_are_found_whoever_signed_them(copy: Path) -> None:
    last = checkpoint_in(_notes(copy)[-1])
    twin = signed(msgspec.structs.replace(last, at=last.at + 1, previous=last.digest), SIGNING)
    changed(
        copy,
        "CREATE TABLE other(size INTEGER, at INTEGER NOT NULL, note TEXT NOT NULL)",
        "INSERT INTO other SELECT size, at, note FROM checkpoint",
        "DROP TABLE checkpoint",
        "ALTER TABLE other RENAME TO checkpoint",
    )
    assert verify_copy(copy, PUBLIC).ok
    changed(copy, ("INSERT INTO checkpoint VALUES(?, ?, ?)", (twin_of := last.size, last.at + 1, twin)))
    found = verify_copy(copy, PUBLIC)
    assert [(problem.code, str(twin_of) in problem.message) for problem in found.problems] == [
        ("checkpoint-inserted", True)
    ]


@pytest.mark.clauses("NX17-6.6.b")
def test_a_ledger_rolled_back_is_found_against_an_anchor_and_only_so(house: House, copy: Path) -> None:
    house.write(GIVEN)
    anchor = house.seal()
    without = verify_copy(copy, PUBLIC)
    assert (without.ok, without.complete) == (True, "not shown")
    found = verify_copy(copy, PUBLIC, [anchor])
    assert (found.problems[0].code, found.problems[0].leaf, found.complete) == ("rolled-back", BATCHES, "not shown")


def test_an_anchor_of_another_history_is_a_contradiction(copy: Path) -> None:
    last = checkpoint_in(_notes(copy)[-1])
    anchor = signed(msgspec.structs.replace(last, root=b"r" * 32), SIGNING)
    assert [problem.code for problem in verify_copy(copy, PUBLIC, [anchor]).problems] == ["anchor-contradicted"]


@pytest.mark.parametrize("text", ["", "nonsense", "a\n\nb", "\n\n\n"])
def test_an_anchor_that_shows_nothing_is_said_to(copy: Path, text: str) -> None:
    assert [problem.code for problem in verify_copy(copy, PUBLIC, [text]).problems] == ["anchor-refused"]


def test_anchors_of_another_ledger_or_key_are_refused(copy: Path) -> None:
    last = checkpoint_in(_notes(copy)[-1])
    for anchor in [
        signed(msgspec.structs.replace(last, ledger_id="another"), SIGNING),
        signed(last, Ed25519PrivateKey.from_private_bytes(b"o" * 32)),
    ]:
        assert first(copy, anchors=[anchor]).code == "anchor-refused"


def test_a_note_may_carry_the_signatures_of_witnesses(house: House) -> None:
    note = history.newest_note(house.sealer.connection) + "— witness.example.org AAAAAAAA\n"
    assert checked(note, SIGNING.public_key()).size == BATCHES
    unsigned = note.replace("— upheld.ledger/trial", "— upheld.ledger/other")
    with pytest.raises(CheckpointRefused):
        checked(unsigned, SIGNING.public_key())


def test_the_public_key_is_read_in_each_of_its_forms() -> None:
    public = SIGNING.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for number in range(40):
        key = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32).public_key()
        assert public_key_in(verifier_key("trial", key)) == key
    assert public_key_in(pem) == public
    for wrong in ["", "upheld.ledger/x", "AAAA", "-----BEGIN PUBLIC KEY-----"]:
        with pytest.raises(CheckpointRefused):
            public_key_in(wrong)


def test_a_checkpoint_has_one_way_to_be_written() -> None:
    checkpoint = Checkpoint("trial", 7, b"r" * 32, b"h" * 32, b"p" * 32, AT)
    note = signed(checkpoint, SIGNING)
    assert checked(note, SIGNING.public_key()) == checkpoint
    for other in [note.replace("\n7\n", "\n07\n"), note.replace("\n7\n", "\n+7\n"), note.replace("heads ", "heads  ")]:
        with pytest.raises(CheckpointRefused):
            checkpoint_in(other)


# ── Prune ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("NX17-6.6.b")
def test_a_pruned_ledger_still_verifies_and_counts_what_is_gone(house: House) -> None:
    house.sealer.prune("nexr", "safeguards.access-records", AT + 4, AT + DAY)
    found = verify_copy(house.path, PUBLIC)
    assert found.problems == ()
    assert (found.pruned_batches, found.kinds["read.granted"], found.kinds["access.pruned"]) == (4, 18, 1)
    assert any("4 batches of access records" in sentence for sentence in found.cannot_show)


@pytest.mark.parametrize("kind", ["read.granted", "consent.withdrawn"])
def test_a_body_removed_without_a_signed_entry_is_found(house: House, copy: Path, kind: str) -> None:
    leaf = _leaf_with(copy, kind)
    changed(copy, f"DELETE FROM body WHERE leaf = {leaf}")
    problem = first(copy)
    assert (problem.code, problem.leaf) == ("body-removed", leaf)


def test_a_prune_entry_covers_no_more_than_it_says(house: House, tmp_path: Path) -> None:
    house.sealer.prune("nexr", "safeguards.access-records", AT + 4, AT + DAY)
    path = tmp_path / "more.db"
    export(house.sealer.connection, path)
    with sqlite3.connect(path) as connection:
        more = connection.execute("SELECT leaf, n FROM batch WHERE class = 1 AND n IN (5, 8)").fetchall()
        connection.executemany("DELETE FROM body WHERE leaf = ?", [(leaf,) for leaf, _ in more])
    connection.close()
    found = verify_copy(path, PUBLIC)
    assert [(problem.code, problem.n) for problem in found.problems] == [("body-removed", 5), ("body-removed", 8)]


def test_evidence_is_not_pruned_even_under_an_entry_that_says_so(house: House, tmp_path: Path) -> None:
    stream = next(
        name for name in history.sealed_heads(house.sealer.connection) if name.startswith("active/nexr/evidence")
    )
    lie = entry(
        "access.pruned", AT, "nexr", stream=stream, first=1, last=99, rule="safeguards.access-records", before=AT
    )
    house.write(lie)
    house.seal()
    path = tmp_path / "lie.db"
    export(house.sealer.connection, path)
    changed(path, f"DELETE FROM body WHERE leaf = {_leaf_with(path, 'consent.withdrawn')}")
    assert first(path).code == "body-removed"


# ── What is drawn from the entries ────────────────────────────────────────────────────────────────────────────────────

DRAWN_CHANGES = {
    "count": ("UPDATE tally SET entries = entries + 1 WHERE rowid_ = 1", "counts-differ"),
    "person": ("DELETE FROM entry_index WHERE leaf = 3", "index-differs"),
    "element": ("UPDATE named_in SET leaf = leaf + 1 WHERE leaf = (SELECT max(leaf) FROM named_in)", "index-differs"),
    "name": ("UPDATE name SET text = 'read.refused' WHERE text = 'read.granted'", "counts-differ"),
}


@pytest.mark.parametrize("change", DRAWN_CHANGES)
def test_reports_cannot_be_misled_by_their_indexes(copy: Path, change: str) -> None:
    statement, code = DRAWN_CHANGES[change]
    changed(copy, statement.replace("rowid_ = 1", "day = (SELECT min(day) FROM tally)"))
    assert first(copy).code == code


# ── Other files ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_no_ledger_is_said_to_be_none(tmp_path: Path) -> None:
    empty, text = tmp_path / "empty.db", tmp_path / "text.db"
    empty.touch()
    text.write_text("no database")
    for path in (empty, text, tmp_path / "nowhere.db"):
        with pytest.raises(history.LedgerMissing):
            verify_copy(path)


def test_every_single_bit_that_is_signed_for_matters(copy: Path, tmp_path: Path) -> None:
    """A sample of bit flips over every signed column of one batch."""
    sound = copy.read_bytes()
    for column, table in (("header", "batch"), ("body_hash", "batch"), ("body", "body")):
        for position in range(0, 32, 5):
            copy.write_bytes(sound)
            with sqlite3.connect(copy) as connection:
                (data,) = connection.execute(f"SELECT {column} FROM {table} WHERE leaf = 10").fetchone()
                place = position % len(data)
                flipped = data[:place] + bytes([data[place] ^ 1 << position % 8]) + data[place + 1 :]
                connection.execute(f"UPDATE {table} SET {column} = ? WHERE leaf = 10", (flipped,))
            connection.close()
            problem = first(copy)
            assert problem.leaf == 10, (column, position, problem)


def test_the_header_of_a_batch_says_what_its_row_says(copy: Path) -> None:
    with sqlite3.connect(copy) as connection:
        for header, n, from_at, until_at in connection.execute("SELECT header, n, from_at, until_at FROM batch"):
            read = read_header(header)
            assert (read.n, read.from_at, read.until_at) == (n, from_at, until_at)
    connection.close()


def test_a_verification_can_be_printed_as_json(copy: Path) -> None:
    found: Verification = verify_copy(copy, PUBLIC)
    assert msgspec.json.decode(msgspec.json.encode(found.problems)) == []
