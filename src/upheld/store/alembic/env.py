"""Run by Alembic for one place: `migrations.upgrade` hands over its name and a connection with a transaction open."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations(place=context.config.attributes["place"])
