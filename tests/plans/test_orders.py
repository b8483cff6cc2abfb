"""EXPLAIN guards: an order is opened and forgotten at the same cost however many orders and payments there are."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from domain.payments import CLOSE_ORDERS, OPEN_ORDERS
from jobs.bookings.close_orders import CloseOrders
from jobs.bookings.open_orders import OpenOrders
from tests.booking import customer, plan
from tests.builders import RECOVER_SECONDS, change, house, owner
from tests.fakes.payments import FakePayments
from tests.plans.explaining import Plans, explained
from tests.servers import Databases

if TYPE_CHECKING:
    from jobs.shapes import Job

SET = 200
MANY = 10_000
LOADS = (
    """INSERT INTO bookings (id, external_id, customer, plan, state)
       SELECT md5('b' || n)::uuid, n, :who, :plan, 'APPROVED_PENDING_PAYMENT' FROM generate_series(1, :many) n""",
    """INSERT INTO payments (id, booking, customer, scope, actor, key, request_hash, amount, currency, expires_at)
       SELECT md5('p' || n)::uuid, md5('b' || n)::uuid, :who, 'x', 'x', n, '', 1000, 'INR',
              clock_timestamp() + interval '1 hour' FROM generate_series(1, :many) n""",
    """INSERT INTO payment_legs (payment, kind, amount)
       SELECT md5('p' || n)::uuid, 'gateway', 1000 FROM generate_series(1, :many) n""",
    """INSERT INTO orders (id, payment, amount, currency, state, provider, gateway_id)
       SELECT md5('o' || n)::uuid, md5('p' || n)::uuid, 1000, 'INR', CASE WHEN n <= :due THEN 'NEW' ELSE 'OPEN' END,
              CASE WHEN n > :due THEN 'stripe' END, CASE WHEN n > :due THEN 'pi_' || n END
       FROM generate_series(1, :many) n""",
    """INSERT INTO work (job, subject, due_at)
       SELECT 'bookings.open_orders', md5('o' || n)::uuid, clock_timestamp() - interval '1 hour'
       FROM generate_series(1, :due) n""",
    """INSERT INTO work (job, subject, due_at)
       SELECT 'bookings.expire_checkouts', md5('p' || n)::uuid, clock_timestamp() + interval '1 hour'
       FROM generate_series(1, :many) n""",
)  # fmt: skip
ENDED = (
    "UPDATE orders SET state = 'CLOSING' WHERE id IN (SELECT md5('o' || n)::uuid FROM generate_series(1, :due) n)",
    """INSERT INTO work (job, subject, due_at)
       SELECT 'bookings.close_orders', md5('o' || n)::uuid, clock_timestamp() - interval '1 hour'
       FROM generate_series(1, :due) n""",
)
"""The checkouts of those that were opened ended unpaid."""
HOT = {
    "claim": ("UPDATE work w SET token", 20 * SET),
    "opening": ("AS is_past_key", 20 * SET),
    "closing": ("AS is_settled_at", 20 * SET),
    "intend": ("INSERT INTO effects", 60 * SET),
    "name": ("UPDATE orders o SET provider", 40 * SET),
    "move": ("UPDATE orders s SET state", 60 * SET),
}
"""A piece of each statement, and the pages that a set of 200 may touch."""
TABLES = {"orders", "payments", "payment_legs", "bookings", "work"}


@pytest.fixture(scope="module")
def plans(databases: Databases, template: str) -> Iterator[Plans]:
    """How a set of orders was opened and forgotten among many."""
    gateway = FakePayments("stripe")
    jobs: dict[str, Job] = {
        OPEN_ORDERS: OpenOrders(gateway, call_seconds_max=1.0, recover_seconds=RECOVER_SECONDS),
        CLOSE_ORDERS: CloseOrders(gateway, call_seconds_max=1.0),
    }
    with databases.database(template) as name:
        url = databases.url(name)
        with owner(url) as database:
            given = {"plan": plan(database), "who": customer(database), "many": MANY, "due": SET}

            def load(statement: str) -> None:
                named = {k: v for k, v in given.items() if f":{k}" in statement}
                change(database, statement.replace("::", "\\:\\:"), **named)

            for statement in LOADS:
                load(statement)
            change(database, "ANALYZE")
            with (
                house(url, jobs=jobs, batch_max=SET) as home,
                explained(home.database) as seen,
            ):
                assert home.run(OPEN_ORDERS).tally["succeeded"] == SET
                for statement in ENDED:
                    load(statement)
                assert home.run(CLOSE_ORDERS).tally["succeeded"] == SET
                yield seen


@pytest.mark.parametrize("name", HOT)
def test_orders_are_reached_by_index_alone(plans: Plans, name: str) -> None:
    piece, most = HOT[name]
    found = plans.of(piece)
    assert found
    for one in found:
        assert not one.scanned & TABLES
        assert one.blocks <= most
