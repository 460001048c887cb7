"""What a service is told when it starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from upheld.connect.transport import Transport
from upheld.desk.codes import CodeSender
from upheld.desk.reports import ReportShelf
from upheld.desk.scanning import Scan
from upheld.desk.throttle import Allowance
from upheld.keeper import Keeper
from upheld.web.measures import Measures
from upheld.web.providers import HouseProvider

CALLS_A_MINUTE = 6000
"""Ours: calls of one program, over all processes."""


@dataclass(frozen=True)
class Settings:
    """One service. `address` is the public address; cookies are bound to TLS when it is an https one."""

    keeper: Keeper
    home: Path
    address: str = "http://127.0.0.1:8000"
    send_code: CodeSender | None = None
    """Sends one-time codes; None: the portal says that it cannot."""
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Policy → items at which a person can be reached and is looked up by."""
    transports: tuple[Transport, ...] = ()
    """By which the scheduler works the outbox; empty: another process does."""
    scan: Scan | None = None
    """Looks for malware in every file that comes in; None: none is configured."""
    mailbox: str = ""
    """Where the house answers questions, for receipts; empty: they do not name one."""
    trusted_proxy: bool = False
    """Whether the client's address is the one a proxy of ours puts into `X-Forwarded-For`."""
    failed: Callable[[str, Exception], None] = lambda _, __: None
    """Told of a page that failed by a bug of ours: its name and the failure."""
    providers: tuple[HouseProvider, ...] = ()
    """The house's own sign-ins, beside the accounts and codes of this service."""
    reports: ReportShelf = field(default_factory=ReportShelf)

    allowance: Allowance = field(default_factory=lambda: Allowance(CALLS_A_MINUTE))
    """How often a program may call the API."""

    measures: Measures = field(default_factory=Measures)
    """What this process counts."""

    @property
    def secure(self) -> bool:
        """Whether people come over TLS."""
        return self.address.startswith("https://")
