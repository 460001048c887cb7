"""Acts in a batch, or as one piece of work, come out as they do one by one: the whole state is compared."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import upheld
from tests.homes import column
from tests.trial_home import POLICY, at
from upheld.engine.acts import SubjectId
from upheld.errors import InputRefused
from upheld.keeper import Keeper
from upheld.store import history

NOW = at("2024-09-05")
PERSONS, ACTS = 6, 40
ROWS = {
    "active": {
        "subject": "subject_id, kind, entered_at, epoch, last_at",
        "value": "subject_id, value_id, item, state, generation, collected_at, known_at, uses, replaced_at, held_for",
        "consent": "subject_id, consent_id, about_kind, about, given, at, known_at, version, channel, recorded_by",
        "fact": "subject_id, fact_id, code, at, known_at, engagement_id",
        "engagement": "subject_id, engagement_id, kind, begun_at",
        "anchor": "subject_id, policy, fact, day",
        "dirty": "subject_id, policy",
    },
    "keys": {"token": "tier, policy, item, value_id, subject_id", "alias": "subject_id, alias"},
}


@contextmanager
def seeded(home: Path, seed: int) -> Iterator[tuple[Keeper, upheld.SetClock]]:
    """A home whose ids come out the same every time."""
    clock = upheld.SetClock(NOW)
    options = upheld.Options(clock=clock, seed=seed, light_hashing=True, look_up={"trial": ["email", "phone"]})
    with upheld.open(home, options) as keeper:
        yield keeper, clock


def acts_of(chance: random.Random) -> list[tuple[str, int, str]]:
    verbs = ("consent", "withdraw", "collect", "collect", "phone", "correct", "fact", "strange", "child", "twice")
    return [(chance.choice(verbs), chance.randrange(PERSONS), f"text-{n}@example.org") for n in range(ACTS)]


def done(keeper: Keeper, persons: list[SubjectId], act: tuple[str, int, str]) -> str:
    """What came of an act, in words."""
    verb, number, text = act
    person = persons[number]

    def corrected() -> Any:
        held = [one for one in keeper.views.get(person, keeper.now()).state.values if one.replaced_at is None]
        return keeper.correct(person, held[-1].value_id, text)

    verbs: dict[str, Callable[[], Any]] = {
        "consent": lambda: keeper.consent(person, "purpose/offers", channel="website"),
        "withdraw": lambda: keeper.withdraw(person, "purpose/offers", channel="website"),
        "collect": lambda: keeper.collect(person, "service", {"name": text, "email": text}),
        "phone": lambda: keeper.collect(person, "offers", {"phone": text}),
        "correct": corrected,
        "fact": lambda: keeper.fact(person, "closed", source="shop", key=text[:6]),
        "strange": lambda: keeper.fact(person, "eclipse"),
        "child": lambda: keeper.collect(person, "service", {"phone": text}),
        "twice": lambda: (keeper.consent(person, "purpose/offers", channel="website"), corrected())[1],
    }
    try:
        outcome = verbs[verb]()
    except InputRefused as refusal:
        return refusal.code
    return f"{outcome.granted} {sorted(reason.value for reason in outcome.reasons)} {outcome.made} {outcome.values}"


def one_by_one(keeper: Keeper, persons: list[SubjectId], acts: list[tuple[str, int, str]]) -> list[str]:
    return [done(keeper, persons, act) for act in acts]


def batched(keeper: Keeper, persons: list[SubjectId], acts: list[tuple[str, int, str]]) -> list[str]:
    with keeper.batch():
        return one_by_one(keeper, persons, acts)


def claimed(keeper: Keeper, persons: list[SubjectId], acts: list[tuple[str, int, str]]) -> list[str]:
    with keeper.batch(about=persons):
        return one_by_one(keeper, persons, acts)


def merged(keeper: Keeper, persons: list[SubjectId], acts: list[tuple[str, int, str]]) -> list[str]:
    found: list[str] = []
    for start in range(0, len(acts), 7):
        some = acts[start : start + 7]
        found += keeper.together(lambda some=some: one_by_one(keeper, persons, some), about=persons)  # type: ignore[misc]  # as it stands now
    return found


def came_out(home: Path, seed: int, way: Callable[[Keeper, list[SubjectId], list[Any]], list[str]]) -> dict[str, Any]:
    """Answers, rows and evidence after the acts of a seed, done in a way."""
    with seeded(home, seed) as (keeper, clock):
        keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        persons = keeper.enter_many("trial", ["member"] * PERSONS)
        for person in persons:
            keeper.begin(person, "membership")
            keeper.collect(person, "service", {"name": "first", "email": f"{person}@example.org"})
        keeper.seal()
        sealed = history.size_of(keeper.places.sealer.connection)
        clock.set(NOW + timedelta(hours=1))
        found: dict[str, Any] = {"answers": way(keeper, persons, acts_of(random.Random(seed)))}
        keeper.seal()
        connection = keeper.places.sealer.connection
        found["evidence"] = [
            (one.entry.kind, one.entry.at, one.entry.who, sorted(map(str, unkeyed(one.entry.fields).items())))
            for one in history.entries(connection, from_leaf=sealed)
            if one.entry.kind != "keys.made"
        ]
        found["consents"] = [dict(keeper.consents(person)) for person in persons]
    for place, tables in ROWS.items():
        for table, columns in tables.items():
            statement = f"SELECT {columns} FROM {table}"
            found[table] = sorted(map(str, column(home / f"{place}.db", statement)))
    return found


def unkeyed(fields: Mapping[str, object]) -> dict[str, object]:
    """Without what is made with a key of the home."""
    return {name: value for name, value in fields.items() if name != "key"}


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("way", [batched, claimed, merged])
def test_a_batch_comes_out_as_its_acts_do_one_by_one(
    tmp_path: Path, seed: int, way: Callable[[Keeper, list[SubjectId], list[Any]], list[str]]
) -> None:
    alone, together = came_out(tmp_path / "alone", seed, one_by_one), came_out(tmp_path / "together", seed, way)
    for part, expected in alone.items():
        if part == "evidence":
            assert sorted(map(str, together[part])) == sorted(map(str, expected))
        else:
            assert together[part] == expected, part
    assert any(answer.startswith("True") for answer in alone["answers"])
    assert any(answer.startswith("False") for answer in alone["answers"])
    assert any(" " not in answer for answer in alone["answers"])
