"""Each threat of the page is tied to tests, and the tests are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "threats.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| threat "))
]


def known_tests() -> set[str]:
    """The name of every test of the suite."""
    return {
        node.name
        for path in (ROOT / "tests").glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_threat_names_the_tests_that_try_it() -> None:
    assert len(ROWS) > 30
    assert [row[0] for row in ROWS if len(row) != 3 or not row[1] or not re.findall(r"`(test_\w+)`", row[2])] == []
    assert len({row[0] for row in ROWS}) == len(ROWS)


def test_every_test_that_a_threat_names_is_there() -> None:
    assert {name for row in ROWS for name in re.findall(r"`(test_\w+)`", row[2])} - known_tests() == set()


def test_what_nothing_stands_against_is_said() -> None:
    open_ones = PAGE.partition("## What nothing here stands against")[2]
    assert open_ones.count("\n- ") >= 4
