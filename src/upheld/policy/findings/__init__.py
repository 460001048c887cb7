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
from upheld.policy.findings import against, among, giving, people
from upheld.policy.findings.against import Size, access_records_kept
from upheld.policy.findings.codes import FINDINGS
from upheld.policy.findings.finding import Finding, as_data
from upheld.policy.model import Policy
from upheld.policy.read import problems_in, read_policy

UNKNOWN: Final = Size()


def _in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda one: (one.line, one.column, one.code, one.message)))


def findings_in(policy: Policy) -> tuple[Finding, ...]:
    """What is doubtful in a document by itself, in the order of the file. Never an error."""
    return _in_order(one for check in (*people.CHECKS, *giving.CHECKS) for one in check(policy))


def findings_among(policies: Sequence[Policy]) -> tuple[Finding, ...]:
    """What several documents of one house tell in different ways, by file."""
    found = [one for check in among.CHECKS for one in check(policies)]
    return tuple(sorted(found, key=lambda one: (one.file, one.line, one.column, one.code)))


def findings_against(policy: Policy, law: LawOfDay, size: Size = UNKNOWN) -> tuple[Finding, ...]:
    """Where a document is behind the law of a day, in the order of the file; each cites article and clause."""
    found = [one for check in against.CHECKS for one in check(policy, law)]
    return _in_order((*found, *(one for check in against.SIZED for one in check(policy, law, size))))


def checked(files: Iterable[Path], law: str | None = None) -> Mapping[Path, tuple[Problem, ...]]:
    """Everything to be said of each file: errors and, where it can be read, findings. `law` as `kr@2026-11-22`.

    Files with a second suffix (`x.cases.yaml`, `x.findings.yaml`) stand beside a policy and are passed over.

    Raises LawUnknown for a law that is not there and OSError for a file that cannot be read.
    """
    held_against = law_named(law) if law else None
    told: dict[Path, list[Problem]] = {}
    policies: dict[str, tuple[Path, Policy]] = {}
    for file in files:
        if len(file.suffixes) > 1:
            continue
        source = file.read_bytes()
        try:
            policy = read_policy(source, str(file))
        except PolicyRefused as refused:
            told[file] = [*refused.problems]
            continue
        policies[str(file)] = file, policy
        told[file] = [*problems_in(source, str(file)), *findings_in(policy)]
        if held_against:
            told[file] += findings_against(policy, held_against)
    for one in findings_among([policy for _, policy in policies.values()]):
        told[policies[one.file][0]].append(one)
    return {file: tuple(problems) for file, problems in told.items()}


def is_refused(problems: Iterable[Problem]) -> bool:
    """Whether one of them refuses the document."""
    return any(problem.level is Level.ERROR for problem in problems)


__all__ = [
    "FINDINGS",
    "Finding",
    "Size",
    "access_records_kept",
    "as_data",
    "checked",
    "findings_against",
    "findings_among",
    "findings_in",
    "is_refused",
]
