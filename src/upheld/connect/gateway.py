"""A gateway of others, for text messages and the like: one signed request for each letter, over the web.

The request is a POST of JSON: `id`, `to`, `text`, `locale`. The header `Idempotency-Key` repeats the id, so that a
gateway that keeps to its contract takes a letter once however often it is handed over. `Upheld-Signature` is
HMAC-SHA256 over the body.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from upheld.connect.transport import Answer, Handed, Letter

TIMEOUT = 30.0
_HERE = ("localhost", "127.0.0.1", "::1")
_ONCE_MORE = (408, 425, 429)
"""Answers by which a gateway asks to be tried later."""


@dataclass(frozen=True)
class GatewaySettings:
    """Where letters of a medium are handed over. `secret` signs them. `idempotent`: it takes the same id only once."""

    url: str
    medium: str
    secret: bytes
    idempotent: bool = False
    trust: ssl.SSLContext | None = None
    timeout: float = TIMEOUT

    def __post_init__(self) -> None:
        address = urlsplit(self.url)
        if address.scheme != "https" and not (address.scheme == "http" and address.hostname in _HERE):
            raise ValueError("a gateway is reached by https; by http only on this machine")


class Gateway:
    """A gateway as a transport."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings

    @property
    def medium(self) -> str:
        """The medium it serves."""
        return self._settings.medium

    def send(self, letter: Letter) -> Answer:
        """Hand a letter over. An answer that does not come leaves it open, unless the gateway tells repeats apart."""
        s = self._settings
        body = json.dumps(
            {"id": letter.message_id, "to": letter.to, "text": letter.text, "locale": letter.locale}, ensure_ascii=False
        ).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": letter.message_id,
            "Upheld-Signature": hmac.new(s.secret, body, hashlib.sha256).hexdigest(),
        }
        connection = self._connection()
        try:
            try:
                connection.connect()
            except OSError:
                return Answer(Handed.LATER, "no-connection")
            try:
                connection.request("POST", urlsplit(s.url).path or "/", body, headers)
                status = connection.getresponse().status
            except (OSError, http.client.HTTPException):
                return Answer(Handed.LATER if s.idempotent else Handed.UNCERTAIN, "connection-lost")
        finally:
            connection.close()
        return self._meant(status)

    def _meant(self, status: int) -> Answer:
        if 200 <= status < 300 or (status == 409 and self._settings.idempotent):
            return Answer(Handed.SENT)
        if status in _ONCE_MORE:
            return Answer(Handed.LATER, "asked-to-wait")
        if status >= 500:
            return Answer(Handed.LATER if self._settings.idempotent else Handed.UNCERTAIN, "gateway-failed")
        return Answer(Handed.FAILED, "gateway-refused")

    def _connection(self) -> http.client.HTTPConnection:
        address, s = urlsplit(self._settings.url), self._settings
        host = address.hostname or ""
        if address.scheme == "http":
            return http.client.HTTPConnection(host, address.port, timeout=s.timeout)
        trust = s.trust or ssl.create_default_context()
        return http.client.HTTPSConnection(host, address.port, timeout=s.timeout, context=trust)

    def close(self) -> None:
        """Nothing stays open."""
