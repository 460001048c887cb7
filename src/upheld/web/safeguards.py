"""Safeguards: what the document promises, what shows it, what is missing since when; evidence is taken in here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from upheld.dates import Instant, end_of
from upheld.engine.plan import ControlPlan
from upheld.policy.plain import period
from upheld.web.answer import Answer, Moved, Refused, Shown
from upheld.web.asked import Asked
from upheld.web.staff import staff_title

REGISTERS: Final = ("host", "system", "zone", "room", "cabinet", "employee")
"""What a safeguard may be owed for, besides handlers and processors, which are on record by grant and contract."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One safeguard as it stands."""

    control: ControlPlan
    title: str
    clauses: tuple[str, ...]
    owed: tuple[tuple[str, Instant], ...]
    abouts: tuple[str, ...]
    newest: Instant | None
    next_at: Instant | None
    filed: int

    @property
    def state(self) -> str:
        """`checked` by the system, `missing`, `fresh`, or `idle` where nothing is registered that owes it."""
        if not self.control.evidence:
            return "checked"
        if self.owed:
            return "missing"
        return "fresh" if self.newest is not None else "idle"


def safeguards(asked: Asked) -> Answer:
    """Every safeguard of the version in force, those that lack evidence first."""
    found = standings(asked)
    order = ("missing", "fresh", "idle", "checked")
    counts = [(state, sum(one.state == state for one in found)) for state in order]
    return Shown(
        "safeguards",
        {
            "found": sorted(found, key=lambda one: (order.index(one.state), one.title)),
            "counts": counts,
            "registers": REGISTERS,
            "who": staff_title(asked),
            "every": lambda length: period(length, asked.locale),
        },
    )


def standings(asked: Asked) -> list[Standing]:
    """How each safeguard stands now."""
    return [_standing(asked, control) for control in asked.plan.controls.values()]


def file(asked: Asked) -> Answer:
    """Evidence is filed for a safeguard, for the host, room or handler that owes it."""
    control = asked.plan.controls.get(asked.parts["control"])
    if control is None or not control.evidence:
        raise Refused(404, "safeguard-unknown")
    kind = asked.choice("kind", tuple(sorted(control.evidence)))
    about = asked.choice("about", _abouts(asked, control))
    proof = asked.field("proof")
    if not proof:
        raise Refused(400, "proof-missing")
    asked.keeper.file_evidence(asked.policy, control.name, kind, about=about, record=proof.encode())
    return Moved(asked.url("safeguards"))


def enter(asked: Asked) -> Answer:
    """A host, system, zone or room is in the register from now on, by a code that names no person."""
    register, name = asked.choice("register", REGISTERS), asked.field("name").lower()
    if not name.replace("-", "").isalnum() or not name.isascii() or len(name) > 40:
        raise Refused(400, "name-unreadable")
    if name not in dict(asked.keeper.register_of(asked.policy, register, asked.keeper.now())):
        asked.keeper.register(asked.policy, register, name)
    return Moved(asked.url("safeguards"))


def _standing(asked: Asked, control: ControlPlan) -> Standing:
    keeper, now = asked.keeper, asked.keeper.now()
    filed = keeper.evidence_of(asked.policy, control.name)
    newest = max((one.at for one in filed), default=None)
    every = control.due_every
    return Standing(
        control,
        asked.document.name("safeguards", control.name, asked.locale),
        control.rule.cites(),
        tuple(dict.fromkeys(keeper.evidence_owed(asked.policy, control, now))) if control.evidence else (),
        _abouts(asked, control),
        newest,
        end_of(newest, every, asked.plan.zone) if newest is not None and every is not None else None,
        len(filed),
    )


def _abouts(asked: Asked, control: ControlPlan) -> tuple[str, ...]:
    if control.per is None:
        return ("",)
    rows = asked.keeper.register_of(asked.policy, control.per, asked.keeper.now())
    return tuple(dict.fromkeys(name for name, _ in rows))
