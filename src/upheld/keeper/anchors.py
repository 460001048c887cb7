"""The days of a person from which periods count, as the sweep finds people by them; and that none of them stays.

A day of a person who was forgotten would tell, with the code of the fact beside it, which entries of the ledger were
about whom: so they go with the person. INVARIANT: I11.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from upheld.dates import FOREVER, Instant, local_date
from upheld.engine.compile import GROWN, KNOWN, RECEIVED, REVIEWED
from upheld.engine.lifecycle import KEPT_BY_REVIEW
from upheld.engine.state import AboutKind, SubjectState
from upheld.keeper.door import GONE
from upheld.store.ids import bucket_of
from upheld.store.place import Transaction
from upheld.store.views import Seen


def happened(state: SubjectState) -> Iterable[tuple[str, Instant]]:
    """The days from which periods of a person may count, by code."""
    for engagement in state.engagements.values():
        yield "begun", engagement.begun_at
    for fact in state.facts:
        yield fact.code, fact.at
        yield KNOWN, fact.known_at
        if fact.code == KEPT_BY_REVIEW:
            yield REVIEWED, fact.at
    for consent in state.consents:
        name = consent.about.name if consent.about.kind is AboutKind.PURPOSE else str(consent.about)
        yield f"{'consented' if consent.given else 'withdrawn'}/{name}", consent.at
        if not consent.given:
            yield KNOWN, consent.known_at
    for value in state.values:
        for use in value.uses:
            yield f"collected/{use.purpose}", use.anchor_at
        if value.replaced_known_at is not None:
            yield KNOWN, value.replaced_known_at
    for disclosure in state.disclosures:
        yield f"provided/provision/{disclosure.recipient}", disclosure.at
    for request in state.requests:
        yield RECEIVED, request.received_at
        if request.settled_known_at is not None:
            yield KNOWN, request.settled_known_at


def forget_days(transaction: Transaction, seen: Seen, at: Instant) -> None:
    """No day and no visit of a person stays who is forgotten at this instant.

    Days are found by what the person was known by: their key begins with what people have in common, so that whoever
    asks for one person's would go through everybody's.
    """
    key, zone = (bucket_of(seen.subject_id), seen.subject_id), seen.view.plan.zone
    pairs = {
        (code, day + near)
        for code, instant in _ever(seen)
        if instant < FOREVER
        for day in [local_date(instant, zone).toordinal()]
        for near in (-1, 0, 1)
    }
    transaction.executemany(_FORGET_DAY, [(seen.policy, *pair, *key) for pair in sorted(pairs)])
    first, last = (local_date(one, zone).toordinal() for one in (seen.state.entered_at, at))
    transaction.execute(_FORGET_DAYS, (seen.policy, GONE, json.dumps([*range(first - 1, last + 2)]), *key))
    for statement in OF_A_VISIT:
        transaction.execute(statement, (seen.subject_id,))


def _ever(seen: Seen) -> Iterator[tuple[str, Instant]]:
    """Every day that was ever left for a person, and more."""
    state = seen.state
    yield from happened(state)
    for engagement in state.engagements:
        yield "ended", seen.view.life.engagement_end(engagement).at
    for fact in state.facts:
        yield "ended", fact.at
        yield REVIEWED, fact.at
    for request in state.requests:
        if request.lifted_at is not None:
            yield KNOWN, request.lifted_at
    if state.minor_until is not None and state.minor_until < FOREVER:
        yield GROWN, Instant(state.minor_until - 2 * _DAY)


_DAY: Final = 86_400_000_000
_FORGET_DAY: Final = "DELETE FROM anchor WHERE policy = ? AND fact = ? AND day = ? AND bucket = ? AND subject_id = ?"
_FORGET_DAYS: Final = (
    "DELETE FROM anchor WHERE policy = ? AND fact = ? AND day IN (SELECT CAST(value AS BIGINT) FROM json_each(?)) "
    "AND bucket = ? AND subject_id = ?"
)
OF_A_VISIT: Final = (
    "DELETE FROM session WHERE who = ?",
    "DELETE FROM session_look WHERE subject_id = ?",
    "DELETE FROM sign_in_code WHERE subject_id = ?",
    "DELETE FROM invitation WHERE subject_id = ?",
)
"""Rows of somebody who was here, or of whoever looked: most are gone by their own time long before."""
ALL_DAYS: Final = "DELETE FROM anchor WHERE bucket = ? AND subject_id = ?"
"""Goes through every day that is kept: for a recovery, which goes through everything."""
NOBODYS_DAYS: Final = (
    "DELETE FROM anchor WHERE NOT EXISTS (SELECT 1 FROM subject s WHERE s.bucket = anchor.bucket "
    "AND s.subject_id = anchor.subject_id)"
)
