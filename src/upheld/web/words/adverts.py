"""Words of advertising under guard, and of the refusal that needs no sign-in."""

from typing import Final

from upheld.policy.wording import Words

WORDS: Final = {
    "menu.adverts": Words("Advertising", "광고성 정보"),
    "adverts.lead": Words(
        "Only to who agreed to the medium, by day unless they agreed to the night, labelled, refused in one step.",
        "수신에 동의한 사람에게만, 야간 동의가 없으면 주간에만, (광고) 표시와 한 번에 되는 수신거부를 붙여 보냅니다.",
    ),
    "adverts.done": Words("{queued} messages wait, {refused} were refused.", "{queued}건 대기, {refused}건 차단"),
    "adverts.text-missing": Words("Title and text are needed.", "제목과 내용을 적어 주십시오."),
    "adverts.night-now": Words(
        "It is {hour} o'clock: only e-mail, and who agreed to the night.",
        "지금은 {hour}시입니다. 전자우편 또는 야간 수신에 동의한 사람에게만 보낼 수 있습니다.",
    ),
    "adverts.consents": Words("Consents to receive, by medium", "매체별 수신동의"),
    "adverts.medium": Words("Medium", "매체"),
    "adverts.given": Words("Agreed", "동의"),
    "adverts.refused": Words("Refused", "거부"),
    "adverts.night": Words("At night too", "야간 동의"),
    "adverts.reconfirm": Words("Reconfirmation every two years", "2년마다 수신동의 확인"),
    "adverts.confirm": Words("Tell the result of a yes or no", "처리 결과 통지"),
    "adverts.messages": Words("Messages", "발송 현황"),
    "adverts.none": Words("Nothing was sent.", "발송한 광고가 없습니다."),
    "adverts.send": Words("Send an advertisement", "광고 발송"),
    "adverts.send-lead": Words(
        "The label, the sender and the way to refuse are added. Whoever may not be told is left out, on record.",
        "(광고) 표시, 전송자, 수신거부 방법은 자동으로 붙습니다. 보낼 수 없는 사람은 제외되며 기록됩니다.",
    ),
    "adverts.purpose": Words("For", "목적"),
    "adverts.title": Words("Title", "제목"),
    "adverts.text": Words("Text", "내용"),
    "adverts.queue": Words("Put it into the outbox", "발송 대기열에 넣기"),
    "adverts.no-medium": Words("The policy advertises by no medium.", "광고 매체가 없는 처리방침입니다."),
    "adverts.other-language": Words(
        "Goes to those who agreed in that language. Left empty: they get the text above.",
        "그 언어로 동의한 분에게 보냅니다. 비워 두면 위의 문구가 갑니다.",
    ),
    "message-state.queued": Words("waiting", "대기"),
    "message-state.sending": Words("on its way", "발송 중"),
    "message-state.uncertain": Words("uncertain", "도달 불명"),
    "message-state.sent": Words("sent", "발송 완료"),
    "message-state.acknowledged": Words("arrived", "도달"),
    "message-state.bounced": Words("returned", "반송"),
    "message-state.failed": Words("failed", "실패"),
    "message-state.unreachable": Words("unreachable", "연락 불가"),
    "message-state.withdrawn": Words("taken out", "발송 취소"),
    "refuse.title": Words("No more advertising", "광고성 정보 수신거부"),
    "refuse.lead": Words("One press, free of charge, no sign-in.", "로그인 없이 무료로 바로 거부할 수 있습니다."),
    "refuse.button": Words("Refuse", "수신거부"),
    "refuse.done": Words(
        "Done. Nothing more is sent; what was waiting was taken out.",
        "처리되었습니다. 대기 중이던 광고도 보내지 않습니다.",
    ),
}
