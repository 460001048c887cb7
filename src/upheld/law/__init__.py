"""The law of a day as data: one table of dated rows for each country, and the look-up.

    law_on("kr", date(2026, 11, 22)).period("access-record.kept")   # P1Y

Nothing here advises anybody. Each row says where it was read and how sure that reading is; a privacy officer can see
both in every finding and decide otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from upheld.dates import OWN_CALENDARS
from upheld.law.eu import EU
from upheld.law.kr import KR
from upheld.law.rows import Confidence, LawOfDay, LawUnknown, Pack, Rule, Value, contradictions, on_day

PACKS: Final[Mapping[str, Pack]] = {pack.country: pack for pack in (KR, EU)}
"""The tables that come with Upheld."""


class Tables:
    """The tables of law of this process: what comes with Upheld and what was read from files. A law is the same for all
    who live under it, so there is one of each country; another one under the same code is refused.
    """

    def __init__(self, packs: Mapping[str, Pack]) -> None:
        self._packs = dict(packs)

    def add(self, pack: Pack) -> None:
        """Know one more table. Adding it twice changes nothing. Raises LawUnknown where its code or a whole time zone
        of it is another table's.
        """
        for code, known in self._packs.items():
            if code == pack.country and known != pack:
                raise LawUnknown(f"there is another table of law for `{code}` already; give yours a code of its own")
            taken = sorted({*known.zones} & {*pack.zones}) if code != pack.country else []
            if taken:
                raise LawUnknown(f"`{taken[0]}` lives by the table `{code}` already; one time zone has one table")
        self._packs = {**self._packs, pack.country: pack}
        for rule in on_day(pack, pack.checked).under("calendar"):
            if isinstance(rule.value, tuple):
                for zone in pack.zones:
                    OWN_CALENDARS.add(zone, rule.code.removeprefix("calendar."), *(int(one) for one in rule.value))

    def get(self, country: str | None) -> Pack | None:
        """The table of that code."""
        return self._packs.get(country or "")

    def of_zone(self, time_zone: str) -> Pack | None:
        """The table that names a time zone most closely; None where none does."""
        found = max(self._packs.values(), key=lambda pack: pack.closeness(time_zone))
        return found if found.closeness(time_zone) else None

    def __iter__(self) -> Iterator[str]:
        return iter(self._packs)


TABLES: Final = Tables(PACKS)


def law_on(country: str, day: date) -> LawOfDay:
    """The rules of a country in force on a local day. Raises LawUnknown."""
    pack = TABLES.get(country)
    if pack is None:
        raise LawUnknown(_unknown(country))
    return on_day(pack, day)


def _unknown(country: str) -> str:
    known = ", ".join(f"`{one}`" for one in TABLES)
    return f"there is no table of law for `{country}`; there is {known}. Name yours with --tables"


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
    pack = TABLES.of_zone(time_zone)
    if pack is None:
        return LawOfDay("", day or date.min, {})
    return on_day(pack, max(day or pack.checked, pack.reaches_from))


def country_of(time_zone: str) -> str | None:
    """The table that is meant for a house in that time zone; None where there is none."""
    pack = TABLES.of_zone(time_zone)
    return pack.country if pack else None


def seat_of(time_zone: str) -> str:
    """The country of a house in that time zone as two capital letters; empty where no table says it."""
    pack = TABLES.of_zone(time_zone)
    return pack.seat if pack else ""


def law_named(text: str) -> LawOfDay:
    """The law as the command line writes it, `kr@2026-11-22`. Raises LawUnknown with all that is wrong about it."""
    country, at, day = text.partition("@")
    try:
        on = date.fromisoformat(day if at else "")
    except ValueError as error:
        said = f"`{text}` is no law of a day; write `kr@2026-11-22`"
        also = f". T{_unknown(country)[1:]}" if at and TABLES.get(country) is None else ""
        raise LawUnknown(said + also) from error
    return law_on(country, on)


__all__ = [
    "PACKS",
    "TABLES",
    "Confidence",
    "LawOfDay",
    "LawUnknown",
    "Pack",
    "Rule",
    "Tables",
    "Value",
    "contradictions",
    "country_of",
    "law_for",
    "law_in",
    "law_named",
    "law_on",
    "seat_of",
]
