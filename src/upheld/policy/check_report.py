"""What `upheld check` prints: each problem with its place, its standing and its remedy, and what is new at the end.

A problem reads as place, level and standing, then what is wrong and what to do, then clauses and law.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from upheld.errors import Level, Problem
from upheld.policy.findings import Finding, Gone, Standing, Told


def fails(told: Mapping[Path, Told]) -> bool:
    """Whether an error refuses a document or a finding stands in no record. What is gone fails nothing."""
    return any(
        problem.level is Level.ERROR or standing is Standing.NEW
        for one in told.values()
        for problem, standing in one.each
    )


def as_text(told: Mapping[Path, Told], law: str | None = None) -> str:
    """Lines for people: recorded findings first, then new ones, what is gone, and a summary. `law` was held against."""
    lines: list[str] = []
    for one in told.values():
        in_order = sorted(one.each, key=lambda each: each[1] is Standing.NEW)
        for problem, standing in in_order:
            lines += _told(problem, standing)
    for gone in _all_gone(told):
        lines += _told_gone(gone)
    return "\n".join([*lines, _summary(told), *_hints(told, law)])


def as_data(told: Mapping[Path, Told]) -> list[dict[str, object]]:
    """The same for a program: a row for each problem, and one with the standing `gone` for what is no longer found."""
    rows = [_data(problem, standing) for one in told.values() for problem, standing in one.each]
    for gone in _all_gone(told):
        row = {"code": gone.code, "standing": "gone", "file": gone.file, "at": gone.at, "message": gone.says}
        rows.append({**row, "section": gone.section})
    return rows


def _told(problem: Problem, standing: Standing) -> Iterator[str]:
    how = {Standing.RECORDED: ", recorded", Standing.NEW: ", NEW", Standing.UNCOMPARED: ""}[standing]
    yield f"{problem.file}:{problem.line}:{problem.column} {problem.code} ({problem.level}{how})"
    yield f"    {problem.message}. {problem.remedy}"
    if isinstance(problem, Finding) and (problem.clauses or problem.rule):
        yield f"    {' '.join(problem.clauses)}{f' · {problem.rule}' if problem.rule else ''}".rstrip()


def _told_gone(gone: Gone) -> Iterator[str]:
    yield f"{gone.file} {gone.code} (GONE)"
    yield f"    recorded under `{gone.section}` and no longer found: {gone.says}"


def _summary(told: Mapping[Path, Told]) -> str:
    each = [(problem, standing) for one in told.values() for problem, standing in one.each]
    errors = sum(problem.level is Level.ERROR for problem, _ in each)
    counts = Counter(standing for problem, standing in each if problem.level is not Level.ERROR)
    said = [f"{_counted(len(told), 'document')}: {_counted(errors, 'error')}, {_counted(counts.total(), 'finding')}"]
    if any(counts[one] for one in (Standing.RECORDED, Standing.NEW)) or any(_all_gone(told)):
        gone = sum(1 for _ in _all_gone(told))
        said.append(f"{counts[Standing.RECORDED]} recorded, {counts[Standing.NEW]} new, {gone} gone from the record")
    return "; ".join(said)


def _counted(number: int, thing: str) -> str:
    """`1 error`, `2 errors`"""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _hints(told: Mapping[Path, Told], law: str | None) -> Iterator[str]:
    new = {file: Counter(problem.code for problem in one.of(Standing.NEW)) for file, one in told.items()}
    for file, codes in new.items():
        if codes:
            yield f"NEW in {file}: {', '.join(f'{code} ({n})' if n > 1 else code for code, n in codes.items())}"
    if any(new.values()) or any(_all_gone(told)):
        held = f" --law {law}" if law else ""
        yield "Mend what is new. What you have seen and leave as it is goes on record:"
        yield f"  upheld check{held} --record FILE..."


def _all_gone(told: Mapping[Path, Told]) -> Iterable[Gone]:
    return (gone for one in told.values() for gone in one.gone)


def _data(problem: Problem, standing: Standing) -> dict[str, object]:
    row: dict[str, object] = {
        "code": problem.code,
        "level": problem.level.value,
        "standing": standing.value,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "remedy": problem.remedy,
    }
    if isinstance(problem, Finding):
        row |= {"at": problem.path, "clauses": [*problem.clauses], "law": str(problem.rule) if problem.rule else None}
    return row
