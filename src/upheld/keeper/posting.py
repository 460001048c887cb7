"""Telling those whom no letter reaches: a posting that stands long enough, then newspapers; with proof for each person.

A notice is *about* something (a merger, a breach). Each person is told, or waits, or cannot be reached. For those a
posting on the page stands in once it has stood without a break for the longer of what the policy and the law say; where
posting is hindered, and only then, newspapers do, as many as the policy names.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from upheld.dates import FOREVER, Instant, Period, end_of, local_date
from upheld.engine.acts import SubjectId
from upheld.engine.notices import OWED
from upheld.errors import InputRefused
from upheld.keeper.door import When
from upheld.keeper.telling import Telling, element_of
from upheld.law import LawUnknown, law_in
from upheld.ledger.entries import Value as FieldValue
from upheld.ledger.entries import entry
from upheld.policy.model import Change, Policy
from upheld.policy.shapes import Fallback
from upheld.store import outbox
from upheld.store.place import Transaction

PAGE, PRINT = "unreachable-without-fault", "disaster"
"""Why a fallback holds, in the words of the document: nobody knows how to reach them; posting is hindered."""
NO_FAULT = frozenset({"no-address", "returned", "address-refused", "address-unusable", "address-destroyed", "failed"})
"""Reasons for which a person could not be reached that are no fault of ours. A server that was away is one."""


@dataclass(frozen=True, slots=True)
class Posting:
    """Something that hangs on the page, or stood in a newspaper."""

    posting_id: str
    notice: str
    about: str
    place: str
    printed: str | None
    reason: str
    from_at: Instant
    ended_at: Instant | None


@dataclass(frozen=True, slots=True)
class Region:
    """Where a newspaper is read: a code, and how many of those concerned live there, as somebody has counted."""

    name: str
    residents: int


@dataclass(frozen=True, slots=True)
class Fallbacks:
    """What stands in for a letter: how long on the page, in how many newspapers, and who says so."""

    page: Period
    by: tuple[str, ...]
    papers: int
    besides: Period | None = None
    """How long it must hang for everybody, however many were reached; the law of former days wanted that of a leak."""


@dataclass(slots=True)
class Told:
    """Who knows of a notice: by person, and counted."""

    states: dict[SubjectId, str] = field(default_factory=dict)
    """told, waiting, uncertain, unreachable, covered."""
    reasons: dict[SubjectId, str] = field(default_factory=dict)
    since: dict[SubjectId, Instant] = field(default_factory=dict)
    """Since when somebody is told, or covered."""
    covered_at: Instant | None = None
    """From when posting or newspapers count for those who cannot be reached."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many persons are in each state."""
        return Counter(self.states.values())


class Posted(Telling):
    """Postings, newspapers, and who is told of what."""

    def post(
        self, policy: str, notice: str, about: str, place: str, *, reason: str = PAGE, evidence: bytes, at: When = None
    ) -> str:
        """Something was put up where everybody sees it. `evidence`: a picture of the page. Returns the posting's id."""
        return self._put_up(policy, notice, about, place, None, reason, evidence, at)

    def printed(
        self, policy: str, notice: str, about: str, newspaper: str, *, evidence: bytes, reason: str = PRINT,
        region: Region | None = None, at: When = None,
    ) -> str:  # fmt: skip
        """It stood in a newspaper (a code of it) because posting is hindered: a disaster, or the like.

        `region`: it is one of a region. Raises InputRefused where the policy knows of none, and where not more than
        half of those concerned live there; the figures stay with the entry.
        """
        counts = self._concerned(policy, notice, about, region) if region is not None else None
        return self._put_up(
            policy, notice, about, "newspapers", newspaper, reason, evidence, at,
            {"region": region.name, "counts": counts} if region is not None else {},
        )  # fmt: skip

    def _concerned(self, policy: str, notice: str, about: str, region: Region) -> dict[str, int]:
        steps = _steps(self._document_in_force(policy), notice)
        if not any(one.if_ == PRINT and one.regional for one in steps):
            raise InputRefused("region-undeclared", f"`{policy}` knows of no newspapers of a region for this notice")
        everybody = len(self.told(policy, notice, about).states)
        if not region.residents * 2 > everybody >= region.residents:
            raise InputRefused(
                "region-no-majority", f"{region.residents} of {everybody} persons are not more than half"
            )
        return {"residents": region.residents, "concerned": everybody}

    def _put_up(
        self,
        policy: str,
        notice: str,
        about: str,
        place: str,
        printed: str | None,
        reason: str,
        evidence: bytes,
        at: When,
        more: Mapping[str, FieldValue] = MappingProxyType({}),
    ) -> str:
        document = self._document_in_force(policy)
        if notice not in OWED:
            raise InputRefused("notice-unknown", f"`{notice}` is no notice; there are: {', '.join(OWED)}")
        if place not in document.places:
            raise InputRefused(
                "place-unknown", f"`{policy}` has no place `{place}`; it has: {', '.join(document.places)}"
            )
        if not evidence:
            raise InputRefused("evidence-missing", "a posting needs what shows it: a picture of the page, the cutting")
        when, posting_id = self._happened(at), self.new_id()
        digest = hashlib.sha256(evidence).digest()  # of something that everybody could see: nothing to guess

        def work(transaction: Transaction) -> None:
            row = (policy, posting_id, notice, about, place, printed, reason, when)
            transaction.execute(INSERT_POSTING, row)
            fields = {"posting": posting_id, "notice": notice, "named": about, "place": place, "reason": reason}
            elements = (element_of(notice), f"places.{place}")
            transaction.journal(
                entry("notice.posted", when, policy, None, elements, **fields, printed=printed, digest=digest, **more)
            )

        self.places.active.submit(work)
        return posting_id

    def taken_down(self, policy: str, posting_id: str, *, at: When = None) -> None:
        """The posting is gone from the page."""
        when = self._happened(at)

        def work(transaction: Transaction) -> None:
            found = transaction.execute(_POSTING, (policy, posting_id)).fetchone()
            if found is None or transaction.execute(TAKE_DOWN, (when, policy, posting_id)).rowcount != 1:
                raise InputRefused("posting-unknown", "no such posting hangs there")
            transaction.journal(
                entry(
                    "notice.taken-down",
                    when,
                    policy,
                    None,
                    (element_of(found[0]),),
                    posting=posting_id,
                    notice=found[0],
                )
            )

        self.places.active.submit(work)

    def postings(self, policy: str, *, notice: str | None = None, about: str | None = None) -> list[Posting]:
        """Everything that was put up, oldest first."""
        with self.places.active.reading() as connection:
            rows = connection.execute(_POSTINGS, (policy,)).fetchall()
        found = [
            Posting(one, kind, matter, place, printed, reason, Instant(from_at), None if end is None else Instant(end))
            for one, kind, matter, place, printed, reason, from_at, end in rows
        ]
        return [one for one in found if notice in (None, one.notice) and about in (None, one.about)]

    # ── who is told ─────────────────────────────────────────────────────────────────────────────────────────────────

    def fallbacks(self, policy: str, notice: str) -> Fallbacks:
        """How long a page must say it for those who cannot be reached: the longer of policy and law of today."""
        document = self._document_in_force(policy)
        steps = _steps(document, notice)
        page = next((one.for_ for one in steps if one.if_ == PAGE and one.for_ is not None), None)
        papers = next((one.papers or 1 for one in steps if one.if_ == PRINT), 0)
        law = self._law_of_posting(policy, OWED[notice].posted)
        besides = self._law_of_posting(policy, OWED[notice].besides)
        both = [
            (one, by) for one, by in ((page, element_of(notice)), (law, OWED[notice].posted or "")) if one is not None
        ]
        if not both:
            return Fallbacks(Period(days=30), ("ours",), papers, besides)
        longest = max(both, key=lambda each: _days(each[0]))[0]
        return Fallbacks(longest, tuple(by for one, by in both if one == longest), papers, besides)

    def _law_of_posting(self, policy: str, code: str | None) -> Period | None:
        if code is None:
            return None
        try:
            zone = self.views.line(policy).latest.zone
            return law_in(zone.key, local_date(self.now(), zone)).period(code)
        except LawUnknown:
            return None

    def told(self, policy: str, notice: str, about: str) -> Told:
        """For each person to whom this notice was sent or tried: told, waiting, uncertain, unreachable or covered."""
        found = Told(covered_at=self._covered_at(policy, notice, about))
        covered = found.covered_at is not None and found.covered_at <= self.now()
        best: dict[SubjectId, tuple[int, str, str]] = {}
        with self.places.active.reading() as connection:
            rows = outbox.states_about(connection, policy, notice, about)
        for person, sent, why, settled_at in rows:
            state, reason = _state_of(sent), why or sent
            if state == "unreachable":
                state = "covered" if covered and _no_fault(sent, reason) else "unreachable"
            rank = _RANK.index(state)
            since = settled_at if state == "told" else found.covered_at if state == "covered" else None
            if since is not None and since < found.since.get(person, FOREVER):
                found.since[person] = since
            if person not in best or rank < best[person][0]:
                best[person] = (rank, state, reason)
        found.states = {person: state for person, (_, state, _) in best.items()}
        found.reasons = {person: why for person, (_, state, why) in best.items() if state in ("unreachable", "covered")}
        return found

    def _covered_at(self, policy: str, notice: str, about: str) -> Instant | None:
        """When posting or newspapers have done what they must; None while nothing counts yet."""
        wanted, zone = self.fallbacks(policy, notice), self.views.line(policy).latest.zone
        done: list[Instant] = []
        papers: dict[str, Instant] = {}
        for one in self.postings(policy, notice=notice, about=about):
            if one.printed is not None:
                papers.setdefault(one.printed, one.from_at)
                continue
            over = end_of(one.from_at, wanted.page, zone)
            if over <= (one.ended_at if one.ended_at is not None else FOREVER):
                done.append(over)
        if wanted.papers and len(papers) >= wanted.papers:
            done.append(sorted(papers.values())[wanted.papers - 1])
        return min(done, default=None)


_RANK = ("told", "uncertain", "waiting", "covered", "unreachable")
"""Of several messages to one person the best counts; one that may have arrived keeps a posting from standing in."""
_STATES: Mapping[str, str] = {
    "sent": "told",
    "acknowledged": "told",
    "queued": "waiting",
    "sending": "waiting",
    "uncertain": "uncertain",
}


def _state_of(state: str) -> str:
    return _STATES.get(state, "unreachable")


def _no_fault(state: str, reason: str) -> bool:
    return state in ("unreachable", "bounced") or reason in NO_FAULT


def _days(period: Period) -> int:
    return period.years * 365 + period.months * 30 + period.days


def _steps(document: Policy, notice: str) -> tuple[Fallback, ...]:
    section, _, name = OWED[notice].element.partition(".")
    row = getattr(document, section).get(name)
    return row.or_else if isinstance(row, Change) else ()


INSERT_POSTING = (
    "INSERT INTO posting(policy, posting_id, notice, about, place, printed, reason, from_at) "
    "VALUES(?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(policy, posting_id) DO NOTHING"
)
TAKE_DOWN = "UPDATE posting SET ended_at = ? WHERE policy = ? AND posting_id = ? AND ended_at IS NULL"
_POSTING = "SELECT notice FROM posting WHERE policy = ? AND posting_id = ?"
_POSTINGS = (
    "SELECT posting_id, notice, about, place, printed, reason, from_at, ended_at FROM posting "
    "WHERE policy = ? ORDER BY from_at, posting_id"
)
