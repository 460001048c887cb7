"""Words of signing in with the house's own provider, and of who did not get in."""

from typing import Final

from upheld.policy.wording import Words

WORDS: Final = {
    "onward.with": Words("Continue with: {provider}", "{provider} 로그인"),
    "onward.away": Words("On to the sign-in", "로그인 화면으로 이동"),
    "onward.away-lead": Words(
        "You are led to the sign-in of our house and come back here afterwards.",
        "통합 로그인 화면으로 이동합니다. 로그인한 뒤 이 화면으로 돌아옵니다.",
    ),
    "onward.back": Words("You are back", "로그인 확인"),
    "onward.back-lead": Words("The sign-in was recognised.", "로그인이 확인되었습니다."),
    "onward.out": Words("You are signed out here", "로그아웃되었습니다"),
    "onward.out-lead": Words(
        "You are led on to sign out of our house as well, and come back here afterwards.",
        "통합 로그인에서도 로그아웃하도록 이동합니다. 로그아웃한 뒤 이 화면으로 돌아옵니다.",
    ),
    "onward.go": Words("Go on", "계속"),
    "error.not-signed-in": Words("Nobody was signed in", "로그인하지 못했습니다"),
    "help.not-signed-in": Words(
        "The answer does not belong to this browser, was used before, or came too late. Begin again here.",
        "이 브라우저에서 시작한 로그인이 아니거나 이미 사용되었거나 시간이 지났습니다. 다시 시도해 주십시오.",
    ),
    "error.not-bound": Words("No account belongs to this sign-in", "연결된 담당자 계정이 없습니다"),
    "help.not-bound": Words(
        "Signing in makes no account. The privacy officer binds an account to your sign-in beforehand.",
        "로그인만으로 계정이 만들어지지 않습니다. 개인정보 보호책임자가 먼저 계정을 연결해야 합니다.",
    ),
    "error.not-known": Words("We do not know you by this sign-in", "등록된 정보와 일치하지 않습니다"),
    "help.not-known": Words(
        "It has to name an address or number that one person alone gave us here. You can ask for a code instead.",
        "한 분만 등록하신 주소나 번호여야 합니다. 인증번호를 받아 확인하실 수도 있습니다.",
    ),
    "error.provider-away": Words("The sign-in does not answer", "로그인 서비스가 응답하지 않습니다"),
    "help.provider-away": Words(
        "Nothing was changed. Try again later, or sign in the other way.",
        "변경된 내용은 없습니다. 잠시 뒤 다시 시도하거나 다른 방법으로 로그인해 주십시오.",
    ),
    "menu.sign-ins": Words("Sign-ins", "로그인 관리"),
    "sign-ins.lead": Words(
        "Who did not get in, and who of the staff is whom at the sign-in of the house.",
        "로그인하지 못한 기록과 담당자 계정의 통합 로그인 연결을 관리합니다.",
    ),
    "sign-ins.besieged": Words(
        "Somebody tries to get in: {tries} failed sign-ins since yesterday.",
        "로그인 시도가 잇따르고 있습니다. 어제부터 {tries}번 실패했습니다.",
    ),
    "sign-ins.none": Words("No failed tries in the last seven days.", "최근 7일 동안 실패한 기록이 없습니다."),
    "sign-ins.at": Words("Last at", "마지막 시각"),
    "sign-ins.why": Words("Why", "이유"),
    "sign-ins.account": Words("Account", "계정"),
    "staff.identities": Words("Sign-in of the house", "통합 로그인 연결"),
    "staff.identities-lead": Words(
        "Whom the provider knows by this text signs in as this account. Nobody else does.",
        "통합 로그인에서 이 값을 가진 사람만 이 계정으로 로그인합니다.",
    ),
    "staff.provider": Words("Provider", "제공자"),
    "staff.identity": Words("Identity there", "제공자 계정 식별값"),
    "staff.bind": Words("Bind", "연결"),
    "staff.unbind": Words("Unbind", "연결 해제"),
    "staff.failures": Words("Who did not get in", "로그인 실패"),
    "staff.failures-lead": Words(
        "Tries of the last seven days, one row for each thing that was tried in a day. What was typed is not kept.",
        "최근 7일의 실패 기록입니다. 하루에 같은 대상으로 시도한 것은 한 줄로 묶었고, 입력한 값은 남기지 않습니다.",
    ),
    "staff.tries": Words("Tries", "횟수"),
    "staff.step": Words("Step", "단계"),
    "staff.nobody": Words("unknown", "알 수 없음"),
    "failed.password": Words("name and password", "아이디·비밀번호"),
    "failed.second": Words("second step", "2단계 확인"),
    "failed.provider": Words("sign-in of the house", "통합 로그인"),
    "failed.code": Words("code of a person", "정보주체 인증번호"),
    "failed.address": Words("asking for a code", "인증번호 요청"),
    "failed-why.wrong": Words("wrong", "불일치"),
    "failed-why.too-many": Words("too many tries", "시도 횟수 초과"),
    "failed-why.not-bound": Words("bound to no account", "연결된 계정 없음"),
    "failed-why.not-known": Words("nobody's or several persons'", "등록된 정보와 불일치"),
    "failed-why.refused-there": Words("refused by the provider", "제공자가 거부"),
    "failed-why.provider": Words("the provider did not answer as it should", "제공자 응답 오류"),
    "failed-why.answer": Words("an answer that does not belong here", "유효하지 않은 로그인 응답"),
}
