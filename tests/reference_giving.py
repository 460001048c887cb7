"""What others get and give back, by the reference: processors, recipients abroad, ways out, staff, and who speaks for a
person. Written from rules 5, 7 and 8 of `docs/rules.md`, never from the engine.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from tests.reference import Contact, Where
from tests.reference_answers import GONE, Looker, Reference, first_layer
from tests.reference_history import Event, Held, Moment
from upheld.dates import FOREVER, Instant, end_of
from upheld.policy.model import Entrustment, Purpose, Safeguard

CHILDS_OWN = "representative"


@dataclass(frozen=True)
class Given:
    """Values that went to a recipient, to a processor, or out by an exception."""

    id: str
    kind: str
    to: str
    values: tuple[int, ...]
    at: Instant
    engagement: str | None = None
    asked_back: bool = False
    answered: bool = False
    told_late: int = 0


@dataclass(frozen=True)
class Deal:
    """A contract with a party."""

    id: str
    party: str
    since: Instant
    until: Instant
    terms: frozenset[str]
    sub_consent: bool

    def runs(self, at: Instant) -> bool:
        return self.since <= at < self.until


@dataclass(frozen=True)
class Role:
    """A role of somebody of the staff, and its end."""

    staff: str
    duty: str
    until: Instant
    party: str | None = None
    """The processor whose staff it is."""


@dataclass(frozen=True)
class Speaker:
    """Somebody who acts for a person."""

    id: str
    kind: str
    since: Instant
    until: Instant
    rights: tuple[str, ...]
    items: tuple[str, ...]
    over: bool = False


@dataclass
class House:
    """What the organisation as a whole has: contracts, orders to stop, staff, and what was filed for them."""

    deals: dict[str, Deal] = field(default_factory=dict)
    orders: list[tuple[str, bool, Instant]] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)
    filed: list[tuple[str, str, Instant]] = field(default_factory=list)

    def is_stopped(self, transfer: str, by: Instant = FOREVER) -> bool:
        """The last order by an instant counts; of two at one instant the one that stops."""
        orders = sorted((at, stops) for name, stops, at in self.orders if name == transfer and at <= by)
        return bool(orders) and orders[-1][1]

    def deal_with(self, party: str, at: Instant) -> Deal | None:
        running = [one for one in self.deals.values() if one.party == party and one.runs(at)]
        return max(running, key=lambda one: (one.since, -len(one.terms), not one.sub_consent), default=None)


@dataclass
class Twin(Reference):
    """A world that also knows what left the house."""

    house: House = field(default_factory=House)
    given: dict[str, Given] = field(default_factory=dict)
    speakers: dict[str, Speaker] = field(default_factory=dict)

    def tell(self, event: Event | Given | Speaker) -> None:
        if isinstance(event, Given):
            self.given[event.id] = event
        elif isinstance(event, Speaker):
            self.speakers[event.id] = event
        else:
            super().tell(event)

    def projection(self) -> dict[str, object]:
        out = {
            one.id: (one.to, sorted(one.values), one.asked_back, one.answered, one.told_late)
            for one in self.given.values()
        }
        speaks = {one.id: self.still_speaks(one) for one in self.speakers.values()}
        return {**super().projection(), "given": out, "speak for them": speaks}

    # out of the house

    def entrust(self, name: str, purpose: str, items: tuple[str, ...]) -> frozenset[str]:
        row, task = self.policy.entrustments.get(name), self.policy.purposes.get(purpose)
        if self.version() < 0 or row is None:
            return frozenset({"not-in-force" if self.version() < 0 else "recipient-undeclared"})
        found = {"declaration-incomplete"} if row.blocked or (task and task.blocked) else set()
        found |= {"purpose-undeclared"} if task is None else {"item-not-covered"} if purpose not in row.for_ else set()
        found |= {"items-exceed-provision" for item in items if item not in row.items}
        found |= (
            self.agreed_by_name(row, items) | self.contracted(row) | self.abroad(row.to or name, "entrustment", items)
        )
        against = [self.not_for_task(self.held[one], purpose) for one in self.named(items)]
        return first_layer(found if not all(against) else found.union(*(against or [self.nothing()])))

    def agreed_by_name(self, row: Entrustment, items: tuple[str, ...]) -> set[str]:
        """No law asks for it; where the policy promises to ask, nobody gets anything unasked."""
        matter = f"entrustment/{row.name}"
        consent = self.stands(matter, self.at)
        if not row.consent:
            return set()
        if consent is None:
            return {"consent-withdrawn" if self.last(matter, self.at) else "consent-missing"}
        older = self.policies[consent.version].entrustments.get(row.name)
        return {"consent-scope-older"} if set(items) - set(older.items if older else ()) else set()

    def contracted(self, row: Entrustment) -> set[str]:
        party, above = row.to or row.name, self.policy.entrustments.get(row.under or "")
        deal = self.house.deal_with(party, self.at)
        over = any(one.party == party and one.until <= self.at for one in self.house.deals.values())
        found = set() if deal else {"entrustment-ended" if over else "contract-missing"}
        if deal and (set(map(str, row.terms)) - deal.terms or (row.under and not deal.sub_consent)):
            found.add("contract-missing")
        return found | (self.contracted(above) if above else set())

    def abroad(self, party: str, standing_for: str, items: tuple[str, ...]) -> set[str]:
        rows = [row for row in self.policy.transfers.values() if row.to == party and row.as_ == standing_for]
        seat = self.policy.parties[party].seat if party in self.policy.parties else ()
        found = {"transfer-basis-missing"} if not rows and seat and seat[0] != "KR" else set()
        for row in rows:
            agreed = row.basis != "consent" or self.stands(f"transfer/{row.name}", self.at)
            found |= set() if agreed and not row.blocked else {"transfer-basis-missing"}
            found |= {"transfer-stopped"} if self.house.is_stopped(row.name, self.at) else set()
            found |= {"transfer-basis-missing"} if set(items) - set(row.items) else set()
            consent = self.stands(f"transfer/{row.name}", self.at) if row.basis == "consent" else None
            if consent is not None:  # who agreed to an older version agreed to what left the country by that
                then = self.policies[consent.version].transfers.get(row.name)
                found |= {"consent-scope-older"} if set(items) - set(then.items if then else ()) else set()
        return found

    def provide(self, recipient: str, items: tuple[str, ...], engagement: str | None) -> frozenset[str]:
        found, row = super().provide(recipient, items, engagement), self.policy.provisions.get(recipient)
        if row is None or self.version() < 0:
            return found
        return first_layer(set(found) | self.abroad(row.to or recipient, "provision", items))

    def not_for_task(self, value: Held, purpose: str) -> set[str]:
        task = self.policy.purposes.get(purpose)
        if value.state in GONE:
            return {GONE[value.state]}
        if self.policy.items[value.item].nature == "secret":
            return {"duty-missing"}
        if value.held_for and not (task and task.held_for):
            return {"held-for-another"}
        if any(g.kind == "purpose" and g.purpose == purpose and g.lives(self.at) for g in self.grounds(value)):
            return self.holds(value, purpose)
        return {"value-due" if self.due(value) == "due" else "ground-ended"}

    def disclose(self, name: str, items: tuple[str, ...], shown: frozenset[str], law: str | None) -> frozenset[str]:
        """A way out with all it needs on record; holds and separation do not stop it."""
        row = self.policy.provision_exceptions.get(name)
        if self.version() < 0 or row is None:
            return frozenset({"not-in-force" if self.version() < 0 else "recipient-undeclared"})
        missing = set(map(str, row.needs)) - shown
        found = {"declaration-incomplete"} if row.blocked else set()
        found |= {"approval-missing" if missing == {"approver"} else "demand-incomplete"} if missing else set()
        found |= {"law-missing"} if row.law and law not in {one.law for one in row.law} else set()
        found |= {"items-exceed-provision" for item in items if row.items and item not in row.items}
        kept = [self.held[one] for one in self.named(items) if self.due(self.held[one]) != "due"]
        none = {"duty-missing"} if kept else self.nothing()  # what is there are credentials
        return first_layer(found if self.disclosable(items) else found | none)

    def disclosable(self, items: tuple[str, ...]) -> set[int]:
        kept = {one for one in self.named(items) if self.due(self.held[one]) != "due"}
        return {one for one in kept if not self.hidden(self.held[one])}

    def against(self, one: Given) -> set[object]:
        """What speaks against something given away, at its instant, by what is known by now (rule 3.10)."""
        then = replace(self, at=one.at)
        values = [self.held[value] for value in one.values]
        items = tuple(dict.fromkeys(value.item for value in values))
        provided, entrusted = then.policy.provisions.get(one.to), then.policy.entrustments.get(one.to)
        if one.kind == "exception":
            return {value.id for value in values if then.due(value) == "due"}
        found: set[object] = set()
        if one.kind == "provision" and provided:
            found |= then.recipient_may(provided, items, one.engagement)
            found |= then.abroad(provided.to or one.to, "provision", items)
        if one.kind == "entrustment" and entrusted:
            found |= then.agreed_by_name(entrusted, items) | then.contracted(entrusted)
            found |= then.abroad(entrusted.to or one.to, "entrustment", items)
        only = entrusted.for_ if one.kind == "entrustment" and entrusted else None
        return found | {value.id for value in values if then.out_of_use(value, only)}

    def against_since(self, at: Instant) -> dict[str, set[object]]:
        """The same for everything given away after an instant, by its id."""
        return {one.id: self.against(one) for one in self.given.values() if at < one.at}

    def told_of_late(self, at: Instant, before: dict[str, set[object]]) -> list[Given]:
        """Whoever got it is told: it has more against it now than it had before a fact came in."""
        late = [self.given[one] for one, now in self.against_since(at).items() if now - before[one]]
        return [replace(one, told_late=one.told_late + 1) for one in late]

    # and back

    def sweep(self, at: Instant) -> None:
        super().sweep(at)
        for one in list(self.given.values()):
            if not one.asked_back and self.theirs_until(one) <= at:
                self.given[one.id] = replace(one, asked_back=True)

    def theirs_until(self, one: Given) -> int:
        """Until when the other side may keep what it got."""
        where = Where(one.at, one.at, one.engagement, None, f"{one.kind}/{one.to}")
        row, task = self.policy.provisions.get(one.to), self.policy.entrustments.get(one.to)
        if one.kind == "provision" and row:
            theirs = row.at_end and row.until is not None
            until = min(self.end(row.until, where)[0], self.agreed_until(one)) if theirs and row.until else FOREVER
            return min(until, self.abroad_until(one, row.to or one.to, None))
        if one.kind != "entrustment" or task is None:
            return FOREVER
        ends = [
            ground.until[0]
            for value in one.values
            for ground in self.grounds(replace(self.held[value], replaced=None))
            if ground.kind == "purpose" and ground.purpose in task.for_
        ]
        until = max(ends, default=FOREVER)
        until = min(until, self.agreed_until(one)) if task.consent else until
        return min(until, self.abroad_until(one, task.to or one.to, task.for_))

    def agreed_until(self, one: Given) -> int:
        return self.consent_end(f"{one.kind}/{one.to}", one.at)[0]

    def abroad_until(self, one: Given, party: str, task: Collection[str] | None) -> int:
        """A copy abroad has an end of its own; what counts from consent counts from the first of the two consents."""
        ends: list[int] = []
        for abroad in self.policy.transfers.values():
            if abroad.to == party and abroad.as_ == one.kind:
                matter = f"transfer/{abroad.name}"
                ends += [self.consent_end(matter, one.at)[0]] if abroad.basis == "consent" else []
                where = Where(one.at, one.at, one.engagement, None, matter)
                bound = [where, *(where._replace(bound={"consented": each}) for each in self.collected_on(one, task))]
                ends += [self.end(abroad.until, each)[0] for each in bound if abroad.until]
        return min(ends, default=FOREVER)

    def collected_on(self, one: Given, task: Collection[str] | None) -> Iterator[Moment]:
        """For each value the newest consent on which it was held for the task when it went."""
        for value in one.values:
            given: list[Moment] = []
            for use in self.held[value].uses:
                if use.at <= one.at and (task is None or use.purpose in task):
                    yes = [each for each in self.about(f"purpose/{use.purpose}") if each.given and each.at <= one.at]
                    given += [(use.at, use.known)] if use.exception else [(each.at, each.known) for each in yes]
            yield from [max(given)] if given else []

    def everything_returned(self, deal: Deal) -> None:
        """The party has shown that nothing of what it got under this contract is left with it."""
        for one in list(self.given.values()):
            row = self.policies[-1].entrustments.get(one.to) or self.policies[0].entrustments.get(one.to)
            ours = one.kind == "entrustment" and row and (row.to or one.to) == deal.party
            if ours and deal.since <= one.at < deal.until and not one.answered:
                self.given[one.id] = replace(one, asked_back=True, answered=True)

    # staff

    def roles_of(self, staff: str) -> list[Role]:
        return [one for one in self.house.roles if one.staff == staff and one.until > self.at]

    def cleared(self, staff: str) -> bool:
        """Pledge, training, account: everything that stops access while it is missing has been shown lately."""
        return all(self.shown_lately(row, staff) for row in self.policy.safeguards.values() if blocks_access(row))

    def shown_lately(self, row: Safeguard, staff: str) -> bool:
        mine = [at for name, who, at in self.house.filed if name == row.name and (row.per is None or who == staff)]
        periods = [one for one in row.due if not isinstance(one, str)]
        ends = [end_of(max(mine), period, self.zone()) for period in periods] if mine else [Instant(0)]
        return min(ends, default=FOREVER) > self.at

    def as_reader(self, staff: str) -> Looker:
        """What somebody of the staff is let look at by the roles they have now."""
        roles = self.roles_of(staff)
        party = next((one.party for one in roles if one.party), None)
        return Looker("staff", frozenset(one for role in roles for one in self.tasks(role)), staff, None, party)

    def read_by(self, staff: str, purpose: str, items: tuple[str, ...], use: str | None) -> frozenset[str]:
        """A look of staff: all that holds for a program, and the role, and the clearance."""
        found = set(self.read_items(purpose, items, self.as_reader(staff), use))
        if self.version() >= 0 and (not self.roles_of(staff) or not self.cleared(staff)):
            found.add("clearance-lapsed")
        return first_layer(found)

    def may_look(self, row: Purpose | Contact, who: Looker) -> set[str]:
        found, task = super().may_look(row, who), self.policy.entrustments.get(who.party or "")
        if who.party is None or who.kind not in ("program", "staff"):
            return found
        if task is None or task.blocked or row.name not in task.for_:
            return found | {"duty-missing"}
        return found | self.agreed_by_name(task, ()) | self.contracted(task)

    def beyond(self, row: Purpose | Contact, value: Held, who: Looker) -> set[str]:
        """What could not be handed to the processor."""
        task = self.policy.entrustments.get(who.party or "")
        if task is None or row.name not in task.for_:
            return set()
        if value.item not in task.items:
            return {"items-exceed-provision"}
        items = (value.item,)
        return self.agreed_by_name(task, items) | self.abroad(task.to or task.name, "entrustment", items)

    def tasks(self, role: Role) -> tuple[str, ...]:
        """What the role is for, where the policy still has it."""
        row = self.policy.handlers.get(role.duty)
        return row.for_ if row else ()

    # who speaks for a person

    def still_speaks(self, one: Speaker) -> bool:
        return not one.over and one.since <= self.at < one.until

    def nothing_of(self, items: tuple[str, ...]) -> frozenset[str]:
        """A mandate for items of which nothing is there is no mandate for all the rest."""
        return frozenset() if any(value.item in items for value in self.held.values()) else frozenset({"unknown"})

    def may_speak(self, one: Speaker, right: str, items: Iterable[str]) -> bool:
        """Within the mandate's rights, items and days; who spoke for a child falls silent on its birthday."""
        grown = self.minor_until
        childs = one.kind == CHILDS_OWN and grown is not None and one.since < grown
        if not self.still_speaks(one) or (childs and grown is not None and grown <= self.at):
            return False
        gives = self.policy.children.get("rights") if childs else None
        if gives and gives.gives and right not in ("consent", *map(str, gives.gives)):
            return False
        return (not one.rights or right in one.rights) and not (one.items and set(items) - set(one.items))

    def said_by(self, one: Speaker, right: str, items: Iterable[str]) -> frozenset[str]:
        """Whether somebody may say yes (`consent`) or no (`withdrawal`) for the person; yes for a child: its parent."""
        if not self.may_speak(one, right, items):
            return frozenset({"mandate-exceeded"})
        child = self.minor_until is not None and self.at < self.minor_until
        alone = right == "consent" and child and one.kind != CHILDS_OWN
        return frozenset({"child-without-representative"} if alone else ())


def blocks_access(row: Safeguard) -> bool:
    return row.blocks == "access" and bool(row.evidence) and row.per in (None, "handler", "employee")
