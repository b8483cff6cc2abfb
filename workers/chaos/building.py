"""A house from a fresh home, and its removal."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Final

from db.engine import Database, DatabaseOptions
from workers.chaos.bank import ACCOUNT, Bank
from workers.chaos.disk import small_disk
from workers.chaos.house import OBSERVER, House
from workers.chaos.link import Link
from workers.chaos.plan import Plan
from workers.chaos.programs import supervisor
from workers.databases import open_database
from workers.embedded import Home, Tuning
from workers.embedded.pairs import Pair
from workers.embedded.postgres import SOCKET_NAME as POSTGRES_SOCKET
from workers.embedded.redis import SOCKET_NAME as REDIS_SOCKET
from workers.embedded.servers import database_url
from workers.free_ports import free_ports
from workers.logs import configure
from workers.practice import STORAGE
from workers.releasing import release_database
from workers.servers import Addresses, SandboxPlan
from workers.settings import Settings, load

PROCESS_SECONDS: Final = 2.5
"""So long a payment is under way: it is asked about before that, and next when its webhook has come."""
TUNING: Final = Tuning(shared_buffers_mb=64, wal_mb_max=256)


@contextmanager
def house(plan: Plan) -> Iterator[House]:
    """Yield the house of a fresh home, its schema at head and its processes not started; all is removed."""
    home = Home(plan.home)
    home.prepare()
    with ExitStack() as stack:
        stack.callback(home.erase)
        disk = stack.enter_context(small_disk(home)) if "disk-full" in plan.faults else None
        pair = Pair.prepare(home, TUNING)
        stack.callback(pair.stop)
        pair.start()
        links = [
            stack.enter_context(Link(target))
            for target in (pair.sockets / POSTGRES_SOCKET, pair.sockets / REDIS_SOCKET)
        ]
        bank_port, web_port = free_ports(2)
        bank_link, web_link = (stack.enter_context(Link(port)) for port in (bank_port, web_port))
        bank_plan = _bank(plan, bank_port, web_link.port)
        told = _environment(plan, links[0].port, links[1].port, bank_link.port, bank_plan)
        told |= {"PORT": str(web_port)}
        settings = load({**_others(), **told})
        log = plan.home / "processes.log"
        stream = stack.enter_context(log.open("w", encoding="utf-8", errors="replace"))
        configure(settings, stream)
        addresses = Addresses(
            database_url=str(settings.database_url),
            broker_url=str(settings.broker_url),
            embedded=False,
        )
        observer = _observer(pair)
        stack.callback(observer.dispose)
        _migrate(settings, addresses)
        yield House(
            plan=plan,
            pair=pair,
            database_link=links[0],
            broker_link=links[1],
            bank_link=bank_link,
            web_link=web_link,
            bank=Bank(bank_plan, plan.home / STORAGE),
            observer=observer,
            settings=settings,
            addresses=addresses,
            supervisor=supervisor(plan, told, stream),
            log=log,
            disk=disk,
        )


def _bank(plan: Plan, port: int, told_at: int) -> SandboxPlan:
    made = SandboxPlan.make(
        port,
        account_number=ACCOUNT,
        faults=plan.bank_faults,
        seed=plan.seed,
        process_seconds=PROCESS_SECONDS,
    ).telling(f"http://127.0.0.1:{told_at}")
    made.write(plan.home)
    return made


def _environment(
    plan: Plan, database: int, broker: int, bank: int, made: SandboxPlan
) -> dict[str, str]:
    return {
        **made.environment,
        "BURSAR_HOME": str(plan.home),
        "BURSAR_DATABASE_URL": f"postgresql+psycopg://bursar@127.0.0.1:{database}/bursar",
        "BURSAR_BROKER_URL": f"redis://127.0.0.1:{broker}/0",
        "BURSAR_RAZORPAYX_URL": f"http://127.0.0.1:{bank}/v1",
        "BURSAR_LEASE_SECONDS": f"{plan.lease_seconds:g}",
        "BURSAR_GATEWAY_TIMEOUT_SECONDS": f"{plan.call_seconds_max:g}",
        "BURSAR_RECOVER_SECONDS": "0.5,1,2",
        "BURSAR_CONCURRENCY": "8",
        "BURSAR_GATEWAY_RATE_PER_SECOND": "400",
        "BURSAR_LOG_FORMAT": "json",
        "BURSAR_LOG_LEVEL": "info",
    }


def _others() -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("BURSAR_")}


def _observer(pair: Pair) -> Database:
    url = database_url(pair.sockets, user="postgres")
    return Database(DatabaseOptions(url=url, role=None, pool_max=4, application=OBSERVER))


def _migrate(settings: Settings, addresses: Addresses) -> None:
    database = open_database(
        settings, addresses, role=None, application="bursar migrate", pool_max=1
    )
    try:
        release_database(database, settings, addresses)
    finally:
        database.dispose()
