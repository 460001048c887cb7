"""Requests a second through the API of a running service: one process and two, sixteen clients of their own programs.

Two workers are two services of one home, each on a port; half of the clients call each, as behind a proxy. The clients
share the cores with the service, so a figure is what the machine does in all.
"""

from __future__ import annotations

import http.client
import json
import random
import secrets
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.synchronize import Barrier
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any

from benchmarks.crowd import crowd
from benchmarks.ground import CONTENT, POLICY, Ground, Person, opened
from benchmarks.loader import load
from benchmarks.measure import Figure, shown
from upheld.keeper.applications import Duty

PROCESSES, THREADS, BATCH = 2, 8, 100
KINDS = (
    ("collect", "requests/s", 1), ("read", "requests/s", 1), (f"read of {BATCH} in one request", "values/s", BATCH),
    (f"collect of {BATCH} in one request", "values/s", BATCH),
)  # fmt: skip
Credentials = tuple[str, str]
Body = dict[str, object]


def figures(ground: Ground) -> Iterator[Figure]:
    """Collect one and a hundred, read one and a hundred."""
    home, turn = ground.home(), ground.sized(4, 2)
    with opened(home) as keeper:
        people = load(home, keeper, ground.sized(5_000, 1_000), ("name",))
        programs = [_program(keeper, number) for number in range(PROCESSES * THREADS)]
    seen: dict[str, float] = {}
    for workers in (1, 2):
        with ExitStack() as stack:
            ports = [stack.enter_context(served(home)) for _ in range(workers)]
            for kind, unit, each in KINDS:
                found = crowd(PROCESSES, calling, (kind, ports, programs, people, turn))
                rate, failed = sum(done for done, _ in found) * each / turn, sum(lost for _, lost in found)
                said = f"{failed} failed" + (f"; {rate / seen[kind]:.2f} of one worker's" if kind in seen else "")
                seen.setdefault(kind, rate)
                yield Figure(
                    name=f"API, {kind}, {workers} worker{'s' * (workers > 1)}", value=rate, unit=unit,
                    note=f"{said}; 16 clients; {shown(1e3 * PROCESSES * THREADS * each / rate)} ms each",
                )  # fmt: skip


def _program(keeper: Any, number: int) -> Credentials:
    made, secret = keeper.open_application(
        POLICY, f"bench{number}", purposes=("identity",), duties=(Duty.COLLECT, Duty.READ, Duty.SUBJECTS)
    )
    return made.application_id, secret


@contextmanager
def served(home: Path) -> Iterator[int]:
    """The service as anybody starts it, on a port of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "upheld.cli", "serve", "--home", str(home), "--port", str(port)]
    service = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert service.poll() is None, "the service did not start"
                assert monotonic() < until, "the service did not answer"
                time.sleep(0.1)
        yield port
    finally:
        service.terminate()
        service.wait(60)


def calling(
    kind: str, ports: list[int], programs: list[Credentials], people: list[Person], turn: float, ready: Barrier
) -> tuple[int, int]:
    """How many calls the threads of one process got answered, and how many they did not."""
    done, failed = [0] * THREADS, [0] * THREADS
    number = secrets.randbelow(1 << 30)
    clients = [_Client(ports[one % len(ports)], programs[(number + one) % len(programs)]) for one in range(THREADS)]
    for one in range(min(len(ports), THREADS)):  # each worker has met everybody before it is measured
        for start in range(0, len(people), BATCH):
            assert clients[one].post("/read", _reading(people[start : start + BATCH]))
    ready.wait(300)
    until = monotonic() + turn

    def work(one: int) -> None:
        chosen = random.Random(number + one)
        call = _call(kind, people, chosen)
        while monotonic() < until:
            if clients[one].post(*call()):
                done[one] += 1
            else:
                failed[one] += 1

    threads = [Thread(target=work, args=(one,)) for one in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done), sum(failed)


def _call(kind: str, people: list[Person], chosen: random.Random) -> Callable[[], tuple[str, Body]]:
    def entry() -> Body:
        return {"purpose": "identity", "items": {"contact": CONTENT}, "channel": "website"}

    def collect() -> tuple[str, Body]:
        return f"/subjects/{chosen.choice(people)[0]}/collect", entry()

    def read() -> tuple[str, Body]:
        body: Body = {"purpose": "identity", "items": ["name"], "use": "identify"}
        return f"/subjects/{chosen.choice(people)[0]}/read", body

    def read_many() -> tuple[str, Body]:
        return "/read", _reading(chosen.sample(people, BATCH))

    def collect_many() -> tuple[str, Body]:
        return "/collect", {"entries": [{"subject": who, **entry()} for who, _ in chosen.sample(people, BATCH)]}

    calls = (collect, read, read_many, collect_many)
    return dict(zip((name for name, _, _ in KINDS), calls, strict=True))[kind]


def _reading(people: list[Person]) -> Body:
    some = [{"subject": who, "value": str(values[0])} for who, values in people]
    return {"purpose": "identity", "values": some, "use": "identify"}


class _Client:
    """One connection that stays open, with a token of its own program."""

    def __init__(self, port: int, program: Credentials) -> None:
        self._wire = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        basic = b64encode(":".join(program).encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
        self._wire.request("POST", "/v1/token", "grant_type=client_credentials", headers)
        token = json.loads(self._wire.getresponse().read())["access_token"]
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def post(self, path: str, body: Body) -> bool:
        """Whether it was answered with success. A connection that ended is made anew, and the call goes out once more
        under its key, as that of `upheld.client` does: it is done once or not at all.
        """
        headers = {**self._headers, "Idempotency-Key": secrets.token_hex(16)}
        try:
            return self._answered(path, body, headers)
        except ConnectionError:
            self._wire.close()
            return self._answered(path, body, headers)

    def _answered(self, path: str, body: Body, headers: dict[str, str]) -> bool:
        self._wire.request("POST", f"/v1{path}", json.dumps(body), headers)
        answer = self._wire.getresponse()
        answer.read()
        return answer.status < 300
