"""What a process that moves money checks before it claims: unsafe servers are refused, with the cure."""

from datetime import UTC, datetime
from typing import Final

from db import installation, release, server_facts
from db.engine import Database
from db.server_facts import ServerFacts
from domain.errors import RefusedError, UnreachableError
from workers.broker import check_broker
from workers.databases import open_database
from workers.providers import bound_account
from workers.servers import Addresses
from workers.settings import Settings

SKEW_SECONDS_MAX: Final = 2.0
VERSION_MIN: Final = 150_000


def refuse_unsafe(database: Database, broker_url: str, settings: Settings) -> None:
    """Return where every server is safe to move money on.

    Raises `RefusedError` naming the setting and the cure, `UnreachableError` where the database
    does not answer. A broker that is away is not refused: it is a bell, and the sweep works.
    """
    for complaint in unsafe(database, settings):
        raise RefusedError(complaint)
    _refuse_broker(broker_url)


def check_start(settings: Settings, addresses: Addresses) -> None:
    """Do what a worker does before it claims, and close everything again (raises as above)."""
    database = open_database(
        settings, addresses, role="bursar_worker", application="bursar start", pool_max=1
    )
    try:
        database.warm_up()
        refuse_unsafe(database, addresses.broker_url, settings)
    finally:
        database.dispose()


def unsafe(database: Database, settings: Settings) -> list[str]:
    """Return everything about the database that forbids moving money, in words with their cure."""
    if release.is_behind(database):
        return ["the schema is not at head: run `bursar migrate`"]
    with database.begin() as tx:
        before = datetime.now(UTC)
        facts = server_facts.look(tx)
        after = datetime.now(UTC)
        bound = installation.get(tx)
        if not facts.in_recovery:
            installation.was_restored(tx)  # turns the switch on; `runs.start` looks at it
    return [
        *server_complaints(facts),
        *clock_complaints(before, facts.clock, after),
        *_binding_complaints(bound, settings),
    ]


def server_complaints(facts: ServerFacts) -> list[str]:
    """Return what is unsafe about the server's settings."""
    found = []
    if facts.version < VERSION_MIN:
        found.append(f"Postgres {facts.version // 10_000} is too old: use 15 or later")
    if facts.in_recovery:
        found.append("BURSAR_DATABASE_URL leads to a standby: point it at the primary")
    if not facts.fsync:
        found.append(
            "fsync is off: a power cut loses payments; set `fsync = on` in postgresql.conf"
        )
    if not facts.full_page_writes:
        found.append(
            "full_page_writes is off: a power cut tears pages; set `full_page_writes = on`"
        )
    if facts.synchronous_commit == "off":
        found.append(
            "synchronous_commit is off: a crash loses committed intents; set "
            "`synchronous_commit = on` (also on the role and the database: ALTER ROLE … RESET)"
        )
    return found


def clock_complaints(before: datetime, clock: datetime, after: datetime) -> list[str]:
    """Return what is wrong with this machine's clock, judged against the database's.

    The database read its clock between `before` and `after`; only a difference beyond that counts.
    """
    ahead = max((before - clock).total_seconds(), (clock - after).total_seconds())
    if ahead <= SKEW_SECONDS_MAX:
        return []
    allowed = f"at most {SKEW_SECONDS_MAX:g} s are allowed; set both by NTP"
    return [f"this machine's clock and the database's are {ahead:.1f} s apart: {allowed}"]


def connection_complaints(facts: ServerFacts, *, processes: int, pool_max: int) -> list[str]:
    """Return what is wrong with the number of connections that `processes` may open."""
    wanted = processes * pool_max
    limits = [("max_connections", facts.connections_max)]
    if facts.role_connections_max >= 0:
        limits.append(("the login's CONNECTION LIMIT", facts.role_connections_max))
    return [
        f"{processes} processes x BURSAR_DATABASE_POOL_MAX {pool_max} = {wanted} connections, but "
        f"{name} allows {limit}: lower BURSAR_DATABASE_POOL_MAX or raise the limit"
        for name, limit in limits
        if wanted > limit
    ]


def _binding_complaints(bound: installation.Installation, settings: Settings) -> list[str]:
    named = bound_account(settings)
    if named is None:
        return []
    try:
        installation.check_bound(bound, *named)
    except RefusedError as error:
        return [str(error)]
    return []


def _refuse_broker(url: str) -> None:
    try:
        check_broker(url)
    except UnreachableError:
        return
