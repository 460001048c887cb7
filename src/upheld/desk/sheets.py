"""A register, a form or a letter as a sheet: the same words on a page, as PDF and as a workbook."""

from __future__ import annotations

import datetime
import io
import re
from dataclasses import asdict, dataclass
from typing import Final

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from upheld.policy.formats.register import timeless
from upheld.policy.typeset import typeset

_EPOCH: Final = datetime.datetime(1980, 1, 1)  # noqa: DTZ001 - the first instant that a zip file can name
_TINT: Final = PatternFill("solid", fgColor="E8EDF3")
_WRAP: Final = Alignment(wrap_text=True, vertical="top")
_WIDEST: Final = 48


@dataclass(frozen=True, slots=True)
class Grid:
    """A table. `bare`: pairs of a name and what belongs to it, without heads. `links`: one for each row, or none."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    bare: bool = False
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of paper or several."""

    title: str
    language: str
    facts: tuple[tuple[str, str], ...] = ()
    intro: tuple[str, ...] = ()
    tables: tuple[Grid, ...] = ()
    closing: tuple[str, ...] = ()
    signed: tuple[str, ...] = ()
    """Lines at the end, on the right: a day, a name, a seal."""
    wide: bool = False

    def text(self) -> str:
        """The sheet as plain text, for a letter by mail."""
        parts = ["\n".join(self.intro), "\n".join(f"{name}: {value}" for name, value in self.facts)]
        for table in self.tables:
            rows = (" – ".join(filter(None, row)) for row in table.rows)
            parts.append("\n".join(filter(None, (table.title, table.note, *rows))))
        parts += ["\n".join(self.closing), "\n".join(self.signed)]
        return "\n\n".join(filter(None, parts)) + "\n"

    def pdf(self) -> bytes:
        """The sheet as PDF/UA-1, the same bytes each time. Raises ValueError for a letter that no font has."""
        return typeset("upheld.desk", "sheet.typ", "sheet", asdict(self))

    def xlsx(self) -> bytes:
        """The sheet as a workbook, the same bytes each time. No cell is ever a formula."""
        book = Workbook()
        first = book.active
        assert isinstance(first, Worksheet)
        first.title = _name(self.title)
        _cover(first, self)
        for number, grid in enumerate(self.tables, 1):
            _fill(book.create_sheet(_name(f"{number} {grid.title or self.title}")), grid)
        book.properties.title, book.properties.creator = self.title, "Upheld"
        book.properties.created = _EPOCH
        out = io.BytesIO()
        book.save(out)
        return timeless(out.getvalue())


def _name(title: str) -> str:
    return re.sub(r"[\[\]:*?/\\]", " ", title)[:31]


def _cover(sheet: Worksheet, made: Sheet) -> None:
    rows = [(made.title, ""), *made.facts, *((text, "") for text in made.intro)]
    for number, pair in enumerate(rows, 1):
        for column, text in enumerate(pair, 1):
            _write(sheet, number, column, text, bold=column == 1)
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 30, 70


def _fill(sheet: Worksheet, grid: Grid) -> None:
    rows = [grid.heads, *grid.rows] if grid.heads else list(grid.rows)
    for number, row in enumerate(rows, 1):
        for column, text in enumerate(row, 1):
            _write(sheet, number, column, text, bold=number == 1 and bool(grid.heads))
            if number == 1 and grid.heads:
                sheet.cell(1, column).fill = _TINT
    for column in range(1, max(map(len, rows), default=0) + 1):
        longest = max(_width(row[column - 1]) for row in rows if len(row) >= column)
        sheet.column_dimensions[get_column_letter(column)].width = min(_WIDEST, max(12, longest + 2))
    sheet.freeze_panes = "A2"
    sheet.print_title_rows = "1:1"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9


def _write(sheet: Worksheet, row: int, column: int, text: str, *, bold: bool) -> None:
    """Text as text: what begins with `=` is no formula."""
    cell = sheet.cell(row, column)
    cell.value = text
    cell.data_type = "s"
    cell.alignment = _WRAP
    cell.font = Font(bold=bold)


def _width(text: str) -> int:
    return sum(2 if letter >= "\u1100" else 1 for letter in text)
