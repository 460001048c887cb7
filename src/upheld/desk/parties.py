"""Recipients and processors: contracts and their ends, what is owed back, who was told of what and has not answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from upheld.dates import FOREVER, Instant, end_of
from upheld.desk.documents import Document
from upheld.engine.acts import SubjectId
from upheld.engine.plan import Plan
from upheld.keeper import Keeper
from upheld.store.subjects import unpacked_names


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
    stopped: bool
    """An authority stopped what goes abroad to it."""


def companies(keeper: Keeper, document: Document, locale: str) -> list[Company]:
    """Every company that the version in force gives data to, by its name."""
    policy = document.policy.policy
    plan = keeper.views.line(policy).at(keeper.now()) or keeper.views.line(policy).plans[0]
    parties = {row.party for row in plan.entrustments.values()} | {row.party for row in plan.provisions.values()}
    with keeper.places.active.reading() as connection:
        contracts = connection.execute(_CONTRACTS, (policy,)).fetchall()
        given = dict(connection.execute(_GIVEN, (policy,)).fetchall())
        told = connection.execute(_TOLD, (policy,)).fetchall()
    deals = [_deal(plan, row) for row in contracts]
    awaited = [Awaited(SubjectId(who), one, to, why, Instant(at)) for who, one, to, why, at in told]
    found = [_company(plan, document, party, locale, deals, given, awaited, keeper) for party in parties]
    return sorted(found, key=lambda one: one.title)


def _company(
    plan: Plan,
    document: Document,
    party: str,
    locale: str,
    deals: list[Deal],
    given: Mapping[str, int],
    awaited: list[Awaited],
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
        tuple(one for one in awaited if one.recipient in names),
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


def deal_of(keeper: Keeper, document: Document, contract_id: str) -> Deal | None:
    """One contract of the policy."""
    found = companies(keeper, document, document.policy.locales[0])
    return next((deal for one in found for deal in one.deals if deal.contract_id == contract_id), None)


def awaited_of(keeper: Keeper, document: Document, subject: str, disclosure: str) -> Awaited | None:
    """One answer that is waited for, of this policy."""
    found = companies(keeper, document, document.policy.locales[0])
    return next(
        (
            each
            for one in found
            for each in one.awaited
            if (each.subject_id, each.disclosure_id) == (subject, disclosure)
        ),
        None,
    )


_CONTRACTS = (
    "SELECT contract_id, party, from_at, until_at, terms, closed_at FROM contract WHERE policy = ? ORDER BY from_at"
)
_GIVEN = (
    "SELECT d.recipient, count(*) FROM disclosure d JOIN subject s ON s.bucket = d.bucket AND "
    "s.subject_id = d.subject_id WHERE s.policy = ? GROUP BY d.recipient"
)
_TOLD = (
    "SELECT t.subject_id, t.disclosure_id, t.recipient, t.reason, t.at FROM told t JOIN subject s ON "
    "s.bucket = t.bucket AND s.subject_id = t.subject_id WHERE s.policy = ? AND t.acknowledged_at IS NULL ORDER BY t.at"
)
