"""EXPLAIN guards: a batch finds what it pays at the same cost however much was earned, and released, before."""

from collections.abc import Iterator

import pytest

from domain.batching import BATCH
from tests.builders import change, house, owner
from tests.earning import owe
from tests.plans.explaining import Plans, explained
from tests.servers import Databases

SET = 200
MANY = 20_000
LOADS = (
    # What was paid, each by its second payout: the first one was withdrawn.
    """INSERT INTO earnings (id, external_id, payee, gross, amount, currency, state, earned_at, ready_at,
                             content_hash)
       SELECT md5('e' || n)::uuid, 'OLD-' || n, y.id, 1000, 800, 'INR', 'PAID', clock_timestamp(), clock_timestamp(), ''
       FROM generate_series(1, :many) n CROSS JOIN (SELECT min(id::text)::uuid AS id FROM payees) y""",
    """INSERT INTO payouts (id, external_id, payee, account, payable, amount, currency, purpose, narration,
                            content_hash, created_by, source, state)
       SELECT md5('p' || n)::uuid, 'OLD-' || n, a.payee, a.id, y.payable, 800, 'INR', 'payout', '', '', 'x', 'earnings',
              'CANCELLED'
       FROM generate_series(1, :many) n
       CROSS JOIN (SELECT * FROM payout_accounts ORDER BY id LIMIT 1) a JOIN payees y ON y.id = a.payee""",
    """INSERT INTO payout_earnings (payout, earning, live)
       SELECT md5('p' || n)::uuid, md5('e' || n)::uuid, false FROM generate_series(1, :many) n""",
)  # fmt: skip
HOT = {
    "owed": ("WITH ready AS MATERIALIZED", 60 * SET),
    "make": ("FROM pay_earnings", 400 * SET),
}
"""A piece of each statement, and the pages that a set of 200 may touch."""
TABLES = {"earnings", "payouts", "payout_earnings", "effects"}


@pytest.fixture(scope="module")
def plans(databases: Databases, template: str) -> Iterator[Plans]:
    """How a batch paid a set of earnings among many that were paid, each released by a payout before."""
    with databases.database(template) as name:
        url = databases.url(name)
        owe(url, SET)
        with owner(url) as database:
            for statement in LOADS:
                change(database, statement.replace("::", "\\:\\:"), many=MANY)
            change(database, "ANALYZE")
        with house(url, batch_max=SET) as home, explained(home.database) as seen:
            assert home.run(BATCH).tally["succeeded"] == 3
            yield seen


@pytest.mark.parametrize("name", HOT)
def test_a_batch_reaches_earnings_by_index_alone(plans: Plans, name: str) -> None:
    piece, most = HOT[name]
    found = plans.of(piece)
    assert found
    for one in found:
        assert not one.scanned & TABLES
        assert one.blocks <= most
