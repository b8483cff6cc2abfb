"""The one message: `{"v":1,"run":"<id>"}`, written and read back by rules that cannot raise."""

import re
from typing import Final

from dramatiq import Message

QUEUES: Final = ("money", "rest")
"""Every queue; each has one actor, named after it."""
RUN_ID_MAX: Final = 2**63 - 1
BODY_BYTES_MAX: Final = 64 * 1024
"""More than this never leaves the broker; what is read as a wake-up is far shorter."""
BROKER_ID: Final = "redis_message_id"
"""The option under which a message keeps its key in Redis."""

_BODY: Final = re.compile(rb'\{"v": ?1, ?"run": ?"([1-9][0-9]{0,18})"\}')


def encode(run_id: int) -> bytes:
    """Return the wake-up for a run; `run_id` is a positive bigint."""
    return b'{"v":1,"run":"%d"}' % run_id


def decode(body: object) -> int | None:
    """Return the run id of a wake-up; None for anything that is not exactly one."""
    if not isinstance(body, bytes) or (found := _BODY.fullmatch(body)) is None:
        return None
    run_id = int(found[1])
    return run_id if run_id <= RUN_ID_MAX else None


def actor_name(queue: str) -> str:
    """Return the name of the one actor of a queue."""
    return f"run_{queue}"


def message_for(queue: str, run_id: int, broker_id: bytes | None = None) -> Message[None]:
    """Return what Dramatiq hands to the actor of `queue`, which is where it came from."""
    options = {} if broker_id is None else {BROKER_ID: broker_id}
    return Message(
        queue_name=queue, actor_name=actor_name(queue), args=(run_id,), kwargs={}, options=options
    )
