"""Choices about cookies: a log with a time of its own, in the ledger among access records, which are pruned.

An entry names no person and no address; the number in it is the one that the visitor's own browser made and holds,
so that it can be shown that this browser chose so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from upheld.dates import Instant
from upheld.keeper import Keeper
from upheld.keeper.replaying import INSERT_CHOICE
from upheld.ledger.entries import entry
from upheld.store.place import Transaction

KEPT_FOR = 365 * 86_400_000_000
"""Ours: a year; after it the visitor is asked anew as well."""
CONTROLS = ("person", "gpc")
"""Who chose: somebody on the banner, or the browser's Global Privacy Control."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What one browser chose: the declared cookies that it lets in besides the necessary ones."""

    choice_id: str
    version: str
    allowed: tuple[str, ...]
    control: str
    at: Instant


def record_choice(
    keeper: Keeper, policy: str, choice_id: str, version: str, allowed: tuple[str, ...], control: str
) -> bool:
    """Keep a choice. Returns whether it is one that a script of ours sends; nothing else is kept."""
    plan = keeper.views.line(policy).version(version)
    if not _NUMBER.fullmatch(choice_id) or control not in CONTROLS:
        return False
    if plan is None or any(one not in plan.cookies for one in allowed):
        return False
    chosen = tuple(sorted(set(allowed)))

    def work(transaction: Transaction) -> None:
        row = (policy, choice_id, transaction.at, version, " ".join(chosen), control)
        transaction.execute(INSERT_CHOICE, row)
        fields = {"choice": choice_id, "version": version, "control": control}
        shown = tuple(rule.path for rule, _ in plan.cookies.values())
        transaction.journal(
            entry("cookie.chosen", transaction.at, policy, None, shown, allowed=chosen or None, **fields)
        )

    keeper.places.active.submit(work, about=(choice_id,))
    return True


def choices_of(keeper: Keeper, policy: str, choice_id: str) -> list[Choice]:
    """What one browser chose, oldest first."""
    with keeper.places.active.reading() as connection:
        rows = connection.execute(_SELECT, (policy, choice_id)).fetchall()
    return [
        Choice(choice_id, version, tuple(allowed.split()), control, Instant(at))
        for at, version, allowed, control in rows
    ]


def purge_choices(transaction: Transaction, now: int) -> None:
    """Remove what is older than its time."""
    transaction.execute(_PURGE, (now - KEPT_FOR,))


_NUMBER = re.compile(r"[a-z2-7]{20}")
_SELECT = "SELECT at, version, allowed, control FROM cookie_choice WHERE policy = ? AND choice_id = ? ORDER BY at"
_PURGE = "DELETE FROM cookie_choice WHERE at <= ?"
