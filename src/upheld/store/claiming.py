"""A person is claimed by who takes plan and person to be as they were: claim and epoch are one statement, said first.

The server begins with it while what is added is still being made. That it takes its locks itself means that it sees
what was committed before it had them; every statement after it sees all that was committed until then.
"""

from __future__ import annotations

from upheld.dates import Instant
from upheld.engine.acts import SubjectId
from upheld.store.engine import CLAIMED
from upheld.store.ids import bucket_of
from upheld.store.transaction import Transaction

# It divides by zero where the claim can't be had or the epoch is another: the newest, also where that was raised after
# the statement began. That the person is there, and the plan, are proved by the record: that is a statement later, and
# sees everything up to the locks.
_CLAIM_AND_TOUCH = (
    "UPDATE subject SET epoch = epoch + 1 / CAST(epoch = ? AS INT), last_at = max(last_at, ?) "  # noqa: S608 - a word of ours
    f"WHERE {CLAIMED} AND bucket = ? AND subject_id = ?"
)
PLAN_AND_PERSON = (
    "(SELECT plan_epoch FROM guard WHERE EXISTS (SELECT 1 FROM subject WHERE bucket = ? AND subject_id = ?)) = ?"
)


def claim_as_seen(
    transaction: Transaction, subject_id: SubjectId, epoch: int, plan_epoch: int, last_at: Instant
) -> None:
    """`touch` of who takes plan and person to be as they were, sent at once: where they are not, or somebody else has
    the person, nothing of the transaction happens. For work that is gathered, once it is decided.
    """
    transaction.must_claim(subject_id)
    bucket = bucket_of(subject_id)
    transaction.claims(_CLAIM_AND_TOUCH, (epoch, last_at, bucket, subject_id))
    transaction.provided = PLAN_AND_PERSON, (bucket, subject_id, plan_epoch)
