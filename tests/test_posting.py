"""For those whom no letter reaches: a posting that stands its full time, and newspapers where posting is hindered."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acknowledged import FIELDS
from tests.homes import copied, put_back
from tests.test_telling import Scripted
from tests.trial_home import POLICY, House, at, member, opened, proved
from upheld.connect.transport import Answer, Handed
from upheld.dates import instant, moment
from upheld.engine.acts import SubjectId
from upheld.errors import InputRefused
from upheld.keeper import Message
from upheld.keeper.posting import Region
from upheld.store import history

PAGE = b"a made-up picture of the page"
WITH_PLACES = (
    POLICY
    + """
contacts: {office: {clause: T-10, en: office, ko: 담당, phone: 000-0000, takes: questions}}
places:
  every: {clause: T-12}
  front-page: {en: front page, ko: 첫 화면, site: www.example.org}
  person: {en: letter, ko: 서면}
  newspapers: {en: newspapers, ko: 일간신문}
changes:
  business-transfer:
    clause: T-13
    at: person
    or-else: [{if: unreachable-without-fault, at: front-page, for: P20D}, {if: disaster, at: newspapers, papers: 2}]
"""
)
ABOUT = "merger-2024"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("posting") / "home"
    with opened(home, at("2020-03-01")) as house:
        house.keeper.publish(WITH_PLACES.encode(), as_of=at("2020-02-01").date(), evidence="trial")
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    return copied(template, tmp_path / "home")


def tells(house: House, person: SubjectId) -> Message:
    return house.keeper.tell(person, "business-transfer", "email", about=ABOUT, fields=FIELDS)


def three(house: House) -> tuple[SubjectId, SubjectId, SubjectId]:
    """One who is reached, one whose mail comes back, one without an address."""
    reached, returned = member(house, "reached"), member(house, "returned")
    nowhere = house.keeper.enter("trial", "member")
    tells(house, reached)
    back = tells(house, returned)
    tells(house, nowhere)
    house.keeper.deliver(Scripted())
    house.keeper.bounced(back.message_id)
    return reached, returned, nowhere


def test_the_page_must_stand_for_the_longer_of_policy_and_law(home: Path) -> None:
    with opened(home, at("2024-03-01")) as house:
        wanted = house.keeper.fallbacks("trial", "business-transfer")
        assert (str(wanted.page), wanted.by, wanted.papers) == ("P30D", ("business-transfer.posted",), 2)
        assert house.keeper.fallbacks("trial", "breach").by == ("breach.posted",)
        assert house.keeper.fallbacks("trial", "breach").besides is None


def test_the_law_of_former_days_wanted_a_leak_on_the_page_besides(home: Path) -> None:
    with opened(home, at("2023-09-14")) as house:
        assert str(house.keeper.fallbacks("trial", "breach").besides) == "P7D"
        assert house.keeper.fallbacks("trial", "business-transfer").besides is None
        house.clock.set(at("2023-09-15"))
        assert house.keeper.fallbacks("trial", "breach").besides is None


def test_who_cannot_be_reached_is_covered_when_the_page_has_stood_its_time_and_not_a_day_before(home: Path) -> None:
    with opened(home, at("2024-03-01")) as house:
        keeper = house.keeper
        reached, returned, nowhere = three(house)
        told = keeper.told("trial", "business-transfer", ABOUT)
        assert told.states == {reached: "told", returned: "unreachable", nowhere: "unreachable"}
        assert told.reasons == {returned: "returned", nowhere: "no-address"}
        keeper.post("trial", "business-transfer", ABOUT, "front-page", evidence=PAGE)
        house.clock.set(at("2024-03-31", 23))
        assert keeper.told("trial", "business-transfer", ABOUT).counts == {"told": 1, "unreachable": 2}
        house.clock.set(at("2024-04-01", 0))
        after = keeper.told("trial", "business-transfer", ABOUT)
        assert after.covered_at == instant(at("2024-04-01", 0))
        assert after.counts == {"told": 1, "covered": 2}
        assert keeper.told("trial", "business-transfer", "another").counts == {}


def test_a_page_that_was_taken_down_too_early_counts_for_nothing(home: Path) -> None:
    with opened(home, at("2024-03-01")) as house:
        keeper = house.keeper
        three(house)
        first = keeper.post("trial", "business-transfer", ABOUT, "front-page", evidence=PAGE)
        house.clock.set(at("2024-03-20"))
        keeper.taken_down("trial", first)
        with pytest.raises(InputRefused, match="no such posting"):
            keeper.taken_down("trial", first)
        house.clock.set(at("2024-03-22"))
        keeper.post("trial", "business-transfer", ABOUT, "front-page", evidence=PAGE)
        house.clock.set(at("2024-04-10"))
        assert keeper.told("trial", "business-transfer", ABOUT).counts["covered"] == 0
        house.clock.set(at("2024-04-22", 0))
        assert keeper.told("trial", "business-transfer", ABOUT).counts["covered"] == 2


def test_newspapers_stand_in_when_as_many_as_promised_have_printed_it(home: Path) -> None:
    with opened(home, at("2024-03-01")) as house:
        keeper = house.keeper
        three(house)
        keeper.printed("trial", "business-transfer", ABOUT, "morning-sample", evidence=b"cutting")
        keeper.printed("trial", "business-transfer", ABOUT, "morning-sample", evidence=b"cutting")
        assert keeper.told("trial", "business-transfer", ABOUT).counts["covered"] == 0
        house.clock.set(at("2024-03-05"))
        keeper.printed("trial", "business-transfer", ABOUT, "evening-sample", evidence=b"cutting")
        told = keeper.told("trial", "business-transfer", ABOUT)
        assert told.counts["covered"] == 2
        assert told.covered_at is not None
        assert moment(told.covered_at) == at("2024-03-05")


@pytest.mark.clauses("BZ16-1.5.d", "BZ18-1.5.d", "KE22-1.5-4", "MS18-1.5-4")
def test_newspapers_of_a_region_do_where_more_than_half_of_those_concerned_live_there(home: Path) -> None:
    with opened(home, at("2024-03-01")) as house:
        three(house)
        with pytest.raises(InputRefused, match="region-undeclared"):
            house.keeper.printed(
                "trial", "business-transfer", ABOUT, "harbour-sample", evidence=b"cutting", region=Region("harbour", 3)
            )
        text = WITH_PLACES.replace("papers: 2}", "papers: 2, regional: majority}")
        text = text.replace("2020-01-01", "2024-03-01").replace("2020-02-01", "2024-03-02")
        house.keeper.publish(text.encode())
        house.clock.set(at("2024-03-03"))
        for residents in (1, 4):
            with pytest.raises(InputRefused, match="region-no-majority"):
                house.keeper.printed(
                    "trial", "business-transfer", ABOUT, "harbour-sample", evidence=b"x",
                    region=Region("harbour", residents),
                )  # fmt: skip
        for newspaper in ("harbour-sample", "coast-sample"):
            house.keeper.printed(
                "trial", "business-transfer", ABOUT, newspaper, evidence=b"cutting", region=Region("harbour", 2)
            )
        assert house.keeper.told("trial", "business-transfer", ABOUT).counts["covered"] == 2
        house.keeper.seal()
        entries = history.entries(house.keeper.places.sealer.connection, kinds=("notice.posted",))
        shown = [dict(one.entry.fields) for one in entries]
        assert [(one["region"], one["counts"]) for one in shown] == [("harbour", {"residents": 2, "concerned": 3})] * 2


def test_a_server_of_ours_that_was_away_makes_nobody_unreachable_without_fault(home: Path) -> None:
    with opened(home, at("2024-03-01")) as house:
        keeper = house.keeper
        tells(house, member(house, "reader"))
        for day in range(2, 9):
            keeper.deliver(Scripted([Answer(Handed.LATER, "no-connection")]))
            house.clock.set(at(f"2024-03-0{day}"))
        keeper.post("trial", "business-transfer", ABOUT, "front-page", evidence=PAGE)
        house.clock.set(at("2024-06-01"))
        told = keeper.told("trial", "business-transfer", ABOUT)
        assert dict(told.counts) == {"unreachable": 1}
        assert set(told.reasons.values()) == {"no-connection"}


def test_a_posting_needs_a_place_of_the_policy_and_what_shows_it(home: Path) -> None:
    with opened(home, at("2024-03-01")) as house:
        with pytest.raises(InputRefused, match="has no place `wall`"):
            house.keeper.post("trial", "business-transfer", ABOUT, "wall", evidence=PAGE)
        with pytest.raises(InputRefused, match="needs what shows it"):
            house.keeper.post("trial", "business-transfer", ABOUT, "front-page", evidence=b"")
        with pytest.raises(InputRefused, match="is no notice"):
            house.keeper.post("trial", "poem", ABOUT, "front-page", evidence=PAGE)


def test_postings_come_back_from_the_ledger(home: Path, tmp_path: Path) -> None:
    with opened(home, at("2024-03-01")) as house:
        house.keeper.seal()
    copy = copied(home, tmp_path / "copy")
    with opened(home, at("2024-03-01")) as house:
        keeper = house.keeper
        keeper.taken_down("trial", keeper.post("trial", "business-transfer", ABOUT, "front-page", evidence=PAGE))
        keeper.printed("trial", "business-transfer", ABOUT, "morning-sample", evidence=b"cutting")
        before = keeper.postings("trial")
        keeper.seal()
    put_back(home, copy, "active")
    with opened(home, at("2024-03-01")) as house:
        house.keeper.recover()
        assert house.keeper.postings("trial") == before
        assert len(before) == 2
        proved(home, house.keeper)
