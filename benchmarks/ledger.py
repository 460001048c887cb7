"""What evidence costs: encoding, writing, sealing, verifying. Ratios are to the bare driver in the same run."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.ground import Ground
from benchmarks.measure import Figure
from upheld.ledger.batch import Head, batch_of
from upheld.ledger.entries import BatchClass, Entry, entry, stream_name
from upheld.store import history
from upheld.store.journal import JournalWriter, create_journal
from upheld.store.sealing import Sealer
from upheld.store.sqlite import open_for_writing
from upheld.store.verifying import verify_copy

AT = 1_600_000_000_000_000
KEY = b"k" * 32
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
ROUNDS = 5


def new_id() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(20))


def read_of(values: int, person: str, at: int = AT) -> Entry:
    return entry(
        "read.granted", at, "bizmeka-ez", person, ("purposes.required.identity",), purpose="identity",
        values=tuple(secrets.randbits(50) for _ in range(values)), reader="handler",
    )  # fmt: skip


def collected(person: str, at: int = AT) -> Entry:
    return entry(
        "value.collected", at, "bizmeka-ez", person, ("purposes.required.identity",), purpose="identity",
        values=(secrets.randbits(50),) * 3, items=("name", "phone", "email"), channel="website",
    )  # fmt: skip


def microseconds(call: Callable[[], object], times: int) -> float:
    """The median over rounds of one call."""
    rounds = []
    for _ in range(ROUNDS):
        start = perf_counter()
        for _ in range(times):
            call()
        rounds.append((perf_counter() - start) / times * 1e6)
    return median(rounds)


def encoding() -> dict[str, float]:
    stream, salt, person = stream_name("active", "bizmeka-ez", BatchClass.ACCESS, new_id()), b"s" * 32, new_id()

    def batch(entries: list[Entry]) -> Callable[[], object]:
        return lambda: batch_of(entries, stream, BatchClass.ACCESS, Head(), AT, salt, KEY)

    many = [read_of(1, new_id()) for _ in range(100)]
    return {
        "batch of one small entry, us": microseconds(batch(many[:1]), 2000),
        "batch of 100 entries, us an entry": microseconds(batch(many), 50) / 100,
        "one read entry of 100 values, us a value": microseconds(batch([read_of(100, person)]), 2000) / 100,
    }


def writing(folder: Path) -> dict[str, float]:
    """Durable commits: a row alone, and the same row with its evidence."""
    connection = open_for_writing(folder / "writing.db")
    create_journal(connection)
    connection.execute("CREATE TABLE held(id INTEGER PRIMARY KEY, data BLOB)")
    journal, person = JournalWriter("active", new_id(), KEY, secrets.token_bytes), new_id()

    def bare() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO held(data) VALUES(?)", (b"x" * 92,))
        connection.execute("COMMIT")

    def with_evidence() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO held(data) VALUES(?)", (b"x" * 92,))
        journal.append(connection, [collected(person)], AT)
        connection.execute("COMMIT")
        journal.committed()

    pairs = [(microseconds(bare, 200), microseconds(with_evidence, 200)) for _ in range(ROUNDS)]
    connection.close()
    return {
        "durable insert alone, us": median(alone for alone, _ in pairs),
        "durable insert with its evidence, us": median(proved for _, proved in pairs),
        "durable insert with its evidence, of bare": median(alone / proved for alone, proved in pairs),
    }


def sealing(folder: Path, entries: int, per_batch: int) -> dict[str, float]:
    active = open_for_writing(folder / f"active-{per_batch}.db")
    active.execute("PRAGMA synchronous = OFF")
    create_journal(active)
    journal, persons = JournalWriter("active", new_id(), KEY, secrets.token_bytes), [new_id() for _ in range(2000)]
    active.execute("BEGIN IMMEDIATE")
    for start in range(0, entries, per_batch):
        at = AT + start * 20_000_000
        group = [read_of(2, persons[(start + step) % 2000], at) if step % 3 else collected(persons[step % 2000], at)
                 for step in range(per_batch)]  # fmt: skip
        journal.append(active, group, at)
    active.execute("COMMIT")
    journal.committed()
    path = folder / f"ledger-{per_batch}.db"
    sealer = Sealer(
        path, signing_key=Ed25519PrivateKey.generate(), mac_key=KEY, salt_source=secrets.token_bytes,
        incarnation=new_id(), ledger_id="benchmark", created_at=AT,
    )  # fmt: skip
    start_at = perf_counter()
    sealer.seal({"active": active}, AT)
    sealed_at = perf_counter()
    found = verify_copy(path)
    verified_at = perf_counter()
    assert found.ok, found.problems
    rows = history.tally(sealer.connection)
    counted_at = perf_counter()
    sealer.close()
    active.close()
    return {
        f"seal, batches of {per_batch}, entries/s": entries / (sealed_at - start_at),
        f"verify, batches of {per_batch}, entries/s": entries / (verified_at - sealed_at),
        f"tally of {len(rows)} rows over {entries} entries, ms": (counted_at - verified_at) * 1e3,
        f"ledger, batches of {per_batch}, bytes an entry": path.stat().st_size / entries,
    }


def figures(ground: Ground) -> Iterator[Figure]:
    """Every figure of this module; only verifying has a target of its own."""
    entries = ground.sized(200_000, 20_000)
    found = {**encoding(), **writing(ground.folder)}
    found |= {**sealing(ground.folder, entries, 200), **sealing(ground.folder, entries // 10, 2)}
    for told, value in found.items():
        name, _, unit = told.rpartition(", ")
        least = 100_000.0 if told.startswith("verify, batches of 200") else None
        yield Figure(name=name, value=value, unit=unit, least=least)
