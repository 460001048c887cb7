"""An answer is waited for awake only where that keeps nobody from anything, and not for long."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from time import perf_counter, process_time

import psycopg
import pytest

import upheld
from tests import postgres
from tests.trial_home import at
from upheld import system
from upheld.errors import HomeUnusable, NotRecorded, StoreFailed
from upheld.store import awake
from upheld.store.awake import LONGEST, LOOK, REST, Awake, cores
from upheld.store.engine import ConnectionLost, Proof
from upheld.store.postgres import PostgresConnection
from upheld.store.scrubbing import Rewriting


@dataclass
class Server:
    """Answers after some looks; each takes as long as is said."""

    answers_after: int
    takes: float = LOOK / 50
    at: float = 0.0
    looks: int = 0
    gave_way: int = 0

    def busy(self) -> bool:
        return self.looks < self.answers_after

    def look(self) -> None:
        self.looks += 1
        self.at += self.takes

    def give_way(self) -> None:
        self.gave_way += 1

    def waited_for(self, by: Awake) -> int:
        """How often it was looked at."""
        self.looks = 0
        by.wait(self.busy, self.look)
        return self.looks


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awake, "cores", lambda: 2)
    monkeypatch.setattr(awake, "active_count", lambda: 1)


@pytest.fixture
def serves(monkeypatch: pytest.MonkeyPatch, two_cores: None) -> Callable[..., Server]:
    def made(answers_after: int, takes: float = LOOK / 50) -> Server:
        server = Server(answers_after, takes)
        monkeypatch.setattr(awake, "perf_counter", lambda: server.at)
        monkeypatch.setattr(os, "sched_yield", server.give_way)
        return server

    return made


def test_who_is_alone_looks_until_the_answer_is_there_and_gives_way_at_each_look(
    serves: Callable[..., Server],
) -> None:
    server, ours = serves(40), Awake(True)
    for _ in range(3):
        assert server.waited_for(ours) == 40
    assert server.gave_way == 120


def test_an_answer_that_does_not_come_is_waited_for_asleep_and_the_next_ones_too(
    serves: Callable[..., Server],
) -> None:
    server, ours = serves(10**6), Awake(True)
    most = LONGEST / server.takes
    assert most <= server.waited_for(ours) <= most + 2
    assert [server.waited_for(ours) for _ in range(REST)] == [0] * REST
    assert server.waited_for(ours) > 0, "then it is tried again"
    assert [server.waited_for(ours) for _ in range(2 * REST)] == [0] * 2 * REST, "in vain: twice as long"


def test_who_finds_that_somebody_wants_the_core_goes_to_sleep(serves: Callable[..., Server]) -> None:
    server, ours = serves(10, takes=LOOK * 1.5), Awake(True)
    assert server.waited_for(ours) == 1
    assert [server.waited_for(ours) for _ in range(REST)] == [0] * REST
    server.takes = LOOK / 50
    assert server.waited_for(ours) == 10
    server.takes = LOOK * 1.5
    assert server.waited_for(ours) == 1
    assert [server.waited_for(ours) for _ in range(REST + 1)][-1] == 1, "after a good one it rests no longer than first"


def test_rest_has_an_end_however_often_it_was_in_vain(serves: Callable[..., Server]) -> None:
    server, ours = serves(10**6, takes=LOOK * 2), Awake(True)
    longest = rested = 0
    for _ in range(6 * awake.MOST_REST):
        rested = 0 if server.waited_for(ours) else rested + 1
        longest = max(longest, rested)
    assert longest == awake.MOST_REST


def test_with_another_thread_nobody_waits_awake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awake, "cores", lambda: 2)
    server, ours, over = Server(5), Awake(True), Event()
    thread = Thread(target=over.wait)
    thread.start()
    try:
        assert server.waited_for(ours) == 0
    finally:
        over.set()
        thread.join()


UNIT = "0::/system.slice/upheld.service"
FIRST_KIND = "11:memory:/pod\n4:cpu,cpuacct:/pod/ours\n0::/"


@pytest.mark.parametrize(("bound", "groups", "files", "known"), [
    ({0}, UNIT, {}, 1),
    ({0, 1, 2}, UNIT, {"cpu.max": "max 100000"}, 3),
    ({0, 1}, "0::/", {"cpu.max": "50000 100000"}, 0),
    ({0, 1}, "0::/", {"cpu.max": "150000 100000"}, 1),
    ({0, 1}, "0::/", {"cpu.max": "400000 100000"}, 2),
    ({0, 1}, "0::/", {"cpu.max": ""}, 2),
    ({0, 1}, UNIT, {"system.slice/upheld.service/cpu.max": "150000 100000"}, 1),
    ({0, 1}, UNIT, {"system.slice/cpu.max": "100000 100000", "system.slice/upheld.service/cpu.max": "max 100000"}, 1),
    ({0, 1}, "0::/of/the/machine", {"cpu.max": "100000 100000"}, 1),
    ({0, 1}, "0::/../../other", {"cpu.max": "100000 100000"}, 1),
    ({0, 1}, FIRST_KIND, {"cpu/pod/ours/cpu.cfs_quota_us": "150000", "cpu/pod/ours/cpu.cfs_period_us": "100000"}, 1),
    ({0, 1}, FIRST_KIND, {"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "50000"}, 1),
    ({0, 1}, FIRST_KIND, {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 2),
    ({0, 1}, None, {"cpu.max": "50000 100000"}, 2),
])  # fmt: skip
def test_cores_are_those_bound_to_and_no_more_than_container_or_unit_are_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bound: set[int], groups: str | None, files: dict[str, str],
    known: int,
) -> None:  # fmt: skip
    """By groups of both kinds: of the unit, of what is around it, of a container that sees its own at the top."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    if groups is not None:
        (tmp_path / "own").write_text(f"{groups}\n")
    monkeypatch.setattr(awake, "_OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(awake, "_GROUPS", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: bound)
    assert cores() == known
    assert Awake(True).allowed == (known > 1)
    assert not Awake(False).allowed


def test_a_server_that_hangs_is_looked_at_for_half_a_millisecond_and_then_slept_for(
    address: str, two_cores: None
) -> None:
    """Whoever waits for it costs no processor time."""
    name = postgres.fresh_name()
    with closing(PostgresConnection(postgres.made(address, name)["active"], "public", awake=True)) as ours:
        for _ in range(3):
            ours.execute("SELECT 1").fetchone()
        ours.execute("SELECT pg_sleep(0.01)").fetchone()  # it is prepared from here on
        before, begun = process_time(), perf_counter()
        ours.execute("SELECT pg_sleep(0.6)").fetchone()
        assert perf_counter() - begun > 0.6
        assert process_time() - before < 0.1


# ── on a server ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Line:
    """A connection with a table, seen by another too."""

    ours: PostgresConnection
    other: PostgresConnection
    raised: StoreFailed = field(default_factory=lambda: StoreFailed("not so"))

    def numbers(self) -> list[int]:
        return [number for (number,) in self.other.execute("SELECT number FROM seen ORDER BY number").fetchall()]


@pytest.fixture
def line(address: str, two_cores: None) -> Iterator[Line]:
    with (
        closing(PostgresConnection(address, "public", awake=True)) as ours,
        closing(PostgresConnection(address, "public")) as other,
    ):
        other.execute("DROP TABLE IF EXISTS seen")
        other.execute("CREATE TABLE seen(number BIGINT PRIMARY KEY)")
        yield Line(ours, other)


INSERT = "INSERT INTO seen VALUES(?)"


def nothing() -> None:
    """Nothing is done meanwhile."""


def test_both_parts_of_a_message_are_one_transaction(line: Line) -> None:
    assert line.ours.begin_with([("SELECT 7", ())])
    assert line.numbers() == []
    answer = line.ours.end_with([(INSERT, (1,)), (INSERT, (2,))], 0, line.raised, nothing)
    assert answer is not None
    assert answer.rows == [(7,)]
    assert line.numbers() == [1, 2]
    assert line.ours.begin_with([(INSERT, (3,))])
    with pytest.raises(StoreFailed, match="not so"):
        line.ours.end_with([("SELECT 1 / CAST(? AS INT)", (0,))], 0, line.raised, nothing)
    assert line.numbers() == [1, 2]


def test_a_part_more_belongs_to_the_same_transaction(line: Line) -> None:
    def proof() -> Proof:
        assert line.ours.in_transaction
        return Proof(("SELECT CAST(? AS BIGINT)", (8,)), line.raised, list)

    assert line.ours.whole((INSERT, (1,)), proof, lambda: [(INSERT, (2,))], nothing) == [(8,)]
    assert line.numbers() == [1, 2]
    for late in (lambda: [(INSERT, (1,))], lambda: 1 / 0):
        with pytest.raises((psycopg.errors.UniqueViolation, ZeroDivisionError)):
            line.ours.whole((INSERT, (3,)), proof, late, nothing)  # type: ignore[arg-type]  # one fails
    assert line.numbers() == [1, 2]


def test_a_proof_that_cannot_be_asked_takes_back_what_was_begun(line: Line) -> None:
    def late() -> Proof:
        raise line.raised

    pid = line.ours.execute("SELECT pg_backend_pid()").fetchall()
    with pytest.raises(StoreFailed, match="not so"):
        line.ours.whole((INSERT, (1,)), late, list, nothing)
    assert line.numbers() == []

    def looks() -> Proof:
        line.ours.execute("SELECT 1").fetchall()
        return Proof(("SELECT 7", ()), line.raised, list)

    assert line.ours.whole((INSERT, (1,)), looks, list, nothing) is None
    assert line.numbers() == []
    assert line.ours.execute("SELECT pg_backend_pid()").fetchall() == pid, "the line stays"


def test_whoever_uses_the_line_in_the_middle_takes_the_first_part_back(line: Line) -> None:
    uses: list[Callable[[], object]] = [
        lambda: line.ours.execute("SELECT 1").fetchall(),
        lambda: line.ours.answers([("SELECT 1", ()), ("SELECT 2", ())]),
        lambda: line.ours.executemany(INSERT, [(10,)]),
        lambda: line.ours.execute("CREATE TABLE IF NOT EXISTS other(number BIGINT)"),
        lambda: line.ours.begin_with([("SELECT 1", ())]) and line.ours.end_with([], 0, line.raised, nothing),
    ]
    for use in uses:
        pid = line.ours.execute("SELECT pg_backend_pid()").fetchall()
        assert line.ours.begin_with([(INSERT, (5,))])
        use()
        assert line.ours.end_with([(INSERT, (6,))], 0, line.raised, nothing) is None
        assert line.ours.execute("SELECT pg_backend_pid()").fetchall() == pid, "the line stays"
    assert line.numbers() == [10]


def test_a_transaction_that_begins_in_the_middle_takes_the_first_part_back(line: Line) -> None:
    assert line.ours.begin_with([(INSERT, (5,))])
    line.ours.execute("BEGIN")
    assert not line.ours.begin_with([(INSERT, (6,))]), "one is open"
    line.ours.execute(INSERT, (7,))
    line.ours.execute("COMMIT")
    assert line.numbers() == [7]


def test_what_fails_while_the_answer_is_awaited_leaves_open_what_became_of_it(line: Line) -> None:
    def fails() -> None:
        raise RuntimeError("made up")

    assert line.ours.begin_with([(INSERT, (1,))])
    with pytest.raises(ConnectionLost, match="made up"):
        line.ours.end_with([], 0, line.raised, fails)
    assert line.ours.execute("SELECT count(*) FROM seen").fetchall()[0][0] in (0, 1), "the next line is a new one"


def test_a_line_that_is_gone_begins_nothing(line: Line, address: str) -> None:
    line.ours._wire._connection.close()
    assert line.ours.begin_with([("SELECT 1", ())]), "it is opened again before"
    assert line.ours.end_with([], 0, line.raised, nothing) is not None


def test_what_says_neither_yes_nor_no_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPHELD_AWAKE", "No")
    with pytest.raises(HomeUnusable, match="UPHELD_AWAKE is `No`; write `yes` or `no`"):
        system._engine(tmp_path, {"active": "postgresql://nobody@nowhere/none"}, "active", Rewriting(), None)


@pytest.mark.parametrize(("option", "said", "allowed"), [
    (None, None, True), (None, "no", False), (None, "yes", True), (True, "no", True), (False, None, False),
])  # fmt: skip
def test_waiting_awake_can_be_switched_off(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, two_cores: None,
    option: bool | None, said: str | None, allowed: bool,
) -> None:  # fmt: skip
    monkeypatch.delenv("UPHELD_AWAKE", raising=False)
    if said is not None:
        monkeypatch.setenv("UPHELD_AWAKE", said)
    engine = system._engine(tmp_path, {"active": address}, "active", Rewriting(), option)
    with closing(engine.connect()) as connection:
        assert isinstance(connection, PostgresConnection)
        assert connection._awake.allowed is allowed


def test_a_service_of_one_thread_waits_awake_for_its_reads(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, two_cores: None
) -> None:
    waits: list[bool] = []
    plain = Awake.wait

    def wait(self: Awake, busy: Callable[[], bool], look: Callable[[], None]) -> None:
        waits.append(self.allowed)
        plain(self, busy, look)

    monkeypatch.setattr(Awake, "wait", wait)
    options = upheld.Options(clock=upheld.SetClock(at("2024-03-01")), light_hashing=True)
    system.init(tmp_path / "home", options, postgres.made(address, "awake"))
    with system.open_home(tmp_path / "home", options) as keeper:
        active = keeper.places.active
        question = ("SELECT CAST(? AS BIGINT)", (1,))
        proof = Proof(question, NotRecorded(""), list)
        assert True in waits  # what was asked alone, to open it
        waits.clear()
        assert active.engine.recorded(active.connection, (), lambda: proof, list, lambda: None)
        assert waits == [True]
