"""Which statements of the verbs that every customer waits for name the bucket of their subject, and which do not.

A statement that names it goes to one machine of a distributed database. What does not is on a list, each with its
reason: a new one fails here, and so does one that has become needless.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import postgres
from tests.trial_home import POLICY, SWEEP_DAY, House, at, member, opened
from upheld.connect.transport import Answer, Handed, Letter
from upheld.engine.acts import RequestId, SubjectId
from upheld.keeper.stirring import EVERYBODY
from upheld.store import schema, subjects
from upheld.store.distribution import Laid, laid
from upheld.store.ids import bucket_of
from upheld.store.postgres import PostgresConnection
from upheld.store.spelling import spelled

WITH_NEWS = (
    POLICY.replace("ko: 몰}}", "ko: 몰}, post: {clause: T-1, en: Post Ltd., ko: 우편}}")
    + """
contacts: {office: {clause: T-10, en: office, ko: 담당, phone: 000-0000, takes: questions}}
upkeep: {letters: {clause: T-13, en: letters, ko: 편지, until: closed + P3Y}}
advertising: {email: {clause: T-11, for: offers, en: e-mail, ko: 이메일}}
entrustments:
  post: {clause: T-12, for: service, items: name, contract: signed, task: {en: letters, ko: 우편물},
         terms: {confidentiality: {clause: T-12, en: confidential, ko: 비밀}}, at-end: return-or-destroy, within: P5D}
"""
)
EXCEPTIONS = {
    "FROM token WHERE tier =": "look-up: whoever has this text, wherever they are",
    "FROM journal WHERE id >": "the sealer takes in what every writer left, in the order of writing",
    "FROM dirty WHERE policy =": "the sweep asks about whom something new is known",
    "FROM anchor WHERE policy =": "the sweep asks whose day has come; the key has the bucket, but begins with the day",
    "FROM step WHERE policy =": "a sweeper asks for what is under way in the buckets that it has leased",
    "FROM step WHERE stage =": "the sweep asks which bytes wait to be scrubbed",
    "FROM paper WHERE policy =": "the sweep asks which papers are due",
    "FROM message WHERE state =": "who sends letters asks for the next",
    "FROM message WHERE message_id =": "a carrier tells what became of a letter, and knows its number alone",
    "FROM paper WHERE paper_id =": "a paper is asked for by its number alone",
}
"""What asks all machines → why. Nothing of it is waited for by who reads, gives or collects, but for looking somebody
up. The list may only shrink.
"""
SPREAD = frozenset(table for place in schema.PLACES for table, where in laid(place).items() if where is Laid.SPREAD)
_TABLE = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+(\w+)")
_OWN = re.compile(r"\b(?:\w+\.)?bucket = (\?|\w+\.bucket)")
_INSERTED = re.compile(r"INSERT INTO \w+\(([^)]*)\)\s*VALUES\(([^)]*)\)")
_PAIRS = re.compile(r"unnest\(CAST\(\? AS BIGINT\[\]\)")


class Said:
    """Every statement that reaches a server, with the buckets that it names."""

    def __init__(self) -> None:
        self.statements: list[tuple[str, frozenset[int] | None]] = []
        self.parameters: dict[str, Sequence[Any]] = {}

    def add(self, statement: str, parameters: Sequence[Any]) -> None:
        if not SPREAD & set(_TABLE.findall(statement)):
            return
        self.statements.append((statement, buckets_of(statement, parameters)))
        self.parameters[statement] = parameters

    def strayed(self, allowed: frozenset[int]) -> set[str]:
        """Statements that name no bucket, or one that is nobody's of these."""
        return {text for text, named in self.statements if named is None or not named <= allowed}


def buckets_of(statement: str, parameters: Sequence[Any]) -> frozenset[int] | None:
    """The buckets that a statement asks for or writes to; None where it names none."""
    found: set[int] = set()
    inserted = _INSERTED.search(statement)
    if inserted is not None:
        columns = [one.strip() for one in inserted[1].split(",")]
        if "bucket" not in columns:
            return None
        before = inserted[2].split(",")[: columns.index("bucket")]
        return frozenset({parameters[sum(one.strip() == "?" for one in before)]})
    for own in re.finditer(r"\bbucket = \?", statement):
        found.add(parameters[statement.count("?", 0, own.start())])
    for pair in _PAIRS.finditer(statement):
        listed = parameters[statement.count("?", 0, pair.start())]
        found.update(listed)
    return frozenset(found) or None


@contextmanager
def listened() -> Iterator[Said]:
    """What is said to a server inside the block, on any connection."""
    said, plain = Said(), PostgresConnection
    execute, many, asked = plain.execute, plain.executemany, plain.answers

    def heard(self: PostgresConnection, statement: str, parameters: Sequence[Any] = (), /) -> Any:
        said.add(statement, parameters)
        return execute(self, statement, parameters)

    def heard_many(self: PostgresConnection, statement: str, parameters: Iterable[Sequence[Any]], /) -> Any:
        rows = list(parameters)
        for row in rows:
            said.add(statement, row)
        return many(self, statement, rows)

    def heard_asking(self: PostgresConnection, questions: Sequence[Any]) -> Any:
        for statement, parameters in questions:
            said.add(statement, parameters)
        return asked(self, questions)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "execute", heard)
        patch.setattr(plain, "executemany", heard_many)
        patch.setattr(plain, "answers", heard_asking)
        yield said


class Post:
    """A transport that takes every letter."""

    medium = "email"

    def send(self, letter: Letter) -> Answer:
        return Answer(Handed.SENT)

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def house(address: str, tmp_path: Path) -> Iterator[House]:
    """A home on a server as it is once it is distributed: keys are made by bucket."""
    with postgres.homes_on(address):
        with opened(tmp_path / "home", at("2024-03-01")) as made:
            made.keeper.publish(WITH_NEWS.encode(), as_of=at("2020-02-01").date(), evidence="trial")
            made.keeper.contract("trial", "post", terms=frozenset({"confidentiality"}))
        settings = tmp_path / "home" / "home.json"
        settings.write_text(json.dumps({**json.loads(settings.read_text()), "distributed": True}))
        with opened(tmp_path / "home", at("2024-03-01", 10)) as made:
            yield made


def verbs(house: House, person: SubjectId) -> Iterator[tuple[str, Callable[[], object]]]:
    """What customers wait for, about one person."""
    keeper = house.keeper
    desk = keeper.application("desk")
    values = {one.item: one.value_id for one in keeper.views.get(person, keeper.now()).state.values}

    def answered() -> None:
        asked = keeper.request(person, "erasure", channel="website", proved=True)
        assert asked.granted, asked.reasons
        keeper.answer(person, RequestId(asked.made or ""), "done")

    def told() -> None:
        keeper.tell(person, "business-transfer", "email", fields=LETTER)

    yield "collect", lambda: keeper.collect(person, "offers", {"phone": "000-0000"})
    yield "consent", lambda: keeper.consent(person, "provision/mall", channel="website")
    yield "provide", lambda: keeper.provide(person, "mall", ("name",))
    yield "entrust", lambda: keeper.entrust(person, "post", "service", ("name",))
    yield "read", lambda: keeper.read(person, "service", reader=desk, items=("name",))
    yield "read again", lambda: keeper.read(person, "service", reader=desk, values=(values["name"],))
    yield "show", lambda: keeper.show(person, reader=desk, identity_proved=True)
    yield "correct", lambda: keeper.correct(person, values["email"], "other@example.org")
    yield "tell", told
    yield "withdraw", lambda: keeper.withdraw(person, "purpose/offers", channel="website")
    yield "request and answer", answered
    yield "fact", lambda: keeper.fact(person, "closed")


LETTER = {
    "fact": "Example Ltd. merges.",
    "transferee": "Sample Ltd.",
    "contact": "office@example.org",
    "effective": "2024-05-01",
    "refusing": "write to us by 2024-04-20",
}


def test_every_statement_about_a_person_names_the_bucket_of_that_person_and_no_other(house: House) -> None:
    keeper = house.keeper
    keeper.addressed_by("trial", "email", ("email",))
    person = member(house, "somebody")
    keeper.places.papers.take(bucket_of(person))  # a block of keys is made before anybody needs it
    own = frozenset({bucket_of(person)})
    with listened() as said:
        newcomer = keeper.enter("trial", "member")
        keeper.begin(newcomer, "membership")
    assert said.strayed(frozenset({bucket_of(newcomer)})) == set()
    for name, verb in verbs(house, person):
        keeper.views.forget_all()
        keeper.places.vault.forget_all()
        with listened() as said:
            outcome = verb()
        assert getattr(outcome, "granted", True), (name, outcome)
        assert said.statements, name
        assert said.strayed(own) == set(), name


def test_many_at_once_name_the_buckets_of_all_and_nothing_else(house: House) -> None:
    keeper = house.keeper
    people = [member(house, f"one of many {number}") for number in range(12)]
    allowed = frozenset(map(bucket_of, people))
    wanted = [
        (person, value.value_id)
        for person in people
        for value in keeper.views.get(person, keeper.now()).state.values
        if value.item == "name"
    ]
    for again in range(2):
        if not again:
            keeper.views.forget_all()
            keeper.places.vault.forget_all()
        with listened() as said:
            assert len(keeper.read_batch("service", wanted, reader=keeper.application("desk")).texts) == len(people)
        assert said.strayed(allowed) == set()
    with listened() as said:
        done = keeper.together(
            lambda: [keeper.consent(person, "provision/mall", channel="website").granted for person in people],
            about=people,
        )
    assert all(done)
    assert said.strayed(allowed) == set()


def test_only_those_statements_ask_all_machines_that_are_named_with_their_reason(house: House) -> None:
    """The sweep finds whose day has come, separates, destroys, certifies; letters go out; somebody is looked up."""
    keeper = house.keeper
    keeper.addressed_by("trial", "email", ("email",))
    person = member(house, "leaver")
    keeper.consent(person, "provision/mall", channel="website")
    keeper.fact(person, "closed")
    written, desk = f"email-of-leaver-{'x' * 40}@example.org", keeper.application("desk")
    letter = keeper.tell(person, "business-transfer", "email", fields=LETTER)
    paper = keeper.file_paper("trial", "letters", b"a letter", owner=person)
    with listened() as said:
        assert keeper.lookup("trial", "email", written, reader=desk, reason="x") == (person,)
        keeper.deliver(Post())
        keeper.acknowledged(letter.message_id)
        assert keeper.paper("trial", paper)
        house.clock.set(at("2024-03-03"))
        assert keeper.sweep().separated
        house.clock.set(SWEEP_DAY)
        assert keeper.sweep().destroyed
    strayed = said.strayed(frozenset({EVERYBODY, *range(1024)}))  # the row that means all lies in a bucket of its own
    assert sorted(one for one in strayed if not any(named in one for named in EXCEPTIONS)) == []
    assert all(one.lstrip().startswith("SELECT") for one in strayed), "what is written is always somebody's"
    assert {named for named in EXCEPTIONS if any(named in one for one in strayed)} == set(EXCEPTIONS), "needless"


ROWS = 100_000
_MANY = (
    "INSERT INTO active.subject SELECT g % 1024, 'somebody-' || g, 'trial', 'member', 0, NULL, 1, 0 {of}",
    "INSERT INTO active.value(bucket, value_id, subject_id, item, state, generation, key_id, sealed, collected_at, "
    "known_at, uses) SELECT g % 1024, ((g % 1024) << 53) | g, 'somebody-' || g, 'name', 'held', 1, g, "
    "decode(repeat('00', 60), 'hex'), 0, 0, '[]' {of}",
    "INSERT INTO keys.active_key(bucket, key_id, wrapped) SELECT g % 1024, ((g % 1024) << 37) | g, "
    "decode(repeat('00', 60), 'hex') {of}",
    "ANALYZE active.subject",
    "ANALYZE active.value",
    "ANALYZE keys.active_key",
)


def literal(parameter: object) -> str:
    """A parameter as it is written in a statement."""
    if isinstance(parameter, int):
        return str(parameter)
    return f"'{{{','.join(map(str, parameter))}}}'" if isinstance(parameter, tuple) else f"'{parameter}'"


def planned(connection: psycopg.Connection[Any], statement: str, parameters: Sequence[Any], how: str) -> str:
    """How the server would find it: planned for these parameters, or once for all (`custom`, `generic`)."""
    connection.execute(f"SET plan_cache_mode = force_{how}_plan".encode())
    numbers = iter(range(1, 1_000))
    text = re.sub(r"\?", lambda _: f"${next(numbers)}", spelled(statement).replace("%s", "?").replace("%%", "%"))
    given = ", ".join(map(literal, parameters))
    connection.execute(f"PREPARE asked AS {text}".encode())
    rows = connection.execute(f"EXPLAIN EXECUTE asked({given})".encode()).fetchall()
    connection.execute("DEALLOCATE asked")
    return "\n".join(row[0] for row in rows)


def test_a_server_finds_the_rows_of_a_batch_by_their_keys_among_many(house: House, tmp_path: Path) -> None:
    keeper, desk = house.keeper, house.keeper.application("desk")
    people = [member(house, f"one of many {number}") for number in range(100)]
    wanted = [
        (person, value.value_id)
        for person in people
        for value in keeper.views.get(person, keeper.now()).state.values
        if value.item == "name"
    ]
    databases = json.loads((tmp_path / "home" / "home.json").read_text())["databases"]
    with psycopg.connect(databases["active"], autocommit=True) as connection:
        for statement in _MANY:
            connection.execute(statement.format(of=f"FROM generate_series(1::BIGINT, {ROWS}) g").encode())
        with listened() as said:
            keeper.places.vault.forget_all()
            assert len(keeper.read_batch("service", wanted, reader=desk).texts) == len(people)
            assert keeper.read(people[0], "service", reader=desk, values=(wanted[0][1],)).granted
            assert keeper.show(people[0], reader=desk, identity_proved=True).granted
        asked = {text: given for text, given in said.parameters.items() if text.startswith("SELECT")}
        assert sum("unnest" in one for one in asked) >= 2, asked
        assert any("value_id = ANY" in one for one in asked), asked
        for place in ("active", "keys"):
            connection.execute(f"SET search_path = {place}".encode())
            own = {text: given for text, given in asked.items() if (" active_key " in text) == (place == "keys")}
            for statement, parameters in own.items():
                for how in ("custom", "generic"):
                    plan = planned(connection, statement, parameters, how)
                    assert not re.search(r"Seq Scan on (subject|value|active_key)\b", plan), (statement, plan)
        connection.execute("SET search_path = active")
        lists: tuple[object, ...] = (('"(0,1)"',), (5 << 53 | 5,), 1, ("somebody-5",), (1,), ('"(0,1)"',))
        plan = planned(connection, subjects._PROVED_WHERE_THEY_LAY, lists, "generic")
        assert plan.count("Tid Scan") == 2, plan
