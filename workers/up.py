"""Everything of one home, running: servers, schema, and the processes of the Procfile.

The servers are the configured ones, or embedded ones started here. The sandbox bank and the mail
sink are there only where nothing else is configured for their part.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import workers
from domain.errors import BadInputError
from workers.databases import open_database
from workers.free_ports import free_ports
from workers.procfile import Line, parse
from workers.releasing import release_database
from workers.servers import (
    Addresses,
    SandboxPlan,
    is_embedded,
    names_provider,
    read_settings,
    servers,
)
from workers.settings import Settings
from workers.supervisor import Program

PROCFILE: Final = Path(workers.__file__).parents[1] / "Procfile.dev"
WORKER, SANDBOX, MAIL = "worker", "sandbox", "mail"
STOP_ORDER: Final = {"scheduler": 0, WORKER: 1, "web": 2, SANDBOX: 3, MAIL: 3}
"""Who makes work stops first; what the others talk to stops last."""
WORKER_BEAT_SECONDS_MAX: Final = 60.0
FAILURES_MAX: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One home with its servers, ready for its processes."""

    home: Path
    settings: Settings
    addresses: Addresses
    environment: Mapping[str, str]
    """What its processes are told beyond our own environment."""
    sandbox: SandboxPlan | None
    web_port: int
    smtp_url: str

    @property
    def web_url(self) -> str:
        """Where health and metrics are."""
        return f"http://127.0.0.1:{self.web_port}"


@contextmanager
def site(
    environ: Mapping[str, str], home: Path, sandbox: SandboxPlan | None = None
) -> Iterator[Site]:
    """Yield the home with servers started (or the configured ones) and the schema at head.

    `sandbox` says how its bank behaves; its secrets, account and port are the home's own.
    """
    settings = read_settings(environ, home)
    with servers(settings, start=True) as addresses:
        made = _furnish(environ, home, settings, addresses, sandbox)
        database = open_database(
            made.settings, addresses, role=None, application="bursar up", pool_max=1
        )
        try:
            release_database(database, made.settings, addresses)
        finally:
            database.dispose()
        yield made


def _furnish(
    environ: Mapping[str, str],
    home: Path,
    settings: Settings,
    addresses: Addresses,
    wanted: SandboxPlan | None,
) -> Site:
    web_port, bank_port, mail_port = free_ports(3)
    environment = {name: value for name, value in environ.items() if name.startswith("BURSAR_")}
    environment |= {"BURSAR_HOME": str(home), "PORT": str(web_port)}
    plan = None
    if is_embedded(settings) and not names_provider(environ):
        plan = _plan(home, bank_port, web_port, wanted)
        environment |= plan.told(settings)
    if not settings.smtp_url:
        environment["BURSAR_SMTP_URL"] = f"smtp://127.0.0.1:{mail_port}"
    if not settings.public_url:
        environment["BURSAR_PUBLIC_URL"] = f"http://127.0.0.1:{web_port}"
    told = read_settings({**environ, **environment}, home)
    environment["BURSAR_LOG_FORMAT"] = told.log_format
    return Site(
        home=home,
        settings=told,
        addresses=addresses,
        environment=environment,
        sandbox=plan,
        web_port=web_port,
        smtp_url=environment.get("BURSAR_SMTP_URL", ""),
    )


def _plan(home: Path, port: int, web_port: int, wanted: SandboxPlan | None) -> SandboxPlan:
    """Return the home's bank on a free port: what is paid stays with its account over restarts."""
    before = SandboxPlan.read(home)
    if before is None:
        plan = wanted or SandboxPlan.make(port)
    else:
        plan = replace(
            wanted or before,
            key_id=before.key_id,
            key_secret=before.key_secret,
            account_number=before.account_number,
            webhook_secret=before.webhook_secret or SandboxPlan.make(port).webhook_secret,
        )
    plan = replace(plan, port=port).telling(f"http://127.0.0.1:{web_port}")
    plan.write(home)
    return plan


def programs(made: Site, environ: Mapping[str, str], *, worker_copies: int) -> list[Program]:
    """Return the processes of the Procfile that this site needs."""
    text = PROCFILE.read_text(encoding="utf-8")
    lines = parse(text, PROCFILE.name, {**environ, **made.environment})
    if WORKER not in {line.name for line in lines}:
        raise BadInputError(PROCFILE.name, text, f"has no line `{WORKER}: …`")
    return [
        _program(line, made, worker_copies)
        for line in lines
        if not (line.name == SANDBOX and made.sandbox is None)
        and not (line.name == MAIL and not made.smtp_url)
    ]


def _program(line: Line, made: Site, worker_copies: int) -> Program:
    is_worker = line.name == WORKER
    return Program(
        name=line.name,
        arguments=line.arguments,
        environment=made.environment,
        copies=worker_copies if is_worker else 1,
        stop_order=STOP_ORDER.get(line.name, 2),
        beat_seconds_max=WORKER_BEAT_SECONDS_MAX if is_worker else None,
        failures_max=FAILURES_MAX,
    )
