"""From one version of the tables to the next, by Alembic: one environment, `store/alembic`, for each place by itself.

A fresh home is made from the schema, which is quicker, and marked as being of the newest version; that both ways lead
to the same tables is tested on both engines. Nothing is ever renamed or taken away. The library is loaded here alone,
by who upgrades.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from upheld.errors import StoreFailed
from upheld.store import dialling, postgres, schema, sqlite

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.engine import Engine

SCRIPTS: Final = Path(__file__).parent / "alembic"
_SELECT_VERSION: Final = "SELECT value FROM meta WHERE key = 'schema'"
_SELECT_REVISION: Final = "SELECT version_num FROM alembic_version"
_WRITE_VERSION: Final = f"UPDATE meta SET value = '{schema.VERSION}' WHERE key = 'schema'"  # noqa: S608 - a number of ours


def upgrade(database: Path | str, place: str) -> int:
    """Bring one place to the present version, in one transaction. Returns the version that it had.

    `database`: the file of SQLite, or the address of PostgreSQL. `place`: active, separated, keys or ledger.

    Raises:
        StoreFailed: the place is of a newer version than this program.
    """
    with _opened(database, place) as connection:
        if place == postgres.LEDGER and not _made(connection):
            return schema.VERSION  # it is made when the home is first opened
        version = _version_of(connection)
        if version > schema.VERSION:
            raise StoreFailed(f"{place} has schema {version}, this program {schema.VERSION}; use a newer program")
        _run(connection, place, version)
        if place != postgres.LEDGER:
            connection.exec_driver_sql(_WRITE_VERSION)
    return version


def _run(connection: Connection, place: str, version: int) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes.update(connection=connection, place=place)
    if _revision_of(connection) is None:  # made before Alembic kept the books
        command.stamp(config, f"{version:04}")
    command.upgrade(config, "head")


def _made(connection: Connection) -> bool:
    from sqlalchemy import inspect

    return bool(inspect(connection).has_table("meta"))


def _version_of(connection: Connection) -> int:
    """By Alembic's own table; before there was one, what the place says; of a ledger, the first."""
    revision = _revision_of(connection)
    if revision is not None:
        return int(revision)
    row = connection.exec_driver_sql(_SELECT_VERSION).fetchone()
    return 1 if row is None else int(row[0])


def _revision_of(connection: Connection) -> str | None:
    from sqlalchemy import inspect

    if not inspect(connection).has_table("alembic_version"):
        return None
    row = connection.exec_driver_sql(_SELECT_REVISION).fetchone()
    return None if row is None else str(row[0])


@contextmanager
def _opened(database: Path | str, place: str) -> Iterator[Connection]:
    """A connection as Alembic wants it, with the durability that places have, in a transaction that takes in all."""
    engine = _engine(database, place)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _engine(database: Path | str, place: str) -> Engine:
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import NullPool

    if isinstance(database, str):
        return create_engine("postgresql+psycopg://", creator=lambda: dialling.dialled(database, place))
    engine = create_engine("sqlite://", creator=lambda: sqlite.connect(database), poolclass=NullPool)

    @event.listens_for(engine, "begin")
    def begun(connection: Any) -> None:
        """The driver would begin at the first change only, and would not roll back a table that was made."""
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
