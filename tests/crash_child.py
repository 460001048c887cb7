"""Runs a verb on copies of a home again and again, each time killed with SIGKILL one SQL statement later.

    python -m tests.crash_child SCENARIO FOLDER [FIRST STRIDE [SECOND-CRASHES]]

Prints one JSON object: how many statements there are, in which places, and what was wrong after which kill. It has no
threads, so it may fork: the forked child does the verb with a trace callback on every connection and kills itself, the
parent looks at what is left, opens the home as its owner would, and compares the whole state.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from psycopg import Cursor

from tests.acknowledged import Life, missing
from tests.homes import connection_to, copied
from tests.homes import put_back as restored
from tests.postgres import ADDRESS, homes_on
from tests.trial_home import (
    SWEEP_DAY,
    House,
    Row,
    at,
    furnished,
    member,
    opened,
    proved,
    readable,
    rows_in,
    text_of,
    whole_state,
)
from upheld.engine.acts import Reader, ReaderKind, SubjectId, ValueId
from upheld.keeper import Keeper
from upheld.rotating import LOOK_UP, rotate_roots
from upheld.store import history, vault
from upheld.store.engine import Connection
from upheld.store.journal_keys import NAME as JOURNAL_KEY
from upheld.store.key_files import KeySource
from upheld.store.token_roots import marked
from upheld.store.wire import Wire

vault.BLOCK = 4  # keys made ahead at once: two hundred and fifty-six equal inserts would be as many equal crashes

Persons = dict[str, SubjectId]
Action = Callable[[House, Persons], object]
NEXT_DAY = at("2024-09-06")


@dataclass(frozen=True)
class Scenario:
    """A verb, when it runs, and what its owner does after the crash."""

    action: Action
    after: Action
    when: datetime = SWEEP_DAY
    old: tuple[str, ...] = ()
    """Places that are put back to how they were before a sweep."""
    exact: bool = True
    """Whether the end must be that of an undisturbed run. Of a verb it may also be that of a run that never was."""
    left: Callable[[Path], list[str]] = lambda _: []
    """What may not be left when its owner has opened the home again."""
    certified: bool = True
    """Whether the ledger holds every certificate."""
    answers: bool = False
    """Whether on a server it is killed too when a message was answered and nobody was told."""
    warm: Action = lambda house, persons: None
    """What is done before, and is not disturbed."""


def sweeps(house: House, persons: Persons) -> object:
    return house.keeper.sweep()


def looks_only(house: House, persons: Persons) -> object:
    return house.keeper.open_steps()


def revived(house: House, persons: Persons) -> object:
    """The facts change between s4 and s5: what had ended did not end, so the move is undone."""
    keeper = house.keeper
    stage = keeper._stage_copies

    def staged_then_revived(*given: object) -> object:
        done = stage(*given)  # type: ignore[arg-type]  # wrapped as it is
        with keeper.places.active.transaction() as transaction:
            transaction.execute("DELETE FROM fact WHERE subject_id = ?", (persons["leaver"],))
        return done

    keeper._stage_copies = staged_then_revived  # type: ignore[method-assign,assignment]  # planted
    return keeper.sweep()


def first_value(keeper: Keeper, person: SubjectId, item: str) -> ValueId:
    return next(value.value_id for value, _, _ in keeper.holdings(person) if value.item == item)


def recovers(house: House, persons: Persons) -> object:
    return house.keeper.recover() if house.keeper.notice() else None


def recovers_under_incident(house: House, persons: Persons) -> object:
    return house.keeper.recover(incident="ledger-lost") if house.keeper.notice() else None


def rehearses(house: House, persons: Persons) -> object:
    return house.keeper.rehearse(house.keeper.versions("trial")[-1])


def rehearsal_left(home: Path) -> list[str]:
    """Persons, aliases, keys in use and marks that only a rehearsal can have left."""
    found: list[str] = []
    with closing(connection_to(home / "active.db")) as active, closing(connection_to(home / "keys.db")) as keys:
        found += [f"a mark is left: {row}" for row in active.execute("SELECT code FROM rehearsal")]
        found += [f"an anchor is left: {row}" for row in active.execute(_MARKED_ANCHORS)]
        persons = {row[0] for row in active.execute("SELECT subject_id FROM subject")}
        found += [
            f"an alias is left: {row}" for row in keys.execute("SELECT subject_id FROM alias") if row[0] not in persons
        ]
        found += [
            f"a text is left: {row}"
            for row in active.execute("SELECT text FROM shown_text WHERE text LIKE 'rehearsal%'")
        ]
    return found


_MARKED_ANCHORS = "SELECT policy, fact FROM anchor WHERE policy LIKE 'rehearsal.%'"


def exchanges(house: House, persons: Persons) -> object:
    """Something waits under the old key when the next takes its place."""
    house.keeper.enter("trial", "member")
    home = house.keeper.places.marks._folder.parent
    return list(rotate_roots(home, house.keeper, names=(JOURNAL_KEY,)))


def exchanged_whole(house: House, persons: Persons) -> object:
    """What waits is sealed as it is; then what was begun is gone on with, or another is made."""
    house.keeper.seal()
    home = house.keeper.places.marks._folder.parent
    done = list(rotate_roots(home, house.keeper, names=(JOURNAL_KEY,)))
    house.keeper.seal()
    return done


def old_key_left(home: Path) -> list[str]:
    keys = KeySource(home / "secrets", {}).roots(JOURNAL_KEY)
    return [] if len(keys) == 1 else ["two keys guard journals"]


def makes_anew(house: House, persons: Persons) -> object:
    """Every look-up token is made anew, of both tiers."""
    home = house.keeper.places.marks._folder.parent
    return list(rotate_roots(home, house.keeper, names=(LOOK_UP,)))


def made_anew(house: House, persons: Persons) -> object:
    """Whoever is there is found, whoever comes meanwhile too; then what was begun is gone on with."""
    comer = member(house, "comer")
    for _ in range(2):
        for who, person in {**persons, "comer": comer}.items():
            found = house.keeper.lookup(
                "trial", "email", text_of(who, "email"), reader=HANDLER, reason="desk", separated=who == "old"
            )
            assert found == (() if who == "gone" else (person,)), who
        makes_anew(house, persons)
    return comer


HANDLER = Reader(ReaderKind.HANDLER, "a" * 20)


def tokens_wrong(home: Path) -> list[str]:
    """Roots that are left of a rotation, and values without their one token of the root by which look-ups go."""
    with opened(home) as house:
        roots = {tier.value: one.known() for tier, one in house.keeper.places.vault.roots.items()}
    with closing(connection_to(home / "keys.db")) as keys:
        tokens = [(tier, value, bytes(token)) for tier, value, token in keys.execute(_TOKENS)]
        found = [
            f"a root is left: {row}" for row in keys.execute("SELECT name FROM root_key WHERE name LIKE '%-token'")
        ]
    found += [f"two roots of {tier}" for tier, one in roots.items() if len(one.held) != 1]
    found += [
        f"{value} has a token of another root" for tier, value, token in tokens if marked(token) != roots[tier].named
    ]
    wanted = Counter((row.tier.value, row.value_id) for row in rows_in(home) if row.sealed and row.item in LOOKED_UP)
    return found + [f"tokens of {one}" for one in (wanted - Counter(one[:2] for one in tokens))]


_TOKENS = "SELECT tier, value_id, token FROM token"
_FIRST_ROOTS = "SELECT name FROM root_key WHERE name LIKE '%-token'"
LOOKED_UP = ("email", "phone")


def seals(house: House, persons: Persons) -> object:
    return house.keeper.seal()


def erases(house: House, persons: Persons) -> object:
    """All values of a person are destroyed, of a home that has just been sealed."""
    return house.keeper.erase(persons["stayer"], channel="website", proved=True, confirmed=True)


def erases_some(house: House, persons: Persons) -> object:
    """One value is destroyed; two that are due for it are kept apart."""
    keeper, who = house.keeper, persons["leaver"]
    return keeper.erase(who, channel="website", proved=True, values=(first_value(keeper, who, "phone"),))


def ordered_and_sealed_first(home: Path) -> list[str]:
    """Keys that are gone though the ledger has no order for them."""
    with closing(connection_to(home / "ledger.db")) as ledger:
        kinds = {kind: values_of(ledger, kind) for kind in ("destruction.ordered", "key.destroyed", "value.destroyed")}
    found = [f"no order for {one}" for one in kinds["key.destroyed"] - kinds["destruction.ordered"]]
    return found + [f"{one} certified with its key" for one in kinds["value.destroyed"] - kinds["key.destroyed"]]


def values_of(ledger: Connection, kind: str) -> set[int]:
    return {
        value
        for recorded in history.entries(ledger, kinds=(kind,))
        for value in recorded.entry.fields["values"]  # type: ignore[union-attr]  # an entry's list
        if isinstance(value, int)
    }


def said_in(home: Path) -> Path:
    """Where a child that is killed says what was answered to it."""
    return home / "said"


def by_one_message(act: Callable[[Life, House], str]) -> Scenario:
    """One act by somebody who is known, so that it goes by one message where the engine has such; what it says is
    looked for.
    """

    def life(house: House, persons: Persons) -> Life:
        return Life.of(house, persons["stayer"], "stayer")

    def acts(house: House, persons: Persons) -> object:
        return said_in(house.keeper.places.marks._folder.parent).write_text(act(life(house, persons), house))

    def unknown(home: Path) -> list[str]:
        said = said_in(home)
        with opened(home) as house:
            return missing(home, house, said.read_text().splitlines() if said.exists() else ())

    def warm(house: House, persons: Persons) -> object:
        return life(house, persons).read()

    return Scenario(acts, looks_only, exact=False, left=unknown, answers=True, warm=warm)


def reads_straight(life: Life, _: House) -> str:
    return "read one" if life.read() else ""


def reads_together(life: Life, _: House) -> str:
    return "read one" if life.read_batch() else ""


def takes(item: str) -> Callable[[Life, House], str]:
    text = text_of("straight", item)
    return lambda life, _: f"text {text}" if life.collect(item, text) else ""


ONE_MESSAGE: dict[str, Scenario] = {
    "straight-read": by_one_message(reads_straight),
    "straight-batch": by_one_message(reads_together),
    "straight-write": by_one_message(takes("name")),
    "straight-token": by_one_message(takes("email")),
}
"""Killed in the middle of a message too: see `heralded`."""
SCENARIOS: dict[str, Scenario] = {
    "erase": Scenario(erases, sweeps, exact=False, left=ordered_and_sealed_first, warm=seals),
    "erase-apart": Scenario(erases_some, sweeps, exact=False, left=ordered_and_sealed_first, warm=seals),
    **ONE_MESSAGE,
    "rehearse": Scenario(rehearses, looks_only, exact=False, left=rehearsal_left),
    "recover-active": Scenario(recovers, recovers, old=("active",)),
    "recover-keys": Scenario(recovers, recovers, old=("keys",)),
    "recover-all": Scenario(recovers, recovers, old=("active", "separated", "keys")),
    "recover-older": Scenario(
        recovers_under_incident, recovers_under_incident, old=("keys", "ledger"), certified=False
    ),
    "anew": Scenario(makes_anew, made_anew, exact=False, left=tokens_wrong),
    "exchange": Scenario(exchanges, exchanged_whole, exact=False, left=old_key_left),
    "sweep": Scenario(sweeps, sweeps),
    "revived": Scenario(revived, sweeps, exact=False),
    "enter": Scenario(lambda house, persons: house.keeper.enter("trial", "member"), looks_only, exact=False),
    "collect": Scenario(
        lambda house, persons: house.keeper.collect(
            persons["stayer"], "service", {"name": text_of("again", "name"), "email": text_of("again", "email")}
        ),
        looks_only,
        exact=False,
    ),
    "consent": Scenario(
        lambda house, persons: house.keeper.consent(persons["stayer"], "provision/mall", channel="website"),
        looks_only,
        exact=False,
    ),
    "withdraw": Scenario(
        lambda house, persons: house.keeper.withdraw(persons["stayer"], "purpose/offers", channel="website"),
        looks_only,
        exact=False,
    ),
    "read": Scenario(
        lambda house, persons: house.keeper.read(
            persons["stayer"], "service", reader=house.keeper.application("desk"), items=("name", "email")
        ),
        looks_only,
        exact=False,
    ),
    "provide": Scenario(
        lambda house, persons: house.keeper.provide(persons["refuser"], "mall", ("name",)), looks_only, exact=False
    ),
    "correct": Scenario(
        lambda house, persons: house.keeper.correct(
            persons["stayer"], first_value(house.keeper, persons["stayer"], "email"), text_of("corrected", "email")
        ),
        looks_only,
        exact=False,
    ),
    "joined": Scenario(lambda house, persons: member(house, "new"), looks_only, exact=False),
}


def connections(keeper: Keeper) -> dict[str, Connection]:
    places = keeper.places
    return {
        "active": places.active.connection,
        "separated": places.separated.connection,
        "keys": places.keys.connection,
        "ledger": places.sealer.connection,
    }


@contextmanager
def traced(house: House, seen: Callable[[str], None], *, answers: bool = False) -> Iterator[None]:
    """Inside the block it is said, with its place, before each statement of a file; of a server before each message of
    whatever connection of this process, in its middle, when it has gone, and with `answers` when it is answered.
    """
    with pytest.MonkeyPatch.context() as patch, ExitStack() as over:
        for name, connection in connections(house.keeper).items():
            if isinstance(connection, sqlite3.Connection):
                connection.set_trace_callback(lambda _, name=name: seen(name))  # type: ignore[misc]  # bound at once
                over.callback(connection.set_trace_callback, None)
        heralded(patch, seen, answers=answers)
        yield


SENDS = ((Wire, ("ask", "post", "begin", "end", "roll_back")), (Cursor, ("execute", "executemany")))
"""All ways in which something is said to a server, but to begin and end a connection."""


def heralded(patch: pytest.MonkeyPatch, seen: Callable[[str], None], *, answers: bool) -> None:
    """Every message to a server is told of. What one way says by another is told of once."""
    inside = False

    def tells(plain: Callable[..., Any], before: bool) -> Callable[..., Any]:
        def said(own: Any, *given: Any, **named: Any) -> Any:
            nonlocal inside
            if inside:
                return plain(own, *given, **named)
            line = own._connection if isinstance(own, Wire) else own.connection
            place = line.info.options.removeprefix("-c search_path=").split(" ")[0]
            inside = True
            if before:
                seen(place)
            try:
                return plain(own, *given, **named)
            finally:
                seen(place)
                inside = False

        return said

    for kind, ways in SENDS:
        for way in ways:
            patch.setattr(kind, way, tells(getattr(kind, way), before=True))
    if answers:
        for way in ("take", "hear"):
            patch.setattr(Wire, way, tells(getattr(Wire, way), before=False))


def statements(home: Path, scenario: Scenario, persons: Persons) -> list[str]:
    """The place of every point of an undisturbed run at which it can be killed, in order."""
    found: list[str] = []
    with opened(home, scenario.when) as house:
        scenario.warm(house, persons)
        with traced(house, found.append, answers=scenario.answers):
            scenario.action(house, persons)
    return found


def killed(home: Path, scenario: Scenario, persons: Persons, before: int, action: Action | None = None) -> bool:
    """Do the verb in a child that is killed before statement number `before`; False when it had fewer."""
    child = os.fork()
    if child == 0:
        left = before

        def count(_: str) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            with opened(home, scenario.when) as house:
                scenario.warm(house, persons)
                with traced(house, count, answers=scenario.answers):
                    (action or scenario.action)(house, persons)
        except BaseException:  # noqa: BLE001 - the forked child must not go on as a second parent
            traceback.print_exc()
            os._exit(3)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise AssertionError("the verb failed in the child; its traceback is above")
    return os.WIFSIGNALED(status)


def problems_left(home: Path, torn: list[Row], kept: dict[ValueId, str], barred: bool) -> list[str]:
    """What may not be after a crash, before anybody repaired anything."""
    found: list[str] = []
    now = readable(home, torn)
    for value, text in kept.items():
        if text not in now.get(value, {}).values():
            found.append(f"nobody can decrypt {value} any more")
    if barred:
        return found  # nobody is served anything until the recovery is over
    served: Counter[ValueId] = Counter()
    served.update(row.value_id for row in torn if row.state == "held" and row.sealed is not None)
    found += [f"two tiers serve {value}" for value, tiers in served.items() if tiers > 1]
    return found


def differences(now: dict[str, Any], wanted: list[dict[str, Any]]) -> list[str]:
    """How a state differs from the nearest of those that are right; empty when it is one of them."""
    by_size = sorted(
        ([f"{key}: {now[key]} instead of {one[key]}" for key in one if now[key] != one[key]] for one in wanted), key=len
    )
    return by_size[0]


ABOUT_PERSONS = ("consents", "facts", "requests")


def comparable(state: dict[str, Any], exact: bool) -> dict[str, Any]:
    """A verb makes new ids each time it runs: then kinds and numbers are compared."""
    if exact:
        return state
    values: dict[tuple[int, str], tuple[str, str, bool, bool]] = state["values"]
    moves: dict[tuple[str, int], int] = state["moves"]
    return {
        "values": Counter((tier, *row) for (_, tier), row in values.items()),
        "texts": sorted(map(str, state["texts"].values())),
        "steps": state["steps"],
        "tokens": Counter(str(one).rsplit(",", 1)[0] for one in state["tokens"]),
        "moves": Counter(moves.values()) if max(moves.values(), default=0) > 1 else {},
        "persons": (len(state["persons"]), state["forgotten"]),
        "certificates": state["certificates"],
        **{
            what: sorted(str(one).partition(",")[2] for one in state[what])
            for what in ("consents", "facts", "requests")
        },
    }


@dataclass
class Trial:
    """Everything that stays the same over the crashes of one scenario."""

    folder: Path
    scenario: Scenario
    persons: Persons
    prepared: Path
    wanted: list[dict[str, Any]]
    kept: dict[ValueId, str]

    def finish(self, home: Path) -> list[str]:
        """Open the home as its owner would after a crash, let it go on, and compare."""
        torn = rows_in(home)
        found = problems_left(home, torn, self.kept, bool(self.scenario.old))
        with opened(home, self.scenario.when) as house:
            self.scenario.after(house, self.persons)
            state = whole_state(home, house.keeper)
            found += differences(comparable(state, self.scenario.exact), self.wanted)
            now_open: dict[ValueId, list[str]] = state["open"]
            values: dict[tuple[int, str], tuple[str, str, bool, bool]] = state["values"]
            gone = {value for (value, tier), row in values.items() if tier == "active" and row[1] == "destroyed"}
            # What lay in a file at the crash may lie in a backup: its key must be gone too. INVARIANT: I4
            present = {(row.tier, row.key_id) for row in rows_in(home)}
            past = [row for row in torn if (row.tier, row.key_id) not in present]
            found += [f"a copy of {one} that is gone still opens" for one in readable(home, past)]
            found += [f"a copy of {one} opens after its destruction" for one in readable(home, torn) if one in gone]
            found += self.scenario.left(home)
            found += [f"{one} opens from {tiers}" for one, tiers in now_open.items() if len(tiers) != 1 or one in gone]
            proved(home, house.keeper, certified=self.scenario.certified)
        return found


def prepared(folder: Path, name: str) -> tuple[Trial, list[str]]:
    scenario = SCENARIOS[name]
    home = folder / "home"
    persons = furnished(home)
    if scenario.old:
        put_back(folder, home, scenario)
    with opened(home, scenario.when) as house:
        if name == "provide":
            house.keeper.consent(persons["refuser"], "provision/mall", channel="website")
        before = state_of_old(home) if scenario.old else whole_state(home, house.keeper)
    done = copied(home, folder / "done")
    places = statements(done, scenario, persons)
    with opened(done, scenario.when) as house:
        scenario.after(house, persons)
        after = whole_state(done, house.keeper)
    wanted = [comparable(after, scenario.exact)]
    if not scenario.exact:
        wanted += [comparable(before, False)]
        if name == "joined":
            wanted += part_way(folder, home, scenario, persons)
        if name in ("revived", "erase", "erase-apart"):
            wanted = [wanted[0], comparable(swept_once(folder, home, scenario, persons), False)]
    open_before: dict[ValueId, list[str]] = before["texts"]
    open_after: dict[ValueId, list[str]] = after["texts"]
    kept = {value: texts[0] for value, texts in open_before.items() if value in open_after}
    return Trial(folder, scenario, persons, home, wanted, kept), places


def put_back(folder: Path, home: Path, scenario: Scenario) -> None:
    """A sweep is carried out, then some places are those of before."""
    with opened(home, scenario.when) as house:
        house.keeper.seal()
    before = copied(home, folder / "before")
    with opened(home, scenario.when) as house:
        house.keeper.sweep()
    restored(home, before, *scenario.old)


def state_of_old(home: Path) -> dict[str, Any]:
    """What opens in a home that does nothing yet but recover."""
    return {"texts": {value: list(tiers.values()) for value, tiers in readable(home, rows_in(home)).items()}}


def swept_once(folder: Path, home: Path, scenario: Scenario, persons: Persons) -> dict[str, Any]:
    """The end when the crash came before the facts changed."""
    done = copied(home, folder / "swept")
    with opened(done, scenario.when) as house:
        house.keeper.sweep()
        return whole_state(done, house.keeper)


def part_way(folder: Path, home: Path, scenario: Scenario, persons: Persons) -> list[dict[str, Any]]:
    """The states between the verbs of a scenario that has several."""
    found: list[dict[str, Any]] = []
    for count in range(1, 5):
        done = copied(home, folder / "part")
        with opened(done, scenario.when) as house:
            keeper = house.keeper
            person = keeper.enter("trial", "member")
            if count > 1:
                keeper.begin(person, "membership")
            if count > 2:
                keeper.collect(person, "service", {item: text_of("new", item) for item in ("name", "email")})
            if count > 3:
                keeper.consent(person, "purpose/offers", channel="website")
            found.append(comparable(whole_state(done, keeper), False))
    return found


def main(name: str, folder: Path, first: int = 0, stride: int = 1, seconds: int = 0) -> dict[str, Any]:
    trial, places = prepared(folder, name)
    failures: list[str] = []
    crashes = 0
    for before in range(first, len(places), stride):
        home = copied(trial.prepared, folder / "crashed")
        if not killed(home, trial.scenario, trial.persons, before):
            break
        crashes += 1
        whole = copied(home, folder / "again") if seconds else home
        failures += [f"killed before statement {before}: {one}" for one in trial.finish(whole)]
        for again in range(0, seconds and len(places), seconds or 1):
            twice = copied(home, folder / "twice")
            if not killed(twice, trial.scenario, trial.persons, again, trial.scenario.after):
                break
            crashes += 1
            failures += [f"killed before {before}, then before {again}: {one}" for one in trial.finish(twice)]
    return {"statements": len(places), "places": Counter(places), "crashes": crashes, "failures": failures[:20]}


if __name__ == "__main__":
    scratch = Path(sys.argv[2])
    scratch.mkdir(parents=True, exist_ok=True)
    address = os.environ.get(ADDRESS)
    try:
        with homes_on(address) if address else nullcontext():
            print(json.dumps(main(sys.argv[1], scratch, *map(int, sys.argv[3:]))))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
