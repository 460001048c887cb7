"""One place: one database, an effect and its evidence in one durable commit.

Waiting callers are merged: whoever holds the turn runs everybody's work in one transaction, each in its own savepoint,
and commits once. Between processes the engine says who waits for whom: for the whole place, or, where the engine can,
only for what the work says it is about. Work that does not say is alone in the place.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum, auto
from functools import partial
from itertools import chain
from threading import Lock, get_ident
from typing import Any, Final, Generic, TypeVar
from weakref import WeakSet

from upheld.dates import Instant
from upheld.engine.acts import SubjectId
from upheld.errors import NotRecorded, StoreFailed, UpheldError
from upheld.store.beside import Beside
from upheld.store.engine import Claim, Connection, ConnectionLost, Engine, Overtaken, Question, Rows, came
from upheld.store.ids import IdTaken, bucket_of
from upheld.store.journal import JournalWriter
from upheld.store.journal_keys import KeyMoved, names_key
from upheld.store.straight import DOUBTED, Straight
from upheld.store.transaction import NotClaimed, Transaction, must_be_about

__all__ = ["DOUBTED", "NotClaimed", "Place", "Recovering", "Transaction", "Way", "must_be_about"]

T = TypeVar("T")


class Recovering(StoreFailed):
    """A home that holds an old copy does nothing else until it was brought up to date."""

    reason = "recovering"


class OfAnotherProcess(StoreFailed):
    """A process that was forked uses what its parent opened: both would speak on one line, and read each other's
    answers.
    """


class Way(Enum):
    """How the works of a group share a transaction."""

    TRUSTING = auto()
    """They only read, on views that are taken to be current; the server fails all of it where one is not."""
    TOGETHER = auto()
    """What is wrong with one may be told of all; then they are run again, apart."""
    APART = auto()
    """Each in a savepoint of its own, which fails by itself."""


class _Ticket(Generic[T]):
    __slots__ = ("about", "done", "early", "failure", "reads", "result", "trusting", "work")

    def __init__(
        self,
        work: Callable[[Transaction], T],
        about: Collection[str] | None,
        reads: bool,
        early: bool,
        trusting: bool,
    ) -> None:
        self.work = work
        self.about = about
        self.reads = reads
        self.early = early or trusting
        self.trusting = trusting and reads and about is not None
        self.done = False
        self.result: T | None = None
        self.failure: BaseException | None = None


def _not_recorded(failure: BaseException) -> NotRecorded:
    return NotRecorded(f"no record could be made durable, so nothing was done or released: {failure}")


FORKED: Final = "this home was opened by the process that this one was forked from; open it anew in each process"
_OPENED: Final[WeakSet[Place]] = WeakSet()


def _forked() -> None:
    for place in list(_OPENED):
        place.barred = FORKED


os.register_at_fork(after_in_child=_forked)


class Place(Straight):
    """A database with its journal."""

    _waiting: deque[_Ticket[Any]]

    def __init__(self, engine: Engine, name: str, writer: JournalWriter, now: Callable[[], Instant]) -> None:
        super().__init__(engine, writer, now)
        _OPENED.add(self)
        self.name = name
        self._beside = Lock()
        self._second: Connection | None = None
        self._flusher = Beside(f"upheld-{name}")
        self._owner = 0
        self._afterwards: list[Callable[[], None]] = []
        self._later: dict[Callable[[list[Any]], None], list[Any]] = {}
        self.asks: Callable[[Claim], Question] | None = None
        """What whoever changes something about these asks first."""
        self.admitted = 0
        self._soon = False
        self.undone: Callable[[SubjectId], None] | None = None
        """Told at once of everybody whose change was undone: what was seen of them never was."""
        self.relieve: Callable[[], None] | None = None
        """What whoever comes next does about a tail that is over, once its own work is durable and the turn given back.
        """

    def close(self) -> None:
        """Give the database back. Anything not committed is gone."""
        if self.barred == FORKED:
            return  # it is the parent's
        with self.turn:
            pass  # what is in the air is on record when it has landed
        if self.mark is not None:
            self.mark.close()
        self._flusher.close()
        self.connection.close()
        with self._beside:
            if self._second is not None:
                self._second.close()
                self._second = None
        self.engine.close()

    def _check_open(self) -> None:
        if self.barred == FORKED:
            raise OfAnotherProcess(FORKED)
        if self.barred is not None and self.admitted != get_ident():
            raise Recovering(self.barred)

    def submit(
        self,
        work: Callable[[Transaction], T],
        *,
        about: Collection[str] | None = None,
        reads: bool = False,
        early: bool = False,
        trusting: bool = False,
    ) -> T:
        """Run work in a durable transaction, merged with whatever else waits. Raises what the work raises.

        `about`: the subjects whose rows the work reads or writes, and no others; `reads`, when it changes none of them
        but leaves evidence. Nobody else changes them meanwhile; who works on others goes on. None: nobody else writes
        to the place at all, as a change of the plan needs it.

        `early`: the work may begin before what it is about is kept from others, since it takes no instant but that of
        the transaction (`Transaction.at` waits) and decides on nothing but views, which are proved afterwards.

        `trusting`: it only reads, and what it returns looks at no row before it is called: then, where the engine sends
        late, all of it is one message. The work is run again where the server finds that a view was not current.
        """
        if self.barred is not None:
            self._check_open()
        if self._open is not None and self._owner == get_ident():
            return self._inside(work, self._open, about)
        ticket = _Ticket(work, about, reads, early, trusting)
        self._waiting.append(ticket)
        with self.turn:
            if not ticket.done:
                self._run_waiting()
        self._relieve()
        if ticket.failure is not None:
            raise ticket.failure
        return ticket.result  # type: ignore[return-value]  # done without failure: the result is a T

    def together(self, work: Callable[[], T], *, about: Collection[str] | None = None) -> T:
        """What this work submits is one piece of work: all of it becomes durable in one commit, or none of it.

        Unlike a batch it waits for its turn like any other work and is merged with whatever else waits. Another thread
        may run it. `about` as for `submit`: the owners of all that is submitted inside.
        """
        if self.batching:
            return work()
        actions: list[Callable[[], None]] = []

        def whole(transaction: Transaction) -> T:
            self._open, self._owner = transaction, get_ident()
            try:
                return work()
            finally:
                self._open = None
                actions[:] = self._taken_afterwards()

        result = self.submit(whole, about=about)
        for action in actions:
            action()
        return result

    def _inside(self, work: Callable[[Transaction], T], transaction: Transaction, about: Collection[str] | None) -> T:
        """Run work in the batch that is open, in a savepoint of its own."""
        self._claim_more(transaction, about)
        so_far, moved = len(transaction.entries), len(transaction.moved)
        transaction.at = self._now()
        transaction.execute("SAVEPOINT one")
        try:
            result = work(transaction)
            transaction.execute("RELEASE one")
        except BaseException:
            del transaction.entries[so_far:]
            for one in transaction.moved[moved:]:
                transaction.epochs.pop(one, None)
            self._undo(moved)
            transaction.execute("ROLLBACK TO one")
            transaction.execute("RELEASE one")
            raise
        return result

    def _undo(self, so_far: int = 0) -> None:
        """What was seen of those who moved on since then is nobody's any more."""
        gone = self._moved[so_far:]
        del self._moved[so_far:]
        if self.undone is not None:
            for one in gone:
                self.undone(one)

    def _claim_more(self, transaction: Transaction, about: Collection[str] | None) -> None:
        """What a batch turns out to be about besides. Nobody waits for it, so nobody can wait in a circle."""
        claim = transaction.claim
        if claim is None:
            return
        fresh = None if about is None else [name for name in about if name not in claim.changes]
        if fresh == []:
            return
        if fresh is None or not self.engine.claim_more(self.connection, fresh):
            raise NotClaimed("a batch came upon what others may be changing; begin it again, alone in the place")
        transaction.claim = Claim((*claim.changes, *fresh))
        transaction.about = transaction.claim.changes

    @contextmanager
    def batch(self, about: Collection[str] | None = None, *, also: Sequence[Question] = ()) -> Iterator[None]:
        """Everything this thread submits inside shares one durable commit, or none of it happens.

        `about`: what is known to be worked on; the rest is claimed as it comes. Raises NotClaimed where somebody else
        has that, or work inside needs the whole place; then nothing happened. None: the batch is alone in the place.
        `also`: what is asked with what it begins with (`Transaction.also`).
        """
        with self.transaction(about, asks=True, also=also) as transaction:
            self._open, self._owner = transaction, get_ident()
            try:
                yield
            finally:
                self._open = None
        for action in self._taken_afterwards():
            action()
        self._relieve()

    def sends(self) -> None:
        """The database may begin with what was submitted to the batch that is open."""
        if self.batching:
            self.engine.sends(self.connection)

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

    def later(self, action: Callable[[list[Any]], None], items: Sequence[Any]) -> None:
        """The same for many: at the end of a batch the action is done once, with the items of all of it."""
        if self._open is not None and self._owner == get_ident():
            self._later.setdefault(action, []).extend(items)
        else:
            action(list(items))

    def _taken_afterwards(self) -> list[Callable[[], None]]:
        actions = list(self._afterwards)
        actions += [partial(action, items) for action, items in self._later.items()]
        self._afterwards, self._later = [], {}
        return actions

    @contextmanager
    def transaction(
        self,
        about: Collection[str] | None = None,
        *,
        early: bool = False,
        asks: bool = False,
        also: Sequence[Question] = (),
    ) -> Iterator[Transaction]:
        """A durable transaction of one's own, for steps that are batches already. `about`, `early`: as for `submit`;
        `asks`: views of those whom it is about will be proved in it; `also`: what else is asked first, where
        that spares a message.
        """
        self._check_open()
        with self.turn:
            with self.engine.held():
                asked = also if self.engine.sends_late else ()
                transaction = self._begin(None if about is None else Claim(about), asks=asks and not asked)
                try:
                    if asked:
                        transaction.first = self._asked_first(transaction.claim) if asks else None
                        self.engine.sends(self.connection)  # the locks are had before the rest is answered
                        transaction.also = [self.connection.execute(*one) for one in asked]
                    if not self.writer.asks:
                        transaction.named = names_key(self.connection)  # on its way with what is asked first
                    if asked:
                        self.engine.sends(self.connection)
                    if not early:
                        transaction.at = self._granted()
                    yield transaction
                except BaseException as failure:
                    self._roll_back()
                    self._taken_afterwards()
                    if isinstance(failure, self.engine.failures):
                        raise _not_recorded(failure) from failure
                    raise
                self._commit(transaction)
            self._keep(transaction)

    @contextmanager
    def soon_durable(self, about: Collection[str] | None = None, *, early: bool = False) -> Iterator[Transaction]:
        """A transaction that is durable with the next commit here: for what start-up makes again when it is missing."""
        with self.turn, self.engine.soon(self.connection):
            self._soon = True  # `_keep` leaves it to the next commit
            try:
                with self.transaction(about, early=early) as transaction:
                    yield transaction
            finally:
                self._soon = False

    def put_soon(self, name: str, rows: Sequence[Question]) -> bool:
        """Rows about one name, without evidence, as by `soon_durable`: with fewer words, and without waiting for an
        answer that has no news. False where that way has to be gone; putting them in twice must be as good as once.

        Whoever looks here by this process finds them from now on, and somebody else a moment later.
        """
        self._check_open()
        if self._open is not None:
            return False
        try:
            with self.turn, self.engine.held():
                return not self._unsettled and self.engine.put_soon(self.connection, name, rows)
        except Exception:  # noqa: BLE001 - what it is, the other way tells
            return False

    @property
    def line(self) -> int | None:
        """See `Engine.line`."""
        return self.engine.line(self.connection)

    def outlast(self) -> None:
        """See `Engine.outlast`."""
        with self.reading() as connection:
            self.engine.outlast(connection)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """The connection for look-ups that release nothing."""
        self._check_open()
        if self._open is not None and self._owner == get_ident():
            yield self.connection
            return
        with self.turn:
            yield self.connection

    def asked(self, question: Question) -> list[Any]:
        """The rows of one question, as by `reading`: for who asks nothing else."""
        self._check_open()
        if self._open is not None and self._owner == get_ident():
            return self.connection.execute(*question).fetchall()
        with self.turn:
            return self.connection.execute(*question).fetchall()

    @contextmanager
    def aside(self) -> Iterator[Connection]:
        """A second connection, for a look at what is committed that need not wait for whoever writes just now.

        Not for what views are made of: those are proved by what the first connection has seen.
        """
        self._check_open()
        if self.batching:
            yield self.connection
            return
        with self._beside:
            if self._second is None:
                self._second = self.engine.connect()
            yield self._second

    def _begin(self, claim: Claim | None = None, *, asks: bool = True) -> Transaction:
        """`asks`: what whoever changes something asks first is on its way at once."""
        if self._unsettled:
            self._settle()
        question = self.asks(claim) if asks and self.asks is not None and claim is not None and claim.changes else None
        first = self.engine.begin(self.connection, claim, question)
        transaction = Transaction(self.connection, self._granted, claim)
        transaction.first = first
        self._moved = transaction.moved
        return transaction

    def _asked_first(self, claim: Claim | None) -> Rows | None:
        """The answer to what a place asks first, sent with what else begins a transaction."""
        return None if self.asks is None or claim is None else self.connection.execute(*self.asks(claim))

    def _granted(self) -> Instant:
        """The instant at which nobody else has what was claimed any more."""
        self.engine.granted(self.connection)
        return self._now()

    def _commit(self, transaction: Transaction) -> None:
        try:
            if transaction.entries:
                if transaction.named is not None and came(transaction.named):
                    self.writer.follow(transaction.named)
                self.writer.append(self.connection, transaction.entries, transaction.at, _bucket(transaction.claim))
            transaction.told = [self.connection.execute(*one) for one in transaction.last]
            if transaction.besides is not None:
                self.engine.while_committing(self.connection, transaction.besides)
            # Whoever is stopped from here on leaves it to the next to find out what became of it.
            self._unsettled = bool(transaction.entries)
            self.connection.execute("COMMIT")
        except ConnectionLost:
            if not self._happened(transaction):
                self._roll_back()
                raise
        except Exception as failure:
            self._unsettled = False
            self._roll_back()
            if transaction.entries and self._key_moved():
                raise KeyMoved(f"`{self.name}` names another key for its journal since then; do it again") from failure
            if isinstance(failure, UpheldError | IdTaken):
                raise
            raise _not_recorded(failure) from failure
        except BaseException:
            self._roll_back()
            raise
        else:
            self.writer.committed()
            self._unsettled = False
        self._moved = []
        if self.tail is not None:
            self.tail.grew(len(transaction.entries))

    def _key_moved(self) -> bool:
        """Whether nothing could be written since the place names another key for its journal; from now on it is that.

        Raises StoreFailed when this process does not have it.
        """
        if self.writer.asks:
            return False
        try:
            return self.writer.follow(names_key(self.connection))
        except ConnectionLost:
            return False

    def _keep(self, transaction: Transaction) -> None:
        """What was committed is on the disk before anybody is told. The turn was given back: others write meanwhile,
        and one flush is for all who have written before it.
        """
        if self._soon:
            return
        if transaction.meanwhile:
            with self._flusher.doing(self.flush):
                for look in transaction.meanwhile:
                    look()
        else:
            self.flush()
        if self.mark is not None and transaction.entries:
            self.mark.set(self.writer.numbers)

    def flush(self) -> None:
        """Wait until all that anybody has committed here is on the disk: before it is acted on in another place.

        Raises StoreFailed when the disk does not say so. Then nothing more is written here by this process: what the
        system holds in memory is not to be trusted from that moment on.
        """
        try:
            self.engine.flush()
        except OSError as failure:
            self.barred = "the disk did not confirm a write; check it, then start this again"
            raise StoreFailed(f"the disk did not confirm it, so nobody knows whether it lasts: {failure}") from failure

    def _happened(self, transaction: Transaction) -> bool:
        """Whether a commit whose answer was lost took place: its evidence is in the journal, or it is not.

        While the database stays away nobody knows; then the next transaction asks before it does anything.
        """
        self._unsettled = bool(transaction.entries)
        if not self._unsettled:
            return False
        return self._settle()

    def _settle(self) -> bool:
        """Alone in the place, so that the transaction in question is over on the server too, whichever way."""
        self.engine.begin(self.connection)
        try:
            happened = self.writer.settled(self.connection)
        finally:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        self._unsettled = False
        return happened

    def _roll_back(self) -> None:
        self._undo()
        try:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        except ConnectionLost:
            pass  # and with it the transaction
        finally:
            if not self._unsettled:
                self.writer.rolled_back()

    def _run_waiting(self) -> None:
        batch: list[_Ticket[Any]] = []
        while self._waiting:
            batch.append(self._waiting.popleft())
        try:
            with self.engine.held():
                try:
                    done = self._run_somehow(batch)
                except KeyMoved:
                    done = self._run_somehow(batch)
            if done is not None:
                self._keep(done)
        except BaseException as failure:  # noqa: BLE001 - handed to the callers whose work it was
            self._roll_back()
            for ticket in batch:
                ticket.failure = ticket.failure or self._told(failure)
        for ticket in batch:
            ticket.done = True

    def _run_somehow(self, batch: Sequence[_Ticket[Any]]) -> Transaction | None:
        """Run works and commit them, the quickest way first. What was done of a way that fails was never there."""
        for way in self._ways(batch):
            try:
                return self._run_all(batch, way)
            except Overtaken:
                self._doubt(_all_of(batch))
            except ConnectionLost:
                if self._unsettled or way is not Way.TRUSTING:
                    raise
            except Exception:  # noqa: BLE001 - whose it is, is found out now
                self._roll_back()
        return self._run_all(batch, Way.APART)

    def _ways(self, batch: Sequence[_Ticket[Any]]) -> Iterator[Way]:
        """What is tried before works are told apart as they run."""
        if not self.engine.sends_late:
            return
        if all(ticket.trusting for ticket in batch) and not self._doubts(_all_of(batch)):
            yield Way.TRUSTING
        if len(batch) > 1 and all(ticket.about is not None for ticket in batch):
            yield Way.TOGETHER

    def _run_all(self, batch: Sequence[_Ticket[Any]], way: Way) -> Transaction | None:
        """Run works and commit them together; None when nothing of them happened."""
        transaction = self._begin(_claim_of(batch), asks=way is not Way.TRUSTING)
        if way is Way.TRUSTING:
            transaction.trusting, transaction.at = True, self._now()
        elif not all(ticket.early for ticket in batch):
            transaction.at = self._granted()
        for ticket in batch:
            ticket.failure = None
            self._run(ticket, transaction, alone=len(batch) == 1 or way is Way.TRUSTING, apart=way is Way.APART)
        failed = [ticket.failure for ticket in batch if ticket.failure is not None]
        if way is Way.TRUSTING and failed and (len(batch) > 1 or isinstance(failed[0], Overtaken)):
            self._roll_back()
            raise Overtaken("one of a group could not be done, or was overtaken")
        if len(failed) == len(batch):
            self._roll_back()
            return None
        self._commit(transaction)
        return transaction

    def _told(self, failure: BaseException) -> BaseException:
        """What the driver of a full or unwritable database raises, as what it means; everything else as it is."""
        if not isinstance(failure, self.engine.failures):
            return failure
        told = _not_recorded(failure)
        told.__cause__ = failure
        return told

    def _run(self, ticket: _Ticket[Any], transaction: Transaction, *, alone: bool, apart: bool) -> None:
        so_far, moved = len(transaction.entries), len(transaction.moved)
        epochs = {} if alone else dict(transaction.epochs)
        transaction.about = ticket.about
        if not alone:
            transaction.execute("SAVEPOINT one")
        try:
            ticket.result = ticket.work(transaction)
            if not alone:
                if apart:
                    self.engine.settled(self.connection)  # what was not sent yet is now, and fails here if it does
                transaction.execute("RELEASE one")
        except BaseException as failure:  # noqa: BLE001 - handed to the caller whose work it was
            ticket.failure = self._told(failure)
            del transaction.entries[so_far:]
            transaction.epochs = epochs
            self._undo(moved)
            if not alone:
                transaction.execute("ROLLBACK TO one")
                transaction.execute("RELEASE one")

    def rebuild(self, removed: int) -> None:
        """So many values were removed: see to it that no copy of them only lies about."""
        if removed:
            with self.turn:
                with self.engine.held():
                    self.engine.rebuild(self.connection, removed)
                self.flush()

    def scrub(self, tables: Collection[str] | None = None, *, whole: bool = False) -> bool:
        """The bytes of what was deleted, from these tables or from any, leave the logs of the database too; those of
        large tables of keys later, unless the `whole` is wanted now.

        False: a reader is in.
        """
        with self.turn, self.engine.held():
            return self.engine.scrub(self.connection, tables, None if whole else self._now())

    def to_write_anew(self, *, early: bool = False) -> tuple[str, ...]:
        """The tables of keys whose time to be written anew has come; `early`: all that have been waiting for it."""
        with self.reading() as connection:
            return self.engine.to_write_anew(connection, self._now(), early)

    def write_anew(self, tables: Collection[str]) -> bool:
        """Write such tables anew. False: a reader is in, and the time is over by which it was to be done."""
        with self.turn, self.engine.held():
            return self.engine.write_anew(self.connection, tables, self._now())

    def version(self) -> int:
        """A number that differs from the last one whenever another connection may have committed since."""
        return self.engine.version(self.connection)


def _all_of(batch: Sequence[_Ticket[Any]]) -> Iterator[str]:
    return chain.from_iterable(ticket.about or () for ticket in batch)


def _claim_of(batch: Sequence[_Ticket[Any]]) -> Claim | None:
    """What those merged need together."""
    if len(batch) == 1:
        [one] = batch
        if one.about is None:
            return None
        return Claim((), one.about) if one.reads else Claim(one.about)
    changes: set[str] = set()
    reads: set[str] = set()
    for ticket in batch:
        if ticket.about is None:
            return None
        (reads if ticket.reads else changes).update(ticket.about)
    return Claim(changes, reads - changes)


def _bucket(claim: Claim | None) -> int:
    """The bucket of one whose evidence it is."""
    if claim is None:
        return 0
    name = next(chain(claim.changes, claim.reads), None)
    return 0 if name is None else bucket_of(SubjectId(name))
