"""What was found before and settled on: a file beside a policy, and how what is found now compares with it.

    policy.yaml            the document
    policy.findings.yaml   what its officer has seen: `itself`, `among: a, b` and one list for each law of a day

A finding that stands in the file is recorded; one that does not is new and fails a build; one that stands there alone
is gone, so the file is out of date. A comparison the file has no list for (another law, other files) is told plainly.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import yaml

from upheld.errors import InputRefused, Level, Problem
from upheld.policy.findings.finding import Finding, as_data

ITSELF: Final = "itself"
AMONG: Final = "among: "
KEPT: Final = ("level", "code", "at", "clauses", "law", "says")
HEAD: Final = (
    "# What the checks find in this policy, as its officer has seen it. `upheld check --record` writes it; a finding\n"
    "# that does not stand here fails `upheld check`.\n"
)


class Standing(StrEnum):
    """How a finding compares with the record: seen before, not seen before, or nothing to compare it with."""

    RECORDED = "recorded"
    NEW = "new"
    UNCOMPARED = "uncompared"


@dataclass(frozen=True, slots=True)
class Gone:
    """A finding on record that is no longer found: `at` is its element, `file` the record."""

    file: str
    section: str
    code: str
    at: str
    says: str


@dataclass(frozen=True, slots=True)
class Told:
    """All that is to be said of one file: errors and findings, each with its standing, and what is gone."""

    file: Path
    sections: Mapping[str, tuple[Problem, ...]]
    each: tuple[tuple[Problem, Standing], ...]
    gone: tuple[Gone, ...]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Errors and findings, in the order in which they are told."""
        return tuple(problem for problem, _ in self.each)

    def of(self, standing: Standing) -> tuple[Problem, ...]:
        """The findings of one standing."""
        return tuple(problem for problem, how in self.each if how is standing)


def beside(file: Path) -> Path:
    """Where the record of a policy stands."""
    return file.with_suffix(".findings.yaml")


def among(files: Iterable[Path]) -> str:
    """The section for what several documents tell differently: it names them, so that other sets are not compared."""
    return AMONG + ", ".join(sorted(file.stem for file in files))


def data_of(problem: Problem) -> Mapping[str, object]:
    """One finding as the record holds it: without its line, so that an edit elsewhere changes nothing."""
    if isinstance(problem, Finding):
        return as_data(problem)
    return {"level": problem.level.value, "code": problem.code, "says": problem.message}


def _known_by(one: Mapping[str, object]) -> tuple[str, str, str, str]:
    """Code, element, article and message: a renumbered clause or another level is the same finding."""
    code, at, law, says = (str(one.get(key, "")) for key in ("code", "at", "law", "says"))
    return code, at, law, says


def on_record(file: Path) -> Mapping[str, Sequence[Mapping[str, object]]] | None:
    """The record beside a policy by section; None where there is none. Raises InputRefused for what is no record."""
    path = beside(file)
    if not path.exists():
        return None
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" in line {where.line + 1}" if where else ""
        raise InputRefused("record", f"{path} is no YAML{line}; write it anew with `upheld check --record`") from error
    if not isinstance(data, dict) or not all(_is_list_of_findings(one) for one in data.values()):
        said = "is no record of findings: sections, and in each a list of rows with `code` and `says`"
        raise InputRefused("record", f"{path} {said}; write it anew with `upheld check --record`")
    return {str(section): rows for section, rows in data.items()}


def _is_list_of_findings(rows: object) -> bool:
    return isinstance(rows, list) and all(isinstance(one, dict) and {"code", "says"} <= {*one} for one in rows)


def compared(file: Path, sections: Mapping[str, Sequence[Problem]]) -> Told:
    """What is found in each section, held against the record beside the file. Errors are never recorded."""
    record = on_record(file) or {}
    each: list[tuple[Problem, Standing]] = []
    gone: list[Gone] = []
    for section, found in sections.items():
        listed = record.get(section)
        left = Counter(_known_by(one) for one in listed or ())
        for one in found:
            key = _known_by(data_of(one))
            if listed is None or one.level is Level.ERROR:
                each.append((one, Standing.UNCOMPARED))
                continue
            each.append((one, Standing.RECORDED if left[key] > 0 else Standing.NEW))
            left[key] -= 1
        for (code, at, _, says), times in left.items():
            gone += [Gone(str(beside(file)), section, code, at, says)] * max(times, 0)
    return Told(file, {name: (*found,) for name, found in sections.items()}, (*each,), (*gone,))


def as_record(sections: Mapping[str, Iterable[Problem]], before: Mapping[str, object] | None = None) -> str:
    """The text of a record: one line for each finding, which a diff shows well. Sections of `before` stay."""
    kept: defaultdict[str, list[Mapping[str, object]]] = defaultdict(list)
    for name, rows in (before or {}).items():
        if name not in sections and isinstance(rows, list):
            kept[name] = rows
    for name, problems in sections.items():
        kept[name] = [data_of(one) for one in problems if one.level is not Level.ERROR]
    lines = [HEAD.rstrip("\n")]
    for name, rows in kept.items():
        title = yaml.safe_dump(name, default_flow_style=True, width=10**6, allow_unicode=True).splitlines()[0]
        lines.append(f"{title}:" if rows else f"{title}: []")
        for row in rows:
            one = {key: row[key] for key in KEPT if key in row}
            text = yaml.safe_dump(one, default_flow_style=True, width=10**6, sort_keys=False, allow_unicode=True)
            lines.append(f"  - {text.strip()}")
    return "\n".join(lines) + "\n"
