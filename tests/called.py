"""A program that calls the API of a served home, for the tests of the API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient

from tests.served import Served, served
from upheld.keeper.applications import Duty
from upheld.web.app import create_app

PURPOSES = ("service", "offers")


@dataclass
class Program:
    """A program with a live token."""

    house: Served
    client: TestClient
    client_id: str
    secret: str
    headers: dict[str, str] = field(default_factory=dict)

    def sign_in(self, scope: str = "") -> Response:
        """Get a token."""
        form = {"grant_type": "client_credentials", **({"scope": scope} if scope else {})}
        given = self.client.post("/v1/token", data=form, auth=(self.client_id, self.secret))
        if given.status_code == 200:
            self.headers = {"authorization": f"Bearer {given.json()['access_token']}"}
        return given

    def post(self, path: str, body: Mapping[str, Any] | None = None, key: str | None = None) -> Response:
        """Call with a body."""
        more = {"idempotency-key": key} if key else {}
        return self.client.post(f"/v1{path}", json=body or {}, headers={**self.headers, **more})

    def get(self, path: str, **query: str) -> Response:
        """Ask."""
        return self.client.get(f"/v1{path}", params=query, headers=self.headers)

    def of(self, who: str, path: str) -> str:
        """An address about a person."""
        return f"/subjects/{self.house.persons[who]}/{path}"


@contextmanager
def called(
    home: Path, *, duties: Iterable[Duty] = Duty, purposes: Iterable[str] = PURPOSES, policy: str = "trial"
) -> Iterator[Program]:
    """A served home and a program of it with these duties."""
    with served(home) as house:
        yield program(house, duties=duties, purposes=purposes, policy=policy)


def program(
    house: Served,
    name: str = "shop",
    *,
    duties: Iterable[Duty] = Duty,
    purposes: Iterable[str] = PURPOSES,
    policy: str = "trial",
) -> Program:
    """One more program of a home."""
    made, secret = house.keeper.open_application(policy, name, purposes=purposes, duties=duties)
    caller = Program(house, TestClient(create_app(house.settings)), made.application_id, secret)
    assert caller.sign_in().status_code == 200
    return caller
