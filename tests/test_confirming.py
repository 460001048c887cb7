"""What one says about advertising is confirmed to them without anybody at the desk, once, in their language."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.desk_house import busy
from tests.served import Served, joined
from tests.trial_home import at
from upheld.cli import app
from upheld.desk.background import JOBS, Scheduler
from upheld.desk.confirming import confirm_consents
from upheld.desk.duties import calendar_of, owed_notices
from upheld.desk.records import counts_of, recorded
from upheld.engine.acts import SubjectId
from upheld.keeper.living import Shown
from upheld.keeper.telling import Message, unpacked
from upheld.policy.letters import Written


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with busy(tmp_path / "home") as found:
        yield found


def told(house: Served, person: SubjectId) -> list[Message]:
    return house.keeper.messages("trial", subject=person, notice="consent-confirmed")


def letter_of(house: Served, message: Message) -> Written:
    return unpacked(house.keeper.paper("trial", message.paper_id or "") or b"")


def test_a_yes_and_a_no_to_advertising_are_each_confirmed_by_the_scheduler_alone(house: Served) -> None:
    person = house.persons["stayer"]
    house.keeper.consent(person, "medium/email", channel="website")
    assert "confirm" in Scheduler(house.keeper, JOBS).turn()
    (yes,) = told(house, person)
    assert (yes.state, yes.about) == ("queued", "email")
    assert confirm_consents(house.keeper).total() == 0  # once is enough
    house.clock.set(at("2024-09-13"))
    house.keeper.withdraw(person, "medium/email", channel="website")
    assert confirm_consents(house.keeper) == {"queued": 1}
    _, no = told(house, person)
    assert ": yes" in letter_of(house, yes).text
    assert ": no" in letter_of(house, no).text
    assert owed_notices(house.keeper, "trial", "consent-confirmed") == []
    done = [one.entry for one in recorded(house.keeper, "trial", ["duty.done"])]
    assert [(one.fields["duty"], counts_of(one)) for one in done] == [("consent-confirmed", {"queued": 1})] * 2
    shown = [
        one for one in recorded(house.keeper, "trial", ["notice.queued"]) if "advertising.email" in one.entry.elements
    ]
    assert len(shown) == 2
    assert {one.clause: one.state.value for one in house.keeper.audit("trial").clauses}["T-41"] == "upheld"


def test_a_confirmation_is_written_in_the_language_in_which_one_agreed(house: Served) -> None:
    korean, english = house.persons["stayer"], house.persons["asker"]
    house.keeper.consent(korean, "medium/email", channel="website", shown=Shown("이메일로 소식을 받습니다.", "ko"))
    house.keeper.consent(english, "medium/email", channel="website", shown=Shown("News by e-mail.", "en"))
    confirm_consents(house.keeper)
    (first,), (second,) = told(house, korean), told(house, english)
    assert (letter_of(house, first).locale, letter_of(house, second).locale) == ("ko", "en")
    assert "동의" in letter_of(house, first).text


def test_who_could_not_be_told_is_not_tried_every_hour_and_stays_with_the_calendar(house: Served) -> None:
    person = house.keeper.enter("trial", "member")
    house.keeper.begin(person, "membership")
    house.keeper.consent(person, "medium/email", channel="website")
    assert confirm_consents(house.keeper) == {"unreachable": 1}
    assert confirm_consents(house.keeper).total() == 0
    house.clock.set(at("2024-09-30"))
    (owed,) = owed_notices(house.keeper, "trial", "consent-confirmed")
    assert owed.subject_id == person
    (duty,) = [one for one in calendar_of(house.keeper, "trial").falls if one.duty.code == "consent-confirmed"]
    assert (duty.state.value, duty.persons) == ("late", 1)


def test_the_sweep_of_the_command_line_confirms_too(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with busy(home) as house:
        person = joined(house.keeper, "reader", offers=False)
        house.keeper.consent(person, "medium/email", channel="website")
    ran = CliRunner().invoke(app, ["sweep", "--home", str(home), "--confirm-clock"])
    assert "confirmations of advertising consent: queued 1" in ran.output, ran.output
