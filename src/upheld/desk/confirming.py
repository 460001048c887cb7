"""What one said about advertising is confirmed to them by itself. LAW: Network Act 50(7): within fourteen days.

Nobody has to press a button. Each yes, each no is tried once; who could not be reached, or not told, stays with the
calendar of duties until somebody told them by another way. INVARIANT: I7.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Final

from upheld.dates import Instant, end_of
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
    unsaid = _unsaid(keeper, policy)
    if not unsaid:
        return Counter()
    document = document_in_force(keeper, policy)
    counts = Counter(tell_one(keeper, document, one, DUTY) for one in unsaid)
    keeper.did(policy, DUTY, counts=counts)
    return counts


def _unsaid(keeper: Keeper, policy: str) -> list[OwedNotice]:
    """Every yes and no about a medium for which no message was made since it was known, the oldest first."""
    zone = keeper.views.line(policy).latest.zone
    with keeper.places.active.reading() as connection:
        rows = connection.execute(_UNSAID, (policy, DUTY, AT_ONCE)).fetchall()
    return [
        OwedNotice(SubjectId(who), end_of(Instant(at), DUTIES[DUTY].every, zone), Instant(at), medium, bool(given))
        for who, medium, at, given in rows
    ]


_UNSAID = (
    "SELECT c.subject_id, c.about, c.at, c.given FROM consent c JOIN subject s ON s.bucket = c.bucket AND "
    "s.subject_id = c.subject_id WHERE s.policy = ? AND c.about_kind = 'medium' AND NOT EXISTS ("
    "SELECT 1 FROM message m WHERE m.bucket = c.bucket AND m.subject_id = c.subject_id AND m.notice = ? "
    "AND m.about = c.about AND m.queued_at >= c.known_at) ORDER BY c.known_at, c.consent_id LIMIT ?"
)
