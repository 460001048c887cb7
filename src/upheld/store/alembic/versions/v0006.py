"""What waits is found from its own side: answers that recipients owe, consents to advertising to be confirmed."""

from collections.abc import Mapping
from typing import Final

from upheld.store.alembic import executed

revision: Final = "0006"
down_revision: Final = "0005"

STATEMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "active": (
        "CREATE INDEX consent_to_medium ON consent(known_at, consent_id) WHERE about_kind = 'medium'",
        "CREATE INDEX told_awaited ON told(recipient, at) WHERE acknowledged_at IS NULL",
    ),
}


def upgrade(place: str) -> None:
    """Called by Alembic for each place."""
    executed(STATEMENTS.get(place, ()))
