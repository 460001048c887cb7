"""What of a person passes on when the business does: what is in use, our own, and in nobody's dispute. Pure.

What is kept apart stays with who has the duty to keep it. What is held for an organisation passes by that contract. A
password of ours is of no use to anybody else, and one for another service is for the job that needs it alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from upheld.dates import Instant
from upheld.engine.acts import Cited
from upheld.engine.layers import hold_cited
from upheld.engine.lifecycle import DueState
from upheld.engine.state import HeldState, Value
from upheld.engine.view import View, holds_on
from upheld.policy.vocabulary import Nature


@dataclass(frozen=True, slots=True)
class PassingOn:
    """The values that may pass on, and what keeps the whole person back for now: an open freeze or suspension."""

    values: tuple[Value, ...]
    held_back: tuple[Cited, ...] = ()


def passing_on(view: View, at: Instant) -> PassingOn:
    """What may pass on at this instant."""
    values = tuple(one for one in view.state.values if _passes(view, one, at))
    held = [hold_cited(view.plan, *each) for one in values for each in holds_on(view, one, None, at)]
    return PassingOn(() if held else values, tuple(dict.fromkeys(held)))


def _passes(view: View, value: Value, at: Instant) -> bool:
    item = view.plan.items.get(value.item)
    return (
        value.held is HeldState.HELD
        and value.held_for is None
        and value.replaced_at is None
        and item is not None
        and item.nature not in (Nature.PASSWORD, Nature.SECRET)
        and view.life.due(value, at).state is DueState.ACTIVE
    )
