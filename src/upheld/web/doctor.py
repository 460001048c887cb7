"""What is misconfigured in a home, plainly: each thing looked at, with what to do where it does not hold."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import disk_usage
from urllib.parse import parse_qs, urlsplit

from upheld.errors import UpheldError
from upheld.keeper import Keeper
from upheld.ledger.checkpoint import checkpoint_in
from upheld.store import history
from upheld.store.rotation import before_of
from upheld.store.vault import Tier
from upheld.system import SECRETS, open_home, settings_of
from upheld.web.health import readiness

SEALED_WITHIN = 3600
"""Ours: seconds after which a home that works should have sealed again."""
LEAST_FREE = 1024**3
"""Ours: bytes of disk under which writing is in danger."""
_LOCAL = ("", "localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `remedy` is empty where it holds."""

    what: str
    holds: bool
    says: str
    remedy: str = ""


def examined(home: Path) -> Iterator[Finding]:
    """Everything that can be looked at. A home that does not open ends the list with why."""
    settings = settings_of(home)
    yield from _secrets(home)
    yield _disk(home)
    yield from _connections(settings.get("databases") or {})
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
    if not folder.exists():
        yield Finding("key files", True, "no key files here; keys come from the environment")


def _disk(home: Path) -> Finding:
    free = disk_usage(home).free
    enough = free >= LEAST_FREE
    return Finding(
        "disk", enough, f"{free // 1024**2} MiB free", "" if enough else "make room; less than 1 GiB is left"
    )


def _connections(databases: dict[str, str]) -> Iterator[Finding]:
    """Databases on other hosts are reached over TLS with a certificate that is looked at."""
    for name, address in databases.items():
        parts = urlsplit(address)
        mode = parse_qs(parts.query).get("sslmode", ["prefer"])[-1]
        safe = (parts.hostname or "") in _LOCAL or mode in ("verify-ca", "verify-full")
        remedy = "" if safe else f"add sslmode=verify-full to the address of `{name}`"
        yield Finding("TLS", safe, f"`{name}`: sslmode {mode}", remedy)


def _open(keeper: Keeper) -> Iterator[Finding]:
    for name, holds in readiness(keeper).items():
        remedy = "" if holds else "see docs/operating.md, what to do when something stands still"
        yield Finding(name, holds, "answers" if holds else "does not answer as it should", remedy)
    now = keeper.now()
    age = (now - checkpoint_in(history.newest_note(keeper.places.sealer.connection)).at) // 1_000_000
    fresh = 0 <= age <= SEALED_WITHIN
    remedy = "" if fresh else "run `upheld serve`, or `upheld sweep` every hour: both seal"
    yield Finding("sealing", fresh, f"sealed {age} seconds ago", remedy)
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
