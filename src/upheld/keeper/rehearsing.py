"""The rehearsal before a publication: a made-up person for each rule lives and is destroyed in the real places.

Each is marked by a code of its own in place of the policy's (`rehearsal.CODE`), so no sweep, register, figure or
report of the policy ever meets it. Time is moved on for it alone: its own instants are moved back. What was taken is
read back in the active place, kept apart, read back there, destroyed, its keys looked for in the files, certified;
then the person is taken out of every table. The mark stands in the active place before the first of them comes, and
goes after the last byte has gone: what a crash leaves is cleared by whoever opens or sweeps the home next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from msgspec import structs

from upheld.dates import BEGINNING, FOREVER, HOUR, Instant
from upheld.engine.acts import Collect, EngagementId, FactId, Reader, ReaderKind, Reason, SubjectId, ValueId
from upheld.engine.compile import CHILD_CONTACT
from upheld.engine.lifecycle import CLOSES, keeps, steps_coming
from upheld.engine.plan import GroundKind, Plan, PolicyLine, PurposePlan, RetentionPlan, points_in
from upheld.engine.state import ControllerState, Fact, HeldState
from upheld.errors import InputRefused, StoreFailed
from upheld.keeper.clearing import MARK, TEXT
from upheld.keeper.data import Data
from upheld.keeper.door import Door, Tier
from upheld.keeper.living import Living, Shown
from upheld.keeper.moving import Moving
from upheld.keeper.steps import Swept
from upheld.ledger.entries import entry
from upheld.policy.vocabulary import Nature
from upheld.store import subjects
from upheld.store.ids import bucket_of, placed_key, placed_value
from upheld.store.place import Transaction
from upheld.store.subjects import packed_uses
from upheld.store.vault import Sealed
from upheld.store.views import Seen, Views

DAY: Final = 24 * HOUR
_ROUNDS: Final = 24
"""Ours: more moves than any chain of grounds has."""
_BEGUN: Final = 2
"""Turns that come before the first sweep: what opens something, what ends the use."""
_FAR: Final = 200 * 365 * DAY
_SEARCHED: Final = 2_000_000_000
"""Ours: so many bytes are looked through for keys that were destroyed; in a large home for fewer keys, never none."""
_BUILT_IN: Final = frozenset({"collected", "provided", "consented", "withdrawn", "begun", "ended"})
_NO_PERSON: Final = ("generated", "cookie", "app", "tool", "party")


@dataclass(frozen=True, slots=True)
class Chain:
    """One rule of a version: a purpose, and what keeps its values afterwards (None: nothing does)."""

    purpose: PurposePlan
    kept: RetentionPlan | None
    kind: str
    engagement: str | None

    @property
    def path(self) -> str:
        """The element that fails if the chain does."""
        return (self.kept.rule if self.kept else self.purpose.rule).path


@dataclass(frozen=True, slots=True)
class Failure:
    """A rule that could not be kept in these places: where it stopped, and why in words."""

    element: str
    stage: str
    """collect, read, separate, destroy, certificate or scrub."""
    why: str


@dataclass(slots=True)
class Rehearsed:
    """What a rehearsal did. `empty` are rules under which nothing can be taken at all."""

    rules: int = 0
    collected: int = 0
    separated: int = 0
    destroyed: int = 0
    certificates: int = 0
    searched: int = 0
    """For how many values the files were looked through."""
    empty: int = 0
    failures: list[Failure] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """The numbers by name."""
        return {
            "rules": self.rules, "collected": self.collected, "separated": self.separated, "destroyed": self.destroyed,
            "certificates": self.certificates, "searched": self.searched, "empty": self.empty,
        }  # fmt: skip


@dataclass(slots=True)
class _Life:
    """One made-up person on its way through a chain."""

    chain: Chain
    subject_id: SubjectId
    engagement: EngagementId | None = None
    values: tuple[ValueId, ...] = ()
    contents: dict[ValueId, bytes] = field(default_factory=dict)
    traces: list[bytes] = field(default_factory=list)
    """The keys of its values as they lay in the key store: none may be left in its file."""
    happened: set[str] = field(default_factory=set)
    told: int = 0
    """How many of the turns that a life takes are behind it."""
    kept: bool = False
    """Whether the row of its chain did keep something apart."""
    over: bool = False
    failure: Failure | None = None

    def fail(self, stage: str, why: str) -> None:
        named = f"`{self.chain.purpose.name}`: {why}" if self.chain.kept else why
        self.failure = self.failure or Failure(self.chain.path, stage, named)

    @property
    def open(self) -> bool:
        """Whether it is still on its way."""
        return self.failure is None and not self.over and bool(self.values)


def chains_of(plan: Plan) -> list[Chain]:
    """Every rule of a version that can be run: each purpose by itself, and with each row that keeps its values."""
    found: list[Chain] = []
    for purpose in plan.purposes.values():
        if purpose.blocked or not purpose.items:
            continue
        kinds = [kind for kind in plan.subjects if not purpose.whose or kind in purpose.whose]
        engagements: list[str | None] = [*sorted(purpose.per)] or [None]
        if not kinds:
            continue
        found += [Chain(purpose, None, kinds[0], one) for one in engagements]
        if not purpose.held_for_organisation:
            found += [
                Chain(purpose, row, kinds[0], one)
                for one in engagements
                for row in plan.kept.values()
                if not row.blocked and _may_keep(plan, row, purpose, one)
            ]
    return found


def _may_keep(plan: Plan, row: RetentionPlan, purpose: PurposePlan, engagement: str | None) -> bool:
    if row.kind is GroundKind.PROOF or purpose.name == CHILD_CONTACT:
        return False
    if row.kind is GroundKind.STATUTE:
        fits = any(item in row.items for item in purpose.items)
    else:
        fits = any(keeps(row, item, purpose.name) for item in purpose.items)
    declared = plan.facts.get(row.from_fact or "")
    carriers = declared.about & frozenset(plan.engagements) if declared else frozenset()
    return fits and (not carriers or engagement in carriers)


class _Alone(Views):
    """Views of subjects that nobody else can touch: none is ever stale, and no look vouches for another's views."""

    def prove(self, transaction: Transaction, seen: Seen) -> None:
        """Nothing to compare."""


class _Stage(Living, Data, Moving):
    """The verbs of the keeper, in the same places, under a version that is not in force, for made-up persons."""

    def __init__(self, house: Door, plan: Plan) -> None:
        self.policy = MARK + plan.policy
        self.version = replace(plan, policy=self.policy, effective_at=BEGINNING)
        self.facts: list[Fact] = []
        line = PolicyLine(self.policy, (self.version,))
        views = _Alone(
            house.places.active,
            house.places.keys,
            lambda _: ({self.policy: line}, {self.policy: ControllerState(tuple(self.facts))}),
        )
        super().__init__(replace(house.places, views=views))
        self.hasher, self.in_reach, self.clock_set = house.hasher, house.in_reach, house.clock_set
        self.looked_up = lambda _, item: house.looked_up(plan.policy, item)

    # ── coming ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def come(self, chain: Chain) -> _Life:
        """A person of the kind, in the engagement, with everything agreed to that the rule asks; then the items."""
        child = chain.purpose.name == CHILD_CONTACT
        life = _Life(chain, self.enter(self.policy, chain.kind, minor=True if child else None))
        if chain.engagement is not None:
            shared = "rehearsal" if chain.purpose.held_for_organisation else None
            made = self.begin(life.subject_id, chain.engagement, organisation=shared).made
            life.engagement = EngagementId(made) if isinstance(made, str) else None
        self._take(life)
        return life

    def _take(self, life: _Life) -> None:
        purpose = life.chain.purpose
        items = self._items(life.chain)
        proofs = frozenset(need for item in items for need in self.version.items[item].needs)
        ways = list(self._ways(purpose))
        for _ in range(_ROUNDS):
            seen = self.views.get(life.subject_id, self.now())
            act = Collect(purpose.name, tuple(items), life.engagement, ways[0], proofs=proofs)
            decision = self._decide(act, seen, self._decided_at(seen)) if items else None
            if decision is None or decision.granted:
                break
            asked = {(one.reason, one.detail) for one in decision.because}
            if not self._given(life, asked, items, ways):
                words = ", ".join(sorted({str(reason) for reason, _ in asked}))
                life.fail("collect", f"nothing can be taken for `{purpose.name}`: {words}")
                return
        if not items:
            return
        texts = {item: f"{TEXT}, {item}" for item in items}
        taken = self.collect(
            life.subject_id, purpose.name, texts, engagement=life.engagement, channel=ways[0], proofs=proofs
        )
        if not taken.granted:
            life.fail("collect", ", ".join(reason.value for reason in taken.reasons))
            return
        seen = self.views.get(life.subject_id, self.now())
        life.values = tuple(value.value_id for value in seen.state.values)
        life.contents = {value.value_id: texts[value.item].encode() for value in seen.state.values}

    def _items(self, chain: Chain) -> list[str]:
        """All items of a purpose by itself; of a row that keeps, one that it keeps is enough."""
        found = sorted(item for item in chain.purpose.items if item in self.version.items)
        row = chain.kept
        if row is None:
            return found
        kept = [item for item in found if _kept_by(row, item, chain.purpose.name)]
        return kept[:1]

    def _ways(self, purpose: PurposePlan) -> Iterator[str | None]:
        if "person" in purpose.sources:
            yield from self.version.channels
        yield None
        yield from (word for word in _NO_PERSON if word in purpose.sources)
        yield from self.version.channels

    def _given(
        self, life: _Life, asked: set[tuple[Reason | None, str]], items: list[str], ways: list[str | None]
    ) -> bool:
        """Give what a refusal asks for; False when it is nothing a person could give."""
        helped = False
        for reason, detail in sorted(asked, key=str):
            match reason:
                case Reason.CONSENT_MISSING:
                    helped |= self._agree(life, f"purpose/{life.chain.purpose.name}")
                case Reason.SEPARATE_CONSENT_MISSING:
                    helped |= self._agree(life, f"item/{detail}")
                case Reason.PERMISSION_MISSING:
                    helped |= self._agree(life, f"permission/{life.chain.purpose.name}")
                case Reason.METHOD_UNDECLARED if len(ways) > 1:
                    ways.pop(0)
                    helped = True
                case Reason.ITEM_NOT_COVERED | Reason.LAW_MISSING if detail in items:
                    items.remove(detail)
                    helped = True
                case _:
                    pass
        return helped

    def _agree(self, life: _Life, about: str) -> bool:
        seen = self.views.get(life.subject_id, self.now())
        if any(str(one.about) == about for one in seen.state.consents):
            return False
        channel = next(iter(self.version.consent_channels), "website")
        shown = Shown(TEXT, self.version.locales[0])
        return self.consent(life.subject_id, about, channel=channel, shown=shown).granted

    # ── what happens ────────────────────────────────────────────────────────────────────────────────────────────────

    def turn(self, life: _Life) -> bool:
        """The next turn of this life: what opens, what ends, what closes, a withdrawal. False: nothing is left."""
        turns = (self._opens, self._ends, self._closes, self._withdraws)
        if life.told == len(turns):
            return False
        if turns[life.told](life):
            self.move(life, DAY)  # one thing after the other
        life.told += 1
        return True

    def _opens(self, life: _Life) -> bool:
        row = life.chain.kept
        if life.chain.purpose.name == CHILD_CONTACT:
            return self._fact(life, "consent-asked")
        if row is None:
            return False
        if row.kind is GroundKind.DISPUTE:
            return self._fact(life, "dispute-opened", about="rehearsal")
        opening = row.kind in (GroundKind.CLAIM, GroundKind.STATUTE) and row.from_fact
        return bool(opening) and self._fact(
            life, row.from_fact or "", about=row.name if row.instead_of is not None else None
        )

    def _ends(self, life: _Life) -> bool:
        """All that the purpose's end waits for, and the engagement's."""
        engagement = self.version.engagements.get(life.chain.engagement or "")
        ends = [life.chain.purpose.until, engagement.ends if engagement else None]
        if life.chain.kept is not None and life.chain.kept.kind is GroundKind.RETENTION:
            ends.append(life.chain.kept.until)
        codes = {point.fact for end in ends if end for point, _ in points_in(end)} - _BUILT_IN
        row = life.chain.kept
        if row is not None and row.kind is GroundKind.RETENTION and row.from_fact:
            codes.add(row.from_fact)
        told = [self._fact(life, code) for code in sorted(codes - _openers(self.version))]
        if life.engagement is not None and (engagement is None or engagement.ends is None):
            told.append(self._fact(life, "ended"))
        if row is not None and row.kind in (GroundKind.STATUTE, GroundKind.CLAIM) and self._in_use(life):
            told.append(self._withdraws(life))  # what the law keeps for months, an open-ended yes would outlast
        return any(told)

    def _in_use(self, life: _Life) -> bool:
        seen = self.views.load(life.subject_id, self.now())
        return any(seen.view.life.in_use(value, self._decided_at(seen)) for value in seen.state.values)

    def _closes(self, life: _Life) -> bool:
        """What the row that keeps waits for, and what closes whatever was opened on the way."""
        row = life.chain.kept
        if row is not None and row.kind is GroundKind.DISPUTE:
            return self._fact(life, "dispute-settled", about="rehearsal")
        ends = [row.until] if row is not None and row.until is not None else []
        codes = {point.fact for end in ends for point, _ in points_in(end)} - _BUILT_IN - life.happened
        codes |= {one.code for one in self.version.facts.values() if one.closes in life.happened}
        told = [self._fact(life, code) for code in sorted(codes)]
        if life.engagement is not None and "ended" not in life.happened:
            told.append(self._fact(life, "ended"))
        return any(told)

    def _withdraws(self, life: _Life) -> bool:
        about = f"purpose/{life.chain.purpose.name}"
        seen = self.views.get(life.subject_id, self.now())
        if not any(str(one.about) == about and one.given for one in seen.state.consents):
            return False
        channel = next(iter(self.version.consent_channels), "website")
        return self.withdraw(life.subject_id, about, channel=channel, confirmed=True).granted

    def _fact(self, life: _Life, code: str, about: str | None = None) -> bool:
        """Something happens to this person, or to the house as this person's rule would see it."""
        life.happened.add(code)
        declared = self.version.facts.get(code)
        house = declared is not None and declared.about & {"controller", "purpose", "party"}
        if declared is not None and house:
            named = life.chain.purpose.name if "purpose" in declared.about else None
            at = self.now()
            self.facts.append(Fact(FactId(self.new_id()), code, at, at, None, named))
            self.views.forget_all()
            return True
        carriers = declared.about & frozenset(self.version.engagements) if declared else frozenset()
        named = life.engagement if not carriers or life.chain.engagement in carriers else None
        try:
            return self.fact(life.subject_id, code, engagement=named, about=about).granted
        except InputRefused:
            return False

    # ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_at(self, life: _Life) -> Instant | None:
        """The next instant at which a step of this life may be carried out; None while it waits for something."""
        seen = self.views.load(life.subject_id, self.now())
        at = self._decided_at(seen)
        grounds = [ground for value in seen.state.values for ground in seen.view.life.grounds(value)]
        bounds = {at} | {one for ground in grounds for one in (ground.from_at, ground.until.at) if at < one < FOREVER}
        for bound in sorted(bounds):
            ready = [step.ready_at for step in steps_coming(seen.view.life, bound)]
            if ready:
                return max(bound, min(ready))
        return None

    def move(self, life: _Life, by: int) -> None:
        """Time goes on for this person alone: everything of theirs happened so much longer ago."""
        key = (bucket_of(life.subject_id), life.subject_id)
        with self.places.active.transaction() as transaction:
            row = subjects.load(transaction.connection, life.subject_id)
            if row is None:
                return
            for statement in _MOVE:
                transaction.execute(statement, (*(by for _ in range(statement.count("- ?"))), *key))
            for value in row.state.values:
                uses = [structs.replace(one, anchor_at=Instant(one.anchor_at - by), known_at=Instant(one.known_at - by))
                        for one in value.uses]  # fmt: skip
                transaction.execute(_SET_USES, (packed_uses(uses), *placed_value(value.value_id)))
        if self.facts:
            self.facts = [structs.replace(one, at=Instant(one.at - by), known_at=Instant(one.known_at - by))
                          for one in self.facts]  # fmt: skip
            self.views.forget_all()
        self.views.drop(life.subject_id)

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def read_back(self, life: _Life) -> None:
        """What was taken opens to the same text in the active place, and the door shows it for its purpose."""
        with self.places.active.reading() as connection:
            rows = {one: connection.execute(_SEALED, placed_value(one)).fetchone() for one in life.values}
        seen = self.views.get(life.subject_id, self.now())
        for value, row in rows.items():
            item = seen.view.values[value].item
            content = self.places.vault.open(
                Tier.ACTIVE, self.policy, life.subject_id, value, item, Sealed(row[0], row[1])
            )
            self._trace(life, Tier.ACTIVE, row[0])
            if self.version.items[item].nature is Nature.PASSWORD:
                life.contents[value] = content
            elif content != life.contents[value]:
                life.fail("read", f"`{item}` does not read back as it was taken")
        purpose = life.chain.purpose
        if purpose.name == CHILD_CONTACT or purpose.needs or purpose.held_for_organisation:
            return  # who may see these is somebody in particular, not an application
        use = next((name for name, runs in purpose.uses.items() if runs), None)
        if purpose.uses and use is None:
            return  # every use of it is blocked
        reader = Reader(ReaderKind.APPLICATION, "rehearsal", frozenset({purpose.name}))
        shown = self.read(life.subject_id, purpose.name, reader=reader, values=life.values, use=use)
        if not shown.granted:
            life.fail("read", f"not to be read for `{purpose.name}`: " + ", ".join(one.value for one in shown.reasons))

    def look(self, life: _Life) -> None:
        """After a step: what is kept apart reads back there and nowhere else; what is destroyed is gone."""
        seen = self.views.load(life.subject_id, self.now())
        states = {value.value_id: value for value in seen.state.values}
        for one in life.values:
            value = states[one]
            if value.held is HeldState.SEPARATED:
                row, now = life.chain.kept, self._decided_at(seen)
                grounds = seen.view.life.grounds(value)
                life.kept |= row is not None and any(
                    ground.rule.path == row.rule.path and ground.live(now) for ground in grounds
                )
                self._look_apart(life, one, value.item)
            elif value.held is HeldState.DESTROYED:
                with self.places.active.reading() as connection:
                    row = connection.execute(_SEALED, placed_value(one)).fetchone()
                with self.places.separated.reading() as connection:
                    apart = connection.execute(_SEALED, placed_value(one)).fetchone()
                if (row is not None and (row[0] is not None or row[1] is not None)) or apart is not None:
                    life.fail("destroy", f"`{value.item}` is still there after its destruction")
                if self.places.vault.tokens_left(one):
                    life.fail("destroy", f"a look-up token of `{value.item}` is left")
        life.over = all(value.held is HeldState.DESTROYED for value in states.values())
        if life.over and life.chain.kept is not None and not life.kept and not _outlasted(seen, life.chain.kept):
            life.fail("separate", "it never kept apart what it is for")

    def _look_apart(self, life: _Life, value: ValueId, item: str) -> None:
        with self.places.separated.reading() as connection:
            row = connection.execute(_SEALED, placed_value(value)).fetchone()
        with self.places.active.reading() as connection:
            left = connection.execute(_SEALED, placed_value(value)).fetchone()
        if row is None or (left is not None and left[1] is not None):
            life.fail("separate", f"`{item}` is not in the separated place alone")
            return
        blob = bytes(row[1])
        opened = self.places.vault.open(Tier.SEPARATED, self.policy, life.subject_id, value, item, Sealed(row[0], blob))
        if opened != life.contents[value]:
            life.fail("separate", f"`{item}` does not read back in the separated place")
        self._trace(life, Tier.SEPARATED, row[0])

    def _trace(self, life: _Life, tier: Tier, key_id: int) -> None:
        with self.places.keys.reading() as connection:
            row = connection.execute(_WRAPPED[tier], placed_key(key_id)).fetchone()
        if row is not None and bytes(row[0]) not in life.traces:
            life.traces.append(bytes(row[0]))

    def certified(self, life: _Life) -> bool:
        """Whether certificates cover as many values as were taken."""
        key = (bucket_of(life.subject_id), life.subject_id)
        with self.places.active.reading() as connection:
            rows = connection.execute(_CERTIFICATES, key).fetchall()
        found = sum(int(count[1]) for row in rows if (count := re.search(rb'"value_count":(\d+)', bytes(row[0]))))
        return found == len(life.values)


class Rehearsing(Moving):
    """Rehearsing a version."""

    def rehearse(self, plan: Plan) -> Rehearsed:
        """Live through every rule of a version in the places of this home. What it did is on record; nothing stays.

        One rehearsal or sweep at a time. Takes about as long as a sweep of as many values as the version has rules.
        """
        done = Rehearsed()
        with self.sweeping():
            self._clear("cut-short")
            stage = _Stage(self, plan)
            code = stage.policy
            self.places.active.submit(lambda transaction: transaction.execute(_MARK_ON, (code, transaction.at)))
            try:
                for group in _groups(plan):
                    self._live(stage, group, done)
            finally:
                clean = self._clear("over")
            if not clean:
                said = "a reader keeps a file open: it is over and its bytes are not scrubbed yet"
                done.failures.append(Failure(plan.rule.path, "scrub", said))
        failed = tuple(sorted({failure.element for failure in done.failures}))
        digest, counts = bytes.fromhex(plan.digest), {name: n for name, n in done.counts().items() if n}
        told = entry("rehearsal.ran", self.now(), plan.policy, None, failed or (plan.rule.path,), version=plan.version,
                     digest=digest, counts=counts, failed=failed or None)  # fmt: skip
        self.places.active.submit(lambda transaction: transaction.journal(told))
        return done

    def _live(self, stage: _Stage, chains: Sequence[Chain], done: Rehearsed) -> None:
        stage.facts.clear()
        stage.views.forget_all()
        with stage.batch():
            lives = [stage.come(chain) for chain in chains]
        for life in lives:
            if life.open:
                stage.read_back(life)
        done.rules += len(lives)
        done.collected += sum(len(life.values) for life in lives)
        done.empty += sum(not life.values and life.failure is None for life in lives)
        swept = Swept()
        for _ in range(_ROUNDS):
            waiting = [life for life in lives if life.open]
            if not waiting:
                break
            self._go_on_with(stage, waiting, swept)
        for life in lives:
            if life.open:
                life.fail("destroy", "it does not come to an end")
            elif life.over and life.failure is None and not stage.certified(life):
                life.fail("certificate", "what was destroyed is not certified whole")
        done.separated += swept.separated
        done.destroyed += swept.destroyed
        done.certificates += sum(life.over and life.failure is None for life in lives)
        done.searched += self._search([life for life in lives if life.over])
        done.failures += [life.failure for life in lives if life.failure is not None]

    def _go_on_with(self, stage: _Stage, lives: Sequence[_Life], swept: Swept) -> None:
        """What is next for each of them, time moved on to it, then one sweep for all."""
        ready: list[_Life] = []
        for life in lives:
            while life.told < _BEGUN:
                stage.turn(life)
            at = stage.next_at(life)
            while at is None and stage.turn(life):
                at = stage.next_at(life)
            now = stage.now()
            if at is None or at - now > _FAR:
                life.fail("destroy", "nothing that can happen ends it" if at is None else "it is kept for centuries")
                continue
            if at > now:
                stage.move(life, at - now)
                after = stage.next_at(life)
                if after is not None and after > now:  # days begin at midnight: late in the evening it is the same day
                    stage.move(life, DAY - (at - now) % DAY)
            ready.append(life)
        keys = sorted((bucket_of(life.subject_id), str(life.subject_id)) for life in ready)
        if not keys:
            return
        try:
            stage._work_on(stage.policy, keys, stage.now(), swept)
            stage._finish(swept, stage.policy)
        except StoreFailed as failure:
            for life in ready:
                life.fail("destroy", str(failure))
            return
        for reason in swept.waiting:
            for life in ready:
                life.fail("scrub", reason)
        for life in ready:
            stage.look(life)

    def _search(self, lives: Sequence[_Life]) -> int:
        """Look through the key store's files: not one key of what was destroyed may lie in them. INVARIANT: I4."""
        files = self.places.keys.engine.files()
        size = sum(path.stat().st_size for path in files)
        wanted = [(life, trace) for life in lives for trace in life.traces]
        wanted = wanted[: max(1, _SEARCHED // max(size, 1))] if files else []
        for path in files:
            content = path.read_bytes()
            for life, trace in wanted:
                if trace in content:
                    life.fail("scrub", f"the key of a destroyed value still lies in {path.name}")
        return len(wanted)


def _groups(plan: Plan) -> Iterator[list[Chain]]:
    """Rules that wait for something of the house go one by one, since it would end others too; the rest together."""
    together: list[Chain] = []
    for chain in chains_of(plan):
        engagement = plan.engagements.get(chain.engagement or "")
        ends = (chain.purpose.until, engagement.ends if engagement else None, chain.kept.until if chain.kept else None)
        codes = {point.fact for end in ends if end for point, _ in points_in(end)}
        codes |= {chain.kept.from_fact or ""} if chain.kept else set()
        of_the_house = any(
            code in plan.facts and plan.facts[code].about & {"controller", "purpose", "party"} for code in codes
        )
        if of_the_house:
            yield [chain]
        else:
            together.append(chain)
    if together:
        yield together


def _outlasted(seen: Seen, row: RetentionPlan) -> bool:
    """Whether the row did hold, and the use itself lasted as long: then nothing had to be kept apart for it."""
    return any(
        ground.rule.path == row.rule.path and any(one.kind is GroundKind.PURPOSE and one.until.at >= ground.until.at
                                                  for one in grounds)
        for value in seen.state.values
        for grounds in (seen.view.life.grounds(value),)
        for ground in grounds
    )  # fmt: skip


def _kept_by(row: RetentionPlan, item: str, purpose: str) -> bool:
    return item in row.items if row.kind is GroundKind.STATUTE else keeps(row, item, purpose)


def _openers(plan: Plan) -> frozenset[str]:
    """Facts that something else closes: an end waits for the closing one."""
    return frozenset({*(one.closes for one in plan.facts.values() if one.closes), *CLOSES.values()})


def _instants(table: str, *columns: str) -> str:
    changes = ", ".join(f"{column} = {column} - ?" for column in columns)
    return f"UPDATE {table} SET {changes} WHERE bucket = ? AND subject_id = ?"  # noqa: S608 - words of ours


_MOVE: Final = (
    _instants("subject", "entered_at", "last_at"),
    _instants("engagement", "begun_at", "known_at"),
    _instants("fact", "at", "known_at"),
    _instants("consent", "at", "known_at"),
    _instants("value", "collected_at", "known_at"),
)


_WRAPPED: Final = {tier: f"SELECT wrapped FROM {tier.value}_key WHERE bucket = ? AND key_id = ?" for tier in Tier}  # noqa: S608 - names of ours only
_SET_USES: Final = "UPDATE value SET uses = ? WHERE bucket = ? AND value_id = ?"
_SEALED: Final = "SELECT key_id, sealed FROM value WHERE bucket = ? AND value_id = ?"
_CERTIFICATES: Final = "SELECT body FROM certificate WHERE bucket = ? AND subject_id = ?"
_MARK_ON: Final = "INSERT INTO rehearsal(code, begun_at) VALUES(?, ?)"
