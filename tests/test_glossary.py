"""One word for each thing: public classes stand in the glossary, Korean words are Korean."""

import ast
import re
from pathlib import Path

import upheld
import upheld.keeper

ROOT = Path(__file__).resolve().parent.parent
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text("utf-8")
# What a caller meets, what a document is made of, the meaning and the proof. The rest is the inside of a package.
PUBLIC = (
    "errors.py",
    "dates.py",
    "clock.py",
    "system.py",
    "rotating.py",
    "engine/*.py",
    "ledger/*.py",
    "policy/model.py",
    "policy/ends.py",
)


def public_classes() -> dict[str, str]:
    """Public class name → where it is: those of the modules above, and what packages export."""
    source = ROOT / "src" / "upheld"
    found = {
        node.name: path.name
        for pattern in PUBLIC
        for path in source.glob(pattern)
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    }
    exported = (*upheld.__all__, *upheld.keeper.__all__)
    return found | {name: "exported" for name in exported if name[0].isupper()}


def test_every_public_class_stands_in_the_glossary() -> None:
    known = set(re.findall(r"`(\w+)`", GLOSSARY))
    assert {name: module for name, module in public_classes().items() if name not in known} == {}


def test_the_glossary_names_no_class_that_is_gone() -> None:
    paths = (ROOT / "src" / "upheld").rglob("*.py")
    words = {word for path in paths for word in re.findall(r"\b[A-Z]\w+\b", path.read_text("utf-8"))}
    named = set(re.findall(r"`([A-Z]\w+)`", GLOSSARY))
    assert named - words == set()


def test_every_word_of_the_domain_has_its_korean() -> None:
    domain = GLOSSARY.partition("## Words of the machine")[0]
    rows = [line.split("|")[1:-1] for line in domain.splitlines() if line.startswith("|") and "---" not in line]
    terms = [row for row in rows if row[0].strip() != "term"]
    assert terms
    assert [row[0] for row in terms if not re.search("[가-힣]", row[1])] == []
    names = [row[0].strip() for row in terms]
    assert len(names) == len(set(names))
