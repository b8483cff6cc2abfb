"""DBOS: a durable workflow for each payout, the gateway and the settle as its steps, a queue with two workers."""

import os
import queue
import signal
import sys
import threading
from collections.abc import Sequence

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions

from tests.bench import body, gateway
from tests.bench.peers.desk import serve
from tests.bench.world import told

SET = 500
POLL_SECONDS = 0.1
"""Its default is a second."""
AT_ONCE = 200
"""Workflows that a worker takes: with as many as threads, it would wait for its next poll."""
_permits = threading.Semaphore(told().threads)
_connections: "queue.LifoQueue[body.Connection]" = queue.LifoQueue()


@DBOS.step()
def send(payout: int) -> None:
    """Call the gateway."""
    with _permits:
        gateway.call(payout)


@DBOS.step()
def settle(payout: int) -> None:
    """Write down what came of it, on one of a few connections: its threads are many."""
    connection = _connections.get()
    try:
        body.settle_on(connection, payout)
    finally:
        _connections.put(connection)


@DBOS.workflow(name="pay")
def pay(payout: int) -> None:
    """Pay one, each step at most once on record."""
    if told().only_note:
        gateway.note(payout)
        return
    send(payout)
    settle(payout)


def launch() -> None:
    """Begin as its documentation says."""
    DBOS(
        config=DBOSConfig(
            name="bench",
            system_database_url=told().url,
            executor_id=f"worker-{os.getpid()}",
            application_version="1",
            log_level="WARNING",
        )
    )
    DBOS.launch()
    DBOS.register_queue("pay", worker_concurrency=AT_ONCE, polling_interval_sec=POLL_SECONDS)


def prepare() -> None:
    """Make its tables and its queue."""
    launch()
    DBOS.destroy()


class Enqueuer:
    """Enqueues many in one transaction, one at a time as it offers nothing for sets."""

    def __init__(self) -> None:
        self._engine = sa.create_engine(told().url)
        self._client: DBOSClient | None = None

    def fill(self, payouts: Sequence[int]) -> None:
        """Enqueue each."""
        client = self._client = self._client or DBOSClient(system_database_url=told().url)
        options: EnqueueOptions = {"queue_name": "pay", "workflow_name": "pay"}
        for start in range(0, len(payouts), SET):
            with self._engine.begin() as connection:
                for payout in payouts[start : start + SET]:
                    client.enqueue_in_transaction(connection, options, payout)


def work() -> None:
    """Run workflows until told to end."""
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    for _ in range(told().threads):
        _connections.put(body.connect())
    launch()
    over.wait()
    DBOS.destroy()


if __name__ == "__main__":
    if sys.argv[1:] == ["work"]:
        work()
    else:
        serve(Enqueuer().fill, prepare)
