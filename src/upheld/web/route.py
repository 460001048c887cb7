"""One row of the route table: where a page is, whom it is for, which function answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlencode

from upheld.web.answer import Answer

if TYPE_CHECKING:
    from upheld.web.asked import Asked


class Who(StrEnum):
    """Whom a page is for. Each page names the least that does."""

    ANYBODY = "anybody"
    SUBJECT = "subject"
    """A person, for their own things."""
    STAFF = "staff"
    """Whoever has an account."""
    DESK = "desk"
    """Staff with a duty or a purpose of the policy, counsellors too; not an auditor."""
    OFFICER = "officer"
    """The privacy officer: who else may sign in."""
    REQUESTS = "requests"
    """Staff with the duty of requests."""
    DESTRUCTION = "destruction"
    """Staff with the duty of destruction."""
    RECORDS = "records"
    """Who looks after proof: the officer, an auditor, staff with the duty of audit."""
    OFFICE = "office"
    """Who puts on record what the house did: the officer, staff with the duty of audit; never an auditor."""
    CALENDAR = "calendar"
    """Who may see what is coming and what was destroyed: as records, and the duty of destruction."""


@dataclass(frozen=True, slots=True)
class Route:
    """A page. `name` is what links to it say; several rows may share a path with different methods."""

    name: str
    method: Literal["GET", "POST"]
    path: str
    who: Who
    page: Callable[[Asked], Answer]
    takes_files: bool = False
    """Whether its form may carry files (`enctype="multipart/form-data"`)."""
    of_other_sites: bool = False
    """Whether pages of other sites may send to it: then it knows no session and asks for no token."""

    @property
    def area(self) -> str:
        """The first part of the path: `notice`, `portal`, `console`, or empty."""
        return self.path.split("/")[1]

    def filled(self, parts: dict[str, str]) -> str:
        """The address with its parts; what the path does not name becomes the query."""
        named = set(re.findall(r"{(\w+)", self.path))
        path = re.sub(r"{(\w+)(?::\w+)?}", lambda part: quote(parts[part[1]], safe=""), self.path)
        rest = {name: text for name, text in parts.items() if name not in named}
        return f"{path}?{urlencode(rest)}" if rest else path
