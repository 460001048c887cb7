"""What was not upheld, since when and until when; what is planted by hand; what people put on record."""

from __future__ import annotations

from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

import upheld
from tests.audited import POLICIES, Audited
from tests.homes import connection_to
from tests.trial_home import POLICY, at, member, opened
from upheld.dates import Instant, moment
from upheld.engine.acts import HandlerId, Reader, ReaderKind, RequestId
from upheld.errors import InputRefused
from upheld.ledger.entries import entry
from upheld.ledger.report import (
    State,
    as_text,
)

DAY = 86_400_000_000
RECORD_OF_A_LAW = """
laws: {commerce: {clause: T-10, en: Commerce Act, ko: 상거래법}}
statutes:
  contracts: {clause: {all: T-10, items: T-11}, law: commerce 6, items: [name], until: closed + P5Y,
              en: records of contracts, ko: 계약에 관한 기록}
"""


@pytest.fixture
def house(tmp_path: Path) -> Audited:
    return Audited("nexr-2017", tmp_path / "home")


def lived(house: Audited, persons: int) -> None:
    """So many persons whose inquiry is answered."""
    role, stay, taking = next(one for one in house.takings() if one[2].purpose == "service")
    for _ in range(persons):
        house.leave(house.take_up(role, stay, taking))


@pytest.mark.clauses("NX17-5.2.a", "NX17-5.0", "NX17-2.2.b", "NX17-1.2", "NX17-5.2.b")
def test_values_past_their_grace_break_the_promise_for_as_many_persons_since_that_day(house: Audited) -> None:
    house.keeper.sweep()
    lived(house, 3)
    house.wait(3)
    assert house.audit().clause("NX17-5.2.a").state is State.NO_EVIDENCE
    house.wait(10)
    late = house.audit()
    for clause in ("NX17-5.2.a", "NX17-5.0", "NX17-2.2.b", "NX17-1.2", "NX17-5.2.b"):
        one = late.clause(clause)
        assert (one.state, one.persons) == (State.NOT_UPHELD, 3), clause
        assert moment(one.since or Instant(0), house.zone).date() == date(2017, 9, 14)  # five days after the 8th
    house.keeper.sweep()
    house.wait(2)
    mended = house.audit().clause("NX17-5.2.a")
    assert mended.state is State.UPHELD
    assert [(gap.what, gap.persons) for gap in mended.gaps] == [("destruction-overdue", 3)]


@pytest.mark.clauses("NX17-5.2.a")
def test_a_span_tells_what_was_not_upheld_inside_it_even_if_mended_since(house: Audited) -> None:
    started = house.clock.now()
    lived(house, 1)
    house.wait(20)
    during = house.clock.now()
    house.keeper.sweep()
    house.wait(20)
    lived(house, 1)
    house.wait(2)
    house.keeper.sweep()
    house.wait(1)
    past = house.audit(until=during).clause("NX17-5.2.a")
    assert (past.state, past.persons) == (State.NOT_UPHELD, 1)
    whole = house.audit(since=started).clause("NX17-5.2.a")
    assert (whole.state, len(whole.gaps)) == (State.UPHELD, 1)
    after = house.audit(since=Instant(during + DAY)).clause("NX17-5.2.a")
    assert (after.state, after.gaps) == (State.UPHELD, ())
    before = house.audit(until=Instant(started + 2 * DAY)).clause("NX17-5.2.a")
    assert before.state is State.NO_EVIDENCE


def test_a_past_span_knows_of_the_system_only_what_an_audit_found_then(house: Audited) -> None:
    lived(house, 1)
    house.wait(1)
    unlooked = house.clock.now()
    house.wait(30)
    house.audit()
    house.wait(1)
    looked = house.clock.now()
    assert house.audit(until=unlooked).clause("NX17-6.6.b").state is State.NO_EVIDENCE
    assert house.audit(until=looked).clause("NX17-6.6.b").state is State.UPHELD


def test_a_span_that_ends_before_it_begins_is_refused(house: Audited) -> None:
    now = house.clock.now()
    with pytest.raises(InputRefused, match="before it begins"):
        house.audit(since=now, until=Instant(now - DAY))


# ── Broken by hand ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("NX17-6.6.b")
def test_one_changed_byte_of_the_ledger_is_not_upheld(house: Audited) -> None:
    lived(house, 2)
    house.keeper.seal()
    assert house.audit().clause("NX17-6.6.b").state is State.UPHELD
    with closing(connection_to(house.home / "ledger.db")) as ledger:
        body = bytes(ledger.execute("SELECT body FROM body WHERE leaf = 1").fetchone()[0])
        ledger.execute("BEGIN")
        ledger.execute("UPDATE body SET body = ? WHERE leaf = 1", (body[:-1] + bytes([body[-1] ^ 1]),))
        ledger.execute("COMMIT")
    broken = house.audit().clause("NX17-6.6.b")
    assert broken.state is State.NOT_UPHELD
    assert broken.what[0].startswith("ledger-broken")


@pytest.mark.clauses("NX17-6.7.a")
def test_a_grant_without_an_entry_is_not_upheld(house: Audited) -> None:
    house.hire()
    assert house.audit().clause("NX17-6.7.a").state is State.UPHELD
    with house.keeper.places.active.transaction() as transaction:
        transaction.execute("UPDATE handler SET handler_id = ? WHERE duty = 'marketer'", ("z" * 20,))
    broken = house.audit().clause("NX17-6.7.a")
    assert (broken.state, broken.what) == (State.NOT_UPHELD, ("grant-unrecorded",))


@pytest.mark.clauses("NX17-6.2.b")
def test_a_read_by_somebody_without_a_grant_lasts_until_it_is_dealt_with(house: Audited) -> None:
    house.hire()
    role, stay, taking = next(one for one in house.takings() if one[2].purpose == "service")
    life = house.take_up(role, stay, taking)
    house.read(life)
    assert house.audit().clause("NX17-6.2.b").state is State.UPHELD
    stranger = Reader(ReaderKind.HANDLER, HandlerId("b" * 20), frozenset({"service"}))
    house.wait(1)
    house.keeper.read(life.subject, "service", reader=stranger, items=("name",), use=life.taking.uses[0])
    house.wait(30)
    broken = house.audit().clause("NX17-6.2.b")
    assert (broken.state, broken.persons, broken.what) == (State.NOT_UPHELD, 1, ("read-ungranted",))
    assert house.keeper.attest("nexr", "handlers.counsellor", mended=True) == "mended"
    house.wait(1)
    mended = house.audit().clause("NX17-6.2.b")
    assert mended.state is State.UPHELD
    assert [gap.what for gap in mended.gaps] == ["read-ungranted"]


def test_a_value_written_over_by_hand_is_no_ciphertext(tmp_path: Path) -> None:
    house = Audited("nexr-2017", tmp_path / "home")
    lived(house, 1)
    role, stay, taking = next(one for one in house.takings() if one[2].purpose == "service")
    life = house.take_up(role, stay, taking)
    house.audit()
    with house.keeper.places.active.transaction() as transaction:
        row = (b"a name that anybody can read", life.values["name"])
        transaction.execute("UPDATE value SET sealed = ? WHERE value_id = ?", row)
    broken = house.audit().clause("NX17-6.5.c")
    assert (broken.state, broken.persons, broken.what) == (State.NOT_UPHELD, 1, ("plain-at-rest",))


def test_a_value_of_an_item_that_is_never_collected_is_not_upheld(tmp_path: Path) -> None:
    house = Audited("kt-mns-2018", tmp_path / "home")
    role, stay, taking = next(iter(house.takings()))
    life = house.take_up(role, stay, taking)
    never = house.document.items["belief"]
    assert "item-taken:belief" not in house.audit().clause(never.clauses["all"][0]).what
    with house.keeper.places.active.transaction() as transaction:
        value = next(iter(life.values.values()))
        transaction.execute("UPDATE value SET item = 'belief' WHERE value_id = ?", (value,))
    broken = house.audit().clause(never.clauses["all"][0])
    assert (broken.state, broken.persons) == (State.NOT_UPHELD, 1)
    assert "item-taken:belief" in broken.what


def test_a_record_of_a_law_that_holds_another_item_is_not_upheld(tmp_path: Path) -> None:
    with opened(tmp_path / "home", at("2024-02-27")) as house:
        keeper, clock = house.keeper, house.clock
        keeper.publish((POLICY + RECORD_OF_A_LAW).encode(), as_of=at("2020-02-01").date(), evidence="trial")
        person = member(house, "old", offers=False)
        clock.set(at("2024-03-01"))
        keeper.fact(person, "closed")
        clock.set(at("2024-03-03"))
        keeper.sweep()
        assert "outside-items" not in keeper.audit("trial").clause("T-11").what
        with keeper.places.separated.transaction() as transaction:
            transaction.execute("UPDATE value SET item = 'phone' WHERE item = 'name'")
        broken = keeper.audit("trial").clause("T-11")
        assert (broken.state, broken.persons, broken.what) == (State.NOT_UPHELD, 1, ("outside-items",))


@pytest.mark.clauses("NX17-6.6.a")
def test_access_records_destroyed_before_their_time_are_not_upheld(house: Audited) -> None:
    role, stay, taking = next(one for one in house.takings() if one[2].purpose == "service")
    life = house.take_up(role, stay, taking)
    house.read(life)
    house.wait(200)
    house.keeper.sweep()
    house.keeper.prune("nexr", kept_for=upheld.dates.Period(months=6))
    house.wait(1)
    assert house.audit().clause("NX17-6.6.a").state is not State.NOT_UPHELD
    role, stay, taking = next(one for one in house.takings() if one[2].purpose == "marketing")
    house.read(house.take_up(role, stay, taking))
    house.wait(30)
    house.keeper.prune("nexr", kept_for=upheld.dates.Period(days=20))
    house.wait(1)
    broken = house.audit().clause("NX17-6.6.a")
    assert (broken.state, broken.what) == (State.NOT_UPHELD, ("records-short",))


def test_the_document_on_file_must_be_the_one_published(tmp_path: Path) -> None:
    house = Audited("bizmeka-ez-2018", tmp_path / "home")
    assert house.audit().clause("BZ18-1.3.a").state is State.UPHELD
    with house.keeper.places.active.transaction() as transaction:
        source = transaction.execute("SELECT source FROM policy_version").fetchone()[0]
        transaction.execute("UPDATE policy_version SET source = ?", (source + b"# an afterthought",))
    broken = house.audit().clause("BZ18-1.3.a")
    assert (broken.state, broken.what) == (State.NOT_UPHELD, ("source-changed",))


@pytest.mark.clauses("NX17-6.4.a")
def test_what_the_officer_published_over_is_not_upheld_and_shown_apart(tmp_path: Path) -> None:
    clock = upheld.SetClock(moment(Instant(1_504_900_000_000_000)))
    keeper = upheld.open(tmp_path / "home", upheld.Options(clock=clock, light_hashing=True, durable=False))
    document = POLICIES / "nexr-2017.yaml"
    keeper.publish(document, as_of=date(2017, 9, 8), evidence="scan-1", gaps=("safeguards.antivirus",))
    keeper.register("nexr", "host", "host-1")
    for _ in range(2):
        keeper.file_evidence("nexr", "antivirus", "antivirus-report", about="host-1")
        clock.set(moment(clock.now()) + timedelta(days=1))
    report = keeper.audit("nexr")
    found = report.clause("NX17-6.4.a")
    assert (found.state, found.published_over) == (State.NOT_UPHELD, True)
    assert report.findings == ("published-afterwards",)
    assert "put on file after it took effect" in as_text(report)


def test_a_version_announced_too_late_breaks_what_the_version_before_promised(tmp_path: Path) -> None:
    house = Audited("nexr-2017", tmp_path / "home")
    text = (POLICIES / "nexr-2017.yaml").read_text("utf-8")
    later = text.replace("date: 2017-09-01", "date: 2017-10-08").replace("date: 2017-09-08", "date: 2017-10-10")
    assert later != text
    house.wait(29)
    house.keeper.publish(later.encode())
    house.wait(30)
    broken = house.audit(version="2017-09-08", until=Instant(house.clock.now())).clause("NX17-10.b")
    assert broken.gaps == () or broken.gaps[0].what == "announced-late"
    own = house.audit(version="2017-10-10").clause("NX17-10.c")
    assert [gap.what for gap in own.gaps] == ["announced-late"]


def test_a_withdrawal_known_too_late_leaves_a_gap_until_it_was_known(tmp_path: Path) -> None:
    house = Audited("bizmeka-ez-2018", tmp_path / "home")
    life = house.provide_all()[0]
    given = house.clock.now()
    recipient = next(iter(house.plan.provisions))
    house.wait(1)
    channel = next(iter(house.plan.consent_channels))
    about = f"provision/{recipient}"
    house.keeper.withdraw(life.subject, about, channel=channel, at=Instant(given - 60_000_000))
    house.acknowledge_all()
    house.wait(1)
    found = house.audit().clause("BZ18-4.1.b")
    late = [gap for gap in found.gaps if gap.what == "too-late-to-prevent"]
    assert [(gap.element, gap.persons) for gap in late] == [(f"provisions.{recipient}", 1)]
    assert all(gap.until is not None for gap in late)
    assert found.state is State.UPHELD


@pytest.mark.clauses("BZ18-7.1.1")
def test_a_late_end_leaves_a_gap_at_the_recipients_clause(tmp_path: Path) -> None:
    house = Audited("bizmeka-ez-2018", tmp_path / "home")
    life = house.provide_all()[0]
    given = house.clock.now()
    recipient = next(iter(house.plan.provisions))
    engagement = next(iter(house.keeper.views.get(life.subject, given).state.disclosures)).engagement
    house.wait(1)
    told = house.keeper.fact(life.subject, "ended", engagement=engagement, at=Instant(given - 60_000_000))
    assert f"told:{recipient}" in told.tells
    house.acknowledge_all()
    house.wait(1)
    found = house.audit().clause("BZ18-7.1.1")
    late = [gap for gap in found.gaps if gap.what == "too-late-to-prevent"]
    assert [(gap.element, gap.persons, gap.detail) for gap in late] == [(f"provisions.{recipient}", 1, "ended")]
    assert all(gap.until is not None for gap in late)
    assert found.state is State.UPHELD


@pytest.mark.clauses("BZ18-7.1.1", "BZ18-4.1.b")
def test_something_given_without_the_recipients_consent_is_not_upheld(tmp_path: Path) -> None:
    house = Audited("bizmeka-ez-2018", tmp_path / "home")
    life = house.provide_all()[0]
    assert house.audit().clause("BZ18-7.1.1").state is State.UPHELD
    house.wait(1)
    stranger = house.take_up(life.role, life.stay, life.taking)
    alias = house.keeper.views.alias(stranger.subject)
    values = tuple(stranger.values.values())[:1]
    smuggled = entry(
        "value.provided", house.clock.now(), house.policy, alias, ("provisions.mhows",), recipient="mhows",
        values=values, items=("name",), disclosure="s" * 20,
    )  # fmt: skip
    with house.keeper.places.active.transaction() as transaction:
        transaction.journal(smuggled)
    house.wait(1)
    broken = house.audit().clause("BZ18-7.1.1")
    # What was smuggled into the ledger has no row in the place either.
    told = ("record-missing:disclosure", "consent-missing")
    assert (broken.state, broken.persons, set(broken.what)) == (State.NOT_UPHELD, 1, set(told))


@pytest.mark.clauses("BZ18-4.2.b")
def test_something_entrusted_without_the_persons_consent_to_the_processor_is_not_upheld(tmp_path: Path) -> None:
    house = Audited("bizmeka-ez-2018", tmp_path / "home")
    contracts = house.contract_all()
    life = house.entrust_all()[0]
    house.wait(1)
    assert house.audit().clause("BZ18-4.2.b").state is State.UPHELD
    stranger = house.take_up(life.role, life.stay, life.taking)
    alias = house.keeper.views.alias(stranger.subject)
    smuggled = entry(
        "value.entrusted", house.clock.now(), house.policy, alias, ("entrustments.ktis",), processor="ktis",
        purpose=life.taking.purpose, values=tuple(stranger.values.values())[:1], items=("name",),
        contract=contracts["ktis"], disclosure="s" * 20,
    )  # fmt: skip
    with house.keeper.places.active.transaction() as transaction:
        transaction.journal(smuggled)
    house.wait(1)
    broken = house.audit().clause("BZ18-4.2.b")
    told = ("record-missing:disclosure", "consent-missing")
    assert (broken.state, broken.persons, set(broken.what)) == (State.NOT_UPHELD, 1, set(told))


@pytest.mark.clauses("BZ18-8.0.g", "BZ18-8.0.c", "BZ18-8.0.b")
def test_a_processor_that_returns_nothing_in_time_is_not_upheld_for_everybody_it_got(tmp_path: Path) -> None:
    house = Audited("bizmeka-ez-2018", tmp_path / "home")
    contracts = house.contract_all()
    house.entrust_all()
    house.wait(1)
    assert house.audit().clause("BZ18-8.0.b").state is State.UPHELD
    assert house.audit().clause("BZ18-8.0.c").state is State.UPHELD
    house.keeper.end_contract(house.policy, contracts["ktis"])
    ended = house.clock.now()
    house.wait(30)
    broken = house.audit().clause("BZ18-8.0.g")
    assert (broken.state, broken.persons, broken.what) == (State.NOT_UPHELD, 1, ("return-overdue:ktis",))
    assert broken.since is not None
    assert ended < broken.since < ended + 3 * DAY
    house.keeper.returned(house.policy, contracts["ktis"])
    house.wait(1)
    assert house.audit().clause("BZ18-8.0.g").state is State.UPHELD


@pytest.mark.clauses("BZ18-8.0.c")
def test_a_contract_that_lacks_a_term_is_not_upheld_for_that_term(tmp_path: Path) -> None:
    house = Audited("bizmeka-ez-2018", tmp_path / "home")
    house.keeper.contract(house.policy, "ktis", terms=house.plan.entrustments["ktis"].terms - {"compliance"})
    house.wait(1)
    report = house.audit()
    assert report.clause("BZ18-8.0.c").state is State.NOT_UPHELD
    assert report.clause("BZ18-8.0.c").what == ("term-missing:ktis",)
    assert report.clause("BZ18-8.0.d").state is State.UPHELD


@pytest.mark.clauses("BZ18-9.5.b", "BZ18-9.5.a")
def test_a_request_without_an_answer_is_not_upheld_from_its_due_day(tmp_path: Path) -> None:
    house = Audited("bizmeka-ez-2018", tmp_path / "home")
    life = house.take_up(*next(iter(house.takings())))
    made = house.keeper.request(life.subject, "access", channel="website", proved=True)
    house.wait(30)
    for clause in ("BZ18-9.5.b", "BZ18-9.5.a"):
        broken = house.audit().clause(clause)
        assert (broken.state, broken.persons, broken.what) == (State.NOT_UPHELD, 1, ("answer-overdue",))
    house.keeper.answer(life.subject, RequestId(made.made or ""), "done")
    house.wait(1)
    mended = house.audit().clause("BZ18-9.5.a")
    assert (mended.state, [gap.what for gap in mended.gaps]) == (State.UPHELD, ["answer-overdue"])


# ── Put on record ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_acts_show_cannot_be_put_on_record_by_anybody(house: Audited) -> None:
    for element in ("purposes.required.service", "statements.NX17-9.0.b", "no.such.element"):
        with pytest.raises(InputRefused) as refused:
            house.keeper.attest("nexr", element)
        assert refused.value.code == "element-unattestable"


def test_the_same_put_on_record_twice_counts_once(house: Audited) -> None:
    for _ in range(2):
        assert house.keeper.attest("nexr", "agencies.police") == "particulars-review"
    house.keeper.seal()
    found = house.audit().clause("NX17-9.4")
    assert found.state is State.UPHELD
    assert len([one for one in found.evidence if one.kind == "control.evidenced"]) == 1


@pytest.mark.clauses("NX17-6.2.c")
def test_nobody_owes_evidence_for_who_has_left(house: Audited) -> None:
    house.hire()
    house.file_all()
    house.wait(200)
    for duty, handler in house.staff.items():
        house.keeper.revoke("nexr", handler, duty)
    house.wait(400)
    assert house.audit().clause("NX17-6.2.c").state is State.UPHELD
