"""Evidence is written with what it proves, in closed schemas, chained."""

import hmac
import sqlite3
from pathlib import Path

import msgspec
import pytest

from upheld.ledger import entries
from upheld.ledger.batch import Head, entries_in, mac_of, read_header
from upheld.ledger.entries import (
    KINDS,
    BatchClass,
    Entry,
    EntryRefused,
    Form,
    Value,
    entry,
    glance,
    kind_of,
    packed,
    unpacked,
)
from upheld.ledger.merkle import leaf_hash
from upheld.store.journal import (
    LARGEST_BATCH,
    JournalMisused,
    JournalRow,
    JournalTorn,
    JournalWriter,
    batches_in,
    create_journal,
    drop_sealed,
    heads_of,
)

ALIAS = "abcdefghijklmnopqrst"
VALUE = "valuevaluevaluevalue"
OTHER = "othervalueothervalue"
HOUSE = "incarnationaaaaaaaaa"
KEY = b"k" * 32
AT = 1_504_828_800_000_000
READ = entry(
    "read.granted",
    AT,
    "nexr",
    ALIAS,
    ("purposes.required.identity",),
    purpose="identity",
    values=(VALUE,),
    reader="handler",
)
GIVEN = entry(
    "consent.withdrawn", AT, "nexr", ALIAS, consent=VALUE, about_kind="purpose", about="events", version="2017-09-08",
    channel="website", by="subject",
)  # fmt: skip
EXAMPLES: dict[str, Value] = {
    "code": "letter", "codes": ("name", "phone"), "id": VALUE, "ids": (VALUE, OTHER), "int": 7, "instant": AT,
    "digest": b"d" * 32, "bool": True, "counts": {"values": 3, "persons": 1}, "stream": f"active/nexr/access/{HOUSE}",
    "locale": "en-GB",
}  # fmt: skip


def place(path: str | Path = ":memory:") -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    create_journal(connection)
    return connection


class Salts:
    """Salts that tests can foresee."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, length: int) -> bytes:
        self.count += 1
        return self.count.to_bytes(length, "big")


def rows(connection: sqlite3.Connection) -> list[JournalRow]:
    return batches_in(connection, 0, 1 << 40)[0]


def writer(name: str = "active", incarnation: str = HOUSE) -> JournalWriter:
    return JournalWriter(name, incarnation, KEY, Salts())


def write(connection: sqlite3.Connection, journal: JournalWriter, *written: Entry, at: int = AT) -> None:
    connection.execute("BEGIN IMMEDIATE")
    journal.append(connection, written, at)
    connection.execute("COMMIT")
    journal.committed()


@pytest.mark.parametrize("code", sorted(KINDS))
def test_every_kind_reads_back_as_it_was_written(code: str) -> None:
    fields = {field.name: EXAMPLES[field.type] for field in KINDS[code].fields}
    written = Entry(code, AT, "nexr", (ALIAS, VALUE), ("purposes.required.identity",), fields)
    assert unpacked(packed(written)) == written
    needed = {field.name: EXAMPLES[field.type] for field in KINDS[code].fields if field.required}
    assert unpacked(packed(Entry(code, AT, "nexr", None, (), needed))).fields == needed


OUTSIDE_TEXT = [
    "Gil-dong Hong",
    "홍길동",
    "010-1234-5678",
    "800101-1234567",
    "one@example.org",
    "a" * 65,
    "",
    "two words",
]


@pytest.mark.parametrize("text", OUTSIDE_TEXT, ids=repr)
@pytest.mark.parametrize("code", sorted(KINDS))
def test_no_field_of_any_kind_takes_outside_text(code: str, text: str) -> None:
    """I11: the ledger holds nothing personal."""
    fields = {each.name: EXAMPLES[each.type] for each in KINDS[code].fields}
    for field in KINDS[code].fields:
        wrongs: list[Value] = [text, (text,)] if field.type in ("codes", "ids") else [text]
        for wrong in wrongs:
            with pytest.raises(EntryRefused) as refusal:
                packed(Entry(code, AT, "nexr", None, (), {**fields, field.name: wrong}))
            assert (refusal.value.kind, refusal.value.field) == (code, field.name)
            assert len(text) < 5 or text not in str(refusal.value)


def test_ids_may_be_whole_numbers() -> None:
    numbered = entry("key.destroyed", AT, "nexr", ALIAS, values=(0, 5, 2**63 - 1))
    assert unpacked(packed(numbered)) == numbered
    assert glance(packed(numbered)).values == 3
    one = entry("value.corrected", AT, "nexr", ALIAS, old=7, new=8)
    assert unpacked(packed(one)) == one
    for wrong in [(1, -1), (1, 2**63), (1, VALUE), (VALUE, 1), (True,), (1.5,)]:
        with pytest.raises(EntryRefused):
            packed(entry("key.destroyed", AT, "nexr", ALIAS, values=wrong))  # type: ignore[arg-type]  # wrong on purpose


def test_a_kind_can_grow_and_old_entries_still_read(monkeypatch: pytest.MonkeyPatch) -> None:
    old = entry("subject.forgotten", AT, "nexr", ALIAS)
    written = packed(old)
    grown = kind_of("subject.forgotten", BatchClass.EVIDENCE, KINDS["engagement.ended"].fields[2:])
    monkeypatch.setattr(entries, "KINDS", {**KINDS, "subject.forgotten": grown})
    assert unpacked(written) == old
    later = entry("subject.forgotten", AT, "nexr", ALIAS, reason="asked")
    assert unpacked(packed(later)) == later
    monkeypatch.undo()
    with pytest.raises(EntryRefused):
        unpacked(msgspec.msgpack.encode([*msgspec.msgpack.decode(written), "asked"]))


def test_a_glance_sees_what_is_counted() -> None:
    seen = glance(packed(Entry(READ.kind, AT, "nexr", (ALIAS, OTHER), READ.elements, READ.fields)))
    assert seen == ("read.granted", AT, "nexr", (ALIAS, OTHER), ("purposes.required.identity",), 1)


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        (Entry("person.praised", AT, "nexr"), "kind"),
        (Entry("subject.forgotten", AT, "Next R"), "policy"),
        (Entry("subject.forgotten", AT, "nexr", "Hong"), "who"),
        (Entry("subject.forgotten", AT, "nexr", None, ("a b",)), "elements"),
        (Entry("subject.forgotten", AT, "nexr", None, (), {"remark": "rude"}), "remark"),
        (Entry("subject.entered", AT, "nexr"), "kind"),
        (Entry("subject.forgotten", 1 << 64, "nexr"), "at"),
    ],
)
def test_what_is_not_in_the_table_is_refused_by_name(broken: Entry, field: str) -> None:
    with pytest.raises(EntryRefused) as refusal:
        packed(broken)
    assert refusal.value.field == field


def test_evidence_and_access_records_never_share_a_batch_or_a_stream() -> None:
    connection = place()
    write(connection, writer(), READ, GIVEN, READ)
    access, evidence = rows(connection)
    assert (entries_in(access.body), entries_in(evidence.body)) == ([READ, READ], [GIVEN])
    assert [read_header(row.header).stream for row in (access, evidence)] == [
        f"active/nexr/access/{HOUSE}",
        f"active/nexr/evidence/{HOUSE}",
    ]
    assert [read_header(row.header).batch_class for row in (access, evidence)] == [
        BatchClass.ACCESS,
        BatchClass.EVIDENCE,
    ]


def test_policies_never_share_a_batch() -> None:
    connection = place()
    other = Entry(GIVEN.kind, AT, "bizmeka", ALIAS, (), GIVEN.fields)
    write(connection, writer(), GIVEN, other)
    assert [read_header(row.header).stream.split("/")[1] for row in rows(connection)] == ["nexr", "bizmeka"]


def test_each_batch_names_the_one_before_it() -> None:
    connection, journal = place(), writer()
    for _ in range(3):
        write(connection, journal, READ)
    headers = [read_header(row.header) for row in rows(connection)]
    leaves = [leaf_hash(row.header + row.body_hash) for row in rows(connection)]
    assert [header.n for header in headers] == [1, 2, 3]
    assert [header.prev_hash for header in headers] == [bytes(32), *leaves[:2]]
    assert [row.mac for row in rows(connection)] == [mac_of(KEY, leaf) for leaf in leaves]
    assert heads_of(connection) == journal.heads == {headers[0].stream: Head(3, leaves[2])}


@pytest.mark.parametrize("length", [1, 32, 64, 65, 200])
def test_a_batch_is_authenticated_by_the_hmac_of_its_leaf(length: int) -> None:
    key, leaf = bytes(range(length)), leaf_hash(b"made up")
    assert mac_of(key, leaf) == hmac.digest(key, leaf, "sha256") == mac_of(key, leaf)


@pytest.mark.parametrize("who", [None, ALIAS, (ALIAS, OTHER)])
@pytest.mark.parametrize("values", [(7,), (0, 1 << 62), (VALUE,), (VALUE, OTHER)])
@pytest.mark.parametrize("fields", [{}, {"use": "identify"}, {"reader_id": OTHER, "origin": VALUE}])
def test_a_form_is_filled_to_the_bytes_that_the_whole_entry_has(
    who: str | tuple[str, ...] | None, values: tuple[int, ...], fields: dict[str, Value]
) -> None:
    common: dict[str, Value] = {"purpose": "identity", "values": (1,), "reader": "handler", **fields}
    form = Form(Entry("read.granted", 0, "nexr", None, ("purposes.required.identity",), common))
    for at in (0, 1 << 20, AT, -AT):
        whole = Entry("read.granted", at, "nexr", who, ("purposes.required.identity",), {**common, "values": values})
        written = form.filled(at, who, values)
        assert written.data == packed(whole)
        assert (written.policy, written.at, written.batch_class) == ("nexr", at, BatchClass.ACCESS)


@pytest.mark.parametrize("engagement", [None, OTHER, VALUE])
@pytest.mark.parametrize("fields", [{}, {"capacity": "organisation"}])
def test_a_form_fills_one_field_more_to_the_same_bytes(engagement: str | None, fields: dict[str, Value]) -> None:
    common: dict[str, Value] = {"items": ("name",), "purpose": "identity", "channel": "website", **fields}
    like = {**common, "values": (1,), "engagement": None}
    form = Form(Entry("value.collected", 0, "nexr", None, ("purposes.required.identity",), like), "engagement")
    for at, values in ((0, (7,)), (AT, (1, 1 << 62))):
        given = {**common, "values": values, "engagement": engagement}
        whole = Entry("value.collected", at, "nexr", ALIAS, ("purposes.required.identity",), given)
        written = form.filled(at, ALIAS, values, engagement)
        assert written.data == packed(whole)
        assert written.batch_class == BatchClass.EVIDENCE
    with pytest.raises(EntryRefused) as refused:
        form.filled(AT, ALIAS, (1,), "no id")
    assert refused.value.field == "engagement"


@pytest.mark.parametrize("besides", ["capacity", "values", "law"])
def test_a_form_fills_no_field_that_it_would_have_to_leave_out(besides: str) -> None:
    fields: dict[str, Value] = {"values": (1,), "items": ("name",), "purpose": "identity", "channel": "website"}
    with pytest.raises(ValueError, match=besides):
        Form(Entry("value.collected", AT, "nexr", None, (), fields), besides)


def test_what_no_entry_may_say_no_form_says() -> None:
    common: dict[str, Value] = {"purpose": "identity", "values": (1,), "reader": "handler"}
    form = Form(Entry("read.granted", AT, "nexr", None, (), common))
    for at, who, values, field in (
        (AT, "Hong", (1,), "who"), (AT, (ALIAS, "Hong"), (1,), "who"), (AT, ALIAS, (-1,), "values"),
        (AT, ALIAS, (1 << 63,), "values"), (AT, ALIAS, ("no id",), "values"), (1 << 63, ALIAS, (1,), "at"),
    ):  # fmt: skip
        with pytest.raises(EntryRefused) as refused:
            form.filled(at, who, values)  # type: ignore[arg-type]  # what must not be
        assert refused.value.field == field
    with pytest.raises(EntryRefused):
        Form(Entry("read.granted", AT, "nexr", None, (), {**common, "purpose": "Not a code"}))


def test_statements_for_a_message_are_those_that_are_run_one_by_one() -> None:
    connection, journal, other = place(), writer(), writer()
    for other.asks, row in ((False, None), (True, 0)):
        other.number_after(row)
        with pytest.raises(JournalMisused):
            other.statements([READ], AT, 3)
    other.asks = False
    write(connection, journal, READ, GIVEN)
    made = [JournalRow(*(row[at] for at in (0, 6, 1, 2, 3, 5))) for _, row in other.statements([READ, GIVEN], AT, 3)]
    assert [row.bucket for row in made] == [3, 3]
    strip = [(row.row, row.header, len(row.body)) for row in made]
    assert strip == [(row.row, row.header, len(row.body)) for row in rows(connection)]
    assert [entries_in(row.body) for row in made] == [[READ], [GIVEN]]
    assert other.numbers == {}
    assert set(other.numbers_to_be.values()) == {1}
    other.committed()
    assert other.numbers == {read_header(row.header).stream: 1 for row in made}


def test_what_was_rolled_back_leaves_no_gap() -> None:
    connection, journal = place(), writer()
    write(connection, journal, READ)
    connection.execute("BEGIN IMMEDIATE")
    journal.append(connection, [READ], AT)
    connection.execute("ROLLBACK")
    journal.rolled_back()
    write(connection, journal, READ)
    assert [read_header(row.header).n for row in rows(connection)] == [1, 2]


def test_evidence_needs_the_transaction_of_what_it_proves() -> None:
    with pytest.raises(JournalMisused):
        writer().append(place(), [READ], AT)


def test_one_refused_entry_keeps_the_whole_append_out() -> None:
    connection, journal = place(), writer()
    connection.execute("BEGIN IMMEDIATE")
    with pytest.raises(EntryRefused):
        journal.append(connection, [GIVEN, READ, Entry("subject.forgotten", AT, "nexr", "Hong")], AT)
    connection.execute("COMMIT")
    assert rows(connection) == []


@pytest.mark.parametrize("commit", [True, False])
@pytest.mark.parametrize("earlier", [0, 2])
def test_an_unknown_outcome_is_found_out_by_reading(commit: bool, earlier: int) -> None:
    connection, journal = place(), writer()
    for _ in range(earlier):
        write(connection, journal, READ, GIVEN)
    connection.execute("BEGIN IMMEDIATE")
    journal.append(connection, [READ, GIVEN], AT)
    connection.execute("COMMIT" if commit else "ROLLBACK")
    assert journal.settled(connection) is commit
    write(connection, journal, READ, GIVEN)
    assert {head.n for head in heads_of(connection).values()} == {earlier + commit + 1}


def test_what_was_sealed_and_dropped_before_its_outcome_was_known_did_happen() -> None:
    connection, journal = place(), writer()
    connection.execute("BEGIN IMMEDIATE")
    journal.append(connection, [READ, GIVEN], AT)
    connection.execute("COMMIT")
    ends = heads_of(connection)
    drop_sealed(connection, connection.execute("SELECT bucket, id FROM journal").fetchall(), ends, "note")
    assert rows(connection) == []
    assert journal.settled(connection)
    assert journal.heads == ends


def test_half_a_transaction_is_noticed() -> None:
    connection, journal = place(), writer()
    connection.execute("BEGIN IMMEDIATE")
    journal.append(connection, [READ, GIVEN], AT)
    connection.execute("COMMIT")
    connection.execute("DELETE FROM journal WHERE id = 1")
    with pytest.raises(JournalTorn):
        journal.settled(connection)


def test_more_entries_than_a_batch_holds_make_more_batches() -> None:
    connection = place()
    write(connection, writer(), *[GIVEN] * (LARGEST_BATCH + 1))
    assert [len(entries_in(row.body)) for row in rows(connection)] == [LARGEST_BATCH, 1]
    assert [read_header(row.header).n for row in rows(connection)] == [1, 2]


def test_a_new_incarnation_names_the_one_before_it_when_told() -> None:
    connection = place()
    write(connection, writer(), GIVEN)
    ((stream, head),) = heads_of(connection).items()
    later = JournalWriter("active", "z" * 20, KEY, Salts(), {("nexr", BatchClass.EVIDENCE): (stream, head)})
    write(connection, later, GIVEN)
    write(connection, later, GIVEN)
    first, second = (read_header(row.header) for row in rows(connection)[1:])
    assert (first.n, first.after, first.prev_hash) == (1, (stream, 1), head.hash)
    assert (second.n, second.after) == (2, None)


def test_a_batch_spans_the_instants_of_its_entries_and_of_its_writing() -> None:
    connection = place()
    late = Entry("subject.forgotten", AT - 5, "nexr", ALIAS)
    write(connection, writer(), late, at=AT + 9)
    header = read_header(rows(connection)[0].header)
    assert (header.from_at, header.until_at) == (AT - 5, AT + 9)
