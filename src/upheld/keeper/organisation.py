"""The organisation's side: policies on file, contracts, handlers and their clearance, evidence of
safeguards, registers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache, partial
from pathlib import Path

from upheld.dates import FOREVER, Instant, Period, end_of, instant, local_date
from upheld.engine.acts import Decision, FactId, HandlerId, Reader, ReaderKind, Reason, refused
from upheld.engine.compile import compiled
from upheld.engine.plan import ControlPlan, Plan, PolicyLine, Rule
from upheld.engine.state import RESUMED, STOPPED, ControllerState, Fact
from upheld.errors import InputRefused
from upheld.keeper.door import When
from upheld.keeper.elsewhere import copies_back, returned_under
from upheld.keeper.late import Late
from upheld.keeper.outcome import Outcome
from upheld.keeper.stirring import stir_everybody
from upheld.ledger.entries import Entry, entry
from upheld.policy.model import Policy
from upheld.policy.read import read_policy
from upheld.policy.vocabulary import ORGANISATION_FACTS, Register
from upheld.store import subjects
from upheld.store.engine import Connection
from upheld.store.place import Transaction
from upheld.store.subjects import packed_names, unpacked_names


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something filed for a control: `about` names the host, handler, room ... by a code of the register."""

    control: str
    kind: str
    about: str
    at: Instant


def lines_on_file(connection: Connection) -> tuple[dict[str, PolicyLine], dict[str, ControllerState]]:
    """Every policy line compiled, and what is known about the organisation under each."""
    plans: dict[str, list[Plan]] = {}
    for name, source, effective_at in connection.execute(_VERSIONS):
        plan = _plan_of(name, source, Instant(effective_at))
        plans.setdefault(name, []).append(plan)
    lines = {
        name: PolicyLine(name, tuple(sorted(found, key=lambda plan: plan.effective_at)))
        for name, found in plans.items()
    }
    return lines, subjects.load_controllers(connection, tuple(lines))


@lru_cache(maxsize=64)
def _plan_of(name: str, source: bytes, effective_at: Instant) -> Plan:
    """Compiled once for each version: a contract or a fact about the organisation changes no document."""
    return compiled(read_policy(source, f"{name}.yaml"), source, effective_at)


class Organisation(Late):
    """What the officer and the organisation record."""

    # ── policies on file ────────────────────────────────────────────────────────────────────────────────────────────

    def versions(self, policy: str) -> tuple[Plan, ...]:
        """Every version on file, oldest first."""
        return self.views.line(policy).plans

    def document(self, policy: str) -> Policy:
        """The newest version on file as it was written."""
        self.views.line(policy)
        with self.places.active.reading() as connection:
            row = connection.execute(_NEWEST_SOURCE, (policy,)).fetchone()
        return read_policy(row[0], f"{policy}.yaml")

    def prepare(self, document: Path | bytes) -> str:
        """Put a document on file as a draft, so that contracts, roles and evidence can be recorded before it is
        published. Nothing is decided by it; a newer draft takes its place. Returns the policy's code.

        Raises PolicyRefused for a document with errors.
        """
        source = document.read_bytes() if isinstance(document, Path) else document
        policy = read_policy(source, document.name if isinstance(document, Path) else "document")
        digest = hashlib.sha256(source).digest()

        def work(transaction: Transaction) -> None:
            transaction.execute(_KEEP_DRAFT, (policy.policy, source, digest.hex(), transaction.at))
            transaction.journal(entry("policy.drafted", transaction.at, policy.policy, None, (), digest=digest))

        self.places.active.submit(work)
        return policy.policy

    def bound(self, policy: str) -> tuple[ControllerState, frozenset[str]]:
        """What is on record about the house under a policy, a draft too: its contracts, and the roles somebody has."""
        now = self.now()
        with self.places.active.reading() as connection:
            held = frozenset(duty for (duty,) in connection.execute(_HELD, (policy, now, now)))
            return subjects.load_controller(connection, policy), held

    def check_known(self, policy: str) -> None:
        """Whether a version or a draft of it is on file. Raises InputRefused where there is neither."""
        self._known_plans(policy)

    def _known_plans(self, policy: str) -> tuple[Plan, ...]:
        """What contracts, roles and evidence may be about: the draft, if there is one, then versions, newest first.

        Raises InputRefused where there is neither.
        """
        with self.places.active.reading() as connection:
            row = connection.execute(_DRAFT, (policy,)).fetchone()
        drafts = (_plan_of(policy, bytes(row[0]), FOREVER),) if row else ()
        if self.views.plan_epoch < 0:
            self.views.refresh()
        if drafts and policy not in self.views.lines:
            return drafts
        return (*drafts, *reversed(self.views.line(policy).plans))

    # ── facts about the organisation, contracts ─────────────────────────────────────────────────────────────────────

    def controller_fact(self, policy: str, code: str, *, about: str | None = None, at: When = None) -> None:
        """Something happened to the organisation as a whole, a purpose or a party (`about`)."""
        plan = self.views.line(policy).latest
        if code not in plan.facts and code not in ORGANISATION_FACTS | _OF_TRANSFERS:
            raise InputRefused(
                "fact-unknown", f"`{policy}` knows no fact `{code}`; it has: {', '.join(sorted(plan.facts))}"
            )
        said = None if at is None else self._happened(at)
        rule = plan.facts[code].rule if code in plan.facts else plan.rule

        def work(transaction: Transaction) -> None:
            # What happens now happens when nobody else writes: then nothing can have been given since.
            when = transaction.at if said is None else said
            fact = Fact(FactId(self.new_id()), code, when, transaction.at, None, about)
            transaction.execute(_INSERT_CONTROLLER_FACT, (policy, fact.fact_id, code, when, transaction.at, about))
            subjects.new_plan(transaction)
            self._known_of_the_house(
                transaction, policy, when, code, lambda known: replace(known, facts=(*known.facts, fact))
            )
            if code not in _OF_TRANSFERS:  # by these nothing ends, so the sweep need not look at everybody
                stir_everybody(transaction, policy, fact.fact_id)
            transaction.journal(
                entry(
                    "fact.recorded",
                    when,
                    policy,
                    None,
                    (rule.path,),
                    fact=code,
                    known_at=transaction.at,
                    id=fact.fact_id,
                    named=about,
                )
            )

        self._new_plan(work)

    def _new_plan(self, work: Callable[[Transaction], None]) -> None:
        """Record what changes decisions, and of nobody anything: what is known of persons stays known."""
        self.places.active.submit(work)
        self.places.active.afterwards(self.views.outdated)

    def contract(
        self,
        policy: str,
        party: str,
        *,
        terms: frozenset[str] = frozenset(),
        sub_consent: bool = False,
        at: When = None,
        until: When = None,
    ) -> str:
        """A contract with a processor or recipient comes into force, with the terms it carries. Returns its id."""
        when = self._happened(at)
        until_at = FOREVER if until is None else (instant(until) if isinstance(until, datetime) else until)
        contract_id = self.new_id()
        rules = self._party_rules(policy, party)

        def work(transaction: Transaction) -> None:
            row = (policy, contract_id, party, when, until_at, packed_names(terms), int(sub_consent))
            transaction.execute(_INSERT_CONTRACT, row)
            subjects.new_plan(transaction)
            until_said = None if until_at >= FOREVER else until_at
            transaction.journal(
                entry(
                    "contract.recorded",
                    when,
                    policy,
                    None,
                    tuple(r.path for r in rules),
                    party=party,
                    contract=contract_id,
                    until=until_said,
                    terms=tuple(sorted(terms)) or None,
                    sub_consent=sub_consent or None,
                )
            )

        self._new_plan(work)
        return contract_id

    def _party_rules(self, policy: str, party: str) -> tuple[Rule, ...]:
        plans = self._known_plans(policy)
        rows = [row.rule for plan in plans for row in plan.entrustments.values() if row.party == party]
        rows += [row.rule for plan in plans for row in plan.provisions.values() if row.party == party]
        rows = list({row.path: row for row in rows}.values())
        if not rows:
            raise InputRefused("party-unknown", f"`{policy}` names no recipient or processor `{party}`")
        return tuple(rows)

    def end_contract(self, policy: str, contract_id: str, *, at: When = None) -> None:
        """A contract ends: nothing goes there any more, what was given is asked back."""
        when = self._happened(at)
        with self.places.active.reading() as connection:
            found = connection.execute(_CONTRACT_PARTY, (policy, contract_id)).fetchone()
        if found is None:
            raise InputRefused("contract-unknown", "no such contract")
        rules = self._party_rules(policy, found[0])

        def work(transaction: Transaction) -> None:
            transaction.changed(_END_CONTRACT, (when, policy, contract_id))
            subjects.new_plan(transaction)
            self._known_of_the_house(transaction, policy, when, "contract-ended", partial(_ended_at, contract_id, when))
            transaction.journal(
                entry(
                    "contract.ended",
                    when,
                    policy,
                    None,
                    tuple(r.path for r in rules),
                    party=found[0],
                    contract=contract_id,
                )
            )

        self._new_plan(work)

    def returned(self, policy: str, contract_id: str) -> None:
        """The party has shown that it returned or destroyed everything that it got under this contract."""

        def work(transaction: Transaction) -> None:
            found = transaction.execute(_CONTRACT_PARTY, (policy, contract_id)).fetchone()
            if found is None:
                raise InputRefused("contract-unknown", "no such contract")
            party = found[0]
            transaction.changed(_CLOSE_CONTRACT, (transaction.at, policy, contract_id))
            rules = self._party_rules(policy, party)
            paths = [one.path for one in rules]
            for subject_id, processor in returned_under(transaction, policy, contract_id, paths, transaction.at):
                copies_back(transaction, subject_id, self.views.alias(subject_id), "entrustment", processor)
            transaction.journal(
                entry(
                    "recipient.acknowledged",
                    transaction.at,
                    policy,
                    None,
                    tuple(r.path for r in rules),
                    recipient=party,
                    contract=contract_id,
                )
            )

        self.places.active.submit(work)
        self.places.active.afterwards(self.views.forget_all)

    # ── handlers ────────────────────────────────────────────────────────────────────────────────────────────────────

    def grant(
        self,
        policy: str,
        duty: str,
        *,
        handler: HandlerId | None = None,
        shown: frozenset[str] = frozenset(),
        party: str | None = None,
        at: When = None,
    ) -> tuple[HandlerId, Outcome]:
        """Give a handler a role of the policy. `shown` names what is on record (`reason`, `approver`)."""
        plans = self._known_plans(policy)
        plan = next((one for one in plans if duty in one.handlers), plans[0])
        row = plan.handlers.get(duty)
        if row is None:
            raise InputRefused(
                "duty-unknown", f"`{policy}` has no handlers `{duty}`; it has: {', '.join(plan.handlers)}"
            )
        when = self._happened(at)
        handler_id = handler or HandlerId(self.new_id())
        missing = row.granted_with - shown
        if missing:
            decision = refused(row.rule.cited(Reason.APPROVAL_MISSING, "granted-with", ", ".join(sorted(missing))))
            self._note(
                entry(
                    "act.refused",
                    when,
                    policy,
                    None,
                    (row.rule.path,),
                    act="grant",
                    reasons=(Reason.APPROVAL_MISSING.value,),
                )
            )
            return handler_id, Outcome(decision, when)
        until_at = end_of(when, row.granted_for, plan.zone) if row.granted_for else FOREVER

        def work(transaction: Transaction) -> None:
            transaction.execute(INSERT_HANDLER, (policy, handler_id, duty, party, when, until_at))
            until_said = None if until_at >= FOREVER else until_at
            transaction.journal(
                entry(
                    "handler.granted",
                    when,
                    policy,
                    None,
                    (row.rule.path,),
                    handler=handler_id,
                    duty=duty,
                    until=until_said,
                    party=party,
                )
            )

        self.places.active.submit(work)
        return handler_id, Outcome(Decision(True, (row.rule.cited(),)), when, made=handler_id)

    def _note(self, *entries: Entry) -> None:
        self.places.active.submit(lambda transaction: transaction.journal(*entries))

    def revoke(self, policy: str, handler: HandlerId, duty: str, *, at: When = None) -> None:
        """Take a role away; it ends at once."""
        when = self._happened(at)
        rule = next(one.handlers[duty].rule for one in self._known_plans(policy) if duty in one.handlers)

        def work(transaction: Transaction) -> None:
            # A role given again for another year is there twice; it ends as one.
            if not transaction.execute(_REVOKE, (when, policy, handler, duty)).rowcount:
                raise InputRefused("grant-unknown", f"this handler has no role `{duty}` to take away")
            transaction.journal(entry("handler.revoked", when, policy, None, (rule.path,), handler=handler, duty=duty))

        self.places.active.submit(work)

    def reader(self, policy: str, handler: HandlerId) -> Reader:
        """What a handler may do now: roles granted, and until when the evidence that clears them is fresh."""
        now = self.now()
        line = self.views.line(policy)
        plan = line.at(now) or line.latest
        with self.places.active.reading() as connection:
            granted = connection.execute(_GRANTS, (policy, handler, now, now)).fetchall()
        rows = [plan.handlers[duty] for duty, _, _ in granted if duty in plan.handlers]
        purposes = {one for row in rows for one in row.purposes}
        duties = {one for row in rows for one in row.duties}
        lapsed, fresh_until = self._clearance(plan, handler, now)
        until = min([fresh_until, *(Instant(until_at) for _, _, until_at in granted)], default=now)
        return Reader(
            ReaderKind.HANDLER,
            handler,
            frozenset(purposes),
            frozenset(duties),
            party=next((party for _, party, _ in granted if party), None),
            cleared_until=now if lapsed else until,
            lapsed=lapsed,
        )

    def application(self, name: str, purposes: frozenset[str] | None = None) -> Reader:
        """An application of the controller, bound to purposes (None: any declared purpose)."""
        return Reader(ReaderKind.APPLICATION, name, purposes)

    def _clearance(self, plan: Plan, handler: HandlerId, now: Instant) -> tuple[tuple[str, ...], Instant]:
        lapsed: list[str] = []
        until = FOREVER
        for control in plan.controls.values():
            if control.blocks != "access" or not control.evidence or control.per not in _OF_ONE_HANDLER:
                continue  # what a host or a processor owes does not say that a person is cleared
            filed = [
                one
                for one in self.evidence_of(plan.policy, control.name)
                if one.about == handler or control.per is None
            ]
            newest = max((one.at for one in filed), default=None)
            if newest is None:
                lapsed.append(control.name)
            elif control.due_every is not None:
                stale_at = end_of(newest, control.due_every, plan.zone)
                if stale_at <= now:
                    lapsed.append(control.name)
                until = min(until, stale_at)
        return tuple(lapsed), until

    # ── evidence of safeguards ──────────────────────────────────────────────────────────────────────────────────────

    def file_evidence(
        self, policy: str, control: str, kind: str, *, about: str = "", record: bytes = b"", at: When = None
    ) -> None:
        """File evidence for a safeguard: a pledge, a training record, a scan report. The record's digest is kept."""
        plans = self._known_plans(policy)
        plan = next((one for one in plans if control in one.controls), plans[0])
        row = plan.controls.get(control)
        if row is None:
            raise InputRefused(
                "control-unknown", f"`{policy}` promises no safeguard `{control}`; it has: {', '.join(plan.controls)}"
            )
        if kind not in row.evidence:
            raise InputRefused(
                "evidence-unknown",
                f"`{control}` is shown by: {', '.join(sorted(row.evidence)) or 'a check of the system'}",
            )
        when = self._happened(at)
        digest = hashlib.sha256(record or f"{control}|{kind}|{about}|{when}".encode()).digest()

        def work(transaction: Transaction) -> None:
            before = transaction.execute(_FILED, (policy, control, kind, about, when)).fetchone()
            if before is not None:  # INVARIANT: I7: what is filed twice is filed once
                if bytes(before[0]) != digest:
                    raise InputRefused(
                        "evidence-conflict", "another record of this kind was filed for the same instant"
                    )
                return
            transaction.execute(_INSERT_EVIDENCE, (policy, control, kind, about, when, transaction.at, digest))
            transaction.journal(
                entry(
                    "control.evidenced",
                    when,
                    policy,
                    None,
                    (row.rule.path,),
                    control=control,
                    evidence=kind,
                    about=digest,
                    named=about or None,
                    known_at=transaction.at,
                )
            )

        self.places.active.submit(work)

    def evidence_of(self, policy: str, control: str) -> list[Evidence]:
        """Everything filed for a safeguard, oldest first."""
        with self.places.active.reading() as connection:
            rows = connection.execute(_EVIDENCE, (policy, control)).fetchall()
        return [Evidence(control, kind, about, Instant(at)) for kind, about, at in rows]

    def evidence_owed(self, policy: str, control: ControlPlan, at: Instant) -> list[tuple[str, Instant]]:
        """What is missing or stale for a safeguard: (about, since when)."""
        plan = self.views.line(policy).latest
        filed = [one for one in self.evidence_of(policy, control.name) if one.at <= at]
        owed: list[tuple[str, Instant]] = []
        for name, since in self.register_of(policy, control.per, at) if control.per else [("", plan.effective_at)]:
            for kind in sorted(control.evidence):
                newest = max((one.at for one in filed if one.kind == kind and one.about == name), default=None)
                stale_at = since if newest is None else end_of(newest, control.due_every or _NEVER, plan.zone)
                if newest is None or (control.due_every is not None and stale_at <= at):
                    owed.append((name, stale_at))
        return owed

    def register(self, policy: str, kind: str, name: str, *, at: When = None) -> None:
        """A host, system, zone, room, cabinet or employee is in the register from now on (a code, never a
        person's name).

        Raises InputRefused for another kind; handlers come from grants, processors from contracts.
        """
        self._known_plans(policy)
        if kind not in _REGISTERS:
            raise InputRefused("register-unknown", f"there is no register `{kind}`; there are: {', '.join(_REGISTERS)}")
        when = self._happened(at)

        def work(transaction: Transaction) -> None:
            transaction.execute(_INSERT_REGISTER, (policy, kind, name, when, FOREVER))
            transaction.journal(entry("register.entered", when, policy, None, (), register=kind, name=name))

        self.places.active.submit(work)

    def unregister(self, policy: str, kind: str, name: str, *, at: When = None) -> None:
        """It is in the register no longer: a host was scrapped, an employee left.

        Raises InputRefused when the register does not have it then.
        """
        self._known_plans(policy)
        when = self._happened(at)

        def work(transaction: Transaction) -> None:
            if transaction.execute(_LEAVE_REGISTER, (when, policy, kind, name, when)).rowcount == 0:
                raise InputRefused("not-registered", f"the register `{kind}` has no `{name}` at that time")
            transaction.journal(entry("register.entered", when, policy, None, (), register=kind, name=name, left=True))

        self.places.active.submit(work)

    def register_of(self, policy: str, kind: str, at: Instant) -> list[tuple[str, Instant]]:
        """What is in a register at an instant, with the instant of its entry. Handlers come from the grants."""
        with self.places.active.reading() as connection:
            if kind == "handler":
                return [(row[0], Instant(row[1])) for row in connection.execute(_HANDLERS, (policy, at, at))]
            if kind == "processor":
                return [(row[0], Instant(row[1])) for row in connection.execute(_PROCESSORS, (policy, at, at))]
            return [(row[0], Instant(row[1])) for row in connection.execute(_REGISTER, (policy, kind, at, at))]

    def gaps_of(self, policy: str, version: str) -> tuple[str, ...]:
        """The elements that the officer published over."""
        with self.places.active.reading() as connection:
            row = connection.execute(_GAPS, (policy, version)).fetchone()
        return unpacked_names(row[0]) if row else ()

    def today(self, policy: str) -> date:
        """The date in the policy's zone."""
        return local_date(self.now(), self.views.line(policy).latest.zone)


_REGISTERS = tuple(one.value for one in Register if one not in (Register.HANDLER, Register.PROCESSOR))
_OF_ONE_HANDLER = (None, "handler", "employee")
_NEVER = Period(years=200)
_VERSIONS = "SELECT policy, source, effective_at FROM policy_version ORDER BY policy, effective_at"
_NEWEST_SOURCE = "SELECT source FROM policy_version WHERE policy = ? ORDER BY effective_at DESC LIMIT 1"
_DRAFT = "SELECT source FROM policy_draft WHERE policy = ?"


def _ended_at(contract_id: str, at: Instant, known: ControllerState) -> ControllerState:
    ended = (replace(one, until_at=at) if one.contract_id == contract_id else one for one in known.contracts)
    return replace(known, contracts=tuple(ended))


_KEEP_DRAFT = (
    "INSERT INTO policy_draft(policy, source, digest, kept_at) VALUES(?, ?, ?, ?) "
    "ON CONFLICT(policy) DO UPDATE SET source = excluded.source, digest = excluded.digest, kept_at = excluded.kept_at"
)
_GAPS = "SELECT gaps FROM policy_version WHERE policy = ? AND version = ?"
_OF_TRANSFERS = frozenset({STOPPED, RESUMED})
_INSERT_CONTROLLER_FACT = (
    "INSERT INTO controller_fact(policy, fact_id, code, at, known_at, about) VALUES(?, ?, ?, ?, ?, ?)"
)
_INSERT_CONTRACT = (
    "INSERT INTO contract(policy, contract_id, party, from_at, until_at, terms, sub_consent) VALUES(?, "
    "?, ?, ?, ?, ?, ?)"
)
_CONTRACT_PARTY = "SELECT party FROM contract WHERE policy = ? AND contract_id = ?"
_END_CONTRACT = "UPDATE contract SET until_at = ? WHERE policy = ? AND contract_id = ?"
_CLOSE_CONTRACT = "UPDATE contract SET closed_at = ? WHERE policy = ? AND contract_id = ?"
INSERT_HANDLER = (
    "INSERT INTO handler(policy, handler_id, duty, party, granted_at, until_at) VALUES(?, ?, ?, ?, ?, ?) "
    "ON CONFLICT(policy, handler_id, duty, granted_at) DO UPDATE SET revoked_at = NULL "
    "WHERE handler.revoked_at = excluded.granted_at"
)
"""Given, taken and given again at one instant: it is given."""
_REVOKE = "UPDATE handler SET revoked_at = ? WHERE policy = ? AND handler_id = ? AND duty = ? AND revoked_at IS NULL"
_GRANTS = (
    "SELECT duty, party, until_at FROM handler WHERE policy = ? AND handler_id = ? AND granted_at <= ? "
    "AND until_at > ? AND revoked_at IS NULL"
)
_HELD = "SELECT duty FROM handler WHERE policy = ? AND granted_at <= ? AND until_at > ? AND revoked_at IS NULL"
_HANDLERS = (
    "SELECT handler_id, min(granted_at) FROM handler WHERE policy = ? AND granted_at <= ? AND until_at > ? "
    "AND revoked_at IS NULL "
    "GROUP BY handler_id"
)
_PROCESSORS = (
    "SELECT party, min(from_at) FROM contract WHERE policy = ? AND from_at <= ? AND until_at > ? GROUP BY party"
)
_FILED = "SELECT digest FROM evidence WHERE policy = ? AND control = ? AND kind = ? AND about = ? AND at = ?"
_INSERT_EVIDENCE = (
    "INSERT INTO evidence(policy, control, kind, about, at, known_at, digest) VALUES(?, ?, ?, ?, ?, ?, ?)"
)
_EVIDENCE = "SELECT kind, about, at FROM evidence WHERE policy = ? AND control = ? ORDER BY at"
_LEAVE_REGISTER = "UPDATE register SET until_at = ? WHERE policy = ? AND register = ? AND name = ? AND until_at > ?"
_INSERT_REGISTER = "INSERT INTO register(policy, register, name, from_at, until_at) VALUES(?, ?, ?, ?, ?)"
_REGISTER = (
    "SELECT name, min(from_at) FROM register WHERE policy = ? AND register = ? AND from_at <= ? AND "
    "until_at > ? GROUP BY name"
)
