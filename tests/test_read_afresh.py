"""Sentences of the rules read once more by somebody who had not written the code: each a life nobody had thought of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import upheld
from tests.sketch import APPLICATION, POLICIES, Sketch, day
from upheld.engine.acts import (
    Collect,
    Disclose,
    EngagementId,
    Entrust,
    Provide,
    Read,
    Reader,
    ReaderKind,
    ReadSeparated,
    RequestId,
    SubjectId,
)
from upheld.engine.compile import compiled
from upheld.engine.plan import PolicyLine
from upheld.errors import InputRefused
from upheld.keeper import Keeper
from upheld.policy.read import read_policy

SOURCE = (Path(__file__).parent / "documents" / "good" / "everything.yaml").read_text("utf-8")
PAPERS = frozenset({"article", "requester", "document", "approver"})
BANKING = (
    "items: bank-key, held-for: organisation, needs: [same-group, device-permission]}",
    "items: [name, bank-key], held-for: organisation, per: membership}",
)
SCRAPING = (
    "    tips:       {en",
    "    scraping:   {en: scraping, ko: 스크래핑, items: bank-key, via: website}\n    tips:       {en",
)


def written(*changes: tuple[str, str], version: str = "2024-02-01") -> str:
    """The document that has every key, with some of it written otherwise."""
    text = SOURCE
    for before, after in changes:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text.replace("2024-02-01", version)


def life(*documents: str, kind: str = "member") -> Sketch:
    """Somebody under these versions, in March of 2024."""
    one = Sketch("nexr-2017.yaml", kind=kind, now="2024-03-01")
    plans = tuple(compiled(read_policy(text.encode(), "x"), text.encode()) for text in documents or (SOURCE,))
    one.line = PolicyLine(plans[0].policy, plans)
    return one


# ── what keeps a value ──────────────────────────────────────────────────────────────────────────────────────────────


def owing(until: str) -> tuple[Sketch, int]:
    """Somebody who owes a fee, under a claim with this end."""
    one = life(written(("until: fee-paid, review-after: P1Y", f"until: {until}, review-after: P1Y")))
    membership = one.begin("membership")
    value = one.hold("email", "service", membership)
    one.tell("fee-charged", membership)
    one.to("2024-04-01").tell("fee-paid", membership)
    one.to("2024-05-01").tell("closed", membership)
    return one, value


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("fee-paid", None),
        ("fee-paid + P10M", "2025-02-02"),
        ("{later-of: [fee-paid, closed + P1Y]}", "2025-05-02"),
        ("{earlier-of: [fee-paid + P1Y, closed + P8M]}", "2025-01-02"),
    ],
)
def test_a_claim_keeps_until_the_end_that_its_row_says_and_not_until_the_first_fact_in_it(
    until: str, last: str | None
) -> None:
    one, value = owing(until)
    by_policy = "2024-11-02"  # six months from the closing, for disputes that may come
    assert str(one.gone_on(one.state.values[0].value_id)) == (last or by_policy)
    assert value == one.state.values[0].value_id


def test_a_dispute_keeps_as_long_as_its_row_says_after_it_was_settled() -> None:
    after = ("kind: dispute, until: dispute-settled, from", "kind: dispute, until: dispute-settled + P1Y, from")
    one = life(written(after))
    membership = one.begin("membership")
    value = one.hold("email", "service", membership)
    one.tell("dispute-opened", about="first", values=(value,))
    one.to("2024-03-05").tell("dispute-opened", about="second", values=(value,))
    one.to("2024-04-01").tell("closed", membership)
    one.tell("dispute-settled", about="first")
    assert one.gone_on(value) is None  # the second goes on
    one.to("2024-06-01").tell("dispute-settled", about="second")
    assert str(one.gone_on(value)) == "2025-06-02"


def test_a_dispute_row_keeps_the_items_and_purposes_that_it_names_and_no_others() -> None:
    one = life(written(("items: of-the-dispute, kind: dispute", "items: account, kind: dispute")))
    membership = one.begin("membership")
    one.agree("purpose/offers")
    mail, account = one.hold("email", "service", membership), one.hold("account", "service", membership)
    one.tell("dispute-opened", values=(mail, account))
    one.to("2024-04-01").tell("closed", membership)
    one.to("2025-01-01")
    assert (one.due(mail), one.kept_by(account)) == ("due", ["retention.dispute"])
    other = life()
    membership = other.begin("membership")
    other.agree("purpose/offers")
    offered = other.hold("email", "offers", membership)
    other.tell("dispute-opened", values=(offered,))
    other.to("2024-04-01").tell("closed", membership)
    assert other.to("2024-05-01").due(offered) == "due"  # the row is of the service


def test_of_two_facts_of_one_instant_the_one_known_first_counts_whichever_was_told_first() -> None:
    known = []
    for order in ((0, 1), (1, 0)):
        one = life()
        membership = one.begin("membership")
        value = one.hold("email", "service", membership)
        told = [one.to(when).tell("closed", membership, at="2024-04-01") for when in ("2024-04-02", "2024-06-01")]
        one.facts = [*one.facts[:-2], *(told[place] for place in order)]
        known.append(one.life.due(one.values[value], day("2024-12-01")).since)
    assert known[0] == known[1]


# ── capacity, groups and credentials ────────────────────────────────────────────────────────────────────────────────


def test_i12_what_is_held_for_one_organisation_is_never_used_for_another_nor_ours_for_any() -> None:
    one = life(written(BANKING))
    acme, globex = one.begin("membership", "acme"), one.begin("membership", "globex")
    theirs, ours = one.hold("name", "banking", acme, held_for="acme"), one.hold("name", "service", acme)
    reuse = Collect("banking", ("name",), globex, "website", reused=(theirs,))
    assert one.reasons(reuse) == ["held-for-another"]
    assert one.reasons(Collect("banking", ("name",), acme, "website", reused=(ours,))) == ["held-for-another"]
    assert one.reasons(Collect("banking", ("name",), acme, "website", reused=(theirs,))) == []
    assert one.read("banking", theirs, reader=Reader(ReaderKind.APPLICATION, "hr", organisation="acme")) == []
    stranger = Reader(ReaderKind.APPLICATION, "hr", organisation="globex")
    assert one.read("banking", theirs, reader=stranger) == ["held-for-another"]


def test_whoever_has_left_a_group_is_no_fellow_of_it_any_more() -> None:
    shared = ("items: bank-key, held-for: organisation, needs: [same-group, device-permission]}",
              "items: [name, bank-key], until: shut-down, per: [membership, tip], needs: same-group}")  # fmt: skip
    one = life(written(shared))
    membership, tip = one.begin("membership", "acme"), one.begin("tip")
    value, fellow = one.hold("name", "banking", tip), Reader(ReaderKind.FELLOW, "colleague", organisation="acme")
    assert one.read("banking", value, reader=fellow) == []
    one.to("2024-04-01").tell("closed", membership)
    assert one.to("2024-04-02").due(value) == "active"
    assert one.read("banking", value, reader=fellow) == ["not-same-group"]


def test_a_credential_is_shown_to_nobody_whatever_keeps_it_and_whoever_demands_it() -> None:
    kept = ("  disputes: {clause: E-20, of: service", "  disputes: {clause: E-20, of: scraping")
    wide = ("approver], items: name, recorded", "approver], recorded")
    one = life(written(SCRAPING, kept, wide))
    membership = one.begin("membership")
    key, word = one.hold("bank-key", "scraping", membership), one.hold("password", "service", membership)
    for item in ("bank-key", "password"):
        assert one.reasons(Disclose("law", (item,), PAPERS, "tax")) == ["duty-missing"]
    one.to("2024-04-01").tell("closed", membership)
    one.to("2024-05-01").sweep()
    assert one.values[key].held.value == "separated"
    assert one.values[word].held.value == "destroyed"
    apart = Reader(ReaderKind.HANDLER, "privacy", frozenset(), frozenset({"separated"}))
    assert one.reasons(ReadSeparated("retention.disputes", apart, (key,))) == ["duty-missing"]


# ── out of the house ────────────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_is_given_anything_once_the_time_for_using_it_is_over() -> None:
    spans = ("per: membership, use-until: closed, until: closed + P6M",
             "use-until: consented + P1Y, until: consented + P2Y")  # fmt: skip
    one = life(written(spans))
    one.hold("name", "service", one.begin("membership"))
    one.agree("provision/shop", channel="letter")
    give = Provide("shop", ("name",))
    assert one.to("2025-03-01").reasons(give) == []
    assert one.to("2025-03-02").reasons(give) == ["provision-ended"]
    one.agree("provision/shop", channel="letter")
    assert one.reasons(give) == []  # agreed to anew


def at_the_cloud(*changes: tuple[str, str]) -> Sketch:
    """Data for a processor abroad, under a parent at home; both contracts run."""
    one = life(written(*changes))
    one.agree("entrustment/host")
    terms = one.plan.entrustments["clouds"].terms
    one.contract("host", terms)
    one.contract("cloud", terms, sub_consent=True)
    return one


def test_a_stop_order_halts_looking_from_abroad_like_giving() -> None:
    one = at_the_cloud()
    value = one.hold("email", "service", one.begin("membership"))
    look = Read("service", Reader(ReaderKind.APPLICATION, "ops", party="clouds"), values=(value,), use="running")
    give = Entrust("clouds", "service", ("email",))
    assert (one.reasons(look), one.reasons(give)) == ([], [])
    one.stop_transfer("cloud-abroad")
    assert (one.reasons(look), one.reasons(give)) == (["transfer-stopped"], ["transfer-stopped"])


def test_no_more_leaves_the_country_than_the_transfer_names() -> None:
    wide = ("clouds:  {to: cloud, for: service, items: email,", "clouds:  {to: cloud, for: service, items: person,")
    one = at_the_cloud(wide)
    value = one.hold("name", "service", one.begin("membership"))
    abroad = Reader(ReaderKind.APPLICATION, "ops", party="clouds")
    assert one.reasons(Entrust("clouds", "service", ("name",))) == ["transfer-basis-missing"]
    assert one.reasons(Read("service", abroad, values=(value,), use="running")) == ["transfer-basis-missing"]


def test_who_agreed_to_an_older_version_agreed_to_what_left_the_country_by_that() -> None:
    consent = ("as: entrustment, basis: contract,", "as: entrustment, basis: consent,")
    wide = ("clouds:  {to: cloud, for: service, items: email,", "clouds:  {to: cloud, for: service, items: person,")
    more = ("seen-from: [KR, JP], items: email,", "seen-from: [KR, JP], items: person,")
    one = life(written(consent, wide), written(consent, wide, more, version="2025-02-01"))
    one.agree("entrustment/host", "transfer/cloud-abroad")
    one.contract("host", one.plan.entrustments["clouds"].terms)
    one.contract("cloud", one.plan.entrustments["clouds"].terms, sub_consent=True)
    one.hold("name", "service", one.begin("membership"))
    give = Entrust("clouds", "service", ("name",))
    assert one.to("2025-03-01").reasons(give) == ["consent-scope-older"]
    one.agree("transfer/cloud-abroad")
    assert one.reasons(give) == []


def test_a_processor_sees_no_item_that_its_row_does_not_name() -> None:
    one = at_the_cloud()
    membership = one.begin("membership")
    mail, account = one.hold("email", "service", membership), one.hold("account", "service", membership)
    host = Reader(ReaderKind.HANDLER, "han", frozenset({"service"}), party="host")
    assert one.read("service", mail, reader=host) == []
    assert one.read("service", account, reader=host) == ["items-exceed-provision"]


def test_a_demand_under_a_law_needs_a_document_and_an_approver_whatever_its_row_says() -> None:
    bare = ("needs: [article, requester, document, approver], items: name", "needs: article, items: name")
    one = life(written(bare))
    one.hold("name", "service", one.begin("membership"))
    assert one.reasons(Disclose("law", ("name",), frozenset({"article"}), "tax")) == ["demand-incomplete"]
    with_paper = frozenset({"article", "document"})
    assert one.reasons(Disclose("law", ("name",), with_paper, "tax")) == ["approval-missing"]
    assert one.reasons(Disclose("law", ("name",), with_paper | {"approver"}, "tax")) == []


# ── consent ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_use_that_a_later_version_adds_waits_for_a_new_consent() -> None:
    agreed = (("basis: contract}\n    service:", "basis: consent}\n    service:"),
              ("      basis: {all: contract, health: consent, passport-no: consent}\n", ""))  # fmt: skip
    runs = ("ko: 청구, blocked: no rate is printed}", "ko: 청구}")
    one = life(written(*agreed), written(*agreed, runs, version="2025-02-01"))
    one.agree("purpose/service")
    value = one.hold("name", "service", one.begin("membership"))
    one.to("2025-03-01")
    assert one.reasons(Read("service", APPLICATION, values=(value,), use="running")) == []
    assert one.reasons(Read("service", APPLICATION, values=(value,), use="billing")) == ["consent-scope-older"]
    assert one.reasons(Read("service", APPLICATION, ("name",), use="billing")) == ["consent-scope-older"]
    one.agree("purpose/service")
    assert one.reasons(Read("service", APPLICATION, values=(value,), use="billing")) == []
    by_contract = life(SOURCE, written(runs, version="2025-02-01"))
    other = by_contract.hold("name", "service", by_contract.begin("membership"))
    by_contract.to("2025-03-01")  # what rests on a contract binds by notice
    assert by_contract.reasons(Read("service", APPLICATION, values=(other,), use="billing")) == []


# ── with stores ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def keeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keeper]:
    """A home with the document that has every key, where the service needs a consent."""
    folder = tmp_path_factory.mktemp("afresh")
    clock = upheld.SetClock(datetime(2024, 3, 1, 3, tzinfo=UTC))
    with upheld.open(folder / "home", upheld.Options(clock=clock, light_hashing=True)) as keeper:
        consent = ("basis: contract}\n    service:", "basis: consent}\n    service:")
        apart = ("      basis: {all: contract, health: consent, passport-no: consent}\n", "")
        published = keeper.publish(written(consent, apart).encode(), as_of=date(2024, 2, 1), evidence="board")
        assert published.version == "2024-02-01"
        yield keeper


def member(keeper: Keeper) -> tuple[SubjectId, EngagementId]:
    """Somebody with a membership and an address that the service needs."""
    subject = keeper.enter("everything", "member")
    membership = EngagementId(keeper.begin(subject, "membership").made or "")
    keeper.consent(subject, "purpose/service", channel="website")
    keeper.collect(subject, "service", {"email": "kim@example.org"}, engagement=membership, channel="website")
    return subject, membership


def running(keeper: Keeper, subject: SubjectId) -> bool:
    seen = keeper.views.get(subject, keeper.now())
    return all(seen.view.life.engagement_end(one).at > keeper.now() for one in seen.state.engagements)


def test_a_withdrawal_ends_an_engagement_whose_last_day_is_known_already(keeper: Keeper) -> None:
    """It would have ended by itself after ten years; that is no reason not to end it now."""
    subject, _ = member(keeper)
    asked = keeper.withdraw(subject, "purpose/service", channel="website")
    assert (asked.tells, running(keeper, subject)) == (("ends:membership",), True)
    keeper.consent(subject, "purpose/service", channel="website")
    ended = keeper.withdraw(subject, "purpose/service", channel="website", confirmed=True)
    assert (ended.tells, running(keeper, subject)) == (("ends:membership",), False)


def test_an_erasure_says_what_it_ends_and_ends_it_when_somebody_proved_confirms(keeper: Keeper) -> None:
    subject, _ = member(keeper)
    letter = keeper.request(subject, "erasure", channel="letter", confirmed=True)
    assert (letter.tells, running(keeper, subject)) == (("ends:membership",), True)  # nobody knows who wrote it
    keeper.prove(subject, RequestId(letter.made or ""), proof="passport")
    done = keeper.answer(subject, RequestId(letter.made or ""), "done")
    assert (done.tells, running(keeper, subject)) == (("ends:membership",), True)
    other, _ = member(keeper)
    signed_in = keeper.request(other, "erasure", channel="website", proved=True, confirmed=True)
    assert (signed_in.tells, running(keeper, other)) == (("ends:membership",), False)
    third, _ = member(keeper)
    asked = RequestId(keeper.request(third, "erasure", channel="website", proved=True).made or "")
    assert keeper.answer(third, asked, "done", confirmed=True).tells == ("ends:membership",)
    assert not running(keeper, third)


def test_what_is_delivered_again_is_the_same_though_it_leaves_out_when_and_where(keeper: Keeper) -> None:
    """A program that tries again names neither instant nor engagement; by then both would be found otherwise."""
    subject, membership = member(keeper)
    first = keeper.fact(subject, "closed", source="shop", key="order-1")
    keeper.begin(subject, "membership")
    again = keeper.fact(subject, "closed", source="shop", key="order-1")
    assert (again.made, again.repeated) == (first.made, True)
    named = keeper.fact(subject, "closed", source="shop", key="order-1", engagement=membership)
    assert named.repeated
    for other in ("joined", "fee-charged"):
        with pytest.raises(InputRefused, match="key"):
            keeper.fact(subject, other, source="shop", key="order-1")
    with pytest.raises(InputRefused, match="key"):
        keeper.fact(subject, "closed", source="shop", key="order-1", at=datetime(2024, 2, 20, tzinfo=UTC))


def test_what_is_frozen_is_shown_and_disclosed_marked_as_disputed(keeper: Keeper) -> None:
    subject, membership = member(keeper)
    named = keeper.collect(subject, "service", {"name": "Kim"}, engagement=membership, channel="website")
    (name,) = named.values["name"]
    owner = Reader(ReaderKind.SUBJECT, "self")
    assert keeper.show(subject, reader=owner, identity_proved=True).disputed == ()
    keeper.request(subject, "rectification", channel="website", proved=True, values=(name,))
    shown = keeper.show(subject, reader=owner, identity_proved=True)
    out = keeper.disclose(subject, "law", ("name",), shown=PAPERS, law="tax")
    assert name in shown.disputed
    assert out.disputed == (name,)
    asked = keeper.request(subject, "access", channel="website", proved=True, values=(name,))
    copy = keeper.export(subject, RequestId(asked.made or "")).document
    assert copy is not None
    assert json.loads(copy)["items"][0]["disputed"] is True


def test_nothing_is_shown_for_a_right_that_shows_nothing(keeper: Keeper) -> None:
    subject, _ = member(keeper)
    with pytest.raises(InputRefused, match="shows nothing"):
        keeper.show(subject, reader=Reader(ReaderKind.SUBJECT, "self"), right="erasure", identity_proved=True)


def test_nobody_is_forgotten_while_paper_of_theirs_waits_and_without_the_witness_no_certificate_is_complete(
    tmp_path: Path,
) -> None:
    """Rule 4.12: until each place has its evidence, the promised witness included, something of the person is held."""
    clock = upheld.SetClock(datetime(2018, 7, 7, 3, tzinfo=UTC))
    with upheld.open(tmp_path / "home", upheld.Options(clock=clock, light_hashing=True)) as keeper:
        policy = keeper.publish(POLICIES / "bizmeka-ez-2018.yaml").policy
        clock.set(datetime(2018, 7, 10, 3, tzinfo=UTC))
        subject = keeper.enter(policy, "member")
        keeper.consent(subject, "purpose/recommending", channel="website")
        membership = EngagementId(keeper.begin(subject, "membership").made or "")
        taken = keeper.collect(subject, "recommending", {"email": "x"}, engagement=membership, channel="website")
        (value,) = taken.values["email"]
        keeper.also_in(subject, value, "paper-file")
        asked = keeper.request(subject, "erasure", channel="website", proved=True)
        keeper.answer(subject, RequestId(asked.made or ""), "done")
        keeper.fact(subject, "ended", engagement=membership)
        keeper.sweep()
        with pytest.raises(InputRefused, match="any more"):
            keeper.also_in(subject, value, "medium")
        clock.set(datetime(2023, 7, 10, 3, tzinfo=UTC))
        keeper.sweep()
        keeper.sweep()
        (order,) = keeper.work_orders(policy)  # four years on somebody still has to shred it
        assert order.subject_id == subject
        (number,) = keeper.certificates(policy)
        keeper.work_done(order.order_id, method="shred", by="handler")
        assert json.loads(keeper.certificate(number))["state"] == "partly"
        keeper.sweep()
        with pytest.raises(InputRefused):  # with the last of it the person is forgotten
            keeper.views.load(subject, keeper.now())
