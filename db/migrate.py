"""Bring the schema to head, and make what every process expects to find: roles, grants, rules.

The whole of it runs in one transaction under an advisory lock, so two releases that start together
do it once, and a failure leaves nothing behind. A schema that holds tables but no version table of
ours belongs to somebody else and is refused.
"""

from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from db import seed
from db.script import run_script
from domain.errors import BadInputError, RefusedError

ROLES: Final = ("bursar_owner", "bursar_worker", "bursar_operator", "bursar_app")
_HERE: Final = Path(__file__).parent


def upgrade(engine: sa.Engine, schema: str = "bursar") -> None:
    """Bring `schema` to head on `engine`, whose login may create roles (or finds them made).

    Raises `RefusedError` when the schema is not Bursar's, or roles are missing and may not be made.
    """
    if not schema.isidentifier() or len(schema) > 40 or schema != schema.lower():  # noqa: PLR2004 - said in the message
        raise BadInputError(
            "BURSAR_DATABASE_SCHEMA",
            schema,
            "must be a lower-case identifier of at most 40 characters",
        )
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "SELECT set_config('lock_timeout', '30s', true), set_config('timezone', 'UTC', true)"
            )
        )
        connection.execute(
            sa.text("SELECT pg_advisory_xact_lock(hashtextextended('bursar migrate', 0))")
        )
        _make_roles(connection)
        _enter(connection, schema)
        _run_migrations(connection, schema)
        connection.execute(sa.text("SELECT make_partitions()"))
        seed.rules(connection)
        _grant(connection, schema)


def pending(engine: sa.Engine, schema: str = "bursar") -> bool:
    """Say whether `upgrade` would change the schema's version."""
    config = _config(None, schema)
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - slow to import, needed here alone

    head = ScriptDirectory.from_config(config).get_current_head()
    with engine.connect() as connection:
        table = connection.scalar(
            sa.text("SELECT to_regclass(:name)"), {"name": f'"{schema}".alembic_version'}
        )
        if table is None:
            return True
        return bool(
            connection.scalar(sa.text(f'SELECT version_num FROM "{schema}".alembic_version'))
            != head
        )


def _make_roles(connection: sa.Connection) -> None:
    have = set(
        connection.scalars(
            sa.text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:names)"),
            {"names": list(ROLES)},
        )
    )
    missing = [role for role in ROLES if role not in have]
    may = connection.scalar(
        sa.text("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user")
    )
    if missing and not may:
        raise RefusedError(
            f"roles are missing and this login may not make them; run as an administrator: "
            f"{' '.join(f'CREATE ROLE {role} NOLOGIN;' for role in missing)} "
            f"GRANT {', '.join(ROLES)} TO this_login;"
        )
    for role in missing:
        connection.execute(sa.text(f"CREATE ROLE {role} NOLOGIN"))
        connection.execute(sa.text(f"GRANT {role} TO current_user"))


def _enter(connection: sa.Connection, schema: str) -> None:
    exists = connection.scalar(
        sa.text("SELECT count(*) FROM pg_namespace WHERE nspname = :name"), {"name": schema}
    )
    ours = connection.scalar(
        sa.text("SELECT to_regclass(:name)"), {"name": f'"{schema}".alembic_version'}
    ) and connection.scalar(
        sa.text("SELECT to_regclass(:name)"), {"name": f'"{schema}".installation'}
    )
    used = connection.scalar(
        sa.text("SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace(:name)"),
        {"name": f'"{schema}"'},
    )
    if exists and used and not ours:
        raise RefusedError(
            f"schema {schema} holds {used} tables or indexes that bursar migrate did not make: "
            "set BURSAR_DATABASE_SCHEMA to a schema of its own"
        )
    if not exists:
        connection.execute(sa.text(f'CREATE SCHEMA "{schema}" AUTHORIZATION bursar_owner'))
    connection.execute(sa.text(f'GRANT ALL ON SCHEMA "{schema}" TO bursar_owner'))
    connection.execute(sa.text("SET LOCAL ROLE bursar_owner"))
    connection.execute(sa.text(f'SET LOCAL search_path = "{schema}", pg_temp'))


def _config(connection: sa.Connection | None, schema: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE / "migrations"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", str(_HERE / "migrations" / "versions"))
    config.attributes.update(connection=connection, schema=schema)
    return config


def _run_migrations(connection: sa.Connection, schema: str) -> None:
    command.upgrade(_config(connection, schema), "head")


def _grant(connection: sa.Connection, schema: str) -> None:
    doors = connection.scalars(
        sa.text(
            "SELECT CAST(oid AS regprocedure) FROM pg_proc WHERE prosecdef AND pronamespace = CAST(:name AS regnamespace)"
        ),
        {"name": f'"{schema}"'},
    )
    for door in doors.all():
        connection.execute(sa.text(f'ALTER FUNCTION {door} SET search_path = "{schema}", pg_temp'))
    for grants in sorted((_HERE / "schema").glob("*grants.sql")):
        text = grants.read_text(encoding="utf-8")
        run_script(connection, text.replace(":schema", f'"{schema}"'))
