"""A session says on which sign-in at a provider of the house it rests, so that it ends with it."""

from collections.abc import Mapping
from typing import Final

from upheld.store.alembic import executed

revision: Final = "0005"
down_revision: Final = "0004"

STATEMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "active": (
        "ALTER TABLE session ADD COLUMN provider TEXT",
        "ALTER TABLE session ADD COLUMN known_as BLOB",
        "ALTER TABLE session ADD COLUMN sitting BLOB",
    ),
}


def upgrade(place: str) -> None:
    """Called by Alembic for each place."""
    executed(STATEMENTS.get(place, ()))
