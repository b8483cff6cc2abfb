"""The bell: wake-ups that carry a run id, from whoever made the run to threads that may take it.

Postgres is the truth; a message may ring twice, late or never. So nothing here retries, delays,
dead-letters or keeps results, and no fault of the broker reaches a thread that moves money.
"""

from workers.broker.bell import Bell
from workers.broker.check import check_broker, check_redis
from workers.broker.opening import open_broker
from workers.broker.refusals import Refusals
from workers.broker.serving import RunningWorker, start_worker
from workers.broker.wakeups import QUEUES

__all__ = [
    "QUEUES",
    "Bell",
    "Refusals",
    "RunningWorker",
    "check_broker",
    "check_redis",
    "open_broker",
    "start_worker",
]
