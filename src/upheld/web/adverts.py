"""Advertising under guard: who agreed, what waits, sending with a label; and the refusal that needs no sign-in."""

from __future__ import annotations

from upheld.dates import moment
from upheld.desk import adverts as desk
from upheld.desk.counted import counted_at
from upheld.desk.duties import calendar_of
from upheld.desk.holdings import seen_of
from upheld.engine.acts import SubjectId
from upheld.policy.letters import Written
from upheld.web.answer import Answer, Moved, Refused, Shown
from upheld.web.asked import Asked


def adverts(asked: Asked) -> Answer:
    """Each medium with its consents, what became of messages, and whether it is night."""
    return _page(asked, "", 200)


def send(asked: Asked) -> Answer:
    """An advertisement goes to everybody who agreed; each is decided by itself and may be refused."""
    title, text = asked.field("title"), asked.field("text")
    if not title or not text:
        return _page(asked, "text-missing", 400)
    medium = asked.choice("medium", tuple(asked.plan.advertising))
    purpose = asked.choice("purpose", tuple(sorted(asked.plan.advertising_purposes)))
    first, *others = asked.document.policy.locales
    more = ((asked.field(f"title-{one}"), asked.field(f"text-{one}"), one) for one in others)
    texts = (Written(title, text, first), *(Written(*one) for one in more if one[0] and one[1]))
    counts = desk.send_out(asked.keeper, asked.policy, purpose, medium, texts, asked.settings.address)
    refused = sum(number for state, number in counts.items() if state not in ("queued", "unreachable"))
    return Moved(asked.url("adverts", queued=counts["queued"], refused=refused))


def ask_refusal(asked: Asked) -> Answer:
    """One button, no sign-in. Says nothing about the person whom the address is for."""
    _named(asked)
    return Shown("refuse", {"done": False})


def refusal(asked: Asked) -> Answer:
    """Saying no: it holds at once, and what waits is taken out of the queue. A mail program says it by a bare POST,
    from anywhere, without a session. Of somebody who is gone nothing is sent any more.
    """
    subject = _named(asked)
    if seen_of(asked.keeper, asked.policy, subject) is not None:
        desk.refuse(asked.keeper, asked.policy, subject, asked.parts["medium"])
    return Shown("refuse", {"done": True})


def _named(asked: Asked) -> SubjectId:
    """The token is bound to person and medium; it holds for as long as mails with it lie in somebody's box, also when
    the version in force advertises by that medium no more.
    """
    subject = desk.refuses(asked.keeper, asked.policy, asked.parts["medium"], asked.parts["token"])
    if subject is None:
        raise Refused(404, "not-found")
    return subject


def _page(asked: Asked, problem: str, status: int) -> Shown:
    plan, document = asked.plan, asked.document
    agreed = desk.agreed(asked.keeper, asked.policy)
    return Shown(
        "adverts",
        {
            "agreed": agreed,
            "most": max((one.given + one.refused for one in agreed), default=0),
            "sent": desk.queue(asked.keeper, asked.policy),
            "others": document.policy.locales[1:],
            "medium": lambda name: document.name("advertising", name, asked.locale),
            "purposes": {
                name: document.title(plan.purposes[name].rule.path, asked.locale)
                for name in sorted(plan.advertising_purposes)
            },
            "asks": {one.duty.code for one in calendar_of(asked.keeper, asked.policy).falls},
            "hour": moment(asked.keeper.now(), plan.zone).hour,
            "owed": 0,
            "queued": asked.query.get("queued", ""),
            "refused": asked.query.get("refused", ""),
            "problem": problem,
            "counted_at": counted_at(asked.keeper, asked.policy, desk.COUNTS),
        },
        status,
    )
