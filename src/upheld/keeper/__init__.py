"""The one door to personal data: every verb is facts, decision, effect, evidence.

keeper.enter → begin → consent → collect → read → provide → correct → request → answer → sweep → certificate
"""

from __future__ import annotations

from collections.abc import Callable

from argon2 import PasswordHasher

from upheld.dates import Instant
from upheld.keeper.acting import ActingFor
from upheld.keeper.aio import AsyncKeeper
from upheld.keeper.applications import Application, Applications
from upheld.keeper.arriving import Arriving
from upheld.keeper.asking import Asking
from upheld.keeper.at_once import AtOnce
from upheld.keeper.auditing import Auditing
from upheld.keeper.data import Data
from upheld.keeper.door import Places
from upheld.keeper.duties import DoneUnasked
from upheld.keeper.exporting import Export, Exporting
from upheld.keeper.giving import Giving
from upheld.keeper.handing_over import Bundle, HandingOver, Merger, MergerState, PassedOn, Terms
from upheld.keeper.inspecting import Inspecting, Inspection, Kept, Page
from upheld.keeper.leaks import Leaks
from upheld.keeper.living import Living, Shown
from upheld.keeper.moving import Moving
from upheld.keeper.outcome import Outcome
from upheld.keeper.papers import Paper
from upheld.keeper.posting import Fallbacks, Posting, Told
from upheld.keeper.publishing import Publication, Publishing
from upheld.keeper.receipting import Receipting
from upheld.keeper.reconsenting import Reconsenting
from upheld.keeper.recovering import Recovered, Recovery
from upheld.keeper.rejecting import VERBS, noted
from upheld.keeper.seeing import Reading
from upheld.keeper.steps import Swept
from upheld.keeper.telling import Delivered, Message
from upheld.keeper.unasked import Difficulty, WithoutConsent
from upheld.store.leases import HomeInUse


class Keeper(
    HandingOver,
    Reconsenting,
    AtOnce,
    Asking,
    Living,
    Exporting,
    Data,
    Auditing,
    Recovery,
    Publishing,
    Moving,
    Giving,
    ActingFor,
    Receipting,
    DoneUnasked,
    Applications,
    Arriving,
    Leaks,
    Inspecting,
):
    """Everything that may be done with personal data under the policies of one home."""

    def __init__(
        self,
        places: Places,
        *,
        hasher: PasswordHasher,
        looked_up: Callable[[str, str], bool],
        in_reach: Callable[[Instant], bool],
        clock_set: bool,
        close: Callable[[], None],
    ) -> None:
        super().__init__(places)
        self.hasher = hasher
        self.looked_up = looked_up
        self.in_reach, self.clock_set = in_reach, clock_set
        self._close = close
        self.front = AsyncKeeper(self)
        """The hot verbs for tasks of an event loop."""
        self._documents_read = {}
        try:
            self.presence = places.leases.presence()
        except HomeInUse:
            close()
            raise
        self.notice()
        places.active.relieve = self.seal_tail if places.seals else None

    def close(self) -> None:
        """Give the files back; readings of tasks that are under way are finished first."""
        self.front.close()
        self.presence.close()
        self._close()

    def __enter__(self) -> Keeper:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


for _verb in VERBS:
    setattr(Keeper, _verb, noted(_verb, getattr(Keeper, _verb)))


__all__ = [
    "Application",
    "AsyncKeeper",
    "Bundle",
    "Delivered",
    "Difficulty",
    "Export",
    "Fallbacks",
    "Inspection",
    "Keeper",
    "Kept",
    "Merger",
    "MergerState",
    "Message",
    "Outcome",
    "Page",
    "Paper",
    "PassedOn",
    "Posting",
    "Publication",
    "Reading",
    "Recovered",
    "Shown",
    "Swept",
    "Terms",
    "Told",
    "WithoutConsent",
]
