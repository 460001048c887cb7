"""What is granted and what is refused, by layers: the first layer that has any reason answers, whole, and cites."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import msgspec
import pytest

from tests.sketch import APPLICATION, Sketch, day, plan_of
from upheld.dates import Instant, start_of
from upheld.engine.acts import (
    LAYER,
    Act,
    Collect,
    Decision,
    Disclose,
    EngagementId,
    Entrust,
    Provide,
    Read,
    Reader,
    ReaderKind,
    ReadSeparated,
    Reason,
    Send,
    Show,
)
from upheld.engine.collecting import _in_full, _nothing_against, _taking, decide_collect, taken_before
from upheld.engine.compile import CHILD_CONTACT
from upheld.engine.decide import decide, decide_safely
from upheld.engine.lifecycle import Life
from upheld.engine.plan import Plan
from upheld.engine.view import View

BIZMEKA = "bizmeka-ez-2018.yaml"
BIZMEKA_2016 = "bizmeka-ez-2016.yaml"
NEXR = "nexr-2017.yaml"
KE = "kt-enterprise-2022.yaml"
MNS = "kt-mns-2018.yaml"
SELF = Reader(ReaderKind.SUBJECT, "self")
PRIVACY = Reader(ReaderKind.HANDLER, "privacy", frozenset(), frozenset({"separated"}))


def member(*matters: str) -> tuple[Sketch, EngagementId]:
    one = Sketch(BIZMEKA)
    one.agree("purpose/identity", "purpose/service", *matters)
    return one, one.begin("membership")


# ── policy and declaration ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-1.0.c", "NX17-10.a")
def test_before_a_policy_is_in_force_nothing_is_taken_or_read() -> None:
    one = Sketch(BIZMEKA, now="2018-07-08 23:59")
    assert one.reasons(Collect("identity", ("name",))) == ["not-in-force"]
    assert one.reasons(Read("identity", APPLICATION, ("name",), use="identify")) == ["not-in-force"]


def test_rights_and_demands_go_on_without_a_policy_in_force() -> None:
    one = Sketch(BIZMEKA, now="2018-07-01")
    one.agree("purpose/identity")
    one.hold("name", "identity")
    assert one.reasons(Show(SELF, identity_proved=True)) == []
    shown = frozenset({"article", "requester", "document", "approver"})
    assert one.reasons(Disclose("law", ("name",), shown, "national-taxes")) == []


@pytest.mark.clauses("BZ18-2.3", "BZ18-7.0.a", "NX17-1.0.a")
def test_a_read_without_a_declared_purpose_is_refused() -> None:
    one, membership = member()
    value = one.hold("name", "identity", membership)
    assert one.read(None, value) == ["purpose-unnamed"]
    assert one.read("curiosity", value) == ["purpose-undeclared"]


@pytest.mark.clauses("NX17-1.3")
def test_a_use_without_items_is_declared_and_refused() -> None:
    one = Sketch(NEXR, kind="user")
    one.agree("purpose/marketing")
    value = one.hold("email", "marketing")
    assert one.reasons(Read("marketing", APPLICATION, values=(value,), use="frequency")) == ["declaration-incomplete"]
    assert one.reasons(Read("marketing", APPLICATION, values=(value,), use="promotion")) == []
    assert one.reasons(Read("marketing", APPLICATION, values=(value,), use="gossip")) == ["purpose-undeclared"]


@pytest.mark.clauses("NX17-1.3", "BZ18-2.3.A.1")
def test_where_a_purpose_has_uses_a_read_names_one_that_can_be_run() -> None:
    one = Sketch(NEXR, kind="user")
    one.agree("purpose/marketing", "purpose/service")
    value, other = one.hold("email", "marketing"), one.hold("email", "service")
    assert one.reasons(Read("marketing", APPLICATION, values=(value,))) == ["purpose-unnamed"]
    assert one.reasons(Read("marketing", APPLICATION, ("email",))) == ["purpose-unnamed"]
    assert one.decides(Read("marketing", APPLICATION, values=(value,))).elements == ("purposes.optional.marketing",)
    assert one.reasons(Read("service", APPLICATION, values=(other,))) == []
    assert one.reasons(Read("service", APPLICATION, values=(other,), use="promotion")) == ["purpose-undeclared"]


@pytest.mark.clauses("NX17-2.3", "NX17-1.3")
def test_a_message_is_sent_while_something_is_in_use_for_its_purpose_and_not_a_day_longer() -> None:
    one = Sketch(NEXR, kind="user", now="2018-07-10")
    one.agree("purpose/marketing", "medium/email")
    send = Send("marketing", "email", 12)
    assert one.reasons(send) == ["ground-ended"]
    value = one.hold("email", "marketing")
    assert one.to("2019-01-10").reasons(send) == []
    request = one.ask("rectification", value)
    assert one.reasons(send) == ["frozen"]
    one.answer(request, "refused")
    assert one.reasons(send) == []
    assert one.to("2019-01-11").reasons(send) == ["ground-ended"]
    one.hold("name", "complaint")  # another purpose is no reason
    assert one.reasons(send) == ["ground-ended"]


@pytest.mark.clauses("BZ18-2.1", "BZ18-2.3", "NX17-4.0", "KE22-2.3-0", "MS18-2.P-0")
def test_only_the_items_that_the_purpose_lists_are_taken() -> None:
    one, membership = member()
    take = Collect("service", ("name", "gender"), membership, "website")
    assert one.reasons(take) == ["item-not-covered"]
    assert one.reasons(replace(take, items=("name", "shoe-size"))) == ["item-undeclared"]
    assert one.reasons(replace(take, items=("name",))) == []


def test_an_undeclared_item_refuses_the_read_even_where_another_could_be_seen() -> None:
    one, membership = member()
    one.hold("name", "identity", membership)
    assert one.reasons(Read("identity", APPLICATION, ("name", "shoe-size"), use="identify")) == ["item-undeclared"]
    assert one.reasons(Read("identity", APPLICATION, ("name", "bank"), use="identify")) == ["item-not-covered"]
    assert one.reasons(Read("identity", APPLICATION, ("name",), use="identify")) == []


@pytest.mark.clauses("BZ18-2.3.A.6", "BZ18-5.2.A", "MS18-1.1-1", "NX17-6.5.a")
@pytest.mark.parametrize(
    ("policy", "purpose", "item"),
    [(BIZMEKA, "scraping", "birth-rear"), (BIZMEKA, "running", "resident-no"), (MNS, "request", "resident-no"),
     (NEXR, "service", "password")],
)  # fmt: skip
def test_what_is_printed_but_never_taken_is_refused(policy: str, purpose: str, item: str) -> None:
    one = Sketch(policy, kind=sorted(plan_of(policy).purposes[purpose].whose)[0])
    one.agree(f"purpose/{purpose}")
    assert one.reasons(Collect(purpose, (item,), None, "website"))[0] == "item-not-covered"


@pytest.mark.clauses("BZ18-3.0", "BZ18-3.A.1", "BZ18-3.B.2", "MS18-3.0", "KE22-3.1")
def test_items_come_in_by_the_declared_ways_only() -> None:
    one, membership = member()
    take = Collect("identity", ("name",), membership, "website")
    assert one.reasons(take) == []
    for channel in ("member-menu", "carrier-pigeon", "party", None):
        assert one.reasons(replace(take, channel=channel)) == ["method-undeclared"], channel


def test_a_channel_nobody_declared_is_refused_for_generated_data_too() -> None:
    one = Sketch(BIZMEKA)
    one.agree("purpose/analysing")
    take = Collect("analysing", ("use-record",), one.begin("membership"), "carrier-pigeon")
    assert one.reasons(take) == ["method-undeclared"]


# ── subject ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-2.3.A.3", "MS18-2.P-r2")
def test_a_purpose_is_for_its_own_kind_of_person() -> None:
    one, membership = member("purpose/billing", "item/relation")
    assert one.reasons(Collect("billing", ("mobile",), membership, "website")) == ["kind-not-covered"]
    anonymous = Sketch(MNS, kind="tipster")
    anonymous.agree("purpose/tip-result")
    tip = anonymous.begin("tip")
    assert anonymous.reasons(Collect("tip-result", ("name",), tip, "website")) == ["kind-not-covered"]


@pytest.mark.clauses("BZ18-2.5.a", "BZ18-2.5.b", "BZ18-2.3.A.9")
def test_fellow_members_see_their_group_and_others_only_after_both_accepted() -> None:
    one = Sketch(BIZMEKA)
    one.agree("purpose/groupware", "purpose/outside-group")
    inside = one.begin("groupware", "acme")
    value, outside = one.hold("position", "groupware", inside), one.hold("photo", "outside-group", inside)
    fellow = Reader(ReaderKind.FELLOW, "fellow-1", organisation="acme")
    stranger = Reader(ReaderKind.FELLOW, "fellow-2", organisation="other")
    assert one.read("groupware", value, reader=fellow) == []
    assert one.read("groupware", value, reader=stranger) == ["not-same-group"]
    assert one.read("groupware", value) == ["not-same-group"]
    assert one.read("outside-group", outside, reader=stranger) == ["not-same-group"]
    one.tell("both-accepted", about="fellow-2")
    assert one.read("outside-group", outside, reader=stranger) == []


@pytest.mark.clauses("MS18-9.1", "MS18-9.2-1", "MS18-9.2.a-1", "MS18-9.3-0")
def test_of_a_child_nothing_is_taken_but_whom_to_ask_until_a_representative_agreed() -> None:
    one = Sketch(MNS, kind="customer")
    one.minor_until = start_of(date(2019, 5, 5), one.plan.zone)
    one.agree("purpose/request")
    request = one.begin("request")
    take = Collect("request", ("name",), request, "visit")
    assert one.reasons(take) == ["child-without-representative"]
    assert one.reasons(Collect(CHILD_CONTACT, ("guardian-name", "guardian-email"), None, "visit")) == []
    assert one.reasons(Collect(CHILD_CONTACT, ("name",), None, "visit")) == ["item-not-covered"]
    one.agree("representative/collection")
    assert one.reasons(take) == []
    one.withdraw("representative/collection")
    assert one.reasons(take) == ["child-without-representative"]
    assert one.to("2019-05-05 00:00").reasons(take) == []  # fourteen today


@pytest.mark.clauses("MS18-9.2.a-2", "MS18-9.2-1")
def test_whom_to_ask_is_destroyed_five_days_after_nobody_answered() -> None:
    one = Sketch(MNS, kind="customer")
    one.minor_until = start_of(date(2019, 5, 5), one.plan.zone)
    value = one.hold("guardian-email", CHILD_CONTACT)
    one.tell("consent-asked")
    assert one.to("2018-08-06 23:59").due(value) == "active"
    assert one.to("2018-08-07 00:00").due(value) == "due"


# ── basis ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-4.1.a", "NX17-1.0.b", "KE22-2.3.a-0", "MS18-4.1-2")
@pytest.mark.parametrize(
    ("policy", "kind", "purpose", "engagement", "item", "channel"),
    [
        (BIZMEKA, "member", "identity", "membership", "name", "website"),
        (NEXR, "user", "service", "inquiry", "name", None),
        (KE, "customer", "inquiry", "inquiry", "name", "website"),
        (MNS, "customer", "request", "request", "name", "visit"),
    ],
)
def test_i9_nothing_is_taken_without_consent_or_after_its_withdrawal(
    policy: str, kind: str, purpose: str, engagement: str, item: str, channel: str | None
) -> None:
    one = Sketch(policy, kind=kind, now="2022-08-01")
    take = Collect(purpose, (item,), one.begin(engagement), channel)
    assert one.reasons(take) == ["consent-missing"]
    one.agree(f"purpose/{purpose}")
    assert one.reasons(take) == []
    one.to("2022-08-02").withdraw(f"purpose/{purpose}")
    assert one.reasons(take) == ["consent-withdrawn"]


@pytest.mark.clauses("BZ18-2.3.B", "BZ18-2.3.B.1")
def test_an_optional_consent_that_was_refused_costs_nothing() -> None:
    one, membership = member()
    assert one.reasons(Collect("recommending", ("email",), membership, "website")) == ["consent-missing"]
    assert one.reasons(Collect("identity", ("email",), membership, "website")) == []


@pytest.mark.clauses("BZ18-2.2.a", "BZ18-2.2.b", "BZ18-2.2.c")
def test_a_sensitive_item_needs_a_consent_of_its_own() -> None:
    one = Sketch(BIZMEKA, kind="fee-payer")
    one.agree("purpose/billing")
    take = Collect("billing", ("relation", "mobile"), one.begin("membership"), "website")
    assert one.reasons(take) == ["separate-consent-missing"]
    one.agree("item/relation")
    assert one.reasons(take) == []


@pytest.mark.clauses("KE22-2.2-1", "KE22-2.2-2", "KE22-2.2-3", "MS18-2.1-2", "MS18-2.2-1", "MS18-2.2-2")
@pytest.mark.parametrize(("policy", "purpose", "channel"), [(KE, "inquiry", "website"), (MNS, "request", "visit")])
def test_a_row_that_took_a_sensitive_item_would_ask_apart_or_name_its_law(
    policy: str, purpose: str, channel: str
) -> None:
    """No row of these two takes any; so one is drawn that does, and each sentence of theirs is cited for it."""
    one = Sketch(policy, kind="customer", now="2022-08-01")
    plan = one.plan
    family = replace(plan.items["family"], never_collected=False)
    row = replace(plan.purposes[purpose], items=plan.purposes[purpose].items | {"family"})
    one.line = replace(
        one.line,
        plans=(replace(plan, items={**plan.items, "family": family}, purposes={**plan.purposes, purpose: row}),),
    )
    one.agree(f"purpose/{purpose}")
    take = Collect(purpose, ("family",), one.begin(purpose), channel)
    assert one.reasons(take) == ["separate-consent-missing"]
    assert {"KE22-2.2-1", "KE22-2.2-2", "KE22-2.2-3"} <= set(one.decides(take).clauses) or policy == MNS
    assert {"MS18-2.1-2", "MS18-2.2-1", "MS18-2.2-2"} <= set(one.decides(take).clauses) or policy == KE
    by_law = replace(family, law="commercial 33")
    lawful = replace(one.line.plans[0], items={**plan.items, "family": by_law})
    assert replaced_line(one, lawful).reasons(take) == []
    one.line = replace(one.line, plans=(replace(one.line.plans[0], items={**plan.items, "family": family}),))
    one.agree("item/family")
    assert one.reasons(take) == []


def replaced_line(one: Sketch, plan: Plan) -> Sketch:
    """The same person under another plan."""
    one.line = replace(one.line, plans=(plan,))
    return one


@pytest.mark.clauses("BZ18-11.M6.a", "BZ18-11.M6.b")
def test_payment_numbers_are_taken_after_a_fresh_identity_check_only() -> None:
    one = Sketch(BIZMEKA, kind="fee-payer")
    one.agree("purpose/billing")
    take = Collect("billing", ("card",), one.begin("membership"), "website")
    assert one.reasons(take) == ["identity-not-proved"]
    assert one.reasons(replace(take, proofs=frozenset({"identity-check"}))) == []


@pytest.mark.clauses("BZ18-2.4.a", "BZ18-2.4.b", "BZ18-2.3.A.4")
def test_having_the_phones_permission_is_not_having_consent_nor_the_other_way() -> None:
    one, membership = member("purpose/device")
    take = Collect("device", ("imei",), membership, "app")
    assert one.reasons(take) == ["permission-missing"]
    one.agree("permission/device")
    assert one.reasons(take) == []
    one.withdraw("purpose/device")
    assert one.reasons(take) == ["consent-withdrawn"]


def test_a_consent_of_2016_allows_what_both_versions_name_and_no_more() -> None:
    one = Sketch(BIZMEKA_2016, BIZMEKA, now="2017-01-10")
    one.agree("purpose/identity")
    membership = one.begin("membership")
    take = Collect("identity", ("name",), membership, "website")
    assert one.reasons(take) == []
    one.to("2018-07-09 00:00")
    assert one.reasons(take) == []
    assert one.reasons(replace(take, items=("login-id",))) == ["consent-scope-older"]
    one.agree("purpose/identity")
    assert one.reasons(replace(take, items=("login-id",))) == []


def test_a_purpose_that_the_new_version_dropped_is_undeclared() -> None:
    one = Sketch(BIZMEKA_2016, BIZMEKA, now="2017-01-10")
    one.agree("purpose/group-members")
    value = one.hold("email", "group-members", one.begin("membership"))
    fellow = Reader(ReaderKind.FELLOW, "fellow-1")
    assert one.to("2018-07-09 00:00").read("group-members", value, reader=fellow) == ["purpose-undeclared"]


def test_a_provision_agreed_to_under_an_older_version_covers_its_items_and_no_more() -> None:
    one = Sketch(BIZMEKA, now="2018-08-01")
    plan = one.plan
    narrow = replace(plan.provisions["mhows"], items=frozenset({"name"}))
    before = replace(
        plan, version="2018-07-01", provisions={**plan.provisions, "mhows": narrow}, effective_at=day("2018-07-01")
    )
    one.line = replace(one.line, plans=(before, plan))
    one.to("2018-07-05").agree("purpose/identity", "provision/mhows")
    one.to("2018-08-01")
    one.hold("name", "identity", one.begin("membership"))
    gifts = one.begin("gifti-show")
    assert one.reasons(Provide("mhows", ("name",), gifts)) == []
    assert one.reasons(Provide("mhows", ("name", "email"), gifts)) == ["consent-scope-older"]


# ── ground ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-5.1.0", "BZ18-6.1.B", "NX17-5.1.c", "KE22-5.1.b")
def test_i1_a_value_is_seen_for_its_live_purpose_and_when_that_is_over_for_none() -> None:
    one, membership = member()
    value = one.hold("birth-date", "identity", membership)
    assert one.read("identity", value) == []
    assert one.read("service", value) == ["item-not-covered"]
    one.to("2018-09-01").tell("cancelled", membership)
    assert one.read("identity", value) == ["value-separated"]
    one.sweep()
    assert one.read("identity", value) == ["value-separated"]
    assert one.reasons(ReadSeparated("retention.fee-dispute", PRIVACY, (value,))) == []
    assert one.reasons(ReadSeparated("statutes.tax", PRIVACY, (value,))) == ["ground-ended"]
    assert one.reasons(ReadSeparated("retention.fee-dispute", APPLICATION, (value,))) == ["duty-missing"]
    assert one.reasons(Show(SELF, identity_proved=True)) == []
    one.to("2019-03-02")
    assert one.reasons(ReadSeparated("retention.fee-dispute", PRIVACY, (value,))) == ["value-due"]
    one.sweep()
    assert one.read("identity", value) == ["value-destroyed"]
    assert one.reasons(Show(SELF, identity_proved=True)) == ["destroyed"]


@pytest.mark.clauses("BZ18-2.3.A", "MS18-2.P-r1")
def test_what_is_used_per_engagement_needs_one_that_is_open() -> None:
    one, membership = member()
    take = Collect("identity", ("name",), membership, "website")
    assert one.reasons(replace(take, engagement=None)) == ["ground-ended"]
    assert one.reasons(replace(take, engagement=one.begin("call"))) == ["ground-ended"]
    one.to("2018-09-01").tell("cancelled", membership)
    assert one.reasons(take) == ["ground-ended"]


@pytest.mark.clauses("KE22-2.3.b-r1")
def test_nothing_is_taken_on_a_consent_whose_year_is_over() -> None:
    one = Sketch(KE, kind="customer", now="2022-03-01")
    one.agree("purpose/marketing")
    take = Collect("marketing", ("email",), None, "website")
    assert one.reasons(take) == []
    assert one.to("2023-03-02 00:00").reasons(take) == ["ground-ended"]


@pytest.mark.clauses("NX17-5.2.b", "KE22-5.0-1", "MS18-5.0-1")
@pytest.mark.parametrize(("code", "about"), [("service-discontinued", "marketing"), ("business-closed", None)])
def test_nothing_is_taken_for_what_was_given_up(code: str, about: str | None) -> None:
    one = Sketch(NEXR, kind="user")
    one.agree("purpose/marketing")
    take = Collect("marketing", ("email",), None, "website")
    one.to("2018-08-02").organisation(code, about)
    assert one.to("2018-08-03").reasons(take) == ["ground-ended"]


@pytest.mark.clauses("BZ18-2.3.A.8")
def test_i12_what_is_held_for_an_employer_serves_no_purpose_of_ours() -> None:
    one = Sketch(BIZMEKA, kind="staff")
    one.agree("purpose/hr", "purpose/identity")
    hr = one.begin("hr", "acme")
    value = one.hold("name", "hr", hr, held_for="acme")
    assert one.read("hr", value) == []
    assert one.read("identity", value) == ["held-for-another"]
    reuse = Collect("identity", ("name",), one.begin("membership"), "website", reused=(value,))
    assert "held-for-another" not in one.reasons(reuse)  # who it is about answers first
    one.kind = "member"
    assert one.reasons(reuse) == ["held-for-another"]


def test_only_what_is_in_use_gets_one_more_use() -> None:
    one, membership = member()
    value = one.hold("email", "identity", membership)
    reuse = Collect("service", ("email",), one.begin("membership"), "website", reused=(value,))
    assert one.reasons(reuse) == []
    one.to("2018-08-03").withdraw("purpose/identity")
    assert one.reasons(reuse) == ["value-due"]
    one.to("2018-08-08").sweep()
    assert one.reasons(reuse) == ["value-destroyed"]


@pytest.mark.clauses("BZ18-2.3.A.6")
def test_the_secrets_of_scraping_open_to_their_one_job() -> None:
    one = Sketch(BIZMEKA)
    one.agree("purpose/scraping")
    value = one.hold("hometax-pass", "scraping", one.begin("scraping"))
    job = Reader(ReaderKind.APPLICATION, "scraper", frozenset({"scraping"}))
    clerk = Reader(ReaderKind.HANDLER, "clerk", frozenset({"scraping"}))
    assert one.read("scraping", value, reader=job) == []
    assert one.read("scraping", value) == ["duty-missing"]
    assert one.read("scraping", value, reader=clerk) == ["duty-missing"]
    assert one.reasons(Show(SELF, identity_proved=True)) == ["unknown"]


def test_of_a_secret_every_reader_is_answered_apart() -> None:
    one = Sketch(BIZMEKA)
    one.agree("purpose/scraping")
    value = one.hold("hometax-pass", "scraping", one.begin("scraping"))
    view, asked = one.view, Read("scraping", APPLICATION, values=(value,))
    job = msgspec.structs.replace(asked, reader=Reader(ReaderKind.APPLICATION, "scraper", frozenset({"scraping"})))
    assert [decide(act, view, one.now).granted for act in (asked, job, asked, job)] == [False, True, False, True]


def test_a_refusal_stands_until_something_about_the_value_changes_and_no_longer() -> None:
    one = Sketch(BIZMEKA, now="2018-07-10")
    one.agree("purpose/identity")
    value = one.hold("name", "identity", one.begin("membership"))
    one.withdraw("purpose/identity", at="2018-07-20")
    request = one.ask("suspension", value)
    one.requests[request] = msgspec.structs.replace(one.requests[request], lifted_at=day("2018-07-15"))
    view, act = one.view, Read("identity", APPLICATION, values=(value,), use="identify")
    asked = [*range(one.now, day("2018-07-22"), 3_600_000_000)]
    once = [decide(act, view, Instant(at)).reasons for at in asked]
    again = [decide(act, view, Instant(at)).reasons for at in reversed(asked)]
    assert once == again[::-1]
    assert once == [decide(act, one.view, Instant(at)).reasons for at in asked]
    assert len(set(once)) > 1


# ── holds ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-9.6.c", "MS18-8.4-3", "KE22-9.6-3", "NX17-3.3.a", "NX17-3.3.b")
@pytest.mark.parametrize(
    ("policy", "kind", "purpose", "engagement", "right"),
    [
        (BIZMEKA, "member", "identity", "membership", "rectification"),
        (KE, "customer", "inquiry", "inquiry", "rectification"),
        (MNS, "customer", "request", "request", "rectification"),
        (NEXR, "user", "complaint", "complaint", "rectification"),
        (NEXR, "user", "complaint", "complaint", "erasure"),
    ],
)
def test_a_value_stands_still_from_its_proved_request_until_it_is_settled(
    policy: str, kind: str, purpose: str, engagement: str, right: str
) -> None:
    one = Sketch(policy, kind=kind, now="2022-08-01")
    one.agree(f"purpose/{purpose}")
    relation = one.begin(engagement)
    wrong, other = one.hold("name", purpose, relation), one.hold("name", purpose, relation)
    request = one.ask(right, wrong)
    assert one.read(purpose, wrong) == ["frozen"]
    assert one.read(purpose, other) == []
    assert one.reasons(Show(SELF, identity_proved=True)) == []
    one.answer(request, "refused")
    assert one.read(purpose, wrong) == []


def test_a_letter_of_someone_unproved_freezes_and_suspends_nothing() -> None:
    one = Sketch(NEXR, kind="user")
    one.agree("purpose/complaint")
    value = one.hold("name", "complaint", one.begin("complaint"))
    one.ask("rectification", proved=False)
    one.ask("suspension", proved=False)
    assert one.read("complaint", value) == []


@pytest.mark.clauses("NX17-3.1.D")
def test_a_suspension_stops_the_named_use_at_once_until_the_person_lifts_it() -> None:
    one = Sketch(NEXR, kind="user")
    one.agree("purpose/complaint", "purpose/marketing")
    complaint = one.begin("complaint")
    stopped, other = one.hold("email", "marketing"), one.hold("email", "complaint", complaint)
    request = one.ask("suspension", purposes=("marketing",))
    assert one.read("marketing", stopped) == ["suspended"]
    assert one.reasons(Collect("marketing", ("email",))) == ["suspended"]
    assert one.read("complaint", other) == []
    one.to("2018-08-02").lift(request)
    assert one.read("marketing", stopped) == []


def test_a_suspension_of_named_values_stops_no_other_collecting() -> None:
    one = Sketch(NEXR, kind="user")
    one.agree("purpose/marketing")
    one.ask("suspension", one.hold("email", "marketing"))
    assert one.reasons(Collect("marketing", ("email",))) == []


def test_a_value_frozen_and_suspended_says_both() -> None:
    one = Sketch(NEXR, kind="user")
    one.agree("purpose/complaint")
    value = one.hold("name", "complaint", one.begin("complaint"))
    one.ask("rectification", value)
    one.ask("suspension", value)
    assert one.read("complaint", value) == ["frozen", "suspended"]


@pytest.mark.clauses("BZ18-9.6.e", "MS18-8.4-5", "KE22-9.6-5")
def test_a_freeze_stops_the_separated_tier_but_not_what_a_statute_demands() -> None:
    one, membership = member()
    value = one.hold("address", "identity", membership)
    one.tell("fee-charged", membership)
    one.to("2018-09-01").tell("cancelled", membership)
    one.sweep()
    one.ask("rectification", value)
    assert one.reasons(ReadSeparated("retention.fee-dispute", PRIVACY, (value,))) == ["frozen"]
    assert one.reasons(ReadSeparated("statutes.tax", PRIVACY, (value,))) == []


def test_whose_clearance_lapsed_sees_nothing_that_is_kept_apart() -> None:
    one, membership = member()
    value = one.hold("address", "identity", membership)
    one.tell("fee-charged", membership)
    one.to("2018-09-01").tell("cancelled", membership)
    one.sweep()
    lapsed = replace(PRIVACY, cleared_until=one.now)
    assert one.reasons(ReadSeparated("retention.fee-dispute", PRIVACY, (value,))) == []
    assert one.reasons(ReadSeparated("retention.fee-dispute", lapsed, (value,))) == ["clearance-lapsed"]


def test_a_freeze_never_delays_destruction() -> None:
    one, membership = member()
    value = one.hold("gender", "identity", membership)
    one.ask("rectification", value)
    one.to("2018-08-10").tell("cancelled", membership)
    one.to("2018-08-13").sweep()
    assert one.read("identity", value) == ["value-destroyed"]


# ── giving away ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-7.0.b", "BZ18-7.1.0", "BZ18-7.1.1", "BZ18-7.1.3", "BZ18-7.1.6", "BZ18-7.2.a")
def test_a_recipient_gets_its_items_under_its_own_consent_while_its_service_runs() -> None:
    one, membership = member()
    for item in ("login-id", "name", "mobile", "email"):
        one.hold(item, "identity", membership)
    money = one.begin("ez-money")
    give = Provide("galaxia", ("login-id", "mobile"), money)
    assert one.reasons(give) == ["consent-missing"]
    one.agree("provision/galaxia")
    assert one.reasons(give) == []
    assert one.reasons(replace(give, items=("login-id", "name"))) == ["items-exceed-provision"]
    assert one.reasons(replace(give, recipient="somebody")) == ["recipient-undeclared"]
    assert one.reasons(Provide("kt-commerce", ("name",), membership)) == ["declaration-incomplete"]
    one.to("2018-09-01").tell("cancelled", money)
    assert one.reasons(give) == ["provision-ended"]
    one.withdraw("provision/galaxia")
    assert one.reasons(give) == ["consent-withdrawn"]


@pytest.mark.clauses("BZ16-9.0", "BZ16-7.1.3", "BZ16-4.1.b")
def test_who_must_agree_in_writing_has_not_agreed_by_a_tick() -> None:
    one = Sketch(BIZMEKA_2016, kind="fee-payer", now="2017-01-10")
    one.agree("purpose/billing", "provision/daou")
    one.hold("card", "billing", one.begin("membership"))
    give = Provide("daou", ("card",), one.begin("card-payment"))
    assert one.reasons(give) == ["consent-missing"]
    one.agree("provision/daou", channel="form")
    assert one.reasons(give) == []
    one.agree("provision/daou")  # a tick afterwards takes nothing away
    assert one.reasons(give) == []
    one.to("2017-01-11").withdraw("provision/daou")
    one.to("2017-01-12").agree("provision/daou")
    assert one.reasons(give) == ["consent-missing"]


TERMS = frozenset({"compliance", "confidentiality", "no-passing-on", "liability", "purpose-limits"})


@pytest.mark.clauses("BZ18-8.0.b", "BZ18-8.0.c", "BZ18-8.0.d", "BZ18-8.0.e", "BZ18-8.0.f", "BZ18-8.1.8", "BZ18-8.1.13")
def test_a_processor_gets_data_under_a_contract_in_force_with_every_term() -> None:
    one, membership = member("provision/lg-cns")
    one.hold("name", "identity", membership)
    one.agree("entrustment/lg-cns", "entrustment/byto")
    give = Entrust("lg-cns", "identity", ("name",))
    assert one.reasons(give) == ["contract-missing"]
    one.contract("lg-cns", TERMS - {"liability"}, until="2018-08-02")
    assert "contract-missing" in one.reasons(give)
    one.controller = replace(one.controller, contracts=())
    one.contract("lg-cns", TERMS, until="2018-08-05")
    assert one.reasons(replace(give, purpose="billing")) == ["item-not-covered"]
    assert one.reasons(Entrust("byto", "identity", ("name",))) == ["declaration-incomplete", "item-not-covered",
                                                                   "items-exceed-provision"]  # fmt: skip
    assert one.reasons(replace(give, processor="somebody")) == ["recipient-undeclared"]


@pytest.mark.clauses("BZ18-4.1.b", "BZ18-4.2.b")
def test_no_contract_replaces_the_persons_own_consent_to_a_processor() -> None:
    one, membership = member("provision/lg-cns", "entrustment/ktis")
    one.hold("name", "identity", membership)
    one.contract("lg-cns", TERMS)
    give = Entrust("lg-cns", "identity", ("name",))
    refused = one.decides(give)
    assert [(cited.reason, cited.law) for cited in refused.because] == [(Reason.CONSENT_MISSING, None)]
    assert refused.because[0].clauses == ("BZ18-4.1.b", "BZ18-4.2.b")
    one.agree("entrustment/lg-cns")
    assert one.reasons(give) == []
    one.to("2018-08-02").withdraw("entrustment/lg-cns")
    assert one.reasons(give) == ["consent-withdrawn"]
    one.controller = replace(one.controller, contracts=())
    assert one.reasons(give) == ["consent-withdrawn"]  # the basis answers before the contract


@pytest.mark.clauses("BZ18-4.1.b")
def test_a_consent_to_a_processor_covers_the_items_of_the_version_agreed_to() -> None:
    one = Sketch(BIZMEKA_2016, BIZMEKA, now="2017-08-01")
    one.agree("purpose/service", "entrustment/ktis")
    membership = one.begin("membership")
    one.to("2018-08-01").agree("purpose/service")
    one.contract("ktis", TERMS)
    one.hold("name", "service", membership)
    one.hold("login-id", "service", membership)
    assert one.reasons(Entrust("ktis", "service", ("name",))) == []
    assert one.reasons(Entrust("ktis", "service", ("login-id",))) == ["consent-scope-older"]
    one.agree("entrustment/ktis")
    assert one.reasons(Entrust("ktis", "service", ("login-id",))) == []


@pytest.mark.clauses("KE22-7.0-r1", "KE22-7.0-s1", "KE22-7.0-2", "KE22-8.0-1", "KE22-8.0-n1")
def test_a_sub_processor_abroad_needs_parent_consent_of_ours_and_of_the_person() -> None:
    one = Sketch(KE, kind="customer", now="2022-03-01")
    one.agree("purpose/inquiry")
    one.hold("name", "inquiry", one.begin("inquiry"))
    give = Entrust("salesforce", "inquiry", ("name",))
    terms = frozenset({"compliance", "confidentiality", "no-passing-on", "liability"})
    one.agree("transfer/salesforce-japan")
    one.contract("salesforce", terms, sub_consent=False)
    assert one.reasons(give) == ["contract-missing"]  # neither agreed to by us nor under a parent
    one.controller = replace(one.controller, contracts=())
    one.contract("salesforce", terms, sub_consent=True)
    assert one.reasons(give) == ["contract-missing"]
    one.contract("itomax", terms)
    assert one.reasons(give) == []
    one.stop_transfer("salesforce-japan")
    assert one.reasons(give) == ["transfer-stopped"]
    one.withdraw("transfer/salesforce-japan")
    assert one.reasons(give) == ["transfer-basis-missing"]


@pytest.mark.clauses("BZ18-7.0.d", "BZ18-7.2.ex3", "KE22-6.1.a-1", "KE22-6.1.a-2", "MS18-6.0-4", "MS18-6.0-5")
@pytest.mark.parametrize(("policy", "kind"), [(BIZMEKA, "member"), (KE, "customer"), (MNS, "customer")])
def test_a_demand_of_the_law_needs_its_law_and_every_paper(policy: str, kind: str) -> None:
    one = Sketch(policy, kind=kind, now="2022-08-01")
    purpose = next(name for name, row in one.plan.purposes.items() if "name" in row.items)
    one.agree(f"purpose/{purpose}")
    one.hold("name", purpose)
    shown = frozenset({"article", "requester", "document", "approver"})
    demand = Disclose("law", ("name",), shown, "national-taxes")
    assert one.reasons(demand) == []
    assert one.reasons(replace(demand, law="e-commerce")) == ["law-missing"]
    assert one.reasons(replace(demand, shown=shown - {"document"})) == ["demand-incomplete"]
    assert one.reasons(replace(demand, shown=shown - {"approver"})) == ["approval-missing"]
    assert one.reasons(replace(demand, exception="friendship")) == ["recipient-undeclared"]


def test_an_unfounded_demand_learns_nothing_of_what_is_not_there() -> None:
    one, _ = member()
    demand = Disclose("law", ("name",), frozenset(), "national-taxes")
    assert one.reasons(demand) == ["unknown"]


# ── readers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-11.M2.a", "NX17-6.2.b", "MS18-11.M2-1", "KE22-11.M2-1")
def test_a_handler_sees_what_the_task_names_while_cleared() -> None:
    one, membership = member()
    value = one.hold("email", "identity", membership)
    clerk = Reader(ReaderKind.HANDLER, "clerk", frozenset({"identity"}), cleared_until=day("2018-09-01"))
    assert one.read("identity", value, reader=clerk) == []
    assert one.read("identity", value, reader=replace(clerk, purposes=frozenset({"service"}))) == ["duty-missing"]
    assert one.to("2018-09-01").read("identity", value, reader=clerk) == ["clearance-lapsed"]


@pytest.mark.clauses("BZ18-8.0.b", "BZ18-8.0.g")
def test_a_processors_people_see_nothing_without_a_contract() -> None:
    one, membership = member()
    value = one.hold("name", "service", membership)
    agent = Reader(ReaderKind.HANDLER, "agent", frozenset({"service", "identity"}), party="ktis")
    assert one.read("service", value, reader=agent) == ["consent-missing"]
    one.agree("entrustment/ktis")
    assert one.read("service", value, reader=agent) == ["contract-missing"]
    one.contract("ktis", TERMS, until="2018-09-01")
    assert one.read("service", value, reader=agent) == []
    assert one.to("2018-09-01").read("service", value, reader=agent) == ["entrustment-ended"]


def test_a_person_sees_their_own_data_by_right_and_not_by_purpose() -> None:
    one, membership = member()
    value = one.hold("name", "identity", membership)
    assert one.read("identity", value, reader=SELF) == ["duty-missing"]
    assert one.reasons(Show(SELF)) == ["identity-not-proved"]


def test_the_first_layer_answers_whole_and_alone() -> None:
    one, membership = member()
    due = one.hold("gender", "identity", membership)
    one.to("2018-09-01").tell("cancelled", membership)
    stranger = Reader(ReaderKind.APPLICATION, "other", frozenset({"service"}))
    assert one.read("identity", due, reader=stranger) == ["value-due"]  # ground before reader
    both = Collect("nothing", ("shoe-size",), None, "carrier-pigeon")
    assert set(one.reasons(both)) == {"purpose-undeclared", "item-undeclared"}
    for reasons in (one.reasons(both), one.read("identity", due)):
        assert len({LAYER[Reason(reason)] for reason in reasons}) == 1


# ── messages ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-2.3.B.1", "BZ18-2.3.B.2", "MS18-9.3.d-1")
def test_an_advertisement_needs_consent_to_purpose_and_medium_never_at_night_and_every_two_years() -> None:
    one = Sketch(BIZMEKA)
    one.agree("purpose/recommending")
    membership = one.begin("membership")
    one.hold("mobile", "recommending", membership)
    one.hold("mobile", "identity", membership)
    one.consents.clear()
    send = Send("recommending", "message", 15)
    assert set(one.reasons(send)) == {"consent-missing", "receiving-consent-missing"}
    one.agree("purpose/recommending", "medium/message", "night/message")
    assert one.reasons(send) == []
    assert one.reasons(replace(send, local_hour=21)) == ["night"]
    assert one.reasons(replace(send, local_hour=7)) == ["night"]
    assert one.reasons(replace(send, local_hour=8)) == []
    one.agree("purpose/identity")
    assert one.reasons(replace(send, purpose="identity")) == ["consent-missing"]  # never on a required purpose
    assert one.to("2020-08-01 23:59").reasons(send) == []
    assert one.to("2020-08-02 00:00").reasons(send) == ["reconfirmation-overdue"]
    one.withdraw("medium/message")
    assert one.reasons(send) == ["receiving-consent-missing"]


@pytest.mark.clauses("MS18-9.3.d-1", "MS18-9.3.d-2")
def test_a_child_gets_no_advertisement() -> None:
    one = Sketch(MNS, kind="visitor")
    one.minor_until = start_of(date(2019, 5, 5), one.plan.zone)
    one.agree("purpose/targeting", "medium/message", "representative/collection")
    assert one.reasons(Send("targeting", "message", 15)) == ["child-without-representative"]


# ── what every decision owes ────────────────────────────────────────────────────────────────────────────────────────

ACTS: tuple[Act, ...] = (
    Collect(None, ("name",)),
    Collect("nothing", ("name",)),
    Collect("nothing", ("shoe-size",), None, "carrier-pigeon"),
    Read(None, APPLICATION, ("name",)),
    Read("nothing", APPLICATION, ("shoe-size",)),
    Provide("nobody", ("name",)),
    Entrust("nobody", "nothing", ("name",)),
    Disclose("nothing", ("name",), frozenset()),
    ReadSeparated("statutes.tax", APPLICATION),
    Show(SELF),
    Show(SELF, identity_proved=True),
    Send("nothing", "message", 3),
)


@pytest.mark.parametrize("policy", [BIZMEKA_2016, BIZMEKA, NEXR, KE, MNS])
@pytest.mark.parametrize("act", ACTS, ids=lambda act: type(act).__name__)
def test_i13_every_refusal_cites_a_clause_or_a_law(policy: str, act: Act) -> None:
    one = Sketch(policy, kind="member", now="2023-01-01")
    decision = one.decides(act)
    assert not decision.granted
    assert decision.covers == ()
    for cited in decision.because:
        assert cited.clauses or cited.law, cited


def test_a_rule_that_fails_refuses_and_somebody_hears_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    one, membership = member()
    value = one.hold("name", "identity", membership)
    heard: list[Exception] = []

    def fails(*_: object) -> None:
        raise KeyError("a rule of ours")

    monkeypatch.setattr(Life, "grounds", fails)
    decision = decide_safely(
        Read("identity", APPLICATION, values=(value,), use="identify"), one.view, one.now, heard.append
    )
    assert decision.reasons == (Reason.RULE_FAILED,)
    assert len(heard) == 1


# ── the short way ───────────────────────────────────────────────────────────────────────────────────────────────────


def customer(file: str, kind: str, now: str, stay: str, *, agrees: bool) -> tuple[Sketch, EngagementId]:
    """A person who agreed to every purpose, or to none, with an engagement that is open."""
    one = Sketch(file, kind=kind, now=now)
    if agrees:
        one.agree(*(f"purpose/{name}" for name in one.plan.purposes))
    return one, one.begin(stay)


@pytest.mark.parametrize(
    ("file", "kind", "now", "stay"),
    [
        (BIZMEKA, "member", "2018-08-01", "membership"),
        (NEXR, "user", "2018-08-01", "complaint"),
        (KE, "customer", "2022-03-01", "inquiry"),
        (MNS, "customer", "2018-08-01", "request"),
    ],
)
def test_the_short_way_to_collect_grants_what_the_whole_way_grants(file: str, kind: str, now: str, stay: str) -> None:
    """Every purpose, item, way in and use; with consent and without, before and after a no, a request, an end."""
    ways: list[tuple[bool, bool]] = []

    def compare(one: Sketch, stays: tuple[EngagementId | None, ...]) -> None:
        view = one.view
        for purpose, item in ((p, i) for p in view.plan.purposes for i in (*view.plan.purposes[p].items, "nothing")):
            for channel in (None, "website", "call", "nowhere"):
                for use in (None, *view.plan.purposes[purpose].uses):
                    for engagement in stays:
                        act = Collect(purpose, (item,), engagement, channel, use)
                        short, whole = decide_collect(act, view, one.now), _in_full(act, view, one.now)
                        taking = _taking(act, view)
                        told = taking is not None and _nothing_against(taking, act, view, one.now)
                        if purpose != CHILD_CONTACT:
                            assert short == whole, (act, short, whole)
                            known = as_before(act, view, one.now)
                            assert known in (None, whole), (act, known, whole)
                            assert known == whole or not told
                        ways.append((told, whole.granted))

    for agrees in (True, False):
        one, engagement = customer(file, kind, now, stay, agrees=agrees)
        compare(one, (None, engagement))
        name = next(name for name, row in one.plan.purposes.items() if not row.blocked)
        one.ask("suspension", purposes=(name,))
        compare(one, (engagement,))
    one, engagement = customer(file, kind, now, stay, agrees=True)
    one.withdraw(*(f"purpose/{name}" for name in one.plan.purposes))
    compare(one, (engagement,))
    one, engagement = customer(file, kind, now, stay, agrees=True)
    one.organisation("business-closed")
    compare(one, (engagement,))
    assert (True, False) not in ways, "the short way granted what the whole way refuses"
    assert (True, True) in ways, "nothing went the short way"


DAY = 86_400_000_000


@pytest.mark.parametrize(
    ("file", "kind", "now", "stay"),
    [
        (BIZMEKA, "member", "2018-08-01", "membership"),
        (BIZMEKA_2016, "member", "2016-08-01", "membership"),
        (NEXR, "user", "2018-08-01", "complaint"),
        (KE, "customer", "2022-03-01", "inquiry"),
        (MNS, "customer", "2018-08-01", "request"),
    ],
)
def test_what_was_granted_once_is_granted_later_only_as_long_as_the_whole_way_grants_it(
    file: str, kind: str, now: str, stay: str
) -> None:
    """On one view, and on one that came of it: at every instant at which something that is known already happens."""
    kept = remembered = 0
    codes = ["ended", *sorted(customer(file, kind, now, stay, agrees=True)[0].plan.facts)]
    for code in codes:
        one, engagement = customer(file, kind, now, stay, agrees=True)
        began = one.now
        happens = [day_on(began, days) for days in (20, 60, 90)]
        one.now = happens[0]
        one.tell(code, engagement)
        one.now = happens[1]
        one.withdraw(*(f"purpose/{name}" for name in list(one.plan.purposes)[::2]))
        one.now = happens[2]
        one.agree(*(f"purpose/{name}" for name in one.plan.purposes))
        one.now = began
        view = one.view
        again = View(view.line, replace(view.state), view.controller, began, view)
        later = [at + by for at in (began, *happens) for by in (-1, 0, 1, DAY)] + [day_on(began, n) for n in (40, 400)]
        for purpose, item in ((p, i) for p in view.plan.purposes for i in view.plan.purposes[p].items):
            act = Collect(purpose, (item,), engagement, "website")
            for seen in (view, again):
                for at in map(Instant, sorted(later)):
                    if began <= at < view.valid_until and purpose != CHILD_CONTACT:
                        known = as_before(act, seen, at)
                        remembered += known is not None
                        assert known in (None, _in_full(act, seen, at)), (act, code, at - began)
                        short, whole = decide_collect(act, seen, at), _in_full(act, seen, at)
                        assert short == whole, (act, code, at - began, short, whole)
                        kept += whole.granted
    assert kept, "nothing was granted"
    assert remembered or file == BIZMEKA_2016, "nothing was granted as before"


def test_what_was_granted_before_is_not_granted_over_a_wish_that_came_since() -> None:
    one, engagement = customer(BIZMEKA, "member", "2018-08-01", "membership", agrees=True)
    view, refused = one.view, 0
    acts = [
        Collect(purpose, (item,), engagement, "website")
        for purpose, row in view.plan.purposes.items()
        if purpose != CHILD_CONTACT
        for item in row.items
    ]
    granted = [act for act in acts if decide_collect(act, view, one.now).granted]
    assert [act for act in granted if as_before(act, view, one.now) is not None]
    one.ask("suspension", purposes=tuple(view.plan.purposes))
    later = View(view.line, replace(view.state, requests=one.view.state.requests), view.controller, one.now, view)
    for act in granted:
        whole = _in_full(act, later, one.now)
        assert as_before(act, later, one.now) in (None, whole), act
        refused += not whole.granted
    assert refused


def as_before(act: Collect, view: View, at: Instant) -> Decision | None:
    taking = taken_before(view, act.purpose, act.use, act.items, act.channel, act.engagement, at)
    if taking is None:
        return None
    assert taking.elements == taking.granted.elements + view.plan.way_in(act.channel, taking.purpose.name)
    return taking.granted


def day_on(at: Instant, days: int) -> Instant:
    return Instant(at + days * DAY)
