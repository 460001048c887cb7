"""Templates to pages. What a template may say, link to and format stands here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

from upheld.dates import FOREVER, Instant, moment
from upheld.policy.wording import text_in
from upheld.web import places
from upheld.web.answer import Shown
from upheld.web.asked import LANGUAGES, Asked
from upheld.web.gate import may
from upheld.web.route import Who
from upheld.web.words import known, say

NO_BREAK: Final = "\u00a0"
"""A date stays on one line."""
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("upheld.web", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(asked: Asked, shown: Shown) -> str:
    """The HTML of a page in the language asked for."""
    zone = asked.plan.zone if asked.policy else ZoneInfo("UTC")
    values: dict[str, object] = {
        "asked": asked,
        "locale": asked.locale,
        "zone": zone,
        "say": lambda key, **words: say(key, asked.locale, **words),
        "known": known,
        "url": asked.url,
        "day": lambda at: _day(at, zone, asked.locale),
        "last": lambda at: _day(None if at is None or at >= FOREVER else Instant(at - 1), zone, asked.locale),
        "minute": lambda at: _minute(at, zone, asked.locale),
        "iso": lambda at: moment(at, zone).isoformat(timespec="seconds"),
        "month": lambda day: _month(day, asked.locale),
        "short": lambda day: f"{day.month}월" if asked.locale == "ko" else MONTHS[day.month - 1][:3],
        "menu": places.menu(asked),
        "above": places.path_to(asked),
        "languages": [(language, _in_language(asked, language)) for language in LANGUAGES],
        "controller": _controller(asked),
        "may": lambda who: may(asked, Who(who)),
    }
    return _templates().get_template(f"{shown.template}.html.j2").render(values | dict(shown.values))


def _in_language(asked: Asked, language: str) -> str:
    """This page in another language: the same address, the language chosen."""
    kept = {name: text for name, text in asked.query.items() if name != "locale"}
    pairs: Mapping[str, str] = {**kept, "locale": language}
    route = asked.table.get(asked.route.name, asked.route)
    if route.method == "POST":
        return asked.table["start"].filled({"locale": language})
    return route.filled({**asked.parts, **pairs})


def _controller(asked: Asked) -> str:
    if not asked.policy:
        return ""
    return text_in(asked.plan.controller, asked.locale) or asked.policy


# An end stands for the first instant after it, mostly a midnight; `last` names the day that still belongs to it.


def _day(at: Instant | date | None, zone: ZoneInfo, locale: str) -> str:
    if at is None:
        return ""
    if isinstance(at, date):
        day = at
    elif abs(at) >= FOREVER:
        return ""
    else:
        day = moment(at, zone).date()
    said = f"{day.year}. {day.month}. {day.day}." if locale == "ko" else f"{day.day} {MONTHS[day.month - 1]} {day.year}"
    return said.replace(" ", NO_BREAK)


def _minute(at: Instant, zone: ZoneInfo, locale: str) -> str:
    return f"{_day(at, zone, locale)}{NO_BREAK}{moment(at, zone):%H:%M}"


def _month(day: date, locale: str) -> str:
    return f"{day.year}년 {day.month}월" if locale == "ko" else f"{MONTHS[day.month - 1]} {day.year}"
