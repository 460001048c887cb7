"""The reader meets anything and answers with problems: never with an error of its own, never with half a policy."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from upheld.errors import Level, PolicyRefused, Problem
from upheld.policy.codes import CODES
from upheld.policy.model import Policy, keys_of, sections
from upheld.policy.read import problems_in, read_policy
from upheld.policy.tree import MAX_DEPTH

GOOD = [path.read_bytes() for path in sorted((Path(__file__).parent / "documents" / "good").glob("*.yaml"))]
WORDS = sorted(
    {*sections()}
    | {key for section in sections().values() for key in keys_of(section.row)}
    | {"every", "all", "clause", "en", "ko", "required", "optional", "later-of", "earlier-of", "P5Y", "P0D", "pipa 35"}
)
SIGNS = [*b"{ } [ ] , : &a *a !!int ' \" # - << ? | >".split(), b"\n", b"\t", b": ", b"- ", b"\n\n  "]


def answer(source: bytes) -> tuple[Problem, ...]:
    """What the reader says, checked for what must hold of every answer."""
    problems = problems_in(source, "fuzzed.yaml")
    breaks = (b"\n", b"\r", *(sign.encode() for sign in "\u0085\u2028\u2029"))
    lines = sum(source.count(sign) for sign in breaks)
    for problem in problems:
        assert problem.code in CODES
        assert 1 <= problem.line <= lines + 2
        assert problem.column >= 1
        assert problem.message
    if any(problem.level is Level.ERROR for problem in problems):
        with pytest.raises(PolicyRefused) as refusal:
            read_policy(source, "fuzzed.yaml")
        assert refusal.value.problems == problems
    else:
        assert isinstance(read_policy(source, "fuzzed.yaml"), Policy)
    return problems


@given(st.binary(max_size=400))
@example(b"\xff\xfeu\x00p\x00")
@example(b"\xef\xbb\xbfupheld: 1\n")
@example(b"upheld: 1\x00")
@example(b"? [a]\n: b\n")
@example(b"%YAML 9.9\n---\nupheld: 1\n")
@example(b"a: " + b"[" * 5_000)
@example(b"a: " + b"{a: " * 5_000)
@example(b"- " * 5_000 + b"a")
@example(b"\n" * 100 + b"\x07")
def test_random_bytes_are_answered_with_problems(source: bytes) -> None:
    assert answer(source)


@given(st.text(max_size=400))
def test_random_text_is_answered_with_problems(text: str) -> None:
    assert answer(text.encode("utf-8", errors="surrogatepass"))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good document after a few slips: bytes lost, doubled, exchanged, words and signs put in, lines moved."""
    source = draw(st.sampled_from(GOOD))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(source)))
        end = min(len(source), start + draw(st.sampled_from([0, 1, 2, 5, 20, 80, 400])))
        slip = draw(st.sampled_from(["lose", "double", "word", "sign", "move", "byte"]))
        match slip:
            case "lose":
                source = source[:start] + source[end:]
            case "double":
                source = source[:end] + source[start:end] + source[end:]
            case "word":
                source = source[:start] + draw(st.sampled_from(WORDS)).encode() + source[end:]
            case "sign":
                source = source[:start] + draw(st.sampled_from(SIGNS)) + source[end:]
            case "move":
                lines = source.split(b"\n")
                line = lines.pop(draw(st.integers(0, len(lines) - 1)))
                lines.insert(draw(st.integers(0, len(lines))), line)
                source = b"\n".join(lines)
            case _:
                source = source[:start] + bytes([draw(st.integers(0, 255))]) + source[end:]
    return source


@settings(max_examples=200)
@given(mutated())
def test_a_document_with_slips_is_read_whole_or_refused_whole(source: bytes) -> None:
    answer(source)


scalars = st.sampled_from([*WORDS, "1", "no", "~", "", "name", "service", "member", "x" * 200, "가", "E-1"])
trees = st.recursive(
    scalars,
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(scalars, inside, max_size=5),
    max_leaves=25,
)


def flow(tree: object) -> str:
    """A tree as YAML in flow style, every text in quotes."""
    match tree:
        case str():
            return "'" + tree.replace("'", "''") + "'"
        case list():
            return "[" + ", ".join(flow(each) for each in tree) + "]"
        case dict():
            return "{" + ", ".join(f"{flow(key)}: {flow(value)}" for key, value in tree.items()) + "}"
        case _:
            raise AssertionError(tree)


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(sorted(sections())), trees, min_size=1, max_size=4))
def test_sections_of_any_shape_are_answered_with_problems(parts: dict[str, object]) -> None:
    smallest = GOOD[-1].decode()
    kept = [block for block in smallest.split("\n") if not any(block.startswith(f"{name}:") for name in parts)]
    source = "\n".join([*kept, *(f"{name}: {flow(tree)}" for name, tree in parts.items()), ""])
    answer(source.encode())


def test_nesting_stops_at_its_limit_and_not_before() -> None:
    at_limit = "[" * (MAX_DEPTH - 1) + "a" + "]" * (MAX_DEPTH - 1)
    assert "nested-too-deep" not in {problem.code for problem in answer(f"retention: {at_limit}\n".encode())}
    assert "nested-too-deep" in {problem.code for problem in answer(f"retention: [{at_limit}]\n".encode())}


def test_an_alias_bomb_is_refused_without_being_expanded() -> None:
    levels = [b"a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]".encode() for n in range(1, 12)]
    codes = {problem.code for problem in answer(b"\n".join(levels))}
    assert {"anchor", "alias"} <= codes
