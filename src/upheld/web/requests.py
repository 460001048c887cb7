"""Requests of persons: the list with deadlines, one request, its proof and its answer."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from upheld.dates import Instant, start_of
from upheld.desk.articles import article_in
from upheld.desk.due import Waiting, request_of, requests_of
from upheld.desk.holdings import held_of, seen_of
from upheld.desk.outcomes import told_of_outcome
from upheld.desk.requests import (
    Told,
    became_of,
    correctable,
    kept_all_the_same,
    set_by,
    sources_of,
    stands_still,
    told_of,
    working_days_left,
)
from upheld.desk.scanning import destroy_proofs
from upheld.engine.acts import RequestId, SubjectId
from upheld.engine.lifecycle import DONE
from upheld.engine.proving import least_proof, will_do
from upheld.engine.state import WAITING, RequestState
from upheld.keeper import Outcome
from upheld.keeper.asking import AUTOMATED, MOST_EXTENDED, SUSPENSION_REFUSED_FOR, ended_by
from upheld.store.views import Seen
from upheld.web.answer import Answer, Moved, Refused, Shown
from upheld.web.asked import Asked
from upheld.web.due import right_title
from upheld.web.people import (
    about_title,
    engagement_titles,
    holding_rows,
    item_title,
    paper_title,
    recipient_title,
)

OUTCOMES: Final = tuple(one.value for one in RequestState if one not in WAITING)
REASONS: Final = (*SUSPENSION_REFUSED_FOR, "kept-by-duty", "unfounded", "already-right")
"""Why a request is refused or granted in part only: the grounds of the law, then ours."""
EXTENDED_FOR: Final = ("complicated", "many-at-once", "waits-for-others")
"""Ours: why the answer about an automated decision takes longer."""
ANY_PROOF: Final = ("identity-check",)
"""Where the document names no proof for a channel, staff say that they checked."""
SAID_WHY: Final = frozenset({RequestState.PARTLY.value, RequestState.REFUSED.value})
SETTLED_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer in words: the reason's code, what is kept all the same, who else helps."""

    reason: str | None
    kept: tuple[str, ...]
    helps: tuple[str, ...]


SHOWN: Final = ("open", "late", "week", "unproved", "answered")
"""How the list may be narrowed; the first is what opens."""
WEEK: Final = 7 * 86_400_000_000
DRAWN: Final = 20
"""Ours: so many open requests are drawn against their deadlines."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A request as a bar from its receipt to its deadline, in thousandths of the width; `over` is the part past it."""

    one: Waiting
    x: int
    width: int
    over: int


def listed(asked: Asked) -> Answer:
    """Open requests, the first due first, drawn against their deadlines; answered ones on demand."""
    keeper, policy, now = asked.keeper, asked.policy, asked.keeper.now()
    waiting = requests_of(keeper, policy)
    answered = requests_of(keeper, policy, settled=True)
    parts = {
        "open": waiting,
        "late": [one for one in waiting if one.due_at <= now],
        "week": [one for one in waiting if now < one.due_at <= now + WEEK],
        "unproved": [one for one in waiting if not one.proved],
        "answered": answered[:SETTLED_SHOWN],
    }
    chosen = asked.query.get("show", SHOWN[0])
    if chosen not in parts:
        raise Refused(400, "choice-unknown")
    drawn, today = _drawn(parts[chosen] if chosen != "answered" else [], now)
    return Shown(
        "requests",
        {
            "shown": parts[chosen],
            "chosen": chosen,
            "counts": {name: len(answered if name == "answered" else found) for name, found in parts.items()},
            "drawn": drawn,
            "today": today,
            "now": now,
            "right": lambda one: right_title(asked, one),
            "channel": lambda one: asked.document.name("channels", one.channel, asked.locale),
        },
    )


def _drawn(found: list[Waiting], now: Instant) -> tuple[list[Drawn], int]:
    """The bars of requests, and where today is, all on one scale."""
    if not found:
        return [], 0
    found = found[:DRAWN]
    begins, ends = min(one.received_at for one in found), max(now, *(one.due_at for one in found))
    long = max(ends - begins, 1)

    def place(at: int) -> int:
        return round(1000 * (at - begins) / long)

    rows = [
        Drawn(
            one,
            place(one.received_at),
            max(place(one.due_at) - place(one.received_at), 4),
            max(place(now) - place(one.due_at), 0),
        )
        for one in found
    ]
    return rows, place(now)


def request(asked: Asked) -> Answer:
    """One request with what is held on the person, and what may be done now."""
    one, seen = asked_for(asked)
    return request_page(asked, one, seen, "", 200)


def prove(asked: Asked) -> Answer:
    """Identity is proved: from now on the request is obeyed."""
    one, seen = asked_for(asked)
    unchanged(asked, one)
    shown = asked.choices("proof", _proofs(asked, one))
    if not shown:
        return request_page(asked, one, seen, "proof-missing", 400)
    done = asked.keeper.prove(one.subject_id, one.request_id, proof=shown)
    if not done.granted:
        return request_page(asked, one, seen, f"reason.{done.reasons[0].value}", 400, done.because[0].detail)
    destroy_proofs(asked.keeper, asked.policy, one.subject_id, one.request_id)  # copies go when they were checked
    return back(asked, one)


def incomplete(asked: Asked) -> Answer:
    """Something is missing: the person is asked for it, the clock runs on."""
    one, _ = asked_for(asked)
    unchanged(asked, one)
    missing = asked.choice("missing", _proofs(asked, one))
    asked.keeper.incomplete(one.subject_id, one.request_id, missing=(missing,))
    return back(asked, one)


def postpone(asked: Asked) -> Answer:
    """Access is put off to a day, for a reason that the person is told; then it is open again by itself."""
    one, seen = asked_for(asked)
    unchanged(asked, one)
    reason = asked.choice("why", SUSPENSION_REFUSED_FOR)
    try:
        until = start_of(date.fromisoformat(asked.field("until")), asked.plan.zone)
    except ValueError:
        return request_page(asked, one, seen, "day-unreadable", 400)
    if one.right != "access" or until <= asked.keeper.now():
        return request_page(asked, one, seen, "day-past", 400)
    asked.keeper.postpone(one.subject_id, one.request_id, until=until, reason=reason)
    return back(asked, one)


def answer(asked: Asked) -> Answer:
    """The request is answered, and an erasure that is granted is carried out at once. Two at once do not overwrite each
    other: the second is told.
    """
    one, seen = asked_for(asked)
    unchanged(asked, one)
    outcome = asked.choice("outcome", OUTCOMES)
    reason = asked.choice("reason", ("", *REASONS)) or None
    if outcome in SAID_WHY and reason is None:
        return request_page(asked, one, seen, "reason-missing", 400)
    done = _answered(asked, one, outcome, reason)
    if not done.granted:
        return request_page(asked, one, seen, f"reason.{done.reasons[0].value}", 400)
    return back(asked, one)


def _answered(asked: Asked, one: Waiting, outcome: str, reason: str | None) -> Outcome:
    handler, confirmed = asked.signed().account.handler_id, asked.field("confirmed") == "yes"
    if one.right == "erasure" and outcome in DONE:
        return asked.keeper.answer_at_once(
            one.subject_id, one.request_id, outcome, reason=reason, handler=handler, confirmed=confirmed
        )[0]
    return asked.keeper.answer(
        one.subject_id, one.request_id, outcome, reason=reason, handler=handler, confirmed=confirmed
    )


def request_page(asked: Asked, one: Waiting, seen: Seen, problem: str, status: int, wanted: str = "") -> Shown:
    """The page of a request: what it is, what came of it, and every step that may be taken now."""
    document, plan, now = asked.document, asked.plan, max(asked.keeper.now(), seen.last_at)
    found = next(each for each in seen.state.requests if each.request_id == one.request_id)
    due, became = set_by(plan, one.right), became_of(asked.keeper, seen, found, now)
    return Shown(
        "request",
        {
            "one": one,
            "request": found,
            "right": right_title(asked, one),
            "channel": document.name("channels", one.channel, asked.locale),
            "outcomes": OUTCOMES,
            "reasons": SUSPENSION_REFUSED_FOR if one.right == "suspension" else REASONS,
            "proofs": {code: paper_title(asked, code) for code in _proofs(asked, one)},
            "enough": [paper_title(asked, code) for code in _enough(asked, one)],
            "needed": [paper_title(asked, code) for code in _together(asked, one)],
            "papers": asked.keeper.papers(asked.policy, owner=one.subject_id, about=one.request_id, kind="requests"),
            "told": _told(asked, one),
            "letters": told_of_outcome(asked.keeper, asked.policy, one) if one.settled else [],
            "due": due,
            "law": _article(due.law, asked.locale) if due.law else "",
            "left": working_days_left(asked.keeper, plan, one.due_at),
            "still": sorted({item_title(asked, value.item) for value in stands_still(seen, found)}),
            "accepts": found.waiting and not found.freezes,
            "lifts": found.right == "suspension" and found.lifted_at is None and not found.waiting,
            "suspends": [about_title(asked, f"purpose/{name}") for name in found.purposes],
            "correctable": {key: item_title(asked, value.item) for key, value in correctable(seen, found).items()},
            "recipients": _recipients(asked, seen, one),
            "kept": [
                (item_title(asked, kept.item), document.title(kept.path, asked.locale), kept)
                for kept in kept_all_the_same(seen, found, now)
            ],
            "became": became,
            "waits": sorted({item_title(asked, value.item) for value in became.waits}) if became else [],
            "ends": engagement_titles(asked, ended_by(seen, found, now)),
            "sources": {name: recipient_title(asked, name) for name in sources_of(seen, found)},
            "passed_to": recipient_title(asked, found.passed_to) if found.passed_to else "",
            "against": _objected(asked, one, seen),
            "extensions": EXTENDED_FOR if found.right == AUTOMATED and found.extended < MOST_EXTENDED else (),
            "grounds": SUSPENSION_REFUSED_FOR,
            "wanted": ", ".join(paper_title(asked, code) for code in re.split(" or |, ", wanted) if code),
            "version": version_of(one),
            "holdings": holding_rows(asked, held_of(asked.keeper, seen)),
            "now": asked.keeper.now(),
            "problem": problem,
        },
        status,
    )


def _article(law: str, locale: str) -> str:
    """`pipa 38` as people write it."""
    code, _, article = law.partition(" ")
    return article_in(f"{code.upper()} {article}", locale)


def _objected(asked: Asked, one: Waiting, seen: Seen) -> Waiting | None:
    """The request whose answer an objection is against."""
    found = next(each for each in seen.state.requests if each.request_id == one.request_id)
    if found.objects_to is None:
        return None
    return request_of(asked.keeper, asked.policy, one.subject_id, found.objects_to)


def _recipients(asked: Asked, seen: Seen, one: Waiting) -> list[tuple[str, Told]]:
    return [(recipient_title(asked, told.recipient), told) for told in told_of(asked.keeper, seen, one.request_id)]


def _enough(asked: Asked, one: Waiting) -> tuple[str, ...]:
    """What the document asks for: any one of them will do."""
    return () if one.by != "subject" else will_do(asked.plan, one.right, one.channel)


def _together(asked: Asked, one: Waiting) -> tuple[str, ...]:
    """The papers of who acts for another: all of them together."""
    return () if one.by == "subject" else least_proof(asked.plan, one.right, one.channel, one.by)


def _proofs(asked: Asked, one: Waiting) -> tuple[str, ...]:
    """What may be recorded: what is enough first, then every other proof that the document knows."""
    asked_for_first = (*_enough(asked, one), *_together(asked, one))
    return tuple(dict.fromkeys((*asked_for_first, *asked.plan.proofs, *ANY_PROOF)))


def _told(asked: Asked, one: Waiting) -> Answered | None:
    """What the person is told, in words; None while there is no answer."""
    found = asked.keeper.answer_of(one.subject_id, one.request_id)
    if found is None:
        return None
    document, locale = asked.document, asked.locale
    return Answered(
        found.reason,
        tuple(document.title(path, locale) for path in found.kept),
        tuple(document.title(path, locale) for path in (*found.offices, *found.remedies)),
    )


def asked_for(asked: Asked) -> tuple[Waiting, Seen]:
    """The request of the address and its person. Raises Refused for one that is none of this policy's."""
    subject, number = SubjectId(asked.parts["subject"]), RequestId(asked.parts["request"])
    one = request_of(asked.keeper, asked.policy, subject, number)
    seen = seen_of(asked.keeper, asked.policy, subject)
    if one is None or seen is None:
        raise Refused(404, "request-unknown")
    return one, seen


def version_of(one: Waiting) -> str:
    """What a form was made from; another state of the request has another."""
    return hashlib.sha256(f"{one.request_id}|{one.state}|{one.proved}|{one.due_at}".encode()).hexdigest()[:16]


def unchanged(asked: Asked, one: Waiting) -> None:
    """Raises Refused when somebody else changed the request since the form was made."""
    if asked.field("version") != version_of(one):
        raise Refused(409, "changed-meanwhile")


def back(asked: Asked, one: Waiting) -> Moved:
    """To the page of the request, after something was done."""
    return Moved(asked.url("request", subject=one.subject_id, request=one.request_id))
