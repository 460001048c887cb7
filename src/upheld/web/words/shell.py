"""Words of the frame around every page, and of the pages that say what went wrong."""

from typing import Final

from upheld.policy.wording import Words

WORDS: Final = {
    "base.name": Words("Upheld", "Upheld"),
    "base.skip": Words("Skip to the content", "본문으로 바로가기"),
    "base.menu": Words("Menu", "메뉴"),
    "base.language": Words("Language", "언어"),
    "base.sign-out": Words("Sign out", "로그아웃"),
    "base.start": Words("First page", "처음 화면"),
    "base.path": Words("Where you are", "현재 위치"),
    "base.close-menu": Words("Close the menu", "메뉴 닫기"),
    "group.today": Words("Today", "오늘"),
    "group.persons": Words("People", "정보주체"),
    "group.promises": Words("Promises", "약속 이행"),
    "group.evidence": Words("Evidence", "증빙"),
    "group.settings": Words("Settings", "설정"),
    "base.footer": Words(
        "This page is made from the privacy policy itself.", "이 화면은 개인정보 처리방침에서 그대로 만들어집니다."
    ),
    "language.ko": Words("한국어", "한국어"),
    "language.en": Words("English", "English"),
    "menu.desk": Words("Due today", "오늘 할 일"),
    "menu.requests": Words("Requests", "권리 행사 요구"),
    "menu.people": Words("Look somebody up", "정보주체 조회"),
    "menu.calendar": Words("Destruction calendar", "분리·파기 일정"),
    "menu.report": Words("Clause report", "조항별 이행 현황"),
    "menu.ledger": Words("Ledger", "원장 검증"),
    "menu.own-account": Words("My account", "내 계정"),
    "menu.versions": Words("All versions", "지난 처리방침"),
    "menu.notice": Words("Privacy policy", "개인정보 처리방침"),
    "menu.portal": Words("What you hold on me", "내 개인정보 확인"),
    "menu.mine": Words("What is held on me", "내 개인정보"),
    "menu.consents": Words("Consents", "동의 현황"),
    "menu.ask": Words("Use a right", "권리 행사하기"),
    "menu.forms": Words("Forms to print", "서식"),
    "menu.sign-in": Words("Sign in", "로그인"),
    "menu.request": Words("The request", "요구"),
    "menu.person": Words("The person", "정보주체"),
    "menu.leak": Words("The leak", "유출 사고"),
    "menu.consent-link": Words("Your choices", "동의 화면"),
    "start.title": Words("Privacy policies", "개인정보 처리방침"),
    "start.lead": Words(
        "Whose policy is it about? Choose the company.",
        "어느 회사의 처리방침인지 고르십시오.",
    ),
    "start.notice": Words("Read the privacy policy", "개인정보 처리방침 읽기"),
    "start.notice-help": Words("The version in force, and every earlier one.", "시행 중인 처리방침과 지난 처리방침."),
    "start.portal": Words("See what is held on you", "내 개인정보 확인"),
    "start.portal-help": Words(
        "By a code to your e-mail or telephone: see, correct, erase, stop, take back consent.",
        "전자우편이나 휴대전화로 받은 인증번호로 확인합니다. 열람, 정정, 삭제, 처리정지, 동의 철회.",
    ),
    "start.console": Words("Staff: to the desk", "담당자 로그인"),
    "start.console-help": Words("For the privacy office and its handlers.", "개인정보 보호 부서와 취급자 전용."),
    "start.empty": Words(
        "No policy is on file yet. Publish one with the publish command.",
        "등록된 처리방침이 없습니다. publish 명령으로 등록하십시오.",
    ),
    # ── what went wrong, and what helps ──
    "error.back": Words("Back to where you were", "이전 화면으로"),
    "error.whom": Words(
        "Whom to ask about all this stands at the end of the policy:", "문의할 곳은 처리방침의 끝에 있습니다:"
    ),
    "error.number": Words("Number of the error: {status}", "오류 번호: {status}"),
    "error.not-found": Words("There is no such page", "찾는 화면이 없습니다"),
    "help.not-found": Words(
        "The address may be mistyped, or the page has moved.", "주소를 확인하시거나 처음 화면에서 다시 찾아 주십시오."
    ),
    "error.method-not-allowed": Words("This page cannot be used like that", "이 방법으로는 이용할 수 없는 화면입니다"),
    "help.method-not-allowed": Words("Go back and use its form.", "이전 화면의 양식을 이용해 주십시오."),
    "error.too-large": Words("Too much was sent at once", "한 번에 보낼 수 있는 크기를 넘었습니다"),
    "help.too-large": Words("Shorten it and send it again.", "내용을 줄여 다시 보내 주십시오."),
    "error.field-too-long": Words("A field is too long", "입력한 내용이 너무 깁니다"),
    "help.field-too-long": Words("Shorten it and send it again.", "내용을 줄여 다시 보내 주십시오."),
    "error.choice-unknown": Words("One of the choices is none that is offered", "선택할 수 없는 값입니다"),
    "help.choice-unknown": Words(
        "Go back, load the page again and choose from its list.", "이전 화면을 새로 고친 뒤 목록에서 골라 주십시오."
    ),
    "error.day-unreadable": Words("This is no day", "날짜를 읽을 수 없습니다"),
    "help.day-unreadable": Words("Give a day as year, month, day.", "날짜를 연-월-일로 입력해 주십시오."),
    "error.sign-in-needed": Words("Sign in first", "로그인이 필요합니다"),
    "help.sign-in-needed": Words("This page is for who is signed in.", "로그인한 분만 볼 수 있는 화면입니다."),
    "error.session-over": Words("Your session is over", "이용 시간이 끝났습니다"),
    "help.session-over": Words(
        "Nothing was changed. Sign in again and repeat what you did last.",
        "변경된 내용은 없습니다. 다시 로그인한 뒤 마지막 작업을 반복해 주십시오.",
    ),
    "error.not-your-duty": Words("This is not among your duties", "담당 업무가 아닙니다"),
    "help.not-your-duty": Words(
        "The policy gives this task to another role. The privacy officer grants roles.",
        "처리방침에 따라 다른 담당자의 업무입니다. 권한은 개인정보 보호책임자가 부여합니다.",
    ),
    "error.form-expired": Words("The form is too old", "양식의 유효 시간이 지났습니다"),
    "help.form-expired": Words(
        "Nothing was changed. Go back, load the page again and send the form once more.",
        "변경된 내용은 없습니다. 이전 화면을 새로 고친 뒤 다시 보내 주십시오.",
    ),
    "error.form-unreadable": Words("The form could not be read", "양식을 읽을 수 없습니다"),
    "help.form-unreadable": Words(
        "Go back, load the page again and use its own form.",
        "이전 화면을 새로 고친 뒤 그 화면의 양식을 이용해 주십시오.",
    ),
    "error.refused": Words("This cannot be done", "처리할 수 없는 요청입니다"),
    "help.refused": Words("Nothing was changed. The reason:", "변경된 내용은 없습니다. 사유는 다음과 같습니다."),
    "error.refused.access-first": Words("Answer the request for access first", "열람 요구에 먼저 답해야 합니다"),
    "help.refused.access-first": Words(
        "This person asked to see their data. An erasure waits until that is answered.",
        "이 정보주체의 열람 요구가 아직 열려 있습니다. 삭제는 그 답변 후에 할 수 있습니다.",
    ),
    "error.refused.already-answered": Words("This request has its answer", "이미 답변한 요구입니다"),
    "help.refused.already-answered": Words(
        "Somebody answered it before you. A new request opens a new deadline.",
        "다른 담당자가 먼저 답변했습니다. 새로운 요구는 새 기한으로 접수하십시오.",
    ),
    "error.refused.reason-unlawful": Words("The law gives no such ground", "법이 정한 사유가 아닙니다"),
    "help.refused.reason-unlawful": Words(
        "A suspension is refused on one of four grounds only; the first four reasons of the list.",
        "처리정지는 목록의 처음 네 가지 사유로만 거절할 수 있습니다.",
    ),
    "error.refused.something-held": Words("Something is held", "보유 중인 정보가 있습니다"),
    "help.refused.something-held": Words(
        "The request is about what stands in the list; answer in another way.",
        "목록에 보유 중인 정보가 있으므로 다른 결과로 답해 주십시오.",
    ),
    "error.store-failed": Words("A database did not answer", "데이터베이스가 응답하지 않습니다"),
    "help.store-failed": Words(
        "Nothing was released and nothing half done. Try again; if it stays, tell who runs the service.",
        "공개되거나 중간에 멈춘 작업은 없습니다. 다시 시도하고, 계속되면 운영 담당자에게 알려 주십시오.",
    ),
    "error.our-fault": Words("Something of ours failed", "내부 오류가 발생했습니다"),
    "help.our-fault": Words(
        "It is on record for who runs the service. Nothing was released.",
        "운영 담당자가 확인할 수 있도록 기록했습니다. 공개된 정보는 없습니다.",
    ),
    "error.too-many-tries": Words("Too many tries", "시도 횟수를 넘었습니다"),
    "help.too-many-tries": Words(
        "Wait half an hour and try again. Who forgot the password has it reset by the privacy officer.",
        "30분 뒤 다시 시도해 주십시오. 비밀번호를 잊었다면 개인정보 보호책임자에게 재설정을 요청하십시오.",
    ),
    "error.too-many-codes": Words("Too many codes were asked for", "인증번호 요청이 너무 많습니다"),
    "help.too-many-codes": Words(
        "Wait an hour and try again, or use another channel of the policy.",
        "한 시간 뒤 다시 시도하거나 처리방침의 다른 방법을 이용해 주십시오.",
    ),
    "error.too-many-looks": Words("Too many look-ups", "조회가 너무 많습니다"),
    "help.too-many-looks": Words(
        "So many look-ups in an hour are not desk work. Wait, or ask the privacy officer.",
        "한 시간에 허용된 조회 수를 넘었습니다. 기다리거나 개인정보 보호책임자에게 문의하십시오.",
    ),
    "error.version-unknown": Words("There is no such version", "해당 처리방침이 없습니다"),
    "help.version-unknown": Words(
        "All versions that were announced stand in the list.", "공고된 처리방침은 모두 목록에 있습니다."
    ),
    "error.versions-order": Words("The older version comes first", "비교 순서가 올바르지 않습니다"),
    "help.versions-order": Words(
        "Choose an older version and a newer one.", "이전 처리방침과 그보다 새로운 처리방침을 골라 주십시오."
    ),
    "error.request-unknown": Words("There is no such request", "해당 요구가 없습니다"),
    "help.request-unknown": Words(
        "It may belong to another policy, or its person was forgotten.",
        "다른 처리방침의 요구이거나, 정보주체의 기록이 모두 파기되었을 수 있습니다.",
    ),
    "error.changed-meanwhile": Words("Somebody changed this meanwhile", "그 사이 다른 담당자가 변경했습니다"),
    "help.changed-meanwhile": Words(
        "Nothing of yours was done. Load the page again and look at its state first.",
        "요청한 작업은 반영되지 않았습니다. 화면을 새로 고쳐 상태를 먼저 확인해 주십시오.",
    ),
    "error.person-unknown": Words("There is no such person", "해당 정보주체가 없습니다"),
    "help.person-unknown": Words(
        "The person belongs to another policy, or everything about them was destroyed.",
        "다른 처리방침의 정보주체이거나, 모든 정보가 파기되었습니다.",
    ),
    "error.look-up-first": Words("Look this person up first", "먼저 조회해야 합니다"),
    "help.look-up-first": Words(
        "A person's page opens after a look-up with a reason, which goes on record.",
        "조회 사유를 남기고 조회한 뒤에만 열 수 있습니다. 조회는 모두 기록됩니다.",
    ),
    "error.channel-undeclared": Words(
        "The policy does not take this right on this channel", "이 방법으로는 접수하지 않는 권리입니다"
    ),
    "help.channel-undeclared": Words(
        "Choose a channel that the policy names for this right.",
        "처리방침에 그 권리의 방법으로 적힌 것을 골라 주십시오.",
    ),
    "error.clause-unknown": Words("There is no such clause", "해당 조항이 없습니다"),
    "help.clause-unknown": Words(
        "The report lists the clauses of the version in force.", "시행 중인 처리방침의 조항은 현황 화면에 있습니다."
    ),
    "error.entry-unknown": Words("There is no such entry", "해당 기록이 없습니다"),
    "help.entry-unknown": Words(
        "It may belong to another policy, or its time was over and it was destroyed.",
        "다른 처리방침의 기록이거나, 보존 기간이 지나 파기되었습니다.",
    ),
    "error.order-unknown": Words("No such work order waits", "대기 중인 작업이 아닙니다"),
    "help.order-unknown": Words("Somebody may have done it already.", "다른 담당자가 이미 마쳤을 수 있습니다."),
    "error.certificate-unknown": Words("There is no such certificate", "해당 증명서가 없습니다"),
    "help.certificate-unknown": Words(
        "Its person may have been forgotten, or it belongs to another policy.",
        "정보주체의 기록이 모두 파기되었거나 다른 처리방침의 증명서입니다.",
    ),
    "error.paper-unknown": Words("There is no such paper", "해당 문서가 없습니다"),
    "help.paper-unknown": Words(
        "Copies are destroyed when they have been checked.", "사본은 확인이 끝나면 파기됩니다."
    ),
    "error.second-factor-needed": Words("A second proof is needed", "추가 확인이 필요합니다"),
    "help.second-factor-needed": Words(
        "Contents are shown to who has shown that two addresses are theirs.",
        "내용은 연락처 두 가지를 확인한 분에게만 보여 드립니다.",
    ),
}
