"""The registers by their names: every row is backed by an entry of the ledger; the same on page, book and paper."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pypdfium2  # type: ignore[import-untyped]  # has no types
import pytest
from openpyxl import load_workbook

from tests.desk_house import busy, busy_parts
from tests.served import Served
from tests.trial_home import at
from upheld.dates import BEGINNING, FOREVER, Instant, instant
from upheld.desk.documents import document_in_force
from upheld.desk.registers import REGISTERS, lines_of, sheet_of
from upheld.store import history

NEVER_EMPTY = frozenset(REGISTERS) - {"transfers", "access-reviews"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with busy(tmp_path_factory.mktemp("registers") / "home") as found:
        busy_parts(found)
        keeper, person = found.keeper, found.persons["asker"]
        keeper.request(person, "access", channel="letter")
        keeper.file_evidence(
            "trial", "training", "training-inside", about=keeper.register_of("trial", "handler", keeper.now())[0][0]
        )
        keeper.did("trial", "inspection", about="sender", findings=("encryption",))
        keeper.tell(person, "source", "email", fields={"origin": "somebody", "purposes": "the service"})
        keeper.withdraw(person, "purpose/offers", channel="website")
        found.clock.set(at("2024-09-20"))
        keeper.sweep()
        yield found


def lines(house: Served, code: str, since: Instant = BEGINNING, until: Instant = FOREVER, locale: str = "ko"):  # type: ignore[no-untyped-def]  # rows
    return lines_of(house.keeper, document_in_force(house.keeper, "trial"), REGISTERS[code], since, until, locale)


@pytest.mark.parametrize("code", sorted(REGISTERS))
def test_every_row_of_a_register_is_backed_by_the_entry_it_names(house: Served, code: str) -> None:
    found = lines(house, code)
    connection = house.keeper.places.sealer.connection
    for line in found:
        entry = history.entry_at(connection, line.reference).entry
        assert entry.policy == "trial"
        assert entry.kind in REGISTERS[code].kinds
        assert entry.at == line.at
    if code in NEVER_EMPTY:
        assert found


@pytest.mark.parametrize("code", sorted(REGISTERS))
def test_no_entry_that_belongs_into_a_register_is_left_out(house: Served, code: str) -> None:
    register = REGISTERS[code]
    every = history.entries(house.keeper.places.sealer.connection, kinds=register.kinds, policy="trial")
    wanted = {one.reference for one in every if register.wanted(one.entry)}
    assert {one.reference for one in lines(house, code)} == wanted


def test_every_register_of_the_rules_is_there() -> None:
    assert set(REGISTERS) == {
        "versions", "processing", "consents", "provisions", "processors", "transfers", "requests", "destruction",
        "access-rights", "access-reviews", "training", "leaks", "notices",
    }  # fmt: skip


def test_a_register_of_a_span_has_what_happened_in_it_and_nothing_else(house: Served) -> None:
    since, until = (instant(at(day)) for day in ("2024-09-11", "2024-09-13"))
    whole, part = lines(house, "consents"), lines(house, "consents", since, until)
    assert 0 < len(part) < len(whole)
    assert part == [one for one in whole if since <= one.at < until]


@pytest.mark.parametrize("locale", ["ko", "en"])
@pytest.mark.parametrize("code", sorted(NEVER_EMPTY))
def test_page_workbook_and_paper_say_the_same(house: Served, code: str, locale: str) -> None:
    document = document_in_force(house.keeper, "trial")
    sheet = sheet_of(house.keeper, document, REGISTERS[code], BEGINNING, FOREVER, locale)
    (grid,) = sheet.tables
    book = load_workbook(io.BytesIO(sheet.xlsx()))
    rows = list(book.worksheets[1].iter_rows(values_only=True))
    assert tuple(rows[0]) == grid.heads
    assert [tuple(cell or "" for cell in row) for row in rows[1:]] == list(grid.rows)
    paper = pypdfium2.PdfDocument(sheet.pdf())
    text = "".join(page.get_textpage().get_text_bounded() for page in paper)
    assert grid.rows[-1][-1] in text
    assert sheet.xlsx() == sheet.xlsx()
    assert sheet.pdf() == sheet.pdf()


def test_a_workbook_takes_no_text_for_a_formula(house: Served) -> None:
    from upheld.desk.sheets import Grid, Sheet

    made = Sheet("t", "en", tables=(Grid("g", ("a",), (("=1+1",),)),)).xlsx()
    cell = load_workbook(io.BytesIO(made)).worksheets[1]["A2"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


def test_a_register_names_nobody(house: Served) -> None:
    for code in REGISTERS:
        said = " ".join(cell for one in lines(house, code) for cell in one.cells)
        for person in house.persons.values():
            assert person not in said
        assert "@example.org" not in said


def test_the_register_is_opened_by_its_korean_name_and_leads_to_its_entries(house: Served) -> None:
    auditor = house.signed_in("auditor", "ko")
    page = auditor.get("/console/trial/registers", first="2020-01-01")
    assert "개인정보 파기 관리대장" in page.text
    shown = auditor.get("/console/trial/registers/destruction", first="2020-01-01")
    reference = lines(house, "destruction")[-1].reference
    assert f"/ledger/{reference.replace(':', '%3A')}" in shown.text
    book = auditor.get("/console/trial/registers/destruction/xlsx", first="2020-01-01")
    assert load_workbook(io.BytesIO(book.content)).sheetnames[0] == "개인정보 파기 관리대장"
    assert auditor.get("/console/trial/registers/destruction", first="no day").status_code == 400
    assert auditor.get("/console/trial/registers/none").status_code == 404
