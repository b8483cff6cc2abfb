"""Make next months' partitions and let go of what nobody needs any more, a batch at a time."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from db import prune
from db.tx import Tx
from domain.tally import Count, Tally
from jobs.shapes import Page, Queue, Sweep

BATCH: Final = 2000
"""Runs looked at in one transaction."""
AFTER: Final = "after"


class Prune(Sweep):
    """Make room: partitions ahead, old attempts, ended runs and silent workers gone.

    What a replay or an auditor needs is never touched: effects, entries, moves, events.
    """

    name: ClassVar[str] = "upkeep.prune"
    queue: ClassVar[Queue] = Queue.REST
    triggerable: ClassVar[bool] = True

    def page(self, tx: Tx, cursor: Mapping[str, Any], run: int) -> Page:
        """Partitions and workers first, then runs in the order of their ids."""
        if AFTER not in cursor:
            made, dropped = prune.make_partitions(tx), prune.drop_attempts(tx)
            gone = prune.workers(tx)
            done = made + len(dropped) + len(gone)
            tally = Tally({Count.PROCESSED: done, Count.SUCCEEDED: done})
            return Page(cursor={AFTER: 0}, tally=tally)
        batch = prune.runs(tx, cursor[AFTER], BATCH)
        tally = Tally({Count.PROCESSED: batch.deleted, Count.SUCCEEDED: batch.deleted})
        return Page(cursor=None if batch.after is None else {AFTER: batch.after}, tally=tally)
