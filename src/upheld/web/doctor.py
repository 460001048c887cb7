"""What is misconfigured in a home, plainly: each thing looked at, with what to do where it does not hold."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from shutil import disk_usage

from psycopg.conninfo import conninfo_to_dict

from upheld.errors import UpheldError
from upheld.keeper import Keeper
from upheld.ledger.checkpoint import checkpoint_in
from upheld.store import distribution, grants, history, schema
from upheld.store.postgres import PostgresConnection
from upheld.store.rotation import before_of
from upheld.store.tls import CHECKED, mode_of
from upheld.store.vault import Tier
from upheld.system import SECRETS, SystemClock, open_home, settings_of
from upheld.web.health import readiness

SEALED_WITHIN = 3600
"""Ours: seconds after which a home that works should have sealed again."""
CLOCKS_APART = 5
"""Ours: seconds by which the clocks of this machine and a database may differ."""
LEAST_FREE = 1024**3
"""Ours: bytes of disk under which writing is in danger."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. Where it holds, `remedy` is what could be better still, and mostly empty."""

    what: str
    holds: bool
    says: str
    remedy: str = ""


def examined(home: Path) -> Iterator[Finding]:
    """Everything that can be looked at. A home that does not open ends the list with why."""
    settings = settings_of(home)
    databases: dict[str, str] = settings.get("databases") or {}
    yield from _secrets(home)
    yield _disk(home)
    yield _apart(databases)
    yield from _connections(databases)
    yield from _servers(databases)
    if settings.get("distributed"):
        yield from _laid_out(databases)
    try:
        with open_home(home) as keeper:
            yield from _open(keeper)
    except UpheldError as failure:
        yield Finding("opening", False, str(failure), "mend this first; nothing else can be looked at")


def _secrets(home: Path) -> Iterator[Finding]:
    folder = home / SECRETS
    for path in [folder, *sorted(folder.glob("*"))] if folder.exists() else []:
        mode = stat.S_IMODE(path.stat().st_mode)
        closed = mode & 0o077 == 0
        remedy = "" if closed else f"chmod {'700' if path.is_dir() else '600'} {path}"
        yield Finding("key files", closed, f"{path.relative_to(home)} has mode {mode:o}", remedy)
        ours = path.stat().st_uid == os.geteuid()
        remedy = "" if ours else f"chown it to the user of the service, or run this as that user: {path}"
        if not ours:
            yield Finding("key files", False, f"{path.relative_to(home)} belongs to another user", remedy)
    if not folder.exists():
        yield Finding("key files", True, "no key files here; keys come from the environment")


def _disk(home: Path) -> Finding:
    free = disk_usage(home).free
    enough = free >= LEAST_FREE
    return Finding(
        "disk", enough, f"{free // 1024**2} MiB free", "" if enough else "make room; less than 1 GiB is left"
    )


def _apart(databases: Mapping[str, str]) -> Finding:
    """What a thief finds in one place: the keys and what they open should not lie on one machine."""
    if not databases:
        return Finding("places", True, "all places are files of this machine", "keys on another host: see stores.md")
    hosts = {name: str(conninfo_to_dict(address).get("host", "")) for name, address in databases.items()}
    beside = sorted(name for name, host in hosts.items() if name != "active" and host == hosts["active"])
    if not beside:
        return Finding("places", True, "each lies on another host than the active place")
    said = f"on the host of the active place: {', '.join(beside)}"
    return Finding("places", True, said, "move keys and ledger to hosts of their own: who takes one has not all")


def _connections(databases: dict[str, str]) -> Iterator[Finding]:
    """Databases on other hosts are reached over TLS with a certificate that is looked at."""
    for name, address in databases.items():
        mode = mode_of(address)
        safe = mode in (None, CHECKED)
        says = "on this machine" if mode is None else f"sslmode {mode}"
        remedy = "" if safe else f"say sslmode={CHECKED} in the address of `{name}`: as it is, anybody can pass for it"
        yield Finding("TLS", safe, f"`{name}`: {says}", remedy)


_CLOCK = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
_MIGHTY = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
_SETTINGS = (
    "SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit')"
)


def _servers(databases: Mapping[str, str]) -> Iterator[Finding]:
    """Each server's durability and clock, and who may do what there."""
    for name, address in databases.items():
        try:
            with closing(PostgresConnection(address, name)) as server:
                yield from _server(name, server)
                yield from _granted(name, server)
        except UpheldError as failure:
            yield Finding("server", False, str(failure), f"mend the address of `{name}` or start its server")


def _server(name: str, server: PostgresConnection) -> Iterator[Finding]:
    values = server.execute(_SETTINGS).fetchone()
    words = dict(zip(("fsync", "full_page_writes", "synchronous_commit"), values, strict=True))
    weak = [f"{word} = {value}" for word, value in words.items() if value == "off"]
    remedy = f"set {', '.join(weak).replace('off', 'on')}: a power failure loses what was acknowledged" if weak else ""
    yield Finding("durability", not weak, f"`{name}`: {', '.join(weak) or 'commits wait for the disk'}", remedy)
    apart = abs(SystemClock().now() - int(server.execute(_CLOCK).fetchone()[0])) // 1_000_000
    remedy = "" if apart <= CLOCKS_APART else "run NTP on both machines"
    yield Finding("clock", apart <= CLOCKS_APART, f"`{name}`: its server is {apart} seconds from here", remedy)
    if server.execute(_MIGHTY).fetchone()[0]:
        yield Finding(
            "grants", True, f"`{name}`: this user may do anything there", "serve as a user of one role: `upheld grants`"
        )


def _laid_out(databases: Mapping[str, str]) -> Iterator[Finding]:
    """Of a home that lies on several machines: everything is laid out, and all go by one coordinator."""
    for name in schema.PLACES:
        try:
            with closing(PostgresConnection(databases[name], name)) as server:
                own, left = distribution.on_coordinator(server), distribution.left(server, name)
        except UpheldError:
            continue  # said already
        says = "the coordinator: its locks keep writers apart" if own else "a worker, whose locks no other process asks"
        yield Finding("coordinator", own, f"`{name}`: {says}", "" if own else "give the coordinator's address to all")
        said = f"{', '.join(left[:3])} not yet laid out" if left else "all tables are laid out"
        remedy = "run `upheld distribute --citus --apply`" if left else ""
        yield Finding("distribution", not left, f"`{name}`: {said}", remedy)


def _granted(name: str, server: PostgresConnection) -> Iterator[Finding]:
    """Rights that `upheld grants` would not give."""
    wide = sorted(
        f"{role} may {right} {table}"
        for role, table, right in server.execute(grants.HELD, (name,)).fetchall()
        if (role, table, right) not in grants.rights_of(name)
    )
    remedy = "" if not wide else "revoke it; `upheld grants` prints what each role needs"
    more = f" and {len(wide) - 3} more" if len(wide) > 3 else ""
    yield Finding("grants", not wide, f"`{name}`: {', '.join(wide[:3]) + more or 'none too wide'}", remedy)


def _open(keeper: Keeper) -> Iterator[Finding]:
    for name, holds in readiness(keeper).items():
        remedy = "" if holds else "see docs/operating.md, what to do when something stands still"
        yield Finding(name, holds, "answers" if holds else "does not answer as it should", remedy)
    now = keeper.now()
    newest = checkpoint_in(history.newest_note(keeper.places.sealer.connection))
    age = (now - newest.at) // 1_000_000
    remedy = "" if age >= 0 else "set the clock of this machine, keep NTP running"
    yield Finding("clock", age >= 0, f"it is {'after' if age >= 0 else 'BEFORE'} the last checkpoint", remedy)
    fresh = age <= SEALED_WITHIN
    remedy = "" if fresh else "run `upheld serve`, or `upheld sweep` every hour: both seal"
    yield Finding("sealing", fresh, f"sealed {max(0, age)} seconds ago", remedy)
    yield Finding(
        "anchors", True, f"the newest checkpoint has {newest.size} batches",
        "keep one elsewhere each week, and give it to `upheld verify --anchor`: only that finds a ledger cut off",
    )  # fmt: skip
    yield from _rotations(keeper)
    for policy in sorted(keeper.views.lines):
        late = len(keeper.overdue(policy))
        yield Finding("overdue", late == 0, f"`{policy}`: {late} values wait longer than promised",
                      "" if late == 0 else "run `upheld sweep` and read what it says")  # fmt: skip


def _rotations(keeper: Keeper) -> Iterator[Finding]:
    """A rotation that was begun and left leaves keys under a root that should be gone."""
    with keeper.places.keys.reading() as connection:
        names = {ring for (ring,) in connection.execute("SELECT ring FROM key_ring").fetchall()}
    for tier in Tier:
        over = before_of(tier) not in names
        says = "wrapped by one root" if over else "a rotation was begun and is not over"
        yield Finding("keys", over, f"`{tier.value}`: {says}", "" if over else "run `upheld rotate-keys` again")
