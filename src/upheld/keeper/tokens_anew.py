"""Look-up tokens are made anew from another root: while everybody works, or alone in a home that is recovered."""

from __future__ import annotations

from collections.abc import Callable

from upheld.keeper.door import Places
from upheld.store import subjects
from upheld.store.token_rotation import TokenRotation
from upheld.store.vault import Tier


def make_tokens_anew(places: Places, tier: Tier, told: Callable[[int], None] = lambda _: None) -> tuple[int, bytes]:
    """Begin or end a rotation of one tier; how many tokens were made, and the mark of the root. Raises StoreFailed."""

    def tell() -> None:
        places.active.submit(subjects.new_plan)
        places.views.outdated()

    rotation = TokenRotation(places.vault, tier, places.active, places.separated, places.look_up, tell)
    return rotation.run(told)
