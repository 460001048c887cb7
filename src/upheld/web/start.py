"""The first page, the files that stay the same, and whether the service is up."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from upheld.keeper.clearing import is_rehearsal
from upheld.policy.wording import text_in
from upheld.web.answer import Answer, Refused, Shown, Static
from upheld.web.asked import Asked

STATIC: Mapping[str, str] = MappingProxyType(
    {"upheld.css": "text/css", "bar.css": "text/css", "icon.svg": "image/svg+xml"}
)
"""What may be fetched beside pages, and what it is. No other file of ours is reachable."""


def start(asked: Asked) -> Answer:
    """Every policy on file, with its notice and its portal."""
    lines = asked.keeper.views.lines
    public = [policy for policy in sorted(lines) if not is_rehearsal(policy)]
    found = {policy: lines[policy].at(asked.keeper.now()) or lines[policy].plans[0] for policy in public}
    names = {policy: text_in(plan.controller, asked.locale) for policy, plan in found.items()}
    several = {name for name in names.values() if list(names.values()).count(name) > 1}
    titled = [(policy, f"{name} ({policy})" if name in several else name) for policy, name in names.items()]
    return Shown("start", {"policies": titled})


def static(asked: Asked) -> Answer:
    """A style or the icon."""
    name = asked.parts["name"]
    if name not in STATIC:
        raise Refused(404, "not-found")
    return Static(_file(name), STATIC[name])


@cache
def _file(name: str) -> bytes:
    return (files("upheld.web") / "static" / name).read_bytes()


def health(asked: Asked) -> Answer:
    """Whether the places answer; says nothing else."""
    with asked.keeper.places.active.reading() as connection:
        connection.execute("SELECT 1").fetchone()
    return Static(b"ok\n", "text/plain")
