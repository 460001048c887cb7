"""The registers that a house keeps, by their names, made from the ledger for any span. Nothing is typed twice.

A row is one entry, or one line of a published version; in either case it names the entry that shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from upheld.dates import FOREVER, Instant, moment
from upheld.desk.articles import article_in, capital
from upheld.desk.documents import Document, documents_of
from upheld.desk.records import code, recorded
from upheld.desk.sheets import Grid, Sheet
from upheld.desk.spoken import KINDS, said
from upheld.keeper import Keeper
from upheld.law import law_for
from upheld.ledger.entries import Entry
from upheld.policy import plain
from upheld.policy.formats.ropa import COLUMNS
from upheld.policy.wording import Words
from upheld.store.history import Recorded

Wanted = Callable[[Entry], bool]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its head, and the fields of an entry that it shows, the first that is there."""

    head: Words
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Register:
    """One register: its name, what goes into it. By which law it is kept says the row `cited.register.CODE`."""

    code: str
    title: Words
    kinds: tuple[str, ...]
    columns: tuple[Column, ...]
    wanted: Wanted = lambda _: True


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a register with the entry that backs it."""

    cells: tuple[str, ...]
    at: Instant
    reference: str


def _evidence_of(*words: str) -> Wanted:
    def wanted(entry: Entry) -> bool:
        said = code(entry, "evidence") + code(entry, "duty")
        return any(word in said for word in words)

    return wanted


_ACT: Final = Column(Words("what happened", "내용"), ("@kind",))
_WHO: Final = Column(Words("person (pseudonym)", "정보주체(가명)"), ("@who",))
_ITEMS: Final = Column(Words("items", "항목"), ("items",))
_UNTIL: Final = Column(Words("until", "기한"), ("until", "due_at"))
_BY: Final = Column(Words("by whom", "처리자"), ("answered_by", "by", "handler"))
_PARTY: Final = Column(Words("party", "업체"), ("party", "recipient", "processor"))


def _rows(*rows: Register) -> Mapping[str, Register]:
    return MappingProxyType({row.code: row for row in rows})


REGISTERS: Final = _rows(
    Register(
        "versions",
        Words("history of the policy", "개인정보 처리방침 변경 이력"),
        ("policy.published",),
        (
            Column(Words("version", "판"), ("version",)),
            Column(Words("announced", "공고일"), ("announced_at",)),
            Column(Words("in force", "시행일"), ("effective_at",)),
            Column(Words("published over", "미비 사항"), ("gaps",)),
        ),
    ),
    Register(
        "processing",
        Words("register of processing", "개인정보 처리 대장"),
        ("policy.published",),
        (
            Column(Words("version", "판"), ()),
            *(Column(head, ()) for head in COLUMNS),
        ),
    ),
    Register(
        "consents",
        Words("register of consents", "개인정보 동의 관리대장"),
        ("consent.given", "consent.withdrawn"),
        (
            _ACT,
            _WHO,
            Column(Words("matter", "동의 사항"), ("about",)),
            Column(Words("version", "판"), ("version",)),
            Column(Words("channel", "방법"), ("channel",)),
            Column(Words("said by", "동의한 사람"), ("by",)),
        ),
    ),
    Register(
        "provisions",
        Words("register of provision to third parties", "개인정보 제3자 제공 대장"),
        ("value.provided", "value.disclosed"),
        (
            _ACT,
            _WHO,
            Column(Words("recipient", "제공받는 자"), ("recipient", "exception")),
            _ITEMS,
            Column(Words("law", "근거 법률"), ("law",)),
            _UNTIL,
        ),
    ),
    Register(
        "processors",
        Words("register of processors and inspections", "수탁자 관리·점검 대장"),
        ("contract.recorded", "contract.ended", "recipient.acknowledged", "duty.done"),
        (
            _ACT,
            Column(Words("party", "업체"), ("party", "recipient", "about")),
            Column(Words("findings", "지적 사항"), ("findings",)),
            Column(Words("until", "계약 종료"), ("until",)),
            _BY,
        ),
        lambda entry: entry.kind != "duty.done" or code(entry, "duty") == "inspection",
    ),
    Register(
        "transfers",
        Words("register of transfers abroad", "개인정보 국외 이전 대장"),
        ("transfer.recorded",),
        (
            _WHO,
            Column(Words("recipient", "이전받는 자"), ("recipient",)),
            Column(Words("country", "국가"), ("country",)),
            Column(Words("basis", "근거"), ("basis",)),
            _ITEMS,
            Column(Words("stopped", "중지"), ("stopped",)),
        ),
    ),
    Register(
        "requests",
        Words("register of requests", "개인정보 열람등 요구 처리대장"),
        (
            "request.received",
            "request.proved",
            "request.incomplete",
            "request.postponed",
            "request.extended",
            "request.passed",
            "request.answered",
        ),
        (
            _ACT,
            _WHO,
            Column(Words("right", "요구 내용"), ("right",)),
            Column(Words("channel", "방법"), ("channel",)),
            Column(Words("outcome", "결과"), ("outcome", "proof", "party")),
            Column(Words("reason", "사유"), ("reason",)),
            _UNTIL,
            _BY,
        ),
    ),
    Register(
        "destruction",
        Words("destruction plan and register", "개인정보 파기 관리대장"),
        ("destruction.ordered", "value.destroyed", "work-order.done", "certificate.issued"),
        (
            _ACT,
            _WHO,
            _ITEMS,
            Column(Words("end reached", "보유 기간 종료"), ("due_at",)),
            Column(Words("grounds", "보유 근거"), ("grounds",)),
            Column(Words("how", "방법"), ("method", "tier")),
            Column(Words("approved or done by", "승인·수행"), ("approval", "by")),
            Column(Words("witness", "입회"), ("witness",)),
            Column(Words("certificate", "증명서"), ("certificate",)),
        ),
    ),
    Register(
        "access-rights",
        Words("register of access rights", "접근권한 관리대장"),
        ("handler.granted", "handler.revoked"),
        (
            _ACT,
            Column(Words("handler", "취급자"), ("handler",)),
            Column(Words("role", "권한"), ("duty",)),
            Column(Words("party", "소속"), ("party",)),
            _UNTIL,
            Column(Words("by whom", "승인자"), ("by",)),
        ),
    ),
    Register(
        "access-reviews",
        Words("register of access-record reviews", "접속기록 점검 대장"),
        ("duty.done",),
        (_ACT, Column(Words("findings", "지적 사항"), ("findings",)), _BY),
        lambda entry: code(entry, "duty") == "access-review",
    ),
    Register(
        "training",
        Words("register of training and pledges", "교육·보안서약 대장"),
        ("control.evidenced", "duty.done"),
        (
            _ACT,
            Column(Words("safeguard", "보호조치"), ("control", "duty")),
            Column(Words("evidence", "증빙"), ("evidence",)),
            Column(Words("for whom", "대상"), ("named", "about")),
            _BY,
        ),
        _evidence_of("training", "pledge", "acknowledgement", "liability"),
    ),
    Register(
        "leaks",
        Words("register of leaks", "개인정보 유출 대장"),
        ("breach.known", "breach.moved"),
        (
            _ACT,
            Column(Words("case", "사고"), ("case",)),
            Column(Words("how", "경위·조치"), ("step", "cause")),
            _ITEMS,
            Column(Words("where", "장소"), ("place",)),
            Column(Words("persons", "인원"), ("counts",)),
            _BY,
        ),
    ),
    Register(
        "notices",
        Words("register of notices", "개인정보 통지 대장"),
        ("notice.queued", "notice.moved", "notice.posted", "notice.taken-down"),
        (
            _ACT,
            _WHO,
            Column(Words("notice", "통지"), ("notice",)),
            Column(Words("by", "방법"), ("medium", "place")),
            Column(Words("state", "상태"), ("state",)),
            Column(Words("reason", "사유"), ("reason",)),
            Column(Words("message", "발송 번호"), ("message", "posting")),
        ),
    ),
)
"""Every register, by its code."""


# ── making one ──────────────────────────────────────────────────────────────────────────────────────────────────────


def lines_of(
    keeper: Keeper, document: Document, register: Register, since: Instant, until: Instant, locale: str
) -> list[Line]:
    """The rows of a register with `since <= at < until`, oldest first."""
    policy, zone = document.policy.policy, keeper.views.line(document.policy.policy).latest.zone
    found = [one for one in recorded(keeper, policy, register.kinds, since, until) if register.wanted(one.entry)]
    if register.code == "processing":
        return _processing(keeper, policy, found, locale)
    told = _Told(document, zone, locale)
    return [
        Line(
            tuple(told.cell(one.entry, column.fields) for column in register.columns),
            Instant(one.entry.at),
            one.reference,
        )
        for one in found
    ]


def sheet_of(
    keeper: Keeper, document: Document, register: Register, since: Instant, until: Instant, locale: str
) -> Sheet:
    """The register as a sheet: when, what, and the entry on each row."""
    return as_sheet(
        keeper, document, register, lines_of(keeper, document, register, since, until, locale), since, until, locale
    )


def article_of(register: Register, time_zone: str) -> str:
    """By which article a house in that time zone keeps it; empty where no table of law says it."""
    return law_for(time_zone).article_on(f"register.{register.code}")


def as_sheet(
    keeper: Keeper,
    document: Document,
    register: Register,
    lines: Iterable[Line],
    since: Instant,
    until: Instant,
    locale: str,
) -> Sheet:
    """Rows of a register on paper."""
    zone = keeper.views.line(document.policy.policy).latest.zone
    rows = list(lines)
    heads = (_WHEN.say(locale), *(column.head.say(locale) for column in register.columns), _ENTRY.say(locale))
    cells = tuple((_minute(one.at, zone), *one.cells, one.reference) for one in rows)
    span = f"{_day(since, zone) or '…'} – {_day(Instant(until - 1), zone) or '…'}"
    return Sheet(
        capital(register.title.say(locale)),
        "ko" if locale.startswith("ko") else "en",
        facts=(
            (_HOUSE.say(locale), plain.title_of(document.policy.controller, locale)),
            (_SPAN.say(locale), span),
            (_LAW.say(locale), article_in(article_of(register, document.policy.time_zone), locale)),
            (_ROWS.say(locale), str(len(rows))),
        ),
        tables=(Grid("", heads, cells),),
        closing=(_BACKED.say(locale),),
        wide=True,
    )


def _processing(keeper: Keeper, policy: str, found: Iterable[Recorded], locale: str) -> list[Line]:
    """Each purpose of each version published in the span, as the record of processing says it; backed by the
    publication.
    """
    versions = {one.version: one for one in documents_of(keeper, policy)}
    lines: list[Line] = []
    for one in found:
        document = versions.get(code(one.entry, "version"))
        if document is None:
            continue
        told = document.locale(locale)
        for row in document.policy.purposes.values():
            cells = tuple(cell(document.policy, row, told) for cell in COLUMNS.values())
            lines.append(Line((document.version, *cells), Instant(one.entry.at), one.reference))
    return lines


@dataclass(frozen=True, slots=True)
class _Told:
    """What entries say, in words: names of the document, words of closed lists, days."""

    document: Document
    zone: ZoneInfo
    locale: str

    def cell(self, entry: Entry, fields: tuple[str, ...]) -> str:
        """The first of these fields that the entry has."""
        for name in fields:
            text = self._field(entry, name)
            if text:
                return text
        return ""

    def _field(self, entry: Entry, name: str) -> str:
        if name == "@kind":
            return KINDS[entry.kind].say(self.locale)
        if name == "@who":
            return "\n".join(entry.persons)
        value = entry.fields.get(name)
        match value:
            case None | False:
                return ""
            case True:
                return _YES.say(self.locale)
            case bytes():
                return value.hex()
            case int() if name.endswith(("_at", "until")):
                return "" if abs(value) >= FOREVER else _minute(Instant(value), self.zone)
            case Mapping():
                return ", ".join(f"{self._said(entry, name, str(key))} {number}" for key, number in value.items())
            case tuple() | list():
                return ", ".join(dict.fromkeys(self._said(entry, name, str(one)) for one in value))
            case _:
                return self._said(entry, name, str(value))

    def _said(self, entry: Entry, field: str, code: str) -> str:
        return said(self.document, self.locale, entry.kind, field, code)


_WHEN: Final = Words("when", "일시")
_ENTRY: Final = Words("entry", "원장 기록")
_HOUSE: Final = Words("controller", "개인정보처리자")
_SPAN: Final = Words("span", "기간")
_LAW: Final = Words("law", "근거")
_ROWS: Final = Words("rows", "건수")
_YES: Final = Words("yes", "예")
_BACKED: Final = Words(
    "Every row is made from the sealed entry of the ledger that it names; nothing was typed in here.",
    "모든 행은 표시된 원장 기록에서 만들어졌으며, 따로 입력한 내용이 없습니다.",
)


def _minute(at: Instant, zone: ZoneInfo) -> str:
    return moment(at, zone).strftime("%Y-%m-%d %H:%M")


def _day(at: Instant, zone: ZoneInfo) -> str:
    return "" if abs(at) >= FOREVER - 1 else moment(at, zone).date().isoformat()
