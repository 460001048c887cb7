"""The notice says everything public that the document says, nothing internal, and nothing of its own."""

import ctypes
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from enum import StrEnum
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pypdfium2  # type: ignore[import-untyped]  # it has no types
import pytest

from upheld.dates import Period
from upheld.policy import plain, shapes
from upheld.policy.ends import LaterOf, Plus, Point
from upheld.policy.model import Key, Policy, Row, Rows, keys_of, sections
from upheld.policy.notice import notice, paper
from upheld.policy.notice_parts import Grid, Page
from upheld.policy.notice_sections import HIDDEN, Notice
from upheld.policy.notice_words import COUNTRIES, PROSE
from upheld.policy.read import read_policy
from upheld.policy.vocabulary import FallbackIf, FreezeExcept, Seen
from upheld.policy.wording import text_in

POLICIES = Path(__file__).resolve().parent.parent / "policies"
NAMES = ("bizmeka-ez-2016", "bizmeka-ez-2018", "kt-enterprise-2022", "kt-mns-2018", "nexr-2017")
LOCALES = ("en", "ko")
FORMS = ("html", "md", "pdf")
ONLY_WHERE_USED = ("facts", "soft-words")
"""Words that are no element of the notice; a period or a deadline says them."""


@pytest.fixture(scope="module")
def policies() -> dict[str, Policy]:
    return {name: read_policy((POLICIES / f"{name}.yaml").read_bytes(), name) for name in NAMES}


def page_of(policy: Policy, locale: str = "en") -> Page:
    return Notice(policy, locale, ()).page()


class _Reader(HTMLParser):
    """The visible text and the ids of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.ids: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag == "style"
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.texts += [value for name, value in attrs if name == "data-h" and value]

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag == "style"

    def handle_data(self, data: str) -> None:
        if not self.hidden and data.strip():
            self.texts.append(data.strip())


def read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    return reader


def read_md(md: str) -> _Reader:
    """The same of a Markdown file."""
    reader = _Reader()
    reader.ids = re.findall(r'<a id="([^"]+)"></a>', md)
    bare = re.sub(r'<a id="[^"]+"></a>|\]\([^)]*\)|<br>|^[#|\- ]+|[|\[]', " ", md, flags=re.M)
    reader.texts = re.sub(r"\\([\\`*_\[\]<>|~])", r"\1", bare).split("\n")
    return reader


def read_pdf(content: bytes) -> _Reader:
    """The same of a PDF: the text as a reader of it selects it, without the lines on top and bottom of each page."""
    reader = _Reader()
    document = pypdfium2.PdfDocument(content)
    raw = pypdfium2.raw
    for at in range(raw.FPDF_CountNamedDests(document)):
        length = ctypes.c_long()
        raw.FPDF_GetNamedDest(document, at, None, length)
        buffer = ctypes.create_string_buffer(length.value)
        raw.FPDF_GetNamedDest(document, at, buffer, length)
        reader.ids.append(buffer.raw.decode("utf-16-le").rstrip("\0"))
    for number, page in enumerate(document, 1):
        lines = page.get_textpage().get_text_range().replace("\r", "").split("\n")
        top = 1 if number > 1 else 0
        reader.texts += lines[top:-1]
        assert lines[-1] == f"{number} / {len(document)}"
    document.close()
    return reader


def read_as(form: str, policy: Policy, locale: str) -> _Reader:
    """A notice in one form, read back."""
    match form:
        case "pdf":
            return read_pdf(paper(policy, locale))
        case "md":
            return read_md(notice(policy, locale, "md"))
        case _:
            return read(notice(policy, locale))


# ---------------------------------------------------------------------------- every text of the document, marked


class _Marks:
    """Puts a mark of its own in place of every text of a policy."""

    def __init__(self) -> None:
        self.count = 0
        self.public: dict[str, str] = {}
        self.internal: dict[str, str] = {}

    def next(self, path: str, kind: dict[str, str]) -> str:
        self.count += 1
        mark = f"mark{self.count:05d}x"
        kind[mark] = path
        return mark

    def texts(self, path: str, texts: Mapping[str, str], kind: dict[str, str]) -> dict[str, str]:
        return {locale: f"{self.next(path, kind)}{locale}" for locale in texts}

    def row(self, section: str, row: Any) -> Any:
        inside = section in ONLY_WHERE_USED
        kind = {} if inside else self.public
        more: dict[str, Any] = {"texts": self.texts(row.path, row.texts, kind)}
        if row.reading:
            more["reading"] = self.next(row.path, self.internal)
        if row.blocked:
            more["blocked"] = self.next(row.path, self.internal)
        for name, spec in keys_of(type(row)).items():
            value = getattr(row, shapes.attribute(name))
            hidden = name in HIDDEN["*"] or name in HIDDEN.get(section, frozenset())
            if value and isinstance(spec, Rows):
                more[shapes.attribute(name)] = {code: self.row(section, one) for code, one in value.items()}
            elif value and isinstance(spec, Key) and isinstance(spec.shape, shapes.Text):
                more[shapes.attribute(name)] = self.texts(f"{row.path}.{name}", value, kind)
            elif value and name in ("site", "phone") and not hidden:
                more[name] = self.next(f"{row.path}.{name}", kind)
        return replace(row, **more)

    def policy(self, policy: Policy) -> Policy:
        marked: dict[str, Any] = {"controller": self.row("controller", policy.controller)}
        for name in sections():
            rows = getattr(policy, shapes.attribute(name))
            marked[shapes.attribute(name)] = {code: self.row(name, row) for code, row in rows.items()}
        return replace(policy, **marked)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", NAMES)
def test_every_public_text_is_in_the_notice_and_no_internal_one(
    policies: dict[str, Policy], name: str, locale: str, form: str
) -> None:
    marks = _Marks()
    text = " ".join(read_as(form, marks.policy(policies[name]), locale).texts)
    found = set(re.findall(r"mark\d{5}x", text))
    here = {mark for mark in found if f"{mark}{locale}" in text or not re.search(f"{mark}(en|ko)", text)}
    assert found - here == set(), "a text of the other language"
    wanted = {mark for mark, path in marks.public.items() if f"{mark}{locale}" in text or mark in text}
    other = Counter(marks.public.values())
    missing = {path for mark, path in marks.public.items() if mark not in wanted}
    said = {marks.public[mark] for mark in wanted}
    assert missing - said == set()
    assert found & set(marks.internal) == set()
    assert len(other) > 80


# ---------------------------------------------------------------------------- every key of the language, changed


def other_value(shape: Any, value: Any, policy: Policy) -> Any:
    """Another value of the same shape, or nothing where there is no other."""
    match shape:
        case shapes.OneOf(words):
            return next((word for word in words if word is not value), None)
        case shapes.ManyOf(words):
            return tuple(word for word in words if word not in (value or ()))[:1]
        case shapes.Name(kind) | shapes.Names(kind):
            names = getattr(policy, shapes.attribute(kind)) or {"x": None}
            rest = [name for name in names if name != value and name not in (value or ())] or ["something-else"]
            return rest[0] if isinstance(shape, shapes.Name) else (rest[0],)
        case shapes.Items():
            return tuple(name for name in policy.items if name not in (value or ()))[:1]
        case shapes.EndShape():
            return LaterOf((Plus(Point("collected"), Period(days=97)), Plus(Point("consented"), Period(days=98))))
        case shapes.DeadlineShape():
            return shapes.Deadline(Period(days=97))
        case shapes.PeriodShape():
            return Period(days=97)
        case shapes.DueShape():
            return (Period(days=97),)
        case shapes.Number():
            return 17
        case shapes.Countries():
            return ("AU",)
        case shapes.LawRefs():
            return (shapes.LawRef("pipa", "99"),)
        case shapes.ByItem(words):
            return dict.fromkeys(value, next(word for word in words if word not in value.values()))
        case shapes.Parts():
            return shapes.Freeze("received", Plus(Point("settled"), Period(days=97)), FreezeExcept.STATUTE.value)
        case shapes.Steps():
            return (shapes.Fallback(FallbackIf.DISASTER.value, (next(iter(policy.places)),), Period(days=97)),)
        case shapes.Code() | shapes.Codes() | shapes.Plain():
            return ("something-else",) if isinstance(shape, shapes.Codes) else "something-else"
        case shapes.Text():
            return dict.fromkeys(policy.locales, "something else")
        case _:
            raise AssertionError(shape)


def changed(policy: Policy, section: str, row: Any, key: str, value: Any) -> Policy:
    attribute = shapes.attribute(section)
    other: dict[str, Any] = {shapes.attribute(key): value}
    rows: dict[str, Any] = {attribute: {**getattr(policy, attribute), row.name: replace(row, **other)}}
    return replace(policy, **rows)


def keys() -> Iterator[tuple[str, str]]:
    for name, section in sections().items():
        for key, spec in keys_of(section.row).items():
            if isinstance(spec, Key) and key not in ("blocked", "seen"):
                yield name, key


NOT_ASKED = {(name, "law") for name in sections()} - {
    (name, "law") for name in ("purposes", "statutes", "rights", "safeguards", "provision-exceptions", "retention")
}
"""A law beside a clause is printed where the guideline asks for the ground."""


def subject_of(policies: dict[str, Policy], section: str, key: str) -> tuple[Policy, Any]:
    """A policy and a row of the section that is run; one that has the key written, if any has."""
    rows = [
        (policy, row)
        for policy in policies.values()
        for row in getattr(policy, shapes.attribute(section)).values()
        if not row.blocked
    ]
    fixed = sections()[section].fixed
    takes = [pair for pair in rows if not fixed or not fixed.get(pair[1].name) or key in fixed[pair[1].name]]
    chosen = takes or rows
    has = [pair for pair in chosen if getattr(pair[1], shapes.attribute(key)) and key in pair[1].places]
    has = has or [pair for pair in chosen if getattr(pair[1], shapes.attribute(key))]
    return (has or chosen)[0]


@pytest.mark.parametrize(("section", "key"), list(keys()))
def test_a_public_key_shows_in_the_notice_and_an_internal_one_does_not(
    policies: dict[str, Policy], section: str, key: str
) -> None:
    policy, row = subject_of(policies, section, key)
    spec = keys_of(type(row))[key]
    assert isinstance(spec, Key)
    value = getattr(row, shapes.attribute(key))
    other = other_value(spec.shape, value, policy)
    assert other != value
    hidden = key in HIDDEN["*"] or key in HIDDEN.get(section, frozenset())
    same = page_of(policy) == page_of(changed(policy, section, row, key, other))
    if (section, key) in NOT_ASKED:
        return
    assert same == hidden, f"{section}.{key} of {row.path}: {value} → {other}"


def test_every_key_that_no_notice_prints_is_a_key_of_the_language() -> None:
    for section, hidden in HIDDEN.items():
        known = keys_of(Row) if section == "*" else keys_of(sections()[section].row)
        assert hidden - {*known} == (frozenset({"review-after"}) if section == "*" else frozenset())


@pytest.mark.parametrize("name", NAMES)
def test_an_internal_element_is_not_in_the_notice(policies: dict[str, Policy], name: str) -> None:
    policy = policies[name]
    for row in policy.safeguards.values():
        html = notice(changed(policy, "safeguards", row, "seen", Seen.INTERNAL), "ko")
        assert f'id="{row.path}"' not in html
        assert f'id="{row.path}"' in notice(policy, "ko")
        break


def test_a_row_that_is_not_run_says_so_without_its_reason(policies: dict[str, Policy]) -> None:
    policy = policies["bizmeka-ez-2018"]
    row = policy.provisions["kt-commerce"]
    assert row.blocked
    html = notice(policy, "ko")
    assert row.blocked not in html
    assert "현재 운영하지 않음" in html


# -------------------------------------------------------------------------------------------------- nothing else


def document_texts(policy: Policy, locale: str) -> set[str]:
    """Every public text of a policy in one language, its dates, phones and addresses."""
    found = {str(policy.announced.date), str(policy.effective.date), policy.time_zone}
    for row in policy.rows():
        found |= {text_in(row.texts, locale)}
        for name, spec in keys_of(type(row)).items():
            value = getattr(row, shapes.attribute(name))
            if value and isinstance(spec, Key) and isinstance(spec.shape, shapes.Text):
                found.add(text_in(value, locale))
            elif name in ("site", "phone") and value:
                found.add(value)
    return {text for text in found if text}


def fixed_texts(locale: str) -> set[str]:
    """Every phrase that a notice has of its own."""
    prose = [words.say(locale) for words in (*PROSE.values(), *COUNTRIES.values())]
    return {part.strip() for text in (*prose, *plain.vocabulary_phrases(locale)) for part in re.split(r"\{\w+\}", text)}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_in_the_notice_is_invented(policies: dict[str, Policy], name: str, locale: str, form: str) -> None:
    known = document_texts(policies[name], locale) | fixed_texts(locale)
    words = {word for text in known for word in re.findall(r"[^\W\d_]+", text)}
    text = " ".join(read_as(form, policies[name], locale).texts)
    for phrase in sorted(known, key=len, reverse=True):
        if len(phrase) > 3:
            text = re.sub(rf"(?<![A-Za-z]){re.escape(phrase)}(?![A-Za-z])", " ", text)
    rest = set(re.findall(r"[^\W\d_]+", text)) - words
    endings = set(re.findall(r"[가-힣]+", " ".join(fixed_texts(locale))))
    strange = {word for word in rest if not any(word == known + end for known in words for end in ("", *endings))}
    assert strange == set()


def test_a_sentence_of_ones_own_would_be_found(policies: dict[str, Policy]) -> None:
    policy = policies["nexr-2017"]
    known = document_texts(policy, "en") | fixed_texts("en")
    words = {word for text in known for word in re.findall(r"[^\W\d_]+", text)}
    assert {"cherish", "forever", "worldwide"} & words == set()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_no_reading_and_no_evidence_is_in_the_notice(policies: dict[str, Policy], name: str, form: str) -> None:
    policy = policies[name]
    for locale in LOCALES:
        words = "".join(" ".join(read_as(form, policy, locale).texts).split())
        said = [row.reading for row in policy.rows() if row.reading] + [
            row.blocked for row in policy.rows() if row.blocked
        ]
        assert [text for text in said if "".join(text.split()) in words and len(text) > 25] == []
        kinds = {code for row in policy.safeguards.values() for code in row.evidence if "-" in code}
        own = " ".join(document_texts(policy, locale))
        assert [code for code in kinds if code in words and code not in own] == []


# ------------------------------------------------------------------------------------------------------- anchors


def clauses_of(policy: Policy, *, printed: bool) -> set[str]:
    """Clause ids of elements; of those that the notice prints, or of all."""
    return {
        one
        for row in policy.rows()
        if not printed or row.path.partition(".")[0] not in ONLY_WHERE_USED
        for ids in row.clauses.values()
        for one in ids
    }


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", NAMES)
def test_every_clause_of_a_printed_element_has_one_anchor(
    policies: dict[str, Policy], name: str, locale: str, form: str
) -> None:
    policy = policies[name]
    ids = read_as(form, policy, locale).ids
    assert [one for one, count in Counter(ids).items() if count > 1] == []
    assert clauses_of(policy, printed=True) - set(ids) == set()
    own = {row.path for row in policy.rows()} | {"summary", "contents"}
    chapters = {section.code for section in page_of(policy, locale).sections}
    assert set(ids) - clauses_of(policy, printed=True) - own - chapters == set()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("locale", LOCALES)
def test_how_many_clauses_are_in_the_notices(policies: dict[str, Policy], locale: str, form: str) -> None:
    all_of = {name: clauses_of(policy, printed=False) for name, policy in policies.items()}
    there = {name: all_of[name] & set(read_as(form, policy, locale).ids) for name, policy in policies.items()}
    page = (Path(__file__).resolve().parent.parent / "docs" / "notice.md").read_text("utf-8")
    for name in NAMES:
        assert f"| {name} | {len(there[name])} | {len(all_of[name])} |" in page
    total = sum(map(len, there.values())), sum(map(len, all_of.values()))
    assert f"| all five | {total[0]} | {total[1]} |" in page


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_to_an_anchor_and_none_leaves_the_page(policies: dict[str, Policy], name: str) -> None:
    html = notice(policies[name], "en")
    targets = re.findall(r'href="([^"]*)"', html)
    assert targets
    assert [one for one in targets if one[0] != "#" or one[1:] not in read(html).ids] == []
    assert not re.search(r"<script|<img|<link|src=|url\(|@import|https?://", html)


# --------------------------------------------------------------------------------------------- forms and history


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", NAMES)
def test_markdown_says_what_the_page_says(policies: dict[str, Policy], name: str, locale: str) -> None:
    md = re.sub(r"\\([\\`*_\[\]<>|~])", r"\1", notice(policies[name], locale, "md"))
    page = page_of(policies[name], locale)
    for section in page.sections:
        assert section.title in md
        for block in section.blocks:
            for text in (
                [cell for line in block.lines for cell in line.cells] if isinstance(block, Grid) else [(block.text,)]
            ):
                assert [one for one in text if one not in md] == []


def test_the_chapters_stand_in_the_order_of_the_guideline(policies: dict[str, Policy]) -> None:
    titles = [section.title for section in page_of(policies["kt-enterprise-2022"], "ko").sections]
    wanted = (
        "목적",
        "보관",
        "아동",
        "제3자",
        "위탁",
        "국외",
        "파기",
        "권리",
        "안전성",
        "자동 수집",
        "보호책임자",
        "구제",
        "변경",
    )
    assert all(word in title for word, title in zip(wanted, titles, strict=True))


def test_ends_are_said_in_plain_words(policies: dict[str, Policy]) -> None:
    policy = policies["bizmeka-ez-2018"]
    assert "6 months after cancellation" in notice(policy, "en")
    assert "해지 후 6개월" in notice(policy, "ko")
    assert not re.search(r"\bP\d+[YMD]\b", notice(policy, "en") + notice(policy, "ko"))


def test_the_history_lists_every_version_with_what_changed(policies: dict[str, Policy]) -> None:
    old, new = policies["bizmeka-ez-2016"], policies["bizmeka-ez-2018"]
    alone, both = notice(new, "ko"), notice(new, "ko", versions=[old])
    assert "처리방침 변경 이력" not in alone
    assert "처리방침 변경 이력" in both
    assert str(old.effective.date) in both
    assert "제공받는 자 추가: kt mhows Co., Ltd." in both


def test_the_history_tells_nothing_of_internal_elements(policies: dict[str, Policy]) -> None:
    old, new = policies["bizmeka-ez-2016"], policies["bizmeka-ez-2018"]
    gone = old.safeguards["plan-partners"]
    told = f"안전조치 삭제: {gone.texts['ko']}"
    assert told in notice(new, "ko", versions=[old])
    assert told not in notice(new, "ko", versions=[changed(old, "safeguards", gone, "seen", Seen.INTERNAL)])


def test_a_language_that_the_policy_does_not_have_is_refused(policies: dict[str, Policy]) -> None:
    with pytest.raises(ValueError, match="no texts in `fr`"):
        notice(policies["nexr-2017"], "fr")


def test_two_renderings_are_the_same(policies: dict[str, Policy]) -> None:
    assert notice(policies["kt-mns-2018"], "ko") == notice(policies["kt-mns-2018"], "ko")


def test_every_word_a_person_can_meet_is_said_in_both_languages() -> None:
    hidden = {"Blocks", "EngineCheck", "Register", "Duty"}
    for section in sections().values():
        for key, spec in keys_of(section.row).items():
            shape = spec.shape if isinstance(spec, Key) else None
            kind = getattr(shape, "words", None)
            if kind is None or kind.__name__ in hidden or key in HIDDEN["*"]:
                continue
            for one in kind:
                assert isinstance(one, StrEnum)
                assert plain.word(one, "ko") != plain.word(one, "en") or one.value == "gpc"
    assert fields(Policy)
