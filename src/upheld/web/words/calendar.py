"""Words of the calendar of separation and destruction."""

from typing import Final

from upheld.policy.wording import Words

WORDS: Final = {
    "calendar.approval": Words("Approval", "파기 승인"),
    "calendar.approval-lead": Words(
        "Nothing is destroyed before somebody else has approved it: {who}. What waits past its day is overdue.",
        "다른 담당자({who})의 승인을 받은 뒤에 파기합니다. 기한이 지나도록 승인되지 않으면 지연으로 기록됩니다.",
    ),
    "calendar.approved-until": Words("Approved is what fell due until {day}.", "{day}까지 도래한 건이 승인되었습니다."),
    "calendar.approve": Words("Approve what has fallen due", "도래한 건의 파기 승인"),
    "calendar.lead": Words(
        "What falls due by itself as the policy and the facts known now say, month by month.",
        "처리방침과 현재까지의 사실에 따라 매달 분리되거나 파기될 정보입니다.",
    ),
    "calendar.overdue": Words("{count} values are past their end.", "기한이 지난 정보가 {count}건 있습니다."),
    "calendar.ahead": Words("Twelve months ahead, in values", "앞으로 12개월 (건수)"),
    "calendar.month": Words("Month", "월"),
    "calendar.to-separate": Words("To separate", "분리 보관"),
    "calendar.to-destroy": Words("To destroy", "파기"),
    "calendar.chart": Words("Drawn", "도표"),
    "calendar.orders": Words("To destroy by hand", "직접 파기할 것"),
    "calendar.orders-lead": Words(
        "Places that the system cannot reach. The certificate is complete when each is recorded.",
        "시스템이 닿지 않는 보관 장소입니다. 모두 기록되면 증명서가 완성됩니다.",
    ),
    "calendar.no-orders": Words("No work order waits.", "대기 중인 작업이 없습니다."),
    "calendar.values": Words("values: {count}", "{count}건"),
    "calendar.method": Words("How", "방법"),
    "calendar.by": Words("By whom", "담당"),
    "calendar.witness": Words("Before whom", "입회"),
    "calendar.done": Words("Record that it is done", "완료 기록"),
    "calendar.certificates": Words("Certificates of destruction", "파기 증명서"),
    "calendar.certificate": Words("Certificate", "증명서"),
    "calendar.destroyed": Words("Destroyed", "파기 시각"),
    "calendar.file": Words("File", "파일"),
    "calendar.signed-file": Words("Signed file", "서명 원본"),
    "calendar.no-certificates": Words("Nothing was destroyed yet.", "아직 파기된 정보가 없습니다."),
    "work-role.privacy-officer": Words("privacy officer", "개인정보 보호책임자"),
    "work-role.handler": Words("handler", "개인정보취급자"),
    "work-role.processor": Words("processor", "수탁자"),
    "work-role.facility": Words("facility staff", "시설 담당자"),
}
