"""Faults of one token, planted one at a time in a copy of the tree. The tests have to notice each of them.

A fault that nobody notices is a rule that nobody tests. A fault that can no longer be planted has lost its line: plant
it where the line went.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SUITES = ("tests/test_dates.py", "tests/test_keeper.py", "tests/test_cases.py")
LIFECYCLE = "src/upheld/engine/lifecycle.py"
DECIDE = "src/upheld/engine/decide.py"
DATES = "src/upheld/dates.py"
FAULTS = (
    # (what goes wrong, where, the text as it is, the text with the fault)
    ("the day of the event counts", DATES, "== at else day + timedelta(days=1)", "== at else day + timedelta(days=0)"),
    ("a month without the day ends late", DATES, "(month + 1) % 12 + 1, 1)", "(month + 1) % 12 + 1, 2)"),
    ("the later of two ends is the earlier", LIFECYCLE, "return _later([self.end(", "return _earlier([self.end("),
    ("what was never owed is awaited", LIFECYCLE, "return ALWAYS\n        closers", "return NEVER\n        closers"),
    ("a withdrawal is overheard", LIFECYCLE, "since and not event.given", "since and event.given"),
    ("a withdrawn consent still stands", LIFECYCLE, "not None and last.given else", "not None or last.given else"),
    ("a law begins a moment too late", LIFECYCLE, "if ground.from_at <= own_until", "if ground.from_at < own_until"),
    ("everything but erasure erases", LIFECYCLE, 'request.right == "erasure"', 'request.right != "erasure"'),
    ("an answered suspension ends the use", LIFECYCLE, "default=FOREVER) > deadline", "default=FOREVER) < deadline"),
    ("a request is about what came later", LIFECYCLE, "use.anchor_at <= request.rec", "use.anchor_at > request.rec"),
    ("a payment before the fee pays it", LIFECYCLE, "if fact.at >= opened.at and fact.eng", "if fact.eng"),
    ("the special case is the general one", LIFECYCLE, "occurrence.about != row.name", "occurrence.about == row.name"),
    ("a living purpose keeps nothing in use", LIFECYCLE, "PURPOSE for ground in live", "CLAIM for ground in live"),
    ("a law keeps other items", LIFECYCLE, "if value.item in row.items:", "if value.item not in row.items:"),
    ("the unproved freeze", DECIDE, "not request.freezes or request.proved_at is None", "not request.freezes"),
    ("a freeze outlasts its settlement", DECIDE, "ended = request.settled_at if", "ended = FOREVER if"),
    ("an item may come along", DECIDE, "elif purpose is not None and item", "elif purpose is None and item"),
    ("clearance never lapses", DECIDE, "at < reader.cleared_until:\n        lapsed", "at:\n        lapsed"),
)  # fmt: skip


def copied(to: Path) -> Path:
    """The parts of the tree that the suites need."""
    for name in ("src", "tests", "policies"):
        shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", to)
    return to


def tried(tree: Path) -> subprocess.CompletedProcess[str]:
    """The suites on a tree, up to the first failure."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *SUITES],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree / "src"), "UPHELD_EXAMPLES": "house"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.deep
def test_the_tree_without_a_fault_passes(tmp_path: Path) -> None:
    outcome = tried(copied(tmp_path / "tree"))
    assert outcome.returncode == 0, outcome.stdout[-2000:]


@pytest.mark.deep
@pytest.mark.parametrize(("path", "text", "fault"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_a_planted_fault_is_noticed(tmp_path: Path, path: str, text: str, fault: str) -> None:
    tree = copied(tmp_path / "tree")
    module = tree / path
    source = module.read_text("utf-8")
    assert text in source, "the line moved; plant the fault where it went"
    module.write_text(source.replace(text, fault, 1), "utf-8")
    outcome = tried(tree)
    assert outcome.returncode == 1, outcome.stdout[-2000:]
    assert " failed" in outcome.stdout
