"""The short way to a place: work for which nobody has to wait or be waited for is one message, evidence and all.

It is gone when nobody else is at work in the place and nobody in question was changed by others lately. Whatever stands
in the way, and whatever fails, is left to `submit`, which tells it: then nothing of the message has happened.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final, Generic, TypeVar

from upheld.dates import Instant
from upheld.engine.acts import SubjectId
from upheld.errors import UpheldError
from upheld.ledger.entries import Evidence
from upheld.store.aloft import Flight, Turn
from upheld.store.engine import Claim, Connection, ConnectionLost, Engine, Overtaken, Proof, Question, Underway
from upheld.store.gathered import Gathered
from upheld.store.ids import bucket_of
from upheld.store.journal import JournalWriter
from upheld.store.marks import Mark
from upheld.store.tail import Tail
from upheld.store.transaction import Transaction

T = TypeVar("T")

MOST_DOUBTED: Final = 10_000
DOUBTED: Final = 4
"""So often whoever was changed by others is asked for, before it is taken to be as it was again."""

_Records = Callable[[], Sequence[Question]]
"""Makes the statements that put a message on record, while the server is at work on its first part."""
_Meanwhile = Callable[[], None]


class Early(Generic[T]):
    """Work that a server does while something else has to become durable first. It ends once, or is forgotten; until
    then this thread has the place, and does nothing else there.
    """

    def __init__(self, place: Straight, names: Collection[str], result: T, transaction: Transaction) -> None:
        self.result = result
        self._place = place
        self._names = names
        self._transaction: Transaction | None = transaction

    def ends(self, meanwhile: _Meanwhile = lambda: None) -> bool:
        """Commit it: whether it is done, and durable. Where it is not, nothing of it happened. `meanwhile` is done
        while the answer is awaited; it must not fail.
        """
        transaction, self._transaction = self._transaction, None
        if transaction is None:
            return False
        try:
            return self._place.end_early(self._names, transaction, meanwhile)
        finally:
            self._place.leave()

    def forget(self) -> None:
        """Nothing of it happens; of what has ended nothing is undone."""
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            try:
                self._place.forget_early()
            finally:
                self._place.leave()


class Straight(ABC):
    """What of a place goes straight. The rest of it is `Place`."""

    def __init__(self, engine: Engine, writer: JournalWriter, now: Callable[[], Instant]) -> None:
        self.engine = engine
        self.writer = writer
        self.writer.number_after(engine.first_row(writer.incarnation))
        self.writer.asks = not engine.sends_late
        self._now = now
        self.turn = Turn()
        self._waiting: deque[Any] = deque()
        """Who waits for the turn."""
        self.connection: Connection = engine.connect()
        self._open: Transaction | None = None
        self._unsettled = False
        """Whether nobody knows what became of the last transaction."""
        self._doubted: dict[str, int] = {}
        """Names about which somebody else was faster, and how often they are still asked for."""
        self.barred: str | None = None
        """Why nobody may use this place; `admitted` is the thread that may all the same: the one that recovers it."""
        self.mark: Mark | None = None
        """Told, after each durable commit, how far the journal has got."""
        self._moved: list[SubjectId] = []
        """Whose views have moved on with what is under way."""
        self.tail: Tail | None = None

    @abstractmethod
    def _settle(self) -> bool:
        """Whether a transaction whose outcome nobody knows took place."""

    @abstractmethod
    def _undo(self, so_far: int = 0) -> None:
        """What was seen of those who moved on since then is nobody's any more."""

    @abstractmethod
    def _relieve(self) -> None:
        """What whoever is done does about a tail that is over."""

    def straight(
        self,
        reads: Collection[str],
        tells: Callable[[Instant], Sequence[Evidence]],
        asks: Callable[[], Proof],
        *,
        ready: bool = False,
    ) -> list[Any] | None:
        """A trusting read for which nobody has to wait or be waited for: evidence, proof and rows in one message, and
        the rows. None where the long way has to be gone (`submit`): somebody else is at work here, a view was not
        current, the line was cut, or something was wrong that the long way tells better.

        What it takes for granted, and when it lets go of it, is what `submit` does for `trusting`. `asks` and `tells`
        must not look at the place. `ready`: it was seen that `asks` will not find a view late, so the server may be
        woken before it is called.
        """
        return self._free_for(reads, lambda: self._gone_straight(reads, tells, asks, ready))

    def launched(
        self,
        reads: Collection[str],
        tells: Callable[[Instant], Sequence[Evidence]],
        asks: Callable[[], Proof],
        told: Callable[[], None],
    ) -> Flight | None:
        """`straight` for who does something else until the answer comes. None also where anything, such as the turn,
        would have to be waited for. `told`: see `Flight`.
        """
        if self._shut or not self.turn.at_once():
            return None
        try:
            doubted = self._doubted
            if self._open is not None or self._unsettled or (doubted and any(name in doubted for name in reads)):
                return None
            return self._launched(reads, tells, asks, told)
        finally:
            self.turn.release()

    def _launched(
        self,
        reads: Collection[str],
        tells: Callable[[Instant], Sequence[Evidence]],
        asks: Callable[[], Proof],
        told: Callable[[], None],
    ) -> Flight | None:
        at, writer, mark, grown, ready = self._now(), self.writer, self.mark, 0, b""

        def records() -> Sequence[Question]:
            nonlocal grown
            entries = tells(at)
            grown = len(entries)
            return writer.statements(entries, at, bucket_of(SubjectId(next(iter(reads), ""))))

        def meanwhile() -> None:
            nonlocal ready
            if mark is not None:
                ready = mark.told(writer.numbers_to_be)

        sent: Underway | None = None
        self._unsettled = True  # until it has landed
        try:
            sent = self.engine.launched(self.connection, reads, asks(), records, meanwhile)
            if sent is not None:
                self.turn.flight = Flight(self, sent, reads, grown, ready, told)
                return self.turn.flight
        except ConnectionLost:
            return None  # whoever is next finds out what became of it
        except BaseException as failure:  # noqa: BLE001 - what is no failure of the message is raised again there
            if sent is not None:
                sent.hang_up()
            self.fell_through(failure, reads)
            return None  # what it is, the long way tells
        writer.rolled_back()
        self._unsettled = False
        return None

    def flown(self, grown: int, mark: bytes) -> None:
        """What was launched is durable: so many entries more, and how far the journal has got."""
        self.writer.committed()
        self._unsettled = False
        if self.tail is not None:
            self.tail.grew(grown)
        if self.mark is not None:
            self.mark.put(mark or self.mark.told(self.writer.numbers))

    def relief(self) -> Callable[[], None] | None:
        """What whoever is done had better do, in a thread that may wait; mostly nothing."""
        return self._relieved if self.tail is not None and self.tail.over else None

    def _relieved(self) -> None:
        with self.turn:  # so that nothing is in the air
            self._relieve()

    def added(self, name: str, work: Callable[[Transaction], T]) -> tuple[T] | None:
        """Work that adds to what is known of one person, takes nothing away, and looks at no row: evidence, proof and
        changes in one message, and what the work returns. None where the long way has to be gone (`submit`), as for
        `straight`, or somebody has the person: then nothing of it happened.

        The work is done on a view that is taken to be current, and takes the instants of its transaction before others
        are kept out (`Transaction.trusting`).
        """
        return self._free_for((), lambda: self._added(name, work))

    def early(self, names: Collection[str], work: Callable[[Transaction], T]) -> Early[T] | None:
        """`added` for these names, but for the end of its message: the server is at work on it, and nothing of it
        happens before `Early.ends`. Nobody else of this process comes to the place until then. None as for `added`.
        """
        if self._shut or not self.turn.at_once():
            return None
        begun = None
        try:
            if self._open is None and not self._unsettled:
                begun = self._begun_early(names, work)
        finally:
            if begun is None:
                self.turn.release()
        return begun

    def _begun_early(self, names: Collection[str], work: Callable[[Transaction], T]) -> Early[T] | None:
        gathered = self._gathered(names, work)
        if gathered is None:
            return None
        said, transaction, result = gathered
        writer, bucket = self.writer, bucket_of(SubjectId(next(iter(names))))

        def records() -> Sequence[Question]:
            return writer.statements(transaction.entries, transaction.at, bucket)

        try:
            if self.engine.adds_early(self.connection, names, said.changes, records):
                return Early(self, names, result, transaction)
        except Exception:  # noqa: BLE001 - nothing of it happened; what it is, the long way tells
            writer.rolled_back()
            return None
        except BaseException:
            writer.rolled_back()
            raise
        writer.rolled_back()
        return None

    def end_early(self, names: Collection[str], transaction: Transaction, meanwhile: _Meanwhile) -> bool:
        """Whether what was begun early was done: see `Early.ends`."""

        def sends(_: _Records, awaiting: _Meanwhile) -> bool | None:
            return self.engine.ends_early(self.connection, awaiting) or None

        told = lambda: (transaction.entries, transaction.at)  # noqa: E731 - as the other way has it
        done = bool(self._said(names, told, sends, (meanwhile,), unanswered=True))
        if done and self.tail is not None:
            self.tail.grew(len(transaction.entries))
        return done

    def forget_early(self) -> None:
        """Nothing of what was begun early happens."""
        try:
            self.engine.forgets_early(self.connection)
        finally:
            self._undo()
            self.writer.rolled_back()

    def leave(self) -> None:
        """Others of this process may come."""
        self.turn.release()

    @property
    def _shut(self) -> bool:
        """Whether nothing goes straight now, whoever has the turn. Where rows lie on several machines the key of the
        journal is asked for, which takes an answer of its own.
        """
        return self.writer.asks or self.barred is not None or bool(self._waiting)

    def _free_for(self, names: Collection[str], go: Callable[[], T | None]) -> T | None:
        """Do it at once if nobody else is at work here, and no name is doubted; else None."""
        if self._shut or not self.turn.acquire(False):
            return None
        try:
            doubted = self._doubted
            if self._open is not None or self._unsettled or (doubted and any(name in doubted for name in names)):
                return None
            found = go()
        finally:
            self.turn.release()
        self._relieve()
        return found

    def _gone_straight(
        self,
        reads: Collection[str],
        tells: Callable[[Instant], Sequence[Evidence]],
        asks: Callable[[], Proof],
        ready: bool,
    ) -> list[Any] | None:
        at = self._now()

        def sends(records: _Records, meanwhile: _Meanwhile) -> list[Any] | None:
            proof = None if ready else asks()
            return self.engine.recorded(
                self.connection, reads, asks if proof is None else lambda: proof, records, meanwhile
            )

        return self._said(reads, lambda: (tells(at), at), sends, ())

    def _added(self, name: str, work: Callable[[Transaction], T]) -> tuple[T] | None:
        names = (name,)
        gathered = None if self._doubts(names) else self._gathered(names, work, name)
        if gathered is None:
            return None
        said, transaction, result = gathered

        def sends(records: _Records, meanwhile: _Meanwhile) -> tuple[T] | None:
            done = self.engine.added(self.connection, name, said.changes, records, meanwhile, begun=said.begun)
            return (result,) if done else None

        told = lambda: (transaction.entries, transaction.at)  # noqa: E731 - as the other way has it
        meanwhile, transaction.meanwhile = transaction.meanwhile, []  # nothing that refers to itself is left behind
        return self._said(names, told, sends, meanwhile, (result,), transaction.provided)

    def _gathered(
        self, names: Collection[str], work: Callable[[Transaction], T], claims: str | None = None
    ) -> tuple[Gathered, Transaction, T] | None:
        """Work of which nothing was sent, or that has begun to send what it does, where it `claims` the one name that
        it is about. None where it fails: nothing was done, and what it is, the long way tells.
        """
        said = Gathered(self.engine, self.connection, claims)
        transaction = Transaction(said, self._now, Claim(names))
        transaction.trusting, transaction.at, transaction.gathers = True, self._now(), said
        self._moved = transaction.moved
        try:
            return said, transaction, work(transaction)
        except BaseException as failure:
            self._undo()
            if said.begun:
                self.engine.forgets_early(self.connection)
            if isinstance(failure, Overtaken):
                self._doubt(names)
            if not isinstance(failure, Exception):
                raise
            return None

    def _said(
        self,
        names: Collection[str],
        tells: Callable[[], tuple[Sequence[Evidence], Instant]],
        sends: Callable[[_Records, _Meanwhile], T | None],
        besides: Sequence[_Meanwhile],
        unanswered: T | None = None,
        provided: Question | None = None,
    ) -> T | None:
        """One message about these names with what it `tells` on record, and the answer; None where it did not happen.

        `besides` is done while the answer is awaited; what is found to have happened though its answer was lost is
        answered by `unanswered`. It is put on record only where what is `provided` is so.
        """
        writer, mark, told, grown = self.writer, self.mark, b"", 0

        def records() -> Sequence[Question]:
            nonlocal grown
            entries, at = tells()
            grown = len(entries)
            return writer.statements(entries, at, bucket_of(SubjectId(next(iter(names), ""))), provided)

        def meanwhile() -> None:
            nonlocal told
            for one in besides:
                one()
            writer.draw()
            if mark is not None:
                told = mark.told(writer.numbers_to_be)

        # Whoever is stopped from here on leaves it to the next to find out what became of it.
        self._unsettled = True
        try:
            answer = sends(records, meanwhile)
        except ConnectionLost:
            self._undo()
            if not self._settle():
                return None
            answer, told = unanswered, b""
        except BaseException as failure:  # noqa: BLE001 - what is no failure of the message is raised again there
            self._undo()
            self.fell_through(failure, names)
            return None  # what it is, the long way tells
        else:
            if answer is None:
                self._undo()
                writer.rolled_back()
                self._unsettled = False
                return None
            writer.committed()
            self._unsettled = False
        self._moved = []
        if self.tail is not None:
            self.tail.grew(grown)
        if mark is not None:
            mark.put(told or mark.told(writer.numbers))
        return answer

    def fell_through(self, failure: BaseException, names: Collection[str]) -> None:
        """A message was refused, or nobody knows what became of it: then whoever is next looks for it. Raises what is
        no failure of the message.
        """
        if isinstance(failure, UpheldError):
            self.writer.rolled_back()
            self._unsettled = False
            if isinstance(failure, Overtaken):
                self._doubt(names)
            return
        if not isinstance(failure, Exception):
            raise failure

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
