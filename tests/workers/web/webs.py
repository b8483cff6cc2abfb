"""A web process as it is in production, served in a thread of the test's process, and who calls it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from starlette.applications import Starlette

from db.engine import Database, DatabaseOptions
from tests.domain.webhooks.signing import BEFORE, SECRET, razorpay_headers
from tests.fakes.serving import serving as served
from workers.metrics import Metrics
from workers.servers import Addresses
from workers.settings import load
from workers.tick_health import late_schedules
from workers.web import build
from workers.web.webhooks import open_receiver

SECRETS = {
    "BURSAR_RAZORPAYX_WEBHOOK_SECRETS": f"{SECRET},{BEFORE}",
    "BURSAR_RAZORPAY_WEBHOOK_SECRETS": SECRET,
    "BURSAR_STRIPE_WEBHOOK_SECRETS": SECRET,
    "BURSAR_FLUTTERWAVE_SECRET_HASH": SECRET,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """One web process, and what it counted."""

    http: httpx.Client
    port: int
    metrics: Metrics

    def send(
        self,
        body: bytes,
        headers: dict[str, str] | None = None,
        provider: str = "razorpayx",
    ) -> httpx.Response:
        """POST a webhook, signed as RazorpayX does where no headers are given."""
        signed = razorpay_headers(body) if headers is None else headers
        return self.http.post(f"/webhooks/{provider}", content=body, headers=signed)

    def counted(self, outcome: str, provider: str = "razorpayx") -> float:
        """How many webhooks had this outcome."""
        labels = {"provider": provider, "outcome": outcome}
        return self.metrics.registry.get_sample_value("bursar_webhooks_total", labels) or 0.0


@contextmanager
def serving(app: Starlette) -> Iterator[int]:
    """Serve an application on a free port until the block ends."""
    with served(app) as url:
        yield int(url.rpartition(":")[2])


@contextmanager
def web(database_url: str, broker_url: str, **changes: str) -> Iterator[Web]:
    """Run a web process on these servers; `changes` to its settings."""
    servers = {"BURSAR_DATABASE_URL": database_url, "BURSAR_BROKER_URL": broker_url}
    settings = load({**servers, **SECRETS, **changes})
    addresses = Addresses(database_url=database_url, broker_url=broker_url, embedded=False)
    database = Database(DatabaseOptions(url=database_url, role=None, pool_max=2))
    metrics = Metrics()
    metrics.watch(database)
    try:
        with (
            open_receiver(settings, addresses, metrics) as receiver,
            serving(build(database, metrics, late_schedules, [receiver.route()])) as port,
            httpx.Client(
                base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60
            ) as client,
        ):
            yield Web(http=client, port=port, metrics=metrics)
    finally:
        database.dispose()
