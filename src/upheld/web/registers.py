"""The registers: any span of each, on the page, as a workbook and on paper."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from upheld.dates import Instant, local_date, start_of
from upheld.desk.articles import article_in, capital
from upheld.desk.registers import REGISTERS, Register, article_of, as_sheet, lines_of, sheet_of
from upheld.web.answer import Answer, Download, Refused, Shown
from upheld.web.asked import Asked

ON_PAGE: Final = 300
"""Ours: so many rows stand on the page, the newest; files have all."""
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def registers(asked: Asked) -> Answer:
    """Every register by its name, with how many rows it has in the span."""
    since, until = _span(asked)
    rows = [
        (
            one,
            capital(one.title.say(asked.locale)),
            len(lines_of(asked.keeper, asked.document, one, since, until, asked.locale)),
        )
        for one in REGISTERS.values()
    ]
    most = max((number for _, _, number in rows), default=0)
    law = {one.code: article_in(article_of(one, asked.plan.zone.key), asked.locale) for one in REGISTERS.values()}
    return Shown(
        "registers",
        {"law": law, "rows": rows, "most": most, "first": _text(asked, since), "last": _until(asked, until)},
    )


def register(asked: Asked) -> Answer:
    """One register; each row leads to the entry that backs it."""
    one, (since, until) = _register(asked), _span(asked)
    lines = lines_of(asked.keeper, asked.document, one, since, until, asked.locale)
    shown = lines[-ON_PAGE:][::-1]
    made = as_sheet(asked.keeper, asked.document, one, shown, since, until, asked.locale)
    links = tuple(asked.url("entry", reference=line.reference) for line in shown)
    span = {"first": _text(asked, since), "last": _until(asked, until)}
    files = [
        (label, asked.url(name, register=one.code, **span))
        for label, name in (("XLSX", "register-book"), ("PDF", "register-paper"))
    ]
    return Shown(
        "register",
        {
            "sheet": replace(made, tables=tuple(replace(grid, links=links) for grid in made.tables)),
            "files": files,
            "left": len(lines) - len(shown),
            "one": one,
            **span,
        },
    )


def book(asked: Asked) -> Answer:
    """The register as a workbook."""
    one, (since, until) = _register(asked), _span(asked)
    made = sheet_of(asked.keeper, asked.document, one, since, until, asked.locale)
    return Download(made.xlsx(), XLSX, f"{asked.policy}-{one.code}.xlsx")


def paper(asked: Asked) -> Answer:
    """The register on paper."""
    one, (since, until) = _register(asked), _span(asked)
    made = sheet_of(asked.keeper, asked.document, one, since, until, asked.locale)
    return Download(made.pdf(), "application/pdf", f"{asked.policy}-{one.code}.pdf")


def _register(asked: Asked) -> Register:
    found = REGISTERS.get(asked.parts["register"])
    if found is None:
        raise Refused(404, "register-unknown")
    return found


def _span(asked: Asked) -> tuple[Instant, Instant]:
    """The span asked for, in whole days; the past year where none was."""
    zone = asked.plan.zone
    today = local_date(asked.keeper.now(), zone)
    try:
        last = date.fromisoformat(asked.query.get("last") or today.isoformat())
        first = date.fromisoformat(asked.query.get("first") or (last - timedelta(days=365)).isoformat())
        return start_of(first, zone), start_of(last + timedelta(days=1), zone)
    except (ValueError, OverflowError) as unreadable:
        raise Refused(400, "span-unreadable") from unreadable


def _text(asked: Asked, at: Instant) -> str:
    return local_date(at, asked.plan.zone).isoformat()


def _until(asked: Asked, at: Instant) -> str:
    return local_date(Instant(at - 1), asked.plan.zone).isoformat()
