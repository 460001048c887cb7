"""Looking at what is held without reading it, and reading everything under one purpose."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import upheld
from tests.homes import column, connection_to
from tests.trial_home import POLICY, SEOUL
from upheld.dates import Instant, moment
from upheld.engine.acts import HandlerId, Reader, ReaderKind, RequestId, SubjectId, ValueId
from upheld.engine.decide import View
from upheld.engine.lifecycle import DueState
from upheld.engine.state import HeldState
from upheld.errors import InputRefused
from upheld.keeper import Keeper
from upheld.keeper.inspecting import Kept
from upheld.store import history, subjects
from upheld.store.sealing import TailBroken

OTHER = POLICY.replace("policy: trial", "policy: other")
AUDITOR = Reader(ReaderKind.HANDLER, HandlerId("a" * 20), duties=frozenset({"audit"}))


@pytest.fixture
def clock() -> upheld.SetClock:
    return upheld.SetClock(datetime(2020, 1, 20, 9, tzinfo=SEOUL))


@pytest.fixture
def keeper(tmp_path: Path, clock: upheld.SetClock) -> Iterator[Keeper]:
    with upheld.open(tmp_path / "home", upheld.Options(clock=clock, light_hashing=True)) as made:
        made.publish(POLICY.encode())
        made.publish(OTHER.encode())
        clock.set(datetime(2024, 9, 5, 9, tzinfo=SEOUL))
        yield made


def person(keeper: Keeper, policy: str = "trial", text: str = "Made Up") -> SubjectId:
    subject = keeper.enter(policy, "member")
    keeper.begin(subject, "membership")
    assert keeper.collect(subject, "service", {"name": text, "email": f"{text}@example.org"}).granted
    return subject


def entries(keeper: Keeper, kind: str) -> list[history.Recorded]:
    keeper.seal()
    return list(history.entries(keeper.places.sealer.connection, kinds=(kind,)))


def test_an_inspection_tells_what_is_held_for_what_and_by_which_ground(keeper: Keeper) -> None:
    subject = person(keeper)
    with keeper.inspect("trial", reader=AUDITOR, reason="supervision") as look:
        kept = look.of(subject)
    assert {(one.item, one.purposes, one.due) for one in kept} == {
        ("name", ("service",), DueState.ACTIVE),
        ("email", ("service",), DueState.ACTIVE),
    }
    assert all(one.grounds == ("purposes.required.service",) for one in kept)
    assert "Made Up" not in repr(kept)


def test_an_inspection_is_on_record_before_it_shows_anything_and_counts_what_it_showed(keeper: Keeper) -> None:
    subjects = [person(keeper), person(keeper)]
    with keeper.inspect("trial", reader=AUDITOR, reason="supervision") as look:
        (opened,) = entries(keeper, "inspection.opened")
        assert opened.entry.fields["reason"] == "supervision"
        for subject in (*subjects, *subjects):
            look.of(subject)
    (closed,) = entries(keeper, "inspection.closed")
    assert closed.entry.fields["inspection"] == opened.entry.fields["inspection"]
    assert closed.entry.fields["counts"] == {"persons": 2, "values": 8}


@pytest.mark.parametrize(
    "reader",
    [
        Reader(ReaderKind.HANDLER, HandlerId("a" * 20), duties=frozenset({"requests"})),
        Reader(ReaderKind.HANDLER, HandlerId("a" * 20), duties=frozenset({"audit"}), lapsed=("safeguards.training",)),
        Reader(ReaderKind.APPLICATION, "crm"),
    ],
    ids=["another duty", "clearance lapsed", "a program"],
)
def test_who_has_no_duty_to_audit_inspects_nothing(keeper: Keeper, reader: Reader) -> None:
    with pytest.raises(InputRefused, match="audit"), keeper.inspect("trial", reader=reader, reason="curiosity"):
        pytest.fail("an inspection began")
    assert entries(keeper, "inspection.opened") == []


def test_an_inspection_sees_what_another_process_wrote_a_moment_ago(
    keeper: Keeper, clock: upheld.SetClock, tmp_path: Path
) -> None:
    subject = person(keeper)
    with keeper.inspect("trial", reader=AUDITOR, reason="supervision") as look:
        assert len(look.of(subject)) == 2
        with upheld.open(tmp_path / "home", upheld.Options(clock=clock, light_hashing=True)) as other:
            assert other.collect(subject, "service", {"name": "Another Name"}).granted
        assert len(look.of(subject)) == 3


def test_an_answer_that_was_given_is_reckoned_anew_once_another_process_has_changed_the_policies(
    keeper: Keeper, clock: upheld.SetClock, tmp_path: Path
) -> None:
    subject = person(keeper)
    keeper.fact(subject, "closed")
    with keeper.inspect("trial", reader=AUDITOR, reason="supervision") as look:
        before = {one.until for one in look.of(subject)}
        with upheld.open(tmp_path / "home", upheld.Options(clock=clock, light_hashing=True)) as other:
            changed = POLICY.replace("closed + P6M", "closed + P3M").replace("2020-01-01", "2024-01-01")
            as_of = date(2024, 2, 1)
            other.publish(changed.replace("2020-02-01", str(as_of)).encode(), as_of=as_of, evidence="filed")
        after = {one.until for one in look.of(subject)}
        assert max(after) < max(before)
        assert sorted(look.of(subject)) == sorted(naively(keeper, subject))


def test_an_inspection_keeps_answers_and_no_views_of_those_on_whom_it_looked(keeper: Keeper) -> None:
    subjects = [person(keeper) for _ in range(3)]
    keeper.views.forget_all()
    before = set(map(id, views_in_memory()))
    with keeper.inspect("trial", reader=AUDITOR, reason="supervision") as look:
        for subject in (*subjects, *subjects):
            assert len(look.of(subject)) == 2
        assert [one for one in views_in_memory() if id(one) not in before] == []


def views_in_memory() -> list[View]:
    return [one for one in gc.get_objects() if type(one) is View]  # asking others makes some of them begin to live


def test_an_end_that_comes_during_an_inspection_is_told(keeper: Keeper) -> None:
    subject = person(keeper)
    with keeper.inspect("trial", reader=AUDITOR, reason="supervision") as look:
        assert {one.due for one in look.of(subject)} == {DueState.ACTIVE}
        keeper.fact(subject, "closed")
        assert {one.due for one in look.of(subject)} == {DueState.SEPARATED}


def test_a_destroyed_value_is_told_to_be_destroyed(keeper: Keeper) -> None:
    subject = person(keeper)
    with keeper.inspect("trial", reader=AUDITOR, reason="supervision") as look:
        values = [one.value_id for one in look.of(subject)]
        assert {look.held(one) for one in values} == {HeldState.HELD}
        asked = keeper.request(subject, "erasure", channel="letter", proved=True)
        keeper.answer(subject, asked.made, "done")  # type: ignore[arg-type]  # made is its id
        keeper.sweep()
        gone = {look.held(one) for one in values}
        assert HeldState.HELD not in gone
        assert {one.value_id for one in look.of(subject)} == {
            one for one in values if look.held(one) is not HeldState.DESTROYED
        }


def test_nobody_is_inspected_under_another_policy(keeper: Keeper) -> None:
    stranger = person(keeper, "other")
    with (
        keeper.inspect("trial", reader=AUDITOR, reason="supervision") as look,
        pytest.raises(InputRefused, match="no such subject"),
    ):
        look.of(stranger)


def test_the_newest_entries_come_first_and_new_ones_are_seen(keeper: Keeper) -> None:
    subject = person(keeper)
    with keeper.inspect("trial", reader=AUDITOR, reason="supervision") as look:
        before = look.latest(3)
        assert before[0].kind == "inspection.opened"
        keeper.consent(subject, "purpose/offers", channel="website")
        after = look.latest(3)
        assert [one.kind for one in after][:2] == ["consent.given", "inspection.opened"]
        assert len(look.latest(1000)) > 5


def test_what_waits_is_told_before_it_is_sealed_and_nothing_is_sealed_for_it(keeper: Keeper) -> None:
    subject = person(keeper)
    keeper.seal()
    sealed = history.size_of(keeper.places.sealer.connection)
    with keeper.inspect("trial", reader=AUDITOR, reason="supervision") as look:
        keeper.consent(subject, "purpose/offers", channel="website")
        assert [one.kind for one in look.latest(2)] == ["consent.given", "inspection.opened"]
        assert history.size_of(keeper.places.sealer.connection) == sealed
        keeper.seal()
        assert [one.kind for one in look.latest(2)] == ["consent.given", "inspection.opened"]


STEPS = st.lists(
    st.sampled_from(["consent", "enter", "elsewhere", "stranger", "seal", "sealed elsewhere"]), max_size=12
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, count=st.integers(1, 12))
def test_the_newest_entries_are_those_that_sealing_would_show(
    keeper: Keeper, clock: upheld.SetClock, tmp_path: Path, steps: list[str], count: int
) -> None:
    subject = person(keeper)
    with (
        upheld.open(tmp_path / "home", upheld.Options(clock=clock, light_hashing=True)) as other,
        keeper.inspect("trial", reader=AUDITOR, reason="supervision") as look,
    ):
        done: dict[str, Callable[[], object]] = {
            "consent": lambda: keeper.consent(subject, "purpose/offers", channel="website"),
            "enter": lambda: keeper.enter("trial", "member"),
            "elsewhere": lambda: other.consent(subject, "purpose/offers", channel="website"),
            "stranger": lambda: keeper.enter("other", "member"),
            "seal": keeper.seal,
            "sealed elsewhere": other.seal,
        }
        for step in [*steps, "seal"]:
            before = look.latest(count)
            assert look.latest(count) == before
            keeper.seal()
            everything = [one.entry for one in history.entries(keeper.places.sealer.connection, policy="trial")]
            assert before == everything[::-1][:count]
            clock.set(moment(clock.now()) + timedelta(seconds=1))
            done[step]()
        within = look.between(Instant(clock.now() - 3_000_000), Instant(clock.now() + 1), 1000)
        keeper.seal()
        everything = [one.entry for one in history.entries(keeper.places.sealer.connection, policy="trial")]
        assert within == [one for one in everything if clock.now() - 3_000_000 <= one.at <= clock.now()]


def test_a_changed_entry_that_waits_is_not_told_but_found(keeper: Keeper, tmp_path: Path) -> None:
    subject = person(keeper)
    keeper.seal()
    with keeper.inspect("trial", reader=AUDITOR, reason="supervision") as look:
        look.latest(1)
        keeper.consent(subject, "purpose/offers", channel="website")
        with closing(connection_to(tmp_path / "home" / "active.db")) as outside:
            outside.execute("UPDATE journal SET body = ? WHERE id = (SELECT max(id) FROM journal)", (b"other",))
            outside.execute("COMMIT") if outside.in_transaction else None
        with pytest.raises(TailBroken, match="batch"):
            look.latest(1)


ACTS = st.lists(
    st.sampled_from(["collect", "elsewhere", "offers", "no offers", "closed", "erase", "correct", "days", "sweep"]),
    max_size=10,
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_an_answer_is_what_the_facts_on_file_make_of_it(
    keeper: Keeper, clock: upheld.SetClock, tmp_path: Path, acts: list[str]
) -> None:
    subject = person(keeper)
    with (
        upheld.open(tmp_path / "home", upheld.Options(clock=clock, light_hashing=True)) as other,
        keeper.inspect("trial", reader=AUDITOR, reason="supervision") as look,
    ):

        def erase() -> None:
            asked = keeper.request(subject, "erasure", channel="letter", proved=True)
            if asked.made:
                keeper.answer(subject, RequestId(asked.made), "done")

        def correct() -> None:
            known = keeper.views.get(subject, keeper.now()).state.values
            keeper.correct(subject, known[-1].value_id, "Another Name")

        done: dict[str, Callable[[], object]] = {
            "collect": lambda: keeper.collect(subject, "service", {"name": "Made Up"}),
            "elsewhere": lambda: other.collect(subject, "service", {"email": "made@example.org"}),
            "offers": lambda: other.consent(subject, "purpose/offers", channel="website"),
            "no offers": lambda: keeper.withdraw(subject, "purpose/offers", channel="website"),
            "closed": lambda: other.fact(subject, "closed"),
            "erase": erase,
            "correct": correct,
            "days": lambda: clock.set(moment(clock.now()) + timedelta(days=200)),
            "sweep": other.sweep,
        }
        for act in [*acts, "days"]:
            clock.set(moment(clock.now()) + timedelta(minutes=1))
            done[act]()
            assert sorted(look.of(subject)) == sorted(naively(keeper, subject))


def naively(keeper: Keeper, subject: SubjectId) -> list[Kept]:
    """What is on file, read anew and reckoned value by value."""
    with keeper.places.active.reading() as connection:
        row = subjects.load(connection, subject)
        plan_epoch = subjects.plan_epoch(connection)
    assert row is not None
    assert row.plan_epoch == plan_epoch
    now, kept = max(keeper.now(), row.last_at), []
    for value in row.state.values:
        life = View(keeper.views.line("trial"), row.state, keeper.views.controller("trial"), now).life
        due = life.due(value, now)
        uses = value.uses
        given_to = tuple(
            (one.recipient, one.disclosure_id) for one in row.state.disclosures if value.value_id in one.values
        )
        if value.held is not HeldState.DESTROYED:
            purposes = tuple(dict.fromkeys(use.purpose for use in uses))
            engagements = tuple(dict.fromkeys(use.engagement for use in uses if use.engagement))
            until = max((ground.until.at for ground in due.grounds), default=value.collected_at)
            grounds = tuple(dict.fromkeys(ground.rule.path for ground in due.grounds))
            first = (value.value_id, value.item, value.held, due.state, purposes, engagements)
            kept.append(Kept(*first, value.collected_at, until, grounds, given_to))
    return kept


def test_everything_under_a_purpose_is_read_page_by_page_and_nothing_else(keeper: Keeper) -> None:
    subjects = [person(keeper, text=f"Made Up {number}") for number in range(5)]
    person(keeper, "other", "Stranger")
    keeper.fact(subjects[0], "closed")
    reader = keeper.application("crm")
    texts: dict[ValueId, str] = {}
    refused: set[ValueId] = set()
    page = keeper.read_purpose("trial", "service", reader=reader, limit=3)
    while True:
        texts |= page.texts
        refused |= set(page.refused)
        if page.next is None:
            break
        page = keeper.read_purpose("trial", "service", reader=reader, after=page.next, limit=3)
    assert sorted(text for text in texts.values() if "@" not in text) == [f"Made Up {number}" for number in range(1, 5)]
    assert len(refused) == 2
    granted = [one for one in entries(keeper, "read.granted") if one.entry.policy == "trial"]
    assert sum(len(cast("tuple[int, ...]", one.entry.fields["values"])) for one in granted) == len(texts)


THINGS = st.sampled_from(["service", "offers", "reuse", "closed", "erase", "sweep", "stranger"])


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(st.tuples(st.integers(0, 3), THINGS), max_size=10),
    purpose=st.sampled_from(["service", "offers"]),
    limit=st.integers(1, 7),
)
def test_the_pages_of_a_purpose_hold_every_value_under_it_once_and_what_a_read_would_show(
    keeper: Keeper, clock: upheld.SetClock, tmp_path: Path, acts: list[tuple[int, str]], purpose: str, limit: int
) -> None:
    people = [keeper.enter("trial", "member") for _ in range(4)]
    for one in people:
        keeper.begin(one, "membership")
        keeper.consent(one, "purpose/offers", channel="website")
    for number, act in acts:
        clock.set(moment(clock.now()) + timedelta(minutes=1))
        who = people[number]
        match act:
            case "service":
                keeper.collect(who, "service", {"name": f"Made Up {number}"})
            case "offers":
                keeper.collect(who, "offers", {"phone": "010-0000-0000"})
            case "reuse":
                known = [one.value_id for one in keeper.views.get(who, keeper.now()).state.values]
                keeper.reuse(who, "offers", tuple(known))
            case "closed":
                keeper.fact(who, "closed")
            case "erase":
                asked = keeper.request(who, "erasure", channel="letter", proved=True)
                if asked.made:
                    keeper.answer(who, RequestId(asked.made), "done")
            case "sweep":
                keeper.sweep()
            case _:
                person(keeper, "other", "Stranger")
    reader, met, after = keeper.application("crm"), dict[ValueId, str | None](), None
    while True:
        page = keeper.read_purpose("trial", purpose, reader=reader, after=after, limit=limit)
        assert len(page.texts) + len(page.refused) <= limit
        assert not met.keys() & (page.texts.keys() | page.refused.keys())
        met |= page.texts | dict.fromkeys(page.refused)
        after = page.next
        if after is None:
            break
    everything: dict[ValueId, str | None] = {}
    everybody = column(tmp_path / "home" / "active.db", "SELECT subject_id FROM subject WHERE policy = 'trial'")
    for who in map(SubjectId, everybody):  # those of earlier examples too
        for value in keeper.views.get(who, keeper.now()).state.values:
            if value.held is HeldState.HELD and any(use.purpose == purpose for use in value.uses):
                got = keeper.read(who, purpose, reader=reader, values=(value.value_id,))
                everything[value.value_id] = got.texts.get(value.value_id)
    assert met == everything


def test_who_is_forgotten_stands_under_no_purpose(keeper: Keeper, clock: upheld.SetClock, tmp_path: Path) -> None:
    subject = person(keeper)
    standing = "SELECT subject_id FROM under_purpose"
    assert column(tmp_path / "home" / "active.db", standing) == [subject]
    keeper.fact(subject, "closed")
    for _ in range(3):
        clock.set(moment(clock.now()) + timedelta(days=2000))
        keeper.sweep()
    assert entries(keeper, "subject.forgotten")
    assert column(tmp_path / "home" / "active.db", standing) == []


def test_a_page_begins_only_where_one_before_it_said(keeper: Keeper) -> None:
    with pytest.raises(InputRefused, match="next"):
        keeper.read_purpose("trial", "service", reader=keeper.application("crm"), after="1' OR '1")


def test_time_goes_on_for_an_answer_that_is_remembered(keeper: Keeper, clock: upheld.SetClock) -> None:
    subject = person(keeper)
    keeper.fact(subject, "closed")
    with keeper.inspect("trial", reader=AUDITOR, reason="supervision") as look:
        assert {one.due for one in look.of(subject)} == {DueState.SEPARATED}
        clock.set(moment(clock.now()) + timedelta(days=400))
        assert {one.due for one in look.of(subject)} == {DueState.DUE}
