"""Persons at the desk: looked up by an exact identifier with a reason, shown without contents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from upheld.dates import Instant, moment, start_of
from upheld.desk.codes import medium_of
from upheld.desk.due import requests_of_person
from upheld.desk.holdings import Held, held_of, seen_of
from upheld.desk.representatives import told_at
from upheld.desk.requests import values_of_items
from upheld.desk.scanning import let_in
from upheld.desk.sessions import looked_at, note_look
from upheld.desk.throttle import LOOKS, counted
from upheld.engine.acts import EngagementId, RequestId, SubjectId
from upheld.engine.proving import AGREEING
from upheld.engine.state import ActingKind
from upheld.keeper.asking import RIGHTS
from upheld.policy import plain
from upheld.policy.ends import EarlierOf, LaterOf, Plus, Point
from upheld.store.views import Seen
from upheld.web.answer import Answer, Moved, Refused, Shown
from upheld.web.asked import Asked
from upheld.web.due import channels_of, named_right
from upheld.web.following import right_name
from upheld.web.words import known, say

REASONS: Final = ("request-of-person", "inquiry", "complaint", "correction", "dispute", "duty-of-law")
"""Why somebody is looked up. Each look is on record with one of them."""


@dataclass(frozen=True, slots=True)
class WhyRow:
    """A reason in words: the element's public name, and until when."""

    title: str
    until_at: Instant | None
    until: str
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HeldUpRow:
    """A request in words that stops the use of a value, and when it came."""

    kind: str
    right: str
    received_at: Instant


@dataclass(frozen=True, slots=True)
class HoldingRow:
    """One line of *what is held*."""

    item: str
    collected_at: Instant
    state: str
    apart: bool
    why: tuple[WhyRow, ...]
    recipients: tuple[tuple[str, Instant], ...]
    held_up: tuple[HeldUpRow, ...]


def look(asked: Asked) -> Answer:
    """The form of the look-up."""
    return _form(asked, "", (), 200)


def look_up(asked: Asked) -> Answer:
    """Look somebody up. Recorded with reader, item and reason before anything is shown; never by part of a text."""
    signed = asked.signed()
    items = _items(asked)
    item, reason = asked.choice("item", items), asked.choice("reason", REASONS)
    text = asked.field("text")
    if not text:
        return _form(asked, "text-missing", (), 400)
    if not counted(asked.keeper, asked.policy, LOOKS, signed.account.account_id):
        raise Refused(429, "too-many-looks")
    found: list[SubjectId] = []
    for apart in (False, True):
        if apart and "separated" not in signed.reader.duties:
            continue
        found += asked.keeper.lookup(asked.policy, item, text, reader=signed.reader, reason=reason, separated=apart)
    found = list(dict.fromkeys(found))
    note_look(asked.keeper, signed.session, found)
    if len(found) == 1:
        return Moved(asked.url("person", subject=found[0]))
    return _form(asked, "" if found else "nobody-found", tuple(found), 200)


def person(asked: Asked) -> Answer:
    """What is held on a person, why and until when; who acts for them; their requests; a form to take in a new one."""
    return person_page(asked, may_see(asked))


def person_page(asked: Asked, seen: Seen, problem: str = "", status: int = 200) -> Shown:
    """The page of a person."""
    keeper, plan, document = asked.keeper, asked.plan, asked.document
    rights = {right: named_right(asked, right) for right in RIGHTS}
    of_person = requests_of_person(keeper, seen)
    holdings = held_of(keeper, seen)
    acting = keeper.acting_for(seen.subject_id)
    return Shown(
        "person",
        {
            "seen": seen,
            "kind": document.name("subjects", seen.state.kind, asked.locale),
            "holdings": holding_rows(asked, holdings),
            "consents": _consents(asked, seen),
            "requests": of_person,
            "answered": {one.request_id: one for one in of_person if one.settled},
            "rights": rights,
            "chosen": {name: asked.field(name) for name in ("right", "channel")},
            "takes": {right: channels_of(asked, plan, right) for right in RIGHTS},
            "channels": {name: document.name("channels", name, asked.locale) for name in sorted(plan.channels)},
            "items": {one.item: item_title(asked, one.item) for one in holdings},
            "purposes": {name: about_title(asked, f"purpose/{name}") for name in sorted({*plan.purposes})},
            "acting": acting,
            "papers_of": {kind.value: _papers_of(asked, kind) for kind in ActingKind},
            "problem": problem,
        },
        status,
    )


def _papers_of(asked: Asked, kind: ActingKind) -> dict[str, str]:
    """What who acts for a person shows by the policy, with its public names."""
    row = asked.plan.acting.get(kind)
    shows = row.shows if row is not None and row.shows else ("mandate",)
    return {code: paper_title(asked, code) for code in shows}


def paper_title(asked: Asked, code: str) -> str:
    """The public name of a paper or proof."""
    if code in asked.plan.proofs:
        return asked.document.name("proofs", code, asked.locale)
    return say(f"proof.{code}", asked.locale) if known(f"proof.{code}") else code


def receive(asked: Asked) -> Answer:
    """A request comes in by letter, call or visit, from the person or who acts for them. Its clock runs from now."""
    seen = may_see(asked)
    right = asked.choice("right", RIGHTS)
    channel = asked.choice("channel", tuple(asked.plan.channels))
    if channel not in channels_of(asked, asked.plan, right):
        return person_page(asked, seen, "channel-undeclared", 400)
    acting = {one.acting_id: one for one in asked.keeper.acting_for(seen.subject_id)}
    settled = {one.request_id for one in seen.state.requests if not one.waiting}
    by = asked.choice("by", ("", *acting)) or None
    against = asked.choice("against", ("", *sorted(settled))) or None
    items = asked.choices("item", tuple(asked.plan.items))
    made = asked.keeper.request(
        seen.subject_id, right, channel=channel, values=values_of_items(seen, items), by=by,
        purposes=asked.choices("purpose", tuple(asked.plan.purposes)),
        objects_to=RequestId(against) if against and right == "objection" else None,
    )  # fmt: skip
    if not made.granted:
        return person_page(asked, seen, made.reasons[0].value, 400)
    if "requests" in asked.signed().reader.duties:
        return Moved(asked.url("request", subject=seen.subject_id, request=made.made))
    return Moved(asked.url("person", subject=seen.subject_id))


def act_for(asked: Asked) -> Answer:
    """Somebody acts for the person: papers shown, what they may ask, until when. The mandate stays as proof."""
    seen = may_see(asked)
    kind = ActingKind(asked.choice("kind", tuple(ActingKind)))
    shown = asked.choices("shown", _papers_of(asked, kind))
    rights = asked.choices("right", (*RIGHTS, AGREEING))
    items = asked.choices("item", tuple(asked.plan.items))
    last = asked.day("until")
    until = None if last is None else moment(start_of(last + timedelta(days=1), asked.plan.zone), asked.plan.zone)
    files = asked.uploads.get("file", ())
    for content in files:
        let_in(content, asked.settings.scan)
    if (where := asked.field("told-at")) and medium_of(where) is None:
        return person_page(asked, seen, "address-unusable", 400)
    done = asked.keeper.acts_for(seen.subject_id, kind.value, shown=shown, rights=rights, items=items, until=until)
    if not done.granted or done.made is None:
        return person_page(asked, seen, done.reasons[0].value, 400)
    for content in files:
        asked.keeper.file_paper(asked.policy, "mandates", content, owner=seen.subject_id, about=done.made)
    if where:
        told_at(asked.keeper, asked.policy, seen.subject_id, where, done.made)
    return Moved(asked.url("person", subject=seen.subject_id))


def act_no_longer(asked: Asked) -> Answer:
    """The mandate is taken back."""
    seen = may_see(asked)
    asked.keeper.acts_no_longer(seen.subject_id, asked.parts["acting"])
    return Moved(asked.url("person", subject=seen.subject_id))


def _form(asked: Asked, problem: str, found: tuple[SubjectId, ...], status: int) -> Shown:
    return Shown("people", {"items": _items(asked), "reasons": REASONS, "problem": problem, "found": found}, status)


def _items(asked: Asked) -> dict[str, str]:
    """What persons are looked up by under this policy, with its public name."""
    keeper, document = asked.keeper, asked.document
    names = (item for item in asked.plan.items if keeper.looked_up(asked.policy, item))
    return {item: document.name("items", item, asked.locale) for item in names}


def may_see(asked: Asked) -> Seen:
    """A person's page opens for who looked them up in this session, and for who has the duty of an open request."""
    signed, subject = asked.signed(), SubjectId(asked.parts["subject"])
    seen = seen_of(asked.keeper, asked.policy, subject)
    if seen is None:
        raise Refused(404, "person-unknown")
    on_duty = "requests" in signed.reader.duties and any(one.waiting for one in seen.state.requests)
    if not (on_duty or looked_at(asked.keeper, signed.session, subject)):
        raise Refused(403, "look-up-first")
    return seen


def _consents(asked: Asked, seen: Seen) -> list[tuple[str, str]]:
    """Each matter in words, and whether the agreement stands."""
    return [
        (about_title(asked, about), state) for about, state in sorted(asked.keeper.consents(seen.subject_id).items())
    ]


def item_title(asked: Asked, item: str) -> str:
    """The public name of an item."""
    return asked.document.name("items", item, asked.locale)


def engagement_titles(asked: Asked, ends: Iterable[tuple[EngagementId, str]]) -> list[str]:
    """What would end, by the public names of its kinds, each once."""
    kinds = dict.fromkeys(kind for _, kind in ends)
    return [asked.document.name("engagements", kind, asked.locale) for kind in kinds]


def about_title(asked: Asked, about: str) -> str:
    """What a consent is for, by its public name."""
    kind, _, name = about.partition("/")
    plan, document = asked.plan, asked.document
    if kind in ("purpose", "permission") and name in plan.purposes:
        return document.title(plan.purposes[name].rule.path, asked.locale)
    if kind in ("medium", "night", "representative"):
        named = document.name("advertising", name, asked.locale)
        return say(f"about.{kind}", asked.locale, name=named)
    section = {"transfer": "transfers", "item": "items"}
    if kind in ("provision", "entrustment"):
        return say(f"about.{kind}", asked.locale, name=recipient_title(asked, name))
    return document.name(section.get(kind, kind), name, asked.locale)


# ── what is held, in words ──────────────────────────────────────────────────────────────────────────────────────────


def holding_rows(asked: Asked, held: Iterable[Held]) -> list[HoldingRow]:
    """What is held, in the words of the policy."""
    document = asked.document
    return [
        HoldingRow(
            document.name("items", one.item, asked.locale),
            one.collected_at,
            one.state.value,
            one.apart,
            tuple(
                WhyRow(document.title(why.path, asked.locale), why.until_at, _until(asked, why.path), why.clauses)
                for why in one.why
            ),
            tuple((recipient_title(asked, recipient), at) for recipient, at in one.recipients),
            tuple(HeldUpRow(stop.kind, right_name(asked, stop.right), stop.received_at) for stop in one.held_up),
        )
        for one in held
    ]


def recipient_title(asked: Asked, recipient: str) -> str:
    """The company behind a recipient or processor of the policy."""
    plan, document = asked.plan, asked.document
    row = plan.provisions.get(recipient) or plan.entrustments.get(recipient)
    return document.name("parties", row.party if row else recipient, asked.locale)


def _until(asked: Asked, path: str) -> str:
    """The end that the policy states, in words, for what has no date yet."""
    document = asked.document
    until = getattr(document.rows.get(path), "until", None)
    if not isinstance(until, Point | Plus | LaterOf | EarlierOf):
        return ""
    return plain.end(until, document.policy, document.locale(asked.locale))
