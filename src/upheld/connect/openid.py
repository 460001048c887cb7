"""OpenID Connect: authorization code with PKCE at a provider of the house. joserfc checks signatures and claims.

An answer is believed for its ID token: signed by a key that the provider publishes, made by this issuer for this
client, alive, and carrying the nonce of this browser. The token is fetched from the provider itself, over TLS. Claims
that it lacks are asked for at the provider's `userinfo`, which must speak of the same person. Signing out leads to the
provider too, and what it says of a sign-in that is over there (back-channel logout) is held to the same signatures.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import httpx2
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from upheld.errors import UpheldError

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a key that only the provider has. Never `none`, never one with a secret that both know."""
LEEWAY_SECONDS: Final = 60
OLDEST_SECONDS: Final = 600
"""Ours: a token that was made longer ago was not made for this sign-in."""
KNOWN_FOR_SECONDS: Final = 3600
TIMEOUT: Final = 10.0
LARGEST_ANSWER: Final = 512 * 1024
LONGEST_CLAIM: Final = 320
_HERE: Final = ("localhost", "127.0.0.1", "::1")
_SHOWN: Final = {"email": "email_verified", "phone_number": "phone_number_verified"}
"""Claims that count only where the provider says that it has looked."""
_LOGOUT: Final = "http://schemas.openid.net/event/backchannel-logout"
_BEARER: Final = re.compile(r"[A-Za-z0-9._~+/-]{1,8000}=*")


class NotSignedIn(UpheldError):
    """The provider's answer shows nobody. `code` says why, in a word; what came is not repeated."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(f"{code}: {message}")


@dataclass(frozen=True)
class ProviderSettings:
    """One provider. `scopes` beyond `openid`; `claims`: item or `account` → the claim that names it, best first.

    `factors`: values of `amr` or `acr`, one of which shows that the provider has asked for a second factor itself.
    """

    name: str
    issuer: str
    client_id: str
    secret: str = field(default="", repr=False)
    scopes: tuple[str, ...] = ("email",)
    factors: frozenset[str] = frozenset()
    wanted: tuple[str, ...] = ()
    """Claims that somebody is known by; `userinfo` is asked for those that the ID token lacks."""

    def __post_init__(self) -> None:
        if not _safe(self.issuer):
            raise ValueError("a provider is reached by https; by http only on this machine")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What belongs to one sign-in of one browser. All of it comes from one random secret that the browser keeps."""

    state: str
    nonce: str
    verifier: str

    @property
    def challenge(self) -> str:
        """What is sent of the verifier beforehand (RFC 7636, S256)."""
        return _base64(hashlib.sha256(self.verifier.encode()).digest())


def attempt_of(secret: bytes) -> Attempt:
    """State, nonce and verifier of a browser's secret."""
    return Attempt(*(_base64(hmac.digest(secret, name, hashlib.sha256)) for name in (b"state", b"nonce", b"verifier")))


@dataclass(frozen=True, slots=True)
class Signed:
    """Who the provider says it is. `second_factor`: it has asked for more than one thing to know them by."""

    claims: Mapping[str, Any]
    second_factor: bool
    token: str = field(default="", repr=False)
    """The ID token as it came: what the provider wants to see again when somebody signs out."""

    @property
    def subject(self) -> str:
        """Who this is there."""
        return str(self.claims["sub"])

    @property
    def sitting(self) -> str | None:
        """Which sign-in there this was, where the provider tells (`sid`)."""
        said = self.claims.get("sid")
        return said if isinstance(said, str) else None

    def claim(self, name: str) -> str | None:
        """A claim as text; None where it is missing, or not verified where that is asked."""
        said, looked_at = self.claims.get(name), _SHOWN.get(name)
        if not isinstance(said, str) or not 0 < len(said) <= LONGEST_CLAIM:
            return None
        return said if looked_at is None or self.claims.get(looked_at) is True else None


@dataclass(frozen=True, slots=True)
class Ended:
    """What a provider says has ended there: all of somebody's sign-ins, or (`sitting`) one. `at`: Unix seconds."""

    subject: str | None
    sitting: str | None
    at: int


class Provider:
    """One provider, as a client of it. What it publishes is kept for an hour, its keys until one is met that is new."""

    def __init__(
        self, settings: ProviderSettings, seconds: Callable[[], int], http: httpx2.Client | None = None
    ) -> None:
        self.settings = settings
        self._seconds = seconds
        limits = httpx2.Limits(max_keepalive_connections=0)  # asked seldom, and nothing is left open
        self._http = http or httpx2.Client(timeout=TIMEOUT, follow_redirects=False, limits=limits)
        self._turn = Lock()
        self._metadata: tuple[int, Mapping[str, Any]] | None = None
        self._keys: KeySet | None = None

    # ── going there ─────────────────────────────────────────────────────────────────────────────────────────────────

    def address(self, redirect: str, attempt: Attempt) -> str:
        """Where the browser goes. Raises NotSignedIn when the provider can't be reached."""
        endpoint = self._endpoint("authorization_endpoint")
        query = {
            "response_type": "code",
            "response_mode": "query",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect,
            "scope": " ".join(("openid", *self.settings.scopes)),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"

    # ── coming back ─────────────────────────────────────────────────────────────────────────────────────────────────

    def signed_in(self, redirect: str, attempt: Attempt, came: Mapping[str, str]) -> Signed:
        """Who came back, by the query of the address they came back to. Raises NotSignedIn."""
        if not hmac.compare_digest(came.get("state", "").encode(), attempt.state.encode()):
            raise NotSignedIn("state-wrong", "this answer is none to a question of this browser")
        said = came.get("iss")
        if said is None and self._discovered().get("authorization_response_iss_parameter_supported") is True:
            raise NotSignedIn("issuer-missing", "the provider names itself in its answers, and this one does not")
        if said is not None and said != self.settings.issuer:
            raise NotSignedIn("issuer-other", "another provider answered than the one that was asked")
        if "error" in came or not came.get("code"):
            raise NotSignedIn("refused-there", "the provider signed nobody in")
        token, access = self._redeemed(redirect, attempt, came["code"])
        claims = self._claims(token, attempt.nonce, access)
        if any(one not in claims or _SHOWN.get(one, one) not in claims for one in self.settings.wanted):
            claims = {**self._userinfo(access, claims["sub"]), **claims}
        return Signed(claims, self._second_factor(claims), token)

    def _userinfo(self, access: str, subject: str) -> Mapping[str, Any]:
        """What the provider says besides of this very person; nothing where it has no such place or gives no key."""
        if not access or "userinfo_endpoint" not in self._discovered():
            return {}
        headers = {"Accept": "application/json", "Authorization": f"Bearer {access}"}
        found = self._asked("GET", self._endpoint("userinfo_endpoint"), headers, None)
        if found.get("sub") != subject:
            raise NotSignedIn("userinfo-other", "the provider spoke of another person than the one who signed in")
        wanted = {*self.settings.wanted, *(_SHOWN.get(one, one) for one in self.settings.wanted)}
        return {name: said for name, said in found.items() if name in wanted}

    def _redeemed(self, redirect: str, attempt: Attempt, code: str) -> tuple[str, str]:
        """The ID token, and the key to `userinfo`; empty where that is none."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": attempt.verifier,
        }
        s, headers = self.settings, {"Accept": "application/json"}
        ways = self._discovered().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if not s.secret:
            form["client_id"] = s.client_id
        elif "client_secret_basic" in ways:
            pair = f"{quote(s.client_id, safe='')}:{quote(s.secret, safe='')}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": s.client_id, "client_secret": s.secret}
        answer = self._asked("POST", self._endpoint("token_endpoint"), headers, form)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise NotSignedIn("token-missing", "the provider gave no ID token")
        access = answer.get("access_token")
        usable = isinstance(access, str) and _BEARER.fullmatch(access) is not None
        return token, str(access) if usable else ""

    def _claims(self, token: str, nonce: str, access: str) -> Mapping[str, Any]:
        verified = self._verified(token)
        claims = verified.claims
        s, now = self.settings, self._seconds()
        self._hold("ID token", claims, now, sub={"essential": True}, nonce={"essential": True, "value": nonce})
        audience = claims["aud"]
        several = isinstance(audience, list) and len(audience) > 1
        if (several and "azp" not in claims) or claims.get("azp", s.client_id) != s.client_id:
            raise NotSignedIn("token-refused", "the ID token was made for another client too, and not asked for by us")
        if not isinstance(claims["nonce"], str) or now - claims["iat"] > OLDEST_SECONDS:
            raise NotSignedIn("token-refused", "the ID token was not made for this sign-in")
        named = claims.get("at_hash")
        if access and named is not None and named != _half_hash(access, verified.header["alg"]):
            raise NotSignedIn("token-refused", "the ID token came with another access token than its own")
        return claims

    def _hold(self, what: str, claims: Mapping[str, Any], now: int, **more: Any) -> None:
        """Every token is of this issuer, for this client, and alive; `more`: what this kind has to say besides."""
        registry = jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self.settings.issuer},
            aud={"essential": True, "value": self.settings.client_id},
            exp={"essential": True},
            iat={"essential": True},
            **more,
        )
        try:
            registry.validate(dict(claims))
        except JoseError as failure:
            raise NotSignedIn("token-refused", f"the {what} does not hold: {failure.error}") from None

    def _verified(self, token: str) -> jwt.Token:
        """The token under a key of the provider; its keys are asked for again when none fits, since they change."""
        for fresh in (False, True):
            try:
                return jwt.decode(token, self._key_set(fresh=fresh), algorithms=ALGORITHMS)
            except (JoseError, ValueError, TypeError, KeyError):
                continue
        raise NotSignedIn("token-refused", "the ID token is not signed by a key of the provider")

    def _second_factor(self, claims: Mapping[str, Any]) -> bool:
        ways = claims.get("amr")
        shown = {one for one in ways if isinstance(one, str)} if isinstance(ways, list) else set()
        acr = claims.get("acr")
        return bool(self.settings.factors & (shown | ({acr} if isinstance(acr, str) else set())))

    # ── signing out ─────────────────────────────────────────────────────────────────────────────────────────────────

    def logout_address(self, back: str, token: str | None) -> str | None:
        """Where the browser goes to sign out there too (RP-initiated logout), coming back to `back`, which the provider
        has to know; `token`: the ID token, where it is still had. None where the provider offers it not, or is away.
        """
        try:
            endpoint = self._endpoint("end_session_endpoint")
        except NotSignedIn:
            return None
        query = {"client_id": self.settings.client_id, "post_logout_redirect_uri": back}
        if token:
            query["id_token_hint"] = token
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"

    def ended(self, token: str) -> Ended:
        """What a logout token says (OpenID Connect Back-Channel Logout 1.0, 2.6). Raises NotSignedIn."""
        verified = self._verified(token)
        claims, now = verified.claims, self._seconds()
        self._hold("logout token", claims, now, jti={"essential": True})
        subject, sitting = (one if isinstance(one, str) else None for one in (claims.get("sub"), claims.get("sid")))
        events = claims.get("events")
        told = isinstance(events, dict) and isinstance(events.get(_LOGOUT), dict)
        if not told or "nonce" in claims or (subject is None and sitting is None):
            raise NotSignedIn("token-refused", "this is no logout token")
        if now - claims["iat"] > OLDEST_SECONDS:
            raise NotSignedIn("token-refused", "the logout token was made too long ago")
        return Ended(subject, sitting, claims["iat"])

    # ── what it publishes ───────────────────────────────────────────────────────────────────────────────────────────

    def _discovered(self) -> Mapping[str, Any]:
        with self._turn:
            known = self._metadata
            if known is not None and 0 <= self._seconds() - known[0] < KNOWN_FOR_SECONDS:
                return known[1]
            issuer = self.settings.issuer
            found = self._asked("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration", {}, None)
            if found.get("issuer") != issuer:
                raise NotSignedIn("provider-unfit", "what is published there is of another issuer")
            challenges = found.get("code_challenge_methods_supported")
            if isinstance(challenges, list) and "S256" not in challenges:
                raise NotSignedIn("provider-unfit", "the provider does not do PKCE with S256")
            self._metadata, self._keys = (self._seconds(), found), None
            return found

    def _key_set(self, *, fresh: bool) -> KeySet:
        address = self._endpoint("jwks_uri")
        with self._turn:
            if self._keys is None or fresh:
                found = self._asked("GET", address, {}, None)
                listed = found.get("keys")
                usable = [one for one in listed if _signs(one)] if isinstance(listed, list) else []
                self._keys = KeySet.import_key_set({"keys": usable})
            return self._keys

    def _endpoint(self, name: str) -> str:
        address = self._discovered().get(name)
        if not isinstance(address, str) or not _safe(address):
            raise NotSignedIn("provider-unfit", f"the provider publishes no usable `{name}`")
        return address

    def _asked(
        self, method: str, address: str, headers: Mapping[str, str], form: Mapping[str, str] | None
    ) -> Mapping[str, Any]:
        """One question to the provider. What it answers besides is never repeated."""
        try:
            with self._http.stream(method, address, headers=dict(headers), data=form) as answer:
                body = b"".join(_at_most(answer.iter_bytes(), LARGEST_ANSWER))
        except (httpx2.HTTPError, httpx2.InvalidURL):
            raise NotSignedIn("provider-away", "the provider can't be reached") from None
        if answer.status_code != 200:
            code = "provider-away" if answer.status_code >= 500 else "refused-there"
            raise NotSignedIn(code, f"the provider answered {answer.status_code}")
        try:
            found = json.loads(body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise NotSignedIn("provider-unfit", "the provider's answer is not readable")
        return found


def _at_most(parts: Iterable[bytes], most: int) -> list[bytes]:
    taken, found = 0, list[bytes]()
    for part in parts:
        taken += len(part)
        if taken > most:
            raise NotSignedIn("provider-unfit", "the provider's answer is too long")
        found.append(part)
    return found


def _signs(key: object) -> bool:
    """Keys for signatures of the kinds we take; a shared secret that is published is none."""
    return isinstance(key, dict) and key.get("use", "sig") == "sig" and key.get("kty") in ("RSA", "EC", "OKP")


def _safe(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE)


def _half_hash(access: str, algorithm: str) -> str:
    """What `at_hash` has to be (OpenID Connect Core, 3.1.3.6): half of the digest that the signature uses."""
    digest = hashlib.new(f"sha{algorithm[-3:]}" if algorithm[-3:].isdigit() else "sha512", access.encode()).digest()
    return _base64(digest[: len(digest) // 2])


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
