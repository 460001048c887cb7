"""The question a person is asked, made from the policy: what for, what of, how long, and that one may refuse.

LAW: Personal Information Protection Act 15(2) and 17(2) name the matters that must be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from upheld.engine.plan import EntrustmentPlan, Plan, PurposePlan
from upheld.engine.state import About, AboutKind
from upheld.policy import plain
from upheld.policy.ends import EarlierOf, End, LaterOf, Plus, Point
from upheld.policy.model import Policy, Row
from upheld.policy.wording import Words

_WORDS: Final[Mapping[str, Words]] = {
    "purpose": Words("Purpose", "목적"),
    "items": Words("Items", "항목"),
    "until": Words("Kept and used until", "보유·이용 기간"),
    "kept": Words("Kept and used", "보유·이용 기간"),
    "recipient": Words("Recipient", "제공받는 자"),
    "their-use": Words("What the recipient uses it for", "제공받는 자의 이용 목적"),
    "processor": Words("Who works for us", "처리를 위탁받는 자"),
    "task": Words("What they do for us", "위탁하는 업무"),
    "receive": Words("May we send advertising messages by", "광고성 정보를 다음 방법으로 보내도 되겠습니까"),
    "night": Words(
        "May we send them between {begins}:00 and {ends}:00 by",
        "{begins}시부터 {ends}시까지의 전송에 동의하십니까",
    ),
    "item": Words(
        "May we process this item, which the law protects specially",
        "법이 특별히 보호하는 다음 항목의 처리에 동의하십니까",
    ),
    "permission": Words(
        "May the application use this permission of your device",
        "앱의 다음 접근권한 사용에 동의하십니까",
    ),
    "transfer": Words("May your data leave the country", "개인정보의 국외 이전에 동의하십니까"),
    "representative": Words(
        "As legal representative, do you agree that we process the data of the child",
        "법정대리인으로서 아동의 개인정보 처리에 동의하십니까",
    ),
    "refuse": Words("You may refuse", "동의를 거부할 수 있으며"),
    "free": Words("nothing is withheld from you for that.", "거부하여도 불이익이 없습니다."),
    "needed": Words("the service that needs it cannot be given then.", "거부하면 해당 서비스를 제공할 수 없습니다."),
    "may-refuse": Words("You may refuse. If you do", "동의를 거부할 수 있습니다. 거부하시면"),
    "said-free": Words("nothing is withheld from you.", "불이익이 없습니다."),
    "said-needed": Words("the service that needs it cannot be given.", "해당 서비스를 제공할 수 없습니다."),
    "later": Words("the later of", "다음 중 늦은 때"),
    "earlier": Words("the earlier of", "다음 중 이른 때"),
}


@dataclass(frozen=True, slots=True)
class _Asking:
    """One language; with the document, ends, companies and media are told in its words, else by their codes."""

    plan: Plan
    locale: str
    document: Policy | None

    @property
    def words(self) -> Mapping[str, str]:
        begins, ends = self.plan.country.night
        return {key: words.say(self.locale).format(begins=begins, ends=f"{ends:02}") for key, words in _WORDS.items()}

    def line(self, key: str, text: str) -> str:
        return f"{self.words[key]}: {text}"

    def items(self, items: Iterable[str]) -> str:
        known = self.plan.items
        return ", ".join(sorted(_named(known[item].texts, self.locale, item) for item in items if item in known))

    def party(self, code: str) -> str:
        return self._titled(self.document.parties if self.document else {}, code)

    def medium(self, code: str) -> str:
        return self._titled(self.document.advertising if self.document else {}, code)

    def _titled(self, rows: Mapping[str, Row], code: str) -> str:
        return plain.title_of(rows[code], self.locale) if code in rows else code

    def refusal(self, told: Mapping[str, str], needed: bool = False) -> str:
        """That one may refuse, and what it costs: as the policy tells it, else as the law has it."""
        cost = "needed" if needed else "free"
        if self.document is None:
            return self.line("refuse", _named(told, self.locale, self.words[cost]))
        return self.line("may-refuse", _named(told, self.locale, self.words[f"said-{cost}"]))

    def end(self, until: End | None, per: Iterable[str] = ()) -> str:
        if self.document is not None:
            return self.line("kept", plain.end(until, self.document, self.locale, per) or "-")
        return self.line("until", _end(until, self.words))


def question(plan: Plan, about: About, locale: str, document: Policy | None = None) -> str:
    """The text shown for one consent, in a locale of the policy (English words where a locale has none of ours).

    With the document the text is for people to read; without it ends and companies stand there by their codes.
    """
    asking = _Asking(plan, locale, document)
    words = asking.words
    match about.kind:
        case AboutKind.PURPOSE:
            return _purpose(asking, plan.purposes[about.name])
        case AboutKind.PROVISION:
            row = plan.provisions[about.name]
            lines = [
                asking.line("recipient", asking.party(row.party)),
                asking.line("their-use", _named(row.texts, locale, row.recipient)),
                asking.line("items", asking.items(row.items)),
                asking.end(row.until, row.per),
                asking.refusal({}),
            ]
            return "\n".join(lines)
        case AboutKind.ENTRUSTMENT:
            return _entrustment(asking, plan.entrustments[about.name])
        case AboutKind.TRANSFER:
            transfer = plan.transfers[about.name]
            where = ", ".join((asking.party(transfer.party), *transfer.stored_in))
            return f"{asking.line('transfer', where)}\n{asking.line('items', asking.items(transfer.items))}"
        case AboutKind.MEDIUM:
            return asking.line("receive", asking.medium(about.name))
        case AboutKind.NIGHT:
            return asking.line("night", asking.medium(about.name))
        case AboutKind.ITEM:
            return asking.line("item", asking.items([about.name]))
        case AboutKind.PERMISSION:
            return asking.line("permission", _named(plan.purposes[about.name].texts, locale, about.name))
        case AboutKind.REPRESENTATIVE:
            return words["representative"]


def _entrustment(asking: _Asking, row: EntrustmentPlan) -> str:
    known, locale = asking.plan.purposes, asking.locale
    purposes = (_named(known[one].texts, locale, one) for one in sorted(row.purposes))
    lines = [
        asking.line("processor", asking.party(row.party)),
        asking.line("task", _named(row.texts, locale, row.processor)),
        asking.line("purpose", ", ".join(purposes)),
        asking.line("items", asking.items(row.items)),
        asking.refusal({}),
    ]
    return "\n".join(lines)


def _purpose(asking: _Asking, purpose: PurposePlan) -> str:
    lines = [
        asking.line("purpose", _named(purpose.texts, asking.locale, purpose.name)),
        asking.line("items", asking.items(purpose.items)),
        asking.end(purpose.until, sorted(purpose.per)),
        asking.refusal(purpose.refused, purpose.required),
    ]
    return "\n".join(lines)


def _named(texts: Mapping[str, str], locale: str, otherwise: str) -> str:
    return texts.get(locale) or next(iter(texts.values()), otherwise)


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
