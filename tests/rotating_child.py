"""What a rotation of keys is tried against, in processes of their own.

python -m tests.rotating_child works HOME STOP     reads and writes until the file STOP is there; says how often
python -m tests.rotating_child comes HOME STOP     people come and are looked up until STOP is there; says who came
python -m tests.rotating_child killed HOME AT      rotates and kills itself before the AT-th commit of the key store
python -m tests.rotating_child late HOME GO        opens, waits for the file GO, writes; says what became of it
python -m tests.rotating_child handed HOME AT      hands the signing key over and kills itself at step AT
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import upheld
from tests.served import text_of
from tests.trial_home import at
from upheld import rotating
from upheld.engine.acts import Reader, ReaderKind, SubjectId
from upheld.errors import StoreFailed
from upheld.store import key_files
from upheld.store.place import Place, Transaction
from upheld.store.sealing import Sealer

READER = Reader(ReaderKind.APPLICATION, "worker")
WHEN = at("2024-09-08")
EXCHANGED = 10
"""The first of the steps at which the key that guards journals is exchanged."""


def options() -> upheld.Options:
    return upheld.Options(clock=upheld.SetClock(WHEN), light_hashing=True)


def works(home: Path, stop: Path) -> None:
    """Persons come, give, are read, looked up and keep papers, while somebody else rotates."""
    done, wrong = 0, 0
    with upheld.open(home, options()) as keeper:
        print("ready", flush=True)
        while not stop.exists():
            person = keeper.enter("trial", "member")
            keeper.begin(person, "membership")
            address = f"worker-{done}-of-{os.getpid()}@example.org"
            keeper.collect(person, "service", {"name": f"Worker {done}", "email": address}, channel="website")
            keeper.places.vault.forget_all()
            shown = keeper.read(person, "service", reader=READER, items=("name",))
            wrong += list(shown.texts.values()) != [f"Worker {done}"]
            wrong += keeper.lookup("trial", "email", address, reader=READER, reason="sign-in") != (person,)
            with keeper.batch():
                keeper.consent(person, "purpose/offers", channel="website")
                keeper.withdraw(person, "purpose/offers", channel="website")
            paper = keeper.file_paper("trial", "letters", b"shown", owner=person, until=at("2025-01-01"))
            wrong += keeper.paper("trial", paper) != b"shown"
            done += 1
            time.sleep(0.002)
    print(json.dumps({"done": done, "wrong": wrong}), flush=True)


def comes(home: Path, stop: Path) -> None:
    """Whoever comes is found at once and later, by the e-mail of now and of nobody before."""
    wrong, came = 0, dict[str, str]()
    with upheld.open(home, options()) as keeper:
        print("ready", flush=True)
        while not stop.exists():
            person = keeper.enter("trial", "member")
            keeper.begin(person, "membership")
            address = f"comer-{len(came)}-of-{os.getpid()}@example.org"
            taken = keeper.collect(person, "service", {"name": "Comer", "email": address}, channel="website")
            if len(came) % 4 == 3:
                address = f"moved-{address}"
                keeper.correct(person, taken.values["email"][0], address)
            came[address] = person
            for one in list(came)[:: max(1, len(came) // 4)]:
                wrong += keeper.lookup("trial", "email", one, reader=READER, reason="sign-in") != (came[one],)
    print(json.dumps({"came": came, "wrong": wrong}), flush=True)


def late(home: Path, go: Path) -> None:
    """A process that has not heard of a rotation: it was asleep, or it can't ask again for its keys."""
    told: dict[str, object] = {}
    with upheld.open(home, options()) as keeper:
        print("ready", flush=True)
        while not go.exists():
            time.sleep(0.005)
        try:
            told["wrote"] = keeper.enter("trial", "member") is not None
        except StoreFailed as failure:
            told["refused"] = str(failure)
    print(json.dumps(told), flush=True)


def killed(home: Path, persons: dict[str, SubjectId]) -> None:
    """Rotates, killed before the first commit of the key store, then before the second, until it comes through. After
    each kill everything is read. There are no threads, so it may fork.
    """
    point, wrong = 0, []
    while True:
        point += 1
        child = os.fork()
        if child == 0:
            _rotate_until(home, point)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        wrong += [f"{point}: {who}" for who in unread(home, persons)]
        if os.WIFEXITED(status):
            print(json.dumps({"kills": point - 1, "wrong": wrong, "ended": os.WEXITSTATUS(status)}), flush=True)
            return


def _rotate_until(home: Path, point: int) -> None:
    reached = 0
    commit = Place._commit

    def counted(place: Place, transaction: Transaction) -> None:
        nonlocal reached
        if place.name == "keys":
            reached += 1
            if reached == point:
                os.kill(os.getpid(), signal.SIGKILL)
        commit(place, transaction)

    Place._commit = counted  # type: ignore[method-assign,assignment]  # for this process only
    with upheld.open(home, options()) as keeper:
        list(rotating.rotate_roots(home, keeper))


def unread(home: Path, persons: dict[str, SubjectId]) -> list[str]:
    """Who can't be read, looked up, or lacks a paper."""
    found = []
    with upheld.open(home, options()) as keeper:
        for who in ("stayer", "asker"):
            shown = keeper.read(persons[who], "service", reader=READER, items=("name", "email"))
            if set(shown.texts.values()) != {text_of(who, "name"), text_of(who, "email")}:
                found.append(who)
            if keeper.lookup("trial", "email", text_of(who, "email"), reader=READER, reason="sign-in") != (
                persons[who],
            ):
                found.append(f"look-up of {who}")
        papers = keeper.papers("trial", kind="staff")
        found += [one.paper_id for one in papers if keeper.paper("trial", one.paper_id) is None]
    return found


def handed(home: Path, point: int) -> None:
    """Before the key is named (1), after it is named (2), after the file has moved (3); of the key that guards journals
    before the ledger says that the old one is gone, after it, and after the file has moved.
    """
    steps = {
        EXCHANGED: (Sealer, "exchanged", False),
        EXCHANGED + 1: (Sealer, "exchanged", True),
        EXCHANGED + 2: (key_files.KeySource, "retire", True),
        1: (Sealer, "hand_over", False),
        2: (Sealer, "hand_over", True),
        3: (key_files.KeySource, "take_next_signing", True),
    }
    owner, name, after = steps[point]
    real = getattr(owner, name)

    def dies(*given: object) -> None:
        if after:
            real(*given)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, dies)
    with upheld.open(home, options()) as keeper:
        if point < EXCHANGED:
            rotating.rotate_signing(home, keeper)
        else:
            keeper.enter("trial", "member")
            list(rotating.rotate_roots(home, keeper, names=("mac.key",)))


if __name__ == "__main__":
    what, home, more = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    if what == "works":
        works(home, Path(more))
    elif what == "comes":
        comes(home, Path(more))
    elif what == "late":
        late(home, Path(more))
    elif what == "killed":
        killed(home, json.loads(more))
    else:
        handed(home, int(more))
