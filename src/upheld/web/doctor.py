"""What is misconfigured in a home, plainly: each thing looked at, with what to do where it does not hold."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shutil import disk_usage

from psycopg.conninfo import conninfo_to_dict

from upheld.clock import SystemClock
from upheld.dates import Instant
from upheld.desk.background import last_swept
from upheld.errors import HomeUnusable, UpheldError
from upheld.keeper import Keeper
from upheld.law import country_of
from upheld.ledger.checkpoint import CheckpointRefused, checked, checkpoint_in, public_key_in
from upheld.store import history
from upheld.store.rotation import before_of
from upheld.store.scrubbing import Rewriting
from upheld.store.tls import CHECKED, mode_of
from upheld.store.token_rotation import begun_in
from upheld.store.vault import Tier
from upheld.system import COPIED, SECRETS, SETTINGS, copies_kept_in, open_home, rewritten_within_in, settings_of
from upheld.web.doctor_servers import Finding, laid_out, looked_at
from upheld.web.health import readiness

SEALED_WITHIN = 3600
"""Ours: seconds after which a home that works should have sealed again."""
SWEPT_WITHIN = COPIED_WITHIN = 2 * 86_400
"""Ours: seconds after which a home that is looked after was swept, and copied, again; daily work may be late once."""
PUBLIC_KEY = "public.pem"
LEAST_FREE = 1024**3
"""Ours: bytes of disk under which writing is in danger."""


def examined(home: Path) -> Iterator[Finding]:
    """Everything that can be looked at. A home that does not open ends the list with why."""
    settings = settings_of(home)
    databases: dict[str, str] = settings.get("databases") or {}
    yield from _secrets(home)
    yield _disk(home)
    yield _apart(databases)
    yield from _connections(databases)
    try:
        rewriting = Rewriting(rewritten_within_in(settings))
    except HomeUnusable as failure:
        yield Finding("settings", False, str(failure), f"correct it in {home / SETTINGS}")
        return
    yield from looked_at(databases, copies_kept_in(settings), rewriting)
    if settings.get("distributed"):
        yield from laid_out(databases)
    if not databases:
        yield _copied(home)
    try:
        with open_home(home) as keeper:
            yield from _open(keeper, Instant(int((home / SETTINGS).stat().st_mtime) * 1_000_000))
            yield _public(home, keeper)
            yield from _looked_up(settings.get("look_up") or {}, keeper)
    except CheckpointRefused as failure:
        remedy = f"mend this first: put your copy of `signing.key` and of the ledger into {home}; they belong together"
        yield Finding("opening", False, str(failure), remedy)
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
        return Finding(
            "places", True, "all places are files of this machine", "keys on another host: see docs/stores.md"
        )
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


def _copied(home: Path) -> Finding:
    """Whether `upheld backup` copied all places of late. What else copies files is not seen from here."""
    mark = home / COPIED
    since = (mark if mark.exists() else home / SETTINGS).stat().st_mtime
    age = max(0, SystemClock().now() // 1_000_000 - int(since))
    fresh = age <= COPIED_WITHIN
    says = f"copied {age // 3600} hours ago" if mark.exists() else "never copied by `upheld backup`"
    remedy = "" if fresh and mark.exists() else "run `upheld backup` each night, see docs/backup.md"
    return Finding("backup", fresh, says, remedy)


def _open(keeper: Keeper, made: Instant) -> Iterator[Finding]:
    for name, holds in readiness(keeper).items():
        remedy = "" if holds else "see docs/operating.md, what to do when something stands still"
        yield Finding(name, holds, "answers" if holds else "does not answer as it should", remedy)
    now = keeper.now()
    newest = checkpoint_in(history.newest_note(keeper.places.sealer.connection))
    age = (now - newest.at) // 1_000_000
    remedy = "" if age >= 0 else "set the clock of this machine, keep NTP running"
    yield Finding("clock", age >= 0, f"it is {'after' if age >= 0 else 'BEFORE'} the last checkpoint", remedy)
    trusted = keeper.clock_trusted(now)
    says = "the clock can be trusted" if trusted else "stands still since the clock leapt ahead"
    remedy = "" if trusted else "set the clock right, then an officer runs `upheld sweep --confirm-clock`"
    yield Finding("destroying", trusted, says, remedy)
    fresh = age <= SEALED_WITHIN
    remedy = "" if fresh else "run `upheld serve`, or `upheld sweep` every hour: both seal"
    yield Finding("sealing", fresh, f"sealed {max(0, age)} seconds ago", remedy)
    yield Finding(
        "anchors", True, f"the newest checkpoint has {newest.size} batches",
        "keep one elsewhere each week, and give it to `upheld verify --anchor`: only that finds a ledger cut off",
    )  # fmt: skip
    yield _swept(keeper, made)
    yield from _rotations(keeper)
    keeper.views.refresh()  # a home that was just opened has read no policy yet
    for policy in sorted(keeper.views.lines):
        yield _law(policy, keeper.views.lines[policy].latest.zone.key)
        late = len(keeper.overdue(policy))
        yield Finding("overdue", late == 0, f"`{policy}`: {late} values wait longer than promised",
                      "" if late == 0 else "run `upheld sweep` and read what it says")  # fmt: skip


def _public(home: Path, keeper: Keeper) -> Finding:
    """Whoever verifies has it from here: with another one a ledger that holds would look forged."""
    ledger = keeper.places.sealer.connection
    try:
        key = public_key_in((home / PUBLIC_KEY).read_text())
        checked(history.newest_note(ledger), history.signers_of(ledger, key))
    except (OSError, CheckpointRefused):
        remedy = "put your copy of it back; before that verify with no key that comes from this folder"
        return Finding("public key", False, f"{PUBLIC_KEY} is not there, or this ledger is not signed by it", remedy)
    return Finding("public key", True, f"the ledger is signed by {PUBLIC_KEY}")


def _looked_up(look_up: Mapping[str, Sequence[str]], keeper: Keeper) -> Iterator[Finding]:
    """A name that no policy knows finds nobody, and says nothing."""
    for policy, line in sorted(keeper.views.lines.items()):
        unknown = sorted(item for item in look_up.get(policy, ()) if item not in line.latest.items)
        if unknown:
            said = f"`{policy}` has no item {', '.join(unknown)}, by which people are to be looked up"
            yield Finding(
                "look-up", False, said, f"write the right name under `look_up` in {SETTINGS}, then run `upheld recover`"
            )


def _law(policy: str, zone: str) -> Finding:
    """By which law the house reckons. None is lawful to say, and mostly a file that is not there."""
    country = country_of(zone)
    says = f"lives by the table `{country}`" if country else "no table of law is for it; its promises hold alone"
    remedy = "" if country else "put its table into the home's folder `law` (docs/law.md), if it had one"
    return Finding("law", True, f"`{policy}` in {zone}: {says}", remedy)


def _swept(keeper: Keeper, made: Instant) -> Finding:
    """What is due is destroyed by a sweep only: one a day."""
    ran = last_swept(keeper)
    age = (keeper.now() - (made if ran is None else ran)) // 1_000_000
    says = "none has run yet" if ran is None else f"the last ran {max(0, age) // 3600} hours ago"
    remedy = "" if age <= SWEPT_WITHIN else "run `upheld serve`, `upheld work`, or `upheld sweep` daily"
    return Finding("sweep", age <= SWEPT_WITHIN, says, remedy)


def _rotations(keeper: Keeper) -> Iterator[Finding]:
    """A rotation that was begun and left leaves keys under a root that should be gone."""
    with keeper.places.keys.reading() as connection:
        names = {ring for (ring,) in connection.execute("SELECT ring FROM key_ring").fetchall()}
    for tier in Tier:
        over = before_of(tier) not in names
        says = "wrapped by one root" if over else "a rotation was begun and is not over"
        yield Finding("keys", over, f"`{tier.value}`: {says}", "" if over else "run `upheld rotate-keys` again")
    with keeper.places.keys.reading() as connection:
        begun = [tier.value for tier in Tier if begun_in(connection, tier)]
    says = f"tokens of `{'`, `'.join(begun)}` are being made anew" if begun else "tokens are made from one root"
    yield Finding("keys", not begun, f"look-up: {says}", "run `upheld rotate-keys --look-up` again" if begun else "")
    keys = keeper.places.sealer.keys
    keys.reload()
    says = "a rotation of `mac.key` was begun and is not over" if keys.several else "guarded by one `mac.key`"
    remedy = "run `upheld rotate-keys --journals` again, let their source give the last alone" if keys.several else ""
    yield Finding("keys", not keys.several, f"journals: {says}", remedy)
