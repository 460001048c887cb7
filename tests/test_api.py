"""The API: each verb over the wire, each way of being refused, the same key twice, nothing of another policy."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from tests.called import Program, called, program
from tests.served import OTHER_POLICY, SECOND_VERSION
from tests.trial_home import at
from upheld.engine.acts import Reason
from upheld.keeper.applications import Duty
from upheld.web.api.edge import LARGEST_BODY
from upheld.web.api.routes import ROWS
from upheld.web.api.row import Row
from upheld.web.settings import CALLS_A_MINUTE

KEY = "c0ffee00-1111-2222"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Program]:
    with called(tmp_path / "home") as caller:
        yield caller


def test_a_person_lives_through_the_api(shop: Program) -> None:
    person = shop.post("/subjects", {"kind": "member"}).json()["subject"]
    address = f"/subjects/{person}"
    assert shop.post(f"{address}/engagements", {"kind": "membership"}).status_code == 200
    given = {"name": "Made Up", "email": "made-up@example.org"}
    taken = shop.post(f"{address}/collect", {"purpose": "service", "items": given, "channel": "website"})
    assert taken.status_code == 200, taken.text
    values = taken.json()["values"]
    read = shop.post(f"{address}/read", {"purpose": "service", "items": ["email"]})
    assert read.json()["texts"] == {values["email"][0]: "made-up@example.org"}
    assert shop.post(f"{address}/consents", {"about": "provision/mall", "channel": "website"}).status_code == 200
    assert shop.get(f"{address}/consents").json()["consents"]["provision/mall"] == "given"
    provided = shop.post(f"{address}/provisions", {"recipient": "mall", "items": ["name"]})
    assert list(provided.json()["texts"].values()) == ["Made Up"]
    assert shop.post(f"{address}/withdrawals", {"about": "provision/mall", "channel": "website"}).status_code == 200
    refused = shop.post(f"{address}/provisions", {"recipient": "mall", "items": ["name"]})
    assert refused.status_code == 403
    assert refused.json()["code"] == "consent-withdrawn"
    asked = shop.post(f"{address}/requests", {"right": "access", "channel": "website", "proved": True})
    assert asked.status_code == 200, asked.text
    assert [one["right"] for one in shop.get(f"{address}/requests").json()["items"]] == ["access"]
    assert shop.post(f"{address}/facts", {"code": "closed"}).status_code == 200
    held = shop.get(f"{address}/holdings").json()["items"]
    assert {one["item"] for one in held} == {"name", "email"}
    assert not any("Made Up" in str(one) for one in held)


def test_a_refusal_is_a_problem_with_reasons_and_clauses(shop: Program) -> None:
    shop.post(shop.of("asker", "withdrawals"), {"about": "purpose/offers", "channel": "website"})
    answer = shop.post(shop.of("asker", "collect"), {"purpose": "offers", "items": {"phone": "010-0000-0001"}})
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["type"] == f"urn:upheld:{told['code']}"
    reasons = {one["reason"] for one in told["reasons"]}
    assert reasons <= {one.value for one in Reason}
    assert reasons
    assert all(one["layer"] for one in told["reasons"])
    assert any(one["clauses"] for one in told["reasons"])


def test_a_program_collects_and_reads_for_its_own_purposes_only(shop: Program) -> None:
    narrow = program(shop.house, "narrow", purposes=["service"])
    told = narrow.post(narrow.of("stayer", "read"), {"purpose": "offers", "items": ["phone"]})
    assert (told.status_code, told.json()["code"]) == (403, "duty-missing")
    told = narrow.post(narrow.of("stayer", "collect"), {"purpose": "offers", "items": {"phone": "010-0000-0000"}})
    assert (told.status_code, told.json()["code"]) == (403, "duty-missing")
    assert narrow.post(narrow.of("stayer", "read"), {"purpose": "service", "items": ["name"]}).status_code == 200


@pytest.mark.parametrize("row", [row for row in ROWS if row.duty], ids=lambda row: row.name)
def test_each_address_wants_its_own_duty(shop: Program, row: Row) -> None:
    others = [duty for duty in Duty if duty is not row.duty]
    lacking = program(shop.house, "lacking", duties=others)
    path = row.path.replace("{subject}", shop.house.persons["stayer"]).replace("{certificate}", "a" * 20)
    told = lacking.get(path) if row.method == "GET" else lacking.post(path)
    assert (told.status_code, told.json()["code"]) == (403, "duty-missing")
    alone = program(shop.house, "alone", duties=[row.duty] if row.duty else ())
    told = alone.get(path) if row.method == "GET" else alone.post(path)
    assert told.status_code != 401
    assert told.json() == [] or told.status_code != 403 or told.json()["code"] != "duty-missing"


def test_without_a_live_token_nothing_opens(shop: Program) -> None:
    for row in ROWS:
        path = row.path.replace("{subject}", shop.house.persons["stayer"]).replace("{certificate}", "a" * 20)
        for headers in ({}, {"authorization": f"Bearer {'0' * 64}"}, {"authorization": "Bearer nonsense"}):
            told = shop.client.request(row.method, f"/v1{path}", headers=headers)
            assert told.status_code == 401, row.name
            assert told.headers["www-authenticate"].startswith("Bearer")
    shop.house.keeper.close_application("trial", "shop")
    assert shop.get("/policy").status_code == 401


def test_a_person_of_another_policy_is_nobody_here(shop: Program) -> None:
    unknown = {"purpose": "service"}
    elsewhere = shop.post(shop.of("stranger", "read"), unknown)
    nowhere = shop.post(f"/subjects/{'a' * 20}/read", unknown)
    assert (elsewhere.status_code, elsewhere.json()) == (nowhere.status_code, nowhere.json())
    assert elsewhere.status_code == 404
    batch = {"entries": [{"subject": shop.house.persons["stranger"], "purpose": "service", "items": {"name": "X"}}]}
    assert shop.post("/collect", batch).json()["entries"][0]["problem"]["code"] == "unknown"
    wanted = [{"subject": shop.house.persons["stranger"], "value": "1"}]
    assert shop.post("/read", {"purpose": "service", "values": wanted}).status_code == 404


def test_a_batch_is_decided_value_by_value(shop: Program) -> None:
    persons = [shop.house.persons[who] for who in ("stayer", "asker")]
    entries = [
        {"subject": persons[0], "purpose": "service", "items": {"name": "New Name"}, "channel": "website"},
        {"subject": persons[1], "purpose": "service", "items": {"shoe-size": "300"}},
        {"subject": "a" * 20, "purpose": "service", "items": {"name": "Nobody"}},
    ]
    decided = shop.post("/collect", {"entries": entries}).json()["entries"]
    assert decided[0]["done"]["values"]["name"]
    assert [one["problem"] and one["problem"]["code"] for one in decided] == [None, "item-undeclared", "unknown"]
    held = {who: shop.get(f"/subjects/{who}/holdings").json()["items"] for who in persons}
    wanted = [{"subject": who, "value": one["value"]} for who in persons for one in held[who]]
    out = shop.post("/read", {"purpose": "service", "values": wanted}).json()
    offered = {one["value"] for who in persons for one in held[who] if one["purposes"] == ["offers"]}
    assert set(out["refused"]) >= offered
    assert set(out["texts"]) | set(out["refused"]) == {one["value"] for one in wanted}
    assert "New Name" in out["texts"].values()


def test_the_same_key_gives_the_same_answer_and_does_nothing_twice(shop: Program) -> None:
    body = {"purpose": "service", "items": {"name": "Once"}, "channel": "website"}
    first = shop.post(shop.of("stayer", "collect"), body, KEY)
    again = shop.post(shop.of("stayer", "collect"), body, KEY)
    assert again.status_code == first.status_code == 200
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    other = shop.post(shop.of("stayer", "collect"), {**body, "items": {"name": "Twice"}}, KEY)
    assert (other.status_code, other.json()["code"]) == (409, "key-conflict")
    elsewhere = shop.post(shop.of("asker", "collect"), body, KEY)
    assert elsewhere.status_code == 409
    held = shop.get(shop.of("stayer", "holdings")).json()["items"]
    assert [one["value"] for one in held].count(first.json()["values"]["name"][0]) == 1


def test_a_refusal_is_remembered_under_its_key_too(shop: Program) -> None:
    body = {"purpose": "service", "items": {"shoe-size": "300"}}
    first, again = (shop.post(shop.of("stayer", "collect"), body, KEY) for _ in range(2))
    assert first.status_code == again.status_code == 403
    assert first.json() == again.json()
    assert again.headers["content-type"] == "application/problem+json"


def test_contents_are_handed_out_once_under_a_key(shop: Program) -> None:
    body = {"recipient": "mall", "items": ["name"]}
    first = shop.post(shop.of("stayer", "provisions"), body, KEY)
    again = shop.post(shop.of("stayer", "provisions"), body, KEY)
    assert first.json()["texts"]
    assert again.json()["texts"] == {}
    assert again.json()["made"] == first.json()["made"]
    home = shop.house.home
    assert not any(b"stayer of name" in one.read_bytes() for one in home.rglob("*") if one.is_file())


def test_a_key_is_forgotten_after_a_day(shop: Program) -> None:
    body = {"kind": "member"}
    first = shop.post("/subjects", body, KEY).json()
    shop.house.clock.set(at("2024-09-10"))
    assert shop.sign_in().status_code == 200
    assert shop.post("/subjects", body, KEY).json() != first


def test_a_fact_with_source_and_key_counts_once_for_ever(shop: Program) -> None:
    body = {"code": "closed", "source": "billing", "key": "order-1", "at": "2024-09-07T00:00:00Z"}
    first = shop.post(shop.of("asker", "facts"), body).json()
    shop.house.clock.set(at("2024-09-12"))
    assert shop.sign_in().status_code == 200
    again = shop.post(shop.of("asker", "facts"), body).json()
    assert (again["made"], again["repeated"]) == (first["made"], True)
    other = shop.post(shop.of("asker", "facts"), {**body, "at": "2024-09-06T00:00:00Z"})
    assert (other.status_code, other.json()["code"]) == (409, "key-conflict")


def test_lists_are_read_page_by_page(shop: Program) -> None:
    for _ in range(5):
        asked = {"right": "access", "channel": "website", "proved": True}
        assert shop.post(shop.of("stayer", "requests"), asked).status_code == 200
    seen, cursor = [], ""
    for _ in range(3):
        page = shop.get(shop.of("stayer", "requests"), limit="2", **({"cursor": cursor} if cursor else {})).json()
        seen += [one["request"] for one in page["items"]]
        cursor = page["next"]
    assert cursor is None
    assert len(set(seen)) == len(seen) == 5
    assert shop.get(shop.of("stayer", "requests"), cursor="zzz").status_code == 422


def test_what_cannot_be_used_says_why(shop: Program) -> None:
    path = shop.of("stayer", "collect")
    raw = {**shop.headers, "content-type": "application/json"}
    assert shop.client.post(f"/v1{path}", content=b"{", headers=raw).json()["code"] == "body-unreadable"
    assert shop.post(path, {"purpose": "service", "items": {"name": "X"}, "more": 1}).json()["code"] == "body-unusable"
    assert shop.client.post(f"/v1{path}", content=b"a=b", headers=shop.headers).status_code == 415
    large = b"x" * (LARGEST_BODY + 1)
    told = shop.client.post(f"/v1{path}", content=large, headers=raw)
    assert (told.status_code, told.json()["code"]) == (413, "too-large")
    told = shop.client.post(f"/v1{path}", content=iter([large[:9], large[9:]]), headers=raw)  # its length is not said
    assert (told.status_code, told.json()["code"]) == (413, "too-large")
    assert told.headers["content-type"] == "application/problem+json"
    assert shop.client.delete(f"/v1{path}", headers=shop.headers).status_code == 405
    for path in ("/nothing", "/subjects/%0A/holdings"):
        told = shop.get(path)
        assert (told.status_code, told.headers["content-type"]) == (404, "application/problem+json")


def test_a_program_that_calls_too_often_waits(shop: Program) -> None:
    shop.house.settings.allowance.limit = type(shop.house.settings.allowance.limit)("api", 40, 1)
    codes = [shop.get("/policy").status_code for _ in range(60)]
    assert 429 in codes
    assert codes.count(200) <= 40
    assert CALLS_A_MINUTE > 40
    other = program(shop.house, "other-one")
    assert other.get("/policy").status_code == 200


def test_a_wrong_secret_gets_no_token_and_soon_no_answer(shop: Program) -> None:
    right = shop.secret
    shop.secret = "wrong"
    told = [shop.sign_in().status_code for _ in range(40)]
    assert told[0] == 401
    assert told[-1] == 429
    shop.secret = right
    assert shop.sign_in().status_code == 429


def test_a_token_may_be_good_for_less(shop: Program) -> None:
    assert shop.sign_in("read").json()["scope"] == "read"
    assert shop.post("/subjects", {"kind": "member"}).status_code == 403
    assert shop.post(shop.of("stayer", "read"), {"purpose": "service", "items": ["name"]}).status_code == 200
    assert shop.sign_in("everything").json()["error"] == "invalid_scope"


def test_records_are_shown_to_who_may_see_them(shop: Program) -> None:
    keeper = shop.house.keeper
    ids = keeper.certificates("trial")
    assert shop.get("/certificates").json()["items"] == ids
    if ids:
        assert shop.get(f"/certificates/{ids[0]}").content == keeper.certificate(ids[0])
    assert shop.post("/verify").json()["holds"] is True
    assert shop.post("/verify", {"anchors": ["no checkpoint"]}).status_code == 422
    clauses = shop.get("/audit").json()
    assert {one["clause"] for one in clauses} >= {"T-2", "T-3"}
    assert shop.get("/policy").json()["policy"] == "trial"
    assert shop.get("/notices").status_code == 200


def test_a_document_of_another_policy_is_not_published(shop: Program) -> None:
    assert shop.post("/versions", {"document": OTHER_POLICY}).json()["code"] == "policy-other"
    assert shop.post("/versions", {"document": "nonsense: ["}).json()["code"] == "policy-refused"
    third = SECOND_VERSION.replace("2024-08-25", "2024-09-10").replace("2024-09-01", "2024-09-20")
    told = shop.post("/versions", {"document": third, "dry": True})
    assert told.status_code in (200, 422)
    versions = {one["version"] for one in shop.get("/policy").json()["versions"]}
    assert len(versions) == 2


def test_the_description_is_of_what_is_served(shop: Program) -> None:
    described = shop.client.get("/v1/openapi.json").json()
    assert described["openapi"] == "3.1.0"
    operations = {one["operationId"] for path in described["paths"].values() for one in path.values()}
    assert operations == {row.name for row in ROWS} | {"token"}
    assert b"testserver" not in msgspec.json.encode(described)


def test_the_same_key_from_many_at_once_is_done_once(shop: Program) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: shop.post("/subjects", {"kind": "member"}, KEY), range(24)))
    assert {one.status_code for one in answers} == {200}
    assert len({one.json()["subject"] for one in answers}) == 1
    assert sum("idempotent-replayed" not in one.headers for one in answers) == 1


def test_who_has_no_token_or_errs_in_the_address_is_told_what_helps(shop: Program) -> None:
    without = shop.client.post("/v1/subjects", json={"kind": "member"}).json()
    assert (without["code"], "POST /v1/token" in without["detail"]) == ("token-missing", True)
    nowhere = shop.post("/subjekts").json()
    assert (nowhere["code"], "/v1/openapi.json" in nowhere["detail"]) == ("not-found", True)
    otherwise = shop.client.put("/v1/subjects", json={}).json()
    assert (otherwise["code"], "another method" in otherwise["detail"]) == ("method-not-allowed", True)
