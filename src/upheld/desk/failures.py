"""Who did not get in: on record as an access record, so that whoever guesses is seen. No name, no address, no secret.

`about` is a keyed digest of what was tried: the officer sees that somebody tries one name again and again, or many.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from upheld.dates import Instant
from upheld.keeper import Keeper
from upheld.ledger.entries import entry
from upheld.store import history

KIND = "sign-in.failed"
_ELEMENT = "upkeep.access-records"
DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Failed:
    """Tries of one kind about one thing, within a day. `account_id` where the name was one of ours."""

    area: str
    step: str
    why: str
    account_id: str | None
    tries: int
    last_at: Instant


def note_failure(
    keeper: Keeper, policy: str, area: str, step: str, why: str, *, account: str | None = None, about: str | None = None
) -> None:
    """Put on record that somebody did not get in. `area`: console or portal; `step`: where; `why`: a word."""
    digest = keeper.places.vault.digest(policy, "failed", about) if about else None
    failed = entry(
        KIND, keeper.now(), policy, None, (_ELEMENT,), area=area, step=step, why=why, account=account, about=digest
    )
    keeper.places.active.submit(lambda transaction: transaction.journal(failed), about=())


def failures(keeper: Keeper, policy: str, days: int = 7) -> list[Failed]:
    """What was tried in the last days and sealed, newest first: one row for each thing that was tried."""
    found: dict[tuple[object, ...], Failed] = {}
    for at, fields in _recorded(keeper, policy, days):
        account = str(fields["account"]) if "account" in fields else None
        area, step, why = (str(fields[name]) for name in ("area", "step", "why"))
        key = (area, step, why, account, fields.get("about"), at // DAY)
        tries = found[key].tries if key in found else 0
        found[key] = Failed(area, step, why, account, tries + 1, at)
    return sorted(found.values(), key=lambda one: -one.last_at)


def _recorded(keeper: Keeper, policy: str, days: int) -> Iterator[tuple[Instant, dict[str, object]]]:
    since = keeper.now() - days * DAY
    for one in history.entries(keeper.places.sealer.connection, since=since, kinds=(KIND,), policy=policy):
        yield Instant(one.entry.at), dict(one.entry.fields)
