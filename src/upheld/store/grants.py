"""Who may do what in the databases of a home: one role for each task, none with more than the task needs.

Against the owner of a database and its superuser no grant helps; against them stands the proof. Roles are names without
a password and cannot log in: `GRANT upheld_service TO somebody` gives a task to a user of yours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from upheld.store import history, schema
from upheld.store.postgres import LEDGER
from upheld.store.scrubbing import ERASED
from upheld.store.sqlite import declared_columns

SERVICE: Final = "upheld_service"
ANSWERING: Final = "upheld_answering"
SWEEPER: Final = "upheld_sweeper"
SEALER: Final = "upheld_sealer"
PRUNER: Final = "upheld_pruner"
AUDITOR: Final = "upheld_auditor"
ROLES: Final = {
    SERVICE: "enters, collects, reads, records consents and facts; adds to journals and can't change them",
    ANSWERING: "the service, and reads what is kept apart: for the few who answer disputes and authorities",
    SEALER: "takes journals into the ledger; adds there and removes no evidence",
    SWEEPER: "separates and destroys, and seals the order before it does",
    PRUNER: "removes bodies of access records whose time is over, and seals that",
    AUDITOR: "reads the ledger; sees no other place",
}
_EVIDENCE: Final = frozenset({"journal", "stream_head", "meta"})
_WRITE: Final = "SELECT, INSERT, UPDATE, DELETE"
_KEYS_OF_SERVICE: Final = {
    "active_key": "SELECT, INSERT",
    "paper_key": _WRITE,
    "token": "SELECT, INSERT, DELETE",
    "alias": "SELECT, INSERT, DELETE",
    "key_ring": "SELECT",
    "root_key": "SELECT",
}
_SAYS_HOW_LONG: Final = frozenset({"guard", "policy_version", "policy_draft", "contract", "controller_fact"})
"""The documents: they say how long access records are kept, and whoever prunes has to know."""
_PRUNED: Final = frozenset({"body", "entry_index", "named_in"})


HELD: Final = (
    "SELECT grantee, table_name, privilege_type FROM information_schema.role_table_grants "
    "WHERE table_schema = ? AND table_name <> 'alembic_version' AND grantee NOT IN ("
    "SELECT tableowner FROM pg_tables WHERE schemaname = table_schema UNION SELECT current_user)"
)
"""Role, table and right, as a place has them: of all but the owners."""


def rights_of(place: str) -> frozenset[tuple[str, str, str]]:
    """Role, table and right that `statements` gives; of who owns a table, every right."""
    return frozenset((role, table, right) for role, table, rights in _rights(place) for right in rights.split(", "))


def tables_of(place: str) -> list[str]:
    """The tables of a place, or of the ledger."""
    statements = history.SCHEMA if place == LEDGER else schema.PLACES[place]
    return sorted({column.partition(".")[0] for column in declared_columns(statements)})


def statements(place: str) -> Iterator[str]:
    """The SQL for the database of one place, to be run by its owner; running it twice does no harm."""
    for role in ROLES:
        yield (f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    yield f"GRANT {SERVICE} TO {ANSWERING}"
    yield f"GRANT {SEALER} TO {SWEEPER}"
    yield f"GRANT {SEALER} TO {PRUNER}"
    yield f"REVOKE ALL ON SCHEMA {place} FROM PUBLIC"
    for role in ROLES:
        yield f"REVOKE ALL ON ALL TABLES IN SCHEMA {place} FROM {role}"
    if place != LEDGER:
        yield from _owned_by_the_sweeper(place)
    for role, table, rights in _rights(place):
        yield f"GRANT USAGE ON SCHEMA {place} TO {role}"
        yield f"GRANT {rights} ON {place}.{table} TO {role}"


def _owned_by_the_sweeper(place: str) -> Iterator[str]:
    """Only the owner of a table can scrub it."""
    yield f"GRANT {SWEEPER} TO CURRENT_USER"
    yield f"GRANT CREATE ON SCHEMA {place} TO {SWEEPER}"
    for table in sorted(ERASED[place]):
        yield f"ALTER TABLE {place}.{table} OWNER TO {SWEEPER}"
    yield f"REVOKE CREATE ON SCHEMA {place} FROM {SWEEPER}"


def _rights(place: str) -> Iterator[tuple[str, str, str]]:
    """Role, table, rights."""
    for table in tables_of(place):
        if place == LEDGER:
            yield from _in_the_ledger(table)
        elif table in _EVIDENCE:
            yield from _of_evidence(table)
        else:
            yield SWEEPER, table, _WRITE
            if place == "active":
                yield SERVICE, table, _WRITE
                if table in _SAYS_HOW_LONG:
                    yield PRUNER, table, "SELECT"
            elif place == "separated":
                yield ANSWERING, table, "SELECT"
            elif table in _KEYS_OF_SERVICE:
                yield SERVICE, table, _KEYS_OF_SERVICE[table]
            else:
                yield ANSWERING, table, "SELECT"


def _of_evidence(table: str) -> Iterator[tuple[str, str, str]]:
    adds = "SELECT, INSERT" if table == "journal" else "SELECT"
    yield SERVICE, table, adds
    yield SWEEPER, table, "SELECT, INSERT"
    yield SEALER, table, "SELECT, DELETE" if table == "journal" else _WRITE


def _in_the_ledger(table: str) -> Iterator[tuple[str, str, str]]:
    yield SERVICE, table, "SELECT"
    yield AUDITOR, table, "SELECT"
    yield SEALER, table, "SELECT, INSERT, UPDATE"
    if table in _PRUNED:
        yield PRUNER, table, "SELECT, DELETE"
