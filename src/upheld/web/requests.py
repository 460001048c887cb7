"""Requests of persons: the list with deadlines, one request, its proof and its answer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Final

from upheld.dates import start_of
from upheld.desk.due import Waiting, request_of, requests_of
from upheld.desk.holdings import held_of, seen_of
from upheld.engine.acts import RequestId, SubjectId
from upheld.engine.proving import will_do
from upheld.engine.state import WAITING, RequestState
from upheld.keeper.asking import SUSPENSION_REFUSED_FOR
from upheld.store.views import Seen
from upheld.web.answer import Answer, Moved, Refused, Shown
from upheld.web.asked import Asked
from upheld.web.due import right_title
from upheld.web.people import holding_rows
from upheld.web.words import known, say

OUTCOMES: Final = tuple(one.value for one in RequestState if one not in WAITING)
REASONS: Final = (*SUSPENSION_REFUSED_FOR, "kept-by-duty", "unfounded", "already-right")
"""Why a request is refused or granted in part only: the grounds of the law, then ours."""
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


def listed(asked: Asked) -> Answer:
    """Open requests, the first due first; the newest answered ones below."""
    keeper, policy = asked.keeper, asked.policy
    return Shown(
        "requests",
        {
            "open": requests_of(keeper, policy),
            "settled": requests_of(keeper, policy, settled=True)[:SETTLED_SHOWN],
            "now": keeper.now(),
            "right": lambda one: right_title(asked, one),
            "channel": lambda one: asked.document.name("channels", one.channel, asked.locale),
        },
    )


def request(asked: Asked) -> Answer:
    """One request with what is held on the person, and what may be done now."""
    one, seen = _asked_for(asked)
    return _page(asked, one, seen, "", 200)


def prove(asked: Asked) -> Answer:
    """Identity is proved: from now on the request is obeyed."""
    one, seen = _asked_for(asked)
    _unchanged(asked, one)
    proof = asked.choice("proof", _proofs(asked, one))
    done = asked.keeper.prove(one.subject_id, one.request_id, proof=proof)
    if not done.granted:
        return _page(asked, one, seen, f"reason.{done.reasons[0].value}", 400, done.because[0].detail)
    return _back(asked, one)


def incomplete(asked: Asked) -> Answer:
    """Something is missing: the person is asked for it, the clock runs on."""
    one, _ = _asked_for(asked)
    _unchanged(asked, one)
    missing = asked.choice("missing", _proofs(asked, one))
    asked.keeper.incomplete(one.subject_id, one.request_id, missing=(missing,))
    return _back(asked, one)


def postpone(asked: Asked) -> Answer:
    """Access is put off to a day, for a reason that the person is told; then it is open again by itself."""
    one, seen = _asked_for(asked)
    _unchanged(asked, one)
    reason = asked.choice("why", SUSPENSION_REFUSED_FOR)
    try:
        until = start_of(date.fromisoformat(asked.field("until")), asked.plan.zone)
    except ValueError:
        return _page(asked, one, seen, "day-unreadable", 400)
    if one.right != "access" or until <= asked.keeper.now():
        return _page(asked, one, seen, "day-past", 400)
    asked.keeper.postpone(one.subject_id, one.request_id, until=until, reason=reason)
    return _back(asked, one)


def answer(asked: Asked) -> Answer:
    """The request is answered. Two at once do not overwrite each other: the second is told."""
    one, seen = _asked_for(asked)
    _unchanged(asked, one)
    outcome = asked.choice("outcome", OUTCOMES)
    reason = asked.choice("reason", ("", *REASONS)) or None
    if outcome in SAID_WHY and reason is None:
        return _page(asked, one, seen, "reason-missing", 400)
    handler = asked.signed().account.handler_id
    done = asked.keeper.answer(one.subject_id, one.request_id, outcome, reason=reason, handler=handler)
    if not done.granted:
        return _page(asked, one, seen, f"reason.{done.reasons[0].value}", 400)
    return _back(asked, one)


def _page(asked: Asked, one: Waiting, seen: Seen, problem: str, status: int, wanted: str = "") -> Shown:
    document = asked.document
    found = next((each for each in seen.state.requests if each.request_id == one.request_id), None)
    return Shown(
        "request",
        {
            "one": one,
            "request": found,
            "right": right_title(asked, one),
            "channel": document.name("channels", one.channel, asked.locale),
            "outcomes": OUTCOMES,
            "reasons": REASONS,
            "proofs": {code: proof_title(asked, code) for code in _proofs(asked, one)},
            "enough": [proof_title(asked, code) for code in _enough(asked, one)],
            "told": _told(asked, one),
            "grounds": SUSPENSION_REFUSED_FOR,
            "wanted": ", ".join(proof_title(asked, code) for code in wanted.split(" or ") if code),
            "version": version_of(one),
            "holdings": holding_rows(asked, held_of(asked.keeper, seen)),
            "now": asked.keeper.now(),
            "problem": problem,
        },
        status,
    )


def _enough(asked: Asked, one: Waiting) -> tuple[str, ...]:
    """What the document asks for: any one of them will do."""
    return will_do(asked.plan, one.right, one.channel, one.by)


def _proofs(asked: Asked, one: Waiting) -> tuple[str, ...]:
    """What may be recorded: what is enough first, then every other proof that the document knows."""
    return tuple(dict.fromkeys((*_enough(asked, one), *asked.plan.proofs, *ANY_PROOF)))


def proof_title(asked: Asked, code: str) -> str:
    """The public name of a proof."""
    if code in asked.plan.proofs:
        return asked.document.name("proofs", code, asked.locale)
    return say(f"proof.{code}", asked.locale) if known(f"proof.{code}") else code


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


def _asked_for(asked: Asked) -> tuple[Waiting, Seen]:
    subject, number = SubjectId(asked.parts["subject"]), RequestId(asked.parts["request"])
    one = request_of(asked.keeper, asked.policy, subject, number)
    seen = seen_of(asked.keeper, asked.policy, subject)
    if one is None or seen is None:
        raise Refused(404, "request-unknown")
    return one, seen


def version_of(one: Waiting) -> str:
    """What a form was made from; another state of the request has another."""
    return hashlib.sha256(f"{one.request_id}|{one.state}|{one.proved}|{one.due_at}".encode()).hexdigest()[:16]


def _unchanged(asked: Asked, one: Waiting) -> None:
    if asked.field("version") != version_of(one):
        raise Refused(409, "changed-meanwhile")


def _back(asked: Asked, one: Waiting) -> Moved:
    return Moved(asked.url("request", subject=one.subject_id, request=one.request_id))
