"""Dramatiq on Redis with the work done through SQLAlchemy's ORM, as most applications write it."""

from collections.abc import Sequence

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from tests.bench import body_orm
from tests.bench.peers.desk import serve
from tests.bench.world import told

dramatiq.set_broker(RedisBroker(url=told().broker_url))  # type: ignore[no-untyped-call]  # as it is documented


@dramatiq.actor(actor_name="pay")
def pay(payout: int) -> None:
    """Pay one."""
    body_orm.pay(payout)


def fill(payouts: Sequence[int]) -> None:
    """Send a message for each; there is no call for many."""
    for payout in payouts:
        pay.send(payout)


if __name__ == "__main__":
    serve(fill)
