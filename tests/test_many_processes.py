"""Many processes on one home: nobody fails, nothing is lost, and a withdrawal in one stops the next read in another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests import postgres
from tests.homes import column, databases
from tests.trial_home import POLICY, at, member, opened, proved
from upheld.store import history

ROOT = Path(__file__).parent.parent
WRITERS = READERS = 4
ROUNDS = 25

SCRIPT = """
import json, sys
from pathlib import Path
from tests.trial_home import at, opened
role, home, rounds, persons = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
said = []
with opened(home, at("2024-03-05")) as house:
    keeper = house.keeper
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "go":
            for number in range(rounds):
                for person in persons:
                    if role == "writer":
                        said.append(keeper.consent(person, "provision/mall", channel="website").granted)
                        said.append(keeper.withdraw(person, "provision/mall", channel="website").granted)
                    elif role == "reader":
                        desk = keeper.application("desk")
                        got = keeper.read(person, "service", reader=desk, items=("name",))
                        said.append(got.granted and len(got.texts) == 1)
                    elif role == "sealer":
                        keeper.seal()
                        said.extend(keeper.sweep().waiting or [True])
            print(json.dumps(said), flush=True)
        elif line.startswith("read"):
            got = keeper.read(persons[0], "offers", reader=keeper.application("desk"), items=("phone",))
            print(json.dumps([got.granted, [reason.value for reason in got.reasons]]), flush=True)
        elif line.startswith("withdraw"):
            print(json.dumps(keeper.withdraw(persons[0], "purpose/offers", channel="website").granted), flush=True)
        else:
            break
"""


class Neighbour:
    """Another process that has the same home open."""

    def __init__(self, role: str, home: Path, persons: list[str], rounds: int = ROUNDS) -> None:
        self.role = role
        command = [sys.executable, "-c", SCRIPT, role, str(home), str(rounds), *persons]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": "src"},
        )
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self.process.stdout is not None
        said = self.process.stdout.readline().strip()
        if not said:
            raise AssertionError(self.process.communicate()[1])
        return said

    def tell(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        return json.loads(self._line())

    def leave(self) -> str:
        """End it; what it wrote to its error stream."""
        return self.process.communicate("end\n", timeout=60)[1]


@pytest.fixture
def home(tmp_path: Path) -> tuple[Path, list[str]]:
    place = tmp_path / "home"
    with opened(place, at("2024-03-01")) as house:
        house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        persons: list[str] = [member(house, f"person-{number}") for number in range(3)]
    return place, persons


@pytest.mark.slow
def test_writers_readers_and_a_sweeper_at_once_lose_nothing(home: tuple[Path, list[str]]) -> None:
    place, persons = home
    crowd = [Neighbour("writer", place, persons) for _ in range(WRITERS)]
    crowd += [Neighbour("reader", place, persons) for _ in range(READERS)]
    crowd.append(Neighbour("sealer", place, persons[:1], rounds=10))
    for one in crowd:
        one.tell("go")
    answers = [one.answer() for one in crowd]
    assert [one.leave() for one in crowd] == [""] * len(crowd)
    assert all(all(said) for said in answers)
    changes = WRITERS * ROUNDS * len(persons)
    with opened(place, at("2024-03-05")) as house:
        house.keeper.seal()
        ledger = house.keeper.places.sealer.connection
        kinds = Counter(
            recorded.entry.kind
            for recorded in history.entries(ledger)
            if recorded.entry.fields.get("about", "mall") == "mall"
        )
        assert kinds["consent.given"] == kinds["consent.withdrawn"] == changes
        assert kinds["read.granted"] == READERS * ROUNDS * len(persons)
        assert kinds["read.fell-short"] == 0
        proved(place, house.keeper)
    assert len(column(place / "active.db", "SELECT consent_id FROM consent WHERE about = 'mall'")) == 2 * changes


@pytest.mark.clauses("BZ18-9.1.c")
def test_a_withdrawal_in_one_process_stops_the_next_read_in_another(home: tuple[Path, list[str]]) -> None:
    place, persons = home
    reader, writer = Neighbour("reader", place, persons), Neighbour("writer", place, persons)
    reader.tell("read")
    assert reader.answer() == [True, []]
    writer.tell("withdraw")
    assert writer.answer() is True
    reader.tell("read")
    granted, reasons = reader.answer()
    assert not granted
    assert "consent-withdrawn" in reasons
    assert [reader.leave(), writer.leave()] == ["", ""]


@pytest.mark.slow
def test_two_sweeps_at_once_carry_out_every_step_once(home: tuple[Path, list[str]]) -> None:
    place, persons = home
    with opened(place, at("2024-03-02")) as house:
        for person in persons:
            house.keeper.fact(person, "closed")  # type: ignore[arg-type]  # not gone
    sweepers = [Neighbour("sealer", place, persons[:1], rounds=3) for _ in range(3)]
    for one in sweepers:
        one.tell("go")
    assert [one.answer() for one in sweepers] == [[True] * 3] * 3
    assert [one.leave() for one in sweepers] == ["", "", ""]
    with opened(place, at("2024-03-05")) as house:
        house.keeper.seal()
        moved: Counter[int] = Counter()
        for recorded in history.entries(house.keeper.places.sealer.connection, kinds=("value.separated",)):
            values: Any = recorded.entry.fields["values"]
            moved.update(values)
        assert len(moved) == 2 * len(persons)
        assert set(moved.values()) == {1}
        proved(place, house.keeper)


_FORKS = """
import os, sys
from pathlib import Path
from tests.trial_home import at, member, opened
from upheld.errors import StoreFailed
def reads(house, person):
    desk = house.keeper.application("desk")
    return list(house.keeper.read(person, "service", reader=desk, items=("name",)).texts.values())
with opened(Path(sys.argv[1]), at("2024-03-01")) as house:
    person = member(house, "somebody")
    (before,) = reads(house, person)
    if os.fork() == 0:
        status = 0
        for verb in (lambda: reads(house, person), lambda: house.keeper.enter("trial", "member"), house.keeper.seal):
            try:
                verb()
                status = 1
            except StoreFailed as failure:
                status |= 0 if "forked" in str(failure) else 2
        house.keeper.close()
        with opened(Path(sys.argv[1]), at("2024-03-01")) as own:
            status |= 0 if reads(own, person) == [before] else 4
        os._exit(status)
    _, ended = os.wait()
    print(os.waitstatus_to_exitcode(ended), reads(house, person) == [before], house.keeper.places.keys.line)
"""


@pytest.mark.parametrize("on", ["files", "a server"])
def test_a_process_that_is_forked_can_t_use_what_its_parent_opened(
    request: pytest.FixtureRequest, tmp_path: Path, on: str
) -> None:
    """On one line they would read each other's answers; it opens the home itself, and takes nothing of the parent."""
    with postgres.homes_on(request.getfixturevalue("address")) if on == "a server" else nullcontext():
        home = tmp_path / "home"
        with opened(home, at("2024-03-01")) as house:
            house.keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", _FORKS, str(home)]
        ran = subprocess.run(command, env=path, capture_output=True, text=True, timeout=60, check=False)
        line = "1" if databases(home) else "None"
    assert ran.stdout.split() == ["0", "True", line], ran.stderr
