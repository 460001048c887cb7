"""On a server every table that grows is keyed by the bucket first; keys of values and papers have a bucket.

Who has values under a purpose stands in a table of its own.
"""

from collections.abc import Mapping
from typing import Final

from upheld.store.alembic import executed

revision: Final = "0004"
down_revision: Final = "0003"

STATEMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "active": (
        """CREATE TABLE under_purpose(
            bucket INTEGER NOT NULL, policy TEXT NOT NULL, purpose TEXT NOT NULL, subject_id TEXT NOT NULL,
            PRIMARY KEY(bucket, policy, purpose, subject_id)) WITHOUT ROWID""",
        """INSERT INTO under_purpose(bucket, policy, purpose, subject_id)
            SELECT DISTINCT v.bucket, s.policy, json_extract(u.value, '$[0]'), v.subject_id
            FROM value v JOIN subject s ON s.bucket = v.bucket AND s.subject_id = v.subject_id
            CROSS JOIN json_each(v.uses) u""",
    ),
}

_OF_KEY: Final = "key_id >> 37 & 1023"
_OF_PAPER_KEY: Final = (
    "instr('abcdefghijklmnopqrstuvwxyz234567', substr(paper_id, 1, 1)) * 32 - 33 "
    "+ instr('abcdefghijklmnopqrstuvwxyz234567', substr(paper_id, 2, 1))"
)
IN_A_FILE: Final[Mapping[str, tuple[str, ...]]] = {
    "keys": (
        f"ALTER TABLE active_key ADD COLUMN bucket INTEGER GENERATED ALWAYS AS ({_OF_KEY}) VIRTUAL",
        f"ALTER TABLE separated_key ADD COLUMN bucket INTEGER GENERATED ALWAYS AS ({_OF_KEY}) VIRTUAL",
        f"ALTER TABLE paper_key ADD COLUMN bucket INTEGER GENERATED ALWAYS AS ({_OF_PAPER_KEY}) VIRTUAL",
    ),
}


def _keyed(table: str, columns: str) -> tuple[str, ...]:
    return f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey", f"ALTER TABLE {table} ADD PRIMARY KEY({columns})"


def _bucketed(table: str, column: str, bucket: str) -> tuple[str, ...]:
    """The column is filled by writing the table anew, so that no dead row keeps a wrapped key."""
    return (
        f"ALTER TABLE {table} ADD COLUMN bucket INTEGER NOT NULL DEFAULT 0",
        f"ALTER TABLE {table} ALTER COLUMN bucket DROP DEFAULT, ALTER COLUMN bucket TYPE INTEGER USING ({bucket})",
        *_keyed(table, f"bucket, {column}"),
    )


_JOURNAL: Final = (
    "ALTER TABLE journal ALTER COLUMN id DROP IDENTITY IF EXISTS",
    *_keyed("journal", "bucket, id"),
    "CREATE INDEX journal_in_order ON journal(id)",
)
ON_A_SERVER: Final[Mapping[str, tuple[str, ...]]] = {
    "active": (
        *_JOURNAL,
        "ALTER TABLE guard ALTER COLUMN id DROP IDENTITY IF EXISTS",
        *_keyed("value", "bucket, value_id"),
        *_keyed("paper", "bucket, paper_id"),
        "CREATE INDEX paper_named ON paper(paper_id)",
        *_keyed("message", "bucket, message_id"),
        "CREATE INDEX message_named ON message(message_id)",
    ),
    "separated": (*_JOURNAL, *_keyed("value", "bucket, value_id")),
    "keys": (
        *_JOURNAL,
        *_bucketed("active_key", "key_id", _OF_KEY),
        *_bucketed("separated_key", "key_id", _OF_KEY),
        *_bucketed("paper_key", "paper_id", _OF_PAPER_KEY),
        *_keyed("token", "bucket, value_id, tier, policy, item, token"),
        "DROP INDEX token_of_value",
        "CREATE INDEX token_of_text ON token(tier, policy, item, token)",
    ),
}


def upgrade(place: str) -> None:
    """Called by Alembic for each place."""
    executed(STATEMENTS.get(place, ()), IN_A_FILE.get(place, ()), ON_A_SERVER.get(place, ()))
