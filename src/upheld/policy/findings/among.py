"""Findings among several documents of one house: the same body, law or company told in different ways."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from upheld.policy.findings.finding import Finding, at, found
from upheld.policy.model import Agency, Policy

BODIES = (
    ("prosecution", re.compile(r"Prosecut|검찰")),
    ("police", re.compile(r"Police|경찰")),
    ("report centre", re.compile(r"Infringement|침해")),
    ("mediation committee", re.compile(r"Mediation|분쟁조정")),
)


def _body(row: Agency) -> str:
    names = " ".join(row.texts.values())
    return next((body for body, words in BODIES if words.search(names)), names)


def agencies_that_differ(policies: Sequence[Policy]) -> Iterator[Finding]:
    """One body of help with several numbers or addresses."""
    told: defaultdict[tuple[str, str], list[tuple[str, Policy, Agency]]] = defaultdict(list)
    for policy in policies:
        for row in policy.agencies.values():
            for key in ("phone", "site"):
                if getattr(row, key):
                    told[_body(row), key].append((getattr(row, key), policy, row))
    for (body, key), each in told.items():
        values = sorted({value for value, _, _ in each})
        if len(values) > 1:
            for _, policy, row in each:
                message = f"the {body} has {len(values)} entries for {key} in these documents: {', '.join(values)}"
                yield found(policy, "agency-differs", at(row), message, "Find out which is right and use it everywhere")


def laws_named_differently(policies: Sequence[Policy]) -> Iterator[Finding]:
    """One law under several names."""
    names: defaultdict[str, set[str]] = defaultdict(set)
    for policy in policies:
        for row in policy.laws.values():
            names[row.name] |= {row.texts.get("ko", "")}
    for policy in policies:
        for row in policy.laws.values():
            if len(names[row.name]) > 1:
                message = f"`{row.name}` is called {' and '.join(sorted(names[row.name]))} in these documents"
                yield found(policy, "law-named-differently", at(row), message, "Use one name")


CHECKS = (agencies_that_differ, laws_named_differently)
