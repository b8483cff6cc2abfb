"""What takes webhooks in one process, made from its settings, on connections of its own."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from db import installation, receiving, wakes
from db.engine import Database
from db.runs import Known
from domain.inbox import APPLY, VerifiedEvent
from domain.webhooks.providers import Provider
from domain.webhooks.verify import verifiers
from jobs.catalog import Ports, build
from workers.broker import Bell
from workers.composition import ring_with
from workers.databases import open_database
from workers.metrics import Metrics
from workers.servers import Addresses
from workers.settings import Settings
from workers.web.certificates import PayPalCertificates, fetch_certificate
from workers.web.keeping import Keeper
from workers.web.receiving import Receiver
from workers.web.ringing import Ringer

if TYPE_CHECKING:
    from db.installation import Installation

POOL_MAX: Final = 2
"""One connection that keeps events, one that rings for them."""
COMMIT_SECONDS_MAX: Final = 1.0


@contextmanager
def open_receiver(settings: Settings, addresses: Addresses, metrics: Metrics) -> Iterator[Receiver]:
    """Yield what takes webhooks, on connections of its own; all of it is closed afterwards."""
    database = open_database(
        settings,
        addresses,
        role="bursar_worker",
        application="bursar web receiving",
        pool_max=POOL_MAX,
    )
    bell = Bell(addresses.broker_url)
    known = [job.known() for job in build(Ports()).values() if job.name == APPLY]
    receiver = Receiver(
        secrets=secrets(settings),
        verifiers=verifiers(PayPalCertificates(fetch_certificate)),
        keeper=Keeper(_Inbox(database).keep),
        ringer=Ringer(lambda: _ring(database, bell, known)),
        metrics=metrics,
        clock=lambda: datetime.now(UTC),
    )
    try:
        yield receiver
    finally:
        receiver.close()
        bell.close()
        database.dispose()


def secrets(settings: Settings) -> Mapping[Provider, Sequence[str]]:
    """Return what each provider's webhooks are checked with: current ones, and ones before."""
    given = {
        Provider.RAZORPAYX: settings.razorpayx_webhook_secrets,
        Provider.RAZORPAY: settings.razorpay_webhook_secrets,
        Provider.STRIPE: settings.stripe_webhook_secrets,
        Provider.FLUTTERWAVE: settings.flutterwave_secret_hash,
    }
    found = {name: [one.get_secret_value() for one in held] for name, held in given.items()}
    webhook = settings.paypal_webhook_id
    return {**found, Provider.PAYPAL: [webhook] if webhook else []}


class _Inbox:
    """Commits sets of events, each by one statement in one round trip; what was there already is looked at again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._installation: Installation | None = None

    def keep(self, events: Sequence[VerifiedEvent]) -> set[tuple[str, str]]:
        if self._installation is None:
            with self._database.begin(COMMIT_SECONDS_MAX) as tx:
                self._installation = installation.get(tx)
        with self._database.single(COMMIT_SECONDS_MAX) as tx:
            new = receiving.keep(tx, self._installation.id, events)
        known = [one for one in events if (one.provider, one.event_id) not in new]
        if known:
            with self._database.begin(COMMIT_SECONDS_MAX) as tx:
                receiving.again(tx, self._installation.id, known)
        return new


def _ring(database: Database, bell: Bell, known: Sequence[Known]) -> None:
    ring_with(bell, database.transact(lambda tx: wakes.wake(tx, known)))
