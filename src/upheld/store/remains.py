"""What is left of a destroyed key on PostgreSQL, and where: in the log of the server, its archive, and backups.

A row that is deleted leaves its table when that is written anew. The write-ahead log still holds it: until the segment
is removed, or overwritten where segments are used again. So a certificate carries a day that lies as far behind the
last moment for that as the house has said it keeps such copies, and the server is asked whether both is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from upheld.dates import Instant, Period, end_of
from upheld.store.engine import Connection
from upheld.store.scrubbing import remembered

_OLDEST_LOG: Final = "SELECT CAST(extract(epoch FROM min(modification)) * 1000000 AS BIGINT) FROM pg_ls_waldir()"
_SETTING: Final = "SELECT current_setting(?)"
_HAS_WORKERS: Final = "SELECT to_regclass('pg_dist_node')"
_WORKERS: Final = "SELECT nodename, success, result FROM run_command_on_workers(?)"
_OF_A_WORKER: Final = (
    "SELECT CAST(extract(epoch FROM min(modification)) * 1000000 AS BIGINT) || ' ' || current_setting('wal_recycle') "
    "|| ' ' || current_setting('archive_mode') FROM pg_ls_waldir()"
)


@dataclass(frozen=True)
class Remains:
    """What a server keeps of rows that are gone."""

    oldest_log_at: Instant
    recycles: bool
    """Segments of the log are used again: one keeps what it held until it is full anew."""
    archives: bool
    dead: Mapping[str, Instant] = field(default_factory=dict)
    """Large tables of keys in whose files destroyed ones still lie, and since when."""
    silent: tuple[str, ...] = ()
    """Machines of the key store that could not be asked."""


def remains(keys: Connection) -> Remains:
    """Ask the server of the keys, and where rows lie on several machines each of them: the worst of all counts. Its
    user needs the role `pg_monitor`.
    """

    def setting(name: str) -> str:
        return str(keys.execute(_SETTING, (name,)).fetchone()[0])

    own = (int(keys.execute(_OLDEST_LOG).fetchone()[0]), setting("wal_recycle"), setting("archive_mode"))
    found, silent = [own], []
    if keys.execute(_HAS_WORKERS).fetchone()[0] is not None:
        for name, answered, told in keys.execute(_WORKERS, (_OF_A_WORKER,)).fetchall():
            if answered:
                oldest, recycles, archives = told.split()
                found.append((int(oldest), recycles, archives))
            else:
                silent.append(str(name))
    return Remains(
        oldest_log_at=Instant(min(oldest for oldest, _, _ in found)),
        recycles=any(recycles == "on" for _, recycles, _ in found),
        archives=any(archives != "off" for _, _, archives in found),
        dead=remembered(keys),
        silent=tuple(silent),
    )


def complaints(found: Remains, now: Instant, copies_kept: Period, zone: ZoneInfo) -> list[str]:
    """Why keys can be recovered for longer than certificates say; empty when they can't."""
    told: list[str] = []
    if end_of(found.oldest_log_at, copies_kept, zone) < now:
        told.append("the log of the server is older than the time that certificates count in: let it checkpoint")
    if found.recycles:
        told.append("segments of the log are used again with what they held: set wal_recycle = off")
    told += [f"the machine {name} could not be asked what its log keeps" for name in found.silent]
    return told
