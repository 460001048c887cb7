"""What may be wrong with a document that can be run: against itself, others of its house, and the law of a day.

    findings_in(policy)                       # open lists, blocked rows, two periods for one thing, ...
    findings_against(policy, law_on("kr", date(2026, 11, 22)))
    checked([Path("policy.yaml")], "kr@2026-11-22")

A finding refuses nothing: what makes a document an error stands in `upheld.policy.check`. Each check is one function
of a table; it answers with the clauses it is about and, against the law, with the article and how sure that row is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from upheld.errors import Level, PolicyRefused, Problem
from upheld.law import LawOfDay, law_named
from upheld.policy.findings import against, among, giving, people, recorded, unsaid
from upheld.policy.findings.against import Size, access_records_kept
from upheld.policy.findings.codes import FINDINGS
from upheld.policy.findings.finding import Finding, as_data
from upheld.policy.findings.recorded import Gone, Standing, Told, as_record, beside, compared, on_record
from upheld.policy.model import Policy
from upheld.policy.read import problems_in, read_policy

UNKNOWN: Final = Size()


def _in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda one: (one.line, one.column, one.code, one.message)))


def findings_in(policy: Policy) -> tuple[Finding, ...]:
    """What is doubtful in a document by itself, in the order of the file. Never an error."""
    return _in_order(one for check in (*people.CHECKS, *giving.CHECKS, *unsaid.CHECKS) for one in check(policy))


def findings_among(policies: Sequence[Policy]) -> tuple[Finding, ...]:
    """What several documents of one house tell in different ways, by file."""
    found = [one for check in among.CHECKS for one in check(policies)]
    return tuple(sorted(found, key=lambda one: (one.file, one.line, one.column, one.code)))


def findings_against(policy: Policy, law: LawOfDay, size: Size = UNKNOWN) -> tuple[Finding, ...]:
    """Where a document is behind the law of a day, in the order of the file; each cites article and clause."""
    found = [one for check in against.CHECKS for one in check(policy, law)]
    return _in_order((*found, *(one for check in against.SIZED for one in check(policy, law, size))))


def held(files: Iterable[Path], law: str | None = None) -> Mapping[Path, Told]:
    """Everything to be said of each file, held against the record beside it. `law` as `kr@2026-11-22`.

    Errors and, where the file can be read, findings: of the document itself, against the law of the day, and among the
    documents where several are given. Files with a second suffix (`x.cases.yaml`, `x.findings.yaml`) are passed over.

    Raises LawUnknown for a law that is not there, InputRefused for a record that cannot be read, OSError for a file.
    """
    against_law = law_named(law) if law else None
    told: dict[Path, dict[str, list[Problem]]] = {}
    policies: dict[str, tuple[Path, Policy]] = {}
    for file in files:
        if len(file.suffixes) > 1:
            continue
        source = file.read_bytes()
        try:
            policy = read_policy(source, str(file))
        except PolicyRefused as refused:
            told[file] = {recorded.ITSELF: [*refused.problems]}
            continue
        policies[str(file)] = file, policy
        told[file] = {recorded.ITSELF: [*problems_in(source, str(file)), *findings_in(policy)]}
        if against_law:
            told[file][against_law.name] = [*findings_against(policy, against_law)]
    if len(policies) > 1:
        together = recorded.among(file for file, _ in policies.values())
        for file, _ in policies.values():
            told[file][together] = []
        for one in findings_among([policy for _, policy in policies.values()]):
            told[policies[one.file][0]][together].append(one)
    return {file: compared(file, sections) for file, sections in told.items()}


def checked(files: Iterable[Path], law: str | None = None) -> Mapping[Path, tuple[Problem, ...]]:
    """Everything to be said of each file as `held` finds it, whatever is on record."""
    return {file: told.problems for file, told in held(files, law).items()}


def is_refused(problems: Iterable[Problem]) -> bool:
    """Whether one of them refuses the document."""
    return any(problem.level is Level.ERROR for problem in problems)


__all__ = [
    "FINDINGS",
    "Finding",
    "Gone",
    "Size",
    "Standing",
    "Told",
    "access_records_kept",
    "as_data",
    "as_record",
    "beside",
    "checked",
    "findings_against",
    "findings_among",
    "findings_in",
    "held",
    "is_refused",
    "on_record",
]
