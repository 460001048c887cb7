"""What a place asks of its database: a connection that runs plain SQL, and the few things that engines do differently.

Statements elsewhere are plain: `?` for parameters, INTEGER, TEXT and BLOB columns, explicit ON CONFLICT.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, cast

from upheld.dates import Instant
from upheld.errors import StoreFailed


class ConnectionLost(StoreFailed):
    """The database went away in the middle: what was not committed is gone, and a commit may have happened or not."""


class Unanswered(ConnectionLost):
    """What was asked is done and durable; the answer was lost with the connection. Ask again."""


class Deadlocked(StoreFailed):
    """Another transaction and this one waited for each other, and the database gave this one up: do it again."""


class Overtaken(StoreFailed):
    """What work took for granted is not so any more: nothing of it was done, do it the sure way."""


class Claim(NamedTuple):
    """What a transaction keeps others out of, instead of the whole place.

    Names are ids of subjects, or whatever else rows of one owner go by. Who changes something about a name is alone
    with it; who reads it shares it with other readers.
    """

    changes: Collection[str] = ()
    reads: Collection[str] = ()


class Rows(Protocol):
    """The answer to a statement."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""

    @property
    def lastrowid(self) -> int | None:
        """The number given to the row inserted, where the table numbers its rows itself."""

    def fetchone(self) -> Any:
        """The next row as a tuple; None after the last."""

    def fetchall(self) -> list[Any]:
        """All rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """The rows that are left."""


class Connection(Protocol):
    """One connection to one place."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> Rows:
        """Run one statement."""

    def executemany(self, statement: str, parameters: Iterable[Sequence[Any]], /) -> Rows:
        """Run one statement for each row of parameters."""

    def close(self) -> None:
        """Give the connection back. Anything not committed is gone."""


class SentLate(Protocol):
    """The answer to a statement that may not have been sent yet: what it must have done can be said beforehand."""

    def must(self, otherwise: Exception, rows: int = 1) -> None:
        """It has to change so many rows. If it does not, `otherwise` is raised: now, or where it is sent; then nothing
        of its transaction happens.
        """

    def proves(self, otherwise: Exception) -> None:
        """It divides by zero if what it was made on is not so: then `otherwise` is raised where it is sent, and nothing
        of its transaction happens.
        """


Question = tuple[str, Sequence[Any]]
"""A statement that asks, and its parameters."""


class Proof(NamedTuple):
    """A question that divides by zero where what it was made on is not so."""

    asks: Question
    otherwise: Exception
    """What is raised then."""
    rows: Callable[[list[Any]], list[Any]]
    """What of its rows was asked for."""


class Change(NamedTuple):
    """A statement that is sent with others and looked at by nobody."""

    statement: str
    parameters: Sequence[Any]
    one: bool = False
    """Whether it has to change one row, or nothing of what is sent with it happens."""


CLAIMED: Final = "CLAIMED()"
"""Stands in a condition where the engine says what takes a claim that is there at once, or fails where it is not."""


class Underway(Protocol):
    """A message that was sent, and whose answer nobody waits for yet."""

    line: int
    """Another number whenever the connection was opened anew."""

    @property
    def descriptor(self) -> int:
        """The socket that can be read from when something of the answer is here."""

    def taken(self, *, wait: bool) -> list[Any] | None:
        """What `Engine.recorded` answers, and raises; None where the answer is not here yet and nobody waits."""

    def hang_up(self) -> None:
        """The answer is never taken; nobody knows what became of it."""


class AsksAtOnce(Protocol):
    """A connection on which every message takes a while, so that several questions had better be one."""

    def answers(self, questions: Sequence[Question]) -> list[list[Any]]:
        """The rows of each."""


def sent_late(rows: Rows) -> SentLate | None:
    """The answer as one that may be awaited. A look at a name: asking for the whole protocol takes far longer."""
    return cast(SentLate, rows) if hasattr(rows, "must") else None


def came(rows: Rows) -> bool:
    """Whether looking at an answer sends no message: it is here already."""
    return bool(getattr(rows, "sent", True))


def asks_at_once(connection: Connection) -> AsksAtOnce | None:
    """The connection as one on which several questions had better be one message."""
    return cast(AsksAtOnce, connection) if hasattr(connection, "answers") else None


def beside_each_other(engines: Iterable[object]) -> bool:
    """Whether places are schemas of one database under one role, so that a connection to one of them sees all."""
    addresses = {getattr(one, "address", None) for one in engines}
    return len(addresses) == 1 and None not in addresses


def answers(connection: Connection, questions: Sequence[Question]) -> list[list[Any]]:
    """The rows of several questions, in one message where that is quicker."""
    if not questions:
        return []
    at_once = asks_at_once(connection)
    if at_once is not None:
        return at_once.answers(questions)
    return [connection.execute(statement, given).fetchall() for statement, given in questions]


class Numbers(tuple[int, ...]):
    """Numbers that travel as one parameter: an array, in the form in which the server keeps numbers."""

    __slots__ = ()


class Texts(tuple[str, ...]):
    """Texts that travel as one parameter."""

    __slots__ = ()


class NumbersOrNone(tuple[int | None, ...]):
    """The same where some are not there."""

    __slots__ = ()


class TextsOrNone(tuple[str | None, ...]):
    """The same where some are not there."""

    __slots__ = ()


class Blobs(tuple[bytes | None, ...]):
    """Bytes that travel as one parameter, where some may not be there."""

    __slots__ = ()


class Spots(tuple[bytes, ...]):
    """Where rows lie in the files of a server, as it has told: they travel as one parameter."""

    __slots__ = ()


def array(numbers: Iterable[int]) -> Numbers:
    """Numbers as a server takes them in one parameter."""
    return Numbers(numbers)


def array_of_texts(texts: Iterable[str]) -> Texts:
    """Texts as a server takes them in one parameter."""
    return Texts(texts)


class Engine(Protocol):
    """The database of one place."""

    @property
    def failures(self) -> tuple[type[BaseException], ...]:
        """What its driver raises, as it is, when the database can't do it: a full disk, one that is read only."""

    def connect(self) -> Connection:
        """A connection with durability and erasure switched on."""

    def held(self) -> AbstractContextManager[None]:
        """Wait for the turn to write, between processes; keep it for the block."""

    def close(self) -> None:
        """Give back what belongs to the turn."""

    def begin(self, connection: Connection, claim: Claim | None = None, asks: Question | None = None) -> Rows | None:
        """Open a transaction that may write: from `granted` until it ends nobody else writes to what it claims, or to
        the place at all where it claims nothing in particular.

        `asks` is what will be asked first: its rows, where it can be asked under way; None where it had better wait.
        """

    def recorded(
        self,
        connection: Connection,
        reads: Collection[str],
        asks: Callable[[], Proof],
        records: Callable[[], Sequence[Question]],
        meanwhile: Callable[[], None],
    ) -> list[Any] | None:
        """Claim these for reading, ask, put on record, and commit, all or nothing of it; the rows of what was asked,
        once that is durable. `asks` makes the question while the server wakes, and `records` what puts it on record
        while that is at work; `meanwhile` is done while the answer is awaited. None where it can't be said so: nothing
        was done.

        Raises:
            ConnectionLost: nobody knows whether it was done.
            StoreFailed: `otherwise` of the proof, or what else was wrong; nothing was done.
            EntryRefused: or what else `asks` and `records` raise; nothing was done.
        """

    def launched(
        self,
        connection: Connection,
        reads: Collection[str],
        proof: Proof,
        records: Callable[[], Sequence[Question]],
        meanwhile: Callable[[], None],
    ) -> Underway | None:
        """`recorded` for who does not wait: nothing else is done on this connection before the answer was taken. None
        where it can't be said so, or something has to be waited for first: nothing was done. Raises as `recorded`.
        """

    def begin_adding(self, connection: Connection, name: str, claims: Question) -> bool:
        """The first part of what `added` says: a change that takes the claim of one itself where it says `CLAIMED`; the
        message fails where that can't be had, or the change divides by zero. The server begins with it. False where it
        can't be said so: nothing was done. `added` or `forgets_early` follows.

        It sees of others what was committed before it began, of the row that it changes the newest; what else is taken
        for granted must be proved later.
        """

    def go_on_adding(self, connection: Connection, changes: Sequence[Change]) -> None:
        """One part more of what was begun, with which the server goes on."""

    def added(
        self,
        connection: Connection,
        name: str,
        changes: Sequence[Change],
        records: Callable[[], Sequence[Question]],
        meanwhile: Callable[[], None],
        *,
        begun: bool = False,
    ) -> bool:
        """Claim one to be changed, change, put on record, and commit, in one message that waits for nobody. `records`
        and `meanwhile` as for `recorded`. `begun`: these are the rest of what was begun, claim and all. False where it
        can't be said so, or was taken back: nothing was done.

        Raises:
            ConnectionLost: nobody knows whether it was done.
            Overtaken: somebody is in the way, or what a change takes for granted is not so; nothing was done.
            Exception: what else was wrong; nothing was done.
        """

    def sends(self, connection: Connection) -> None:
        """The database may begin with what was run so far in the transaction that is open; nobody waits for it."""

    def adds_early(
        self,
        connection: Connection,
        names: Collection[str],
        changes: Sequence[Change],
        records: Callable[[], Sequence[Question]],
    ) -> bool:
        """`added` for these names, but for its end: the database may be at work on all of it, and nothing of it happens
        before `ends_early`. Whatever else is done on the connection takes it back. False where it can't be said so.
        """

    def ends_early(self, connection: Connection, meanwhile: Callable[[], None]) -> bool:
        """The end of that: as `added` for the rest. False where it was taken back."""

    def forgets_early(self, connection: Connection) -> None:
        """Nothing of that happens."""

    def while_committing(self, connection: Connection, work: Callable[[], None]) -> None:
        """Do this once, while the answer to the next message is awaited; nowhere where nothing is awaited."""

    def claim_more(self, connection: Connection, names: Collection[str]) -> bool:
        """Claim more in the transaction that is open; False where somebody else has it."""

    def granted(self, connection: Connection) -> None:
        """Wait until what was claimed is ours."""

    def settled(self, connection: Connection) -> None:
        """Everything that was run so far is done; what was to fail fails here at the latest."""

    sends_late: bool
    """Whether a statement of a transaction is sent when somebody looks at its answer, so that one message may do."""

    def first_row(self, incarnation: str) -> int | None:
        """After which number a writer numbers its rows in the journal itself; None where the table does."""

    stores_buckets: bool
    """Whether rows are keyed by their bucket first, and many are asked for as arrays; else by numbers with it in them.
    """

    counts_commits: bool
    """Whether `version` stays as it is while nobody else commits."""

    def version(self, connection: Connection) -> int:
        """A number that differs from the last one whenever another connection may have committed since."""

    def soon(self, connection: Connection) -> AbstractContextManager[None]:
        """Inside the block a commit need not wait for the disk: the next one outside does it for both."""

    def put_soon(self, connection: Connection, name: str, rows: Sequence[Question]) -> bool:
        """Claim one, put in rows of its own and commit; that need not wait for the disk, as in `soon`, nor for the
        answer: whatever is done on the connection afterwards finds it done, or does it again, or raises. Putting them
        in twice must be as good as once. False where it can't be said so: nothing was done.
        """

    def line(self, connection: Connection) -> int | None:
        """Another number whenever what need not have waited for the disk may have been forgotten by a server that fell
        over; None where whoever forgets takes this process along.
        """

    def outlast(self, connection: Connection) -> None:
        """What need not have waited for the disk is on it when this returns, whoever put it in, on engines with a
        `line`: elsewhere `flush` says so. Raises ConnectionLost.
        """

    def flush(self) -> None:
        """Everything committed to the place so far, by whomever, is on the disk when this returns. Raises OSError."""

    def rebuild(self, connection: Connection, removed: int) -> None:
        """Rows were removed: see to it that no copy of them only lies about in the file."""

    def scrub(self, connection: Connection, tables: Collection[str] | None = None, at: Instant | None = None) -> bool:
        """Bytes of rows deleted, from these tables or any, leave the database and its logs. False: a reader is in.

        With the instant that it is now, those of large tables may leave later: see `to_write_anew`.
        """

    def to_write_anew(self, connection: Connection, at: Instant, early: bool = False) -> tuple[str, ...]:
        """The tables in whose files bytes of deleted rows still lie, and whose time to be written anew has come;
        `early`: all in whose files any lie.
        """

    def write_anew(self, connection: Connection, tables: Collection[str], at: Instant) -> bool:
        """Write such tables anew. False: a reader is in, and the time is over by which it was to be done."""

    def hurry(self, connection: Connection) -> None:
        """From now on no commit waits for the disk: for simulations only."""

    def files(self) -> tuple[Path, ...]:
        """The files in which its bytes lie, where this machine has them; a rehearsal looks for what was destroyed."""

    def columns(self, connection: Connection) -> set[str]:
        """Every column that is there, as `table.column`."""

    def in_the_clear(self, connection: Connection) -> bool:
        """Whether what is asked here and answered leaves this machine without encryption."""

    def may_read(self, connection: Connection, table: str) -> bool:
        """Whether this user of the database may read a table of it."""


class LedgerEngine(Protocol):
    """The database of the sealed history: one writer, the sealer."""

    def may_write(self, connection: Connection) -> bool:
        """Whether this user of the database may seal."""

    @property
    def failures(self) -> tuple[type[BaseException], ...]:
        """What its driver raises, as it is, when the database can't do it."""

    def connect(self) -> Connection:
        """A connection with the durability that evidence needs; deleted bytes are overwritten where they can be."""

    def for_readers(self, connection: Connection) -> Connection:
        """What any thread may look at the ledger by while the sealer writes by this: the same, or one of its own."""

    def made(self, connection: Connection) -> bool:
        """Whether the tables are there."""

    def begin(self, connection: Connection) -> None:
        """Open a transaction that writes."""

    def scrub(self, connection: Connection) -> bool:
        """Bytes of deleted rows leave the logs of the database. False: a reader is in, try again."""

    def lease(self, wait: bool = True) -> AbstractContextManager[None]:
        """The right to seal. Raises LeaseHeld when another has it and `wait` is False."""

    def sends(self, connection: Connection) -> None:
        """As of a place."""

    def while_committing(self, connection: Connection, work: Callable[[], None]) -> None:
        """As of a place."""

    @property
    def unless_leased(self) -> Question | None:
        """What keeps others from sealing until the open transaction ends, and divides by zero where somebody has the
        right to; None where that can't be said so.
        """

    def close(self) -> None:
        """Give back what leases are held by."""

    def hurry(self, connection: Connection) -> None:
        """From now on no commit waits for the disk: for simulations only."""

    def copied(self) -> AbstractContextManager[Path]:
        """The ledger as a file that `verify_copy` reads; gone after the block where it was made for it."""
