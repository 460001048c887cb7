"""What may be done in a state of the reference: each act with the reasons of its first layer, none if granted.

Written from the rules (section 5) and the records 0010 to 0013, never from the engine.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tests.reference import Contact, Where, World, by_consent, contact_of, purpose_of
from tests.reference_history import Agreed, Fact, Held, Request, Unasked, Used
from upheld.dates import BEGINNING, FOREVER, Instant, Period, end_of, local_date
from upheld.policy.model import CollectionException, Provision, Purpose

LAYERS = [
    set(names.split())
    for names in (
        "not-in-force recovering",
        "purpose-unnamed declaration-incomplete purpose-undeclared item-undeclared item-not-covered method-undeclared "
        "recipient-undeclared items-exceed-provision",
        "unknown destroyed child-without-representative kind-not-covered not-same-group",
        "consent-missing consent-withdrawn consent-scope-older separate-consent-missing permission-missing law-missing "
        "transfer-basis-missing receiving-consent-missing night reconfirmation-overdue",
        "ground-ended value-separated value-due value-moving value-destroyed held-for-another",
        "frozen suspended",
        "provision-ended entrustment-ended contract-missing transfer-stopped",
        "duty-missing clearance-lapsed mandate-exceeded identity-not-proved demand-incomplete approval-missing",
    )
]
DOWN = ("refused", "not-identified", "nothing-held")
GONE = {"separated": "value-separated", "destroyed": "value-destroyed"}


@dataclass(frozen=True)
class Looker:
    """Who looks: a program, somebody of the staff, a fellow member, or the person."""

    kind: str = "program"
    only: frozenset[str] | None = None
    """The purposes that it is for; None: any."""
    name: str = ""
    organisation: str | None = None
    party: str | None = None
    """The processor it works for."""

    def is_the_job(self, purpose: str) -> bool:
        return self.kind == "program" and self.only == frozenset({purpose})


ANY_PROGRAM = Looker()


@dataclass
class Reference(World):
    """A world that answers, and knows when nothing of the person is left to be known by."""

    changed_at: Instant = BEGINNING

    def forgettable(self) -> bool:
        """Three years after the last change nothing proves anything any more."""
        gone = all(value.state == "destroyed" for value in self.held.values())
        over = all(self.ended(one)[0] <= self.at for one in self.begun.values())
        settled = all(one.settled is not None for one in self.requests.values())
        return gone and over and settled and end_of(self.changed_at, Period(years=3), self.zone()) <= self.at

    def due_day(self, value: Held) -> str:
        """The local day on which nothing keeps the value any more, by the facts known."""
        last = max([value.at, *(ground.until[0] for ground in self.grounds(value))])
        return "-" if last >= FOREVER else local_date(Instant(last), self.zone()).isoformat()

    def kept_by(self, value: Held) -> list[str]:
        return sorted({ground.path for ground in self.grounds(value) if ground.lives(self.at)})

    def holds(self, value: Held | None, purpose: str | None) -> set[str]:
        found = set()
        for one in self.requests.values():
            row = self.policy.rights.get(one.right)
            freeze = row.freeze if row and one.right != "suspension" else None
            touched = value is None or one.touches(value) or (freeze is not None and freeze.covers == "person")
            if one.proved is None or one.state == "taken-back" or not touched:
                continue
            named = (not one.purposes or purpose in one.purposes) and (value is not None or not one.values)
            if one.right == "suspension" and named and one.lifted is None and one.state not in DOWN:
                found.add("suspended")
            if value and freeze and one.freezes and one.settled is None:
                found.add("frozen")
        return found

    def readable(self, value: Held) -> list[str]:
        named = {use.purpose: self.some_use(use.purpose) for use in value.uses}
        return sorted(purpose for purpose, use in named.items() if not self.read(purpose, (value.id,), use=use))

    def projection(self) -> dict[str, object]:
        values = {
            value.id: (value.item, value.state, value.state if value.state == "destroyed" else self.due_day(value),
                       self.readable(value))
            for value in self.held.values()
        }  # fmt: skip
        return {
            "values": values,
            "consents": {one.matter: bool(self.stands(one.matter, self.at)) for one in self.agreed},
            "requests": {one.id: (one.right, one.state) for one in self.requests.values()},
            "kept by": {value.id: self.kept_by(value) for value in self.held.values() if value.state != "destroyed"},
            "held": {value.id: sorted(self.holds(value, None)) for value in self.held.values()},
        }

    # acts: the reasons of the first layer that has any

    def read_items(
        self, purpose: str, items: tuple[str, ...], who: Looker = ANY_PROGRAM, use: str | None = None
    ) -> frozenset[str]:
        if self.version() < 0:
            return frozenset({"not-in-force"})
        row = purpose_of(self.policy, purpose)
        found = {"item-undeclared" for item in items if item not in self.policy.items}
        found |= {"item-not-covered" for item in items if row and item in self.policy.items and item not in row.items}
        return first_layer(found | self.read(purpose, self.named(items), who, use))

    def named(self, items: tuple[str, ...]) -> tuple[int, ...]:
        return tuple(value.id for value in self.held.values() if value.item in items and value.state != "destroyed")

    def some_use(self, purpose: str) -> str | None:
        """A use that can be run, where the purpose has any."""
        row = self.policy.purposes.get(purpose)
        return next((name for name, use in row.uses.items() if not use.blocked), None) if row else None

    def misnamed(self, row: Purpose | Contact, use: str | None) -> set[str]:
        """Where a purpose has uses a read names one of them, one that can be run."""
        if use is None:
            return {"purpose-unnamed"} if row.uses else set()
        named = row.uses.get(use)
        return {"purpose-undeclared"} if named is None else {"declaration-incomplete"} if named.blocked else set()

    def read(
        self, purpose: str, values: tuple[int, ...], who: Looker = ANY_PROGRAM, use: str | None = None
    ) -> frozenset[str]:
        if self.version() < 0:
            return frozenset({"not-in-force"})
        row = purpose_of(self.policy, purpose)
        if row is None or row.blocked:
            blocked = {"declaration-incomplete"} | ({"purpose-unnamed"} if row and row.uses and use is None else set())
            return frozenset({"purpose-undeclared"} if row is None else blocked)
        found = self.misnamed(row, use) | (set() if values else self.nothing()) | self.may_look(row, who)
        against = [self.unreadable(row, self.held.get(one), who, use) for one in values]
        against = [each or self.beyond(row, self.held[one], who) for one, each in zip(values, against, strict=True)]
        return first_layer(found if not all(against) else found.union(*against))

    def may_look(self, row: Purpose | Contact, who: Looker) -> set[str]:
        """What speaks against whoever looks, whatever they look at (rule 5.10)."""
        if who.kind == "person":
            return {"duty-missing"}
        if who.kind == "fellow":
            return set() if self.is_fellow(row, who) or self.let_in(row, who) else {"not-same-group"}
        found = {"duty-missing"} if who.only is not None and row.name not in who.only else set()
        return found | ({"not-same-group"} if {"same-group", "both-accepted"} & set(row.needs) else set())

    def beyond(self, row: Purpose | Contact, value: Held, who: Looker) -> set[str]:
        """What a processor's people may not see of what may be seen; nobody of ours works for one here."""
        return set()

    def is_fellow(self, row: Purpose | Contact, who: Looker) -> bool:
        running = [one for one in self.begun.values() if one.at <= self.at < self.ended(one)[0]]
        mine = {one.organisation for one in running if one.organisation}
        return "same-group" in row.needs and who.organisation in mine

    def let_in(self, row: Purpose | Contact, who: Looker) -> bool:
        """Both accepted, neither took it back, and nothing ended what the person had agreed to that day."""
        return "both-accepted" in row.needs and any(
            fact.code == "both-accepted" and fact.about == who.name and self.still_let_in(row, fact)
            for fact in self.facts
        )

    def still_let_in(self, row: Purpose | Contact, let: Fact) -> bool:
        ended = [one.at for one in self.facts if one.code == "acceptance-ended" and one.about == let.about]
        version = sum(self.effective(one) <= let.at for one in self.policies) - 1
        child = self.minor_until is not None and let.at < self.minor_until
        parent = self.consent_end("representative/collection", let.at)[0] if child else FOREVER
        if version < 0 or parent <= self.at or any(let.at <= end for end in ended):
            return False
        per = getattr(row, "per", ())
        open_then = [one.id for one in self.begun.values() if one.kind in per and one.at <= let.at < self.ended(one)[0]]
        item = next((one for one in row.items if by_consent(row, one)), row.items[0])
        for engagement in [let.engagement] if let.engagement else open_then if per else [None]:
            use = Used(row.name, engagement, let.at, let.known, version)
            lasting = self.of_use(Held(0, item, let.at, (use,)), use)
            if any(ground.kind == "purpose" and ground.lives(self.at) for ground in lasting):
                return True
        return False

    def unreadable(self, row: Purpose | Contact, value: Held | None, who: Looker, named: str | None) -> set[str]:
        """Why one value may not be seen: the first thing that stops it."""
        if value is None:
            return {"unknown"}
        if value.item not in row.items:
            return {"item-not-covered"}
        if self.policy.items[value.item].nature == "secret" and not who.is_the_job(row.name):
            return {"duty-missing"}
        if value.state in GONE:
            return {GONE[value.state]}
        if value.held_for and not (row.held_for and who.organisation in (None, value.held_for)):
            return {"held-for-another"}
        if any(g.kind == "purpose" and g.purpose == row.name and g.lives(self.at) for g in self.grounds(value)):
            newer = named is not None and not self.agreed_to_use(row.name, named)
            asked = by_consent(row, value.item) and not self.unasked_for(value, row.name)
            return {"consent-scope-older"} if newer and asked else self.holds(value, row.name)
        last = self.last(f"purpose/{row.name}", self.at)
        unasked = self.unasked_for(value, row.name)
        if by_consent(row, value.item) and not (last and last.given) and not unasked:
            return {"consent-withdrawn" if last else "consent-missing"}
        due = self.due(value)
        return {f"value-{due}"} if due != "active" else {"ground-ended"}

    @staticmethod
    def unasked_for(value: Held, purpose: str) -> bool:
        return any(use.exception for use in value.uses if use.purpose == purpose)

    def agreed_to_use(self, purpose: str, use: str) -> bool:
        """A use that came with a later version is not what was agreed to."""
        consent = self.stands(f"purpose/{purpose}", self.at)
        if consent is None or self.policies[consent.version] is self.policy:
            return True
        then = self.policies[consent.version].purposes.get(purpose)
        return then is not None and use in then.uses and not then.uses[use].blocked

    def collect(
        self,
        purpose: str,
        items: tuple[str, ...],
        engagement: str | None,
        channel: str | None,
        proofs: frozenset[str],
        unasked: Unasked | None = None,
    ) -> frozenset[str]:
        policy, row = self.policy, self.policy.purposes.get(purpose)
        if self.version() < 0:
            return frozenset({"not-in-force"})
        found = {"item-undeclared" for item in items if item not in policy.items}
        if row is None:
            return first_layer(found | {"purpose-undeclared"})
        found |= {"item-not-covered" for item in items if item in policy.items and item not in row.items}
        found |= {"item-not-covered" for item in items if item in policy.items and policy.items[item].collected}
        found |= {"declaration-incomplete"} if row.blocked else set()
        found |= set() if self.way_declared(row, channel) else {"method-undeclared"}
        found |= {"kind-not-covered"} if row.whose and self.kind not in row.whose else set()
        if self.minor_until is not None and self.at < self.minor_until:
            found |= set() if self.stands("representative/collection", self.at) else {"child-without-representative"}
        found |= self.not_excepted(row, unasked) if unasked else set()
        instead = self.excepting(row, unasked) if unasked else None
        for item in set(items) & set(row.items):
            found |= self.baseless(row, item, proofs, instead)
        if row.per:
            one = self.begun.get(engagement or "")
            found |= {"ground-ended"} if not one or one.kind not in row.per or self.ended(one)[0] <= self.at else set()
        exception = unasked.exception if unasked else None
        use = Used(purpose, engagement, self.at, self.at, max(self.version(), 0), exception)
        for item in set(items) & set(row.items):  # nothing is taken that would be due at once
            fresh = self.of_use(Held(0, item, self.at, (use,)), use)
            found |= set() if next(fresh).lives(self.at) else {"ground-ended"}
        ended_by = set(policy.destruction["when-needless"].after) - {"ended"}
        for fact in self.facts:
            given_up = fact.code in ended_by and not fact.engagement and fact.about in (None, purpose)
            found |= {"ground-ended"} if given_up and fact.at >= self.effective(policy) else set()
        return first_layer(found | self.holds(None, purpose))

    def take_contact(self, items: tuple[str, ...]) -> frozenset[str]:
        """Of a child alone, and of a child only, whom we may ask; nothing else is looked at."""
        if self.version() < 0:
            return frozenset({"not-in-force"})
        child = self.minor_until is not None and self.at < self.minor_until
        found = set() if child else {"kind-not-covered"}
        return first_layer(found | {"item-not-covered" for one in items if one not in contact_of(self.policy).items})

    def not_theirs(self, channel: str) -> frozenset[str]:
        """Korean law wants it checked whose yes for a child it is; neither a tick nor a word shows it."""
        row = self.policy.consent.get(channel)
        return frozenset({"identity-not-proved"} if row is None or {*map(str, row.by)} <= {"tick", "spoken"} else ())

    def way_declared(self, row: Purpose, channel: str | None) -> bool:
        ways = [one for one in self.policy.collection.values() if not one.blocked]
        if channel is None:
            return "person" not in row.source or not (row.via or ways)
        if channel not in self.policy.channels and channel not in ("cookie", "app", "tool", "party"):
            return False
        fits = [one for one in ways if (not one.by or channel in one.by) and (not one.for_ or row.name in one.for_)]
        return channel in row.via if row.via else bool(fits) or not ways

    def excepting(self, row: Purpose, unasked: Unasked) -> CollectionException | None:
        """The exception, where it may stand in for consent to the purpose: never for one that may be refused."""
        exception = self.policy.collection_exceptions.get(unasked.exception)
        serves = exception and row.required and (not exception.for_ or row.name in exception.for_)
        return exception if serves else None

    def not_excepted(self, row: Purpose, unasked: Unasked) -> set[str]:
        exception = self.excepting(row, unasked)
        if exception is None:
            blocked = getattr(self.policy.collection_exceptions.get(unasked.exception), "blocked", None)
            return {"method-undeclared"} | ({"declaration-incomplete"} if blocked else set())
        found = {"declaration-incomplete"} if exception.blocked else set()
        missing = set(exception.needs) - unasked.shown
        found |= {"approval-missing" if missing == {"approver"} else "demand-incomplete"} if missing else set()
        laws = {one.law for one in exception.law}
        if exception.basis == "law":
            named = unasked.law in laws if laws else unasked.law is not None
            return found if named else found | {"law-missing"}
        last = self.last(f"purpose/{row.name}", self.at)
        return found | ({"consent-withdrawn"} if last and not last.given else set())

    def baseless(
        self, row: Purpose, item: str, proofs: frozenset[str], instead: CollectionException | None = None
    ) -> set[str]:
        declared, matter, found = self.policy.items[item], f"purpose/{row.name}", set()
        if by_consent(row, item) and instead is None:
            consent = self.stands(matter, self.at)
            if consent is None:
                found.add("consent-withdrawn" if self.last(matter, self.at) else "consent-missing")
            elif item not in getattr(self.policies[consent.version].purposes.get(row.name), "items", ()):
                found.add("consent-scope-older")
        elif row.basis[item] == "law" and not (row.law or declared.law):
            found.add("law-missing")
        by_law = row.law or declared.law or (instead and instead.basis == "law")
        if declared.nature in ("sensitive", "unique-id") and not by_law:
            found |= set() if self.stands(f"item/{item}", self.at) else {"separate-consent-missing"}
        if declared.nature == "resident-number" and (by_consent(row, item) or not (row.law or declared.law)):
            found.add("law-missing")
        if "device-permission" in row.needs and not self.stands(f"permission/{row.name}", self.at):
            found.add("permission-missing")
        return found | ({"identity-not-proved"} if declared.needs and declared.needs not in proofs else set())

    def reuse(
        self,
        purpose: str,
        values: tuple[int, ...],
        engagement: str | None,
        channel: str | None,
        unasked: Unasked | None = None,
    ) -> frozenset[str]:
        """One more use of values that are there and in use: collected for it, but for being asked again."""
        held = [self.held[one] for one in values]
        items = tuple(value.item for value in held)
        found = set(self.collect(purpose, items, engagement, channel, frozenset(), unasked))
        row = self.policy.purposes.get(purpose)
        for value in held:
            due = self.due(value)
            found |= {GONE[value.state]} if value.state in GONE else {f"value-{due}"} if due != "active" else set()
            found |= {"held-for-another"} if value.held_for != self.whose(row, engagement) else set()
            found |= self.holds(value, purpose)
        return first_layer(found)

    def whose(self, row: Purpose | None, engagement: str | None) -> str | None:
        """Ours is never made somebody else's, nor one organisation's another's."""
        if row is None or not row.held_for:
            return None
        one = self.begun.get(engagement or "")
        return (one.organisation if one else None) or "organisation"

    def correct(self, value: Held) -> frozenset[str]:
        return frozenset({GONE[value.state]} if value.state in GONE else {"ground-ended"} if value.replaced else ())

    def waits_for_access(self, one: Request, state: str) -> bool:
        """Who asked to see gets to see before what they asked to erase is gone."""
        seen_first = [other for other in self.requests.values() if other.right in ("access", "portability")]
        asked = any(other.settled is None and other.proved is not None for other in seen_first)
        return asked and one.right == "erasure" and state in ("done", "partly")

    def freezes_again(self, right: str, values: tuple[int, ...]) -> bool:
        """A value freezes by itself once; after a refusal only when staff accept."""
        before = [one for one in self.requests.values() if one.right == right and one.state == "refused"]
        about = [value for value in self.held.values() if not values or value.id in values]
        refused_all = bool(about) and all(any(one.touches(value) for one in before) for value in about)
        return right not in ("rectification", "erasure") or not refused_all

    def provide(self, recipient: str, items: tuple[str, ...], engagement: str | None) -> frozenset[str]:
        row = self.policy.provisions.get(recipient)
        if self.version() < 0 or row is None:
            return frozenset({"not-in-force" if row else "recipient-undeclared"})
        found = {"declaration-incomplete"} if row.blocked else set()
        found |= {"items-exceed-provision" for item in items if item not in row.items}
        found |= {"kind-not-covered"} if row.whose and self.kind not in row.whose else set()
        found |= self.recipient_may(row, items, engagement)
        against = [self.ungivable(self.held[one]) for one in self.named(items)]
        return first_layer(found if not all(against) else found.union(*(against or [self.nothing()])))

    def recipient_may(self, row: Provision, items: tuple[str, ...], engagement: str | None) -> set[str]:
        """What a recipient needs besides values: a consent that names it and covers the items, its engagement."""
        recipient, matter, found = row.name, f"provision/{row.name}", set()
        consent, last = self.stands(matter, self.at), self.last(matter, self.at)
        if consent is None:
            found.add("consent-withdrawn" if last else "consent-missing")
        elif row.by and not any(one.channel in self.counting(row) for one in self.standing(matter)):
            found.add("consent-missing")
        elif set(items) - set(getattr(self.policies[consent.version].provisions.get(recipient), "items", ())):
            found.add("consent-scope-older")
        open_ones = [one.id for one in self.begun.values() if one.kind in row.per and self.ended(one)[0] > self.at]
        if row.per and not (engagement in open_ones if engagement else open_ones):
            found.add("provision-ended")
        use_until = row.use_until or row.until
        where = Where(self.at, self.at, engagement, None, matter)
        if use_until and self.end(use_until, where)[0] <= self.at:
            found.add("provision-ended")
        return found

    def nothing(self) -> set[str]:
        """Nothing is found: it was all destroyed, or never there."""
        gone = bool(self.held) and all(value.state == "destroyed" for value in self.held.values())
        return {"destroyed" if gone else "unknown"}

    def send(self, purpose: str, medium: str, hour: int) -> frozenset[str]:
        """A promotional message: three yeses, and data in use for the purpose to send it with."""
        row = self.policy.purposes.get(purpose)
        if self.version() < 0 or row is None:
            return frozenset({"not-in-force" if self.version() < 0 else "purpose-undeclared"})
        found = {"declaration-incomplete"} if row.blocked else set()
        if self.minor_until is not None and self.at < self.minor_until:
            found.add("child-without-representative")
        consent, last = self.stands(f"purpose/{purpose}", self.at), self.last(f"purpose/{purpose}", self.at)
        if row.required or consent is None:
            found.add("consent-withdrawn" if last and not row.required else "consent-missing")
        elif not set(row.items) & set(getattr(self.policies[consent.version].purposes.get(purpose), "items", ())):
            found.add("consent-scope-older")
        receives = self.stands(f"medium/{medium}", self.at)
        if receives is None:
            found.add("receiving-consent-missing")
        elif end_of(receives.at, Period(years=2), self.zone()) <= self.at:
            found.add("reconfirmation-overdue")
        words = self.policy.advertising.get(medium)
        at_night = words is None or words.at_night == "own-consent"
        apart = words is not None or medium not in ("email", "e-mail")
        if apart and not 8 <= hour < 21 and not (at_night and self.stands(f"night/{medium}", self.at)):
            found.add("night")
        used = [value for value in self.held.values() if self.in_use(value, purpose)]
        holds = [self.holds(value, purpose) for value in used]
        found |= holds[0] if used and all(holds) else set() if used else {"ground-ended"}
        return first_layer(found | self.holds(None, purpose))

    def in_use(self, value: Held, purpose: str) -> bool:
        live = [g for g in self.grounds(value) if g.kind == "purpose" and g.purpose == purpose and g.lives(self.at)]
        return value.state == "held" and value.item in self.policy.purposes[purpose].items and bool(live)

    def counting(self, row: Provision) -> list[str]:
        """The channels on which agreeing to this recipient counts."""
        return [name for name, way in self.policy.consent.items() if set(way.by) & set(row.by)]

    def standing(self, matter: str) -> list[Agreed]:
        """What was agreed to since the last withdrawal."""
        events = [one for one in self.about(matter) if one.at <= self.at]
        ends = [place for place, one in enumerate(events) if not one.given]
        return events[ends[-1] + 1 :] if ends else events

    def ungivable(self, value: Held) -> set[str]:
        if value.state in GONE:
            return {GONE[value.state]}
        if self.hidden(value):
            return {"duty-missing"}
        return {"held-for-another"} if value.held_for else self.out_of_use(value)

    def out_of_use(self, value: Held, only: Collection[str] | None = None) -> set[str]:
        """Why it serves none of these purposes (any, where none are named), wherever it is by now."""
        grounds = [g for g in self.grounds(value) if g.kind == "purpose" and g.lives(self.at)]
        live = [g.purpose for g in grounds if only is None or g.purpose in only]
        if not live:
            return {"value-due" if self.due(value) == "due" else "ground-ended"}
        holds = [sorted(self.holds(value, purpose)) for purpose in live]
        return set(holds[0]) if all(holds) else set()

    def show(self, proved: bool) -> frozenset[str]:
        return first_layer(
            (self.nothing() if not self.showable() else set()) | set(() if proved else {"identity-not-proved"})
        )

    def showable(self) -> set[int]:
        """To the person, from both tiers; neither passwords nor what was destroyed."""
        there = [value for value in self.held.values() if value.state != "destroyed"]
        return {value.id for value in there if value.item in self.policy.items and not self.hidden(value)}

    def hidden(self, value: Held) -> bool:
        """Credentials are shown to nobody: ours are compared, another service's open to the job that needs them."""
        row = self.policy.items.get(value.item)
        return row is not None and row.nature in ("password", "secret")

    def read_apart(self, path: str, values: tuple[int, ...], duty: bool) -> frozenset[str]:
        found = set() if duty else {"duty-missing"}
        against = []
        for value in (self.held[one] for one in values):
            live = [g for g in self.grounds(value) if g.path == path and g.lives(self.at)]
            if value.state != "separated":
                against.append(self.nothing())
            elif self.hidden(value):
                against.append({"duty-missing"})
            elif live:
                spared = {"frozen"} if live[0].kind == "statute" else set()
                against.append(self.holds(value, live[0].purpose) - spared)
            else:
                against.append({"value-due" if self.due(value) == "due" else "ground-ended"})
        return first_layer(found if against and not all(against) else found.union(*(against or [self.nothing()])))


def first_layer(found: set[str]) -> frozenset[str]:
    return next((frozenset(found & layer) for layer in LAYERS if found & layer), frozenset())
