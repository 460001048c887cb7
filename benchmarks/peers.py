"""The same operations by other libraries, side by side in one run, each on its own database, as durable as ours.

None of them does what the others do: `cedarpy` and `pycasbin` decide and store nothing; `effaced` and `dpdpkit` record
consents and erase rows, and neither decides a read nor encrypts a value. `effaced` cannot run on SQLite: its audit has
to wait for a lock that its caller holds. `ethyca-fides` 2.78.2 finds a person in connected systems and masks: on
PostgreSQL it nulls columns, keeps an encrypted copy of what it read in its own database for a week, encrypts nothing
where the values lie and certifies nothing; its strength is the many kinds of systems that it reaches. Its service is
called in its own process with a Redis, its tasks run at once, so no HTTP, no worker and no poll is in the time, and the
seven values are one row, which is the least for it.

Erasing one person alone: on the same server, each commit on its disk before it is answered, from the call until the
rows are gone durably. Theirs deletes eight rows and leaves four events of its audit, each in a commit of its own, five
in all; it just loaded these persons itself. Ours are persons who came before the run; four commits: request, answer and
orders; the orders in the signed ledger; keys and tokens, in the store of keys; contents. It waits for answers awake, as
a process of one thread may; theirs asleep, as its driver does. The sweep that scrubs bytes and certifies follows
outside of the time, after every ten; whoever is erased first after it pays for plans that the server makes anew.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter

from msgspec import structs

import upheld
from benchmarks.child import Ask, child
from benchmarks.erase import SEVEN
from benchmarks.ground import POLICY, POSTGRESQL, Ground, member, members, opened
from benchmarks.measure import Figure, seconds, shown
from benchmarks.peers_fides import fides, lacking
from upheld.engine.acts import Read, RequestId
from upheld.engine.decide import decide

ROUNDS = 5
SLOW = 4, 2
"""How many persons at a time, whole and small, where one takes a large part of a second."""
LIST = Path(__file__).parent / "peers.txt"
PYTHON = "UPHELD_PEERS"
"""The variable that names a Python which has the others; without it an environment is made under `run/`."""


def figures(ground: Ground) -> Iterator[Figure]:
    """How many times as fast as each of them; the turns are taken one after the other."""
    python, home = _python(), ground.home()
    with opened(home) as keeper, ExitStack() as stack:
        libraries = ["cedarpy", "pycasbin", "dpdpkit", *(["effaced"] if ground.engine == POSTGRESQL else [])]
        peers = {name: stack.enter_context(peer(ground, python, name)) for name in libraries}
        ours = _ours(ground, keeper)
        for operation, names, times in (
            ("decide", ("cedarpy", "pycasbin", "dpdpkit"), ground.sized(1_000, 200)),
            ("consent", ("effaced", "dpdpkit"), ground.sized(50, 15)),
            ("erase", ("effaced",), ground.sized(10, 4)),
            ("erase_together", ("effaced",), ground.sized(40, 10)),
        ):
            for name in names:
                if name in peers:
                    yield _faster(name, operation, times, ours[operation], peers[name])
        if ground.engine == POSTGRESQL:
            yield from _beside_fides(ground, ours["erase"])


def _beside_fides(ground: Ground, ours: Callable[[int], float]) -> Iterator[Figure]:
    """None where it is not to be had; then a line says how to get it."""
    if missing := lacking():
        print(missing, flush=True)
        return
    with fides(ground) as ask:
        figure = _faster("ethyca-fides", "erase", ground.sized(*SLOW), ours, ask)
        said = f"{figure.note}; it executes {ask('statements', 1):.0f} statements for it"
    yield structs.replace(figure, note=said)


def _faster(name: str, operation: str, times: int, ours: Callable[[int], float], its: Ask) -> Figure:
    pairs = [(ours(times) / times, its(operation, times) / times) for _ in range(ROUNDS + 1)][1:]
    mine, theirs = median(one for one, _ in pairs), median(one for _, one in pairs)
    return Figure(
        name=f"{TOLD[operation]}, beside {name}", value=median(theirs / mine for mine, theirs in pairs), unit="times",
        least=1.0, note=f"{shown(mine * 1e6)} µs against {shown(theirs * 1e6)} µs",
    )  # fmt: skip


TOLD = {
    "decide": "a decision with reasons",
    "consent": "a durable consent",
    "erase": "erase a person with seven values, until the rows are gone",
    "erase_together": "erase persons together, ours until certified, each",
}


def _ours(ground: Ground, keeper: upheld.Keeper) -> dict[str, Callable[[int], float]]:
    """The same by the verbs of the keeper. A consent shows its text; an erasure is asked for, answered, ordered in the
    sealed ledger, and destroys keys. Alone it counts until `erase` returns: keys and rows are gone, as others are done
    when their rows are, and a sweep certifies later; of many together until their bytes are gone too and each has a
    certificate.
    """
    subject, engagement = member(keeper)
    got = keeper.collect(subject, "identity", {"name": "x"}, engagement=engagement, channel="website")
    view, at = keeper.views.get(subject, keeper.now()).view, keeper.now()
    act = Read("identity", keeper.application("crm"), values=got.values["name"], use="identify")
    people = iter(members(keeper, (ROUNDS + 1) * 60, ("name",)))
    each = ground.sized(10, 4) + ground.sized(40, 10) + ground.sized(*SLOW)
    doomed = iter(members(keeper, (ROUNDS + 1) * each, SEVEN)) if ground.engine == POSTGRESQL else iter(())

    def decided(times: int) -> float:
        return seconds(lambda: [decide(act, view, at) for _ in range(times)])

    def consented(times: int) -> float:
        known = [next(people, (keeper.enter(POLICY, "member"), []))[0] for _ in range(min(times, 25))] * 4

        def give() -> None:
            for who in known[:times]:
                keeper.consent(who, "purpose/recommending", channel="website")

        return seconds(give)

    def asked(times: int) -> None:
        for _ in range(times):
            who, _ = next(doomed)
            with keeper.batch(about=(who,)):  # asked and answered in one commit
                made = keeper.request(who, "erasure", channel="website", proved=True).made
                keeper.answer(who, RequestId(made or ""), "done")

    def gone(times: int) -> float:
        some = [who for who, _ in islice(doomed, times)]
        start = perf_counter()
        for who in some:
            _, destroyed = keeper.erase(who, channel="website", proved=True)
            assert destroyed == len(SEVEN)
        taken = perf_counter() - start
        assert keeper.sweep().destroyed == len(SEVEN) * times  # scrubbed and certified, as others do not
        return taken

    def certified(times: int) -> float:
        start = perf_counter()
        asked(times)
        assert keeper.sweep().destroyed == len(SEVEN) * times
        return perf_counter() - start

    return {"decide": decided, "consent": consented, "erase": gone, "erase_together": certified}


def peer(ground: Ground, python: str, name: str) -> AbstractContextManager[Ask]:
    """Another library in a process of its own."""
    address = [ground.database(f"peer_{name}")] if ground.address else []
    return child(name, [python, str(LIST.with_name("peers_child.py")), name, *address], ground.folder)


def _python() -> str:
    """A Python that has the others, made when it is not there."""
    named = os.environ.get(PYTHON)
    if named:
        return named
    folder = LIST.parent.parent / "run" / "peers"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--requirement", LIST], check=True)
    return str(python)
