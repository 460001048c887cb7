"""Where a page stands: the groups of the console's menu, what is above a page, and the list that was left for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl, urlencode

from upheld.web.answer import Cookie
from upheld.web.asked import Asked
from upheld.web.gate import may

GROUPS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "today": ("desk", "requests", "reviews"),
        "persons": ("people", "consents", "adverts"),
        "promises": ("calendar", "duties", "parties", "safeguards", "leaks"),
        "evidence": ("report", "registers", "ledger"),
        "settings": ("accounts", "sign-ins", "own-account"),
    }
)
"""The console's menu: group → pages, in order. Whoever is signed in sees the pages that they may open."""
CONSOLE: Final = tuple(name for names in GROUPS.values() for name in names)
PORTAL: Final = ("mine", "my-consents", "ask")
"""The menu of a person who is signed in."""
ABOVE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "versions": "notice",
        "version": "versions",
        "compare": "versions",
        "portal-code": "portal",
        "for-another": "portal",
        "contents": "mine",
        "my-consents": "mine",
        "my-consent-end": "my-consents",
        "ask": "mine",
        "my-request": "mine",
        "consent": "notice",
        "cookies": "notice",
        "consent-end": "consent-link",
        "representative": "consent-link",
        "form": "forms",
        "forms": "notice",
        "second-step": "sign-in",
        "staff-leave": "sign-in",
        "staff-return": "sign-in",
        "person-leave": "portal",
        "person-return": "portal",
        "request": "requests",
        "letter": "request",
        "person": "people",
        "heard": "person",
        "certificate": "calendar",
        "duty": "duties",
        "leak": "leaks",
        "leak-form": "leak",
        "register": "registers",
        "clause": "report",
        "entry": "ledger",
        "account": "accounts",
        "account-add": "accounts",
        "account-reset": "accounts",
    }
)
"""Page → the page above it. A form's answer that is a page of its own stands where its form does."""
NAMED: Final = tuple(dict.fromkeys((*CONSOLE, *PORTAL, *ABOVE.values())))
"""Pages that menus and paths of pages name."""


@dataclass(frozen=True, slots=True)
class Link:
    """A name of a page, its address, whether one is there or below it."""

    name: str
    address: str
    here: bool = False


def menu(asked: Asked) -> dict[str, list[Link]]:
    """Group → the pages of this area that whoever is signed in may open; the portal's have one group without a name."""
    if asked.staff is not None and asked.route.area == "console":
        groups = GROUPS
    elif asked.person is not None and asked.route.area == "portal":
        groups = MappingProxyType({"": PORTAL})
    else:
        return {}
    here = _within(asked)
    found = {
        group: [
            Link(name, asked.url(name), name == here)
            for name in names
            if name in asked.table and may(asked, asked.table[name].who)
        ]
        for group, names in groups.items()
    }
    return {group: links for group, links in found.items() if links}


def _within(asked: Asked) -> str:
    """The page of the menu that one is on, or the nearest above it."""
    name = asked.route.name
    while name not in CONSOLE and name not in PORTAL and name in ABOVE:
        name = ABOVE[name]
    return name


def path_to(asked: Asked) -> list[Link]:
    """The pages above this one, the topmost first."""
    found: list[Link] = []
    name = ABOVE.get(asked.route.name)
    while name is not None and name in asked.table:
        route = asked.table[name]
        if may(asked, route.who):
            parts = {key: text for key, text in asked.parts.items() if f"{{{key}" in route.path}
            found.append(Link(name, asked.url(name, **parts) + _left(asked, name)))
        name = ABOVE.get(name)
    return found[::-1]


# ── the list one came from ──────────────────────────────────────────────────────────────────────────────────────────

_LISTS: Final = frozenset(ABOVE.values()) & frozenset(CONSOLE)


def _kept_in(asked: Asked) -> str:
    return asked.cookie_name("list")


def list_kept(asked: Asked) -> tuple[Cookie, ...]:
    """A list of the console remembers in the browser how it was filtered, so that the way back from a row leads there.

    Only names of our own pages and what their addresses show: nothing about a person.
    """
    name = asked.route.name
    if name not in _LISTS or asked.staff is None:
        return ()
    query = urlencode([(key, text) for key, text in asked.query.items() if key != "locale"])
    wanted, there = f"{name}.{query}" if query else "", asked.cookies.get(_kept_in(asked), "")
    return (Cookie(_kept_in(asked), _armoured(wanted)),) if _armoured(wanted) != there else ()


def _left(asked: Asked, name: str) -> str:
    """How the list of this name was left, as the query of its address."""
    kept, _, query = _readable(asked.cookies.get(_kept_in(asked), "")).partition(".")
    if kept != name or name not in _LISTS:
        return ""
    pairs = [(key, text) for key, text in parse_qsl(query)[:10] if key != "locale"]
    return f"?{urlencode(pairs)}" if pairs else ""


def _armoured(text: str) -> str:
    return text.encode().hex()


def _readable(kept: str) -> str:
    try:
        return bytes.fromhex(kept).decode()
    except ValueError:
        return ""
