"""E-mail over SMTP. What happens before the text is handed over can be tried again; after that it may have arrived."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.utils import format_datetime
from enum import StrEnum

from upheld.connect.transport import Answer, Handed, Letter

TIMEOUT = 30.0
LONGEST_LINE = 998
"""RFC 5322 2.1.1."""


class Security(StrEnum):
    """How the connection is protected. Without is for a server on this machine only."""

    STARTTLS = "starttls"
    TLS = "tls"
    LOCAL = "local"


@dataclass(frozen=True)
class MailSettings:
    """Where mail is handed over and under which name. `sender` is a plain address; its domain ends the message ids."""

    host: str
    port: int
    sender: str
    name: str = ""
    security: Security = Security.STARTTLS
    user: str | None = None
    password: str | None = None
    trust: ssl.SSLContext | None = None
    """Whom to trust; the machine's authorities if left out."""
    reply_to: str | None = None
    timeout: float = TIMEOUT

    def __post_init__(self) -> None:
        if self.security is Security.LOCAL and self.host not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError(f"mail to `{self.host}` would cross the net in clear; choose `starttls` or `tls`")


class Mail:
    """A mail server as a transport. One connection serves many letters; one at a time."""

    medium = "email"

    def __init__(self, settings: MailSettings, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        self._open: smtplib.SMTP | None = None

    def send(self, letter: Letter) -> Answer:
        """Hand a letter over; says `uncertain` only when the connection broke after the text was on its way."""
        try:
            message = _headed(letter, _message(letter, self._settings, self._now()))
        except ValueError:
            return Answer(Handed.FAILED, "address-unusable")
        try:
            server = self._connected()
            server.ehlo_or_helo_if_needed()
            refused = _refused(server.mail(self._settings.sender), "sender-refused", for_good=False) or _refused(
                server.rcpt(letter.to), "address-refused", for_good=True
            )
            if refused is not None:
                server.rset()
                return refused
        except smtplib.SMTPAuthenticationError:
            self.close()
            return Answer(Handed.LATER, "sign-in-refused")
        except (smtplib.SMTPException, OSError, ValueError) as failure:
            self.close()
            return Answer(Handed.LATER, "no-tls" if isinstance(failure, ssl.SSLError) else "no-connection")
        try:
            refused = _refused(server.data(message), "text-refused", for_good=True)
        except (smtplib.SMTPException, OSError):
            self.close()
            return Answer(Handed.UNCERTAIN, "connection-lost")
        return refused or Answer(Handed.SENT)

    def _connected(self) -> smtplib.SMTP:
        if self._open is not None:
            try:
                if self._open.noop()[0] == 250:
                    return self._open
            except (smtplib.SMTPException, OSError):
                pass
            self.close()
        s = self._settings
        trust = s.trust or ssl.create_default_context()
        if s.security is Security.TLS:
            server: smtplib.SMTP = smtplib.SMTP_SSL(s.host, s.port, timeout=s.timeout, context=trust)
        else:
            server = smtplib.SMTP(s.host, s.port, timeout=s.timeout)
        try:
            if s.security is Security.STARTTLS:
                server.starttls(context=trust)  # raises where the server offers none: nothing goes in clear
            if s.user is not None:
                server.login(s.user, s.password or "")
        except BaseException:
            server.close()
            raise
        self._open = server
        return server

    def close(self) -> None:
        """Say goodbye."""
        if self._open is None:
            return
        server, self._open = self._open, None
        try:
            server.quit()
        except (smtplib.SMTPException, OSError):
            server.close()


def _refused(reply: tuple[int, bytes], reason: str, *, for_good: bool) -> Answer | None:
    code = reply[0]
    if code in (250, 251):
        return None
    return Answer(Handed.FAILED if for_good and code >= 500 else Handed.LATER, reason)


def _message(letter: Letter, settings: MailSettings, now: datetime) -> EmailMessage:
    user, _, domain = settings.sender.rpartition("@")
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = Address(settings.name, user, domain)
    message["To"] = Address(addr_spec=letter.to)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{letter.message_id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = letter.locale
    if settings.reply_to:
        message["Reply-To"] = settings.reply_to
    message.set_content(letter.text)
    return message


def _headed(letter: Letter, message: EmailMessage) -> bytes:
    """With the letter's own headers as they are: the library would turn a long address into encoded words, which no
    mail program reads in `List-Unsubscribe`. Raises ValueError for what is no line of a header.
    """
    lines = [f"{name}: {value}" for name, value in letter.headers.items()]
    if not all(line.isascii() and line.isprintable() and len(line) < LONGEST_LINE for line in lines):
        raise ValueError("a header is one line of ASCII")
    head = "".join(f"{line}\r\n" for line in lines).encode()
    return head + message.as_bytes(policy=policy.SMTP)


def bounced_in(raw: bytes) -> list[tuple[str, str]]:
    """The message ids that a delivery report (RFC 3464) is about, each with `failed`, `delayed` or `delivered`.

    Other mail gives nothing: what is no report is no proof of anything.
    """
    report = message_from_bytes(raw, policy=policy.default)
    if report.get_content_type() != "multipart/report":
        return []
    actions = [str(part["Action"]).strip().lower() for part in _fields(report) if part["Action"]]
    ids = [_id_of(str(part["Message-ID"])) for part in _originals(report) if part["Message-ID"]]
    return [(ids[0], actions[0])] if ids and actions and ids[0] else []


def _fields(report: Message) -> Iterator[Message]:
    for part in report.walk():
        if part.get_content_type() == "message/delivery-status":
            yield from (one for one in part.get_payload() if isinstance(one, Message))


def _originals(report: Message) -> Iterator[Message]:
    for part in report.walk():
        if part.get_content_type() == "message/rfc822":
            yield from (one for one in part.get_payload() if isinstance(one, Message))
        elif part.get_content_type() == "text/rfc822-headers":
            yield message_from_bytes(part.get_payload(decode=True) or b"", policy=policy.default)  # type: ignore[arg-type]  # bytes when decoded


def _id_of(header: str) -> str:
    return header.strip().lstrip("<").partition("@")[0]
