"""The shape every verb has: facts, decision, effect, evidence, committed in one place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from argon2 import PasswordHasher

from upheld.dates import BEGINNING, FOREVER, Instant, Period, instant, local_date, start_of
from upheld.engine.acts import (
    ACT_CODES,
    Act,
    Cited,
    Collect,
    Decision,
    Disclose,
    EngagementId,
    Entrust,
    Provide,
    Read,
    ReadSeparated,
    Send,
    Show,
    SubjectId,
    refused,
)
from upheld.engine.compile import KNOWN
from upheld.engine.decide import decide_safely
from upheld.engine.plan import Plan, Rule
from upheld.engine.state import About, SubjectState
from upheld.engine.view import View
from upheld.errors import InputRefused, StoreFailed
from upheld.keeper.outcome import Outcome
from upheld.keeper.owed_tokens import OwedTokens, TokensOwed
from upheld.ledger.checkpoint import SigningKey, checkpoint_in
from upheld.ledger.entries import Entry, entry
from upheld.store import copies, history, subjects
from upheld.store.engine import Connection, Deadlocked, Question
from upheld.store.ids import IdTaken, bucket_of, new_id
from upheld.store.journal import unsealed_since
from upheld.store.leases import Leases
from upheld.store.marks import Marks
from upheld.store.papers import PaperKeys
from upheld.store.place import Place, Recovering, Transaction
from upheld.store.sealing import Sealer, Sealing
from upheld.store.vault import HOUSE, Tier, Vault
from upheld.store.views import Seen, Stale, Views

T = TypeVar("T")

_MOST_LEFT = 15
"""So many days that somebody left are remembered, and one more."""
_ENDS_NOTHING = ("collected/", "provided/", "consented/")
"""Facts of ours after which no engagement can have ended."""

LEAPT = "clock-leapt"
"""Under this word the active place remembers that the clock leapt, until an officer says that it is right."""

_ATTEMPTS = 50
_AMONG_OTHERS = nullcontext()
_TRIES = 3
"""So often what is to be sealed may lack look-up tokens: who takes a value has put in its own by the next time."""
OVERTAKEN = 3
"""So many times others may be faster with what somebody decides on."""
GONE = "@gone"
"""A day from which the time counts for which proofs are kept: on which a subject came, last changed, or lost its last
value. The sweep looks again when it is over.
"""
When = datetime | Instant | None


@dataclass
class Places:
    """Where things are: the three places, the ledger, and what makes ids and instants."""

    active: Place
    separated: Place
    keys: Place
    sealer: Sealer
    vault: Vault
    papers: PaperKeys
    views: Views
    leases: Leases
    marks: Marks
    """How far each place has got, outside of all of them."""
    copies_kept: Period
    """How long copies of destroyed keys are kept: backups, and the log of a server. Certificates count it in."""
    rewritten_within: timedelta
    """By when large tables of keys on a server are written anew after a destruction. Certificates count it in too."""
    ledger_copy: Callable[[], AbstractContextManager[Path]]
    """The ledger as a file of its own, for who verifies it."""
    now: Callable[[], Instant]
    random_bytes: Callable[[int], bytes]
    fail: Callable[[str, Exception], None]
    """Told of a rule of ours that failed (the act was refused)."""
    seals: bool = True
    """Whether this user of the databases may seal; who only serves on a server may not, and others do each minute."""
    whole: bool = True
    """Whether this user of the databases may see persons and keys; who only seals or prunes may not."""
    look_up: frozenset[tuple[str, str]] = frozenset()
    """Policy and item of what people are looked up by."""


class Door:
    """What all verbs share. `Keeper` is made of this and of the verbs in the order of a datum's life."""

    hasher: PasswordHasher
    looked_up: Callable[[str, str], bool]
    """Whether subjects are looked up by an item of a policy."""
    in_reach: Callable[[Instant], bool]
    """Whether the clock is within reach of the last checkpoint."""
    clock_set: bool
    """Whether a program moves the clock, as a simulation does: no leap of it means anything."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.views = places.views
        self.owed_tokens = OwedTokens(places.active, places.vault, places.look_up, places.whole)
        self._recovering = False

    @property
    def signing_key(self) -> SigningKey:
        """The key that signs checkpoints and certificates now."""
        return self.places.sealer.signing_key

    # ── instants and ids ────────────────────────────────────────────────────────────────────────────────────────────

    def now(self) -> Instant:
        """The instant of the one clock."""
        return self.places.now()

    def new_id(self) -> str:
        """A fresh opaque id."""
        return new_id(self.places.random_bytes)

    def _happened(self, at: When, seen: Seen | None = None) -> Instant:
        """When a fact happened: what the caller says, never the future. What happens now happens no earlier than the
        last instant known for the subject, as decisions do: a clock that jumped back reorders nothing.
        """
        now = self.now()
        if at is None:
            return now if seen is None else self._decided_at(seen)
        when = instant(at) if isinstance(at, datetime) else at
        if when > now:
            raise InputRefused("in-the-future", "a fact cannot happen after now; give the instant at which it happened")
        return when

    def _decided_at(self, seen: Seen) -> Instant:
        return max(self.now(), seen.last_at)

    # ── the one shape ───────────────────────────────────────────────────────────────────────────────────────────────

    def _decide(self, act: Act, seen: Seen, at: Instant) -> Decision:
        return decide_safely(act, seen.view, at, lambda failure: self.places.fail(ACT_CODES[type(act)], failure))

    def _attempt(
        self,
        subject_id: SubjectId,
        work: Callable[[Transaction, Seen, Instant], T],
        *,
        early: bool = False,
        adds: bool = False,
    ) -> T:
        """Run work on a current view of the subject, again with a fresh one when another writer was faster.

        `early`: it takes no instant but the one given to it and `transaction.at`; see `Place.submit`. `adds`: besides,
        it takes nothing away and looks at no row; see `Place.added`.
        """
        if self._recovering:
            raise Recovering("recovering: this home is bringing an old copy up to date; run `upheld recover`")
        for turn in range(_ATTEMPTS):
            now = self.places.now()
            seen = self.views.get(subject_id, now)
            try:
                if turn < OVERTAKEN:
                    task = partial(_with, work, seen, now if now > seen.last_at else seen.last_at)
                    done = self.places.active.added(subject_id, task) if adds and not turn else None
                    return done[0] if done else self.places.active.submit(task, about=(subject_id,), early=early)
                with self._undisturbed(turn):
                    seen = self.views.get(subject_id, self.now())
                    task = partial(_with, work, seen, self._decided_at(seen))
                    return self.places.active.submit(task, about=(subject_id,), early=early)
            except (Stale, IdTaken, Deadlocked):
                self.views.drop(subject_id)
            except InputRefused:
                self.views.drop(subject_id)
                if self.views.renewed(seen):
                    continue  # by a document or a person that are others by now
                raise
            except BaseException:
                self.views.drop(subject_id)
                raise
        raise StoreFailed("the subject changed under every attempt; try again when fewer writers work on it")

    def _undisturbed(self, turn: int) -> AbstractContextManager[None]:
        """Who was overtaken again and again decides with the place to itself: no reader or writer starves."""
        if turn < OVERTAKEN or self.places.active.batching:
            return _AMONG_OTHERS
        return self.places.active.batch()

    @contextmanager
    def batch(self, about: Collection[str] | None = None, *, also: Sequence[Question] = ()) -> Iterator[None]:
        """Writing verbs inside share one durable commit; each keeps its own decision. Nothing is released before it.

        `about`: whom it is about, as far as that is known; then it waits for nobody else, and nobody for it, and raises
        NotClaimed where it turns out to be about more than can be had at once.
        """
        try:
            with self.places.active.batch(about, also=also):
                yield
        except BaseException:
            self.views.forget_all()
            raise

    def together(self, work: Callable[[], T], *, about: Collection[str] | None = None) -> T:
        """Writing verbs inside share one durable commit with each other, and with whatever else waits to be written.

        A batch is alone in its process, this is not. `about` as for a batch. Nothing is released inside. Another thread
        may run the work.
        """
        try:
            return self.places.active.together(work, about=about)
        except BaseException:
            self.views.forget_all()
            raise

    def _releases(self) -> None:
        """Contents leave only when that is on record, and inside a batch nothing is yet. INVARIANT: I6."""
        if self.places.active.batching:
            raise InputRefused("in-a-batch", "contents are shown only when that is on record; ask outside the batch")

    def _refusal(self, transaction: Transaction, seen: Seen, act: Act, decision: Decision) -> None:
        """A refusal is evidence too. It is recorded on a current view only."""
        self.views.prove(transaction, seen)
        items, purpose, recipient = _subject_matter(act)
        transaction.journal(
            entry(
                "act.refused",
                transaction.at,
                seen.policy,
                seen.alias,
                decision.elements,
                act=ACT_CODES[type(act)],
                reasons=tuple(reason.value for reason in decision.reasons),
                purpose=purpose if purpose in seen.view.plan.purposes else None,
                recipient=recipient if _declared(seen.view.plan, recipient) else None,
                items=tuple(item for item in items if item in seen.view.plan.items),
            )
        )

    def _not_done(self, transaction: Transaction, seen: Seen, act: str, against: Cited, now: Instant) -> Outcome:
        """An act that no decision of the engine is asked for is refused, and on record with its reason and clauses."""
        self.views.prove(transaction, seen)
        decision = refused(against)
        reasons = tuple(reason.value for reason in decision.reasons)
        transaction.journal(
            self._entry(seen, transaction.at, "act.refused", (), act=act, reasons=reasons).with_elements(
                decision.elements
            )
        )
        return Outcome(decision, now)

    def _entry(self, seen: Seen, at: Instant, kind: str, rules: tuple[Rule, ...] = (), /, **fields: object) -> Entry:
        return entry(kind, at, seen.policy, seen.alias or None, tuple(rule.path for rule in rules), **fields)  # type: ignore[arg-type]  # packing checks them

    def _tell(
        self,
        transaction: Transaction,
        seen: Seen,
        disclosure_id: str,
        recipient: str,
        reason: str,
        request_id: str | None,
    ) -> None:
        """A recipient is told; its acknowledgement is awaited."""
        row = (
            bucket_of(seen.subject_id),
            seen.subject_id,
            told := self.new_id(),
            disclosure_id,
            recipient,
            reason,
            request_id,
            transaction.at,
        )
        transaction.execute(_INSERT_TOLD, row)
        plan = seen.view.plan
        declared = plan.provisions.get(recipient) or plan.entrustments.get(recipient)
        rules = (declared.rule,) if declared else ()
        transaction.journal(
            self._entry(
                seen,
                transaction.at,
                "recipient.told",
                rules,
                recipient=recipient,
                disclosure=disclosure_id,
                request=request_id,
                message=told,
                reason=reason,
            )
        )

    def _withdrawn(self, transaction: Transaction, seen: Seen, matter: About) -> None:
        """A consent was taken back: what waits to be sent on it is not sent."""

    def seal(self, wait: bool = True) -> Sealing:
        """Take what the places have written since into the sealed ledger, under a signed checkpoint.

        The ledger waits for the disk. That the places drop what it holds need not: a drop that a power cut undoes is
        found sealed, and done again. Raises LeaseHeld when somebody else is sealing and `wait` is False.

        A checkpoint says what the clock shows. A clock that has leapt is not trusted for having been sealed with: that
        it leapt is remembered until the officer's word.
        """
        if not self.in_reach(self.now()):
            self._note_leap()
        return self._sealed(wait)

    def seal_first(self) -> None:
        """Before somebody looks at the ledger: what waits is sealed, where this user of the databases may seal."""
        if self.places.seals:
            self.seal()

    def _sealed(self, wait: bool = True) -> Sealing:
        """Nothing that is sealed lacks its look-up tokens: where some are missing, nobody has the right to seal until
        they are in, and it is tried again.
        """
        for _ in range(_TRIES):
            self.owed_tokens.pay()
            with suppress(TokensOwed):
                return self._sealed_with_tokens(wait)
        self.owed_tokens.pay()
        return self._sealed_with_tokens(wait)

    def _sealed_with_tokens(self, wait: bool) -> Sealing:
        named = (self.places.active, self.places.separated, self.places.keys)
        with ExitStack() as held:
            places: dict[str, Connection] = {}
            for place in named:
                places[place.name] = held.enter_context(place.reading())
                held.enter_context(place.engine.soon(place.connection))
            written = {
                **self.places.active.writer.heads,
                **self.places.separated.writer.heads,
                **self.places.keys.writer.heads,
            }
            sealing = self.places.sealer.seal(
                places, self.now(), written=written, flush=self._flush, check=self.owed_tokens.check, wait=wait
            )
            if self.places.active.tail is not None:
                self.places.active.tail.sealed()
            return sealing

    def clock_trusted(self, now: Instant) -> bool:
        """Whether the clock is within reach of the last checkpoint, and no leap of it waits for the officer's word."""
        if self.clock_set:
            return True
        with self.places.active.reading() as connection:
            return copies.remembered(connection, LEAPT) is None and self.in_reach(now)

    def _note_leap(self) -> None:
        """Once for each leap, in the ledger too: an old copy of the place learns of it there."""
        reached = checkpoint_in(history.newest_note(self.places.sealer.connection)).at
        claimed = self.now()

        def work(transaction: Transaction) -> None:
            if copies.remembered(transaction.connection, LEAPT) is None:
                copies.remember(transaction, LEAPT, "yes")
                transaction.journal(
                    entry("clock.stopped", transaction.at, HOUSE, None, (), reached=reached, claimed=claimed)
                )

        self.places.active.submit(work)

    def _confirm_clock(self, now: Instant) -> None:
        """The officer says that the clock is right. Forgotten last: whoever dies in between has to be asked again."""
        if self.clock_trusted(now):
            return
        self.places.active.submit(
            lambda transaction: transaction.journal(entry("clock.confirmed", transaction.at, HOUSE, None, ()))
        )
        self._sealed()  # under what the clock shows: from here on that is within reach
        self.places.active.submit(lambda transaction: copies.remember(transaction, LEAPT, None))

    def _flush(self) -> None:
        """All that the places show is on their disks: before somebody acts elsewhere on what another process wrote."""
        for place in (self.places.active, self.places.separated, self.places.keys):
            place.flush()

    def _tail_waits(self, now: Instant) -> bool:
        """Whether evidence of any process, also of one that ended, has waited too long to be sealed."""
        tail = self.places.active.tail
        if tail is None:
            return False
        waiting: list[int | None] = []
        for place in (self.places.active, self.places.separated, self.places.keys):
            with place.reading() as connection:
                waiting.append(unsealed_since(connection))
        return any(since is not None and now - since >= tail.seconds * 1_000_000 for since in waiting)

    # ── what a change leaves for the sweep ──────────────────────────────────────────────────────────────────────────

    def _changed(
        self,
        transaction: Transaction,
        seen: Seen,
        state: SubjectState,
        at: Instant,
        facts: tuple[tuple[str, Instant], ...],
    ) -> Seen:
        """Lock the subject, cache what it becomes, and leave the days from which periods count.

        The work may have waited for its turn since `at`. Its last instant is not before what it writes: whoever looked
        at the clock earlier, and sees this, decides on it.
        """
        moved = self.views.advance(transaction, seen, state, max(at, transaction.at, self.now()))
        moved.left = leave(transaction, seen, moved.view, facts)
        if not all(code.startswith(_ENDS_NOTHING) for code, _ in facts):
            self._note_ended(transaction, moved, at)
        return moved

    @staticmethod
    def _note_ended(transaction: Transaction, seen: Seen, at: Instant) -> None:
        """Engagements that have ended leave the day from which what follows them counts."""
        for engagement_id in seen.state.engagements:
            ended = seen.view.life.engagement_end(engagement_id).at
            if BEGINNING < ended <= at:
                for day in anchor_days(ended, seen.view.plan):
                    subjects.add_anchor(transaction, seen.policy, "ended", day, seen.subject_id)

    def _stirred(self, transaction: Transaction, seen: Seen) -> None:
        """A fact came in that can end something: the sweep looks at the subject, again when the settling
        time is over.
        """
        subjects.mark_dirty(transaction, seen.subject_id, seen.policy)
        for day in anchor_days(transaction.at, seen.view.plan):
            subjects.add_anchor(transaction, seen.policy, KNOWN, day, seen.subject_id)

    def _engagement(self, seen: Seen, engagement: EngagementId | None, kinds: frozenset[str]) -> EngagementId | None:
        """The engagement an act names, or the only open one of the kinds it could mean."""
        if engagement is not None or not kinds:
            return engagement
        open_ones = [
            one.engagement_id
            for one in seen.state.engagements.values()
            if one.kind in kinds and seen.view.life.engagement_end(one.engagement_id).at == FOREVER
        ]
        return open_ones[0] if len(open_ones) == 1 else None

    def _connection(self) -> Connection:
        return self.places.active.connection


def _with(work: Callable[[Transaction, Seen, Instant], T], seen: Seen, at: Instant, transaction: Transaction) -> T:
    return work(transaction, seen, at)


def leave(
    transaction: Transaction, seen: Seen, view: View, facts: Sequence[tuple[str, Instant]]
) -> tuple[tuple[str, int], ...]:
    """Leave the days from which periods count; those of the person that are known to be there, these and others."""
    left, anchored = seen.left, view.line.anchored
    for code, happened in facts:
        if code in anchored:
            for day in anchor_days(happened, view.plan):
                if (code, day) not in seen.left:
                    subjects.add_anchor(transaction, seen.policy, code, day, seen.subject_id)
                    left = (*left[-_MOST_LEFT:], (code, day))
    return left


def anchor_days(at: Instant, plan: Plan) -> tuple[int, ...]:
    """The local day of an instant as an anchor; an event at 00:00 counts with the day before as well."""
    day = local_date(at, plan.zone)
    if start_of(day, plan.zone) == at:
        return (day.toordinal() - 1, day.toordinal())
    return (day.toordinal(),)


def _subject_matter(act: Act) -> tuple[tuple[str, ...], str | None, str | None]:
    match act:
        case Collect() | Read():
            return act.items, act.purpose, None
        case Provide():
            return act.items, None, act.recipient
        case Entrust():
            return act.items, act.purpose, act.processor
        case Disclose():
            return act.items, None, None
        case Send():
            return (), act.purpose, None
        case ReadSeparated() | Show():
            return (), None, None


def _declared(plan: Plan, recipient: str | None) -> bool:
    return recipient in plan.provisions or recipient in plan.entrustments


def replaced(state: SubjectState, **changes: object) -> SubjectState:
    """A subject's state with some of it changed; what was sorted by code or matter passes over where it still holds."""
    if not changes.keys() <= _KNOWN:
        raise TypeError(f"no such part of a state: {', '.join(sorted(changes.keys() - _KNOWN))}")
    after = object.__new__(SubjectState)  # a copy of what is there: a third of what `dataclasses.replace` takes
    parts = after.__dict__
    parts.update(state.__dict__)
    for source, sorted_by in _SORTED.items():
        if source in changes:
            parts.pop(sorted_by, None)
    parts.update(changes)
    return after


_KNOWN = frozenset(part.name for part in fields(SubjectState))
_SORTED = {"facts": "facts_by_code", "consents": "consents_by_about"}


_INSERT_TOLD = (
    "INSERT INTO told(bucket, subject_id, told_id, disclosure_id, recipient, reason, request_id, at) "
    "VALUES(?, ?, ?, ?, ?, ?, ?, ?)"
)

__all__ = ["Door", "Places", "Tier", "When", "anchor_days", "leave", "replaced"]
