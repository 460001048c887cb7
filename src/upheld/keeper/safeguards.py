"""What shows that a safeguard was kept: the checks of the system, and the evidence that people file when it is due."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from zoneinfo import ZoneInfo

from upheld.dates import FOREVER, Instant, Period, end_of
from upheld.engine.plan import ControlPlan
from upheld.keeper.looking import MENDED, Looked
from upheld.ledger.report import Breach, Exhibit
from upheld.policy.model import Row
from upheld.policy.vocabulary import Nature

TRIGGER_GRACE: Final = Period(days=1)
"""Ours: what is owed after a fact may come by the end of the next day."""
AT_FIRST: Final = frozenset({"officer-vacant", "hired"})
"""Facts that hold from the first day on: nobody is in post until an appointment is filed."""

Kept = tuple[tuple[Exhibit, ...], tuple[Breach, ...]]


def _system_check(look: Looked, row: Row, control: ControlPlan, name: str) -> Kept:
    return look.checked(name, row.path)


def _passwords(look: Looked, row: Row, control: ControlPlan, name: str) -> Kept:
    """Stored one-way; where none is ever taken, refused."""
    shown, breaches = look.checked(name, row.path)
    never = [one.path for one in look.document.items.values() if one.nature is Nature.PASSWORD and one.collected]
    return shown + tuple(one for path in never for one in look.naming(path, ("act.refused",))), breaches


def _records_kept(look: Looked, row: Row, control: ControlPlan, name: str) -> Kept:
    """Access records go back as far as promised: none was destroyed before its time."""
    least = control.at_least or Period(years=1)
    pairs = zip(look.seen.get("pruned", ()), look.seen.get("pruned-before", ()), strict=True)
    mended = look.filed_for(row.path, MENDED)
    early = [
        Breach("records-short", row.path, done.at, next((at for at in mended if at > done.at), None), shown=(done,))
        for done, before in pairs
        if end_of(before.at, least, look.plan.zone) > done.at
    ]
    return look.total("read.granted", "read.refused", "values.shown", "lookup.made", "staff.signed-in"), tuple(early)


def _signed_in(look: Looked, row: Row, control: ControlPlan, name: str) -> Kept:
    """Every read tells who read; handlers by the id of their grant."""
    return look.total("read.granted", "read.refused"), look.against(row.path, "every-access-signed-in")


_SYSTEM: Final[Mapping[str, Callable[[Looked, Row, ControlPlan, str], Kept]]] = {
    "access-records-kept": _records_kept,
    "passwords-one-way": _passwords,
    "every-access-signed-in": _signed_in,
}

CHECKED_BY_LEDGER: Final = frozenset(_SYSTEM)
"""Checks that are read from the ledger, wholly or in part."""


def looked_at(look: Looked, row: Row, control: ControlPlan, name: str) -> Kept:
    """What one check of the system shows, and what it found broken."""
    return _SYSTEM.get(name, _system_check)(look, row, control, name)


def evidence_of(look: Looked, row: Row, control: ControlPlan) -> tuple[tuple[Exhibit, ...], tuple[Breach, ...], str]:
    """What people filed, what is missing of it since when, and a note where nothing is owed."""
    owed = _owed_for(look, control)
    shown = look.told(f"evidence/{control.name}")
    if not owed:
        return shown, (), "" if shown else "register-empty"
    breaches: list[Breach] = []
    for about, since, until in owed:
        for kind in sorted(control.evidence):
            filed = look.filed_for(control.name, kind, about)
            triggers = _triggers(look, control, about, since, until)
            first = since if control.due_every else FOREVER
            breaches += [
                Breach("evidence-missing", row.path, missing_from, till, detail=kind, about=about)
                for missing_from, till in missing(
                    filed, first, until, control.due_every, triggers, look.plan.zone, look.now
                )
            ]
    return shown, tuple(breaches), "" if shown else "not-due"


def _owed_for(look: Looked, control: ControlPlan) -> list[tuple[str, Instant, Instant]]:
    if control.per is None:
        return [("", look.plan.effective_at, FOREVER)]
    return [
        (name, max(since, look.plan.effective_at), until) for name, since, until in look.registers.get(control.per, ())
    ]


def _triggers(look: Looked, control: ControlPlan, about: str, since: Instant, until: Instant) -> tuple[Instant, ...]:
    found: list[Instant] = []
    for code in control.due_after:
        found += [since] if code in AT_FIRST else []
        found += [until] if code == "left" and until < FOREVER else []
        found += [Instant(one.at) for one in look.facts(code) if one.about in (None, about)]
        if code == "handler-changed":
            found += [one.since for one in look.granted if one.handler == about and one.since > since]
    return tuple(sorted(at for at in found if at <= look.now))


def missing(
    filed: list[Instant],
    first: Instant,
    until: Instant,
    every: Period | None,
    triggers: tuple[Instant, ...],
    zone: ZoneInfo,
    now: Instant,
) -> list[tuple[Instant, Instant | None]]:
    """Spans without fresh evidence: from `first` on until something was filed, after each has aged, after triggers.

    What is owed first, or by a trigger, may come by the end of the next day. `first` FOREVER: nothing is owed before a
    trigger. Spans end with `until`, when nobody owes it any more.
    """
    spans: list[tuple[Instant, Instant]] = []
    fresh_until, allowed = first, end_of(first, TRIGGER_GRACE, zone)
    for at in filed:
        if at > fresh_until and at > allowed:
            spans.append((fresh_until, at))
        fresh_until = max(fresh_until, end_of(at, every, zone) if every else FOREVER)
    if fresh_until < FOREVER and now >= (allowed if fresh_until == first else fresh_until):
        spans.append((fresh_until, FOREVER))
    for trigger in triggers:
        due = end_of(trigger, TRIGGER_GRACE, zone)
        came = next((at for at in filed if at >= trigger), FOREVER)
        if came > due and due <= now:
            spans.append((trigger, came))
    # What is owed because somebody left is owed after that; all else ends with the place in the register.
    ends = [(since, last if since == until else min(last, until)) for since, last in spans]
    return [(since, till if till <= now else None) for since, till in ends if since < till and since <= now]
