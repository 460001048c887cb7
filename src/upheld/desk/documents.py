"""The versions of a policy as they were written, for showing: each is read once, however often it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from upheld.dates import Instant
from upheld.keeper import Keeper
from upheld.policy.explain_words import SECTIONS
from upheld.policy.model import Policy, Row
from upheld.policy.plain import fixed_title, title_of
from upheld.policy.read import read_policy


@dataclass(frozen=True, slots=True)
class Document:
    """One version on file."""

    version: str
    announced_at: Instant
    effective_at: Instant
    policy: Policy
    rows: Mapping[str, Row]
    """Every element by its path."""

    def title(self, path: str, locale: str) -> str:
        """The public name of an element, else of what it is about in its chapter; its path where there is no such."""
        row = self.rows.get(path)
        if row is None:
            return path
        told = self.locale(locale)
        found = fixed_title(row, told)
        return self._in_chapter(row, told) if found == row.name and not row.texts else found

    def _in_chapter(self, row: Row, told: str) -> str:
        """A row without a name of its own: its chapter, and the company or channel that it is for."""
        section, _, name = row.path.partition(".")
        chapter = SECTIONS.get(section)
        if chapter is None or not name:
            return chapter.say(told) if chapter else row.name
        about = self.rows.get(f"parties.{getattr(row, 'to', None) or name}") or self.rows.get(f"channels.{name}")
        return f"{chapter.say(told)}: {title_of(about, told) if about is not None else name}"

    def locale(self, wanted: str) -> str:
        """The wanted language, or a local form of it, if the policy has texts in it; else its first."""
        have = self.policy.locales
        same = (one for one in have if one.partition("-")[0] == wanted)
        return wanted if wanted in have else next(same, have[0])

    def name(self, section: str, code: str, locale: str) -> str:
        """The public name of a row of a section (`items`, `channels`, `parties`), its code where there is none."""
        return self.title(f"{section}.{code}", locale) if f"{section}.{code}" in self.rows else code


def documents_of(keeper: Keeper, policy: str) -> tuple[Document, ...]:
    """Every version on file, oldest first."""
    with keeper.places.active.reading() as connection:
        rows = connection.execute(_VERSIONS, (policy,)).fetchall()
    return tuple(_document(policy, *row) for row in rows)


def public_documents(keeper: Keeper, policy: str) -> tuple[Document, ...]:
    """The versions that people may read: those announced by now."""
    now = keeper.now()
    return tuple(one for one in documents_of(keeper, policy) if one.announced_at <= now or one.effective_at <= now)


def document_in_force(keeper: Keeper, policy: str) -> Document:
    """The version in force, before the first is in force that one. Raises InputRefused for a policy not on file."""
    line, now = keeper.views.line(policy), keeper.now()
    plan = line.at(now) or line.plans[0]
    return next(one for one in documents_of(keeper, policy) if one.version == plan.version)


@lru_cache(maxsize=64)
def _document(policy: str, version: str, source: bytes, announced_at: int, effective_at: int) -> Document:
    read = read_policy(source, f"{policy}.yaml")
    rows = {row.path: row for row in read.rows()}
    return Document(version, Instant(announced_at), Instant(effective_at), read, rows)


_VERSIONS = (
    "SELECT version, source, announced_at, effective_at FROM policy_version WHERE policy = ? ORDER BY effective_at"
)
