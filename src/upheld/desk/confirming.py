"""What one said about advertising is confirmed to them by itself. LAW: Network Act 50(7): within fourteen days.

Nobody has to press a button. Each yes, each no is tried once; who could not be reached, or not told, stays with the
calendar of duties until somebody told them by another way. INVARIANT: I7.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Final

from upheld.dates import BEGINNING, Instant, end_of
from upheld.desk.documents import document_in_force
from upheld.desk.duties import OwedNotice
from upheld.desk.notifying import tell_one
from upheld.engine.acts import SubjectId
from upheld.engine.duties import DUTIES
from upheld.keeper import Keeper
from upheld.keeper.clearing import is_rehearsal
from upheld.store.leases import LeaseHeld

DUTY: Final = "consent-confirmed"
AT_ONCE: Final = 500
"""Ours: so many persons of one policy at a time; the next turn goes on."""
LOOKED_BACK: Final = 24 * 3_600_000_000
"""Ours: so long (microseconds) before the mark everything is looked at again. Longer than any transaction is open."""
_MARK: Final = "confirmed/{}"


def confirm_consents(keeper: Keeper) -> Counter[str]:
    """Tell everybody under every policy what was taken down of their consent to advertising, and has not been told.

    Returns how many messages are in which state; each policy's count goes on record as the duty done. One process at a
    time does it: while another is at it nothing is left to do here.
    """
    done: Counter[str] = Counter()
    keeper.views.refresh()
    with suppress(LeaseHeld), keeper.places.leases.lease("confirm", wait=False):
        for policy in sorted(keeper.views.lines):
            if not is_rehearsal(policy) and keeper.views.line(policy).at(keeper.now()) is not None:
                done += _confirmed(keeper, policy)
    return done


def _confirmed(keeper: Keeper, policy: str) -> Counter[str]:
    began = keeper.now()
    unsaid, until = _unsaid(keeper, policy, _marked(keeper, policy))
    document = document_in_force(keeper, policy)
    counts = Counter(tell_one(keeper, document, one, DUTY) for one in unsaid)
    if counts:
        keeper.did(policy, DUTY, counts=counts)
    _mark(keeper, policy, began if until is None else until)
    return counts


def _unsaid(keeper: Keeper, policy: str, since: Instant) -> tuple[list[OwedNotice], Instant | None]:
    """Every yes and no about a medium for which no message was made since it was known, the oldest first; and up to
    when all have been found, None where all were.
    """
    zone = keeper.views.line(policy).latest.zone
    with keeper.places.active.reading() as connection:
        rows = connection.execute(_UNSAID, (since, policy, DUTY, AT_ONCE)).fetchall()
    found = [
        OwedNotice(SubjectId(who), end_of(Instant(at), DUTIES[DUTY].every, zone), Instant(at), medium, bool(given))
        for who, medium, at, given, _ in rows
    ]
    return found, Instant(rows[-1][4]) if len(rows) == AT_ONCE else None


def _marked(keeper: Keeper, policy: str) -> Instant:
    """From when on it is looked: what became known before has its message. From the beginning where nobody looked."""
    with keeper.places.active.reading() as connection:
        row = connection.execute(_GET_MARK, (_MARK.format(policy),)).fetchone()
    return Instant(row[0] - LOOKED_BACK) if row is not None else BEGINNING


def _mark(keeper: Keeper, policy: str, until: Instant) -> None:
    """All that became known before has its message. A copy of the place that is put back has the mark of its day."""
    row = (_MARK.format(policy), until)
    keeper.places.active.submit(lambda transaction: transaction.execute(_SET_MARK, row), about=(row[0],))


_GET_MARK = "SELECT ran_at FROM background WHERE name = ?"
_SET_MARK = (
    "INSERT INTO background(name, holder, until_at, ran_at) VALUES(?, '', 0, ?) "
    "ON CONFLICT(name) DO UPDATE SET ran_at = excluded.ran_at"
)
# From what was said about media to the persons: an index has these alone, in the order in which they became known.
_UNSAID = (
    "SELECT c.subject_id, c.about, c.at, c.given, c.known_at FROM consent c WHERE c.about_kind = 'medium' AND "
    "c.known_at >= ? AND EXISTS (SELECT 1 FROM subject s WHERE s.bucket = c.bucket AND s.subject_id = c.subject_id "
    "AND s.policy = ?) AND NOT EXISTS (SELECT 1 FROM message m WHERE m.bucket = c.bucket "
    "AND m.subject_id = c.subject_id AND m.notice = ? AND m.about = c.about AND m.queued_at >= c.known_at) "
    "ORDER BY c.known_at, c.consent_id LIMIT ?"
)
