"""The house keeps its own rules: layers, clock, sizes, names, lock, tasks, the clause count."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from tools import clauses, lock

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "src" / "upheld").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
BIN = Path(sys.executable).parent
CATALOGUES = Path(os.environ.get("UPHELD_CATALOGUES", ROOT.parent / "shared" / "clauses"))

LONGEST_FUNCTION = 60
LONGEST_MODULE = 900
NAMES_OF_NOTHING = frozenset({"utils", "util", "helpers", "helper", "common", "base", "misc", "manager", "service"})
OUTSIDE_LAYERS = frozenset({"__init__", "__main__", "client"})
CLOCK_AND_CHANCE = (
    "from datetime import datetime\n\nprint(datetime.now())\n",
    "import datetime\n\nprint(datetime.date.today())\n",
    "import time\n\nprint(time.time())\n",
    "from uuid import uuid4\n\nprint(uuid4())\n",
    "import os\n\nprint(os.urandom(8))\n",
    "import secrets\n\nprint(secrets.token_hex())\n",
)


def ran(*command: str | Path, text: str = "") -> subprocess.CompletedProcess[str]:
    """A command of this environment, run in the repository."""
    return subprocess.run(
        [str(part) for part in command], cwd=ROOT, input=text, capture_output=True, text=True, check=False
    )


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a module, nested ones too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_imports_only_go_down() -> None:
    outcome = ran(BIN / "lint-imports", "--no-logo", "--no-cache")
    assert outcome.returncode == 0, outcome.stdout


def test_every_module_has_its_layer() -> None:
    layered = set(re.findall(r"\w+", " ".join(PROJECT["tool"]["importlinter"]["contracts"][0]["layers"])))
    found = {path.stem for path in (ROOT / "src" / "upheld").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert found - OUTSIDE_LAYERS - {"__pycache__", "py"} <= layered


@pytest.mark.parametrize("source", CLOCK_AND_CHANCE, ids=[text.splitlines()[-1] for text in CLOCK_AND_CHANCE])
def test_nobody_but_the_clock_and_the_system_asks_for_time_or_chance(source: str) -> None:
    ruff = (BIN / "ruff", "check", "--select", "TID251", "--output-format", "concise", "--stdin-filename")
    assert "TID251" in ran(*ruff, "src/upheld/engine/reading.py", "-", text=source).stdout
    for module in ("clock", "system"):
        assert "TID251" not in ran(*ruff, f"src/upheld/{module}.py", "-", text=source).stdout


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}"
        for path in SOURCES
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


def test_no_module_has_outgrown_its_topic() -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert {str(path): length for path, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_modules_are_nouns_of_the_domain() -> None:
    assert [path for path in SOURCES if path.stem in NAMES_OF_NOTHING or path.parent.name in NAMES_OF_NOTHING] == []


def test_every_module_says_what_it_is() -> None:
    assert [path for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text("utf-8")))] == []


def test_test_names_are_sentences_and_no_test_is_skipped() -> None:
    names = [(path.name, f.name) for path in TESTS for f in functions(path) if f.name.startswith("test_")]
    short = [where for where in names if where[1].count("_") < 3]
    assert short == []
    skipping = re.compile(r"pytest\.(mark\.)?(skip|skipif|xfail|importorskip)\b")
    # This module names them to forbid them. Five agreed helpers skip, where there is no browser, scanner, pooler,
    # reader of units or server that speaks TLS, and say how not to.
    found = {path.name: len(skipping.findall(path.read_text("utf-8"))) for path in TESTS if path != Path(__file__)}
    agreed = ("browser.py", "clam.py", "postgres.py", "test_doctor_servers.py", "test_guides.py")
    assert {name: count for name, count in found.items() if count} == dict.fromkeys(agreed, 1)
    packages = {
        "browser.py": "chromium",
        "clam.py": "--no-install-recommends clamav-daemon",
        "postgres.py": "postgresql",
    }
    for name, package in packages.items():
        assert f"apt-get install {package}" in (ROOT / "tests" / name).read_text("utf-8")


def test_every_exception_to_a_check_names_its_rule_and_its_reason() -> None:
    told = r"type: ignore\[[\w, -]+\]  # \S|noqa: [A-Z]+\d+(?:, [A-Z]+\d+)* - \S"
    bare = re.compile(rf"# ?(?!{told})(?:type: ?ignore|noqa)")
    marked = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if bare.search(line)
    ]
    assert marked == []


def test_no_personal_mailbox_stands_anywhere() -> None:
    mailbox = re.compile(r"[\w.+-]+@(?!(?:[\w-]+\.)*example\.(?:org|com|net)\b)[\w-]+(?:\.[\w-]+)+")
    folders = ("src", "tests", "docs", "policies", "benchmarks", "tools")
    paths = [
        path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".md", ".yaml"}
    ]
    found = {str(path.relative_to(ROOT)): hits for path in paths if (hits := mailbox.findall(path.read_text("utf-8")))}
    assert found == {}


def test_the_lock_has_every_dependency_in_the_version_that_is_installed() -> None:
    runtime = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "requirements.lock").read_text("utf-8"), re.M))
    development = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "requirements-dev.lock").read_text("utf-8"), re.M))
    assert set(lock.closure(PROJECT["project"]["dependencies"])) <= set(runtime)
    assert set(lock.closure(PROJECT["project"]["optional-dependencies"]["dev"])) <= set(runtime) | set(development)
    locked = runtime | development
    assert {name: version(name) for name in locked} == locked


def test_bare_make_lists_every_task_in_one_line() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", text, re.M)
    assert phony
    listed = re.findall(r"^  make ([\w-]+) +\S.*$", ran("make").stdout, re.M)
    named = re.findall(r"^([\w-]+):", text, re.M)
    assert sorted(listed) == sorted(phony[1].split()) == sorted(named)
    assert {"run", "test", "quick", "deep", "lint", "types", "clauses", "bench"} <= set(listed)


@pytest.mark.slow
def test_every_document_carries_every_clause_of_its_catalogue() -> None:
    outcome = ran(sys.executable, "tools/clauses.py")
    assert outcome.returncode == 0, outcome.stderr
    assert ("skipped" in outcome.stdout) != CATALOGUES.is_dir()


def test_the_clause_count_complains_about_a_missing_and_an_unknown_id() -> None:
    count = clauses.Count("sample", frozenset({"S-1", "S-2"}), frozenset({"S-1", "S-3"}), frozenset())
    assert count.complaints == ("sample: misses 1: S-2", "sample: carries unknown 1: S-3")
    assert clauses.Count("sample", frozenset({"S-1"}), frozenset({"S-1"}), frozenset()).complaints == ()


def test_the_clause_count_reads_marks_and_cases() -> None:
    marked = '@pytest.mark.clauses("S-1", "S-2")\ndef test_a() -> None: ...\n'
    assert list(clauses.ids_marked(marked, "test_a.py")) == ["S-1", "S-2"]
    with pytest.raises(ValueError, match="plain strings"):
        list(clauses.ids_marked("pytest.mark.clauses(*ALL)", "test_a.py"))
    case = {"cases": [{"clause": "S-1", "then": {"clauses": ["S-2", {"until": "S-3"}]}}, {"says": "S-4"}]}
    assert list(clauses.ids_in_cases(case)) == ["S-1", "S-2", "S-3"]
