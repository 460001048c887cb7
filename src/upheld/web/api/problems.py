"""Every way in which the API says no: a problem with a code that never changes its meaning."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from upheld.engine.acts import LAYER, LAYERS, Cited
from upheld.errors import InputRefused
from upheld.web.api.shapes import Cause, Problem

TITLES: Mapping[int, str] = MappingProxyType(
    {
        400: "The request cannot be read",
        401: "A token is needed",
        403: "Refused",
        404: "Not here",
        405: "No such method",
        409: "In conflict with what happened before",
        413: "Too large",
        415: "JSON only",
        422: "Not usable",
        429: "Too many requests",
        500: "Our fault",
        503: "Not possible now",
    }
)
_STATUS: Mapping[str, int] = MappingProxyType(
    {
        "unknown": 404,
        "certificate-unknown": 404,
        "key-conflict": 409,
        "name-taken": 409,
        "already-answered": 409,
    }
)
"""Codes of inputs that are more than unusable. Everything else is 422."""
_HELPS: Mapping[str, str] = MappingProxyType(
    {
        "token-missing": "ask POST /v1/token for one, with the id and secret of the program; send it as a bearer token",
        "not-found": "there is no such address; GET /v1/openapi.json lists them all",
        "method-not-allowed": "this address takes another method; GET /v1/openapi.json lists them all",
    }
)
"""What helps where nothing more is known of the call."""


class Said(Exception):
    """The answer is this problem."""

    def __init__(self, problem: Problem, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        self.problem = problem
        self.headers = headers
        super().__init__(problem.code)


def problem(status: int, code: str, detail: str = "", causes: tuple[Cited, ...] = ()) -> Problem:
    """A problem; `causes` are those of a refused decision."""
    detail = detail or _HELPS.get(code, "")
    return Problem(f"urn:upheld:{code}", TITLES[status], status, code, detail, [cause(one) for one in causes])


def unusable(refusal: InputRefused) -> Problem:
    """An argument cannot be used."""
    return problem(_STATUS.get(refusal.code, 422), refusal.code, refusal.message)


def unfit(code: str, detail: str) -> Said:
    """Something of the call itself cannot be used."""
    return Said(problem(422, code, detail))


def cause(one: Cited) -> Cause:
    """What decided, as it goes out."""
    layer = LAYERS[LAYER[one.reason]] if one.reason else None
    return Cause(one.element, list(one.clauses), one.reason and one.reason.value, layer, one.law, one.detail)
