"""The notice on paper, and all notices of a policy as files that lead to one another."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]  # it has no types
import pytest
from typer.testing import CliRunner

from upheld.cli import app
from upheld.policy.model import Policy
from upheld.policy.notice import notice, paper
from upheld.policy.notice_folder import FORMS, notice_files
from upheld.policy.read import read_policy
from upheld.policy.vocabulary import Seen

POLICIES = Path(__file__).resolve().parent.parent / "policies"
OLD, NEW = "bizmeka-ez-2016", "bizmeka-ez-2018"


def document(name: str) -> Policy:
    return read_policy((POLICIES / f"{name}.yaml").read_bytes(), name)


@pytest.fixture(scope="module")
def old() -> Policy:
    return document(OLD)


@pytest.fixture(scope="module")
def new() -> Policy:
    return document(NEW)


@pytest.fixture(scope="module")
def folder(old: Policy, new: Policy) -> dict[str, bytes]:
    return notice_files([old, new])


# ------------------------------------------------------------------------------------------------------------ on paper


def test_paper_is_the_same_bytes_each_time_and_has_its_fonts_inside(new: Policy) -> None:
    content = paper(new, "ko")
    assert content == paper(new, "ko")
    assert content.startswith(b"%PDF-1.7")
    fonts = {name.decode() for name in re.findall(rb"/FontName\s*/([\w+-]+)", content)}
    assert {name.partition("+")[2] for name in fonts} == {"NotoSansCJKkr-Regular", "NotoSansCJKkr-Bold"}


def test_paper_has_bookmarks_a_language_and_numbered_pages(new: Policy) -> None:
    document = pypdfium2.PdfDocument(paper(new, "ko"))
    titles = [one.get_title() for one in document.get_toc()]
    assert titles[0] == "주식회사 케이티 개인정보 처리방침"
    assert [title for title in titles if re.match(r"\d+\. ", title)][::12] == [
        "1. 개인정보의 처리 목적, 항목 및 보유·이용 기간",
        "13. 개인정보 처리방침의 변경",
    ]
    assert document.get_metadata_dict()["Title"] == titles[0]
    assert b"/Lang(ko" in paper(new, "ko").replace(b"/Lang (", b"/Lang(")
    texts = [page.get_textpage().get_text_range() for page in document]
    assert all("2018-07-09" in text.split("\n")[0] for text in texts[1:])
    assert [text.split("\n")[-1] for text in texts] == [f"{n} / {len(texts)}" for n in range(1, len(texts) + 1)]


def test_a_table_that_goes_on_repeats_its_head(new: Policy) -> None:
    document = pypdfium2.PdfDocument(paper(new, "en"))
    texts = [page.get_textpage().get_text_range() for page in document]
    heads = [text for text in texts if re.search(r"Purpose Whose data Items Legal\s+basis\s+Period", text)]
    assert len(heads) >= 2


def test_a_long_word_stays_inside_its_column(new: Policy) -> None:
    for page in pypdfium2.PdfDocument(paper(new, "ko")):
        text = page.get_textpage()
        name, beside = (text.search(one).get_next() for one in ("Galaxiacommunications", "EZ머니"))
        if name is not None and beside is not None:
            assert text.get_charbox(sum(name) - 1)[2] < text.get_charbox(beside[0])[0]
            return
    raise AssertionError("the recipient with the long name is not there")


def test_contents_and_summary_lead_into_the_paper(new: Policy) -> None:
    document = pypdfium2.PdfDocument(paper(new, "en"))
    links = 0
    for page in document:
        for annotation in range(pypdfium2.raw.FPDFPage_GetAnnotCount(page)):
            one = pypdfium2.raw.FPDFPage_GetAnnot(page, annotation)
            links += pypdfium2.raw.FPDFAnnot_GetSubtype(one) == pypdfium2.raw.FPDF_ANNOT_LINK
            pypdfium2.raw.FPDFPage_CloseAnnot(one)
    assert links >= 23


def test_a_letter_that_no_font_has_is_refused_and_not_left_blank(new: Policy) -> None:
    foreign = replace(new, controller=replace(new.controller, texts={"en": "株式会社", "ko": "株式会社"}))
    assert "株式会社" in notice(foreign, "ko")
    with pytest.raises(ValueError, match=r"cannot be set as PDF.*株"):
        paper(foreign, "ko")


def test_text_of_a_document_is_never_taken_for_markup(new: Policy) -> None:
    sly = "#panic() *bold* $x$ @ref <b>"
    renamed = replace(new, controller=replace(new.controller, texts={"en": sly, "ko": sly}))
    document = pypdfium2.PdfDocument(paper(renamed, "en"))
    assert sly in document[0].get_textpage().get_text_range()


# ---------------------------------------------------------------------------------------------------------- as a folder


def test_each_version_is_there_in_each_language_and_form(folder: dict[str, bytes]) -> None:
    wanted = {
        f"{day}.{locale}.{form}" for day in ("2016-08-31", "2018-07-09") for locale in ("en", "ko") for form in FORMS
    }
    assert {*folder} == wanted | {"index.html"}
    assert all(folder.values())


def test_every_link_of_the_folder_leads_to_a_file_in_it_or_an_anchor(folder: dict[str, bytes]) -> None:
    for name, content in folder.items():
        if not name.endswith((".html", ".md")):
            continue
        text = content.decode()
        targets = re.findall(r'href="([^"]*)"', text) if name.endswith("html") else re.findall(r"\]\(([^)]*)\)", text)
        assert len(targets) > 8
        for target in targets:
            file, _, anchor = target.partition("#")
            assert not file or file in folder, target
            assert not anchor or f'id="{anchor}"' in text, target


def test_a_page_names_its_other_forms_and_languages_for_machines(folder: dict[str, bytes]) -> None:
    page = folder["2018-07-09.ko.html"].decode()
    told = re.findall(r'<link rel="alternate" type="([^"]+)" hreflang="([^"]+)" href="([^"]+)">', page)
    assert ("application/ld+json", "ko", "2018-07-09.ko.jsonld") in told
    assert ("application/pdf", "ko", "2018-07-09.ko.pdf") in told
    assert ("text/html", "en", "2018-07-09.en.html") in told


def test_the_history_leads_to_the_other_version_and_to_what_changed(folder: dict[str, bytes]) -> None:
    page = folder["2018-07-09.en.html"].decode()
    history = page[page.index("<h3>Versions</h3>") :]
    assert '<a href="2016-08-31.en.html">' in history
    assert '<a href="#changes-2018-07-09">' in history
    assert history.count('id="changes-2018-07-09"') == 1
    assert "new recipient: kt mhows" in history
    markdown = folder["2016-08-31.ko.md"].decode()
    assert re.search(r"\[2018-07-09\]\(2018-07-09\.ko\.html\) \| 2018-07-09 \|", markdown)


def test_the_index_lists_the_newest_version_first(folder: dict[str, bytes]) -> None:
    index = folder["index.html"].decode()
    assert re.findall(r'<a href="(\d{4}-\d\d-\d\d\.en\.html)">In force', index) == [
        "2018-07-09.en.html",
        "2016-08-31.en.html",
    ]
    assert index.count("the newest version") == 1
    assert not re.search(r"<script|<img|src=|url\(|@import|https?://", index)


def test_the_copy_for_machines_says_nothing_internal(new: Policy) -> None:
    first = next(row for row in new.purposes.values() if not row.blocked)
    hidden = replace(
        new,
        purposes={**new.purposes, first.name: replace(first, seen=Seen.INTERNAL)},
        entrustments={name: replace(row, seen=Seen.INTERNAL) for name, row in new.entrustments.items()},
    )
    told = json.loads(notice_files([hidden])["2018-07-09.en.jsonld"])
    shown = json.loads(notice_files([new])["2018-07-09.en.jsonld"])
    assert [one["@id"] for one in shown["dpv:hasProcess"]] == [
        f"urn:upheld:bizmeka-ez:{row.path}" for row in new.purposes.values() if not row.blocked
    ]
    assert f'"urn:upheld:bizmeka-ez:{first.path}"' in json.dumps(shown)
    assert f'"urn:upheld:bizmeka-ez:{first.path}"' not in json.dumps(told)
    assert "dpv:hasDataProcessor" in json.dumps(shown)
    assert "dpv:hasDataProcessor" not in json.dumps(told)


def test_versions_of_two_policies_or_of_one_day_make_no_folder(old: Policy, new: Policy) -> None:
    with pytest.raises(ValueError, match="of one policy"):
        notice_files([new, document("nexr-2017")])
    with pytest.raises(ValueError, match="a day of its own"):
        notice_files([new, new])


def test_the_command_writes_the_folder_and_the_paper(tmp_path: Path, folder: dict[str, bytes]) -> None:
    files = [str(POLICIES / f"{name}.yaml") for name in (NEW, OLD)]
    said = CliRunner().invoke(app, ["notice", *files, "--out", str(tmp_path / "notices")])
    assert said.exit_code == 0, said.output
    assert {path.name: path.read_bytes() for path in (tmp_path / "notices").iterdir()} == folder
    printed = CliRunner().invoke(app, ["notice", *files, "--locale", "ko", "--format", "pdf"])
    assert printed.stdout_bytes == folder["2018-07-09.ko.pdf"]
