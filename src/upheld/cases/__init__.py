"""Given, when, then: a policy tested in dates and plain words, against the real places, sweep and ledger.

run_cases(paths, say, opener) → read_cases → a home for the file → a copy of it for each case → steps → differences
"""

from upheld.cases.read import CasesRefused, read_cases
from upheld.cases.run import CaseRun, FileRun, clauses_shown, run_cases, run_file
from upheld.cases.stage import Clock, Opener

__all__ = [
    "CaseRun",
    "CasesRefused",
    "Clock",
    "FileRun",
    "Opener",
    "clauses_shown",
    "read_cases",
    "run_cases",
    "run_file",
]
