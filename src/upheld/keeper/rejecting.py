"""What a rejected input leaves, whichever verb it was given to: one entry with its code and the verb (I14)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, Final, ParamSpec, TypeVar

from upheld.engine.acts import SubjectId
from upheld.errors import InputRefused, PolicyRefused
from upheld.keeper.door import Door
from upheld.ledger.entries import entry
from upheld.store.place import Transaction
from upheld.store.vault import HOUSE

P = ParamSpec("P")
R = TypeVar("R")
_AN_ID = re.compile(r"[a-z2-7]{20}")

VERBS: Final = frozenset(
    [
        "accept_again",
        "acknowledge",
        "acknowledged",
        "acts_for",
        "acts_no_longer",
        "addressed_by",
        "also_in",
        "answer",
        "answer_at_once",
        "approve",
        "approve_destruction",
        "arrived",
        "attest",
        "begin",
        "bounced",
        "close_application",
        "close_merger",
        "collect",
        "consent",
        "contract",
        "controller_fact",
        "correct",
        "counted",
        "destroy_paper",
        "did",
        "disclose",
        "end_contract",
        "enter",
        "enter_many",
        "entrust",
        "erase",
        "export",
        "extend",
        "fact",
        "file_evidence",
        "file_paper",
        "grant",
        "hand_over",
        "holiday",
        "incomplete",
        "leak_known",
        "leak_moved",
        "lift",
        "link_made",
        "lookup",
        "merger",
        "open_application",
        "paper",
        "pass_on",
        "password_matches",
        "post",
        "postpone",
        "prepare",
        "printed",
        "prove",
        "provide",
        "prune",
        "publish",
        "read",
        "read_batch",
        "read_many",
        "read_purpose",
        "read_separated",
        "receipt",
        "refuse_transfer",
        "register",
        "request",
        "returned",
        "reuse",
        "review",
        "revoke",
        "rotate_application",
        "send",
        "settle",
        "show",
        "source",
        "taken_down",
        "tell",
        "tell_merger",
        "told_by_hand",
        "unregister",
        "withdraw",
        "work_done",
    ]
)
"""Everything that changes something or shows contents."""


def noted(name: str, verb: Callable[Concatenate[Door, P], R]) -> Callable[Concatenate[Door, P], R]:
    """The same verb; an input that it rejects is on record before the caller hears of it."""
    place = name.replace("_", "-")

    @wraps(verb)
    def noting(self: Door, /, *given: P.args, **named: P.kwargs) -> R:
        try:
            return verb(self, *given, **named)
        except (InputRefused, PolicyRefused) as refusal:
            if not refusal.on_record:
                code = refusal.code if isinstance(refusal, InputRefused) else refusal.problems[0].code
                whom = given[0] if given else named.get("policy", named.get("subject_id"))
                refusal.on_record = True
                _note(self, whom if isinstance(whom, str) else "", code, place)
            raise

    return noting


def _note(door: Door, whom: str, code: str, place: str) -> None:
    """Under the policy and the person that it was about, where these are known here; else it is the house's."""
    policy, alias = HOUSE, None
    if whom in door.views.lines:
        policy = whom
    elif _AN_ID.fullmatch(whom):
        try:
            seen = door.views.get(SubjectId(whom), door.now())
        except InputRefused:
            seen = None  # nobody of that id: what somebody typed stands nowhere
        if seen is not None:
            policy, alias = seen.policy, seen.alias or None

    def note(transaction: Transaction) -> None:
        transaction.journal(entry("input.rejected", transaction.at, policy, alias, (), code=code, place=place))

    door.places.active.submit(note, about=(SubjectId(whom),) if alias else (), reads=True)
