"""Recipients and processors: contracts, what is owed back, corrections told and not answered yet, stop orders."""

from __future__ import annotations

from collections.abc import Mapping

from upheld.desk.counted import counted_at
from upheld.desk.parties import COUNTS, awaited_of, companies, deal_of
from upheld.policy.wording import text_in
from upheld.web.answer import Answer, Moved, Refused, Shown
from upheld.web.asked import Asked


def parties(asked: Asked) -> Answer:
    """Every company that gets data, with its contracts and what it owes."""
    found = companies(asked.keeper, asked.document, asked.locale)
    return Shown(
        "parties",
        {
            "companies": found,
            "now": asked.keeper.now(),
            "title": lambda path: use_of(asked, path),
            "party": lambda name: asked.document.name("parties", name, asked.locale),
            "counted_at": counted_at(asked.keeper, asked.policy, COUNTS),
            "owed": sum(deal.owes(asked.keeper.now()) for one in found for deal in one.deals),
            "waiting": sum(one.waiting for one in found),
        },
    )


def use_of(asked: Asked, path: str) -> str:
    """What a company does with what it gets, in the words of the document; the row's title where it has none."""
    row = asked.document.rows.get(path)
    said = getattr(row, "task", None) or getattr(row, "their_use", None)
    return (text_in(said, asked.locale) if isinstance(said, Mapping) else "") or asked.document.title(
        path, asked.locale
    )


def end(asked: Asked) -> Answer:
    """A contract ends now: nothing goes there any more, what was given is asked back."""
    deal = deal_of(asked.keeper, asked.policy, asked.parts["contract"])
    if deal is None or not deal.running(asked.keeper.now()):
        raise Refused(404, "contract-unknown")
    asked.keeper.end_contract(asked.policy, deal.contract_id)
    return Moved(asked.url("parties"))


def returned(asked: Asked) -> Answer:
    """The company has shown that everything came back or was destroyed."""
    deal = deal_of(asked.keeper, asked.policy, asked.parts["contract"])
    if deal is None or not deal.owes(asked.keeper.now()):
        raise Refused(404, "contract-unknown")
    asked.keeper.returned(asked.policy, deal.contract_id)
    return Moved(asked.url("parties"))


def acknowledged(asked: Asked) -> Answer:
    """A recipient has answered that it corrected, returned or destroyed. INVARIANT: I12, only of this policy."""
    one = awaited_of(asked.keeper, asked.policy, asked.parts["subject"], asked.parts["disclosure"])
    if one is None:
        raise Refused(404, "disclosure-unknown")
    asked.keeper.acknowledge(one.subject_id, one.disclosure_id)
    return Moved(asked.url("parties"))
