"""What a page function gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie to set; an empty value takes it away. `from_elsewhere`: sent too when a link of another site leads here,
    for ten minutes.
    """

    name: str
    value: str
    from_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A page: its template and what stands in it."""

    template: str
    values: Mapping[str, object] = field(default_factory=dict)
    status: int = 200
    cookies: tuple[Cookie, ...] = ()


@dataclass(frozen=True, slots=True)
class Moved:
    """Go to another page, after something was done."""

    to: str
    cookies: tuple[Cookie, ...] = ()
    afterwards: Callable[[], None] | None = None
    """Runs when the answer is out, so that its time tells nobody anything."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A document made elsewhere (notice, certificate, report): a whole HTML page with a style of its own."""

    html: str


@dataclass(frozen=True, slots=True)
class Download:
    """A file to keep."""

    content: bytes
    media_type: str
    name: str


@dataclass(frozen=True, slots=True)
class Static:
    """A file of ours that stays the same."""

    content: bytes
    media_type: str
    anywhere: bool = False
    """Whether pages of other sites may load it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a program sent was taken; there is nothing to show."""


Answer = Shown | Moved | Printed | Download | Static | Taken


class Refused(Exception):
    """A page is not given: `code` names the sentence that says why and what helps."""

    def __init__(self, status: int, code: str) -> None:
        self.status = status
        self.code = code
        super().__init__(code)
