"""A house that lives by a policy, breaks what it promised, and mends it: what the tests of the clause report look at.

Everything is read off the document; no policy is known by name. The story has four reports: nothing has happened yet,
all is kept, all is broken on purpose, all is mended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from zoneinfo import ZoneInfo

import upheld
from upheld.dates import Instant, Period, moment, start_of
from upheld.engine.acts import EngagementId, HandlerId, Reader, ReaderKind, RequestId, SubjectId, ValueId
from upheld.engine.plan import ControlPlan, Plan, PolicyLine
from upheld.engine.proving import will_do
from upheld.engine.state import HeldState
from upheld.keeper import Keeper, Outcome
from upheld.keeper.asking import RIGHTS
from upheld.keeper.showing import ATTESTED, section_of
from upheld.keeper.unasked import PAPERS, Difficulty, WithoutConsent
from upheld.ledger.report import Report
from upheld.policy.model import Policy
from upheld.policy.read import read_policy
from upheld.policy.vocabulary import Nature
from upheld.simulate.script import Role, Stay, Taking, script_of
from upheld.store.vault import Tier

POLICIES = Path(__file__).resolve().parent.parent / "policies"
REGISTERS = ("host", "system", "zone", "room", "cabinet")
SECOND = 1_000_000


@dataclass
class Life:
    """One person with one purpose taken up."""

    subject: SubjectId
    role: Role
    taking: Taking
    stay: Stay | None
    engagement: EngagementId | None
    values: dict[str, ValueId] = field(default_factory=dict)


class Audited:
    """A home with one policy published, a clock to set, and verbs that do what the document lets happen."""

    def __init__(self, name: str, home: Path | None = None) -> None:
        source = (POLICIES / f"{name}.yaml").read_bytes()
        self.document: Policy = read_policy(source, name)
        day = self.document.effective.date
        announced = self.document.announced.date
        assert day is not None
        assert announced is not None
        self.zone = ZoneInfo(self.document.time_zone)
        self.clock = upheld.SetClock(start_of(min(day, announced), self.zone))
        looked_up = {self.document.policy: [n for n in self.document.items if "mail" in n]}
        options = upheld.Options(clock=self.clock, light_hashing=True, look_up=looked_up, seed=7, durable=False)
        self.home = home or Path(mkdtemp()) / "home"
        self.keeper: Keeper = upheld.open(self.home, options)
        self.policy = self.document.policy
        self.keeper.publish(source)
        self.line: PolicyLine = self.keeper.views.line(self.policy)
        self.plan: Plan = self.line.latest
        self.script = script_of(self.plan)
        self.clock.set(Instant(start_of(day, self.zone) + 9 * 3600 * SECOND))
        self.staff: dict[str, HandlerId] = {}
        self.count = 0

    def wait(self, days: float) -> None:
        """Let time go by."""
        self.clock.set(moment(self.clock.now()) + timedelta(days=days))

    def audit(self, **more: object) -> Report:
        """The report as of now."""
        return self.keeper.audit(self.policy, **more)  # type: ignore[arg-type]  # passed on as given

    # ── people ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def takings(self) -> Iterator[tuple[Role, Stay | None, Taking]]:
        """Every purpose as every kind of person can meet it."""
        for role in self.script.roles:
            for stay in role.stays:
                for taking in stay.takings:
                    yield role, stay, taking
            for taking in role.anywhere:
                yield role, None, taking

    def take_up(self, role: Role, stay: Stay | None, taking: Taking) -> Life:
        """A person comes, takes the service up, agrees, and gives everything that the purpose lists."""
        subject = self.keeper.enter(self.policy, role.kind)
        life = Life(subject, role, taking, stay, self._begun(subject, stay))
        self.agree_all(life)
        self.collect(life, *taking.items)
        return life

    def _begun(self, subject: SubjectId, stay: Stay | None) -> EngagementId | None:
        if stay is None:
            return None
        return EngagementId(self.keeper.begin(subject, stay.kind, organisation="company-1").made or "")

    def agree_all(self, life: Life) -> None:
        """Every consent that a purpose asks, by every channel in turn."""
        if life.taking.asks_consent:
            self.agree(life.subject, f"purpose/{life.taking.purpose}")
        if life.taking.asks_permission:
            self.agree(life.subject, f"permission/{life.taking.purpose}")
        for item in sorted(life.taking.apart):
            self.agree(life.subject, f"item/{item}")

    def agree(self, subject: SubjectId, matter: str, by: str = "subject") -> Outcome:
        """One consent; the channels on which it counts take turns."""
        recipient = self.plan.provisions.get(matter.removeprefix("provision/"))
        counting = tuple(sorted(recipient.by)) if recipient else ()
        channels = counting or tuple(self.plan.consent_channels or self.plan.channels)
        self.count += 1
        channel = channels[self.count % len(channels)]
        return self.keeper.consent(subject, matter, channel=channel, by=by, verified="phone-identity")

    def collect(self, life: Life, *items: str) -> Outcome:
        """Some items at once; the ways in take turns."""
        self.count += 1
        channel = life.taking.channels[self.count % len(life.taking.channels)]
        texts = {item: f"made-up {item} {self.count}@example.org" for item in items}
        made = self.keeper.collect(
            life.subject, life.taking.purpose, texts, engagement=life.engagement, channel=channel,
            proofs=life.taking.proofs,
        )  # fmt: skip
        life.values.update({item: values[0] for item, values in made.values.items()})
        return made

    def read(self, life: Life) -> None:
        """The job of the purpose reads, and so does whoever has the duty."""
        job = self.keeper.application("job", frozenset({life.taking.purpose}))
        self.keeper.read(
            life.subject, life.taking.purpose, reader=job, items=life.taking.items, engagement=life.engagement,
            use=life.taking.uses[0],
        )  # fmt: skip
        for duty, handler in self.staff.items():
            if life.taking.purpose in self.plan.handlers[duty].purposes:
                reader = self.keeper.reader(self.policy, handler)
                self.look(life, reader)

    def look(self, life: Life, reader: Reader) -> None:
        """Everything of a purpose, for the first of its uses."""
        self.keeper.read(
            life.subject, life.taking.purpose, reader=reader, items=life.taking.items, use=life.taking.uses[0]
        )

    def leave(self, life: Life) -> None:
        """The engagement ends by each fact that can end it; fees are charged and paid on the way."""
        for fact in life.role.happens:
            self.keeper.fact(life.subject, fact)
        if life.stay is None:
            return
        for fact in life.stay.happens:
            self.keeper.fact(life.subject, fact, engagement=life.engagement)
        for opened, closed in life.stay.owed:
            self.keeper.fact(life.subject, opened, engagement=life.engagement)
            self.keeper.fact(life.subject, closed, engagement=life.engagement)
        for fact in life.stay.ends_by[:1]:
            self.keeper.fact(life.subject, fact, engagement=life.engagement)

    # ── the house ───────────────────────────────────────────────────────────────────────────────────────────────────

    def hire(self) -> None:
        """Staff with every duty; hosts, systems, rooms in their registers."""
        for kind in REGISTERS:
            self.keeper.register(self.policy, kind, f"{kind}-1")
        for duty, row in self.plan.handlers.items():
            handler, outcome = self.keeper.grant(self.policy, duty, shown=row.granted_with)
            assert outcome.granted
            self.staff[duty] = handler
            self.keeper.register(self.policy, "employee", handler)

    def owed(self, control: ControlPlan) -> list[str]:
        """For what a safeguard owes evidence."""
        match control.per:
            case None:
                return [""]
            case "handler" | "employee":
                return sorted(set(self.staff.values()))
            case "processor":
                return sorted({row.party for row in self.plan.entrustments.values() if not row.blocked})
            case kind:
                return [f"{kind}-1"]

    def file_all(self) -> None:
        """All evidence, for everything, right now."""
        for control in self.plan.controls.values():
            for kind in sorted(control.evidence):
                for about in self.owed(control):
                    self.keeper.file_evidence(self.policy, control.name, kind, about=about)

    def attest_all(self) -> None:
        """Everything that people can put on record."""
        for row in self.document.rows():
            if section_of(row.path) in ATTESTED and not row.builtin and not row.blocked:
                self.keeper.attest(self.policy, row.path)

    def mend_all(self) -> None:
        """Somebody deals with the consequences of every act that should not have been."""
        for row in self.document.rows():
            if not row.builtin and section_of(row.path) != "statements":
                self.keeper.attest(self.policy, row.path, mended=True)

    def contract_all(self) -> dict[str, str]:
        """A contract with every processor, with every term. Party → id."""
        return {
            row.party: self.keeper.contract(
                self.policy, row.party, terms=row.terms | self._terms_of_parent(row.under), sub_consent=True
            )
            for row in self.plan.entrustments.values()
            if not row.blocked
        }

    def _terms_of_parent(self, under: str | None) -> frozenset[str]:
        return self.plan.entrustments[under].terms if under else frozenset()

    # ── giving away ─────────────────────────────────────────────────────────────────────────────────────────────────

    def provide_all(self) -> list[Life]:
        """Something to each recipient, each with its own consent."""
        rows = [row for row in self.plan.provisions.values() if not row.blocked]
        return [life for row in rows for life in self._provided(row.recipient)]

    def _provided(self, recipient: str) -> Iterator[Life]:
        row = self.plan.provisions[recipient]
        for role, stay, taking in self.takings():
            mine = set(taking.items) & row.items
            if mine and (not row.whose or role.kind in row.whose) and not taking.for_organisation:
                life = self.take_up(role, stay, taking)
                for kind in sorted(row.per):
                    if stay is None or kind != stay.kind:
                        self.keeper.begin(life.subject, kind)
                self.agree(life.subject, f"provision/{recipient}")
                self._cross(life, row.party)
                if self.keeper.provide(life.subject, recipient, tuple(sorted(mine))).granted:
                    yield life
                    return

    def _cross(self, life: Life, party: str) -> None:
        for name, row in self.plan.transfers.items():
            if row.party == party:
                self.agree(life.subject, f"transfer/{name}")

    def entrust_all(self) -> list[Life]:
        """Something to each processor, for each of its purposes."""
        found: list[Life] = []
        for name, row in self.plan.entrustments.items():
            for role, stay, taking in self.takings() if not row.blocked else ():
                if taking.purpose in row.purposes and set(taking.items) & row.items:
                    life = self.take_up(role, stay, taking)
                    self._cross(life, row.party)
                    self.agree_own(life, name)
                    items = tuple(sorted(set(life.values) & row.items))
                    if (
                        items
                        and self.keeper.entrust(
                            life.subject, name, taking.purpose, items, engagement=life.engagement
                        ).granted
                    ):
                        found.append(life)
                        break
        return found

    def agree_own(self, life: Life, processor: str) -> None:
        """The processor's own consent, where the policy asks one."""
        if self.plan.entrustments[processor].own_consent:
            self.agree(life.subject, f"entrustment/{processor}")

    def acknowledge_all(self) -> None:
        """Every recipient answers what it was told."""
        with self.keeper.places.active.reading() as connection:
            told = connection.execute(_TOLD).fetchall()
        for subject, disclosure in told:
            self.keeper.acknowledge(SubjectId(subject), disclosure)

    def end_contracts(self, contracts: dict[str, str]) -> None:
        """Every contract ends, and everything is returned the same day."""
        for contract in contracts.values():
            self.keeper.end_contract(self.policy, contract)
            self.keeper.returned(self.policy, contract)

    def correct_given(self, life: Life) -> None:
        """Somebody whose data was given away has it corrected; the recipients are told."""
        row = self.plan.rights.get("rectification")
        channel = sorted((row.by if row else None) or self.plan.channels)[0]
        made = self.keeper.request(life.subject, "rectification", channel=channel, proved=True)
        state = self.keeper.views.get(life.subject, self.keeper.now()).state
        for one in state.disclosures:
            for value in one.values[:1]:
                self.keeper.correct(life.subject, value, "made-up new@example.org", request=RequestId(made.made or ""))
        self.keeper.answer(life.subject, RequestId(made.made or ""), "done")

    def on_paper(self, life: Life) -> None:
        """The values also lie in a paper file."""
        for value in life.values.values():
            self.keeper.also_in(life.subject, value, "paper-file")

    def shred(self) -> None:
        """Paper that is due goes into the shredder, before a witness."""
        for order in self.keeper.work_orders(self.policy):
            self.keeper.work_done(order.order_id, method="shred", by="handler", witness="officer")

    def disclose_all(self, life: Life) -> None:
        """Each exception with all that it needs, and once without."""
        for name, row in self.plan.exceptions.items():
            items = tuple(sorted(set(life.values) & (row.items or set(life.values))))[:1]
            law = sorted(row.laws)[0] if row.laws else None
            if items:
                self.keeper.disclose(life.subject, name, items, shown=frozenset(), law=law)
                self.keeper.disclose(life.subject, name, items, shown=row.needs, law=law)

    def take_unasked(self) -> None:
        """Each exception to consent with all that it needs, and once without."""
        approver = next(iter(self.staff.values()))
        for name, row in self.plan.unasked.items():
            for role, stay, taking in self.takings():
                if row.blocked or not row.serves(self.plan.purposes[taking.purpose]):
                    continue
                subject = self.keeper.enter(self.policy, role.kind)
                life = Life(subject, role, taking, stay, self._begun(subject, stay))
                whole = WithoutConsent(
                    name,
                    sorted(row.laws)[0] if row.laws else None,
                    "1" if "article" in row.needs else None,
                    Difficulty.TECHNICAL if "difficulty" in row.needs else None,
                    approver,
                    dict.fromkeys(row.needs & PAPERS, b"made-up paper"),
                )
                for unasked in (WithoutConsent(name), whole):
                    self.keeper.collect(
                        subject, taking.purpose, {taking.items[0]: "made-up"}, engagement=life.engagement,
                        channel=taking.channels[0], proofs=taking.proofs, unasked=unasked,
                    )  # fmt: skip
                break

    def advertise(self, life: Life) -> None:
        """One message on each medium, with every consent that it asks."""
        if life.taking.purpose not in self.plan.advertising_purposes:
            return
        for medium in self.plan.advertising:
            self.agree(life.subject, f"medium/{medium}")
            self.keeper.send(life.subject, life.taking.purpose, medium)

    # ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def ask_all(self) -> list[tuple[SubjectId, RequestId]]:
        """Every right by every way, each of its own person. Proved, not answered."""
        asked: list[tuple[SubjectId, RequestId]] = []
        takings = list(self.takings())
        for right in RIGHTS:
            row = self.plan.rights.get(right)
            for channel in sorted((row.by if row else None) or self.plan.channels):
                life = self.take_up(*takings[self.count % len(takings)])
                made = self.keeper.request(life.subject, right, channel=channel, proved=False)
                asked.append((life.subject, RequestId(made.made or "")))
        return asked

    def ask_for_others(self) -> None:
        """Agents and representatives ask, each on the papers that the policy wants, every kind of them once."""
        takings = list(self.takings())
        channel = sorted(self.plan.channels)[0]
        for kind, row in self.plan.acting.items():
            for number in range(2):
                life = self.take_up(*takings[self.count % len(takings)])
                parts = tuple(self._part(paper, number) for paper in row.shows) or ("mandate",)
                made = self.keeper.acts_for(life.subject, kind, shown=parts)
                ways = sorted(self.plan.rights["erasure"].by) or [channel]
                asked = self.keeper.request(life.subject, "erasure", channel=ways[0], proved=True, by=made.made)
                self.keeper.answer(life.subject, RequestId(asked.made or ""), "done")

    def _part(self, paper: str, number: int) -> str:
        """One of the papers that will do, another one each time."""
        any_of = self.document.proofs[paper].any_of if paper in self.document.proofs else ()
        return any_of[number % len(any_of)] if any_of else paper

    def work_off(self) -> None:
        """Somebody works off what is left open."""
        for up in self.keeper.reviews(self.policy):
            self.keeper.review(up.subject_id, up.about, "kept", engagement=up.engagement, reason="still-used")

    def prove_all(self, asked: list[tuple[SubjectId, RequestId]]) -> None:
        """Identity is proved by every paper that will do in turn."""
        for number, (subject, request) in enumerate(asked):
            one = next(one for one in self.keeper.requests(subject) if one.request_id == request)
            papers = will_do(self.plan, one.right, one.channel) or ("login",)
            row = self.document.rights.get(one.right)
            form = (row.form,) if row is not None and row.form else ()
            shown = (self._part(papers[number % len(papers)], number), *form)
            assert self.keeper.prove(subject, request, proof=shown).granted

    def answer_all(self, asked: list[tuple[SubjectId, RequestId]]) -> None:
        """Shown, corrected, refused with a reason, or simply done."""
        privacy = Reader(ReaderKind.SUBJECT, "self")
        seen: set[tuple[str, str]] = set()
        for subject, request in asked:
            right = next(one.right for one in self.keeper.requests(subject) if one.request_id == request)
            if right in ("access", "portability"):
                self.keeper.show(subject, reader=privacy, right=right, identity_proved=True, request=request)
            if right == "rectification":
                for value, _, _ in self.keeper.holdings(subject)[:1]:
                    self.keeper.correct(subject, value.value_id, "made-up corrected@example.org", request=request)
            outcome, reason = ("done", None) if (right, "done") in seen else ("refused", "not-theirs")
            outcome, reason = (outcome, reason) if right in ("rectification", "objection") else ("done", None)
            seen.add((right, "done"))
            self.keeper.answer(subject, request, outcome, reason=reason)

    def withdraw(self, life: Life) -> None:
        """The consent to the purpose is taken back; reads and messages after it are refused."""
        channels = tuple(self.plan.consent_channels or self.plan.channels)
        if life.taking.asks_consent:
            self.keeper.withdraw(life.subject, f"purpose/{life.taking.purpose}", channel=channels[0])
            self.collect(life, life.taking.items[0])
            self.read(life)

    def refuse_all(self) -> None:
        """What may not be is tried: it is refused, and the refusals stand in the ledger."""
        for role, stay, taking in self.takings():
            subject = self.keeper.enter(self.policy, role.kind)
            life = Life(subject, role, taking, stay, self._begun(subject, stay))
            for item in taking.items:
                self.collect(life, item)
        life = self.take_up(*next(iter(self.takings())))
        job = self.keeper.application("job")
        self.keeper.read(life.subject, "no-such-purpose", reader=job, items=life.taking.items[:1])
        self.keeper.read(
            life.subject, life.taking.purpose, reader=job, items=("no-such-item",), use=life.taking.uses[0]
        )
        self.keeper.provide(life.subject, "nobody", life.taking.items[:1])
        self.keeper.read_separated(life.subject, "retention.none", reader=job)
        for item, row in self.plan.items.items():
            if row.never_collected:
                self.keeper.collect(life.subject, life.taking.purpose, {item: "made-up"}, engagement=life.engagement)
        for recipient, one in self.plan.provisions.items():
            self.keeper.provide(life.subject, recipient, tuple(sorted(one.items))[:1])

    def children(self) -> None:
        """A child comes alone and is refused; then its representative agrees."""
        role, stay, taking = next(iter(self.takings()))
        kind = next((kind for kind in self.plan.subjects if "child" in kind), role.kind)
        subject = self.keeper.enter(self.policy, kind, minor=True)
        life = Life(subject, role, taking, stay, self._begun(subject, stay))
        self.collect(life, taking.items[0])
        texts = {item: f"made-up {item}" for item in sorted(self.plan.children.contact_items)}
        if texts:
            channel = next(iter(self.plan.channels))
            self.keeper.collect(subject, "representative-contact", texts, channel=channel)
        self.agree(subject, "representative/collection", by="representative")
        self.agree(subject, f"purpose/{taking.purpose}", by="representative")
        self.collect(life, taking.items[0])
        row = self.plan.rights.get("rectification")
        channel = sorted((row.by if row else None) or self.plan.channels)[0]
        made = self.keeper.request(subject, "rectification", channel=channel, proved=True)
        self.keeper.answer(subject, RequestId(made.made or ""), "done")
        optional = [name for name, one in self.plan.purposes.items() if not one.required]
        self.keeper.send(subject, optional[0], next(iter(self.plan.advertising), "e-mail"))


# ── The story ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Story:
    """Four reports of one house, and the instants between them."""

    house: Audited
    empty: Report
    kept: Report
    broken: Report
    recalled: Report
    mended: Report
    kept_at: Instant
    broken_at: Instant
    mended_at: Instant


@cache
def story(name: str) -> Story:
    """Live it once per policy and run."""
    house = Audited(name)
    empty = house.audit()
    contracts = _keep(house)
    kept, kept_at = house.audit(), house.clock.now()
    wrong = _break(house, contracts)
    broken, broken_at = house.audit(), house.clock.now()
    house.keeper.sweep()
    house.wait(7)
    recalled = house.audit()
    _mend(house, contracts, wrong)
    mended, mended_at = house.audit(), house.clock.now()
    return Story(house, empty, kept, broken, recalled, mended, kept_at, broken_at, mended_at)


def _keep(house: Audited) -> dict[str, str]:
    """More than a year in which everything is done as promised."""
    house.hire()
    house.file_all()
    contracts = house.contract_all()
    house.attest_all()
    house.refuse_all()
    house.children()
    lives = [house.take_up(*one) for one in house.takings()]
    for life in lives:
        house.read(life)
        house.advertise(life)
    house.disclose_all(lives[0])
    house.take_unasked()
    given = house.provide_all() + house.entrust_all()
    for life in given:
        house.correct_given(life)
    asked = house.ask_all()
    house.prove_all(asked)
    house.answer_all(asked)
    house.ask_for_others()
    house.wait(1)
    house.end_contracts(contracts)
    contracts = house.contract_all()
    for life in lives:
        house.withdraw(life)
        house.on_paper(life)
        house.keeper.fact(life.subject, "dispute-opened", about="dispute-1", values=tuple(life.values.values())[:1])
    for life in [*lives, *given]:
        house.leave(life)
    for recipient, row in house.plan.provisions.items():
        for life in given:
            house.keeper.provide(life.subject, recipient, tuple(sorted(row.items))[:1])
    for number in range(100):
        house.wait(4)
        house.keeper.sweep()
        house.work_off()
        house.acknowledge_all()
        house.shred()
        if number % 25 == 0:
            house.attest_all()
        if number == 1:
            _look_apart(house, lives)
        if number == 3:
            for life in lives:
                house.keeper.fact(life.subject, "dispute-settled", about="dispute-1")
    for role, stay, taking in house.takings():
        house.take_up(role, stay, taking)
    house.file_all()
    house.attest_all()
    return contracts


def _look_apart(house: Audited, lives: list[Life]) -> None:
    """Somebody with the duty looks at what is kept apart, for each ground that keeps it."""
    privacy = next(name for name, row in house.plan.handlers.items() if "separated" in row.duties)
    for life in lives:
        for value, _, grounds in house.keeper.holdings(life.subject):
            if value.held is HeldState.SEPARATED:
                reader = house.keeper.reader(house.policy, house.staff[privacy])
                house.keeper.read_separated(life.subject, grounds[0], reader=reader, values=(value.value_id,))


@dataclass
class Broken:
    """What was broken on purpose, to be mended."""

    asked: list[tuple[SubjectId, RequestId]]
    given: list[Life]
    tampered: list[tuple[int, int, bytes]]


def _break(house: Audited, contracts: dict[str, str]) -> Broken:
    """More than a year in which nobody does anything: no sweep, no answer, no evidence; and worse."""
    house.wait(1)
    lives = [house.take_up(*one) for one in house.takings()]
    given = house.provide_all() + house.entrust_all()
    asked = house.ask_all()
    house.prove_all(asked)
    tampered = _tamper(house)
    _peep(house, lives)
    for fact in ("officer-vacant", "advisory-published", "plan-changed"):
        house.keeper.controller_fact(house.policy, fact)
    house.wait(1)
    for party, contract in contracts.items():
        assert party
        house.keeper.end_contract(house.policy, contract)
    for life in [*lives, *given]:
        house.leave(life)
    house.wait(400)
    house.keeper.prune(house.policy, kept_for=Period(days=30))
    return Broken(asked, given, tampered)


def _tamper(house: Audited) -> list[tuple[int, int, bytes]]:
    """A password is sealed as it is typed, and a name is written over its ciphertext."""
    places = house.keeper.places
    with places.active.transaction() as transaction:
        rows = transaction.execute(_HELD).fetchall()
        passwords = {name for name, one in house.plan.items.items() if one.nature is Nature.PASSWORD}
        plain = next(row for row in rows if row[2] not in passwords)
        changed = [(plain, b"written over by hand")]
        for row in rows:
            if row[2] in passwords:
                value, subject, item = ValueId(row[0]), SubjectId(row[1]), row[2]
                sealed = places.vault.seal(Tier.ACTIVE, house.policy, subject, value, item, b"as typed")
                transaction.execute("UPDATE value SET key_id = ? WHERE value_id = ?", (sealed.key_id, value))
                changed.append((row, sealed.blob))
                break
        for row, blob in changed:
            transaction.execute("UPDATE value SET sealed = ? WHERE value_id = ?", (blob, row[0]))
    return [(row[0], row[3], row[4]) for row, _ in changed]


def _peep(house: Audited, lives: list[Life]) -> None:
    """Somebody without any grant reads, and somebody who never signed in."""
    for life in lives:
        for reader_id in ("a" * 20, "nobody"):
            reader = Reader(ReaderKind.HANDLER, reader_id, frozenset({life.taking.purpose}))
            house.look(life, reader)


def _mend(house: Audited, contracts: dict[str, str], broken: Broken) -> None:
    """Everything is done that was left undone, and what cannot be undone is put on record as dealt with."""
    with house.keeper.places.active.transaction() as transaction:
        for value, key_id, blob in broken.tampered:
            transaction.execute(_RESTORE, (blob, key_id, value))
    house.work_off()
    house.acknowledge_all()
    for life in broken.given:
        for one in house.keeper.views.get(life.subject, house.keeper.now()).state.disclosures:
            house.keeper.acknowledge(life.subject, one.disclosure_id)
    for contract in contracts.values():
        house.keeper.returned(house.policy, contract)
    house.answer_all(broken.asked)
    house.contract_all()
    for _ in range(100):
        house.wait(4)
        house.keeper.sweep()
        house.work_off()
        house.acknowledge_all()
        house.shred()
    house.attest_all()
    for role, stay, taking in house.takings():
        house.read(house.take_up(role, stay, taking))
    house.file_all()
    house.attest_all()
    house.mend_all()


_TOLD = "SELECT subject_id, disclosure_id FROM told WHERE acknowledged_at IS NULL"
_RESTORE = "UPDATE value SET sealed = ?, key_id = ? WHERE value_id = ? AND state = 'held'"
_HELD = "SELECT value_id, subject_id, item, key_id, sealed FROM value WHERE state = 'held' ORDER BY collected_at"
