"""Counts of many persons, kept: a number on a page is not counted anew each time that somebody opens it.

While few persons are held it is: that costs nothing, and the page is never behind. From `MANY` on the number of the
last count is shown with its instant. The scheduler counts once an hour, away from whoever waits; where none runs,
whoever asks first after `FRESH_FOR` counts for all. What is kept are codes and sums: nobody is told apart by them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from upheld.dates import Instant
from upheld.keeper import Keeper
from upheld.store.place import Transaction

Count = Callable[[Keeper, str], Mapping[str, int]]
"""Counts something under a policy: label → number."""
MANY: Final = 5_000
"""Ours: persons in the home from which on counts are kept."""
FRESH_FOR: Final = 2 * 3_600_000_000
"""Ours: a count older than this (microseconds) is counted anew."""
_AT: Final = "@at"
"""The label under which the instant of a count stands."""


def counted(keeper: Keeper, policy: str, what: str, count: Count) -> Mapping[str, int]:
    """What `count` says, or said at most `FRESH_FOR` ago. `what` is the name under which it is kept."""
    if not _many(keeper):
        return count(keeper, policy)
    kept = _kept(keeper, policy, what)
    if 0 <= keeper.now() - kept.get(_AT, -FRESH_FOR) < FRESH_FOR:
        return {label: number for label, number in kept.items() if label != _AT}
    return count_now(keeper, policy, what, count)


def counted_at(keeper: Keeper, policy: str, names: Iterable[str]) -> Instant | None:
    """When the oldest of these was counted; None while everything is counted as it is asked for."""
    if not _many(keeper):
        return None
    found = [kept[_AT] for what in names if _AT in (kept := _kept(keeper, policy, what))]
    return Instant(min(found)) if found else None


def count_now(keeper: Keeper, policy: str, what: str, count: Count) -> Mapping[str, int]:
    """Count, and keep the answer."""
    at, found = keeper.now(), count(keeper, policy)
    rows = [(policy, what, label, number) for label, number in {**found, _AT: at}.items()]

    def work(transaction: Transaction) -> None:
        transaction.execute(_FORGET, (policy, what))
        transaction.executemany(_KEEP, rows)

    keeper.places.active.submit(work, about={policy})
    return found


def count_again(keeper: Keeper, counts: Mapping[str, Count]) -> None:
    """Count everything anew under every policy, where there are so many persons that counts are kept."""
    if not _many(keeper):
        return
    for policy in sorted(keeper.views.lines):
        for what, count in counts.items():
            count_now(keeper, policy, what, count)


def no_longer_counted(keeper: Keeper, policy: str, what: str) -> None:
    """Something was done by which a count is no longer true: the next who asks counts anew."""
    if _many(keeper):
        keeper.places.active.submit(lambda transaction: transaction.execute(_FORGET, (policy, what)), about={policy})


def _many(keeper: Keeper) -> bool:
    """Looks at so many rows and no more."""
    with keeper.places.active.reading() as connection:
        return int(connection.execute(_MANY, (MANY,)).fetchone()[0]) >= MANY


def _kept(keeper: Keeper, policy: str, what: str) -> dict[str, int]:
    with keeper.places.active.reading() as connection:
        return {label: int(number) for label, number in connection.execute(_KEPT, (policy, what)).fetchall()}


_MANY: Final = "SELECT count(*) FROM (SELECT 1 FROM subject LIMIT ?) AS first_ones"
_KEPT: Final = "SELECT label, times FROM figure WHERE policy = ? AND name = ?"
_KEEP: Final = (
    "INSERT INTO figure(policy, name, label, times) VALUES(?, ?, ?, ?) "
    "ON CONFLICT(policy, name, label) DO UPDATE SET times = excluded.times"
)
_FORGET: Final = "DELETE FROM figure WHERE policy = ? AND name = ?"
