"""Whoever is forgotten is tied to nothing any more: no row, byte or day of theirs is in any place of the home."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.homes import column, copied, databases, put_back
from tests.trial_home import POLICY, SWEEP_DAY, at, furnished, member, opened
from upheld.dates import moment
from upheld.engine.acts import RequestId, SubjectId
from upheld.errors import StoreFailed
from upheld.keeper import destroying
from upheld.ledger.report import State
from upheld.store import history, schema
from upheld.store.sqlite import declared_columns

OF_PERSONS = [
    (place, table, column_name)
    for place, tables in schema.PLACES.items()
    for table, column_name in sorted(each.split(".") for each in declared_columns(tables))
    if column_name in ("subject_id", "owner", "who")
]
"""Every column in which a person's id can stand."""


def everything(home: Path) -> dict[str, set[str]]:
    """Which persons stand where, by `place.table`."""
    found: dict[str, set[str]] = {}
    for place, table, name in OF_PERSONS:
        rows = column(home / f"{place}.db", f"SELECT {name} FROM {table}")
        found.setdefault(f"{place}.{table}", set()).update(rows)
    return found


def bytes_of(home: Path) -> bytes:
    """Every byte of the files of active, separated and keys, logs included."""
    names = ("active", "separated", "keys")
    return b"".join(each.read_bytes() for one in names for each in sorted(home.glob(f"{one}.db*")))


def everywhere(house_home: Path) -> SubjectId:
    """Somebody who did all that a person can do under the trial policy, and left, on the eve of being forgotten."""
    with opened(house_home, at("2020-03-01")) as house:
        keeper, clock = house.keeper, house.clock
        keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        who = member(house, "gone")
        member(house, "stays")
        clock.set(at("2020-03-05", 0))
        keeper.consent(who, "provision/mall", channel="website")
        assert keeper.provide(who, "mall", ("name",)).granted
        keeper.withdraw(who, "purpose/offers", channel="website")
        clock.set(at("2020-04-01"))
        for right in ("suspension", "rectification"):
            asked = keeper.request(who, right, channel="website", proved=True).made
            assert asked is not None
            clock.set(moment(clock.now()) + timedelta(days=1))
            keeper.answer(who, RequestId(asked), "done" if right == "rectification" else "refused", reason="contract")
        clock.set(at("2020-05-01"))
        keeper.fact(who, "closed", at=at("2020-04-20"))
        for day in ("2020-05-03", "2020-10-25", "2021-05-01", "2023-04-30"):
            clock.set(at(day))
            keeper.sweep(confirm_clock=True)
        with keeper.places.active.transaction() as transaction:
            # Somebody looked at the page of this person a moment ago, and one sign-in of theirs was left open.
            far = 1 << 61
            for statement, row in (
                (
                    "INSERT INTO session(digest, policy, kind, who, began_at, seen_at, until_at, proved) "
                    "VALUES(?, 'trial', 'person', ?, 0, 0, ?, '[]')",
                    (b"s", who, far),
                ),
                ("INSERT INTO session_look VALUES(?, ?, ?)", (b"s", who, far)),
                ("INSERT INTO sign_in_code VALUES(?, 'trial', ?, 'email', ?, ?, 0)", (b"c", who, b"c", far)),
                ("INSERT INTO invitation VALUES(?, 'trial', ?, 'subject', ?)", (b"l", who, far)),
            ):
                transaction.execute(statement, row)
    return who


@pytest.fixture
def forgotten(tmp_path: Path) -> tuple[Path, SubjectId, str]:
    home = tmp_path / "home"
    who = everywhere(home)
    with opened(home, at("2024-09-05")) as house:
        alias = house.keeper.views.alias(who)
        assert any(who in persons for persons in everything(home).values())
        assert house.keeper.sweep(confirm_clock=True).forgotten == 1
    return home, who, alias


def test_of_a_forgotten_person_no_id_stands_in_any_table_not_even_beside_a_day(
    forgotten: tuple[Path, SubjectId, str],
) -> None:
    home, who, _ = forgotten
    assert {where for where, persons in everything(home).items() if who in persons} == set()
    known = set(column(home / "active.db", "SELECT subject_id FROM subject"))
    assert len(known) == 1
    assert set(column(home / "active.db", "SELECT subject_id FROM anchor")) == known


def test_of_a_forgotten_person_no_file_has_the_id_and_none_but_the_ledger_what_its_entries_name(
    forgotten: tuple[Path, SubjectId, str],
) -> None:
    home, who, alias = forgotten
    if databases(home):
        return  # the files of a server are the matter of test_beyond_recovery
    held = bytes_of(home)
    assert who.encode() not in held
    with history.reading(home / "ledger.db") as connection:
        about = [one.entry for one in history.entries_about(connection, alias)]
    named = {
        each
        for one in about
        for value in one.fields.values()
        for each in (value if isinstance(value, tuple) else (value,))
        if isinstance(each, str) and len(each) == 20 and each.isalnum()
    }
    assert len(named) > 5
    assert [one for one in sorted(named) if one.encode() in held] == []


@pytest.mark.parametrize("places", [("active",), ("active", "keys")], ids=str)
def test_a_copy_put_back_does_not_bring_back_the_days_of_whoever_was_forgotten(
    tmp_path: Path, places: tuple[str, ...]
) -> None:
    home = tmp_path / "home"
    gone = furnished(home)["gone"]
    with opened(home) as house:
        house.keeper.seal()
    copied(home, tmp_path / "before")
    with opened(home, SWEEP_DAY) as house:
        assert house.keeper.sweep().forgotten == 1
    put_back(home, tmp_path / "before", *places)
    with opened(home) as house:
        house.keeper.recover()
    assert {where for where, persons in everything(home).items() if gone in persons} == set()


def test_days_of_nobody_are_found_by_the_report_and_go_with_the_next_recovery(tmp_path: Path) -> None:
    """A home of a version that left them behind."""
    home = tmp_path / "home"
    furnished(home)
    with opened(home) as house:
        with house.keeper.places.active.transaction() as transaction:
            transaction.execute("INSERT INTO anchor VALUES('trial', 'closed', 737000, 1, 'nobodynobodynobodyno')")
        report = house.keeper.audit("trial").clause("T-6")
        assert report.state is State.NOT_UPHELD
        assert any(one.startswith("left-over:anchor") for one in report.what)
        house.keeper.recover()
        assert "nobodynobodynobodyno" not in everything(home)["active.anchor"]
        later = house.keeper.audit("trial").clause("T-6")
        assert not any(one.startswith("left-over") for one in later.what)


def test_nobody_is_forgotten_while_a_request_of_theirs_has_no_answer(tmp_path: Path) -> None:
    with opened(tmp_path / "home", at("2020-03-01")) as house:
        keeper = house.keeper
        keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        who = keeper.enter("trial", "member")
        asked = keeper.request(who, "access", channel="website", proved=True).made
        assert asked is not None
        house.clock.set(at("2024-03-01"))
        assert keeper.sweep(confirm_clock=True).forgotten == 0
        keeper.answer(who, RequestId(asked), "nothing-held", reason="unknown")
        house.clock.set(at("2027-04-01"))
        assert keeper.sweep(confirm_clock=True).forgotten == 1


def test_nothing_is_certified_while_the_place_apart_still_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A delete that deletes nothing, as a trigger or a lying disk would have it."""
    home = tmp_path / "home"
    furnished(home)
    deletes = "_DELETE_SEPARATED"
    monkeypatch.setattr(destroying, deletes, f"{getattr(destroying, deletes)} AND 1 = 0")
    with opened(home, SWEEP_DAY) as house, pytest.raises(StoreFailed, match="nothing was certified"):
        house.keeper.sweep()
    assert column(home / "active.db", "SELECT certificate_id FROM certificate") == []
