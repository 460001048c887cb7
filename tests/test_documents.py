"""Documents good and bad. A bad one stands beside what the reader says about it; `make accept` rewrites that.

The name of a bad document is the code it is about, and that code must be among its problems.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from upheld.errors import Level, PolicyRefused
from upheld.policy.codes import CODES
from upheld.policy.manual import manual
from upheld.policy.model import Key, Rows, keys_of, sections
from upheld.policy.read import problems_in, read_policy
from upheld.policy.schema import policy_schema
from upheld.policy.tree import MAX_BYTES, Listing, Node, Scalar, Table, tree_of

HOUSE = Path(__file__).parent.parent
DOCUMENTS = HOUSE / "tests" / "documents"
GOOD = sorted((DOCUMENTS / "good").glob("*.yaml"))
BAD = sorted((DOCUMENTS / "bad").glob("*.yaml"))
POLICIES = sorted(path for path in (HOUSE / "policies").glob("*.yaml") if len(path.suffixes) == 1)
ACCEPT = os.environ.get("UPHELD_ACCEPT") == "1"
WITHOUT_FILE = {"document-too-large", "too-many-problems", "not-utf-8"}
"""Codes whose bad document is made here: it would be too large, or no text that other tools can read."""


def told(path: Path) -> str:
    """The problems of a document as they stand beside it: level, place, code, text, remedy."""
    problems = problems_in(path.read_bytes(), path.name)
    return "".join(
        f"{problem.level} {problem.line}:{problem.column} {problem.code}\n  {problem.message}\n  {problem.remedy}\n"
        for problem in problems
    )


def compare(path: Path, text: str) -> None:
    """Text against a kept file; `make accept` keeps the new text instead."""
    if ACCEPT:
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_document_is_told_what_to_mend(path: Path) -> None:
    compare(path.with_suffix(".txt"), told(path))


@pytest.mark.parametrize("path", [path for path in BAD if path.stem in CODES], ids=lambda path: path.stem)
def test_a_bad_document_has_the_problem_that_it_is_named_for(path: Path) -> None:
    assert path.stem in {problem.code for problem in problems_in(path.read_bytes(), path.name)}


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_document_with_an_error_is_refused_whole(path: Path) -> None:
    problems = problems_in(path.read_bytes(), path.name)
    assert problems
    if any(problem.level is Level.ERROR for problem in problems):
        with pytest.raises(PolicyRefused) as refusal:
            read_policy(path.read_bytes(), path.name)
        assert refusal.value.problems == problems
    else:
        assert read_policy(path.read_bytes(), path.name).file == path.name


def test_every_code_has_a_bad_document() -> None:
    assert set(CODES) - WITHOUT_FILE - {path.stem for path in BAD} == set()


def test_every_problem_has_a_known_code_a_place_and_a_remedy() -> None:
    for path in BAD:
        for problem in problems_in(path.read_bytes(), path.name):
            assert problem.code in CODES
            assert min(problem.line, problem.column) >= 1
            assert all([problem.message, problem.remedy]), (path.name, problem)


def test_a_file_beyond_five_megabytes_is_refused_unread() -> None:
    (problem,) = problems_in(b"#" * (MAX_BYTES + 1), "huge.yaml")
    assert problem.code == "document-too-large"


def test_a_file_of_countless_small_parts_is_refused() -> None:
    problems = problems_in(b"upheld: [" + b"a, " * 300_000 + b"a]", "parts.yaml")
    assert [problem.code for problem in problems] == ["document-too-large"]


def test_a_file_in_another_encoding_is_refused_at_the_first_strange_byte() -> None:
    source = (DOCUMENTS / "good" / "smallest.yaml").read_text(encoding="utf-8")
    (problem,) = problems_in(source.encode("euc-kr"), "korean.yaml")
    line = source.split("\n")[problem.line - 1]
    assert problem.code == "not-utf-8"
    assert "가" <= line[problem.column - 1] <= "힣"


def test_a_flood_of_problems_is_cut_off_and_said_to_be() -> None:
    problems = problems_in(b"upheld: 1\n" + b"".join(b"k%d: 1\n" % number for number in range(5000)), "flood.yaml")
    assert problems[-1].code == "too-many-problems"
    assert len(problems) == 1001


def test_rows_that_multiply_an_every_without_bound_are_refused() -> None:
    every = ", ".join(f"i{number}" for number in range(2000))
    rows = "".join(f"  r{number}: {{}}\n" for number in range(2000))
    problems = problems_in(f"statutes:\n  every: {{items: [{every}]}}\n{rows}".encode(), "product.yaml")
    assert problems[-1].code == "document-too-large"


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_document_has_no_error(path: Path) -> None:
    assert [p for p in problems_in(path.read_bytes(), path.name) if p.level is Level.ERROR] == []


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_the_policies_of_the_house_have_no_error(path: Path) -> None:
    assert [str(p) for p in problems_in(path.read_bytes(), path.name) if p.level is Level.ERROR] == []


# ------------------------------------------------------------------------------------------- no slip goes unnoticed

TEXTS = {"en", "ko", "reading", "blocked", "clause", "site", "phone", "policy", "contact", "evidence"}
"""Keys whose values, or the keys inside them, are free."""


def signs(node: Node, path: tuple[str, ...] = ()) -> Iterator[tuple[Scalar, tuple[str, ...], bool]]:
    """Each text of a document with where it stands, and whether it is a key."""
    match node:
        case Scalar():
            yield node, path, False
        case Listing(entries):
            for entry in entries:
                yield from signs(entry, path)
        case Table(entries):
            for key, value in entries:
                yield key, (*path, key.text), True
                yield from signs(value, (*path, key.text))


def is_free(text: Scalar, path: tuple[str, ...], is_key: bool) -> bool:
    """Texts, and the names of rows that are no words: these may be called anything."""
    section = sections().get(path[0])
    if section is None or not is_key:
        return bool(TEXTS & {*path}) or path[0] == "parties" or path[-1] == "their-use"
    depth = 2 + bool(section.parts)
    is_row = len(path) == depth and text.text not in {"every", *section.parts}
    is_use = len(path) == depth + 2 and path[depth] == "uses"
    return "clause" in path or is_use or (is_row and not section.word and section.fixed is None)


@pytest.mark.slow
def test_a_slip_in_any_key_name_or_word_is_an_error() -> None:
    source = (DOCUMENTS / "good" / "everything.yaml").read_text(encoding="utf-8")
    root, _ = tree_of(source.encode(), "slip.yaml")
    assert root is not None
    lines = source.split("\n")
    tried, unnoticed = 0, []
    for text, path, is_key in signs(root):
        line, end = lines[text.line - 1], text.column - 1 + len(text.text)
        if is_free(text, path, is_key) or line[text.column - 1 : end] != text.text:
            continue
        slipped = [*lines[: text.line - 1], f"{line[:end]}zz{line[end:]}", *lines[text.line :]]
        problems = problems_in("\n".join(slipped).encode(), "slip.yaml")
        tried += 1
        if not any(problem.level is Level.ERROR for problem in problems):
            unnoticed.append((path, text.text))
    assert unnoticed == []
    assert tried > 700


# -------------------------------------------------------------------------------------- the language is shown whole


def keys_written(node: Node) -> set[str]:
    """Every key of a document."""
    match node:
        case Scalar():
            return set()
        case Listing(entries):
            return set().union(*(keys_written(entry) for entry in entries))
        case Table(entries):
            return {key.text for key, _ in entries} | set().union(*(keys_written(value) for _, value in entries))


def test_the_document_called_everything_uses_every_key_of_the_language() -> None:
    path = DOCUMENTS / "good" / "everything.yaml"
    root, _ = tree_of(path.read_bytes(), path.name)
    assert root is not None
    for name, section in sections().items():
        part = root.get(name)
        assert part is not None, name
        own = set(keys_of(section.row)) - {"law", "reading", "blocked", "seen"}
        assert own - keys_written(part) == set(), name


def test_the_manual_is_what_the_model_prints() -> None:
    smallest = (DOCUMENTS / "good" / "smallest.yaml").read_text(encoding="utf-8")
    compare(HOUSE / "docs" / "policy.md", manual(smallest))


def test_the_manual_names_every_key_and_every_code() -> None:
    page = (HOUSE / "docs" / "policy.md").read_text(encoding="utf-8")
    for section in sections().values():
        for name in keys_of(section.row):
            assert f"`{name}`" in page
    assert all(f"`{code}`" in page for code in CODES)


# ----------------------------------------------------------------------------------------------- the schema of editors


def fits(value: object, schema: dict[str, object], whole: dict[str, object]) -> bool:
    """Whether a value fits the part of JSON Schema that `policy_schema` uses."""
    import re

    if "$ref" in schema:
        defs = whole["$defs"]
        assert isinstance(defs, dict)
        target = defs[str(schema["$ref"]).removeprefix("#/$defs/")]
        return fits(value, target, whole)
    if "anyOf" in schema:
        choices = schema["anyOf"]
        assert isinstance(choices, list)
        return any(fits(value, choice, whole) for choice in choices)
    if "enum" in schema:
        words = schema["enum"]
        assert isinstance(words, list)
        return value in words
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if isinstance(value, str):
        is_number = value.isdigit() and "integer" in kinds
        return is_number or ("string" in kinds and re.search(str(schema.get("pattern", "")), value) is not None)
    if isinstance(value, list):
        items = schema.get("items")
        return "array" in kinds and isinstance(items, dict) and all(fits(each, items, whole) for each in value)
    assert isinstance(value, dict)
    return "object" in kinds and all(fits_key(key, each, schema, whole) for key, each in value.items())


def fits_key(key: str, value: object, schema: dict[str, object], whole: dict[str, object]) -> bool:
    import re

    properties, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    assert isinstance(properties, dict)
    assert isinstance(patterns, dict)
    found = [properties[key]] if key in properties else []
    found += [each for pattern, each in patterns.items() if re.search(pattern, key)]
    others = schema.get("additionalProperties", True)
    if not found and isinstance(others, dict):
        return fits(value, others, whole)
    return bool(found or others) and all(fits(value, each, whole) for each in found)


def plain(node: Node) -> object:
    """A tree as JSON would hold it."""
    match node:
        case Scalar(text):
            return text
        case Listing(entries):
            return [plain(entry) for entry in entries]
        case Table(entries):
            return {key.text: plain(value) for key, value in entries}


@pytest.mark.parametrize("path", [*GOOD, *POLICIES], ids=lambda path: path.stem)
def test_the_schema_accepts_every_document_that_the_reader_accepts(path: Path) -> None:
    root, _ = tree_of(path.read_bytes(), path.name)
    assert root is not None
    schema = json.loads(json.dumps(policy_schema()))
    value = plain(root)
    assert isinstance(value, dict)
    for key, part in value.items():  # key by key, so that a failure names its section
        assert fits({key: part}, schema, schema), key


@pytest.mark.parametrize("code", ["key-unknown", "word-unknown", "row-unknown", "period-without-start", "shape-wrong"])
def test_the_schema_refuses_what_an_editor_can_know_to_be_wrong(code: str) -> None:
    path = DOCUMENTS / "bad" / f"{code}.yaml"
    root, _ = tree_of(path.read_bytes(), path.name)
    assert root is not None
    schema = json.loads(json.dumps(policy_schema()))
    assert not fits(plain(root), schema, schema)


def test_the_schema_has_a_korean_title_and_a_meaning_for_every_key() -> None:
    for section in sections().values():
        assert any("가" <= sign <= "힣" for sign in section.ko)
        for name, spec in keys_of(section.row).items():
            assert isinstance(spec, Key | Rows)
            assert any("가" <= sign <= "힣" for sign in spec.ko), name
            assert spec.means, name
