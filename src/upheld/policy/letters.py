"""Letters that the system writes to people: a subject and a few sentences for each kind of notice, in two languages.

What stands in braces is filled in: from the document (`controller`, `policy`, `phone`, `site`), and by whoever sends
the notice. A letter that lacks something is not written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Final

from upheld.errors import InputRefused
from upheld.policy.model import Policy
from upheld.policy.wording import Words

TITLES: Final[Mapping[str, Words]] = {
    "business-transfer": Words("{controller}: your data will pass on", "[{controller}] 개인정보의 이전 안내"),
    "breach": Words("{controller}: a leak of personal data", "[{controller}] 개인정보 유출 안내"),
    "possible-breach": Words(
        "{controller}: a possible leak of personal data", "[{controller}] 개인정보 유출 가능성 안내"
    ),
    "change": Words("{controller}: our privacy policy changes", "[{controller}] 개인정보 처리방침 변경 안내"),
    "marketing-entrusted": Words("{controller}: who advertises for us", "[{controller}] 홍보 업무의 위탁 안내"),
    "source": Words("{controller}: where we have your data from", "[{controller}] 개인정보의 수집 출처 안내"),
    "yearly-use": Words("{controller}: how we used your data", "[{controller}] 개인정보 이용·제공 내역 안내"),
    "outcome": Words("{controller}: the answer to your request", "[{controller}] 요구하신 사항의 처리 결과"),
    "consent-confirmed": Words("{controller}: what you told us", "[{controller}] 수신동의 처리 결과 안내"),
    "reconfirmation": Words(
        "{controller}: do you still agree to receive news", "[{controller}] 광고성 정보 수신동의 확인 안내"
    ),
    "representative-asked": Words(
        "{controller}: a child needs your answer", "[{controller}] 아동의 개인정보 수집에 대한 법정대리인 동의 요청"
    ),
    "grown-up": Words("{controller}: you decide for yourself now", "[{controller}] 만 14세가 되신 것에 대한 안내"),
}
BODIES: Final[Mapping[str, Words]] = {
    "business-transfer": Words(
        "{fact} On {effective} the data that we hold about you passes to {transferee} ({contact}). {transferee} may "
        "use it for the purposes that you know and for no others.\n\nIf you do not want that: {refusing}",
        "{fact} {effective}에 저희가 보유한 귀하의 개인정보가 {transferee}({contact})(으)로 이전됩니다. "
        "{transferee}은(는) 본래의 목적으로만 이를 이용할 수 있습니다.\n\n이전을 원하지 않으시면: {refusing}",
    ),
    "breach": Words(
        "What was affected: {items}\nWhen and how: {when}\nWhat you can do: {advice}\nWhat we do: {response}\n"
        "Where you can report damage: {contact}\nYour rights: {remedies}",
        "유출된 항목: {items}\n시점과 경위: {when}\n피해를 줄이기 위해 하실 수 있는 일: {advice}\n"
        "저희의 대응: {response}\n"
        "피해 신고처: {contact}\n손해배상 등 권리: {remedies}",
    ),
    "possible-breach": Words(
        "We have signs that data may have leaked. What may be affected: {items}\nWhen and how: {when}\nWhat you can "
        "do: {advice}\nWhere you can turn to: {contact}\nWe write again as soon as we know more.",
        "개인정보가 유출되었을 가능성이 있습니다. 해당할 수 있는 항목: {items}\n시점과 경위: {when}\n"
        "하실 수 있는 일: {advice}\n"
        "문의처: {contact}\n확인되는 대로 다시 알려 드리겠습니다.",
    ),
    "change": Words(
        "From {effective} a new version of our policy holds. What changes: {differences}\nThe whole text: {site}",
        "{effective}부터 변경된 처리방침이 시행됩니다. 변경되는 내용: {differences}\n전문: {site}",
    ),
    "marketing-entrusted": Words(
        "{processor} now does this for us: {task}\nThe list of all who work for us: {site}",
        "다음 업무를 {processor}에 위탁하였습니다: {task}\n수탁자 전체 목록: {site}",
    ),
    "source": Words(
        "We have your data from {origin}. We use it for: {purposes}\nYou may ask us to stop at any time.",
        "귀하의 개인정보는 {origin}(으)로부터 수집하였습니다. 처리 목적: {purposes}\n"
        "언제든지 처리정지를 요구하거나 동의를 철회하실 수 있습니다.",
    ),
    "yearly-use": Words(
        "In the past year we used these data of yours: {items}\nFor: {purposes}\nGiven to: {recipients}\n"
        "You find all of it at {site}",
        "지난 1년 동안 이용한 항목: {items}\n목적: {purposes}\n제공받은 자: {recipients}\n확인하시는 곳: {site}",
    ),
    "outcome": Words(
        "Your request of {received} ({right}): {outcome}\n{reason}\nIf you do not agree: {objection}",
        "{received}에 하신 요구({right})의 처리 결과: {outcome}\n{reason}\n이의가 있으시면: {objection}",
    ),
    "consent-confirmed": Words(
        "On {date} you told us: {said}. That is on record with us.",
        "{date}에 다음과 같이 의사를 표시하셨습니다: {said}. 저희가 이를 처리하였습니다.",
    ),
    "reconfirmation": Words(
        "On {date} you agreed to receive news from us ({medium}). That holds for two years. To go on receiving it, say "
        "so once more: {keeping}\nWithout an answer none comes any more. To refuse at once: {refusing}",
        "{date}에 광고성 정보 수신({medium})에 동의하셨으며 그 동의는 2년간 유효합니다. 계속 받으시려면 다시 동의해 "
        "주십시오: {keeping}\n답하지 않으시면 더 보내지 않습니다. 바로 거부하시려면: {refusing}",
    ),
    "representative-asked": Words(
        "A child named you as legal representative. Please read what is asked and decide: {link}\n\n"
        "The link is good for five days. Without an answer nothing is taken, and this address is destroyed.",
        "아동이 귀하를 법정대리인으로 알려 왔습니다. 내용을 읽고 결정해 주십시오: {link}\n\n"
        "주소는 5일 동안 유효합니다. 답하지 않으시면 아무것도 수집하지 않으며 이 연락처는 파기합니다.",
    ),
    "grown-up": Words(
        "You are now old enough to decide about your data yourself. What was agreed to for you stands: {agreed}\nYou "
        "may take it back at any time: {refusing}",
        "이제 본인의 개인정보에 관하여 스스로 결정하실 수 있습니다. "
        "법정대리인이 동의한 사항은 그대로 유효합니다: {agreed}\n"
        "언제든지 철회하실 수 있습니다: {refusing}",
    ),
}
_CLOSE: Final = Words("{controller}, privacy office, {phone}", "{controller} 개인정보 보호 담당 {phone}")


@dataclass(frozen=True, slots=True)
class Written:
    """A letter as somebody reads it."""

    subject: str
    text: str
    locale: str
    refusing: str = ""
    """Of an advertisement: the address by which a mail program offers to refuse it."""
    one_click: bool = False
    """Whether a bare POST to that address is the refusal (RFC 8058): then the mail program needs no page for it."""
    to: str = ""
    """The address of who acts for the person; empty: the person's own, which is looked up when the letter leaves."""


def fields_of(notice: str) -> frozenset[str]:
    """What a letter of this kind needs filled in, whoever gives it. Raises KeyError for no kind of letter."""
    texts = (TITLES[notice].en, BODIES[notice].en)
    return frozenset(name for text in texts for _, name, _, _ in Formatter().parse(text) if name)


def letter(policy: Policy, notice: str, locale: str, fields: Mapping[str, str]) -> Written:
    """Write the letter. Raises InputRefused, naming everything that is not filled in."""
    if notice not in BODIES:
        known = ", ".join(sorted(BODIES))
        raise InputRefused(
            "letter-unknown", f"there is no letter `{notice}`; give the text yourself, or choose: {known}"
        )
    own = _own(policy, locale)
    filled = {**own, **fields}
    missing = sorted(name for name in fields_of(notice) if not filled.get(name, "").strip())
    if missing:
        raise InputRefused("letter-incomplete", f"the letter `{notice}` lacks: {', '.join(missing)}")
    body = BODIES[notice].say(locale).format_map(filled)
    return Written(
        TITLES[notice].say(locale).format_map(filled), f"{body}\n\n{_CLOSE.say(locale).format_map(filled)}\n", locale
    )


def _own(policy: Policy, locale: str) -> dict[str, str]:
    """What the document tells itself."""
    texts = policy.controller.texts
    office = next((row for row in policy.contacts.values() if row.phone), None)
    site = next((row.site for row in policy.places.values() if row.site), None)
    return {
        "controller": texts.get(locale) or next(iter(texts.values())),
        "phone": (office.phone if office else None) or "",
        "site": site or "",
        "policy": policy.policy,
    }
