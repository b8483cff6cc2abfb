"""RQ on Redis: its pool of workers, one job at a time each."""

from collections.abc import Sequence

import redis
from rq import Queue

from tests.bench.peers.desk import serve
from tests.bench.world import told

SET = 500
JOB = "tests.bench.body.pay"


def fill(payouts: Sequence[int]) -> None:
    """Enqueue many in one pipeline; results are not kept."""
    queue = Queue("pay", connection=redis.Redis.from_url(told().broker_url))
    if len(payouts) == 1:
        queue.enqueue(JOB, payouts[0], result_ttl=0)
        return
    for start in range(0, len(payouts), SET):
        jobs = [
            Queue.prepare_data(JOB, (payout,), result_ttl=0)
            for payout in payouts[start : start + SET]
        ]
        queue.enqueue_many(jobs)


if __name__ == "__main__":
    serve(fill)
