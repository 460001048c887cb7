"""How long a value is kept, and by what: each ground, each end, and the invariants of the life of a value."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tests.sketch import Sketch, day
from upheld.dates import FOREVER, Period
from upheld.engine.lifecycle import Moment, Scope, StepKind
from upheld.engine.plan import GroundKind
from upheld.engine.state import HeldState, Use
from upheld.policy.ends import LaterOf, Plus, Point

BIZMEKA = "bizmeka-ez-2018.yaml"
BIZMEKA_2016 = "bizmeka-ez-2016.yaml"
NEXR = "nexr-2017.yaml"
KE = "kt-enterprise-2022.yaml"
MNS = "kt-mns-2018.yaml"


def member() -> Sketch:
    """A member of bizmeka with consent to the required purposes."""
    one = Sketch(BIZMEKA)
    one.agree("purpose/identity", "purpose/service", "purpose/running")
    return one


# ── purposes ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-5.1.0", "BZ18-5.1.A")
def test_a_value_is_used_until_the_subscription_is_cancelled() -> None:
    one = member()
    membership = one.begin("membership")
    value = one.hold("gender", "identity", membership)
    assert one.due(value) == "active"
    assert one.gone_on(value) is None
    one.to("2019-03-01").tell("cancelled", membership)
    assert one.due(value) == "due"


@pytest.mark.clauses("NX17-2.2.a", "NX17-1.1")
def test_of_a_year_and_a_delivered_result_the_earlier_ends_the_use() -> None:
    one = Sketch(NEXR, kind="user")
    one.agree("purpose/complaint")
    complaint = one.begin("complaint")
    value = one.hold("name", "complaint", complaint)
    assert one.gone_on(value) == date(2019, 8, 2)  # counting began on 2 August
    one.to("2018-09-10").tell("result-delivered", complaint)
    assert one.gone_on(value) == date(2018, 9, 10)


@pytest.mark.clauses("NX17-2.3")
def test_marketing_lasts_half_a_year_from_collection_to_the_last_day() -> None:
    one = Sketch(NEXR, kind="user", now="2018-08-30")
    one.agree("purpose/marketing")
    value = one.hold("email", "marketing")
    assert one.to("2019-02-28 23:59").due(value) == "active"  # from the 31st; February has none
    assert one.to("2019-03-01 00:00").due(value) == "due"


@pytest.mark.clauses("KE22-2.3.b-r1")
def test_consent_given_again_while_it_runs_starts_its_year_anew() -> None:
    one = Sketch(KE, kind="customer", now="2022-03-01")
    one.agree("purpose/marketing")
    value = one.hold("email", "marketing")
    assert one.gone_on(value) == date(2023, 3, 2)
    one.to("2022-09-01").agree("purpose/marketing")
    assert one.gone_on(value) == date(2023, 9, 2)


@pytest.mark.clauses("KE22-2.3.b-r1")
def test_the_year_of_a_value_counts_from_the_newest_consent_before_it_was_taken() -> None:
    one = Sketch(KE, kind="customer", now="2022-03-01")
    one.agree("purpose/marketing")
    one.to("2022-09-01").agree("purpose/marketing")
    value = one.to("2022-09-02").hold("email", "marketing")
    assert one.gone_on(value) == date(2023, 9, 2)


@pytest.mark.clauses("KE22-2.3.b-r1")
def test_consent_given_again_when_the_year_is_over_revives_nothing() -> None:
    one = Sketch(KE, kind="customer", now="2022-03-01")
    one.agree("purpose/marketing")
    value = one.hold("email", "marketing")
    one.to("2023-03-02 00:00").agree("purpose/marketing")
    assert one.due(value) == "due"


@pytest.mark.clauses("NX17-5.2.b", "MS18-5.0-1", "KE22-5.0-1")
@pytest.mark.parametrize(("policy", "purpose"), [(NEXR, "marketing"), (KE, "marketing"), (MNS, "tailoring")])
def test_a_discontinued_service_makes_its_values_needless_and_no_other(policy: str, purpose: str) -> None:
    one = Sketch(policy, kind="user", now="2022-03-01")
    one.agree(f"purpose/{purpose}")
    item = sorted(one.plan.purposes[purpose].items)[0]
    value = one.hold(item, purpose)
    one.to("2022-03-02").organisation("service-discontinued", "something-else")
    assert one.due(value) == "active"
    one.organisation("service-discontinued", purpose)
    assert one.due(value) == "due"


@pytest.mark.clauses("NX17-5.2.b", "MS18-5.0-1", "KE22-5.1.a-1")
def test_a_closed_business_ends_every_use() -> None:
    one = Sketch(NEXR, kind="user")
    one.agree("purpose/marketing", "purpose/service")
    values = [one.hold("email", "marketing"), one.hold("name", "service", one.begin("inquiry"))]
    one.to("2018-08-05").organisation("business-closed")
    assert [one.due(value) for value in values] == ["due", "due"]


def test_an_ended_engagement_ends_what_was_used_for_it_whatever_fact_ended_it() -> None:
    one = member()
    membership = one.begin("membership")
    value = one.hold("gender", "identity", membership)
    one.to("2018-09-01").tell("ended", membership)
    assert one.due(value) == "due"


def test_one_engagement_ends_without_the_other() -> None:
    one = member()
    first, second = one.begin("membership"), one.begin("membership")
    ends, stays = one.hold("gender", "identity", first), one.hold("gender", "identity", second)
    one.to("2018-09-01").tell("cancelled", first)
    assert (one.due(ends), one.due(stays)) == ("due", "active")


@pytest.mark.clauses("KE22-4.1-4")
def test_a_download_that_nobody_saw_end_is_over_after_a_week() -> None:
    one = Sketch(KE, kind="customer", now="2022-03-01")
    one.agree("purpose/report")
    value = one.hold("email", "report", one.begin("report"))
    assert one.to("2022-03-08 23:59").due(value) == "active"
    assert one.to("2022-03-09 00:00").due(value) == "separated"


# ── consent ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-9.1.c", "NX17-1.0.b")
def test_i9_withdrawn_consent_ends_the_use_at_once() -> None:
    one = member()
    value = one.hold("gender", "identity", one.begin("membership"))
    one.to("2018-08-10").withdraw("purpose/identity")
    assert one.due(value) == "due"
    one.to("2018-08-11").agree("purpose/identity")
    assert one.due(value) == "due"  # who comes back gives anew


def test_consent_and_withdrawal_in_one_instant_is_a_withdrawal() -> None:
    one = Sketch(BIZMEKA)
    one.agree("purpose/recommending")
    one.withdraw("purpose/recommending")
    value = one.hold("email", "recommending", one.begin("membership"))
    assert one.due(value) == "due"


def test_a_second_live_purpose_keeps_a_value_but_not_for_the_dead_one() -> None:
    one = member()
    membership = one.begin("membership")
    value = one.hold("email", "identity", membership)
    use = structs.replace(one.values[value].uses[0], purpose="service")
    one.changed(value, uses=(*one.values[value].uses, use))
    one.to("2018-08-10").withdraw("purpose/service")
    assert one.due(value) == "active"
    assert one.read("service", value) == ["consent-withdrawn"]
    assert one.read("identity", value) == []


# ── retention, claims, disputes ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-5.1.B", "BZ18-6.1.A.1", "BZ18-6.1.A.3")
def test_after_cancellation_the_fee_file_waits_half_a_year_apart() -> None:
    one = member()
    membership = one.begin("membership")
    value = one.hold("birth-date", "identity", membership)
    one.to("2018-10-31").tell("cancelled", membership)
    assert one.kept_by(value) == ["retention.fee-dispute"]
    assert one.steps() == {value: StepKind.SEPARATE}
    assert one.to("2019-04-30 23:59").due(value) == "separated"  # from 1 November to 30 April
    assert one.to("2019-05-01 00:00").due(value) == "due"


def test_retention_follows_its_purpose_without_a_gap_or_not_at_all() -> None:
    one = member()
    membership = one.begin("membership")
    value = one.hold("birth-date", "identity", membership)
    one.to("2018-08-10").withdraw("purpose/identity")
    one.to("2018-08-11").tell("cancelled", membership)
    assert one.kept_by(value) == []


@pytest.mark.clauses("KE22-4.1-1", "KE22-4.1-2")
def test_retention_that_rests_on_consent_ends_with_it() -> None:
    one = Sketch(KE, kind="customer", now="2022-03-01")
    one.agree("purpose/inquiry")
    inquiry = one.begin("inquiry")
    value = one.hold("email", "inquiry", inquiry)
    one.to("2022-03-05").tell("inquiry-answered", inquiry)
    assert one.kept_by(value) == ["retention.after-service"]
    assert one.gone_on(value) == date(2023, 3, 6)
    one.to("2022-06-01").withdraw("purpose/inquiry")
    assert one.due(value) == "due"


@pytest.mark.clauses("BZ18-5.1.B")
def test_an_unpaid_fee_keeps_what_collects_it_until_everything_is_paid() -> None:
    one = member()
    membership = one.begin("membership")
    value = one.hold("birth-date", "identity", membership)
    one.to("2018-08-31").tell("fee-charged", membership)
    one.to("2018-09-01").tell("cancelled", membership)
    one.to("2021-01-01")
    assert one.kept_by(value) == ["retention.unpaid-fees"]
    one.tell("fees-paid", membership)
    assert one.kept_by(value) == []


def test_what_was_paid_before_does_not_pay_what_is_charged_after() -> None:
    one = member()
    membership = one.begin("membership")
    value = one.hold("birth-date", "identity", membership)
    one.to("2018-08-20").tell("fee-charged", membership)
    one.to("2018-08-25").tell("fees-paid", membership)
    one.to("2018-08-31").tell("fee-charged", membership)
    one.to("2018-09-01").tell("cancelled", membership)
    assert one.to("2021-01-01").kept_by(value) == ["retention.unpaid-fees"]


def test_an_end_that_waits_for_payment_waits_for_the_newest_charge() -> None:
    one = member()
    membership = one.begin("membership")
    one.to("2018-08-20").tell("fee-charged", membership)
    paid = one.to("2018-08-25").tell("fees-paid", membership)
    scope = Scope(paid.at, paid.at, membership, None)
    end = LaterOf((Point("fees-paid"), Point("dispute-settled")))
    assert one.life.end(end, scope) == Moment(paid.at, paid.known_at)
    one.to("2018-08-31").tell("fee-charged", membership)
    assert one.life.end(end, scope).at == FOREVER


def test_who_owes_nothing_is_not_waited_for() -> None:
    one = member()
    membership = one.begin("membership")
    value = one.hold("birth-date", "identity", membership)
    one.to("2018-09-01").tell("cancelled", membership)
    assert one.gone_on(value) == date(2019, 3, 2)


@pytest.mark.clauses("BZ18-5.1.C")
def test_a_dispute_keeps_the_values_it_names_and_only_if_they_are_still_there() -> None:
    one = member()
    membership = one.begin("membership")
    named, other = one.hold("gender", "identity", membership), one.hold("gender", "identity", membership)
    one.to("2018-09-01").tell("dispute-opened", about="one", values=(named,))
    one.tell("cancelled", membership)
    assert (one.due(named), one.due(other)) == ("separated", "due")
    one.to("2018-09-02").tell("dispute-opened", about="two", values=(other,))
    assert one.due(other) == "due"
    one.to("2020-01-01").tell("dispute-settled", about="two")
    assert one.due(named) == "separated"
    one.tell("dispute-settled", about="one")
    assert one.due(named) == "due"


def test_a_dispute_that_names_nothing_is_about_what_was_there_when_it_was_opened() -> None:
    one = member()
    membership = one.begin("membership")
    before = one.hold("gender", "identity", membership)
    one.to("2018-08-10").tell("dispute-opened", about="one")
    after = one.to("2018-08-11").hold("gender", "identity", membership)
    one.tell("cancelled", membership)
    assert (one.due(before), one.due(after)) == ("separated", "due")


def test_an_erasure_ends_a_use_that_began_after_it_was_asked_for() -> None:
    one = member()
    membership = one.begin("membership")
    value = one.hold("name", "identity", membership)
    request = one.to("2018-08-10").ask("erasure")
    use = Use("service", membership, day("2018-08-11"), one.plan.version, day("2018-08-11"))
    one.to("2018-08-11").changed(value, uses=(*one.values[value].uses, use))
    one.to("2018-08-12").answer(request, "done")
    assert one.due(value) == "due"


def test_what_moves_apart_is_late_from_the_end_of_its_last_use() -> None:
    one = member()
    membership, consultation = one.begin("membership"), one.begin("consultation")
    one.agree("purpose/inquiries")
    value = one.hold("name", "identity", membership)
    use = Use("inquiries", consultation, one.now, one.plan.version, one.now)
    one.changed(value, uses=(*one.values[value].uses, use))
    one.to("2018-09-01").tell("complaint-closed", consultation)
    one.to("2018-12-01").tell("cancelled", membership)
    assert one.steps() == {value: StepKind.SEPARATE}
    assert one.overdue() == set()
    assert one.to("2018-12-07").overdue() == {value}


# ── statutes ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-5.2.0", "BZ18-5.2.A", "BZ18-5.2.B", "BZ16-5.2.B")
def test_i10_the_tax_record_lasts_five_years_from_the_filing_deadline_of_each_charge() -> None:
    one = member()
    membership = one.begin("membership")
    value = one.hold("address", "identity", membership)
    one.to("2018-08-31").tell("fee-charged", membership)
    one.to("2019-01-31").tell("fee-charged", membership)
    one.to("2019-02-01").tell("fees-paid", membership)
    one.tell("cancelled", membership)
    assert one.gone_on(value) == date(2025, 4, 1)  # charged in 2019, filed by 31 March 2020
    one.to("2024-03-31")
    assert one.kept_by(value) == ["statutes.tax"]


@pytest.mark.clauses("BZ18-5.4.B", "BZ18-5.2.A", "MS18-2.L-r4", "NX17-2.1.b")
def test_i10_a_statute_keeps_only_the_items_of_its_record_class() -> None:
    one = member()
    membership = one.begin("membership")
    kept, other = one.hold("name", "identity", membership), one.hold("gender", "identity", membership)
    one.to("2018-09-01").tell("cancelled", membership)
    assert "statutes.contracts" in one.kept_by(kept)
    assert one.kept_by(other) == []
    assert one.gone_on(kept) == date(2023, 9, 2)


@pytest.mark.clauses("BZ18-5.4.C", "BZ18-5.4.D", "BZ18-5.4.E", "BZ18-5.4.A")
@pytest.mark.parametrize(
    ("fact", "item", "element", "gone"),
    [
        ("supplied", "name", "statutes.payments", date(2023, 8, 2)),
        ("complaint-closed", "contact", "statutes.complaints", date(2021, 8, 2)),
        ("credit-used", "name", "statutes.credit", date(2021, 8, 2)),
        ("advertised", "login-id", "statutes.advertising", date(2019, 2, 2)),
    ],
)
def test_each_law_counts_from_its_own_fact(fact: str, item: str, element: str, gone: date) -> None:
    one = member()
    membership = one.begin("membership")
    value = one.hold(item, "identity", membership)
    one.tell(fact, membership if fact == "supplied" else None)
    one.to("2018-08-02").withdraw("purpose/identity")
    assert one.kept_by(value) == [element]
    assert one.gone_on(value) == gone


@pytest.mark.clauses("BZ18-5.3.A", "MS18-2.L-r1", "MS18-2.L-r2")
def test_a_blocked_law_keeps_nothing() -> None:
    one = Sketch(BIZMEKA, kind="staff")
    one.agree("purpose/hr")
    hr = one.begin("hr", "acme")
    value = one.hold("name", "hr", hr)
    one.to("2018-09-01").tell("left-employer", hr)
    one.tell("ended", hr)
    assert one.kept_by(value) == []


@pytest.mark.clauses("KE22-4.2-r4", "KE22-4.2-r5")
def test_a_special_case_of_a_law_takes_the_place_of_the_rule() -> None:
    one = Sketch(KE, kind="customer", now="2022-03-01")
    one.agree("purpose/marketing")
    value = one.hold("name", "marketing")
    one.tell("communicated", about="local-calls")
    one.to("2022-03-02").withdraw("purpose/marketing")
    assert one.kept_by(value) == ["statutes.local-calls"]
    assert one.gone_on(value) == date(2022, 9, 2)


def test_a_law_keeps_what_is_collected_after_its_event_from_then_on() -> None:
    one = member()
    membership = one.begin("membership")
    one.tell("supplied", membership)
    value = one.to("2019-05-01").hold("name", "identity", membership)
    one.withdraw("purpose/identity")
    assert "statutes.payments" in one.kept_by(value)


def test_what_another_engagement_did_keeps_nothing_here() -> None:
    one = member()
    first, second = one.begin("membership"), one.begin("membership")
    value = one.hold("name", "identity", first)
    one.tell("supplied", second)
    one.to("2018-08-02").withdraw("purpose/identity")
    assert one.kept_by(value) == []


# ── correction, erasure, suspension ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-9.6.a")
def test_a_corrected_value_goes_and_its_successor_takes_over() -> None:
    one = member()
    membership = one.begin("membership")
    old = one.hold("gender", "identity", membership)
    new = one.to("2018-08-05").correct(old)
    assert (one.due(old), one.due(new)) == ("due", "active")


def test_the_wrong_value_stays_for_law_and_dispute_and_not_for_a_claim() -> None:
    one = member()
    membership = one.begin("membership")
    lawful, claimed = one.hold("name", "identity", membership), one.hold("birth-date", "identity", membership)
    one.tell("supplied", membership)
    one.tell("fee-charged", membership)
    one.tell("dispute-opened", about="one", values=(claimed,))
    one.to("2018-08-05")
    corrected = one.correct(claimed)
    one.correct(lawful)
    assert one.kept_by(claimed) == ["retention.dispute"]
    assert "statutes.payments" in one.kept_by(lawful)
    assert "retention.unpaid-fees" not in one.kept_by(lawful)
    assert "retention.unpaid-fees" in one.kept_by(corrected)


@pytest.mark.clauses("BZ18-9.7.a", "BZ18-9.7.b", "MS18-8.5-1", "KE22-9.7-1")
def test_an_erasure_leaves_what_a_law_a_claim_or_a_dispute_keeps() -> None:
    one = member()
    membership = one.begin("membership")
    plain, lawful = one.hold("gender", "identity", membership), one.hold("name", "identity", membership)
    one.tell("supplied", membership)
    request = one.to("2018-08-05").ask("erasure")
    assert one.due(plain) == "active"
    one.answer(request, "done")
    assert (one.due(plain), one.due(lawful)) == ("due", "separated")
    assert one.steps() == {plain: StepKind.DESTROY, lawful: StepKind.SEPARATE}


def test_what_is_corrected_while_an_erasure_is_open_is_erased_too() -> None:
    one = member()
    value = one.hold("gender", "identity", one.begin("membership"))
    request = one.to("2018-08-05").ask("erasure")
    new = one.to("2018-08-06").correct(value)
    one.answer(request, "done")
    assert one.due(new) == "due"


def test_what_comes_after_an_erasure_was_asked_is_not_erased() -> None:
    one = member()
    membership = one.begin("membership")
    request = one.to("2018-08-05").ask("erasure")
    value = one.to("2018-08-06").hold("gender", "identity", membership)
    one.answer(request, "done")
    assert one.due(value) == "active"


@pytest.mark.clauses("NX17-3.1.D")
def test_a_suspension_without_outcome_makes_its_values_due_on_the_tenth_day() -> None:
    one = Sketch(NEXR, kind="user")
    one.agree("purpose/service")
    value = one.hold("name", "service", one.begin("inquiry"))
    one.ask("suspension")
    assert one.to("2018-08-11 23:59").due(value) == "active"
    assert one.to("2018-08-12 00:00").due(value) == "due"
    assert one.steps() == {value: StepKind.DESTROY}  # the person asked: nothing settles


def test_nobody_obeys_a_suspension_that_was_never_proved() -> None:
    one = Sketch(NEXR, kind="user")
    one.agree("purpose/service")
    value = one.hold("name", "service", one.begin("inquiry"))
    one.ask("suspension", proved=False)
    assert one.to("2018-10-01").due(value) == "active"


def test_a_suspension_refused_in_time_or_lifted_destroys_nothing() -> None:
    for ends in ("refused", "taken-back", "lifted"):
        one = Sketch(NEXR, kind="user")
        one.agree("purpose/service")
        value = one.hold("name", "service", one.begin("inquiry"))
        request = one.ask("suspension")
        one.to("2018-08-05")
        one.lift(request) if ends == "lifted" else one.answer(request, ends)
        assert one.to("2018-10-01").due(value) == "active", ends


def test_a_suspension_of_one_purpose_leaves_the_others() -> None:
    one = member()
    membership = one.begin("membership")
    stopped, other = one.hold("email", "service", membership), one.hold("email", "identity", membership)
    one.answer(one.ask("suspension", purposes=("service",)), "done")
    assert (one.due(stopped), one.due(other)) == ("due", "active")


# ── versions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_version_that_drops_a_purpose_ends_it_when_it_comes_into_force() -> None:
    one = Sketch(BIZMEKA_2016, BIZMEKA, now="2017-01-10")
    one.agree("purpose/group-members")
    value = one.hold("email", "group-members", one.begin("membership"))
    assert one.to("2018-07-08 23:59").due(value) == "active"
    assert one.to("2018-07-09 00:00").due(value) == "due"
    assert one.life.due(one.values[value], one.now).since.at == day("2018-07-09 00:00")


def test_a_version_that_drops_an_item_ends_that_item_alone() -> None:
    one = Sketch(BIZMEKA_2016, BIZMEKA, now="2017-01-10")
    one.agree("purpose/running")
    membership = one.begin("membership")
    dropped, kept = one.hold("contents", "running", membership), one.hold("access-ip", "running", membership)
    one.to("2018-07-09 00:00")
    assert (one.due(dropped), one.due(kept)) == ("due", "active")


def test_of_two_versions_the_shorter_period_binds_until_consent_is_given_anew() -> None:
    longer = Sketch(BIZMEKA_2016, BIZMEKA, now="2018-07-01")
    later = longer.line.plans[1]
    purpose = later.purposes["visits"]

    half_a_year = replace(purpose, until=Plus(Point("collected"), Period(months=6)))
    plan = replace(later, purposes={**later.purposes, "visits": half_a_year})
    longer.line = replace(longer.line, plans=(longer.line.plans[0], plan))
    longer.kind = "visitor"
    longer.agree("purpose/visits")
    old = longer.hold("access-ip", "visits")
    longer.to("2018-07-10")
    between = longer.hold("access-ip", "visits")
    longer.agree("purpose/visits")
    new = longer.to("2018-07-10 12:01").hold("access-ip", "visits")
    assert longer.gone_on(old) == date(2018, 10, 2)
    assert longer.gone_on(between) == date(2019, 1, 11)  # agreed to the new one in the same instant
    assert longer.gone_on(new) == date(2019, 1, 11)


# ── invariants ──────────────────────────────────────────────────────────────────────────────────────────────────────

FACTS = ("cancelled", "fee-charged", "fees-paid", "supplied", "complaint-closed", "advertised", "dispute-opened",
         "dispute-settled", "ended")  # fmt: skip
told = st.lists(st.tuples(st.sampled_from(FACTS), st.integers(0, 400), st.integers(0, 30)), max_size=8)


def lived(facts: list[tuple[str, int, int]]) -> Sketch:
    """A member whose facts happen on days and come to be known some days late, swept every few days."""
    one = member()
    membership = one.begin("membership")
    for item in ("name", "birth-date", "gender", "login-id"):
        one.hold(item, "identity", membership)
    begun = one.now
    hour = 3_600_000_000
    for code, happened, late in sorted(facts, key=lambda fact: fact[1] + fact[2]):
        one.now = type(begun)(begun + (happened + late) * 24 * hour)
        one.sweep()
        engagement = None if code.startswith("dispute") or code in ("complaint-closed", "advertised") else membership
        fact = one.tell(code, engagement, about="one" if code.startswith("dispute") else None)
        one.facts[-1] = structs.replace(fact, at=type(begun)(begun + happened * 24 * hour))
    return one


@pytest.mark.clauses("BZ18-6.1.A.3", "NX17-5.1.b")
@given(told, st.integers(0, 4000))
def test_i2_nothing_with_a_live_ground_is_destroyed(facts: list[tuple[str, int, int]], days: int) -> None:
    one = lived(facts)
    one.now = type(one.now)(one.now + days * 24 * 3_600_000_000)
    for value, step in one.steps().items():
        live = [ground for ground in one.life.grounds(one.values[value]) if ground.live(one.now)]
        assert not live if step is StepKind.DESTROY else live
        assert GroundKind.PURPOSE not in {ground.kind for ground in live}


@pytest.mark.clauses("BZ18-6.0", "NX17-5.2.a", "MS18-5.0-1", "KE22-5.0-1")
@given(told, st.integers(0, 4000))
def test_i3_everything_due_is_ready_before_its_grace_is_over(facts: list[tuple[str, int, int]], days: int) -> None:
    one = lived(facts)
    one.now = type(one.now)(one.now + days * 24 * 3_600_000_000)
    assert one.overdue() <= set(one.steps())
    one.sweep()
    assert not one.overdue()
    assert not one.steps() or all(kind is StepKind.DESTROY for kind in one.steps().values())


@pytest.mark.clauses("NX17-5.2.a", "BZ18-6.1.A.3")
def test_i3_destruction_waits_a_day_for_the_fact_and_never_past_the_grace() -> None:
    one = member()
    membership = one.begin("membership")
    value = one.hold("gender", "identity", membership)
    one.to("2018-08-10").tell("cancelled", membership)
    assert one.steps() == {}
    assert one.read("identity", value) == ["value-due"]  # unreadable meanwhile
    assert one.to("2018-08-11 23:59").steps() == {}
    assert one.to("2018-08-12 00:00").steps() == {value: StepKind.DESTROY}
    assert one.to("2018-08-15 23:59").overdue() == set()
    assert one.to("2018-08-16 00:00").overdue() == {value}


def test_settling_counts_from_the_last_fact_that_was_needed() -> None:
    one = member()
    membership = one.begin("membership")
    value = one.hold("birth-date", "identity", membership)
    one.tell("fee-charged", membership)
    one.to("2018-08-05").tell("cancelled", membership)
    one.to("2019-06-01").tell("fees-paid", membership, at="2018-08-03")  # paid before, known long after
    assert one.due(value) == "due"
    assert one.steps() == {}
    assert one.to("2019-06-03 00:00").steps() == {value: StepKind.DESTROY}


def test_an_end_by_time_alone_needs_no_settling() -> None:
    one = Sketch(NEXR, kind="user", now="2018-03-31")
    one.agree("purpose/marketing")
    value = one.hold("email", "marketing")
    assert one.to("2018-09-30 23:59").steps() == {}
    assert one.to("2018-10-01 00:00").steps() == {value: StepKind.DESTROY}


def test_the_held_state_only_goes_forward() -> None:
    one = member()
    membership = one.begin("membership")
    value = one.hold("birth-date", "identity", membership)
    one.to("2018-08-10").tell("cancelled", membership)
    one.sweep()
    assert one.values[value].held is HeldState.SEPARATED
    one.facts.clear()  # as if it had never been told
    assert one.due(value) == "active"
    assert one.steps() == {}
    assert one.read("identity", value) == ["value-separated"]


def test_what_is_held_for_an_employer_ends_with_the_engagement_whatever_our_duties() -> None:
    one = Sketch(BIZMEKA, kind="staff")
    one.agree("purpose/hr")
    hr = one.begin("hr", "acme")
    value = one.hold("name", "hr", hr, held_for="acme")
    one.to("2018-09-01").tell("cancelled", hr)
    assert one.kept_by(value) == []


def test_the_grace_is_over_five_days_after_the_last_covered_day() -> None:
    one = Sketch("nexr-2017.yaml", kind="user", now="2018-07-10")
    one.agree("purpose/marketing")
    value = one.hold("email", "marketing")
    assert one.to("2019-01-11 00:00").due(value) == "due"  # covered to the end of the 10th
    assert one.to("2019-01-15 23:59").overdue() == set()
    assert one.to("2019-01-16 00:00").overdue() == {value}
