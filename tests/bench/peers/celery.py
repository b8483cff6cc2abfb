"""Celery on Redis: late acknowledgement, no results kept, no talk between workers."""

from collections.abc import Sequence

from celery import Celery

from tests.bench import body
from tests.bench.peers.desk import serve
from tests.bench.world import told

app = Celery("bench", broker=told().broker_url.replace("unix://", "redis+socket://", 1))
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
)


@app.task(name="pay")
def pay(payout: int) -> None:
    """Pay one."""
    body.pay(payout)


def fill(payouts: Sequence[int]) -> None:
    """Send a message for each, through one producer."""
    with app.producer_pool.acquire(block=True) as producer:
        for payout in payouts:
            pay.apply_async((payout,), producer=producer)


if __name__ == "__main__":
    serve(fill)
