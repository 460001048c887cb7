"""Staff arrive: who signed in, when, and from which address, as the law wants it of access records.

The address is personal data of who works here. It lies in a paper, under a key of its own, and goes with the access
records; the ledger has the paper's id, which every look of the session carries as its origin.
"""

from __future__ import annotations

from typing import Final

from upheld.dates import Period, end_of
from upheld.keeper.papers import Papers
from upheld.ledger.entries import entry

ADDRESS = "sessions"
ADDRESS_KEPT: Final = Period(years=2)
"""LAW: Standards for safety measures 8(1): the longer of the two times for which access records stay."""
_ELEMENT = "upkeep.access-records"


class Arriving(Papers):
    """Sign-ins on record."""

    def arrived(self, policy: str, handler: str, address: str, *, session: str) -> str:
        """Somebody of the staff signed in. Returns the id under which the address is kept; `session` finds it again."""
        plan = self.views.line(policy).latest
        until = end_of(self.now(), ADDRESS_KEPT, plan.zone)
        origin = self.file_paper(policy, ADDRESS, address.encode(), owner=handler, about=session, until=until)
        elements = (_ELEMENT,)
        signed_in = entry(
            "staff.signed-in", self.now(), policy, None, elements, reader_id=handler, outcome="entered", origin=origin
        )
        self.places.active.submit(lambda transaction: transaction.journal(signed_in), about=(handler,))
        return origin

    def origin_of(self, policy: str, handler: str, session: str) -> str | None:
        """The id of the address from which a session came."""
        found = self.papers(policy, owner=handler, about=session, kind=ADDRESS)
        return found[-1].paper_id if found else None

    def arrivals(self, policy: str) -> list[tuple[str, int, str]]:
        """Who signed in (handler), when, and from where, newest first; while the addresses are kept."""
        filed = [one for one in self.papers(policy, kind=ADDRESS) if one.about is not None][::-1]
        found = ((one, self.paper(policy, one.paper_id)) for one in filed)
        return [(one.owner, one.filed_at, address.decode()) for one, address in found if address is not None]
