"""What Alembic runs: one environment for the four places and both engines. `store/migrations.py` calls it."""

from collections.abc import Iterable

from alembic import op

from upheld.store.spelling import spelled


def executed(statements: Iterable[str], in_a_file: Iterable[str] = (), on_a_server: Iterable[str] = ()) -> None:
    """Run plain statements in the migration that is under way, and those of its engine alone, in its spelling."""
    connection = op.get_bind()
    server = connection.dialect.name == "postgresql"
    for statement in (*statements, *(on_a_server if server else in_a_file)):
        connection.exec_driver_sql(spelled(statement) if server else statement)
