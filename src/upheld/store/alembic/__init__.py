"""What Alembic runs: one environment for the four places and both engines. `store/migrations.py` calls it."""

from collections.abc import Iterable

from alembic import op

from upheld.store.postgres import spelled


def executed(statements: Iterable[str]) -> None:
    """Run plain statements in the migration that is under way, spelled for its engine."""
    connection = op.get_bind()
    on_a_server = connection.dialect.name == "postgresql"
    for statement in statements:
        connection.exec_driver_sql(spelled(statement) if on_a_server else statement)
