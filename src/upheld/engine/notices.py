"""Notices that are owed to a person: by which law, and which value tells where the person is reached. Pure.

An owed notice may be addressed with a value that is frozen (it is marked as disputed), suspended, or kept apart for
another reason (rule 5.3 (d)). It may not be addressed with one that is due, replaced, or held for an organisation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from upheld.dates import Instant
from upheld.engine.acts import Reason
from upheld.engine.lifecycle import DueState
from upheld.engine.state import HeldState, Value
from upheld.engine.view import View, holds_on


@dataclass(frozen=True, slots=True)
class Owed:
    """A kind of notice: the element of the document that promises it, and a posting's rows of law.

    The article that obliges is the row `cited.told.CODE` of the country's law.
    """

    code: str
    element: str
    posted: str | None = None
    """The row of law that says how long a home page stands in for persons who cannot be reached."""
    besides: str | None = None
    """The row that wants it on the home page besides, however many were reached."""


def _owed(code: str, element: str, posted: str | None = None, besides: str | None = None) -> tuple[str, Owed]:
    return code, Owed(code, element, posted, besides)


OWED: Final[Mapping[str, Owed]] = MappingProxyType(
    dict(
        (
            _owed("business-transfer", "changes.business-transfer", "business-transfer.posted"),
            _owed("breach", "upkeep.notices", "breach.posted", "breach.posted-besides"),
            _owed("possible-breach", "upkeep.notices", "breach.posted"),
            _owed("change", "changes.any"),
            _owed("marketing-entrusted", "upkeep.notices", "entrustment.posted"),
            _owed("source", "upkeep.notices"),
            _owed("yearly-use", "upkeep.notices"),
            _owed("outcome", "upkeep.letters"),
            _owed("consent-confirmed", "upkeep.notices"),
            _owed("reconfirmation", "upkeep.notices"),
            _owed("grown-up", "children.under-age"),
            _owed("representative-asked", "children.consent"),
        )
    )
)
"""Every notice that somebody is owed, by its code."""

ADDRESS_ITEMS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "email": ("email", "e-mail", "mail", "email-address"),
        "sms": ("mobile", "mobile-number", "phone", "phone-number"),
        "letter": ("address", "postal-address", "billing-address"),
        "call": ("phone", "mobile", "phone-number", "office-phone"),
    }
)
"""Ours: names of items under which a medium looks for an address, unless a home says otherwise."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a person is reached."""

    value: Value
    apart: bool
    """It lies in the separated place."""
    disputed: bool


def reach_of(view: View, items: Sequence[str], at: Instant) -> Reach | None:
    """The newest value of the first of these items by which an owed notice may reach the person; None: none is held."""
    for item in items:
        fit = [one for one in view.state.values if one.item == item and _fit(view, one, at)]
        if fit:
            value = max(fit, key=lambda one: (one.held is HeldState.HELD, one.collected_at))
            disputed = any(reason is Reason.FROZEN for reason, _ in holds_on(view, value, None, at))
            return Reach(value, value.held is HeldState.SEPARATED, disputed)
    return None


def _fit(view: View, value: Value, at: Instant) -> bool:
    return (
        value.held in (HeldState.HELD, HeldState.SEPARATED)
        and value.held_for is None
        and value.replaced_at is None
        and view.life.due(value, at).state is not DueState.DUE
    )
