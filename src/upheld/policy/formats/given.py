"""What a receipt needs besides the policy: the consent that was given, and how the house is reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from upheld.errors import InputRefused
from upheld.policy import plain
from upheld.policy.model import Policy, Provision, Purpose, Row, Transfer
from upheld.policy.vocabulary import Nature, Seen

TENDER = frozenset({Nature.SENSITIVE, Nature.UNIQUE_ID, Nature.RESIDENT_NUMBER})


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
    """What no policy document says of its controller and a receipt must: its seat and how it is reached."""

    jurisdiction: str
    address: str
    email: str
    policy_url: str


def matter_of(policy: Policy, consent: GivenConsent) -> Purpose | Provision | Transfer:
    """The element that was agreed to. Raises InputRefused for a matter that is none of these, or none of this policy.

    Also for an instant without zone, which would be read differently in each place.
    """
    instants = [consent.at, *([consent.withdrawn] if consent.withdrawn else [])]
    if any(one.tzinfo is None for one in instants):
        raise InputRefused("instant-without-zone", "say in which zone the consent was given")
    kind, _, name = consent.matter.partition("/")
    rows: dict[str, Purpose | Provision | Transfer | None] = {
        "purpose": policy.purposes.get(name.partition("/")[0]),
        "provision": policy.provisions.get(name),
        "transfer": policy.transfers.get(name),
    }
    found = rows.get(kind)
    if found is None:
        raise InputRefused("matter-unknown", f"no receipt is made for `{consent.matter}` under `{policy.policy}`")
    return found


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


def agreed_by_row(policy: Policy, row: Purpose | Provision | Transfer) -> list[Row]:
    """The parties that the agreed row itself gives data to."""
    if isinstance(row, Purpose):
        return []
    return [policy.parties[row.to]] if row.to and row.to in policy.parties else []


def titles(rows: Iterator[Row] | list[Row], locale: str) -> list[str]:
    """The public names of elements."""
    return [plain.title_of(row, locale) for row in rows]


def items_of(policy: Policy, row: Purpose | Provision | Transfer, locale: str, *, tender: bool = False) -> list[str]:
    """The public names of the items that a row is about; with `tender` only those that need a consent of their own."""
    rows = [policy.items[name] for name in row.items if name in policy.items]
    return [plain.title_of(one, locale) for one in rows if not tender or one.nature in TENDER]


def what_for(policy: Policy, row: Purpose | Provision | Transfer, locale: str) -> str:
    """The purpose as people read it."""
    match row:
        case Purpose():
            return plain.title_of(row, locale)
        case Provision():
            return plain.text_in(row.their_use, locale)
        case Transfer():
            return plain.text_in(row.how, locale)
