"""Earnings made into payouts per second: locked, summed, linked, approved, each page in one transaction."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from db import installation, runs
from db.bench import earned
from db.earnings import imports
from db.engine import Database
from db.importing.order import Lines
from db.payees.imports import PayeeLines, take_over
from db.runs import Request
from domain.batching import BATCH, BatchPolicy
from domain.errors import BrokenError
from domain.runs import Origin
from domain.sample_earnings import sample_earnings, sample_payees
from jobs.payouts.batch import BatchPayouts
from workers.bench.stand import LONG_SECONDS, SEED, Stand, opened

EVERYBODY: Final = BatchPolicy(minimum_minor=1)


def batch_seconds(stand: Stand, items: int) -> float:
    """How long one batch takes of `items` earnings of about 300 people. Raises `BrokenError`."""
    with stand.database() as url, opened(url) as operator:
        run = _owe(operator, items)
        with opened(url, role="bursar_worker") as database:
            database.warm_up()
            began = time.monotonic()
            _batch(database, run)
            seconds = time.monotonic() - began
        with operator.begin(LONG_SECONDS) as tx:
            if not earned.is_whole(tx, items):
                raise BrokenError(f"not all of {items} earnings are in one payout each")
    return seconds


def _owe(operator: Database, items: int) -> int:
    """Bring in payees and what they earned, and ask for a batch; returns its run."""
    payees = [replace(line, verified=True, kind="person") for line in sample_payees(SEED)]
    with operator.begin(LONG_SECONDS) as tx:
        own = installation.get(tx).id
        take_over(tx, own, PayeeLines(lines=payees, file="payees", rows=range(len(payees))))
        lines = list(sample_earnings(items, SEED))
        imports.take_over(tx, own, Lines(lines=lines), actor="bench")
        asked = Request(job=BATCH, queue="money", version=1, origin=Origin.OPERATOR)
        return runs.enqueue(tx, [asked])[0].id


def _batch(database: Database, run: int) -> None:
    job, cursor = BatchPayouts(EVERYBODY), dict[str, Any]()

    def page(at: Mapping[str, Any]) -> Mapping[str, Any] | None:
        with database.begin(LONG_SECONDS) as tx:
            return job.page(tx, at, run).cursor

    while (follows := page(cursor)) is not None:
        cursor = dict(follows)
