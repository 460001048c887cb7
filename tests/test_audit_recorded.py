"""Rows that somebody deletes, changes or adds past the keeper make no promise look kept: the ledger knows better."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.audited import Audited, Life
from tests.test_audit_breaches import apart, broken, found, plant, plant_apart, smuggle, subscriber
from upheld.keeper.agreeing import AS_RECORDED, deviations
from upheld.keeper.checking import House
from upheld.ledger.report import State
from upheld.store import history


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Audited]:
    """Subscribers of bizmeka."""
    made = Audited("bizmeka-ez-2018", tmp_path / "home")
    yield made
    made.keeper.close()


def otherwise(house: Audited) -> set[tuple[str, str]]:
    """What is not as recorded: what, and of which table."""
    house.keeper.seal()
    line = house.keeper.views.line(house.policy)
    told = deviations(House(house.keeper.places, line, house.clock.now())).values()
    return {(one.what, one.key.partition("/")[0]) for one in told}


def lived(house: Audited) -> Life:
    """A home in which everything that leaves a row was done once."""
    house.contract_all()
    life = apart(house)
    house.provide_all()
    house.entrust_all()
    asked = house.keeper.request(life.subject, "access", channel="website", proved=True)
    assert asked.made is not None
    house.wait(1)
    return life


def test_a_house_that_lived_by_its_policy_holds_what_the_ledger_has_and_nothing_beside_it(house: Audited) -> None:
    lived(house)
    assert otherwise(house) == set()
    house.audit()
    assert AS_RECORDED in {one.entry.fields.get("control") for one in _checks(house)}


def _checks(house: Audited) -> list[history.Recorded]:
    return list(history.entries(house.keeper.places.sealer.connection, kinds=["control.evidenced"]))


PAST_THE_KEEPER = {
    "a record that a law or dispute wants is gone": (
        "separated", "DELETE FROM value", "record-missing", "value"),
    "a value is gone": (
        "active", "DELETE FROM value WHERE state = 'held'", "record-missing", "value"),
    "a value is marked destroyed that nobody destroyed": (
        "active", "UPDATE value SET state = 'destroyed', sealed = NULL, key_id = NULL WHERE state = 'held'",
        "record-missing", "value"),
    "keys of values in use are gone": ("keys", "DELETE FROM active_key", "key-missing", "value"),
    "keys of values kept apart are gone": ("keys", "DELETE FROM separated_key", "key-missing", "value"),
    "persons are gone": ("active", "DELETE FROM subject", "record-missing", "subject"),
    "the link to the ledger is gone": ("keys", "DELETE FROM alias", "record-missing", "subject"),
    "ends are gone": ("active", "DELETE FROM fact", "record-missing", "fact"),
    "an end came later": ("active", "UPDATE fact SET at = at + 86400000000", "record-changed", "fact"),
    "relations are gone": ("active", "DELETE FROM engagement", "record-missing", "engagement"),
    "consents are gone": ("active", "DELETE FROM consent", "record-missing", "consent"),
    "a no became a yes": ("active", "UPDATE consent SET given = 1 - given", "record-changed", "consent"),
    "requests are gone": ("active", "DELETE FROM request", "record-missing", "request"),
    "what was given away is gone": ("active", "DELETE FROM disclosure", "record-missing", "disclosure"),
    "certificates are gone": ("active", "DELETE FROM certificate", "record-missing", "certificate"),
    "a certificate was written anew": (
        "active", "UPDATE certificate SET body = ?", "record-changed", "certificate"),
    "contracts are gone": ("active", "DELETE FROM contract", "record-missing", "contract"),
    "a contract that nobody made": (
        "active", "INSERT INTO contract VALUES('bizmeka-ez', 'nobodys', 'ktis', 0, 9, '[]', 1, NULL)",
        "record-unrecorded", "contract"),
    "a role that nobody granted": (
        "active", "INSERT INTO handler VALUES('bizmeka-ez', 'nobody', 'audit', NULL, 5, 9, NULL)",
        "record-unrecorded", "handler"),
    "evidence that nobody filed": (
        "active", "INSERT INTO evidence VALUES('bizmeka-ez', 'training', 'training-inside', '', 5, 5, ?)",
        "record-unrecorded", "evidence"),
    "a host that nobody registered": (
        "active", "INSERT INTO register VALUES('bizmeka-ez', 'host', 'host-9', 5, 9)",
        "record-unrecorded", "register"),
}  # fmt: skip


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    made = Audited("bizmeka-ez-2018", tmp_path_factory.mktemp("full") / "home")
    lived(made)
    made.keeper.seal()
    yield made
    made.keeper.close()


class _Undone(Exception):
    """Nothing of the flaw stays."""


@pytest.mark.parametrize("flaw", PAST_THE_KEEPER)
def test_what_was_done_past_the_keeper_is_found_by_the_ledger(full: Audited, flaw: str) -> None:
    place, statement, what, table = PAST_THE_KEEPER[flaw]
    where = getattr(full.keeper.places, place)
    with suppress(_Undone), where.transaction() as transaction:
        assert transaction.execute(statement, (b"{}",) * statement.count("?")).rowcount != 0
        told = otherwise_inside(full)
        raise _Undone
    assert (what, table) in told
    assert otherwise(full) == set()


def otherwise_inside(full: Audited) -> set[tuple[str, str]]:
    """The same inside a transaction that is undone afterwards: nothing is sealed meanwhile."""
    line = full.keeper.views.line(full.policy)
    told = deviations(House(full.keeper.places, line, full.clock.now())).values()
    return {(one.what, one.key.partition("/")[0]) for one in told}


# ── What the report says of it ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-5.1.A")
def test_a_record_kept_apart_that_somebody_deleted_is_not_upheld_and_mended_it_is_a_gap(house: Audited) -> None:
    """No clause is upheld because nobody looked whether what it keeps is there."""
    life = apart(house)
    before = found(house, "retention.fee-dispute")
    assert before.state is State.UPHELD
    house.wait(1)
    rows = house.keeper.places.separated.connection.execute("SELECT * FROM value").fetchall()
    plant_apart(house, "DELETE FROM value")
    broken(found(house, "retention.fee-dispute"), "record-missing", 1, None, "value.separated")
    house.wait(1)
    for row in rows:
        plant_apart(house, f"INSERT INTO value VALUES({', '.join('?' * len(row))})", *row)
    house.wait(1)
    after = found(house, "retention.fee-dispute")
    assert after.state is State.UPHELD
    assert ("found-broken", AS_RECORDED) in {(gap.what, gap.detail) for gap in after.gaps}
    assert life.subject in {one for one, *_ in house.keeper.places.active.connection.execute(_SUBJECTS).fetchall()}


def test_a_withdrawal_that_somebody_deleted_breaks_the_promise_of_its_purpose(house: Audited) -> None:
    taking = next(one for one in house.takings() if ".optional." in house.plan.purposes[one[2].purpose].rule.path)
    life = house.take_up(*taking)
    purpose = taking[2].purpose
    house.wait(1)
    house.keeper.withdraw(life.subject, f"purpose/{purpose}", channel="website")
    house.wait(1)
    assert found(house, f"purposes.optional.{purpose}").state is State.UPHELD
    plant(house, "DELETE FROM consent WHERE given = 0")
    broken(found(house, f"purposes.optional.{purpose}"), "record-missing", 1, None, "consent.withdrawn")


def test_an_end_that_somebody_deleted_breaks_the_promise_of_what_ends_by_it(house: Audited) -> None:
    life = subscriber(house)
    house.leave(life)
    house.wait(1)
    plant(house, "DELETE FROM fact")
    report = found(house, "retention.fee-dispute")
    assert report.state is State.NOT_UPHELD
    assert "record-missing:fact" in report.what


def test_a_value_that_nobody_may_read_any_more_is_not_kept(house: Audited) -> None:
    life = apart(house)
    with house.keeper.places.keys.transaction() as transaction:
        assert transaction.execute("DELETE FROM separated_key").rowcount
    broken_report = found(house, "retention.fee-dispute")
    assert (broken_report.state, broken_report.persons) == (State.NOT_UPHELD, 1)
    assert "key-missing:value" in broken_report.what
    assert life.values


def test_what_is_overdue_is_found_though_every_note_of_it_was_deleted(house: Audited) -> None:
    """The report asks by no list that the sweep goes by; a sweep of everybody mends it."""
    life = subscriber(house)
    house.leave(life)
    house.wait(40)
    for table in ("anchor", "dirty"):
        with house.keeper.places.active.transaction() as transaction:
            transaction.execute(f"DELETE FROM {table}")
    passed_by = house.keeper.sweep(confirm_clock=True)
    assert (passed_by.separated, passed_by.destroyed) == (0, 0)
    late = house.audit().clause("BZ18-6.0")
    assert (late.state, late.persons) == (State.NOT_UPHELD, 1)
    assert {"destruction-overdue", "separation-overdue"} & set(late.what)
    done = house.keeper.sweep(confirm_clock=True, everybody=True)
    assert done.separated + done.destroyed > 0
    house.wait(1)
    assert house.audit().clause("BZ18-6.0").state is State.UPHELD


def test_an_entry_about_something_that_was_never_there_is_found_too(house: Audited) -> None:
    life = subscriber(house)
    smuggle(
        house, "consent.given", life, ("purposes.required.identity",), consent="c" * 20, about_kind="purpose",
        about="identity", version=house.plan.version, text=b"0" * 32, locale="ko", channel="website", by="subject",
    )  # fmt: skip
    assert otherwise(house) == {("record-missing", "consent")}


def test_a_day_under_which_the_counts_file_something_else_shows_nothing(house: Audited) -> None:
    """The counts tell where to look. Somebody who moves them into another span moves no entry."""
    subscriber(house)
    house.wait(30)
    house.keeper.seal()
    path = house.document.purposes["billing"].path
    now = house.clock.now()
    row = house.document.row(path)
    assert row is not None
    clause = row.clauses["all"][0]
    late = house.keeper.audit(house.policy, since=now, until=now + 1).clause(clause)  # type: ignore[arg-type]  # an instant
    assert not [one for one in late.evidence if one.kind == "value.collected"]
    ledger = house.keeper.places.sealer.connection
    ledger.execute("UPDATE tally SET day = day + 30")
    since = now - 5 * 86_400_000_000
    moved = house.keeper.audit(house.policy, since=since).clause(clause)  # type: ignore[arg-type]  # an instant
    assert not [one for one in moved.evidence if one.at < since]


_SUBJECTS = "SELECT subject_id FROM subject"
