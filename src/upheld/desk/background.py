"""Work that nobody asks for: sweeping, sealing, clearing away what has ended. One scheduler at a time has the lease.

Any number of processes may serve one home. The lease is a lock of the database and a row. The lock ends with the
process that had it, so the next one takes over at its next turn. The row says whose turn it is: who lost the lock
unnoticed, or hangs, finds another's name there and stops; and where a lock outlives its host, the row runs out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import MappingProxyType

from upheld.dates import FOREVER, Instant
from upheld.desk import adverts, agreements, duties, parties
from upheld.desk.choices import purge_choices
from upheld.desk.codes import purge_codes
from upheld.desk.confirming import confirm_consents
from upheld.desk.counted import Count, count_again
from upheld.desk.flows import purge_flows
from upheld.desk.invitations import purge_invitations
from upheld.desk.joining import purge_staff_invitations
from upheld.desk.sessions import purge_sessions
from upheld.desk.throttle import purge_attempts
from upheld.desk.tokens import purge_tokens
from upheld.keeper import Keeper
from upheld.keeper.checking import OVER_TLS
from upheld.store.leases import LeaseHeld
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


COUNTS: Mapping[str, Count] = MappingProxyType(
    {**agreements.COUNTS, **parties.COUNTS, **duties.COUNTS, **adverts.COUNTS}
)
"""What pages show as a number of many persons."""
JOBS: Mapping[str, Job] = MappingProxyType(
    {
        "seal": Job(60 * SECOND, lambda keeper: keeper.seal()),
        "clear": Job(300 * SECOND, _clear),
        "sweep": Job(900 * SECOND, lambda keeper: keeper.sweep()),
        "confirm": Job(3_600 * SECOND, confirm_consents),
        "count": Job(3_600 * SECOND, lambda keeper: count_again(keeper, COUNTS)),
    }
)
"""What runs and how often. Ours. A service that was given transports works the outbox besides."""


class Scheduler:
    """One of possibly many; it works only while the lease is its own."""

    def __init__(self, keeper: Keeper, jobs: Mapping[str, Job] = JOBS) -> None:
        self.keeper = keeper
        self.jobs = jobs
        self.holder = keeper.new_id()
        self._lock: ExitStack | None = None

    def turn(self) -> tuple[str, ...]:
        """Renew or take the lease, run what is due. Returns what ran; nothing while somebody else has the lease."""
        if not self._taken(_LEASE, self.keeper.now() + LEASE_FOR, seized=self._locked()):
            self._unlock()
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

    def _locked(self) -> bool:
        """Whether the lock came to us just now: whoever had it is gone, so what their row says is over."""
        if self._lock is not None:
            return False
        lock = ExitStack()
        try:
            lock.enter_context(self.keeper.places.leases.lease(_LEASE, wait=False))
        except LeaseHeld:
            return False
        self._lock = lock
        return True

    def _unlock(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.close()

    def _taken(self, name: str, until: int, *, seized: bool = False) -> bool:
        row = (name, self.holder, until, FOREVER if seized else self.keeper.now(), self.holder)
        return self._changes(_TAKE, row) == 1

    def _due(self, name: str, job: Job) -> bool:
        """Whether so long has passed since it last ran, in whichever process. Marks it as run."""
        now = self.keeper.now()
        row = (f"job/{name}", self.holder, now, Instant(now - job.every))
        return self._changes(_MARK, row) == 1

    def release(self) -> None:
        """Give the lease back, so that the next one need not wait."""
        try:
            self._changes(_RELEASE, (_LEASE, self.holder))
        finally:
            self._unlock()

    def _changes(self, statement: str, row: tuple[object, ...]) -> int:
        """How many rows a statement changed; schedulers wait for each other here, and nobody else for them."""
        work = self.keeper.places.active.submit
        return work(lambda transaction: transaction.execute(statement, row).rowcount, about=(str(row[0]),))


def note_swept(keeper: Keeper) -> None:
    """A sweep ran that no scheduler asked for: the next of theirs counts from it, and so does the doctor."""
    row = ("job/sweep", "", keeper.now(), keeper.now())
    keeper.places.active.submit(lambda transaction: transaction.execute(_MARK, row), about=(row[0],))


def note_served(keeper: Keeper) -> None:
    """People come to a service of this home over TLS now: what the check of encryption in transit looks at."""
    row = (OVER_TLS, "", keeper.now(), keeper.now())
    keeper.places.active.submit(lambda transaction: transaction.execute(_MARK, row), about=(row[0],))


def last_swept(keeper: Keeper) -> Instant | None:
    """When the last sweep began; None where nobody knows of one."""
    with keeper.places.active.reading() as connection:
        row = connection.execute(_RAN, ("job/sweep",)).fetchone()
    return Instant(row[0]) if row else None


_RAN = "SELECT ran_at FROM background WHERE name = ?"
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
