"""The question a person is asked, made from the policy: what for, what of, how long, and that one may refuse.

LAW: Personal Information Protection Act 15(2) and 17(2) name the matters that must be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from upheld.engine.plan import EntrustmentPlan, Plan, PurposePlan
from upheld.engine.state import About, AboutKind
from upheld.policy.ends import EarlierOf, End, LaterOf, Plus, Point

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "purpose": "Purpose",
        "items": "Items",
        "until": "Kept and used until",
        "recipient": "Recipient",
        "their-use": "What the recipient uses it for",
        "processor": "Who works for us",
        "task": "What they do for us",
        "receive": "May we send advertising messages by",
        "night": "May we send them between 21:00 and 08:00 by",
        "item": "May we process this item, which the law protects specially",
        "permission": "May the application use this permission of your device",
        "transfer": "May your data leave the country",
        "representative": "As legal representative, do you agree that we process the data of the child",
        "refuse": "You may refuse",
        "free": "nothing is withheld from you for that.",
        "needed": "the service that needs it cannot be given then.",
        "later": "the later of",
        "earlier": "the earlier of",
    },
    "ko": {
        "purpose": "목적",
        "items": "항목",
        "until": "보유·이용 기간",
        "recipient": "제공받는 자",
        "their-use": "제공받는 자의 이용 목적",
        "processor": "처리를 위탁받는 자",
        "task": "위탁하는 업무",
        "receive": "광고성 정보를 다음 방법으로 보내도 되겠습니까",
        "night": "21시부터 8시까지의 전송에 동의하십니까",
        "item": "법이 특별히 보호하는 다음 항목의 처리에 동의하십니까",
        "permission": "앱의 다음 접근권한 사용에 동의하십니까",
        "transfer": "개인정보의 국외 이전에 동의하십니까",
        "representative": "법정대리인으로서 아동의 개인정보 처리에 동의하십니까",
        "refuse": "동의를 거부할 수 있으며",
        "free": "거부하여도 불이익이 없습니다.",
        "needed": "거부하면 해당 서비스를 제공할 수 없습니다.",
        "later": "다음 중 늦은 때",
        "earlier": "다음 중 이른 때",
    },
}


def question(plan: Plan, about: About, locale: str) -> str:
    """The text shown for one consent, in a locale of the policy (English words where a locale has none of ours)."""
    words = _WORDS.get(locale.partition("-")[0], _WORDS["en"])
    match about.kind:
        case AboutKind.PURPOSE:
            return _purpose(plan, plan.purposes[about.name], locale, words)
        case AboutKind.PROVISION:
            row = plan.provisions[about.name]
            lines = [
                f"{words['recipient']}: {row.party}",
                f"{words['their-use']}: {_named(row.texts, locale, row.recipient)}",
                f"{words['items']}: {_items(plan, row.items, locale)}",
                f"{words['until']}: {_end(row.until, words)}",
                f"{words['refuse']}: {words['free']}",
            ]
            return "\n".join(lines)
        case AboutKind.ENTRUSTMENT:
            return _entrustment(plan, plan.entrustments[about.name], locale, words)
        case AboutKind.TRANSFER:
            transfer = plan.transfers[about.name]
            where = ", ".join(transfer.stored_in)
            items = _items(plan, transfer.items, locale)
            return f"{words['transfer']}: {transfer.party}, {where}\n{words['items']}: {items}"
        case AboutKind.MEDIUM:
            return f"{words['receive']}: {about.name}"
        case AboutKind.NIGHT:
            return f"{words['night']}: {about.name}"
        case AboutKind.ITEM:
            return f"{words['item']}: {_items(plan, [about.name], locale)}"
        case AboutKind.PERMISSION:
            return f"{words['permission']}: {_named(plan.purposes[about.name].texts, locale, about.name)}"
        case AboutKind.REPRESENTATIVE:
            return words["representative"]


def _entrustment(plan: Plan, row: EntrustmentPlan, locale: str, words: Mapping[str, str]) -> str:
    purposes = (_named(plan.purposes[one].texts, locale, one) for one in sorted(row.purposes))
    lines = [
        f"{words['processor']}: {row.party}",
        f"{words['task']}: {_named(row.texts, locale, row.processor)}",
        f"{words['purpose']}: {', '.join(purposes)}",
        f"{words['items']}: {_items(plan, row.items, locale)}",
        f"{words['refuse']}: {words['free']}",
    ]
    return "\n".join(lines)


def _purpose(plan: Plan, purpose: PurposePlan, locale: str, words: Mapping[str, str]) -> str:
    cost = _named(purpose.refused, locale, words["needed"] if purpose.required else words["free"])
    lines = [
        f"{words['purpose']}: {_named(purpose.texts, locale, purpose.name)}",
        f"{words['items']}: {_items(plan, purpose.items, locale)}",
        f"{words['until']}: {_end(purpose.until, words)}",
        f"{words['refuse']}: {cost}",
    ]
    return "\n".join(lines)


def _named(texts: Mapping[str, str], locale: str, otherwise: str) -> str:
    return texts.get(locale) or next(iter(texts.values()), otherwise)


def _items(plan: Plan, items: Iterable[str], locale: str) -> str:
    return ", ".join(sorted(_named(plan.items[item].texts, locale, item) for item in items if item in plan.items))


def _end(end: End | None, words: Mapping[str, str]) -> str:
    match end:
        case None:
            return "-"
        case Point(fact=fact, calendar=calendar):
            return f"{calendar} ({fact})" if calendar else fact
        case Plus(point=point, period=period):
            return f"{_end(point, words)} + {period}"
        case LaterOf(of=ends):
            return f"{words['later']}: {', '.join(_end(one, words) for one in ends)}"
        case EarlierOf(of=ends):
            return f"{words['earlier']}: {', '.join(_end(one, words) for one in ends)}"
