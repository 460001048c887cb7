"""A home: randomness, key files, settings, tables of law, and the wiring of a keeper."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

import structlog
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from upheld.clock import Clock, SetClock, SystemClock
from upheld.dates import NO_PERIOD, Instant, Period
from upheld.engine.compile import compiled
from upheld.engine.plan import PolicyLine
from upheld.engine.state import ControllerState
from upheld.errors import HomeUnusable
from upheld.keeper import Keeper
from upheld.keeper.door import Places
from upheld.keeper.organisation import lines_on_file
from upheld.law import TABLES
from upheld.ledger.checkpoint import checkpoint_in
from upheld.policy import law_table
from upheld.policy.plain import LAW_NAMES
from upheld.policy.read import read_policy
from upheld.policy.wording import WORDINGS
from upheld.simulate import Course, Progress, Summary, keep_summary, simulate, start_of_clock
from upheld.store import distribution, history, migrations, postgres, schema, sqlite
from upheld.store.engine import Connection, Engine
from upheld.store.ids import new_id
from upheld.store.journal import JournalWriter
from upheld.store.journal_keys import NAME as JOURNAL_KEY
from upheld.store.journal_keys import JournalKeys
from upheld.store.key_files import ROOTS, SIGNING, KeySource, pem_of, public_pem
from upheld.store.leases import FileLeases
from upheld.store.marks import Marks
from upheld.store.papers import PaperKeys
from upheld.store.place import Place
from upheld.store.ring import Ring
from upheld.store.scrubbing import Rewriting
from upheld.store.sealing import Sealer
from upheld.store.sqlite import SqliteFile, create
from upheld.store.tail import Tail
from upheld.store.vault import CACHE_KEYS, Tier, Vault
from upheld.store.views import CACHED, Views

SETTINGS = "home.json"
SECRETS = "secrets"
DAY_OFFSET: Final = 9 * 3600 * 1_000_000
"""Ours: how a new ledger groups what it counts by day. Sums over any span come out the same under every number."""
BACKUP_GUIDE: Final = "docs/backup.md"
LAW = "law"
"""The folder of a home with tables of law and wordings that do not come with Upheld."""
COPIED = "copied"
"""An empty file as old as the last backup of all places."""
LEDGER = "ledger.db"
KEY_FILES = (*ROOTS, SIGNING)
COPIES_KEPT = "P30D"
"""Ours: how long a server's log and backups hold a destroyed key, where nobody has said."""
REWRITTEN_WITHIN = "P2D"
"""Ours: how long a large table of keys on a server may hold the bytes of a destroyed one, where nobody has said."""
IN_REACH = 40 * 86_400_000_000
"""Ours: how far the clock may be ahead of the last checkpoint before destruction waits for the officer's word."""


@dataclass(frozen=True)
class Options:
    """What may differ between homes and runs."""

    clock: Clock = field(default_factory=SystemClock)
    seed: int | None = None
    """Ids from a seed, for simulations that must come out the same twice. Keys and nonces are random all the same."""
    look_up: Mapping[str, Iterable[str]] = field(default_factory=dict)
    """Policy → items by which subjects are looked up; fixed when the home is made."""
    light_hashing: bool = False
    """Cheap password hashing, for tests and simulations only."""
    durable: bool = True
    """False for simulations only: commits are not waited for, a power cut may lose what was simulated."""
    trial: bool | None = None
    """A home for tests and simulations: versions go on file without the gate. None: as `light_hashing` says."""
    copies_kept: str | None = None
    """How long backups of the keys and logs of their server are kept, as `P30D`; fixed when the home is made."""
    rewritten_within: str | None = None
    """By when a large table of keys on a server is written anew after a key in it was destroyed, as `P2D`; `P0D`: at
    once. Shorter than `copies_kept`; fixed when the home is made."""
    key_command: str | None = None
    """A command that prints the root key whose name is its last word; fixed when the home is made. None: files."""
    cached: int | None = None
    """How many persons (and twice as many keys) are kept in memory; None: the stores' own measure."""
    awake: bool | None = None
    """Whether a process of one thread waits awake for what a server answers at once: sooner there, for processor time.
    None: unless `UPHELD_AWAKE` is `no`."""


def know_law(places: Iterable[Path]) -> None:
    """Know the tables of law and the wordings in these files, and in each `*.yaml` of the folders among them.

    Raises LawUnknown with every problem of a file, and where a table is at odds with one that is known; OSError.
    """
    for place in places:
        for path in sorted(place.glob("*.yaml")) if place.is_dir() else [place]:
            source = path.read_bytes()
            if law_table.is_wording(source):
                wording = law_table.read_wording(source, str(path))
                WORDINGS.add(wording.language, wording.name, wording.phrases)
            else:
                table = law_table.read_table(source, str(path))
                TABLES.add(table.pack)
                LAW_NAMES.add(table.laws)


def init(home: Path | str, options: Options | None = None, databases: Mapping[str, str] | None = None) -> None:
    """Make a home: databases, key files, settings. Raises HomeUnusable when there is one already.

    `databases`: addresses of PostgreSQL for `active`, `separated`, `keys` and `ledger`; files of SQLite without them.
    """
    options = options or Options()
    root = Path(home)
    if (root / SETTINGS).exists():
        raise HomeUnusable(f"{root} is a home already; open it, or choose an empty folder")
    kept = {
        "databases": dict(databases or {}),
        "copies_kept": options.copies_kept or (COPIES_KEPT if databases else None),
        "rewritten_within": options.rewritten_within if databases else None,
    }
    rewritten_within_in(kept)  # refused before anything is made
    for place, address in (databases or {}).items():
        postgres.check_free(address, place)  # before anything is made: so that it can be tried again
    root.mkdir(parents=True, exist_ok=True)
    _make_keys(root / SECRETS, KeySource(root / SECRETS, os.environ, options.key_command))
    for name in schema.PLACES:
        if databases:
            postgres.create(databases[name], name)
        else:
            create(root / f"{name}.db", name)
    if databases:
        postgres.create(databases[postgres.LEDGER], postgres.LEDGER)
    settings = {
        "schema": schema.VERSION,
        "ledger_id": new_id(os.urandom),
        "created_at": options.clock.now(),
        **kept,
        "key_command": options.key_command,
        "look_up": {policy: sorted(items) for policy, items in options.look_up.items()},
        "own_words": True,
    }
    _write_durably(root / SETTINGS, json.dumps(settings, indent=2).encode())


def _make_keys(folder: Path, source: KeySource) -> None:
    """Key files; roots that a command or the environment gives are asked for once and not written."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for name in ROOTS:
        if source.in_files(name):
            _write_durably(folder / name, new_root().hex().encode(), 0o600)
        else:
            source.roots(name)
    signing = Ed25519PrivateKey.generate()
    _write_durably(folder / SIGNING, pem_of(signing), 0o600)
    _write_durably(folder.parent / "public.pem", public_pem(signing))


def new_root() -> bytes:
    """A root key, at random."""
    return secrets.token_bytes(32)


def _write_durably(path: Path, content: bytes, mode: int = 0o644) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        os.write(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)


def key_source(home: Path, settings: Mapping[str, Any]) -> KeySource:
    """Where the keys of a home come from; `UPHELD_KEY_COMMAND` has the say before the home's own command.

    `UPHELD_SIGNING_COMMAND` signs in the place of a key of the home, once the ledger was handed over to it.
    """
    command = os.environ.get("UPHELD_KEY_COMMAND") or settings.get("key_command")
    return KeySource(home / SECRETS, os.environ, command, os.environ.get("UPHELD_SIGNING_COMMAND"))


def settings_of(home: Path) -> dict[str, Any]:
    """The settings a home was made with. Raises HomeUnusable."""
    path = home / SETTINGS
    if not path.exists():
        raise HomeUnusable(f"{home} is no home of Upheld; make one with `upheld init --home {home}`")
    settings = _settings_in(path)
    has = settings["schema"]
    if has != schema.VERSION:
        newer = f"install the newer program that it was made by or brought to, or go back as {BACKUP_GUIDE} says"
        older = f"run `upheld upgrade --home {home}`, or use the matching version"
        said = f"{home} has schema {has}, this program {schema.VERSION}"
        raise HomeUnusable(f"{said}; {newer if has > schema.VERSION else older}")
    return settings


def _settings_in(path: Path) -> dict[str, Any]:
    """What stands in the file of a home's settings. Raises HomeUnusable."""
    try:
        settings: dict[str, Any] = json.loads(path.read_text())
        settings["schema"] = int(settings["schema"])
    except (ValueError, KeyError, TypeError):
        raise HomeUnusable(f"{path} has no settings of a home in it; put it back from your newest backup") from None
    return settings


def upgrade_home(home: Path) -> tuple[int, int]:
    """Bring the tables of a home to this program's version. Returns the version it had and the one it has.

    Nobody else may have it open. Killed at any point it is run again. Raises HomeUnusable, HomeInUse, StoreFailed.
    """
    path = home / SETTINGS
    if not path.exists():
        raise HomeUnusable(f"{home} is no home of Upheld; make one with `upheld init --home {home}`")
    settings = _settings_in(path)
    had, databases = settings["schema"], settings.get("databases") or {}
    if had > schema.VERSION:
        settings_of(home)
    presence = (postgres.PostgresLeases(databases["active"]) if databases else FileLeases(home)).presence()
    try:
        with presence.alone():
            for name in PLACES:
                migrations.upgrade(databases[name] if databases else home / f"{name}.db", name)
            _keep_settings(home, {**settings, "schema": schema.VERSION})
    finally:
        presence.close()
    return had, schema.VERSION


def distribute_home(home: Path) -> dict[str, list[str]]:
    """Lay the tables of a home out over the machines of a cluster. Returns the statements that were run, by place.

    Nobody else may have it open. Cut short it is run again. Raises HomeUnusable, HomeInUse, StoreFailed with all that
    stands in the way.
    """
    settings = settings_of(home)
    databases: Mapping[str, str] = settings.get("databases") or {}
    if not databases:
        raise HomeUnusable("this home lies in files: make one with `upheld init --database`")
    presence = postgres.PostgresLeases(databases["active"]).presence()
    try:
        with presence.alone():
            ran = {name: distribution.distribute(databases[name], name) for name in schema.PLACES}
            _keep_settings(home, {**settings, "distributed": True})
    finally:
        presence.close()
    return ran


def _keep_settings(home: Path, settings: Mapping[str, Any]) -> None:
    fresh = (home / SETTINGS).with_suffix(".new")
    fresh.unlink(missing_ok=True)
    _write_durably(fresh, json.dumps(settings, indent=2).encode())
    os.replace(fresh, home / SETTINGS)


PLACES: Final = (*schema.PLACES, postgres.LEDGER)
"""In the order in which they are copied: the ledger is the newest of a backup and knows all that the others do."""


def backed_up(home: Path, to: Path, places: Iterable[str] = PLACES) -> list[Path]:
    """Copies of a home's files, while it is served, in a folder that is new or empty; no key file is among them.

    Raises HomeUnusable for a home on PostgreSQL, whose own programs do it, and for a folder in use.
    """
    path = home / SETTINGS
    if not path.exists():
        raise HomeUnusable(f"{home} is no home of Upheld; make one with `upheld init --home {home}`")
    if json.loads(path.read_text()).get("databases"):
        raise HomeUnusable(f"{home} lies on PostgreSQL; back it up with pg_dump, as {BACKUP_GUIDE} says")
    if to.exists() and any(to.iterdir()):
        raise HomeUnusable(f"{to} is not empty; a backup gets a folder of its own")
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = set(places)
    made = [to / f"{name}.db" for name in PLACES if name in wanted]
    for copy in made:
        sqlite.copy(home / copy.name, copy)
    for name in (SETTINGS, "public.pem"):
        _write_durably(to / name, (home / name).read_bytes())
    for path in sorted((home / LAW).glob("*.yaml")):
        (to / LAW).mkdir(exist_ok=True)
        _write_durably(to / LAW / path.name, path.read_bytes())
        made.append(to / LAW / path.name)
    if wanted == set(PLACES):
        _write_durably(home / COPIED, b"", 0o600)  # its age is what the doctor asks for
    return made


def _engine(root: Path, databases: Mapping[str, str], name: str, rewriting: Rewriting, awake: bool | None) -> Engine:
    if not databases:
        return SqliteFile(root / f"{name}.db")
    if awake is None:
        said = os.environ.get("UPHELD_AWAKE", "yes")
        if said not in ("yes", "no"):
            raise HomeUnusable(f"UPHELD_AWAKE is `{said}`; write `yes` or `no`, or leave it out")
        awake = said == "yes"
    return postgres.PostgresPlace(databases[name], name, rewriting, awake=awake)


def copies_kept_in(settings: Mapping[str, Any]) -> Period:
    """How long after a destruction copies of the key are still kept."""
    said = settings.get("copies_kept") or (COPIES_KEPT if settings.get("databases") else None)
    return Period.parse(said) if said else NO_PERIOD


def rewritten_within_in(settings: Mapping[str, Any]) -> timedelta:
    """By when a large table of keys is written anew after a key in it was destroyed; none in files, where what is
    deleted is overwritten. Where nobody has said, two days, or at once if copies are not kept for as long.

    Raises HomeUnusable for a time that is none, or no shorter than copies are kept.
    """
    if not settings.get("databases"):
        return timedelta()
    said, kept = settings.get("rewritten_within"), copies_kept_in(settings)
    try:
        period = Period.parse(said or REWRITTEN_WITHIN)
    except ValueError as failure:
        raise HomeUnusable(f"`rewritten_within`: {failure}") from failure
    if period.years or period.months:
        raise HomeUnusable(f"`rewritten_within` is {said}: write days or hours, such as P2D or PT36H")
    within = timedelta(days=period.days, hours=period.hours)
    shorter = within < timedelta(days=kept.days + 30 * kept.months + 365 * kept.years, hours=kept.hours)
    if within and not shorter:
        if said is None:
            return timedelta()
        raise HomeUnusable(
            f"`rewritten_within` is {said}, and copies of keys are kept for {kept}: make it shorter than that, or P0D "
            "to have every table of keys written anew at once"
        )
    return within


def ledger_of(home: Path) -> AbstractContextManager[Path]:
    """The ledger as a file to verify: of a home, of a folder that holds a copy of `ledger.db`, or that copy itself."""
    if not home.is_dir():
        return nullcontext(home)
    databases = settings_of(home).get("databases") if (home / SETTINGS).exists() else None
    if databases:
        return postgres.PostgresLedger(databases[postgres.LEDGER]).copied()
    return nullcontext(home / LEDGER)


class _Ids:
    """Random bytes for ids: from the system, or from a seed where a simulation must come out the same twice."""

    def __init__(self, seed: int | None) -> None:
        self.bytes: Callable[[int], bytes] = os.urandom if seed is None else Random(seed).randbytes


def _check_files(root: Path) -> None:
    """Each place lies where it should and is a database; an empty one is never made in the place of one that is lost.

    A ledger that is missing is noticed as an old one, by what the places have seen of it.
    """
    for name in PLACES:
        path = root / f"{name}.db"
        if not path.exists():
            if name == "ledger":
                continue
            said = "is missing"
        elif _begins(path) != _SQLITE:
            said = "is no database"
        else:
            continue
        raise HomeUnusable(f"{path} {said}; put your newest copy of it back, then run `upheld recover --home {root}`")


def _begins(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(_SQLITE))


_SQLITE = b"SQLite format 3\0"


def open_home(home: Path | str, options: Options | None = None) -> Keeper:
    """Open a home. A folder without one is made into one. Raises HomeUnusable with what to do."""
    options = options or Options()
    root = Path(home)
    if not (root / SETTINGS).exists():
        if root.exists() and any(root.iterdir()):
            raise HomeUnusable(f"{root} is no home of Upheld and is not empty; choose an empty folder")
        init(root, options)
    settings = settings_of(root)
    if not settings.get("databases"):
        _check_files(root)
    keeper = _wired(root, settings, options)
    keeper.trial = options.light_hashing if options.trial is None else options.trial
    return keeper


def _places(
    root: Path, settings: Mapping[str, Any], incarnation: str, keys: JournalKeys, options: Options
) -> dict[str, Place]:
    clock = options.clock
    databases: Mapping[str, str] = settings.get("databases", {})
    rewriting = Rewriting(rewritten_within_in(settings), spread=bool(settings.get("distributed")))
    places = {
        name: Place(
            _engine(root, databases, name, rewriting, options.awake),
            name,
            JournalWriter(name, incarnation, keys, os.urandom),
            clock.now,
        )
        for name in schema.PLACES
    }
    for name, place in places.items() if options.durable else ():
        place.mark = Marks(root, incarnation).mark(name)
    if not clock.settable:
        tail = Tail(clock.monotonic)
        for place in places.values():
            place.tail = tail
    return places


def _by_one_coordinator(places: Mapping[str, Place]) -> None:
    """Every process goes by one server: locks of two coordinators know nothing of each other. Raises HomeUnusable.

    The places are told that their rows lie on several machines.
    """
    strays = [name for name, place in places.items() if not distribution.on_coordinator(place.connection)]
    if strays:
        for place in places.values():
            place.close()
        raise HomeUnusable(f"the address of `{strays[0]}` is that of a worker: give the coordinator's in {SETTINGS}")
    for place in places.values():
        place.writer.asks = True  # a table of several machines takes no question within an insert


def _rings(source: KeySource) -> dict[Tier, Ring]:
    return {tier: Ring(tier.value, partial(source.roots, f"{tier.value}.key")) for tier in Tier}


def _vault(rings: Mapping[Tier, Ring], keys: Place, options: Options, *, by_bucket: bool, own_words: bool) -> Vault:
    clock = options.clock
    return Vault(
        keys,
        rings,
        os.urandom,
        clock.monotonic,
        lambda: clock.now() // 86_400_000_000,
        CACHE_KEYS if options.cached is None else options.cached * 2,
        by_bucket,
        own_words,
    )


def _views(places: Mapping[str, Place], vault: Vault, options: Options, *, by_bucket: bool) -> Views:
    def on_file(connection: Connection) -> tuple[dict[str, PolicyLine], dict[str, ControllerState]]:
        """Whoever heard that there is something new may have heard of a rotation of look-up tokens."""
        vault.forget_token_roots()
        return lines_on_file(connection)

    return Views(places["active"], places["keys"], on_file, cached=options.cached or CACHED, spread=by_bucket)


def _sealer(
    root: Path, settings: Mapping[str, Any], source: KeySource, keys: JournalKeys, incarnation: str, clock: Clock
) -> Sealer:
    databases: Mapping[str, str] = settings.get("databases", {})
    return Sealer(
        postgres.PostgresLedger(databases[postgres.LEDGER]) if databases else root / LEDGER,
        signing_key=source.signing(),
        signing_source=source.signing,
        mac_key=keys,
        salt_source=os.urandom,
        incarnation=incarnation,
        ledger_id=settings["ledger_id"],
        created_at=clock.now(),
        day_offset=DAY_OFFSET,
    )


def _wired(root: Path, settings: Mapping[str, Any], options: Options) -> Keeper:
    know_law([root / LAW] if (root / LAW).is_dir() else [])
    clock, ids = options.clock, _Ids(options.seed)
    incarnation = new_id(os.urandom)
    source = key_source(root, settings)
    journal_keys = JournalKeys(partial(source.roots, JOURNAL_KEY))
    rings = _rings(source)
    databases: Mapping[str, str] = settings.get("databases", {})
    places = _places(root, settings, incarnation, journal_keys, options)
    by_bucket = bool(settings.get("distributed"))
    if by_bucket:
        _by_one_coordinator(places)
    sealer = _sealer(root, settings, source, journal_keys, incarnation, clock)
    vault = _vault(rings, places["keys"], options, by_bucket=by_bucket, own_words=bool(settings.get("own_words")))
    whole = places["keys"].engine.may_read(places["keys"].connection, "root_key")
    if whole:
        vault.fetch_roots()
    if not options.durable:
        for place in places.values():
            place.engine.hurry(place.connection)
        sealer.hurry()
    log = structlog.get_logger("upheld")

    def close() -> None:
        for place in places.values():
            place.close()
        sealer.close()
        leases.close()

    leases = postgres.PostgresLeases(databases["active"]) if databases else FileLeases(root)
    look_up = frozenset((policy, item) for policy, items in settings["look_up"].items() for item in items)
    wiring = Places(
        active=places["active"],
        separated=places["separated"],
        keys=places["keys"],
        sealer=sealer,
        vault=vault,
        papers=PaperKeys(places["keys"], rings[Tier.ACTIVE], os.urandom, by_bucket=by_bucket),
        views=_views(places, vault, options, by_bucket=by_bucket),
        leases=leases,
        marks=Marks(root, incarnation),
        copies_kept=copies_kept_in(settings),
        rewritten_within=rewritten_within_in(settings),
        ledger_copy=sealer.engine.copied,
        now=clock.now,
        random_bytes=ids.bytes,
        fail=lambda act, failure: log.error("a rule failed", act=act, failure=type(failure).__name__),
        whole=whole,
        seals=sealer.engine.may_write(sealer.connection),
        look_up=look_up,
    )
    return Keeper(
        wiring,
        hasher=_hasher(options),
        looked_up=lambda policy, item: (policy, item) in look_up,
        in_reach=_Reach(clock, sealer).holds,
        clock_set=clock.settable,
        close=close,
    )


def _hasher(options: Options) -> PasswordHasher:
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1) if options.light_hashing else PasswordHasher()


SIMULATED_CACHE = 1_000
"""Persons kept in memory by a simulation: its memory must not follow the number of people."""


@contextmanager
def simulation(
    document: Path, home: Path | str, course: Course, progress: Callable[[Progress], None] = lambda _: None
) -> Iterator[tuple[Keeper, Summary]]:
    """Let made-up people live under a policy in a fresh home, then look at it: the keeper stands on the night after
    the last day. Raises PolicyRefused, HomeUnusable for a folder in use.

    The home is like any other afterwards: it can be opened, audited and verified.
    """
    source = document.read_bytes()
    plan = compiled(read_policy(source, document.name), source)
    clock = SetClock(start_of_clock(plan))
    root = Path(home)
    if root.exists() and any(root.iterdir()):
        raise HomeUnusable(f"{root} is not empty; a simulation starts from nothing, choose another folder")
    options = Options(
        clock=clock, seed=course.seed, light_hashing=True, trial=False, durable=False, cached=SIMULATED_CACHE
    )
    with open_home(root, options) as keeper:
        yield keeper, simulate(document, course, keeper=keeper, set_clock=clock.set, progress=progress)


def simulated(
    document: Path, home: Path | str, course: Course, progress: Callable[[Progress], None] = lambda _: None
) -> Summary:
    """The summary of a simulation; it stands with its picture in the home too, as `summary.txt` and `picture.svg`."""
    with simulation(document, home, course, progress) as (_, summary):
        keep_summary(summary, Path(home))
        return summary


class _Reach:
    """Whether the clock is within reach of the last checkpoint plus the time that has surely gone by since."""

    def __init__(self, clock: Clock, sealer: Sealer) -> None:
        self._clock = clock
        self._sealer = sealer
        self._started = clock.monotonic()

    def holds(self, now: Instant) -> bool:
        """False when the clock has jumped further ahead than anybody should believe unasked."""
        if self._clock.settable:
            return True
        passed = int((self._clock.monotonic() - self._started) * 1_000_000)
        known = self._sealer.reached
        if known is not None and now <= known + passed + IN_REACH:
            return True  # there is no older one that is the last
        last = checkpoint_in(history.newest_note(self._sealer.connection)).at
        return now <= last + passed + IN_REACH
