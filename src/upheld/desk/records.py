"""The ledger as the desk reads it: everything that is on record of some kinds, up to this moment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from upheld.dates import BEGINNING, FOREVER, Instant
from upheld.keeper import Keeper
from upheld.ledger.entries import Entry
from upheld.store import history
from upheld.store.history import Recorded


def recorded(
    keeper: Keeper,
    policy: str,
    kinds: Iterable[str],
    since: Instant = BEGINNING,
    until: Instant = FOREVER,
) -> list[Recorded]:
    """Entries of these kinds with `since <= at < until`, by their instant. What waits to be sealed is sealed first."""
    keeper.seal_first()
    found = history.entries(keeper.places.sealer.connection, since, until, kinds, policy)
    return sorted(found, key=lambda one: (one.entry.at, one.leaf, one.number))


def code(entry: Entry, name: str) -> str:
    """A field that is a code or an id; empty where it was not given."""
    return str(entry.fields.get(name) or "")


def codes(entry: Entry, name: str) -> tuple[str, ...]:
    """A field of several codes or ids, as text."""
    return tuple(str(one) for one in cast("tuple[object, ...]", entry.fields.get(name) or ()))


def at_of(entry: Entry, name: str) -> Instant | None:
    """A field that is an instant."""
    value = entry.fields.get(name)
    return Instant(value) if isinstance(value, int) else None


def counts_of(entry: Entry) -> dict[str, int]:
    """The counts of an entry."""
    return dict(cast("dict[str, int]", entry.fields.get("counts") or {}))
