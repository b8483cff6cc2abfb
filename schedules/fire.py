"""Fire a schedule's job by hand: a run an operator asked for, not a tick."""

from db import runs
from db.runs import Enqueued, Request
from db.ticks import Target
from db.tx import Tx
from domain.runs import Origin


def fire(tx: Tx, schedule: str, target: Target, *, who: str, why: str) -> Enqueued:
    """Put one run of the schedule's job on record now; its ticks stay as they are."""
    request = Request(
        job=target.job,
        queue=target.queue,
        version=target.version,
        origin=Origin.OPERATOR,
        requested_by=who,
        why=f"schedule {schedule}: {why}",
    )
    return runs.enqueue(tx, [request])[0]
