"""Every breach that a wrong program or somebody with the password of a database can bring about is named by the report.

Each test has a home that is in order, plants one flaw below the keeper, and sees the clause change: which breach, since
when, for how many persons, by which entry. The notes that say why there is nothing to show are at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.audited import POLICIES, Audited, Life
from tests.test_handing_over import EFFECTIVE, OPENED, case_of
from tests.test_posting import WITH_PLACES
from tests.test_telling import Scripted
from tests.trial_home import POLICY, at, member, opened
from upheld import system
from upheld.dates import Instant, Period, end_of, instant, local_date, moment
from upheld.engine.acts import RequestId
from upheld.engine.state import HeldState
from upheld.keeper import Keeper
from upheld.keeper.looking import WORDS
from upheld.ledger.entries import entry
from upheld.ledger.report import ClauseReport, State
from upheld.policy.vocabulary import Nature
from upheld.store import history
from upheld.store.vault import Tier

HOUR = 3_600_000_000
DAY = 24 * HOUR


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Audited]:
    """Subscribers of bizmeka: something is used, kept apart, given away, destroyed."""
    made = Audited("bizmeka-ez-2018", tmp_path / "home")
    yield made
    made.keeper.close()


def found(house: Audited, path: str, key: str = "all", which: int = 0) -> ClauseReport:
    """The answer for a clause of an element."""
    row = house.document.row(path)
    assert row is not None, path
    return house.audit().clause(row.clauses[key][which])


def subscriber(house: Audited, purpose: str = "billing") -> Life:
    """Somebody for whom one purpose is taken up."""
    return house.take_up(*next(one for one in house.takings() if one[2].purpose == purpose))


def apart(house: Audited) -> Life:
    """Somebody who left: what a fee dispute may need is kept apart."""
    life = subscriber(house)
    house.leave(life)
    house.wait(3)
    house.keeper.sweep()
    tiers = {value.held for value, _, _ in house.keeper.holdings(life.subject)}
    assert HeldState.SEPARATED in tiers
    house.wait(1)
    return life


def plant(house: Audited, statement: str, *parameters: object) -> None:
    """What somebody with the password of the database does."""
    with house.keeper.places.active.transaction() as transaction:
        assert transaction.execute(statement, parameters).rowcount != 0, statement


def plant_apart(house: Audited, statement: str, *parameters: object) -> None:
    """The same in the separated place."""
    with house.keeper.places.separated.transaction() as transaction:
        assert transaction.execute(statement, parameters).rowcount != 0, statement


def smuggle(house: Audited, kind: str, life: Life | None, elements: tuple[str, ...], **fields: object) -> Instant:
    """An entry that a wrong program writes."""
    alias = house.keeper.views.alias(life.subject) if life else None
    now = house.clock.now()
    made = entry(kind, now, house.policy, alias, elements, **fields)  # type: ignore[arg-type]  # passed on as given
    with house.keeper.places.active.transaction() as transaction:
        transaction.journal(made)
    house.wait(1)
    return now


def broken(one: ClauseReport, what: str, persons: int, since: Instant | None, *kinds: str) -> None:
    """Not upheld by that alone, for so many persons, since then, shown by an entry of one of these kinds."""
    assert (one.state, {each.partition(":")[0] for each in one.what}, one.persons) == (
        State.NOT_UPHELD,
        {what},
        persons,
    )
    assert since is None or one.since == since, moment(one.since or Instant(0))
    assert one.since is not None
    assert not kinds or {each.kind for each in one.evidence} & set(kinds), one.evidence


def shown(keeper: Keeper, home: Path, one: ClauseReport) -> None:
    """Every entry that the answer rests on stands in the ledger, as it says."""
    keeper.seal()
    with system.ledger_of(home) as ledger, history.reading(ledger) as connection:
        for exhibit in one.evidence:
            assert history.entry_at(connection, exhibit.reference).entry.kind == exhibit.kind


# ── Too late ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-6.1.A.1")
def test_what_nobody_separated_in_time_is_not_upheld_until_it_is_done(house: Audited) -> None:
    apart(house)
    assert found(house, "separation.electronic").state is State.UPHELD
    late = subscriber(house)
    house.leave(late)
    left = house.clock.now()
    house.wait(30)
    first = end_of(left, Period(days=5), house.zone)
    broken(found(house, "separation.electronic"), "separation-overdue", 1, first)
    house.keeper.sweep()
    house.wait(1)
    mended = found(house, "separation.electronic")
    assert mended.state is State.UPHELD
    assert [(gap.what, gap.persons, gap.since) for gap in mended.gaps] == [("separation-overdue", 1, first)]
    assert mended.gaps[0].until is not None
    shown(house.keeper, house.home, mended)


@pytest.mark.clauses("KE22-8.0-r6")
def test_a_copy_abroad_that_outlives_its_end_is_not_upheld(tmp_path: Path) -> None:
    house = Audited("kt-enterprise-2022", tmp_path / "home")
    house.contract_all()
    life = next(one for one in house.entrust_all() if _got(house, one) == "salesforce")
    agreed = house.clock.now()
    house.wait(300)
    house.keeper.sweep()
    assert found(house, "transfers.salesforce-japan", "until").state is State.NO_EVIDENCE
    end = end_of(agreed, Period(months=12), house.zone)
    limit = end_of(end, house.plan.destruction.within, house.zone)
    house.clock.set(Instant(limit + HOUR))
    late = found(house, "transfers.salesforce-japan", "until")
    broken(late, "copy-abroad-overdue", 1, limit, "transfer.recorded")
    assert late.what == ("copy-abroad-overdue:salesforce",)
    house.keeper.sweep()
    one = house.keeper.views.get(life.subject, house.clock.now()).state.disclosures[0]
    house.keeper.acknowledge(life.subject, one.disclosure_id)
    house.wait(1)
    mended = found(house, "transfers.salesforce-japan", "until")
    assert (mended.state, [gap.what for gap in mended.gaps]) == (State.UPHELD, ["copy-abroad-overdue"])
    house.keeper.close()


@pytest.mark.clauses("KE22-8.0-r6")
def test_a_copy_abroad_counts_from_the_consent_to_collecting_where_that_came_first(tmp_path: Path) -> None:
    house = Audited("kt-enterprise-2022", tmp_path / "home")
    house.contract_all()
    life = subscriber(house, "newsletter")
    agreed = house.clock.now()
    house.wait(100)
    house.agree(life.subject, "transfer/salesforce-japan")
    items = tuple(sorted(set(life.values) & house.plan.entrustments["salesforce"].items))
    given = house.keeper.entrust(life.subject, "salesforce", "newsletter", items, engagement=life.engagement)
    assert given.granted
    end = end_of(agreed, Period(months=12), house.zone)
    house.clock.set(Instant(end - HOUR))
    house.keeper.sweep()
    assert told(house) == []
    limit = end_of(end, house.plan.destruction.within, house.zone)
    house.clock.set(Instant(limit + HOUR))
    broken(found(house, "transfers.salesforce-japan", "until"), "copy-abroad-overdue", 1, limit, "transfer.recorded")
    house.keeper.sweep()
    assert told(house) == [("salesforce", given.made, "return-or-destroy")]
    house.keeper.acknowledge(life.subject, given.made or "")
    house.wait(1)
    mended = found(house, "transfers.salesforce-japan", "until")
    assert (mended.state, [gap.what for gap in mended.gaps]) == (State.UPHELD, ["copy-abroad-overdue"])
    house.keeper.close()


def told(house: Audited) -> list[tuple[object, ...]]:
    """What recipients were told: who, about what, and why."""
    house.keeper.seal()
    entries = history.entries(house.keeper.places.sealer.connection, kinds=["recipient.told"])
    return [tuple(one.entry.fields[name] for name in ("recipient", "disclosure", "reason")) for one in entries]


def _got(house: Audited, life: Life) -> str:
    return house.keeper.views.get(life.subject, house.clock.now()).state.disclosures[0].recipient


# ── In the wrong place ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-6.1.A.1")
def test_a_value_that_lies_in_both_places_is_found(house: Audited) -> None:
    life = apart(house)
    assert found(house, "separation.electronic").state is State.UPHELD
    house.wait(1)
    value = next(one.value_id for one, _, _ in house.keeper.holdings(life.subject) if one.held is HeldState.SEPARATED)
    plant(house, "UPDATE value SET sealed = ? WHERE value_id = ?", b"x" * 60, value)
    both = found(house, "separation.electronic")
    broken(both, "wrong-place", 1, None, "control.evidenced")
    shown(house.keeper, house.home, both)
    plant(house, "UPDATE value SET sealed = NULL, state = 'held' WHERE value_id = ?", value)
    broken(found(house, "separation.electronic"), "wrong-place", 1, None, "control.evidenced")


@pytest.mark.clauses("BZ18-6.2.B")
def test_a_ciphertext_left_after_destruction_is_found(house: Audited) -> None:
    life = subscriber(house, "recommending")
    house.keeper.withdraw(life.subject, "purpose/recommending", channel="website")
    house.wait(3)
    assert house.keeper.sweep().destroyed
    house.wait(1)
    assert found(house, "destruction.electronic", which=1).state is State.UPHELD
    house.wait(1)
    plant(house, "UPDATE value SET sealed = ? WHERE subject_id = ? AND state = 'destroyed'", b"x" * 60, life.subject)
    left = found(house, "destruction.electronic", which=1)
    broken(left, "left-over", 1, None, "control.evidenced")
    shown(house.keeper, house.home, left)


@pytest.mark.clauses("BZ18-6.1.A.3")
def test_what_is_kept_apart_without_a_ground_is_found(house: Audited) -> None:
    life = apart(house)
    assert found(house, "separation.entry", which=1).state is State.UPHELD
    house.wait(1)
    plant_apart(house, "UPDATE value SET grounds = '[]' WHERE subject_id = ?", life.subject)
    without = found(house, "separation.entry", which=1)
    broken(without, "without-ground", 1, None, "control.evidenced")
    shown(house.keeper, house.home, without)


def test_what_is_done_under_a_table_that_says_there_is_nothing_has_no_ground(tmp_path: Path) -> None:
    empty = POLICY + "statutes: {every: {clause: T-20}}\n"
    with opened(tmp_path / "home", at("2020-03-01")) as house:
        keeper, clock = house.keeper, house.clock
        keeper.publish(empty.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        person = member(house, "leaver")
        keeper.withdraw(person, "purpose/offers", channel="website")
        clock.set(at("2020-03-05"))
        assert keeper.sweep().destroyed
        clock.set(at("2020-03-06"))
        assert keeper.audit("trial").clause("T-20").state is State.UPHELD
        made = entry(
            "value.separated", clock.now(), "trial", keeper.views.alias(person), ("statutes.books",),
            values=(1,), grounds=("statutes.books",), due_at=clock.now(),
        )  # fmt: skip
        with keeper.places.active.transaction() as transaction:
            transaction.journal(made)
        planted = clock.now()
        clock.set(at("2020-03-07"))
        one = keeper.audit("trial").clause("T-20")
        broken(one, "without-ground", 0, planted, "value.separated")
        shown(keeper, tmp_path / "home", one)


@pytest.mark.clauses("BZ18-1.1.a")
def test_a_column_that_nobody_classified_is_found(house: Audited) -> None:
    subscriber(house)
    assert found(house, "guarantees.every-field-classified").state is State.UPHELD
    house.wait(1)
    plant(house, "ALTER TABLE subject ADD COLUMN nickname TEXT")
    now = house.clock.now()
    unknown = found(house, "guarantees.every-field-classified")
    broken(unknown, "schema-unknown", 0, now, "control.evidenced")
    assert "nickname" in unknown.what[0]


@pytest.mark.clauses("BZ18-11.T1.a")
def test_a_password_that_can_be_read_is_found(house: Audited) -> None:
    life = subscriber(house, "groupware")
    house.read(life)  # the other safeguard that keeps the clause: everybody who reads is signed in
    house.wait(0.1)
    passwords = [name for name, row in house.plan.items.items() if row.nature is Nature.PASSWORD]
    (item,) = [one for one in passwords if one in life.values]
    assert found(house, "safeguards.own-passwords", which=1).state is State.UPHELD
    house.wait(1)
    value, vault = life.values[item], house.keeper.places.vault
    sealed = vault.seal(Tier.ACTIVE, house.policy, life.subject, value, item, b"as it was typed")
    plant(house, "UPDATE value SET key_id = ?, sealed = ? WHERE value_id = ?", sealed.key_id, sealed.blob, value)
    readable = found(house, "safeguards.own-passwords", which=1)
    broken(readable, "password-readable", 1, None, "control.evidenced")
    shown(house.keeper, house.home, readable)


@pytest.mark.clauses("BZ18-11.T1.a")
def test_what_a_check_found_broken_once_stays_a_gap_when_it_is_mended(house: Audited) -> None:
    life = subscriber(house, "groupware")
    house.read(life)
    house.audit()
    house.wait(1)
    value = life.values["password"]
    with house.keeper.places.active.reading() as connection:
        before = connection.execute("SELECT key_id, sealed FROM value WHERE value_id = ?", (value,)).fetchone()
    sealed = house.keeper.places.vault.seal(
        Tier.ACTIVE, house.policy, life.subject, value, "password", b"as it was typed"
    )
    plant(house, "UPDATE value SET key_id = ?, sealed = ? WHERE value_id = ?", sealed.key_id, sealed.blob, value)
    house.audit()
    seen = house.clock.now()
    house.wait(3)
    plant(house, "UPDATE value SET key_id = ?, sealed = ? WHERE value_id = ?", *before, value)
    house.audit()
    mended = house.clock.now()
    house.wait(1)
    one = found(house, "safeguards.own-passwords", which=1)
    assert one.state is State.UPHELD
    assert [(gap.what, gap.detail, gap.since, gap.until) for gap in one.gaps] == [
        ("found-broken", "passwords-one-way", seen, mended)
    ]
    past = house.audit(until=Instant(mended - 1)).clause("BZ18-11.T1.a")
    broken(past, "found-broken", 0, seen, "control.evidenced")


# ── Seen by who may not ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-11.T1.a")
def test_a_read_by_somebody_who_never_signed_in_is_found(house: Audited) -> None:
    subscriber(house, "groupware")  # the other safeguard that keeps the clause: a password stored one-way
    life = subscriber(house)
    house.read(life)
    house.wait(1)
    assert found(house, "safeguards.sign-in", which=1).state is State.UPHELD
    house.hire()
    at_night = smuggle(
        house, "read.granted", life, ("purposes.required.billing",), purpose="billing", reader="handler",
        values=tuple(life.values.values())[:1],
    )  # fmt: skip
    unsigned = found(house, "safeguards.sign-in", which=1)
    broken(unsigned, "read-unsigned", 1, at_night, "read.granted")
    shown(house.keeper, house.home, unsigned)
    house.keeper.attest(house.policy, "safeguards.sign-in", mended=True)
    house.wait(1)
    assert [gap.what for gap in found(house, "safeguards.sign-in", which=1).gaps] == ["read-unsigned"]


@pytest.mark.clauses("BZ18-5.1.0")
def test_a_read_after_the_destruction_was_ordered_is_found(house: Audited) -> None:
    life = subscriber(house, "recommending")
    house.keeper.withdraw(life.subject, "purpose/recommending", channel="website")
    house.read(life)  # refused, since it is due
    house.wait(3)
    house.keeper.sweep()
    house.wait(1)
    before = found(house, "guarantees.due-is-unread")
    assert (before.state, before.gaps) == (State.UPHELD, ())
    late = smuggle(
        house, "read.granted", life, ("purposes.optional.recommending",), purpose="recommending",
        reader="application", values=tuple(life.values.values())[:1],
    )  # fmt: skip
    one = found(house, "guarantees.due-is-unread")
    broken(one, "read-when-due", 1, late, "read.granted")
    shown(house.keeper, house.home, one)


@pytest.mark.clauses("NX17-3.2.b")
def test_a_read_of_what_stood_still_is_found(tmp_path: Path) -> None:
    house = Audited("nexr-2017", tmp_path / "home")
    life = house.take_up(*next(one for one in house.takings() if one[2].purpose == "service"))
    row = house.plan.rights["rectification"]
    assert row.freezes
    made = house.keeper.request(life.subject, "rectification", channel=sorted(row.by)[0], proved=True)
    house.wait(0.1)
    house.read(life)  # refused: it stands still
    clause = house.document.rights["rectification"].clauses["freeze"][0]
    assert house.audit().clause(clause).state is State.UPHELD
    seen = smuggle(
        house, "read.granted", life, ("purposes.required.service",), purpose="service", reader="application",
        values=tuple(life.values.values())[:1],
    )  # fmt: skip
    one = house.audit().clause(clause)
    broken(one, "read-while-held", 1, seen, "read.granted")
    shown(house.keeper, house.home, one)
    house.keeper.answer(life.subject, RequestId(made.made or ""), "done")
    house.keeper.close()


@pytest.mark.clauses("BZ18-2.3")
def test_a_secret_that_somebody_saw_instead_of_its_job_is_found(house: Audited) -> None:
    life = subscriber(house, "scraping")
    house.hire()
    house.read(life)
    house.wait(1)
    before = found(house, "items.hometax-cert")
    assert (before.state, before.gaps) == (State.UPHELD, ())
    seen = smuggle(
        house, "read.granted", life, ("purposes.required.scraping",), purpose="scraping", reader="handler",
        reader_id=next(iter(house.staff.values())), values=(life.values["hometax-cert"],),
    )  # fmt: skip
    one = found(house, "items.hometax-cert")
    broken(one, "secret-read", 1, seen, "read.granted")
    shown(house.keeper, house.home, one)


# ── Given, taken, sent, destroyed as it must not be ───────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-7.0.b")
def test_somebody_on_no_list_who_got_something_is_found(house: Audited) -> None:
    life = house.provide_all()[0]
    house.wait(1)
    assert found(house, "guarantees.no-recipient-unlisted").state is State.UPHELD
    house.wait(1)
    plant(house, "UPDATE disclosure SET recipient = 'a-friend' WHERE subject_id = ?", life.subject)
    one = found(house, "guarantees.no-recipient-unlisted")
    broken(one, "recipient-unlisted", 1, None, "control.evidenced")
    shown(house.keeper, house.home, one)


@pytest.mark.clauses("MS18-9.1")
def test_what_was_taken_of_a_child_alone_is_found(tmp_path: Path) -> None:
    house = Audited("kt-mns-2018", tmp_path / "home")
    house.children()
    house.wait(1)
    assert found(house, "children.age").state is State.UPHELD
    alone = house.take_up(*next(iter(house.takings())))
    house.wait(1)
    plant(house, "UPDATE subject SET minor_until = ? WHERE subject_id = ?", 2**60, alone.subject)
    one = found(house, "children.age")
    broken(one, "child-unconsented", 1, None, "control.evidenced")
    shown(house.keeper, house.home, one)
    house.keeper.close()


@pytest.mark.clauses("BZ18-2.3.B.1")
def test_an_advertisement_at_night_is_found(house: Audited) -> None:
    life = subscriber(house, "recommending")
    house.advertise(life)
    house.wait(1)
    path = house.plan.advertising["message"][0].path
    assert found(house, path).state is State.UPHELD
    midnight = house.clock.now()
    while not house.plan.country.is_night(moment(midnight, house.zone).hour):
        midnight = Instant(midnight + HOUR)
    house.clock.set(midnight)
    refused = house.keeper.send(life.subject, "recommending", "message")
    assert [reason.value for reason in refused.reasons] == ["night"]
    sent = smuggle(
        house, "advert.sent", life, ("purposes.optional.recommending", path), message="m" * 20, medium="message",
        purpose="recommending", consent="c" * 20,
    )  # fmt: skip
    one = found(house, path)
    broken(one, "sent-at-night", 1, sent, "advert.sent")
    shown(house.keeper, house.home, one)


def test_who_agreed_to_the_night_may_be_written_to_at_night(tmp_path: Path) -> None:
    media = "advertising: {sms: {clause: T-21, for: offers, at-night: own-consent, en: by phone, ko: 문자}}\n"
    with opened(tmp_path / "home", at("2020-03-01")) as house:
        keeper, clock = house.keeper, house.clock
        keeper.publish((POLICY + media).encode(), as_of=at("2020-02-01").date(), evidence="trial")
        person = member(house, "awake")
        keeper.consent(person, "medium/sms", channel="website")
        clock.set(at("2020-03-01", 23))
        assert [reason.value for reason in keeper.send(person, "offers", "sms").reasons] == ["night"]
        keeper.consent(person, "night/sms", channel="website")
        assert keeper.send(person, "offers", "sms").granted
        clock.set(at("2020-03-02"))
        assert keeper.audit("trial").clause("T-21").state is State.UPHELD
        keeper.withdraw(person, "night/sms", channel="website")
        clock.set(at("2020-03-02", 22))
        made = entry(
            "advert.sent", clock.now(), "trial", keeper.views.alias(person), ("advertising.sms",), message="m" * 20,
            medium="sms", purpose="offers", consent="c" * 20,
        )  # fmt: skip
        with keeper.places.active.transaction() as transaction:
            transaction.journal(made)
        planted = clock.now()
        clock.set(at("2020-03-03"))
        broken(keeper.audit("trial").clause("T-21"), "sent-at-night", 1, planted, "advert.sent")


@pytest.mark.clauses("BZ18-6.2.A")
def test_paper_that_was_destroyed_before_no_witness_is_found(house: Audited) -> None:
    witnessed, alone = (subscriber(house, "recommending") for _ in range(2))
    for life in (witnessed, alone):
        house.keeper.also_in(life.subject, next(iter(life.values.values())), "paper-file")
        house.keeper.withdraw(life.subject, "purpose/recommending", channel="website")
    house.wait(3)
    house.keeper.sweep()
    orders = house.keeper.work_orders(house.policy)
    assert len(orders) == 2
    house.keeper.work_done(orders[0].order_id, method="shred", by="handler", witness="officer")
    house.wait(1)
    before = found(house, "destruction.paper", which=1)
    assert (before.state, before.gaps) == (State.UPHELD, ())  # the other one is not late yet
    house.keeper.work_done(orders[1].order_id, method="shred", by="handler")
    done = house.clock.now()
    house.wait(1)
    one = found(house, "destruction.paper", which=1)
    broken(one, "witness-missing", 1, done, "work-order.done")
    shown(house.keeper, house.home, one)


@pytest.mark.clauses("BZ18-6.2.A", "BZ18-6.1.A.3")
def test_paper_and_index_that_wait_longer_than_the_grace_are_not_upheld_and_named(house: Audited) -> None:
    life = subscriber(house, "recommending")
    for place in ("paper-file", "search-index"):
        house.keeper.also_in(life.subject, next(iter(life.values.values())), place)
    house.keeper.withdraw(life.subject, "purpose/recommending", channel="website")
    withdrawn = house.clock.now()
    house.wait(3)
    house.keeper.sweep()
    house.wait(1)
    assert found(house, "destruction.at-expiry", which=1).gaps == ()
    house.wait(20)
    limit = end_of(withdrawn, Period(days=5), house.zone)
    for path, places in (
        ("destruction.paper", {"paper-file"}),
        ("destruction.electronic", {"search-index"}),
        ("destruction.at-expiry", {"paper-file", "search-index"}),
    ):
        late = found(house, path, which=1)
        broken(late, "destruction-overdue", 1, limit)
        assert {what.partition(":")[2] for what in late.what} == places
    for order in house.keeper.work_orders(house.policy):
        house.keeper.work_done(order.order_id, method="shred", by="handler", witness="officer")
    done = house.clock.now()
    house.wait(1)
    mended = found(house, "destruction.at-expiry", which=1)
    assert mended.state is State.UPHELD
    assert {(gap.detail, gap.since, gap.until) for gap in mended.gaps} == {
        ("paper-file", limit, done),
        ("search-index", limit, done),
    }


def test_who_passed_on_without_having_been_told_is_found(tmp_path: Path) -> None:
    with opened(tmp_path / "home", at("2020-03-01")) as house:
        keeper, clock = house.keeper, house.clock
        keeper.publish(WITH_PLACES.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        clock.set(OPENED)
        member(house, "told")
        case = case_of(house)
        keeper.tell_merger("trial", case)
        keeper.deliver(Scripted())
        clock.set(EFFECTIVE)
        assert keeper.hand_over("trial", case, lambda bundle: None).handed == 1
        clock.set(instant(EFFECTIVE) + DAY)
        assert keeper.audit("trial").clause("T-13").state is State.UPHELD
        untold = member(house, "untold")
        made = entry(
            "handover.begun", clock.now(), "trial", keeper.views.alias(untold), ("changes.business-transfer",),
            case=case, disclosure="d" * 20, recipient="sample-ltd", values=(1,), items=("name",),
        )  # fmt: skip
        with keeper.places.active.transaction() as transaction:
            transaction.journal(made)
        planted = clock.now()
        clock.set(Instant(planted + DAY))
        one = keeper.audit("trial").clause("T-13")
        broken(one, "passed-on-untold", 1, planted, "handover.begun")
        shown(keeper, tmp_path / "home", one)
        keeper.attest("trial", "changes.business-transfer", mended=True)
        clock.set(Instant(planted + 2 * DAY))
        assert [gap.what for gap in keeper.audit("trial").clause("T-13").gaps] == ["passed-on-untold"]


# ── Why there is nothing to show ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-7.0.c")
def test_what_is_declared_and_cannot_be_run_is_said_to_be_so_from_its_publication(house: Audited) -> None:
    published = house.keeper.views.line(house.policy).latest.effective_at
    blocked = [row for row in house.document.rows() if row.blocked and not row.builtin and row.clauses]
    assert blocked
    report = house.audit()
    for row in blocked:
        own = [clause for ids in row.clauses.values() for clause in ids]
        one = next(one for one in map(report.clause, own) if one.published_over)
        assert one.state is State.NOT_UPHELD
        assert {each.partition(":")[0] for each in one.what} == {"declared-not-run"}
        assert f"declared-not-run:{row.path}" in one.what
        assert one.since is not None
        assert local_date(one.since, house.zone) <= local_date(published, house.zone)
        assert {each.kind for each in one.evidence} == {"policy.published"}
        assert ("declared-not-run", row.path) in [(each.note, each.path) for each in one.elements]


def test_why_nothing_is_shown_is_said_and_goes_when_something_is(house: Audited) -> None:
    def note(path: str) -> tuple[State, str]:
        return next((each.state, each.note) for each in found(house, path).elements if each.path == path)

    assert note("guarantees.no-recipient-unlisted") == (State.NO_EVIDENCE, "nothing-happened")
    assert note("guarantees.notice-always-open") == (State.NO_EVIDENCE, "needs-attesting")
    per_host = next(row for row in house.plan.controls.values() if row.evidence and row.per == "host" and row.due_every)
    path = per_host.rule.path
    assert note(path) == (State.NO_EVIDENCE, "register-empty")
    house.provide_all()
    house.keeper.attest(house.policy, "guarantees.notice-always-open")
    house.keeper.register(house.policy, "host", "host-1")
    for kind in sorted(per_host.evidence):
        house.keeper.file_evidence(house.policy, per_host.name, kind, about="host-1")
    house.wait(0.5)
    assert note("guarantees.no-recipient-unlisted") == (State.UPHELD, "")
    assert note("guarantees.notice-always-open") == (State.UPHELD, "")
    assert note(path) == (State.UPHELD, "")


def test_what_is_owed_only_after_something_happens_is_not_due_and_a_word_that_no_rule_uses_yet_says_so(
    house: Audited,
) -> None:
    house.keeper.register(house.policy, "host", "host-1")
    report = house.audit()
    notes = {(each.path, each.note) for one in report.clauses for each in one.elements}
    alerts = next(row for row in house.plan.controls.values() if "advisory-published" in row.due_after)
    assert (alerts.rule.path, "not-due") in notes
    words = {path for path, note in notes if note == "no-rule"}
    assert words
    assert {path.split(".")[0] for path in words} <= WORDS


def test_a_version_that_is_not_in_force_yet_is_said_to_be_so(tmp_path: Path) -> None:
    house = Audited("nexr-2017", tmp_path / "home")
    assert house.audit().findings == ()
    text = (POLICIES / "nexr-2017.yaml").read_text("utf-8")
    later = text.replace("date: 2017-09-01", "date: 2017-09-09").replace("date: 2017-09-08", "date: 2017-10-10")
    house.wait(1)
    house.keeper.publish(later.encode())
    assert house.audit(version="2017-10-10").findings == ("not-in-force-yet",)
    house.wait(40)
    assert house.audit(version="2017-10-10").findings == ()
    house.keeper.close()
