"""Answers of a PostgreSQL server, as the stores look at them: here already, or to come when somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from upheld.store.engine import Proof, Unanswered
from upheld.store.spelling import counted, guarded
from upheld.store.wire import Answer, Message, and_number

if TYPE_CHECKING:
    from upheld.store.postgres_connection import PostgresConnection


class PostgresRows:
    """The answer to a statement, fetched whole; of one that waits to be sent, when somebody looks at it."""

    __slots__ = ("_answer", "_at", "_came", "_rowcount", "_rows", "_send", "message", "otherwise", "sent")

    def __init__(self, rows: list[Any], rowcount: int) -> None:
        self._rows = rows
        self._at = 0
        self._rowcount = rowcount
        self._answer = None
        self._came = True
        self._send = None
        self.sent = True

    @classmethod
    def awaited(cls, message: Message, send: Callable[[], None] | None) -> PostgresRows:
        """The answer to a statement that is sent when `send` is called."""
        one = cls.__new__(cls)
        one.message, one._send, one._at, one._came, one.sent = message, send, 0, False, False
        one.otherwise = None
        return one

    _answer: Answer | None
    _send: Callable[[], None] | None
    otherwise: Exception | None
    message: Message

    def pushed(self, hear: Callable[[], None]) -> None:
        """It was sent; `hear` takes the answer."""
        self._send, self.sent = hear, True

    def came(self, answer: Answer) -> None:
        """The answer is here."""
        self._rows, self._answer, self._came, self._send = answer.rows, answer, True, None

    def _look(self) -> None:
        if self._send is not None:
            self._send()
        if not self._came:
            raise Unanswered("the answer to a statement never came")

    def must(self, otherwise: Exception, rows: int = 1) -> None:
        """It is to change so many rows; if it does not, `otherwise` is raised: now, or when it is sent, and then
        nothing of its transaction happens.
        """
        if self.sent:
            if self.rowcount != rows:
                raise otherwise
            return
        word, given = self.message
        self.message = (guarded(word), given) if rows == 1 else (counted(word), and_number(given, rows))
        self.otherwise = otherwise

    def proves(self, otherwise: Exception) -> None:
        """The statement divides by zero if what it was made on is not so: then `otherwise` is raised where it is sent,
        and nothing of its transaction happens.
        """
        self.otherwise = otherwise

    @property
    def lastrowid(self) -> int | None:
        """The number that the table gave to the row inserted, where it does."""
        if not self._came:
            self._look()
        return self._rows[0][0] if self._rows else None

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""
        if not self._came:
            self._look()
        return self._rowcount if self._answer is None else self._answer.changed

    def fetchone(self) -> Any:
        """The next row; None after the last."""
        if not self._came:
            self._look()
        if self._at >= len(self._rows):
            return None
        self._at += 1
        return self._rows[self._at - 1]

    def fetchall(self) -> list[Any]:
        """All rows that are left."""
        if not self._came:
            self._look()
        rest, self._at = self._rows[self._at :], len(self._rows)
        return rest

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchall())


class ManyRows(PostgresRows):
    """What many runs of one statement changed together."""

    __slots__ = ("_each",)

    def __init__(self, each: Sequence[PostgresRows]) -> None:
        super().__init__([], 0)
        self._each = each

    def must(self, otherwise: Exception, rows: int = 1) -> None:
        """Each is to change one row; there are as many as that."""
        for one in self._each:
            one.must(otherwise)

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""
        return sum(one.rowcount for one in self._each)


class Aloft:
    """A message that was sent by a connection, and whose answer nobody waits for yet."""

    __slots__ = ("_connection", "_proof", "line")

    def __init__(self, connection: PostgresConnection, proof: Proof) -> None:
        self._connection = connection
        self._proof = proof
        self.line = connection.opened
        """Another number whenever the connection was opened anew."""

    @property
    def descriptor(self) -> int:
        """The socket that can be read from when something of the answer is here."""
        return self._connection.descriptor

    def taken(self, *, wait: bool) -> list[Any] | None:
        """The rows of the proof, once all of the message is durable; None where the answer is not here yet and nobody
        waits. Raises as `Engine.recorded`.
        """
        return self._connection.landed(self._proof, wait=wait)

    def hang_up(self) -> None:
        """The answer is never taken; nobody knows what became of it."""
        self._connection.hang_up()
