"""The consent page: each matter asked by itself, taken back on the same kind of page. For who came by a link of the
service, for who is signed in at the portal, and for a child's legal representative.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import Final

from upheld.desk.codes import CodeMessage, medium_of
from upheld.desk.consents import COLLECTION, Matter, ending, is_child, matters_of, web_channel
from upheld.desk.holdings import seen_of
from upheld.desk.invitations import Speaker, asked_lately, invitation_of, invite
from upheld.desk.representatives import asked_by_letter, opened_by_link, told_at
from upheld.engine.acts import SubjectId
from upheld.engine.compile import CHILD_CONTACT
from upheld.keeper.living import Shown as Text
from upheld.keeper.living import about_of
from upheld.policy.formats import House
from upheld.store.views import Seen
from upheld.web.answer import Answer, Download, Moved, Refused, Shown
from upheld.web.asked import Asked
from upheld.web.people import about_title, recipient_title

FORMS: Final = ("kantara", "27560")
"""The two kinds of receipt."""
LINKED: Final = {"ask": "consent-link", "end": "consent-end", "receipts": "consent-receipts"}
SIGNED_IN: Final = {"ask": "my-consents", "end": "my-consent-end", "receipts": "my-receipts"}


@dataclass(frozen=True, slots=True)
class Speaking:
    """Who is asked on this page: a person, or a representative for a child; by which link."""

    seen: Seen
    by: str
    link: str

    def url(self, asked: Asked, page: str, **parts: object) -> str:
        """The page of the same kind under the same link, or in the portal."""
        if self.link:
            return asked.url(LINKED[page], link=self.link, **parts)
        return asked.url(SIGNED_IN[page], **parts)


def read(asked: Asked) -> Answer:
    """Every question, for everybody to read; one agrees by the link that the service gives."""
    plan, document = asked.plan, asked.document
    kinds = {kind: document.name("subjects", kind, asked.locale) for kind in plan.subjects}
    kind = asked.query.get("kind", "")
    chosen = kind if kind in kinds else next(iter(kinds))
    found = matters_of(asked.keeper, asked.policy, document, plan, asked.locale, kind=chosen)
    return Shown("consent_read", {"kinds": kinds, "chosen": chosen, **_parts(asked, found)})


def ask(asked: Asked) -> Answer:
    """The questions that wait, and what was agreed to."""
    speaking = _speaking(asked)
    if speaking.link and speaking.by == "subject" and is_child(asked.keeper, speaking.seen):
        return Moved(asked.url("representative", link=speaking.link))
    return _page(asked, speaking, frozenset(), "", 200)


def take(asked: Asked) -> Answer:
    """Record what was ticked, each matter by itself. The button for all sets the boxes and records nothing."""
    speaking = _speaking(asked)
    matters = _matters(asked, speaking)
    waiting = {one.about: one for one in matters if one.waits}
    if asked.field("all"):
        return _page(asked, speaking, frozenset(waiting), "", 200)
    ticked = [one for one in asked.form.get("agree", ()) if one in waiting]
    if any(asked.field(f"shown {about}") != waiting[about].digest for about in ticked):
        return _page(asked, speaking, frozenset(ticked), "changed", 409)
    if speaking.by == "representative":
        if ticked and str(COLLECTION) in waiting and str(COLLECTION) not in ticked:
            return _page(asked, speaking, frozenset(ticked), "collection-first", 400)
        if (where := asked.field("told-at")) and medium_of(where) is None:
            return _page(asked, speaking, frozenset(ticked), "address-unusable", 400)
        ticked.sort(key=lambda one: one != str(COLLECTION))
        asked.keeper.fact(speaking.seen.subject_id, "answered")
        opened_by_link(asked.keeper, asked.policy, speaking.seen.subject_id)
        if where and ticked:
            told_at(asked.keeper, asked.policy, speaking.seen.subject_id, where)
    refused = [about for about in ticked if not _agreed(asked, speaking, waiting[about])]
    if refused:
        raise Refused(403, "consent-refused")
    return Moved(speaking.url(asked, "ask", said="yes" if ticked else "no"))


def _agreed(asked: Asked, speaking: Speaking, matter: Matter) -> bool:
    outcome = asked.keeper.consent(
        speaking.seen.subject_id,
        matter.about,
        channel=_channel(asked),
        shown=Text(matter.text, matter.locale),
        by=speaking.by,
        verified="equivalent",  # who answers opened a link that only the representative's address or number got
    )
    return outcome.granted


def ask_end(asked: Asked) -> Answer:
    """What taking an agreement back ends, before it is taken back."""
    speaking = _speaking(asked)
    about = _standing(asked, speaking, asked.query.get("about", ""))
    found = ending(asked.keeper, asked.policy, asked.plan, speaking.seen, about_of(about))
    document, locale = asked.document, asked.locale

    def item(name: str) -> str:
        return document.name("items", name, locale)

    return Shown(
        "consent_end",
        {
            "about": about,
            "title": about_title(asked, about),
            "action": speaking.url(asked, "end"),
            "back": speaking.url(asked, "ask"),
            "engagements": [document.name("engagements", one, locale) for one in found.engagements],
            "destroyed": [item(one) for one in found.destroyed],
            "kept": [(item(one), [document.title(path, locale) for path in paths]) for one, paths in found.kept],
            "recipient": recipient_title(asked, found.recipient) if found.recipient else "",
        },
    )


def take_end(asked: Asked) -> Answer:
    """Take an agreement back: at once, without a reason, ending what was told."""
    speaking = _speaking(asked)
    about = _standing(asked, speaking, asked.field("about"))
    subject = speaking.seen.subject_id
    done = asked.keeper.withdraw(subject, about, channel=_channel(asked), by=speaking.by, confirmed=True)
    if not done.granted:
        raise Refused(403, "consent-refused")
    return Moved(speaking.url(asked, "ask", said="withdrawn"))


def receipts(asked: Asked) -> Answer:
    """A receipt of every agreement, in one of two formats, each with the newest checkpoint."""
    speaking = _speaking(asked)
    form = asked.query.get("form", "")
    place = next((row.site for row in asked.document.policy.places.values() if row.site), None)
    notice = f"{asked.settings.address}{asked.url('notice')}"
    house = House(jurisdiction="", address=place or "", email=asked.settings.mailbox, policy_url=notice)
    kind: Final = "27560" if form == "27560" else "kantara"
    found = asked.keeper.receipts(speaking.seen.subject_id, house, kind)
    content = json.dumps(found, ensure_ascii=False, indent=2).encode()
    return Download(content, "application/json", f"receipts-{asked.policy}-{kind}.json")


# ── children ────────────────────────────────────────────────────────────────────────────────────────────────────────


def ask_representative(asked: Asked) -> Answer:
    """A child is asked who decides for it: name and contact of the representative, nothing else."""
    return _representative(asked, _of_child(asked), "", 200)


def take_representative(asked: Asked) -> Answer:
    """Keep the contact for as long as the answer takes, and send the representative a link."""
    speaking = _of_child(asked)
    keeper, subject = asked.keeper, speaking.seen.subject_id
    given = {item: asked.field(item) for item in sorted(asked.plan.children.contact_items)}
    filled = {item: text for item, text in given.items() if text}
    media = {item: medium_of(text) for item, text in filled.items()}
    item = next((one for wanted in ("email", "sms") for one, medium in media.items() if medium == wanted), None)
    if item is None:
        return _representative(asked, speaking, "address-missing", 400)
    by_outbox = media[item] in {one.medium for one in asked.settings.transports}
    send = asked.settings.send_code
    if send is None and not by_outbox:
        raise Refused(503, "no-sender")
    if asked_lately(keeper, asked.policy, subject):
        raise Refused(429, "asked-already")
    taken = keeper.collect(subject, CHILD_CONTACT, filled, channel=_channel(asked))
    if not taken.granted:
        raise Refused(403, "consent-refused")
    keeper.fact(subject, "consent-asked")
    token = invite(keeper, asked.policy, subject, Speaker.REPRESENTATIVE)
    link = f"{asked.settings.address}{asked.url('consent-link', link=token)}"
    there = asked.url("representative", link=speaking.link, sent="yes")
    if by_outbox or send is None:
        asked_by_letter(keeper, subject, filled[item], link, asked.document.locale(asked.locale))
        return Moved(there)
    message = CodeMessage(asked.policy, subject, item, filled[item], None, asked.locale, link)
    return Moved(there, afterwards=partial(send, message))


def _representative(asked: Asked, speaking: Speaking, problem: str, status: int) -> Shown:
    document, items = asked.document, sorted(asked.plan.children.contact_items)
    if _given(asked, speaking):
        problem = problem or "answered"
    return Shown(
        "representative",
        {
            "items": {one: document.name("items", one, asked.locale) for one in items},
            "under": asked.plan.children.under,
            "action": asked.url("representative", link=speaking.link),
            "sent": asked.query.get("sent") == "yes"
            or asked_lately(asked.keeper, asked.policy, speaking.seen.subject_id),
            "problem": problem,
        },
        status,
    )


def _given(asked: Asked, speaking: Speaking) -> bool:
    return asked.keeper.consents(speaking.seen.subject_id).get(str(COLLECTION)) == "given"


def _of_child(asked: Asked) -> Speaking:
    speaking = _speaking(asked)
    if speaking.by != "subject" or not is_child(asked.keeper, speaking.seen):
        raise Refused(404, "link-over")
    return speaking


# ── who, and what ───────────────────────────────────────────────────────────────────────────────────────────────────


def _speaking(asked: Asked) -> Speaking:
    link = asked.parts.get("link", "")
    if link:
        found = invitation_of(asked.keeper, asked.policy, link)
        seen = seen_of(asked.keeper, asked.policy, found.subject_id) if found else None
        if found is None or seen is None:
            raise Refused(404, "link-over")
        return Speaking(seen, found.speaker.value, link)
    seen = seen_of(asked.keeper, asked.policy, SubjectId(asked.subject()))
    if seen is None:
        raise Refused(403, "session-over")
    return Speaking(seen, "subject", "")


def _channel(asked: Asked) -> str:
    channel = web_channel(asked.plan, asked.document)
    if channel is None:
        raise Refused(403, "no-web-channel")
    return channel


def _matters(asked: Asked, speaking: Speaking) -> tuple[Matter, ...]:
    kind = speaking.seen.state.kind
    return matters_of(
        asked.keeper, asked.policy, asked.document, asked.plan, asked.locale, kind=kind, seen=speaking.seen
    )


def _standing(asked: Asked, speaking: Speaking, about: str) -> str:
    if asked.keeper.consents(speaking.seen.subject_id).get(about) != "given":
        raise Refused(404, "consent-unknown")
    return about


def _page(asked: Asked, speaking: Speaking, ticked: frozenset[str], problem: str, status: int) -> Shown:
    said = asked.query.get("said", "")
    return Shown(
        "consent",
        {
            **_parts(asked, _matters(asked, speaking)),
            "ticked": ticked,
            "problem": problem,
            "said": said if said in ("yes", "no", "withdrawn") else "",
            "by": speaking.by,
            "link": speaking.link,
            "child": is_child(asked.keeper, speaking.seen),
            "open": web_channel(asked.plan, asked.document) is not None,
            "agreed": _agreements(asked, speaking),
            "action": speaking.url(asked, "ask"),
            "end_of": lambda about: speaking.url(asked, "end", about=about),
            "receipts": [(form, speaking.url(asked, "receipts", form=form)) for form in FORMS],
        },
        status,
    )


def _agreements(asked: Asked, speaking: Speaking) -> list[tuple[str, str]]:
    """What was agreed to and stands, with its name; also what the version in force asks no more."""
    given = asked.keeper.consents(speaking.seen.subject_id)
    return [(about, about_title(asked, about)) for about, state in sorted(given.items()) if state == "given"]


def _parts(asked: Asked, matters: tuple[Matter, ...]) -> dict[str, object]:
    return {
        "needed": [one for one in matters if one.required and one.waits],
        "free": [one for one in matters if not one.required and one.waits],
        "title_of": lambda about: about_title(asked, about),
    }
