"""Values are seen: for a purpose, one by one or many at once, from the separated tier, by their owner.

Every form has the same course: decide on cached views; in one transaction prove the views, write the record, fetch the
rows; commit; only then decrypt. INVARIANT: I1, I6.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import cast

import msgspec

from upheld.dates import BEGINNING, Instant
from upheld.engine.acts import (
    Cited,
    Decision,
    EngagementId,
    Read,
    Reader,
    ReadSeparated,
    RequestId,
    Show,
    SubjectId,
    ValueId,
)
from upheld.engine.decide import reader_passes
from upheld.engine.proving import SEEING
from upheld.engine.view import disputed
from upheld.errors import InputRefused, StoreFailed
from upheld.keeper.door import Door, Places, Tier
from upheld.keeper.gathering import Gathering
from upheld.keeper.outcome import Outcome
from upheld.ledger.entries import Entry, Evidence, Form, Written
from upheld.ledger.entries import Value as Recordable
from upheld.store import subjects
from upheld.store.aloft import Flight
from upheld.store.engine import Unanswered
from upheld.store.ids import placed_value
from upheld.store.place import Recovering, Transaction
from upheld.store.subjects import HeldRow
from upheld.store.vault import Sealed, bound
from upheld.store.views import UNPROVED, Granting, Ready, Seen, Stale

_ID = re.compile(r"[a-z2-7]{20}\Z")


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One of several reads that share a transaction."""

    subject_id: SubjectId
    act: Read


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """The answer of a batch read: the texts of what was granted, the decision of what was not."""

    texts: Mapping[ValueId, str]
    refused: Mapping[ValueId, Decision]
    at: Instant


@dataclass(slots=True)
class _Chosen:
    """What a batch may see, and what not, before its record is written."""

    owners: dict[ValueId, Ready] = field(default_factory=dict)
    views: list[Seen] = field(default_factory=list)
    """Of each value that was granted, in the order in which it was asked for."""
    elements: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By policy, the elements that granted."""
    refused: list[tuple[Seen, ValueId, Read, Decision]] = field(default_factory=list)


_Decided = Sequence[tuple[Ready, Decision]]
"""For each reading whose it is, with all that stands ready of its value where it is one, and the decision."""
_NONE_READY: Mapping[ValueId, Ready] = {}


class Departed:
    """A group of readings that was sent, and what each was decided on."""

    __slots__ = ("_seeing", "decided", "flight", "now", "owners", "readings")

    def __init__(
        self,
        seeing: Seeing,
        readings: Sequence[Reading],
        decided: _Decided,
        owners: Mapping[ValueId, Ready],
        now: Instant,
        flight: Flight,
    ) -> None:
        self._seeing = seeing
        self.readings = readings
        self.decided = decided
        self.owners = owners
        self.now = now
        self.flight = flight

    @property
    def descriptor(self) -> int:
        """The socket that can be read from when something of the answer is here."""
        return self.flight.descriptor

    @property
    def line(self) -> int:
        """Another number whenever that is another socket."""
        return self.flight.line

    def over(self) -> bool:
        """Whether it has landed, by now."""
        return self.flight.arrived()

    def answers(self) -> list[Outcome] | None:
        """The answers, in the order of asking; None where they have to be `fetched`."""
        return self._seeing._answers_at_hand(self)

    def fetched(self) -> list[Outcome]:
        """The answers, in a thread that may wait."""
        return self._seeing._answers_fetched(self)

    def relief(self) -> Callable[[], None] | None:
        """What is to be done besides in a thread that may wait; mostly nothing."""
        relief = self._seeing.places.active.relief()
        return None if relief is None else partial(self._seeing._relieved, relief)


class Seeing(Door):
    """Reading for a purpose, and showing."""

    def __init__(self, places: Places) -> None:
        super().__init__(places)
        self._gathering = Gathering(self._read_together)

    def read(
        self,
        subject_id: SubjectId,
        purpose: str | None,
        *,
        reader: Reader,
        items: tuple[str, ...] = (),
        values: tuple[ValueId, ...] = (),
        use: str | None = None,
        engagement: EngagementId | None = None,
    ) -> Outcome:
        """See values for one purpose. The access record is durable before anything is decrypted.

        Name `items` (every value of them that may be seen) or `values`. Refused values are left out; when none may be
        seen the outcome is a refusal with its reasons.
        """
        self._releases()
        reading = Reading(subject_id, Read(purpose, reader, items, values, use, engagement))
        if self.places.active.barred is not None:
            return self.read_many([reading])[0]  # whoever recovers reads for itself
        return self._gathering.one(reading)

    # ── several readings, each with an answer of its own ────────────────────────────────────────────────────────────

    def read_many(self, readings: Sequence[Reading]) -> list[Outcome]:
        """Several reads under one transaction and one access record each; every value is decided by itself."""
        self._releases()
        return self._read_together(readings)

    def _read_together(self, readings: Sequence[Reading]) -> list[Outcome]:
        """`read_many` for who has asked in their own threads whether a batch is open."""
        self._refuse_while_recovering()
        tried = False
        if len(readings) == 1:
            now = self.places.now()
            known = self._one_ready(readings[0], now)
            if known is not None:
                outcome, tried = self._read_ready(readings[0].act, known, now), True
                if outcome is not None:
                    return [outcome]
        about = {one.subject_id for one in readings}
        for turn in range(_ATTEMPTS):
            try:
                with self._undisturbed(turn):
                    now = self.now()
                    decided = self._all_decided(readings, now)
                    owners = {value: one for one, made in decided for value in made.covers}
                    whom = [one.seen for one, _ in decided]
                    tells = partial(_access_entries, readings, decided)
                    rows = self._recorded(about, whom, owners, tells, straight=not (turn or tried))
            except (Stale, Unanswered):
                continue
            if len(rows) < len(owners):
                self._fell_short(decided, rows)
                continue
            return self._answers(decided, owners, rows, now)
        raise StoreFailed("the subjects changed under every attempt; try again when fewer writers work on them")

    def set_out(self, readings: Sequence[Reading], told: Callable[[], None]) -> Departed | None:
        """`read_many` for a thread that may not wait: a group of which everything stands ready, sent to the server.
        None where somebody has to be asked or waited for first; nothing was done. `told`: see `Flight`.
        """
        now = self.places.now()
        ready = None if self._recovering else self._all_ready(readings, now)
        if ready is None:
            return None
        values = [reading.act.values[0] for reading in readings]
        owners = dict(zip(values, ready, strict=True))
        decided = [(one, one.decision) for one in ready]
        whom = [one.seen for one in ready]
        about = {one.subject_id for one in whom}
        first = readings[0].act
        # Mostly all read for the same, by the same element: then no record has to be sorted out for each.
        if len({id(one.by) for one in ready}) == 1 and all(_asks_like(one.act, first) for one in readings):
            tells = partial(_entry_of_all, first, whom, ready[0].decision, values)
        else:
            tells = partial(_access_entries, readings, decided)
        flight = self.places.active.launched(about, tells, lambda: self.views.taken(whom, owners, about), told)
        return None if flight is None else Departed(self, readings, decided, owners, now, flight)

    def _all_ready(self, readings: Sequence[Reading], now: Instant) -> list[Ready] | None:
        """What stands ready for each, under the conditions of `_all_decided`; None where that is not so of one."""
        found: list[Ready] = []
        before: Read | None = None
        ready: Mapping[ValueId, Ready] = _NONE_READY
        for reading in readings:
            act = reading.act
            values = act.values
            if len(values) != 1 or act.items or act.engagement is not None:
                return None
            if before is None or not _asks_like(act, before):
                before, ready = act, self._ready_for(act, now)
            known = ready.get(values[0])
            if known is None or not known.from_at <= now < known.until_at:
                return None
            if known.seen.era == UNPROVED or known.seen.subject_id != reading.subject_id:
                return None
            found.append(known)
        return found

    def _answers_at_hand(self, departed: Departed) -> list[Outcome] | None:
        """r3 for a group that has landed, where nothing has to be waited for."""
        rows = departed.flight.rows
        if rows is None or len(rows) < len(departed.owners):
            return None
        texts = self.places.vault.open_at_hand(rows, departed.owners)
        return None if texts is None else self._told_apart(departed.decided, texts, departed.now)

    def _answers_fetched(self, departed: Departed) -> list[Outcome]:
        """The same where somebody has to be asked, for keys or for all of it anew, or where nobody has waited yet."""
        rows = departed.flight.awaited()
        if rows is None:
            return self._read_together(departed.readings)
        if len(rows) < len(departed.owners):
            self._fell_short(departed.decided, rows)
            return self._read_together(departed.readings)
        return self._answers(departed.decided, departed.owners, rows, departed.now)

    def _relieved(self, relief: Callable[[], None]) -> None:
        """What nobody waits for: what goes wrong with it is told to the log, and the next does it again."""
        try:
            relief()
        except Exception as failure:  # noqa: BLE001 - told
            self.places.fail("seal", failure)

    def _one_ready(self, reading: Reading, now: Instant) -> Ready | None:
        """`_all_decided` of one that is granted since it stands ready; None where that is to be asked."""
        act = reading.act
        values = act.values
        if len(values) != 1 or act.items or act.engagement is not None:
            return None
        known = self._ready_for(act, now).get(values[0])
        if known is None or not known.from_at <= now < known.until_at:
            return None
        seen = known.seen
        current = seen.era != UNPROVED and seen.plan_epoch == self.views.plan_epoch
        return known if current and seen.subject_id == reading.subject_id else None

    def _read_ready(self, act: Read, known: Ready, now: Instant) -> Outcome | None:
        """One value that stands ready, by one message: the first turn of `_read_together`, without what is there for
        several. None where the whole way has to be gone, also after a shortfall.
        """
        value, seen, decision = act.values[0], known.seen, known.decision
        rows = self.places.active.straight(
            (seen.subject_id,),
            partial(_access_entry, act, seen, decision),
            partial(self.views.taken_for, seen, value),
            ready=True,
        )
        if rows is None:
            return None
        if not rows:
            self._note_shortfall([(seen, decision)])
            self.views.drop(seen.subject_id)
            return None
        return self._answers(((known, decision),), {value: known}, rows, now)[0]

    def _all_decided(self, readings: Sequence[Reading], now: Instant) -> list[tuple[Ready, Decision]]:
        """For each the view and the decision. One value that was read for this before stands ready; the rest goes the
        whole way. Who reads for what is looked up once where the next reads for the same.

        What stands ready holds under the conditions of `_chosen`, and is proved in the transaction like any other view.
        """
        made: list[tuple[Ready, Decision]] = []
        before: Read | None = None
        ready: Mapping[ValueId, Ready] = _NONE_READY
        for reading in readings:
            act = reading.act
            values = act.values
            if len(values) != 1 or act.items or act.engagement is not None:
                made.append(self._decided_in_full(reading, now))
                continue
            if before is None or not _asks_like(act, before):
                before, ready = act, self._ready_for(act, now)
            known = ready.get(values[0])
            if known is not None and known.from_at <= now < known.until_at:
                seen = known.seen
                if seen.era != UNPROVED and seen.subject_id == reading.subject_id:
                    made.append((known, known.decision))
                    continue
            made.append(self._decided_anew(reading, now))
        return made

    def _ready_for(self, act: Read, now: Instant) -> Mapping[ValueId, Ready]:
        """What stands ready for a reader, a purpose and its use."""
        if act.purpose is None or not reader_passes(act.reader, act.purpose, now):
            return _NONE_READY
        return self.views.ready((act.purpose, act.use))

    def _decided_anew(self, reading: Reading, now: Instant) -> tuple[Ready, Decision]:
        """The whole way for one value; granted, it stands ready from now on."""
        act = reading.act
        found, decision = self._decided_in_full(reading, now)
        if decision.granted and act.purpose is not None and reader_passes(act.reader, act.purpose, now):
            return self.views.set_ready((act.purpose, act.use), act.values[0], found.seen), decision
        return found, decision

    def _decided_in_full(self, reading: Reading, now: Instant) -> tuple[Ready, Decision]:
        seen = self.views.get(reading.subject_id, now)
        return Ready(seen), self._decide(reading.act, seen, max(now, seen.last_at))

    def _recorded(
        self,
        about: Collection[str],
        whom: Sequence[Seen],
        owners: Mapping[ValueId, Ready],
        tells: Callable[[Instant], Sequence[Evidence]],
        *,
        straight: bool,
    ) -> Sequence[HeldRow]:
        """r1: guards, records and rows in one transaction; nothing leaves before its commit. INVARIANT: I6.

        `straight`: by one message where nothing stands in the way of it.
        """
        active = self.places.active
        if straight:
            rows = active.straight(about, tells, lambda: self.views.taken(whom, owners, about))
            if rows is not None:
                return rows

        def work(transaction: Transaction) -> Callable[[], Sequence[HeldRow]]:
            proved = self.views.prove_all(transaction, whom, owners)
            transaction.entries += tells(transaction.at)
            return proved

        return active.submit(work, about=about, reads=True, trusting=True)()

    def _answers(
        self, decided: _Decided, owners: Mapping[ValueId, Ready], rows: Sequence[HeldRow], now: Instant
    ) -> list[Outcome]:
        """r3: the record is durable; decrypt, and give each reading what it asked for."""
        return self._told_apart(decided, self._opened(owners, rows), now)

    def _told_apart(self, decided: _Decided, every: Mapping[ValueId, str], now: Instant) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for one, decision in decided:
            covers = decision.covers
            if one.by is not None and covers[0] in every:
                value = covers[0]
                outcomes.append(Outcome(decision, now, {one.by.item: covers}, {value: every[value]}))
                continue
            texts = {value: every[value] for value in covers if value in every}
            if len(texts) < len(covers):
                self._note_shortfall([(one.seen, decision)])
            outcomes.append(Outcome(decision, now, _by_item(one.seen, texts), texts))
        return outcomes

    def _opened(self, owners: Mapping[ValueId, Ready], rows: Sequence[HeldRow]) -> dict[ValueId, str]:
        """The texts of rows of the active tier; one whose key is gone is left out."""

        def binding_of(value: ValueId, key_id: int) -> bytes:
            owner = owners[value]
            seen, by = owner.seen, owner.by
            item = seen.view.values[value].item if by is None else by.item
            return bound(Tier.ACTIVE, seen.policy, seen.subject_id, value, item, key_id)

        return self.places.vault.open_rows(Tier.ACTIVE, rows, owners, binding_of)

    def _fell_short(self, decided: _Decided, rows: Sequence[HeldRow]) -> None:
        """Not all rows were there after all: on record, and everybody is looked at anew."""
        there = {row[0] for row in rows}
        self._note_shortfall([(one.seen, made) for one, made in decided if not there.issuperset(made.covers)])
        for one, _ in decided:
            self.views.drop(one.seen.subject_id)

    def _note_shortfall(self, short: Sequence[tuple[Seen, Decision]]) -> None:
        """A row or key was gone after the decision: recorded, never glossed over."""

        def work(transaction: Transaction) -> None:
            for seen, decision in short:
                transaction.journal(self._entry(seen, transaction.at, "read.fell-short", values=decision.covers))

        self.places.active.submit(work, about={seen.subject_id for seen, _ in short}, reads=True)

    # ── many values, one record ─────────────────────────────────────────────────────────────────────────────────────

    def read_batch(
        self, purpose: str, wanted: Sequence[tuple[SubjectId, ValueId]], *, reader: Reader, use: str | None = None
    ) -> BatchOutcome:
        """See many values of many persons for one purpose: decided value by value, one record, one commit."""
        self._refuse_while_recovering()
        self._releases()
        about = {subject_id for subject_id, _ in wanted}
        for turn in range(_ATTEMPTS):
            try:
                with self._undisturbed(turn):
                    now = self.now()
                    chosen = self._chosen(purpose, use, wanted, reader, now)
                    whom, tells = _of_whom(chosen), partial(_batch_entries, purpose, use, reader, chosen)
                    rows = self._recorded(about, whom, chosen.owners, tells, straight=not turn)
            except (Stale, Unanswered):
                continue
            texts = self._opened(chosen.owners, rows)
            if len(texts) == len(chosen.owners):
                return BatchOutcome(texts, {one: decision for _, one, _, decision in chosen.refused}, now)
            for one in chosen.owners.values():
                self.views.drop(one.seen.subject_id)
        raise StoreFailed("the subjects changed under every attempt; try again when fewer writers work on them")

    def _chosen(
        self,
        purpose: str,
        use: str | None,
        wanted: Sequence[tuple[SubjectId, ValueId]],
        reader: Reader,
        now: Instant,
    ) -> _Chosen:
        """Decide value by value. The loop is the hot path of a batch: one look-up and five comparisons a value.

        What was not read for this before, or was changed here since, takes the whole way.
        """
        chosen, asked = _Chosen(), (purpose, use)
        owners: dict[ValueId, Ready] = chosen.owners
        view = chosen.views.append
        last: Granting | None = None
        plain, met = reader_passes(reader, purpose, now), False
        known_of = self.views.ready(asked).get if plain else _NONE_READY.get
        for subject_id, value in wanted:
            known = known_of(value)
            if known is not None:
                seen = known.seen
                if known.from_at <= now < known.until_at and seen.era != UNPROVED and seen.subject_id == subject_id:
                    owners[value] = known
                    view(seen)
                    if known.by is not last:
                        last = cast(Granting, known.by)
                        chosen.elements[last.policy].add(last.element)
                    continue
            if not met:  # whoever else is not known yet is loaded together
                self.views.meet({one for one, _ in wanted}, now)
                met = True
            seen = self.views.get(subject_id, now)
            act = Read(purpose, reader, values=(value,), use=use)
            decision = self._decide(act, seen, max(now, seen.last_at))
            if not decision.granted:
                chosen.refused.append((seen, value, act, decision))
                continue
            owners[value] = self.views.set_ready(asked, value, seen) if plain else Ready(seen)
            view(seen)
            chosen.elements[seen.policy].update(decision.elements)
        return chosen

    def _refuse_while_recovering(self) -> None:
        if self._recovering:
            raise Recovering("recovering: this home is bringing an old copy up to date; run `upheld recover`")

    # ── from either tier ────────────────────────────────────────────────────────────────────────────────────────────

    def read_separated(
        self, subject_id: SubjectId, ground: str, *, reader: Reader, values: tuple[ValueId, ...] = ()
    ) -> Outcome:
        """See values kept apart, for the use that a live ground of theirs names (an element path such as
        `statutes.tax`).
        """
        return self._read_tiers(subject_id, ReadSeparated(ground, reader, values), "separated")

    def show(
        self,
        subject_id: SubjectId,
        *,
        reader: Reader,
        right: str = "access",
        identity_proved: bool = False,
        request: RequestId | None = None,
        values: tuple[ValueId, ...] = (),
    ) -> Outcome:
        """Give a person everything held on them, from both tiers. Passwords and secrets are never shown.

        For a request that is named nobody is proved but who proved to have made it. What is frozen is shown and named
        in `disputed`. Raises InputRefused for a right that shows nothing.
        """
        if right not in SEEING:
            raise InputRefused("nothing-to-export", f"`{right}` shows nothing; {', '.join(sorted(SEEING))} do")
        proved = identity_proved and (request is None or self._made_by_proved(subject_id, request))
        return self._read_tiers(subject_id, Show(reader, right, proved, values), right, request)

    def _made_by_proved(self, subject_id: SubjectId, request: RequestId) -> bool:
        requests = self.views.get(subject_id, self.now()).state.requests
        return any(one.request_id == request and one.proved_at is not None for one in requests)

    def _read_tiers(
        self, subject_id: SubjectId, act: ReadSeparated | Show, right: str, request: RequestId | None = None
    ) -> Outcome:
        """Record in the active place, then open from whichever tier holds each value."""
        self._releases()
        rows: dict[ValueId, tuple[int, int, bytes]] = {}

        def work(transaction: Transaction, seen: Seen, now: Instant) -> tuple[Seen, Outcome]:
            decision = self._decide(act, seen, now)
            if not decision.granted:
                self._refusal(transaction, seen, act, decision)
                return seen, Outcome(decision, now)
            self.views.prove(transaction, seen)
            rows.clear()
            rows.update(_held_rows(transaction, decision.covers))
            still = disputed(seen.view, decision.covers, now)
            transaction.journal(
                self._entry(
                    seen,
                    transaction.at,
                    "values.shown",
                    right=right,
                    request=request,
                    values=decision.covers,
                    origin=act.reader.origin,
                    disputed=still or None,
                ).with_elements(decision.elements)
            )
            return seen, Outcome(decision, now, disputed=still)

        seen, outcome = self._attempt(subject_id, work)
        if not outcome.granted:
            return outcome
        if len(rows) > 1:  # fetched in one message; they are remembered for a minute
            self.places.vault.ciphers(Tier.ACTIVE, [key_id for _, key_id, _ in rows.values()])
        texts = {one: self._open_anywhere(seen, one, rows.get(one)) for one in outcome.decision.covers}
        shown = {one: text for one, text in texts.items() if text is not None}
        return msgspec.structs.replace(outcome, values=_by_item(seen, shown), texts=shown)

    def _open_anywhere(self, seen: Seen, value: ValueId, row: tuple[int, int, bytes] | None) -> str | None:
        item, tier = seen.view.values[value].item, Tier.ACTIVE
        if row is None:
            with self.places.separated.reading() as connection:
                row = connection.execute(_SEPARATED_ROW, placed_value(value)).fetchone()
            tier = Tier.SEPARATED
        if row is None:
            return None
        sealed = Sealed(row[1], row[2])
        return self.places.vault.open(tier, seen.policy, seen.subject_id, value, item, sealed).decode()


def _by_item(seen: Seen, values: Collection[ValueId]) -> dict[str, tuple[ValueId, ...]]:
    """Values under the names of their items."""
    known = seen.view.values
    if len(values) == 1:
        return {known[value].item: (value,) for value in values}
    by_item: dict[str, tuple[ValueId, ...]] = {}
    for value in values:
        item = known[value].item
        by_item[item] = (*by_item.get(item, ()), value)
    return by_item


def _of_whom(chosen: _Chosen) -> list[Seen]:
    """All whose views a batch rests on, those of its values first and each as often as it has values."""
    views = chosen.views
    if len(views) > len(chosen.owners):  # a value was named twice
        views = chosen.views = [one.seen for one in chosen.owners.values()]
    return [*views, *(seen for seen, _, _, _ in chosen.refused)] if chosen.refused else views


def _batch_entries(purpose: str, use: str | None, reader: Reader, chosen: _Chosen, at: Instant) -> list[Evidence]:
    """r1 for a batch: one record a policy names every value with its owner's alias; one for each refusal."""
    views, values = chosen.views, list(chosen.owners)
    entries: list[Evidence] = [_refused_entry(act, seen, decision, at) for seen, _, act, decision in chosen.refused]
    alone = len(chosen.elements) == 1
    for policy, elements in chosen.elements.items():
        own, whose = values, views
        if not alone:
            own = [value for value, seen in zip(values, views, strict=True) if seen.policy == policy]
            whose = [seen for seen in views if seen.policy == policy]
        aliases = [seen.alias for seen in whose]
        entries.append(_granted_entry(policy, tuple(sorted(elements)), at, aliases, own, purpose, use, *_who(reader)))
    return entries


def _access_entry(act: Read, seen: Seen, decision: Decision, at: Instant) -> list[Evidence]:
    """The record of one grant."""
    reader = act.reader
    form = _form_of(seen.policy, decision.elements, act.purpose, act.use, reader.kind, reader.reader_id, reader.origin)
    return [form.filled(at, seen.alias or None, decision.covers)]


def _entry_of_all(
    act: Read, whom: Sequence[Seen], decision: Decision, values: list[ValueId], at: Instant
) -> list[Evidence]:
    """The record of grants that all rest on the same, by one reader for one purpose."""
    aliases = [seen.alias for seen in whom]
    return [
        _granted_entry(whom[0].policy, decision.elements, at, aliases, values, act.purpose, act.use, *_who(act.reader))
    ]


def _access_entries(readings: Sequence[Reading], decided: _Decided, at: Instant) -> list[Evidence]:
    """One record for all grants of one kind, with the alias of each value's owner; one for each refusal."""
    if len(readings) == 1:
        [(one, decision)], act = decided, readings[0].act
        if not decision.granted:
            return [_refused_entry(act, one.seen, decision, at)]
        return _access_entry(act, one.seen, decision, at)
    granted: dict[_Alike, tuple[list[str], list[ValueId]]] = {}
    entries: list[Evidence] = []
    before: tuple[str, Read, tuple[Cited, ...]] | None = None
    aliases: list[str] = []
    values: list[ValueId] = []
    for reading, (one, decision) in zip(readings, decided, strict=True):
        act, seen, covers = reading.act, one.seen, decision.covers
        if decision.granted:
            if (
                before is None
                or decision.because is not before[2]
                or act.reader is not before[1].reader
                or not _alike(before, seen.policy, act)
            ):
                key = (seen.policy, decision.elements, act.purpose, act.use, *_who(act.reader))
                aliases, values = granted.setdefault(key, ([], []))
                before = (seen.policy, act, decision.because)
            if len(covers) == 1:
                aliases.append(seen.alias)
                values.append(covers[0])
            else:
                aliases += [seen.alias] * len(covers)
                values += covers
        else:
            entries.append(_refused_entry(act, seen, decision, at))
    for (policy, elements, purpose, use, kind, reader_id, origin), (aliases, values) in granted.items():
        entries.append(_granted_entry(policy, elements, at, aliases, values, purpose, use, kind, reader_id, origin))
    return entries


def _asks_like(act: Read, other: Read) -> bool:
    """Whether two read for the same: sometimes False where they do, never True where not."""
    return act.reader is other.reader and act.purpose == other.purpose and act.use == other.use


def _alike(before: tuple[str, Read, tuple[Cited, ...]], policy: str, act: Read) -> bool:
    """Whether one record tells two grants because of the same: sometimes False where it could, never True where not."""
    return policy == before[0] and act.purpose == before[1].purpose and act.use == before[1].use


_Alike = tuple[str, tuple[str, ...], str | None, str | None, str, str, str | None]
"""Grants that one record tells: policy, elements, purpose, use, and who read from where."""


def _who(reader: Reader) -> tuple[str, str, str | None]:
    return reader.kind, reader.reader_id, reader.origin


def _granted_entry(
    policy: str,
    elements: tuple[str, ...],
    at: Instant,
    aliases: list[str],
    values: list[ValueId],
    purpose: str | None,
    use: str | None,
    kind: str,
    reader_id: str,
    origin: str | None,
) -> Written:
    form = _form_of(policy, elements, purpose, use, kind, reader_id, origin)
    who = (aliases[0] or None) if aliases.count(aliases[0]) == len(aliases) else tuple(aliases)
    return form.filled(at, who, tuple(values))


@lru_cache(maxsize=1024)
def _form_of(
    policy: str,
    elements: tuple[str, ...],
    purpose: str | None,
    use: str | None,
    kind: str,
    reader_id: str,
    origin: str | None,
) -> Form:
    """What all records have in common that one reader leaves for one purpose, on the same elements."""
    fields: dict[str, Recordable] = {"purpose": purpose, "values": (0,), "reader": str(kind)}
    if use is not None:
        fields["use"] = use
    if _ID.match(reader_id):
        fields["reader_id"] = reader_id
    if origin is not None:
        fields["origin"] = origin
    return Form(Entry("read.granted", BEGINNING, policy, None, elements, fields))


def _refused_entry(act: Read, seen: Seen, decision: Decision, at: Instant) -> Entry:
    fields: dict[str, Recordable] = {
        "purpose": act.purpose if act.purpose in seen.view.plan.purposes else "unnamed",
        "reasons": tuple(reason.value for reason in decision.reasons),
        "values": tuple(one for one in act.values if one in seen.view.values),
        "reader": act.reader.kind.value,
    }
    if _ID.match(act.reader.reader_id):
        fields["reader_id"] = act.reader.reader_id
    if act.reader.origin is not None:
        fields["origin"] = act.reader.origin
    return Entry("read.refused", at, seen.policy, seen.alias or None, decision.elements, fields)


def _held_rows(transaction: Transaction, wanted: Sequence[ValueId]) -> dict[ValueId, HeldRow]:
    return {ValueId(row[0]): row for row in subjects.held(transaction.connection, wanted)}


_ATTEMPTS = 50
_SEPARATED_ROW = "SELECT value_id, key_id, sealed FROM value WHERE bucket = ? AND value_id = ? AND stage = 'held'"
