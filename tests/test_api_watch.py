"""Health, figures and log lines: they say how the service is, and nothing about anybody."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
import structlog
from starlette.testclient import TestClient

from tests.called import Program, called, program
from tests.served import joined, text_of
from upheld.desk.figures import count_refusals
from upheld.errors import UpheldError
from upheld.keeper.applications import Duty
from upheld.web.app import create_app
from upheld.web.logs import FIELDS, write_json
from upheld.web.measures import Measures


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Program]:
    with called(tmp_path / "home") as caller:
        yield caller


@pytest.fixture
def lines() -> Iterator[StringIO]:
    stream = StringIO()
    write_json(stream)
    yield stream
    structlog.reset_defaults()


def figures(shop: Program) -> dict[str, float]:
    """Series → figure."""
    page = shop.client.get("/metrics", headers=shop.headers)
    assert page.status_code == 200, page.text
    rows = [line.rpartition(" ") for line in page.text.splitlines() if not line.startswith("#")]
    return {name: float(figure) for name, _, figure in rows}


def test_a_process_that_serves_is_alive_and_ready(shop: Program) -> None:
    assert shop.client.get("/healthz").status_code == 200
    told = shop.client.get("/readyz")
    assert told.status_code == 200
    assert set(told.json()) == {"active", "separated", "keys", "ledger", "clock", "recovered"}


def test_a_place_that_does_not_answer_makes_it_unready_and_is_named(
    shop: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> None:
        raise UpheldError("not there")

    monkeypatch.setattr(shop.house.keeper.places.separated, "reading", gone)
    told = shop.client.get("/readyz")
    assert told.status_code == 503
    assert [name for name, holds in told.json().items() if not holds] == ["separated"]
    assert shop.client.get("/healthz").status_code == 200


def test_the_figures_count_decisions_and_what_waits(shop: Program) -> None:
    before = figures(shop)
    assert before['upheld_requests{policy="trial",state="waiting"}'] == 0
    shop.post(shop.of("stayer", "requests"), {"right": "access", "channel": "website", "proved": True})
    shop.post(shop.of("stayer", "collect"), {"purpose": "service", "items": {"shoe-size": "300"}})
    after = figures(shop)
    assert after['upheld_requests{policy="trial",state="waiting"}'] == 1
    assert after['upheld_api_refusals_total{policy="trial",reason="item-undeclared"}'] == 1
    assert after['upheld_api_answers_total{operation="collect",policy="trial",status="403"}'] == 1
    assert after['upheld_checkpoint_age_seconds{policy="trial"}'] >= 0
    assert after['upheld_clock_leapt{policy="trial"}'] == 0
    shop.house.clock.set(shop.house.keeper.now() + 40 * 86_400_000_000)
    assert shop.sign_in().status_code == 200
    assert figures(shop)['upheld_requests{policy="trial",state="overdue"}'] == 1
    shop.house.keeper.fact(shop.house.persons["stayer"], "closed")
    shop.house.clock.set(shop.house.keeper.now() + 400 * 86_400_000_000)
    assert shop.sign_in().status_code == 200
    overdue = [figure for name, figure in figures(shop).items() if name.startswith("upheld_overdue_values")]
    assert sum(overdue) > 0


def test_what_one_process_counted_is_told_by_every_other(shop: Program) -> None:
    other = TestClient(create_app(replace(shop.house.settings, measures=Measures())))
    for client in (shop.client, other, other):
        refused = {"purpose": "service", "items": {"shoe-size": "300"}}
        assert client.post(f"/v1{shop.of('stayer', 'collect')}", json=refused, headers=shop.headers).status_code == 403
    other.get("/metrics", headers=shop.headers)
    assert figures(shop)['upheld_api_refusals_total{policy="trial",reason="item-undeclared"}'] == 3
    shop.house.keeper.seal()
    told = figures(shop)
    assert told['upheld_decisions_total{decision="act.refused",policy="trial"}'] == 3
    assert told == figures(shop)


def test_refusals_count_once_by_reason_whichever_way_they_came(shop: Program) -> None:
    keeper, person = shop.house.keeper, shop.house.persons["stayer"]
    keeper.seal()
    before = figures(shop)
    shop.post(shop.of("stayer", "collect"), {"purpose": "service", "items": {"shoe-size": "300"}})
    assert not keeper.collect(person, "service", {"shoe-size": "300"}, channel="website").granted
    keeper.withdraw(person, "purpose/offers", channel="website")
    assert not keeper.read(person, "offers", reader=keeper.application("desk"), items=("phone",)).granted
    keeper.seal()
    told = [figures(shop), figures(shop)]
    assert told[0] == told[1]
    for reason, times in (("item-undeclared", 2), ("consent-withdrawn", 1)):
        series = f'upheld_refusals_total{{policy="trial",reason="{reason}"}}'
        assert told[0][series] - before.get(series, 0) == times, reason
    assert told[0]['upheld_api_refusals_total{policy="trial",reason="item-undeclared"}'] == 1
    # Another process that looks from where it thinks the count is adds nothing twice.
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count_refusals, [keeper] * 8))
    assert figures(shop) == told[0]


def test_a_figure_that_could_not_be_added_is_added_later(shop: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    measures, keeper = Measures(), shop.house.keeper
    measures.refused("trial", ["consent-missing"])

    def gone(*_: object, **__: object) -> None:
        raise UpheldError("not there")

    with monkeypatch.context() as patch:
        patch.setattr(keeper.places.active, "submit", gone)
        with pytest.raises(UpheldError):
            measures.flush(keeper)
    measures.flush(keeper)
    measures.flush(keeper)
    assert figures(shop)['upheld_api_refusals_total{policy="trial",reason="consent-missing"}'] == 1


def test_figures_are_for_who_measures_and_of_one_policy(shop: Program) -> None:
    assert shop.client.get("/metrics").status_code == 401
    blind = program(shop.house, "blind", duties=[Duty.READ])
    assert blind.client.get("/metrics", headers=blind.headers).status_code == 403
    other = program(shop.house, "other-one", policy="other", purposes=["service"])
    page = other.client.get("/metrics", headers=other.headers).text
    assert 'policy="other"' in page
    assert 'policy="trial"' not in page


def test_neither_a_log_line_nor_a_figure_has_anything_of_a_person(shop: Program, lines: StringIO) -> None:
    fresh = program(shop.house, "fresh")
    person = joined(shop.house.keeper, "logged")
    texts = [text_of("logged", item) for item in ("name", "email", "phone")]
    address = f"/subjects/{person}"
    fresh.post("/subjects/look-up", {"item": "email", "text": texts[1], "reason": "test"})
    fresh.post(f"{address}/read", {"purpose": "service", "items": ["name", "email"]})
    fresh.post(f"{address}/collect", {"purpose": texts[0], "items": {"email": texts[1]}})
    fresh.post(f"{address}/collect", {"purpose": "service", "items": {texts[1]: texts[2]}}, key=texts[1])
    fresh.post(f"{address}/facts", {"code": "closed", "source": "orders", "key": texts[2]})
    fresh.client.get(f"/v1/{texts[1]}", headers=fresh.headers)
    fresh.client.post("/v1/token", data={"grant_type": "client_credentials", "client_id": texts[1]})
    written = lines.getvalue()
    assert len(written.splitlines()) >= 5
    page = fresh.client.get("/metrics", headers=fresh.headers).text
    secret = [fresh.secret, fresh.headers["authorization"].split()[1], person]
    for text in (*texts, *secret):
        assert text not in written
        assert text not in page


def test_a_log_line_keeps_known_fields_only(lines: StringIO) -> None:
    structlog.get_logger("upheld").error("a page failed", page="read", failure="ValueError", text="made-up@example.org")
    (line,) = lines.getvalue().splitlines()
    assert set(json.loads(line)) <= FIELDS
    assert not re.search("example.org", line)
