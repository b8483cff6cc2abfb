"""What a peer's processes are told: where the servers are, and what is asked of them."""

import json
import os
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

ROOT: Final = Path(__file__).parents[2]
"""Where peers run, so that they can import this package."""
VARIABLE: Final = "BENCH_WORLD"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One run: servers, the file of notes, and how the work is to be done."""

    url: str
    """The database, as SQLAlchemy takes it; its servers are reached through Unix sockets."""
    broker_url: str
    """The Redis: `unix:///…`."""
    notes: str
    """The file in which the gateway notes each call."""
    gateway_seconds: float = 0.0
    processes: int = 2
    threads: int = 8
    """In each process: with the default 16 items at once."""
    only_note: bool = False
    """Whether a job only notes that it began: what is measured is the way to it."""

    @property
    def libpq(self) -> dict[str, str]:
        """The database as libpq, psycopg and asyncpg name it."""
        url = urlsplit(self.url)
        told: dict[str, str | None] = {
            "user": url.username,
            "password": url.password,
            "host": url.hostname,
        }
        told |= {"port": str(url.port or ""), "dbname": url.path.removeprefix("/")}
        told |= {name: values[0] for name, values in parse_qs(url.query).items()}
        return {name: value for name, value in told.items() if value}

    @property
    def conninfo(self) -> str:
        """The same as one text."""
        return " ".join(f"{name}={value}" for name, value in self.libpq.items())

    @property
    def asyncpg(self) -> dict[str, Any]:
        """The same as asyncpg names it."""
        told = self.libpq
        return {("database" if name == "dbname" else name): told[name] for name in told}

    def environment(self) -> dict[str, str]:
        """What a peer's process is started with."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("BURSAR_")}
        return kept | {VARIABLE: json.dumps(asdict(self)), "PYTHONPATH": str(ROOT)}


@cache
def told() -> World:
    """Return the world that this process was started in."""
    return World(**json.loads(os.environ[VARIABLE]))
