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
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

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
from upheld.engine.acts import SubjectId, ValueId
from upheld.keeper import Keeper
from upheld.rotating import rotate_roots
from upheld.store import history, vault
from upheld.store.engine import Connection
from upheld.store.journal_keys import NAME as JOURNAL_KEY
from upheld.store.key_files import KeySource
from upheld.store.postgres_connection import PostgresConnection
from upheld.store.wire import Answer, Message, Wire

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
    messages: bool = False
    """Whether on a server it is killed before and after each message to it, of leases and the sealer too."""
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


def erases(house: House, persons: Persons) -> object:
    """All values of a person are destroyed, of a home that has just been sealed."""
    house.keeper.seal()
    return house.keeper.erase(persons["stayer"], channel="website", proved=True, confirmed=True)


def erases_some(house: House, persons: Persons) -> object:
    """One value is destroyed; two that are due for it are kept apart."""
    keeper, who = house.keeper, persons["leaver"]
    keeper.seal()
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

    return Scenario(
        acts, looks_only, exact=False, left=unknown, warm=lambda house, persons: life(house, persons).read()
    )


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
    "erase": Scenario(erases, sweeps, exact=False, left=ordered_and_sealed_first, messages=True),
    "erase-apart": Scenario(erases_some, sweeps, exact=False, left=ordered_and_sealed_first, messages=True),
    **ONE_MESSAGE,
    "rehearse": Scenario(rehearses, looks_only, exact=False, left=rehearsal_left),
    "recover-active": Scenario(recovers, recovers, old=("active",)),
    "recover-keys": Scenario(recovers, recovers, old=("keys",)),
    "recover-all": Scenario(recovers, recovers, old=("active", "separated", "keys")),
    "recover-older": Scenario(
        recovers_under_incident, recovers_under_incident, old=("keys", "ledger"), certified=False
    ),
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


def traced(house: House, seen: Callable[[str], None], *, messages: bool = False) -> None:
    """Before each statement of each place it is said which place it is, on a server at each step of its messages too;
    with `messages`, there, before and after each message of whatever connection.
    """
    if messages and house.keeper.places.active.engine.sends_late:
        heralded_messages(seen)
        return
    for name, connection in connections(house.keeper).items():
        if isinstance(connection, sqlite3.Connection):
            connection.set_trace_callback(lambda _, name=name: seen(name))  # type: ignore[misc]  # bound at once
        else:
            heralded(connection, partial(seen, name))


def heralded(connection: Connection, seen: Callable[[], None]) -> None:
    """A connection without a trace of its own: each way to run statements says so first, a whole message once."""
    for way in _ways_of(connection):
        plain = getattr(type(connection), way).__get__(connection)

        def said_first(*given: object, plain: Callable[..., object] = plain) -> object:
            seen()
            return plain(*given)

        setattr(connection, way, said_first)
    if isinstance(connection, PostgresConnection):
        connection._wire = _HeraldedWire(connection._wire, seen)  # type: ignore[assignment]  # in its place


class _HeraldedWire:
    """Says so before a message is sent, between the two parts of one, before it is answered, and after that."""

    def __init__(self, inner: Wire, seen: Callable[[], None]) -> None:
        self.inner = inner
        self._seen = seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def send(self, messages: Sequence[Message]) -> list[Answer]:
        self.post(messages)
        return self.take()

    def ask(self, message: Message) -> Answer:
        self._seen()
        answer = self.inner.ask(message)
        self._seen()
        return answer

    def post(self, messages: Sequence[Message]) -> None:
        self._seen()
        self.inner.post(messages)

    def begin(self, messages: Sequence[Message]) -> None:
        self._seen()
        self.inner.begin(messages)

    def end(self, messages: Sequence[Message]) -> None:
        self._seen()
        self.inner.end(messages)

    def take(self, *given: Any, **named: Any) -> list[Answer]:
        self._seen()
        answers = self.inner.take(*given, **named)
        self._seen()
        return answers


def heralded_messages(seen: Callable[[str], None]) -> None:
    """Every message of this process says so before it goes, and when it has gone and is not answered."""
    for way in ("ask", "post", "begin", "end"):
        plain = getattr(Wire, way)

        def said(own: Wire, *given: Any, plain: Callable[..., Any] = plain) -> Any:
            place = own._connection.info.options.removeprefix("-c search_path=")
            seen(place)
            answer = plain(own, *given)
            seen(place)
            return answer

        setattr(Wire, way, said)


def _ways_of(connection: Connection) -> list[str]:
    return [way for way in ("execute", "executemany", "whole") if hasattr(type(connection), way)]


def untraced(house: House) -> None:
    for connection in connections(house.keeper).values():
        if isinstance(connection, sqlite3.Connection):
            connection.set_trace_callback(None)
        else:
            for way in _ways_of(connection):
                delattr(connection, way)
            if isinstance(connection, PostgresConnection) and isinstance(connection._wire, _HeraldedWire):
                connection._wire = connection._wire.inner


def statements(home: Path, scenario: Scenario, persons: Persons) -> list[str]:
    """The place of every statement of an undisturbed run, in order."""
    found: list[str] = []
    with opened(home, scenario.when) as house:
        scenario.warm(house, persons)
        with pytest.MonkeyPatch.context() as patch:
            for way in ("ask", "post", "begin", "end"):
                patch.setattr(Wire, way, getattr(Wire, way))
            traced(house, found.append, messages=scenario.messages)
            scenario.action(house, persons)
        if not scenario.messages:
            untraced(house)
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
                traced(house, count, messages=scenario.messages)
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
        "persons": len(state["persons"]),
        "consents": sorted(str(one).partition(",")[2] for one in state["consents"]),
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
