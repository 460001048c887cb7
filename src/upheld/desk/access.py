"""Who looked at how much: access records by reader, for whoever reviews them. Counts and reasons, no contents."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from upheld.dates import Instant, moment
from upheld.desk.records import code, recorded
from upheld.keeper import Keeper
from upheld.ledger.entries import Entry

KINDS: Final = ("read.granted", "read.refused", "lookup.made", "values.shown", "paper.seen")
MANY: Final = 100
"""Ours: so many values in one look are a mass look."""
NIGHT_FROM, NIGHT_UNTIL = 22, 6
"""Ours: hours at which looks stand out."""


@dataclass(slots=True)
class Reader:
    """What one reader did in a span."""

    reader: str
    looks: int = 0
    values: int = 0
    without_reason: int = 0
    mass: int = 0
    at_night: int = 0
    refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    last: str = ""
    """The reference of the newest entry."""


def readers_of(keeper: Keeper, policy: str, since: Instant, until: Instant, zone: ZoneInfo) -> list[Reader]:
    """Everybody who looked in a span, who took most first. An application's looks have no reason and need none."""
    found: dict[str, Reader] = {}
    for one in recorded(keeper, policy, KINDS, since, until):
        name = code(one.entry, "reader_id") or code(one.entry, "handler") or code(one.entry, "reader") or "subject"
        _add(found.setdefault(name, Reader(name)), one.entry, zone)
        found[name].last = one.reference
    return sorted(found.values(), key=lambda one: (-one.values, one.reader))


def _add(reader: Reader, entry: Entry, zone: ZoneInfo) -> None:
    if entry.kind == "read.refused":
        reader.refused += 1
        return
    values = entry.fields.get("values")
    number = len(values) if isinstance(values, tuple) else 1
    reason = code(entry, "reason")
    reader.looks += 1
    reader.values += number
    reader.mass += number >= MANY
    hour = moment(Instant(entry.at), zone).hour
    reader.at_night += hour >= NIGHT_FROM or hour < NIGHT_UNTIL
    if reason:
        reader.reasons[reason] += 1
    elif entry.kind in ("read.granted", "lookup.made") and code(entry, "reader") == "handler":
        reader.without_reason += 1
