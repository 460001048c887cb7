"""The registers that a Korean house keeps, by their names, made from the ledger for any span. Nothing is typed twice.

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
from upheld.engine.duties import DUTIES
from upheld.keeper import Keeper
from upheld.ledger.entries import Entry
from upheld.policy import plain
from upheld.policy.formats.ropa import COLUMNS
from upheld.policy.plain import Words
from upheld.store.history import Recorded

Wanted = Callable[[Entry], bool]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its head, and the fields of an entry that it shows, the first that is there."""

    head: Words
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Register:
    """One register: its name, by which law it is kept, what goes into it."""

    code: str
    title: Words
    article: str
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
        "PIPA 30",
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
        "GDPR 30, PIPA 30",
        ("policy.published",),
        (
            Column(Words("version", "판"), ()),
            *(Column(head, ()) for head in COLUMNS),
        ),
    ),
    Register(
        "consents",
        Words("register of consents", "개인정보 동의 관리대장"),
        "PIPA 22",
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
        "PIPA 17, 18",
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
        "PIPA 26",
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
        "PIPA 28-8",
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
        "PIPA 35 to 38",
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
        "PIPA 21, Standard Guideline 10",
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
        "Safety Standards 5(3)",
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
        "Safety Standards 8",
        ("duty.done",),
        (_ACT, Column(Words("findings", "지적 사항"), ("findings",)), _BY),
        lambda entry: code(entry, "duty") == "access-review",
    ),
    Register(
        "training",
        Words("register of training and pledges", "교육·보안서약 대장"),
        "PIPA 28",
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
        "PIPA 34",
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
        "PIPA 20, 20-2, 34",
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
            (_LAW.say(locale), article_in(register.article, locale)),
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
                return ", ".join(f"{self._code(name, str(key))} {number}" for key, number in value.items())
            case tuple() | list():
                return ", ".join(dict.fromkeys(self._code(name, str(one)) for one in value))
            case _:
                return self._code(name, str(value))

    def _code(self, field: str, said: str) -> str:
        section = _SECTIONS.get(field)
        if section and f"{section}.{said}" in self.document.rows:
            return self.document.title(f"{section}.{said}", self.locale)
        if said in self.document.rows:
            return self.document.title(said, self.locale)
        if field == "duty" and said in DUTIES:
            return DUTIES[said].title.say(self.locale)
        words = CODES.get(said)
        return words.say(self.locale) if words else said


_SECTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "items": "items",
        "recipient": "parties",
        "party": "parties",
        "processor": "parties",
        "about": "parties",
        "channel": "channels",
        "right": "rights",
        "duty": "handlers",
        "control": "safeguards",
        "place": "places",
        "exception": "provision-exceptions",
        "proof": "proofs",
    }
)
"""Field of an entry → section of the document in which its code has a name."""

KINDS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "policy.published": Words("published", "공개"),
        "consent.given": Words("agreed", "동의"),
        "consent.withdrawn": Words("taken back", "철회"),
        "value.provided": Words("provided", "제공"),
        "value.disclosed": Words("disclosed under an exception", "예외 제공"),
        "contract.recorded": Words("contract in force", "계약 체결"),
        "contract.ended": Words("contract ended", "계약 종료"),
        "recipient.acknowledged": Words("return or destruction shown", "반환·파기 확인"),
        "duty.done": Words("done", "이행"),
        "transfer.recorded": Words("transferred", "이전"),
        "request.received": Words("received", "접수"),
        "request.proved": Words("identity proved", "본인 확인"),
        "request.incomplete": Words("to be completed", "보완 요청"),
        "request.postponed": Words("postponed", "연기"),
        "request.extended": Words("extended", "연장"),
        "request.passed": Words("passed on", "이송"),
        "request.answered": Words("answered", "처리 결과 통지"),
        "destruction.ordered": Words("destruction ordered", "파기 결정"),
        "value.destroyed": Words("destroyed", "파기"),
        "work-order.done": Words("destroyed by hand", "직접 파기"),
        "certificate.issued": Words("certificate issued", "파기 증명서 발급"),
        "handler.granted": Words("granted", "부여"),
        "handler.revoked": Words("revoked", "말소"),
        "control.evidenced": Words("evidence filed", "증빙 제출"),
        "breach.known": Words("became known", "인지"),
        "breach.moved": Words("step taken", "조치"),
        "notice.queued": Words("put into the outbox", "발송 대기"),
        "notice.moved": Words("moved on", "발송 처리"),
        "notice.posted": Words("posted", "게시"),
        "notice.taken-down": Words("taken down", "게시 종료"),
    }
)
"""Each kind of entry that stands in a register."""

CODES: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "subject": Words("the person", "본인"),
        "representative": Words("the legal representative", "법정대리인"),
        "agent": Words("an agent", "대리인"),
        "done": Words("done", "이행"),
        "partly": Words("in part", "일부 이행"),
        "refused": Words("refused", "거절"),
        "shred": Words("shredded", "파쇄"),
        "burn": Words("burned", "소각"),
        "active": Words("electronic, key destroyed", "전자적 파기(암호키 폐기)"),
        "separated": Words("electronic, kept apart", "전자적 파기(분리 보관분)"),
        "privacy-officer": Words("privacy officer", "개인정보 보호책임자"),
        "handler": Words("handler", "개인정보취급자"),
        "processor": Words("processor", "수탁자"),
        "sent": Words("sent", "발송 완료"),
        "sending": Words("being sent", "발송 중"),
        "failed": Words("failed", "발송 실패"),
        "uncertain": Words("uncertain", "도달 불명"),
        "unreachable": Words("unreachable", "연락 불가"),
        "bounced": Words("returned", "반송"),
        "withdrawn": Words("taken out", "발송 취소"),
        "queued": Words("waiting", "대기"),
        "email": Words("e-mail", "전자우편"),
        "sms": Words("text message", "문자"),
        "breach": Words("leak", "유출 통지"),
        "possible-breach": Words("possible leak", "유출 가능성 통지"),
        "outcome": Words("answer to a request", "처리 결과 통지"),
        "advert": Words("advertisement", "광고성 정보"),
        "change": Words("change of the policy", "처리방침 변경 통지"),
        "confirmed": Words("certain", "유출 확인"),
        "refuted": Words("there was none", "유출 아님"),
        "drafted": Words("contents written", "통지 내용 작성"),
        "told": Words("persons written to", "정보주체 통지"),
        "reported": Words("authority told", "기관 신고"),
        "supplemented": Words("supplement", "추가 신고"),
        "cause-found": Words("cause found", "원인 규명"),
        "mended": Words("mended", "재발 방지"),
        "lessons": Words("lessons", "교훈 공유"),
        "closed": Words("closed", "종결"),
        "outside-access": Words("access from outside", "외부의 불법 접근"),
        "insider": Words("insider", "내부자"),
        "mistake": Words("mistake", "업무상 실수"),
        "loss": Words("loss", "분실·도난"),
        "unknown": Words("not known yet", "확인 중"),
        "encryption": Words("encryption", "암호화"),
        "access-rights": Words("access rights", "접근 권한"),
        "training": Words("training", "교육"),
        "no-reason": Words("no reason given", "사유 없음"),
        "mass-reading": Words("mass looks", "대량 조회"),
    }
)
"""Words for codes of closed lists; a code that is not here stands as it is."""
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
