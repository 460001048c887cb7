"""Work that nobody asks for: sweeping, sealing, clearing away what has ended. One scheduler at a time has the lease.

The lease is a row of the database: any number of processes may serve one home. Who dies gives it up by not renewing it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from upheld.dates import Instant
from upheld.desk.choices import purge_choices
from upheld.desk.codes import purge_codes
from upheld.desk.confirming import confirm_consents
from upheld.desk.flows import purge_flows
from upheld.desk.invitations import purge_invitations
from upheld.desk.joining import purge_staff_invitations
from upheld.desk.sessions import purge_sessions
from upheld.desk.throttle import purge_attempts
from upheld.desk.tokens import purge_tokens
from upheld.keeper import Keeper
from upheld.store.place import Transaction

SECOND = 1_000_000
LEASE_FOR = 60 * SECOND
"""Ours: after so long without a word the next scheduler takes over."""
_LEASE = "scheduler"


@dataclass(frozen=True, slots=True)
class Job:
    """Something done every so often (microseconds)."""

    every: int
    run: Callable[[Keeper], object]


def _clear(keeper: Keeper) -> None:
    def work(transaction: Transaction) -> None:
        purge_sessions(transaction, transaction.at)
        purge_codes(transaction, transaction.at)
        purge_flows(transaction, transaction.at)
        purge_invitations(transaction, transaction.at)
        purge_staff_invitations(transaction, transaction.at)
        purge_choices(transaction, transaction.at)
        purge_attempts(transaction, transaction.at)
        purge_tokens(transaction, transaction.at)

    keeper.places.active.submit(work)


JOBS: Mapping[str, Job] = MappingProxyType(
    {
        "seal": Job(60 * SECOND, lambda keeper: keeper.seal()),
        "clear": Job(300 * SECOND, _clear),
        "sweep": Job(900 * SECOND, lambda keeper: keeper.sweep()),
        "confirm": Job(3_600 * SECOND, confirm_consents),
    }
)
"""What runs and how often. Ours. A service that was given transports works the outbox besides."""


class Scheduler:
    """One of possibly many; it works only while the lease is its own."""

    def __init__(self, keeper: Keeper, jobs: Mapping[str, Job] = JOBS) -> None:
        self.keeper = keeper
        self.jobs = jobs
        self.holder = keeper.new_id()

    def turn(self) -> tuple[str, ...]:
        """Renew or take the lease, run what is due. Returns what ran; nothing while somebody else has the lease."""
        if not self._taken(_LEASE, self.keeper.now() + LEASE_FOR):
            return ()
        ran: list[str] = []
        for name, job in self.jobs.items():
            # Renewed before each: a long sweep must not lose the lease to a second scheduler unnoticed.
            if not self._taken(_LEASE, self.keeper.now() + LEASE_FOR):
                break
            if self._due(name, job):
                job.run(self.keeper)
                ran.append(name)
        return tuple(ran)

    def _taken(self, name: str, until: int) -> bool:
        row = (name, self.holder, until, self.keeper.now(), self.holder)
        return self.keeper.places.active.submit(lambda transaction: transaction.execute(_TAKE, row).rowcount) == 1

    def _due(self, name: str, job: Job) -> bool:
        """Whether so long has passed since it last ran, in whichever process. Marks it as run."""
        now = self.keeper.now()
        row = (f"job/{name}", self.holder, now, Instant(now - job.every))
        return self.keeper.places.active.submit(lambda transaction: transaction.execute(_MARK, row).rowcount) == 1

    def release(self) -> None:
        """Give the lease back, so that the next one need not wait."""
        self.keeper.places.active.submit(lambda transaction: transaction.execute(_RELEASE, (_LEASE, self.holder)))


_TAKE = (
    "INSERT INTO background(name, holder, until_at, ran_at) VALUES(?, ?, ?, 0) "
    "ON CONFLICT(name) DO UPDATE SET holder = excluded.holder, until_at = excluded.until_at "
    "WHERE background.until_at <= ? OR background.holder = ?"
)
_MARK = (
    "INSERT INTO background(name, holder, until_at, ran_at) VALUES(?, ?, 0, ?) "
    "ON CONFLICT(name) DO UPDATE SET holder = excluded.holder, ran_at = excluded.ran_at WHERE background.ran_at <= ?"
)
_RELEASE = "DELETE FROM background WHERE name = ? AND holder = ?"
