"""A consumer that sleeps inside Redis until a message comes, and that no message and no fault ends.

`BLMOVE list list LEFT LEFT` moves the head of a list onto itself: it changes nothing, and it blocks
while the list is empty. So several processes can wait without a frozen or dead one of them
swallowing a message; who takes it is decided by the `TAKE` script, which travels with the wait and
runs in Redis the moment it is over. A frozen process can so take one message, if one comes before
its last wait is over: its run is found by the sweep.

A reply to `TAKE` that got lost leaves its message in our set of taken ones, which Dramatiq would
give back only when this process is dead. `_find_strays` gives it back at once.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import redis
import structlog
from dramatiq.broker import Consumer, MessageProxy

from workers.broker.rooms import Room
from workers.broker.scripts import Keys
from workers.broker.wakeups import BODY_BYTES_MAX, BROKER_ID, decode, message_for

if TYPE_CHECKING:
    from workers.broker.redis_broker import DoorbellBroker

BLOCK_SECONDS_MAX: Final = 0.5
"""Well under the socket time-out: Redis ends a wait up to 0.1 s late."""
POLL_SECONDS: Final = 0.1
TIDY_SECONDS: Final = 1.0
STRAYS_SECONDS: Final = 5.0
AFTER_FAULT_SECONDS: Final = 0.2
REFUSED_MAX: Final = 200
"""Refused messages in one step; then Dramatiq's loop gets its turn."""

_log = structlog.get_logger(__name__)


class DoorbellConsumer(Consumer):
    """One queue's messages for one process; `ack` may come from any thread, the rest from one."""

    def __init__(
        self, broker: "DoorbellBroker", queue: str, room: Room, wait_seconds: float
    ) -> None:
        self._broker, self._queue, self._room = broker, queue, room
        self._wait_seconds = min(wait_seconds, BLOCK_SECONDS_MAX)
        self._keys = Keys.of(broker.namespace, queue, broker.broker_id)
        self._lock = threading.Lock()
        self._held: set[bytes] = set()
        """Taken and neither acked nor given back; those in `_owed` included."""
        self._owed: list[bytes] = []
        """Done with, but Redis could not be told yet."""
        self._up = True
        self._tidied = self._looked = float("-inf")
        self.beat = time.monotonic()
        """When this consumer last did something, on the monotonic clock."""

    def __next__(self) -> MessageProxy | None:
        """Return the next wake-up, or None after a bounded wait. Never raises."""
        self.beat = time.monotonic()
        with self._surviving():
            self._tidy()
        if not self._room.take(self._wait_seconds):
            return None
        found = None
        try:
            with self._surviving():
                found = self._take_good() or self._wait_and_take()
        finally:
            if found is None:
                self._room.give()
        return found

    def ack(self, message: MessageProxy) -> None:
        """Forget a message that was handled; where Redis cannot be told now, it is told later."""
        key = message.options.get(BROKER_ID)
        if key is None:  # a run of the sweep's, never in Redis
            return
        try:
            if self._up:
                self._broker.do_ack(self._queue, key)
                with self._lock:
                    self._held.discard(key)
                return
        except redis.RedisError as error:
            _log.info("broker.ack_later", queue=self._queue, error=type(error).__name__)
        with self._lock:
            self._owed.append(key)

    nack = ack  # there are no dead letters: the run in Postgres says what became of it

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Give back what was taken and not begun (on stopping)."""
        keys = [m.options[BROKER_ID] for m in messages if BROKER_ID in m.options]
        if keys:
            with self._surviving():
                self._broker.do_requeue(self._queue, *keys)

    def close(self) -> None:
        """Tell Redis what is still owed to it."""
        with self._surviving():
            self._pay()

    def _take_good(self) -> MessageProxy | None:
        """Take messages until one is a wake-up; the others are acked and counted."""
        client = self._broker.client
        for _ in range(REFUSED_MAX):
            found = self._broker.take(keys=self._keys.of_take, args=[BODY_BYTES_MAX], client=client)
            if not found:
                return None
            if (message := self._judge(*found)) is not None:
                return message
        return None

    def _judge(self, key: bytes, body: bytes | None) -> MessageProxy | None:
        """Return the wake-up that was taken; None for what is none, which is owed to Redis then."""
        run_id = decode(body)
        with self._lock:
            self._held.add(key)
            if run_id is None:
                self._owed.append(key)
        if run_id is not None:
            return MessageProxy(message_for(self._queue, run_id, key))
        self._tidied = float("-inf")  # pay in the next step
        if body is not None:  # None: the body is gone (flushed), nobody's fault
            self._broker.refusals.count(self._queue)
        return None

    def _wait_and_take(self) -> MessageProxy | None:
        """Wait until the queue is not empty, and take its head in the same round trip."""
        if not self._broker.blocking:
            time.sleep(POLL_SECONDS)
            return None
        waiting, keys = self._keys.waiting, self._keys.of_take
        seconds: Any = self._wait_seconds  # Redis takes fractions, redis-py's types do not
        with self._broker.client.pipeline(transaction=False) as pipe:
            pipe.blmove(waiting, waiting, seconds, "LEFT", "LEFT")
            pipe.evalsha(self._broker.take.sha, len(keys), *keys, BODY_BYTES_MAX)
            try:
                _, found = pipe.execute()
            except redis.exceptions.NoScriptError:  # forgotten by a restart: this sends it again
                return self._take_good()
        return self._judge(*found) if found else None

    def _tidy(self) -> None:
        """Each second: show Redis we live, look after dead processes, pay, look for strays."""
        if self.beat - self._tidied < TIDY_SECONDS:
            return
        self._broker.do_fetch(self._queue, 0)
        self._pay()
        if self.beat - self._looked >= STRAYS_SECONDS:
            self._find_strays()
            self._looked = self.beat
        self._tidied = self.beat
        if not self._up:
            self._up = True
            _log.info("broker.back", queue=self._queue)

    def _pay(self) -> None:
        with self._lock:
            owed = list(self._owed)
        if not owed:
            return
        with self._broker.client.pipeline(transaction=False) as pipe:
            pipe.srem(self._keys.acks, *owed)
            pipe.hdel(self._keys.bodies, *owed)
            pipe.execute(raise_on_error=False)  # a key of a wrong type cannot be paid into, ever
        with self._lock:
            del self._owed[: len(owed)]
            self._held.difference_update(owed)

    def _find_strays(self) -> None:
        """Give back what Redis says we took and we know nothing of: the reply was lost."""
        taken = set(self._broker.client.smembers(self._keys.acks))
        with self._lock:
            strays = taken - self._held
        if strays:
            self._broker.do_requeue(self._queue, *strays)
            _log.warning("broker.strays_given_back", queue=self._queue, count=len(strays))

    @contextmanager
    def _surviving(self) -> Iterator[None]:
        """Whatever Redis does, go on: wait a moment, and look for strays when it is back."""
        try:
            yield
        except (redis.RedisError, OSError) as error:
            self._tidied = self._looked = float("-inf")
            if self._up:
                self._up = False
                _log.warning("broker.away", queue=self._queue, error=type(error).__name__)
            time.sleep(AFTER_FAULT_SECONDS)
