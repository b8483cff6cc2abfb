"""EXPLAIN guards: a seat is released at the same cost however many seats, bookings and payments there are."""

from collections.abc import Iterator

import pytest

from domain.appointments import RELEASE_TENTATIVE
from tests.booking import customer, plan
from tests.builders import change, house, owner
from tests.plans.explaining import Plans, explained
from tests.servers import Databases

SET = 200
MANY = 20_000
LOADS = (
    """INSERT INTO appointments (id, plan, capacity, taken, starts_at, ends_at)
       SELECT md5('a' || n)::uuid, :plan, 20, 20, '2031-01-01Z', '2031-01-02Z' FROM generate_series(1, :many / 20) n""",
    """INSERT INTO bookings (id, external_id, customer, plan, state)
       SELECT md5('b' || n)::uuid, n, :who, :plan, 'APPROVED_PENDING_PAYMENT' FROM generate_series(1, :many) n""",
    """INSERT INTO seats (id, appointment, booking, customer, places, updated_at)
       SELECT md5('s' || n)::uuid, md5('a' || 1 + n % (:many / 20))::uuid, md5('b' || n)::uuid, :who, 1,
              clock_timestamp() - interval '2 days' FROM generate_series(1, :many) n""",
    """INSERT INTO payments (id, booking, customer, scope, actor, key, request_hash, amount, currency, expires_at,
                             state, paid_at)
       SELECT md5('p' || n)::uuid, md5('b' || n)::uuid, :who, 'x', 'x', n, '', 1, 'INR', clock_timestamp(),
              CASE WHEN n % 10 = 0 THEN 'SUCCEEDED' ELSE 'EXPIRED' END, clock_timestamp()
       FROM generate_series(1, :many) n""",
    """INSERT INTO work (job, subject, due_at)
       SELECT 'bookings.release_tentative', md5('s' || n)::uuid,
              clock_timestamp() + CASE WHEN n <= :due THEN -interval '1 hour' ELSE interval '1 hour' END
       FROM generate_series(1, :many) n""",
)  # fmt: skip
HOT = {
    "take": ("SELECT count(*) AS taken", 10 * SET),
    "release": ("UPDATE seats s SET state = 'RELEASED'", 60 * SET),
}
"""A piece of each statement, and the pages that a set of 200 may touch."""


@pytest.fixture(scope="module")
def plans(databases: Databases, template: str) -> Iterator[Plans]:
    """How a set of seats was released among many."""
    with databases.database(template) as name:
        url = databases.url(name)
        with owner(url) as database:
            given = {"plan": plan(database), "who": customer(database), "many": MANY, "due": SET}
            for statement in LOADS:
                named = {k: v for k, v in given.items() if f":{k}" in statement}
                change(database, statement.replace("::", "\\:\\:"), **named)
            change(database, "ANALYZE")
        with house(url, batch_max=SET) as home, explained(home.database) as seen:
            assert home.run(RELEASE_TENTATIVE).tally["succeeded"] == SET * 9 // 10
            yield seen


@pytest.mark.parametrize("name", HOT)
def test_a_set_of_seats_is_released_by_index_alone(plans: Plans, name: str) -> None:
    piece, most = HOT[name]
    found = plans.of(piece)
    assert found
    for one in found:
        assert not one.scanned & {"seats", "payments", "bookings", "appointments", "work"}
        assert one.blocks <= most
