"""Whether a version can be kept in this house: every processor under contract, every role filled, every safeguard shown
by something and answered for by somebody. What is not bound is an obstacle with its clause and its remedy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from upheld.dates import Instant, local_date
from upheld.engine.plan import EntrustmentPlan, Plan, Rule
from upheld.engine.state import ControllerState
from upheld.errors import InputRefused, Level
from upheld.keeper.rehearsing import Failure
from upheld.law import LawOfDay, LawUnknown, law_in
from upheld.policy.findings import Finding, findings_against, findings_in
from upheld.policy.findings.recorded import data_of, on_record
from upheld.policy.model import Policy, Row


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One reason not to publish. `gap`: the officer may publish over it by naming the element."""

    code: str
    element: str
    clauses: tuple[str, ...]
    why: str
    remedy: str
    gap: bool = True

    def __str__(self) -> str:
        about = f" ({', '.join(self.clauses)})" if self.clauses else ""
        return f"{self.code} {self.element}: {self.why}. {self.remedy}{about}"


class PublicationRefused(InputRefused):
    """A version cannot be kept here as it stands. `obstacles` are all the reasons; nothing was put on file.

    `notices` is the human text of the version by locale all the same: what a law obliges to tell is not held back.
    """

    on_record = True  # as a kind of its own, with what stands in the way

    def __init__(self, obstacles: tuple[Obstacle, ...], notices: Mapping[str, str]) -> None:
        self.obstacles = obstacles
        self.notices = notices
        lines = [f"{len(obstacles)} reasons", *map(str, obstacles)]
        super().__init__("publication-refused", "\n  ".join(lines))

    # Every exception says less precisely of itself how it is made again.
    def __reduce__(  # type: ignore[override]  # every exception says it less precisely
        self,
    ) -> tuple[type[PublicationRefused], tuple[tuple[Obstacle, ...], Mapping[str, str]]]:
        """It crosses from one process to another whole."""
        return type(self), (self.obstacles, dict(self.notices))


def law_then(policy: Policy, day: date) -> LawOfDay:
    """The law of a day where the house is; without a rule where no table is for it, or none reaches so far back."""
    try:
        return law_in(policy.time_zone, day)
    except LawUnknown:
        return LawOfDay("", day, {})


def unaccepted(policy: Policy, document: Path | None, plan: Plan, at: Instant) -> Iterator[Obstacle]:
    """Warnings about the document, by itself and against the law of the day, that its officer has not settled on.

    What was settled on stands beside the document in `*.findings.yaml`; advice never stands in the way.
    """
    law = law_then(policy, local_date(at, plan.zone))
    found: list[Finding] = [*findings_in(policy), *(findings_against(policy, law) if law.rules else ())]
    record = (on_record(document) if document is not None else None) or {}
    settled = {_known(one) for rows in record.values() for one in rows}
    for one in found:
        if one.level is not Level.ADVICE and _known(data_of(one)) not in settled:
            code = "law-finding-unaccepted" if one.rule is not None else "finding-unaccepted"
            remedy = f"{one.remedy}, or settle on it beside the document (`{one.code}`)"
            yield Obstacle(code, one.path, one.clauses, one.message, remedy)


def _known(one: Mapping[str, object]) -> tuple[str, str, str, str]:
    """By what a finding is known again, whatever day's law it was found against."""
    code, at, law, says = (str(one.get(key, "")) for key in ("code", "at", "law", "says"))
    return code, at, law, says


def unbound(
    policy: Policy, plan: Plan, house: ControllerState, roles: Iterable[str], filed: Iterable[str], at: Instant
) -> Iterator[Obstacle]:
    """Processors without contract, roles that nobody has, safeguards that nothing shows or nobody answers for.

    `roles` are those that somebody has on the day, `filed` the safeguards of which some evidence is there.
    """
    evidenced = frozenset(filed)
    for processor in plan.entrustments.values():
        if not processor.blocked:
            yield from _contract(plan, processor, house, at)
    filled = frozenset(roles)
    for role in plan.handlers.values():
        if role.name not in filled:
            yield _obstacle("role-unfilled", role.rule, f"nobody has the role `{role.name}`", "Grant it to somebody")
    yield from _duties(plan)
    for control in plan.controls.values():
        row = policy.row(control.rule.path)
        if row is None or row.builtin or row.blocked:
            continue
        if control.blocks == "publication" and control.evidence and control.name not in evidenced:
            yield _obstacle(
                "evidence-missing", control.rule, "without its evidence nothing may be published", "File it first"
            )
        yield from _owner(policy, row, control.owner, control.rule)


def _contract(plan: Plan, row: EntrustmentPlan, house: ControllerState, at: Instant) -> Iterator[Obstacle]:
    contract = house.contract_of(row.party, at)
    if contract is None:
        yield _obstacle(
            "contract-missing", row.rule, f"no contract with `{row.party}` is in force on the day", "Record it"
        )
        return
    missing = sorted(row.terms - contract.terms)
    if missing:
        said = f"the contract with `{row.party}` lacks {', '.join(missing)}"
        yield _obstacle("contract-terms-missing", row.rule, said, "Have it amended and record it")
    if row.under is not None and not contract.sub_consent:
        said = f"nobody agreed that `{row.party}` works under `{row.under}`"
        yield _obstacle("sub-consent-missing", row.rule, said, "Record the agreement with the contract")


def _duties(plan: Plan) -> Iterator[Obstacle]:
    """Where kinds of staff are declared at all, somebody has to answer requests and to look at what is kept apart."""
    if not plan.handlers:
        return
    known = frozenset(duty for role in plan.handlers.values() for duty in role.duties)
    right = next(iter(plan.rights.values()), None)
    if "requests" not in known and right is not None:
        yield _obstacle("duty-nobodys", right.rule, "no role answers requests", "Give a role the duty `requests`")


def _owner(policy: Policy, row: Row, owner: str | None, rule: Rule) -> Iterator[Obstacle]:
    office = policy.contacts.get(owner or "")
    if office is None:
        yield _obstacle("owner-missing", rule, f"`{row.name}` is answered for by no office", "Name an `owner`")
    elif not (office.phone or office.team or office.texts):
        yield _obstacle("owner-unreachable", rule, f"`{owner}` has neither name, team nor phone", "Say who that is")


def failed(plan: Plan, policy: Policy, failures: Sequence[Failure]) -> Iterator[Obstacle]:
    """Rules that a rehearsal could not keep."""
    for one in failures:
        row = policy.row(one.element)
        clauses = row.cites() if row is not None else plan.rule.cites()
        said = f"the rehearsal stopped at *{one.stage}*: {one.why}"
        yield Obstacle("rehearsal-failed", one.element, clauses, said, "Mend the rule or the place")


def _obstacle(code: str, rule: Rule, why: str, remedy: str, *, gap: bool = True) -> Obstacle:
    return Obstacle(code, rule.path, rule.cites(), why, remedy, gap)
