"""What the system itself holds about people: filed, shown, destroyed at its time, and never open in a file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tests.crash_child import Persons, Scenario, killed, statements
from tests.homes import column, copied, kept_bytes, put_back, stride
from tests.trial_home import POLICY, House, at, member, opened, proved
from upheld.dates import instant, moment
from upheld.engine.acts import ConsentId, HandlerId, RequestId, SubjectId
from upheld.errors import InputRefused, StoreFailed
from upheld.ledger.entries import Entry
from upheld.store import history

LETTER = b"letter-to-somebody-made-up-" + b"y" * 60
OTHER = b"another-letter-to-somebody-" + b"z" * 60
WITH_STAFF = POLICY + "handlers: {desk: {clause: T-10, en: desk, ko: 담당, duties: requests}}\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with the trial's policy in force."""
    with opened(tmp_path / "home", at("2020-03-01")) as house:
        house.keeper.publish(WITH_STAFF.encode(), as_of=at("2020-02-01").date(), evidence="trial")
    return tmp_path / "home"


def entries(house: House, *kinds: str) -> list[Entry]:
    house.keeper.seal()
    return [one.entry for one in history.entries(house.keeper.places.sealer.connection, kinds=kinds)]


def bytes_of(home: Path) -> bytes:
    return kept_bytes(home)


def keys_of_papers(home: Path) -> set[str]:
    return set(column(home / "keys.db", "SELECT paper_id FROM paper_key"))


def test_a_paper_is_shown_again_and_lies_open_in_no_file(home: Path) -> None:
    with opened(home, at("2024-03-01")) as house:
        person = member(house, "writer")
        paper = house.keeper.file_paper("trial", "letters", LETTER, owner=person, about="welcome")
        assert house.keeper.paper("trial", paper) == LETTER
        (found,) = house.keeper.papers("trial", owner=person)
        assert (found.kind, found.owner, found.about) == ("letters", person, "welcome")
        assert house.keeper.papers("trial", kind="requests") == []
        assert house.keeper.papers("trial", about="welcome") == [found]
        assert house.keeper.paper("trial", "a" * 20) is None
    assert LETTER not in bytes_of(home)


def test_showing_a_paper_is_on_record_first_and_a_session_is_nobodys_look(home: Path) -> None:
    with opened(home, at("2024-03-01")) as house:
        keeper = house.keeper
        person = member(house, "writer")
        letter = keeper.file_paper("trial", "letters", LETTER, owner=person)
        session = keeper.file_paper("trial", "sessions", OTHER, owner=person)
        keeper.paper("trial", letter)
        assert keeper.paper("trial", session) == OTHER
        assert [one.fields["paper"] for one in entries(house, "paper.seen")] == [letter]
        with pytest.raises(InputRefused, match="outside the batch"), keeper.batch():
            keeper.paper("trial", letter)


def test_the_ledger_knows_a_paper_by_a_digest_that_dies_with_its_key(home: Path) -> None:
    with opened(home, at("2024-03-01")) as house:
        keeper, keys = house.keeper, house.keeper.places.papers
        paper = keeper.file_paper("trial", "letters", LETTER, owner=member(house, "writer"))
        (filed,) = entries(house, "paper.filed")
        assert filed.elements == ("upkeep.letters",)
        assert keys.digest(paper, LETTER) == filed.fields["digest"] != keys.digest(paper, OTHER)
        keeper.destroy_paper("trial", paper)
        with pytest.raises(StoreFailed, match="destroyed"):
            keys.digest(paper, LETTER)


def test_the_sweep_destroys_a_paper_when_its_time_is_over_and_not_before(home: Path) -> None:
    with opened(home, at("2024-03-01")) as house:
        keeper = house.keeper
        person = member(house, "writer")
        paper = keeper.file_paper("trial", "mandates", LETTER, owner=person, until=at("2024-03-10"))
        stays = keeper.file_paper("trial", "mandates", OTHER, owner=person, until=at("2024-04-10"))
        blob = column(home / "active.db", f"SELECT sealed FROM paper WHERE paper_id = '{paper}'")[0]
        wrapped = column(home / "keys.db", f"SELECT wrapped FROM paper_key WHERE paper_id = '{paper}'")[0]
        house.clock.set(at("2024-03-09"))
        assert keeper.sweep().papers == 0
        house.clock.set(at("2024-03-11"))
        assert keeper.sweep().papers == 1
        assert keeper.paper("trial", paper) is None
        assert [one.paper_id for one in keeper.papers("trial")] == [stays]
        assert keeper.sweep().papers == 0
        assert [one.fields["papers"] for one in entries(house, "paper.destroyed")] == [(paper,)]
        proved(home, keeper)
    left = bytes_of(home)
    assert wrapped not in left
    assert blob not in left


def test_what_proves_a_consent_is_kept_three_years_after_the_consent_ended(home: Path) -> None:
    with opened(home, at("2024-03-01")) as house:
        keeper, clock = house.keeper, house.clock
        person = member(house, "agreed")
        given = ConsentId(keeper.consent(person, "provision/mall", channel="website").made or "")
        keeper.file_paper("trial", "consent-evidence", LETTER, owner=person, about=given)
        keeper.sweep()
        (standing,) = keeper.papers("trial", owner=person)
        assert standing.until_at is None
        clock.set(at("2024-05-02"))
        keeper.withdraw(person, "provision/mall", channel="website")
        keeper.sweep()
        (ended,) = keeper.papers("trial", owner=person)
        assert ended.until_at is not None
        assert moment(ended.until_at) == at("2027-05-03", 0)


def test_a_file_of_a_request_is_kept_three_years_after_it_was_settled(home: Path) -> None:
    with opened(home, at("2024-03-01")) as house:
        keeper = house.keeper
        person = member(house, "asks")
        asked = RequestId(keeper.request(person, "access", channel="website", proved=True).made or "")
        keeper.file_paper("trial", "requests", LETTER, owner=person, about=asked)
        keeper.sweep()
        assert keeper.papers("trial")[0].until_at is None
        keeper.answer(person, asked, "done")
        keeper.sweep()
        until = keeper.papers("trial")[0].until_at
        assert until is not None
        assert moment(until) == at("2027-03-02", 0)


def test_what_proves_a_consent_that_serves_again_is_kept_on_for_whoever_came_back(home: Path) -> None:
    with opened(home, at("2024-03-01")) as house:
        keeper, clock = house.keeper, house.clock
        person = member(house, "back")  # agreed to offers
        consent = next(one for one in keeper.views.get(person, keeper.now()).state.consents)
        proof = keeper.file_paper("trial", "consent-evidence", LETTER, owner=person, about=consent.consent_id)
        fixed = keeper.file_paper("trial", "letters", OTHER, owner=person, until=at("2027-01-01"))
        clock.set(at("2024-06-01"))
        keeper.fact(person, "closed")
        clock.set(at("2024-06-03"))
        keeper.sweep()
        assert {one.paper_id: one.until_at is None for one in keeper.papers("trial", owner=person)}[proof] is False
        clock.set(at("2025-06-01"))
        keeper.begin(person, "membership")
        assert keeper.collect(person, "offers", {"phone": "phone-of-back-again@example.org"}).granted
        clock.set(at("2027-06-03"))  # three years after the first membership
        keeper.sweep()
        assert keeper.paper("trial", proof) == LETTER
        assert keeper.paper("trial", fixed) is None
        clock.set(at("2027-07-01"))
        keeper.fact(person, "closed")
        clock.set(at("2030-07-01"))
        keeper.sweep()
        assert keeper.paper("trial", proof) == LETTER
        clock.set(at("2030-07-03"))
        keeper.sweep()
        assert keeper.paper("trial", proof) is None


def test_a_person_is_not_forgotten_while_a_paper_of_theirs_is_kept(home: Path) -> None:
    with opened(home, at("2020-03-01")) as house:
        keeper, clock = house.keeper, house.clock
        person = member(house, "leaves")
        keeper.fact(person, "closed")
        paper = keeper.file_paper("trial", "letters", LETTER, owner=person, until=at("2026-01-01"))
        for day in ("2020-03-04", "2020-10-01", "2023-12-31", "2024-12-31"):
            clock.set(at(day))
            keeper.sweep()
        assert entries(house, "subject.forgotten") == []
        assert keeper.paper("trial", paper) == LETTER
        clock.set(at("2026-01-02"))
        swept = keeper.sweep()
        assert (swept.papers, swept.forgotten) == (1, 1)
        proved(home, keeper)
    assert column(home / "active.db", "SELECT count(*) FROM subject") == [0]
    assert column(home / "active.db", "SELECT count(*) FROM paper") == [0]


def test_a_paper_whose_end_nobody_reports_goes_three_years_after_the_last_trace(home: Path) -> None:
    with opened(home, at("2020-03-01")) as house:
        keeper, clock = house.keeper, house.clock
        person = member(house, "leaves")
        keeper.file_paper("trial", "notices", LETTER, owner=person)
        keeper.fact(person, "closed")
        for day in ("2020-03-04", "2020-10-01", "2023-03-03", "2023-10-20"):
            clock.set(at(day))
            keeper.sweep()
        assert keeper.papers("trial") == []
        assert len(entries(house, "subject.forgotten")) == 1


def test_an_account_is_kept_three_years_after_the_last_role_was_taken_away(home: Path) -> None:
    with opened(home, at("2024-03-01")) as house:
        keeper = house.keeper
        handler, _ = keeper.grant("trial", "desk", handler=HandlerId("h" * 20))
        account = keeper.file_paper("trial", "staff", LETTER, owner=handler)
        keeper.sweep()
        assert keeper.papers("trial", owner=handler)[0].until_at is None
        keeper.revoke("trial", handler, "desk")
        keeper.sweep()
        until = keeper.papers("trial", owner=handler)[0].until_at
        assert until is not None
        assert moment(until) == at("2027-03-02", 0)
        house.clock.set(moment(until))
        assert keeper.sweep().papers == 1
        assert keeper.paper("trial", account) is None


def test_a_role_taken_away_and_given_back_at_one_instant_stands(home: Path) -> None:
    with opened(home, at("2024-03-01")) as house:
        keeper = house.keeper
        handler, _ = keeper.grant("trial", "desk", handler=HandlerId("h" * 20))
        keeper.file_paper("trial", "staff", LETTER, owner=handler)
        keeper.revoke("trial", handler, "desk")
        assert keeper.grant("trial", "desk", handler=handler)[1].granted
        keeper.sweep()
        assert keeper.papers("trial", owner=handler)[0].until_at is None, "nothing ended"


def test_a_role_whose_time_is_over_lets_the_account_go_as_one_that_was_taken_away(home: Path) -> None:
    with opened(home, at("2024-03-01")) as house:
        keeper = house.keeper
        handler, _ = keeper.grant("trial", "desk", handler=HandlerId("i" * 20))
        account = keeper.file_paper("trial", "staff", LETTER, owner=handler)
        with keeper.places.active.transaction() as transaction:
            over = instant(at("2025-03-02", 0))
            transaction.execute("UPDATE handler SET until_at = ? WHERE handler_id = ?", (over, handler))
        keeper.sweep()
        until = keeper.papers("trial", owner=handler)[0].until_at
        assert until is not None
        assert moment(until) == at("2028-03-02", 0)
        keeper.revoke("trial", handler, "desk")  # sooner than it would have ended
        keeper.sweep()
        assert keeper.papers("trial", owner=handler)[0].until_at == instant(at("2027-03-02", 0))
        house.clock.set(at("2027-03-02", 0))
        assert keeper.sweep().papers == 1
        assert keeper.paper("trial", account) is None


def test_a_sweep_that_finds_an_end_that_came_long_ago_destroys_and_forgets_at_once(home: Path) -> None:
    with opened(home, at("2020-03-01")) as house:
        keeper = house.keeper
        person = member(house, "leaves")
        keeper.file_paper("trial", "notices", LETTER, owner=person)
        keeper.fact(person, "closed")
        for day in ("2020-03-04", "2020-10-20"):
            house.clock.set(at(day))
            keeper.sweep()
        late = keeper.file_paper("trial", "letters", LETTER, owner=person)  # filed after the last look at this person
        house.clock.set(at("2027-03-03"))
        first, again = keeper.sweep(), keeper.sweep()
        assert (first.papers, first.forgotten) == (2, 1)
        assert (again.papers, again.forgotten, again.looked_at) == (0, 0, 0)
        assert keeper.paper("trial", late) is None


def test_an_account_of_somebody_who_got_a_role_again_is_kept_on(home: Path) -> None:
    with opened(home, at("2024-03-01")) as house:
        keeper, clock = house.keeper, house.clock
        handler, _ = keeper.grant("trial", "desk")
        account = keeper.file_paper("trial", "staff", LETTER, owner=handler)
        clock.set(at("2024-06-01"))
        keeper.revoke("trial", handler, "desk")
        keeper.sweep()
        assert keeper.papers("trial")[0].until_at is not None
        clock.set(at("2025-06-01"))
        keeper.grant("trial", "desk", handler=handler)
        clock.set(at("2027-07-01"))
        keeper.sweep()
        assert keeper.paper("trial", account) == LETTER
        keeper.revoke("trial", handler, "desk")
        clock.set(at("2030-07-03"))
        keeper.sweep()
        assert keeper.paper("trial", account) is None


def test_what_is_filed_for_nobody_or_as_nothing_known_is_refused(home: Path) -> None:
    with opened(home, at("2024-03-01")) as house:
        keeper = house.keeper
        person = member(house, "writer")
        with pytest.raises(InputRefused, match="keeps no papers `poems`"):
            keeper.file_paper("trial", "poems", LETTER, owner=person)
        with pytest.raises(InputRefused, match="neither a subject nor a handler"):
            keeper.file_paper("trial", "letters", LETTER, owner="b" * 20)
        with pytest.raises(InputRefused, match="the id of a subject or of a handler"):
            keeper.file_paper("trial", "sessions", LETTER, owner="the desk")
        assert keeper.papers("trial") == []


def test_papers_share_the_commit_of_a_batch_or_none_is_there(home: Path) -> None:
    with opened(home, at("2024-03-01")) as house:
        keeper = house.keeper
        person = member(house, "writer")
        with pytest.raises(ZeroDivisionError):
            files_and_fails(house, person)
        assert keeper.papers("trial") == []
        with keeper.batch():
            kept = keeper.file_paper("trial", "letters", LETTER, owner=person)
            gone = keeper.file_paper("trial", "letters", OTHER, owner=person)
            keeper.destroy_paper("trial", gone)
        assert [one.paper_id for one in keeper.papers("trial")] == [kept]
        assert keeper.paper("trial", gone) is None
        keeper.sweep()
        assert gone not in keys_of_papers(home)


def test_a_ciphertext_put_into_another_papers_row_opens_to_nobody(home: Path) -> None:
    with opened(home, at("2024-03-01")) as house:
        keeper = house.keeper
        mine = keeper.file_paper("trial", "letters", LETTER, owner=member(house, "mine"))
        yours = keeper.file_paper("trial", "letters", OTHER, owner=member(house, "yours"))
        with keeper.places.active.transaction() as transaction:
            theirs = transaction.execute("SELECT sealed FROM paper WHERE paper_id = ?", (yours,)).fetchone()[0]
            transaction.execute("UPDATE paper SET sealed = ? WHERE paper_id = ?", (theirs, mine))
        with pytest.raises(StoreFailed, match="changed from outside"):
            keeper.paper("trial", mine)


def files_and_fails(house: House, person: SubjectId) -> None:
    with house.keeper.batch():
        house.keeper.file_paper("trial", "letters", LETTER, owner=person)
        raise ZeroDivisionError


@pytest.mark.parametrize("places", [("active",), ("keys",), ("active", "keys")])
def test_after_a_restore_destroyed_papers_are_destroyed_again_and_lost_ones_are_named(
    home: Path, tmp_path: Path, places: tuple[str, ...]
) -> None:
    when = at("2024-03-01")
    with opened(home, when) as house:
        keeper = house.keeper
        person = member(house, "writer")
        handler, _ = keeper.grant("trial", "desk", handler=HandlerId("h" * 20))
        kept = keeper.file_paper("trial", "letters", LETTER, owner=person)
        goes = keeper.file_paper("trial", "letters", OTHER, owner=person)
        account = keeper.file_paper("trial", "staff", OTHER, owner=handler)
        keeper.seal()
    copy = copied(home, tmp_path / "copy")
    with opened(home, when) as house:
        house.keeper.destroy_paper("trial", goes)
        house.keeper.destroy_paper("trial", account)
        late = house.keeper.file_paper("trial", "letters", OTHER, owner=person, about="late")
        house.keeper.seal()
    put_back(home, copy, *places)
    with opened(home, when) as house:
        done = house.keeper.recover()
        assert done.places == tuple(sorted(places))
        assert house.keeper.paper("trial", kept) == LETTER
        assert [house.keeper.paper("trial", one) for one in (goes, account, late)] == [None] * 3
        assert [one.paper_id for one in house.keeper.papers("trial")] == [kept]
        assert [one.fields["papers"] for one in entries(house, "paper.lost")] == [(late,)]
        assert keys_of_papers(home) == {kept}
        assert not house.keeper.recover().counts["papers-lost"]
        proved(home, house.keeper)


# ── killed at every statement ───────────────────────────────────────────────────────────────────────────────────────


def files_one(house: House, persons: Persons) -> object:
    return house.keeper.file_paper("trial", "letters", LETTER, owner=persons["writer"])


def destroys_all(house: House, persons: Persons) -> object:
    for one in house.keeper.papers("trial"):
        house.keeper.destroy_paper("trial", one.paper_id)
    return None


def with_writer(home: Path, papers: int) -> Persons:
    with opened(home, at("2024-03-01")) as house:
        person = member(house, "writer")
        for _ in range(papers):
            house.keeper.file_paper("trial", "letters", LETTER, owner=person)
        return {"writer": person}


def test_filing_a_paper_killed_at_any_statement_leaves_it_whole_or_not_at_all(home: Path, tmp_path: Path) -> None:
    persons = with_writer(home, 0)
    scenario = Scenario(files_one, files_one, at("2024-03-01"))
    count = len(statements(copied(home, tmp_path / "done"), scenario, persons))
    for before in range(0, count, stride(home, 3)):
        torn = copied(home, tmp_path / "torn")
        assert killed(torn, scenario, persons, before)
        with opened(torn, scenario.when) as house:
            contents = [house.keeper.paper("trial", one.paper_id) for one in house.keeper.papers("trial")]
            assert contents in ([], [LETTER]), before
            proved(torn, house.keeper)


@pytest.mark.slow
def test_destroying_papers_killed_at_any_statement_goes_on_and_never_brings_one_back(
    home: Path, tmp_path: Path
) -> None:
    """Every fifth statement here, every one in `make deep`."""
    destroyed_and_killed(home, tmp_path, 5)


@pytest.mark.deep
def test_destroying_papers_killed_at_every_statement_never_brings_one_back(home: Path, tmp_path: Path) -> None:
    destroyed_and_killed(home, tmp_path, 1)


def destroyed_and_killed(home: Path, tmp_path: Path, every: int) -> None:
    persons = with_writer(home, 2)
    scenario = Scenario(destroys_all, destroys_all, at("2024-03-01"))
    count = len(statements(copied(home, tmp_path / "done"), scenario, persons))
    for before in range(0, count, max(every, stride(home, 23))):
        torn = copied(home, tmp_path / "torn")
        assert killed(torn, scenario, persons, before)
        states = dict(column_pairs(torn, "SELECT paper_id, state FROM paper"))
        with opened(torn, scenario.when) as house:
            left = {one.paper_id for one in house.keeper.papers("trial")}
            assert left == {one for one, state in states.items() if state == "held"}, before
            house.keeper.sweep()
            assert keys_of_papers(torn) >= left
            assert not keys_of_papers(torn) & (states.keys() - left)
            proved(torn, house.keeper)


def column_pairs(home: Path, statement: str) -> list[tuple[str, str]]:
    return column(home / "active.db", statement)


def test_instants_of_papers_are_those_of_the_clock(home: Path) -> None:
    when: datetime = at("2024-03-01")
    with opened(home, when) as house:
        person: SubjectId = member(house, "writer")
        house.keeper.file_paper("trial", "letters", LETTER, owner=person, until=at("2024-04-01"))
        (paper,) = house.keeper.papers("trial")
        assert (paper.filed_at, paper.until_at) == (instant(when), instant(at("2024-04-01")))
