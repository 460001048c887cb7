"""A first policy document from a few answers: a draft that reads without error, for somebody to go on from.

    source = first_policy(Answers(name="Example Clinic", policy="clinic", site="clinic.example.org", ...))

It promises what the system keeps by itself and gives data to nobody. What a real house does besides, people add.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, StrictUndefined, Template

from upheld.dates import Period
from upheld.errors import InputRefused
from upheld.law import TABLES
from upheld.law.rows import on_day
from upheld.policy.ends import NAME
from upheld.policy.vocabulary import Nature

AHEAD: Final = timedelta(days=7)
"""How long before it is in force the draft is announced, as it promises of its own changes."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of personal data with its names and what rules it brings along."""

    code: str
    ko: str
    en: str
    nature: Nature = Nature.PLAIN


@dataclass(frozen=True, slots=True)
class Country:
    """What differs by law in a first draft: its zone and languages, the age of children, days to answer."""

    time_zone: str
    locales: tuple[str, ...]
    child_under: int
    answered: str


KINDS: Final[Mapping[str, Kind]] = {
    kind.code: kind
    for kind in (
        Kind("name", "성명", "name"),
        Kind("email", "전자우편 주소", "e-mail address"),
        Kind("mobile", "휴대전화번호", "mobile number"),
        Kind("address", "주소", "postal address"),
        Kind("birth", "생년월일", "date of birth"),
        Kind("login-id", "아이디", "login id"),
        Kind("password", "비밀번호", "password", Nature.PASSWORD),
        Kind("orders", "주문 내역", "what was ordered"),
        Kind("payment", "결제 기록", "record of payment"),
        Kind("account", "계좌번호", "bank account", Nature.FINANCIAL),
        Kind("health", "건강에 관한 정보", "state of health", Nature.SENSITIVE),
    )
}
"""Items with names ready in both languages; any other code is taken as its own name."""

COUNTRIES: Final[Mapping[str, Country]] = {
    "kr": Country("Asia/Seoul", ("ko", "en"), 14, "P10D"),
    "eu": Country("Europe/Brussels", ("en",), 16, "P1M"),
}
TENDER: Final = frozenset({Nature.SENSITIVE, Nature.UNIQUE_ID, Nature.RESIDENT_NUMBER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What is asked. `today` is the local day on which the draft is announced; codes are kebab-case.

    Raises InputRefused, by `checked`, for an answer that no document can hold.
    """

    name: str
    policy: str
    site: str
    phone: str
    today: date
    service: str
    people: str
    law: str
    items: tuple[str, ...] = ("name", "email")
    newsletter: bool = False
    sells: bool = False
    time_zone: str | None = None


@dataclass(slots=True)
class _Clauses:
    """Numbers clauses in the order of the document."""

    count: int = field(default=0)

    def __call__(self) -> str:
        """The next number."""
        self.count += 1
        return self.same()

    def same(self) -> str:
        """The number before once more."""
        return f"clause: P-{self.count}"


def checked(answers: Answers) -> tuple[str, str] | None:
    """The first answer that no document can hold, as its name and what is wrong; None where all do."""
    if strange := [code for code in (answers.policy, *answers.items) if not re.fullmatch(NAME, code)]:
        none = "is no code" if len(strange) == 1 else "are no codes"
        named = ", ".join(f"`{code}`" for code in strange)
        return "code", f"{named} {none}; write small letters, digits and hyphens, such as `web-shop`"
    blank = [key for key in ("name", "site", "phone", "service", "people") if not getattr(answers, key).strip()]
    if blank:
        return blank[0], "must not be blank"
    if not answers.items or len({*answers.items}) < len(answers.items):
        return "items", "name at least one item, and each once"
    if {"parent", "parent-contact"} & {*answers.items}:
        return "items", "`parent` and `parent-contact` are in the draft already"
    if all(_kind(code).nature in TENDER for code in answers.items):
        return "items", "besides what needs a consent of its own, name an item that the service itself needs"
    return None


def country_of(law: str) -> Country:
    """What a draft under that law begins with: ours, else what a table of law from a file says. Raises InputRefused."""
    if law in COUNTRIES:
        return COUNTRIES[law]
    pack = TABLES.get(law)
    if pack is None:
        raise InputRefused("law", f"`{law}` has no draft; choose one of {', '.join(TABLES)}, or name a table of yours")
    asked = on_day(pack, pack.checked)
    zone = next((one for one in pack.zones if "*" not in one), "")
    age, answered = asked.number("children.age") or 14, asked.period("rights.answered") or Period(days=10)
    return Country(zone, ("en",), age, str(answered))


def zone_of(law: str, time_zone: str | None = None) -> ZoneInfo:
    """The time zone of a draft: the one given, else that of the law. Raises InputRefused."""
    country = country_of(law)
    try:
        return ZoneInfo(time_zone or country.time_zone)
    except (ValueError, OSError, KeyError) as error:
        raise InputRefused("time-zone", f"`{time_zone}` is no time zone; write one such as Europe/Paris") from error


def first_policy(answers: Answers) -> str:
    """The document as YAML. Raises InputRefused for an answer that no document can hold."""
    zone = zone_of(answers.law, answers.time_zone)
    country = country_of(answers.law)
    wrong = checked(answers)
    if wrong:
        raise InputRefused(*wrong)
    codes = tuple(dict.fromkeys((*answers.items, *(("email",) if answers.newsletter else ()))))
    kinds = [_kind(code) for code in codes]
    tender = [kind.code for kind in kinds if kind.nature in TENDER]
    ordinary = [code for code in answers.items if code not in tender]
    purposes = ["service", *(f"{code}-by-consent" for code in tender), *(["news"] if answers.newsletter else [])]

    def text(ko: str, en: str) -> str:
        said = {"ko": ko, "en": en}
        return ", ".join(f"{locale}: {_quoted(said[locale])}" for locale in country.locales)

    filled = {
        "name": answers.name,
        "policy": answers.policy,
        "site": answers.site,
        "phone": answers.phone,
        "service": answers.service,
        "people": answers.people,
        "law": answers.law,
        "newsletter": answers.newsletter,
        "sells": answers.sells,
        "items": kinds,
        "locales": country.locales,
        "time_zone": zone.key,
        "child_under": country.child_under,
        "answered": country.answered,
        "announced": answers.today.isoformat(),
        "effective": (answers.today + AHEAD).isoformat(),
    }
    return _template().render(
        a=filled,
        clause=_Clauses(),
        text=text,
        same=lambda said: text(said, said),
        quoted=_quoted,
        ordinary=ordinary,
        tender=tender,
        purposes=purposes,
    )


def _kind(code: str) -> Kind:
    return KINDS.get(code) or Kind(code, code.replace("-", " "), code.replace("-", " "))


def _quoted(text: str) -> str:
    """A text as YAML takes it, whatever is in it: JSON strings are YAML strings."""
    return json.dumps(text, ensure_ascii=False)


@cache
def _template() -> Template:
    source = (files("upheld.policy") / "pages" / "starter.yaml.j2").read_text("utf-8")
    # No HTML: the page is YAML, and each text of an answer goes through `_quoted`.
    environment = Environment(
        autoescape=False, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    return environment.from_string(source)
