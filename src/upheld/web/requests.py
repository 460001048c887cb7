"""Requests of persons: the list with deadlines, one request, its proof and its answer."""

from __future__ import annotations

import hashlib
from typing import Final

from upheld.desk.due import Waiting, request_of, requests_of
from upheld.desk.holdings import held_of, seen_of
from upheld.engine.acts import RequestId, SubjectId
from upheld.engine.state import RequestState
from upheld.keeper import Outcome
from upheld.store.views import Seen
from upheld.web.answer import Answer, Moved, Refused, Shown
from upheld.web.asked import Asked
from upheld.web.due import right_title
from upheld.web.people import holding_rows

OUTCOMES: Final = (RequestState.DONE.value, RequestState.PARTLY.value, RequestState.REFUSED.value, "taken-back")
REASONS: Final = (
    "forbidden-by-law", "harms-others", "duty-of-public-body", "contract-impossible", "kept-by-law", "not-identified",
    "unfounded",
)  # fmt: skip
"""Why a request is refused or granted in part only. Ours, after the grounds that the law lists (PIPA 35(4), 37(2))."""
PROOFS: Final = ("signed-in", "known-address", "identity-paper", "mandate", "in-person")
"""How identity was proved. Ours; the document's own proofs stand first where the channel names one."""
SETTLED_SHOWN = 50


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
    one, _ = _asked_for(asked)
    _unchanged(asked, one)
    proof = asked.choice("proof", _proofs(asked, one))
    asked.keeper.prove(one.subject_id, one.request_id, proof=proof)
    return _back(asked, one)


def answer(asked: Asked) -> Answer:
    """The request is answered. Two at once do not overwrite each other: the second is told."""
    one, seen = _asked_for(asked)
    _unchanged(asked, one)
    outcome = asked.choice("outcome", OUTCOMES)
    reason = asked.choice("reason", ("", *REASONS)) or None
    if outcome in (RequestState.PARTLY, RequestState.REFUSED) and reason is None:
        return _page(asked, one, seen, "reason-missing", 400)
    done: Outcome = asked.keeper.answer(one.subject_id, one.request_id, outcome, reason=reason)
    if not done.granted:
        return _page(asked, one, seen, f"reason.{done.reasons[0].value}", 400)
    return _back(asked, one)


def _page(asked: Asked, one: Waiting, seen: Seen, problem: str, status: int) -> Shown:
    found = next((each for each in seen.state.requests if each.request_id == one.request_id), None)
    return Shown(
        "request",
        {
            "one": one,
            "request": found,
            "right": right_title(asked, one),
            "channel": asked.document.name("channels", one.channel, asked.locale),
            "outcomes": OUTCOMES,
            "reasons": REASONS,
            "proofs": _proofs(asked, one),
            "version": version_of(one),
            "holdings": holding_rows(asked, held_of(asked.keeper, seen)),
            "now": asked.keeper.now(),
            "problem": problem,
        },
        status,
    )


def _proofs(asked: Asked, one: Waiting) -> tuple[str, ...]:
    """What the document asks for on this channel first, then what else shows who somebody is."""
    declared = asked.plan.channels.get(one.channel)
    own = declared[1] if declared else None
    return tuple(dict.fromkeys([own] if own else [])) + tuple(each for each in PROOFS if each != own)


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
