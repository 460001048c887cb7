"""On PostgreSQL whoever signs in, calls with a key or sends letters waits for nobody who works on somebody else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest

import upheld
from tests import postgres, served
from tests.acknowledged import FIELDS
from tests.called import Program, program
from tests.homes import column
from tests.served import Served
from tests.test_side_by_side import held_by, passes
from tests.test_telling import Scripted
from upheld.dates import Period
from upheld.desk.background import Scheduler
from upheld.desk.figures import add_figures
from upheld.desk.throttle import SIGN_IN_NAME, count, forgiven
from upheld.engine.acts import SubjectId
from upheld.keeper import Keeper
from upheld.store import history
from upheld.store.place import NotClaimed

KEY = "c0ffee00-1111-2222"


@pytest.fixture(scope="module")
def on_server() -> Iterator[str]:
    with postgres.server() as address, postgres.homes_on(address):
        served._furnished.cache_clear()  # one that lies in files
        yield address
        served._furnished.cache_clear()


@pytest.fixture
def house(on_server: str, tmp_path: Path) -> Iterator[Served]:
    with served.served(tmp_path / "home") as made:
        yield made


@pytest.fixture
def neighbour(house: Served) -> Iterator[Keeper]:
    with upheld.open(house.home, upheld.Options(clock=house.clock, light_hashing=True)) as keeper:
        yield keeper


def called(shop: Program, who: str, key: str) -> int:
    return shop.post(shop.of(who, "withdrawals"), {"about": "purpose/offers", "channel": "website"}, key).status_code


def provided(shop: Program, key: str) -> int:
    return shop.post(shop.of("stayer", "provisions"), {"recipient": "mall", "items": ["name"]}, key).status_code


ACTS: dict[str, Callable[[Served, Program], object]] = {
    "staff signs in": lambda house, shop: house.signed_in("handler"),
    "a person signs in": lambda house, shop: house.person_in("stayer"),
    "a program gets a token": lambda house, shop: shop.sign_in(),
    "a call with a key": lambda house, shop: called(shop, "stayer", KEY),
    "somebody comes in by a call with a key": lambda house, shop: shop.post("/subjects", {"kind": "member"}, KEY),
    "contents go out by a call with a key": lambda house, shop: provided(shop, KEY),
    "a try is counted": lambda house, shop: count(house.keeper, "trial", SIGN_IN_NAME, "a"),
    "a try is forgiven": lambda house, shop: forgiven(house.keeper, "trial", SIGN_IN_NAME, "a"),
    "figures are added up": lambda house, shop: add_figures(
        house.keeper, Counter({("trial", "answers", "read 200"): 1})
    ),
    "a scheduler renews its lease": lambda house, shop: Scheduler(house.keeper, {}).turn(),
}


@pytest.mark.parametrize("act", ACTS)
def test_who_works_on_somebody_else_keeps_nobody_waiting(house: Served, neighbour: Keeper, act: str) -> None:
    shop = program(house)
    with held_by(neighbour, (house.persons["asker"],)):
        done, running = passes(lambda: ACTS[act](house, shop))
        assert done, act
    running.result(30)


def test_a_call_with_a_key_waits_for_who_works_on_the_same_person_and_counts_once(
    house: Served, neighbour: Keeper
) -> None:
    shop = program(house)
    with held_by(neighbour, (house.persons["asker"],)):
        done, running = passes(lambda: called(shop, "asker", KEY))
        assert not done
    assert running.result(30) == 200
    assert called(shop, "asker", KEY) == 200
    house.keeper.seal()
    said = [one.entry for one in history.entries(house.keeper.places.sealer.connection)]
    assert sum(one.kind == "consent.withdrawn" for one in said) == 1


def both(keeper: Keeper, *persons: SubjectId) -> None:
    with keeper.batch(about=()):
        for one in persons:
            keeper.consent(one, "purpose/offers", channel="website")


def test_a_batch_that_comes_upon_somebody_whom_others_have_waits_for_the_whole_place(
    house: Served, neighbour: Keeper
) -> None:
    """It is begun again, alone: claims that come later are not waited for, so nobody waits in a circle."""
    shop, held = program(house), house.persons["asker"]
    body = {
        "entries": [
            {"subject": house.persons[who], "purpose": "service", "items": {"name": f"new {who}"}, "channel": "website"}
            for who in ("stayer", "asker")
        ]
    }
    with held_by(neighbour, (held,)):
        with pytest.raises(NotClaimed):
            both(house.keeper, house.persons["stayer"], held)
        done, running = passes(lambda: shop.post("/collect", body, KEY))
        assert not done
    answer = running.result(30)
    assert answer.status_code == 200, answer.text  # type: ignore[attr-defined]  # an answer of the test client
    assert [bool(one["done"]) for one in answer.json()["entries"]] == [True, True]  # type: ignore[attr-defined]  # an answer of the test client


def test_what_needs_the_whole_place_does_not_happen_in_a_batch_that_has_less(house: Served) -> None:
    person = house.persons["stayer"]

    def too_much() -> None:
        with house.keeper.batch(about=(person,)):
            house.keeper.consent(person, "purpose/offers", channel="website")
            house.keeper.source("trial", "shop", Period.parse("P3D"))

    before = column(house.home / "active.db", "SELECT count(*) FROM consent")
    with pytest.raises(NotClaimed):
        too_much()
    assert column(house.home / "active.db", "SELECT count(*) FROM consent") == before


def test_letters_go_out_while_somebody_else_is_worked_on_and_each_once(house: Served, neighbour: Keeper) -> None:
    keepers = (house.keeper, neighbour)
    for who in ("stayer", "asker"):
        house.keeper.tell(house.persons[who], "business-transfer", "email", fields=FIELDS)
    with held_by(neighbour, (house.persons["leaver"],)):
        one = Scripted()
        done, running = passes(lambda: house.keeper.deliver(one, limit=1))
        assert done
        assert len(one.sent) == 1
    running.result(30)
    together, gate = [Scripted(), Scripted()], Barrier(2)

    def deliver(number: int) -> object:
        gate.wait(30)
        return keepers[number].deliver(together[number])

    first, second = (passes(partial(deliver, number))[1] for number in range(2))
    first.result(30)
    second.result(30)
    assert sorted(letter.message_id for both in (one, *together) for letter in both.sent) == sorted(
        message.message_id for message in house.keeper.messages("trial", state="sent")
    )
