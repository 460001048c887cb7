"""Words of the pages about versions of the notice."""

from typing import Final

from upheld.policy.wording import Words

WORDS: Final = {
    "versions.title": Words("All versions of the privacy policy", "개인정보 처리방침 변경 이력"),
    "versions.lead": Words(
        "Every version that was announced stays readable.", "공고한 처리방침은 지난 것도 모두 볼 수 있습니다."
    ),
    "versions.effective": Words("In force from", "시행일"),
    "versions.announced": Words("Announced", "공고일"),
    "versions.state": Words("State", "상태"),
    "versions.from": Words("In force from {day}", "{day} 시행"),
    "versions.paper": Words("To print", "인쇄용"),
    "versions.pdf": Words("PDF of {day}", "{day} 시행본 PDF"),
    "versions.compare": Words("Compare two versions", "두 처리방침 비교"),
    "versions.old": Words("From", "이전"),
    "versions.new": Words("To", "이후"),
    "versions.show": Words("Show what changed", "변경 내용 보기"),
    "version-state.in-force": Words("in force", "시행 중"),
    "version-state.coming": Words("announced", "시행 예정"),
    "version-state.past": Words("replaced", "지난 처리방침"),
}
