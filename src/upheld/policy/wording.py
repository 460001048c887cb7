"""One thing said in several languages: Korean and English stand in the code, others are read from files.

A text that the document does not have in a language comes in the one that binds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LANGUAGES: Final = ("en", "ko")
"""The languages that every fixed phrase comes in. Others are read from files: `WORDINGS`."""


class Wordings:
    """Fixed phrases in further languages, as files gave them: English → that language."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._phrases: dict[str, Mapping[str, str]] = {}

    def add(self, language: str, name: str, phrases: Mapping[str, str]) -> None:
        """Know one more language; what was said of it before holds on where nothing newer is said."""
        self._names = {**self._names, language: name}
        self._phrases = {**self._phrases, language: {**self._phrases.get(language, {}), **phrases}}

    def say(self, language: str, english: str) -> str:
        """A phrase in that language; in English where no file has it."""
        return self._phrases.get(language, {}).get(english, english)

    def name(self, language: str) -> str | None:
        """What the language calls itself."""
        return self._names.get(language)


WORDINGS: Final = Wordings()


@dataclass(frozen=True, slots=True)
class Words:
    """One thing said in both languages."""

    en: str
    ko: str

    def say(self, locale: str) -> str:
        """In the language of `locale` (`en-GB` is English); in English where no wording of that language has it."""
        language = language_of(locale)
        return self.ko if language == "ko" else self.en if language == "en" else WORDINGS.say(language, self.en)


def language_of(locale: str) -> str:
    """`en` of `en-GB`."""
    return locale.partition("-")[0]


def speaks_korean(texts: Mapping[str, str]) -> bool:
    """Whether what is named so has a Korean name: pages in two languages then have Korean first."""
    return any(language_of(locale) == "ko" for locale in texts)


def text_in(texts: Mapping[str, str] | None, locale: str) -> str:
    """The text in that locale, else in one of the same language, else in the first; empty where there is none."""
    if not texts:
        return ""
    same = (text for other, text in texts.items() if other.partition("-")[0] == locale.partition("-")[0])
    return texts.get(locale) or next(same, "") or next(iter(texts.values()))
