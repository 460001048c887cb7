"""The root of look-up tokens is rotated: whoever is looked up is found all the time, and the old root is of no use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import upheld
from tests import postgres, served, trial_home
from tests.homes import column, copied, put_back
from tests.rotating_child import WHEN
from tests.test_crash import crashes_of
from tests.trial_home import opened, text_of
from upheld import cli, rotating
from upheld.desk.adverts import refusal_token, refuses
from upheld.engine.acts import Reader, ReaderKind, SubjectId
from upheld.keeper import Keeper
from upheld.keeper.tokens_anew import make_tokens_anew
from upheld.store import history
from upheld.store.ring import derived, fingerprint
from upheld.store.token_roots import FIRST, marked
from upheld.store.token_rotation import TokenRotation, store_of
from upheld.store.vault import Tier
from upheld.web.doctor import examined
from upheld.web.doctor_servers import Finding

READER = Reader(ReaderKind.APPLICATION, "desk")
Persons = dict[str, SubjectId]


@pytest.fixture(scope="module")
def eve(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Persons]:
    """A home in which much is due, with tokens in both tiers."""
    home = tmp_path_factory.mktemp("eve") / "home"
    return home, trial_home.furnished(home)


@pytest.fixture
def home(eve: tuple[Path, Persons], tmp_path: Path) -> Path:
    return copied(eve[0], tmp_path / "home")


@pytest.fixture
def persons(eve: tuple[Path, Persons]) -> Persons:
    return eve[1]


def anew(keeper: Keeper) -> None:
    for tier in Tier:
        make_tokens_anew(keeper.places, tier)


def found(keeper: Keeper, who: str, item: str = "email", *, apart: bool = False) -> tuple[SubjectId, ...]:
    return keeper.lookup("trial", item, text_of(who, item), reader=READER, reason="desk", separated=apart)


def roots_in(home: Path) -> set[str]:
    return {name for name in column(home / "keys.db", "SELECT name FROM root_key") if "-token" in name}


def complete(home: Path, keeper: Keeper) -> None:
    """Each value that somebody is looked up by has one token, of the root that look-ups go by, and nothing else has."""
    tokens = column(home / "keys.db", "SELECT tier, value_id, token FROM token")
    marks = {tier.value: keeper.places.vault.roots[tier].known().named for tier in Tier}
    assert {tier: marks[tier] for tier, _, _ in tokens} == {tier: marked(bytes(token)) for tier, _, token in tokens}
    held = column(home / "active.db", "SELECT value_id FROM value WHERE state = 'held' AND item IN ('email', 'phone')")
    apart = column(home / "separated.db", "SELECT value_id FROM value WHERE item IN ('email', 'phone')")
    wanted = [("active", one) for one in held] + [("separated", one) for one in apart]
    assert sorted((tier, value) for tier, value, _ in tokens) == sorted(wanted)
    for tier, roots in keeper.places.vault.roots.items():
        roots.forget()
        assert len(roots.known().held) == 1
        assert len([one for one in roots_in(home) if one.startswith(tier.value)]) <= 1


def test_everybody_is_found_by_the_new_root_and_the_old_one_is_gone(home: Path, persons: Persons) -> None:
    with opened(home) as house:
        keeper = house.keeper
        roots = {tier: one.known().held[FIRST] for tier, one in keeper.places.vault.roots.items()}
        text = text_of("stayer", "email")
        old = keeper.places.vault.token(Tier.ACTIVE, "trial", "email", text)
        anew(keeper)
        assert keeper.places.vault.token(Tier.ACTIVE, "trial", "email", text)[-32:] != old
        assert found(keeper, "stayer") == (persons["stayer"],)
        assert found(keeper, "stayer", "phone") == (persons["stayer"],)
        assert found(keeper, "nobody") == ()
        complete(home, keeper)
        keeper.sweep()
        assert found(keeper, "old", apart=True) == found(keeper, "old") == ()
        assert found(keeper, "leaver", apart=True) == (persons["leaver"],)
        complete(home, keeper)
        anew(keeper)
        assert found(keeper, "leaver", apart=True) == (persons["leaver"],)
        complete(home, keeper)
        keeper.seal()
        said = [one.entry.fields for one in history.entries(keeper.places.sealer.connection, kinds=("keys.rotated",))]
        for tier in Tier:
            first, second = [one for one in said if one["store"] == store_of(tier)]
            assert first["before"] == fingerprint(roots[tier])
            assert first["after"] == second["before"]
        kinds = ("read.granted", "values.shown")
        assert not list(history.entries(keeper.places.sealer.connection, kinds=kinds))
    with opened(home) as house:
        assert found(house.keeper, "stayer") == (persons["stayer"],)
        assert text not in str(column(home / "keys.db", "SELECT * FROM token"))


def child(*words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.rotating_child", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": "src:."})


def test_four_processes_take_people_in_and_look_them_up_while_tokens_are_made_anew(tmp_path: Path) -> None:
    home, stop = tmp_path / "home", tmp_path / "stop"
    served.furnished(home)
    workers = [child("comes", home, stop) for _ in range(4)]
    assert [one.stdout.readline() for one in workers if one.stdout] == ["ready\n"] * 4
    options = upheld.Options(clock=upheld.SetClock(WHEN), light_hashing=True)
    try:
        with upheld.open(home, options) as keeper:
            for _ in range(2):
                anew(keeper)
    finally:
        stop.touch()
        told = [json.loads(one.communicate(timeout=60)[0]) for one in workers]
    assert [one["wrong"] for one in told] == [0, 0, 0, 0]
    came = {address: person for one in told for address, person in one["came"].items()}
    assert all(one["came"] for one in told)
    with upheld.open(home, options) as keeper:
        anew(keeper)
        for address, person in came.items():
            assert keeper.lookup("trial", "email", address, reader=READER, reason="desk") == (person,)
        complete(home, keeper)
        assert len(_rotations(keeper)) == 6


def _rotations(keeper: Keeper) -> list[dict[str, object]]:
    keeper.seal()
    said = history.entries(keeper.places.sealer.connection, kinds=("keys.rotated",))
    return [dict(one.entry.fields) for one in said]


@pytest.mark.parametrize(("on", "stride"), [("files", 4), ("a server", 13)])
def test_killed_at_any_point_everybody_is_found_and_it_goes_on(
    request: pytest.FixtureRequest, tmp_path: Path, on: str, stride: int
) -> None:
    """Each time somebody comes meanwhile, whom no process that rotates has seen. Every point in `make deep`."""
    with postgres.homes_on(request.getfixturevalue("address")) if on == "a server" else nullcontext():
        found = crashes_of("anew", tmp_path, 1, stride)
    assert found["failures"] == []
    assert found["crashes"] >= 10


@pytest.mark.deep
@pytest.mark.parametrize("on", ["files", "a server"])
def test_killed_at_every_point_everybody_is_found_and_it_goes_on(
    request: pytest.FixtureRequest, tmp_path: Path, on: str
) -> None:
    with postgres.homes_on(request.getfixturevalue("address")) if on == "a server" else nullcontext():
        assert crashes_of("anew", tmp_path)["failures"] == []


STEPS = ("_begin", "_everybody_told", "_exchange", "_old_go")


class Stopped(Exception):
    """The one who rotates got no further."""


@contextmanager
def stopped_after(monkeypatch: pytest.MonkeyPatch, step: str) -> Iterator[None]:
    real = getattr(TokenRotation, step)

    def stops(*given: Any) -> None:
        real(*given)
        raise Stopped

    with monkeypatch.context() as patched:
        patched.setattr(TokenRotation, step, stops)
        with pytest.raises(Stopped):
            yield


@pytest.mark.parametrize("step", STEPS)
def test_a_process_that_was_open_before_finds_whom_others_take_in_at_each_step(
    home: Path, persons: Persons, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Two that hear of nothing but through the stores, one that only looks, and one that rotates and stops half way."""
    with opened(home) as one, opened(home) as other, opened(home) as looks, opened(home) as third:
        for house in (one, other, looks):
            assert found(house.keeper, "stayer") == (persons["stayer"],)
        trial_home.member(one, "early")
        for tier in Tier:
            with stopped_after(monkeypatch, step):
                make_tokens_anew(third.keeper.places, tier)
        for house, who in ((one, "later"), (other, "last")):
            house.persons[who] = trial_home.member(house, who)
        one.keeper.sweep()  # values go where they are kept apart, with tokens of that tier
        everybody = {**persons, **one.persons, **other.persons}
        for keeper in (looks.keeper, one.keeper, other.keeper, third.keeper):
            for who in ("stayer", "early", "later", "last"):
                assert found(keeper, who) == (everybody[who],), who
            assert found(keeper, "leaver", apart=True) == (persons["leaver"],)
        anew(third.keeper)
        for keeper in (looks.keeper, one.keeper, other.keeper):
            for who in ("stayer", "early", "later", "last"):
                assert found(keeper, who) == (everybody[who],), who
            assert found(keeper, "leaver", apart=True) == (persons["leaver"],)
        complete(home, third.keeper)


def test_a_token_that_comes_late_is_not_missed(home: Path, persons: Persons, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was collected before anybody was told, and its token was on its way while others were made anew."""
    with opened(home) as slow, opened(home) as rotating:
        late: list[Sequence[Any]] = []
        with monkeypatch.context() as patched:
            patched.setattr(slow.keeper.places.vault, "keep_tokens", late.append)
            trial_home.member(slow, "slow", offers=False)
        assert late
        make_tokens_anew(rotating.keeper.places, Tier.ACTIVE)
        assert found(rotating.keeper, "slow") == (slow.persons["slow"],)
        for rows in late:
            slow.keeper.places.vault.keep_tokens(rows)
        assert found(slow.keeper, "slow") == (slow.persons["slow"],)
        # What it brought is of no use to anybody, and goes with the next.
        anew(rotating.keeper)
        complete(home, rotating.keeper)
        assert found(slow.keeper, "slow") == (slow.persons["slow"],)


@pytest.mark.parametrize("by", ["a sweep", "themselves"])
def test_who_is_erased_meanwhile_does_not_come_back(
    home: Path, persons: Persons, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """The rotation has read the values of somebody whose key goes before it puts their tokens in."""
    who = "refuser" if by == "a sweep" else "stayer"
    with opened(home) as house, opened(home) as other:
        read, gone = TokenRotation._rows, list[str]()

        def read_and_erased(*given: Any) -> Any:
            rows = read(*given)
            if not gone and by == "a sweep":
                other.keeper.sweep()
            elif not gone:
                other.keeper.erase(persons[who], channel="website", proved=True)
            gone.append(who)
            return rows

        monkeypatch.setattr(TokenRotation, "_rows", read_and_erased)
        assert found(house.keeper, who, "phone") == (persons[who],)
        anew(house.keeper)
        assert gone
        assert found(house.keeper, who, "phone") == ()
        complete(home, house.keeper)


def keys_findings(home: Path) -> list[Finding]:
    return [one for one in examined(home) if one.what == "keys" and "look-up" in one.says]


def test_the_doctor_tells_of_one_that_was_not_ended_and_the_command_ends_it(
    home: Path, persons: Persons, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(home) as house, stopped_after(monkeypatch, "_begin"):
        make_tokens_anew(house.keeper.places, Tier.SEPARATED)
    (begun,) = keys_findings(home)
    assert not begun.holds
    assert "separated" in begun.says
    assert "--look-up" in begun.remedy
    told = CliRunner().invoke(cli.app, ["rotate-keys", "--look-up", "--home", str(home)])
    assert told.exit_code == 0, told.output
    assert "look-up tokens made anew" in told.output
    assert keys_findings(home)[0].holds
    with opened(home) as house:
        complete(home, house.keeper)


# ── old copies ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("step", [None, *STEPS])
def test_a_key_store_from_before_or_amid_a_rotation_is_brought_up_to_date(
    home: Path, persons: Persons, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str | None
) -> None:
    if step is not None:
        with opened(home) as house, stopped_after(monkeypatch, step):
            make_tokens_anew(house.keeper.places, Tier.ACTIVE)
    copy = copied(home, tmp_path / "copy")
    with opened(home) as house:
        anew(house.keeper)
        house.keeper.publish(served.OTHER_POLICY.encode(), as_of=date(2020, 2, 1), evidence="trial")
        word = house.keeper.places.vault.digest("other", "refusal", "somebody")
        house.keeper.seal()
        gone = {one["before"] for one in _rotations(house.keeper)}
    put_back(home, copy, "keys")
    with opened(home) as house:
        keeper = house.keeper
        keeper.recover()
        held = [root for roots in keeper.places.vault.roots.values() for root in roots.known().held.values()]
        assert not gone & set(map(fingerprint, held))
        assert found(keeper, "stayer") == (persons["stayer"],)
        assert keeper.places.vault.digest("other", "refusal", "somebody") == word
        complete(home, keeper)
        assert keeper.notice() == ()
    assert keys_findings(home)[0].holds


def test_an_older_active_place_is_brought_up_to_tokens_that_were_made_anew(
    home: Path, persons: Persons, tmp_path: Path
) -> None:
    copy = copied(home, tmp_path / "copy")
    with opened(home) as house:
        anew(house.keeper)
        house.keeper.seal()
    put_back(home, copy, "active")
    with opened(home) as house:
        house.keeper.recover()
        assert found(house.keeper, "stayer") == (persons["stayer"],)
        complete(home, house.keeper)


# ── what is no token ────────────────────────────────────────────────────────────────────────────────────────────────


WORDS = ("account", "delivery", "refusal", "sign-in-code", "idempotency", "identity-here")


@pytest.mark.parametrize("own", [True, False])
def test_links_names_and_deliveries_outlive_every_rotation(home: Path, persons: Persons, *, own: bool) -> None:
    """In a home from before it had a root of their own for them they come from what they came from then."""
    settings = json.loads((home / "home.json").read_text())
    settings["own_words"] = own
    (home / "home.json").write_text(json.dumps(settings))

    def all_of(keeper: Keeper) -> list[bytes]:
        return [keeper.places.vault.digest("trial", word, "somebody") for word in WORDS]

    with opened(home) as house:
        keeper = house.keeper
        before, word = all_of(keeper), refusal_token(keeper, "trial", persons["stayer"], "sms")
        root = derived(keeper.places.vault.rings[Tier.ACTIVE].oldest, b"words" if own else b"token")
        assert derived(root, b"trial|@account") == keeper.places.vault._word_keys["trial", "account"]
        keeper.fact(persons["stayer"], "dispute-opened", about="fees", source="crm", key="order 12")
    for _ in range(2):
        with opened(home) as house:
            list(rotating.rotate_roots(home, house.keeper))
        with opened(home) as house:
            assert all_of(house.keeper) == before
            assert refuses(house.keeper, "trial", "sms", word) == persons["stayer"]
            again = house.keeper.fact(persons["stayer"], "dispute-opened", about="fees", source="crm", key="order 12")
            assert again.repeated
            complete(home, house.keeper)


def test_a_root_that_lies_in_the_key_store_opens_under_the_ring_of_now(home: Path, persons: Persons) -> None:
    """A ring that is rotated amid a rotation of tokens wraps both of their roots anew."""
    with opened(home) as house, pytest.MonkeyPatch.context() as patched:
        with stopped_after(patched, "_everybody_told"):
            make_tokens_anew(house.keeper.places, Tier.ACTIVE)
        assert len(roots_in(home)) == 2
        list(rotating.rotate_roots(home, house.keeper, names=("active.key", "separated.key")))
    with opened(home) as house:
        assert found(house.keeper, "stayer") == (persons["stayer"],)
        anew(house.keeper)
        complete(home, house.keeper)
