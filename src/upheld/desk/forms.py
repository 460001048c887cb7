"""Forms that people fill in, letters that answer them, the report of a leak: sheets in Korean and English.

LAW: Notice on Processing 2023-12: access, correction, erasure and suspension are asked for on one form, an agent shows
a power of attorney, and each is answered by a notice of its outcome. The wording is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from upheld.dates import Instant, moment
from upheld.desk.documents import Document
from upheld.desk.due import Waiting
from upheld.desk.leaks import Affected
from upheld.desk.sheets import Grid, Sheet
from upheld.desk.spoken import CAUSES, STEPS
from upheld.engine.leaks import Leak, LeakStep, Track
from upheld.engine.plan import Plan
from upheld.keeper import Keeper
from upheld.keeper.posting import Told
from upheld.policy import plain
from upheld.policy.wording import Words

BLANK: Final = " "
_BOX: Final = "[   ]"


@dataclass(frozen=True, slots=True)
class Form:
    """A form to be filled in: its name, what it is for, its fields."""

    code: str
    title: Words
    lead: Words
    fields: tuple[Words, ...]
    ticks: tuple[Words, ...]
    closing: Words


def _rows(*rows: Form) -> Mapping[str, Form]:
    return MappingProxyType({row.code: row for row in rows})


_PERSON: Final = (
    Words("Name", "성명"),
    Words("Date of birth", "생년월일"),
    Words("Telephone", "전화번호"),
    Words("Address", "주소"),
)
FORMS: Final = _rows(
    Form(
        "request",
        Words("Request about my personal data", "개인정보 (열람·정정·삭제·처리정지) 요구서"),
        Words(
            "Tick what you ask for. We answer within ten days.",
            "요구하시는 사항에 표시해 주십시오. 접수한 날부터 10일 안에 처리하고 결과를 알려 드립니다.",
        ),
        (
            *_PERSON,
            Words("Who asks for you (agent), and how related", "대리인 성명·관계"),
            Words("Which data, and what about it", "요구 내용 (대상 정보와 사유)"),
            Words("How you want the answer", "결과를 받을 방법"),
        ),
        (
            Words("See it: items and content", "열람: 개인정보의 항목과 내용"),
            Words("See it: purpose of collecting and using", "열람: 수집·이용의 목적"),
            Words("See it: how long it is kept and used", "열람: 보유·이용 기간"),
            Words("See it: to whom it was given", "열람: 제3자 제공 현황"),
            Words("See it: what I agreed to", "열람: 동의한 사실과 내용"),
            Words("Correct it", "정정"),
            Words("Erase it", "삭제"),
            Words("Stop processing it", "처리정지"),
            Words("Take back my consent", "동의 철회"),
            Words("Send it to me or another in a common format", "전송 요구"),
        ),
        Words("I ask for the above.", "위와 같이 요구합니다."),
    ),
    Form(
        "mandate",
        Words("Power of attorney", "위임장"),
        Words(
            "Whoever asks for somebody else shows this, signed by that person.",
            "본인을 대신하여 요구하는 대리인이 제출하는 서류입니다.",
        ),
        (
            Words("Agent: name", "위임받는 사람: 성명"),
            Words("Agent: date of birth", "위임받는 사람: 생년월일"),
            Words("Agent: telephone", "위임받는 사람: 전화번호"),
            Words("Agent: address", "위임받는 사람: 주소"),
            Words("How related", "정보주체와의 관계"),
            Words("Person: name", "위임하는 사람: 성명"),
            Words("Person: date of birth", "위임하는 사람: 생년월일"),
            Words("Person: telephone", "위임하는 사람: 전화번호"),
        ),
        (
            Words("See it", "열람"),
            Words("Correct or erase it", "정정·삭제"),
            Words("Stop processing it", "처리정지"),
            Words("Take back consent", "동의 철회"),
        ),
        Words(
            "I have the person named above ask for this in my place.",
            "위와 같이 개인정보에 관한 요구를 위의 사람에게 위임합니다.",
        ),
    ),
    Form(
        "objection",
        Words("Objection to an answer", "이의신청서"),
        Words(
            "If you do not agree with our answer, tell us why. Somebody else than before decides.",
            "처리 결과에 이의가 있으면 그 사유를 적어 주십시오. 처음 결정한 담당자가 아닌 사람이 다시 검토합니다.",
        ),
        (
            *_PERSON,
            Words("Number of the request", "요구 번호"),
            Words("Answer received on", "결과를 받은 날"),
            Words("Why you do not agree", "이의신청의 취지와 이유"),
        ),
        (),
        Words("I object to the answer.", "위와 같이 이의를 신청합니다."),
    ),
)
"""Every form that is given out, by its code."""

_TICK: Final = Words("What I ask for", "요구 사항")
_BY_ME: Final = Words("Filled in by the person", "신청인")
_DAY: Final = Words("Day:                         ", "년      월      일")
_SIGN: Final = Words("Signature:                                   ", "신청인:                          (서명 또는 인)")
_TO: Final = Words("To {name}", "{name} 귀중")


def blank(form: Form, document: Document, locale: str) -> Sheet:
    """A form of the house, empty."""
    ticks = Grid(_TICK.say(locale), (), tuple((one.say(locale), _BOX) for one in form.ticks), bare=True)
    fields = Grid(_BY_ME.say(locale), (), tuple((one.say(locale), BLANK) for one in form.fields), bare=True)
    return Sheet(
        form.title.say(locale),
        _language(locale),
        intro=(form.lead.say(locale),),
        tables=(fields, ticks) if form.ticks else (fields,),
        closing=(form.closing.say(locale),),
        signed=(_DAY.say(locale), _SIGN.say(locale), _TO.say(locale).format(name=_house(document, locale))),
    )


# ── the answer to a request ─────────────────────────────────────────────────────────────────────────────────────────

OUTCOMES: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "access": Words("Outcome of your request to see your data", "개인정보 열람 요구 결과 통지서"),
        "rectification": Words("Outcome of your request to correct your data", "개인정보 정정 요구 결과 통지서"),
        "erasure": Words("Outcome of your request to erase your data", "개인정보 삭제 요구 결과 통지서"),
        "suspension": Words("Outcome of your request to stop processing", "개인정보 처리정지 요구 결과 통지서"),
    }
)
_UNDER_WAY: Final = frozenset({"received", "to-be-completed", "open"})
_RECEIVED: Final = Words("Your request has come in", "개인정보 요구 접수 확인서")
"""Until there is an answer the letter only confirms that the request came in."""
_OUTCOME: Final = Words("Outcome of your request", "요구 처리 결과 통지서")
STATES: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "done": Words("granted", "요구하신 대로 처리하였습니다"),
        "partly": Words("granted in part", "일부만 처리하였습니다"),
        "refused": Words("refused", "요구에 응하지 못하였습니다"),
        "not-identified": Words(
            "not done: we could not make sure who asks", "본인임을 확인하지 못하여 처리하지 않았습니다"
        ),
        "nothing-held": Words("nothing is held that you asked about", "요구하신 정보를 보유하고 있지 않습니다"),
        "taken-back": Words("taken back by you", "요구를 철회하셨습니다"),
        "postponed": Words("postponed", "처리를 연기하였습니다"),
        "received": Words("received", "접수하였습니다"),
        "to-be-completed": Words("to be completed", "보완이 필요합니다"),
        "open": Words("being worked on", "처리 중입니다"),
    }
)
REASONS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "law": Words("a law forbids or limits it", "법률에 따라 금지되거나 제한됩니다"),
        "others-harmed": Words("it would harm others", "다른 사람의 이익을 해칠 우려가 있습니다"),
        "public-task": Words("it would hinder public work", "공공업무에 중대한 지장이 있습니다"),
        "kept-by-duty": Words("a duty has us keep it", "법령상 보존 의무가 있습니다"),
        "unfounded": Words("the request has no ground", "요구의 근거를 확인할 수 없습니다"),
        "already-right": Words("the data is right as it is", "이미 정확한 정보입니다"),
        "nothing-held": Words("we hold nothing of it", "보유하고 있는 정보가 없습니다"),
        "identity-not-proved": Words("your identity was not shown", "본인 확인이 되지 않았습니다"),
        "contract": Words("the contract cannot be kept without it", "계약의 이행이 곤란합니다"),
        "taken-back": Words("you took it back", "요구를 철회하셨습니다"),
    }
)


def outcome(keeper: Keeper, document: Document, plan: Plan, one: Waiting, locale: str) -> Sheet:
    """The notice of what became of a request, from what is on record; it names no content and no address."""
    answer = keeper.answer_of(one.subject_id, one.request_id)
    told = document.locale(locale)
    facts = [
        (Words("number of the request", "요구 번호").say(locale), one.request_id),
        (Words("received on", "접수일").say(locale), _day(one.received_at, plan)),
        (Words("asked for", "요구 내용").say(locale), document.name("rights", one.right, told)),
        (Words("outcome", "처리 결과").say(locale), _said(STATES, one.state, locale)),
        (Words("answered by", "처리 기한").say(locale), _day(Instant(one.due_at - 1), plan)),
    ]
    tables: list[Grid] = []
    if answer is not None and answer.reason:
        facts.append((Words("reason", "사유").say(locale), _said(REASONS, answer.reason, locale)))
    if answer is not None and answer.kept:
        rows = tuple((document.title(path, told), _until(document, path, told)) for path in answer.kept)
        tables.append(Grid(Words("What is kept all the same", "계속 보관하는 정보").say(locale), (), rows, bare=True))
    if answer is not None and (answer.offices or answer.remedies):
        paths = tuple(dict.fromkeys((*answer.offices, *answer.remedies)))
        rows = tuple((document.title(path, told), _reached(document, path)) for path in paths)
        tables.append(
            Grid(
                Words("If you do not agree", "이의가 있으면").say(locale), (), rows, bare=True, note=_OBJECT.say(locale)
            )
        )
    title = _RECEIVED if one.state in _UNDER_WAY else OUTCOMES.get(one.right, _OUTCOME)
    return Sheet(
        title.say(locale),
        _language(locale),
        facts=tuple(facts),
        tables=tuple(tables),
        signed=(_day(keeper.now(), plan), _house(document, locale)),
    )


_OBJECT: Final = Words(
    "You may object to us, or turn to one of these bodies.",
    "저희에게 이의를 신청하시거나 다음 기관에 상담·분쟁조정을 신청하실 수 있습니다.",
)


# ── the report of a leak ────────────────────────────────────────────────────────────────────────────────────────────


def leak_report(
    document: Document,
    plan: Plan,
    leak: Leak,
    hit: Affected,
    told: Told,
    tracks: tuple[Track, ...],
    contents: Mapping[str, str],
    locale: str,
) -> Sheet:
    """What the authority is told, filled in from ledger, stores and outbox."""
    language = document.locale(locale)
    items = tuple((document.name("items", item, language), str(number)) for item, number in hit.by_item.items())
    contacts = ", ".join(
        f"{document.title(row.path, language)} {row.phone or ''}".strip() for row in document.policy.contacts.values()
    )
    steps = tuple(
        (STEPS[one.step.value].say(locale), _minute(one.at, plan), one.reference)
        for one in leak.steps
        if one.step is not LeakStep.DRAFTED
    )
    due = next((one.due_at for one in tracks if one.code == "authority" and one.owed), None)
    heads = (Words("step", "조치"), Words("when", "일시"), Words("entry", "원장 기록"))
    return Sheet(
        Words("Report of a leak of personal data", "개인정보 유출등 신고서").say(locale),
        _language(locale),
        facts=(
            (Words("controller", "개인정보처리자").say(locale), _house(document, locale)),
            (Words("contact", "담당 부서·연락처").say(locale), contacts),
            (Words("case", "사고 번호").say(locale), leak.case),
            (
                Words("to be told by", "신고 기한").say(locale),
                _NOT_OWED.say(locale) if due is None else _minute(due, plan),
            ),
        ),
        tables=(
            Grid(
                Words("The leak", "유출 내용").say(locale),
                (),
                _of_leak(plan, leak, hit, told, contents, locale),
                bare=True,
            ),
            Grid(
                Words("Items", "항목별 규모").say(locale),
                (Words("item", "항목").say(locale), Words("persons", "정보주체 수").say(locale)),
                items,
            ),
            Grid(Words("What was done", "조치 기록").say(locale), tuple(one.say(locale) for one in heads), steps),
        ),
        signed=(_house(document, locale),),
    )


def _of_leak(
    plan: Plan, leak: Leak, hit: Affected, told: Told, contents: Mapping[str, str], locale: str
) -> tuple[tuple[str, str], ...]:
    counts = told.counts
    informed = counts.get("told", 0) + counts.get("covered", 0)
    persons = _PERSONS.say(locale).format(held=len(hit.persons), gone=hit.gone)
    span, said = f"{_minute(leak.from_at, plan)} – {_minute(leak.until_at, plan)}", contents.get("when", "")
    how = CAUSES[leak.cause.value].say(locale) + ("" if said in ("", span) else f"\n{said}")
    pairs = (
        (Words("items and persons", "유출 항목과 규모"), persons),
        (Words("when", "유출 시점"), span),
        (Words("known since", "인지 시점"), _minute(leak.aware_at, plan)),
        (Words("how", "유출 경위"), how),
        (Words("what we did", "대응 조치"), contents.get("response", "")),
        (Words("what persons can do", "피해 최소화 방법"), contents.get("advice", "")),
        (Words("persons told", "정보주체 통지"), _INFORMED.say(locale).format(told=informed, all=len(hit.persons))),
        (Words("where damage is reported", "피해 신고 접수처"), contents.get("contact", "")),
    )
    return tuple((label.say(locale), text) for label, text in pairs)


_NOT_OWED: Final = Words("no report is owed", "신고 대상 아님")
_PERSONS: Final = Words(
    "{held} persons whose data we hold; {gone} whose data is destroyed meanwhile",
    "보유 중인 정보주체 {held}명, 그사이 파기된 정보주체 {gone}명",
)
_INFORMED: Final = Words("{told} of {all} told so far", "{all}명 중 {told}명 통지")


def _house(document: Document, locale: str) -> str:
    return plain.title_of(document.policy.controller, document.locale(locale))


def _language(locale: str) -> str:
    return "ko" if locale.startswith("ko") else "en"


def _said(words: Mapping[str, Words], code: str, locale: str) -> str:
    return words[code].say(locale) if code in words else code


def _until(document: Document, path: str, locale: str) -> str:
    until = getattr(document.rows.get(path), "until", None)
    return plain.end(until, document.policy, locale) if until is not None else ""


def _reached(document: Document, path: str) -> str:
    row = document.rows.get(path)
    return " ".join(str(part) for part in (getattr(row, "phone", None), getattr(row, "site", None)) if part)


def _day(at: Instant, plan: Plan) -> str:
    return moment(at, plan.zone).date().isoformat()


def _minute(at: Instant, plan: Plan) -> str:
    return moment(at, plan.zone).strftime("%Y-%m-%d %H:%M")
