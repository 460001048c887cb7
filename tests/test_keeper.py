"""The keeper's verbs: granted, refused, and failing half-way. One home for the whole module, a fresh person each."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import upheld
from upheld.dates import Period, instant, moment
from upheld.engine.acts import EngagementId, Reader, ReaderKind, SubjectId
from upheld.errors import InputRefused, StoreFailed
from upheld.keeper import data
from upheld.store import history, verifying
from upheld.store.ids import new_id, value_id
from upheld.store.place import Transaction

SEOUL = ZoneInfo("Asia/Seoul")
POLICIES = Path(__file__).parent.parent / "policies"
BIZMEKA = "bizmeka-ez"


class House:
    """A home with bizmeka 2018 in force, its clock, and people with a subscription."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = upheld.SetClock(datetime(2018, 7, 1, tzinfo=SEOUL))
        options = upheld.Options(clock=self.clock, light_hashing=True, look_up={BIZMEKA: ["email"]})
        self.keeper = upheld.open(folder, options)
        self.keeper.publish(POLICIES / "bizmeka-ez-2018.yaml")
        self.clock.set(datetime(2018, 7, 9, 9, tzinfo=SEOUL))

    def member(self, *purposes: str) -> tuple[SubjectId, EngagementId]:
        """A member with an open subscription who agreed to these purposes."""
        subject = self.keeper.enter(BIZMEKA, "member")
        engagement = EngagementId(self.keeper.begin(subject, "membership").made or "")
        for purpose in purposes:
            assert self.keeper.consent(subject, f"purpose/{purpose}", channel="website").granted
        return subject, engagement

    def tick(self, **span: int) -> None:
        """Let time go by."""
        self.clock.set(self.clock.now() + int(timedelta(**span).total_seconds()) * 1_000_000)

    def entries(self, *kinds: str) -> list[history.Recorded]:
        """What the sealed ledger has of these kinds."""
        self.keeper.seal()
        return list(history.entries(self.keeper.places.sealer.connection, kinds=kinds))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("keeper") / "home")
    yield made
    made.keeper.close()


CRM = Reader(ReaderKind.APPLICATION, "crm")
IDENTITY = {"name": "Person Made-Up", "email": "made-up@example.org", "mobile": "010-0000-0000"}


def reasons(outcome: upheld.Outcome) -> list[str]:
    return [reason.value for reason in outcome.reasons]


@pytest.mark.clauses("BZ18-2.3.A.1", "BZ18-2.3.A")
def test_what_is_collected_under_consent_is_read_for_its_purpose(house: House) -> None:
    subject, engagement = house.member("identity")
    taken = house.keeper.collect(subject, "identity", IDENTITY, engagement=engagement, channel="website")
    assert taken.granted
    assert "BZ18-2.3.A.1" in taken.clauses
    read = house.keeper.read(subject, "identity", use="identify", items=("name",), reader=CRM)
    assert read.text("name") == "Person Made-Up"


def test_without_consent_nothing_is_stored_and_the_refusal_is_on_record(house: House) -> None:
    subject, engagement = house.member()
    before = len(house.entries("act.refused"))
    refused = house.keeper.collect(subject, "identity", IDENTITY, engagement=engagement, channel="website")
    assert reasons(refused) == ["consent-missing"]
    assert house.keeper.holdings(subject) == []
    assert len(house.entries("act.refused")) == before + 1


@pytest.mark.clauses("BZ18-2.3", "BZ18-2.1")
def test_an_item_that_the_row_does_not_list_is_not_taken_with_the_rest(house: House) -> None:
    subject, engagement = house.member("identity")
    refused = house.keeper.collect(
        subject, "identity", {**IDENTITY, "salary": "1"}, engagement=engagement, channel="website"
    )
    assert reasons(refused) == ["item-not-covered"]
    assert house.keeper.holdings(subject) == []


def test_an_item_nobody_declared_is_not_taken(house: House) -> None:
    subject, engagement = house.member("identity")
    refused = house.keeper.collect(subject, "identity", {"shoe-size": "42"}, engagement=engagement, channel="website")
    assert reasons(refused) == ["item-undeclared"]


def test_a_read_names_its_purpose(house: House) -> None:
    subject, engagement = house.member("identity")
    house.keeper.collect(subject, "identity", IDENTITY, engagement=engagement, channel="website")
    assert reasons(house.keeper.read(subject, None, items=("name",), reader=CRM)) == ["purpose-unnamed"]
    assert reasons(house.keeper.read(subject, "curiosity", items=("name",), reader=CRM)) == ["purpose-undeclared"]


def test_a_handler_without_the_task_sees_nothing(house: House) -> None:
    subject, engagement = house.member("identity")
    house.keeper.collect(subject, "identity", IDENTITY, engagement=engagement, channel="website")
    stranger = Reader(ReaderKind.HANDLER, "a" * 20, frozenset({"recommending"}))
    assert reasons(house.keeper.read(subject, "identity", use="identify", items=("name",), reader=stranger)) == [
        "duty-missing"
    ]


@pytest.mark.clauses("BZ18-9.1.c")
def test_withdrawn_consent_stops_the_next_read(house: House) -> None:
    subject, engagement = house.member("identity")
    house.keeper.collect(subject, "identity", IDENTITY, engagement=engagement, channel="website")
    assert house.keeper.read(subject, "identity", use="identify", items=("name",), reader=CRM).granted
    said = house.keeper.withdraw(subject, "purpose/identity", channel="website")
    assert said.tells == ("ends:membership",)
    after = house.keeper.read(subject, "identity", use="identify", items=("name",), reader=CRM)
    assert reasons(after) == ["consent-withdrawn"]
    assert not after.texts


def test_a_withdrawal_that_is_confirmed_ends_the_engagement(house: House) -> None:
    subject, engagement = house.member("identity")
    house.keeper.withdraw(subject, "purpose/identity", channel="website", confirmed=True)
    house.tick(seconds=1)
    assert reasons(house.keeper.collect(subject, "identity", IDENTITY, engagement=engagement, channel="website")) == [
        "consent-withdrawn"
    ]
    assert (
        house.keeper.views.get(subject, house.keeper.now()).view.life.engagement_end(engagement).at <= house.clock.now()
    )


def test_consent_is_bound_to_the_text_shown(house: House) -> None:
    subject, _ = house.member()
    shown = upheld.Shown("We would like to tell you about offers. You may say no.", "en")
    house.keeper.consent(subject, "purpose/recommending", channel="website", shown=shown)
    entry = house.entries("consent.given")[-1].entry
    assert entry.fields["text"] == shown.digest
    with house.keeper.places.active.reading() as connection:
        kept = connection.execute("SELECT text FROM shown_text WHERE digest = ?", (shown.digest,)).fetchone()
    assert kept == (shown.text,)


def test_a_bundle_cannot_be_agreed_to(house: House) -> None:
    subject, _ = house.member()
    with pytest.raises(InputRefused, match="declares no purpose"):
        house.keeper.consent(subject, "purpose/everything", channel="website")


@pytest.mark.clauses("BZ18-11.T1.a")
def test_a_password_is_stored_one_way_and_can_only_be_compared(house: House) -> None:
    subject, engagement = house.member("identity")
    house.keeper.collect(subject, "identity", {"password": "correct horse"}, engagement=engagement, channel="website")
    assert house.keeper.password_matches(subject, "password", "correct horse")
    assert not house.keeper.password_matches(subject, "password", "battery staple")
    shown = house.keeper.show(subject, reader=CRM, identity_proved=True)
    assert "password" not in shown.values


def test_look_up_finds_by_exact_identifier_and_records_the_look(house: House) -> None:
    subject, engagement = house.member("identity")
    house.keeper.collect(
        subject, "identity", {"email": "only-me@example.org"}, engagement=engagement, channel="website"
    )
    assert house.keeper.lookup(BIZMEKA, "email", "Only-Me@example.org ", reader=CRM, reason="desk") == (subject,)
    assert house.keeper.lookup(BIZMEKA, "email", "nobody@example.org", reader=CRM, reason="desk") == ()
    assert house.entries("lookup.made")[-1].entry.fields["found"] == 0
    with pytest.raises(InputRefused, match="no look-up"):
        house.keeper.lookup(BIZMEKA, "name", "Person", reader=CRM, reason="desk")


@pytest.mark.clauses("BZ18-9.6.a", "BZ18-9.6.d")
def test_a_correction_replaces_the_value_and_tells_who_got_the_wrong_one(house: House) -> None:
    subject, engagement = house.member("identity")
    gift = EngagementId(house.keeper.begin(subject, "gifti-show").made or "")
    house.keeper.consent(subject, "provision/mhows", channel="website")
    taken = house.keeper.collect(
        subject, "identity", {**IDENTITY, "login-id": "made-up"}, engagement=engagement, channel="website"
    )
    given = house.keeper.provide(subject, "mhows", ("name", "mobile"), engagement=gift)
    assert given.granted
    assert given.text("name") == "Person Made-Up"
    house.tick(minutes=5)
    corrected = house.keeper.correct(subject, taken.values["name"][0], "Person Better-Made-Up")
    assert corrected.tells == ("told:mhows",)
    assert house.keeper.read(subject, "identity", use="identify", items=("name",), reader=CRM).texts == {
        corrected.values["name"][0]: "Person Better-Made-Up"
    }
    assert house.keeper.acknowledge(subject, given.made or "").granted


@pytest.mark.clauses("BZ18-7.1.1", "BZ18-7.1.6", "BZ18-7.0.b")
def test_nobody_gets_data_without_a_row_a_consent_and_items_within_it(house: House) -> None:
    subject, engagement = house.member("identity")
    house.keeper.collect(subject, "identity", IDENTITY, engagement=engagement, channel="website")
    assert reasons(house.keeper.provide(subject, "data-broker", ("name",))) == ["recipient-undeclared"]
    assert "declaration-incomplete" in reasons(house.keeper.provide(subject, "kt-commerce", ("name",)))
    assert reasons(house.keeper.provide(subject, "mhows", ("name", "address"))) == ["items-exceed-provision"]
    assert reasons(house.keeper.provide(subject, "mhows", ("name",))) == ["consent-missing"]


@pytest.mark.clauses("BZ18-8.0.b", "BZ18-8.1.1", "BZ18-8.1.13")
def test_no_contract_no_data_for_a_processor(house: House) -> None:
    subject, engagement = house.member("service")
    house.keeper.collect(
        subject,
        "service",
        {"name": "Person Made-Up", "contact": "02-000-0000"},
        engagement=engagement,
        channel="website",
    )
    assert reasons(house.keeper.entrust(subject, "ktis", "service", ("name",))) == ["consent-missing"]
    house.keeper.consent(subject, "entrustment/ktis", channel="website")
    assert reasons(house.keeper.entrust(subject, "ktis", "service", ("name",))) == ["contract-missing"]
    terms = house.keeper.views.line(BIZMEKA).latest.entrustments["ktis"].terms
    house.keeper.contract(BIZMEKA, "ktis", terms=terms)
    assert house.keeper.entrust(subject, "ktis", "service", ("name",)).granted
    assert "declaration-incomplete" in reasons(house.keeper.entrust(subject, "byto", "service", ("name",)))


def test_a_contract_that_was_amended_is_recorded_anew_and_the_newer_counts(house: House) -> None:
    """Five times: ids are random, and which row comes first must not decide."""
    subject, engagement = house.member("service")
    contents = {"name": "Person Made-Up", "contact": "02-000-0000"}
    house.keeper.collect(subject, "service", contents, engagement=engagement, channel="website")
    house.keeper.consent(subject, "entrustment/ktis", channel="website")
    terms = house.keeper.views.line(BIZMEKA).latest.entrustments["ktis"].terms
    for _ in range(5):
        house.keeper.contract(BIZMEKA, "ktis", terms=terms - {min(terms)})
        house.tick(seconds=1)
        assert reasons(house.keeper.entrust(subject, "ktis", "service", ("name",))) == ["contract-missing"]
        house.keeper.contract(BIZMEKA, "ktis", terms=terms)
        house.tick(seconds=1)
        assert house.keeper.entrust(subject, "ktis", "service", ("name",)).granted


@pytest.mark.clauses("BZ18-4.1.b", "BZ18-4.2.b")
def test_a_processor_gets_data_of_those_who_agreed_to_it_by_name(house: House) -> None:
    subject, engagement = house.member("identity")
    house.keeper.collect(subject, "identity", IDENTITY, engagement=engagement, channel="website")
    terms = house.keeper.views.line(BIZMEKA).latest.entrustments["lg-cns"].terms
    house.keeper.contract(BIZMEKA, "lg-cns", terms=terms)
    house.keeper.consent(subject, "provision/lg-cns", channel="website")  # as a recipient, which is another matter
    give = partial(house.keeper.entrust, subject, "lg-cns", "identity", ("name",))
    assert reasons(give()) == ["consent-missing"]
    assert give().clauses == ("BZ18-4.1.b", "BZ18-4.2.b")
    house.keeper.consent(subject, "entrustment/lg-cns", channel="website")
    house.tick(hours=1)
    assert give().granted
    house.tick(hours=1)
    withdrawn = house.keeper.withdraw(subject, "entrustment/lg-cns", channel="website")
    assert withdrawn.granted
    assert withdrawn.because[0].element == "entrustments.lg-cns"
    assert reasons(give()) == ["consent-withdrawn"]
    assert house.keeper.consents(subject)["provision/lg-cns"] == "given"


def test_only_what_the_policy_asks_can_be_agreed_to(house: House) -> None:
    subject, _ = house.member()
    with pytest.raises(InputRefused, match="declares no entrustment `byto`"):
        house.keeper.consent(subject, "entrustment/byto", channel="website")


@pytest.mark.clauses("BZ18-4.1.b")
def test_a_processor_is_told_of_a_withdrawal_that_became_known_too_late(house: House) -> None:
    subject, engagement = house.member("identity")
    house.keeper.collect(subject, "identity", IDENTITY, engagement=engagement, channel="website")
    house.keeper.contract(BIZMEKA, "lg-cns", terms=house.keeper.views.line(BIZMEKA).latest.entrustments["lg-cns"].terms)
    house.keeper.consent(subject, "provision/lg-cns", channel="website")
    house.keeper.consent(subject, "entrustment/lg-cns", channel="website")
    house.tick(hours=1)
    happened = house.clock.now()
    house.tick(hours=1)
    assert house.keeper.entrust(subject, "lg-cns", "identity", ("name",)).granted
    house.tick(hours=1)
    assert house.keeper.withdraw(subject, "provision/lg-cns", channel="website", at=happened).tells == ()
    assert house.keeper.withdraw(subject, "entrustment/lg-cns", channel="website", at=happened).tells == (
        "told:lg-cns",
    )


def test_erasure_ends_everything_but_what_a_law_keeps(house: House) -> None:
    subject, engagement = house.member("identity")
    house.keeper.collect(subject, "identity", IDENTITY, engagement=engagement, channel="website")
    house.keeper.fact(subject, "supplied", engagement=engagement)
    asked = house.keeper.request(subject, "erasure", channel="website", proved=True)
    house.tick(hours=1)
    answered = house.keeper.answer(subject, asked.made, "partly")  # type: ignore[arg-type]  # made is its id
    assert "kept:statutes.payments" in answered.tells
    swept = house.keeper.sweep()
    assert swept.separated >= 1
    assert {value.item: value.held.value for value, _, _ in house.keeper.holdings(subject)} == {"name": "separated"}


@pytest.mark.clauses("BZ18-9.6.c")
def test_a_value_in_dispute_stands_still_until_its_correction_is_settled(house: House) -> None:
    subject, engagement = house.member("identity")
    taken = house.keeper.collect(subject, "identity", IDENTITY, engagement=engagement, channel="website")
    named = taken.values["name"]
    asked = house.keeper.request(subject, "rectification", channel="website", proved=True, values=named)
    assert reasons(house.keeper.read(subject, "identity", use="identify", items=("name",), reader=CRM)) == ["frozen"]
    assert house.keeper.read(subject, "identity", use="identify", items=("email",), reader=CRM).granted
    house.keeper.answer(subject, asked.made, "refused", reason="correct-as-it-is")  # type: ignore[arg-type]  # made by what was granted
    assert house.keeper.read(subject, "identity", use="identify", items=("name",), reader=CRM).granted
    again = house.keeper.request(subject, "rectification", channel="website", proved=True, values=named)
    assert house.keeper.read(subject, "identity", use="identify", items=("name",), reader=CRM).granted
    house.keeper.accept_again(subject, again.made)  # type: ignore[arg-type]  # made is its id
    assert reasons(house.keeper.read(subject, "identity", use="identify", items=("name",), reader=CRM)) == ["frozen"]


def test_access_is_answered_before_an_erasure_of_the_same_person(house: House) -> None:
    subject, engagement = house.member("identity")
    house.keeper.collect(subject, "identity", IDENTITY, engagement=engagement, channel="website")
    access = house.keeper.request(subject, "access", channel="website", proved=True)
    erasure = house.keeper.request(subject, "erasure", channel="website", proved=True)
    with pytest.raises(InputRefused, match="access-first"):
        house.keeper.answer(subject, erasure.made, "done")  # type: ignore[arg-type]  # made is its id
    house.keeper.answer(subject, access.made, "done")  # type: ignore[arg-type]  # made is its id
    assert house.keeper.answer(subject, erasure.made, "done").granted  # type: ignore[arg-type]  # made is its id


def test_a_request_of_someone_unproved_is_logged_and_not_obeyed(house: House) -> None:
    subject, engagement = house.member("identity")
    house.keeper.collect(subject, "identity", IDENTITY, engagement=engagement, channel="website")
    asked = house.keeper.request(subject, "erasure", channel="phone")
    assert house.keeper.read(subject, "identity", use="identify", items=("name",), reader=CRM).granted
    assert reasons(house.keeper.answer(subject, asked.made, "done")) == ["identity-not-proved"]  # type: ignore[arg-type]  # made by what was granted


def test_a_fact_that_could_belong_to_two_engagements_names_one(house: House) -> None:
    subject, engagement = house.member("identity")
    house.keeper.begin(subject, "gifti-show")
    with pytest.raises(InputRefused, match=r"gifti-show, membership"):
        house.keeper.fact(subject, "cancelled")
    assert house.keeper.fact(subject, "cancelled", engagement=engagement).granted


def test_an_answer_never_falls_due_on_a_day_on_which_nobody_works(house: House) -> None:
    plan = house.keeper.views.line(BIZMEKA).latest
    friday = instant(datetime(2018, 9, 14, 10, tzinfo=SEOUL))
    due = house.keeper.deadline(plan, "objection", friday)  # the tenth day is the 24th: Chuseok, until the 26th
    assert moment(due, SEOUL).date() == date(2018, 9, 28)
    house.keeper.holiday(BIZMEKA, date(2018, 9, 27))
    assert moment(house.keeper.deadline(plan, "objection", friday), SEOUL).date() == date(2018, 9, 29)


def test_a_fact_delivered_twice_counts_once_and_a_changed_one_is_a_conflict(house: House) -> None:
    subject, engagement = house.member("identity")
    first = house.keeper.fact(subject, "supplied", engagement=engagement, source="billing", key="42")
    again = house.keeper.fact(subject, "supplied", engagement=engagement, source="billing", key="42", at=first.at)
    assert again.repeated
    assert again.made == first.made
    with pytest.raises(InputRefused, match="key-conflict"):
        house.keeper.fact(subject, "cancelled", engagement=engagement, source="billing", key="42")


def test_a_source_that_is_later_than_it_said_is_refused_whole(house: House) -> None:
    subject, engagement = house.member("identity")
    house.keeper.source(BIZMEKA, "letters", Period(days=3))
    house.tick(days=10)
    late = datetime(2018, 7, 9, 10, tzinfo=SEOUL)
    with pytest.raises(InputRefused, match="too-late"):
        house.keeper.fact(subject, "supplied", engagement=engagement, source="letters", key="1", at=late)
    assert house.entries("input.rejected")[-1].entry.fields == {"code": "too-late", "place": "fact"}


def test_a_rejected_input_leaves_nothing_but_its_code(house: House) -> None:
    subject, _ = house.member()
    with pytest.raises(InputRefused, match="fact-unknown"):
        house.keeper.fact(subject, "abducted-by-aliens")
    with house.keeper.places.active.reading() as connection:
        assert connection.execute(
            "SELECT count(*) FROM fact WHERE subject_id = ? AND code LIKE 'abd%'", (subject,)
        ).fetchone() == (0,)


def test_a_verb_that_fails_half_way_leaves_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    subject, engagement = house.member("identity")

    def broken(_self: Transaction, *_: object) -> None:
        raise OSError("disk I/O error")

    monkeypatch.setattr(Transaction, "journal", broken)
    with pytest.raises(OSError, match="disk"):
        house.keeper.collect(subject, "identity", IDENTITY, engagement=engagement, channel="website")
    monkeypatch.undo()
    assert house.keeper.holdings(subject) == []
    assert house.keeper.collect(subject, "identity", IDENTITY, engagement=engagement, channel="website").granted


def test_values_in_a_place_out_of_reach_get_a_work_order_and_the_certificate_waits(house: House) -> None:
    subject, engagement = house.member("identity")
    taken = house.keeper.collect(subject, "identity", {"gender": "x"}, engagement=engagement, channel="website")
    house.keeper.also_in(subject, taken.values["gender"][0], "paper-file")
    asked = house.keeper.request(subject, "erasure", channel="website", proved=True)
    house.tick(minutes=1)
    house.keeper.answer(subject, asked.made, "done")  # type: ignore[arg-type]  # made is its id
    house.keeper.sweep()
    order = next(one for one in house.keeper.work_orders(BIZMEKA) if one.subject_id == subject)
    public = (house.folder / "public.pem").read_text()
    with house.keeper.places.ledger_copy() as ledger:
        checked = [
            verifying.check_certificate(house.keeper.certificate(number), ledger, None).certificate
            for number in house.keeper.certificates(BIZMEKA)
        ]
    on_paper = [one for one in checked if "paper-file" in {place.place.code for place in one.places}]
    assert [one.state for one in on_paper] == ["partly"]
    number = on_paper[0].certificate_id
    house.tick(days=1)
    house.keeper.work_done(order.order_id, method="shred", by="handler", witness="witness")
    with house.keeper.places.ledger_copy() as ledger:
        complete = verifying.check_certificate(house.keeper.certificate(number), ledger, None)
    assert complete.certificate.state == "complete"
    assert order.place == "paper-file"
    assert "BEGIN PUBLIC KEY" in public


def test_a_value_whose_number_is_taken_draws_another(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    first, engagement = house.member("identity")
    house.keeper.collect(first, "identity", IDENTITY, engagement=engagement, channel="website")
    taken = [value.value_id for value, _, _ in house.keeper.holdings(first)]
    drawn, really = iter(taken[:2]), value_id
    monkeypatch.setattr(data, "value_id", lambda *given: next(drawn, None) or really(*given))
    assert house.keeper.collect(first, "identity", IDENTITY, engagement=engagement, channel="website").granted
    held = [value.value_id for value, _, _ in house.keeper.holdings(first)]
    assert len(held) == len(set(held)) == 6
    assert set(taken) < set(held)
    house.keeper.seal()


def test_numbers_of_different_persons_lie_apart_even_in_one_bucket() -> None:
    persons = [SubjectId(new_id(random.Random(seed).randbytes)) for seed in range(20_000)]
    places = {value_id(one, date(2024, 9, 5), bytes) >> 25 for one in persons}
    assert len(places) > 19_990


def test_a_batch_is_one_commit_or_nothing(house: House) -> None:
    subject, engagement = house.member("identity")

    def given_up() -> None:
        with house.keeper.batch():
            house.keeper.collect(subject, "identity", IDENTITY, engagement=engagement, channel="website")
            raise RuntimeError("the caller gave up")

    with pytest.raises(RuntimeError, match="gave up"):
        given_up()
    assert house.keeper.holdings(subject) == []
    with house.keeper.batch():
        house.keeper.collect(subject, "identity", IDENTITY, engagement=engagement, channel="website")
    assert len(house.keeper.holdings(subject)) == 3


@pytest.mark.parametrize("verb", ["read", "read_batch", "show"])
def test_nothing_is_released_inside_a_batch_because_its_record_is_not_durable_yet(house: House, verb: str) -> None:
    subject, engagement = house.member("identity")
    house.keeper.collect(subject, "identity", IDENTITY, engagement=engagement, channel="website")
    wanted = [(subject, value.value_id) for value, _, _ in house.keeper.holdings(subject)]
    asked: dict[str, Callable[[], object]] = {
        "read": lambda: house.keeper.read(subject, "identity", reader=CRM, items=("name",), use="identify"),
        "read_batch": lambda: house.keeper.read_batch("identity", wanted, reader=CRM, use="identify"),
        "show": lambda: house.keeper.show(subject, reader=CRM),
    }
    with pytest.raises(InputRefused, match="outside the batch"), house.keeper.batch():
        asked[verb]()


def test_a_batch_read_decides_value_by_value(house: House) -> None:
    first, engagement = house.member("identity")
    house.keeper.collect(first, "identity", IDENTITY, engagement=engagement, channel="website")
    second, other = house.member("identity")
    house.keeper.collect(second, "identity", IDENTITY, engagement=other, channel="website")
    house.keeper.withdraw(second, "purpose/identity", channel="website")
    wanted = [
        (subject, value.value_id) for subject in (first, second) for value, _, _ in house.keeper.holdings(subject)
    ]
    answer = house.keeper.read_batch("identity", wanted, reader=CRM, use="identify")
    assert sorted(answer.texts.values()) == sorted(IDENTITY.values())
    assert {reason.value for decision in answer.refused.values() for reason in decision.reasons} == {
        "consent-withdrawn"
    }
    recorded = house.entries("read.granted")[-1].entry
    assert set(recorded.fields["values"]) == set(answer.texts)  # type: ignore[arg-type]  # an entry's list


def test_a_version_in_the_past_needs_its_date_and_proof(house: House) -> None:
    with pytest.raises(InputRefused, match="effective-in-the-past"):
        house.keeper.publish(POLICIES / "nexr-2017.yaml")
    with pytest.raises(InputRefused, match="effective-in-the-past"):
        house.keeper.publish(POLICIES / "nexr-2017.yaml", as_of=date(2017, 9, 8))
    filed = house.keeper.publish(POLICIES / "nexr-2017.yaml", as_of=date(2017, 9, 8), evidence="board-post")
    assert filed.policy == "nexr"


def test_after_a_restart_the_home_is_as_it_was(tmp_path: Path) -> None:
    house = House(tmp_path / "home")
    subject, engagement = house.member("identity")
    house.keeper.collect(subject, "identity", IDENTITY, engagement=engagement, channel="website")
    house.keeper.close()
    again = upheld.open(house.folder, upheld.Options(clock=house.clock))
    assert again.read(subject, "identity", use="identify", items=("name",), reader=CRM).text("name") == "Person Made-Up"
    again.close()


def test_a_home_without_its_keys_says_which_file_is_missing(tmp_path: Path) -> None:
    house = House(tmp_path / "home")
    house.keeper.close()
    (house.folder / "secrets" / "active.key").unlink()
    with pytest.raises(upheld.HomeUnusable, match=r"active\.key"):
        upheld.open(house.folder)


def test_a_wrong_master_key_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(tmp_path / "home")
    subject, engagement = house.member("identity")
    house.keeper.collect(subject, "identity", IDENTITY, engagement=engagement, channel="website")
    house.keeper.close()
    monkeypatch.setenv("UPHELD_ACTIVE_KEY", "00" * 32)

    def opened() -> None:
        with upheld.open(house.folder, upheld.Options(clock=house.clock)) as again:
            again.read(subject, "identity", use="identify", items=("name",), reader=CRM)

    with pytest.raises(StoreFailed, match="master key"):
        opened()


@pytest.mark.clauses("BZ18-8.0.g", "BZ18-4.1.b")
@pytest.mark.parametrize("over", ["withdrawn", "ended"])
def test_a_processor_is_asked_back_once_and_not_for_what_was_corrected(house: House, over: str) -> None:
    keeper = house.keeper
    subject, engagement = house.member("service")
    row = keeper.views.line(BIZMEKA).latest.entrustments["ktis"]
    contract = keeper.contract(BIZMEKA, "ktis", terms=row.terms)
    keeper.consent(subject, "entrustment/ktis", channel="website")
    texts = {"email": "made-up@example.org"}
    keeper.collect(subject, "service", texts, engagement=engagement, channel="website")
    given = keeper.entrust(subject, "ktis", "service", ("email",))
    assert given.granted
    house.tick(hours=1)
    assert keeper.correct(subject, given.values["email"][0], "other@example.org").granted

    def asked() -> list[object]:
        told = house.entries("recipient.told")
        return [one.entry.fields["reason"] for one in told if one.entry.fields["disclosure"] == given.made]

    keeper.sweep()
    assert asked() == ["corrected"]
    if over == "withdrawn":
        keeper.withdraw(subject, "entrustment/ktis", channel="website")
    else:
        keeper.fact(subject, "cancelled", engagement=engagement)
    house.tick(minutes=1)
    for _ in range(2):
        keeper.sweep()
        assert asked() == ["corrected", "return-or-destroy"]
    keeper.end_contract(BIZMEKA, contract)


def test_a_home_that_is_closed_twice_takes_nobody_elses_file_with_it(tmp_path: Path) -> None:
    keeper = upheld.open(tmp_path / "home", upheld.Options(light_hashing=True))
    keeper.presence.close()
    with (tmp_path / "other").open("w", encoding="utf-8") as other:  # has the number that the lock had
        keeper.presence.close()
        keeper.close()
        other.write("still open")
    assert (tmp_path / "other").read_text("utf-8") == "still open"
