"""Words of the portal."""

from typing import Final

from upheld.policy.wording import Words

WORDS: Final = {
    "portal.title": Words("What you hold on me", "내 개인정보 확인"),
    "portal.lead": Words(
        "Enter an address or number that you gave us. If we know it, a code is on its way there.",
        "알려 주신 연락처를 입력하십시오. 등록된 연락처라면 인증번호를 보내 드립니다.",
    ),
    "portal.item": Words("Where we may send a code", "인증번호를 받을 곳"),
    "portal.address": Words("Address or number", "주소 또는 번호"),
    "portal.address-hint": Words("Exactly as you gave it to us.", "등록하신 그대로 입력해 주십시오."),
    "portal.send": Words("Send a code", "인증번호 받기"),
    "portal.no-sender": Words(
        "Codes cannot be sent from here at present.", "현재 이 화면에서는 인증번호를 보낼 수 없습니다."
    ),
    "portal.otherwise": Words("You can also ask by: {channels}.", "다음 방법으로도 요구할 수 있습니다: {channels}."),
    "portal.code-title": Words("Enter the code", "인증번호 입력"),
    "portal.code-lead": Words(
        "If the address is known here, eight digits were sent to it. They are valid for ten minutes.",
        "등록된 연락처라면 숫자 8자리를 보냈습니다. 10분 동안 쓸 수 있습니다.",
    ),
    "portal.code": Words("Code", "인증번호"),
    "portal.code-wrong": Words(
        "The code is wrong, too old, or was tried too often.", "번호가 다르거나, 오래되었거나, 시도 횟수를 넘었습니다."
    ),
    "portal.enter": Words("Continue", "확인"),
    "portal.again": Words("Ask for another code", "인증번호 다시 받기"),
    "mail.subject": Words("{controller}: your code", "{controller} 인증번호"),
    "mail.code": Words(
        "{code} is your code to see what {controller} holds on you. It is valid for ten minutes. Nobody of ours asks "
        "for it. Who did not ask for it need not do anything.",
        "{controller} 개인정보 확인용 인증번호는 {code}입니다. 10분 동안 쓸 수 있습니다. "
        "직원은 이 번호를 묻지 않습니다. 요청하지 않으셨다면 이 안내는 무시하셔도 됩니다.",
    ),
    "mail.shared": Words(
        "Somebody asked {controller} for a code to this address. Several persons are known by it, so none is sent. "
        "Please ask by another channel of the privacy policy.",
        "{controller}에 이 연락처로 인증번호 요청이 있었습니다. 여러 사람이 같은 연락처를 쓰고 있어 "
        "보내 드리지 않았습니다. 개인정보 처리방침의 다른 방법으로 요구해 주십시오.",
    ),
    "mine.title": Words("What is held on me", "내 개인정보"),
    "mine.lead": Words("Shown to be yours: {proved}.", "확인된 연락처: {proved}."),
    "mine.contents": Words("Contents", "내용"),
    "mine.show-contents": Words("Show the contents", "내용 보기"),
    "mine.second-lead": Words(
        "To see contents, show that a second address is yours.", "내용을 보려면 다른 연락처를 하나 더 확인해 주십시오."
    ),
    "mine.no-second": Words(
        "Contents need a second proof that this page cannot take. Ask for access on another channel.",
        "내용은 추가 확인이 필요합니다. 다른 방법으로 열람을 요구해 주십시오.",
    ),
    "mine.consents": Words("Consents", "동의"),
    "mine.no-consents": Words("No consent is on record.", "동의 기록이 없습니다."),
    "mine.requests": Words("My requests", "내 요구"),
    "mine.no-requests": Words("No request is on record.", "요구 기록이 없습니다."),
    "consent.given": Words("agreed", "동의"),
    "consent.withdrawn": Words("withdrawn", "철회"),
    "contents.lead": Words(
        "That this was shown to you is on record. Passwords are never shown.",
        "이 열람은 기록됩니다. 비밀번호는 표시하지 않습니다.",
    ),
}
