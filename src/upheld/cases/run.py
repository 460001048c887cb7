"""Running case files: a home for each case, every step judged, every clause that is cited touched by something."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from upheld.cases.acts import PLAYS
from upheld.cases.looks import look
from upheld.cases.model import Case, CaseFile, Step
from upheld.cases.read import CasesRefused, read_cases
from upheld.cases.stage import Came, Opener, Stage
from upheld.cases.words import VERBS
from upheld.dates import Instant, instant
from upheld.engine.acts import Reason
from upheld.errors import InputRefused, UpheldError
from upheld.policy.model import Policy, Row, sub_rows
from upheld.store import history

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class CaseRun:
    """What came of one case. No differences: it holds."""

    file: Path
    case: Case
    differences: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether the policy, as the engine runs it, does what the case says."""
        return not self.differences


@dataclass(frozen=True, slots=True)
class FileRun:
    """What came of a file: problems when it could not be read, else its cases."""

    file: Path
    problems: tuple[str, ...] = ()
    cases: tuple[CaseRun, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the file was read and all its cases hold."""
        return not self.problems and all(one.holds for one in self.cases)


@contextmanager
def lent(house: Path, to: Path) -> Iterator[Path]:
    """A copy of a home on files, for as long as a case takes."""
    shutil.copytree(house, to)
    try:
        yield to
    finally:
        shutil.rmtree(to)


Lender = Callable[[Path, Path], AbstractContextManager[Path]]
"""Lends a copy of a home; where it lies decides how."""


def run_cases(paths: Iterable[Path], say: Say, opener: Opener, lender: Lender = lent) -> int:
    """Run case files and say what came of them, line by line. Returns the exit status: 0 when all cases hold.

    A failing case prints each difference with the step's file, line and column, and the clauses that are at stake.
    """
    runs = [run_file(path, opener, lender=lender) for path in paths]
    for run in runs:
        for line in _told(run):
            say(line)
    broken = sum(not run.holds for run in runs)
    cases = [case for run in runs for case in run.cases]
    failed = sum(not case.holds for case in cases)
    clauses = {clause for run in runs for clause in clauses_shown(run)}
    say(f"{len(cases)} cases in {len(runs)} files, {failed} failed; {len(clauses)} clauses shown")
    return 1 if broken else 0


def _told(run: FileRun) -> Iterator[str]:
    yield from run.problems
    for one in run.cases:
        if not one.holds:
            yield f"FAILED {run.file}:{one.case.line}: {one.case.sentence}"
            yield from (f"  {difference}" for difference in one.differences)
            yield f"  clauses: {', '.join(one.case.clauses)}"
    failed = sum(not one.holds for one in run.cases)
    if run.problems:
        yield f"{run.file}: {len(run.problems)} problem{'' if len(run.problems) == 1 else 's'}, nothing was run"
    else:
        yield f"{run.file}: {len(run.cases)} cases, {failed} failed"


def clauses_shown(run: FileRun) -> frozenset[str]:
    """The clauses that the cases which hold have shown."""
    return frozenset(clause for one in run.cases if one.holds for clause in one.case.clauses)


def run_file(path: Path, opener: Opener, *, citing: str | None = None, lender: Lender = lent) -> FileRun:
    """Run one file in temporary homes: one is prepared with the policy and the house, each case has a copy of it.

    `citing` runs only the cases that cite this clause; `lender` copies homes that do not lie in files alone.
    """
    try:
        file = read_cases(path)
    except CasesRefused as refused:
        return FileRun(path, tuple(map(str, refused.problems)))
    with tempfile.TemporaryDirectory(prefix="upheld-cases-") as folder:
        try:
            house = _House(file, Path(folder), opener)
        except UpheldError as failure:
            return FileRun(path, (f"{path}:1:1 house-failed {failure}",))
        chosen = [case for case in file.cases if citing is None or citing in case.clauses]
        return FileRun(path, cases=tuple(house.run(case, number, lender) for number, case in enumerate(chosen)))


@dataclass(slots=True)
class _Prepared:
    """What the prepared home leaves to each case."""

    at: Instant
    known: int
    handlers: dict[str, str] = field(default_factory=dict)
    contracts: dict[str, str] = field(default_factory=dict)


class _House:
    """The home that every case of a file begins with."""

    def __init__(self, file: CaseFile, folder: Path, opener: Opener) -> None:
        self.file = file
        self.folder = folder
        self.opener = opener
        stage = self._open(folder / "house", self._begins())
        stage.keeper.publish(file.policy_path)
        for name, duty in file.staff.items():
            shown = stage.plan.handlers[duty].granted_with
            stage.handlers[name] = stage.keeper.grant(file.policy.policy, duty, shown=shown)[0]
        differences = [one for step in file.house for one in played(stage, step)]
        stage.keeper.seal()
        known = sum(1 for _ in history.entries(stage.keeper.places.sealer.connection))
        self.left = _Prepared(stage.clock.now(), known, dict(stage.handlers), dict(stage.contracts))
        stage.keeper.close()
        if differences:
            raise InputRefused("house-refused", "; ".join(differences))

    def _begins(self) -> Instant:
        """The day on which the policy was announced, or the house's first step where it is not dated."""
        dates = (self.file.policy.announced.date, self.file.policy.effective.date)
        day = min((one for one in dates if one is not None), default=None)
        if day is None:
            return self.file.house[0].at if self.file.house else Instant(0)
        return instant(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.file.policy.time_zone)))

    def _open(self, home: Path, at: Instant) -> Stage:
        look_up = {self.file.policy.policy: self.file.looked_up}
        keeper, clock = self.opener(home, at, look_up)
        return Stage(home, keeper, clock, self.file.policy, self.file.path.parent, dict(self.file.staff))

    def run(self, case: Case, number: int, lender: Lender) -> CaseRun:
        """Play a case on a copy of the house."""
        with lender(self.folder / "house", self.folder / f"case-{number}") as home:
            stage = self._open(home, self.left.at)
            stage.known = self.left.known
            stage.handlers |= self.left.handlers  # type: ignore[arg-type]  # ids of handlers
            stage.contracts |= self.left.contracts
            with closing(stage.keeper):
                differences = [one for step in case.steps for one in played(stage, step)]
                differences += _untouched(stage, case) if not differences else []
        return CaseRun(self.file.path, case, tuple(f"{self.file.path}:{one}" for one in differences))


def played(stage: Stage, step: Step) -> Iterator[str]:
    """Play one step; differences between what it expects and what came, each with its place in the file."""
    stage.move_to(step.at)
    try:
        found = list((look if VERBS[step.verb].looks else PLAYS[step.verb])(stage, step))
    except InputRefused as invalid:
        found = [Came(step.verb, "invalid", (invalid.code,), amiss=())]
        said = str(invalid)
    except UpheldError as failure:
        yield f"{step.line}:{step.column} {step.when} {step.verb}: {failure}"
        return
    else:
        said = ""
    for one in found:
        stage.elements |= _elements_of(stage, one.clauses)
        yield from (f"{step.line}:{step.column} {step.when} {sentence}" for sentence in judged(step, one, said))


def judged(step: Step, one: Came, said: str = "") -> Iterator[str]:
    """The differences of one act or look, each a sentence."""
    expected = step.word("expect") or "granted"
    why = ", ".join(step.words("because"))
    wanted = f"{expected} because {why}" if why else expected
    reasons = set(one.reasons) == set(step.words("because")) if expected != "granted" else True
    if one.verdict != expected or not reasons:
        came = f"{one.verdict} because {', '.join(one.reasons)}" if one.reasons else one.verdict
        cited = f" ({', '.join(one.clauses)})" if one.clauses else ""
        yield f"{one.what}: expected {wanted}; came {came}{cited}{': ' + said if said else ''}"
        return
    missing = [clause for clause in step.words("citing") if clause not in one.clauses]
    if missing:
        yield f"{one.what}: expected to cite {', '.join(missing)}; cited {', '.join(one.clauses) or 'nothing'}"
    law = step.word("law")
    if law is not None and law not in one.laws:
        yield f"{one.what}: expected to rest on {law}; rested on {', '.join(one.laws) or 'no law'}"
    if "tells" in step.said and set(step.words("tells")) - {"nothing"} != set(one.tells):
        tells = ", ".join(one.tells) or "nothing"
        yield f"{one.what}: expected to tell {', '.join(step.words('tells'))}; told {tells}"
    if one.items is not None and one.verdict == "granted":
        items = expected_items(step, one)
        if items is not None and set(items) != set(one.items):
            yield f"{one.what}: expected to show {', '.join(items)}; showed {', '.join(one.items) or 'nothing'}"
    yield from (f"{one.what}: {sentence}" for sentence in one.amiss)


def expected_items(step: Step, one: Came) -> tuple[str, ...] | None:
    """The items that a granted act must show: those named in `shows`, else those asked for; None where any will do."""
    if "shows" in step.said:
        return tuple(item for item in step.words("shows") if item != "nothing")
    if step.verb == "read":
        return step.words("read")
    if step.verb in ("provide", "entrust", "disclose"):
        return next((items for to, items in step.table(step.verb).items() if one.what.endswith(to)), None)
    return None


# ── clauses ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _elements_of(stage: Stage, clauses: Sequence[str]) -> set[str]:
    """Elements of the document to which cited clauses belong, by the clause itself."""
    return {f"={clause}" for clause in clauses}


_CHECKED_BY_REASON = {
    Reason.VALUE_DUE: ("guarantees.due-is-unread", "guarantees.held-to-what-was-told"),
    Reason.VALUE_SEPARATED: ("guarantees.due-is-unread", "guarantees.held-to-what-was-told", "separation.use"),
    Reason.GROUND_ENDED: ("guarantees.due-is-unread", "guarantees.held-to-what-was-told"),
    Reason.VALUE_DESTROYED: ("guarantees.due-is-unread",),
    Reason.ITEM_UNDECLARED: ("guarantees.every-field-classified",),
    Reason.ITEM_NOT_COVERED: ("guarantees.closed-items",),
    Reason.PURPOSE_UNDECLARED: ("guarantees.closed-purposes",),
    Reason.NOT_IN_FORCE: ("guarantees.one-version-in-force", "effective"),
}
"""Guarantees that a refusal for a reason shows at work."""


def touched(stage: Stage, case: Case) -> frozenset[str]:
    """Every clause that something in the case rests on: a decision, an entry of the ledger, or a look."""
    rows = {row.path: row for row in all_rows(stage.policy)}
    paths = {one for one in stage.elements if not one.startswith("=")}
    paths |= {path for entry in stage.entries() for path in entry.elements}
    for step in case.steps:
        for reason in step.words("because") if step.word("expect") == "refused" else ():
            paths |= set(_CHECKED_BY_REASON.get(Reason(reason), ()))
    found = {one.removeprefix("=") for one in stage.elements if one.startswith("=")}
    for path in paths:
        row = rows.get(path)
        if row is not None:
            found |= {clause for one in (row, *sub_rows(row)) for ids in one.clauses.values() for clause in ids}
    return frozenset(found)


def all_rows(policy: Policy) -> Iterator[Row]:
    """Every element of a document."""
    return policy.rows()


def _untouched(stage: Stage, case: Case) -> list[str]:
    """A case may cite only what something in it rests on: else it could not fail when the promise is broken."""
    rests_on = touched(stage, case)
    return [
        f"{case.line}:{case.column} {clause} is cited, but nothing in the case rests on it"
        for clause in case.clauses
        if clause not in rests_on
    ]
