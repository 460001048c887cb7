"""Words of the cookie page and of the banner that sites show."""

from typing import Final

from upheld.policy.wording import Words

WORDS: Final = {
    "cookies.title": Words("Cookies", "쿠키 안내"),
    "cookies.lead": Words(
        "These cookies are declared. No other is set.", "다음 쿠키만 사용합니다. 이 밖의 쿠키는 설치하지 않습니다."
    ),
    "cookies.name": Words("Cookie", "쿠키"),
    "cookies.purpose": Words("What for", "목적"),
    "cookies.lasts": Words("How long", "보관 기간"),
    "cookies.choice": Words("Choice", "선택"),
    "cookies.needed": Words("always set", "항상 설치"),
    "cookies.asked": Words("only if you agree", "동의하신 경우에만"),
    "cookies.necessary": Words("needed for the site to work", "사이트 이용에 필요"),
    "cookies.session": Words("until the browser is closed", "브라우저를 닫을 때까지"),
    "cookies.refuse": Words("How to refuse", "거부하는 방법"),
    "cookies.refuse-lead": Words(
        "On the site, open the cookie settings and choose again at any time. The site works all the same.",
        "사이트의 쿠키 설정에서 언제든지 다시 고르실 수 있습니다. 거부하셔도 사이트를 이용하실 수 있습니다.",
    ),
    "cookies.gpc": Words(
        "A browser that sends Global Privacy Control has refused; it is not asked.",
        "브라우저의 글로벌 개인정보 제어(GPC)가 켜져 있으면 거부하신 것으로 보고 묻지 않습니다.",
    ),
    "cookies.browser": Words(
        "What your browser blocks or deletes stays so.", "브라우저에서 차단하거나 삭제한 쿠키는 다시 설치하지 않습니다."
    ),
    "cookies.log": Words(
        "Your choice is kept for a year under a number that only your browser knows; it names nobody.",
        "선택하신 내용은 브라우저만 아는 번호로 1년 동안 보관하며, 누구인지는 남기지 않습니다.",
    ),
    "cookies.none": Words("No cookie is declared; none is set.", "사용하는 쿠키가 없습니다."),
    "cookies.for-sites": Words("For whoever runs a site of this policy", "이 처리방침을 쓰는 사이트 운영자용 코드"),
    "banner.title": Words("Cookies", "쿠키 설정"),
    "banner.lead": Words(
        "Only what is necessary is set until you choose.", "고르시기 전에는 꼭 필요한 쿠키만 설치합니다."
    ),
    "banner.refuse": Words("Only necessary", "필요한 것만"),
    "banner.chosen": Words("What I ticked", "선택한 것만"),
    "banner.all": Words("All", "모두 허용"),
    "banner.more": Words("About the cookies", "쿠키 안내 보기"),
    "error.too-many-choices": Words("Too many choices", "선택이 너무 많습니다"),
    "help.too-many-choices": Words("Wait a while.", "잠시 뒤 다시 시도해 주십시오."),
}
