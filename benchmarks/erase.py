"""From the answer to an erasure request until the rows are gone, and until their bytes are gone too and certified."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any
from unittest.mock import patch

import upheld
from benchmarks.ground import Ground, members, opened
from benchmarks.measure import Figure, seconds
from upheld.engine.acts import RequestId, SubjectId, ValueId
from upheld.keeper.destroying import Erasing
from upheld.store.ids import placed_value

SEVEN = ("name", "address", "contact", "gender", "birth-date", "mobile", "login-id")


def figures(ground: Ground) -> Iterator[Figure]:
    """A person with seven values, alone; then as many persons as ask in an hour, swept together."""
    home, alone, together = ground.home(), ground.sized(20, 8), ground.sized(100, 20)
    with opened(home) as keeper:
        people = members(keeper, 2 * (5 + alone) + together, SEVEN)
        taken, gone, swept = [], [], []
        for who, _ in people[: 5 + alone]:
            gone.append(seconds(partial(forthwith, keeper, who)))
            keeper.sweep()
        for who, _ in people[5 + alone : 2 * (5 + alone)]:
            with removals() as gone_at:
                start = perf_counter()
                erased(keeper, [who])
                taken.append(perf_counter() - start)
            swept.append(gone_at[0] - start)
        yield Figure(
            name="erase a person with seven values, until keys and rows are gone",
            value=median(gone[5:]) * 1e3, unit="ms", most=10.0, note=f"worst {max(gone[5:]) * 1e3:.0f} ms",
        )  # fmt: skip
        yield Figure(
            name="the same by request, answer and a sweep",
            value=median(swept[5:]) * 1e3, unit="ms", note=f"worst {max(swept[5:]) * 1e3:.0f} ms",
        )  # fmt: skip
        yield Figure(
            name="erase a person with seven values, until gone and certified",
            value=median(taken[5:]) * 1e3, unit="ms", note=f"worst {max(taken[5:]) * 1e3:.0f} ms",
        )  # fmt: skip
        value = people[0][1][0]
        assert not _left(keeper, value)
        rest = [who for who, _ in people[2 * (5 + alone) :]]
        took = seconds(lambda: erased(keeper, rest))
        yield Figure(
            name=f"erase {together} persons with seven values in one sweep, each",
            value=took / together * 1e3,
            unit="ms",
        )


def forthwith(keeper: upheld.Keeper, who: SubjectId) -> None:
    """Asked, answered and gone by one verb."""
    _, destroyed = keeper.erase(who, channel="website", proved=True)
    assert destroyed == len(SEVEN)


def erased(keeper: upheld.Keeper, people: list[SubjectId]) -> None:
    """Requests are in and proved; answered, swept, gone."""
    asked = [keeper.request(who, "erasure", channel="website", proved=True).made for who in people]
    for who, request in zip(people, asked, strict=True):
        keeper.answer(who, RequestId(request or ""), "done")
    swept = keeper.sweep()
    assert swept.destroyed == 7 * len(people), swept


@contextmanager
def removals() -> Iterator[list[float]]:
    """When keys and rows were gone, durably: what follows is about their bytes, and certificates."""
    instants: list[float] = []
    remove = Erasing._remove

    def noted(own: Erasing, *told: Any) -> None:
        remove(own, *told)
        instants.append(perf_counter())

    with patch.object(Erasing, "_remove", noted):
        yield instants


def _left(keeper: upheld.Keeper, value: ValueId) -> bool:
    with keeper.places.active.reading() as connection:
        statement = "SELECT sealed FROM value WHERE bucket = ? AND value_id = ?"
        row = connection.execute(statement, placed_value(value)).fetchone()
    return row is not None and row[0] is not None
