"""EXPLAIN guards: a refund is reserved and booked at the same cost however many payments and refunds there are."""

from collections.abc import Iterator

import pytest

from domain.refunds import CASCADE
from tests.booking import customer, fill, plan
from tests.builders import change, house, owner, rows
from tests.plans.explaining import Plans, explained
from tests.refunding import give_back
from tests.servers import Databases

SET = 200
MANY = 10_000
LOADS = (
    """INSERT INTO appointments (id, plan, capacity, taken, starts_at, ends_at)
       SELECT md5('a')::uuid, :plan, 1, 0, '2031-01-01Z', '2031-01-02Z'""",
    """INSERT INTO bookings (id, external_id, customer, plan, state)
       SELECT md5('b' || n)::uuid, n, :who, :plan, 'COMPLETED' FROM generate_series(1, :many) n""",
    """INSERT INTO seats (id, appointment, booking, customer, places, state)
       SELECT md5('s' || n)::uuid, md5('a')::uuid, md5('b' || n)::uuid, :who, 1, 'RELEASED'
       FROM generate_series(1, :many) n""",
    """INSERT INTO payments (id, booking, customer, scope, actor, key, request_hash, amount, currency, expires_at,
                             state, paid_at)
       SELECT md5('p' || n)::uuid, md5('b' || n)::uuid, :who, 'x', 'x', n, '', 1000, 'INR', clock_timestamp(),
              'SUCCEEDED', clock_timestamp() FROM generate_series(1, :many) n""",
    """INSERT INTO payment_legs (payment, kind, amount, account)
       SELECT md5('p' || n)::uuid, 'wallet', 1000, :account FROM generate_series(1, :many) n""",
    """INSERT INTO earnings (id, external_id, payee, gross, amount, currency, earned_at, ready_at, content_hash)
       SELECT md5('p' || n)::uuid, 'payment:' || n, l.consultant, 1000, 800, 'INR', clock_timestamp(),
              clock_timestamp(), ''
       FROM generate_series(1, :many) n CROSS JOIN plans l WHERE l.id = :plan""",
    """INSERT INTO refunds (id, payment, origin, scope, actor, key, request_hash, amount, gateway, wallet,
                            referral_credit, currency, why, asked_by, state, effect_key)
       SELECT md5('r' || n)::uuid, md5('p' || n)::uuid, 'asked', 'x', 'x', n, '', 100, 0, 100, 0, 'INR', 'x', 'x',
              'SUCCEEDED', gen_random_uuid() FROM generate_series(1, :many) n""",
    """INSERT INTO work (job, subject, due_at)
       SELECT 'refunds.cascade', md5('r' || n)::uuid,
              clock_timestamp() + CASE WHEN n <= :due THEN -interval '1 hour' ELSE interval '1 hour' END
       FROM generate_series(1, :many) n""",
    # What every payee of these is owed in the books.
    """UPDATE balances SET credits = credits + 800 * :many WHERE account = (
         SELECT y.payable FROM plans l JOIN payees y ON y.id = l.consultant WHERE l.id = :plan)""",
)  # fmt: skip
HOT = {
    "take": ("SELECT job, subject, 0 AS token", 10 * SET),
    "give": ("SELECT * FROM give_back_earnings", 120 * SET),
    "move": ("UPDATE refunds s SET state", 60 * SET),
    "left": ("AS is_disputed", 60),
    "insert": ("INSERT INTO refunds (id, payment, origin", 120),
}
"""A piece of each statement, and the pages that a set of 200, or one, may touch."""
TABLES = {"refunds", "payments", "payment_legs", "earnings", "bookings", "seats", "orders", "work"}


@pytest.fixture(scope="module")
def plans(databases: Databases, template: str) -> Iterator[Plans]:
    """How a set of refunds came into the books, and one more was reserved, among many."""
    with databases.database(template) as name:
        url = databases.url(name)
        with owner(url) as database:
            who = customer(database)
            fill(database, who, 1)
            [wallet] = rows(database, "SELECT account FROM wallets")
            given = {
                "plan": plan(database),
                "who": who,
                "many": MANY,
                "due": SET,
                "account": wallet.account,
            }
            for statement in LOADS:
                named = {k: v for k, v in given.items() if f":{k}" in statement}
                change(database, statement.replace("::", "\\:\\:"), **named)
            change(database, "ANALYZE")
            [last] = rows(database, "SELECT md5('p9000')\\:\\:uuid AS id")
        with house(url, batch_max=SET) as home, explained(home.database) as seen:
            assert home.run(CASCADE).tally["succeeded"] == SET
            give_back(home.database, last.id, 100)
            yield seen


@pytest.mark.parametrize("name", HOT)
def test_refunds_are_reached_by_index_alone(plans: Plans, name: str) -> None:
    piece, most = HOT[name]
    found = plans.of(piece)
    assert found
    for one in found:
        assert not one.scanned & TABLES
        assert one.blocks <= most
