"""Words of the registers and of what is printed."""

from typing import Final

from upheld.policy.wording import Words

WORDS: Final = {
    "menu.registers": Words("Registers", "관리대장"),
    "registers.lead": Words(
        "Made from the ledger for any span. Each row names the entry that backs it.",
        "원장에서 만들어지며 기간을 고를 수 있습니다. 모든 행은 근거가 되는 원장 기록을 표시합니다.",
    ),
    "registers.register": Words("Register", "대장"),
    "registers.rows": Words("Rows", "건수"),
    "registers.drawn": Words("Drawn", "도표"),
    "registers.first": Words("From", "시작일"),
    "registers.last": Words("To", "종료일"),
    "registers.show": Words("Show this span", "조회"),
    "registers.left": Words("{count} older rows are in the files.", "이전 기록 {count}건은 파일에 있습니다."),
    "sheet.nothing": Words("Nothing is on record.", "기록이 없습니다."),
    "sheet.nothing-in-span": Words("Nothing is on record in this span.", "이 기간에는 기록이 없습니다."),
    "error.register-unknown": Words("There is no such register", "해당하는 대장이 없습니다"),
    "help.register-unknown": Words("Go back to the registers.", "관리대장 화면에서 다시 골라 주십시오."),
    "error.span-unreadable": Words("That is no span of days", "기간을 읽을 수 없습니다"),
    "help.span-unreadable": Words("Write days as 2026-11-22.", "날짜는 2026-11-22처럼 적어 주십시오."),
}
