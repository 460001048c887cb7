"""Papers: what the system itself holds about people, each encrypted under a key of its own in the key store.

The key bears the paper's id. Destroying its row destroys the paper, wherever copies of the ciphertext lie.
INVARIANT: I4.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from upheld.dates import FOREVER, Instant
from upheld.engine.acts import SubjectId
from upheld.ledger.entries import entry
from upheld.store.engine import Question
from upheld.store.ids import bucket_of, new_id, paper_id_in, placed_paper_key
from upheld.store.place import Place, Transaction
from upheld.store.ring import Ring, Wrapping, derived
from upheld.store.vault import HOUSE, KeyMissing, opened

BLOCK: Final = 16
"""Keys committed ahead of need, each with the id of the paper it is for."""
BLOCK_OF_BUCKET: Final = 4
"""The same for owners of one bucket, where rows lie on several machines."""
_ANY: Final = -1
"""The pool for whoever comes, where they do not."""
STORE: Final = "paper"
"""Under this word the ledger counts the keys that were made for papers."""

_INSERT_KEY: Final = "INSERT INTO paper_key(paper_id, wrapped) VALUES(?, ?)"
_INSERT_PLACED_KEY: Final = "INSERT INTO paper_key(bucket, paper_id, wrapped) VALUES(?, ?, ?)"
_SELECT_KEY: Final = "SELECT wrapped FROM paper_key WHERE bucket = ? AND paper_id = ?"
_DELETE_KEY: Final = "DELETE FROM paper_key WHERE bucket = ? AND paper_id = ?"
_ALL_KEYS: Final = "SELECT paper_id FROM paper_key"


class SealedPaper(NamedTuple):
    """A paper's id, its ciphertext, and a digest that nobody can guess back without the key."""

    paper_id: str
    blob: bytes
    digest: bytes


class PaperKeys:
    """Seals papers and opens them. `ring` has the root keys, kept outside every database; nothing is kept in memory."""

    def __init__(
        self, place: Place, ring: Ring, random_bytes: Callable[[int], bytes], *, by_bucket: bool = False
    ) -> None:
        """`by_bucket`: rows lie on several machines; then a paper's key lies with its owner's."""
        self.place = place
        self._random = random_bytes
        self.wrapping = Wrapping(ring, b"wrap papers", random_bytes)
        self._by_bucket = by_bucket
        self._ahead: dict[int, list[tuple[str, bytes]]] = {}
        self._lock = Lock()

    def take(self, bucket: int) -> tuple[str, bytes]:
        """The id of a paper to come and its key, durable in the key store already: a paper without its key is lost."""
        with self._lock:
            pool = bucket if self._by_bucket else _ANY
            if not self._ahead.get(pool):
                count = BLOCK_OF_BUCKET if self._by_bucket else BLOCK
                ids = [new_id(self._random) for _ in range(count)]
                if self._by_bucket:
                    ids = [paper_id_in(bucket, one) for one in ids]
                fresh = [(one, AESGCM.generate_key(256)) for one in ids]
                with self.place.transaction(about=()) as transaction:
                    mark = self.wrapping.ring.named(transaction)
                    wrap = self.wrapping.wrapped
                    rows = [(one, wrap(key, wrapping(one), mark)) for one, key in fresh]
                    if self.place.engine.stores_buckets:
                        placed = [(*placed_paper_key(one), wrapped) for one, wrapped in rows]
                        transaction.executemany(_INSERT_PLACED_KEY, placed)
                    else:
                        transaction.executemany(_INSERT_KEY, rows)
                    # On record, so that an older copy of the key store is noticed: it lacks keys that papers need.
                    transaction.journal(entry("keys.made", transaction.at, HOUSE, None, (), store=STORE, made=count))
                self._ahead[pool] = fresh
            return self._ahead[pool].pop()

    def seal(self, policy: str, kind: str, owner: str, content: bytes) -> SealedPaper:
        """Encrypt a paper under a key that is durable already."""
        paper_id, key = self.take(bucket_of(SubjectId(owner)))
        nonce = self._random(12)
        blob = nonce + AESGCM(key).encrypt(nonce, content, _bound(policy, kind, owner, paper_id))
        return SealedPaper(paper_id, blob, keyed_digest(key, content))

    def open(self, policy: str, kind: str, owner: str, paper_id: str, blob: bytes) -> bytes:
        """Decrypt a paper. Raises KeyMissing when its key is destroyed, StoreFailed when its row was changed."""
        return opened(AESGCM(self._key(paper_id)), blob, _bound(policy, kind, owner, paper_id))

    def digest(self, paper_id: str, content: bytes) -> bytes:
        """The digest under which the ledger knows this content of a paper; its key must still be there."""
        return keyed_digest(self._key(paper_id), content)

    def _key(self, paper_id: str) -> bytes:
        with self.place.reading() as connection:
            row = connection.execute(_SELECT_KEY, placed_paper_key(paper_id)).fetchone()
        if row is None:
            raise KeyMissing("the key of this paper is destroyed")
        return self.wrapping.unwrapped(bytes(row[0]), wrapping(paper_id))

    @staticmethod
    def destroy(transaction: Transaction, paper_ids: Iterable[str]) -> list[str]:
        """Delete keys; gives the ids of those that were still there."""
        return [one for one in paper_ids if transaction.execute(_DELETE_KEY, placed_paper_key(one)).rowcount]

    def known(self) -> set[str]:
        """The ids of all papers that have a key: those there are, and a block ahead."""
        with self.place.reading() as connection:
            return {row[0] for row in connection.execute(_ALL_KEYS)}

    def drop_ahead(self) -> None:
        """Forget the keys made ahead: the key store is about to be cleaned of keys that no paper needs."""
        with self._lock:
            self._ahead.clear()


def keyed_digest(key: bytes, content: bytes) -> bytes:
    """What the ledger says about a paper's content: it dies with the paper's key."""
    return hmac.digest(derived(key, b"digest"), content, hashlib.sha256)


def wrapping(paper_id: str) -> bytes:
    """What a wrapped key is bound to."""
    return f"paper|{paper_id}".encode()


def _bound(policy: str, kind: str, owner: str, paper_id: str) -> bytes:
    return f"paper|{policy}|{kind}|{owner}|{paper_id}".encode()


# ── rows of the active place ──────────────────────────────────────────────────────────────────────────────────────────


class PaperRow(NamedTuple):
    """A paper as the active place has it. `until_at` is FOREVER while nobody knows the end. `reckoned`: the end follows
    from what happened so far (1), or was given with the paper (0).
    """

    bucket: int
    owner: str
    paper_id: str
    policy: str
    kind: str
    held_by: str
    about: str | None
    filed_at: Instant
    until_at: Instant
    state: str
    reckoned: int = 0

    @property
    def key(self) -> tuple[int, str]:
        """Bucket and id, as statements name it."""
        return self.bucket, self.paper_id


OVER: Final = Instant(0)
"""The end of a paper that is on its way out: before every other, so that the sweep finds it first."""
_COLUMNS: Final = "bucket, owner, paper_id, policy, kind, held_by, about, filed_at, until_at, state, reckoned"
INSERT: Final = (
    "INSERT INTO paper(bucket, owner, paper_id, policy, kind, held_by, about, filed_at, until_at, state, reckoned, "
    "sealed) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_ONE_OF: Final = f"SELECT {_COLUMNS}, sealed FROM paper WHERE bucket = ? AND paper_id = ?"  # noqa: S608 - columns are words of ours
_PLACED: Final = "SELECT bucket, paper_id FROM paper WHERE paper_id = ?"
_ONE: Final = f"SELECT {_COLUMNS}, sealed FROM paper WHERE paper_id = ?"  # noqa: S608 - columns are words of ours
ALL_WHERE: Final = f"SELECT {_COLUMNS} FROM paper WHERE {{}} ORDER BY paper_id"  # noqa: S608 - as above
OF_OWNER: Final = f"SELECT {_COLUMNS} FROM paper WHERE bucket = ? AND owner = ? ORDER BY filed_at, paper_id"  # noqa: S608 - as above
_OF_POLICY: Final = f"SELECT {_COLUMNS} FROM paper WHERE policy = ? ORDER BY filed_at, paper_id"  # noqa: S608 - as above
_DUE: Final = f"SELECT {_COLUMNS} FROM paper WHERE policy = ? AND until_at <= ? ORDER BY bucket, owner, paper_id"  # noqa: S608 - as above
_OPEN_OF_STAFF: Final = (
    f"SELECT {_COLUMNS} FROM paper WHERE policy = ? AND held_by = 'handler' AND (until_at = ? OR reckoned = 1) "  # noqa: S608 - as above
    "AND state = 'held'"
)
_SET_UNTIL: Final = "UPDATE paper SET until_at = ?, reckoned = 1 WHERE bucket = ? AND paper_id = ? AND state = 'held'"
_CONDEMN: Final = (
    "UPDATE paper SET state = 'condemned', until_at = ? WHERE bucket = ? AND paper_id = ? AND state = 'held'"
)
_BLANK: Final = "UPDATE paper SET sealed = NULL WHERE bucket = ? AND paper_id = ?"
_DELETE: Final = "DELETE FROM paper WHERE bucket = ? AND paper_id = ? AND state <> 'held'"
_LEFT: Final = "SELECT count(*) FROM paper WHERE bucket = ? AND owner = ?"


def paper_row(row: tuple[Any, ...]) -> PaperRow:
    """A row of a statement of this module."""
    bucket, owner, paper_id, policy, kind, held_by, about, filed_at, until_at, state, reckoned = row
    filed, until = Instant(filed_at), Instant(until_at)
    return PaperRow(bucket, owner, paper_id, policy, kind, held_by, about, filed, until, state, reckoned)


def one(place: Place, paper_id: str) -> tuple[PaperRow, bytes | None] | None:
    """A paper and its ciphertext; None where no such paper is."""
    with place.reading() as connection:
        row = connection.execute(_ONE, (paper_id,)).fetchone()
    return None if row is None else (paper_row(row[:-1]), row[-1])


def placed(transaction: Transaction, paper_id: str) -> tuple[int, str]:
    """Bucket and id of a paper of which only the id is known; of one that is not there, a bucket that is none."""
    row = transaction.execute(_PLACED, (paper_id,)).fetchone()
    return (-1, paper_id) if row is None else (row[0], paper_id)


def one_in(transaction: Transaction, bucket: int, paper_id: str) -> tuple[PaperRow, bytes | None] | None:
    """The same inside a transaction, for who knows its owner; None also for one that is on its way out."""
    row = transaction.execute(_ONE_OF, (bucket, paper_id)).fetchone()
    found = None if row is None else paper_row(row[:-1])
    return None if found is None or found.state != "held" else (found, row[-1])


def of_owner(place: Place, bucket: int, owner: str) -> list[PaperRow]:
    """Everything filed for one owner, oldest first."""
    with place.reading() as connection:
        return [paper_row(row) for row in connection.execute(OF_OWNER, (bucket, owner))]


def of_policy(place: Place, policy: str) -> list[PaperRow]:
    """Everything filed under a policy, oldest first."""
    with place.reading() as connection:
        return [paper_row(row) for row in connection.execute(_OF_POLICY, (policy,))]


def due(place: Place, policy: str, now: Instant) -> list[PaperRow]:
    """Papers whose time is over, and those on their way out."""
    with place.reading() as connection:
        return [paper_row(row) for row in connection.execute(_DUE, (policy, now))]


def whether_any(policies: Iterable[str], now: Instant) -> list[Question]:
    """What to ask to know whether there is anything that `open_of_staff` and `due` would find."""
    return [one for of in policies for one in ((_OPEN_OF_STAFF, (of, FOREVER)), (_DUE, (of, now)))]


def going(place: Place, policy: str) -> list[PaperRow]:
    """Papers whose destruction was begun and is not over."""
    return [row for row in due(place, policy, OVER) if row.state != "held"]


def open_of_staff(place: Place, policy: str) -> list[PaperRow]:
    """Papers of handlers whose end nobody knows yet, or follows from what happened so far."""
    with place.reading() as connection:
        return [paper_row(row) for row in connection.execute(_OPEN_OF_STAFF, (policy, FOREVER))]


def open_among(found: Iterable[tuple[Any, ...]]) -> list[PaperRow]:
    """Of the answer to `OF_OWNER`: papers whose end nobody knows yet, or follows from what happened so far."""
    rows = [paper_row(row) for row in found]
    return [row for row in rows if (row.until_at >= FOREVER or row.reckoned) and row.state == "held"]


def set_until(transaction: Transaction, row: PaperRow, until: Instant) -> None:
    """The end of a paper follows from what happened so far."""
    transaction.execute(_SET_UNTIL, (until, *row.key))


def condemn(transaction: Transaction, key: tuple[int, str]) -> bool:
    """From here nobody reads it; False when that was so already."""
    return transaction.execute(_CONDEMN, (OVER, *key)).rowcount == 1


def blank(transaction: Transaction, keys: Iterable[tuple[int, str]]) -> None:
    """The ciphertext goes."""
    transaction.executemany(_BLANK, keys)


def delete(transaction: Transaction, keys: Iterable[tuple[int, str]]) -> list[str]:
    """The rows go; gives the ids of those that were still there."""
    return [key[1] for key in keys if transaction.execute(_DELETE, key).rowcount]


def left(transaction: Transaction, bucket: int, owner: str) -> int:
    """How many papers of an owner there are, on their way out or not."""
    return int(transaction.execute(_LEFT, (bucket, owner)).fetchone()[0])
