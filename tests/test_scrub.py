"""What is destroyed is in no byte of any file of the home. Every file is searched, logs of the databases included."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.trial_home import POLICY, House, Row, at, opened, rows_in, text_of, wrapped_keys
from upheld.engine.acts import SubjectId
from upheld.store.vault import Tier

PERSONS = 150


def files_of(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in home.rglob("*") if path.is_file()}


def traces(home: Path, rows: list[Row], keys: dict[tuple[Tier, int], bytes]) -> list[str]:
    """Files in which ciphertext (its whole, its head or its tail) or the wrapped key of one of the rows is found."""
    found: list[str] = []
    files = files_of(home)
    for row in rows:
        assert row.sealed is not None
        assert row.key_id is not None
        for name, content in files.items():
            if row.sealed[:24] in content or row.sealed[-24:] in content:
                found.append(f"ciphertext of {row.item} in {name}")
            if keys[row.tier, row.key_id] in content:
                found.append(f"key of {row.item} in {name}")
    return found


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Path, list[SubjectId]]]:
    """Enough persons with contents of all lengths that the pages of the files have been split and joined."""
    home = tmp_path_factory.mktemp("crowd") / "home"
    chance = random.Random(18)
    with opened(home, at("2024-03-01")) as house:
        keeper = house.keeper
        keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        with keeper.batch():
            persons = [
                person
                for person, _ in zip(keeper.enter_many("trial", ["member"] * PERSONS), range(PERSONS), strict=True)
            ]
        for number, person in enumerate(persons):
            keeper.begin(person, "membership")
            long = "y" * chance.randrange(1, 900)
            texts = {"name": f"{text_of(str(number), 'name')}{long}", "email": text_of(str(number), "email")}
            assert keeper.collect(person, "service", texts).granted
        yield house, home, persons


@pytest.mark.clauses("BZ18-6.2.B", "BZ16-6.2.B", "KE22-5.2.b", "MS18-5.2.b", "NX17-5.3.a")
def test_separation_and_destruction_leave_no_byte(crowd: tuple[House, Path, list[SubjectId]]) -> None:
    house, home, persons = crowd
    leavers = frozenset(random.Random(5).sample(persons, PERSONS // 2))
    held, keys = [row for row in rows_in(home) if row.subject_id in leavers], wrapped_keys(home)
    assert traces(home, held, keys), "the search finds what is there"

    for person in leavers:
        house.keeper.fact(person, "closed")
    house.clock.set(at("2024-03-04"))
    assert house.keeper.sweep().separated == 2 * len(leavers)
    assert traces(home, held, keys) == []

    apart, keys_apart = [row for row in rows_in(home) if row.tier is Tier.SEPARATED], wrapped_keys(home)
    assert len(apart) == 2 * len(leavers)
    house.clock.set(at("2024-09-20"))
    assert house.keeper.sweep().destroyed == 2 * len(leavers)
    assert traces(home, apart, keys_apart) == []
    assert traces(home, held, keys) == []


def test_no_content_ever_lies_in_a_file_in_plain(crowd: tuple[House, Path, list[SubjectId]]) -> None:
    """What stayed, what was moved, what was destroyed: contents are nowhere, ledger and logs included."""
    _, home, _ = crowd
    files = files_of(home)
    assert {"active.db", "active.db-wal", "separated.db", "keys.db", "ledger.db", "ledger.db-wal"} <= set(files)
    plain = (b"@example.org", b"name-of-", b"email-of-", b"yyyyyyyy")
    assert [(name, text) for name, content in files.items() for text in plain if text in content] == []


@pytest.mark.clauses("BZ18-6.1.A.1", "BZ16-6.1.A.1")
def test_look_up_tokens_die_with_the_value(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with opened(home, at("2024-03-01")) as house:
        keeper = house.keeper
        keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        person = keeper.enter("trial", "member")
        keeper.begin(person, "membership")
        keeper.collect(person, "service", {"email": text_of("one", "email")})
        with closing(sqlite3.connect(home / "keys.db")) as connection:
            token = connection.execute("SELECT token FROM token").fetchone()[0]
        assert any(token in content for content in files_of(home).values())
        keeper.fact(person, "closed")
        house.clock.set(at("2024-03-04"))
        keeper.sweep()
        desk = keeper.application("desk")
        assert keeper.lookup("trial", "email", text_of("one", "email"), reader=desk, reason="desk") == ()
        found = keeper.lookup("trial", "email", text_of("one", "email"), reader=desk, reason="desk", separated=True)
        assert found == (person,)
        house.clock.set(at("2024-09-20"))
        keeper.sweep()
        again = keeper.lookup("trial", "email", text_of("one", "email"), reader=desk, reason="desk", separated=True)
        assert again == ()
        assert not any(token in content for content in files_of(home).values())


def test_an_open_reader_keeps_the_certificate_waiting_not_the_value_readable(tmp_path: Path) -> None:
    """Scrubbing can be refused: then the key is gone already, and the step waits and says so."""
    home = tmp_path / "home"
    with opened(home, at("2024-03-01")) as house:
        keeper = house.keeper
        keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        person = keeper.enter("trial", "member")
        keeper.begin(person, "membership")
        keeper.collect(person, "service", {"name": text_of("one", "name")})
        keeper.fact(person, "closed")
        house.clock.set(at("2024-03-04"))
        keeper.sweep()
        for place in (keeper.places.active, keeper.places.keys, keeper.places.separated):
            place.connection.execute("PRAGMA busy_timeout = 50").fetchall()
        house.clock.set(at("2024-09-20"))
        apart, keys = [row for row in rows_in(home) if row.tier is Tier.SEPARATED], wrapped_keys(home)
        with closing(sqlite3.connect(home / "separated.db", isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM value").fetchone()
            swept = keeper.sweep()
            assert swept.destroyed == 0
            assert swept.waiting
            assert not keeper.certificates("trial")
            assert [one for one in traces(home, apart, keys) if one.startswith("key")] == []
            reader.execute("ROLLBACK")
        assert keeper.sweep().destroyed == 1
        assert traces(home, apart, keys) == []
        assert len(keeper.certificates("trial")) == 1
