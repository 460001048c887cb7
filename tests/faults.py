"""What goes wrong in service, made to happen: how often it was tried, what was lost, what was shown that must not be.

    python -m tests.faults [FAULT ...]        prints the table of docs/faults.md; `make faults`

Every fault is a function of a figure, a scratch folder and an effort; `tests/test_faults.py` runs each with little.
Nothing is counted as tried that did not happen: a kill that came too late, a disk that was not full.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Final

import structlog

import upheld
from tests import malformed, postgres
from tests.acknowledged import BEGUN_AT, MADE_AT, WITH_NEWS, Life, missing, not_ended, peopled, tells, texts_in
from tests.crash_child import ONE_MESSAGE, Persons, Scenario, killed, prepared, statements
from tests.full_disk import small_disk
from tests.homes import copied
from tests.line_faults import cut_anywhere
from tests.sketch import POLICIES, day
from tests.test_clock import LeapingClock
from tests.test_crash import crashes_of
from tests.test_facts import BIZMEKA, CODES, HOUR
from tests.test_facts import member as lived
from tests.test_postgres_faults import CLIENTS, LEAVERS, cut, served_under_load
from tests.test_telling import IntoFolder, state_of
from tests.trial_home import (
    SWEEP_DAY,
    House,
    at,
    furnished,
    member,
    opened,
    proved,
    readable,
    rows_in,
    whole_state,
)
from upheld import system
from upheld.dates import Instant, instant
from upheld.engine.acts import ValueId
from upheld.errors import NotRecorded, StoreFailed

ENGINES: Final = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Effort:
    """How much is tried. `every`: at every how many statements of a scenario a process is killed, by engine."""

    every: Mapping[str, int]
    rounds: int
    inputs: int


SAMPLE: Final = Effort({"sqlite": 90, "postgresql": 250}, 1, 160)
QUARTER: Final = Effort({"sqlite": 16, "postgresql": 64}, 4, 10_000)
FULL: Final = Effort({"sqlite": 1, "postgresql": 1}, 12, 10_000)


@dataclass
class Figure:
    """What came of one fault on one engine."""

    fault: str
    engine: str
    tried: int = 0
    lost: int = 0
    disclosed: int = 0
    said: list[str] = field(default_factory=list)

    def add(self, tried: int, failures: list[str]) -> None:
        """So many were tried, and this was wrong."""
        self.tried += tried
        self.said += failures
        shown = sum(any(word in one for word in _SHOWN) for one in failures)
        self.disclosed += shown
        self.lost += len(failures) - shown

    def row(self) -> str:
        """A line of the table."""
        return f"| {self.fault} | {self.engine} | {self.tried:,} | {self.lost} | {self.disclosed} |"


_SHOWN: Final = ("still opens", "opens after", "two tiers serve", "opens from", "readable again", "disclosed")
"""Words by which the tests say that something could be read that must not be; whatever else is wrong was lost."""


# ── killed ──────────────────────────────────────────────────────────────────────────────────────────────────────────

KILLED: Final[Mapping[str, tuple[str, ...]]] = {
    "killed in a move or a destruction": ("sweep", "revived", "erase", "erase-apart"),
    "killed in a provision": ("provide",),
    "killed in a read or a write of one message": tuple(ONE_MESSAGE),
    "killed while look-up tokens are made anew": ("anew",),
    "killed in another verb": ("enter", "collect", "consent", "withdraw", "read", "correct"),
    "killed in a recovery": ("recover-active", "recover-keys", "recover-all", "recover-older"),
}


_CLOSER: Final = {
    "sweep": 4,
    "revived": 4,
    "provide": 64,
    "erase": 64,
    **dict.fromkeys(ONE_MESSAGE, 64),
}
"""How many times closer than in a recovery points are taken; the sixteen times of what is not named here."""


def killed_in(figure: Figure, folder: Path, effort: Effort) -> None:
    """SIGKILL before a statement of any place; the home is opened again and held against an undisturbed run."""
    for scenario in KILLED[figure.fault]:
        closer = 1 if scenario.startswith("recover") else _CLOSER.get(scenario, 16)
        stride = max(1, effort.every[figure.engine] // closer)
        found = crashes_of(scenario, folder, stride // 2, stride)
        figure.add(int(str(found["crashes"])), [f"{scenario}: {one}" for one in found["failures"]])


def killed_telling(figure: Figure, folder: Path, effort: Effort) -> None:
    """A notice is queued and sent; killed anywhere it is sent at most once, and nobody counts as told without it."""
    letters, home = folder / "letters", folder / "home"
    with opened(home, at("2024-03-01")) as house:
        house.keeper.publish(WITH_NEWS.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        person = member(house, "reader")

    def tells_and_sends(house: House, _: object) -> None:
        message = tells(house, person)
        (folder / "queued").write_text(message.message_id)  # from here on it may not get lost
        house.keeper.deliver(IntoFolder(folder=letters))

    scenario = Scenario(tells_and_sends, lambda house, persons: None, at("2024-03-01"))
    letters.mkdir()
    count = len(statements(copied(home, folder / "done"), scenario, {}))
    stride = max(1, effort.every[figure.engine] // 20)
    for before in range(stride // 2, count, stride):
        shutil.rmtree(letters)
        letters.mkdir()
        (folder / "queued").unlink(missing_ok=True)
        torn = copied(home, folder / "torn")
        if killed(torn, scenario, {}, before):
            figure.add(1, [f"before {before}: {one}" for one in _told_wrongly(torn, folder / "queued", letters)])


def _told_wrongly(home: Path, queued: Path, letters: Path) -> list[str]:
    found: list[str] = []
    with opened(home, at("2024-03-01") + timedelta(hours=1)) as house:
        messages = house.keeper.messages("trial")
        if queued.exists() and [one.message_id for one in messages] != [queued.read_text()]:
            found.append("a message that was acknowledged is gone")
        state = state_of(house, messages[0]) if messages else "none"
        sent = len(list(letters.iterdir()))
        if state == "sent" and not sent:
            found.append("somebody counts as told who was not")
        house.keeper.deliver(IntoFolder(folder=letters))
        if len(list(letters.iterdir())) != (sent if state != "queued" else 1):
            found.append(f"{state}: sent again")
        proved(home, house.keeper)
    return found


# ── the database goes away ──────────────────────────────────────────────────────────────────────────────────────────


def restarted(figure: Figure, folder: Path, effort: Effort) -> None:
    """The database ends in the middle of four who live on and of a sweep: a server stopped as by a failure, or on files
    the processes.
    """
    for number in range(effort.rounds):
        home = folder / f"home-{number}"
        said, failed, wrong = (served_under_load if figure.engine == "postgresql" else _killed_under_load)(home)
        figure.add(len(said) + failed, wrong)


_LIVES_ON = """
import sys
from pathlib import Path
from tests.acknowledged import BEGUN_AT, Life
from tests.trial_home import opened
home, person, mark = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
with opened(home, BEGUN_AT) as house:
    life = Life.of(house, person, mark)
    for turn in range(100_000):
        life.turn(turn, lambda said: print(said, flush=True))
"""
_SWEEPS = """
import sys
from pathlib import Path
from tests.acknowledged import BEGUN_AT
from tests.trial_home import opened
with opened(Path(sys.argv[1]), BEGUN_AT) as house:
    print("sweeps", flush=True)
    house.keeper.sweep()
"""


def _killed_under_load(home: Path) -> tuple[list[str], int, list[str]]:
    names = [f"client-{number}" for number in range(CLIENTS)]
    with opened(home, MADE_AT) as house:
        persons = peopled(house, names, LEAVERS)
    path = {**os.environ, "PYTHONPATH": "src"}

    def started(program: str, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", program, str(home), *words]
        one = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=path)
        assert one.stdout is not None
        firsts.append(one.stdout.readline())
        return one

    firsts: list[str] = []
    running = [started(_LIVES_ON, person, mark) for person, mark in zip(persons, names, strict=True)]
    running.append(started(_SWEEPS))
    time.sleep(0.7)
    for one in running:
        one.send_signal(signal.SIGKILL)
    said = [line.strip() for line in firsts[:-1]]
    for one in running:
        said += one.communicate()[0].split("\n")[:-1]
    with opened(home, BEGUN_AT) as house:
        wrong = not_ended(home, house, LEAVERS)
        proved(home, house.keeper)
        wrong += missing(home, house, said)
    return said, CLIENTS + 1, wrong


def connection_lost(figure: Figure, folder: Path, effort: Effort) -> None:
    """Every connection to the database is ended before a statement; the same process goes on. Files have none."""
    if figure.engine == "sqlite":
        return
    far, near = effort.every["postgresql"], max(1, effort.every["postgresql"] // 12)
    short = dict.fromkeys(("collect", "withdraw", "read", "provide", "enter", "correct"), near)
    one = dict.fromkeys(ONE_MESSAGE, max(1, near // 2))
    for name, stride in {"sweep": far, "revived": far, "erase": 2 * near, **short, **one}.items():
        trial, places = prepared(folder / name, name)
        for before in range(1, len(places), stride):
            home = copied(trial.prepared, folder / "cut")
            if not cut(trial, home, before):
                break
            figure.add(1, [f"{name} before {before}: {one}" for one in trial.finish(home)])


def line_cut(figure: Figure, folder: Path, effort: Effort) -> None:
    """The line is cut after some byte of what is said, or of what is answered; the same process goes on."""
    if figure.engine == "postgresql":
        figure.add(*cut_anywhere(os.environ[postgres.ADDRESS], folder, 2 + effort.rounds * 2))


# ── no room ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def disk_full(figure: Figure, folder: Path, effort: Effort) -> None:
    """Somebody writes until there is no room, and on; then room is made. What was refused was not done by half."""
    for number in range(max(1, effort.rounds // 4)):
        with small_disk(folder / f"disk-{number}", figure.engine) as disk:
            _filled(figure, disk.home, disk.fill, disk.make_room)


def _filled(figure: Figure, home: Path, fill: Callable[[], None], make_room: Callable[[], None]) -> None:
    persons = furnished(home, WITH_NEWS)
    fill()
    said: list[str] = []
    wrong: list[str] = []
    refused: Counter[str] = Counter()
    with opened(home, SWEEP_DAY) as house:
        house.keeper.consent(persons["stayer"], "provision/mall", channel="website")
        life = Life.of(house, persons["stayer"], "stayer")
        for turn in range(400):
            for act, does in _acts_of(house, life, turn).items():
                try:
                    said += does()
                except NotRecorded:
                    refused[act] += 1
                except Exception as failure:  # noqa: BLE001 - anything but the one clear error is what is looked for
                    wrong.append(f"{act} of turn {turn} said {type(failure).__name__}: {failure}")
            if refused.total() > 60:
                break
        wrong += [f"the disk never was too full to {act}" for act in _FULL if not refused[act]]
        with suppress(StoreFailed):
            house.keeper.sweep()
    make_room()
    with opened(home, SWEEP_DAY) as house:
        if not house.keeper.collect(persons["stayer"], "service", {"name": "after"}).granted:
            wrong.append("nothing goes on when there is room")
        house.keeper.sweep()
        state = whole_state(home, house.keeper)
        wrong += [f"step {one} stays open" for one in state["steps"]]
        proved(home, house.keeper)
        wrong += missing(home, house, said)
    told = {one.removeprefix("text ") for one in said}
    turned = [one for one in texts_in(home, "name", "email") if one.startswith("turn")]
    wrong += [f"{one[:12]} is there though it was refused" for one in turned if one not in told]
    figure.add(refused.total() + len(said), wrong)


_FULL: Final = ("collect", "look up", "read", "batch", "provide", "tell")


def _acts_of(house: House, life: Life, turn: int) -> dict[str, Callable[[], list[str]]]:
    """What is tried while the disk fills; each says what was done."""
    name, email = (f"turn-{turn}-{one}-{'x' * 3_000}@example.org" for one in ("n", "e"))
    acts: dict[str, Callable[[], list[str]]] = {
        "collect": lambda: [f"text {name}"] if life.collect("name", name) else [],
        "look up": lambda: [f"text {email}"] if life.collect("email", email) else [],
        "read": lambda: ["read stayer"] if life.read() else [],
        "batch": lambda: ["read stayer"] if life.read_batch() else [],
    }
    if turn % 4 == 0:
        acts["provide"] = lambda: ["provided"] if house.keeper.provide(life.person, "mall", ("phone",)).granted else []
        acts["tell"] = lambda: [f"told {tells(house, life.person, f'turn-{turn}').message_id}"]
    return acts


# ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def clock_back(figure: Figure, folder: Path, effort: Effort) -> None:
    """The clock of the machine jumps back by minutes to years while a process runs, or between two processes."""
    home = folder / "home"
    persons = furnished(home)
    clock = LeapingClock(instant(SWEEP_DAY))
    with upheld.open(home, _under(clock)) as keeper:
        keeper.sweep(confirm_clock=True)
        keeper.withdraw(persons["stayer"], "purpose/offers", channel="website")
        keeper.seal()
    whole = _standing(home, persons, clock)
    for minutes in (1, 60, 1_440, 40_000, 500_000, 2_000_000)[: 2 + effort.rounds]:
        torn = copied(home, folder / "back")
        figure.add(1, [f"{minutes} minutes back: {one}" for one in _lived_back(torn, persons, minutes, whole)])


def _under(clock: LeapingClock) -> upheld.Options:
    return upheld.Options(clock=clock, light_hashing=True, look_up={"trial": ["email", "phone"]})


@dataclass(frozen=True)
class Standing:
    """What is granted, what is due when, what opens."""

    reads: dict[tuple[str, str], bool]
    due: dict[tuple[str, ValueId], list[Instant]]
    opens: dict[ValueId, list[str]]


USES: Final = (("service", "name"), ("service", "email"), ("offers", "phone"))


def _standing(home: Path, persons: Persons, clock: LeapingClock) -> Standing:
    there = {who: person for who, person in persons.items() if who != "gone"}
    with upheld.open(home, _under(clock)) as keeper:
        desk = keeper.application("desk")
        reads = {
            (who, item): keeper.read(person, purpose, reader=desk, items=(item,)).granted
            for who, person in there.items()
            for purpose, item in USES
        }
        due = {
            (who, value.value_id): [ground.until.at for ground in seen.view.life.grounds(value)]
            for who, person in there.items()
            for seen in [keeper.views.get(person, instant(SWEEP_DAY))]
            for value in seen.state.values
        }
    opens = {value: sorted(tiers.values()) for value, tiers in readable(home, rows_in(home)).items()}
    return Standing(reads, due, opens)


def _lived_back(home: Path, persons: Persons, minutes: int, whole: Standing) -> list[str]:
    start = instant(SWEEP_DAY)
    clock = LeapingClock(start)
    wrong: list[str] = []
    with upheld.open(home, _under(clock)) as keeper:
        clock.shows = Instant(start - minutes * 60_000_000)
        clock.passed = 1.0
        again = keeper.sweep()
        wrong += ["something was destroyed"] if again.destroyed else []
        keeper.seal()
    now = _standing(home, persons, clock)
    wrong += [f"{key} is readable again" for key, granted in now.reads.items() if granted > whole.reads[key]]
    wrong += [f"{key} is refused" for key, granted in now.reads.items() if granted < whole.reads[key]]
    wrong += ["a content differs or is readable again"] if now.opens != whole.opens else []
    wrong += ["a deadline moved"] if now.due != whole.due else []
    with upheld.open(home, _under(clock)) as keeper:
        stayer, desk = persons["stayer"], keeper.application("desk")
        keeper.read(stayer, "service", reader=desk, items=("name",))  # known from here on: what follows goes straight
        before = keeper.views.get(stayer, clock.now()).last_at
        taken = keeper.collect(stayer, "service", {"email": "taken@example.org"})
        if not taken.granted:
            wrong.append("nothing is taken under the earlier clock")
        state = keeper.views.get(stayer, clock.now()).state
        begun = [one.collected_at for one in state.values if (one.value_id,) in taken.values.values()]
        wrong += ["what was taken is dated before what was known" for at in begun if at < before]
        keeper.consent(stayer, "purpose/offers", channel="website")
        keeper.withdraw(stayer, "purpose/offers", channel="website")
        if keeper.read(stayer, "offers", reader=desk, items=("phone",)).granted:
            wrong.append("what was taken back under the earlier clock is disclosed")
        keeper.seal()
        clock.shows = start
        proved(home, keeper)
    due = _standing(home, persons, clock).due
    wrong += ["the clock is right again and a deadline moved" for one in whole.due if due.get(one) != whole.due[one]]
    return wrong


def facts_again(figure: Figure, folder: Path, effort: Effort) -> None:
    """Facts come late, in any order, twice and more: the same end as told once, in order."""
    chance = Random(7)
    template = folder / "template"
    system.init(template, upheld.Options(clock=upheld.SetClock(day("2018-07-01")), light_hashing=True))
    clock = upheld.SetClock(day("2018-07-01"))
    with upheld.open(template, upheld.Options(clock=clock, light_hashing=True)) as keeper:
        keeper.publish(POLICIES / BIZMEKA)
    for _ in range(effort.rounds * 4):
        facts = [(chance.choice(CODES), chance.randrange(40 * 24)) for _ in range(5)]
        days = chance.choice((1, 100, 700, 2_600))
        plain = list(range(len(facts)))
        mixed = plain + [chance.randrange(len(facts)) for _ in range(5)]
        chance.shuffle(mixed)
        once, again = (_told(template, folder, facts, order, days) for order in (plain, mixed))
        figure.add(len(mixed), [] if once == again else [f"{facts} in the order {mixed}: {again} instead of {once}"])


def _told(template: Path, folder: Path, facts: list[tuple[str, int]], order: list[int], days: int) -> object:
    with lived(template, folder) as one:
        begun = one.clock.now()
        one.to("2018-10-01")
        for number in order:
            code, hours = facts[number]
            one.tell(code, Instant(begun + hours * HOUR), source="billing", key=f"k{number}")
            if len(order) > len(facts):
                one.state()  # everything is read in between: what is known of the person stays in memory
        one.clock.set(Instant(one.clock.now() + days * 24 * HOUR))
        one.keeper.sweep()
        return one.state(), len(one.entries("fact.recorded"))


# ── nonsense ────────────────────────────────────────────────────────────────────────────────────────────────────────


def malformed_inputs(figure: Figure, folder: Path, effort: Effort) -> None:
    """Documents, bodies of the API, arguments of the command line and facts that make no sense."""
    for kind, share in malformed.SHARES.items():
        tried, wrong = malformed.KINDS[kind](folder / kind, int(effort.inputs * share))
        figure.add(tried, [f"{kind}: {one}" for one in wrong])


# ── the table ───────────────────────────────────────────────────────────────────────────────────────────────────────

FAULTS: Final[Mapping[str, Callable[[Figure, Path, Effort], None]]] = {
    **dict.fromkeys(KILLED, killed_in),
    "killed in a notice": killed_telling,
    "database ends under load": restarted,
    "connection lost in a transaction": connection_lost,
    "line cut in a message": line_cut,
    "disk full": disk_full,
    "clock jumps back": clock_back,
    "facts twice and late": facts_again,
    "malformed inputs": malformed_inputs,
}
PAGE: Final = Path(__file__).parent.parent / "docs" / "faults.md"
_ROW: Final = r"^\| [^|]+ \| (?:sqlite|postgresql) \|.*\|$"
HEAD: Final = "| fault | engine | tried | lost | disclosed |\n|---|---|---|---|---|"


@contextmanager
def on(engine: str) -> Iterator[None]:
    """Inside the block homes lie on this engine."""
    if engine == "sqlite":
        yield
        return
    with postgres.server() as address, postgres.homes_on(address):
        yield


def figure_of(fault: str, engine: str, effort: Effort) -> Figure:
    """Make one fault happen on one engine, as often as the effort says."""
    figure = Figure(fault, engine)
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as scratch:
        FAULTS[fault](figure, Path(scratch), effort)
    return figure


def main(arguments: list[str]) -> int:
    """Print the table; ends with 1 when anything was lost or disclosed."""
    options = argparse.ArgumentParser(prog="python -m tests.faults")
    options.add_argument("fault", nargs="*", help="words; those faults that have one in their name")
    options.add_argument("--page", action="store_true", help="put the table into docs/faults.md")
    options.add_argument("--engine", choices=ENGINES, action="append")
    options.add_argument("--every", type=int, default=1, help="kill at every so-manieth of the statements only")
    options.add_argument("--quarter", action="store_true", help="what is known in a quarter of an hour")
    given = options.parse_args(arguments)
    effort = replace(FULL, every={engine: stride * given.every for engine, stride in FULL.every.items()})
    effort = QUARTER if given.quarter else effort
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    rows: list[str] = []
    print(HEAD, flush=True)
    bad = False
    for engine in given.engine or ENGINES:
        with on(engine):
            for fault in FAULTS:
                if given.fault and not any(one in fault for one in given.fault):
                    continue
                figure = figure_of(fault, engine, effort)
                bad |= bool(figure.said)
                if figure.tried:
                    rows.append(figure.row())
                    print(rows[-1], flush=True)
                for one in figure.said[:20]:
                    print(f"  {one}", file=sys.stderr)
    if given.page:
        said = PAGE.read_text("utf-8")
        known = {row.rsplit("|", 4)[0]: row for row in re.findall(_ROW, said, re.MULTILINE)}
        known |= {row.rsplit("|", 4)[0]: row for row in rows}
        start, end = said.index(HEAD), said.index("\n\n", said.index(HEAD))
        wanted = (f"| {fault} | {engine} " for engine in ENGINES for fault in FAULTS)
        table = [known[one] for one in wanted if one in known]
        PAGE.write_text(said[:start] + "\n".join([HEAD, *table]) + said[end:], "utf-8")
    return int(bad)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
