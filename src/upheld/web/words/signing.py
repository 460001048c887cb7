"""Words of signing in as staff, and of one's own account."""

from typing import Final

from upheld.policy.wording import Words

WORDS: Final = {
    "sign-in.title": Words("Staff sign in", "담당자 로그인"),
    "sign-in.lead": Words(
        "For those who process personal data under this policy. Every sign-in and look-up is on record.",
        "이 처리방침에 따라 개인정보를 처리하는 담당자를 위한 화면입니다. 조회는 모두 기록됩니다.",
    ),
    "sign-in.name": Words("Name", "아이디"),
    "sign-in.password": Words("Password", "비밀번호"),
    "sign-in.next": Words("Next", "다음"),
    "sign-in.wrong": Words("Name or password is wrong.", "아이디 또는 비밀번호가 올바르지 않습니다."),
    "sign-in.changed": Words(
        "The password was changed. Sign in with it.", "비밀번호를 바꾸었습니다. 다시 로그인해 주십시오."
    ),
    "sign-in.second": Words("Second step", "2단계 확인"),
    "sign-in.second-lead": Words(
        "Enter the code that your authenticator shows now.", "인증 앱에 표시된 번호를 입력해 주십시오."
    ),
    "sign-in.code": Words("Code", "인증번호"),
    "sign-in.code-hint": Words(
        "Six digits. Without your device, one of your recovery codes.",
        "6자리 숫자입니다. 기기가 없으면 복구 코드 하나를 입력하십시오.",
    ),
    "sign-in.code-wrong": Words("The code is wrong or was used before.", "번호가 올바르지 않거나 이미 사용되었습니다."),
    "sign-in.enter": Words("Sign in", "로그인"),
    "account.role": Words("Kind of account", "계정 유형"),
    "account.duties": Words("Roles of the policy", "처리방침상의 역할"),
    "account.tasks": Words("Duties", "담당 업무"),
    "account.purposes": Words("Purposes", "담당 목적"),
    "account.change": Words("Change the password", "비밀번호 변경"),
    "account.old": Words("Password now", "현재 비밀번호"),
    "account.new": Words("New password", "새 비밀번호"),
    "account.again": Words("New password again", "새 비밀번호 확인"),
    "account.hint": Words("At least {shortest} characters.", "{shortest}자 이상이어야 합니다."),
    "account.save": Words("Change", "변경"),
    "account.passwords-differ": Words("The two new passwords differ.", "새 비밀번호가 서로 다릅니다."),
    "account.password-short": Words("The new password is too short.", "새 비밀번호가 너무 짧습니다."),
    "account.password-wrong": Words("The password now is wrong.", "현재 비밀번호가 올바르지 않습니다."),
    "role.officer": Words("privacy officer", "개인정보 보호책임자"),
    "role.handler": Words("handler", "개인정보취급자"),
    "role.auditor": Words("auditor, reads only", "감사자 (조회만)"),
    "duty.requests": Words("requests of persons", "권리 행사 처리"),
    "duty.separated": Words("separated data", "분리 보관 정보"),
    "duty.destruction": Words("destruction", "파기"),
    "duty.audit": Words("audit", "감사"),
}
