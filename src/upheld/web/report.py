"""The clause report in the console: what is upheld, one clause, and from there to the entries that show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from upheld.dates import Instant
from upheld.desk import spoken
from upheld.keeper.elsewhere import KINDS_OF_PLACE
from upheld.ledger.entries import KINDS, Entry, Value
from upheld.ledger.report import NOTES, ClauseReport, Gap, Report, State, said
from upheld.store import history
from upheld.web.answer import Answer, Printed, Refused, Shown
from upheld.web.asked import Asked
from upheld.web.words import known, say

ORDER: Final = (State.NOT_UPHELD, State.UPHELD, State.NO_EVIDENCE, State.STATED)
_INSTANTS: Final = frozenset(field.name for kind in KINDS.values() for field in kind.fields if field.type == "instant")
"""Fields that are an instant."""


def report(asked: Asked) -> Answer:
    """Every clause by state, those not upheld first."""
    made = _made(asked)
    counts = made.counts()
    return Shown(
        "report",
        {
            "report": made,
            "groups": [(state.value, [one for one in made.clauses if one.state is state]) for state in ORDER],
            "counts": [(state.value, counts[state]) for state in ORDER],
            "total": len(made.clauses),
            "title": lambda one: clause_title(asked, made, one),
            "told": lambda one: [_said(asked, each) for each in one.what],
        },
    )


def clause(asked: Asked) -> Answer:
    """One clause: its elements, what was not kept and when, and the entries that show it."""
    made = _made(asked)
    one = next((each for each in made.clauses if each.clause == asked.parts["clause"]), None)
    if one is None:
        raise Refused(404, "clause-unknown")
    locale = asked.locale
    return Shown(
        "clause",
        {
            "report": made,
            "one": one,
            "element": lambda path: made.names.get(path, {}).get(locale) or asked.document.title(path, locale),
            "kind": lambda code: spoken.KINDS[code].say(locale),
            "told": [_said(asked, each) for each in one.what],
            "gap_told": lambda gap: _gap(asked, gap),
            "note": lambda code: NOTES[code][locale == "ko"] if code else "",
        },
    )


def printed(asked: Asked) -> Answer:
    """The whole report as one page for print and file."""
    return Printed(_made(asked).html())


def entry(asked: Asked) -> Answer:
    """One entry of the ledger, as it stands there. INVARIANT: I12, only of this policy."""
    try:
        found = history.entry_at(asked.keeper.places.sealer.connection, asked.parts["reference"])
    except history.NoSuchEntry as missing:
        raise Refused(404, "entry-unknown") from missing
    if found.entry.policy != asked.policy:
        raise Refused(404, "entry-unknown")
    return Shown(
        "entry",
        {
            "found": found,
            "kind": spoken.KINDS[found.entry.kind].say(asked.locale),
            "elements": [
                _beside(path, spoken.title(asked.document, path, asked.locale)) for path in found.entry.elements
            ],
            "fields": [_field(asked, found.entry, name, value) for name, value in found.entry.fields.items()],
        },
    )


def clause_title(asked: Asked, made: Report, one: ClauseReport) -> str:
    """What a clause is about: the names of its first elements."""
    named = [made.names.get(each.path, {}).get(asked.locale) or _element(asked, each.path) for each in one.elements]
    return ", ".join(list(dict.fromkeys(name for name in named if name))[:3])


def _made(asked: Asked) -> Report:
    return asked.settings.reports.report(asked.keeper, asked.policy)


def _said(asked: Asked, what: str) -> str:
    """A finding in words, its detail too: a kind of evidence, an element of the policy."""
    code, _, detail = what.partition(":")
    if detail:
        kind = f"evidence-kind.{detail}"
        place = KINDS_OF_PLACE.get(detail)
        detail = say(kind, asked.locale) if known(kind) else _element(asked, detail)
        detail = (place.ko if asked.locale == "ko" else place.en) if place else detail
    return said(f"{code}:{detail}" if detail else code, int(asked.locale == "ko"))


def _element(asked: Asked, path: str) -> str:
    return asked.document.title(path, asked.locale) if path in asked.document.rows else path


def _gap(asked: Asked, gap: Gap) -> str:
    return _said(asked, f"{gap.what}:{gap.detail}" if gap.detail else gap.what)


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of an entry as the page shows it: its name in words and as written; an instant, or codes with words."""

    title: str
    name: str
    at: Instant | None = None
    said: tuple[tuple[str, str], ...] = ()
    """Words and code of each; no words for a number, an id or what is only a code."""


def _field(asked: Asked, entry: Entry, name: str, value: Value) -> _Field:
    words = spoken.field_word(name)
    title = words.say(asked.locale) if words else name
    match value:
        case bool():
            said: tuple[tuple[str, str], ...] = ((say("entry.yes" if value else "entry.no", asked.locale), ""),)
        case int() if name in _INSTANTS:
            return _Field(title, name, at=Instant(value))
        case bytes():
            said = (("", value.hex()),)
        case Mapping():
            said = tuple(_told(asked, entry, name, str(code), f" {number}") for code, number in value.items())
        case tuple() | list():
            said = tuple(_told(asked, entry, name, str(one)) for one in value)
        case _:
            said = (_told(asked, entry, name, str(value)),)
    return _Field(title, name, said=said)


def _told(asked: Asked, entry: Entry, name: str, code: str, number: str = "") -> tuple[str, str]:
    refused = f"refused.{code}"
    told = name == "code" and known(refused)
    words, written = _beside(
        code,
        say(refused, asked.locale) if told else spoken.said(asked.document, asked.locale, entry.kind, name, code),
    )
    return (f"{words}{number}", written) if words else ("", f"{written}{number}")


def _beside(code: str, words: str) -> tuple[str, str]:
    """Words and code; no words where they say the same."""
    return ("" if words == code else words, code)
