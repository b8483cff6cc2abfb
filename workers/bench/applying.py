"""Events applied a second by one worker: each tells of another PROCESSING payout that it is paid."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from db import installation, receiving, wakes
from db.bench import telling
from db.engine import Database, DatabaseOptions
from db.tx import Row
from domain.errors import BrokenError
from domain.inbox import VerifiedEvent
from jobs.webhooks.apply import ApplyEvents
from workers.bench.child import Orders
from workers.bench.crew import crew
from workers.bench.drain import SECONDS_MAX, wake
from workers.bench.stand import LONG_SECONDS, Stand, opened, seed
from workers.composition import calm_collector
from workers.runner.bounds import Bounds
from workers.runner.execute import Runner

TYPE: Final = "payout.processed"
SET: Final = 1_000
"""Events written down at once, before the measurement begins."""


def apply_seconds(stand: Stand, items: int) -> float:
    """How long one worker takes to apply `items` events, each of another payout. Raises `BrokenError`."""
    with stand.database() as url:
        seed(url, items)
        orders = Orders(url=url, gateway_seconds=0.0, concurrency=16, batch=Bounds().batch_max)
        with crew(orders, 2) as made, opened(url) as database:
            made.drain(wake(database), SECONDS_MAX)
            _receive(database)
        seconds = _apply(url)
        with opened(url) as database, database.begin(LONG_SECONDS) as tx:
            telling.prove(tx, items)
    return seconds


def _receive(database: Database) -> None:
    with database.begin(LONG_SECONDS) as tx:
        here, events = installation.get(tx).id, map(_event, telling.accepted(tx))
        for some in _sets(events):
            receiving.keep(tx, here, some)


def _sets(events: Iterator[VerifiedEvent]) -> Iterator[Sequence[VerifiedEvent]]:
    while some := list(islice(events, SET)):
        yield some


def _event(payment: Row) -> VerifiedEvent:
    """An event of about the size RazorpayX sends."""
    asked = payment.request
    entity = {
        "id": payment.provider_id,
        "entity": "payout",
        "status": "processed",
        "utr": "000000000001",
        "created_at": int(payment.accepted_at.timestamp()),
        **{field: asked[field] for field in ("fund_account_id", "amount", "currency", "reference_id")},
        "notes": {"note": "x" * 500},
    }  # fmt: skip
    document = {"entity": "event", "event": TYPE, "payload": {"payout": {"entity": entity}}}
    return VerifiedEvent(
        provider="razorpayx",
        event_id=f"{TYPE}:{payment.provider_id}",
        type=TYPE,
        entity=payment.provider_id,
        occurred_at=payment.accepted_at,
        body=json.dumps(document).encode(),
    )


def _apply(url: str) -> float:
    """One run of the product's own runner, in a process calmed as a worker's is, until nothing is due."""
    calm_collector()
    database = Database(DatabaseOptions(url=url, application="bursar bench worker"))
    job = ApplyEvents()
    runner = Runner(
        database=database,
        jobs={job.name: job},
        bounds=Bounds(budget_seconds=SECONDS_MAX),
        worker="bench:apply",
        ring=lambda _made: None,
        stop=threading.Event(),
    )
    try:
        made = database.transact(lambda tx: wakes.wake(tx, [job.known()]))
        if not made:
            raise BrokenError("nothing is due: the events were not kept")
        began = time.monotonic()
        runner.execute(made[0][0])
        return time.monotonic() - began
    finally:
        database.dispose()
