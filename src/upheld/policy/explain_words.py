"""The words of an explanation that the document does not have itself, and what each refusal means in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from upheld.policy.wording import Words

PROBLEM: Final = Words("Error of a document:", "문서 오류:")
FINDING: Final = Words("Finding:", "점검 결과:")
REFUSAL: Final = Words("Refusal:", "거절 사유:")


class Said(Enum):
    """Headings and sentences."""

    CLAUSE = Words("Clause", "조항")
    GROUP = Words("Group of items", "항목 묶음")
    END = Words("What happens at the end", "종료 시 처리")
    REQUIRED = Words("required", "필수")
    OPTIONAL = Words("optional", "선택")
    KEPT_APART = Words("kept apart for {ground}: {until}", "{ground} 보관을 위해 분리 보관: {until}")
    DESTROYED = Words(
        "destroyed when the last purpose that uses it is over; nothing keeps it longer",
        "이용하는 마지막 목적이 끝나면 파기하며, 더 오래 보관할 근거가 없습니다",
    )
    NOT_HELD = Words("no purpose collects it and nothing keeps it", "수집하는 목적도 보관하는 근거도 없습니다")
    FOUND = Words("What the checks find here", "여기에 대한 점검 결과")
    REMEDY = Words("what to do", "조치")
    RULE = Words("law", "법령")
    NEEDS_LAW = Words(
        "No law was named to hold the policy against; add --law, such as --law kr@2026-11-22.",
        "비교할 법령이 지정되지 않았습니다. --law kr@2026-11-22 처럼 지정하십시오.",
    )
    NOWHERE = Words("This policy has none.", "이 방침에는 없습니다.")

    def say(self, locale: str) -> str:
        """In English or Korean."""
        return self.value.say(locale)


OF_A_CHILD: Final[Mapping[str, Words]] = {"under": Words("a child is below the age of", "아동 연령 (미만)")}
"""A key that means another thing in the rules about children."""

KEYS: Final[Mapping[str, Words]] = {
    "review-after": Words("looked at again after", "검토 기한"),
    "granted-with": Words("granted with", "부여 요건"),
    "granted-for": Words("granted for", "부여 기간"),
    "reading": Words("how a doubt was settled", "해석"),
    "blocked": Words("does not run", "보류 사유"),
}
"""Titles of keys that only the desk is told."""

SECTIONS: Final[Mapping[str, Words]] = {
    "controller": Words("Controller", "개인정보처리자"),
    "announced": Words("Announced", "공고일"),
    "effective": Words("In force", "시행일"),
    "guarantees": Words("Guarantees", "기본 보장"),
    "laws": Words("Laws", "법령"),
    "parties": Words("Companies", "업체"),
    "subjects": Words("Persons", "정보주체"),
    "engagements": Words("Relations", "이용 관계"),
    "facts": Words("Facts", "사실"),
    "channels": Words("Channels", "경로"),
    "places": Words("Places of notice", "알리는 곳"),
    "proofs": Words("Proofs", "증명"),
    "soft-words": Words("Words without a number", "불확정 기간"),
    "items": Words("Items", "개인정보 항목"),
    "purposes": Words("Purposes", "처리 목적"),
    "collection": Words("Collection", "수집 방법"),
    "collection-exceptions": Words("Collection without consent", "수집의 예외"),
    "consent": Words("Consent", "동의 방법"),
    "advertising": Words("Advertising", "광고성 정보"),
    "retention": Words("Kept after use", "보유"),
    "statutes": Words("Kept by law", "법령상 보존"),
    "destruction": Words("Destruction", "파기"),
    "separation": Words("Kept apart", "분리 보관"),
    "upkeep": Words("Records of the system", "시스템 기록"),
    "provisions": Words("Given to third parties", "제3자 제공"),
    "provision-exceptions": Words("Given in other cases", "제공의 예외"),
    "entrustments": Words("Processors", "처리위탁"),
    "transfers": Words("Transfers abroad", "국외 이전"),
    "handlers": Words("Who may look", "개인정보취급자"),
    "rights": Words("Rights", "정보주체의 권리"),
    "acting-for": Words("Acting for a person", "대리"),
    "children": Words("Children", "아동"),
    "cookies": Words("Cookies", "쿠키"),
    "safeguards": Words("Safeguards", "안전성 확보조치"),
    "changes": Words("Changes", "변경"),
    "contacts": Words("Offices", "담당"),
    "agencies": Words("Bodies that help", "구제 기관"),
    "statements": Words("Statements", "알림 문장"),
}
"""Titles of the head's rows and of the sections."""

_TIERS: Final = ("retention", "statutes", "separation")
_AGREEING: Final = ("purposes", "consent")

REFUSALS: Final[Mapping[str, tuple[Words, tuple[str, ...]]]] = {
    "not-in-force": (
        Words("no version is in force at that instant", "그 시점에 시행 중인 방침이 없음"),
        ("effective",),
    ),
    "recovering": (Words("the stores are being brought to one state", "저장소를 복구하는 중"), ()),
    "purpose-unnamed": (Words("the act names no purpose", "목적을 밝히지 않음"), ("purposes",)),
    "declaration-incomplete": (Words("the row is declared and not run", "선언되었으나 실행이 보류된 항목"), ()),
    "purpose-undeclared": (Words("there is no such purpose", "선언되지 않은 목적"), ("purposes",)),
    "item-undeclared": (Words("there is no such item", "선언되지 않은 항목"), ("items",)),
    "item-not-covered": (Words("the purpose does not list that item", "그 목적에 포함되지 않은 항목"), ("purposes",)),
    "method-undeclared": (
        Words("that channel or source is not named for the act", "선언되지 않은 경로나 출처"),
        ("collection", "channels"),
    ),
    "recipient-undeclared": (
        Words("there is no such recipient or processor", "선언되지 않은 제공받는 자 또는 수탁자"),
        ("provisions", "entrustments"),
    ),
    "items-exceed-provision": (
        Words("the recipient may not have all of these items", "제공·위탁 범위를 넘는 항목"),
        ("provisions", "entrustments"),
    ),
    "unknown": (Words("no such person, relation or value", "알 수 없는 정보주체·관계·정보"), ()),
    "destroyed": (Words("everything about the person is destroyed", "해당 정보주체의 정보가 모두 파기됨"), ()),
    "child-without-representative": (
        Words("a child, and no representative has agreed", "법정대리인의 동의가 없는 아동"),
        ("children",),
    ),
    "kind-not-covered": (
        Words("the rule is for other persons", "다른 정보주체를 위한 규칙"),
        ("subjects", "engagements"),
    ),
    "not-same-group": (Words("asked from outside the group", "같은 집단에 속하지 않음"), ()),
    "consent-missing": (Words("nobody agreed to this", "동의가 없음"), _AGREEING),
    "consent-withdrawn": (Words("the consent was withdrawn", "동의가 철회됨"), _AGREEING),
    "consent-scope-older": (Words("agreed to less than is needed now", "동의 범위가 현재 필요보다 좁음"), _AGREEING),
    "separate-consent-missing": (
        Words("it needs a consent of its own", "별도의 동의가 필요함"),
        ("purposes", "provisions", "transfers"),
    ),
    "permission-missing": (Words("the device's permission is missing", "기기 접근 권한이 없음"), ()),
    "law-missing": (Words("only a law could allow it and none is named", "허용하는 법령이 없음"), ("statutes",)),
    "transfer-basis-missing": (Words("no ground for leaving the country", "국외 이전의 근거가 없음"), ("transfers",)),
    "receiving-consent-missing": (Words("no consent to that medium", "해당 매체의 수신 동의가 없음"), ("advertising",)),
    "night": (Words("night, and no consent for it", "야간 전송 동의가 없는 시간대"), ("advertising",)),
    "reconfirmation-overdue": (
        Words("the consent to receive was not confirmed again in time", "수신 동의를 제때 재확인하지 않음"),
        ("advertising",),
    ),
    "ground-ended": (Words("the ground of that use is over", "이용 근거가 끝남"), ("purposes",)),
    "value-separated": (Words("kept apart for another ground", "다른 근거로 분리 보관 중"), _TIERS),
    "value-due": (Words("waits for its destruction", "파기를 기다리는 중"), ("destruction",)),
    "value-moving": (Words("on its way to the separated store", "분리 보관소로 옮기는 중"), ("separation",)),
    "value-destroyed": (Words("the value is gone", "이미 파기된 정보"), ("destruction",)),
    "held-for-another": (Words("held for another controller", "다른 처리자를 위해 보유"), ()),
    "frozen": (Words("a request about it is open", "처리 중인 요청이 있음"), ("rights",)),
    "suspended": (Words("the person has had this stopped", "정보주체가 처리를 정지시킴"), ("rights",)),
    "provision-ended": (Words("the recipient's time is over", "제공 기간이 끝남"), ("provisions",)),
    "entrustment-ended": (Words("the processor's task is over", "위탁이 끝남"), ("entrustments",)),
    "contract-missing": (Words("no contract with the processor on record", "위탁 계약 기록이 없음"), ("entrustments",)),
    "transfer-stopped": (Words("an authority stopped the transfer", "국외 이전이 중지됨"), ("transfers",)),
    "duty-missing": (Words("the reader's role has no such task", "직무에 속하지 않음"), ("handlers",)),
    "clearance-lapsed": (
        Words("pledge, training or account has lapsed", "서약·교육·계정이 유효하지 않음"),
        ("handlers",),
    ),
    "mandate-exceeded": (Words("beyond the agent's mandate", "대리권의 범위를 넘음"), ("acting-for",)),
    "identity-not-proved": (Words("identity not proved well enough", "본인 확인이 부족함"), ("channels", "proofs")),
    "demand-incomplete": (
        Words("the demand lacks something it must show", "제공 요구의 요건이 부족함"),
        ("provision-exceptions",),
    ),
    "approval-missing": (Words("somebody must approve first", "승인이 필요함"), ()),
    "record-not-written": (Words("the access record could not be written", "접속기록을 남기지 못함"), ()),
    "rule-failed": (Words("a rule could not be evaluated", "규칙을 평가하지 못함"), ()),
}
"""Meaning of each refusal, and the sections of a policy that it comes from."""
