"""Recipients and processors: contracts and their ends, what is owed back, who was told of what and has not answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from upheld.dates import FOREVER, Instant, end_of
from upheld.desk.counted import Count, counted
from upheld.desk.documents import Document
from upheld.engine.acts import SubjectId
from upheld.engine.plan import Plan
from upheld.keeper import Keeper
from upheld.store.ids import bucket_of
from upheld.store.subjects import unpacked_names

SHOWN: Final = 20
"""Ours: of the answers that one company owes so many are listed, the oldest first."""
_GIVEN: Final = "given-to-companies"


@dataclass(frozen=True, slots=True)
class Deal:
    """One contract."""

    contract_id: str
    party: str
    from_at: Instant
    until_at: Instant | None
    terms: tuple[str, ...]
    closed_at: Instant | None
    """When return or destruction was shown."""
    return_by: Instant | None
    """Once it is over: until when everything must be back."""

    def running(self, now: Instant) -> bool:
        """Whether it is in force."""
        return self.from_at <= now and (self.until_at is None or now < self.until_at)

    def state(self, now: Instant) -> str:
        """`running`, `owes` or `settled`."""
        return "running" if self.running(now) else "owes" if self.owes(now) else "settled"

    def owes(self, now: Instant) -> bool:
        """Whether it is over and nothing shows that everything came back."""
        return not self.running(now) and self.closed_at is None and self.from_at <= now


@dataclass(frozen=True, slots=True)
class Awaited:
    """One recipient that was told to correct, return or destroy, and has not answered."""

    subject_id: SubjectId
    disclosure_id: str
    recipient: str
    reason: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Company:
    """A company that gets data."""

    party: str
    title: str
    as_processor: tuple[str, ...]
    """Rows of the document, by path."""
    as_recipient: tuple[str, ...]
    under: str
    """Of a sub-processor: the processor it works for."""
    deals: tuple[Deal, ...]
    given: int
    """How often something was given."""
    awaited: tuple[Awaited, ...]
    """Answers that it owes: the oldest, so many as are listed."""
    waiting: int
    """All of them, counted."""
    stopped: bool
    """An authority stopped what goes abroad to it."""


def companies(keeper: Keeper, document: Document, locale: str) -> list[Company]:
    """Every company that the version in force gives data to, by its name."""
    policy = document.policy.policy
    plan = keeper.views.line(policy).at(keeper.now()) or keeper.views.line(policy).plans[0]
    parties = {row.party for row in plan.entrustments.values()} | {row.party for row in plan.provisions.values()}
    with keeper.places.active.reading() as connection:
        contracts = connection.execute(_CONTRACTS, (policy,)).fetchall()
    deals = [_deal(plan, row) for row in contracts]
    given, waiting = counted(keeper, policy, _GIVEN, _given), answers_awaited(keeper, policy)
    found = [_company(plan, document, party, locale, deals, given, waiting, keeper) for party in parties]
    return sorted(found, key=lambda one: one.title)


def answers_awaited(keeper: Keeper, policy: str) -> Mapping[str, int]:
    """Recipient → how many answers it owes. Costs what is owed, not what was ever told."""
    with keeper.places.active.reading() as connection:
        return {name: int(count) for name, count in connection.execute(_AWAITED_COUNT, (policy,)).fetchall()}


def _given(keeper: Keeper, policy: str) -> Mapping[str, int]:
    with keeper.places.active.reading() as connection:
        return {name: int(count) for name, count in connection.execute(_GIVEN_COUNT, (policy,)).fetchall()}


def _awaited(keeper: Keeper, policy: str, recipients: set[str]) -> tuple[Awaited, ...]:
    with keeper.places.active.reading() as connection:
        rows = [row for one in recipients for row in connection.execute(_AWAITED, (one, policy, SHOWN)).fetchall()]
    found = [Awaited(SubjectId(who), one, to, why, Instant(at)) for who, one, to, why, at in rows]
    return tuple(sorted(found, key=lambda one: one.at)[:SHOWN])


def _company(
    plan: Plan,
    document: Document,
    party: str,
    locale: str,
    deals: list[Deal],
    given: Mapping[str, int],
    waiting: Mapping[str, int],
    keeper: Keeper,
) -> Company:
    processing = [row for row in plan.entrustments.values() if row.party == party]
    receiving = [row for row in plan.provisions.values() if row.party == party]
    names = {row.processor for row in processing} | {row.recipient for row in receiving}
    facts = [one for one in keeper.views.controller(plan.policy).facts if one.about == party]
    stopped = [one for one in facts if one.code in ("transfer-stopped", "transfer-resumed")]
    return Company(
        party,
        document.name("parties", party, locale),
        tuple(row.rule.path for row in processing),
        tuple(row.rule.path for row in receiving),
        next((row.under for row in processing if row.under), ""),
        tuple(one for one in deals if one.party == party),
        sum(given.get(name, 0) for name in names),
        _awaited(keeper, plan.policy, names & waiting.keys()),
        sum(waiting.get(name, 0) for name in names),
        bool(stopped) and max(stopped, key=lambda one: one.at).code == "transfer-stopped",
    )


def _deal(plan: Plan, row: tuple[str, str, int, int, str, int | None]) -> Deal:
    contract, party, from_at, until_at, terms, closed_at = row
    within = next((one.within for one in plan.entrustments.values() if one.party == party), plan.destruction.within)
    ends = None if until_at >= FOREVER else Instant(until_at)
    return Deal(
        contract,
        party,
        Instant(from_at),
        ends,
        tuple(sorted(unpacked_names(terms))),
        None if closed_at is None else Instant(closed_at),
        None if ends is None else end_of(ends, within, plan.zone),
    )


def deal_of(keeper: Keeper, policy: str, contract_id: str) -> Deal | None:
    """One contract of the policy."""
    plan = keeper.views.line(policy).at(keeper.now()) or keeper.views.line(policy).plans[0]
    with keeper.places.active.reading() as connection:
        rows = connection.execute(_CONTRACTS, (policy,)).fetchall()
    return next((_deal(plan, row) for row in rows if row[0] == contract_id), None)


def awaited_of(keeper: Keeper, policy: str, subject: str, disclosure: str) -> Awaited | None:
    """One answer that is waited for, of this policy."""
    key = (bucket_of(SubjectId(subject)), subject, disclosure, policy)
    with keeper.places.active.reading() as connection:
        row = connection.execute(_AWAITED_ONE, key).fetchone()
    return None if row is None else Awaited(SubjectId(row[0]), row[1], row[2], row[3], Instant(row[4]))


_CONTRACTS = (
    "SELECT contract_id, party, from_at, until_at, terms, closed_at FROM contract WHERE policy = ? ORDER BY from_at"
)
_GIVEN_COUNT: Final = (
    "SELECT d.recipient, count(*) FROM disclosure d JOIN subject s ON s.bucket = d.bucket AND "
    "s.subject_id = d.subject_id WHERE s.policy = ? GROUP BY d.recipient"
)
# From what is awaited to its persons, never the other way round: there are far more persons.
_OF_POLICY: Final = (
    "EXISTS (SELECT 1 FROM subject s WHERE s.bucket = t.bucket AND s.subject_id = t.subject_id AND s.policy = ?)"
)
_TOLD_OF: Final = "t.disclosure_id, t.recipient, t.reason, t.at"
_AWAITED_COUNT: Final = (
    f"SELECT t.recipient, count(*) FROM told t WHERE t.acknowledged_at IS NULL AND {_OF_POLICY} "  # noqa: S608 - words of ours
    "GROUP BY t.recipient"
)
_AWAITED: Final = (
    f"SELECT t.subject_id, {_TOLD_OF} FROM told t WHERE t.acknowledged_at IS NULL "  # noqa: S608 - as above
    f"AND t.recipient = ? AND {_OF_POLICY} ORDER BY t.at LIMIT ?"
)
_AWAITED_ONE: Final = (
    f"SELECT t.subject_id, {_TOLD_OF} FROM told t WHERE t.bucket = ? AND "  # noqa: S608 - as above
    f"t.subject_id = ? AND t.disclosure_id = ? AND t.acknowledged_at IS NULL AND {_OF_POLICY} ORDER BY t.at LIMIT 1"
)
COUNTS: Final[Mapping[str, Count]] = MappingProxyType({_GIVEN: _given})
