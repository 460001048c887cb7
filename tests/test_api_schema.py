"""Whatever the description allows, and whatever it forbids, is answered as the description says.

Requests are made by schemathesis from `/v1/openapi.json`: good ones, bad ones, without token, with other methods.
"""

from __future__ import annotations

import shutil
from atexit import register
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import msgspec
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig
from starlette.types import Receive, Scope, Send

from tests.called import Program, called
from upheld.desk.throttle import Limit
from upheld.web.api.description import described
from upheld.web.api.routes import ROWS
from upheld.web.app import create_app

EXAMPLES = 15
Made = schemathesis.Case[schemathesis.APIOperation[Any, Any, Any, Any]]
CONFIG = {
    "checks": {
        "positive_data_acceptance": {"expected-statuses": [200, 401, 403, 404, 409, 422]},
        "negative_data_rejection": {"expected-statuses": [400, 401, 403, 404, 405, 409, 415, 422]},
        "unsupported_method": {"enabled": True},
    },
}


@cache
def caller() -> Program:
    """One home for all: what one request leaves behind is met by the next."""
    folder = Path(mkdtemp(prefix="described-"))
    house = ExitStack()
    register(shutil.rmtree, folder, ignore_errors=True)
    register(house.close)
    program = house.enter_context(called(folder / "home"))
    program.house.settings.allowance.limit = Limit("api", 1_000_000, 1)
    return program


@cache
def app() -> FastAPI:
    """The application of that home."""
    return create_app(caller().house.settings)


async def served(scope: Scope, receive: Receive, send: Send) -> None:
    """The application, made when it is first called: collecting the tests opens no home."""
    await app()(scope, receive, send)


description = msgspec.json.decode(msgspec.json.encode(described(ROWS)))
schema = schemathesis.openapi.from_dict(description, config=SchemathesisConfig.from_dict(CONFIG))
schema.app = served


@pytest.mark.slow
@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_address_answers_as_it_is_described(case: Made) -> None:
    program = caller()
    if "subject" in case.path_parameters and case.meta is not None and case.meta.generation.mode.is_positive:
        case.path_parameters["subject"] = program.house.persons["stayer"]
    case.call_and_validate(headers=program.headers)
