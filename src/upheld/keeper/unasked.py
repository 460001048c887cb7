"""What is put on record when data is taken without consent: the exception, its law or difficulty, its papers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from upheld.dates import Instant
from upheld.engine.acts import HandlerId, Unasked
from upheld.errors import InputRefused
from upheld.ledger.entries import Value as Recordable
from upheld.store.place import Transaction

PAPERS = frozenset({"document", "contract", "requester", "claim", "registered-party", "consent"})
"""What an exception can need that is a paper."""


class Difficulty(StrEnum):
    """Why a person cannot well be asked."""

    ECONOMIC = "economic"
    TECHNICAL = "technical"


@dataclass(frozen=True, slots=True)
class WithoutConsent:
    """One of the policy's exceptions with everything that shows it holds.

    `law` is the document's name of a law and `article` a code such as `33` or `33-1`. `papers` maps what the exception
    needs (`contract`, `document`, ...) to the paper itself; the ledger keeps one digest of them all. `approver` is a
    handler with a role at that moment.
    """

    exception: str
    law: str | None = None
    article: str | None = None
    difficulty: Difficulty | None = None
    approver: HandlerId | None = None
    papers: Mapping[str, bytes] = field(default_factory=dict)

    def unasked(self) -> Unasked:
        """What the decision asks: which needs are met."""
        met = {
            "article": self.article is not None,
            "difficulty": self.difficulty is not None,
            "approver": self.approver is not None,
            **{need: bool(paper) for need, paper in self.papers.items()},
        }
        return Unasked(self.exception, frozenset(need for need, shown in met.items() if shown), self.law)

    def fields(self) -> dict[str, Recordable]:
        """The same for the ledger: codes, an id and a digest."""
        return {
            "exception": self.exception,
            "law": self.law,
            "article": self.article,
            "difficulty": self.difficulty.value if self.difficulty else None,
            "approver": self.approver,
            "papers": self.digest(),
        }

    def digest(self) -> bytes | None:
        """SHA-256 over name and SHA-256 of each paper, in the order of their names; None without papers."""
        if not self.papers:
            return None
        each = (f"{need}:{hashlib.sha256(self.papers[need]).hexdigest()}\n" for need in sorted(self.papers))
        return hashlib.sha256("".join(each).encode()).digest()


def check_unasked(transaction: Transaction, policy: str, given: WithoutConsent, now: Instant) -> None:
    """Raises InputRefused for a paper of no known kind and for an approver who has no role here now."""
    strange = sorted(set(given.papers) - PAPERS)
    if strange:
        raise InputRefused("paper-unknown", f"no exception needs a paper called {', '.join(strange)}")
    if given.approver is not None:
        row = transaction.execute(_ANY_ROLE, (policy, given.approver, now, now)).fetchone()
        if row is None:
            raise InputRefused(
                "approver-unknown", "who approves is a handler with a role at that moment; grant it first"
            )


_ANY_ROLE = (
    "SELECT 1 FROM handler WHERE policy = ? AND handler_id = ? AND granted_at <= ? AND until_at > ? "
    "AND revoked_at IS NULL LIMIT 1"
)
