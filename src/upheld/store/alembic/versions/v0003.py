"""Keys are turned; staff signs in by a provider of the house; a journal says whose bucket its rows go with."""

from collections.abc import Mapping
from typing import Final

from upheld.store.alembic import executed

revision: Final = "0003"
down_revision: Final = "0002"

JOURNAL_BUCKET: Final = "ALTER TABLE journal ADD COLUMN bucket INTEGER NOT NULL DEFAULT 0"

STATEMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "active": (
        JOURNAL_BUCKET,
        """CREATE TABLE figure(
            policy TEXT NOT NULL, name TEXT NOT NULL, label TEXT NOT NULL, times INTEGER NOT NULL,
            PRIMARY KEY(policy, name, label)) WITHOUT ROWID""",
        """CREATE TABLE account_identity(
            policy TEXT NOT NULL, provider TEXT NOT NULL, claim BLOB NOT NULL, account_id TEXT NOT NULL,
            bound_at INTEGER NOT NULL, PRIMARY KEY(policy, provider, claim)) WITHOUT ROWID""",
        """CREATE TABLE sign_in_flow(
            state BLOB NOT NULL PRIMARY KEY, policy TEXT NOT NULL, provider TEXT NOT NULL, area TEXT NOT NULL,
            until_at INTEGER NOT NULL) WITHOUT ROWID""",
        """CREATE TABLE approval(
            policy TEXT NOT NULL, approval_id TEXT NOT NULL, what TEXT NOT NULL, about TEXT, until_at INTEGER,
            at INTEGER NOT NULL, by_id TEXT NOT NULL, approver_id TEXT NOT NULL, PRIMARY KEY(policy, approval_id))""",
        """CREATE TABLE staff_invitation(
            link BLOB NOT NULL PRIMARY KEY, policy TEXT NOT NULL, account_id TEXT NOT NULL,
            until_at INTEGER NOT NULL) WITHOUT ROWID""",
        "ALTER TABLE paper ADD COLUMN reckoned INTEGER NOT NULL DEFAULT 0",
    ),
    "separated": (JOURNAL_BUCKET,),
    "keys": (
        JOURNAL_BUCKET,
        """CREATE TABLE key_ring(ring TEXT NOT NULL PRIMARY KEY,
            mark BLOB NOT NULL,
            since INTEGER NOT NULL) WITHOUT ROWID""",
        "CREATE TABLE root_key(name TEXT NOT NULL PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID",
    ),
}


def upgrade(place: str) -> None:
    """Called by Alembic for each place."""
    executed(STATEMENTS.get(place, ()))
