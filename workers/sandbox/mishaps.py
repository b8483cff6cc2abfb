"""What goes wrong with an event on its way to whoever listens: met once, at its first telling."""

import sqlite3
from typing import Final

from workers.sandbox.faults import Fault
from workers.sandbox.script import Call, Order
from workers.sandbox.service import Service
from workers.sandbox.storage import Storage

FORGERS_SECRET: Final = "not the bank's"  # noqa: S105  it is nobody's
PUTS_OFF: Final = frozenset({Fault.EVENT_LATE, Fault.EVENT_REORDERED})
"""Faults that leave an event to be told at another time."""
AFTER_MS: Final = 3_000
"""How long after the one that follows it a reordered event is told."""


def mishap(service: Service, due: sqlite3.Row, reference: str | None) -> Fault | None:
    """Return what happens to an event now, by order or by chance; those of `PUTS_OFF` are done here."""
    if due["attempts"]:
        return None
    order = service.script.take(Call.EVENT, reference)
    drawn = service.faults.draw_event(service.settings.seed, due["number"])
    order = order or Order(fault=drawn)
    storage = service.bank.storage
    if order.fault in PUTS_OFF:
        at_ms = (
            _late(service, order) if order.fault is Fault.EVENT_LATE else _after_next(storage, due)
        )
        if at_ms is None:
            return None
        put_off(storage, due["number"], at_ms)
    if order.fault:
        storage.add(f"fault:{order.fault}")
    return order.fault


def put_off(storage: Storage, event: int, at_ms: int) -> None:
    """Date an event anew; what it meets is met already."""
    storage.run(
        "UPDATE events SET attempts = attempts + 1, due_ms = :due WHERE number = :number",
        due=at_ms,
        number=event,
    )


def _late(service: Service, order: Order) -> int:
    seconds = service.settings.slow_seconds if order.seconds is None else order.seconds
    return service.bank.storage.now_ms() + round(seconds * 1000)


def _after_next(storage: Storage, due: sqlite3.Row) -> int | None:
    """When the next event of the same payout, or order, will have been told; None where there is none to come."""
    later = storage.row(
        'SELECT min(due_ms) AS due_ms FROM events WHERE (payout = :payout OR "order" = :order)'
        " AND number > :number",
        payout=due["payout"],
        order=due["order"],
        number=due["number"],
    )
    return None if later is None or later["due_ms"] is None else later["due_ms"] + AFTER_MS
