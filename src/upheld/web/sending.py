"""One-time codes go out directly: a code that waits in an outbox is worth nothing, and none is kept as a notice.

Owed notices go through the outbox of the keeper; the scheduler works it with the same kinds of transport.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from threading import Lock

from upheld.connect.gateway import Gateway, GatewaySettings
from upheld.connect.mail import Mail, MailSettings, Security
from upheld.connect.transport import Letter, Transport
from upheld.desk.codes import CodeMessage, medium_of
from upheld.engine.notices import ADDRESS_ITEMS
from upheld.keeper import Keeper
from upheld.policy.wording import text_in
from upheld.web.words import say


def transports_of(
    environment: Mapping[str, str],
    now: Callable[[], datetime],
    *,
    mail: str | None,
    sender: str | None,
    security: Security,
    gateway: str | None,
) -> tuple[Transport, ...]:
    """The ways out that a service was given. Passwords and secrets come from the environment, never from a command.

    `mail` is HOST:PORT of a mail server, `gateway` the address that takes text messages. Raises ValueError.
    """
    found: list[Transport] = []
    if mail is not None:
        host, _, port = mail.rpartition(":")
        if not host or not port.isdigit() or sender is None:
            raise ValueError("mail goes to HOST:PORT and needs a sender's address")
        user, password = environment.get("UPHELD_MAIL_USER"), environment.get("UPHELD_MAIL_PASSWORD")
        settings = MailSettings(host, int(port), sender, security=security, user=user, password=password)
        found.append(Mail(settings, now))
    if gateway is not None:
        secret = environment.get("UPHELD_GATEWAY_SECRET", "")
        if not secret:
            raise ValueError("a gateway wants signed letters; put its secret into UPHELD_GATEWAY_SECRET")
        found.append(Gateway(GatewaySettings(gateway, "sms", secret.encode())))
    return tuple(found)


def reached_at(keeper: Keeper) -> dict[str, tuple[str, ...]]:
    """Policy → items that hold addresses by their names and by which persons are looked up here."""
    keeper.views.refresh()
    named = dict.fromkeys((*ADDRESS_ITEMS["email"], *ADDRESS_ITEMS["sms"]))
    return {
        policy: tuple(item for item in named if item in line.latest.items and keeper.looked_up(policy, item))
        for policy, line in keeper.views.lines.items()
    }


class CodesBy:
    """Sends codes by the transports there are. Each serves one letter at a time."""

    def __init__(self, keeper: Keeper, transports: Iterable[Transport]) -> None:
        self._keeper = keeper
        self._transports = {one.medium: one for one in transports}
        self._one_at_a_time = Lock()

    def __call__(self, message: CodeMessage) -> None:
        """Send it, if there is a way to that address. What becomes of it is told to nobody: the person asks again."""
        transport = self._transports.get(medium_of(message.address) or "")
        if transport is None:
            return
        with self._one_at_a_time:
            transport.send(_letter(self._keeper, message))


def _letter(keeper: Keeper, message: CodeMessage) -> Letter:
    controller = text_in(keeper.views.line(message.policy).latest.controller, message.locale) or message.policy
    if message.link:
        subject = say("mail.link-subject", message.locale, controller=controller)
        text = say("mail.link", message.locale, link=message.link, controller=controller)
        return Letter(keeper.new_id(), message.address, subject, text, message.locale)
    key = "mail.code" if message.code else "mail.shared"
    text = say(key, message.locale, code=message.code or "", controller=controller)
    subject = say("mail.subject", message.locale, controller=controller)
    return Letter(keeper.new_id(), message.address, subject, text, message.locale)
