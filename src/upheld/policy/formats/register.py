"""The register of processing as a workbook: purposes, what is given away, what is kept, each on a sheet of its own.

For GDPR 30(1) the sheet of purposes is the record; for the register of Korean houses (개인정보 처리 대장) provision,
entrustment, transfer and retention have sheets beside it.
"""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from openpyxl import Workbook
from openpyxl.cell.cell import Cell as SheetCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from upheld.policy import plain
from upheld.policy.formats.given import titles
from upheld.policy.formats.ropa import COLUMNS
from upheld.policy.model import Policy, Row, keys_of
from upheld.policy.shapes import attribute
from upheld.policy.wording import Words

Say = Callable[[Policy, Row, str], str]

_EPOCH: Final = datetime.datetime(1980, 1, 1)  # noqa: DTZ001 - the first instant that a zip file can name
_TINT: Final = PatternFill("solid", fgColor="E8EDF3")
_LINE: Final = Side(style="thin", color="CCD4DD")
_WRAP: Final = Alignment(wrap_text=True, vertical="top")
_WIDEST: Final = 48
_NARROWEST: Final = 12
"""Columns, in characters."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its name, the section whose rows it lists, and what each column says of a row."""

    name: Words
    section: str
    columns: Mapping[Words, Say]


def as_xlsx(policy: Policy, locale: str) -> bytes:
    """The register as XLSX, the same bytes each time; `locale` is `en` or `ko`. No cell is ever a formula.

    Raises ValueError for another language.
    """
    book = Workbook()
    first = book.active
    if not isinstance(first, Worksheet):
        raise ValueError("a new workbook has a sheet")
    _head(first, policy, locale)
    _fill(book.create_sheet(_PURPOSES.say(locale)), _purposes(policy, locale))
    for sheet in SHEETS:
        _fill(book.create_sheet(sheet.name.say(locale)), _lines(sheet, policy, locale))
    book.properties.creator = plain.title_of(policy.controller, locale)
    book.properties.title = f"{_TITLE.say(locale)} {policy.policy} {policy.effective.date}"
    book.properties.created = _EPOCH
    out = io.BytesIO()
    book.save(out)
    return timeless(out.getvalue())


def timeless(content: bytes) -> bytes:
    """The same workbook without the time at which it was written."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as made, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as kept:
        for name in sorted(made.namelist(), key=lambda one: (one != "[Content_Types].xml", one)):
            part = made.read(name)
            if name == "docProps/core.xml":
                stamp = _EPOCH.isoformat().encode() + b"Z"
                part = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + stamp, part)
            info = zipfile.ZipInfo(name, _EPOCH.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            kept.writestr(info, part)
    return out.getvalue()


# --------------------------------------------------------------------------------------------------------- on the page


def _head(sheet: Worksheet, policy: Policy, locale: str) -> None:
    """Whose register it is, and of which version."""
    sheet.title = _COVER.say(locale)
    contacts = "; ".join(f"{plain.title_of(row, locale)} {row.phone or ''}".strip() for row in policy.contacts.values())
    pairs = (
        (_TITLE.say(locale), ""),
        (Words("controller", "개인정보처리자").say(locale), plain.title_of(policy.controller, locale)),
        (Words("contact", "개인정보 보호책임자·연락처").say(locale), contacts),
        (Words("policy", "처리방침").say(locale), policy.policy),
        (Words("announced", "공고일").say(locale), str(policy.announced.date)),
        (Words("in force from", "시행일").say(locale), str(policy.effective.date)),
        (
            Words("security measures", "안전성 확보조치").say(locale),
            "; ".join(titles([row for row in policy.safeguards.values() if not row.blocked], locale)),
        ),
    )
    for number, (label, text) in enumerate(pairs, 1):
        _write(sheet, number, 1, label, bold=True)
        _write(sheet, number, 2, text)
    sheet["A1"].font = Font(bold=True, size=14)
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 28, 90


def _fill(sheet: Worksheet, lines: Iterable[list[str]]) -> None:
    """Heads that stay, a filter, columns as wide as they need, and a print that fits the paper's width."""
    rows = list(lines)
    for number, line in enumerate(rows, 1):
        for column, text in enumerate(line, 1):
            cell = _write(sheet, number, column, text, bold=number == 1)
            cell.border = Border(_LINE, _LINE, _LINE, _LINE)
            if number == 1:
                cell.fill = _TINT
    for column in range(1, len(rows[0]) + 1):
        longest = max(_width(line[column - 1]) for line in rows)
        sheet.column_dimensions[get_column_letter(column)].width = min(_WIDEST, max(_NARROWEST, longest + 2))
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(rows[0]))}{len(rows)}"
    sheet.print_title_rows = "1:1"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _write(sheet: Worksheet, row: int, column: int, text: str, *, bold: bool = False) -> SheetCell:
    """Text as text: what begins with `=` is no formula."""
    cell = sheet.cell(row, column)
    if not isinstance(cell, SheetCell):
        raise ValueError("no cell of this register is merged")
    cell.value = text
    cell.data_type = "s"
    cell.alignment = _WRAP
    cell.font = Font(bold=bold)
    return cell


def _width(text: str) -> int:
    """The width of a text in Latin letters; a Korean one is twice as wide."""
    return sum(2 if letter >= "\u1100" else 1 for letter in text)


# ------------------------------------------------------------------------------------------------------ what they say


def _purposes(policy: Policy, locale: str) -> Iterator[list[str]]:
    yield [head.say(locale) for head in COLUMNS]
    for row in policy.purposes.values():
        yield [say(policy, row, locale) for say in COLUMNS.values()]


def _lines(sheet: Sheet, policy: Policy, locale: str) -> Iterator[list[str]]:
    yield [head.say(locale) for head in sheet.columns]
    for row in getattr(policy, sheet.section).values():
        yield [say(policy, row, locale) for say in sheet.columns.values()]


def _named(policy: Policy, row: Row, locale: str) -> str:
    """The company of a row, or its own title; with a mark where it is not in operation."""
    party = policy.parties.get(getattr(row, "to", None) or row.name)
    text = plain.title_of(party or row, locale)
    return f"{text} ({Words('not run', '실행 보류').say(locale)})" if row.blocked else text


def _key(name: str) -> Say:
    """What a key of a row says."""

    def say(policy: Policy, row: Row, locale: str) -> str:
        return plain.value(getattr(row, attribute(name)), keys_of(type(row))[name], policy, locale)

    return say


def _law(policy: Policy, row: Row, locale: str) -> str:
    return ", ".join(plain.law(ref, policy, locale) for ref in row.law)


def _items_or_all(policy: Policy, row: Row, locale: str) -> str:
    return _key("items")(policy, row, locale) or Words("everything of these purposes", "해당 목적의 모든 항목").say(
        locale
    )


def _cites(_: Policy, row: Row, __: str) -> str:
    return "; ".join(row.cites())


_TITLE: Final = Words("Register of processing", "개인정보 처리 대장")
_COVER: Final = Words("Register", "대장")
_PURPOSES: Final = Words("Processing", "처리 현황")
_ITEMS: Final = Words("items", "항목")
_BASIS: Final = Words("legal basis", "근거")
_PERIOD: Final = Words("kept until", "보유 기간")
_CLAUSES: Final = Words("clauses", "조항")
SHEETS: Final = (
    Sheet(
        Words("Third parties", "제3자 제공"),
        "provisions",
        {
            Words("recipient", "제공받는 자"): _named,
            Words("the recipient's purpose", "제공받는 자의 이용 목적"): _key("their-use"),
            _ITEMS: _key("items"),
            Words("persons", "정보주체"): _key("whose"),
            Words("used until", "이용 기간"): _key("use-until"),
            _PERIOD: _key("until"),
            Words("consent", "동의"): _key("consent"),
            Words("at the end", "종료 시"): _key("at-end"),
            _CLAUSES: _cites,
        },
    ),
    Sheet(
        Words("Processors", "처리위탁"),
        "entrustments",
        {
            Words("processor", "수탁자"): _named,
            Words("task", "위탁 업무"): _key("task"),
            Words("purposes", "목적"): _key("for"),
            _ITEMS: _key("items"),
            Words("processor above it", "재위탁의 원수탁자"): _key("under"),
            Words("contract", "계약"): _key("contract"),
            Words("consent", "동의"): _key("consent"),
            Words("at the end", "종료 시"): _key("at-end"),
            Words("inspected every", "점검 주기"): _key("inspected"),
            _CLAUSES: _cites,
        },
    ),
    Sheet(
        Words("Abroad", "국외 이전"),
        "transfers",
        {
            Words("to", "이전받는 자"): _named,
            Words("stored in", "보관국"): _key("stored-in"),
            Words("seen from", "열람국"): _key("seen-from"),
            _ITEMS: _key("items"),
            Words("how", "이전 방법"): _key("how"),
            Words("stands for", "형태"): _key("as"),
            _BASIS: _key("basis"),
            _PERIOD: _key("until"),
            _CLAUSES: _cites,
        },
    ),
    Sheet(
        Words("Kept by law", "법령 보존"),
        "statutes",
        {
            Words("record", "보존 기록"): _named,
            Words("law", "근거 법령"): _law,
            _ITEMS: _key("items"),
            _PERIOD: _key("until"),
            _CLAUSES: _cites,
        },
    ),
    Sheet(
        Words("Kept by promise", "회사 보관"),
        "retention",
        {
            Words("reason", "보관 사유"): _named,
            Words("of which purposes", "대상 목적"): _key("of"),
            _ITEMS: _items_or_all,
            _BASIS: _key("basis"),
            _PERIOD: _key("until"),
            _CLAUSES: _cites,
        },
    ),
)
"""Every sheet after the cover and the purposes."""
