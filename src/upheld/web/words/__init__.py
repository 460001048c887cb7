"""Every sentence of the pages, in both languages beside each other, by topic.

A table for each topic, so that pages can be added side by side. A text without its other half does not type-check; a
key that no page uses, and a page with words of its own, fail a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from upheld.policy.wording import Words
from upheld.web.words import (
    calendar,
    consent,
    cookies,
    desk,
    elsewhere,
    house,
    notices,
    portal,
    proof,
    refusals,
    shell,
    signing,
    staff,
    wishes,
)

TABLES: Final = (
    shell.WORDS,
    notices.WORDS,
    signing.WORDS,
    desk.WORDS,
    proof.WORDS,
    calendar.WORDS,
    portal.WORDS,
    consent.WORDS,
    cookies.WORDS,
    house.WORDS,
    refusals.WORDS,
    wishes.WORDS,
    staff.WORDS,
    elsewhere.WORDS,
)
WORDS: Final[Mapping[str, Words]] = MappingProxyType({key: text for table in TABLES for key, text in table.items()})


def say(key: str, locale: str, **words: object) -> str:
    """The sentence of a key in a language, with what belongs into it. Raises KeyError for a key of no table."""
    text = WORDS[key].say(locale)
    return text.format(**words) if words else text


def known(key: str) -> bool:
    """Whether there is a sentence of that key."""
    return key in WORDS
