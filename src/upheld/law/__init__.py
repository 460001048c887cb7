"""The law of a day as data: one table of dated rows for each country, and the look-up.

    law_on("kr", date(2026, 11, 22)).period("access-record.kept")   # P1Y

Nothing here advises anybody. Each row says where it was read and how sure that reading is; a privacy officer can see
both in every finding and decide otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from upheld.law.eu import EU
from upheld.law.kr import KR
from upheld.law.rows import Confidence, LawOfDay, LawUnknown, Pack, Rule, Value, contradictions, on_day

PACKS: Final[Mapping[str, Pack]] = {pack.country: pack for pack in (KR, EU)}


def law_on(country: str, day: date) -> LawOfDay:
    """The rules of a country in force on a local day. Raises LawUnknown."""
    pack = PACKS.get(country)
    if pack is None:
        known = ", ".join(f"`{one}`" for one in PACKS)
        raise LawUnknown(f"there is no table of law for `{country}`; there is {known}")
    return on_day(pack, day)


def law_in(time_zone: str, day: date) -> LawOfDay:
    """The rules for a house in that time zone on a local day; none where no table is for it. Raises LawUnknown.

    A document names no country, and its time zone tells which of the tables is meant.
    """
    country = country_of(time_zone)
    return law_on(country, day) if country else LawOfDay("", day, {})


def law_for(time_zone: str, day: date | None = None) -> LawOfDay:
    """The law by which a house in that time zone is run: of that day, of the table's first day where the day lies
    before it, and where none is named of the day on which the table was last read. Never raises.
    """
    pack = PACKS.get(country_of(time_zone) or "")
    if pack is None:
        return LawOfDay("", day or date.min, {})
    return on_day(pack, max(day or pack.checked, pack.reaches_from))


def country_of(time_zone: str) -> str | None:
    """The table that is meant for a house in that time zone; None where there is none."""
    return "kr" if time_zone == "Asia/Seoul" else "eu" if time_zone.startswith("Europe/") else None


def law_named(text: str) -> LawOfDay:
    """The law as the command line writes it, `kr@2026-11-22`. Raises LawUnknown."""
    country, at, day = text.partition("@")
    try:
        return law_on(country, date.fromisoformat(day if at else ""))
    except ValueError as error:
        raise LawUnknown(f"`{text}` is no law of a day; write `kr@2026-11-22`") from error


__all__ = [
    "PACKS",
    "Confidence",
    "LawOfDay",
    "LawUnknown",
    "Pack",
    "Rule",
    "Value",
    "contradictions",
    "country_of",
    "law_for",
    "law_in",
    "law_named",
    "law_on",
]
