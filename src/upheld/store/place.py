"""One place: one database, one writer at a time, an effect and its evidence in one durable commit.

Waiting callers are merged: whoever holds the turn runs everybody's work in one transaction, each in its own savepoint,
and commits once. Between processes the turn is the engine's, so nobody starves on busy waiting.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock, get_ident
from typing import Any, Generic, TypeVar

from upheld.dates import Instant
from upheld.errors import NotRecorded, StoreFailed, UpheldError
from upheld.ledger.entries import Entry
from upheld.store.engine import Connection, ConnectionLost, Engine
from upheld.store.journal import JournalWriter
from upheld.store.tail import Tail

T = TypeVar("T")


class Recovering(StoreFailed):
    """A home that holds an old copy does nothing else until it was brought up to date."""

    reason = "recovering"


class Transaction:
    """What a piece of work may do: statements on this place and entries for its journal."""

    __slots__ = ("at", "connection", "entries", "execute", "executemany", "guarded")

    def __init__(self, connection: Connection, at: Instant) -> None:
        self.connection = connection
        self.at = at
        self.entries: list[Entry] = []
        self.guarded = False
        self.execute = connection.execute
        self.executemany = connection.executemany

    def journal(self, *entries: Entry) -> None:
        """Evidence that becomes durable together with the effect."""
        self.entries.extend(entries)

    def changed(self, statement: str, parameters: Sequence[Any], expected: int = 1) -> None:
        """Run a statement that must touch exactly so many rows. Raises StoreFailed otherwise."""
        count = self.execute(statement, parameters).rowcount
        if count != expected:
            raise StoreFailed(f"{count} rows changed where {expected} were expected: {statement.split('(')[0][:60]}")


class _Ticket(Generic[T]):
    __slots__ = ("done", "failure", "result", "work")

    def __init__(self, work: Callable[[Transaction], T]) -> None:
        self.work = work
        self.done = False
        self.result: T | None = None
        self.failure: BaseException | None = None


class Place:
    """A database with its journal."""

    def __init__(self, engine: Engine, name: str, writer: JournalWriter, now: Callable[[], Instant]) -> None:
        self.engine = engine
        self.name = name
        self.writer = writer
        self._now = now
        self._turn = RLock()
        self._waiting: deque[_Ticket[Any]] = deque()
        self.connection = engine.connect()
        self._open: Transaction | None = None
        self._owner = 0
        self._unsettled = False
        self._afterwards: list[Callable[[], None]] = []
        self.barred: str | None = None
        """Why nobody may use this place; `admitted` is the thread that may all the same: the one that recovers it."""
        self.admitted = 0
        self.tail: Tail | None = None
        self.relieve: Callable[[], None] | None = None
        """What whoever comes next does about a tail that is over, once its own work is durable and the turn given back.
        """

    def close(self) -> None:
        """Give the database back. Anything not committed is gone."""
        self.connection.close()
        self.engine.close()

    def _check_open(self) -> None:
        if self.barred is not None and self.admitted != get_ident():
            raise Recovering(self.barred)

    def submit(self, work: Callable[[Transaction], T]) -> T:
        """Run work in a durable transaction, merged with whatever else waits. Raises what the work raises."""
        if self.barred is not None:
            self._check_open()
        if self._open is not None and self._owner == get_ident():
            return self._inside(work, self._open)
        ticket = _Ticket(work)
        self._waiting.append(ticket)
        with self._turn:
            if not ticket.done:
                self._run_waiting()
        self._relieve()
        if ticket.failure is not None:
            raise ticket.failure
        return ticket.result  # type: ignore[return-value]  # done without failure: the result is a T

    def _inside(self, work: Callable[[Transaction], T], transaction: Transaction) -> T:
        """Run work in the batch that is open, in a savepoint of its own."""
        so_far = len(transaction.entries)
        transaction.at = self._now()
        transaction.execute("SAVEPOINT one")
        try:
            result = work(transaction)
        except BaseException:
            del transaction.entries[so_far:]
            transaction.execute("ROLLBACK TO one")
            transaction.execute("RELEASE one")
            raise
        transaction.execute("RELEASE one")
        return result

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Everything this thread submits inside shares one durable commit, or none of it happens."""
        with self.transaction() as transaction:
            self._open, self._owner = transaction, get_ident()
            try:
                yield
            finally:
                self._open = None
        for action in self._taken_afterwards():
            action()
        self._relieve()

    def _relieve(self) -> None:
        if self.relieve is not None and self.tail is not None and self.tail.over:
            self.relieve()

    @property
    def batching(self) -> bool:
        """Whether this thread has a batch open: nothing submitted now is durable before it ends."""
        return self._open is not None and self._owner == get_ident()

    def afterwards(self, action: Callable[[], None]) -> None:
        """Do something once what was submitted is durable: at once, or when the open batch has committed."""
        if self._open is not None and self._owner == get_ident():
            self._afterwards.append(action)
        else:
            action()

    def _taken_afterwards(self) -> list[Callable[[], None]]:
        actions, self._afterwards = self._afterwards, []
        return actions

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A durable transaction of one's own, for steps that are batches already."""
        self._check_open()
        with self._turn, self.engine.held():
            transaction = self._begin()
            try:
                yield transaction
            except BaseException:
                self._roll_back()
                self._afterwards.clear()
                raise
            self._commit(transaction)

    @contextmanager
    def soon_durable(self) -> Iterator[Transaction]:
        """A transaction that is durable with the next commit here: for what start-up makes again when it is missing."""
        with self._turn, self.engine.soon(self.connection), self.transaction() as transaction:
            yield transaction

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """The connection for look-ups that release nothing."""
        self._check_open()
        if self._open is not None and self._owner == get_ident():
            yield self.connection
            return
        with self._turn:
            yield self.connection

    def _begin(self) -> Transaction:
        if self._unsettled:
            self.writer.settled(self.connection)
            self._unsettled = False
        self.engine.begin(self.connection)
        return Transaction(self.connection, self._now())

    def _commit(self, transaction: Transaction) -> None:
        try:
            if transaction.entries:
                self.writer.append(self.connection, transaction.entries, transaction.at)
            self.connection.execute("COMMIT")
        except ConnectionLost:
            if not self._happened(transaction):
                raise
        except UpheldError:
            self._roll_back()
            raise
        except Exception as failure:
            self._roll_back()
            raise NotRecorded(
                f"no record could be made durable, so nothing was done or released: {failure}"
            ) from failure
        except BaseException:
            self._roll_back()
            raise
        else:
            self.writer.committed()
        if self.tail is not None:
            self.tail.grew(len(transaction.entries))

    def _happened(self, transaction: Transaction) -> bool:
        """Whether a commit whose answer was lost took place: its evidence is in the journal, or it is not.

        While the database stays away nobody knows; then the next transaction asks before it does anything.
        """
        self._unsettled = bool(transaction.entries)
        if not self._unsettled:
            return False
        happened = self.writer.settled(self.connection)
        self._unsettled = False
        return happened

    def _roll_back(self) -> None:
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
        if not self._unsettled:
            self.writer.rolled_back()

    def _run_waiting(self) -> None:
        batch: list[_Ticket[Any]] = []
        while self._waiting:
            batch.append(self._waiting.popleft())
        try:
            with self.engine.held():
                transaction = self._begin()
                for ticket in batch:
                    self._run(ticket, transaction, alone=len(batch) == 1)
                if any(ticket.failure is None for ticket in batch):
                    self._commit(transaction)
                else:
                    self._roll_back()
        except BaseException as failure:  # noqa: BLE001 - handed to the callers whose work it was
            self._roll_back()
            for ticket in batch:
                ticket.failure = ticket.failure or failure
        for ticket in batch:
            ticket.done = True

    def _run(self, ticket: _Ticket[Any], transaction: Transaction, *, alone: bool) -> None:
        so_far = len(transaction.entries)
        if not alone:
            transaction.execute("SAVEPOINT one")
        try:
            ticket.result = ticket.work(transaction)
        except BaseException as failure:  # noqa: BLE001 - handed to the caller whose work it was
            ticket.failure = failure
            del transaction.entries[so_far:]
            if not alone:
                transaction.execute("ROLLBACK TO one")
        if not alone:
            transaction.execute("RELEASE one")

    def rebuild(self, removed: int) -> None:
        """So many values were removed: see to it that no copy of them only lies about."""
        if removed:
            with self._turn, self.engine.held():
                self.engine.rebuild(self.connection, removed)

    def scrub(self) -> bool:
        """The bytes of what was deleted leave the logs of the database too. False: a reader is in."""
        with self._turn, self.engine.held():
            return self.engine.scrub(self.connection)

    def version(self) -> int:
        """A number that differs from the last one whenever another connection may have committed since."""
        return self.engine.version(self.connection)
