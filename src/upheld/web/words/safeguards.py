"""Words of the page on safeguards."""

from typing import Final

from upheld.policy.plain import Words

WORDS: Final = {
    "menu.safeguards": Words("Safeguards", "보호조치"),
    "safeguards.lead": Words(
        "Each promise with what shows it. What lacks evidence is not upheld from the day it fell due.",
        "약속한 보호조치와 그 증빙입니다. 증빙이 없으면 기한이 지난 날부터 이행되지 않은 것으로 봅니다.",
    ),
    "safeguards.chart": Words("Safeguards by state", "상태별 보호조치 수"),
    "safeguard-state.missing": Words("evidence missing", "증빙 없음"),
    "safeguard-state.fresh": Words("shown", "증빙 있음"),
    "safeguard-state.idle": Words("nothing owes it", "대상 없음"),
    "safeguard-state.checked": Words("checked by the system", "시스템 점검"),
    "safeguards.every": Words("every {period}", "주기 {period}"),
    "safeguards.next": Words("next by {day}", "다음 기한 {day}"),
    "safeguards.blocks": Words("without it nobody is shown contents", "없으면 내용 열람 차단"),
    "safeguards.file": Words("File evidence", "증빙 제출"),
    "safeguards.kind": Words("Kind", "종류"),
    "safeguards.about": Words("For", "대상"),
    "safeguards.none": Words("The policy promises no safeguard.", "약속한 보호조치가 없습니다."),
    "safeguards.register": Words("Hosts, rooms, zones", "시스템·장소 등록"),
    "safeguards.register-lead": Words(
        "Evidence is owed for each that is registered. Use codes, never names of persons.",
        "등록된 대상마다 증빙이 필요합니다. 사람 이름이 아닌 부호로 등록해 주십시오.",
    ),
    "safeguards.what": Words("What", "구분"),
    "safeguards.name": Words("Code", "부호"),
    "safeguards.enter": Words("Register it", "등록"),
    "per.host": Words("host", "서버·단말기"),
    "per.system": Words("system", "시스템"),
    "per.zone": Words("zone", "통제구역"),
    "per.room": Words("room", "전산실·보관실"),
    "per.cabinet": Words("cabinet", "보관함"),
    "per.employee": Words("employee", "임직원"),
    "error.safeguard-unknown": Words(
        "There is no such safeguard that takes evidence", "증빙을 받는 보호조치가 아닙니다"
    ),
    "help.safeguard-unknown": Words("Go back to the safeguards.", "보호조치 화면에서 다시 골라 주십시오."),
    "error.proof-missing": Words("It lacks what shows it", "증빙이 없습니다"),
    "help.proof-missing": Words("Go back and name the paper.", "이전 화면에서 문서 번호나 이름을 적어 주십시오."),
    "error.name-unreadable": Words("That is no code", "부호가 아닙니다"),
    "help.name-unreadable": Words(
        "Use small letters, digits and hyphens, forty at most.", "영문 소문자, 숫자, 붙임표로 40자까지 적어 주십시오."
    ),
}
