"""Four eyes: what one person does and another has approved. On record with both, who are never the same.

Where the policy asks for it, nothing is destroyed that was not approved. An approval is for everything that has fallen
due until then; what falls due later waits for the next one. It never makes a value readable, and it moves no end: what
waits past its day is overdue, and the report says so. INVARIANT: I3.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from upheld.dates import Instant
from upheld.engine.acts import HandlerId
from upheld.engine.plan import Plan
from upheld.errors import InputRefused
from upheld.keeper.clearing import is_rehearsal
from upheld.keeper.door import Door
from upheld.ledger.entries import entry
from upheld.store.engine import Connection, Question
from upheld.store.place import Transaction

DESTRUCTION: Final = "destruction"
ACCOUNTS: Final = ("account-opened", "account-reset", "account-closed")
"""What may be approved besides, by the house's own desk."""


class Approving(Door):
    """Approvals."""

    def approve(self, policy: str, what: str, about: str, *, by: HandlerId, approver: HandlerId) -> str:
        """Something about an account was done by one and approved by another. Returns the approval's id.

        Raises InputRefused for the same person twice, and for an approver without a role at this moment.
        """
        if what not in ACCOUNTS:
            raise InputRefused("approval-unknown", f"what is approved here is one of: {', '.join(ACCOUNTS)}")
        return self._approved(policy, what, by, approver, about, ())

    def approve_destruction(self, policy: str, *, by: HandlerId, approver: HandlerId) -> str:
        """Everything that has fallen due until now may be destroyed. `approver` is of the staff that the policy names.

        Raises InputRefused where the policy asks for no approval, for the same person twice, and for somebody else.
        """
        now = self.now()
        plan = self.views.line(policy).at(now) or self.views.line(policy).latest
        if not plan.destruction.approval:
            raise InputRefused("approval-unknown", f"`{policy}` asks for no approval before it destroys")
        return self._approved(policy, DESTRUCTION, by, approver, None, tuple(sorted(plan.destruction.approval)))

    def _approved(
        self, policy: str, what: str, by: HandlerId, approver: HandlerId, about: str | None, kinds: Sequence[str]
    ) -> str:
        if by == approver:
            raise InputRefused("approver-same", "who approves is somebody else than who does it")
        approval_id = self.new_id()
        plan = self.views.line(policy).at(self.now()) or self.views.line(policy).latest
        elements = tuple(one.path for one in plan.destruction.approved_by_rules) if what == DESTRUCTION else ()

        def work(transaction: Transaction) -> None:
            held = {row[0] for row in transaction.execute(_ROLES, (policy, approver, self.now(), self.now()))}
            if not (held & set(kinds) if kinds else held):
                wanted = f": {', '.join(kinds)}" if kinds else ""
                raise InputRefused("approver-unknown", f"who approves has a role of the policy at that moment{wanted}")
            until = transaction.at if what == DESTRUCTION else None
            transaction.execute(
                INSERT_APPROVAL, (policy, approval_id, what, about, until, transaction.at, by, approver)
            )
            transaction.journal(
                entry(
                    "approval.given", transaction.at, policy, None, elements, approval=approval_id, what=what, by=by,
                    approver=approver, about=about, until=until,
                )
            )  # fmt: skip

        self.places.active.submit(work)
        return approval_id

    def approved_until(self, policy: str) -> Instant | None:
        """Until which instant what fell due may be destroyed; None: nothing was approved yet."""
        with self.places.active.reading() as connection:
            row = connection.execute(_LAST, (policy, DESTRUCTION)).fetchone()
        return None if row is None else Instant(row[0])

    def _waits_for_approval(self, transaction: Transaction, plan: Plan, due_at: Instant) -> bool:
        """Whether a destruction stands still for want of a second pair of eyes. A rehearsal destroys nobody's data."""
        if not plan.destruction.approval or is_rehearsal(plan.policy):
            return False
        return approval_for(transaction.connection, plan.policy, due_at) is None


def approval_for(connection: Connection, policy: str, due_at: Instant) -> tuple[str, str] | None:
    """The first approval that covers what fell due at an instant: its id and who approved."""
    row = connection.execute(_COVERING, (policy, DESTRUCTION, due_at)).fetchone()
    return None if row is None else (str(row[0]), str(row[1]))


def approvals_since(policy: str, due_at: Instant) -> Question:
    """What asks for approvals that cover what fell due at an instant or later: see `approver_among`."""
    return _COVERING_SINCE, (policy, DESTRUCTION, due_at)


def approver_among(approvals: Iterable[tuple[int, str, str]], due_at: Instant) -> str | None:
    """Who gave the first of these approvals that covers what fell due at an instant: `approval_for` of many."""
    return next((who for until_at, _, who in approvals if until_at >= due_at), None)


INSERT_APPROVAL: Final = (
    "INSERT INTO approval(policy, approval_id, what, about, until_at, at, by_id, approver_id) "
    "VALUES(?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(policy, approval_id) DO NOTHING"
)
_ROLES: Final = (
    "SELECT duty FROM handler WHERE policy = ? AND handler_id = ? AND granted_at <= ? AND until_at > ? "
    "AND revoked_at IS NULL"
)
_LAST: Final = "SELECT until_at FROM approval WHERE policy = ? AND what = ? ORDER BY until_at DESC LIMIT 1"
_COVERING_SINCE: Final = (
    "SELECT until_at, approval_id, approver_id FROM approval WHERE policy = ? AND what = ? AND until_at >= ? "
    "ORDER BY until_at, approval_id"
)
_COVERING: Final = (
    "SELECT approval_id, approver_id FROM approval WHERE policy = ? AND what = ? AND until_at >= ? "
    "ORDER BY until_at, approval_id LIMIT 1"
)
