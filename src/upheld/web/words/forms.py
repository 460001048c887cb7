"""Words of the page of forms."""

from typing import Final

from upheld.policy.wording import Words

WORDS: Final = {
    "forms.title": Words("Forms", "서식"),
    "forms.lead": Words(
        "Print, fill in, and send by any channel that the policy names.",
        "인쇄하여 작성하신 뒤 처리방침에 적힌 방법으로 보내 주십시오.",
    ),
    "forms.pdf": Words("as PDF", "PDF로 받기"),
    "forms.letter": Words("Letter with the outcome", "결과 통지서"),
}
