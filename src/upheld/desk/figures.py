"""Counters of all processes together: each adds what it counted since it last did, and any can be asked for the sum.

A process that is killed loses what it counted in the last seconds; figures are for watching, evidence is in the ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from upheld.desk.records import codes
from upheld.keeper import Keeper
from upheld.store import history
from upheld.store.place import Transaction

Counts = Counter[tuple[str, str, str]]
"""(policy, name of the counter, label: codes joined by a blank) → times."""
_ADD: Final = (
    "INSERT INTO figure(policy, name, label, times) VALUES(?, ?, ?, ?) "
    "ON CONFLICT(policy, name, label) DO UPDATE SET times = figure.times + excluded.times"
)
_COUNTED: Final = "SELECT times FROM figure WHERE policy = ? AND name = ? AND label = ?"
_MOVE: Final = (
    "INSERT INTO figure(policy, name, label, times) VALUES(?, ?, ?, ?) "
    "ON CONFLICT(policy, name, label) DO UPDATE SET times = excluded.times WHERE figure.times = ?"
)
_UP_TO: Final = ("", "counted", "batches")
"""The row that says how many batches of the ledger were looked through."""
REFUSALS: Final = "refusals-by-reason"
REFUSED_KINDS: Final = ("act.refused", "read.refused")
_SUMS: Final = "SELECT name, label, times FROM figure WHERE policy = ? ORDER BY name, label"


def add_figures(keeper: Keeper, counts: Counts) -> None:
    """Add what was counted; nothing is written where nothing was."""
    rows = [(*key, times) for key, times in sorted(counts.items()) if times]
    if not rows:
        return

    def work(transaction: Transaction) -> None:
        transaction.executemany(_ADD, rows)

    keeper.places.active.submit(work, about={policy for policy, *_ in rows})


def count_refusals(keeper: Keeper) -> None:
    """Add the refusals that were sealed since somebody last looked, whichever way they came: each counts once."""
    with keeper.places.active.reading() as connection:
        row = connection.execute(_COUNTED, _UP_TO).fetchone()
    ledger = keeper.places.sealer.connection
    start, end = int(row[0]) if row else 0, history.size_of(ledger)
    if end <= start:
        return
    counts: Counts = Counter()
    for one in history.entries(ledger, kinds=REFUSED_KINDS, from_leaf=start):
        if one.leaf < end:
            for reason in sorted(set(codes(one.entry, "reasons"))):
                counts[one.entry.policy, REFUSALS, reason] += 1
    rows = [(*key, times) for key, times in sorted(counts.items())]

    def work(transaction: Transaction) -> None:
        if transaction.execute(_MOVE, (*_UP_TO, end, start)).rowcount == 1:  # else another process was faster
            transaction.executemany(_ADD, rows)

    keeper.places.active.submit(work, about={_UP_TO[0], *(policy for policy, *_ in rows)})


def figures_of(keeper: Keeper, policy: str) -> Mapping[tuple[str, str], int]:
    """(name, label) → times, over all processes that have said so."""
    with keeper.places.active.reading() as connection:
        return {(name, label): int(times) for name, label, times in connection.execute(_SUMS, (policy,)).fetchall()}
