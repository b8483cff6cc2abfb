"""What the database server is like: version, safety settings, limits, clock."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """One look at the server. `clock` is aware UTC, read when the look was taken."""

    version: int
    """As the server counts: 160004 is 16.4."""
    fsync: bool
    full_page_writes: bool
    synchronous_commit: str
    in_recovery: bool
    connections_max: int
    """Connections that ordinary roles may have."""
    role_connections_max: int
    """What this login may have; -1 is no limit of its own."""
    connections_now: int
    clock: datetime


_LOOK: Final = sa.text("""
    SELECT CAST(current_setting('server_version_num') AS int) AS version,
           current_setting('fsync') AS fsync,
           current_setting('full_page_writes') AS full_page_writes,
           current_setting('synchronous_commit') AS synchronous_commit,
           pg_is_in_recovery() AS in_recovery,
           CAST(current_setting('max_connections') AS int)
             - CAST(current_setting('superuser_reserved_connections') AS int) AS connections_max,
           (SELECT rolconnlimit FROM pg_roles WHERE rolname = session_user) AS role_connections_max,
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections_now,
           clock_timestamp() AS clock""")


def look(tx: Tx) -> ServerFacts:
    """Return what the server says about itself, in one statement."""
    row = tx.row(_LOOK)
    if row is None:
        raise AssertionError("a select without a table returns one row")
    return ServerFacts(
        version=row.version,
        fsync=row.fsync == "on",
        full_page_writes=row.full_page_writes == "on",
        synchronous_commit=row.synchronous_commit,
        in_recovery=row.in_recovery,
        connections_max=row.connections_max,
        role_connections_max=row.role_connections_max,
        connections_now=row.connections_now,
        clock=row.clock,
    )


_ROLES: Final = sa.text("""
    SELECT wanted.name, r.rolname IS NOT NULL AS is_made,
           coalesce(pg_has_role(session_user, r.oid, 'MEMBER'), false) AS may_be
    FROM unnest(CAST(:names AS text[])) AS wanted (name) LEFT JOIN pg_roles r ON r.rolname = wanted.name""")


def missing_roles(tx: Tx, names: list[str]) -> list[str]:
    """Return those of `names` that this login may not act as, or that do not exist."""
    return [row.name for row in tx.rows(_ROLES, names=names) if not (row.is_made and row.may_be)]


def login(tx: Tx) -> str:
    """Return the role that logged in, whatever role it acts as now."""
    name: str = tx.scalar(sa.text("SELECT session_user"))
    return name
