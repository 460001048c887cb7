"""The sealer: moves what the places wrote into the ledger, signs checkpoints, destroys access records in their time.

Crash table. Each line is one durable transaction; whatever a crash leaves, sealing again goes on from there.

| step | place | a crash after it leaves | sealing again |
|---|---|---|---|
| copy unsealed batches, checked; append to the tree; sign | ledger | batches in both | finds them sealed, drops them |
| drop them from the journal, keep the checkpoint | that place | done | nothing |
| prune: write and sign `access.pruned` | ledger | bodies under a prune entry | destroys them |
| prune: destroy the bodies and what is drawn from them | ledger | done, perhaps bytes in the log | scrubs |
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from hashlib import sha256
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast

from upheld.errors import NotRecorded, UpheldError
from upheld.ledger.batch import (
    SALT_LENGTH,
    BatchBroken,
    Head,
    Header,
    batch_of,
    entry_leaves,
    mac_of,
    read_body,
    read_header,
)
from upheld.ledger.checkpoint import (
    NO_CHECKPOINT_BEFORE,
    Checkpoint,
    Signers,
    SigningKey,
    checked,
    checkpoint_in,
    heads_digest,
    signed,
    verifier_key,
)
from upheld.ledger.entries import KINDS, BatchClass, Entry, EntryRefused, Glance, entry, glance, stream_name
from upheld.ledger.handover import handed_over, handover_in
from upheld.ledger.merkle import Frontier, leaf_hash, root_of
from upheld.store import history, schema
from upheld.store.engine import (
    Connection,
    LedgerEngine,
    Overtaken,
    Question,
    Rows,
    Unanswered,
    sent_late,
)
from upheld.store.growing import Drawn, Known, aliases_in, names_in
from upheld.store.history import MARK
from upheld.store.journal import JournalRow, JournalWriter, Stand, batches_in, drop_sealed, stand_of, stand_told
from upheld.store.journal_keys import JournalKeys, exchanged_in, keep_exchanged
from upheld.store.leases import LeaseHeld
from upheld.store.ring import fingerprint, mark_of
from upheld.store.sqlite import SqliteLedger, open_for_writing

PLACE: Final = "ledger"
HOUSE: Final = "house"
"""Under which the ledger keeps what concerns no policy."""
JOURNALS: Final = "journals"
"""Under this word the ledger keeps that the key that guards journals was exchanged."""
SIGNING: Final = "signing"
"""Under this word the ledger keeps that the key that signs was handed over."""
ROUND: Final = 4_000_000
"""Bytes of bodies that are sealed in one transaction: what bounds the memory of the sealer."""
MOST_AT_ONCE: Final = 64
"""So many batches are sealed at once before all places are sealed, which drop them."""

_INSERT_META: Final = "INSERT INTO meta(key, value) VALUES(?, ?)"
_MOVE_META: Final = "UPDATE meta SET value = ? WHERE key = ?"
_INSERT_STREAM: Final = "INSERT INTO stream(name, n, hash) VALUES(?, 0, ?)"
_MOVE_STREAM: Final = "UPDATE stream SET n = ?, hash = ? WHERE id = ?"
_INSERT_BATCH: Final = "INSERT INTO batch VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_BODY: Final = "INSERT INTO body(leaf, body, marks) VALUES(?, ?, ?)"
_SELECT_SEALED: Final = """
    SELECT header, body_hash FROM batch JOIN stream ON stream.id = batch.stream WHERE name = ? AND batch.n = ?"""
_INSERT_NOTE: Final = "INSERT INTO checkpoint(size, at, note) VALUES(?, ?, ?)"
_STILL_NEWEST: Final = (
    "SELECT 1 / CAST(coalesce((SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1) = ?, FALSE) AS INT)"
)
_SELECT_OVER: Final = """
    SELECT name, batch.n FROM batch JOIN stream ON stream.id = batch.stream JOIN body USING(leaf)
    WHERE batch.class = 1 AND until_at < ? AND instr(name, ?) = instr(name, '/') ORDER BY name, batch.n"""
_SELECT_RANGE: Final = """
    SELECT leaf, body FROM batch JOIN stream ON stream.id = batch.stream JOIN body USING(leaf)
    WHERE name = ? AND batch.class = 1 AND batch.n BETWEEN ? AND ?"""
_DELETE_BODY: Final = "DELETE FROM body WHERE leaf = ?"
_DELETE_ABOUT: Final = "DELETE FROM entry_index WHERE alias = ? AND leaf = ?"
_DELETE_NAMED: Final = "DELETE FROM named_in WHERE name = (SELECT id FROM name WHERE text = ?) AND leaf = ?"


class LedgerOld(UpheldError):
    """A place has seen a checkpoint that this ledger does not hold: it was cut off or rolled back, or is another."""


class TailProblem(NamedTuple):
    """What is wrong in the unsealed part of a place. `n` is the batch, where one is to blame."""

    code: str
    place: str
    stream: str
    n: int | None
    message: str


class Sealing(NamedTuple):
    """What a run of the sealer did. `checkpoint` is the newest signed note, new or not."""

    batches: int
    entries: int
    checkpoint: str


class Pruned(NamedTuple):
    """What a prune destroyed. `scrubbed` is False while a reader keeps bytes in the write-ahead log: prune again."""

    batches: int
    streams: int
    scrubbed: bool
    checkpoint: str


class TailBroken(UpheldError):
    """The unsealed part of a place was changed or cut, or the place is an old copy. What was sound is sealed."""

    def __init__(self, problems: tuple[TailProblem, ...], sealing: Sealing | None) -> None:
        super().__init__("\n".join(f"{problem.place}: {problem.message}" for problem in problems))
        self.problems = problems
        self.sealing = sealing


class _Checked(NamedTuple):
    """A batch of a journal that was found sound."""

    row: JournalRow
    header: Header
    leaf: bytes
    seen: tuple[Glance, ...]
    marks: bytes


class Written(NamedTuple):
    """What of a batch is looked at before it is sealed: its entries at a glance, and all that they say."""

    seen: tuple[Glance, ...]
    body: bytes


class Begun(NamedTuple):
    """What a transaction of the ledger takes that is begun and not sent. Nobody else seals in this process."""

    taken: list[_Checked]


def checked_row(row: JournalRow, header: Header, head: Head, keys: JournalKeys) -> _Checked:
    """The batch after `head`, taken apart, after everything in it was recomputed.

    Raises:
        BatchBroken: it is not the batch that its writer wrote.
    """
    leaf = leaf_hash(row.header + row.body_hash)
    if not any(mac_of(key, leaf) == row.mac for key in keys.guarding(header.mark)):
        raise BatchBroken("the MAC is false: its header or body_hash was changed, or another key wrote it")
    if header.n != head.n + 1:
        raise BatchBroken(f"batch {head.n + 1} is missing before it")
    if header.prev_hash != head.hash and not (header.n == 1 and header.after is not None):
        raise BatchBroken("it does not follow the batch before it")
    salt, written = read_body(row.body)
    leaves = entry_leaves(salt, written)
    if root_of(leaves) != row.body_hash:
        raise BatchBroken("the body does not belong to its body_hash: an entry was changed, removed, inserted or moved")
    seen = []
    for number, data in enumerate(written):
        try:
            seen.append(_belonging(glance(data), header))
        except EntryRefused as problem:
            raise BatchBroken(str(problem), number) from problem
    return _Checked(row, header, leaf, tuple(seen), b"".join([each[:MARK] for each in leaves]))


def _belonging(seen: Glance, header: Header) -> Glance:
    kind = KINDS.get(seen.kind)
    if kind is None or kind.batch_class is not header.batch_class or seen.policy != header.stream.split("/")[1]:
        raise EntryRefused(seen.kind, "entry", f"it does not belong into {header.stream}")
    return seen


class Sealer:
    """Writes the ledger at `path`, making it when it is not there. Needs the keys; hold the lease for each verb.

    Args:
        ledger: the database of the ledger, or the path of its file.
        signing_key: signs checkpoints. Kept outside every database.
        mac_key: the key that the journals' writers use, or the keys that they may use.
        salt_source: gives so many random bytes.
        incarnation: an id never used before, one per start of the process, for the ledger's own stream.
        ledger_id: the name of a new ledger; of one that is there already, it must be the same.
        day_offset: microseconds to add to an instant so that days begin at local midnight; used for a new ledger only.
        created_at: the instant of the first checkpoint of a new ledger.
        signing_source: gives the private key of these 32 public bytes, when another process has handed the key over.
    """

    def __init__(
        self,
        ledger: LedgerEngine | Path,
        *,
        signing_key: SigningKey,
        mac_key: bytes | JournalKeys,
        salt_source: Callable[[int], bytes],
        incarnation: str,
        ledger_id: str,
        created_at: int,
        day_offset: int = 0,
        signing_source: Callable[[bytes], SigningKey] | None = None,
    ) -> None:
        self.engine: LedgerEngine = SqliteLedger(ledger) if isinstance(ledger, Path) else ledger
        self._signing_key = signing_key
        self._signing_source = signing_source
        self.keys = JournalKeys.of(mac_key)
        self._salt_source = salt_source
        self._incarnation = incarnation
        self.ledger_id = ledger_id
        self._known: Known | None = None
        self._alone = Lock()
        self._sealed_at_once: dict[tuple[str, int], bytes] = {}
        """Leaves of batches that were sealed at once, and may lie in their places still, by stream and number."""
        self._reached: dict[str, int] = {}
        """Of each place the last row that was sealed at once."""
        self._kept = ""
        """The note that the places were told of when this process last sealed all of them."""
        self._trusted: str | None = None  # the newest note that this process has signed: no need to check it again
        with self.engine.lease():
            self._connection = self.engine.connect()
            if not self.engine.made(self._connection):
                self._create(created_at, day_offset)
            elif history.meta(self._connection, "ledger") != ledger_id:
                raise LedgerOld(f"this is the ledger {history.meta(self._connection, 'ledger')}, not {ledger_id}")
        self._heed_exchange()
        self._day_offset = int(history.meta(self._connection, "day-offset"))
        self._for_readers = self.engine.for_readers(self._connection)

    @contextmanager
    def _leased(self, wait: bool) -> Iterator[None]:
        """The right to seal, among processes and, on this connection, among threads."""
        with self.engine.lease(wait):
            if not self._alone.acquire(blocking=wait):
                raise LeaseHeld("another thread seals")
            try:
                yield
            finally:
                self._alone.release()

    def close(self) -> None:
        self._for_readers.close()
        self._connection.close()
        self.engine.close()

    @property
    def connection(self) -> Connection:
        """For reading from any thread, with the functions of `history`: what is committed, whoever seals meanwhile."""
        return self._for_readers

    @property
    def reached(self) -> int | None:
        """The instant of the newest checkpoint that this process knows of, perhaps not the newest; None before it has
        sealed.
        """
        known = self._known
        return None if known is None else known.at

    def hurry(self) -> None:
        """From now on no seal waits for the disk: for simulations only."""
        self.engine.hurry(self._connection)

    def follows(self, row: JournalRow, header: Header, head: Head) -> Head:
        """The end of a stream after one more batch of a journal. Raises BatchBroken for one that is not sound."""
        return Head(header.n, checked_row(row, header, head, self.keys).leaf)

    def _create(self, at: int, day_offset: int) -> None:
        with self._transaction():
            for statement in (*history.SCHEMA, *schema.STAMP):
                self._connection.execute(statement)
            key = verifier_key(self.ledger_id, self._signing_key.public_key())
            for pair in (("ledger", self.ledger_id), ("key", key), ("day-offset", str(day_offset)), ("pruned", "0")):
                self._connection.execute(_INSERT_META, pair)
            self._sign(Frontier(), {}, at, NO_CHECKPOINT_BEFORE)

    @contextmanager
    def _transaction(self, begun: bool = False) -> Iterator[None]:
        if not begun:
            self.engine.begin(self._connection)
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException as failure:
            self._known = None
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if isinstance(failure, self.engine.failures):
                raise NotRecorded(
                    f"the ledger could not be written, so nothing counts as sealed: {failure}"
                ) from failure
            raise

    def _sign(self, frontier: Frontier, heads: Mapping[str, Head], at: int, previous: bytes) -> tuple[str, bytes]:
        """The note, and the digest of what it signs."""
        checkpoint = Checkpoint(self.ledger_id, frontier.size, frontier.root(), heads_digest(heads), previous, at)
        note = signed(checkpoint, self._signing_key)
        self._connection.execute(_INSERT_NOTE, (checkpoint.size, at, note))
        self._trusted = note
        return note, checkpoint.digest

    # ── The key ───────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def signing_key(self) -> SigningKey:
        """The key that signs now: the ledger names it, whoever handed it over."""
        notes = history.handovers_in(self.connection)
        if notes:
            named = handover_in(notes[-1]).after
            if named != self._signing_key.public_key().public_bytes_raw() and self._signing_source is not None:
                self._signing_key = self._signing_source(named)
        return self._signing_key

    def _signers(self) -> Signers:
        return history.signers_of(self._connection, self.signing_key.public_key())

    def hand_over(self, new: SigningKey, at: int, wait: bool = True) -> str:
        """From here on another key signs. The old one signs for it, and a checkpoint under the new one says so.

        Handing over to the key that signs already does nothing. Returns the newest checkpoint.
        """
        with self._leased(wait):
            old = self.signing_key
            before, after = (one.public_key().public_bytes_raw() for one in (old, new))
            if before == after:
                return history.newest_note(self._connection)
            size = checkpoint_in(history.newest_note(self._connection)).size
            note = handed_over(self.ledger_id, size, at, old, new)
            rotated = entry(
                "keys.rotated", at, HOUSE, None, (), store=SIGNING,
                before=sha256(before).digest(), after=sha256(after).digest(),
            )  # fmt: skip
            with self._transaction():
                count = len(history.handovers_in(self._connection))
                self._connection.execute(_INSERT_META, (f"handover {count:06}", note))
                self._signing_key = new
                return self._append_own(HOUSE, [rotated], at)

    # ── The key of the journals ───────────────────────────────────────────────────────────────────────────────────

    def _heed_exchange(self) -> None:
        """What the ledger says is gone guards nothing any more. Raises StoreFailed where only that is here."""
        exchanged = exchanged_in(self._connection)
        if exchanged is not None:
            self.keys.end(*exchanged)

    def exchanged(self, before: bytes, after: bytes, at: int, wait: bool = True) -> None:
        """From here on nothing that waits to be sealed is guarded by the key before: it is taken by nobody any more.

        Both as they are. Done already it does nothing.
        """
        with self._leased(wait):
            marks = mark_of(before), mark_of(after)
            if exchanged_in(self._connection) == marks:
                return
            rotated = entry(
                "keys.rotated", at, HOUSE, None, (), store=JOURNALS, before=fingerprint(before),
                after=fingerprint(after),
            )  # fmt: skip
            self._current()
            with self._transaction():
                keep_exchanged(self._connection, *marks)
                self._append_own(HOUSE, [rotated], at)
            self._heed_exchange()

    # ── Seal ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def seal(
        self,
        places: Mapping[str, Connection | Path],
        at: int,
        *,
        written: Mapping[str, Head] | None = None,
        flush: Callable[[], None] = lambda: None,
        check: Callable[[Sequence[Written]], None] = lambda _: None,
        wait: bool = True,
    ) -> Sealing:
        """Takes every unsealed batch of the places into the ledger, signs, and drops them there.

        A connection must have no transaction open. Places that a process of its own writes to are given as paths.
        `written`: the `heads` of the writers of this process; without them, an end cut off an unsealed stream does
        not show. `flush` waits until what the places show is on their disks: the ledger must not outlive it. `check`
        is shown what is to be sealed next; what it raises is raised, and that is not sealed.

        Raises:
            LeaseHeld: another process is sealing and `wait` is False.
            LedgerOld: a place has seen more of this ledger than there is. Nothing was sealed.
            TailBroken: a batch is not what its writer wrote. Everything sound was sealed, of that stream up to there.
        """
        with self._leased(wait), ExitStack() as opened:
            connections = {name: _connected(place, opened) for name, place in places.items()}
            self._current()
            stood = {name: stand_of(connection) for name, connection in connections.items()}
            for name, stand in stood.items():
                self._check_seen(name, stand.seen)
            problems: dict[str, TailProblem] = {}
            reached: dict[str, int | None] = dict.fromkeys(connections, -1)
            batches = entries = 0
            while True:
                taken = self._seal_round(connections, stood, reached, problems, at, (flush, check))
                batches += taken.batches
                entries += taken.entries
                if all(row is None for row in reached.values()):
                    break
            self._check_ends({name: stand.ends for name, stand in stood.items()}, problems, written or {})
            self._kept = taken.checkpoint
            self._sealed_at_once.clear()
        sealing = Sealing(batches, entries, taken.checkpoint)
        if problems:
            raise TailBroken(tuple(problems.values()), sealing)
        return sealing

    def asks_at_once(self, writer: JournalWriter) -> Sequence[Question]:
        """What to ask a place last in a transaction whose evidence is to be sealed at once; nothing where only that
        waits to be sealed of its writer, or it can't be.
        """
        if self._may_not() or self._has_all_of(writer):
            return ()
        return writer.asks_for_own(self._reached.get(writer.place)) or ()

    def _may_not(self) -> bool:
        return self.engine.unless_leased is None or len(self._sealed_at_once) >= MOST_AT_ONCE

    def _has_all_of(self, writer: JournalWriter) -> bool:
        known = self._known
        return known is not None and all(known.heads.get(one, Head()).n == end.n for one, end in writer.heads.items())

    def begin_at_once(self, writer: JournalWriter, at: int) -> Begun | None:
        """While a place commits what a writer has just appended: the ledger is made ready to take that, and nothing of
        it is sent. Whoever is given something gives it to `seal_at_once` once the place has committed, and before
        anything else is sealed, or to `forget_at_once`. None where it can't be begun so early.
        """
        if self._may_not() or not self._has_all_of(writer) or not self._alone.acquire(blocking=False):
            return None
        begun: Begun | None = None
        try:
            begun = self._taken_in(writer, [tuple(one) for one in writer.batches], at)
        except UpheldError:
            self._known = None
        finally:
            if begun is None:
                self._alone.release()
        return begun

    def forget_at_once(self, begun: Begun) -> None:
        """What was begun does not happen."""
        assert begun.taken
        self._known = None
        try:
            self._connection.execute("ROLLBACK")
        finally:
            self._alone.release()

    def seal_at_once(
        self,
        writer: JournalWriter,
        told: Sequence[Rows],
        at: int,
        begun: Begun | None,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> bool:
        """Takes what a writer of this process has just written into the ledger, without looking at any other place, and
        drops nothing: whoever seals next finds it sealed. `told`: the answers to `asks_at_once`, durable by now.
        `meanwhile` is done while the ledger is awaited; it must not fail.

        False where that is not all there is to it: somebody else seals or has sealed since this process did, or
        something is not as it should be. Then nothing was sealed; `seal` does it, and tells.
        """
        if begun is None and (not told or not self._alone.acquire(blocking=False)):
            return False
        try:
            if begun is None:
                stand = stand_told([rows.fetchall() for rows in told])
                begun = self._taken_in(writer, stand.rows or [], at) if self._stands_well(writer, stand) else None
            if begun is None:
                return False
            with self._transaction(begun=True):
                self.engine.while_committing(self._connection, meanwhile)
        except (Overtaken, Unanswered):
            return False
        finally:
            self._alone.release()
        self._sealed_at_once |= {(one.header.stream, one.header.n): one.leaf for one in begun.taken}
        self._reached[writer.place] = begun.taken[-1].row.row
        return True

    def _stands_well(self, writer: JournalWriter, stand: Stand) -> bool:
        """Whether a place shows no more than is known: nobody else's checkpoint, and no stream that ends too early."""
        known, problems = self._known, dict[str, TailProblem]()
        if known is None or stand.seen not in (known.note, self._kept):
            return False
        written = {read_header(row[2]).stream: Head(read_header(row[2]).n) for row in stand.rows or ()}
        self._check_ends({writer.place: {**stand.ends, **self._ends_at_once(writer.place), **written}}, problems, {})
        return not problems and all(written.get(one, Head()).n >= end.n for one, end in writer.heads.items())

    def _taken_in(self, writer: JournalWriter, rows: Sequence[tuple[Any, ...]], at: int) -> Begun | None:
        """The transaction that takes these rows of a journal, begun and not sent; None where one is not sound. It fails
        where somebody has the right to seal, or has sealed since.
        """
        known, unless, problems = self._known, self.engine.unless_leased, dict[str, TailProblem]()
        if known is None or unless is None:
            return None
        found = _look(self._connection, self.keys, writer.place, self._connection, -1, known.heads, problems, rows)
        taken = [batch for _, batch in found.sound]
        if problems or not taken or len(taken) < len(rows):
            return None
        self.engine.begin(self._connection)
        try:
            for failing, given in (unless, (_STILL_NEWEST, (known.note,))):
                proof = sent_late(self._connection.execute(failing, given))
                assert proof is not None  # who has such a lock sends late
                proof.proves(Overtaken("somebody else seals, or has sealed since"))
            self._append(taken, at)
            self.engine.sends(self._connection)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        return Begun(taken)

    def _ends_at_once(self, name: str) -> dict[str, Head]:
        """The ends of streams of a place whose last batches were sealed at once, and lie there still."""
        found: dict[str, Head] = {}
        for (stream, n), leaf in self._sealed_at_once.items():
            if stream.startswith(f"{name}/") and n > found.get(stream, Head()).n:
                found[stream] = Head(n, leaf)
        return found

    def _current(self) -> Known:
        """What the ledger holds, as an append needs it: as this process knows it, while the newest note is its own."""
        note = history.newest_note(self._connection)
        if self._known is None or self._known.note != note:
            self._known = Known(self._connection, note)
            self._heed_exchange()
            self._signing_key = self.signing_key
        return self._known

    def _at_hand(self) -> Known:
        """What `_current` found: since then nobody else can have written, as long as the lease is ours."""
        return self._known or self._current()

    def _check_seen(self, name: str, note: str | None) -> None:
        if note is None or note == self._at_hand().note:
            return
        seen = checkpoint_in(note) if note == self._trusted else checked(note, self._signers())
        own = history.note_of_size(self._connection, seen.size)
        if seen.ledger_id != self.ledger_id or own is None or checkpoint_in(own).text != seen.text:
            raise LedgerOld(f"`{name}` has seen a checkpoint of {seen.size} batches that this ledger does not hold")

    def _seal_round(
        self,
        connections: Mapping[str, Connection],
        stood: dict[str, Stand],
        reached: dict[str, int | None],
        problems: dict[str, TailProblem],
        at: int,
        first: tuple[Callable[[], None], Callable[[Sequence[Written]], None]],
    ) -> Sealing:
        """Seals about `ROUND` bytes of each place. `reached`: the last row seen of each, None: there is no more.
        `stood`: how each stands; it moves on. `first`: what is done before anything is sealed.
        """
        known = self._at_hand()
        found: dict[str, _Found] = {}
        for name, connection in connections.items():
            rows, stood[name] = stood[name].rows, stood[name]._replace(rows=None)
            found[name] = _look(
                self._connection, self.keys, name, connection, reached[name], known.heads, problems, rows,
                self._sealed_at_once,
            )  # fmt: skip
            reached[name] = found[name].reached
        # Batches of all places by the instant of writing, where each stream's own order allows.
        batches = sorted((batch for each in found.values() for batch in each.sound), key=lambda batch: batch[0])
        note = known.note
        if batches:
            flush, check = first
            flush()
            check([Written(one.seen, one.row.body) for _, one in batches])
            with self._transaction():
                note = self._append([batch for _, batch in batches], at)
        for name, connection in connections.items():
            if found[name].rows or stood[name].seen != note:
                drop_sealed(connection, found[name].rows, found[name].ends, note)
                stood[name] = Stand(note, {**stood[name].ends, **found[name].ends}, None)
        return Sealing(len(batches), sum(len(batch.seen) for _, batch in batches), note)

    def _check_ends(
        self,
        known: Mapping[str, Mapping[str, Head]],
        problems: dict[str, TailProblem],
        written: Mapping[str, Head],
    ) -> None:
        """Compares what was written, as its writers and the places know, with what is sealed now."""
        sealed = self._at_hand().heads
        for stream, head in written.items():
            here = sealed.get(stream, Head())
            name = stream.split("/")[0]
            if name in known and head.n > here.n and stream not in problems:
                message = f"{stream} was written up to batch {head.n}, but its end after batch {here.n} is gone"
                problems[stream] = TailProblem("tail-cut", name, stream, here.n + 1, message)
        for stream, head in sealed.items():
            name = stream.split("/")[0]
            if name in known and known[name].get(stream, Head()).n < head.n and stream not in problems:
                message = f"it is an old copy: {stream} is sealed up to batch {head.n}"
                problems[stream] = TailProblem("place-old", name, stream, None, message)

    def _append(self, batches: list[_Checked], at: int) -> str:
        """Adds batches to the ledger and signs, in the open transaction. What is known moves on if it went well."""
        known, self._known = self._at_hand(), None
        heads, streams, growth = known.heads, known.streams, known.growth
        drawn = Drawn(self._connection, self._day_offset, known.names)
        rows: list[tuple[Any, ...]] = []
        bodies: list[tuple[Any, ...]] = []
        for leaf, batch in enumerate(batches, growth.frontier.size):
            row, header = batch.row, batch.header
            stream = header.stream
            if stream not in streams:
                streams[stream] = cast(int, self._connection.execute(_INSERT_STREAM, (stream, bytes(32))).lastrowid)
            place = (leaf, streams[stream], header.n, int(header.batch_class), header.from_at, header.until_at)
            rows.append((*place, row.header, row.body_hash, row.mac))
            bodies.append((leaf, row.body, batch.marks))
            drawn.add(leaf, batch.seen)
            growth.append(batch.leaf)
            heads[stream] = Head(header.n, batch.leaf)
        self._connection.executemany(_INSERT_BATCH, rows)
        self._connection.executemany(_INSERT_BODY, bodies)
        for stream in {batch.header.stream for batch in batches}:
            self._connection.execute(_MOVE_STREAM, (heads[stream].n, heads[stream].hash, streams[stream]))
        drawn.write()
        growth.write()
        known.note, known.digest = self._sign(growth.frontier, heads, at, known.digest)
        known.at = at
        self._known = known
        return known.note

    # ── Prune ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def prune(self, policy: str, rule: str, before: int, at: int, wait: bool = True) -> Pruned:
        """Destroys a policy's access records whose batches ended before `before`, under a signed entry that says so.

        `rule` is the element of the policy that sets the time. What evidence holds is never touched.
        """
        with self._leased(wait):
            # What an earlier prune announced and did not come to is destroyed first, so it is not announced twice.
            batches = self._destroy_pruned()
            over = self._connection.execute(_SELECT_OVER, (before, f"/{policy}/")).fetchall()
            note = history.newest_note(self._connection)
            ranges = tuple(_ranges(over))
            if ranges:
                entries = [
                    entry(
                        "access.pruned", at, policy, None, (rule,), stream=stream, first=first, last=last, rule=rule,
                        before=before, counts=self._counts_of(stream, first, last),
                    )
                    for stream, first, last in ranges
                ]  # fmt: skip
                note = self._write_own(policy, entries, at)
                batches += self._destroy_pruned()
            scrubbed = self.engine.scrub(self._connection)
        return Pruned(batches, len(ranges), scrubbed, note)

    def _counts_of(self, stream: str, first: int, last: int) -> dict[str, int]:
        """How many entries of each kind these batches hold: that much is kept for ever, and reports stay checkable."""
        bodies = self._connection.execute(_SELECT_RANGE, (stream, first, last))
        return dict(Counter(glance(data).kind for _, body in bodies for data in read_body(body)[1]))

    def _write_own(self, policy: str, entries: list[Entry], at: int) -> str:
        """An evidence batch of the ledger's own stream, sealed at once."""
        with self._transaction():
            return self._append_own(policy, entries, at)

    def _append_own(self, policy: str, entries: list[Entry], at: int) -> str:
        stream = stream_name(PLACE, policy, BatchClass.EVIDENCE, self._incarnation)
        head = self._current().heads.get(stream, Head())
        salt = self._salt_source(SALT_LENGTH)
        mark, key = self.keys.to_seal_with
        batch = batch_of(entries, stream, BatchClass.EVIDENCE, head, at, salt, key, None, mark)
        row = JournalRow(0, 0, batch.header, batch.body_hash, batch.body, batch.mac)
        return self._append([checked_row(row, read_header(row.header), head, self.keys)], at)

    def _destroy_pruned(self) -> int:
        """Destroys every body that a sealed prune entry covers; counts those that were still there."""
        destroyed = 0
        with self._transaction():
            done = int(history.meta(self._connection, "pruned"))
            for recorded in list(history.entries(self._connection, kinds=("access.pruned",), from_leaf=done)):
                fields = recorded.entry.fields
                span = (fields["stream"], fields["first"], fields["last"])
                for leaf, body in self._connection.execute(_SELECT_RANGE, span).fetchall():
                    self._destroy_body(leaf, body)
                    destroyed += 1
            self._connection.execute(_MOVE_META, (str(history.size_of(self._connection)), "pruned"))
        return destroyed

    def _destroy_body(self, leaf: int, body: bytes) -> None:
        seen = [glance(data) for data in read_body(body)[1]]
        self._connection.executemany(_DELETE_ABOUT, [(alias, leaf) for alias in aliases_in(seen)])
        self._connection.executemany(_DELETE_NAMED, [(name, leaf) for name in names_in(seen)])
        self._connection.execute(_DELETE_BODY, (leaf,))


class _Found(NamedTuple):
    """What a look into a journal found: sound new batches with their instants; rows to be dropped, ends of streams."""

    sound: list[tuple[int, _Checked]]
    rows: list[tuple[int, int]]
    ends: dict[str, Head]
    reached: int | None


def _look(
    ledger: Connection,
    keys: JournalKeys,
    name: str,
    connection: Connection,
    after: int | None,
    sealed: Mapping[str, Head],
    problems: dict[str, TailProblem],
    known: Sequence[tuple[Any, ...]] | None = None,
    sealed_at_once: Mapping[tuple[str, int], bytes] = MappingProxyType({}),
) -> _Found:
    """The batches of a place that are not sealed yet, up to the first that is not sound of each stream.

    `sealed_at_once`: leaves that are known to be sealed, though they were not dropped.
    """
    found = _Found([], [], {}, None)
    if after is None:
        return found
    heads, written_at = dict(sealed), dict[str, int]()
    rows, more = batches_in(connection, after, ROUND, known)
    for row in rows:
        stream, n = f"{name}/", None
        try:
            header = read_header(row.header)
            stream, n = header.stream, header.n
            if stream in problems:
                continue
            if not stream.startswith(f"{name}/"):
                raise BatchBroken(f"`{name}` holds a stream of another place")
            head = heads.get(stream, Head())
            leaf = leaf_hash(row.header + row.body_hash)
            if n > head.n or (sealed_at_once.get((stream, n)) != leaf and not found_sealed(ledger, header, row)):
                batch = checked_row(row, header, head, keys)
                heads[stream] = Head(n, batch.leaf)
                written_at[stream] = max(written_at.get(stream, header.until_at), header.until_at)
                found.sound.append((written_at[stream], batch))
            found.rows.append((row.bucket, row.row))
            # What this copy of the place holds, not what is sealed: an old copy must not look like a new one.
            found.ends[stream] = Head(n, leaf)
        except BatchBroken as problem:
            named = f"row {row.row}" if n is None else f"batch {n} of {stream}"
            problems[stream] = TailProblem("tail-broken", name, stream, n, f"{named}: {problem}")
    return found._replace(reached=rows[-1].row if more else None)


def tail_problems(
    ledger: Connection, places: Mapping[str, Connection], mac_key: bytes | JournalKeys
) -> tuple[TailProblem, ...]:
    """What is wrong in the unsealed parts of places, found without sealing or changing anything."""
    problems: dict[str, TailProblem] = {}
    for name, connection in places.items():
        sealed, reached = history.sealed_heads(ledger), cast(int | None, -1)
        while reached is not None:
            found = _look(ledger, JournalKeys.of(mac_key), name, connection, reached, sealed, problems)
            sealed |= found.ends
            reached = found.reached
    return tuple(problems.values())


def found_sealed(ledger: Connection, header: Header, row: JournalRow) -> bool:
    """True when the ledger holds exactly this batch, False when it holds none of that number.

    Raises:
        BatchBroken: it holds another one.
    """
    sealed = ledger.execute(_SELECT_SEALED, (header.stream, header.n)).fetchone()
    if sealed is not None and tuple(sealed) != (row.header, row.body_hash):
        raise BatchBroken("the ledger holds another batch of this number: the stream was written twice")
    return sealed is not None


def _connected(place: Connection | Path, opened: ExitStack) -> Connection:
    if isinstance(place, Path):
        return opened.enter_context(closing(open_for_writing(place)))
    return place


def _ranges(rows: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int, int]]:
    """Runs of neighbouring batches: stream, first, last."""
    run: tuple[str, int, int] | None = None
    for stream, n in rows:
        if run is not None and run[0] == stream and run[2] + 1 == n:
            run = (stream, run[1], n)
            continue
        if run is not None:
            yield run
        run = (stream, n, n)
    if run is not None:
        yield run
