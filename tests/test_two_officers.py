"""Two officers at one request: nobody overwrites the other, at the pages and below them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.served import Browser, Served, served
from upheld.desk.records import recorded
from upheld.engine.acts import RequestId
from upheld.errors import InputRefused


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "home") as found:
        found.second_officer()
        yield found


def asked(house: Served, right: str = "access") -> tuple[str, RequestId]:
    person = house.persons["asker"]
    made = RequestId(house.keeper.request(person, right, channel="letter", proved=True).made or "")
    return f"/console/trial/requests/{person}/{made}", made


def answers(house: Served, request: RequestId) -> list[object]:
    found = (one.entry.fields for one in recorded(house.keeper, "trial", ["request.answered"]))
    return [one["outcome"] for one in found if one["request"] == request]


def answer(browser: Browser, there: str, outcome: str, reason: str = "") -> int:
    return browser.send(f"{there}/answer", version=browser.field("version"), outcome=outcome, reason=reason).status_code


@pytest.mark.clauses("BZ18-9.5.b", "KE22-9.5-1", "MS18-8.2-2", "NX17-3.2.c")
def test_the_second_of_two_officers_is_told_that_the_request_was_answered_meanwhile(house: Served) -> None:
    there, request = asked(house)
    first, second = house.signed_in("officer"), house.signed_in("second")
    for browser in (first, second):
        assert "Answer" in browser.get(there).text
    assert answer(first, there, "done") == 200
    assert answer(second, there, "refused", "unfounded") == 409
    assert second.page is not None
    assert "changed" in second.page.text
    assert answers(house, request) == ["done"]
    assert "Send the letter" in second.get(there).text  # and now sees what the other did


def test_a_postponement_of_one_is_not_undone_by_a_form_that_the_other_had_open(house: Served) -> None:
    there, request = asked(house)
    first, second = house.signed_in("officer"), house.signed_in("second")
    first.get(there), second.get(there)
    moved = first.send(f"{there}/postponed", version=first.field("version"), until="2024-10-01", why="law")
    assert moved.status_code == 200, moved.text
    assert answer(second, there, "done") == 409
    assert answers(house, request) == []


def test_of_many_who_answer_at_the_same_moment_one_does(house: Served) -> None:
    _, request = asked(house)
    person = house.persons["asker"]

    def said(number: int) -> str:
        outcome = "done" if number % 2 else "refused"
        try:
            house.keeper.answer(person, request, outcome, reason=None if number % 2 else "unfounded")
        except InputRefused as refusal:
            return refusal.code
        return "answered"

    with ThreadPoolExecutor(8) as pool:
        came = list(pool.map(said, range(8)))
    assert sorted(came) == ["already-answered"] * 7 + ["answered"]
    assert len(answers(house, request)) == 1
