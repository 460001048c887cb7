"""Words of the clause report and the ledger."""

from typing import Final

from upheld.policy.wording import Words

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
    "report.persons": Words("persons: {count}", "{count}명"),
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
        "What the ledger has, in words; small beside them stands the code as it is written. Persons appear under an "
        "alias.",
        "원장 기록을 풀어 쓴 것입니다. 옆의 작은 글자가 원장에 적힌 코드이며 정보주체는 가명으로 나타납니다.",
    ),
    "entry.yes": Words("yes", "예"),
    "entry.no": Words("no", "아니요"),
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
    "complete.shown": Words("shown", "확인됨"),
    "complete.shown in part": Words("shown in part", "일부 확인됨"),
    "complete.not shown": Words("not shown", "확인되지 않음"),
    "cannot.truth": Words(
        "whether what the entries say was true when it was written", "기록된 내용이 기록 당시 사실이었는지"
    ),
    "cannot.cut-off": Words(
        "whether the end was cut off or the whole rolled back; a checkpoint kept elsewhere would tell",
        "끝부분이 잘리거나 전체가 되돌려졌는지 (다른 곳에 보관한 체크포인트로 확인할 수 있음)",
    ),
    "cannot.cut-after": Words(
        "whether anything was cut off after batch {until}; no checkpoint kept elsewhere reaches further",
        "{until}번째 묶음 이후가 잘렸는지 (다른 곳에 보관한 체크포인트가 그 뒤까지 닿지 않음)",
    ),
    "cannot.signer": Words(
        "who signed: the key came from the ledger itself", "누가 서명했는지 (공개키가 원장에서 나옴)"
    ),
    "cannot.pruned": Words(
        "what stood in {batches} batches of access records that were destroyed under a signed entry",
        "서명된 기록에 따라 파기된 접속기록 묶음 {batches}개에 있던 내용",
    ),
    "cannot.days": Words(
        "how the counts of reports fall on single days: their totals are compared",
        "보고서 집계의 날짜별 분포 (합계만 비교함)",
    ),
    "cannot.beside": Words(
        "whether anything stands in the file beside the ledger: other tables, triggers, unused names",
        "파일에 원장 밖의 것(다른 테이블, 트리거, 어떤 기록도 쓰지 않는 이름)이 있는지",
    ),
    "cannot.unsealed": Words(
        "what was written since the last checkpoint: that is checked when it is sealed",
        "마지막 체크포인트 이후의 기록 (봉인할 때 확인함)",
    ),
    "ledger.checkpoint": Words("Newest checkpoint", "최근 체크포인트"),
    "ledger.checkpoint-lead": Words(
        "Who keeps it elsewhere can show later that nothing was cut off.",
        "다른 곳에 보관하면 이후 원장이 잘리지 않았음을 확인할 수 있습니다.",
    ),
    "ledger.keep": Words("Keep this checkpoint", "체크포인트 저장"),
}
