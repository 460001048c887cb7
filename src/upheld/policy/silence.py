"""What silence means: the defaults that the language and the law put where a document says nothing.

A default inside a row becomes the row's own value. A rule that a whole section leaves out becomes a row marked
`builtin`, which cites the law it comes from, so that a decision resting on it can say why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from upheld.dates import Period
from upheld.law import LawOfDay, law_for
from upheld.law.stricter import about_days
from upheld.policy.ends import EarlierOf, End, Plus, Point, facts_in, is_certain
from upheld.policy.model import (
    ActingFor,
    Agreeing,
    Change,
    ChildRule,
    Destroying,
    Engagement,
    Entrustment,
    Fact,
    Policy,
    Provision,
    Purpose,
    Retention,
    Right,
    Row,
    Separating,
    Statute,
    Upkeep,
)
from upheld.policy.shapes import Deadline, LawRef
from upheld.policy.vocabulary import (
    Basis,
    ChildAsked,
    ChildNeverSent,
    ConsentWay,
    DestructionMethod,
    DestructionProof,
    GroundKind,
    OnlyFor,
    Opening,
    Representative,
    RightName,
    SeparationNeed,
    SeparationUse,
)

ONE_YEAR: Final = Period(years=1)
SIX_MONTHS: Final = Period(months=6)
"""Ours: how often an open dispute is looked at."""
THREE_YEARS: Final = Period(years=3)
STARTS: Final = Deadline(Period(days=1))
FIVE_DAYS: Final = Deadline(Period(days=5))
TEN_DAYS: Final = Deadline(Period(days=10))
"""Ours, where the law of the house's country says nothing: as in Korea (PIPA decree 41, 43, 44)."""
FOURTEEN: Final = 14
"""Ours, the same about the age of children."""
AT_ONCE: Final = Deadline(Period(days=1), "at-once")
SURE_OF_A_VALUE: Final = frozenset({"collected", "provided", "begun"})
"""Facts that have happened when a value is there."""


def with_silence(policy: Policy) -> Policy:
    """The policy with every default said."""
    rows: dict[str, Any] = {name: fill(policy) for name, fill in _ROWS.items()}
    spoken = replace(policy, **rows)
    missing: dict[str, Any] = {name: _missing(spoken, name, builtin(spoken)) for name, builtin in _SECTIONS.items()}
    return replace(spoken, **missing)


def _missing(policy: Policy, name: str, builtin: Mapping[str, Row]) -> Mapping[str, Row]:
    """The rows of a section, and behind them the builtin ones that it does not have."""
    written: Mapping[str, Row] = getattr(policy, name)
    return {**written, **{code: row for code, row in builtin.items() if code not in written}}


# ------------------------------------------------------------------------------------------------ defaults inside a row


def _engagements(policy: Policy) -> Mapping[str, Engagement]:
    return {
        name: replace(
            row,
            begins=row.begins or Point("begun"),
            ends=row.ends or Point("ended"),
            review_after=row.review_after or ONE_YEAR,
        )
        for name, row in policy.engagements.items()
    }


def _facts(policy: Policy) -> Mapping[str, Fact]:
    def about(name: str) -> tuple[str, ...]:
        kinds = policy.engagements.values()
        by_it = (kind.name for kind in kinds if any(name in facts_in(end) for end in (kind.begins, kind.ends) if end))
        return tuple(by_it) or ("person",)

    return {name: row if row.about else replace(row, about=about(name)) for name, row in policy.facts.items()}


def _purposes(policy: Policy) -> Mapping[str, Purpose]:
    return {name: _purpose(row) for name, row in policy.purposes.items()}


def _purpose(row: Purpose) -> Purpose:
    basis = row.basis
    if not basis and not row.required and "basis" not in row.places:
        basis = {"all": Basis.CONSENT}
    by_item = {item: basis[item] if item in basis else basis["all"] for item in row.items if {item, "all"} & {*basis}}
    strangers = {item: word for item, word in basis.items() if item != "all" and item not in by_item}
    uses = {
        name: use if use.clauses else replace(use, clauses={"all": row.clauses.get("all", ())})
        for name, use in row.uses.items()
    }
    return replace(row, basis=by_item | strangers, uses=uses, review_after=_review(row.until, row.review_after))


def _review(until: End | None, written: Period | None, certain: frozenset[str] = SURE_OF_A_VALUE) -> Period | None:
    """The review date that an end which can stay open takes."""
    open_end = until is not None and not is_certain(until, certain)
    return written or (ONE_YEAR if open_end else None)


def _retention(policy: Policy) -> Mapping[str, Retention]:
    found = {}
    for name, row in policy.retention.items():
        start = row.from_ or _first_fact(row.until)
        certain = SURE_OF_A_VALUE | ({start} if start else set())
        written = row.review_after or (SIX_MONTHS if row.kind is GroundKind.DISPUTE else None)
        found[name] = replace(row, from_=start, review_after=_review(row.until, written, certain))
    return found


def _statutes(policy: Policy) -> Mapping[str, Statute]:
    return {name: replace(row, from_=row.from_ or _first_fact(row.until)) for name, row in policy.statutes.items()}


def _first_fact(until: End | None) -> str | None:
    return next(iter(facts_in(until)), None) if until else None


def _destruction(policy: Policy) -> Mapping[str, Destroying]:
    return {
        name: replace(row, starts=row.starts or STARTS, within=row.within or FIVE_DAYS)
        for name, row in policy.destruction.items()
    }


def _provisions(policy: Policy) -> Mapping[str, Provision]:
    return {name: row if row.to else replace(row, to=name) for name, row in policy.provisions.items()}


def _entrustments(policy: Policy) -> Mapping[str, Entrustment]:
    def filled(row: Entrustment) -> Entrustment:
        parent = policy.entrustments.get(row.under) if row.under else None
        for_ = row.for_ or (parent.for_ if parent else ())
        items = row.items or (parent.items if parent else ()) or _items_of(policy, for_)
        return replace(
            row,
            to=row.to or row.name,
            for_=for_,
            items=items,
            within=row.within or FIVE_DAYS,
            inspected=row.inspected or ONE_YEAR,
        )

    return {name: filled(row) for name, row in policy.entrustments.items()}


def _items_of(policy: Policy, purposes: tuple[str, ...]) -> tuple[str, ...]:
    found = (policy.purposes[name].items for name in purposes if name in policy.purposes)
    return tuple(dict.fromkeys(item for items in found for item in items))


def _rights(policy: Policy) -> Mapping[str, Right]:
    return {
        name: replace(
            row,
            open=row.open or Opening.ALWAYS,
            by=row.by or tuple(policy.channels),
            within=row.within or _deadline(policy, RightName(name)),
        )
        for name, row in policy.rights.items()
    }


_ROWS: Final[Mapping[str, Callable[[Policy], Mapping[str, Row]]]] = {
    "engagements": _engagements,
    "facts": _facts,
    "purposes": _purposes,
    "retention": _retention,
    "statutes": _statutes,
    "destruction": _destruction,
    "provisions": _provisions,
    "entrustments": _entrustments,
    "rights": _rights,
}


# ------------------------------------------------------------------------------------- rows that a document leaves out


def _law(policy: Policy) -> LawOfDay:
    """The law of the house's country on the day on which the document takes effect."""
    return law_for(policy.time_zone, policy.effective.date)


def _builtin(policy: Policy, kind: type[Row], section: str, name: str, topic: str, **values: Any) -> Any:
    """A row that rests on the law of the house's country on that topic; on none where no table is for it."""
    found = _ARTICLE.match(law_for(policy.time_zone).cites(topic) or "")
    law = (LawRef(*found.groups()),) if found else ()
    return kind(path=f"{section}.{name}", name=name, line=1, column=1, builtin=True, law=law, **values)


def _destruction_builtin(policy: Policy) -> Mapping[str, Row]:
    electronic = {"by": (DestructionMethod.ERASE, DestructionMethod.DESTROY_KEY)}
    paper = {"by": (DestructionMethod.SHRED, DestructionMethod.INCINERATE)}
    rows: dict[str, dict[str, Any]] = {
        "at-expiry": {},
        "when-needless": {"after": ("ended",)},
        "electronic": {**electronic, "shown_by": (DestructionProof.READ_BACK,)},
        "paper": {**paper, "shown_by": (DestructionProof.WITNESS_RECORD,)},
    }
    asked = _law(policy).period("destruction.within")
    times = {"starts": STARTS, "within": Deadline(min(asked, FIVE_DAYS.period, key=about_days)) if asked else FIVE_DAYS}
    return {
        name: _builtin(policy, Destroying, "destruction", name, "due", **times, **more) for name, more in rows.items()
    }


def _separation_builtin(policy: Policy) -> Mapping[str, Row]:
    rows: dict[str, dict[str, Any]] = {
        "electronic": {},
        "paper": {},
        "entry": {"needs": SeparationNeed.LIVE_GROUND},
        "use": {"only_for": SeparationUse.OWN_GROUND},
    }
    return {name: _builtin(policy, Separating, "separation", name, "separation", **more) for name, more in rows.items()}


_ARTICLE: Final = re.compile(r"([a-z]+) (.+)")
_RIGHTS: Final = (
    RightName.ACCESS,
    RightName.RECTIFICATION,
    RightName.ERASURE,
    RightName.SUSPENSION,
    RightName.WITHDRAWAL,
    RightName.PORTABILITY,
    RightName.SOURCE,
    RightName.OBJECTION,
)
_AT_ONCE: Final = frozenset({RightName.WITHDRAWAL, RightName.SOURCE})


def _deadline(policy: Policy, right: RightName) -> Deadline:
    """As soon as the law of the house's country asks; ten days where it says nothing."""
    asked = _law(policy).period("rights.answered")
    return AT_ONCE if right in _AT_ONCE else Deadline(asked) if asked else TEN_DAYS


def _rights_builtin(policy: Policy) -> Mapping[str, Row]:
    ways = {"open": Opening.ALWAYS, "by": tuple(policy.channels)}
    return {
        name.value: _builtin(
            policy, Right, "rights", name.value, f"rights.{name.value}", **ways, within=_deadline(policy, name)
        )
        for name in _RIGHTS
    }


def _acting_for_builtin(policy: Policy) -> Mapping[str, Row]:
    return {name: _builtin(policy, ActingFor, "acting-for", name, "acting") for name in ("representative", "agent")}


def _children_builtin(policy: Policy) -> Mapping[str, Row]:
    asked = EarlierOf((Point("answered"), Plus(Point("received"), FIVE_DAYS.period)))
    ways = (ConsentWay.SIGNED_FORM, ConsentWay.SPOKEN, ConsentWay.REPLY_MESSAGE, ConsentWay.REPLY_MAIL)
    rows: dict[str, dict[str, Any]] = {
        "age": {"under": _law(policy).number("children.age") or FOURTEEN, "asked": ChildAsked.BEFORE_COLLECTION},
        "representative": {"only_for": OnlyFor.CONSENT_CHECK, "until": asked},
        "consent": {"by": ways, "from_": "representative"},
        "rights": {"gives": tuple(RightName), "to": Representative.REPRESENTATIVE},
        "never": {"sent": (ChildNeverSent.ADVERTISING,)},
    }
    return {name: _builtin(policy, ChildRule, "children", name, "children", **more) for name, more in rows.items()}


def _consent_builtin(policy: Policy) -> Mapping[str, Row]:
    if policy.consent:
        return {}
    ways = (ConsentWay.TICK, ConsentWay.SIGNED_FORM)
    return {name: _builtin(policy, Agreeing, "consent", name, "channels", by=ways) for name in policy.channels}


def _changes_builtin(policy: Policy) -> Mapping[str, Row]:
    return {"any": _builtin(policy, Change, "changes", "any", "notice", ahead=Period(days=7))}


def _upkeep_builtin(policy: Policy) -> Mapping[str, Row]:
    until: dict[str, End] = {
        "consent-evidence": Plus(Point("ended"), THREE_YEARS),
        "requests": Plus(Point("settled"), THREE_YEARS),
        "letters": Plus(Point("answered"), THREE_YEARS),
        "mandates": Plus(Point("settled"), THREE_YEARS),
        "notices": Plus(Point("ended"), THREE_YEARS),
        "sessions": Plus(Point("begun"), Period(days=1)),
        "staff": Plus(Point("left"), THREE_YEARS),
        "access-records": Plus(Point("collected"), Period(years=2)),
        "aliases": Point("ended"),
    }
    basis = {"basis": Basis.LAW}
    return {name: _builtin(policy, Upkeep, "upkeep", name, "upkeep", **basis, until=end) for name, end in until.items()}


_SECTIONS: Final[Mapping[str, Callable[[Policy], Mapping[str, Row]]]] = {
    "consent": _consent_builtin,
    "destruction": _destruction_builtin,
    "separation": _separation_builtin,
    "upkeep": _upkeep_builtin,
    "rights": _rights_builtin,
    "acting_for": _acting_for_builtin,
    "children": _children_builtin,
    "changes": _changes_builtin,
}
