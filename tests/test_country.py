"""A policy is run by the law of its own country: Korea's, Europe's, or by its promises alone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from upheld.dates import Period, instant
from upheld.engine.acts import Collect, ConsentId, Decision, Entrust, Provide, Reason, Send, SubjectId, ValueId
from upheld.engine.compile import compiled
from upheld.engine.decide import decide
from upheld.engine.notices import OWED
from upheld.engine.plan import Plan, PolicyLine
from upheld.engine.state import About, AboutKind, Consent, ControllerState, SubjectState, Use, Value
from upheld.engine.view import View
from upheld.law import PACKS, law_for
from upheld.policy.plain import law as in_words
from upheld.policy.read import read_policy
from upheld.policy.shapes import LawRef

HOUSE = Path(__file__).resolve().parent.parent
SHOP = (HOUSE / "examples" / "shop.yaml").read_text()
SMALLEST = Path(__file__).parent / "documents" / "good" / "smallest.yaml"


def plan_in(zone: str, *changes: tuple[str, str]) -> Plan:
    """The invented shop, as if it stood in that time zone."""
    text = SHOP.replace("Europe/Dublin", zone)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return compiled(read_policy(text.encode(), "shop.yaml"), text.encode())


def smallest_in(zone: str) -> Plan:
    text = re.sub("time-zone: .*", f"time-zone: {zone}", SMALLEST.read_text())
    assert f"time-zone: {zone}" in text
    return compiled(read_policy(text.encode(), "smallest.yaml"), text.encode())


AT = instant(datetime(2026, 11, 2, 12, tzinfo=UTC))


def laws(decision: Decision) -> set[str | None]:
    return {cited.law for cited in decision.because}


def reasons(decision: Decision) -> set[Reason | None]:
    return {cited.reason for cited in decision.because}


def subject_of(plan: Plan, *agreed: About) -> View:
    events = tuple(Consent(ConsentId(str(one)), one, True, AT, AT, plan.version, "site") for one in agreed)
    use = Use("letter", None, AT, plan.version, AT)
    held = (Value(ValueId(1), "email", AT, AT, (use,)),)
    state = SubjectState(SubjectId("s"), "buyer", AT, consents=events, values=held)
    return View(PolicyLine(plan.policy, (plan,)), state, ControllerState(), AT)


def test_an_answer_is_due_in_ten_days_in_korea_in_a_month_in_europe_and_as_promised_elsewhere() -> None:
    assert smallest_in("Asia/Seoul").rights["access"].within == Period(days=10)
    assert smallest_in("Europe/Berlin").rights["access"].within == Period(months=1)
    assert smallest_in("America/Lima").rights["access"].within == Period(days=10)
    late = ("within: P1M}", "within: P2M}")
    assert plan_in("America/Lima", late).rights["access"].within == Period(months=2)


def test_of_promise_and_law_the_stricter_decides_and_says_which() -> None:
    late = ("within: P1M}", "within: P2M}")
    by_law = plan_in("Europe/Dublin", late).rights["access"]
    assert (by_law.within, by_law.decided_by_law) == (Period(months=1), "gdpr 12(3)")
    assert by_law.rule.cited().law == "gdpr 12(3)"
    promised = plan_in("Europe/Dublin", ("within: P1M}", "within: P10D}")).rights["access"]
    assert (promised.within, promised.decided_by_law) == (Period(days=10), None)
    korean = plan_in("Asia/Seoul").rights["access"]
    assert (korean.within, korean.decided_by_law) == (Period(days=10), "pipa decree 41 to 44")


def test_a_default_cites_the_law_of_the_house_and_none_where_no_table_is_for_it() -> None:
    cited = {zone: smallest_in(zone) for zone in ("Asia/Seoul", "Europe/Berlin", "America/Lima")}
    assert [one.rights["access"].rule.law for one in cited.values()] == ["pipa 35", "gdpr 15", None]
    assert [one.builtin["transfers"].law for one in cited.values()] == ["pipa 28-8", "gdpr 44 to 49", None]
    assert [one.builtin["separation"].law for one in cited.values()] == ["pipa 21(3)", "gdpr 18(2)", None]


def test_a_child_is_who_the_law_of_the_country_says_and_a_promise_may_not_go_below_it() -> None:
    assert smallest_in("Asia/Seoul").children.under == 14
    assert smallest_in("Europe/Berlin").children.under == 16
    assert smallest_in("America/Lima").children.under == 14
    assert plan_in("Europe/Dublin", ("under: 16,", "under: 14,")).children.under == 14
    assert plan_in("Europe/Dublin", ("under: 16,", "under: 12,")).children.under == 13
    assert plan_in("Asia/Seoul", ("under: 16,", "under: 12,")).children.under == 14
    assert plan_in("America/Lima", ("under: 16,", "under: 12,")).children.under == 12


def test_a_seat_inside_europe_is_no_transfer_for_a_house_in_europe() -> None:
    rowless = SHOP[SHOP.index("transfers:") : SHOP.index("# ── Who looks")]
    for zone, seat, asked in (
        ("Europe/Dublin", "DE", False),
        ("Europe/Dublin", "KR", True),
        ("Asia/Seoul", "DE", True),
        ("Asia/Seoul", "KR", False),
        ("America/Lima", "US", False),
    ):
        plan = plan_in(zone, (rowless, ""), ("seat: US", f"seat: {seat}"))
        decision = decide(Entrust("mailer", "letter", ("email",)), subject_of(plan), AT)
        assert (Reason.TRANSFER_BASIS_MISSING in reasons(decision)) == asked, (zone, seat)


ADVERT = (About(AboutKind.PURPOSE, "letter"), About(AboutKind.MEDIUM, "sms"))
TO_PHONES = ("  email: {clause: ES-10, en-IE: e-mail,", "  sms: {clause: ES-10, en-IE: e-mail,")


@pytest.mark.parametrize(
    ("zone", "overdue"), [("Asia/Seoul", "network act decree 62-3"), ("Europe/Dublin", None), ("America/Lima", None)]
)
def test_only_korea_has_consent_to_messages_confirmed_again(zone: str, overdue: str | None) -> None:
    plan = plan_in(zone, ("for: letter, at-night: never}", "for: letter, at-night: own-consent}"), TO_PHONES)
    late = instant(datetime(2029, 1, 2, 12, tzinfo=UTC))
    view = subject_of(plan, *ADVERT)
    decision = decide(Send("letter", "sms", 12), View(view.line, view.state, view.controller, late), late)
    told = {cited.reason: cited.law for cited in decision.because}
    assert told.get(Reason.RECONFIRMATION_OVERDUE) == overdue
    assert decision.granted == (overdue is None)


def test_at_night_nothing_is_sent_by_the_law_of_korea_and_elsewhere_where_it_is_promised() -> None:
    for zone, law in (("Asia/Seoul", "network act 50(3)"), ("Europe/Dublin", None)):
        plan = plan_in(zone, TO_PHONES)
        refused = decide(Send("letter", "sms", 22), subject_of(plan, *ADVERT), AT)
        assert [cited.law for cited in refused.because if cited.reason is Reason.NIGHT] == [law]
        assert [cited.element for cited in refused.because if cited.reason is Reason.NIGHT] == ["advertising.sms"]
    silent = plan_in("Europe/Dublin")  # a medium of which the policy says nothing
    assert Reason.NIGHT not in reasons(decide(Send("letter", "sms", 22), subject_of(silent, *ADVERT), AT))
    korean = plan_in("Asia/Seoul")
    of_the_day = {hour: decide(Send("letter", "sms", hour), subject_of(korean, *ADVERT), AT) for hour in range(24)}
    at_night = [hour for hour, decision in of_the_day.items() if Reason.NIGHT in reasons(decision)]
    assert at_night == [*range(8), 21, 22, 23]  # from the stroke of nine until that of eight


def test_a_promise_to_send_nothing_at_night_holds_for_e_mail_too_though_the_law_does_not_ask_it() -> None:
    for zone in ("Asia/Seoul", "Europe/Dublin", "America/Los_Angeles"):
        promised = plan_in(zone, (TO_PHONES[0], TO_PHONES[1].replace("sms", "e-mail")))
        refused = decide(Send("letter", "e-mail", 22), subject_of(promised, *ADVERT), AT)
        assert [one.element for one in refused.because if one.reason is Reason.NIGHT] == ["advertising.e-mail"]
        silent = plan_in(zone)  # it says something of `email` alone
        for medium in ("e-mail", "mail"):
            assert Reason.NIGHT not in reasons(decide(Send("letter", medium, 22), subject_of(silent, *ADVERT), AT))


def test_a_refusal_in_europe_cites_europe_and_elsewhere_the_element_alone() -> None:
    abroad = decide(Entrust("mailer", "letter", ("email",)), subject_of(plan_in("Europe/Dublin")), AT)
    assert not abroad.granted
    assert "gdpr 49(1)(a)" in laws(abroad)
    alone = plan_in("America/Lima")
    given = decide(Provide("courier", ("name",)), subject_of(alone), AT)
    assert not given.granted
    assert laws(given) == {None}
    assert all(cited.element and cited.clauses for cited in given.because)
    unlisted = decide(Collect("gossip", ("name",), channel="site"), subject_of(alone), AT)
    assert [cited.element for cited in unlisted.because]
    assert laws(unlisted) == {None}


@pytest.mark.parametrize("zone", ["Asia/Seoul", "Europe/Berlin"])
def test_every_rule_that_holds_under_every_policy_has_an_article_where_a_table_is(zone: str) -> None:
    bare = smallest_in(zone)
    assert [name for name, rule in bare.builtin.items() if not rule.law] == []
    told = [rule.code for rule in PACKS["kr"].rules if rule.code.startswith("cited.told.")]
    assert sorted(told) == sorted(f"cited.told.{notice}" for notice in OWED)


def test_no_korean_law_is_cited_by_any_rule_of_a_house_in_europe() -> None:
    for plan in (plan_in("Europe/Dublin"), smallest_in("Europe/Berlin")):
        rules = [*plan.builtin.values(), plan.children.rule, plan.children.never_rule, plan.destruction.at_expiry]
        rules += [row.rule for row in plan.rights.values()] + [*plan.separation.values()]
        said = {rule.law for rule in rules if rule.law}
        assert said
        assert not {law for law in said if "pipa" in law or "network" in law}


def test_an_article_is_cited_as_it_is_numbered_now_and_a_number_as_of_the_versions_day() -> None:
    law = law_for("Asia/Seoul", date(2018, 7, 9))
    assert law.cites("transfers") is None  # the article began in 2023
    assert plan_in("Asia/Seoul").country.cites("transfers") == "pipa 28-8"
    assert law_for("Asia/Seoul", date(1999, 1, 1)).day == date(2016, 1, 1)
    assert law_for("Europe/Dublin").day == date(2026, 11, 22)


def test_an_article_of_europe_is_told_in_words() -> None:
    policy = read_policy(SMALLEST.read_bytes(), "smallest.yaml")
    assert in_words(LawRef("gdpr", "15"), policy, "en") == "General Data Protection Regulation, Art. 15"
