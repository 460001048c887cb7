"""Clause reports for showing: made when somebody looks, shown again for a minute with the instant they were made at."""

from __future__ import annotations

from threading import Lock

from upheld.keeper import Keeper
from upheld.ledger.report import Report

FRESH_FOR = 60_000_000
"""Ours: a report goes through the ledger; looking into one clause after the other must not do so each time."""


class ReportShelf:
    """The last report of each policy. What it shows is always named with its instant, so no other process contradicts
    it.
    """

    def __init__(self) -> None:
        self._made: dict[str, Report] = {}
        self._one_at_a_time = Lock()

    def report(self, keeper: Keeper, policy: str, *, anew: bool = False) -> Report:
        """The report of the version in force from its first day up to now."""
        with self._one_at_a_time:
            made = self._made.get(policy)
            if made is None or anew or not made.made_at <= keeper.now() < made.made_at + FRESH_FOR:
                made = self._made[policy] = keeper.audit(policy)
            return made
