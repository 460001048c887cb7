"""Contents for values: obviously made up, different for every person and every time, at example.org."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

_SAYS: Final[Mapping[str, Callable[[int], str]]] = {
    "email": lambda n: f"made-up-{n}@example.org",
    "guardian-email": lambda n: f"made-up-parent-{n}@example.org",
    "mobile": lambda n: f"010-0000-{n:04}",
    "contact": lambda n: f"02-000-{n:04}",
    "phone": lambda n: f"02-111-{n:04}",
    "birth-date": lambda n: f"1990-01-{n % 28 + 1:02} (made up, {n})",
    "name": lambda n: f"Made-Up Person {n}",
    "company": lambda n: f"Made-Up Company {n}",
}


def content(item: str, number: int) -> str:
    """What the person writes into a field; `number` is counted up within a case, so that no two are alike."""
    say = _SAYS.get(item)
    return say(number) if say else f"made-up {item} no {number:04}"
