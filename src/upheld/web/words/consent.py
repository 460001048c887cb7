"""Words of the consent pages."""

from typing import Final

from upheld.policy.wording import Words

WORDS: Final = {
    "menu.my-consents": Words("Consents", "동의 관리"),
    "consent.title": Words("Your consent", "개인정보 처리 동의"),
    "consent.read-lead": Words(
        "This is what we ask. You agree on this page when the service sends you here.",
        "다음 사항에 동의를 구합니다. 서비스에서 보내 드린 주소로 들어오시면 이 화면에서 동의하실 수 있습니다.",
    ),
    "consent.kinds": Words("Who is asked", "동의 대상"),
    "consent.lead": Words(
        "Each question stands by itself. Nothing is ticked beforehand.",
        "항목마다 따로 동의하실 수 있습니다. 미리 선택해 둔 항목은 없습니다.",
    ),
    "consent.for-child": Words(
        "A child named you as its legal representative. You decide for the child; without your answer nothing is taken "
        "and your contact is destroyed.",
        "아동이 법정대리인으로 알려 주어 여쭙니다. 아동을 대신하여 결정해 주십시오. "
        "답하지 않으시면 아무것도 수집하지 않으며 연락처는 파기합니다.",
    ),
    "consent.child-waits": Words(
        "Your legal representative decides about these. You may take back what was agreed to.",
        "동의는 법정대리인이 결정합니다. 동의한 사항은 여기에서 철회할 수 있습니다.",
    ),
    "consent.elsewhere": Words(
        "Consent is taken by other channels of the privacy policy.", "동의는 처리방침에 적힌 다른 방법으로 받습니다."
    ),
    "consent.needed": Words("required", "필수"),
    "consent.free": Words("optional", "선택"),
    "consent.anew": Words("asked anew", "다시 동의"),
    "consent.needed-title": Words("Required", "필수 동의"),
    "consent.needed-lead": Words(
        "A service needs these. You may refuse; then that service cannot be given.",
        "서비스 제공에 필요합니다. 거부할 수 있으나 해당 서비스는 제공되지 않습니다.",
    ),
    "consent.free-title": Words("Optional", "선택 동의"),
    "consent.free-lead": Words(
        "You may refuse each of them. The service stays the same.", "거부하셔도 서비스 이용에는 차이가 없습니다."
    ),
    "consent.nothing-asked": Words("Nothing here needs your consent.", "동의가 필요한 사항이 없습니다."),
    "consent.nothing-waits": Words("No question is open.", "답하실 질문이 없습니다."),
    "consent.agree": Words("I agree: {what}", "동의합니다: {what}"),
    "consent.all": Words("Tick all", "모두 선택"),
    "consent.all-hint": Words(
        "Sets the boxes only. Look through them, then record.", "선택만 됩니다. 살펴보신 뒤 저장해 주십시오."
    ),
    "consent.save": Words("Record my choice", "선택한 대로 저장"),
    "consent.said-yes": Words("Your agreement is on record.", "동의가 기록되었습니다."),
    "consent.said-no": Words("You agreed to nothing. Nothing was recorded.", "동의하신 사항이 없습니다."),
    "consent.said-withdrawn": Words(
        "Your agreement is taken back. It is not used from now on.", "동의를 철회했습니다. 지금부터 이용하지 않습니다."
    ),
    "consent.changed": Words(
        "A text has changed since the page was made. Nothing was recorded; please read it again.",
        "화면을 여신 뒤 내용이 바뀌었습니다. 저장된 것은 없습니다. 다시 읽어 주십시오.",
    ),
    "consent.collection-first": Words(
        "The first question comes before the others.", "첫 번째 항목에 동의하셔야 다른 항목에도 동의할 수 있습니다."
    ),
    "consent.agreed-title": Words("What you agreed to", "동의하신 사항"),
    "consent.take-back": Words("Take back", "철회"),
    "consent.receipts": Words("Receipts:", "동의 영수증:"),
    "receipt.kantara": Words("Kantara format (JSON)", "칸타라 형식 (JSON)"),
    "receipt.27560": Words("ISO/IEC 27560 format (JSON)", "ISO/IEC 27560 형식 (JSON)"),
    "about.medium": Words("Advertising by {name}", "광고성 정보 수신: {name}"),
    "about.night": Words("Advertising at night by {name}", "야간 광고성 정보 수신: {name}"),
    "about.representative": Words("That data of the child is taken", "아동 개인정보의 수집"),
    "about.provision": Words("Giving data to {name}", "제3자 제공: {name}"),
    "about.entrustment": Words("Work done by {name}", "처리 위탁: {name}"),
    # ── taking back ──
    "end.title": Words("Take back: {what}", "동의 철회: {what}"),
    "end.lead": Words(
        "No reason is needed. It holds from the moment you confirm.",
        "이유를 밝히지 않으셔도 됩니다. 확인하시는 즉시 효력이 있습니다.",
    ),
    "end.engagements": Words("This ends", "함께 끝나는 것"),
    "end.destroyed": Words("Destroyed after that", "이후 파기하는 항목"),
    "end.kept": Words("{item} is kept for", "{item}: 계속 보유하는 이유"),
    "end.recipient": Words("Recipient", "제공받는 자"),
    "end.recipient-text": Words(
        "{recipient} gets nothing more from us.",
        "{recipient}에 더 이상 제공하지 않습니다.",
    ),
    "end.nothing": Words("Nothing else ends with it.", "함께 끝나거나 파기되는 것은 없습니다."),
    "end.now": Words("Take it back now", "지금 철회"),
    "end.back": Words("Leave it as it is", "그대로 두기"),
    # ── children ──
    "representative.title": Words("Who decides for you", "법정대리인 동의"),
    "representative.lead": Words(
        "You are under {under}. Before we take anything, your parent or guardian must agree.",
        "만 {under}세 미만입니다. 정보를 받기 전에 부모님 등 법정대리인의 동의가 필요합니다.",
    ),
    "representative.kept": Words(
        "Write the name and how we reach them. It is used for this question only and destroyed with the answer.",
        "이름과 연락처를 적어 주세요. 동의를 묻는 데만 쓰고, 답을 받으면 파기합니다.",
    ),
    "representative.send": Words("Ask them", "동의 요청 보내기"),
    "representative.sent": Words(
        "We sent them a link. It goes on when they have answered.",
        "동의를 묻는 주소를 보냈습니다. 답을 받으면 이어서 진행됩니다.",
    ),
    "representative.answered": Words("They have agreed.", "법정대리인이 동의했습니다."),
    "representative.address-missing": Words(
        "Write an e-mail address or a telephone number.", "전자우편 주소나 전화번호를 적어 주세요."
    ),
    "representative.elsewhere": Words(
        "This service takes nothing from children on this page.", "이 화면에서는 아동의 정보를 받지 않습니다."
    ),
    "consent.told-at": Words("Where we tell you what concerns the child", "아동에 관한 통지를 받으실 연락처"),
    "consent.told-at-hint": Words(
        "An e-mail address or a telephone number, if you wish. Notices and answers go there instead of to the child, "
        "until the child is fourteen. Left empty, they go to the child.",
        "원하시면 전자우편 주소나 전화번호를 적어 주십시오. 아동이 만 14세가 될 때까지 통지와 답변을 아동 대신 "
        "받으십니다. 비워 두시면 아동에게 보냅니다.",
    ),
    "consent.address-unusable": Words(
        "That is neither an e-mail address nor a telephone number.", "전자우편 주소나 전화번호가 아닙니다."
    ),
    "mail.link-subject": Words("{controller}: a child needs your answer", "{controller} 아동 개인정보 동의 요청"),
    "mail.link": Words(
        "A child named you to {controller} as legal representative. Please read what is asked and decide: {link}\n"
        "The link is valid for five days. Without an answer nothing is taken and this address is destroyed.",
        "{controller}에 아동이 귀하를 법정대리인으로 알려 왔습니다. 내용을 읽고 결정해 주십시오: {link}\n"
        "주소는 5일 동안 유효합니다. 답하지 않으시면 아무것도 수집하지 않으며 이 연락처는 파기합니다.",
    ),
    # ── heard by a counsellor, or come by letter ──
    "heard.title": Words("Record a consent", "동의 기록"),
    "heard.channel": Words("How it came", "받은 방법"),
    "heard.choose": Words("Show the questions", "질문 보기"),
    "heard.no-ways": Words("The policy takes consent on its page only.", "처리방침에 따라 동의는 화면으로만 받습니다."),
    "heard.by-tick": Words("One box is ticked for each matter.", "항목마다 따로 표시합니다."),
    "heard.by-signed-form": Words(
        "The form is signed by the person. Its copy is the evidence.",
        "정보주체가 서명한 서식으로 받습니다. 사본을 증빙으로 남기십시오.",
    ),
    "heard.by-spoken": Words(
        "Read the questions out and wait for a yes to each. The recording is the evidence.",
        "질문을 하나씩 읽고 각각 답을 들으십시오. 녹취를 증빙으로 남기십시오.",
    ),
    "heard.by-reply-message": Words(
        "The person answers a text message. The message is the evidence.",
        "정보주체가 문자로 회신합니다. 회신 문자를 증빙으로 남기십시오.",
    ),
    "heard.by-reply-mail": Words(
        "The person answers an e-mail. The answer is the evidence.",
        "정보주체가 전자우편으로 회신합니다. 회신 메일을 증빙으로 남기십시오.",
    ),
    "heard.script": Words("Read this out", "읽어 드릴 내용"),
    "heard.opening": Words(
        "I speak for {controller} and ask you for each matter by itself; you may say no to each.",
        "{controller}입니다. 항목마다 따로 여쭙겠습니다. 항목마다 거절하실 수 있습니다.",
    ),
    "heard.representative": Words(
        "The person is a child: the legal representative answers.", "아동이므로 법정대리인이 답합니다."
    ),
    "heard.closing": Words(
        "You may take each of them back at any time, in the same way.", "언제든지 같은 방법으로 철회하실 수 있습니다."
    ),
    "heard.back": Words("Taken back", "철회"),
    "heard.takes-back": Words("Takes back: {what}", "철회합니다: {what}"),
    "heard.evidence": Words("Evidence", "증빙"),
    "heard.reference": Words("Where the recording or message lies", "녹취·문자 번호"),
    "heard.reference-hint": Words("Its number in your own system.", "사용하는 시스템의 번호를 적으십시오."),
    "heard.file": Words("Or a file: form, letter, fax, mail", "또는 파일: 서식, 편지, 팩스, 메일"),
    "heard.save": Words("Record", "기록"),
    "heard.nothing-said": Words("Tick what was said.", "답한 항목을 표시해 주십시오."),
    "heard.text-changed": Words(
        "A text has changed since it was read out. Nothing was recorded.",
        "읽어 드린 뒤 내용이 바뀌었습니다. 기록된 것은 없습니다.",
    ),
    "heard.evidence-missing": Words(
        "Nothing was recorded: a consent needs its evidence.", "기록된 것은 없습니다. 동의에는 증빙이 필요합니다."
    ),
    "file.kinds": Words("PDF, PNG or JPEG of at most 5 MB.", "PDF, PNG, JPEG 파일, 5MB까지."),
    "file.scanned": Words("It is scanned for malware.", "악성코드를 검사합니다."),
    "file.by-hand": Words("It is looked at by a person.", "담당자가 직접 확인합니다."),
    # ── what went wrong ──
    "error.link-over": Words("This link is over", "사용할 수 없는 주소입니다"),
    "help.link-over": Words(
        "Its time is over, or it was cut off on its way. Ask the service for a new one.",
        "유효 기간이 지났거나 주소가 잘렸습니다. 서비스에서 새 주소를 받아 주십시오.",
    ),
    "error.consent-refused": Words("This cannot be agreed to here", "여기에서 동의할 수 없습니다"),
    "help.consent-refused": Words(
        "A legal representative decides for a child. Nothing was recorded for that matter.",
        "아동은 법정대리인이 결정합니다. 해당 사항은 기록되지 않았습니다.",
    ),
    "error.consent-unknown": Words("There is no such agreement", "해당 동의가 없습니다"),
    "help.consent-unknown": Words(
        "It was taken back before, or never given.", "이미 철회했거나 동의한 적이 없는 사항입니다."
    ),
    "error.no-web-channel": Words("Consent is not taken on pages", "화면으로 동의를 받지 않습니다"),
    "help.no-web-channel": Words(
        "The privacy policy names the channels for it.", "처리방침에 적힌 다른 방법을 이용해 주십시오."
    ),
    "error.no-sender": Words("Nothing can be sent from here", "이 화면에서 보낼 수 없습니다"),
    "help.no-sender": Words(
        "Nothing was kept. Use another channel of the privacy policy.",
        "저장된 것은 없습니다. 처리방침의 다른 방법을 이용해 주십시오.",
    ),
    "error.asked-already": Words("A link is on its way already", "이미 주소를 보냈습니다"),
    "help.asked-already": Words(
        "Wait for the answer; the link is valid for five days.", "답을 기다려 주십시오. 주소는 5일 동안 유효합니다."
    ),
}
