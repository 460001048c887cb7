"""What a rehearsal leaves when it is over or was cut short: nothing. Who opens or sweeps a home clears it first.

| step | place | a crash after it leaves |
|---|---|---|
| r0 the mark | active | a mark |
| r1 made-up persons live and are destroyed | all | persons under the mark's code |
| c1 what was written is sealed | ledger | as r1; no unsealed entry speaks of what goes now |
| c2 keys and tokens go | keys | bytes that nobody can read |
| c3 copies, then every row of theirs | separated, active | aliases of nobody |
| c4 aliases | keys | bytes in logs |
| c5 files scrubbed, the mark goes | all | nothing |

INVARIANT: I5, I7.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import partial
from typing import Final

from upheld.engine.acts import SubjectId
from upheld.keeper.door import Door, Tier
from upheld.ledger.entries import Entry, entry
from upheld.store import schema
from upheld.store.ids import bucket_of, placed_key
from upheld.store.leases import LeaseHeld
from upheld.store.place import Place, Transaction
from upheld.store.vault import DELETE_KEY

REHEARSALS: Final = "SELECT code FROM rehearsal"
MARK: Final = "rehearsal."
"""No policy's code has a dot, so nothing of a policy begins like this."""
TEXT: Final = "rehearsal, nobody"
"""What made-up persons are shown, and what they give begins with."""


def is_rehearsal(policy: str) -> bool:
    """Whether an entry or a row belongs to a rehearsal and to no policy."""
    return policy.startswith(MARK)


class Clearing(Door):
    """Taking made-up persons of a rehearsal out of every place."""

    def clear_rehearsals(self) -> None:
        """Take away what a rehearsal that was cut short has left; one that runs in another process is let run."""
        if not self.rehearsals_left():
            return
        try:
            with self.places.leases.lease("sweep", wait=False):
                self._clear("cut-short")
        except LeaseHeld:
            return

    def rehearsals_left(self) -> list[str]:
        """The codes of rehearsals that have begun and are not cleared away."""
        with self.places.active.reading() as connection:
            return [row[0] for row in connection.execute(REHEARSALS)]

    def _clear(self, reason: str, *, sealed: bool = False) -> bool:
        """Keys first, then what they opened, then aliases, then bytes; the mark goes last. False: a reader is in."""
        for code in self.rehearsals_left():
            if not sealed:
                self.seal()
            self._clear_persons(code)
            clean = [place.scrub() for place in self._rehearsed_in()]
            if not all(clean):
                return False
            told = entry("rehearsal.cleared", self.now(), code, None, (), reason=reason)
            self.places.active.submit(partial(_unmark, code, told))
            self.places.active.scrub()
        return True

    def _rehearsed_in(self) -> tuple[Place, ...]:
        return self.places.active, self.places.separated, self.places.keys

    def _clear_persons(self, code: str) -> None:
        with self.places.keys.reading() as connection:
            known = {row[0] for row in connection.execute("SELECT subject_id FROM alias WHERE policy = ?", (code,))}
        with self.places.active.reading() as connection:
            known |= {row[0] for row in connection.execute("SELECT subject_id FROM subject WHERE policy = ?", (code,))}
        keys = [(bucket_of(SubjectId(one)), one) for one in sorted(known)]
        owned = {
            Tier.ACTIVE: _keys_in(self.places.active, keys),
            Tier.SEPARATED: _keys_in(self.places.separated, keys),
        }
        with self.places.keys.transaction() as transaction:
            transaction.executemany(
                "DELETE FROM token WHERE tier = ? AND policy = ?", [(tier.value, code) for tier in Tier]
            )
            for tier in Tier:
                transaction.executemany(DELETE_KEY[tier], list(map(placed_key, owned[tier])))
        for tier, ids in owned.items():
            self.places.vault.forget(tier, ids)
        with self.places.separated.transaction() as transaction:
            transaction.executemany("DELETE FROM value WHERE bucket = ? AND subject_id = ?", keys)
        with self.places.active.transaction() as transaction:
            for statement in _DELETE_OWN:
                transaction.executemany(statement, keys)
            for statement in _DELETE_CODED:
                transaction.execute(statement, (code,))
            transaction.execute("DELETE FROM shown_text WHERE digest = ?", (_TEXT_DIGEST,))
        with self.places.keys.transaction() as transaction:
            transaction.executemany("DELETE FROM alias WHERE bucket = ? AND subject_id = ?", keys)
        for one in known:
            self.views.forget(SubjectId(one))
        self.places.active.rebuild(len(owned[Tier.ACTIVE]))
        self.places.separated.rebuild(len(owned[Tier.SEPARATED]))


def _unmark(code: str, told: Entry, transaction: Transaction) -> None:
    transaction.execute("DELETE FROM rehearsal WHERE code = ?", (code,))
    transaction.journal(told)


def _keys_in(place: Place, keys: Iterable[tuple[int, str]]) -> list[int]:
    with place.reading() as connection:
        found = [row[0] for key in keys for row in connection.execute(_KEY_IDS, key).fetchall()]
    return [key_id for key_id in found if key_id is not None]


def _tables_with(column: str) -> tuple[str, ...]:
    """The tables of the active place that have a column, whoever added them."""
    tables = (ddl for ddl in schema.ACTIVE if ddl.startswith("CREATE TABLE") and f"{column} TEXT" in ddl)
    return tuple(ddl.removeprefix("CREATE TABLE ").partition("(")[0] for ddl in tables)


_DELETE_OWN: Final = tuple(
    f"DELETE FROM {table} WHERE bucket = ? AND subject_id = ?"  # noqa: S608 - tables of the schema
    for table in _tables_with("subject_id")
)
_DELETE_CODED: Final = tuple(
    f"DELETE FROM {table} WHERE policy = ?"  # noqa: S608 - tables of the schema
    for table in _tables_with("policy")
)
_KEY_IDS: Final = "SELECT key_id FROM value WHERE bucket = ? AND subject_id = ?"
_TEXT_DIGEST: Final = hashlib.sha256(TEXT.encode()).digest()
