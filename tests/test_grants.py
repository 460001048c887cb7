"""Roles of least privilege on PostgreSQL: each task works under its own role, and no role does another's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

import upheld
from tests import postgres
from tests.homes import databases
from tests.test_beyond_recovery import rewriting
from tests.test_tail import PacedClock
from tests.trial_home import SWEEP_DAY, furnished, member, opened, proved
from upheld import cli, rotating, system
from upheld.dates import Period
from upheld.desk.records import recorded
from upheld.engine.acts import Reader, ReaderKind, SubjectId
from upheld.errors import NotRecorded
from upheld.store import grants
from upheld.store.history import size_of
from upheld.store.scrubbing import ERASED
from upheld.store.tail import SECONDS
from upheld.store.verifying import verify_copy
from upheld.web import doctor, doctor_servers

FORBIDDEN = [
    (grants.SERVICE, "DELETE FROM active.journal"),
    (grants.SERVICE, "UPDATE active.journal SET body = ''"),
    (grants.SERVICE, "SELECT wrapped FROM keys.separated_key"),
    (grants.SERVICE, "DELETE FROM keys.active_key"),
    (grants.SERVICE, "SELECT sealed FROM separated.value"),
    (grants.SERVICE, "INSERT INTO ledger.meta(key, value) VALUES('x', 'y')"),
    (grants.SERVICE, "CREATE TABLE active.own(id INTEGER)"),
    (grants.ANSWERING, "DELETE FROM separated.value"),
    (grants.ANSWERING, "DELETE FROM keys.separated_key"),
    (grants.SWEEPER, "UPDATE keys.journal SET body = ''"),
    (grants.SWEEPER, "DELETE FROM ledger.body"),
    (grants.SEALER, "DELETE FROM ledger.body"),
    (grants.SEALER, "DELETE FROM ledger.checkpoint"),
    (grants.SEALER, "SELECT wrapped FROM keys.active_key"),
    (grants.SEALER, "SELECT sealed FROM active.value"),
    (grants.PRUNER, "DELETE FROM ledger.batch"),
    (grants.PRUNER, "SELECT sealed FROM active.value"),
    (grants.AUDITOR, "SELECT subject_id FROM active.subject"),
    (grants.AUDITOR, "SELECT alias FROM keys.alias"),
    (grants.AUDITOR, "INSERT INTO ledger.meta(key, value) VALUES('x', 'y')"),
]


@pytest.fixture(scope="module")
def granted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, SubjectId]]]:
    """A home with its roles, and for each role a user `test_<role>` who may log in."""
    home = tmp_path_factory.mktemp("granted") / "home"
    with postgres.server() as address, postgres.homes_on(address):
        persons = furnished(home)
        told = CliRunner().invoke(cli.app, ["grants", "--home", str(home)])
        assert told.exit_code == 0, told.output
        with psycopg.connect(databases(home)["active"], autocommit=True) as owner:
            owner.execute(told.stdout.encode())
            for role in grants.ROLES:
                owner.execute(f"CREATE ROLE test_{role} LOGIN IN ROLE {role}".encode())
        yield home, persons


def as_role(home: Path, role: str, patch: pytest.MonkeyPatch) -> None:
    """From now on this process is that user: an address without a user takes it from the environment."""
    text = (home / "home.json").read_text()
    (home / "home.json").write_text(text.replace(" user=postgres", ""))
    patch.setenv("PGUSER", f"test_{role}")


@pytest.mark.parametrize(("role", "statement"), FORBIDDEN, ids=[f"{role}: {text}" for role, text in FORBIDDEN])
def test_a_role_is_refused_what_is_not_its_task(
    granted: tuple[Path, dict[str, SubjectId]], role: str, statement: str
) -> None:
    address = databases(granted[0])["active"].replace(" user=postgres", "")
    with (
        psycopg.connect(f"{address} user=test_{role}") as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


def test_the_service_serves_and_the_sweeper_destroys_each_under_its_own_role(
    granted: tuple[Path, dict[str, SubjectId]], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, persons = granted
    as_role(home, grants.SERVICE, monkeypatch)
    with opened(home) as house:
        keeper, desk = house.keeper, house.keeper.application("desk")
        person = keeper.enter("trial", "member")
        assert keeper.begin(person, "membership").granted
        assert keeper.collect(person, "service", {"name": "made up", "email": "up@example.org"}).granted
        keeper.consent(person, "purpose/offers", channel="website")
        keeper.withdraw(person, "purpose/offers", channel="website")
        read = keeper.read(person, "service", reader=desk, items=("name",))
        assert read.text("name") == "made up"
        found = keeper.lookup("trial", "email", "up@example.org", reader=desk, reason="desk")
        assert len(found) == 1
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            keeper.sweep()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            keeper.seal()
    as_role(home, grants.SWEEPER, monkeypatch)
    with opened(home, SWEEP_DAY) as house:
        rewriting(house, small=0)  # dead keys are remembered and the tables written anew, as of large ones
        swept = house.keeper.sweep()
        assert (swept.separated, swept.destroyed, swept.forgotten) == (2, 4, 1)
        assert house.keeper.places.keys.to_write_anew(early=True)
        assert not house.keeper.sweep(rewrite=True).waiting
        assert not house.keeper.places.keys.to_write_anew(early=True)
        proved(home, house.keeper)
        assert all(one.keys or one.store == "journals" for one in rotating.rotate_roots(home, house.keeper))
        proved(home, house.keeper)
    as_role(home, grants.SERVICE, monkeypatch)
    with opened(home, SWEEP_DAY) as house:
        seen = house.keeper.read(person, "service", reader=house.keeper.application("desk"), items=("name",))
        assert seen.text("name") == "made up"
        with pytest.raises(NotRecorded, match="permission denied"):
            list(rotating.rotate_roots(home, house.keeper))
    as_role(home, grants.AUDITOR, monkeypatch)
    with system.ledger_of(home) as ledger:
        assert verify_copy(ledger).ok
    assert persons


RIGHTS = {
    "SELECT": "SELECT 1 FROM {table} LIMIT 0",
    "INSERT": "INSERT INTO {table}({column}) SELECT NULL WHERE false",
    "UPDATE": "UPDATE {table} SET {column} = NULL WHERE false",
    "DELETE": "DELETE FROM {table} WHERE false",
    "TRUNCATE": "TRUNCATE {table}",
}
"""Right → a statement that asks for it and for no other; none is committed."""
JOURNALS = frozenset({"journal", "stream_head", "meta"})


def owed(role: str, place: str, table: str) -> str:
    """What a role may do with a table, as the guide says it (docs/operating.md): letters of `RIGHTS`. Written without
    the module that grants.
    """
    serves = role in (grants.SERVICE, grants.ANSWERING)
    seals = role in (grants.SEALER, grants.SWEEPER, grants.PRUNER)
    if place == "ledger":
        adds = "SELECT INSERT UPDATE" if seals else "SELECT"
        pruned = role == grants.PRUNER and table in ("body", "entry_index", "named_in")
        return f"{adds} DELETE" if pruned else adds
    if role == grants.AUDITOR:
        return ""
    if table in JOURNALS:
        if serves:
            return "SELECT INSERT" if table == "journal" else "SELECT"
        inserts = "" if table == "journal" and role != grants.SWEEPER else " INSERT"
        return f"SELECT{inserts} DELETE" if table == "journal" else "SELECT INSERT UPDATE DELETE"
    if role == grants.SWEEPER:
        everything = "SELECT INSERT UPDATE DELETE"
        return f"{everything} TRUNCATE" if table in ERASED[place] else everything
    if role == grants.PRUNER and place == "active":
        documents = ("guard", "policy_version", "policy_draft", "contract", "controller_fact")
        return "SELECT" if table in documents else ""
    if not serves:
        return ""
    if place == "active":
        return "SELECT INSERT UPDATE DELETE"
    if place == "separated":
        return "SELECT" if role == grants.ANSWERING else ""
    ours = {"active_key": "SELECT INSERT", "paper_key": "SELECT INSERT UPDATE DELETE",
            "token": "SELECT INSERT DELETE", "alias": "SELECT INSERT DELETE", "key_ring": "SELECT",
            "root_key": "SELECT"}  # fmt: skip
    return ours.get(table, "SELECT" if role == grants.ANSWERING else "")


@pytest.mark.parametrize("role", grants.ROLES)
def test_each_role_may_do_its_task_with_every_table_and_nothing_else(
    granted: tuple[Path, dict[str, SubjectId]], role: str
) -> None:
    known = databases(granted[0])
    tried = 0
    for place, database in known.items():
        address = database.replace(" user=postgres", "")
        with psycopg.connect(f"{address} user=postgres") as owner:
            found = owner.execute(_TABLES, (place,)).fetchall()
        with psycopg.connect(f"{address} user=test_{role}", autocommit=True) as connection:
            for table, column in found:
                may = {right for right in RIGHTS if allowed(connection, right, f"{place}.{table}", column)}
                assert may == set(owed(role, place, table).split()), f"{place}.{table}"
                tried += len(RIGHTS)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"CREATE TABLE {place}.own(id INTEGER)".encode())
    assert tried > 400


_TABLES = (
    "SELECT table_name, min(column_name) FROM information_schema.columns "
    "WHERE table_schema = %s AND table_name <> 'alembic_version' GROUP BY table_name ORDER BY table_name"
)


def allowed(connection: psycopg.Connection[object], right: str, table: str, column: str) -> bool:
    """Whether the server does it; whatever it did is taken back."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(RIGHTS[right].format(table=table, column=column).encode())
    except psycopg.errors.InsufficientPrivilege:
        return False
    except psycopg.errors.FeatureNotSupported:
        return True  # refused for a tie between tables, which is looked at after the right
    return True


def test_who_seals_prunes_or_answers_does_that_under_their_own_role_and_no_more(
    granted: tuple[Path, dict[str, SubjectId]], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, persons = granted
    as_role(home, grants.SWEEPER, monkeypatch)
    with opened(home) as house:
        house.keeper.sweep()  # which moves something to where only those who answer look
    as_role(home, grants.ANSWERING, monkeypatch)
    lawyer = Reader(ReaderKind.HANDLER, "lawyer", duties=frozenset({"separated"}))
    with opened(home) as house:
        seen = house.keeper.read_separated(persons["leaver"], "retention.disputes", reader=lawyer)
        assert seen.granted, seen.reasons
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            house.keeper.seal()
    as_role(home, grants.SERVICE, monkeypatch)
    with opened(home) as house, pytest.raises(psycopg.errors.InsufficientPrivilege):
        house.keeper.read_separated(persons["leaver"], "retention.disputes", reader=lawyer)
    as_role(home, grants.SEALER, monkeypatch)
    with opened(home) as house:
        assert house.keeper.seal().batches
    as_role(home, grants.PRUNER, monkeypatch)
    with opened(home, SWEEP_DAY + timedelta(days=3)) as house:
        assert house.keeper.prune("trial", kept_for=Period.parse("P1D")) > 0


def test_who_serves_and_may_not_seal_goes_on_after_a_minute_and_sees_the_report(
    granted: tuple[Path, dict[str, SubjectId]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the guide sets it up: one user of the database serves, another seals each minute."""
    home, _ = granted
    as_role(home, grants.SWEEPER, monkeypatch)
    with opened(home, SWEEP_DAY) as house:
        person = member(house, "served")
        house.keeper.seal()
        sealed = size_of(house.keeper.places.sealer.connection)
    as_role(home, grants.ANSWERING, monkeypatch)
    clock = PacedClock(SWEEP_DAY)
    with upheld.open(home, upheld.Options(clock=clock, light_hashing=True)) as keeper:
        for _ in range(2):
            assert keeper.withdraw(person, "purpose/offers", channel="website").granted
            clock.passed += SECONDS + 1
            assert keeper.consent(person, "purpose/offers", channel="website").granted
        assert size_of(keeper.places.sealer.connection) == sealed
        served = {one.clause: one.state for one in keeper.audit("trial").clauses}
        assert recorded(keeper, "trial", ["consent.given"])
    as_role(home, grants.SWEEPER, monkeypatch)
    with upheld.open(home, upheld.Options(clock=clock, light_hashing=True)) as keeper:
        assert {one.clause: one.state for one in keeper.audit("trial").clauses} == served


def test_a_home_on_files_has_no_roles(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert CliRunner().invoke(cli.app, ["init", "--home", str(home)]).exit_code == 0
    told = CliRunner().invoke(cli.app, ["grants", "--home", str(home)])
    assert told.exit_code != 0


def test_the_doctor_names_rights_that_no_task_needs(
    granted: tuple[Path, dict[str, SubjectId]], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, _ = granted
    monkeypatch.setenv("PGUSER", "postgres")
    address = databases(home)["keys"]

    def wide() -> list[str]:
        return [one.says for one in doctor.examined(home) if one.what == "grants" and not one.holds]

    assert wide() == []
    with psycopg.connect(address, autocommit=True) as owner:
        owner.execute(f"GRANT SELECT ON keys.separated_key TO {grants.SERVICE}".encode())
        owner.execute(b"GRANT UPDATE ON ledger.batch TO PUBLIC")
    assert wide() == [
        f"`keys`: {grants.SERVICE} may SELECT separated_key",
        "`ledger`: PUBLIC may UPDATE batch",
    ]
    with psycopg.connect(address, autocommit=True) as owner:
        owner.execute(f"REVOKE SELECT ON keys.separated_key FROM {grants.SERVICE}".encode())
        owner.execute(b"REVOKE UPDATE ON ledger.batch FROM PUBLIC")


def test_the_doctor_names_a_server_that_forgets_or_whose_clock_is_wrong(
    granted: tuple[Path, dict[str, SubjectId]], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, _ = granted
    monkeypatch.setenv("PGUSER", "postgres")
    found = {(one.what, one.holds) for one in doctor.examined(home)}
    assert ("durability", False) in found, "the servers of tests do not wait for the disk"
    assert ("clock", True) in found
    monkeypatch.setattr(doctor_servers, "CLOCKS_APART", -1)
    assert ("clock", False) in {(one.what, one.holds) for one in doctor.examined(home)}


def test_the_doctor_says_which_places_lie_beside_each_other() -> None:
    apart = {"active": "host=a dbname=x", "keys": "postgresql://b/x", "ledger": "host=a dbname=y"}
    said = doctor._apart(apart)
    assert said.holds
    assert said.says == "on the host of the active place: ledger"
    assert doctor._apart({"active": "host=a", "keys": "host=b", "ledger": "host=c"}).remedy == ""
