"""The keys that guard what is written until it is sealed, and which of them a place writes with.

| step | durable in | a crash after it leaves | again |
|---|---|---|---|
| the next key is added | the file of keys | two keys, the old one named | goes on |
| each place names it, alone | that place | places under both | goes on |
| all is sealed, no batch of the old key waits: said | the ledger | the old key, taken by nobody | goes on |
| the old key leaves the file | the file of keys | done | a new rotation |

A batch says by a mark which key guards it, and a place says with which key is written: whoever has not heard finds that
out in the very commit. A ledger that says that a key is gone is believed: what comes under it later is refused, also by
a process that has it in memory still.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Final

from upheld.errors import StoreFailed
from upheld.ledger.batch import BatchBroken
from upheld.store.engine import Connection, Overtaken, Rows
from upheld.store.ring import mark_of

NAME: Final = "mac.key"
FIRST: Final = b""
"""What stands for the first key of a house, which was there before keys had marks."""
_SELECT_NAMED: Final = "SELECT value FROM meta WHERE key = 'mac-key'"
_KEEP_NAMED: Final = (
    "INSERT INTO meta(key, value) VALUES('mac-key', ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value"
)


class KeyMoved(Overtaken):
    """A place has named another key since this process looked: nothing was done; it looks again and does it anew."""


class JournalKeys:
    """The keys of `mac.key`, oldest first; more than one only while it is rotated. `load` is asked again where a mark
    is unknown.
    """

    def __init__(self, load: Callable[[], Sequence[bytes]]) -> None:
        self._load = load
        self._turn = Lock()
        self._gone: set[bytes] = set()
        self._marked: dict[bytes, bytes] = {}
        self.reload()

    @classmethod
    def of(cls, given: bytes | JournalKeys) -> JournalKeys:
        """One key that stays, as keys."""
        return given if isinstance(given, JournalKeys) else cls(lambda: (given,))

    def reload(self) -> None:
        """Take the keys from where they are kept, but those that are gone. Raises HomeUnusable where none is there."""
        with self._turn:
            found = {mark_of(key): key for key in self._load()}
            self._marked = {mark: key for mark, key in found.items() if mark not in self._gone}
            self.several = len(found) > 1

    several: bool
    """Whether their source gives more than one: a rotation was begun and is not over, gone or not."""

    @property
    def held(self) -> tuple[bytes, ...]:
        """The keys that are here and not gone, oldest first."""
        return tuple(self._marked.values())

    @property
    def to_seal_with(self) -> tuple[bytes, bytes]:
        """The mark to be said, and the key, for what is signed in the very commit that writes it."""
        return (mark_of(self.held[-1]), self.held[-1]) if self._gone else (FIRST, self.key(FIRST))

    def holds(self, mark: bytes) -> bool:
        """Whether the key of a mark is here, perhaps since a moment ago."""
        if mark == FIRST or mark in self._marked:
            return True
        if mark not in self._gone:
            self.reload()
        return mark in self._marked

    def key(self, mark: bytes) -> bytes:
        """The key to write with where a place names this one. Raises StoreFailed when it is not here."""
        if not self.holds(mark) or not self._marked:
            raise StoreFailed(f"{_absent(mark)}; nothing was written")
        return self.held[0] if mark == FIRST else self._marked[mark]

    def guarding(self, mark: bytes) -> Sequence[bytes]:
        """The keys of which one must guard a batch of this mark. Raises BatchBroken where none is here."""
        if not self.holds(mark):
            raise BatchBroken(_absent(mark))
        return self.held if mark == FIRST else (self._marked[mark],)

    def end(self, before: bytes, after: bytes) -> None:
        """The ledger says that one key took the place of another: that is gone with all before, wherever held still.

        Raises StoreFailed where only the old one is here. Who has neither looks at another copy of the ledger.
        """
        if self.holds(after):
            marks = list(self._marked)
            self._gone.update((before, *marks[: marks.index(after)]))
            self.reload()
        elif before in self._marked:
            raise StoreFailed(f"{_absent(after)}; this process has the one before")


def _marks(said: object) -> list[bytes]:
    """Marks as they are kept. Raises StoreFailed for what is none."""
    try:
        return [bytes.fromhex(one) for one in str(said).split()]
    except ValueError:
        raise StoreFailed(
            f"what names the key of `{NAME}` was changed from outside; put a copy of the place back"
        ) from None


def _absent(mark: bytes) -> str:
    return (
        f"the key {mark.hex()} of `{NAME}` is not here: it was rotated, or this is an old copy; put that key back "
        "where this process takes its keys from, see `secrets/retired`"
    )


def names_key(connection: Connection) -> Rows:
    """What a place says it is written with; see `named_in`."""
    return connection.execute(_SELECT_NAMED)


def named_in(rows: Rows) -> bytes:
    """The mark of the key that a place is written with, from the answer to `names_key`."""
    row = rows.fetchone()
    return FIRST if row is None else _marks(row[0])[0]


def name_key(connection: Connection, mark: bytes) -> None:
    """From the commit of this transaction on, which is alone in the place, everybody writes with this key."""
    connection.execute(_KEEP_NAMED, (mark.hex(),))


def exchanged_in(ledger: Connection) -> tuple[bytes, bytes] | None:
    """The marks of the key that went last and of the one that took its place, as the ledger has them."""
    row = names_key(ledger).fetchone()
    if row is None:
        return None
    before, after = _marks(row[0])
    return before, after


def keep_exchanged(ledger: Connection, before: bytes, after: bytes) -> None:
    """Let the ledger have that. In the transaction that puts it on record."""
    ledger.execute(_KEEP_NAMED, (f"{before.hex()} {after.hex()}",))
