"""A value is taken by who takes plan and person to be as they were: claim, epoch and value in one statement.

Each statement less is one that a server need not begin and end, and a driver need not send and hear of. That the first
one takes its locks itself means that it sees what was committed before it had them.
"""

from __future__ import annotations

from upheld.dates import Instant
from upheld.engine.acts import SubjectId
from upheld.engine.state import Value
from upheld.store import subjects
from upheld.store.engine import CLAIMED
from upheld.store.ids import bucket_of_value
from upheld.store.transaction import Transaction

# The first value of who takes the person to be as it was, and what claims the person: where it is not so, or the claim
# can't be had, the bucket is missing. The epoch that is compared is the newest also where it was raised after the
# statement began; that of the plan is seen as it was then, so it is proved by the record, which is a statement later.
_TOUCH_AND_INSERT = (
    "WITH touched AS (UPDATE subject SET epoch = epoch + 1, last_at = max(last_at, ?) "  # noqa: S608 - a word of ours
    f"WHERE {CLAIMED} AND bucket = ? AND subject_id = ? AND epoch = ? RETURNING bucket) "
    f"{subjects.INTO_VALUE.format('(SELECT bucket FROM touched)')}"
)
PLAN_AS_SEEN = "(SELECT plan_epoch FROM guard) = ?"


def add_first_value(
    transaction: Transaction,
    subject_id: SubjectId,
    epoch: int,
    plan_epoch: int,
    last_at: Instant,
    value: Value,
    key_id: int,
    sealed: bytes,
) -> None:
    """`touch` and `add_value` of who takes plan and person to be as they were, in one statement: where they are not,
    or somebody else has the person, nothing of the transaction happens. For work that is gathered before it is sent.
    """
    transaction.must_claim(subject_id)
    touched = (last_at, bucket_of_value(value.value_id), subject_id, epoch)
    row = (*touched, *subjects.value_row(subject_id, value, key_id, sealed))
    transaction.claims(_TOUCH_AND_INSERT, row)
    transaction.provided = PLAN_AS_SEEN, (plan_epoch,)
