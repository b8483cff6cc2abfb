"""The house a storm goes over: servers, links, bank and processes of a fresh home, all our own children."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from db.engine import Database
from domain.errors import UnreachableError
from workers.chaos.bank import Bank
from workers.chaos.disk import Disk
from workers.chaos.link import Link
from workers.chaos.plan import Plan
from workers.chaos.programs import WORKERS
from workers.databases import open_database
from workers.embedded.pairs import Pair
from workers.servers import Addresses
from workers.settings import Settings
from workers.supervisor import Supervisor
from workers.supervisor.child import Child

OBSERVER: Final = "bursar chaos"


@dataclass(slots=True, kw_only=True)
class House:
    """Everything a fault can be done to."""

    plan: Plan
    pair: Pair
    database_link: Link
    broker_link: Link
    bank_link: Link
    web_link: Link
    """On which the bank's webhooks come."""
    bank: Bank
    observer: Database
    """Past the links, as superuser: what it sees is so."""
    settings: Settings
    addresses: Addresses
    supervisor: Supervisor
    log: Path
    disk: Disk | None

    @property
    def workers(self) -> list[Child]:
        """The processes that run jobs, of every release."""
        return [c for c in self.supervisor.children if c.program.name in WORKERS]

    @property
    def links(self) -> list[Link]:
        """Every way between two of them."""
        return [self.database_link, self.broker_link, self.bank_link, self.web_link]

    def named(self, name: str) -> list[Child]:
        """The processes of one kind that run at this moment."""
        return [c for c in self.supervisor.children if c.program.name == name and c.running]

    def start_servers(self) -> bool:
        """Start what of the servers does not run; False where one could not start yet."""
        try:
            for server in (self.pair.redis, self.pair.postgres):
                if not server.running:
                    server.stop()
                    server.start()
        except UnreachableError:
            return False
        return True

    def open(self, application: str, role: str = "bursar_operator") -> Database:
        """Open the database as people and applications do: through the link, with its faults."""
        return open_database(
            self.settings, self.addresses, role=role, application=application, pool_max=3
        )
