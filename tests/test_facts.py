"""Facts come in any order, twice, and late: the same people come out, and what is destroyed stays destroyed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import upheld
from tests.audited import Audited
from tests.homes import column, copied, forgotten
from tests.sketch import APPLICATION, POLICIES, SEOUL, Sketch, day
from upheld.dates import FOREVER, Instant, local_date, moment
from upheld.engine.acts import EngagementId, Reader, ReaderKind, SubjectId, ValueId
from upheld.errors import InputRefused, NotRecorded
from upheld.keeper import Keeper, Shown
from upheld.store import history

BIZMEKA = "bizmeka-ez-2018.yaml"
HOUR = 3_600_000_000
PERSONAL = ("advertised", "complaint-closed", "dispute-opened", "dispute-settled")
PRIVACY = Reader(ReaderKind.HANDLER, "privacy", frozenset(), frozenset({"separated"}))
SELF = Reader(ReaderKind.SUBJECT, "self")


@dataclass
class Lived:
    """A home with one member who agreed, subscribed and gave four items."""

    keeper: Keeper
    clock: upheld.SetClock
    subject: SubjectId
    membership: EngagementId
    values: dict[str, ValueId]

    def to(self, when: str) -> Lived:
        self.clock.set(day(when))
        return self

    def tell(
        self, code: str, at: Instant | None = None, source: str | None = None, key: str | None = None
    ) -> upheld.Outcome:
        engagement = None if code in PERSONAL else self.membership
        about = "one" if code.startswith("dispute") else None
        return self.keeper.fact(self.subject, code, at=at, engagement=engagement, about=about, source=source, key=key)

    def state(self) -> dict[str, tuple[str, str, tuple[str, ...]]]:
        """Per item: where it is, until when it is kept, and for what it can be read."""
        seen = self.keeper.views.get(self.subject, self.clock.now())
        found = {}
        for value in seen.state.values:
            last = max(ground.until.at for ground in seen.view.life.grounds(value))
            until = "-" if last >= FOREVER else local_date(last, SEOUL).isoformat()
            readable = tuple(
                name
                for name, use in (("identity", "identify"), ("service", "notices"))
                if self.keeper.read(self.subject, name, use=use, reader=APPLICATION, values=(value.value_id,)).granted
            )
            found[value.item] = (value.held.value, until, readable)
        return found

    def entries(self, *kinds: str) -> list[history.Recorded]:
        self.keeper.seal()
        return list(history.entries(self.keeper.places.sealer.connection, kinds=kinds))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("facts") / "home"
    clock = upheld.SetClock(day("2018-07-01"))
    with upheld.open(home, upheld.Options(clock=clock, light_hashing=True)) as keeper:
        keeper.publish(POLICIES / BIZMEKA)
    return home


@contextmanager
def member(template: Path, folder: Path) -> Iterator[Lived]:
    home = folder / "home"
    if home.exists():
        forgotten(home)
    copied(template, home)
    clock = upheld.SetClock(day("2018-08-01"))
    with upheld.open(home, upheld.Options(clock=clock, light_hashing=True, seed=3, durable=False)) as keeper:
        subject = keeper.enter("bizmeka-ez", "member")
        membership = EngagementId(keeper.begin(subject, "membership").made or "")
        keeper.consent(subject, "purpose/identity", channel="website")
        texts = {item: f"{item} of nobody" for item in ("name", "birth-date", "gender", "login-id")}
        made = keeper.collect(subject, "identity", texts, engagement=membership, channel="website")
        yield Lived(keeper, clock, subject, membership, {item: ids[0] for item, ids in made.values.items()})


@pytest.fixture
def lived(template: Path, tmp_path: Path) -> Iterator[Lived]:
    with member(template, tmp_path) as found:
        yield found


CODES = ("cancelled", "fee-charged", "fees-paid", "supplied", "advertised", "complaint-closed", "dispute-opened",
         "dispute-settled")  # fmt: skip
happenings = st.lists(st.tuples(st.sampled_from(CODES), st.integers(0, 40 * 24)), min_size=2, max_size=6)


# ── order ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(happenings, st.randoms(use_true_random=False), st.integers(0, 3000))
def test_i8_facts_between_the_same_two_acts_commute(facts: list[tuple[str, int]], chance: Random, days: int) -> None:
    def told(order: Sequence[tuple[str, int]]) -> list[object]:
        one = Sketch(BIZMEKA)
        one.agree("purpose/identity")
        membership = one.begin("membership")
        values = [one.hold(item, "identity", membership) for item in ("name", "birth-date", "gender", "login-id")]
        begun = one.now
        one.to("2018-10-01")
        for code, hours in order:
            fact = one.tell(
                code, None if code in PERSONAL else membership, about="one" if code.startswith("dispute") else None
            )
            one.facts[-1] = type(fact)(
                fact.fact_id, code, Instant(begun + hours * HOUR), fact.known_at, fact.engagement, fact.about
            )
        one.now = Instant(one.now + days * 24 * HOUR)
        return [(one.due(value), one.kept_by(value), one.gone_on(value), one.steps().get(value)) for value in values]

    other = list(facts)
    chance.shuffle(other)
    assert told(facts) == told(other)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(facts=happenings, days=st.sampled_from([1, 100, 700, 2600]))
def test_i8_the_stores_come_out_alike_whatever_the_order(
    template: Path, tmp_path: Path, facts: list[tuple[str, int]], days: int
) -> None:
    def told(order: Sequence[tuple[str, int]]) -> object:
        with member(template, tmp_path) as one:
            begun = one.clock.now()
            one.to("2018-10-01")
            for code, hours in order:
                one.tell(code, Instant(begun + hours * HOUR))
            one.clock.set(Instant(one.clock.now() + days * 24 * HOUR))
            one.keeper.sweep()
            return one.state()

    assert told(facts) == told(facts[::-1])


# ── twice ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(facts=happenings, again=st.lists(st.integers(0, 5), max_size=6), days=st.sampled_from([1, 100, 2600]))
def test_i7_facts_delivered_twice_change_nothing(
    template: Path, tmp_path: Path, facts: list[tuple[str, int]], again: list[int], days: int
) -> None:
    def told(deliveries: Sequence[int]) -> object:
        with member(template, tmp_path) as one:
            begun = one.clock.now()
            one.to("2018-10-01")
            seen: set[int] = set()
            for number in deliveries:
                code, hours = facts[number % len(facts)]
                outcome = one.tell(code, Instant(begun + hours * HOUR), source="billing", key=f"k{number % len(facts)}")
                assert outcome.repeated == (number % len(facts) in seen)
                seen.add(number % len(facts))
            one.clock.set(Instant(one.clock.now() + days * 24 * HOUR))
            one.keeper.sweep()
            return one.state(), len(one.entries("fact.recorded"))

    assert told(range(len(facts))) == told([*range(len(facts)), *again])


def test_the_same_key_for_something_else_is_a_conflict_and_changes_nothing(lived: Lived) -> None:
    lived.tell("fee-charged", source="billing", key="k1")
    before = lived.state()
    with pytest.raises(InputRefused, match="key"):
        lived.tell("cancelled", source="billing", key="k1")
    assert lived.state() == before
    assert not lived.tell("cancelled", source="other", key="k1").repeated  # another source has keys of its own


def test_i7_a_sweep_that_runs_again_does_nothing_more(lived: Lived) -> None:
    lived.tell("cancelled")
    lived.to("2018-08-10").keeper.sweep()
    once = lived.state(), len(lived.entries("value.destroyed", "value.separated", "certificate.issued"))
    again = lived.keeper.sweep()
    assert (again.separated, again.destroyed, again.forgotten) == (0, 0, 0)
    lived.keeper.resume()
    assert (lived.state(), len(lived.entries("value.destroyed", "value.separated", "certificate.issued"))) == once


# ── late ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-5.1.B", "BZ18-5.1.C", "BZ18-5.4.C")
def test_a_fact_too_late_to_prevent_a_destruction_is_an_exception_and_brings_nothing_back(lived: Lived) -> None:
    lived.tell("cancelled")
    lived.to("2018-08-10").keeper.sweep()
    assert lived.state()["gender"][0] == "destroyed"
    outcome = lived.tell("dispute-opened", day("2018-08-01"))
    assert outcome.tells == ("exception:destroyed-before-known",)
    late = [one.entry for one in lived.entries("exception.late")]
    assert [entry.fields["exception"] for entry in late] == ["destroyed-before-known"]
    assert lived.values["gender"] in late[0].fields["values"]  # type: ignore[operator]  # an entry's list
    lived.to("2018-08-20").keeper.sweep()
    assert lived.state()["gender"] == ("destroyed", "-", ())


def test_a_late_fact_that_changes_nothing_destroyed_is_no_exception(lived: Lived) -> None:
    lived.to("2018-08-10")
    assert lived.tell("fee-charged", day("2018-08-02")).tells == ()
    assert lived.entries("exception.late") == []


def given_gifts(lived: Lived) -> EngagementId:
    """A name was handed to the recipient of gifts on 5 August; it is the 9th."""
    keeper, subject = lived.keeper, lived.subject
    keeper.consent(subject, "provision/mhows", channel="website")
    gifts = EngagementId(keeper.begin(subject, "gifti-show").made or "")
    lived.to("2018-08-05")
    assert keeper.provide(subject, "mhows", ("name",), engagement=gifts).granted
    lived.to("2018-08-09")
    return gifts


@pytest.mark.clauses("BZ18-9.2.c")
def test_recipients_are_told_of_a_withdrawal_that_was_known_too_late(lived: Lived) -> None:
    keeper, subject = lived.keeper, lived.subject
    given_gifts(lived)
    outcome = keeper.withdraw(subject, "provision/mhows", channel="phone", at=day("2018-08-03"))
    assert outcome.tells == ("told:mhows",)
    assert [one.entry.fields["exception"] for one in lived.entries("exception.late")] == ["disclosed-before-known"]


def test_who_agreed_to_the_recipient_anew_in_between_had_nothing_given_too_late(lived: Lived) -> None:
    keeper, subject = lived.keeper, lived.subject
    keeper.consent(subject, "provision/mhows", channel="website")
    gifts = EngagementId(keeper.begin(subject, "gifti-show").made or "")
    lived.to("2018-08-04")
    keeper.consent(subject, "provision/mhows", channel="website")
    lived.to("2018-08-05")
    assert keeper.provide(subject, "mhows", ("name",), engagement=gifts).granted
    lived.to("2018-08-09")
    outcome = keeper.withdraw(subject, "provision/mhows", channel="phone", at=day("2018-08-03"))
    assert outcome.tells == ()
    assert lived.entries("exception.late") == []


@pytest.mark.clauses("BZ18-7.1.0", "BZ18-9.2.c")
def test_whoever_got_something_after_an_end_that_was_known_too_late_is_told(lived: Lived) -> None:
    keeper, subject = lived.keeper, lived.subject
    keeper.consent(subject, "provision/mhows", channel="website")
    gifts = EngagementId(keeper.begin(subject, "gifti-show").made or "")
    lived.to("2018-08-05")
    given = keeper.provide(subject, "mhows", ("name",), engagement=gifts)
    lived.to("2018-08-09")
    ended = keeper.fact(subject, "ended", engagement=gifts, at=day("2018-08-03"))
    assert ended.tells == ("told:mhows",)
    (late,) = [one.entry for one in lived.entries("exception.late")]
    assert (late.fields["exception"], late.fields["fact"]) == ("disclosed-before-known", "ended")
    assert (late.fields["disclosure"], late.fields["reasons"]) == (given.made, ("provision-ended",))
    assert late.elements == ("provisions.mhows",)
    told = [one.entry.fields for one in lived.entries("recipient.told")]
    assert [(one["recipient"], one["reason"]) for one in told] == [("mhows", "ended-before")]
    again = keeper.fact(subject, "ended", engagement=gifts, at=day("2018-08-02"))
    assert again.tells == ()  # it had been over by then already


def test_what_was_given_before_the_fact_happened_is_no_exception(lived: Lived) -> None:
    keeper, subject = lived.keeper, lived.subject
    gifts = given_gifts(lived)
    assert keeper.fact(subject, "ended", engagement=gifts, at=day("2018-08-05")).tells == ()
    assert lived.entries("exception.late") == []


@pytest.mark.clauses("BZ18-7.1.0")
def test_a_use_that_had_ended_before_its_value_was_given_is_an_exception(lived: Lived) -> None:
    given_gifts(lived)
    assert "told:mhows" in lived.tell("cancelled", day("2018-08-03")).tells
    (late,) = [one.entry for one in lived.entries("exception.late")]
    assert late.fields["reasons"] == ("ground-ended",)


def test_a_contract_that_had_ended_before_leaves_an_exception_for_each_person(tmp_path: Path) -> None:
    house = Audited("kt-enterprise-2022", tmp_path / "home")
    house.contract_all()
    lives = house.entrust_all()
    keeper, before = house.keeper, house.clock.now()
    party = house.plan.entrustments["salesforce"].party
    got = [one for one in lives if keeper.views.get(one.subject, before).state.disclosures[0].recipient == "salesforce"]
    given = keeper.views.get(got[0].subject, before).state.disclosures[0].at
    contract = next(one.contract_id for one in keeper.views.controller(house.policy).contracts if one.party == party)
    house.wait(2)
    keeper.end_contract(house.policy, contract, at=Instant(given - HOUR))
    keeper.seal()
    late = [one.entry for one in history.entries(keeper.places.sealer.connection, kinds=["exception.late"])]
    assert {one.fields["fact"] for one in late} == {"contract-ended"}
    assert {one.fields["reasons"][0] for one in late} == {"entrustment-ended"}  # type: ignore[index]  # an entry's list
    assert {one.persons[0] for one in late} >= {keeper.views.alias(one.subject) for one in got}
    told = history.entries(keeper.places.sealer.connection, kinds=["recipient.told"])
    assert sum(one.entry.fields["reason"] == "ended-before" for one in told) == len(late)
    keeper.close()


def test_a_stop_order_known_too_late_is_an_exception_for_what_went_abroad_since(tmp_path: Path) -> None:
    house = Audited("kt-enterprise-2022", tmp_path / "home")
    house.contract_all()
    house.entrust_all()
    keeper, name = house.keeper, "salesforce-japan"
    given = house.clock.now()
    house.wait(2)
    keeper.controller_fact(house.policy, "transfer-resumed", about=name, at=Instant(given + HOUR))
    keeper.controller_fact(house.policy, "transfer-stopped", about=name, at=Instant(given - 2 * 24 * HOUR))
    keeper.seal()
    late = [one.entry for one in history.entries(keeper.places.sealer.connection, kinds=["exception.late"])]
    assert [(one.fields["reasons"], one.elements) for one in late] == [(("transfer-stopped",), (f"transfers.{name}",))]
    keeper.close()


def test_who_got_something_abroad_is_told_that_the_yes_to_the_transfer_had_been_taken_back(tmp_path: Path) -> None:
    house = Audited("kt-enterprise-2022", tmp_path / "home")
    house.contract_all()
    life = next(
        one
        for one in house.entrust_all()
        if house.keeper.views.get(one.subject, house.keeper.now()).state.disclosures[0].recipient == "salesforce"
    )
    house.wait(2)
    given = house.keeper.views.get(life.subject, house.keeper.now()).state.disclosures[0].at
    outcome = house.keeper.withdraw(life.subject, "transfer/salesforce-japan", channel="website", at=given)
    assert outcome.tells == ()  # at the same instant: it left before
    house.keeper.consent(life.subject, "transfer/salesforce-japan", channel="website")
    row = house.plan.entrustments["salesforce"]
    items = tuple(sorted(set(life.values) & row.items))
    assert house.keeper.entrust(life.subject, "salesforce", life.taking.purpose, items).granted
    again = house.clock.now()
    house.wait(1)
    late = house.keeper.withdraw(
        life.subject, "transfer/salesforce-japan", channel="website", at=Instant(again - 60_000_000)
    )
    assert late.tells == ()  # agreed to after that
    house.wait(1)
    house.keeper.consent(life.subject, "transfer/salesforce-japan", channel="website")
    agreed = house.clock.now()
    house.wait(1)
    assert house.keeper.entrust(life.subject, "salesforce", life.taking.purpose, items).granted
    house.wait(1)
    too_late = house.keeper.withdraw(
        life.subject, "transfer/salesforce-japan", channel="website", at=Instant(agreed + 60_000_000)
    )
    assert too_late.tells == ("told:salesforce",)
    house.keeper.seal()
    connection = house.keeper.places.sealer.connection
    found = [one.entry for one in history.entries(connection, kinds=["exception.late", "consent.withdrawn"])]
    assert [one.fields["exception"] for one in found if one.kind == "exception.late"] == ["disclosed-before-known"]
    assert {one.elements[0] for one in found if one.kind == "consent.withdrawn"} == {"transfers.salesforce-japan"}
    house.keeper.close()


def test_i9_a_withdrawal_known_late_stops_what_comes_after_it_is_known(lived: Lived) -> None:
    lived.to("2018-08-05")
    lived.keeper.withdraw(lived.subject, "purpose/identity", channel="phone", at=day("2018-08-02"))
    outcome = lived.keeper.read(lived.subject, "identity", use="identify", reader=APPLICATION, items=("name",))
    assert [reason.value for reason in outcome.reasons] == ["consent-withdrawn"]


def test_the_future_is_no_fact(lived: Lived) -> None:
    with pytest.raises(InputRefused, match="after now"):
        lived.tell("cancelled", Instant(lived.clock.now() + 1))


# ── invariants that need the stores ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-6.2.B", "BZ18-6.1.B")
def test_i1_i5_every_value_is_served_by_one_tier_and_by_none_in_the_end(lived: Lived) -> None:
    value = lived.values["birth-date"]

    def served() -> tuple[bool, bool]:
        active = lived.keeper.read(lived.subject, "identity", use="identify", reader=APPLICATION, values=(value,))
        apart = lived.keeper.read_separated(lived.subject, "retention.fee-dispute", reader=PRIVACY, values=(value,))
        return value in active.texts, value in apart.texts

    assert served() == (True, False)
    lived.tell("cancelled")
    assert served() == (False, False)  # ended, and not yet moved
    lived.keeper.sweep()
    assert served() == (False, True)
    lived.to("2019-02-02").keeper.sweep()
    assert served() == (False, False)


@pytest.mark.clauses("BZ18-6.2.B")
def test_i4_a_destroyed_value_is_not_read_from_an_earlier_copy_with_the_present_keys(
    lived: Lived, tmp_path: Path
) -> None:
    home, old = tmp_path / "home", tmp_path / "old"
    lived.keeper.seal()
    copied(home, old)
    lived.tell("cancelled")
    lived.to("2018-08-10").keeper.sweep()  # two are destroyed, two kept apart under keys of their own
    kept = set(column(home / "keys.db", "SELECT key_id FROM active_key"))
    keys = dict(column(old / "active.db", "SELECT item, key_id FROM value WHERE sealed IS NOT NULL"))
    assert set(keys) == set(lived.values)  # the bytes are back
    assert {item for item, key in keys.items() if key in kept} == set()  # and open for nobody


@pytest.mark.clauses("NX17-6.6.a", "BZ18-11.T1.a")
def test_i6_every_look_is_on_record_before_it_is_seen_and_so_is_every_refusal(lived: Lived) -> None:
    before = len(lived.entries("read.granted", "read.refused", "values.shown", "act.refused"))
    acts: list[Callable[[], upheld.Outcome]] = [
        lambda: lived.keeper.read(lived.subject, "identity", use="identify", reader=APPLICATION, items=("name",)),
        lambda: lived.keeper.read(lived.subject, "service", use="notices", reader=APPLICATION, items=("name",)),
        lambda: lived.keeper.show(lived.subject, reader=SELF, identity_proved=True),
        lambda: lived.keeper.show(lived.subject, reader=SELF),
    ]
    assert [act().granted for act in acts] == [True, False, True, False]
    assert len(lived.entries("read.granted", "read.refused", "values.shown", "act.refused")) == before + len(acts)


def test_i6_nothing_is_seen_when_its_record_cannot_be_written(lived: Lived, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("no space left on the device")

    monkeypatch.setattr(lived.keeper.places.active.writer, "append", full)
    with pytest.raises(NotRecorded, match="no space"):
        lived.keeper.read(lived.subject, "identity", use="identify", reader=APPLICATION, items=("name",))


def test_i12_a_person_of_the_same_policy_shows_nothing_of_another(lived: Lived) -> None:
    other = lived.keeper.enter("bizmeka-ez", "member")
    outcome = lived.keeper.read(other, "identity", use="identify", reader=APPLICATION, values=(lived.values["name"],))
    assert [reason.value for reason in outcome.reasons] == ["unknown"]
    assert not lived.keeper.show(other, reader=SELF, identity_proved=True).granted


def test_consent_is_known_as_it_was_at_any_instant(lived: Lived) -> None:
    given_at = lived.clock.now()
    lived.to("2018-08-05").keeper.withdraw(lived.subject, "purpose/identity", channel="website")
    lived.to("2018-08-07").keeper.consent(
        lived.subject, "purpose/identity", channel="website", shown=Shown("Do you agree?")
    )
    then = [
        moment(given_at) - timedelta(seconds=1),
        moment(given_at),
        moment(day("2018-08-05")),
        moment(day("2018-08-07")),
    ]
    states = [lived.keeper.consents(lived.subject, at).get("purpose/identity") for at in then]
    assert states == [None, "given", "withdrawn", "given"]
