"""What a person is asked to agree to, each matter by itself, and what taking an agreement back ends.

The text of a question is made here once: what stands on the page is what is recorded, by hash, locale and version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from upheld.dates import FOREVER, Instant, end_of
from upheld.desk.documents import Document
from upheld.desk.holdings import held_of
from upheld.engine.duties import SOON
from upheld.engine.plan import Plan, PurposePlan
from upheld.engine.question import question
from upheld.engine.state import About, AboutKind
from upheld.errors import InputRefused
from upheld.keeper import Keeper
from upheld.keeper.living import about_of
from upheld.policy.vocabulary import AtNight, Nature
from upheld.store.views import Seen

COLLECTION: Final = About(AboutKind.REPRESENTATIVE, "collection")
"""That a child's data is taken at all: its representative says so."""
_ASKED_APART: Final = frozenset({Nature.SENSITIVE, Nature.UNIQUE_ID})
WEBSITES: Final = ("website", "homepage", "site", "web", "online")
"""Ours: channels that this service is, best first; else the first on which one agrees by a tick."""


@dataclass(frozen=True, slots=True)
class Matter:
    """One question with its state. `text` is what is shown and recorded, in `locale` (one of the document's)."""

    about: str
    required: bool
    text: str
    locale: str
    agreed_at: Instant | None
    """When the agreement that stands was given; None where none stands."""
    grown: bool
    """Whether it is asked anew: something grew since then, which the text begins with, or its time is over."""

    @property
    def digest(self) -> str:
        """Goes with the form: a text that changed since it was shown is shown again."""
        return hashlib.sha256(f"{self.locale} {self.text}".encode()).hexdigest()

    @property
    def waits(self) -> bool:
        """Whether there is something to answer."""
        return self.agreed_at is None or self.grown


@dataclass(frozen=True, slots=True)
class Ending:
    """What taking an agreement back does: services that end, items destroyed and items kept, by element paths."""

    engagements: tuple[str, ...]
    destroyed: tuple[str, ...]
    kept: tuple[tuple[str, tuple[str, ...]], ...]
    recipient: str | None


def web_channel(plan: Plan, document: Document) -> str | None:
    """The channel of the policy that this service is; None where the policy takes no consent on a page."""
    known = plan.consent_channels or plan.channels
    named = next((one for one in WEBSITES if one in known), None)
    ticked = (name for name, row in document.policy.consent.items() if "tick" in {str(way) for way in row.by})
    return named or next(ticked, None)


def is_child(keeper: Keeper, seen: Seen) -> bool:
    """Whether a legal representative speaks for this person."""
    return not keeper.grown_up(seen.subject_id)


def matters_of(
    keeper: Keeper, policy: str, document: Document, plan: Plan, locale: str, *, kind: str, seen: Seen | None = None
) -> tuple[Matter, ...]:
    """Every question for a kind of person, required ones first; of a person with what stands."""
    language = document.locale(locale)
    child = seen is not None and is_child(keeper, seen)
    found = [_matter(keeper, document, plan, language, about, needed, seen) for about, needed in abouts(plan, kind)]
    never = {AboutKind.MEDIUM, AboutKind.NIGHT} if child else set()
    first = [_matter(keeper, document, plan, language, COLLECTION, True, seen)] if child else []
    asked = first + [one for one in found if about_of(one.about).kind not in never]
    return tuple(sorted(asked, key=lambda one: not one.required))


def abouts(plan: Plan, kind: str) -> Iterator[tuple[About, bool]]:
    """What one agrees to, each by itself, and whether a service needs it. LAW: PIPA 22(1), 22(5)."""
    covered = [row for row in plan.purposes.values() if not row.blocked and (not row.whose or kind in row.whose)]
    for purpose in covered:
        if any(purpose.rests_on_consent(item) for item in purpose.items):
            yield About(AboutKind.PURPOSE, purpose.name), purpose.required
        if "device-permission" in purpose.needs:
            yield About(AboutKind.PERMISSION, purpose.name), purpose.required
    yield from _items_apart(plan, covered)
    for recipient, row in plan.provisions.items():
        if not row.blocked and (not row.whose or kind in row.whose):
            yield About(AboutKind.PROVISION, recipient), False
    names = {purpose.name for purpose in covered}
    for processor, given in plan.entrustments.items():
        if given.own_consent and not given.blocked and given.purposes & names:
            yield About(AboutKind.ENTRUSTMENT, processor), False
    for transfer in plan.transfers.values():
        if transfer.basis == "consent" and not transfer.blocked:
            yield About(AboutKind.TRANSFER, transfer.name), False
    if plan.advertising_purposes & names or not plan.advertising_purposes:
        for medium, (_, at_night) in plan.advertising.items():
            yield About(AboutKind.MEDIUM, medium), False
            if at_night != AtNight.NEVER:
                yield About(AboutKind.NIGHT, medium), False


def _items_apart(plan: Plan, covered: list[PurposePlan]) -> Iterator[tuple[About, bool]]:
    """LAW: Personal Information Protection Act 23, 24: such an item is asked for by itself, unless a law names it."""
    needed: dict[str, bool] = {}
    for purpose in covered:
        for item in sorted(purpose.items):
            declared = plan.items[item]
            if declared.nature in _ASKED_APART and not (purpose.law or declared.law):
                needed[item] = needed.get(item, False) or purpose.required
    for item, required in needed.items():
        yield About(AboutKind.ITEM, item), required


def _matter(
    keeper: Keeper, document: Document, plan: Plan, locale: str, about: About, required: bool, seen: Seen | None
) -> Matter:
    standing = seen.view.life.standing(about, max(keeper.now(), seen.last_at)) if seen is not None else None
    text, grown = question(plan, about, locale, document.policy), False
    if standing is not None and standing.version != plan.version:
        before = _difference(keeper, plan, about, standing.version, locale)
        text, grown = (before, True) if before else (text, False)
    agreed_at = standing.at if standing else None
    return Matter(str(about), required, text, locale, agreed_at, grown or _old(keeper, plan, about, agreed_at))


def _old(keeper: Keeper, plan: Plan, about: About, agreed_at: Instant | None) -> bool:
    """Whether a consent to receive advertising is asked for again: its two years are over, or soon. LAW: Network Act
    50(8). Nothing is sent on one that nobody renewed.
    """
    every = plan.country.reconfirmed
    if agreed_at is None or every is None or about.kind not in (AboutKind.MEDIUM, AboutKind.NIGHT):
        return False
    return end_of(agreed_at, every, plan.zone) <= end_of(keeper.now(), SOON, plan.zone)


def _difference(keeper: Keeper, plan: Plan, about: About, agreed: str, locale: str) -> str | None:
    """What grew since somebody agreed, before the question; None where nothing did."""
    if keeper.views.line(plan.policy).latest.version != plan.version:
        return None  # the version to come is asked about when it holds
    try:
        return keeper.reconsent_text(plan.policy, about, agreed, locale)
    except InputRefused:
        return None


def ending(keeper: Keeper, policy: str, plan: Plan, seen: Seen, about: About) -> Ending:
    """What taking this agreement back does, told before it is done."""
    purpose = plan.purposes.get(about.name) if about.kind is AboutKind.PURPOSE else None
    now = max(keeper.now(), seen.last_at)
    kinds = [
        one.kind
        for one in seen.state.engagements.values()
        if purpose is not None and purpose.required and one.kind in purpose.per
        and seen.view.life.engagement_end(one.engagement_id).at >= FOREVER > now
    ]  # fmt: skip
    recipient = about.name if about.kind in (AboutKind.PROVISION, AboutKind.ENTRUSTMENT) else None
    if purpose is None:
        return Ending(tuple(kinds), (), (), recipient)
    others: dict[str, set[str]] = {}
    for one in held_of(keeper, seen):
        if one.item in purpose.items and any(why.path == purpose.rule.path for why in one.why):
            others.setdefault(one.item, set()).update(why.path for why in one.why if why.path != purpose.rule.path)
    destroyed = tuple(sorted(item for item, paths in others.items() if not paths))
    kept = tuple((item, tuple(sorted(paths))) for item, paths in sorted(others.items()) if paths)
    return Ending(tuple(dict.fromkeys(kinds)), destroyed, kept, recipient)
