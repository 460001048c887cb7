"""What every way of sending has in common: a letter goes in, what became of it comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Handed(StrEnum):
    """What became of one letter."""

    SENT = "sent"
    """The other side has taken it."""
    LATER = "later"
    """It was surely not taken; another time may do."""
    FAILED = "failed"
    """It was refused for good."""
    UNCERTAIN = "uncertain"
    """Nobody knows whether it was taken."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one person. `message_id` never changes, however often it is tried."""

    message_id: str
    to: str
    subject: str
    text: str
    locale: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a letter, and a code of why."""

    handed: Handed
    reason: str = ""


class Transport(Protocol):
    """A way out for one medium."""

    @property
    def medium(self) -> str:
        """The medium it serves: `email`, `sms`."""

    def send(self, letter: Letter) -> Answer:
        """Hand a letter over. Never raises for what the other side does or fails to do."""

    def close(self) -> None:
        """Give back what is open."""
