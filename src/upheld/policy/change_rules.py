"""What a difference between two versions demands: one row for each section and key, data and no code.

`ASK` means: a fresh consent where the element rests on one, else a notice. A key that no table names demands a notice.
The reasons are in docs/change.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Demand(StrEnum):
    """What a difference asks of the controller before it may hold for a person."""

    NOTHING = "nothing"
    NOTICE = "notice"
    CONSENT = "consent"


class Favours(StrEnum):
    """Who is better off; what favours the person may apply to data already held."""

    PERSON = "person"
    NEITHER = "neither"
    CONTROLLER = "controller"


class How(StrEnum):
    """How two values of a key are compared."""

    SET = "set"
    END = "end"
    TIME = "time"
    VALUE = "value"
    SWITCH = "switch"
    ROWS = "rows"
    BASIS = "basis"
    WORDING = "wording"
    INSIDE = "inside"


class Ask(StrEnum):
    """`ASK` is decided by what the element rests on."""

    ASK = "ask"


Wanted = Demand | Ask
NOTHING, NOTICE, CONSENT = Demand.NOTHING, Demand.NOTICE, Demand.CONSENT
ASK: Final = Ask.ASK
PERSON, NEITHER, CONTROLLER = Favours.PERSON, Favours.NEITHER, Favours.CONTROLLER


@dataclass(frozen=True, slots=True)
class KeyRule:
    """`grows`: what more of it (a longer period, further members, any other value) demands; `shrinks`: less of it."""

    how: How
    grows: Wanted = NOTICE
    shrinks: Demand = NOTICE
    growing_favours: Favours = NEITHER


@dataclass(frozen=True, slots=True)
class SectionRule:
    """What a new element, a dropped one, and each key of one that stays demand."""

    added: Wanted
    dropped: Wanted
    adding_favours: Favours
    keys: Mapping[str, KeyRule]


_OTHER: Final = KeyRule(How.VALUE)
_INSIDE: Final = KeyRule(How.INSIDE, NOTHING, NOTHING)
_WORDING: Final = KeyRule(How.WORDING, NOTHING, NOTHING)
_SCOPE: Final = KeyRule(How.SET, ASK, NOTICE, CONTROLLER)
_LIMIT: Final = KeyRule(How.SET, NOTICE, NOTICE, PERSON)
_MORE_IS_WORSE: Final = KeyRule(How.SET, NOTICE, NOTICE, CONTROLLER)
_LASTING: Final = KeyRule(How.END, ASK, NOTICE, CONTROLLER)
_SLOWER: Final = KeyRule(How.TIME, NOTICE, NOTICE, CONTROLLER)
_ASKED_OR_NOT: Final = KeyRule(How.VALUE, ASK, NOTICE, CONTROLLER)

GENERAL: Final[Mapping[str, KeyRule]] = {
    "reading": _INSIDE,
    "law": _INSIDE,
    "blocked": _INSIDE,
    "review-after": _INSIDE,
    "seen": KeyRule(How.VALUE),
}
"""Keys of every element. `blocked` decides whether an element runs at all, before any key is looked at."""


def _section(added: Wanted, dropped: Wanted, favours: Favours, **keys: KeyRule) -> SectionRule:
    return SectionRule(
        added, dropped, favours, {name.rstrip("_").replace("_", "-"): rule for name, rule in keys.items()}
    )


_WORD: Final = _section(NOTHING, NOTHING, NEITHER)
"""Words: what they mean for a person shows where a rule uses them."""

SECTIONS: Final[Mapping[str, SectionRule]] = {
    "guarantees": _section(NOTICE, NOTICE, PERSON),
    "laws": _WORD,
    "parties": _section(NOTHING, NOTHING, NEITHER, address=_OTHER, contact=_OTHER, seat=_OTHER),
    "subjects": _section(NOTHING, NOTHING, NEITHER, identified=_OTHER),
    "engagements": _section(NOTHING, NOTHING, NEITHER, begins=_INSIDE, ends=_INSIDE),
    "facts": _section(NOTHING, NOTHING, NEITHER, about=_INSIDE, closes=_OTHER),
    "channels": _section(NOTHING, NOTHING, NEITHER, proof=_OTHER, site=_WORDING),
    "places": _section(NOTHING, NOTHING, NEITHER, site=_WORDING),
    "proofs": _section(
        NOTHING, NOTHING, NEITHER, any_of=KeyRule(How.SET, NOTICE, NOTICE, PERSON), all_of=_MORE_IS_WORSE, copy=_OTHER
    ),
    "soft-words": _section(NOTHING, NOTHING, NEITHER, means=_INSIDE),
    "items": _section(NOTHING, NOTHING, NEITHER, nature=_OTHER, collected=_INSIDE, needs=_OTHER),
    "purposes": _section(
        ASK,
        NOTICE,
        CONTROLLER,
        whose=_SCOPE,
        items=_SCOPE,
        basis=KeyRule(How.BASIS),
        per=KeyRule(How.VALUE, ASK),
        until=_LASTING,
        uses=KeyRule(How.ROWS, ASK, NOTICE, CONTROLLER),
        source=_MORE_IS_WORSE,
        via=_MORE_IS_WORSE,
        needs=KeyRule(How.SET, NOTICE, CONSENT, PERSON),
        held_for=_ASKED_OR_NOT,
        refused=_WORDING,
    ),
    "collection": _section(NOTICE, NOTICE, CONTROLLER, source=_MORE_IS_WORSE, by=_MORE_IS_WORSE, for_=_MORE_IS_WORSE),
    "collection-exceptions": _section(
        NOTICE, NOTICE, CONTROLLER, for_=_MORE_IS_WORSE, needs=_LIMIT, basis=_OTHER, recorded=_OTHER
    ),
    "consent": _section(NOTICE, NOTICE, PERSON, by=_LIMIT, says=_LIMIT),
    "advertising": _section(
        CONSENT,
        NOTICE,
        CONTROLLER,
        for_=KeyRule(How.SET, CONSENT, NOTICE, CONTROLLER),
        at_night=KeyRule(How.SWITCH, CONSENT, NOTICE, CONTROLLER),
    ),
    "retention": _section(
        ASK,
        NOTICE,
        CONTROLLER,
        of=_SCOPE,
        items=_SCOPE,
        kind=_ASKED_OR_NOT,
        basis=_ASKED_OR_NOT,
        from_=_ASKED_OR_NOT,
        until=_LASTING,
    ),
    "statutes": _section(
        NOTICE,
        NOTICE,
        CONTROLLER,
        items=_MORE_IS_WORSE,
        law=_OTHER,
        from_=_OTHER,
        until=KeyRule(How.END, NOTICE, NOTICE, CONTROLLER),
        instead_of=_OTHER,
    ),
    "destruction": _section(
        NOTICE, NOTICE, PERSON, starts=_SLOWER, within=_SLOWER, after=_LIMIT, by=_OTHER, approval=_INSIDE
    ),
    "separation": _section(NOTICE, NOTICE, PERSON),
    "upkeep": _section(NOTICE, NOTICE, CONTROLLER, basis=_OTHER, until=KeyRule(How.END, NOTICE, NOTICE, CONTROLLER)),
    "provisions": _section(
        ASK,
        NOTICE,
        CONTROLLER,
        to=_ASKED_OR_NOT,
        items=_SCOPE,
        whose=_SCOPE,
        per=KeyRule(How.VALUE, ASK),
        their_use=_WORDING,
        consent=_OTHER,
        by=KeyRule(How.SET, ASK, NOTICE, CONTROLLER),
        use_until=_LASTING,
        until=_LASTING,
        refused=_WORDING,
    ),
    "provision-exceptions": _section(
        ASK,
        NOTICE,
        CONTROLLER,
        needs=KeyRule(How.SET, NOTICE, CONSENT, PERSON),
        items=_SCOPE,
        law=KeyRule(How.SET, NOTICE, NOTICE, CONTROLLER),
    ),
    "entrustments": _section(
        ASK,
        NOTICE,
        CONTROLLER,
        to=_ASKED_OR_NOT,
        for_=_SCOPE,
        items=_SCOPE,
        task=_WORDING,
        consent=_OTHER,
        under=_OTHER,
        contract=_OTHER,
        terms=KeyRule(How.ROWS, NOTICE, NOTICE, PERSON),
        within=_SLOWER,
        inspected=_INSIDE,
    ),
    "transfers": _section(
        ASK,
        NOTICE,
        CONTROLLER,
        to=_ASKED_OR_NOT,
        as_=_OTHER,
        basis=KeyRule(How.VALUE, CONSENT),
        stored_in=_SCOPE,
        seen_from=_SCOPE,
        items=_SCOPE,
        how=_WORDING,
        until=_LASTING,
        refused=_WORDING,
    ),
    "handlers": _section(
        NOTHING,
        NOTHING,
        NEITHER,
        for_=_INSIDE,
        duties=_INSIDE,
        granted_with=_INSIDE,
        granted_for=_INSIDE,
        reviewed=_INSIDE,
    ),
    "rights": _section(
        NOTICE, NOTICE, PERSON, by=_LIMIT, within=_SLOWER, gives=_LIMIT, tells=_LIMIT, covers=_LIMIT, form=_OTHER
    ),
    "acting-for": _section(NOTICE, NOTICE, PERSON, shows=_MORE_IS_WORSE),
    "children": _section(NOTICE, NOTICE, PERSON),
    "cookies": _section(
        NOTICE,
        NOTICE,
        CONTROLLER,
        for_=_MORE_IS_WORSE,
        lasts=KeyRule(How.TIME, NOTICE, NOTICE, CONTROLLER),
        honours=_LIMIT,
    ),
    "safeguards": _section(
        NOTICE,
        NOTICE,
        PERSON,
        check=_INSIDE,
        evidence=_INSIDE,
        due=_INSIDE,
        per=_INSIDE,
        owner=_INSIDE,
        blocks=_INSIDE,
        at_least=KeyRule(How.TIME, NOTICE, NOTICE, PERSON),
    ),
    "changes": _section(
        NOTICE,
        NOTICE,
        PERSON,
        at=_OTHER,
        ahead=KeyRule(How.TIME, NOTICE, NOTICE, PERSON),
        within=_SLOWER,
        says=_LIMIT,
        because=_MORE_IS_WORSE,
    ),
    "contacts": _section(NOTICE, NOTICE, PERSON, takes=_LIMIT, within=_SLOWER),
    "agencies": _section(NOTICE, NOTICE, PERSON, offers=_WORDING, shown_in=_INSIDE, reviewed=_INSIDE),
    "statements": _section(NOTICE, NOTICE, NEITHER, under=_INSIDE, also=_INSIDE),
}


def rule_for(section: str, key: str) -> KeyRule:
    """How a key of a section's rows is compared, and what that demands."""
    return SECTIONS[section].keys.get(key) or GENERAL.get(key, _OTHER)
