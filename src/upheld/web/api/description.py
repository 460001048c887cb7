"""The API in OpenAPI 3.1, made from the table and the shapes: there is no second truth to keep in step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from upheld.keeper.applications import Duty
from upheld.web.api.row import Again, Row
from upheld.web.api.shapes import Nothing, Problem, Token, TokenRefused

Json = Mapping[str, object]

_PROBLEM: Final = "application/problem+json"
_ID: Final[Json] = {"type": "string", "pattern": "^[a-z2-7]{20}$"}
_TOLD: Final[Mapping[str, str]] = {
    "400": "The request cannot be read",
    "401": "No token, or one whose time is over",
    "403": "Refused, with reasons and clauses",
    "404": "Nobody and nothing here under this id",
    "409": "In conflict with what happened before",
    "413": "Too large",
    "415": "Not JSON",
    "422": "Not usable: an unknown code, a date that cannot be, a body of another shape",
    "429": "Too many requests",
    "503": "Not possible now",
}
_OF_BODIES = frozenset({"400", "409", "413", "415"})
_OF_KEYS = frozenset({"400", "409"})


def described(rows: Iterable[Row]) -> Json:
    """The whole description."""
    table = tuple(rows)
    types = {row.takes for row in table} | {row.gives for row in table if row.gives} | {Problem, Token, TokenRefused}
    _, components = msgspec.json.schema_components(
        sorted(types - {Nothing}, key=lambda one: one.__name__), ref_template="#/components/schemas/{name}"
    )
    paths: dict[str, dict[str, object]] = {}
    for row in table:
        paths.setdefault(f"/v1{row.path}", {})[row.method.lower()] = _operation(row)
    paths["/v1/token"] = {"post": _token()}
    flow = {"tokenUrl": "/v1/token", "scopes": {one.value: one.value for one in Duty}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Upheld", "version": "1", "description": "Personal data by policy."},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"program": {"type": "oauth2", "flows": {"clientCredentials": flow}}},
        },
    }


def _operation(row: Row) -> Json:
    made: dict[str, object] = {
        "operationId": row.name,
        "summary": row.summary,
        "security": [{"program": [row.duty.value] if row.duty else []}],
        "parameters": [*_parts(row), *_queried(row), *_key(row)],
        "responses": {"200": _given(row), **_refusals(row)},
    }
    if row.takes is not Nothing:
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(row.takes)}}}
    return made


def _given(row: Row) -> Json:
    schema = _ref(row.gives) if row.gives else {}
    return {"description": row.summary, "content": {"application/json": {"schema": schema}}}


def _refusals(row: Row) -> Json:
    never = frozenset() if row.takes is not Nothing else _OF_BODIES
    never -= _OF_KEYS if row.again is not Again.HARMLESS else frozenset()
    told = [code for code in _TOLD if code not in never]
    content = {_PROBLEM: {"schema": _ref(Problem)}}
    return {code: {"description": _TOLD[code], "content": content} for code in told}


def _parts(row: Row) -> list[Json]:
    names = re.findall(r"{(\w+)}", row.path)
    return [{"name": name, "in": "path", "required": True, "schema": _ID} for name in names]


def _queried(row: Row) -> list[Json]:
    if row.query is Nothing:
        return []
    schema = msgspec.json.schema(row.query)
    fields: Mapping[str, Json] = schema["$defs"][row.query.__name__]["properties"]
    return [{"name": name, "in": "query", "schema": _without_null(one)} for name, one in fields.items()]


def _without_null(schema: Json) -> Json:
    """A parameter that is left out is not null."""
    kinds = schema.get("anyOf")
    if not isinstance(kinds, list):
        return {name: text for name, text in schema.items() if name != "default" or text is not None}
    return next(one for one in kinds if one != {"type": "null"})


def _key(row: Row) -> list[Json]:
    if row.again is Again.HARMLESS:
        return []
    schema = {"type": "string", "pattern": "^[!-~]{8,200}$"}
    return [{"name": "Idempotency-Key", "in": "header", "schema": schema}]


def _token() -> Json:
    fields = {name: {"type": "string"} for name in ("client_id", "client_secret", "scope")}
    kind = {"type": "string", "enum": ["client_credentials"]}
    form = {"type": "object", "properties": {"grant_type": kind, **fields}, "required": ["grant_type"]}
    refused = {"description": "Refused", "content": {"application/json": {"schema": _ref(TokenRefused)}}}
    given = {"description": "A token", "content": {"application/json": {"schema": _ref(Token)}}}
    return {
        "operationId": "token",
        "summary": "A token for ten minutes",
        "security": [],
        "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": form}}},
        "responses": {"200": given, "400": refused, "401": refused, "413": refused, "429": refused},
    }


def _ref(shape: type[msgspec.Struct]) -> Json:
    return {"$ref": f"#/components/schemas/{shape.__name__}"}
