"""Notices of the calendar: each person who is owed one is told, by a medium that reaches them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from upheld.dates import Instant, moment
from upheld.desk.documents import Document
from upheld.desk.duties import FROM_OTHERS, OwedNotice, owed_notices
from upheld.desk.holdings import seen_of
from upheld.desk.languages import language_of
from upheld.desk.representatives import tell_in_place
from upheld.engine.state import HeldState
from upheld.keeper import Keeper
from upheld.policy.wording import Words
from upheld.store.views import Seen

AT_ONCE: Final = 200
"""Ours: so many persons are told by one press of a button; the rest by the next."""
_NONE: Final = Words("nobody", "없음")
_YES: Final = Words("news by {medium}: yes", "{medium} 광고성 정보 수신: 동의")
_NO: Final = Words("news by {medium}: no", "{medium} 광고성 정보 수신: 거부")


def tell_all(
    keeper: Keeper, document: Document, duty: str, refuse: Callable[[OwedNotice], str], site: str
) -> Counter[str]:
    """Tell those who are owed a notice. `refuse` gives the address at which advertising is refused, `site` the portal.

    Returns how many messages are in which state.
    """
    done: Counter[str] = Counter()
    for one in owed_notices(keeper, document.policy.policy, duty)[:AT_ONCE]:
        if seen_of(keeper, document.policy.policy, one.subject_id) is not None:
            done[tell_one(keeper, document, one, duty, refuse(one), site)] += 1
    return done


def tell_one(keeper: Keeper, document: Document, one: OwedNotice, duty: str, refusing: str = "", site: str = "") -> str:
    """Tell one person, in their language, by the first medium that reaches them. Returns the state of the message."""
    seen = seen_of(keeper, document.policy.policy, one.subject_id)
    if seen is None:
        return "unreachable"
    locale = language_of(keeper, document, one.subject_id)
    fields = fields_for(document, seen, one, duty, locale, refusing, site)
    about = one.medium or None
    return tell_in_place(keeper, document.policy.policy, one.subject_id, duty, locale, about=about, fields=fields).state


def fields_for(
    document: Document, seen: Seen, one: OwedNotice, duty: str, locale: str, refusing: str, site: str
) -> dict[str, str]:
    """What the letter of a duty says of this person; nothing of it is a content."""
    medium = document.name("advertising", one.medium, locale) if one.medium else ""
    match duty:
        case "yearly-use":
            return {
                "items": _items(document, seen, locale),
                "purposes": _purposes(document, seen, locale),
                "recipients": _recipients(document, seen, locale) or _NONE.say(locale),
                "site": site,
            }
        case "source":
            return {"origin": _origin(document, locale), "purposes": _purposes(document, seen, locale)}
        case "reconfirmation":
            day = _day(one.since, seen, locale)
            return {"date": day, "medium": medium, "refusing": refusing, "keeping": f"{site}/mine/consents"}
        case _:
            said = (_YES if one.given else _NO).say(locale).format(medium=medium)
            return {"date": _day(one.since, seen, locale), "said": said}


def _items(document: Document, seen: Seen, locale: str) -> str:
    held = {one.item for one in seen.state.values if one.held is not HeldState.DESTROYED}
    return _joined(document.name("items", item, locale) for item in sorted(held))


def _purposes(document: Document, seen: Seen, locale: str) -> str:
    plan = seen.view.plan
    used = {use.purpose for one in seen.state.values if one.held is HeldState.HELD for use in one.uses}
    return _joined(document.title(plan.purposes[name].rule.path, locale) for name in sorted(used & set(plan.purposes)))


def _recipients(document: Document, seen: Seen, locale: str) -> str:
    plan = seen.view.plan
    given = sorted({one.recipient for one in seen.state.disclosures})
    rows = [plan.provisions.get(one) or plan.entrustments.get(one) for one in given]
    return _joined(document.name("parties", row.party, locale) for row in rows if row is not None)


def _origin(document: Document, locale: str) -> str:
    rows = [row for row in document.policy.collection.values() if FROM_OTHERS & {str(one) for one in row.source}]
    return _joined(document.title(row.path, locale) for row in rows) or _NONE.say(locale)


def _day(at: Instant, seen: Seen, locale: str) -> str:
    day = moment(at, seen.view.plan.zone).date()
    return f"{day.year}. {day.month}. {day.day}." if locale == "ko" else day.isoformat()


def _joined(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))
