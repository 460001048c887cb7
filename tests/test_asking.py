"""Who asks, by which proofs, and where a request stands; what a person gets into their hands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import upheld
from tests.homes import copied, put_back
from upheld.dates import Instant, instant
from upheld.engine.acts import EngagementId, HandlerId, Reader, ReaderKind, RequestId, SubjectId
from upheld.engine.state import HeldState, Request, RequestState
from upheld.errors import InputRefused
from upheld.keeper.asking import AUTOMATED
from upheld.store import history

SEOUL = ZoneInfo("Asia/Seoul")
POLICIES = Path(__file__).parent.parent / "policies"
BIZMEKA, MNS = "bizmeka-ez", "kt-mns"
CRM = Reader(ReaderKind.APPLICATION, "crm")
IDENTITY = {"name": "Person Made-Up", "email": "made-up@example.org", "mobile": "010-0000-0000"}


class House:
    """A home with bizmeka 2018 in force, and its clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = upheld.SetClock(datetime(2018, 7, 1, tzinfo=SEOUL))
        self.keeper = upheld.open(folder, upheld.Options(clock=self.clock, light_hashing=True))
        self.keeper.publish(POLICIES / "bizmeka-ez-2018.yaml")
        self.clock.set(datetime(2018, 7, 9, 9, tzinfo=SEOUL))

    def tick(self, **span: int) -> None:
        self.clock.set(self.clock.now() + int(timedelta(**span).total_seconds()) * 1_000_000)

    def member(self) -> SubjectId:
        """A member of whom a name, an address and a number are held."""
        subject = self.keeper.enter(BIZMEKA, "member")
        engagement = EngagementId(self.keeper.begin(subject, "membership").made or "")
        self.keeper.consent(subject, "purpose/identity", channel="website")
        taken = self.keeper.collect(subject, "identity", IDENTITY, engagement=engagement, channel="website")
        assert taken.granted
        return subject

    def asks(self, subject: SubjectId, right: str, channel: str = "phone", *, proved: bool = True) -> RequestId:
        """A request that comes in; its id."""
        made = self.keeper.request(subject, right, channel=channel, proved=proved)
        assert made.granted
        return RequestId(made.made or "")

    def one(self, subject: SubjectId, request: RequestId) -> Request:
        return next(each for each in self.keeper.requests(subject) if each.request_id == request)

    def entries(self, *kinds: str) -> list[history.Recorded]:
        self.keeper.seal()
        return list(history.entries(self.keeper.places.sealer.connection, kinds=kinds))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("asking") / "home")
    yield made
    made.keeper.close()


def codes(outcome: upheld.Outcome) -> list[str]:
    return [reason.value for reason in outcome.reasons]


# ── proofs ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-9.3.a", "BZ18-9.2.a")
def test_a_proof_that_the_channel_does_not_ask_is_refused_and_what_would_do_is_named(house: House) -> None:
    subject = house.member()
    request = house.asks(subject, "access", proved=False)
    refused = house.keeper.prove(subject, request, proof="library-card")
    assert codes(refused) == ["identity-not-proved"]
    assert [cited.detail for cited in refused.because] == ["id-document"]
    assert house.one(subject, request).proved_at is None
    assert house.keeper.prove(subject, request, proof="passport").granted
    assert house.one(subject, request).state is RequestState.OPEN


@pytest.mark.clauses("BZ18-9.2.f")
def test_signing_in_proves_who_asks_in_the_menu_and_nobody_who_calls(house: House) -> None:
    subject = house.member()
    menu, call = house.asks(subject, "access", "member-menu", proved=False), house.asks(subject, "access", proved=False)
    assert house.keeper.prove(subject, menu, proof="login").granted
    assert codes(house.keeper.prove(subject, call, proof="login")) == ["identity-not-proved"]


@pytest.mark.clauses("KE22-9.3", "KE22-9.2-2")
def test_an_address_that_agreed_is_enough_to_stop_and_never_enough_to_see(tmp_path: Path) -> None:
    clock = upheld.SetClock(datetime(2022, 2, 9, 9, tzinfo=SEOUL))
    with upheld.open(tmp_path / "home", upheld.Options(clock=clock, light_hashing=True)) as keeper:
        published = keeper.publish(POLICIES / "kt-enterprise-2022.yaml", as_of=date(2022, 1, 19), evidence="minutes")
        clock.set(datetime(2022, 2, 10, 9, tzinfo=SEOUL))
        subject = keeper.enter(published.policy, "customer")
        stop = keeper.request(subject, "withdrawal", channel="email")
        assert keeper.prove(subject, RequestId(stop.made or ""), proof="own-address").granted
        see = keeper.request(subject, "access", channel="email")
        assert codes(keeper.prove(subject, RequestId(see.made or ""), proof="own-address")) == ["identity-not-proved"]
        assert keeper.prove(subject, RequestId(see.made or ""), proof=("own-address", "passport")).granted


# ── who asks ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-9.4.a", "BZ18-9.4.b")
def test_an_agent_asks_for_what_the_mandate_covers_and_for_nothing_else(house: House) -> None:
    subject = house.member()
    assert codes(house.keeper.acts_for(subject, "agent", shown=("mandate", "seal"))) == ["identity-not-proved"]
    papers = ("mandate", "seal", "agent-card")
    agent = house.keeper.acts_for(subject, "agent", shown=papers, rights=("access",), items=("email",)).made
    named = {value.item: value.value_id for value, _, _ in house.keeper.holdings(subject)}
    asked = house.keeper.request(subject, "access", channel="phone", proved=True, by=agent)
    assert asked.granted
    export = house.keeper.export(subject, RequestId(asked.made or ""))
    assert [one["item"] for one in json.loads(export.document)["items"]] == ["email"]
    for right, values in (("erasure", ()), ("access", (named["name"],))):
        beyond = house.keeper.request(subject, right, channel="phone", proved=True, by=agent, values=values)
        assert codes(beyond) == ["mandate-exceeded"]
    assert codes(house.keeper.withdraw(subject, "identity", channel="website", by=agent or "")) == ["mandate-exceeded"]


def test_whose_mandate_was_taken_back_cannot_lose_it_again(house: House) -> None:
    subject = house.member()
    agent = house.keeper.acts_for(subject, "agent", shown=("mandate", "seal", "agent-card")).made or ""
    assert house.keeper.acts_no_longer(subject, agent).granted
    for gone in (agent, "a" * 20):
        with pytest.raises(InputRefused, match="nobody acts for this person"):
            house.keeper.acts_no_longer(subject, gone)


def test_a_mandate_for_items_that_are_not_there_is_no_mandate_for_all_the_rest(house: House) -> None:
    subject = house.member()
    papers = ("mandate", "seal", "agent-card")
    agent = house.keeper.acts_for(subject, "agent", shown=papers, items=("address",)).made
    assert "address" not in {value.item for value, _, _ in house.keeper.holdings(subject)}
    asked = house.keeper.request(subject, "erasure", channel="phone", proved=True, by=agent)
    assert codes(asked) == ["unknown"]
    assert not house.keeper.requests(subject)


def test_a_mandate_ends_with_its_day_or_when_it_is_taken_back(house: House) -> None:
    subject = house.member()
    until = house.clock.now() + 86_400_000_000
    brief = house.keeper.acts_for(subject, "agent", shown="agent-papers", until=until).made or ""  # type: ignore[arg-type]  # an instant is a number
    longer = house.keeper.acts_for(subject, "agent", shown="agent-papers").made or ""
    assert {one.acting_id for one in house.keeper.acting_for(subject)} == {brief, longer}
    house.tick(days=1)
    assert codes(house.keeper.request(subject, "access", channel="phone", by=brief)) == ["mandate-exceeded"]
    assert house.keeper.request(subject, "access", channel="phone", by=longer).granted
    house.keeper.acts_no_longer(subject, longer)
    assert codes(house.keeper.request(subject, "access", channel="phone", by=longer)) == ["mandate-exceeded"]
    with pytest.raises(InputRefused, match="nobody acts"):
        house.keeper.request(subject, "access", channel="phone", by="x" * 20)


def test_a_guardian_of_a_child_is_its_guardian_until_the_birthday(house: House) -> None:
    born = date(2004, 7, 20)
    child = house.keeper.enter(BIZMEKA, "member", born=born)
    guardian = house.keeper.acts_for(child, "representative", shown="mandate").made or ""
    (acting,) = house.keeper.acting_for(child)
    assert acting.until_at == instant(datetime(2018, 7, 20, tzinfo=SEOUL))
    assert house.keeper.consent(child, "purpose/recommending", channel="website", by=guardian).granted
    house.clock.set(max(house.clock.now(), instant(datetime(2018, 7, 20, tzinfo=SEOUL))))
    assert codes(house.keeper.consent(child, "purpose/identity", channel="website", by="representative")) == [
        "mandate-exceeded"
    ]
    assert codes(house.keeper.withdraw(child, "recommending", channel="website", by=guardian)) == ["mandate-exceeded"]
    assert house.keeper.consents(child)["purpose/recommending"] == "given"
    assert house.keeper.withdraw(child, "recommending", channel="website").granted


# ── states ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_request_is_received_completed_open_and_answered_and_its_clock_runs_all_the_time(house: House) -> None:
    subject = house.member()
    request = house.asks(subject, "access", proved=False)
    due_at = house.one(subject, request).due_at
    assert house.one(subject, request).state is RequestState.RECEIVED
    house.keeper.incomplete(subject, request, missing=("id-document",))
    assert house.one(subject, request).state is RequestState.TO_BE_COMPLETED
    house.tick(days=2)
    house.keeper.prove(subject, request, proof="id-document")
    assert house.one(subject, request).state is RequestState.OPEN
    assert house.one(subject, request).due_at == due_at
    with pytest.raises(InputRefused, match="proved already"):
        house.keeper.incomplete(subject, request)
    house.keeper.answer(subject, request, "done")
    assert house.keeper.answer_of(subject, request) is not None


def test_a_request_is_answered_once_also_within_the_same_instant(house: House) -> None:
    subject = house.member()
    request = house.asks(subject, "access")
    assert house.keeper.answer(subject, request, "done").granted
    with pytest.raises(InputRefused) as failed:
        house.keeper.answer(subject, request, "refused", reason="identity-not-proved")
    assert failed.value.code == "already-answered"
    assert house.one(subject, request).state is RequestState.DONE


def test_access_is_postponed_to_a_day_and_resumes_by_itself(house: House) -> None:
    subject = house.member()
    access, erasure = house.asks(subject, "access"), house.asks(subject, "erasure")
    until = house.clock.now() + 20 * 86_400_000_000
    house.keeper.postpone(subject, access, until=until, reason="court-order")  # type: ignore[arg-type]  # an instant is a number
    one = house.one(subject, access)
    assert one.stands(house.clock.now()) is RequestState.POSTPONED
    assert one.due_at > until
    with pytest.raises(InputRefused, match="only access"):
        house.keeper.postpone(subject, erasure, until=until, reason="court-order")  # type: ignore[arg-type]  # an instant is a number
    with pytest.raises(InputRefused, match="access"):
        house.keeper.answer(subject, erasure, "done")
    with pytest.raises(InputRefused, match="postponed"):
        house.keeper.export(subject, access)
    house.tick(days=20)
    assert house.one(subject, access).stands(house.clock.now()) is RequestState.OPEN
    assert house.keeper.export(subject, access).outcome.granted


def test_an_automated_decision_has_thirty_days_twice_extended_and_no_more(house: House) -> None:
    subject = house.member()
    request = house.asks(subject, AUTOMATED)
    first = house.one(subject, request).due_at
    assert first - house.one(subject, request).received_at >= 30 * 86_400_000_000
    house.keeper.extend(subject, request, reason="complex")
    house.keeper.extend(subject, request, reason="complex")
    assert house.one(subject, request).due_at - first >= 60 * 86_400_000_000
    with pytest.raises(InputRefused, match="twice"):
        house.keeper.extend(subject, request, reason="complex")
    access = house.asks(subject, "access")
    with pytest.raises(InputRefused, match="automated"):
        house.keeper.extend(subject, access, reason="complex")


def test_every_answer_but_done_has_reason_remedy_and_a_way_to_object(house: House) -> None:
    for outcome in ("partly", "refused", "not-identified", "taken-back"):
        subject = house.member()
        request = house.asks(subject, "rectification")
        house.keeper.answer(subject, request, outcome, reason="proved-right")
        answer = house.keeper.answer_of(subject, request)
        assert answer is not None
        assert answer.outcome.value == outcome
        assert answer.reason
        assert answer.remedies
        assert answer.offices
        assert answer.objection == "rights.objection"
    answered = house.entries("request.answered")[-1].entry.fields
    assert answered["remedies"]
    assert answered["objection"] == "rights.objection"


@pytest.mark.parametrize("outcome", ["partly", "refused"])
def test_what_is_not_plainly_done_needs_a_reason(house: House, outcome: str) -> None:
    subject = house.member()
    request = house.asks(subject, "rectification")
    with pytest.raises(InputRefused, match="reason"):
        house.keeper.answer(subject, request, outcome)


def test_an_erasure_done_in_part_gives_the_duties_that_keep_the_rest_as_its_reason(house: House) -> None:
    subject = house.member()
    request = house.asks(subject, "erasure")
    house.keeper.answer(subject, request, "partly")
    answer = house.keeper.answer_of(subject, request)
    assert answer is not None
    assert answer.reason == "kept-by-duty"


def test_nothing_is_said_to_be_held_only_where_nothing_is(house: House) -> None:
    subject = house.member()
    request = house.asks(subject, "access")
    with pytest.raises(InputRefused, match="something is held"):
        house.keeper.answer(subject, request, "nothing-held")
    stranger = house.keeper.enter(BIZMEKA, "member")
    asked = house.asks(stranger, "access", proved=False)
    assert codes(house.keeper.answer(stranger, asked, "nothing-held")) == ["identity-not-proved"]
    house.keeper.prove(stranger, asked, proof="id-document")
    assert house.keeper.answer(stranger, asked, "nothing-held").granted
    assert house.one(stranger, asked).reason == "nothing-held"


def test_a_suspension_is_refused_on_one_of_four_grounds(house: House) -> None:
    subject = house.member()
    request = house.asks(subject, "suspension")
    with pytest.raises(InputRefused, match="one of the law's grounds"):
        house.keeper.answer(subject, request, "refused", reason="inconvenient")
    assert house.keeper.answer(subject, request, "refused", reason="contract").granted


@pytest.mark.parametrize("late", ["entered", "proved"])
def test_a_suspension_that_comes_to_be_known_when_its_time_is_over_is_seen_by_the_next_sweep(
    house: House, late: str
) -> None:
    """A letter lay about for forty days, or its papers came after as many: what it is about is due at once, and no day
    that is still to come would show that to a sweep.
    """
    subject = house.member()
    house.keeper.sweep(confirm_clock=True)
    ask = partial(house.keeper.request, subject, "suspension", channel="phone")
    received = Instant(house.clock.now())
    earlier = ask() if late == "proved" else None
    house.tick(days=40)
    house.keeper.sweep(confirm_clock=True)
    assert {value.held for value, _, _ in house.keeper.holdings(subject)} == {HeldState.HELD}
    if earlier is not None:
        assert house.keeper.prove(subject, RequestId(earlier.made or ""), proof="id-document").granted
    else:
        assert ask(proved=True, at=received).granted
    house.tick(hours=1)
    assert house.keeper.sweep(confirm_clock=True).destroyed == len(IDENTITY)


def test_an_objection_is_decided_by_somebody_else(house: House) -> None:
    subject, first, second = house.member(), HandlerId("a" * 20), HandlerId("b" * 20)
    request = house.asks(subject, "rectification")
    house.keeper.answer(subject, request, "refused", reason="proved-right", handler=first)
    made = house.keeper.request(subject, "objection", channel="phone", proved=True, objects_to=request)
    objection = RequestId(made.made or "")
    assert codes(house.keeper.answer(subject, objection, "refused", reason="again", handler=first)) == ["duty-missing"]
    assert codes(house.keeper.answer(subject, objection, "done")) == ["duty-missing"]
    assert house.keeper.answer(subject, objection, "done", handler=second).granted
    with pytest.raises(InputRefused, match="object to"):
        house.keeper.request(subject, "objection", channel="phone", objects_to=RequestId("x" * 20))


def test_what_came_from_another_controller_is_passed_on_and_stays_frozen(house: House) -> None:
    subject = house.member()
    request = house.asks(subject, "rectification")
    assert house.keeper.pass_on(subject, request, party="mhows").granted
    assert house.one(subject, request).passed_to == "mhows"
    read = house.keeper.read(subject, "identity", reader=CRM, items=("name",), use="identify")
    assert codes(read) == ["frozen"]
    assert house.keeper.answer(subject, request, "done").granted
    read = house.keeper.read(subject, "identity", reader=CRM, items=("name",), use="identify")
    assert read.granted


# ── into their hands ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-9.5.a")
def test_a_copy_has_items_purposes_periods_recipients_and_consents(house: House) -> None:
    subject = house.member()
    request = house.asks(subject, "portability")
    export = house.keeper.export(subject, request)
    told = json.loads(export.document)
    assert {one["item"]: one["content"] for one in told["items"]} == IDENTITY
    name = next(one for one in told["items"] if one["item"] == "name")
    assert [one["purpose"] for one in name["purposes"]] == ["identity"]
    assert name["purposes"][0]["source"] == ["person"]
    assert name["kept-by"][0]["clauses"]
    assert told["consents"][0]["about"] == "purpose/identity"
    shown = house.entries("values.shown")[-1].entry.fields
    assert (shown["right"], shown["request"]) == ("portability", request)


def test_nobody_unproved_gets_a_copy_and_no_other_right_asks_for_one(house: House) -> None:
    subject = house.member()
    request = house.asks(subject, "access", proved=False)
    export = house.keeper.export(subject, request)
    assert codes(export.outcome) == ["identity-not-proved"]
    assert export.document == b""
    erasure = house.asks(subject, "erasure")
    with pytest.raises(InputRefused, match="asks for no data"):
        house.keeper.export(subject, erasure)


def test_who_asks_for_the_source_is_told_it_without_the_contents(house: House) -> None:
    subject = house.member()
    request = house.asks(subject, "source")
    document = house.keeper.export(subject, request).document
    assert all(text.encode() not in document for text in IDENTITY.values())
    assert {tuple(each["source"]) for one in json.loads(document)["items"] for each in one["purposes"]} == {("person",)}


# ── nothing is lost ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_mandates_states_and_looks_are_known_again_after_a_recovery(house: House, tmp_path: Path) -> None:
    subject = house.member()
    house.keeper.seal()
    copied(house.folder, tmp_path / "older")
    agent = house.keeper.acts_for(subject, "agent", shown="agent-papers", rights=("access",), items=("name",)).made
    gone = house.keeper.acts_for(subject, "agent", shown="agent-papers").made or ""
    house.keeper.acts_no_longer(subject, gone)
    asked = house.keeper.request(subject, "access", channel="phone", proved=True, by=agent)
    postponed = RequestId(asked.made or "")
    until = house.clock.now() + 20 * 86_400_000_000
    house.keeper.postpone(subject, postponed, until=until, reason="court-order")  # type: ignore[arg-type]  # an instant is a number
    automated = house.asks(subject, AUTOMATED)
    house.keeper.extend(subject, automated, reason="complex")
    wrong = house.asks(subject, "rectification")
    house.keeper.pass_on(subject, wrong, party="mhows")
    waiting = house.asks(subject, "access", proved=False)
    house.keeper.incomplete(subject, waiting)
    refused = house.asks(subject, "erasure", proved=False)
    house.keeper.answer(subject, refused, "not-identified", handler="c" * 20)
    before = house.keeper.views.get(subject, house.clock.now()).state
    house.keeper.seal()
    house.keeper.close()
    put_back(house.folder, tmp_path / "older", "active")
    house.keeper = upheld.open(house.folder, upheld.Options(clock=house.clock, light_hashing=True))
    house.keeper.recover()
    after = house.keeper.views.get(subject, house.clock.now()).state
    assert set(after.requests) == set(before.requests)
    assert set(after.acting) == set(before.acting)


def test_for_a_request_nobody_is_proved_but_who_made_it(house: House) -> None:
    subject = house.member()
    request = house.asks(subject, "access", proved=False)
    owner = Reader(ReaderKind.SUBJECT, "self")
    shown = house.keeper.show(subject, reader=owner, identity_proved=True, request=request)
    assert codes(shown) == ["identity-not-proved"]
    house.keeper.prove(subject, request, proof="id-document")
    assert house.keeper.show(subject, reader=owner, identity_proved=True, request=request).granted
