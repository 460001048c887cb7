"""How often somebody may try: counted in the database, so that another process or a restart forgets nothing.

What is counted stands there as a keyed digest. A try is counted before it is made, so that many at once do not pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

from upheld.dates import Instant
from upheld.keeper import Keeper
from upheld.keeper.applications import Application
from upheld.store.place import Transaction

MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` tries within one to two times `within` minutes."""

    name: str
    most: int
    within: int


SIGN_IN_NAME = Limit("sign-in-name", 8, 15)
"""Ours: wrong passwords for one name, whoever tries."""
SIGN_IN_SOURCE = Limit("sign-in-source", 120, 15)
"""Ours: tries from one network address, whatever the name; an office shares one."""
CODE_ADDRESS = Limit("code-address", 4, 30)
"""Ours: codes sent to one address of a person."""
CODE_SOURCE = Limit("code-source", 120, 30)
"""Ours: codes asked for from one network address."""
CHOICES = Limit("cookie-choices", 600, 60)
"""Ours: choices about cookies from one network address; an office shares one."""
LOGOUTS = Limit("logouts", 6_000, 15)
"""Ours: ended sign-ins that one network address tells of; a provider has one for everybody."""
LOOKS = Limit("looks", 60, 60)
"""Ours: look-ups by one member of staff; more is no desk work but a search."""


def counted(keeper: Keeper, policy: str, limit: Limit, about: str, tries: int = 1) -> bool:
    """Count a try, or several at once. Returns whether they may be made."""
    return count(keeper, policy, limit, about, tries) <= limit.most


def count(keeper: Keeper, policy: str, limit: Limit, about: str, tries: int = 1) -> int:
    """Count a try, or several at once. Returns how many there were of late."""
    what, slot = _what(keeper, policy, limit, about), keeper.now() // (limit.within * MINUTE)

    def work(transaction: Transaction) -> int:
        transaction.execute(_COUNT, (what, slot, tries))
        row = transaction.execute(_TRIES, (what, slot - 1)).fetchone()
        return int(row[0])

    return keeper.places.active.submit(work, about=(what.hex(),))


class Allowance:
    """What programs may still call. Taken from the database in portions beforehand, so that no process can exceed what
    all of them share, and not every call waits for a count.
    """

    PORTION = 20

    def __init__(self, most: int) -> None:
        self.limit = Limit("api", most, 1)
        self._left: dict[str, tuple[int, int]] = {}
        self._turn = Lock()

    def taken(self, keeper: Keeper, application: Application) -> bool:
        """Whether a program may call once more in this minute."""
        slot = keeper.now() // MINUTE
        with self._turn:
            of, left = self._left.get(application.application_id, (slot, 0))
            if of != slot or left == 0:
                if not counted(keeper, application.policy, self.limit, application.application_id, self.PORTION):
                    return False
                left = self.PORTION
            self._left[application.application_id] = (slot, left - 1)
            return True


def forgiven(keeper: Keeper, policy: str, limit: Limit, about: str) -> None:
    """Who got in starts from nothing."""
    what = _what(keeper, policy, limit, about)
    keeper.places.active.submit(lambda transaction: transaction.execute(_FORGET, (what,)), about=(what.hex(),))


def _what(keeper: Keeper, policy: str, limit: Limit, about: str) -> bytes:
    return keeper.places.vault.digest(policy, limit.name, about)


def purge_attempts(transaction: Transaction, now: Instant) -> None:
    """Counts that no limit looks at any more."""
    transaction.execute(_PURGE, (now // (60 * MINUTE) - 2,))


_COUNT = (
    "INSERT INTO attempt(what, slot, tries) VALUES(?, ?, ?) "
    "ON CONFLICT(what, slot) DO UPDATE SET tries = attempt.tries + excluded.tries"
)
_TRIES = "SELECT coalesce(sum(tries), 0) FROM attempt WHERE what = ? AND slot >= ?"
_FORGET = "DELETE FROM attempt WHERE what = ?"
_PURGE = "DELETE FROM attempt WHERE slot < ?"
