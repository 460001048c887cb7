"""The client against the served API: typed answers, nothing done twice, lists in portions, two small services."""

from __future__ import annotations

import json
import pickle
import runpy
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from tests.called import Program, called, program
from tests.desk_house import THIRD, busy
from tests.served import text_of
from tests.trial_home import at
from upheld.client import TRIES, Client, Collection, Failed, Refused
from upheld.keeper.applications import Duty

SERVICES = Path(__file__).resolve().parent.parent / "examples" / "services"
FORM = {"name": "Made Up", "email": "made-up@example.org"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Program]:
    with called(tmp_path / "home") as caller:
        yield caller


class Network(httpx2.BaseTransport):
    """The way to the service, on which answers and questions get lost."""

    def __init__(self, shop: Program) -> None:
        self.shop = shop
        self.lose: Callable[[int, httpx2.Request], str] = lambda number, request: ""
        self.keys: list[str] = []
        self.calls = 0

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.calls += 1
        lost = self.lose(self.calls, request)
        if lost == "question":
            raise httpx2.ConnectError("nobody there")
        if lost.isdigit():
            return httpx2.Response(int(lost), headers={"retry-after": "7"})
        self.keys.append(request.headers.get("idempotency-key", ""))
        answer = self.shop.client.request(
            request.method, request.url.raw_path.decode(), content=request.read(), headers=dict(request.headers)
        )
        if lost == "answer":
            raise httpx2.ReadError("cut off")
        return httpx2.Response(answer.status_code, headers=dict(answer.headers), content=answer.content)


@pytest.fixture
def network(shop: Program) -> Network:
    return Network(shop)


@pytest.fixture
def waited() -> list[float]:
    return []


@pytest.fixture
def client(shop: Program, network: Network, waited: list[float]) -> Client:
    http = httpx2.Client(base_url="http://testserver", transport=network)
    return Client("http://testserver", shop.client_id, shop.secret, http=http, wait=waited.append)


def test_the_client_goes_the_whole_way(client: Client, shop: Program) -> None:
    person = client.enter("member")
    client.begin(person, "membership")
    assert client.collect(person, "service", FORM, channel="website").values["name"]
    assert client.read(person, "service", "name", "email").text("email") == FORM["email"]
    assert client.look_up("email", FORM["email"], "test") == [person]
    client.consent(person, "provision/mall", "website")
    assert client.consents(person)["provision/mall"] == "given"
    assert client.provide(person, "mall", "name").text("name") == FORM["name"]
    client.withdraw(person, "provision/mall", "website")
    with pytest.raises(Refused) as refusal:
        client.provide(person, "mall", "name")
    assert refusal.value.reasons == ("consent-withdrawn",)
    assert refusal.value.clauses == ("T-8",)
    assert "Made Up" not in str(refusal.value)
    assert pickle.loads(pickle.dumps(refusal.value)).reasons == refusal.value.reasons
    assert client.request(person, "access", "website", proved=True).made == client.requests(person)[0].request
    client.fact(person, "closed")
    assert {one.item for one in client.holdings(person)} == {"name", "email"}
    assert [client.certificate(one) for one in client.certificates()] == [
        shop.house.keeper.certificate(one) for one in shop.house.keeper.certificates("trial")
    ]


def test_a_lost_answer_is_asked_for_again_under_the_same_key(client: Client, network: Network, shop: Program) -> None:
    person = client.enter("member")
    client.begin(person, "membership")
    network.keys.clear()
    first = network.calls + 1
    network.lose = lambda number, _: "answer" if number == first else ""
    done = client.collect(person, "service", FORM, channel="website")
    assert len(set(network.keys)) == 1
    assert len(network.keys) == 2
    held = [str(value.value_id) for value, _, _ in shop.house.keeper.holdings(person)]  # type: ignore[arg-type]  # an id is text
    assert sorted(held) == sorted(value for values in done.values.values() for value in values)


def test_a_service_that_is_away_is_tried_again_and_then_given_up(
    client: Client, network: Network, waited: list[float]
) -> None:
    network.lose = lambda number, _: {1: "question", 3: "503"}.get(number, "")
    assert client.enter("member")
    assert waited[0] > 0
    assert waited[1] == 7
    network.lose = lambda *_: "question"
    before = network.calls
    with pytest.raises(httpx2.TransportError):
        client.enter("member")
    assert network.calls - before == TRIES


def test_a_token_that_ended_is_renewed_without_a_word(client: Client, shop: Program) -> None:
    person = client.enter("member")
    shop.house.clock.set(shop.house.keeper.now() + 3_600_000_000)
    assert client.consents(person) is not None


def test_a_wrong_secret_fails_at_once(shop: Program, network: Network) -> None:
    http = httpx2.Client(base_url="http://testserver", transport=network)
    with pytest.raises(Failed) as failure:
        Client("http://testserver", shop.client_id, "wrong", http=http).enter("member")
    assert failure.value.problem.code == "no-token"


def test_long_lists_go_in_portions(client: Client, network: Network, shop: Program) -> None:
    person = shop.house.persons["stayer"]
    entries = [Collection(person, "service", {"name": f"Name {number}"}, channel="website") for number in range(150)]
    before = network.calls
    decided = client.collect_all(entries)
    assert network.calls - before == 3  # a token, a hundred, fifty
    values = [one.done.values["name"][0] for one in decided if one.done]
    assert len(set(values)) == 150
    out = client.read_all("service", [(person, value) for value in values])
    assert set(out.texts) | set(out.refused) == set(values)
    assert len(client.holdings(person)) > 150


@pytest.mark.parametrize("name", ["with_fastapi.py", "with_django.py"])
def test_the_services_have_about_ten_lines(name: str) -> None:
    _, _, body = (SERVICES / name).read_text("utf-8").partition("\ndef ")
    assert len([line for line in body.splitlines() if line.strip()]) <= 12


def test_a_service_of_ten_lines_with_fastapi_keeps_nothing_itself(client: Client) -> None:
    made = runpy.run_path(str(SERVICES / "with_fastapi.py"))["service"](client)
    browser = TestClient(made)
    person = browser.post("/members", json=FORM).json()
    assert client.read(person, "service", "name").text("name") == FORM["name"]
    told = browser.get(f"/members/{person}/phone")
    assert told.status_code == 403
    assert told.json()["reasons"]


def test_a_service_of_ten_lines_with_django_keeps_nothing_itself(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    import django  # type: ignore[import-untyped]  # it has no types
    from django.conf import settings  # type: ignore[import-untyped]  # as above
    from django.core.handlers.wsgi import WSGIHandler  # type: ignore[import-untyped]  # as above

    views = runpy.run_path(str(SERVICES / "with_django.py"))["views"](client)
    urls = types.ModuleType("shop_urls")
    urls.urlpatterns = views  # type: ignore[attr-defined]  # what Django looks for
    monkeypatch.setitem(sys.modules, "shop_urls", urls)
    settings.configure(ROOT_URLCONF="shop_urls", ALLOWED_HOSTS=["*"], SECRET_KEY="of a test", DEBUG=False)
    django.setup(set_prefix=False)
    browser = httpx2.Client(transport=httpx2.WSGITransport(WSGIHandler()), base_url="http://shop.example.org")
    person = json.loads(browser.post("/members", content=json.dumps(FORM)).text)["person"]
    assert client.read(person, "service", "name").text("name") == FORM["name"]
    told = browser.get(f"/members/{person}/phone")
    assert told.status_code == 403
    assert told.json()["reasons"]


FOURTH = (
    THIRD.replace("2024-09-08", "2024-09-12").replace("2024-09-10", "2024-09-14")
    + """
proofs: {power-of-attorney: {clause: T-50, en: power of attorney, ko: 위임장}}
acting-for:
  agent: {clause: T-50, shows: power-of-attorney, en: agent, ko: 대리인}
provision-exceptions:
  court: {clause: T-51, needs: [document], items: [name], en: a court, ko: 법원}
"""
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Program, Client]]:
    """A program of the desk, under a version with advertising, agents and a way out for courts."""
    with busy(tmp_path_factory.mktemp("desk") / "home") as house:
        house.keeper.publish(FOURTH.encode())
        house.clock.set(at("2024-09-16"))
        house.keeper.sweep()
        shop = program(house, "desk")
        http = httpx2.Client(base_url="http://testserver", transport=Network(shop))
        yield shop, Client("http://testserver", shop.client_id, shop.secret, http=http)


def test_a_request_is_obeyed_from_proof_to_answer(desk: tuple[Program, Client]) -> None:
    shop, client = desk
    person = shop.house.persons["stayer"]
    asked = client.request(person, "access", "letter").made or ""
    with pytest.raises(Refused) as refused:
        client.answer(person, asked, "done")
    assert refused.value.reasons == ("identity-not-proved",)
    client.incomplete(person, asked, "identity-check")
    client.prove(person, asked, "identity-check")
    client.postpone(person, asked, at("2024-10-20"), "law")
    (standing,) = (one for one in client.requests(person) if one.request == asked)
    assert standing.state == "postponed"
    client.answer(person, asked, "done")
    shop.house.clock.set(at("2024-09-16", hour=10))
    with pytest.raises(Failed) as failed:
        client.answer(person, asked, "refused", "unfounded")
    assert (failed.value.problem.status, failed.value.problem.code) == (409, "already-answered")
    stopped = client.request(person, "suspension", "website", proved=True).made or ""
    client.answer(person, stopped, "done")
    client.lift(person, stopped)
    with pytest.raises(Failed) as failed:
        client.extend(person, stopped, "complicated")
    assert failed.value.problem.code == "not-extended"
    for request in ("a" * 20, asked):
        with pytest.raises(Failed):
            client.pass_on(person, request, "mall")


def test_who_asks_for_erasure_by_a_program_is_told_what_ends_and_says_so(desk: tuple[Program, Client]) -> None:
    shop, client = desk
    person = shop.house.persons["asker"]
    asked = client.request(person, "erasure", "website", proved=True)
    assert asked.tells == ["ends:membership"]
    assert client.answer(person, asked.made or "", "done", confirmed=True).tells == ["ends:membership"]


def test_who_is_erased_by_a_program_is_gone_when_the_answer_comes(desk: tuple[Program, Client]) -> None:
    _, client = desk
    person = client.enter("member")
    client.begin(person, "membership")
    (name,) = client.collect(person, "service", FORM, channel="website").values["name"]
    with pytest.raises(Refused) as refused:
        client.erase(person, "letter")
    assert refused.value.reasons == ("identity-not-proved",)
    assert [one.proved for one in client.requests(person)] == [False]
    erased = client.erase(person, "website", proved=True, confirmed=True)
    assert erased.gone == len(FORM)
    assert {one.request: one.state for one in client.requests(person)}[erased.made] == "done"
    assert name not in {one.value for one in client.holdings(person) if one.state == "held"}
    with pytest.raises(Refused):
        client.read(person, "service", "name")


def test_an_erasure_whose_answer_was_lost_is_not_done_twice(desk: tuple[Program, Client]) -> None:
    shop, client = desk
    person = client.enter("member")
    body = {"channel": "website", "proved": True}
    erasing = program(shop.house, "erasing", duties=[Duty.ANSWER])
    first, again = (erasing.post(f"/subjects/{person}/erasures", body, "erased-once-and-no-more") for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json() | {"repeated": True}
    assert len(client.requests(person)) == 1


def test_an_agent_acts_until_the_mandate_ends(desk: tuple[Program, Client]) -> None:
    shop, client = desk
    person = shop.house.persons["asker"]
    with pytest.raises(Refused) as refused:
        client.mandate(person, "agent")
    assert refused.value.reasons == ("identity-not-proved",)
    made = client.mandate(person, "agent", "power-of-attorney", "identity-check", rights=["access"]).made or ""
    (one,) = client.mandates(person)
    assert (one.acting, one.kind, one.rights, one.items) == (made, "agent", ["access"], [])
    client.mandate_ends(person, made)
    assert client.mandates(person) == []


def test_values_are_reused_disclosed_and_advertised_only_as_the_policy_says(desk: tuple[Program, Client]) -> None:
    shop, client = desk
    person = shop.house.persons["stayer"]
    (name,) = (one.value for one in client.holdings(person) if one.item == "name")
    with pytest.raises(Refused):
        client.reuse(person, "offers", name)
    (phone,) = (one.value for one in client.holdings(person) if one.item == "phone")
    assert client.reuse(person, "offers", phone).values == {"phone": [phone]}
    with pytest.raises(Refused):
        client.disclose(person, "court", "name")
    told = client.disclose(person, "court", "name", shown=["document"])
    assert told.text("name") == text_of("stayer", "name")
    with pytest.raises(Refused):
        client.advertise(person, "offers", "email")
    client.consent(person, "medium/email", "website")
    assert client.advertise(person, "offers", "email").made
    with pytest.raises(Refused) as refused:
        client.advertise(person, "offers", "pigeon")
    assert refused.value.reasons == ("receiving-consent-missing",)


def test_what_is_kept_apart_is_seen_with_that_duty_alone(desk: tuple[Program, Client]) -> None:
    shop, client = desk
    person = shop.house.persons["leaver"]
    assert {one.state for one in client.holdings(person)} == {"separated"}
    seen = client.read_separated(person, "retention.disputes")
    assert set(seen.texts.values()) == {text_of("leaver", "name"), text_of("leaver", "email")}
    with pytest.raises(Refused):
        client.read(person, "service", "name")
    other = program(shop.house, "reads", duties=[Duty.READ])
    told = other.post(f"/subjects/{person}/read-separated", {"ground": "retention.disputes"})
    assert (told.status_code, told.json()["code"]) == (403, "duty-missing")
