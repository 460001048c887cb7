"""One subject under one policy line as decisions see it, and the freezes and suspensions that lie on its values.

A `View` is built once per change of the subject and answers reads by two look-ups and two comparisons.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from typing import NamedTuple

from msgspec import Struct

from upheld.dates import BEGINNING, FOREVER, Instant
from upheld.engine.acts import Cited, Decision, Reason, ValueId
from upheld.engine.lifecycle import DONE, DueState, Ground, Life, touches
from upheld.engine.plan import GroundKind, Plan, PolicyLine, PurposePlan, Rule
from upheld.engine.state import About, AboutKind, ControllerState, HeldState, Request, RequestState, SubjectState, Value
from upheld.policy.vocabulary import Nature


class Pass(Struct, frozen=True, gc=False):
    """A standing permission to read one value for one purpose, until the next boundary of its life."""

    from_at: Instant
    until_at: Instant
    element: str
    because: tuple[Cited, ...]


class Stop(NamedTuple):
    """A refusal to read one value for one purpose, while nothing that it rests on changes by time."""

    from_at: Instant
    until_at: Instant
    decision: Decision


Named = tuple[str | None, str | None]
"""A purpose, and one of its uses where it has any."""
Asked = tuple[str | None, str | None, ValueId]
"""The same, and a value."""


class View:
    """One subject under one policy line by what is known; immutable once built."""

    __slots__ = ("__dict__", "controller", "life", "line", "plan", "state", "stops", "valid_from", "valid_until")

    def __init__(
        self,
        line: PolicyLine,
        state: SubjectState,
        controller: ControllerState,
        at: Instant,
        before: View | None = None,
    ) -> None:
        """Build the view at an instant; it holds until the next version of the policy takes effect.

        `before` is an earlier view of the same subject, of which what still holds is not reckoned again.
        """
        self.line = line
        self.state = state
        self.controller = controller
        same = before is not None and before.line is line and before.valid_from <= at < before.valid_until
        self.valid_from: Instant
        self.valid_until: Instant
        self.valid_from, self.valid_until = before.valid if same and before is not None else _version_at(line, at)
        self.life: Life = Life(line, state, controller, at, before.life if before is not None else None)
        self.plan: Plan = self.life.plan
        self.stops: dict[Asked, Stop] = {}
        """Refusals given of a value for a purpose, each until something about the value changes."""

    @property
    def valid(self) -> tuple[Instant, Instant]:
        """From when until when the version that it rests on is in force."""
        return self.valid_from, self.valid_until

    @cached_property
    def values(self) -> dict[ValueId, Value]:
        """The values by their ids."""
        return {value.value_id: value for value in self.state.values}

    @cached_property
    def by_item(self) -> dict[str, list[ValueId]]:
        """The values of each item that are not destroyed."""
        by: dict[str, list[ValueId]] = {}
        for value in self.state.values:
            if value.held is not HeldState.DESTROYED:
                by.setdefault(value.item, []).append(value.value_id)
        return by

    @cached_property
    def passes(self) -> Mapping[Named, Mapping[ValueId, Pass]]:
        """What may be read for which purpose, and use of it, without more ado: purpose and use → value → pass."""
        found: dict[str, dict[ValueId, Pass]] = {}
        for (purpose, value), window in self._all_passes():
            found.setdefault(purpose, {})[value] = window
        rows = self.plan.purposes
        return {
            (name, use): windows
            for name, windows in found.items()
            for use in rows[name].runs
            if self.agreed_use(rows[name], use, FOREVER)
        }

    def agreed_use(self, purpose: PurposePlan, use: str | None, at: Instant) -> bool:
        """Whether a use lies in what the consent that stands was given to: what a later version added does not."""
        consent = self.life.standing(About(AboutKind.PURPOSE, purpose.name), at) if use is not None else None
        agreed = self.line.version(consent.version) if consent is not None else None
        if agreed is None or agreed is self.plan:
            return True
        before = agreed.purposes.get(purpose.name)
        return before is not None and use in before.runs

    def between(self, value: Value, at: Instant) -> tuple[Instant, Instant]:
        """The span around an instant in which nothing changes by time alone of what a read of this value asks."""
        moments = {moment for ground in self.life.grounds(value) for moment in (ground.from_at, ground.until.at)}
        moments |= {consent.at for consent in self.state.consents}
        for one in self.state.requests:
            moments |= {moment for moment in (one.proved_at, one.settled_at, one.lifted_at) if moment is not None}
        ordered = sorted(moments)
        place = bisect_right(ordered, at)
        return (
            ordered[place - 1] if place else BEGINNING,
            min(ordered[place] if place < len(ordered) else FOREVER, self.valid_until),
        )

    def _all_passes(self) -> Iterable[tuple[tuple[str, ValueId], Pass]]:
        for value in self.state.values:
            item = self.plan.items.get(value.item)
            if value.held is not HeldState.HELD or item is None or item.nature is Nature.SECRET:
                continue
            for ground in self.life.grounds(value):
                if ground.kind is GroundKind.PURPOSE and ground.purpose is not None:
                    window = self._window(value, ground)
                    if window is not None:
                        yield (ground.purpose, value.value_id), window

    def _window(self, value: Value, ground: Ground) -> Pass | None:
        purpose = self.plan.purposes.get(ground.purpose or "")
        if purpose is None or purpose.blocked or value.held_for is not None or purpose.needs:
            return None
        if holds_on(self, value, purpose.name, FOREVER):
            return None
        because = _by(purpose.rule.path, purpose.rule.cites())
        from_at, until_at = max(ground.from_at, self.valid_from), min(ground.until.at, self.valid_until)
        return Pass(from_at, until_at, purpose.rule.path, because)


@lru_cache(maxsize=8192)
def _by(element: str, clauses: tuple[str, ...]) -> tuple[Cited, ...]:
    """One and the same tuple for all values that an element lets be read."""
    return (Cited(element, clauses),)


def _version_at(line: PolicyLine, at: Instant) -> tuple[Instant, Instant]:
    """From when until when the version in force at an instant is; the first one for all time before it."""
    plan = line.at(at)
    later = next((one.effective_at for one in line.plans if one.effective_at > at), FOREVER)
    return plan.effective_at if plan else BEGINNING, later


def holds_on(view: View, value: Value, purpose: str | None, at: Instant) -> list[tuple[Reason, Request]]:
    """The freezes and suspensions that stop a use of a value at `at` (FOREVER: any that has not ended)."""
    found = [(_holds(view.plan, request, value, purpose, at), request) for request in view.state.requests]
    return [(reason, request) for reason, request in found if reason is not None]


def _holds(plan: Plan, request: Request, value: Value, purpose: str | None, at: Instant) -> Reason | None:
    right = plan.rights.get(request.right)
    covered = touches(request, value) or (right is not None and right.freeze_covers_person)
    if not covered or request.state is RequestState.TAKEN_BACK or request.proved_at is None:
        return None  # a letter of someone not proved is logged, not obeyed
    if request.right == "suspension":
        if request.purposes and purpose not in request.purposes:
            return None
        ended = min(one for one in (request.lifted_at, refused_at(request), FOREVER) if one is not None)
        return Reason.SUSPENDED if request.proved_at <= at and (at < ended or ended == FOREVER == at) else None
    if child_freeze(plan, request) is not None:
        # Until corrected: a reason given instead does not end it.
        done = request.settled_at if request.state in DONE else None
        ended = done if done is not None else FOREVER
        return Reason.FROZEN if request.proved_at <= at and (at < ended or ended == FOREVER == at) else None
    if right is None or not right.freezes or not request.freezes:
        return None
    ended = request.settled_at if request.settled_at is not None else FOREVER
    return Reason.FROZEN if request.proved_at <= at and (at < ended or ended == FOREVER == at) else None


def disputed(view: View, values: Iterable[ValueId], at: Instant) -> tuple[ValueId, ...]:
    """Those that are frozen: whoever gets them all the same is told so."""
    known = (view.values[one] for one in values if one in view.values)
    return tuple(
        value.value_id
        for value in known
        if any(reason is Reason.FROZEN for reason, _ in holds_on(view, value, None, at))
    )


def child_freeze(plan: Plan, request: Request) -> Rule | None:
    """The promise that what a representative wants corrected for a child stands still until it is; None if not so."""
    asked = request.right == "rectification" and request.for_child
    return plan.children.freeze_rule if asked else None


def freeze_spares(plan: Plan, request: Request, kind: GroundKind) -> bool:
    """Whether what a law keeps apart may be seen for that law all the same."""
    right = plan.rights.get(request.right)
    spared = right.freeze_except if right is not None else "nothing"
    if child_freeze(plan, request) is not None:
        spared = plan.children.freeze_except
    return spared == "statute" and kind is GroundKind.STATUTE


_TURNED_DOWN = frozenset({RequestState.REFUSED, RequestState.NOT_IDENTIFIED, RequestState.NOTHING_HELD})


def refused_at(request: Request) -> Instant | None:
    """When a request was refused; None where it was not."""
    return request.settled_at if request.state in _TURNED_DOWN else None


STATE_REASON: Mapping[HeldState, Reason] = {
    HeldState.MOVING: Reason.VALUE_MOVING,
    HeldState.SEPARATED: Reason.VALUE_SEPARATED,
    HeldState.CONDEMNED: Reason.VALUE_DESTROYED,
    HeldState.DESTROYED: Reason.VALUE_DESTROYED,
}


def secret_cited(view: View, value: Value) -> Cited | None:
    """A credential of another service opens to the job that needs it and to nobody else."""
    item = view.plan.items.get(value.item)
    return item.rule.cited(Reason.DUTY_MISSING) if item is not None and item.nature is Nature.SECRET else None


def hidden_cited(view: View, value: Value) -> Cited | None:
    """Why a value is shown to nobody, whoever asks: a credential, of ours or of another service."""
    item = view.plan.items.get(value.item)
    hidden = item is not None and item.nature in (Nature.PASSWORD, Nature.SECRET)
    return item.rule.cited(Reason.DUTY_MISSING) if hidden and item is not None else None


def nothing_there(view: View) -> Reason:
    """Why nothing is found: everything that there was is destroyed, or there never was anything."""
    gone = all(value.held is HeldState.DESTROYED for value in view.state.values)
    return Reason.DESTROYED if gone and view.state.values else Reason.UNKNOWN


def state_reason(value: Value) -> Reason | None:
    """Why a value that is not held in the active tier cannot be used there."""
    return STATE_REASON.get(value.held)


DUE_REASON: Mapping[DueState, Reason] = {
    DueState.SEPARATED: Reason.VALUE_SEPARATED,
    DueState.DUE: Reason.VALUE_DUE,
}
