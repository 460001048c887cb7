"""All notices of a policy as files to be served: each version in each language and form, and an index of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from jinja2 import Environment, StrictUndefined

from upheld.policy import plain
from upheld.policy.formats import dpv
from upheld.policy.model import Policy
from upheld.policy.notice import notice, paper
from upheld.policy.notice_parts import Beside, Folder
from upheld.policy.notice_words import PROSE, language_named
from upheld.policy.wording import language_of

FORMS: Final[Mapping[str, str]] = {
    "html": "text/html",
    "pdf": "application/pdf",
    "md": "text/markdown",
    "jsonld": "application/ld+json",
}
"""Each form with its media type, by the ending of its file's name."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One version in one language, in the index."""

    language: str
    title: str
    name: str
    effective: str
    announced: str
    newest: bool
    forms: tuple[Beside, ...]


def notice_files(versions: Sequence[Policy]) -> dict[str, bytes]:
    """Every file by its name (`2018-07-09.ko.pdf`), and `index.html`. The newest version is the one in force.

    Raises ValueError for versions of several policies, for two of one day, and as `notice` does.
    """
    newest_first = sorted(versions, key=lambda one: str(one.effective.date), reverse=True)
    if len({one.policy for one in versions}) != 1 or len({one.effective.date for one in versions}) != len(versions):
        raise ValueError("the versions are of one policy, each in force from a day of its own")
    made = {name: content for one in newest_first for name, content in _of_version(one, newest_first)}
    return made | {"index.html": _index(newest_first)}


def file_name(policy: Policy, locale: str, form: str) -> str:
    """The name of one file; the day is the one from which the version is in force."""
    return f"{policy.effective.date}.{locale}.{form}"


def _of_version(policy: Policy, versions: Sequence[Policy]) -> Iterator[tuple[str, bytes]]:
    for locale in policy.locales:
        others = {str(one.effective.date): file_name(one, locale, "html") for one in versions if locale in one.locales}
        for form in FORMS:
            folder = Folder(tuple(_beside(policy, locale, form)), others)
            yield file_name(policy, locale, form), _content(policy, locale, form, versions, folder)


def _content(policy: Policy, locale: str, form: str, versions: Sequence[Policy], folder: Folder) -> bytes:
    match form:
        case "html" | "md":
            return notice(policy, locale, form, versions, folder).encode()
        case "pdf":
            return paper(policy, locale, versions)
        case _:
            return (json.dumps(dpv.description(policy, locale), ensure_ascii=False, indent=2) + "\n").encode()


def _beside(policy: Policy, locale: str, form: str) -> Iterator[Beside]:
    """The other forms in this language, then this form in the other languages, then the index."""
    for other, media in FORMS.items():
        if other != form:
            yield Beside(PROSE[f"as-{other}"].say(locale), file_name(policy, locale, other), media, locale)
    for other in policy.locales:
        if other != locale:
            language = language_named(other, locale)
            text = PROSE["in-language"].say(locale).format(language=language)
            yield Beside(text, file_name(policy, other, form), FORMS[form], other)
    yield Beside(PROSE["all-versions"].say(locale), "index.html", "text/html", locale)


def _index(versions: Sequence[Policy]) -> bytes:
    source = (files("upheld.policy") / "pages" / "notices.html.j2").read_text("utf-8")
    template = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).from_string(source)
    locales = versions[0].locales
    tables = [
        (locale, [_row(one, locale, versions[0]) for one in versions if locale in one.locales]) for locale in locales
    ]
    said = {locale: {key: words.say(locale) for key, words in PROSE.items()} for locale in locales}
    return template.render(tables=tables, say=said).encode()


def _row(policy: Policy, locale: str, newest: Policy) -> _Row:
    forms = (
        Beside(PROSE[f"as-{form}"].say(locale), file_name(policy, locale, form), media, locale)
        for form, media in FORMS.items()
    )
    return _Row(
        language_of(locale),
        PROSE["title"].say(locale).format(controller=plain.title_of(policy.controller, locale)),
        file_name(policy, locale, "html"),
        str(policy.effective.date),
        str(policy.announced.date),
        policy is newest,
        tuple(forms),
    )
