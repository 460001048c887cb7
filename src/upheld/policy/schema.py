"""The JSON Schema of the document, for editors: completion, titles in Korean, meanings on hover.

Made from the same fields that the reader types documents with. It knows shapes and closed words, not names or meaning.
"""

from __future__ import annotations

from collections.abc import Mapping

from upheld.policy.model import HEAD, HEAD_ROWS, Key, Row, Section, keys_of, sections
from upheld.policy.shapes import END_SCHEMA, LOCALE_CLASHES, Schema, one_or_many

LOCALE = f"^(?!(?:{'|'.join(sorted(LOCALE_CLASHES))})$)[a-z]{{2,3}}(?:-[A-Z]{{2}})?$"
ELEMENT = "^(?!(?:every|all)$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*$"
_TEXT: Schema = {"type": ["string", "number", "boolean"]}


def policy_schema() -> dict[str, object]:
    """The schema of a whole document (JSON Schema 2020-12)."""
    head = {name: _titled(spec.shape.schema(), name, spec.ko, spec.means) for name, spec in HEAD.items()}
    rows = {
        name: _titled({"$ref": f"#/$defs/{row.__name__}"}, name, ko, means)
        for name, (row, ko, means) in HEAD_ROWS.items()
    }
    kinds = {section.row for section in sections().values()} | {row for row, _, _ in HEAD_ROWS.values()}
    tables = {name: _section(name, section) for name, section in sections().items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Upheld: 개인정보 처리방침 (privacy policy)",
        "type": "object",
        "properties": {**head, **rows, **tables},
        "required": [*(name for name, spec in HEAD.items() if spec.needed), *HEAD_ROWS],
        "additionalProperties": False,
        "$defs": {
            "end": END_SCHEMA,
            "text": {"anyOf": [_TEXT, {"type": "object", "patternProperties": {LOCALE: _TEXT}}]},
            "clause": _clause(),
            **{kind.__name__: _row(kind) for kind in sorted(kinds, key=lambda kind: kind.__name__)},
        },
    }


def _titled(schema: Schema, name: str, ko: str, means: str) -> Schema:
    return {"title": f"{ko} ({name})", "description": means, **schema}


def _clause() -> Schema:
    ids = one_or_many({"type": "string"})
    return {
        "title": "조항 (clause)",
        "description": "the sentence of the source that the element keeps; by key where its keys have their own",
        "anyOf": [ids, {"type": "object", "additionalProperties": ids}],
    }


def _row(kind: type[Row]) -> Schema:
    keys: dict[str, Schema] = {"clause": {"$ref": "#/$defs/clause"}}
    for name, spec in keys_of(kind).items():
        if isinstance(spec, Key):
            keys[name] = _titled(spec.shape.schema(), name, spec.ko, spec.means)
        else:
            keys[name] = _titled(_table(_row(spec.row), spec.fixed, plain=spec.named), name, spec.ko, spec.means)
    texts = {LOCALE: {"title": "이름 (text)", **_TEXT}}
    return {"type": "object", "properties": keys, "patternProperties": texts, "additionalProperties": False}


def _section(name: str, section: Section) -> Schema:
    row: Schema = {"$ref": f"#/$defs/{section.row.__name__}"}
    if section.listed:
        return _titled({"type": "array", "items": row}, name, section.ko, section.means)
    table = _table(row, section.fixed, plain=section.named, every=row, lists=name == "items")
    if section.parts:
        parts: dict[str, Schema] = {"every": row} | dict.fromkeys(section.parts, table)
        table = {"type": "object", "properties": parts, "additionalProperties": False}
    return _titled(table, name, section.ko, section.means)


def _table(
    row: Schema,
    fixed: Mapping[str, frozenset[str]] | None,
    *,
    plain: bool = False,
    every: Schema | None = None,
    lists: bool = False,
) -> Schema:
    """A table of rows; `plain`: a row may be a text alone; `lists`: a row may be a list of names (a group)."""
    others: list[Schema] = [_TEXT] if plain else []
    others += [{"type": "array", "items": {"type": "string"}, "minItems": 1}] if lists else []
    one: Schema = {"anyOf": [row, *others]} if others else row
    properties: dict[str, Schema] = {"every": every} if every else {}
    if fixed is not None:
        return {
            "type": "object",
            "properties": {**properties, **dict.fromkeys(fixed, one)},
            "additionalProperties": False,
        }
    return {
        "type": "object",
        "properties": properties,
        "patternProperties": {ELEMENT: one},
        "additionalProperties": False,
    }
