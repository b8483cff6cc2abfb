"""Make next months' partitions and let go of what nobody needs any more, a batch at a time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

from db import prune
from db.tx import Tx
from domain.tally import Count, Tally
from jobs.shapes import Page, Queue, Sweep

BATCH: Final = 2000
"""Runs, notices or kept answers in one transaction."""
AFTER: Final = "after"
NOTICES: Final = "notices"
KEYS: Final = "keys"


class Prune(Sweep):
    """Make room: partitions ahead; old attempts, ended runs, heard notices, kept answers and silent workers gone.

    What a replay or an auditor needs is never touched: effects, entries, moves, events, notices nobody heard.
    """

    name: ClassVar[str] = "upkeep.prune"
    queue: ClassVar[Queue] = Queue.REST
    triggerable: ClassVar[bool] = True

    def page(self, tx: Tx, cursor: Mapping[str, Any], run: int) -> Page:
        """Partitions and workers first, then runs in the order of their ids, then notices and answers by age."""
        if KEYS in cursor:
            return _keys(tx)
        if NOTICES in cursor:
            return _notices(tx, cursor[NOTICES])
        if AFTER not in cursor:
            made, dropped = prune.make_partitions(tx), prune.drop_attempts(tx)
            gone = prune.workers(tx)
            done = made + len(dropped) + len(gone)
            tally = Tally({Count.PROCESSED: done, Count.SUCCEEDED: done})
            return Page(cursor={AFTER: 0}, tally=tally)
        batch = prune.runs(tx, cursor[AFTER], BATCH)
        tally = Tally({Count.PROCESSED: batch.deleted, Count.SUCCEEDED: batch.deleted})
        follows = {NOTICES: None} if batch.after is None else {AFTER: batch.after}
        return Page(cursor=follows, tally=tally)


def _notices(tx: Tx, place: Sequence[str] | None) -> Page:
    after = prune.FIRST_NOTICE
    if place is not None:
        after = datetime.fromisoformat(place[0]), UUID(place[1])
    batch = prune.notices(tx, after, BATCH)
    tally = Tally({Count.PROCESSED: batch.deleted, Count.SUCCEEDED: batch.deleted})
    if batch.after is None:
        return Page(cursor={KEYS: None}, tally=tally)
    at, id_ = batch.after
    return Page(cursor={NOTICES: [at.isoformat(), str(id_)]}, tally=tally)


def _keys(tx: Tx) -> Page:
    deleted = prune.idempotency_keys(tx, BATCH)
    tally = Tally({Count.PROCESSED: deleted, Count.SUCCEEDED: deleted})
    return Page(cursor={KEYS: None} if deleted == BATCH else None, tally=tally)
