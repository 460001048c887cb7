"""An old copy of the active place learns from the sealed ledger what happened since it was made.

Contents are not in the ledger: a value collected since is lost, unless a copy of it lies in the separated place. Moves
are only noted here; what follows from them in the other places is done by `recovering`. INVARIANT: I4, I7.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

from upheld.dates import FOREVER, Instant
from upheld.engine.acts import EngagementId, SubjectId, ValueId
from upheld.engine.compile import KNOWN, RECEIVED, compiled
from upheld.engine.plan import Plan, PolicyLine
from upheld.engine.question import question
from upheld.engine.state import About, AboutKind, Use
from upheld.errors import StoreFailed
from upheld.keeper.acting import INSERT_LINK
from upheld.keeper.anchors import ALL_DAYS, OF_A_VISIT, happened
from upheld.keeper.applications import (
    END_OLDER,
    INSERT_APPLICATION,
    INSERT_SECRET,
    SECRETS_AT_ONCE,
    forget_application,
)
from upheld.keeper.approving import INSERT_APPROVAL
from upheld.keeper.door import LEAPT, anchor_days
from upheld.keeper.elsewhere import returned_under
from upheld.keeper.handing_over import CLOSE_MERGER, INSERT_MERGER, SET_PERSON
from upheld.keeper.organisation import INSERT_HANDLER, lines_on_file
from upheld.keeper.posting import INSERT_POSTING, TAKE_DOWN
from upheld.keeper.stirring import stir_everybody
from upheld.ledger.entries import Entry
from upheld.policy.model import Policy
from upheld.policy.read import read_policy
from upheld.store import copies, outbox, papers, subjects
from upheld.store.ids import bucket_of, placed_value
from upheld.store.place import Transaction
from upheld.store.subjects import packed_ids, packed_names, packed_uses, stands_under, unpacked_uses


class DocumentMissing(StoreFailed):
    """The ledger holds the digest of a publication, not its document: somebody must give it."""


@dataclass(frozen=True)
class Around:
    """What the other places tell while the active one learns."""

    subject_of: Callable[[str], SubjectId | None]
    """The person behind an alias, as the key store has it."""
    kept_apart: Collection[int]
    """Values of which the separated place holds a copy that opens."""
    opens: Callable[[int | None], bool]
    """Whether the key store holds this key of the active tier."""
    documents: Mapping[bytes, bytes]
    """Documents given by the officer, by digest."""


@dataclass
class Replay:
    """One transaction in which everything missed is done again. Doing it twice changes nothing more."""

    transaction: Transaction
    around: Around
    counts: Counter[str] = field(default_factory=Counter)
    unknown: set[str] = field(default_factory=set)
    """Aliases of persons who are in no copy any more."""
    touched: dict[SubjectId, tuple[str, Instant]] = field(default_factory=dict)
    lines: Mapping[str, PolicyLine] = field(default_factory=dict)
    certified: Mapping[tuple[object, tuple[ValueId, ...]], str] = field(default_factory=dict)
    """The certificate of a person's values that were destroyed together."""

    def run(self, entries: Iterable[Entry]) -> None:
        """Do everything again, in the order in which it happened; publications first, since the rest rests on them."""
        missed = list(entries)
        self._publish([one for one in missed if one.kind == "policy.published"])
        self.lines, _ = lines_on_file(self.transaction.connection)
        self.certified = {
            (one.who, _values(one)): _text(one, "certificate") for one in missed if one.kind == "value.destroyed"
        }
        for one in missed:
            self._do(one)
        self._wake()

    def _do(self, one: Entry) -> None:
        ours, handler = _HOUSE_HANDLERS.get(one.kind), _HANDLERS.get(one.kind)
        if ours is not None and one.who is None:
            ours(self, one)
        if handler is None or one.who is None:
            return
        person = self.around.subject_of(one.who) if isinstance(one.who, str) else None
        if person is None:
            self.unknown.update(one.persons)
            return
        handler(self, one, person)
        before = self.touched.get(person)
        self.touched[person] = (one.policy, Instant(max(one.at, before[1] if before else one.at)))

    def _add(self, word: str, statement: str, row: tuple[object, ...]) -> None:
        """Insert what is not there yet, and count it."""
        self.counts[word] += self.transaction.execute(statement, row).rowcount

    # ── the house ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _publish(self, published: list[Entry]) -> None:
        missing: list[str] = []
        for one in published:
            version, digest = _text(one, "version"), cast(bytes, one.fields["digest"])
            if self.transaction.execute(_VERSION, (one.policy, version)).fetchone():
                continue
            source = self.around.documents.get(digest)
            if source is None:
                missing.append(f"`{one.policy}` {version} (SHA-256 {digest.hex()})")
                continue
            row = (one.policy, version, source, digest.hex(), one.fields["announced_at"], one.fields["effective_at"])
            gaps = packed_names(cast(tuple[str, ...], one.fields["gaps"]))
            self._add("publications", _INSERT_VERSION, (*row, one.at, gaps))
            self.transaction.execute("DELETE FROM watermark WHERE policy = ?", (one.policy,))
        if missing:
            raise DocumentMissing(
                "the ledger knows publications whose documents are not in this copy; recover with the documents: "
                + "; ".join(missing)
            )

    def found_then(self, one: Entry) -> None:
        """What the gate had against a publication of the past."""
        for element in one.elements:
            row = (one.policy, _text(one, "version"), _text(one, "finding"), element)
            if self.transaction.execute(_FINDING, row).fetchone() is None:
                self._add("findings", _KEEP_FINDING, row)

    def house_fact(self, one: Entry) -> None:
        row = (
            one.policy,
            one.fields["id"],
            one.fields["fact"],
            one.at,
            one.fields["known_at"],
            one.fields.get("named"),
        )
        self._add("facts", _INSERT_CONTROLLER_FACT, row)
        stir_everybody(self.transaction, one.policy, _text(one, "id"))

    def contract_recorded(self, one: Entry) -> None:
        fields = one.fields
        terms = packed_names(cast(tuple[str, ...], fields.get("terms", ())))
        row = (one.policy, fields["contract"], fields["party"], one.at, fields.get("until", FOREVER), terms)
        self._add("contracts", _INSERT_CONTRACT, (*row, int(bool(fields.get("sub_consent")))))

    def contract_ended(self, one: Entry) -> None:
        row = (one.at, one.policy, one.fields["contract"])
        self._add("contracts", "UPDATE contract SET until_at = ? WHERE policy = ? AND contract_id = ?", row)

    def returned(self, one: Entry) -> None:
        row = (one.at, one.policy, one.fields["contract"])
        self._add("contracts", "UPDATE contract SET closed_at = ? WHERE policy = ? AND contract_id = ?", row)
        returned_under(self.transaction, one.policy, _text(one, "contract"), one.elements, Instant(one.at))

    def handler_granted(self, one: Entry) -> None:
        fields = one.fields
        row = (one.policy, fields["handler"], fields["duty"], fields.get("party"), one.at)
        self._add("handlers", INSERT_HANDLER, (*row, fields.get("until", FOREVER)))

    def handler_revoked(self, one: Entry) -> None:
        self._add("handlers", _REVOKE, (one.at, one.policy, one.fields["handler"], one.fields["duty"]))

    def application_opened(self, one: Entry) -> None:
        fields = one.fields
        purposes, duties = (packed_names(cast(tuple[str, ...], fields[name])) for name in ("purposes", "duties"))
        row = (one.policy, fields["application"], fields["named"], purposes, duties, one.at)
        self._add("applications", INSERT_APPLICATION, row)
        self.application_rotated(one)

    def application_rotated(self, one: Entry) -> None:
        application = _text(one, "application")
        secret = (application, one.fields["digest"], one.at)
        self.transaction.execute(INSERT_SECRET, secret)
        self.transaction.execute(END_OLDER, (application, application, SECRETS_AT_ONCE))

    def application_closed(self, one: Entry) -> None:
        self.counts["applications"] += forget_application(self.transaction, one.policy, _text(one, "application"))

    def evidenced(self, one: Entry) -> None:
        fields = one.fields
        if "about" not in fields:
            return  # what a check of the system found stands in the ledger alone
        row = (one.policy, fields["control"], fields["evidence"], fields.get("named", ""), one.at)
        self._add("evidence", _INSERT_EVIDENCE, (*row, fields.get("known_at", one.at), fields["about"]))

    def registered(self, one: Entry) -> None:
        if one.fields.get("left"):
            left = (one.at, one.policy, one.fields["register"], one.fields["name"], one.at)
            self._add("registers", _LEAVE_REGISTER, left)
            return
        key = (one.policy, one.fields["register"], one.fields["name"])
        if one.fields.get("left"):
            self._add("registers", _LEAVE_REGISTER, (one.at, *key, one.at))
        else:
            self._add("registers", _INSERT_REGISTER, (*key, one.at, FOREVER))

    # ── a person ────────────────────────────────────────────────────────────────────────────────────────────────────

    def entered(self, one: Entry, person: SubjectId) -> None:
        # The birthday is not in the ledger: until it is known again the person counts as a child. The stricter way.
        minor_until = FOREVER if one.fields.get("minor") else None
        row = (bucket_of(person), person, one.policy, one.fields["kind"], one.at, minor_until, one.at)
        self._add("persons", _INSERT_SUBJECT, row)

    def begun(self, one: Entry, person: SubjectId) -> None:
        fields = one.fields
        row = (fields["engagement"], fields["kind"], fields.get("begun_at", one.at), one.at, fields.get("organisation"))
        self._add("engagements", _INSERT_ENGAGEMENT, (bucket_of(person), person, *row))

    def fact(self, one: Entry, person: SubjectId) -> None:
        fields = one.fields
        row = (fields["id"], fields["fact"], one.at, fields["known_at"], fields.get("engagement"), fields.get("named"))
        self._add("facts", _INSERT_FACT, (bucket_of(person), person, *row, packed_ids(_values(one))))
        if "source" in fields and "key" in fields:
            # Delivered again it must count once, as if nothing had happened in between.
            named, about = (cast(str | None, fields.get(word)) for word in ("engagement", "named"))
            content = f"{_text(one, 'fact')}|{one.at}|{named}|{about}|{_values(one)}".encode()
            digest = hashlib.sha256(content).digest()
            known = (fields["source"], fields["key"], digest, fields["id"], fields["known_at"])
            self._add("deliveries", _INSERT_DELIVERY, (bucket_of(person), person, *known))

    def consent(self, one: Entry, person: SubjectId) -> None:
        fields = one.fields
        given = one.kind == "consent.given"
        about = About(AboutKind(_text(one, "about_kind")), _text(one, "about"))
        row = (fields["consent"], about.kind.value, about.name, int(given), one.at, fields.get("known_at", one.at))
        rest = (fields["version"], fields.get("text"), fields.get("locale"), fields["channel"], fields["by"])
        self._add("consents", _INSERT_CONSENT, (bucket_of(person), person, *row, *rest))
        if given:
            self._text_again(one, about)

    def _text_again(self, one: Entry, about: About) -> None:
        """The policy's own question can be made again; a text of somebody else's is gone, its digest stays."""
        digest, locale = cast(bytes, one.fields["text"]), _text(one, "locale")
        if self.transaction.execute("SELECT 1 FROM shown_text WHERE digest = ?", (digest,)).fetchone():
            return
        asked = self._questions(one.policy, _text(one, "version"), about, locale)
        text = next((each for each in asked if hashlib.sha256(each.encode()).digest() == digest), None)
        if text is not None:
            self._add("texts", "INSERT INTO shown_text(digest, locale, text) VALUES(?, ?, ?)", (digest, locale, text))
        else:
            self.counts["texts-missing"] += 1

    def _questions(self, policy: str, version: str, about: About, locale: str) -> Iterator[str]:
        """As a program asks by the policy's codes, and as the consent page asks people."""
        plan = self.lines[policy].version(version)
        if plan is None:
            return
        yield question(plan, about, locale)
        statement = "SELECT source FROM policy_version WHERE policy = ? AND version = ?"
        row = self.transaction.execute(statement, (policy, version)).fetchone()
        if row is not None:
            yield question(plan, about, locale, _document(bytes(row[0])))

    # ── values ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def collected(self, one: Entry, person: SubjectId) -> None:
        """A stub: the content is in no ledger. What holds no copy in the end is lost."""
        engagement = one.fields.get("engagement")
        use = Use(
            _text(one, "purpose"),
            cast(EngagementId | None, engagement),
            Instant(one.at),
            self._version(one),
            Instant(one.at),
            cast(str | None, one.fields.get("exception")),
        )
        stands_under(self.transaction, one.policy, person, use.purpose)
        held_for = self._organisation(person, engagement) if "capacity" in one.fields else None
        for value, item in zip(_values(one), cast(tuple[str, ...], one.fields["items"]), strict=True):
            self._stub(person, value, item, one.at, packed_uses((use,)), held_for)

    def _stub(
        self, person: SubjectId, value: ValueId, item: object, at: int, uses: str, held_for: object = None
    ) -> None:
        self._add("values", _INSERT_STUB, (value, bucket_of(person), person, item, at, at, uses, held_for))

    def _version(self, one: Entry) -> str:
        line = self.lines[one.policy]
        return (line.at(Instant(one.at)) or line.plans[0]).version

    def _organisation(self, person: SubjectId, engagement: object) -> str:
        row = self.transaction.execute(_ORGANISATION, (bucket_of(person), person, engagement)).fetchone()
        return row[0] if row and row[0] else "organisation"

    def reused(self, one: Entry, person: SubjectId) -> None:
        use = Use(
            _text(one, "purpose"), cast(EngagementId | None, one.fields.get("engagement")), Instant(one.at),
            self._version(one), Instant(one.at), cast(str | None, one.fields.get("exception")),
        )  # fmt: skip
        for value in _values(one):
            row = self.transaction.execute(_USES, placed_value(value)).fetchone()
            uses = unpacked_uses(row[0]) if row else ()
            stands_under(self.transaction, one.policy, person, use.purpose)
            if row and all((known.purpose, known.anchor_at) != (use.purpose, use.anchor_at) for known in uses):
                self._add("uses", _SET_USES, (packed_uses((*uses, use)), *placed_value(value)))

    def corrected(self, one: Entry, person: SubjectId) -> None:
        """The old value is never current again, whether or not the new one is still there."""
        old, new = cast(ValueId, one.fields["old"]), cast(ValueId, one.fields["new"])
        self._add("corrections", _REPLACE, (one.at, one.at, *placed_value(old)))
        row = self.transaction.execute(_CARRIED, placed_value(old)).fetchone()
        if row is not None:
            self._stub(person, new, row[0], one.at, row[1], row[2])

    def given_away(self, one: Entry, person: SubjectId) -> None:
        fields = one.fields
        kind, named = _GIVEN[one.kind]
        if "disclosure" not in fields:
            return
        row = (fields["disclosure"], kind, fields[named], packed_ids(_values(one)), one.at, one.at)
        rest = (fields.get("engagement"), fields.get("until"))
        self._add("disclosures", _INSERT_DISCLOSURE, (bucket_of(person), person, *row, *rest))

    def told(self, one: Entry, person: SubjectId) -> None:
        fields = one.fields
        key = (bucket_of(person), person)
        if "message" not in fields:
            return
        row = (fields["message"], fields.get("disclosure"), fields["recipient"], fields.get("reason", "told"))
        self._add("told", _INSERT_TOLD, (*key, *row, fields.get("request"), one.at))
        if fields.get("reason") == "return-or-destroy":
            self.transaction.execute(_RECALLED, (one.at, *key, fields.get("disclosure")))

    def acknowledged(self, one: Entry, person: SubjectId) -> None:
        key = (one.at, bucket_of(person), person, one.fields.get("disclosure"))
        self._add("acknowledged", _ACKNOWLEDGED_TOLD, key)
        self.transaction.execute(_ACKNOWLEDGED, key)

    def copied(self, one: Entry, person: SubjectId) -> None:
        for value in _values(one):
            row = (bucket_of(person), person, value, one.fields["place"], one.at)
            self._add("copies", _INSERT_PLACE, row)

    def work_ordered(self, one: Entry, person: SubjectId) -> None:
        """The certificate that waits for it was issued in the same commit, just before or after."""
        fields = one.fields
        row = (fields["order"], one.policy, fields["place"], packed_ids(_values(one)), fields["due_at"], one.at)
        certificate = self.certified.get((one.who, _values(one)), "")
        self._add("work-orders", _INSERT_ORDER, (bucket_of(person), person, *row, certificate))

    def work_done(self, one: Entry, person: SubjectId) -> None:
        self._add("work-orders", _ORDER_DONE, (one.at, bucket_of(person), person, one.fields["order"]))

    # ── requests ────────────────────────────────────────────────────────────────────────────────────────────────────

    def asked(self, one: Entry, person: SubjectId) -> None:
        fields = one.fields
        row = (
            fields["request"],
            fields["right"],
            fields.get("channel", "unknown"),
            one.at,
            fields.get("known_at", one.at),
        )
        names = packed_names(cast(tuple[str, ...], fields.get("purposes", ())))
        state = "open" if fields.get("proved_at") is not None else "received"
        rest = (fields.get("proved_at"), packed_ids(_values(one)), names, state, int(bool(fields.get("freezes", True))))
        who = (fields.get("by", "subject"), fields.get("acting"), fields.get("objects_to"))
        about = (fields.get("due_at", one.at), *who, int(bool(fields.get("for_child"))))
        self._add("requests", _INSERT_REQUEST, (bucket_of(person), person, *row, *rest, *about))

    def proved(self, one: Entry, person: SubjectId) -> None:
        key = (bucket_of(person), person, one.fields["request"])
        if one.fields["proof"] == "accepted-by-staff":
            self._add("requests", _ACCEPTED, key)
        else:
            self._add("requests", _PROVED, (one.at, *key))

    def incomplete(self, one: Entry, person: SubjectId) -> None:
        self._add("requests", _INCOMPLETE, (bucket_of(person), person, one.fields["request"]))

    def postponed(self, one: Entry, person: SubjectId) -> None:
        key = (bucket_of(person), person, one.fields["request"])
        self._add("requests", _POSTPONED, (one.fields["until"], one.fields["due_at"], *key))

    def extended(self, one: Entry, person: SubjectId) -> None:
        key = (bucket_of(person), person, one.fields["request"], one.fields["extended"])
        self._add("requests", _EXTENDED, (one.fields["extended"], one.fields["due_at"], *key))

    def passed(self, one: Entry, person: SubjectId) -> None:
        self._add("requests", _PASSED, (one.fields["party"], bucket_of(person), person, one.fields["request"]))

    def answered(self, one: Entry, person: SubjectId) -> None:
        key = (bucket_of(person), person, one.fields["request"])
        said = (one.fields["outcome"], one.at, one.at, one.fields.get("reason"), one.fields.get("answered_by"))
        self._add("requests", _ANSWERED, (*said, *key))

    def acts(self, one: Entry, person: SubjectId) -> None:
        fields = one.fields
        row = (fields["acting"], fields["kind"], one.at, fields.get("known_at", one.at), fields.get("until", FOREVER))
        rights, items = (cast(tuple[str, ...], fields.get(word, ())) for word in ("rights", "items"))
        lists = (packed_names(rights), packed_names(items))
        self._add("mandates", _INSERT_ACTING, (bucket_of(person), person, *row, *lists))

    def acts_no_longer(self, one: Entry, person: SubjectId) -> None:
        self._add("mandates", _ACTING_ENDED, (one.at, bucket_of(person), person, one.fields["acting"]))

    def lifted(self, one: Entry, person: SubjectId) -> None:
        if one.fields["hold"] == "suspended":
            self._add("requests", _LIFTED, (one.at, bucket_of(person), person, one.fields["request"]))

    # ── what is left open ───────────────────────────────────────────────────────────────────────────────────────────

    def review_due(self, one: Entry, person: SubjectId) -> None:
        fields = one.fields
        row = (fields["about"], fields.get("engagement", ""), one.policy, one.elements[0], fields.get("named"))
        self._add("reviews", _INSERT_REVIEW, (bucket_of(person), person, *row, fields["since"], fields["due_at"]))

    def review_done(self, one: Entry, person: SubjectId) -> None:
        key = (bucket_of(person), person, one.fields["about"], one.fields.get("engagement", ""))
        self.transaction.execute(_REVIEW_OVER, key)

    # ── moves ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def separated(self, one: Entry, person: SubjectId) -> None:
        """The copy that was left goes, if the other tier holds the value; else the move goes on from here."""
        for value in _values(one):
            row = self.transaction.execute(_VALUE, placed_value(value)).fetchone()
            if row is None or row[1] in ("separated", "condemned", "destroyed"):
                continue
            self._drop_step(person, value)
            if value in self.around.kept_apart or not (row[3] and self.around.opens(row[2])):
                self._add("separations", _SEPARATED, placed_value(value))
                self._blank(value)
            else:
                self._add("separations", _MOVING, placed_value(value))
                self._step(one, person, value, "separate", "moving", row)

    def condemned(self, one: Entry, person: SubjectId) -> None:
        for value in _values(one):
            row = self.transaction.execute(_VALUE, placed_value(value)).fetchone()
            if row is None or row[1] in ("condemned", "destroyed"):
                continue
            self._drop_step(person, value)
            self._add("destructions", _CONDEMNED, placed_value(value))
            self._step(one, person, value, "destroy", "ordered", row)

    def destroyed(self, one: Entry, person: SubjectId) -> None:
        """Row and step go now; a key that an old key store brought back belongs to no row any more and goes later."""
        for value in _values(one):
            self._drop_step(person, value)
            self._add(
                "destructions",
                "UPDATE value SET state = 'destroyed' WHERE bucket = ? AND value_id = ? AND state <> 'destroyed'",
                placed_value(value),
            )
            self._blank(value)

    def _blank(self, value: ValueId) -> None:
        self.transaction.execute(_BLANK, placed_value(value))

    def _drop_step(self, person: SubjectId, value: ValueId) -> None:
        self.transaction.execute(_DELETE_STEP, (bucket_of(person), person, value))

    def _step(
        self, one: Entry, person: SubjectId, value: ValueId, kind: str, stage: str, row: tuple[object, ...]
    ) -> None:
        due_at = one.fields.get("due_at", one.at)
        tier = "active" if row[3] else "separated"
        grounds = packed_names(cast(tuple[str, ...], one.fields["grounds"]))
        known = (value, kind, one.policy, stage, 2 if kind == "separate" else 1, tier, row[2], row[0])
        self.transaction.execute(_INSERT_STEP, (bucket_of(person), person, *known, due_at, due_at, one.at, grounds))

    def paper_filed(self, one: Entry, owner: SubjectId) -> None:
        """The content is in no ledger: what no copy holds is lost, and said to be when everything was looked at."""
        self._file_paper(one, owner, "subject")

    def paper_of_staff(self, one: Entry) -> None:
        self._file_paper(one, SubjectId(_text(one, "handler")), "handler")

    def _file_paper(self, one: Entry, owner: SubjectId, held_by: str) -> None:
        fields = one.fields
        about = fields.get("about", fields.get("named"))
        row = (bucket_of(owner), owner, fields["paper"], one.policy, fields["kind"], held_by, about, one.at)
        self._add("papers", papers.INSERT, (*row, fields.get("until", FOREVER), "held", 0, None))

    def papers_condemned(self, one: Entry, person: SubjectId | None = None) -> None:
        for paper in cast(tuple[str, ...], one.fields["papers"]):
            papers.condemn(self.transaction, papers.placed(self.transaction, paper))

    def papers_gone(self, one: Entry, person: SubjectId | None = None) -> None:
        """Row and ciphertext go; a key that an old key store brought back belongs to nothing and goes later."""
        for paper in cast(tuple[str, ...], one.fields["papers"]):
            key = papers.placed(self.transaction, paper)
            papers.condemn(self.transaction, key)
            self.counts["papers-destroyed"] += len(papers.delete(self.transaction, [key]))

    def message_queued(self, one: Entry, person: SubjectId) -> None:
        fields = one.fields
        about = fields.get("about", fields.get("named"))
        key = (bucket_of(person), person, fields["message"], one.policy, fields["notice"], fields["medium"], about)
        state = fields.get("state", "queued")
        next_at, settled = (one.at, None) if state == "queued" else (outbox.NEVER, one.at)
        rest = (fields.get("purpose"), state, fields.get("reason"), fields.get("paper"), 0, one.at, next_at, 0, settled)
        self._add("messages", outbox.INSERT, (*key, *rest))

    def posted(self, one: Entry) -> None:
        fields = one.fields
        row = (one.policy, fields["posting"], fields["notice"], fields["named"], fields["place"], fields.get("printed"))
        self._add("postings", INSERT_POSTING, (*row, fields["reason"], one.at))

    def approved(self, one: Entry) -> None:
        fields = one.fields
        row = (one.policy, fields["approval"], fields["what"], fields.get("about"), fields.get("until"), one.at)
        self._add("approvals", INSERT_APPROVAL, (*row, fields["by"], fields["approver"]))

    def clock_leapt(self, one: Entry) -> None:
        copies.remember(self.transaction, LEAPT, "yes")

    def clock_confirmed(self, one: Entry) -> None:
        copies.remember(self.transaction, LEAPT, None)

    def cookie_chosen(self, one: Entry) -> None:
        fields = one.fields
        allowed = " ".join(cast(tuple[str, ...], fields.get("allowed", ())))
        row = (one.policy, fields["choice"], one.at, fields["version"], allowed, fields["control"])
        self._add("choices", INSERT_CHOICE, row)

    def link_made(self, one: Entry, person: SubjectId) -> None:
        fields = one.fields
        self._add("links", INSERT_LINK, (fields["link"], one.policy, person, fields["speaker"], fields["until"]))

    def posting_gone(self, one: Entry) -> None:
        self.transaction.execute(TAKE_DOWN, (one.at, one.policy, one.fields["posting"]))

    def merger_opened(self, one: Entry) -> None:
        fields = one.fields
        row = (one.policy, fields["case"], fields["fact"], fields["transferee"], fields["effective_at"])
        kinds = packed_names(cast(tuple[str, ...], fields.get("kinds", ())))
        rest = (fields["refused_means"], int(bool(fields["ends_here"])), kinds, _text(one, "to_refuse").upper())
        self._add("mergers", INSERT_MERGER, (*row, *rest, one.at, fields["paper"]))

    def merger_closed(self, one: Entry) -> None:
        self.transaction.execute(CLOSE_MERGER, (one.at, one.policy, one.fields["case"]))

    def handover_moved(self, one: Entry, person: SubjectId) -> None:
        fields, key = one.fields, (bucket_of(person), person)
        state, disclosure = _HANDOVERS[one.kind], fields.get("disclosure")
        if one.kind == "handover.begun":
            row = (disclosure, "handover", fields["recipient"], packed_ids(_values(one)), one.at, one.at, None, None)
            self._add("disclosures", _INSERT_DISCLOSURE, (*key, *row))
        self._add("handovers", SET_PERSON, (*key, one.policy, fields["case"], state, one.at, disclosure))

    def message_moved(self, one: Entry, person: SubjectId) -> None:
        fields = one.fields
        state, reason = _text(one, "state"), cast(str | None, fields.get("reason"))
        attempt = cast(int | None, fields.get("attempt"))
        outbox.replayed(self.transaction, (bucket_of(person), _text(one, "message")), state, reason, attempt, one.at)

    def forgotten(self, one: Entry, person: SubjectId) -> None:
        """Rows go; the alias is destroyed again by the step that stays."""
        key = (bucket_of(person), person)
        for table in _OF_A_PERSON:
            self.transaction.execute(f"DELETE FROM {table} WHERE bucket = ? AND subject_id = ?", key)  # noqa: S608 - names of ours only
        self.transaction.execute(ALL_DAYS, key)
        for statement in OF_A_VISIT:
            self.transaction.execute(statement, (person,))
        self.counts["forgotten"] += 1
        known = (0, "forget", one.policy, "gone", 0, "active", None, "")
        self.transaction.execute(_INSERT_STEP, (*key, *known, one.at, one.at, one.at, "[]"))

    # ── what the sweep must look at ─────────────────────────────────────────────────────────────────────────────────

    def _wake(self) -> None:
        for person, (policy, last_at) in self.touched.items():
            self.transaction.execute(_RAISE, (last_at, bucket_of(person), person))
            row = subjects.load(self.transaction.connection, person)
            if row is None:
                continue
            subjects.mark_dirty(self.transaction, person, policy)
            line = self.lines[policy]
            plan = line.at(last_at) or line.plans[0]
            for code, at in happened(row.state):
                if code in (KNOWN, RECEIVED) or code in line.anchored:
                    self._anchor(policy, code, at, person, plan)

    def _anchor(self, policy: str, code: str, at: Instant, person: SubjectId, plan: Plan) -> None:
        for day in anchor_days(at, plan):
            subjects.add_anchor(self.transaction, policy, code, day, person)


def documents_by_digest(documents: Iterable[bytes]) -> dict[bytes, bytes]:
    """Documents by the digest under which the ledger knows them. Raises PolicyRefused."""
    return {bytes.fromhex(compiled(read_policy(source, "document"), source).digest): source for source in documents}


@lru_cache(maxsize=16)
def _document(source: bytes) -> Policy:
    return read_policy(source, "document")


def _text(one: Entry, name: str) -> str:
    return cast(str, one.fields[name])


def _values(one: Entry) -> tuple[ValueId, ...]:
    return cast(tuple[ValueId, ...], tuple(cast(tuple[int, ...], one.fields.get("values", ()))))


def _lost(self: Replay, one: Entry, person: SubjectId) -> None:
    self.destroyed(one, person)


_HANDLERS: Mapping[str, Callable[[Replay, Entry, SubjectId], None]] = {
    "subject.entered": Replay.entered,
    "engagement.begun": Replay.begun,
    "fact.recorded": Replay.fact,
    "consent.given": Replay.consent,
    "consent.withdrawn": Replay.consent,
    "value.collected": Replay.collected,
    "value.reused": Replay.reused,
    "value.corrected": Replay.corrected,
    "value.provided": Replay.given_away,
    "value.entrusted": Replay.given_away,
    "value.disclosed": Replay.given_away,
    "recipient.told": Replay.told,
    "recipient.acknowledged": Replay.acknowledged,
    "request.received": Replay.asked,
    "request.proved": Replay.proved,
    "request.incomplete": Replay.incomplete,
    "request.postponed": Replay.postponed,
    "request.extended": Replay.extended,
    "request.passed": Replay.passed,
    "request.answered": Replay.answered,
    "acting.granted": Replay.acts,
    "acting.ended": Replay.acts_no_longer,
    "hold.lifted": Replay.lifted,
    "value.separated": Replay.separated,
    "destruction.ordered": Replay.condemned,
    "value.destroyed": Replay.destroyed,
    "value.lost": _lost,
    "value.copied": Replay.copied,
    "work-order.opened": Replay.work_ordered,
    "work-order.done": Replay.work_done,
    "notice.queued": Replay.message_queued,
    "notice.moved": Replay.message_moved,
    "handover.refused": Replay.handover_moved,
    "handover.begun": Replay.handover_moved,
    "handover.done": Replay.handover_moved,
    "paper.filed": Replay.paper_filed,
    "paper.condemned": Replay.papers_condemned,
    "paper.destroyed": Replay.papers_gone,
    "paper.lost": Replay.papers_gone,
    "invitation.made": Replay.link_made,
    "review.due": Replay.review_due,
    "review.done": Replay.review_done,
    "subject.forgotten": Replay.forgotten,
}
_HOUSE_HANDLERS: Mapping[str, Callable[[Replay, Entry], None]] = {
    "publication.finding": Replay.found_then,
    "fact.recorded": Replay.house_fact,
    "contract.recorded": Replay.contract_recorded,
    "contract.ended": Replay.contract_ended,
    "recipient.acknowledged": Replay.returned,
    "handler.granted": Replay.handler_granted,
    "handler.revoked": Replay.handler_revoked,
    "application.opened": Replay.application_opened,
    "application.rotated": Replay.application_rotated,
    "application.closed": Replay.application_closed,
    "control.evidenced": Replay.evidenced,
    "register.entered": Replay.registered,
    "notice.posted": Replay.posted,
    "notice.taken-down": Replay.posting_gone,
    "approval.given": Replay.approved,
    "clock.stopped": Replay.clock_leapt,
    "clock.confirmed": Replay.clock_confirmed,
    "cookie.chosen": Replay.cookie_chosen,
    "merger.opened": Replay.merger_opened,
    "merger.closed": Replay.merger_closed,
    "paper.filed": Replay.paper_of_staff,
    "paper.condemned": Replay.papers_condemned,
    "paper.destroyed": Replay.papers_gone,
    "paper.lost": Replay.papers_gone,
}
_HANDOVERS: Mapping[str, str] = {
    "handover.refused": "refused",
    "handover.begun": "handing",
    "handover.done": "handed-over",
}
_GIVEN: Mapping[str, tuple[str, str]] = {
    "value.provided": ("provision", "recipient"),
    "value.entrusted": ("entrustment", "processor"),
    "value.disclosed": ("exception", "exception"),
}
_OF_A_PERSON = (
    "value", "value_place", "under_purpose", "fact", "delivery", "consent", "engagement", "request", "disclosure",
    "told", "certificate", "work_order", "review", "acting", "message", "handover", "step", "dirty", "subject",
)  # fmt: skip

INSERT_CHOICE = (
    "INSERT INTO cookie_choice(policy, choice_id, at, version, allowed, control) VALUES(?, ?, ?, ?, ?, ?) "
    "ON CONFLICT(policy, choice_id, at) DO NOTHING"
)
_FINDING = "SELECT 1 FROM publication_finding WHERE policy = ? AND version = ? AND code = ? AND element = ?"
_KEEP_FINDING = "INSERT INTO publication_finding(policy, version, code, element) VALUES(?, ?, ?, ?)"
_VERSION = "SELECT 1 FROM policy_version WHERE policy = ? AND version = ?"
_INSERT_VERSION = (
    "INSERT INTO policy_version(policy, version, source, digest, announced_at, effective_at, published_at, gaps) "
    "VALUES(?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_INSERT_CONTROLLER_FACT = (
    "INSERT INTO controller_fact(policy, fact_id, code, at, known_at, about) VALUES(?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING"
)
_INSERT_CONTRACT = (
    "INSERT INTO contract(policy, contract_id, party, from_at, until_at, terms, sub_consent) "
    "VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_REVOKE = "UPDATE handler SET revoked_at = ? WHERE policy = ? AND handler_id = ? AND duty = ? AND revoked_at IS NULL"
_INSERT_EVIDENCE = (
    "INSERT INTO evidence(policy, control, kind, about, at, known_at, digest) VALUES(?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING"
)
_LEAVE_REGISTER = "UPDATE register SET until_at = ? WHERE policy = ? AND register = ? AND name = ? AND until_at > ?"
_INSERT_REGISTER = (
    "INSERT INTO register(policy, register, name, from_at, until_at) VALUES(?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_INSERT_PLACE = (
    "INSERT INTO value_place(bucket, subject_id, value_id, place, known_at) VALUES(?, ?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING"
)
_INSERT_ORDER = (
    "INSERT INTO work_order(bucket, subject_id, order_id, policy, place, value_ids, due_at, opened_at, certificate_id) "
    "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_ORDER_DONE = (
    "UPDATE work_order SET done_at = ? WHERE bucket = ? AND subject_id = ? AND order_id = ? AND done_at IS NULL"
)
_INSERT_SUBJECT = (
    "INSERT INTO subject(bucket, subject_id, policy, kind, entered_at, minor_until, epoch, last_at) "
    "VALUES(?, ?, ?, ?, ?, ?, 1, ?) ON CONFLICT DO NOTHING"
)
_INSERT_ENGAGEMENT = (
    "INSERT INTO engagement(bucket, subject_id, engagement_id, kind, begun_at, known_at, organisation) "
    "VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_ORGANISATION = "SELECT organisation FROM engagement WHERE bucket = ? AND subject_id = ? AND engagement_id = ?"
_INSERT_FACT = (
    "INSERT INTO fact(bucket, subject_id, fact_id, code, at, known_at, engagement_id, about, value_ids) "
    "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_INSERT_DELIVERY = (
    "INSERT INTO delivery(bucket, subject_id, source, key_digest, content, answer, known_at) "
    "VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_INSERT_CONSENT = (
    "INSERT INTO consent(bucket, subject_id, consent_id, about_kind, about, given, at, known_at, version, text_digest, "
    "locale, channel, recorded_by) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_INSERT_STUB = (
    "INSERT INTO value(value_id, bucket, subject_id, item, state, generation, collected_at, known_at, uses, held_for) "
    "VALUES(?, ?, ?, ?, 'held', 1, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_USES = "SELECT uses FROM value WHERE bucket = ? AND value_id = ?"
_SET_USES = "UPDATE value SET uses = ? WHERE bucket = ? AND value_id = ?"
_CARRIED = "SELECT item, uses, held_for FROM value WHERE bucket = ? AND value_id = ?"
_SEPARATED = "UPDATE value SET state = 'separated' WHERE bucket = ? AND value_id = ?"
_MOVING = "UPDATE value SET state = 'moving', generation = 2 WHERE bucket = ? AND value_id = ?"
_CONDEMNED = "UPDATE value SET state = 'condemned' WHERE bucket = ? AND value_id = ?"
_BLANK = "UPDATE value SET sealed = NULL, key_id = NULL WHERE bucket = ? AND value_id = ?"
_REPLACE = (
    "UPDATE value SET replaced_at = ?, replaced_known_at = ? WHERE bucket = ? AND value_id = ? AND replaced_at IS NULL"
)
_VALUE = "SELECT item, state, key_id, sealed IS NOT NULL FROM value WHERE bucket = ? AND value_id = ?"
_INSERT_DISCLOSURE = (
    "INSERT INTO disclosure(bucket, subject_id, disclosure_id, kind, recipient, value_ids, at, known_at, "
    "engagement_id, until_at) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_INSERT_TOLD = (
    "INSERT INTO told(bucket, subject_id, told_id, disclosure_id, recipient, reason, request_id, at) "
    "VALUES(?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_RECALLED = (
    "UPDATE disclosure SET recalled_at = ? WHERE bucket = ? AND subject_id = ? AND disclosure_id = ? "
    "AND recalled_at IS NULL"
)
_ACKNOWLEDGED = (
    "UPDATE disclosure SET acknowledged_at = ? WHERE bucket = ? AND subject_id = ? AND disclosure_id = ? "
    "AND recalled_at IS NOT NULL"
)
_ACKNOWLEDGED_TOLD = (
    "UPDATE told SET acknowledged_at = ? WHERE bucket = ? AND subject_id = ? AND disclosure_id = ? "
    "AND acknowledged_at IS NULL"
)
_INSERT_REQUEST = (
    "INSERT INTO request(bucket, subject_id, request_id, own_right, channel, received_at, known_at, proved_at, "
    "value_ids, purposes, state, freezes, due_at, asked_by, acting_id, objects_to, for_child) "
    "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_PROVED = (
    "UPDATE request SET proved_at = ?, state = CASE WHEN state IN ('received', 'to-be-completed') THEN 'open' "
    "ELSE state END WHERE bucket = ? AND subject_id = ? AND request_id = ? AND proved_at IS NULL"
)
_INCOMPLETE = (
    "UPDATE request SET state = 'to-be-completed' WHERE bucket = ? AND subject_id = ? AND request_id = ? "
    "AND state = 'received'"
)
_POSTPONED = (
    "UPDATE request SET state = 'postponed', postponed_until = ?, due_at = ? WHERE bucket = ? AND subject_id = ? "
    "AND request_id = ? AND settled_at IS NULL"
)
_EXTENDED = (
    "UPDATE request SET extended = ?, due_at = ? WHERE bucket = ? AND subject_id = ? AND request_id = ? "
    "AND extended < ? AND settled_at IS NULL"
)
_PASSED = "UPDATE request SET passed_to = ? WHERE bucket = ? AND subject_id = ? AND request_id = ?"
_INSERT_ACTING = (
    "INSERT INTO acting(bucket, subject_id, acting_id, kind, from_at, known_at, until_at, rights, items) "
    "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_ACTING_ENDED = (
    "UPDATE acting SET ended_at = ? WHERE bucket = ? AND subject_id = ? AND acting_id = ? AND ended_at IS NULL"
)
_ACCEPTED = "UPDATE request SET freezes = 1 WHERE bucket = ? AND subject_id = ? AND request_id = ? AND freezes = 0"
_ANSWERED = (
    "UPDATE request SET state = ?, settled_at = ?, settled_known_at = ?, reason = ?, answered_by = ? "
    "WHERE bucket = ? AND subject_id = ? "
    "AND request_id = ? AND settled_at IS NULL"
)
_LIFTED = (
    "UPDATE request SET lifted_at = ? WHERE bucket = ? AND subject_id = ? AND request_id = ? AND lifted_at IS NULL"
)
_INSERT_REVIEW = (
    "INSERT INTO review(bucket, subject_id, about, engagement_id, policy, element, named, since, due_at) "
    "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_REVIEW_OVER = "DELETE FROM review WHERE bucket = ? AND subject_id = ? AND about = ? AND engagement_id = ?"
_DELETE_STEP = "DELETE FROM step WHERE bucket = ? AND subject_id = ? AND value_id = ?"
_INSERT_STEP = (
    "INSERT INTO step(bucket, subject_id, value_id, kind, policy, stage, generation, tier, key_id, item, due_at, "
    "known_at, ordered_at, grounds) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_RAISE = "UPDATE subject SET epoch = epoch + 1, last_at = max(last_at, ?) WHERE bucket = ? AND subject_id = ?"
