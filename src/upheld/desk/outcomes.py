"""The outcome of a request is told: to the person, to their agent, or to a child's legal representative."""

from __future__ import annotations

from upheld.desk.documents import Document
from upheld.desk.due import Waiting
from upheld.desk.forms import outcome
from upheld.desk.holdings import seen_of
from upheld.desk.languages import language_of
from upheld.desk.representatives import addressee_of, tell_in_place
from upheld.errors import InputRefused
from upheld.keeper import Keeper
from upheld.keeper.telling import Message
from upheld.policy.letters import Written
from upheld.policy.wording import text_in

NOTICE = "outcome"


def tell_outcome(keeper: Keeper, document: Document, one: Waiting) -> Message:
    """Send the letter with the outcome to who asked, in the person's language. Raises InputRefused before the answer.

    Who asked for another gets it where they said; nobody else does, the person included.
    """
    policy = document.policy.policy
    seen = seen_of(keeper, policy, one.subject_id)
    if seen is None or not one.settled:
        raise InputRefused("answer-first", "the outcome is told when there is one")
    acting = next((each.acting for each in seen.state.requests if each.request_id == one.request_id), None)
    if acting is not None and addressee_of(keeper, policy, one.subject_id, acting) is None:
        raise InputRefused("address-missing", "who asked for this person said nowhere that they can be told")
    locale = language_of(keeper, document, one.subject_id)
    sheet = outcome(keeper, document, seen.view.plan, one, locale)
    sender = text_in(document.policy.controller.texts, locale)
    text = Written(f"[{sender}] {sheet.title}", sheet.text(), locale)
    return tell_in_place(keeper, policy, one.subject_id, NOTICE, locale, about=one.request_id, text=text, acting=acting)


def told_of_outcome(keeper: Keeper, policy: str, one: Waiting) -> list[Message]:
    """The letters with this outcome and what became of them, oldest first."""
    return keeper.messages(policy, subject=one.subject_id, notice=NOTICE, about=one.request_id)
