"""Doubts about a document that is typed already: one function per check, all in one table."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from upheld.errors import Level, Problem
from upheld.policy.model import Policy, Row, keys_of, sections
from upheld.policy.shapes import attribute, nearest
from upheld.policy.vocabulary import KNOWN_FACTS

Check = Callable[[Policy], Iterator[Problem]]


def findings(policy: Policy) -> Iterator[Problem]:
    """What every check has to say."""
    for check in CHECKS:
        yield from check(policy)


def clauses_of(policy: Policy) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Everything the document carries: clause id to (path of the element, key), `all` for the element as such."""
    found: dict[str, list[tuple[str, str]]] = {}
    for row in policy.rows():
        for key, ids in row.clauses.items():
            for clause in ids:
                found.setdefault(clause, []).append((row.path, key))
    return {clause: tuple(places) for clause, places in found.items()}


def _problem(policy: Policy, row: Row, key: str, code: str, message: str, remedy: str) -> Problem:
    line, column = row.place_of(key)
    return Problem(code, policy.file, line, column, message, remedy)


def dangling_names(policy: Policy) -> Iterator[Problem]:
    """A name that nothing declares."""
    declared: dict[str, set[str]] = {name: {*getattr(policy, attribute(name))} for name in sections()}
    declared["items"] |= {*policy.item_groups}
    declared["facts"] |= KNOWN_FACTS
    for use in policy.references:
        if use.name not in declared[use.kind]:
            message = f"`{use.name}` is not declared in `{use.kind}`"
            remedy = nearest(use.name, declared[use.kind]) or f"Add it to `{use.kind}`"
            yield Problem("name-unknown", policy.file, use.line, use.column, message, remedy)


def missing_keys(policy: Policy) -> Iterator[Problem]:
    """A key that a row must have, itself or from `every`, unless it is blocked."""
    for row in policy.rows():
        if row.blocked or row.builtin:
            continue
        for key, spec in keys_of(type(row)).items():
            if spec.needed and key not in row.places and not getattr(row, attribute(key)):
                message = f"`{row.path}` has no `{key}`"
                yield _problem(policy, row, "", "key-missing", message, f"Add `{key}`: {spec.means}")


def elements_without_clause(policy: Policy) -> Iterator[Problem]:
    """An element that no sentence of the source and no law stands behind."""
    for row in policy.rows():
        if not row.builtin and not row.cites():
            message = f"`{row.path}` has no clause"
            remedy = "Name the sentence it keeps (`clause: ...`) or the law it rests on (`law: ...`)"
            yield _problem(policy, row, "", "clause-missing", message, remedy)


CHECKS: Final[tuple[Check, ...]] = (dangling_names, missing_keys, elements_without_clause)


def main(files: list[str]) -> int:
    """A bare command line until the real one is there: print the problems of some documents."""
    from upheld.policy.read import problems_in

    errors = 0
    for name in files:
        for problem in problems_in(Path(name).read_bytes(), name):
            sys.stdout.write(f"{problem}\n" if problem.level is Level.ERROR else f"({problem.level}) {problem}\n")
            errors += problem.level is Level.ERROR
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
