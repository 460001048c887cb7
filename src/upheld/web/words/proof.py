"""Words of the clause report and the ledger."""

from typing import Final

from upheld.policy.plain import Words

WORDS: Final = {
    "report.lead": Words(
        "{count} clauses of the version in force, from {since} up to now. Made {made}.",
        "시행 중인 처리방침의 조항 {count}개, {since}부터 현재까지. {made} 작성.",
    ),
    "report.print": Words("The whole report for printing", "전체 보고서 인쇄"),
    "report.clause": Words("Clause", "조항"),
    "report.about": Words("About", "내용"),
    "report.since": Words("Since", "기준일"),
    "report.what": Words("What was found", "확인 결과"),
    "report.persons": Words("{count} persons", "{count}명"),
    "report.entries": Words("{count} entries show it", "증거 {count}건"),
    "clause-state.upheld": Words("upheld", "이행"),
    "clause-state.not-upheld": Words("not upheld", "불이행"),
    "clause-state.no-evidence-yet": Words("no evidence yet", "증거 없음"),
    "clause-state.stated": Words("stated", "고지 문구"),
    "clause.lead": Words("Version {version}; found {made}.", "{version} 시행 처리방침, {made} 확인."),
    "clause.since": Words("In this state since {day}.", "{day}부터 이 상태입니다."),
    "clause.elements": Words("Where the policy carries it", "처리방침에서의 위치"),
    "clause.gaps": Words("When it was not upheld", "이행하지 못한 기간"),
    "clause.now": Words("now", "현재"),
    "clause.evidence": Words("Entries that show it", "증거 기록"),
    "clause.no-evidence": Words("Nothing shows it yet.", "아직 증거가 없습니다."),
    "entry.title": Words("Entry {reference}", "기록 {reference}"),
    "entry.lead": Words(
        "As it stands in the ledger: codes, numbers and instants. Persons appear under an alias.",
        "원장에 적힌 그대로입니다. 코드·번호·시각만 있으며 정보주체는 가명으로 나타납니다.",
    ),
    "entry.reference": Words("Entry", "기록"),
    "entry.kind": Words("Kind", "종류"),
    "entry.at": Words("When", "시각"),
    "entry.persons": Words("Aliases", "가명"),
    "entry.elements": Words("Elements of the policy", "처리방침 요소"),
    "ledger.lead": Words(
        "Everything that was decided and done, chained and signed. It holds no personal value.",
        "모든 판단과 처리가 연결·서명되어 있습니다. 개인정보 값은 들어 있지 않습니다.",
    ),
    "ledger.verify": Words("Verify now", "지금 검증"),
    "ledger.holds": Words("The ledger is what was signed.", "원장이 서명된 내용과 같습니다."),
    "ledger.broken": Words("The ledger is not what was signed.", "원장이 서명된 내용과 다릅니다."),
    "ledger.batches": Words("Batches", "묶음"),
    "ledger.entries": Words("Entries", "기록"),
    "ledger.checkpoints": Words("Signed checkpoints", "서명된 체크포인트"),
    "ledger.pruned": Words("Batches of access records destroyed", "파기된 접속기록 묶음"),
    "ledger.complete": Words("Complete", "완전성"),
    "ledger.cannot-show": Words("What this cannot show", "확인할 수 없는 것"),
    "ledger.checkpoint": Words("Newest checkpoint", "최근 체크포인트"),
    "ledger.checkpoint-lead": Words(
        "Who keeps it elsewhere can show later that nothing was cut off.",
        "다른 곳에 보관하면 이후 원장이 잘리지 않았음을 확인할 수 있습니다.",
    ),
    "ledger.keep": Words("Keep this checkpoint", "체크포인트 저장"),
}
