"""A document becomes a `Policy`: tree, `every`, typed rows, what silence means, checks. Refused whole or read whole.

All problems come in one pass, so a part that cannot be typed leaves a hole (None) and reading goes on; the holes never
leave this module, since `read_policy` raises when there is any error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from upheld.dates import Period
from upheld.errors import Level, PolicyRefused, Problem
from upheld.policy.check import findings
from upheld.policy.ends import NAME
from upheld.policy.model import (
    HEAD,
    HEAD_ROWS,
    Key,
    Policy,
    Purpose,
    Row,
    Rows,
    Section,
    keys_of,
    sections,
)
from upheld.policy.shapes import (
    LOCALE_CLASHES,
    MAX_PROBLEMS,
    Enough,
    Page,
    Reference,
    attribute,
    missing_locales,
    nearest,
    scalars,
)
from upheld.policy.silence import with_silence
from upheld.policy.tree import Listing, Node, Scalar, Table, tree_of

GENERAL = ("law", "reading", "blocked", "seen")
LANGUAGE_OF: Final = {"kr": "ko", "jp": "ja", "cn": "zh", "us": "en", "gb": "en", "uk": "en"}
"""Codes of countries that people write where a language is meant."""


def read_policy(source: bytes, name: str) -> Policy:
    """The document as a typed policy; `name` is the file that problems name. Raises PolicyRefused with all of them."""
    policy, problems = _read(source, name)
    if policy is None or any(problem.level is Level.ERROR for problem in problems):
        raise PolicyRefused(problems)
    return policy


def problems_in(source: bytes, name: str) -> tuple[Problem, ...]:
    """Everything to mend or to look at in a document, in the order of the file. Never raises."""
    return _read(source, name)[1]


def _read(source: bytes, name: str) -> tuple[Policy | None, tuple[Problem, ...]]:
    root, unreadable = tree_of(source, name)
    if root is None:
        return None, unreadable
    page = Page(name, problems=list(unreadable))
    try:
        policy = _Reading(page, root).policy()
    except Enough as enough:
        return None, (*_in_order(page.problems), enough.problem)
    return policy, _in_order((*page.problems, *islice(findings(policy), MAX_PROBLEMS)))


def _in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Each problem once (a fault in an `every` would be told for each row below it), by place."""
    first = {
        (problem.line, problem.column, problem.code, problem.message): problem for problem in reversed([*problems])
    }
    return tuple(sorted(first.values(), key=lambda problem: (problem.line, problem.column, problem.code)))


@dataclass(slots=True)
class _Every:
    """One `every`: its keys, its clauses by key, and whether some element took them up."""

    at: Node
    own: Mapping[str, tuple[Scalar, Node]]
    clauses: Mapping[str, tuple[str, ...]]
    cited: set[str] = field(default_factory=set)
    rows: int = 0


class _Reading:
    """One pass through one document."""

    def __init__(self, page: Page, root: Table) -> None:
        self.page = page
        self.root = root
        self.sections: dict[str, dict[str, Any]] = {}
        self.empty: dict[str, Row] = {}

    # ------------------------------------------------------------------------------------------------------- the whole

    def policy(self) -> Policy:
        known = (*HEAD, *HEAD_ROWS, *sections())
        for key, node in self.root.entries:
            if key.text not in known:
                message = f"`{key.text}` is no section of a policy"
                self.page.problem("key-unknown", key, message, nearest(key.text, known))
                self.page.doubt(node)
        head = {attribute(name): self.head(name, spec) for name, spec in HEAD.items()}
        self.page.locales = head["locales"] or self.guessed_locales()
        self.page.groups = self.groups()
        self.page.soft_words = self.soft_words()
        top = {name: self.head_row(name, kind, said) for name, (kind, _, said) in HEAD_ROWS.items()}
        for name, section in sections().items():
            self.sections[attribute(name)] = self.section(name, section)
        said: dict[str, Any] = {name: value for name, value in head.items() if value is not None} | top | self.sections
        references = tuple(dict.fromkeys([*self.page.references, *self.doubtful()]))
        policy = Policy(
            file=self.page.file,
            **said,
            item_groups=self.page.groups,
            empty_sections=self.empty,
            references=references,
            head_places={key.text: (key.line, key.column) for key, _ in self.root.entries},
        )
        return with_silence(policy)

    def guessed_locales(self) -> tuple[str, ...]:
        """The languages of the controller's name, where `locales` cannot be read: one problem instead of hundreds."""
        node = self.root.get("controller")
        keys = [key.text for key, _ in node.entries] if isinstance(node, Table) else []
        return tuple(key for key in keys if len(key) == 2 and key not in LOCALE_CLASHES)

    def doubtful(self) -> Iterator[Reference]:
        """Uses of declared words in parts that could not be read."""
        for kind, section in sections().items():
            rows = self.sections[attribute(kind)] if section.word else {}
            for name in sorted(self.page.doubtful & {*rows, *(self.page.groups if kind == "items" else ())}):
                yield Reference("", "", kind, name, 1, 1)

    def head(self, name: str, spec: Key) -> Any:
        self.page.path, self.page.key = name, name
        node = self.root.get(name)
        if node is not None:
            return spec.shape.read(node, self.page)
        if spec.needed:
            self.page.problem("head-missing", self.root, f"the policy has no `{name}`", f"Add `{name}`: {spec.means}")
        return None

    def head_row(self, name: str, kind: type[Row], said: str) -> Any:
        node = self.root.get(name)
        if isinstance(node, Table):
            return self.row(Scalar(name, node.line, node.column), node, kind, name, (), named=name == "controller")
        if node is None:
            self.page.problem("head-missing", self.root, f"the policy has no `{name}`", f"Add `{name}`: {said}")
        else:
            self.page.problem("shape-wrong", node, f"`{name}` must be a table", "Write {clause: ..., ...}")
        return kind(path=name, name=name, line=1, column=1, builtin=True)

    def groups(self) -> dict[str, tuple[str, ...]]:
        """Groups of items, flat. A group inside itself is told once and left out."""
        table = self.root.get("items")
        lists = {
            key.text: node
            for key, node in (table.entries if isinstance(table, Table) else ())
            if isinstance(node, Listing)
        }
        flat: dict[str, tuple[str, ...]] = {}
        for name in lists:
            flat[name] = tuple(dict.fromkeys(self.members(name, lists, ())))
        return flat

    def members(self, name: str, lists: Mapping[str, Listing], above: tuple[str, ...]) -> Iterator[str]:
        self.page.path, self.page.key = f"items.{name}", "items"
        for each in scalars(lists[name], self.page, "a list of items") or ():
            if each.text in (*above, name):
                self.page.problem("group-in-itself", each, f"`{each.text}` contains itself", "Take it out of the group")
            elif each.text in lists:
                if not above:
                    self.page.refer("items", each)
                yield from self.members(each.text, lists, (*above, name))
                self.page.path, self.page.key = f"items.{name}", "items"
            else:
                yield self.page.refer("items", each) if not above else each.text

    def soft_words(self) -> dict[str, Period]:
        """The numbers of soft words, needed before any deadline is read; what is wrong with them is told later."""
        table = self.root.get("soft-words")
        found: dict[str, Period] = {}
        for key, node in table.entries if isinstance(table, Table) else ():
            means = node.get("means") if isinstance(node, Table) else None
            try:
                found[key.text] = Period.parse(means.text if isinstance(means, Scalar) else "")
            except ValueError:
                continue  # the row itself is read below and told about there
        return found

    # ----------------------------------------------------------------------------------------------------- one section

    def section(self, name: str, section: Section) -> dict[str, Any]:
        node = self.root.get(name)
        if node is None:
            return {}
        if section.listed:
            return self.list_of_rows(name, section, node)
        if not isinstance(node, Table):
            self.page.problem("shape-wrong", node, f"`{name}` must be a table", "Write `name: {...}` below it")
            return {}
        above = self.every(node, section.row, ())
        if not section.parts:
            return self.rows(node, name, section, above)
        return self.parts(node, name, section, above)

    def parts(self, node: Table, name: str, section: Section, above: tuple[_Every, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, part in node.entries:
            if key.text == "every":
                continue
            if key.text not in section.parts:
                message = f"`{key.text}` is no table in `{name}`"
                self.page.problem("key-unknown", key, message, f"Put it under one of {', '.join(section.parts)}")
            if not isinstance(part, Table):
                self.page.problem("shape-wrong", part, f"`{key.text}` must be a table", "Write `name: {...}` below it")
                continue
            rows = self.rows(part, f"{name}.{key.text}", section, self.every(part, section.row, above))
            for row in rows.values() if key.text in section.parts else ():
                if row.name in found:
                    message = f"`{row.name}` stands in two tables of `{name}`"
                    self.page.problem("name-taken", Scalar("", row.line, row.column), message, "Rename one of the two")
                found.setdefault(row.name, row)
        self.close(above, name)
        return found

    def rows(self, node: Table, path: str, section: Section, above: tuple[_Every, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.entries:
            if key.text == "every":
                continue
            if section.row is sections()["items"].row and isinstance(value, Listing):
                continue
            row = self.row(key, value, section.row, f"{path}.{key.text}", above, section=section)
            if self.may_be_called(key, path, section.fixed):
                found[key.text] = row
                if section.row_is and section.row_unless not in row.places:
                    self.page.path, self.page.key = row.path, section.row_is
                    self.page.refer(section.row_is, key)
        self.close(above[-1:] if node.get("every") is not None else (), path)
        return found

    def may_be_called(self, key: Scalar, path: str, fixed: Mapping[str, frozenset[str]] | None) -> bool:
        if fixed is not None:
            if key.text not in fixed:
                self.page.problem("row-unknown", key, f"`{key.text}` is no row of `{path}`", nearest(key.text, fixed))
            return key.text in fixed
        if not _is_name(key.text):
            remedy = "Use small letters, digits and single hyphens, a letter first"
            self.page.problem("name-unreadable", key, f"`{key.text}` is no name for an element", remedy)
            return False
        return True

    def list_of_rows(self, name: str, section: Section, node: Node) -> dict[str, Any]:
        if not isinstance(node, Listing):
            self.page.problem(
                "shape-wrong", node, f"`{name}` must be a list", "Begin each entry with `- {clause: ...}`"
            )
            return {}
        found: dict[str, Any] = {}
        for entry in node.entries:
            first = next(iter(_ids(entry)), f"at-line-{entry.line}")
            code = first if first not in found else f"{first}#{sum(1 for one in found if one.startswith(first)) + 1}"
            key = Scalar(code, entry.line, entry.column)
            found[code] = self.row(key, entry, section.row, f"{name}.{code}", (), section=section)
        return found

    # ------------------------------------------------------------------------------------------------------- `every`

    def every(self, table: Table, kind: type[Row], above: tuple[_Every, ...]) -> tuple[_Every, ...]:
        """The `every`s that hold in a table, the outermost first."""
        node = table.get("every")
        if node is None:
            return above
        if not isinstance(node, Table):
            self.page.problem("shape-wrong", node, "`every` must be a table of keys", "Write `every: {clause: ...}`")
            return above
        self.page.path, self.page.key = "every", "clause"
        own = {key.text: (key, value) for key, value in node.entries if key.text != "clause"}
        for key, value in own.values():
            self.is_known(key, value, kind, None)
        return (*above, _Every(node, own, self.clauses(node.get("clause"))))

    def close(self, everys: tuple[_Every, ...], path: str) -> None:
        """An `every` without rows is an element by itself; a clause of one with rows must have been taken up."""
        for every in everys[-1:]:
            if every.rows == 0:
                place = Scalar("every", every.at.line, every.at.column)
                self.empty[path] = self.row(place, Table((), *_place(every.at)), Row, f"{path}.every", everys)
            for key in every.clauses:
                if key not in every.cited:
                    message = f"the clause of `{key}` is carried by no element below `every`"
                    self.page.problem(
                        "clause-uncarried", every.at, message, f"Set `{key}` in an element, or move the clause"
                    )

    # ------------------------------------------------------------------------------------------------------- one row

    def row(
        self,
        name: Scalar,
        node: Node,
        kind: type[Row],
        path: str,
        above: tuple[_Every, ...],
        *,
        section: Section | None = None,
        named: bool = False,
    ) -> Any:
        table = self.as_table(node, path)
        own = {key.text: (key, value) for key, value in table.entries if key.text != "clause"}
        fixed = (section.fixed or {}).get(name.text) if section else None
        for key, value in own.values():
            self.is_known(key, value, kind, fixed or None)
        merged = {key: pair for every in above for key, pair in every.own.items()} | own
        self.page.path, self.page.key = path, "clause"
        clauses = self.carried(self.clauses(table.get("clause")), own, merged, above, table)
        values: dict[str, Any] = {}
        for written, spec in keys_of(kind).items():
            if written in merged:
                self.page.path, self.page.key = path, written
                value = self.value(spec, merged[written][1], path)
                if value is not None:
                    values[attribute(written)] = value
        self.page.path, self.page.key = path, ""
        texts = self.texts(merged)
        if texts or named or (section and section.named):
            missing_locales(texts, name, self.page)
        if kind is Purpose:
            values["required"] = ".required." in path
        return kind(
            path=path,
            name=name.text,
            line=name.line,
            column=name.column,
            clauses=clauses,
            texts=texts,
            places={key: (pair[0].line, pair[0].column) for key, pair in merged.items()},
            **values,
        )

    def texts(self, merged: Mapping[str, tuple[Scalar, Node]]) -> dict[str, str]:
        found: dict[str, str] = {}
        for locale in self.page.locales:
            node = merged[locale][1] if locale in merged else None
            if isinstance(node, Scalar):
                found[locale] = node.text
            elif node is not None:
                self.page.problem("shape-wrong", node, f"`{locale}` must be a text", "Write the text itself")
        return found

    def as_table(self, node: Node, path: str) -> Table:
        """A plain text is the element's name in every language."""
        if isinstance(node, Table):
            return node
        if isinstance(node, Scalar):
            pairs = tuple((Scalar(one, node.line, node.column), node) for one in self.page.locales)
            return Table(pairs, node.line, node.column)
        self.page.problem("shape-wrong", node, f"`{path}` must be a table of keys", "Write {clause: ..., ...}")
        return Table((), node.line, node.column)

    def is_known(self, key: Scalar, value: Node, kind: type[Row], fixed: frozenset[str] | None) -> None:
        known = {*keys_of(kind)} if fixed is None else {*fixed, *GENERAL}
        if key.text in known or key.text in self.page.locales:
            return
        self.page.doubt(value)
        if key.text in keys_of(kind):
            self.page.problem("key-elsewhere", key, f"`{key.text}` does nothing in this row", nearest(key.text, known))
        elif len(key.text) == 2:
            meant = LANGUAGE_OF.get(key.text)
            remedy = f"Write `{meant}`" if meant in self.page.locales else "Add the language to `locales`"
            remedy += ", or correct the key"
            self.page.problem("locale-undeclared", key, f"`{key.text}` is no key and no language here", remedy)
        else:
            self.page.problem("key-unknown", key, f"`{key.text}` is no key here", nearest(key.text, {*known, "clause"}))

    def value(self, spec: Key | Rows, node: Node, path: str) -> Any:
        if isinstance(spec, Key):
            return spec.shape.read(node, self.page)
        if not isinstance(node, Table):
            self.page.problem("shape-wrong", node, f"`{self.page.key}` must be a table", "Write `name: {...}` below it")
            return None
        inside = f"{path}.{self.page.key}"
        found: dict[str, Any] = {}
        for key, value in node.entries:
            row = self.row(key, value, spec.row, f"{inside}.{key.text}", (), named=spec.named)
            if self.may_be_called(key, inside, spec.fixed):
                found[key.text] = row
        return found

    # --------------------------------------------------------------------------------------------------------- clauses

    def clauses(self, node: Node | None) -> dict[str, tuple[str, ...]]:
        """The margin: key to ids, `all` for the element as such."""
        if node is None:
            return {}
        if not isinstance(node, Table):
            return {"all": self.ids(node)}
        return {key.text: self.ids(value) for key, value in node.entries}

    def ids(self, node: Node) -> tuple[str, ...]:
        self.page.key = "clause"
        return tuple(dict.fromkeys(each.text for each in scalars(node, self.page, "ids of clauses") or ()))

    def carried(
        self,
        written: Mapping[str, tuple[str, ...]],
        own: Mapping[str, object],
        merged: Mapping[str, object],
        above: tuple[_Every, ...],
        at: Table,
    ) -> Mapping[str, tuple[str, ...]]:
        """Convention 3: clauses add up, save that a key set further in no longer cites a clause from further out."""
        for key in written:
            if key != "all" and key not in merged:
                message = f"`clause` speaks of `{key}`, which this element does not have"
                self.page.problem("clause-for-no-key", at.get("clause") or at, message, nearest(key, ["all", *merged]))
        found: dict[str, tuple[str, ...]] = {}
        for depth, every in enumerate(above):
            every.rows += 1
            nearer = {key for inner in above[depth + 1 :] for key in inner.own} | {*own}
            for key, ids in every.clauses.items():
                if key == "all" or (key not in nearer and key in merged):
                    every.cited.add(key)
                    found[key] = found.get(key, ()) + ids
        for key, ids in written.items():
            found[key] = found.get(key, ()) + ids
        return {key: tuple(dict.fromkeys(ids)) for key, ids in found.items()}


_NAME = re.compile(NAME)


def _ids(entry: Node) -> Iterator[str]:
    clause = entry.get("clause") if isinstance(entry, Table) else None
    match clause:
        case Scalar():
            yield clause.text
        case Listing():
            yield from (each.text for each in clause.entries if isinstance(each, Scalar))
        case Table():
            for _, value in clause.entries:
                yield from _ids(Table(((Scalar("clause", 0, 0), value),), 0, 0))
        case None:
            return


def _is_name(text: str) -> bool:
    return text != "every" and text != "all" and _NAME.fullmatch(text) is not None


def _place(node: Node) -> tuple[int, int]:
    return node.line, node.column
