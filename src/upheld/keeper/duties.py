"""What the house does unasked is put on record: duties done, with findings and proof, and figures of the house.

Nothing of it has a table: the sealed ledger is where it is read. INVARIANT: I7.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from upheld.engine.acts import HandlerId
from upheld.engine.duties import DUTIES, Size
from upheld.errors import InputRefused
from upheld.keeper.door import Door, When
from upheld.ledger.entries import entry

LARGEST_FIGURE = 10_000_000_000


class DoneUnasked(Door):
    """Duties that nobody asks for."""

    def did(
        self,
        policy: str,
        duty: str,
        *,
        about: str | None = None,
        findings: tuple[str, ...] = (),
        counts: Mapping[str, int] | None = None,
        record: bytes = b"",
        by: HandlerId | None = None,
        at: When = None,
    ) -> None:
        """A duty was done: `about` a processor or handler where it is theirs, `findings` as codes, `record` as proof,
        of which the digest is kept. Raises InputRefused for a duty that is none.
        """
        self.views.line(policy)
        if duty not in DUTIES:
            raise InputRefused("duty-unknown", f"`{duty}` is no duty; there are: {', '.join(DUTIES)}")
        when = self._happened(at)
        self.places.active.submit(
            lambda transaction: transaction.journal(
                entry(
                    "duty.done",
                    when,
                    policy,
                    None,
                    (),
                    duty=duty,
                    about=about,
                    findings=findings or None,
                    digest=hashlib.sha256(record).digest() if record else None,
                    by=by,
                    counts=dict(counts) if counts else None,
                    known_at=transaction.at,
                )
            )
        )

    def counted(self, policy: str, figure: str, number: int, *, by: HandlerId | None = None, at: When = None) -> None:
        """The house was counted: so many persons, in all that it runs. Raises InputRefused for no such figure."""
        self.views.line(policy)
        if figure not in set(Size):
            raise InputRefused("figure-unknown", f"`{figure}` is no figure; there are: {', '.join(Size)}")
        if not 0 <= number <= LARGEST_FIGURE:
            raise InputRefused("figure-unusable", "a figure is a whole number of persons")
        when = self._happened(at)
        self.places.active.submit(
            lambda transaction: transaction.journal(
                entry("house.counted", when, policy, None, (), figure=figure, number=number, by=by)
            )
        )
