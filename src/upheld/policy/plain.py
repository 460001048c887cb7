"""Plain words for what a policy says in codes: periods, ends, laws, words of the closed vocabularies; English, Korean.

Only the document's own names and the fixed phrases of this module come out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from upheld.dates import Period
from upheld.law import law_for
from upheld.policy.ends import EarlierOf, End, LaterOf, Plus, Point
from upheld.policy.model import Guarantee, Key, Policy, Right, Row, Rows, Term, keys_of, sections
from upheld.policy.shapes import Deadline, Fallback, Freeze, Items, LawRef, Name, Names, Text, attribute
from upheld.policy.vocabulary import AtNight, FallbackIf, FreezeCovers, FreezeExcept, RegionalIf, RightName, TermName
from upheld.policy.vocabulary import Guarantee as GuaranteeName
from upheld.policy.wording import LANGUAGES, Words, language_of, text_in


def title_of(row: Row, locale: str) -> str:
    """The public name of an element; its code where it has none."""
    return text_in(row.texts, locale) or row.name


# ------------------------------------------------------------------------------------------------------------- periods

_UNITS: Final = (
    ("years", Words("{count} year", "{count}년"), Words("{count} years", "{count}년")),
    ("months", Words("{count} month", "{count}개월"), Words("{count} months", "{count}개월")),
    ("days", Words("{count} day", "{count}일"), Words("{count} days", "{count}일")),
    ("hours", Words("{count} hour", "{count}시간"), Words("{count} hours", "{count}시간")),
)
_AT_ONCE: Final = Words("at once", "즉시")


def period(length: Period, locale: str) -> str:
    """`P6M` is `6 months` and `6개월`, `P1Y6M` is `1 year 6 months` and `1년 6개월`."""
    found = []
    for name, one, several in _UNITS:
        count = getattr(length, name)
        if count:
            found.append((one if count == 1 else several).say(locale).format(count=count))
    return " ".join(found) or _AT_ONCE.say(locale)


def deadline(limit: Deadline, policy: Policy, locale: str) -> str:
    """The source's own word where it gave one (`without delay`), else the period (`within 10 days`)."""
    if limit.word == "at-once":
        return _AT_ONCE.say(locale)
    if limit.word:
        row = policy.soft_words.get(limit.word)
        return title_of(row, locale) if row else limit.word
    length = period(limit.period, locale)
    return Words("within {length}", "{length} 이내").say(locale).format(length=length)


# ---------------------------------------------------------------------------------------------------------------- facts

KNOWN_FACTS: Final[Mapping[str, Words]] = {
    "collected": Words("collection", "수집"),
    "provided": Words("provision", "제공"),
    "consented": Words("consent", "동의"),
    "withdrawn": Words("withdrawal of the consent", "동의 철회"),
    "begun": Words("the beginning", "이용 시작"),
    "ended": Words("the end of use", "이용 종료"),
    "received": Words("receipt of the request", "요청 접수"),
    "proved": Words("the proof of identity", "본인 확인"),
    "answered": Words("the answer", "답변"),
    "settled": Words("settlement of the request", "요청 처리 완료"),
    "corrected": Words("correction", "정정 완료"),
    "destroyed": Words("destruction", "파기"),
    "refused": Words("refusal", "거절"),
    "lifted": Words("you lift it", "본인 해제"),
    "dispute-opened": Words("the opening of a dispute", "분쟁 발생"),
    "dispute-settled": Words("settlement of the dispute", "분쟁 해결"),
    "contract-ended": Words("the end of the contract", "계약 종료"),
    "hired": Words("hiring", "입사"),
    "left": Words("leaving", "퇴사"),
    "handler-changed": Words("a change of handler", "취급자 변경"),
    "plan-changed": Words("a change of the plan", "계획 변경"),
    "officer-vacant": Words("vacancy of the office", "책임자 공석"),
    "advisory-published": Words("a published advisory", "보안 권고 발표"),
}
"""Facts that need no declaration, as nouns."""

_NOUNS: Final = {
    "cancelled": "cancellation",
    "terminated": "termination",
    "subscribed": "subscription",
    "unsubscribed": "unsubscribing",
    "registered": "registration",
    "discharged": "discharge",
    "delivered": "delivery",
    "downloaded": "the download",
    "ordered": "the order",
    "returned": "the return",
    "graduated": "graduation",
    "treated": "the treatment",
    "withdrawn": "withdrawal",
}
_IRREGULAR: Final = frozenset(
    {"sent", "paid", "met", "left", "made", "kept", "given", "taken", "begun", "drawn", "done"}
)
_NO_ARTICLE: Final = frozenset(
    {"a", "an", "the", "all", "each", "every", "employment", "consulting", "identity", "data"}
)


def fact(name: str, policy: Policy, locale: str) -> str:
    """A fact as what follows `after`: `cancellation`, `the fee is charged`; in Korean its own noun."""
    row = policy.facts.get(name)
    if row is None or not row.texts:
        return KNOWN_FACTS[name].say(locale) if name in KNOWN_FACTS else name
    text = text_in(row.texts, locale)
    return _after(text) if language_of(locale) == "en" else text


def _after(text: str) -> str:
    words = text.split()
    if not words or not text.isascii():
        return text
    if len(words) == 1 and text in _NOUNS:
        return _NOUNS[text]
    if _is_participle(words[0]):
        return f"it is {text}"
    if len(words) > 1 and _is_participle(words[-1]):
        what = " ".join(words[:-1])
        verb = "are" if re.search(r"[^s]s$", words[-2]) else "is"
        return f"{'' if words[0].lower() in _NO_ARTICLE else 'the '}{what} {verb} {words[-1]}"
    return text if words[0].lower() in _NO_ARTICLE else f"the {text}"


def _is_participle(word: str) -> bool:
    return word in _IRREGULAR or (word.endswith("ed") and len(word) > 3)


# ----------------------------------------------------------------------------------------------------------------- ends

_CALENDAR: Final[Mapping[str, Words]] = {
    "tax-filing-deadline": Words(
        "the tax filing deadline for the period in which {fact}", "{fact}일이 속하는 과세기간의 신고기한"
    ),
    "closing-of-books": Words("the books of the year in which {fact} are closed", "{fact}일이 속하는 연도의 장부 폐쇄"),
    "month-end": Words("the end of the month in which {fact}", "{fact}일이 속하는 달의 말일"),
    "year-end": Words("the end of the year in which {fact}", "{fact}일이 속하는 연도의 말일"),
}


_UNTIL: Final = Words("until {point}", "{point} 시까지")
_AFTER: Final = Words("{length} after {point}", "{point} 후 {length}")
_ONE_OF: Final = Words(", or ", ", ")
_LATER: Final = Words("{each}, whichever is later", "다음 중 가장 늦은 때까지: {each}")
_EARLIER: Final = Words("{each}, whichever is earlier", "다음 중 먼저 오는 때까지: {each}")
_END_OF: Final = Words("the end of the {names}", "{names} 종료")


def end(until: End | None, policy: Policy, locale: str, per: Iterable[str] = ()) -> str:
    """`6 months after cancellation`, `해지 후 6개월`; a bare fact is `until cancellation`, `해지 시까지`.

    `per`: the engagements to whose end the fact `ended` refers.
    """
    if until is None:
        return ""
    match until:
        case Point():
            return _UNTIL.say(locale).format(point=_point(until, policy, locale, tuple(per)))
        case Plus(point=of, period=length):
            point = _point(of, policy, locale, tuple(per))
            return _AFTER.say(locale).format(point=point, length=period(length, locale))
        case LaterOf(of=parts) | EarlierOf(of=parts):
            each = [end(part, policy, locale, per) for part in parts]
            whichever = (_LATER if isinstance(until, LaterOf) else _EARLIER).say(locale)
            return whichever.format(each=_ONE_OF.say(locale).join(one.removesuffix(" 시까지") for one in each))


def _point(point: Point, policy: Policy, locale: str, per: tuple[str, ...]) -> str:
    name = _ended(per, policy, locale) if point.fact == "ended" and per else fact(point.fact, policy, locale)
    if point.calendar is None:
        return name
    clause = name if language_of(locale) != "en" or " is " in name or " are " in name else f"{name} falls"
    return _CALENDAR[point.calendar].say(locale).format(fact=clause)


def _ended(per: tuple[str, ...], policy: Policy, locale: str) -> str:
    """What ends the engagements: the fact itself where all have the same plain one, else their names."""
    ends = {policy.engagements[kind].ends for kind in per if kind in policy.engagements}
    only = next(iter(ends)) if len(ends) == 1 else None
    if isinstance(only, Point) and only.calendar is None and only.fact != "ended":
        return fact(only.fact, policy, locale)
    names = listed((title_of(policy.engagements[kind], locale) for kind in per if kind in policy.engagements), locale)
    return _END_OF.say(locale).format(names=names)


def listed(names: Iterable[str], locale: str) -> str:
    """`a, b or c`; in Korean `a·b·c`, or with commas where a name has a middle dot itself."""
    found = [*names]
    if language_of(locale) == "ko":
        return (", " if any("·" in name or "," in name for name in found) else "·").join(found)
    last = Words(" or {last}", "·{last}").say(locale)
    return ", ".join(found[:-1]) + last.format(last=found[-1]) if len(found) > 1 else "".join(found)


# ----------------------------------------------------------------------------------------------------------------- laws

_LAWS: Final = {
    "pipa": Words("Personal Information Protection Act", "개인정보 보호법"),
    "gdpr": Words("General Data Protection Regulation", "유럽연합 일반 개인정보 보호규정"),
}
"""Laws that rows cite by default; a document may name them otherwise."""


class LawNames:
    """The names of the laws that tables from files cite, in the languages that they give."""

    def __init__(self) -> None:
        self._names: dict[str, Mapping[str, str]] = {}

    def add(self, names: Mapping[str, Mapping[str, str]]) -> None:
        """Know these laws: code → language → name."""
        self._names = {**self._names, **names}

    def say(self, code: str, locale: str) -> str:
        """The name of a law; its code where nobody says it."""
        return _LAWS[code].say(locale) if code in _LAWS else text_in(self._names.get(code), locale) or code


LAW_NAMES: Final = LawNames()
_ARTICLE: Final = re.compile(r"(decree )?([0-9]+)(?:-([0-9]+))?((?:\([0-9]+\))*)\Z")


def law(ref: LawRef, policy: Policy, locale: str) -> str:
    """`Network Act, Art. 28`; `정보통신망법 제28조`."""
    row = policy.laws.get(ref.law)
    name = title_of(row, locale) if row else LAW_NAMES.say(ref.law, locale)
    found = _ARTICLE.match(ref.article or "")
    if not found:
        return name
    decree, article, branch, paragraphs = found.groups()
    if language_of(locale) != "ko":
        number = f"{article}{f'-{branch}' if branch else ''}{paragraphs}"
        of = f", {Words('Enforcement Decree', '시행령').say(locale)}" if decree else ""
        return f"{name}{of}, {Words('Art. {number}', '제{number}조').say(locale).format(number=number)}"
    numbers = re.findall(r"[0-9]+", paragraphs)
    inside = "".join(f" 제{number}{unit}" for number, unit in zip(numbers, ("항", "호", "목"), strict=False))
    return f"{name}{' 시행령' if decree else ''} 제{article}조{f'의{branch}' if branch else ''}{inside}"


# ---------------------------------------------------------------------------------------------------------- vocabulary

_VOCABULARY: Final[Mapping[str, tuple[str, str]]] = {
    "Seen.public": ("public", "공개"),
    "Seen.internal": ("internal", "비공개"),
    "Translation.ours": ("our own translation", "당사 번역"),
    "Translation.theirs": ("a translation published with it", "함께 공개된 번역"),
    "Identified.never": ("nobody is asked who they are", "신원을 확인하지 않음"),
    "Copy.destroyed-when-checked": ("copies are destroyed when checked", "사본은 확인 즉시 파기"),
    "Nature.plain": ("ordinary", "일반"),
    "Nature.password": ("passwords", "비밀번호"),
    "Nature.secret": ("sign-in data of other services", "다른 서비스의 인증정보"),
    "Nature.financial": ("financial information", "금융정보"),
    "Nature.sensitive": ("sensitive information", "민감정보"),
    "Nature.unique-id": ("unique identifiers", "고유식별정보"),
    "Nature.resident-number": ("resident registration number", "주민등록번호"),
    "Collected.never": ("not collected", "수집하지 않음"),
    "ItemNeed.identity-check": ("identity is checked each time", "매번 본인 확인"),
    "Basis.consent": ("consent", "동의"),
    "Basis.contract": ("contract", "계약 이행"),
    "Basis.law": ("law", "법령"),
    "Basis.public-task": ("public task", "공공기관 업무 수행"),
    "Basis.vital": ("vital interest", "급박한 생명·신체·재산 이익"),
    "Basis.legitimate-interest": ("legitimate interest", "정당한 이익"),
    "Basis.public-health": ("public health", "공중위생"),
    "Source.person": ("from the person", "본인 제공"),
    "Source.generated": ("arises in use", "이용 중 생성"),
    "Source.party": ("from another company", "다른 업체 제공"),
    "Source.tool": ("by a tool", "수집 도구"),
    "Source.cookie": ("by cookies", "쿠키"),
    "Source.app": ("by the app", "앱"),
    "PurposeNeed.device-permission": ("only with the permission set on the device", "기기 접근권한을 허용한 경우에만"),
    "PurposeNeed.same-group": ("only within one group", "같은 그룹 안에서만"),
    "PurposeNeed.both-accepted": ("only when both sides have accepted", "쌍방이 수락한 경우에만"),
    "HeldFor.organisation": ("held for the organisation that uses the service", "이용 기관을 위하여 보관"),
    "ConsentWay.tick": ("a tick in a box", "체크 표시"),
    "ConsentWay.signed-form": ("a signed form", "서명한 서면"),
    "ConsentWay.spoken": ("a spoken yes", "구두 동의"),
    "ConsentWay.reply-message": ("an answer to a text message", "문자메시지 회신"),
    "ConsentWay.reply-mail": ("an answer by e-mail", "전자우편 회신"),
    "ConsentSays.purpose": ("the purpose", "이용 목적"),
    "ConsentSays.items": ("the items", "수집 항목"),
    "ConsentSays.period": ("the period", "보유·이용 기간"),
    "ConsentSays.provision": ("who else receives them", "제3자 제공"),
    "ConsentSays.entrustment": ("the processors", "처리위탁"),
    "ConsentSays.refusal": ("the right to refuse and what that costs", "거부할 권리와 거부 시 불이익"),
    "ConsentSays.terms": ("the terms of use", "이용약관"),
    "ConsentSays.policy": ("this policy", "개인정보 처리방침"),
    "AtNight.never": (
        "never sent between {begins}:00 and {ends}:00",
        "{begins}시부터 다음 날 {ends}시까지는 보내지 않음",
    ),
    "AtNight.own-consent": (
        "sent between {begins}:00 and {ends}:00 only with a consent of its own",
        "{begins}시부터 다음 날 {ends}시까지는 별도 동의를 받은 경우에만 전송",
    ),
    "GroundKind.retention": ("kept after its use", "이용 종료 후 보관"),
    "GroundKind.claim": ("open claims", "미납 채권"),
    "GroundKind.dispute": ("open disputes", "진행 중인 분쟁"),
    "DestructionMethod.erase": ("erased beyond recovery", "복구할 수 없게 삭제"),
    "DestructionMethod.destroy-key": ("its key is destroyed", "암호키 파기"),
    "DestructionMethod.shred": ("shredded", "분쇄"),
    "DestructionMethod.incinerate": ("burnt", "소각"),
    "DestructionProof.read-back": ("read back to make sure", "파기 여부를 다시 읽어 확인"),
    "DestructionProof.witness-record": ("recorded by a witness", "입회자의 파기 기록"),
    "SeparationNeed.live-ground": ("only what a stated ground still keeps", "보유 근거가 남아 있는 정보만"),
    "SeparationUse.own-ground": ("used for nothing but that ground", "그 근거 외의 용도로 이용하지 않음"),
    "AtEnd.return-or-destroy": ("returned or destroyed", "반환 또는 파기"),
    "OwnConsent.own": ("each agreed to by name", "업체별 개별 동의"),
    "LongerBy.statute": ("longer only where a law says so", "법령에 따른 경우에만 연장"),
    "ExceptionNeed.consent": ("prior consent", "사전 동의"),
    "ExceptionNeed.article": ("an article of law", "법률의 조항"),
    "ExceptionNeed.requester": ("a named requester", "요청자의 확인"),
    "ExceptionNeed.document": ("a document", "문서"),
    "ExceptionNeed.approver": ("approval", "승인"),
    "ExceptionNeed.contract": ("need for the contract", "계약 이행의 필요"),
    "ExceptionNeed.difficulty": ("consent is extremely hard to get", "동의를 받기 곤란한 사정"),
    "ExceptionNeed.claim": ("a fee to settle", "요금 정산"),
    "ExceptionNeed.registered-party": ("a registered counterpart", "등록된 상대방"),
    "Recorded.disclosure-ledger": ("every case is recorded", "건마다 기록"),
    "CollectionRecorded.collection-ledger": ("every case is recorded", "건마다 기록"),
    "Contract.signed": ("under a signed contract", "계약 체결"),
    "TermName.compliance": ("laws and guidelines are followed", "관련 법령과 지침의 준수"),
    "TermName.confidentiality": ("data is kept secret", "개인정보의 비밀 유지"),
    "TermName.no-passing-on": ("nothing goes to third parties", "제3자 제공 금지"),
    "TermName.liability": ("liability for accidents", "사고 시의 책임 부담"),
    "TermName.purpose-limits": ("no use beyond the task", "위탁 업무 목적 외 처리 금지"),
    "TermName.inspections": ("inspections", "수탁자에 대한 점검"),
    "TransferAs.entrustment": ("processing for us", "처리위탁"),
    "TransferAs.provision": ("given to a third party", "제3자 제공"),
    "TransferBasis.consent": ("separate consent", "별도 동의"),
    "TransferBasis.law": ("law or treaty", "법률·조약"),
    "TransferBasis.contract": ("needed for the contract", "계약 이행에 필요한 위탁·보관"),
    "TransferBasis.certification": ("certification", "인증"),
    "TransferBasis.recognised-country": ("recognised country", "보호수준 인정 국가"),
    "TransferWhen.entry": ("when the data is entered", "정보를 입력할 때"),
    "Refusable.before-entry": ("may be refused before entering data", "정보 입력 전에 거부 가능"),
    "Duty.requests": ("requests", "권리 행사 처리"),
    "Duty.separated": ("data kept apart", "분리 보관 정보 관리"),
    "Duty.destruction": ("destruction", "파기"),
    "Duty.audit": ("audits", "감사"),
    "GrantRecord.reason": ("a reason", "사유"),
    "GrantRecord.approver": ("approval", "승인"),
    "GrantRecord.pledge": ("a pledge", "서약"),
    "GrantRecord.training": ("training", "교육"),
    "RightName.access": ("Access", "열람"),
    "RightName.rectification": ("Correction", "정정"),
    "RightName.erasure": ("Deletion", "삭제"),
    "RightName.suspension": ("Suspension of processing", "처리정지"),
    "RightName.withdrawal": ("Withdrawal of consent", "동의 철회"),
    "RightName.portability": ("Data portability", "전송 요구"),
    "RightName.source": ("Source of the data", "수집 출처 고지"),
    "RightName.objection": ("Objection", "이의 제기"),
    "Opening.always": ("at any time", "언제든지"),
    "Gives.view": ("viewing", "열람"),
    "Gives.copy": ("a copy", "사본"),
    "Tells.recipients": ("recipients", "제공받은 제3자"),
    "Tells.processors": ("processors", "수탁자"),
    "Refusal.with-reason": ("a refusal states its reason", "거절 시 사유 안내"),
    "Covers.person": ("everything about you", "본인에 관한 전부"),
    "Covers.purpose": ("single purposes", "개별 목적"),
    "Stops.received": ("use stops as soon as the request is received", "요청이 접수되는 즉시 이용 중단"),
    "Leaves.unread": ("what a law keeps can no longer be viewed or used", "법령에 따라 남는 정보는 열람·이용 제한"),
    "FreezeExcept.statute": ("unless a law demands it", "법령에 따른 경우 제외"),
    "FreezeExcept.nothing": ("without exception", "예외 없음"),
    "FreezeCovers.person": ("all data of the person", "본인의 모든 정보"),
    "ChildAsked.before-collection": ("the age is asked before anything is collected", "수집 전에 연령 확인"),
    "ChildWords.plain": ("in words a child understands", "아동이 이해하기 쉬운 표현"),
    "ChildSays.purpose": ("the purpose", "수집 목적"),
    "ChildSays.representative-needed": (
        "that a legal representative must agree",
        "법정대리인의 동의가 필요하다는 사실",
    ),
    "ChildElse.closed-to-children": ("otherwise the service is closed to children", "그 외에는 아동의 이용 제한"),
    "OnlyFor.consent-check": ("only to check the consent", "동의 확인 용도로만"),
    "GivenTo.nobody": ("given to nobody", "누구에게도 제공하지 않음"),
    "Representative.representative": ("the legal representative", "법정대리인"),
    "ChildNeverSent.advertising": ("advertising", "광고"),
    "ChildNeverAsked.game": ("games", "게임"),
    "ChildNeverAsked.prize": ("prizes", "경품"),
    "ChildNeverAsked.event": ("events", "이벤트"),
    "Preset.necessary": ("only necessary ones are set before you choose", "선택 전에는 필수 쿠키만 설정"),
    "Honours.browser": ("your browser's settings", "브라우저 설정"),
    "Honours.gpc": ("Global Privacy Control", "글로벌 프라이버시 컨트롤(GPC)"),
    "FreshConsent.fresh-consent": ("your consent is asked afresh", "새로 동의를 받음"),
    "ChangeCause.law-change": ("a change of law", "법령의 변경"),
    "ChangeCause.practice-change": ("a change of what we do", "처리 내용의 변경"),
    "ChangeSays.differences": ("what changes", "변경 내용"),
    "ChangeSays.reasons": ("why", "변경 사유"),
    "ChangeSays.effective-date": ("from when", "시행일"),
    "FallbackIf.unreachable-without-fault": (
        "where you cannot be reached and that is not our fault",
        "과실 없이 연락할 수 없는 경우",
    ),
    "FallbackIf.disaster": ("in a disaster", "천재지변 등의 경우"),
    "RegionalIf.majority": (
        "of one region where most of those concerned live there",
        "해당 정보주체의 과반수가 한 지역에 거주하면 그 지역의 일간신문",
    ),
    "Takes.complaints": ("complaints", "불만"),
    "Takes.questions": ("questions", "문의"),
    "Takes.access": ("access requests", "열람 청구"),
    "Takes.rectification": ("correction requests", "정정 요구"),
    "Takes.erasure": ("deletion requests", "삭제 요구"),
    "Takes.suspension": ("suspension requests", "처리정지 요구"),
    "Takes.withdrawal": ("withdrawals", "동의 철회"),
    "Takes.portability": ("portability requests", "전송 요구"),
    "Takes.source": ("questions on sources", "수집 출처 문의"),
    "Takes.objection": ("objections", "이의 제기"),
    "ShownIn.notice": ("this policy", "이 처리방침"),
    "ShownIn.refusal": ("every refusal", "거절 통지"),
    "ShownIn.closing-letter": ("the closing letter", "처리 결과 안내"),
    "AlsoSaid.sign-up": ("also shown at sign-up", "가입 화면에서도 안내"),
    "AlsoSaid.password-change": ("also shown when a password is changed", "비밀번호 변경 화면에서도 안내"),
    "Guarantee.one-version-in-force": (
        "Exactly one version of this policy is in force at any time.",
        "언제나 하나의 처리방침만 시행됩니다.",
    ),
    "Guarantee.held-to-what-was-told": (
        "Data is used only for what you were told when it was collected.",
        "개인정보는 수집할 때 알린 목적으로만 이용합니다.",
    ),
    "Guarantee.closed-purposes": (
        "Data is used for the purposes listed here and for no others.",
        "여기에 적힌 목적 외에는 이용하지 않습니다.",
    ),
    "Guarantee.closed-items": (
        "Only the items listed here are collected.",
        "여기에 적힌 항목 외에는 수집하지 않습니다.",
    ),
    "Guarantee.sensitive-asked-apart": (
        "Sensitive information is collected only with a separate consent or where a law says so.",
        "민감정보는 별도로 동의를 받거나 법령에 근거가 있는 경우에만 수집합니다.",
    ),
    "Guarantee.no-recipient-unlisted": (
        "Nobody receives data who is not listed here, unless this policy says otherwise.",
        "이 처리방침에 적히지 않은 자에게는 개인정보를 제공하지 않습니다.",
    ),
    "Guarantee.edits-follow-their-item": (
        "What you change is processed as the item that it belongs to.",
        "수정하거나 추가한 정보는 해당 항목과 같이 처리합니다.",
    ),
    "Guarantee.due-is-unread": (
        "Once its period is over, data is neither read nor used.",
        "보유·이용 기간이 끝난 정보는 열람하거나 이용하지 않습니다.",
    ),
    "Guarantee.notice-from-document": (
        "This policy tells what is collected, why and how it is protected.",
        "이 처리방침은 수집하는 정보와 목적, 보호 조치를 알립니다.",
    ),
    "Guarantee.every-field-classified": (
        "Everything that can identify a person is treated as personal information.",
        "개인을 알아볼 수 있는 정보는 모두 개인정보로 다룹니다.",
    ),
    "Guarantee.notice-always-open": (
        "This policy can be read at any time.",
        "이 처리방침은 언제든지 볼 수 있습니다.",
    ),
}
"""Class and value of each word that a person can meet. The words of the desk (evidence, checks) are not here."""


def word(value: StrEnum, locale: str) -> str:
    """A word of a closed vocabulary. Raises KeyError for a word of the desk, which nobody outside is told."""
    return Words(*_VOCABULARY[f"{type(value).__name__}.{value.value}"]).say(locale)


def words(values: Iterable[StrEnum], locale: str) -> str:
    """Several words, with commas."""
    return ", ".join(word(value, locale) for value in values)


# ---------------------------------------------------------------------------------------------------- any key of a row

_KEYS: Final[Mapping[str, str]] = {
    "law": "law",
    "blocked": "in operation",
    "seen": "public",
    "date": "date",
    "seat": "country",
    "address": "address",
    "contact": "contact",
    "identified": "identity",
    "begins": "begins",
    "ends": "ends",
    "about": "concerns",
    "closes": "closes",
    "proof": "proof asked for",
    "site": "site",
    "any-of": "any one of",
    "all-of": "all of",
    "copy": "copies",
    "means": "means",
    "nature": "nature",
    "collected": "collected",
    "needs": "conditions",
    "whose": "whose data",
    "items": "items",
    "basis": "legal basis",
    "per": "service",
    "until": "kept until",
    "use-until": "used until",
    "uses": "uses",
    "source": "source",
    "via": "ways of collecting",
    "held-for": "held for",
    "refused": "if you refuse",
    "by": "ways",
    "for": "purposes",
    "recorded": "record",
    "says": "what it tells",
    "at-night": "at night",
    "of": "purposes",
    "kind": "kind",
    "from": "from",
    "instead-of": "special case of",
    "starts": "begins",
    "within": "time limit",
    "after": "occasions",
    "shown-by": "proof",
    "only-for": "used for",
    "to": "receiver",
    "their-use": "their use",
    "consent": "consent",
    "at-end": "at the end",
    "longer-by": "longer",
    "task": "task",
    "under": "sub-processor of",
    "contract": "contract",
    "terms": "terms of the contract",
    "inspected": "inspected every",
    "as": "form",
    "stored-in": "stored in",
    "seen-from": "seen from",
    "how": "how it travels",
    "when": "when",
    "refusable": "when one may refuse",
    "open": "when",
    "form": "form",
    "freeze": "standstill",
    "gives": "what you get",
    "tells": "who is told",
    "refusal": "refusal",
    "covers": "extent",
    "stops": "stops",
    "leaves": "what stays",
    "shows": "papers",
    "asked": "asked",
    "words": "wording",
    "else": "otherwise",
    "from-child": "from the child",
    "from-representative": "from the representative",
    "given-to": "given to",
    "except": "exception",
    "sent": "never sent",
    "asked-by": "never asked by",
    "lasts": "lasts",
    "preset": "before you choose",
    "honours": "respects",
    "at": "where",
    "ahead": "ahead",
    "because": "reasons for changing",
    "asks": "consent",
    "or-else": "otherwise",
    "takes": "takes",
    "team": "team",
    "phone": "phone",
    "answers-calls-of": "answers calls of",
    "offers": "what it does",
    "shown-in": "shown in",
    "reviewed": "checked every",
    "also": "also shown",
}


def key_name(row: type[Row], key: str, locale: str) -> str:
    """The title of one key of an element."""
    return Words(_KEYS.get(key, key), keys_of(row)[key].ko).say(locale)


NIGHT: Final = (21, 8)
"""Ours, where a policy promises quiet nights and no law says when night is: from which hour until which."""


def _night(policy: Policy) -> tuple[int, int]:
    law = law_for(policy.time_zone, policy.effective.date)
    begins, ends = law.number("advertising.night-from"), law.number("advertising.night-until")
    return NIGHT[0] if begins is None else begins, NIGHT[1] if ends is None else ends


def value(found: object, spec: Key | Rows, policy: Policy, locale: str, per: tuple[str, ...] = ()) -> str:
    """What an element's key says, in plain words; empty where it says nothing."""
    if found is None or found == () or found == {}:
        return ""
    shape = spec.shape if isinstance(spec, Key) else None
    match found:
        case Point() | Plus() | LaterOf() | EarlierOf():
            return end(found, policy, locale, per)
        case Deadline():
            return deadline(found, policy, locale)
        case Period():
            return period(found, locale)
        case AtNight():
            begins, ends = _night(policy)
            return word(found, locale).format(begins=begins, ends=f"{ends:02}")
        case StrEnum():
            return _word_or_code(found, locale)
        case Freeze():
            return freeze(found, policy, locale)
        case Mapping() if isinstance(shape, Text):
            return text_in(found, locale)
        case Mapping():
            named = {
                one: title_of(row, locale) if isinstance(row, Row) else _plain(row, None, policy, locale)
                for one, row in found.items()
            }
            return ", ".join(dict.fromkeys(named.values()))
        case tuple():
            return ", ".join(_plain(one, shape, policy, locale) for one in found)
        case _:
            return _plain(found, shape, policy, locale)


def _plain(one: object, shape: object, policy: Policy, locale: str) -> str:
    match one:
        case StrEnum():
            return _word_or_code(one, locale)
        case LawRef():
            return law(one, policy, locale)
        case Fallback():
            return fallback(one, policy, locale)
        case Period():
            return period(one, locale)
        case _:
            kind = "items" if isinstance(shape, Items) else shape.kind if isinstance(shape, Name | Names) else ""
            return named(kind, str(one), policy, locale) if kind else str(one)


def _word_or_code(one: StrEnum, locale: str) -> str:
    return word(one, locale) if f"{type(one).__name__}.{one.value}" in _VOCABULARY else one.value


def named(kind: str, name: str, policy: Policy, locale: str) -> str:
    """The public name of the element `name` of a section."""
    if kind == "facts" and name not in _BESIDES:
        return fact(name, policy, locale)
    if kind in ("provisions", "entrustments"):
        row = getattr(policy, kind).get(name)
        return named("parties", row.to or name, policy, locale) if row else name
    row = getattr(policy, attribute(kind)).get(name)
    if row is None or not text_in(row.texts, locale):
        return _BESIDES[name].say(locale) if name in _BESIDES else name
    return title_of(row, locale)


_BESIDES: Final[Mapping[str, Words]] = {
    "person": Words("the person", "본인"),
    "purpose": Words("the purpose", "목적"),
    "controller": Words("the company", "회사"),
    "party": Words("the other company", "상대 업체"),
    "necessary": Words("necessary for the site", "홈페이지 이용에 필수"),
    "of-the-dispute": Words("what the dispute is about", "분쟁 대상 정보"),
    "representative": Words("the legal representative", "법정대리인"),
    "agent": Words("an agent", "대리인"),
}


def freeze(still: Freeze, policy: Policy, locale: str) -> str:
    """From when until when nothing is done with the data a request is about."""
    start = fact(still.from_ or "received", policy, locale)
    until = end(still.until, policy, locale)
    besides = [
        *([word(FreezeCovers(still.covers), locale)] if still.covers else []),
        *([word(FreezeExcept(still.except_), locale)] if still.except_ else []),
    ]
    tail = f" ({', '.join(besides)})" if besides else ""
    still_then = Words("neither used nor given from {start} {until}", "{start}부터 {until} 이용·제공 중지")
    return still_then.say(locale).format(start=start, until=until) + tail


def fallback(step: Fallback, policy: Policy, locale: str) -> str:
    """One way of telling people where the way before it does not work."""
    case = word(FallbackIf(step.if_), locale)
    where = ", ".join(named("places", place, policy, locale) for place in step.at)
    several, long = (
        Words(", at least {count} of them", " {count}곳 이상"),
        Words(", for at least {length}", " {length} 이상"),
    )
    papers = several.say(locale).format(count=step.papers) if step.papers else ""
    papers += f" ({word(RegionalIf(step.regional), locale)})" if step.regional else ""
    length = long.say(locale).format(length=period(step.for_, locale)) if step.for_ else ""
    posted = " 게시" if language_of(locale) == "ko" else ""
    return f"{case}: {where}{papers}{length}{posted}"


_CONNECTING: Final = (
    "until after or and whichever is are later earlier the of it falls from neither used nor given within at least for "
    "them also at once Enforcement Decree Art day days month months year years hour hours no longer be",
    "시까지 후 다음 중 가장 늦은 먼저 오는 때까지 년 개월 일 시간 이내 즉시 부터 이용·제공 중지 곳 이상 게시 종료 "
    "시행령 제 조 의 항 호 목 추가 삭제",
)
"""The words between, by language."""


def vocabulary_phrases(locale: str) -> Iterable[str]:
    """Every fixed phrase of this module in one language."""
    at = LANGUAGES.index(language_of(locale))
    yield from (phrases[at] for phrases in _VOCABULARY.values())
    yield from (known.say(locale) for known in (*KNOWN_FACTS.values(), *_CALENDAR.values(), *_LAWS.values()))
    yield from (known.say(locale) for known in (*_BESIDES.values(), *_ROWS.values()))
    yield from _CONNECTING[at].split()
    keys = (spec.ko for section in sections().values() for spec in keys_of(section.row).values())
    yield from (_KEYS.values() if at == 0 else keys)
    yield from (phrase for phrase in _NOUNS.values() if at == 0)


_ROWS: Final[Mapping[str, Words]] = {
    "destruction.at-expiry": Words("When its period is over", "보유 기간이 끝난 정보"),
    "destruction.when-needless": Words("When it is no longer needed", "처리 목적을 달성한 정보"),
    "destruction.electronic": Words("Electronic files", "전자 파일"),
    "destruction.paper": Words("Paper", "종이 문서"),
    "separation.electronic": Words("Electronic files kept apart", "전자 파일의 분리 보관"),
    "separation.paper": Words("Paper kept apart", "종이 문서의 분리 보관"),
    "separation.entry": Words("What is kept apart", "분리 보관 대상"),
    "separation.use": Words("Use of what is kept apart", "분리 보관 정보의 이용"),
    "upkeep.consent-evidence": Words("Evidence of consents", "동의 증빙"),
    "upkeep.requests": Words("Your requests", "권리 행사 요청 기록"),
    "upkeep.letters": Words("Letters to you", "안내문 발송 기록"),
    "upkeep.mandates": Words("Mandates of agents", "대리인 위임 기록"),
    "upkeep.notices": Words("Notices sent", "고지·통지 기록"),
    "upkeep.sessions": Words("Sessions", "로그인 세션"),
    "upkeep.staff": Words("Staff accounts", "담당자 계정"),
    "upkeep.access-records": Words("Records of access", "접속기록"),
    "upkeep.aliases": Words("Your number in our records", "기록상의 식별번호"),
    "children.age": Words("Age", "연령"),
    "children.told": Words("How children are told", "아동에 대한 안내"),
    "children.representative": Words("Data to reach the representative", "법정대리인 확인 정보"),
    "children.consent": Words("Consent of the representative", "법정대리인의 동의"),
    "children.rights": Words("Rights of the representative", "법정대리인의 권리"),
    "children.freeze": Words("While a correction is open", "정정 처리 중 이용 중지"),
    "children.never": Words("Never", "금지 사항"),
    "acting-for.representative": Words("Legal representative", "법정대리인"),
    "acting-for.agent": Words("Agent", "대리인"),
    "changes.any": Words("Every change", "모든 변경"),
    "changes.meaning": Words("Changes of purposes, items or recipients", "목적·항목·제공 등 내용의 변경"),
    "changes.unfavourable": Words("Changes to your disadvantage", "불리한 변경"),
    "changes.business-transfer": Words("Merger or transfer of the business", "영업의 양도·합병"),
}
"""Names of the rows that the language fixes."""


def fixed_title(row: Row, locale: str) -> str:
    """The public name of an element, or of the closed list its name is from; its code where it has neither."""
    if row.texts:
        return title_of(row, locale)
    known = {Guarantee: GuaranteeName, Term: TermName, Right: RightName}.get(type(row))
    if known:
        return word(known(row.name), locale)
    return _ROWS[row.path].say(locale) if row.path in _ROWS else row.name


def fixed_row(path: str, locale: str) -> str:
    """The name that the language gives to one of its fixed rows; empty for any other."""
    return _ROWS[path].say(locale) if path in _ROWS else ""
