"""A merger, person by person: told first, time to refuse, fallbacks, and a kill at every statement."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.crash_child import Persons, Scenario, killed, statements
from tests.homes import copied, put_back
from tests.test_posting import PAGE, WITH_PLACES
from tests.test_telling import Scripted
from tests.trial_home import House, at, member, opened, proved, text_of
from upheld.cli import app
from upheld.clock import SystemClock
from upheld.connect.transport import Answer, Handed
from upheld.dates import FOREVER, instant, moment
from upheld.desk.merging import handed_to, sheet_in
from upheld.engine.acts import RequestId, SubjectId
from upheld.errors import InputRefused
from upheld.keeper import Bundle, MergerState, Terms
from upheld.ledger.entries import Entry, entry
from upheld.store import history

TERMS = {
    "en": Terms("Example Ltd. merges into Sample Ltd.", "Sample Ltd.", "office@example.org", "write to us"),
    "ko": Terms("예시 주식회사가 합병됩니다.", "견본 주식회사", "office@example.org", "회신하여 주십시오"),
}
runner = CliRunner()
OPENED, EFFECTIVE = at("2024-03-01"), at("2024-04-15")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("merger") / "home"
    with opened(home, at("2020-03-01")) as house:
        house.keeper.publish(WITH_PLACES.encode(), as_of=at("2020-02-01").date(), evidence="trial")
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    return copied(template, tmp_path / "home")


def case_of(house: House, fact: str = "whole-business", means: str = "stays") -> str:
    return house.keeper.merger("trial", fact, "sample-ltd", TERMS, effective_on=EFFECTIVE.date(), refused_means=means)


def state(house: House, case: str) -> MergerState:
    return house.keeper.merger_state("trial", case)


def entries(house: House, *kinds: str) -> list[Entry]:
    house.keeper.seal()
    return [one.entry for one in history.entries(house.keeper.places.sealer.connection, kinds=kinds)]


def test_nobodys_data_passes_on_before_that_person_was_told_and_could_refuse(home: Path) -> None:
    with opened(home, OPENED) as house:
        keeper, clock = house.keeper, house.clock
        told, late = member(house, "told"), member(house, "late")
        case = case_of(house)
        assert dict(state(house, case).counts) == {"to-tell": 2}
        way = Scripted([Answer(Handed.SENT), Answer(Handed.LATER, "busy")])
        assert keeper.tell_merger("trial", case) == {"queued": 2}
        assert keeper.tell_merger("trial", case) == {}
        keeper.deliver(way)
        assert sorted(state(house, case).counts) == ["to-tell", "told"]
        assert "견본" not in way.sent[0].text
        assert "Sample Ltd." in way.sent[0].text
        out: list[Bundle] = []
        assert set(keeper.hand_over("trial", case, out.append).waiting.values()) == {"not-effective"}
        clock.set(EFFECTIVE)
        first = keeper.hand_over("trial", case, out.append)
        assert (first.handed, list(first.waiting.values())) == (1, ["not-told"])
        (waiting,) = first.waiting
        (bundle,) = out
        assert {bundle.subject_id, waiting} == {told, late}
        who = "told" if bundle.subject_id == told else "late"
        assert dict(bundle.items)["name"] == text_of(who, "name")
        keeper.deliver(Scripted())
        assert keeper.hand_over("trial", case, out.append).waiting == {waiting: "may-still-refuse"}
        clock.set(EFFECTIVE + timedelta(days=11))
        assert keeper.hand_over("trial", case, out.append).handed == 1
        assert keeper.hand_over("trial", case, out.append).handed == 0
        keeper.close_merger("trial", case)
        proved(home, keeper)


def test_who_refuses_is_not_handed_over_and_stays_or_ends_as_the_case_says(home: Path) -> None:
    with opened(home, OPENED) as house:
        keeper, clock = house.keeper, house.clock
        stays, leaves = member(house, "stays"), member(house, "leaves")
        keeps, ends = case_of(house, "part-of-business"), case_of(house, means="ends")
        for case in (keeps, ends):
            keeper.tell_merger("trial", case)
        keeper.deliver(Scripted())
        keeper.refuse_transfer(stays, keeps, channel="website")
        keeper.refuse_transfer(stays, keeps, channel="website")
        keeper.refuse_transfer(leaves, ends, channel="letter")
        assert state(house, keeps).states[stays] == "refused"
        assert [one.fields["ends"] for one in entries(house, "handover.refused")] == [False, True]
        open_until = [
            [keeper.views.get(person, keeper.now()).view.life.engagement_end(one).at == FOREVER for one in
             keeper.views.get(person, keeper.now()).state.engagements]
            for person in (stays, leaves)
        ]  # fmt: skip
        assert open_until == [[True], [False]]
        clock.set(EFFECTIVE)
        out: list[Bundle] = []
        keeper.hand_over("trial", keeps, out.append)
        keeper.hand_over("trial", ends, out.append)
        assert {(one.subject_id) for one in out} == {leaves, stays}
        with pytest.raises(InputRefused, match="has passed on"):
            keeper.refuse_transfer(leaves, keeps, channel="website")


def test_who_cannot_be_reached_passes_on_when_the_page_has_stood_its_time(home: Path) -> None:
    with opened(home, OPENED) as house:
        keeper, clock = house.keeper, house.clock
        nowhere = keeper.enter("trial", "member")
        case = case_of(house)
        assert keeper.tell_merger("trial", case, ("email", "sms")) == {"unreachable": 1}
        assert state(house, case).reasons == {nowhere: "no-address"}
        clock.set(at("2024-03-10"))
        keeper.post("trial", "business-transfer", case, "front-page", evidence=PAGE)
        clock.set(EFFECTIVE)
        assert keeper.hand_over("trial", case, lambda _: None).waiting == {nowhere: "may-still-refuse"}
        assert state(house, case).states == {nowhere: "unreachable"}
        with pytest.raises(InputRefused, match="1 unreachable"):
            keeper.close_merger("trial", case)
        clock.set(at("2024-04-19"))
        assert keeper.hand_over("trial", case, lambda _: None).handed == 0
        clock.set(at("2024-04-20"))
        assert keeper.hand_over("trial", case, lambda _: None).handed == 1


def test_without_a_posting_the_unreachable_wait_for_ever(home: Path) -> None:
    with opened(home, OPENED) as house:
        nowhere = house.keeper.enter("trial", "member")
        case = case_of(house)
        house.keeper.tell_merger("trial", case)
        house.clock.set(at("2025-04-15"))
        assert house.keeper.hand_over("trial", case, lambda _: None).waiting == {nowhere: "not-covered"}


def test_who_comes_after_the_case_was_opened_is_told_too(home: Path) -> None:
    with opened(home, OPENED) as house:
        case = case_of(house)
        member(house, "new")
        assert dict(state(house, case).counts) == {"to-tell": 1}
        assert house.keeper.tell_merger("trial", case) == {"queued": 1}


def test_a_value_in_dispute_keeps_its_person_back_until_it_is_settled(home: Path) -> None:
    with opened(home, OPENED) as house:
        keeper, clock = house.keeper, house.clock
        person = member(house, "disputes")
        case = case_of(house)
        keeper.tell_merger("trial", case)
        keeper.deliver(Scripted())
        email = next(one.value_id for one, _, _ in keeper.holdings(person) if one.item == "email")
        asked = keeper.request(person, "rectification", channel="website", values=(email,), proved=True)
        clock.set(EFFECTIVE)
        assert keeper.hand_over("trial", case, lambda _: None).waiting == {person: "frozen"}
        keeper.answer(person, RequestId(asked.made or ""), "done")
        assert keeper.hand_over("trial", case, lambda _: None).handed == 1


def test_what_is_kept_apart_for_a_law_or_a_dispute_stays_here(home: Path) -> None:
    with opened(home, OPENED) as house:
        keeper, clock = house.keeper, house.clock
        person = member(house, "left")
        keeper.fact(person, "closed")
        clock.set(at("2024-03-04"))
        keeper.sweep()
        case = case_of(house)
        keeper.tell_merger("trial", case)
        keeper.deliver(Scripted())
        clock.set(EFFECTIVE)
        out: list[Bundle] = []
        keeper.hand_over("trial", case, out.append)
        assert [one.items for one in out] == [()]


def test_after_a_transfer_the_relation_ends_here_and_after_a_merger_it_goes_on(home: Path) -> None:
    with opened(home, OPENED) as house:
        keeper, clock = house.keeper, house.clock
        person = member(house, "passes")
        merged, sold = case_of(house, "merger"), case_of(house)
        for case in (merged, sold):
            keeper.tell_merger("trial", case)
        keeper.deliver(Scripted())
        clock.set(EFFECTIVE)
        for case, ended in ((merged, False), (sold, True)):
            keeper.hand_over("trial", case, lambda _: None)
            seen = keeper.views.get(person, keeper.now())
            assert [seen.view.life.engagement_end(one).at < FOREVER for one in seen.state.engagements] == [ended]


def test_a_password_passes_to_nobody_neither_ours_nor_one_for_another_service(tmp_path: Path) -> None:
    locked = WITH_PLACES.replace(
        "  phone: {en: phone, ko: 전화}",
        "  phone: {en: phone, ko: 전화}\n"
        "  pin: {en: password, ko: 비밀번호, nature: password}\n"
        "  key: {en: key of another service, ko: 다른 서비스의 비밀번호, nature: secret}",
    ).replace("items: [name, email], basis: contract", "items: [name, email, pin, key], basis: contract")
    with opened(tmp_path / "home", at("2020-03-01")) as house:
        keeper, clock = house.keeper, house.clock
        keeper.publish(locked.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        clock.set(OPENED)
        person = member(house, "passes")
        assert keeper.collect(person, "service", {"pin": "made-up-pin", "key": "made-up-key"}).granted
        case = case_of(house)
        keeper.tell_merger("trial", case)
        keeper.deliver(Scripted())
        clock.set(EFFECTIVE + timedelta(days=11))
        out: list[Bundle] = []
        assert keeper.hand_over("trial", case, out.append).handed == 1
        assert sorted(dict(out[0].items)) == ["email", "name", "phone"]


def test_a_correction_after_the_handing_over_is_told_to_the_transferee(home: Path) -> None:
    with opened(home, OPENED) as house:
        keeper, clock = house.keeper, house.clock
        person = member(house, "passes")
        case = case_of(house, "merger")
        keeper.tell_merger("trial", case)
        keeper.deliver(Scripted())
        clock.set(EFFECTIVE)
        keeper.hand_over("trial", case, lambda _: None)
        email = next(one.value_id for one, _, _ in keeper.holdings(person) if one.item == "email")
        corrected = keeper.correct(person, email, "right@example.org")
        assert "told:sample-ltd" in corrected.tells


def test_a_case_that_lacks_something_is_refused_with_all_that_it_lacks(home: Path) -> None:
    with opened(home, OPENED) as house:
        with pytest.raises(InputRefused) as refusal:
            house.keeper.merger(
                "trial", "gift", "sample-ltd", {"en": Terms("It passes on.", "", "x", "")},
                effective_on=at("2020-01-01").date(), refused_means="perhaps", kinds=["ghost"],
            )  # fmt: skip
        said = str(refusal.value)
        for part in ("`gift`", "`stays` or `ends`", "no terms in `ko`", "lack transferee, refusing", "`ghost`", "past"):
            assert part in said
        assert house.keeper.mergers("trial") == []


@pytest.mark.parametrize("places", [("active",), ("active", "keys")])
def test_after_a_restore_everybody_stands_where_they_stood(home: Path, tmp_path: Path, places: tuple[str, ...]) -> None:
    with opened(home, OPENED) as house:
        keeper = house.keeper
        people = [member(house, who) for who in ("one", "two", "three")]
        keeper.seal()
    copy = copied(home, tmp_path / "copy")
    with opened(home, OPENED) as house:
        keeper = house.keeper
        case = case_of(house)
        keeper.tell_merger("trial", case)
        keeper.deliver(Scripted([Answer(Handed.SENT), Answer(Handed.SENT), Answer(Handed.FAILED, "address-refused")]))
        keeper.refuse_transfer(people[0], case, channel="website")
        house.clock.set(EFFECTIVE)
        keeper.hand_over("trial", case, lambda _: None)
        before = state(house, case)
        cases = keeper.mergers("trial")
        keeper.seal()
    put_back(home, copy, *places)
    with opened(home, EFFECTIVE) as house:
        house.keeper.recover()
        after = state(house, case)
        assert after.states == before.states
        assert after.reasons == before.reasons
        assert house.keeper.mergers("trial") == cases
        proved(home, house.keeper)


# ── killed at every statement ───────────────────────────────────────────────────────────────────────────────────────


def to_folder(folder: Path, bundle: Bundle) -> None:
    """A receiver that knows repeats: one file for each disclosure, put there whole or not at all."""
    path = folder / f"{bundle.disclosure_id}.json"
    path.with_suffix(".new").write_text(json.dumps([bundle.subject_id, bundle.items]))
    os.replace(path.with_suffix(".new"), path)


def the_case(house: House) -> str:
    return house.keeper.mergers("trial")[0].case_id


def hands_over(house: House, persons: Persons, folder: Path) -> object:
    folder.mkdir(exist_ok=True)
    return house.keeper.hand_over("trial", the_case(house), partial(to_folder, folder))


def prepared_case(home: Path) -> Persons:
    with opened(home, OPENED) as house:
        keeper = house.keeper
        persons = {who: member(house, who) for who in ("goes", "refuses", "untold")}
        case = case_of(house)
        keeper.tell_merger("trial", case)
        keeper.deliver(Scripted())
        back = keeper.messages("trial", subject=persons["untold"])[0]
        keeper.bounced(back.message_id)
        keeper.refuse_transfer(persons["refuses"], case, channel="website")
        return persons


@pytest.mark.slow
def test_handing_over_killed_at_any_statement_hands_each_over_once_and_nobody_else(home: Path, tmp_path: Path) -> None:
    persons = prepared_case(home)
    folder = tmp_path / "out"
    scenario = Scenario(lambda house, people: hands_over(house, people, folder), lambda house, people: None, EFFECTIVE)
    count = len(statements(copied(home, tmp_path / "done"), scenario, persons))
    assert count > 20
    for before in range(count):
        shutil.rmtree(folder, ignore_errors=True)
        torn = copied(home, tmp_path / "torn")
        assert killed(torn, scenario, persons, before)
        with opened(torn, EFFECTIVE) as house:
            hands_over(house, persons, folder)
            found = state(house, the_case(house))
            states = {who: found.states[person] for who, person in persons.items()}
            assert states == {"goes": "handed-over", "refuses": "refused", "untold": "unreachable"}, before
            (one,) = [json.loads(path.read_text()) for path in folder.glob("*.json")]
            assert one[0] == persons["goes"]
            assert len(one[1]) == 3
            begun = entries(house, "handover.begun", "handover.done")
            assert Counter(each.kind for each in begun) == {"handover.begun": 1, "handover.done": 1}
            proved(torn, house.keeper)


# ── whatever happens, in whatever order ─────────────────────────────────────────────────────────────────────────────

STEPS = ("tell", "deliver", "lose", "bounce", "post", "refuse", "day", "week", "month", "hand", "join", "leave")


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(STEPS), min_size=4, max_size=16))
def test_in_whatever_order_things_happen_nobody_untold_passes_on(
    template: Path, tmp_path: Path, steps: list[str]
) -> None:
    home = copied(template, tmp_path / "walk")
    with opened(home, OPENED) as house:
        people = [member(house, f"person-{number}") for number in range(2)]
        case, out = case_of(house), list[Bundle]()
        for number, step in enumerate(steps):
            walk(house, step, number, people, case, out)
        check(house, case, out)
        proved(home, house.keeper)


def walk(house: House, step: str, number: int, people: list[SubjectId], case: str, out: list[Bundle]) -> None:
    keeper, clock = house.keeper, house.clock
    match step:
        case "tell":
            keeper.tell_merger("trial", case)
        case "deliver":
            keeper.deliver(Scripted(), limit=1)
        case "lose":
            keeper.deliver(Scripted([Answer(Handed.UNCERTAIN, "connection-lost")]), limit=1)
        case "bounce":
            for one in keeper.messages("trial", state="sent")[:1]:
                keeper.bounced(one.message_id)
        case "post":
            keeper.post("trial", "business-transfer", case, "front-page", evidence=PAGE)
        case "refuse":
            refuses(house, people[number % len(people)], case)
        case "day" | "week" | "month":
            clock.set(datetime_of(house) + timedelta(days={"day": 1, "week": 7, "month": 31}[step]))
        case "hand":
            keeper.hand_over("trial", case, out.append)
        case "join":
            people.append(member(house, f"person-{len(people)}"))
        case _:
            keeper.fact(people[number % len(people)], "closed")


def datetime_of(house: House) -> datetime:
    return moment(house.clock.now())


def refuses(house: House, person: SubjectId, case: str) -> None:
    if state(house, case).states.get(person) == "handed-over":
        with pytest.raises(InputRefused, match="has passed on"):
            house.keeper.refuse_transfer(person, case, channel="website")
    else:
        house.keeper.refuse_transfer(person, case, channel="website")


def check(house: House, case: str, out: list[Bundle]) -> None:
    """By the ledger alone: told or posted long enough before, not before it takes effect, once, and never refused."""
    assert len({one.subject_id for one in out}) == len(out)
    recorded = entries(house, "notice.moved", "notice.posted", "handover.begun", "handover.refused")
    for one in recorded:
        if one.kind != "handover.begun":
            continue
        assert one.at >= at_instant(EFFECTIVE)
        sent = [each.at for each in recorded if each.who == one.who and each.fields.get("state") == "sent"]
        posted = [each.at for each in recorded if each.kind == "notice.posted"]
        since = [*(each + DAYS * 10 for each in sent), *(each + DAYS * 40 for each in posted)]
        assert any(each <= one.at for each in since)
        refused = [each.at for each in recorded if each.who == one.who and each.kind == "handover.refused"]
        assert refused == []


DAYS = 86_400_000_000


def at_instant(when: datetime) -> int:
    return instant(when)


def test_who_passed_on_untold_shows_in_the_clause_report(home: Path) -> None:
    with opened(home, OPENED) as house:
        keeper = house.keeper
        person = member(house, "untold")
        case = case_of(house)
        alias = keeper.views.alias(person)
        house.clock.set(at("2024-03-05"))
        assert state_of_clause(house) == "no-evidence-yet"
        keeper.post("trial", "business-transfer", case, "front-page", evidence=PAGE)
        assert state_of_clause(house) == "upheld"
        house.clock.set(at("2024-03-20"))
        passed = entry(
            "handover.begun", house.clock.now(), "trial", alias, ("changes.business-transfer",), case=case,
            disclosure="d" * 20, recipient="sample-ltd", values=(), items=(),
        )  # fmt: skip
        keeper.places.active.submit(lambda transaction: transaction.journal(passed))
        house.clock.set(at("2024-03-21"))
        assert state_of_clause(house) == "not-upheld"


def state_of_clause(house: House) -> str:
    report = house.keeper.audit("trial")
    return next(one.state.value for one in report.clauses if one.clause == "T-13")


def test_an_officer_goes_through_a_merger_on_the_command_line(home: Path, tmp_path: Path) -> None:
    now = moment(SystemClock().now())
    with opened(home, OPENED) as house:
        member(house, "told")
    sheet = tmp_path / "sheet.yaml"
    said = "{fact: It passes on., transferee: Sample Ltd., contact: office@example.org, refusing: answer}"
    sheet.write_text(
        f"fact: merger\ntransferee: sample-ltd\neffective: {(now + timedelta(days=30)).date()}\n"
        f"refusing: stays\nen: {said}\nko: {said}\n"
    )
    assert "merger to sample-ltd" in command("merger", "open", str(sheet), "--home", str(home))
    stands = command("merger", "state", "--home", str(home), "--names")
    case = stands.split()[0]
    assert "still to be told: 1" in stands
    assert command("merger", "tell", case, "--home", str(home)) == "queued 1\n"
    assert command("merger", "tell", case, "--home", str(home)) == "nobody is left to tell\n"
    out = command("merger", "hand-over", case, "--home", str(home), "--out", str(tmp_path / "out"))
    assert out == "handed over: 0\nwaiting: 1: it has not taken effect yet\n"
    refused = runner.invoke(app, ["merger", "close", case, "--home", str(home)])
    assert "1 to-tell" in str(refused.exception)


def command(*words: str) -> str:
    outcome = runner.invoke(app, list(words), catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


def test_a_sheet_that_lacks_something_says_all_of_it() -> None:
    with pytest.raises(InputRefused) as refusal:
        sheet_in(b"fact: merger\neffective: soon\nen: {fact: It passes on.}\n")
    said = str(refusal.value)
    for part in ("`transferee` is missing", "`refusing` is missing", "is a date", "`en` needs exactly"):
        assert part in said


def test_what_is_put_into_the_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    bundle = Bundle("d" * 20, SubjectId("s" * 20), "member", (("name", "Person Made-Up"),))
    handed_to(tmp_path, bundle)
    handed_to(tmp_path, bundle)
    (path,) = tmp_path.iterdir()
    assert path.stat().st_mode & 0o077 == 0
    assert json.loads(path.read_text())["items"] == [["name", "Person Made-Up"]]
