"""Cached views of subjects, proved current by the statement that uses them: a stale one never decides.

Every write that can change a decision raises the subject's epoch in its own transaction. While no other connection has
committed to the place, all cached views of this process are current; once one has, each is compared with its own epoch
before it is used again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from msgspec import Struct

from upheld.dates import FOREVER, Instant
from upheld.engine.acts import Cited, Decision, SubjectId, ValueId
from upheld.engine.decide import View
from upheld.engine.plan import PolicyLine
from upheld.engine.state import ControllerState, SubjectState
from upheld.errors import InputRefused, StoreFailed
from upheld.store import subjects
from upheld.store.claiming import claim_as_seen
from upheld.store.engine import Claim, Connection, Overtaken, Proof, Question, array, array_of_texts, asks_at_once
from upheld.store.ids import bucket_of
from upheld.store.place import Place, Transaction, must_be_about
from upheld.store.vault import Opener

CACHED = 20_000
UNPROVED = -1
"""An era that never is: whoever holds such a view must compare it with the subject's row."""
BEFORE = -2
"""An era that never is either: nothing of this process has taken the place of such a view, the server may prove it."""
OVER = -1
"""An epoch that no row has: a view on policies that are not those on file any more."""
_WORTH = 8
"""From so many rows on it is worth a switch of threads to fetch them while a commit waits for the disk."""
_BESIDE, _USED = 256, 8
"""So many epochs are asked for at once, as long as so many of them are used."""
_WORTH_KNOWING = 2
"""From so many values on rows are looked for where they lay."""
_READY = 4
"""So many values a person of the cache are ready to be read in a batch, at most."""


class Stale(Exception):
    """The view on which a decision was made is not current; decide again."""


@dataclass(slots=True)
class Seen:
    """A subject as last seen: the view, the epoch it was built on, and the alias the ledger uses."""

    subject_id: SubjectId
    view: View
    policy: str
    epoch: int
    last_at: Instant
    alias: str
    era: int
    """The era in which it was last proved; `UNPROVED` once something of this process has taken its place."""
    plan_epoch: int
    """That of the policies on which it was built."""
    left: tuple[tuple[str, int], ...] = ()
    """Days from which periods count that this process has left of the person, in what led to this view: they stay as
    long as the person does, and need not be left again.
    """

    @property
    def state(self) -> SubjectState:
        """What is known about the subject."""
        return self.view.state

    def holds_at(self, at: Instant) -> bool:
        """Whether the version that the view rests on is in force at an instant."""
        return self.view.valid_from <= at < self.view.valid_until


class Granting(NamedTuple):
    """What lets values of an item be read: one and the same for all of them."""

    policy: str
    element: str
    because: tuple[Cited, ...]
    item: str


_NOTHING = Decision(False, ())


class Ready(Struct, gc=False, eq=False):
    """A value that may be read for one purpose from `from_at` until `until_at`, as long as `seen` is proved anew.

    One object holds all that a batch needs of it, since fetching from memory is what a batch waits for.
    """

    seen: Seen
    by: Granting | None = None
    from_at: Instant = FOREVER
    until_at: Instant = FOREVER
    decision: Decision = _NOTHING
    """What is answered for it, one and the same each time."""
    opener: Opener | None = None
    """Its unwrapped key, once it was read; the vault takes it back."""
    lies: tuple[bytes, bytes] | None = None
    """Where its owner's row and its own lay when it was last read, where that finds them faster than their keys."""


@dataclass
class Views:
    """The cache. `lines` are the policies on file, `controllers` what is known about the organisation."""

    active: Place
    keys: Place
    reload: Callable[[Connection], tuple[dict[str, PolicyLine], dict[str, ControllerState]]]
    lines: Mapping[str, PolicyLine] = field(default_factory=dict)
    controllers: Mapping[str, ControllerState] = field(default_factory=dict)
    plan_epoch: int = -1
    data_version: int = -1
    era: int = 0
    cached: int = CACHED
    spread: bool = False
    """Whether rows lie on several machines: there they are found by their keys alone."""
    _cache: OrderedDict[SubjectId, Seen] = field(default_factory=OrderedDict)
    _before: OrderedDict[SubjectId, Seen] = field(default_factory=OrderedDict)
    """Who was seen under policies that are not those on file any more: what was known of them is theirs still."""
    _ready: dict[tuple[str, str | None], dict[ValueId, Ready]] = field(default_factory=dict)
    _granting: dict[Granting, Granting] = field(default_factory=dict)
    _holidays: dict[str, tuple[Mapping[str, ControllerState], frozenset[date]]] = field(default_factory=dict)
    """With what was loaded together with the plan under which they were asked for."""
    _moves: int = 0
    """How often a subject was changed or dropped by this process: what was loaded before one may be late."""
    _aliases: dict[SubjectId, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.active.asks = _asked_first
        self.active.undone = self.drop

    def line(self, policy: str) -> PolicyLine:
        """The policy line of a code. Raises InputRefused for one that is not on file."""
        if self.plan_epoch < 0:
            self.refresh()
        found = self.lines.get(policy)
        if found is None:
            on_file = ", ".join(sorted(self.lines)) or "none; publish one first"
            raise InputRefused("policy-unknown", f"no policy `{policy}` is on file here (on file: {on_file})")
        return found

    def controller(self, policy: str) -> ControllerState:
        """What is known about the organisation under a policy."""
        if self.plan_epoch < 0:
            self.refresh()
        return self.controllers.get(policy, _NOBODY)

    def holidays(self, policy: str) -> frozenset[date]:
        """Days that an officer added under a policy: asked for once under each plan's epoch, by who needs them."""
        if self.plan_epoch < 0:
            self.refresh()
        under = self.controllers
        known = self._holidays.get(policy)
        if known is None or known[0] is not under:
            with self.active.reading() as connection:
                known = self._holidays[policy] = under, subjects.holidays_of(connection, policy)
        return known[1]

    def refresh(self) -> None:
        """Load policies and the organisation's state anew."""
        with self.active.reading() as connection:
            self._refresh(connection)

    def follow(self, plan_epoch: int) -> None:
        """What another process has published is known here from now on, `plan_epoch` being that of the place."""
        if self.plan_epoch != plan_epoch:
            self.refresh()

    def renewed(self, seen: Seen) -> bool:
        """Whether what somebody decided on was not current: plan or person have changed since, and are loaded anew."""
        with self.active.reading() as connection:
            if subjects.plan_epoch(connection) != self.plan_epoch:
                self._refresh(connection)
                return True
            return subjects.epoch_of(connection, seen.subject_id) not in (seen.epoch, None)

    def _refresh(self, connection: Connection) -> None:
        plan_epoch = subjects.plan_epoch(connection)
        self.lines, self.controllers = self.reload(connection)
        self.plan_epoch = plan_epoch  # last: a thread that builds a view meanwhile takes it for an older one
        self._outdate()

    def outdated(self) -> None:
        """A policy, or what is known of the organisation, has changed, and of nobody else anything: views are built
        anew of what was known.
        """
        self.plan_epoch = -1
        self._outdate()

    def _outdate(self) -> None:
        """No view counts any more, also where a thread still holds it: it is of an era that is over, and knows on which
        policies it was built. What it was built of is compared with the subject's epoch when it is used again.
        """
        self.era += 1
        before, self._cache = self._cache, OrderedDict()
        self._before.update(before)
        while len(self._before) > self.cached:
            self._before.popitem(last=False)
        self._ready.clear()
        self._moves += 1

    def forget_all(self) -> None:
        """Drop every cached view; the next use loads it."""
        self._clear()
        self._aliases.clear()
        self.plan_epoch = -1

    def _clear(self) -> None:
        """Nothing that was seen counts any more, also where a thread still holds it."""
        for known in (self._cache, self._before):
            for seen in known.values():
                seen.epoch = OVER
                seen.era = UNPROVED
            known.clear()
        self._ready.clear()
        self._moves += 1

    def ready(self, asked: tuple[str, str | None]) -> dict[ValueId, Ready]:
        """Values that were read for a purpose and use before, so that a batch meets them by one look-up.

        Good only while its `Seen` is of this era; `prove_all` says so in the transaction that reads.
        """
        found = self._ready.setdefault(asked, {})
        if len(found) > self.cached * _READY:
            found.clear()
            self._granting.clear()
        return found

    def set_ready(self, asked: tuple[str, str | None], value: ValueId, seen: Seen) -> Ready:
        """A value was just granted for a purpose and use: it is met by one look-up from now on, if it has a pass."""
        window = seen.view.passes.get(asked, {}).get(value)
        if window is None:
            return Ready(seen)
        by = Granting(seen.policy, window.element, window.because, seen.view.values[value].item)
        # No instant before the last of its subject decides.
        from_at = max(window.from_at, seen.last_at)
        found = Ready(seen, self._granting.setdefault(by, by), from_at, window.until_at)
        found.decision = Decision(True, window.because, (value,), window.until_at)
        self.ready(asked)[value] = found
        return found

    def get(self, subject_id: SubjectId, at: Instant) -> Seen:
        """The subject as known to this process. Raises InputRefused for a subject nobody entered."""
        seen = self._cache.get(subject_id)
        if seen is not None:
            view = seen.view
            if view.valid_from <= at < view.valid_until:  # spelled out: it is asked for each value of a batch
                return seen
        if self.plan_epoch < 0:
            self.refresh()
        return self._rebuilt(subject_id, at) or self.load(subject_id, at)

    def _rebuilt(self, subject_id: SubjectId, at: Instant) -> Seen | None:
        """A view on the policies of now, of what was known under those before; to be proved like any that is cached."""
        seen, moves = self._before.pop(subject_id, None), self._moves
        if seen is None:
            return None
        row = subjects.Row(seen.state, seen.policy, seen.epoch, seen.last_at, seen.plan_epoch)
        self._aliases.setdefault(subject_id, seen.alias)
        return self._loaded(row, BEFORE, moves, at)

    def still(self, subject_id: SubjectId, plan_epoch: int, epoch: int) -> bool:
        """Whether what somebody reckoned on these epochs of plan and subject is so in the place now: one message."""
        return self.active.asked(subjects.epochs_question_of(subject_id)) == [(plan_epoch, epoch)]

    def current(self, subject_id: SubjectId, at: Instant) -> Seen:
        """The subject as the place has it now, for who looks and changes nothing: what is cached is proved by one
        message, what is not is loaded by one. It has no alias. Raises InputRefused for a subject nobody entered.
        """
        for _ in range(_ATTEMPTS):
            seen = self._cache.get(subject_id)
            with self.active.reading() as connection:
                if seen is None or not (seen.holds_at(at) and self._rests_on_file(seen)):
                    row = subjects.load(connection, subject_id)
                    if row is None:
                        raise _nobody()
                    if row.plan_epoch == self.plan_epoch:
                        return self._unnamed(row, at)
                    self._refresh(connection)
                    continue
                plan_epoch, epochs = subjects.epochs_of(connection, (subject_id,))
                if plan_epoch != self.plan_epoch:
                    self._refresh(connection)
                elif epochs.get(subject_id) == seen.epoch:
                    return seen
                else:
                    self.drop(subject_id)
        raise StoreFailed("the subject changed under every attempt; try again when fewer writers work on it")

    def _rests_on_file(self, seen: Seen) -> bool:
        view = seen.view
        return self.lines.get(seen.policy) is view.line and self.controller(seen.policy) is view.controller

    def _unnamed(self, row: subjects.Row, at: Instant) -> Seen:
        """What was loaded, for one look only: not cached, and without the alias, which is kept elsewhere."""
        view = View(self.line(row.policy), row.state, self.controller(row.policy), max(at, row.last_at))
        return Seen(row.state.subject_id, view, row.policy, row.epoch, row.last_at, "", UNPROVED, self.plan_epoch)

    def several(self, subject_ids: Sequence[SubjectId], at: Instant) -> list[Seen]:
        """Subjects as known to this process, those that it has not met loaded together; who is unknown is left out."""
        if self.plan_epoch < 0:
            self.refresh()
        known = {one: seen for one in subject_ids if (seen := self._cache.get(one)) and seen.holds_at(at)}
        missing = [one for one in subject_ids if one not in known]
        known |= {one: seen for one in missing if (seen := self._rebuilt(one, at))} if self._before else {}
        missing = [one for one in missing if one not in known]
        if missing:
            self.know_aliases(missing)
            with self.active.reading() as connection:
                rows, era, moves = subjects.load_each(connection, missing), self.era, self._moves
            known |= {row.state.subject_id: self._loaded(row, era, moves, at) for row in rows if row is not None}
        return [known[one] for one in subject_ids if one in known]

    def meet(self, subject_ids: Collection[SubjectId], at: Instant) -> None:
        """Load together who is asked for together and was not met yet."""
        cache = self._cache
        if all(map(cache.__contains__, subject_ids)):
            return
        missing = [one for one in subject_ids if one not in cache]
        if len(missing) > subjects.FEW:
            self.several(missing, at)

    def meet_again(self, subject_ids: Collection[SubjectId], at: Instant) -> None:
        """As `meet`; whom another process has changed since is loaded with them, not one by one inside a batch."""
        cache = self._cache
        known = [one for one in subject_ids if one in cache]
        if len(known) > subjects.FEW:
            with self.active.reading() as connection:
                if asks_at_once(connection) is not None:  # in a file asking costs as much as it saves
                    _, epochs = subjects.epochs_of(connection, known)
                    for one in known:
                        seen = cache.get(one)
                        if seen is not None and epochs.get(one) != seen.epoch:
                            self.drop(one)
        self.meet(subject_ids, at)

    def know_aliases(self, subject_ids: Sequence[SubjectId]) -> None:
        """Fetch the pseudonyms of many at once."""
        missing = [one for one in subject_ids if one not in self._aliases]
        if not missing:
            return
        with self.keys.reading() as connection:
            found = _aliases(connection, missing)
        self._aliases.update({one: found.get(one, "") for one in missing})

    def load(self, subject_id: SubjectId, at: Instant) -> Seen:
        """The subject read from the place."""
        with self.active.reading() as connection:
            row = subjects.load(connection, subject_id)
            era, moves = self.era, self._moves
        if row is None:
            raise _nobody()
        return self._loaded(row, era, moves, at)

    def _loaded(self, row: subjects.Row, era: int, moves: int, at: Instant) -> Seen:
        seen = self.keep(row, era, max(at, row.last_at))
        if moves != self._moves:
            seen.era = UNPROVED  # another thread was faster, perhaps with this subject
        return seen

    def keep(self, row: subjects.Row, era: int, at: Instant) -> Seen:
        """Cache what was loaded."""
        if self.plan_epoch < 0:
            self.refresh()
        plan_epoch = self.plan_epoch
        view = View(self.line(row.policy), row.state, self.controller(row.policy), at)
        seen = Seen(
            row.state.subject_id,
            view,
            row.policy,
            row.epoch,
            row.last_at,
            self.alias(row.state.subject_id),
            era,
            plan_epoch,
        )
        self._put(seen)
        while len(self._cache) > self.cached:
            _, old = self._cache.popitem(last=False)
            old.era = UNPROVED
        return seen

    def _put(self, seen: Seen) -> None:
        """Cache a view; who holds the one before it has to prove that anew."""
        before = self._cache.get(seen.subject_id)
        if before is not None:
            before.era = UNPROVED
        self._cache[seen.subject_id] = seen

    def alias(self, subject_id: SubjectId) -> str:
        """The pseudonym that the ledger uses for a subject; kept with the keys, destroyed when the subject
        is forgotten.
        """
        found = self._aliases.get(subject_id)
        if found is None:
            with self.keys.reading() as connection:
                row = connection.execute(_ALIAS, (bucket_of(subject_id), subject_id)).fetchone()
            found = self._aliases[subject_id] = row[0] if row else ""
            if len(self._aliases) > self.cached * 2:
                self._aliases.clear()
        return found

    def remember_alias(self, subject_id: SubjectId, alias: str) -> None:
        """A subject was just entered under this alias."""
        self._aliases[subject_id] = alias

    def drop(self, subject_id: SubjectId) -> None:
        """The cached view of one subject is not current."""
        self._moves += 1
        self._before.pop(subject_id, None)
        before = self._cache.pop(subject_id, None)
        if before is not None:
            before.era = UNPROVED

    def forget(self, subject_id: SubjectId) -> None:
        """A subject was forgotten: neither its view nor its alias stays."""
        self.drop(subject_id)
        self._aliases.pop(subject_id, None)

    # ── inside a transaction ────────────────────────────────────────────────────────────────────────────────────────

    def prove(self, transaction: Transaction, seen: Seen) -> None:
        """Raise Stale unless the view is what the place holds now."""
        if transaction.trusting:
            self._trust(transaction, (seen,), {})
            return
        transaction.must_claim(seen.subject_id)
        if not transaction.guarded:
            self._guard(transaction, first=seen.subject_id)
        if seen.era == self.era:
            if self.active.engine.sends_late:  # loaded by this transaction, whose era it is: what it claims stays so
                transaction.epochs.setdefault(seen.subject_id, seen.epoch)
        else:
            epoch = transaction.epochs.get(seen.subject_id)
            transaction.proved += 1
            if epoch is None:
                epoch = self._asked(transaction, seen.subject_id)
            if epoch != seen.epoch or seen.plan_epoch != self.plan_epoch:
                self.drop(seen.subject_id)
                raise Stale
            if self._cache.get(seen.subject_id) is seen:
                seen.era = self.era

    def _asked(self, transaction: Transaction, subject_id: SubjectId) -> int | None:
        """The epoch of a subject. Whoever has the place alone asks for those beside it in memory too: to ask for many
        costs little more than to ask for one, and a batch mostly goes along who was seen one after the other; the first
        is asked for alone, since many a batch is about one person.
        """
        connection, worth = transaction.connection, transaction.proved > max(1, transaction.asked * _USED)
        if transaction.claim is None and self.active.engine.sends_late and worth:
            seen = list(self._cache)
            first = seen.index(subject_id) if subject_id in self._cache else 0
            names = {subject_id, *(one for one in seen[first : first + _BESIDE] if one not in transaction.epochs)}
            transaction.asked += 1
            transaction.epochs |= subjects.epochs_of(connection, list(names))[1]
            return transaction.epochs.get(subject_id)
        epoch = subjects.epoch_of(connection, subject_id)
        if transaction.claim is None and self.active.engine.sends_late and epoch is not None:
            transaction.epochs[subject_id] = epoch  # nobody else writes to the place: it stays that
        return epoch

    def prove_all(
        self, transaction: Transaction, several: Iterable[Seen], owners: Mapping[ValueId, Ready]
    ) -> Callable[[], Sequence[subjects.HeldRow]]:
        """`prove` for many: one look at the place; only who was not proved since another connection wrote is compared.

        `several` is gone through after the look, which can move the era; all that are not current are found at once.
        What is returned gives the rows of `owners` that are held. They come with the epochs where those are asked for
        in a message of their own; in a trusting transaction they are here once that is over, and not before. Where the
        commit is on the disk later than in the file they are fetched in between, when nobody else waits for the turn.
        """
        if transaction.trusting:
            return self._trust(transaction, several, owners)
        wanted = list(owners)
        if self.active.engine.sends_late:
            for one in owners.values():
                one.lies = None  # perhaps it is asked because that was not so any more
        rows = None if transaction.guarded else self._guard(transaction, wanted)
        era, stale = self.era, False
        for seen in several:
            if seen.era != era:
                try:
                    self.prove(transaction, seen)
                except Stale:
                    stale = True
        if stale:
            raise Stale
        if rows is None and len(wanted) >= _WORTH and self.active.engine.counts_commits:
            return self._fetched_meanwhile(transaction, wanted)
        found = subjects.held(transaction.connection, wanted) if rows is None and wanted else rows or []
        return lambda: found

    @staticmethod
    def _fetched_meanwhile(
        transaction: Transaction, wanted: Sequence[ValueId]
    ) -> Callable[[], Sequence[subjects.HeldRow]]:
        """Rows as they are after the commit. What somebody has destroyed since is missing, and is read anew."""
        found: list[subjects.HeldRow] = []
        connection = transaction.connection
        transaction.meanwhile.append(lambda: found.extend(subjects.held(connection, wanted)))
        return lambda: found

    def _trust(
        self, transaction: Transaction, several: Iterable[Seen], owners: Mapping[ValueId, Ready]
    ) -> Callable[[], Sequence[subjects.HeldRow]]:
        """Take views to be current: see `taken`."""
        about = transaction.about
        return subjects.proved(transaction.connection, self.taken(several, owners, about))

    def taken(self, several: Iterable[Seen], owners: Mapping[ValueId, Ready], about: Collection[str] | None) -> Proof:
        """What takes views to be current: the server fails the transaction where the plan or one of these subjects is
        not. `about`: whom the transaction claims, or the place.

        Sound also for the instant of the transaction, which was taken before anybody was kept out: whoever has changed
        one of these since, has raised its epoch; nobody changes it from the locks to the end. What this process knows
        to be late is not taken for granted.
        """
        plan_epoch, views = self.plan_epoch, list(several)
        if len(views) == 1:
            [seen] = views
            if seen.era != UNPROVED and seen.plan_epoch == plan_epoch and (about is None or seen.subject_id in about):
                return subjects.proof_of_values(plan_epoch, {seen.subject_id: seen.epoch}, list(owners))
        epochs = {seen.subject_id: seen.epoch for seen in views}
        if UNPROVED in {seen.era for seen in views} or {seen.plan_epoch for seen in views} - {plan_epoch}:
            raise Overtaken("something of this process has taken the place of a view")
        if len(epochs) < len(views) and any(epochs[seen.subject_id] != seen.epoch for seen in views):
            raise Overtaken("one of two views of a person is not as it was")
        must_be_about(about, epochs)
        if len(owners) >= _WORTH_KNOWING and not self.spread:
            whose = [one.seen.subject_id for one in owners.values()]
            if len(set(whose)) == len(epochs):  # and nobody besides is to be proved
                return subjects.proof_of_owned(plan_epoch, whose, epochs, owners)
        return subjects.proof_of_values(plan_epoch, epochs, list(owners))

    def taken_for(self, seen: Seen, value: ValueId) -> Proof:
        """`taken`, for one value of a person whom the transaction claims."""
        if seen.era == UNPROVED or seen.plan_epoch != self.plan_epoch:
            raise Overtaken("something of this process has taken the place of a view")
        return subjects.proof_of_values(seen.plan_epoch, {seen.subject_id: seen.epoch}, (value,))

    def _guard(
        self, transaction: Transaction, wanted: Sequence[ValueId] = (), first: SubjectId | None = None
    ) -> list[subjects.HeldRow] | None:
        """Once per transaction: has another connection committed here since we last looked?

        While nobody has, every view of this process is current. Otherwise each is compared with its own epoch
        before it is used again, and the policies are loaded anew when one was published.
        """
        rows: list[subjects.HeldRow] | None = None
        version = self.active.version()
        if version != self.data_version:
            self.data_version = version
            self.era += 1
            plan_epoch, rows = self._plan_epoch(transaction, wanted, first)
            if plan_epoch != self.plan_epoch:
                self._refresh(transaction.connection)
                raise Stale
        transaction.guarded = True
        return rows

    def _plan_epoch(
        self, transaction: Transaction, wanted: Sequence[ValueId], first: SubjectId | None
    ) -> tuple[int, list[subjects.HeldRow] | None]:
        """Where commits of others are not counted every view is compared: the epochs of all that the transaction is
        about come with that of the plan, in one statement, and values with them. What it claims stays as it is until it
        ends.
        """
        claim, connection = transaction.claim, transaction.connection
        if claim is None and first is not None and self.active.engine.sends_late:  # whom a batch begins with
            plan_epoch, epochs = subjects.epochs_of(connection, (first,))
            transaction.epochs |= epochs
            return plan_epoch, None
        if claim is None or self.active.engine.counts_commits:
            return subjects.plan_epoch(connection), None
        about = (*claim.changes, *claim.reads)
        if transaction.first is not None:
            plan_epoch, transaction.epochs = subjects.epochs_told(transaction.first.fetchall())
            return plan_epoch, None
        if not wanted:
            plan_epoch, transaction.epochs = subjects.epochs_of(connection, about)
            return plan_epoch, None
        plan_epoch, transaction.epochs, rows = subjects.epochs_and_values(connection, about, wanted)
        return plan_epoch, rows

    def advance(self, transaction: Transaction, seen: Seen, state: SubjectState, at: Instant) -> Seen:
        """Lock the subject for a change that leads to `state`, and cache the view of it. Raises Stale when too late."""
        self.prove(transaction, seen)
        if not subjects.touch(transaction, seen.subject_id, seen.epoch, at):
            self.drop(seen.subject_id)
            raise Stale
        return self._moved_on(transaction, seen, state, at, seen.left)

    def adds(
        self,
        transaction: Transaction,
        seen: Seen,
        becomes: Callable[[], tuple[SubjectState, tuple[tuple[str, int], ...]]],
        at: Instant,
    ) -> None:
        """`advance` in a trusting transaction, for which the server is woken at once: it fails where the plan or the
        subject is not as it was seen. What the subject `becomes`, with the days that are left of it, and the view of
        it, are made while the answer is awaited. Raises Overtaken where this process knows it to be late.
        """
        if seen.era == UNPROVED or seen.plan_epoch != self.plan_epoch:
            raise Overtaken("something of this process has taken the place of a view")
        claim_as_seen(transaction, seen.subject_id, seen.epoch, seen.plan_epoch, at)

        def moves_on() -> None:
            state, left = becomes()
            self._moved_on(transaction, seen, state, at, left)

        transaction.meanwhile.append(moves_on)

    def _moved_on(
        self,
        transaction: Transaction,
        seen: Seen,
        state: SubjectState,
        at: Instant,
        left: tuple[tuple[str, int], ...],
    ) -> Seen:
        view = View(seen.view.line, state, seen.view.controller, at, seen.view)
        last_at = max(seen.last_at, at)
        moved = Seen(
            seen.subject_id, view, seen.policy, seen.epoch + 1, last_at, seen.alias, self.era, seen.plan_epoch, left
        )
        self._moves += 1
        transaction.moved.append(seen.subject_id)
        self._put(moved)
        return moved


def _asked_first(claim: Claim) -> Question:
    """Who changes something proves its views by the epochs of all that the transaction is about. What else it claims,
    such as the part of a sweep, has a name with a stroke, as no person has.
    """
    return subjects.epochs_question([one for one in (*claim.changes, *claim.reads) if "/" not in one])


def _nobody() -> InputRefused:
    return InputRefused("unknown", "no such subject; it was never entered here, or was forgotten")


def _aliases(connection: Connection, subject_ids: Sequence[SubjectId]) -> dict[SubjectId, str]:
    if asks_at_once(connection) is not None:
        keys = (array([bucket_of(one) for one in subject_ids]), array_of_texts(subject_ids))
        return {SubjectId(one): alias for one, alias in connection.execute(_ALIASES, keys).fetchall()}
    rows = ((one, connection.execute(_ALIAS, (bucket_of(one), one)).fetchone()) for one in subject_ids)
    return {one: row[0] for one, row in rows if row}


_ATTEMPTS = 50
_ALIASES = (
    "SELECT subject_id, alias FROM alias JOIN unnest(CAST(? AS BIGINT[]), CAST(? AS TEXT[])) AS w(bucket, subject_id) "
    "USING(bucket, subject_id)"
)
_ALIAS = "SELECT alias FROM alias WHERE bucket = ? AND subject_id = ?"
_NOBODY = ControllerState()
