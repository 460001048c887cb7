"""The clause report of a running home: look at everything once, check the system, answer for every clause."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from random import Random
from typing import cast

from upheld.dates import BEGINNING, FOREVER, Instant, instant
from upheld.engine.acts import SubjectId
from upheld.engine.plan import Plan
from upheld.errors import InputRefused
from upheld.keeper.agreeing import AS_RECORDED, Deviation, deviations
from upheld.keeper.checking import CHECKS, NOTHING, Answer, House
from upheld.keeper.door import When
from upheld.keeper.looking import (
    BROKEN,
    KEPT,
    MENDED,
    SYSTEM_CHECK,
    Contracted,
    Filed,
    Found,
    Granted,
    Looked,
    OnFile,
    scan,
    scan_reads,
    tallied,
)
from upheld.keeper.moving import Moving
from upheld.keeper.showing import ATTESTED, found, section_of
from upheld.ledger.entries import Entry, entry, entry_of, place_of
from upheld.ledger.report import Breach, Case, ClauseReport, Exhibit, Finding, Report, Span, answered
from upheld.policy.check import clauses_of
from upheld.policy.model import Policy, Row
from upheld.policy.read import read_policy
from upheld.policy.vocabulary import Nature
from upheld.store import history
from upheld.store.place import Transaction
from upheld.store.subjects import unpacked_names

DAY = 86_400_000_000


class Auditing(Moving):
    """Auditing, and what people in the house put on record for it."""

    def audit(
        self,
        policy: str,
        *,
        since: When = None,
        until: When = None,
        version: str | None = None,
        sample: int = 0,
        seed: int = 0,
    ) -> Report:
        """The state of every clause of a version (the one in force at the end, if none is named) over a span.

        Without `since` from the day the version took effect, without `until` (exclusive) up to now. A span that ends
        now is shown by what the checks of the running system find; for one that ends in the past counts what earlier
        audits found then, and what is known by now to have been wrong. What the checks find goes into the ledger.
        `sample`: that many cases drawn at random (by `seed`) for each clause, with their certificates.
        Raises InputRefused for a policy that was never published, an unknown version, or a span that is none.
        """
        self.seal_first()
        now = self.now()
        line = self.views.line(policy)
        end = min(_given(until, FOREVER), Instant(now + 1))  # what happens at this very instant counts
        plan = _version(line.plans, version, line.at(Instant(end - 1)) or line.latest)
        span = _span(plan, line.plans, _given(since, BEGINNING), end)
        looked = self._look(plan, span, now)
        findings = self._findings(looked)
        return _reported(looked, findings, Sampler(looked, sample, seed))

    def attest(self, policy: str, element: str, *, mended: bool = False, record: bytes = b"", at: When = None) -> str:
        """Somebody in the house puts on record that an element was kept where no act shows it: a processor inspected,
        grants reviewed, a change announced. `mended`: that the consequences of a breach of it were dealt with.

        `record` is what they hold as proof; its digest is kept. Returns the kind of record. Raises InputRefused for an
        element that the document does not have, or that is shown otherwise.
        """
        document = self._document(policy, self.views.line(policy).latest.version)
        row = document.row(element)
        kind = MENDED if mended else ATTESTED.get(section_of(element), "")
        if row is None or not kind or section_of(element) == "statements":
            wanted = ", ".join(sorted(ATTESTED))
            raise InputRefused(
                "element-unattestable",
                f"`{element}` is not shown by anybody's word but by what is done; on record go those of: {wanted}",
            )
        when = self._happened(at)
        digest = hashlib.sha256(record or f"{element}|{kind}|{when}".encode()).digest()

        def work(transaction: Transaction) -> None:
            row = (policy, element, kind, "", when, transaction.at, digest)
            if transaction.execute(_INSERT_EVIDENCE, row).rowcount == 0:
                return  # the same was put on record for this very instant
            transaction.journal(
                entry(
                    "control.evidenced",
                    when,
                    policy,
                    None,
                    (element,),
                    control=element,
                    evidence=kind,
                    about=digest,
                    known_at=transaction.at,
                )
            )

        self.places.active.submit(work)
        return kind

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _look(self, plan: Plan, span: Span, now: Instant) -> Looked:
        policy, line = plan.policy, self.views.line(plan.policy)
        house = House(self.places, line, now)
        otherwise = self._not_as_recorded(house)
        answers = self._checked(house, otherwise)
        connection = self.places.sealer.connection
        looked = Looked(
            document=self._document(policy, plan.version),
            plan=plan,
            line=line,
            span=span,
            now=now,
            published=self._on_file(policy),
            documents=lambda version: self._document(policy, version),
            house=house,
            connection=connection,
            tallies=tallied(connection, policy, span),
            granted=self._granted(policy),
            filed=self._filed(policy),
            registers=self._registers(policy),
            contracts=self._contracts(policy),
            controller_facts=self.views.controller(policy).facts,
            answers=answers,
        )
        scan(looked)
        scan_reads(looked, self._secrets(plan))
        _refused_when_due(looked)
        self._note_overdue(looked)
        _note_deviations(looked, otherwise)
        return looked

    def _document(self, policy: str, version: str) -> Policy:
        with self.places.active.reading() as connection:
            row = connection.execute(_SOURCE, (policy, version)).fetchone()
        return _read(row[0], f"{policy}.yaml")

    def _on_file(self, policy: str) -> tuple[OnFile, ...]:
        with self.places.active.reading() as connection:
            rows = connection.execute(_VERSIONS, (policy,)).fetchall()
        return tuple(
            OnFile(version, Instant(announced), Instant(effective), Instant(published), unpacked_names(gaps))
            for version, announced, effective, published, gaps in rows
        )

    def _granted(self, policy: str) -> tuple[Granted, ...]:
        with self.places.active.reading() as connection:
            rows = connection.execute(_GRANTS, (policy,)).fetchall()
        return tuple(
            Granted(handler, duty, Instant(since), Instant(until if revoked is None else min(until, revoked)))
            for handler, duty, since, until, revoked in rows
        )

    def _filed(self, policy: str) -> tuple[Filed, ...]:
        with self.places.active.reading() as connection:
            rows = connection.execute(_EVIDENCE, (policy,)).fetchall()
        return tuple(Filed(control, kind, about, Instant(at)) for control, kind, about, at in rows)

    def _registers(self, policy: str) -> Mapping[str, tuple[tuple[str, Instant, Instant], ...]]:
        with self.places.active.reading() as connection:
            rows = connection.execute(_REGISTERS, (policy,)).fetchall()
            rows += [("handler", *row) for row in connection.execute(_HANDLERS, (policy,))]
            rows += [("processor", *row) for row in connection.execute(_PROCESSORS, (policy,))]
        registers: dict[str, list[tuple[str, Instant, Instant]]] = {}
        for register, name, since, until in rows:
            registers.setdefault(register, []).append((name, Instant(since), Instant(until)))
        return {register: tuple(names) for register, names in registers.items()}

    def _contracts(self, policy: str) -> tuple[Contracted, ...]:
        with self.places.active.reading() as connection:
            rows = connection.execute(_CONTRACTS, (policy,)).fetchall()
        return tuple(
            Contracted(one, party, Instant(since), Instant(until), frozenset(unpacked_names(terms)), closed)
            for one, party, since, until, terms, closed in rows
        )

    def _secrets(self, plan: Plan) -> dict[int, str]:
        secrets = {name: one.rule.path for name, one in plan.items.items() if one.nature is Nature.SECRET}
        if not secrets:
            return {}
        with self.places.active.reading() as connection:
            rows = connection.execute(_OF_ITEMS, (plan.policy, json.dumps(sorted(secrets)))).fetchall()
        return {value: secrets[item] for value, item in rows}

    def _note_overdue(self, looked: Looked) -> None:
        """Values past their grace that are still there, under every element that promised their end."""
        policy, plan = looked.plan.policy, looked.plan
        for subject, step in self.overdue(policy, everybody=True):
            what = "separation-overdue" if step.kind == "separate" else "destruction-overdue"
            paths = {ground.rule.path for ground in step.grounds}
            paths |= {plan.purposes[use.purpose].rule.path for use in step.value.uses if use.purpose in plan.purposes}
            self._note_late(looked, what, paths, subject, step.overdue_at, step.due_at)
        for under_way in self.open_steps():
            limit = looked.grace_end(under_way.due_at, self.views.alias(under_way.subject_id), under_way.ordered_at)
            if under_way.policy == policy and limit <= looked.now:
                what = "separation-overdue" if under_way.kind == "separate" else "destruction-overdue"
                self._note_late(looked, what, set(under_way.grounds), under_way.subject_id, limit, under_way.due_at)

    def _note_late(
        self, looked: Looked, what: str, paths: set[str], subject: str, since: Instant, due_at: Instant
    ) -> None:
        alias = looked.alias(subject)
        destruction = looked.plan.destruction
        if what == "separation-overdue":
            paths |= {"separation.electronic"}
        else:
            needless = looked.by_fact(alias, due_at)
            paths |= {destruction.at_expiry.path} | ({destruction.when_needless.path} if needless else set())
        for path in (*sorted(paths), "anything-overdue"):
            looked.note(path, Breach(what, path, since, None, frozenset({alias})))

    # ── checks of the running system ────────────────────────────────────────────────────────────────────────────────

    def _not_as_recorded(self, house: House) -> list[Deviation]:
        """What the places hold otherwise than the ledger has it: what two looks find, with a seal between them, since
        others may write meanwhile.

        Who may not seal cannot tell what waits from what was done past the keeper: then what was found last stands.
        """
        before = deviations(house) if self.places.seals else []
        if not before:
            return []
        self.seal_first()
        return [one for key, one in deviations(house).items() if key in before]

    def _checked(self, house: House, otherwise: Sequence[Deviation]) -> dict[str, Answer]:
        """Run every check; what each found goes into the ledger when it is new, or the last is older than a day."""
        answers = {name: check(house) for name, check in CHECKS.items()}
        since = Instant(min((one.at for one in otherwise), default=house.now))
        looked = Answer(not otherwise, otherwise[0].what if otherwise else "", since)
        answers[AS_RECORDED] = looked if self.places.seals else NOTHING
        last = self._last_outcomes(house.policy, house.now)
        fresh = [
            self._outcome_entry(house, name, answer, otherwise if name == AS_RECORDED else ())
            for name, answer in answers.items()
            if answer.kept is not None and last.get(name) is not answer.kept
        ]
        if fresh:
            self.places.active.submit(lambda transaction: transaction.journal(*fresh))
            self.seal_first()
        return {name: replace(answer, persons=self._aliases(answer.persons)) for name, answer in answers.items()}

    def _aliases(self, subjects: frozenset[str]) -> frozenset[str]:
        return frozenset(self.views.alias(SubjectId(one)) or one for one in subjects if one)

    def _last_outcomes(self, policy: str, now: Instant) -> dict[str, bool]:
        """What each check found last, within a day."""
        found = history.rows(self.places.sealer.connection, ["control.evidenced"], policy, now - DAY + 1)
        checks = [entry_of(row).fields for _, _, row in found]
        return {
            str(one["control"]): one.get("outcome") == KEPT for one in checks if one.get("evidence") == SYSTEM_CHECK
        }

    @staticmethod
    def _outcome_entry(house: House, name: str, answer: Answer, otherwise: Sequence[Deviation]) -> Entry:
        plan = house.line.latest
        paths = tuple(one.rule.path for one in plan.controls.values() if name in one.checks)
        paths += tuple(dict.fromkeys(path for one in otherwise for path in one.paths))
        return entry(
            "control.evidenced", house.now, house.policy, None, paths, control=name, evidence=SYSTEM_CHECK,
            outcome=KEPT if answer.kept else BROKEN,
        )  # fmt: skip

    # ── answering ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _findings(self, looked: Looked) -> dict[str, list[Finding]]:
        carried = clauses_of(looked.document)
        own = _blocked(looked.document)
        over = self._published_over(looked)
        findings: dict[str, list[Finding]] = {}
        for clause, places in carried.items():
            for path, key in places:
                row = looked.row(path)
                if row is None:
                    continue
                finding = found(looked, row, key, clause)
                more = [one for one in over.get(path, ()) if one.what != "declared-not-run" or clause in own[path]]
                findings.setdefault(clause, []).append(_with(finding, more))
        return findings

    @staticmethod
    def _published_over(looked: Looked) -> dict[str, list[Breach]]:
        """Elements that the officer published over: not upheld from that minute."""
        here = next(one for one in looked.published if one.version == looked.plan.version)
        shown = tuple(looked.seen.get(f"published/{here.version}", ()))
        found: dict[str, list[Breach]] = {}
        for path in here.gaps:
            row = looked.row(path)
            what = "declared-not-run" if row is not None and row.blocked else "published-over"
            breach = Breach(what, path, here.published_at, None, detail=path, shown=shown, published_over=True)
            found.setdefault(path, []).append(breach)
        return found


@lru_cache(maxsize=16)
def _read(source: bytes, name: str) -> Policy:
    """A document is read once, however often it is asked about."""
    return read_policy(source, name)


def _given(when: When, otherwise: Instant) -> Instant:
    if when is None:
        return otherwise
    return instant(when) if isinstance(when, datetime) else when


def _version(plans: Sequence[Plan], version: str | None, otherwise: Plan) -> Plan:
    if version is None:
        return otherwise
    found = next((one for one in plans if one.version == version), None)
    if found is None:
        names = ", ".join(one.version for one in plans)
        raise InputRefused("version-unknown", f"there is no version `{version}` on file; there are: {names}")
    return found


def _span(plan: Plan, plans: Sequence[Plan], since: Instant, until: Instant) -> Span:
    """The part of the span in which the version was in force; before its day, the time since it was put on file."""
    if since >= until:
        raise InputRefused("span-backwards", "the report's span ends before it begins; give `since` before `until`")
    following = [one.effective_at for one in plans if one.effective_at > plan.effective_at]
    end = min([until, *following])
    return Span(max(since, min(plan.effective_at, Instant(end - 1))), end)


def _refused_when_due(looked: Looked) -> None:
    due = {"value-due", "value-separated", "value-destroyed", "value-moving"}
    kinds, span = ("read.refused", "act.refused"), looked.span
    for leaf, number, row in history.rows(looked.connection, kinds, looked.plan.policy, span.since, span.until):
        reasons = row[place_of(str(row[0]), "reasons")]
        if isinstance(reasons, list) and due & set(reasons):
            looked.see("refused-due", Exhibit(f"{leaf}:{number}", str(row[0]), Instant(cast(int, row[1]))))


def _note_deviations(looked: Looked, otherwise: Sequence[Deviation]) -> None:
    """What is not as recorded breaks the promise of each element that it rests on, and of the rules that use a word."""
    found = sorted((one for one in looked.outcomes if one.check == AS_RECORDED), key=lambda one: one.shown.at)
    kept = [one.shown.at for one in found if one.kept]
    of: dict[tuple[str, str], list[Deviation]] = {}
    for one in otherwise:
        for path in sorted({each for given in one.paths for each in looked.resting_on(given)}):
            of.setdefault((one.what, path), []).append(one)
    for (what, path), each in of.items():
        since = max([min(one.at for one in each), *kept])
        persons = frozenset(one.alias for one in each if one.alias)
        shown = tuple(dict.fromkeys(one for some in each[:2] for one in some.shown))
        detail = ",".join(sorted({one.key.partition("/")[0] for one in each}))
        looked.note(path, Breach(what, path, since, None, persons, detail, shown))
    _note_mended(looked, found, {path for _, path in of})


def _note_mended(looked: Looked, found: Sequence[Found], still: set[str]) -> None:
    """What an earlier audit found otherwise than recorded was not upheld from then until one found it mended."""
    since: dict[str, Exhibit] = {}
    for one in found:
        if not one.kept:
            for path in one.paths:
                since.setdefault(path, one.shown)
            continue
        for path, broken in since.items():
            _note_gap(looked, path, broken, one.shown.at)
        since.clear()
    for path, broken in since.items():
        if path not in still:
            _note_gap(looked, path, broken, looked.now if looked.answers[AS_RECORDED].kept is False else None)


def _note_gap(looked: Looked, path: str, broken: Exhibit, until: Instant | None) -> None:
    for each in looked.resting_on(path):
        looked.note(each, Breach("found-broken", each, broken.at, until, detail=AS_RECORDED, shown=(broken,)))


def _with(finding: Finding, more: Sequence[Breach]) -> Finding:
    return replace(finding, breaches=(*finding.breaches, *more)) if more else finding


# ── Rows that are declared and cannot be run ──────────────────────────────────────────────────────────────────────────


def _blocked(document: Policy) -> dict[str, frozenset[str]]:
    """Blocked rows, each with the clauses that are about it and not about the whole of its table."""
    rows = [row for row in document.rows() if not row.builtin]
    return {row.path: _own_clauses(row, rows) for row in rows if row.blocked}


def _own_clauses(row: Row, rows: Sequence[Row]) -> frozenset[str]:
    table, _, _ = _head(row.path).rpartition(".")
    siblings = [one for one in rows if _head(one.path) == one.path and one.path.rpartition(".")[0] == table]
    shared: set[str] = set()
    if len(siblings) > 1:
        shared = set.intersection(*({one for ids in each.clauses.values() for one in ids} for each in siblings))
    elsewhere = {
        clause
        for one in rows
        if one.path.split(".")[0] == row.path.split(".")[0] and not one.path.startswith(f"{table}.") and not one.blocked
        for ids in one.clauses.values()
        for clause in ids
    }
    mine = {clause for ids in row.clauses.values() for clause in ids}
    return frozenset(mine - shared - elsewhere)


def _head(path: str) -> str:
    """The path of a row, or of the row above it for a sub-row."""
    for inner in (".uses.", ".terms."):
        path = path.partition(inner)[0]
    return path


# ── A sample of cases ─────────────────────────────────────────────────────────────────────────────────────────────────


class Sampler:
    """Draws cases at random from the entries that name a clause's elements; the same seed draws the same."""

    def __init__(self, looked: Looked, size: int, seed: int) -> None:
        self._looked = looked
        self._size = size
        self._random = Random(seed)

    def drawn(self, one: ClauseReport) -> ClauseReport:
        """The clause with its cases."""
        if not self._size:
            return one
        paths = [each.path for each in one.elements]
        leaves = sorted({(path, leaf) for path in paths for leaf in self._leaves(path)})
        chosen = self._random.sample(leaves, min(len(leaves), self._size * 4))
        cases: dict[str, Case] = {}
        for path, leaf in chosen:
            if len(cases) < self._size:
                case = self._case(path, leaf)
                if case is not None:
                    cases.setdefault(case.reference, case)
        return replace(one, cases=tuple(cases.values()))

    def _leaves(self, path: str) -> Iterator[int]:
        for (leaf,) in self._looked.connection.execute(_LEAVES, (path,)):
            yield leaf

    def _case(self, path: str, leaf: int) -> Case | None:
        span = self._looked.span
        named = [one for one in history.entries_in(self._looked.connection, leaf) if path in one.entry.elements]
        inside = [one for one in named if span.since <= one.entry.at < span.until]
        if not inside:
            return None
        one = self._random.choice(inside)
        certificate = one.entry.fields.get("certificate")
        certificates = (certificate,) if isinstance(certificate, str) else ()
        return Case(one.reference, one.entry.kind, Instant(one.entry.at), path, certificates)


def _reported(looked: Looked, findings: Mapping[str, Sequence[Finding]], sampler: Sampler) -> Report:
    plan = looked.plan
    here = next(one for one in looked.published if one.version == plan.version)
    said = []
    if here.published_at > here.effective_at:
        said.append("published-afterwards")
    if here.effective_at > looked.now:
        said.append("not-in-force-yet")
    return Report(
        policy=plan.policy,
        version=plan.version,
        controller=plan.controller,
        span=looked.span,
        made_at=looked.now,
        zone=plan.zone,
        clauses=tuple(sampler.drawn(answered(clause, each, looked.span)) for clause, each in findings.items()),
        names={row.path: row.texts for row in looked.document.rows()},
        findings=tuple(said),
    )


_SOURCE = "SELECT source FROM policy_version WHERE policy = ? AND version = ?"
_VERSIONS = (
    "SELECT version, announced_at, effective_at, published_at, gaps FROM policy_version WHERE policy = ? "
    "ORDER BY effective_at"
)
_GRANTS = "SELECT handler_id, duty, granted_at, until_at, revoked_at FROM handler WHERE policy = ?"
_EVIDENCE = "SELECT control, kind, about, at FROM evidence WHERE policy = ? ORDER BY at"
_INSERT_EVIDENCE = (
    "INSERT INTO evidence(policy, control, kind, about, at, known_at, digest) VALUES(?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING"
)
_REGISTERS = "SELECT register, name, from_at, until_at FROM register WHERE policy = ?"
_HANDLERS = (
    "SELECT handler_id, min(granted_at), max(coalesce(revoked_at, until_at)) FROM handler WHERE policy = ? "
    "GROUP BY handler_id"
)
_PROCESSORS = "SELECT party, min(from_at), max(until_at) FROM contract WHERE policy = ? GROUP BY party"
_CONTRACTS = "SELECT contract_id, party, from_at, until_at, terms, closed_at FROM contract WHERE policy = ?"
_OF_ITEMS = (
    "SELECT v.value_id, v.item FROM value v "
    "JOIN subject s ON s.bucket = v.bucket AND s.subject_id = v.subject_id AND s.policy = ? "
    "WHERE v.item IN (SELECT value FROM json_each(?))"
)
_LEAVES = "SELECT leaf FROM named_in JOIN name ON name.id = named_in.name WHERE text = ?"
