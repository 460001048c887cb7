"""Signing in with the house's own provider: for whom it is bound, once, in one browser, and no lie passes."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from typer.testing import CliRunner

from tests.lying_provider import CLIENT, SECRET, ECKey, Lying, lying, rsa
from tests.served import Browser, Served, served, text_of
from upheld import cli
from upheld.connect.openid import Provider, ProviderSettings
from upheld.desk.accounts import account_named, close_account, reset_account
from upheld.desk.failures import failures
from upheld.desk.identities import account_bound, bind, unbind
from upheld.errors import InputRefused
from upheld.store import history
from upheld.web.providers import HouseProvider, providers_in

IDENTITY = "staff-1"
COLUMNS = "policy, provider, claim, account_id, bound_at"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "home") as house:
        yield house


@pytest.fixture
def provider(house: Served) -> Iterator[Lying]:
    with lying(lambda: house.clock.now() // 1_000_000) as provider:
        object.__setattr__(house.settings, "providers", tuple(offered(provider)))
        yield provider


def offered(provider: Lying, factors: frozenset[str] = frozenset({"mfa"})) -> Iterator[HouseProvider]:
    """The same provider for staff, and for persons."""
    for name, area, claims in (
        ("house", "console", {"account": "sub"}),
        ("people", "portal", {"email": "email", "phone": "phone_number"}),
    ):
        wanted = tuple(claims.values())
        settings = ProviderSettings(name, provider.address, CLIENT, SECRET, factors=factors, wanted=wanted)
        client = Provider(settings, provider.seconds)
        yield HouseProvider(client, {"en": f"Example {name}", "ko": "예시"}, area, frozenset({"trial"}), claims)  # type: ignore[arg-type]  # the client of the test


def bound(house: Served, name: str = "handler", identity: str = IDENTITY) -> None:
    account = account_named(house.keeper, "trial", name)
    assert account
    bind(house.keeper, account, "house", identity)


def away(browser: Browser, page: str = "/console/trial/sign-in", to: str = "/console/trial/sign-in/with/house") -> str:
    """Press the button; the address at the provider to which the page leads on."""
    browser.get(page)
    left = browser.send(to)
    assert left.status_code == 200, left.text
    return led_on(left.text)


def led_on(page: str) -> str:
    found = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', page)
    assert found, page
    return html.unescape(found[1])


def back(browser: Browser, to: str) -> httpx2.Response:
    """Go to the provider, sign in there, and come back."""
    there = httpx2.get(to, follow_redirects=False)
    assert there.status_code == 302, there.text
    address = urlsplit(there.headers["location"])
    return browser.client.get(f"{address.path}?{address.query}")


def came_in(browser: Browser) -> bool:
    return browser.client.get("/console/trial").url.path == "/console/trial"


# ── staff ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_staff_sign_in_with_the_identity_that_was_bound_and_the_second_factor_of_the_account(
    house: Served, provider: Lying
) -> None:
    bound(house)
    browser = house.browser()
    came = back(browser, away(browser))
    assert came.status_code == 200, came.text
    assert led_on(came.text) == "/console/trial/sign-in/code"
    assert not came_in(browser)
    browser.get("/console/trial/sign-in/code")
    entered = browser.send("/console/trial/sign-in/code", code=house.code("handler"))
    assert entered.url.path == "/console/trial"
    assert len(house.keeper.arrivals("trial")) == 1


def test_a_second_factor_that_the_provider_has_asked_for_counts_where_the_house_says_so(
    house: Served, provider: Lying
) -> None:
    bound(house)
    provider.claims = {"amr": ["pwd", "mfa"]}
    browser = house.browser()
    assert led_on(back(browser, away(browser)).text) == "/console/trial"
    assert came_in(browser)
    assert len(house.keeper.arrivals("trial")) == 1
    provider.claims = {"amr": ["pwd"]}
    other = house.browser()
    assert led_on(back(other, away(other)).text) == "/console/trial/sign-in/code"


def test_signing_in_makes_no_account_and_nobody_who_is_not_bound_comes_in(house: Served, provider: Lying) -> None:
    browser = house.browser()
    came = back(browser, away(browser))
    assert came.status_code == 403
    assert "makes no account" in came.text
    assert not came_in(browser)
    assert account_bound(house.keeper, "trial", "house", IDENTITY) is None


def test_an_identity_is_told_apart_by_every_letter(house: Served, provider: Lying) -> None:
    bound(house, identity="Staff-1")
    browser = house.browser()
    assert back(browser, away(browser)).status_code == 403
    bound(house, "counsel", IDENTITY)
    with pytest.raises(InputRefused, match="identity-bound"):
        bound(house, "officer", IDENTITY)
    found = account_bound(house.keeper, "trial", "house", IDENTITY)
    assert found == account_named(house.keeper, "trial", "counsel")
    assert account_bound(house.keeper, "other", "house", IDENTITY) is None


@pytest.mark.parametrize("ends", ["unbound", "closed", "reset", "old-table"])
def test_an_identity_that_was_taken_away_opens_nothing(house: Served, provider: Lying, ends: str) -> None:
    bound(house)
    keeper = house.keeper
    account = account_named(keeper, "trial", "handler")
    assert account
    with keeper.places.active.reading() as connection:
        rows = connection.execute(f"SELECT {COLUMNS} FROM account_identity").fetchall()
    if ends in ("unbound", "old-table"):
        unbind(keeper, account, "house")
    elif ends == "closed":
        close_account(keeper, "trial", "handler")
    else:
        reset_account(keeper, "trial", "handler")
    if ends == "old-table":  # somebody put an old copy of the table back
        insert = f"INSERT INTO account_identity({COLUMNS}) VALUES(?, ?, ?, ?, ?)"
        keeper.places.active.submit(lambda transaction: transaction.executemany(insert, rows))
    browser = house.browser()
    assert back(browser, away(browser)).status_code == 403


def test_the_officer_binds_on_a_page_and_sees_who_did_not_get_in(house: Served, provider: Lying) -> None:
    officer = house.signed_in("officer")
    officer.get("/console/trial/sign-ins")
    account = account_named(house.keeper, "trial", "handler")
    assert account
    done = officer.send(f"/console/trial/sign-ins/{account.account_id}/bound", provider="house", identity=IDENTITY)
    assert done.status_code == 200, done.text
    assert "Unbind: handler" in done.text
    assert IDENTITY not in done.text
    browser = house.browser()
    assert back(browser, away(browser)).status_code == 200
    officer.get("/console/trial/sign-ins")
    officer.send(f"/console/trial/sign-ins/{account.account_id}/unbound", provider="house")
    assert back(browser, away(browser)).status_code == 403
    house.keeper.seal()
    page = officer.get("/console/trial/sign-ins").text
    assert "bound to no account" in page
    assert IDENTITY not in page
    said = history.entries(house.keeper.places.sealer.connection, kinds=("identity.bound",))
    assert [bool(one.entry.fields.get("ended")) for one in said] == [False, True]


def test_the_command_line_binds_too(tmp_path: Path) -> None:
    with served(tmp_path / "home") as house:
        home = house.home
    for words in (["bind", "--identity", IDENTITY], ["unbind"]):
        given = ["--home", str(home), "--policy", "trial", "--name", "handler", "--provider", "house"]
        told = CliRunner().invoke(cli.app, ["account", words[0], *given, *words[1:]])
        assert told.exit_code == 0, told.output
        assert IDENTITY not in told.output


# ── persons ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def person_back(house: Served, browser: Browser) -> httpx2.Response:
    return back(browser, away(browser, "/portal/trial", "/portal/trial/with/people"))


def test_a_person_is_known_by_an_address_that_one_person_gave(house: Served, provider: Lying) -> None:
    provider.user = {"sub": "p-1", "email": text_of("stayer", "email"), "email_verified": True}
    browser = house.browser()
    came = person_back(house, browser)
    assert led_on(came.text) == "/portal/trial/mine"
    page = browser.get("/portal/trial/mine")
    assert page.url.path == "/portal/trial/mine"
    # One sign-in is one factor: contents want another.
    assert browser.get("/portal/trial/mine/contents").status_code == 403


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "nobody@example.org", "email_verified": True},
        {"email": "stayer@example.org"},
        {"email": "stayer@example.org", "email_verified": "true"},
        {"email": "stayer@example.org", "email_verified": True, "phone_number": text_of("asker", "phone"),
         "phone_number_verified": True},
        {"email": ["stayer@example.org"], "email_verified": True},
        {"email": "stranger@example.org", "email_verified": True},
    ],
)  # fmt: skip
def test_a_person_who_is_not_known_alone_is_nobody(house: Served, provider: Lying, claims: dict[str, object]) -> None:
    provider.user = {"sub": "p-1", **claims}
    browser = house.browser()
    came = person_back(house, browser)
    assert came.status_code == 403
    assert "stayer" not in came.text
    assert browser.get("/portal/trial/mine").url.path == "/portal/trial"


def test_an_address_that_several_persons_share_opens_nobody(house: Served, provider: Lying) -> None:
    keeper = house.keeper
    twin = keeper.enter("trial", "member")
    keeper.begin(twin, "membership")
    given = {"name": "Made Up", "email": text_of("stayer", "email")}
    assert keeper.collect(twin, "service", given, channel="website").granted
    provider.user = {"sub": "p-1", "email": text_of("stayer", "email"), "email_verified": True}
    assert person_back(house, house.browser()).status_code == 403


# ── attacks ─────────────────────────────────────────────────────────────────────────────────────────────────────────

LIES: dict[str, dict[str, object]] = {
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "several nonces": {"nonce": ["another"]},
    "another audience": {"aud": "another-client"},
    "no audience": {"aud": None},
    "several audiences and nobody who asked": {"aud": [CLIENT, "another-client"]},
    "asked for by another": {"azp": "another-client"},
    "another issuer": {"iss": "https://other.example.org"},
    "over": {"exp": 1},
    "without an end": {"exp": None},
    "made long ago": {"iat": 1},
    "made in the time to come": {"iat": 4_000_000_000},
    "not yet good": {"nbf": 4_000_000_000},
    "of nobody": {"sub": None},
    "of a number": {"sub": 7},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_says_anything_else_lets_nobody_in(house: Served, provider: Lying, lie: str) -> None:
    bound(house)
    provider.claims = LIES[lie]
    browser = house.browser()
    came = back(browser, away(browser))
    assert came.status_code == 403, lie
    assert not came_in(browser)
    provider.claims = {}
    assert back(browser, away(browser)).status_code == 200


@pytest.mark.parametrize("forged", ["unsigned", "public key as a secret", "our secret", "key of a stranger", "garbage"])
def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(house: Served, provider: Lying, forged: str) -> None:
    bound(house)
    if forged == "unsigned":
        provider.algorithm = "none"
    elif forged == "garbage":
        provider.token = "a.b.c"
    elif forged == "key of a stranger":
        provider.signs_with = RSAKey.import_key(rsa("stranger").as_dict(private=True), {"kid": "first"})
    else:
        public = rsa("first").as_pem(private=False)
        provider.algorithm, provider.secret = "HS256", public if "public" in forged else SECRET.encode()
    browser = house.browser()
    assert back(browser, away(browser)).status_code == 403
    assert not came_in(browser)


def test_another_browser_can_do_nothing_with_an_answer(house: Served, provider: Lying) -> None:
    bound(house)
    browser, thief = house.browser(), house.browser()
    there = httpx2.get(away(browser), follow_redirects=False).headers["location"]
    address = f"{urlsplit(there).path}?{urlsplit(there).query}"
    assert thief.client.get(address).status_code == 403
    away(thief)
    assert thief.client.get(address).status_code == 403
    assert not came_in(thief)
    # And nobody was kept from signing in by it.
    assert browser.client.get(address).status_code == 200


def test_an_answer_counts_once(house: Served, provider: Lying) -> None:
    bound(house)
    browser = house.browser()
    to = away(browser)
    flow = dict(browser.client.cookies)["upheld-flow-trial"]
    there = urlsplit(httpx2.get(to, follow_redirects=False).headers["location"])
    address = f"{there.path}?{there.query}"
    assert browser.client.get(address).status_code == 200
    assert "upheld-flow-trial" not in dict(browser.client.cookies)
    browser.client.cookies.set("upheld-flow-trial", flow)
    asked = len(provider.asked)
    assert browser.client.get(address).status_code == 403
    assert len(provider.asked) == asked


def test_a_code_that_was_used_elsewhere_is_refused_by_the_provider(house: Served, provider: Lying) -> None:
    bound(house)
    browser = house.browser()
    there = urlsplit(httpx2.get(away(browser), follow_redirects=False).headers["location"])
    provider.codes.clear()
    assert browser.client.get(f"{there.path}?{there.query}").status_code == 403
    assert provider.refused == ["invalid_grant"]


def test_a_code_of_another_sign_in_fails_for_its_verifier(house: Served, provider: Lying) -> None:
    """Code injection: the thief's code under one's own state. PKCE and the nonce stand against it."""
    bound(house)
    browser, thief = house.browser(), house.browser()
    stolen = parse_qs(urlsplit(httpx2.get(away(thief), follow_redirects=False).headers["location"]).query)["code"][0]
    own = urlsplit(httpx2.get(away(browser), follow_redirects=False).headers["location"])
    state = parse_qs(own.query)["state"][0]
    assert browser.client.get(own.path, params={"code": stolen, "state": state}).status_code == 403
    assert provider.refused == ["invalid_verifier"]


def test_an_answer_comes_too_late_after_ten_minutes(house: Served, provider: Lying) -> None:
    bound(house)
    browser = house.browser()
    to = away(browser)
    house.clock.set(house.clock.now() + 601_000_000)
    assert back(browser, to).status_code == 403


def test_one_provider_cannot_answer_for_another(house: Served, provider: Lying) -> None:
    bound(house)
    with lying(provider.seconds) as other:
        settings = ProviderSettings("other", other.address, CLIENT, SECRET)
        second = HouseProvider(Provider(settings, other.seconds), {"en": "Other"}, "console", None, {"account": "sub"})
        object.__setattr__(house.settings, "providers", (*house.settings.providers, second))
        browser = house.browser()
        there = urlsplit(httpx2.get(away(browser), follow_redirects=False).headers["location"])
        # The answer to the first is taken to the address of the second: its state belongs to the first.
        assert browser.client.get(f"/console/trial/sign-in/from/other?{there.query}").status_code == 403
        assert other.codes == {}
        assert other.asked == []
        # The same person there is nobody here.
        strange = house.browser()
        to = away(strange, to="/console/trial/sign-in/with/other")
        assert back(strange, to).status_code == 403
    # A provider that names itself in its answers is taken at its word.
    for named, status in ((provider.address, 200), ("https://other.example.org", 403)):
        provider.names_itself = named
        browser = house.browser()
        assert back(browser, away(browser)).status_code == status
    provider.names_itself, provider.metadata = None, {"authorization_response_iss_parameter_supported": True}
    object.__setattr__(house.settings, "providers", tuple(offered(provider)))
    browser = house.browser()
    assert back(browser, away(browser)).status_code == 403


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://other.example.org"},
        {"token_endpoint": "http://other.example.org/token"},
        {"code_challenge_methods_supported": ["plain"]},
        {"authorization_endpoint": None},
    ],
)
def test_a_provider_that_publishes_what_is_not_safe_is_not_used(
    house: Served, provider: Lying, metadata: dict[str, object]
) -> None:
    bound(house)
    provider.metadata = metadata
    browser = house.browser()
    browser.get("/console/trial/sign-in")
    left = browser.send("/console/trial/sign-in/with/house")
    if left.status_code == 200:
        left = back(browser, led_on(left.text))
    assert left.status_code == 503
    assert not came_in(browser)


def test_keys_of_the_provider_may_change_at_any_time(house: Served, provider: Lying) -> None:
    bound(house)
    browser = house.browser()
    assert back(browser, away(browser)).status_code == 200
    provider.keys = [rsa("second")]
    assert back(browser, away(browser)).status_code == 200
    provider.keys = [*provider.keys, ECKey.generate_key("P-256", {"kid": "third", "use": "sig"})]
    provider.algorithm = "ES256"
    assert back(browser, away(browser)).status_code == 200
    # A key that is not published any more signs for nobody.
    old, provider.keys, provider.algorithm = provider.keys[0], provider.keys[1:], "RS256"
    provider.signs_with = old
    object.__setattr__(house.settings, "providers", tuple(offered(provider)))
    assert back(browser, away(browser)).status_code == 403


def test_a_provider_that_is_away_takes_nothing_else_with_it(house: Served, provider: Lying) -> None:
    settings = ProviderSettings("gone", "http://127.0.0.1:9", CLIENT, SECRET)
    gone = HouseProvider(Provider(settings, provider.seconds), {"en": "Gone"}, "console", None, {"account": "sub"})
    object.__setattr__(house.settings, "providers", (gone,))
    browser = house.browser()
    browser.get("/console/trial/sign-in")
    assert browser.send("/console/trial/sign-in/with/gone").status_code == 503
    assert house.signed_in("handler").page


def test_a_provider_is_offered_only_where_it_is_for(house: Served, provider: Lying) -> None:
    browser = house.browser()
    assert "Example house" in browser.get("/console/trial/sign-in").text
    assert "Example people" not in browser.get("/console/trial/sign-in").text
    assert "Example people" in browser.get("/portal/trial").text
    assert "Example house" not in browser.get("/console/other/sign-in").text
    browser.get("/portal/trial")
    for path in ("/portal/trial/with/house", "/console/trial/sign-in/with/people", "/console/trial/sign-in/with/none"):
        assert browser.send(path).status_code == 404
        browser.get("/portal/trial")
    # Nobody is sent away by a page of another site.
    assert browser.post("/console/trial/sign-in/with/house", {}).status_code == 403


def test_the_content_policy_stays_as_it_is_and_the_cookie_is_kept_from_scripts(house: Served, provider: Lying) -> None:
    browser = house.browser()
    browser.get("/console/trial/sign-in")
    left = browser.send("/console/trial/sign-in/with/house")
    assert "form-action 'self'" in left.headers["content-security-policy"]
    assert provider.address not in left.headers["content-security-policy"]
    (cookie,) = (one for one in left.headers.get_list("set-cookie") if "flow" in one)
    assert {"HttpOnly", "SameSite=lax", "Max-Age=600"} <= set(cookie.split("; "))
    query = parse_qs(urlsplit(led_on(left.text)).query)
    secret = cookie.partition("=")[2].partition(";")[0]
    assert all(secret not in given for one in query.values() for given in one)
    assert query["code_challenge_method"] == ["S256"]


def test_nothing_that_came_from_a_provider_is_kept(house: Served, provider: Lying) -> None:
    bound(house, identity="an-identity-like-no-other")
    provider.user = {"sub": "an-identity-like-no-other", "name": "A Name Like No Other"}
    browser = house.browser()
    assert back(browser, away(browser)).status_code == 200
    provider.user = {"sub": "an-identity-that-is-unknown"}
    assert back(browser, away(browser)).status_code == 403
    house.keeper.seal()
    kept = b"".join(one.read_bytes() for one in house.home.rglob("*") if one.is_file())
    for said in (b"like-no-other", b"Like No Other", b"that-is-unknown", b"code-0", SECRET.encode()):
        assert said not in kept


# ── what it says besides ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_person_is_known_by_what_the_provider_says_besides_the_token(house: Served, provider: Lying) -> None:
    provider.user = {"sub": "p-1"}
    provider.userinfo = {"sub": "p-1", "email": text_of("stayer", "email"), "email_verified": True, "amr": ["mfa"]}
    browser = house.browser()
    assert led_on(person_back(house, browser).text) == "/portal/trial/mine"
    assert provider.asked.count("/userinfo") == 1
    assert browser.get("/portal/trial/mine").url.path == "/portal/trial/mine"


@pytest.mark.parametrize(
    "said",
    [
        {"sub": "p-2", "email": "stayer@example.org", "email_verified": True},
        {"email": "stayer@example.org", "email_verified": True},
        {"sub": "p-1", "email": "stayer@example.org"},
        {"sub": "p-1", "phone_number_verified": True},
    ],
)
def test_what_is_said_of_another_or_was_not_looked_at_lets_nobody_in(
    house: Served, provider: Lying, said: dict[str, object]
) -> None:
    provider.user, provider.userinfo = {"sub": "p-1"}, said
    browser = house.browser()
    assert person_back(house, browser).status_code == 403
    assert browser.get("/portal/trial/mine").url.path == "/portal/trial"


def test_the_token_has_the_say_over_what_is_said_besides(house: Served, provider: Lying) -> None:
    provider.user = {"sub": "p-1", "email": "nobody@example.org", "email_verified": True}
    provider.userinfo = {"sub": "p-1", "email": text_of("stayer", "email"), "email_verified": True}
    assert person_back(house, house.browser()).status_code == 403


@pytest.mark.parametrize("access", [None, 7, "with a blank", "with\r\na: line", "x" * 9_000])
def test_an_access_token_that_is_none_is_never_sent(house: Served, provider: Lying, access: object) -> None:
    provider.user, provider.access_token = {"sub": "p-1"}, access
    provider.userinfo = {"sub": "p-1", "email": text_of("stayer", "email"), "email_verified": True}
    assert person_back(house, house.browser()).status_code == 403
    assert "/userinfo" not in provider.asked


def test_staff_is_known_by_the_token_alone_and_nothing_else_is_asked_for(house: Served, provider: Lying) -> None:
    bound(house)
    provider.userinfo = {"sub": IDENTITY, "amr": ["mfa"]}
    browser = house.browser()
    assert led_on(back(browser, away(browser)).text) == "/console/trial/sign-in/code"
    assert "/userinfo" not in provider.asked


def test_an_access_token_that_was_put_in_place_of_another_is_found(house: Served, provider: Lying) -> None:
    bound(house)
    right = base64.urlsafe_b64encode(hashlib.sha256(b"an-access-token").digest()[:16]).decode().rstrip("=")
    for claim, status in ((right, 200), ("another", 403)):
        provider.claims = {"at_hash": claim}
        browser = house.browser()
        assert back(browser, away(browser)).status_code == status


# ── signing out ─────────────────────────────────────────────────────────────────────────────────────────────────────


def staff_in(house: Served, provider: Lying) -> Browser:
    provider.claims = {**provider.claims, "amr": ["mfa"]}
    browser = house.browser()
    assert led_on(back(browser, away(browser)).text) == "/console/trial"
    browser.get("/console/trial")
    return browser


def test_signing_out_leads_to_the_provider_and_back(house: Served, provider: Lying) -> None:
    bound(house)
    browser = staff_in(house, provider)
    out = browser.send("/console/trial/sign-out")
    to = urlsplit(led_on(out.text))
    assert f"{to.scheme}://{to.netloc}{to.path}" == f"{provider.address}/logout"
    query = {name: given[0] for name, given in parse_qs(to.query).items()}
    assert jwt.decode(query.pop("id_token_hint"), provider.keys[0]).claims["sub"] == IDENTITY
    assert query == {
        "from": "discovery",
        "client_id": CLIENT,
        "post_logout_redirect_uri": f"{house.settings.address}/console/trial/sign-in",
    }
    assert not came_in(browser)
    assert not any("token" in name for name in dict(browser.client.cookies))
    assert "sign-out" not in out.text


def test_who_is_known_by_more_than_the_provider_signs_out_there_too(house: Served, provider: Lying) -> None:
    """The second factor begins a session of its own; it rests on the same sign-in."""
    bound(house)
    browser = house.browser()
    back(browser, away(browser))
    browser.get("/console/trial/sign-in/code")
    browser.send("/console/trial/sign-in/code", code=house.code("handler"))
    assert led_on(browser.send("/console/trial/sign-out").text).startswith(provider.address)
    provider.user = {"sub": "p-1", "email": text_of("stayer", "email"), "email_verified": True}
    person = house.browser()
    person_back(house, person)
    person.get("/portal/trial/mine")
    person.send("/portal/trial/mine/second", item="phone", address=text_of("stayer", "phone"))
    person.send("/portal/trial/code", code=house.sent[-1].code or "")
    assert person.get("/portal/trial/mine/contents").status_code == 200
    person.get("/portal/trial/mine")
    query = parse_qs(urlsplit(led_on(person.send("/portal/trial/sign-out").text)).query)
    assert query["post_logout_redirect_uri"] == [f"{house.settings.address}/portal/trial"]


@pytest.mark.parametrize("endpoint", [None, "http://other.example.org/logout"])
def test_signing_out_needs_no_provider(house: Served, provider: Lying, endpoint: str | None) -> None:
    bound(house)
    provider.metadata = {"end_session_endpoint": endpoint}
    browser = staff_in(house, provider)
    out = browser.send("/console/trial/sign-out")
    assert out.url.path == "/console/trial/sign-in"
    assert not came_in(browser)
    # Who signed in with an account of ours is led nowhere.
    own = house.signed_in("handler")
    assert own.send("/console/trial/sign-out").url.path == "/console/trial/sign-in"


def test_an_id_token_too_long_for_a_cookie_is_not_kept(house: Served, provider: Lying) -> None:
    bound(house)
    provider.claims = {"more": "x" * 3_600}
    browser = staff_in(house, provider)
    query = parse_qs(urlsplit(led_on(browser.send("/console/trial/sign-out").text)).query)
    assert "id_token_hint" not in query


def ends(house: Served, token: str, name: str = "house") -> int:
    """The provider tells us, as a program of its own does."""
    return house.browser().post(f"/sign-ins/{name}/ended", {"logout_token": token}).status_code


@pytest.mark.parametrize("said", ["of a person", "of a sign-in", "of both"])
def test_what_ends_at_the_provider_ends_here(house: Served, provider: Lying, said: str) -> None:
    bound(house)
    provider.claims = {"sid": "s-1"}
    first = staff_in(house, provider)
    provider.claims = {"sid": "s-2"}
    second = staff_in(house, provider)
    own = house.signed_in("counsel")
    of: dict[str, dict[str, object]] = {
        "of a person": {}, "of a sign-in": {"sub": None, "sid": "s-1"}, "of both": {"sid": "s-1"}
    }  # fmt: skip
    told = of[said]
    assert ends(house, provider.ended(sub="staff-2", sid="s-3")) == 200
    assert came_in(first)
    assert ends(house, provider.ended(**told)) == 200
    assert not came_in(first)
    assert came_in(second) == (said != "of a person")
    assert came_in(own)


def test_a_person_whose_sign_in_ends_at_the_provider_is_out_here(house: Served, provider: Lying) -> None:
    provider.user = {"sub": "p-1", "email": text_of("stayer", "email"), "email_verified": True}
    browser = house.browser()
    person_back(house, browser)
    assert browser.get("/portal/trial/mine").url.path == "/portal/trial/mine"
    # The same name at another provider of the house is somebody else.
    assert ends(house, provider.ended()) == 200
    assert browser.get("/portal/trial/mine").url.path == "/portal/trial/mine"
    assert ends(house, provider.ended(), "people") == 200
    assert browser.get("/portal/trial/mine").url.path == "/portal/trial"


NO_LOGOUT: dict[str, dict[str, object]] = {
    "another audience": {"aud": "another-client"},
    "another issuer": {"iss": "https://other.example.org"},
    "over": {"exp": 1},
    "without an end": {"exp": None},
    "made long ago": {"iat": 1},
    "without a number": {"jti": None},
    "without an event": {"events": None},
    "with another event": {"events": {"http://schemas.openid.net/event/other": {}}},
    "an ID token": {"nonce": "n"},
    "of nobody": {"sub": None},
    "of a number": {"sub": 7},
}


@pytest.mark.parametrize("lie", NO_LOGOUT)
def test_what_is_no_logout_token_ends_nothing(house: Served, provider: Lying, lie: str) -> None:
    bound(house)
    browser = staff_in(house, provider)
    assert ends(house, provider.ended(**NO_LOGOUT[lie])) == 400
    assert came_in(browser)


def test_nobody_else_can_say_that_a_sign_in_is_over(house: Served, provider: Lying) -> None:
    bound(house)
    browser = staff_in(house, provider)
    provider.signs_with = RSAKey.import_key(rsa("stranger").as_dict(private=True), {"kid": "first"})
    assert ends(house, provider.ended()) == 400
    provider.signs_with = None
    assert ends(house, "a.b.c") == ends(house, "") == ends(house, provider.made({"nonce": "n"})) == 400
    assert ends(house, provider.ended(), "none") == 404
    assert came_in(browser)


def test_a_logout_token_that_comes_again_ends_nothing_that_began_since(house: Served, provider: Lying) -> None:
    bound(house)
    staff_in(house, provider)
    token = provider.ended(exp=provider.seconds() + 600)
    assert ends(house, token) == 200
    house.clock.set(house.clock.now() + 90_000_000)
    later = staff_in(house, provider)
    assert ends(house, token) == 200
    assert came_in(later)


# ── the file of providers ───────────────────────────────────────────────────────────────────────────────────────────


def test_providers_are_read_from_a_file_and_their_secrets_from_the_environment() -> None:
    document = """
- name: house
  title: {en: Example account, ko: 예시 계정}
  issuer: https://login.example.org
  client-id: upheld
  for: staff
  factors: [mfa]
- name: people
  title: {en: Example people, ko: 예시}
  issuer: https://people.example.org
  client-id: portal
  for: persons
  policies: [trial]
"""
    staff, persons = providers_in(document.encode(), {"UPHELD_SIGN_IN_HOUSE_SECRET": SECRET}, lambda: 0)
    assert staff.provider.settings.secret == SECRET
    assert SECRET not in repr(staff)
    assert dict(staff.claims) == {"account": "sub"}
    assert staff.serves("console", "any")
    assert not staff.serves("portal", "any")
    assert dict(persons.claims) == {"email": "email"}
    assert persons.provider.settings.scopes == ("email",)
    assert not persons.serves("portal", "other")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("issuer: https:", "issuer: http:"), "https"),
        (("name: house", "name: The House"), "no name"),
        (("for: staff", "for: everybody"), "everybody"),
        (("client-id:", "client:"), "client"),
        (("for: staff", "for: staff\n  claims: {email: email}"), "account"),
    ],
)
def test_a_file_of_providers_says_what_to_mend(change: tuple[str, str], said: str) -> None:
    document = "- name: house\n  title: {en: A}\n  issuer: https://a.example.org\n  client-id: upheld\n  for: staff\n"
    assert providers_in(document.encode(), {}, lambda: 0)
    with pytest.raises(ValueError, match=said):
        providers_in(document.replace(*change).encode(), {}, lambda: 0)


# ── who did not get in ──────────────────────────────────────────────────────────────────────────────────────────────


def test_whoever_guesses_is_seen_and_nothing_that_was_typed_is_kept(house: Served) -> None:
    browser = house.browser()
    for name, tries in (("handler", 3), ("a-name-nobody-has", 10)):
        for _ in range(tries):
            browser.get("/console/trial/sign-in")
            browser.send("/console/trial/sign-in", name=name, password="a password like no other")
    browser.get("/console/trial/sign-in")
    browser.send("/console/trial/sign-in", name="handler", password=house.staff["handler"].password)
    browser.send("/console/trial/sign-in/code", code="000000")
    browser.get("/portal/trial")
    browser.send("/portal/trial", item="email", address=text_of("stayer", "email"))
    browser.send("/portal/trial/code", code="00000000")
    house.keeper.seal()
    account = account_named(house.keeper, "trial", "handler")
    assert account
    found = {(one.area, one.step, one.why, one.account_id): one.tries for one in failures(house.keeper, "trial")}
    assert found == {
        ("console", "password", "wrong", account.account_id): 3,
        ("console", "password", "wrong", None): 8,
        ("console", "password", "too-many", None): 1,
        ("console", "second", "wrong", account.account_id): 1,
        ("portal", "code", "wrong", None): 1,
    }
    page = house.signed_in("officer").get("/console/trial/sign-ins").text
    assert "handler" in page
    kept = b"".join(one.read_bytes() for one in house.home.rglob("*") if one.is_file())
    assert b"a-name-nobody-has" not in kept
    assert b"a password like no other" not in kept


def test_the_officer_is_told_on_the_first_page_when_somebody_keeps_trying(house: Served) -> None:
    browser, officer = house.browser(), house.signed_in("officer")
    told = "Somebody tries to get in"
    for number in range(25):
        browser.get("/console/trial/sign-in")
        browser.send("/console/trial/sign-in", name=f"guess-{number}", password="a password like no other")
        if number == 15:
            house.keeper.seal()
            assert told not in officer.get("/console/trial").text
    house.keeper.seal()
    assert f"{told}: 25 failed sign-ins" in officer.get("/console/trial").text
    assert told not in house.signed_in("handler").get("/console/trial").text
    house.clock.set(house.clock.now() + 2 * 86_400_000_000)
    assert told not in house.signed_in("officer").get("/console/trial").text


def test_tokens_of_the_tests_are_good_where_nothing_is_wrong(provider: Lying) -> None:
    """The attacks above fail for what is wrong in them, and for nothing else."""
    token = provider.made({"nonce": "n"})
    assert jwt.decode(token, provider.keys[0]).claims["aud"] == CLIENT
