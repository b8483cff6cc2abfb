"""The doctor: every setting with its source, and whether the servers are fit to move money on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from db import applications, gauges, installation, migrate, release, server_facts, switches
from db.engine import Database
from db.server_facts import ServerFacts
from domain.answers import LookUpFailed
from domain.errors import ExpectedError, RefusedError, UnreachableError
from domain.switches import NOTICES
from workers.banks import open_bank
from workers.broker import check_broker
from workers.broker_depth import depths
from workers.databases import open_database
from workers.payments import open_payments
from workers.providers import bound_account
from workers.servers import Addresses, is_embedded, names_provider, read_settings, servers
from workers.settings import Settings, describe
from workers.settings.describing import Described
from workers.startup import clock_complaints, connection_complaints, server_complaints

LOOKED_FOR: Final = "bursar-doctor"
"""A reference that no order has."""


class Grade(StrEnum):
    """How one thing is."""

    INFO = "info"
    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"
    AWAY = "away"
    """A server that is needed does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at. `detail` never holds a secret; a fault's names the cure."""

    subject: str
    grade: Grade
    detail: str
    source: str | None = None


def examine(
    environ: Mapping[str, str], home: Path | None, *, live: bool, processes: int
) -> list[Check]:
    """Look at everything and return what was found, settings first.

    Raises `BadInputError` for settings that do not load: there is nothing to look at then.
    """
    settings = read_settings(environ, home)
    found = [_setting(described) for described in describe(settings, environ)]
    try:
        with servers(settings) as addresses:
            found += _servers(settings, addresses, processes)
    except UnreachableError as error:
        found.append(Check(subject="servers", grade=Grade.AWAY, detail=str(error)))
    if live:
        found += [_provider(settings), _gateway(settings)]
    elif is_embedded(settings) and names_provider(environ):
        detail = "a provider is configured on embedded servers: fit for trying a test account only"
        found.append(Check(subject="provider", grade=Grade.WARNING, detail=detail))
    return found


def _setting(described: Described) -> Check:
    return Check(
        subject=described.name,
        grade=Grade.INFO,
        detail=described.value,
        source=described.source,
    )


def _servers(settings: Settings, addresses: Addresses, processes: int) -> Iterator[Check]:
    database = open_database(
        settings, addresses, role=None, application="bursar doctor", pool_max=1
    )
    try:
        yield from _database(database, settings, processes)
    except UnreachableError as error:
        detail = f"BURSAR_DATABASE_URL: {error}"
        yield Check(subject="database", grade=Grade.AWAY, detail=detail)
    finally:
        database.dispose()
    yield from _broker(addresses)


def _database(database: Database, settings: Settings, processes: int) -> Iterator[Check]:
    with database.begin() as tx:
        before = datetime.now(UTC)
        facts = server_facts.look(tx)
        after = datetime.now(UTC)
        missing = server_facts.missing_roles(tx, list(migrate.ROLES))
    yield _graded(
        "clock", clock_complaints(before, facts.clock, after), "within 2 s of the database's"
    )
    yield _graded("database", server_complaints(facts), _version(facts))
    crowded = []
    if settings.database_pooler == "none":  # else the pooler's own limits decide, not the server's
        pool_max = settings.database_pool_max
        crowded = connection_complaints(facts, processes=processes, pool_max=pool_max)
    room = f"{facts.connections_now} of {facts.connections_max} in use"
    yield _graded("connections", crowded, room)
    roles = [
        f"this login may not act as {role}: run `bursar migrate` as an administrator"
        for role in missing
    ]
    yield _graded("roles", roles, "all four are there")
    if release.is_behind(database):
        yield _graded("schema", ["not at head: run `bursar migrate`"], "")
        return
    yield _graded("schema", [], f"{settings.database_schema} at head")
    yield from _state(database, settings)
    yield from _doors(database, settings)


def _state(database: Database, settings: Settings) -> Iterator[Check]:
    """Look at what only a migrated database holds."""
    with database.begin() as tx:
        bound = installation.get(tx)
        restored = installation.was_restored(tx)
        waiting = gauges.waiting_runs(tx)
        workers = gauges.live_workers(tx)
    named = bound_account(settings)
    complaints = []
    if named is not None:
        try:
            installation.check_bound(bound, *named)
        except RefusedError as error:
            complaints.append(str(error))
    yield _graded("provider account", complaints, f"{bound.provider} {bound.account}")
    cure = "another server wrote this database: compare effects with the provider, `bursar reconcile effects`"
    yield _graded("restore", [cure] if restored else [], "same server, same history")
    for queue in waiting:
        if queue.oldest_seconds > 60:  # noqa: PLR2004  a minute
            detail = f"{queue.waiting} runs wait in {queue.queue}, the oldest for {queue.oldest_seconds:.0f} s"
            yield Check(subject="runs", grade=Grade.WARNING, detail=detail)
    grade = Grade.OK if workers else Grade.WARNING
    yield Check(subject="workers", grade=grade, detail=f"{workers} processes run jobs")


def _doors(database: Database, settings: Settings) -> Iterator[Check]:
    """Name what is open to programs, and whether they are told of payouts."""
    with database.begin() as tx:
        present = applications.present(tx)
        is_on = switches.is_on(tx, NOTICES)
    may = "; ".join(f"{one.name}: {', '.join(sorted(one.scopes))}" for one in present)
    detail = f"open to {may}" if present else "closed: there is no application"
    yield Check(subject="POST /v1", grade=Grade.INFO, detail=detail)
    match settings.events_url is not None, is_on:
        case True, True:
            grade, detail = Grade.OK, "applications are told what becomes of payouts"
        case True, False:
            detail = "BURSAR_EVENTS_URL is set and nothing is told: `bursar notices on --why …`"
            grade, detail = Grade.WARNING, f"{detail}, or a worker's first start"
        case False, True:
            detail = "notices are written, but BURSAR_EVENTS_URL is not set here"
            grade, detail = Grade.WARNING, f"{detail}: set it, or `bursar notices off --why …`"
        case _:
            grade, detail = Grade.INFO, "nobody is told: BURSAR_EVENTS_URL is not set"
    yield Check(subject="notices", grade=grade, detail=detail)


def _broker(addresses: Addresses) -> Iterator[Check]:
    try:
        check_broker(addresses.broker_url)
        held = depths(addresses.broker_url)
    except UnreachableError as error:
        detail = f"{error}; work goes on at the speed of the sweep (BURSAR_BROKER_URL)"
        yield Check(subject="broker", grade=Grade.AWAY, detail=detail)
    except RefusedError as error:
        yield Check(subject="broker", grade=Grade.FAULT, detail=str(error))
    else:
        detail = ", ".join(f"{queue} {count} waiting" for queue, count in held.items())
        yield Check(subject="broker", grade=Grade.OK, detail=detail or "answers")


def _provider(settings: Settings) -> Check:
    """One harmless authenticated call with the client that jobs use."""
    try:
        with open_bank(settings) as bank:
            if bank is None:
                detail = "none is configured: set BURSAR_PAYOUT_PROVIDER"
                return Check(subject="provider", grade=Grade.FAULT, detail=detail)
            answer = bank.check()
    except ExpectedError as error:
        return Check(subject="provider", grade=Grade.FAULT, detail=str(error))
    if isinstance(answer, LookUpFailed):
        return Check(subject="provider", grade=Grade.FAULT, detail=answer.reason)
    named = " ".join(bound_account(settings) or ())
    return Check(subject="provider", grade=Grade.OK, detail=f"{named} answers this key")


def _gateway(settings: Settings) -> Check:
    """Look for an order that is not there, with the client that jobs use."""
    subject = "payments"
    try:
        with open_payments(settings) as payments:
            if payments is None:
                detail = "no gateway is configured: customers pay by wallets and credits alone"
                return Check(subject=subject, grade=Grade.INFO, detail=detail)
            answer = payments.find_orders(LOOKED_FOR)
            named = f"{payments.provider} {payments.account}"
    except ExpectedError as error:
        return Check(subject=subject, grade=Grade.FAULT, detail=str(error))
    if isinstance(answer, LookUpFailed):
        return Check(subject=subject, grade=Grade.FAULT, detail=answer.reason)
    return Check(subject=subject, grade=Grade.OK, detail=f"{named} answers this key")


def _graded(subject: str, complaints: list[str], otherwise: str) -> Check:
    if complaints:
        return Check(subject=subject, grade=Grade.FAULT, detail="; ".join(complaints))
    return Check(subject=subject, grade=Grade.OK, detail=otherwise)


def _version(facts: ServerFacts) -> str:
    return f"Postgres {facts.version // 10_000}.{facts.version % 10_000}, safe settings"
