"""How Alembic runs here: on a connection `db.migrate` opened, its version table in our schema."""

from alembic import context

_connection = context.config.attributes["connection"]
_schema = context.config.attributes["schema"]

context.configure(connection=_connection, version_table_schema=_schema, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
