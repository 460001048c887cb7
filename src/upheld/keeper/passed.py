"""What the ledger shows of mergers: who passed on, and whether that person knew before, by entries alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from upheld.dates import FOREVER, Instant, Period, end_of
from upheld.keeper.looking import MENDED, Looked, shown_of
from upheld.ledger.report import Breach, Exhibit
from upheld.policy.model import Change
from upheld.store.history import Recorded

_SHOWS = ("notice.moved", "notice.queued", "notice.posted", "handover.done", "handover.refused", "merger.closed")
PAGE = Period(days=30)
"""Ours, as Korea has it (PIPA decree 29): how long a page stands in for who cannot be reached, at the least."""


@dataclass(slots=True)
class _Case:
    """One matter, as its entries tell it."""

    told: dict[str, Instant] = field(default_factory=dict)
    posted: dict[str, tuple[Instant, Instant]] = field(default_factory=dict)
    printed: dict[str, Instant] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)


def passing_shown(look: Looked, path: str) -> tuple[Exhibit, ...]:
    """What shows that people were told of a transfer, and passed on after it."""
    return look.naming(path, _SHOWS)


def passed_on_untold(look: Looked, row: Change) -> Iterator[Breach]:
    """Everybody who was handed over before being told or covered, or after refusing."""
    mended = look.filed_for(row.path, MENDED)
    cases: dict[str, _Case] = {}
    messages: dict[str, str] = {}
    for one in look.entries_of(row.path):
        fields, alias = one.entry.fields, one.entry.persons[0] if one.entry.persons else ""
        if "message" in fields and one.entry.kind == "notice.queued":
            messages[str(fields["message"])] = str(fields.get("about", fields.get("named", "")))
        matter = fields.get("case") or fields.get("named") or messages.get(str(fields.get("message")), "")
        case = cases.setdefault(str(matter), _Case())
        if one.entry.kind == "handover.begun":
            if not _knew(look, case, alias, Instant(one.entry.at), row):
                at = Instant(one.entry.at)
                until = next((each for each in mended if each > at), None)
                persons = frozenset(one.entry.persons)
                yield Breach("passed-on-untold", row.path, at, until, persons, shown=(shown_of(one),))
        elif one.entry.kind == "notice.taken-down":
            _taken_down(cases.values(), str(fields["posting"]), Instant(one.entry.at))
        else:
            _note(case, one, alias)


def _taken_down(cases: Iterable[_Case], posting: str, at: Instant) -> None:
    for case in cases:
        if posting in case.posted:
            case.posted[posting] = (case.posted[posting][0], at)


def _note(case: _Case, one: Recorded, alias: str) -> None:
    fields, at = one.entry.fields, Instant(one.entry.at)
    match one.entry.kind, fields.get("state"):
        case (("notice.moved" | "notice.queued"), "sent"):
            case.told.setdefault(alias, at)
        case "notice.moved", "bounced":
            case.told.pop(alias, None)
        case "notice.posted", _ if fields.get("printed"):
            case.printed.setdefault(str(fields["printed"]), at)
        case "notice.posted", _:
            case.posted[str(fields["posting"])] = (at, FOREVER)
        case "handover.refused", _:
            case.refused.add(alias)
        case _:
            pass


def _knew(look: Looked, case: _Case, alias: str, at: Instant, row: Change) -> bool:
    if alias in case.refused:
        return False
    if alias in case.told:
        return case.told[alias] < at
    steps = [step.for_ for step in row.or_else if step.for_ is not None]
    page = max([PAGE, *steps], key=lambda one: one.years * 365 + one.months * 30 + one.days)
    papers = max([step.papers or 0 for step in row.or_else], default=0)
    zone = look.plan.zone
    stood = any(end_of(since, page, zone) <= min(at, until) for since, until in case.posted.values())
    return stood or (papers > 0 and sum(since < at for since in case.printed.values()) >= papers)
