"""Words of accounts of staff, and of what was left open."""

from typing import Final

from upheld.policy.wording import Words

WORDS: Final = {
    "menu.accounts": Words("Accounts", "계정 관리"),
    "menu.reviews": Words("Left open", "종료 확인"),
    "staff.lead": Words(
        "Who may sign in, with the least that their work needs.", "업무에 필요한 최소한의 권한만 부여합니다."
    ),
    "staff.change": Words("Change", "관리"),
    "staff.reset": Words("Reset", "재설정"),
    "staff.close": Words("Close", "말소"),
    "staff.add": Words("A new account", "계정 추가"),
    "staff.add-now": Words("Open it and show its secrets", "비밀번호를 표시하여 만들기"),
    "staff.invite": Words("Invite by a link", "링크로 초대"),
    "staff.manage": Words("Reset or close", "재설정·말소"),
    "staff.waits": Words("not taken up yet; the link holds until {day}", "아직 등록 전 · 링크 유효기간 {day}"),
    "staff.taken-up": Words("State", "상태"),
    "staff.reset-lead": Words(
        "Password, second factor and every session end at once.",
        "비밀번호와 2차 인증, 열려 있는 모든 접속이 즉시 끝납니다.",
    ),
    "staff.reset-by-link": Words("Reset, and invite by a link", "재설정하고 링크로 초대"),
    "staff.reset-by-hand": Words("Reset and show new secrets", "재설정하고 비밀번호 표시"),
    "staff.close-lead": Words(
        "Duties are revoked, sessions end, secrets are destroyed.",
        "권한을 회수하고 접속을 끊으며 비밀정보를 파기합니다.",
    ),
    "staff.close-now": Words("Close the account", "계정 말소"),
    "staff.invited": Words("The link to hand over", "전달할 링크"),
    "staff.invited-lead": Words(
        "{name} sets a password and a second factor by this link. It holds for {hours} hours, opens once, and cannot "
        "be shown again. Hand it over by a way that only they read.",
        "{name} 님이 이 링크에서 비밀번호와 2차 인증을 직접 정합니다. {hours}시간 동안 한 번만 쓸 수 있고 다시 "
        "표시되지 않습니다. 본인만 볼 수 있는 방법으로 전달하십시오.",
    ),
    "join.title": Words("Take up your account", "계정 등록"),
    "join.lead": Words(
        "Sign-in name {name}, {role}. The link opens once, until {day}.",
        "아이디 {name}, {role}. 이 링크는 {day}까지 한 번만 쓸 수 있습니다.",
    ),
    "join.factor": Words(
        "Put this key into an authenticator app; then type the six digits that it shows.",
        "이 키를 인증 앱에 등록한 뒤, 앱에 표시되는 숫자 6자리를 입력하십시오.",
    ),
    "join.code": Words("Code of the authenticator", "인증 앱의 숫자"),
    "join.code-wrong": Words(
        "The code is not right. Take the new key below and try again.",
        "숫자가 맞지 않습니다. 아래 새 키로 다시 등록해 주십시오.",
    ),
    "join.now": Words("Take it up", "등록하기"),
    "join.done": Words("The account is yours", "계정이 등록되었습니다"),
    "join.keep": Words(
        "Keep these codes where only you find them. Each stands in for the authenticator once. They are not shown "
        "again.",
        "아래 코드는 본인만 아는 곳에 보관하십시오. 인증 앱을 쓸 수 없을 때 하나씩 쓸 수 있으며 다시 표시되지 "
        "않습니다.",
    ),
    "staff.name-hint": Words("3 to 64 letters, digits, and . _ @ -", "영문자, 숫자, . _ @ - 로 3~64자"),
    "staff.why": Words("Why", "부여 사유"),
    "staff.duties-hint": Words(
        "Only what this work needs. An auditor has none.", "필요한 것만 고르십시오. 감사자는 고르지 않습니다."
    ),
    "staff.approver": Words("Who approves", "승인자"),
    "staff.approver-hint": Words(
        "Another officer, where the policy wants an approval.",
        "처리방침이 승인을 요구하면 다른 책임자의 이름을 적습니다.",
    ),
    "staff.approver-code": Words("Code of who approves", "승인자의 인증번호"),
    "staff.not-approved": Words(
        "The policy wants the approval of another officer; name and code do not show it.",
        "다른 책임자의 승인이 필요합니다. 승인자 이름과 인증번호를 확인해 주십시오.",
    ),
    "staff.made": Words("What to hand over", "전달할 내용"),
    "staff.once": Words(
        "None of this can be shown again. Let the password be changed at the first sign-in.",
        "다시 표시되지 않습니다. 처음 로그인할 때 비밀번호를 바꾸게 하십시오.",
    ),
    "staff.authenticator": Words("Authenticator", "인증 앱 키"),
    "staff.recovery": Words("Recovery codes", "복구 코드"),
    "staff.arrivals": Words("Sign-ins", "로그인 기록"),
    "staff.arrivals-lead": Words(
        "Addresses are kept encrypted as long as access records, then destroyed.",
        "접속 주소는 접속기록 보관 기간 동안 암호화하여 보관한 뒤 파기합니다.",
    ),
    "staff.when": Words("When", "시각"),
    "staff.where-from": Words("From where", "접속 주소"),
    "grant-reason.new-task": Words("a new task", "업무 추가"),
    "grant-reason.replacement": Words("takes over from somebody", "업무 인수"),
    "grant-reason.new-hire": Words("new here", "신규 입사"),
    "grant-reason.audit-planned": Words("an audit is planned", "감사 예정"),
    "error.account-unknown": Words("There is no such account", "해당 계정이 없습니다"),
    "help.account-unknown": Words("Somebody may have closed it.", "이미 말소된 계정일 수 있습니다."),
    "error.own-account": Words("Not one's own account", "본인 계정은 관리할 수 없습니다"),
    "help.own-account": Words("Another officer resets or closes it.", "다른 책임자가 재설정하거나 말소해야 합니다."),
    "reviews.none": Words("Nothing is up for a look.", "확인할 것이 없습니다."),
    "reviews.reason": Words("Why it goes on", "계속하는 사유"),
    "reviews.save": Words("Record the look", "확인 기록"),
    "review-outcome.kept": Words("it goes on", "계속됨"),
    "review-outcome.closed": Words("it is over", "끝남"),
    "review-outcome.destroyed": Words("it is over; destroy what nothing else keeps", "끝남, 남은 것 파기"),
    "review-reason.still-runs": Words("the contract or service runs", "계약·이용이 계속됨"),
    "review-reason.still-owed": Words("something is still owed", "정산이 남음"),
    "review-reason.dispute-goes-on": Words("the dispute goes on", "분쟁이 계속됨"),
    "review-reason.told-of-age": Words("the person came of age and was told", "성년이 된 사실을 안내함"),
}
