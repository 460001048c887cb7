"""One person is erased at once: as by request, answer and sweep, and gone before whoever asked hears of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext, suppress
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

import pytest

import upheld
from tests import postgres
from tests.homes import changed, column
from tests.proxy import DOWN, UP, between
from tests.test_crash import crashes_of
from tests.trial_home import POLICY, House, at, member, opened, proved
from upheld import system
from upheld.engine.acts import RequestId, SubjectId
from upheld.engine.state import HeldState
from upheld.errors import InputRefused, StoreFailed
from upheld.keeper import Keeper
from upheld.keeper.at_once import AtOnce
from upheld.keeper.sharing import name_of
from upheld.ledger.entries import Entry
from upheld.store import history
from upheld.store.engine import Claim
from upheld.store.ids import bucket_of
from upheld.store.leases import LeaseHeld
from upheld.store.sealing import MOST_AT_ONCE, Sealer, TailBroken
from upheld.store.straight import Early, Straight
from upheld.store.wire import Wire

DAY = at("2024-09-05")
MESSAGES = 6
"""Of an erasure on a server: the part of the sweep taken and given back, and four commits whose work goes ahead."""


@pytest.fixture(params=["files", "a server"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """With the trial's policy and nobody."""
    on = postgres.homes_on(request.getfixturevalue("address")) if request.param == "a server" else nullcontext()
    with on:
        place = tmp_path / "home"
        with opened(place, at("2024-03-01")) as house:
            house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        yield place


def slowly(house: House, person: SubjectId) -> int:
    asked = house.keeper.request(person, "erasure", channel="website", proved=True)
    house.keeper.answer(person, RequestId(asked.made or ""), "done", confirmed=True)
    return house.keeper.sweep().destroyed


def at_once(house: House, person: SubjectId) -> int:
    outcome, gone = house.keeper.erase(person, channel="website", proved=True, confirmed=True)
    assert outcome.granted
    house.keeper.sweep()
    return gone


def answered_at_once(house: House, person: SubjectId) -> int:
    asked = house.keeper.request(person, "erasure", channel="website", proved=True)
    outcome, gone = house.keeper.answer_at_once(person, RequestId(asked.made or ""), "done", confirmed=True)
    assert outcome.granted
    house.keeper.sweep()
    return gone


def told_of(house: House, person: SubjectId) -> list[str]:
    """Everything on record of a person, ids left out, values counted."""
    house.keeper.seal()
    alias = house.keeper.views.alias(person)
    entries = [one.entry for one in history.entries_about(house.keeper.places.sealer.connection, alias)]
    return sorted(f"{one.kind} {sorted(one.elements)} {one.at} {fields_of(one)}" for one in entries)


def fields_of(one: Entry) -> list[str]:
    ids = ("request", "certificate", "digest", "engagement", "consent", "id")
    known: dict[str, Any] = {key: value for key, value in one.fields.items() if key not in ids}
    known |= {key: sorted(known[key]) for key in ("items", "grounds") if key in known}
    return sorted(f"{key}: {len(value) if key == 'values' else value}" for key, value in known.items())


def test_who_is_erased_at_once_leaves_what_who_is_swept_leaves(home: Path) -> None:
    with opened(home, DAY) as house:
        found: list[Any] = []
        ways: tuple[Callable[[House, SubjectId], int], ...] = (slowly, at_once, answered_at_once)
        for way in ways:
            person = member(house, way.__name__)
            gone = way(house, person)
            state = house.keeper.views.get(person, house.keeper.now()).state
            told = told_of(house, person)
            held = Counter((value.item, value.held) for value in state.values)
            requests = [(one.right, one.state, one.freezes, one.channel) for one in state.requests]
            ended = [one.kind for one in state.engagements.values()], len(state.facts)
            found.append((gone, held, requests, ended, told, house.keeper.open_steps()))
            for table in ("dirty", "step"):
                assert not column(home / "active.db", f"SELECT subject_id FROM {table}")
        assert found[0] == found[1] == found[2]
        assert found[0][0] == 3
        assert column(home / "active.db", "SELECT name FROM background WHERE name LIKE 'sweep/%'") == []
        proved(home, house.keeper)


@pytest.mark.clauses("BZ18-6.2.B", "NX17-5.3.a")
def test_keys_tokens_and_contents_are_gone_when_the_verb_returns_and_nothing_is_certified_yet(home: Path) -> None:
    with opened(home, DAY) as house:
        person = member(house, "somebody")
        house.keeper.seal()
        assert column(home / "keys.db", "SELECT token FROM token")
        keys = column(home / "active.db", "SELECT key_id FROM value")
        _, gone = house.keeper.erase(person, channel="website", proved=True)
        assert gone == 3
        assert column(home / "active.db", "SELECT state FROM value WHERE sealed IS NOT NULL") == []
        assert column(home / "keys.db", "SELECT token FROM token") == []
        assert not set(keys) & set(column(home / "keys.db", "SELECT key_id FROM active_key"))
        sealed = history.entries(house.keeper.places.sealer.connection, kinds=("destruction.ordered",))
        assert len(list(sealed)) == 3, "what is gone was ordered in the sealed ledger"
        assert not house.keeper.certificates("trial")
        assert house.keeper.sweep().destroyed == 3
        assert len(house.keeper.certificates("trial")) == 1
        proved(home, house.keeper)


def test_who_is_not_proved_waits_for_the_proof_and_loses_nothing(home: Path) -> None:
    with opened(home, DAY) as house:
        person = member(house, "somebody")
        outcome, gone = house.keeper.erase(person, channel="website")
        assert (outcome.granted, gone) == (False, 0)
        assert [one.waiting for one in house.keeper.requests(person)] == [True]
        assert house.keeper.sweep().destroyed == 0


def test_an_answer_that_grants_nothing_destroys_nothing_and_one_that_a_sweeper_is_before_waits_for_nobody(
    home: Path,
) -> None:
    with opened(home, DAY) as house, opened(home, DAY) as other:
        person = member(house, "somebody")
        keeper, leases = house.keeper, other.keeper.places.leases
        letter = RequestId(keeper.request(person, "erasure", channel="website").made or "")
        outcome, gone = keeper.answer_at_once(person, letter, "done")
        assert (outcome.granted, gone) == (False, 0)
        outcome, gone = keeper.answer_at_once(person, letter, "refused", reason="unfounded")
        assert (outcome.granted, gone) == (True, 0)
        again = RequestId(keeper.request(person, "erasure", channel="website", proved=True).made or "")
        name = name_of("trial", other.keeper._group_of(bucket_of(person))).replace("/", "-")
        with leases.part("sweep", name) as theirs:
            assert theirs.ours
            outcome, gone = keeper.answer_at_once(person, again, "done")
        assert (outcome.granted, gone) == (True, 0)
        assert keeper.sweep().destroyed == 3


def test_what_is_not_asked_as_declared_leaves_only_that_on_record(home: Path) -> None:
    with opened(home, DAY) as house:
        person = member(house, "somebody")
        with pytest.raises(InputRefused, match="acts for"):
            house.keeper.erase(person, channel="website", proved=True, by="nobody")
        assert not house.keeper.requests(person)
        house.keeper.seal()
        rejected = list(history.entries(house.keeper.places.sealer.connection, kinds=("input.rejected",)))
        assert [one.entry.fields["place"] for one in rejected] == ["erase"]


def test_inside_a_batch_nobody_is_erased_at_once(home: Path) -> None:
    with opened(home, DAY) as house:
        person = member(house, "somebody")
        with pytest.raises(InputRefused, match="outside the batch"), house.keeper.batch():
            house.keeper.erase(person, channel="website", proved=True)


def test_where_a_sweeper_is_at_work_the_request_is_answered_and_a_sweep_does_the_rest(home: Path) -> None:
    with opened(home, DAY) as house, opened(home, DAY) as other:
        person = member(house, "somebody")
        leases, number = other.keeper.places.leases, other.keeper._group_of(bucket_of(person))
        with leases.part("sweep", name_of("trial", number).replace("/", "-")) as theirs:
            assert theirs.ours
            if leases.groups == 1:  # on files the sweep would wait for the other one
                return
            outcome, gone = house.keeper.erase(person, channel="website", proved=True)
            assert (outcome.granted, gone) == (True, 0)
            with pytest.raises(LeaseHeld), leases.lease("sweep", wait=False):
                pass
        assert house.keeper.sweep().destroyed == 3


def test_what_somebody_else_has_left_half_done_is_left_to_the_sweep(home: Path) -> None:
    """Steps that were cut short are carried out first, as a sweep does it."""
    with opened(home, DAY) as house:
        person = member(house, "somebody")
        keeper = house.keeper
        keeper.withdraw(person, "purpose/offers", channel="website")
        house.clock.set(DAY + timedelta(days=3))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(keeper, "_destroy_keys", cut_short)
            with pytest.raises(RuntimeError, match="cut short"):
                keeper.sweep()
        assert len(keeper.open_steps()) == 1
        _, gone = keeper.erase(person, channel="website", proved=True)
        assert gone == 2
        assert keeper.open_steps() == []
        proved(home, keeper)


def test_who_only_serves_answers_and_destroys_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(home, DAY) as house:
        person = member(house, "somebody")
        monkeypatch.setattr(house.keeper.places, "seals", False)
        outcome, gone = house.keeper.erase(person, channel="website", proved=True)
        assert (outcome.granted, gone) == (True, 0)
        assert len(column(home / "active.db", "SELECT value_id FROM value WHERE sealed IS NOT NULL")) == 3
        assert house.keeper.sweep().destroyed == 3


def cut_short(_: object) -> object:
    raise RuntimeError("cut short")


def counted(work: Callable[[], object]) -> int:
    """Messages that the work needs on a server."""
    sent = 0
    with pytest.MonkeyPatch.context() as patch:
        for way in ("ask", "post", "end"):  # what is said in parts ends once
            plain = getattr(Wire, way)

            def seen(own: Wire, *given: Any, plain: Callable[..., Any] = plain) -> Any:
                nonlocal sent
                sent += 1
                return plain(own, *given)

            patch.setattr(Wire, way, seen)
        work()
    return sent


def test_on_a_server_an_erasure_is_seven_messages_also_when_many_follow_each_other(
    address: str, tmp_path: Path
) -> None:
    with postgres.homes_on(address), opened(tmp_path / "home", DAY) as house:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        persons = [member(house, f"person-{number}") for number in range(8)]
        house.keeper.seal()
        erase = partial(house.keeper.erase, channel="website", proved=True)
        taken = [counted(partial(erase, who)) for who in persons]
        assert max(taken[3:]) <= MESSAGES, taken
        assert house.keeper.sweep().destroyed == 3 * len(persons)
        proved(tmp_path / "home", house.keeper)


def test_batches_that_were_sealed_at_once_are_dropped_and_counted_once(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("upheld.store.sealing.MOST_AT_ONCE", 3)
    assert MOST_AT_ONCE > 3
    done: list[bool] = []
    plain = Sealer.seal_at_once

    def noted(own: Sealer, *given: Any) -> bool:
        done.append(plain(own, *given))
        return done[-1]

    monkeypatch.setattr(Sealer, "seal_at_once", noted)
    home = tmp_path / "home"
    with postgres.homes_on(address), opened(home, DAY) as house, opened(home, DAY) as other:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        persons = [member(house, f"person-{number}") for number in range(8)]
        for number, person in enumerate(persons):
            if number == 5:
                other.keeper.seal()  # somebody else has sealed since
            house.keeper.erase(person, channel="website", proved=True)
        assert True in done
        assert False in done
        kinds = ("destruction.ordered", "key.destroyed")
        house.keeper.seal()
        assert column(home / "active.db", "SELECT id FROM journal") == []
        entries = [one.entry for one in history.entries(house.keeper.places.sealer.connection, kinds=kinds)]
        values = Counter((one.kind, value) for one in entries for value in one.fields["values"])  # type: ignore[union-attr]
        assert set(values.values()) == {1}
        assert len(values) == 2 * 3 * len(persons)
        proved(home, house.keeper, certified=False)


def once_each(house: House, values: int) -> None:
    """Each step of each value is on record once."""
    kinds = ("destruction.ordered", "key.destroyed", "value.destroyed")
    house.keeper.seal()
    entries = [one.entry for one in history.entries(house.keeper.places.sealer.connection, kinds=kinds)]
    moves = Counter((one.kind, value) for one in entries for value in one.fields["values"])  # type: ignore[union-attr]
    assert set(moves.values()) == {1}
    assert len(moves) == len(kinds) * values


def test_what_servers_begin_with_meanwhile_waits_for_the_ledger_and_for_each_other(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys are there until the ledger has the order, contents until the keys are gone, for whoever looks."""
    home, found = tmp_path / "home", list[tuple[str, int, int]]()
    with postgres.homes_on(address), opened(home, DAY) as house:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        persons = [member(house, f"person-{number}") for number in range(2)]
        house.keeper.seal()
        house.keeper.erase(persons[0], channel="website", proved=True)

        def look(when: str) -> None:
            keys = set(column(home / "keys.db", "SELECT key_id FROM active_key"))
            rows = column(home / "active.db", "SELECT key_id FROM value WHERE sealed IS NOT NULL")
            found.append((when, len(keys.intersection(rows)) if rows else len(keys) - block, len(rows)))

        block = len(column(home / "keys.db", "SELECT key_id FROM active_key")) - 3
        for of, name in ((Early, "ends"), (AtOnce, "_end_ahead"), (AtOnce, "_forget_keys")):
            plain = getattr(of, name)

            def seen(*given: Any, plain: Callable[..., Any] = plain, name: str = name) -> Any:
                look(name)
                return plain(*given)

            monkeypatch.setattr(of, name, seen)
        assert house.keeper.erase(persons[1], channel="website", proved=True)[1] == 3
        look("done")
        assert found == [
            ("_end_ahead", 3, 3), ("ends", 3, 3), ("_forget_keys", 0, 3), ("ends", 0, 3), ("done", 0, 0),
        ]  # fmt: skip
        assert house.keeper.sweep().destroyed == 6
        once_each(house, 6)


@pytest.mark.parametrize("fails", ["the ledger", "the keys", "the rows", "the end of the keys", "the end of the rows"])
def test_what_was_begun_and_cannot_end_is_done_the_long_way_once(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    home = tmp_path / "home"
    with postgres.homes_on(address), opened(home, DAY) as house:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        persons = [member(house, f"person-{number}") for number in range(3)]
        house.keeper.seal()
        places, turns = house.keeper.places, list[str]()
        house.keeper.erase(persons[0], channel="website", proved=True)
        with monkeypatch.context() as patch:
            if fails == "the ledger":

                def overtaken(own: Sealer, *given: Any) -> bool:
                    *_, begun, meanwhile = given
                    if begun is not None:
                        meanwhile()
                        own.forget_at_once(begun)
                        turns.append(fails)
                    return False

                patch.setattr(Sealer, "seal_at_once", overtaken)
            elif fails.startswith("the end"):
                which = places.keys if fails.endswith("keys") else places.active
                plain_end = Straight.end_early

                def ends(own: Straight, *given: Any) -> bool:
                    if own is which:
                        own.forget_early()
                        turns.append(fails)
                        return False
                    return plain_end(own, *given)

                patch.setattr(Straight, "end_early", ends)
            else:
                which = places.keys if fails.endswith("keys") else places.active
                plain_early = Straight.early

                def early(own: Straight, *given: Any) -> Any:
                    if own is which:
                        turns.append(fails)
                        return None
                    return plain_early(own, *given)

                patch.setattr(Straight, "early", early)
            assert house.keeper.erase(persons[1], channel="website", proved=True)[1] == 3
        assert turns == [fails]
        assert house.keeper.erase(persons[2], channel="website", proved=True)[1] == 3
        assert column(home / "active.db", "SELECT state FROM value WHERE sealed IS NOT NULL") == []
        assert house.keeper.sweep().destroyed == 9
        once_each(house, 9)
        proved(home, house.keeper)


def test_a_reader_who_has_the_person_is_waited_for_and_a_key_that_is_gone_already_is_no_obstacle(
    address: str, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    with postgres.homes_on(address), opened(home, DAY) as house, ThreadPoolExecutor(1) as pool:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        persons = [member(house, f"person-{number}") for number in range(3)]
        house.keeper.seal()
        house.keeper.erase(persons[0], channel="website", proved=True)
        keys = house.keeper.places.keys
        with closing(keys.engine.connect()) as other:
            keys.engine.begin(other, Claim((persons[1],)))
            keys.engine.granted(other)
            done = pool.submit(house.keeper.erase, persons[1], channel="website", proved=True)
            with pytest.raises(TimeoutError):
                done.result(timeout=0.5)
            assert len(column(home / "active.db", "SELECT value_id FROM value WHERE sealed IS NOT NULL")) == 6
            other.execute("ROLLBACK")
            assert done.result(timeout=30)[1] == 3
        gone = column(home / "active.db", "SELECT min(key_id) FROM value WHERE sealed IS NOT NULL")
        changed(home / "keys.db", f"DELETE FROM active_key WHERE key_id = {gone[0]}")
        assert house.keeper.erase(persons[2], channel="website", proved=True)[1] == 3
        assert house.keeper.sweep().destroyed == 9
        once_each(house, 9)


@pytest.mark.parametrize("name", ["active", "keys", "ledger"])
@pytest.mark.parametrize("way", [UP, DOWN])
def test_an_erasure_whose_line_is_cut_at_any_byte_is_finished_by_the_next_sweep(
    address: str, tmp_path: Path, name: str, way: str
) -> None:
    """Done or not, what is on record is so once, and no key is gone that the ledger has no order for."""
    home, databases = tmp_path / "home", postgres.made(address, postgres.fresh_name())
    number = count()
    with between(databases[name]) as (proxy, through):
        options = upheld.Options(clock=upheld.SetClock(DAY), look_up={"trial": ["email", "phone"]}, light_hashing=True)
        system.init(home, options, {**databases, name: through})
        with opened(home, DAY) as house:
            house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")

            def erased() -> int:
                person = member(house, f"person-{next(number)}")
                before = proxy.passed[way]
                try:
                    house.keeper.erase(person, channel="website", proved=True)
                except (StoreFailed, TailBroken):
                    failed.append(person)
                return proxy.passed[way] - before

            failed: list[SubjectId] = []
            erased(), erased()
            size = erased()
            for position in sorted({0, 1, size - 1, size, *(size * step // 12 for step in range(12))}):
                person = member(house, f"person-{next(number)}")
                proxy.cut_after(way, position)
                with suppress(StoreFailed, TailBroken):
                    house.keeper.erase(person, channel="website", proved=True)
                proxy.whole()
                house.keeper.sweep()
                state = house.keeper.views.get(person, house.keeper.now()).state
                if any(value.held is HeldState.HELD for value in state.values):
                    assert not [one for one in state.requests if one.settled_at is not None], f"{position} of {size}"
                    assert house.keeper.erase(person, channel="website", proved=True)[1] == 3
                    house.keeper.sweep()
                assert house.keeper.open_steps() == [], f"{position} of {size}"
            assert not failed
            assert set(column(home / "active.db", "SELECT state FROM value")) == {"destroyed"}
            once_each(house, 3 * next(number))
            proved(home, house.keeper)


def test_a_tail_that_was_changed_is_told_and_nothing_is_destroyed(address: str, tmp_path: Path) -> None:
    """What is sealed at once is checked as all else: an order that somebody changes meanwhile destroys nothing."""
    home = tmp_path / "home"
    with postgres.homes_on(address), opened(home, DAY) as house:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        person = member(house, "somebody")
        house.keeper.seal()
        house.keeper.withdraw(person, "purpose/offers", channel="website")
        changed(home / "active.db", "UPDATE journal SET mac = header")
        with pytest.raises(TailBroken):
            house.keeper.erase(person, channel="website", proved=True)
        assert len(column(home / "active.db", "SELECT value_id FROM value WHERE sealed IS NOT NULL")) == 3
        assert column(home / "keys.db", "SELECT token FROM token")


def test_many_are_erased_at_once_while_others_write_seal_and_sweep(home: Path) -> None:
    """Threads of two processes' worth of keepers: nobody waits for ever, nothing is done twice, nothing is left."""
    with opened(home, DAY) as house, opened(home, DAY) as other:
        persons = [member(house, f"person-{number}") for number in range(16)]
        over = Event()

        def erases(keeper: Keeper, some: list[SubjectId]) -> int:
            return sum(keeper.erase(one, channel="website", proved=True)[1] for one in some)

        def others(keeper: Keeper) -> None:
            while not over.is_set():
                keeper.seal()
                keeper.sweep()
                keeper.enter("trial", "member")

        with ThreadPoolExecutor(6) as pool:
            besides = [pool.submit(others, one.keeper) for one in (house, other)]
            gone = [
                pool.submit(erases, one.keeper, persons[number::4])
                for number, one in enumerate((house, house, other, other))
            ]
            done = [one.result(timeout=120) for one in gone]
            over.set()
            for one in besides:
                one.result(timeout=120)
        house.keeper.sweep()
        assert sum(done) <= 3 * len(persons)
        assert house.keeper.open_steps() == []
        states = column(home / "active.db", "SELECT state FROM value")
        assert Counter(states) == {"destroyed": 3 * len(persons)}
        kinds = ("destruction.ordered", "key.destroyed", "value.destroyed")
        entries = [one.entry for one in history.entries(house.keeper.places.sealer.connection, kinds=kinds)]
        moves = Counter((one.kind, value) for one in entries for value in one.fields["values"])  # type: ignore[union-attr]
        assert set(moves.values()) == {1}
        assert len(moves) == 3 * 3 * len(persons)
        proved(home, house.keeper)


# ── killed ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scenario", ["erase", "erase-apart"])
def test_an_erasure_killed_at_any_statement_is_finished_by_the_next_sweep(tmp_path: Path, scenario: str) -> None:
    """Every fourth statement here, every one in `make deep`."""
    found = crashes_of(scenario, tmp_path, 0, 4)
    assert found["failures"] == []
    assert found["crashes"] > 8  # on files more than thirty, a message to a server is one statement


@pytest.mark.parametrize(("scenario", "stride"), [("erase", 5), ("erase-apart", 17)])
def test_on_a_server_an_erasure_killed_at_any_message_is_finished_by_the_next_sweep(
    address: str, tmp_path: Path, scenario: str, stride: int
) -> None:
    """Before a message goes, in its middle, or when it is not answered: each costs a copy of the databases. Every one
    in `make deep`.
    """
    with postgres.homes_on(address):
        found = crashes_of(scenario, tmp_path, 1, stride)
    assert found["failures"] == []
    assert found["crashes"] >= 5


@pytest.mark.deep
@pytest.mark.parametrize("scenario", ["erase", "erase-apart"])
def test_an_erasure_killed_at_every_statement_and_message(tmp_path: Path, address: str, scenario: str) -> None:
    assert crashes_of(scenario, tmp_path)["failures"] == []
    with postgres.homes_on(address):
        assert crashes_of(scenario, tmp_path)["failures"] == []
