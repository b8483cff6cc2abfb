"""Open the broker that a URL names: Redis, Redis behind Sentinel, or RabbitMQ."""

from typing import Final
from urllib.parse import urlsplit

import dramatiq

from domain.errors import BadInputError
from workers.broker.rabbit_broker import RabbitBroker
from workers.broker.redis_broker import DoorbellBroker
from workers.broker.redis_links import REDIS_SCHEMES, SETTING, connect, masked
from workers.broker.refusals import Refusals

MIDDLEWARE: Final[tuple[dramatiq.Middleware, ...]] = ()
"""None. What Dramatiq would bring by default, and why each is absent:

- AgeLimit: a wake-up is as good as the run it names; the run's row says if it is too late.
- TimeLimit, ShutdownNotifications: they raise inside threads that move money (the exception arrives
  after a blocking call, in the error handler, which it then skips). Deadlines are on the calls.
- Callbacks, Pipelines, GroupCallbacks: what follows from a run is decided in Postgres.
- Retries: attempts are counted in Postgres, where a crash counts too.
- Prometheus, Results, CurrentMessage: our own metrics and rows tell more.
"""

AMQP_SCHEMES: Final = ("amqp", "amqps")


def open_broker(
    url: str, *, blocking: bool = True, refusals: Refusals | None = None
) -> dramatiq.Broker:
    """Return the broker at `url`, with both queues declared nowhere yet and no link made.

    Schemes: `redis`, `rediss`, `unix`, `redis+sentinel`, `rediss+sentinel`, `amqp`, `amqps`.
    `blocking=False` polls Redis each 0.1 s, for proxies that do not pass `BLMOVE` on. `refusals`
    counts and reports what was no wake-up.

    Raises `BadInputError` where the URL names no broker of ours.
    """
    counted = refusals or Refusals()
    scheme = urlsplit(url).scheme
    if scheme in REDIS_SCHEMES:
        return DoorbellBroker(connect(url), counted, blocking=blocking)
    if scheme in AMQP_SCHEMES:
        return RabbitBroker(url, counted)
    known = ", ".join((*REDIS_SCHEMES, *AMQP_SCHEMES))
    raise BadInputError(SETTING, masked(url), f"the scheme must be one of {known}")
