"""A connection to one schema of PostgreSQL, in the shape that the stores use. What can wait is sent with what follows.

Inside a transaction a statement is sent when somebody looks at its rows, at the latest with the commit; `BEGIN` and the
locks wait with it. So work that looks at nothing is one message, begun and committed by the server itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from enum import Enum, auto
from functools import partial
from typing import Any, Final

import psycopg
from psycopg.pq import ConnStatus, TransactionStatus
from psycopg.types.numeric import Int8Dumper

from upheld.errors import InputRefused, NotRecorded, StoreFailed
from upheld.store.awake import Awake
from upheld.store.dialling import dialled
from upheld.store.engine import ConnectionLost, Deadlocked, Numbers, Proof, Question, Texts
from upheld.store.postgres_rows import Aloft, ManyRows, PostgresRows
from upheld.store.spelling import Kind, together, told_apart
from upheld.store.wire import (
    NOTHING,
    Answer,
    Message,
    NumbersDumper,
    Refused,
    TextsDumper,
    Travelling,
    Wire,
    travelling,
)

_WAITED_FOR_EACH_OTHER: Final = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
_ENDED: Final = ("FATAL", "PANIC")
"""Severities after which a connection is over, before the driver has seen its end."""
_NO_ROOM: Final = ("53", "58")
"""Classes of errors: the server lacks room, memory or connections; its disk fails."""
_NOT_SO: Final = (psycopg.errors.DivisionByZero, psycopg.errors.UniqueViolation)
"""How the server says that a statement did not do what it had to: see `PostgresRows.must`."""
_REACHED_BY: Final = (
    "see that the server runs, that the address says where (home.json has it), and that PGUSER and PGPASSWORD say who"
)
_PROOF: Final = 1
"""Which statement of a read is its proof, from 0."""
_MANY: Final = 1_000
"""So many statements wait at most; then they are sent without anybody looking."""


class _Block(Enum):
    """How far a transaction is known to the server."""

    NONE = auto()
    WAITING = auto()
    """Nothing of it was sent."""
    OPEN = auto()
    LOST = auto()
    """Its connection is gone; whoever is in it must end it."""


def _unusable(failure: psycopg.DataError) -> InputRefused:
    """A text with a character, or a number of a size, that no table can hold."""
    return InputRefused("text-unusable", f"a text or a number can't be stored as it is: {failure}")


def _travelling(parameters: Sequence[Any]) -> Travelling:
    try:
        return travelling(parameters)
    except psycopg.DataError as failure:
        raise _unusable(failure) from failure


class PostgresConnection:
    """A connection to one schema, in the shape that the stores use."""

    def __init__(self, address: str, place: str, *, awake: bool = False) -> None:
        self._awake = Awake(awake)
        self._address = address
        self._place = place
        self._given_back = False
        self._waiting: list[PostgresRows] = []
        self._posted: list[PostgresRows] = []
        """What was sent, and is not answered."""
        self._message: list[PostgresRows] = []
        """What was pushed: sent as part of a message that has not ended."""
        self._answered = self._first = 0
        """How many of that are answered, and were pushed first."""
        self._opens = False
        """Whether the transaction begins with it."""
        self._said: Sequence[Message] = ()
        """What was said without waiting for the answer, which has not come yet."""
        self._unheard: Sequence[Message] = ()
        """The same, when its answer was no good: it is said again before anything else."""
        self._begun = False
        """Whether the first part of a message was sent that is a transaction of its own."""
        self._block = _Block.NONE
        self._saves: list[int | None] = []
        """Of each savepoint that stands, one inside the other: before which of those that wait it is due, if one of
        those after it has to be sent; None once the server knows it.
        """
        self.besides: Callable[[], None] | None = None
        """What is done while the answer to the next message is awaited."""
        self.opened = 0
        """How often it was opened: what the server had not on its disk before the last time, it may have forgotten."""
        self.soon = False
        """Whether the commit of a transaction that begins now need not wait for the disk."""
        self._open()

    def _open(self) -> None:
        try:
            self._inner = dialled(self._address, self._place, autocommit=True)
        except psycopg.OperationalError as failure:
            said = f"the database of `{self._place}` can't be reached: {' '.join(str(failure).split())}"
            raise ConnectionLost(f"{said}; {_REACHED_BY}") from failure
        # One size of number, so that a statement is prepared once and not once for each size.
        self._inner.adapters.register_dumper(int, Int8Dumper)
        self._inner.adapters.register_dumper(Numbers, NumbersDumper)
        self._inner.adapters.register_dumper(Texts, TextsDumper)
        self._inner.prepare_threshold = 2
        self._inner.prepared_max = 1_000
        self._cursor = self._inner.cursor(binary=True)
        self._wire = Wire(self._inner, self._awake)
        self._begun = False
        self._process = os.getpid()
        self._message = []
        self.opened += 1

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, also one of which nothing was sent or whose connection was lost."""
        if self._block is not _Block.NONE:
            return True
        if self._said:
            return False
        return self._inner.info.transaction_status not in (TransactionStatus.IDLE, TransactionStatus.UNKNOWN)

    # ── a transaction ───────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, *statements: Question) -> None:
        """A transaction is open from now on, as far as we are concerned; it begins with these, such as locks."""
        self._renew()
        if self._block is _Block.OPEN:
            self._roll_back(b"ROLLBACK")
        self._block = _Block.WAITING
        self._waiting = [PostgresRows.awaited(_BEGIN, None)]
        self._saves.clear()
        if self.soon:
            self._waiting.append(PostgresRows.awaited(_SOON, None))
        for statement, parameters in statements:
            self._queue(told_apart(statement).word, parameters)

    def post(self) -> None:
        """Send what waits and go on; whoever looks at something waits for the answers."""
        if not self._waiting:
            return
        self._await_posted()
        self._posted, self._waiting, self._block = self._with_savepoints(), [], _Block.OPEN
        for one in self._posted:
            one.sent = True
        try:
            self._wire.post([one.message for one in self._posted])
        except psycopg.OperationalError as failure:
            if not self._is_over(failure):
                raise self._lost(failure) from failure
            # Found when it is answered: what begins a transaction is sent again.

    def begun(self) -> None:
        """Wait until what was begun with is done: its locks are held. Raises ConnectionLost."""
        if self._block is _Block.WAITING:
            self._send()
        elif self._message:
            self._hear_pushed(self._first)
        else:
            self._must_have_it()
            self._await_posted()

    def push(self) -> None:
        """Send what waits as part of a message, and go on: the server begins with it, and the end of the message, at
        the latest a commit, follows. Whoever looks at an answer waits for those to all of it, and to what was before.
        """
        if not self._waiting or self._block is _Block.LOST:
            return
        self._await_posted()
        waiting, opens = self._with_savepoints(), self._block is _Block.WAITING
        if not self._message:
            self._answered, self._first, self._opens = 0, len(waiting), opens
        self._waiting, self._block = [], _Block.OPEN
        self._message += waiting
        hear = partial(self._hear_pushed, len(self._message))
        for one in waiting:
            one.pushed(hear)
        with suppress(psycopg.OperationalError):  # then the line is gone: whoever looks is told, or it is said again
            self._wire.begin([one.message for one in waiting], answered=True)

    def _hear_pushed(self, count: int) -> None:
        """The answers to the first so many statements of what was pushed."""
        self._must_have_it()
        wanted = self._message[self._answered : count]
        if not wanted:
            return
        try:
            if not self._inner.closed:
                _arrived(wanted, self._wire.hear(len(wanted), awake=True))
                self._answered = count
                return
        except Refused as refused:
            message, self._message = self._message, []
            raise self._told(refused, message) from refused.failure
        except psycopg.OperationalError as failure:
            if not (self._is_over(failure) and self._may_be_said_again):
                raise self._lost(failure) from failure
        self._say_again()

    @property
    def _may_be_said_again(self) -> bool:
        """Whether the transaction begins with what was pushed, and nothing of it was answered."""
        return bool(self._message) and self._opens and not self._answered

    def _say_again(self) -> None:
        """What was pushed, on a new connection."""
        message = self._message
        self._open()
        self._send_these(message, again=False)

    def settled(self) -> None:
        """Everything so far is done. Raises what failed of it."""
        self._send()

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> PostgresRows:
        """Run one statement. Raises ConnectionLost in a transaction; what stands alone is asked again, once.

        In a transaction a statement is sent when somebody looks at its rows, at the latest with the commit. What goes
        wrong with it is told then.
        """
        word, kind, harmless = told_apart(statement)
        if kind is Kind.QUEUED and self._block is not _Block.NONE:
            rows = self._queue(word, parameters)
            if len(self._waiting) > _MANY:
                self._send()
            return rows
        self._renew()
        if self._block is _Block.NONE and kind is not Kind.BEGIN:
            if kind is Kind.ROLLBACK:
                self._take_back(word)
                return _DONE
            if harmless and kind is Kind.QUEUED:
                return self._asked(word, parameters)
            return self._at_once(word, harmless, parameters)
        if kind is Kind.OTHER:
            self._send()
            return self._at_once(word, False, parameters)
        _STEPS[kind](self, word)
        return _DONE

    def _queue(self, word: bytes, parameters: Sequence[Any]) -> PostgresRows:
        rows = PostgresRows.awaited((word, _travelling(parameters)), self._send)
        self._waiting.append(rows)
        return rows

    def executemany(self, statement: str, parameters: Iterable[Sequence[Any]], /) -> PostgresRows:
        """Run one statement for each row of parameters. Raises ConnectionLost."""
        self._renew()
        rows = list(parameters)
        if self._block is not _Block.NONE:
            at_once = together(statement, rows)
            if at_once is not None:
                return self.execute(*at_once)
            return ManyRows([self.execute(statement, row) for row in rows])
        if not rows:
            return PostgresRows([], 0)
        try:
            self._cursor.executemany(told_apart(statement).word, rows)
        except psycopg.DataError as failure:
            raise _unusable(failure) from failure
        except psycopg.OperationalError as failure:
            raise self._lost(failure) from failure
        return PostgresRows([], self._cursor.rowcount)

    def answers(self, questions: Sequence[Question]) -> list[list[Any]]:
        """The rows of several questions, asked in one message. Raises ConnectionLost."""
        self._renew()
        asked: list[Message] = []
        before: Sequence[Any] | None = None
        for statement, given in questions:  # those about one person have the very same parameters
            packed = asked[-1][1] if given is before else _travelling(given)
            asked.append((told_apart(statement).word, packed))
            before = given
        if self._block is not _Block.NONE:
            waiting = [self._queue(told_apart(statement).word, given) for statement, given in questions]
            return [rows.fetchall() for rows in waiting]
        try:
            return [one.rows for one in self._exchanged(asked, again=True)]
        except Refused as refused:
            raise self._told(refused, ()) from refused.failure

    def whole(
        self,
        first: Question,
        asks: Callable[[], Proof],
        others: Callable[[], Sequence[Question]],
        meanwhile: Callable[[], None],
        *,
        awake: bool = True,
    ) -> list[Any] | None:
        """Statements that are a transaction of their own, and the rows of the proof, which is the second; each part is
        made while the server wakes, or is at work on those before. `meanwhile` is done before the answer is waited for.
        None where a transaction is open. `awake`: the answer may be waited for awake. Raises ConnectionLost, what the
        proof has where one divides by zero, or what else went wrong with it.
        """
        if not self.begin_with((first,)):
            return None
        try:
            proof = asks()
            self.go_on_with((proof.asks,))
            rest = others()
        except BaseException:
            self.abandon()
            raise
        answer = self.end_with(rest, _PROOF, proof.otherwise, meanwhile, awake=awake)
        return None if answer is None else proof.rows(answer.rows)

    def begin_with(self, statements: Sequence[Question]) -> bool:
        """The first part of a message that is a transaction of its own: the server begins with it at once. False where
        that can't be, since a transaction is open or the line is gone: nothing happened.

        `end_with` says the rest. Whatever else is done on this connection before takes the first part back.
        """
        if self._block is not _Block.NONE:
            return False
        self._renew()
        messages = _messages(statements)
        try:
            self._wire.begin(messages)
        except psycopg.OperationalError:
            return False
        self._begun = True
        return True

    def go_on_with(self, statements: Sequence[Question]) -> None:
        """One part more of what `begin_with` began, if it was not taken back."""
        messages = _messages(statements)
        if self._begun:
            try:
                self._wire.begin(messages)
            except psycopg.OperationalError:
                self._begun = False  # and with the line it is gone

    def end_with(
        self,
        statements: Sequence[Question],
        only: int,
        otherwise: Exception,
        meanwhile: Callable[[], None],
        *,
        awake: bool = True,
    ) -> Answer | None:
        """The rest of what `begin_with` began, and the answer to one statement of both parts. The rest as for `whole`;
        None where the first part was taken back meanwhile.
        """
        if not self._begun:
            return None
        try:
            messages = _messages(statements)
        except BaseException:
            self.abandon()
            raise
        self._begun = False
        try:
            self._wire.end(messages)
            self._do(meanwhile)
            return self._wire.take(only, awake=awake)[0]
        except Refused as refused:
            raise self._unproved(refused, otherwise) from refused.failure
        except psycopg.OperationalError as failure:
            raise self._lost(failure) from failure

    def _unproved(self, refused: Refused, otherwise: Exception) -> Exception:
        return otherwise if isinstance(refused.failure, psycopg.errors.DivisionByZero) else self._told(refused, ())

    def launch(
        self,
        first: Question,
        proof: Proof,
        others: Callable[[], Sequence[Question]],
        meanwhile: Callable[[], None],
    ) -> Aloft | None:
        """`whole` for who does not wait here: what was sent, of which the answer is still to be taken before anything
        else is done on this connection. None where something has to be waited for first; nothing was done.
        """
        if self._said or self._unheard or self._begun or self._inner.closed:
            return None
        if not self.begin_with((first, proof.asks)):
            return None
        try:
            messages = _messages(others())
        except BaseException:
            self.abandon()
            raise
        self._begun = False
        try:
            self._wire.end(messages, whole=True)
            self._do(meanwhile)
            return Aloft(self, proof)
        except psycopg.OperationalError as failure:
            raise self._lost(failure) from failure
        except BaseException:
            self.hang_up()
            raise

    def landed(self, proof: Proof, *, wait: bool) -> list[Any] | None:
        """The rows of the proof that was launched; None where the answer is not here yet and nobody waits. Raises as
        `whole`.
        """
        try:
            answer = self._wire.take(_PROOF)[0] if wait else self._wire.taken(_PROOF)
        except Refused as refused:
            raise self._unproved(refused, proof.otherwise) from refused.failure
        except psycopg.OperationalError as failure:
            raise self._lost(failure) from failure
        return None if answer is None else proof.rows(answer.rows)

    def hang_up(self) -> None:
        """End the connection in the middle of whatever it is; the next use opens another."""
        self._inner.close()

    @property
    def descriptor(self) -> int:
        """The number of its socket."""
        return self._wire.descriptor

    def changes(
        self,
        statements: Sequence[Question],
        others: Callable[[], Sequence[Question]],
        otherwise: Exception,
        meanwhile: Callable[[], None],
        *,
        begun: bool = False,
    ) -> bool:
        """A transaction of its own, of changes that have done what they had to unless they fail; whether it was done.
        `others` are made while the server wakes and is at work on the first. The rest as for `whole`; `otherwise` is
        raised where one divides by zero, or would leave out what must be there. `begun`: `begin_with` has said what
        comes before these; they go with the others.
        """
        if not begun and not self.begin_with(statements):
            return False
        try:
            rest = others()
        except BaseException:
            self.abandon()
            raise
        try:
            return self.end_with([*statements, *rest] if begun else rest, -1, otherwise, meanwhile) is not None
        except psycopg.errors.NotNullViolation as failure:
            raise otherwise from failure

    def begin_changes(self, statements: Sequence[Question], others: Callable[[], Sequence[Question]]) -> bool:
        """`changes` but for the end of the message: the server is at work on all of it, and nothing of it happens
        before `end_changes`. False where it can't be begun.
        """
        if not self.begin_with(statements):
            return False
        try:
            rest = others()
        except BaseException:
            self.abandon()
            raise
        self.go_on_with(rest)
        return self._begun

    def end_changes(self, otherwise: Exception, meanwhile: Callable[[], None]) -> bool:
        """The end of what `begin_changes` began; whether it was done. The rest as for `changes`."""
        try:
            return self.end_with((), 0, otherwise, meanwhile) is not None
        except psycopg.errors.NotNullViolation as failure:
            raise otherwise from failure

    def ask_early(self, statement: str, parameters: Sequence[Any]) -> Callable[[], list[Any]]:
        """Send a question that stands alone, may be asked twice and is the next thing that anybody wants of this
        connection; what waits for its rows. That raises ConnectionLost.
        """
        self._renew()
        word = told_apart(statement).word
        message = (word, _travelling(parameters))
        with suppress(psycopg.OperationalError):  # then the line is gone, and it is asked again
            self._wire.post((message,))

        def answer() -> list[Any]:
            try:
                if not self._inner.closed:
                    return self._wire.take(0, awake=True)[0].rows
            except psycopg.OperationalError as failure:
                self._is_over(failure)
            except Refused:
                pass  # what it is, the second time tells
            self._renew()
            return self._asked(word, parameters).fetchall()

        return answer

    def say(self, statements: Sequence[Question]) -> bool:
        """Statements that are a transaction of their own, and may be run twice: nobody waits for the answer. It is
        taken before anything else is done on this connection; where it is no good they are run again then, and what is
        wrong with them is raised. False where a transaction is open, or nothing could be sent: nothing was done.
        """
        if self._block is not _Block.NONE:
            return False
        self._renew()
        messages = _messages(statements)
        try:
            self._wire.post(messages)
        except psycopg.OperationalError:
            return False
        self._said = messages
        return True

    def _hear(self) -> None:
        """The answer to what was said, or what was said once more."""
        said, self._said = self._said, ()
        if said:
            self._unheard = said
            try:
                if not self._inner.closed:
                    self._wire.take(0)
                    self._unheard = ()
                    return
            except psycopg.OperationalError as failure:
                self._is_over(failure)
            except Refused:
                pass  # what it is, the second time tells
        if self._inner.closed:
            self._open()
        try:
            self._wire.send(self._unheard)
        except Refused as refused:
            raise self._told(refused, ()) from refused.failure
        except psycopg.OperationalError as failure:
            raise self._lost(failure) from failure
        self._unheard = ()

    def _do(self, meanwhile: Callable[[], None]) -> None:
        """What fails here leaves the outcome of what was sent open, as a lost line does."""
        try:
            meanwhile()
        except Exception as failure:
            self._inner.close()
            raise ConnectionLost(f"an answer of `{self._place}` was not waited for: {failure}") from failure
        except BaseException:
            self._inner.close()
            raise

    def abandon(self) -> None:
        """What `begin_with` began is taken back, if there is anything."""
        if self._begun:
            self._begun = False
            with suppress(psycopg.OperationalError):  # and with the line it is gone
                self._wire.abandon()

    def _begin(self, _: bytes) -> None:
        self.begin()

    def _commit(self, word: bytes) -> None:
        try:
            self._committed(word)
        finally:
            self.besides = None  # it was for this message and no other

    def _committed(self, word: bytes) -> None:
        """What was never sent needs no words for its beginning and end: what a message holds is one transaction."""
        try:
            self._must_have_it()
            if self._block is _Block.OPEN:
                self._end(word)
                return
        except ConnectionLost:
            self._block = _Block.NONE  # done or not, it is over
            raise
        waiting, self._waiting, self._block = self._waiting[1:], [], _Block.NONE
        if waiting:
            if self._wire.is_over():
                self._inner.close()
                self._renew()
            self._send_these(waiting, again=False)

    def _end(self, word: bytes) -> None:
        self._await_posted()
        waiting, self._waiting = [*self._waiting, PostgresRows.awaited((word, NOTHING), None)], []
        ended = (self._finish(waiting) if self._message else self._send_these(waiting, again=False))[-1]
        self._block = _Block.NONE
        if ended.words != b"COMMIT":
            raise NotRecorded(f"the database of `{self._place}` gave the transaction up before its end")

    def _roll_back(self, word: bytes) -> None:
        sent, self._block = self._block, _Block.NONE
        self._saves.clear()
        self._waiting.clear()
        if sent is not _Block.OPEN:
            return
        self._take_back(word)

    def _take_back(self, word: bytes) -> None:
        """Tell the server. Raises ConnectionLost where the line is gone, and with it the transaction."""
        try:
            self._forget_posted()
            self._wire.roll_back(word)
        except psycopg.OperationalError as failure:
            raise self._lost(failure) from failure

    def _save(self, _: bytes) -> None:
        self._saves.append(len(self._waiting))

    def _release(self, _: bytes) -> None:
        if self._saves.pop() is None:
            self._waiting.append(PostgresRows.awaited((b"RELEASE %b" % _level(len(self._saves)), NOTHING), None))

    def _undo(self, _: bytes) -> None:
        """Back to the innermost savepoint: to what waited then, if nothing was sent since."""
        self._must_have_it()
        due = self._saves[-1]
        if due is not None:
            del self._waiting[due:]
            return
        self._waiting.clear()
        try:
            if self._message:
                self._finish(())
        except StoreFailed as failure:
            if isinstance(failure, ConnectionLost):
                raise
        try:
            self._wire.roll_back(b"ROLLBACK TO %b" % _level(len(self._saves) - 1))
        except psycopg.OperationalError as failure:
            raise self._lost(failure) from failure

    def _with_savepoints(self) -> list[PostgresRows]:
        """What waits, with the savepoints that are due in it, which the server knows from then on."""
        waiting = self._waiting
        for level in reversed(range(len(self._saves))):
            due = self._saves[level]
            if due is not None:
                waiting.insert(due, PostgresRows.awaited((b"SAVEPOINT %b" % _level(level), NOTHING), None))
                self._saves[level] = None
        return waiting

    # ── messages ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _send(self) -> None:
        """Send what waits. Raises ConnectionLost: then it has not happened, or it is known to nobody whether it has."""
        self._must_have_it()
        if self._posted:
            self._await_posted()
        if not self._waiting and not self._message:
            return
        waiting = self._with_savepoints()
        first = self._block is _Block.WAITING
        self._waiting, self._block = [], _Block.OPEN
        if self._message:
            self._finish(waiting)
        else:
            self._send_these(waiting, again=first)

    def _finish(self, waiting: Sequence[PostgresRows]) -> list[Answer]:
        """The end of the message that was pushed, and the answers that it still owes."""
        message, self._message = self._message, []
        for one in waiting:
            one.sent = True
        besides, self.besides = self.besides, None
        try:
            if self._inner.closed:
                raise psycopg.OperationalError("the server went away")
            self._wire.end([one.message for one in waiting])
            if besides is not None:
                self._do(besides)
            answers = self._wire.take(awake=True)
        except Refused as refused:
            raise self._told(refused, [*message, *waiting]) from refused.failure
        except psycopg.OperationalError as failure:
            raise self._lost(failure) from failure
        _arrived([*message[self._answered :], *waiting], answers)
        return answers

    def _await_posted(self) -> None:
        """The answers to what was posted. It begins a transaction, so that nothing was done if the connection ended."""
        posted, self._posted = self._posted, []
        if not posted:
            return
        try:
            answers = self._wire.take() if not self._inner.closed else None
        except Refused as refused:
            raise self._told(refused, posted) from refused.failure
        except psycopg.OperationalError as failure:
            if not self._is_over(failure):
                raise self._lost(failure) from failure
            answers = None
        if answers is None:
            self._open()
            self._send_these(posted, again=False)
            return
        _arrived(posted, answers)

    def _forget_posted(self) -> None:
        if self._message:
            self._message = []
            self._wire.end(())
            with suppress(Refused):
                self._wire.take()
        if self._posted:
            self._posted = []
            with suppress(Refused):  # it is over anyway
                self._wire.take()

    def _send_these(self, entries: Sequence[PostgresRows], *, again: bool) -> list[Answer]:
        for one in entries:
            one.sent = True
        try:
            answers = self._exchanged([one.message for one in entries], again=again)
        except Refused as refused:
            raise self._told(refused, entries) from refused.failure
        _arrived(entries, answers)
        return answers

    def _exchanged(self, messages: Sequence[Message], *, again: bool) -> list[Answer]:
        """Send and wait. `again`: what may be said once more on a new connection, as nothing of it can have lasted."""
        besides, self.besides = self.besides, None
        try:
            self._wire.post(messages)
            if besides is not None:
                self._do(besides)
            return self._wire.take()
        except psycopg.OperationalError as failure:
            if not (self._is_over(failure) and again):
                raise self._lost(failure) from failure
        except Refused as refused:
            if not (again and isinstance(refused.failure, psycopg.OperationalError) and self._is_over(refused.failure)):
                raise
        self._open()
        try:
            return self._wire.send(messages)
        except psycopg.OperationalError as failure:
            raise self._lost(failure) from failure

    def _told(self, refused: Refused, entries: Sequence[PostgresRows]) -> Exception:
        """What the failure of one of several statements means to who asked for it."""
        failure = refused.failure
        asked = entries[refused.number] if refused.number < len(entries) else None
        if asked is not None and asked.otherwise is not None and isinstance(failure, _NOT_SO):
            return asked.otherwise
        if isinstance(failure, psycopg.DataError):
            return _unusable(failure)
        return self._lost(failure) if isinstance(failure, psycopg.OperationalError) else failure

    def _asked(self, word: bytes, parameters: Sequence[Any]) -> PostgresRows:
        """A question that stands alone; what fails is asked again the sure way, which tells why."""
        message = (word, _travelling(parameters))
        try:
            answer = self._wire.ask(message)
        except (psycopg.OperationalError, Refused):
            try:
                (answer,) = self._exchanged([message], again=True)
            except Refused as refused:
                raise self._told(refused, ()) from refused.failure
        return PostgresRows(answer.rows, answer.changed)

    def _at_once(self, word: bytes, harmless: bool, parameters: Sequence[Any]) -> PostgresRows:
        alone = harmless and not self.in_transaction
        try:
            cursor = self._cursor.execute(word, parameters)
        except psycopg.DataError as failure:
            raise _unusable(failure) from failure
        except psycopg.OperationalError as failure:
            if not (alone and self._is_over(failure)):
                raise self._lost(failure) from failure
            self._open()
            try:
                cursor = self._cursor.execute(word, parameters)
            except psycopg.OperationalError as again:
                raise self._lost(again) from again
        if cursor.description is None:
            return PostgresRows([], cursor.rowcount)
        return PostgresRows(cursor.fetchall(), cursor.rowcount)

    def told(self, statement: str) -> list[tuple[str, str]]:
        """Run a statement that stands alone; what the server tells about it, each with its details, which may be empty.

        Raises ConnectionLost.
        """
        said: list[tuple[str, str]] = []

        def heard(diagnostic: psycopg.errors.Diagnostic) -> None:
            said.append((diagnostic.message_primary or "", diagnostic.message_detail or ""))

        inner = self._inner
        inner.add_notice_handler(heard)
        try:
            self.execute(statement)
        finally:
            inner.remove_notice_handler(heard)
        return said

    def _renew(self) -> None:
        if self._said or self._unheard:
            self._hear()
        if self._begun:
            self.abandon()
        if self._inner.closed and not self._given_back and not self._posted and not self._may_be_said_again:
            if self._block is _Block.OPEN:
                self._block = _Block.LOST
            self._open()

    def _must_have_it(self) -> None:
        """What a lost connection had open is not gone on with on the next one."""
        gone = self._block is _Block.OPEN and self._inner.closed and not self._posted and not self._may_be_said_again
        if self._block is _Block.LOST or gone:
            self._block = _Block.LOST
            raise ConnectionLost(f"the database of `{self._place}` went away before it was told everything")

    def _is_over(self, failure: psycopg.OperationalError) -> bool:
        """Whether the connection is gone. A server that ends it says so in an answer that can come before its end is
        seen, the library says it without a code; what was sent last may have been done all the same.
        """
        ended = failure.sqlstate is None or failure.diag.severity_nonlocalized in _ENDED
        if ended or self._inner.pgconn.status == ConnStatus.BAD:
            self._inner.close()
        return bool(self._inner.closed)

    def _lost(self, failure: psycopg.OperationalError) -> StoreFailed:
        if self._is_over(failure):
            if self._block is _Block.OPEN:
                self._block = _Block.LOST
            return ConnectionLost(f"the database of `{self._place}` went away: {failure}")
        if isinstance(failure, _WAITED_FOR_EACH_OTHER):
            return Deadlocked(f"two transactions of `{self._place}` waited for each other: {failure}")
        kind = NotRecorded if (failure.sqlstate or "").startswith(_NO_ROOM) else StoreFailed
        return kind(f"the database of `{self._place}` could not do it: {failure}")

    def close(self) -> None:
        """Give the connection back. Anything not committed is gone. Whoever was forked leaves it to the parent."""
        if self._process != os.getpid():
            return
        if self._said:
            with suppress(Refused, psycopg.Error):  # whoever opens the home next does what is missing
                self._wire.take(0)
        self._given_back = True
        self._inner.close()


def _messages(questions: Sequence[Question]) -> list[Message]:
    return [(told_apart(statement).word, _travelling(given)) for statement, given in questions]


def _arrived(entries: Sequence[PostgresRows], answers: Sequence[Answer]) -> None:
    for one, answer in zip(entries, answers, strict=True):
        one.came(answer)


_DONE: Final = PostgresRows([], -1)
_BEGIN: Final[Message] = (b"BEGIN", NOTHING)
_SOON: Final[Message] = (b"SELECT set_config('synchronous_commit', 'off', true)", NOTHING)
_STEPS: Final[dict[Kind, Callable[[PostgresConnection, bytes], None]]] = {
    Kind.BEGIN: PostgresConnection._begin,
    Kind.COMMIT: PostgresConnection._commit,
    Kind.ROLLBACK: PostgresConnection._roll_back,
    Kind.SAVEPOINT: PostgresConnection._save,
    Kind.RELEASE: PostgresConnection._release,
    Kind.UNDO: PostgresConnection._undo,
}


def _level(depth: int) -> bytes:
    """Savepoints by how deep they lie: what stands for all callers as one name is several to the server."""
    return b"level_%d" % depth
