"""What a notice is made of, before it is HTML or Markdown: sections of paragraphs and tables, each row with anchors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Cell = tuple[str, ...]
"""Lines of one cell; empty where there is nothing to say."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table. `anchors`: its element's path, then the clauses that are printed here first.

    `links`: where each cell leads (`#anchor`, a file beside the notice, or nothing); empty where none leads anywhere.
    """

    anchors: tuple[str, ...]
    cells: tuple[Cell, ...]
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grid:
    """A table under a heading of its own (empty: none)."""

    title: str
    heads: tuple[str, ...]
    lines: tuple[Line, ...]
    note: str = ""
    bare: bool = False
    """Two columns, the first the name of the second: printed as a list of pairs."""
    anchors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Para:
    """A sentence or a few; a list of them where `bullet`."""

    anchors: tuple[str, ...]
    text: str
    bullet: bool = False


Block = Grid | Para


@dataclass(frozen=True, slots=True)
class Section:
    """A numbered chapter."""

    code: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One field of the summary on top; leads to a chapter."""

    section: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Beside:
    """A file beside the notice: the same text in another form or language. `href` is its name; `media` its type."""

    text: str
    href: str
    media: str
    language: str


@dataclass(frozen=True, slots=True)
class Folder:
    """Where a notice lies: the files beside it, and those with the other versions, by the day they came into force."""

    beside: tuple[Beside, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """The whole notice."""

    language: str
    title: str
    facts: tuple[tuple[str, str], ...]
    intro: tuple[Para, ...]
    summary: str
    contents: str
    cards: tuple[Card, ...]
    sections: tuple[Section, ...]
    links: tuple[Beside, ...] = ()
