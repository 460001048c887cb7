"""The demonstration's home: its desks were at work, so that clause report and registers have something to show."""

from __future__ import annotations

import io
from collections.abc import Iterator

import openpyxl
import pytest

from tests.test_receipts import POLICIES
from upheld.dates import BEGINNING, FOREVER
from upheld.desk.documents import document_in_force
from upheld.desk.registers import REGISTERS, lines_of, sheet_of
from upheld.keeper import Keeper
from upheld.ledger.report import Report, State
from upheld.system import open_home
from upheld.web import demonstration

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def keeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keeper]:
    home = tmp_path_factory.mktemp("practice") / "home"
    documents = [POLICIES / f"{name}.yaml" for name in ("kt-mns-2018", "nexr-2017", "kt-enterprise-2022")]
    demonstration.prepare(documents, home, people=8, days=20)
    with open_home(home) as found:
        found.views.refresh()
        yield found


@pytest.fixture(scope="module")
def reports(keeper: Keeper) -> dict[str, Report]:
    return {policy: keeper.audit(policy) for policy in ("kt-mns", "nexr")}


RIGHTS = ("MS18-8.1-1", "MS18-8.1-3", "MS18-8.3-1", "NX17-3.4.a", "NX17-8.1.a")
AGENTS = ("MS18-8.3-2", "MS18-8.3-3", "MS18-8.1-7")
CHILDREN = ("MS18-9.1", "MS18-9.3-0", "MS18-9.3.a", "MS18-9.2-2", "MS18-9.3.d-1", "MS18-9.3.c")
COOKIES = ("MS18-10.2.b",)
NOTICES = ("MS18-1.5-1", "MS18-1.5-2", "MS18-1.0-4")


@pytest.mark.parametrize("clause", [*RIGHTS, *AGENTS, *CHILDREN, *COOKIES, *NOTICES])
def test_the_report_of_the_demonstration_shows_the_clause_by_what_its_desks_did(
    reports: dict[str, Report], clause: str
) -> None:
    report = reports["kt-mns" if clause.startswith("MS18") else "nexr"]
    one = report.clause(clause)
    assert one.state in (State.UPHELD, State.NOT_UPHELD), one
    assert one.evidence


def test_few_clauses_of_the_demonstration_wait_for_evidence(reports: dict[str, Report]) -> None:
    waiting = {policy: report.counts()[State.NO_EVIDENCE] for policy, report in reports.items()}
    assert waiting["kt-mns"] <= 30, waiting
    assert waiting["nexr"] <= 20, waiting


@pytest.mark.parametrize("code", sorted(REGISTERS))
def test_every_register_of_the_demonstration_opens_with_content_as_page_workbook_and_paper(
    keeper: Keeper, code: str
) -> None:
    policy = "kt-enterprise" if code == "transfers" else "kt-mns"  # who gives nothing abroad has nothing to enter
    register, document = REGISTERS[code], document_in_force(keeper, policy)
    assert lines_of(keeper, document, register, BEGINNING, FOREVER, "ko"), code
    sheet = sheet_of(keeper, document, register, BEGINNING, keeper.now(), "ko")
    book = openpyxl.load_workbook(io.BytesIO(sheet.xlsx()))
    assert sum(page.max_row for page in book) > 1
    assert sheet.pdf().startswith(b"%PDF")
