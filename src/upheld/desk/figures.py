"""Counters of all processes together: each adds what it counted since it last did, and any can be asked for the sum.

A process that is killed loses what it counted in the last seconds; figures are for watching, evidence is in the ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from upheld.keeper import Keeper
from upheld.store.place import Transaction

Counts = Counter[tuple[str, str, str]]
"""(policy, name of the counter, label: codes joined by a blank) → times."""
_ADD: Final = (
    "INSERT INTO figure(policy, name, label, times) VALUES(?, ?, ?, ?) "
    "ON CONFLICT(policy, name, label) DO UPDATE SET times = figure.times + excluded.times"
)
_SUMS: Final = "SELECT name, label, times FROM figure WHERE policy = ? ORDER BY name, label"


def add_figures(keeper: Keeper, counts: Counts) -> None:
    """Add what was counted; nothing is written where nothing was."""
    rows = [(*key, times) for key, times in sorted(counts.items()) if times]
    if not rows:
        return

    def work(transaction: Transaction) -> None:
        transaction.executemany(_ADD, rows)

    keeper.places.active.submit(work)


def figures_of(keeper: Keeper, policy: str) -> Mapping[tuple[str, str], int]:
    """(name, label) → times, over all processes that have said so."""
    with keeper.places.active.reading() as connection:
        return {(name, label): int(times) for name, label, times in connection.execute(_SUMS, (policy,)).fetchall()}
