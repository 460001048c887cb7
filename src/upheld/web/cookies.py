"""Cookies of the controller's sites: what is declared, the script that holds a site to it, and the log of choices."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from upheld.desk.choices import KEPT_FOR, record_choice
from upheld.desk.throttle import CHOICES, counted
from upheld.policy import plain
from upheld.policy.model import Cookie
from upheld.web.answer import Answer, Refused, Shown, Static
from upheld.web.asked import LANGUAGES, Asked
from upheld.web.words import say

NECESSARY: Final = "necessary"
SPOKEN: Final = ("title", "lead", "refuse", "chosen", "all", "more")


@dataclass(frozen=True, slots=True)
class Declared:
    """A cookie in words."""

    name: str
    title: str
    purposes: str
    lasts: str
    needed: bool


def preferences(asked: Asked) -> Answer:
    """Every cookie that is declared: what for, how long, and how it is refused."""
    found = [_declared(asked, row, asked.locale) for row in _rows(asked)]
    tag = f'<script src="{_address(asked, "cookie-script")}"></script>'
    return Shown("cookies", {"found": found, "honours": _honours(asked), "tag": tag})


def script(asked: Asked) -> Answer:
    """The script with the declarations of the version in force in it."""
    told = {
        "policy": asked.policy,
        "version": asked.plan.version,
        "record": _address(asked, "cookie-choice"),
        "page": _address(asked, "cookies"),
        "keptFor": KEPT_FOR // 1_000_000,
        "honours": _honours(asked),
        "words": {language: {key: say(f"banner.{key}", language) for key in SPOKEN} for language in LANGUAGES},
        "cookies": [_told(asked, row) for row in _rows(asked)],
    }
    written = json.dumps(told, ensure_ascii=False).replace("</", "<\\/")
    return Static(_source().replace("/*DECLARED*/null", written, 1).encode(), "text/javascript", anywhere=True)


def choice(asked: Asked) -> Answer:
    """A site's page tells what its visitor chose. It changes nothing but the log, and nothing is told back."""
    if not counted(asked.keeper, asked.policy, CHOICES, asked.source):
        raise Refused(429, "too-many-choices")
    allowed = tuple(asked.field("yes").split())
    number, version, control = (asked.field(name) for name in ("id", "version", "control"))
    if not record_choice(asked.keeper, asked.policy, number, version, allowed, control):
        raise Refused(400, "choice-unknown")
    return Static(b"", "text/plain", anywhere=True)


def _rows(asked: Asked) -> list[Cookie]:
    return [row for row in asked.document.policy.cookies.values() if not row.blocked]


def _honours(asked: Asked) -> list[str]:
    return sorted({str(one) for row in _rows(asked) for one in row.honours})


def _declared(asked: Asked, row: Cookie, wanted: str) -> Declared:
    document, policy = asked.document, asked.document.policy
    locale = document.locale(wanted)
    needed = NECESSARY in row.for_
    purposes = [plain.named("purposes", one, policy, locale) for one in row.for_ if one != NECESSARY]
    said = ", ".join(([say("cookies.necessary", wanted)] if needed else []) + purposes)
    lasts = plain.period(row.lasts, wanted) if row.lasts else say("cookies.session", wanted)
    return Declared(row.name, plain.title_of(row, locale), said, lasts, needed)


def _told(asked: Asked, row: Cookie) -> dict[str, object]:
    said = {language: _declared(asked, row, language) for language in LANGUAGES}
    words = {
        language: {"title": one.title, "purposes": one.purposes, "lasts": one.lasts} for language, one in said.items()
    }
    return {"name": row.name, "needed": NECESSARY in row.for_, **words}


def _address(asked: Asked, name: str) -> str:
    return f"{asked.settings.address}{asked.url(name)}"


@cache
def _source() -> str:
    return (files("upheld.web") / "for_sites" / "cookies.js").read_text("utf-8")
