"""Is this ledger what it was when it was signed? Entries, batches, streams, tree and checkpoints are recomputed.

The batches are recomputed from their entries and compared three times: with the chain of their stream, with the stored
tree, and, through the roots, with every signed checkpoint and anchor. The comparison that finds a difference says how
precisely it can be named: an entry where only a body was touched, a batch where chain or tree disagree with it, the
span between two checkpoints where somebody rewrote batch, chain and tree together.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, cast

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from upheld.ledger.batch import BatchBroken, Head, Header, entry_leaves, entry_salts, mac_of, read_body, read_header
from upheld.ledger.checkpoint import (
    NO_CHECKPOINT_BEFORE,
    Checkpoint,
    CheckpointRefused,
    Signers,
    checked,
    checkpoint_in,
    heads_digest,
)
from upheld.ledger.entries import KINDS, BatchClass, EntryRefused, Glance, glance, unpacked
from upheld.ledger.handover import chain_of
from upheld.ledger.merkle import Frontier, leaf_hash, root_of

HASH: Final = 32
MARK: Final = 4
_MOST_PROBLEMS: Final = 100
_NO_HEAD: Final = Head()


class SealedBatch(NamedTuple):
    """A batch as it stands in the ledger; `body` is None where it was destroyed. `marks`: 4 bytes per entry's leaf.

    `from_at` and `until_at` are what the row says besides its header, to find it by.
    """

    leaf: int
    stream: str
    n: int
    batch_class: int
    header: bytes
    body_hash: bytes
    body: bytes | None
    marks: bytes
    mac: bytes
    from_at: int
    until_at: int


class Problem(msgspec.Struct, frozen=True):
    """Something that is not as it was signed. `leaf`, `stream`, `n`, `entry` (from 0) name it as closely as can be; a
    span of batches is [leaf, until_leaf)."""

    code: str
    message: str
    leaf: int | None = None
    stream: str | None = None
    n: int | None = None
    entry: int | None = None
    until_leaf: int | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `problems` stand in the order of the ledger; anchors show the first `complete_to` batches.

    `kinds` counts entries; `named` counts them by policy, element (under `""` each once) and kind; `pruned_counts` are
    those of destroyed access records, by policy and kind; `persons_sum` and `names_sum` are to
    compare the indexes with, within one process; `root` and `heads` are those of the batches.
    """

    ledger_id: str
    problems: tuple[Problem, ...]
    batches: int
    entries: int
    checkpoints: int
    last_at: int | None
    pruned_batches: int
    kinds: Mapping[str, int]
    named: Mapping[tuple[str, str, str], int]
    pruned_counts: Mapping[tuple[str, str], int]
    persons_sum: int
    names_sum: int
    root: bytes
    heads: Mapping[str, Head]
    anchors: int
    complete_to: int
    key_given: bool

    @property
    def ok(self) -> bool:
        return not self.problems

    @property
    def complete(self) -> Literal["shown", "shown in part", "not shown"]:
        """Whether anchors show that nothing was cut off at the end."""
        if self.problems or not self.complete_to:
            return "not shown"
        return "shown" if self.complete_to >= self.batches else "shown in part"

    @property
    def cannot_show(self) -> tuple[str, ...]:
        """What no verification of this file could tell."""
        said = ["whether what the entries say was true when it was written"]
        if self.complete == "not shown":
            said.append(
                "whether the end was cut off or the whole rolled back: give an anchor (a checkpoint from elsewhere)"
            )
        elif self.complete == "shown in part":
            said.append(f"whether anything was cut off after batch {self.complete_to}: the anchors reach no further")
        if not self.key_given:
            said.append("who signed: the key was taken from the ledger itself; give the public key from elsewhere")
        if self.pruned_batches:
            said.append(
                f"what stood in {self.pruned_batches} batches of access records, destroyed under a signed entry"
            )
        said.append("how the counts kept for reports fall on single days: their totals are compared, the days are not")
        said.append("whether anything stands in the file beside the ledger: other tables, triggers, unused names")
        said.append("what places have written since the last checkpoint: that is checked by MAC when it is sealed")
        return tuple(said)


def verify(
    batches: Iterable[SealedBatch],
    tree: bytes,
    notes: Sequence[str],
    key: Ed25519PublicKey,
    *,
    key_given: bool,
    ledger_id: str,
    handovers: Sequence[str] = (),
    anchors: Sequence[str] = (),
    mac_keys: Mapping[bytes, bytes] | None = None,
) -> Verification:
    """Recomputes a ledger.

    `batches` in the order of their leaves; `tree` the stored leaf hashes, joined; `notes` the signed checkpoints by
    size; `handovers` the notes by which `key` was handed on; `mac_keys` (mark → key, the first key of the house
    under the empty mark) only where the house itself verifies: they name a rewritten batch where the public key finds a
    span. A batch whose key is gone rests on the signature alone.
    """
    chain = chain_of(key, handovers, ledger_id)
    pass_ = _Pass(tree, chain.signers, ledger_id, mac_keys or {})
    pass_.take_handovers(chain.problems)
    pass_.take_notes(notes)
    pass_.take_anchors(anchors)
    pass_.reach(0)
    for batch in batches:
        pass_.take(batch)
    pass_.finish()
    return Verification(
        ledger_id=ledger_id,
        problems=pass_.in_order(),
        batches=pass_.frontier.size,
        entries=pass_.entries,
        checkpoints=len(notes),
        last_at=pass_.last_at,
        pruned_batches=pass_.pruned,
        kinds=pass_.kinds(),
        named=pass_.named(),
        pruned_counts=pass_.pruned_counts,
        persons_sum=pass_.persons_sum,
        names_sum=pass_.names_sum,
        root=pass_.frontier.root(),
        heads=pass_.heads,
        anchors=len(anchors),
        complete_to=pass_.complete_to,
        key_given=key_given,
    )


class _Signed(NamedTuple):
    """A checkpoint to be reached, of the ledger or from outside."""

    checkpoint: Checkpoint
    is_anchor: bool


class _Run(NamedTuple):
    """Neighbouring batches of a stream that have no body."""

    first: int
    batch_class: BatchClass
    leaves: "array[int]"


class _Pass:
    """One pass over a ledger."""

    def __init__(self, tree: bytes, key: Signers, ledger_id: str, mac_keys: Mapping[bytes, bytes]) -> None:
        self.frontier = Frontier()
        self.entries = 0
        self._counts: Counter[tuple[str, tuple[str, ...], str]] = Counter()
        self.persons_sum = self.names_sum = 0
        self.pruned = 0
        self.pruned_counts: Counter[tuple[str, str]] = Counter()
        self.complete_to = 0
        self.last_at: int | None = None
        self._tree = tree
        self._key = key
        self._ledger_id = ledger_id
        self._mac_keys = mac_keys
        self._problems: list[Problem] = []
        self.heads: dict[str, Head] = {}
        self._leaf_of: dict[str, int] = {}
        self._signed: dict[int, list[_Signed]] = {}
        self._sound_to = 0
        self._largest = 0
        self._shift = 0
        self._blamed: list[int] = []
        self._roots_differ = False
        self._gone: dict[str, list[_Run]] = {}
        self._prunes: dict[str, list[tuple[int, int]]] = {}

    def kinds(self) -> dict[str, int]:
        counted: Counter[str] = Counter()
        for (_, _, kind), count in self._counts.items():
            counted[kind] += count
        return dict(sorted(counted.items()))

    def named(self) -> dict[tuple[str, str, str], int]:
        counted: Counter[tuple[str, str, str]] = Counter()
        for (policy, elements, kind), count in self._counts.items():
            for element in ("", *elements):
                counted[policy, element, kind] += count
        return dict(counted)

    def in_order(self) -> tuple[Problem, ...]:
        far = 1 << 62
        ends = (each.leaf if each.leaf is not None else each.until_leaf for each in self._problems)
        places = [far if end is None else end for end in ends]
        return tuple(problem for _, _, problem in sorted(zip(places, range(len(places)), self._problems, strict=True)))

    def _found(self, code: str, message: str, leaf: int | None = None, **where: str | int | None) -> None:
        if len(self._problems) < _MOST_PROBLEMS:
            self._problems.append(msgspec.convert({"code": code, "message": message, "leaf": leaf, **where}, Problem))

    # ── Checkpoints and anchors ───────────────────────────────────────────────────────────────────────────────────

    def take_handovers(self, problems: Sequence[str]) -> None:
        """What is wrong with the notes by which the signing key was handed on."""
        for problem in problems:
            self._found("handover-forged", problem)

    def take_notes(self, notes: Sequence[str]) -> None:
        """The ledger's own checkpoints: signature, order, and that each names the one before it."""
        previous, size = NO_CHECKPOINT_BEFORE, -1
        for note in notes:
            try:
                checkpoint = self._checked(note)
            except CheckpointRefused as problem:
                self._found("checkpoint-forged", str(problem), until_leaf=_size_in(note))
                previous = b""
                continue
            if previous and checkpoint.previous != previous:
                message = f"the checkpoint before the one of {checkpoint.size} batches is missing or another"
                self._found("checkpoint-removed", message, until_leaf=checkpoint.size)
            elif checkpoint.size <= size:
                self._found("checkpoint-inserted", f"there are two checkpoints of {checkpoint.size} batches")
            previous, size = checkpoint.digest, checkpoint.size
            self._largest, self.last_at = max(self._largest, size), checkpoint.at
            self._signed.setdefault(size, []).append(_Signed(checkpoint, is_anchor=False))

    def take_anchors(self, anchors: Sequence[str]) -> None:
        """Checkpoints that were kept elsewhere."""
        for note in anchors:
            try:
                checkpoint = self._checked(note)
            except CheckpointRefused as problem:
                self._found("anchor-refused", f"an anchor was given that shows nothing: {problem}")
            else:
                self._signed.setdefault(checkpoint.size, []).append(_Signed(checkpoint, is_anchor=True))

    def _checked(self, note: str) -> Checkpoint:
        checkpoint = checked(note, self._key)
        if checkpoint.ledger_id != self._ledger_id:
            raise CheckpointRefused(f"the checkpoint is of the ledger {checkpoint.ledger_id}, not {self._ledger_id}")
        return checkpoint

    def reach(self, size: int) -> None:
        """Compares with what was signed when the ledger had so many batches."""
        for checkpoint, is_anchor in self._signed.pop(size, ()):
            if checkpoint.root != self.frontier.root():
                self._differs(size, is_anchor)
            elif is_anchor:
                self.complete_to = max(self.complete_to, size)
            elif not self._problems and checkpoint.heads != heads_digest(self.heads):
                self._found(
                    "heads-differ", f"the streams do not end as the checkpoint of {size} batches says", until_leaf=size
                )
            if not is_anchor:
                self._sound_to = size

    def _differs(self, size: int, is_anchor: bool) -> None:
        self._roots_differ = True
        if is_anchor:
            message = (
                f"the anchor of {size} batches signs for another history: the ledger was rolled back and rewritten"
            )
            self._found("anchor-contradicted", message, until_leaf=size)
        elif not any(problem.leaf is not None for problem in self._problems):
            message = f"batches {self._sound_to} to {size - 1} are not those that were signed"
            self._found("span-changed", message, self._sound_to, until_leaf=size)

    # ── Batches ───────────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, batch: SealedBatch) -> None:
        if batch.leaf != self.frontier.size:
            self._skip_to(batch)
        leaf = leaf_hash(batch.header + batch.body_hash)
        header = self._header(batch)
        if header is not None:
            agrees = self._agrees_with_tree(batch, header, leaf)
            self._follow(batch, header, leaf, agrees)
            self._take_body(batch, header)
        self.frontier.append(leaf)
        if self.frontier.size in self._signed:
            self.reach(self.frontier.size)

    def _skip_to(self, batch: SealedBatch) -> None:
        """Batches are missing by number. The stored tree stands in for them, so that what follows is still compared."""
        first = self.frontier.size
        if batch.leaf < first:
            self._found(
                "batch-inserted", f"batch {batch.leaf} stands there twice", batch.leaf, stream=batch.stream, n=batch.n
            )
            return
        message = f"batches {first} to {batch.leaf - 1} were removed"
        known = self.heads.get(batch.stream, _NO_HEAD).n
        n = known + 1 if known + 1 < batch.n else None
        stream = None if n is None else batch.stream
        self._found("batch-removed", message, first, until_leaf=batch.leaf, stream=stream, n=n)
        for place in range(first, batch.leaf):
            self.frontier.append(self._stored(place) or bytes(HASH))
            if self.frontier.size in self._signed:
                self.reach(self.frontier.size)

    def _stored(self, place: int) -> bytes:
        return self._tree[place * HASH : (place + 1) * HASH]

    def _header(self, batch: SealedBatch) -> Header | None:
        try:
            return read_header(batch.header)
        except BatchBroken as problem:
            self._found("batch-changed", f"batch {batch.leaf}: {problem}", batch.leaf, stream=batch.stream, n=batch.n)
            return None

    def _agrees_with_tree(self, batch: SealedBatch, header: Header, leaf: bytes) -> bool:
        expected = batch.leaf + self._shift
        if leaf == self._stored(expected):
            self._check_filing(batch, header)
            return True
        where = self._place_in_tree(leaf)
        if where is None:
            self._blame(batch, header, expected)
        elif where > expected:
            self._shift = where - batch.leaf
            message = f"batches {expected} to {where - 1} were removed, or moved behind others"
            self._found("batch-removed", message, expected, until_leaf=where, stream=header.stream, n=header.n)
            self._blamed.append(len(self._problems) - 1)
        else:
            self._moved(batch, header, where)
        return False

    def _check_filing(self, batch: SealedBatch, header: Header) -> None:
        if (header.stream, header.n) != (batch.stream, batch.n):
            message = f"batch {batch.leaf} is filed as {batch.stream} {batch.n}, it says {header.stream} {header.n}"
            self._found("batches-reordered", message, batch.leaf, stream=header.stream, n=header.n)
        elif (header.batch_class, header.from_at, header.until_at) != (
            batch.batch_class,
            batch.from_at,
            batch.until_at,
        ):
            message = f"batch {batch.leaf} is filed under another class or another time than it says"
            self._found("batch-misfiled", message, batch.leaf, stream=header.stream, n=header.n)

    def _place_in_tree(self, leaf: bytes) -> int | None:
        if len(self._problems) >= _MOST_PROBLEMS:
            return None
        found = self._tree.find(leaf)
        while found % HASH and found != -1:
            found = self._tree.find(leaf, found + 1)
        return None if found == -1 else found // HASH

    def _blame(self, batch: SealedBatch, header: Header, expected: int) -> None:
        """A batch that the tree does not know: changed, or put there."""
        if header.n <= self.heads.get(header.stream, _NO_HEAD).n or expected * HASH >= len(self._tree):
            self._shift -= 1
            message = f"batch {batch.leaf} ({header.stream} {header.n}) was inserted"
            self._found("batch-inserted", message, batch.leaf, stream=header.stream, n=header.n)
            return
        code, entry, what = _change_in(batch)
        message = f"batch {batch.leaf} ({header.stream} {header.n}) is not the one that was sealed{what}"
        self._found(code, message, batch.leaf, stream=header.stream, n=header.n, entry=entry)
        self._blamed.append(len(self._problems) - 1)

    def _moved(self, batch: SealedBatch, header: Header, where: int) -> None:
        """A batch that belongs further ahead: what seemed removed was moved, or this is a copy, or one was put in."""
        last = self._problems[self._blamed[-1]] if self._blamed else None
        if last is not None and last.code == "batches-reordered":
            return
        self._shift = where - batch.leaf
        if last is not None and last.leaf is not None:
            code = "batch-inserted" if last.leaf == where and last.code != "batch-removed" else "batches-reordered"
            self._problems[self._blamed[-1]] = msgspec.structs.replace(
                last, code=code, message=_TOLD[code].format(last.leaf)
            )
            return
        message = f"batch {batch.leaf} ({header.stream} {header.n}) belongs at {where}: it was moved or copied"
        self._found("batches-reordered", message, batch.leaf, stream=header.stream, n=header.n)

    def _follow(self, batch: SealedBatch, header: Header, leaf: bytes, agrees: bool) -> None:
        """The chain of the stream, and the MAC where the key is there."""
        stream = header.stream
        head = self.heads.get(stream, _NO_HEAD)
        follows = header.n == head.n + 1 and (header.prev_hash == head.hash or self._continues(header))
        if agrees and not follows and not self._problems:
            self._break(batch, header, head)
        mac_key = self._mac_keys.get(header.mark)
        if mac_key is not None and mac_of(mac_key, leaf) != batch.mac:
            message = f"batch {header.n} of {stream} was not written by this house"
            self._found("mac-false", message, batch.leaf, stream=stream, n=header.n)
        self.heads[stream] = Head(header.n, leaf)
        self._leaf_of[stream] = batch.leaf

    def _break(self, batch: SealedBatch, header: Header, head: Head) -> None:
        """Batch and tree were changed together; the chain of the stream still tells."""
        stream, n, leaf = header.stream, header.n, batch.leaf
        if n > head.n + 1:
            self._found(
                "batch-removed", f"batch {head.n + 1} of {stream} was removed", leaf, stream=stream, n=head.n + 1
            )
        elif n <= head.n:
            self._found("batch-inserted", f"batch {n} of {stream} is there twice", leaf, stream=stream, n=n)
        else:
            message = f"batch {head.n} of {stream} is not the one that batch {n} followed"
            self._found("batch-changed", message, self._leaf_of.get(stream, leaf), stream=stream, n=max(head.n, 1))

    def _continues(self, header: Header) -> bool:
        """A first batch may go on from another stream; where that one is sealed, its head must be the one named."""
        if header.after is None or header.n != 1:
            return False
        stream, n = header.after
        head = self.heads.get(stream)
        return head is None or head.n != n or head.hash == header.prev_hash

    # ── Bodies ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _take_body(self, batch: SealedBatch, header: Header) -> None:
        if batch.body is None:
            self._keep_gone(batch, header)
            return
        stream, n, leaf = header.stream, header.n, batch.leaf
        try:
            salt, written = read_body(batch.body)
        except BatchBroken as problem:
            self._found("batch-changed", f"batch {leaf}: {problem}", leaf, stream=stream, n=n)
            return
        if root_of(entry_leaves(salt, written)) != batch.body_hash:
            code, entry, what = _change_in(batch)
            message = f"the entries of batch {leaf} ({stream} {n}) are not those that were sealed{what}"
            self._found(code, message, leaf, stream=stream, n=n, entry=entry)
            return
        self.entries += len(written)
        persons: set[tuple[str, int]] = set()
        names: set[tuple[str, int]] = set()
        for number, data in enumerate(written):
            try:
                seen = self._seen(data, header)
            except EntryRefused as problem:
                self._found(
                    "entry-changed", f"entry {leaf}:{number}: {problem}", leaf, stream=stream, n=n, entry=number
                )
                continue
            names.add((seen.kind, leaf))
            names.update([(element, leaf) for element in seen.elements])
            persons.update([(alias, leaf) for alias in seen.persons])
        self.persons_sum += sum(map(hash, persons))
        self.names_sum += sum(map(hash, names))

    def _seen(self, data: bytes, header: Header) -> Glance:
        seen = glance(data)
        kind = KINDS.get(seen.kind)
        if kind is None or kind.batch_class is not header.batch_class:
            raise EntryRefused(seen.kind, "entry", f"it does not belong into {header.stream}")
        self._counts[seen.policy, seen.elements, seen.kind] += 1
        if seen.kind == "access.pruned":
            fields = unpacked(data).fields
            span = msgspec.convert((fields["first"], fields["last"]), tuple[int, int])
            self._prunes.setdefault(str(fields["stream"]), []).append(span)
            for pruned, count in cast("Mapping[str, int]", fields.get("counts", {})).items():
                self.pruned_counts[seen.policy, pruned] += count
        return seen

    def _keep_gone(self, batch: SealedBatch, header: Header) -> None:
        self.pruned += 1
        runs = self._gone.setdefault(header.stream, [])
        if runs and runs[-1].first + len(runs[-1].leaves) == header.n and runs[-1].batch_class == header.batch_class:
            runs[-1].leaves.append(batch.leaf)
        else:
            runs.append(_Run(header.n, header.batch_class, array("Q", [batch.leaf])))

    # ── The end ───────────────────────────────────────────────────────────────────────────────────────────────────

    def finish(self) -> None:
        size = self.frontier.size
        for stream, runs in self._gone.items():
            for run in runs:
                self._check_gone(stream, run)
        missing = sorted(self._signed)
        if missing:
            anchored = any(signed.is_anchor for sizes in missing for signed in self._signed[sizes])
            message = f"the ledger has {size} batches, but {missing[-1]} were signed for: its end was cut off"
            self._found("rolled-back" if anchored else "cut-off", message, size, until_leaf=missing[-1])
        elif self._largest < size and not any(each.code.startswith("checkpoint") for each in self._problems):
            message = f"batches {self._largest} to {size - 1} are signed by no checkpoint"
            self._found("batch-inserted", message, self._largest, until_leaf=size)
        if len(self._tree) // HASH > size and not self._problems:
            self._found("cut-off", f"the tree has {len(self._tree) // HASH} leaves, the ledger {size} batches", size)
        if self._blamed and not self._roots_differ:
            self._clear_batches()

    def _clear_batches(self) -> None:
        """Every signature agrees with the batches: what differed from them is the stored tree."""
        for place in self._blamed:
            blamed = self._problems[place]
            message = f"the stored tree was changed at batch {blamed.leaf}; the batch itself is as it was signed"
            self._problems[place] = msgspec.structs.replace(blamed, code="tree-changed", message=message, entry=None)

    def _check_gone(self, stream: str, run: _Run) -> None:
        """Each batch of the run must be an access record that a signed entry covers."""
        spans = sorted(self._prunes.get(stream, ())) if run.batch_class is BatchClass.ACCESS else []
        n, end = run.first, run.first + len(run.leaves)
        for first, last in spans:
            if first <= n:
                n = max(n, last + 1)
        if n < end:
            message = f"the body of batch {n} of {stream} was removed, and no signed entry says so"
            self._found("body-removed", message, run.leaves[n - run.first], stream=stream, n=n)


_TOLD: Final[Mapping[str, str]] = MappingProxyType(
    {
        "batch-inserted": "batch {} was inserted",
        "batches-reordered": "batches from {} on are not in the order in which they were sealed",
    }
)


def _size_in(note: str) -> int | None:
    try:
        return checkpoint_in(note).size
    except CheckpointRefused:
        return None


def _change_in(batch: SealedBatch) -> tuple[str, int | None, str]:
    """Which entry differs from the marks that were kept at sealing: code, number, words."""
    try:
        salt, written = read_body(batch.body or b"")
    except BatchBroken:
        return "batch-changed", None, ""
    found = [leaf[:MARK] for leaf in entry_leaves(salt, written)]
    kept = [batch.marks[place : place + MARK] for place in range(0, len(batch.marks), MARK)]
    number = next((place for place, pair in enumerate(zip(found, kept, strict=False)) if pair[0] != pair[1]), None)
    if number is None and len(found) == len(kept):
        return "batch-changed", None, ""
    number = min(len(found), len(kept)) if number is None else number
    if len(kept) > 1 and not any(one == other for one, other in zip(found, kept, strict=False)):
        return "batch-changed", None, ": none of its entries is"
    if len(found) < len(kept):
        return "entry-removed", number, f": entry {number} was removed"
    if len(found) > len(kept):
        return "entry-inserted", number, f": entry {number} was inserted"
    salts = entry_salts(salt, len(written))
    if any(leaf_hash(salts[number] + data)[:MARK] == kept[number] for data in written):
        return "entries-reordered", number, f": entries from {number} on were re-ordered"
    return "entry-changed", number, f": entry {number} was changed"
