"""Programs of the house: secrets, duties, what the ledger knows of them, what a restored copy does with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import upheld
from tests.homes import copied, put_back
from tests.trial_home import POLICY, at
from upheld.cli import app
from upheld.desk.tokens import LIVES_SECONDS, caller_of, open_token
from upheld.errors import InputRefused
from upheld.keeper import Keeper
from upheld.keeper.applications import Duty
from upheld.store import history

NOON = at("2024-06-01", 12)


def opened(home: Path, clock: upheld.SetClock) -> Keeper:
    return upheld.open(home, upheld.Options(clock=clock, light_hashing=True))


@pytest.fixture
def clock() -> upheld.SetClock:
    return upheld.SetClock(NOON)


@pytest.fixture
def keeper(tmp_path: Path, clock: upheld.SetClock) -> Iterator[Keeper]:
    with opened(tmp_path / "home", clock) as keeper:
        keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        yield keeper


def test_a_program_is_known_by_its_id_and_secret(keeper: Keeper) -> None:
    made, secret = keeper.open_application("trial", "billing", purposes=["service"], duties=[Duty.READ])
    assert keeper.application_of(made.application_id, secret) == made
    assert keeper.application_of(made.application_id, secret + "x") is None
    assert keeper.application_of("a" * 20, secret) is None


def test_a_changed_secret_leaves_the_one_before_it_good_until_the_next_change(
    keeper: Keeper, clock: upheld.SetClock
) -> None:
    made, first = keeper.open_application("trial", "billing", duties=[Duty.READ])
    clock.set(at("2024-06-02"))
    second = keeper.rotate_application("trial", "billing")
    assert all(keeper.application_of(made.application_id, one) == made for one in (first, second))
    clock.set(at("2024-06-03"))
    third = keeper.rotate_application("trial", "billing")
    assert [keeper.application_of(made.application_id, one) for one in (first, second, third)] == [None, made, made]


def test_a_token_ends_after_its_time_and_with_its_program(keeper: Keeper, clock: upheld.SetClock) -> None:
    made, _ = keeper.open_application("trial", "billing", duties=[Duty.READ, Duty.FACTS])
    token = open_token(keeper, made, [Duty.READ, Duty.PUBLISH])
    caller = caller_of(keeper, token)
    assert caller is not None
    assert caller.duties == {Duty.READ}
    clock.set(keeper.now() + LIVES_SECONDS * 1_000_000)
    assert caller_of(keeper, token) is None
    fresh = open_token(keeper, made, Duty)
    keeper.close_application("trial", "billing")
    assert caller_of(keeper, fresh) is None
    assert keeper.applications("trial") == []


@pytest.mark.parametrize(
    ("name", "purposes", "duties", "code"),
    [
        ("Billing!", [], [Duty.READ], "name-unusable"),
        ("billing", ["nothing"], [Duty.READ], "purpose-undeclared"),
        ("billing", [], [], "duty-missing"),
        ("taken", [], [Duty.READ], "name-taken"),
    ],
)
def test_a_program_that_cannot_be_opened_says_why(
    keeper: Keeper, name: str, purposes: list[str], duties: list[Duty], code: str
) -> None:
    keeper.open_application("trial", "taken", duties=[Duty.READ])
    with pytest.raises(InputRefused) as refusal:
        keeper.open_application("trial", name, purposes=purposes, duties=duties)
    assert refusal.value.code == code


def test_the_ledger_knows_every_grant_and_no_secret(keeper: Keeper, tmp_path: Path) -> None:
    made, secret = keeper.open_application("trial", "billing", purposes=["service"], duties=[Duty.READ])
    keeper.rotate_application("trial", "billing")
    keeper.close_application("trial", "billing")
    keeper.seal()
    entries = [one.entry for one in history.entries(keeper.places.sealer.connection)]
    ours = [one for one in entries if one.kind.startswith("application.")]
    assert [one.kind for one in ours] == ["application.opened", "application.rotated", "application.closed"]
    assert tuple(ours[0].fields["duties"]) == ("read",)  # type: ignore[arg-type]  # a field of codes
    assert {one.fields["application"] for one in ours} == {made.application_id}
    lying = [path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert not any(secret.encode() in content for content in lying)


def test_a_restored_copy_knows_who_was_opened_and_closed_since(tmp_path: Path, clock: upheld.SetClock) -> None:
    home = tmp_path / "home"
    with opened(home, clock) as keeper:
        keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        old, old_secret = keeper.open_application("trial", "old", duties=[Duty.READ])
        keeper.seal()
    kept = copied(home, tmp_path / "kept")
    with opened(home, clock) as keeper:
        keeper.close_application("trial", "old")
        new, _ = keeper.open_application("trial", "new", purposes=["service"], duties=[Duty.FACTS])
        clock.set(at("2024-06-04"))
        rotated = keeper.rotate_application("trial", "new")
        keeper.seal()
    put_back(home, kept, "active", "separated", "keys")
    with opened(home, clock) as keeper:
        keeper.recover()
        assert keeper.applications("trial") == [new]
        assert keeper.application_of(old.application_id, old_secret) is None
        assert keeper.application_of(new.application_id, rotated) == new


def test_programs_are_opened_changed_listed_and_closed_on_the_command_line(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with upheld.open(home, upheld.Options(light_hashing=True)) as keeper:
        keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")

    def ran(*words: str) -> str:
        result = CliRunner().invoke(app, ["application", *words, "--home", str(home), "--policy", "trial"])
        assert result.exit_code == 0, result.output
        return result.output

    assert "client secret" in ran("add", "--name", "billing", "--duty", "read", "--purpose", "service")
    assert "billing  read  for service" in ran("list")
    assert "client secret" in ran("rotate", "--name", "billing")
    assert "closed" in ran("close", "--name", "billing")
    assert ran("list") == ""
