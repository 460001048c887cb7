"""Whether the process lives, and whether it can serve: for whoever starts and balances processes. Names, no figures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from upheld.keeper import Keeper
from upheld.ledger.checkpoint import checkpoint_in
from upheld.store import history
from upheld.store.place import Place


def readiness(keeper: Keeper) -> dict[str, bool]:
    """Everything that has to work before a request may come, and whether it does."""
    places = keeper.places
    checks: dict[str, Callable[[], bool]] = {
        one.name: partial(_answers, one) for one in (places.active, places.separated, places.keys)
    }
    checks["ledger"] = lambda: checkpoint_in(history.newest_note(places.sealer.connection)).size >= 0
    checks["clock"] = lambda: keeper.in_reach(keeper.now())
    checks["recovered"] = lambda: places.active.barred is None
    return {name: _holds(check) for name, check in checks.items()}


def _answers(place: Place) -> bool:
    with place.reading() as connection:
        return connection.execute("SELECT 1").fetchone() is not None


def _holds(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except Exception:  # noqa: BLE001 - whatever a driver raises means that it does not answer
        return False
