"""Putting a version on file: announced as the version before it promised, shown to be kept here, and then in force.

A version goes through the gate: its findings settled on, everything bound (`binding`), every rule rehearsed in the real
places (`rehearsing`), the people told early enough. The gate answers with all its reasons at once. An officer may
publish over named gaps; a publication of the past is put on file as it was, and its reasons are findings.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from upheld.dates import Instant, Period, local_date, start_of
from upheld.engine.acts import SubjectId
from upheld.engine.compile import compiled
from upheld.engine.decide import View
from upheld.engine.lifecycle import Step, steps_coming
from upheld.engine.plan import Plan, PolicyLine
from upheld.errors import InputRefused
from upheld.keeper.binding import Obstacle, PublicationRefused, failed, law_then, unaccepted, unbound
from upheld.keeper.organisation import Organisation
from upheld.keeper.rehearsing import Rehearsed, Rehearsing
from upheld.law.stricter import By, about_days, at_least
from upheld.ledger.entries import Entry, entry
from upheld.policy import formats
from upheld.policy.change import changes_between
from upheld.policy.change_rules import Demand
from upheld.policy.model import Policy
from upheld.policy.notice import notice
from upheld.policy.read import read_policy
from upheld.store import history, subjects
from upheld.store.place import Transaction
from upheld.store.subjects import packed_names, unpacked_names

PAGE: Final = "html"
LINKED: Final = "dpv"


@dataclass(frozen=True, slots=True)
class Announced:
    """How far ahead people are told: the day of telling, the first day on which the version may hold, who decided."""

    on: date
    earliest: date
    ahead: Period | None = None
    by: By | None = None
    rule: str = ""
    """The article, where the law decided."""


@dataclass(frozen=True, slots=True)
class FirstNight:
    """What falls due when a version takes effect, counted before it does: values by the rule that ends them."""

    at: Instant
    separate: int = 0
    destroy: int = 0
    by_rule: Mapping[str, int] = field(default_factory=dict)
    persons: int = 0
    looked_at: int = 0

    @property
    def values(self) -> int:
        """All of them."""
        return self.separate + self.destroy


@dataclass(frozen=True, slots=True)
class Publication:
    """A version that was put on file (or would be, `dry`), and what it lacks.

    `gaps` are elements published over; `findings` what the gate has against a publication of the past.
    """

    policy: str
    version: str
    effective_at: Instant
    gaps: tuple[str, ...]
    findings: tuple[Obstacle, ...] = ()
    announced: Announced | None = None
    first_night: FirstNight | None = None
    rehearsed: Rehearsed | None = None
    notices: Mapping[str, str] = field(default_factory=dict)
    """Locale → digest of the page that people read, as the ledger has it."""
    dry: bool = False


@dataclass(frozen=True, slots=True)
class OnRecord:
    """A version on file with its dates, how it came through the gate, and its notices by locale and form."""

    version: str
    announced_at: Instant
    effective_at: Instant
    published_at: Instant
    gate: str
    gaps: tuple[str, ...]
    findings: tuple[tuple[str, str], ...]
    """Code and element of each."""
    notices: tuple[tuple[str, str, str], ...]
    """Locale, form and digest of each."""
    in_force: bool


@dataclass(frozen=True, slots=True)
class _Draft:
    """A version on its way through the gate."""

    policy: Policy
    source: bytes
    plan: Plan
    file: Path | None
    now: Instant
    before: tuple[Policy, ...]
    """Versions on file, oldest first."""


@dataclass(frozen=True, slots=True)
class _Passed:
    """How a version came through the gate, and what it leaves behind."""

    gate: str
    gaps: tuple[str, ...] = ()
    findings: tuple[Obstacle, ...] = ()
    announced: Announced | None = None
    rehearsed: Rehearsed | None = None
    officer: str | None = None
    reason: str | None = None
    evidence: str | None = None


class Publishing(Organisation, Rehearsing):
    """Publishing versions, and what is known of those on file."""

    trial: bool = False
    """A home for tests and simulations: versions go on file without the gate, and the ledger says so."""

    def publish(
        self,
        document: Path | bytes,
        *,
        as_of: date | None = None,
        evidence: str | None = None,
        gaps: tuple[str, ...] = (),
        officer: str | None = None,
        reason: str | None = None,
        dry_run: bool = False,
    ) -> Publication:
        """Put a version on file. It is in force from the local midnight of its effective date, and not before.

        `gaps` are element paths that the `officer` (a role) publishes over for a `reason` (a code); their clauses are
        not upheld from that minute. `as_of` with the reference of its `evidence` files a version of the past: what
        would have refused it becomes a finding. `dry_run` answers and puts nothing on file.
        Raises PolicyRefused for a document with errors, PublicationRefused with every reason of the gate, InputRefused.
        """
        draft = self._draft(document)
        self._fits(draft, as_of, evidence, self.trial)
        past = as_of is not None
        if self.trial:
            return self._file(draft, _Passed("trial", gaps, evidence=evidence), dry_run)
        if gaps and not past:
            _named(officer, reason)
        announced = self._announced(draft, past)
        obstacles, rehearsed = self._gate(draft, announced, past)
        if past:
            return self._file(
                draft, _Passed("as-of", gaps, obstacles, announced, rehearsed, evidence=evidence), dry_run
            )
        left = tuple(one for one in obstacles if not one.gap or one.element not in gaps)
        if left and not dry_run:
            raise self._refuse(draft, left)
        gate = "over-gaps" if gaps else "passed"
        return self._file(draft, _Passed(gate, gaps, left, announced, rehearsed, officer, reason), dry_run)

    def _draft(self, document: Path | bytes) -> _Draft:
        file = document if isinstance(document, Path) else None
        source = document.read_bytes() if isinstance(document, Path) else document
        policy = read_policy(source, file.name if file else "document")
        with self.places.active.reading() as connection:
            rows = connection.execute(_SOURCES, (policy.policy,)).fetchall()
        before = tuple(read_policy(bytes(row[0]), f"{policy.policy}.yaml") for row in rows)
        return _Draft(policy, source, compiled(policy, source), file, self.now(), before)

    @staticmethod
    def _fits(draft: _Draft, as_of: date | None, evidence: str | None, trial: bool) -> None:
        """Versions go on file in order, each once; one of the past with its date and proof."""
        plan = draft.plan
        known = [one.effective.date.isoformat() for one in draft.before if one.effective.date]
        if plan.version in known:
            raise InputRefused(
                "version-on-file", f"`{plan.policy}` has a version that takes effect on {plan.version} already"
            )
        if known and plan.version < max(known):
            raise InputRefused(
                "version-too-old",
                f"`{plan.policy}` has a later version on file ({max(known)}); put versions on file in order",
            )
        named = as_of == draft.policy.effective.date and bool(evidence)
        if (past := plan.effective_at < draft.now) and (trial or as_of is not None) and not named:
            said = f"{_PAST.format(plan.version)}. {_FILE_IT.format(plan.version)}"
            raise InputRefused("effective-in-the-past", said)
        if as_of is not None and not past:
            raise InputRefused("as-of-to-come", f"{plan.version} is still to come; publish it without `as_of`")

    # ── the gate ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _gate(self, draft: _Draft, announced: Announced, past: bool) -> tuple[tuple[Obstacle, ...], Rehearsed]:
        """Every reason not to publish, and what the rehearsal did."""
        policy, plan = draft.policy, draft.plan
        day = plan.effective_at if past else max(draft.now, plan.effective_at)
        with self.places.active.reading() as connection:
            house = subjects.load_controller(connection, plan.policy)
            roles = [row[0] for row in connection.execute(_ROLES, (plan.policy, day, day))]
            filed = [row[0] for row in connection.execute(_FILED, (plan.policy, day))]
        found = [*_too_early(plan, announced)]
        if plan.effective_at < draft.now and not past:
            said, remedy = _PAST.format(plan.version), _FILE_IT.format(plan.version)
            found.append(Obstacle("effective-in-the-past", plan.rule.path, plan.rule.cites(), said, remedy, gap=False))
        found += unaccepted(policy, draft.file, plan, day if past else draft.now)
        found += unbound(policy, plan, house, roles, filed, day)
        rehearsed = self.rehearse(plan)
        found += failed(plan, policy, rehearsed.failures)
        return tuple(dict.fromkeys(found)), rehearsed

    @staticmethod
    def _announced(draft: _Draft, past: bool) -> Announced:
        """By the promise of the version before, or the law where that asks for more; a first version owes nobody."""
        policy, zone = draft.policy, draft.plan.zone
        today = local_date(draft.now, zone)
        said = policy.announced.date or today
        on = said if past else max(said, today)
        if not draft.before:
            return Announced(on, on)
        changes = changes_between(draft.before[-1], policy)
        if all(one.demand is Demand.NOTHING or one.path in _DATES for one in changes.differences):
            return Announced(on, on)
        decided = at_least(changes.announcement.promised, law_then(policy, on), "change.announced")
        if decided is None:
            return Announced(on, on)
        article = decided.rule.article if decided.by is By.LAW and decided.rule else ""
        earliest = on + timedelta(days=about_days(decided.period))
        return Announced(on, earliest, decided.period, decided.by, article)

    def _refuse(self, draft: _Draft, left: tuple[Obstacle, ...]) -> PublicationRefused:
        """The refusal is on record as codes and places; the notice is made all the same. INVARIANT: I14."""
        plan = draft.plan
        elements = tuple(dict.fromkeys(one.element for one in left))
        codes = tuple(sorted({one.code for one in left}))
        told = entry("publication.refused", draft.now, plan.policy, None, elements, version=plan.version,
                     digest=bytes.fromhex(plan.digest), reasons=codes)  # fmt: skip
        self.places.active.submit(lambda transaction: transaction.journal(told))
        pages = {locale: notice(draft.policy, locale, PAGE, draft.before) for locale in draft.policy.locales}
        return PublicationRefused(left, pages)

    # ── on file ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _file(self, draft: _Draft, passed: _Passed, dry_run: bool) -> Publication:
        policy, plan = draft.policy, draft.plan
        blocked = tuple(row.path for row in policy.rows() if row.blocked)
        named = tuple(dict.fromkeys((*passed.gaps, *blocked)))
        night = None if self.trial else self.first_night(plan)
        copies = {} if self.trial else _copies(policy, draft.before)
        digests = {key: hashlib.sha256(content).digest() for key, content in copies.items()}
        pages = {locale: digest.hex() for (locale, form), digest in digests.items() if form == PAGE}
        made = Publication(
            plan.policy, plan.version, plan.effective_at, named, passed.findings, passed.announced, night,
            passed.rehearsed, pages, dry_run,
        )  # fmt: skip
        if dry_run:
            return made
        entries = [_published_entry(draft, passed, made, digests), *_kept_entries(draft, passed, digests)]

        def work(transaction: Transaction) -> None:
            row = (plan.policy, plan.version, draft.source, plan.digest, _announced_at(draft), plan.effective_at)
            transaction.execute(_INSERT_VERSION, (*row, draft.now, packed_names(named)))
            transaction.execute("DELETE FROM policy_draft WHERE policy = ?", (plan.policy,))
            for (locale, form), content in copies.items():
                key = (plan.policy, plan.version, locale, form, digests[locale, form])
                transaction.execute(_KEEP_NOTICE, (*key, content, draft.now))
            for code, element in dict.fromkeys((one.code, one.element) for one in passed.findings):
                transaction.execute(_KEEP_FINDING, (plan.policy, plan.version, code, element))
            subjects.new_plan(transaction)
            transaction.journal(*entries)

        self.places.active.submit(work)
        self.places.active.afterwards(self.views.forget_all)
        return made

    # ── the first night ─────────────────────────────────────────────────────────────────────────────────────────────

    def first_night(self, plan: Plan) -> FirstNight:
        """What a version that is not on file yet makes due when it takes effect, by the facts known now.

        Counts what would not be due under the version before. Looks at those whom the change may touch, and no others.
        """
        at = plan.effective_at
        if self.views.plan_epoch < 0:
            self.views.refresh()
        line = self.views.lines.get(plan.policy)
        if line is None:
            return FirstNight(at)
        later = PolicyLine(line.policy, (*line.plans, plan))
        found = sorted(self._woken(line.latest, plan, at))
        rules: Counter[str] = Counter()
        kinds: Counter[str] = Counter()
        persons = 0
        for _, subject in found:
            steps = self._only_by(line, later, SubjectId(subject), at)
            persons += bool(steps)
            kinds.update(step.kind.value for step in steps)
            rules.update(_ended_by(step, plan) for step in steps)
        return FirstNight(at, kinds["separate"], kinds["destroy"], dict(sorted(rules.items())), persons, len(found))

    def _only_by(self, line: PolicyLine, later: PolicyLine, subject_id: SubjectId, at: Instant) -> list[Step]:
        with self.places.active.reading() as connection:
            row = subjects.load(connection, subject_id)
        if row is None:
            return []
        house = self.views.controller(line.policy)
        before = {step.value.value_id for step in _ready(View(line, row.state, house, at), at)}
        return [step for step in _ready(View(later, row.state, house, at), at) if step.value.value_id not in before]

    # ── what is on file ─────────────────────────────────────────────────────────────────────────────────────────────

    def on_record(self, policy: str) -> tuple[OnRecord, ...]:
        """Every version with its dates, gaps, findings and the notices kept of it, oldest first."""
        self.seal()
        self.views.line(policy)
        now = self.now()
        with self.places.active.reading() as connection:
            rows = connection.execute(_ON_FILE, (policy,)).fetchall()
            findings = connection.execute(_FINDINGS, (policy,)).fetchall()
            kept = connection.execute(_NOTICES, (policy,)).fetchall()
        gates = self._gates(policy)
        current = self.views.line(policy).at(now)
        return tuple(
            OnRecord(
                version,
                Instant(announced),
                Instant(effective),
                Instant(published),
                gates.get(version, "unknown"),
                unpacked_names(gaps),
                tuple((code, element) for of, code, element in findings if of == version),
                tuple((locale, form, bytes(digest).hex()) for of, locale, form, digest in kept if of == version),
                current is not None and current.version == version,
            )
            for version, announced, effective, published, gaps in rows
        )

    def _gates(self, policy: str) -> dict[str, str]:
        published = history.entries(self.places.sealer.connection, kinds=("policy.published",))
        return {
            str(one.entry.fields["version"]): str(one.entry.fields.get("gate", "before-the-gate"))
            for one in published
            if one.entry.policy == policy
        }

    def published_notice(self, policy: str, version: str, locale: str, form: str = PAGE) -> bytes:
        """The notice of a version as it was kept when it was published, to the byte.

        Raises InputRefused where none was kept in that language and form.
        """
        with self.places.active.reading() as connection:
            row = connection.execute(_NOTICE, (policy, version, locale, form)).fetchone()
        content = bytes(row[0]) if row is not None else self._printed_again(policy, version, locale, form)
        if content is None:
            raise InputRefused("notice-unknown", f"no {form} of `{policy}` {version} in `{locale}` was kept")
        return content

    def _printed_again(self, policy: str, version: str, locale: str, form: str) -> bytes | None:
        """After a recovery from an old copy: made from the document, and given out only if it is what was recorded."""
        recorded = history.entries(self.places.sealer.connection, kinds=("notice.kept",))
        wanted = (policy, version, locale, form)
        digests = [
            one.entry.fields["digest"]
            for one in recorded
            if (one.entry.policy, *(one.entry.fields[key] for key in ("version", "locale", "form"))) == wanted
        ]
        with self.places.active.reading() as connection:
            sources = [bytes(row[0]) for row in connection.execute(_SOURCES, (policy,)).fetchall()]
        documents = [read_policy(source, f"{policy}.yaml") for source in sources]
        place = next((n for n, one in enumerate(documents) if str(one.effective.date) == version), None)
        if not digests or place is None:
            return None
        content = _copies(documents[place], documents[:place]).get((locale, form))
        return content if content is not None and hashlib.sha256(content).digest() in digests else None


def _named(officer: str | None, reason: str | None) -> None:
    """Who publishes over gaps says in which role and why, in codes: the ledger takes no other words."""
    if not officer or not reason:
        raise InputRefused(
            "officer-unnamed", "to publish over gaps name the officer's role and the reason, each as a code"
        )


def _too_early(plan: Plan, announced: Announced) -> Iterable[Obstacle]:
    if announced.ahead is None or date.fromisoformat(plan.version) >= announced.earliest:
        return
    who = f"the law ({announced.rule})" if announced.by is By.LAW else "the version before"
    said = f"announced on {announced.on}, {who} asks for {announced.ahead} ahead, and it would hold from {plan.version}"
    remedy = f"Make it effective on {announced.earliest} or later"
    yield Obstacle("announced-too-late", plan.rule.path, plan.rule.cites(), said, remedy, gap=False)


def _announced_at(draft: _Draft) -> Instant:
    day = draft.policy.announced.date
    return start_of(day, draft.plan.zone) if day else draft.plan.effective_at


def _published_entry(
    draft: _Draft, passed: _Passed, made: Publication, digests: Mapping[tuple[str, str], bytes]
) -> Entry:
    plan, night = draft.plan, made.first_night
    return entry(
        "policy.published", draft.now, plan.policy, None, (plan.rule.path,),
        version=plan.version, digest=bytes.fromhex(plan.digest), announced_at=_announced_at(draft),
        effective_at=plan.effective_at, gaps=tuple(sorted(made.gaps)), gate=passed.gate, by=passed.officer,
        reason=passed.reason, notice=digests.get((draft.policy.locales[0], PAGE)),
        evidence=hashlib.sha256(passed.evidence.encode()).digest() if passed.evidence else None,
        first_night={"separate": night.separate, "destroy": night.destroy} if night and night.values else None,
        decided_by=passed.announced.by.value if passed.announced and passed.announced.by else None,
    )  # fmt: skip


def _kept_entries(draft: _Draft, passed: _Passed, digests: Mapping[tuple[str, str], bytes]) -> Iterator[Entry]:
    plan = draft.plan
    for (locale, form), digest in digests.items():
        yield entry("notice.kept", draft.now, plan.policy, None, (plan.rule.path,), version=plan.version,
                    locale=locale, form=form, digest=digest)  # fmt: skip
    for one in passed.findings:
        yield entry("publication.finding", draft.now, plan.policy, None, (one.element,), version=plan.version,
                    finding=one.code)  # fmt: skip


def _copies(policy: Policy, before: Sequence[Policy]) -> dict[tuple[str, str], bytes]:
    """The notice in each language, and the machine-readable copy beside it."""
    found = {(locale, PAGE): notice(policy, locale, PAGE, before).encode() for locale in policy.locales}
    found[policy.locales[0], LINKED] = formats.export(policy, "dpv", policy.locales[0]).encode()
    return found


def _ready(view: View, at: Instant) -> list[Step]:
    return [step for step in steps_coming(view.life, at) if step.ready_at <= at]


def _ended_by(step: Step, plan: Plan) -> str:
    """Under which rule a value falls due: of its grounds the last to end, else the purpose that took it."""
    last = max(step.grounds, key=lambda ground: ground.until.at, default=None)
    if last is not None:
        return last.rule.path
    name = step.value.uses[-1].purpose
    return plan.purposes[name].rule.path if name in plan.purposes else f"purposes.{name}"


_DATES: Final = ("announced", "effective")
"""That a version has other dates than the one before is no change that people have to be told ahead."""
_PAST: Final = "the version would have been in force since {}, before anybody could be told"
_FILE_IT: Final = "Choose a day to come, or file a past publication with `as_of={}` and the reference of its `evidence`"
_SOURCES: Final = "SELECT source FROM policy_version WHERE policy = ? ORDER BY effective_at"
_ON_FILE: Final = (
    "SELECT version, announced_at, effective_at, published_at, gaps FROM policy_version WHERE policy = ? "
    "ORDER BY effective_at"
)
_INSERT_VERSION: Final = (
    "INSERT INTO policy_version(policy, version, source, digest, announced_at, effective_at, "
    "published_at, gaps) VALUES(?, ?, ?, ?, ?, ?, ?, ?)"
)
_ROLES: Final = "SELECT duty FROM handler WHERE policy = ? AND granted_at <= ? AND until_at > ? AND revoked_at IS NULL"
_FILED: Final = "SELECT control FROM evidence WHERE policy = ? AND at <= ?"
_KEEP_NOTICE: Final = (
    "INSERT INTO notice_copy(policy, version, locale, form, digest, content, kept_at) VALUES(?, ?, ?, ?, ?, ?, ?)"
)
_NOTICES: Final = (
    "SELECT version, locale, form, digest FROM notice_copy WHERE policy = ? ORDER BY version, locale, form"
)
_NOTICE: Final = (
    "SELECT content FROM notice_copy WHERE policy = ? AND version = ? AND locale = ? AND form = ? ORDER BY kept_at"
)
_KEEP_FINDING: Final = "INSERT INTO publication_finding(policy, version, code, element) VALUES(?, ?, ?, ?)"
_FINDINGS: Final = (
    "SELECT version, code, element FROM publication_finding WHERE policy = ? ORDER BY version, element, code"
)
