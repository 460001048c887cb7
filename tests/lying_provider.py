"""A provider of OpenID Connect on this machine, over HTTP, that checks what providers check and lies where it is told.

It keeps to the protocol: discovery, authorization code with PKCE, client secret, each code once, signed ID tokens. What
it says can be changed field by field, to see that a lie is found.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet, RSAKey

CLIENT, SECRET = "upheld", "a secret of the tests"


@cache
def rsa(kid: str) -> RSAKey:
    """A key of the provider; making one takes a while."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


@dataclass
class Lying:
    """What it publishes, signs with and says. `claims` are put over those that would be true; None takes one away."""

    seconds: Callable[[], int]
    address: str = ""
    keys: list[Key] = field(default_factory=lambda: [rsa("first")])
    user: dict[str, object] = field(default_factory=lambda: {"sub": "staff-1", "email": "one@example.org"})
    claims: dict[str, object] = field(default_factory=dict)
    metadata: dict[str, object] = field(default_factory=dict)
    signs_with: Key | None = None
    secret: bytes = b""
    """What a forger signs with where the algorithm is one with a secret."""
    algorithm: str = "RS256"
    names_itself: str | None = None
    token: str | None = None
    """An ID token in place of its own."""
    userinfo: dict[str, object] | None = None
    """What it says besides the ID token, to whoever has the access token; None: it has no such place."""
    access_token: object = "an-access-token"
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    """Why it gave no token, as providers log it."""
    asked: list[str] = field(default_factory=list)

    def discovery(self) -> dict[str, object]:
        told: dict[str, object] = {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
            "code_challenge_methods_supported": ["S256"],
            "end_session_endpoint": f"{self.address}/logout?from=discovery",
        }
        if self.userinfo is not None:
            told["userinfo_endpoint"] = f"{self.address}/userinfo"
        return {**told, **self.metadata}

    def authorized(self, query: dict[str, str]) -> str:
        """Where the browser is sent back to, as if somebody had signed in."""
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        back = {"code": code, "state": query["state"]}
        if self.names_itself is not None:
            back["iss"] = self.names_itself
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def redeemed(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, object]]:
        expected = base64.b64encode(f"{CLIENT}:{SECRET.replace(' ', '%20')}".encode()).decode()
        if authorization != f"Basic {expected}":
            return self._no("invalid_client")
        query = self.codes.pop(form.get("code", ""), None)
        if query is None or form.get("redirect_uri") != query["redirect_uri"]:
            return self._no("invalid_grant")
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest())
        if challenge.decode().rstrip("=") != query["code_challenge"]:
            return self._no("invalid_verifier")
        made = self.token or self.made(query)
        return 200, {"access_token": self.access_token, "token_type": "Bearer", "id_token": made}

    def _no(self, error: str) -> tuple[int, dict[str, object]]:
        self.refused.append(error)
        return 400, {"error": error}

    def ended(self, **claims: object) -> str:
        """A logout token; None takes a claim away."""
        now = self.seconds()
        true: dict[str, object] = {
            "iss": self.address, "aud": CLIENT, "iat": now, "exp": now + 120, "jti": "one", "sub": self.user["sub"],
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        }  # fmt: skip
        said = {name: one for name, one in {**true, **claims}.items() if one is not None}
        key = self.signs_with or self.keys[-1]
        return jwt.encode({"alg": "RS256", "kid": key.kid, "typ": "logout+jwt"}, said, key, algorithms=["RS256"])

    def made(self, query: dict[str, str]) -> str:
        """The ID token."""
        now = self.seconds()
        true: dict[str, object] = {
            "iss": self.address, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": query["nonce"], **self.user
        }  # fmt: skip
        said = {name: one for name, one in {**true, **self.claims}.items() if one is not None}
        key = self.signs_with or self.keys[-1]
        if self.algorithm in ("none", "HS256"):
            head = {"alg": self.algorithm, "kid": key.kid}
            text = ".".join(_base64(json.dumps(one).encode()) for one in (head, said))
            tag = hmac.digest(self.secret, text.encode(), "sha256") if self.algorithm == "HS256" else b""
            return f"{text}.{_base64(tag)}"
        header = {"alg": self.algorithm, **({"kid": key.kid} if key.kid else {})}
        return jwt.encode(header, said, key, algorithms=[self.algorithm])


class _Handler(BaseHTTPRequestHandler):
    provider: Lying

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, _flat(urlsplit(self.path).query)
        self.provider.asked.append(path)
        match path:
            case "/.well-known/openid-configuration":
                self._json(200, self.provider.discovery())
            case "/keys":
                self._json(200, dict(KeySet(self.provider.keys).as_dict()))
            case "/userinfo" if self.headers.get("Authorization") == f"Bearer {self.provider.access_token}":
                self._json(200, dict(self.provider.userinfo or {}))
            case "/authorize":
                self.send_response(302)
                self.send_header("Location", self.provider.authorized(query))
                self.end_headers()
            case _:
                self._json(404, {})

    def do_POST(self) -> None:
        form = _flat(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.provider.asked.append(self.path)
        self._json(*self.provider.redeemed(form, self.headers.get("Authorization", "")))

    def _json(self, status: int, said: dict[str, Any]) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """The tests say what went wrong."""


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _flat(text: str) -> dict[str, str]:
    return {name: given[0] for name, given in parse_qs(text).items()}


@contextmanager
def lying(seconds: Callable[[], int]) -> Iterator[Lying]:
    """The provider, listening on this machine."""
    provider = Lying(seconds)
    handler = type("Handler", (_Handler,), {"provider": provider})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    provider.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


__all__ = ["CLIENT", "SECRET", "ECKey", "Lying", "lying", "rsa"]
