"""One place: one database, an effect and its evidence in one durable commit.

Waiting callers are merged: whoever holds the turn runs everybody's work in one transaction, each in its own savepoint,
and commits once. Between processes the engine says who waits for whom: for the whole place, or, where the engine can,
only for what the work says it is about. Work that does not say is alone in the place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum, auto
from functools import partial
from itertools import chain
from threading import Lock, RLock, get_ident
from typing import Any, Generic, TypeVar

from upheld.dates import Instant
from upheld.engine.acts import SubjectId
from upheld.errors import NotRecorded, StoreFailed, UpheldError
from upheld.ledger.entries import Evidence
from upheld.store.beside import Beside
from upheld.store.engine import (
    Change,
    Claim,
    Connection,
    ConnectionLost,
    Engine,
    Overtaken,
    Proof,
    Question,
    Rows,
    came,
    sent_late,
)
from upheld.store.gathered import Gathered
from upheld.store.ids import IdTaken, bucket_of
from upheld.store.journal import JournalWriter
from upheld.store.journal_keys import KeyMoved, names_key
from upheld.store.marks import Mark
from upheld.store.tail import Tail

T = TypeVar("T")

MOST_DOUBTED = 10_000
DOUBTED = 4
"""So often whoever was changed by others is asked for, before it is taken to be as it was again."""


class Recovering(StoreFailed):
    """A home that holds an old copy does nothing else until it was brought up to date."""

    reason = "recovering"


class NotClaimed(StoreFailed):
    """Work touched what it did not say that it is about: somebody else may be changing that. A bug of the caller."""


def must_be_about(about: Collection[str] | None, names: Collection[str]) -> None:
    """Raises NotClaimed for a name that some work did not say it is about; `about` None stands for the whole place."""
    if about is not None and not all(map(about.__contains__, names)):
        strange = next(name for name in names if name not in about)
        raise NotClaimed(f"this work is about {sorted(about)[:3]}, not about {strange}")


class Transaction:
    """What a piece of work may do: statements on this place and entries for its journal."""

    __slots__ = (
        "_at", "_taken", "about", "asked", "claim", "connection", "entries", "epochs", "execute", "executemany",
        "first", "guarded", "meanwhile", "moved", "named", "proved", "trusting",
    )  # fmt: skip

    def __init__(self, connection: Connection, taken: Callable[[], Instant], claim: Claim | None = None) -> None:
        self.connection = connection
        self._at: Instant | None = None
        self._taken = taken
        self.claim = claim
        """What is kept from everybody else until the end; None: the place."""
        self.about: Collection[str] | None = None if claim is None else claim.changes or claim.reads
        if claim is not None and claim.changes and claim.reads:
            self.about = {*claim.changes, *claim.reads}
        self.entries: list[Evidence] = []
        self.guarded = False
        self.trusting = False
        """Whether views are taken to be current, and the server fails the transaction where one is not."""
        self.epochs: dict[str, int] = {}
        """Epochs of subjects as this transaction has found or made them, where it asked for several at once."""
        self.asked = self.proved = 0
        """How often it asked for epochs besides, and how many views were compared with what it had."""
        self.moved: list[SubjectId] = []
        """Whose views have moved on with it, in this order: those are nobody's if it does not happen."""
        self.first: Rows | None = None
        """The answer to what the place asks first, where that was asked with the beginning."""
        self.named: Rows | None = None
        """The key that the place names for its journal, where that was asked with the beginning."""
        self.meanwhile: list[Callable[[], None]] = []
        """What can be done while the commit waits for the disk: looks that release nothing before it is there."""
        self.execute = connection.execute
        self.executemany = connection.executemany

    @property
    def at(self) -> Instant:
        """The instant of what is written: not before whoever had the claim until now has written."""
        if self._at is None:
            self._at = self._taken()
        return self._at

    @at.setter
    def at(self, at: Instant) -> None:
        self._at = at

    def journal(self, *entries: Evidence) -> None:
        """Evidence that becomes durable together with the effect."""
        self.entries.extend(entries)

    def must_claim(self, name: str | None) -> None:
        """Raises NotClaimed for a name that this work did not say it is about; None stands for the whole place."""
        if self.about is not None and name not in self.about:
            raise NotClaimed(f"this work is about {sorted(self.about)[:3]}, not about {name or 'the whole place'}")

    def changed(self, statement: str, parameters: Sequence[Any], otherwise: Exception | None = None) -> None:
        """Run a statement that must touch one row. Raises `otherwise`, or StoreFailed: here, or where it is sent."""
        failure = otherwise or StoreFailed(f"not one row was changed: {statement.split('(')[0][:60]}")
        rows = self.execute(statement, parameters)
        late = sent_late(rows)
        if late is not None:
            late.must(failure)
        elif rows.rowcount != 1:
            raise failure


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


class Place:
    """A database with its journal."""

    def __init__(self, engine: Engine, name: str, writer: JournalWriter, now: Callable[[], Instant]) -> None:
        self.engine = engine
        self.name = name
        self.writer = writer
        self.writer.number_after(engine.first_row(writer.incarnation))
        self.writer.asks = not engine.sends_late
        self._now = now
        self._turn = RLock()
        self._waiting: deque[_Ticket[Any]] = deque()
        self.connection = engine.connect()
        self._beside = Lock()
        self._second: Connection | None = None
        self._flusher = Beside(f"upheld-{name}")
        self._open: Transaction | None = None
        self._owner = 0
        self._unsettled = False
        self._afterwards: list[Callable[[], None]] = []
        self._later: dict[Callable[[list[Any]], None], list[Any]] = {}
        self.asks: Callable[[Claim], Question] | None = None
        """What whoever changes something about these asks first."""
        self._doubted: dict[str, int] = {}
        """Names about which somebody else was faster, and how often they are still asked for."""
        self.barred: str | None = None
        """Why nobody may use this place; `admitted` is the thread that may all the same: the one that recovers it."""
        self.admitted = 0
        self.mark: Mark | None = None
        """Told, after each durable commit, how far the journal has got."""
        self._soon = False
        self.undone: Callable[[SubjectId], None] | None = None
        """Told at once of everybody whose change was undone: what was seen of them never was."""
        self._moved: list[SubjectId] = []
        self.tail: Tail | None = None
        self.relieve: Callable[[], None] | None = None
        """What whoever comes next does about a tail that is over, once its own work is durable and the turn given back.
        """

    def close(self) -> None:
        """Give the database back. Anything not committed is gone."""
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
        with self._turn:
            if not ticket.done:
                self._run_waiting()
        self._relieve()
        if ticket.failure is not None:
            raise ticket.failure
        return ticket.result  # type: ignore[return-value]  # done without failure: the result is a T

    def straight(
        self,
        reads: Collection[str],
        tells: Callable[[Instant], Sequence[Evidence]],
        asks: Callable[[], Proof],
    ) -> list[Any] | None:
        """A trusting read for which nobody has to wait or be waited for: evidence, proof and rows in one message, and
        the rows. None where the long way has to be gone (`submit`): somebody else is at work here, a view was not
        current, the line was cut, or something was wrong that the long way tells better.

        What it takes for granted, and when it lets go of it, is what `submit` does for `trusting`. `asks` and `tells`
        must not look at the place.
        """
        return self._free_for(reads, lambda: self._gone_straight(reads, tells, asks))

    def added(self, name: str, work: Callable[[Transaction], T]) -> tuple[T] | None:
        """Work that adds to what is known of one person, takes nothing away, and looks at no row: evidence, proof and
        changes in one message, and what the work returns. None where the long way has to be gone (`submit`), as for
        `straight`, or somebody has the person: then nothing of it happened.

        The work is done on a view that is taken to be current, and takes the instants of its transaction before others
        are kept out (`Transaction.trusting`).
        """
        return self._free_for((), lambda: self._added(name, work))

    def _free_for(self, names: Collection[str], go: Callable[[], T | None]) -> T | None:
        """Do it at once if nobody else is at work here, and no name is doubted; else None."""
        # Where rows lie on several machines the key of the journal is asked for, which takes an answer of its own.
        if self.writer.asks or self.barred is not None or self._waiting or not self._turn.acquire(False):
            return None
        try:
            doubted = self._doubted
            if self._open is not None or self._unsettled or (doubted and any(name in doubted for name in names)):
                return None
            found = go()
        finally:
            self._turn.release()
        self._relieve()
        return found

    def _added(self, name: str, work: Callable[[Transaction], T]) -> tuple[T] | None:
        if self._doubts((name,)):
            return None
        writer, mark, told = self.writer, self.mark, b""
        said = Gathered()
        transaction = Transaction(said, self._now, Claim((name,)))
        transaction.trusting, transaction.at = True, self._now()
        self._moved = transaction.moved

        def meanwhile() -> None:
            nonlocal told
            for one in transaction.meanwhile:
                one()
            if mark is not None:
                told = mark.told(writer.numbers_to_be)

        def records() -> Sequence[Question]:
            return writer.statements(transaction.entries, transaction.at, bucket_of(SubjectId(name)))

        try:
            result = work(transaction)
            done = self._done_at_once(name, said.changes, records, meanwhile)
        except Exception as failure:
            self._undo()
            if self._unsettled:
                raise  # nobody knows whether it was done
            writer.rolled_back()
            if isinstance(failure, Overtaken):
                self._doubt((name,))
            return None  # what it is, the long way tells
        except BaseException:
            self._undo()
            self._unsettled = True
            raise
        if not done:
            self._undo()
            writer.rolled_back()
            return None
        self._moved = []
        if self.tail is not None:
            self.tail.grew(len(transaction.entries))
        if mark is not None:
            mark.put(told or mark.told(writer.numbers))
        return (result,)

    def _done_at_once(
        self,
        name: str,
        changes: Sequence[Change],
        records: Callable[[], Sequence[Question]],
        meanwhile: Callable[[], None],
    ) -> bool:
        """Whether it was done, also where the answer was lost: then it is looked for, and no view of it is kept."""
        try:
            done = self.engine.added(self.connection, name, changes, records, meanwhile)
        except ConnectionLost:
            self._undo()
            self._unsettled = True
            return self._settle()
        if done:
            self.writer.committed()
        return done

    def _gone_straight(
        self,
        reads: Collection[str],
        tells: Callable[[Instant], Sequence[Evidence]],
        asks: Callable[[], Proof],
    ) -> list[Any] | None:
        writer, mark, told = self.writer, self.mark, b""

        def meanwhile() -> None:
            nonlocal told
            if mark is not None:
                told = mark.told(writer.numbers_to_be)

        entries: Sequence[Evidence] = ()

        def records() -> Sequence[Question]:
            nonlocal entries
            entries = tells(at)
            return writer.statements(entries, at, bucket_of(SubjectId(next(iter(reads), ""))))

        try:
            at = self._now()
            rows = self.engine.recorded(self.connection, reads, asks(), records, meanwhile)
        except ConnectionLost:
            self._unsettled = True
            if self._settle() and self.tail is not None:
                self.tail.grew(len(entries))  # it is on record, and the answer is lost: it is read again
            return None
        except UpheldError as failure:
            writer.rolled_back()
            if isinstance(failure, Overtaken):
                self._doubt(reads)
            return None
        except BaseException as failure:
            self._unsettled = True  # it may have come to pass all the same: whoever is next looks for it
            if not isinstance(failure, Exception):
                raise
            return None  # what it is, the long way tells
        if rows is None:
            writer.rolled_back()
            return None
        writer.committed()
        if self.tail is not None:
            self.tail.grew(len(entries))
        if mark is not None:
            mark.put(told)
        return rows

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
    def batch(self, about: Collection[str] | None = None) -> Iterator[None]:
        """Everything this thread submits inside shares one durable commit, or none of it happens.

        `about`: what is known to be worked on; the rest is claimed as it comes. Raises NotClaimed where somebody else
        has that, or work inside needs the whole place; then nothing happened. None: the batch is alone in the place.
        """
        with self.transaction(about, asks=True) as transaction:
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
        self, about: Collection[str] | None = None, *, early: bool = False, asks: bool = False
    ) -> Iterator[Transaction]:
        """A durable transaction of one's own, for steps that are batches already. `about`, `early`: as for `submit`;
        `asks`: views of those whom it is about will be proved in it.
        """
        self._check_open()
        with self._turn:
            with self.engine.held():
                transaction = self._begin(None if about is None else Claim(about), asks=asks)
                try:
                    if not self.writer.asks:
                        transaction.named = names_key(self.connection)  # on its way with what is asked first
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
        with self._turn, self.engine.soon(self.connection):
            self._soon = True  # `_keep` leaves it to the next commit
            try:
                with self.transaction(about, early=early) as transaction:
                    yield transaction
            finally:
                self._soon = False

    def put_soon(self, name: str, row: Question) -> bool:
        """One row about one name, without evidence, as by `soon_durable`: with fewer words. False where that way has to
        be gone; putting it in twice must be as good as once.
        """
        self._check_open()
        if self._open is not None:
            return False
        try:
            with self._turn, self.engine.held():
                return not self._unsettled and self.engine.put_soon(self.connection, name, row)
        except Exception:  # noqa: BLE001 - what it is, the other way tells
            return False

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """The connection for look-ups that release nothing."""
        self._check_open()
        if self._open is not None and self._owner == get_ident():
            yield self.connection
            return
        with self._turn:
            yield self.connection

    def asked(self, question: Question) -> list[Any]:
        """The rows of one question, as by `reading`: for who asks nothing else."""
        self._check_open()
        if self._open is not None and self._owner == get_ident():
            return self.connection.execute(*question).fetchall()
        with self._turn:
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
            self.connection.execute("COMMIT")
        except ConnectionLost:
            if not self._happened(transaction):
                self._roll_back()
                raise
        except Exception as failure:
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

    def _doubt(self, names: Iterable[str]) -> None:
        if len(self._doubted) > MOST_DOUBTED:
            self._doubted.clear()
        self._doubted.update(dict.fromkeys(names, DOUBTED))

    def _doubts(self, names: Iterable[str]) -> bool:
        """Whether somebody else was faster with one of these not long ago: then it is asked, not taken for granted."""
        doubted = self._doubted
        if not doubted:
            return False
        # Once a group, however many of it are about one: several may name the same person.
        met = {name for name in names if name in doubted}
        for name in met:
            doubted[name] -= 1
            if not doubted[name]:
                del doubted[name]
        return bool(met)

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
            with self._turn:
                with self.engine.held():
                    self.engine.rebuild(self.connection, removed)
                self.flush()

    def scrub(self, tables: Collection[str] | None = None, *, whole: bool = False) -> bool:
        """The bytes of what was deleted, from these tables or from any, leave the logs of the database too; those of
        large tables of keys later, unless the `whole` is wanted now.

        False: a reader is in.
        """
        with self._turn, self.engine.held():
            return self.engine.scrub(self.connection, tables, None if whole else self._now())

    def to_write_anew(self, *, early: bool = False) -> tuple[str, ...]:
        """The tables of keys whose time to be written anew has come; `early`: all that have been waiting for it."""
        with self.reading() as connection:
            return self.engine.to_write_anew(connection, self._now(), early)

    def write_anew(self, tables: Collection[str]) -> bool:
        """Write such tables anew. False: a reader is in, and the time is over by which it was to be done."""
        with self._turn, self.engine.held():
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
