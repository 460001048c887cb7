"""A counsellor records a consent heard, or come by letter: the script is the policy's, the evidence is kept."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.served import Browser, Served, served, text_of

PAGE = "/console/trial/people/{}/consent"
LETTER = b"%PDF-1.7 a made-up signed form"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "home") as found:
        yield found


def looked_up(house: Served, who: str = "asker", name: str = "handler") -> tuple[Browser, str]:
    """Somebody at the desk who has looked this person up; the person took offers back before."""
    person = house.persons[who]
    house.keeper.withdraw(person, "purpose/offers", channel="website")
    browser = house.signed_in(name)
    browser.get("/console/trial/people")
    browser.send("/console/trial/people", item="email", text=text_of(who, "email"), reason="inquiry")
    there = PAGE.format(person)
    assert browser.get(there, channel="letter").status_code == 200
    return browser, there


def hidden(browser: Browser, about: str) -> dict[str, str]:
    assert browser.page is not None
    found = re.search(rf'name="shown {about}" value="([0-9a-f]{{64}})"', browser.page.text)
    assert found
    return {f"shown {about}": found[1], "agree": about, "channel": "letter"}


@pytest.mark.clauses("MS18-4.2.b-1", "MS18-4.2.b-2")
def test_what_was_read_out_is_recorded_with_its_channel_and_its_evidence(house: Served) -> None:
    browser, there = looked_up(house)
    assert browser.page is not None
    script = html.unescape(re.findall(r'id="text-purpose-offers">(.*?)</p>', browser.page.text, re.S)[0])
    done = browser.send(there, **hidden(browser, "purpose/offers"), reference="recording 2024-17")
    assert done.url.path.endswith(house.persons["asker"])
    person = house.persons["asker"]
    consents = house.keeper.views.get(person, house.keeper.now()).state.consents
    one = max(consents, key=lambda each: each.at)
    assert (str(one.about), one.given, one.channel, one.by) == ("purpose/offers", True, "letter", "subject")
    (paper,) = house.keeper.papers("trial", owner=person, kind="consent-evidence")
    assert paper.about == one.consent_id
    assert house.keeper.paper("trial", paper.paper_id) == b"recording 2024-17"
    with house.keeper.places.active.reading() as connection:
        texts = [row[0] for row in connection.execute("SELECT text FROM shown_text").fetchall()]
    assert script in texts


@pytest.mark.clauses("MS18-4.2.e")
def test_a_letter_is_filed_as_it_came(house: Served) -> None:
    browser, there = looked_up(house)
    browser.send_files(there, {"evidence": LETTER}, **hidden(browser, "purpose/offers"))
    (paper,) = house.keeper.papers("trial", owner=house.persons["asker"], kind="consent-evidence")
    assert house.keeper.paper("trial", paper.paper_id) == LETTER


@pytest.mark.parametrize("sent", [{}, {"reference": "  "}])
def test_nothing_is_recorded_without_evidence(house: Served, sent: dict[str, str]) -> None:
    browser, there = looked_up(house)
    page = browser.send(there, **hidden(browser, "purpose/offers"), **sent)
    assert page.status_code == 400
    assert house.keeper.consents(house.persons["asker"])["purpose/offers"] == "withdrawn"


def test_a_file_that_is_no_document_is_refused_before_anything_is_recorded(house: Served) -> None:
    browser, there = looked_up(house)
    page = browser.send_files(there, {"evidence": b"MZ made-up program"}, **hidden(browser, "purpose/offers"))
    assert page.status_code == 400
    assert house.keeper.consents(house.persons["asker"])["purpose/offers"] == "withdrawn"
    assert house.keeper.papers("trial", owner=house.persons["asker"], kind="consent-evidence") == []


@pytest.mark.clauses("BZ18-9.2.c", "KE22-9.2-2")
def test_what_was_taken_back_on_the_telephone_is_recorded_as_easily(house: Served) -> None:
    browser, there = looked_up(house, "stayer")
    assert browser.page is not None
    assert "Takes back: Giving data to Mall Ltd." in browser.page.text
    browser.send(there, channel="letter", withdraw="provision/mall", reference="recording 2024-18")
    assert house.keeper.consents(house.persons["stayer"])["provision/mall"] == "withdrawn"


def test_a_counsellor_who_has_not_looked_the_person_up_records_nothing(house: Served) -> None:
    browser = house.signed_in("counsel")
    page = browser.get(PAGE.format(house.persons["asker"]))
    assert page.status_code == 403
    assert "Look this person up first" in page.text
