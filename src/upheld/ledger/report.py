"""The clause report: its states, how findings about elements become the state of a clause, and its three renderings.

Pure: what was looked at comes in as `Finding`s, one for each place in the document that carries a clause. The rules
by which they become one state stand in `docs/report.md` and in `answered` below, nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import zip_longest
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from jinja2 import Environment, StrictUndefined, Template

from upheld.dates import FOREVER, Instant, moment
from upheld.policy.wording import speaks_korean, text_in

MOST_EVIDENCE: Final = 12
"""How many references a clause shows; all that was counted stands behind them in the ledger."""


class State(StrEnum):
    """What the report says of a clause."""

    UPHELD = "upheld"
    NOT_UPHELD = "not-upheld"
    NO_EVIDENCE = "no-evidence-yet"
    STATED = "stated"


@dataclass(frozen=True, slots=True)
class Span:
    """The time a report is about: `since <= t < until`."""

    since: Instant
    until: Instant


@dataclass(frozen=True, slots=True)
class Exhibit:
    """An entry of the ledger that shows something: where it stands (`leaf:number`), its kind, its instant."""

    reference: str
    kind: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Breach:
    """A span in which an element was not kept: what, since when, until when (None: still), for whom.

    `what` is a code of `WHAT`, `detail` further codes. `persons` are aliases; a report prints their number only.
    """

    what: str
    element: str
    since: Instant
    until: Instant | None = None
    persons: frozenset[str] = frozenset()
    detail: str = ""
    shown: tuple[Exhibit, ...] = ()
    published_over: bool = False
    about: str = ""
    """Of which entry of a register: a host, a room, a handler."""

    def clipped(self, span: Span) -> Breach | None:
        """The part inside a span; None where there is none. A breach that lasts to its end is open there."""
        until = self.until if self.until is not None and self.until < span.until else None
        if self.since >= span.until or (until is not None and until <= span.since):
            return None
        return replace(self, since=max(self.since, span.since), until=until)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one place of the document that carries clauses.

    `standing` is a duty of every day (a safeguard): without evidence its clause cannot be upheld whatever other places
    show. `stated` is a sentence that only has to be said. `note` tells why there is nothing to show, in a code.
    """

    element: str
    key: str = "all"
    shown: tuple[Exhibit, ...] = ()
    breaches: tuple[Breach, ...] = ()
    standing: bool = False
    stated: bool = False
    note: str = ""

    def state(self, span: Span) -> State:
        """The state of this place alone."""
        if any(one.until is None for each in self.breaches if (one := each.clipped(span))):
            return State.NOT_UPHELD
        if self.stated:
            return State.STATED
        return State.UPHELD if self.shown else State.NO_EVIDENCE


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which a clause was not upheld; `until` None: it lasts. `persons`: how many."""

    what: str
    element: str
    since: Instant
    until: Instant | None
    persons: int
    detail: str
    published_over: bool
    about: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """A place of the document that carries the clause, and its own state."""

    path: str
    key: str
    state: State
    note: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A case drawn at random: the entry that shows it, and the certificates issued on it."""

    reference: str
    kind: str
    at: Instant
    element: str
    certificates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClauseReport:
    """One clause: its state, since when, what shows it, what was not kept and when."""

    clause: str
    state: State
    since: Instant | None
    evidence: tuple[Exhibit, ...]
    elements: tuple[Placed, ...]
    what: tuple[str, ...] = ()
    persons: int = 0
    gaps: tuple[Gap, ...] = ()
    published_over: bool = False
    cases: tuple[Case, ...] = ()


@dataclass(frozen=True)
class Report:
    """The answer for every clause of one version over a span. `names` are the elements' titles by locale."""

    policy: str
    version: str
    controller: Mapping[str, str]
    span: Span
    made_at: Instant
    zone: ZoneInfo
    clauses: tuple[ClauseReport, ...]
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    """What is said about the whole: a publication recorded afterwards, a check that could not be made."""

    def counts(self) -> Mapping[State, int]:
        """How many clauses are in each state."""
        return {state: sum(one.state is state for one in self.clauses) for state in State}

    def clause(self, clause: str) -> ClauseReport:
        """The answer for one clause. Raises KeyError for an id that the document does not carry."""
        found = next((one for one in self.clauses if one.clause == clause), None)
        if found is None:
            raise KeyError(clause)
        return found

    def text(self, *, brief: bool = False) -> str:
        """For a terminal; see `as_text`."""
        return as_text(self, brief=brief)

    def json(self) -> str:
        """For programs; see `as_json`."""
        return as_json(self).decode()

    def html(self) -> str:
        """For print and browsers; see `as_html`."""
        return as_html(self)


# ── From findings to the state of a clause ────────────────────────────────────────────────────────────────────────────


def answered(clause: str, findings: Sequence[Finding], span: Span) -> ClauseReport:
    """The state of a clause from everything found about the places that carry it.

    In this order: a breach that lasts at the end of the span: not upheld. Sentences only: stated. A standing duty
    without evidence, or nothing shown at all: no evidence yet. Else upheld, with the gaps inside the span.
    """
    breaches = [one for finding in findings for each in finding.breaches if (one := each.clipped(span))]
    lasting = [
        each
        for finding in findings
        for each in finding.breaches
        if (one := each.clipped(span)) is not None and one.until is None
    ]
    state = _state(findings, bool(lasting))
    shown = _chosen([one for finding in findings for one in finding.shown])
    against = _chosen([one for each in breaches for one in each.shown])
    return ClauseReport(
        clause=clause,
        state=state,
        since=_since(state, span, shown, breaches, lasting),
        evidence=against + shown if state is State.NOT_UPHELD else shown + against,
        elements=tuple(Placed(one.element, one.key, one.state(span), one.note) for one in findings),
        what=tuple(dict.fromkeys(_said(one) for one in lasting)),
        persons=len(frozenset[str]().union(*(one.persons for one in lasting))),
        gaps=_gaps(breaches),
        published_over=bool(lasting) and all(one.published_over for one in lasting),
    )


def _state(findings: Sequence[Finding], broken: bool) -> State:
    duties = [one for one in findings if not one.stated]
    if broken:
        return State.NOT_UPHELD
    if not duties:
        return State.STATED
    if any(one.standing and not one.shown for one in duties):
        return State.NO_EVIDENCE
    return State.UPHELD if any(one.shown for one in duties) else State.NO_EVIDENCE


def _since(
    state: State,
    span: Span,
    shown: Sequence[Exhibit],
    breaches: Sequence[Breach],
    lasting: Sequence[Breach],
) -> Instant | None:
    """Not upheld: since the first lasting breach, be it before the span. Upheld: since the last gap, or since the first
    evidence inside the span."""
    if state is State.NOT_UPHELD:
        return min(one.since for one in lasting)
    if state is State.UPHELD:
        ended = [one.until for one in breaches if one.until is not None]
        return max(ended) if ended else max(span.since, min(one.at for one in shown))
    return None


def _chosen(shown: Iterable[Exhibit]) -> tuple[Exhibit, ...]:
    """At most so many references: each kind gets its first and its last before any kind gets more."""
    by_kind: dict[str, list[Exhibit]] = {}
    for one in sorted(set(shown), key=lambda each: (each.at, _place(each.reference))):
        by_kind.setdefault(one.kind, []).append(one)
    rounds = zip_longest(*[_outside_in(each) for _, each in sorted(by_kind.items())])
    chosen = [one for each in rounds for one in each if one is not None][:MOST_EVIDENCE]
    return tuple(sorted(chosen, key=lambda each: (each.at, _place(each.reference))))


def _place(reference: str) -> tuple[int, int]:
    leaf, _, number = reference.partition(":")
    return int(leaf), int(number)


def _outside_in(shown: list[Exhibit]) -> list[Exhibit]:
    return shown[:1] + shown[:0:-1]


def _gaps(breaches: Sequence[Breach]) -> tuple[Gap, ...]:
    """Breaches of one kind in one element that touch or overlap are one gap."""
    gaps: list[Gap] = []
    groups: dict[tuple[str, str, str, bool, str], list[Breach]] = {}
    for one in sorted(breaches, key=lambda each: each.since):
        groups.setdefault((one.what, one.element, one.detail, one.published_over, one.about), []).append(one)
    for (what, element, detail, over, about), each in groups.items():
        since, until, persons = each[0].since, each[0].until, set(each[0].persons)
        for one in each[1:]:
            if until is not None and one.since > until:
                gaps.append(Gap(what, element, since, until, len(persons), detail, over, about))
                since, until, persons = one.since, one.until, set()
            elif until is not None and (one.until is None or one.until > until):
                until = one.until
            persons |= one.persons
        gaps.append(Gap(what, element, since, until, len(persons), detail, over, about))
    return tuple(sorted(gaps, key=lambda gap: (gap.since, gap.element, gap.what)))


def _said(breach: Breach) -> str:
    return f"{breach.what}:{breach.detail}" if breach.detail else breach.what


# ── Words ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

STATES: Final[Mapping[State, tuple[str, str]]] = {
    State.UPHELD: ("upheld", "지켜짐"),
    State.NOT_UPHELD: ("not upheld", "지켜지지 않음"),
    State.NO_EVIDENCE: ("no evidence yet", "아직 증거 없음"),
    State.STATED: ("stated", "알림 문장"),
}

WHAT: Final[Mapping[str, tuple[str, str]]] = {
    "declared-not-run": ("declared but not run", "선언되었으나 시행되지 않음"),
    "published-over": ("published although it could not be run", "시행할 수 없는 채로 공개함"),
    "destruction-overdue": ("destruction overdue", "파기 기한 경과"),
    "separation-overdue": ("separation overdue", "분리 보관 기한 경과"),
    "wrong-place": ("a value is where it must not be", "있어서는 안 될 곳에 값이 있음"),
    "left-over": ("something of a destroyed value is left", "파기한 값의 일부가 남아 있음"),
    "record-missing": ("something that was recorded is not there any more", "기록된 것이 더 이상 없음"),
    "record-changed": ("something is there otherwise than it was recorded", "기록과 다른 내용이 있음"),
    "record-unrecorded": ("something is there that nobody recorded", "기록되지 않은 것이 있음"),
    "key-missing": ("something that must be kept can be read by nobody", "보관해야 할 것을 아무도 열 수 없음"),
    "outside-items": ("kept outside the items that it may hold", "보존 항목이 아닌 값을 보존함"),
    "without-ground": ("kept without a ground", "근거 없이 보관함"),
    "item-taken": ("an item was taken that is never collected", "수집하지 않는 항목을 수집함"),
    "item-undeclared": ("an item outside the declared ones is held", "선언되지 않은 항목을 보유함"),
    "purpose-undeclared": ("read for a purpose that is not declared", "선언되지 않은 목적으로 조회함"),
    "passed-on-untold": ("passed on before the person was told", "알리기 전에 이전함"),
    "recipient-unlisted": ("given to somebody who is not listed", "목록에 없는 자에게 제공함"),
    "read-when-due": ("read after its end", "기한이 지난 값을 조회함"),
    "read-while-held": ("read while it stood still", "처리 정지 중에 조회함"),
    "read-ungranted": ("read by somebody without a grant", "권한 없는 자가 조회함"),
    "read-unsigned": ("read by somebody who was not signed in", "로그인하지 않은 자가 조회함"),
    "secret-read": ("a secret was read by more than its job", "비밀정보를 담당 작업 외에 조회함"),
    "found-broken": ("a check of the system found it broken", "시스템 점검에서 위반이 발견됨"),
    "in-the-clear": ("a database is asked over a line in the clear", "암호화되지 않은 구간으로 데이터베이스에 접속함"),
    "plain-at-rest": ("stored without encryption", "암호화되지 않은 채 저장됨"),
    "password-readable": ("a password is not stored one-way", "비밀번호가 일방향으로 저장되지 않음"),
    "records-short": ("access records were destroyed too early", "접속기록을 너무 일찍 파기함"),
    "ledger-broken": ("the ledger does not verify", "원장 검증 실패"),
    "grant-unrecorded": ("a grant has no entry", "권한 부여 기록 없음"),
    "evidence-missing": ("evidence is missing or too old", "증빙 누락 또는 기한 경과"),
    "text-missing": ("a consent without the text shown", "보여준 글이 없는 동의"),
    "consent-missing": ("done without a consent that stood", "유효한 동의 없이 처리함"),
    "sent-at-night": ("advertising at night", "야간에 광고를 전송함"),
    "return-overdue": ("return or destruction not shown in time", "반환·파기 확인 기한 경과"),
    "contract-missing": ("handed over without a contract in force", "유효한 계약 없이 위탁함"),
    "term-missing": ("the contract lacks a term", "계약에 조항이 빠짐"),
    "unasked-incomplete": (
        "taken without consent and without all that the exception needs",
        "동의 없는 수집의 요건 기록 없이 수집함",
    ),
    "law-missing": ("handed out without naming the law", "근거 법령 없이 제공함"),
    "witness-missing": ("paper destroyed without a witness", "입회자 없이 문서를 파기함"),
    "review-overdue": ("left open and nobody looked at it in time", "끝나지 않은 보유를 기한 내 검토하지 않음"),
    "answer-overdue": ("not answered in time", "답변 기한 경과"),
    "reason-missing": ("refused without a reason", "사유 없이 거절함"),
    "too-late-to-prevent": ("known too late to prevent it", "너무 늦게 알려져 막지 못함"),
    "announced-late": ("announced later than promised", "약속보다 늦게 공고함"),
    "schema-unknown": ("the databases have a column that nobody classified", "분류되지 않은 열이 있음"),
    "source-changed": ("the document on file is not the one published", "보관된 문서가 공개한 것과 다름"),
    "child-unconsented": ("taken of a child without its representative", "법정대리인 동의 없이 아동 정보를 수집함"),
    "copy-abroad-overdue": ("the copy abroad is past its end", "국외 사본의 기한 경과"),
}
"""What can be wrong, in English and Korean; codes are for ever."""

NOTES: Final[Mapping[str, tuple[str, str]]] = {
    "": ("", ""),
    "nothing-happened": ("nothing of the kind has happened", "해당하는 일이 없었음"),
    "needs-attesting": ("somebody has to put it on record", "담당자의 기록이 필요함"),
    "no-transport": ("no service over TLS ran: no line to look at", "TLS 서비스 운영이 없어 확인할 전송 구간이 없음"),
    "register-empty": ("the register it is owed for is empty", "대상 대장이 비어 있음"),
    "not-due": ("nothing that would make it due has happened", "기한이 된 일이 없음"),
    "declared-not-run": ("declared, not run: all under it is refused", "선언되었으나 시행되지 않아 모두 거부됨"),
    "no-rule": ("no rule that uses it has anything to show", "이를 쓰는 규정에 증거가 없음"),
}
"""Why there is nothing to show."""


FINDINGS: Final[Mapping[str, tuple[str, str]]] = {
    "published-afterwards": (
        "put on file after it took effect: what it says of the time before rests on the proof filed with it",
        "시행 후에 등록됨: 등록 전의 기간은 함께 제출된 증빙에 따름",
    ),
    "not-in-force-yet": ("the version is not in force yet", "아직 시행 전의 판임"),
}
"""What can be said about the whole report."""


def said(what: str, language: int = 0) -> str:
    """A code of `WHAT` with its detail in words; 0 English, 1 Korean."""
    code, _, detail = what.partition(":")
    words = WHAT[code][language]
    return f"{words} ({detail})" if detail else words


# ── JSON ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def as_json(report: Report) -> bytes:
    """A list with one object for each clause; instants are ISO 8601 in the policy's zone."""
    rows = [_row(report, one) for one in report.clauses]
    return msgspec.json.format(msgspec.json.encode(rows), indent=2) + b"\n"


def _row(report: Report, one: ClauseReport) -> dict[str, object]:
    def when(at: Instant | None) -> str | None:
        return None if at is None else _iso(at, report.zone)

    return {
        "clause": one.clause,
        "policy": report.policy,
        "version": report.version,
        "state": one.state.value,
        "since": when(one.since),
        "what": [said(each) for each in one.what],
        "persons": one.persons,
        "gaps": [
            {
                "what": said(f"{gap.what}:{gap.detail}" if gap.detail else gap.what), "code": gap.what,
                "element": gap.element,
                "about": gap.about, "since": when(gap.since), "until": when(gap.until), "persons": gap.persons,
                "published_over": gap.published_over,
            }
            for gap in one.gaps
        ],
        "evidence": [{"reference": each.reference, "kind": each.kind, "at": when(each.at)} for each in one.evidence],
        "elements": [
            {"path": each.path, "key": each.key, "state": each.state.value, "note": NOTES[each.note][0]}
            for each in one.elements
        ],
        "published_over": one.published_over,
        "cases": [
            {
                "reference": case.reference, "kind": case.kind, "at": when(case.at), "element": case.element,
                "certificates": list(case.certificates),
            }
            for case in one.cases
        ],
    }  # fmt: skip


def _iso(at: Instant, zone: ZoneInfo) -> str:
    return moment(at, zone).isoformat(timespec="seconds") if abs(at) < FOREVER else ""


# ── Text ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def as_text(report: Report, *, brief: bool = False) -> str:
    """For a terminal. `brief`: the counts and what is not upheld, without a line for every clause."""
    lines = [_head(report), _sums(report)]
    lines += [f"  ! {FINDINGS[each][0]}" for each in report.findings]
    broken = [one for one in report.clauses if one.state is State.NOT_UPHELD]
    for over in (False, True):
        some = [one for one in broken if one.published_over is over]
        if some:
            lines += ["", "published over by the officer" if over else "not upheld"]
            lines += [_broken_line(report, one) for one in some]
    if not brief:
        for state in (State.UPHELD, State.NO_EVIDENCE, State.STATED):
            some = [one for one in report.clauses if one.state is state]
            lines += ["", STATES[state][0], *[_line(report, one) for one in some]] if some else []
    drawn = [(one.clause, case) for one in report.clauses for case in one.cases]
    if drawn:
        lines += ["", "drawn at random", *[_case_line(report, clause, case) for clause, case in drawn]]
    return "\n".join(lines) + "\n"


def _case_line(report: Report, clause: str, case: Case) -> str:
    papers = f", certificates {', '.join(case.certificates)}" if case.certificates else ""
    return f"  {clause:<18} {_day(case.at, report.zone)} {case.kind} at {case.reference}{papers}"


def _head(report: Report) -> str:
    since, until = _day(report.span.since, report.zone), _day(report.span.until, report.zone)
    return f"{report.policy} {report.version}: {len(report.clauses)} clauses, {since} to {until}"


def _sums(report: Report) -> str:
    return "  " + ", ".join(f"{count} {STATES[state][0]}" for state, count in report.counts().items())


def _day(at: Instant | None, zone: ZoneInfo) -> str:
    return "" if at is None else moment(at, zone).date().isoformat()


def _of_persons(count: int) -> str:
    return "1 person" if count == 1 else f"{count} persons"


def _broken_line(report: Report, one: ClauseReport) -> str:
    persons = f", {_of_persons(one.persons)}" if one.persons else ""
    what = "; ".join(said(each) for each in one.what[:4])
    more = f"; and {len(one.what) - 4} more" if len(one.what) > 4 else ""
    return f"  {one.clause:<18} since {_day(one.since, report.zone)}{persons}: {what}{more}"


def _line(report: Report, one: ClauseReport) -> str:
    parts = [f"  {one.clause:<18}"]
    if one.since is not None:
        parts.append(f"since {_day(one.since, report.zone)}")
    if one.evidence:
        last = one.evidence[-1]
        parts.append(f"by {last.kind} at {last.reference}")
    if one.gaps:
        lines = list(dict.fromkeys(_gap_line(report, gap) for gap in one.gaps))
        parts.append("gaps: " + "; ".join(lines[:2]) + (f"; {len(lines) - 2} more" if len(lines) > 2 else ""))
    notes = list(dict.fromkeys(NOTES[each.note][0] for each in one.elements if each.note))
    if one.state is State.NO_EVIDENCE and notes:
        parts.append("; ".join(notes[:2]))
    return " ".join(parts).rstrip()


def _gap_line(report: Report, gap: Gap) -> str:
    since, until = _day(gap.since, report.zone), _day(gap.until, report.zone)
    persons = f", {_of_persons(gap.persons)}" if gap.persons else ""
    return f"{since} to {until or 'now'} {WHAT[gap.what][0]}{persons}"


# ── HTML ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def as_html(report: Report) -> str:
    """One page that prints well and needs nothing else: no script, no link, Korean and English side by side, and
    English alone where the policy has no Korean.
    """
    groups = [
        (state, STATES[state], [one for one in report.clauses if one.state is state])
        for state in (State.NOT_UPHELD, State.UPHELD, State.NO_EVIDENCE, State.STATED)
    ]
    return _template().render(
        report=report,
        groups=[each for each in groups if each[2]],
        counts=[(STATES[state], count) for state, count in report.counts().items()],
        day=lambda at: _day(at, report.zone),
        said=said,
        gap_said=lambda gap, language: said(f"{gap.what}:{gap.detail}" if gap.detail else gap.what, language),
        notes=NOTES,
        overall=FINDINGS,
        korean=speaks_korean(report.controller),
        named=text_in,
        title=lambda path, locale: _title(report, path, locale),
    )


def _title(report: Report, path: str, locale: str) -> str:
    return text_in(report.names.get(path), locale)


@cache
def _template() -> Template:
    source = (files("upheld.ledger") / "report.html.j2").read_text("utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(source)
