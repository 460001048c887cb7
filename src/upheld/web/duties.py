"""The calendar of duties: what falls due without anybody asking, what shows that it was done."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from typing import Final

from upheld.dates import Instant, local_date, moment, start_of
from upheld.desk import access
from upheld.desk.adverts import refusal_address
from upheld.desk.articles import article_in, capital
from upheld.desk.counted import counted_at
from upheld.desk.duties import CHECKLIST, COUNTS, LOOKED_FOR, Calendar, Falls, OwedNotice, calendar_of, told_now
from upheld.desk.notifying import tell_all
from upheld.engine.duties import DUTIES, Duty, Size, Whose
from upheld.law import law_for
from upheld.web.answer import Answer, Download, Moved, Refused, Shown
from upheld.web.asked import Asked
from upheld.web.staff import staff_title

FINDINGS: Final = {"inspection": CHECKLIST, "access-review": LOOKED_FOR}
"""What may be found when a duty is done; the others have no checklist."""
DONE_SHOWN: Final = 50


def article_of(asked: Asked, duty: Duty) -> str:
    """By which article the house owes it; empty where no table of law says it."""
    return law_for(asked.plan.zone.key).article_on(f"duty.{duty.code}")


def duties(asked: Asked) -> Answer:
    """Every duty, the latest first; below what was done, and the figures that duties hang on."""
    found = calendar_of(asked.keeper, asked.policy)
    since = _month_before(asked)
    return Shown(
        "duties",
        {
            "calendar": found,
            "title": lambda code: capital(DUTIES[code].title.say(asked.locale)),
            "law": lambda duty: article_in(article_of(asked, duty), asked.locale),
            "about": cache(lambda name: about_title(asked, name)),
            "sizes": [(size.value, found.held.get(size, 0), found.stated.get(size)) for size in Size],
            "readers": access.readers_of(asked.keeper, asked.policy, since, asked.keeper.now(), asked.plan.zone),
            "since": since,
            "who": staff_title(asked),
            "done": found.done[:DONE_SHOWN],
            "findings": FINDINGS,
            "told": asked.query.get("told", ""),
            "counted_at": counted_at(asked.keeper, asked.policy, COUNTS),
        },
    )


def duty(asked: Asked) -> Answer:
    """One duty to be recorded, with its checklist."""
    one = _falls(asked)
    return Shown(
        "duty",
        {
            "one": one,
            "title": capital(one.duty.title.say(asked.locale)),
            "law": lambda duty: article_in(article_of(asked, duty), asked.locale),
            "about": about_title(asked, one.about),
            "checklist": FINDINGS.get(one.duty.code, ()),
            "persons": one.duty.whose is Whose.PERSON,
        },
    )


def done(asked: Asked) -> Answer:
    """A duty was done: put on record by whom, with what was found and the digest of what shows it."""
    one, by = _falls(asked), asked.signed().account.handler_id
    findings = tuple(dict.fromkeys(asked.form.get("finding", ())))
    if set(findings) - set(FINDINGS.get(one.duty.code, ())):
        raise Refused(400, "choice-unknown")
    if one.duty.whose is Whose.PERSON:
        raise Refused(400, "choice-unknown")
    proof = asked.field("proof").encode()
    asked.keeper.did(asked.policy, one.duty.code, about=one.about or None, findings=findings, record=proof, by=by)
    if one.duty.whose is Whose.ELEMENT:
        asked.keeper.attest(asked.policy, one.about, record=proof)
    if one.duty.code == "inspection":
        for row in asked.plan.entrustments.values():
            if row.party == one.about:
                asked.keeper.attest(asked.policy, row.rule.path, record=proof)
    return Moved(asked.url("duties"))


def tell(asked: Asked) -> Answer:
    """Everybody who is owed a notice is told; each message goes into the outbox with its proof."""
    one = _falls(asked)
    if one.duty.whose is not Whose.PERSON:
        raise Refused(400, "choice-unknown")
    keeper, policy, site = asked.keeper, asked.policy, asked.settings.address

    def refusing(owed: OwedNotice) -> str:
        return refusal_address(keeper, policy, owed.subject_id, owed.medium, site) if owed.medium else site

    counts = tell_all(keeper, asked.document, one.duty.code, refusing, f"{site}/portal/{policy}")
    if counts:
        keeper.did(policy, one.duty.code, counts=counts, by=asked.signed().account.handler_id)
        told_now(keeper, policy, one.duty.code)
    return Moved(asked.url("duties", told=str(counts.total())))


def count(asked: Asked) -> Answer:
    """The house was counted."""
    figure = asked.choice("figure", tuple(Size))
    number = asked.field("number").replace(",", "")
    if not number.isdecimal():
        raise Refused(400, "number-unreadable")
    asked.keeper.counted(asked.policy, figure, int(number), by=asked.signed().account.handler_id)
    return Moved(asked.url("duties"))


def as_json(asked: Asked) -> Answer:
    """The calendar for other programs: codes, instants with their zone, no person."""
    found = calendar_of(asked.keeper, asked.policy)
    text = json.dumps(_told(asked, found), ensure_ascii=False, indent=1)
    return Download(text.encode(), "application/json", f"{asked.policy}-duties.json")


def _told(asked: Asked, found: Calendar) -> dict[str, object]:
    def when(at: Instant | None) -> str | None:
        return None if at is None else moment(at, asked.plan.zone).isoformat(timespec="seconds")

    return {
        "policy": asked.policy,
        "made_at": when(asked.keeper.now()),
        "figures": {size.value: {"held": found.held.get(size, 0), "stated": found.stated.get(size)} for size in Size},
        "duties": [
            {
                "duty": one.duty.code, "article": article_of(asked, one.duty), "for": one.duty.whose.value,
                "about": one.about,
                "every": str(one.every), "by_law": one.law or None, "state": one.state.value,
                "last_at": when(one.last_at), "due_at": when(one.due_at), "persons": one.persons,
            }
            for one in found.falls
        ],
        "done": [
            {
                "entry": one.reference, "duty": one.duty, "about": one.about, "at": when(one.at),
                "findings": list(one.findings), "counts": dict(one.counts),
            }
            for one in found.done
        ],
    }  # fmt: skip


def _falls(asked: Asked) -> Falls:
    code, about = asked.parts["duty"], asked.query.get("about", "") or asked.field("about")
    for one in calendar_of(asked.keeper, asked.policy).falls:
        if one.duty.code == code and one.about == about:
            return one
    raise Refused(404, "duty-unknown")


def _month_before(asked: Asked) -> Instant:
    zone = asked.plan.zone
    return start_of(local_date(asked.keeper.now(), zone) - timedelta(days=31), zone)


def about_title(asked: Asked, name: str) -> str:
    """A processor by its company; a handler by the name of the account; an element by its name in the document."""
    if "." in name:
        return asked.document.title(name, asked.locale)
    if name in asked.document.policy.parties:
        return asked.document.name("parties", name, asked.locale)
    return staff_title(asked)(name) if name else ""
