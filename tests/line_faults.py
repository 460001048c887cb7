"""A line to a server, cut after so many bytes of what is said, either way; counted for docs/faults.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import upheld
from tests import postgres
from tests.acknowledged import MADE_AT, RECORDED_AS, Life, missing, peopled, records, tells, texts_in
from tests.proxy import DOWN, UP, Proxy, between
from tests.trial_home import House, opened, proved
from upheld import system
from upheld.errors import StoreFailed


@dataclass
class Told:
    """What came of acts on a line that was cut: so many cuts, what was done, which texts were not taken."""

    cuts: int = 0
    said: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


Act = Callable[[Life, str], list[str]]
"""Does something, with that as its text, and says what was done."""


def _provides(life: Life, _: str) -> list[str]:
    return ["provided one"] if life.house.keeper.provide(life.person, "mall", ("name",)).granted else []


def _agrees(life: Life, _: str) -> list[str]:
    life.house.keeper.consent(life.person, "purpose/offers", channel="website")
    return []


def _sweeps(life: Life, _: str) -> list[str]:
    life.house.keeper.sweep(everybody=True)
    return []


ACTS: Final[dict[str, Act]] = {
    "read": lambda life, _: ["read one"] if life.read() else [],
    "batch": lambda life, _: ["read one"] if life.read_batch() else [],
    "collect": lambda life, text: [f"text {text}"] if life.collect("name", text) else [],
    "look-up": lambda life, text: [f"text {text}"] if life.collect("email", text) else [],
    "provide": _provides,
    "consent": _agrees,
    "tell": lambda life, text: [f"told {tells(life.house, life.person, text.partition('@')[0]).message_id}"],
    "sweep": _sweeps,
}
_LONG: Final = ("provide", "tell", "sweep")
"""What takes many messages, each with its own ends: tried at three times as many places."""


def positions(size: int, number: int) -> list[int]:
    """So many places in what is said, its ends among them."""
    return sorted({0, 1, size - 1, size, *(size * step // number for step in range(number))})


def cut_anywhere(address: str, folder: Path, number: int) -> tuple[int, list[str]]:
    """Every act with the line to its persons, then that to its keys, cut at so many places of each direction. How often
    that happened, and what is wrong after it.
    """
    places = postgres.made(address, postgres.fresh_name())
    home, told = folder / "home", Told()
    with between(places["active"]) as (active, by_active), between(places["keys"]) as (keys, by_keys):
        options = upheld.Options(clock=upheld.SetClock(MADE_AT), look_up={"trial": ["email"]}, light_hashing=True)
        system.init(home, options, {**places, "active": by_active, "keys": by_keys})
        with opened(home, MADE_AT) as house:
            life = Life.of(house, peopled(house, ["stayer"])[0], "stayer")
            for name, act in ACTS.items():
                for line in (active, keys):
                    for way in (UP, DOWN):
                        _cut_in(told, life, (name, act), (line, way), number)
            proved(home, house.keeper)
            wrong = missing(home, house, told.said) + _too_much(home, house, told)
    return told.cuts, wrong


def _cut_in(told: Told, life: Life, named: tuple[str, Act], at: tuple[Proxy, str], number: int) -> None:
    (name, act), (line, way) = named, at

    def done(text: str) -> None:
        try:
            told.said += act(life, text)
        except StoreFailed:
            told.refused.append(text)

    mark = f"{name}-{'k' if told.cuts % 2 else 'a'}{way[-6:]}-{told.cuts}"
    done(f"{mark}-warm@example.org")
    before = line.passed[way]
    done(f"{mark}-size@example.org")
    size = line.passed[way] - before
    if not size:
        return  # this act says nothing there
    for place in positions(size, number * (3 if name in _LONG else 1)):
        cuts = line.cuts
        line.cut_after(way, place)
        done(f"{mark}-{place}@example.org")
        line.whole()
        told.cuts += line.cuts - cuts


def _too_much(home: Path, house: House, told: Told) -> list[str]:
    """What was refused and is there, and more records than acts. A read whose answer was lost is on record twice."""
    kept = texts_in(home, "name", "email")
    wrong = [f"{one} is there though it was refused" for one in told.refused if kept[one]]
    found = records(house)
    acts = Counter(one.partition(" ")[0] for one in told.said)
    for act, kind in RECORDED_AS.items():
        most = 2 * acts[act] if act == "read" else acts[act]
        wrong += [f"{found[kind]} records of {acts[act]} times `{act}`"] if found[kind] > most else []
    return wrong
