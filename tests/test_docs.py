"""The pages say what the code does: links, refusals, rules, commands, and the code blocks of the README."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml

from upheld.cli import app
from upheld.engine.acts import LAYER, LAYERS, Reason
from upheld.policy.read import problems_in

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
README = (ROOT / "README.md").read_text("utf-8")
RULES = (DOCS / "rules.md").read_text("utf-8")


def blocks(text: str, language: str) -> list[str]:
    """The fenced code blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def anchors(path: Path) -> set[str]:
    """The anchors that headings of a page make."""
    headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_link_leads_somewhere(page: Path) -> None:
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if re.match(r"https?://", target):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name) if name else page
        if not path.exists() or (anchor and path.suffix == ".md" and anchor not in anchors(path)):
            dead.append(target)
    assert dead == []


def test_the_index_leads_to_every_page() -> None:
    index = (DOCS / "index.md").read_text("utf-8")
    assert [page.name for page in DOCS.glob("*.md") if page.name != "index.md" and f"({page.name})" not in index] == []


def test_every_refusal_is_explained_in_its_layer() -> None:
    text = (DOCS / "refusals.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| ([a-z]+) \| (\S.*?) \| (\S.*?) \|$", text, re.M)
    assert [(code, layer) for code, layer, _, _ in rows] == [(str(reason), LAYERS[LAYER[reason]]) for reason in Reason]


def test_rules_are_numbered_once_and_in_order() -> None:
    chapters = [int(number) for number in re.findall(r"^## (\d+)\. ", RULES, re.M)]
    numbers = [(int(chapter), int(rule)) for chapter, rule in re.findall(r"^\*\*(\d+)\.(\d+)\*\*", RULES, re.M)]
    assert chapters == list(range(1, 16))
    assert numbers == sorted(set(numbers))
    assert re.findall(r"^\*\*I(\d+)\*\*", RULES, re.M) == [str(number) for number in range(1, 15)]


def test_tests_that_a_page_names_exist() -> None:
    tests = {
        node.name
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    named = {name for page in PAGES for name in re.findall(r"`(test_\w+)`", page.read_text("utf-8"))}
    assert named - tests == set()


TO_BE_MADE = {"away_until", "docs/adr/NNNN-leave.md", "src/upheld/web/TOPIC.py", "src/upheld/web/words/TOPIC.py"}
"""What the walk of a newcomer makes."""


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/web.md"])
def test_files_folders_and_names_that_a_newcomer_is_sent_to_exist(page: str) -> None:
    said = set(re.findall(r"`([^`\n]+)`", (ROOT / page).read_text("utf-8"))) - TO_BE_MADE
    places = (ROOT, ROOT / "src" / "upheld", ROOT / "src")
    files = {one for one in said if re.fullmatch(r"[\w./-]+(\.(py|md|yaml|toml)|/)", one) and "/" in one.rstrip("/")}
    files |= {one for one in said if re.fullmatch(r"(store|law|cli)/", one)}
    assert [one for one in sorted(files) if not any((place / one).exists() for place in places)] == []
    source = "".join(path.read_text("utf-8") for path in [*ROOT.glob("src/**/*.py"), *ROOT.glob("tests/*.py")])
    names = {one for one in said if re.fullmatch(r"[a-z]*_[a-z_]+", one) or re.fullmatch(r"[A-Z]\w*[a-z]\w*", one)}
    assert [one for one in sorted(names) if not re.search(rf"\b{one}\b", source)] == []
    assert len(files | names) > 5


def test_cases_that_the_rules_name_exist() -> None:
    files = (yaml.safe_load(path.read_text("utf-8")) for path in ROOT.glob("*/*.cases.yaml"))
    cases = {case["case"] for file in files for case in file["cases"]}
    shown = re.findall(r"^\*Shown by\* .*?(?=\n\n|\Z)", RULES, re.M | re.S)
    named = {" ".join(name.split()) for text in shown for name in re.findall("“(.*?)”", text, re.S)}
    assert named
    assert named - cases == set()


def test_every_invariant_is_shown() -> None:
    parts = re.split(r"^\*\*(I\d+)\*\*", RULES, flags=re.M)[1:]
    shown = dict(zip(parts[::2], parts[1::2], strict=True))
    assert [number for number, text in shown.items() if "*Shown by*" not in text] == []


def test_every_rule_names_what_shows_it() -> None:
    """A rule that only says what a word means is marked so; every other one names a test or a case."""
    parts = re.split(r"^\*\*(\d+\.\d+)\*\*", RULES, flags=re.M)[1:]
    texts = {number: text.split("\n## ")[0] for number, text in zip(parts[::2], parts[1::2], strict=True)}
    assert len(texts) > 100
    bare = [number for number, text in texts.items() if "*Shown by*" not in text and "*A definition.*" not in text]
    assert bare == []


def test_rules_that_code_cites_exist() -> None:
    known = set(re.findall(r"^\*\*(I\d+)\*\*", RULES, re.M))
    sources = [path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py")]
    cited = {number for text in sources for number in re.findall(r"# INVARIANT: (I\d+)", text)}
    assert cited - known == set()


def test_decisions_are_numbered_once() -> None:
    numbers = [path.name[:4] for path in sorted((DOCS / "adr").glob("*.md"))]
    assert numbers
    assert all(number.isdigit() for number in numbers)
    assert len(numbers) == len(set(numbers))


def test_the_policy_of_the_readme_has_no_problem() -> None:
    (policy,) = blocks(README, "yaml")
    assert len(policy.splitlines()) <= 36
    assert problems_in(policy.encode(), "shop.yaml") == ()


@pytest.mark.slow
def test_the_session_of_the_readme_runs_as_it_is_printed(tmp_path: Path) -> None:
    (policy,) = blocks(README, "yaml")
    (session,) = blocks(README, "python")
    (printed,) = blocks(README, "text")
    (tmp_path / "shop.yaml").write_text(policy, "utf-8")
    outcome = subprocess.run(
        [sys.executable, "-W", "error", "-c", session], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert outcome.stderr == ""
    assert outcome.stdout == printed


def commands_of(group: typer.core.TyperGroup, before: str = "") -> dict[str, set[str]]:
    """Every command with its options; those of a group under `GROUP COMMAND`."""
    found: dict[str, set[str]] = {}
    for name, command in group.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            found |= commands_of(command, f"{before}{name} ")
        else:
            found[before + name] = {
                option for parameter in command.params for option in parameter.opts if option.startswith("--")
            }
    return found


def test_every_command_stands_in_its_page_with_all_its_options() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    sections = re.split(r"^## ", (DOCS / "cli.md").read_text("utf-8"), flags=re.M)[1:]
    documented = {
        text.splitlines()[0].strip(): set(re.findall(r"--[a-z][a-z-]*", text.split("\n\n")[1])) for text in sections
    }
    assert documented == commands_of(group)
