"""On PostgreSQL nobody waits until a look-up token is in: whoever looks by the same process finds it all the same, and
what goes wrong with it is told to whoever comes next.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

import upheld
from tests import postgres
from tests.homes import column, connection_to
from tests.proxy import DOWN, UP, Proxy, between
from tests.trial_home import POLICY, House, at, member, opened
from upheld import system
from upheld.engine.acts import Reader, ReaderKind, SubjectId
from upheld.errors import StoreFailed
from upheld.keeper import Keeper
from upheld.store.place import Place
from upheld.store.postgres import PostgresConnection, _lock_of_name
from upheld.store.vault import Vault

NOW = at("2024-03-01")
NUMBERS = count()
END_OTHERS = (
    "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
COUNT = "SELECT count(*) FROM token"


@dataclass
class Looked:
    """A home whose key store is reached by a line that can be cut."""

    path: Path
    house: House
    person: SubjectId
    proxy: Proxy

    @property
    def keeper(self) -> Keeper:
        return self.house.keeper

    def take(self) -> str:
        """A text that nobody has, taken of the person."""
        text = f"{next(NUMBERS)}@example.org"
        assert self.keeper.collect(self.person, "service", {"email": text}).granted
        return text

    def found(self, text: str) -> tuple[SubjectId, ...]:
        return found_by(self.keeper, text)

    def on_the_server(self, statement: str, *parameters: int | str) -> None:
        with closing(connection_to(self.path / "keys.db")) as connection:
            connection.execute(statement, parameters)


def found_by(keeper: Keeper, text: str) -> tuple[SubjectId, ...]:
    return keeper.lookup("trial", "email", text, reader=Reader(ReaderKind.HANDLER, "a" * 20), reason="request")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looked]:
    with postgres.server() as address:
        databases = postgres.made(address, "token_said")
        with between(databases["keys"]) as (proxy, through):
            path = tmp_path_factory.mktemp("said") / "home"
            options = upheld.Options(clock=upheld.SetClock(NOW), look_up={"trial": ["email"]}, light_hashing=True)
            system.init(path, options, {**databases, "keys": through})
            with opened(path, NOW) as house:
                house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
                yield Looked(path, house, member(house, "said"), proxy)


@pytest.fixture
def home(made: Looked) -> Looked:
    made.take()
    return made


def test_nobody_waits_for_a_token_and_whoever_looks_next_finds_it(home: Looked) -> None:
    """Somebody else has the person in the key store meanwhile: the answer can't have come."""
    number = _lock_of_name("keys", home.person)
    with closing(connection_to(home.path / "keys.db")) as other, ThreadPoolExecutor(1) as pool:
        other.execute("SELECT pg_advisory_lock(?)", (number,)).fetchone()
        text = pool.submit(home.take).result(10)
        looking = pool.submit(home.found, text)
        with pytest.raises(TimeoutError):
            looking.result(0.3)
        other.execute("SELECT pg_advisory_unlock(?)", (number,)).fetchone()
        assert looking.result(10) == (home.person,)


def test_what_stands_open_on_the_line_is_no_transaction(home: Looked) -> None:
    home.take()
    keys = home.keeper.places.keys.connection
    assert isinstance(keys, PostgresConnection)
    assert keys._said
    assert not keys.in_transaction
    assert keys.execute("SELECT 1").fetchone() == (1,)
    assert not keys._said
    with home.keeper.places.keys.transaction(about=()):
        assert not keys.say([("SELECT 1", ())]), "in the middle of something else nothing is said"


def test_a_token_that_the_server_refused_is_put_in_before_anybody_looks(home: Looked) -> None:
    home.on_the_server("ALTER TABLE token RENAME TO no_token")
    try:
        text = home.take()
        with pytest.raises(Exception, match="token"):
            home.found(text)
    finally:
        home.on_the_server("ALTER TABLE no_token RENAME TO token")
    assert home.found(text) == (home.person,)


def test_a_token_that_could_not_be_said_is_waited_for(home: Looked, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Place, "put_soon", lambda *_: False)
        text = home.take()
    assert column(home.path / "keys.db", "SELECT count(*) FROM token")[0] >= 1
    assert home.found(text) == (home.person,)


@pytest.mark.parametrize("way", [UP, DOWN])
@pytest.mark.parametrize("share", [0, 0.3, 0.6, 0.98, 1])
def test_a_line_that_is_cut_anywhere_loses_no_token(home: Looked, way: str, share: float) -> None:
    home.found(home.take())
    before = dict(home.proxy.passed)
    text = home.take()
    home.found(text)
    size = home.proxy.passed[way] - before[way]
    home.proxy.cut_after(way, int(size * share))
    text = home.take()
    try:
        found = home.found(text)
    except StoreFailed:  # the line was cut while it was looked up, or said once more
        home.proxy.whole()
        found = home.found(text)
    home.proxy.whole()
    assert found == (home.person,)
    assert home.found(home.take()) == (home.person,)


def test_a_server_that_is_gone_is_told_of_and_a_token_is_put_in_when_it_is_back(
    home: Looked, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = home.keeper.places.keys.connection
    assert isinstance(keys, PostgresConnection)
    text = home.take()
    keys._inner.close()  # and nobody has taken the answer
    with monkeypatch.context() as patch:
        patch.setattr(keys, "_address", f"host={home.path} dbname=nowhere")
        for _ in range(2):
            with pytest.raises(StoreFailed):
                home.found(text)
    assert home.found(text) == (home.person,)


def test_tokens_of_two_values_of_a_person_are_one_message(home: Looked, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[int] = []
    plain = PostgresConnection.say

    def say(self: PostgresConnection, statements: list[tuple[str, tuple[object, ...]]]) -> bool:
        said.append(len(statements))
        return plain(self, statements)

    monkeypatch.setattr(PostgresConnection, "say", say)
    vault = home.keeper.places.vault
    rows = [("active", "trial", "email", b"%d" % one, one, 0, home.person) for one in (1, 2)]
    vault.keep_tokens(rows)  # type: ignore[arg-type]  # made up
    assert said == [4], "not to wait for the disk, the lock, two rows"
    assert vault.tokens_left(rows[0][4]) == 1  # type: ignore[arg-type]
    home.on_the_server("DELETE FROM token WHERE bucket = 0 AND value_id IN (1, 2)")


def forgotten(home: Looked) -> None:
    """What a server does that falls over: tokens that were not on its disk are gone, and with them every line."""
    home.on_the_server("DELETE FROM token WHERE tier = 'active'")
    home.on_the_server(END_OTHERS)


def test_tokens_that_a_server_forgot_are_put_in_by_the_look_up_that_finds_its_line_cut(home: Looked) -> None:
    home.keeper.seal()
    texts = [home.take() for _ in range(3)]
    home.keeper.places.keys.connection.execute("SELECT 1").fetchone()
    forgotten(home)
    assert [home.found(text) for text in texts] == [(home.person,)] * 3


def test_tokens_that_a_server_forgot_are_there_again_before_their_values_are_sealed(home: Looked) -> None:
    home.keeper.seal()
    texts = [home.take() for _ in range(3)]
    home.keeper.places.keys.connection.execute("SELECT 1").fetchone()
    forgotten(home)
    home.keeper.seal()
    assert column(home.path / "keys.db", "SELECT count(*) FROM token WHERE tier = 'active'") == [3]
    assert [home.found(text) for text in texts] == [(home.person,)] * 3


def test_what_a_seal_made_last_is_owed_no_more(home: Looked) -> None:
    """Nor is it kept in memory, however many come without a seal."""
    vault = home.keeper.places.vault
    home.take()
    assert vault._unsure
    home.keeper.seal()
    assert vault._unsure == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("upheld.store.vault.MOST_UNSURE", 2)
        for _ in range(2):
            home.take()
        assert len(vault._unsure) == 2
        home.take()
    assert vault._unsure == []
    assert vault.owed == []


@pytest.fixture
def falling(tmp_path: Path) -> Iterator[Falling]:
    """Keys lie on a server of their own, so that no other place is waited for by its disk."""
    with postgres.server() as others, postgres.running(durable=True) as server:
        databases = postgres.made(others, "falls") | {"keys": postgres.made(server.address, "falls")["keys"]}
        options = upheld.Options(clock=upheld.SetClock(NOW), look_up={"trial": ["email"]}, light_hashing=True)
        system.init(tmp_path / "home", options, databases)
        yield Falling(tmp_path / "home", server)


@dataclass
class Falling:
    """A home whose key store lies on a server that forgets, when it falls over, what nobody waited for."""

    path: Path
    server: postgres.Server
    writer: int = 0

    def holds_back(self) -> None:
        """From now on nothing comes to its disk but by who waits for it."""
        (self.writer,) = column(
            self.path / "keys.db", "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'"
        )
        os.kill(self.writer, signal.SIGSTOP)

    def falls_over(self) -> int:
        """How many tokens are left."""
        os.kill(self.writer, signal.SIGKILL)
        self.server.control("restart", "-m", "immediate")
        (left,) = column(self.path / "keys.db", COUNT)
        assert isinstance(left, int)
        return left


def test_a_server_that_falls_over_before_a_seal_costs_no_look_up(falling: Falling) -> None:
    texts = [f"{number}@example.org" for number in range(18)]  # and one of whoever becomes a member
    with opened(falling.path, NOW) as house:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        person = member(house, "stays")
        for text in texts[:6]:
            assert house.keeper.collect(person, "service", {"email": text}).granted
        house.keeper.seal()  # from here on they are on the disk
        falling.holds_back()
        for text in texts[6:]:
            assert house.keeper.collect(person, "service", {"email": text}).granted
        assert house.keeper.places.vault.place.connection.execute(COUNT).fetchone() == (19,)
        assert 7 <= falling.falls_over() < 19, "what was sealed outlasts, of what was not the last is forgotten"
        for _ in range(2):
            house.keeper.seal()
        assert column(falling.path / "keys.db", COUNT) == [19]
    with opened(falling.path, NOW) as house:
        assert [found_by(house.keeper, text) for text in texts] == [(person,)] * len(texts)


_TAKES = """
import sys
from pathlib import Path
from tests.trial_home import at, opened
with opened(Path(sys.argv[1]), at("2024-03-01")) as house:
    for text in sys.argv[3:]:
        assert house.keeper.collect(sys.argv[2], "service", {"email": text}).granted
    assert house.keeper.places.keys.connection.execute("SELECT 1").fetchone() == (1,)
    print("taken", flush=True)
    sys.stdin.read()
"""


def test_what_a_server_forgot_of_a_process_that_is_gone_is_put_in_by_whoever_seals(falling: Falling) -> None:
    """Others were there before, and have sealed twice since: nobody opened the home meanwhile."""
    texts = [f"{number}@example.org" for number in range(12)]
    with opened(falling.path, NOW) as house, opened(falling.path, NOW) as other:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        person = member(house, "stays")
        for one in (house, other):
            one.keeper.seal()
        falling.holds_back()
        command = [sys.executable, "-c", _TAKES, str(falling.path), person, *texts]
        path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        taking = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=path)
        assert taking.stdout is not None
        assert taking.stdout.readline() == "taken\n"
        taking.kill()
        taking.communicate()
        assert 1 <= falling.falls_over() < 13, "of what was not sealed the last is forgotten"
        for _ in range(2):
            house.keeper.seal()
        for one in (house, other):
            assert [found_by(one.keeper, text) for text in texts] == [(person,)] * len(texts)
        assert column(falling.path / "keys.db", COUNT) == [13]


def test_who_dies_before_a_token_is_said_leaves_it_to_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And who dies after it was said has said it."""
    with postgres.server() as address:
        databases, path = postgres.made(address, "died"), tmp_path / "home"
        options = upheld.Options(clock=upheld.SetClock(NOW), look_up={"trial": ["email"]}, light_hashing=True)
        system.init(path, options, databases)
        with opened(path, NOW) as house:
            house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
            person = member(house, "dies")
            with monkeypatch.context() as patch:
                patch.setattr(Vault, "keep_tokens", lambda *_: None)
                assert house.keeper.collect(person, "service", {"email": "before@example.org"}).granted
            assert house.keeper.collect(person, "service", {"email": "after@example.org"}).granted
            keys = house.keeper.places.keys.connection
            assert isinstance(keys, PostgresConnection)
            assert keys._said
            keys._inner.close()  # and nobody has taken the answer
            keys._said = ()
        with opened(path, NOW) as house:
            for text in ("before@example.org", "after@example.org"):
                assert found_by(house.keeper, text) == (person,), text
