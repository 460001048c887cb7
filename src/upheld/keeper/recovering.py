"""A home that holds an old copy of a place notices it, does nothing else, and is brought up to date from the ledger.

| step | place | a crash after it leaves |
|---|---|---|
| p0 note which places are old, and what is gone for good | active | recovery starts again, from the note too |
| p0 what can't join on to an older ledger is written anew, under an incident | each place that is ahead | as p0 |
| p1 aliases that an old key store lacks, by what the ledger says about their subjects | keys | as p0 |
| p2 everything missed is done again in the active place | active | as p0, nothing is done twice |
| p3 separated and keys count as up to date | separated, keys | as p0 |
| p4 values: what no copy opens is lost; copies nobody may have go, key first | keys, separated, active | as p0 |
| p5 open steps go forward: destroyed again, kept apart again | all | steps |
| p5 papers destroyed since are destroyed again; what no key opens is lost | all | as p0 |
| p6 keys and tokens that belong to no value go, missing tokens are made; files scrubbed | keys | as p0 |
| p7 `recovered`, the note goes; a checkpoint | active, ledger | done |

INVARIANT: I2, I4, I5, I7.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import get_ident
from typing import NamedTuple, cast

import msgspec

from upheld.dates import Instant
from upheld.engine.acts import SubjectId, ValueId
from upheld.keeper.anchors import NOBODYS_DAYS
from upheld.keeper.certifying import approver_of, certificate_of, counted_in
from upheld.keeper.clearing import is_rehearsal
from upheld.keeper.door import Tier
from upheld.keeper.elsewhere import cleared_elsewhere
from upheld.keeper.moving import Moving
from upheld.keeper.owed_tokens import MAKE, values_of
from upheld.keeper.replaying import Around, Replay, documents_by_digest
from upheld.keeper.steps import OpenStep, Swept
from upheld.keeper.tokens_anew import make_tokens_anew
from upheld.ledger.batch import Head
from upheld.ledger.certificate import Certificate
from upheld.ledger.entries import Entry, entry
from upheld.store import copies, history, outbox, papers, subjects
from upheld.store.ids import bucket_of, placed_key, placed_value
from upheld.store.journal_keys import name_key, named_in, names_key
from upheld.store.leases import LeaseHeld, Presence
from upheld.store.papers import PaperRow
from upheld.store.place import Place, Transaction
from upheld.store.ring import fingerprint, mark_of
from upheld.store.sealing import LedgerOld, TailBroken
from upheld.store.token_roots import TokenRow, marked
from upheld.store.token_rotation import begun_in, store_of
from upheld.store.vault import DELETE_KEY, HOUSE, Sealed
from upheld.store.verifying import anchor_in

NOTE = "recovering"
"""Under this word the active place remembers that a recovery has begun and is not over."""


@dataclass(slots=True)
class Recovered:
    """What a recovery found and did."""

    places: tuple[str, ...] = ()
    """Places that were old copies."""
    counts: Counter[str] = field(default_factory=Counter)
    """How many of what was done again, made again or destroyed again."""
    lost: list[ValueId] = field(default_factory=list)
    """Values that no copy opens any more. Each is on record as `value.lost`."""
    unknown: int = 0
    """Persons of whom only entries under an alias are left."""
    incident: str | None = None
    """The code under which it went on from an older ledger."""
    waiting: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Stored:
    """A value as it lies in a tier."""

    subject_id: SubjectId
    item: str
    state: str
    key_id: int | None
    sealed: bool
    opens: bool


class _LookedUp(NamedTuple):
    """A value that somebody is looked up by."""

    tier: Tier
    policy: str
    subject_id: SubjectId
    value_id: ValueId
    item: str


@dataclass(slots=True)
class _Verdicts:
    """What must be done to values so that active, separated and keys agree again."""

    blank: list[ValueId] = field(default_factory=list)
    apart_goes: list[ValueId] = field(default_factory=list)
    apart_held: list[ValueId] = field(default_factory=list)
    separated: list[ValueId] = field(default_factory=list)
    lost: list[tuple[ValueId, str]] = field(default_factory=list)


class Recovery(Moving):
    """Noticing old copies, and recovering from them."""

    presence: Presence

    # ── noticing ────────────────────────────────────────────────────────────────────────────────────────────────────

    def notice(self) -> tuple[str, ...]:
        """Look whether this home holds an old copy of anything; if so every verb raises `Recovering` from now on.

        Otherwise go on where a crash stopped, unless somebody else is at it, or this is somebody who only seals.
        Returns what was noticed, in words.
        """
        found = self._old()
        self._bar(found)
        if not found and self.places.whole:
            self._go_on()
        return found

    def seal_tail(self) -> None:
        """R3: what is written is sealed within a minute or ten thousand entries, by whoever comes next after that.

        Whoever came has its answer all the same, since that is durable: an old copy that shows now stops the verbs that
        follow; evidence that was changed is told to the log here, and raised by the next sweep or seal.
        """
        tail = self.places.active.tail
        busy = any(place.connection.in_transaction for place in self._places().values())
        if tail is None or busy or self._recovering:
            return
        tail.put_off()  # for whoever seals just now, and for what sealing itself puts on record: that the clock leapt
        try:
            self.seal(wait=False)
        except LeaseHeld:
            return
        except (TailBroken, LedgerOld) as failure:
            self.places.fail("seal", failure)
            self._bar(self._old())

    def _bar(self, found: tuple[str, ...]) -> None:
        for place in self._places().values():
            place.barred = f"recovering: {'; '.join(found)}. Run `upheld recover`" if found else None

    def _places(self) -> dict[str, Place]:
        return {"active": self.places.active, "separated": self.places.separated, "keys": self.places.keys}

    def _old(self) -> tuple[str, ...]:
        found = [f"the ledger is older than what {name} has seen" for name in self._ledger_lacks()]
        behind = self._behind()
        found += [f"{name} is an old copy" for name in behind]
        found += [f"{name} is an old copy of its last minute" for name in self._cut() if name not in behind]
        if copies.remembered(self.places.active.connection, NOTE) is not None:
            found.append("a recovery was begun and is not over")
        if not found and self.places.whole and self._keys_lack() and self._keys_lack():
            # Asked twice: a sweep may have destroyed a key between the two looks.
            found.append("keys is an old copy: it lacks keys or aliases that are in use")
        return tuple(found)

    def _ledger_lacks(self) -> list[str]:
        ledger, key = self.places.sealer.connection, self.signing_key.public_key()
        return [
            name
            for name, place in self._places().items()
            if copies.ledger_lacks(ledger, copies.seen_by(place.connection), key)
        ]

    def _behind(self) -> dict[str, dict[str, int]]:
        """For each old place its streams that end too early."""
        sealed = history.sealed_heads(self.places.sealer.connection)
        found = {name: copies.streams_behind(name, place.connection, sealed) for name, place in self._places().items()}
        return {name: streams for name, streams in found.items() if streams}

    def _cut(self) -> dict[str, int]:
        """For each place how many batches it lacks that were written since the last seal, by the marks outside it."""
        sealed = {stream: head.n for stream, head in history.sealed_heads(self.places.sealer.connection).items()}
        lacking: dict[str, int] = {}
        for name, place in self._places().items():
            self.places.marks.over(name, sealed)
            marked = {stream: Head(n, b"") for stream, n in self.places.marks.of(name).items()}
            short = copies.streams_behind(name, place.connection, marked)
            lacking[name] = sum(marked[stream].n - n for stream, n in short.items())
        return {name: batches for name, batches in lacking.items() if batches}

    def _keys_lack(self) -> bool:
        """Whether what was written since the last seal needs keys or aliases that the key store does not have."""
        tail = copies.unsealed(self.places.active.connection, _MAKE)
        values = {one for each in tail for one in values_of(each)}
        rows = [row for one in values if (row := self._active_row(one)) is not None and row[3] == "held"]
        ids = [row[1] for row in rows if row[1] is not None]
        if len(self.places.vault.ciphers(Tier.ACTIVE, ids)) < len(set(ids)):
            return True
        filed = [cast(str, each.fields["paper"]) for each in tail if each.kind == "paper.filed"]
        if self._keyless_papers(filed):
            return True
        entered = [each.who for each in tail if each.kind == "subject.entered"]
        return any(self._subject_of(cast(str, alias)) is None for alias in entered)

    def _active_row(self, value: ValueId) -> tuple[str, int | None, bytes | None, str, str] | None:
        row = self.places.active.connection.execute(_ACTIVE_ROW, placed_value(value)).fetchone()
        return cast(tuple[str, int | None, bytes | None, str, str] | None, row)

    def _subject_of(self, alias: str) -> SubjectId | None:
        row = self.places.keys.connection.execute(_SUBJECT_OF, (alias,)).fetchone()
        return SubjectId(row[0]) if row else None

    def _go_on(self) -> None:
        """What start-up owes: steps that a crash cut short, and tokens of values whose second commit never came.

        A rehearsal that was cut short goes first: its steps are nobody's.
        """
        self.clear_rehearsals()
        if self.rehearsals_left():
            return  # one runs in another process, which sees to the rest too
        self._tokens_put_in()
        if not self.open_steps() and not self._papers_on_their_way():
            return
        try:
            with self.places.leases.lease("sweep", wait=False):
                self.carry_out(self.open_steps(), Swept())
                self._papers_going()
        except LeaseHeld:
            return  # somebody sweeps right now, and sees them too

    def _tokens_put_in(self) -> None:
        """Of values written since the last seal; also of those sealed with it, since who only seals looks for none."""
        active, ledger = self.places.active.connection, self.places.sealer.connection
        self.owed_tokens.owe([*copies.unsealed(active, MAKE), *copies.sealed_last(ledger, MAKE)])
        if self.places.vault.owed:
            self._flush()  # of values that last
            self.owed_tokens.pay()

    def _token_rows(
        self, transaction: Transaction, wanted: Sequence[_LookedUp], texts: Sequence[str]
    ) -> list[TokenRow]:
        roots = {tier: one.found(transaction.connection) for tier, one in self.places.vault.roots.items()}
        return [
            row
            for one, text in zip(wanted, texts, strict=True)
            for row in roots[one.tier].rows(one.policy, one.item, text, one.value_id, one.subject_id)
        ]

    def _identifier(self, one: _LookedUp) -> str:
        """It is opened for the house itself and shown to nobody; what comes of it is kept and tells nothing."""
        place = self.places.active if one.tier is Tier.ACTIVE else self.places.separated
        row = place.connection.execute(
            "SELECT key_id, sealed FROM value WHERE bucket = ? AND value_id = ?", placed_value(one.value_id)
        ).fetchone()
        return self.places.vault.open(
            one.tier, one.policy, one.subject_id, one.value_id, one.item, Sealed(*row)
        ).decode()

    # ── recovering ──────────────────────────────────────────────────────────────────────────────────────────────────

    def recover(
        self,
        *,
        anchors: Sequence[str] = (),
        documents: Iterable[Path | bytes] = (),
        incident: str | None = None,
    ) -> Recovered:
        """Bring old copies up to date from the sealed ledger; nobody else may have the home open meanwhile.

        `anchors` are texts of checkpoints or certificates that somebody kept: a ledger that lacks one is old. An old
        ledger is gone on with only under `incident`, a code that the officer signs for. `documents` are policies that
        were published since the copy was made. Raises HomeInUse, LedgerOld, DocumentMissing; doing it again changes
        nothing more.
        """
        given = documents_by_digest(one.read_bytes() if isinstance(one, Path) else one for one in documents)
        with self.presence.alone(), self.sweeping(), self._alone():
            done = Recovered()
            older = self._check_ledger(anchors, incident)
            self._name_journal_keys()
            behind = self._begin(done, incident if older else None)
            if older:
                self._join_on(behind)
            self._aliases_again(done)
            self._replay(behind.get("active", {}), given, done)
            self._caught_up()
            if not self._clear("cut-short", sealed=True):
                done.waiting.append("a reader keeps a file open: what a rehearsal left is not scrubbed yet")
            self._agree(done)
            swept = Swept()
            self.carry_out(self.open_steps(), swept)
            done.waiting += swept.waiting
            self._papers_agree(done)
            self._messages_open(done)
            self._tidy(done)
            self._old_roots_go(done)
            self._certificates_again(done)
            self._end(done)
            for name in self._places():
                self.places.marks.forget(name)  # what they told is in the counts now
        self.notice()
        return done

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Only this thread may use the places; whatever fails, they stay barred."""
        for place in self._places().values():
            place.barred = place.barred or "recovering: a recovery is under way or has failed. Run `upheld recover`"
            place.admitted = get_ident()
        self.views.forget_all()
        self.places.vault.forget_all()
        self.places.vault.drop_ahead()
        self.places.papers.drop_ahead()
        try:
            yield
        finally:
            for place in self._places().values():
                place.admitted = 0

    def _name_journal_keys(self) -> None:
        """An old copy of a place may name a key of its journal that has gone since. What it wrote then is sealed."""
        keys = self.places.sealer.keys
        for place in self._places().values():
            with place.transaction() as transaction:
                if not keys.holds(named_in(names_key(transaction.connection))):
                    name_key(transaction.connection, mark_of(keys.held[-1]))

    def _check_ledger(self, anchors: Sequence[str], incident: str | None) -> bool:
        """Whether the ledger is older than what somebody has seen of it, and is gone on from all the same."""
        ledger, key = self.places.sealer.connection, self.signing_key.public_key()
        lacking = self._ledger_lacks()
        kept = [one for one in anchors if copies.ledger_lacks(ledger, anchor_in(one), key)]
        if not lacking and not kept:
            return False
        if incident is None:
            who = ", ".join([*lacking, *["an anchor"] * bool(kept)])
            raise LedgerOld(
                f"{who} has seen a checkpoint that this ledger does not hold: the ledger is old, cut off, or another. "
                "Put the newest ledger back, or go on without it under an incident that the officer signs for"
            )
        return True

    def _begin(self, done: Recovered, incident: str | None) -> dict[str, dict[str, int]]:
        """p0: which places are old, by their streams and by the note of a recovery that was cut short.

        Before anything is changed: afterwards nothing would tell any more that it had been old, or what is gone.
        """
        behind = self._behind()
        found = {*behind, *(["keys"] if self._keys_lack() else [])}
        if noted := copies.remembered(self.places.active.connection, NOTE):
            _resume(done, noted)
        else:
            cut = self._cut()
            found |= cut.keys()
            done.counts["batches-cut-off"] += sum(cut.values())
        if incident is not None and done.incident is None:
            done.counts["batches-cut-off"] += self._ahead(behind)
            done.incident = incident
        done.places = tuple(sorted({*found, *done.places}))
        with self.places.active.transaction() as transaction:
            copies.remember(transaction, NOTE, _note(done))
        return behind

    def _ahead(self, behind: Collection[str]) -> int:
        """How many sealed batches of the places an older ledger does not hold."""
        sealed = history.sealed_heads(self.places.sealer.connection)
        return sum(
            copies.batches_ahead(place.connection, sealed)
            for name, place in self._places().items()
            if name not in behind
        )

    def _join_on(self, behind: Collection[str]) -> None:
        """An older ledger is the ledger from now on. Places older still are brought up to it like any old copy."""
        ledger = self.places.sealer.connection
        sealed, note = history.sealed_heads(ledger), history.newest_note(ledger)
        for name, place in self._places().items():
            if name not in behind:
                with place.transaction() as transaction:
                    copies.written_anew(transaction, name, sealed, note)

    def _replay(self, behind: Mapping[str, int], documents: Mapping[bytes, bytes], done: Recovered) -> None:
        """p2, one transaction."""
        sealer = self.places.sealer.connection
        sealed, note = history.sealed_heads(sealer), history.newest_note(sealer)
        active_keys, apart = self.places.vault.keys_of(Tier.ACTIVE), self._stored(Tier.SEPARATED)
        around = Around(
            subject_of=self._subject_of,
            kept_apart=frozenset(value for value, row in apart.items() if row.opens),
            opens=lambda key_id: key_id in active_keys,
            documents=documents,
        )
        with self.places.active.transaction() as transaction:
            replay = Replay(transaction, around)
            if behind:
                replay.run(one for one in copies.missed(sealer, behind) if not is_rehearsal(one.policy))
                subjects.new_plan(transaction)
            copies.caught_up(transaction, "active", sealed, note)
            done.counts += +replay.counts
            done.unknown += len(replay.unknown)
            copies.remember(transaction, NOTE, _note(done))
        self.views.forget_all()

    def _caught_up(self) -> None:
        """p3."""
        sealer = self.places.sealer.connection
        sealed, note = history.sealed_heads(sealer), history.newest_note(sealer)
        for name in ("separated", "keys"):
            with self._places()[name].transaction() as transaction:
                copies.caught_up(transaction, name, sealed, note)

    # ── aliases ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _aliases_again(self, done: Recovered) -> None:
        """p1: who is in the active place without an alias gets the one under which the ledger speaks of their ids."""
        with self.places.keys.reading() as keys, self.places.active.reading() as active:
            known = {row[0] for row in keys.execute("SELECT subject_id FROM alias")}
            nameless = {row[0]: row[1] for row in active.execute(_SUBJECTS) if row[0] not in known}
            owners = {own: person for table in _OWN_IDS for person, own in active.execute(table) if person in nameless}
        if not nameless:
            return
        found: dict[str, str] = {}
        for recorded in history.entries(self.places.sealer.connection):
            who = recorded.entry.who
            if isinstance(who, str):
                found.update({owners[one]: who for one in _ids_in(recorded.entry) if one in owners})
        rows = [
            (bucket_of(SubjectId(person)), person, found.get(person) or self.new_id(), policy)
            for person, policy in nameless.items()
        ]
        with self.places.keys.transaction() as transaction:
            transaction.executemany("INSERT INTO alias(bucket, subject_id, alias, policy) VALUES(?, ?, ?, ?)", rows)
        self.views.forget_all()
        done.counts["aliases"] += len(rows)

    # ── values ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _stored(self, tier: Tier) -> dict[ValueId, _Stored]:
        keys = self.places.vault.keys_of(tier)
        place = self.places.active if tier is Tier.ACTIVE else self.places.separated
        with place.reading() as connection:
            return {
                ValueId(value): _Stored(
                    SubjectId(subject), item, state, key_id, sealed, bool(sealed) and key_id in keys
                )
                for value, subject, item, state, key_id, sealed in connection.execute(_STORED[tier])
            }

    def _agree(self, done: Recovered) -> None:
        """p4: active, separated and keys are made to agree, key before copy, the active place last."""
        active, apart = self._stored(Tier.ACTIVE), self._stored(Tier.SEPARATED)
        going = {step.value_id: step.tier for step in self.open_steps()}
        verdicts = _Verdicts()
        for value, row in active.items():
            _judge(value, row, apart.get(value), going.get(value), verdicts)
        verdicts.apart_goes += [value for value in apart if value not in active]
        with self.places.keys.transaction() as transaction:
            named = [apart[value].key_id for value in verdicts.apart_goes]
            keys = [placed_key(key_id) for key_id in named if key_id is not None]
            transaction.executemany(DELETE_KEY[Tier.SEPARATED], keys)
        with self.places.separated.transaction() as transaction:
            goes = list(map(placed_value, verdicts.apart_goes))
            transaction.executemany("DELETE FROM value WHERE bucket = ? AND value_id = ?", goes)
            transaction.executemany(_HELD_AGAIN, list(map(placed_value, verdicts.apart_held)))
            if verdicts.apart_goes:
                values = tuple(sorted(verdicts.apart_goes))
                transaction.journal(entry("copy.removed", transaction.at, HOUSE, None, (), values=values))
        with self.places.active.transaction() as transaction:
            transaction.executemany(_BLANK, list(map(placed_value, verdicts.blank)))
            transaction.executemany(_NOW_SEPARATED, list(map(placed_value, verdicts.separated)))
            self._lose(transaction, verdicts.lost, active)
            done.lost += [value for value, _ in verdicts.lost]
            done.counts["copies-removed"] += len(verdicts.apart_goes) + len(verdicts.blank)
            done.counts["lost"] += len(verdicts.lost)
            copies.remember(transaction, NOTE, _note(done))
        self.views.forget_all()

    def _lose(
        self, transaction: Transaction, lost: Sequence[tuple[ValueId, str]], active: Mapping[ValueId, _Stored]
    ) -> None:
        for value, place in lost:
            person = active[value].subject_id
            row = subjects.load(transaction.connection, person)
            transaction.changed(_LOST, placed_value(value))
            transaction.execute(_DELETE_STEP, (bucket_of(person), person, value))
            if row is not None:
                subjects.touch(transaction, person, row.epoch, row.last_at)
                subjects.mark_dirty(transaction, person, row.policy)
            policy = row.policy if row is not None else HOUSE
            alias = self.views.alias(person) or None
            transaction.journal(entry("value.lost", transaction.at, policy, alias, (), values=(value,), place=place))

    def _messages_open(self, done: Recovered) -> None:
        """What waited to be sent when the copy was made may have been sent since, in a tail that no seal has seen."""
        if "active" not in done.places:
            return
        with self.places.active.transaction() as transaction:
            moved = transaction.execute(_MAY_BE_SENT, (outbox.NEVER,)).rowcount
        done.counts["messages-uncertain"] += moved

    # ── papers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _keyless_papers(self, wanted: Sequence[str] | None = None) -> list[PaperRow]:
        """Papers that are held and have no key, of those named or of all."""
        with self.places.active.reading() as connection:
            rows = [papers.paper_row(row) for row in connection.execute(_HELD_PAPERS)] if wanted != [] else []
        named = [row for row in rows if wanted is None or row.paper_id in wanted]
        known = self.places.papers.known() if named else set()
        return [row for row in named if row.paper_id not in known]

    def _papers_agree(self, done: Recovered) -> None:
        """What was destroyed since is destroyed again; what nobody can open any more is lost, and on record as that."""
        self._papers_going()
        with self.places.active.reading() as connection:
            empty = [papers.paper_row(row) for row in connection.execute(_EMPTY_PAPERS)]
        lost = {row.paper_id: row for row in (*empty, *self._keyless_papers())}
        with self.places.keys.transaction() as transaction:
            self.places.papers.destroy(transaction, lost)
        with self.places.active.transaction() as transaction:
            for policy, alias, handler, ids in self._by_owner(lost.values()):
                transaction.journal(entry("paper.lost", transaction.at, policy, alias, (), papers=ids, handler=handler))
            keys = [row.key for row in lost.values()]
            transaction.executemany("DELETE FROM paper WHERE bucket = ? AND paper_id = ?", keys)
            rows = {row[0] for row in transaction.execute("SELECT paper_id FROM paper").fetchall()}
        orphans = self.places.papers.known() - rows
        with self.places.keys.transaction() as transaction:
            gone = self.places.papers.destroy(transaction, sorted(orphans))
        done.counts["papers-lost"] += len(lost)
        done.counts["keys-destroyed"] += len(gone)

    # ── keys, tokens, certificates ──────────────────────────────────────────────────────────────────────────────────

    def _tidy(self, done: Recovered) -> None:
        """p6: keys and tokens are those of the values that are there. An old key store brought others back."""
        vault = self.places.vault
        vault.drop_ahead()
        # Keys made today may be meant for values to come, unless an old key store may have brought some of them back.
        first_kept = 1 << 62 if done.places or done.incident else vault.first_of_today()
        stored = {tier: self._stored(tier) for tier in Tier}
        orphans = {
            tier: [
                key for key in vault.keys_of(tier) - {row.key_id for row in stored[tier].values()} if key < first_kept
            ]
            for tier in Tier
        }
        wanted = {
            (tier.value, value)
            for tier in Tier
            for value, row in stored[tier].items()
            if row.state == "held" and row.opens
        }
        with self.places.keys.reading() as connection:
            tokens = connection.execute("SELECT tier, value_id, token FROM token").fetchall()
            named = {row[0] for row in connection.execute("SELECT subject_id FROM alias")}
        with self.places.active.reading() as connection:
            nobodys = named - {row[0] for row in connection.execute("SELECT subject_id FROM subject")}
        known, whole = self._tokens_known(tokens)
        missing = self._looked_up_of(wanted - whole, stored)
        texts = [self._identifier(one) for one in missing]
        with self.places.keys.transaction() as transaction:
            for tier in Tier:
                transaction.executemany(DELETE_KEY[tier], list(map(placed_key, orphans[tier])))
            over = [(tier, *placed_value(value)) for tier, value in sorted(known - (wanted & whole))]
            transaction.executemany("DELETE FROM token WHERE tier = ? AND bucket = ? AND value_id = ?", over)
            vault.put_tokens(transaction, self._token_rows(transaction, missing, texts))
            # Whoever was forgotten is not tied to the entries again.
            gone = [(bucket_of(SubjectId(one)), one) for one in sorted(nobodys)]
            transaction.executemany("DELETE FROM alias WHERE bucket = ? AND subject_id = ?", gone)
        with self.places.active.transaction() as transaction:
            done.counts["days-forgotten"] += transaction.execute(NOBODYS_DAYS).rowcount
        done.counts["aliases-destroyed"] += len(nobodys)
        done.counts["keys-destroyed"] += sum(map(len, orphans.values()))
        done.counts["tokens"] += len(missing) + len(known - (wanted & whole))
        clean = [place.scrub(whole=True) for place in self._places().values()]
        if not all(clean):
            done.waiting.append("a reader keeps a file open: what was removed is not scrubbed yet; recover again")

    def _old_roots_go(self, done: Recovered) -> None:
        """An old key store has a root of tokens that the ledger says is gone: it goes again, and its tokens with it. A
        rotation that was under way when the copy was made is ended.
        """
        ledger = self.places.sealer.connection
        said = [one.entry.fields for one in history.entries(ledger, kinds=("keys.rotated",))]
        for tier, roots in self.places.vault.roots.items():
            gone = {one["before"] for one in said if one["store"] == store_of(tier)}
            with self.places.keys.reading() as connection:
                begun = begun_in(connection, tier)
            if begun or any(fingerprint(root) in gone for root in roots.known().held.values()):
                made, _ = make_tokens_anew(self.places, tier)
                done.counts["tokens"] += made

    def _tokens_known(
        self, tokens: Iterable[tuple[str, int, bytes]]
    ) -> tuple[set[tuple[str, ValueId]], set[tuple[str, ValueId]]]:
        """Values by tier that have any token, and those that have one under each root and none under another."""
        marks: dict[tuple[str, ValueId], set[bytes]] = {}
        for tier, value, token in tokens:
            marks.setdefault((tier, ValueId(value)), set()).add(marked(token))
        for one in self.places.vault.roots.values():
            one.forget()
        right = {tier.value: one.known().held.keys() for tier, one in self.places.vault.roots.items()}
        return set(marks), {one for one, found in marks.items() if found == right[one[0]]}

    def _looked_up_of(
        self, wanted: Iterable[tuple[str, ValueId]], stored: Mapping[Tier, Mapping[ValueId, _Stored]]
    ) -> list[_LookedUp]:
        found: list[_LookedUp] = []
        for name, value in sorted(wanted):
            row = stored[Tier(name)][value]
            known = subjects.load(self.places.active.connection, row.subject_id)
            if known is not None and self.looked_up(known.policy, row.item):
                found.append(_LookedUp(Tier(name), known.policy, row.subject_id, value, row.item))
        return found

    def _certificates_again(self, done: Recovered) -> None:
        """Certificates are made again from the ledger, and kept when they are to the byte what was certified."""
        if "active" not in done.places and done.incident is None:
            return
        ledger = self.places.sealer.connection
        with self.places.active.transaction() as transaction:
            known = dict(transaction.execute("SELECT certificate_id, issued_at FROM certificate").fetchall())
            found = (one.entry for one in history.entries(ledger, kinds=("certificate.issued",)))
            last = {one.fields["certificate"]: one for one in found}
            done.counts["certificates-unproved"] += len(known.keys() - last.keys())
            for issued in last.values():
                person = self._subject_of(issued.who) if isinstance(issued.who, str) else None
                if known.get(issued.fields["certificate"]) == issued.at or person is None:
                    continue
                if subjects.epoch_of(transaction.connection, person) is None:
                    continue
                body = self._certified(issued, person)
                done.counts["certificates" if body else "certificates-missing"] += 1
                if body:
                    number, at = issued.fields["certificate"], msgspec.json.decode(body, type=Certificate).certified_at
                    transaction.execute("DELETE FROM certificate WHERE certificate_id = ?", (number,))
                    row = (bucket_of(person), person, number, issued.policy, at, issued.at, body)
                    transaction.execute(_INSERT_CERTIFICATE, row)

    def _certified(self, issued: Entry, person: SubjectId) -> bytes | None:
        """The body of a certificate by what the ledger says of its values; None when it is not what was certified."""
        about = [one.entry for one in history.entries_about(self.places.sealer.connection, cast(str, issued.who))]
        number = issued.fields["certificate"]
        over = next(
            (one for one in about if one.kind == "value.destroyed" and one.fields["certificate"] == number), None
        )
        if over is None or "scrubbed_at" not in over.fields:
            return None
        values = cast(tuple[int, ...], over.fields["values"])
        steps = [step for value in values for step in _ordered(about, ValueId(value), person)]
        unreadable = [
            Instant(one.at)
            for one in about
            if one.kind == "key.destroyed" and set(values) & set(cast(tuple[int, ...], one.fields["values"]))
        ]
        if not steps or not unreadable:
            return None
        first = min(one.at for one in about if one.kind == "certificate.issued" and one.fields["certificate"] == number)
        line, at = self.views.line(issued.policy), Instant(first)
        with self.places.active.reading() as connection:
            approver = approver_of(connection, issued.policy, steps)
        for rewritten_within in counted_in(self.places.rewritten_within, self.places.copies_kept):
            certificate = certificate_of(
                line.at(at) or line.latest,
                cast(str, number),
                cast(str, issued.who),
                steps,
                max(unreadable),
                Instant(cast(int, over.fields["scrubbed_at"])),
                at,
                cleared_elsewhere(about, values, issued.at, line),
                self.places.copies_kept,
                rewritten_within,
                approver,
            )
            body = msgspec.json.encode(certificate)
            if hashlib.sha256(body).digest() == issued.fields["digest"]:
                return body
        return None

    def _end(self, done: Recovered) -> None:
        """p7."""
        if done.unknown:
            done.counts["persons-unknown"] = done.unknown
        done.counts = +done.counts
        if not self.views.lines:
            self.views.refresh()
        policy = next(iter(self.views.lines), HOUSE)
        said = done.places or (("ledger",) if done.incident else ())
        with self.places.active.transaction() as transaction:
            for name in said:
                counts = dict(done.counts)
                fields = {"place": name, "counts": counts, "incident": done.incident}
                transaction.journal(entry("recovered", transaction.at, policy, None, (), **fields))
            copies.remember(transaction, NOTE, None)
        for place in self._places().values():
            place.barred = None
        self.seal()


def _note(done: Recovered) -> str:
    """What a recovery that is cut short must not forget: what was old, what is gone, under which incident."""
    said = {"places": done.places, "counts": +done.counts, "lost": done.lost, "unknown": done.unknown}
    return json.dumps(said | {"incident": done.incident})


def _resume(done: Recovered, noted: str) -> None:
    """Go on from the note of a recovery that was cut short, be it one of a program that noted the places alone."""
    said = json.loads(noted)
    if isinstance(said, list):
        done.places = tuple(said)
        return
    done.places, done.counts, done.lost = tuple(said["places"]), Counter(said["counts"]), said["lost"]
    done.unknown, done.incident = said["unknown"], said["incident"]


def _judge(value: ValueId, row: _Stored, apart: _Stored | None, going: Tier | None, verdicts: _Verdicts) -> None:
    """What one value needs. The active place knows what it is; the other two know what still opens."""
    copy_opens = apart is not None and apart.opens
    match row.state:
        case "held" | "moving":
            if row.opens:
                if apart is not None and (row.state == "held" or not copy_opens):
                    verdicts.apart_goes.append(value)
            elif copy_opens:
                verdicts.separated.append(value)
                verdicts.apart_held.append(value)
            else:
                verdicts.lost.append((value, "active"))
                verdicts.apart_goes += [value] if apart is not None else []
        case "separated":
            if row.sealed:
                verdicts.blank.append(value)
            if not copy_opens:
                verdicts.lost.append((value, "separated"))
                verdicts.apart_goes += [value] if apart is not None else []
            elif going is None:
                verdicts.apart_held.append(value)
        case "condemned":
            if apart is not None and going is Tier.ACTIVE:
                verdicts.apart_goes.append(value)
        case _:
            if row.sealed or row.key_id is not None:
                verdicts.blank.append(value)
            if apart is not None:
                verdicts.apart_goes.append(value)


def _ordered(about: Iterable[Entry], value: ValueId, person: SubjectId) -> Iterator[OpenStep]:
    """The step by which a value was ordered destroyed, as the ledger has it."""
    for one in about:
        if one.kind == "destruction.ordered" and value in cast(tuple[int, ...], one.fields["values"]):
            due_at, at = Instant(cast(int, one.fields["due_at"])), Instant(one.at)
            item = cast(tuple[str, ...], one.fields["items"])[0]
            grounds = tuple(sorted(cast(tuple[str, ...], one.fields["grounds"])))
            tier = Tier(cast(str, one.fields.get("tier", "active")))
            yield OpenStep(
                person, value, "destroy", one.policy, "ordered", 1, tier, None, item, due_at, due_at, at, None, grounds
            )


def _ids_in(each: Entry) -> Iterator[object]:
    """Every id that an entry names, besides the alias."""
    for given in each.fields.values():
        if isinstance(given, tuple):
            yield from given
        elif isinstance(given, str | int):
            yield given


_MAKE = MAKE | {"subject.entered", "paper.filed"}
"""Kinds of entries that need something of the key store: an alias, keys, tokens."""
_ACTIVE_ROW = "SELECT subject_id, key_id, sealed, state, item FROM value WHERE bucket = ? AND value_id = ?"
_SUBJECT_OF = "SELECT subject_id FROM alias WHERE alias = ?"
_SUBJECTS = "SELECT subject_id, policy FROM subject"
_OWN_IDS = (
    "SELECT subject_id, engagement_id FROM engagement",
    "SELECT subject_id, fact_id FROM fact",
    "SELECT subject_id, consent_id FROM consent",
    "SELECT subject_id, request_id FROM request",
    "SELECT subject_id, disclosure_id FROM disclosure",
    "SELECT subject_id, value_id FROM value",
    "SELECT owner, paper_id FROM paper WHERE held_by = 'subject'",
)
_MAY_BE_SENT = (
    "UPDATE message SET state = 'uncertain', reason = 'recovered', next_at = ? WHERE state IN ('queued', 'sending')"
)
_HELD_PAPERS = papers.ALL_WHERE.format("state = 'held'")
_EMPTY_PAPERS = papers.ALL_WHERE.format("sealed IS NULL")
_STORED = {
    Tier.ACTIVE: "SELECT value_id, subject_id, item, state, key_id, sealed IS NOT NULL FROM value",
    Tier.SEPARATED: "SELECT value_id, subject_id, item, stage, key_id, sealed IS NOT NULL FROM value",
}
_HELD_AGAIN = "UPDATE value SET stage = 'held' WHERE bucket = ? AND value_id = ?"
_BLANK = "UPDATE value SET sealed = NULL, key_id = NULL WHERE bucket = ? AND value_id = ?"
_NOW_SEPARATED = "UPDATE value SET state = 'separated', sealed = NULL, key_id = NULL WHERE bucket = ? AND value_id = ?"
_LOST = "UPDATE value SET state = 'destroyed', sealed = NULL, key_id = NULL WHERE bucket = ? AND value_id = ?"
_INSERT_CERTIFICATE = (
    "INSERT INTO certificate(bucket, subject_id, certificate_id, policy, at, issued_at, body) "
    "VALUES(?, ?, ?, ?, ?, ?, ?)"
)
_DELETE_STEP = "DELETE FROM step WHERE bucket = ? AND subject_id = ? AND value_id = ?"
__all__ = ["Recovered", "Recovery"]
