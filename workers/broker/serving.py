"""Threads that take runs: Dramatiq's worker as a library, one per queue, each with its own threads.

Dramatiq shares one worker's threads among its queues; here `rest` must never hold up `money`. A
thread is a seat in its queue's room, and every run sits in one, whether the broker rang for it or
the sweep found it (`offer`), so neither can start more than there are threads.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

import dramatiq
import structlog
from dramatiq.broker import MessageProxy

from workers.broker.rabbit_broker import RabbitBroker
from workers.broker.redis_broker import DoorbellBroker
from workers.broker.rooms import Room
from workers.broker.wakeups import actor_name, message_for

WORKER_MILLISECONDS: Final = 500
"""How long an idle thread or consumer waits before it looks whether it shall stop."""
BEAT_SECONDS_MAX: Final = 10.0
"""A consumer's step is bounded by a few socket time-outs; RabbitMQ's includes a reconnect."""


def _expected(record: logging.LogRecord) -> bool:
    """Drop Dramatiq's warning that a second worker was added: one per queue is what we want."""
    return "middleware of the same type twice" not in str(record.msg)


Handle = Callable[[int], None]
_log = structlog.get_logger(__name__)


class Desk:
    """Runs `handle` for one queue and knows how long each thread has been at it."""

    def __init__(self, room: Room, handle: Handle) -> None:
        self.room = room
        self._handle = handle
        self._since: dict[int, float] = {}

    def serve(self, run_id: int) -> None:
        """Handle one run; its seat is free afterwards, whatever happens."""
        me = threading.get_ident()
        self._since[me] = time.monotonic()
        try:
            self._handle(run_id)
        finally:
            self._since.pop(me, None)
            self.room.give()

    def busy_seconds(self) -> float:
        """Return for how long the slowest run has been handled; 0.0 when none is."""
        since = list(self._since.values())
        return time.monotonic() - min(since) if since else 0.0


class RunningWorker:
    """The threads of all queues, until `stop`."""

    def __init__(self, workers: Mapping[str, dramatiq.Worker], desks: Mapping[str, Desk]) -> None:
        self._workers, self._desks = dict(workers), dict(desks)
        self._started = time.monotonic()

    def offer(self, queue: str, run_id: int) -> bool:
        """Give a run that the sweep found to a thread of `queue`; False where none is free."""
        desk = self._desks[queue]
        if not desk.room.take():
            return False
        message = MessageProxy(message_for(queue, run_id))
        self._workers[queue].consumers[queue].handle_message(message)
        return True

    def alive(
        self, *, beat_seconds_max: float = BEAT_SECONDS_MAX, busy_seconds_max: float | None = None
    ) -> bool:
        """Whether every thread lives, every consumer moves, and no run lasts too long.

        A broker that is away does not make this False: the sweep still brings runs to the threads.
        """
        return not self.complaints(
            beat_seconds_max=beat_seconds_max, busy_seconds_max=busy_seconds_max
        )

    def complaints(
        self, *, beat_seconds_max: float = BEAT_SECONDS_MAX, busy_seconds_max: float | None = None
    ) -> list[str]:
        """Return what is wrong with the threads, in words; empty when they still take work."""
        found = []
        for queue, worker in self._workers.items():
            threads = [*worker.workers, *worker.consumers.values()]
            dead = sum(not thread.is_alive() for thread in threads)
            if dead or queue not in worker.consumers:
                found.append(f"{queue}: {dead} of {len(threads)} threads are dead")
                continue
            beat = getattr(worker.consumers[queue].consumer, "beat", None)
            if beat is not None and time.monotonic() - beat > beat_seconds_max:
                found.append(f"{queue}: the consumer stands still")
            busy = self._desks[queue].busy_seconds()
            if busy_seconds_max is not None and busy > busy_seconds_max:
                found.append(f"{queue}: a run lasts {busy:.0f} s")
        return found

    def stop(self, timeout_seconds: float) -> bool:
        """Take no more runs, wait for those under way; True where every thread ended in time."""
        deadline = time.monotonic() + timeout_seconds
        for desk in self._desks.values():
            desk.room.close()
        for worker in self._workers.values():  # all at once; Dramatiq's own stop goes one by one
            for thread in worker.workers:
                thread.stop()
        for worker in self._workers.values():
            left_seconds = max(0.1, deadline - time.monotonic())
            worker.stop(timeout=int(left_seconds * 1_000))
        return not any(
            thread.is_alive()
            for worker in self._workers.values()
            for thread in (*worker.workers, *worker.consumers.values())
        )


def start_worker(
    broker: dramatiq.Broker, handle: Handle, *, queue_threads: Mapping[str, int]
) -> RunningWorker:
    """Start threads that call `handle(run_id)` for each wake-up; `queue_threads` by queue name.

    What `handle` raises is logged by Dramatiq; the message is acked all the same. One call per
    broker. The broker needs not be reachable.
    """
    assert isinstance(broker, DoorbellBroker | RabbitBroker), "a broker of open_broker's"
    assert not broker.actors, "one worker per broker"
    desks = {queue: Desk(Room(threads), handle) for queue, threads in queue_threads.items()}
    for queue, desk in desks.items():
        broker.rooms[queue] = desk.room
        dramatiq.Actor(
            desk.serve,
            broker=broker,
            actor_name=actor_name(queue),
            queue_name=queue,
            priority=0,
            options={},
        )
    workers = {
        queue: dramatiq.Worker(
            broker, queues={queue}, worker_threads=threads, worker_timeout=WORKER_MILLISECONDS
        )
        for queue, threads in queue_threads.items()
    }
    broker.logger.addFilter(_expected)
    for worker in workers.values():
        worker.start()
    _log.info("worker.started", threads=dict(queue_threads))
    return RunningWorker(workers, desks)
