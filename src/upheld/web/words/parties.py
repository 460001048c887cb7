"""Words of the page on recipients and processors."""

from typing import Final

from upheld.policy.wording import Words

WORDS: Final = {
    "menu.parties": Words("Recipients and processors", "제공·위탁 업체"),
    "parties.lead": Words(
        "Who gets data, under which contract, and what is owed back when it ends.",
        "정보를 받는 업체와 계약, 종료 후 반환·파기 현황입니다.",
    ),
    "parties.figure-companies": Words("companies", "업체"),
    "parties.figure-owed": Words("returns owed", "반환·파기 미확인"),
    "parties.figure-waiting": Words("answers awaited", "회신 대기"),
    "parties.processor": Words("Works for us", "위탁 업무"),
    "parties.recipient": Words("Gets data for itself", "제3자 제공"),
    "parties.under": Words("under {party}", "{party}의 재수탁자"),
    "parties.given": Words("Given, how often", "제공·위탁 횟수"),
    "parties.stopped": Words("stopped by an authority", "이전 중지 명령"),
    "parties.no-contract": Words(
        "No contract is on record: nothing goes there.", "기록된 계약이 없어 정보를 보낼 수 없습니다."
    ),
    "deal-state.running": Words("in force", "유효"),
    "deal-state.owes": Words("over, return owed", "종료, 반환·파기 확인 필요"),
    "deal-state.settled": Words("over", "종료"),
    "parties.end": Words("The contract ends now", "계약 종료 기록"),
    "parties.returned": Words("Return or destruction was shown", "반환·파기 확인"),
    "parties.awaited": Words("Told, not answered yet", "통보 후 회신 대기"),
    "parties.contracts": Words("Contracts", "위탁 계약"),
    "parties.begins": Words("Begins", "시작"),
    "parties.ends": Words("Ends", "종료"),
    "parties.open-end": Words("no end set", "종료일 없음"),
    "parties.deal-state": Words("State", "상태"),
    "parties.what-for": Words("Told to", "통보 내용"),
    "parties.answered": Words("It has answered", "회신 기록"),
    "parties.inspect": Words("Inspect it", "수탁자 점검"),
    "parties.none": Words("Nobody else gets data.", "정보를 받는 업체가 없습니다."),
    "told-reason.return-or-destroy": Words("return or destroy", "반환 또는 파기"),
    "told-reason.corrected": Words("correct", "정정"),
    "told-reason.withdrawn": Words("consent taken back", "동의 철회"),
    "told-reason.ended-before": Words("over before it was given", "제공 전 이미 종료"),
    "error.contract-unknown": Words("There is no such contract in that state", "해당하는 계약이 없습니다"),
    "help.contract-unknown": Words("Load the page again.", "화면을 새로 고쳐 주십시오."),
    "error.disclosure-unknown": Words("Nobody waits for that answer", "해당하는 통보가 없습니다"),
    "help.disclosure-unknown": Words("Load the page again.", "화면을 새로 고쳐 주십시오."),
}
