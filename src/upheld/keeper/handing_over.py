"""A merger or transfer of the business, person by person: nobody's data passes on before that person was told.

Each person is to tell, told, unreachable without fault, refused, or handed over. The first three follow from messages
and postings about the case (`keeper/posting.py`); the last two are written down.

| step | place | a crash after it leaves | what goes on |
|---|---|---|---|
| h1 told long enough, not refused, nothing held back: the disclosure on record | active | *handing* | h2 |
| h2 the values are opened and handed to the receiver | outside | as h1 | h2 again, under the same id |
| h3 *handed-over*; open engagements end where the case says so | active | done | - |

INVARIANT: I1, I6, I7.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial

import msgspec

from upheld.dates import FOREVER, Instant, Period, end_of, local_date, start_of
from upheld.engine.acts import DisclosureId, FactId, SubjectId, ValueId
from upheld.engine.passing_on import passing_on
from upheld.engine.state import Disclosure, Fact, SubjectState, Value
from upheld.errors import InputRefused
from upheld.keeper.door import Tier, When, replaced
from upheld.keeper.living import Living
from upheld.keeper.posting import Posted
from upheld.keeper.telling import Addressee, Message, element_of
from upheld.ledger.entries import entry
from upheld.store import subjects
from upheld.store.ids import bucket_of, placed_value
from upheld.store.place import Transaction
from upheld.store.subjects import packed_names, unpacked_ids, unpacked_names
from upheld.store.vault import KeyMissing, Sealed
from upheld.store.views import Seen

NOTICE = "business-transfer"
FACTS = frozenset({"merger", "whole-business", "part-of-business"})
REFUSED_MEANS = frozenset({"stays", "ends"})
"""What refusing brings about: the person stays with us, or what they have with us ends."""
TO_REFUSE = Period(days=10)
"""Ours: how long somebody has to refuse, from being told, before anything is handed over."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What people are told, in one language: the fact, who takes over, where to turn to, how to refuse."""

    fact: str
    transferee: str
    contact: str
    refusing: str


@dataclass(frozen=True, slots=True)
class Merger:
    """One case. `transferee` is a code; names and addresses stand in its terms."""

    case_id: str
    policy: str
    fact: str
    transferee: str
    effective_at: Instant
    refused_means: str
    ends_here: bool
    """Whether open engagements end here once a person was handed over; a merger goes on with the same ones."""
    kinds: tuple[str, ...]
    """Subject kinds it is about; empty: everybody."""
    to_refuse: Period
    opened_at: Instant
    closed_at: Instant | None
    terms_paper: str


@dataclass(slots=True)
class MergerState:
    """Where every person of a case stands."""

    states: dict[SubjectId, str] = field(default_factory=dict)
    """to-tell, told, unreachable, refused, handing, handed-over."""
    ready: dict[SubjectId, Instant] = field(default_factory=dict)
    """From when a told or covered person may be handed over."""
    reasons: dict[SubjectId, str] = field(default_factory=dict)
    """Why somebody cannot be reached."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Persons by state."""
        return Counter(self.states.values())


@dataclass(frozen=True, slots=True)
class Reached:
    """How one person is told: in which language, and who gets it in their place (a child's representative)."""

    locale: str | None = None
    """None: the first of the policy."""
    to: Addressee | None = None
    medium: str = "email"
    """By which the address of `to` is reached."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What is handed over of one person, under an id that stays the same if it is handed over again."""

    disclosure_id: str
    subject_id: SubjectId
    kind: str
    items: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class PassedOn:
    """What one run of handing over did."""

    handed: int = 0
    waiting: dict[SubjectId, str] = field(default_factory=dict)
    """Whom it left, and why: not told, told too lately, a dispute is open."""


class HandingOver(Living, Posted):
    """Cases of merger and transfer."""

    # ── the case ────────────────────────────────────────────────────────────────────────────────────────────────────

    def merger(
        self,
        policy: str,
        fact: str,
        transferee: str,
        terms: Mapping[str, Terms],
        *,
        effective_on: date,
        refused_means: str,
        ends_here: bool | None = None,
        kinds: Sequence[str] = (),
        to_refuse: Period = TO_REFUSE,
    ) -> str:
        """Open a case: `merger`, `whole-business` or `part-of-business`. `terms` by locale, each that the policy has.

        `refused_means` is `stays` or `ends`. Returns the case's id. Raises InputRefused with everything that is amiss.
        """
        plan, document = self.views.line(policy).latest, self._document_in_force(policy)
        wrong = [] if fact in FACTS else [f"`{fact}` is none of {', '.join(sorted(FACTS))}"]
        wrong += [] if refused_means in REFUSED_MEANS else ["`refused_means` is `stays` or `ends`"]
        wrong += [f"no terms in `{one}`" for one in document.locales if one not in terms]
        wrong += [f"the terms in `{one}` lack {', '.join(lacks)}" for one, t in terms.items() if (lacks := _blank(t))]
        wrong += [f"no subject kind `{one}`" for one in kinds if one not in plan.subjects]
        effective_at = start_of(effective_on, plan.zone)
        if effective_at <= self.now():
            wrong.append("it takes effect in the past; people are told beforehand")
        if wrong:
            raise InputRefused("merger-incomplete", "; ".join(wrong))
        case_id, ends = self.new_id(), fact != "merger" if ends_here is None else ends_here
        sealed = self.places.papers.seal(policy, "notices", case_id, msgspec.json.encode(dict(terms)))
        kept_until = end_of(effective_at, Period(years=3), plan.zone)

        def work(transaction: Transaction) -> None:
            self._put_paper(transaction, policy, "notices", case_id, sealed, NOTICE, kept_until, None)
            names = packed_names(kinds)
            row = (policy, case_id, fact, transferee, effective_at, refused_means, int(ends), names, str(to_refuse))
            transaction.execute(INSERT_MERGER, (*row, transaction.at, sealed.paper_id))
            transaction.journal(
                entry(
                    "merger.opened",
                    transaction.at,
                    policy,
                    None,
                    (element_of(NOTICE),),
                    case=case_id,
                    fact=fact,
                    transferee=transferee,
                    effective_at=effective_at,
                    refused_means=refused_means,
                    ends_here=ends,
                    to_refuse=str(to_refuse).lower(),
                    kinds=tuple(kinds) or None,
                    paper=sealed.paper_id,
                )
            )

        self.places.active.submit(work)
        return case_id

    def mergers(self, policy: str) -> list[Merger]:
        """Every case, oldest first."""
        with self.places.active.reading() as connection:
            rows = connection.execute(_MERGERS, (policy,)).fetchall()
        return [_merger(policy, row) for row in rows]

    def _merger(self, policy: str, case_id: str) -> Merger:
        found = next((one for one in self.mergers(policy) if one.case_id == case_id), None)
        if found is None:
            raise InputRefused("merger-unknown", f"`{policy}` has no case of merger or transfer with this id")
        return found

    def close_merger(self, policy: str, case_id: str) -> None:
        """The case is over. Raises InputRefused while somebody is neither handed over nor has refused."""
        counts = self.merger_state(policy, case_id).counts
        left = {state: count for state, count in counts.items() if state not in ("refused", "handed-over")}
        if left:
            said = ", ".join(f"{count} {state}" for state, count in sorted(left.items()))
            raise InputRefused("merger-open", f"there are persons left: {said}")

        def work(transaction: Transaction) -> None:
            if transaction.execute(CLOSE_MERGER, (transaction.at, policy, case_id)).rowcount:
                transaction.journal(
                    entry(
                        "merger.closed", transaction.at, policy, None, (element_of(NOTICE),),
                        case=case_id, counts=dict(counts),
                    )
                )  # fmt: skip

        self.places.active.submit(work)

    # ── persons ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def merger_state(self, policy: str, case_id: str) -> MergerState:
        """Where everybody stands whom the case is about, those who came since it was opened included."""
        case, found = self._merger(policy, case_id), MergerState()
        told = self.told(policy, NOTICE, case_id)
        zone = self.views.line(policy).latest.zone
        with self.places.active.reading() as connection:
            persons = connection.execute(_PERSONS, (policy,)).fetchall()
            written = dict(connection.execute(_WRITTEN, (policy, case_id)).fetchall())
        for subject, kind in persons:
            person = SubjectId(subject)
            if subject in written:
                found.states[person] = written[subject]
            elif not case.kinds or kind in case.kinds:
                state = told.states.get(person, "waiting")
                found.states[person] = _PERSON.get(state, "to-tell")
                since = told.since.get(person)
                if state in ("told", "covered") and since is not None:
                    found.ready[person] = max(case.effective_at, end_of(since, case.to_refuse, zone))
                if person in told.reasons:
                    found.reasons[person] = told.reasons[person]
        return found

    def tell_merger(
        self,
        policy: str,
        case_id: str,
        media: Sequence[str] = ("email",),
        *,
        reached: Callable[[SubjectId], Reached] = lambda _: Reached(),
    ) -> Counter[str]:
        """Queue the notice for everybody who has none, by the first medium that reaches them. Again adds nothing.

        `reached` says of each who is told in their place, and in which language; `desk.merging.tell` knows both.
        """
        case = self._merger(policy, case_id)
        terms = self.merger_terms(case)
        state = self.merger_state(policy, case_id)
        tried = {one.subject_id for one in self.messages(policy, notice=NOTICE, about=case_id)}
        counts: Counter[str] = Counter()
        for person in sorted(one for one, word in state.states.items() if word == "to-tell" and one not in tried):
            counts[self._tell_one(case, terms, person, media, reached(person)).state] += 1
        return counts

    def _tell_one(
        self, case: Merger, terms: Mapping[str, Terms], person: SubjectId, media: Sequence[str], how: Reached
    ) -> Message:
        zone = self.views.line(case.policy).latest.zone
        locale = how.locale if how.locale is not None and how.locale in terms else next(iter(terms))
        fields = {**_fields(terms[locale]), "effective": local_date(case.effective_at, zone).isoformat()}
        tell = partial(self.tell, person, NOTICE, about=case.case_id, fields=fields, locale=locale)
        if how.to is not None:
            return tell(how.medium, to=how.to)
        message = tell(media[0])
        for medium in media[1:]:
            if message.state != "unreachable":
                break
            message = tell(medium)
        return message

    def merger_terms(self, case: Merger) -> Mapping[str, Terms]:
        """What people are told, by locale, the policy's first locale first."""
        content = self.paper(case.policy, case.terms_paper)
        if content is None:
            raise InputRefused("terms-destroyed", "the terms of this case are destroyed; its time is over")
        given = msgspec.json.decode(content, type=dict[str, Terms])
        locales = self._document_in_force(case.policy).locales
        return {one: given[one] for one in (*locales, *given) if one in given}

    def refuse_transfer(self, subject_id: SubjectId, case_id: str, *, channel: str, at: When = None) -> None:
        """The person refuses: nothing of theirs passes on. Raises InputRefused when it has passed on already."""
        when = self._happened(at)

        def work(transaction: Transaction, seen: Seen, now: Instant) -> None:
            case = self._merger(seen.policy, case_id)
            self.views.prove(transaction, seen)
            state = _written_state(transaction, subject_id, case_id)
            if state in ("handing", "handed-over"):
                raise InputRefused("already-handed-over", "their data has passed on; the transferee takes refusals now")
            if state == "refused":
                return
            transaction.execute(SET_PERSON, (*_key(subject_id), seen.policy, case_id, "refused", when, None))
            transaction.journal(
                self._entry(
                    seen, when, "handover.refused", case=case_id, channel=channel, ends=case.refused_means == "ends"
                ).with_elements((element_of(NOTICE),))
            )
            if case.refused_means == "ends":
                self._end_engagements(transaction, seen, when, now)

        self._attempt(subject_id, work)

    def _end_engagements(self, transaction: Transaction, seen: Seen, when: Instant, now: Instant) -> None:
        still = [one for one in seen.state.engagements if seen.view.life.engagement_end(one).at >= FOREVER]
        for engagement in still:
            fact = Fact(FactId(self.new_id()), "ended", when, transaction.at, engagement)
            state = replaced(seen.state, facts=(*seen.state.facts, fact))
            seen = self._changed(transaction, seen, state, now, (("ended", when),))
            subjects.add_fact(transaction, seen.subject_id, fact)
            transaction.journal(self._fact_entry(seen, transaction.at, fact, seen.view.plan))
        if still:
            self._stirred(transaction, seen)

    # ── handing over ────────────────────────────────────────────────────────────────────────────────────────────────

    def hand_over(
        self, policy: str, case_id: str, receiver: Callable[[Bundle], None], *, limit: int = 10_000
    ) -> PassedOn:
        """Hand over everybody whose turn it is, one after the other; `receiver` takes each, and must know repeats by
        their id. Whoever is left out is named with the reason.
        """
        case, done = self._merger(policy, case_id), PassedOn()
        state = self.merger_state(policy, case_id)
        if self.now() < case.effective_at:
            done.waiting = {one: "not-effective" for one, word in state.states.items() if word not in _OVER}
            return done
        for person, word in list(state.states.items()):
            if word in _OVER or done.handed >= limit:
                continue
            reason = None if word == "handing" else self._keeps_back(state, person)
            reason = reason or self._one_over(case, person, receiver)
            if reason is None:
                done.handed += 1
            else:
                done.waiting[person] = reason
        return done

    def _keeps_back(self, state: MergerState, person: SubjectId) -> str | None:
        ready = state.ready.get(person)
        if ready is None:
            return "not-told" if state.states[person] == "to-tell" else "not-covered"
        return None if ready <= self.now() else "may-still-refuse"

    def _one_over(self, case: Merger, person: SubjectId, receiver: Callable[[Bundle], None]) -> str | None:
        """h1 to h3 for one person; the reason when h1 found one."""

        def record(transaction: Transaction, seen: Seen, now: Instant) -> Bundle | str | None:
            return self._record_handing(transaction, seen, case, now)

        bundle = self._attempt(person, record)
        if isinstance(bundle, str) or bundle is None:
            return bundle
        receiver(self._with_contents(case.policy, bundle))

        def settle(transaction: Transaction, seen: Seen, now: Instant) -> None:
            self.views.prove(transaction, seen)
            if _written_state(transaction, person, case.case_id) != "handing":
                return
            row = (*_key(person), case.policy, case.case_id, "handed-over", transaction.at, bundle.disclosure_id)
            transaction.execute(SET_PERSON, row)
            transaction.journal(
                self._entry(
                    seen, transaction.at, "handover.done", case=case.case_id, disclosure=bundle.disclosure_id
                ).with_elements((element_of(NOTICE),))
            )
            if case.ends_here:
                self._end_engagements(transaction, seen, transaction.at, now)

        self._attempt(person, settle)
        return None

    def _record_handing(self, transaction: Transaction, seen: Seen, case: Merger, now: Instant) -> Bundle | str | None:
        """h1. Everything is asked again inside the commit: a refusal or a freeze may have come in between."""
        self.views.prove(transaction, seen)
        person = seen.subject_id
        state = _written_state(transaction, person, case.case_id)
        if state in _OVER:
            return "refused" if state == "refused" else None
        if state == "handing":
            return _bundle_again(transaction, seen, case)
        passing = passing_on(seen.view, now)
        if passing.held_back:
            return passing.held_back[0].reason.value if passing.held_back[0].reason else "held"
        values = tuple(one.value_id for one in passing.values)
        one = Disclosure(DisclosureId(self.new_id()), case.transferee, values, now, transaction.at, None)
        changed: SubjectState = replaced(seen.state, disclosures=(*seen.state.disclosures, one))
        self._changed(transaction, seen, changed, now, ())
        subjects.add_disclosure(transaction, person, one, "handover", None)
        row = (*_key(person), case.policy, case.case_id, "handing", transaction.at, one.disclosure_id)
        transaction.execute(SET_PERSON, row)
        transaction.journal(
            self._entry(
                seen,
                now,
                "handover.begun",
                case=case.case_id,
                disclosure=one.disclosure_id,
                recipient=case.transferee,
                values=values,
                items=tuple(dict.fromkeys(value.item for value in passing.values)),
            ).with_elements((element_of(NOTICE),))
        )
        return _bundle(transaction, one.disclosure_id, seen.state, passing.values)

    def _with_contents(self, policy: str, bundle: Bundle) -> Bundle:
        """h2: the contents, once the record is durable."""
        items: list[tuple[str, str]] = []
        for item, number in bundle.items:
            value = ValueId(int(number))
            with self.places.active.reading() as connection:
                row = connection.execute(_SEALED, placed_value(value)).fetchone()
            if row is None or row[0] is None or row[1] is None:
                continue
            try:
                sealed = Sealed(row[0], row[1])
                text = self.places.vault.open(Tier.ACTIVE, policy, bundle.subject_id, value, item, sealed)
            except KeyMissing:
                continue  # destroyed since: what is gone is handed to nobody
            items.append((item, text.decode()))
        return Bundle(bundle.disclosure_id, bundle.subject_id, bundle.kind, tuple(items))


_OVER = ("refused", "handed-over")
_PERSON: Mapping[str, str] = {"told": "told", "covered": "unreachable", "unreachable": "unreachable"}


def _key(person: SubjectId) -> tuple[int, SubjectId]:
    return bucket_of(person), person


def _fields(terms: Terms) -> dict[str, str]:
    return {
        "fact": terms.fact, "transferee": terms.transferee, "contact": terms.contact, "refusing": terms.refusing,
    }  # fmt: skip


def _blank(terms: Terms) -> list[str]:
    return [name for name, text in _fields(terms).items() if not text.strip()]


def _written_state(transaction: Transaction, person: SubjectId, case_id: str) -> str | None:
    row = transaction.execute(_PERSON_STATE, (*_key(person), case_id)).fetchone()
    return str(row[0]) if row else None


def _bundle(transaction: Transaction, disclosure_id: str, state: SubjectState, values: Sequence[Value]) -> Bundle:
    items = tuple((one.item, str(one.value_id)) for one in values)
    return Bundle(disclosure_id, state.subject_id, state.kind, items)


def _bundle_again(transaction: Transaction, seen: Seen, case: Merger) -> Bundle:
    """What was recorded before a crash: the same disclosure, the same values."""
    row = transaction.execute(_HANDING, (*_key(seen.subject_id), case.case_id)).fetchone()
    stored = transaction.execute(_DISCLOSED, (*_key(seen.subject_id), row[0])).fetchone()
    wanted = unpacked_ids(stored[0])
    values = [one for one in seen.state.values if one.value_id in wanted]
    return _bundle(transaction, row[0], seen.state, values)


def _merger(policy: str, row: Sequence[object]) -> Merger:
    case_id, fact, transferee, effective, means, ends, kinds, to_refuse, opened, closed, paper = row
    return Merger(
        str(case_id),
        policy,
        str(fact),
        str(transferee),
        Instant(int(str(effective))),
        str(means),
        bool(ends),
        unpacked_names(str(kinds)),
        Period.parse(str(to_refuse)),
        Instant(int(str(opened))),
        None if closed is None else Instant(int(str(closed))),
        str(paper),
    )


INSERT_MERGER = (
    "INSERT INTO merger(policy, case_id, fact, transferee, effective_at, refused_means, ends_here, kinds, to_refuse, "
    "opened_at, terms_paper) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(policy, case_id) DO NOTHING"
)
CLOSE_MERGER = "UPDATE merger SET closed_at = ? WHERE policy = ? AND case_id = ? AND closed_at IS NULL"
SET_PERSON = (
    "INSERT INTO handover(bucket, subject_id, policy, case_id, state, at, disclosure_id) VALUES(?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT(bucket, subject_id, case_id) DO UPDATE SET state = excluded.state, at = excluded.at, "
    "disclosure_id = excluded.disclosure_id"
)
_MERGERS = (
    "SELECT case_id, fact, transferee, effective_at, refused_means, ends_here, kinds, to_refuse, opened_at, closed_at, "
    "terms_paper FROM merger WHERE policy = ? ORDER BY opened_at, case_id"
)
_PERSONS = "SELECT subject_id, kind FROM subject WHERE policy = ?"
_WRITTEN = "SELECT subject_id, state FROM handover WHERE policy = ? AND case_id = ?"
_PERSON_STATE = "SELECT state FROM handover WHERE bucket = ? AND subject_id = ? AND case_id = ?"
_HANDING = "SELECT disclosure_id FROM handover WHERE bucket = ? AND subject_id = ? AND case_id = ?"
_DISCLOSED = "SELECT value_ids FROM disclosure WHERE bucket = ? AND subject_id = ? AND disclosure_id = ?"
_SEALED = "SELECT key_id, sealed FROM value WHERE bucket = ? AND value_id = ?"
