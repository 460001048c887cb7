"""Everything that Upheld raises, and the problem of a document.

    UpheldError                  anything of ours; its text is meant for people and says what to mend
    ├── PolicyRefused            a document with errors; carries every problem, nothing of it was loaded
    ├── StoreFailed              a place did not do what it must; nothing was released, the place says what to look at
    ├── HomeUnusable             a home is missing, incomplete, of another schema, or still recovering
    ├── InputRefused             an argument of a call is malformed; nothing was done
    └── ...                      further branches stand below, one for each layer that raises

A refusal of an act is no exception: it is a value with reasons, recorded like a grant.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How grave a problem is. Only an error refuses the document."""

    ERROR = "error"
    WARNING = "warning"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend in a document. `line` and `column` count from 1; `code` never changes its meaning."""

    code: str
    file: str
    line: int
    column: int
    message: str
    remedy: str
    level: Level = Level.ERROR

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column} {self.code} {self.message}. {self.remedy}"


class UpheldError(Exception):
    """The root of the tree."""


class PolicyRefused(UpheldError):
    """A document has errors and is refused whole. `problems` are all of them in the order of the file."""

    on_record = False
    """Whether the ledger has its code and place already."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        errors = [problem for problem in problems if problem.level is Level.ERROR]
        head = "1 error in the policy" if len(errors) == 1 else f"{len(errors)} errors in the policy"
        super().__init__("\n".join([head, *map(str, errors)]))

    def __reduce__(self) -> tuple[type[PolicyRefused], tuple[tuple[Problem, ...]]]:
        """It crosses from one process to another whole."""
        return type(self), (self.problems,)


class StoreFailed(UpheldError):
    """A place did not do what it must. Whatever was under way was rolled back; nothing was released.

    `reason` is the refusal code (docs/refusals.md) of what no decision can say, as no record of it could be made.
    """

    reason: str | None = None


class NotRecorded(StoreFailed):
    """What was asked could not be made durable together with its record, so it was not done."""

    reason = "record-not-written"


class HomeUnusable(UpheldError):
    """A home cannot be opened as it is; the text says what to do."""


class InputRefused(UpheldError):
    """An argument cannot be used. Refused whole; only the code and the place are recorded, never the content."""

    on_record = False
    """Whether the ledger has its code and place already."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(f"{code}: {message}")

    def __reduce__(self) -> tuple[type[InputRefused], tuple[str, str]]:
        """It crosses from one process to another whole."""
        return type(self), (self.code, self.message)
