"""A request as its person sees it: its state, its clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from upheld.dates import Instant
from upheld.engine.state import Request
from upheld.store.views import Seen
from upheld.web.asked import Asked
from upheld.web.words import known, say

DAY: Final = 86_400_000_000


def right_name(asked: Asked, right: str) -> str:
    """The public name of a right; our own word where the document has none."""
    named, ours = asked.document.name("rights", right, asked.locale), f"right-name.{right}"
    return say(ours, asked.locale) if named == right and known(ours) else named


@dataclass(frozen=True, slots=True)
class Followed:
    """A request as its person sees it."""

    request: Request
    state: str
    right: str
    days_left: int
    late: bool


def followed_of(asked: Asked, seen: Seen) -> list[Followed]:
    """The person's requests, open ones first, then the newest."""
    now = asked.keeper.now()
    found = [follow_one(asked, one, now) for one in seen.state.requests]
    return sorted(found, key=lambda one: (not one.request.waiting, -one.request.received_at))


def follow_one(asked: Asked, one: Request, now: Instant) -> Followed:
    """One request with its state now and the days that are left."""
    left = max(0, -(-(one.due_at - now) // DAY) - 1)
    return Followed(one, one.stands(now).value, right_name(asked, one.right), left, one.waiting and one.due_at <= now)
