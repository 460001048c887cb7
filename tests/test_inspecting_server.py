"""A supervisor's look on PostgreSQL: one message each, everything of a person as it was at one instant, and no entry of
the ledger missed because nothing seemed to have happened.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import upheld
from tests import postgres
from tests.homes import connection_to
from tests.trial_home import POLICY, House, at, member, opened
from upheld import system
from upheld.engine.acts import HandlerId, Reader, ReaderKind, RequestId, SubjectId
from upheld.store import subjects
from upheld.store.engine import answers
from upheld.store.ids import bucket_of
from upheld.store.journal import SEEN_BY
from upheld.store.sealing import TailBroken
from upheld.store.wire import Message, Wire

NOW = at("2024-03-01")
AUDITOR = Reader(ReaderKind.HANDLER, HandlerId("a" * 20), duties=frozenset({"audit"}))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, House, House]]:
    """A home as two processes have it open."""
    path = tmp_path_factory.mktemp("inspected") / "home"
    options = upheld.Options(clock=upheld.SetClock(NOW), light_hashing=True)
    with postgres.server() as address:
        system.init(path, options, postgres.made(address, "inspected"))
        with opened(path, NOW) as house, opened(path, NOW) as neighbour:
            house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
            yield path, house, neighbour


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The statements of every message."""
    found: list[list[str]] = []
    post, ask = Wire.post, Wire.ask

    def posted(self: Wire, messages: list[Message]) -> None:
        found.append([word.decode() for word, _ in messages])
        post(self, messages)

    def asked(self: Wire, message: Message) -> object:
        before = len(found)
        answer = ask(self, message)
        if len(found) == before:  # prepared by now: it went without a pipeline
            found.append([message[0].decode()])
        return answer

    monkeypatch.setattr(Wire, "post", posted)
    monkeypatch.setattr(Wire, "ask", asked)
    return found


def test_who_is_met_for_the_first_time_is_looked_at_by_one_message_and_so_again(
    home: tuple[Path, House, House], said: list[list[str]]
) -> None:
    _, house, neighbour = home
    people = [member(neighbour, f"met-{number}") for number in range(3)]
    with house.keeper.inspect("trial", reader=AUDITOR, reason="supervision") as look:
        look.of(people[0])
        for person in (people[1], people[2], people[1]):
            said.clear()
            assert {one.item for one in look.of(person)} == {"name", "email", "phone"}
            assert len(said) == 1
            assert len(said[0]) == 1
        neighbour.keeper.collect(people[1], "service", {"name": "Another Name"})
        assert len(look.of(people[1])) == 4


def test_everything_of_a_person_comes_in_one_statement_as_it_comes_in_eight(home: tuple[Path, House, House]) -> None:
    path, house, _ = home
    keeper, person = house.keeper, member(house, "full")
    keeper.consent(person, "provision/mall", channel="website")
    keeper.provide(person, "mall", items=("name",))
    asked = keeper.request(person, "erasure", channel="letter", proved=True)
    keeper.answer(person, RequestId(asked.made or ""), "refused", reason="another-person")
    keeper.request(person, "suspension", channel="letter", proved=False, purposes=("offers",))
    with closing(connection_to(path / "active.db")) as connection:
        connection.execute(
            "INSERT INTO acting(bucket, subject_id, acting_id, kind, from_at, known_at, until_at, rights, items) "
            "VALUES(?, ?, ?, 'agent', 1, 2, 9007199254740993, '[\"access\"]', '[]')",
            (bucket_of(person), person, "b" * 20),
        )
        key = (bucket_of(person), person)
        apart = subjects._row(person, answers(connection, [(one, key) for one in subjects._OF_SUBJECT]))
        row = subjects.load(connection, person)
        nobody = subjects.load(connection, SubjectId("c" * 20))
    assert nobody is None
    assert row is not None
    assert apart is not None
    assert row == apart
    state = row.state
    assert all((state.engagements, state.consents, state.values, state.requests, state.disclosures, state.acting))
    assert state.acting[0].until_at == 9_007_199_254_740_993, "a number of any size stays what it is"


def test_who_asks_for_the_log_while_nothing_happens_is_told_by_the_shortest_question(
    home: tuple[Path, House, House], said: list[list[str]]
) -> None:
    _, house, neighbour = home
    person = member(neighbour, "logged")
    with house.keeper.inspect("trial", reader=AUDITOR, reason="supervision") as look:
        first = look.latest(5)
        assert look.latest(5) == first
        for _ in range(3):
            said.clear()
            assert look.latest(5) == first
            assert said == [[SEEN_BY]]
        for _ in range(3):  # whoever has written, and whenever somebody looks
            neighbour.keeper.begin(person, "membership")
            newest = look.latest(5)
            assert newest[0].kind == "engagement.begun"
            assert newest[1:] == first[:4]
            assert look.latest(5) == look.latest(5) == newest
            first = newest
        asked = []
        for _ in range(3):  # while somebody writes all the time that question would come on top of the other
            neighbour.keeper.begin(person, "membership")
            said.clear()
            look.latest(5)
            asked.append([SEEN_BY] in said)
        assert asked == [True, False, False]


@pytest.mark.parametrize("begun", ["before the first look", "after it"])
def test_every_commit_is_seen_in_what_a_session_can_see_and_nothing_else_changes_it(
    home: tuple[Path, House, House], begun: str
) -> None:
    path, *_ = home
    file = path / "active.db"
    with (
        closing(connection_to(file)) as one,
        closing(connection_to(file)) as other,
        closing(connection_to(file)) as late,
    ):

        def seen() -> str:
            return str(one.execute(SEEN_BY).fetchone()[0])

        def write() -> None:
            other.execute("BEGIN")
            assert other.execute("UPDATE guard SET plan_epoch = plan_epoch").rowcount == 1
            late.execute("INSERT INTO setting(policy, name, value) VALUES('trial', ?, '')", (f"later, {begun}",))

        if begun == "before the first look":
            write()
        before = seen()
        assert seen() == before
        if begun == "after it":
            write()
        open_still = seen()
        other.execute("COMMIT")
        after = seen()
        assert after not in (before, open_still)
        assert seen() == after
        assert late.execute(SEEN_BY).fetchone()[0] != after, "another session is told apart"


def test_an_entry_that_was_changed_while_it_waited_is_found_however_often_somebody_looks(
    home: tuple[Path, House, House],
) -> None:
    path, house, neighbour = home
    person = member(neighbour, "changed")
    house.keeper.seal()
    with house.keeper.inspect("trial", reader=AUDITOR, reason="supervision") as look:
        for _ in range(3):
            look.latest(1)
        with closing(connection_to(path / "active.db")) as outside:
            before = set(outside.execute("SELECT id, body FROM journal").fetchall())
            neighbour.keeper.begin(person, "membership")
            ((row, body),) = set(outside.execute("SELECT id, body FROM journal").fetchall()) - before
            outside.execute("UPDATE journal SET body = ? WHERE id = ?", (b"other", row))
            for _ in range(3):
                with pytest.raises(TailBroken, match="batch"):
                    look.latest(1)
            outside.execute("UPDATE journal SET body = ? WHERE id = ?", (body, row))
        assert look.latest(1)[0].kind == "engagement.begun"
