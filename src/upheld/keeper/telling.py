"""Telling people: decided, put on record under an id that never changes, then sent; what became of it is recorded too.

| step | place | a crash after it leaves | what goes on |
|---|---|---|---|
| t1 decided; message *queued*, its text a paper, evidence | active | a message that waits | the next delivery |
| t2 decided again; the look at the address on record | active | *sending* | *uncertain* when the lease is over |
| t3 handed to the transport | outside | as t2 | as t2 |
| t4 *sent*, *queued* for later, *failed* or *uncertain*, evidence | active | done | - |

A message that is uncertain is tried again under the same id, or settled by staff; nothing decides by itself that
somebody was told. Several processes deliver side by side: t2 takes a message for one of them. INVARIANT: I6, I7.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from upheld.connect.transport import Answer, Handed, Letter, Transport
from upheld.dates import FOREVER, Instant, moment
from upheld.engine.acts import Decision, Reason, Send, SubjectId
from upheld.engine.compile import rule_of
from upheld.engine.notices import ADDRESS_ITEMS, OWED, Reach, reach_of
from upheld.engine.plan import Rule
from upheld.engine.state import About, AboutKind, ActingKind
from upheld.errors import InputRefused
from upheld.keeper.door import Tier, When
from upheld.keeper.papers import Papers
from upheld.law import law_for
from upheld.ledger.entries import Entry, entry
from upheld.policy.letters import Written, letter
from upheld.policy.model import Policy
from upheld.policy.vocabulary import TRANSPORTS, served_by
from upheld.policy.wording import Words
from upheld.store import outbox, papers, subjects
from upheld.store.engine import Connection
from upheld.store.ids import bucket_of, placed_value
from upheld.store.outbox import MessageRow
from upheld.store.place import Transaction
from upheld.store.vault import KeyMissing, Sealed
from upheld.store.views import Seen

ADVERT: Final = "advert"
"""The notice that nobody is owed: it needs consents, is decided again when it is sent, and carries a label."""
LABEL: Final = Words("[advertisement]", "(광고)")
"""Ours, where no law says what an advertisement begins with."""
AT_ONCE: Final = 20
"""Messages taken together: with the longest wait for each, the lease still covers them all."""
LEASE: Final = 15 * 60 * 1_000_000
"""Ours: how long a message may be on its way before nobody knows what became of it."""
PAUSES: Final = (60, 300, 1_800, 7_200, 28_800)
"""Ours: seconds before each next attempt; after the last one the message has failed."""
ADDRESS_GONE: Final = "address-destroyed"
"""Why a message failed whose address was destroyed between taking and sending it."""
RECORDED: Final = frozenset({"letter", "call", "in-person", "site", "app"})
"""Media by which people tell people; the system only keeps the evidence."""
_AN_ID = re.compile(r"[a-z2-7]{20}")
_A_CODE = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Message:
    """What is known of one message to one person."""

    message_id: str
    subject_id: SubjectId
    notice: str
    medium: str
    about: str | None
    state: str
    """queued, sending, uncertain, sent, acknowledged, bounced, failed, unreachable, withdrawn, refused."""
    reason: str | None
    attempts: int
    queued_at: Instant
    settled_at: Instant | None
    paper_id: str | None

    @property
    def told(self) -> bool:
        """Whether by all that is known the person was told."""
        return self.state in ("sent", "acknowledged")


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who is told in place of a person: a child's legal representative, an agent. The address is theirs."""

    kind: ActingKind
    address: str


@dataclass(slots=True)
class Delivered:
    """What one delivery did, in messages by what became of them."""

    counts: Counter[str] = field(default_factory=Counter)

    def __getitem__(self, state: str) -> int:
        return self.counts[state]


@dataclass(frozen=True, slots=True)
class _OnItsWay:
    """A message taken for sending, with where its address lies."""

    row: MessageRow
    reach: Reach | None
    """None: the letter names who acts for the person."""
    written: Written


class Telling(Papers):
    """The outbox."""

    # ── t1 ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def tell(
        self,
        subject_id: SubjectId,
        notice: str,
        medium: str,
        *,
        about: str | None = None,
        purpose: str | None = None,
        fields: Mapping[str, str] | None = None,
        text: Written | None = None,
        locale: str | None = None,
        to: Addressee | None = None,
    ) -> Message:
        """Tell a person something that is owed (a code of `OWED`), or advertise to them (`advert`, for a `purpose`).

        The letter is written from the document and `fields`, or `text` is sent as it is. Who has no address for the
        medium is *unreachable*, which is on record too. `to`: who acts for the person gets it instead.
        Raises InputRefused for an unknown notice or a letter that lacks something; a refused advertisement comes back
        as `refused` with its reason and leaves the refusal.
        """
        if notice not in OWED and notice != ADVERT:
            raise InputRefused("notice-unknown", f"`{notice}` is no notice; there are: {', '.join((*OWED, ADVERT))}")
        _check_about(about)
        policy = self.views.get(subject_id, self.now()).policy
        document = self._document_in_force(policy)
        written = _written(document, notice, locale or document.locales[0], fields or {}, text)
        if to is not None:
            written = replace(written, to=to.address)
        message_id = self.new_id()
        sealed = self.places.papers.seal(policy, "notices", subject_id, packed(written))

        def work(transaction: Transaction, seen: Seen, now: Instant) -> Message:
            row = _new(seen, message_id, notice, medium, about, purpose, transaction.at)
            decision = self._may_tell(seen, document, notice, medium, purpose, now)
            if not decision.granted:
                self._refusal(transaction, seen, Send(purpose or "", medium, _hour(now, seen)), decision)
                return _message(row, "refused", decision)
            self.views.prove(transaction, seen)
            reach = reach_of(seen.view, self._items_for(transaction, seen.policy, medium), now)
            if reach is None and to is None:
                row = row._replace(state="unreachable", reason="no-address", next_at=Instant(outbox.NEVER))
            else:
                row = row._replace(paper_id=sealed.paper_id)
                self._put_paper(transaction, policy, "notices", subject_id, sealed, message_id, FOREVER, seen.alias)
            self._enqueue(transaction, seen, row, decision, to.kind.value if to else None)
            return _message(row)

        return self._attempt(subject_id, work)

    def _may_tell(
        self, seen: Seen, document: Policy, notice: str, medium: str, purpose: str | None, now: Instant
    ) -> Decision:
        if notice == ADVERT:
            return self._decide(Send(purpose or "", medium, _hour(now, seen)), seen, now)
        return Decision(True, (_owing(document, notice).cited(),))

    def _enqueue(
        self, transaction: Transaction, seen: Seen, row: MessageRow, decision: Decision, to: str | None = None
    ) -> None:
        transaction.execute(outbox.INSERT, row)
        an_id = row.about is not None and _AN_ID.fullmatch(row.about) is not None
        transaction.journal(
            self._entry(
                seen,
                transaction.at,
                "notice.queued",
                message=row.message_id,
                notice=row.notice,
                medium=row.medium,
                about=row.about if an_id else None,
                named=None if an_id else row.about,
                purpose=row.purpose,
                paper=row.paper_id,
                state=None if row.state == "queued" else row.state,
                reason=row.reason,
                to=to,
            ).with_elements((*decision.elements, *_advertised(seen, row), "upkeep.notices"))
        )

    def addressed_by(self, policy: str, medium: str, items: tuple[str, ...]) -> None:
        """Say which items hold the address of a medium, best first, where their names do not tell."""
        unknown = [one for one in items if one not in self.views.line(policy).latest.items]
        if unknown:
            raise InputRefused("item-unknown", f"`{policy}` has no items {', '.join(unknown)}")
        row = (policy, f"address/{served_by(medium)}", " ".join(items))
        self.places.active.submit(lambda transaction: transaction.execute(_SET_SETTING, row))

    @staticmethod
    def _items_for(transaction: Transaction, policy: str, medium: str) -> tuple[str, ...]:
        way = served_by(medium)
        row = transaction.execute(_SELECT_SETTING, (policy, f"address/{way}")).fetchone()
        return tuple(str(row[0]).split()) if row else ADDRESS_ITEMS.get(way, ())

    # ── t2 to t4 ────────────────────────────────────────────────────────────────────────────────────────────────────

    def deliver(self, *transports: Transport, limit: int = 1_000, retry_uncertain: bool = False) -> Delivered:
        """Work the outbox: everything whose turn it is, by the transports given, at most `limit` messages.

        `retry_uncertain` tries messages again of which nobody knows whether they arrived, under the same id.
        """
        done = Delivered()
        self._leases_over(done)
        if retry_uncertain:
            self._queue_uncertain([one.medium for one in transports])
        left = limit
        for transport in transports:
            try:
                left -= self._work(transport, left, done)
            finally:
                transport.close()
        return done

    def _work(self, transport: Transport, limit: int, done: Delivered) -> int:
        left = limit
        while left > 0:
            taken, looked_at = self._take(transport.medium, min(left, AT_ONCE), done)
            for one in taken:
                done.counts[self._hand_over(one, transport)] += 1
            left -= looked_at
            if not looked_at:
                break
        return limit - left

    def _leases_over(self, done: Delivered) -> None:
        """Who was sending has died, or is too late: nobody knows what became of the message."""

        persons = self._persons_of(lambda connection: outbox.expired(connection, self.now()))

        def work(transaction: Transaction) -> int:
            rows = outbox.expired(transaction.connection, self.now())
            mine = [row for row in rows if row.subject_id in persons]
            return sum(self._moved(transaction, row, "uncertain", "interrupted") for row in mine)

        done.counts["uncertain"] += self.places.active.submit(work, about=persons) if persons else 0

    def _persons_of(self, asked: Callable[[Connection], Iterable[MessageRow]]) -> frozenset[str]:
        """Whose messages these are: work on them is about these persons, and nobody else waits for it."""
        with self.places.active.reading() as connection:
            return frozenset(row.subject_id for row in asked(connection))

    def _queue_uncertain(self, ways: list[str]) -> None:
        def work(transaction: Transaction) -> None:
            for medium in (*ways, *(word for word, served in TRANSPORTS.items() if served in ways)):
                for row in outbox.uncertain(transaction.connection, medium):
                    self._moved(transaction, row, "queued", "tried-again", transaction.at)

        self.places.active.submit(work)

    def _take(self, way: str, limit: int, done: Delivered) -> tuple[list[_OnItsWay], int]:
        """t2. Gives what is to be sent, and how many messages were looked at."""
        if self.views.plan_epoch < 0:
            self.views.refresh()
        media = (way, *(word for word, served in TRANSPORTS.items() if served == way))

        def waiting(connection: Connection) -> list[MessageRow]:
            return [row for one in media for row in outbox.ready(connection, one, self.now(), limit)][:limit]

        def work(transaction: Transaction) -> tuple[list[_OnItsWay], int]:
            mine = [row for row in waiting(transaction.connection) if row.subject_id in persons]
            found = [self._taken(transaction, row, done) for row in mine]
            return [one for one in found if one is not None], len(found)

        while persons := self._persons_of(waiting):
            taken = self.places.active.submit(work, about=persons)
            if taken[1]:  # else somebody else took these meanwhile: look again
                return taken
        return [], 0

    def _taken(self, transaction: Transaction, row: MessageRow, done: Delivered) -> _OnItsWay | None:
        stored = subjects.load(transaction.connection, SubjectId(row.subject_id))
        if stored is None:
            return None
        now = max(self.now(), stored.last_at)
        seen = self.views.keep(stored, self.views.era, now)
        self.views.drop(seen.subject_id)
        decision = self._may_tell(seen, self._document_in_force(row.policy), row.notice, row.medium, row.purpose, now)
        if not decision.granted:
            self._given_up(transaction, row, "withdrawn", decision.reasons[0].value, done)
            return None
        written = self._written_before(transaction, row)
        acting = bool(written and written.to)
        reach = None if acting else reach_of(seen.view, self._items_for(transaction, row.policy, row.medium), now)
        if (reach is None and not acting) or written is None:
            reason = "no-address" if reach is None else "text-destroyed"
            self._given_up(transaction, row, "unreachable" if reach is None else "withdrawn", reason, done)
            return None
        if not outbox.claim(transaction, row, Instant(self.now() + LEASE)):
            return None
        attempt = row.attempts + 1
        transaction.journal(
            self._entry(
                seen, transaction.at, "notice.moved", message=row.message_id, notice=row.notice, state="sending",
                attempt=attempt,
            ),
            self._address_seen(transaction, seen, row, reach).with_elements(decision.elements),
        )  # fmt: skip
        return _OnItsWay(row._replace(state="sending", attempts=attempt), reach, written)

    def _written_before(self, transaction: Transaction, row: MessageRow) -> Written | None:
        paper = papers.one_in(transaction, row.bucket, row.paper_id or "")
        if paper is None or paper[1] is None:
            return None
        content = self.places.papers.open(row.policy, paper[0].kind, paper[0].owner, paper[0].paper_id, paper[1])
        return unpacked(content)

    def _address_seen(self, transaction: Transaction, seen: Seen, row: MessageRow, reach: Reach | None) -> Entry:
        """The look at the address: a value of the person, or the letter's own where somebody acts for them."""
        if reach is None:
            return self._entry(seen, transaction.at, "paper.seen", paper=row.paper_id, kind="notices")
        return self._entry(
            seen, transaction.at, "address.read", message=row.message_id, notice=row.notice,
            values=(reach.value.value_id,), items=(reach.value.item,), disputed=reach.disputed or None,
        )  # fmt: skip

    def _given_up(self, transaction: Transaction, row: MessageRow, state: str, reason: str, done: Delivered) -> None:
        self._moved(transaction, row, state, reason)
        done.counts[state] += 1

    def _hand_over(self, one: _OnItsWay, transport: Transport) -> str:
        """t3 and t4, for one message; gives what became of it."""
        address = self._address(one)
        if address is None:
            return self._after(one.row, Answer(Handed.FAILED, ADDRESS_GONE))
        headers = refusal_headers(one.written)
        given = Letter(one.row.message_id, address, one.written.subject, one.written.text, one.written.locale, headers)
        return self._after(one.row, transport.send(given))

    def _address(self, one: _OnItsWay) -> str | None:
        if one.reach is None:
            return one.written.to
        tier, item = (Tier.SEPARATED if one.reach.apart else Tier.ACTIVE), one.reach.value.item
        place = self.places.separated if tier is Tier.SEPARATED else self.places.active
        value = one.reach.value.value_id
        with place.reading() as connection:
            stored = connection.execute(_SEALED, placed_value(value)).fetchone()
        if stored is None or stored[0] is None or stored[1] is None:
            return None
        sealed, person = Sealed(stored[0], stored[1]), SubjectId(one.row.subject_id)
        try:
            return self.places.vault.open(tier, one.row.policy, person, value, item, sealed).decode()
        except KeyMissing:
            return None

    def _after(self, row: MessageRow, answer: Answer) -> str:
        state, reason, next_at = answer.handed.value, answer.reason or None, outbox.NEVER
        if answer.handed is Handed.LATER:
            tried = row.attempts - 1
            state, reason = ("queued", reason) if tried < len(PAUSES) else ("failed", reason)
            next_at = self.now() + PAUSES[tried] * 1_000_000 if state == "queued" else outbox.NEVER

        def work(transaction: Transaction) -> None:
            if not self._moved(transaction, row, state, reason, next_at):
                # The lease was over before the answer came; what the transport says is better than not knowing.
                self._moved(transaction, row._replace(state="uncertain"), state, reason, next_at)

        self.places.active.submit(work, about=(row.subject_id,))
        return "later" if state == "queued" else state

    def _moved(
        self,
        transaction: Transaction,
        row: MessageRow,
        state: str,
        reason: str | None,
        next_at: int = outbox.NEVER,
        by: str | None = None,
    ) -> bool:
        """Move a message on, with its evidence; False when somebody else did."""
        if state not in outbox.MOVES.get(row.state, ()) or not outbox.move(transaction, row, state, reason, next_at):
            return False
        person = SubjectId(row.subject_id)
        alias = self.views.alias(person) or None
        elements = tuple(dict.fromkeys((element_of(row.notice), "upkeep.notices")))
        transaction.journal(_moved_entry(row, transaction.at, alias, elements, state, reason, by))
        return True

    # ── what people know ────────────────────────────────────────────────────────────────────────────────────────────

    def settle(self, message_id: str, outcome: str, *, by: str | None = None) -> None:
        """Staff say what became of an uncertain message: `sent`, `failed`, or `queued` to try again under its id."""
        if outcome not in ("sent", "failed", "queued"):
            raise InputRefused("outcome-unknown", "an uncertain message is settled as `sent`, `failed` or `queued`")
        self._told_us(message_id, "uncertain", outcome, "by-staff", by)

    def acknowledged(self, message_id: str, *, by: str | None = None) -> None:
        """The person, or their mail server, confirmed that it arrived."""
        self._told_us(message_id, "sent", "acknowledged", None, by)

    def bounced(self, message_id: str, reason: str = "returned", *, by: str | None = None) -> None:
        """It came back: the person was not told."""
        self._told_us(message_id, "sent", "bounced", reason, by)

    def _told_us(self, message_id: str, before: str, state: str, reason: str | None, by: str | None) -> None:
        def work(transaction: Transaction) -> None:
            row = outbox.one(transaction.connection, message_id)
            if row is None or row.state not in (before, state):
                known = "no such message" if row is None else f"this message is {row.state}"
                raise InputRefused("message-not-there", f"{known}, not {before}")
            if row.state == before:
                next_at = transaction.at if state == "queued" else outbox.NEVER
                self._moved(transaction, row, state, reason, next_at, by)

        self.places.active.submit(work)

    def told_by_hand(
        self,
        subject_id: SubjectId,
        notice: str,
        medium: str,
        evidence: bytes,
        *,
        about: str | None = None,
        at: When = None,
    ) -> Message:
        """Somebody told the person by letter, telephone or in person; what shows it is filed as a paper."""
        if notice not in OWED or medium not in RECORDED:
            raise InputRefused("notice-unknown", f"an owed notice by one of: {', '.join(sorted(RECORDED))}")
        _check_about(about)
        when = self._happened(at)
        policy = self.views.get(subject_id, self.now()).policy
        document, message_id = self._document_in_force(policy), self.new_id()
        sealed = self.places.papers.seal(policy, "notices", subject_id, evidence)

        def work(transaction: Transaction, seen: Seen, now: Instant) -> Message:
            self.views.prove(transaction, seen)
            row = _new(seen, message_id, notice, medium, about, None, when)
            row = row._replace(state="sent", reason="by-hand", next_at=Instant(outbox.NEVER), settled_at=when)
            row = row._replace(paper_id=sealed.paper_id)
            self._put_paper(transaction, policy, "notices", subject_id, sealed, message_id, FOREVER, seen.alias)
            self._enqueue(transaction, seen, row, Decision(True, (_owing(document, notice).cited(),)))
            return _message(row)

        return self._attempt(subject_id, work)

    def messages(
        self, policy: str, *, subject: SubjectId | None = None, notice: str | None = None, about: str | None = None,
        state: str | None = None,
    ) -> list[Message]:  # fmt: skip
        """The outbox and what went through it, oldest first."""
        with self.places.active.reading() as connection:
            if subject is None and notice is not None and about is not None:
                rows = outbox.about(connection, policy, notice, about)
            elif subject is None and state is not None:
                rows = outbox.in_state(connection, policy, state)
            elif subject is None and notice is not None:
                rows = outbox.of_notice(connection, policy, notice)
            elif subject is None:
                rows = outbox.of_policy(connection, policy)
            else:
                rows = outbox.of_subject(connection, bucket_of(subject), subject)
        return [
            _message(row)
            for row in rows
            if row.policy == policy
            and notice in (None, row.notice)
            and about in (None, row.about)
            and state in (None, row.state)
        ]

    def _withdrawn(self, transaction: Transaction, seen: Seen, matter: About) -> None:
        """Refusing empties the queue at once."""
        if matter.kind not in (AboutKind.PURPOSE, AboutKind.MEDIUM, AboutKind.NIGHT):
            return
        rows = outbox.of_subject(transaction.connection, bucket_of(seen.subject_id), seen.subject_id)
        for row in rows:
            about = row.purpose if matter.kind is AboutKind.PURPOSE else row.medium
            if row.notice == ADVERT and row.state == "queued" and about == matter.name:
                self._moved(transaction, row, "withdrawn", Reason.CONSENT_WITHDRAWN.value)


def _advertised(seen: Seen, row: MessageRow) -> tuple[str, ...]:
    """The medium of the document that a notice about a consent to advertising belongs to: the notice shows it kept."""
    if row.notice not in ("consent-confirmed", "reconfirmation") or row.about is None:
        return ()
    found = seen.view.plan.advertising.get(row.about)
    return () if found is None else (found[0].path,)


def element_of(notice: str) -> str:
    """The element of the document that a notice keeps."""
    return OWED[notice].element if notice in OWED else "upkeep.notices"


def _hour(now: Instant, seen: Seen) -> int:
    return moment(now, seen.view.plan.zone).hour


def _check_about(about: str | None) -> None:
    if about is not None and not (_AN_ID.fullmatch(about) or _A_CODE.fullmatch(about)):
        raise InputRefused("about-unusable", "what a notice is about is an id or a code, never a text")


def _owing(document: Policy, notice: str) -> Rule:
    """The element by which a notice is owed, with its clauses where the document promises it itself."""
    owed = OWED[notice]
    section, _, name = owed.element.partition(".")
    row = getattr(document, section).get(name)
    rule = rule_of(row) if row is not None else Rule(owed.element, {})
    return Rule(rule.path, rule.clauses, law_for(document.time_zone).cites(f"told.{notice}"))


def _written(document: Policy, notice: str, locale: str, fields: Mapping[str, str], text: Written | None) -> Written:
    if notice != ADVERT:
        return text if text is not None else letter(document, notice, locale, fields)
    refusing = fields.get("refusing", "").strip()
    if text is None or not refusing:
        raise InputRefused("letter-incomplete", "an advertisement needs its text, and `refusing`: how to refuse, free")
    return labelled(document, text, refusing, one_click=fields.get("one-click") == "yes")


def labelled(document: Policy, text: Written, refusing: str, *, one_click: bool = False) -> Written:
    """An advertisement says that it is one, as the law of the house has it, who sends it, and how to refuse it."""
    asked = law_for(document.time_zone).words("advertising.label")
    label = asked[0] if asked else LABEL.say(text.locale)
    texts = document.controller.texts
    sender = texts.get(text.locale) or next(iter(texts.values()))
    subject = text.subject if text.subject.startswith(label) else f"{label} {text.subject}"
    words = Words("To refuse, free of charge", "무료 수신거부").say(text.locale)
    body = text.text if text.text.startswith(label) else f"{label} {sender}\n\n{text.text}"
    header = f"<{refusing}>" if refusing.startswith(("https://", "mailto:")) else ""
    posted = one_click and header.startswith("<https://")
    return Written(subject, f"{body}\n\n{words}: {refusing}\n", text.locale, header, posted)


def refusal_headers(written: Written) -> Mapping[str, str]:
    """By what a mail program offers to refuse. SOURCE: RFC 2369, 3.2; RFC 8058, 3.1."""
    if not written.refusing:
        return {}
    one_click = {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"} if written.one_click else {}
    return {"List-Unsubscribe": written.refusing, **one_click}


def packed(written: Written) -> bytes:
    """A letter as it is filed."""
    return msgspec.json.encode(written)


def unpacked(content: bytes) -> Written:
    """A letter that was filed."""
    return msgspec.json.decode(content, type=Written)


def _new(
    seen: Seen, message_id: str, notice: str, medium: str, about: str | None, purpose: str | None, at: Instant
) -> MessageRow:
    return MessageRow(
        bucket_of(seen.subject_id), seen.subject_id, message_id, seen.policy, notice, medium, about, purpose,
        "queued", None, None, 0, at, at, Instant(0), None,
    )  # fmt: skip


def _message(row: MessageRow, state: str | None = None, decision: Decision | None = None) -> Message:
    reason = decision.reasons[0].value if decision is not None and decision.reasons else row.reason
    return Message(
        row.message_id,
        SubjectId(row.subject_id),
        row.notice,
        row.medium,
        row.about,
        state or row.state,
        reason,
        row.attempts,
        row.queued_at,
        row.settled_at,
        row.paper_id,
    )


def _moved_entry(
    row: MessageRow,
    at: Instant,
    alias: str | None,
    elements: tuple[str, ...],
    state: str,
    reason: str | None,
    by: str | None,
) -> Entry:
    return entry(
        "notice.moved",
        at,
        row.policy,
        alias,
        elements,
        message=row.message_id,
        notice=row.notice,
        state=state,
        reason=reason,
        attempt=row.attempts or None,
        by=by,
    )


_SET_SETTING = (
    "INSERT INTO setting(policy, name, value) VALUES(?, ?, ?) "
    "ON CONFLICT(policy, name) DO UPDATE SET value = excluded.value"
)
_SELECT_SETTING = "SELECT value FROM setting WHERE policy = ? AND name = ?"
_SEALED = "SELECT key_id, sealed FROM value WHERE bucket = ? AND value_id = ?"
