"""Ends that hang on the person or on staff: when their day comes somebody looks, and keeps, closes or destroys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import upheld
from upheld.engine.acts import EngagementId, Reader, ReaderKind, SubjectId
from upheld.engine.reviews import reviews_up
from upheld.errors import InputRefused
from upheld.ledger.report import State
from upheld.store import history

SEOUL = ZoneInfo("Asia/Seoul")
POLICIES = Path(__file__).parent.parent / "policies"
BIZMEKA, MNS = "bizmeka-ez", "kt-mns"
CRM = Reader(ReaderKind.APPLICATION, "crm")
IDENTITY = {"name": "Person Made-Up", "email": "made-up@example.org", "mobile": "010-0000-0000"}


class House:
    """A home with one policy in force, its clock, and a sweep on every day that it is moved to."""

    def __init__(self, folder: Path, document: str, policy: str, opens: datetime) -> None:
        self.policy, self.clock = policy, upheld.SetClock(opens)
        self.keeper = upheld.open(folder, upheld.Options(clock=self.clock, light_hashing=True))
        self.keeper.publish(POLICIES / document)

    def to(self, year: int, month: int, day: int) -> None:
        """Go on to nine in the morning of a day, swept on the way as every night would."""
        self.clock.set(datetime(year, month, day, 9, tzinfo=SEOUL))
        self.keeper.sweep(confirm_clock=True)

    def kinds(self, *kinds: str) -> list[history.Recorded]:
        self.keeper.seal()
        return list(history.entries(self.keeper.places.sealer.connection, kinds=kinds))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "home", "bizmeka-ez-2018.yaml", BIZMEKA, datetime(2018, 7, 1, tzinfo=SEOUL))
    made.clock.set(datetime(2018, 7, 9, 9, tzinfo=SEOUL))
    yield made
    made.keeper.close()


def member(house: House) -> tuple[SubjectId, EngagementId]:
    subject = house.keeper.enter(BIZMEKA, "member")
    engagement = EngagementId(house.keeper.begin(subject, "membership").made or "")
    house.keeper.consent(subject, "purpose/identity", channel="website")
    taken = house.keeper.collect(subject, "identity", IDENTITY, engagement=engagement, channel="website")
    assert taken.granted
    return subject, engagement


def readable(house: House, subject: SubjectId) -> bool:
    return house.keeper.read(subject, "identity", reader=CRM, items=("name",), use="identify").granted


def test_a_membership_that_nobody_ended_comes_up_after_a_year_and_not_a_day_before(house: House) -> None:
    subject, engagement = member(house)
    house.to(2019, 7, 9)
    assert house.keeper.reviews(BIZMEKA) == []
    house.to(2019, 7, 10)
    (up,) = house.keeper.reviews(BIZMEKA)
    assert (up.subject_id, up.about, up.engagement) == (subject, "engagement", engagement)
    assert up.element == "engagements.membership"
    assert up.clauses
    assert up.overdue_at > up.due_at
    house.to(2019, 7, 11)
    assert len(house.kinds("review.due")) == 1


def test_what_is_kept_open_is_asked_again_after_as_long(house: House) -> None:
    subject, _ = member(house)
    house.to(2019, 7, 10)
    with pytest.raises(InputRefused, match="reason"):
        house.keeper.review(subject, "engagement", "kept")
    assert house.keeper.review(subject, "engagement", "kept", reason="still-used").granted
    assert house.keeper.reviews(BIZMEKA) == []
    house.to(2020, 7, 10)
    assert house.keeper.reviews(BIZMEKA) == []
    house.to(2020, 7, 11)
    assert [one.about for one in house.keeper.reviews(BIZMEKA)] == ["engagement"]
    assert readable(house, subject)


def test_what_is_closed_ends_like_any_engagement(house: House) -> None:
    subject, _ = member(house)
    house.to(2019, 7, 10)
    assert house.keeper.review(subject, "engagement", "closed").granted
    assert not readable(house, subject)
    with pytest.raises(InputRefused, match="up for a look"):
        house.keeper.review(subject, "engagement", "closed")


def test_what_a_look_destroys_is_kept_by_no_promise_of_ours_any_longer(house: House) -> None:
    closed, _ = member(house)
    destroyed, _ = member(house)
    house.to(2019, 7, 10)
    house.keeper.review(closed, "engagement", "closed")
    house.keeper.review(destroyed, "engagement", "destroyed")
    house.to(2019, 7, 12)
    assert {path.split(".")[0] for _, _, paths in house.keeper.holdings(closed) for path in paths} >= {"retention"}
    assert {path.split(".")[0] for _, _, paths in house.keeper.holdings(destroyed) for path in paths} == {"statutes"}


def test_a_dispute_comes_up_every_six_months_and_settling_it_closes_the_look(house: House) -> None:
    subject, _ = member(house)
    house.keeper.fact(subject, "dispute-opened", about="charge-7")
    house.to(2019, 1, 9)
    assert house.keeper.reviews(BIZMEKA) == []
    house.to(2019, 1, 10)
    (up,) = house.keeper.reviews(BIZMEKA)
    assert (up.named, up.element) == ("charge-7", "retention.dispute")
    with pytest.raises(InputRefused, match="kept or closed"):
        house.keeper.review(subject, up.about, "destroyed")
    assert house.keeper.review(subject, up.about, "closed").granted
    seen = house.keeper.views.get(subject, house.keeper.now())
    assert [fact.code for fact in seen.state.facts if fact.code == "dispute-settled"]
    assert reviews_up(seen.view.life, house.keeper.now()) == ()


def test_what_ends_by_itself_is_up_no_longer(house: House) -> None:
    subject, engagement = member(house)
    house.to(2019, 7, 10)
    code = house.keeper.versions(BIZMEKA)[-1].engagements["membership"].ends
    house.keeper.fact(subject, getattr(code, "fact", "ended"), engagement=engagement)
    house.to(2019, 7, 11)
    assert house.keeper.reviews(BIZMEKA) == []
    (done,) = house.kinds("review.done")
    assert done.entry.fields["outcome"] == "ended"


def test_a_look_that_nobody_took_is_not_upheld_until_somebody_does(house: House) -> None:
    subject, _ = member(house)
    house.to(2019, 7, 10)
    house.to(2019, 7, 14)
    (up,) = house.keeper.reviews(BIZMEKA)
    clause = up.clauses[0]
    assert "review-overdue" not in _what(house, clause)
    house.to(2019, 7, 20)
    assert "review-overdue" in _what(house, clause)
    house.keeper.review(subject, "engagement", "kept", reason="still-used")
    report = house.keeper.audit(BIZMEKA).clause(clause)
    assert report.state is not State.NOT_UPHELD or "review-overdue" not in report.what
    assert any(gap.what == "review-overdue" for gap in report.gaps)


def _what(house: House, clause: str) -> tuple[str, ...]:
    found = house.keeper.audit(BIZMEKA).clause(clause)
    return tuple(breach for breach in found.what)


def test_who_comes_of_age_is_told_so_on_the_birthday(house: House) -> None:
    child = house.keeper.enter(BIZMEKA, "member", born=date(2004, 9, 20))
    house.to(2018, 9, 19)
    assert house.keeper.reviews(BIZMEKA) == []
    house.to(2018, 9, 20)
    (up,) = house.keeper.reviews(BIZMEKA)
    assert (up.subject_id, up.about) == (child, "come-of-age")
    with pytest.raises(InputRefused, match="is told"):
        house.keeper.review(child, "come-of-age", "closed")
    assert house.keeper.review(child, "come-of-age", "kept", reason="told").granted
    house.to(2019, 9, 21)
    assert [one.about for one in house.keeper.reviews(BIZMEKA)] == []


def test_what_is_not_left_open_has_no_look(house: House) -> None:
    subject, _ = member(house)
    with pytest.raises(InputRefused, match="up now: nothing"):
        house.keeper.review(subject, "engagement", "kept", reason="still-used")
    house.to(2019, 7, 10)
    with pytest.raises(InputRefused, match="ends with one of"):
        house.keeper.review(subject, "engagement", "forgotten")
