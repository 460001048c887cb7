"""The clause report in the console: what is upheld, one clause, and from there to the entries that show it."""

from __future__ import annotations

from typing import Final

from upheld.keeper.elsewhere import KINDS_OF_PLACE
from upheld.ledger.entries import Entry
from upheld.ledger.report import NOTES, ClauseReport, Gap, Report, State, said
from upheld.store import history
from upheld.web.answer import Answer, Printed, Refused, Shown
from upheld.web.asked import Asked
from upheld.web.words import known, say

ORDER: Final = (State.NOT_UPHELD, State.UPHELD, State.NO_EVIDENCE, State.STATED)
_INSTANTS: Final = ("_at",)


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
    return Shown("entry", {"found": found, "fields": _fields(found.entry)})


def clause_title(asked: Asked, made: Report, one: ClauseReport) -> str:
    """What a clause is about: the names of its first elements."""
    named = [made.names.get(each.path, {}).get(asked.locale, "") for each in one.elements]
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


def _fields(entry: Entry) -> list[tuple[str, str, object]]:
    """Name, kind of showing, and content of each field."""
    found: list[tuple[str, str, object]] = []
    for name, value in entry.fields.items():
        if isinstance(value, bytes):
            found.append((name, "code", value.hex()))
        elif isinstance(value, int) and not isinstance(value, bool) and name.endswith(("_at", "until")):
            found.append((name, "instant", value))
        elif isinstance(value, tuple):
            found.append((name, "list", [str(one) for one in value]))
        else:
            found.append((name, "code", str(value)))
    return found
