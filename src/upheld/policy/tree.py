"""Bytes to a tree that keeps its places. Every scalar stays text; what YAML could hide is refused.

Built from the event stream of libyaml, not from its nodes: nodes no longer show anchors and tags, and resolve aliases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from upheld.errors import Problem

MAX_BYTES = 5_000_000
MAX_DEPTH = 24
MAX_NODES = 250_000
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text. `plain` when it was written without quotes."""

    text: str
    line: int
    column: int
    plain: bool = True


@dataclass(frozen=True, slots=True)
class Listing:
    """A list, in the order of the file."""

    entries: tuple[Node, ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Table:
    """Keys and their values in the order of the file, each key once."""

    entries: tuple[tuple[Scalar, Node], ...]
    line: int
    column: int

    def get(self, name: str) -> Node | None:
        """The value under `name`."""
        return next((node for key, node in self.entries if key.text == name), None)


Node = Scalar | Listing | Table


@dataclass(slots=True)
class _Open:
    """A list or table whose end has not been read."""

    line: int
    column: int
    is_table: bool
    in_flow: bool
    nodes: list[Node]


class _Stop(Exception):
    """The text cannot be read any further."""


class _Builder:
    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.stack: list[_Open] = []
        self.root: Node | None = None
        self.documents = 0
        self.nodes = 0

    def problem(self, code: str, line: int, column: int, message: str, remedy: str) -> None:
        self.problems.append(Problem(code, self.file, line, column, message, remedy))

    def build(self, text: str) -> None:
        for event in yaml.parse(text, Loader=LOADER):
            line, column = _place(event.start_mark)
            self.nodes += 1
            if self.nodes > MAX_NODES:
                self.problem("document-too-large", line, column, "the document has too many parts", "Split the policy")
                raise _Stop
            self.take(event, line, column)

    def take(self, event: yaml.Event, line: int, column: int) -> None:
        match event:
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    message = "a second document starts here"
                    self.problem("several-documents", line, column, message, "Keep one policy in one file")
                    raise _Stop
            case yaml.AliasEvent():
                message = f"`*{event.anchor}` repeats another part of the text"
                self.problem("alias", line, column, message, "Write it out, or declare a name and use the name")
                self.add(Scalar("", line, column, plain=False))
            case yaml.ScalarEvent():
                self.doubt(event, line, column)
                self.add(Scalar(event.value, line, column, not event.style))
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self.doubt(event, line, column)
                if len(self.stack) >= MAX_DEPTH:
                    message = f"nested deeper than {MAX_DEPTH} levels"
                    self.problem("nested-too-deep", line, column, message, "No part of a policy needs that; flatten it")
                    raise _Stop
                is_table = isinstance(event, yaml.MappingStartEvent)
                self.stack.append(_Open(line, column, is_table, bool(event.flow_style), []))
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self.close(self.stack.pop())
            case _:
                pass

    def doubt(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, line: int, column: int) -> None:
        if event.anchor:
            message = f"`&{event.anchor}` is an anchor"
            self.problem("anchor", line, column, message, "Declare what is used twice as a named element instead")
        if event.tag:
            message = f"`{event.tag.replace('tag:yaml.org,2002:', '!!')}` is a tag"
            self.problem("tag", line, column, message, "Leave it out; the schema knows the type of every key")

    def add(self, node: Node) -> None:
        if self.stack:
            self.stack[-1].nodes.append(node)
        else:
            self.root = node

    def close(self, part: _Open) -> None:
        if not part.is_table:
            self.add(Listing(tuple(part.nodes), part.line, part.column))
            return
        seen: dict[str, Scalar] = {}
        entries: list[tuple[Scalar, Node]] = []
        for key, node in zip(part.nodes[::2], part.nodes[1::2], strict=True):
            if self.accept(key, node, seen, in_flow=part.in_flow):
                assert isinstance(key, Scalar)
                seen[key.text] = key
                entries.append((key, node))
        self.add(Table(tuple(entries), part.line, part.column))

    def accept(self, key: Node, node: Node, seen: dict[str, Scalar], *, in_flow: bool) -> bool:
        if not isinstance(key, Scalar):
            self.problem("key-not-text", key.line, key.column, "a key must be a word", "Write `name: value`")
            return False
        if key.text == "<<" and key.plain:
            self.problem("merge-key", key.line, key.column, "`<<` merges tables", "Use `every` for what rows share")
            return False
        if key.text in seen:
            message = f"`{key.text}` stands here twice, first on line {seen[key.text].line}"
            self.problem("duplicate-key", key.line, key.column, message, "Keep one of the two")
            return False
        if isinstance(node, Scalar) and node.plain and not node.text:
            if in_flow:
                remedy = "Put the text in quotes: in {...} a comma ends a text"
                self.problem("flow-comma", key.line, key.column, f"`{key.text}` has no value", remedy)
            else:
                message = f"`{key.text}` has no value"
                self.problem("value-missing", key.line, key.column, message, "Write one, or leave the key out")
            return False
        return True


def tree_of(source: bytes, file: str) -> tuple[Table | None, tuple[Problem, ...]]:
    """The document as a tree, and what is wrong with it as YAML. None when it cannot be read at all."""
    if len(source) > MAX_BYTES:
        message = f"{len(source)} bytes are more than {MAX_BYTES}"
        return None, (Problem("document-too-large", file, 1, 1, message, "A policy of people's length is far smaller"),)
    try:
        text = source.decode("utf-8")
    except UnicodeDecodeError as error:
        before = source[: error.start].decode("utf-8", errors="replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"the byte {source[error.start]:#04x} is not UTF-8{_coding(source)}"
        return None, (Problem("not-utf-8", file, line, column, message, "Save the file as UTF-8"),)
    builder = _Builder(file)
    try:
        builder.build(text)
    except _Stop:
        return None, tuple(builder.problems)
    except yaml.YAMLError as error:
        return None, (*builder.problems, _syntax(error, file, text))
    if isinstance(builder.root, Table):
        return builder.root, tuple(builder.problems)
    message = "the document is not a table of keys" if builder.root else "the document is empty"
    return None, (*builder.problems, Problem("not-a-policy", file, 1, 1, message, "Begin with `upheld: 1`"))


def _coding(source: bytes) -> str:
    """What the bytes look like instead."""
    if source[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "; the file is UTF-16, which some editors call Unicode"
    try:
        return f"; it may be {_OLD_KOREAN}" if re.search("[가-힣]", source.decode(_OLD_KOREAN)) else ""
    except UnicodeDecodeError:
        return ""


_OLD_KOREAN: Final = "cp949"
"""The coding in which older Korean programs save by default; it holds EUC-KR."""


def _place(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


QUOTES: Final = "texts with `: `, `#` or a comma inside {...} need quotes"
IN_PLAIN_WORDS: Final[tuple[tuple[str, str, str], ...]] = (
    ("unexpected end of stream", "a quote is opened here and never closed", "Close it"),
    (
        "cannot start any token",
        "a tab or a sign such as @ or % stands where a key or text begins",
        "Use spaces, or quotes",
    ),
    (
        "did not find expected key",
        "this line begins further left or right than those beside it",
        f"Line it up; {QUOTES}",
    ),
    (
        "did not find expected ',' or",
        "the {...} or [...] that begins here cannot be read to its end",
        f"Close it; {QUOTES}",
    ),
    (
        "mapping values are not allowed",
        "a second `: ` in one line, or a line that is indented too far",
        "Put the text in quotes, or begin the line further left",
    ),
    ("found a tab", "a tab stands where only spaces may", "Use spaces"),
    ("could not find expected ':'", "a key without its `: `", "Write `key: value`"),
)
"""What libyaml says, what it mostly means, and what to do."""


_LOOK_ALIKES: Final = {"：": ("a wide colon `：`", "Write `: `, a colon and a space"),
                       "\u00a0": ("a space that never breaks", "Write an ordinary space")}  # fmt: skip


def _alike(text: str, line: int) -> tuple[int, int, str, str] | None:
    """A sign that looks like another, at a place where YAML could not go on, or in the line before it."""
    lines = text.splitlines()
    for number in (line, line - 1):
        here = lines[number - 1] if 0 < number <= len(lines) else ""
        key = re.match(r"[\s{,-]*[A-Za-z0-9-]*\s*(：)|[^#\"']*?:?(\u00a0)", here)
        found = next((at for at in (1, 2) if key and key[at]), 0)
        if key and found:
            named, remedy = _LOOK_ALIKES[key[found]]
            return number, key.start(found) + 1, f"{named} stands here", remedy
    return None


def _syntax(error: yaml.YAMLError, file: str, text: str) -> Problem:
    if isinstance(error, yaml.reader.ReaderError) or "control characters" in str(error):
        bad = re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]", text)
        before = text[: bad.start()] if bad else ""
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = "a control character stands here, which no editor shows"
        return Problem("yaml-unreadable", file, line, column, message, "Take it out; write the line anew if need be")
    said = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "this is not YAML")
    begun = (
        getattr(error, "context_mark", None) if "never" in said or "end of stream" in said or "','" in said else None
    )
    line, column = _place(begun or getattr(error, "problem_mark", None))
    alike = _alike(text, line)
    if alike:
        return Problem("yaml-unreadable", file, *alike)
    if text.splitlines()[line - 1 : line] and text.splitlines()[line - 1][column - 1 : column] == "\t":
        return Problem("yaml-unreadable", file, line, column, "a tab stands where only spaces may", "Use spaces")
    for words, message, remedy in IN_PLAIN_WORDS:
        if words in said:
            return Problem("yaml-unreadable", file, line, column, message, remedy)
    return Problem("yaml-unreadable", file, line, column, said, f"Mend the line; {QUOTES}")


def words_in(node: Node) -> Iterator[Scalar]:
    """Each text of a part, the keys of its tables too."""
    match node:
        case Scalar():
            yield node
        case Listing():
            for entry in node.entries:
                yield from words_in(entry)
        case Table():
            for key, value in node.entries:
                yield key
                yield from words_in(value)
