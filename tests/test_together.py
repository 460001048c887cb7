"""Several verbs as one piece of work: one commit with whatever else waits, each whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.trial_home import POLICY, House, at, member, opened, proved
from upheld.engine.acts import SubjectId
from upheld.errors import InputRefused
from upheld.keeper.outcome import Outcome
from upheld.store.place import Transaction

NOW = at("2024-09-05")


class Broken(Exception):
    """Something goes wrong after the verbs."""


def at_once(
    house: House, works: list[Callable[[], object]], monkeypatch: pytest.MonkeyPatch
) -> tuple[list[object], int]:
    """What each gave or raised, all having waited for one that was before them; and how many commits that took."""
    place = house.keeper.places.active
    came, go = Event(), Event()
    commits: list[Transaction] = []
    found: list[object] = [None] * len(works)
    committed = place._commit

    def first(_: Transaction) -> None:
        came.set()
        assert go.wait(30)

    def work(number: int) -> None:
        try:
            found[number] = works[number]()
        except Exception as failure:  # noqa: BLE001 - looked at by the test
            found[number] = failure

    def commit(transaction: Transaction) -> None:
        commits.append(transaction)
        committed(transaction)

    monkeypatch.setattr(place, "_commit", commit)
    threads = [Thread(target=place.submit, args=(first,), kwargs={"about": ()})]
    threads[0].start()
    assert came.wait(30)
    threads += [Thread(target=work, args=(number,)) for number in range(len(works))]
    for thread in threads[1:]:
        thread.start()
    while len(place._waiting) < len(works):
        pass
    go.set()
    for thread in threads:
        thread.join()
    return found, len(commits) - 1


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with opened(tmp_path / "home", NOW) as house:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        for who in ("one", "two", "three", "four"):
            member(house, who)
        (tmp_path / "persons").write_text(" ".join(house.persons.values()))
    return tmp_path


def changed(house: House, person: SubjectId, *, breaks: bool = False) -> Callable[[], object]:
    keeper = house.keeper

    def verbs() -> list[Outcome]:
        done = [
            keeper.withdraw(person, "purpose/offers", channel="website"),
            keeper.collect(person, "service", {"email": f"{person}@example.org"}),
        ]
        if breaks:
            raise Broken
        return done

    return lambda: keeper.together(verbs, about=(person,))


def test_what_waits_is_one_commit_and_one_that_fails_takes_nothing_along(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    persons = [SubjectId(one) for one in (home / "persons").read_text().split()]
    with opened(home / "home", NOW) as house:
        keeper = house.keeper
        works = [changed(house, person, breaks=number == 2) for number, person in enumerate(persons)]
        found, commits = at_once(house, works, monkeypatch)
        assert commits == 1
        assert isinstance(found[2], Broken)
        for number in (0, 1, 3):
            assert all(one.granted for one in found[number])  # type: ignore[attr-defined]  # a list of outcomes
        monkeypatch.undo()
        reader = keeper.application("desk")
        for number, person in enumerate(persons):
            assert keeper.consents(person)["purpose/offers"] == ("given" if number == 2 else "withdrawn")
            looked = keeper.lookup("trial", "email", f"{person}@example.org", reader=reader, reason="asked")
            assert looked == (() if number == 2 else (person,))
        assert keeper.withdraw(persons[2], "purpose/offers", channel="website").granted
        keeper.seal()
        proved(home / "home", keeper)


def test_nothing_is_released_inside(home: Path) -> None:
    person = SubjectId((home / "persons").read_text().split()[0])
    with opened(home / "home", NOW) as house:
        keeper = house.keeper
        with pytest.raises(InputRefused, match="outside the batch"):
            keeper.together(
                lambda: keeper.read(person, "service", reader=keeper.application("desk"), items=("name",)),
                about=(person,),
            )


def test_work_that_turns_out_to_be_about_somebody_else_is_still_whole(home: Path) -> None:
    one, other, *_ = (SubjectId(each) for each in (home / "persons").read_text().split())
    with opened(home / "home", NOW) as house:
        keeper = house.keeper
        done = keeper.together(
            lambda: [keeper.withdraw(each, "purpose/offers", channel="website") for each in (one, other)], about=(one,)
        )
        assert [each.granted for each in done] == [True, True]
        assert {keeper.consents(each)["purpose/offers"] for each in (one, other)} == {"withdrawn"}


def test_what_was_undone_is_seen_by_nobody(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes next in the same commit decides on what stands, not on what was taken back a moment ago."""
    person = SubjectId((home / "persons").read_text().split()[0])
    with opened(home / "home", NOW) as house:
        keeper = house.keeper

        def phone() -> object:
            return keeper.together(
                lambda: keeper.collect(person, "offers", {"phone": "a new number"}), about=(person,)
            ).granted

        found, commits = at_once(house, [changed(house, person, breaks=True), phone, phone], monkeypatch)
        assert commits == 1
        assert isinstance(found[0], Broken)
        assert found[1:] == [True, True]
