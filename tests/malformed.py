"""Inputs that make no sense, by chance but the same each time; what is said of them, and whether anything changed.

Each kind makes inputs until so many were refused. Wrong is: an answer that is no refusal of ours, a trace, a fault of
the server, a table that is not as it was. What by chance made sense is not counted.
"""

from __future__ import annotations

import hashlib
import json
import string
from collections.abc import Callable, Mapping
from contextlib import chdir, closing
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec
import typer
from typer.testing import CliRunner

from tests import postgres
from tests.called import Program, called
from tests.homes import connection_to, databases
from tests.trial_home import SWEEP_DAY, furnished, opened
from upheld import cli
from upheld.desk.throttle import Limit
from upheld.errors import PolicyRefused, UpheldError
from upheld.policy.read import read_policy
from upheld.web.api.edge import LARGEST_BODY
from upheld.web.api.routes import ROWS
from upheld.web.api.row import Row

GOOD: Final = [path.read_bytes() for path in sorted((Path(__file__).parent / "documents" / "good").glob("*.yaml"))]
SHARES: Final[Mapping[str, float]] = {"documents": 0.4, "bodies": 0.3, "facts": 0.2, "arguments": 0.1}
KEPT_ANYWAY: Final = frozenset(
    {"journal", "stream_head", "meta", "attempt", "given_answer", "application_token", "anchor"}
)
"""What may grow by a refusal: evidence of it, counters of tries, answers under a key."""
LOOK_EVERY: Final = 100


_OF_A_FILE: Final = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"


def digest_of(home: Path) -> str:
    """All rows of all tables that a refusal may not touch."""
    found = hashlib.sha256()
    for place in ("active", "separated", "keys"):
        with closing(connection_to(home / f"{place}.db")) as connection:
            own = connection.execute(_OF_A_FILE).fetchall() if not databases(home) else []
            for table in [name for (name,) in own] or postgres.tables(connection):
                if table not in KEPT_ANYWAY and not (place == "keys" and table.endswith("_key")):
                    for row in sorted(map(repr, connection.execute(f"SELECT * FROM {table}"))):
                        found.update(f"{place}.{table} {row}\n".encode())
    return found.hexdigest()


class Watched:
    """A home that is looked at now and then, and whenever something was allowed."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.before = digest_of(home)
        self.wrong: list[str] = []
        self.refused = 0

    def refusal(self, said: str = "") -> None:
        """One more; `said` is what was wrong with how it was refused."""
        self.refused += 1
        if said:
            self.wrong.append(said)
        if self.refused % LOOK_EVERY == 0:
            self.look()

    def allowed(self) -> None:
        """By chance it made sense: what changed by it is how the home stands now."""
        self.before = digest_of(self.home)

    def look(self) -> None:
        """Whether all is as it was."""
        now = digest_of(self.home)
        if now != self.before:
            self.wrong.append(f"the home changed among the {LOOK_EVERY} before number {self.refused}")
        self.before = now


# ── documents ───────────────────────────────────────────────────────────────────────────────────────────────────────


def documents(folder: Path, number: int) -> tuple[int, list[str]]:
    """Good documents with pieces cut out, doubled, exchanged or made noise; a few are published too."""
    chance = Random(11)
    home = folder / "home"
    furnished(home)
    with opened(home, SWEEP_DAY) as house:
        watched = Watched(home)
        while watched.refused < number:
            source = _broken(chance, chance.choice(GOOD))
            try:
                if chance.random() < 0.05:
                    house.keeper.publish(source, as_of=SWEEP_DAY.date(), evidence="noise", dry_run=True)
                else:
                    read_policy(source, "noise.yaml")
            except PolicyRefused as refused:
                watched.refusal("" if refused.problems and all(one.line for one in refused.problems) else "no place")
            except UpheldError:
                watched.refusal()
            except Exception as failure:  # noqa: BLE001 - anything else is what is looked for
                watched.refusal(f"{type(failure).__name__}: {failure} for {source[:60]!r}")
        watched.look()
    return watched.refused, watched.wrong


def _broken(chance: Random, source: bytes) -> bytes:
    """A document with one to four pieces of it changed."""
    broken = bytearray(source)
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(broken) + 1)
        end = min(len(broken), start + chance.choice((1, 2, 8, 60)))
        piece = bytes(broken[start:end])
        match chance.randrange(6):
            case 0:
                broken[start:end] = b""
            case 1:
                broken[start:end] = piece * chance.choice((2, 40))
            case 2:
                broken[start:end] = chance.randbytes(len(piece))
            case 3:
                broken[start:end] = chance.choice(
                    (b"\t", b"]", b"{", b"&a *a", b"!!python/object:os.system", b"<<: *b", b"\x00")
                )
            case 4:
                broken[start:end] = piece[::-1]
            case _:
                broken[start:end] = chance.choice(("é", "\u2028", "9" * 400, "1e999", "-", "null")).encode()
    return bytes(broken)


# ── the API ─────────────────────────────────────────────────────────────────────────────────────────────────────────

NONSENSE: Final[tuple[Any, ...]] = (
    None, True, -1, 0.1, 2**70, "", " ", "\x00", "a" * 5_000, "\u202e", "'; DROP TABLE value; --", "../../etc/passwd",
    [], {}, [[]], {"a": {"b": []}}, ["x"] * 300, "9999-99-99", "0000-00-00T00:00:00Z", "{{7*7}}", "\ud7ff",
)  # fmt: skip


def bodies(folder: Path, number: int) -> tuple[int, list[str]]:
    """Calls of every address with bodies, queries and keys that make no sense; the token is good."""
    chance = Random(13)
    with called(folder / "home") as shop:
        shop.house.settings.allowance.limit = Limit("api", 10_000_000, 1)
        watched = Watched(folder / "home")
        while watched.refused < number:
            row = chance.choice(ROWS)
            answer = _call(chance, shop, row)
            if answer.status_code < 400:
                watched.allowed()
                continue
            named = answer.headers.get("content-type", "")
            said = "" if answer.status_code < 500 and "json" in named else f"{row.name}: {answer.status_code} {named}"
            watched.refusal(said or ("a trace" if "Traceback" in answer.text else ""))
        watched.look()
    return watched.refused, watched.wrong


def _call(chance: Random, shop: Program, row: Row) -> Any:
    person = chance.choice([shop.house.persons["stayer"], "a" * 20, "nobody", "%00", "é", "-" * 300])
    path = "/v1" + row.path.replace("{subject}", person).replace(
        "{certificate}", chance.choice(["a" * 20, "%2e%2e", "?"])
    )
    names = [one.name for one in msgspec.structs.fields(row.takes)] or ["any"]
    wanted = {name: chance.choice(NONSENSE) for name in names if chance.random() < 0.8}
    if chance.random() < 0.3:
        wanted["".join(chance.choices(string.ascii_letters, k=6))] = chance.choice(NONSENSE)
    content = json.dumps(wanted).encode()
    match chance.randrange(8):
        case 0:
            content = content[: len(content) // 2]
        case 1:
            content = chance.randbytes(60)
        case 2:
            content = b"[" * 20_000
        case 3:
            content = b"x" * (LARGEST_BODY + 1)
        case 4:
            content = json.dumps(chance.choice(NONSENSE)).encode()
        case _:
            pass
    headers = {**shop.headers, "content-type": chance.choice(["application/json"] * 5 + ["text/plain", "", "a/b; c"])}
    if chance.random() < 0.3:
        headers["idempotency-key"] = chance.choice(["", "x", "k" * 300, "'--", "good-key-0001"])
    query = {"limit": chance.choice(["-1", "x", "1e9"]), "after": "?"} if row.method == "GET" else {}
    return shop.client.request(row.method, path, content=content, headers=headers, params=query)


# ── facts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def facts(folder: Path, number: int) -> tuple[int, list[str]]:
    """Facts of nobody, of no code, of the future, about no engagement, and deliveries under keys in conflict."""
    chance = Random(17)
    home = folder / "home"
    persons = furnished(home)
    with opened(home, SWEEP_DAY) as house:
        keeper = house.keeper
        keeper.fact(persons["stayer"], "closed", at=SWEEP_DAY - timedelta(hours=1), source="billing", key="taken")
        watched = Watched(home)
        texts = ["", "x", "closed ", "Closed", "\x00", "é" * 50, "closed;", "a" * 20, "billing"]
        while watched.refused < number:
            given: dict[str, Any] = {
                "at": SWEEP_DAY + timedelta(days=chance.choice((1, 400, 40_000))) if chance.random() < 0.5 else None,
                "engagement": chance.choice((None, *texts)),
                "about": chance.choice((None, None, *texts)),
                "source": "billing" if chance.random() < 0.5 else None,
            }
            given["key"] = chance.choice(["taken", "", "x" * 3_000]) if given["source"] else None
            person = chance.choice([persons["stayer"], persons["leaver"], *texts])
            try:
                done = keeper.fact(person, chance.choice(["closed", *texts]), **given)  # type: ignore[arg-type]  # malformed on purpose
            except UpheldError:
                watched.refusal()
            except Exception as failure:  # noqa: BLE001 - anything else is what is looked for
                watched.refusal(f"{type(failure).__name__}: {failure} for {given}")
            else:
                watched.allowed() if done.granted else watched.refusal()
        watched.look()
    return watched.refused, watched.wrong


# ── the command line ────────────────────────────────────────────────────────────────────────────────────────────────

LEFT_OUT: Final = frozenset({"serve", "simulate", "test", "new", "init", "recover", "sweep", "seal", "prune"})
"""Commands that go on for long, make something elsewhere, or take no argument but the home and do what they are for."""


def arguments(folder: Path, number: int) -> tuple[int, list[str]]:
    """Every command with options, values and files that make no sense."""
    chance = Random(19)
    home = folder / "home"
    furnished(home)
    noise = folder / "noise"
    noise.write_bytes(chance.randbytes(500))
    room = folder / "room"
    room.mkdir()
    known = _commands(typer.main.get_command(cli.app), ())
    watched = Watched(home)
    runner = CliRunner()
    while watched.refused < number:
        names, command = chance.choice(known)
        given = [*names, *_words(chance, command, home, noise)]
        with chdir(room):  # a copy of the home may be made here, under a name that makes no sense
            done = runner.invoke(cli.app, given, input="")
        if done.exit_code == 0:
            watched.allowed()
            continue
        calm = done.exception is None or isinstance(done.exception, (SystemExit, OSError, *cli.TOLD))
        said = (
            ""
            if calm and "Traceback" not in done.output
            else f"{given}: {type(done.exception).__name__} {done.exception}"
        )
        watched.refusal(said)
    watched.look()
    return watched.refused, watched.wrong


def _commands(group: Any, names: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    """Every command with the words that lead to it; the library keeps its classes to itself."""
    if not hasattr(group, "commands"):
        return [(names, group)]
    found: list[tuple[tuple[str, ...], Any]] = []
    for name, one in group.commands.items():
        if name not in LEFT_OUT:
            found += _commands(one, (*names, name))
    return found


def _words(chance: Random, command: Any, home: Path, noise: Path) -> list[str]:
    values = [
        "",
        "x",
        "-1",
        "9" * 40,
        "\u202e",
        "P0",
        "2024-13-45",
        "é",
        "..",
        str(noise),
        str(home),
        "/nowhere",
        "trial",
    ]
    found: list[str] = []
    for one in command.params:
        option = one.param_type_name == "option"
        if "--home" in one.opts:
            found += ["--home", str(home)] if chance.random() < 0.8 else ["--home", chance.choice(values)]
        elif chance.random() < 0.6:
            found += [one.opts[0]] if option else []
            found += [] if option and one.is_flag else [chance.choice(values)]
    return [*found, *(["--nonsense"] if chance.random() < 0.2 else [])]


KINDS: Final[Mapping[str, Callable[[Path, int], tuple[int, list[str]]]]] = {
    "documents": documents, "bodies": bodies, "facts": facts, "arguments": arguments,
}  # fmt: skip
