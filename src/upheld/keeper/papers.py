"""Papers: what the system itself holds about people. Each has an owner, a key of its own, and an end.

Consent evidence, requests, letters, notices, mandates, staff accounts, sessions: the rows of the document's `upkeep`.

| step | place | a crash after it leaves | what goes on |
|---|---|---|---|
| **q1 the paper is *condemned*, evidence: decisive** | active | nobody reads it, still there | only forward |
| q2 that is sealed before anything is lost | ledger | as q1 | forward |
| q3 its key goes, evidence | keys | noise | forward |
| q4 the ciphertext goes, the files are scrubbed | active, keys | a stub | again |
| q5 `paper.destroyed`, the row goes | active | done | - |

INVARIANT: I4, I6, I7.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from upheld.dates import FOREVER, NO_PERIOD, Instant, Period, calendar_end, end_of, instant
from upheld.engine.acts import SubjectId
from upheld.engine.state import HeldState
from upheld.errors import InputRefused
from upheld.keeper.door import Door, When
from upheld.ledger.entries import entry
from upheld.policy.ends import EarlierOf, End, LaterOf, Plus, Point
from upheld.policy.model import Policy
from upheld.policy.read import read_policy
from upheld.store import papers, subjects
from upheld.store.ids import bucket_of
from upheld.store.leases import LeaseHeld
from upheld.store.papers import PaperRow, SealedPaper
from upheld.store.place import Transaction
from upheld.store.vault import KeyMissing
from upheld.store.views import Seen

LARGEST = 16 * 1024 * 1024
"""Ours: bytes of one paper."""
OWN_WORKING = frozenset({"sessions", "staff"})
"""Kinds that the system reads to let somebody in. Such a look shows nobody anything, so it leaves no access record."""
NOT_FILED = frozenset({"access-records", "aliases"})
"""Rows of `upkeep` that are kept elsewhere: in the ledger, and with the keys."""
PROOF: End = Plus(Point("ended"), Period(years=3))
"""Ours: the end of what a paper proves and three years, where a row says nothing."""
_AN_ID = re.compile(r"[a-z2-7]{20}")


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper without its content. `until_at` is None while what it proves goes on."""

    paper_id: str
    kind: str
    owner: str
    about: str | None
    filed_at: Instant
    until_at: Instant | None


class Papers(Door):
    """Filing papers, showing them, destroying them when their time is over."""

    _documents_read: dict[str, Policy]

    def file_paper(
        self, policy: str, kind: str, content: bytes, *, owner: str, about: str | None = None, until: When = None
    ) -> str:
        """Keep a paper about somebody. Returns its id.

        `kind` is a row of the document's `upkeep`; `owner` a subject, or a handler; `about` what it shows: the id of a
        consent or request, or a code. Without `until` the row's own end holds, as soon as the facts name it.
        Raises InputRefused for an unknown kind or owner.
        """
        if kind not in self._upkeep(policy):
            kinds = ", ".join(sorted(self._upkeep(policy)))
            raise InputRefused("kind-unknown", f"`{policy}` keeps no papers `{kind}`; it keeps: {kinds}")
        if len(content) > LARGEST:
            raise InputRefused("paper-too-large", f"a paper has at most {LARGEST // 1024 // 1024} megabytes")
        ends = FOREVER if until is None else (instant(until) if isinstance(until, datetime) else until)
        sealed = self.places.papers.seal(policy, kind, owner, content)

        def work(transaction: Transaction, seen: Seen, now: Instant) -> None:
            self.views.prove(transaction, seen)
            if seen.policy != policy:
                raise InputRefused("owner-unknown", f"this person is no subject of `{policy}`")
            self._put_paper(transaction, policy, kind, owner, sealed, about, ends, seen.alias)

        def work_of_staff(transaction: Transaction) -> None:
            if kind not in OWN_WORKING and transaction.execute(_HANDLER, (policy, owner)).fetchone() is None:
                raise InputRefused("owner-unknown", f"neither a subject nor a handler of `{policy}` has this id")
            self._put_paper(transaction, policy, kind, owner, sealed, about, ends, None)

        if self._is_subject(owner):
            self._attempt(SubjectId(owner), work)
        elif _AN_ID.fullmatch(owner):
            self.places.active.submit(work_of_staff, about=(owner,))
        else:
            raise InputRefused("owner-unknown", "an owner is the id of a subject or of a handler")
        return sealed.paper_id

    def _put_paper(
        self,
        transaction: Transaction,
        policy: str,
        kind: str,
        owner: str,
        sealed: SealedPaper,
        about: str | None,
        ends: Instant,
        alias: str | None,
    ) -> None:
        """Row and evidence of a paper that was sealed before; without an alias it is a handler's."""
        held_by = "handler" if alias is None else "subject"
        row = PaperRow(
            _bucket(owner), owner, sealed.paper_id, policy, kind, held_by, about, transaction.at, ends, "held"
        )
        transaction.execute(papers.INSERT, (*row, sealed.blob))
        an_id = about is not None and _AN_ID.fullmatch(about) is not None
        filed = entry(
            "paper.filed",
            transaction.at,
            policy,
            alias,
            (f"upkeep.{kind}",),
            paper=sealed.paper_id,
            kind=kind,
            digest=sealed.digest,
            until=None if ends >= FOREVER else ends,
            about=about if an_id else None,
            named=None if an_id else about,
            handler=owner if alias is None else None,
        )
        transaction.journal(filed)
        if alias is not None and ends >= FOREVER:
            subjects.mark_dirty(transaction, SubjectId(owner), policy)  # the sweep asks when it ends

    def _is_subject(self, owner: str) -> bool:
        with self.places.active.reading() as connection:
            return subjects.epoch_of(connection, SubjectId(owner)) is not None

    def _upkeep(self, policy: str) -> Mapping[str, End]:
        """The kinds of papers a policy keeps, and until when, by the newest version in force."""
        rows = self._document_in_force(policy).upkeep
        return {name: row.until or PROOF for name, row in rows.items() if name not in NOT_FILED}

    def _document_in_force(self, policy: str) -> Policy:
        """The document in force now, read once for each version."""
        line = self.views.line(policy)
        plan = line.at(self.now()) or line.plans[0]
        found = self._documents_read.get(plan.digest)
        if found is None:
            with self.places.active.reading() as connection:
                source = connection.execute(_SOURCE, (policy, plan.version)).fetchone()[0]
            found = self._documents_read[plan.digest] = read_policy(source, f"{policy}.yaml")
        return found

    # ── showing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def paper(self, policy: str, paper_id: str) -> bytes | None:
        """The content of a paper; None when it is destroyed, or was never here.

        Leaves an access record before it is shown, so it cannot be asked for inside a batch.
        """
        found = papers.one(self.places.active, paper_id)
        if found is None:
            return None
        row, blob = found
        if blob is None or row.policy != policy or row.state != "held":
            return None
        if row.kind not in OWN_WORKING:
            if self.places.active.batching:
                raise InputRefused("in-a-batch", "a paper is shown only when that is on record; ask outside the batch")
            seen = entry(
                "paper.seen", self.now(), policy, self._alias_of(row), (f"upkeep.{row.kind}",),
                paper=paper_id, kind=row.kind, handler=row.owner if row.held_by == "handler" else None,
            )  # fmt: skip
            self.places.active.submit(lambda transaction: transaction.journal(seen), about=(row.owner,), reads=True)
        try:
            return self.places.papers.open(policy, row.kind, row.owner, paper_id, blob)
        except KeyMissing:
            return None

    def papers(
        self, policy: str, *, owner: str | None = None, about: str | None = None, kind: str | None = None
    ) -> list[Paper]:
        """What is filed, oldest first, without contents."""
        active = self.places.active
        rows = papers.of_policy(active, policy) if owner is None else papers.of_owner(active, _bucket(owner), owner)
        return [
            Paper(row.paper_id, row.kind, row.owner, row.about, row.filed_at, _until(row))
            for row in rows
            if row.state == "held" and row.policy == policy and about in (None, row.about) and kind in (None, row.kind)
        ]

    def _alias_of(self, row: PaperRow) -> str | None:
        return (self.views.alias(SubjectId(row.owner)) or None) if row.held_by == "subject" else None

    # ── ends ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _reckon_papers(self, transaction: Transaction, seen: Seen, at: Instant, found: list[Any]) -> bool:
        """Papers whose end was not known get one as soon as the facts name it, and another when the facts change.

        `found`: what the place has answered to `papers.OF_OWNER`. Whether such an end has come by now.
        """
        over = False
        for row in papers.open_among(found):
            until = self._end_of_paper(row, seen, at)
            if until is not None and until != row.until_at:
                papers.set_until(transaction, row, until)
                over = over or until <= at
        return over

    def _end_of_paper(self, row: PaperRow, seen: Seen, at: Instant) -> Instant | None:
        """When the time of a person's paper is over by what is known; None: its kind is not kept any more."""
        end = self._upkeep(row.policy).get(row.kind)
        return None if end is None else _ended(end, partial(_happened, row, seen, at), seen.view.plan.zone)

    def _serves_again(self, row: PaperRow, now: Instant) -> bool:
        """Whether an end that was reckoned once has not come after all: the person is back, the role was given anew.

        INVARIANT: I2: what proves a consent that serves again is kept on.
        """
        if not row.reckoned or row.state != "held":
            return False
        if row.held_by == "subject":
            seen = self.views.get(SubjectId(row.owner), now)
            until = self._end_of_paper(row, seen, max(now, seen.last_at))
        else:
            with self.places.active.reading() as connection:
                left = connection.execute(_LEFT, (row.policy, row.owner)).fetchone()[0]
            until = self._end_for_staff(row, left, self.views.line(row.policy).latest.zone)
        if until is None or until <= now:
            return False
        with self.places.active.transaction() as transaction:
            papers.set_until(transaction, row, until)
        return True

    def _end_for_staff(self, row: PaperRow, left: int | None, zone: ZoneInfo) -> Instant | None:
        end = self._upkeep(row.policy).get(row.kind)
        return None if end is None else _ended(end, partial(_of_staff, row, Instant(left or FOREVER)), zone)

    def _reckon_staff(self, policy: str) -> None:
        """Papers of handlers end with their last role, or from the day they were filed; sooner when it ends sooner."""
        rows = papers.open_of_staff(self.places.active, policy)
        if not rows:
            return
        zone = self.views.line(policy).latest.zone
        with self.places.active.transaction() as transaction:
            for row in rows:
                left = transaction.execute(_LEFT, (policy, row.owner)).fetchone()[0]
                until = self._end_for_staff(row, left, zone)
                if until is not None and until != row.until_at:
                    papers.set_until(transaction, row, until)

    @staticmethod
    def _has_papers(transaction: Transaction, subject_id: SubjectId) -> bool:
        """Whether anything is still filed for a person, on its way out or not."""
        return papers.left(transaction, bucket_of(subject_id), subject_id) > 0

    # ── destroying ──────────────────────────────────────────────────────────────────────────────────────────────────

    def destroy_paper(self, policy: str, paper_id: str) -> None:
        """Destroy a paper now: it was checked, a session is over, an account closed. Again changes nothing more.

        Inside a batch, or while a sweep is under way, it is unreadable at once and the sweep does the rest.
        """
        found = papers.one(self.places.active, paper_id)
        if found is None or found[0].policy != policy:
            return

        def work(transaction: Transaction) -> None:
            self._condemn_papers(transaction, [found[0]])

        self.places.active.submit(work)
        if not self.places.active.batching:
            try:
                with self.places.leases.lease("sweep", wait=False):
                    self._destroy_papers(papers.going(self.places.active, policy))
            except LeaseHeld:
                return

    def _papers_due(self, now: Instant) -> tuple[int, bool]:
        """What the sweep does for papers: how many are gone, and whether all files could be scrubbed."""
        found: list[PaperRow] = []
        for policy in tuple(self.views.lines):
            self._reckon_staff(policy)
            found += [row for row in papers.due(self.places.active, policy, now) if not self._serves_again(row, now)]
        return self._destroy_papers(found)

    def _papers_on_their_way(self) -> list[PaperRow]:
        """Papers whose destruction was cut short."""
        with self.places.active.reading() as connection:
            policies = [row[0] for row in connection.execute(_POLICIES)]
        return [row for policy in policies for row in papers.going(self.places.active, policy)]

    def _papers_going(self) -> None:
        """What start-up owes them."""
        self._destroy_papers(self._papers_on_their_way())

    def _condemn_papers(self, transaction: Transaction, rows: Iterable[PaperRow]) -> None:
        for policy, alias, handler, ids in self._by_owner(
            [row for row in rows if papers.condemn(transaction, row.key)]
        ):
            transaction.journal(
                entry("paper.condemned", transaction.at, policy, alias, (), papers=ids, handler=handler)
            )

    def _by_owner(self, rows: Iterable[PaperRow]) -> list[tuple[str, str | None, str | None, tuple[str, ...]]]:
        """Policy, alias, handler and paper ids of each owner."""
        groups: dict[tuple[str, str], list[PaperRow]] = {}
        for row in rows:
            groups.setdefault((row.policy, row.owner), []).append(row)
        return [
            (
                policy, self._alias_of(own[0]), owner if own[0].held_by == "handler" else None,
                tuple(row.paper_id for row in own),
            )
            for (policy, owner), own in groups.items()
        ]  # fmt: skip

    def _destroy_papers(self, rows: Sequence[PaperRow]) -> tuple[int, bool]:
        """q1 to q5, whatever was done of them before."""
        if not rows:
            return 0, True
        ids, keys = [row.paper_id for row in rows], [row.key for row in rows]
        with self.places.active.transaction() as transaction:
            self._condemn_papers(transaction, rows)
        self.seal()
        with self.places.keys.transaction() as transaction:
            gone = set(self.places.papers.destroy(transaction, ids))
            for policy, alias, _, own in self._by_owner(row for row in rows if row.paper_id in gone):
                transaction.journal(entry("paper.unreadable", transaction.at, policy, alias, (), papers=own))
        with self.places.active.transaction() as transaction:
            papers.blank(transaction, keys)
        self.places.active.rebuild(len(ids))
        if not (self.places.keys.scrub({"paper_key"}) and self.places.active.scrub({"paper"})):
            return 0, False
        with self.places.active.transaction() as transaction:
            deleted = set(papers.delete(transaction, keys))
            over = [row for row in rows if row.paper_id in deleted]
            for policy, alias, handler, own in self._by_owner(over):
                paths = tuple(dict.fromkeys(f"upkeep.{row.kind}" for row in over if row.paper_id in own))
                transaction.journal(
                    entry("paper.destroyed", transaction.at, policy, alias, paths, papers=own, handler=handler)
                )
            for row in over:
                if row.held_by == "subject" and not papers.left(transaction, row.bucket, row.owner):
                    subjects.mark_dirty(transaction, SubjectId(row.owner), row.policy)  # may be forgotten now
        return len(deleted), True


def _bucket(owner: str) -> int:
    return bucket_of(SubjectId(owner))


def _until(row: PaperRow) -> Instant | None:
    return None if row.until_at >= FOREVER else row.until_at


def _of_staff(row: PaperRow, left: Instant, fact: str) -> Instant:
    return row.filed_at if fact in ("begun", "collected") else left


def _happened(row: PaperRow, seen: Seen, at: Instant, fact: str) -> Instant:
    """When what a paper's end counts from happened; FOREVER while it has not.

    When nothing is held and nothing runs any more, whatever is still awaited is taken to have come with the last
    change: a proof is not kept for ever because a letter was never answered. Ours.
    """
    state, life = seen.state, seen.view.life
    ends = [life.engagement_end(one).at for one in state.engagements]
    running = any(end > at for end in ends) or any(v.held is not HeldState.DESTROYED for v in state.values)
    over = FOREVER if running else max([seen.last_at, state.entered_at])
    match fact:
        case "begun" | "collected":
            return row.filed_at
        case "settled" | "answered":
            own = next((one for one in state.requests if one.request_id == row.about), None)
            return row.filed_at if own is None else Instant(own.settled_at or over)
        case "ended":
            ended = max(ends) if ends and max(ends) <= at else over
            return min(ended, _withdrawn(row, seen, at))
        case _:
            return min([one.at for one in state.facts if one.code == fact], default=over)


def _withdrawn(row: PaperRow, seen: Seen, at: Instant) -> Instant:
    """When the consent that a paper proves was withdrawn or given anew."""
    consent = next((one for one in seen.state.consents if one.consent_id == row.about), None)
    if consent is None:
        return FOREVER
    later = [one.at for one in seen.state.consents if one.about == consent.about and consent.at < one.at <= at]
    return min(later, default=FOREVER)


def _ended(end: End, happened: Callable[[str], Instant], zone: ZoneInfo) -> Instant:
    """When an end has come by what has happened; FOREVER while it has not."""
    match end:
        case Point():
            return _counted(end, NO_PERIOD, happened, zone)
        case Plus(point=point, period=period):
            return _counted(point, period, happened, zone)
        case LaterOf(of=ends):
            return max(_ended(one, happened, zone) for one in ends)
        case EarlierOf(of=ends):
            return min(_ended(one, happened, zone) for one in ends)
        case _:
            assert_never(end)


def _counted(point: Point, period: Period, happened: Callable[[str], Instant], zone: ZoneInfo) -> Instant:
    at = happened(point.fact)
    return end_of(at if point.calendar is None else calendar_end(point.calendar, at, zone), period, zone)


_POLICIES = "SELECT DISTINCT policy FROM policy_version"
_HANDLER = "SELECT 1 FROM handler WHERE policy = ? AND handler_id = ?"
_SOURCE = "SELECT source FROM policy_version WHERE policy = ? AND version = ?"
_LEFT = "SELECT max(coalesce(revoked_at, until_at)) FROM handler WHERE policy = ? AND handler_id = ?"
"""When the last role was taken away, or its time was over; FOREVER while one has no end."""
