"""What a receipt needs besides the policy: the consent that was given, and how the house is reached."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from upheld.errors import InputRefused
from upheld.policy import plain
from upheld.policy.model import Item, Policy, Purpose, Row
from upheld.policy.vocabulary import Nature, Seen
from upheld.policy.wording import text_in

TENDER = frozenset({Nature.SENSITIVE, Nature.UNIQUE_ID, Nature.RESIDENT_NUMBER})


@dataclass(frozen=True, slots=True)
class Anchor:
    """What lets its bearer show later that a ledger was not cut short: the newest signed checkpoint, and the key."""

    checkpoint: str
    public_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenConsent:
    """One consent on record. `subject` is an alias, never a name; `matter` as the keeper writes it (`purpose/news`).

    `text_hash` is that of the text shown, in `locale`, under `version` of the policy. `at` and `withdrawn` are aware.
    """

    consent: str
    subject: str
    matter: str
    at: datetime
    text_hash: str
    locale: str
    channel: str
    version: str
    withdrawn: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What no policy document says of its controller and a receipt must: its seat and how it is reached.

    An empty `jurisdiction` is the seat that the table of law of the policy's time zone names.
    """

    jurisdiction: str
    address: str
    email: str
    policy_url: str


@dataclass(frozen=True, slots=True)
class Matter:
    """What one consent is for, whatever kind of element that is. `what` and `until` are in one language."""

    row: Row
    what: str
    items: tuple[Item, ...]
    until: str
    required: bool = False
    third_parties: tuple[Row, ...] = ()
    processors: tuple[Row, ...] = ()

    def named(self, locale: str, *, tender: bool = False) -> list[str]:
        """The public names of its items; with `tender` only those that need a consent of their own."""
        return titles([one for one in self.items if not tender or one.nature in TENDER], locale)


def matter_of(policy: Policy, consent: GivenConsent) -> Matter:
    """What was agreed to. Raises InputRefused for a matter that is none of the policy's, or tells of no data.

    Also for an instant without zone, which would be read differently in each place.
    """
    instants = [consent.at, *([consent.withdrawn] if consent.withdrawn else [])]
    if any(one.tzinfo is None for one in instants):
        raise InputRefused("instant-without-zone", "say in which zone the consent was given")
    kind, _, name = consent.matter.partition("/")
    made = _MATTERS.get(kind)
    found = made(policy, name, consent.locale) if made else None
    if found is None:
        raise InputRefused("matter-unknown", f"no receipt is made for `{consent.matter}` under `{policy.policy}`")
    return found


def has_receipt(policy: Policy, matter: str) -> bool:
    """Whether a receipt is made for a matter: that a representative agrees tells of no data by itself."""
    kind, _, name = matter.partition("/")
    made = _MATTERS.get(kind)
    return made is not None and made(policy, name, policy.locales[0]) is not None


def _purpose(policy: Policy, name: str, locale: str) -> Matter | None:
    row = policy.purposes.get(name.partition("/")[0])
    if row is None:
        return None
    until = plain.end(row.until, policy, locale, row.per)
    return Matter(row, plain.title_of(row, locale), _items(policy, row.items), until, row.required)


def _provision(policy: Policy, name: str, locale: str) -> Matter | None:
    row = policy.provisions.get(name)
    if row is None:
        return None
    until, parties = plain.end(row.until, policy, locale, row.per), tuple(_parties(policy, [row.to or row.name]))
    return Matter(
        row,
        text_in(row.their_use, locale) or plain.title_of(row, locale),
        _items(policy, row.items),
        until,
        third_parties=parties,
    )


def _entrustment(policy: Policy, name: str, locale: str) -> Matter | None:
    row = policy.entrustments.get(name)
    if row is None:
        return None
    task = text_in(row.task, locale) or ", ".join(plain.named("purposes", one, policy, locale) for one in row.for_)
    parties = tuple(_parties(policy, [row.to or row.name]))
    items = row.items or _items_for(policy, row.for_)
    what = f"{task} ({', '.join(titles([*parties], locale))})" if parties else task
    return Matter(row, what, _items(policy, items), _ends(policy, row.for_, locale), processors=parties)


def _transfer(policy: Policy, name: str, locale: str) -> Matter | None:
    row = policy.transfers.get(name)
    if row is None:
        return None
    parties = tuple(_parties(policy, [row.to]))
    until, how = plain.end(row.until, policy, locale), text_in(row.how, locale)
    return Matter(row, how, _items(policy, row.items), until, third_parties=parties)


def _medium(policy: Policy, name: str, locale: str) -> Matter | None:
    row = policy.advertising.get(name)
    if row is None:
        return None
    return Matter(row, plain.title_of(row, locale), (), _ends(policy, row.for_, locale))


def _item(policy: Policy, name: str, locale: str) -> Matter | None:
    row = policy.items.get(name)
    if row is None:
        return None
    uses = [one.name for one in policy.purposes.values() if name in one.items and not one.blocked]
    return Matter(row, plain.title_of(row, locale), (row,), _ends(policy, uses, locale))


_MATTERS: Final[Mapping[str, Callable[[Policy, str, str], Matter | None]]] = {
    "purpose": _purpose,
    "permission": _purpose,
    "provision": _provision,
    "entrustment": _entrustment,
    "transfer": _transfer,
    "medium": _medium,
    "night": _medium,
    "item": _item,
}


def _items(policy: Policy, names: Iterable[str]) -> tuple[Item, ...]:
    return tuple(policy.items[name] for name in names if name in policy.items)


def _items_for(policy: Policy, purposes: Iterable[str]) -> list[str]:
    rows = [policy.purposes[name] for name in purposes if name in policy.purposes]
    return list(dict.fromkeys(item for row in rows for item in row.items))


def _ends(policy: Policy, purposes: Iterable[str], locale: str) -> str:
    """When the last use of several purposes is over, in words."""
    rows = [policy.purposes[name] for name in purposes if name in policy.purposes]
    return "; ".join(dict.fromkeys(plain.end(row.until, policy, locale, row.per) for row in rows))


def recipients(policy: Policy, purpose: Purpose, *, public: bool = False) -> Iterator[Row]:
    """The third parties that share an item with a purpose; a document gives items away, not purposes.

    With `public` only those that the document shows to everybody.
    """
    rows = [row for row in policy.provisions.values() if runs(row, public=public) and {*row.items} & {*purpose.items}]
    yield from _parties(policy, [row.to or row.name for row in rows])


def processors(policy: Policy, purpose: Purpose, *, public: bool = False) -> Iterator[Row]:
    """The processors that work for a purpose; with `public` only those that the document shows to everybody."""
    rows = [row for row in policy.entrustments.values() if runs(row, public=public) and purpose.name in row.for_]
    yield from _parties(policy, [row.to or row.name for row in rows])


def runs(row: Row, *, public: bool = False) -> bool:
    """Whether a row is in operation, and with `public` shown to everybody."""
    return not row.blocked and (not public or row.seen is Seen.PUBLIC)


def _parties(policy: Policy, names: list[str | None]) -> Iterator[Row]:
    return (policy.parties[name] for name in dict.fromkeys(names) if name in policy.parties and name)


def titles(rows: Iterable[Row], locale: str) -> list[str]:
    """The public names of elements."""
    return [plain.title_of(row, locale) for row in rows]


def items_of(policy: Policy, row: Purpose, locale: str, *, tender: bool = False) -> list[str]:
    """The public names of the items of a purpose; with `tender` only those that need a consent of their own."""
    rows = [policy.items[name] for name in row.items if name in policy.items]
    return [plain.title_of(one, locale) for one in rows if not tender or one.nature in TENDER]
